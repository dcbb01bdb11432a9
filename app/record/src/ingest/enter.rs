//! Deciding by identity and storing, a batch in one transaction.

use super::Ingested;
use super::prepare::Prepared;
use super::twins::Finding;
use crate::audit::note;
use crate::db::{WriteTx, to_json};
use crate::objects::{Place, Placed};
use crate::{Record, Result};
use mj_dicom::Header;
use mj_dicom::dataset::CUT_SHORT;
use mj_dicom::header::Patient;
use mj_model::{InstanceUid, Warning};
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// An instance of the record.
pub(crate) struct KnownInstance {
    pub(crate) sha256: [u8; 32],
    pub(crate) has_pixels: bool,
    pub(crate) is_cut_short: bool,
    pub(crate) object_file: String,
}

/// True when the stored warnings of an instance say that it is cut short.
pub(crate) fn is_cut_short(warnings: &str) -> Result<bool> {
    let warnings: Vec<Warning> = serde_json::from_str(warnings).map_err(|_bad| crate::Error::Stored("warnings"))?;
    Ok(warnings.iter().any(|w| w.code == CUT_SHORT))
}

/// The instance of a UID, if the record has it.
pub(crate) async fn known_instance(conn: &mut SqliteConnection, uid: &InstanceUid) -> Result<Option<KnownInstance>> {
    let row = sqlx::query("SELECT dataset_sha256, has_pixels, warnings, object_file FROM instance WHERE instance_uid = ?")
        .bind(uid.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let sha256 = row.try_get::<Vec<u8>, _>("dataset_sha256")?.try_into().map_err(|_length| crate::Error::Stored("hash"))?;
        let is_cut_short = is_cut_short(row.try_get("warnings")?)?;
        Ok(KnownInstance { sha256, has_pixels: row.try_get("has_pixels")?, is_cut_short, object_file: row.try_get("object_file")? })
    })
    .transpose()
}

impl Decision {
    const SAME: Self = Self::Present { by_pixels: false, is_part: false };
}

/// What is to be done with an object.
enum Decision {
    Store,
    Present {
        by_pixels: bool,
        is_part: bool,
    },
    Twin,
    /// What is there, of this hash, gives way.
    Complete {
        known: [u8; 32],
    },
    Wait {
        is_new: bool,
    },
    Aside {
        reason: &'static str,
        is_new: bool,
    },
}

pub(super) const OTHER_CONTENT: &str = "import.same_uid_other_content";
pub(super) const OTHER_PATIENT: &str = "import.patient_mismatch";
pub(super) const OTHER_SERIES: &str = "import.series_mismatch";

/// SOP classes without pixels by nature: presentation states, structured reports and key objects,
/// registrations, waveforms, encapsulated documents, RT objects. Source: PS3.6 annex A.
const WITHOUT_PIXELS: [&str; 7] = [
    "1.2.840.10008.5.1.4.1.1.11.",
    "1.2.840.10008.5.1.4.1.1.88.",
    "1.2.840.10008.5.1.4.1.1.66",
    "1.2.840.10008.5.1.4.1.1.9.",
    "1.2.840.10008.5.1.4.1.1.104.",
    "1.2.840.10008.5.1.4.1.1.481.",
    "1.2.840.10008.5.1.4.34.",
];

fn lacks_pixels(header: &Header) -> bool {
    !header.has_pixels && !WITHOUT_PIXELS.iter().any(|prefix| header.sop_class.as_str().starts_with(prefix))
}

