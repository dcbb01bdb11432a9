//! From values to grey.

use crate::picture::Picture;
use mj_model::Window;

/// The grey of one value, 0 to 255, not rounded: the functions of the standard as it writes them. What draws is
/// compared with this.
///
/// `LINEAR`: black at or below `c - 0.5 - (w - 1) / 2`, white above `c - 0.5 + (w - 1) / 2`, between them
/// `((x - (c - 0.5)) / (w - 1) + 0.5) * 255`. `LINEAR_EXACT`, also for a width below 1, which `LINEAR` does not
/// allow: black at or below `c - w / 2`, white above `c + w / 2`, between them `((x - c) / w + 0.5) * 255`.
///
/// Source: PS3.3 §C.11.2.1.2.1, §C.11.2.1.3.2.
#[must_use]
pub fn plain(x: f64, window: &Window) -> f64 {
    let (c, w) = (window.center, window.width);
    let (low, high, between) = if window.is_exact || w < 1.0 {
        (c - w / 2.0, c + w / 2.0, (x - c) / w + 0.5)
    } else {
        (c - 0.5 - (w - 1.0) / 2.0, c - 0.5 + (w - 1.0) / 2.0, (x - (c - 0.5)) / (w - 1.0) + 0.5)
    };
    if x <= low {
        0.0
    } else if x > high {
        255.0
    } else {
        between * 255.0
    }
}

/// A picture as 8-bit grey, one byte a pixel; outside the volume is black, inverted or not.
///
/// Source: PS3.3 §C.11.2.1.2.1, §C.11.2.1.3.2.
#[must_use]
pub fn grey(picture: &Picture, window: &Window, inverted: bool) -> Vec<u8> {
    let flip = if inverted { 255 } else { 0 };
    let (c, w) = window.middle_and_span();
    // One multiplication and one addition a pixel; the rounding and clamping of `as u8` do the rest.
    if w <= 0.0 {
        return picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ if f64::from(v) > c { 255 } else { 0 } }).collect();
    }
    let (scale, offset) = (255.0 / w, 128.0 - c * 255.0 / w);
    picture.values.iter().map(|&v| if v.is_nan() { 0 } else { flip ^ (f64::from(v) * scale + offset) as u8 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(center: f64, width: f64) -> Window {
        Window { center, width, name: String::new(), is_exact: false }
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
        let exact = Window { is_exact: true, ..window(2048.0, 4096.0) };
        for (x, y) in [(0.0_f32, 0.0), (1024.0, 63.75), (2048.0, 127.5), (4096.0, 255.0), (5000.0, 255.0)] {
            assert!((plain(x.into(), &exact) - y).abs() < 1e-9, "{x}");
            assert_eq!(greys(&[x], &exact, false), [y.round() as u8], "{x}");
        }
    }

    #[test]
    fn small_values_have_greys_too() {
        // Apparent diffusion in mm2/s: a width far below 1, whatever the file calls its function.
        for is_exact in [false, true] {
            let adc = Window { is_exact, ..window(0.0015, 0.003) };
            assert_eq!(greys(&[0.0, 0.00075, 0.0015, 0.003, 0.01], &adc, false), [0, 64, 128, 255, 255]);
            assert_eq!(greys(&[0.0, 0.003], &adc, true), [255, 0]);
        }
        // Uptake from 0 to 5: `LINEAR` would show it from 0 to 4, half a unit too dark.
        let suv = Window { is_exact: true, ..window(2.5, 5.0) };
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
}
