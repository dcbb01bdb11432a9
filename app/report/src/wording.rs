//! The words printed on a report, as data.

use crate::template::Both;
use mj_model::Lang;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILE: &str = include_str!("../../../assets/templates/sheet.toml");

static WORDS: LazyLock<BTreeMap<String, Both>> = LazyLock::new(|| toml::from_str(FILE).unwrap_or_default());

/// A printed word in a language. A name that is not in the file is printed as it is, so that it is seen.
#[must_use]
pub fn word(name: &str, lang: Lang) -> String {
    WORDS.get(name).map_or_else(|| name.to_owned(), |both| both.get(lang).to_owned())
}

/// A printed sentence with its places filled: `{id}` by the value of `id`.
#[must_use]
pub fn word_with(name: &str, lang: Lang, values: &[(&str, &str)]) -> String {
    crate::check::fill(&word(name, lang), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_the_same_places_in_both_languages() {
        let words: BTreeMap<String, Both> = toml::from_str(FILE).unwrap();
        assert!(words.len() > 30);
        let places = |text: &str| {
            let mut found: Vec<String> = text.split('{').skip(1).filter_map(|p| p.split_once('}')).map(|p| p.0.to_owned()).collect();
            found.sort();
            found
        };
        for (name, both) in &words {
            assert_eq!(places(&both.zh), places(&both.en), "{name}");
        }
    }
}
