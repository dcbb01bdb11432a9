//! Counts by model, version, scanner, kernel and thickness, and what of them may leave the hospital.

use super::interval::{Share, median, wilson};
use super::{Added, Chart, Performance, Proposal, Verdict};
use mj_model::{Code, Held};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A group that leaves has proposals, and patients, of at least this number: in a smaller one a single patient could be told.
pub const LEAST: usize = 5;

/// What proposals are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The model's name.
    Model,
    /// Its version.
    Version,
    /// What took the images.
    Scanner,
    /// Convolution kernel.
    Kernel,
    /// Slice thickness. Units: mm.
    Thickness,
}

/// How often a reason was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonCount {
    /// The reason.
    #[serde(flatten)]
    pub reason: Code,
    /// How often.
    pub count: u32,
}

/// The counts of a group. `proposed` is the sum of waiting, held, accepted, edited and rejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What they have in common; `None` for what the results or the images do not say. Empty for groups put together.
    pub group: BTreeMap<By, Option<String>>,
    /// Number of groups put together because they are too small to leave by themselves; 0 for a group of its own.
    pub merged: u32,
    /// What models proposed.
    pub proposed: u32,
    /// Waiting for a person.
    pub waiting: u32,
    /// Held aside, for it does not fit its images: no decision.
    pub held: u32,
    /// Accepted as it was.
    pub accepted: u32,
    /// Accepted after a change, or changed since.
    pub edited: u32,
    /// Rejected, deleted included.
    pub rejected: u32,
    /// Drawn by people beside it: candidates for what the model missed, one for each model that may have.
    pub added: u32,
    /// Share of accepted in what was decided; `None` when nothing was.
    pub accepted_share: Option<Share>,
    /// Share of edited in what was decided.
    pub edited_share: Option<Share>,
    /// Share of rejected in what was decided.
    pub rejected_share: Option<Share>,
    /// Reasons of the rejected, most frequent first. Those rejected without one are the rest.
    pub reasons: Vec<ReasonCount>,
    /// Why results are held aside, by stable code.
    pub held_reasons: BTreeMap<&'static str, u32>,
    /// Median time from proposal to decision. Units: s.
    pub median_decision_s: Option<f64>,
}

impl Row {
    /// What was decided: accepted, edited or rejected.
    #[must_use]
    pub const fn decided(&self) -> u32 {
        self.accepted + self.edited + self.rejected
    }
}

/// What may leave the hospital.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leaving {
    /// Groups that are large enough, and the rest put together. None where even all together are too few.
    pub rows: Vec<Row>,
    /// Charts on enough patients.
    pub charts: Vec<Chart>,
    /// True when there are proposals, but too few of them, or of too few patients, to tell even their number.
    pub is_withheld: bool,
}

type Key = Vec<Option<String>>;

/// Counts that add up.
#[derive(Debug, Clone, Default)]
struct Tally {
    merged: u32,
    counts: [u32; 5],
    added: u32,
    reasons: BTreeMap<(String, String), (Code, u32)>,
    held: BTreeMap<&'static str, u32>,
    times_s: Vec<f64>,
    patients: BTreeSet<i64>,
}

const WAITING: usize = 0;
const HELD: usize = 1;
const ACCEPTED: usize = 2;
const EDITED: usize = 3;
const REJECTED: usize = 4;

impl Tally {
    fn take(&mut self, proposal: &Proposal) {
        self.patients.insert(proposal.patient);
        let at = match &proposal.verdict {
            Verdict::Waiting => WAITING,
            Verdict::Held(held) => {
                *self.held.entry(Held::code(*held)).or_default() += 1;
                HELD
            }
            Verdict::Accepted => ACCEPTED,
            Verdict::Edited => EDITED,
            Verdict::Rejected(reason) => {
                if let Some(code) = reason {
                    self.reasons.entry((code.scheme.clone(), code.code.clone())).or_insert_with(|| (code.clone(), 0)).1 += 1;
                }
                REJECTED
            }
        };
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        // A clock that was put back makes no time to speak of.
        let time_s = proposal.decided_at.map(|at| at.utc.duration_since(proposal.proposed_at.utc).as_secs_f64());
        self.times_s.extend(time_s.filter(|s| *s >= 0.0));
    }

