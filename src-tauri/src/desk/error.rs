//! What can go wrong in the shell itself; faults of the record, the report, the PDF and the children pass through.

use mj_model::Coded;

/// A result of the shell.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the shell could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The record is not open.
    #[error("the record is locked")]
    Locked,
    /// The study is not the open one.
    #[error("the study is not open")]
    NoStudy,
    /// The report is not the open one.
    #[error("the report is not open")]
    NoReport,
    /// Not a UID.
    #[error("not a UID")]
    BadId(String),
    /// No template of that name.
    #[error("no such template")]
    NoTemplate(String),
    /// An import runs already.
    #[error("an import is running")]
    Busy,
    /// The speech worker is not ready.
    #[error("the speech worker is not ready")]
    SpeechBusy,
    /// A file outside the record.
    #[error("a file could not be read or written")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A part of the program that cannot fail did.
    #[error("internal: {0}")]
    Internal(&'static str),
    /// The record.
    #[error(transparent)]
    Record(#[from] mj_record::Error),
    /// The line to the hospital.
    #[error(transparent)]
    Peer(#[from] mj_record::peers::PeerError),
    /// The report.
    #[error(transparent)]
    Report(#[from] mj_report::Error),
    /// The PDF.
    #[error(transparent)]
    Pdf(#[from] mj_pdf::Error),
    /// A child worker.
    #[error(transparent)]
    Worker(#[from] mj_link::worker::WorkerError),
    /// A job of a viewer without a window.
    #[error(transparent)]
    Job(#[from] mj_link::JobError),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Locked => "desk.locked",
            Self::NoStudy => "desk.no_study",
            Self::NoReport => "desk.no_report",
            Self::BadId(_) => "desk.bad_id",
            Self::NoTemplate(_) => "desk.no_template",
            Self::Busy => "desk.busy",
            Self::SpeechBusy => "desk.speech_busy",
            Self::File { .. } => "desk.file",
            Self::Internal(_) => "desk.internal",
            Self::Record(error) => error.code(),
            Self::Peer(error) => error.code(),
            Self::Report(error) => error.code(),
            Self::Pdf(error) => error.code(),
            Self::Worker(error) => error.code(),
            Self::Job(_) => "worker.failed",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::BadId(id) => vec![("id", id.clone())],
            Self::NoTemplate(name) => vec![("name", name.clone())],
            Self::File { path, source } => vec![("path", path.clone()), ("reason", source.to_string())],
            Self::Internal(reason) => vec![("reason", (*reason).into())],
            Self::Record(error) => error.args(),
            Self::Peer(error) => error.args(),
            Self::Report(error) => error.args(),
            Self::Pdf(error) => error.args(),
            Self::Worker(error) => error.args(),
            Self::Job(error) => vec![("reason", error.to_string())],
            _ => Vec::new(),
        }
    }
}
