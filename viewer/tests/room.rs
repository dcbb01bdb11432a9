//! The reading room driven by events, without a window system.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

mod annotations;
mod beside;
mod measuring;
mod patch;
mod review;
mod segments;

use clap::Parser as _;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2, vec2};
use mj_link::message::{ObjectFile, SeriesFiles};
use mj_link::{Job, ToParent, ToViewer};
use mj_model::{Finding, FindingState, Geometry, Lang, Shape, StudyUid};
use mj_viewer::args::Args;
use mj_viewer::headless::{Context as JobContext, jobs};
use mj_viewer::reading::action::Action;
use mj_viewer::reading::event::Event as RoomEvent;
use mj_viewer::reading::ledger::Ledger;
use mj_viewer::reading::loader::{Loaded, Opened, Sources};
use mj_viewer::reading::room::{Port, Room};
use mj_viewer::reading::scene::{Scene, SeriesEntry};
use mj_viewer::stdio::Sender;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

const SIZE: egui::Vec2 = vec2(1366.0, 768.0);

/// A room on a small phantom, with what it tells its parent.
struct Bench {
    ctx: egui::Context,
    room: Room,
    said: Receiver<ToParent>,
    study: StudyUid,
    /// What stood in the last frame.
    written: Vec<String>,
    shapes: Vec<egui::Shape>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::of(24, 64)
    }

    /// On a phantom of some slices, rows and columns.
    fn of(slices: usize, size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = Job::Phantom { out: folder.path().to_owned(), seed: 3, slices, size };
        jobs::run(&job, &JobContext::quiet(None)).unwrap();
        let ctx = egui::Context::default();
        let (sender, said) = Sender::to_queue();
        let room = Room::new(&ctx, &Args::parse_from(["x", "--lang", "zh"]), Port::Parent(sender)).unwrap();
        let study = StudyUid::parse("1.2").unwrap();
        let mut bench = Self { ctx, room, said, study, written: Vec::new(), shapes: Vec::new(), _folder: folder };
        bench.open();
        bench
    }

    fn open(&mut self) {
        let (study, series) = series_of(&self._folder.path().join("current"));
        self.study = study.clone();
        self.tell(ToViewer::OpenStudy { study, series: vec![series], findings: Vec::new(), view: None });
        let until = Instant::now() + Duration::from_secs(60);
        while self.room.view_state().is_none_or(|v| v.crosshair.is_none()) || !self.room.situation().is_volume {
            assert!(Instant::now() < until, "the study was not loaded");
            self.frame(Vec::new());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.rest();
    }

    fn tell(&mut self, message: ToViewer) {
        self.room.events().send(RoomEvent::Parent(Box::new(message)));
        self.frame(Vec::new());
    }

    fn frame(&mut self, events: Vec<Event>) {
        let input = egui::RawInput { screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)), events, ..Default::default() };
        let mut output = self.ctx.run_ui(input, |ui| self.room.ui(ui));
        output.textures_delta.clear();
        self.shapes = output.shapes.iter().map(|s| s.shape.clone()).collect();
        self.written = output.shapes.iter().flat_map(|s| texts_of(&s.shape)).collect();
    }

    /// True when a text stood in the last frame and nothing was filled over it.
    fn is_uncovered(&self, text: &str) -> bool {
        let at = self.shapes.iter().rposition(|s| texts_of(s).iter().any(|t| t.contains(text)));
        at.is_some_and(|at| {
            let place = self.shapes[at].visual_bounding_rect();
            self.shapes[at + 1..].iter().all(|later| match later {
                egui::Shape::Rect(rect) => rect.fill.a() < 255 || !rect.rect.contains(place.center()),
                _ => true,
            })
        })
    }

    /// True when a text stood in the last frame.
    fn shows(&self, text: &str) -> bool {
        self.written.iter().any(|t| t.contains(text))
    }

    /// Draws until something is so.
    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !is_so(self) {
            assert!(Instant::now() < until, "no {what}: {:?}", self.written);
            self.frame(Vec::new());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A folder of some of the current study's images, changed.
    fn changed(&self, name: &str, images: std::ops::RangeInclusive<usize>, change: impl Fn(Vec<u8>) -> Vec<u8>) -> PathBuf {
        let to = self._folder.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for n in images {
            let name = format!("{n:04}.dcm");
            std::fs::write(to.join(&name), change(std::fs::read(self._folder.path().join("current").join(&name)).unwrap())).unwrap();
        }
        to
    }

    /// Tells to open series and does not wait.
    fn tell_open(&mut self, series: Vec<SeriesFiles>, findings: Vec<Finding>) {
        let study = self.study.clone();
        self.tell(ToViewer::OpenStudy { study, series, findings, view: None });
    }

    fn grant_keys(&mut self) -> (mj_seal::Key, PathBuf) {
        let inbox = self._folder.path().join("inbox");
        let key = mj_seal::Key::from_bytes([5; 32]);
        let keys = Some(mj_link::KeyGrant { object_key: key.to_hex().to_string(), inbox: inbox.clone() });
        self.tell(ToViewer::Hello { lang: Lang::Zh, keys, person: "p".into() });
        (key, inbox)
    }

    /// Takes a key image: its caption and PNG.
    fn key_image(&mut self) -> (String, Vec<u8>) {
        let (key, inbox) = self.grant_keys();
        self.said();
        self.key(Key::K, Modifiers::NONE);
        let said = self.said();
        let Some(ToParent::KeyImage { file, caption, .. }) = said.iter().find(|m| matches!(m, ToParent::KeyImage { .. })) else {
            panic!("{said:?}")
        };
        (caption.clone(), mj_seal::open(&key, &std::fs::read(inbox.join(file)).unwrap()).unwrap().to_vec())
    }

    /// Until movements have ended and were reported.
    fn rest(&mut self) {
        for _ in 0..30 {
            self.frame(Vec::new());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn drag(&mut self, from: Pos2, to: Pos2, button: PointerButton) {
        let press = |pos, pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
        self.frame(vec![Event::PointerMoved(from)]);
        self.frame(vec![press(from, true)]);
        self.frame(vec![Event::PointerMoved(from + (to - from) * 0.5)]);
        self.frame(vec![Event::PointerMoved(to), press(to, false)]);
    }

    fn key(&mut self, key: Key, modifiers: Modifiers) {
        self.frame(vec![Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }]);
    }

    fn said(&self) -> Vec<ToParent> {
        self.said.try_iter().collect()
    }

    /// The changes of findings said since the last look, each acknowledged as the record would.
    fn changes(&mut self) -> Vec<Finding> {
        let changes: Vec<Finding> = self
            .said()
            .into_iter()
            .filter_map(|m| if let ToParent::FindingChanged { finding, .. } = m { Some(finding) } else { None })
            .collect();
        for finding in &changes {
            let stored = Finding { revision: finding.revision + 1, ..finding.clone() };
            self.tell(ToViewer::FindingStored { study: self.study.clone(), finding: stored });
        }
        changes
    }
}

/// The texts of a shape.
fn texts_of(shape: &egui::Shape) -> Vec<String> {
    match shape {
        egui::Shape::Text(text) => vec![text.galley.text().to_owned()],
        egui::Shape::Vec(shapes) => shapes.iter().flat_map(texts_of).collect(),
        _ => Vec::new(),
    }
}

fn series_of(folder: &Path) -> (StudyUid, SeriesFiles) {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let header = mj_dicom::Dataset::read(&std::fs::read(&files[0]).unwrap()).unwrap().header().unwrap();
    let files = files.into_iter().map(|path| ObjectFile { path, sealed: false }).collect();
    (header.study.uid, SeriesFiles { series: header.series.uid, files })
}

/// In the axial viewport, away from its text.
const A: Pos2 = pos2(330.0, 190.0);
const B: Pos2 = pos2(430.0, 190.0);

#[test]
fn a_length_is_drawn_changed_undone_and_deleted() {
    let mut bench = Bench::new();
    assert!(bench.said().iter().any(|m| matches!(m, ToParent::StudyShown { .. })));
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(A, B, PointerButton::Primary);
    assert_eq!(bench.room.drawn_findings().len(), 1);
    assert!(!bench.room.drawn_findings()[0].1, "drawn as stored before the record said so");
    let made = bench.changes();
    assert_eq!(made.len(), 1, "one change on release, none while dragging");
    let Geometry::InSpace(Shape::Line { a, b }) = made[0].geometry else { panic!("no line") };
    let mm = made[0].measurements[0].quantity.value;
    assert!((a.distance_mm(b) - mm).abs() < 1e-9 && mm > 10.0);
    assert_eq!((made[0].revision, made[0].state), (0, FindingState::Accepted));
    assert!(!made[0].images.is_empty() && made[0].frame_of_reference.is_some());
    assert!(bench.room.drawn_findings()[0].1);

    // Take hold of the second end and make it longer.
    bench.key(Key::V, Modifiers::NONE);
    bench.frame(Vec::new());
    bench.drag(B, B + vec2(50.0, 0.0), PointerButton::Primary);
    let changed = bench.changes();
    assert_eq!((changed.len(), changed[0].revision, changed[0].measurements[0].revision), (1, 1, 2));
    assert!((changed[0].measurements[0].quantity.value / mm - 1.5).abs() < 0.02);
    assert_eq!(changed[0].id, made[0].id);

    bench.key(Key::Z, Modifiers::COMMAND);
    let undone = bench.changes();
    assert!((undone[0].measurements[0].quantity.value - mm).abs() < 1e-9);
    assert_eq!(undone[0].revision, 2);
    bench.key(Key::Y, Modifiers::COMMAND);
    assert_eq!(bench.changes()[0].revision, 3);
    bench.key(Key::Delete, Modifiers::NONE);
    assert_eq!(bench.changes()[0].state, FindingState::Deleted);
    assert!(bench.room.drawn_findings().is_empty());
}

#[test]
fn a_key_image_is_a_sealed_picture_in_the_inbox() {
    let mut bench = Bench::new();
    let (caption, picture) = bench.key_image();
    assert!(caption.contains("横断面") && !caption.contains("示例"));
    assert!(patch::has_letter(&picture), "a CT slice without letters");
}

#[test]
fn a_line_can_be_made_by_two_clicks() {
    let mut bench = Bench::new();
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(A, A, PointerButton::Primary);
    bench.drag(B, B, PointerButton::Primary);
    assert_eq!(bench.changes().len(), 1);
}

#[test]
fn views_are_reported_when_a_movement_ends_and_restored() {
    let mut bench = Bench::new();
    bench.said();
    let before = bench.room.view_state().unwrap();
    bench.drag(A, A + vec2(60.0, 30.0), PointerButton::Secondary);
    bench.drag(A, A + vec2(20.0, 10.0), PointerButton::Middle);
    let wheel = |y| Event::MouseWheel {
        unit: egui::MouseWheelUnit::Line,
        delta: vec2(0.0, y),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    };
    bench.frame(vec![wheel(-1.0)]);
    bench.frame(vec![wheel(-1.0)]);
    bench.rest();
    let views: Vec<_> =
        bench.said().into_iter().filter_map(|m| if let ToParent::ViewChanged { view, .. } = m { Some(view) } else { None }).collect();
    // One report for each of the three movements at most; on a fast machine they are one.
    assert!((1..=4).contains(&views.len()), "{} reports", views.len());
    let view = views.last().unwrap().clone();
    assert_ne!(view.window, before.window);
    assert_ne!(view.pan_mm, before.pan_mm);
    assert!(view.crosshair.unwrap().z < before.crosshair.unwrap().z, "the wheel goes from head to feet");
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study: study.clone() });
    assert!(bench.room.view_state().is_none());
    bench.tell(ToViewer::OpenStudy { study, series: vec![series], findings: Vec::new(), view: Some(view.clone()) });
    let until = Instant::now() + Duration::from_secs(60);
    while !bench.room.situation().is_volume || bench.room.view_state().is_none_or(|v| v.crosshair.is_none()) {
        assert!(Instant::now() < until);
        bench.rest();
    }
    bench.rest();
    let again = bench.room.view_state().unwrap();
    assert_eq!((again.window, &again.zoom, &again.pan_mm, again.enlarged), (view.window, &view.zoom, &view.pan_mm, view.enlarged));
    assert!(again.crosshair.unwrap().distance_mm(view.crosshair.unwrap()) < 1e-6);
}

