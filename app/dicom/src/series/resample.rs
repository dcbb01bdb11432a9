//! From slices that are sheared (tilted gantry) or unevenly spaced to a straight, even block.
//!
//! The grid has the slices' own directions i and j, and their normal. Its planes begin at the first slice and end at the
//! last. In a plane, a slice is moved by the part of its position that is not along the normal, so the shear is undone; the
//! matrix grows until every pixel of every slice has its place, and what no slice covers holds the padding value. Values
//! between two slices are interpolated linearly (bilinear in the plane), in `f64`, and rounded to the sample type: by at
//! most half a stored unit.
//!
//! Nothing is interpolated across a missing slice: planes further from a slice than half the usual distance stay empty.

use super::frame::Slice;
use super::geometry::grid_of_slice;
use crate::error::{Error, Result};
use crate::pixels::MAX_DECODED;
use crate::watch::Watch;
use mj_model::{Grid, Padding, Samples, Unit, VectorLps, Volume};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// Distances that differ by less are the same. Units: mm.
const SAME_MM: f64 = 1e-3;
/// Shifts in the plane closer to a whole pixel than this are whole. Units: pixels.
const WHOLE: f64 = 1e-2;
/// A gap counts as covered up to this many times the usual distance, or
const COVERED: f64 = 1.5;
/// up to this many times the slice thickness.
const OF_THICKNESS: f64 = 1.1;
/// Most slices that may be missing side by side. More missing is another scan, not a hole in one.
const MOST_MISSING: f64 = 2.0;
/// Most voxels for each stored pixel.
const MOST_GROWTH: f64 = 8.0;
/// Slices that move further aside than this many times their extent along the normal lie beside each other.
const MOST_ASIDE: f64 = 2.0;

/// How a stack becomes a block.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub grid: Grid,
    /// Column and row of the grid on which the first pixel of each slice falls.
    shifts: Vec<[f64; 2]>,
    planes: Vec<PlanePlan>,
    /// Number of gaps in which slices are missing.
    pub n_holes: usize,
}

/// What a plane is made of.
#[derive(Debug, Clone, PartialEq)]
struct PlanePlan {
    /// Slices with their weights, which add up to one; none for a plane that stays empty.
    weights: Vec<(usize, f64)>,
    nearest: usize,
}

/// Why a stack cannot be made straight and even, in English words for a warning.
pub(super) type Refusal = String;

impl Plan {
    /// Plans the block of slices sorted along their normal. `usual_mm` is the usual distance.
    pub(super) fn of(slices: &[Slice], normal: VectorLps, usual_mm: f64) -> std::result::Result<Self, Refusal> {
        let first = slices.first().ok_or("no slices")?;
        let (origin, [i, j]) = (first.position.ok_or("no positions")?, first.axes.ok_or("no orientation")?);
        let [si, sj] = first.spacing_mm;
        let aside: Vec<VectorLps> = slices.iter().filter_map(|s| s.position).map(|p| p - origin).collect();
        let depths: Vec<f64> = aside.iter().map(|d| d.dot(normal)).collect();
        let shifts: Vec<[f64; 2]> = aside.iter().map(|d| [snapped(d.dot(i) / si), snapped(d.dot(j) / sj)]).collect();
        let gaps = super::geometry::gaps(&depths);
        let extent = depths.last().copied().unwrap_or(0.0);
        if depths.len() != slices.len() || gaps.is_empty() || !gaps.iter().all(|gap| *gap > SAME_MM) {
            return Err("several images in one plane".into());
        }
        let holes = holes(slices, &gaps, usual_mm)?;
        let [[low_i, high_i], [low_j, high_j]] = [0, 1].map(|axis| range(&shifts, axis));
        let most_aside = ((high_i - low_i) * si).hypot((high_j - low_j) * sj);
        if most_aside > MOST_ASIDE * extent {
            return Err(format!("slices shift by {most_aside:.0} mm over {extent:.0} mm"));
        }
        let mut grid = grid_of_slice(first);
        let [columns, rows, _] = grid.dims;
        let (wide, high) = (columns as f64 + high_i - low_i, rows as f64 + high_j - low_j);
        let stored = columns as f64 * rows as f64 * slices.len() as f64;
        // What is stored and the block are in memory together, at most four bytes a voxel.
        let most = (MOST_GROWTH * stored).min((MAX_DECODED / 4) as f64 - stored);
        let planes = ((extent / step(&gaps, usual_mm) - SAME_MM).ceil().max(1.0) + 1.0).min((most / (wide * high)).floor());
        if planes.is_nan() || planes < slices.len() as f64 {
            return Err("the block would need too much memory".into());
        }
        grid.dims = [wide as usize, high as usize, planes as usize];
        grid.origin = grid.origin + i * (low_i * si) + j * (low_j * sj);
        grid.spacing_mm[2] = extent / (planes - 1.0);
        let reach_mm = usual_mm / 2.0 + SAME_MM;
        let planes = (0..grid.dims[2]).map(|k| plane(grid.spacing_mm[2] * k as f64, &depths, &holes, reach_mm)).collect();
        let shifts = shifts.into_iter().map(|[i, j]| [i - low_i, j - low_j]).collect();
        Ok(Self { grid, shifts, planes, n_holes: holes.iter().filter(|hole| **hole).count() })
    }

