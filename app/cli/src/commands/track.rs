//! Findings of two studies of one patient, followed from the prior to the present one.

mod series;
mod text;

use super::findings::{WHO, to_json};
use super::{Ctx, study_of, unexpected};
use crate::args::Track;
use crate::failure::Failure;
use crate::out::Done;
use mj_link::job::Registered;
use mj_link::{Job, JobResult};
use mj_model::{Finding, StudyUid};
use mj_record::track::{self, By, Moved, Positions, Present, Refusal, Tracking, TwoStudies};
use mj_record::{Error, Record};
use serde_json::{Value, json};

/// Pairs the findings of two studies, says how each changed, and keeps what a person decides.
pub(super) async fn run(ctx: &Ctx<'_>, track: &Track) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let studies = (study_of(&record, &track.prior).await?, study_of(&record, &track.current).await?);
    let first = record.studies_to_track(&studies.0, &studies.1).await?;
    let by_hand = decide(&record, track, &first).await?;
    let two = record.studies_to_track(&studies.0, &studies.1).await?;
    let targets = targets(&record, track, &two).await?;
    let laid = lay(ctx, &record, track, &two).await?;
    let positions = laid.as_ref().ok().map(places);
    let mut found = track::compare(&two, positions.as_ref(), &by_hand, targets.as_deref());
    check_targets(targets.as_deref(), &found)?;
    let kept = if track.keep { keep(&record, &two, &mut found).await? } else { 0 };
    let json = told(&two, &laid, &found, kept)?;
    ctx.out.result(&json, |json| text::of(json, ctx.out.lang))?;
    Ok(match laid {
        Err(Unlaid::Refused(_)) => Done::NeedsDecision,
        _ => Done::Well,
    })
}

/// Two series laid onto each other, and what came of it.
struct Laid {
    series: series::Both,
    /// Findings whose places were asked for, in order.
    asked: (Vec<Finding>, Vec<Finding>),
    found: Registered,
}

/// Why no series were laid onto each other.
enum Unlaid {
    /// There was nothing to find.
    Nothing(mj_model::Told),
    /// The result is not to be trusted, or could not be worked out.
    Refused(mj_model::Told),
}

impl Unlaid {
    const fn told(&self) -> &mj_model::Told {
        match self {
            Self::Nothing(told) | Self::Refused(told) => told,
        }
    }
}

/// A finding named on the command line, of a study.
async fn named(record: &Record, id: &str, study: &StudyUid) -> Result<Finding, Failure> {
    let finding = record.finding(id).await?;
    if finding.study != *study {
        return Err(Error::Track(Refusal::NotOfStudy(id.to_owned())).into());
    }
    if finding.is_live() { Ok(finding) } else { Err(Error::Track(Refusal::NotLive(id.to_owned())).into()) }
}

/// Writes what a person joins and parts; gives the pairs that were joined, by id.
async fn decide(record: &Record, track: &Track, two: &TwoStudies) -> Result<Vec<(String, String)>, Failure> {
    let (prior, current) = (&two.prior.study_uid, &two.current.study_uid);
    for id in &track.part {
        record.part_finding(&named(record, id, current).await?, WHO).await?;
    }
    let mut pairs = Vec::new();
    for (a, b) in &track.join {
        pairs.push((named(record, a, prior).await?, named(record, b, current).await?));
    }
    record.join_findings(&pairs, WHO).await?;
    Ok(pairs.into_iter().map(|(a, b)| (a.id, b.id)).collect())
}

/// Target lesions named on the command line, as full ids of either study.
async fn targets(record: &Record, track: &Track, two: &TwoStudies) -> Result<Option<Vec<String>>, Failure> {
    let mut out = Vec::new();
    for id in &track.targets {
        let finding = record.finding(id).await?;
        if finding.study != two.prior.study_uid && finding.study != two.current.study_uid {
            return Err(Error::Track(Refusal::NotOfStudy(id.clone())).into());
        }
        out.push(finding.id);
    }
    Ok((!out.is_empty()).then_some(out))
}

/// An error unless every named target lesion became one.
fn check_targets(named: Option<&[String]>, found: &Tracking) -> Result<(), Failure> {
    let is_target = |id: &&String| found.recist.targets.iter().any(|t| t.prior == **id || t.current.as_ref() == Some(*id));
    match named.into_iter().flatten().find(|id| !is_target(id)) {
        None => Ok(()),
        Some(id) => Err(Error::Track(Refusal::NoTarget(id.clone())).into()),
    }
}

