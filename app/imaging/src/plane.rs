//! Planes in patient space that pictures are made on.

use crate::error::{Error, Result};
use mj_model::{Grid, PointLps, VectorLps};

/// A picture's place in patient space: where its pixels lie.
///
/// Pixel (0, 0) is at the top left. Integer pixel coordinates are pixel centres, and `centre` is the middle
/// of the picture, at pixel `((width - 1) / 2, (height - 1) / 2)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Middle of the picture. Units: mm, LPS.
    pub centre: PointLps,
    /// Unit vector towards the picture's right.
    pub right: VectorLps,
    /// Unit vector towards the picture's bottom, perpendicular to `right`.
    pub down: VectorLps,
    /// Size of a (square) pixel. Units: mm.
    pub mm_per_pixel: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

const X: VectorLps = VectorLps::new(1.0, 0.0, 0.0);
const Y: VectorLps = VectorLps::new(0.0, 1.0, 0.0);
const Z: VectorLps = VectorLps::new(0.0, 0.0, 1.0);

impl Plane {
    /// Axial, seen from the feet: the patient's right is on the left of the picture, the back at the bottom.
    ///
    /// The picture's centre is `at`; the pixel size is chosen so that the whole grid fits.
    #[must_use]
    pub fn axial(grid: &Grid, at: PointLps, width: usize, height: usize) -> Self {
        Self { centre: at, right: X, down: Y, mm_per_pixel: 1.0, width, height }.zoomed_to(grid)
    }

    /// Coronal, seen from the front: the patient's right is on the left of the picture, the feet at the bottom.
    /// Centre and pixel size as in [`Plane::axial`].
    #[must_use]
    pub fn coronal(grid: &Grid, at: PointLps, width: usize, height: usize) -> Self {
        Self { centre: at, right: X, down: -Z, mm_per_pixel: 1.0, width, height }.zoomed_to(grid)
    }

    /// Sagittal, seen from the patient's left: the front is on the left of the picture, the feet at the bottom.
    /// Centre and pixel size as in [`Plane::axial`].
    #[must_use]
    pub fn sagittal(grid: &Grid, at: PointLps, width: usize, height: usize) -> Self {
        Self { centre: at, right: Y, down: -Z, mm_per_pixel: 1.0, width, height }.zoomed_to(grid)
    }

    /// Any direction. `normal` points away from the viewer, into the picture; its length does not matter.
    ///
    /// The picture's bottom is towards the feet, or towards the back when the plane is nearly axial, so that
    /// the normals +z, +y and -x give the axial, coronal and sagittal planes above.
    ///
    /// # Errors
    /// [`Error::BadPlane`] when the normal has no direction.
    pub fn oblique(grid: &Grid, at: PointLps, normal: VectorLps, width: usize, height: usize) -> Result<Self> {
        let normal = normal.unit().ok_or(Error::BadPlane)?;
        // Nearly axial means within about 25 degrees of the body's axis.
        let wanted = if normal.z.abs() > 0.9 { Y } else { -Z };
        let down = (wanted - normal * wanted.dot(normal)).unit().ok_or(Error::BadPlane)?;
        let right = down.cross(normal);
        Ok(Self { centre: at, right, down, mm_per_pixel: 1.0, width, height }.zoomed_to(grid))
    }

    /// The direction into the picture, away from the viewer: `right x down`.
    #[must_use]
    pub fn normal(&self) -> VectorLps {
        self.right.cross(self.down)
    }

    /// Position of a pixel; fractions are between centres. Units: mm, LPS.
    #[must_use]
    pub fn lps_from_pixel(&self, [x, y]: [f64; 2]) -> PointLps {
        let (cx, cy) = self.middle();
        self.centre + self.right * ((x - cx) * self.mm_per_pixel) + self.down * ((y - cy) * self.mm_per_pixel)
    }

    /// The pixel in front of a position (which is projected onto the plane along its normal).
    #[must_use]
    pub fn pixel_from_lps(&self, p: PointLps) -> [f64; 2] {
        let (cx, cy) = self.middle();
        let d = p - self.centre;
        [d.dot(self.right) / self.mm_per_pixel + cx, d.dot(self.down) / self.mm_per_pixel + cy]
    }

