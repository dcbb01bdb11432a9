//! Key images: pictures a reader took, kept as sealed PNG files.

use crate::audit::{moment, note};
use crate::findings::require_study;
use crate::objects::Place;
use crate::worklist::uid;
use crate::{Error, Record, Result};
use mj_model::{InstanceUid, Moment, StudyUid};
use serde::Serialize;
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};

/// A picture a reader took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyImage {
    /// Id.
    pub id: String,
    /// The image it shows.
    pub instance: InstanceUid,
    /// One line: plane, position, window.
    pub caption: String,
    /// SHA-256 of the PNG file, hexadecimal.
    pub sha256: String,
    /// True when it goes into the report.
    pub in_report: bool,
    /// When it was taken.
    pub at: Moment,
    #[serde(skip)]
    pub(crate) file: String,
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Record {
    /// Keeps a picture of a study. The same picture twice is kept once.
    ///
    /// # Errors
    /// [`Error::Unusable`] when it is no PNG; [`Error::Unknown`] when the study is not in the record; disk and
    /// database errors.
    pub async fn put_key_image(
        &self,
        study: &StudyUid,
        instance: &InstanceUid,
        png: Vec<u8>,
        caption: &str,
        who: &str,
    ) -> Result<KeyImage> {
        if !png.starts_with(PNG) {
            return Err(Error::Unusable { field: "picture", value: String::new() });
        }
        let sha256 = mj_report::life::sha256_hex(&png);
        let record = self.clone();
        let staged = tokio::task::spawn_blocking(move || record.stage(&png)).await??;
        let mut tx = self.write().await?;
        require_study(tx.conn(), study).await?;
        if let Some(known) = of_study(tx.conn(), study).await?.into_iter().find(|known| known.sha256 == sha256) {
            return Ok(known);
        }
        let (placed, files) = self.place(&tx, vec![(staged, Place::Objects)])?;
        let id = self.new_id();
        sqlx::query(
            "INSERT INTO key_image (key_image_id, study_uid, instance_uid, object_file, caption, sha256, who, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&id)
        .bind(study.as_str())
        .bind(instance.as_str())
        .bind(files.first())
        .bind(caption)
        .bind(&sha256)
        .bind(who)
        .bind(mj_model::clock::now().to_string())
        .execute(tx.conn())
        .await?;
        note(&mut tx, who, "key_image.stored", &id, &json!({ "study": study })).await?;
        let stored = of_study(tx.conn(), study).await?.into_iter().find(|one| one.id == id);
        self.commit_with(tx, placed).await?;
        stored.ok_or(Error::Stored("key image"))
    }

    /// Takes a picture that a child worker sealed into the inbox; the file is removed when it is kept.
    ///
    /// # Errors
    /// [`Error::BadInboxName`]; as [`Record::put_key_image`].
    pub async fn key_image_from_inbox(
        &self,
        file: &str,
        study: &StudyUid,
        instance: &InstanceUid,
        caption: &str,
        who: &str,
    ) -> Result<KeyImage> {
        let (path, png) = self.read_inbox(file).await?;
        let stored = self.put_key_image(study, instance, png, caption, who).await?;
        std::fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        Ok(stored)
    }

    /// A study's key images, in the order they were taken.
    ///
    /// # Errors
    /// Database errors.
    pub async fn key_images(&self, study: &StudyUid) -> Result<Vec<KeyImage>> {
        let mut conn = self.read().await?;
        of_study(&mut conn, study).await
    }

    /// The PNG file of a key image.
    ///
    /// # Errors
    /// [`Error::Unknown`]; disk, seal and database errors.
    pub async fn key_image_png(&self, id: &str) -> Result<Vec<u8>> {
        let file: Option<String> = {
            let mut conn = self.read().await?;
            sqlx::query_scalar("SELECT object_file FROM key_image WHERE key_image_id = ?").bind(id).fetch_optional(&mut *conn).await?
        };
        Ok(self.load_object(file.ok_or_else(|| Error::Unknown(id.to_owned()))?).await?.to_vec())
    }

    /// Says whether a key image goes into the report.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn use_key_image(&self, id: &str, in_report: bool, who: &str) -> Result<()> {
        let mut tx = self.write().await?;
        let changed =
            sqlx::query("UPDATE key_image SET in_report = ? WHERE key_image_id = ?").bind(in_report).bind(id).execute(tx.conn()).await?;
        if changed.rows_affected() == 0 {
            return Err(Error::Unknown(id.to_owned()));
        }
        note(&mut tx, who, "key_image.used", id, &json!({ "in_report": in_report })).await?;
        tx.commit().await
    }
}

pub(crate) async fn of_study(conn: &mut SqliteConnection, study: &StudyUid) -> Result<Vec<KeyImage>> {
    let rows = sqlx::query(
        "SELECT key_image_id, instance_uid, caption, sha256, in_report, at, object_file FROM key_image WHERE study_uid = ? ORDER BY key_image_pk",
    )
    .bind(study.as_str())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(KeyImage {
                id: row.try_get("key_image_id")?,
                instance: uid(row.try_get("instance_uid")?, InstanceUid::parse)?,
                caption: row.try_get("caption")?,
                sha256: row.try_get("sha256")?,
                in_report: row.try_get("in_report")?,
                at: moment(row, "at")?,
                file: row.try_get("object_file")?,
            })
        })
        .collect()
}
