//! Findings and their measurements.

use super::{Ctx, files_of, series_of, study_of, unexpected};
use crate::args::{Finding as Command, FindingAdd};
use crate::failure::Failure;
use crate::out::Done;
use mj_link::{Job, JobResult};
use mj_model::finding::{ImageRef, Origin, OriginKind, length_of};
use mj_model::{Finding, FindingState, FrameOfReferenceUid, Geometry, Measurement, SeriesUid, Side, clock, code::known, uid::TrackingUid};
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
        Command::Edit { id, line } => {
            let mut finding = record.finding(&id).await?;
            if !finding.is_live() {
                return Err(Failure::Deleted(id));
            }
            finding.geometry = line_geometry(line);
            (finding.images, finding.frame_of_reference) = place(ctx, &record, &finding.series, &finding.geometry).await?;
            finding.state = FindingState::Edited;
            measure(&mut finding);
            put(ctx, &record, finding).await
        }
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
    let geometry = line_geometry(add.line);
    let (images, frame_of_reference) = place(ctx, record, &series, &geometry).await?;
    let mut finding = Finding {
        id: record.new_id(),
        tracking_uid: TrackingUid::fresh(),
        revision: 0,
        study,
        series,
        frame_of_reference,
        images,
        state: FindingState::Accepted,
        kind: known::unclassified_finding(),
        site: None,
        side: Side::None,
        geometry,
        measurements: Vec::new(),
        origin: Origin { who: OriginKind::Person, name: WHO.into(), version: String::new() },
        at: clock::now(),
    };
    measure(&mut finding);
    put(ctx, record, finding).await
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
    Geometry::Line { a: [ax, ay, az].into(), b: [bx, by, bz].into() }
}

/// Brings the length up to the geometry, keeping the measurement's id.
fn measure(finding: &mut Finding) {
    let Some(quantity) = length_of(&finding.geometry) else { return };
    match finding.measurements.first_mut() {
        Some(measurement) => {
            measurement.revision += 1;
            measurement.quantity = quantity;
        }
        None => finding.measurements.push(Measurement { id: format!("{}.length", finding.id), revision: 1, quantity }),
    }
}

async fn put(ctx: &Ctx<'_>, record: &Record, finding: Finding) -> Result<Done, Failure> {
    let stored = record.put_finding(finding, WHO).await?;
    ctx.out.result(&stored.finding, |f| line(ctx, f))?;
    Ok(Done::Well)
}

fn line(ctx: &Ctx<'_>, finding: &Finding) -> String {
    let numbers: Vec<String> = finding.measurements.iter().map(|m| m.quantity.shown()).collect();
    let gone = if finding.is_live() { "" } else { mj_lang::key::CLI_DELETED.get(ctx.out.lang) };
    format!("{}  r{}  {}  {}  {gone}", finding.id, finding.revision, finding.kind.name(ctx.out.lang), numbers.join(", "))
        .trim_end()
        .to_owned()
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(value).map_err(|e| Failure::PlanFile(e.to_string()))
}
