//! The slow, plain reference: every picture by the textbook, in `f64`, one pixel after another.
//!
//! The fast makers in [`crate::reslice`] and the GPU's shaders are compared with this; numbers shown to a
//! clinician are read with [`value_at`].

use crate::picture::{Interpolation, Picture, Projection};
use crate::plane::Plane;
use crate::raycast::{Camera, ClipBox, Light, TransferFunction};
use mj_model::{PointLps, VectorLps, Volume, Voxel};

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
        Interpolation::Linear => linear_at(volume, ijk),
        Interpolation::Cubic => cubic_at(volume, ijk),
    }
}

/// Cubic convolution at a voxel position that is held inside the volume first.
///
/// Source: R. G. Keys, Cubic convolution interpolation for digital image processing, IEEE ASSP 29(6), 1981, with
/// a = -1/2.
fn cubic_at(volume: &Volume, ijk: [f64; 3]) -> Option<f64> {
    let last = volume.grid.dims.map(|n| n as f64 - 1.0);
    let held = [0, 1, 2].map(|a| ijk[a].clamp(0.0, last[a]));
    let weight = |d: f64| match d.abs() {
        d if d < 1.0 => 1.5 * d.powi(3) - 2.5 * d.powi(2) + 1.0,
        d if d < 2.0 => -0.5 * d.powi(3) + 2.5 * d.powi(2) - 4.0 * d + 2.0,
        _ => 0.0,
    };
    let mut sum = 0.0;
    for n in 0..64_usize {
        let at = [0, 1, 2].map(|a| held[a].floor() - 1.0 + (n >> (2 * a) & 3) as f64);
        let share: f64 = (0..3).map(|a| weight(held[a] - at[a])).product();
        if share != 0.0 {
            let [i, j, k] = [0, 1, 2].map(|a| at[a].clamp(0.0, last[a]) as usize);
            sum += share * volume.value(Voxel { i, j, k })?;
        }
    }
    Some(sum)
}

/// Linear interpolation at a voxel position that is held inside the volume first, so that its edge goes on for ever.
fn linear_at(volume: &Volume, ijk: [f64; 3]) -> Option<f64> {
    let held = [0, 1, 2].map(|a| ijk[a].clamp(0.0, volume.grid.dims[a] as f64 - 1.0));
    let base = held.map(f64::floor);
    let part = [0, 1, 2].map(|a| held[a] - base[a]);
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

/// Volume rendering by the textbook: every sample of every line of sight, from front to back, each shaded by its own
/// gradient. Shape: `[row][column]`; red, green, blue (times opacity) and opacity from 0 to 1.
///
/// Source: M. Levoy, Display of Surfaces from Volume Data, IEEE CG&A 8(3), 1988.
#[must_use]
pub fn raycast(volume: &Volume, function: &TransferFunction, camera: &Camera, clip: Option<ClipBox>, step_mm: f64) -> Vec<[f64; 4]> {
    let (width, height) = (camera.plane.width, camera.plane.height);
    let pixels = (0..width * height).map(|n| [(n % width.max(1)) as f64, (n / width.max(1)) as f64]);
    pixels.map(|pixel| line_of_sight(volume, function, camera, clip, step_mm, pixel)).collect()
}

fn line_of_sight(
    volume: &Volume,
    function: &TransferFunction,
    camera: &Camera,
    clip: Option<ClipBox>,
    step_mm: f64,
    pixel: [f64; 2],
) -> [f64; 4] {
    let (from, direction, sees_back) = camera.line(pixel);
    // Far enough to pass through the whole volume from wherever the line begins.
    let reach =
        (from - volume.grid.centre()).length() + (0..3).map(|a| volume.grid.spacing_mm[a] * volume.grid.dims[a] as f64).sum::<f64>();
    let last = (reach / step_mm).ceil() as i64;
    let (mut out, mut left) = ([0.0; 4], 1.0);
    for n in if sees_back { -last } else { 0 }..=last {
        let p = from + direction * (n as f64 * step_mm);
        let is_clipped = clip.is_some_and(|(low, high)| {
            !((low.x..=high.x).contains(&p.x) && (low.y..=high.y).contains(&p.y) && (low.z..=high.z).contains(&p.z))
        });
        let Some(value) = value_at(volume, p, Interpolation::Linear).filter(|v| !is_clipped && !v.is_nan()) else { continue };
        let opacity = 1.0 - (1.0 - function.opacity(value)).powf(step_mm);
        if opacity > 0.0 {
            let (lit, highlight) = light_at(volume, &function.light, p, direction);
            for (slot, c) in out.iter_mut().zip(function.color(value)) {
                *slot += left * opacity * (c * lit + highlight);
            }
            left *= 1.0 - opacity;
        }
    }
    [out[0].min(1.0), out[1].min(1.0), out[2].min(1.0), 1.0 - left]
}

/// Share of the colour, and highlight, of a lamp at the eye.
fn light_at(volume: &Volume, light: &Light, p: PointLps, direction: VectorLps) -> (f64, f64) {
    let (grid, ijk) = (&volume.grid, volume.grid.voxel_from_lps(p));
    let mut gradient = VectorLps::default();
    for a in 0..3 {
        let beside = |d: f64| {
            let mut at = [0, 1, 2].map(|b| ijk[b].clamp(0.0, grid.dims[b] as f64 - 1.0));
            at[a] += d;
            linear_at(volume, at).unwrap_or(f64::NAN)
        };
        gradient = gradient + grid.axes[a] * ((beside(1.0) - beside(-1.0)) / (2.0 * grid.spacing_mm[a]));
    }
    let facing = (gradient.dot(direction).abs() + 0.5 * light.noise_per_mm) / (gradient.length() + light.noise_per_mm);
    let facing = facing.min(1.0);
    let highlight = light.specular * (2.0 * facing * facing - 1.0).max(0.0).powf(light.shininess);
    (light.ambient + light.diffuse * facing, highlight)
}
