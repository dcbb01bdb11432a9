//! Liver, gallbladder, spleen, stomach, kidneys, pancreas, bowel.

use super::body::{Body, above_diaphragm, belly, cavity};
use super::noise::Dice;
use super::shape::{Shape, bump, smooth_max, smooth_min, step, tube};
use super::tree;
use glam::Vec3;

/// Where the liver's tumour lies. Units: mm.
pub(super) const TUMOUR: Vec3 = Vec3::new(-84.0, -22.0, 118.0);
/// Its radius.
pub(super) const TUMOUR_RADIUS: f32 = 20.0;

/// The liver.
pub(super) fn liver(body: &Body, p: Vec3) -> f32 {
    let wall = smooth_max(cavity(body, p) + 2.2, above_diaphragm(body, p) + 2.2, 4.0);
    // The lower surface rises towards the left and towards the back.
    let x = p.x + 0.4 * (p.y + 25.0) + 9.0 * body.noise.at(p / 34.0);
    let right = step(-140.0, -40.0, x);
    let floor =
        16.0 + 64.0 * right + 42.0 * step(-40.0, 60.0, x) + 16.0 * step(-20.0, 60.0, p.y) - 12.0 * bump(((p.y + 62.0) / 40.0).powi(2));
    let below = (floor - p.z) * 0.72;
    // The back of the left lobe, and its tip.
    let back = p.y - (58.0 - 62.0 * step(-62.0, 2.0, p.x)) - 8.0 * step(80.0, 120.0, p.z);
    let tip = (p.x - 72.0 + 0.45 * (p.y + 46.0).abs()) * 0.85;
    let form = smooth_max(smooth_max(wall, below, 16.0), smooth_max(back, tip, 16.0), 16.0) + body.noise.rough(p / 30.0) * 2.4;
    // The fissure of the round ligament, the bed of the gallbladder and the gate of the liver.
    let ligament = {
        let (u, v) = ((p.x - 8.0 - 0.15 * (p.y + 60.0)) / 4.5, (p.z - 84.0) / 26.0);
        smooth_max(((u * u + v * v).sqrt() - 1.0) * 4.5, p.y + 18.0, 6.0)
    };
    let gate = Shape::organ(Vec3::new(-20.0, 2.0, 88.0), Vec3::new(1.0, 0.1, 0.1), Vec3::new(24.0, 13.0, 11.0), 1.5, 9.0).distance(body, p);
    let holes = smooth_min(ligament, gate, 6.0).min(gallbladder(body, p) - 1.5).min(kidney(body, p) - 5.0);
    smooth_max(form, -holes, 5.0)
}

/// The gallbladder with its wall.
pub(super) fn gallbladder(body: &Body, p: Vec3) -> f32 {
    Shape::organ(Vec3::new(-48.0, -38.0, 66.0), Vec3::new(-0.3, -0.75, -0.6), Vec3::new(31.0, 13.5, 14.0), 1.0, 14.0).distance(body, p)
}

/// The bile in it.
pub(super) fn bile(body: &Body, p: Vec3) -> f32 {
    gallbladder(body, p) + 2.0
}

/// The tumour: uneven.
pub(super) fn tumour(body: &Body, p: Vec3) -> f32 {
    (p - TUMOUR).length() - TUMOUR_RADIUS - body.noise.rough(p / 9.0) * 2.4
}

/// The spleen: a bean behind the stomach.
pub(super) fn spleen(body: &Body, p: Vec3) -> f32 {
    let bean =
        Shape::organ(Vec3::new(95.0, 52.0, 112.0), Vec3::new(0.30, -0.55, 0.78), Vec3::new(60.0, 43.0, 33.0), 1.6, 26.0).distance(body, p);
    let inside = smooth_max(cavity(body, p) + 2.6, above_diaphragm(body, p) + 2.6, 5.0);
    let hollow = (Vec3::new(46.0, 14.0, 108.0) - p).length() - 33.0;
    smooth_max(smooth_max(bean, inside, 8.0), -hollow.min(kidney(body, p) - 2.5), 8.0)
}

