//! The shadow of a mask on a plane.

use super::{Lattice, Trace};
use crate::Plane;
use mj_model::{Mask, VectorLps};

/// The shadow that a mask's voxels cast on a plane along its normal; `None` without one.
///
/// `half_mm`: only voxels that reach as near to the plane, as in a slab; all without. A voxel's shadow is the
/// rectangle around it. Only the plane's place and directions count, not its pixels.
#[must_use]
pub fn silhouette(mask: &Mask, plane: &Plane, half_mm: Option<f64>) -> Option<Trace> {
    let grid = &mask.grid;
    if mask.voxels.len() != grid.n_voxels() || mask.voxels.is_empty() {
        return None;
    }
    let lattice = Lattice::under(grid, plane, 0.5)?;
    let mut shadow = Shadow::new(&lattice, mask);
    let (normal, base) = (plane.normal(), plane.depth_mm(grid.origin));
    let depth = [0, 1, 2].map(|a| grid.axes[a].dot(normal) * grid.spacing_mm[a]);
    // Half of a voxel along the normal, less what is only touched.
    let reach_mm = depth.iter().map(|d| d.abs()).sum::<f64>() / 2.0 - 1e-6;
    let [columns, rows, slices] = grid.dims;
    for (line, voxels) in mask.voxels.chunks_exact(columns).enumerate() {
        let (Some(from), Some(to)) = (voxels.iter().position(|v| *v != 0), voxels.iter().rposition(|v| *v != 0)) else { continue };
        let (j, k) = (line % rows, line / rows);
        let is_at_edge = j == 0 || k == 0 || j + 1 == rows || k + 1 == slices;
        let is_near = |i: usize| {
            let depth = depth[0].mul_add(i as f64, depth[1].mul_add(j as f64, depth[2].mul_add(k as f64, base)));
            half_mm.is_none_or(|half| depth.abs() <= half + reach_mm)
        };
        for i in from..=to {
            // What lies within casts no shadow that its surface does not cast; in a slab the surface may be cut away.
            let is_hidden = || half_mm.is_none() && !is_at_edge && i > from && i < to && is_within(mask, line * columns + i);
            if voxels.get(i).is_some_and(|v| *v != 0) && is_near(i) && !is_hidden() {
                shadow.cast([i, j, k]);
            }
        }
    }
    shadow.has_any.then(|| lattice.trace(shadow.values))
}

/// True when all six neighbours of a voxel are inside; it must have them.
fn is_within(mask: &Mask, at: usize) -> bool {
    let [columns, rows, _] = mask.grid.dims;
    let is_in = |at: usize| mask.voxels.get(at).is_some_and(|v| *v != 0);
    [1, columns, columns * rows].into_iter().all(|step| is_in(at - step) && is_in(at + step))
}

/// A shadow that grows.
struct Shadow {
    values: Vec<u8>,
    size: [usize; 2],
    /// The first voxel's foot on the lattice, and what a step along each axis adds.
    start: [f64; 2],
    steps: [[f64; 2]; 3],
    /// Half of a voxel's shadow. Units: lattice points.
    half: [f64; 2],
    has_any: bool,
}

impl Shadow {
    fn new(lattice: &Lattice, mask: &Mask) -> Self {
        let grid = &mask.grid;
        let on = |by: VectorLps| [by.dot(lattice.right) / lattice.step_mm[0], by.dot(lattice.down) / lattice.step_mm[1]];
        let steps = [0, 1, 2].map(|a| on(grid.axes[a] * grid.spacing_mm[a]));
        let half = [0, 1].map(|d| steps.iter().map(|step| step[d].abs()).sum::<f64>() / 2.0);
        let start = on(grid.origin - lattice.origin());
        Self { values: vec![0; lattice.size[0] * lattice.size[1]], size: lattice.size, start, steps, half, has_any: false }
    }

    fn cast(&mut self, voxel: [usize; 3]) {
        let at = [0, 1].map(|d| self.start[d] + (0..3).map(|a| self.steps[a][d] * voxel[a] as f64).sum::<f64>());
        // The edge of the rectangle belongs to it: only voxels of the surface cast, and two of them may meet in a line.
        let range = |d: usize| {
            let last = (self.size[d] as f64 - 1.0).max(0.0);
            let (low, high) = ((at[d] - self.half[d] - 1e-6).ceil(), (at[d] + self.half[d] + 1e-6).floor());
            // A voxel smaller than the lattice still has its nearest point.
            let (low, high) = if low > high { (at[d].round(), at[d].round()) } else { (low, high) };
            (low.clamp(0.0, last) as usize, high.clamp(0.0, last) as usize)
        };
        let ((left, right), (top, bottom)) = (range(0), range(1));
        for row in top..=bottom {
            if let Some(part) = self.values.get_mut(row * self.size[0] + left..=row * self.size[0] + right) {
                part.fill(255);
                self.has_any = true;
            }
        }
    }
}
