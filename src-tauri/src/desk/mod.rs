//! The core of the shell: everything between the page and the record, without a window.
//!
//! [`Desk`] owns the open record, the open study and report, where the writer is, and the children. The page
//! calls its methods (through the thin commands of the program) and hears [`Event`]s through a [`Sink`]. What
//! the viewer says arrives on the viewer's own thread, one message after another, so that a finding is stored
//! before the next one is looked at.

pub mod child;
pub mod error;
pub mod findings;
pub mod hospital;
pub mod importing;
pub mod ledger;
pub mod lines;
mod pixels;
pub mod planning;
pub mod reports;
mod results;
pub mod settings;
pub mod signing;
pub mod speech;
pub mod studies;
pub mod viewer;

use crate::page::dto::{Boot, Cursor, Event, RecordState};
use child::Child;
use error::{Error, Result};
use mj_model::{Coded, Lang, StudyUid, Told};
use mj_record::{Passphrase, Record};
use settings::Kept;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::runtime::Handle;

/// Where events go: the page, or a test.
pub trait Sink: Send + Sync + 'static {
    /// Takes an event. Must not block.
    fn emit(&self, event: Event);

    /// Where a room's window goes; `None` lets it fill the screen it opens on.
    fn room_place(&self) -> Option<Place> {
        None
    }
}

/// A window's place. Units: logical pixels of all screens together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Outer top left corner.
    pub at: [i32; 2],
    /// Size of the inside.
    pub size: [u32; 2],
}

impl Place {
    /// As the viewer takes it on its command line.
    fn args(&self) -> Vec<String> {
        let ([x, y], [width, height]) = (self.at, self.size);
        vec!["--window".into(), format!("{width}x{height}"), "--at".into(), format!("{x},{y}")]
    }
}

/// The shell's core. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

pub(crate) struct Inner {
    dir: PathBuf,
    runtime: Handle,
    sink: Box<dyn Sink>,
    settings: Mutex<Kept>,
    record: Mutex<Option<Record>>,
    open: Mutex<Option<Open>>,
    cursor: Mutex<Option<Cursor>>,
    /// Revision of the open report that the page has been told of.
    told_revision: Mutex<u64>,
    modalities: Mutex<BTreeSet<String>>,
    importing: Mutex<Option<Arc<AtomicBool>>>,
    background: Mutex<Vec<tokio::task::JoinHandle<()>>>,
    views: Mutex<viewer::Views>,
    server: Mutex<Option<mj_record::RecordServer>>,
    /// Every server answered when it was asked last.
    online: AtomicBool,
    viewer: Child,
    planner: Child,
    /// The study the running planning room was told to show.
    planned: Mutex<Option<StudyUid>>,
    speech: speech::Speech,
}

/// What is open.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) study: StudyUid,
    /// Id of the report in the editor, when there is one.
    pub(crate) report: Option<String>,
}

