//! The one catalogue of Chinese and English texts.
//!
//! The texts are `assets/lang/*.toml` (one file per area; keys are dotted, each with `zh` and `en`);
//! `build.rs` turns every key into a constant of [`key`], so a missing text does not compile. A text may hold
//! named places, `{count}`, which [`Text::with`] fills. Sentences for errors are found by their stable code
//! ([`tell`]), those for warnings about data by theirs ([`warning`]).

#![forbid(unsafe_code)]

use mj_model::{Coded, Lang, Told, Warning};

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text(&'static str, &'static str, &'static str);

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

impl Text {
    /// Its dotted key.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.0
    }

    /// The text in a language.
    #[must_use]
    pub const fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.1,
            Lang::En => self.2,
        }
    }

    /// The text in a language with its named places filled: `{count}` by the value of `count`.
    #[must_use]
    pub fn with(self, lang: Lang, values: &[(&str, &str)]) -> String {
        fill(self.get(lang), values)
    }
}

fn fill(text: &str, values: &[(&str, &str)]) -> String {
    // One pass, so that a value that itself holds braces is not filled again.
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let Some(len) = rest[start..].find('}') else { break };
        let name = &rest[start + 1..start + len];
        out.push_str(&rest[..start]);
        match values.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&rest[start..=start + len]),
        }
        rest = &rest[start + len + 1..];
    }
    out.push_str(rest);
    out
}

/// Finds a text by its dotted key.
#[must_use]
pub fn find(key: &str) -> Option<Text> {
    ALL.binary_search_by(|text| text.0.cmp(key)).ok().and_then(|at| ALL.get(at)).copied()
}

/// Tells an error to a person: message and hint are the texts `error.<code>.message` and `error.<code>.hint`.
/// An error whose code has no text is told by its own English words, so that nothing is ever swallowed.
#[must_use]
pub fn tell(error: &dyn Coded, lang: Lang) -> Told {
    let args = error.args();
    let values: Vec<(&str, &str)> = args.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let sentence = |part: &str| find(&format!("error.{}.{part}", error.code())).map(|text| text.with(lang, &values));
    Told {
        code: error.code().into(),
        message: sentence("message").unwrap_or_else(|| error.to_string()),
        hint: sentence("hint").unwrap_or_default(),
    }
}

/// The words for a code that was kept with its English reason: the catalogue's sentence where it needs no values, else the
/// English.
#[must_use]
pub fn reason(code: &str, english: &str, lang: Lang) -> String {
    let sentence = find(&format!("error.{code}.message")).map(|text| text.get(lang)).filter(|sentence| !sentence.contains('{'));
    sentence.unwrap_or(english).to_owned()
}

/// The sentence for a warning about data: the text `warning.<code>`, with `{detail}` for its numbers.
#[must_use]
pub fn warning(warning: &Warning, lang: Lang) -> String {
    match find(&format!("warning.{}", warning.code)) {
        Some(text) => text.with(lang, &[("detail", &warning.text)]),
        None => warning.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_in_the_language_where_it_needs_no_values() {
        assert_eq!(reason("dicom.not_dicom", "not a DICOM object", Lang::En), find("error.dicom.not_dicom.message").unwrap().get(Lang::En));
        assert_ne!(reason("dicom.not_dicom", "x", Lang::Zh), "x");
        // Its sentence names the attribute, which a code alone does not know.
        assert_eq!(reason("dicom.missing", "required attribute X is absent", Lang::Zh), "required attribute X is absent");
        assert_eq!(reason("no.such_code", "why", Lang::Zh), "why");
    }

    #[test]
    fn places_are_filled_once() {
        assert_eq!(fill("{a} of {b}{c}", &[("a", "{b}"), ("b", "2")]), "{b} of 2{c}");
    }

    #[test]
    fn both_languages_have_the_same_places() {
        let places = |text: &str| {
            let mut found: Vec<String> = text.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|p| p.0.to_owned()).collect();
            found.sort();
            found
        };
        for text in ALL {
            assert_eq!(places(text.1), places(text.2), "{}", text.0);
            assert!(!text.1.trim().is_empty() && !text.2.trim().is_empty(), "{}", text.0);
        }
    }
}
