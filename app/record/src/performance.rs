//! How often people accept, edit and reject what models propose, and whether that changes.
//!
//! Everything is derived from the revisions of the findings each time it is asked for: there is no second book that could
//! say something else. What a person decided is in [`decision`], what took the images in [`scanner`], counts and what may
//! leave the hospital in [`table`], control charts in [`control`] and [`drift`].

mod control;
mod decision;
mod drift;
mod interval;
mod scanner;
mod table;
#[cfg(test)]
mod tests;

use crate::{Record, Result};
pub use control::{Limits, LimitsBy, binomial_limits};
pub use decision::Verdict;
pub use drift::{BASELINE, Chart, Drift, Point, Rule, SUBGROUP, Watched};
pub use interval::{Share, wilson};
use mj_model::code::known;
use mj_model::finding::{Origin, OriginKind};
use mj_model::{Code, Finding, FindingState, Moment, SeriesUid, StudyUid};
pub use scanner::Scanner;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
pub use table::{By, LEAST, Leaving, ReasonCount, Row};

/// Findings that are read at once: a structure set's outlines are long.
const PAGE: i64 = 500;

/// A model in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Model {
    /// Its name, as its results say it.
    pub name: String,
    /// Its version; empty when its results say none.
    pub version: String,
}

/// What a model proposed once, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Who proposed it.
    pub model: Model,
    /// What took its images.
    pub scanner: Scanner,
    /// Whose it is: tells patients apart, and never leaves.
    patient: i64,
    /// What became of it.
    pub verdict: Verdict,
    /// When it could first be decided on.
    pub proposed_at: Moment,
    /// When the decision that counts was made; `None` while it waits or is held aside.
    pub decided_at: Option<Moment>,
}

/// A finding that a person drew in a study in which a model proposed something, of a kind that the model proposes: the model
/// may have missed it. A candidate only: nobody said that it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    /// The model that may have missed it.
    pub model: Model,
    /// What took its images.
    pub scanner: Scanner,
    /// Whose it is.
    patient: i64,
    /// When it was drawn.
    pub at: Moment,
}

/// What models proposed and what people decided, as the record has it now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Performance {
    /// Everything that a model proposed.
    pub proposals: Vec<Proposal>,
    /// What people drew beside it, once for each model that may have missed it.
    pub added: Vec<Added>,
}

/// A day from which on decisions count, in the local time they were made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(jiff::civil::Date);

