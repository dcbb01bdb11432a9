//! Research files (NIfTI, NRRD, MetaImage) in place of a series: no patient is known, nothing is kept.

use crate::overlay::Line;
use crate::{Error, Result};
use mj_imaging::import;
use mj_lang::key;
use mj_link::SeriesFiles;
use mj_link::job::{Described, ProbeAt};
use mj_model::{Lang, ResearchFormat, Samples, Volume, Voxel};
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::path::Path;

/// True for a file whose name says a research format and whose content is not DICOM: old objects may be called `.img`
/// too.
#[must_use]
pub fn is_research(path: &Path) -> bool {
    ResearchFormat::of(path).is_some() && !is_dicom(path)
}

/// True when the four letters of a DICOM file stand behind its preamble. Source: PS3.10 §7.1.
fn is_dicom(path: &Path) -> bool {
    let mut head = [0_u8; 132];
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    is_file && std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok() && head.ends_with(b"DICM"))
}

/// The research file that stands in place of a series.
#[must_use]
pub fn file_of(series: &SeriesFiles) -> Option<&Path> {
    match series.files.as_slice() {
        [file] if !file.sealed && is_research(&file.path) => Some(&file.path),
        _ => None,
    }
}

/// Its volume.
///
/// # Errors
/// [`Error::Research`].
pub fn volume(path: &Path) -> Result<Volume> {
    Ok(import::open(path)?.volume)
}

/// Each image of a volume by itself: for one of so few that no plane can be cut through it.
#[must_use]
pub fn images(volume: Volume) -> Vec<Volume> {
    let [ni, nj, nk] = volume.grid.dims;
    let of = |k: usize| {
        let range = k * ni * nj..(k + 1) * ni * nj;
        let samples = match &volume.samples {
            Samples::I16(s) => s.get(range).map(|s| Samples::I16(s.to_vec())),
            Samples::U16(s) => s.get(range).map(|s| Samples::U16(s.to_vec())),
            Samples::U8(s) => s.get(range).map(|s| Samples::U8(s.to_vec())),
            Samples::F32(s) => s.get(range).map(|s| Samples::F32(s.to_vec())),
        }?;
        let origin = volume.grid.lps_from_voxel([0.0, 0.0, k as f64]);
        let grid = mj_model::Grid { dims: [ni, nj, 1], origin, ..volume.grid };
        Some(Volume { grid, samples, ..volume.clone() })
    };
    (0..nk).filter_map(of).collect()
}

/// What stands where a patient's name would.
#[must_use]
pub fn patient_lines(lang: Lang) -> Vec<Line> {
    vec![
        Line { weight: crate::overlay::Weight::Lead, ..Line::plain(key::RESEARCH_NO_PATIENT.get(lang)) },
        Line::plain(key::RESEARCH_MARK.get(lang)),
    ]
}

/// What stands where study and series would: the file's name.
#[must_use]
pub fn study_lines(path: &Path) -> Vec<Line> {
    let format = ResearchFormat::of(path).map_or("", ResearchFormat::name);
    vec![Line::plain(name(path)), Line::quiet(format)]
}

/// The file's name, for the screen.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Describes a file as if it were a series.
pub(crate) fn describe(path: &Path) -> Result<Described> {
    let volume = volume(path)?;
    let grid = volume.grid;
    let [i, j, k] = grid.axes;
    Ok(Described {
        kind: if grid.dims[2] >= 3 { "volume" } else { "stack" }.into(),
        matrix: grid.dims,
        spacing_mm: volume.is_calibrated.then_some(grid.spacing_mm),
        origin_lps: volume.is_placed.then_some(grid.origin),
        direction: volume.is_placed.then_some([[i.x, j.x, k.x], [i.y, j.y, k.y], [i.z, j.z, k.z]]),
        frame_of_reference_uid: None,
        sample: volume.samples.type_name().into(),
        unit: volume.unit.label().into(),
        transfer_syntaxes: Vec::new(),
        warnings: volume.warnings,
        resampled_from: None,
        blocks: Vec::new(),
        suv: None,
    })
}

/// Reads one voxel.
pub(crate) fn probe(path: &Path, at: ProbeAt) -> Result<mj_link::JobResult> {
    let volume = volume(path)?;
    let voxel = match at {
        ProbeAt::Voxel(voxel) => voxel,
        ProbeAt::Lps(p) => volume.grid.nearest_voxel(p).ok_or(Error::Outside)?,
    };
    let stored = volume.stored(voxel).ok_or(Error::Outside)?;
    let value = volume.map.apply(stored);
    if !value.is_finite() {
        return Err(Error::NoNumber);
    }
    let Voxel { i, j, k } = voxel;
    let lps = volume.grid.lps_from_voxel([i as f64, j as f64, k as f64]);
    Ok(mj_link::JobResult::Probed { voxel, lps, stored, value, unit: volume.unit })
}

/// The line of `check`, in the form of DICOM's; `frames` are slices. Minimum, maximum and mean leave out what is no
/// number; the hash is over all values as they are held.
pub(crate) fn check(path: &Path, lang: Lang) -> serde_json::Value {
    let shown = path.display().to_string();
    let opened = match import::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            let told = mj_lang::tell(&error, lang);
            return serde_json::json!({
                "path": shown, "result": "refused", "code": told.code, "message": told.message, "warnings": [],
            });
        }
    };
    let range = opened.stored_range();
    let (stored, format) = (opened.stored, opened.format);
    let [columns, rows, frames] = opened.volume.grid.dims;
    serde_json::json!({
        "path": shown,
        "result": "opened",
        "code": null,
        "message": null,
        "format": format,
        "sop_class": null,
        "transfer_syntax": null,
        "rows": rows,
        "columns": columns,
        "frames": frames,
        "bits_allocated": stored.bytes() * 8,
        "bits_stored": stored.bytes() * 8,
        "signed": stored.is_signed(),
        "photometric": null,
        "stored_min": range.map(|r| r.0),
        "stored_max": range.map(|r| r.1),
        "stored_mean": range.map(|r| r.2),
        "samples_sha256": samples_sha256(&opened.volume.samples),
        "warnings": opened.volume.warnings,
    })
}

/// Hash over the values as little-endian `i32`, `f32` where they are floats.
fn samples_sha256(samples: &Samples) -> String {
    let mut hash = Sha256::new();
    match samples {
        Samples::I16(v) => feed(&mut hash, v, |s| i32::from(s).to_le_bytes()),
        Samples::U16(v) => feed(&mut hash, v, |s| i32::from(s).to_le_bytes()),
        Samples::U8(v) => feed(&mut hash, v, |s| i32::from(s).to_le_bytes()),
        Samples::F32(v) => feed(&mut hash, v, f32::to_le_bytes),
    }
    crate::headless::hex(&hash.finalize())
}

fn feed<T: Copy>(hash: &mut Sha256, values: &[T], bytes: impl Fn(T) -> [u8; 4]) {
    let mut buffer = Vec::with_capacity(4 << 12);
    for part in values.chunks(1 << 12) {
        buffer.clear();
        buffer.extend(part.iter().flat_map(|&v| bytes(v)));
        hash.update(&buffer);
    }
}
