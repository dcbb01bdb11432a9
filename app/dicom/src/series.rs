//! Whole series: many files to volumes and stacks of images.
//!
//! [`open`] reads the headers, sorts the slices along their normal and parts what cannot lie in one block:
//! other orientations, sizes, spacings, repeated positions. A stack is a [`Kind::Volume`] only when it is a
//! straight, even block, or when one can be computed from it (`resample`): a tilted gantry or uneven distances are told by
//! a warning, never silently a bent volume. Pixels are decoded when asked for, straight into the volume's memory.

mod apart;
#[cfg(test)]
mod apart_tests;
#[cfg(test)]
mod canary_tests;
mod cine;
mod cover;
mod cut;
#[cfg(test)]
mod cut_tests;
mod frame;
mod geometry;
mod image;
mod load;
mod look;
#[cfg(test)]
mod look_tests;
#[cfg(test)]
mod made;
#[cfg(test)]
mod reference_tests;
mod resample;
#[cfg(test)]
mod resample_tests;
#[cfg(test)]
mod tests;
pub mod ultrasound;
mod volume_type;

pub use apart::{Apart, Trait};
pub use cine::Cine;
pub use image::Image;
pub use load::decode_slice;

use crate::dataset::{CUT_SHORT, Head};
use crate::error::{Error, Result};
use crate::header::Header;
use crate::source::Source;
use crate::suv::{self, Suv};
use crate::watch::Watch;
use frame::Slice;
use mj_model::{Coded, FrameOfReferenceUid, Grid, InstanceUid, LinearMap, PointLps, SeriesUid, StudyUid, Unit, Warning, Window};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use volume_type::SampleType;

/// What a stack can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A straight, even block of at least three slices, or one computed from them: planes can be laid through it.
    Volume,
    /// Images to scroll through.
    Stack,
    /// Frames in time.
    Cine,
    /// Objects without an image.
    Document,
}

impl Kind {
    /// Its name in `show`: `volume`, `stack`, `cine`, `document`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Stack => "stack",
            Self::Cine => "cine",
            Self::Document => "document",
        }
    }
}

/// A file that was left out, and why.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// Its name, for a person; never for a log.
    pub name: String,
    /// Stable code.
    pub code: &'static str,
    /// English words.
    pub reason: String,
    /// The error, for telling it in the person's language.
    pub error: Error,
}

/// A series, read and sorted; pixels still in the files.
#[derive(Debug)]
pub struct Series {
    /// Its volumes and stacks, the largest first.
    pub stacks: Vec<Stack>,
    /// Files left out.
    pub skipped: Vec<Skipped>,
    /// Number of files that are cut short: shown in part.
    pub n_cut_short: usize,
    /// Header of the first object.
    pub header: Header,
}

/// One regular volume, or images that belong together.
pub struct Stack {
    files: Arc<[Arc<dyn Source>]>,
    slices: Vec<Slice>,
    kind: Kind,
    grid: Option<Grid>,
    resampling: Option<resample::Plan>,
    apart: Vec<Apart>,
    suv: Option<Suv>,
    warnings: Vec<Warning>,
    info: Info,
    recent: image::Recent,
}

