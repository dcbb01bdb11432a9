//! A finding's identity over time: the findings of two studies of one patient, paired, and what became of each.
//!
//! Pure functions do the work ([`compare`]); the record reads both studies ([`Record::studies_to_track`]) and writes what a person
//! decides ([`Record::join_findings`], [`Record::part_finding`]). Findings of one lesion carry one Tracking UID (0062,0021), which
//! goes out with them in every object.

mod growth;
mod pairing;
mod recist;

pub use growth::{Change, DIAMETER_ERROR_MM, Growth, NoDoubling, Size, Trend, VOLUME_ERROR_PERCENT, ball_ml};
pub use pairing::{By, Contradiction, Moved, Positions, Present};
pub use recist::{NotEvaluable, Recist, Response, Target};

use crate::findings::{ReportEdits, put_within};
use crate::worklist::study_row;
use crate::{Error, Record, Result, StudyRow};
use mj_model::finding::{Origin, OriginKind};
use mj_model::uid::TrackingUid;
use mj_model::{Code, Coded, Confirmed, Finding, FindingState, PointLps, Side, StudyUid};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::BTreeSet;

/// Why two studies, or two findings, are not followed as one patient's or one lesion's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The studies belong to different patients (issuer and id).
    #[error("the studies belong to different patients")]
    OtherPatient,
    /// Both are one study.
    #[error("both are the same study")]
    SameStudy,
    /// The study given as present is older than the one given as prior.
    #[error("the present study is older than the prior")]
    WrongOrder,
    /// A finding belongs to none of both studies, or to the wrong one.
    #[error("a finding does not belong to the study")]
    NotOfStudy(String),
    /// A series belongs to none of both studies, or to the wrong one.
    #[error("a series does not belong to the study")]
    SeriesNotOfStudy(String),
    /// A finding was rejected, taken back or is held.
    #[error("a finding does not take part")]
    NotLive(String),
    /// A finding that a person named cannot be a target lesion.
    #[error("a finding cannot be a target lesion")]
    NoTarget(String),
    /// Another finding of one of the studies carries that Tracking UID.
    #[error("another finding of the study carries the tracking UID")]
    Taken(String),
}

impl Coded for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherPatient => "track.other_patient",
            Self::SameStudy => "track.same_study",
            Self::WrongOrder => "track.wrong_order",
            Self::NotOfStudy(_) => "track.not_of_study",
            Self::SeriesNotOfStudy(_) => "track.series_not_of_study",
            Self::NotLive(_) => "track.not_live",
            Self::NoTarget(_) => "track.no_target",
            Self::Taken(_) => "track.taken",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotOfStudy(id) | Self::SeriesNotOfStudy(id) | Self::NotLive(id) | Self::NoTarget(id) | Self::Taken(id) => {
                vec![("id", id.clone())]
            }
            Self::OtherPatient | Self::SameStudy | Self::WrongOrder => Vec::new(),
        }
    }
}

/// Two studies of one patient and the findings in them that take part: neither rejected nor deleted nor held.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoStudies {
    /// The earlier one.
    pub prior: StudyRow,
    /// The later one.
    pub current: StudyRow,
    /// Days between them, where both dates are known.
    pub interval_days: Option<i64>,
    /// Findings of the prior study.
    pub prior_findings: Vec<Finding>,
    /// Findings of the present study.
    pub current_findings: Vec<Finding>,
}

/// A finding in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// The revision that was compared.
    pub revision: u32,
    /// State in review.
    pub state: FindingState,
    /// False when no person stands for it.
    pub is_confirmed: bool,
    /// What it is called: its label, else its kind in English.
    pub name: String,
    /// What it is.
    pub kind: Code,
    /// Where in the body.
    pub site: Option<Code>,
    /// Side of the patient.
    pub side: Side,
    /// Long axis, diameter or length. Units: mm.
    pub diameter_mm: Option<f64>,
    /// Short axis. Units: mm.
    pub short_axis_mm: Option<f64>,
    /// Measured, else of a ball of that diameter. Units: ml.
    pub volume_ml: Option<f64>,
    /// True when the volume was not measured.
    pub from_diameter: bool,
}

