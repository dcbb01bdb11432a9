//! The room as egui draws and changes it, without a window system.

use crate::args::{Args, ThemeName};
use crate::reading::action::{Action, Situation, Tool};
use crate::reading::event::{Event, Events};
use crate::reading::gesture::Gesture;
use crate::reading::layout::LayoutLines;
use crate::reading::ledger::Ledger;
use crate::reading::loader::{FoundSeries, Loader};
use crate::reading::maker::{CpuMaker, Maker};
use crate::reading::notices::Notices;
use crate::reading::rulers::RulerHit;
use crate::reading::scene::{SLAB_MM, Scene, SeriesEntry, Shown};
use crate::reading::{findings, help, keyimage, notices, pane, presets, rulers, thumbs, toolbar, viewports};
use crate::source::Keys;
use crate::stdio::Sender;
use crate::ui::Theme;
use crate::{Error, Result};
use mj_lang::key;
use mj_link::{ToParent, ToViewer, ViewState};
use mj_model::{Finding, Lang, StudyUid};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// How long a view must rest before it is reported and drawn sharp.
const REST: Duration = Duration::from_millis(150);

/// Where changes go.
pub enum Port {
    /// To the parent program.
    Parent(Sender),
    /// Nowhere: opened on folders, nothing is kept.
    Alone,
}

/// The reading room.
pub struct Room {
    pub(crate) lang: Lang,
    pub(crate) theme: Theme,
    pub(crate) port: Port,
    pub(crate) keys: Option<Keys>,
    person: String,
    pub(crate) events: Events,
    incoming: Receiver<Event>,
    pub(crate) loader: Loader,
    pub(crate) maker: Maker,
    /// Said in a corner when pictures are not made as was asked for.
    pub(crate) maker_note: Option<mj_lang::Text>,
    pub(crate) scene: Option<Scene>,
    pub(crate) is_searching: bool,
    pub(crate) tool: Tool,
    pub(crate) gesture: Option<Gesture>,
    pub(crate) notices: Notices,
    pub(crate) has_overlay: bool,
    pub(crate) has_crosshair: bool,
    pub(crate) has_help: bool,
    pub(crate) has_series: bool,
    pub(crate) has_findings: bool,
    /// Where rulers were drawn last, for taking hold of them.
    pub(crate) hits: Vec<RulerHit>,
    /// Where labels were dragged to, by measurement. Units: points from the line's middle.
    pub(crate) labels: BTreeMap<String, egui::Vec2>,
    /// Where widgets lie on top of pictures.
    pub(crate) blocked: Vec<egui::Rect>,
    pub(crate) pointer: Option<egui::Pos2>,
    pub(crate) layout: LayoutLines,
    pub(crate) paint_ctx: Option<egui::Context>,
    changed_at: Option<Instant>,
    is_view_unsent: bool,
    next_token: u64,
    has_ended: bool,
}

impl Room {
    /// An empty room.
    ///
    /// # Errors
    /// [`Error::Theme`].
    pub fn new(ctx: &egui::Context, args: &Args, port: Port) -> Result<Self> {
        let (events, incoming) = Events::new(ctx.clone());
        let theme = Theme::load(args.theme)?;
        theme.apply(ctx);
        Ok(Self {
            lang: args.lang,
            theme,
            port,
            keys: None,
            person: String::new(),
            loader: Loader::start(events.clone(), None, args.lang),
            maker: Maker::Cpu(CpuMaker::new(events.clone())),
            maker_note: None,
            events,
            incoming,
            scene: None,
            is_searching: false,
            tool: Tool::Point,
            gesture: None,
            notices: Notices::default(),
            has_overlay: true,
            has_crosshair: true,
            has_help: false,
            has_series: true,
            has_findings: true,
            hits: Vec::new(),
            labels: BTreeMap::new(),
            blocked: Vec::new(),
            pointer: None,
            layout: LayoutLines::new(args.layout_json),
            paint_ctx: None,
            changed_at: None,
            is_view_unsent: false,
            next_token: 1,
            has_ended: false,
        })
    }