impl Record {
    /// Lets objects enter in one transaction: all of them or none. Gives what became of each, in order.
    pub(crate) async fn enter(&self, batch: Vec<Prepared>) -> Result<Vec<(String, Ingested)>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let (placed, outcomes) = self.enter_within(&mut tx, batch, "import").await?;
        self.commit_with(tx, placed).await?;
        Ok(outcomes)
    }

    /// As [`Record::enter`], within a transaction that does more; the caller commits with the placed files.
    pub(crate) async fn enter_within(
        &self,
        tx: &mut WriteTx,
        batch: Vec<Prepared>,
        why: &str,
    ) -> Result<(Placed, Vec<(String, Ingested)>)> {
        let mut decided = Vec::with_capacity(batch.len());
        // Two files of one batch may be the same instance.
        let mut within: BTreeMap<InstanceUid, [u8; 32]> = BTreeMap::new();
        let mut aside: BTreeSet<(InstanceUid, [u8; 32])> = BTreeSet::new();
        let mut patients: BTreeMap<String, (String, String, String)> = BTreeMap::new();
        let mut people: BTreeMap<(String, String, String), Patient> = BTreeMap::new();
        let mut series_studies: BTreeMap<String, String> = BTreeMap::new();
        for prepared in batch {
            let mut decision = decide(tx.conn(), &prepared).await?;
            let header = &prepared.header;
            if let Decision::Store = decision {
                let patient = identity(header);
                let mut same_patient = *patients.entry(header.study.uid.to_string()).or_insert_with(|| patient.clone()) == patient;
                same_patient &= !people.entry(row_of(header)).or_insert_with(|| header.patient.clone()).contradicts(&header.patient);
                let of_series = series_studies.entry(header.series.uid.to_string()).or_insert_with(|| header.study.uid.to_string());
                decision = match within.get(&header.instance) {
                    Some(sha256) if *sha256 == prepared.sha256 => Decision::SAME,
                    Some(_) if header.has_pixels => Decision::Wait { is_new: true },
                    Some(_) => Decision::Aside { reason: OTHER_CONTENT, is_new: true },
                    None if !same_patient => Decision::Aside { reason: OTHER_PATIENT, is_new: true },
                    None if *of_series != header.study.uid.as_str() => Decision::Aside { reason: OTHER_SERIES, is_new: true },
                    None => {
                        within.insert(header.instance.clone(), prepared.sha256);
                        Decision::Store
                    }
                };
            }
            if let Decision::Complete { .. } = decision {
                decision = match within.insert(header.instance.clone(), prepared.sha256) {
                    None => decision,
                    Some(sha256) if sha256 == prepared.sha256 => Decision::SAME,
                    Some(_) => Decision::Wait { is_new: true },
                };
            }
            // The same contradiction twice in a batch is kept aside once.
            if let Decision::Aside { is_new, .. } | Decision::Wait { is_new } = &mut decision {
                *is_new &= aside.insert((prepared.header.instance.clone(), prepared.sha256));
            }
            decided.push((prepared, decision));
        }
        self.store_decided(tx, decided, why).await
    }

    async fn store_decided(
        &self,
        tx: &mut WriteTx,
        mut decided: Vec<(Prepared, Decision)>,
        why: &str,
    ) -> Result<(Placed, Vec<(String, Ingested)>)> {
        let mut moving = Vec::new();
        for (prepared, decision) in &mut decided {
            let place = match decision {
                Decision::Store | Decision::Complete { .. } | Decision::Aside { is_new: true, .. } => Place::Objects,
                Decision::Wait { is_new: true } => Place::Inbox,
                _ => continue,
            };
            if let Some(staged) = prepared.staged.take() {
                moving.push((staged, place));
            }
        }
        let sizes: Vec<u64> = moving.iter().map(|(staged, _)| staged.bytes).collect();
        let (placed, files) = self.place(tx, moving)?;
        let mut files = files.into_iter().zip(sizes);
        let mut rows = Rows::default();
        let mut outcomes = Vec::with_capacity(decided.len());
        for (prepared, decision) in decided {
            let Prepared { from, header, sha256, .. } = prepared;
            let (instance, study) = (header.instance.clone(), header.study.uid.clone());
            let outcome = match decision {
                Decision::Present { by_pixels, is_part } => Ingested::AlreadyPresent { instance, study, by_pixels, is_part },
                Decision::Twin => {
                    add_twin(tx.conn(), &instance, &sha256).await?;
                    Ingested::AlreadyPresent { instance, study, by_pixels: true, is_part: false }
                }
                Decision::Complete { known } => {
                    let (file, bytes) = files.next().ok_or(crate::Error::Task)?;
                    give_way(tx, &known, &Newcomer { header: &header, sha256: &sha256, file: &file, bytes, from: &from }).await?;
                    Ingested::Completed { instance, study, is_cut_short: header.is_cut_short() }
                }
                Decision::Store => {
                    let (file, bytes) = files.next().ok_or(crate::Error::Task)?;
                    rows.add(tx.conn(), &header, &sha256, &file, bytes, &from).await?;
                    let (series, is_cut_short) = (header.series.uid.clone(), header.is_cut_short());
                    Ingested::Stored { instance, study, series, lacks_pixels: lacks_pixels(&header), is_cut_short }
                }
                Decision::Aside { reason, is_new } => {
                    if is_new {
                        let (file, bytes) = files.next().ok_or(crate::Error::Task)?;
                        add_conflict(tx.conn(), &header, &sha256, &file, bytes, reason, "aside", &from).await?;
                        note(tx, "", "import.kept_aside", instance.as_str(), &json!({ "reason": reason })).await?;
                    } else {
                        wait_no_more(tx.conn(), &instance, &sha256, reason).await?;
                    }
                    Ingested::Conflict { instance, study, reason }
                }
                Decision::Wait { is_new } => {
                    if is_new {
                        let (file, bytes) = files.next().ok_or(crate::Error::Task)?;
                        add_conflict(tx.conn(), &header, &sha256, &file, bytes, OTHER_CONTENT, "waiting", &from).await?;
                    }
                    Ingested::Waiting { instance, study, dataset_sha256: sha256 }
                }
            };
            outcomes.push((from, outcome));
        }
        rows.finish(tx, why).await?;
        Ok((placed, outcomes))
    }
}

