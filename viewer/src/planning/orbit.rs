//! The camera: it circles round a point, head up, without perspective, so that a length on the screen is the
//! same everywhere.

use egui::{Pos2, Rect, Vec2, pos2};
use mj_model::{PointLps, VectorLps};

/// Where the viewer looks from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orbit {
    /// What is in the middle of the picture. Units: mm, LPS.
    pub target: PointLps,
    /// Turn round the body's axis: 0 looks from the front, -90 from the patient's left. Units: degrees.
    pub yaw: f64,
    /// Turn over the head (positive: looks from above). Units: degrees, -90 to 90.
    pub pitch: f64,
    /// Millimetres per point of the screen.
    pub mm_per_point: f64,
}

/// The six directions one can look from, with their keys and letters.
pub const FACES: [(char, f64, f64); 6] =
    [('A', 0.0, 0.0), ('P', 180.0, 0.0), ('L', -90.0, 0.0), ('R', 90.0, 0.0), ('H', 0.0, 90.0), ('F', 0.0, -90.0)];

impl Orbit {
    /// From the front, so that a box fits into a picture of a height. Units: mm, points.
    #[must_use]
    pub fn around(low: PointLps, high: PointLps, height: f64) -> Self {
        let size = high - low;
        let target = low + size * 0.5;
        Self { target, yaw: 0.0, pitch: 0.0, mm_per_point: (size.length() * 1.15 / height.max(100.0)).max(1e-3) }
    }

    /// Unit vectors to the picture's right, to its bottom, and away from the viewer.
    #[must_use]
    pub fn axes(&self) -> (VectorLps, VectorLps, VectorLps) {
        let ((sy, cy), (sp, cp)) = (self.yaw.to_radians().sin_cos(), self.pitch.to_radians().sin_cos());
        let into = VectorLps::new(sy * cp, cy * cp, -sp);
        let right = VectorLps::new(cy, -sy, 0.0);
        (right, into.cross(right), into)
    }

    /// Where a position is on the screen.
    #[must_use]
    pub fn screen(&self, rect: Rect, p: PointLps) -> Pos2 {
        let v = self.vector(p - self.target);
        pos2(rect.center().x + v.x, rect.center().y + v.y)
    }

    /// A displacement on the screen. Units: points.
    #[must_use]
    pub fn vector(&self, d: VectorLps) -> Vec2 {
        let (right, down, _) = self.axes();
        Vec2::new((d.dot(right) / self.mm_per_point) as f32, (d.dot(down) / self.mm_per_point) as f32)
    }

    /// Turns by a drag. Units: points.
    pub fn turn(&mut self, drag: Vec2) {
        self.yaw = (self.yaw + f64::from(drag.x) * 0.4 + 540.0).rem_euclid(360.0) - 180.0;
        self.pitch = (self.pitch + f64::from(drag.y) * 0.4).clamp(-90.0, 90.0);
    }

    /// Moves the picture by a drag. Units: points.
    pub fn pan(&mut self, drag: Vec2) {
        let (right, down, _) = self.axes();
        self.target = self.target + right * (-f64::from(drag.x) * self.mm_per_point) + down * (-f64::from(drag.y) * self.mm_per_point);
    }

    /// Zooms; above 1 is nearer.
    pub fn zoom(&mut self, factor: f64) {
        if factor.is_finite() && factor > 0.0 {
            self.mm_per_point = (self.mm_per_point / factor).clamp(0.01, 10.0);
        }
    }

    /// Looks from one of [`FACES`].
    pub fn look_from(&mut self, face: char) {
        if let Some((_, yaw, pitch)) = FACES.iter().find(|f| f.0 == face) {
            (self.yaw, self.pitch) = (*yaw, *pitch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn looks_as_radiologists_do() {
        let mut orbit = Orbit::around(PointLps::new(-50.0, -50.0, 0.0), PointLps::new(50.0, 50.0, 100.0), 500.0);
        for (face, edges) in [('A', "R L H F"), ('P', "L R H F"), ('L', "A P H F"), ('R', "P A H F"), ('F', "R L A P"), ('H', "R L P A")] {
            orbit.look_from(face);
            let (right, down, into) = orbit.axes();
            let seen = [-right, right, -down, down].map(VectorLps::letters).join(" ");
            assert_eq!(seen, edges, "from {face}");
            // Away from the viewer is where the face's opposite lies.
            assert_eq!((-into).letters(), face.to_string());
            assert!((right.cross(down) - into).length() < 1e-9);
        }
    }

    #[test]
    fn panning_follows_the_hand() {
        let mut orbit = Orbit::around(PointLps::default(), PointLps::new(100.0, 100.0, 100.0), 400.0);
        orbit.turn(vec2(50.0, 20.0));
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 300.0));
        let p = PointLps::new(20.0, 30.0, 40.0);
        let before = orbit.screen(rect, p);
        orbit.pan(vec2(13.0, -7.0));
        assert!((orbit.screen(rect, p) - before - vec2(13.0, -7.0)).length() < 1e-3);
    }
}
