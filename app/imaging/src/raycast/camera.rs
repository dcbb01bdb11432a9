//! Where a picture is seen from.

use crate::plane::Plane;
use mj_model::{PointLps, VectorLps};

/// An eye and its picture.
///
/// The picture lies on `plane`. Without an eye, lines of sight run along the plane's normal (parallel); with one,
/// they start at the eye, in the middle in front of the plane, and pass through the plane's pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Where the pixels lie, and how large they are there.
    pub plane: Plane,
    /// Distance of the eye from the plane; `None` for a parallel view. Units: mm.
    pub eye_mm: Option<f64>,
}

impl Camera {
    /// A parallel view along a plane's normal.
    #[must_use]
    pub const fn parallel(plane: Plane) -> Self {
        Self { plane, eye_mm: None }
    }

    /// The line of sight through a pixel: where distances are counted from, its unit direction, and whether what
    /// lies at negative distances is seen too.
    #[must_use]
    pub fn line(&self, pixel: [f64; 2]) -> (PointLps, VectorLps, bool) {
        let (at, normal) = (self.plane.lps_from_pixel(pixel), self.plane.normal());
        match self.eye_mm {
            None => (at, normal, true),
            Some(mm) => {
                let eye = self.plane.centre + normal * -mm;
                ((eye), (at - eye).unit().unwrap_or(normal), false)
            }
        }
    }
}