impl std::str::FromStr for Since {
    type Err = jiff::Error;
    fn from_str(text: &str) -> std::result::Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl std::fmt::Display for Since {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Performance {
    /// Without what was decided, or is undecided and was proposed, before a day.
    #[must_use]
    pub fn since(mut self, since: Since) -> Self {
        let is_in = |at: Moment| at.local().date() >= since.0;
        self.proposals.retain(|proposal| is_in(proposal.decided_at.unwrap_or(proposal.proposed_at)));
        self.added.retain(|added| is_in(added.at));
        self
    }
}

/// Calendar week by ISO 8601 in local time, `2026-W48`: the finest time that is told.
fn week(at: Moment) -> String {
    let week = at.local().date().iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

impl Record {
    /// What models proposed and what people decided on it.
    ///
    /// An image whose header cannot be read counts as one that does not say what took it.
    ///
    /// # Errors
    /// [`Error::Stored`](crate::Error::Stored) for a finding that cannot be read; database errors.
    pub async fn performance(&self) -> Result<Performance> {
        let mut gathered = Gathered::default();
        let mut after = 0;
        while let Some(last) = self.gather_page(after, &mut gathered).await? {
            after = last;
        }
        let series: BTreeSet<SeriesUid> = gathered.judged.iter().map(|j| j.series.clone()).chain(gathered.drawn_series()).collect();
        let scanners = self.scanners(series).await?;
        Ok(gathered.with_scanners(&scanners))
    }

    /// Reads the next findings with all their revisions. Gives the key of the last one; `None` when there are no more.
    async fn gather_page(&self, after: i64, gathered: &mut Gathered) -> Result<Option<i64>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query(
            "SELECT finding_pk, patient_pk, content FROM finding
             JOIN study USING (study_uid) JOIN finding_revision AS r ON r.finding_id = finding.finding_id
             WHERE finding_pk IN (SELECT finding_pk FROM finding WHERE finding_pk > ?1 ORDER BY finding_pk LIMIT ?2)
             ORDER BY finding_pk, r.revision",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *conn)
        .await?;
        let mut last = None;
        let mut revisions: Vec<Finding> = Vec::new();
        for row in &rows {
            let (finding, patient): (i64, i64) = (row.try_get("finding_pk")?, row.try_get("patient_pk")?);
            if last.is_some_and(|(before, _)| before != finding) {
                gathered.take(last, &revisions);
                revisions.clear();
            }
            revisions.push(crate::db::json(row, "content")?);
            last = Some((finding, patient));
        }
        gathered.take(last, &revisions);
        Ok(last.map(|(finding, _)| finding))
    }
}

/// A proposal before its images are looked at.
struct Judged {
    model: Model,
    study: StudyUid,
    series: SeriesUid,
    kind: Code,
    patient: i64,
    decided: decision::Decided,
}

/// A finding that a person drew.
struct Drawn {
    study: StudyUid,
    series: SeriesUid,
    kind: Code,
    patient: i64,
    at: Moment,
}

#[derive(Default)]
struct Gathered {
    judged: Vec<Judged>,
    drawn: Vec<Drawn>,
}

impl Gathered {
    /// Takes one finding, by its revisions, oldest first.
    fn take(&mut self, whose: Option<(i64, i64)>, revisions: &[Finding]) {
        let (Some((_, patient)), Some(first), Some(last)) = (whose, revisions.first(), revisions.last()) else { return };
        // A remark on an image is nothing that a model finds.
        if first.is_annotation() {
            return;
        }
        let (study, series) = (first.study.clone(), last.series.clone());
        match (proposed_by(first), decision::decided(revisions)) {
            (Some(model), Some(decided)) => {
                self.judged.push(Judged { model, study, series, kind: first.kind.clone(), patient, decided });
            }
            _ if is_drawn(first, last) => self.drawn.push(Drawn { study, series, kind: last.kind.clone(), patient, at: first.at }),
            _ => {}
        }
    }

    fn drawn_series(&self) -> impl Iterator<Item = SeriesUid> {
        self.drawn.iter().map(|drawn| drawn.series.clone())
    }

    fn with_scanners(self, scanners: &BTreeMap<SeriesUid, Scanner>) -> Performance {
        let scanner_of = |series: &SeriesUid| scanners.get(series).cloned().unwrap_or_default();
        let added = self.added(&scanner_of);
        let proposals = self.judged.into_iter().map(|judged| Proposal {
            scanner: scanner_of(&judged.series),
            model: judged.model,
            patient: judged.patient,
            verdict: judged.decided.verdict,
            proposed_at: judged.decided.proposed_at,
            decided_at: judged.decided.decided_at,
        });
        Performance { proposals: proposals.collect(), added }
    }

    /// What people drew, for each model that proposed something that fits its images in the same study and that proposes
    /// findings of this kind.
    fn added(&self, scanner_of: &impl Fn(&SeriesUid) -> Scanner) -> Vec<Added> {
        let kind_of = |code: &Code| (code.scheme.clone(), code.code.clone());
        let mut in_study: BTreeMap<&StudyUid, BTreeSet<&Model>> = BTreeMap::new();
        let mut kinds: BTreeMap<&Model, BTreeSet<(String, String)>> = BTreeMap::new();
        for judged in self.judged.iter().filter(|judged| !matches!(judged.decided.verdict, Verdict::Held(_))) {
            in_study.entry(&judged.study).or_default().insert(&judged.model);
            kinds.entry(&judged.model).or_default().insert(kind_of(&judged.kind));
        }
        let mut added = Vec::new();
        for drawn in &self.drawn {
            for model in in_study.get(&drawn.study).into_iter().flatten() {
                if kinds.get(model).is_some_and(|kinds| kinds.contains(&kind_of(&drawn.kind))) {
                    let scanner = scanner_of(&drawn.series);
                    added.push(Added { model: (*model).clone(), scanner, patient: drawn.patient, at: drawn.at });
                }
            }
        }
        added
    }
}

/// The model that proposed a finding, if a device did.
fn proposed_by(first: &Finding) -> Option<Model> {
    let by: &Origin = first.proposed_by.as_ref().unwrap_or(&first.origin);
    (by.who == OriginKind::Device).then(|| Model { name: scanner::said(&by.name), version: scanner::said(&by.version) })
}

/// True for what a person drew here, stands for, and gave a kind: of what has none, nobody knows whether a model looks for it.
fn is_drawn(first: &Finding, last: &Finding) -> bool {
    let is_ours = first.proposed_by.is_none() && first.origin.who == OriginKind::Person;
    let is_stood_for = last.held.is_none() && matches!(last.state, FindingState::Accepted | FindingState::Edited);
    is_ours && is_stood_for && !last.kind.is_same(&known::unclassified_finding())
}
