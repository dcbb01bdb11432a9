//! Results in and out: reports, segmentations and structure sets of other systems, findings as objects for them.

use super::findings::WHO;
use super::{Ctx, study_of, unexpected};
use crate::args::FindingForm;
use crate::failure::Failure;
use crate::out::Done;
use clap::ValueEnum as _;
use mj_link::{Job, JobResult, ObjectFile};
use mj_model::{Confirmed, Extent, Finding, Geometry, InstanceUid, StudyUid};
use mj_record::{ImageForm, ImportReceipt, NotExported, Record, ResultKind, ResultsTaken};
use std::path::{Path, PathBuf};

/// Takes files in and makes findings of what they say. What does not fit its images is held: that needs a person.
pub(super) async fn import(ctx: &Ctx<'_>, record: &Record, files: &[PathBuf]) -> Result<Done, Failure> {
    let receipt = record.import(files, &ctx.watch()).await?;
    let mut taken = Vec::new();
    let mut all = Vec::new();
    for path in files {
        super::images::collect_files(path, &mut all)?;
    }
    for file in &all {
        let bytes = std::fs::read(file).map_err(|source| Failure::File { what: "read", path: file.clone(), source })?;
        let Ok(header) = mj_dicom::Dataset::from_vec(bytes).and_then(|dataset| dataset.header()) else { continue };
        // What was refused or set aside stands in the receipt.
        if let (Some(kind), Ok(_)) = (ResultKind::of(header.sop_class.as_str()), record.object(&header.instance).await) {
            taken.push(take(ctx, record, &header.instance, kind).await?);
        }
    }
    report(ctx, &receipt, taken)
}

/// Tells a receipt, and takes the results that came with it or waited for its images.
pub(super) async fn take_with(ctx: &Ctx<'_>, record: &Record, receipt: &ImportReceipt) -> Result<Done, Failure> {
    let (taken, all_read) = take_waiting(ctx, record).await?;
    let done = report(ctx, receipt, taken)?;
    Ok(if all_read { done } else { Done::NeedsDecision })
}

/// Makes findings of the results that wait, and says whether all could be read. One that could not is told and stops nothing:
/// what is wrong with its data is noted, so that it waits no more; after any other trouble it is taken the next time.
pub(super) async fn take_waiting(ctx: &Ctx<'_>, record: &Record) -> Result<(Vec<ResultsTaken>, bool), Failure> {
    let (mut taken, mut all_read) = (Vec::new(), true);
    for waiting in record.results_waiting().await? {
        match take(ctx, record, &waiting.instance, waiting.kind).await {
            Ok(result) if result.findings.is_empty() && result.outcome.is_none() && result.contradicts.is_empty() => {}
            Ok(result) => taken.push(result),
            Err(failure) => {
                all_read = false;
                ctx.out.warn(&failure);
                let code = failure.told(ctx.out.lang).code;
                if mj_record::is_of_data(&code) {
                    record.pass_over_result(&waiting.instance, &code).await?;
                }
            }
        }
    }
    Ok((taken, all_read))
}

/// Tells a receipt with the results that were taken.
fn report(ctx: &Ctx<'_>, receipt: &ImportReceipt, taken: Vec<ResultsTaken>) -> Result<Done, Failure> {
    let needs_person = |t: &ResultsTaken| !t.contradicts.is_empty() || t.findings.iter().any(|f| f.held.is_some());
    let is_open = taken.iter().any(needs_person);
    let mut json = super::findings::to_json(receipt)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("results".into(), super::findings::to_json(&taken)?);
    }
    ctx.out.result(&json, |_| {
        let mut lines = vec![super::record::receipt_text(ctx, receipt)];
        let known: usize = taken.iter().map(|t| t.already_present).sum();
        let made: usize = taken.iter().map(|t| t.findings.len()).sum();
        if !taken.is_empty() {
            lines.push(mj_lang::key::CLI_RESULTS_TAKEN.with(ctx.out.lang, &[("made", &made.to_string()), ("known", &known.to_string())]));
        }
        lines.extend(taken.iter().flat_map(|t| &t.findings).map(|f| line(ctx, f)));
        let said_else = |id: &String| format!("! {}", mj_lang::key::CLI_RESULTS_CONTRADICT.with(ctx.out.lang, &[("finding", id)]));
        lines.extend(taken.iter().flat_map(|t| &t.contradicts).map(said_else));
        lines.extend(taken.iter().flat_map(|t| &t.left_out).map(|what| format!("- {what}")));
        lines.join("\n")
    })?;
    Ok(if is_open || !receipt.conflicts.is_empty() { Done::NeedsDecision } else { Done::Well })
}

async fn take(ctx: &Ctx<'_>, record: &Record, instance: &InstanceUid, kind: ResultKind) -> Result<ResultsTaken, Failure> {
    Ok(match kind {
        ResultKind::Report => record.take_results(instance, WHO).await?,
        ResultKind::Structures => record.take_structures(instance, WHO).await?,
        ResultKind::Marks => record.take_marks(instance, WHO).await?,
        ResultKind::Segmentation => {
            let object = record.object(instance).await?;
            let job = Job::Segments { file: ObjectFile { path: object.path, sealed: true } };
            let JobResult::Segments { segments } = ctx.pixels(Some(record))?.run(job, ctx.out)? else { return Err(unexpected()) };
            record.take_segments(instance, segments, WHO).await?
        }
    })
}

