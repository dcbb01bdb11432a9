//! One job: from its description to its result.

use super::{Context, output, phantom, pictures, registration, segments};
use crate::source::{self, ObjectSource};
use crate::{Error, Result, research};
use mj_dicom::series::{Apart, Series, Stack};
use mj_dicom::{Dataset, Source as _};
use mj_link::job::{ApartBy, BlockOf, Described, ProbeAt, SuvFactors};
use mj_link::{Job, JobResult, SeriesFiles};
use mj_model::{Volume, Voxel};
use rayon::prelude::*;
use std::path::PathBuf;

/// Runs a job.
///
/// # Errors
/// Whatever the work says; [`Error::Cancelled`] when it was taken back.
pub fn run(job: &Job, context: &Context) -> Result<JobResult> {
    match job {
        Job::Describe { series } => describe(series, context),
        Job::Probe { series, at } => probe(series, *at, context),
        Job::Nearest { series, at } => nearest(series, *at, context),
        Job::Check { paths } => check(paths, context),
        Job::PixelHash { file } => {
            let dataset = Dataset::read(&read(&ObjectSource::of(file, context.keys.as_ref())?)?)?;
            let hash = mj_dicom::pixels::samples_sha256(&mj_dicom::pixels::decode(&dataset)?);
            Ok(JobResult::PixelHash { samples_sha256: output::hex(&hash) })
        }
        Job::Render { series, view, out } => pictures::render(series, view, out, context),
        Job::Export { series, to } => output::export(series, to, context),
        Job::Phantom { out, seed, slices, size } => phantom::write(out, *seed, *slices, *size, context),
        Job::Segment { series, op, label } => segments::make(series, op, label, context),
        Job::Segments { file } => segments::facts(file, context),
        Job::Register { prior, current, points, present } => registration::register(prior, current, points, present, context),
        Job::Cut { series, segment, number, plane, stl } => segments::cut(series, (segment, *number), plane, stl.as_deref(), context),
        Job::ExportSegment { series, segment, number, to } => segments::export(series, (segment, *number), to, context),
    }
}

/// Reads an object file.
pub(super) fn read(source: &ObjectSource) -> Result<Vec<u8>> {
    source.read().map_err(|e| Error::Read { path: source.path().to_owned(), source: e })
}

/// Opens a series of the link.
pub(super) fn open(series: &SeriesFiles, context: &Context) -> Result<Series> {
    let sources = source::of_series(series, context.keys.as_ref())?;
    let quiet = mj_dicom::Watch { cancel: std::sync::Arc::clone(&context.cancel), ..Default::default() };
    Ok(mj_dicom::series::open(&sources, &quiet)?)
}

/// The largest stack of a series.
pub(super) fn main_stack(series: &Series) -> Result<&Stack> {
    series.stacks.first().ok_or(Error::NothingToShow)
}

/// Opens a series and loads it as a volume, whole: a missing end slice, or missing rows, would not be seen in a number.
pub(super) fn volume(series: &SeriesFiles, context: &Context) -> Result<(Series, Volume)> {
    let series = open(series, context)?;
    let n_missing = series.skipped.len() + series.n_cut_short;
    if n_missing > 0 {
        return Err(Error::Incomplete(n_missing));
    }
    let volume = main_stack(&series)?.load(&context.watch())?;
    Ok((series, volume))
}

/// The volume of a series, or of the research file in its place.
pub(super) fn any_volume(series: &SeriesFiles, context: &Context) -> Result<Volume> {
    match research::file_of(series) {
        Some(path) => research::volume(path),
        None => Ok(volume(series, context)?.1),
    }
}

fn describe(series: &SeriesFiles, context: &Context) -> Result<JobResult> {
    if let Some(path) = research::file_of(series) {
        return Ok(JobResult::Described(Box::new(research::describe(path)?)));
    }
    let series = open(series, context)?;
    let stack = main_stack(&series)?;
    let grid = stack.grid();
    let mut warnings = stack.warnings().to_vec();
    // Other blocks and files left out are part of the truth about a series.
    warnings.extend(crate::reading::scene::left_out(&series, 0));
    Ok(JobResult::Described(Box::new(Described {
        kind: stack.kind().name().to_owned(),
        matrix: stack.matrix(),
        spacing_mm: grid.filter(|_| stack.is_calibrated()).map(|g| g.spacing_mm),
        origin_lps: grid.map(|g| g.origin),
        direction: grid.map(|g| {
            let [i, j, k] = g.axes;
            [[i.x, j.x, k.x], [i.y, j.y, k.y], [i.z, j.z, k.z]]
        }),
        frame_of_reference_uid: stack.frame_of_reference().map(|f| f.as_str().to_owned()),
        sample: stack.sample_name().to_owned(),
        unit: stack.unit().label().to_owned(),
        transfer_syntaxes: stack.transfer_syntaxes().map(str::to_owned).collect(),
        warnings,
        resampled_from: stack.is_resampled().then(|| stack.n_slices()),
        blocks: series.stacks.iter().map(|stack| block(stack, context)).collect(),
        suv: stack.suv().map(|suv| SuvFactors { body_weight: suv.body_weight, lean_body_mass: suv.lean_body_mass }),
    })))
}

fn block(stack: &Stack, context: &Context) -> BlockOf {
    let by = |apart: &Apart| ApartBy {
        code: apart.what.code().to_owned(),
        value: apart.value.clone(),
        text: crate::reading::scene::difference(apart, context.lang),
    };
    BlockOf { kind: stack.kind().name().to_owned(), images: stack.n_slices(), apart: stack.apart().iter().map(by).collect() }
}

