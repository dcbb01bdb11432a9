//! Finding the files: folders, archives, media and single files.

use super::prepare::{Candidate, Content};
use crate::{Error, Result};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::Sender;
use zip::ZipArchive;

/// Largest object. Units: bytes.
pub(super) const MAX_OBJECT: u64 = 2 << 30;
/// Archives within archives.
const MAX_DEPTH: usize = 3;
/// Entries of one archive.
const MAX_ENTRIES: usize = 2_000_000;
/// An archive may unpack to this much and [`MAX_RATIO`] times its own size. Units: bytes.
const FREE_BYTES: u64 = 1 << 30;
/// Real images compress by a factor of 2 to 20.
const MAX_RATIO: u64 = 200;

/// What was found.
pub(super) struct Found {
    items: Vec<Item>,
    /// Files in all, entries of archives included.
    pub(super) total: u64,
}

enum Item {
    File(PathBuf),
    Zip(PathBuf),
    /// A folder or file that may not be looked at.
    Closed(PathBuf, std::io::Error),
}

/// Looks at all roots. Symbolic links are not followed, so that a folder cannot lead out of itself.
pub(super) fn find(roots: &[PathBuf]) -> Result<Found> {
    let mut found = Found { items: Vec::new(), total: 0 };
    for root in roots {
        let root = std::path::absolute(root).map_err(|error| Error::io(root, error))?;
        if !root.exists() {
            return Err(Error::NoSuchPath(root));
        }
        for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() || (entry.depth() == 0 && root.is_file()) => found.add(entry.into_path()),
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().map_or_else(|| root.clone(), Path::to_path_buf);
                    let cause = error.into_io_error().unwrap_or_else(|| std::io::ErrorKind::Other.into());
                    found.total += 1;
                    found.items.push(Item::Closed(path, cause));
                }
            }
        }
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, path: PathBuf) {
        let entries = entries_of(&path);
        self.total += entries.unwrap_or(1);
        self.items.push(if entries.is_some() { Item::Zip(path) } else { Item::File(path) });
    }

    /// Sends the files one by one. Blocking; stops when the receiver is gone or the person stops it.
    pub(super) fn feed(self, sender: &Sender<Candidate>, cancel: &AtomicBool) {
        let closed = |path: PathBuf, source| {
            let shown = path.display().to_string();
            sender.blocking_send(Candidate::failed(shown, Error::Disk { path, source })).is_ok()
        };
        for item in self.items {
            if cancel.load(Ordering::Relaxed) {
                return;
            }
            let went_on = match item {
                Item::File(path) => {
                    sender.blocking_send(Candidate { from: path.display().to_string(), content: Content::File(path) }).is_ok()
                }
                Item::Zip(path) => match File::open(&path) {
                    Ok(file) => Archive { sender, cancel, free_bytes: FREE_BYTES }.feed(&path.display().to_string(), file, 1),
                    Err(error) => closed(path, error),
                },
                Item::Closed(path, error) => closed(path, error),
            };
            if !went_on {
                return;
            }
        }
    }
}

/// Number of entries when the file is a ZIP archive.
fn entries_of(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    if !is_zip(&mut file) {
        return None;
    }
    // An archive that does not open still counts, so that it is named.
    Some(ZipArchive::new(file).map_or(1, |archive| archive.len().min(MAX_ENTRIES) as u64))
}

fn is_zip(source: &mut (impl Read + Seek)) -> bool {
    let mut magic = [0_u8; 4];
    let read = source.read_exact(&mut magic).and_then(|()| source.seek(SeekFrom::Start(0)));
    read.is_ok() && matches!(&magic, b"PK\x03\x04" | b"PK\x05\x06")
}

struct Archive<'a> {
    sender: &'a Sender<Candidate>,
    cancel: &'a AtomicBool,
    free_bytes: u64,
}