#[test]
fn messages_for_another_study_are_refused() {
    let mut bench = Bench::new();
    bench.said();
    bench.tell(ToViewer::FocusFinding { study: StudyUid::parse("1.2.3").unwrap(), finding: "x".into() });
    assert!(matches!(bench.said().as_slice(), [ToParent::Problem { error }] if error.code == "study.not_open"));
}

#[test]
fn a_double_click_enlarges_and_brings_all_back() {
    let mut bench = Bench::new();
    let twice = |bench: &mut Bench| {
        bench.drag(A, A, PointerButton::Primary);
        bench.drag(A, A, PointerButton::Primary);
    };
    twice(&mut bench);
    assert_eq!(bench.room.view_state().unwrap().enlarged, Some(0));
    bench.rest();
    twice(&mut bench);
    assert_eq!(bench.room.view_state().unwrap().enlarged, None);
}

#[test]
fn toolbar_buttons_have_names_and_work() {
    use egui_kittest::kittest::Queryable as _;
    let mut room: Option<Room> = None;
    let mut harness = egui_kittest::Harness::builder().with_size(SIZE).build_ui(|ui| {
        let room = room.get_or_insert_with(|| Room::new(ui.ctx(), &Args::parse_from(["x", "--lang", "en"]), Port::Alone).unwrap());
        room.ui(ui);
    });
    harness.run_steps(3);
    harness.get_by_label(Action::Help.text().get(Lang::En)).click();
    harness.run_steps(3);
    assert!(harness.query_by_label(mj_lang::key::READING_MOUSE_RIGHT_DOES.get(Lang::En)).is_some(), "help did not open");
    assert!(harness.query_by_label(mj_lang::key::READING_NO_SERIES.get(Lang::En)).is_some());
}

