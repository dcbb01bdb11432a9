//! Where the bytes of an object come from.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The bytes of one object: a plain file here, a sealed one in the viewer.
pub trait Source: Send + Sync {
    /// Opens it, so that parts of it can be read.
    ///
    /// # Errors
    /// What the medium says.
    fn open(&self) -> std::io::Result<Box<dyn Content>>;
    /// Its name for a person and for receipts; never for a log.
    fn name(&self) -> String;
    /// Reads all of it.
    ///
    /// # Errors
    /// What the medium says.
    fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut content = self.open()?;
        let len = content.seek(SeekFrom::End(0))?;
        content.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(|_too_long| std::io::ErrorKind::FileTooLarge)?);
        content.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// An opened object, read from anywhere.
pub trait Content: Read + Seek {}

impl<T: Read + Seek> Content for T {}

impl Source for PathBuf {
    fn open(&self) -> std::io::Result<Box<dyn Content>> {
        Ok(Box::new(std::fs::File::open(self)?))
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
    fn open(&self) -> std::io::Result<Box<dyn Content>> {
        Ok(Box::new(Cursor::new(self.bytes.clone())))
    }
    fn name(&self) -> String {
        self.name.clone()
    }
}
