//! Findings: append-only revisions, and the chips of open reports that follow them.

use crate::audit::note;
use crate::db::{WriteTx, json, to_json};
use crate::reports;
use crate::{Error, Record, Result};
use mj_model::finding::Origin;
use mj_model::{Code, Finding, FindingState, StudyUid};
use mj_report::{Document, Op};
use serde::Serialize;
use serde_json::json;
use sqlx::SqliteConnection;

/// An edit that the record made in a report by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportEdit {
    /// Id of the report.
    pub report: String,
    /// Revision after the edit.
    pub revision: u64,
    /// What was done.
    pub ops: Vec<Op>,
}

/// A stored revision of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingStored {
    /// The revision as it was stored.
    pub finding: Finding,
    /// What followed in open reports.
    pub edits: Vec<ReportEdit>,
}

impl Record {
    /// Stores the next revision of a finding. `finding.revision` is the revision it was based on, 0 for a new
    /// one. In the same transaction the chips bound to it in all open reports of the patient follow: a report may speak
    /// of a prior study's measurement.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else stored a revision since; [`Error::Unknown`] when the study is not in
    /// the record; [`Error::WrongKind`] when the id belongs to a finding of another study; [`Error::Unusable`] when a
    /// number of it is not finite; database errors.
    pub async fn put_finding(&self, finding: Finding, who: &str) -> Result<FindingStored> {
        let mut tx = self.write().await?;
        let mut edits = Vec::new();
        let finding = keep_identity(&mut tx, finding).await?;
        let finding = put_within(&mut tx, finding, who, &mut edits).await?;
        tx.commit().await?;
        Ok(FindingStored { finding, edits })
    }

    /// A person accepts what a device proposed.
    ///
    /// # Errors
    /// [`Error::Held`] when it does not fit its images; [`Error::FindingState`] when it was rejected or taken back;
    /// as [`Record::put_finding`].
    pub async fn accept_finding(&self, id: &str, who: &str) -> Result<FindingStored> {
        let finding = self.finding(id).await?;
        if let Some(held) = finding.held {
            return Err(Error::Held(held));
        }
        if !finding.is_live() {
            return Err(Error::FindingState("finding.decided"));
        }
        self.put_finding(Finding { state: FindingState::Accepted, origin: Origin::person(who), ..finding }, who).await
    }

    /// A person rejects a finding, with a coded reason. What is held can be rejected too.
    ///
    /// # Errors
    /// [`Error::FindingState`] when it was rejected or taken back already; as [`Record::put_finding`].
    pub async fn reject_finding(&self, id: &str, reason: Code, who: &str) -> Result<FindingStored> {
        let finding = self.finding(id).await?;
        if matches!(finding.state, FindingState::Rejected | FindingState::Deleted) {
            return Err(Error::FindingState("finding.decided"));
        }
        let (state, origin) = (FindingState::Rejected, Origin::person(who));
        self.put_finding(Finding { state, origin, reason: Some(reason), ..finding }, who).await
    }

    /// Present revisions of a study's findings, oldest finding first, deleted ones included.
    ///
    /// # Errors
    /// Database errors.
    pub async fn findings(&self, study: &StudyUid) -> Result<Vec<Finding>> {
        let mut conn = self.read().await?;
        of_study(&mut conn, study).await
    }

    /// The present revision of a finding, by id or short id.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn finding(&self, id: &str) -> Result<Finding> {
        let id = self.full_id(id, 'f').await?;
        let mut conn = self.read().await?;
        let row = sqlx::query("SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) WHERE finding_id = ?")
            .bind(&id)
            .fetch_optional(&mut *conn)
            .await?;
        json(&row.ok_or(Error::Unknown(id))?, "content")
    }

    /// All revisions of a finding, oldest first.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn finding_history(&self, id: &str) -> Result<Vec<Finding>> {
        let id = self.full_id(id, 'f').await?;
        let mut conn = self.read().await?;
        let rows = sqlx::query("SELECT content FROM finding_revision WHERE finding_id = ? ORDER BY revision")
            .bind(&id)
            .fetch_all(&mut *conn)
            .await?;
        if rows.is_empty() {
            return Err(Error::Unknown(id));
        }
        rows.iter().map(|row| json(row, "content")).collect()
    }
}

/// Edits that followed in open reports.
pub(crate) type ReportEdits = Vec<ReportEdit>;

/// One lesion keeps its number over time, whoever edits it.
async fn keep_identity(tx: &mut WriteTx, finding: Finding) -> Result<Finding> {
    let row = sqlx::query("SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) WHERE finding_id = ?")
        .bind(&finding.id)
        .fetch_optional(tx.conn())
        .await?;
    let before: Option<Finding> = row.as_ref().map(|row| json(row, "content")).transpose()?;
    Ok(Finding { tracking_uid: before.map_or_else(|| finding.tracking_uid.clone(), |before| before.tracking_uid), ..finding })
}

/// Stores the next revision of a finding with the Tracking UID it has, and lets the chips of open reports follow.
pub(crate) async fn put_within(tx: &mut WriteTx, finding: Finding, who: &str, edits: &mut ReportEdits) -> Result<Finding> {
    let finding = store(tx, finding, who).await?;
    for report in reports::open_reports(tx.conn(), &finding.study).await? {
        let (revision, ops) = reports::catch_up(tx, &report, who).await?;
        if !ops.is_empty() {
            edits.push(ReportEdit { report, revision, ops });
        }
    }
    Ok(finding)
}