#[test]
fn an_image_without_orientation_has_no_sides_and_its_marks_go_with_it() {
    let mut bench = Bench::new();
    assert!(bench.shows("R") && bench.written.iter().any(|t| t == "L"));
    let film = bench.changed("film", 7..=7, |b| patch::lossy(patch::without_spacing(patch::without_place(b))));
    let (_, series) = series_of(&film);
    bench.tell_open(vec![series], Vec::new());
    bench.until("film", |b| b.shows("图 1/1"));
    bench.rest();
    for letter in ["L", "R", "A", "P", "H", "F"] {
        assert!(!bench.written.iter().any(|t| t == letter), "{letter} on an image without orientation");
    }
    let (caption, picture) = bench.key_image();
    assert!(!patch::has_letter(&picture), "letters on a key image without orientation");
    assert!(caption.contains("有损压缩") && caption.contains("未定标"), "{caption}");
    assert!(!caption.contains("示例"));
}

#[test]
fn a_key_image_of_a_slab_says_so() {
    let mut bench = Bench::new();
    bench.room.act(Action::Slab);
    let (caption, _) = bench.key_image();
    assert!(caption.contains("最大密度 10 mm"), "{caption}");
    bench.key(Key::M, Modifiers::NONE);
    bench.key(Key::CloseBracket, Modifiers::NONE);
    let (darker, minimum) = bench.key_image();
    assert!(darker.contains("最小密度 15 mm"), "{darker}");
    bench.key(Key::M, Modifiers::NONE);
    let (middle, mean) = bench.key_image();
    assert!(middle.contains("平均密度 15 mm") && mean != minimum, "{middle}");
    bench.room.act(Action::Slab);
    assert!(!bench.key_image().0.contains("密度"));
}

