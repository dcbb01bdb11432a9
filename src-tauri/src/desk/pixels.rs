//! Comparing decoded pixels for the record, by a headless viewer that is started when the first question comes.

use mj_link::{Headless, Job, JobError, JobResult, KeyGrant, ObjectFile};
use mj_model::Lang;
use mj_record::{Grant, PixelHasher, Record};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

/// Two files of one image may differ in their encoding alone: a viewer decodes and compares them.
pub(super) struct Hasher {
    grant: Grant,
    lang: Lang,
    viewer: Mutex<Option<Headless>>,
}

impl Hasher {
    /// For a record.
    pub(super) fn new(record: &Record, lang: Lang) -> Self {
        Self { grant: record.grant(), lang, viewer: Mutex::new(None) }
    }
}

impl PixelHasher for Hasher {
    fn samples_sha256(&self, sealed: &Path) -> Result<String, String> {
        let mut held = self.viewer.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out while it works: one that failed is not asked again.
        let keys = || KeyGrant { object_key: self.grant.object_key.to_string(), inbox: self.grant.inbox.clone() };
        let told = |error: JobError| error.to_string();
        let mut viewer = match held.take() {
            Some(viewer) => viewer,
            None => Headless::start(self.lang, Some(keys())).map_err(|error| told(error.into()))?,
        };
        let file = ObjectFile { path: sealed.into(), sealed: true };
        let result = viewer.run(Job::PixelHash { file }, &AtomicBool::new(false), &mut |_done, _total| {}).map_err(told)?;
        let JobResult::PixelHash { samples_sha256 } = result else { return Err("unexpected answer".into()) };
        *held = Some(viewer);
        Ok(samples_sha256)
    }
}
