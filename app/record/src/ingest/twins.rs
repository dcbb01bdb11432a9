//! One SOP Instance UID, two data sets: the same image if the decoded pixels agree.
//!
//! A round trip through a PACS meets this at once: it may change the encoding or the header. What must not change is whose
//! image it is, where it lies and what its values mean: then it is kept aside at once. The record decodes no pixels, so it asks whoever gave it a [`PixelHasher`]; without one the newcomer waits in the inbox.

use super::enter::{
    KnownInstance, Newcomer, OTHER_CONTENT, OTHER_PATIENT, OTHER_SERIES, add_twin, give_way, is_twin, kept_aside, known_instance,
    wait_no_more,
};
use super::receipt::{CUT_COPY, SAME_PIXELS, Tally, WAITING};
use crate::objects::{Place, Staged};
use crate::{Record, Result};
use mj_dicom::Dataset;
use mj_dicom::dataset::locate;
use mj_model::InstanceUid;
use sqlx::{Row as _, SqliteConnection};
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
    pub(crate) finding: Finding,
}

/// How a newcomer stands to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The decoded pixels agree.
    SamePixels,
    /// It is cut short, and what is there begins with it.
    PartOfKnown,
    /// What is there is cut short, and it begins with that.
    Completes,
    /// It is another image; the reason.
    Other(&'static str),
    /// Nobody can decode the pixels yet.
    Undecided,
}

