//! Work that a headless viewer does for its parent.

use crate::message::SeriesFiles;
use mj_model::plan::{CutPlane, PlanResult, SegmentFacts};
use mj_model::{PointLps, Unit, VectorLps, Voxel, Warning};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Job {
    /// Describes a series: kind, matrix, geometry, sample type, warnings.
    Describe {
        /// The series.
        series: SeriesFiles,
    },
    /// Reads one voxel.
    Probe {
        /// The series.
        series: SeriesFiles,
        /// Where.
        at: ProbeAt,
    },
    /// Finds the image of a series that is nearest to a position.
    Nearest {
        /// The series.
        series: SeriesFiles,
        /// Where. Units: mm, LPS.
        at: PointLps,
    },
    /// Decodes single files and says what is in them.
    Check {
        /// Plain files.
        paths: Vec<PathBuf>,
    },
    /// SHA-256 of the decoded samples of an object file, for telling apart instances of one UID.
    PixelHash {
        /// The file.
        file: crate::message::ObjectFile,
    },
    /// Writes a picture as PNG.
    Render {
        /// The series.
        series: SeriesFiles,
        /// What to draw.
        view: RenderView,
        /// The PNG to write.
        out: PathBuf,
    },
    /// Writes a volume as NRRD, NIfTI or a folder of DICOM files, by the name's ending.
    Export {
        /// The series.
        series: SeriesFiles,
        /// Where to.
        to: PathBuf,
    },
    /// Generates the demo patient.
    Phantom {
        /// Folder to write into.
        out: PathBuf,
        /// Seed of everything random.
        seed: u64,
        /// Number of slices of the present study.
        slices: usize,
        /// Rows and columns.
        size: usize,
    },
    /// Makes a segment and writes it as a sealed DICOM SEG into the inbox.
    Segment {
        /// The series.
        series: SeriesFiles,
        /// How.
        op: SegmentOp,
        /// What people call it.
        label: String,
    },
    /// Reads the segments of a DICOM SEG: names, volumes, places.
    Segments {
        /// The object.
        file: crate::message::ObjectFile,
    },
    /// Registers the volume of a prior series with a present one and finds places again.
    Register {
        /// The prior series.
        prior: SeriesFiles,
        /// The present series.
        current: SeriesFiles,
        /// Places of the prior. Units: mm, LPS.
        points: Vec<PointLps>,
        /// Present places, of which is told whether the prior shows them. Units: mm, LPS.
        #[serde(default)]
        present: Vec<PointLps>,
    },
    /// Cuts a segment by a plane.
    Cut {
        /// The series the segment lives on.
        series: SeriesFiles,
        /// The DICOM SEG that holds it.
        segment: crate::message::ObjectFile,
        /// Its Segment Number.
        number: u16,
        /// The plane.
        plane: CutPlane,
        /// Where to write the kept part's surface, if wanted (STL).
        stl: Option<PathBuf>,
    },
    /// Writes a segment as NRRD or STL, by the name's ending.
    ExportSegment {
        /// The series the segment lives on.
        series: SeriesFiles,
        /// The DICOM SEG that holds it.
        segment: crate::message::ObjectFile,
        /// Its Segment Number.
        number: u16,
        /// Where to.
        to: PathBuf,
    },
}

/// Where a probe reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeAt {
    /// A voxel.
    Voxel(Voxel),
    /// A position. Units: mm, LPS.
    Lps(PointLps),
}

/// What a picture shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderView {
    /// Which view.
    pub kind: ViewKind,
    /// Centre of the picture; the volume's centre when absent. Units: mm, LPS.
    pub at: Option<PointLps>,
    /// Normal of the oblique plane: away from the viewer, into the picture.
    pub normal: Option<VectorLps>,
    /// Window center and width; the file's first when absent.
    pub window: Option<(f64, f64)>,
    /// Thickness of a slab, projected by maximum. Units: mm.
    pub slab_mm: Option<f64>,
    /// Colours and opacities of volume rendering by name; the modality's first when absent.
    #[serde(default)]
    pub preset: Option<String>,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Draw orientation letters, scale bar and identity.
    pub overlay: bool,
}

/// Kinds of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// Seen from the feet, patient's left on the right of the picture.
    Axial,
    /// Seen from the front.
    Coronal,
    /// Seen from the left.
    Sagittal,
    /// By `normal`.
    Oblique,
    /// Maximum intensity projection through the whole volume, seen from the front.
    Mip,
    /// Volume rendering, seen from the front or along `normal`.
    Vr,
}

