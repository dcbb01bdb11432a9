//! Why a page could not be made.

use mj_model::Coded;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a page could not be made. `Display` holds no text of the report and no path.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No font with Chinese characters was found.
    #[error("no font with Chinese characters was found")]
    NoFonts {
        /// Folders that were searched.
        searched: String,
    },
    /// Characters that no font has; printing a blank instead could change a name.
    #[error("{count} characters are in no font")]
    MissingCharacters {
        /// How many.
        count: usize,
        /// The characters with their code points.
        list: String,
    },
    /// A picture that is not a PNG or is too large.
    #[error("picture {number} is not a PNG of a printable size")]
    BadPicture {
        /// Its number, from 1.
        number: usize,
    },
    /// The sheet cannot be handed to the template.
    #[error("the sheet cannot be written as data")]
    Data(#[source] serde_json::Error),
    /// The typesetter gave up.
    #[error("the typesetter stopped with {count} errors")]
    Typesetting {
        /// How many errors.
        count: usize,
        /// Its own words.
        why: String,
    },
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoFonts { .. } => "pdf.no_fonts",
            Self::MissingCharacters { .. } => "pdf.missing_characters",
            Self::BadPicture { .. } => "pdf.bad_picture",
            Self::Data(_) => "pdf.data",
            Self::Typesetting { .. } => "pdf.typesetting",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoFonts { searched } => vec![("searched", searched.clone())],
            Self::MissingCharacters { list, .. } => vec![("list", list.clone())],
            Self::BadPicture { number } => vec![("number", number.to_string())],
            Self::Data(source) => vec![("why", source.to_string())],
            Self::Typesetting { why, .. } => vec![("why", why.clone())],
        }
    }
}
