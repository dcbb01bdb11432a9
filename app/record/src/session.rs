//! A process's own folder inside the record, for files that are not yet part of it.
//!
//! `tmp/<random>/` holds sealed files while they are written and `moves`, the list of object files that were
//! put in place before their transaction; `tmp/<random>.lock` is made before the folder and kept locked by its
//! process. A process that was killed leaves both behind, unlocked; whoever opens the record next removes them,
//! and with them every object on the list that no transaction took. So nothing half-done stays, and living
//! processes are left in peace.

use crate::disk::Disk;
use crate::{Error, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

const MOVES: &str = "moves";

/// The folder of this process.
pub(crate) struct Session {
    dir: PathBuf,
    /// Held for as long as the process works on the record.
    _lock: File,
    moves: Mutex<File>,
    /// Set when a commit had an unknown outcome: the list then stays for the next process.
    must_keep: AtomicBool,
}

impl Session {
    pub(crate) fn open(record: &Path) -> Result<Self> {
        let dir = record.join("tmp").join(uuid::Uuid::new_v4().simple().to_string());
        let failed = |error| Error::io(&dir, error);
        let lock = File::create_new(dir.with_extension("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        std::fs::create_dir_all(&dir).map_err(failed)?;
        let moves = File::options().create(true).append(true).open(dir.join(MOVES)).map_err(failed)?;
        Ok(Self { dir, _lock: lock, moves: Mutex::new(moves), must_keep: AtomicBool::new(false) })
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes, on disk, that these object files (relative to the record) are about to be put in place.
    pub(crate) fn note_moves(&self, files: &[String]) -> Result<()> {
        let mut list = self.moves.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = files.join("\n");
        text.push('\n');
        list.write_all(text.as_bytes()).and_then(|()| list.sync_data()).map_err(|error| Error::io(&self.dir, error))
    }

    /// Forgets the list after its transaction: what is in the database needs no note.
    pub(crate) fn forget_moves(&self) -> Result<()> {
        if self.must_keep.load(Ordering::Relaxed) {
            return Ok(());
        }
        let list = self.moves.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        list.set_len(0).map_err(|error| Error::io(&self.dir, error))
    }
}

impl Session {
    /// The list is kept from now on.
    pub(crate) fn keep_moves(&self) {
        self.must_keep.store(true, Ordering::Relaxed);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.must_keep.load(Ordering::Relaxed) {
            return;
        }
        // Nothing of worth is in it; the next process to open the record removes what stays.
        remove(&self.dir);
    }
}

fn remove(dir: &Path) {
    for result in [std::fs::remove_dir_all(dir), std::fs::remove_file(dir.with_extension("lock"))] {
        match result {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(kind = %error.kind(), "a session's leftover stays");
            }
            _ => {}
        }
    }
}

/// True when the process of the session folder of this name still works on the record.
pub(crate) fn is_alive(record: &Path, name: &str) -> bool {
    let lock = record.join("tmp").join(name).with_extension("lock");
    File::options().write(true).open(lock).is_ok_and(|file| file.try_lock().is_err())
}

/// What a process that is gone left behind.
pub(crate) struct Leftover {
    dir: PathBuf,
    /// Kept locked until it is removed, so that two cleaners do not meet.
    _lock: Option<File>,
    /// Object files, relative to the record, that may belong to no transaction.
    pub(crate) moved: Vec<String>,
}

/// The folders of processes that are gone.
pub(crate) fn leftovers(record: &Path) -> Result<Vec<Leftover>> {
    let tmp = record.join("tmp");
    let entries = match std::fs::read_dir(&tmp) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(tmp, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let dir = entry.map_err(|error| Error::io(&tmp, error))?.path();
        if !dir.is_dir() {
            continue;
        }
        let lock = match File::options().write(true).open(dir.with_extension("lock")) {
            Ok(file) if file.try_lock().is_err() => continue,
            Ok(file) => Some(file),
            Err(_half_removed) => None,
        };
        let list = std::fs::read_to_string(dir.join(MOVES)).unwrap_or_default();
        let moved = list.lines().filter(|line| is_object_path(line)).map(str::to_owned).collect();
        found.push(Leftover { dir, _lock: lock, moved });
    }
    Ok(found)
}

/// Only names of the forms `objects/xx/<32 hexadecimal digits>.mj` and `inbox/<…>.mj` are ever removed.
fn is_object_path(line: &str) -> bool {
    let is_hex = |text: &str, n: usize| text.len() == n && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_name = |name: &str| name.strip_suffix(".mj").is_some_and(|stem| is_hex(stem, 32));
    match line.split('/').collect::<Vec<_>>().as_slice() {
        ["objects", folder, name] => is_hex(folder, 2) && is_name(name),
        ["inbox", name] => is_name(name),
        _ => false,
    }
}

impl Leftover {
    /// Removes the folder.
    pub(crate) fn remove(self) {
        remove(&self.dir);
    }
}

/// Makes the folders of a record.
pub(crate) fn lay_out(dir: &Path, disk: &dyn Disk) -> Result<()> {
    for folder in [dir.to_owned(), dir.join("objects"), dir.join("inbox"), dir.join("tmp")] {
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).map_err(|error| Error::io(&folder, error))?;
        }
    }
    disk.sync_dir(dir).map_err(|error| Error::io(dir, error))
}
