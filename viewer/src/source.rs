//! Object files, plain or sealed, as sources for `mj-dicom`; and what this viewer seals itself.

use crate::{Error, Result};
use mj_dicom::{Content, Source};
use mj_link::{KeyGrant, ObjectFile, SeriesFiles};
use mj_seal::Key;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The record's key and inbox, as granted by the parent.
#[derive(Debug, Clone)]
pub struct Keys {
    key: Arc<Key>,
    inbox: PathBuf,
}

impl Keys {
    /// Takes a grant.
    ///
    /// # Errors
    /// [`Error::Key`] when it is no key.
    pub fn from_grant(grant: &KeyGrant) -> Result<Self> {
        Ok(Self { key: Arc::new(Key::from_hex(&grant.object_key).map_err(Error::Key)?), inbox: grant.inbox.clone() })
    }

    /// Seals bytes into a new file of the inbox and gives its name. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Seal`], [`Error::Write`].
    pub fn put(&self, bytes: &[u8], ending: &str) -> Result<String> {
        use std::io::Write as _;
        let mut writer = mj_seal::Writer::new(Vec::with_capacity(mj_seal::sealed_len(bytes.len())), &self.key).map_err(Error::Seal)?;
        // A sealed file is called by the id in its header, so that files exchanged for one another are noticed.
        let name = format!("{}.{ending}", writer.id());
        let (part, path) = (self.inbox.join(format!("{name}.part")), self.inbox.join(&name));
        writer.write_all(bytes).map_err(|source| Error::Write { path: path.clone(), source })?;
        let sealed = writer.finish().map_err(Error::Seal)?;
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.inbox)?;
            let mut file = std::fs::File::create(&part)?;
            file.write_all(&sealed)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)?;
            // The name has to survive a power cut too; NTFS journals its folders by itself.
            if cfg!(unix) { std::fs::File::open(&self.inbox)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|source| {
            // What is left of it is of no use to anyone.
            std::fs::remove_file(&part).ok();
            Error::Write { path: path.clone(), source }
        })?;
        Ok(name)
    }
}

/// One object file.
#[derive(Debug, Clone)]
pub struct ObjectSource {
    path: PathBuf,
    key: Option<Arc<Key>>,
}

impl ObjectSource {
    /// A plain DICOM file.
    #[must_use]
    pub const fn plain(path: PathBuf) -> Self {
        Self { path, key: None }
    }

    /// A file as the link names it.
    ///
    /// # Errors
    /// [`Error::NoKeys`] for a sealed file without keys.
    pub fn of(file: &ObjectFile, keys: Option<&Keys>) -> Result<Self> {
        let key = match (file.sealed, keys) {
            (false, _) => None,
            (true, Some(keys)) => Some(Arc::clone(&keys.key)),
            (true, None) => return Err(Error::NoKeys),
        };
        Ok(Self { path: file.path.clone(), key })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for ObjectSource {
    fn open(&self) -> std::io::Result<Box<dyn Content>> {
        Ok(match &self.key {
            None => Box::new(std::fs::File::open(&self.path)?),
            Some(key) => Box::new(mj_seal::open_file(&self.path, key)?),
        })
    }

    fn name(&self) -> String {
        self.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The sources of a series.
///
/// # Errors
/// [`Error::NoKeys`].
pub fn of_series(series: &SeriesFiles, keys: Option<&Keys>) -> Result<Vec<Arc<dyn Source>>> {
    series.files.iter().map(|f| Ok(Arc::new(ObjectSource::of(f, keys)?) as Arc<dyn Source>)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_and_plain_files_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::from_bytes([7; 32]);
        let keys = Keys::from_grant(&KeyGrant { object_key: key.to_hex().to_string(), inbox: folder.path().join("inbox") }).unwrap();
        let name = keys.put(b"pixels", "dcm").unwrap();
        let file = ObjectFile { path: folder.path().join("inbox").join(&name), sealed: true };
        assert!(!std::fs::read(&file.path).unwrap().windows(6).any(|w| w == b"pixels"));
        assert_eq!(ObjectSource::of(&file, Some(&keys)).unwrap().read().unwrap(), b"pixels");
        assert!(matches!(ObjectSource::of(&file, None), Err(Error::NoKeys)));
    }
}
