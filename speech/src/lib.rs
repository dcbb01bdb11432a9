//! Sound to text, in a process of its own.
//!
//! whisper.cpp ends its process on some inputs instead of returning an error, so no other program of ours links
//! it: the shell starts `mingjing-speech` as a child and speaks [`mj_link::speech`] with it; a command calls it
//! once per file. If it dies, nothing that was typed or dictated before is touched, and what was being said lies
//! sealed on disk.
//!
//! It knows no patient, keeps no record, opens no socket, and uses no GPU.
//!
//! Start reading at [`worker`]; a model goes through [`ModelFile::check`] before [`Recogniser::load`], a sound
//! through [`sound`] and [`cut`], what the microphone hears through [`ear`] into [`journal`].

#![forbid(unsafe_code)]

pub mod cut;
pub mod ear;
mod error;
pub mod journal;
pub mod microphone;
mod model_file;
mod recogniser;
pub mod sound;
pub mod words;
pub mod worker;

pub use error::Error;
pub use model_file::ModelFile;
pub use recogniser::{Recognised, Recogniser, Spoken};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
