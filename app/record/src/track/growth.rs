//! How large a lesion was and is, and what its growth means.

use mj_model::code::known;
use mj_model::{Code, Extent, Finding, Geometry, Measurement, Quantity};
use serde::Serialize;
use std::f64::consts::{LN_2, PI};

/// Measured volumes that differ less than this are equal as far as is known. Units: percent.
///
/// Source: British Thoracic Society guidelines for pulmonary nodules (Callister et al., Thorax 70, 2015), which wants 25 %.
pub const VOLUME_ERROR_PERCENT: f64 = 25.0;
/// Diameters that differ less than this are equal as far as is known. Units: mm.
///
/// Source: Fleischner Society (MacMahon et al., Radiology 284, 2017; Bankier et al., Radiology 285, 2017), which wants 2 mm.
pub const DIAMETER_ERROR_MM: f64 = 2.0;

/// What is measured of a lesion.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Size {
    /// Long axis, or the one diameter or length that was measured. Units: mm.
    pub long_mm: Option<f64>,
    /// Short axis. Units: mm.
    pub short_mm: Option<f64>,
    /// Measured volume; that of a ball drawn around a lesion is none. Units: ml.
    pub volume_ml: Option<f64>,
}

impl Size {
    /// From a finding's measurements; what they lack, its shape says.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let shape = finding.geometry.sizes();
        let all = || finding.measurements.iter().filter(|m| is_plain(m)).map(|m| &m.quantity).chain(&shape);
        let first = |codes: &[Code], unit: &dyn Fn(&Quantity) -> Option<f64>| {
            codes.iter().find_map(|code| all().filter(|q| q.what.is_same(code)).find_map(unit))
        };
        let srt = |code: &str| Code::new("SRT", code, "", "");
        // SNOMED RT codes of the same concepts stand in older objects. Source: PS3.16 annex O.
        let long = [known::long_axis(), srt("G-A185"), known::diameter(), srt("M-02550"), known::length(), srt("G-D7FE")];
        let is_ball = matches!(finding.geometry, Geometry::Extent(Extent::Sphere { .. }));
        Self {
            long_mm: first(&long, &in_mm),
            short_mm: first(&[known::short_axis(), srt("G-A186")], &in_mm),
            volume_ml: first(&[known::volume(), srt("G-D705")], &in_ml).filter(|_| !is_ball),
        }
    }

    /// The diameter that stands for the lesion: the mean of both axes where both are known, as the Fleischner Society wants.
    /// Units: mm.
    const fn diameter(self, by_both: bool) -> Option<f64> {
        match (self.long_mm, self.short_mm) {
            (Some(long), Some(short)) if by_both => Some(f64::midpoint(long, short)),
            (long, _) => long,
        }
    }
}

/// True for a number that is no statistic of many other than the largest or the mean.
fn is_plain(measurement: &Measurement) -> bool {
    let none_or = |code: &Code| measurement.derivation.as_ref().is_none_or(|d| d.is_same(code));
    none_or(&known::maximum()) || none_or(&known::mean())
}

/// A length in millimetres, whatever unit of length it was told in.
fn in_mm(quantity: &Quantity) -> Option<f64> {
    let factor = match quantity.unit.0.as_str() {
        "mm" => 1.0,
        "cm" => 10.0,
        "m" => 1000.0,
        "um" => 0.001,
        _ => return None,
    };
    usable(quantity.value * factor)
}

/// A volume in millilitres, whatever unit of volume it was told in.
fn in_ml(quantity: &Quantity) -> Option<f64> {
    let factor = match quantity.unit.0.as_str() {
        "ml" | "mL" | "cm3" => 1.0,
        "mm3" | "ul" | "uL" => 0.001,
        "l" | "L" | "dm3" => 1000.0,
        _ => return None,
    };
    usable(quantity.value * factor)
}

/// A number that is one, to a millionth: what arithmetic leaves behind is no growth.
fn usable(value: f64) -> Option<f64> {
    (value.is_finite() && value >= 0.0).then(|| (value * 1e6).round() / 1e6)
}

/// A ball's volume by its diameter. Units: mm, ml.
#[must_use]
pub fn ball_ml(diameter_mm: f64) -> f64 {
    PI / 6.0 * diameter_mm.powi(3) / 1000.0
}

/// One number then and now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// In the prior study.
    pub prior: f64,
    /// In the present one.
    pub current: f64,
    /// Present minus prior, in the same unit.
    pub absolute: f64,
    /// Of the prior number; none where that is zero. Units: percent.
    pub percent: Option<f64>,
}

impl Change {
    /// From two numbers of one unit.
    #[must_use]
    pub fn between(prior: f64, current: f64) -> Self {
        let absolute = current - prior;
        Self { prior, current, absolute, percent: (prior > 0.0).then(|| absolute / prior * 100.0) }
    }

    /// With no more digits than it is worth.
    pub(super) fn shown(self) -> Self {
        // Without the sign of a zero.
        let to = |v: f64, n: f64| (v * n).round() / n + 0.0;
        Self {
            prior: to(self.prior, 1000.0),
            current: to(self.current, 1000.0),
            absolute: to(self.absolute, 1000.0),
            percent: self.percent.map(|p| to(p, 10.0)),
        }
    }
}

