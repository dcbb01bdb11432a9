//! The insides of traces as one picture.

use super::Trace;
use mj_model::PointLps;

/// A picture of insides, each in its colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    /// Its top left and bottom right corners, half a lattice step beyond its outermost points. Units: mm, LPS.
    pub corners: [PointLps; 2],
    /// Columns and rows.
    pub size: [usize; 2],
    /// Shape: `[row][column]`, column fastest; red, green, blue, opacity, the colours multiplied by their opacity.
    pub rgba: Vec<[u8; 4]>,
}

/// Lays the insides of traces over one another, the last uppermost. `opacity`: 0 to 1. `None` without any, or when they lie
/// too far from each other for a picture of `largest` columns or rows.
///
/// They must share a lattice, as those of one grid on one plane do.
#[must_use]
pub fn fill(parts: &[(&Trace, [u8; 3])], opacity: f32, largest: usize) -> Option<Fill> {
    let base = parts.first()?.0;
    let (mut low, mut high) = ([i64::MAX; 2], [i64::MIN; 2]);
    for (trace, _) in parts {
        for (a, at) in place(trace, base).into_iter().enumerate() {
            (low[a], high[a]) = (low[a].min(at), high[a].max(at.saturating_add(trace.size[a] as i64)));
        }
    }
    let size = [0, 1].map(|a| usize::try_from(high[a].saturating_sub(low[a])).unwrap_or(0));
    if size.iter().any(|n| *n == 0 || *n > largest) {
        return None;
    }
    let mut rgba = vec![[0; 4]; size[0] * size[1]];
    for (trace, colour) in parts {
        let at = place(trace, base);
        let [x, y] = [0, 1].map(|a| at[a].abs_diff(low[a]) as usize);
        for (row, values) in trace.values.chunks_exact(trace.size[0].max(1)).enumerate() {
            let from = (y + row) * size[0] + x;
            if let Some(line) = rgba.get_mut(from..from + values.len()) {
                lay(line, values, *colour, opacity.clamp(0.0, 1.0));
            }
        }
    }
    let corner = |at: [i64; 2]| base.lps(at.map(|v| v as f64 - 0.5));
    Some(Fill { corners: [corner(low), corner(high)], size, rgba })
}

/// Where a trace begins on another's lattice.
fn place(of: &Trace, base: &Trace) -> [i64; 2] {
    let d = of.origin - base.origin;
    [d.dot(base.right) / base.step_mm[0], d.dot(base.down) / base.step_mm[1]].map(|v| v.round() as i64)
}

/// Source: T. Porter, T. Duff, "Compositing digital images", SIGGRAPH 1984: over.
fn lay(line: &mut [[u8; 4]], values: &[u8], [r, g, b]: [u8; 3], opacity: f32) {
    let over = [r, g, b, 255].map(|v| f32::from(v) * opacity);
    for (pixel, value) in line.iter_mut().zip(values) {
        if *value >= Trace::INSIDE {
            for (under, over) in pixel.iter_mut().zip(over) {
                *under = f32::from(*under).mul_add(1.0 - opacity, over).round() as u8;
            }
        }
    }
}
