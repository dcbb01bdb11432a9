//! A transfer function as a table over stored values, for one distance of samples.

use super::transfer::{Light, TransferFunction};
use crate::field::apart;
use mj_model::LinearMap;

/// Bins between the outermost values that differ.
const BINS: usize = 2048;
/// Bins of the light between facing away and facing the eye.
const FACINGS: usize = 1024;

/// Colour and opacity by stored value, with the opacity of one step.
///
/// The first bin stands for everything below, the last but one for everything above, the last for NaN, which is
/// never seen.
#[derive(Debug, Clone)]
pub struct Table {
    /// `[red, green, blue, opacity]` of one step; colours times opacity.
    pub bins: Vec<[f32; 4]>,
    /// Bin of a stored value: `value * scale + offset`, rounded down, held between 0 and the last but one.
    pub scale: f32,
    /// See `scale`.
    pub offset: f32,
    /// How light falls.
    pub light: Light,
    /// Gradients well below this are noise. Units: stored values a mm.
    pub noise_per_mm: f32,
}

impl Table {
    /// Makes the table of a function for values that are stored by a map, sampled every `step_mm`.
    #[must_use]
    pub fn new(function: &TransferFunction, map: LinearMap, step_mm: f64) -> Self {
        let light = function.light;
        let (from, to) = function.visible_range().unwrap_or((0.0, 1.0));
        // A flat map stores one value everywhere: any scale will do.
        let slope = if map.slope.is_finite() && map.slope != 0.0 { map.slope } else { 1.0 };
        let stored = |value: f64| (value - map.intercept) / slope;
        let (low, high) = (stored(from).min(stored(to)), stored(from).max(stored(to)));
        let high = if high > low { high } else { low + 1.0 };
        let per_bin = (high - low) / (BINS - 1) as f64;
        let bin = |value: f64| -> [f32; 4] {
            let opacity = 1.0 - (1.0 - function.opacity(value)).powf(step_mm);
            let [r, g, b] = function.color(value).map(|c| (c * opacity) as f32);
            [r, g, b, opacity as f32]
        };
        let ends = if slope > 0.0 { [f64::NEG_INFINITY, f64::INFINITY] } else { [f64::INFINITY, f64::NEG_INFINITY] };
        let mut bins = Vec::with_capacity(BINS + 3);
        bins.push(bin(ends[0]));
        bins.extend((0..BINS).map(|n| bin(map.apply(low + per_bin * n as f64))));
        bins.push(bin(ends[1]));
        bins.push([0.0; 4]);
        Self {
            bins,
            scale: (1.0 / per_bin) as f32,
            // Half a bin for rounding, one for the bin of everything below.
            offset: (1.5 - low / per_bin) as f32,
            light,
            noise_per_mm: (light.noise_per_mm / slope.abs()) as f32,
        }
    }

    /// The bin of a stored value.
    #[inline]
    pub(super) fn bin(&self, stored: f32) -> usize {
        let [bin] = self.few(&[stored]);
        bin as usize
    }

    /// The bins of a few stored values.
    #[inline(always)]
    pub(super) fn few<const N: usize>(&self, stored: &[f32; N]) -> [i32; N] {
        let last = (self.bins.len() - 2) as f32;
        let mut out = [0; N];
        for (out, &stored) in out.iter_mut().zip(stored) {
            let at = (stored * self.scale + self.offset).max(0.0).min(last);
            *out = apart(if stored.is_nan() { last + 1.0 } else { at }).0;
        }
        out
    }

    /// The lowest and the highest stored value that can be seen; values between them may still not.
    pub(super) fn visible(&self) -> (f32, f32) {
        let is_seen = |b: &[f32; 4]| b[3] > 0.0;
        let (Some(first), Some(last)) = (self.bins.iter().position(is_seen), self.bins.iter().rposition(is_seen)) else {
            return (f32::INFINITY, f32::NEG_INFINITY);
        };
        // One bin more at both ends, because of rounding.
        let edge = |bin: f32| (bin - self.offset) / self.scale;
        let low = if first == 0 { f32::NEG_INFINITY } else { edge(first as f32 - 1.0) };
        let high = if last + 2 >= self.bins.len() { f32::INFINITY } else { edge(last as f32 + 2.0) };
        (low, high)
    }

    /// How many bins before each are seen; one entry more than there are bins.
    pub(super) fn seen_before(&self) -> Vec<u32> {
        let mut sum = 0;
        let mut out = vec![0];
        out.extend(self.bins.iter().map(|b| {
            sum += u32::from(b[3] > 0.0);
            sum
        }));
        out
    }

    /// Light and highlight by how much a surface faces the eye, from 0 to 1.
    pub(super) fn shades(&self) -> Vec<[f32; 2]> {
        let Light { ambient, diffuse, specular, shininess, .. } = self.light;
        let shade = |facing: f64| {
            let highlight = specular * (2.0 * facing * facing - 1.0).max(0.0).powf(shininess);
            [(ambient + diffuse * facing) as f32, highlight as f32]
        };
        (0..=FACINGS).map(|n| shade(n as f64 / FACINGS as f64)).collect()
    }

    /// Where `facing` stands in [`Table::shades`].
    #[inline]
    pub(super) fn shade_at(facing: f32) -> usize {
        ((facing * FACINGS as f32 + 0.5) as i32 as usize).min(FACINGS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> TransferFunction {
        TransferFunction {
            colors: vec![[0.0, 1.0, 0.0, 0.0], [100.0, 0.0, 1.0, 0.0]],
            opacities: vec![[0.0, 0.0], [50.0, 0.5], [100.0, 0.0]],
            light: Light { ambient: 0.2, diffuse: 0.7, specular: 0.3, shininess: 10.0, noise_per_mm: 10.0 },
        }
    }

    #[test]
    fn a_table_is_its_function() {
        for map in [LinearMap::default(), LinearMap { slope: 0.5, intercept: -1024.0 }, LinearMap { slope: -2.0, intercept: 7.0 }] {
            let (function, step) = (function(), 0.25);
            let table = Table::new(&function, map, step);
            for n in -200..400 {
                let value = f64::from(n) * 0.5;
                let stored = (value - map.intercept) / map.slope;
                let bin = table.bins[table.bin(stored as f32)];
                let opacity = 1.0 - (1.0 - function.opacity(value)).powf(step);
                assert!((f64::from(bin[3]) - opacity).abs() < 3e-4, "{map:?} {value}: {} {opacity}", bin[3]);
                let red = function.color(value)[0] * opacity;
                assert!((f64::from(bin[0]) - red).abs() < 3e-4, "{map:?} {value}");
            }
            assert_eq!(table.bins[table.bin(f32::NAN)], [0.0; 4]);
            assert_eq!(table.bins[table.bin(f32::NEG_INFINITY)][3], 0.0);
            assert!((table.noise_per_mm - 10.0 / map.slope.abs() as f32).abs() < 1e-4);
        }
    }

    #[test]
    fn steps_add_up() {
        // Four layers of a quarter millimetre hide as much as one of a millimetre.
        let thin = Table::new(&function(), LinearMap::default(), 0.25);
        let thick = Table::new(&function(), LinearMap::default(), 1.0);
        let (a, b) = (thin.bins[thin.bin(50.0)][3], thick.bins[thick.bin(50.0)][3]);
        assert!((1.0 - (1.0 - a).powi(4) - b).abs() < 1e-6);
    }
}