/// Decides by what the record holds.
async fn decide(conn: &mut SqliteConnection, prepared: &Prepared) -> Result<Decision> {
    let (header, sha256) = (&prepared.header, prepared.sha256.as_slice());
    let instance = header.instance.as_str();
    if let Some(known) = known_instance(conn, &header.instance).await? {
        if known.sha256 == prepared.sha256 {
            return Ok(Decision::SAME);
        }
        if is_twin(conn, &header.instance, sha256).await? {
            return Ok(Decision::Present { by_pixels: true, is_part: false });
        }
        let kept = kept_aside(conn, instance, sha256).await?;
        let is_new = kept.is_none() && prepared.staged.is_some();
        if let Some((state, reason)) = &kept
            && state == "aside"
        {
            return Ok(Decision::Aside { reason: known_reason(reason), is_new });
        }
        let verdict = prepared.twin.filter(|verdict| verdict.against == known.sha256);
        // A verdict ends the waiting, of a newcomer as of one that came before.
        return Ok(match verdict.map(|verdict| verdict.finding) {
            Some(Finding::Other(reason)) => Decision::Aside { reason, is_new },
            Some(Finding::SamePixels) => Decision::Twin,
            Some(Finding::PartOfKnown) => Decision::Present { by_pixels: false, is_part: true },
            Some(Finding::Completes) if prepared.staged.is_some() => Decision::Complete { known: known.sha256 },
            _ if kept.is_some() || (header.has_pixels && known.has_pixels) => Decision::Wait { is_new },
            _ => Decision::Aside { reason: OTHER_CONTENT, is_new },
        });
    }
    let reason = contradiction(conn, header).await?;
    Ok(match reason {
        None => Decision::Store,
        Some(reason) => Decision::Aside { reason, is_new: kept_aside(conn, instance, sha256).await?.is_none() },
    })
}

pub(super) async fn is_twin(conn: &mut SqliteConnection, instance: &InstanceUid, sha256: &[u8]) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM instance_twin WHERE instance_uid = ? AND dataset_sha256 = ?)")
        .bind(instance.as_str())
        .bind(sha256)
        .fetch_one(conn)
        .await?)
}

/// The reason of a kept conflict, as one of those that are told.
fn known_reason(kept: &str) -> &'static str {
    [OTHER_PATIENT, OTHER_SERIES].into_iter().find(|reason| *reason == kept).unwrap_or(OTHER_CONTENT)
}

