//! Bones and cartilage.

use super::body::{Body, Section, skin};
use super::shape::{Shape, bump, curve, sin_cos, smooth_max, step};
use glam::{Vec2, Vec3};

/// Heights of the vertebrae from L3 up to C6, body and disc together. Units: mm.
const LEVELS: [f32; 18] = [34.0, 33.0, 32.0, 30.0, 28.0, 27.0, 26.0, 25.0, 24.0, 23.0, 22.0, 21.0, 20.0, 19.0, 18.0, 18.0, 17.0, 17.0];
/// Where L3 begins.
const FIRST: f32 = -6.0;
/// Index of T12 in [`LEVELS`].
const T12: usize = 3;

/// Bottom of a level.
fn bottom(level: usize) -> f32 {
    FIRST + LEVELS.iter().take(level).sum::<f32>()
}

/// Middle of the body of thoracic vertebra `n` (1 to 12).
fn thoracic(n: usize) -> f32 {
    let level = T12 + 12 - n;
    bottom(level) + LEVELS.get(level).copied().unwrap_or(20.0) / 2.0
}

/// Half the thickness of a disc, and how far (0 to 1) `z` is through its level.
fn level_at(z: f32) -> (f32, f32, f32) {
    let mut low = FIRST;
    for h in LEVELS {
        if z < low + h {
            return (h, (z - low) / h, low);
        }
        low += h;
    }
    (17.0, 0.5, low)
}

/// Vertebral bodies, waisted, with the spinal canal left out.
pub(super) fn vertebral_bodies(body: &Body, p: Vec3) -> f32 {
    let (h, t, _) = level_at(p.z);
    let disc = 2.0 + h * 0.075;
    let from_disc = (t * h).min((1.0 - t) * h) - disc;
    let waist = 1.0 - 0.13 * bump(((t - 0.5) / 0.42).powi(2));
    let column = column(body, p, waist);
    smooth_max(column, -from_disc, 1.6)
}

/// The discs between them.
pub(super) fn discs(body: &Body, p: Vec3) -> f32 {
    column(body, p, 1.0) + 0.6
}

fn column(body: &Body, p: Vec3, waist: f32) -> f32 {
    let big = 1.0 - step(-20.0, 330.0, p.z);
    let (side, depth) = ((12.5 + 11.0 * big) * waist, (11.0 + 5.5 * big) * waist);
    let (u, v) = (p.x / side, (p.y - body.spine_y(p.z)) / depth);
    let round = ((u * u + v * v).sqrt() - 1.0) * depth;
    // The back is flat where the canal runs.
    smooth_max(round, (v - 0.8) * depth, 3.0) + body.noise.at(p / 9.0) * 0.5
}

/// The spinal canal's centre.
fn canal(body: &Body, z: f32) -> Vec2 {
    let big = 1.0 - step(-20.0, 330.0, z);
    Vec2::new(0.0, body.spine_y(z) + 0.8 * (11.0 + 5.5 * big) + 7.5)
}

/// The canal: fat and fluid.
pub(super) fn canal_fat(body: &Body, p: Vec3) -> f32 {
    (p.truncate() - canal(body, p.z)).length() - 8.3
}

/// The dural sac with the cord.
pub(super) fn dural_sac(body: &Body, p: Vec3) -> f32 {
    (p.truncate() - canal(body, p.z)).length() - 6.8
}

/// Arches and processes.
pub(super) fn processes(body: &Body) -> Vec<Shape> {
    let mut out = Vec::new();
    for (level, &h) in LEVELS.iter().enumerate() {
        let low = bottom(level);
        let z = low + h * 0.62;
        let y = canal(body, z).y;
        let at = |x: f32, y: f32, z: f32| Vec3::new(x, y, z);
        let lumbar = level < T12;
        for s in [-1.0, 1.0] {
            out.push(Shape::rod(at(s * 10.5, y - 9.0, z), at(s * 10.0, y + 2.0, z), 4.2, 3.8));
            out.push(Shape::rod(at(s * 10.0, y + 2.0, z), at(s * 2.0, y + 12.0, z - h * 0.2), 3.6, 3.4));
            out.push(Shape::rod(at(s * 12.0, y + 3.0, z - h * 0.4), at(s * 12.0, y + 4.0, z + h * 0.45), 4.0, 3.6));
            let reach = if lumbar { 38.0 } else { 29.0 };
            let back = if lumbar { -1.0 } else { 9.0 };
            out.push(Shape::rod(at(s * 11.0, y + 1.0, z), at(s * reach, y + back, z + 2.0), 3.6, 2.6));
        }
        let drop = if lumbar { 4.0 } else { 17.0 };
        let long = if lumbar { 35.0 } else { 30.0 };
        out.push(Shape::rod(at(0.0, y + 11.0, z - h * 0.2), at(0.0, y + long, z - drop), 3.0, 3.4));
    }
    out
}

