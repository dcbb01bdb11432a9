//! What is to be delivered, and the peer's word that it was.
//!
//! A row is one instance for one server. Delivery is at least once: a row leaves `sending` only with the peer's
//! answer, and an instance sent twice is one instance there (same SOP Instance UID). A process that sends holds
//! a lease on its rows; when it dies, or its lease runs out, another takes them over.

use crate::audit::note;
use crate::db::WriteTx;
use crate::hospital::peer_of;
use crate::peers::{self, FindQuery, PeerError, StoreItem, StoreOutcome};
use crate::worklist::uid;
use crate::{Error, Record, Result, Server, session};
use mj_dicom::Watch;
use mj_model::{Coded as _, InstanceUid, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Row as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

/// Rows taken at once.
const BATCH: u32 = 32;
/// A lease is renewed every third of this. Units: ms.
const LEASE_MS: i64 = 90_000;
/// After so many tries in vain a person must look.
const MOST_ATTEMPTS: u32 = 12;

/// State of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// To be sent.
    Waiting,
    /// Being sent.
    Sending,
    /// The peer answered that it has it.
    Accepted,
    /// The peer was asked afterwards and has it.
    Verified,
    /// The peer refused it.
    Refused,
    /// Tried in vain, or cannot be sent: a person must look.
    Parked,
}

impl OutboxState {
    /// Its name: `waiting`, `sending`, `accepted`, `verified`, `refused`, `parked`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Parked => "parked",
        }
    }

    /// True when nothing more happens without a person.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Refused | Self::Parked)
    }
}

/// A row of the outbox; its serde form is the command line's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutboxRow {
    /// Id, `o12`.
    pub id: String,
    /// SOP Instance UID.
    pub object: InstanceUid,
    /// Its study.
    pub study: StudyUid,
    /// Name of the server.
    pub to: String,
    /// State.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: u32,
    /// The peer's answer: status, comment, title, time.
    pub evidence: Option<Value>,
    /// Why it is not delivered: a stable code, and the peer's words.
    pub reason: Option<String>,
}

/// What a delivery run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FlushReport {
    /// Accepted by their servers.
    pub accepted: u32,
    /// Found there afterwards.
    pub verified: u32,
    /// Refused or parked.
    pub failed: u32,
    /// Put back to be tried again later.
    pub postponed: u32,
}

/// A row that this process holds a lease on.
struct Leased {
    pk: i64,
    instance: InstanceUid,
    sop_class: SopClassUid,
    transfer_syntax: TransferSyntaxUid,
    object_file: String,
}

/// How a try ended.
enum Verdict {
    Accepted(Value),
    Refused(String, Value),
    Parked(String),
    Later(String),
}