/// The middle of the viewport that looks through the volume.
const THROUGH: Pos2 = pos2(900.0, 580.0);

#[test]
fn shapes_are_turned_chosen_cut_and_kept_as_a_key_image() {
    let mut bench = Bench::new();
    bench.until("volume", |b| b.room.situation().is_whole);
    let is_done = |b: &Bench| !b.shows("正在载入");
    bench.key(Key::D, Modifiers::NONE);
    bench.until("shapes", |b| b.shows("容积再现") && is_done(b));
    assert!(bench.shows("骨骼") && !bench.shows("最大密度投影"), "{:?}", bench.written);
    let solid = |b: &Bench| b.room.view_state().and_then(|v| v.solid).unwrap();
    let (plain_caption, plain) = bench.key_image();
    assert!(plain_caption.contains("容积再现") && plain_caption.contains("骨骼"), "{plain_caption}");

    // The fifth preset; the right button moves its values, 0 moves them back.
    bench.key(Key::Num5, Modifiers::NONE);
    assert_eq!(solid(&bench).preset, "soft_tissue");
    bench.drag(THROUGH, THROUGH + vec2(0.0, -60.0), PointerButton::Secondary);
    let shift = solid(&bench).shift;
    assert!(shift < -10.0, "{shift}");
    bench.frame(Vec::new());
    assert!(bench.shows(&format!("{shift:.0}\u{2009}HU")), "{:?}", bench.written);
    bench.key(Key::Num0, Modifiers::NONE);
    assert!(solid(&bench).shift == 0.0);

    // The pointer turns, and nothing is measured where nothing has a place.
    bench.drag(THROUGH, THROUGH + vec2(120.0, 30.0), PointerButton::Primary);
    let (right, down) = bench.room.view_state().unwrap().turned.unwrap();
    assert!(right.y.abs() > 0.3 && right.dot(down).abs() < 1e-9, "{right:?}");
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(THROUGH, THROUGH + vec2(50.0, 0.0), PointerButton::Primary);
    assert!(bench.changes().is_empty());
    bench.key(Key::Escape, Modifiers::NONE);

    // Cut at the crosshair, which the wheel moves along the view.
    bench.key(Key::C, Modifiers::NONE);
    bench.frame(Vec::new());
    assert!(solid(&bench).is_cut && bench.shows("切开"), "{:?}", bench.written);
    let at = bench.room.view_state().unwrap().crosshair.unwrap();
    bench.frame(vec![
        Event::PointerMoved(THROUGH),
        Event::MouseWheel {
            unit: egui::MouseWheelUnit::Line,
            delta: vec2(0.0, -3.0),
            modifiers: Modifiers::NONE,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
        },
    ]);
    let moved = bench.room.view_state().unwrap().crosshair.unwrap() - at;
    assert!(moved.length() > 1.0 && moved.z.abs() < 1e-9, "{moved:?}");
    let (caption, cut) = bench.key_image();
    assert!(caption.contains("切开") && cut != plain, "{caption}");

    // A viewer that starts again shows the same.
    let view = bench.room.view_state().unwrap();
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::OpenStudy { study, series: vec![series], findings: Vec::new(), view: Some(view.clone()) });
    bench.until("volume again", |b| b.room.situation().is_whole);
    bench.rest();
    let again = bench.room.view_state().unwrap();
    assert_eq!((again.solid, again.turned, again.crosshair), (view.solid, view.turned, view.crosshair));
    bench.key(Key::R, Modifiers::NONE);
    assert!(bench.room.view_state().unwrap().turned.is_none());
    bench.key(Key::D, Modifiers::NONE);
    bench.until("projection", |b| b.shows("最大密度投影") && is_done(b));
    assert!(bench.room.view_state().unwrap().solid.is_none());
}

