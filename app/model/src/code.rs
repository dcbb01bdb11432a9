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

    /// The meaning with that of the statistic it is: `CT值均值`, `Attenuation Coefficient (mean)`.
    #[must_use]
    pub fn name_of(&self, statistic: Option<&Self>, lang: Lang) -> String {
        let name = self.name(lang);
        match (statistic, lang) {
            (None, _) => name.to_owned(),
            (Some(statistic), Lang::Zh) => format!("{name}{}", statistic.name_zh),
            (Some(statistic), Lang::En) => format!("{name} ({})", statistic.name_en.to_lowercase()),
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
    /// Square millimetre.
    #[must_use]
    pub fn mm2() -> Self {
        Self("mm2".into())
    }
    /// Degree of an angle.
    #[must_use]
    pub fn deg() -> Self {
        Self("deg".into())
    }
    /// Number of pixels inside a region, for images without known spacing.
    #[must_use]
    pub fn px2() -> Self {
        Self("{pixels2}".into())
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
            "{pixels2}" => "px²",
            "mm2" => "mm²",
            "g/ml{SUVbw}" | "{SUVbw}g/ml" => "g/ml SUVbw",
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
    /// Long axis. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn long_axis() -> Code {
        Code::new("SCT", "103339001", "Long axis", "长径")
    }
    /// Short axis. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn short_axis() -> Code {
        Code::new("SCT", "103340004", "Short axis", "短径")
    }
    /// Diameter. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn diameter() -> Code {
        Code::new("SCT", "81827009", "Diameter", "直径")
    }
    /// Length along a line through several points. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn path_length() -> Code {
        Code::new("DCM", "121211", "Path length", "路径长度")
    }
    /// Perimeter. Source: PS3.16 CID 7470.
    #[must_use]
    pub fn perimeter() -> Code {
        Code::new("SCT", "131191004", "Perimeter", "周长")
    }
    /// Area. Source: PS3.16 CID 7471.
    #[must_use]
    pub fn area() -> Code {
        Code::new("SCT", "42798000", "Area", "面积")
    }
    /// Angle between two arms.
    #[must_use]
    pub fn angle() -> Code {
        Code::new("SCT", "1483009", "Angle", "角度")
    }
    /// Cobb angle. Source: PS3.16 CID 7550.
    #[must_use]
    pub fn cobb_angle() -> Code {
        Code::new("SCT", "285285000", "Cobb angle", "Cobb 角")
    }
    /// Attenuation in Hounsfield units. Source: PS3.16 CID 7180.
    #[must_use]
    pub fn attenuation() -> Code {
        Code::new("DCM", "112031", "Attenuation Coefficient", "CT值")
    }
    /// Values of pixels without a unit of their own.
    #[must_use]
    pub fn signal() -> Code {
        Code::new("99MJ", "pixel-value", "Pixel value", "像素值")
    }
    /// How sure it is that a finding is one. Source: PS3.16 CID 6048.
    #[must_use]
    pub fn certainty() -> Code {
        Code::new("DCM", "111012", "Certainty of Finding", "把握度")
    }
    /// Mean of several values. Source: PS3.16 CID 7464.
    #[must_use]
    pub fn mean() -> Code {
        Code::new("SCT", "373098007", "Mean", "均值")
    }
    /// Standard deviation. Source: PS3.16 CID 7464.
    #[must_use]
    pub fn standard_deviation() -> Code {
        Code::new("SCT", "386136009", "Standard Deviation", "标准差")
    }
    /// Smallest value. Source: PS3.16 CID 7464.
    #[must_use]
    pub fn minimum() -> Code {
        Code::new("SCT", "255605001", "Minimum", "最小值")
    }
    /// Largest value. Source: PS3.16 CID 7464.
    #[must_use]
    pub fn maximum() -> Code {
        Code::new("SCT", "56851009", "Maximum", "最大值")
    }
    /// Values between voxels, computed from their neighbours.
    #[must_use]
    pub fn interpolated() -> Code {
        Code::new("99MJ", "interpolated", "Interpolated between voxels", "体素间插值")
    }
    /// A finding nobody has classified yet.
    #[must_use]
    pub fn unclassified_finding() -> Code {
        Code::new("99MJ", "unclassified", "Unclassified finding", "未分类所见")
    }
    /// An arrow or a text on an image, without clinical meaning.
    #[must_use]
    pub fn annotation() -> Code {
        Code::new("99MJ", "annotation", "Annotation", "标注")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_not_named_like_what_it_is_the_mean_of() {
        let name = |statistic: Option<&Code>, lang| known::attenuation().name_of(statistic, lang);
        assert_eq!(name(None, Lang::Zh), "CT值");
        assert_eq!(name(Some(&known::mean()), Lang::Zh), "CT值均值");
        assert_eq!(name(Some(&known::standard_deviation()), Lang::En), "Attenuation Coefficient (standard deviation)");
    }

    #[test]
    fn quantities_carry_their_unit() {
        let q = |value, unit| Quantity { what: known::length(), value, unit }.shown();
        assert_eq!(q(12.34, Unit::mm()), "12.3\u{2009}mm");
        assert_eq!(q(-20.0, Unit::hu()), "-20.0\u{2009}HU");
        assert_eq!(q(3.0, Unit::one()), "3.0");
    }
}
