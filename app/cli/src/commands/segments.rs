//! Segments: made by a headless viewer, kept by the record.

use super::images::written;
use super::{Ctx, files_of, findings::WHO, series_of, unexpected};
use crate::args::{Segment as Command, SegmentHow, SegmentRun};
use crate::failure::Failure;
use crate::out::Done;
use mj_link::job::SegmentOp;
use mj_link::{Job, JobResult, ObjectFile};
use mj_model::clock;
use mj_model::finding::{Origin, OriginKind};
use mj_model::plan::Segment;
use mj_record::Record;
use std::path::Path;

pub(super) async fn run(ctx: &Ctx<'_>, command: Command) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        Command::Run(run) => make(ctx, &record, &run).await,
        Command::List { series } => {
            let segments = record.segments(&series_of(&record, &series).await?).await?;
            ctx.out.result(&segments, |all| all.iter().map(line).collect::<Vec<_>>().join("\n"))?;
            Ok(Done::Well)
        }
        Command::Export { id, to } => export(ctx, &record, &id, &to).await,
    }
}

async fn make(ctx: &Ctx<'_>, record: &Record, run: &SegmentRun) -> Result<Done, Failure> {
    let series = series_of(record, &run.series).await?;
    let range = (run.range[0], run.range[1]);
    let op = match (run.op, run.seed) {
        (SegmentHow::Grow, Some(seed)) => SegmentOp::Grow { range, seed: seed.into(), within_mm: run.within },
        _ => SegmentOp::Threshold { range },
    };
    let made_by = serde_json::to_value(&op).map_err(|e| Failure::PlanFile(e.to_string()))?;
    let job = Job::Segment { series: files_of(record, &series).await?, op, label: run.label.clone() };
    let JobResult::Segmented { file, seg_instance, voxels, volume_ml, mesh_volume_ml, box_lps } =
        ctx.pixels(Some(record))?.run(job, ctx.out)?
    else {
        return Err(unexpected());
    };
    let study = record.study_of_series(&series).await?;
    record.ingest_inbox(&file, &study).await?;
    let segment = Segment {
        id: record.new_id(),
        revision: 0,
        study,
        series,
        label: run.label.clone(),
        kind: None,
        seg_instance,
        number: 1,
        voxels,
        volume_ml,
        mesh_volume_ml,
        box_lps,
        made_by,
        origin: Origin { who: OriginKind::Person, name: WHO.into(), version: String::new() },
        at: clock::now(),
    };
    let segment = record.put_segment(segment, WHO).await?;
    ctx.out.result(&segment, line)?;
    Ok(Done::Well)
}

/// The sealed DICOM SEG of a segment.
pub(super) async fn object_of(record: &Record, segment: &Segment) -> Result<ObjectFile, Failure> {
    let object = record.object(&segment.seg_instance).await?;
    Ok(ObjectFile { path: object.path, sealed: true })
}

async fn export(ctx: &Ctx<'_>, record: &Record, id: &str, to: &Path) -> Result<Done, Failure> {
    let segment = record.segment(id).await?;
    let not_written = |source| Failure::File { what: "write", path: to.into(), source };
    if to.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("dcm")) {
        // The record holds the DICOM SEG itself: no pixel needs to be touched.
        std::fs::write(to, record.object_bytes(&segment.seg_instance).await?).map_err(not_written)?;
        ctx.out.result(&serde_json::json!({"written": [to]}), |_| to.display().to_string())?;
        return Ok(Done::Well);
    }
    let to = std::path::absolute(to).map_err(not_written)?;
    let job = Job::ExportSegment {
        series: files_of(record, &segment.series).await?,
        segment: object_of(record, &segment).await?,
        number: segment.number,
        to,
    };
    written(ctx, ctx.pixels(Some(record))?.run(job, ctx.out)?)
}

fn line(segment: &Segment) -> String {
    format!(
        "{}  r{}  {}  {:.2} ml (mesh {:.2} ml, {} voxels)",
        segment.id, segment.revision, segment.label, segment.volume_ml, segment.mesh_volume_ml, segment.voxels
    )
}