/// What a change says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Larger than measuring can explain.
    Grown,
    /// Smaller than measuring can explain.
    Shrunk,
    /// Measuring alone may explain the difference.
    WithinError,
    /// Too little was measured.
    Unknown,
}

/// Why there is no doubling time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoDoubling {
    /// It did not grow.
    NoGrowth,
    /// Nothing was measured in one of both studies.
    NoSize,
    /// A volume of zero doubles to zero.
    ZeroVolume,
    /// The date of a study is not known.
    NoDate,
    /// Both studies are of one day.
    SameDay,
    /// Measuring alone may explain the difference.
    WithinError,
}

/// How a lesion changed between two studies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Growth {
    /// Days between both studies.
    pub interval_days: Option<i64>,
    /// Units: mm.
    pub long_axis_mm: Option<Change>,
    /// Units: mm.
    pub short_axis_mm: Option<Change>,
    /// Units: ml.
    pub volume_ml: Option<Change>,
    /// True when the volumes are those of balls of the measured diameters, because not both were measured.
    pub from_diameter: bool,
    /// Volume doubling time, if it goes on growing exponentially. Units: days.
    pub doubling_days: Option<f64>,
    /// Why there is none.
    pub no_doubling: Option<NoDoubling>,
    /// What the change says: by 25 % of measured volumes, else by 2 mm of diameters.
    pub trend: Trend,
}

impl Growth {
    /// Between two sizes of one lesion.
    #[must_use]
    pub fn between(prior: Size, current: Size, interval_days: Option<i64>) -> Self {
        let both = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| Change::between(a, b));
        // One rule for both studies: what was measured in two ways is not compared.
        let by_both = prior.short_mm.is_some() && current.short_mm.is_some();
        let diameter = both(prior.diameter(by_both), current.diameter(by_both));
        let measured = both(prior.volume_ml, current.volume_ml);
        let volume = measured.or_else(|| diameter.map(|d| Change::between(ball_ml(d.prior), ball_ml(d.current))));
        let trend = measured.map_or_else(|| by_diameter(diameter), by_volume);
        let doubling = doubling_days(volume, interval_days).and_then(|days| {
            // What measuring may explain does not grow at any speed.
            if trend == Trend::WithinError { Err(NoDoubling::WithinError) } else { Ok(days) }
        });
        Self {
            interval_days,
            long_axis_mm: both(prior.long_mm, current.long_mm).map(Change::shown),
            short_axis_mm: both(prior.short_mm, current.short_mm).map(Change::shown),
            volume_ml: volume.map(Change::shown),
            from_diameter: measured.is_none() && volume.is_some(),
            // A doubling time is known to some days at best.
            doubling_days: doubling.ok().map(f64::round),
            no_doubling: doubling.err(),
            trend,
        }
    }
}

/// Volume doubling time: `dt ln 2 / ln(V2 / V1)`. Units: days.
///
/// Source: Schwartz, Cancer 14 (1961); the same in the BTS guidelines of 2015.
fn doubling_days(volume: Option<Change>, interval_days: Option<i64>) -> Result<f64, NoDoubling> {
    let volume = volume.ok_or(NoDoubling::NoSize)?;
    if volume.prior <= 0.0 || volume.current <= 0.0 {
        return Err(NoDoubling::ZeroVolume);
    }
    if volume.current <= volume.prior {
        return Err(NoDoubling::NoGrowth);
    }
    match interval_days {
        None => Err(NoDoubling::NoDate),
        Some(..=0) => Err(NoDoubling::SameDay),
        Some(days) => Ok(days as f64 * LN_2 / (volume.current / volume.prior).ln()),
    }
}

fn by_volume(change: Change) -> Trend {
    match change.percent {
        Some(percent) if percent >= VOLUME_ERROR_PERCENT => Trend::Grown,
        Some(percent) if percent <= -VOLUME_ERROR_PERCENT => Trend::Shrunk,
        Some(_) => Trend::WithinError,
        None => Trend::Unknown,
    }
}

