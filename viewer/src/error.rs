//! What can go wrong in the viewer.

use mj_model::Coded;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors, cut by operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A DICOM object or series could not be used.
    #[error(transparent)]
    Dicom(#[from] mj_dicom::Error),
    /// Work on a volume failed.
    #[error(transparent)]
    Imaging(#[from] mj_imaging::Error),
    /// A research file could not be read.
    #[error(transparent)]
    Research(#[from] mj_imaging::import::Error),
    /// The file has no number at the voxel that was asked for.
    #[error("the voxel holds no number")]
    NoNumber,
    /// A research file names no patient, which DICOM objects need.
    #[error("a research file cannot be written as DICOM objects")]
    NoPatient,
    /// A picture could not be drawn on the graphics device.
    #[error(transparent)]
    Render(#[from] mj_render::Error),
    /// A file could not be written.
    #[error("writing a file failed: {source}")]
    Write {
        /// The file; screen only.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder or file could not be read.
    #[error("reading a file failed: {source}")]
    Read {
        /// The file; screen only.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The link with the parent is broken.
    #[error("the link with the parent is broken: {0}")]
    Link(#[source] std::io::Error),
    /// The work needs a record's key and none was granted.
    #[error("no key was granted")]
    NoKeys,
    /// The granted key cannot be used.
    #[error("the granted key cannot be used: {0}")]
    Key(#[source] mj_seal::Error),
    /// Sealing failed.
    #[error("sealing failed: {0}")]
    Seal(#[source] mj_seal::Error),
    /// The parent took the job back.
    #[error("cancelled")]
    Cancelled,
    /// The job ended in a fault of the program.
    #[error("the job ended in a fault of the program")]
    Panicked,
    /// Volume rendering of images whose distances are not known.
    #[error("volume rendering needs distances, and the file gives none")]
    VrUncalibrated,
    /// Volume rendering of slices that were computed from others.
    #[error("volume rendering needs slices as they were acquired")]
    VrResampled,
    /// Volume rendering of colour images.
    #[error("volume rendering needs one value a voxel, and these are colours")]
    VrColour,
    /// There is no preset of this name for the series.
    #[error("no such preset")]
    NoPreset {
        /// What was asked for; screen only.
        name: String,
        /// What there is.
        known: String,
    },
    /// An image without a place or a scale in the patient cannot be told in that form.
    #[error("the image has no known place or scale")]
    Unplaced,
    /// A length in mm on an image that has no scale.
    #[error("the image has no scale")]
    Uncalibrated,
    /// A position in a gap where slices are missing.
    #[error("no slice was acquired there")]
    NotImaged,
    /// Work was sent to a window; a headless viewer does it.
    #[error("a window does no jobs")]
    NoJobs,
    /// The series holds no pictures.
    #[error("the series holds no pictures")]
    NothingToShow,
    /// A file of the series cannot be read, so that numbers of the whole would be wrong.
    #[error("{0} files of the series cannot be read")]
    Incomplete(usize),
    /// What was asked needs a volume, and the images do not make one.
    #[error("the images do not make a volume")]
    NotAVolume,
    /// The position lies outside the volume.
    #[error("the position lies outside the volume")]
    Outside,
    /// An export to a name whose ending says nothing we write.
    #[error("unknown file ending")]
    UnknownEnding {
        /// The ending; screen only.
        ending: String,
    },
    /// The segment's object holds no segment of this series.
    #[error("the object holds no segment on this series")]
    NoSegment,
    /// A finding to go to that is not in the study, or whose images are not.
    #[error("the finding is not in the open study")]
    NoFinding,
    /// The images of an earlier study name another patient than those of the open one, or none.
    #[error("the images of the prior study name another patient")]
    OtherPatient,
    /// A key image of the prior: it would stand in the report of the study that is read.
    #[error("key images are of the open study")]
    KeyImageOfPrior,
    /// A message for a study that is not open.
    #[error("a message for a study that is not open")]
    StudyNotOpen,
    /// A message of the parent that cannot be understood.
    #[error("a message of the parent cannot be understood")]
    Unreadable,
    /// PNG could not be written.
    #[error("encoding a picture failed: {0}")]
    Png(String),
    /// The built-in theme is broken.
    #[error("the theme is broken: {0}")]
    Theme(String),
    /// No window could be opened.
    #[error("no window could be opened: {0}")]
    Window(String),
}

impl Error {
    /// Every code this type can raise by itself.
    pub const CODES: &'static [&'static str] = &[
        "research.no_number",
        "research.no_dicom",
        "viewer.write",
        "viewer.read",
        "viewer.link",
        "viewer.no_keys",
        "viewer.key",
        "viewer.seal",
        "job.cancelled",
        "job.panicked",
        "job.not_here",
        "export.unplaced",
        "finding.uncalibrated",
        "probe.not_imaged",
        "vr.uncalibrated",
        "vr.resampled",
        "vr.colour",
        "vr.no_preset",
        "series.nothing_to_show",
        "series.incomplete",
        "series.not_a_volume",
        "probe.outside",
        "export.unknown_ending",
        "segment.not_here",
        "finding.not_here",
        "prior.other_patient",
        "prior.no_key_image",
        "study.not_open",
        "link.unreadable",
        "viewer.png",
        "viewer.theme",
        "viewer.window",
    ];

    /// Turns a failed write into an error that names the file.
    pub fn write(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Dicom(e) => e.code(),
            Self::Imaging(e) => e.code(),
            Self::Research(e) => e.code(),
            Self::NoNumber => "research.no_number",
            Self::NoPatient => "research.no_dicom",
            Self::Render(e) => e.code(),
            Self::Write { .. } => "viewer.write",
            Self::Read { .. } => "viewer.read",
            Self::Link(_) => "viewer.link",
            Self::NoKeys => "viewer.no_keys",
            Self::Key(_) => "viewer.key",
            Self::Seal(_) => "viewer.seal",
            Self::Cancelled => "job.cancelled",
            Self::Panicked => "job.panicked",
            Self::VrUncalibrated => "vr.uncalibrated",
            Self::VrResampled => "vr.resampled",
            Self::VrColour => "vr.colour",
            Self::NoPreset { .. } => "vr.no_preset",
            Self::NoJobs => "job.not_here",
            Self::NotImaged => "probe.not_imaged",
            Self::Unplaced => "export.unplaced",
            Self::Uncalibrated => "finding.uncalibrated",
            Self::NothingToShow => "series.nothing_to_show",
            Self::Incomplete(_) => "series.incomplete",
            Self::NotAVolume => "series.not_a_volume",
            Self::Outside => "probe.outside",
            Self::UnknownEnding { .. } => "export.unknown_ending",
            Self::NoSegment => "segment.not_here",
            Self::NoFinding => "finding.not_here",
            Self::OtherPatient => "prior.other_patient",
            Self::KeyImageOfPrior => "prior.no_key_image",
            Self::StudyNotOpen => "study.not_open",
            Self::Unreadable => "link.unreadable",
            Self::Png(_) => "viewer.png",
            Self::Theme(_) => "viewer.theme",
            Self::Window(_) => "viewer.window",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Dicom(e) => e.args(),
            Self::Imaging(e) => e.args(),
            Self::Research(e) => e.args(),
            Self::Render(e) => e.args(),
            Self::Write { path, source } | Self::Read { path, source } => {
                vec![("path", path.display().to_string()), ("reason", source.to_string())]
            }
            Self::Link(source) => vec![("reason", source.to_string())],
            Self::Key(e) | Self::Seal(e) => vec![("reason", e.to_string())],
            Self::Incomplete(count) => vec![("count", count.to_string())],
            Self::NoPreset { name, known } => vec![("name", name.clone()), ("known", known.clone())],
            Self::UnknownEnding { ending } => vec![("ending", ending.clone())],
            Self::Png(reason) | Self::Theme(reason) | Self::Window(reason) => vec![("reason", reason.clone())],
            _ => Vec::new(),
        }
    }
}
