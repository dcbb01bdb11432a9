//! Motions without change of shape.

use mj_model::{PointLps, VectorLps};

/// A turn about a point and a shift, from the prior's patient space to the present one's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rigid {
    /// The turn, row by row.
    turn: [[f64; 3]; 3],
    /// What it turns about, in the prior.
    about: PointLps,
    /// What is added after the turn. Units: mm.
    shift: VectorLps,
}

/// The unit matrix.
const STILL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

impl Rigid {
    /// A shift alone; later turns go about a point of the prior.
    pub(super) const fn shifted(about: PointLps, shift: VectorLps) -> Self {
        Self { turn: STILL, about, shift }
    }

    /// Where a position of the prior lies now.
    pub(super) fn map(&self, p: PointLps) -> PointLps {
        self.about + self.shift + self.turned(p)
    }

    /// From the point it turns about to a position, after the turn: the lever of further turns.
    pub(super) fn turned(&self, p: PointLps) -> VectorLps {
        let d = p - self.about;
        let [x, y, z] = self.turn.map(|[a, b, c]| a * d.x + b * d.y + c * d.z);
        VectorLps::new(x, y, z)
    }

    /// The motion after a further small turn (axis times angle in radians) and shift (mm).
    pub(super) fn moved(&self, turn: VectorLps, shift: VectorLps) -> Self {
        Self { turn: product(rotation(turn), self.turn), about: self.about, shift: self.shift + shift }
    }

    /// As a matrix over (x, y, z, 1), row by row. Units: mm.
    pub(super) fn matrix(&self) -> [[f64; 4]; 4] {
        let origin = self.map(PointLps::default());
        let row = |r: [f64; 3], t: f64| [r[0], r[1], r[2], t];
        let [a, b, c] = self.turn;
        [row(a, origin.x), row(b, origin.y), row(c, origin.z), [0.0, 0.0, 0.0, 1.0]]
    }

    /// The angle of the turn. Units: degrees.
    pub(super) fn angle_deg(&self) -> f64 {
        let trace = self.turn[0][0] + self.turn[1][1] + self.turn[2][2];
        ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
    }
}

/// The rotation about an axis by its length in radians (Rodrigues' formula).
fn rotation(axis: VectorLps) -> [[f64; 3]; 3] {
    let Some(u) = axis.unit() else { return STILL };
    let (sin, cos) = axis.length().sin_cos();
    let k = 1.0 - cos;
    [
        [cos + u.x * u.x * k, u.x * u.y * k - u.z * sin, u.x * u.z * k + u.y * sin],
        [u.y * u.x * k + u.z * sin, cos + u.y * u.y * k, u.y * u.z * k - u.x * sin],
        [u.z * u.x * k - u.y * sin, u.z * u.y * k + u.x * sin, cos + u.z * u.z * k],
    ]
}

fn product(a: [[f64; 3]; 3], b: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    a.map(|row| std::array::from_fn(|c| row[0] * b[0][c] + row[1] * b[1][c] + row[2] * b[2][c]))
}
