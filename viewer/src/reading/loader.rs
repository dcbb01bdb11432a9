//! Reads files on threads of its own: on one the first slice at once, then the volume, then the strip's pictures; on another
//! single images, which no volume keeps waiting; on a third segmentations.

use crate::reading::event::{Event, Events, Thumb};
use crate::reading::pane::{Pane, PaneKind};
use crate::reading::{presets, segments};
use crate::source::ObjectSource;
use crate::{Error, Result, research};
use mj_dicom::series::{Image, Kind, Series, Stack};
use mj_dicom::{Head, Header, Source};
use mj_imaging::reslice::MipIndex;
use mj_model::{ColourImage, Cover, InstanceUid, Lang, PointLps, SeriesUid, StudyUid, Told, Volume};
use mj_render::{ColourTexture, Gpu, VolumeTexture};
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Files of an object list, in any order.
pub type Sources = Vec<Arc<dyn Source>>;

/// A volume (or one slice) ready to be shown.
#[derive(Clone)]
pub struct Loaded {
    /// Unlike any other, so that cached pictures never mix.
    pub id: u64,
    /// The samples.
    pub volume: Arc<Volume>,
    /// For projections; `None` for one slice.
    pub mip: Option<Arc<MipIndex>>,
    /// The copy on the graphics card, where pictures are made there.
    pub texture: Option<Arc<VolumeTexture>>,
    /// The colours of a single image that has any.
    pub colour: Option<Arc<ColourImage>>,
    /// Their copy on the graphics card.
    pub colour_texture: Option<Arc<ColourTexture>>,
    /// What lies over a single image.
    pub cover: Option<Arc<Cover>>,
}

impl Loaded {
    /// Prepares samples for showing.
    #[must_use]
    pub fn new(volume: Volume, gpu: Option<&Gpu>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mip = (volume.grid.dims[2] > 1).then(|| Arc::new(MipIndex::new(&volume)));
        let texture = gpu.and_then(|gpu| on_card(VolumeTexture::upload(gpu, &volume)));
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            volume: Arc::new(volume),
            mip,
            texture,
            colour: None,
            colour_texture: None,
            cover: None,
        }
    }

    /// Prepares a single image for showing.
    #[must_use]
    pub fn image(image: Image, gpu: Option<&Gpu>) -> Self {
        let colour_texture = gpu.zip(image.colour.as_ref()).and_then(|(gpu, colour)| on_card(ColourTexture::upload(gpu, colour)));
        // Of an image in colour the card needs no luminance.
        let gpu = gpu.filter(|_| image.colour.is_none());
        Self { colour: image.colour.map(Arc::new), colour_texture, cover: image.cover.map(Arc::new), ..Self::new(image.volume, gpu) }
    }

    /// What single images are drawn from.
    #[must_use]
    pub fn parts(&self) -> presets::Parts<'_> {
        presets::Parts { volume: &self.volume, colour: self.colour.as_deref(), cover: self.cover.as_deref() }
    }

    /// What it takes in memory, samples again where they are on the graphics card too. Units: bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let pixels = self.colour.as_ref().map_or(0, |c| 3 * c.rgb.len()) + self.cover.as_ref().map_or(0, |c| c.pixels.len());
        self.volume.samples.bytes() * if self.texture.is_some() { 2 } else { 1 } + pixels
    }
}

fn on_card<T>(copied: mj_render::Result<T>) -> Option<Arc<T>> {
    copied.map_err(|e| tracing::warn!("pictures of this come from the CPU: {e}")).ok().map(Arc::new)
}

/// A series whose headers are read.
#[derive(Clone)]
pub struct Opened {
    /// The series.
    pub series: Arc<Series>,
    /// Which of its stacks is shown.
    pub stack: usize,
}

impl Opened {
    /// The stack that is shown.
    #[must_use]
    pub fn stack(&self) -> Option<&Stack> {
        self.series.stacks.get(self.stack)
    }

    /// The next block of the series with images, after the last the first; none where there is only one.
    #[must_use]
    pub fn next_block(&self) -> Option<Self> {
        let stacks = &self.series.stacks;
        let mut after = (1..stacks.len()).map(|step| (self.stack + step) % stacks.len());
        let stack = after.find(|&at| stacks.get(at).is_some_and(|s| s.kind() != Kind::Document && s.n_slices() > 0))?;
        Some(Self { series: Arc::clone(&self.series), stack })
    }

