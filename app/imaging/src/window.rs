//! From values to grey.

use crate::picture::Picture;
use mj_model::{Curve, Window};

/// The grey of one value, 0 to 255, not rounded: [`Window::share`] in levels of a display.
#[must_use]
pub fn plain(x: f64, window: &Window) -> f64 {
    window.share(x) * 255.0
}

/// A picture as 8-bit grey, one byte a pixel; outside the volume is black, inverted or not.
///
/// Source: PS3.3 §C.11.2.1.
#[must_use]
pub fn grey(picture: &Picture, window: &Window, inverted: bool) -> Vec<u8> {
    let flip = if inverted { 255 } else { 0 };
    let by = |grey: &dyn Fn(f64) -> u8| picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ grey(f64::from(v)) }).collect();
    let (c, w) = window.middle_and_span();
    match &window.curve {
        Curve::Table(_) | Curve::Sigmoid => by(&|v| (window.share(v) * 255.0).round() as u8),
        Curve::Linear | Curve::LinearExact if w <= 0.0 => by(&|v| if v > c { 255 } else { 0 }),
        Curve::Linear | Curve::LinearExact => {
            // One multiplication and one addition a pixel; the rounding and clamping of `as u8` do the rest.
            let (scale, offset) = (255.0 / w, 128.0 - c * 255.0 / w);
            picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ (f64::from(v) * scale + offset) as u8 }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::LookupTable;

    fn window(center: f64, width: f64) -> Window {
        Window::linear(center, width, "")
    }

    fn greys(values: &[f32], window: &Window, inverted: bool) -> Vec<u8> {
        let picture = Picture { width: values.len(), height: 1, values: values.to_vec() };
        grey(&picture, window, inverted)
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
            assert!((plain(x, &window(2048.0, 4096.0)) - y).abs() < 1e-9, "{x}");
            assert_eq!(greys(&[x as f32], &window(2048.0, 4096.0), false), [y.round() as u8], "{x}");
        }
        // Its other examples: c=2048, w=1 is a threshold at 2047.5; c=0, w=100; c=0, w=1.
        assert_eq!(greys(&[2047.0, 2047.5, 2048.0], &window(2048.0, 1.0), false), [0, 0, 255]);
        assert_eq!(greys(&[-50.0, 49.0], &window(0.0, 100.0), false), [0, 255]);
        assert_eq!(greys(&[-1.0, -0.5, 0.0], &window(0.0, 1.0), false), [0, 0, 255]);
        // PS3.3 §C.11.2.1.3.2 for c=2048, w=4096: `if (x <= 0) … else if (x > 4096) … else ((x - 2048) / 4096 + 0.5)`.
        let exact = Window { curve: Curve::LinearExact, ..window(2048.0, 4096.0) };
        for (x, y) in [(0.0_f32, 0.0), (1024.0, 63.75), (2048.0, 127.5), (4096.0, 255.0), (5000.0, 255.0)] {
            assert!((plain(x.into(), &exact) - y).abs() < 1e-9, "{x}");
            assert_eq!(greys(&[x], &exact, false), [y.round() as u8], "{x}");
        }
    }

    #[test]
    fn small_values_have_greys_too() {
        // Apparent diffusion in mm2/s: a width far below 1, whatever the file calls its function.
        for curve in [Curve::Linear, Curve::LinearExact] {
            let adc = Window { curve, ..window(0.0015, 0.003) };
            assert_eq!(greys(&[0.0, 0.00075, 0.0015, 0.003, 0.01], &adc, false), [0, 64, 128, 255, 255]);
            assert_eq!(greys(&[0.0, 0.003], &adc, true), [255, 0]);
        }
        // Uptake from 0 to 5: `LINEAR` would show it from 0 to 4, half a unit too dark.
        let suv = Window { curve: Curve::LinearExact, ..window(2.5, 5.0) };
        assert_eq!(greys(&[0.0, 2.5, 5.0], &suv, false), [0, 128, 255]);
        for n in 0..=60_u8 {
            let x = f64::from(n) / 10.0 - 0.5;
            let drawn = f64::from(greys(&[x as f32], &suv, false)[0]);
            assert!((drawn - plain(x, &suv)).abs() <= 0.51, "{x}");
        }
    }

    #[test]
    fn inverted_and_outside() {
        assert_eq!(greys(&[f32::NAN, -2000.0, 2000.0], &window(0.0, 100.0), true), [0, 255, 0]);
        assert_eq!(greys(&[f32::NAN, 0.0], &window(0.0, 0.0), false), [0, 255]);
    }

    #[test]
    fn sigmoids_and_tables() {
        // PS3.3 §C.11.2.1.3.1: half of white in the middle, and 1 / (1 + e^-2) half a width above it.
        let sigmoid = Window { curve: Curve::Sigmoid, ..window(100.0, 50.0) };
        assert_eq!(greys(&[-1000.0, 75.0, 100.0, 125.0, 5000.0], &sigmoid, false), [0, 30, 128, 225, 255]);
        let table = LookupTable { first: 10, entries: vec![0, 1000, 4095], white: 4095 };
        let table = Window::of_table(table, "").unwrap();
        assert_eq!(greys(&[0.0, 10.0, 11.0, 12.0, 99.0], &table, false), [0, 0, 62, 255, 255]);
        assert_eq!(greys(&[10.0, 12.0, f32::NAN], &table, true), [255, 0, 0]);
    }
}