/// What all slices of a stack have in common.
#[derive(Debug, Clone)]
struct Info {
    study: StudyUid,
    series: SeriesUid,
    modality: String,
    description: String,
    number: Option<i64>,
    frame_of_reference: Option<FrameOfReferenceUid>,
    transfer_syntaxes: BTreeSet<String>,
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stack")
            .field("kind", &self.kind)
            .field("n_slices", &self.slices.len())
            .field("grid", &self.grid)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Headers of one file.
struct Scanned {
    header: Header,
    slices: Vec<Slice>,
}

/// Reads the headers of files and sorts their images. Files of several series give the stacks of all of them;
/// [`open_all`] keeps series apart.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::NothingToShow`] without files; the first file's error when none can be opened.
pub fn open(files: &[Arc<dyn Source>], watch: &Watch) -> Result<Series> {
    let mut all = open_all(files, watch)?.into_iter();
    let mut first = all.next().ok_or(Error::NothingToShow)?;
    for other in all {
        first.stacks.extend(other.stacks);
        first.skipped.extend(other.skipped);
        first.n_cut_short += other.n_cut_short;
    }
    Ok(first)
}

/// As [`open`], one entry for each series, ordered by series number. What was skipped stands in the first.
///
/// # Errors
/// As [`open`].
pub fn open_all(files: &[Arc<dyn Source>], watch: &Watch) -> Result<Vec<Series>> {
    let files: Arc<[Arc<dyn Source>]> = files.into();
    let done = AtomicU64::new(0);
    let scans: Vec<Result<Scanned>> = files
        .par_iter()
        .enumerate()
        .map(|(at, file)| {
            watch.check()?;
            let scanned = scan(at, file.as_ref());
            (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, files.len() as u64);
            scanned
        })
        .collect();
    watch.check()?;
    let mut by_series: BTreeMap<SeriesUid, Vec<Scanned>> = BTreeMap::new();
    let mut skipped = Vec::new();
    let mut seen = BTreeSet::new();
    for (scan, file) in scans.into_iter().zip(files.iter()) {
        let left_out = match scan {
            Ok(scanned) if seen.insert(scanned.header.instance.clone()) => {
                by_series.entry(scanned.header.series.uid.clone()).or_default().push(scanned);
                continue;
            }
            Ok(_again) => Error::SameInstance,
            Err(error) => error,
        };
        skipped.push(Skipped { name: file.name(), code: left_out.code(), reason: left_out.to_string(), error: left_out });
    }
    let mut all: Vec<Series> = by_series.into_values().filter_map(|scans| series_of(&files, scans)).collect();
    all.sort_by_key(|series| series.header.series.number);
    let Some(first) = all.first_mut() else {
        // Nothing at all could be opened: the reason of the first file says more than "nothing".
        return Err(skipped.into_iter().next().map_or(Error::NothingToShow, |s| s.error));
    };
    first.skipped = skipped;
    Ok(all)
}

fn scan(at: usize, file: &dyn Source) -> Result<Scanned> {
    let head = Head::read(file.open()?.as_mut())?;
    let header = head.dataset.header()?;
    let slices = if header.has_pixels { frame::slices(at, &head, &header)? } else { Vec::new() };
    Ok(Scanned { header, slices })
}

fn series_of(files: &Arc<[Arc<dyn Source>]>, scans: Vec<Scanned>) -> Option<Series> {
    let header = scans.iter().find(|s| !s.slices.is_empty()).or(scans.first())?.header.clone();
    let shared = shared_warnings(&scans, &header);
    let n_cut_short = scans.iter().filter(|s| s.header.is_cut_short()).count();
    let info = Info {
        study: header.study.uid.clone(),
        series: header.series.uid.clone(),
        modality: header.series.modality.clone(),
        description: header.series.description.clone(),
        number: header.series.number,
        frame_of_reference: header.series.frame_of_reference.clone(),
        transfer_syntaxes: BTreeSet::new(),
    };
    let slices: Vec<Slice> = scans.into_iter().flat_map(|s| s.slices).collect();
    let has_images = !slices.is_empty();
    let mut stacks: Vec<Stack> = geometry::arrange(slices).into_iter().map(|block| stack_of(files, block, &info, &shared)).collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse((stack.kind == Kind::Volume, stack.slices.len())));
    if !has_images {
        stacks.push(stack_of(files, geometry::Block::without_images(), &info, &shared));
    }
    Some(Series { stacks, skipped: Vec::new(), n_cut_short, header })
}

fn stack_of(files: &Arc<[Arc<dyn Source>]>, block: geometry::Block, info: &Info, shared: &[Warning]) -> Stack {
    let mut info = info.clone();
    info.transfer_syntaxes = block.slices.iter().map(|s| s.transfer_syntax.as_str().to_owned()).collect();
    if let Some(first) = block.slices.first() {
        info.frame_of_reference.clone_from(&first.frame_of_reference);
    }
    let mut warnings = shared.to_vec();
    warnings.extend(block.warnings);
    warnings.extend(volume_type::warnings(&block.slices));
    warnings.extend(look::warnings(&block.slices, block.kind));
    let suv = suv::of_images(block.slices.iter().filter_map(|s| s.pet.as_deref()), &mut warnings);
    // Regions say more than that there is no spacing.
    let has_regions = warnings.iter().any(|w| w.code == "geometry.only_regions");
    let mut known = BTreeSet::new();
    warnings.retain(|w| known.insert(w.clone()) && !(has_regions && w.code == "geometry.no_spacing"));
    Stack {
        files: Arc::clone(files),
        slices: block.slices,
        kind: block.kind,
        grid: block.grid,
        resampling: block.resampling,
        apart: block.apart,
        suv,
        warnings,
        info,
        recent: image::Recent::default(),
    }
}

fn shared_warnings(scans: &[Scanned], header: &Header) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for scan in scans {
        for warning in &scan.header.warnings {
            // Of several files one line tells how many are cut short, not each how far.
            if !warnings.contains(warning) && (scans.len() == 1 || warning.code != CUT_SHORT) {
                warnings.push(warning.clone());
            }
        }
    }
    let others = |differs: &dyn Fn(&Header) -> bool| scans.iter().filter(|s| differs(&s.header)).count();
    let cut = others(&Header::is_cut_short);
    if cut > 0 && scans.len() > 1 {
        warnings.push(Warning::new(CUT_SHORT, format!("{cut} of {} files", scans.len())));
    }
    let strangers = others(&|h| h.patient.key != header.patient.key);
    if strangers > 0 {
        warnings.push(Warning::new("patient.mixed", format!("{strangers} of {} objects name another patient", scans.len())));
    }
    let elsewhere = others(&|h| h.study.uid != header.study.uid);
    if elsewhere > 0 {
        warnings.push(Warning::new("study.mixed", format!("{elsewhere} of {} objects name another study", scans.len())));
    }
    warnings
}