    /// True for a plane that no slice reaches.
    pub(super) fn is_empty_plane(&self, k: usize) -> bool {
        self.planes.get(k).is_some_and(|plane| plane.weights.is_empty())
    }

    /// Number of planes that stay empty.
    pub(super) fn n_empty(&self) -> usize {
        self.planes.iter().filter(|plane| plane.weights.is_empty()).count()
    }

    /// The plan of one plane alone, and the slices it needs, in order.
    pub(super) fn of_plane(&self, k: usize) -> Option<(Self, Vec<usize>)> {
        let plane = self.planes.get(k)?;
        let mut needed: Vec<usize> = plane.weights.iter().map(|(at, _)| *at).collect();
        if needed.is_empty() {
            needed.push(plane.nearest);
        }
        let at = |slice: usize| needed.iter().position(|&n| n == slice).unwrap_or(0);
        let own = PlanePlan { weights: plane.weights.iter().map(|&(s, w)| (at(s), w)).collect(), nearest: at(plane.nearest) };
        let mut grid = self.grid;
        grid.origin = grid.lps_from_voxel([0.0, 0.0, k as f64]);
        grid.dims[2] = 1;
        let shifts = needed.iter().filter_map(|&slice| self.shifts.get(slice).copied()).collect();
        Some((Self { grid, shifts, planes: vec![own], n_holes: 0 }, needed))
    }

    /// Makes the block out of the stored slices, `[slice][j][i]` in `stored`.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Broken`] when the samples are not those that were planned for.
    pub(super) fn apply(&self, stored: Volume, bits_stored: u16, watch: &Watch) -> Result<Volume> {
        let padding = padding(&stored, bits_stored, || least_of(&stored.samples));
        let samples = match &stored.samples {
            Samples::I16(v) => Samples::I16(self.planes(v, &stored, padding, watch)?),
            Samples::U16(v) => Samples::U16(self.planes(v, &stored, padding, watch)?),
            Samples::U8(v) => Samples::U8(self.planes(v, &stored, padding, watch)?),
            Samples::F32(v) => Samples::F32(self.planes(v, &stored, padding, watch)?),
        };
        let sources = self.planes.iter().filter_map(|plane| stored.sources.get(plane.nearest).cloned()).collect();
        let own = stored.padding.filter(|own| own.holds(padding));
        Ok(Volume { grid: self.grid, samples, padding: own.or(Some(Padding::between(padding, padding))), sources, ..stored })
    }

