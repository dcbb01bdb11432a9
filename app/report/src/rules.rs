//! The rules and the words they look for, as data.

use crate::check::Severity;
use crate::error::{Error, Result};
use crate::template::{Both, Words};
use mj_model::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILE: &str = include_str!("../../../assets/templates/rules/checks.toml");

static BUILTIN: LazyLock<Rules> = LazyLock::new(|| Rules::parse(FILE).unwrap_or_default());

/// The rules with the words they look for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Rules by name.
    #[serde(rename = "rule")]
    pub rules: BTreeMap<String, Rule>,
    /// Words that say a side.
    pub side: SideWords,
    /// Sided parts of the body.
    pub anatomy: Words,
    /// Organs of one sex.
    pub sex: SexWords,
    /// What marks a place still to be filled in.
    pub unfilled: Unfilled,
    /// Units of typed numbers.
    #[serde(rename = "unit")]
    pub units: Vec<UnitWords>,
    /// Words that speak of an earlier time.
    pub comparison: Words,
    /// Words in a sentence that make its date the one of an earlier examination.
    pub prior_date: Words,
    /// Words written twice.
    pub repeated: Repeated,
}

/// How much a rule weighs and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Weight.
    pub severity: Severity,
    /// True for a blocking rule that a person may sign against by giving a reason.
    #[serde(default)]
    pub ask: bool,
    /// What is wrong.
    pub message: Both,
    /// What to do.
    pub fix: Both,
}

/// Words that say a side of the patient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideWords {
    /// Left.
    pub left: Words,
    /// Right.
    pub right: Words,
    /// Both.
    pub both: Words,
    /// Words that hold one of these without saying a side, such as 左右 "about".
    pub not: Words,
}

/// Organs of one sex.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SexWords {
    /// Of men.
    pub male: Words,
    /// Of women.
    pub female: Words,
    /// Words that hold one of these without speaking of the organ.
    pub not: Words,
}

/// What marks a place still to be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfilled {
    /// The marks.
    pub marks: Vec<String>,
}

/// A unit as people type it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitWords {
    /// How it is written.
    pub words: Vec<String>,
    /// The UCUM unit measurements are in.
    pub of: String,
    /// From the typed unit to `of`.
    pub factor: f64,
    /// Highest plausible number in the typed unit.
    pub max: f64,
}

/// Doubling that is natural.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeated {
    /// The words.
    pub natural: Vec<String>,
}

impl Words {
    /// The words of a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &[String] {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

impl Rules {
    /// Reads rules from a file's text.
    ///
    /// # Errors
    /// [`Error::BadFile`].
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|e| Error::BadFile { kind: "rules", why: e.to_string() })
    }

    /// The rules that come with the program.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read_and_speaks_both_languages() {
        let rules = Rules::parse(FILE).unwrap();
        for (name, rule) in &rules.rules {
            for text in [&rule.message, &rule.fix] {
                assert!(!text.zh.is_empty() && !text.en.is_empty(), "{name}");
            }
        }
        // A builtin without rules would check nothing without a word.
        assert!(Rules::builtin().rules.len() > 10);
    }
}