impl Seen {
    fn of(finding: &Finding) -> Self {
        let size = Size::of(finding);
        let thousandth = |v: f64| (v * 1000.0).round() / 1000.0;
        Self {
            id: finding.id.clone(),
            revision: finding.revision,
            state: finding.state,
            is_confirmed: Confirmed::of(finding.clone()).is_some(),
            name: finding.label.clone().unwrap_or_else(|| finding.kind.name_en.clone()),
            kind: finding.kind.clone(),
            site: finding.site.clone(),
            side: finding.side,
            diameter_mm: size.long_mm.map(thousandth),
            short_axis_mm: size.short_mm.map(thousandth),
            volume_ml: size.volume_ml.or_else(|| size.long_mm.map(ball_ml)).map(thousandth),
            from_diameter: size.volume_ml.is_none() && size.long_mm.is_some(),
        }
    }
}

/// One lesion in both studies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tracked {
    /// Tracking UID of the present finding.
    pub tracking_uid: TrackingUid,
    /// How the pair was found.
    pub by: By,
    /// In the prior study.
    pub prior: Seen,
    /// In the present one.
    pub current: Seen,
    /// Where the prior finding lies in the present study, when registered. Units: mm, LPS.
    pub moved_to_lps: Option<PointLps>,
    /// From there to the present finding. Units: mm.
    pub distance_mm: Option<f64>,
    /// What they say against each other: only where a person joined them.
    pub contradictions: Vec<Contradiction>,
    /// How it changed.
    pub growth: Growth,
}

/// Why a finding has no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The other study shows its place, and has no finding there.
    NotFound,
    /// The other study's series does not show its place.
    NotShown,
    /// The series were not registered, so that places say nothing.
    NotRegistered,
    /// It has no place in the registered space.
    NoPlace,
}

/// Why a prior finding has no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The reason.
    pub why: Why,
}

/// Why a present finding has no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct New {
    /// The reason.
    pub why: Why,
}

/// A finding without a partner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alone {
    /// Its Tracking UID.
    pub tracking_uid: TrackingUid,
    /// The finding.
    #[serde(flatten)]
    pub finding: Seen,
    /// Why it has no partner.
    pub why: Why,
    /// Where it lies in the present study, when known. Units: mm, LPS.
    pub at_lps: Option<PointLps>,
}

/// What became of each finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tracking {
    /// Lesions of both studies.
    pub pairs: Vec<Tracked>,
    /// Findings of the present study alone.
    pub new: Vec<Alone>,
    /// Findings of the prior study alone.
    pub gone: Vec<Alone>,
    /// What all lesions together say.
    pub recist: Recist,
}

/// Pairs the findings of two studies and says how each changed. `positions` are none when the series were not registered;
/// `by_hand` are the pairs (prior, present id) that a person joined just now; `targets` the target lesions a person named, by the
/// finding of either study.
#[must_use]
pub fn compare(two: &TwoStudies, positions: Option<&Positions>, by_hand: &[(String, String)], targets: Option<&[String]>) -> Tracking {
    let prior: Vec<&Finding> = two.prior_findings.iter().collect();
    let current: Vec<&Finding> = two.current_findings.iter().collect();
    let pairs = pairing::pairs(&prior, &current, positions);
    let gone: Vec<(&Finding, Gone)> = (prior.iter().filter(|f| pairs.iter().all(|p| p.prior.id != f.id)))
        .map(|f| (*f, Gone { why: why(positions.map(|p| p.prior.get(&f.id).map(|m| m.is_shown))) }))
        .collect();
    let new: Vec<(&Finding, New)> = (current.iter().filter(|f| pairs.iter().all(|p| p.current.id != f.id)))
        .map(|f| (*f, New { why: why(positions.map(|p| p.current.get(&f.id).map(|m| m.was_shown))) }))
        .collect();
    let of_pairs: Vec<(&Finding, &Finding)> = pairs.iter().map(|p| (p.prior, p.current)).collect();
    let recist = recist::suggest(&of_pairs, &gone, &new, targets);
    let moved = |f: &Finding| positions.and_then(|p| p.prior.get(&f.id)).map(|m| m.at);
    let now = |f: &Finding| positions.and_then(|p| p.current.get(&f.id)).map(|m| m.at);
    Tracking {
        gone: gone.iter().map(|(f, gone)| alone(f, gone.why, moved(f))).collect(),
        new: new.iter().map(|(f, new)| alone(f, new.why, now(f))).collect(),
        pairs: pairs.iter().map(|pair| tracked(pair, positions, by_hand, two.interval_days)).collect(),
        recist,
    }
}