/// One that waited turns out to be a contradiction: a person decides.
pub(super) async fn wait_no_more(conn: &mut SqliteConnection, instance: &InstanceUid, sha256: &[u8], reason: &str) -> Result<bool> {
    let changed =
        sqlx::query("UPDATE conflict SET state = 'aside', reason = ? WHERE instance_uid = ? AND dataset_sha256 = ? AND state = 'waiting'")
            .bind(reason)
            .bind(instance.as_str())
            .bind(sha256)
            .execute(&mut *conn)
            .await?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE study SET local_state = 'conflict' WHERE study_uid IN (SELECT study_uid FROM conflict WHERE instance_uid = ? AND dataset_sha256 = ?)")
        .bind(instance.as_str())
        .bind(sha256)
        .execute(conn)
        .await?;
    Ok(true)
}

pub(super) async fn kept_aside(conn: &mut SqliteConnection, instance: &str, sha256: &[u8]) -> Result<Option<(String, String)>> {
    Ok(sqlx::query_as("SELECT state, reason FROM conflict WHERE instance_uid = ? AND dataset_sha256 = ?")
        .bind(instance)
        .bind(sha256)
        .fetch_optional(conn)
        .await?)
}

/// Identity of a patient: issuer and id. Without an id nobody can be told from anybody, so the name serves
/// within a study.
fn identity(header: &Header) -> (String, String, String) {
    let key = &header.patient.key;
    let name = if key.id.show().is_empty() { header.patient.name.to_dicom() } else { String::new() };
    (key.issuer.show().clone(), key.id.show().clone(), name)
}

/// The row of a patient: issuer, id, and the study where there is no id.
fn row_of(header: &Header) -> (String, String, String) {
    let key = &header.patient.key;
    let scope = if key.id.show().is_empty() { header.study.uid.to_string() } else { String::new() };
    (key.issuer.show().clone(), key.id.show().clone(), scope)
}

/// What the record knows of the patient of an object.
async fn known_patient(conn: &mut SqliteConnection, header: &Header) -> Result<Option<Patient>> {
    let (issuer, id, scope) = row_of(header);
    let row = sqlx::query(
        "SELECT name_alphabetic, name_ideographic, name_phonetic, sex, birth_date FROM patient WHERE issuer = ? AND patient_id = ? AND scope = ?",
    )
    .bind(issuer)
    .bind(id)
    .bind(scope)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Patient {
            key: header.patient.key.clone(),
            name: name_of(&row)?,
            sex: row.try_get("sex")?,
            birth_date: row.try_get::<Option<String>, _>("birth_date")?.map(mj_model::Phi::new),
            age: None,
        })
    })
    .transpose()
}

fn name_of(row: &sqlx::sqlite::SqliteRow) -> Result<mj_model::PersonName> {
    Ok(mj_model::PersonName {
        alphabetic: mj_model::Phi::new(row.try_get("name_alphabetic")?),
        ideographic: mj_model::Phi::new(row.try_get("name_ideographic")?),
        phonetic: mj_model::Phi::new(row.try_get("name_phonetic")?),
    })
}

/// A study under another patient, another person under a known patient's id, or a series in another study.
async fn contradiction(conn: &mut SqliteConnection, header: &Header) -> Result<Option<&'static str>> {
    let of_study = sqlx::query(
        "SELECT issuer, patient_id, name_alphabetic, name_ideographic, name_phonetic FROM study JOIN patient USING (patient_pk) WHERE study_uid = ?",
    )
    .bind(header.study.uid.as_str())
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = of_study {
        let (issuer, id, new_name) = identity(header);
        let mut is_same = row.try_get::<String, _>("issuer")? == issuer && row.try_get::<String, _>("patient_id")? == id;
        if id.is_empty() {
            is_same &= name_of(&row)?.to_dicom() == new_name;
        }
        if !is_same {
            return Ok(Some(OTHER_PATIENT));
        }
    }
    // Two hospitals, or one typing mistake: the same number does not make two people one.
    if known_patient(conn, header).await?.is_some_and(|known| known.contradicts(&header.patient)) {
        return Ok(Some(OTHER_PATIENT));
    }
    let of_series: Option<String> = sqlx::query_scalar("SELECT study_uid FROM series JOIN study USING (study_pk) WHERE series_uid = ?")
        .bind(header.series.uid.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(of_series.is_some_and(|study| study != header.study.uid.as_str()).then_some(OTHER_SERIES))
}