/// The stomach with its wall.
pub(super) fn stomach(body: &Body, p: Vec3) -> f32 {
    let fundus = Shape::organ(Vec3::new(58.0, 6.0, 128.0), Vec3::Z, Vec3::new(34.0, 38.0, 32.0), 2.0, 20.0).distance(body, p);
    let corpus = Shape::organ(Vec3::new(52.0, -34.0, 92.0), Vec3::new(-0.35, -0.35, -0.85), Vec3::new(50.0, 30.0, 28.0), 2.0, 20.0)
        .distance(body, p);
    let antrum =
        Shape::organ(Vec3::new(8.0, -46.0, 62.0), Vec3::new(-1.0, 0.15, 0.1), Vec3::new(34.0, 16.0, 16.0), 1.5, 14.0).distance(body, p);
    let all = smooth_min(smooth_min(fundus, corpus, 22.0), antrum, 16.0);
    smooth_max(smooth_max(all, belly(body, p) + 1.5, 6.0), -(spleen(body, p) - 1.5), 5.0)
}

/// What is in the stomach.
pub(super) fn stomach_content(body: &Body, p: Vec3) -> f32 {
    stomach(body, p) + 4.5 + body.noise.at(p / 6.0) * 1.8
}

/// Air above the fluid: it gathers in front, because the patient lies on the back.
pub(super) fn stomach_air(body: &Body, p: Vec3) -> f32 {
    stomach_content(body, p).max(p.y + 41.0)
}

/// Both kidneys.
pub(super) fn kidney(body: &Body, p: Vec3) -> f32 {
    let one = |c: Vec3, s: f32| {
        let bean = Shape::organ(c, Vec3::new(s * 0.22, 0.2, -1.0), Vec3::new(53.0, 28.0, 25.0), 0.9, 18.0).distance(body, p);
        let hilum = (p - c - Vec3::new(-s * 26.0, -6.0, 0.0)) / Vec3::new(13.0, 12.0, 20.0);
        smooth_max(bean, -(hilum.length() - 1.0) * 12.0, 6.0)
    };
    one(RIGHT_KIDNEY, -1.0).min(one(LEFT_KIDNEY, 1.0))
}

const RIGHT_KIDNEY: Vec3 = Vec3::new(-64.0, 52.0, 48.0);
const LEFT_KIDNEY: Vec3 = Vec3::new(66.0, 52.0, 62.0);

/// The pyramids inside the kidneys' cortex.
pub(super) fn pyramids(body: &Body, p: Vec3) -> f32 {
    kidney(body, p) + 6.5 + body.noise.rough(p / 8.0) * 4.5
}

/// The fat at the kidneys' centre.
pub(super) fn kidney_sinus(body: &Body, p: Vec3) -> f32 {
    let one = |c: Vec3, s: f32| {
        let q = (p - c - Vec3::new(-s * 10.0, -2.0, 0.0)) / Vec3::new(13.0, 9.0, 24.0);
        (q.length() - 1.0) * 9.0
    };
    one(RIGHT_KIDNEY, -1.0).min(one(LEFT_KIDNEY, 1.0)) + body.noise.rough(p / 7.0) * 4.0
}

/// The pancreas.
pub(super) fn pancreas() -> Vec<Shape> {
    tube(
        &[
            [-26.0, 4.0, 46.0, 11.0],
            [-20.0, 0.0, 60.0, 11.0],
            [4.0, -6.0, 66.0, 8.0],
            [32.0, 10.0, 78.0, 8.5],
            [58.0, 26.0, 92.0, 9.0],
            [78.0, 40.0, 100.0, 7.0],
        ],
        0.0,
    )
}

/// Splenic and upper mesenteric vein up to the portal vein's trunk, in the direction of flow.
pub(super) const PORTAL_TRUNK: &[[f32; 4]] =
    &[[-7.0, -2.0, 58.0, 6.0], [-8.0, 0.0, 72.0, 6.8], [-14.0, 2.0, 84.0, 7.0], [-24.0, 2.0, 92.0, 6.8]];

/// Veins that feed the portal vein.
pub(super) fn portal_feeders() -> Vec<Shape> {
    let mut out = tube(&[[80.0, 42.0, 106.0, 3.6], [58.0, 30.0, 96.0, 4.2], [30.0, 12.0, 82.0, 4.6], [-7.0, 0.0, 70.0, 5.0]], 0.0);
    out.extend(tube(&[[-9.0, -8.0, -20.0, 4.6], [-8.0, -6.0, 30.0, 5.2], [-7.0, -2.0, 58.0, 6.0]], 0.0));
    out
}