fn line(ctx: &Ctx<'_>, finding: &Finding) -> String {
    let line = super::findings::line(ctx, finding);
    let Some(held) = finding.held else { return line };
    let told = mj_lang::tell(&mj_record::Error::Held(held), ctx.out.lang);
    format!("! {line}  {} {}", told.message, told.hint)
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

/// Writes the findings of a study that a person stands for. What a form cannot tell as it is, is left out and named.
pub(super) async fn export(ctx: &Ctx<'_>, record: &Record, study: &str, forms: &[FindingForm], out: &Path) -> Result<Done, Failure> {
    let study = study_of(record, study).await?;
    let mut all = Vec::new();
    let mut left_out = Vec::new();
    for form in forms {
        let (objects, left) = objects_of(ctx, record, &study, *form).await?;
        all.extend(objects);
        left_out.extend(left.iter().map(|left| left_out_json(ctx, *form, left)));
    }
    if all.is_empty() {
        return Err(nothing_written(&left_out));
    }
    let not_written = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { what: "write", path, source }
    };
    std::fs::create_dir_all(out).map_err(not_written(out))?;
    let mut written = Vec::new();
    for (instance, sop_class, bytes) in all {
        let path = out.join(format!("{}.dcm", instance.as_str()));
        std::fs::write(&path, bytes).map_err(not_written(&path))?;
        written.push(serde_json::json!({"path": path, "sop_class": sop_class, "sop_instance_uid": instance}));
    }
    let done = if left_out.is_empty() { Done::Well } else { Done::NeedsDecision };
    ctx.out.result(&serde_json::json!({"written": written, "left_out": left_out}), |json| {
        let texts = |list: &str, line: &dyn Fn(&serde_json::Value) -> String| {
            json[list].as_array().into_iter().flatten().map(line).collect::<Vec<_>>()
        };
        let text = |value: &serde_json::Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let mut lines = texts("written", &|w| text(w, "path"));
        lines.extend(texts("left_out", &|l| format!("! {}  {}  {}", text(l, "finding"), text(l, "as"), text(l, "reason"))));
        lines.join("\n")
    })?;
    Ok(done)
}

async fn objects_of(
    ctx: &Ctx<'_>,
    record: &Record,
    study: &StudyUid,
    form: FindingForm,
) -> Result<(Vec<Object>, Vec<NotExported>), Failure> {
    let form = match form {
        FindingForm::Sr => {
            let sr = record.findings_as_sr(study, ctx.out.lang).await?;
            return Ok((vec![(sr.sop_instance, sr.sop_class, sr.bytes)], Vec::new()));
        }
        FindingForm::Seg => return segmentations(record, &record.findings(study).await?).await,
        FindingForm::Gsps => ImageForm::Gsps,
        FindingForm::Rtstruct => ImageForm::Rtstruct,
        FindingForm::Ko => ImageForm::Ko,
    };
    let exported = record.findings_on_images(study, form, ctx.out.lang).await?;
    let objects = exported.objects.into_iter().map(|written| (written.sop_instance, written.sop_class, written.bytes));
    Ok((objects.collect(), exported.left_out))
}

fn left_out_json(ctx: &Ctx<'_>, form: FindingForm, left: &NotExported) -> serde_json::Value {
    let form = form.to_possible_value().map(|value| value.get_name().to_owned());
    let reason = mj_lang::reason(left.code, left.code, ctx.out.lang);
    serde_json::json!({"finding": left.finding, "as": form, "code": left.code, "reason": reason})
}

/// The reasons of all, each once.
fn nothing_written(left_out: &[serde_json::Value]) -> Failure {
    let mut reasons: Vec<String> = Vec::new();
    for reason in left_out.iter().filter_map(|left| left["reason"].as_str()) {
        if !reasons.iter().any(|known| known == reason) {
            reasons.push(reason.to_owned());
        }
    }
    Failure::NothingWritten(reasons)
}

type Object = (InstanceUid, mj_model::SopClassUid, Vec<u8>);

/// The segmentations that hold segments of findings a person stands for, each once; whole, so only where a person stands
/// for every segment in it.
async fn segmentations(record: &Record, findings: &[Finding]) -> Result<(Vec<Object>, Vec<NotExported>), Failure> {
    let is_confirmed = |finding: &Finding| Confirmed::of(finding.clone()).is_some();
    let object_of = |finding: &Finding| match &finding.geometry {
        Geometry::Extent(Extent::Segment { instance, sop_class, .. }) => Some((instance.clone(), sop_class.clone())),
        _ => None,
    };
    let (mut out, mut left_out): (Vec<Object>, Vec<NotExported>) = (Vec::new(), Vec::new());
    for finding in findings.iter().filter(|finding| is_confirmed(finding)) {
        let Some((instance, sop_class)) = object_of(finding) else { continue };
        let mut beside = findings.iter().filter(|other| object_of(other).is_some_and(|(of, _)| of == instance));
        if !beside.all(is_confirmed) {
            left_out.push(NotExported::not_all_confirmed(finding.id.clone()));
        } else if !out.iter().any(|(known, ..)| *known == instance) {
            let bytes = record.object_bytes(&instance).await?;
            out.push((instance, sop_class, bytes));
        }
    }
    Ok((out, left_out))
}

#[cfg(test)]
mod tests {
    use mj_model::Lang;

    #[test]
    fn every_reason_for_leaving_a_finding_out_has_its_sentence() {
        for code in mj_record::export_codes() {
            for lang in [Lang::Zh, Lang::En] {
                assert_ne!(mj_lang::reason(code, code, lang), code);
            }
        }
    }
}
