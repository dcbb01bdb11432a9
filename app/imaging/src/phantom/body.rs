//! The trunk: outline, chest and belly cavity, diaphragm, lungs with their lobes, mediastinum.
//!
//! Coordinates as patient LPS with an origin of its own: x to the left, y to the back, z to the head, z = 0 at
//! the third lumbar vertebra, 375 above the lungs' tips. Units: mm.

use super::chest;
use super::noise::Smooth;
use super::shape::{Shape, bump, curve, smooth_max, smooth_min, step};
use glam::{Vec2, Vec3};

/// Height of the scanned part. Units: mm.
pub(super) const HEIGHT: f32 = 375.0;

/// An egg-shaped cross section: half widths to the side, front and back.
#[derive(Clone, Copy, Default)]
pub(super) struct Section {
    pub(super) side: f32,
    pub(super) front: f32,
    pub(super) back: f32,
}

impl Section {
    /// Relative radius: 1 on the outline. Squarer than an ellipse.
    pub(super) fn relative(self, x: f32, y: f32) -> f32 {
        let (u, v) = (x / self.side, y / if y < 0.0 { self.front } else { self.back });
        let (u, v) = (u * u, v * v);
        (u * u + v * v + 1.5 * u * v).sqrt().sqrt()
    }

    /// Signed distance along the ray from the axis.
    fn distance(self, x: f32, y: f32) -> f32 {
        let rho = self.relative(x, y);
        if rho < 0.2 { (rho - 1.0) * self.front.min(self.side) } else { Vec2::new(x, y).length() * (1.0 - 1.0 / rho) }
    }

    /// The point of the outline in a direction.
    pub(super) fn outline(self, x: f32, y: f32) -> Vec2 {
        Vec2::new(x, y) / self.relative(x, y).max(1e-6)
    }
}

/// Everything the forms depend on.
pub(super) struct Body {
    pub(super) noise: Smooth,
    outer: Vec<Section>,
    inner: Vec<Section>,
    spine: Vec<f32>,
    /// What the mediastinum's fat lies around.
    pub(super) great: Vec<(Vec3, Vec3, Shape)>,
}

/// z, side, front, back of the skin.
const OUTER: &[[f32; 4]] = &[
    [-60.0, 156.0, 106.0, 122.0],
    [0.0, 158.0, 108.0, 123.0],
    [60.0, 159.0, 109.0, 125.0],
    [120.0, 158.0, 109.0, 127.0],
    [180.0, 157.0, 107.0, 128.0],
    [230.0, 158.0, 101.0, 127.0],
    [270.0, 161.0, 92.0, 124.0],
    [300.0, 166.0, 81.0, 119.0],
    [325.0, 172.0, 70.0, 113.0],
    [345.0, 175.0, 60.0, 106.0],
    [360.0, 174.0, 54.0, 99.0],
    [375.0, 166.0, 50.0, 92.0],
    [420.0, 140.0, 44.0, 80.0],
];

/// z, side, front, back of the inside of the ribs and of the belly wall.
const INNER: &[[f32; 4]] = &[
    [-60.0, 126.0, 80.0, 98.0],
    [0.0, 129.0, 83.0, 99.0],
    [60.0, 133.0, 86.0, 102.0],
    [120.0, 136.0, 90.0, 106.0],
    [180.0, 134.0, 88.0, 108.0],
    [230.0, 127.0, 80.0, 105.0],
    [270.0, 115.0, 67.0, 99.0],
    [300.0, 99.0, 53.0, 90.0],
    [325.0, 79.0, 38.0, 79.0],
    [345.0, 59.0, 23.0, 64.0],
    [358.0, 42.0, 11.0, 51.0],
    [366.0, 25.0, 3.0, 38.0],
    [380.0, 10.0, 1.0, 30.0],
];

/// z and y of the middle of the vertebral bodies.
const SPINE: &[[f32; 4]] = &[
    [-60.0, 40.0, 0.0, 0.0],
    [0.0, 40.0, 0.0, 0.0],
    [60.0, 46.0, 0.0, 0.0],
    [120.0, 55.0, 0.0, 0.0],
    [200.0, 65.0, 0.0, 0.0],
    [270.0, 61.0, 0.0, 0.0],
    [330.0, 45.0, 0.0, 0.0],
    [380.0, 28.0, 0.0, 0.0],
    [430.0, 16.0, 0.0, 0.0],
];

/// First z of the tables, which hold one row a millimetre.
const FIRST: f32 = -60.0;

