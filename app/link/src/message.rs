//! What the shell and the command line say to a viewer, and what a viewer says back.

use crate::job::{Job, JobResult};
use mj_model::plan::{Plan, Segment};
use mj_model::{Finding, InstanceUid, Lang, PointLps, SeriesUid, StudyUid, Told, VectorLps};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Keys and folders a child needs to read and make objects of a record. Sent once, over the child's stdin;
/// never in arguments or the environment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGrant {
    /// Key of sealed objects, 64 hexadecimal digits.
    pub object_key: String,
    /// Folder where the child puts sealed files it made; the parent ingests them.
    pub inbox: PathBuf,
}

impl std::fmt::Debug for KeyGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyGrant(‹secret›)")
    }
}

/// One object file of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFile {
    /// Where the file is.
    pub path: PathBuf,
    /// True when it is sealed with the granted key; false for a plain DICOM file.
    pub sealed: bool,
}

/// The files of one series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesFiles {
    /// The series.
    pub series: SeriesUid,
    /// Its object files, in any order.
    pub files: Vec<ObjectFile>,
}

/// A segment and the DICOM SEG that holds its voxels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentFile {
    /// The segment, in its present revision.
    pub segment: Segment,
    /// Its DICOM SEG.
    pub file: ObjectFile,
}

/// A DICOM SEG whose segments are findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentationFile {
    /// Its SOP Instance UID.
    pub instance: InstanceUid,
    /// Its file.
    pub file: ObjectFile,
}

/// An image series of a prior study, with what decides whether it is comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorSeries {
    /// Modality (0008,0060).
    pub modality: String,
    /// Its files.
    pub files: SeriesFiles,
}

/// An earlier study of the same patient (issuer and id), to be shown beside the open one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriorStudy {
    /// The earlier study.
    pub study: StudyUid,
    /// Its image series of modalities that the open study has, of each modality the one to show first at the front.
    pub series: Vec<PriorSeries>,
    /// Present revisions of its findings.
    pub findings: Vec<Finding>,
    /// The segmentations that they lie in.
    pub segmentations: Vec<SegmentationFile>,
}

/// What a viewer shows of a study, complete enough to show the same again after a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ViewState {
    /// The series in view.
    pub series: Option<SeriesUid>,
    /// Crosshair. Units: mm, LPS.
    pub crosshair: Option<PointLps>,
    /// Window center and width in the volume's unit.
    pub window: Option<(f64, f64)>,
    /// Zoom of each viewport, in the room's order; 1 fits the picture.
    pub zoom: Vec<f64>,
    /// Pan of each viewport: displacement of the picture's centre. Units: mm along the picture's axes.
    pub pan_mm: Vec<[f64; 2]>,
    /// Which viewport is enlarged, if one is.
    pub enlarged: Option<usize>,
    /// Normal of the oblique viewport, when it was turned.
    pub oblique_normal: Option<VectorLps>,
    /// Directions of right and bottom of the viewport that looks through the volume, when it was turned.
    #[serde(default)]
    pub turned: Option<(VectorLps, VectorLps)>,
    /// How the volume is rendered, when that viewport shows shapes.
    #[serde(default)]
    pub solid: Option<SolidView>,
}

/// How a volume is rendered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SolidView {
    /// Name of the preset; empty for the first of the modality.
    pub preset: String,
    /// How far its values are moved up. Units: the volume's unit.
    pub shift: f64,
    /// What lies before the crosshair is cut away.
    pub is_cut: bool,
}

