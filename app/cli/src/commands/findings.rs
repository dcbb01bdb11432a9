//! Findings and their measurements.

use super::{Ctx, files_of, series_of, study_of, unexpected};
use crate::args::{Finding as Command, FindingAdd, FindingWhat};
use crate::failure::Failure;
use crate::out::Done;
use mj_link::{Job, JobResult};
use mj_model::code::known;
use mj_model::finding::{ImageRef, Origin};
use mj_model::{Code, Finding, FindingState, FrameOfReferenceUid, Geometry, Measurement, SeriesUid, Side};
use mj_record::Record;

/// Who the command line writes as.
pub(super) const WHO: &str = "command-line";

pub(super) async fn run(ctx: &Ctx<'_>, command: Command) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        Command::Add(add) => self::add(ctx, &record, &add).await,
        Command::List { study } => {
            let findings = record.findings(&study_of(&record, &study).await?).await?;
            ctx.out.result(&findings, |all| all.iter().map(|f| line(ctx, f)).collect::<Vec<_>>().join("\n"))?;
            Ok(Done::Well)
        }
        Command::Show { id } => {
            let finding = record.finding(&id).await?;
            let mut json = to_json(&finding)?;
            if let Some(object) = json.as_object_mut() {
                object.insert("history".into(), to_json(&record.finding_history(&id).await?)?);
            }
            ctx.out.result(&json, |_| line(ctx, &finding))?;
            Ok(Done::Well)
        }
        Command::Edit { id, line, what } => {
            let mut finding = record.finding(&id).await?;
            if !finding.is_live() {
                return Err(Failure::Deleted(id));
            }
            if let Some(line) = line {
                finding.geometry = line_geometry(line);
                (finding.images, finding.frame_of_reference) = place(ctx, &record, &finding.series, &finding.geometry).await?;
                measure(&mut finding);
            }
            name(&mut finding, &what)?;
            (finding.state, finding.origin) = (FindingState::Edited, Origin::person(WHO));
            put(ctx, &record, finding).await
        }
        Command::Accept { id } => super::results::accept(ctx, &record, &id).await,
        Command::Reject { id, reason } => super::results::reject(ctx, &record, &id, &reason).await,
        Command::Ledger(ask) => super::performance::ledger(ctx, &record, &ask).await,
        Command::Import { files } => super::results::import(ctx, &record, &files).await,
        Command::Export { study, forms, out } => super::results::export(ctx, &record, &study, &forms, &out).await,
        Command::Delete { id } => {
            let mut finding = record.finding(&id).await?;
            finding.state = FindingState::Deleted;
            put(ctx, &record, finding).await
        }
    }
}

async fn add(ctx: &Ctx<'_>, record: &Record, add: &FindingAdd) -> Result<Done, Failure> {
    let series = series_of(record, &add.series).await?;
    let study = record.study_of_series(&series).await?;
    let Some(ends) = add.line.or(add.arrow) else { return Err(unexpected()) };
    let geometry = line_geometry(ends);
    let (images, frame_of_reference) = place(ctx, record, &series, &geometry).await?;
    let mut finding = Finding::new(record.new_id(), study, series, geometry, WHO);
    (finding.images, finding.frame_of_reference) = (images, frame_of_reference);
    if add.arrow.is_some() {
        finding.kind = known::annotation();
        finding.label = add.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    }
    name(&mut finding, &add.what)?;
    measure(&mut finding);
    put(ctx, record, finding).await
}

/// Says what a finding is and where it lies, as far as it was typed.
fn name(finding: &mut Finding, what: &FindingWhat) -> Result<(), Failure> {
    if let Some(kind) = &what.kind {
        finding.kind = coded("kind", kind, &mj_report::codes::kinds())?;
    }
    if let Some(site) = &what.site {
        finding.site = Some(coded("site", site, &mj_report::codes::sites())?);
    }
    match what.side.as_deref() {
        Some("left") => finding.side = Side::Left,
        Some("right") => finding.side = Side::Right,
        Some("both") => finding.side = Side::Both,
        Some(_) => finding.side = Side::None,
        None => {}
    }
    Ok(())
}

