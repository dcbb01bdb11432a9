//! Importing with progress, one import at a time.

use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::{Event, ImportDone, SkippedLine};
use mj_model::Phi;
use mj_record::{ImportReceipt, Watch};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Skipped files told to the page; the rest is counted.
const SHOWN: usize = 200;
/// Progress is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(100);

impl Desk {
    /// Imports files and folders and gives the receipt. Stopping is no error: the receipt then covers what was
    /// taken so far.
    ///
    /// # Errors
    /// [`Error::Busy`] while another import runs; those of the record.
    pub async fn import(&self, paths: Vec<PathBuf>) -> Result<ImportDone> {
        let record = self.record()?;
        let cancel = Arc::new(AtomicBool::new(false));
        {
            let mut importing = lock(&self.0.importing);
            if importing.is_some() {
                return Err(Error::Busy);
            }
            *importing = Some(Arc::clone(&cancel));
        }
        let watch = Watch { progress: self.progress(), cancel };
        let receipt = record.import(&paths, &watch).await;
        *lock(&self.0.importing) = None;
        self.emit(Event::StudiesChanged {});
        Ok(done(&receipt?, self))
    }

    /// Asks a running import to stop.
    pub fn cancel_import(&self) {
        if let Some(cancel) = lock(&self.0.importing).as_ref() {
            cancel.store(true, Ordering::Relaxed);
        }
    }

    fn progress(&self) -> Box<dyn Fn(u64, u64) + Send + Sync> {
        let desk = self.clone();
        let last = Mutex::new(None::<Instant>);
        Box::new(move |done, total| {
            let mut last = lock(&last);
            if done < total && last.is_some_and(|at| at.elapsed() < TELL_EVERY) {
                return;
            }
            *last = Some(Instant::now());
            desk.emit(Event::ImportProgress { done, total });
        })
    }
}

fn done(receipt: &ImportReceipt, desk: &Desk) -> ImportDone {
    let lang = desk.lang();
    let line = |path: &str, code: &str, english: &str| SkippedLine {
        path: Phi::new(path.to_owned()),
        code: code.to_owned(),
        reason: mj_lang::reason(code, english, lang),
    };
    ImportDone {
        seen: receipt.seen,
        stored: receipt.stored,
        already_present: receipt.already_present,
        conflicts: receipt.conflicts.len() as u64,
        skipped: receipt.skipped.iter().take(SHOWN).map(|s| line(&s.path, &s.code, &s.reason)).collect(),
        incomplete: receipt.notes.iter().filter(|n| n.needs_person()).take(SHOWN).map(|n| line(&n.path, &n.code, &n.code)).collect(),
        skipped_total: receipt.skipped.len() as u64,
        studies: receipt.studies.iter().map(ToString::to_string).collect(),
    }
}
