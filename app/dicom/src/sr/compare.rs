//! A report that was written, read back, against what should stand in it.
//!
//! Coordinates are 32-bit floats in a structured report: places are equal when they are after that rounding. Numbers are
//! equal to the last bit, through Floating Point Value.

use super::group;
use super::group_read::{SrFinding, SrMeasurement};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use mj_model::finding::OriginKind;
use mj_model::geometry::Pixel;
use mj_model::{Code, Extent, Finding, Geometry, Measurement, PointLps, Shape};

/// Reads a report back and compares its findings with those it was written from, in order.
///
/// # Errors
/// [`Error::NotAsWritten`] with the first thing that differs; what reading says.
pub fn assert_as_written(bytes: &[u8], findings: &[&Finding]) -> Result<()> {
    let back = super::read(&Dataset::read(bytes)?)?;
    if back.findings.len() != findings.len() {
        return Err(Error::NotAsWritten { what: "number of findings" });
    }
    let differs = findings.iter().zip(&back.findings).find_map(|(wanted, found)| difference(wanted, found));
    differs.map_or(Ok(()), |what| Err(Error::NotAsWritten { what }))
}

/// The first thing in which a finding differs from what was read; `None` when they are the same.
#[must_use]
pub fn difference(wanted: &Finding, found: &SrFinding) -> Option<&'static str> {
    let same_code = |a: Option<&Code>, b: Option<&Code>| match (a, b) {
        (Some(a), Some(b)) => a.is_same(b),
        (None, None) => true,
        _ => false,
    };
    let has_place = matches!(wanted.geometry, Geometry::InSpace(_) | Geometry::Extent(Extent::Sphere { .. }));
    let algorithm = wanted.proposed_by.as_ref().filter(|by| by.who == OriginKind::Device).map(|device| device.name.as_str());
    [
        ("tracking", wanted.tracking_uid.as_str() == found.tracking_uid),
        ("kind", same_code(Some(&wanted.kind), found.kind.as_ref())),
        ("site", same_code(wanted.site.as_ref(), found.site.as_ref())),
        ("side", wanted.side == found.side),
        ("state", Some(wanted.state) == found.state),
        ("certainty", wanted.certainty_percent == found.certainty_percent),
        ("algorithm", algorithm == found.algorithm.as_ref().map(|(name, _)| name.as_str())),
        ("images", wanted.images == found.images),
        ("frame of reference", !has_place || !group::is_written(wanted) || wanted.frame_of_reference == found.frame_of_reference),
        ("shape", is_same_shape(wanted, found)),
        ("measurements", same_numbers(&wanted.measurements, &found.measurements)),
    ]
    .into_iter()
    .find_map(|(what, is_same)| (!is_same).then_some(what))
}

/// A shape without what its coordinates count from is not told; everything else has to come back.
fn is_same_shape(wanted: &Finding, found: &SrFinding) -> bool {
    let is_same = || found.geometry.as_ref().is_some_and(|geometry| is_same_place(&wanted.geometry, geometry));
    found.left_out.is_empty() && (!group::is_written(wanted) || is_same())
}

fn same_numbers(wanted: &[Measurement], found: &[SrMeasurement]) -> bool {
    wanted.len() == found.len()
        && wanted.iter().zip(found).all(|(a, b)| {
            let same_unit_and_value = a.quantity.unit == b.quantity.unit && a.quantity.value.to_bits() == b.quantity.value.to_bits();
            let same_method = a.method.as_ref().map(|m| &m.code) == b.method.as_ref().map(|m| &m.code);
            same_unit_and_value && same_method && a.is_same_kind(&b.quantity.what, b.derivation.as_ref())
        })
}

/// True when two geometries are the same once their coordinates are 32-bit floats.
fn is_same_place(wanted: &Geometry, found: &Geometry) -> bool {
    match (wanted, found) {
        // The places a spline goes through are kept whole.
        (Geometry::InSpace(Shape::Spline { .. }) | Geometry::OnImage(Shape::Spline { .. }), _) => wanted == found,
        (Geometry::InSpace(a), Geometry::InSpace(b)) => a.map(rounded) == b.map(rounded),
        (Geometry::OnImage(a), Geometry::OnImage(b)) => a.map(rounded_pixel) == b.map(rounded_pixel),
        (Geometry::Extent(Extent::Sphere { centre: a, radius_mm: r }), Geometry::Extent(Extent::Sphere { centre: b, radius_mm: s })) => {
            let far = [a.x, a.y, a.z, *r].iter().fold(1.0_f64, |most, v| most.max(v.abs()));
            let within = far * f64::from(f32::EPSILON) * 4.0;
            a.distance_mm(*b) <= within && (r - s).abs() <= within
        }
        (
            Geometry::Extent(Extent::Segment { series: a, instance: c, number: n, .. }),
            Geometry::Extent(Extent::Segment { series: b, instance: d, number: m, .. }),
        ) => (a, c, n) == (b, d, m),
        _ => wanted == found,
    }
}

fn rounded(p: PointLps) -> [f32; 3] {
    [p.x as f32, p.y as f32, p.z as f32]
}

/// As it is written, from the corner of the first pixel.
fn rounded_pixel([column, row]: Pixel) -> [f32; 2] {
    [(column + 0.5) as f32, (row + 0.5) as f32]
}
