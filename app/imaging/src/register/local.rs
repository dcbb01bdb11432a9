//! Follows what breathing moved: a small shift of the surroundings of one place.

use super::level::Level;
use super::rigid::Rigid;
use mj_model::{PointLps, VectorLps};

/// A place is looked for this far around where the motion of the whole puts it. Units: mm.
pub(super) const REACH_MM: f64 = 15.0;
/// Half the side of the box of surroundings that is compared. Units: mm.
const HALF_BOX_MM: f64 = 16.0;
/// Distance of the compared places. Units: mm.
const STEP_MM: f64 = 2.0;
/// Surroundings count less with their distance: standard deviation of the bell. Units: mm.
const BELL_MM: f64 = 9.0;
/// Surroundings must agree at least so well to be followed.
const GOOD: f64 = 0.6;
/// And so much better than where the motion of the whole puts them: the best of a thousand noisy tries is a little better anyway.
const BETTER: f64 = 0.06;
/// A shift as far as the reach must bring this much correlation, lest noise pulls.
const PULL: f64 = 0.1;

/// A place found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) at: PointLps,
    pub(super) correlation: Option<f64>,
    pub(super) is_refined: bool,
}

/// Surroundings of a place: where each lies from it after the turn, its value, its weight.
struct Around {
    places: Vec<(VectorLps, f64, f64)>,
}

impl Around {
    fn of(prior: &Level, motion: &Rigid, centre: PointLps) -> Self {
        let n = (HALF_BOX_MM / STEP_MM) as i32;
        let mut places = Vec::new();
        for (x, y, z) in cube(n) {
            let d = VectorLps::new(f64::from(x), f64::from(y), f64::from(z)) * STEP_MM;
            let Some(value) = prior.sample(centre + d).map(|s| s.value) else { continue };
            let weight = (-d.dot(d) / (2.0 * BELL_MM * BELL_MM)).exp();
            places.push((motion.turned(centre + d) - motion.turned(centre), value, weight));
        }
        Self { places }
    }

    /// Weighted correlation with the surroundings of a present place; `None` where they are flat or lie outside.
    fn correlation(&self, current: &Level, at: PointLps) -> Option<f64> {
        let (mut n, mut f, mut g, mut ff, mut gg, mut fg) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let mut all = 0.0;
        for (d, a, w) in &self.places {
            all += w;
            let Some(b) = current.sample(at + *d).map(|s| s.value) else { continue };
            (n, f, g) = (n + w, f + w * a, g + w * b);
            (ff, gg, fg) = (ff + w * a * a, gg + w * b * b, fg + w * a * b);
        }
        let (var_f, var_g) = (ff * n - f * f, gg * n - g * g);
        // One hundredth of the range is about the noise of a CT.
        let is_flat = var_f <= 1e-4 * n * n || var_g <= 1e-4 * n * n;
        (n > 0.6 * all && n > 0.0 && !is_flat).then(|| (fg * n - f * g) / (var_f * var_g).sqrt())
    }
}

/// All whole numbers of a cube around zero.
fn cube(n: i32) -> impl Iterator<Item = (i32, i32, i32)> {
    (-n..=n).flat_map(move |z| (-n..=n).flat_map(move |y| (-n..=n).map(move |x| (x, y, z))))
}

/// Looks for a place of the prior around where the motion of the whole puts it. Where its surroundings do not agree well
/// enough, it stays there.
pub(super) fn find(prior: &Level, current: &Level, motion: &Rigid, place: PointLps) -> Found {
    let mapped = motion.map(place);
    let around = Around::of(prior, motion, place);
    let start = around.correlation(current, mapped);
    let score = |d: VectorLps| {
        let far = d.length() / REACH_MM;
        (far <= 1.0).then(|| around.correlation(current, mapped + d).map(|c| c - PULL * far * far)).flatten()
    };
    let mut best = (VectorLps::default(), start.unwrap_or(-1.0));
    for step in [3.0, 1.5, 0.75, 0.375] {
        // The first, coarse steps reach everywhere, the finer ones the neighbours of the best.
        let n = if step > 2.0 { (REACH_MM / step) as i32 } else { 1 };
        let from = best.0;
        for (x, y, z) in cube(n) {
            let d = from + VectorLps::new(f64::from(x), f64::from(y), f64::from(z)) * step;
            if let Some(found) = score(d).filter(|found| *found > best.1) {
                best = (d, found);
            }
        }
    }
    let there = around.correlation(current, mapped + best.0);
    let is_refined = best.0.length() < REACH_MM - 1.0 && there.is_some_and(|c| c >= GOOD && c > start.unwrap_or(-1.0) + BETTER);
    if is_refined {
        Found { at: mapped + best.0, correlation: there, is_refined }
    } else {
        Found { at: mapped, correlation: start, is_refined }
    }
}
