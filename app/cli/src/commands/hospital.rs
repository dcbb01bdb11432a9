//! The hospital's servers and the outbox.

use super::{Ctx, study_of};
use crate::args::{Find, Outbox as OutboxCommand, Server as ServerCommand};
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::key;
use mj_model::Phi;
use mj_record::peers::{FindQuery, FoundRow, Key};
use mj_record::{OutboxRow, Record, Server, Subject};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(super) async fn server(ctx: &Ctx<'_>, command: ServerCommand) -> Result<Done, Failure> {
    match command {
        ServerCommand::Add { name, dicom, aet, our_aet } => {
            let wrong = || Failure::WrongKind { wanted: "HOST:PORT", id: dicom.clone() };
            let (host, port) = dicom.rsplit_once(':').ok_or_else(wrong)?;
            let server = Server { name, host: host.into(), port: port.parse().map_err(|_not_a_port| wrong())?, aet, our_aet };
            ctx.record().await?.add_server(server.clone()).await?;
            ctx.out.result(&server, line)?;
        }
        ServerCommand::List => {
            let servers = ctx.record().await?.servers().await?;
            ctx.out.result(&servers, |all| all.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
        ServerCommand::Test { name } => return echo(ctx, &name).await,
    }
    Ok(Done::Well)
}

fn line(server: &Server) -> String {
    format!("{}  {}:{}  {}", server.name, server.host, server.port, server.aet)
}

pub(super) async fn echo(ctx: &Ctx<'_>, name: &str) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let ms = record.echo(name).await?;
    ctx.out.result(&serde_json::json!({"server": name, "ok": true, "ms": ms}), |_| format!("{name}: ok, {ms} ms"))?;
    Ok(Done::Well)
}

pub(super) async fn find(ctx: &Ctx<'_>, find: &Find) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let keys = [(Key::PatientId, &find.patient), (Key::AccessionNumber, &find.accession), (Key::StudyDate, &find.date)];
    let mut query = FindQuery::studies();
    query.keys.extend(keys.into_iter().filter_map(|(key, value)| Some((key, Phi::new(value.clone()?)))));
    if let Some(name) = &find.name {
        query = query.named(name);
    }
    let found = record.find_on(&find.server, &query).await?;
    ctx.out.result(&found, |rows| rows.iter().map(|row| found_line(ctx, row)).collect::<Vec<_>>().join("\n"))?;
    Ok(Done::Well)
}

fn found_line(ctx: &Ctx<'_>, row: &FoundRow) -> String {
    let uid = row.study_uid.as_ref().map_or("", mj_model::StudyUid::as_str);
    let name = row.name.display(ctx.out.lang);
    format!("{uid}  {}  {}", name.show(), row.patient_id.show())
}

pub(super) async fn fetch(ctx: &Ctx<'_>, name: &str, study: &str) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let uid = mj_model::StudyUid::parse(study).map_err(|_not_a_uid| Failure::WrongKind { wanted: "study", id: study.into() })?;
    let receipt = record.fetch(name, &uid, &ctx.watch()).await?;
    super::results::take_with(ctx, &record, &receipt).await
}

pub(super) async fn send(ctx: &Ctx<'_>, id: &str, to: &str) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let mut instances = Vec::new();
    match record.resolve(id).await? {
        Subject::Instance(uid) => instances.push(uid),
        Subject::Series(uid) => instances.extend(record.series_objects(&uid).await?.into_iter().map(|o| o.instance)),
        _ => {
            for series in record.study(&study_of(&record, id).await?).await?.row.series {
                instances.extend(record.series_objects(&series.series_uid).await?.into_iter().map(|o| o.instance));
            }
        }
    }
    if instances.is_empty() {
        return Err(Failure::Nothing { what: "objects", id: id.into() });
    }
    record.enqueue(&instances, to).await?;
    flush(ctx, &record).await
}

pub(super) async fn outbox(ctx: &Ctx<'_>, command: OutboxCommand) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        OutboxCommand::List => {
            print(ctx, &record.outbox().await?)?;
            Ok(Done::Well)
        }
        OutboxCommand::Flush => flush(ctx, &record).await,
    }
}

async fn flush(ctx: &Ctx<'_>, record: &Record) -> Result<Done, Failure> {
    record.flush(&ctx.watch()).await?;
    let rows = record.outbox().await?;
    print(ctx, &rows)?;
    let needs_person = rows.iter().any(|row| row.state.needs_person());
    Ok(if needs_person { Done::NeedsDecision } else { Done::Well })
}

fn print(ctx: &Ctx<'_>, rows: &Vec<OutboxRow>) -> Result<(), Failure> {
    ctx.out.result(rows, |rows| {
        rows.iter()
            .map(|r| format!("{}  {}  {}  {}  {}", r.id, r.to, r.state.name(), r.attempts, r.reason.as_deref().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// Receives until Ctrl-C.
pub(super) async fn serve(ctx: &Ctx<'_>, port: u16, aet: &str, address: IpAddr) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    let server = record.serve(aet, (address, port).into()).await?;
    let local = server.local_addr();
    // Flushed at once, so that a program that started us can read the port.
    let json = serde_json::json!({"listening": local.to_string(), "port": local.port(), "aet": aet});
    ctx.out.result(&json, |_| key::CLI_SERVE_LISTENING.with(ctx.out.lang, &[("address", &local.to_string()), ("aet", aet)]))?;
    let mut seen = 0;
    while !ctx.cancel.load(Ordering::Relaxed) {
        let now = record.data_version().await?;
        if now != seen {
            seen = now;
            super::results::take_waiting(ctx, &record).await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.stop().await;
    Ok(Done::Well)
}
