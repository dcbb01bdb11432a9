//! One study in full, and the objects of its series.

use crate::worklist::{StudyRow, priors, study_row, uid};
use crate::{Error, Record, Result};
use mj_model::{InstanceUid, Phi, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid, Warning};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::path::PathBuf;

/// A study with what its page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyDetail {
    /// As in the worklist; flattened, so that its fields stand beside the others.
    #[serde(flatten)]
    pub row: StudyRow,
    /// Study ID as the hospital gave it.
    pub study_id: String,
    /// What was asked for.
    pub request: String,
    /// Clinical history.
    pub clinical_history: Phi<String>,
    /// Patient's number at the hospital: Patient ID.
    pub hospital_number: Phi<String>,
    /// Age at the study, `058Y`.
    pub age: Option<String>,
    /// Where it was made.
    pub institution: String,
    /// Who asked for it.
    pub referring: String,
    /// Number of instances here.
    pub instances: u32,
    /// Other studies of the same patient (issuer and id), latest first.
    pub priors: Vec<StudyRow>,
    /// What algorithms say came of their runs on it, the oldest first.
    pub runs: Vec<crate::Run>,
    /// Instances kept aside for a person to decide, and those whose pixels are still to be compared.
    pub conflicts: Vec<crate::Conflict>,
}

/// An object of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredObject {
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its series.
    pub series: SeriesUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// Transfer Syntax UID.
    pub transfer_syntax: TransferSyntaxUid,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Rows, 0 without pixels.
    pub rows: u32,
    /// Columns, 0 without pixels.
    pub columns: u32,
    /// Frames, 0 without pixels.
    pub frames: u32,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
    /// The sealed file.
    pub path: PathBuf,
    /// Plain length. Units: bytes.
    pub bytes: u64,
}

const OBJECT: &str =
    "SELECT instance_uid, series_uid, sop_class, transfer_syntax, instance_number, rows, columns, frames, warnings, object_file, bytes
    FROM instance JOIN series USING (series_pk)";

impl Record {
    /// A study in full.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn study(&self, study: &StudyUid) -> Result<StudyDetail> {
        let mut conn = self.read().await?;
        let row = study_row(&mut conn, study).await?;
        let more =
            sqlx::query("SELECT study_id, request, clinical_history, institution, referring, n_instances FROM study WHERE study_uid = ?")
                .bind(study.as_str())
                .fetch_one(&mut *conn)
                .await?;
        let aside = sqlx::query(
            "SELECT instance_uid, came_from, CASE state WHEN 'waiting' THEN ?2 ELSE reason END AS reason FROM conflict
             WHERE study_uid = ?1 AND state IN ('aside', 'waiting') ORDER BY conflict_pk",
        )
        .bind(study.as_str())
        .bind(crate::ingest::WAITING)
        .fetch_all(&mut *conn)
        .await?;
        let conflicts = aside.iter().map(|row| {
            Ok(crate::Conflict {
                sop_instance_uid: uid(row.try_get("instance_uid")?, InstanceUid::parse)?,
                path: row.try_get("came_from")?,
                reason: row.try_get("reason")?,
            })
        });
        Ok(StudyDetail {
            conflicts: conflicts.collect::<Result<_>>()?,
            runs: crate::results::runs(&mut conn, study).await?,
            hospital_number: row.patient.id.clone(),
            age: row.patient.age.clone(),
            study_id: more.try_get("study_id")?,
            request: more.try_get("request")?,
            clinical_history: Phi::new(more.try_get("clinical_history")?),
            institution: more.try_get("institution")?,
            referring: more.try_get("referring")?,
            instances: more.try_get("n_instances")?,
            priors: priors(&mut conn, study).await?,
            row,
        })
    }

    /// The study of a series.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn study_of_series(&self, series: &SeriesUid) -> Result<StudyUid> {
        let mut conn = self.read().await?;
        let found: Option<String> = sqlx::query_scalar("SELECT study_uid FROM series JOIN study USING (study_pk) WHERE series_uid = ?")
            .bind(series.as_str())
            .fetch_optional(&mut *conn)
            .await?;
        uid(&found.ok_or_else(|| Error::Unknown(series.to_string()))?, StudyUid::parse)
    }

    /// Series of a study that have pixels, the one with most images first.
    ///
    /// # Errors
    /// Database errors.
    pub async fn image_series(&self, study: &StudyUid) -> Result<Vec<SeriesUid>> {
        let mut conn = self.read().await?;
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT series_uid FROM series JOIN study USING (study_pk) JOIN instance USING (series_pk)
             WHERE study_uid = ? AND has_pixels AND modality <> 'SEG' GROUP BY series_pk ORDER BY sum(frames) DESC, series_pk",
        )
        .bind(study.as_str())
        .fetch_all(&mut *conn)
        .await?;
        found.iter().map(|text| uid(text, SeriesUid::parse)).collect()
    }

    /// The objects of a series, by instance number.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn series_objects(&self, series: &SeriesUid) -> Result<Vec<StoredObject>> {
        let mut conn = self.read().await?;
        let sql = format!("{OBJECT} WHERE series_uid = ? ORDER BY instance_number IS NULL, instance_number, instance_pk");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(series.as_str()).fetch_all(&mut *conn).await?;
        if rows.is_empty() {
            return Err(Error::Unknown(series.to_string()));
        }
        rows.iter().map(|row| self.object_of(row)).collect()
    }

    /// An object.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn object(&self, instance: &InstanceUid) -> Result<StoredObject> {
        let mut conn = self.read().await?;
        let sql = format!("{OBJECT} WHERE instance_uid = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(instance.as_str()).fetch_optional(&mut *conn).await?;
        self.object_of(&row.ok_or_else(|| Error::Unknown(instance.to_string()))?)
    }

    /// The bytes of an object as they came.
    ///
    /// # Errors
    /// [`Error::Unknown`]; disk, seal and database errors.
    pub async fn object_bytes(&self, instance: &InstanceUid) -> Result<Vec<u8>> {
        let file: Option<String> = {
            let mut conn = self.read().await?;
            sqlx::query_scalar("SELECT object_file FROM instance WHERE instance_uid = ?")
                .bind(instance.as_str())
                .fetch_optional(&mut *conn)
                .await?
        };
        let plain = self.load_object(file.ok_or_else(|| Error::Unknown(instance.to_string()))?).await?;
        Ok(plain.to_vec())
    }

    fn object_of(&self, row: &SqliteRow) -> Result<StoredObject> {
        Ok(StoredObject {
            instance: uid(row.try_get("instance_uid")?, InstanceUid::parse)?,
            series: uid(row.try_get("series_uid")?, SeriesUid::parse)?,
            sop_class: uid(row.try_get("sop_class")?, SopClassUid::parse)?,
            transfer_syntax: uid(row.try_get("transfer_syntax")?, TransferSyntaxUid::parse)?,
            instance_number: row.try_get("instance_number")?,
            rows: row.try_get("rows")?,
            columns: row.try_get("columns")?,
            frames: row.try_get("frames")?,
            warnings: crate::db::json(row, "warnings")?,
            path: self.inner.dir.join(row.try_get::<&str, _>("object_file")?),
            bytes: u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(0),
        })
    }
}
