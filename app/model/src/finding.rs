//! Findings, their geometry and their measurements.
//!
//! A measurement always belongs to a finding; a ruler makes an unclassified one. Findings are append-only
//! revisions: an edit, a deletion and an undo each append one (`revision + 1`), and "stale" is a comparison
//! of revisions.

use crate::clock::Moment;
use crate::code::{Code, Quantity, known};
use crate::space::PointLps;
use crate::uid::{FrameOfReferenceUid, InstanceUid, SeriesUid, SopClassUid, StudyUid, TrackingUid};
use serde::{Deserialize, Serialize};

/// State of a finding in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Made by a device, no person has looked.
    Proposed,
    /// A person made it or accepted it.
    Accepted,
    /// A person changed it after accepting.
    Edited,
    /// A person rejected it.
    Rejected,
    /// A person took it back; kept as a revision, not drawn.
    Deleted,
}

/// Side of the patient (never of the picture).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
    /// Both.
    Both,
    /// Not sided, or not known.
    #[default]
    None,
}

/// One image frame a geometry was drawn on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// Frame number from 1, for multi-frame objects.
    pub frame: Option<u32>,
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Geometry {
    /// A point in patient space. Units: mm, LPS.
    Point {
        /// The point.
        at: PointLps,
    },
    /// A straight line between two points in patient space. Units: mm, LPS.
    Line {
        /// First end.
        a: PointLps,
        /// Second end.
        b: PointLps,
    },
    /// A line on an uncalibrated image: column and row in pixels, no millimetres known.
    PixelLine {
        /// First end `[column, row]`, from 0 at the centre of the first pixel.
        a: [f64; 2],
        /// Second end.
        b: [f64; 2],
    },
    /// The images as a whole.
    WholeImage,
}

impl Geometry {
    /// A representative point, for jumping to it. Units: mm, LPS. `None` without a place in patient space.
    #[must_use]
    pub fn centre(&self) -> Option<PointLps> {
        match self {
            Self::Point { at } => Some(*at),
            Self::Line { a, b } => Some(*a + (*b - *a) * 0.5),
            Self::PixelLine { .. } | Self::WholeImage => None,
        }
    }

    /// True when no coordinate is NaN or infinite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Point { at } => at.is_finite(),
            Self::Line { a, b } => a.is_finite() && b.is_finite(),
            Self::PixelLine { a, b } => a.iter().chain(b).all(|v| v.is_finite()),
            Self::WholeImage => true,
        }
    }
}

/// Who or what made a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Person or device.
    pub who: OriginKind,
    /// Person's id or the model's name.
    pub name: String,
    /// Model version; empty for a person.
    pub version: String,
}

/// Kind of origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// A person.
    Person,
    /// A device: an AI model or an algorithm without a person.
    Device,
}

/// A number measured on images. `revision` counts changes of this measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Id, stable over revisions.
    pub id: String,
    /// From 1.
    pub revision: u32,
    /// What, how much, in which unit.
    #[serde(flatten)]
    pub quantity: Quantity,
}

/// One revision of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Id, stable over revisions (a random UUID).
    pub id: String,
    /// Tracking Unique Identifier, stable over revisions and over time.
    pub tracking_uid: TrackingUid,
    /// From 1. The highest is the present one.
    pub revision: u32,
    /// The study it belongs to.
    pub study: StudyUid,
    /// The series it was drawn on.
    pub series: SeriesUid,
    /// Frame of reference of `geometry`.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// The images it was drawn on, nearest first.
    pub images: Vec<ImageRef>,
    /// State in review.
    pub state: FindingState,
    /// What it is.
    pub kind: Code,
    /// Where in the body, when known.
    pub site: Option<Code>,
    /// Side of the patient.
    pub side: Side,
    /// Place and shape.
    pub geometry: Geometry,
    /// Measurements that belong to it.
    pub measurements: Vec<Measurement>,
    /// Who made this revision.
    pub origin: Origin,
    /// When this revision was made.
    pub at: Moment,
}

impl Finding {
    /// True when it is to be drawn and reported.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.state, FindingState::Rejected | FindingState::Deleted)
    }

    /// The measurement of an id.
    #[must_use]
    pub fn measurement(&self, id: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|m| m.id == id)
    }

    /// What of it holds NaN or an infinity, which no JSON can carry; `None` when all its numbers are finite.
    #[must_use]
    pub fn non_finite(&self) -> Option<&'static str> {
        if !self.geometry.is_finite() {
            return Some("geometry");
        }
        self.measurements.iter().any(|m| !m.quantity.value.is_finite()).then_some("measurement")
    }
}

/// The length of a line on an image whose pixels are a known distance apart, along a row and down a column (a calibrated
/// region of an ultrasound image). Units: pixels from 0, mm.
#[must_use]
pub fn length_by(a: [f64; 2], b: [f64; 2], mm_per_pixel: [f64; 2]) -> Quantity {
    let value = ((a[0] - b[0]) * mm_per_pixel[0]).hypot((a[1] - b[1]) * mm_per_pixel[1]);
    Quantity { what: known::length(), value, unit: crate::Unit::mm() }
}

/// The length of a line as a quantity: millimetres in patient space, pixels on an uncalibrated image.
#[must_use]
pub fn length_of(geometry: &Geometry) -> Option<Quantity> {
    let (value, unit) = match geometry {
        Geometry::Line { a, b } => (a.distance_mm(*b), crate::Unit::mm()),
        Geometry::PixelLine { a, b } => ((a[0] - b[0]).hypot(a[1] - b[1]), crate::Unit::px()),
        Geometry::Point { .. } | Geometry::WholeImage => return None,
    };
    Some(Quantity { what: known::length(), value, unit })
}
