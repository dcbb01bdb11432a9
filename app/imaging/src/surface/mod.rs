//! Closed surfaces of masks.

mod cases;
mod mesh;
mod smooth;

pub use mesh::Mesh;

use crate::segment::index_box;
use cases::{Case, EDGES, cases};
use mj_model::Mask;
use std::collections::HashMap;

/// Steps of smoothing in [`mesh`]: enough to take the steps of the voxels out, too few to round a form.
const SMOOTHING: usize = 24;

/// The surface of a mask: marching cubes through the middle between inside and outside, smoothed without
/// shrinking.
///
/// Closed (every edge belongs to exactly two triangles, also at the grid's border), oriented outwards, inside
/// parts that touch only at an edge or a corner stay apart. No vertex leaves its place by more than half a
/// voxel. For forms wider than about ten voxels the volume agrees with that of the voxels within one percent;
/// thin forms lose more, see the tests, because a surface rounds their edges.
///
/// Units: mm, LPS.
/// Source: Lorensen and Cline, Marching Cubes, 1987; Taubin, A Signal Processing Approach to Fair Surface
/// Design, 1995.
#[must_use]
pub fn mesh(mask: &Mask) -> Mesh {
    let mut voxel_mesh = march(mask);
    smooth::taubin(&mut voxel_mesh, SMOOTHING);
    let grid = &mask.grid;
    let positions = voxel_mesh.positions.iter().map(|p| {
        let lps = grid.lps_from_voxel(p.map(f64::from));
        [lps.x as f32, lps.y as f32, lps.z as f32]
    });
    let mut out = Mesh { positions: positions.collect(), triangles: voxel_mesh.triangles };
    // A grid whose third axis runs against the other two mirrors the surface.
    let [i, j, k] = grid.axes;
    if i.cross(j).dot(k) < 0.0 {
        for t in &mut out.triangles {
            t.swap(1, 2);
        }
    }
    out
}

/// Marching cubes in voxel coordinates.
fn march(mask: &Mask) -> Mesh {
    let mut out = Mesh::default();
    let Some((lo, hi)) = index_box(mask) else { return out };
    let inside = Inside { voxels: &mask.voxels, dims: mask.grid.dims.map(|n| n as isize) };
    let cases = cases();
    let signed = |v: usize| v as isize;
    // A vertex lies in the middle of the edge that leaves a corner along an axis; only two layers are kept.
    let mut known: [HashMap<(isize, isize, usize), u32>; 2] = [HashMap::new(), HashMap::new()];
    for k in signed(lo[2]) - 1..=signed(hi[2]) {
        for j in signed(lo[1]) - 1..=signed(hi[1]) {
            let mut cells = inside.row(j, k, signed(lo[0]) - 1);
            for i in signed(lo[0]) - 1..=signed(hi[0]) {
                let case = cells.next_case(&inside, i);
                if case == 0 || case == 255 {
                    continue;
                }
                add_cell(&mut out, &mut known, &cases[case], [i, j, k]);
            }
        }
        known.swap(0, 1);
        known[1].clear();
    }
    out
}

fn add_cell(out: &mut Mesh, known: &mut [HashMap<(isize, isize, usize), u32>; 2], case: &Case, cell: [isize; 3]) {
    for triangle in case {
        let corners = triangle.map(|edge| {
            let (offset, axis) = EDGES[usize::from(edge)];
            let at = [cell[0] + offset[0], cell[1] + offset[1], cell[2] + offset[2]];
            *known[offset[2] as usize].entry((at[0], at[1], axis)).or_insert_with(|| {
                let mut p = at.map(|v| v as f32);
                p[axis] += 0.5;
                out.positions.push(p);
                out.positions.len() as u32 - 1
            })
        });
        out.triangles.push(corners);
    }
}

/// The mask with nothing around it.
struct Inside<'a> {
    voxels: &'a [u8],
    dims: [isize; 3],
}

impl Inside<'_> {
    fn at(&self, i: isize, j: isize, k: isize) -> bool {
        let [ni, nj, nk] = self.dims;
        if i < 0 || j < 0 || k < 0 || i >= ni || j >= nj || k >= nk {
            return false;
        }
        self.voxels.get(((k * nj + j) * ni + i) as usize).is_some_and(|&v| v != 0)
    }

    /// The four voxels at column `i` around the cell row (j, k), as the bits of corners 0, 2, 4, 6.
    fn column(&self, i: isize, j: isize, k: isize) -> usize {
        let bit = |inside: bool, corner: usize| usize::from(inside) << corner;
        bit(self.at(i, j, k), 0) | bit(self.at(i, j + 1, k), 2) | bit(self.at(i, j, k + 1), 4) | bit(self.at(i, j + 1, k + 1), 6)
    }

    fn row(&self, j: isize, k: isize, first: isize) -> Cells {
        Cells { j, k, left: self.column(first, j, k) }
    }
}

/// Walks a row of cells; each column of voxels is looked at once.
struct Cells {
    j: isize,
    k: isize,
    left: usize,
}

impl Cells {
    fn next_case(&mut self, inside: &Inside<'_>, i: isize) -> usize {
        let right = inside.column(i + 1, self.j, self.k);
        let case = self.left | right << 1;
        self.left = right;
        case
    }
}

#[cfg(test)]
mod tests;
