//! Measurements on a volume, in `f64`, for numbers a clinician reads.

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

/// Average, spread and number of the measured voxels whose centres lie in a ball.
///
/// Shape: (mean, standard deviation, voxels), or `None` when no centre lies inside. Units: the volume's unit.
#[must_use]
pub fn ball_stats(volume: &Volume, centre: PointLps, radius_mm: f64) -> Option<(f64, f64, usize)> {
    let grid = &volume.grid;
    let middle = grid.voxel_from_lps(centre);
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0_usize);
    let range = |a: usize| {
        let reach = radius_mm / grid.spacing_mm[a];
        // Axes that are not quite perpendicular reach a little further; one voxel covers it.
        let lo = (middle[a] - reach - 1.0).max(0.0) as usize;
        let hi = (middle[a] + reach + 2.0).max(0.0) as usize;
        lo.min(grid.dims[a])..hi.min(grid.dims[a])
    };
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                let is_inside = grid.lps_from_voxel([i as f64, j as f64, k as f64]).distance_mm(centre) <= radius_mm;
                if is_inside && !volume.is_padding([i, j, k].into()) {
                    let v = volume.value([i, j, k].into())?;
                    sum += v;
                    squares += v * v;
                    n += 1;
                }
            }
        }
    }
    (n > 0).then(|| {
        let mean = sum / n as f64;
        (mean, (squares / n as f64 - mean * mean).max(0.0).sqrt(), n)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{straight_grid, volume_of};

    #[test]
    fn lines_and_balls_on_a_ramp() {
        let volume = volume_of(straight_grid([40, 30, 20]), |v| (v.i * 10) as i16);
        let at = |i, j, k| volume.grid.lps_from_voxel([i, j, k]);
        let stats = line_stats(&volume, at(5.0, 5.0, 5.0), at(15.0, 5.0, 5.0));
        assert!((stats.length_mm - 10.0).abs() < 1e-9);
        assert!((stats.mean.unwrap() - 100.0).abs() < 1e-6);
        assert_eq!((stats.min, stats.max), (Some(50.0), Some(150.0)));
        assert_eq!(line_stats(&volume, at(-50.0, 0.0, 0.0), at(-40.0, 0.0, 0.0)).mean, None);
        let (mean, _, n) = ball_stats(&volume, at(20.0, 15.0, 10.0), 5.0).unwrap();
        assert!((mean - 200.0).abs() < 1e-9);
        assert_eq!(n, 515);
    }

    #[test]
    fn padding_is_no_value() {
        let mut volume = volume_of(straight_grid([40, 30, 20]), |v| if v.i < 10 { -2000 } else { 100 });
        volume.padding = Some(mj_model::Padding::between(-2000.0, -2000.0));
        let at = |i| volume.grid.lps_from_voxel([i, 15.0, 10.0]);
        let (mean, spread, n) = ball_stats(&volume, at(10.0), 5.0).unwrap();
        assert!((mean - 100.0).abs() < 1e-9 && spread < 1e-9 && n < 515);
        assert_eq!(ball_stats(&volume, at(3.0), 1.5), None);
        assert_eq!(line_stats(&volume, at(0.0), at(8.0)).mean, None);
    }
}
