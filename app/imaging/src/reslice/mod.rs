//! The fast makers of pictures: slices, slabs and maximum projections on the CPU.
//!
//! A row of pixels is a straight line through voxel space, so each row is clipped against the volume once
//! and then stepped without tests. Rows are spread over threads. The results agree with [`crate::oracle`] to
//! the rounding of `f32`.

mod fast;
mod mip;
mod row;

pub use mip::MipIndex;

use crate::field::Field;
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
    let Some(field) = Field::new(samples, volume.grid.dims).filter(|_| plane.width > 0) else { return picture };
    picture.values.par_chunks_mut(plane.width).enumerate().for_each(|(y, out)| {
        let row = Row::new(&space, plane, y, 0.0);
        let Some((from, to)) = row.inside(out.len()) else { return };
        let Some(inside) = out.get_mut(from..to) else { return };
        match interpolation {
            Interpolation::Linear => fast::linear(&field, &row, from, inside),
            Interpolation::Cubic => fast::cubic(&field, &row, from, inside),
            Interpolation::Nearest => {
                for (x, slot) in (from..to).zip(&mut *inside) {
                    *slot = space.nearest(row.at(x));
                }
            }
        }
        inside.iter_mut().for_each(|v| *v = space.map(*v));
    });
    picture
}

fn slab_of<S: Sample>(samples: &[S], volume: &Volume, plane: &Plane, first: f64, n: usize, projection: Projection) -> Picture {
    let (space, step) = (Space::new(samples, volume), oracle::step_mm(volume));
    let mut picture = Picture::blank(plane.width, plane.height);
    let Some(field) = Field::new(samples, volume.grid.dims).filter(|_| plane.width > 0) else { return picture };
    picture.values.par_chunks_mut(plane.width).enumerate().for_each(|(y, out)| {
        let mut counts = vec![0.0_f32; if projection == Projection::Mean { out.len() } else { 0 }];
        let mut line = vec![0.0_f32; out.len()];
        for s in 0..n {
            let row = Row::new(&space, plane, y, first + s as f64 * step);
            let Some((from, to)) = row.inside(out.len()) else { continue };
            let (Some(line), Some(out)) = (line.get_mut(from..to), out.get_mut(from..to)) else { continue };
            fast::linear(&field, &row, from, line);
            line.iter_mut().for_each(|v| *v = space.map(*v));
            let pairs = out.iter_mut().zip(&*line);
            // `max` and `min` give the other operand where one is NaN, which is how a pixel begins.
            match projection {
                Projection::Max => pairs.for_each(|(slot, v)| *slot = slot.max(*v)),
                Projection::Min => pairs.for_each(|(slot, v)| *slot = slot.min(*v)),
                Projection::Mean => {
                    pairs.for_each(|(slot, v)| *slot = if slot.is_nan() { *v } else { *slot + v });
                    counts.iter_mut().skip(from).take(to - from).for_each(|c| *c += 1.0);
                }
            }
        }
        out.iter_mut().zip(&counts).for_each(|(slot, count)| *slot /= count);
    });
    picture
}

#[cfg(test)]
mod tests;
