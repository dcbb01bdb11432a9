//! One SOP Instance UID, two data sets: the same image if the decoded pixels agree.
//!
//! A round trip through a PACS meets this at once: it may change the encoding or the header. The record decodes
//! no pixels, so it asks whoever gave it a [`PixelHasher`]; without one the newcomer waits in the inbox.

use super::enter::KnownInstance;
use crate::objects::Staged;
use crate::{Record, Result};
use sqlx::Row as _;
use std::path::Path;
use std::sync::Arc;

/// Hashes the decoded pixels of a sealed object file; given by the program that has a headless viewer.
pub trait PixelHasher: Send + Sync {
    /// SHA-256 over the decoded samples of a sealed file, hexadecimal. Blocking.
    ///
    /// # Errors
    /// Any text when the pixels cannot be decoded; the instance then waits.
    fn samples_sha256(&self, sealed: &Path) -> std::result::Result<String, String>;
}

/// What a viewer said about two data sets of one UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Data set that the newcomer was compared with.
    pub(crate) against: [u8; 32],
    pub(crate) is_same: bool,
}

impl Record {
    /// Says who decodes pixels for comparing two data sets of one UID. Instances that wait in the inbox are
    /// looked at by [`Record::settle_waiting`].
    pub fn set_pixel_hasher(&self, hasher: Arc<dyn PixelHasher>) {
        *self.inner.hasher.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(hasher);
    }

    /// `None` when nobody can decode the pixels now.
    pub(crate) async fn compare_pixels(&self, known: &KnownInstance, newcomer: &Staged) -> Result<Option<Verdict>> {
        let (a, b) = (self.inner.dir.join(&known.object_file), newcomer.path().to_owned());
        let is_same = self.are_pixels_same(a, b).await?;
        Ok(is_same.map(|is_same| Verdict { against: known.sha256, is_same }))
    }

    async fn are_pixels_same(&self, a: std::path::PathBuf, b: std::path::PathBuf) -> Result<Option<bool>> {
        let hasher = self.inner.hasher.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let Some(hasher) = hasher else { return Ok(None) };
        let compared = tokio::task::spawn_blocking(move || match (hasher.samples_sha256(&a), hasher.samples_sha256(&b)) {
            (Ok(a), Ok(b)) => Some(a == b),
            _ => {
                tracing::warn!("pixels of an instance could not be decoded for comparing");
                None
            }
        });
        Ok(compared.await?)
    }

    /// Looks again at instances that wait in the inbox for their pixels to be compared. Gives how many were
    /// settled: found to be the same image, or kept aside as a conflict.
    ///
    /// # Errors
    /// Disk and database errors.
    pub async fn settle_waiting(&self) -> Result<u32> {
        let waiting = {
            let mut conn = self.read().await?;
            sqlx::query(
                "SELECT conflict_pk, conflict.instance_uid, conflict.object_file, conflict.dataset_sha256, instance.object_file AS known_file
                 FROM conflict JOIN instance USING (instance_uid) WHERE state = 'waiting'",
            )
            .fetch_all(&mut *conn)
            .await?
        };
        let mut n_settled = 0;
        for row in waiting {
            let (pk, instance): (i64, String) = (row.try_get("conflict_pk")?, row.try_get("instance_uid")?);
            let (file, known): (String, String) = (row.try_get("object_file")?, row.try_get("known_file")?);
            let Some(is_same) = self.are_pixels_same(self.inner.dir.join(known), self.inner.dir.join(&file)).await? else { continue };
            let mut tx = self.write().await?;
            if is_same {
                sqlx::query("INSERT OR IGNORE INTO instance_twin VALUES (?, ?)")
                    .bind(&instance)
                    .bind(row.try_get::<Vec<u8>, _>("dataset_sha256")?)
                    .execute(tx.conn())
                    .await?;
                sqlx::query("DELETE FROM conflict WHERE conflict_pk = ?").bind(pk).execute(tx.conn()).await?;
            } else {
                sqlx::query("UPDATE conflict SET state = 'aside' WHERE conflict_pk = ?").bind(pk).execute(tx.conn()).await?;
                sqlx::query(
                    "UPDATE study SET local_state = 'conflict' WHERE study_uid = (SELECT study_uid FROM conflict WHERE conflict_pk = ?)",
                )
                .bind(pk)
                .execute(tx.conn())
                .await?;
            }
            crate::audit::note(&mut tx, "", "import.compared", &instance, &serde_json::json!({ "same_pixels": is_same })).await?;
            tx.commit().await?;
            if is_same {
                let path = self.inner.dir.join(&file);
                std::fs::remove_file(&path).map_err(|error| crate::Error::io(&path, error))?;
            }
            n_settled += 1;
        }
        Ok(n_settled)
    }
}