    /// Changes colours.
    ///
    /// # Errors
    /// [`Error::Theme`].
    pub fn set_theme(&mut self, ctx: &egui::Context, name: ThemeName) -> Result<()> {
        self.theme = Theme::load(name)?;
        self.theme.apply(ctx);
        Ok(())
    }

    /// Makes pictures in another way from now on.
    pub fn set_maker(&mut self, maker: Maker, note: Option<mj_lang::Text>) {
        self.loader = Loader::start(self.events.clone(), maker.gpu(), self.lang);
        self.maker = maker;
        self.maker_note = note;
    }

    /// The sending end of the room's events.
    #[must_use]
    pub fn events(&self) -> Events {
        self.events.clone()
    }

    /// Searches folders and shows what is found.
    pub fn open_folders(&mut self, paths: Vec<PathBuf>) {
        self.is_searching = true;
        self.loader.find(paths);
    }

    /// True when the parent is gone and the window should close.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What is shown.
    #[must_use]
    pub fn view_state(&self) -> Option<ViewState> {
        self.scene.as_ref().map(Scene::view_state)
    }

    /// Findings as they are drawn: label and whether the record has acknowledged it.
    #[must_use]
    pub fn drawn_findings(&self) -> Vec<(String, bool)> {
        let Some(scene) = &self.scene else { return Vec::new() };
        scene
            .ledger
            .shown()
            .map(|s| (s.finding.measurements.first().map(|m| m.quantity.shown()).unwrap_or_default(), !s.is_pending))
            .collect()
    }

