//! What is known to be odd about data that is shown all the same.

use serde::{Deserialize, Serialize};

/// A warning about data. It stands on the picture until the reader dismisses it, and stays in the series'
/// information.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code, for example `geometry.missing_slice`; the sentence is in the catalogue under
    /// `warning.<code>`.
    pub code: String,
    /// English detail with the numbers, for example `distances 5.0, 5.0, 10.0 mm`. No patient data.
    pub text: String,
}

impl Warning {
    /// A warning from code and detail.
    #[must_use]
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.into(), text: text.into() }
    }
}
