//! What can go wrong with a record.

use mj_model::Coded;
use std::io;
use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the record. `Display` is for the log: it names no path, UID or patient; [`Coded::args`] does,
/// for the screen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No record in this folder.
    #[error("no record in this folder")]
    NotFound(PathBuf),
    /// There is a record already, or something else that must not be overwritten.
    #[error("the folder holds a record or other files already")]
    Exists(PathBuf),
    /// A certificate cannot be used, or a PDF not be signed.
    #[error(transparent)]
    Sign(#[from] mj_sign::Error),
    /// The passphrase does not open the record.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The passphrase is empty or its file cannot be read.
    #[error("no usable passphrase")]
    NoPassphrase(#[source] Option<io::Error>),
    /// `record.toml` cannot be understood or is of a later version.
    #[error("the record's head file cannot be understood")]
    BadHead(PathBuf),
    /// The database file is gone although objects are there.
    #[error("the record's database is missing")]
    DatabaseMissing(PathBuf),
    /// The database is of a later version of the program.
    #[error("the record was written by a later version")]
    Later,
    /// Another process holds the database for too long.
    #[error("the record is busy")]
    Busy,
    /// The database failed.
    #[error("the database failed: {}", database_words(.0))]
    Database(#[source] sqlx::Error),
    /// No room left on the disk.
    #[error("the disk is full")]
    DiskFull(#[source] io::Error),
    /// The disk or folder cannot be written.
    #[error("the folder cannot be written")]
    ReadOnly(#[source] io::Error),
    /// Reading or writing a file failed otherwise.
    #[error("reading or writing a file failed: {}", .source.kind())]
    Disk {
        /// The file, for the screen.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A sealed file does not open.
    #[error("{0}")]
    Seal(#[source] mj_seal::Error),
    /// A result that does not fit its images cannot be taken over by a person.
    #[error("the finding is held: {}", .0.code())]
    Held(mj_model::Held),
    /// A finding that a person took back or rejected, or nobody has to decide on.
    #[error("the finding's state does not allow it")]
    FindingState(&'static str),
    /// Two studies or findings that are not followed as one patient's or one lesion's.
    #[error("not followed: {0}")]
    Track(crate::track::Refusal),
    /// Nothing in the record goes by this id.
    #[error("nothing goes by this id")]
    Unknown(String),
    /// Several things go by this id.
    #[error("several things go by this id")]
    Ambiguous {
        /// What was asked for.
        id: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
    /// The thing an id names is of another kind than the one asked for.
    #[error("the id names something of another kind")]
    WrongKind(String),
    /// Stored data cannot be understood: written by a later version, or damaged.
    #[error("stored {0} cannot be understood")]
    Stored(&'static str),
    /// A value is not allowed.
    #[error("{field} is not usable")]
    Unusable {
        /// Which value.
        field: &'static str,
        /// The value, for the screen.
        value: String,
    },
    /// The person stopped it.
    #[error("stopped")]
    Cancelled,
    /// A worker thread of our own died; nothing was stored.
    #[error("an inner task failed")]
    Task,
    /// Nothing to import was found.
    #[error("nothing to import was found")]
    NothingFound(PathBuf),
    /// There is no such file or folder.
    #[error("no such file or folder")]
    NoSuchPath(PathBuf),
    /// An object is none, or is broken.
    #[error("{0}")]
    Dicom(#[source] mj_dicom::Error),
    /// A file is left out of an import: code and reason.
    #[error("{1}")]
    Skip(&'static str, &'static str),
    /// An object belongs to another study than the message that names it.
    #[error("an object belongs to another study")]
    OtherStudy,
    /// A name of an inbox file that leads elsewhere.
    #[error("not a name of an inbox file")]
    BadInboxName(String),
    /// The object cannot enter beside what is there: same UID with other content, or another patient.
    #[error("the object contradicts what is in the record")]
    Contradicts(&'static str),
    /// Somebody stored another revision since.
    #[error("based on revision {base} of a {what}, the present one is {present}")]
    Stale {
        /// `finding`, `segment` or `plan`.
        what: &'static str,
        /// Revision it was based on.
        base: u32,
        /// Present revision.
        present: u32,
    },
    /// The report was changed after its PDF was typeset.
    #[error("the report was changed after its PDF was made")]
    ReportChanged,
    /// The report is not signed, so there is no signed form of it.
    #[error("the report is not signed")]
    NotSigned,
    /// The study has no image that a report could refer to.
    #[error("the study has no image to refer to")]
    NoImage,
    /// An instance of which only a part is there is not sent: a server would take it for the whole.
    #[error("an instance is cut short and is not sent")]
    CutShort(mj_model::InstanceUid),
    /// A server did not send all of a study; what came is stored.
    #[error("the server sent {came} instances and kept {missing} back")]
    Incomplete {
        /// Instances that came and are stored.
        came: u32,
        /// Instances that did not.
        missing: u32,
    },
    /// The line to a server failed.
    #[error("{0}")]
    Peer(#[source] crate::peers::PeerError),
    /// Something about a report does not fit.
    #[error("{0}")]
    Report(#[source] mj_report::Error),
    /// The system gives no random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
}

/// The database's words without values: sqlx may quote nothing of ours, but a path could be in an I/O error.
fn database_words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => format!("code {}", inner.code().unwrap_or_default()),
        sqlx::Error::Io(inner) => inner.kind().to_string(),
        sqlx::Error::PoolTimedOut => "no connection in time".into(),
        sqlx::Error::RowNotFound => "row not found".into(),
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} has another type"),
        _ => "other".into(),
    }
}

impl Error {
    /// An I/O error on a path, sorted by what a person can do about it.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::DiskFull(source),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly(source),
            _ => Self::Disk { path: path.into(), source },
        }
    }

    /// True when trying again later may help without anyone doing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // Primary result codes of SQLite: 5 busy, 6 locked, 8 read-only, 13 full. https://sqlite.org/rescode.html
        let primary = match &error {
            sqlx::Error::Database(inner) => inner.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff),
            sqlx::Error::PoolTimedOut => Some(5),
            _ => None,
        };
        match primary {
            Some(5 | 6) => Self::Busy,
            Some(8) => Self::ReadOnly(io::ErrorKind::ReadOnlyFilesystem.into()),
            Some(13) => Self::DiskFull(io::ErrorKind::StorageFull.into()),
            _ => Self::Database(error),
        }
    }
}

impl From<mj_seal::Error> for Error {
    fn from(error: mj_seal::Error) -> Self {
        match error {
            mj_seal::Error::Io(io) => Self::io(PathBuf::new(), io),
            mj_seal::Error::NoRandom => Self::NoRandom,
            other => Self::Seal(other),
        }
    }
}

impl From<mj_dicom::Error> for Error {
    fn from(error: mj_dicom::Error) -> Self {
        Self::Dicom(error)
    }
}

impl From<mj_report::Error> for Error {
    fn from(error: mj_report::Error) -> Self {
        Self::Report(error)
    }
}

impl From<crate::peers::PeerError> for Error {
    fn from(error: crate::peers::PeerError) -> Self {
        Self::Peer(error)
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(_died: tokio::task::JoinError) -> Self {
        Self::Task
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "record.not_found",
            Self::Exists(_) => "record.exists",
            Self::WrongPassphrase => "record.wrong_passphrase",
            Self::NoPassphrase(_) => "record.no_passphrase",
            Self::BadHead(_) => "record.bad_head",
            Self::DatabaseMissing(_) => "record.database_missing",
            Self::Later => "record.later_version",
            Self::Busy => "record.busy",
            Self::Database(_) => "record.database",
            Self::DiskFull(_) => "disk.full",
            Self::ReadOnly(_) => "disk.read_only",
            Self::Disk { .. } => "disk.io",
            Self::Seal(error) => error.code(),
            Self::Unknown(_) => "record.unknown_id",
            Self::Ambiguous { .. } => "record.ambiguous_id",
            Self::WrongKind(_) => "record.wrong_kind",
            Self::Stored(_) => "record.stored",
            Self::Sign(error) => error.code(),
            Self::Unusable { .. } => "record.unusable_value",
            Self::Held(held) => held.code(),
            Self::FindingState(code) => code,
            Self::Track(refusal) => refusal.code(),
            Self::Cancelled => "record.cancelled",
            Self::Task => "record.task",
            Self::NothingFound(_) => "import.nothing_found",
            Self::NoSuchPath(_) => "import.no_such_path",
            Self::Dicom(error) => error.code(),
            Self::Skip(code, _) => code,
            Self::OtherStudy => "import.other_study",
            Self::BadInboxName(_) => "import.bad_inbox_name",
            Self::Contradicts(code) => code,
            Self::Stale { what: "finding", .. } => "finding.stale",
            Self::Stale { what: "segment", .. } => "segment.stale",
            Self::Stale { .. } => "plan.stale",
            Self::Incomplete { .. } => "peer.incomplete",
            Self::ReportChanged => "report.changed_meanwhile",
            Self::NotSigned => "report.not_signed",
            Self::NoImage => "report.no_image",
            Self::CutShort(_) => "outbox.cut_short",
            Self::Peer(error) => error.code(),
            Self::Report(error) => error.code(),
            Self::NoRandom => "seal.no_random",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        let shown = |path: &PathBuf| path.display().to_string();
        match self {
            Self::NothingFound(path) | Self::NoSuchPath(path) => vec![("path", shown(path))],
            Self::BadInboxName(name) => vec![("name", name.clone())],
            Self::CutShort(instance) => vec![("id", instance.to_string())],
            Self::Dicom(error) => error.args(),
            Self::Track(refusal) => refusal.args(),
            Self::Incomplete { came, missing } => vec![("came", came.to_string()), ("missing", missing.to_string())],
            Self::Peer(error) => error.args(),
            Self::Report(error) => error.args(),
            Self::Stale { base, present, .. } => vec![("base", base.to_string()), ("present", present.to_string())],
            Self::NotFound(path) | Self::Exists(path) | Self::BadHead(path) | Self::DatabaseMissing(path) => vec![("path", shown(path))],
            Self::Disk { path, source } => vec![("path", shown(path)), ("cause", source.to_string())],
            Self::Database(error) => vec![("cause", database_words(error))],
            Self::Unknown(id) | Self::WrongKind(id) => vec![("id", id.clone())],
            Self::Ambiguous { id, candidates } => vec![("id", id.clone()), ("candidates", candidates.join(", "))],
            Self::Stored(what) => vec![("what", (*what).to_owned())],
            Self::Unusable { field, value } => vec![("field", (*field).to_owned()), ("value", value.clone())],
            _ => Vec::new(),
        }
    }
}
