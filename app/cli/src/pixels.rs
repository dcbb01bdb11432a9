//! The headless viewer: all work on pixels is done there.

use crate::failure::Failure;
use crate::out::Out;
use mj_link::{Headless, Job, JobError, JobResult, KeyGrant, ObjectFile};
use mj_record::{Grant, PixelHasher, Record};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// A headless viewer, ready for jobs.
pub(crate) struct Pixels {
    viewer: Headless,
    cancel: Arc<AtomicBool>,
}

impl Pixels {
    /// Starts one; with a record it gets the keys over its stdin.
    pub(crate) fn start(record: Option<&Record>, out: &Out, cancel: &Arc<AtomicBool>) -> Result<Self, Failure> {
        Self::start_with(record.map(Record::grant), out, cancel)
    }

    fn start_with(grant: Option<Grant>, out: &Out, cancel: &Arc<AtomicBool>) -> Result<Self, Failure> {
        let keys = grant.map(|grant| KeyGrant { object_key: grant.object_key.to_string(), inbox: grant.inbox });
        Ok(Self { viewer: Headless::start(out.lang, keys)?, cancel: Arc::clone(cancel) })
    }

    /// Runs one job to its end, with progress; Ctrl-C cancels it.
    pub(crate) fn run(&mut self, what: Job, out: &Out) -> Result<JobResult, Failure> {
        self.viewer.run(what, &self.cancel, &mut |done, total| out.progress(done, total)).map_err(|error| match error {
            JobError::Worker(error) => error.into(),
            JobError::Told(told) => Failure::Told(told),
            JobError::NotFinite => Failure::NotFinite,
        })
    }
}

/// Compares decoded pixels for the record, by a headless viewer that is started when the first question comes.
pub(crate) struct ViewerHasher {
    grant: Grant,
    out: Out,
    cancel: Arc<AtomicBool>,
    viewer: Mutex<Option<Pixels>>,
}

impl ViewerHasher {
    /// For a record.
    pub(crate) fn new(record: &Record, out: &Out, cancel: &Arc<AtomicBool>) -> Self {
        Self { grant: record.grant(), out: out.clone(), cancel: Arc::clone(cancel), viewer: Mutex::new(None) }
    }

    fn ask(&self, sealed: &Path) -> Result<String, Failure> {
        let mut viewer = self.viewer.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it works: one that failed is not asked again.
        let mut pixels = match viewer.take() {
            Some(pixels) => pixels,
            None => Pixels::start_with(Some(self.grant.clone()), &self.out, &self.cancel)?,
        };
        let file = ObjectFile { path: sealed.into(), sealed: true };
        let JobResult::PixelHash { samples_sha256 } = pixels.run(Job::PixelHash { file }, &self.out)? else {
            return Err(crate::commands::unexpected());
        };
        *viewer = Some(pixels);
        Ok(samples_sha256)
    }
}

impl PixelHasher for ViewerHasher {
    fn samples_sha256(&self, sealed: &Path) -> Result<String, String> {
        self.ask(sealed).map_err(|failure| failure.to_string())
    }
}
