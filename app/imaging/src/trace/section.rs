//! The part of a mask that a plane cuts.

use super::{Lattice, Trace, along, corners};
use crate::Plane;
use mj_model::Mask;

/// The part of a mask in a plane, linear between voxel centres; `None` where the plane does not meet it.
///
/// Only the plane's place and directions count, not its pixels.
#[must_use]
pub fn section(mask: &Mask, plane: &Plane) -> Option<Trace> {
    let grid = &mask.grid;
    if mask.voxels.len() != grid.n_voxels() || mask.voxels.is_empty() {
        return None;
    }
    let depths = corners(grid, 1.0).map(|p| plane.depth_mm(p));
    if depths.iter().all(|d| *d >= 0.0) || depths.iter().all(|d| *d <= 0.0) {
        return None;
    }
    let lattice = Lattice::under(grid, plane, 1.0)?;
    let values = match (along(grid, plane.right), along(grid, plane.down)) {
        (Some(across), Some(down)) if across != down => along_the_grid(mask, &lattice, [across, down])?,
        _ => askew(mask, &lattice),
    };
    values.iter().any(|&v| v >= Trace::INSIDE).then(|| lattice.trace(values))
}

/// A mask's voxel, 0 or 1, by signed indices; 0 outside.
fn voxel(mask: &Mask, at: [i64; 3]) -> u8 {
    let [Ok(i), Ok(j), Ok(k)] = at.map(usize::try_from) else { return 0 };
    let [ni, nj, nk] = mask.grid.dims;
    if i < ni && j < nj && k < nk { mask.voxels.get((k * nj + j) * ni + i).map_or(0, |v| (*v).min(1)) } else { 0 }
}

/// Where both directions of the plane run along the grid: every lattice point lies between two voxels.
fn along_the_grid(mask: &Mask, lattice: &Lattice, [across, down]: [usize; 2]) -> Option<Vec<u8>> {
    let grid = &mask.grid;
    let start = grid.voxel_from_lps(lattice.origin());
    let sign = |axis: usize, direction| if grid.axes[axis].dot(direction) > 0.0 { 1 } else { -1 };
    let steps = [(across, sign(across, lattice.right)), (down, sign(down, lattice.down))];
    let through = 3 - across - down;
    let (below, share) = (start[through].floor(), start[through] - start[through].floor());
    let weights = [1.0 - share, share].map(|w| (w * 255.0).round());
    let layers: Vec<(i64, u16)> = (0..2).filter(|&n| weights[n] > 0.0).map(|n| (below as i64 + n as i64, weights[n] as u16)).collect();
    let mut at = start.map(|v| v.round() as i64);
    let (first_across, mut values) = (at[across], Vec::with_capacity(lattice.size[0] * lattice.size[1]));
    for _ in 0..lattice.size[1] {
        at[across] = first_across;
        for _ in 0..lattice.size[0] {
            let mut sum = 0;
            for &(layer, weight) in &layers {
                at[through] = layer;
                sum += weight * u16::from(voxel(mask, at));
            }
            values.push(u8::try_from(sum).unwrap_or(u8::MAX));
            at[across] += steps[0].1;
        }
        at[down] += steps[1].1;
    }
    Some(values)
}

/// A plane that lies askew in the grid.
fn askew(mask: &Mask, lattice: &Lattice) -> Vec<u8> {
    let grid = &mask.grid;
    let start = grid.voxel_from_lps(lattice.origin());
    let step = |by| {
        let end = grid.voxel_from_lps(lattice.origin() + by);
        [0, 1, 2].map(|a| end[a] - start[a])
    };
    let (across, down) = (step(lattice.right * lattice.step_mm[0]), step(lattice.down * lattice.step_mm[1]));
    let mut values = Vec::with_capacity(lattice.size[0] * lattice.size[1]);
    for row in 0..lattice.size[1] {
        for column in 0..lattice.size[0] {
            let at = [0, 1, 2].map(|a| start[a] + across[a] * column as f64 + down[a] * row as f64);
            values.push((between(mask, at) * 255.0).round() as u8);
        }
    }
    values
}

/// The mask at a fractional voxel, linear between the eight voxels around.
fn between(mask: &Mask, at: [f64; 3]) -> f64 {
    let dims = mask.grid.dims;
    if (0..3).any(|a| at[a] <= -1.0 || at[a] >= dims[a] as f64) {
        return 0.0;
    }
    let low = at.map(f64::floor);
    let share = [0, 1, 2].map(|a| at[a] - low[a]);
    let mut sum = 0.0;
    for corner in 0..8_usize {
        let bit = |a: usize| corner >> a & 1;
        let weight: f64 = (0..3).map(|a| if bit(a) == 1 { share[a] } else { 1.0 - share[a] }).product();
        if weight > 0.0 {
            sum += weight * f64::from(voxel(mask, [0, 1, 2].map(|a| low[a] as i64 + bit(a) as i64)));
        }
    }
    sum
}
