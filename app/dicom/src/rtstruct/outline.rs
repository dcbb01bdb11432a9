//! The contours of findings, before they become an object.

use super::read::{Contour, ContourKind};
use super::{RoiInput, RtInput};
use crate::plane;
use mj_model::{Geometry, PointLps, Shape};

/// How far a place of a flat contour may lie off its plane. Units: mm.
const FLAT_MM: f64 = 0.05;

/// A region that was to be written and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place in the input, from 0.
    pub roi: usize,
    /// Why it is not written.
    pub why: Reason,
}

/// Why a region is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It lies on an image without a place in the patient.
    NoPlace,
    /// It has no shape: a ball, a segment, the images as a whole.
    NoShape,
    /// Its frame of reference is another one, or not known.
    OtherFrame,
    /// It lacks places, or has one that is no number.
    NotWhole,
    /// A closed contour does not lie in one plane.
    NotFlat,
}

impl Reason {
    /// Every reason, for tests of the catalogue.
    pub const ALL: [Self; 5] = [Self::NoPlace, Self::NoShape, Self::OtherFrame, Self::NotWhole, Self::NotFlat];

    /// Stable code, under which the catalogue has the sentence for a doctor.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPlace => "export.no_place",
            Self::NoShape => "export.no_shape",
            Self::OtherFrame => "export.other_frame",
            Self::NotWhole => "export.not_whole",
            Self::NotFlat => "export.not_flat",
        }
    }
}

/// A region with its contours.
pub(super) struct RoiOut<'a> {
    pub number: i64,
    pub input: &'a RoiInput<'a>,
    pub contours: Vec<Contour>,
}

/// The regions that can be written, and those that cannot.
pub(super) fn rois<'a>(input: &RtInput<'a>) -> (Vec<RoiOut<'a>>, Vec<LeftOut>) {
    let (mut rois, mut left_out) = (Vec::new(), Vec::new());
    for (at, roi) in input.rois.iter().enumerate().filter(|(_, roi)| roi.finding.is_live()) {
        match contours(input, roi) {
            Ok(contours) => rois.push(RoiOut { number: i64::try_from(at + 1).unwrap_or(i64::MAX), input: roi, contours }),
            Err(why) => left_out.push(LeftOut { roi: at, why }),
        }
    }
    (rois, left_out)
}

fn contours(input: &RtInput<'_>, roi: &RoiInput<'_>) -> Result<Vec<Contour>, Reason> {
    let finding = roi.finding;
    let shape = match &finding.geometry {
        Geometry::InSpace(shape) => shape,
        Geometry::OnImage(_) => return Err(Reason::NoPlace),
        Geometry::Extent(_) => return Err(Reason::NoShape),
    };
    if !shape.is_whole() {
        return Err(Reason::NotWhole);
    }
    if finding.frame_of_reference.as_ref() != Some(&input.frame_of_reference) {
        return Err(Reason::OtherFrame);
    }
    let is_point = matches!(shape, Shape::Point { .. });
    let contour = |(places, is_closed): (Vec<PointLps>, bool)| {
        let kind = match (is_point, is_closed, is_flat(&places)) {
            (true, _, _) => ContourKind::Point,
            (_, true, true) => ContourKind::ClosedPlanar,
            (_, true, false) => return Err(Reason::NotFlat),
            (_, false, true) => ContourKind::OpenPlanar,
            (_, false, false) => ContourKind::OpenNonplanar,
        };
        let images = plane::nearest(input.images, &places).map(|plane| plane.image.clone()).into_iter().collect();
        Ok(Contour { kind, places, images })
    };
    shape.outline().into_iter().map(contour).collect()
}

/// True when places lie in one plane, within [`FLAT_MM`]: that of the first, the farthest from it, and the farthest from the
/// line between these.
fn is_flat(places: &[PointLps]) -> bool {
    let Some(&first) = places.first() else { return true };
    let all = || places.iter().map(|place| *place - first);
    let longest = |a: &mj_model::VectorLps, b: &mj_model::VectorLps| a.length().total_cmp(&b.length());
    let Some(along) = all().max_by(longest).and_then(|v| v.unit()) else { return true };
    let Some(normal) = all().map(|v| along.cross(v)).max_by(longest).and_then(|v| v.unit()) else { return true };
    all().all(|v| v.dot(normal).abs() <= FLAT_MM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_flat() {
        let p = PointLps::new;
        assert!(is_flat(&[p(1.0, 2.0, 3.0)]) && is_flat(&[p(1.0, 2.0, 3.0), p(4.0, 5.0, 9.0)]));
        let mut square = vec![p(0.0, 0.0, 0.0), p(10.0, 0.0, 5.0), p(10.0, 10.0, 5.0), p(0.0, 10.0, 0.0)];
        assert!(is_flat(&square));
        square[2].z += 1.0;
        assert!(!is_flat(&square));
    }
}