/// A lock that a panic elsewhere cannot take from us: what it guards is valid after every statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Desk {
    /// A desk over a record folder, which may not exist yet. `settings` is the file of the workstation's own
    /// settings. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(dir: &Path, settings: &Path, sink: impl Sink) -> Self {
        Self(Arc::new(Inner {
            dir: dir.into(),
            runtime: Handle::current(),
            sink: Box::new(sink),
            settings: Mutex::new(Kept::read(settings)),
            record: Mutex::default(),
            open: Mutex::default(),
            cursor: Mutex::default(),
            told_revision: Mutex::default(),
            modalities: Mutex::default(),
            importing: Mutex::default(),
            background: Mutex::default(),
            views: Mutex::default(),
            server: Mutex::default(),
            online: AtomicBool::new(true),
            viewer: Child::new(&["--room", "reading", "--stdio"]),
            planner: Child::new(&["--room", "planning", "--stdio"]),
            planned: Mutex::default(),
            speech: speech::Speech::default(),
        }))
    }

    /// What the page needs before anything else.
    #[must_use]
    pub fn boot(&self) -> Boot {
        let state = match (lock(&self.0.record).is_some(), is_record(&self.0.dir)) {
            (true, _) => RecordState::Open,
            (false, true) => RecordState::Locked,
            (false, false) => RecordState::Absent,
        };
        let settings = lock(&self.0.settings).now.clone();
        Boot {
            version: env!("CARGO_PKG_VERSION").into(),
            record: self.0.dir.display().to_string(),
            state,
            lang: settings.lang,
            theme: settings.theme,
            person: settings.person,
            opens_viewer: settings.opens_viewer,
        }
    }

    /// Makes a record and opens it.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn create_record(&self, passphrase: String) -> Result<Boot> {
        let record = Record::init(&self.0.dir, &Passphrase::new(passphrase)?).await?;
        Ok(self.opened(record))
    }

    /// Opens the record.
    ///
    /// # Errors
    /// Those of the record, a wrong passphrase among them.
    pub async fn unlock(&self, passphrase: String) -> Result<Boot> {
        let record = Record::open(&self.0.dir, &Passphrase::new(passphrase)?).await?;
        Ok(self.opened(record))
    }

    /// Opens the record with the first line of a file.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub async fn unlock_from_file(&self, file: &Path) -> Result<Boot> {
        let record = Record::open(&self.0.dir, &Passphrase::from_file(file)?).await?;
        Ok(self.opened(record))
    }

    fn opened(&self, record: Record) -> Boot {
        record.set_pixel_hasher(Arc::new(pixels::Hasher::new(&record, self.lang())));
        *lock(&self.0.record) = Some(record.clone());
        let watching = self.0.runtime.spawn(hospital::watch(self.clone(), record.clone()));
        let asking = self.0.runtime.spawn(hospital::watch_line(self.clone(), record));
        lock(&self.0.background).extend([watching, asking]);
        self.boot()
    }

    /// Closes everything that holds keys: the children and the record.
    pub async fn lock(&self) -> Boot {
        for task in std::mem::take(&mut *lock(&self.0.background)) {
            task.abort();
        }
        *lock(&self.0.open) = None;
        *lock(&self.0.cursor) = None;
        *lock(&self.0.views) = viewer::Views::default();
        let desk = self.clone();
        let stopped = tokio::task::spawn_blocking(move || {
            desk.0.viewer.stop();
            desk.0.planner.stop();
            desk.0.speech.stop();
        });
        if stopped.await.is_err() {
            tracing::error!("a child could not be stopped");
        }
        let server = lock(&self.0.server).take();
        if let Some(server) = server {
            server.stop().await;
        }
        let record = lock(&self.0.record).take();
        if let Some(record) = record {
            record.close().await;
        }
        self.boot()
    }

    /// Changes the language of the screens.
    #[must_use]
    pub fn set_lang(&self, lang: Lang) -> Boot {
        lock(&self.0.settings).change(|s| s.lang = lang);
        self.boot()
    }

    /// Changes the appearance; an unknown name changes nothing.
    #[must_use]
    pub fn set_theme(&self, theme: String) -> Boot {
        if ["dark", "light", "high_contrast"].contains(&theme.as_str()) {
            lock(&self.0.settings).change(|s| s.theme = theme);
        }
        self.boot()
    }

    /// Says whether the viewer opens together with a study.
    #[must_use]
    pub fn set_opens_viewer(&self, opens: bool) -> Boot {
        lock(&self.0.settings).change(|s| s.opens_viewer = opens);
        self.boot()
    }

    /// Says who reads.
    pub fn choose_person(&self, id: String) {
        lock(&self.0.settings).change(|s| s.person = id);
    }

    /// The language of the screens.
    #[must_use]
    pub fn lang(&self) -> Lang {
        lock(&self.0.settings).now.lang
    }

    /// Who reads, as it is written into revisions and the audit.
    pub(crate) fn who(&self) -> String {
        let person = lock(&self.0.settings).now.person.clone();
        if person.is_empty() { "desk".into() } else { person }
    }

    pub(crate) fn record(&self) -> Result<Record> {
        lock(&self.0.record).clone().ok_or(Error::Locked)
    }

    pub(crate) fn open_study_uid(&self) -> Result<StudyUid> {
        lock(&self.0.open).as_ref().map(|open| open.study.clone()).ok_or(Error::NoStudy)
    }

    /// # Errors
    /// [`Error::NoStudy`] when another study is open, or none.
    pub(crate) fn require_open(&self, study: &StudyUid) -> Result<()> {
        if self.open_study_uid()? == *study { Ok(()) } else { Err(Error::NoStudy) }
    }

    pub(crate) fn open_report_id(&self) -> Option<String> {
        lock(&self.0.open).as_ref().and_then(|open| open.report.clone())
    }

    pub(crate) fn set_online(&self, online: bool) {
        self.0.online.store(online, Ordering::Relaxed);
    }

    pub(crate) fn is_online(&self) -> bool {
        self.0.online.load(Ordering::Relaxed)
    }

    pub(crate) fn room_place(&self) -> Vec<String> {
        self.0.sink.room_place().map_or_else(Vec::new, |place| place.args())
    }

    pub(crate) fn emit(&self, event: Event) {
        self.0.sink.emit(event);
    }

    /// An error in the page's language.
    #[must_use]
    pub fn told(&self, error: &Error) -> Told {
        // What a job says is in the reader's language already.
        if let Error::Job(mj_link::JobError::Told(told)) = error {
            return told.clone();
        }
        mj_lang::tell(error as &dyn Coded, self.lang())
    }
}

fn is_record(dir: &Path) -> bool {
    ["record.toml", "record.db"].iter().any(|name| dir.join(name).exists())
}

/// Waits a little between looks at what other processes change.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(750);
