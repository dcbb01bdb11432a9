//! The fast makers of pictures: slices, slabs and maximum projections on the CPU.
//!
//! A row of pixels is a straight line through voxel space, so each row is clipped against the volume once
//! and then stepped without tests. Rows are spread over threads. The results agree with [`crate::oracle`] to
//! the rounding of `f32`.

mod mip;
mod row;

pub use mip::MipIndex;

use crate::oracle;
use crate::picture::{Interpolation, Picture, Projection};
use crate::plane::Plane;
use crate::sample::Sample;
use mj_model::{Samples, Volume};
use rayon::prelude::*;
use row::{Row, Space};

/// The values on a plane. Units: the volume's unit; NaN outside.
#[must_use]
pub fn slice(volume: &Volume, plane: &Plane, interpolation: Interpolation) -> Picture {
    match &volume.samples {
        Samples::I16(s) => slice_of(s, volume, plane, interpolation),
        Samples::U16(s) => slice_of(s, volume, plane, interpolation),
        Samples::U8(s) => slice_of(s, volume, plane, interpolation),
        Samples::F32(s) => slice_of(s, volume, plane, interpolation),
    }
}

/// A slab of a thickness centred on the plane, projected to one picture. Units: mm; the volume's unit.
///
/// Samples lie one smallest voxel spacing apart, see [`oracle::slab`].
#[must_use]
pub fn slab(volume: &Volume, plane: &Plane, thickness_mm: f64, projection: Projection) -> Picture {
    let step = oracle::step_mm(volume);
    let n = (thickness_mm / step).round().max(1.0) as usize;
    let first = -(n as f64 - 1.0) / 2.0 * step;
    match &volume.samples {
        Samples::I16(s) => slab_of(s, volume, plane, first, n, projection),
        Samples::U16(s) => slab_of(s, volume, plane, first, n, projection),
        Samples::U8(s) => slab_of(s, volume, plane, first, n, projection),
        Samples::F32(s) => slab_of(s, volume, plane, first, n, projection),
    }
}

/// Maximum intensity through the whole volume along the plane's normal.
///
/// Builds a [`MipIndex`] first; keep one and call [`MipIndex::project`] where many pictures of one volume are
/// made.
#[must_use]
pub fn mip(volume: &Volume, plane: &Plane) -> Picture {
    MipIndex::new(volume).project(volume, plane)
}

fn slice_of<S: Sample>(samples: &[S], volume: &Volume, plane: &Plane, interpolation: Interpolation) -> Picture {
    let space = Space::new(samples, volume);
    let mut picture = Picture::blank(plane.width, plane.height);
    if plane.width == 0 || !space.is_whole() {
        return picture;
    }
    picture.values.par_chunks_mut(plane.width).enumerate().for_each(|(y, out)| {
        let row = Row::new(&space, plane, y, 0.0);
        let Some((from, to)) = row.inside(out.len()) else { return };
        match interpolation {
            Interpolation::Linear => {
                for (x, slot) in (from..to).zip(&mut out[from..to]) {
                    *slot = space.map(space.linear(row.at(x)));
                }
            }
            Interpolation::Nearest => {
                for (x, slot) in (from..to).zip(&mut out[from..to]) {
                    *slot = space.map(space.nearest(row.at(x)));
                }
            }
        }
    });
    picture
}

fn slab_of<S: Sample>(samples: &[S], volume: &Volume, plane: &Plane, first: f64, n: usize, projection: Projection) -> Picture {
    let (space, step) = (Space::new(samples, volume), oracle::step_mm(volume));
    let mut picture = Picture::blank(plane.width, plane.height);
    if plane.width == 0 || !space.is_whole() {
        return picture;
    }
    picture.values.par_chunks_mut(plane.width).enumerate().for_each(|(y, out)| {
        let mut counts = vec![0_u32; if projection == Projection::Mean { out.len() } else { 0 }];
        for s in 0..n {
            let row = Row::new(&space, plane, y, first + s as f64 * step);
            let Some((from, to)) = row.inside(out.len()) else { continue };
            for (x, slot) in (from..to).zip(&mut out[from..to]) {
                let v = space.map(space.linear(row.at(x)));
                // `max` and `min` give the other operand where one is NaN, which is how a pixel begins.
                match projection {
                    Projection::Max => *slot = slot.max(v),
                    Projection::Min => *slot = slot.min(v),
                    Projection::Mean => {
                        *slot = if slot.is_nan() { v } else { *slot + v };
                        counts[x] += 1;
                    }
                }
            }
        }
        for (slot, &count) in out.iter_mut().zip(&counts) {
            *slot /= count as f32;
        }
    });
    picture
}

#[cfg(test)]
mod tests;