    fn planes<T: Blend>(&self, from: &[T], stored: &Volume, padding: f64, watch: &Watch) -> Result<Vec<T>> {
        let [columns, rows, n] = stored.grid.dims;
        let [wide, high, planes] = self.grid.dims;
        if n != self.shifts.len() || columns.saturating_mul(rows).saturating_mul(n) != from.len() {
            return Err(Error::Broken { what: "a file changed after it was opened" });
        }
        let mut out = vec![T::narrow(padding); wide.saturating_mul(high).saturating_mul(planes)];
        let done = AtomicU64::new(0);
        out.par_chunks_mut((wide * high).max(1)).zip(&self.planes).try_for_each(|(to, plane)| {
            watch.check()?;
            for (j, row) in to.chunks_exact_mut(wide.max(1)).enumerate() {
                let mut line = Line::new(wide, stored.padding);
                for &(at, weight) in &plane.weights {
                    let Some(shift) = self.shifts.get(at) else { continue };
                    let [(step_i, part_i), (step_j, part_j)] = shift.map(taps);
                    for (j, weight) in [(j.checked_sub(step_j), weight * (1.0 - part_j)), ((j + 1).checked_sub(step_j), weight * part_j)] {
                        let Some(j) = j.filter(|&j| j < rows && weight > 0.0) else { continue };
                        let start = (at * rows + j) * columns;
                        let source = from.get(start..start + columns).unwrap_or_default();
                        line.add(source, step_i, weight * (1.0 - part_i));
                        if part_i > 0.0 {
                            line.add(source.get(1..).unwrap_or_default(), step_i, weight * part_i);
                            if step_i > 0 {
                                line.add(source.get(..1).unwrap_or_default(), step_i - 1, weight * part_i);
                            }
                        }
                    }
                }
                line.finish(row);
            }
            (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, planes as u64);
            Ok::<(), Error>(())
        })?;
        Ok(out)
    }
}

/// A row of the block while it is summed up.
struct Line {
    sums: Vec<f64>,
    weights: Vec<f64>,
    padding: Option<Padding>,
}

impl Line {
    fn new(wide: usize, padding: Option<Padding>) -> Self {
        Self { sums: vec![0.0; wide], weights: vec![0.0; wide], padding }
    }

    /// Adds a row of stored samples from a column on; the file's padding has no weight.
    fn add<T: Blend>(&mut self, source: &[T], from: usize, weight: f64) {
        let sums = self.sums.get_mut(from..).unwrap_or_default();
        let weights = self.weights.get_mut(from..).unwrap_or_default();
        for ((sum, total), value) in sums.iter_mut().zip(weights).zip(source) {
            let value = value.wide();
            if self.padding.is_none_or(|padding| !padding.holds(value)) && value.is_finite() {
                *sum += weight * value;
                *total += weight;
            }
        }
    }

    /// Where at least half of the weight is measured, the mean of that; the padding that is there already elsewhere.
    fn finish<T: Blend>(&self, row: &mut [T]) {
        for ((to, sum), weight) in row.iter_mut().zip(&self.sums).zip(&self.weights) {
            if *weight >= 0.5 - 1e-9 {
                *to = T::narrow(sum / weight);
            }
        }
    }
}

/// A sample type that can be interpolated.
pub(super) trait Blend: Copy + Send + Sync {
    fn wide(self) -> f64;
    /// The nearest value of the type.
    fn narrow(value: f64) -> Self;
}

macro_rules! blend {
    ($($t:ty: $value:ident => $narrow:expr),*) => {$(
        impl Blend for $t {
            fn wide(self) -> f64 {
                f64::from(self)
            }
            fn narrow($value: f64) -> Self {
                $narrow as Self
            }
        }
    )*};
}
blend!(i16: v => v.round(), u16: v => v.round(), u8: v => v.round(), f32: v => v);

/// For a slice that begins at `shift`: voxel `n` lies between its pixels `n - step` and `n - step + 1`, the second of which
/// has the weight `part`.
fn taps(shift: f64) -> (usize, f64) {
    let step = shift.ceil();
    (step as usize, step - shift)
}

fn snapped(shift: f64) -> f64 {
    if (shift - shift.round()).abs() < WHOLE { shift.round() } else { shift }
}

/// Whole pixels that hold all shifts.
fn range(shifts: &[[f64; 2]], axis: usize) -> [f64; 2] {
    let shifts = shifts.iter().filter_map(|s| s.get(axis).copied());
    shifts.fold([0.0, 0.0], |[low, high], s| [f64::min(low, s.floor()), f64::max(high, s.ceil())])
}