/// Lays the series of both studies onto each other. What the viewer refuses leaves the decisions of persons standing.
async fn lay(ctx: &Ctx<'_>, record: &Record, track: &Track, two: &TwoStudies) -> Result<Result<Laid, Unlaid>, Failure> {
    if two.prior_findings.is_empty() || two.current_findings.is_empty() {
        return Ok(Err(Unlaid::Nothing(ctx.told(&Failure::NotTracked("track.no_findings")))));
    }
    let Some(series) = series::choose(record, track, two).await? else {
        return Ok(Err(Unlaid::Refused(ctx.told(&Failure::NotTracked("track.no_series")))));
    };
    let asked = (in_space(&two.prior_findings), in_space(&two.current_findings));
    let points = |all: &[Finding]| all.iter().filter_map(|f| f.geometry.centre()).collect();
    let job = Job::Register {
        prior: super::files_of(record, &series.prior).await?,
        current: super::files_of(record, &series.current).await?,
        points: points(&asked.0),
        present: points(&asked.1),
    };
    match ctx.pixels(Some(record))?.run(job, ctx.out) {
        Ok(JobResult::Registered(found)) => Ok(Ok(Laid { series, asked, found: *found })),
        Ok(_) => Err(unexpected()),
        Err(Failure::Told(told)) if !told.code.ends_with("cancelled") => Ok(Err(Unlaid::Refused(told))),
        Err(failure) => Err(failure),
    }
}

/// Findings with a place in patient space.
fn in_space(findings: &[Finding]) -> Vec<Finding> {
    findings.iter().filter(|f| f.geometry.centre().is_some()).cloned().collect()
}

/// Where the findings lie in the present study's space. One that was drawn in another frame of reference than its study's
/// registered series has no place there.
fn places(laid: &Laid) -> Positions {
    let [frame, frame_now] = &laid.found.frames;
    let is_of = |f: &Finding, frame: &Option<mj_model::FrameOfReferenceUid>, series: &mj_model::SeriesUid| {
        f.series == *series || (f.frame_of_reference.is_some() && f.frame_of_reference == *frame)
    };
    let prior = laid.asked.0.iter().zip(&laid.found.points).filter(|(f, _)| is_of(f, frame, &laid.series.prior));
    let current = laid.asked.1.iter().zip(&laid.found.present_shown).filter(|(f, _)| is_of(f, frame_now, &laid.series.current));
    Positions {
        prior: prior.map(|(f, p)| (f.id.clone(), Moved { at: p.refined, is_refined: p.is_refined, is_shown: p.is_shown })).collect(),
        current: current.filter_map(|(f, shown)| Some((f.id.clone(), Present { at: f.geometry.centre()?, was_shown: *shown }))).collect(),
    }
}

/// Writes the pairs that were found by place as decided; gives how many.
async fn keep(record: &Record, two: &TwoStudies, found: &mut Tracking) -> Result<usize, Failure> {
    let of = |all: &[Finding], id: &str| all.iter().find(|f| f.id == id).cloned();
    let by_place = || found.pairs.iter().filter(|p| p.by == By::Registration);
    let pairs: Vec<(Finding, Finding)> =
        by_place().filter_map(|p| Some((of(&two.prior_findings, &p.prior.id)?, of(&two.current_findings, &p.current.id)?))).collect();
    let kept = record.join_findings(&pairs, WHO).await?;
    for finding in &kept {
        if let Some(pair) = found.pairs.iter_mut().find(|p| p.current.id == finding.id) {
            pair.tracking_uid = finding.tracking_uid.clone();
            pair.current.revision = finding.revision;
        }
    }
    Ok(kept.len())
}

/// The result in the form of the command line.
fn told(two: &TwoStudies, laid: &Result<Laid, Unlaid>, found: &Tracking, kept: usize) -> Result<Value, Failure> {
    let mut json = json!({
        "prior": two.prior.study_uid,
        "prior_date": two.prior.date,
        "current": two.current.study_uid,
        "current_date": two.current.date,
        "interval_days": two.interval_days,
        "kept": kept,
    });
    let registration = match laid {
        Err(unlaid) => {
            json["registration_reason"] = to_json(unlaid.told())?;
            Value::Null
        }
        Ok(Laid { series, found, .. }) => {
            let hundredth = |v: f64| (v * 100.0).round() / 100.0;
            json!({
                "prior_series": series.prior,
                "current_series": series.current,
                "matrix": found.prior_to_current,
                "similarity": hundredth(found.similarity),
                "detail": hundredth(found.detail),
                "overlap": hundredth(found.overlap),
            })
        }
    };
    json["registration"] = registration;
    if let (Some(all), Value::Object(found)) = (json.as_object_mut(), to_json(found)?) {
        all.extend(found);
    }
    Ok(json)
}