fn by_diameter(change: Option<Change>) -> Trend {
    // Lengths are given to a tenth of a millimetre: 1.9999 is 2.
    match change.map(|c| (c.absolute * 1000.0).round() / 1000.0) {
        Some(mm) if mm >= DIAMETER_ERROR_MM => Trend::Grown,
        Some(mm) if mm <= -DIAMETER_ERROR_MM => Trend::Shrunk,
        Some(_) => Trend::WithinError,
        None => Trend::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::{finding, measured};
    use mj_model::Unit;

    fn line(mm: f64) -> Size {
        Size { long_mm: Some(mm), ..Size::default() }
    }

    #[test]
    fn a_volume_that_doubles_takes_its_interval() {
        let ml = |volume| Size { volume_ml: Some(volume), ..line(10.0) };
        let growth = Growth::between(ml(0.5), ml(1.0), Some(90));
        assert_eq!((growth.doubling_days, growth.from_diameter, growth.trend), (Some(90.0), false, Trend::Grown));
        let change = growth.volume_ml.unwrap();
        assert_eq!((change.absolute, change.percent), (0.5, Some(100.0)));
        // 400 days ln 2 / ln 1.25 = 1242.5 days.
        let slow = Growth::between(ml(1.0), ml(1.25), Some(400));
        assert_eq!((slow.doubling_days, slow.trend), (Some(1243.0), Trend::Grown));
        // 20 % are within the error of measuring, and grow at no speed.
        let none = Growth::between(ml(1.0), ml(1.2), Some(400));
        assert_eq!((none.doubling_days, none.no_doubling, none.trend), (None, Some(NoDoubling::WithinError), Trend::WithinError));
        let less = Growth::between(ml(1.0), ml(0.7), Some(400));
        assert_eq!((less.doubling_days, less.no_doubling, less.trend), (None, Some(NoDoubling::NoGrowth), Trend::Shrunk));
    }

    #[test]
    fn a_diameter_stands_for_a_ball() {
        // 11 mm to 16 mm: (16 / 11)^3 = 3.0774; 183 days ln 2 / ln 3.0774 = 112.85 days.
        let growth = Growth::between(line(11.0), line(16.0), Some(183));
        assert!(growth.from_diameter);
        let volume = growth.volume_ml.unwrap();
        assert_eq!((volume.prior, volume.current, volume.percent), (0.697, 2.145, Some(207.7)));
        assert_eq!((growth.doubling_days, growth.trend), (Some(113.0), Trend::Grown));
        assert_eq!(growth.long_axis_mm.unwrap().percent, Some(45.5));
        // Under 2 mm nobody can say that it grew.
        assert_eq!(Growth::between(line(6.0), line(7.9), Some(100)).trend, Trend::WithinError);
        assert_eq!(Growth::between(line(8.0), line(6.0), Some(100)).trend, Trend::Shrunk);
        // A volume that was measured in one study only is compared with nothing.
        let once = Growth::between(Size { volume_ml: Some(9.0), ..line(10.0) }, line(10.0), Some(1));
        assert!(once.from_diameter && once.no_doubling == Some(NoDoubling::NoGrowth));
        // Both axes: their mean. One study with both and one with a length alone: the length.
        let both = |long, short| Size { long_mm: Some(long), short_mm: Some(short), volume_ml: None };
        let mean = Growth::between(both(12.0, 8.0), both(14.0, 10.0), None);
        assert_eq!((mean.volume_ml.unwrap().prior, mean.trend, mean.no_doubling), (0.524, Trend::Grown, Some(NoDoubling::NoDate)));
        assert_eq!(Growth::between(both(12.0, 8.0), line(12.0), None).volume_ml.unwrap().absolute, 0.0);
    }

    #[test]
    fn what_cannot_be_told_has_a_reason() {
        let ml = |volume| Size { volume_ml: Some(volume), ..Size::default() };
        let why = |a, b, days| Growth::between(a, b, days).no_doubling;
        assert_eq!(why(ml(0.0), ml(1.0), Some(10)), Some(NoDoubling::ZeroVolume));
        assert_eq!(Growth::between(ml(0.0), ml(1.0), Some(10)).volume_ml.unwrap().percent, None);
        assert_eq!(why(Size::default(), line(3.0), Some(10)), Some(NoDoubling::NoSize));
        assert_eq!(Growth::between(Size::default(), line(3.0), Some(10)).trend, Trend::Unknown);
        assert_eq!(why(line(3.0), line(6.0), None), Some(NoDoubling::NoDate));
        assert_eq!(why(line(3.0), line(6.0), Some(0)), Some(NoDoubling::SameDay));
    }

    #[test]
    fn sizes_are_read_in_any_unit() {
        let unit = |text: &str| Unit(text.to_owned());
        let mut f = finding("a", "1.2.1", 1.0);
        f.measurements = vec![measured(known::long_axis(), 1.25, unit("cm")), measured(known::volume(), 340.0, unit("mm3"))];
        assert_eq!(Size::of(&f), Size { long_mm: Some(12.5), short_mm: None, volume_ml: Some(0.34) });
        // What arithmetic leaves behind is no growth.
        let long = |mm| Finding { measurements: vec![measured(known::length(), mm, Unit::mm())], ..f.clone() };
        let growth = Growth::between(Size::of(&long(14.0)), Size::of(&long(14.0 + 1e-9)), Some(183));
        assert_eq!((growth.no_doubling, growth.volume_ml.unwrap().absolute), (Some(NoDoubling::NoGrowth), 0.0));
        // Pixels are no millimetres; the shape then says its own length.
        f.measurements = vec![measured(known::length(), 5.0, Unit::px())];
        assert_eq!(Size::of(&f).long_mm, Some(1.0));
        // The volume of a ball that was drawn is a diameter in other words.
        f.geometry = Geometry::Extent(Extent::Sphere { centre: mj_model::PointLps::default(), radius_mm: 5.0 });
        f.measurements = Vec::new();
        f.follow_shape();
        assert_eq!(Size::of(&f), Size { long_mm: Some(10.0), short_mm: None, volume_ml: None });
    }
}
