//! Threads: one reads, one computes volumes for the newest plane only.

use super::case::{self, Case, Sources, Wanted};
use crate::Error;
use mj_imaging::plan;
use mj_link::ToViewer;
use mj_model::plan::{CutPlane, PlanResult};
use mj_model::{Coded as _, Lang, Mask, Told, Volume};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Everything that reaches the room from other threads.
pub(super) enum Event {
    /// The parent said something.
    Parent(Box<ToViewer>),
    /// The parent is gone.
    ParentEnded,
    /// The segments are read, or why not. The number is that of the opening.
    Opened(u64, Result<Box<Case>, Told>),
    /// The images are read, or why not. The number is that of the loading.
    Images(u64, Result<Arc<Volume>, Told>),
    /// Volumes of a plane.
    Cut(u64, Result<Vec<PlanResult>, Told>),
}

/// The sending end; wakes the window.
#[derive(Clone)]
pub(super) struct Events {
    sender: SyncSender<Event>,
    ctx: egui::Context,
}

impl Events {
    pub(super) fn new(ctx: egui::Context) -> (Self, Receiver<Event>) {
        let (sender, receiver) = sync_channel(64);
        (Self { sender, ctx }, receiver)
    }

    /// Sends; false when the room is gone.
    pub(super) fn send(&self, event: Event) -> bool {
        let is_sent = self.sender.send(event).is_ok();
        self.ctx.request_repaint();
        is_sent
    }
}

/// Reads a study's segments on a thread of its own.
pub(super) fn open(opening: u64, wanted: Wanted, events: Events, lang: Lang) {
    spawn("opener", move || {
        let opened = guarded(lang, || case::open(&wanted));
        events.send(Event::Opened(opening, opened.map(Box::new)));
    });
}

/// Reads a segment's images on a thread of its own.
pub(super) fn load(loading: u64, images: Arc<Sources>, events: Events, lang: Lang) {
    spawn("loader", move || {
        let volume = guarded(lang, || case::images(&images));
        events.send(Event::Images(loading, volume.map(Arc::new)));
    });
}

/// A fault in a codec's own checks must not take the window with it.
fn guarded<T>(lang: Lang, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Told> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err(Error::Panicked)).map_err(|e| {
        tracing::warn!(code = e.code(), "{e}");
        mj_lang::tell(&e, lang)
    })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) {
    if std::thread::Builder::new().name(name.into()).spawn(work).is_err() {
        tracing::error!(name, "no thread");
    }
}

/// A plane to compute.
struct Task {
    number: u64,
    mask: Arc<Mask>,
    plane: CutPlane,
}

#[derive(Default)]
struct Desk {
    task: Option<Task>,
    has_ended: bool,
}

/// Computes the volumes of the newest plane; older wishes are forgotten.
pub(super) struct Cutter {
    desk: Arc<(Mutex<Desk>, Condvar)>,
    newest: AtomicU64,
}

impl Cutter {
    pub(super) fn start(events: Events, lang: Lang) -> Self {
        let desk = Arc::new((Mutex::new(Desk::default()), Condvar::new()));
        let mine = Arc::clone(&desk);
        let work = move || {
            while let Some(task) = wait(&mine) {
                let cut = plan::cut(&task.mask, &task.plane).map(|cut| cut.results).map_err(|e| mj_lang::tell(&e, lang));
                if !events.send(Event::Cut(task.number, cut)) {
                    return;
                }
            }
        };
        spawn("cutter", work);
        Self { desk, newest: AtomicU64::new(0) }
    }

    /// Wishes for the volumes of a plane; gives the number the answer will have.
    pub(super) fn ask(&self, mask: Arc<Mask>, plane: CutPlane) -> u64 {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        self.desk.0.lock().unwrap_or_else(PoisonError::into_inner).task = Some(Task { number, mask, plane });
        self.desk.1.notify_one();
        number
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.desk.0.lock().unwrap_or_else(PoisonError::into_inner).has_ended = true;
        self.desk.1.notify_one();
    }
}

fn wait(desk: &(Mutex<Desk>, Condvar)) -> Option<Task> {
    let mut open = desk.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if open.has_ended {
            return None;
        }
        if let Some(task) = open.task.take() {
            return Some(task);
        }
        open = desk.1.wait(open).unwrap_or_else(PoisonError::into_inner);
    }
}
