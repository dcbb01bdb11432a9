//! Transfer functions: which values are seen, in which colour, and how light falls on them.

use crate::error::{Error, Result};
use serde::Deserialize;

/// How light falls on what is seen: a lamp at the eye, on both sides of a surface.
///
/// Source: B. T. Phong, Illumination for Computer Generated Pictures, CACM 18(6), 1975.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Light {
    /// Share of the colour that is always there.
    pub ambient: f64,
    /// Share that depends on how much a surface faces the eye.
    pub diffuse: f64,
    /// Strength of the highlight.
    pub specular: f64,
    /// Sharpness of the highlight.
    pub shininess: f64,
    /// Gradients well below this are noise and count as half facing the eye. Units: the volume's unit a mm.
    pub noise_per_mm: f64,
}

/// Colour and opacity by value.
///
/// Units: values in the volume's unit; colours and opacities from 0 to 1, opacity per mm. Between points both
/// are linear, beyond the outermost points they stay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TransferFunction {
    /// `[value, red, green, blue]`, values rising.
    pub colors: Vec<[f64; 4]>,
    /// `[value, opacity of a layer of 1 mm]`, values rising.
    pub opacities: Vec<[f64; 2]>,
    /// The light.
    pub light: Light,
}

impl TransferFunction {
    /// Checks that it can be drawn.
    ///
    /// # Errors
    /// [`Error::BadTransferFunction`] without points, with values that do not rise, with numbers outside 0 to 1.
    pub fn check(&self) -> Result<()> {
        let rises = |values: Vec<f64>| values.iter().all(|v| v.is_finite()) && values.is_sorted_by(|a, b| a < b);
        let is_share = |v: &f64| (0.0..=1.0).contains(v);
        let Light { ambient, diffuse, specular, shininess, noise_per_mm } = self.light;
        let well = !self.colors.is_empty()
            && !self.opacities.is_empty()
            && rises(self.colors.iter().map(|c| c[0]).collect())
            && rises(self.opacities.iter().map(|o| o[0]).collect())
            && self.colors.iter().all(|c| c[1..].iter().all(is_share))
            && self.opacities.iter().all(|o| is_share(&o[1]))
            && [ambient, diffuse, specular].iter().all(is_share)
            && (1.0..=200.0).contains(&shininess)
            && noise_per_mm.is_finite()
            && noise_per_mm >= 0.0;
        if well { Ok(()) } else { Err(Error::BadTransferFunction) }
    }

    /// Red, green, blue of a value.
    #[must_use]
    pub fn color(&self, value: f64) -> [f64; 3] {
        let [r, g, b] = between(&self.colors, value);
        [r, g, b]
    }

    /// Opacity of 1 mm of a value.
    #[must_use]
    pub fn opacity(&self, value: f64) -> f64 {
        let [opacity] = between::<2, 1>(&self.opacities, value);
        opacity
    }

    /// The same function of other values: 0 becomes `low`, 1 becomes `high`. For presets that go by a window.
    #[must_use]
    pub fn stretched(&self, low: f64, high: f64) -> Self {
        let at = |v: f64| low + v * (high - low);
        let mut out = self.clone();
        out.colors.iter_mut().for_each(|c| c[0] = at(c[0]));
        out.opacities.iter_mut().for_each(|o| o[0] = at(o[0]));
        out.light.noise_per_mm *= high - low;
        out
    }

    /// Values between which anything is seen or changes; `None` when nothing ever is seen.
    pub(super) fn visible_range(&self) -> Option<(f64, f64)> {
        let first = self.opacities.iter().position(|o| o[1] > 0.0)?;
        let last = self.opacities.iter().rposition(|o| o[1] > 0.0)?;
        let at = |n: usize| self.opacities.get(n).map(|o| o[0]);
        // Where the outermost opacity goes on for ever, colours may still change.
        let from = match first.checked_sub(1) {
            Some(before) => at(before)?,
            None => at(0)?.min(self.colors.first().map_or(f64::INFINITY, |c| c[0])),
        };
        let to = match at(last + 1) {
            Some(after) => after,
            None => at(last)?.max(self.colors.last().map_or(f64::NEG_INFINITY, |c| c[0])),
        };
        Some((from, to))
    }
}

/// Linear between points of `[value, numbers…]`.
fn between<const N: usize, const M: usize>(points: &[[f64; N]], value: f64) -> [f64; M] {
    let after = points.partition_point(|p| p[0] <= value);
    let numbers = |p: &[f64; N]| std::array::from_fn(|n| p.get(n + 1).copied().unwrap_or(0.0));
    match (after.checked_sub(1).and_then(|n| points.get(n)), points.get(after)) {
        (Some(a), Some(b)) => {
            let part = (value - a[0]) / (b[0] - a[0]);
            let (a, b): ([f64; M], [f64; M]) = (numbers(a), numbers(b));
            std::array::from_fn(|n| a[n] + (b[n] - a[n]) * part)
        }
        (Some(only), None) | (None, Some(only)) => numbers(only),
        (None, None) => [0.0; M],
    }
}
