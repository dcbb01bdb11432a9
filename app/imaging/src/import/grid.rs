//! From a format's affine to a grid in patient space.

use super::{Error, Result};
use mj_model::{Grid, PointLps, VectorLps};

/// Largest cosine between two axes that still counts as a right angle: positions stay exact, lengths are right to
/// one part in a million.
const PERPENDICULAR: f64 = 2e-3;
/// Longest step between voxels that is believed. Units: mm.
const LONGEST_MM: f64 = 1e5;
const SHORTEST_MM: f64 = 1e-6;

/// Where the voxels of a file are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Position of the first voxel. Units: mm, LPS.
    pub(super) origin: PointLps,
    /// Steps from a voxel to the next along i, j, k. Units: mm, LPS.
    pub(super) steps: [VectorLps; 3],
}

impl Place {
    /// A made-up place: steps along the patient's axes from the origin.
    pub(super) const fn made_up(spacing_mm: [f64; 3]) -> Self {
        let [x, y, z] = spacing_mm;
        Self {
            origin: PointLps::new(0.0, 0.0, 0.0),
            steps: [VectorLps::new(x, 0.0, 0.0), VectorLps::new(0.0, y, 0.0), VectorLps::new(0.0, 0.0, z)],
        }
    }

    /// The same place told in RAS: x and y change sign.
    pub(super) fn from_ras(origin: [f64; 3], steps: [[f64; 3]; 3]) -> Self {
        let turned = |[x, y, z]: [f64; 3]| [-x, -y, z];
        Self { origin: turned(origin).into(), steps: steps.map(|s| turned(s).into()) }
    }

    /// The grid, its axes as the file has them: a left-handed one stays left-handed, so that a voxel keeps the index
    /// it has in other programs.
    pub(super) fn grid(&self, dims: [usize; 3]) -> Result<Grid> {
        if !self.origin.is_finite() || self.steps.iter().any(|s| !s.is_finite()) {
            return Err(Error::broken("positions"));
        }
        let mut steps = self.steps;
        if dims[2] == 1 && steps[2].length() == 0.0 {
            // A single image often gives no distance to a next one.
            steps[2] = steps[0].cross(steps[1]).unit().ok_or_else(|| Error::broken("directions"))?;
        }
        let spacing_mm = steps.map(VectorLps::length);
        if spacing_mm.iter().any(|s| !(SHORTEST_MM..=LONGEST_MM).contains(s)) {
            return Err(Error::broken("spacing"));
        }
        let mut axes = steps;
        for (axis, length) in axes.iter_mut().zip(spacing_mm) {
            // Adding nothing takes the sign off a zero.
            *axis = *axis * (1.0 / length) + VectorLps::default();
        }
        let [i, j, k] = axes;
        let worst = [i.dot(j), j.dot(k), k.dot(i)].into_iter().fold(0.0, |worst: f64, cos| worst.max(cos.abs()));
        if worst > PERPENDICULAR {
            return Err(Error::Sheared { degrees: worst.min(1.0).asin().to_degrees() });
        }
        Ok(Grid { dims, origin: self.origin, axes, spacing_mm })
    }
}