/// While a volume is being read its slices can be gone through, each by itself.
#[test]
fn slices_are_gone_through_before_their_volume_is_there() {
    let bench = Bench::new();
    let folder = bench._folder.path().join("current");
    let (study, files) = series_of(&folder);
    let sources: Sources = mj_viewer::source::of_series(&files, None).unwrap();
    let series = std::sync::Arc::new(mj_dicom::series::open(&sources, &mj_dicom::Watch::default()).unwrap());
    let entry = SeriesEntry::new(study.clone(), files.series.clone(), sources.clone());
    let mut scene = Scene::new(study, vec![entry], Ledger::new(Vec::new(), String::new()), None);
    let stack = &series.stacks[0];
    // One image from the middle comes before anybody knows its number.
    let image = |k: usize| Loaded::image(stack.load_image(k).unwrap(), None);
    scene.slice_ready(0, image(12), true);
    scene.opened(Opened { series: series.clone(), stack: 0 });
    assert_eq!((scene.shown.slice, scene.shown.slices.keys().copied().collect::<Vec<_>>()), (12, vec![12]));
    let middle = scene.crosshair;

    // Downwards is towards the feet; the other planes have nothing to show yet.
    let next = scene.early_step(0, 2.0).unwrap();
    assert_eq!(next.abs_diff(12), 2);
    assert!(scene.early_step(1, 1.0).is_none() && scene.early_step(3, 1.0).is_none());
    assert!(scene.choose(next));
    // A key held goes on from what was asked for; what comes on the way is shown, what comes too late is only kept.
    assert_eq!(scene.early_step(0, 1.0).unwrap().abs_diff(12), 3);
    scene.slice_ready(11, image(11), true);
    assert_eq!((scene.shown.slice, scene.shown.asked), (11, Some(next)));
    scene.slice_ready(next, image(next), true);
    assert_eq!((scene.shown.slice, scene.shown.asked), (next, None));
    scene.slice_ready(20, image(20), true);
    assert_eq!(scene.shown.slice, next);
    assert!(scene.crosshair.z < middle.z - 0.5, "{:?} {middle:?}", scene.crosshair);
    let wanted = stack.load_slice(next).unwrap();
    assert_eq!(scene.volume().unwrap().samples, wanted.samples);
    assert_eq!(scene.early_step(0, 1e6).unwrap().abs_diff(scene.early_step(0, -1e6).unwrap()), 23);

    // The volume takes over where the reader was.
    let at = scene.crosshair;
    scene.full_ready(Loaded::new(stack.load(&mj_dicom::Watch::default()).unwrap(), None));
    assert!((scene.crosshair - at).length() < 1e-9 && scene.early_step(0, 1.0).is_none());
}

/// The images of a volume as they were stored: downwards is towards the feet as in the planes, and the way back leads to
/// the same place and viewports.
#[test]
fn images_as_stored_go_to_the_feet_and_back() {
    let mut bench = Bench::new();
    bench.until("volume", |b| b.room.situation().is_whole);
    bench.key(Key::D, Modifiers::NONE);
    bench.drag(A + vec2(30.0, 20.0), A + vec2(40.0, 25.0), PointerButton::Primary);
    bench.rest();
    let before = bench.room.view_state().unwrap();
    let place = |b: &Bench| b.room.view_state().and_then(|v| v.crosshair).unwrap();
    bench.key(Key::N, Modifiers::NONE);
    bench.until("image", |b| b.shows("原始图像") && b.shows("图 "));
    let image = |b: &Bench| b.written.iter().find(|t| t.starts_with("图 ")).cloned().unwrap();
    let first = image(&bench);
    assert!((place(&bench) - before.crosshair.unwrap()).length() < 1e-6);
    bench.key(Key::ArrowDown, Modifiers::NONE);
    bench.until("next image", |b| b.shows("图 ") && !b.shows(&first));
    let step = place(&bench) - before.crosshair.unwrap();
    assert!(step.z < -0.5 && step.x.abs() < 1e-6 && step.y.abs() < 1e-6, "{step:?}");
    bench.key(Key::ArrowUp, Modifiers::NONE);
    bench.until("first image", |b| b.shows(&first));
    bench.key(Key::N, Modifiers::NONE);
    bench.rest();
    assert_eq!(bench.room.view_state().unwrap(), before);
}