    /// How far a position lies behind the plane (negative: between viewer and plane). Units: mm.
    #[must_use]
    pub fn depth_mm(&self, p: PointLps) -> f64 {
        (p - self.centre).dot(self.normal())
    }

    /// The foot of a position on the plane. Units: mm, LPS.
    #[must_use]
    pub fn foot(&self, p: PointLps) -> PointLps {
        p + -(self.normal() * self.depth_mm(p))
    }

    /// The same picture moved along its normal so that it passes through a position.
    #[must_use]
    pub fn through(mut self, p: PointLps) -> Self {
        self.centre = self.centre + self.normal() * self.depth_mm(p);
        self
    }

    /// The same plane with the grid's middle in the middle of the picture and the whole grid visible.
    #[must_use]
    pub fn fitted(mut self, grid: &Grid) -> Self {
        let d = grid.centre() - self.centre;
        self.centre = self.centre + self.right * d.dot(self.right) + self.down * d.dot(self.down);
        self.zoomed_to(grid)
    }

    /// The same plane with the pixel size at which the whole grid's extent fits into the picture.
    #[must_use]
    pub fn zoomed_to(mut self, grid: &Grid) -> Self {
        let extent = |direction: VectorLps| -> f64 {
            (0..3).map(|a| (grid.axes[a].dot(direction) * grid.spacing_mm[a]).abs() * grid.dims[a] as f64).sum()
        };
        let (w, h) = (self.width.max(1) as f64, self.height.max(1) as f64);
        let fit = (extent(self.right) / w).max(extent(self.down) / h);
        self.mm_per_pixel = if fit.is_finite() && fit > 0.0 { fit } else { 1.0 };
        self
    }

    fn middle(&self) -> (f64, f64) {
        ((self.width as f64 - 1.0) / 2.0, (self.height as f64 - 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        Grid { dims: [100, 80, 60], origin: PointLps::new(-50.0, -40.0, 10.0), axes: [X, Y, Z], spacing_mm: [1.0, 1.0, 2.0] }
    }

    /// Letters at the left, right, top and bottom edge.
    fn edges(plane: &Plane) -> String {
        [-plane.right, plane.right, -plane.down, plane.down].map(VectorLps::letters).join(" ")
    }

    #[test]
    fn radiological_conventions() {
        let (g, c) = (grid(), grid().centre());
        assert_eq!(edges(&Plane::axial(&g, c, 64, 64)), "R L A P");
        assert_eq!(edges(&Plane::coronal(&g, c, 64, 64)), "R L H F");
        assert_eq!(edges(&Plane::sagittal(&g, c, 64, 64)), "A P H F");
        for (normal, same) in [(Z, Plane::axial(&g, c, 64, 64)), (Y, Plane::coronal(&g, c, 64, 64)), (-X, Plane::sagittal(&g, c, 64, 64))] {
            let oblique = Plane::oblique(&g, c, normal * 3.0, 64, 64).unwrap();
            assert_eq!(edges(&oblique), edges(&same));
            assert!((oblique.normal() - normal).length() < 1e-12);
            assert!((same.normal() - normal).length() < 1e-12);
        }
        assert_eq!(Plane::oblique(&g, c, VectorLps::default(), 8, 8), Err(Error::BadPlane));
    }

    #[test]
    fn pixels_and_positions_are_inverse() {
        let plane = Plane::oblique(&grid(), PointLps::new(3.0, 4.0, 60.0), VectorLps::new(1.0, 2.0, -0.5), 101, 77).unwrap();
        for pixel in [[0.0, 0.0], [50.0, 38.0], [99.5, -3.25]] {
            let back = plane.pixel_from_lps(plane.lps_from_pixel(pixel));
            assert!((back[0] - pixel[0]).abs() < 1e-9 && (back[1] - pixel[1]).abs() < 1e-9);
        }
        assert!((plane.lps_from_pixel([50.0, 38.0]) - plane.centre).length() < 1e-12);
    }

    #[test]
    fn the_whole_grid_fits() {
        let plane = Plane::coronal(&grid(), PointLps::default(), 50, 50).fitted(&grid());
        assert!((plane.mm_per_pixel - 2.4).abs() < 1e-12);
        let moved = plane.through(PointLps::new(9.0, 12.0, 7.0));
        assert!((moved.centre.y - 12.0).abs() < 1e-12 && (moved.centre.x - plane.centre.x).abs() < 1e-12);
    }
}