/// The plane at a depth: a slice that lies there, else its two neighbours; beside a hole, a slice within reach or nothing.
fn plane(depth: f64, depths: &[f64], holes: &[bool], reach_mm: f64) -> PlanePlan {
    let away = |at: usize| depths.get(at).map_or(f64::INFINITY, |d| (d - depth).abs());
    let nearest = (0..depths.len()).min_by(|&a, &b| away(a).total_cmp(&away(b))).unwrap_or(0);
    let after = depths.partition_point(|d| *d < depth);
    let before = after.saturating_sub(1);
    let weights = if away(nearest) <= SAME_MM || after == 0 || after >= depths.len() {
        vec![(nearest, 1.0)]
    } else if !holes.get(before).copied().unwrap_or(false) {
        let gap = away(before) + away(after);
        vec![(before, away(after) / gap), (after, away(before) / gap)]
    } else if away(nearest) <= reach_mm {
        vec![(nearest, 1.0)]
    } else {
        Vec::new()
    };
    PlanePlan { weights, nearest }
}

/// The distance of the planes: that of the slices where all distances are multiples of it, so that planes fall on slices;
/// else the smallest distance, but no less than a quarter of the usual one. Units: mm.
fn step(gaps: &[f64], usual_mm: f64) -> f64 {
    if gaps.iter().all(|&gap| super::geometry::is_multiple(gap, usual_mm)) {
        let n: f64 = gaps.iter().map(|gap| (gap / usual_mm).round()).sum();
        return gaps.iter().sum::<f64>() / n.max(1.0);
    }
    gaps.iter().copied().fold(f64::INFINITY, f64::min).max(usual_mm / 4.0)
}

/// Which gaps hold no image of what lies there.
fn holes(slices: &[Slice], gaps: &[f64], usual_mm: f64) -> std::result::Result<Vec<bool>, Refusal> {
    let thickness = |at: usize| slices.get(at).and_then(|s| s.slab_mm).unwrap_or(0.0);
    let is_hole = |(at, &gap): (usize, &f64)| gap > COVERED * usual_mm && gap > OF_THICKNESS * thickness(at).max(thickness(at + 1));
    let holes: Vec<bool> = gaps.iter().enumerate().map(is_hole).collect();
    let widest = gaps.iter().zip(&holes).filter(|(_, hole)| **hole).map(|(gap, _)| *gap).fold(0.0, f64::max);
    if widest > (MOST_MISSING + COVERED) * usual_mm {
        return Err(format!("a gap of {widest:.1} mm where {usual_mm:.1} mm are usual"));
    }
    Ok(holes)
}

/// The least stored value that is a number; infinite without any.
fn least_of(samples: &Samples) -> f64 {
    match samples {
        Samples::I16(v) => least(v),
        Samples::U16(v) => least(v),
        Samples::U8(v) => least(v),
        Samples::F32(v) => least(v),
    }
}

/// As [`least_of`], of a part.
pub(super) fn least<T: Blend>(values: &[T]) -> f64 {
    values.iter().map(|value| value.wide()).filter(|value| value.is_finite()).fold(f64::INFINITY, f64::min)
}

/// Stored value for what is not imaged: the file's padding; for HU that of -1024, or less where that is measured; else the
/// least that the bits stored can hold, for floats one below zero and every value measured. `measured` gives the least of
/// those.
pub(super) fn padding(stored: &Volume, bits_stored: u16, measured: impl FnOnce() -> f64) -> f64 {
    let (least, most) = match stored.samples {
        Samples::I16(_) => (f64::from(i16::MIN), f64::from(i16::MAX)),
        Samples::U16(_) => (0.0, f64::from(u16::MAX)),
        Samples::U8(_) => (0.0, f64::from(u8::MAX)),
        Samples::F32(_) => (f64::NEG_INFINITY, f64::INFINITY),
    };
    if let Some(own) = stored.padding.map(|own| own.low).filter(|own| (least..=most).contains(own)) {
        return own;
    }
    if stored.unit == Unit::hu() && stored.map.slope > 0.0 {
        // Below every measured value, so that air is not taken for it.
        return ((-1024.0 - stored.map.intercept) / stored.map.slope).round().min(measured() - 1.0).clamp(least, most);
    }
    match stored.samples {
        Samples::I16(_) => -(2_f64.powi(i32::from(bits_stored.clamp(1, 16)) - 1)),
        Samples::F32(_) => f64::from((measured().min(0.0) - 1.0) as f32),
        Samples::U16(_) | Samples::U8(_) => 0.0,
    }
}
