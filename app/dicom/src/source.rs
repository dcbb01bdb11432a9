//! Where the bytes of an object come from.

use std::path::PathBuf;

/// The bytes of one object: a plain file here, a sealed one in the viewer.
pub trait Source: Send + Sync {
    /// Reads all of it.
    ///
    /// # Errors
    /// What the medium says.
    fn read(&self) -> std::io::Result<Vec<u8>>;
    /// Its name for a person and for receipts; never for a log.
    fn name(&self) -> String;
}

impl Source for PathBuf {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        std::fs::read(self)
    }
    fn name(&self) -> String {
        self.display().to_string()
    }
}

/// Bytes that are already in memory, with a name.
#[derive(Debug, Clone)]
pub struct InMemory {
    /// Its name for receipts.
    pub name: String,
    /// The object.
    pub bytes: Vec<u8>,
}

impl Source for InMemory {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        Ok(self.bytes.clone())
    }
    fn name(&self) -> String {
        self.name.clone()
    }
}
