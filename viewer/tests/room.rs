//! The reading room driven by events, without a window system.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

use clap::Parser as _;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2, vec2};
use mj_link::message::{ObjectFile, SeriesFiles};
use mj_link::{Job, ToParent, ToViewer};
use mj_model::{Finding, FindingState, Geometry, Lang, StudyUid};
use mj_viewer::args::Args;
use mj_viewer::headless::{Context as JobContext, jobs};
use mj_viewer::reading::action::Action;
use mj_viewer::reading::event::Event as RoomEvent;
use mj_viewer::reading::room::{Port, Room};
use mj_viewer::stdio::Sender;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

const SIZE: egui::Vec2 = vec2(1366.0, 768.0);

/// A room on a small phantom, with what it tells its parent.
struct Bench {
    ctx: egui::Context,
    room: Room,
    said: Receiver<ToParent>,
    study: StudyUid,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let job = Job::Phantom { out: folder.path().to_owned(), seed: 3, slices: 24, size: 64 };
        jobs::run(&job, &JobContext::quiet(None)).unwrap();
        let ctx = egui::Context::default();
        let (sender, said) = Sender::to_queue();
        let room = Room::new(&ctx, &Args::parse_from(["x", "--lang", "zh"]), Port::Parent(sender)).unwrap();
        let study = StudyUid::parse("1.2").unwrap();
        let mut bench = Self { ctx, room, said, study, _folder: folder };
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
    let Geometry::Line { a, b } = made[0].geometry else { panic!("no line") };
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
    let inbox = bench._folder.path().join("inbox");
    let key = mj_seal::Key::from_bytes([5; 32]);
    let keys = Some(mj_link::KeyGrant { object_key: key.to_hex().to_string(), inbox: inbox.clone() });
    bench.tell(ToViewer::Hello { lang: Lang::Zh, keys, person: "p".into() });
    bench.said();
    bench.key(Key::K, Modifiers::NONE);
    let said = bench.said();
    let Some(ToParent::KeyImage { file, caption, .. }) = said.iter().find(|m| matches!(m, ToParent::KeyImage { .. })) else {
        panic!("{said:?}")
    };
    assert!(caption.contains("横断面") && !caption.contains("示例"));
    let sealed = std::fs::read(inbox.join(file)).unwrap();
    let picture = mj_seal::open(&key, &sealed).unwrap();
    assert!(picture.starts_with(&[0x89, b'P', b'N', b'G']));
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
