//! Forms given by their signed distance, negative inside. Units: mm.

use super::body::Body;
use glam::Vec3;

/// A form whose distance is given by a function of the body: large and smooth.
pub(super) type RegionFn = fn(&Body, Vec3) -> f32;

/// A form.
#[derive(Clone)]
pub(super) enum Shape {
    /// A tapered rod with round ends.
    Rod { a: Vec3, b: Vec3, ra: f32, rb: f32 },
    /// An ellipsoid with its own axes.
    Ellipsoid { centre: Vec3, axes: [Vec3; 3], radii: Vec3, wobble: f32, period: f32 },
    /// A piece of a flat rod: `out` is the direction it is thin in.
    Rib { a: Vec3, b: Vec3, out: Vec3, thin: f32, wide: f32 },
    /// A function.
    Region(RegionFn),
}

impl Shape {
    pub(super) fn rod(a: Vec3, b: Vec3, ra: f32, rb: f32) -> Self {
        Self::Rod { a, b, ra, rb }
    }

    pub(super) fn ball(centre: Vec3, radius: f32) -> Self {
        Self::ellipsoid(centre, Vec3::splat(radius))
    }

    pub(super) fn ellipsoid(centre: Vec3, radii: Vec3) -> Self {
        Self::Ellipsoid { centre, axes: [Vec3::X, Vec3::Y, Vec3::Z], radii, wobble: 0.0, period: 10.0 }
    }

    /// An ellipsoid whose first axis points along `long`, with an uneven surface.
    pub(super) fn organ(centre: Vec3, long: Vec3, radii: Vec3, wobble: f32, period: f32) -> Self {
        let first = long.normalize_or(Vec3::X);
        let helper = if first.z.abs() < 0.9 { Vec3::Z } else { Vec3::Y };
        let second = helper.cross(first).normalize_or(Vec3::Y);
        Self::Ellipsoid { centre, axes: [first, second, first.cross(second)], radii, wobble, period }
    }

    /// Signed distance, exact for rods, close to the surface for the others.
    pub(super) fn distance(&self, body: &Body, p: Vec3) -> f32 {
        match self {
            Self::Rod { a, b, ra, rb } => {
                let (d, t) = along(*a, *b, p);
                d.length() - (ra + (rb - ra) * t)
            }
            Self::Rib { a, b, out, thin, wide } => {
                let (d, _) = along(*a, *b, p);
                let depth = d.dot(*out);
                let rest = d - *out * depth;
                let (x, y) = (depth / thin, rest.length() / wide);
                ((x * x + y * y).sqrt() - 1.0) * thin
            }
            Self::Ellipsoid { centre, axes, radii, wobble, period } => {
                let d = p - *centre;
                let q = Vec3::new(d.dot(axes[0]), d.dot(axes[1]), d.dot(axes[2]));
                let uneven = if *wobble > 0.0 { body.noise.rough(p / *period) * wobble } else { 0.0 };
                let k = (q / *radii).length();
                let g = (q / (*radii * *radii)).length();
                // First order distance to the level set; in the middle, where it has no slope, the radius.
                if g < 1e-6 { -radii.min_element() } else { (k * (k - 1.0) / g).max(-radii.min_element()) - uneven }
            }
            Self::Region(f) => f(body, p),
        }
    }

    /// Box that holds the form, as centre and half size; `None` for a function.
    pub(super) fn reach(&self) -> Option<(Vec3, Vec3)> {
        match self {
            Self::Rod { a, b, ra, rb } => Some(((*a + *b) / 2.0, (*a - *b).abs() / 2.0 + Vec3::splat(ra.max(*rb)))),
            Self::Rib { a, b, wide, .. } => Some(((*a + *b) / 2.0, (*a - *b).abs() / 2.0 + Vec3::splat(*wide))),
            Self::Ellipsoid { centre, radii, wobble, .. } => Some((*centre, Vec3::splat(radii.max_element() + wobble))),
            Self::Region(_) => None,
        }
    }
}

/// From the nearest point of a line to `p`, and where on the line that is (0 to 1).
fn along(a: Vec3, b: Vec3, p: Vec3) -> (Vec3, f32) {
    let line = b - a;
    let t = ((p - a).dot(line) / line.length_squared().max(1e-9)).clamp(0.0, 1.0);
    (p - a - line * t, t)
}

/// The smaller of two distances, rounded where they meet.
pub(super) fn smooth_min(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0);
    a.min(b) - h * h / (4.0 * k)
}

/// The larger of two distances, rounded where they meet.
pub(super) fn smooth_max(a: f32, b: f32, k: f32) -> f32 {
    -smooth_min(-a, -b, k)
}

/// 1 at the centre, 0 from a distance of 1 on, smooth.
pub(super) fn bump(squared: f32) -> f32 {
    let t = (1.0 - squared).max(0.0);
    t * t
}

/// 0 below `low`, 1 above `high`, smooth.
pub(super) fn step(low: f32, high: f32, v: f32) -> f32 {
    let t = ((v - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Sine and cosine of a number of degrees from 0 to 180, the same bits everywhere.
pub(super) fn sin_cos(degrees: f32) -> (f32, f32) {
    let small = |x: f32| {
        let s = x * x;
        (x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0))), 1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0)))
    };
    // Half of the angle is below 90 degrees, a quarter below 45, where the series is exact to six figures.
    let (s, c) = small(degrees * (std::f32::consts::PI / 720.0));
    let (s, c) = (2.0 * s * c, c * c - s * s);
    (2.0 * s * c, c * c - s * s)
}

/// Points on a smooth curve through others (x, y, z, radius), `n` pieces between each two.
///
/// Source: Catmull and Rom, A class of local interpolating splines, 1974.
pub(super) fn curve(points: &[[f32; 4]], n: usize) -> Vec<(Vec3, f32)> {
    let at = |i: isize| {
        let i = i.clamp(0, points.len() as isize - 1) as usize;
        points.get(i).copied().unwrap_or_default()
    };
    let mut out = Vec::new();
    for s in 0..points.len().saturating_sub(1) {
        let (a, b, c, d) = (at(s as isize - 1), at(s as isize), at(s as isize + 1), at(s as isize + 2));
        for step in 0..n {
            let t = step as f32 / n as f32;
            let v = [0, 1, 2, 3].map(|x| {
                let (a, b, c, d) = (a[x], b[x], c[x], d[x]);
                b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
            });
            out.push((Vec3::new(v[0], v[1], v[2]), v[3]));
        }
    }
    if let Some(&[x, y, z, r]) = points.last() {
        out.push((Vec3::new(x, y, z), r));
    }
    out
}

/// Rods along a curve; `grow` is added to the radius.
pub(super) fn tube(points: &[[f32; 4]], grow: f32) -> Vec<Shape> {
    let points = curve(points, 5);
    points.windows(2).map(|w| Shape::rod(w[0].0, w[1].0, w[0].1 + grow, w[1].1 + grow)).collect()
}