impl Stack {
    /// What it can be used for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The grid of a volume, or of a single image; `None` for images that do not form one grid.
    #[must_use]
    pub const fn grid(&self) -> Option<Grid> {
        self.grid
    }

    /// What is odd about it.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Number of slices or frames that are stored.
    #[must_use]
    pub fn n_slices(&self) -> usize {
        self.slices.len()
    }

    /// Study Instance UID.
    #[must_use]
    pub const fn study(&self) -> &StudyUid {
        &self.info.study
    }

    /// Series Instance UID.
    #[must_use]
    pub const fn series(&self) -> &SeriesUid {
        &self.info.series
    }

    /// Modality.
    #[must_use]
    pub fn modality(&self) -> &str {
        &self.info.modality
    }

    /// Series Description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.info.description
    }

    /// Series Number.
    #[must_use]
    pub const fn number(&self) -> Option<i64> {
        self.info.number
    }

    /// Frame of Reference UID.
    #[must_use]
    pub const fn frame_of_reference(&self) -> Option<&FrameOfReferenceUid> {
        self.info.frame_of_reference.as_ref()
    }

    /// Transfer syntaxes of its files, sorted.
    pub fn transfer_syntaxes(&self) -> impl Iterator<Item = &str> {
        self.info.transfer_syntaxes.iter().map(String::as_str)
    }

    /// True when the volume is computed from slices that do not form one themselves: [`Stack::load`] gives its planes,
    /// [`Stack::load_slice`] still the images as they are stored.
    #[must_use]
    pub const fn is_resampled(&self) -> bool {
        self.resampling.is_some()
    }

    /// True for a plane of a computed volume that lies where slices are missing: it holds padding only.
    #[must_use]
    pub fn is_empty_plane(&self, k: usize) -> bool {
        self.resampling.as_ref().is_some_and(|plan| plan.is_empty_plane(k))
    }

    /// True where a row of slice `k` is there; false for the last rows of a file that is cut short.
    #[must_use]
    pub fn has_row(&self, k: usize, row: usize) -> bool {
        self.slices.get(k).is_some_and(|s| row < s.rows_there as usize)
    }

    /// What it differs in from the other stacks of the series; empty where nothing has to be told apart.
    #[must_use]
    pub fn apart(&self) -> &[Apart] {
        &self.apart
    }

    /// From its values to standardized uptake; none where it is no PET, or where a warning says why it cannot be.
    #[must_use]
    pub const fn suv(&self) -> Option<Suv> {
        self.suv
    }

    /// Columns, rows and number of slices; those of the computed block where it is resampled.
    #[must_use]
    pub fn matrix(&self) -> [usize; 3] {
        if let Some(plan) = &self.resampling {
            return plan.grid.dims;
        }
        let (columns, rows) = self.slices.first().map_or((0, 0), |s| (s.layout.columns as usize, s.layout.rows as usize));
        [columns, rows, self.slices.len()]
    }

    /// Name of the sample type of its volume: `i16`, `u16`, `u8`, `f32`.
    #[must_use]
    pub fn sample_name(&self) -> &'static str {
        SampleType::of(&self.slices).name()
    }

    /// From stored values to [`Stack::unit`]; the identity where slices differ (they are then converted).
    #[must_use]
    pub fn map(&self) -> LinearMap {
        volume_type::map_of(&self.slices)
    }

    /// Unit of its values.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.slices.first().map_or_else(Unit::one, |s| s.unit.clone())
    }

    /// False when lengths can only be told in pixels.
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        self.slices.first().is_some_and(|s| s.is_calibrated)
    }

    /// Windows from the file, those of the middle slice.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        self.slices.get(self.slices.len() / 2).map_or(&[], |s| s.windows.as_slice())
    }

    /// The grid of one slice by itself (one voxel thick).
    #[must_use]
    pub fn slice_grid(&self, k: usize) -> Option<Grid> {
        self.slices.get(k).map(geometry::grid_of_slice)
    }

    /// The slice nearest to a position (mm, LPS), by the distance from its plane; none where no slice has a place.
    #[must_use]
    pub fn nearest_slice(&self, at: PointLps) -> Option<usize> {
        let placed = self.slices.iter().enumerate().filter(|(_, s)| s.is_placed());
        let away = |slice: &Slice| {
            let grid = geometry::grid_of_slice(slice);
            (at - grid.origin).dot(grid.axes[2]).abs()
        };
        placed.map(|(k, s)| (k, away(s))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)
    }

    /// The slice that came from an image, a frame of it where it has several.
    #[must_use]
    pub fn slice_from(&self, instance: &InstanceUid, frame: Option<u32>) -> Option<usize> {
        self.slices.iter().position(|s| s.source.instance == *instance && s.source.frame == frame)
    }
}
