//! Branching vessels and airways that fill an organ.

use super::noise::Dice;
use super::shape::Shape;
use glam::Vec3;

/// A branch from one fork to the next.
#[derive(Clone, Copy)]
pub(super) struct Branch {
    pub(super) a: Vec3,
    pub(super) b: Vec3,
    pub(super) ra: f32,
    pub(super) rb: f32,
}

impl Branch {
    pub(super) fn rod(&self, factor: f32, grow: f32) -> Shape {
        Shape::rod(self.a, self.b, self.ra * factor + grow, self.rb * factor + grow)
    }
}

/// Grows a tree from `start` to all targets: the targets are divided in two again and again along the direction
/// in which they are spread most, and a branch goes part of the way to each half's middle.
///
/// `tip` is the radius of a last branch; towards the root radii follow a law close to Murray's.
/// Source: Murray, The physiological principle of minimum work, 1926 (exponent 2.7 as measured in lungs).
pub(super) fn grow(start: Vec3, targets: &mut [Vec3], tip: f32, dice: &mut Dice) -> Vec<Branch> {
    let mut out = Vec::new();
    fork(start, radius(targets.len(), tip), targets, tip, dice, &mut out);
    out
}

fn radius(targets: usize, tip: f32) -> f32 {
    // The power 3/8 by roots, whose bits are the same on every machine.
    let root = (targets.max(1) as f32).sqrt().sqrt().sqrt();
    tip * root * root * root
}

fn fork(start: Vec3, ra: f32, targets: &mut [Vec3], tip: f32, dice: &mut Dice, out: &mut Vec<Branch>) {
    let n = targets.len();
    if n == 0 {
        return;
    }
    let middle = targets.iter().copied().sum::<Vec3>() / n as f32;
    let to = middle - start;
    let end = if n == 1 { middle } else { start + to * if n > 12 { 0.42 } else { 0.55 } };
    let rb = radius(n, tip).min(ra);
    // Two pieces with a bend between them: no vessel is straight.
    let bend = (start + end) / 2.0 + dice.in_ball() * (to.length() * 0.055).min(3.0);
    out.push(Branch { a: start, b: bend, ra, rb: (ra + rb) / 2.0 });
    out.push(Branch { a: bend, b: end, ra: (ra + rb) / 2.0, rb: if n == 1 { rb * 0.75 } else { rb } });
    if n == 1 {
        return;
    }
    let axis = widest(targets, middle);
    targets.sort_by(|a, b| a.dot(axis).total_cmp(&b.dot(axis)));
    // Not quite the middle, so that branches differ in strength.
    let at = ((n as f32 * dice.between(0.34, 0.66)) as usize).clamp(1, n - 1);
    let (left, right) = targets.split_at_mut(at);
    let start_radius = |part: usize| radius(part, tip).max(rb * 0.55);
    fork(end, start_radius(left.len()), left, tip, dice, out);
    fork(end, start_radius(right.len()), right, tip, dice, out);
}

/// The direction of the widest spread, by a few steps of power iteration.
fn widest(points: &[Vec3], middle: Vec3) -> Vec3 {
    let mut axis = Vec3::new(0.61, 0.53, 0.59);
    for _ in 0..6 {
        let next: Vec3 = points.iter().map(|&p| (p - middle) * (p - middle).dot(axis)).sum();
        axis = next.normalize_or(Vec3::Z);
    }
    axis
}