/// Which of two objects of one UID is the beginning of the other, cut short there: the data sets agree byte for byte up to
/// its end, in one transfer syntax.
fn part_of(known: &[u8], newcomer: &[u8]) -> mj_dicom::Result<Option<Finding>> {
    let ((from_a, syntax_a), (from_b, syntax_b)) = (locate(known)?, locate(newcomer)?);
    let (a, b) = (known.get(from_a..).unwrap_or_default(), newcomer.get(from_b..).unwrap_or_default());
    let is_cut = |object: &[u8]| Dataset::read(object).map(|dataset| dataset.is_cut_short());
    Ok(if syntax_a != syntax_b {
        None
    } else if b.starts_with(a) && is_cut(known)? {
        Some(Finding::Completes)
    } else if a.starts_with(b) && is_cut(newcomer)? {
        Some(Finding::PartOfKnown)
    } else {
        None
    })
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
    } else if known.is_cut_short() || newcomer.is_cut_short() || !mj_dicom::likeness::is_alike(&known, &newcomer) {
        // Of missing pixels nobody can say that they are the same.
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

    /// What needs no pixels first: identity and place, and whether one is a part of the other; then the pixels, when somebody
    /// can decode them.
    async fn judge(&self, known: &str, against: [u8; 32], newcomer: PathBuf) -> Result<Option<Verdict>> {
        let (record, known, new) = (self.clone(), PathBuf::from(known), newcomer.clone());
        let (known_file, new_file) = (known.display().to_string(), new.display().to_string());
        let found = tokio::task::spawn_blocking(move || {
            let (known, new) = (record.read_object(&known_file)?, record.read_object(&new_file)?);
            let part = part_of(&known, &new)?;
            Result::Ok(if part.is_some() { part } else { contradiction_of(&known, &new)?.map(Finding::Other) })
        })
        .await?;
        let finding = match found {
            Ok(Some(finding)) => finding,
            Ok(None) => match self.are_pixels_same(self.inner.dir.join(known), newcomer).await? {
                Some(true) => Finding::SamePixels,
                Some(false) => Finding::Other(OTHER_CONTENT),
                None => Finding::Undecided,
            },
            Err(error) => {
                tracing::warn!(%error, "two data sets of one instance could not be compared");
                return Ok(None);
            }
        };
        Ok(Some(Verdict { against, finding }))
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
                "SELECT conflict.instance_uid, conflict.object_file, conflict.dataset_sha256, conflict.came_from,
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
            let (file, sha256, from) = (row.try_get("object_file")?, row.try_get("dataset_sha256")?, row.try_get("came_from")?);
            let one = Waiter { instance, file, sha256, from };
            let against = row.try_get::<Vec<u8>, _>("known_sha256")?.try_into().map_err(|_length| crate::Error::Stored("hash"))?;
            let is_twin: bool = row.try_get("is_twin")?;
            let verdict = if is_twin {
                Some(Verdict { against, finding: Finding::SamePixels })
            } else {
                self.judge(row.try_get("known_file")?, against, self.inner.dir.join(&one.file)).await?
            };
            n_settled += u32::from(self.settle_one(&one, verdict).await?);
        }
        Ok(n_settled)
    }

    /// Acts on a verdict, unless another process did so meanwhile. Gives whether it was settled here.
    async fn settle_one(&self, one: &Waiter, verdict: Option<Verdict>) -> Result<bool> {
        let Some(Verdict { against, finding }) = verdict else { return Ok(false) };
        let reason = match finding {
            Finding::Undecided => return Ok(false),
            Finding::Completes => return self.complete(one, against).await,
            Finding::Other(reason) => Some(reason),
            Finding::SamePixels | Finding::PartOfKnown => None,
        };
        let mut tx = self.write().await?;
        let is_mine = match reason {
            Some(reason) => wait_no_more(tx.conn(), &one.instance, &one.sha256, reason).await?,
            None => forget(tx.conn(), one).await?,
        };
        if !is_mine {
            return Ok(false);
        }
        if finding == Finding::SamePixels {
            add_twin(tx.conn(), &one.instance, &one.sha256).await?;
        }
        let detail = serde_json::json!({ "is_same": reason.is_none(), "reason": reason });
        crate::audit::note(&mut tx, "", "import.compared", one.instance.as_str(), &detail).await?;
        tx.commit().await?;
        if reason.is_none() {
            self.remove_waiting(one)?;
        }
        Ok(true)
    }

    /// Puts one that waited in the place of what is there, which is cut short. Gives whether it was settled here.
    async fn complete(&self, one: &Waiter, known: [u8; 32]) -> Result<bool> {
        let bytes = self.load_object(one.file.clone()).await?;
        let (record, header) = (self.clone(), Dataset::read(&bytes)?.header()?);
        let staged = tokio::task::spawn_blocking(move || record.stage(&bytes)).await??;
        let n_bytes = staged.bytes;
        let mut tx = self.write().await?;
        if !forget(tx.conn(), one).await? {
            return Ok(false);
        }
        let (placed, files) = self.place(&tx, vec![(staged, Place::Objects)])?;
        let file = files.first().ok_or(crate::Error::Task)?;
        let newcomer = Newcomer { header: &header, sha256: &one.sha256, file, bytes: n_bytes, from: &one.from };
        if !give_way(&mut tx, &known, &newcomer).await? {
            return Ok(false);
        }
        self.commit_with(tx, placed).await?;
        self.remove_waiting(one)?;
        Ok(true)
    }

    fn remove_waiting(&self, one: &Waiter) -> Result<()> {
        let path = self.inner.dir.join(&one.file);
        std::fs::remove_file(&path).map_err(|error| crate::Error::io(&path, error))
    }

    /// Says in a receipt what became of those that had to wait while it grew.
    pub(crate) async fn conclude(&self, tally: &mut Tally) -> Result<()> {
        for one in std::mem::take(&mut tally.waiting) {
            let mut conn = self.read().await?;
            match kept_aside(&mut conn, one.instance.as_str(), &one.sha256).await? {
                None => match known_instance(&mut conn, &one.instance).await? {
                    Some(known) if known.sha256 == one.sha256 => tally.completed(one.path, one.study, known.is_cut_short),
                    _ if is_twin(&mut conn, &one.instance, &one.sha256).await? => tally.present(one.path, one.study, Some(SAME_PIXELS)),
                    _ => tally.present(one.path, one.study, Some(CUT_COPY)),
                },
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
    /// Where it came from.
    from: String,
}

/// Takes the row of one that waits away; false when another process did.
async fn forget(conn: &mut SqliteConnection, one: &Waiter) -> Result<bool> {
    let gone = sqlx::query("DELETE FROM conflict WHERE instance_uid = ? AND dataset_sha256 = ? AND state = 'waiting'")
        .bind(one.instance.as_str())
        .bind(&one.sha256)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected() > 0)
}
