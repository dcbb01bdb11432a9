//! Segments from values: threshold and region growing.

use crate::error::{Error, Result};
use mj_model::{Mask, PointLps, Samples, Volume};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// All voxels whose value lies in a range, both ends included. Units: the volume's unit.
///
/// # Errors
/// [`Error::BadRange`], [`Error::EmptySegment`], [`Error::WrongSize`], or [`Error::Cancelled`] once `cancel` is set.
pub fn threshold(volume: &Volume, range: (f64, f64), cancel: &AtomicBool) -> Result<Mask> {
    let mask = in_range(volume, range, cancel)?;
    if mask.voxels.par_iter().all(|&v| v == 0) { Err(Error::EmptySegment) } else { Ok(mask) }
}

/// The part of a range that is connected with a seed over voxel faces (6 neighbours).
///
/// `within_mm` keeps only voxels whose centre is no further from the seed than that. Units: the volume's unit;
/// mm, LPS.
///
/// # Errors
/// [`Error::SeedOutside`], [`Error::SeedOutOfRange`], and those of [`threshold`].
pub fn grow(volume: &Volume, range: (f64, f64), seed: PointLps, within_mm: Option<f64>, cancel: &AtomicBool) -> Result<Mask> {
    let grid = volume.grid;
    let start = grid.nearest_voxel(seed).ok_or(Error::SeedOutside)?;
    let value = volume.value(start).ok_or(Error::SeedOutside)?;
    let mut mask = in_range(volume, range, cancel)?;
    if !(value >= range.0 && value <= range.1) {
        return Err(Error::SeedOutOfRange { value, low: range.0, high: range.1 });
    }
    if let Some(reach) = within_mm {
        let from = grid.lps_from_voxel([start.i as f64, start.j as f64, start.k as f64]);
        keep_ball(&mut mask, from, reach.max(0.0));
    }
    keep_connected(&mut mask, [start.i, start.j, start.k], cancel)?;
    Ok(mask)
}

/// The voxels' extent along the patient axes, outer faces included: (lowest, highest corner), or `None` for an
/// empty mask. Units: mm, LPS.
#[must_use]
pub fn box_lps(mask: &Mask) -> Option<(PointLps, PointLps)> {
    let (lo, hi) = index_box(mask)?;
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for corner in 0..8_usize {
        let ijk = [0, 1, 2].map(|a| if corner >> a & 1 == 1 { hi[a] as f64 + 0.5 } else { lo[a] as f64 - 0.5 });
        let p: [f64; 3] = mask.grid.lps_from_voxel(ijk).into();
        for a in 0..3 {
            low[a] = low[a].min(p[a]);
            high[a] = high[a].max(p[a]);
        }
    }
    Some((low.into(), high.into()))
}

/// The mask cut down to its own box and a margin of voxels around it, or `None` for an empty one. Work that
/// follows a hand is done on this.
#[must_use]
pub fn cropped(mask: &Mask, margin: usize) -> Option<Mask> {
    let (lo, hi) = index_box(mask)?;
    let from = lo.map(|v| v.saturating_sub(margin));
    let dims = [0, 1, 2].map(|a| (hi[a] + margin).min(mask.grid.dims[a] - 1) + 1 - from[a]);
    let mut grid = mask.grid;
    grid.origin = mask.grid.lps_from_voxel(from.map(|v| v as f64));
    grid.dims = dims;
    let mut out = Mask::empty(grid);
    for (row, line) in out.voxels.chunks_exact_mut(dims[0]).enumerate() {
        let (j, k) = (from[1] + row % dims[1], from[2] + row / dims[1]);
        let at = mask.grid.offset([from[0], j, k].into());
        if let Some(source) = mask.voxels.get(at..at + dims[0]) {
            line.copy_from_slice(source);
        }
    }
    Some(out)
}

/// The smallest index box that holds all voxels: (first, last), both included, or `None` for an empty mask.
#[must_use]
pub fn index_box(mask: &Mask) -> Option<([usize; 3], [usize; 3])> {
    let [ni, nj, _] = mask.grid.dims;
    let (mut lo, mut hi) = ([usize::MAX; 3], [0_usize; 3]);
    for (row, line) in mask.voxels.chunks_exact(ni.max(1)).enumerate() {
        let Some(first) = line.iter().position(|&v| v != 0) else { continue };
        let last = line.iter().rposition(|&v| v != 0).unwrap_or(first);
        let (j, k) = (row % nj, row / nj);
        lo = [lo[0].min(first), lo[1].min(j), lo[2].min(k)];
        hi = [hi[0].max(last), hi[1].max(j), hi[2].max(k)];
    }
    (lo[0] <= hi[0]).then_some((lo, hi))
}

