//! Finds the motion under which two volumes agree best.
//!
//! Levenberg and Marquardt's steps on the differences between the prior and a linear map of the present volume's values, which
//! is the enhanced correlation coefficient of Evangelidis and Psarakis (IEEE TPAMI 30, 2008). What differs much (a breath, a
//! couch, contrast) counts less (Huber, 1964).

use super::level::Level;
use super::rigid::Rigid;
use crate::error::{Error, Result};
use mj_model::{PointLps, VectorLps};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place of the prior with its value there.
pub(super) type Place = (PointLps, f64);

/// Unknowns: turn, shift, gain and offset of the values.
const N: usize = 8;
/// Differences beyond this count linearly. Units: parts of the range.
const MUCH: f64 = 0.1;
/// Steps at one level.
const STEPS: usize = 40;
/// Places worked on at a time; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 2048;

/// How well two volumes agree over the places that lie in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Agreement {
    /// Correlation of the values, -1 to 1.
    pub(super) correlation: f64,
    /// Places that lie in both, of all.
    pub(super) inside: f64,
    gain: f64,
    offset: f64,
}

/// Compares at a motion.
pub(super) fn compare(places: &[Place], current: &Level, motion: &Rigid) -> Agreement {
    let part = |chunk: &[Place]| {
        let mut sums = [0.0_f64; 6];
        for (p, f) in chunk {
            let Some(g) = current.sample(motion.map(*p)) else { continue };
            let terms = [1.0, *f, g.value, f * f, g.value * g.value, f * g.value];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        sums
    };
    let parts: Vec<[f64; 6]> = places.par_chunks(CHUNK).map(part).collect();
    let [n, f, g, ff, gg, fg] = added(&parts);
    let inside = if places.is_empty() { 0.0 } else { n / places.len() as f64 };
    let (var_f, var_g, both) = (ff * n - f * f, gg * n - g * g, fg * n - f * g);
    let is_flat = n < 2.0 || var_f <= 1e-9 * n * n || var_g <= 1e-9 * n * n;
    if is_flat {
        return Agreement { correlation: 0.0, inside, gain: 1.0, offset: 0.0 };
    }
    let gain = both / var_g;
    Agreement { correlation: both / (var_f * var_g).sqrt(), inside, gain, offset: (f - gain * g) / n }
}

/// Improves a motion until it stands still.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn improve(places: &[Place], current: &Level, start: Rigid, cancel: &AtomicBool) -> Result<Rigid> {
    let agreement = compare(places, current, &start);
    let mut now = Pose { motion: start, gain: agreement.gain, offset: agreement.offset };
    let mut system = System::of(places, current, &now);
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let Some(step) = system.step(damping) else { break };
        let next = now.after(&step);
        let tried = System::of(places, current, &next);
        if tried.cost() < system.cost() {
            // A step that was held back small does not mean that nothing is left to do.
            let is_still = damping <= 1e-3 && step[..3].iter().all(|v| v.abs() < 1e-5) && step[3..6].iter().all(|v| v.abs() < 2e-3);
            (now, system) = (next, tried);
            damping = (damping / 10.0).max(1e-9);
            if is_still {
                break;
            }
        } else if damping > 1e6 {
            break;
        } else {
            damping *= 10.0;
        }
    }
    Ok(now.motion)
}

/// A motion and the map of values that goes with it.
#[derive(Clone, Copy)]
struct Pose {
    motion: Rigid,
    gain: f64,
    offset: f64,
}

impl Pose {
    fn after(&self, step: &[f64; N]) -> Self {
        let [a, b, c, x, y, z, gain, offset] = *step;
        let motion = self.motion.moved(VectorLps::new(a, b, c), VectorLps::new(x, y, z));
        Self { motion, gain: self.gain + gain, offset: self.offset + offset }
    }
}

/// The normal equations at a pose.
struct System {
    matrix: [[f64; N]; N],
    right: [f64; N],
    sum: f64,
    n: f64,
}

impl System {
    fn empty() -> Self {
        Self { matrix: [[0.0; N]; N], right: [0.0; N], sum: 0.0, n: 0.0 }
    }