impl Record {
    /// The whole outbox, oldest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn outbox(&self) -> Result<Vec<OutboxRow>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query(
            "SELECT outbox_pk, instance_uid, study_uid, server, state, attempts, evidence, reason FROM outbox ORDER BY outbox_pk",
        )
        .fetch_all(&mut *conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(OutboxRow {
                    id: format!("o{}", row.try_get::<i64, _>("outbox_pk")?),
                    object: uid(row.try_get("instance_uid")?, InstanceUid::parse)?,
                    study: uid(row.try_get("study_uid")?, StudyUid::parse)?,
                    to: row.try_get("server")?,
                    state: serde_json::from_value(json!(row.try_get::<&str, _>("state")?)).map_err(|_bad| Error::Stored("state"))?,
                    attempts: row.try_get("attempts")?,
                    evidence: row
                        .try_get::<Option<String>, _>("evidence")?
                        .map(|text| serde_json::from_str(&text))
                        .transpose()
                        .map_err(|_bad| Error::Stored("evidence"))?,
                    reason: row.try_get("reason")?,
                })
            })
            .collect()
    }

    /// Puts instances into the outbox for a server. What was refused or parked is tried anew; what was accepted
    /// stays so.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the server or an instance; [`Error::CutShort`] for an instance that is not whole, and then none
    /// is put in; database errors.
    pub async fn enqueue(&self, instances: &[InstanceUid], server: &str) -> Result<()> {
        self.server(server).await?;
        let mut tx = self.write().await?;
        enqueue_within(&mut tx, instances, server, "").await?;
        tx.commit().await
    }

    /// Delivers everything that waits, now. Rows of another process that is sending are left to it.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; disk and database errors. A peer that cannot be reached is no error: its rows wait.
    pub async fn flush(&self, watch: &Watch) -> Result<FlushReport> {
        let report = self.deliver(watch, true).await?;
        if watch.check().is_err() { Err(Error::Cancelled) } else { Ok(report) }
    }

    /// Delivers whenever something is due, until `shutdown` completes.
    pub async fn run_outbox(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let watch = Watch::default();
        loop {
            tokio::select! {
                () = &mut shutdown => {
                    watch.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
                    return;
                }
                delivered = self.deliver(&watch, false) => {
                    if let Err(error) = delivered {
                        tracing::warn!(%error, "the outbox stopped; it will go on");
                    }
                }
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
            }
        }
    }

    async fn deliver(&self, watch: &Watch, is_asked: bool) -> Result<FlushReport> {
        let mut report = FlushReport::default();
        let names: Vec<String> = {
            let mut conn = self.read().await?;
            sqlx::query_scalar("SELECT DISTINCT server FROM outbox WHERE state IN ('waiting', 'sending') ORDER BY server")
                .fetch_all(&mut *conn)
                .await?
        };
        for name in names {
            let server = self.server(&name).await?;
            // One try for each row in a run, so that it ends.
            let (now, accepted_before) = (now_ms(), report.accepted);
            let mut last = 0;
            while watch.check().is_ok() {
                let rows = self.lease(&name, now, is_asked, last).await?;
                let Some(end) = rows.last().map(|row| row.pk) else { break };
                last = end;
                let went_well = self.send(&server, rows, watch, &mut report).await?;
                if !went_well {
                    break;
                }
            }
            if report.accepted > accepted_before {
                report.verified += self.verify_accepted(&server).await?;
            }
        }
        Ok(report)
    }

    /// Takes rows for this process.
    async fn lease(&self, server: &str, now: i64, is_asked: bool, after: i64) -> Result<Vec<Leased>> {
        let mut tx = self.write().await?;
        self.free_rows_of_the_dead(tx.conn()).await?;
        let rows = sqlx::query(
            "SELECT outbox_pk, outbox.instance_uid, sop_class, transfer_syntax, object_file FROM outbox JOIN instance USING (instance_uid)
             WHERE server = ?1 AND outbox_pk > ?2
                 AND ((state = 'waiting' AND (?3 OR not_before <= ?4)) OR (state = 'sending' AND lease_until <= ?4))
             ORDER BY outbox_pk LIMIT ?5",
        )
        .bind(server)
        .bind(after)
        .bind(is_asked)
        .bind(now)
        .bind(BATCH)
        .fetch_all(tx.conn())
        .await?;
        let mut leased = Vec::with_capacity(rows.len());
        for row in &rows {
            let pk: i64 = row.try_get("outbox_pk")?;
            sqlx::query("UPDATE outbox SET state = 'sending', attempts = attempts + 1, lease_by = ?, lease_until = ?, updated_at = ? WHERE outbox_pk = ?")
                .bind(self.lease_name())
                .bind(now_ms() + LEASE_MS)
                .bind(mj_model::clock::now().to_string())
                .bind(pk)
                .execute(tx.conn())
                .await?;
            leased.push(Leased {
                pk,
                instance: uid(row.try_get("instance_uid")?, InstanceUid::parse)?,
                sop_class: uid(row.try_get("sop_class")?, SopClassUid::parse)?,
                transfer_syntax: uid(row.try_get("transfer_syntax")?, TransferSyntaxUid::parse)?,
                object_file: row.try_get("object_file")?,
            });
        }
        if !leased.is_empty() {
            refresh_studies(tx.conn(), leased.iter().map(|row| row.pk)).await?;
            tx.commit().await?;
        }
        Ok(leased)
    }

    /// Lets go of the rows of processes that ended while sending: nobody else will settle them.
    async fn free_rows_of_the_dead(&self, conn: &mut SqliteConnection) -> Result<()> {
        let holders: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT lease_by FROM outbox WHERE state = 'sending' AND lease_by IS NOT NULL")
                .fetch_all(&mut *conn)
                .await?;
        for gone in holders.iter().filter(|holder| !session::is_alive(self.dir(), holder)) {
            sqlx::query("UPDATE outbox SET lease_until = 0 WHERE state = 'sending' AND lease_by = ?")
                .bind(gone)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }

    fn lease_name(&self) -> String {
        self.inner.session.dir().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Sends leased rows on one line. Each answer is kept the moment it comes. False when the line failed.
    async fn send(&self, server: &Server, rows: Vec<Leased>, watch: &Watch, report: &mut FlushReport) -> Result<bool> {
        let mut undecided: BTreeMap<InstanceUid, i64> = rows.iter().map(|row| (row.instance.clone(), row.pk)).collect();
        let items: Vec<StoreItem> = rows.into_iter().map(|row| self.item(row)).collect();
        let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let cancel = std::sync::Arc::clone(&watch.cancel);
        let peer = peer_of(server);
        let mut line = tokio::spawn(async move {
            peers::store(&peer, items, |instance, outcome| {
                let is_heard = answers.send((instance.clone(), outcome.clone())).is_ok();
                let goes_on = is_heard && !cancel.load(std::sync::atomic::Ordering::Relaxed);
                if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
            .await
        });
        let mut renewal = tokio::time::interval(Duration::from_millis(LEASE_MS.unsigned_abs() / 3));
        let ended = loop {
            tokio::select! {
                biased;
                Some((instance, outcome)) = answered.recv() => {
                    if let Some(pk) = undecided.remove(&instance) {
                        self.settle(&[pk], verdict_of(&outcome, server), report).await?;
                    }
                }
                _ = renewal.tick() => self.renew(undecided.values()).await?,
                ended = &mut line => break ended?,
            }
        };
        while let Ok((instance, outcome)) = answered.try_recv() {
            if let Some(pk) = undecided.remove(&instance) {
                self.settle(&[pk], verdict_of(&outcome, server), report).await?;
            }
        }
        let left: Vec<i64> = undecided.into_values().collect();
        let (verdict, went_well) = match ended {
            Ok(_) => (Verdict::Later("peer.cancelled".into()), true),
            Err(error) => (verdict_of_line(&error), false),
        };
        self.settle(&left, verdict, report).await?;
        Ok(went_well)
    }

    fn item(&self, row: Leased) -> StoreItem {
        let record = self.clone();
        StoreItem::later(row.instance, row.sop_class, row.transfer_syntax, move || {
            record.read_object(&row.object_file).map(|plain| plain.to_vec()).map_err(std::io::Error::other)
        })
    }

    async fn renew(&self, rows: impl Iterator<Item = &i64> + Send) -> Result<()> {
        let rows: Vec<i64> = rows.copied().collect();
        let mut tx = self.write().await?;
        for pk in rows {
            sqlx::query("UPDATE outbox SET lease_until = ? WHERE outbox_pk = ? AND lease_by = ? AND state = 'sending'")
                .bind(now_ms() + LEASE_MS)
                .bind(pk)
                .bind(self.lease_name())
                .execute(tx.conn())
                .await?;
        }
        tx.commit().await
    }

    /// Writes down how a try ended, for rows that this process still holds.
    async fn settle(&self, rows: &[i64], verdict: Verdict, report: &mut FlushReport) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for pk in rows {
            let held: Option<(u32, String, String)> = sqlx::query_as(
                "SELECT attempts, instance_uid, server FROM outbox WHERE outbox_pk = ? AND lease_by = ? AND state = 'sending'",
            )
            .bind(pk)
            .bind(self.lease_name())
            .fetch_optional(tx.conn())
            .await?;
            let Some((attempts, instance, server)) = held else { continue };
            let (state, evidence, reason, not_before) = match &verdict {
                Verdict::Accepted(evidence) => ("accepted", Some(evidence.to_string()), None, 0),
                Verdict::Refused(reason, evidence) => ("refused", Some(evidence.to_string()), Some(reason.clone()), 0),
                Verdict::Parked(reason) => ("parked", None, Some(reason.clone()), 0),
                Verdict::Later(reason) if attempts >= MOST_ATTEMPTS => ("parked", None, Some(reason.clone()), 0),
                Verdict::Later(reason) => ("waiting", None, Some(reason.clone()), now_ms() + backoff_ms(attempts)),
            };
            match state {
                "accepted" => report.accepted += 1,
                "waiting" => report.postponed += 1,
                _ => report.failed += 1,
            }
            sqlx::query(
                "UPDATE outbox SET state = ?, evidence = ?, reason = ?, not_before = ?, lease_by = NULL, lease_until = 0, updated_at = ? WHERE outbox_pk = ?",
            )
            .bind(state)
            .bind(evidence)
            .bind(&reason)
            .bind(not_before)
            .bind(mj_model::clock::now().to_string())
            .bind(pk)
            .execute(tx.conn())
            .await?;
            note(&mut tx, "", "outbox.answered", &instance, &json!({ "to": server, "state": state, "reason": reason })).await?;
        }
        refresh_studies(tx.conn(), rows.iter().copied()).await?;
        tx.commit().await
    }

    /// Asks the server whether it has what it accepted. A server that does not answer such questions leaves
    /// the rows as accepted.
    async fn verify_accepted(&self, server: &Server) -> Result<u32> {
        let rows = {
            let mut conn = self.read().await?;
            sqlx::query(
                "SELECT outbox_pk, outbox.instance_uid, series_uid, outbox.study_uid FROM outbox JOIN instance USING (instance_uid) JOIN series USING (series_pk)
                 WHERE server = ? AND state = 'accepted' ORDER BY outbox_pk LIMIT 5000",
            )
            .bind(&server.name)
            .fetch_all(&mut *conn)
            .await?
        };
        let mut by_series: BTreeMap<(String, String), Vec<(i64, String)>> = BTreeMap::new();
        for row in &rows {
            let key = (row.try_get("study_uid")?, row.try_get("series_uid")?);
            by_series.entry(key).or_default().push((row.try_get("outbox_pk")?, row.try_get("instance_uid")?));
        }
        let mut n_verified = 0;
        for ((study, series), rows) in by_series {
            let query = FindQuery::instances_of(&uid(&study, StudyUid::parse)?, &uid(&series, SeriesUid::parse)?);
            let Ok(found) = peers::find(&peer_of(server), &query).await else { break };
            let there: BTreeSet<String> = found.into_iter().filter_map(|row| row.sop_instance_uid).map(String::from).collect();
            let mut tx = self.write().await?;
            let mut pks = Vec::new();
            for (pk, instance) in rows.into_iter().filter(|(_, instance)| there.contains(instance)) {
                sqlx::query("UPDATE outbox SET state = 'verified', evidence = json_set(evidence, '$.found_at', ?), updated_at = ? WHERE outbox_pk = ? AND state = 'accepted'")
                    .bind(mj_model::clock::now().to_string())
                    .bind(mj_model::clock::now().to_string())
                    .bind(pk)
                    .execute(tx.conn())
                    .await?;
                note(&mut tx, "", "outbox.verified", &instance, &json!({ "to": server.name })).await?;
                pks.push(pk);
                n_verified += 1;
            }
            if !pks.is_empty() {
                refresh_studies(tx.conn(), pks.into_iter()).await?;
                tx.commit().await?;
            }
        }
        Ok(n_verified)
    }
}

/// As [`Record::enqueue`], within a transaction.
pub(crate) async fn enqueue_within(tx: &mut WriteTx, instances: &[InstanceUid], server: &str, who: &str) -> Result<()> {
    let mut pks = Vec::with_capacity(instances.len());
    for instance in instances {
        let found: Option<(String, String)> = sqlx::query_as(
            "SELECT study_uid, warnings FROM instance JOIN series USING (series_pk) JOIN study USING (study_pk) WHERE instance_uid = ?",
        )
        .bind(instance.as_str())
        .fetch_optional(tx.conn())
        .await?;
        let (study, warnings) = found.ok_or_else(|| Error::Unknown(instance.to_string()))?;
        if crate::ingest::is_cut_short(&warnings)? {
            return Err(Error::CutShort(instance.clone()));
        }
        let at = mj_model::clock::now().to_string();
        sqlx::query(
            "INSERT INTO outbox (instance_uid, study_uid, server, state, created_at, updated_at) VALUES (?1, ?2, ?3, 'waiting', ?4, ?4)
             ON CONFLICT (instance_uid, server) DO UPDATE SET state = 'waiting', attempts = 0, reason = NULL, not_before = 0, updated_at = ?4
             WHERE state IN ('refused', 'parked')",
        )
        .bind(instance.as_str())
        .bind(&study)
        .bind(server)
        .bind(&at)
        .execute(tx.conn())
        .await?;
        let pk: i64 = sqlx::query_scalar("SELECT outbox_pk FROM outbox WHERE instance_uid = ? AND server = ?")
            .bind(instance.as_str())
            .bind(server)
            .fetch_one(tx.conn())
            .await?;
        pks.push(pk);
    }
    refresh_studies(tx.conn(), pks.into_iter()).await?;
    note(tx, who, "outbox.enqueued", server, &json!({ "instances": instances.len() })).await
}

/// Brings the worklist's state of the rows' studies up to date: the state that needs most care counts.
async fn refresh_studies(conn: &mut SqliteConnection, rows: impl Iterator<Item = i64>) -> Result<()> {
    let mut studies = BTreeSet::new();
    for pk in rows {
        let study: Option<String> =
            sqlx::query_scalar("SELECT study_uid FROM outbox WHERE outbox_pk = ?").bind(pk).fetch_optional(&mut *conn).await?;
        studies.extend(study);
    }
    for study in studies {
        sqlx::query(
            "UPDATE study SET outbox_state = COALESCE((SELECT state FROM outbox WHERE outbox.study_uid = study.study_uid
                 ORDER BY CASE state WHEN 'refused' THEN 0 WHEN 'parked' THEN 1 WHEN 'sending' THEN 2 WHEN 'waiting' THEN 3 WHEN 'accepted' THEN 4 ELSE 5 END
                 LIMIT 1), 'none') WHERE study_uid = ?",
        )
        .bind(study)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn verdict_of(outcome: &StoreOutcome, server: &Server) -> Verdict {
    let evidence = |status: u16, comment: &str| {
        let at = mj_model::clock::now();
        json!({ "service": "C-STORE", "status": format!("{status:04X}"), "comment": comment, "aet": server.aet, "host": server.host, "port": server.port, "at": at })
    };
    match outcome {
        StoreOutcome::Accepted { status, comment } => Verdict::Accepted(evidence(*status, comment)),
        StoreOutcome::Refused { status, comment } if outcome.is_retryable() => {
            Verdict::Later(format!("peer.failed {status:04X} {comment}"))
        }
        StoreOutcome::Refused { status, comment } => {
            Verdict::Refused(format!("peer.failed {status:04X} {comment}").trim().to_owned(), evidence(*status, comment))
        }
        StoreOutcome::NotOffered => Verdict::Refused("peer.not_offered".into(), evidence(0x0122, "")),
        StoreOutcome::Unreadable { cause } => Verdict::Parked(format!("disk.io {cause}")),
    }
}

fn verdict_of_line(error: &PeerError) -> Verdict {
    let reason = error.code().to_owned();
    if error.is_retryable() { Verdict::Later(reason) } else { Verdict::Parked(reason) }
}

/// 5 s, 10 s, 20 s, … up to a quarter of an hour.
fn backoff_ms(attempts: u32) -> i64 {
    (5_000_i64 << attempts.saturating_sub(1).min(10)).min(900_000)
}

fn now_ms() -> i64 {
    mj_model::clock::now().utc.as_millisecond()
}
