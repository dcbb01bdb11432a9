//! Lines of sight in voxel space.

use super::ClipBox;
use super::camera::Camera;
use mj_model::{Grid, PointLps};

/// A ray as the samples that lie inside the volume: sample `s` of `n` is at `start + step * s`. Units: voxels.
pub(super) struct Ray {
    pub(super) start: [f32; 3],
    pub(super) step: [f32; 3],
    /// One over `step`.
    pub(super) inverse: [f32; 3],
    pub(super) n: usize,
    /// Direction of sight along the grid's axes; unit length.
    pub(super) sight: [f32; 3],
}

/// Positions of pixels as a linear function: `origin + right * x + down * y`.
#[derive(Clone, Copy)]
struct Pixels {
    origin: [f64; 3],
    right: [f64; 3],
    down: [f64; 3],
    /// The eye, or a point one millimetre along the line of sight of pixel (0, 0).
    eye: [f64; 3],
}

impl Pixels {
    /// `space` turns a position into the space the function is for.
    fn new(camera: &Camera, space: impl Fn(PointLps) -> [f64; 3]) -> Self {
        let plane = &camera.plane;
        let at = |pixel| space(plane.lps_from_pixel(pixel));
        let origin = at([0.0, 0.0]);
        let eye = match camera.eye_mm {
            Some(mm) => plane.centre + plane.normal() * -mm,
            None => plane.lps_from_pixel([0.0, 0.0]) + plane.normal(),
        };
        let away = |p: [f64; 3]| [0, 1, 2].map(|a| p[a] - origin[a]);
        Self { origin, right: away(at([1.0, 0.0])), down: away(at([0.0, 1.0])), eye: space(eye) }
    }

    fn at(&self, x: f64, y: f64) -> [f64; 3] {
        [0, 1, 2].map(|a| self.origin[a] + self.right[a] * x + self.down[a] * y)
    }

    /// Start of a ray and its step, `per_mm` being the step over the distance from the eye to the pixel.
    fn line(&self, has_eye: bool, x: f64, y: f64, share: f64) -> ([f64; 3], [f64; 3]) {
        let at = self.at(x, y);
        if has_eye {
            (self.eye, [0, 1, 2].map(|a| (at[a] - self.eye[a]) * share))
        } else {
            (at, [0, 1, 2].map(|a| (self.eye[a] - self.origin[a]) * share))
        }
    }
}

/// What is the same for all rays of a picture.
pub(super) struct Rays {
    voxels: Pixels,
    lps: Pixels,
    has_eye: bool,
    step_mm: f64,
    dims: [f64; 3],
    mm_per_voxel: [f64; 3],
    clip: Option<([f64; 3], [f64; 3])>,
}

impl Rays {
    pub(super) fn new(grid: &Grid, camera: &Camera, clip: Option<ClipBox>, step_mm: f64) -> Self {
        Self {
            voxels: Pixels::new(camera, |p| grid.voxel_from_lps(p)),
            lps: Pixels::new(camera, Into::into),
            has_eye: camera.eye_mm.is_some(),
            step_mm,
            dims: grid.dims.map(|n| n as f64),
            mm_per_voxel: grid.spacing_mm,
            clip: clip.map(|(low, high)| (low.into(), high.into())),
        }
    }

    /// The ray through a pixel; `None` when it misses.
    ///
    /// Samples lie at whole multiples of the step from the plane (parallel) or the eye.
    pub(super) fn through(&self, x: f64, y: f64) -> Option<Ray> {
        let share = if self.has_eye {
            let at = self.lps.at(x, y);
            let squared: f64 = (0..3).map(|a| (at[a] - self.lps.eye[a]).powi(2)).sum();
            self.step_mm / squared.sqrt()
        } else {
            self.step_mm
        };
        let (start, step) = self.voxels.line(self.has_eye, x, y, share);
        let mut range = (if self.has_eye { 0.0 } else { f64::NEG_INFINITY }, f64::INFINITY);
        for a in 0..3 {
            cut(&mut range, start[a], step[a], -0.5, self.dims[a] - 0.5);
        }
        if let Some((low, high)) = self.clip {
            let (start, step) = self.lps.line(self.has_eye, x, y, share);
            for a in 0..3 {
                cut(&mut range, start[a], step[a], low[a], high[a]);
            }
        }
        let (first, last) = ((range.0 - 1e-9).ceil(), (range.1 + 1e-9).floor());
        // Also false where a number of the camera is none.
        if !(first <= last && last - first < 1e7) {
            return None;
        }
        Some(Ray {
            start: [0, 1, 2].map(|a| (start[a] + step[a] * first) as f32),
            step: step.map(|s| s as f32),
            // Infinite along an axis that the ray does not move on: there it never leaves a block.
            inverse: step.map(|s| if s == 0.0 { f32::INFINITY } else { (1.0 / s) as f32 }),
            n: (last - first) as usize + 1,
            sight: [0, 1, 2].map(|a| (step[a] * self.mm_per_voxel[a] / self.step_mm) as f32),
        })
    }
}

/// Narrows a range of sample numbers to where `start + step * s` lies between two walls.
fn cut(range: &mut (f64, f64), start: f64, step: f64, low: f64, high: f64) {
    if step.abs() < 1e-12 {
        if !(start >= low && start <= high) {
            *range = (1.0, 0.0);
        }
        return;
    }
    let (p, q) = ((low - start) / step, (high - start) / step);
    *range = (range.0.max(p.min(q)), range.1.min(p.max(q)));
}
