//! This machine: speech, windows, and what is missing.

use super::{Ctx, files_of};
use crate::failure::Failure;
use crate::out::Done;
use mj_link::{PriorSeries, PriorStudy, SegmentationFile, ToParent, ToViewer, find_program};
use mj_model::{Lang, StudyUid};
use std::path::Path;
use std::process::Command;

/// Runs the speech worker on one file; its JSON is the answer.
pub(super) fn dictate(ctx: &Ctx<'_>, wav: &Path, model: &Path, language: &str) -> Result<Done, Failure> {
    let output = Command::new(find_program("mingjing-speech")?)
        .arg("--transcribe")
        .arg(wav)
        .arg("--model")
        .arg(model)
        .args(["--language", language, "--json", "--lang", if ctx.out.lang == Lang::Zh { "zh" } else { "en" }])
        .stderr(std::process::Stdio::null())
        .output()
        .map_err(|source| Failure::File { what: "read", path: wav.into(), source })?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|_no_json| {
        let died = std::io::Error::other(output.status.to_string());
        Failure::from(mj_link::WorkerError::Ended(died))
    })?;
    if !output.status.success() {
        let told = serde_json::from_value(json).map_err(|e| Failure::PlanFile(e.to_string()))?;
        return Err(Failure::Told(told));
    }
    ctx.out.result(&json, |j| j.get("text").and_then(|t| t.as_str()).unwrap_or_default().to_owned())?;
    Ok(Done::Well)
}