/// Adrenal glands.
pub(super) fn adrenals() -> Vec<Shape> {
    let mut out = tube(&[[-30.0, 34.0, 116.0, 2.2], [-36.0, 42.0, 106.0, 2.6], [-42.0, 52.0, 97.0, 2.0]], 0.0);
    out.extend(tube(&[[32.0, 30.0, 114.0, 2.2], [38.0, 44.0, 104.0, 2.8], [42.0, 54.0, 94.0, 2.0]], 0.0));
    out.extend(tube(&[[38.0, 44.0, 104.0, 2.4], [32.0, 52.0, 96.0, 1.8]], 0.0));
    out
}

/// Muscles beside the lumbar spine, and the pillars of the diaphragm.
pub(super) fn psoas() -> Vec<Shape> {
    let mut out = Vec::new();
    for s in [-1.0, 1.0] {
        out.extend(tube(
            &[[s * 40.0, 36.0, -30.0, 21.0], [s * 37.0, 40.0, 10.0, 17.0], [s * 31.0, 46.0, 55.0, 10.0], [s * 26.0, 52.0, 85.0, 5.0]],
            0.0,
        ));
        out.extend(tube(
            &[[s * 17.0, 26.0, 40.0, 4.0], [s * 18.0, 29.0, 80.0, 5.5], [s * 19.0, 28.0, 110.0, 5.0], [s * 22.0, 20.0, 138.0, 4.0]],
            0.0,
        ));
    }
    out
}

/// The large bowel; `grow` is added to the radius.
pub(super) fn colon(grow: f32) -> Vec<Shape> {
    let mut out = tube(
        &[
            [-104.0, 10.0, -40.0, 22.0],
            [-100.0, 0.0, 0.0, 20.0],
            [-88.0, -34.0, 12.0, 17.0],
            [-50.0, -62.0, 4.0, 16.0],
            [-5.0, -70.0, 10.0, 16.0],
            [40.0, -66.0, 20.0, 16.0],
            [84.0, -42.0, 48.0, 16.0],
            [104.0, 0.0, 74.0, 15.0],
            [104.0, 30.0, 60.0, 14.0],
            [104.0, 38.0, -40.0, 14.0],
        ],
        grow,
    );
    // Haustra: the wall is drawn in at intervals.
    for (n, shape) in out.iter_mut().enumerate() {
        if let (Shape::Rod { ra, rb, .. }, true) = (shape, n % 3 == 1) {
            *ra -= 2.5;
            *rb -= 1.5;
        }
    }
    out
}

/// Loops of small bowel; `grow` is added to the radius.
pub(super) fn small_bowel(seed: u64, grow: f32) -> Vec<Shape> {
    let mut dice = Dice::new(seed, 0xB0);
    let mut points = Vec::new();
    let (mut at, mut way) = (Vec3::new(20.0, -20.0, 30.0), Vec3::X);
    for _ in 0..110 {
        points.push([at.x, at.y, at.z, 10.5 + dice.between(-1.5, 1.5)]);
        // Turns back where the room ends: left and middle of the belly, below the stomach.
        let home = (Vec3::new(22.0, -26.0, 22.0) - at) / Vec3::new(68.0, 38.0, 52.0);
        way = (way + dice.in_ball() * 1.1 + home * home.length() * 0.9).normalize_or(Vec3::X);
        at += way * 19.0;
    }
    points
        .windows(2)
        .map(|w| {
            let p = |v: [f32; 4]| Vec3::new(v[0], v[1], v[2]);
            Shape::rod(p(w[0]), p(w[1]), w[0][3] + grow, w[1][3] + grow)
        })
        .collect()
}

/// Vessels of the mesentery.
pub(super) fn mesentery(seed: u64) -> Vec<Shape> {
    let mut dice = Dice::new(seed, 0x3E5);
    let mut ends: Vec<Vec3> = (0..90).map(|_| Vec3::new(20.0, -34.0, 6.0) + dice.in_ball() * Vec3::new(72.0, 34.0, 52.0)).collect();
    tree::grow(Vec3::new(0.0, -8.0, 34.0), &mut ends, 0.75, &mut dice).iter().map(|b| b.rod(1.0, 0.0)).collect()
}
