//! What was said, sealed on disk before anything is made of it.
//!
//! A file holds one dictation: a run of records, each `length u32 LE | sealed bytes`, written and synced as the
//! sound comes in. A record opens by itself, so a process killed in the middle of a write loses that record
//! alone. Inside a record: `"MJSOUND1" | number of the record u32 LE | samples i16 LE at 16,000 a second`. The
//! number keeps records from being left out or exchanged unnoticed.

use crate::{Error, Result};
use mj_seal::Key;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Ending of a journal's name.
pub const ENDING: &str = "mjsound";
const TAG: &[u8; 8] = b"MJSOUND1";
/// Longest record taken. Units: bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// Writes one dictation.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    key: Key,
    n_records: u32,
}

impl Journal {
    /// Begins a new file in a folder.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub fn begin(folder: &Path, key: &Key) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        // The name only has to be free; it says nothing.
        for n in 0..u32::MAX {
            let path = folder.join(format!("dictation-{}-{n}.{ENDING}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    // Locked while it is written, so that nobody takes it for one that was left behind.
                    file.try_lock().map_err(|e| Error::Journal { why: e.to_string() })?;
                    return Ok(Self { file, path, key: key.clone(), n_records: 0 });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed(&e)),
            }
        }
        Err(Error::Journal { why: "no free name".into() })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds samples; when it returns they are on the disk.
    ///
    /// # Errors
    /// [`Error::Journal`].
    pub fn add(&mut self, samples: &[f32]) -> Result<()> {
        let mut plain = Vec::with_capacity(TAG.len() + 4 + samples.len() * 2);
        plain.extend_from_slice(TAG);
        plain.extend_from_slice(&self.n_records.to_le_bytes());
        for sample in samples {
            plain.extend_from_slice(&((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16).to_le_bytes());
        }
        let sealed = mj_seal::seal(&self.key, &plain).map_err(|e| Error::Journal { why: e.to_string() })?;
        let length = u32::try_from(sealed.len()).map_err(|_too_long| Error::Journal { why: "record too long".into() })?;
        let mut record = Vec::with_capacity(4 + sealed.len());
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&sealed);
        self.file.write_all(&record).and_then(|()| self.file.sync_data()).map_err(|e| failed(&e))?;
        self.n_records += 1;
        Ok(())
    }
}

/// What a journal still holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// The sound. Shape: samples at 16,000 a second.
    pub samples: Vec<f32>,
    /// Whether the file ends inside a record: the process was stopped while writing it.
    pub is_torn: bool,
}

/// Reads a journal back, as far as it is whole.
///
/// # Errors
/// [`Error::Journal`] when the file cannot be read or not even its first record opens with this key.
pub fn recover(path: &Path, key: &Key) -> Result<Recovered> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|e| failed(&e))?;
    let mut found = Recovered { samples: Vec::new(), is_torn: false };
    let mut rest = bytes.as_slice();
    let mut n_records = 0_u32;
    while !rest.is_empty() {
        let Some((sealed, after)) = split_record(rest) else {
            found.is_torn = true;
            break;
        };
        let plain = match mj_seal::open(key, sealed) {
            Ok(plain) => plain,
            // A torn write may leave a record of the right length with the wrong bytes, at the end alone.
            Err(_) if after.is_empty() && n_records > 0 => {
                found.is_torn = true;
                break;
            }
            Err(e) => return Err(Error::Journal { why: e.to_string() }),
        };
        let samples = plain.strip_prefix(TAG).and_then(|p| p.strip_prefix(&n_records.to_le_bytes()));
        let samples = samples.ok_or_else(|| Error::Journal { why: "records are missing or out of order".into() })?;
        let value = |pair: &[u8; 2]| f32::from(i16::from_le_bytes(*pair)) / f32::from(i16::MAX);
        found.samples.extend(samples.as_chunks().0.iter().map(value));
        n_records += 1;
        rest = after;
    }
    Ok(found)
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|n| *n <= LONGEST)?;
    rest.split_at_checked(length)
}

fn failed(e: &io::Error) -> Error {
    Error::Journal { why: e.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path, key: &Key) -> PathBuf {
        let mut journal = Journal::begin(folder, key).unwrap();
        for n in 0..5 {
            journal.add(&[n as f32 / 10.0; 3200]).unwrap();
        }
        journal.path().to_owned()
    }

    #[test]
    fn what_was_said_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let found = recover(&written(folder.path(), &key), &key).unwrap();
        assert_eq!((found.samples.len(), found.is_torn), (16_000, false));
        assert!((found.samples[15_999] - 0.4).abs() < 1e-4);
        // A second dictation gets a file of its own.
        assert_ne!(written(folder.path(), &key), written(folder.path(), &key));
    }

    #[test]
    fn a_kill_in_the_middle_of_a_write_costs_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let path = written(folder.path(), &key);
        let whole = fs::read(&path).unwrap();
        let record = whole.len() / 5;
        for cut in [1, 2, 3, 4, 5, record / 2, record - 1] {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let found = recover(&path, &key).unwrap();
            assert_eq!((found.samples.len(), found.is_torn), (4 * 3200, true), "cut {cut}");
        }
    }

    #[test]
    fn nothing_readable_lies_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let bytes = fs::read(written(folder.path(), &key)).unwrap();
        assert!(!bytes.windows(TAG.len()).any(|w| w == TAG));
        assert!(recover(&written(folder.path(), &key), &Key::generate().unwrap()).is_err());
    }

    #[test]
    fn records_exchanged_or_left_out_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let path = written(folder.path(), &key);
        let whole = fs::read(&path).unwrap();
        let record = whole.len() / 5;
        fs::write(&path, [&whole[..record], &whole[2 * record..]].concat()).unwrap();
        assert!(matches!(recover(&path, &key), Err(Error::Journal { .. })));
    }
}