impl Body {
    pub(super) fn new(seed: u64) -> Self {
        let sections = |rows: &[[f32; 4]]| table(rows).into_iter().map(|r| Section { side: r[1], front: r[2], back: r[3] }).collect();
        Self {
            noise: Smooth::new(seed),
            outer: sections(OUTER),
            inner: sections(INNER),
            great: chest::great(),
            spine: table(SPINE).into_iter().map(|r| r[1]).collect(),
        }
    }

    fn look<T: Copy + Default>(rows: &[T], z: f32, mix: impl Fn(T, T, f32) -> T) -> T {
        let at = (z - FIRST).clamp(0.0, rows.len() as f32 - 1.001);
        let row = at as usize;
        let (a, b) = (rows.get(row).copied().unwrap_or_default(), rows.get(row + 1).copied().unwrap_or_default());
        mix(a, b, at - row as f32)
    }

    fn section(rows: &[Section], z: f32) -> Section {
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        Self::look(rows, z, |a, b, t| Section {
            side: mix(a.side, b.side, t),
            front: mix(a.front, b.front, t),
            back: mix(a.back, b.back, t),
        })
    }

    pub(super) fn inner(&self, z: f32) -> Section {
        Self::section(&self.inner, z)
    }

    pub(super) fn outer(&self, z: f32) -> Section {
        Self::section(&self.outer, z)
    }

    /// y of the middle of the vertebral bodies.
    pub(super) fn spine_y(&self, z: f32) -> f32 {
        Self::look(&self.spine, z, |a, b, t| a + (b - a) * t)
    }
}

/// A table of one row a millimetre from a few rows, smooth.
fn table(rows: &[[f32; 4]]) -> Vec<[f32; 4]> {
    let fine: Vec<[f32; 4]> = curve(rows, 64).into_iter().map(|(p, r)| [p.x, p.y, p.z, r]).collect();
    let mut out = Vec::new();
    let mut at = 0;
    let last = rows.last().map_or(FIRST, |r| r[0]);
    while FIRST + out.len() as f32 <= last {
        let z = FIRST + out.len() as f32;
        while at + 2 < fine.len() && fine[at + 1][0] < z {
            at += 1;
        }
        let (a, b) = (fine[at], fine[(at + 1).min(fine.len() - 1)]);
        let t = ((z - a[0]) / (b[0] - a[0]).max(1e-6)).clamp(0.0, 1.0);
        out.push([0, 1, 2, 3].map(|c| a[c] + (b[c] - a[c]) * t));
    }
    out
}

/// The skin.
pub(super) fn skin(body: &Body, p: Vec3) -> f32 {
    let furrow = 7.0 * bump((p.x / 24.0).powi(2)) * step(30.0, 90.0, p.y);
    let soft = body.noise.at(p / 55.0) * 2.2;
    // Where the chest muscles lie the front is fuller, and the breast bone stands a little back.
    let chest = step(215.0, 255.0, p.z) * (1.0 - step(300.0, 335.0, p.z)) * step(10.0, 60.0, -p.y);
    let pectoral = 5.0 * bump(((p.x.abs() - 72.0) / 58.0).powi(2)) * chest;
    body.outer(p.z).distance(p.x, p.y) + furrow + soft - pectoral
}

/// The inside of the skin.
pub(super) fn under_skin(body: &Body, p: Vec3) -> f32 {
    skin(body, p) + 2.0
}

/// The muscles under the fat.
pub(super) fn muscle(body: &Body, p: Vec3) -> f32 {
    let section = body.outer(p.z);
    let rho = section.relative(p.x, p.y).max(0.3);
    let (side, depth) = ((p.x / section.side / rho).abs(), p.y / section.back / rho);
    let low = 1.0 - step(40.0, 200.0, p.z);
    let fat = 8.5 + 4.5 * side + low * (5.0 + 5.0 * side * side) + (2.0 + low * 4.0) * (-depth).max(0.0) - 1.5 * depth.max(0.0);
    let uneven = body.noise.rough(p / 34.0) * 2.6;
    let inset = skin(body, p) + fat + uneven;
    // Never thinner than a wall around the cavity.
    inset.min(cavity(body, p) - 9.5)
}

/// The cavity inside ribs and belly wall.
pub(super) fn cavity(body: &Body, p: Vec3) -> f32 {
    let uneven = body.noise.at(p / 42.0) * 1.6;
    body.inner(p.z).distance(p.x, p.y) + uneven
}

