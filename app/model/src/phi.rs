//! Text about a patient, which never reaches a log.

use serde::{Deserialize, Serialize};

/// A value that identifies a patient. `Debug` and `Display` print `‹phi›`, so that no log line, panic or
/// crash report can carry it; [`Phi::show`] is the one way to the value, for screens and objects.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// The value, to be shown to a person or written into an object.
    pub const fn show(&self) -> &T {
        &self.0
    }
    /// The value itself.
    pub fn into_shown(self) -> T {
        self.0
    }
}

impl<T> std::fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹phi›")
    }
}

impl<T> std::fmt::Display for Phi<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹phi›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_printed() {
        assert_eq!(format!("{0:?} {0}", Phi::new("王")), "‹phi› ‹phi›");
    }
}
