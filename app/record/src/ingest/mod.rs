//! The one door: everything that enters the record comes through here, what our own programs made included.
//!
//! A file is read (bounded), parsed, hashed and sealed into the session's folder; up to [`BATCH`] of them then
//! enter in one transaction, which decides by identity, puts the files in place and notes it in the audit. An
//! instance counts as stored only after its transaction. `walk` finds the files, `prepare` makes them ready,
//! `enter` decides and stores.

mod enter;
mod prepare;
mod receipt;
mod twins;
mod walk;

#[cfg(test)]
pub(crate) use enter::index_study;
pub(crate) use enter::{is_cut_short, known_instance};
pub use receipt::{Conflict, ImportReceipt, Ingested, Note, Skipped};
pub use twins::PixelHasher;

use crate::{Error, Record, Result};
use mj_dicom::Watch;
use mj_model::{Coded as _, StudyUid};
pub(crate) use prepare::Candidate;
use prepare::Prepared;
pub(crate) use receipt::{Tally, WAITING};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Instances that enter in one transaction.
const BATCH: usize = 64;
/// Files in the works at once: enough for the disk to sync several together.
const AT_ONCE: usize = 6;

impl Record {
    /// Imports files, folders, ZIP archives and media. What is in the record already is counted and left
    /// alone, so an import that was interrupted goes on when it is run again.
    ///
    /// # Errors
    /// [`Error::NothingFound`] for empty folders; [`Error::NoSuchPath`]; [`Error::Cancelled`] when stopped
    /// (what was stored stays); [`Error::DiskFull`] and other disk and database errors.
    pub async fn import(&self, paths: &[PathBuf], watch: &Watch) -> Result<ImportReceipt> {
        let roots = paths.to_vec();
        let found = tokio::task::spawn_blocking(move || walk::find(&roots)).await??;
        let total = found.total;
        let (sender, mut candidates) = tokio::sync::mpsc::channel::<Candidate>(AT_ONCE);
        let cancel = Arc::clone(&watch.cancel);
        let feeder = tokio::task::spawn_blocking(move || found.feed(&sender, &cancel));
        let mut tally = Tally::default();
        let mut works = VecDeque::new();
        let mut batch: Vec<Prepared> = Vec::with_capacity(BATCH);
        let mut is_open = true;
        while is_open || !works.is_empty() {
            if is_open && works.len() < AT_ONCE {
                match candidates.recv().await {
                    Some(candidate) => {
                        let record = self.clone();
                        works.push_back(tokio::spawn(async move { record.prepare(candidate).await }));
                    }
                    None => is_open = false,
                }
                continue;
            }
            if let Some(work) = works.pop_front() {
                match work.await? {
                    Ok(prepared) => batch.push(prepared),
                    Err(failed) => tally.skip(failed)?,
                }
            }
            if batch.len() >= BATCH {
                self.enter_batch(std::mem::take(&mut batch), &mut tally).await?;
            }
            (watch.progress)(tally.seen + batch.len() as u64, total.max(tally.seen));
        }
        self.enter_batch(batch, &mut tally).await?;
        feeder.await?;
        if !watch.cancel.load(Ordering::Relaxed) {
            self.settle_waiting().await?;
        }
        self.conclude(&mut tally).await?;
        (watch.progress)(tally.seen, tally.seen);
        let receipt = tally.into_receipt();
        self.keep_receipt(&receipt).await?;
        if watch.cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if receipt.seen == 0 {
            return Err(Error::NothingFound(paths.first().cloned().unwrap_or_default()));
        }
        Ok(receipt)
    }

    /// Takes one object from memory. `from` says where it came from (`C-STORE from AET`), for the record.
    ///
    /// # Errors
    /// [`Error::Dicom`] when it is none; disk and database errors. A conflict is no error: it is kept aside.
    pub async fn ingest_bytes(&self, bytes: Vec<u8>, from: &str) -> Result<Ingested> {
        let prepared = self.prepare(Candidate::bytes(from.to_owned(), bytes)).await.map_err(|failed| failed.error)?;
        let mut entered = self.enter(vec![prepared]).await?;
        entered.pop().map(|(_, outcome)| outcome).ok_or(Error::Task)
    }

    /// Takes a sealed file that a child worker put into the inbox. The file is removed when it has entered.
    ///
    /// # Errors
    /// [`Error::BadInboxName`]; [`Error::OtherStudy`] when the object is of another study than said;
    /// [`Error::Contradicts`] when it may not enter; disk and database errors.
    pub async fn ingest_inbox(&self, file: &str, study: &StudyUid) -> Result<Ingested> {
        let (path, bytes) = self.read_inbox(file).await?;
        let prepared = self.prepare(Candidate::bytes(format!("inbox/{file}"), bytes)).await.map_err(|failed| failed.error)?;
        if prepared.header.study.uid != *study {
            return Err(Error::OtherStudy);
        }
        // What our own programs make is no result of others; said before it is there, so that nobody takes it in between.
        if crate::results::ResultKind::of(prepared.header.sop_class.as_str()).is_some() {
            self.note_own(&prepared.header.instance).await?;
        }
        let mut entered = self.enter(vec![prepared]).await?;
        let outcome = entered.pop().map(|(_, outcome)| outcome).ok_or(Error::Task)?;
        std::fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        match outcome {
            Ingested::Conflict { reason, .. } => Err(Error::Contradicts(reason)),
            other => Ok(other),
        }
    }

    /// Opens a sealed file of the inbox.
    pub(crate) async fn read_inbox(&self, file: &str) -> Result<(PathBuf, Vec<u8>)> {
        let is_plain = Path::new(file).file_name().is_some_and(|name| name == file) && !file.starts_with('.');
        if !is_plain || file.contains(['/', '\\']) {
            return Err(Error::BadInboxName(file.to_owned()));
        }
        let path = self.inner.dir.join("inbox").join(file);
        let sealed = self.load_object(format!("inbox/{file}")).await?;
        Ok((path, sealed.to_vec()))
    }

    async fn enter_batch(&self, batch: Vec<Prepared>, tally: &mut Tally) -> Result<()> {
        for (from, outcome) in self.enter(batch).await? {
            tally.take(from, outcome);
        }
        Ok(())
    }

    pub(crate) async fn keep_receipt(&self, receipt: &ImportReceipt) -> Result<()> {
        if receipt.seen == 0 {
            return Ok(());
        }
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO receipt (at, content) VALUES (?, ?)")
            .bind(mj_model::clock::now().to_string())
            .bind(crate::db::to_json(receipt)?)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}

/// A file that was not taken, with its error.
pub(crate) struct Failed {
    pub(crate) from: String,
    pub(crate) error: Error,
}

impl Failed {
    /// True for troubles of the disk or the record: going on would only repeat them.
    fn is_general(&self) -> bool {
        !matches!(self.error, Error::Dicom(_) | Error::Disk { .. } | Error::Skip(..))
    }

    fn skipped(&self) -> Skipped {
        Skipped { path: self.from.clone(), code: self.error.code().to_owned(), reason: self.error.to_string() }
    }
}
