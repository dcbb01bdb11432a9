//! Patient space and voxel grids.
//!
//! World is patient LPS in millimetres, always `f64`: +x to the patient's left, +y to the back, +z to the
//! head (PS3.3 §C.7.6.2.1.1). A voxel is `(i column, j row, k slice)` from 0; memory is `[k][j][i]`, `i`
//! fastest. Transforms are named destination first (`lps_from_voxel`). RAS and row/column orders are
//! turned into this once, at the reader.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Mul, Neg, Sub};

/// A point in patient space. Units: mm, LPS.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct PointLps {
    /// Towards the patient's left.
    pub x: f64,
    /// Towards the patient's back.
    pub y: f64,
    /// Towards the patient's head.
    pub z: f64,
}

/// A displacement in patient space. Units: mm (or none for a unit direction), LPS.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct VectorLps {
    /// Towards the patient's left.
    pub x: f64,
    /// Towards the patient's back.
    pub y: f64,
    /// Towards the patient's head.
    pub z: f64,
}

/// A voxel index: `i` column, `j` row, `k` slice along the normal, all from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "[usize; 3]", into = "[usize; 3]")]
pub struct Voxel {
    /// Column.
    pub i: usize,
    /// Row.
    pub j: usize,
    /// Slice.
    pub k: usize,
}

macro_rules! xyz {
    ($t:ident) => {
        impl From<[f64; 3]> for $t {
            fn from([x, y, z]: [f64; 3]) -> Self {
                Self { x, y, z }
            }
        }
        impl From<$t> for [f64; 3] {
            fn from(p: $t) -> Self {
                [p.x, p.y, p.z]
            }
        }
        impl $t {
            /// From its three components.
            #[must_use]
            pub const fn new(x: f64, y: f64, z: f64) -> Self {
                Self { x, y, z }
            }
            /// True when no component is NaN or infinite.
            #[must_use]
            pub fn is_finite(self) -> bool {
                self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
            }
        }
    };
}
xyz!(PointLps);
xyz!(VectorLps);

impl From<[usize; 3]> for Voxel {
    fn from([i, j, k]: [usize; 3]) -> Self {
        Self { i, j, k }
    }
}
impl From<Voxel> for [usize; 3] {
    fn from(v: Voxel) -> Self {
        [v.i, v.j, v.k]
    }
}

impl Sub for PointLps {
    type Output = VectorLps;
    fn sub(self, o: Self) -> VectorLps {
        VectorLps::new(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Add<VectorLps> for PointLps {
    type Output = Self;
    fn add(self, v: VectorLps) -> Self {
        Self::new(self.x + v.x, self.y + v.y, self.z + v.z)
    }
}
impl Add for VectorLps {
    type Output = Self;
    fn add(self, v: Self) -> Self {
        Self::new(self.x + v.x, self.y + v.y, self.z + v.z)
    }
}
impl Sub for VectorLps {
    type Output = Self;
    fn sub(self, v: Self) -> Self {
        Self::new(self.x - v.x, self.y - v.y, self.z - v.z)
    }
}
impl Mul<f64> for VectorLps {
    type Output = Self;
    fn mul(self, s: f64) -> Self {
        Self::new(self.x * s, self.y * s, self.z * s)
    }
}
impl Neg for VectorLps {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.x, -self.y, -self.z)
    }
}

impl PointLps {
    /// Distance to another point. Units: mm.
    #[must_use]
    pub fn distance_mm(self, other: Self) -> f64 {
        (self - other).length()
    }
}

impl VectorLps {
    /// Dot product.
    #[must_use]
    pub fn dot(self, o: Self) -> f64 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }
    /// Cross product.
    #[must_use]
    pub fn cross(self, o: Self) -> Self {
        Self::new(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }
    /// Euclidean length.
    #[must_use]
    pub fn length(self) -> f64 {
        self.dot(self).sqrt()
    }
    /// The unit vector of the same direction, or `None` for one too short to have a direction.
    #[must_use]
    pub fn unit(self) -> Option<Self> {
        let length = self.length();
        (length.is_finite() && length > 1e-12).then(|| self * (1.0 / length))
    }
    /// The anatomical letters of a direction, strongest first: `L`/`R`, `P`/`A`, `H`/`F`, for example `"LP"`.
    /// Components under about 15 degrees are left out.
    ///
    /// Source: PS3.3 §C.7.6.1.1.1 (Patient Orientation).
    #[must_use]
    pub fn letters(self) -> String {
        let Some(u) = self.unit() else { return String::new() };
        let pick = |v: f64, plus, minus| if v >= 0.0 { plus } else { minus };
        let mut parts = [(u.x.abs(), pick(u.x, 'L', 'R')), (u.y.abs(), pick(u.y, 'P', 'A')), (u.z.abs(), pick(u.z, 'H', 'F'))];
        parts.sort_by(|a, b| b.0.total_cmp(&a.0));
        parts.iter().filter(|p| p.0 > 0.26).map(|p| p.1).collect()
    }
}

/// A regular voxel grid in patient space.
///
/// Shape: `dims` voxels along (i, j, k). Units: mm.
/// Source: PS3.3 §C.7.6.2 (Image Plane); note that Pixel Spacing (0028,0030) gives the row spacing first,
/// which is the distance along `j`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Number of voxels along i (columns), j (rows), k (slices).
    pub dims: [usize; 3],
    /// Centre of voxel (0, 0, 0).
    pub origin: PointLps,
    /// Unit directions of i, j and k. For an orthogonal grid they are perpendicular; a sheared one (tilted
    /// gantry) is never put into a `Grid`. Right-handed for DICOM, where k runs along the normal `i x j`; a research
    /// file's may be left-handed, so what needs a normal takes k.
    pub axes: [VectorLps; 3],
    /// Distance between voxel centres along i, j, k. Units: mm.
    pub spacing_mm: [f64; 3],
}

