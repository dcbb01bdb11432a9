//! One SOP Instance UID, two data sets: the same image if the decoded pixels agree.
//!
//! A round trip through a PACS meets this at once: it may change the encoding or the header. What must not change is whose
//! image it is, where it lies and what its values mean: then it is kept aside at once. The record decodes no pixels, so it asks whoever gave it a [`PixelHasher`]; without one the newcomer waits in the inbox.

use super::enter::{KnownInstance, OTHER_CONTENT, OTHER_PATIENT, OTHER_SERIES, add_twin, kept_aside, wait_no_more};
use super::receipt::{Tally, WAITING};
use crate::objects::Staged;
use crate::{Record, Result};
use mj_dicom::Dataset;
use mj_model::InstanceUid;
use sqlx::Row as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Hashes the decoded pixels of a sealed object file; given by the program that has a headless viewer.
pub trait PixelHasher: Send + Sync {
    /// SHA-256 over the decoded samples of a sealed file, hexadecimal. Blocking.
    ///
    /// # Errors
    /// Any text when the pixels cannot be decoded; the instance then waits.
    fn samples_sha256(&self, sealed: &Path) -> std::result::Result<String, String>;
}

/// What was found out about two data sets of one UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Data set that the newcomer was compared with.
    pub(crate) against: [u8; 32],
    /// Why the two cannot be one image, whatever their pixels are.
    pub(crate) contradiction: Option<&'static str>,
    /// Whether the decoded pixels agree; `None` while nobody can decode them.
    pub(crate) same_pixels: Option<bool>,
}

/// Why two data sets of one UID cannot be one image: another patient, study or series, or another place or scale in the
/// patient.
fn contradiction_of(known: &[u8], newcomer: &[u8]) -> mj_dicom::Result<Option<&'static str>> {
    let (known, newcomer) = (Dataset::read(known)?, Dataset::read(newcomer)?);
    let (a, b) = (known.header()?, newcomer.header()?);
    let (issuer_a, issuer_b) = (a.patient.key.issuer.show(), b.patient.key.issuer.show());
    let is_other_issuer = !issuer_a.is_empty() && !issuer_b.is_empty() && issuer_a != issuer_b;
    Ok(if is_other_issuer || a.patient.key.id != b.patient.key.id || a.patient.contradicts(&b.patient) {
        Some(OTHER_PATIENT)
    } else if a.study.uid != b.study.uid || a.series.uid != b.series.uid {
        Some(OTHER_SERIES)
    } else if !mj_dicom::likeness::is_alike(&known, &newcomer) {
        Some(OTHER_CONTENT)
    } else {
        None
    })
}

impl Record {
    /// Says who decodes pixels for comparing two data sets of one UID. Instances that wait in the inbox are
    /// looked at by [`Record::settle_waiting`].
    pub fn set_pixel_hasher(&self, hasher: Arc<dyn PixelHasher>) {
        *self.inner.hasher.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(hasher);
    }

    /// Compares a newcomer with the data set of its UID that is in the record. `None` when the files cannot be read.
    pub(crate) async fn compare(&self, known: &KnownInstance, newcomer: &Staged) -> Result<Option<Verdict>> {
        self.judge(&known.object_file, known.sha256, newcomer.path().to_owned()).await
    }

