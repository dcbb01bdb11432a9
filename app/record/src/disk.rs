//! The few file operations that durability hangs on, behind a trait so that tests can fill the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// An open file that can be synced.
pub trait DiskFile: Write + Send {
    /// Puts the content on the disk (`fsync`).
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync(&mut self) -> io::Result<()>;
}

/// File operations of the record.
pub trait Disk: Send + Sync {
    /// Makes a new file; fails when it is there.
    ///
    /// # Errors
    /// As `std::fs`.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames within the record.
    ///
    /// # Errors
    /// As `std::fs`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Puts a folder's entries on the disk, so that a rename survives a power cut.
    ///
    /// # Errors
    /// As `std::fs`.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Writes a whole new file and syncs it.
    ///
    /// # Errors
    /// As `std::fs`.
    fn write_synced(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = self.create(path)?;
        file.write_all(content)?;
        file.sync()
    }
}

/// The disk as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    /// Windows has no such call; NTFS journals its folders.
    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}
