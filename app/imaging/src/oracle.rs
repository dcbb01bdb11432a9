//! The slow, plain reference: every picture by the textbook, in `f64`, one pixel after another.
//!
//! The fast makers in [`crate::reslice`] and the GPU's shaders are compared with this; numbers shown to a
//! clinician are read with [`value_at`].

use crate::picture::{Interpolation, Picture, Projection};
use crate::plane::Plane;
use mj_model::{PointLps, Volume, Voxel};

/// The value at a position, or `None` outside the volume (more than half a voxel beyond the outermost centres).
///
/// Units: the volume's unit.
#[must_use]
pub fn value_at(volume: &Volume, p: PointLps, interpolation: Interpolation) -> Option<f64> {
    let ijk = volume.grid.voxel_from_lps(p);
    let dims = volume.grid.dims;
    if (0..3).any(|a| !(ijk[a] >= -0.5 && ijk[a] <= dims[a] as f64 - 0.5)) {
        return None;
    }
    let clamp = |index: f64, a: usize| index.clamp(0.0, dims[a] as f64 - 1.0);
    match interpolation {
        Interpolation::Nearest => {
            let [i, j, k] = [0, 1, 2].map(|a| clamp((ijk[a] + 0.5).floor(), a) as usize);
            volume.value(Voxel { i, j, k })
        }
        Interpolation::Linear => {
            let base = [0, 1, 2].map(|a| clamp(ijk[a], a).floor());
            let part = [0, 1, 2].map(|a| clamp(ijk[a], a) - base[a]);
            let mut sum = 0.0;
            for corner in 0..8_usize {
                let step = [corner & 1, corner >> 1 & 1, corner >> 2];
                let weight: f64 = (0..3).map(|a| if step[a] == 1 { part[a] } else { 1.0 - part[a] }).product();
                if weight > 0.0 {
                    let [i, j, k] = [0, 1, 2].map(|a| base[a] as usize + step[a]);
                    sum += weight * volume.value(Voxel { i, j, k })?;
                }
            }
            Some(sum)
        }
    }
}

/// The values on a plane.
#[must_use]
pub fn slice(volume: &Volume, plane: &Plane, interpolation: Interpolation) -> Picture {
    make(plane, |p| value_at(volume, p, interpolation))
}

/// Distance between the samples of a projection: the smallest voxel spacing. Units: mm.
#[must_use]
pub fn step_mm(volume: &Volume) -> f64 {
    volume.grid.spacing_mm.into_iter().fold(f64::INFINITY, f64::min)
}

/// A slab centred on the plane: `round(thickness / step)` samples (at least one), [`step_mm`] apart, placed
/// evenly on both sides, linear interpolation; samples outside the volume do not count.
#[must_use]
pub fn slab(volume: &Volume, plane: &Plane, thickness_mm: f64, projection: Projection) -> Picture {
    let step = step_mm(volume);
    let n = (thickness_mm / step).round().max(1.0) as usize;
    let first = -(n as f64 - 1.0) / 2.0 * step;
    project(volume, plane, first, n, projection)
}

/// Maximum intensity through the whole volume: samples at whole multiples of [`step_mm`] in front of and
/// behind the plane.
#[must_use]
pub fn mip(volume: &Volume, plane: &Plane) -> Picture {
    let (first, n) = whole_depth(volume, plane);
    project(volume, plane, first, n, Projection::Max)
}

/// First depth (a multiple of [`step_mm`]) and number of samples that reach through the whole volume.
#[must_use]
pub fn whole_depth(volume: &Volume, plane: &Plane) -> (f64, usize) {
    let (step, grid) = (step_mm(volume), &volume.grid);
    let (mut near, mut far) = (f64::INFINITY, f64::NEG_INFINITY);
    for corner in 0..8_usize {
        let ijk = [0, 1, 2].map(|a| if corner >> a & 1 == 1 { grid.dims[a] as f64 - 0.5 } else { -0.5 });
        let depth = plane.depth_mm(grid.lps_from_voxel(ijk));
        near = near.min(depth);
        far = far.max(depth);
    }
    let (first, last) = ((near / step).floor(), (far / step).ceil());
    (first * step, (last - first) as usize + 1)
}

fn project(volume: &Volume, plane: &Plane, first: f64, n: usize, projection: Projection) -> Picture {
    let (step, normal) = (step_mm(volume), plane.normal());
    make(plane, |p| {
        let along = (0..n).filter_map(|s| value_at(volume, p + normal * (first + s as f64 * step), Interpolation::Linear));
        match projection {
            Projection::Max => along.reduce(f64::max),
            Projection::Min => along.reduce(f64::min),
            Projection::Mean => {
                let (sum, count) = along.fold((0.0, 0_u32), |(sum, count), v| (sum + v, count + 1));
                (count > 0).then(|| sum / f64::from(count))
            }
        }
    })
}

fn make(plane: &Plane, value: impl Fn(PointLps) -> Option<f64>) -> Picture {
    let mut picture = Picture::blank(plane.width, plane.height);
    for (at, slot) in picture.values.iter_mut().enumerate() {
        let (x, y) = (at % plane.width, at / plane.width);
        if let Some(v) = value(plane.lps_from_pixel([x as f64, y as f64])) {
            *slot = v as f32;
        }
    }
    picture
}
