//! The child viewer's life: started, asked, watched, started again where it was, left off when it keeps crashing.

use crate::desk::error::Result;
use mj_link::worker::{Event, Worker, find_program};
use mj_link::{ToParent, ToViewer};
use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages that may wait for the child.
const QUEUE: usize = 256;
/// So many crashes within [`CRASH_WINDOW`], and it is left off.
const MOST_CRASHES: usize = 3;
/// After so many crashes the processor draws: a broken driver would only crash again.
const CRASHES_OF_A_CARD: usize = 2;
/// See [`MOST_CRASHES`].
const CRASH_WINDOW: Duration = Duration::from_secs(60);

/// What the owner of a child viewer does with what it says. Called from the child's own thread, one after another.
pub trait Owner: Send + Sync + 'static {
    /// The first messages to a fresh child: `Hello`, and the study where it was.
    fn greeting(&self) -> Vec<ToViewer>;
    /// Arguments that say where its window goes.
    fn place(&self) -> Vec<String>;
    /// It said something.
    fn said(&self, message: ToParent);
    /// It left, and this is what comes next.
    fn left(&self, what: Left);
}

/// What comes after a child has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Its person closed it: nothing.
    Closed,
    /// It crashed and is being started again.
    Again,
    /// It crashed too often and stays off.
    TooOften,
    /// It crashed and could not be started again.
    Lost,
}

/// One child viewer.
pub struct Child {
    args: Vec<String>,
    now: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    /// Counts starts, so that a thread of an earlier child changes nothing.
    start: u64,
    to_child: Option<SyncSender<ToViewer>>,
    writer: Option<JoinHandle<Worker>>,
    crashes: VecDeque<Instant>,
    is_wanted: bool,
    /// The graphics card is left alone from now on.
    is_card_bad: bool,
    pid: u32,
}

fn lock(now: &Mutex<Now>) -> MutexGuard<'_, Now> {
    now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Child {
    /// A child that is not started yet.
    #[must_use]
    pub fn new(args: &[&str]) -> Self {
        Self { args: args.iter().map(|&a| a.into()).collect(), now: Arc::default() }
    }

    /// True while it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        lock(&self.now).to_child.is_some()
    }

    /// Its process id; 0 when it is off.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let now = lock(&self.now);
        if now.to_child.is_some() { now.pid } else { 0 }
    }

    /// Starts it unless it runs.
    ///
    /// # Errors
    /// When the program is not there or the system refuses.
    pub fn start(&self, owner: &Arc<dyn Owner>) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        lock(&self.now).is_wanted = true;
        start(&self.args, &self.now, owner)
    }

    /// Forgets earlier crashes and starts it, as a person asked.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_anew(&self, owner: &Arc<dyn Owner>) -> Result<()> {
        self.stop();
        lock(&self.now).crashes.clear();
        self.start(owner)
    }

    /// Tells it something; says whether it was there to hear it.
    pub fn send(&self, message: ToViewer) -> bool {
        // A full queue means that it hears nothing; waiting here would stop the shell with it.
        lock(&self.now).to_child.as_ref().is_some_and(|queue| queue.try_send(message).is_ok())
    }

    /// Asks it to leave, and waits for that.
    pub fn stop(&self) {
        let writer = {
            let mut now = lock(&self.now);
            now.is_wanted = false;
            now.start += 1;
            if let Some(queue) = now.to_child.take() {
                drop(queue.try_send(ToViewer::Quit));
            }
            now.writer.take()
        };
        if let Some(worker) = writer.and_then(|thread| thread.join().ok()) {
            drop(worker);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(args: &[String], shared: &Arc<Mutex<Now>>, owner: &Arc<dyn Owner>) -> Result<()> {
    let program = find_program("mingjing-viewer")?;
    let place = owner.place();
    let mut args_now: Vec<&str> = args.iter().chain(&place).map(String::as_str).collect();
    if lock(shared).is_card_bad {
        args_now.extend(["--maker", "cpu"]);
    }
    let (mut worker, events) = Worker::spawn::<ToParent>(&program, &args_now)?;
    let (to_child, messages) = sync_channel::<ToViewer>(QUEUE);
    let pid = worker.pid();
    let greeting = owner.greeting();
    let writer = named("viewer-writer", move || {
        for message in greeting.into_iter().chain(messages) {
            if worker.send(&message).is_err() {
                break;
            }
        }
        worker
    })?;
    let number = {
        let mut now = lock(shared);
        now.start += 1;
        now.to_child = Some(to_child);
        now.writer = Some(writer);
        now.pid = pid;
        now.start
    };
    let (args, shared, owner) = (args.to_vec(), Arc::clone(shared), Arc::clone(owner));
    named("viewer-events", move || {
        loop {
            match events.next() {
                Event::Message(message) => owner.said(message),
                Event::Noise(noise) => tracing::warn!(%noise, "the viewer printed something else"),
                Event::Ended => break,
            }
        }
        after(&args, &shared, &owner, number);
    })?;
    Ok(())
}

/// What to do when the child of a start has left.
fn after(args: &[String], shared: &Arc<Mutex<Now>>, owner: &Arc<dyn Owner>, number: u64) {
    let writer = {
        let mut now = lock(shared);
        if now.start != number {
            return;
        }
        now.to_child = None;
        now.writer.take()
    };
    let status = writer.and_then(|thread| thread.join().ok()).and_then(|worker| worker.stop().ok());
    if status.is_some_and(|status| status.success()) {
        owner.left(Left::Closed);
        return;
    }
    tracing::warn!(?status, "the viewer crashed");
    let again = {
        let mut now = lock(shared);
        let instant = Instant::now();
        now.crashes.retain(|at| instant.duration_since(*at) < CRASH_WINDOW);
        now.crashes.push_back(instant);
        now.is_card_bad |= now.crashes.len() >= CRASHES_OF_A_CARD;
        now.is_wanted && now.crashes.len() < MOST_CRASHES
    };
    if !again {
        owner.left(Left::TooOften);
        return;
    }
    owner.left(Left::Again);
    if let Err(error) = start(args, shared, owner) {
        tracing::error!(%error, "the viewer could not be started again");
        owner.left(Left::Lost);
    }
}

fn named<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map_err(|_no_thread| crate::desk::error::Error::Internal("no thread could be started"))
}
