//! A headless viewer as its parent has it: started, given jobs, asked to stop.

use crate::job::{Job, JobResult};
use crate::message::{KeyGrant, ToParent, ToViewer};
use crate::worker::{Event, Events, Worker, WorkerError, find_program};
use mj_model::{Lang, Told};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A headless viewer, ready for jobs.
#[derive(Debug)]
pub struct Headless {
    worker: Worker,
    events: Events<ToParent>,
    next_job: u64,
}

/// Why a job gave no result.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The viewer is not there, or has left.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The job was refused, failed or was cancelled.
    #[error("{}", .0.message)]
    Told(Told),
    /// A number of it is not finite, which JSON cannot say.
    #[error("a number is not finite")]
    NotFinite,
}

impl Headless {
    /// Starts one; with keys it can read and fill a record.
    ///
    /// # Errors
    /// When the program is not there or does not start.
    pub fn start(lang: Lang, keys: Option<KeyGrant>) -> Result<Self, WorkerError> {
        let (mut worker, events) = Worker::spawn(&find_program("mingjing-viewer")?, &["--headless"])?;
        worker.send(&ToViewer::Hello { lang, keys, person: String::new() })?;
        Ok(Self { worker, events, next_job: 1 })
    }

    /// Runs one job to its end; `progress` takes steps done and steps in all.
    ///
    /// # Errors
    /// [`JobError`]; a job that was cancelled is told as `job.cancelled`.
    pub fn run(&mut self, what: Job, cancel: &AtomicBool, progress: &mut dyn FnMut(u64, u64)) -> Result<JobResult, JobError> {
        let job = self.next_job;
        self.next_job += 1;
        let order = ToViewer::RunJob { job, what };
        if !crate::is_sendable(&order) {
            return Err(JobError::NotFinite);
        }
        self.worker.send(&order)?;
        let mut has_asked_to_stop = false;
        loop {
            if cancel.load(Ordering::Relaxed) && !has_asked_to_stop {
                has_asked_to_stop = true;
                self.worker.send(&ToViewer::CancelJob { job })?;
            }
            match self.events.next_within(Duration::from_millis(100)) {
                Some(Event::Message(ToParent::JobProgress { job: of, done, total })) if of == job => progress(done, total),
                Some(Event::Message(ToParent::JobDone { job: of, result })) if of == job => return Ok(result),
                Some(Event::Message(ToParent::JobFailed { job: of, error })) if of == job => return Err(JobError::Told(error)),
                // It could not take something of ours; an answer to the job may never come.
                Some(Event::Message(ToParent::Problem { error })) => return Err(JobError::Told(error)),
                Some(Event::Ended) => return Err(WorkerError::Ended(std::io::ErrorKind::UnexpectedEof.into()).into()),
                Some(Event::Message(_) | Event::Noise(_)) | None => {}
            }
        }
    }
}
