//! The rules and the words they look for, as data.

use crate::check::Severity;
use crate::error::{Error, Result};
use crate::template::{Both, Words};
use mj_model::{FindingState, Lang, Side};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILE: &str = include_str!("../../../assets/templates/rules/checks.toml");

#[expect(clippy::expect_used, reason = "part of the program: without it nothing would be checked, and nobody would know")]
static BUILTIN: LazyLock<Rules> = LazyLock::new(|| Rules::parse(FILE).expect("the rules of the program"));

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
    /// Words that rules watch for.
    #[serde(default)]
    pub watch: Vec<Watch>,
    /// Words by which an impression takes up everything that was found.
    #[serde(default)]
    pub as_above: Words,
    /// What stands before a patient's name.
    #[serde(default)]
    pub name_labels: Words,
    /// Words in a sentence that make its date the one of an earlier examination.
    pub prior_date: Words,
    /// Words written twice.
    pub repeated: Repeated,
}

/// How much a rule weighs and what it says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    /// Test cases.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// Words that a rule watches for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Name of the rule that they break.
    pub rule: String,
    /// The words.
    pub words: Words,
    /// Words in the same sentence that excuse them.
    #[serde(default)]
    pub unless: Words,
    /// True for abbreviations, which count in their own case and standing alone.
    #[serde(default)]
    pub exact: bool,
    /// True when only what is said to be there counts, not what is denied.
    #[serde(default)]
    pub stated: bool,
    /// True when a recorded call settles it.
    #[serde(default)]
    pub until_called: bool,
    /// Only for patients of this age and older. Units: years.
    #[serde(default)]
    pub from_years: Option<f64>,
    /// Only for patients of this age and younger. Units: years.
    #[serde(default)]
    pub to_years: Option<f64>,
}

/// A small report and what a rule must say of it; stands beside the rule and is run by the tests and by `rules test`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Language of the report.
    #[serde(default)]
    pub lang: Option<Lang>,
    /// Text of the findings section; `#` stands for the chip of the measurement.
    #[serde(default)]
    pub findings: String,
    /// Text of the impression.
    #[serde(default)]
    pub impression: String,
    /// The accepted finding of the study, if one.
    #[serde(default)]
    pub finding: Option<CaseFinding>,
    /// Patient's Sex (0010,0040).
    #[serde(default)]
    pub sex: String,
    /// Units: years.
    #[serde(default)]
    pub age_years: Option<f64>,
    /// The patient's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Date of the earlier examination, `YYYY-MM-DD`.
    #[serde(default)]
    pub prior_date: Option<String>,
    /// The side that was ordered.
    #[serde(default)]
    pub ordered_side: Side,
    /// True when no field has to be filled in.
    #[serde(default)]
    pub optional: bool,
    /// Why the department's rules cannot be used.
    #[serde(default)]
    pub rules_problem: Option<String>,
    /// Name of the template, for the clauses of normality.
    #[serde(default)]
    pub template: Option<String>,
    /// The words that the rule must point at; empty where it points at no words. Absent where it must say nothing.
    #[serde(default)]
    pub found: Option<String>,
}

/// What is known of the finding of a [`Case`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFinding {
    /// What it is, in the case's language.
    pub kind: String,
    /// Where.
    #[serde(default)]
    pub site: String,
    /// On which side.
    #[serde(default)]
    pub side: Side,
    /// Its length. Units: mm; `-1` for one in pixels.
    pub long_mm: f64,
    /// Its length at an earlier examination. Units: mm.
    #[serde(default)]
    pub before_mm: Option<f64>,
    /// Its length when the chip was put in, where it has changed since. Units: mm.
    #[serde(default)]
    pub chip_mm: Option<f64>,
    /// State in review.
    #[serde(default)]
    pub state: Option<FindingState>,
    /// True for a sentence drafted from it at `chip_mm`, which stands in place of `#`.
    #[serde(default)]
    pub drafted: bool,
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

    /// The file of the rules that come with the program, for a department to begin its own from.
    #[must_use]
    pub const fn text() -> &'static str {
        FILE
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