    /// True when linked planes are cut through it. Images in colour are shown as they were stored.
    #[must_use]
    pub fn is_volume(&self) -> bool {
        self.stack().is_some_and(|s| s.kind() == Kind::Volume && s.n_slices() >= 3 && !s.is_colour())
    }
}

/// A series found in folders.
pub struct FoundSeries {
    /// Its study.
    pub study: StudyUid,
    /// The series.
    pub uid: SeriesUid,
    /// Header of one of its images; none of a research file.
    pub header: Option<Header>,
    /// Its files.
    pub sources: Sources,
    /// The research file that stands in place of a series.
    pub research: Option<PathBuf>,
}

/// A research file ready to be shown.
pub struct ResearchShown {
    /// Its volume, or each image of one too thin for planes.
    pub images: Vec<Loaded>,
    /// For the strip.
    pub thumb: Thumb,
}

enum Task {
    Open { token: u64, sources: Sources, near: Option<PointLps> },
    Block { token: u64, opened: Opened },
    Slice { token: u64, opened: Opened, k: usize },
    Thumb { series: SeriesUid, sources: Sources },
    Find { paths: Vec<PathBuf> },
    Research { token: u64, path: PathBuf },
    ResearchThumb { series: SeriesUid, path: PathBuf },
    Segments { instance: InstanceUid, source: Arc<dyn Source> },
}

/// The thread a task belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Series, and pictures for the strip.
    Series,
    /// Single images, which no volume keeps waiting.
    Images,
    /// Segmentations, which keep neither waiting.
    Segments,
}

impl Task {
    const fn lane(&self) -> Lane {
        match self {
            Self::Slice { .. } => Lane::Images,
            Self::Segments { .. } => Lane::Segments,
            _ => Lane::Series,
        }
    }
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    has_ended: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    cancel: Mutex<Arc<AtomicBool>>,
}

/// The loader's handle; dropping it ends the threads.
pub struct Loader(Arc<Shared>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Loader {
    /// Starts the threads. Errors are told in a language.
    #[must_use]
    pub fn start(events: Events, gpu: Option<Gpu>, lang: Lang) -> Self {
        let shared = Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new(), cancel: Mutex::default() });
        for (name, lane) in [("loader", Lane::Series), ("images", Lane::Images), ("segments", Lane::Segments)] {
            let work = Work { shared: Arc::clone(&shared), events: events.clone(), gpu: gpu.clone(), lang, lane };
            if std::thread::Builder::new().name(name.into()).spawn(move || work.run()).is_err() {
                tracing::error!("no thread for loading");
            }
        }
        Self(shared)
    }

    /// Opens a series; what was being opened before is given up. `near` says which slice to show first.
    pub fn open(&self, token: u64, sources: Sources, near: Option<PointLps>) {
        self.instead(Task::Open { token, sources, near });
    }

    /// Shows a block of a series that is open; what was being opened before is given up.
    pub fn open_block(&self, token: u64, opened: Opened) {
        self.instead(Task::Block { token, opened });
    }

    /// Opens a research file; what was being opened before is given up.
    pub fn open_research(&self, token: u64, path: PathBuf) {
        self.instead(Task::Research { token, path });
    }

    /// Puts a task in the place of what was being opened.
    fn instead(&self, task: Task) {
        self.cancel();
        lock(&self.0.queue).tasks.push_front(task);
        self.0.wake.notify_all();
    }

    /// Gives up what is being opened: something else is in view that needs no loading.
    pub fn cancel(&self) {
        lock(&self.0.cancel).store(true, Ordering::Relaxed);
        lock(&self.0.queue)
            .tasks
            .retain(|t| !matches!(t, Task::Open { .. } | Task::Block { .. } | Task::Slice { .. } | Task::Research { .. }));
    }

    /// Loads one image; an older wish is given up.
    pub fn slice(&self, token: u64, opened: Opened, k: usize) {
        let mut queue = lock(&self.0.queue);
        queue.tasks.retain(|t| !matches!(t, Task::Slice { .. }));
        queue.tasks.push_front(Task::Slice { token, opened, k });
        drop(queue);
        self.0.wake.notify_all();
    }

    /// Makes the strip's picture of a series when there is time.
    pub fn thumb(&self, series: SeriesUid, sources: Sources) {
        lock(&self.0.queue).tasks.push_back(Task::Thumb { series, sources });
        self.0.wake.notify_all();
    }

    /// Makes the strip's picture of a research file when there is time.
    pub fn thumb_research(&self, series: SeriesUid, path: PathBuf) {
        lock(&self.0.queue).tasks.push_back(Task::ResearchThumb { series, path });
        self.0.wake.notify_all();
    }

    /// Reads a segmentation.
    pub fn segments(&self, instance: InstanceUid, source: Arc<dyn Source>) {
        lock(&self.0.queue).tasks.push_back(Task::Segments { instance, source });
        self.0.wake.notify_all();
    }

    /// Searches folders for images.
    pub fn find(&self, paths: Vec<PathBuf>) {
        lock(&self.0.queue).tasks.push_back(Task::Find { paths });
        self.0.wake.notify_all();
    }

    /// Forgets everything that waits.
    pub fn clear(&self) {
        lock(&self.0.cancel).store(true, Ordering::Relaxed);
        lock(&self.0.queue).tasks.clear();
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.clear();
        lock(&self.0.queue).has_ended = true;
        self.0.wake.notify_all();
    }
}

