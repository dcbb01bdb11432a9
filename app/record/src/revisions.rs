//! Segments and plans: append-only revisions.

use crate::audit::note;
use crate::db::{json, to_json};
use crate::findings::{refuse_non_finite, require_study};
use crate::{Error, Record, Result};
use mj_model::plan::{Plan, Segment};
use mj_model::{SeriesUid, StudyUid};
use serde_json::json;

impl Record {
    /// A new random id for a finding, segment, plan, slot or mark.
    #[must_use]
    pub fn new_id(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }

    /// Stores the next revision of a segment. `segment.revision` is the revision it was based on, 0 for a new
    /// one. Its DICOM SEG must be in the record.
    ///
    /// # Errors
    /// [`Error::Stale`]; [`Error::Unknown`] when study or SEG are not in the record; [`Error::Unusable`] when a number of
    /// it is not finite; database errors.
    pub async fn put_segment(&self, mut segment: Segment, who: &str) -> Result<Segment> {
        refuse_non_finite(segment.non_finite())?;
        let mut tx = self.write().await?;
        require_study(tx.conn(), &segment.study).await?;
        if crate::ingest::known_instance(tx.conn(), &segment.seg_instance).await?.is_none() {
            return Err(Error::Unknown(segment.seg_instance.to_string()));
        }
        let present: Option<u32> =
            sqlx::query_scalar("SELECT revision FROM segment WHERE segment_id = ?").bind(&segment.id).fetch_optional(tx.conn()).await?;
        segment.revision = next("segment", segment.revision, present.unwrap_or(0))?;
        segment.at = mj_model::clock::now();
        sqlx::query(
            "INSERT INTO segment (segment_id, study_uid, series_uid, revision) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (segment_id) DO UPDATE SET revision = ?4",
        )
        .bind(&segment.id)
        .bind(segment.study.as_str())
        .bind(segment.series.as_str())
        .bind(segment.revision)
        .execute(tx.conn())
        .await?;
        sqlx::query("INSERT INTO segment_revision VALUES (?, ?, ?, ?, ?)")
            .bind(&segment.id)
            .bind(segment.revision)
            .bind(to_json(&segment)?)
            .bind(who)
            .bind(segment.at.to_string())
            .execute(tx.conn())
            .await?;
        note(&mut tx, who, "segment.stored", &segment.id, &json!({ "revision": segment.revision, "study": segment.study })).await?;
        tx.commit().await?;
        Ok(segment)
    }

    /// Present revisions of a series' segments.
    ///
    /// # Errors
    /// Database errors.
    pub async fn segments(&self, series: &SeriesUid) -> Result<Vec<Segment>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query(
            "SELECT content FROM segment JOIN segment_revision USING (segment_id, revision) WHERE series_uid = ? ORDER BY segment_pk",
        )
        .bind(series.as_str())
        .fetch_all(&mut *conn)
        .await?;
        rows.iter().map(|row| json(row, "content")).collect()
    }

    /// The present revision of a segment, by id or short id.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn segment(&self, id: &str) -> Result<Segment> {
        let id = self.full_id(id, 'g').await?;
        let mut conn = self.read().await?;
        let row = sqlx::query("SELECT content FROM segment JOIN segment_revision USING (segment_id, revision) WHERE segment_id = ?")
            .bind(&id)
            .fetch_optional(&mut *conn)
            .await?;
        json(&row.ok_or(Error::Unknown(id))?, "content")
    }

    /// Stores the next revision of a plan. `plan.revision` is the revision it was based on, 0 for a new one.
    ///
    /// # Errors
    /// [`Error::Stale`]; [`Error::Unknown`] when the study is not in the record; [`Error::Unusable`] when a number of it is
    /// not finite; database errors.
    pub async fn put_plan(&self, mut plan: Plan, who: &str) -> Result<Plan> {
        refuse_non_finite(plan.non_finite())?;
        let mut tx = self.write().await?;
        require_study(tx.conn(), &plan.study).await?;
        let present: Option<u32> =
            sqlx::query_scalar("SELECT revision FROM plan WHERE plan_id = ?").bind(&plan.id).fetch_optional(tx.conn()).await?;
        plan.revision = next("plan", plan.revision, present.unwrap_or(0))?;
        plan.at = mj_model::clock::now();
        sqlx::query(
            "INSERT INTO plan (plan_id, study_uid, revision) VALUES (?1, ?2, ?3) ON CONFLICT (plan_id) DO UPDATE SET revision = ?3",
        )
        .bind(&plan.id)
        .bind(plan.study.as_str())
        .bind(plan.revision)
        .execute(tx.conn())
        .await?;
        sqlx::query("INSERT INTO plan_revision VALUES (?, ?, ?, ?, ?)")
            .bind(&plan.id)
            .bind(plan.revision)
            .bind(to_json(&plan)?)
            .bind(who)
            .bind(plan.at.to_string())
            .execute(tx.conn())
            .await?;
        note(&mut tx, who, "plan.stored", &plan.id, &json!({ "revision": plan.revision, "study": plan.study })).await?;
        tx.commit().await?;
        Ok(plan)
    }

    /// Present revisions of a study's plans.
    ///
    /// # Errors
    /// Database errors.
    pub async fn plans(&self, study: &StudyUid) -> Result<Vec<Plan>> {
        let mut conn = self.read().await?;
        let rows =
            sqlx::query("SELECT content FROM plan JOIN plan_revision USING (plan_id, revision) WHERE study_uid = ? ORDER BY plan_pk")
                .bind(study.as_str())
                .fetch_all(&mut *conn)
                .await?;
        rows.iter().map(|row| json(row, "content")).collect()
    }

    /// The present revision of a plan, by id or short id.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn plan(&self, id: &str) -> Result<Plan> {
        let id = self.full_id(id, 'p').await?;
        let mut conn = self.read().await?;
        let row = sqlx::query("SELECT content FROM plan JOIN plan_revision USING (plan_id, revision) WHERE plan_id = ?")
            .bind(&id)
            .fetch_optional(&mut *conn)
            .await?;
        json(&row.ok_or(Error::Unknown(id))?, "content")
    }
}

/// The next revision, when the base is the present one.
fn next(what: &'static str, base: u32, present: u32) -> Result<u32> {
    if base == present { Ok(present + 1) } else { Err(Error::Stale { what, base, present }) }
}
