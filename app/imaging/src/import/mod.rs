//! Volume files of research read: NIfTI, NRRD and MetaImage, each turned from its own axes into LPS here, once.
//!
//! They name no patient and say nothing of how an image was made. What they do not say is not made up: a file
//! without a place in the patient gives a volume that is not placed, one without a spacing one that is not
//! calibrated. A grid keeps the order of its axes, left-handed or not, so that a voxel has the index it has in other
//! programs; a sheared one is refused. Of several volumes in one file the first is read, with a warning.
//!
//! Own code, because the headers are small and the kept readers trust them: a lying header must not cost memory that
//! the file could never fill.

mod data;
mod error;
mod grid;
mod metaimage;
mod nifti;
mod nrrd;
#[cfg(test)]
mod tests;
mod text;

pub use data::Stored;
pub use error::{Error, Result};

use mj_model::{LinearMap, ResearchFormat, Samples, Volume, Warning, Window};
use std::path::Path;

/// A file that was read.
#[derive(Debug)]
pub struct Opened {
    /// The volume. Study and series are fresh UIDs that name nothing.
    pub volume: Volume,
    /// The format with its version, for example `NIfTI-1`.
    pub format: &'static str,
    /// Type of the values in the file.
    pub stored: Stored,
}

/// A header that was read; the voxels still in the file.
#[derive(Debug)]
struct Parsed {
    format: &'static str,
    dims: [usize; 3],
    place: grid::Place,
    is_calibrated: bool,
    is_placed: bool,
    map: LinearMap,
    windows: Vec<Window>,
    modality: String,
    data: data::Data,
    warnings: Vec<Warning>,
}

/// Reads a file, by the format that its name says: `.nii`, `.nii.gz`, `.hdr` with `.img`, `.nrrd`, `.nhdr`, `.mha`,
/// `.mhd`. Positions are LPS in mm; values are stored values with one linear map, of an unknown unit.
///
/// Whole numbers are kept in the smallest sample type that holds them all exactly. Where none does they become
/// `f32`, with a warning when that rounds.
///
/// # Errors
/// [`Error`] says what is wrong. No more memory is taken than the file can fill: packed voxels up to 1,032 times the
/// file's length.
pub fn open(path: &Path) -> Result<Opened> {
    let mut parsed = match ResearchFormat::of(path).ok_or(Error::UnknownFormat)? {
        ResearchFormat::Nifti => nifti::parse(path),
        ResearchFormat::Nrrd => nrrd::parse(path),
        ResearchFormat::MetaImage => metaimage::parse(path),
    }?;
    // What cannot be shown right is refused before its voxels are read.
    let grid = parsed.place.grid(parsed.dims)?;
    let samples = parsed.data.read(&mut parsed.warnings)?;
    let is_of_values = |w: &Window| w.width.is_finite() && w.center.is_finite();
    parsed.windows.retain(is_of_values);
    let volume = Volume {
        modality: parsed.modality,
        is_calibrated: parsed.is_calibrated,
        is_placed: parsed.is_placed,
        map: parsed.map,
        windows: parsed.windows,
        warnings: parsed.warnings,
        ..Volume::of(grid, samples)
    };
    Ok(Opened { volume, format: parsed.format, stored: parsed.data.stored })
}

impl Opened {
    /// Smallest, largest and mean stored value, of those that are numbers; `None` where none is.
    #[must_use]
    pub fn stored_range(&self) -> Option<(f64, f64, f64)> {
        let samples: &Samples = &self.volume.samples;
        let numbers = (0..samples.len()).filter_map(|at| samples.stored(at)).filter(|v| v.is_finite());
        let start = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0_u64);
        let (low, high, sum, n) = numbers.fold(start, |(low, high, sum, n), v| (low.min(v), high.max(v), sum + v, n + 1));
        (n > 0).then(|| (low, high, sum / n as f64))
    }
}