    /// Draws the room and takes input.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        while let Ok(event) = self.incoming.try_recv() {
            self.take(event);
        }
        self.take_keys(ui.ctx());
        self.blocked.clear();
        toolbar::show(self, ui);
        if self.has_series {
            thumbs::show(self, ui);
        }
        if self.has_findings {
            findings::show(self, ui);
        }
        viewports::show(self, ui);
        notices::show(self, ui.ctx());
        help::show(self, ui.ctx());
        self.settle(ui.ctx());
        self.layout.print(ui.ctx());
    }

    /// What decides which actions can be done.
    #[must_use]
    pub fn situation(&self) -> Situation {
        let Some(scene) = &self.scene else { return Situation::default() };
        Situation {
            has_picture: scene.volume().is_some(),
            is_volume: scene.is_volume(),
            has_selection: scene.selected.as_ref().is_some_and(|id| scene.ledger.get(id).is_some_and(Finding::is_live)),
            can_undo: scene.ledger.can_undo(),
            can_redo: scene.ledger.can_redo(),
            has_other_series: scene.series.len() > 1,
            n_presets: u8::try_from(self.presets().len()).unwrap_or(u8::MAX),
        }
    }

    /// Presets of the series in view.
    pub(crate) fn presets(&self) -> Vec<presets::Preset> {
        self.scene.as_ref().and_then(Scene::volume).map(|v| presets::of_modality(&v.modality)).unwrap_or_default()
    }

    fn take_keys(&mut self, ctx: &egui::Context) {
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        let pressed: Vec<(egui::Key, egui::Modifiers)> = ctx.input(|i| {
            let keys = i.events.iter().filter_map(|e| match e {
                egui::Event::Key { key, pressed: true, modifiers, .. } => Some((*key, *modifiers)),
                _ => None,
            });
            keys.collect()
        });
        for (pressed, held) in pressed {
            if let Some(action) = Action::ALL.iter().find(|a| a.is_meant_by(pressed, held)) {
                self.act(*action);
            }
        }
    }

    /// Does an action, if it can be done now.
    pub fn act(&mut self, action: Action) {
        if !action.is_enabled(&self.situation()) {
            return;
        }
        match action {
            Action::Take(tool) => {
                self.gesture = None;
                self.tool = tool;
            }
            Action::Help => self.has_help = !self.has_help,
            Action::Series => self.has_series = !self.has_series,
            Action::Findings => self.has_findings = !self.has_findings,
            Action::Overlay => self.has_overlay = !self.has_overlay,
            Action::Crosshair => self.has_crosshair = !self.has_crosshair,
            Action::Cancel => self.cancel(),
            Action::Undo | Action::Redo => self.undo_or_redo(action == Action::Undo),
            Action::Delete => self.delete(),
            Action::KeyImage => keyimage::take(self),
            Action::SeriesPrevious | Action::SeriesNext => self.next_series(action == Action::SeriesNext),
            _ => self.act_on_scene(action),
        }
    }

    fn act_on_scene(&mut self, action: Action) {
        let preset = match action {
            Action::Preset(n) => {
                self.scene.as_ref().and_then(Scene::volume).zip(self.presets().get(usize::from(n))).map(|(v, p)| p.window(v))
            }
            _ => None,
        };
        let steps = match action {
            Action::SlicePrevious => Some(-1.0),
            Action::SliceNext => Some(1.0),
            Action::PagePrevious => Some(-10.0),
            Action::PageNext => Some(10.0),
            Action::SliceFirst => Some(-1e6),
            Action::SliceLast => Some(1e6),
            _ => None,
        };
        let Some(scene) = &mut self.scene else { return };
        match action {
            Action::FileWindow => scene.set_window(scene.file_window.clone()),
            Action::Invert => scene.is_inverted = !scene.is_inverted,
            Action::Enlarge => scene.enlarged = if scene.enlarged.is_some() { None } else { Some(scene.active) },
            Action::Slab => scene.slab_mm = if scene.slab_mm > 0.0 { 0.0 } else { SLAB_MM },
            Action::Reset => {
                for pane in &mut scene.panes {
                    *pane = pane::Pane::new(pane.kind);
                }
            }
            _ => {}
        }
        if let Some(window) = preset {
            scene.set_window(window);
        }
        if let Some(steps) = steps {
            let at = scene.active;
            self.scroll(at, steps);
        }
        self.changed();
    }

    fn cancel(&mut self) {
        self.has_help = false;
        if self.gesture.take().is_none() {
            if self.tool != Tool::Point {
                self.tool = Tool::Point;
            } else if let Some(scene) = &mut self.scene {
                scene.selected = None;
            }
        }
    }

    /// Goes on by slices in a viewport.
    pub(crate) fn scroll(&mut self, at: usize, steps: f64) {
        let Some(scene) = &mut self.scene else { return };
        if !scene.is_volume() {
            let last = scene.n_slices().saturating_sub(1) as f64;
            let k = (scene.shown.slice as f64 + steps).round().clamp(0.0, last) as usize;
            self.show_slice(k);
            return;
        }
        let Some(kind) = scene.panes.get(at).map(|p| p.kind) else { return };
        // The loaded volume only: before it is there, one slice is all there is to see.
        let Some(grid) = scene.shown.full.as_ref().map(|l| l.volume.grid) else { return };
        let kind = if kind == pane::PaneKind::Mip { pane::PaneKind::Coronal } else { kind };
        let plane = pane::Pane::new(kind).plane(&grid, scene.crosshair, 8, 8);
        // Downwards on the wheel goes from head to feet, from front to back, from left to right.
        let normal = if kind == pane::PaneKind::Axial { -plane.normal() } else { plane.normal() };
        scene.crosshair = pane::step(&grid, scene.crosshair, normal, steps);
        self.changed();
    }

    /// Shows an image of a series that is no volume, loading it first where needed.
    pub(crate) fn show_slice(&mut self, k: usize) {
        let Some(scene) = &mut self.scene else { return };
        if scene.shown.slices.contains_key(&k) {
            scene.shown.slice = k;
            scene.crosshair_to_slice();
        } else if let Some(opened) = scene.shown.opened.clone() {
            self.loader.slice(scene.token, opened, k);
        }
        self.changed();
    }

    fn next_series(&mut self, is_forward: bool) {
        let Some(scene) = &self.scene else { return };
        let n = scene.series.len();
        let at = if is_forward { (scene.current + 1) % n } else { (scene.current + n - 1) % n };
        self.show_series(at);
    }

    /// Shows a series of the strip.
    pub(crate) fn show_series(&mut self, at: usize) {
        self.next_token += 1;
        let (token, lang) = (self.next_token, self.lang);
        let Some(scene) = &mut self.scene else { return };
        let Some(entry) = scene.series.get(at) else { return };
        self.gesture = None;
        scene.study = entry.study.clone();
        scene.current = at;
        scene.token = token;
        scene.shown = Shown::default();
        if scene.restore.is_none() {
            // Another grid: a magnification of the last one would show a corner of this one.
            for pane in &mut scene.panes {
                *pane = pane::Pane::new(pane.kind);
            }
        }
        if entry.sources.is_empty() {
            scene.shown.error = Some(mj_lang::tell(&Error::NothingToShow, lang));
            return;
        }
        let near = scene.restore.as_ref().filter(|v| v.series.as_ref().is_none_or(|s| *s == entry.uid)).and_then(|v| v.crosshair);
        self.loader.open(token, entry.sources.clone(), near);
        self.changed();
    }

    /// Something of the view changed.
    pub(crate) fn changed(&mut self) {
        self.changed_at = Some(Instant::now());
        self.is_view_unsent = true;
    }

    /// True while a movement is on its way: speed before sharpness.
    pub(crate) fn is_moving(&self) -> bool {
        self.gesture.is_some() || self.changed_at.is_some_and(|at| at.elapsed() < REST)
    }

    /// After a movement has ended: tells the parent, and draws sharp.
    fn settle(&mut self, ctx: &egui::Context) {
        if let Some(at) = self.changed_at {
            let rest = REST.saturating_sub(at.elapsed());
            if !rest.is_zero() {
                ctx.request_repaint_after(rest);
                return;
            }
            if self.gesture.is_none() {
                self.changed_at = None;
                ctx.request_repaint();
            }
        }
        let can_tell = self.changed_at.is_none() && self.is_view_unsent;
        if let (true, Some(scene)) = (can_tell, &self.scene)
            && scene.volume().is_some()
        {
            self.is_view_unsent = false;
            let message = ToParent::ViewChanged { study: scene.study.clone(), view: scene.view_state() };
            self.send(message);
        }
    }

    pub(crate) fn send(&self, message: ToParent) {
        if let Port::Parent(sender) = &self.port {
            sender.send(message);
        }
    }

    /// Sends a finding's change, or, alone, acknowledges it here.
    pub(crate) fn send_finding(&mut self, finding: Option<Finding>) {
        let Some(finding) = finding else { return };
        let Some(scene) = &mut self.scene else { return };
        match &self.port {
            Port::Parent(sender) => sender.send(ToParent::FindingChanged { study: scene.study.clone(), finding }),
            Port::Alone => {
                let mut next = Some(finding);
                while let Some(sent) = next {
                    next = scene.ledger.stored(Finding { revision: sent.revision + 1, ..sent });
                }
            }
        }
    }

    fn undo_or_redo(&mut self, is_undo: bool) {
        let Some(scene) = &mut self.scene else { return };
        let Some((id, message)) = (if is_undo { scene.ledger.undo() } else { scene.ledger.redo() }) else { return };
        scene.selected = scene.ledger.get(&id).is_some_and(Finding::is_live).then_some(id);
        self.send_finding(message);
    }

    fn delete(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        let Some(id) = scene.selected.take() else { return };
        let message = scene.ledger.delete(&id);
        self.gesture = None;
        self.send_finding(message);
    }

    /// Chooses a finding, tells the parent, and goes there when asked.
    pub(crate) fn select(&mut self, id: &str, goes_there: bool) {
        let Some(scene) = &mut self.scene else { return };
        if scene.ledger.get(id).is_none() {
            return;
        }
        scene.selected = Some(id.to_owned());
        let study = scene.study.clone();
        self.send(ToParent::FindingSelected { study, finding: id.to_owned() });
        if goes_there {
            self.go_to(id);
        }
    }

    /// Puts crosshair or image where a finding is.
    fn go_to(&mut self, id: &str) {
        let Some(scene) = &mut self.scene else { return };
        let Some(finding) = scene.ledger.get(id).cloned() else { return };
        if scene.entry().is_some_and(|e| e.uid != finding.series)
            && let Some(at) = scene.series.iter().position(|e| e.uid == finding.series)
        {
            let mut view = scene.view_state();
            view.series = Some(finding.series.clone());
            view.crosshair = finding.geometry.centre();
            view.window = None;
            scene.restore = Some(view);
            self.show_series(at);
            return;
        }
        if scene.is_volume() {
            if let (Some(centre), Some(grid)) = (finding.geometry.centre(), scene.grid().copied()) {
                scene.crosshair = pane::snapped(&grid, centre);
            }
            self.changed();
        } else if let Some(k) = rulers::slice_of(scene, &finding) {
            self.show_slice(k);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Parent(message) => self.take_message(*message),
            Event::ParentEnded => self.has_ended = true,
            Event::Found(Ok(found)) => self.take_found(found),
            Event::Found(Err(told)) => {
                self.is_searching = false;
                self.notices.fail(told);
            }
            Event::Mip(done) => self.maker.take_mip(done),
            Event::Thumb(uid, thumb) => {
                if let Some(entry) = self.scene.as_mut().and_then(|s| s.series.iter_mut().find(|e| e.uid == uid)) {
                    entry.take(*thumb);
                }
            }
            Event::Opened(token, result) => self.on_load(token, |scene| match result {
                Ok(opened) => scene.opened(opened),
                Err(told) => scene.shown.error = Some(told),
            }),
            Event::Slice(token, k, result) => self.on_load(token, |scene| match result {
                Ok(loaded) => {
                    scene.slice_ready(k, loaded);
                    if !scene.is_volume() {
                        scene.shown.slice = k;
                    }
                }
                Err(told) => scene.shown.error = Some(told),
            }),
            Event::Progress(token, done, total) => self.on_load(token, |scene| scene.shown.progress = Some((done, total))),
            Event::Loaded(token, result) => {
                self.on_load(token, |scene| match result {
                    Ok(loaded) => scene.full_ready(loaded),
                    Err(told) => {
                        scene.shown.progress = None;
                        scene.shown.error = Some(told.clone());
                        if let Some(entry) = scene.series.get_mut(scene.current) {
                            entry.error = Some(told);
                        }
                    }
                });
                self.ask_for_thumbs();
            }
        }
    }

    fn on_load(&mut self, token: u64, act: impl FnOnce(&mut Scene)) {
        if let Some(scene) = self.scene.as_mut().filter(|s| s.token == token) {
            let before = scene.shown.error.clone();
            act(scene);
            // Over a picture that is already there an error would not be seen: the first slice stays, so it is said.
            let failed = scene.shown.error.clone().filter(|e| before.as_ref() != Some(e) && scene.volume().is_some());
            if let Some(told) = failed {
                self.notices.fail(told);
            }
            self.changed();
        }
    }

    /// After the series in view, pictures for the strip.
    fn ask_for_thumbs(&mut self) {
        let Some(scene) = &self.scene else { return };
        for entry in scene.series.iter().filter(|e| e.picture.is_none() && e.error.is_none()) {
            self.loader.thumb(entry.uid.clone(), entry.sources.clone());
        }
    }

    fn take_found(&mut self, found: Vec<FoundSeries>) {
        self.is_searching = false;
        let Some(study) = found.first().map(|f| f.study.clone()) else { return };
        let series: Vec<SeriesEntry> = found
            .into_iter()
            .map(|f| {
                let mut entry = SeriesEntry::new(f.study, f.header.series.uid.clone(), f.sources);
                entry.header = Some(f.header);
                entry
            })
            .collect();
        // The series with the most images of the newest study first in view.
        let first = series.iter().enumerate().filter(|(_, e)| e.study == study).max_by_key(|(at, e)| (e.n_images, std::cmp::Reverse(*at)));
        let at = first.map_or(0, |(at, _)| at);
        self.scene = Some(Scene::new(study, series, Ledger::new(Vec::new(), self.person.clone()), None));
        self.show_series(at);
        self.ask_for_thumbs();
    }

    fn is_open(&self, study: &StudyUid) -> bool {
        let is_open = self.scene.as_ref().is_some_and(|s| s.study == *study);
        if !is_open {
            tracing::warn!("{}", Error::StudyNotOpen);
            self.send(ToParent::Problem { error: mj_lang::tell(&Error::StudyNotOpen, self.lang) });
        }
        is_open
    }

    fn take_message(&mut self, message: ToViewer) {
        match message {
            ToViewer::Hello { lang, keys, person } => {
                self.lang = lang;
                self.person = person;
                match keys.as_ref().map(Keys::from_grant).transpose() {
                    Ok(keys) => self.keys = keys,
                    Err(e) => self.notices.fail(mj_lang::tell(&e, lang)),
                }
                self.loader = Loader::start(self.events.clone(), self.maker.gpu(), lang);
            }
            ToViewer::OpenStudy { study, series, findings, view } => self.open_study(study, &series, findings, view),
            ToViewer::CloseStudy { study } if self.is_open(&study) => {
                self.loader.clear();
                self.gesture = None;
                self.scene = None;
            }
            ToViewer::FindingStored { study, finding } if self.is_open(&study) => {
                let next = self.scene.as_mut().and_then(|s| s.ledger.stored(finding));
                self.send_finding(next);
            }
            ToViewer::FindingRefused { study, finding, error } if self.is_open(&study) => {
                if let Some(scene) = &mut self.scene {
                    scene.ledger.refused(&finding, &error);
                }
                self.notices.fail(error);
            }
            ToViewer::FocusFinding { study, finding } if self.is_open(&study) => {
                if let Some(scene) = &mut self.scene
                    && scene.ledger.get(&finding).is_some()
                {
                    scene.selected = Some(finding.clone());
                    self.go_to(&finding);
                }
            }
            ToViewer::RunJob { job, .. } => {
                let error = mj_lang::tell(&Error::NoSuchView("job"), self.lang);
                self.send(ToParent::JobFailed { job, error });
            }
            ToViewer::Quit => self.has_ended = true,
            _ => {}
        }
    }

    fn open_study(&mut self, study: StudyUid, series: &[mj_link::SeriesFiles], findings: Vec<Finding>, view: Option<ViewState>) {
        let entries: Result<Vec<SeriesEntry>> = series
            .iter()
            .map(|s| Ok(SeriesEntry::new(study.clone(), s.series.clone(), crate::source::of_series(s, self.keys.as_ref())?)))
            .collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(e) => {
                let error = mj_lang::tell(&e, self.lang);
                self.send(ToParent::Problem { error: error.clone() });
                self.notices.fail(error);
                return;
            }
        };
        let wanted = view.as_ref().and_then(|v| v.series.as_ref()).and_then(|uid| entries.iter().position(|e| e.uid == *uid));
        self.loader.clear();
        self.labels.clear();
        self.scene = Some(Scene::new(study, entries, Ledger::new(findings, self.person.clone()), view));
        self.show_series(wanted.unwrap_or(0));
    }

    /// The first picture of a study is on the screen.
    pub(crate) fn picture_shown(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        if !scene.is_reported {
            scene.is_reported = true;
            let ms = u64::try_from(scene.opened_at.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(ms, "first picture");
            let study = scene.study.clone();
            self.send(ToParent::StudyShown { study, ms });
            self.ask_for_thumbs_when_small();
        }
    }

    /// A series without a volume sends no `Loaded`: the strip's pictures follow its first image.
    fn ask_for_thumbs_when_small(&mut self) {
        if self.scene.as_ref().is_some_and(|s| !s.is_volume()) {
            self.ask_for_thumbs();
        }
    }

    /// The name of a setting of the window; none for one set freely.
    pub(crate) fn window_name(&self, scene: &Scene, shown: &mj_model::Window) -> Option<String> {
        let is_same = |center: f64, width: f64| (center - shown.center).abs() < 1e-9 && (width - shown.width).abs() < 1e-9;
        if let Some(preset) = self.presets().iter().find(|p| is_same(p.center, p.width)) {
            return preset.text().map(|t| t.get(self.lang).to_owned());
        }
        is_same(scene.file_window.center, scene.file_window.width).then(|| key::READING_WINDOW_FILE.get(self.lang).to_owned())
    }
}
