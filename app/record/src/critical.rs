//! Critical results: marked, called, read back. What is open grows old and is told first.

use crate::audit::{moment, note};
use crate::db::WriteTx;
use crate::findings::require_study;
use crate::{Error, Record, Result};
use mj_model::{Moment, StudyUid};
use serde::Serialize;
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};

/// After how long an open critical result is overdue, unless somebody says otherwise. Units: minutes. Source: ACR practice
/// parameter for communication, level 1 ("within minutes"); hospitals here ask for 10 to 30.
pub const OVERDUE_MINUTES: i64 = 30;

/// A call to the one who treats the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Who was told.
    pub to: String,
    /// When.
    pub at: Moment,
    /// Id of the one who called.
    pub by: String,
    /// True when it was read back and confirmed.
    pub read_back: bool,
}

/// A critical result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Critical {
    /// Short id, `c3`.
    pub id: String,
    /// The study.
    pub study_uid: StudyUid,
    /// What it is.
    pub what: String,
    /// When it was marked.
    pub marked_at: Moment,
    /// Id of the one who marked it.
    pub marked_by: String,
    /// The call, once there was one.
    pub call: Option<Call>,
    /// Minutes it has been open; until the call for one that is settled.
    pub open_minutes: i64,
}

impl Critical {
    /// True when somebody was called and read it back.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.read_back)
    }

    /// True when it was not settled in time.
    #[must_use]
    pub fn is_overdue(&self, within_minutes: i64) -> bool {
        !self.is_settled() && self.open_minutes >= within_minutes
    }
}

impl Record {
    /// Marks a critical result. Marking the same words of a study again while they are open changes nothing.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a study that is not here; [`Error::Unusable`] without a word; database errors.
    pub async fn mark_critical(&self, study: &StudyUid, what: &str, who: &str) -> Result<Critical> {
        let mut tx = self.write().await?;
        require_study(tx.conn(), study).await?;
        let id = mark_within(&mut tx, study, what, who).await?;
        tx.commit().await?;
        let mut conn = self.read().await?;
        one(&mut conn, id).await
    }

    /// Records the call about a critical result. One that was not read back leaves it open, and may be followed by another; a
    /// settled one is not called for again.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Contradicts`] when a call is recorded already; [`Error::Unusable`] without a name;
    /// database errors.
    pub async fn record_call(&self, id: &str, to: &str, read_back: bool, who: &str) -> Result<Critical> {
        let to = to.trim();
        if to.is_empty() || to.len() > 200 || to.contains(char::is_control) {
            return Err(Error::Unusable { field: "name", value: to.to_owned() });
        }
        let pk = short(id).ok_or_else(|| Error::Unknown(id.to_owned()))?;
        let mut tx = self.write().await?;
        let known = one(tx.conn(), pk).await?;
        if known.is_settled() {
            return Err(Error::Contradicts("critical.called_already"));
        }
        sqlx::query("UPDATE critical_result SET called = ?, called_at = ?, called_by = ?, read_back = ? WHERE critical_pk = ?")
            .bind(to)
            .bind(mj_model::clock::now().to_string())
            .bind(who)
            .bind(read_back)
            .bind(pk)
            .execute(tx.conn())
            .await?;
        let detail = json!({ "study": known.study_uid, "to": to, "read_back": read_back });
        note(&mut tx, who, "critical.called", id, &detail).await?;
        tx.commit().await?;
        let mut conn = self.read().await?;
        one(&mut conn, pk).await
    }

    /// Critical results, the longest open ones first; those that are settled only when asked for.
    ///
    /// # Errors
    /// Database errors.
    pub async fn critical(&self, with_settled: bool) -> Result<Vec<Critical>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query("SELECT * FROM critical_result WHERE NOT read_back OR ? ORDER BY read_back, critical_pk")
            .bind(with_settled)
            .fetch_all(&mut *conn)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The critical results of a study, oldest first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn critical_of(&self, study: &StudyUid) -> Result<Vec<Critical>> {
        let mut conn = self.read().await?;
        of_study(&mut conn, study).await
    }
}

pub(crate) async fn of_study(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<Critical>> {
    let rows =
        sqlx::query("SELECT * FROM critical_result WHERE study_uid = ? ORDER BY critical_pk").bind(study.as_str()).fetch_all(conn).await?;
    rows.iter().map(read).collect()
}

/// Marks within a transaction; gives the row.
pub(crate) async fn mark_within(tx: &mut WriteTx, study: &StudyUid, what: &str, who: &str) -> Result<i64> {
    let what = what.trim();
    if what.is_empty() || what.len() > 500 || what.contains(char::is_control) {
        return Err(Error::Unusable { field: "critical result", value: String::new() });
    }
    let known: Option<i64> =
        sqlx::query_scalar("SELECT critical_pk FROM critical_result WHERE study_uid = ? AND what = ? AND called_at IS NULL")
            .bind(study.as_str())
            .bind(what)
            .fetch_optional(tx.conn())
            .await?;
    if let Some(known) = known {
        return Ok(known);
    }
    let pk = sqlx::query("INSERT INTO critical_result (study_uid, what, marked_at, marked_by) VALUES (?, ?, ?, ?)")
        .bind(study.as_str())
        .bind(what)
        .bind(mj_model::clock::now().to_string())
        .bind(who)
        .execute(tx.conn())
        .await?
        .last_insert_rowid();
    note(tx, who, "critical.marked", &format!("c{pk}"), &json!({ "study": study })).await?;
    Ok(pk)
}

async fn one(conn: &mut SqliteConnection, pk: i64) -> Result<Critical> {
    let row = sqlx::query("SELECT * FROM critical_result WHERE critical_pk = ?").bind(pk).fetch_optional(conn).await?;
    read(&row.ok_or_else(|| Error::Unknown(format!("c{pk}")))?)
}

fn short(id: &str) -> Option<i64> {
    id.strip_prefix('c')?.parse().ok()
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Critical> {
    let marked_at = moment(row, "marked_at")?;
    let call = match row.try_get::<Option<String>, _>("called")? {
        None => None,
        Some(to) => Some(Call { to, at: moment(row, "called_at")?, by: row.try_get("called_by")?, read_back: row.try_get("read_back")? }),
    };
    let until = call.as_ref().filter(|call| call.read_back).map_or_else(mj_model::clock::now, |call| call.at);
    Ok(Critical {
        id: format!("c{}", row.try_get::<i64, _>("critical_pk")?),
        study_uid: crate::worklist::uid(row.try_get("study_uid")?, StudyUid::parse)?,
        what: row.try_get("what")?,
        open_minutes: (until.utc.as_second() - marked_at.utc.as_second()).max(0) / 60,
        marked_at,
        marked_by: row.try_get("marked_by")?,
        call,
    })
}
