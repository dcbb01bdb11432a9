//! The p-chart: between which counts a share that has not changed stays.
//!
//! Sources: Shewhart WA, Economic Control of Quality of Manufactured Product, 1931; Montgomery DC, Introduction to
//! Statistical Quality Control, §7.2 (control chart for fraction nonconforming).

use serde::Serialize;

/// Where that many events and that many others are expected in a subgroup, the normal distribution stands for the binomial one;
/// else the tails are summed exactly. Source: Montgomery, §3.5.
const NORMAL_FROM: f64 = 10.0;
/// Chance of a count beyond one limit while nothing has changed: that of three standard deviations of a normal distribution.
const TAIL: f64 = 0.001_35;
/// Rounding of sums.
const EPSILON: f64 = 1e-9;

/// By what limits were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitsBy {
    /// Centre ± 3 standard deviations of the binomial distribution.
    Normal,
    /// Tails of the binomial distribution of at most 0.00135 each.
    Exact,
}

/// Limits for counts of events in subgroups of one size. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// Share of events that is expected.
    pub centre: f64,
    /// Smallest share that is no signal.
    pub lower: f64,
    /// Largest share that is no signal.
    pub upper: f64,
    /// By what they were computed.
    pub by: LimitsBy,
    /// Median count of a subgroup. Counts over it and counts below it have each a chance of at most one half, which is what
    /// rules about runs rest on, and which the mean of a skew distribution would not give.
    #[serde(skip)]
    pub median: u32,
    #[serde(skip)]
    n: u32,
}

impl Limits {
    /// True when a count lies beyond them.
    #[must_use]
    pub fn is_beyond(&self, events: u32) -> bool {
        let share = f64::from(events) / f64::from(self.n.max(1));
        share > self.upper + EPSILON || share < self.lower - EPSILON
    }
}

/// Limits for subgroups of `n`, from a baseline of `events` in `of` cases. A baseline of none or of nothing else counts as half
/// a case more of each, or one event would be a signal for ever; the centre is then (events + ½) / (of + 1).
#[must_use]
pub fn binomial_limits(n: u32, events: u32, of: u32) -> Limits {
    let is_mixed = 0 < events && events < of;
    let p = if is_mixed { f64::from(events) / f64::from(of) } else { (f64::from(events) + 0.5) / (f64::from(of) + 1.0) };
    let size = f64::from(n);
    let chances = chances(n, p);
    let (by, lower, upper) = if size * p.min(1.0 - p) >= NORMAL_FROM {
        let three = 3.0 * (p * (1.0 - p) / size).sqrt();
        (LimitsBy::Normal, (p - three).max(0.0), (p + three).min(1.0))
    } else {
        let lowest = skipped(chances.iter());
        let highest = n.saturating_sub(skipped(chances.iter().rev()));
        (LimitsBy::Exact, f64::from(lowest) / size, f64::from(highest) / size)
    };
    Limits { centre: p, lower, upper, by, median: median(&chances), n }
}

/// The chance of each count from 0 to n, begun at the end where the first one is large enough to be held by a number.
fn chances(n: u32, p: f64) -> Vec<f64> {
    if p > 0.5 {
        return chances(n, 1.0 - p).into_iter().rev().collect();
    }
    let mut all = vec![(1.0 - p).powf(f64::from(n))];
    for k in 0..n {
        let before = all.last().copied().unwrap_or(0.0);
        all.push(before * f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p));
    }
    all
}

/// How many counts from one end have together at most the chance of a tail.
fn skipped<'a>(chances: impl Iterator<Item = &'a f64>) -> u32 {
    let mut sum = 0.0;
    let mut n = 0;
    for chance in chances {
        sum += chance;
        if sum > TAIL {
            break;
        }
        n += 1;
    }
    n
}

fn median(chances: &[f64]) -> u32 {
    let mut sum = 0.0;
    let mut count = 0;
    for chance in chances {
        sum += chance;
        if sum >= 0.5 {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 5e-5, "{found}, not {wanted}");
    }

    #[test]
    fn limits_of_the_textbook() {
        // Montgomery, example 7.1 (frozen orange juice): 30 samples of 50 with 347 nonconforming give
        // 0.2313 ± 3·√(0.2313·0.7687/50) = 0.2313 ± 0.1789.
        let limits = binomial_limits(50, 347, 1500);
        assert_eq!(limits.by, LimitsBy::Normal);
        near(limits.centre, 0.2313);
        near(limits.lower, 0.0524);
        near(limits.upper, 0.4102);
        assert!(limits.is_beyond(2) && !limits.is_beyond(3) && !limits.is_beyond(20) && limits.is_beyond(21));
        // After the repair: 24 samples with 133, centre 0.1108. Only 5.5 are expected in a sample, so the tails are exact here; three
        // sigma would be 0.2440, so 13 of 50 a signal, which comes by chance in one of 390 samples.
        let after = binomial_limits(50, 133, 1200);
        near(after.centre, 0.1108);
        assert_eq!((after.by, after.lower, after.upper), (LimitsBy::Exact, 0.0, 13.0 / 50.0));
    }

    #[test]
    fn small_shares_have_the_tails_of_the_binomial_distribution() {
        // n = 10, p = 0.1: P(X ≥ 5) = 0.00163 and P(X ≥ 6) = 0.00015, so 5 is the highest count that is no signal; nothing is too few.
        let limits = binomial_limits(10, 10, 100);
        assert_eq!((limits.by, limits.lower, limits.upper, limits.median), (LimitsBy::Exact, 0.0, 0.5, 1));
        assert!(!limits.is_beyond(0) && !limits.is_beyond(5) && limits.is_beyond(6));
        // As many are expected the other way round.
        let turned = binomial_limits(10, 90, 100);
        assert_eq!((turned.lower, turned.upper, turned.median), (0.5, 1.0, 9));
    }

    #[test]
    fn a_baseline_without_an_event_does_not_make_every_event_a_signal() {
        let limits = binomial_limits(50, 0, 300);
        near(limits.centre, 0.5 / 301.0);
        // P(X ≥ 2) = 0.0032, P(X ≥ 3) = 0.00008.
        assert!(!limits.is_beyond(2) && limits.is_beyond(3));
        assert_eq!(limits.median, 0);
        let all = binomial_limits(50, 300, 300);
        assert!(!all.is_beyond(48) && all.is_beyond(47) && all.median == 50);
    }

    #[test]
    fn chances_sum_to_one() {
        for (n, p) in [(50, 0.001), (50, 0.5), (50, 0.999), (200, 0.3)] {
            near(chances(n, p).iter().sum(), 1.0);
        }
    }
}