/// How a segment is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum SegmentOp {
    /// All voxels of a range of values.
    Threshold {
        /// Lowest and highest value, both inside. Units: the volume's unit.
        range: (f64, f64),
    },
    /// The part of a range that is connected (6 neighbours) with a seed.
    Grow {
        /// Lowest and highest value, both inside. Units: the volume's unit.
        range: (f64, f64),
        /// Where to start. Units: mm, LPS.
        seed: PointLps,
        /// Do not go further from the seed than this. Units: mm.
        within_mm: Option<f64>,
    },
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum JobResult {
    /// Of `Describe`.
    Described(Box<Described>),
    /// Of `Probe`.
    Probed {
        /// The voxel.
        voxel: Voxel,
        /// Its centre. Units: mm, LPS.
        lps: PointLps,
        /// Stored value.
        stored: f64,
        /// Value in `unit`.
        value: f64,
        /// Unit.
        unit: Unit,
    },
    /// Of `Nearest`.
    Nearest {
        /// SOP Instance UID of the image.
        instance: mj_model::InstanceUid,
        /// Its SOP class.
        sop_class: mj_model::SopClassUid,
        /// Frame number from 1, for multi-frame objects.
        frame: Option<u32>,
        /// Frame of reference of the series.
        frame_of_reference: Option<mj_model::FrameOfReferenceUid>,
    },
    /// Of `Check`: one JSON object per file in the form of the command line's `check`.
    Checked {
        /// One per file, in order.
        files: Vec<serde_json::Value>,
    },
    /// Of `PixelHash`.
    PixelHash {
        /// 64 hexadecimal digits.
        samples_sha256: String,
    },
    /// Of `Render`.
    Rendered {
        /// The file.
        written: PathBuf,
        /// What drew it.
        backend: String,
        /// Drawing alone, without loading. Units: ms.
        ms: f64,
    },
    /// Of `Export`, `ExportSegment` and `Phantom`.
    Written {
        /// The files.
        written: Vec<PathBuf>,
        /// SHA-256 over all of them, in order.
        sha256: String,
    },
    /// Of `Segment`.
    Segmented {
        /// File name of the sealed DICOM SEG in the inbox.
        file: String,
        /// Its SOP Instance UID.
        seg_instance: mj_model::InstanceUid,
        /// Number of voxels.
        voxels: u64,
        /// By voxels. Units: ml.
        volume_ml: f64,
        /// By mesh. Units: ml.
        mesh_volume_ml: f64,
        /// Box along the patient axes. Units: mm, LPS.
        box_lps: (PointLps, PointLps),
    },
    /// Of `Segments`.
    Segments {
        /// In the order of their numbers.
        segments: Vec<SegmentFacts>,
    },
    /// Of `Register`.
    Registered(Box<Registered>),
    /// Of `Cut`.
    Cut {
        /// `remnant` and `removed`.
        results: Vec<PlanResult>,
        /// Files written.
        written: Vec<PathBuf>,
    },
}

/// A present volume laid onto a prior one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// From the prior's patient space to the present one's, over (x, y, z, 1), row by row. Units: mm, LPS.
    pub prior_to_current: [[f64; 4]; 4],
    /// Correlation inside the body where both show it: 1 is equal.
    pub similarity: f64,
    /// Middle correlation of small blocks.
    pub detail: f64,
    /// Part of the smaller body that both show, 0 to 1.
    pub overlap: f64,
    /// One for each place of the prior, in order.
    pub points: Vec<Refound>,
    /// For each present place, whether the prior shows it.
    pub present_shown: Vec<bool>,
    /// Frames of reference of prior and present series.
    pub frames: [Option<mj_model::FrameOfReferenceUid>; 2],
}

/// Where a place of the prior lies now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Refound {
    /// By the motion of the whole. Units: mm, LPS.
    pub mapped: PointLps,
    /// By its surroundings; equal to `mapped` where they do not agree well enough. Units: mm, LPS.
    pub refined: PointLps,
    /// Correlation of the surroundings there; none where they are flat or lie outside.
    pub similarity: Option<f64>,
    /// True when `refined` follows the surroundings.
    pub is_refined: bool,
    /// True when the present volume shows that place.
    pub is_shown: bool,
}

/// What a series is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// `volume`, `stack`, `cine` or `document`.
    pub kind: String,
    /// Columns, rows, slices.
    pub matrix: [usize; 3],
    /// Spacing along i, j, k; `None` where the file gives none. Units: mm.
    pub spacing_mm: Option<[f64; 3]>,
    /// Position of voxel (0, 0, 0). Units: mm, LPS.
    pub origin_lps: Option<PointLps>,
    /// Columns are the directions of i, j, k; written row by row.
    pub direction: Option<[[f64; 3]; 3]>,
    /// Frame of reference.
    pub frame_of_reference_uid: Option<String>,
    /// Sample type.
    pub sample: String,
    /// Unit label.
    pub unit: String,
    /// Transfer syntaxes that occur.
    pub transfer_syntaxes: Vec<String>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// Number of stored slices that the volume is computed from; absent where its slices are the stored ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resampled_from: Option<usize>,
    /// All blocks of the series, the described one first.
    #[serde(default)]
    pub blocks: Vec<BlockOf>,
    /// From values to standardized uptake, for a PET of which it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suv: Option<SuvFactors>,
}

/// One block of a series: images that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockOf {
    /// `volume`, `stack`, `cine` or `document`.
    pub kind: String,
    /// Number of stored images.
    pub images: usize,
    /// What it differs in from the other blocks.
    pub apart: Vec<ApartBy>,
}

/// One difference of a block from the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApartBy {
    /// Stable name, for example `b_value`.
    pub code: String,
    /// Its value.
    pub value: String,
    /// Both in words of the reader's language, for example `b = 1000`.
    pub text: String,
}

/// Factors from values to standardized uptake. Units: g/ml for each unit of the value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SuvFactors {
    /// By body weight.
    pub body_weight: f64,
    /// By lean body mass after Janmahasatian, where height and sex are known.
    pub lean_body_mass: Option<f64>,
}