/// What belongs to one rib.
struct Rib {
    bone: Vec<Shape>,
    cartilage: Vec<Shape>,
}

/// All 24 ribs, and the cartilage in front of them.
pub(super) fn ribs(body: &Body) -> (Vec<Shape>, Vec<Shape>) {
    let (mut bone, mut cartilage) = (Vec::new(), Vec::new());
    for n in 1..=12 {
        for s in [-1.0, 1.0] {
            let one = rib(body, n, s);
            bone.extend(one.bone);
            cartilage.extend(one.cartilage);
        }
    }
    (bone, cartilage)
}

/// Angle from the back at which the bony part ends, where the cartilage ends, how far the bone sinks and how
/// far the cartilage rises again. Degrees, mm.
const RIBS: [(f32, f32, f32, f32); 12] = [
    (135.0, 168.0, 24.0, 2.0),
    (143.0, 171.0, 40.0, 0.0),
    (147.0, 172.0, 52.0, 0.0),
    (147.0, 172.0, 62.0, 2.0),
    (145.0, 172.0, 70.0, 10.0),
    (142.0, 172.0, 76.0, 26.0),
    (137.0, 172.0, 80.0, 46.0),
    (131.0, 163.0, 80.0, 46.0),
    (124.0, 153.0, 78.0, 40.0),
    (116.0, 144.0, 74.0, 32.0),
    (92.0, 94.0, 56.0, 0.0),
    (66.0, 68.0, 34.0, 0.0),
];

fn rib(body: &Body, n: usize, s: f32) -> Rib {
    let (end, tip, sink, rise) = RIBS.get(n - 1).copied().unwrap_or_default();
    let top = thoracic(n) + 7.0;
    let z_of = |degrees: f32| {
        let t = ((degrees - 18.0) / (end - 18.0)).clamp(0.0, 1.0);
        let after = ((degrees - end) / (tip - end).max(1.0)).clamp(0.0, 1.0);
        top - 4.0 - sink * t * (0.65 + 0.35 * t) + rise * after * (0.4 + 0.6 * after)
    };
    let point = |degrees: f32| {
        let (sin, cos) = sin_cos(degrees);
        let z = z_of(degrees);
        let section = body.inner(z);
        // The outline widened by the ribs' distance from the cavity.
        let wider = Section { side: section.side + 5.0, front: section.front + 5.0, back: section.back + 5.0 };
        let at = wider.outline(s * sin, cos);
        Vec3::new(at.x, at.y, z)
    };
    let wide = if n == 1 { 7.0 } else { 6.3 };
    let mut bone = Vec::new();
    // From the vertebra to the angle of the rib.
    let (y, start) = (body.spine_y(top), point(24.0));
    let head = curve(
        &[
            [s * 14.0, y + 6.0, top, 0.0],
            [s * 24.0, y + 15.0, top + 1.0, 0.0],
            [(start.x + s * 24.0) * 0.5, (start.y + y + 15.0) * 0.5 + 5.0, (start.z + top) * 0.5, 0.0],
            [start.x, start.y, start.z, 0.0],
        ],
        3,
    );
    bone.extend(head.windows(2).map(|w| Shape::rod(w[0].0, w[1].0, 4.2, 4.2)));
    let out_at = |a: Vec3, b: Vec3| {
        let middle = (a + b) / 2.0;
        let line = (b - a).normalize_or(Vec3::X);
        let out = Vec3::new(middle.x, middle.y * 1.4, 0.0);
        (out - line * out.dot(line)).normalize_or(Vec3::Y)
    };
    let strip = |from: f32, to: f32, thin: f32, wide: f32| -> Vec<Shape> {
        let steps = ((to - from) / 4.5).ceil().max(1.0) as usize;
        let at = |step: usize| point(from + (to - from) * step as f32 / steps as f32);
        (0..steps).map(|step| (at(step), at(step + 1))).map(|(a, b)| Shape::Rib { a, b, out: out_at(a, b), thin, wide }).collect()
    };
    bone.extend(strip(24.0, end, 3.6, wide));
    let cartilage = if tip > end + 3.0 { strip(end - 2.0, tip, 4.2, wide) } else { Vec::new() };
    Rib { bone, cartilage }
}