fn in_range(volume: &Volume, range: (f64, f64), cancel: &AtomicBool) -> Result<Mask> {
    let (low, high) = range;
    if low.is_nan() || high.is_nan() || low > high {
        return Err(Error::BadRange { low, high });
    }
    let expected = volume.grid.n_voxels();
    if volume.samples.len() != expected {
        return Err(Error::WrongSize { voxels: volume.samples.len(), expected });
    }
    let mut mask = Mask::empty(volume.grid);
    let layer = (volume.grid.dims[0] * volume.grid.dims[1]).max(1);
    match &volume.samples {
        Samples::I16(s) => mark(s, &mut mask, layer, volume, range, cancel),
        Samples::U16(s) => mark(s, &mut mask, layer, volume, range, cancel),
        Samples::U8(s) => mark(s, &mut mask, layer, volume, range, cancel),
        Samples::F32(s) => mark(s, &mut mask, layer, volume, range, cancel),
    }?;
    Ok(mask)
}

/// Marks what lies in the range. Padding is no measurement, whatever value stands for it.
fn mark<S: Copy + Sync + Into<f64>>(
    samples: &[S],
    mask: &mut Mask,
    layer: usize,
    volume: &Volume,
    (low, high): (f64, f64),
    cancel: &AtomicBool,
) -> Result<()> {
    mask.voxels.par_chunks_mut(layer).zip(samples.par_chunks(layer)).try_for_each(|(out, samples)| {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        for (slot, &s) in out.iter_mut().zip(samples) {
            let v = volume.map.apply(s.into());
            *slot = u8::from(v >= low && v <= high && volume.padding.is_none_or(|padding| !padding.holds(s.into())));
        }
        Ok(())
    })
}

fn keep_ball(mask: &mut Mask, from: PointLps, reach: f64) {
    let grid = mask.grid;
    let [ni, nj, _] = grid.dims;
    mask.voxels.par_chunks_mut(ni).enumerate().for_each(|(row, line)| {
        let (j, k) = (row % nj, row / nj);
        for (i, slot) in line.iter_mut().enumerate() {
            let p = grid.lps_from_voxel([i as f64, j as f64, k as f64]);
            *slot &= u8::from(p.distance_mm(from) <= reach);
        }
    });
}

