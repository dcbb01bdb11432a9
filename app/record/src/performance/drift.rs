//! Control charts of what is rejected and what is edited, for each version of a model, and of each of its scanners.
//!
//! Subgroups are 50 consecutive decisions, by the time of the decision; what does not fill one is not judged yet. The first six
//! subgroups of a version are its baseline. Two rules of the Western Electric handbook (Statistical Quality Control Handbook,
//! 1956) are signals: a point beyond three sigma, and eight points in a row on one side of the middle.
//! A baseline of 300 decisions is itself uncertain: over 20 further subgroups without any change one chart in about six shows a
//! signal at some time (a test holds the rate), one in about twenty does at a given time.
//! The limits take decisions for independent of each other. Several findings of one patient are not: signals are then more
//! frequent.

use super::control::{Limits, binomial_limits};
use super::{Model, Performance, Proposal, Verdict, week};
use serde::Serialize;
use std::collections::BTreeMap;

/// Decisions of one point.
pub const SUBGROUP: usize = 50;
/// Points of the baseline.
pub const BASELINE: usize = 6;
/// Points in a row on one side that are a signal.
const RUN: usize = 8;
/// A signal is a warning while it is in the latest points: what changed shows again and again, what did not passes.
const STANDING: usize = 4;

/// Which decisions are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Rejected ones.
    Rejected,
    /// Edited ones.
    Edited,
}

/// Why a point is a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It lies beyond a limit.
    BeyondLimit,
    /// It ends eight or more in a row on one side of the middle.
    Run,
}

/// One subgroup.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Week of its last decision, by ISO 8601: `2026-W48`.
    pub week: String,
    /// Decisions in it that are counted.
    pub count: u32,
    /// Their share, from 0 to 1.
    pub share: f64,
    /// True for one that the limits were made of.
    pub is_baseline: bool,
    /// Rules that it breaks. Points of the baseline are not judged by runs.
    pub signals: Vec<Rule>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Rules that are broken.
    pub rules: Vec<Rule>,
    /// Week of the first decision of the change as it shows, by ISO 8601.
    pub since_week: String,
    /// Share in the baseline, from 0 to 1.
    pub before: f64,
    /// Share since then, from 0 to 1.
    pub now: f64,
    /// Decisions since then.
    pub decisions: u32,
    /// True when it is more than before.
    pub is_more: bool,
}

/// A control chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Whose decisions.
    #[serde(flatten)]
    pub model: Model,
    /// On images of which scanner; `None` for all together.
    pub scanner: Option<String>,
    /// What is counted.
    pub what: Watched,
    /// Decisions in all.
    pub decisions: u32,
    /// Decisions from which on there is something to judge.
    pub needed: u32,
    /// Centre and limits; `None` while there are too few decisions to say anything.
    pub limits: Option<Limits>,
    /// True when a subgroup of the baseline lies beyond the limits made of it: what the others are held against is no steady
    /// state then.
    pub is_baseline_uneven: bool,
    /// The subgroups, oldest first; none while there are too few.
    pub points: Vec<Point>,
    /// What has changed and has not passed.
    pub drift: Option<Drift>,
    /// Number of patients.
    #[serde(skip)]
    pub(super) patients: usize,
}

impl Performance {
    /// A chart of what is rejected and one of what is edited for each version of a model, and for each of its scanners where
    /// it has several.
    #[must_use]
    pub fn charts(&self) -> Vec<Chart> {
        let mut by_model: BTreeMap<&Model, Vec<&Proposal>> = BTreeMap::new();
        for proposal in self.proposals.iter().filter(|proposal| proposal.decided_at.is_some()) {
            by_model.entry(&proposal.model).or_default().push(proposal);
        }
        let mut charts = Vec::new();
        for (model, mut decided) in by_model {
            decided.sort_by_key(|proposal| proposal.decided_at);
            charts.extend(both(model, None, &decided));
            let mut by_scanner: BTreeMap<&str, Vec<&Proposal>> = BTreeMap::new();
            for proposal in &decided {
                by_scanner.entry(proposal.scanner.name.as_deref().unwrap_or_default()).or_default().push(proposal);
            }
            if by_scanner.len() > 1 {
                // Of images that do not say what took them nothing can be blamed on one scanner.
                let named = by_scanner.iter().filter(|(name, _)| !name.is_empty());
                charts.extend(named.flat_map(|(name, decided)| both(model, Some(name), decided)));
            }
        }
        charts
    }
}

