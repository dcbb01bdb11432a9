//! Stored samples to colours for a display: red, green, blue, 8 bits each. ICC profiles are not applied.
//!
//! Source: PS3.3 §C.7.6.3.1.2 (photometric interpretations and their equations).

use super::palette::Palette;
use super::{FrameSamples, Layout};
use crate::dataset::View;
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;

/// True when an image is in colour: several samples, a palette, or grey with a supplemental palette that is to be used.
///
/// Source: PS3.3 §C.7.6.3.1.2, §C.8.16.2.1.1 (Pixel Presentation (0008,9205)).
pub(crate) fn is_colour(root: &View<'_>, layout: &Layout) -> bool {
    layout.samples_per_pixel > 1 || layout.photometric == "PALETTE COLOR" || is_supplemented(root, layout)
}

/// Grey values below, colours from the palette above.
fn is_supplemented(root: &View<'_>, layout: &Layout) -> bool {
    layout.photometric == "MONOCHROME2"
        && matches!(root.first_text(tags::PIXEL_PRESENTATION).as_str(), "COLOR" | "MIXED")
        && root.has(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR)
}

/// The colours of a frame. `grey` turns stored values that a supplemental palette leaves grey into 8 bits.
///
/// # Errors
/// [`Error::BadValue`] for a palette that cannot be used; [`Error::UnsupportedPixels`] for colours of a kind not known.
pub(crate) fn rgb(samples: &FrameSamples, layout: &Layout, root: &View<'_>, grey: impl Fn(f64) -> u8) -> Result<Vec<[u8; 3]>> {
    let per_pixel = usize::from(layout.samples_per_pixel);
    if per_pixel > 1 {
        return of_samples(samples, layout, per_pixel);
    }
    let palette = Palette::of(root, layout.is_signed)?;
    let keeps_grey = is_supplemented(root, layout);
    let mut out = Vec::with_capacity(samples.len());
    samples.for_each(|v| out.push(if keeps_grey && palette.is_below(v) { [grey(v); 3] } else { palette.pick(v) }));
    Ok(out)
}

fn of_samples(samples: &FrameSamples, layout: &Layout, per_pixel: usize) -> Result<Vec<[u8; 3]>> {
    let levels = (1_u64 << layout.bits_stored.min(63)) as f64;
    // 0 to 255, not rounded; the grey middle of colour differences, half of all levels, must become 128.
    let scale = match layout.is_float {
        true => 1.0,
        false if layout.photometric.starts_with("YBR_") => 256.0 / levels,
        false => 255.0 / (levels - 1.0),
    };
    let mut values = Vec::with_capacity(samples.len());
    samples.for_each(|v| values.push((v * scale) as f32));
    let to_rgb: fn([f32; 4]) -> [f32; 3] = match (layout.photometric.as_str(), per_pixel) {
        // The codestream's own transform is undone by its decoder.
        ("" | "RGB" | "YBR_RCT" | "YBR_ICT", 3) => |[r, g, b, _]| [r, g, b],
        ("YBR_FULL" | "YBR_FULL_422", 3) => ybr_full,
        ("YBR_PARTIAL_422" | "YBR_PARTIAL_420", 3) => ybr_partial,
        ("ARGB", 4) => |[_, r, g, b]| [r, g, b],
        ("CMYK", 4) => |[c, m, y, k]| [c, m, y].map(|ink| (255.0 - ink) * (255.0 - k) / 255.0),
        (other, _) => return Err(Error::UnsupportedPixels { what: format!("{per_pixel} samples of {other}") }),
    };
    let pixels = values.chunks_exact(per_pixel).map(|p| {
        let mut four = [0.0; 4];
        four.iter_mut().zip(p).for_each(|(to, from)| *to = *from);
        to_rgb(four).map(|c| c.round() as u8)
    });
    Ok(pixels.collect())
}

/// The inverse of `Y = 0.299 R + 0.587 G + 0.114 B`, `CB = -0.1687 R - 0.3313 G + 0.5 B + 128`,
/// `CR = 0.5 R - 0.4187 G - 0.0813 B + 128`.
fn ybr_full([y, cb, cr, _]: [f32; 4]) -> [f32; 3] {
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
}

/// The inverse of `Y = 0.2568 R + 0.5041 G + 0.0979 B + 16`, `CB = -0.1482 R - 0.2910 G + 0.4392 B + 128`,
/// `CR = 0.4392 R - 0.3678 G - 0.0714 B + 128`: black is 16, white 235.
fn ybr_partial([y, cb, cr, _]: [f32; 4]) -> [f32; 3] {
    let (y, cb, cr) = (1.164_383 * (y - 16.0), cb - 128.0, cr - 128.0);
    [y + 1.596_027 * cr, y - 0.391_762 * cb - 0.812_968 * cr, y + 2.017_232 * cb]
}
