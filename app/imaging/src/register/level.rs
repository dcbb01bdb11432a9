//! A volume made coarse: means over blocks of voxels, in parts of the range that is looked at.

use super::Range;
use mj_model::{Grid, PointLps, Samples, VectorLps, Volume};
use rayon::prelude::*;

/// A coarse volume.
///
/// Shape: `[k][j][i]` on `grid`. Units: 0 at the range's low end, 1 at its high end.
pub(super) struct Level {
    pub(super) grid: Grid,
    values: Vec<f32>,
}

/// A value between voxels and how it changes.
#[derive(Clone, Copy)]
pub(super) struct Sampled {
    pub(super) value: f64,
    /// Units: 1/mm.
    pub(super) slope: VectorLps,
}

impl Level {
    /// Means over blocks of about `mm`. An axis whose voxels are longer stays as it is.
    pub(super) fn of(volume: &Volume, mm: f64, range: Range) -> Self {
        let from = volume.grid;
        let by = std::array::from_fn(|a| {
            let fit = (mm / from.spacing_mm[a]).round().max(1.0) as usize;
            fit.min(from.dims[a].max(1))
        });
        let dims: [usize; 3] = std::array::from_fn(|a| from.dims[a] / by[a]);
        let grid = Grid {
            dims,
            origin: from.lps_from_voxel(by.map(|n: usize| (n as f64 - 1.0) / 2.0)),
            axes: from.axes,
            spacing_mm: std::array::from_fn(|a| from.spacing_mm[a] * by[a] as f64),
        };
        let mut values = vec![0.0_f32; grid.n_voxels()];
        let layer = (dims[0] * dims[1]).max(1);
        let padding = volume.padding;
        let part = |stored: f64| match padding {
            Some(padding) if padding.holds(stored) => 0.0,
            _ => range.part(volume.map.apply(stored)),
        };
        values.par_chunks_mut(layer).enumerate().for_each(|(k, out)| match &volume.samples {
            Samples::I16(s) => means(s, &from, by, k, dims, out, &part),
            Samples::U16(s) => means(s, &from, by, k, dims, out, &part),
            Samples::U8(s) => means(s, &from, by, k, dims, out, &part),
            Samples::F32(s) => means(s, &from, by, k, dims, out, &part),
        });
        Self { grid, values }
    }

    /// The value of a voxel; 0 outside.
    pub(super) fn at(&self, i: usize, j: usize, k: usize) -> f64 {
        self.values.get(self.grid.offset([i, j, k].into())).map_or(0.0, |v| f64::from(*v))
    }

    /// The trilinear value at a position and its slope; `None` beyond the outermost voxel centres.
    pub(super) fn sample(&self, p: PointLps) -> Option<Sampled> {
        let at = self.grid.voxel_from_lps(p);
        let [ni, nj, nk] = self.grid.dims;
        let mut base = [0_usize; 3];
        let mut f = [0.0; 3];
        for (axis, n) in [ni, nj, nk].into_iter().enumerate() {
            if n < 2 || !(at[axis] >= 0.0 && at[axis] <= (n - 1) as f64) {
                return None;
            }
            base[axis] = (at[axis] as usize).min(n - 2);
            f[axis] = at[axis] - base[axis] as f64;
        }
        let start = base[0] + ni * (base[1] + nj * base[2]);
        let pair = |offset: usize| -> Option<(f64, f64)> {
            let both = self.values.get(start + offset..start + offset + 2)?;
            Some((f64::from(*both.first()?), f64::from(*both.last()?)))
        };
        let (c00, c10, c01, c11) = (pair(0)?, pair(ni)?, pair(ni * nj)?, pair(ni * nj + ni)?);
        let mix = |(a, b): (f64, f64), t: f64| a + (b - a) * t;
        let (x00, x10, x01, x11) = (mix(c00, f[0]), mix(c10, f[0]), mix(c01, f[0]), mix(c11, f[0]));
        let (low, high) = (mix((x00, x10), f[1]), mix((x01, x11), f[1]));
        let rise = |(a, b): (f64, f64)| b - a;
        let di = mix((mix((rise(c00), rise(c10)), f[1]), mix((rise(c01), rise(c11)), f[1])), f[2]);
        let dj = mix((x10 - x00, x11 - x01), f[2]);
        let [i, j, k] = self.grid.axes;
        let [si, sj, sk] = self.grid.spacing_mm;
        let slope = i * (di / si) + j * (dj / sj) + k * ((high - low) / sk);
        Some(Sampled { value: mix((low, high), f[2]), slope })
    }

    /// The voxels of the body and what it holds: those between the first and the last dense voxel of their row and of their
    /// column, so that lungs count.
    pub(super) fn body(&self, threshold: f64) -> Vec<[usize; 3]> {
        let [ni, nj, nk] = self.grid.dims;
        let layers: Vec<Vec<[usize; 3]>> = (0..nk)
            .into_par_iter()
            .map(|k| {
                let span = |dense: &dyn Fn(usize) -> bool, n: usize| {
                    let first = (0..n).find(|x| dense(*x))?;
                    Some((first, (first..n).rev().find(|x| dense(*x))?))
                };
                let rows: Vec<_> = (0..nj).map(|j| span(&|i| self.at(i, j, k) > threshold, ni)).collect();
                let columns: Vec<_> = (0..ni).map(|i| span(&|j| self.at(i, j, k) > threshold, nj)).collect();
                let within = |span: &Option<(usize, usize)>, x: usize| span.is_some_and(|(a, b)| (a..=b).contains(&x));
                let mut out = Vec::new();
                for (j, row) in rows.iter().enumerate() {
                    out.extend(columns.iter().enumerate().filter(|(i, c)| within(row, *i) && within(c, j)).map(|(i, _)| [i, j, k]));
                }
                out
            })
            .collect();
        layers.concat()
    }

    /// Position of a voxel. Units: mm, LPS.
    pub(super) fn lps(&self, v: [usize; 3]) -> PointLps {
        self.grid.lps_from_voxel(v.map(|x| x as f64))
    }
}

/// One layer of block means.
fn means<S: Copy + Into<f64>>(
    samples: &[S],
    from: &Grid,
    by: [usize; 3],
    k: usize,
    dims: [usize; 3],
    out: &mut [f32],
    part: &(dyn Fn(f64) -> f64 + Sync),
) {
    let per_block = (by[0] * by[1] * by[2]) as f64;
    let mut sums = vec![0.0_f64; out.len()];
    for kk in k * by[2]..(k + 1) * by[2] {
        for jj in 0..dims[1] * by[1] {
            let at = from.offset([0, jj, kk].into());
            let Some(row) = samples.get(at..at + dims[0] * by[0]) else { continue };
            let first = jj / by[1] * dims[0];
            let Some(line) = sums.get_mut(first..first + dims[0]) else { continue };
            for (sum, block) in line.iter_mut().zip(row.chunks_exact(by[0])) {
                *sum += block.iter().map(|s| part((*s).into())).sum::<f64>();
            }
        }
    }
    for (value, sum) in out.iter_mut().zip(sums) {
        *value = (sum / per_block) as f32;
    }
}