fn both(model: &Model, scanner: Option<&str>, decided: &[&Proposal]) -> [Chart; 2] {
    [Watched::Rejected, Watched::Edited].map(|what| {
        let is_counted = |proposal: &&&Proposal| match what {
            Watched::Rejected => matches!(proposal.verdict, Verdict::Rejected(_)),
            Watched::Edited => proposal.verdict == Verdict::Edited,
        };
        let counts = decided.chunks_exact(SUBGROUP).map(|group| group.iter().filter(is_counted).count()).collect::<Vec<_>>();
        let week_of = |group: usize, is_first: bool| {
            let at = if is_first { group * SUBGROUP } else { (group + 1) * SUBGROUP - 1 };
            decided.get(at).and_then(|proposal| proposal.decided_at).map(week).unwrap_or_default()
        };
        let seen = judge(&counts, &week_of);
        Chart {
            model: model.clone(),
            scanner: scanner.map(str::to_owned),
            what,
            decisions: whole(decided.len()),
            needed: whole(SUBGROUP * (BASELINE + 1)),
            limits: seen.as_ref().map(|seen| seen.limits),
            is_baseline_uneven: seen.as_ref().is_some_and(|seen| seen.points.iter().any(|p| p.is_baseline && !p.signals.is_empty())),
            drift: seen.as_ref().and_then(|seen| drift(seen, &week_of)),
            points: seen.map(|seen| seen.points).unwrap_or_default(),
            patients: decided.iter().map(|proposal| proposal.patient).collect::<std::collections::BTreeSet<_>>().len(),
        }
    })
}

/// A chart with something to judge.
pub(super) struct Seen {
    limits: Limits,
    pub(super) points: Vec<Point>,
    /// For each point that is a signal, the first point of what it signals.
    began: BTreeMap<usize, usize>,
}

/// The points of subgroups by their counts; `None` while there is none beside the baseline.
pub(super) fn judge(counts: &[usize], week_of: &impl Fn(usize, bool) -> String) -> Option<Seen> {
    if counts.len() <= BASELINE {
        return None;
    }
    let events = counts.iter().take(BASELINE).sum::<usize>();
    let limits = binomial_limits(whole(SUBGROUP), whole(events), whole(SUBGROUP * BASELINE));
    let (mut points, mut began) = (Vec::new(), BTreeMap::new());
    let (mut side, mut in_a_row) = (std::cmp::Ordering::Equal, 0);
    for (at, &count) in counts.iter().enumerate() {
        let (count, is_baseline) = (whole(count), at < BASELINE);
        let mut signals = Vec::new();
        if limits.is_beyond(count) {
            signals.push(Rule::BeyondLimit);
        }
        // The limits were made of the baseline: its points lie on both sides by themselves.
        let now = if is_baseline { std::cmp::Ordering::Equal } else { count.cmp(&limits.median) };
        in_a_row = if now == side { in_a_row + 1 } else { 1 };
        side = now;
        if side.is_ne() && in_a_row >= RUN {
            signals.push(Rule::Run);
        }
        if !signals.is_empty() && !is_baseline {
            let first = if signals.contains(&Rule::Run) { (at + 1).saturating_sub(in_a_row) } else { at };
            began.insert(at, first);
        }
        let share = f64::from(count) / SUBGROUP as f64;
        points.push(Point { week: week_of(at, false), count, share, is_baseline, signals });
    }
    Some(Seen { limits, points, began })
}

/// What has changed and has not passed: a signal among the latest points, traced back over signals near each other.
pub(super) fn drift(seen: &Seen, week_of: &impl Fn(usize, bool) -> String) -> Option<Drift> {
    let mut first = seen.points.len();
    let mut rules = Vec::new();
    for (&at, &began) in seen.began.iter().rev() {
        if at + STANDING < first {
            break;
        }
        first = first.min(began);
        rules.extend(seen.points.get(at).into_iter().flat_map(|point| point.signals.iter().copied()));
    }
    let since = seen.points.get(first..).filter(|since| !since.is_empty() && !rules.is_empty())?;
    rules.sort_unstable();
    rules.dedup();
    let decisions = whole(since.len() * SUBGROUP);
    let now = f64::from(since.iter().map(|point| point.count).sum::<u32>()) / f64::from(decisions);
    let before = seen.limits.centre;
    Some(Drift { rules, since_week: week_of(first, true), before, now, decisions, is_more: now > before })
}

fn whole(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
