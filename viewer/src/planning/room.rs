//! The room: what is open, what the plane is, and what follows from it.

use super::action::Action;
use super::case::{Case, Part, Wanted};
use super::cutting::Cutting;
use super::orbit::Orbit;
use super::plans::Plans;
use super::scene::{Look, Removed, Shared};
use super::slices::Slices;
use super::view::{Grip, HALF_SQUARE};
use super::work::{self, Cutter, Event, Events};
use super::{panel, picture, slices, view};
use crate::args::Args;
use crate::source::Keys;
use crate::stdio::Sender;
use crate::ui::Theme;
use crate::{Error, Result};
use mj_imaging::plan;
use mj_lang::key;
use mj_link::{ToParent, ToViewer};
use mj_model::plan::{CutPlane, PlanResult};
use mj_model::{Lang, PointLps, StudyUid, Told, VectorLps, Volume};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// How far opening is.
pub(super) enum State {
    /// Nothing is asked for.
    Empty,
    /// Being read.
    Loading,
    /// Could not be read.
    Failed(Told),
    /// Open.
    Ready(Box<Case>),
}

/// A short word at the bottom.
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) hint: String,
    pub(super) is_failure: bool,
    pub(super) at: Instant,
}

/// Volumes as shown.
#[derive(Default)]
pub(super) struct Numbers {
    /// Voxels on the kept and on the removed side: at once.
    pub(super) counts: Option<(usize, usize)>,
    /// Everything, once computed for the present plane.
    pub(super) results: Option<Vec<PlanResult>>,
    /// Number of the wish that is open.
    asked: u64,
}

/// The planning room.
pub(super) struct Room {
    pub(super) lang: Lang,
    pub(super) theme: Theme,
    port: Option<Sender>,
    pub(super) keys: Option<Keys>,
    events: Events,
    incoming: Receiver<Event>,
    cutter: Cutter,
    pub(super) scene: Shared,
    opening: u64,
    loading: u64,
    pub(super) study: Option<StudyUid>,
    person: String,
    pub(super) plans: Plans,
    began: Instant,
    pub(super) state: State,
    pub(super) chosen: usize,
    pub(super) cutting: Option<Cutting>,
    pub(super) numbers: Numbers,
    pub(super) orbit: Orbit,
    pub(super) is_fitted: bool,
    pub(super) removed: Removed,
    pub(super) volume: Option<Arc<Volume>>,
    pub(super) slices: Slices,
    pub(super) is_swapped: bool,
    pub(super) grip: Option<Grip>,
    pub(super) notice: Option<Notice>,
    pub(super) layout: super::layout::LayoutLines,
    has_ended: bool,
}

impl Room {
    pub(super) fn new(ctx: &egui::Context, args: &Args, port: Option<Sender>, scene: Shared) -> Result<Self> {
        let theme = Theme::load(args.theme)?;
        theme.apply(ctx);
        let (events, incoming) = Events::new(ctx.clone());
        let origin = PointLps::default();
        Ok(Self {
            lang: args.lang,
            theme,
            port,
            keys: None,
            cutter: Cutter::start(events.clone(), args.lang),
            events,
            incoming,
            scene,
            opening: 0,
            loading: 0,
            study: None,
            person: String::new(),
            plans: Plans::default(),
            began: Instant::now(),
            state: State::Empty,
            chosen: 0,
            cutting: None,
            numbers: Numbers::default(),
            orbit: Orbit::around(origin, origin, 500.0),
            is_fitted: false,
            removed: Removed::default(),
            volume: None,
            slices: Slices::default(),
            is_swapped: false,
            grip: None,
            notice: None,
            layout: super::layout::LayoutLines::new(args.layout_json),
            has_ended: false,
        })
    }

