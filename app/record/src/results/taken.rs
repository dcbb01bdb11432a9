//! What was taken of results: nothing twice, whoever takes it, and what was kept aside again when it may fit.

use super::ResultsTaken;
use crate::db::{json, to_json};
use crate::findings::{of_study, store};
use crate::{Error, Record, Result};
use mj_dicom::sr::RunOutcome;
use mj_model::{Finding, FindingState, InstanceUid, Measurement, StudyUid, clock};
use serde::Serialize;
use sqlx::SqliteConnection;

/// A result of which nothing was taken yet, or of which something is kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingResult {
    /// The object.
    pub instance: InstanceUid,
    /// What it is.
    pub kind: ResultKind,
}

/// What can be taken as a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// A structured report.
    Report,
    /// A structure set.
    Structures,
    /// A presentation state.
    Marks,
    /// A segmentation, whose pixels another program reads.
    Segmentation,
}

impl ResultKind {
    /// Of a storage class; none for what is no result.
    #[must_use]
    pub fn of(sop_class: &str) -> Option<Self> {
        use mj_dicom::{gsps, rtstruct, seg, sr};
        match sop_class {
            seg::SEGMENTATION | seg::LABEL_MAP_SEGMENTATION => Some(Self::Segmentation),
            rtstruct::RT_STRUCTURE_SET => Some(Self::Structures),
            _ if gsps::is_presentation(sop_class) => Some(Self::Marks),
            _ => sr::is_report(sop_class).then_some(Self::Report),
        }
    }
}

impl Record {
    /// The results of which nothing was taken yet, and those of which something is kept aside and whose images may have come
    /// since. The oldest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn results_waiting(&self) -> Result<Vec<WaitingResult>> {
        let mut conn = self.read().await?;
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT instance_uid, sop_class FROM instance
             WHERE sop_class IN (SELECT value FROM json_each(?)) AND (instance_uid NOT IN (SELECT instance_uid FROM result)
                OR instance_uid IN (
                 SELECT result.instance_uid FROM result JOIN result_item USING (instance_uid) JOIN finding USING (finding_id)
                 JOIN finding_revision USING (finding_id, revision)
                 WHERE json_extract(content, '$.held') IS NOT NULL AND json_extract(content, '$.state') = 'proposed'
                   AND EXISTS (SELECT 1 FROM instance AS later JOIN series USING (series_pk) JOIN study USING (study_pk)
                               WHERE study_uid = finding.study_uid AND later.instance_pk > result.newest_pk)))
             ORDER BY instance_pk",
        )
        .bind(to_json(&classes())?)
        .fetch_all(&mut *conn)
        .await?;
        let parsed = rows.iter().filter_map(|(instance, class)| InstanceUid::parse(instance).ok().zip(ResultKind::of(class)));
        Ok(parsed.map(|(instance, kind)| WaitingResult { instance, kind }).collect())
    }

    /// Leaves a result alone that cannot be read: nothing of it waits any more. `code` says why, to whoever looks at the study.
    ///
    /// # Errors
    /// Database errors.
    pub async fn pass_over_result(&self, instance: &InstanceUid, code: &str) -> Result<()> {
        self.note_result(&ResultsTaken::nothing(instance), Some(code)).await
    }

    /// Notes what our own programs made, which is no result of others.
    pub(crate) async fn note_own(&self, instance: &InstanceUid) -> Result<()> {
        self.note_result(&ResultsTaken::nothing(instance), None).await
    }

    /// Notes that an object was taken to its end, and what it says came of its algorithm.
    pub(super) async fn note_result(&self, taken: &ResultsTaken, error: Option<&str>) -> Result<()> {
        let outcome = taken.outcome.as_ref().map(to_json).transpose()?;
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO result VALUES (?1, ?2, ?3, (SELECT coalesce(max(instance_pk), 0) FROM instance), ?4)
             ON CONFLICT (instance_uid) DO UPDATE SET
                 outcome = excluded.outcome, error = excluded.error, newest_pk = excluded.newest_pk, at = excluded.at",
        )
        .bind(taken.sop_instance_uid.as_str())
        .bind(outcome)
        .bind(error)
        .bind(clock::now().to_string())
        .execute(tx.conn())
        .await?;
        tx.commit().await
    }

    /// Stores what is new of an item of an object: all of one that is not here, and the next revision of one of which nobody
    /// has decided, when it is judged otherwise now or another object says something else of the lesion. Gives what was
    /// stored; of a lesion that was decided on and of which something else is said, its finding is noted.
    ///
    /// An item is known by its object and its name in it; one of another object by its Tracking UID. All of it is one
    /// transaction, so that two programs that take the same object at once make one finding.
    pub(super) async fn take_item(&self, of: &mut ResultsTaken, item: &str, made: Finding, who: &str) -> Result<Option<Finding>> {
        let instance = of.sop_instance_uid.clone();
        let mut tx = self.write().await?;
        let (known, is_of_object) = match by_item(tx.conn(), &instance, item).await? {
            Some(known) => (Some(known), true),
            None => (by_tracking_uid(tx.conn(), &instance, &made).await?, false),
        };
        let id = known.as_ref().map_or_else(|| made.id.clone(), |known| known.id.clone());
        let stored = match known {
            None => Some(store(&mut tx, made, who).await?),
            Some(known) => {
                let says_else = !is_of_object && !says_the_same(&known, &made);
                let is_open = known.state == FindingState::Proposed;
                let fits_now = known.held.is_some() && known.held != made.held;
                if is_open && (fits_now || says_else) {
                    Some(store(&mut tx, Finding { id: known.id, revision: known.revision, ..made }, who).await?)
                } else {
                    of.contradicts.extend(says_else.then_some(known.id));
                    None
                }
            }
        };
        sqlx::query("INSERT OR IGNORE INTO result_item VALUES (?, ?, ?)")
            .bind(instance.as_str())
            .bind(item)
            .bind(id)
            .execute(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(stored)
    }
}

