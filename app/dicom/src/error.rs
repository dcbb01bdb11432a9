//! What can go wrong with a DICOM object, each with a stable code.

use mj_model::Coded;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a DICOM object could not be read, decoded or written. `Display` holds no path, UID or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing in the file.
    #[error("the file is empty")]
    Empty,
    /// Another kind of file: text, picture, archive.
    #[error("not a DICOM object")]
    NotDicom,
    /// The index of a medium, not an image.
    #[error("a DICOMDIR, the index of a medium")]
    DicomDir,
    /// The data ends before a length in it says so.
    #[error("cut short: {what}")]
    Truncated {
        /// Which part is short.
        what: &'static str,
    },
    /// The structure cannot be followed.
    #[error("broken structure: {what}")]
    Broken {
        /// What is wrong.
        what: &'static str,
    },
    /// An attribute the object must have is absent or empty.
    #[error("required attribute {keyword} is absent")]
    Missing {
        /// Its keyword, for example `StudyInstanceUID`.
        keyword: &'static str,
    },
    /// An attribute has a value that cannot be.
    #[error("attribute {keyword} has an impossible value")]
    BadValue {
        /// Its keyword.
        keyword: &'static str,
    },
    /// An object without pixel data where pixels are wanted.
    #[error("no pixel data")]
    NoPixels,
    /// A transfer syntax that is not read.
    #[error("transfer syntax {uid} is not supported")]
    UnsupportedSyntax {
        /// Its UID.
        uid: String,
    },
    /// Video, which is not shown.
    #[error("video ({uid}) is not shown")]
    Video {
        /// UID of its transfer syntax.
        uid: String,
    },
    /// A layout of pixels that is not read.
    #[error("pixel layout is not supported: {what}")]
    UnsupportedPixels {
        /// What is special about it.
        what: String,
    },
    /// The codec refused the compressed data.
    #[error("compressed pixel data cannot be decoded ({codec}): {what}")]
    Codec {
        /// Which codec: `jpeg`, `jpeg-ls`, `jpeg2000`, `rle`, `deflate`.
        codec: &'static str,
        /// What it said.
        what: String,
    },
    /// More memory would be needed than is ever given to one object.
    #[error("the object would need {mib} MiB, more than is allowed")]
    TooLarge {
        /// Size asked for.
        mib: u64,
    },
    /// Not the kind of object that was asked for, for example no SEG.
    #[error("not a {wanted} object")]
    WrongKind {
        /// The kind wanted.
        wanted: &'static str,
    },
    /// What was to be written breaks a rule of DICOM.
    #[error("cannot be written as DICOM: {what}")]
    CannotWrite {
        /// Which rule.
        what: String,
    },
    /// A file could not be read from its medium.
    #[error("cannot be read from its medium: {kind}")]
    Io {
        /// The kind of I/O error.
        kind: std::io::ErrorKind,
    },
    /// Stopped by the person.
    #[error("cancelled")]
    Cancelled,
    /// Images that do not form a straight, even block.
    #[error("the images do not form a volume")]
    NotAVolume,
    /// The same instance was given twice.
    #[error("the same instance was given twice")]
    SameInstance,
    /// What was written does not read back as it was.
    #[error("written, but read back otherwise: {what}")]
    NotAsWritten {
        /// What differs.
        what: &'static str,
    },
    /// No image in what was given.
    #[error("no image among the files")]
    NothingToShow,
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "dicom.empty",
            Self::NotDicom => "dicom.not_dicom",
            Self::DicomDir => "dicom.dicomdir",
            Self::Truncated { .. } => "dicom.truncated",
            Self::Broken { .. } => "dicom.broken",
            Self::Missing { .. } => "dicom.missing_attribute",
            Self::BadValue { .. } => "dicom.bad_value",
            Self::NoPixels => "dicom.no_pixels",
            Self::UnsupportedSyntax { .. } => "dicom.unsupported_syntax",
            Self::Video { .. } => "dicom.video",
            Self::UnsupportedPixels { .. } => "dicom.unsupported_pixels",
            Self::Codec { .. } => "dicom.codec",
            Self::TooLarge { .. } => "dicom.too_large",
            Self::WrongKind { .. } => "dicom.wrong_kind",
            Self::CannotWrite { .. } => "dicom.cannot_write",
            Self::NotAsWritten { .. } => "dicom.not_as_written",
            Self::Io { .. } => "dicom.io",
            Self::Cancelled => "dicom.cancelled",
            Self::NotAVolume => "dicom.not_a_volume",
            Self::SameInstance => "dicom.same_instance",
            Self::NothingToShow => "dicom.nothing_to_show",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Truncated { what } | Self::Broken { what } | Self::NotAsWritten { what } => vec![("what", (*what).to_owned())],
            Self::Missing { keyword } | Self::BadValue { keyword } => vec![("keyword", (*keyword).to_owned())],
            Self::UnsupportedSyntax { uid } | Self::Video { uid } => {
                vec![("name", crate::syntax::name(uid).to_owned()), ("uid", uid.clone())]
            }
            Self::UnsupportedPixels { what } | Self::CannotWrite { what } => vec![("what", what.clone())],
            Self::Codec { codec, what } => vec![("codec", (*codec).to_owned()), ("what", what.clone())],
            Self::TooLarge { mib } => vec![("mib", mib.to_string())],
            Self::WrongKind { wanted } => vec![("wanted", (*wanted).to_owned())],
            Self::Io { kind } => vec![("what", kind.to_string())],
            Self::Empty
            | Self::NotDicom
            | Self::DicomDir
            | Self::NoPixels
            | Self::Cancelled
            | Self::NotAVolume
            | Self::SameInstance
            | Self::NothingToShow => Vec::new(),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io { kind: error.kind() }
    }
}
