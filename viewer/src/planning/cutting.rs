//! The cutting plane and its history.

use mj_model::plan::CutPlane;
use mj_model::{PointLps, VectorLps};

/// A plane that is moved and turned; each finished change can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutting {
    plane: CutPlane,
    before: Vec<CutPlane>,
    after: Vec<CutPlane>,
    /// Where a change that is not finished began.
    began: Option<CutPlane>,
}

/// Steps kept for undo.
const HISTORY: usize = 500;

impl Cutting {
    /// Starts with a plane.
    #[must_use]
    pub const fn new(plane: CutPlane) -> Self {
        Self { plane, before: Vec::new(), after: Vec::new(), began: None }
    }

    /// The plane as it is now.
    #[must_use]
    pub const fn plane(&self) -> CutPlane {
        self.plane
    }

    /// Two unit vectors in the plane: `u` lies level where it can.
    #[must_use]
    pub fn axes(&self) -> (VectorLps, VectorLps) {
        let n = self.plane.normal;
        let up = VectorLps::new(0.0, 0.0, 1.0);
        let level = up.cross(n).unit().filter(|_| n.z.abs() < 0.999).unwrap_or(VectorLps::new(1.0, 0.0, 0.0));
        let v = n.cross(level).unit().unwrap_or(VectorLps::new(0.0, 1.0, 0.0));
        (level, v)
    }

    /// Starts a change that a hand makes; [`Cutting::finish`] ends it.
    pub fn begin(&mut self) {
        self.began.get_or_insert(self.plane);
    }

    /// Ends a change; true when something changed.
    pub fn finish(&mut self) -> bool {
        let Some(was) = self.began.take() else { return false };
        if was == self.plane {
            return false;
        }
        self.before.push(was);
        let more = self.before.len().saturating_sub(HISTORY);
        self.before.drain(..more);
        self.after.clear();
        true
    }

    /// Gives up a change.
    pub fn give_up(&mut self) {
        if let Some(was) = self.began.take() {
            self.plane = was;
        }
    }

    /// Makes a change at once.
    pub fn change(&mut self, change: impl FnOnce(&mut Self)) -> bool {
        self.begin();
        change(self);
        self.finish()
    }

    /// Moves along the normal. Units: mm.
    pub fn shift(&mut self, mm: f64) {
        if mm.is_finite() {
            self.plane.point = self.plane.point + self.plane.normal * mm;
        }
    }

    /// Puts the plane through a point.
    pub fn put_at(&mut self, point: PointLps) {
        if point.is_finite() {
            self.plane.point = point;
        }
    }

    /// Turns round an axis through the plane's point. Units: degrees.
    pub fn turn(&mut self, axis: VectorLps, degrees: f64) {
        let (Some(k), true) = (axis.unit(), degrees.is_finite()) else { return };
        let (sin, cos) = degrees.to_radians().sin_cos();
        let n = self.plane.normal;
        // Rodrigues' rotation.
        let turned = n * cos + k.cross(n) * sin + k * (k.dot(n) * (1.0 - cos));
        self.plane.normal = turned.unit().unwrap_or(n);
    }

    /// Gives the plane a normal.
    pub fn face(&mut self, normal: VectorLps) {
        self.plane.normal = normal.unit().unwrap_or(self.plane.normal);
    }

    /// Swaps what stays and what is taken away.
    pub fn flip(&mut self) {
        self.plane.normal = -self.plane.normal;
    }

    /// Takes the last change back.
    pub fn undo(&mut self) -> bool {
        self.give_up();
        let Some(was) = self.before.pop() else { return false };
        self.after.push(std::mem::replace(&mut self.plane, was));
        true
    }

    /// Makes it again.
    pub fn redo(&mut self) -> bool {
        self.give_up();
        let Some(next) = self.after.pop() else { return false };
        self.before.push(std::mem::replace(&mut self.plane, next));
        true
    }

    /// Something can be undone.
    #[must_use]
    pub const fn can_undo(&self) -> bool {
        !self.before.is_empty()
    }

    /// Something can be made again.
    #[must_use]
    pub const fn can_redo(&self) -> bool {
        !self.after.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutting() -> Cutting {
        Cutting::new(CutPlane { point: PointLps::new(1.0, 2.0, 3.0), normal: VectorLps::new(1.0, 0.0, 0.0) })
    }

    #[test]
    fn a_drag_is_one_step_of_history() {
        let mut c = cutting();
        let start = c.plane();
        c.begin();
        c.shift(1.0);
        c.shift(2.0);
        assert!(c.finish());
        assert!(c.change(Cutting::flip));
        assert!(!c.change(|_| ()), "nothing changed");
        assert!(c.undo() && c.plane().normal.x > 0.0 && (c.plane().point.x - 4.0).abs() < 1e-12);
        assert!(c.undo() && c.plane() == start && !c.undo());
        assert!(c.redo() && c.redo() && c.plane().normal.x < 0.0 && !c.can_redo());
        c.begin();
        c.shift(9.0);
        c.give_up();
        assert!((c.plane().point.x - 4.0).abs() < 1e-12);
    }

    #[test]
    fn turning_keeps_the_point_and_the_length() {
        let mut c = cutting();
        for _ in 0..90 {
            c.turn(VectorLps::new(0.0, 0.0, 2.0), 1.0);
        }
        let n = c.plane().normal;
        assert!((n - VectorLps::new(0.0, 1.0, 0.0)).length() < 1e-9 && (n.length() - 1.0).abs() < 1e-12);
        c.turn(VectorLps::default(), 30.0);
        assert_eq!(c.plane().normal, n);
        let (u, v) = c.axes();
        assert!(u.dot(n).abs() < 1e-9 && v.dot(n).abs() < 1e-9 && u.dot(v).abs() < 1e-9);
    }
}
