//! Where in a volume anything is seen.

use super::table::Table;
use super::transfer::TransferFunction;
use crate::blocks::{BLOCK, Blocks};
use crate::error::Result;
use mj_model::Volume;

/// A transfer function with how far from every block of a volume the next one is in which it shows anything.
///
/// Made once per volume and function in a few milliseconds.
#[derive(Debug, Clone)]
pub struct Seen {
    pub(super) function: TransferFunction,
    pub(super) counts: [usize; 3],
    /// Distance in blocks (the largest along the three axes) to the next block in which something is seen, 0 for
    /// such a block. Shape: `[k][j][i]` of blocks, `i` fastest.
    pub(super) distance: Vec<u8>,
}

impl Seen {
    /// Looks every block up in the function.
    ///
    /// # Errors
    /// [`crate::Error::BadTransferFunction`].
    pub fn new(volume: &Volume, blocks: &Blocks, function: &TransferFunction) -> Result<Self> {
        function.check()?;
        let table = Table::new(function, volume.map, 1.0);
        let before = table.seen_before();
        let is_seen = |(&min, &max): (&f32, &f32)| -> bool {
            min <= max && before.get(table.bin(max) + 1).zip(before.get(table.bin(min))).is_some_and(|(to, from)| to > from)
        };
        let distance = blocks.min.iter().zip(&blocks.max).map(|block| if is_seen(block) { 0 } else { u8::MAX }).collect();
        let mut seen = Self { function: function.clone(), counts: blocks.counts, distance };
        seen.spread();
        Ok(seen)
    }

    /// True when it was made for a volume of this size.
    pub(super) fn fits(&self, volume: &Volume) -> bool {
        self.counts == Blocks::counts(volume.grid.dims) && self.distance.len() == self.counts.iter().product::<usize>()
    }

    /// Block edges along each axis. Units: voxels; the distances of all blocks, `i` fastest. For the GPU's maker.
    #[must_use]
    pub fn distances(&self) -> (usize, [usize; 3], &[u8]) {
        (BLOCK, self.counts, &self.distance)
    }

    /// Spreads distances from the seen blocks: forwards and backwards, each time over the 13 neighbours that come
    /// first, which is exact for the largest of three differences.
    ///
    /// Source: A. Rosenfeld, J. L. Pfaltz, Distance functions on digital pictures, Pattern Recognition 1, 1968.
    fn spread(&mut self) {
        let [ni, nj, nk] = self.counts;
        // A frame of far blocks spares every test of the edge.
        let (fi, fj) = (ni + 2, nj + 2);
        let mut framed = vec![u8::MAX; fi * fj * (nk + 2)];
        let place = |j: usize, k: usize| ((k + 1) * fj + j + 1) * fi + 1;
        for (row, from) in self.distance.chunks(ni).enumerate() {
            let at = place(row % nj, row / nj);
            framed[at..at + ni].copy_from_slice(from);
        }
        let layer = fi * fj;
        let earlier: [usize; 13] = [
            1,
            fi - 1,
            fi,
            fi + 1,
            layer - fi - 1,
            layer - fi,
            layer - fi + 1,
            layer - 1,
            layer,
            layer + 1,
            layer + fi - 1,
            layer + fi,
            layer + fi + 1,
        ];
        let rows: Vec<usize> = (0..nk).flat_map(|k| (0..nj).map(move |j| place(j, k))).collect();
        for &row in &rows {
            for at in row..row + ni {
                let near = earlier.iter().fold(u8::MAX, |m, e| m.min(framed[at - e]));
                framed[at] = framed[at].min(near.saturating_add(1));
            }
        }
        for &row in rows.iter().rev() {
            for at in (row..row + ni).rev() {
                let near = earlier.iter().fold(u8::MAX, |m, e| m.min(framed[at + e]));
                framed[at] = framed[at].min(near.saturating_add(1));
            }
        }
        for (to, row) in self.distance.chunks_mut(ni).zip(&rows) {
            to.copy_from_slice(&framed[*row..row + ni]);
        }
    }
}