struct Work {
    shared: Arc<Shared>,
    events: Events,
    gpu: Option<Gpu>,
    lang: Lang,
    /// Which tasks it takes.
    lane: Lane,
}

impl Work {
    fn run(self) {
        while let Some((task, cancel)) = self.next() {
            // A fault in a codec's own checks must not take the window with it.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.work(&task, &cancel)));
            if done.is_err() {
                let told = self.tell(&Error::Panicked);
                match task {
                    Task::Research { token, .. } => drop(self.events.send(Event::Research(token, Err(told)))),
                    Task::Open { token, .. } | Task::Block { token, .. } => drop(self.events.send(Event::Loaded(token, Err(told)))),
                    Task::Slice { token, k, .. } => drop(self.events.send(Event::Slice(token, k, Err(told)))),
                    Task::Find { .. } => drop(self.events.send(Event::Found(Err(told)))),
                    Task::Segments { instance, .. } => drop(self.events.send(Event::Segments(instance, Err(told)))),
                    Task::Thumb { .. } | Task::ResearchThumb { .. } => tracing::error!("{}", Error::Panicked),
                }
            }
        }
    }

    fn next(&self) -> Option<(Task, Arc<AtomicBool>)> {
        let mut queue = lock(&self.shared.queue);
        loop {
            if queue.has_ended {
                return None;
            }
            let is_mine = |task: &Task| task.lane() == self.lane;
            if let Some(task) = queue.tasks.iter().position(is_mine).and_then(|at| queue.tasks.remove(at)) {
                let fresh = Arc::new(AtomicBool::new(false));
                if self.lane == Lane::Series {
                    *lock(&self.shared.cancel) = Arc::clone(&fresh);
                }
                return Some((task, fresh));
            }
            queue = self.shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn tell(&self, error: &Error) -> Told {
        mj_lang::tell(error, self.lang)
    }

    fn work(&self, task: &Task, cancel: &Arc<AtomicBool>) {
        match task {
            Task::Open { token, sources, near } => self.unless_given_up(*token, self.open(*token, sources, *near, cancel), cancel),
            Task::Block { token, opened } => self.unless_given_up(*token, self.show(*token, opened, None, false, cancel), cancel),
            Task::Slice { token, opened, k } => {
                let image = opened.stack().ok_or(Error::NothingToShow).and_then(|s| Ok(s.load_image(*k)?));
                let slice = image.map(|i| Loaded::image(i, self.gpu.as_ref())).map_err(|e| self.tell(&e));
                self.events.send(Event::Slice(*token, *k, slice));
            }
            Task::Thumb { series, sources } => {
                self.events.send(Event::Thumb(series.clone(), Box::new(self.thumb(sources))));
            }
            Task::Research { token, path } => {
                let shown = self.research(path).map(Box::new).map_err(|e| self.tell(&e));
                self.events.send(Event::Research(*token, shown));
            }
            Task::ResearchThumb { series, path } => {
                let made = research::volume(path).map(|volume| thumb_of(&volume)).unwrap_or_else(|e| Thumb {
                    header: None,
                    n_images: 0,
                    warnings: Vec::new(),
                    picture: None,
                    error: Some(self.tell(&e)),
                });
                self.events.send(Event::Thumb(series.clone(), Box::new(made)));
            }
            Task::Segments { instance, source } => {
                let read = segments::read(source.as_ref()).map_err(|e| self.tell(&e));
                self.events.send(Event::Segments(instance.clone(), read));
            }
            Task::Find { paths } => {
                self.events.send(Event::Found(find(paths).map_err(|e| self.tell(&e))));
            }
        }
    }

    /// Tells why a series could not be opened, unless nobody waits for it any more.
    fn unless_given_up(&self, token: u64, told: Result<()>, cancel: &AtomicBool) {
        if let Err(e) = told
            && !cancel.load(Ordering::Relaxed)
        {
            self.events.send(Event::Loaded(token, Err(self.tell(&e))));
        }
    }

    fn open(&self, token: u64, sources: &Sources, near: Option<PointLps>, cancel: &Arc<AtomicBool>) -> Result<()> {
        let quiet = mj_dicom::Watch { cancel: Arc::clone(cancel), ..Default::default() };
        // Reading all headers takes a moment: one image from the middle is on the screen before it.
        let is_early = near.is_none() && sources.len() > 2 && self.early(token, sources);
        let series = Arc::new(mj_dicom::series::open(sources, &quiet)?);
        let stack = main_stack(&series).ok_or(Error::NothingToShow)?;
        self.show(token, &Opened { series, stack }, near, is_early, cancel)
    }

    /// Shows a block: one image, then the whole. `is_early` says that an image of the series is on the screen already.
    fn show(&self, token: u64, opened: &Opened, near: Option<PointLps>, is_early: bool, cancel: &Arc<AtomicBool>) -> Result<()> {
        let is_volume = opened.is_volume();
        let shown = opened.stack().ok_or(Error::NothingToShow)?;
        self.events.send(Event::Opened(token, Ok(opened.clone())));
        let n = shown.n_slices();
        let k = match near {
            Some(at) => shown.nearest_slice(at).unwrap_or(0),
            None if is_volume => n / 2,
            None => 0,
        };
        if is_volume && is_early {
            return self.whole(token, shown, cancel);
        }
        // A single slice goes to the card only when it is all there is: the whole volume follows at once.
        let first =
            if is_volume { Loaded::new(shown.load_slice(k)?, None) } else { Loaded::image(shown.load_image(k)?, self.gpu.as_ref()) };
        self.events.send(Event::Slice(token, k, Ok(first)));
        if is_volume { self.whole(token, shown, cancel) } else { Ok(()) }
    }

    /// Reads a research file. One too thin for planes is shown image by image.
    fn research(&self, path: &std::path::Path) -> Result<ResearchShown> {
        let volume = research::volume(path)?;
        let thumb = thumb_of(&volume);
        let volumes = if volume.grid.dims[2] >= 3 { vec![volume] } else { research::images(volume) };
        let images = volumes.into_iter().map(|v| Loaded::new(v, self.gpu.as_ref())).collect();
        Ok(ResearchShown { images, thumb })
    }

    /// Shows one image from the middle of the files, with its header, so that nobody sees a picture without a name.
    fn early(&self, token: u64, sources: &Sources) -> bool {
        let made = || -> Result<(Header, Image)> {
            let middle = sources.get(sources.len() / 2).ok_or(Error::NothingToShow)?;
            let series = mj_dicom::series::open(std::slice::from_ref(middle), &mj_dicom::Watch::default())?;
            let stack = series.stacks.first().filter(|s| s.n_slices() == 1).ok_or(Error::NothingToShow)?;
            Ok((series.header.clone(), stack.load_image(0)?))
        };
        // What is wrong with that image will be told when the series is opened.
        let Ok((header, image)) = made() else { return false };
        let picture = Some(small_picture(&(&image).into()));
        let uid = header.series.uid.clone();
        let thumb = Thumb { header: Some(header), n_images: sources.len(), warnings: Vec::new(), picture, error: None };
        self.events.send(Event::Thumb(uid, Box::new(thumb)));
        self.events.send(Event::Slice(token, 0, Ok(Loaded::image(image, None))))
    }

    /// Loads the whole volume.
    fn whole(&self, token: u64, shown: &Stack, cancel: &Arc<AtomicBool>) -> Result<()> {
        let events = self.events.clone();
        let progress = Box::new(move |done, total| events.offer(Event::Progress(token, done, total)));
        let volume = shown.load(&mj_dicom::Watch { progress, cancel: Arc::clone(cancel) })?;
        let loaded = Loaded::new(volume, self.gpu.as_ref());
        self.events.send(Event::Loaded(token, Ok(loaded)));
        Ok(())
    }

    fn thumb(&self, sources: &Sources) -> Thumb {
        let mut thumb = Thumb { header: None, n_images: sources.len(), warnings: Vec::new(), picture: None, error: None };
        let made = || -> Result<(Header, Image)> {
            let middle = sources.get(sources.len() / 2).ok_or(Error::NothingToShow)?;
            let series = mj_dicom::series::open(std::slice::from_ref(middle), &mj_dicom::Watch::default())?;
            let stack = main_stack(&series).and_then(|at| series.stacks.get(at)).ok_or(Error::NothingToShow)?;
            Ok((series.header.clone(), stack.load_image(stack.n_slices() / 2)?))
        };
        match made() {
            Ok((header, image)) => {
                thumb.picture = Some(small_picture(&(&image).into()));
                thumb.header = Some(header);
            }
            Err(e) => thumb.error = Some(self.tell(&e)),
        }
        thumb
    }
}

/// What the strip shows of a research file.
fn thumb_of(volume: &Volume) -> Thumb {
    let (n_images, warnings) = (volume.grid.dims[2], volume.warnings.clone());
    let parts = presets::Parts { volume, colour: None, cover: None };
    Thumb { header: None, n_images, warnings, picture: Some(small_picture(&parts)), error: None }
}

/// The stack with the most images.
#[must_use]
pub fn main_stack(series: &Series) -> Option<usize> {
    let images = series.stacks.iter().enumerate().filter(|(_, s)| s.kind() != Kind::Document && s.n_slices() > 0);
    // The first of equals.
    images.max_by_key(|(at, s)| (s.n_slices(), std::cmp::Reverse(*at))).map(|(at, _)| at)
}

/// A small picture of one image: columns, rows, colours.
#[must_use]
pub fn small_picture(image: &presets::Parts<'_>) -> (usize, usize, Vec<[u8; 3]>) {
    const WIDTH: usize = 132;
    const HEIGHT: usize = 88;
    let grid = &image.volume.grid;
    let plane = Pane::new(PaneKind::Native).plane(grid, grid.centre(), WIDTH, HEIGHT);
    (WIDTH, HEIGHT, presets::drawn(image, &plane, &presets::first_window(image.volume), image.volume.is_inverted, None))
}

/// Finds the images in folders, grouped by series. What is no image is left out; a research file is shown when it is
/// named itself.
fn find(paths: &[PathBuf]) -> Result<Vec<FoundSeries>> {
    let mut files: Vec<PathBuf> = Vec::new();
    let (mut named, no_study) = (Vec::new(), StudyUid::fresh());
    for path in paths {
        if research::is_research(path) {
            named.push(FoundSeries {
                study: no_study.clone(),
                uid: SeriesUid::fresh(),
                header: None,
                sources: Vec::new(),
                research: Some(path.clone()),
            });
            continue;
        }
        if let Err(source) = std::fs::metadata(path) {
            return Err(Error::Read { path: path.clone(), source });
        }
        files.extend(
            walkdir::WalkDir::new(path).into_iter().flatten().filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path),
        );
    }
    files.sort();
    let headers: Vec<(PathBuf, Header)> = files
        .into_par_iter()
        .filter_map(|path| {
            let header = Head::read(path.open().ok()?.as_mut()).and_then(|head| head.dataset.header()).ok()?;
            header.has_pixels.then_some((path, header))
        })
        .collect();
    let mut series: BTreeMap<(StudyUid, SeriesUid), FoundSeries> = BTreeMap::new();
    for (path, header) in headers {
        let place = series.entry((header.study.uid.clone(), header.series.uid.clone()));
        let found = place.or_insert_with(|| FoundSeries {
            study: header.study.uid.clone(),
            uid: header.series.uid.clone(),
            header: Some(header),
            sources: Vec::new(),
            research: None,
        });
        found.sources.push(Arc::new(ObjectSource::plain(path)));
    }
    let mut found: Vec<FoundSeries> = series.into_values().collect();
    // The newest study first, in it the series by number.
    let order = |f: &FoundSeries| {
        let header = f.header.as_ref();
        (header.and_then(|h| h.study.date.clone()), header.and_then(|h| h.series.number).map(|n| -n), f.sources.len())
    };
    found.sort_by_key(|f| std::cmp::Reverse(order(f)));
    found.extend(named);
    if found.is_empty() { Err(Error::NothingToShow) } else { Ok(found) }
}
