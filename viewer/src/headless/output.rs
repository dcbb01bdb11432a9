//! Files that a job writes.

use super::{Context, jobs, patient};
use crate::{Error, Result, research};
use mj_imaging::export;
use mj_link::{JobResult, SeriesFiles};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, b| {
        // Writing to a String cannot fail.
        write!(text, "{b:02x}").ok();
        text
    })
}

/// Writes a file that appears whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let wrote = std::fs::File::create(&part).and_then(|mut f| f.write_all(bytes)).and_then(|()| std::fs::rename(&part, path));
    wrote.map_err(|source| {
        // What is left of it is of no use to anyone.
        std::fs::remove_file(&part).ok();
        Error::Write { path: path.to_owned(), source }
    })
}

/// Makes a folder and those above it.
pub(super) fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::write(path))
}

/// Files written, with one hash over all of them.
#[derive(Default)]
pub(super) struct Written {
    files: Vec<PathBuf>,
    hash: Sha256,
}

impl Written {
    /// Writes a file and counts it.
    pub(super) fn put(&mut self, path: PathBuf, bytes: &[u8]) -> Result<()> {
        write(&path, bytes)?;
        self.hash.update(bytes);
        self.files.push(path);
        Ok(())
    }

    /// The result of a job.
    pub(super) fn result(self) -> JobResult {
        JobResult::Written { written: self.files, sha256: hex(&self.hash.finalize()) }
    }
}

/// The volume of a series whose file says where it lies: NRRD and NIfTI would tell a made-up place as if it were known.
fn placed(series: &SeriesFiles, context: &Context) -> Result<mj_model::Volume> {
    let volume = jobs::any_volume(series, context)?;
    if volume.is_placed && volume.is_calibrated { Ok(volume) } else { Err(Error::Unplaced) }
}

/// Writes a volume as NRRD or NIfTI, or as a folder of DICOM files, by the name's ending.
pub(super) fn export(series: &SeriesFiles, to: &Path, context: &Context) -> Result<JobResult> {
    let name = to.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut written = Written::default();
    if name.ends_with(".nrrd") {
        written.put(to.to_owned(), &export::nrrd(&placed(series, context)?))?;
    } else if name.ends_with(".nii.gz") {
        written.put(to.to_owned(), &export::nifti(&placed(series, context)?))?;
    } else if to.extension().is_none() || to.is_dir() {
        if research::file_of(series).is_some() {
            return Err(Error::NoPatient);
        }
        patient::copy_objects(series, to, &mut written, context)?;
    } else {
        let ending = to.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        return Err(Error::UnknownEnding { ending });
    }
    Ok(written.result())
}