pub(crate) async fn of_study(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Finding>> {
    let rows = sqlx::query(
        "SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) WHERE study_uid = ? ORDER BY finding_pk",
    )
    .bind(study.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| json(row, "content")).collect()
}

/// What a report may speak of, at its present revisions.
#[derive(Debug, Default)]
pub(crate) struct SpokenOf {
    /// The study's findings, and those of the patient's other studies that chips and sentences are bound to.
    pub findings: Vec<Finding>,
    /// The same lesions in the patient's other studies, oldest study first.
    pub priors: Vec<Finding>,
}

impl SpokenOf {
    pub(crate) fn known(&self) -> mj_report::Known<'_> {
        mj_report::Known { findings: &self.findings, priors: &self.priors }
    }
}

/// What a document may speak of.
pub(crate) async fn spoken_of(conn: &mut SqliteConnection, document: &Document) -> Result<SpokenOf> {
    let mut findings = of_study(conn, &document.study).await?;
    let slots = document.slots().map(|(_, slot)| &slot.finding);
    for id in slots.chain(document.marks().filter_map(|(_, mark)| mark.claim.finding.as_ref())) {
        if findings.iter().all(|known| known.id != *id)
            && let Some(finding) = of_patient(conn, id, &document.study).await?
        {
            findings.push(finding);
        }
    }
    let priors = earlier(conn, &document.study).await?;
    Ok(SpokenOf { findings, priors })
}

/// Findings of the patient's studies before this one, oldest first.
async fn earlier(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Finding>> {
    let rows = sqlx::query(
        "SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) JOIN study USING (study_uid)
         WHERE patient_pk = (SELECT patient_pk FROM study WHERE study_uid = ?1)
           AND date < (SELECT date FROM study WHERE study_uid = ?1) ORDER BY date, finding_pk",
    )
    .bind(study.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| json(row, "content")).collect()
}

/// A finding, if it belongs to the patient of a study.
pub(crate) async fn of_patient(conn: &mut SqliteConnection, finding: &str, study: &StudyUid) -> Result<Option<Finding>> {
    let row = sqlx::query(
        "SELECT content FROM finding JOIN finding_revision USING (finding_id, revision) JOIN study USING (study_uid)
         WHERE finding_id = ? AND patient_pk = (SELECT patient_pk FROM study WHERE study_uid = ?)",
    )
    .bind(finding)
    .bind(study.as_str())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(|row| json(row, "content")).transpose()
}

/// An error when a value about to be kept holds NaN or an infinity: JSON would write `null`, and what was stored
/// could not be read again.
pub(crate) fn refuse_non_finite(field: Option<&'static str>) -> Result<()> {
    field.map_or(Ok(()), |field| Err(Error::Unusable { field, value: "NaN / ∞".to_owned() }))
}

/// Stores the next revision of a finding.
pub(crate) async fn store(tx: &mut WriteTx, mut finding: Finding, who: &str) -> Result<Finding> {
    refuse_non_finite(finding.non_finite())?;
    require_study(tx.conn(), &finding.study).await?;
    let known: Option<(u32, String)> =
        sqlx::query_as("SELECT revision, study_uid FROM finding WHERE finding_id = ?").bind(&finding.id).fetch_optional(tx.conn()).await?;
    let base = finding.revision;
    let present = known.as_ref().map_or(0, |(revision, _)| *revision);
    if known.as_ref().is_some_and(|(_, study)| study != finding.study.as_str()) {
        return Err(Error::WrongKind(finding.id));
    }
    if present != base {
        return Err(Error::Stale { what: "finding", base, present });
    }
    let before: Option<Finding> = match present {
        0 => None,
        _ => {
            let row = sqlx::query("SELECT content FROM finding_revision WHERE finding_id = ? AND revision = ?")
                .bind(&finding.id)
                .bind(present)
                .fetch_one(tx.conn())
                .await?;
            Some(json(&row, "content")?)
        }
    };
    finding.revision = present + 1;
    finding.at = mj_model::clock::now();
    for measurement in &mut finding.measurements {
        let old = before.as_ref().and_then(|before| before.measurement(&measurement.id));
        measurement.revision = match old {
            None => 1,
            Some(old) if old.quantity == measurement.quantity => old.revision,
            Some(old) => old.revision + 1,
        };
    }
    sqlx::query(
        "INSERT INTO finding (finding_id, study_uid, revision) VALUES (?1, ?2, ?3) ON CONFLICT (finding_id) DO UPDATE SET revision = ?3",
    )
    .bind(&finding.id)
    .bind(finding.study.as_str())
    .bind(finding.revision)
    .execute(tx.conn())
    .await?;
    sqlx::query("INSERT INTO finding_revision VALUES (?, ?, ?, ?, ?)")
        .bind(&finding.id)
        .bind(finding.revision)
        .bind(to_json(&finding)?)
        .bind(who)
        .bind(finding.at.to_string())
        .execute(tx.conn())
        .await?;
    let detail = json!({ "revision": finding.revision, "state": finding.state, "study": finding.study });
    note(tx, who, "finding.stored", &finding.id, &detail).await?;
    Ok(finding)
}

/// An error unless the record has the study.
pub(crate) async fn require_study(conn: &mut SqliteConnection, study: &StudyUid) -> Result<()> {
    let is_known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM study WHERE study_uid = ?)").bind(study.as_str()).fetch_one(conn).await?;
    if is_known { Ok(()) } else { Err(Error::Unknown(study.to_string())) }
}
