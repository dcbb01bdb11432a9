//! Results in and out: reports and segmentations of other systems, findings as objects for them.

use super::findings::WHO;
use super::{Ctx, study_of, unexpected};
use crate::args::FindingForm;
use crate::failure::Failure;
use crate::out::Done;
use mj_link::job::SegmentFacts;
use mj_link::{Job, JobResult, ObjectFile};
use mj_model::{Extent, Finding, Geometry, InstanceUid};
use mj_record::{Record, ResultsTaken};
use std::path::{Path, PathBuf};

/// Takes files in and makes findings of what they say. What does not fit its images is held: that needs a person.
pub(super) async fn import(ctx: &Ctx<'_>, record: &Record, files: &[PathBuf]) -> Result<Done, Failure> {
    let receipt = record.import(files, &ctx.watch()).await?;
    let mut taken = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).map_err(|source| Failure::File { what: "read", path: file.clone(), source })?;
        let Ok(header) = mj_dicom::Dataset::from_vec(bytes).and_then(|dataset| dataset.header()) else { continue };
        // What was refused or set aside stands in the receipt.
        if record.object(&header.instance).await.is_ok() {
            taken.extend(take(ctx, record, &header.instance, header.sop_class.as_str()).await?);
        }
    }
    let is_held = taken.iter().any(|t| t.findings.iter().any(|f| f.held.is_some()));
    let mut json = super::findings::to_json(&receipt)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("results".into(), super::findings::to_json(&taken)?);
    }
    ctx.out.result(&json, |_| taken.iter().flat_map(|t| &t.findings).map(|f| line(ctx, f)).collect::<Vec<_>>().join("\n"))?;
    Ok(if is_held || !receipt.conflicts.is_empty() { Done::NeedsDecision } else { Done::Well })
}

async fn take(ctx: &Ctx<'_>, record: &Record, instance: &InstanceUid, sop_class: &str) -> Result<Option<ResultsTaken>, Failure> {
    match sop_class {
        mj_dicom::seg::SEGMENTATION | mj_dicom::seg::LABEL_MAP_SEGMENTATION => {
            let object = record.object(instance).await?;
            let job = Job::Segments { file: ObjectFile { path: object.path, sealed: true } };
            let JobResult::Segments { segments } = ctx.pixels(Some(record))?.run(job, ctx.out)? else { return Err(unexpected()) };
            let read = segments.into_iter().map(read_segment).collect();
            Ok(Some(record.take_segments(instance, read, WHO).await?))
        }
        _ if mj_dicom::sr::is_report(sop_class) => Ok(Some(record.take_results(instance, WHO).await?)),
        _ => Ok(None),
    }
}

fn read_segment(facts: SegmentFacts) -> mj_record::ReadSegment {
    mj_record::ReadSegment {
        number: facts.number,
        label: facts.label,
        kind: facts.kind,
        algorithm: facts.algorithm,
        tracking_uid: facts.tracking_uid,
        voxels: facts.voxels,
        volume_ml: facts.volume_ml,
        mesh_volume_ml: facts.mesh_volume_ml,
        box_lps: facts.box_lps,
    }
}

fn line(ctx: &Ctx<'_>, finding: &Finding) -> String {
    let held = finding.held.map(|held| mj_lang::reason(held.code(), held.code(), ctx.out.lang));
    let line = super::findings::line(ctx, finding);
    held.map_or(line.clone(), |why| format!("! {line}  {why}"))
}

/// A person accepts or rejects.
pub(super) async fn accept(ctx: &Ctx<'_>, record: &Record, id: &str) -> Result<Done, Failure> {
    let stored = record.accept_finding(id, WHO).await?;
    ctx.out.result(&stored.finding, |f| line(ctx, f))?;
    Ok(Done::Well)
}

pub(super) async fn reject(ctx: &Ctx<'_>, record: &Record, id: &str, reason: &str) -> Result<Done, Failure> {
    let reasons = mj_report::codes::reasons();
    let known = || reasons.iter().map(|r| r.code.as_str()).collect::<Vec<_>>().join(", ");
    let Some(reason) = reasons.iter().find(|r| r.code == reason) else {
        return Err(Failure::Unknown { what: "reason", name: reason.to_owned(), known: known() });
    };
    let stored = record.reject_finding(id, reason.clone(), WHO).await?;
    ctx.out.result(&stored.finding, |f| line(ctx, f))?;
    Ok(Done::Well)
}

/// Writes the findings of a study that a person stands for.
pub(super) async fn export(ctx: &Ctx<'_>, record: &Record, study: &str, forms: &[FindingForm], out: &Path) -> Result<Done, Failure> {
    let study = study_of(record, study).await?;
    let not_written = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { what: "write", path, source }
    };
    std::fs::create_dir_all(out).map_err(not_written(out))?;
    let mut written = Vec::new();
    for form in forms {
        let objects = match form {
            FindingForm::Sr => {
                let sr = record.findings_as_sr(&study, ctx.out.lang).await?;
                vec![(sr.sop_instance, sr.sop_class, sr.bytes)]
            }
            FindingForm::Seg => segmentations(record, &record.findings(&study).await?).await?,
        };
        for (instance, sop_class, bytes) in objects {
            let path = out.join(format!("{}.dcm", instance.as_str()));
            std::fs::write(&path, bytes).map_err(not_written(&path))?;
            written.push(serde_json::json!({"path": path, "sop_class": sop_class, "sop_instance_uid": instance}));
        }
    }
    ctx.out.result(&serde_json::json!({"written": written}), |json| {
        let paths = json["written"].as_array().into_iter().flatten().filter_map(|w| w["path"].as_str());
        paths.collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::Well)
}

type Object = (InstanceUid, mj_model::SopClassUid, Vec<u8>);

/// The segmentations that hold segments of findings a person stands for, each once.
async fn segmentations(record: &Record, findings: &[Finding]) -> Result<Vec<Object>, Failure> {
    let mut out: Vec<Object> = Vec::new();
    for finding in findings.iter().filter(|f| mj_model::Confirmed::of((*f).clone()).is_some()) {
        if let Geometry::Extent(Extent::Segment { instance, sop_class, .. }) = &finding.geometry
            && !out.iter().any(|(known, ..)| known == instance)
        {
            out.push((instance.clone(), sop_class.clone(), record.object_bytes(instance).await?));
        }
    }
    Ok(out)
}