/// The concept of a code or a name.
fn coded(what: &'static str, typed: &str, list: &[Code]) -> Result<Code, Failure> {
    let is_it = |code: &&Code| code.code == typed || code.name_zh == typed || code.name_en.eq_ignore_ascii_case(typed);
    list.iter().find(is_it).cloned().ok_or_else(|| Failure::Unknown {
        what,
        name: typed.into(),
        known: list.iter().map(|code| code.name_en.as_str()).collect::<Vec<_>>().join(", "),
    })
}

/// The image a geometry lies on, and the frame of reference it is in.
async fn place(
    ctx: &Ctx<'_>,
    record: &Record,
    series: &SeriesUid,
    geometry: &Geometry,
) -> Result<(Vec<ImageRef>, Option<FrameOfReferenceUid>), Failure> {
    let middle = geometry.centre().unwrap_or_default();
    let job = Job::Nearest { series: files_of(record, series).await?, at: middle };
    match ctx.pixels(Some(record))?.run(job, ctx.out)? {
        JobResult::Nearest { instance, sop_class, frame, frame_of_reference } => {
            Ok((vec![ImageRef { instance, sop_class, frame }], frame_of_reference))
        }
        _ => Err(unexpected()),
    }
}

fn line_geometry(ends: [f64; 6]) -> Geometry {
    let [ax, ay, az, bx, by, bz] = ends;
    Geometry::line([ax, ay, az].into(), [bx, by, bz].into())
}

/// Measures the shape. A measurement of the same kind keeps its id; all others spoke of the shape before and go.
fn measure(finding: &mut Finding) {
    if finding.is_annotation() {
        return;
    }
    let before = std::mem::take(&mut finding.measurements);
    for size in finding.geometry.sizes() {
        let known = before.iter().find(|m| m.is_same_kind(&size.what, None));
        let id = || format!("{}.{}", finding.id, size.what.name_en.to_lowercase().replace(' ', "-"));
        let measured = known.map_or_else(|| Measurement::new(id(), size.clone()), |m| Measurement { quantity: size.clone(), ..m.clone() });
        finding.measurements.push(measured);
    }
}

async fn put(ctx: &Ctx<'_>, record: &Record, finding: Finding) -> Result<Done, Failure> {
    let stored = record.put_finding(finding, WHO).await?;
    ctx.out.result(&stored.finding, |f| line(ctx, f))?;
    Ok(Done::Well)
}

pub(super) fn line(ctx: &Ctx<'_>, finding: &Finding) -> String {
    let lang = ctx.out.lang;
    // One number speaks for itself; of several each says what it is.
    let named = |m: &Measurement| {
        let statistic = m.derivation.as_ref().map(|d| format!(" {}", d.name(lang))).unwrap_or_default();
        format!("{}{statistic} {}", m.quantity.what.name(lang), m.quantity.shown())
    };
    let numbers: Vec<String> = match finding.measurements.as_slice() {
        [one] => vec![one.quantity.shown()],
        all => all.iter().map(named).collect(),
    };
    let state = match finding.state {
        FindingState::Proposed => mj_lang::key::READING_STATE_PROPOSED,
        FindingState::Accepted => mj_lang::key::READING_STATE_ACCEPTED,
        FindingState::Edited => mj_lang::key::READING_STATE_EDITED,
        FindingState::Rejected => mj_lang::key::READING_STATE_REJECTED,
        FindingState::Deleted => mj_lang::key::CLI_DELETED,
    };
    let gone = state.get(lang);
    format!("{}  r{}  {}  {}  {gone}", finding.id, finding.revision, finding.name(lang), numbers.join(", ")).trim_end().to_owned()
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(value).map_err(|e| Failure::PlanFile(e.to_string()))
}