    pub(super) fn events(&self) -> Events {
        self.events.clone()
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Opens what is wanted and forgets what was open.
    pub(super) fn open(&mut self, wanted: Wanted) {
        self.forget();
        self.opening += 1;
        self.began = Instant::now();
        self.state = State::Loading;
        work::open(self.opening, wanted, self.events.clone(), self.lang);
    }

    fn forget(&mut self) {
        self.state = State::Empty;
        self.plans = Plans::default();
        self.cutting = None;
        self.numbers = Numbers::default();
        self.volume = None;
        self.loading += 1;
        self.slices = Slices::default();
        self.grip = None;
        self.chosen = 0;
        self.scene.with(super::scene::Scene::clear);
    }

    pub(super) fn send(&self, message: ToParent) {
        if let Some(port) = &self.port {
            port.send(message);
        }
    }

    pub(super) fn told(&mut self, error: &Error) {
        let told = mj_lang::tell(error, self.lang);
        self.failed(told);
    }

    fn failed(&mut self, told: Told) {
        tracing::warn!(code = told.code, "told to the planner");
        self.notice = Some(Notice { text: told.message, hint: told.hint, is_failure: true, at: Instant::now() });
    }

    pub(super) fn done(&mut self, text: String) {
        self.notice = Some(Notice { text, hint: String::new(), is_failure: false, at: Instant::now() });
    }

    /// The segment in work.
    pub(super) fn part(&self) -> Option<&Part> {
        match &self.state {
            State::Ready(case) => case.parts.get(self.chosen),
            _ => None,
        }
    }

    /// Takes a segment into work, cut as its plan says.
    pub(super) fn choose(&mut self, at: usize) {
        let images = self.part().map(|part| Arc::clone(&part.images));
        self.chosen = at;
        let Some(part) = self.part() else { return };
        let (mesh, extent, centre) = (Arc::clone(&part.mesh), part.extent, part.centre());
        let planned = part.segment.as_ref().and_then(|segment| self.plans.plane_of(&segment.id));
        let is_elsewhere = self.volume.is_none() || images.is_none_or(|shown| !Arc::ptr_eq(&shown, &part.images));
        let images = Arc::clone(&part.images);
        // The patient's right side is taken away at first, as in a right hemihepatectomy.
        let plane = planned.unwrap_or(CutPlane { point: centre, normal: VectorLps::new(-1.0, 0.0, 0.0) });
        self.cutting = Some(Cutting::new(plane));
        self.scene.with(|scene| scene.show(&mesh, extent));
        self.is_fitted = false;
        if is_elsewhere {
            self.volume = None;
            self.loading += 1;
            if !images.is_empty() {
                work::load(self.loading, images, self.events.clone(), self.lang);
            }
        }
        self.recount();
    }

    /// The plane was changed by hand: it is kept, and its numbers follow.
    pub(super) fn changed(&mut self) {
        let (part, cutting) = (self.part(), self.cutting.as_ref());
        if let (Some(segment), Some(cutting)) = (part.and_then(|p| p.segment.clone()), cutting) {
            let plan = self.plans.moved(&segment, cutting.plane());
            self.send_plan(plan);
        }
        self.recount();
    }

    /// Quick numbers now, all of them when they are computed.
    fn recount(&mut self) {
        self.moved();
        let (Some(part), Some(cutting)) = (self.part(), &self.cutting) else { return };
        self.numbers.asked = self.cutter.ask(Arc::clone(&part.mask), cutting.plane());
    }

    fn send_plan(&self, plan: Option<mj_model::plan::Plan>) {
        if let Some(plan) = plan {
            self.send(ToParent::PlanChanged { study: plan.study.clone(), plan });
        }
    }

    fn computed(&mut self, results: Vec<PlanResult>) {
        let (part, cutting) = (self.part(), self.cutting.as_ref());
        if let (Some(segment), Some(plane)) = (part.and_then(|p| p.segment.clone()), cutting.map(Cutting::plane)) {
            let plan = self.plans.computed(&segment.id, plane, &results);
            self.send_plan(plan);
        }
        self.numbers.results = Some(results);
    }

    /// The plane is being moved: numbers by voxels only.
    pub(super) fn moved(&mut self) {
        self.numbers.results = None;
        self.slices.forget();
        let (Some(part), Some(cutting)) = (self.part(), &self.cutting) else { return };
        self.numbers.counts = plan::count(&part.mask, &cutting.plane()).ok();
    }

    /// What the 3D picture shows.
    pub(super) fn look(&self, ppp: f32) -> Option<Look> {
        let (part, cutting) = (self.part()?, self.cutting.as_ref()?);
        let plane = cutting.plane();
        let (u, v) = cutting.axes();
        let half = (part.extent.1 - part.extent.0).length() * HALF_SQUARE;
        let corner = |a: f64, b: f64| plane.point + u * (a * half) + v * (b * half);
        let c = &self.theme.colours;
        Some(Look {
            orbit: self.orbit,
            plane,
            corners: [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)],
            removed: self.removed,
            kept_colour: c.plan_kept,
            removed_colour: c.plan_removed,
            plane_colour: c.accent,
            ppp,
        })
    }

    /// Does an action.
    pub(super) fn act(&mut self, action: Action) {
        let Some(cutting) = &mut self.cutting else { return };
        let (u, v) = cutting.axes();
        let centre = match &self.state {
            State::Ready(case) => case.parts.get(self.chosen).map(Part::centre),
            _ => None,
        };
        let is_changed = match action {
            Action::Shift(mm) => cutting.change(|c| c.shift(mm.into())),
            Action::Tilt(degrees) => cutting.change(|c| c.turn(u, degrees.into())),
            Action::Swing(degrees) => cutting.change(|c| c.turn(v, degrees.into())),
            Action::Axial => cutting.change(|c| c.face(VectorLps::new(0.0, 0.0, 1.0))),
            Action::Coronal => cutting.change(|c| c.face(VectorLps::new(0.0, 1.0, 0.0))),
            Action::Sagittal => cutting.change(|c| c.face(VectorLps::new(-1.0, 0.0, 0.0))),
            Action::Middle => cutting.change(|c| c.put_at(centre.unwrap_or(c.plane().point))),
            Action::Flip => cutting.change(Cutting::flip),
            Action::Undo => cutting.undo(),
            Action::Redo => cutting.redo(),
            Action::Removed => {
                self.removed = self.removed.next();
                false
            }
            Action::Look(face) => {
                self.orbit.look_from(face);
                false
            }
            Action::Fit => {
                self.is_fitted = false;
                false
            }
            Action::Swap => {
                self.is_swapped = !self.is_swapped;
                self.slices.forget();
                false
            }
            Action::Picture => {
                picture::take(self);
                false
            }
        };
        if is_changed {
            self.changed();
        }
    }

