//! Why something about a report could not be done.

use mj_model::Coded;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something about a report could not be done. `Display` holds no text of the report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An operation names a block the document does not have.
    #[error("the report has no field of that name")]
    NoSuchBlock {
        /// Name that was asked for.
        block: String,
    },
    /// A position outside the text, or an empty or reversed range.
    #[error("position {at} with length {len} lies outside a text of {chars} characters")]
    BadPosition {
        /// Where. Units: characters.
        at: usize,
        /// How many characters.
        len: usize,
        /// Length of the text.
        chars: usize,
    },
    /// Text holds a character that cannot be typed: a control character, or the one reserved for slots.
    #[error("text holds the reserved or control character U+{code:04X}")]
    ForbiddenCharacter {
        /// The character.
        code: u32,
    },
    /// A slot or mark of that id already stands in the document.
    #[error("an anchor of that id already exists")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// The text would grow past [`crate::document::MAX_CHARS`].
    #[error("the text would grow past {limit} characters")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A stored document whose slots do not stand where their characters do.
    #[error("the stored report is damaged: {what}")]
    Damaged {
        /// What does not fit, without text of the report.
        what: &'static str,
    },
    /// An edit was made against a revision the document has not reached.
    #[error("the edit is based on revision {base}, the report is at {present}")]
    FutureRevision {
        /// Base of the edit.
        base: u64,
        /// Present revision.
        present: u64,
    },
    /// A template, lexicon or rule file cannot be read.
    #[error("cannot read the {kind} file: {why}")]
    BadFile {
        /// `template`, `lexicon` or `rules`.
        kind: &'static str,
        /// The parser's word.
        why: String,
    },
    /// There is no template of that name.
    #[error("there is no template of that name")]
    NoSuchTemplate {
        /// Name that was asked for.
        name: String,
        /// Names there are.
        known: String,
    },
    /// The report is signed, so its text cannot change.
    #[error("the report is signed and cannot be edited")]
    Signed,
    /// A step of the life cycle that does not follow from the present state.
    #[error("a {from} report cannot become {to}")]
    NotFollowing {
        /// Present state.
        from: &'static str,
        /// State that was asked for.
        to: &'static str,
    },
    /// The person's role does not allow this signature.
    #[error("this role may not sign here")]
    WrongRole,
    /// The one who countersigns is the one who signed.
    #[error("the same person cannot sign twice")]
    SamePerson,
    /// A blocking check stands against signing.
    #[error("{count} blocking checks stand against signing")]
    Blocked {
        /// How many.
        count: usize,
    },
    /// The content no longer has the hash that was signed.
    #[error("the content does not have the hash that was signed")]
    HashMismatch,
}

impl Error {
    /// The reason of a file that cannot be read; the whole sentence of any other error.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::BadFile { why, .. } => why.clone(),
            other => other.to_string(),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchBlock { .. } => "report.no_such_field",
            Self::BadPosition { .. } => "report.bad_position",
            Self::ForbiddenCharacter { .. } => "report.forbidden_character",
            Self::DuplicateId { .. } => "report.duplicate_id",
            Self::TooLong { .. } => "report.too_long",
            Self::Damaged { .. } => "report.damaged",
            Self::FutureRevision { .. } => "report.future_revision",
            Self::BadFile { .. } => "report.bad_file",
            Self::NoSuchTemplate { .. } => "report.no_such_template",
            Self::Signed => "report.signed",
            Self::NotFollowing { .. } => "report.not_following",
            Self::WrongRole => "report.wrong_role",
            Self::SamePerson => "report.same_person",
            Self::Blocked { .. } => "report.blocked",
            Self::HashMismatch => "report.hash_mismatch",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoSuchBlock { block } => vec![("field", block.clone())],
            Self::BadPosition { at, len, chars } => {
                vec![("at", at.to_string()), ("len", len.to_string()), ("chars", chars.to_string())]
            }
            Self::ForbiddenCharacter { code } => vec![("character", format!("U+{code:04X}"))],
            Self::DuplicateId { id } => vec![("id", id.clone())],
            Self::TooLong { limit } => vec![("limit", limit.to_string())],
            Self::Damaged { what } => vec![("what", (*what).into())],
            Self::FutureRevision { base, present } => vec![("base", base.to_string()), ("present", present.to_string())],
            Self::BadFile { kind, why } => vec![("kind", (*kind).into()), ("why", why.clone())],
            Self::NoSuchTemplate { name, known } => vec![("name", name.clone()), ("known", known.clone())],
            Self::NotFollowing { from, to } => vec![("from", (*from).into()), ("to", (*to).into())],
            Self::Blocked { count } => vec![("count", count.to_string())],
            Self::Signed | Self::WrongRole | Self::SamePerson | Self::HashMismatch => Vec::new(),
        }
    }
}