/// An object that takes the place of what is the beginning of it.
pub(super) struct Newcomer<'a> {
    pub(super) header: &'a Header,
    pub(super) sha256: &'a [u8],
    pub(super) file: &'a str,
    pub(super) bytes: u64,
    pub(super) from: &'a str,
}

/// Puts a newcomer in the place of the data set `known`, which is cut short. Its file stays, and the audit names it. False
/// when another data set is there by now.
pub(super) async fn give_way(tx: &mut WriteTx, known: &[u8; 32], newcomer: &Newcomer<'_>) -> Result<bool> {
    let instance = newcomer.header.instance.as_str();
    let before: Option<(String, i64)> =
        sqlx::query_as("SELECT object_file, bytes FROM instance WHERE instance_uid = ? AND dataset_sha256 = ?")
            .bind(instance)
            .bind(known.as_slice())
            .fetch_optional(tx.conn())
            .await?;
    let Some((file, bytes)) = before else { return Ok(false) };
    sqlx::query(
        "UPDATE instance SET dataset_sha256 = ?, object_file = ?, bytes = ?, warnings = ?, came_from = ?, at = ? WHERE instance_uid = ?",
    )
    .bind(newcomer.sha256)
    .bind(newcomer.file)
    .bind(i64::try_from(newcomer.bytes).unwrap_or(i64::MAX))
    .bind(to_json(&newcomer.header.warnings)?)
    .bind(newcomer.from)
    .bind(mj_model::clock::now().to_string())
    .bind(instance)
    .execute(tx.conn())
    .await?;
    // What was taken of a part, or could not be, is looked at anew.
    sqlx::query("DELETE FROM result WHERE instance_uid = ?").bind(instance).execute(tx.conn()).await?;
    let sha256: String = known.iter().map(|byte| format!("{byte:02x}")).collect();
    note(tx, "", "import.completed", instance, &json!({ "cut_short": { "file": file, "bytes": bytes, "dataset_sha256": sha256 } })).await?;
    Ok(true)
}

