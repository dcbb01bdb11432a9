//! What can go wrong between a sound and its text.

use mj_link::Coded;
use std::io;
use std::path::{Path, PathBuf};

/// An error of recognition. `Display` is for the log; paths are only in [`Coded::args`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model file cannot be opened or read.
    #[error("could not read the speech model: {}", source.kind())]
    ModelUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no Whisper model in ggml form.
    #[error("not a speech model in ggml form")]
    NotAModel {
        /// The file.
        path: PathBuf,
    },
    /// The file ends before its header says so.
    #[error("the speech model is cut short: {got} of at least {expected} bytes")]
    ModelTruncated {
        /// The file.
        path: PathBuf,
        /// Its length. Units: bytes.
        got: u64,
        /// Least length by what was read so far. Units: bytes.
        expected: u64,
    },
    /// Loading or running it would abort the process (for example weights of 32 bits, or a foreign vocabulary).
    #[error("the speech model would abort the program: {why}")]
    ModelWouldAbort {
        /// The file.
        path: PathBuf,
        /// Field and value of the header.
        why: String,
    },
    /// The recogniser refused it or failed on it.
    #[error("the recogniser failed: {why}")]
    Recogniser {
        /// The recogniser's word.
        why: String,
    },
    /// The processor lacks instructions that the recogniser is built with.
    #[error("the processor lacks {missing}")]
    ProcessorTooOld {
        /// Names of instruction sets.
        missing: String,
    },
    /// Nothing to recognise with.
    #[error("no speech model is loaded")]
    NoModel,
    /// A language nobody taught this program.
    #[error("unknown spoken language")]
    LanguageUnknown {
        /// What was asked for.
        language: String,
    },
    /// The model knows English only.
    #[error("the speech model knows English only")]
    LanguageNotInModel,
    /// The sound file cannot be opened or read.
    #[error("could not read the sound: {why}")]
    SoundUnreadable {
        /// The file.
        path: PathBuf,
        /// Why, without the path.
        why: String,
    },
    /// A sound longer than is taken in one piece.
    #[error("the sound is longer than {limit_s} s")]
    SoundTooLong {
        /// Longest. Units: s.
        limit_s: u64,
    },
    /// No microphone is connected, or the system has no sound at all.
    #[error("no microphone")]
    NoMicrophone,
    /// The system does not let this program listen.
    #[error("the microphone is not allowed")]
    MicrophoneDenied,
    /// Another program holds the microphone.
    #[error("the microphone is busy")]
    MicrophoneBusy,
    /// The microphone went away or failed while listening.
    #[error("the microphone failed: {why}")]
    MicrophoneFailed {
        /// The system's word.
        why: String,
    },
    /// Sound came faster than it could be taken.
    #[error("{lost_ms} ms of sound were lost")]
    SoundLost {
        /// How much. Units: ms.
        lost_ms: u64,
    },
    /// Another request is listening.
    #[error("already listening")]
    AlreadyListening,
    /// The request to stop names one that does not listen.
    #[error("not listening")]
    NotListening,
    /// What was said could not be kept on disk.
    #[error("could not keep the sound: {why}")]
    Journal {
        /// Why, without the path.
        why: String,
    },
}

impl Error {
    /// Every code this type can raise.
    pub const CODES: &'static [&'static str] = &[
        "model.unreadable",
        "model.not_a_model",
        "model.truncated",
        "model.would_abort",
        "speech.recogniser",
        "speech.processor_too_old",
        "speech.no_model",
        "speech.language_unknown",
        "speech.language_not_in_model",
        "speech.sound_unreadable",
        "speech.sound_too_long",
        "speech.no_microphone",
        "speech.microphone_denied",
        "speech.microphone_busy",
        "speech.microphone_failed",
        "speech.sound_lost",
        "speech.already_listening",
        "speech.not_listening",
        "speech.journal",
    ];
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::ModelUnreadable { .. } => "model.unreadable",
            Self::NotAModel { .. } => "model.not_a_model",
            Self::ModelTruncated { .. } => "model.truncated",
            Self::ModelWouldAbort { .. } => "model.would_abort",
            Self::Recogniser { .. } => "speech.recogniser",
            Self::ProcessorTooOld { .. } => "speech.processor_too_old",
            Self::NoModel => "speech.no_model",
            Self::LanguageUnknown { .. } => "speech.language_unknown",
            Self::LanguageNotInModel => "speech.language_not_in_model",
            Self::SoundUnreadable { .. } => "speech.sound_unreadable",
            Self::SoundTooLong { .. } => "speech.sound_too_long",
            Self::NoMicrophone => "speech.no_microphone",
            Self::MicrophoneDenied => "speech.microphone_denied",
            Self::MicrophoneBusy => "speech.microphone_busy",
            Self::MicrophoneFailed { .. } => "speech.microphone_failed",
            Self::SoundLost { .. } => "speech.sound_lost",
            Self::AlreadyListening => "speech.already_listening",
            Self::NotListening => "speech.not_listening",
            Self::Journal { .. } => "speech.journal",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        let shown = |path: &Path| ("path", path.display().to_string());
        match self {
            Self::ModelUnreadable { path, source } => vec![shown(path), ("reason", source.to_string())],
            Self::NotAModel { path } => vec![shown(path)],
            Self::ModelTruncated { path, got, expected } => {
                vec![shown(path), ("got", got.to_string()), ("expected", expected.to_string())]
            }
            Self::ModelWouldAbort { path, why } => vec![shown(path), ("reason", why.clone())],
            Self::SoundUnreadable { path, why } => vec![shown(path), ("reason", why.clone())],
            Self::Recogniser { why } | Self::MicrophoneFailed { why } | Self::Journal { why } => vec![("reason", why.clone())],
            Self::ProcessorTooOld { missing } => vec![("missing", missing.clone())],
            Self::LanguageUnknown { language } => vec![("language", language.clone())],
            Self::SoundLost { lost_ms } => vec![("lost_ms", lost_ms.to_string())],
            Self::SoundTooLong { limit_s } => vec![("minutes", (limit_s / 60).to_string())],
            Self::NoModel
            | Self::LanguageNotInModel
            | Self::NoMicrophone
            | Self::MicrophoneDenied
            | Self::MicrophoneBusy
            | Self::AlreadyListening
            | Self::NotListening => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_sentences() {
        for code in Error::CODES {
            for part in ["message", "hint"] {
                assert!(mj_lang::find(&format!("error.{code}.{part}")).is_some(), "error.{code}.{part}");
            }
        }
    }

    #[test]
    fn the_log_text_holds_no_path() {
        let path = PathBuf::from("/somewhere/example/secret.bin");
        let io = || io::Error::other("/somewhere/example/secret.bin");
        for error in [
            Error::ModelUnreadable { path: path.clone(), source: io() },
            Error::NotAModel { path: path.clone() },
            Error::ModelTruncated { path: path.clone(), got: 1, expected: 2 },
            Error::SoundUnreadable { path, why: "no RIFF tag".into() },
        ] {
            assert!(!error.to_string().contains("example"), "{error}");
            assert!(Error::CODES.contains(&error.code()));
        }
    }
}