/// True when two findings of a lesion say the same of it: what it is, on which side, and every number.
fn says_the_same(a: &Finding, b: &Finding) -> bool {
    let numbers = |f: &Finding| {
        let of = |m: &Measurement| (m.quantity.what.code.clone(), m.derivation.as_ref().map(|d| d.code.clone()), m.quantity.unit.clone());
        let mut all: Vec<_> = f.measurements.iter().map(|m| (of(m), m.quantity.value)).collect();
        all.sort_by(|a, b| format!("{:?}", a.0).cmp(&format!("{:?}", b.0)).then(a.1.total_cmp(&b.1)));
        all
    };
    a.kind.is_same(&b.kind) && a.side == b.side && numbers(a) == numbers(b)
}

/// What an object says came of an algorithm's run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The object.
    pub sop_instance_uid: InstanceUid,
    /// Description of its series.
    pub description: String,
    /// What came of it, where it says so.
    pub outcome: Option<RunOutcome>,
    /// Code of why nothing of it could be read.
    pub error: Option<String>,
}

/// The runs that objects of a study tell of.
pub(crate) async fn runs(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Run>> {
    let rows: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT instance_uid, series.description, outcome, error FROM result JOIN instance USING (instance_uid) JOIN series USING (series_pk)
         JOIN study USING (study_pk) WHERE study_uid = ? AND (outcome IS NOT NULL OR error IS NOT NULL) ORDER BY instance_pk",
    )
    .bind(study.as_str())
    .fetch_all(conn)
    .await?;
    let run = |(instance, description, outcome, error): (String, String, Option<String>, Option<String>)| {
        let stored = |_unknown| Error::Stored("result");
        let outcome = outcome.map(|word| serde_json::from_str(&word)).transpose().map_err(|_unknown| Error::Stored("result"))?;
        Ok(Run { sop_instance_uid: InstanceUid::parse(&instance).map_err(stored)?, description, outcome, error })
    };
    rows.into_iter().map(run).collect()
}

/// True for the code of an error that lies in an object's data, so that reading it again would say the same.
#[must_use]
pub fn is_of_data(code: &str) -> bool {
    ["dicom.", "imaging."].iter().any(|family| code.starts_with(family)) && !code.ends_with("cancelled")
}

/// Classes of objects that can be taken as results: structured reports, segmentations, structure sets, presentation states.
fn classes() -> Vec<String> {
    use mj_dicom::{gsps, rtstruct, seg, sr};
    let others = [seg::SEGMENTATION, seg::LABEL_MAP_SEGMENTATION, rtstruct::RT_STRUCTURE_SET];
    sr::report_classes().chain(gsps::classes()).chain(others.map(str::to_owned)).collect()
}

/// The finding that an item of an object became.
async fn by_item(conn: &mut SqliteConnection, instance: &InstanceUid, item: &str) -> Result<Option<Finding>> {
    let row = sqlx::query(
        "SELECT content FROM result_item JOIN finding USING (finding_id) JOIN finding_revision USING (finding_id, revision)
         WHERE instance_uid = ? AND item = ?",
    )
    .bind(instance.as_str())
    .bind(item)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(|row| json(row, "content")).transpose()
}

/// The finding of the same lesion, where it did not come from the same object: several items of one may speak of one lesion,
/// and each is a finding.
async fn by_tracking_uid(conn: &mut SqliteConnection, instance: &InstanceUid, made: &Finding) -> Result<Option<Finding>> {
    let of_object: Vec<String> = sqlx::query_scalar("SELECT finding_id FROM result_item WHERE instance_uid = ?")
        .bind(instance.as_str())
        .fetch_all(&mut *conn)
        .await?;
    let all = match of_study(conn, &made.study).await {
        Err(Error::Unknown(_)) => Vec::new(),
        other => other?,
    };
    Ok(all.into_iter().find(|known| known.tracking_uid == made.tracking_uid && !of_object.contains(&known.id)))
}
