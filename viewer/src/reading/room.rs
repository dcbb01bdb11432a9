//! The room as egui draws and changes it, without a window system.

mod messages;
mod series;

use crate::Result;
use crate::args::{Args, ThemeName};
use crate::reading::action::{Action, Situation, Tool};
use crate::reading::beside::{Beside, Offer, Side};
use crate::reading::cine::{self, Player};
use crate::reading::cover::Covers;
use crate::reading::draft::Draft;
use crate::reading::event::{Event, Events};
use crate::reading::gesture::{self, Gesture};
use crate::reading::layout::LayoutLines;
use crate::reading::loader::{Loaded, Loader, Opened};
use crate::reading::maker::{CpuMaker, Maker};
use crate::reading::notices::Notices;
use crate::reading::scene::Scene;
use crate::reading::shapes::Hit;
use crate::reading::shelf::Shelf;
use crate::reading::solid::{self, Solid};
use crate::reading::{findings, help, keyimage, measuring, notices, pane, presets, review, segments, text, thumbs, toolbar, viewports};
use crate::source::Keys;
use crate::stdio::Sender;
use crate::ui::Theme;
use mj_imaging::raycast::Preset;
use mj_lang::key;
use mj_link::{ToParent, ViewState};
use mj_model::{Finding, Lang};
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
    pub(crate) person: String,
    pub(crate) events: Events,
    incoming: Receiver<Event>,
    pub(crate) loader: Loader,
    pub(crate) maker: Maker,
    /// Volumes of the study, those no longer in view too.
    shelf: Shelf<(Opened, Loaded)>,
    /// Said in a corner when pictures are not made as was asked for.
    pub(crate) maker_note: Option<mj_lang::Text>,
    pub(crate) scene: Option<Scene>,
    /// An earlier study that may be shown beside.
    pub(crate) offer: Option<Offer>,
    /// What the room is not turned to: the prior, once it was wanted.
    pub(crate) beside: Option<Box<Beside>>,
    /// What the room is turned to.
    pub(crate) side: Side,
    /// What the pointer or a key worked on last: keys work on it, the other follows it.
    pub(crate) active: Side,
    pub(crate) is_searching: bool,
    pub(crate) tool: Tool,
    /// The measuring tool that was taken last.
    pub(crate) measuring: Tool,
    pub(crate) gesture: Option<Gesture>,
    /// A shape that is being drawn.
    pub(crate) draft: Option<Draft>,
    /// The finding that is to be rejected, while its reason is asked for.
    pub(crate) asks_reason: Option<String>,
    pub(crate) notices: Notices,
    pub(crate) has_overlay: bool,
    pub(crate) has_crosshair: bool,
    /// Overlay planes of the images.
    pub(crate) has_graphics: bool,
    pub(crate) covers: Covers,
    pub(crate) player: Player,
    pub(crate) has_help: bool,
    pub(crate) has_series: bool,
    pub(crate) has_findings: bool,
    /// Findings are drawn on pictures.
    pub(crate) has_shapes: bool,
    /// How much the insides of segments are coloured. Units: percent.
    pub(crate) fill_percent: u8,
    /// The annotation that waits for its text.
    pub(crate) asked_text: Option<text::Asked>,
    /// Where shapes were drawn last, for taking hold of them.
    pub(crate) hits: Vec<Hit>,
    /// Where labels were dragged to, by finding. Units: points from where they would stand.
    pub(crate) labels: BTreeMap<String, egui::Vec2>,
    /// Pictures of the last frame were not yet those that are wanted.
    pub(crate) is_making: bool,
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
            shelf: Shelf::default(),
            maker: Maker::Cpu(CpuMaker::new(events.clone())),
            maker_note: None,
            events,
            incoming,
            scene: None,
            offer: None,
            beside: None,
            side: Side::Current,
            active: Side::Current,
            is_searching: false,
            tool: Tool::Point,
            measuring: Tool::Length,
            gesture: None,
            draft: None,
            notices: Notices::default(),
            has_overlay: true,
            has_crosshair: true,
            has_graphics: true,
            covers: Covers::default(),
            player: Player::default(),
            has_help: false,
            has_series: true,
            has_findings: true,
            has_shapes: true,
            fill_percent: 20,
            hits: Vec::new(),
            labels: BTreeMap::new(),
            blocked: Vec::new(),
            pointer: None,
            layout: LayoutLines::new(args.layout_json),
            paint_ctx: None,
            changed_at: None,
            is_view_unsent: false,
            next_token: 1,
            asks_reason: None,
            asked_text: None,
            is_making: false,
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
        // What is on it has no copy on another card.
        self.shelf.clear();
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
        scene.ledger.shown().map(|s| (measuring::main_line(&s.finding.measurements), !s.is_pending)).collect()
    }

    /// Draws the room and takes input.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        while let Ok(event) = self.incoming.try_recv() {
            let side = self.side_of(&event);
            self.on_side(side, |room| room.take(event));
        }
        self.refuse_other_patient();
        self.on_sides(segments::ask);
        self.take_keys(ui.ctx());
        cine::advance(self, ui.ctx());
        self.blocked.clear();
        self.on_side(self.active, |room| toolbar::show(room, ui));
        if self.has_series {
            thumbs::show(self, ui);
        }
        if self.has_findings {
            findings::show(self, ui);
        }
        viewports::show(self, ui);
        review::show(self, ui.ctx());
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
            is_whole: scene.shown.full.is_some(),
            is_colour: scene.is_colour(),
            has_slab: scene.has_slab,
            is_as_stored: scene.is_as_stored,
            is_solid: scene.panes.iter().any(|p| p.kind == pane::PaneKind::Vr),
            has_frames: !scene.is_volume() && scene.n_slices() > 1,
            has_blocks: scene.shown.opened.as_ref().is_some_and(|opened| opened.next_block().is_some()),
            has_selection: scene.selected.as_ref().is_some_and(|id| scene.ledger.get(id).is_some_and(Finding::is_live)),
            has_findings: scene.ledger.shown().next().is_some(),
            can_undo: scene.ledger.can_undo(),
            can_redo: scene.ledger.can_redo(),
            has_other_series: scene.series.len() > 1,
            has_prior: self.has_prior(),
            is_compared: self.is_compared(),
            can_ask: text::can_ask(self),
            n_presets: u8::try_from(self.solid_presets().map_or_else(|| self.presets().len(), |p| p.len())).unwrap_or(u8::MAX),
        }
    }

    /// Presets of shapes, where the active viewport shows shapes.
    pub(crate) fn solid_presets(&self) -> Option<Vec<Preset>> {
        let scene = self.scene.as_ref().filter(|s| s.active_kind() == pane::PaneKind::Vr)?;
        solid::presets_of(scene.volume()?).ok()
    }

    /// Presets of the series in view.
    pub(crate) fn presets(&self) -> Vec<presets::Preset> {
        // Windows of values say nothing to colours.
        self.scene
            .as_ref()
            .filter(|s| !s.is_colour())
            .and_then(Scene::volume)
            .map(|v| presets::of_modality(&v.modality))
            .unwrap_or_default()
    }

    /// True while a viewport shows an older or coarser picture than is wanted.
    #[must_use]
    pub const fn is_making_pictures(&self) -> bool {
        self.is_making
    }

    /// How many lines of findings the last frame drew, over all viewports.
    #[must_use]
    pub fn lines_in_view(&self) -> usize {
        self.hits.iter().map(|hit| hit.figure.lines.len()).sum()
    }

    /// Where the last frame drew a finding: viewport, and the box around its lines on the screen.
    #[must_use]
    pub fn places_of(&self, id: &str) -> Vec<(usize, egui::Rect)> {
        self.hits.iter().filter(|hit| hit.id == id).map(|hit| (hit.pane, hit.figure.bounds())).collect()
    }

    /// A number for a question to the parent that no other has.
    pub(crate) const fn next_request(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
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
            if review::take_key(self, pressed) || self.on_side(self.active, |room| gesture::take_key(room, pressed, held)) {
                continue;
            }
            if let Some(action) = Action::ALL.iter().find(|a| a.is_meant_by(pressed, held)) {
                self.act(*action);
            }
        }
    }

    /// Does an action, if it can be done now: on the side that was worked on last, or on the study that is read.
    pub fn act(&mut self, action: Action) {
        let side = match action {
            // Who goes through findings decides on those of the study that is read, whatever was compared meanwhile.
            Action::FindingNext | Action::FindingPrevious | Action::Accept | Action::Reject => Side::Current,
            Action::Beside | Action::Stored | Action::Play | Action::Slower | Action::Faster => Side::Current,
            _ => self.active,
        };
        self.on_side(side, |room| room.act_here(action));
    }

    fn act_here(&mut self, action: Action) {
        if !action.is_enabled(&self.situation()) {
            return;
        }
        match action {
            Action::Take(tool) => {
                self.on_sides(|room| (room.gesture, room.draft) = (None, None));
                self.tool = tool;
                if tool.is_measuring() {
                    self.measuring = tool;
                }
            }
            Action::Help => self.has_help = !self.has_help,
            Action::Series => self.has_series = !self.has_series,
            Action::Findings => self.has_findings = !self.has_findings,
            Action::Shapes => self.has_shapes = !self.has_shapes,
            Action::Hide => self.hide_chosen(),
            Action::Overlay => self.has_overlay = !self.has_overlay,
            Action::Graphics => self.has_graphics = !self.has_graphics,
            Action::Play => self.player.toggle(),
            Action::Slower | Action::Faster => self.player.change_speed(action == Action::Faster),
            Action::Crosshair => self.has_crosshair = !self.has_crosshair,
            Action::Cancel => self.cancel(),
            Action::Undo | Action::Redo => self.undo_or_redo(action == Action::Undo),
            Action::FindingNext | Action::FindingPrevious => review::step(self, action == Action::FindingNext),
            Action::Accept => review::accept(self),
            Action::Reject => review::ask_reason(self),
            Action::Delete => self.delete(),
            Action::KeyImage => keyimage::take(self),
            Action::Beside => self.swap_beside(),
            Action::SeriesPrevious | Action::SeriesNext => self.next_series(action == Action::SeriesNext),
            Action::BlockNext => self.next_block(),
            Action::Stored => self.swap_stored(),
            _ => self.act_on_scene(action),
        }
    }

    fn act_on_scene(&mut self, action: Action) {
        let shapes = match action {
            Action::Preset(n) => self.solid_presets().and_then(|presets| presets.into_iter().nth(n.into())),
            _ => None,
        };
        let preset = match action {
            Action::Preset(n) if shapes.is_none() => {
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
            Action::FileWindow if scene.active_kind() == pane::PaneKind::Vr => scene.solid.shift = 0.0,
            Action::FileWindow => scene.next_file_window(),
            Action::Solid => scene.swap_solid(),
            Action::Cut => scene.solid.is_cut = !scene.solid.is_cut,
            Action::Invert => scene.is_inverted = !scene.is_inverted,
            Action::Enlarge => scene.enlarged = if scene.enlarged.is_some() { None } else { Some(scene.active) },
            Action::Slab => scene.has_slab = !scene.has_slab,
            Action::SlabKind => scene.slab = scene.slab.turned(),
            Action::SlabThicker | Action::SlabThinner => scene.slab = scene.slab.changed(action == Action::SlabThicker),
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
        if let Some(preset) = shapes {
            scene.solid = Solid { preset: preset.name, shift: 0.0, ..scene.solid };
        }
        if let Some(steps) = steps {
            let at = scene.active;
            self.scroll(at, steps);
        }
        self.changed();
    }

    fn cancel(&mut self) {
        self.has_help = false;
        let (gesture, draft) = (self.gesture.take(), self.draft.take());
        if gesture.is_none() && draft.is_none() {
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
            let steps = steps * scene.stored_direction();
            let k = (scene.shown.slice as f64 + steps).round().clamp(0.0, last) as usize;
            self.player.pause();
            self.show_slice(k);
            return;
        }
        if let Some(k) = scene.early_step(at, steps) {
            self.show_slice(k);
            return;
        }
        let Some(kind) = scene.panes.get(at).map(|p| p.kind) else { return };
        let Some(grid) = scene.shown.full.as_ref().map(|l| l.volume.grid) else { return };
        let kind = if kind.is_through() { scene.along(at) } else { kind };
        let plane = pane::Pane::new(kind).plane(&grid, scene.crosshair, 8, 8);
        // Downwards on the wheel goes from head to feet, from front to back, from left to right.
        let normal = if kind == pane::PaneKind::Axial { -plane.normal() } else { plane.normal() };
        scene.crosshair = pane::step(&grid, scene.crosshair, normal, steps);
        self.changed();
    }

    /// Something of the view changed.
    pub(crate) fn changed(&mut self) {
        self.changed_at = Some(Instant::now());
        self.is_view_unsent = true;
    }

    /// True while a movement is on its way: speed before sharpness.
    pub(crate) fn is_moving(&self) -> bool {
        self.has_gesture() || self.changed_at.is_some_and(|at| at.elapsed() < REST)
    }

    /// After a movement has ended: tells the parent, and draws sharp.
    fn settle(&mut self, ctx: &egui::Context) {
        if let Some(at) = self.changed_at {
            let rest = REST.saturating_sub(at.elapsed());
            if !rest.is_zero() {
                ctx.request_repaint_after(rest);
                return;
            }
            if !self.has_gesture() {
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

    /// The chosen finding is no longer drawn, or again.
    fn hide_chosen(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        if let Some(id) = scene.selected.clone() {
            scene.hide(&id);
        }
    }

    fn delete(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        let Some(id) = scene.selected.take() else { return };
        let message = scene.ledger.delete(&id);
        self.gesture = None;
        self.send_finding(message);
    }

    /// The name of a setting of the window; none for one set freely.
    pub(crate) fn window_name(&self, scene: &Scene, shown: &mj_model::Window) -> Option<String> {
        let is_same = |center: f64, width: f64| (center - shown.center).abs() < 1e-9 && (width - shown.width).abs() < 1e-9;
        if let Some(preset) = self.presets().iter().find(|p| is_same(p.center, p.width)) {
            return preset.text().map(|t| t.get(self.lang).to_owned());
        }
        let of_file = scene.file_windows().find(|w| *w == shown).or(Some(&scene.file_window).filter(|w| *w == shown))?;
        Some(if of_file.name.is_empty() { key::READING_WINDOW_FILE.get(self.lang).to_owned() } else { of_file.name.clone() })
    }
}
