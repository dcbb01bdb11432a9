//! The lowest and highest sample of small blocks of a volume, by which the makers of pictures skip what
//! cannot be seen.

use crate::sample::Sample;
use mj_model::{Samples, Volume};
use rayon::prelude::*;

/// Edge of a block. Units: voxels.
pub(crate) const BLOCK: usize = 8;

/// The lowest and highest sample of every block of 8 x 8 x 8 voxels (and of the layer after it, which linear
/// interpolation also reads). Built once per volume in a few tens of milliseconds.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// Number of blocks along i, j, k.
    pub(crate) counts: [usize; 3],
    /// Lowest stored value. Shape: `[k][j][i]` of blocks, `i` fastest. NaN does not count; infinite where nothing does.
    pub(crate) min: Vec<f32>,
    /// Highest stored value, likewise.
    pub(crate) max: Vec<f32>,
}

impl Blocks {
    /// Reads the volume once.
    #[must_use]
    pub fn new(volume: &Volume) -> Self {
        match &volume.samples {
            Samples::I16(s) => Self::of(s, volume.grid.dims),
            Samples::U16(s) => Self::of(s, volume.grid.dims),
            Samples::U8(s) => Self::of(s, volume.grid.dims),
            Samples::F32(s) => Self::of(s, volume.grid.dims),
        }
    }

    /// Number of blocks along each axis of a grid.
    pub(crate) fn counts(dims: [usize; 3]) -> [usize; 3] {
        dims.map(|n| n.div_ceil(BLOCK).max(1))
    }

    /// True when it was built from a volume of this size.
    pub(crate) fn fits(&self, volume: &Volume) -> bool {
        self.counts == Self::counts(volume.grid.dims)
    }

    fn of<S: Sample>(samples: &[S], dims: [usize; 3]) -> Self {
        let [ni, nj, nk] = dims;
        let counts = Self::counts(dims);
        let n = counts.iter().product();
        let (mut min, mut max) = (vec![f32::INFINITY; n], vec![f32::NEG_INFINITY; n]);
        if samples.is_empty() || Some(samples.len()) != ni.checked_mul(nj).and_then(|n| n.checked_mul(nk)) {
            return Self { counts, min, max };
        }
        let layer = counts[0] * counts[1];
        min.par_chunks_mut(layer).zip(max.par_chunks_mut(layer)).enumerate().for_each(|(bk, (min, max))| {
            // Rows are joined first, element by element, which the compiler turns into vector instructions.
            let (mut low, mut high) = (vec![S::HIGHEST; ni], vec![S::LOWEST; ni]);
            for (bj, (min, max)) in min.chunks_mut(counts[0]).zip(max.chunks_mut(counts[0])).enumerate() {
                low.fill(S::HIGHEST);
                high.fill(S::LOWEST);
                for k in bk * BLOCK..(bk * BLOCK + BLOCK + 1).min(nk) {
                    for j in bj * BLOCK..(bj * BLOCK + BLOCK + 1).min(nj) {
                        let row = &samples[(k * nj + j) * ni..(k * nj + j + 1) * ni];
                        for ((low, high), &s) in low.iter_mut().zip(&mut high).zip(row) {
                            *low = if s < *low { s } else { *low };
                            *high = if s > *high { s } else { *high };
                        }
                    }
                }
                for (bi, (min, max)) in min.iter_mut().zip(max).enumerate() {
                    let part = bi * BLOCK..(bi * BLOCK + BLOCK + 1).min(ni);
                    *min = low[part.clone()].iter().fold(f32::INFINITY, |m, s| m.min(s.float()));
                    *max = high[part].iter().fold(f32::NEG_INFINITY, |m, s| m.max(s.float()));
                }
            }
        });
        // A block without a number keeps the start values of its type: it must not look full.
        for (min, max) in min.iter_mut().zip(&mut max) {
            if *min > *max {
                (*min, *max) = (f32::INFINITY, f32::NEG_INFINITY);
            }
        }
        Self { counts, min, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blob_volume, oblique_grid};

    #[test]
    fn every_block_holds_its_voxels_and_the_next_layer() {
        let volume = blob_volume(oblique_grid([19, 9, 8]));
        let blocks = Blocks::new(&volume);
        assert_eq!(blocks.counts, [3, 2, 1]);
        let [ni, nj, nk] = volume.grid.dims;
        for (at, (min, max)) in blocks.min.iter().zip(&blocks.max).enumerate() {
            let first = [at % 3 * 8, at / 3 % 2 * 8, at / 6 * 8];
            let mut values = Vec::new();
            for k in first[2]..(first[2] + 9).min(nk) {
                for j in first[1]..(first[1] + 9).min(nj) {
                    values.extend((first[0]..(first[0] + 9).min(ni)).map(|i| volume.stored([i, j, k].into()).unwrap() as f32));
                }
            }
            assert_eq!(*min, values.iter().copied().fold(f32::INFINITY, f32::min));
            assert_eq!(*max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[test]
    fn numbers_count_and_nan_does_not() {
        let mut volume = blob_volume(oblique_grid([8, 8, 17]));
        let mut samples = vec![f32::NAN; 8 * 8 * 17];
        samples[5] = 3.0;
        volume.samples = Samples::F32(samples);
        let blocks = Blocks::new(&volume);
        assert_eq!((blocks.min[0], blocks.max[0]), (3.0, 3.0));
        assert!(blocks.min[2] > blocks.max[2]);
        volume.samples = Samples::F32(Vec::new());
        assert!(Blocks::new(&volume).max.iter().all(|m| *m == f32::NEG_INFINITY));
    }
}