    /// Identity and place first, which needs no pixels; then the pixels, when somebody can decode them.
    async fn judge(&self, known: &str, against: [u8; 32], newcomer: PathBuf) -> Result<Option<Verdict>> {
        let (record, known, new) = (self.clone(), PathBuf::from(known), newcomer.clone());
        let (known_file, new_file) = (known.display().to_string(), new.display().to_string());
        let contradiction = tokio::task::spawn_blocking(move || {
            let (known, new) = (record.read_object(&known_file)?, record.read_object(&new_file)?);
            Result::Ok(contradiction_of(&known, &new)?)
        })
        .await?;
        let contradiction = match contradiction {
            Ok(contradiction) => contradiction,
            Err(error) => {
                tracing::warn!(%error, "two data sets of one instance could not be compared");
                return Ok(None);
            }
        };
        let same_pixels = match contradiction {
            Some(_) => None,
            None => self.are_pixels_same(self.inner.dir.join(known), newcomer).await?,
        };
        Ok(Some(Verdict { against, contradiction, same_pixels }))
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

    /// Looks again at instances that wait in the inbox to be compared with the data set of their UID. Gives how many
    /// were settled: found to be the same image, or kept aside as a conflict.
    ///
    /// # Errors
    /// Disk and database errors.
    pub async fn settle_waiting(&self) -> Result<u32> {
        let waiting = {
            let mut conn = self.read().await?;
            sqlx::query(
                "SELECT conflict.instance_uid, conflict.object_file, conflict.dataset_sha256,
                     instance.object_file AS known_file, instance.dataset_sha256 AS known_sha256,
                     EXISTS (SELECT 1 FROM instance_twin AS twin WHERE twin.instance_uid = conflict.instance_uid
                         AND twin.dataset_sha256 = conflict.dataset_sha256) AS is_twin
                 FROM conflict JOIN instance USING (instance_uid) WHERE state = 'waiting'",
            )
            .fetch_all(&mut *conn)
            .await?
        };
        let mut n_settled = 0;
        for row in waiting {
            let instance = crate::worklist::uid(row.try_get::<&str, _>("instance_uid")?, InstanceUid::parse)?;
            let one = Waiter { instance, file: row.try_get("object_file")?, sha256: row.try_get("dataset_sha256")? };
            let against = row.try_get::<Vec<u8>, _>("known_sha256")?.try_into().map_err(|_length| crate::Error::Stored("hash"))?;
            let is_twin: bool = row.try_get("is_twin")?;
            let verdict = if is_twin {
                Some(Verdict { against, contradiction: None, same_pixels: Some(true) })
            } else {
                self.judge(row.try_get("known_file")?, against, self.inner.dir.join(&one.file)).await?
            };
            n_settled += u32::from(self.settle_one(&one, verdict).await?);
        }
        Ok(n_settled)
    }

    /// Acts on a verdict, unless another process did so meanwhile. Gives whether it was settled here.
    async fn settle_one(&self, one: &Waiter, verdict: Option<Verdict>) -> Result<bool> {
        let reason = match verdict.map(|verdict| (verdict.contradiction, verdict.same_pixels)) {
            Some((Some(reason), _)) => Some(reason),
            Some((None, Some(false))) => Some(OTHER_CONTENT),
            Some((None, Some(true))) => None,
            Some((None, None)) | None => return Ok(false),
        };
        let mut tx = self.write().await?;
        let is_mine = match reason {
            Some(reason) => wait_no_more(tx.conn(), &one.instance, &one.sha256, reason).await?,
            None => {
                let gone = sqlx::query("DELETE FROM conflict WHERE instance_uid = ? AND dataset_sha256 = ? AND state = 'waiting'")
                    .bind(one.instance.as_str())
                    .bind(&one.sha256)
                    .execute(tx.conn())
                    .await?;
                add_twin(tx.conn(), &one.instance, &one.sha256).await?;
                gone.rows_affected() > 0
            }
        };
        if !is_mine {
            return Ok(false);
        }
        let detail = serde_json::json!({ "is_same": reason.is_none(), "reason": reason });
        crate::audit::note(&mut tx, "", "import.compared", one.instance.as_str(), &detail).await?;
        tx.commit().await?;
        if reason.is_none() {
            let path = self.inner.dir.join(&one.file);
            std::fs::remove_file(&path).map_err(|error| crate::Error::io(&path, error))?;
        }
        Ok(true)
    }

    /// Says in a receipt what became of those that had to wait while it grew.
    pub(crate) async fn conclude(&self, tally: &mut Tally) -> Result<()> {
        for one in std::mem::take(&mut tally.waiting) {
            let mut conn = self.read().await?;
            match kept_aside(&mut conn, one.instance.as_str(), &one.sha256).await? {
                None => tally.present(one.path, one.study, true),
                Some((state, _)) if state == "waiting" => tally.conflict(one.path, one.instance, WAITING),
                Some((_, reason)) => tally.conflict(one.path, one.instance, &reason),
            }
        }
        Ok(())
    }
}

/// A row that waits.
struct Waiter {
    instance: InstanceUid,
    /// Its file, relative to the record.
    file: String,
    sha256: Vec<u8>,
}