/// Reads one voxel, decoding only the slice it lies on, or the two it is computed from.
fn probe(series: &SeriesFiles, at: ProbeAt, context: &Context) -> Result<JobResult> {
    if let Some(path) = research::file_of(series) {
        return research::probe(path, at);
    }
    let series = open(series, context)?;
    let stack = main_stack(&series)?;
    let [ni, nj, nk] = stack.matrix();
    let voxel = match (at, stack.grid()) {
        (ProbeAt::Voxel(voxel), _) => voxel,
        (ProbeAt::Lps(p), Some(grid)) => grid.nearest_voxel(p).ok_or(Error::Outside)?,
        (ProbeAt::Lps(_), None) => return Err(Error::NotAVolume),
    };
    if voxel.i >= ni || voxel.j >= nj || voxel.k >= nk {
        return Err(Error::Outside);
    }
    if stack.is_empty_plane(voxel.k) || (!stack.is_resampled() && !stack.has_row(voxel.k, voxel.j)) {
        return Err(Error::NotImaged);
    }
    let slice = stack.load_plane(voxel.k)?;
    let in_slice = Voxel { k: 0, ..voxel };
    let ijk = [voxel.i as f64, voxel.j as f64, voxel.k as f64];
    let lps = stack.grid().map_or_else(|| slice.grid.lps_from_voxel([ijk[0], ijk[1], 0.0]), |g| g.lps_from_voxel(ijk));
    let stored = slice.stored(in_slice).ok_or(Error::Outside)?;
    Ok(JobResult::Probed { voxel, lps, stored, value: slice.map.apply(stored), unit: slice.unit })
}

fn nearest(series: &SeriesFiles, at: mj_model::PointLps, context: &Context) -> Result<JobResult> {
    let series = open(series, context)?;
    let stack = main_stack(&series)?;
    // Positions in mm mean nothing on an image that has no scale.
    if !stack.is_calibrated() {
        return Err(Error::Uncalibrated);
    }
    let k = match stack.nearest_slice(at) {
        Some(k) if holds(stack, k, at) => k,
        Some(_) => return Err(Error::Outside),
        // A single image without a place in the patient is the nearest there is.
        None if stack.n_slices() == 1 => 0,
        None => return Err(Error::NotAVolume),
    };
    let slice = stack.load_slice(k)?;
    let source = slice.sources.into_iter().next().ok_or(Error::NothingToShow)?;
    Ok(JobResult::Nearest {
        instance: source.instance,
        sop_class: source.sop_class,
        frame: source.frame,
        frame_of_reference: stack.frame_of_reference().cloned(),
    })
}

/// True when a position lies on slice `k`, the nearest one: within half a voxel of its image, and of its plane within half
/// a slice or half the way to its neighbour. Units: mm, LPS.
fn holds(stack: &Stack, k: usize, at: mj_model::PointLps) -> bool {
    let Some(grid) = stack.slice_grid(k) else { return false };
    let neighbours = [k.checked_sub(1), k.checked_add(1)].into_iter().flatten().filter_map(|other| stack.slice_grid(other));
    let away = |origin: mj_model::PointLps| (origin - grid.origin).dot(grid.axes[2]).abs();
    let reach = neighbours.map(|other| away(other.origin)).fold(grid.spacing_mm[2], f64::max) / 2.0;
    let [i, j, _] = grid.voxel_from_lps(at);
    let is_on_image = |index: f64, n: usize| (-0.5..=n as f64 - 0.5).contains(&index);
    is_on_image(i, grid.dims[0]) && is_on_image(j, grid.dims[1]) && away(at) <= reach + 1e-6
}

/// Examines plain files, those of folders one by one. A refusal is told in the reader's language.
fn check(paths: &[PathBuf], context: &Context) -> Result<JobResult> {
    let files: Vec<PathBuf> = paths
        .iter()
        .flat_map(|path| {
            let inside = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten().filter(|e| e.file_type().is_file());
            let mut found: Vec<PathBuf> = inside.map(walkdir::DirEntry::into_path).collect();
            if found.is_empty() {
                // Named in the answer as what could not be read.
                found.push(path.clone());
            }
            found
        })
        .collect();
    let done = std::sync::atomic::AtomicU64::new(0);
    let lines: Result<Vec<serde_json::Value>> = files
        .par_iter()
        .map(|path| {
            context.check()?;
            let line = check_one(path, context)?;
            let n = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            (context.progress)(n, files.len() as u64);
            Ok(line)
        })
        .collect();
    Ok(JobResult::Checked { files: lines? })
}

fn check_one(path: &std::path::Path, context: &Context) -> Result<serde_json::Value> {
    let name = path.display().to_string();
    if research::is_research(path) {
        return Ok(research::check(path, context.lang));
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(source) => {
            let told = mj_lang::tell(&Error::Read { path: path.to_owned(), source }, context.lang);
            return Ok(
                serde_json::json!({ "path": name, "result": "refused", "code": told.code, "message": told.message, "warnings": [] }),
            );
        }
    };
    // A codec's panic refuses this file and no other.
    let line = std::panic::catch_unwind(|| mj_dicom::check::check(&bytes, &name));
    let Ok(mut line) = line else {
        let told = mj_lang::tell(&Error::Panicked, context.lang);
        return Ok(serde_json::json!({ "path": name, "result": "refused", "code": told.code, "message": told.message, "warnings": [] }));
    };
    if let Some(error) = &line.error {
        line.message = Some(mj_lang::tell(error, context.lang).message);
    }
    serde_json::to_value(&line).map_err(|e| Error::Write { path: path.to_owned(), source: e.into() })
}
