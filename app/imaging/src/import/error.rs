//! What can go wrong with a research file.

use mj_model::{Coded, ResearchFormat};

/// Result of reading research files.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a research file could not be read. `Display` is for the log and holds no path.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The name says no format that is read.
    #[error("not a research format")]
    UnknownFormat,
    /// The name says a format, the content is another.
    #[error("not a {} file", format.name())]
    WrongContent {
        /// The format of the name.
        format: ResearchFormat,
    },
    /// The file ends before its header says so.
    #[error("cut short: {what}")]
    Truncated {
        /// Which part is short.
        what: &'static str,
    },
    /// The header or the compressed data cannot be followed.
    #[error("broken: {what}")]
    Broken {
        /// What is wrong, for example `sizes`.
        what: String,
    },
    /// Right by its format, but of a kind that is not read.
    #[error("not supported: {what}")]
    Unsupported {
        /// The kind, for example `RGB24`.
        what: String,
    },
    /// The axes are not perpendicular: shown as a block it would be bent.
    #[error("the grid is sheared by {degrees:.2} degrees")]
    Sheared {
        /// How far the worst pair of axes is from a right angle. Units: degrees.
        degrees: f64,
    },
    /// More memory would be needed than is ever given to one volume.
    #[error("the volume would need {mib} MiB, more than is allowed")]
    TooLarge {
        /// Size asked for.
        mib: u64,
    },
    /// A file could not be read from its medium.
    #[error("cannot be read from its medium: {kind}")]
    Io {
        /// The kind of I/O error.
        kind: std::io::ErrorKind,
    },
    /// The file that holds the voxels is not beside the header.
    #[error("the file with the voxels is not there")]
    NoDataFile {
        /// Its name; screen only.
        name: String,
    },
}

impl Error {
    /// A header that cannot be followed.
    pub(super) fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }

    /// A kind that is not read.
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat => "research.unknown_format",
            Self::WrongContent { .. } => "research.wrong_content",
            Self::Truncated { .. } => "research.truncated",
            Self::Broken { .. } => "research.broken",
            Self::Unsupported { .. } => "research.unsupported",
            Self::Sheared { .. } => "research.sheared",
            Self::TooLarge { .. } => "research.too_large",
            Self::Io { .. } => "research.io",
            Self::NoDataFile { .. } => "research.no_data_file",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::UnknownFormat => Vec::new(),
            Self::WrongContent { format } => vec![("format", format.name().to_owned())],
            Self::Truncated { what } => vec![("what", (*what).to_owned())],
            Self::Broken { what } | Self::Unsupported { what } => vec![("what", what.clone())],
            Self::Sheared { degrees } => vec![("degrees", format!("{degrees:.2}"))],
            Self::TooLarge { mib } => vec![("mib", mib.to_string())],
            Self::Io { kind } => vec![("what", kind.to_string())],
            Self::NoDataFile { name } => vec![("name", name.clone())],
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Truncated { what: "voxels" },
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => Self::broken("compressed data"),
            kind => Self::Io { kind },
        }
    }
}
