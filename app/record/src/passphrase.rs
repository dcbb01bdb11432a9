//! The passphrase of a record.

use crate::{Error, Result};
use std::io::Read as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Longest passphrase that is read from a file. Units: bytes.
const LONGEST: u64 = 4096;

/// A passphrase, wiped when dropped and never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase as a person typed it.
    ///
    /// # Errors
    /// [`Error::NoPassphrase`] when it is empty.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() { Err(Error::NoPassphrase(None)) } else { Ok(Self(text)) }
    }

    /// The first line of a file.
    ///
    /// # Errors
    /// [`Error::NoPassphrase`] when the file cannot be read, is not UTF-8, or its first line is empty.
    pub fn from_file(path: &Path) -> Result<Self> {
        let mut text = Zeroizing::new(String::new());
        let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        read.map_err(|error| Error::NoPassphrase(Some(error)))?;
        Self::new(text.lines().next().unwrap_or_default())
    }

    /// True when both are the same words; for a person who types a new one twice.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(‹secret›)")
    }
}