    fn take_events(&mut self) {
        while let Ok(event) = self.incoming.try_recv() {
            match event {
                Event::Parent(message) => self.parent(*message),
                Event::ParentEnded => self.has_ended = true,
                Event::Opened(opening, opened) if opening == self.opening => match opened {
                    Ok(case) => self.opened(case),
                    Err(told) => self.state = State::Failed(told),
                },
                Event::Images(loading, images) if loading == self.loading => match images {
                    Ok(volume) => {
                        self.volume = Some(volume);
                        self.slices.forget();
                    }
                    Err(told) => self.failed(told),
                },
                Event::Cut(number, cut) if number == self.numbers.asked => match cut {
                    Ok(results) => self.computed(results),
                    Err(told) => self.failed(told),
                },
                // Of a study or a plane that is no longer asked for.
                Event::Opened(..) | Event::Images(..) | Event::Cut(..) => {}
            }
        }
    }

    fn opened(&mut self, case: Box<Case>) {
        self.study.get_or_insert_with(|| case.header.study.uid.clone());
        let has_parts = !case.parts.is_empty();
        self.state = State::Ready(case);
        if has_parts {
            self.choose(0);
        }
        if let Some(study) = self.study.clone() {
            let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.send(ToParent::StudyShown { study, ms });
        }
    }

    fn parent(&mut self, message: ToViewer) {
        match message {
            ToViewer::Hello { lang, keys, person } => {
                self.lang = lang;
                self.person = person;
                self.cutter = Cutter::start(self.events.clone(), lang);
                self.keys = match keys.map(|grant| Keys::from_grant(&grant)).transpose() {
                    Ok(keys) => keys,
                    Err(e) => {
                        self.told(&e);
                        None
                    }
                };
            }
            ToViewer::OpenPlanning { study, series, segments, plans } => {
                self.study = Some(study);
                let keys = self.keys.clone();
                self.open(Wanted::Record(series, segments, keys));
                self.plans = Plans::new(plans, self.person.clone());
            }
            ToViewer::PlanStored { study, plan } if self.study.as_ref() == Some(&study) => {
                let next = self.plans.stored(plan);
                self.send_plan(next);
            }
            ToViewer::PlanRefused { study, plan, error } if self.study.as_ref() == Some(&study) => {
                self.plans.refused(&plan);
                self.failed(error);
            }
            ToViewer::CloseStudy { study } if self.study.as_ref() == Some(&study) => {
                self.opening += 1;
                self.study = None;
                self.forget();
            }
            ToViewer::Quit => self.has_ended = true,
            ToViewer::RunJob { job, .. } => {
                let error = mj_lang::tell(&Error::NoJobs, self.lang);
                self.send(ToParent::JobFailed { job, error });
            }
            // Findings, their texts and jobs are not this room's.
            _ => {}
        }
    }

    /// One frame.
    pub(super) fn ui(&mut self, ui: &mut egui::Ui) {
        self.take_events();
        for action in Action::pressed(ui.ctx()) {
            self.act(action);
        }
        if matches!(&self.state, State::Ready(case) if !case.parts.is_empty()) {
            panel::show(self, ui);
            slices::show(self, ui);
        }
        view::show(self, ui);
        panel::notice(self, ui.ctx());
        self.layout.print(ui.ctx());
    }

    /// The line for an empty room: what is so, and what to do.
    pub(super) fn empty_words(&self) -> Option<(String, String)> {
        let words = |a: mj_lang::Text, b: mj_lang::Text| Some((a.get(self.lang).to_owned(), b.get(self.lang).to_owned()));
        match &self.state {
            State::Empty => words(key::PLANNING_EMPTY, key::PLANNING_EMPTY_HINT),
            State::Loading => words(key::PLANNING_LOADING, key::PLANNING_LOADING_HINT),
            State::Failed(told) => Some((told.message.clone(), told.hint.clone())),
            State::Ready(case) if case.parts.is_empty() => words(key::PLANNING_NO_SEGMENT, key::PLANNING_NO_SEGMENT_HINT),
            State::Ready(_) => None,
        }
    }
}
