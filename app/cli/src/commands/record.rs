//! The record itself: making it, taking files in, listing, people.

use super::{Ctx, files_of, research_file, unexpected};
use crate::args::{Person as PersonCommand, Role as RoleArg};
use crate::failure::Failure;
use crate::out::Done;
use crate::passphrase;
use mj_lang::key;
use mj_link::{Job, JobResult};
use mj_model::person::Role;
use mj_record::{ImportReceipt, Record, StudyQuery, StudyRow, Subject};
use std::path::{Path, PathBuf};

pub(super) async fn init(ctx: &Ctx<'_>) -> Result<Done, Failure> {
    let dir = ctx.record_dir()?;
    Record::init(dir, &passphrase::choose(ctx.args)?).await?.close().await;
    ctx.out.result(&serde_json::json!({"record": dir, "created": true}), |_| {
        key::CLI_INIT_DONE.with(ctx.out.lang, &[("record", &dir.display().to_string())])
    })?;
    Ok(Done::Well)
}

pub(super) async fn import(ctx: &Ctx<'_>, paths: &[PathBuf]) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let receipt = record.import(paths, &ctx.watch()).await?;
    super::results::take_with(ctx, &record, &receipt).await
}

pub(super) fn receipt_text(ctx: &Ctx<'_>, receipt: &ImportReceipt) -> String {
    let number = |n: u64| n.to_string();
    let mut lines = vec![key::CLI_IMPORT_DONE.with(
        ctx.out.lang,
        &[
            ("seen", &number(receipt.seen)),
            ("stored", &number(receipt.stored)),
            ("present", &number(receipt.already_present)),
            ("conflicts", &receipt.conflicts.len().to_string()),
            ("skipped", &receipt.skipped.len().to_string()),
        ],
    )];
    lines.extend(receipt.conflicts.iter().map(|c| format!("! {}  {}", c.path, c.reason)));
    lines.extend(receipt.skipped.iter().map(|s| format!("- {}  {} {}", s.path, s.code, mj_lang::reason(&s.code, &s.reason, ctx.out.lang))));
    let notes = receipt.notes.iter().filter(|note| note.needs_person());
    lines.extend(notes.map(|n| format!("* {}  {}", n.path, mj_lang::reason(&n.code, &n.code, ctx.out.lang))));
    lines.join("\n")
}

pub(super) async fn list(ctx: &Ctx<'_>, query: Option<String>) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let page = record.studies(&StudyQuery { text: query.unwrap_or_default(), limit: u32::MAX, ..StudyQuery::default() }).await?;
    ctx.out.result(&page.rows, |rows| rows.iter().map(|row| study_line(ctx, row)).collect::<Vec<_>>().join("\n"))?;
    Ok(Done::Well)
}

fn study_line(ctx: &Ctx<'_>, row: &StudyRow) -> String {
    let name = if ctx.out.lang == mj_model::Lang::Zh && !row.patient.name_ideographic.show().is_empty() {
        row.patient.name_ideographic.show()
    } else {
        row.patient.name.show()
    };
    let images: u64 = row.series.iter().map(|s| u64::from(s.instances)).sum();
    format!(
        "{}  {}  {}  {}  {}  {}  {images}",
        row.id,
        row.date.as_deref().unwrap_or("----------"),
        name,
        row.patient.id.show(),
        row.modalities.join("/"),
        row.description
    )
}

pub(super) async fn show(ctx: &Ctx<'_>, id: &str) -> Result<Done, Failure> {
    if let Some(file) = research_file(id)? {
        let JobResult::Described(described) = ctx.pixels(None)?.run(Job::Describe { series: file }, ctx.out)? else {
            return Err(unexpected());
        };
        ctx.out.result(&described, |d| to_json(d).map(|j| format!("{j:#}")).unwrap_or_default())?;
        return Ok(Done::Well);
    }
    let record = ctx.record().await?;
    let json = match record.resolve(id).await? {
        Subject::Study(uid) => to_json(&record.study(&uid).await?)?,
        Subject::Series(uid) => {
            let study = record.study(&record.study_of_series(&uid).await?).await?;
            let row = study.row.series.iter().find(|s| s.series_uid == uid);
            let mut json = to_json(&row)?;
            let job = Job::Describe { series: files_of(&record, &uid).await? };
            let JobResult::Described(described) = ctx.pixels(Some(&record))?.run(job, ctx.out)? else { return Err(unexpected()) };
            if let (Some(into), serde_json::Value::Object(more)) = (json.as_object_mut(), to_json(&described)?) {
                into.extend(more);
            }
            json
        }
        Subject::Instance(uid) => super::objects::show(ctx, &record, &uid).await?,
        _ => return Err(Failure::WrongKind { wanted: "study", id: id.into() }),
    };
    ctx.out.result(&json, |json| serde_json::to_string_pretty(json).unwrap_or_default())?;
    Ok(Done::Well)
}

pub(super) async fn person(ctx: &Ctx<'_>, command: PersonCommand) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        PersonCommand::Add { name, role } => {
            let role = match role {
                RoleArg::Reporting => Role::Reporting,
                RoleArg::Reviewing => Role::Reviewing,
                RoleArg::Surgeon => Role::Surgeon,
                RoleArg::Engineer => Role::Engineer,
            };
            let person = record.add_person(&name, role).await?;
            ctx.out.result(&person, |p| format!("{}  {}", p.id, p.name))?;
        }
        PersonCommand::Certificate { id, file, certificate_passphrase_file, self_signed: _ } => {
            let person = record.person(&id).await?;
            let identity = match file {
                None => mj_sign::Identity::self_signed(&person.name)?,
                Some(path) => identity(&path, certificate_passphrase_file.as_deref())?,
            };
            record.set_certificate(&person.id, &identity, super::findings::WHO).await?;
            let json = serde_json::json!({"id": person.id, "name": person.name, "certificate": identity.subject()});
            ctx.out.result(&json, |_| format!("{}  {}", person.id, identity.subject()))?;
        }
        PersonCommand::List => {
            let people = record.people().await?;
            ctx.out.result(&people, |all| all.iter().map(|p| format!("{}  {}", p.id, p.name)).collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(Done::Well)
}

/// Opens a certificate file; its passphrase is empty where no file with one is named.
fn identity(path: &Path, passphrase_file: Option<&Path>) -> Result<mj_sign::Identity, Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|source| Failure::File { what: "read", path: path.into(), source });
    let passphrase = passphrase_file.map(read).transpose()?.unwrap_or_default();
    let passphrase = String::from_utf8_lossy(&passphrase).trim_end_matches(['\r', '\n']).to_owned();
    Ok(mj_sign::Identity::from_pkcs12(&read(path)?, &passphrase)?)
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(value).map_err(|e| Failure::PlanFile(e.to_string()))
}