/// From the parent to a viewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "messages are few and short-lived")]
pub enum ToViewer {
    /// First line. The protocol version is in the envelope.
    Hello {
        /// Language of texts.
        lang: Lang,
        /// Keys, when the viewer is to read a record.
        keys: Option<KeyGrant>,
        /// Who is reading: id of the person, written as origin of findings.
        person: String,
    },
    /// Show a study.
    OpenStudy {
        /// The study.
        study: StudyUid,
        /// Its image series, the one to show first at the front.
        series: Vec<SeriesFiles>,
        /// Present revisions of its findings.
        findings: Vec<Finding>,
        /// Where it was, after a restart.
        view: Option<ViewState>,
    },
    /// Segmentations that findings of the open study lie in. Sent after `OpenStudy`, and before the findings of one that
    /// comes later; the viewer reads what it shows.
    Segmentations {
        /// The study.
        study: StudyUid,
        /// The objects; those it knows are left as they are.
        files: Vec<SegmentationFile>,
    },
    /// The latest earlier study of the open study's patient. Sent after `OpenStudy`. The viewer reads none of it before a
    /// person wants to see it, and shows none of it before the images themselves name the same patient.
    Prior {
        /// The open study.
        study: StudyUid,
        /// The earlier one.
        prior: PriorStudy,
    },
    /// Plan on a study (planning room).
    OpenPlanning {
        /// The study.
        study: StudyUid,
        /// The image series that the segments live on; all of the study's when it has no segment.
        series: Vec<SeriesFiles>,
        /// Its segments.
        segments: Vec<SegmentFile>,
        /// Present revisions of its plans, the oldest first.
        plans: Vec<Plan>,
    },
    /// A revision of a plan was stored.
    PlanStored {
        /// The study.
        study: StudyUid,
        /// The present revision.
        plan: Plan,
    },
    /// A change of a plan was not stored; the room says why.
    PlanRefused {
        /// The study.
        study: StudyUid,
        /// Id of the plan.
        plan: String,
        /// Why.
        error: Told,
    },
    /// Forget a study.
    CloseStudy {
        /// The study.
        study: StudyUid,
    },
    /// A revision was stored: draw this one. Also sent for changes made elsewhere.
    FindingStored {
        /// The study.
        study: StudyUid,
        /// The present revision.
        finding: Finding,
    },
    /// A change was not stored; the viewer goes back to the revision it knows and shows the reason.
    FindingRefused {
        /// The study.
        study: StudyUid,
        /// Id of the finding.
        finding: String,
        /// Why.
        error: Told,
    },
    /// Jump to a finding and show it.
    FocusFinding {
        /// The study.
        study: StudyUid,
        /// Id of the finding.
        finding: String,
    },
    /// Text a person typed in the shell for the viewer, answering `TextWanted`.
    TextGiven {
        /// Number of the request.
        request: u64,
        /// The text, `None` when the person cancelled.
        text: Option<String>,
    },
    /// Work without a window.
    RunJob {
        /// Number of the job, unique in this connection.
        job: u64,
        /// What to do.
        what: Job,
    },
    /// Stop a job; it ends with `JobFailed` of code `job.cancelled`.
    CancelJob {
        /// Number of the job.
        job: u64,
    },
    /// Leave.
    Quit,
}

/// From a viewer to the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "messages are few and short-lived")]
pub enum ToParent {
    /// First line.
    Hello {
        /// Program and version.
        program: String,
        /// Process id.
        pid: u32,
        /// What draws: `vulkan`, `gl`, `cpu`, …
        backend: String,
    },
    /// The first picture of a study is on the screen.
    StudyShown {
        /// The study.
        study: StudyUid,
        /// From `OpenStudy` to the picture. Units: ms.
        ms: u64,
    },
    /// The prior study came into view beside the open one.
    PriorShown {
        /// The open study.
        study: StudyUid,
        /// The earlier one.
        prior: StudyUid,
    },
    /// What is shown changed; sent when a movement ends.
    ViewChanged {
        /// The study.
        study: StudyUid,
        /// What is shown.
        view: ViewState,
    },
    /// A finding was made, changed, deleted or undone by hand. `finding.revision` is the revision it was
    /// based on (0 for a new one); the parent stores it as the next and answers `FindingStored`.
    FindingChanged {
        /// The study: the open one, or the prior beside it.
        study: StudyUid,
        /// The new state of the finding.
        finding: Finding,
    },
    /// A plan was made or changed by hand. `plan.revision` is the revision it was based on (0 for a new one);
    /// the parent stores it as the next and answers `PlanStored`. Its results are empty while they are computed.
    PlanChanged {
        /// The study.
        study: StudyUid,
        /// The new state of the plan.
        plan: Plan,
    },
    /// A finding was chosen in the picture.
    FindingSelected {
        /// The study.
        study: StudyUid,
        /// Id of the finding.
        finding: String,
    },
    /// A key image was taken: a sealed PNG lies in the inbox.
    KeyImage {
        /// The study.
        study: StudyUid,
        /// The image it shows.
        instance: InstanceUid,
        /// File name in the inbox.
        file: String,
        /// One line under the picture: plane, position, window; no patient data.
        caption: String,
    },
    /// The viewer needs a text that a person types (a label); asked for in the shell, where input methods work.
    TextWanted {
        /// Number of the request.
        request: u64,
        /// Key of the question in the catalogue.
        question: String,
        /// The present text.
        text: String,
    },
    /// How far a job is.
    JobProgress {
        /// Number of the job.
        job: u64,
        /// Steps done.
        done: u64,
        /// Steps in all.
        total: u64,
    },
    /// A job is done.
    JobDone {
        /// Number of the job.
        job: u64,
        /// What came of it.
        result: JobResult,
    },
    /// A job failed or was cancelled.
    JobFailed {
        /// Number of the job.
        job: u64,
        /// Why.
        error: Told,
    },
    /// Something to tell the person that belongs to no job.
    Problem {
        /// What.
        error: Told,
    },
}