pub(super) async fn add_twin(conn: &mut SqliteConnection, instance: &InstanceUid, sha256: &[u8]) -> Result<()> {
    sqlx::query("INSERT OR IGNORE INTO instance_twin VALUES (?, ?)").bind(instance.as_str()).bind(sha256).execute(conn).await?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
async fn add_conflict(
    conn: &mut SqliteConnection,
    header: &Header,
    sha256: &[u8],
    file: &str,
    bytes: u64,
    reason: &str,
    state: &str,
    from: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO conflict (instance_uid, study_uid, dataset_sha256, object_file, bytes, reason, state, came_from, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(header.instance.as_str())
    .bind(header.study.uid.as_str())
    .bind(sha256)
    .bind(file)
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .bind(reason)
    .bind(state)
    .bind(from)
    .bind(mj_model::clock::now().to_string())
    .execute(&mut *conn)
    .await?;
    if state == "aside" {
        sqlx::query("UPDATE study SET local_state = 'conflict' WHERE study_uid = ?").bind(header.study.uid.as_str()).execute(conn).await?;
    }
    Ok(())
}

/// Rows of one transaction: what was looked up once is remembered, counters are added up and written once.
#[derive(Default)]
struct Rows {
    series: BTreeMap<String, (i64, i64)>,
    n_by_series: BTreeMap<i64, i64>,
    n_by_study: BTreeMap<i64, i64>,
    uids: BTreeMap<i64, String>,
    changed_studies: BTreeSet<i64>,
}

impl Rows {
    async fn add(&mut self, conn: &mut SqliteConnection, header: &Header, sha256: &[u8], file: &str, bytes: u64, from: &str) -> Result<()> {
        let (study_pk, series_pk) = self.series_of(conn, header).await?;
        sqlx::query(
            "INSERT INTO instance (instance_uid, series_pk, sop_class, transfer_syntax, instance_number, rows, columns, frames, has_pixels,
             dataset_sha256, object_file, bytes, warnings, came_from, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(header.instance.as_str())
        .bind(series_pk)
        .bind(header.sop_class.as_str())
        .bind(header.transfer_syntax.as_str())
        .bind(header.instance_number)
        .bind(header.rows)
        .bind(header.columns)
        .bind(header.frames)
        .bind(header.has_pixels)
        .bind(sha256)
        .bind(file)
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(to_json(&header.warnings)?)
        .bind(from)
        .bind(mj_model::clock::now().to_string())
        .execute(conn)
        .await?;
        *self.n_by_series.entry(series_pk).or_default() += 1;
        *self.n_by_study.entry(study_pk).or_default() += 1;
        Ok(())
    }

    async fn series_of(&mut self, conn: &mut SqliteConnection, header: &Header) -> Result<(i64, i64)> {
        let series = &header.series;
        if let Some(known) = self.series.get(series.uid.as_str()) {
            return Ok(*known);
        }
        let study_pk = self.study_of(conn, header).await?;
        let known: Option<i64> = sqlx::query_scalar("SELECT series_pk FROM series WHERE series_uid = ?")
            .bind(series.uid.as_str())
            .fetch_optional(&mut *conn)
            .await?;
        let series_pk = match known {
            Some(pk) => pk,
            None => {
                self.changed_studies.insert(study_pk);
                sqlx::query(
                    "INSERT INTO series (series_uid, study_pk, number, modality, description, body_part, laterality, frame_of_reference_uid)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(series.uid.as_str())
                .bind(study_pk)
                .bind(series.number)
                .bind(&series.modality)
                .bind(&series.description)
                .bind(&series.body_part)
                .bind(&series.laterality)
                .bind(series.frame_of_reference.as_ref().map(mj_model::FrameOfReferenceUid::as_str))
                .execute(conn)
                .await?
                .last_insert_rowid()
            }
        };
        self.series.insert(series.uid.to_string(), (study_pk, series_pk));
        Ok((study_pk, series_pk))
    }

    async fn study_of(&mut self, conn: &mut SqliteConnection, header: &Header) -> Result<i64> {
        let study = &header.study;
        let known: Option<i64> = sqlx::query_scalar("SELECT study_pk FROM study WHERE study_uid = ?")
            .bind(study.uid.as_str())
            .fetch_optional(&mut *conn)
            .await?;
        let pk = match known {
            Some(pk) => {
                // Another series may say what the first one left out.
                sqlx::query(
                    "UPDATE study SET request = CASE request WHEN '' THEN ?1 ELSE request END,
                         clinical_history = CASE clinical_history WHEN '' THEN ?2 ELSE clinical_history END,
                         accession = CASE accession WHEN '' THEN ?3 ELSE accession END,
                         description = CASE description WHEN '' THEN ?4 ELSE description END WHERE study_pk = ?5",
                )
                .bind(&study.request)
                .bind(study.clinical_history.show())
                .bind(study.accession.show())
                .bind(&study.description)
                .bind(pk)
                .execute(conn)
                .await?;
                pk
            }
            None => insert_study(conn, header).await?,
        };
        self.uids.insert(pk, study.uid.to_string());
        Ok(pk)
    }

    /// Writes counters, modalities, the text index and the audit.
    async fn finish(self, tx: &mut WriteTx, why: &str) -> Result<()> {
        for (pk, n) in &self.n_by_series {
            sqlx::query("UPDATE series SET n_instances = n_instances + ? WHERE series_pk = ?").bind(n).bind(pk).execute(tx.conn()).await?;
        }
        for (pk, n) in &self.n_by_study {
            sqlx::query("UPDATE study SET n_instances = n_instances + ? WHERE study_pk = ?").bind(n).bind(pk).execute(tx.conn()).await?;
            let uid = self.uids.get(pk).map(String::as_str).unwrap_or_default();
            note(tx, "", why, uid, &json!({ "instances": n })).await?;
        }
        for pk in &self.changed_studies {
            index_study(tx.conn(), *pk).await?;
        }
        Ok(())
    }
}

async fn insert_study(conn: &mut SqliteConnection, header: &Header) -> Result<i64> {
    let (patient, study) = (&header.patient, &header.study);
    let (issuer, id, scope) = row_of(header);
    // Nothing here contradicts the row of an id that is known; another study may say what the first one left out.
    sqlx::query(
        "INSERT INTO patient (issuer, patient_id, scope, name_alphabetic, name_ideographic, name_phonetic, sex, birth_date)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (issuer, patient_id, scope) DO UPDATE SET
             sex = CASE sex WHEN '' THEN excluded.sex ELSE sex END, birth_date = COALESCE(birth_date, excluded.birth_date)",
    )
    .bind(&issuer)
    .bind(&id)
    .bind(&scope)
    .bind(patient.name.alphabetic.show())
    .bind(patient.name.ideographic.show())
    .bind(patient.name.phonetic.show())
    .bind(&patient.sex)
    .bind(patient.birth_date.as_ref().map(mj_model::Phi::show))
    .execute(&mut *conn)
    .await?;
    let patient_pk: i64 = sqlx::query_scalar("SELECT patient_pk FROM patient WHERE issuer = ? AND patient_id = ? AND scope = ?")
        .bind(issuer)
        .bind(id)
        .bind(scope)
        .fetch_one(&mut *conn)
        .await?;
    let date = study.date.clone().unwrap_or_default();
    let sort_name = if patient.name.alphabetic.show().is_empty() { &patient.name.ideographic } else { &patient.name.alphabetic };
    let inserted = sqlx::query(
        "INSERT INTO study (study_uid, patient_pk, study_id, date, time, description, accession, institution, referring, request,
         clinical_history, age, sort_date, sort_name, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(study.uid.as_str())
    .bind(patient_pk)
    .bind(&study.id)
    .bind(&study.date)
    .bind(Some(&study.time).filter(|time| !time.is_empty()))
    .bind(&study.description)
    .bind(study.accession.show())
    .bind(&study.institution)
    .bind(&study.referring)
    .bind(&study.request)
    .bind(study.clinical_history.show())
    .bind(&patient.age)
    .bind(format!("{date} {}", study.time))
    .bind(sort_name.show().to_lowercase())
    .bind(mj_model::clock::now().to_string())
    .execute(conn)
    .await?;
    Ok(inserted.last_insert_rowid())
}

/// Brings modalities and the text index of a study up to date.
pub(crate) async fn index_study(conn: &mut SqliteConnection, pk: i64) -> Result<()> {
    let modalities: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT modality FROM series WHERE study_pk = ? AND modality <> '' ORDER BY modality")
            .bind(pk)
            .fetch_all(&mut *conn)
            .await?;
    let modalities = modalities.join(" ");
    let row = sqlx::query(
        "SELECT name_alphabetic, name_ideographic, name_phonetic, patient_id, study_id, accession, description, date
         FROM study JOIN patient USING (patient_pk) WHERE study_pk = ?",
    )
    .bind(pk)
    .fetch_one(&mut *conn)
    .await?;
    let mut texts = Vec::new();
    for column in ["name_alphabetic", "name_ideographic", "name_phonetic", "patient_id", "study_id", "accession", "description"] {
        let text: String = row.try_get(column)?;
        if column.starts_with("name") {
            // A full name is typed without the marks between its parts.
            texts.push(text.replace(['^', ' '], ""));
        }
        texts.push(text);
    }
    let date: Option<String> = row.try_get("date")?;
    texts.extend(date.as_ref().map(|date| date.replace('-', "")));
    texts.extend(date);
    texts.push(modalities.clone());
    sqlx::query("UPDATE study SET modalities = ?, words = ? WHERE study_pk = ?")
        .bind(&modalities)
        .bind(crate::worklist::plain_words(texts.iter().map(String::as_str)))
        .bind(pk)
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM study_text WHERE rowid = ?").bind(pk).execute(&mut *conn).await?;
    sqlx::query("INSERT INTO study_text (rowid, pairs, modality) VALUES (?, ?, ?)")
        .bind(pk)
        .bind(crate::worklist::index_text(texts.iter().map(String::as_str)))
        .bind(modalities.to_lowercase())
        .execute(conn)
        .await?;
    Ok(())
}
