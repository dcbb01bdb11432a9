//! Volumes longer than a texture may be: cut into bricks that lie side by side in one texture.
//!
//! Along every axis that is too long the bricks are equal, and each repeats the next one's first voxel, so that the eight
//! voxels around any position lie in one brick. All bricks lie one beside the other along one axis of the texture, which has
//! room for them. There each has a border of its own outermost voxels on both sides, so that a filter which rounds sees
//! what it would see at the edge of a texture. `shader/fold.wgsl` finds a voxel again.

use crate::{Error, Result};

/// Where the voxels of a volume lie in its texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fold {
    dims: [usize; 3],
    /// Voxels from one brick's first to the next one's, along i, j, k.
    stride: [usize; 3],
    /// Number of bricks along i, j, k.
    counts: [usize; 3],
    /// The axis of the texture that they lie side by side along.
    along: usize,
}

/// A part of a volume and its place in the texture. Units: voxels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// First voxel in the volume.
    pub(crate) from: [usize; 3],
    /// Voxels along i, j, k.
    pub(crate) size: [usize; 3],
    /// Where the first goes.
    pub(crate) to: [usize; 3],
}

/// [`Fold`] for the shader. Units: voxels.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct FoldParams {
    size: [f32; 4],
    stride: [f32; 4],
    per_stride: [f32; 4],
    last: [f32; 4],
    places: [f32; 4],
    along: [f32; 4],
}

impl Fold {
    /// The fewest bricks, each of at most `longest` voxels along an axis, in a texture of at most `limit`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when they do not fit.
    pub(crate) fn new(dims: [usize; 3], longest: u32, limit: u32) -> Result<Self> {
        let too_large = Error::TooLarge { dims, limit };
        let (most, limit) = (longest.min(limit) as usize, limit as usize);
        if dims.contains(&0) || most < 2 {
            return Err(too_large);
        }
        if dims.iter().all(|&n| n <= most) {
            return Ok(Self { dims, stride: dims, counts: [1; 3], along: 0 });
        }
        // Bricks of n voxels share one with the next.
        let counts = dims.map(|n| (n - 1).div_ceil(most - 1).max(1));
        let stride = [0, 1, 2].map(|axis| (dims[axis] - 1).div_ceil(counts[axis]).max(1));
        // Borders of whole rows are copied faster than those of single voxels.
        let folds = [1, 2, 0].map(|along| Self { dims, stride, counts, along });
        let fitting = folds.into_iter().filter(|fold| fold.size().iter().all(|&n| n <= limit));
        fitting.min_by_key(|fold| fold.size().iter().product::<usize>()).ok_or(too_large)
    }

    /// True when there is more than one brick.
    pub(crate) fn is_cut(&self) -> bool {
        self.counts != [1; 3]
    }

    /// Voxels of the largest brick along an axis.
    fn edge(&self, axis: usize) -> usize {
        if self.counts[axis] == 1 { self.dims[axis] } else { self.stride[axis] + 1 }
    }

    /// From one brick to the next in the texture, with the borders.
    fn pitch(&self) -> usize {
        self.edge(self.along) + 2
    }

    /// The texture's size along x, y, z.
    pub(crate) fn size(&self) -> [usize; 3] {
        let mut size = [0, 1, 2].map(|axis| self.edge(axis));
        if self.is_cut() {
            size[self.along] = self.pitch() * self.counts.iter().product::<usize>();
        }
        size
    }

    /// What goes where.
    pub(crate) fn parts(&self) -> Vec<Part> {
        if !self.is_cut() {
            return vec![Part { from: [0; 3], size: self.dims, to: [0; 3] }];
        }
        let [ci, cj, ck] = self.counts;
        (0..ci * cj * ck).flat_map(|n| self.brick([n % ci, n / ci % cj, n / (ci * cj)], n)).collect()
    }

    /// A brick, between its borders.
    fn brick(&self, at: [usize; 3], n: usize) -> [Part; 3] {
        let from = [0, 1, 2].map(|axis| at[axis] * self.stride[axis]);
        let size = [0, 1, 2].map(|axis| self.edge(axis).min(self.dims[axis] - from[axis]));
        let part = |first: usize, count: usize, place: usize| {
            let mut part = Part { from, size, to: [0; 3] };
            part.from[self.along] += first;
            part.size[self.along] = count;
            part.to[self.along] = n * self.pitch() + place;
            part
        };
        let whole = size[self.along];
        [part(0, whole, 1), part(0, 1, 0), part(whole - 1, 1, whole + 1)]
    }