/// A head scanned with a tilted gantry: its volume is computed and says so; its images are shown as they were stored, and
/// what is measured on them lies on them.
#[test]
fn images_of_a_computed_volume_are_shown_as_they_were_stored() {
    let Some(root) = mj_testdata::root() else {
        mj_testdata::skip("no real images: a tilted head is not shown");
        return;
    };
    let mut bench = Bench::new();
    let (study, series) = series_of(&root.join("ct/head_ge_gantry_tilt"));
    bench.tell(ToViewer::OpenStudy { study: study.clone(), series: vec![series], findings: Vec::new(), view: None });
    bench.study = study;
    bench.until("volume", |b| b.room.situation().is_whole);
    bench.until("mark", |b| b.shows("重采样"));
    // Shapes of computed planes are refused, where everybody can read why.
    bench.key(Key::D, Modifiers::NONE);
    bench.until("reason", |b| b.shows("容积再现需要") || b.shows("重采样"));
    bench.frame(Vec::new());
    let told = mj_lang::tell(&mj_viewer::Error::VrResampled, Lang::Zh).message;
    assert!(bench.is_uncovered(&told), "{:?}", bench.written);
    let presets = bench.written.iter().filter(|t| t.contains("骨骼")).count();
    assert_eq!(presets, 1, "a preset without a picture, besides that of the menu");
    bench.key(Key::D, Modifiers::NONE);
    bench.frame(Vec::new());
    // A place away from the middle, which has to stay.
    bench.drag(A + vec2(60.0, 40.0), A + vec2(70.0, 45.0), PointerButton::Primary);
    bench.rest();
    let planes = bench.room.view_state().unwrap();
    assert_eq!(planes.zoom.len(), 4);
    bench.key(Key::N, Modifiers::NONE);
    bench.until("image", |b| b.shows("原始图像") && b.shows("图 "));
    bench.frame(Vec::new());
    assert!(bench.room.situation().is_as_stored && !bench.room.situation().is_volume);
    assert!(!bench.shows("重采样"), "{:?}", bench.written);
    let first = bench.written.iter().find(|t| t.starts_with("图 ")).cloned().unwrap();
    let place = |b: &Bench| b.room.view_state().and_then(|v| v.crosshair).unwrap();
    let at = place(&bench);
    bench.key(Key::ArrowDown, Modifiers::NONE);
    bench.until("next image", |b| b.shows("图 ") && !b.shows(&first));
    let further = place(&bench) - at;
    assert!(further.z < -0.5 && further.x.abs() < 2.0 && further.y.abs() < 5.0, "not towards the feet at one place: {further:?}");
    bench.said();
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(pos2(500.0, 400.0), pos2(600.0, 400.0), PointerButton::Primary);
    let changes = bench.changes();
    let [finding] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(finding.images.len(), 1);
    bench.key(Key::Escape, Modifiers::NONE);

    bench.key(Key::N, Modifiers::NONE);
    bench.frame(Vec::new());
    bench.until("planes", |b| b.shows("重采样") && b.shows("横断面"));
    let again = bench.room.view_state().unwrap();
    assert_eq!((again.zoom, again.pan_mm), (planes.zoom, planes.pan_mm));
    let moved = again.crosshair.unwrap() - planes.crosshair.unwrap();
    assert!(moved.length() < 20.0, "{moved:?}");
    assert!(bench.room.situation().is_volume);
}

/// A finding on an image of the phantom, as another window made it.
fn finding_on(bench: &Bench, image: usize) -> (Finding, mj_model::PointLps) {
    let bytes = std::fs::read(bench._folder.path().join(format!("current/{image:04}.dcm"))).unwrap();
    let dataset = mj_dicom::Dataset::read(&bytes).unwrap();
    let header = dataset.header().unwrap();
    let series = mj_dicom::series::open(
        &[std::sync::Arc::new(mj_viewer::source::ObjectSource::plain(bench._folder.path().join(format!("current/{image:04}.dcm")))) as _],
        &mj_dicom::Watch::default(),
    )
    .unwrap();
    let centre = series.stacks[0].grid().unwrap().centre();
    let image = mj_model::finding::ImageRef { instance: header.instance.clone(), sop_class: header.sop_class.clone(), frame: None };
    let geometry = Geometry::InSpace(Shape::Point { at: centre });
    let finding = Finding {
        revision: 1,
        images: vec![image],
        ..Finding::new("f1".into(), header.study.uid.clone(), header.series.uid.clone(), geometry, "")
    };
    (finding, centre)
}

#[test]
fn a_series_seen_before_comes_back_without_its_files() {
    let mut bench = Bench::new();
    let series = |folder: &str| series_of(&bench._folder.path().join(folder)).1;
    let (current, prior) = (series("current"), series("prior"));
    bench.tell_open(vec![current.clone(), prior.clone()], Vec::new());
    let shows = |uid: mj_model::SeriesUid| {
        move |b: &Bench| {
            b.room.situation().is_volume
                && b.room.situation().is_whole
                && b.room.view_state().is_some_and(|v| v.series.as_ref() == Some(&uid))
        }
    };
    bench.until("first series", shows(current.series.clone()));
    bench.room.act(Action::SeriesNext);
    bench.until("second series", shows(prior.series));
    std::fs::remove_dir_all(bench._folder.path().join("current")).unwrap();
    bench.room.act(Action::SeriesPrevious);
    bench.frame(Vec::new());
    assert!(shows(current.series)(&bench), "read again: {:?}", bench.written);
}

#[test]
fn every_block_of_a_series_is_reached() {
    let mut bench = Bench::new();
    assert!(!bench.room.situation().has_blocks);
    let [current, prior] = ["current", "prior"].map(|folder| series_of(&bench._folder.path().join(folder)).1);
    let both = SeriesFiles { files: [&current.files[..], &prior.files[..16]].concat(), ..current };
    bench.tell_open(vec![both], Vec::new());
    let is_whole = |b: &Bench| b.room.situation().is_whole;
    let crosshair = |b: &Bench| b.room.view_state().unwrap().crosshair.unwrap();
    bench.until("first block", is_whole);
    assert!(bench.room.situation().has_blocks);
    // The crosshair begins in the middle of a block; the second one ends sooner.
    let mut middles = Vec::new();
    for block in ["second", "first", "second"] {
        bench.key(Key::B, Modifiers::NONE);
        bench.until(block, is_whole);
        middles.push(crosshair(&bench));
    }
    assert_ne!(middles[0], middles[1]);
    assert_eq!(middles[0], middles[2]);
}