/// Checks each part and says what to do.
pub(super) async fn doctor(ctx: &Ctx<'_>) -> Result<Done, Failure> {
    let mut parts = Vec::new();
    for name in ["mingjing-viewer", "mingjing-speech", "mingjing-desk"] {
        let (ok, what, to_do) = match find_program(name) {
            Ok(path) => (true, path.display().to_string(), String::new()),
            Err(e) => {
                let told = mj_lang::tell(&e, ctx.out.lang);
                (false, told.message, told.hint)
            }
        };
        parts.push(serde_json::json!({"part": name, "ok": ok, "what": what, "do": to_do}));
    }
    let (ok, what, to_do) = match mj_pdf::Fonts::find() {
        Ok(_) => (true, "Noto Sans SC".to_owned(), String::new()),
        Err(e) => {
            let told = mj_lang::tell(&e, ctx.out.lang);
            (false, told.message, told.hint)
        }
    };
    parts.push(serde_json::json!({"part": "fonts", "ok": ok, "what": what, "do": to_do}));
    if ctx.args.record.is_some() {
        let (ok, what, to_do) = match ctx.record().await {
            Ok(record) => (true, record.dir().display().to_string(), String::new()),
            Err(failure) => {
                let told = failure.told(ctx.out.lang);
                (false, told.message, told.hint)
            }
        };
        parts.push(serde_json::json!({"part": "record", "ok": ok, "what": what, "do": to_do}));
    }
    ctx.out.result(&parts, |parts| {
        let text = |p: &serde_json::Value, key: &str| p.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let mark = |p: &serde_json::Value| if p.get("ok") == Some(&true.into()) { "ok " } else { "!! " };
        parts
            .iter()
            .map(|p| format!("{}{}  {}  {}", mark(p), text(p, "part"), text(p, "what"), text(p, "do")))
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    Ok(Done::Well)
}

/// Opens a folder, a research file or a series of the record in the reading room.
pub(super) async fn view(ctx: &Ctx<'_>, id: &str) -> Result<Done, Failure> {
    let program = find_program("mingjing-viewer")?;
    if Path::new(id).is_dir() || super::research_file(id)?.is_some() {
        return wait(Command::new(program).args(["--room", "reading"]).arg(id));
    }
    let record = ctx.record().await?;
    let (study, first) = match record.resolve(id).await? {
        mj_record::Subject::Study(uid) => (uid, None),
        mj_record::Subject::Series(uid) => (record.study_of_series(&uid).await?, Some(uid)),
        _ => return Err(Failure::WrongKind { wanted: "series", id: id.into() }),
    };
    let mut series = Vec::new();
    for uid in record.image_series(&study).await? {
        series.push(files_of(&record, &uid).await?);
    }
    if series.is_empty() {
        return Err(Failure::Nothing { what: "images", id: id.into() });
    }
    series.sort_by_key(|s| Some(&s.series) != first.as_ref());
    let findings = record.findings(&study).await?;
    let (mut worker, events) = mj_link::Worker::spawn::<ToParent>(&program, &["--room", "reading", "--stdio"])?;
    let grant = record.grant();
    let keys = mj_link::KeyGrant { object_key: grant.object_key.to_string(), inbox: grant.inbox };
    worker.send(&ToViewer::Hello { lang: ctx.out.lang, keys: Some(keys), person: super::findings::WHO.into() })?;
    let objects = record.segmentations_of(&findings).await?.into_iter();
    let file = |path| mj_link::ObjectFile { path, sealed: true };
    let files = objects.map(|o| SegmentationFile { instance: o.instance, file: file(o.path) }).collect();
    worker.send(&ToViewer::OpenStudy { study: study.clone(), series, findings, view: None })?;
    worker.send(&ToViewer::Segmentations { study: study.clone(), files })?;
    let prior = prior_beside(&record, &study).await?;
    let studies = Shown { prior: prior.as_ref().map(|prior| prior.study.clone()), study };
    if let Some(prior) = prior {
        worker.send(&ToViewer::Prior { study: studies.study.clone(), prior })?;
    }
    loop {
        match events.next() {
            mj_link::Event::Message(message) => {
                if let Some(answer) = keep(ctx, &record, &studies, message).await {
                    worker.send(&answer)?;
                }
            }
            mj_link::Event::Ended => return Ok(Done::Well),
            mj_link::Event::Noise(_) => {}
        }
    }
}

/// What the viewer was given to show.
struct Shown {
    study: StudyUid,
    prior: Option<StudyUid>,
}

/// The study that can be looked at beside a study.
async fn prior_beside(record: &mj_record::Record, study: &StudyUid) -> Result<Option<PriorStudy>, Failure> {
    let Some(prior) = record.prior_of(study).await? else { return Ok(None) };
    let mut series = Vec::new();
    for (uid, modality) in prior.series {
        series.push(PriorSeries { modality, files: files_of(record, &uid).await? });
    }
    let objects = record.segmentations_of(&prior.findings).await?.into_iter();
    let file = |path| mj_link::ObjectFile { path, sealed: true };
    let segmentations = objects.map(|o| SegmentationFile { instance: o.instance, file: file(o.path) }).collect();
    Ok(Some(PriorStudy { study: prior.study, series, findings: prior.findings, segmentations }))
}

/// Keeps what the reader of a study made in the viewer; gives the answer, where one is owed.
async fn keep(ctx: &Ctx<'_>, record: &mj_record::Record, shown: &Shown, message: ToParent) -> Option<ToViewer> {
    let study = &shown.study;
    match message {
        ToParent::FindingChanged { study: of, finding } if (of == *study || Some(&of) == shown.prior.as_ref()) && finding.study == of => {
            let id = finding.id.clone();
            Some(match record.put_finding(finding, super::findings::WHO).await {
                Ok(stored) => ToViewer::FindingStored { study: of, finding: stored.finding },
                Err(e) => ToViewer::FindingRefused { study: of, finding: id, error: mj_lang::tell(&e, ctx.out.lang) },
            })
        }
        ToParent::PriorShown { study: of, prior } if of == *study && Some(&prior) == shown.prior.as_ref() => {
            if let Err(error) = record.mark_compared(&prior, study, super::findings::WHO).await {
                ctx.out.warn(&error.into());
            }
            None
        }
        // Nobody can type here while the viewer runs: the text is not given.
        ToParent::TextWanted { request, .. } => Some(ToViewer::TextGiven { request, text: None }),
        ToParent::KeyImage { study: of, instance, file, caption } if of == *study => {
            let kept = record.key_image_from_inbox(&file, study, &instance, &caption, super::findings::WHO).await;
            if let Err(error) = kept {
                ctx.out.warn(&error.into());
            }
            None
        }
        _ => None,
    }
}

/// Opens the workstation on the record.
pub(super) fn desk(ctx: &Ctx<'_>) -> Result<Done, Failure> {
    let mut command = Command::new(find_program("mingjing-desk")?);
    // Both are paths, not secrets.
    if let Some(record) = &ctx.args.record {
        command.env("MINGJING_RECORD", record);
    }
    if let Some(file) = &ctx.args.passphrase_file {
        command.env("MINGJING_PASSPHRASE_FILE", file);
    }
    wait(&mut command)
}

fn wait(command: &mut Command) -> Result<Done, Failure> {
    let status = command.status().and_then(|s| if s.success() { Ok(()) } else { Err(std::io::Error::other(s.to_string())) });
    status.map_err(|source| Failure::from(mj_link::WorkerError::Ended(source)))?;
    Ok(Done::Well)
}
