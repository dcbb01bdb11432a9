//! What a mask leaves on a plane: the part that the plane cuts, or the mask's shadow on it, and the outline of either.
//!
//! A trace lies on a lattice of its own, not on the pixels of a picture: magnifying and moving the picture does not change it.
//! Where the plane runs along the mask's grid, the lattice points are the voxels' centres.

mod contour;
mod fill;
mod section;
mod silhouette;
#[cfg(test)]
mod tests;

pub use fill::{Fill, fill};
pub use section::section;
pub use silhouette::silhouette;

use crate::Plane;
use mj_model::{Grid, PointLps, VectorLps};

/// The longest side of a trace: a damaged grid must not make it huge. Units: lattice points.
const LONGEST: usize = 8192;

/// What a mask leaves on a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Lattice point (0, 0). Units: mm, LPS.
    pub origin: PointLps,
    /// Unit vector towards the plane's right.
    pub right: VectorLps,
    /// Unit vector towards the plane's bottom.
    pub down: VectorLps,
    /// Distance of lattice points to the right and downwards. Units: mm.
    pub step_mm: [f64; 2],
    /// Columns and rows.
    pub size: [usize; 2],
    /// Shape: `[row][column]`, column fastest. How far inside: 255 in, 0 out, the edge between 127 and 128. Its outermost
    /// points are out.
    pub values: Vec<u8>,
}

impl Trace {
    /// The value from which a lattice point is inside.
    pub const INSIDE: u8 = 128;

    /// Position of a place on the lattice; whole numbers are lattice points. Units: mm, LPS.
    #[must_use]
    pub fn lps(&self, [column, row]: [f64; 2]) -> PointLps {
        self.origin + self.right * (column * self.step_mm[0]) + self.down * (row * self.step_mm[1])
    }

    /// True when the lattice point nearest to a position (projected onto the plane) is inside.
    #[must_use]
    pub fn is_inside(&self, p: PointLps) -> bool {
        let d = p - self.origin;
        let (column, row) = ((d.dot(self.right) / self.step_mm[0]).round(), (d.dot(self.down) / self.step_mm[1]).round());
        if !(column >= 0.0 && row >= 0.0 && column < self.size[0] as f64 && row < self.size[1] as f64) {
            return false;
        }
        self.values.get(row as usize * self.size[0] + column as usize).is_some_and(|&v| v >= Self::INSIDE)
    }

    /// Area of what is inside, by counting lattice points. Units: mm².
    #[must_use]
    pub fn area_mm2(&self) -> f64 {
        self.values.iter().filter(|&&v| v >= Self::INSIDE).count() as f64 * self.step_mm[0] * self.step_mm[1]
    }

    /// The closed lines between inside and outside, those of holes included. Units: mm, LPS.
    #[must_use]
    pub fn outline(&self) -> Vec<Vec<PointLps>> {
        let lines = contour::lines(&self.values, self.size);
        lines.into_iter().map(|line| line.into_iter().map(|at| self.lps(at)).collect()).collect()
    }
}

/// Where a trace's lattice lies: points at whole steps from the foot of the grid's first voxel on the plane, or, where the plane
/// lies askew in the grid, from that of the patient's origin, so that masks cut out of one grid share a lattice.
struct Lattice {
    foot: PointLps,
    right: VectorLps,
    down: VectorLps,
    step_mm: [f64; 2],
    first: [f64; 2],
    size: [usize; 2],
}

impl Lattice {
    /// The lattice under all voxels of a grid and `around` voxels beyond. `None` when it would be senseless.
    fn under(grid: &Grid, plane: &Plane, around: f64) -> Option<Self> {
        let finest = grid.spacing_mm.iter().copied().fold(f64::INFINITY, f64::min);
        let step = |direction: VectorLps| along(grid, direction).map_or(finest, |axis| grid.spacing_mm[axis]);
        let step_mm = [step(plane.right), step(plane.down)];
        let is_along = along(grid, plane.right).is_some() && along(grid, plane.down).is_some();
        let foot = plane.foot(if is_along { grid.origin } else { PointLps::default() });
        let at = |p: PointLps| [(p - foot).dot(plane.right) / step_mm[0], (p - foot).dot(plane.down) / step_mm[1]];
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for corner in corners(grid, around) {
            for (a, v) in at(corner).into_iter().enumerate() {
                (low[a], high[a]) = (low[a].min(v), high[a].max(v));
            }
        }
        // One point more on each side, which is out.
        let first = low.map(|v| (v + 1e-6).floor() - 1.0);
        let last = high.map(|v| (v - 1e-6).ceil() + 1.0);
        let size = [0, 1].map(|a| last[a] - first[a] + 1.0);
        let is_sound = size.iter().all(|n| n.is_finite() && *n >= 1.0 && *n <= LONGEST as f64) && step_mm.iter().all(|mm| *mm > 0.0);
        is_sound.then(|| Self { foot, right: plane.right, down: plane.down, step_mm, first, size: size.map(|n| n as usize) })
    }

    fn origin(&self) -> PointLps {
        self.foot + self.right * (self.first[0] * self.step_mm[0]) + self.down * (self.first[1] * self.step_mm[1])
    }

    fn trace(&self, values: Vec<u8>) -> Trace {
        Trace { origin: self.origin(), right: self.right, down: self.down, step_mm: self.step_mm, size: self.size, values }
    }
}

/// The axis of a grid that runs along a direction, either way.
fn along(grid: &Grid, direction: VectorLps) -> Option<usize> {
    (0..3).find(|&axis| 1.0 - grid.axes[axis].dot(direction).abs() < 1e-6)
}

/// The corners of a grid's voxel centres and `around` voxels beyond.
fn corners(grid: &Grid, around: f64) -> [PointLps; 8] {
    std::array::from_fn(|n| {
        grid.lps_from_voxel([0, 1, 2].map(|a| if n >> a & 1 == 1 { grid.dims[a] as f64 - 1.0 + around } else { -around }))
    })
}
