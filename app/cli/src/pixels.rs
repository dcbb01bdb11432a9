//! The headless viewer: all work on pixels is done there.

use crate::failure::Failure;
use crate::out::Out;
use mj_link::{Event, Events, Job, JobResult, KeyGrant, ObjectFile, ToParent, ToViewer, Worker, find_program};
use mj_record::{Grant, PixelHasher, Record};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A headless viewer, ready for jobs.
pub(crate) struct Pixels {
    worker: Worker,
    events: Events<ToParent>,
    cancel: Arc<AtomicBool>,
    next_job: u64,
}

impl Pixels {
    /// Starts one; with a record it gets the keys over its stdin.
    pub(crate) fn start(record: Option<&Record>, out: &Out, cancel: &Arc<AtomicBool>) -> Result<Self, Failure> {
        Self::start_with(record.map(Record::grant), out, cancel)
    }

    fn start_with(grant: Option<Grant>, out: &Out, cancel: &Arc<AtomicBool>) -> Result<Self, Failure> {
        let (mut worker, events) = Worker::spawn(&find_program("mingjing-viewer")?, &["--headless"])?;
        let keys = grant.map(|grant| KeyGrant { object_key: grant.object_key.to_string(), inbox: grant.inbox });
        worker.send(&ToViewer::Hello { lang: out.lang, keys, person: String::new() })?;
        Ok(Self { worker, events, cancel: Arc::clone(cancel), next_job: 1 })
    }

    /// Runs one job to its end, with progress; Ctrl-C cancels it.
    pub(crate) fn run(&mut self, what: Job, out: &Out) -> Result<JobResult, Failure> {
        let job = self.next_job;
        self.next_job += 1;
        let order = ToViewer::RunJob { job, what };
        if !mj_link::is_sendable(&order) {
            return Err(Failure::NotFinite);
        }
        self.worker.send(&order)?;
        let mut has_asked_to_stop = false;
        loop {
            if self.cancel.load(Ordering::Relaxed) && !has_asked_to_stop {
                has_asked_to_stop = true;
                self.worker.send(&ToViewer::CancelJob { job })?;
            }
            match self.events.next_within(Duration::from_millis(100)) {
                Some(Event::Message(ToParent::JobProgress { job: of, done, total })) if of == job => out.progress(done, total),
                Some(Event::Message(ToParent::JobDone { job: of, result })) if of == job => return Ok(result),
                Some(Event::Message(ToParent::JobFailed { job: of, error })) if of == job => return Err(Failure::Told(error)),
                // It could not take something of ours; an answer to the job may never come.
                Some(Event::Message(ToParent::Problem { error })) => return Err(Failure::Told(error)),
                Some(Event::Ended) => {
                    return Err(mj_link::WorkerError::Ended(std::io::ErrorKind::UnexpectedEof.into()).into());
                }
                Some(Event::Message(_) | Event::Noise(_)) | None => {}
            }
        }
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
