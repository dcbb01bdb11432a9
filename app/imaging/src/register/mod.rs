//! Registration: where a place of a prior volume lies in the present one.
//!
//! First one motion for the whole (six degrees of freedom, patient space, from coarse to fine), then for single places a small
//! shift of their surroundings, because a breath is no motion of the whole. Frame of Reference UIDs say nothing here: two studies
//! under one may show the patient in two poses, and two under different ones the same.
//!
//! Only volumes of one modality are compared: their values must rise and fall together.

mod fit;
mod level;
mod local;
mod rigid;

use crate::error::{Error, Result};
use fit::{Agreement, Place};
use level::Level;
use mj_model::{PointLps, VectorLps, Volume};
use rayon::prelude::*;
use rigid::Rigid;
use std::sync::atomic::{AtomicBool, Ordering};

/// A volume laid onto an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// From the prior's patient space to the present one's, over (x, y, z, 1), row by row. Units: mm, LPS.
    pub prior_to_current: [[f64; 4]; 4],
    /// Correlation of the values inside the body where both volumes show it: 1 is equal, 0 unrelated.
    pub similarity: f64,
    /// Middle value of the correlations of small blocks: how well details agree.
    pub detail: f64,
    /// How much of the smaller volume's body both show, 0 to 1.
    pub overlap: f64,
    /// The places that were asked for, in order.
    pub points: Vec<Mapped>,
}

impl Registration {
    /// Where a place of the present volume lay in the prior, by the motion of the whole. Units: mm, LPS.
    #[must_use]
    pub fn before(&self, now: PointLps) -> PointLps {
        let [a, b, c, _] = self.prior_to_current;
        let d = [now.x - a[3], now.y - b[3], now.z - c[3]];
        // A turn's inverse is its transpose.
        let [x, y, z] = std::array::from_fn(|m| a[m] * d[0] + b[m] * d[1] + c[m] * d[2]);
        PointLps::new(x, y, z)
    }

    /// Where a place of the prior lies in the present volume, by the motion of the whole. Units: mm, LPS.
    #[must_use]
    pub fn now(&self, before: PointLps) -> PointLps {
        let [a, b, c, _] = self.prior_to_current;
        let along = |r: [f64; 4]| r[0] * before.x + r[1] * before.y + r[2] * before.z + r[3];
        PointLps::new(along(a), along(b), along(c))
    }
}

/// Where a place of the prior lies now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mapped {
    /// By the motion of the whole. Units: mm, LPS.
    pub mapped: PointLps,
    /// By its surroundings, at most 15 mm from `mapped`; equal to it where they do not agree well enough. Units: mm, LPS.
    pub refined: PointLps,
    /// Correlation of the surroundings there; `None` where they are flat or lie outside.
    pub similarity: Option<f64>,
    /// True when `refined` follows the surroundings.
    pub is_refined: bool,
    /// True when the present volume shows that place.
    pub is_shown: bool,
}