impl Archive<'_> {
    fn refuse(&self, shown: &str, code: &'static str, reason: &'static str) -> bool {
        self.sender.blocking_send(Candidate::failed(shown.to_owned(), Error::Skip(code, reason))).is_ok()
    }

    /// Sends the entries of an archive. False when nobody wants more.
    fn feed(&self, shown: &str, mut source: impl Read + Seek, depth: usize) -> bool {
        let size = source.seek(SeekFrom::End(0)).and_then(|size| source.seek(SeekFrom::Start(0)).map(|_| size)).unwrap_or(0);
        let Ok(mut archive) = ZipArchive::new(source) else {
            return self.refuse(shown, "import.bad_zip", "the archive does not open");
        };
        if archive.len() > MAX_ENTRIES {
            return self.refuse(shown, "import.zip_bomb", "the archive has too many entries");
        }
        let mut left = self.free_bytes.saturating_add(size.saturating_mul(MAX_RATIO));
        for index in 0..archive.len() {
            if self.cancel.load(Ordering::Relaxed) {
                return false;
            }
            let went_on = match read_entry(&mut archive, index, left) {
                Entry::Folder => true,
                Entry::TooMuch => {
                    return self.refuse(shown, "import.zip_bomb", "the archive unpacks to far more than images do");
                }
                Entry::Refused { name, code, reason } => self.refuse(&format!("{shown}/{name}"), code, reason),
                Entry::Bytes { name, bytes } => {
                    left = left.saturating_sub(bytes.len() as u64);
                    let shown = format!("{shown}/{name}");
                    let mut inner = Cursor::new(bytes);
                    match (is_zip(&mut inner), depth < MAX_DEPTH) {
                        (true, true) => self.feed(&shown, inner, depth + 1),
                        (true, false) => self.refuse(&shown, "import.zip_bomb", "archives nested too deeply"),
                        (false, _) => self.sender.blocking_send(Candidate::bytes(shown, inner.into_inner())).is_ok(),
                    }
                }
            };
            if !went_on {
                return false;
            }
        }
        true
    }
}

enum Entry {
    Folder,
    TooMuch,
    Refused { name: String, code: &'static str, reason: &'static str },
    Bytes { name: String, bytes: Vec<u8> },
}

fn read_entry<R: Read + Seek>(archive: &mut ZipArchive<R>, index: usize, left: u64) -> Entry {
    let refused = |name: String, code, reason| Entry::Refused { name, code, reason };
    let (name, is_encrypted) = match archive.by_index_raw(index) {
        Ok(entry) if entry.is_dir() => return Entry::Folder,
        Ok(entry) => (entry.name().map_or_else(|_| format!("#{index}"), |name| name.into_owned()), entry.encrypted()),
        Err(_unreadable) => return refused(format!("#{index}"), "import.bad_zip", "the archive's entry does not open"),
    };
    if is_encrypted {
        return refused(name, "import.zip_encrypted", "the archive's entry is encrypted");
    }
    let Ok(entry) = archive.by_index(index) else {
        return refused(name, "import.bad_zip", "the archive's entry is packed in an unknown way");
    };
    let most = left.min(MAX_OBJECT);
    let mut bytes = Vec::new();
    // What the archive says of sizes is not believed: reading stops at the bound.
    match entry.take(most + 1).read_to_end(&mut bytes) {
        Ok(n) if n as u64 > MAX_OBJECT => refused(name, "import.too_large", "larger than 2 GiB"),
        Ok(n) if n as u64 > most => Entry::TooMuch,
        Ok(_) => Entry::Bytes { name, bytes },
        Err(_damaged) => refused(name, "import.bad_zip", "the archive's entry is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// Zeros pack a thousandfold; a bomb is left as soon as it shows.
    #[test]
    fn bombs_are_left() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a", "b", "c"] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&vec![0; 12 << 20]).unwrap();
        }
        let packed = zip.finish().unwrap();
        let (sender, mut found) = tokio::sync::mpsc::channel(8);
        let archive = Archive { sender: &sender, cancel: &AtomicBool::new(false), free_bytes: 10 << 20 };
        assert!(archive.feed("bomb.zip", packed, 1));
        drop(sender);
        let mut codes = Vec::new();
        while let Some(candidate) = found.blocking_recv() {
            codes.push(match candidate.content {
                Content::Failed(Error::Skip(code, _)) => code,
                _ => "taken",
            });
        }
        assert_eq!(codes.last(), Some(&"import.zip_bomb"));
        assert!(codes.len() <= 3, "{codes:?}");
    }

    #[test]
    fn only_archives_are_archives() {
        for (bytes, expected) in [(&b"PK\x03\x04rest"[..], true), (b"PK", false), (b"", false), (b"DICM....", false)] {
            assert_eq!(is_zip(&mut Cursor::new(bytes)), expected);
        }
    }
}
