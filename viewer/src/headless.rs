//! The worker without a window: takes jobs from its parent, one after another.
//!
//! A thread reads messages, so that a job can be cancelled while it runs; one thread works. A panic in a job is
//! caught and reported; what aborts the process takes this worker only, which is why it is a process. When the
//! parent's end closes, the worker leaves at once.

pub mod jobs;
mod output;
mod patient;
mod phantom;
mod pictures;
mod registration;
mod segments;
mod volume_picture;

pub(crate) use output::hex;

use crate::args::Args;
use crate::source::Keys;
use crate::stdio::{self, Incoming, Sender};
use crate::{Error, Result};
use mj_link::{Job, ToParent, ToViewer};
use mj_model::Lang;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Jobs that may wait.
const QUEUE: usize = 256;

/// What a job is given beside itself.
#[derive(Clone)]
pub struct Context {
    /// Keys of the record, when granted.
    pub keys: Option<Keys>,
    /// Language of sentences.
    pub lang: Lang,
    /// Set to stop.
    pub cancel: Arc<AtomicBool>,
    /// Tells how far it is: done, total.
    pub progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
}

impl Context {
    /// A context that reports nothing, for tests.
    #[must_use]
    pub fn quiet(keys: Option<Keys>) -> Self {
        Self { keys, lang: Lang::En, cancel: Arc::default(), progress: Arc::new(|_, _| {}) }
    }

    /// The same for `mj-dicom`.
    #[must_use]
    pub fn watch(&self) -> mj_dicom::Watch {
        let progress = Arc::clone(&self.progress);
        mj_dicom::Watch { progress: Box::new(move |done, total| progress(done, total)), cancel: Arc::clone(&self.cancel) }
    }

    /// An error when the job was taken back.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
    }
}

/// Flags of jobs that wait or run, by number.
type Flags = Arc<Mutex<BTreeMap<u64, Arc<AtomicBool>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the reader hands to the working thread.
enum Order {
    Hello { lang: Lang, keys: Option<Keys> },
    Run { job: u64, what: Box<Job> },
    End,
}

/// Works until the parent says to leave or is gone.
///
/// # Errors
/// [`Error::Link`].
pub fn run(args: &Args) -> Result<()> {
    let (sender, writing) = stdio::write_to_parent()?;
    sender.send(stdio::hello("cpu".into()));
    let (orders, receiver) = sync_channel(QUEUE);
    let flags = Flags::default();
    let reading = Reading { orders, flags: Arc::clone(&flags), sender: sender.clone(), lang: args.lang };
    stdio::read_from_parent(move |incoming| reading.take(incoming))?;
    work(&receiver, &flags, &sender, args.lang);
    drop(sender);
    writing.finish();
    Ok(())
}

struct Reading {
    orders: SyncSender<Order>,
    flags: Flags,
    sender: Sender,
    lang: Lang,
}

impl Reading {
    /// Takes a message on the reader's thread; false when there is nothing more to read.
    fn take(&self, incoming: Incoming) -> bool {
        let message = match incoming {
            Incoming::Message(message) => *message,
            Incoming::Unreadable { job } => {
                let error = mj_lang::tell(&Error::Unreadable, self.lang);
                self.sender.send(match job {
                    Some(job) => ToParent::JobFailed { job, error },
                    None => ToParent::Problem { error },
                });
                return true;
            }
            Incoming::End => {
                // Nobody is left to hear of results: unfinished files are dropped with the process.
                for flag in lock(&self.flags).values() {
                    flag.store(true, Ordering::Relaxed);
                }
                std::thread::sleep(std::time::Duration::from_millis(200));
                std::process::exit(0);
            }
        };
        match message {
            ToViewer::Hello { lang, keys, .. } => match keys.as_ref().map(Keys::from_grant).transpose() {
                Ok(keys) => self.order(Order::Hello { lang, keys }),
                Err(e) => {
                    self.sender.send(ToParent::Problem { error: mj_lang::tell(&e, lang) });
                    true
                }
            },
            ToViewer::RunJob { job, what } => {
                lock(&self.flags).insert(job, Arc::default());
                self.order(Order::Run { job, what: Box::new(what) })
            }
            ToViewer::CancelJob { job } => {
                if let Some(flag) = lock(&self.flags).get(&job) {
                    flag.store(true, Ordering::Relaxed);
                }
                true
            }
            ToViewer::Quit => {
                for flag in lock(&self.flags).values() {
                    flag.store(true, Ordering::Relaxed);
                }
                self.order(Order::End);
                false
            }
            // A worker has no study open.
            _ => {
                self.sender.send(ToParent::Problem { error: mj_lang::tell(&Error::StudyNotOpen, self.lang) });
                true
            }
        }
    }

    fn order(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }
}

fn work(orders: &Receiver<Order>, flags: &Flags, sender: &Sender, lang: Lang) {
    let mut context = Context { lang, ..Context::quiet(None) };
    for order in orders {
        match order {
            Order::Hello { lang, keys } => {
                context.lang = lang;
                context.keys = keys;
            }
            Order::Run { job, what } => {
                let cancel = lock(flags).get(&job).cloned().unwrap_or_default();
                let to = sender.clone();
                let progress = Arc::new(move |done, total| to.offer(ToParent::JobProgress { job, done, total }));
                let result = run_one(&what, &Context { cancel, progress, ..context.clone() });
                lock(flags).remove(&job);
                sender.send(match result {
                    Ok(result) => ToParent::JobDone { job, result },
                    Err(e) => {
                        tracing::warn!("a job failed: {e}");
                        ToParent::JobFailed { job, error: mj_lang::tell(&e, context.lang) }
                    }
                });
            }
            Order::End => return,
        }
    }
}

/// Runs one job; a panic in it is an error like any other.
fn run_one(job: &Job, context: &Context) -> Result<mj_link::JobResult> {
    context.check()?;
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| jobs::run(job, context)));
    match done {
        Ok(Err(Error::Dicom(mj_dicom::Error::Cancelled)) | Err(Error::Imaging(mj_imaging::Error::Cancelled))) => Err(Error::Cancelled),
        Ok(result) => result,
        Err(_panic) => Err(Error::Panicked),
    }
}
