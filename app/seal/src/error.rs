//! What can go wrong with sealed data.

/// An error of sealed data. Holds no path and nothing of the content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file does not begin as a sealed one, or is of a later version.
    #[error("not a sealed file of a known version")]
    NotSealed,
    /// Wrong key, changed, moved or missing chunks, a file cut short.
    #[error("sealed data does not open: wrong key, or changed or cut short")]
    Broken,
    /// The file's name says another file id than its header: files were exchanged.
    #[error("sealed file stands under another file's name")]
    Exchanged,
    /// A key's text is not 64 hexadecimal digits.
    #[error("not a key of 64 hexadecimal digits")]
    NotAKey,
    /// The system gives no random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
    /// Reading or writing failed.
    #[error("reading or writing sealed data failed: {}", .0.kind())]
    Io(#[source] std::io::Error),
}

impl Error {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSealed => "seal.not_sealed",
            Self::Broken => "seal.broken",
            Self::Exchanged => "seal.exchanged",
            Self::NotAKey => "seal.not_a_key",
            Self::NoRandom => "seal.no_random",
            Self::Io(_) => "seal.io",
        }
    }
}

impl From<std::io::Error> for Error {
    /// An error of this crate that travelled through `std::io` comes back as itself.
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(io) => Self::Io(io),
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(io) => io,
            own => Self::new(std::io::ErrorKind::InvalidData, own),
        }
    }
}
