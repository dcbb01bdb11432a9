//! Messages with the speech worker, which knows no patient.

use mj_model::{Lang, Told};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// From the shell to the speech worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ToSpeech {
    /// First line.
    Hello {
        /// Language of messages.
        lang: Lang,
        /// Key of the sound journal, 64 hexadecimal digits, and its folder.
        journal: Option<(String, PathBuf)>,
    },
    /// Load a model file after checking its header.
    LoadModel {
        /// ggml file.
        path: PathBuf,
    },
    /// Recognise a WAV file.
    Transcribe {
        /// Number of the request.
        request: u64,
        /// The sound.
        wav: PathBuf,
        /// Spoken language: `zh`, `en` or `auto`.
        language: String,
    },
    /// Start listening to the microphone.
    StartMicrophone {
        /// Number of the request.
        request: u64,
        /// Spoken language: `zh`, `en` or `auto`.
        language: String,
    },
    /// Stop listening and recognise the rest.
    StopMicrophone {
        /// Number of the request.
        request: u64,
    },
    /// Leave.
    Quit,
}

/// From the speech worker to the shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum FromSpeech {
    /// First line.
    Hello {
        /// Program and version.
        program: String,
        /// Process id.
        pid: u32,
    },
    /// The model is ready.
    ModelReady {
        /// What the header says: sizes and type of weights.
        about: serde_json::Value,
    },
    /// Loudness, for the meter. Units: dB full scale.
    Level {
        /// Number of the request.
        request: u64,
        /// Loudness.
        dbfs: f64,
    },
    /// Words so far; may still change.
    Partial {
        /// Number of the request.
        request: u64,
        /// The text.
        text: String,
    },
    /// Final words.
    Final {
        /// Number of the request.
        request: u64,
        /// The text.
        text: String,
        /// Word by word.
        words: Vec<Word>,
    },
    /// A request or a model failed.
    Failed {
        /// Number of the request, when it belongs to one.
        request: Option<u64>,
        /// Why.
        error: Told,
    },
}

/// One recognised word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Start from the beginning of the sound. Units: s.
    pub start_s: f64,
    /// End. Units: s.
    pub end_s: f64,
    /// From 0 to 1.
    pub confidence: f64,
}
