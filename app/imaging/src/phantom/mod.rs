//! The demo patient: a chest-to-liver CT in portal-venous phase, made from nothing but a seed, with a study of
//! six months earlier and the truth about both.
//!
//! Forms are signed distances ([`shape`], [`body`], [`skeleton`], [`chest`], [`abdomen`], [`tree`],
//! [`nodule`]), painted over each other in order ([`scene`]) into voxels ([`raster`]). Randomness is counted
//! ([`noise`]), so the same seed gives the same bytes on every run, machine and number of threads.

mod abdomen;
mod body;
mod chest;
mod nodule;
mod noise;
mod raster;
mod scene;
mod shape;
mod skeleton;
mod tree;
mod truth;

use crate::error::{Error, Result};
use body::Body;
use glam::{Affine3A, Mat3A, Vec3};
use mj_model::{Grid, PointLps, VectorLps};
use noise::CtNoise;
use raster::{Scanned, Scanner};

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Seed of everything random.
    pub seed: u64,
    /// Number of slices.
    pub slices: usize,
    /// Rows and columns.
    pub size: usize,
}

impl Default for Spec {
    fn default() -> Self {
        Self { seed: 1, slices: 300, size: 512 }
    }
}

/// One scan.
///
/// Shape: `[k][j][i]` on `grid`, k = 0 at the feet's end. Units: HU.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// Where the voxels are.
    pub grid: Grid,
    /// Hounsfield units, -1024 to 3071.
    pub hu: Vec<i16>,
}

/// The demo patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// The present study.
    pub current: Scan,
    /// The study of six months earlier, in a frame of reference of its own.
    pub prior: Scan,
    /// Label of each voxel of the present study; 0 is everything that has no label.
    pub labels: Vec<u8>,
    /// What is true about both: labels, nodules, tumour, vessels, the shift between the studies. The nodules,
    /// tumour and vessels are in the present study's frame; `in_prior` in the prior's.
    pub truth: serde_json::Value,
}

/// Side of the field of view. Units: mm.
const FIELD: f64 = 372.0;

/// Where the body's origin lies in the present study. Units: mm, LPS.
const OFFSET: [f64; 3] = [2.0, -14.0, -610.0];

/// Makes the demo patient; `progress` is told (slices done, slices in all) over both studies.
///
/// # Errors
/// [`Error::BadPhantom`] for fewer than 8 or more than 2000 slices, and sizes below 32 or above 1024.
pub fn generate(spec: &Spec, progress: &dyn Fn(u64, u64)) -> Result<Phantom> {
    let Spec { seed, slices, size } = *spec;
    if !(32..=1024).contains(&size) || !(8..=2000).contains(&slices) {
        return Err(Error::BadPhantom { size, slices });
    }
    let body = Body::new(seed);
    let nodules = nodule::place(&body, seed);
    let grid = grid(slices, size);
    let total = 2 * slices as u64;
    let scan = |is_prior: bool, before: u64| {
        let scene = scene::build(&body, seed, &nodules, is_prior);
        let shift = if is_prior { prior_to_current() } else { Affine3A::IDENTITY };
        let scanner = Scanner {
            body: &body,
            scene: &scene,
            dims: grid.dims,
            body_from_voxel: body_from_voxel(&grid, shift),
            voxel_from_body: body_from_voxel(&grid, shift).inverse(),
            noise: CtNoise::new(seed.wrapping_mul(2).wrapping_add(is_prior.into())),
            with_labels: !is_prior,
        };
        let Scanned { hu, labels } = scanner.scan(&|done| progress(before + done as u64, total));
        (Scan { grid, hu }, labels, scene)
    };
    let (current, labels, scene) = scan(false, 0);
    let (prior, _, _) = scan(true, slices as u64);
    let truth = truth::truth(spec, &grid, &labels, &nodules, &scene.vessels);
    Ok(Phantom { current, prior, labels, truth })
}

fn grid(slices: usize, size: usize) -> Grid {
    let spacing = FIELD / size as f64;
    let thickness = f64::from(body::HEIGHT) / slices as f64;
    let edge = -FIELD / 2.0 + spacing / 2.0;
    let axis = VectorLps::new;
    Grid {
        dims: [size, size, slices],
        // The couch takes room behind the back, so the field's middle lies a little behind the body's.
        origin: PointLps::new(OFFSET[0] + edge, OFFSET[1] + edge + 8.0, OFFSET[2] + thickness / 2.0),
        axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
        spacing_mm: [spacing, spacing, thickness],
    }
}

/// From the prior's patient space to the present one's: a small turn and shift, as between two visits.
fn prior_to_current() -> Affine3A {
    // About 1.7 degrees round the body's axis and 0.9 about the line between the ears: sines and cosines as
    // numbers, the same bits everywhere.
    let (s, c) = (0.03_f32, 0.999_55_f32);
    let (t, d) = (0.016_f32, 0.999_872_f32);
    let turn =
        Mat3A::from_cols_array(&[c, s, 0.0, -s, c, 0.0, 0.0, 0.0, 1.0]) * Mat3A::from_cols_array(&[1.0, 0.0, 0.0, 0.0, d, t, 0.0, -t, d]);
    Affine3A { matrix3: turn, translation: Vec3::new(-18.6, 5.2, -4.4).into() }
}

fn body_from_voxel(grid: &Grid, shift: Affine3A) -> Affine3A {
    let lps = |v: [f64; 3]| {
        let p = grid.lps_from_voxel(v);
        Vec3::new(p.x as f32, p.y as f32, p.z as f32)
    };
    let origin = lps([0.0; 3]);
    let step = |v| lps(v) - origin;
    let lps_from_voxel = Affine3A {
        matrix3: Mat3A::from_cols(step([1.0, 0.0, 0.0]).into(), step([0.0, 1.0, 0.0]).into(), step([0.0, 0.0, 1.0]).into()),
        translation: origin.into(),
    };
    let offset = Vec3::new(OFFSET[0] as f32, OFFSET[1] as f32, OFFSET[2] as f32);
    Affine3A::from_translation(-offset) * shift * lps_from_voxel
}

/// A position of the body in the present study's patient space.
fn lps(p: Vec3) -> PointLps {
    PointLps::new(f64::from(p.x) + OFFSET[0], f64::from(p.y) + OFFSET[1], f64::from(p.z) + OFFSET[2])
}

#[cfg(test)]
mod tests;
