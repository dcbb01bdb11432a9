//! Values inside a region of a plane or inside a ball.

use mj_model::{Grid, PointLps, VectorLps, Volume, Voxel};
use rayon::prelude::*;
use std::ops::Range;

/// Values of the samples inside something. Padding, what lies outside the volume, and what is no number do not count.
///
/// Units: the volume's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegionStats {
    /// Number of samples.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, as of a whole population: the squares are divided by `n`, not by `n - 1`.
    pub standard_deviation: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// True when the samples lie between voxels and were computed from their neighbours (trilinear).
    pub is_interpolated: bool,
}

/// Values met so far. Source: B. P. Welford, Technometrics 4(3), 1962; joined by T. F. Chan et al., 1979.
#[derive(Debug, Clone, Copy)]
struct Tally {
    n: usize,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Tally {
    const NONE: Self = Self { n: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn join(self, other: Self) -> Self {
        if self.n == 0 || other.n == 0 {
            return if self.n == 0 { other } else { self };
        }
        let n = self.n + other.n;
        let (between, share) = (other.mean - self.mean, other.n as f64 / n as f64);
        Self {
            n,
            mean: self.mean + between * share,
            squares: self.squares + other.squares + between * between * self.n as f64 * share,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    fn stats(self, is_interpolated: bool) -> Option<RegionStats> {
        (self.n > 0).then(|| RegionStats {
            n: self.n,
            mean: self.mean,
            standard_deviation: (self.squares / self.n as f64).sqrt(),
            min: self.min,
            max: self.max,
            is_interpolated,
        })
    }
}

/// A region counts as one of voxels of the grid when it keeps this close to a plane of them. Units: voxels.
const ON_PLANE: f64 = 0.05;

/// The values inside closed contours, each in a plane of its own; `None` when no sample lies inside.
///
/// In a plane of the grid through voxel centres the samples are the voxels whose centres lie inside, as they are stored. In a
/// plane of the grid between them they lie at the same columns and rows, in any other plane on a square grid with the smallest
/// distance of voxels; both are interpolated (trilinear). A centre on the outline's left or top belongs to it, one on its right
/// or bottom does not. Units: mm, LPS; the volume's unit.
///
/// `None` too for contours that overlap in a plane: one may be a hole in the other, and nobody says which.
#[must_use]
pub fn region_stats(volume: &Volume, contours: &[Vec<PointLps>]) -> Option<RegionStats> {
    if may_have_holes(contours) {
        return None;
    }
    let (mut tally, mut is_interpolated) = (Tally::NONE, false);
    for contour in contours {
        let raster = Raster::of(&volume.grid, contour)?;
        is_interpolated |= raster.is_between;
        tally = tally.join(raster.tally(volume, contour));
    }
    tally.stats(is_interpolated)
}

/// Contours nearer than this to each other's plane share it. Units: mm.
const SAME_PLANE_MM: f64 = 0.1;

/// A contour's plane, by a place and its normal, and the box around it.
struct Flat {
    at: PointLps,
    normal: VectorLps,
    low: [f64; 3],
    high: [f64; 3],
}

impl Flat {
    fn of(contour: &[PointLps]) -> Option<Self> {
        let at = *contour.first()?;
        let sides = contour.windows(2).filter_map(|w| Some((*w.first()? - at).cross(*w.last()? - at)));
        let normal = sides.fold(VectorLps::default(), |sum, side| sum + side).unit()?;
        let bound = |pick: fn(f64, f64) -> f64| {
            let places = contour.iter().map(|p| <[f64; 3]>::from(*p));
            places.reduce(|a, b| [pick(a[0], b[0]), pick(a[1], b[1]), pick(a[2], b[2])])
        };
        Some(Self { at, normal, low: bound(f64::min)?, high: bound(f64::max)? })
    }

    fn may_overlap(&self, other: &Self) -> bool {
        let is_one_plane = self.normal.dot(other.normal).abs() > 0.999 && (other.at - self.at).dot(self.normal).abs() < SAME_PLANE_MM;
        is_one_plane && (0..3).all(|a| self.low[a] <= other.high[a] && other.low[a] <= self.high[a])
    }
}

/// True when one of the contours may be a hole in another.
fn may_have_holes(contours: &[Vec<PointLps>]) -> bool {
    let flats: Vec<Flat> = contours.iter().filter_map(|contour| Flat::of(contour)).collect();
    flats.iter().enumerate().any(|(n, a)| flats.iter().skip(n + 1).any(|b| a.may_overlap(b)))
}

/// The values of the voxels whose centres lie in a ball; `None` when there is none. Units: mm, LPS; the volume's unit.
#[must_use]
pub fn ball_stats(volume: &Volume, centre: PointLps, radius_mm: f64) -> Option<RegionStats> {
    let grid = &volume.grid;
    let middle = grid.voxel_from_lps(centre);
    // Axes that are not quite perpendicular reach a little further; one voxel covers it.
    let range =
        |a: usize| held(middle[a] - radius_mm / grid.spacing_mm[a] - 1.0, middle[a] + radius_mm / grid.spacing_mm[a] + 2.0, grid.dims[a]);
    let slices: Vec<Tally> = range(2)
        .into_par_iter()
        .map(|k| {
            let mut tally = Tally::NONE;
            for j in range(1) {
                for i in range(0) {
                    if grid.lps_from_voxel([i as f64, j as f64, k as f64]).distance_mm(centre) <= radius_mm
                        && let Some(value) = stored(volume, Voxel { i, j, k })
                    {
                        tally.add(value);
                    }
                }
            }
            tally
        })
        .collect();
    slices.into_iter().fold(Tally::NONE, Tally::join).stats(false)
}

/// The value of the voxel at a position; `None` outside the volume, and for padding. Units: mm, LPS; the volume's unit.
#[must_use]
pub fn voxel_value(volume: &Volume, at: PointLps) -> Option<f64> {
    stored(volume, volume.grid.nearest_voxel(at)?)
}

/// Whole numbers from `low` up to and without `high`, inside `0..n`.
fn held(low: f64, high: f64, n: usize) -> Range<usize> {
    let at = |v: f64| (v.ceil().max(0.0) as usize).min(n);
    at(low)..at(high)
}

/// The value of a voxel, unless it is padding or no number.
fn stored(volume: &Volume, voxel: Voxel) -> Option<f64> {
    let stored = volume.stored(voxel)?;
    let is_value = stored.is_finite() && !volume.padding.is_some_and(|padding| padding.holds(stored));
    is_value.then(|| volume.map.apply(stored))
}

/// Trilinear value at a voxel position, held at the outermost centres; `None` more than half a voxel beyond them, and where
/// one of the neighbours is no value.
fn between(volume: &Volume, ijk: [f64; 3]) -> Option<f64> {
    let dims = volume.grid.dims;
    if (0..3).any(|a| !(ijk[a] >= -0.5 && ijk[a] <= dims[a] as f64 - 0.5)) {
        return None;
    }
    let at = [0, 1, 2].map(|a| ijk[a].clamp(0.0, dims[a] as f64 - 1.0));
    let mut sum = 0.0;
    for corner in 0..8_usize {
        let far = [0, 1, 2].map(|a| corner >> a & 1 == 1);
        let weight: f64 = (0..3).map(|a| if far[a] { at[a].fract() } else { 1.0 - at[a].fract() }).product();
        if weight > 0.0 {
            let [i, j, k] = [0, 1, 2].map(|a| at[a] as usize + usize::from(far[a]));
            sum += weight * stored(volume, Voxel { i, j, k })?;
        }
    }
    Some(sum)
}

/// Columns and rows in the plane of a contour.
struct Raster {
    /// Voxel position of column 0, row 0.
    origin: [f64; 3],
    /// Voxels from one column to the next, and from one row to the next.
    steps: [[f64; 3]; 2],
    /// The columns and rows that may lie in the volume.
    columns: Range<i64>,
    rows: Range<i64>,
    /// The samples lie between voxel centres.
    is_between: bool,
}

impl Raster {
    fn of(grid: &Grid, contour: &[PointLps]) -> Option<Self> {
        Self::along(grid, contour).or_else(|| Self::across(grid, contour))
    }

    /// The plane of the grid that a contour keeps to.
    fn along(grid: &Grid, contour: &[PointLps]) -> Option<Self> {
        let at: Vec<[f64; 3]> = contour.iter().map(|p| grid.voxel_from_lps(*p)).collect();
        // The slices first: a single row of voxels may lie in planes of two kinds.
        [2, 1, 0].into_iter().find_map(|axis| {
            let mean = at.iter().map(|p| p[axis]).sum::<f64>() / at.len() as f64;
            if !at.iter().all(|p| (p[axis] - mean).abs() <= ON_PLANE) {
                return None;
            }
            let is_between = (mean - mean.round()).abs() > ON_PLANE;
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            let one = |a: usize| [0, 1, 2].map(|b| f64::from(u8::from(a == b)));
            let mut origin = [0.0; 3];
            origin[axis] = if is_between { mean } else { mean.round() };
            let all = |a: usize| 0..grid.dims[a] as i64;
            Some(Self { origin, steps: [one(u), one(v)], columns: all(u), rows: all(v), is_between })
        })
    }

    /// Squares in a plane that is none of the grid.
    fn across(grid: &Grid, contour: &[PointLps]) -> Option<Self> {
        let first = *contour.first()?;
        let sides = contour.iter().zip(contour.iter().skip(1)).map(|(a, b)| (*a - first).cross(*b - first));
        let normal = sides.fold(VectorLps::default(), |sum, side| sum + side).unit()?;
        // Columns run along the grid as nearly as the plane lets them.
        let flat = |axis: VectorLps| axis + -(normal * axis.dot(normal));
        let [i, j, _] = grid.axes.map(flat);
        let right = if i.length() > j.length() { i } else { j }.unit()?;
        let down = normal.cross(right);
        let mm = grid.spacing_mm.iter().copied().fold(f64::INFINITY, f64::min);
        // One raster for all regions of a plane, so that moving a region does not move its samples.
        let origin = grid.origin + normal * (first - grid.origin).dot(normal);
        let zero = grid.voxel_from_lps(origin);
        let step = |along: VectorLps| {
            let next = grid.voxel_from_lps(origin + along * mm);
            [0, 1, 2].map(|a| next[a] - zero[a])
        };
        let reach = |along: VectorLps| {
            let corners = (0..8_usize).map(|c| {
                let ijk = [0, 1, 2].map(|a| if c >> a & 1 == 1 { grid.dims[a] as f64 } else { -1.0 });
                (grid.lps_from_voxel(ijk) - origin).dot(along) / mm
            });
            let (low, high) = corners.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
            low.floor() as i64..high.ceil() as i64
        };
        Some(Self { origin: zero, steps: [step(right), step(down)], columns: reach(right), rows: reach(down), is_between: true })
    }

    fn voxel(&self, [x, y]: [f64; 2]) -> [f64; 3] {
        let [right, down] = self.steps;
        [0, 1, 2].map(|a| self.origin[a] + right[a] * x + down[a] * y)
    }

    /// Column and row of a position of the plane.
    fn column_and_row(&self, ijk: [f64; 3]) -> [f64; 2] {
        let [right, down] = self.steps;
        let dot = |a: [f64; 3], b: [f64; 3]| (0..3).map(|n| a[n] * b[n]).sum::<f64>();
        let from = [0, 1, 2].map(|a| ijk[a] - self.origin[a]);
        // Voxels need not be cubes: the two steps may stand at an angle when counted in voxels.
        let (rr, rd, dd) = (dot(right, right), dot(right, down), dot(down, down));
        let det = rr * dd - rd * rd;
        [(dd * dot(from, right) - rd * dot(from, down)) / det, (rr * dot(from, down) - rd * dot(from, right)) / det]
    }

    fn tally(&self, volume: &Volume, contour: &[PointLps]) -> Tally {
        let corners: Vec<[f64; 2]> = contour.iter().map(|p| self.column_and_row(volume.grid.voxel_from_lps(*p))).collect();
        let mut tally = Tally::NONE;
        for_each_inside(&corners, &self.columns, &self.rows, |x, y| {
            let ijk = self.voxel([x as f64, y as f64]);
            let value = if self.is_between {
                between(volume, ijk)
            } else {
                let [i, j, k] = ijk.map(|v| v.round() as usize);
                stored(volume, Voxel { i, j, k })
            };
            if let Some(value) = value {
                tally.add(value);
            }
        });
        tally
    }
}

/// Goes through the whole columns and rows inside a closed polygon (even-odd), row by row.
fn for_each_inside(corners: &[[f64; 2]], columns: &Range<i64>, rows: &Range<i64>, mut found: impl FnMut(i64, i64)) {
    let (low, high) = corners.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), [_, y]| (l.min(*y), h.max(*y)));
    for y in rows.start.max(low.ceil() as i64)..rows.end.min((high.floor() as i64).saturating_add(1)) {
        let mut crossings: Vec<f64> = Vec::new();
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            let at = y as f64;
            if (a[1] <= at) != (b[1] <= at) {
                crossings.push(a[0] + (at - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            for x in columns.start.max(pair[0].ceil() as i64)..columns.end.min(pair[1].ceil() as i64) {
                found(x, y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::value_at;
    use crate::picture::Interpolation;
    use crate::testing::{blob_volume, oblique_grid, straight_grid, volume_of};
    use mj_model::{Padding, Samples};

    /// Mean, population standard deviation, lowest, highest and number, by the textbook.
    fn plain(values: &[f64]) -> (usize, f64, f64, f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let [low, high] = [f64::min, f64::max].map(|f| values.iter().copied().reduce(f).unwrap());
        (values.len(), mean, variance.sqrt(), low, high)
    }

    fn check(found: Option<RegionStats>, values: &[f64]) {
        let (n, mean, sd, low, high) = plain(values);
        let found = found.unwrap();
        assert_eq!(found.n, n);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        assert!(near(found.mean, mean) && near(found.standard_deviation, sd), "{found:?} {mean} {sd}");
        assert!(near(found.min, low) && near(found.max, high), "{found:?} {low} {high}");
    }

    /// The sum of the angles at which the corners are seen: 2π from inside, 0 from outside.
    fn is_inside(corners: &[[f64; 2]], p: [f64; 2]) -> bool {
        let angle = |c: &[f64; 2]| (c[1] - p[1]).atan2(c[0] - p[0]);
        let turns = corners.iter().zip(corners.iter().cycle().skip(1)).map(|(a, b)| {
            let d = angle(b) - angle(a);
            d - std::f64::consts::TAU * (d / std::f64::consts::TAU).round()
        });
        turns.sum::<f64>().abs() > std::f64::consts::PI
    }

    /// A star without a place on a voxel centre.
    fn star(middle: [f64; 2]) -> Vec<[f64; 2]> {
        (0..11)
            .map(|n| {
                let (sin, cos) = (f64::from(n) / 11.0 * std::f64::consts::TAU + 0.013).sin_cos();
                let r = if n % 2 == 0 { 13.37 } else { 5.71 };
                [middle[0] + r * cos, middle[1] + r * sin]
            })
            .collect()
    }

    #[test]
    fn a_region_of_a_slice_counts_the_voxels_inside_it() {
        let volume = blob_volume(oblique_grid([40, 36, 12]));
        let grid = &volume.grid;
        // In slices, and in the two other planes of the grid, through voxel centres.
        for axis in 0..3 {
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            let corners = star([grid.dims[u] as f64 / 2.0 + 0.2, grid.dims[v] as f64 / 2.0 - 0.1]);
            let place = |[x, y]: [f64; 2]| {
                let mut ijk = [7.0; 3];
                (ijk[u], ijk[v]) = (x, y);
                ijk
            };
            let contour: Vec<PointLps> = corners.iter().map(|c| grid.lps_from_voxel(place(*c))).collect();
            let mut values = Vec::new();
            for x in 0..grid.dims[u] {
                for y in 0..grid.dims[v] {
                    if is_inside(&corners, [x as f64, y as f64]) {
                        let [i, j, k] = place([x as f64, y as f64]).map(|v| v as usize);
                        values.push(volume.value(Voxel { i, j, k }).unwrap());
                    }
                }
            }
            let found = region_stats(&volume, &[contour]);
            check(found, &values);
            assert!(!found.unwrap().is_interpolated && values.len() > 50);
        }
    }

    #[test]
    fn between_slices_and_across_the_grid_values_are_interpolated() {
        let volume = blob_volume(oblique_grid([40, 36, 12]));
        let grid = &volume.grid;
        let corners = star([19.3, 17.8]);
        let contour: Vec<PointLps> = corners.iter().map(|c| grid.lps_from_voxel([c[0], c[1], 5.4])).collect();
        let mut values = Vec::new();
        for x in 0..40 {
            for y in 0..36 {
                let at = [f64::from(x), f64::from(y)];
                if is_inside(&corners, at) {
                    values.push(value_at(&volume, grid.lps_from_voxel([at[0], at[1], 5.4]), Interpolation::Linear).unwrap());
                }
            }
        }
        let found = region_stats(&volume, &[contour]);
        check(found, &values);
        assert!(found.unwrap().is_interpolated);

        // A ramp is the same wherever it is sampled: a disc in any plane has the value of its middle as its mean.
        let ramp = volume_of(straight_grid([60, 60, 60]), |v| (v.i * 10 + v.j * 4 + v.k * 3) as i16);
        let middle = ramp.grid.lps_from_voxel([30.0, 29.0, 31.0]);
        let (u, v) = (VectorLps::new(0.6, 0.0, 0.8), VectorLps::new(0.0, 1.0, 0.0));
        let disc: Vec<PointLps> = (0..360)
            .map(|n| {
                let (sin, cos) = f64::from(n).to_radians().sin_cos();
                middle + u * (15.0 * cos) + v * (15.0 * sin)
            })
            .collect();
        let found = region_stats(&ramp, &[disc]).unwrap();
        let wanted = value_at(&ramp, middle, Interpolation::Linear).unwrap();
        let area = std::f64::consts::PI * 225.0;
        assert!(found.is_interpolated && (found.n as f64 / area - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.mean - wanted).abs() < 1.0, "{found:?} {wanted}");
        // Along u the ramp rises by 8.4 a mm, along v by 4; over a disc the variance of a coordinate is r²/4.
        let sd = (8.4_f64.powi(2) + 16.0).sqrt() * 7.5;
        assert!((found.standard_deviation / sd - 1.0).abs() < 0.01, "{found:?} {sd}");
    }

    #[test]
    fn a_disc_of_a_slice_has_its_area_in_voxels() {
        let volume = volume_of(straight_grid([200, 200, 3]), |v| v.i as i16);
        let middle = volume.grid.lps_from_voxel([100.3, 99.6, 1.0]);
        let disc: Vec<PointLps> = (0..720)
            .map(|n| {
                let (sin, cos) = (f64::from(n) / 2.0).to_radians().sin_cos();
                middle + VectorLps::new(60.0 * cos, 60.0 * sin, 0.0)
            })
            .collect();
        let found = region_stats(&volume, &[disc]).unwrap();
        assert!((found.n as f64 / (std::f64::consts::PI * 3600.0) - 1.0).abs() < 0.005, "{found:?}");
        assert!((found.mean - 100.3).abs() < 0.1 && (found.standard_deviation - 30.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn a_ball_counts_the_voxels_inside_it() {
        let volume = blob_volume(oblique_grid([40, 36, 24]));
        let (grid, [ni, nj, nk]) = (&volume.grid, volume.grid.dims);
        // One reaches out of the volume.
        for (centre, radius) in [([20.0, 17.3, 11.8], 6.3), ([2.0, 3.0, 1.0], 9.0)] {
            let centre = grid.lps_from_voxel(centre);
            let all = (0..ni * nj * nk).map(|n| Voxel { i: n % ni, j: n / ni % nj, k: n / ni / nj });
            let inside = all.filter(|v| grid.lps_from_voxel([v.i as f64, v.j as f64, v.k as f64]).distance_mm(centre) <= radius);
            let values: Vec<f64> = inside.map(|v| volume.value(v).unwrap()).collect();
            check(ball_stats(&volume, centre, radius), &values);
        }
        assert_eq!(ball_stats(&volume, PointLps::new(1e4, 0.0, 0.0), 5.0), None);
        let ramp = volume_of(straight_grid([40, 30, 20]), |v| (v.i * 10) as i16);
        let found = ball_stats(&ramp, ramp.grid.lps_from_voxel([20.0, 15.0, 10.0]), 5.0).unwrap();
        assert!((found.mean - 200.0).abs() < 1e-9 && found.n == 515);
    }

    #[test]
    fn a_hole_is_not_counted_as_tissue() {
        let volume = volume_of(straight_grid([40, 40, 6]), |v| i16::try_from(v.i).unwrap());
        let square = |low: f64, high: f64, k: f64| {
            [[low, low], [high, low], [high, high], [low, high]].map(|[i, j]| volume.grid.lps_from_voxel([i, j, k])).to_vec()
        };
        let (outer, hole) = (square(5.0, 30.0, 2.0), square(10.0, 20.0, 2.0));
        assert!(region_stats(&volume, std::slice::from_ref(&outer)).is_some());
        assert_eq!(region_stats(&volume, &[outer.clone(), hole]), None, "which is the hole is not said");
        // The next slice is another plane.
        assert!(region_stats(&volume, &[outer, square(10.0, 20.0, 3.0)]).is_some());
    }

    #[test]
    fn padding_and_what_is_no_number_are_left_out() {
        let grid = straight_grid([20, 20, 1]);
        let square = |low: f64, high: f64| -> Vec<PointLps> {
            [[low, low], [high, low], [high, high], [low, high]].map(|[x, y]| grid.lps_from_voxel([x, y, 0.0])).to_vec()
        };
        let mut volume = volume_of(grid, |v| if v.i < 10 { -2000 } else { 40 });
        assert_eq!(region_stats(&volume, &[square(-0.5, 19.5)]).unwrap().n, 400);
        volume.padding = Some(Padding::between(-2000.0, -2000.0));
        let found = region_stats(&volume, &[square(-0.5, 19.5)]).unwrap();
        assert_eq!((found.n, found.mean, found.standard_deviation, found.min, found.max), (200, 40.0, 0.0, 40.0, 40.0));
        assert_eq!(region_stats(&volume, &[square(1.2, 8.8)]), None);
        let value = |i, j| voxel_value(&volume, grid.lps_from_voxel([i, j, 0.0]));
        assert_eq!([value(12.4, 3.0), value(3.0, 3.0), value(25.0, 3.0)], [Some(40.0), None, None]);
        assert_eq!(region_stats(&volume, &[square(30.0, 50.0)]), None);
        assert_eq!(region_stats(&volume, &[vec![]]), None);
        // From the left edge's centres on, and without those of the right edge.
        assert_eq!(region_stats(&volume, &[square(12.0, 15.0)]).unwrap().n, 9);
        // Two contours, as one.
        assert_eq!(region_stats(&volume, &[square(12.0, 15.0), square(16.0, 18.0)]).unwrap().n, 13);
        let mut floats = Volume { padding: None, ..Volume::of(grid, Samples::F32(vec![f32::NAN; 400])) };
        assert_eq!(region_stats(&floats, &[square(2.0, 9.0)]), None);
        if let Samples::F32(values) = &mut floats.samples {
            values[5 * 20 + 5] = 0.25;
        }
        assert_eq!(region_stats(&floats, &[square(2.0, 9.0)]).unwrap().mean, 0.25);
    }
}