    pub(crate) fn params(&self) -> FoldParams {
        let four = |v: [usize; 3]| [v[0] as f32, v[1] as f32, v[2] as f32, 0.0];
        let [ci, cj, _] = self.counts;
        let mut along = [0; 3];
        along[self.along] = usize::from(self.is_cut());
        let stride = four(self.stride);
        FoldParams {
            size: four(self.size()),
            stride,
            per_stride: stride.map(|n| 1.0 / n.max(1.0)),
            last: four(self.counts.map(|n| n - 1)),
            places: four([1, ci, ci * cj].map(|n| n * self.pitch())),
            along: four(along),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_not_cut() {
        let fold = Fold::new([512, 512, 2048], 2048, 2048).unwrap();
        assert_eq!(fold.size(), [512, 512, 2048]);
        assert_eq!(fold.parts(), [Part { from: [0; 3], size: [512, 512, 2048], to: [0; 3] }]);
    }

    #[test]
    fn a_long_volume_takes_little_more_than_itself() {
        for (dims, limit, size) in [
            ([512, 512, 3000], 2048, [512, 1028, 1501]),
            ([512, 512, 2049], 2048, [512, 1028, 1025]),
            ([512, 512, 5000], 2048, [512, 1542, 1668]),
            ([4000, 3000, 1], 2048, [2001, 1501, 12]),
            ([2049, 300, 500], 2048, [1025, 300, 1004]),
        ] {
            assert_eq!(Fold::new(dims, limit, limit).unwrap().size(), size, "{dims:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_refused() {
        for dims in [[2000, 2000, 2049], [4000, 3000, 600], [0, 4, 4], [512, 512, 20_000]] {
            assert!(matches!(Fold::new(dims, 2048, 2048), Err(Error::TooLarge { .. })), "{dims:?}");
        }
        assert!(matches!(Fold::new([4, 4, 4], 1, 1), Err(Error::TooLarge { .. })));
    }

    /// Every voxel with its next along each axis lies together in one brick, nothing is written over another, and no brick
    /// touches the next.
    #[test]
    fn neighbours_stay_neighbours() {
        for (dims, longest) in [([5, 9, 23], 12), ([23, 5, 9], 12), ([23, 17, 1], 12), ([3, 23, 1], 2), ([13, 25, 22], 7)] {
            let fold = Fold::new(dims, longest, 300).unwrap();
            let [w, h, d] = fold.size();
            let mut texture = vec![None; w * h * d];
            for Part { from, size, to } in fold.parts() {
                for (k, j, i) in (0..size[2]).flat_map(|k| (0..size[1]).flat_map(move |j| (0..size[0]).map(move |i| (k, j, i)))) {
                    let place = &mut texture[((to[2] + k) * h + to[1] + j) * w + to[0] + i];
                    assert!(place.is_none(), "{dims:?} {from:?}");
                    *place = Some([from[0] + i, from[1] + j, from[2] + k]);
                }
            }
            let params = fold.params();
            for (k, j, i) in (0..dims[2]).flat_map(|k| (0..dims[1]).flat_map(move |j| (0..dims[0]).map(move |i| (k, j, i)))) {
                let voxel = [i, j, k];
                let brick = [0, 1, 2].map(|a| ((voxel[a] as f32 + 0.5) * params.per_stride[a]).floor().min(params.last[a]));
                let place = 1.0 + (0..3).map(|a| brick[a] * params.places[a]).sum::<f32>();
                let shift = [0, 1, 2].map(|a| params.along[a] * place - brick[a] * params.stride[a]);
                let at = |voxel: [usize; 3], aside: isize| {
                    let [x, y, z] = [0, 1, 2].map(|a| (voxel[a] as f32 + shift[a]) as isize + aside * params.along[a] as isize);
                    texture[((z as usize) * h + y as usize) * w + x as usize]
                };
                for step in 0..8 {
                    let next = [0, 1, 2].map(|a| (voxel[a] + (step >> a & 1)).min(dims[a] - 1));
                    assert_eq!(at(next, 0), Some(next), "{dims:?} {voxel:?}");
                }
                for aside in [-1, 1] {
                    let near = at(voxel, aside).unwrap();
                    let apart: usize = (0..3).map(|a| near[a].abs_diff(voxel[a])).sum();
                    assert!(apart <= 1, "{dims:?}: {near:?} beside {voxel:?}");
                }
            }
        }
    }
}