    fn of(places: &[Place], current: &Level, pose: &Pose) -> Self {
        let parts: Vec<Self> = places.par_chunks(CHUNK).map(|chunk| Self::part(chunk, current, pose)).collect();
        parts.iter().fold(Self::empty(), |mut all, part| {
            for (row, add) in all.matrix.iter_mut().zip(&part.matrix) {
                row.iter_mut().zip(add).for_each(|(sum, term)| *sum += term);
            }
            all.right.iter_mut().zip(part.right).for_each(|(sum, term)| *sum += term);
            (all.sum, all.n) = (all.sum + part.sum, all.n + part.n);
            all
        })
    }

    fn part(chunk: &[Place], current: &Level, pose: &Pose) -> Self {
        let mut out = Self::empty();
        for (p, f) in chunk {
            let Some(g) = current.sample(pose.motion.map(*p)) else { continue };
            let away = pose.gain * g.value + pose.offset - f;
            // Huber's cost, and the weight whose least squares have its slope.
            let (cost, weight) =
                if away.abs() <= MUCH { (away * away / 2.0, 1.0) } else { (MUCH * (away.abs() - MUCH / 2.0), MUCH / away.abs()) };
            let slope = g.slope * pose.gain;
            let turn = pose.motion.turned(*p).cross(slope);
            let row = [turn.x, turn.y, turn.z, slope.x, slope.y, slope.z, g.value, 1.0];
            for (line, a) in out.matrix.iter_mut().zip(row) {
                line.iter_mut().zip(row).for_each(|(sum, b)| *sum += weight * a * b);
            }
            out.right.iter_mut().zip(row).for_each(|(sum, a)| *sum -= weight * a * away);
            (out.sum, out.n) = (out.sum + cost, out.n + 1.0);
        }
        out
    }

    /// Mean cost of a place; without any there is nothing worse.
    fn cost(&self) -> f64 {
        if self.n > 0.0 { self.sum / self.n } else { f64::INFINITY }
    }

    /// The damped step; `None` when the equations have no answer.
    fn step(&self, damping: f64) -> Option<[f64; N]> {
        let mut matrix = self.matrix;
        for (at, line) in matrix.iter_mut().enumerate() {
            if let Some(own) = line.get_mut(at) {
                *own += damping * *own + 1e-12;
            }
        }
        solve(matrix, self.right).filter(|step| step.iter().all(|v| v.is_finite()))
    }
}

/// Solves symmetric equations by Cholesky's factors; `None` unless the matrix is positive definite.
fn solve(a: [[f64; N]; N], b: [f64; N]) -> Option<[f64; N]> {
    let mut l = [[0.0; N]; N];
    for r in 0..N {
        for c in 0..=r {
            let done: f64 = (0..c).map(|m| l[r][m] * l[c][m]).sum();
            let rest = a[r][c] - done;
            l[r][c] = if r == c { (rest > 0.0).then(|| rest.sqrt())? } else { rest / l[c][c] };
        }
    }
    let mut y = [0.0; N];
    for r in 0..N {
        let done: f64 = (0..r).map(|m| l[r][m] * y[m]).sum();
        y[r] = (b[r] - done) / l[r][r];
    }
    let mut x = [0.0; N];
    for r in (0..N).rev() {
        let done: f64 = (r + 1..N).map(|m| l[m][r] * x[m]).sum();
        x[r] = (y[r] - done) / l[r][r];
    }
    Some(x)
}

/// Sums in the order of the parts.
fn added<const M: usize>(parts: &[[f64; M]]) -> [f64; M] {
    parts.iter().fold([0.0; M], |all, part| std::array::from_fn(|at| all[at] + part[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let mut a = [[0.0; N]; N];
        for (at, line) in a.iter_mut().enumerate() {
            line[at] = 3.0 + at as f64;
        }
        (a[0][7], a[7][0]) = (1.0, 1.0);
        let x = [1.0, -2.0, 3.0, 0.5, 0.0, 7.0, -1.0, 4.0];
        let b = std::array::from_fn(|r| (0..N).map(|c| a[r][c] * x[c]).sum());
        let found = solve(a, b).unwrap();
        assert!(found.iter().zip(x).all(|(f, x)| (f - x).abs() < 1e-12), "{found:?}");
        assert_eq!(solve([[0.0; N]; N], [1.0; N]), None);
    }
}