/// Keeps what is connected with a start; marks visited voxels with 2 on the way, so no second mask is needed.
fn keep_connected(mask: &mut Mask, start: [usize; 3], cancel: &AtomicBool) -> Result<()> {
    let [ni, nj, nk] = mask.grid.dims;
    let row_of = |j: usize, k: usize| (k * nj + j) * ni;
    let voxels = &mut mask.voxels;
    let mut stack = vec![(start[0], start[1], start[2])];
    let mut steps = 0_u32;
    while let Some((i, j, k)) = stack.pop() {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(4096) && cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let row = row_of(j, k);
        if voxels[row + i] != 1 {
            continue;
        }
        // The whole run of this row at once, then one seed for every run beside it.
        let from = (0..i).rev().take_while(|&i| voxels[row + i] == 1).last().unwrap_or(i);
        let to = (i..ni).take_while(|&i| voxels[row + i] == 1).last().unwrap_or(i) + 1;
        voxels[row + from..row + to].fill(2);
        let beside = [(j > 0, j.wrapping_sub(1), k), (j + 1 < nj, j + 1, k), (k > 0, j, k.wrapping_sub(1)), (k + 1 < nk, j, k + 1)];
        for (_, j, k) in beside.into_iter().filter(|b| b.0) {
            let beside_row = row_of(j, k);
            let mut was_inside = false;
            for i in from..to {
                let is_inside = voxels[beside_row + i] == 1;
                if is_inside && !was_inside {
                    stack.push((i, j, k));
                }
                was_inside = is_inside;
            }
        }
    }
    voxels.par_iter_mut().for_each(|v| *v >>= 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{oblique_grid, straight_grid, volume_of};

    fn never() -> AtomicBool {
        AtomicBool::new(false)
    }

    /// Two boxes of value 100 that touch at a corner only, in a field of 0.
    fn two_boxes() -> Volume {
        volume_of(straight_grid([20, 20, 20]), |v| {
            let first = v.i < 5 && v.j < 5 && v.k < 5;
            let second = (5..9).contains(&v.i) && (5..9).contains(&v.j) && (5..9).contains(&v.k);
            if first || second { 100 } else { 0 }
        })
    }

    #[test]
    fn threshold_includes_both_ends() {
        let volume = volume_of(straight_grid([10, 1, 1]), |v| v.i as i16 * 10);
        assert_eq!(threshold(&volume, (20.0, 50.0), &never()).unwrap().count(), 4);
        assert_eq!(threshold(&volume, (91.0, 99.0), &never()), Err(Error::EmptySegment));
        assert_eq!(threshold(&volume, (9.0, 1.0), &never()), Err(Error::BadRange { low: 9.0, high: 1.0 }));
        assert_eq!(threshold(&volume, (0.0, 1.0), &AtomicBool::new(true)), Err(Error::Cancelled));
    }

    #[test]
    fn growing_does_not_jump_corners() {
        let volume = two_boxes();
        let grid = volume.grid;
        let grown = |at| grow(&volume, (50.0, 150.0), grid.lps_from_voxel(at), None, &never());
        assert_eq!(grown([1.0, 1.0, 1.0]).unwrap().count(), 125);
        assert_eq!(grown([6.0, 7.0, 8.0]).unwrap().count(), 64);
        assert_eq!(grown([15.0, 1.0, 1.0]), Err(Error::SeedOutOfRange { value: 0.0, low: 50.0, high: 150.0 }));
        assert_eq!(grown([-3.0, 0.0, 0.0]), Err(Error::SeedOutside));
    }

    #[test]
    fn growing_finds_its_way_through_a_maze_like_a_plain_search() {
        let volume = volume_of(oblique_grid([31, 27, 19]), |v| {
            let h = [v.i, v.j, v.k].iter().fold(7_u64, |h, &x| (h ^ x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29));
            (h % 10) as i16 - i16::from(v.i + v.j + v.k == 0) * 9
        });
        let seed = volume.grid.lps_from_voxel([0.0, 0.0, 0.0]);
        let fast = grow(&volume, (-9.0, 4.0), seed, None, &never()).unwrap();
        let mut plain = Mask::empty(volume.grid);
        let mut todo = vec![[0_usize; 3]];
        while let Some(v) = todo.pop() {
            let at = volume.grid.offset(v.into());
            if plain.voxels[at] == 1 || volume.value(v.into()).unwrap() > 4.0 {
                continue;
            }
            plain.voxels[at] = 1;
            for a in 0..3 {
                for d in [-1_isize, 1] {
                    let mut n = v;
                    n[a] = n[a].wrapping_add_signed(d);
                    if n[a] < volume.grid.dims[a] {
                        todo.push(n);
                    }
                }
            }
        }
        assert!(plain.count() > 500);
        assert_eq!(fast, plain);
    }

    #[test]
    fn a_reach_cuts_a_ball_and_the_box_holds_it() {
        let volume = volume_of(straight_grid([41, 41, 41]), |_| 1);
        let centre = volume.grid.centre();
        let mask = grow(&volume, (1.0, 1.0), centre, Some(10.0), &never()).unwrap();
        let exact = 4.0 / 3.0 * std::f64::consts::PI * 1.0;
        assert!((mask.volume_ml() - exact).abs() < exact * 0.01, "{}", mask.volume_ml());
        let (lo, hi) = box_lps(&mask).unwrap();
        assert!((hi.x - lo.x - 21.0).abs() < 1e-9 && (hi.z - lo.z - 21.0).abs() < 1e-9);
        assert_eq!(box_lps(&Mask::empty(volume.grid)), None);
        let small = cropped(&mask, 1).unwrap();
        assert_eq!((small.grid.dims, small.count(), box_lps(&small)), ([23, 23, 23], mask.count(), box_lps(&mask)));
    }
}
