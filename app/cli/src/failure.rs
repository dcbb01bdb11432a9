//! Everything a command can fail with.

use mj_link::WorkerError;
use mj_model::{Coded, Lang, Told};

/// How a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The record.
    #[error(transparent)]
    Record(#[from] mj_record::Error),
    /// The report.
    #[error(transparent)]
    Report(#[from] mj_report::Error),
    /// Typesetting.
    #[error(transparent)]
    Pdf(#[from] mj_pdf::Error),
    /// A signature could not be read.
    #[error("{0}")]
    Sign(#[from] mj_sign::Error),
    /// DICOM objects.
    #[error(transparent)]
    Dicom(#[from] mj_dicom::Error),
    /// A worker program.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A worker program told why it failed.
    #[error("worker: {}", .0.code)]
    Told(Told),
    /// No `--record` and no `MINGJING_RECORD`.
    #[error("no record named")]
    NoRecord,
    /// No passphrase and no terminal to ask on.
    #[error("no passphrase given")]
    NoPassphrase,
    /// The terminal would not give the passphrase.
    #[error("the passphrase could not be read from the terminal")]
    Prompt(std::io::Error),
    /// The id is not of the kind the command needs.
    #[error("not a {wanted}")]
    WrongKind {
        /// What is needed: `study`, `series`, …
        wanted: &'static str,
        /// What was given.
        id: String,
    },
    /// A file could not be read or written.
    #[error("could not {what} a file")]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The command line is not understood.
    #[error("used wrongly")]
    Usage(String),
    /// Two different passphrases were typed for a new record.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// A number is NaN or infinite and cannot be worked with.
    #[error("a number is not finite")]
    NotFinite,
    /// A plan file is not as it should be.
    #[error("the plan file is not understood")]
    PlanFile(String),
    /// There is no such template, person or server.
    #[error("no such {what}")]
    Unknown {
        /// `template`, `person`, `server`, …
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// There is nothing of the kind in what was named.
    #[error("no {what}")]
    Nothing {
        /// `images` or `objects`.
        what: &'static str,
        /// What was named.
        id: String,
    },
    /// A clinical check refuses.
    #[error("refused by {} clinical checks", .0.len())]
    Checks(Vec<mj_report::CheckResult>),
    /// A clinical check asks to look again; it stops nothing.
    #[error("{} clinical checks ask to look again", .0.len())]
    Warned(Vec<mj_report::CheckResult>),
    /// A folder holds no text that could be a report.
    #[error("no reports")]
    NoReports(std::path::PathBuf),
    /// `--confirm` without a rule or without a reason.
    #[error("no reason")]
    NoReason(String),
    /// The finding was deleted.
    #[error("the finding was deleted")]
    Deleted(String),
    /// None of the findings can be told in the forms that were asked for.
    #[error("nothing could be written")]
    NothingWritten(Vec<String>),
    /// The series of two studies were not registered: nothing to register, by its code.
    #[error("not registered: {0}")]
    NotTracked(&'static str),
    /// The async runtime did not start.
    #[error("the runtime did not start")]
    Runtime(std::io::Error),
}

impl Failure {
    /// A line that is not understood, by the parser's words: its first paragraph says what is wrong.
    pub(crate) fn usage(words: &str) -> Self {
        let said = words.split("\n\n").next().unwrap_or_default();
        Self::Usage(said.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Exit code: 4 when a clinical check refuses, 2 when used wrongly, 1 otherwise.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::NoReason(_) => 2,
            Self::Checks(_) | Self::Record(mj_record::Error::Held(_) | mj_record::Error::Track(_)) => 4,
            _ => 1,
        }
    }

    /// The sentences for a person.
    pub(crate) fn told(&self, lang: Lang) -> Told {
        match self {
            Self::Record(e) => mj_lang::tell(e, lang),
            Self::Report(e) => mj_lang::tell(e, lang),
            Self::Pdf(e) => mj_lang::tell(e, lang),
            Self::Sign(e) => mj_lang::tell(e, lang),
            Self::Dicom(e) => mj_lang::tell(e, lang),
            Self::Worker(e) => mj_lang::tell(e, lang),
            Self::Told(told) => told.clone(),
            _ => mj_lang::tell(self, lang),
        }
    }
}

impl Coded for Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Record(e) => e.code(),
            Self::Report(e) => e.code(),
            Self::Pdf(e) => e.code(),
            Self::Sign(e) => e.code(),
            Self::Dicom(e) => e.code(),
            Self::Worker(e) => e.code(),
            Self::Told(_) => "worker.failed",
            Self::NoRecord => "record.not_named",
            Self::NoPassphrase | Self::Prompt(_) => "record.no_passphrase",
            Self::WrongKind { .. } => "id.wrong_kind",
            Self::File { what: "read", .. } => "file.not_read",
            Self::File { .. } => "file.not_written",
            Self::Usage(_) => "cli.usage",
            Self::PassphrasesDiffer => "record.passphrases_differ",
            Self::NotFinite => "value.not_finite",
            Self::PlanFile(_) => "plan.file",
            Self::Unknown { .. } => "name.unknown",
            Self::Nothing { what: "images", .. } => "id.no_images",
            Self::Nothing { .. } => "id.no_objects",
            Self::Checks(_) => "report.checks_refuse",
            Self::Warned(_) => "report.checks_warn",
            Self::NoReports(_) => "report.none_found",
            Self::NoReason(_) => "report.no_reason",
            Self::Deleted(_) => "finding.deleted",
            Self::NothingWritten(_) => "finding.nothing_written",
            Self::NotTracked(code) => code,
            Self::Runtime(_) => "machine.runtime",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::WrongKind { wanted, id } => vec![("wanted", (*wanted).into()), ("id", id.clone())],
            Self::File { path, source, .. } => vec![("path", path.display().to_string()), ("reason", source.to_string())],
            Self::PlanFile(why) | Self::Usage(why) => vec![("reason", why.clone())],
            Self::Unknown { what, name, known } => vec![("what", (*what).into()), ("name", name.clone()), ("known", known.clone())],
            Self::Deleted(id) | Self::Nothing { id, .. } => vec![("id", id.clone())],
            Self::Checks(checks) | Self::Warned(checks) => {
                let messages: Vec<&str> = checks.iter().map(|c| c.message.as_str()).collect();
                vec![("count", checks.len().to_string()), ("checks", messages.join("; "))]
            }
            Self::NoReports(path) => vec![("path", path.display().to_string())],
            Self::NoReason(typed) => vec![("typed", typed.clone())],
            Self::NothingWritten(reasons) => vec![("reason", reasons.join(" "))],
            Self::Runtime(source) => vec![("reason", source.to_string())],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_understood_is_told_like_any_error() {
        let failure = Failure::usage("error: unexpected argument '--wrong' found\n\nUsage: mingjing list\n");
        assert_eq!(failure.exit_code(), 2);
        for lang in [Lang::Zh, Lang::En] {
            let told = failure.told(lang);
            assert_eq!(told.code, "cli.usage");
            assert!(told.message.contains("unexpected argument '--wrong' found") && !told.message.contains("Usage:"), "{}", told.message);
            assert!(!told.hint.is_empty() && !Failure::PassphrasesDiffer.told(lang).hint.is_empty());
        }
    }
}