/// Values that are looked at; what lies beyond counts as its end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// From air to bone for CT, the middle 98 % of the values for all else. Units: the volume's unit.
    fn of(volume: &Volume) -> Self {
        if volume.modality == "CT" {
            return Self { low: -1000.0, high: 500.0 };
        }
        let n = volume.samples.len();
        let step = (n / 50_000).max(1);
        let stored = (0..n).step_by(step).filter_map(|at| volume.samples.stored(at));
        let mut values: Vec<f64> = stored.map(|s| volume.map.apply(s)).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values.get((part * values.len() as f64) as usize).copied().unwrap_or_default();
        Self { low: at(0.01), high: at(0.99) }
    }

    /// 0 at the low end and below, 1 at the high end and above.
    fn part(self, value: f64) -> f64 {
        if value.is_finite() && self.high > self.low { ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Where the body begins, in parts: fat and denser for CT, a tenth of the range for all else.
    fn body(volume: &Volume) -> f64 {
        if volume.modality == "CT" { 0.5 } else { 0.1 }
    }
}

/// Voxel sizes from coarse to fine. Units: mm.
const LEVELS_MM: [f64; 3] = [8.0, 4.0, 2.0];
/// Places compared at most at each level, as many as decide.
const PLACES: [usize; 3] = [20_000, 60_000, 150_000];
/// Starts that are followed at the coarsest level, beside no motion and equal middles.
const STARTS: usize = 3;
/// Both must show this much of the smaller body.
const LEAST_OVERLAP: f64 = 0.3;
/// Values must agree at least so well.
const LEAST_SIMILARITY: f64 = 0.75;
/// And details so well.
const LEAST_DETAIL: f64 = 0.4;
/// Patients are not turned further between two studies in one position. Units: degrees.
const MOST_TURN_DEG: f64 = 35.0;

/// The two volumes at one level.
struct Pair {
    prior: Level,
    current: Level,
    places: Vec<Place>,
    /// Bodies. Units: ml.
    bodies_ml: (f64, f64),
    /// Middles of the bodies. Units: mm, LPS.
    middles: (PointLps, PointLps),
    n_body: usize,
}

impl Pair {
    fn of(prior: &Volume, current: &Volume, mm: f64, most: usize) -> Self {
        let (from, to) = (Level::of(prior, mm, Range::of(prior)), Level::of(current, mm, Range::of(current)));
        let (body, other) = (from.body(Range::body(prior)), to.body(Range::body(current)));
        let step = body.len().div_ceil(most).max(1);
        let places = body.iter().step_by(step).map(|&[i, j, k]| (from.lps([i, j, k]), from.at(i, j, k))).collect();
        Self {
            places,
            bodies_ml: (body.len() as f64 * from.grid.voxel_ml(), other.len() as f64 * to.grid.voxel_ml()),
            middles: (middle(&from, &body), middle(&to, &other)),
            n_body: body.len(),
            prior: from,
            current: to,
        }
    }

    /// How much of the smaller body lies in both, when this part of the prior's does.
    fn overlap(&self, inside: f64) -> f64 {
        let (prior, current) = self.bodies_ml;
        (inside * prior / prior.min(current).max(f64::MIN_POSITIVE)).min(1.0)
    }

    /// Agreement that counts little where little of the smaller body is in both.
    fn worth(&self, agreement: &Agreement) -> f64 {
        agreement.correlation * (self.overlap(agreement.inside) / (2.0 * LEAST_OVERLAP)).min(1.0)
    }
}

fn middle(level: &Level, body: &[[usize; 3]]) -> PointLps {
    let n = body.len().max(1) as f64;
    let sum = body.iter().fold([0.0; 3], |s: [f64; 3], v| std::array::from_fn(|a| s[a] + v[a] as f64));
    level.grid.lps_from_voxel(sum.map(|s| s / n))
}

/// Registers a prior volume with the present one, and finds places of the prior again. Units of `points`: mm, LPS.
///
/// The same volumes give the same numbers, whatever the threads. `progress` is told (steps done, steps in all).
///
/// # Errors
/// [`Error::CannotRegister`] for volumes without millimetres, without a place in the patient, or of different modalities;
/// [`Error::RegisteredBadly`] when the result is not to be trusted; [`Error::Cancelled`] once `cancel` is set.
pub fn register(
    prior: &Volume,
    current: &Volume,
    points: &[PointLps],
    cancel: &AtomicBool,
    progress: &dyn Fn(u64, u64),
) -> Result<Registration> {
    let is_known = |v: &Volume| v.is_calibrated && v.is_placed && v.grid.dims.iter().all(|n| *n >= 2);
    if !is_known(prior) || !is_known(current) || prior.modality != current.modality {
        return Err(Error::CannotRegister);
    }
    let steps = LEVELS_MM.len() as u64 + 1;
    let mut motion = None;
    let mut finest = None;
    for (done, (mm, most)) in LEVELS_MM.into_iter().zip(PLACES).enumerate() {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        let pair = Pair::of(prior, current, mm, most);
        motion = Some(match motion {
            None => start(&pair, cancel)?,
            Some(motion) => fit::improve(&pair.places, &pair.current, motion, cancel)?,
        });
        finest = Some(pair);
        progress(done as u64 + 1, steps);
    }
    let (Some(motion), Some(pair)) = (motion, finest) else { return Err(Error::CannotRegister) };
    let found = judged(&pair, &motion)?;
    let refined: Result<Vec<Mapped>> = points.par_iter().map(|p| again(&pair, &motion, *p, cancel)).collect();
    progress(steps, steps);
    Ok(Registration { points: refined?, ..found })
}

/// The best motion of the coarsest level, from several starts.
fn start(pair: &Pair, cancel: &AtomicBool) -> Result<Rigid> {
    let (from, to) = pair.middles;
    let few: Vec<Place> = pair.places.iter().step_by(4).copied().collect();
    let mut tried: Vec<(f64, Rigid)> = shifts(pair)
        .into_iter()
        .map(|shift| {
            let motion = Rigid::shifted(from, shift);
            (pair.worth(&fit::compare(&few, &pair.current, &motion)), motion)
        })
        .collect();
    tried.sort_by(|a, b| b.0.total_cmp(&a.0));
    let known = [VectorLps::default(), to - from].map(|shift| Rigid::shifted(from, shift));
    let starts = tried.into_iter().take(STARTS).map(|(_, motion)| motion).chain(known);
    let mut best: Option<(f64, Rigid)> = None;
    for start in starts {
        let motion = fit::improve(&pair.places, &pair.current, start, cancel)?;
        let worth = pair.worth(&fit::compare(&pair.places, &pair.current, &motion));
        if best.as_ref().is_none_or(|(known, _)| worth > *known) {
            best = Some((worth, motion));
        }
    }
    best.map(|(_, motion)| motion).ok_or(Error::CannotRegister)
}

/// Shifts worth a try: along the body, where scans begin and end at will, with middles above each other and with none across.
fn shifts(pair: &Pair) -> Vec<VectorLps> {
    const STEP_MM: f64 = 16.0;
    let (from, to) = pair.middles;
    let ((low, high), (low_now, high_now)) = (pair.prior.grid.box_lps(), pair.current.grid.box_lps());
    let (first, last) = (low_now.z - high.z, high_now.z - low.z);
    let n = ((last - first) / STEP_MM).clamp(0.0, 400.0) as usize;
    let along = (0..=n).map(|s| first + s as f64 * STEP_MM);
    along.flat_map(|z| [VectorLps::new(0.0, 0.0, z), VectorLps::new(to.x - from.x, to.y - from.y, z)]).collect()
}

/// The result, if it is to be trusted.
fn judged(pair: &Pair, motion: &Rigid) -> Result<Registration> {
    let agreement = fit::compare(&pair.places, &pair.current, motion);
    let overlap = pair.overlap(agreement.inside);
    let (similarity, detail) = (agreement.correlation, detail(pair, motion));
    let is_good = pair.n_body > 0
        && overlap >= LEAST_OVERLAP
        && similarity >= LEAST_SIMILARITY
        && detail >= LEAST_DETAIL
        && motion.angle_deg() <= MOST_TURN_DEG;
    if !is_good {
        return Err(Error::RegisteredBadly { similarity, detail, overlap });
    }
    Ok(Registration { prior_to_current: motion.matrix(), similarity, detail, overlap, points: Vec::new() })
}

/// Middle value of the correlations of blocks of about 24 mm that hold some structure. Bodies of two people agree as wholes, not
/// in this. 0 when no block holds any.
fn detail(pair: &Pair, motion: &Rigid) -> f64 {
    const BLOCK_MM: f64 = 24.0;
    let grid = pair.prior.grid;
    let side: [usize; 3] = std::array::from_fn(|a| ((BLOCK_MM / grid.spacing_mm[a]).round() as usize).max(2));
    let blocks: [usize; 3] = std::array::from_fn(|a| grid.dims[a] / side[a]);
    let mut found: Vec<f64> = (0..blocks.iter().product())
        .into_par_iter()
        .filter_map(|n: usize| {
            let first = [n % blocks[0] * side[0], n / blocks[0] % blocks[1] * side[1], n / (blocks[0] * blocks[1]) * side[2]];
            block(pair, motion, first, side)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    found.get(found.len() / 2).copied().unwrap_or(0.0)
}

/// Correlation of one block; `None` for one that is flat or does not lie in both.
fn block(pair: &Pair, motion: &Rigid, first: [usize; 3], side: [usize; 3]) -> Option<f64> {
    let (mut n, mut f, mut g, mut ff, mut gg, mut fg) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for k in first[2]..first[2] + side[2] {
        for j in first[1]..first[1] + side[1] {
            for i in first[0]..first[0] + side[0] {
                let a = pair.prior.at(i, j, k);
                let b = pair.current.sample(motion.map(pair.prior.lps([i, j, k])))?.value;
                (n, f, g) = (n + 1.0, f + a, g + b);
                (ff, gg, fg) = (ff + a * a, gg + b * b, fg + a * b);
            }
        }
    }
    let (var_f, var_g) = (ff * n - f * f, gg * n - g * g);
    // A standard deviation of 3 % of the range is structure, not noise: 45 HU in CT.
    let is_structure = var_f > 9e-4 * n * n;
    is_structure.then(|| if var_g > 0.0 { (fg * n - f * g) / (var_f * var_g).sqrt() } else { 0.0 })
}

fn again(pair: &Pair, motion: &Rigid, place: PointLps, cancel: &AtomicBool) -> Result<Mapped> {
    if cancel.load(Ordering::Relaxed) {
        return Err(Error::Cancelled);
    }
    let found = local::find(&pair.prior, &pair.current, motion, place);
    let (refined, similarity, is_refined) = (found.at, found.correlation, found.is_refined);
    let is_shown = pair.current.grid.nearest_voxel(refined).is_some();
    Ok(Mapped { mapped: motion.map(place), refined, similarity, is_refined, is_shown })
}

#[cfg(test)]
mod tests;
