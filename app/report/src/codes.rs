//! Names of coded concepts in both languages, from a data file.

use mj_model::{Code, Lang};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

const FILE: &str = include_str!("../../../assets/codes/terms.toml");

/// The lists of the file. A concept: scheme, code, English, Chinese.
#[derive(Debug, Default, Deserialize)]
struct Lists {
    kinds: Vec<[String; 4]>,
    old: Vec<[String; 4]>,
    sites: Vec<[String; 4]>,
    quantities: Vec<[String; 4]>,
    titles: Vec<[String; 4]>,
    reasons: Vec<[String; 4]>,
}

fn lists() -> &'static Lists {
    static READ: OnceLock<Lists> = OnceLock::new();
    // The file is part of the program, and a test reads it.
    READ.get_or_init(|| toml::from_str(FILE).unwrap_or_default())
}

fn codes(list: &[[String; 4]]) -> Vec<Code> {
    list.iter().map(|[scheme, code, en, zh]| Code::new(scheme, code, en, zh)).collect()
}

/// What findings may be.
#[must_use]
pub fn kinds() -> Vec<Code> {
    codes(&lists().kinds)
}

/// Where they may lie.
#[must_use]
pub fn sites() -> Vec<Code> {
    codes(&lists().sites)
}

/// Why a person may reject what a device proposed, in the order of their keys.
#[must_use]
pub fn reasons() -> Vec<Code> {
    codes(&lists().reasons)
}

/// The heading of objects that hold findings alone.
#[must_use]
pub fn title(lang: Lang) -> String {
    codes(&lists().titles).first().map_or_else(String::new, |title| title.name(lang).to_owned())
}

/// A code with the names of the file, where it has them; else its names stay, one for the other where one is empty.
#[must_use]
pub fn named(code: Code) -> Code {
    static BY_CODE: OnceLock<HashMap<(String, String), Code>> = OnceLock::new();
    let known = BY_CODE.get_or_init(|| {
        let all = lists();
        let every = [&all.kinds, &all.old, &all.sites, &all.quantities, &all.reasons];
        every.iter().flat_map(|list| codes(list)).map(|code| ((code.scheme.clone(), code.code.clone()), code)).collect()
    });
    known.get(&(code.scheme.clone(), code.code.clone())).cloned().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_file_is_whole_and_names_nothing_twice() {
        assert!(toml::from_str::<Lists>(FILE).is_ok());
        assert!(!title(Lang::Zh).is_empty() && !title(Lang::En).is_empty());
        for list in [kinds(), sites(), reasons(), codes(&lists().old), codes(&lists().quantities)] {
            let mut seen = HashSet::new();
            for code in &list {
                assert!(!code.name_en.is_empty() && !code.name_zh.is_empty() && code.code.len() <= 16, "{code:?}");
                assert!(seen.insert((code.scheme.clone(), code.code.clone())), "{code:?} stands twice");
            }
        }
        assert!(reasons().len() <= 9, "one digit a reason");
    }

    #[test]
    fn names_come_from_the_file_or_stay() {
        assert_eq!(named(Code::new("SCT", "10200004", "liver", "liver")).name_zh, "肝");
        let unknown = Code::new("99X", "1", "Thing", "Thing");
        assert_eq!(named(unknown.clone()), unknown);
    }
}