    fn take_added(&mut self, added: &Added) {
        self.patients.insert(added.patient);
        self.added += 1;
    }

    /// Takes another group in, as one that is too small.
    fn merge(&mut self, other: Self) {
        self.merged += 1;
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.added += other.added;
        for (key, (code, n)) in other.reasons {
            self.reasons.entry(key).or_insert_with(|| (code, 0)).1 += n;
        }
        for (code, n) in other.held {
            *self.held.entry(code).or_default() += n;
        }
        self.times_s.extend(other.times_s);
        self.patients.extend(other.patients);
    }

    fn proposed(&self) -> u32 {
        self.counts.iter().sum()
    }

    fn is_small(&self) -> bool {
        (self.proposed() as usize) < LEAST || self.patients.len() < LEAST
    }

    fn row(self, group: BTreeMap<By, Option<String>>) -> Row {
        let proposed = self.proposed();
        let [waiting, held, accepted, edited, rejected] = self.counts;
        let share = |events| wilson(events, accepted + edited + rejected);
        let mut reasons: Vec<ReasonCount> = self.reasons.into_values().map(|(reason, count)| ReasonCount { reason, count }).collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        Row {
            group,
            merged: self.merged,
            proposed,
            waiting,
            held,
            accepted,
            edited,
            rejected,
            added: self.added,
            accepted_share: share(accepted),
            edited_share: share(edited),
            rejected_share: share(rejected),
            reasons,
            held_reasons: self.held,
            median_decision_s: median(self.times_s).map(f64::round),
        }
    }
}

impl Performance {
    /// Every group with its counts, for the eyes of people who may see its patients anyway.
    #[must_use]
    pub fn rows(&self, by: &[By]) -> Vec<Row> {
        self.tallies(by).into_iter().map(|(key, tally)| tally.row(named(by, key))).collect()
    }

    /// All together; `None` when there is nothing.
    #[must_use]
    pub fn total(&self) -> Option<Row> {
        self.rows(&[]).pop()
    }

    /// What may leave the hospital: no group with fewer than [`LEAST`] proposals or patients by itself. Small groups are put
    /// together, with the smallest of the others while that is too small still, for what is missing could be computed from the
    /// sum. As every group has several patients, no free text that names one of them gets out either.
    #[must_use]
    pub fn leaving(&self, by: &[By]) -> Leaving {
        let (small, mut large): (Vec<_>, Vec<_>) = self.tallies(by).into_iter().partition(|(_, tally)| tally.is_small());
        let mut rest = Tally::default();
        small.into_iter().for_each(|(_, tally)| rest.merge(tally));
        while rest.merged > 0 && rest.is_small() {
            let smallest = (0..large.len()).min_by_key(|&at| large.get(at).map(|(_, tally)| tally.proposed()));
            let Some(smallest) = smallest else { break };
            rest.merge(large.swap_remove(smallest).1);
        }
        let is_withheld = rest.merged > 0 && rest.is_small();
        large.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut rows: Vec<Row> = large.into_iter().map(|(key, tally)| tally.row(named(by, key))).collect();
        rows.extend((rest.merged > 0 && !is_withheld).then(|| rest.row(BTreeMap::new())));
        let charts = self.charts().into_iter().filter(|chart| chart.patients >= LEAST).collect();
        Leaving { rows, charts, is_withheld }
    }

    fn tallies(&self, by: &[By]) -> BTreeMap<Key, Tally> {
        let mut all: BTreeMap<Key, Tally> = BTreeMap::new();
        for proposal in &self.proposals {
            all.entry(key(by, &proposal.model, &proposal.scanner)).or_default().take(proposal);
        }
        for added in &self.added {
            all.entry(key(by, &added.model, &added.scanner)).or_default().take_added(added);
        }
        all
    }
}

fn key(by: &[By], model: &super::Model, scanner: &super::Scanner) -> Key {
    let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let of = |by: &By| match by {
        By::Model => told(&model.name),
        By::Version => told(&model.version),
        By::Scanner => scanner.name.clone(),
        By::Kernel => scanner.kernel.clone(),
        By::Thickness => scanner.thickness_mm.clone(),
    };
    by.iter().map(of).collect()
}

fn named(by: &[By], key: Key) -> BTreeMap<By, Option<String>> {
    by.iter().copied().zip(key).collect()
}
