//! Errors as people and programs meet them.

use serde::{Deserialize, Serialize};

/// An error with a stable, dotted English code and the values its message needs.
///
/// `Display` of an error is for the log and holds no path, UID or patient's name; the sentence for a person
/// is looked up by code in the catalogue (`mj-lang`) and filled with [`Coded::args`].
pub trait Coded: std::error::Error {
    /// Stable code, for example `record.locked`.
    fn code(&self) -> &'static str;
    /// Named values for the message, for example `("path", …)`. They may hold paths and UIDs: screen only.
    fn args(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// An error told to a person: what crosses to the page, the viewer and `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Stable code, English, dotted.
    pub code: String,
    /// What happened, in the person's language.
    pub message: String,
    /// What to do next, in the person's language.
    pub hint: String,
}
