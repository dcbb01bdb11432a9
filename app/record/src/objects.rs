//! Object files: sealed into the session's folder, synced, then put in place within a writing transaction.

use crate::db::WriteTx;
use crate::{Error, Record, Result};
use mj_dicom::{Dataset, Head};
use mj_seal::Writer;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A sealed and synced file that is not yet part of the record; removed when dropped before it is placed.
pub(crate) struct Staged {
    temp: PathBuf,
    name: String,
    /// Plain length. Units: bytes.
    pub(crate) bytes: u64,
    is_placed: bool,
}

impl Staged {
    /// The sealed file, for a look before it is placed.
    pub(crate) fn path(&self) -> &Path {
        &self.temp
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_placed {
            remove_quietly(&self.temp);
        }
    }
}

/// Where in the record a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Among the objects.
    Objects,
    /// In the inbox, to wait.
    Inbox,
}

/// Files put in place for a transaction that is not yet committed; removed again when dropped before
/// [`Placed::kept`].
pub(crate) struct Placed {
    record: Record,
    files: Vec<String>,
    is_kept: bool,
}

impl Placed {
    /// The transaction was committed.
    pub(crate) fn kept(mut self) -> Result<()> {
        self.is_kept = true;
        self.record.inner.session.forget_moves()
    }

    /// Committing failed with an unknown outcome: the files stay, and the next process to open the record
    /// removes those that no transaction took.
    fn unsure(mut self) {
        self.is_kept = true;
        self.record.inner.session.keep_moves();
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if !self.is_kept {
            for file in &self.files {
                remove_quietly(&self.record.inner.dir.join(file));
            }
        }
    }
}

fn remove_quietly(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(kind = %error.kind(), "a temporary file stays");
    }
}

impl Record {
    /// Seals bytes into the session's folder and syncs them. Blocking.
    pub(crate) fn stage(&self, plain: &[u8]) -> Result<Staged> {
        // Not 32 digits alone: such a name would claim to be a file id.
        let temp = self.inner.session.dir().join(format!("part-{}", uuid::Uuid::new_v4().simple()));
        let mut staged = Staged { temp, name: String::new(), bytes: plain.len() as u64, is_placed: false };
        let failed = |error: std::io::Error| Error::io(&staged.temp, error);
        let mut file = self.inner.disk.create(&staged.temp).map_err(failed)?;
        let mut writer = Writer::new(&mut file, self.object_key())?;
        let name = format!("{}.mj", writer.id());
        writer.write_all(plain).map_err(failed)?;
        writer.finish()?;
        file.sync().map_err(failed)?;
        staged.name = name;
        Ok(staged)
    }

    /// Puts staged files in place for a transaction. Gives their paths relative to the record, in order.
    /// The files are noted on disk first, so that a kill before the commit leaves no orphan.
    pub(crate) fn place(&self, _tx: &WriteTx, staged: Vec<(Staged, Place)>) -> Result<(Placed, Vec<String>)> {
        // One folder for a whole batch: it is synced once.
        let shard = format!("objects/{:02x}", uuid::Uuid::new_v4().as_bytes()[0]);
        let target = |item: &(Staged, Place)| match item.1 {
            Place::Objects => format!("{shard}/{}", item.0.name),
            Place::Inbox => format!("inbox/{}", item.0.name),
        };
        let files: Vec<String> = staged.iter().map(target).collect();
        let mut placed = Placed { record: self.clone(), files: Vec::new(), is_kept: false };
        if files.is_empty() {
            return Ok((placed, files));
        }
        self.inner.session.note_moves(&files)?;
        let (dir, disk) = (&self.inner.dir, &self.inner.disk);
        let folder = dir.join(&shard);
        if !folder.is_dir() {
            std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
            disk.sync_dir(&dir.join("objects")).map_err(|error| Error::io(&folder, error))?;
        }
        for ((mut one, _), file) in staged.into_iter().zip(&files) {
            let to = dir.join(file);
            disk.rename(&one.temp, &to).map_err(|error| Error::io(&to, error))?;
            one.is_placed = true;
            placed.files.push(file.clone());
        }
        for (prefix, folder) in [("objects/", folder), ("inbox/", dir.join("inbox"))] {
            if files.iter().any(|file| file.starts_with(prefix)) {
                disk.sync_dir(&folder).map_err(|error| Error::io(&folder, error))?;
            }
        }
        Ok((placed, files))
    }

    /// Commits a transaction together with the files placed for it.
    pub(crate) async fn commit_with(&self, tx: WriteTx, placed: Placed) -> Result<()> {
        match tx.commit().await {
            Ok(()) => placed.kept(),
            Err(error) => {
                placed.unsure();
                Err(error)
            }
        }
    }

    /// Reads a sealed file of the record whole. Blocking.
    pub(crate) fn read_object(&self, file: &str) -> Result<Zeroizing<Vec<u8>>> {
        let mut reader = self.open_object(&self.inner.dir.join(file))?;
        let mut plain = Zeroizing::new(Vec::with_capacity(usize::try_from(reader.len()).unwrap_or(0)));
        reader.read_to_end(&mut plain).map_err(mj_seal::Error::from)?;
        Ok(plain)
    }

    /// The attributes of a sealed object of the record; its pixels only where the attributes cannot be had without. Blocking.
    pub(crate) fn read_head(&self, path: &Path) -> Result<Dataset> {
        Ok(Head::read(&mut self.open_object(path)?)?.dataset)
    }

    fn open_object(&self, path: &Path) -> Result<mj_seal::Reader<std::fs::File>> {
        mj_seal::open_file(path, self.object_key()).map_err(|error| match error {
            mj_seal::Error::Io(io) => Error::io(path, io),
            other => Error::Seal(other),
        })
    }

    /// As [`Record::read_object`], away from the async threads.
    pub(crate) async fn load_object(&self, file: String) -> Result<Zeroizing<Vec<u8>>> {
        let record = self.clone();
        tokio::task::spawn_blocking(move || record.read_object(&file)).await?
    }
}
