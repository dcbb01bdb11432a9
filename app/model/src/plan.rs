//! Segments and surgical plans: what is kept of them. Their voxels are objects of the record.

use crate::clock::Moment;
use crate::code::Code;
use crate::finding::{Origin, Side};
use crate::space::{PointLps, VectorLps};
use crate::uid::{SeriesUid, StudyUid};
use serde::{Deserialize, Serialize};

/// One revision of a segment: a set of voxels of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Id, stable over revisions.
    pub id: String,
    /// From 1.
    pub revision: u32,
    /// The study.
    pub study: StudyUid,
    /// The series whose grid the voxels live on.
    pub series: SeriesUid,
    /// What people call it.
    pub label: String,
    /// What it is, when coded.
    pub kind: Option<Code>,
    /// SOP Instance UID of the DICOM SEG in the record that holds the voxels.
    pub seg_instance: crate::InstanceUid,
    /// Segment Number in that object, from 1.
    #[serde(default = "first")]
    pub number: u16,
    /// Number of voxels.
    pub voxels: u64,
    /// Volume by counting voxels. Units: ml.
    pub volume_ml: f64,
    /// Volume inside the surface mesh. Units: ml.
    pub mesh_volume_ml: f64,
    /// Box along the patient axes (lowest, highest corner). Units: mm, LPS.
    pub box_lps: (PointLps, PointLps),
    /// How it was made, as a readable program: operation and parameters.
    pub made_by: serde_json::Value,
    /// Who made it.
    pub origin: Origin,
    /// When.
    pub at: Moment,
}

/// Number of the only segment of an object, as our own are.
const fn first() -> u16 {
    1
}

impl Segment {
    /// What of it holds NaN or an infinity, which no JSON can carry; `None` when all its numbers are finite.
    #[must_use]
    pub fn non_finite(&self) -> Option<&'static str> {
        if !self.volume_ml.is_finite() || !self.mesh_volume_ml.is_finite() {
            return Some("volume");
        }
        (!self.box_lps.0.is_finite() || !self.box_lps.1.is_finite()).then_some("box")
    }
}

/// A segment of a DICOM SEG in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentFacts {
    /// Segment Number.
    pub number: u16,
    /// Segment Label.
    pub label: String,
    /// Segmented Property Type.
    pub kind: Option<Code>,
    /// Side of the patient, where the object says one.
    #[serde(default)]
    pub side: Side,
    /// Who or what made it: the name of its algorithm; none for one made by hand.
    pub algorithm: Option<String>,
    /// Tracking UID; empty without.
    pub tracking_uid: String,
    /// Number of voxels.
    pub voxels: u64,
    /// By voxels. Units: ml.
    pub volume_ml: f64,
    /// By mesh. Units: ml.
    pub mesh_volume_ml: f64,
    /// Box along the patient axes; none for a segment without voxels. Units: mm, LPS.
    pub box_lps: Option<(PointLps, PointLps)>,
}

/// A cutting plane in patient space.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CutPlane {
    /// A point on the plane. Units: mm, LPS.
    pub point: PointLps,
    /// Unit normal; the side it points to is the part that is removed.
    pub normal: VectorLps,
}

/// What a plan was built on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanInput {
    /// Id of the segment or finding.
    pub id: String,
    /// The revision that was used.
    pub revision: u32,
}

/// A result of a plan, with the interval that the uncertainty of its inputs allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanResult {
    /// Name, for example `remnant`.
    pub name: String,
    /// Volume by voxels. Units: ml.
    pub volume_ml: f64,
    /// Volume inside the mesh. Units: ml.
    pub mesh_volume_ml: f64,
    /// Lowest and highest plausible volume (boundary moved by half a voxel). Units: ml.
    pub interval_ml: (f64, f64),
    /// Percent of the whole organ.
    pub percent: f64,
}

/// One revision of a plan: an ordered program over segments and findings, and its results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Id, stable over revisions.
    pub id: String,
    /// From 1.
    pub revision: u32,
    /// The study.
    pub study: StudyUid,
    /// What people call it.
    pub name: String,
    /// What it was built on, by revision.
    pub inputs: Vec<PlanInput>,
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
    /// The results.
    pub results: Vec<PlanResult>,
    /// Who made it.
    pub origin: Origin,
    /// When.
    pub at: Moment,
}

impl Plan {
    /// What of it holds NaN or an infinity, which no JSON can carry; `None` when all its numbers are finite.
    #[must_use]
    pub fn non_finite(&self) -> Option<&'static str> {
        let is_result_finite = |r: &PlanResult| {
            let (low, high) = r.interval_ml;
            [r.volume_ml, r.mesh_volume_ml, low, high, r.percent].iter().all(|v| v.is_finite())
        };
        let is_step_finite = |step: &PlanStep| match step {
            PlanStep::Cut { plane, .. } => plane.point.is_finite() && plane.normal.is_finite(),
        };
        if !self.steps.iter().all(is_step_finite) {
            return Some("plane");
        }
        (!self.results.iter().all(is_result_finite)).then_some("result")
    }
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum PlanStep {
    /// Cuts a segment by a plane into a part that stays and one that is removed.
    Cut {
        /// Id of the segment.
        segment: String,
        /// The plane.
        plane: CutPlane,
    },
}
