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
    fn names_in_three_groups() {
        let name = PersonName::parse("Shili^Yi Hao=示例^一号=");
        assert_eq!(name.display(Lang::Zh).show(), "示例一号");
        assert_eq!(name.display(Lang::En).show(), "Shili Yi Hao");
        assert_eq!(name.to_dicom(), "Shili^Yi Hao=示例^一号");
        assert_eq!(PersonName::parse("Doe^Jane^^^").display(Lang::Zh).show(), "Doe Jane");
    }
}