/// From: registered at all, has a place, is shown there.
const fn why(shown: Option<Option<bool>>) -> Why {
    match shown {
        None => Why::NotRegistered,
        Some(None) => Why::NoPlace,
        Some(Some(false)) => Why::NotShown,
        Some(Some(true)) => Why::NotFound,
    }
}

fn alone(finding: &Finding, why: Why, at_lps: Option<PointLps>) -> Alone {
    Alone { tracking_uid: finding.tracking_uid.clone(), finding: Seen::of(finding), why, at_lps }
}

fn tracked(pair: &pairing::Pair<'_>, positions: Option<&Positions>, by_hand: &[(String, String)], interval_days: Option<i64>) -> Tracked {
    let (prior, current) = (pair.prior, pair.current);
    let is_by_hand = by_hand.iter().any(|(a, b)| *a == prior.id && *b == current.id);
    let distance = positions.and_then(|p| pairing::distance_mm(prior, current, p));
    Tracked {
        tracking_uid: current.tracking_uid.clone(),
        by: if is_by_hand { By::Hand } else { pair.by },
        prior: Seen::of(prior),
        current: Seen::of(current),
        moved_to_lps: positions.and_then(|p| p.prior.get(&prior.id)).map(|m| m.at),
        distance_mm: distance.map(|mm| (mm * 10.0).round() / 10.0),
        contradictions: pairing::contradictions(prior, current),
        growth: Growth::between(Size::of(prior), Size::of(current), interval_days),
    }
}

/// Days from one date to another, `YYYY-MM-DD`.
pub(crate) fn days_between(prior: Option<&str>, current: Option<&str>) -> Option<i64> {
    let (prior, current): (jiff::civil::Date, jiff::civil::Date) = (prior?.parse().ok()?, current?.parse().ok()?);
    prior.until((jiff::Unit::Day, current)).ok().map(|span| i64::from(span.get_days()))
}

/// True when the study given as present is older, as far as dates and, of one day, times are known.
fn is_turned(prior: &StudyRow, current: &StudyRow) -> bool {
    match (days_between(prior.date.as_deref(), current.date.as_deref()), &prior.time, &current.time) {
        (Some(0), Some(before), Some(now)) => now < before,
        (days, ..) => days.is_some_and(|days| days < 0),
    }
}

impl Record {
    /// Two studies of one patient, the earlier first, with their findings that take part.
    ///
    /// # Errors
    /// [`Error::Track`] for one study twice, studies of different patients, and a present study that is older than the prior;
    /// [`Error::Unknown`]; database errors.
    pub async fn studies_to_track(&self, prior: &StudyUid, current: &StudyUid) -> Result<TwoStudies> {
        if prior == current {
            return Err(Error::Track(Refusal::SameStudy));
        }
        let mut conn = self.read().await?;
        let (before, now) = (study_row(&mut conn, prior).await?, study_row(&mut conn, current).await?);
        require_one_patient(&mut conn, prior, current).await?;
        if is_turned(&before, &now) {
            return Err(Error::Track(Refusal::WrongOrder));
        }
        Ok(TwoStudies {
            interval_days: days_between(before.date.as_deref(), now.date.as_deref()),
            prior_findings: live(&mut conn, prior).await?,
            current_findings: live(&mut conn, current).await?,
            prior: before,
            current: now,
        })
    }

