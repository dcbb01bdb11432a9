//! Volume rendering on the CPU: rays through the volume, gathering light.
//!
//! A ray is cut to the volume and the clip box, leaps over blocks in which nothing is seen ([`Seen`]), takes
//! stored samples every step, looks colour and opacity up in a table made for that step, shades what is seen by
//! its gradient, and ends when nothing behind could change the pixel. Bands of pixels are spread over threads.
//! [`crate::oracle::raycast`] is the same by the textbook.

mod band;
mod camera;
pub mod preset;
mod ray;
mod seen;
mod table;
mod transfer;

use band::Caster;
pub use camera::Camera;
pub use preset::Preset;
pub use seen::Seen;
pub use table::Table;
pub use transfer::{Light, TransferFunction};

use crate::sample::Sample;
use mj_model::{PointLps, Samples, Volume};
use rayon::prelude::*;

/// How finely a picture is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Distance of samples along a ray. Units: mm.
    pub step_mm: f64,
    /// One ray for so many pixels along both sides; the pixels between are interpolated.
    pub pixels_per_ray: usize,
}

impl Quality {
    /// For a picture that stays.
    pub const FINAL: Self = Self { step_mm: 0.35, pixels_per_ray: 1 };
    /// For a picture that moves.
    pub const MOVING: Self = Self { step_mm: 1.4, pixels_per_ray: 3 };
}

/// A box along the patient axes (lowest, highest corner) outside of which nothing is seen. Units: mm, LPS.
pub type ClipBox = (PointLps, PointLps);

/// A picture in colour.
///
/// Shape: `[row][column][red, green, blue, opacity]`, row 0 at the top; colours are already times opacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendering {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

impl Rendering {
    /// Its colours on black, which is how it is looked at. Shape: `[row][column]`, red, green, blue.
    #[must_use]
    pub fn over_black(&self) -> Vec<[u8; 3]> {
        // Colours that are times opacity are what is seen of them.
        self.rgba.chunks_exact(4).map(|c| [c[0], c[1], c[2]]).collect()
    }
}

/// Light that nothing behind could make visible in 8 bits: what is left of a ray when it ends.
pub(crate) const ENOUGH: f32 = 1.0 / 256.0;

/// Draws a volume. `seen` must have been made for this volume; otherwise, and where the samples do not fill the
/// grid, the picture is empty.
#[must_use]
pub fn render(volume: &Volume, seen: &Seen, camera: &Camera, clip: Option<ClipBox>, quality: Quality) -> Rendering {
    let blank = || Rendering { width: 0, height: 0, rgba: Vec::new() };
    render_unless(volume, seen, camera, clip, quality, &|| false).unwrap_or_else(blank)
}

/// As [`render`], given up (`None`) as soon as nobody wants the picture any more, which is asked every few rows.
#[must_use]
pub fn render_unless(
    volume: &Volume,
    seen: &Seen,
    camera: &Camera,
    clip: Option<ClipBox>,
    quality: Quality,
    is_unwanted: &(dyn Fn() -> bool + Sync),
) -> Option<Rendering> {
    let every = quality.pixels_per_ray.max(1);
    let (width, height) = (camera.plane.width, camera.plane.height);
    let (columns, rows) = (width.div_ceil(every), height.div_ceil(every));
    let mut rays = Rendering { width: columns, height: rows, rgba: vec![0; columns * rows * 4] };
    let is_usable = quality.step_mm.is_finite() && quality.step_mm > 0.0;
    if columns > 0 && is_usable && seen.fits(volume) {
        match &volume.samples {
            Samples::I16(s) => draw(Caster::new(s, volume, seen, camera, clip, quality)?, is_unwanted, &mut rays)?,
            Samples::U16(s) => draw(Caster::new(s, volume, seen, camera, clip, quality)?, is_unwanted, &mut rays)?,
            Samples::U8(s) => draw(Caster::new(s, volume, seen, camera, clip, quality)?, is_unwanted, &mut rays)?,
            Samples::F32(s) => draw(Caster::new(s, volume, seen, camera, clip, quality)?, is_unwanted, &mut rays)?,
        }
    }
    Some(if every == 1 { rays } else { enlarged(&rays, width, height, every) })
}

fn draw<S: Sample>(caster: Caster<'_, S>, is_unwanted: &(dyn Fn() -> bool + Sync), into: &mut Rendering) -> Option<()> {
    let width = into.width;
    into.rgba.par_chunks_mut(width * 4 * band::ROWS).enumerate().try_for_each(|(n, rows)| {
        caster.draw(n * band::ROWS, width, rows);
        (!is_unwanted()).then_some(())
    })
}

/// A picture of few rays with linear interpolation between them.
fn enlarged(rays: &Rendering, width: usize, height: usize, every: usize) -> Rendering {
    let mut out = Rendering { width, height, rgba: vec![0; width * height * 4] };
    if rays.width == 0 || rays.height == 0 {
        return out;
    }
    // In 256ths of a ray; the ray of a group of pixels goes through its middle.
    let place = |pixel: usize, n: usize| {
        let at = (pixel * 256 + 128) / every;
        let at = at.saturating_sub(128).min((n - 1) * 256);
        (at / 256, (at / 256 + 1).min(n - 1), (at % 256) as u32)
    };
    let columns: Vec<_> = (0..width).map(|x| place(x, rays.width)).collect();
    out.rgba.par_chunks_mut(width * 4 * 16).enumerate().for_each(|(band, rows)| {
        let mut line = vec![0_u32; rays.width * 4];
        for (n, row) in rows.chunks_mut(width * 4).enumerate() {
            let (above, below, part) = place(band * 16 + n, rays.height);
            let source = |y: usize| rays.rgba.iter().skip(y * rays.width * 4);
            for ((slot, &a), &b) in line.iter_mut().zip(source(above)).zip(source(below)) {
                *slot = u32::from(a) * (256 - part) + u32::from(b) * part;
            }
            let pixels: &[[u32; 4]] = line.as_chunks().0;
            for (pixel, &(left, right, part)) in row.as_chunks_mut::<4>().0.iter_mut().zip(&columns) {
                let (a, b) = (pixels[left], pixels[right]);
                *pixel = std::array::from_fn(|c| ((a[c] * (256 - part) + b[c] * part + 32768) >> 16) as u8);
            }
        }
    });
    out
}

#[cfg(test)]
mod tests;