impl Grid {
    /// The position of a (fractional) voxel index. Units: mm.
    #[must_use]
    pub fn lps_from_voxel(&self, ijk: [f64; 3]) -> PointLps {
        let mut p = self.origin;
        for ((axis, spacing), index) in self.axes.iter().zip(self.spacing_mm).zip(ijk) {
            p = p + *axis * (spacing * index);
        }
        p
    }

    /// The fractional voxel index of a position; may lie outside the grid.
    #[must_use]
    pub fn voxel_from_lps(&self, p: PointLps) -> [f64; 3] {
        let d = p - self.origin;
        let [ax, ay, az] = self.axes;
        // Cramer's rule, so that a grid with axes that are not quite perpendicular still inverts exactly.
        let det = ax.dot(ay.cross(az));
        [
            d.dot(ay.cross(az)) / det / self.spacing_mm[0],
            ax.dot(d.cross(az)) / det / self.spacing_mm[1],
            ax.dot(ay.cross(d)) / det / self.spacing_mm[2],
        ]
    }

    /// The nearest voxel of a position, or `None` outside the grid (half a voxel beyond the centres).
    #[must_use]
    pub fn nearest_voxel(&self, p: PointLps) -> Option<Voxel> {
        let mut out = [0_usize; 3];
        for ((slot, index), n) in out.iter_mut().zip(self.voxel_from_lps(p)).zip(self.dims) {
            let rounded = index.round();
            if !(rounded >= 0.0 && rounded < n as f64) {
                return None;
            }
            *slot = rounded as usize;
        }
        Some(out.into())
    }

    /// Number of voxels.
    #[must_use]
    pub fn n_voxels(&self) -> usize {
        self.dims.iter().product()
    }

    /// Volume of one voxel. Units: ml.
    #[must_use]
    pub fn voxel_ml(&self) -> f64 {
        self.spacing_mm.iter().product::<f64>() / 1000.0
    }

    /// Position in memory of a voxel: `(k * rows + j) * columns + i`.
    #[must_use]
    pub fn offset(&self, v: Voxel) -> usize {
        (v.k * self.dims[1] + v.j) * self.dims[0] + v.i
    }

    /// Centre of the whole grid. Units: mm.
    #[must_use]
    pub fn centre(&self) -> PointLps {
        self.lps_from_voxel(self.dims.map(|n| (n.max(1) - 1) as f64 / 2.0))
    }

    /// The smallest box along the patient axes that holds all voxel centres: (lowest, highest corner).
    #[must_use]
    pub fn box_lps(&self) -> (PointLps, PointLps) {
        let (mut lo, mut hi) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in 0..8_usize {
            let ijk = [0, 1, 2].map(|a| if corner >> a & 1 == 1 { (self.dims[a].max(1) - 1) as f64 } else { 0.0 });
            let p: [f64; 3] = self.lps_from_voxel(ijk).into();
            for a in 0..3 {
                lo[a] = lo[a].min(p[a]);
                hi[a] = hi[a].max(p[a]);
            }
        }
        (lo.into(), hi.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oblique() -> Grid {
        let (i, j) = (VectorLps::new(0.8, 0.6, 0.0), VectorLps::new(0.0, 0.0, -1.0));
        Grid { dims: [10, 20, 30], origin: PointLps::new(-5.0, 7.0, 100.0), axes: [i, j, i.cross(j)], spacing_mm: [0.7, 0.9, 2.5] }
    }

    #[test]
    fn voxel_and_lps_are_inverse() {
        let grid = oblique();
        for ijk in [[0.0, 0.0, 0.0], [3.25, 19.0, 29.0], [-4.0, 2.0, 50.0]] {
            let back = grid.voxel_from_lps(grid.lps_from_voxel(ijk));
            assert!(back.iter().zip(ijk).all(|(a, b)| (a - b).abs() < 1e-9), "{back:?} {ijk:?}");
        }
        assert_eq!(grid.nearest_voxel(grid.lps_from_voxel([9.4, 0.0, 0.0])), Some([9, 0, 0].into()));
        assert_eq!(grid.nearest_voxel(grid.lps_from_voxel([9.6, 0.0, 0.0])), None);
    }

    #[test]
    fn letters_name_the_strongest_direction_first() {
        assert_eq!(VectorLps::new(1.0, 0.0, 0.0).letters(), "L");
        assert_eq!(VectorLps::new(-0.6, -0.8, 0.0).letters(), "AR");
        assert_eq!(VectorLps::new(0.0, 0.1, -1.0).letters(), "F");
        assert_eq!(VectorLps::default().letters(), "");
    }
}
