//! Measurements on a volume, in `f64`, for numbers a clinician reads.

mod region;

pub use region::{RegionStats, ball_stats, region_stats, voxel_value};

use crate::oracle::value_at;
use crate::picture::Interpolation;
use mj_model::{PointLps, Volume};

/// Values along a line.
///
/// Units: mm, and the volume's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineStats {
    /// Length of the line.
    pub length_mm: f64,
    /// Number of samples inside the volume that are measured.
    pub samples: usize,
    /// Average value, `None` when no sample is inside.
    pub mean: Option<f64>,
    /// Lowest value.
    pub min: Option<f64>,
    /// Highest value.
    pub max: Option<f64>,
}

/// Length of a line and the values along it, sampled at a quarter of the smallest spacing (linear).
#[must_use]
pub fn line_stats(volume: &Volume, from: PointLps, to: PointLps) -> LineStats {
    let values: Vec<f64> = profile(volume, from, to).into_iter().flatten().collect();
    let n = values.len();
    LineStats {
        length_mm: from.distance_mm(to),
        samples: n,
        mean: (n > 0).then(|| values.iter().sum::<f64>() / n as f64),
        min: values.iter().copied().reduce(f64::min),
        max: values.iter().copied().reduce(f64::max),
    }
}

/// The values along a line from its first to its last point, at most a quarter of the smallest spacing apart;
/// `None` outside the volume and where the nearest voxel is padding. Units: the volume's unit.
#[must_use]
pub fn profile(volume: &Volume, from: PointLps, to: PointLps) -> Vec<Option<f64>> {
    let step = crate::oracle::step_mm(volume) / 4.0;
    let n = (from.distance_mm(to) / step).ceil().clamp(1.0, 100_000.0) as usize;
    let line = to - from;
    let is_measured = |p: PointLps| volume.padding.is_none() || volume.grid.nearest_voxel(p).is_none_or(|v| !volume.is_padding(v));
    let value = |p: PointLps| is_measured(p).then(|| value_at(volume, p, Interpolation::Linear)).flatten();
    (0..=n).map(|s| value(from + line * (s as f64 / n as f64))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{straight_grid, volume_of};

    #[test]
    fn lines_on_a_ramp() {
        let volume = volume_of(straight_grid([40, 30, 20]), |v| (v.i * 10) as i16);
        let at = |i, j, k| volume.grid.lps_from_voxel([i, j, k]);
        let stats = line_stats(&volume, at(5.0, 5.0, 5.0), at(15.0, 5.0, 5.0));
        assert!((stats.length_mm - 10.0).abs() < 1e-9);
        assert!((stats.mean.unwrap() - 100.0).abs() < 1e-6);
        assert_eq!((stats.min, stats.max), (Some(50.0), Some(150.0)));
        assert_eq!(line_stats(&volume, at(-50.0, 0.0, 0.0), at(-40.0, 0.0, 0.0)).mean, None);
    }

    #[test]
    fn padding_is_no_value() {
        let mut volume = volume_of(straight_grid([40, 30, 20]), |v| if v.i < 10 { -2000 } else { 100 });
        volume.padding = Some(mj_model::Padding::between(-2000.0, -2000.0));
        let at = |i| volume.grid.lps_from_voxel([i, 15.0, 10.0]);
        assert_eq!(line_stats(&volume, at(0.0), at(8.0)).mean, None);
    }
}
