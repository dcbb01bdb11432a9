//! From values to grey.

use crate::picture::Picture;
use mj_model::Window;

/// The grey of one value, 0 to 255, not rounded.
///
/// The linear function of the standard, with its half-unit offsets: black at or below
/// `c - 0.5 - (w - 1) / 2`, white above `c - 0.5 + (w - 1) / 2`, between them
/// `((x - (c - 0.5)) / (w - 1) + 0.5) * 255`.
///
/// Source: PS3.3 §C.11.2.1.2.1 (Window Width must be at least 1; a smaller one is taken as 1).
#[must_use]
pub fn linear(value: f64, center: f64, width: f64) -> f64 {
    let (c, w) = (center - 0.5, width.max(1.0) - 1.0);
    if value <= c - w / 2.0 {
        0.0
    } else if value > c + w / 2.0 {
        255.0
    } else {
        ((value - c) / w + 0.5) * 255.0
    }
}

/// A picture as 8-bit grey, one byte a pixel; outside the volume is black, inverted or not.
///
/// Source: PS3.3 §C.11.2.1.2.1.
#[must_use]
pub fn grey(picture: &Picture, window: &Window, inverted: bool) -> Vec<u8> {
    let flip = if inverted { 255 } else { 0 };
    let (c, w) = (window.center - 0.5, window.width.max(1.0) - 1.0);
    // One multiplication and one addition a pixel; the rounding and clamping of `as u8` do the rest. A width
    // of 1 is a threshold.
    if w < 1e-9 {
        return picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ if f64::from(v) > c { 255 } else { 0 } }).collect();
    }
    let (scale, offset) = (255.0 / w, 128.0 - c * 255.0 / w);
    picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ (f64::from(v) * scale + offset) as u8 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greys(values: &[f32], center: f64, width: f64, inverted: bool) -> Vec<u8> {
        let picture = Picture { width: values.len(), height: 1, values: values.to_vec() };
        grey(&picture, &Window { center, width, name: String::new() }, inverted)
    }

    #[test]
    fn examples_of_the_standard() {
        // PS3.3 §C.11.2.1.2.1, the pseudo-code for c=2048, w=4096: `if (x <= 0) y = ymin else if (x > 4095)
        // y = ymax else y = ((x - 2047.5) / 4095 + 0.5) * (ymax - ymin) + ymin`.
        for x in [-1.0, 0.0, 1.0, 100.0, 2047.0, 2048.0, 4094.0, 4095.0, 4096.0_f64] {
            let y = if x <= 0.0 {
                0.0
            } else if x > 4095.0 {
                255.0
            } else {
                ((x - 2047.5) / 4095.0 + 0.5) * 255.0
            };
            assert!((linear(x, 2048.0, 4096.0) - y).abs() < 1e-9, "{x}");
            assert_eq!(greys(&[x as f32], 2048.0, 4096.0, false), [y.round() as u8], "{x}");
        }
        // Its other examples: c=2048, w=1 is a threshold at 2047.5; c=0, w=100; c=0, w=1.
        assert_eq!(greys(&[2047.0, 2047.5, 2048.0], 2048.0, 1.0, false), [0, 0, 255]);
        assert_eq!(greys(&[-50.0, 49.0], 0.0, 100.0, false), [0, 255]);
        assert_eq!(greys(&[-1.0, -0.5, 0.0], 0.0, 1.0, false), [0, 0, 255]);
    }

    #[test]
    fn inverted_and_outside() {
        assert_eq!(greys(&[f32::NAN, -2000.0, 2000.0], 0.0, 100.0, true), [0, 255, 0]);
        assert_eq!(greys(&[f32::NAN, 0.0], 0.0, 0.0, false), [0, 255]);
    }
}
