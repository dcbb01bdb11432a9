//! Findings for the tests of this module.

use super::{Moved, Positions, Present};
use mj_model::{Code, Finding, Geometry, Measurement, PointLps, Quantity, SeriesUid, StudyUid, Unit};

/// A measurement.
pub(super) fn measured(what: Code, value: f64, unit: Unit) -> Measurement {
    Measurement::new("m".into(), Quantity { what, value, unit })
}

/// A line of that length that a person drew, with its measurement.
pub(super) fn finding(id: &str, study: &str, mm: f64) -> Finding {
    let (study, series) = (StudyUid::parse(study).unwrap(), SeriesUid::parse(&format!("{study}.1")).unwrap());
    let line = Geometry::line(PointLps::default(), PointLps::new(mm, 0.0, 0.0));
    let mut made = Finding::new(id.into(), study, series, line, "u1");
    made.measurements = made.geometry.sizes().into_iter().map(|q| Measurement::new("m".into(), q)).collect();
    made
}

/// Places along x, in mm, all shown and refined.
pub(super) fn positions(prior: &[(&str, f64)], current: &[(&str, f64)]) -> Positions {
    let at = |x: &f64| PointLps::new(*x, 0.0, 0.0);
    Positions {
        prior: prior.iter().map(|(id, x)| ((*id).to_owned(), Moved { at: at(x), is_refined: true, is_shown: true })).collect(),
        current: current.iter().map(|(id, x)| ((*id).to_owned(), Present { at: at(x), was_shown: true })).collect(),
    }
}
