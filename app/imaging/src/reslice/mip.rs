//! Maximum projection with empty-space skipping.

use super::row::{Space, voxels_along};
use crate::blocks::{BLOCK, Blocks};
use crate::oracle;
use crate::picture::{Picture, Projection};
use crate::plane::Plane;
use crate::sample::Sample;
use mj_model::{Samples, Volume};
use rayon::prelude::*;

/// The blocks of a volume, for maximum projections: they become several times faster, because a block that holds
/// nothing brighter is stepped over.
#[derive(Debug, Clone)]
pub struct MipIndex(Blocks);

impl MipIndex {
    /// Reads the volume once.
    #[must_use]
    pub fn new(volume: &Volume) -> Self {
        Self(Blocks::new(volume))
    }

    /// The blocks.
    #[must_use]
    pub const fn blocks(&self) -> &Blocks {
        &self.0
    }

    /// Maximum intensity through the whole volume along the plane's normal. The volume must be the one the
    /// index was built from.
    #[must_use]
    pub fn project(&self, volume: &Volume, plane: &Plane) -> Picture {
        // With a falling map the brightest value is the lowest sample: rare, and left to the slab.
        if volume.map.slope <= 0.0 || !self.0.fits(volume) {
            let (first, n) = oracle::whole_depth(volume, plane);
            let step = oracle::step_mm(volume);
            let mut moved = *plane;
            moved.centre = moved.centre + plane.normal() * (first + (n as f64 - 1.0) / 2.0 * step);
            return super::slab(volume, &moved, n as f64 * step, Projection::Max);
        }
        match &volume.samples {
            Samples::I16(s) => self.project_of(s, volume, plane),
            Samples::U16(s) => self.project_of(s, volume, plane),
            Samples::U8(s) => self.project_of(s, volume, plane),
            Samples::F32(s) => self.project_of(s, volume, plane),
        }
    }

    fn project_of<S: Sample>(&self, samples: &[S], volume: &Volume, plane: &Plane) -> Picture {
        let space = Space::new(samples, volume);
        let mut picture = Picture::blank(plane.width, plane.height);
        if plane.width == 0 || !space.is_whole() {
            return picture;
        }
        let (first, n) = oracle::whole_depth(volume, plane);
        let step = voxels_along(&volume.grid, plane.normal() * oracle::step_mm(volume));
        picture.values.par_chunks_mut(plane.width).enumerate().for_each(|(y, out)| {
            let mut seed = f32::NEG_INFINITY;
            for (x, slot) in out.iter_mut().enumerate() {
                let start = plane.lps_from_pixel([x as f64, y as f64]) + plane.normal() * first;
                let ray = Ray { start: volume.grid.voxel_from_lps(start), step, inverse: step.map(|s| 1.0 / s) };
                if let Some(max) = self.march(&space, &ray, n, seed) {
                    *slot = space.map(max);
                    seed = max;
                }
            }
        });
        picture
    }

    /// The highest sample along a ray.
    ///
    /// `guess` is the neighbouring ray's maximum. It orders nothing and bounds nothing: blocks brighter than
    /// it are looked at first, so that most others fall away in the second pass.
    fn march<S: Sample>(&self, space: &Space<'_, S>, ray: &Ray, n: usize, guess: f32) -> Option<f32> {
        let (from, to) = ray.inside(space.grid.dims, n)?;
        let mut max = f32::NEG_INFINITY;
        if guess > f32::NEG_INFINITY {
            self.pass(space, ray, (from, to), guess * 0.95, &mut max);
        }
        let bound = max;
        self.pass(space, ray, (from, to), bound, &mut max);
        (max > f32::NEG_INFINITY).then_some(max)
    }

    fn pass<S: Sample>(&self, space: &Space<'_, S>, ray: &Ray, (from, to): (usize, usize), floor: f32, max: &mut f32) {
        let mut s = from;
        while s < to {
            let p = ray.at(s);
            let b = [0, 1, 2].map(|a| (p[a].max(0.0) as usize).min(space.last[a]) / BLOCK);
            let leave = ray.leaves(b, self.0.counts, s).min(to);
            let highest = self.0.max[(b[2] * self.0.counts[1] + b[1]) * self.0.counts[0] + b[0]];
            if highest > max.max(floor) {
                for s in s..leave {
                    *max = max.max(space.linear(ray.at(s)));
                }
            }
            s = leave;
        }
    }
}

/// A line of sight in voxels.
struct Ray {
    start: [f64; 3],
    step: [f64; 3],
    inverse: [f64; 3],
}

impl Ray {
    #[inline]
    fn at(&self, s: usize) -> [f64; 3] {
        let s = s as f64;
        [self.start[0] + self.step[0] * s, self.start[1] + self.step[1] * s, self.start[2] + self.step[2] * s]
    }

    /// The samples (from, to) inside the volume.
    fn inside(&self, dims: [usize; 3], n: usize) -> Option<(usize, usize)> {
        let (mut lo, mut hi) = (0.0_f64, n as f64 - 1.0);
        for (a, &size) in dims.iter().enumerate() {
            let (near, far) = (-0.5 - self.start[a], size as f64 - 0.5 - self.start[a]);
            if self.step[a].abs() < 1e-12 {
                if near > 0.0 || far < 0.0 {
                    return None;
                }
                continue;
            }
            let (p, q) = (near * self.inverse[a], far * self.inverse[a]);
            lo = lo.max(p.min(q));
            hi = hi.min(p.max(q));
        }
        let (from, to) = ((lo - 1e-9).ceil().max(0.0), (hi + 1e-9).floor() + 1.0);
        (to > from).then_some((from as usize, to as usize))
    }

    /// The first sample after `s` that lies beyond block `b`.
    fn leaves(&self, b: [usize; 3], blocks: [usize; 3], s: usize) -> usize {
        let mut exit = f64::INFINITY;
        for a in 0..3 {
            // The outermost blocks reach to infinity: there the clipping of the ray ends it.
            let wall = if self.step[a] > 1e-12 && b[a] + 1 < blocks[a] {
                ((b[a] + 1) * BLOCK) as f64
            } else if self.step[a] < -1e-12 && b[a] > 0 {
                (b[a] * BLOCK) as f64
            } else {
                continue;
            };
            exit = exit.min((wall - self.start[a]) * self.inverse[a]);
        }
        // `as` saturates, so infinity is "never".
        let next = exit.floor() as usize;
        next.max(s).saturating_add(1)
    }
}