/// The breast bone: manubrium, body and xiphoid process.
pub(super) fn sternum(body: &Body, p: Vec3) -> f32 {
    let wide = 13.0 + 6.0 * bump(((p.z - 225.0) / 40.0).powi(2)) + 15.0 * step(296.0, 318.0, p.z) - 8.0 * (1.0 - step(196.0, 212.0, p.z));
    let y = -(body.inner(p.z).front + 5.5);
    let (u, v) = (p.x / wide, (p.y - y) / 5.8);
    let plate = ((u * u * u * u + v * v * v * v).sqrt().sqrt() - 1.0) * 5.8;
    let ends = (p.z - 258.0).abs() - 70.0;
    // The joint between manubrium and body.
    let joint = 1.6 - (p.z - 300.0).abs();
    smooth_max(smooth_max(plate, ends, 4.0), joint, 1.5) + body.noise.at(p / 8.0) * 0.4
}

/// Shoulder blades: a curved plate behind the ribs, with its spine and the socket of the shoulder.
pub(super) fn scapulae(body: &Body, p: Vec3) -> f32 {
    let x = p.x.abs();
    // In the plate: `t` runs from the lower angle (0) to the upper border (1).
    let t = (p.z - 232.0) / 108.0;
    let (inner, outer) = (78.0 - 14.0 * t, 92.0 + 50.0 * t.clamp(0.0, 1.2));
    let across = (inner - x).max(x - outer);
    let ends = (232.0 - p.z).max(p.z - 340.0);
    let depth = 98.0 - 0.42 * (x - 85.0) + 0.0035 * (x - 85.0) * (x - 85.0) - 10.0 * step(290.0, 340.0, p.z);
    let edge = step(0.0, 14.0, -across);
    let thick = 4.3 - 2.2 * edge;
    let plate = (p.y - depth).abs() * 0.92 - thick;
    smooth_max(smooth_max(plate, across, 5.0), ends, 6.0) + body.noise.at(p / 12.0) * 0.5
}

/// Rods of the shoulders: spines of the shoulder blades, sockets, collar bones, heads of the arm bones.
pub(super) fn shoulders() -> Vec<Shape> {
    let mut out = Vec::new();
    for s in [-1.0, 1.0] {
        let at = |x: f32, y: f32, z: f32| Vec3::new(s * x, y, z);
        out.push(Shape::rod(at(75.0, 99.0, 312.0), at(118.0, 92.0, 330.0), 3.0, 5.5));
        out.push(Shape::rod(at(118.0, 92.0, 330.0), at(148.0, 58.0, 352.0), 6.0, 6.0));
        out.push(Shape::rod(at(128.0, 58.0, 332.0), at(133.0, 46.0, 340.0), 8.0, 11.0));
        for w in curve(&[[18.0, -46.0, 326.0, 7.5], [48.0, -50.0, 336.0, 5.5], [85.0, -22.0, 347.0, 5.0], [125.0, 12.0, 357.0, 6.5]], 6)
            .windows(2)
        {
            let side = |v: Vec3| Vec3::new(s * v.x, v.y, v.z);
            out.push(Shape::rod(side(w[0].0), side(w[1].0), w[0].1, w[1].1));
        }
        out.push(Shape::ball(at(146.0, 24.0, 358.0), 21.0));
    }
    out
}

/// Long muscles of the back, beside the spine.
pub(super) fn back_muscles(body: &Body, p: Vec3) -> f32 {
    let y = body.spine_y(p.z) + 37.0 - 5.0 * step(250.0, 360.0, p.z);
    let (u, v) = ((p.x.abs() - 27.0) / 27.0, (p.y - y) / 20.0);
    let column = ((u * u + v * v).sqrt() - 1.0) * 20.0 + body.noise.at(p / 25.0) * 1.5;
    smooth_max(column, skin(body, p) + 7.0, 4.0)
}