#[test]
fn a_finding_asked_for_while_its_series_loads_is_reached() {
    let mut bench = Bench::new();
    let (finding, centre) = finding_on(&bench, 4);
    let (study, current) = series_of(&bench._folder.path().join("current"));
    let (_, prior) = series_of(&bench._folder.path().join("prior"));
    let focus = || ToViewer::FocusFinding { study: study.clone(), finding: "f1".into() };
    let is_there = move |b: &Bench| {
        b.room.situation().is_volume && b.room.view_state().and_then(|v| v.crosshair).is_some_and(|at| (at.z - centre.z).abs() < 0.1)
    };
    // In the series that is being read, and in another one.
    for series in [vec![current.clone(), prior.clone()], vec![prior.clone(), current.clone()]] {
        bench.tell(ToViewer::CloseStudy { study: study.clone() });
        bench.tell_open(series, vec![finding.clone()]);
        bench.tell(focus());
        bench.until("crosshair on the finding", is_there);
        bench.rest();
        assert!(is_there(&bench), "it went away again");
    }
}

#[test]
fn a_finding_without_a_place_is_found_by_its_image() {
    let mut bench = Bench::new();
    let stack = bench.changed("stack", 1..=9, patch::without_place);
    let (study, series) = series_of(&stack);
    let (finding, _) = finding_on(&bench, 6);
    for geometry in [Geometry::OnImage(Shape::Line { a: [1.0, 1.0], b: [9.0, 9.0] }), finding.geometry.clone()] {
        bench.tell(ToViewer::CloseStudy { study: study.clone() });
        bench.tell_open(vec![series.clone()], vec![Finding { geometry, ..finding.clone() }]);
        bench.tell(ToViewer::FocusFinding { study: study.clone(), finding: "f1".into() });
        bench.until("image of the finding", |b| b.shows("图 6/9"));
        bench.rest();
        assert!(bench.shows("图 6/9"), "it went away again");
    }
}

#[test]
fn a_finding_that_is_not_here_is_told() {
    let mut bench = Bench::new();
    let told = mj_lang::key::ERROR_FINDING_NOT_HERE_MESSAGE.get(Lang::Zh);
    bench.tell(ToViewer::FocusFinding { study: bench.study.clone(), finding: "nobody".into() });
    bench.until("word of it", |b| b.shows(told));
    // Known, but on a series that this study does not hold.
    let (finding, _) = finding_on(&bench, 4);
    let (_, prior) = series_of(&bench._folder.path().join("prior"));
    let mut other = Bench::new();
    other.tell_open(vec![prior], vec![finding]);
    other.tell(ToViewer::FocusFinding { study: other.study.clone(), finding: "f1".into() });
    other.until("word of it", |b| b.shows(told));
}

#[test]
fn a_study_without_images_says_so_and_ends_what_was_being_drawn() {
    let mut bench = Bench::new();
    bench.key(Key::L, Modifiers::NONE);
    let press = |pos, pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    bench.frame(vec![Event::PointerMoved(A), press(A, true)]);
    bench.tell_open(Vec::new(), Vec::new());
    bench.frame(vec![Event::PointerMoved(B), press(B, false)]);
    bench.rest();
    assert!(bench.shows(mj_lang::key::ERROR_SERIES_NOTHING_TO_SHOW_MESSAGE.get(Lang::Zh)), "{:?}", bench.written);
    assert!(bench.shows(mj_lang::key::ERROR_SERIES_NOTHING_TO_SHOW_HINT.get(Lang::Zh)));
    assert!(!bench.shows(mj_lang::key::READING_LOADING.get(Lang::Zh)));
    // And back: the line begun before does not come to life.
    bench.open();
    bench.frame(vec![Event::PointerMoved(B), press(B, false)]);
    assert!(bench.changes().is_empty() && bench.room.drawn_findings().is_empty());
}

/// Opens one real image and waits for its first frame.
fn on_image(bench: &mut Bench, relative: &str, first: &str) -> bool {
    let Some(path) = mj_testdata::path(relative) else { return false };
    let header = mj_dicom::Dataset::read(&std::fs::read(&path).unwrap()).unwrap().header().unwrap();
    let series = SeriesFiles { series: header.series.uid, files: vec![ObjectFile { path, sealed: false }] };
    bench.study = header.study.uid;
    bench.tell_open(vec![series], Vec::new());
    bench.until("its first frame", |b| b.shows(first));
    bench.rest();
    true
}