/// Height of the diaphragm.
fn dome(body: &Body, x: f32, y: f32) -> f32 {
    let (u, v) = (x / 137.0, y / if y < 0.0 { 90.0 } else { 106.0 });
    let r2 = (u * u + v * v).min(1.7);
    let at = |cx: f32, cy: f32, r: f32| bump(((x - cx) / r).powi(2) + ((y - cy) / r).powi(2));
    100.0 + 56.0 * (1.0 - r2 * r2 * r2) + 26.0 * at(-68.0, -8.0, 92.0) + 12.0 * at(72.0, 0.0, 80.0)
        - 9.0 * at(12.0, -30.0, 62.0)
        - 12.0 * at(0.0, 70.0, 50.0)
        + if v < 0.0 { -24.0 * v } else { -22.0 * v * v }
        + body.noise.at(Vec3::new(x / 38.0, y / 38.0, 3.3)) * 2.5
}

/// How far above the diaphragm (positive) a position is.
pub(super) fn above_diaphragm(body: &Body, p: Vec3) -> f32 {
    let h = dome(body, p.x, p.y);
    let (gx, gy) = (dome(body, p.x + 2.0, p.y) - h, dome(body, p.x, p.y + 2.0) - h);
    (p.z - h) / (1.0 + (gx * gx + gy * gy) / 4.0).sqrt()
}

/// Both lungs with the space between them.
pub(super) fn lungs(body: &Body, p: Vec3) -> f32 {
    smooth_max(cavity(body, p) + 1.5, 2.0 - above_diaphragm(body, p), 5.0)
}

/// The belly's fat and what lies in it.
pub(super) fn belly(body: &Body, p: Vec3) -> f32 {
    smooth_max(cavity(body, p) + 2.0, above_diaphragm(body, p) + 2.5, 6.0)
}

/// The space between the lungs: a core, the surroundings of the heart and the great vessels, and a thin sheet
/// behind the breast bone.
pub(super) fn mediastinum(body: &Body, p: Vec3) -> f32 {
    let spine = p.y - body.spine_y(p.z);
    let wide = 21.0 + 7.0 * bump(((p.z - 255.0) / 50.0).powi(2)) + 10.0 * step(330.0, 362.0, p.z);
    let core = {
        let (u, v) = ((p.x - 2.0) / wide, (p.y - 12.0) / 48.0);
        ((u * u + v * v).sqrt() - 1.0) * 20.0
    };
    let column = {
        let (u, v) = (p.x / 27.0, spine / 25.0);
        ((u * u + v * v).sqrt() - 1.0) * 23.0
    };
    let sheet = smooth_max((p.x - 3.0 - body.noise.at(p / 30.0) * 3.0).abs() - 2.2, p.y + 10.0, 6.0);
    let thymus = {
        let (u, v) = ((p.x - 2.0) / 19.0, (p.y + 42.0) / 17.0);
        smooth_max(((u * u + v * v).sqrt() - 1.0) * 15.0, (p.z - 268.0).abs() - 34.0, 12.0)
    };
    let around = smooth_min(chest::heart(body, p) - 5.0 - 3.0 * step(30.0, 70.0, -p.y), chest::great_vessels(body, p) - 4.0, 10.0);
    let all = smooth_min(smooth_min(core, column, 14.0), smooth_min(around, smooth_min(sheet, thymus, 8.0), 8.0), 10.0);
    let inside = smooth_max(all + body.noise.at(p / 16.0) * 1.2, -above_diaphragm(body, p) - 1.0, 3.0);
    smooth_max(inside, cavity(body, p) - 1.0, 2.0)
}

/// The five lobes: label values 1 to 5, and how far the nearest fissure is (mm).
pub(super) fn lobe(body: &Body, p: Vec3) -> (u8, f32) {
    let wave = body.noise.at(p / 60.0) * 7.0;
    let oblique = (p.z - (214.0 + 1.05 * p.y) + wave) / 1.45;
    if p.x > 0.0 {
        return (if oblique > 0.0 { 4 } else { 5 }, oblique.abs());
    }
    let flat = p.z - 232.0 - 0.10 * p.y + 0.08 * p.x + wave;
    match (oblique > 0.0, flat > 0.0) {
        (false, _) => (3, oblique.abs()),
        (true, true) => (1, oblique.abs().min(flat.abs())),
        (true, false) => (2, oblique.abs().min(flat.abs())),
    }
}

/// The fat of the armpits, under the raised arms.
pub(super) fn armpits(body: &Body, p: Vec3) -> f32 {
    let d = Vec3::new((p.x.abs() - 120.0) / 21.0, (p.y - 6.0) / 30.0, (p.z - 298.0) / 48.0);
    let hollow = (d.length() - 1.0) * 19.0 + body.noise.rough(p / Vec3::new(15.0, 15.0, 26.0)) * 17.0;
    smooth_max(hollow, 13.0 - cavity(body, p), 6.0)
}
