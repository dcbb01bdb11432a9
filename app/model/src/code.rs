//! Coded concepts, units and quantities.

use crate::person::Lang;
use serde::{Deserialize, Serialize};

/// A coded concept with its meaning in both languages.
///
/// Source: PS3.3 §8.8 (Code Sequence Macro); coding schemes PS3.16 §8.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Code {
    /// Coding Scheme Designator, for example `SCT`, `DCM`, `UCUM`, `99MJ`.
    pub scheme: String,
    /// Code Value.
    pub code: String,
    /// English meaning; the one written into DICOM.
    pub name_en: String,
    /// Chinese meaning.
    pub name_zh: String,
}

impl Code {
    /// A code from its four parts.
    #[must_use]
    pub fn new(scheme: &str, code: &str, name_en: &str, name_zh: &str) -> Self {
        Self { scheme: scheme.into(), code: code.into(), name_en: name_en.into(), name_zh: name_zh.into() }
    }

    /// The meaning in a language.
    #[must_use]
    pub fn name(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.name_zh,
            Lang::En => &self.name_en,
        }
    }

    /// Same concept: scheme and code value agree (meanings may be worded differently).
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.code == other.code
    }
}

/// A unit of measurement as a UCUM code, for example `mm`, `ml`, `deg`, `[hnsf'U]` (Hounsfield), `{pixels}`.
///
/// Source: PS3.16 CID 7181 and UCUM.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(pub String);

impl Unit {
    /// Millimetre.
    #[must_use]
    pub fn mm() -> Self {
        Self("mm".into())
    }
    /// Millilitre.
    #[must_use]
    pub fn ml() -> Self {
        Self("ml".into())
    }
    /// Hounsfield unit.
    #[must_use]
    pub fn hu() -> Self {
        Self("[hnsf'U]".into())
    }
    /// Pixels, for images without known spacing.
    #[must_use]
    pub fn px() -> Self {
        Self("{pixels}".into())
    }
    /// No unit: a plain number.
    #[must_use]
    pub fn one() -> Self {
        Self("1".into())
    }
    /// What people read after the number: `mm`, `ml`, `HU`, `px`, `°`, nothing for a plain number.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.0.as_str() {
            "[hnsf'U]" => "HU",
            "{pixels}" => "px",
            "deg" => "°",
            "1" => "",
            other => other,
        }
    }
}

/// What was measured, its value and its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// The concept, for example length.
    pub what: Code,
    /// The value in `unit`.
    pub value: f64,
    /// The unit.
    pub unit: Unit,
}

impl Quantity {
    /// Number and unit as written in a report: lengths and areas with one decimal, the unit after a thin space.
    #[must_use]
    pub fn shown(&self) -> String {
        let label = self.unit.label();
        let number = format!("{:.1}", self.value);
        if label.is_empty() { number } else { format!("{number}\u{2009}{label}") }
    }
}

/// Concepts the workstation uses by itself.
pub mod known {
    use super::Code;

    /// Length. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn length() -> Code {
        Code::new("SCT", "410668003", "Length", "长度")
    }
    /// Volume. Source: PS3.16 CID 7474.
    #[must_use]
    pub fn volume() -> Code {
        Code::new("SCT", "118565006", "Volume", "体积")
    }
    /// A finding nobody has classified yet.
    #[must_use]
    pub fn unclassified_finding() -> Code {
        Code::new("99MJ", "unclassified", "Unclassified finding", "未分类所见")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_their_unit() {
        let q = |value, unit| Quantity { what: known::length(), value, unit }.shown();
        assert_eq!(q(12.34, Unit::mm()), "12.3\u{2009}mm");
        assert_eq!(q(-20.0, Unit::hu()), "-20.0\u{2009}HU");
        assert_eq!(q(3.0, Unit::one()), "3.0");
    }
}