#[test]
fn frames_are_played_and_paused_by_a_key() {
    let mut bench = Bench::new();
    if !on_image(&mut bench, "us/us_pediatric_echo_34f.dcm", "图 1/34") {
        return;
    }
    assert!(!bench.shows("帧/秒"));
    bench.key(Key::Space, Modifiers::NONE);
    bench.until("frame 9", |b| b.shows("图 9/34"));
    // 33 frames a second by the file; two steps slower are half of it.
    bench.until("its speed", |b| b.shows("33.0 帧/秒"));
    bench.key(Key::Comma, Modifiers::NONE);
    bench.key(Key::Comma, Modifiers::NONE);
    bench.until("half the speed", |b| b.shows("16.5 帧/秒"));
    // Round to the start.
    bench.until("the last frame", |b| b.shows("图 34/34"));
    bench.until("the first again", |b| b.shows("图 1/34"));
    bench.key(Key::Space, Modifiers::NONE);
    bench.frame(Vec::new());
    let stopped = bench.written.iter().find(|t| t.contains("/34")).cloned().unwrap();
    bench.rest();
    assert!(bench.shows(&stopped) && !bench.shows("帧/秒"), "{:?}", bench.written);
}

#[test]
fn ultrasound_is_measured_in_mm_inside_its_region_only() {
    let mut bench = Bench::new();
    if !on_image(&mut bench, "us/us_pediatric_echo_34f.dcm", "图 1/34") {
        return;
    }
    assert!(bench.shows("标定区域内长度以毫米计"), "{:?}", bench.written);
    bench.key(Key::L, Modifiers::NONE);
    // The middle of the image lies in its region (columns 42 to 438, rows 4 to 353 of 480 x 430).
    bench.drag(pos2(600.0, 350.0), pos2(700.0, 350.0), PointerButton::Primary);
    let made = bench.changes();
    let (geometry, length) = (made[0].geometry.clone(), made[0].measurements[0].quantity.clone());
    let Geometry::OnImage(Shape::Line { a, b }) = geometry else { panic!("{geometry:?}") };
    assert_eq!(length.unit, mj_model::Unit::mm());
    // Along a row: 0.0286 cm a pixel.
    assert!((length.value - (a[0] - b[0]).abs() * 0.285_714_285_7).abs() < 1e-6 && (a[1] - b[1]).abs() < 1e-6, "{length:?} {a:?} {b:?}");
    // Out of the region, down into the trace of the heart's rhythm: pixels.
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(pos2(600.0, 350.0), pos2(600.0, 720.0), PointerButton::Primary);
    let made = bench.changes();
    assert_eq!(made[0].measurements[0].quantity.unit, mj_model::Unit::px());
}

#[test]
fn a_mammogram_shows_its_side_its_tables_and_lengths_at_the_detector() {
    let mut bench = Bench::new();
    if !on_image(&mut bench, "xray/MG_3062x2394_jpegll.dcm", "R MLO") {
        return;
    }
    assert!(bench.shows("显示查找表  NORMAL"), "{:?}", bench.written);
    for next in ["HARDER", "SOFTER", "窗位 2653  窗宽 900  NORMAL"] {
        bench.key(Key::Num0, Modifiers::NONE);
        bench.until(next, |b| b.shows(next));
    }
    bench.key(Key::L, Modifiers::NONE);
    bench.drag(pos2(650.0, 350.0), pos2(700.0, 350.0), PointerButton::Primary);
    bench.frame(Vec::new());
    assert!(bench.shows("px  (探测器平面 "), "{:?}", bench.written);
    assert_eq!(bench.changes()[0].measurements[0].quantity.unit, mj_model::Unit::px());
}

#[test]
fn colours_have_a_brightness_and_overlay_graphics_a_key() {
    let mut bench = Bench::new();
    if !on_image(&mut bench, "pixel/examples_rgb_color.dcm", "图 1/1") {
        return;
    }
    let tone = mj_lang::key::READING_TONE.get(Lang::Zh);
    assert!(bench.shows(tone) && !bench.shows("窗位") && !bench.shows("亮度 1"), "{:?}", bench.written);
    bench.drag(pos2(600.0, 350.0), pos2(700.0, 350.0), PointerButton::Secondary);
    bench.frame(Vec::new());
    assert!(bench.shows("亮度 128  对比 341"), "{:?}", bench.written);
    bench.key(Key::Num0, Modifiers::NONE);
    bench.frame(Vec::new());
    assert!(!bench.shows("对比 341"));
    bench.frame(vec![Event::PointerMoved(pos2(650.0, 400.0))]);
    assert!(bench.written.iter().any(|t| t.starts_with("R ") && t.contains("  G ") && t.contains("px")), "{:?}", bench.written);

    // Of an image with overlay graphics the key image shows them, and not when they are switched off.
    assert!(on_image(&mut bench, "pixel/examples_overlay.dcm", "图 1/1"));
    let with = graphics(&bench.key_image().1);
    bench.key(Key::G, Modifiers::NONE);
    let without = graphics(&bench.key_image().1);
    bench.key(Key::G, Modifiers::NONE);
    let again = graphics(&bench.key_image().1);
    // The rest of that colour is text.
    assert!(with > without + 200 && again > without + 200, "{with} {without} {again}");
}

/// Pixels of a picture in the colour of overlay graphics.
fn graphics(png: &[u8]) -> usize {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels.chunks_exact(3).filter(|p| **p == [0xE6, 0xE9, 0xEC]).count()
}