    /// A person says of pairs (prior, present finding) that each is one lesion: the present finding gets the prior's Tracking UID,
    /// as a new revision. A pair that is joined already stays as it is. All pairs are joined, or none.
    ///
    /// # Errors
    /// [`Error::Track`] for findings of one study, of different patients, that do not take part, or where another finding of one of
    /// the studies carries that Tracking UID; as [`Record::put_finding`].
    pub async fn join_findings(&self, pairs: &[(Finding, Finding)], who: &str) -> Result<Vec<Finding>> {
        let mut tx = self.write().await?;
        let mut out = Vec::new();
        let mut edits = ReportEdits::new();
        for (prior, current) in pairs {
            if prior.tracking_uid == current.tracking_uid {
                out.push(current.clone());
                continue;
            }
            may_join(tx.conn(), prior, current).await?;
            let joined = Finding { tracking_uid: prior.tracking_uid.clone(), ..current.clone() };
            out.push(put_within(&mut tx, by_person(joined, who), who, &mut edits).await?);
        }
        tx.commit().await?;
        Ok(out)
    }

    /// A person says that a finding is no other study's lesion: it gets a fresh Tracking UID, as a new revision. One that shares its
    /// Tracking UID with no other finding stays as it is.
    ///
    /// # Errors
    /// [`Error::Track`] for a finding that does not take part; as [`Record::put_finding`].
    pub async fn part_finding(&self, finding: &Finding, who: &str) -> Result<Finding> {
        if !finding.is_live() {
            return Err(Error::Track(Refusal::NotLive(finding.id.clone())));
        }
        let mut tx = self.write().await?;
        let all = of_patient(tx.conn(), &finding.study).await?;
        if !all.iter().any(|f| f.id != finding.id && f.tracking_uid == finding.tracking_uid) {
            return Ok(finding.clone());
        }
        let parted = Finding { tracking_uid: TrackingUid::fresh(), ..finding.clone() };
        let stored = put_within(&mut tx, by_person(parted, who), who, &mut ReportEdits::new()).await?;
        tx.commit().await?;
        Ok(stored)
    }
}

/// The next revision as a person's; its state of review, and the device that proposed it, stay.
fn by_person(finding: Finding, who: &str) -> Finding {
    let device = (finding.origin.who == OriginKind::Device).then(|| finding.origin.clone());
    Finding { proposed_by: finding.proposed_by.clone().or(device), origin: Origin::person(who), ..finding }
}

async fn live(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Finding>> {
    Ok(crate::findings::of_study(conn, study).await?.into_iter().filter(|f| f.is_live() && !f.is_annotation()).collect())
}

async fn patient_of(conn: &mut SqliteConnection, study: &StudyUid) -> Result<i64> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT patient_pk FROM study WHERE study_uid = ?").bind(study.as_str()).fetch_optional(conn).await?;
    found.ok_or_else(|| Error::Unknown(study.to_string()))
}

/// A patient's row is one issuer and id, or one study where there is no id.
async fn require_one_patient(conn: &mut SqliteConnection, a: &StudyUid, b: &StudyUid) -> Result<()> {
    let is_one = patient_of(conn, a).await? == patient_of(conn, b).await?;
    if is_one { Ok(()) } else { Err(Error::Track(Refusal::OtherPatient)) }
}

/// Present revisions of all findings of the patient of a study.
async fn of_patient(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Finding>> {
    let patient = patient_of(conn, study).await?;
    let rows = sqlx::query(
        "SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) JOIN study USING (study_uid)
         WHERE patient_pk = ? ORDER BY finding_pk",
    )
    .bind(patient)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| crate::db::json(row, "content")).collect()
}

async fn may_join(conn: &mut SqliteConnection, prior: &Finding, current: &Finding) -> Result<()> {
    let refuse = |refusal| Err(Error::Track(refusal));
    if prior.study == current.study {
        return refuse(Refusal::SameStudy);
    }
    require_one_patient(conn, &prior.study, &current.study).await?;
    if let Some(out) = [prior, current].into_iter().find(|f| !f.is_live()) {
        return refuse(Refusal::NotLive(out.id.clone()));
    }
    // Two findings of one study under one Tracking UID would be one lesion found twice.
    let own = BTreeSet::from([&prior.id, &current.id]);
    for study in [&prior.study, &current.study] {
        let other = live(conn, study).await?.into_iter().find(|f| f.tracking_uid == prior.tracking_uid && !own.contains(&f.id));
        if let Some(other) = other {
            return refuse(Refusal::Taken(other.id));
        }
    }
    Ok(())
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
