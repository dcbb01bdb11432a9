//! What a picture shows: a plane of pixels in a volume's voxel space.

use crate::fold::{Fold, FoldParams};
use mj_model::{Grid, PointLps, VectorLps};

/// How the samples of a slab become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Projection {
    /// The highest value.
    #[default]
    Max,
    /// The lowest value.
    Min,
    /// The mean.
    Mean,
}

/// A picture's pixels in patient space.
///
/// Units: mm, LPS. `right` and `down` are unit vectors; pixel (0, 0) is at the top left and its centre lies
/// on `origin`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Centre of pixel (0, 0) in the middle of the slab.
    pub origin: PointLps,
    /// Direction of the next column.
    pub right: VectorLps,
    /// Direction of the next row.
    pub down: VectorLps,
    /// Distance of pixel centres. Units: mm.
    pub mm_per_pixel: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Number of sample planes; 1 for a slice.
    pub samples: usize,
    /// Distance of sample planes along `right` × `down`. Units: mm.
    pub step_mm: f64,
    /// How they are joined.
    pub projection: Projection,
    /// True for the nearest voxel instead of trilinear interpolation.
    pub is_nearest: bool,
}

/// The shader's parameters. Units: voxel indices.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct ValuesParams {
    pub(crate) start: [f32; 4],
    pub(crate) du: [f32; 4],
    pub(crate) dv: [f32; 4],
    pub(crate) dn: [f32; 4],
    pub(crate) dims: [f32; 4],
    map: [f32; 4],
    fold: FoldParams,
}

/// How far beyond the centres of the outermost voxels a plane still has values: half a voxel, the voxel's body.
const EDGE: f64 = 0.5;

impl View {
    /// The normal, away from the viewer: `right` × `down`.
    #[must_use]
    pub fn normal(&self) -> VectorLps {
        self.right.cross(self.down)
    }

    /// Steps in voxel indices for the shader. `scale` and `offset` turn a texture sample into the unit; `fold` says where
    /// voxels lie in the texture.
    pub(crate) fn params(&self, grid: &Grid, (scale, offset): (f64, f64), fold: Fold) -> ValuesParams {
        let back = self.step_mm * (self.samples.max(1) - 1) as f64 / 2.0;
        let first = self.origin + self.normal() * -back;
        let at = |p: PointLps| grid.voxel_from_lps(p);
        let start = at(first);
        let step = |v: VectorLps, mm: f64| {
            let end = at(first + v * mm);
            [end[0] - start[0], end[1] - start[1], end[2] - start[2]]
        };
        let four = |v: [f64; 3], w: f64| [v[0] as f32, v[1] as f32, v[2] as f32, w as f32];
        let projection = match self.projection {
            Projection::Max => 0.0,
            Projection::Min => 1.0,
            Projection::Mean => 2.0,
        };
        ValuesParams {
            start: four(start, EDGE),
            du: four(step(self.right, self.mm_per_pixel), 0.0),
            dv: four(step(self.down, self.mm_per_pixel), 0.0),
            dn: four(step(self.normal(), self.step_mm), self.samples.max(1) as f64),
            dims: four(grid.dims.map(|n| n as f64), projection),
            map: [scale as f32, offset as f32, if self.is_nearest { 1.0 } else { 0.0 }, 0.0],
            fold: fold.params(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slab_starts_half_its_thickness_before_the_plane() {
        let (x, y, z) = (VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.0, 0.0, 1.0));
        let grid = Grid { dims: [8, 8, 8], origin: PointLps::new(0.0, 0.0, 0.0), axes: [x, y, z], spacing_mm: [1.0, 1.0, 2.0] };
        let view = View {
            origin: PointLps::new(1.0, 2.0, 8.0),
            right: x,
            down: y,
            mm_per_pixel: 0.5,
            width: 4,
            height: 4,
            samples: 5,
            step_mm: 1.0,
            projection: Projection::Max,
            is_nearest: false,
        };
        let params = view.params(&grid, (1.0, 0.0), Fold::new(grid.dims, 8, 8).unwrap());
        assert_eq!(params.start, [1.0, 2.0, 3.0, 0.5]);
        assert_eq!(params.dn, [0.0, 0.0, 0.5, 5.0]);
        assert_eq!(params.du, [0.5, 0.0, 0.0, 0.0]);
    }
}
