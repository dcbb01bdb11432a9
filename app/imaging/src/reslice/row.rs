//! One row of pixels as a line through voxel space.

use crate::plane::Plane;
use crate::sample::Sample;
use mj_model::{Grid, VectorLps, Volume};

/// Samples with what is needed to step through them.
pub(super) struct Space<'a, S> {
    pub(super) samples: &'a [S],
    pub(super) grid: &'a Grid,
    /// Index of the last voxel along each axis.
    pub(super) last: [usize; 3],
    /// Distance in memory to the next slice.
    slice: usize,
    slope: f32,
    intercept: f32,
}

impl<'a, S: Sample> Space<'a, S> {
    pub(super) fn new(samples: &'a [S], volume: &'a Volume) -> Self {
        let dims = volume.grid.dims;
        Self {
            samples,
            grid: &volume.grid,
            last: dims.map(|n| n.saturating_sub(1)),
            slice: dims[0] * dims[1],
            slope: volume.map.slope as f32,
            intercept: volume.map.intercept as f32,
        }
    }

    /// True when the grid has voxels and the samples fill it.
    pub(super) fn is_whole(&self) -> bool {
        !self.samples.is_empty() && self.samples.len() == self.grid.n_voxels()
    }

    pub(super) fn map(&self, stored: f32) -> f32 {
        stored * self.slope + self.intercept
    }

    /// The nearest sample to a position inside the volume.
    #[inline]
    pub(super) fn nearest(&self, p: [f64; 3]) -> f32 {
        let [i, j, k] = [0, 1, 2].map(|a| ((p[a] + 0.5) as usize).min(self.last[a]));
        self.samples[k * self.slice + j * (self.last[0] + 1) + i].float()
    }

    /// Linear interpolation at a position inside the volume; the edge goes on for half a voxel.
    #[inline]
    pub(super) fn linear(&self, p: [f64; 3]) -> f32 {
        let mut base = [0_usize; 3];
        let mut part = [0.0_f32; 3];
        let mut next = [0_usize; 3];
        let stride = [1, self.last[0] + 1, self.slice];
        for a in 0..3 {
            let at = p[a].max(0.0);
            // At the far edge the base stays on the last voxel and its neighbour is itself.
            base[a] = (at as usize).min(self.last[a]);
            part[a] = (at - base[a] as f64) as f32;
            next[a] = if base[a] < self.last[a] { stride[a] } else { 0 };
        }
        let o = base[2] * self.slice + base[1] * stride[1] + base[0];
        let along = |o: usize| {
            let (a, b) = (self.samples[o].float(), self.samples[o + next[0]].float());
            a + (b - a) * part[0]
        };
        let front = {
            let (a, b) = (along(o), along(o + next[1]));
            a + (b - a) * part[1]
        };
        let o = o + next[2];
        let back = {
            let (a, b) = (along(o), along(o + next[1]));
            a + (b - a) * part[1]
        };
        front + (back - front) * part[2]
    }
}

/// One row of pixels: its first pixel and the step to the next, in voxels.
pub(super) struct Row {
    pub(super) start: [f64; 3],
    pub(super) step: [f64; 3],
    dims: [usize; 3],
}

impl Row {
    /// Row `y` of a plane moved `depth_mm` along its normal.
    pub(super) fn new<S: Sample>(space: &Space<'_, S>, plane: &Plane, y: usize, depth_mm: f64) -> Self {
        let first = plane.lps_from_pixel([0.0, y as f64]) + plane.normal() * depth_mm;
        let start = space.grid.voxel_from_lps(first);
        let step = voxels_along(space.grid, plane.right * plane.mm_per_pixel);
        Self { start, step, dims: space.grid.dims }
    }

    /// Voxel position of pixel `x`.
    #[inline]
    pub(super) fn at(&self, x: usize) -> [f64; 3] {
        let x = x as f64;
        [self.start[0] + self.step[0] * x, self.start[1] + self.step[1] * x, self.start[2] + self.step[2] * x]
    }

    fn is_inside(&self, x: usize) -> bool {
        let p = self.at(x);
        (0..3).all(|a| p[a] >= -0.5 && p[a] <= self.dims[a] as f64 - 0.5)
    }

    /// The pixels (from, to; `to` not included) that lie inside the volume.
    pub(super) fn inside(&self, width: usize) -> Option<(usize, usize)> {
        let (mut lo, mut hi) = (0.0_f64, width as f64 - 1.0);
        for a in 0..3 {
            let (near, far) = (-0.5 - self.start[a], self.dims[a] as f64 - 0.5 - self.start[a]);
            if self.step[a].abs() < 1e-12 {
                if near > 0.0 || far < 0.0 {
                    return None;
                }
                continue;
            }
            let (p, q) = (near / self.step[a], far / self.step[a]);
            lo = lo.max(p.min(q));
            hi = hi.min(p.max(q));
        }
        // One pixel wider than computed, then narrowed by the exact test: rounding must not decide.
        let (mut from, mut to) = ((lo.ceil() - 1.0).max(0.0) as usize, ((hi.floor() + 2.0).max(0.0) as usize).min(width));
        while from < to && !self.is_inside(from) {
            from += 1;
        }
        while from < to && !self.is_inside(to - 1) {
            to -= 1;
        }
        (from < to).then_some((from, to))
    }
}

/// A displacement in patient space as a displacement in voxels.
pub(super) fn voxels_along(grid: &Grid, d: VectorLps) -> [f64; 3] {
    // Taken at the origin, so that no large position is subtracted from another.
    let (a, b) = (grid.voxel_from_lps(grid.origin + d), grid.voxel_from_lps(grid.origin));
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}
