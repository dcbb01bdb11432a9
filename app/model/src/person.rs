//! Patients' names and keys, the workstation's people, and languages.

use crate::phi::Phi;
use serde::{Deserialize, Serialize};

/// A language of screens and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl std::str::FromStr for Lang {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "zh" => Ok(Self::Zh),
            "en" => Ok(Self::En),
            other => Err(format!("unknown language {other}: zh or en")),
        }
    }
}

/// Identity of a patient: the pair of issuer and id, never the id alone.
///
/// Source: Patient ID (0010,0020), Issuer of Patient ID (0010,0021).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PatientKey {
    /// Issuer; empty where the file names none.
    pub issuer: Phi<String>,
    /// Patient ID as the issuer gave it.
    pub id: Phi<String>,
}

/// A person's name with its three representations.
///
/// Source: PS3.5 §6.2.1 (PN): alphabetic `=` ideographic `=` phonetic, components parted by `^`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct PersonName {
    /// Alphabetic group, components parted by `^`.
    pub alphabetic: Phi<String>,
    /// Ideographic group.
    pub ideographic: Phi<String>,
    /// Phonetic group.
    pub phonetic: Phi<String>,
}

impl PersonName {
    /// Splits a PN value into its groups. Trailing blanks of each group are padding and dropped.
    #[must_use]
    pub fn parse(value: &str) -> Self {
        let mut groups = value.split('=').map(|g| Phi::new(g.trim().trim_end_matches('^').to_owned()));
        let mut next = || groups.next().unwrap_or_default();
        Self { alphabetic: next(), ideographic: next(), phonetic: next() }
    }

    /// The PN value as written into a data set, without empty trailing groups.
    #[must_use]
    pub fn to_dicom(&self) -> String {
        format!("{}={}={}", self.alphabetic.show(), self.ideographic.show(), self.phonetic.show()).trim_end_matches('=').to_owned()
    }

    /// True when two names cannot be one person's: in some script both say one, and in none do they agree. Case,
    /// blanks, punctuation, prefixes and suffixes, and which group a name stands in make no difference.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.plain_groups(), other.plain_groups());
        let is_said_by_both = mine.iter().any(|m| theirs.iter().any(|t| script(m) == script(t)));
        is_said_by_both && !mine.iter().any(|m| theirs.contains(m))
    }

    /// The groups that say something: family, given and middle name in one, lower case, letters and digits only.
    fn plain_groups(&self) -> Vec<String> {
        [&self.alphabetic, &self.ideographic, &self.phonetic]
            .map(|group| {
                let name = group.show().split('^').take(3).flat_map(str::chars);
                name.filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
            })
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// The name as people read it: the ideographic group in Chinese where there is one, family name first;
    /// the alphabetic group otherwise. Empty when the file has no name.
    #[must_use]
    pub fn display(&self, lang: Lang) -> Phi<String> {
        let (han, latin) = (self.ideographic.show(), self.alphabetic.show());
        let text = if lang == Lang::Zh && !han.is_empty() || latin.is_empty() {
            han.split('^').filter(|p| !p.is_empty()).collect::<String>()
        } else {
            latin.split('^').filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
        };
        Phi::new(text)
    }
}

/// Which script a name is written in, as a number that only serves to tell scripts apart.
fn script(name: &str) -> u32 {
    let of = |c: char| match u32::from(c) {
        0..=0x24F => 0,
        0x2E80..=0x2FFF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF => 1,
        0x3040..=0x30FF | 0xFF66..=0xFF9F => 2,
        0x1100..=0x11FF | 0xAC00..=0xD7FF => 3,
        other => 0x100 + other / 0x100,
    };
    name.chars().map(of).max().unwrap_or(0)
}

/// Someone who works at the station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Short id.
    pub id: String,
    /// Name as it stands under a report.
    pub name: String,
    /// What this person may sign as.
    pub role: Role,
}

/// Role of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 报告医师: writes and signs a report first.
    Reporting,
    /// 审核医师: reads it over and countersigns.
    Reviewing,
    /// Surgeon: plans.
    Surgeon,
    /// Runs the station.
    Engineer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_person_and_of_two() {
        let contradict = |a: &str, b: &str| PersonName::parse(a).contradicts(&PersonName::parse(b));
        for (a, b) in [
            ("Shili^Yi", "SHILI YI"),
            ("Shili^Yi^^Dr", "shili^yi"),
            ("Shili^Yi=示例^一", "示例一"),
            ("Shili^Yi=示例^一", "Shili^Yi=示例^壹"),
            ("Shili^Yi", "示例^一"),
            ("", "Shili^Yi"),
            ("^^", "Shili^Yi"),
        ] {
            assert!(!contradict(a, b) && !contradict(b, a), "{a} {b}");
        }
        for (a, b) in [("Shili^Yi", "Shili^Er"), ("示例^一", "示例^二"), ("Shili^Yi=示例^一", "示例^二"), ("Shili^Yi", "Shili^Er=示例^二")]
        {
            assert!(contradict(a, b) && contradict(b, a), "{a} {b}");
        }
    }

    #[test]
    fn names_in_three_groups() {
        let name = PersonName::parse("Shili^Yi Hao=示例^一号=");
        assert_eq!(name.display(Lang::Zh).show(), "示例一号");
        assert_eq!(name.display(Lang::En).show(), "Shili Yi Hao");
        assert_eq!(name.to_dicom(), "Shili^Yi Hao=示例^一号");
        assert_eq!(PersonName::parse("Doe^Jane^^^").display(Lang::Zh).show(), "Doe Jane");
    }
}
