//! The prior beside the current study: at one place, clearly told apart, never another patient's.

use crate::*;
use mj_link::{PriorSeries, PriorStudy};
use mj_model::PointLps;
use mj_model::uid::TrackingUid;
use mj_viewer::reading::beside::link::Placing;

const NONE: Modifiers = Modifiers::NONE;

/// A nodule of the phantom that both studies show: where it is, and where it was.
struct Nodule {
    now: PointLps,
    before: PointLps,
}

fn nodules(bench: &Bench) -> Vec<Nodule> {
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(bench._folder.path().join("truth.json")).unwrap()).unwrap();
    let point = |value: &serde_json::Value| {
        let [x, y, z]: [f64; 3] = serde_json::from_value(value.clone()).ok()?;
        Some(PointLps::new(x, y, z))
    };
    let all = truth["nodules"].as_array().unwrap().iter();
    all.filter_map(|n| Some(Nodule { now: point(&n["centre_lps"])?, before: point(&n["in_prior"]["centre_lps"])? })).collect()
}

/// A finding at a place of a study's series.
fn finding(bench: &Bench, folder: &str, id: &str, at: PointLps, tracking: &TrackingUid) -> Finding {
    let (study, series) = series_of(&bench._folder.path().join(folder));
    let geometry = Geometry::InSpace(Shape::Line {
        a: at + mj_model::VectorLps::new(-4.0, 0.0, 0.0),
        b: at + mj_model::VectorLps::new(4.0, 0.0, 0.0),
    });
    Finding { revision: 1, tracking_uid: tracking.clone(), ..Finding::new(id.into(), study, series.series, geometry, "") }
}

fn prior(bench: &Bench, folder: &str, findings: Vec<Finding>) -> PriorStudy {
    let (study, files) = series_of(&bench._folder.path().join(folder));
    PriorStudy { study, series: vec![PriorSeries { modality: "CT".into(), files }], findings, segmentations: Vec::new() }
}

/// The phantom's studies, the current one open with findings, the prior offered.
fn opened(findings: impl Fn(&Bench) -> (Vec<Finding>, Vec<Finding>)) -> Bench {
    let mut bench = Bench::of(72, 128);
    let (now, before) = findings(&bench);
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study: study.clone() });
    bench.tell_open(vec![series], now);
    let offered = prior(&bench, "prior", before);
    bench.tell(ToViewer::Prior { study, prior: offered });
    bench.until("volume", |b| b.room.situation().is_volume && b.room.situation().is_whole);
    bench.rest();
    bench.said();
    bench
}

/// Shows the prior beside and waits until it was laid onto the current study.
fn registered(bench: &mut Bench) {
    bench.key(Key::F4, NONE);
    bench.until("registration", |b| b.room.placing() == Some(Placing::Registration));
    bench.frame(Vec::new());
}

fn place(bench: &Bench) -> PointLps {
    bench.room.prior_place().unwrap()
}

/// In the axial pictures of both sides, away from text.
const IN_CURRENT: Pos2 = pos2(340.0, 300.0);
const IN_PRIOR: Pos2 = pos2(860.0, 300.0);

#[test]
fn both_sides_show_one_place_and_say_how_it_was_found() {
    let mut bench = opened(|_| (Vec::new(), Vec::new()));
    let nodules = nodules(&bench);
    assert!(nodules.len() >= 2, "the phantom has nodules that grew");
    assert!(!bench.shows("既往检查"));
    bench.key(Key::F4, NONE);
    // Until the volumes are laid onto each other the strip says that they are not.
    bench.until("prior", |b| b.room.placing().is_some());
    bench.frame(Vec::new());
    if bench.room.placing() == Some(Placing::SameHeight) {
        assert!(bench.shows("位置未配准：相同相对高度"), "{:?}", bench.written);
    }
    bench.until("registration", |b| b.room.placing() == Some(Placing::Registration));
    bench.frame(Vec::new());
    assert!(bench.shows("既往检查  2025-09-10") && bench.shows("本次检查  2026-03-12"), "{:?}", bench.written);
    assert!(bench.shows("位置：按配准"), "{:?}", bench.written);
    let told = bench.said();
    let is_shown = |m: &ToParent| matches!(m, ToParent::PriorShown { study, prior } if *study == bench.study && prior != study);
    assert_eq!(told.iter().filter(|m| is_shown(m)).count(), 1, "who looked at whom is told once");

    // The wheel over either side goes through both.
    let wheel = Event::MouseWheel {
        unit: egui::MouseWheelUnit::Line,
        delta: vec2(0.0, -1.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: NONE,
    };
    for over in [IN_CURRENT, IN_PRIOR] {
        let (now, before) = (bench.room.view_state().unwrap().crosshair.unwrap(), place(&bench));
        bench.frame(vec![Event::PointerMoved(over), wheel.clone()]);
        bench.frame(Vec::new());
        let moved = (bench.room.view_state().unwrap().crosshair.unwrap().z - now.z, place(&bench).z - before.z);
        assert!(moved.0 < -0.5 && moved.1 < -0.5 && (moved.0 - moved.1).abs() < 6.0, "{over}: {moved:?}");
    }

    bench.key(Key::F4, NONE);
    bench.frame(Vec::new());
    assert!(!bench.shows("既往检查") && !bench.room.is_compared());
}

#[test]
fn the_next_finding_takes_the_prior_along() {
    let same = TrackingUid::fresh();
    let away = mj_model::VectorLps::new(0.0, 12.0, 0.0);
    let mut bench = opened(|bench| {
        let nodules = nodules(bench);
        let now = vec![
            finding(bench, "current", "joined", nodules[0].now, &same),
            finding(bench, "current", "alone", nodules[1].now, &TrackingUid::fresh()),
        ];
        // A place that no registration would give: somebody has said that it is the same lesion.
        (now, vec![finding(bench, "prior", "was", nodules[0].before + away, &same)])
    });
    let nodules = nodules(&bench);
    registered(&mut bench);
    let mut seen = Vec::new();
    for _ in 0..2 {
        bench.key(Key::J, NONE);
        bench.frame(Vec::new());
        let chosen =
            bench.said().into_iter().find_map(|m| if let ToParent::FindingSelected { finding, .. } = m { Some(finding) } else { None });
        let chosen = chosen.unwrap();
        let (nodule, expected, said) = match chosen.as_str() {
            "joined" => (&nodules[0], nodules[0].before + away, "位置：已配对的同一病灶"),
            _ => (&nodules[1], nodules[1].before, "位置：按配准"),
        };
        let now = bench.room.view_state().unwrap().crosshair.unwrap();
        // Both stand on the slice nearest to the place: voxels are 3 mm wide and 5 mm thick.
        assert!((now - nodule.now).length() < 4.5, "{chosen}: {now:?} is not at {:?}", nodule.now);
        assert!((place(&bench) - expected).length() < 7.0, "{chosen}: {:?} is not at {expected:?}", place(&bench));
        assert!(bench.shows(said), "{chosen}: {:?}", bench.written);
        seen.push(chosen);
    }
    seen.sort();
    assert_eq!(seen, ["alone", "joined"]);
}

#[test]
fn what_is_drawn_on_the_prior_belongs_to_the_prior() {
    let mut bench = opened(|_| (Vec::new(), Vec::new()));
    registered(&mut bench);
    bench.said();
    bench.key(Key::L, NONE);
    bench.drag(IN_PRIOR, IN_PRIOR + vec2(60.0, 0.0), PointerButton::Primary);
    let (study, series) = series_of(&bench._folder.path().join("prior"));
    let said = bench.said();
    let made: Vec<&Finding> =
        said.iter().filter_map(|m| if let ToParent::FindingChanged { finding, .. } = m { Some(finding) } else { None }).collect();
    assert_eq!(made.len(), 1, "{said:?}");
    assert_eq!((&made[0].study, &made[0].series), (&study, &series.series));
    assert!(said.iter().all(|m| !matches!(m, ToParent::FindingSelected { .. })), "the report has no such finding to jump to");
    bench.frame(Vec::new());
    assert!(bench.shows("既1  "), "its number is told apart: {:?}", bench.written);
    assert!(bench.room.drawn_findings().is_empty(), "it stands among the current study's findings");
    // The record's answer is that for the prior; nothing is refused.
    let stored = Finding { revision: 1, ..made[0].clone() };
    bench.tell(ToViewer::FindingStored { study, finding: stored });
    assert!(bench.said().iter().all(|m| !matches!(m, ToParent::Problem { .. })));
    // Keys work where the pointer worked last: the prior's finding goes.
    bench.key(Key::Delete, NONE);
    let gone = bench.said();
    assert!(matches!(gone.as_slice(), [ToParent::FindingChanged { finding, .. }] if finding.state == FindingState::Deleted), "{gone:?}");
    // A picture of the prior would stand in the wrong report.
    bench.grant_keys();
    bench.key(Key::K, NONE);
    bench.frame(Vec::new());
    assert!(bench.said().iter().all(|m| !matches!(m, ToParent::KeyImage { .. })) && bench.shows("关键图像只取自本次检查"));
}

#[test]
fn magnification_and_window_are_those_of_the_side_that_is_worked_on() {
    let mut bench = opened(|_| (Vec::new(), Vec::new()));
    registered(&mut bench);
    let before = bench.room.view_state().unwrap();
    bench.drag(IN_PRIOR, IN_PRIOR + vec2(60.0, 30.0), PointerButton::Secondary);
    bench.key(Key::Z, NONE);
    bench.drag(IN_PRIOR, IN_PRIOR + vec2(0.0, -40.0), PointerButton::Primary);
    bench.frame(Vec::new());
    let after = bench.room.view_state().unwrap();
    assert_ne!(after.window, before.window, "the current side keeps its window");
    assert!(after.zoom[0] > before.zoom[0] * 1.2, "{:?} {:?}", before.zoom, after.zoom);
}

#[test]
fn another_patients_study_is_never_shown() {
    let swaps: [(&[u8], &[u8]); 3] = [(b"MJ000003", b"MJ000004"), (b"MJ000003", b"        "), (b"MINGJING-DEMO ", b"MINGJING-OTHER")];
    let mut bench = Bench::new();
    for (n, (is, becomes)) in swaps.into_iter().enumerate() {
        let folder = format!("other{n}");
        std::fs::create_dir(bench._folder.path().join(&folder)).unwrap();
        for entry in std::fs::read_dir(bench._folder.path().join("prior")).unwrap() {
            let from = entry.unwrap().path();
            let mut bytes = std::fs::read(&from).unwrap();
            let at = bytes.windows(is.len()).position(|part| part == is).unwrap();
            bytes[at..at + is.len()].copy_from_slice(becomes);
            std::fs::write(bench._folder.path().join(&folder).join(from.file_name().unwrap()), bytes).unwrap();
        }
        let offered = prior(&bench, &folder, Vec::new());
        bench.tell(ToViewer::Prior { study: bench.study.clone(), prior: offered });
        bench.said();
        bench.key(Key::F4, NONE);
        let until = Instant::now() + Duration::from_secs(60);
        while bench.room.is_compared() {
            assert!(Instant::now() < until, "{n}: neither shown nor refused");
            assert!(!bench.shows("2025-09-10"), "{n}: the other patient's study is on the screen");
            bench.frame(Vec::new());
        }
        let said = bench.said();
        assert!(said.iter().any(|m| matches!(m, ToParent::Problem { error } if error.code == "prior.other_patient")), "{n}: {said:?}");
        bench.frame(Vec::new());
        assert!(bench.shows("未写明同一患者") && !bench.shows("既往检查  2025"), "{n}: {:?}", bench.written);
    }
}

#[test]
fn a_decision_is_on_the_study_that_is_read_whatever_was_measured_meanwhile() {
    let mut bench = opened(|bench| {
        let at = nodules(bench)[0].now;
        let proposed =
            |id: &str, folder: &str| Finding { state: FindingState::Proposed, ..finding(bench, folder, id, at, &TrackingUid::fresh()) };
        (vec![proposed("now", "current")], vec![proposed("was", "prior")])
    });
    registered(&mut bench);
    bench.key(Key::J, NONE);
    bench.key(Key::L, NONE);
    bench.drag(IN_PRIOR, IN_PRIOR + vec2(60.0, 0.0), PointerButton::Primary);
    bench.said();
    bench.key(Key::Y, NONE);
    let said = bench.said();
    let decided: Vec<&Finding> =
        said.iter().filter_map(|m| if let ToParent::FindingChanged { finding, .. } = m { Some(finding) } else { None }).collect();
    assert_eq!(decided.iter().map(|f| (f.id.as_str(), f.state)).collect::<Vec<_>>(), [("now", FindingState::Accepted)]);
    // The same with a reason by a second key.
    bench.key(Key::Y, Modifiers::SHIFT);
    bench.key(Key::Num1, NONE);
    let said = bench.said();
    assert!(said.iter().all(|m| !matches!(m, ToParent::FindingChanged { finding, .. } if finding.id == "was")), "{said:?}");
}

#[test]
fn folders_with_an_earlier_study_of_the_patient_show_it_too() {
    let mut bench = Bench::of(24, 64);
    bench.room = Room::new(&bench.ctx, &Args::parse_from(["x", "--lang", "zh"]), Port::Alone).unwrap();
    // With its current study alone there is no prior.
    bench.room.open_folders(vec![bench._folder.path().join("current")]);
    bench.until("current alone", |b| b.room.situation().is_whole);
    bench.rest();
    assert!(!bench.room.situation().has_prior);
    bench.room.open_folders(vec![bench._folder.path().to_owned()]);
    bench.until("both", |b| b.room.situation().is_whole && b.room.situation().has_prior);
    let (_, current) = series_of(&bench._folder.path().join("current"));
    assert_eq!(bench.room.view_state().unwrap().series, Some(current.series), "the newest study is the one that is read");
    bench.key(Key::F4, NONE);
    bench.until("prior", |b| b.room.placing().is_some());
    bench.frame(Vec::new());
    assert!(bench.shows("既往检查  2025-09-10"), "{:?}", bench.written);
}

#[test]
fn a_place_that_the_prior_does_not_show_is_told() {
    let mut bench = opened(|_| (Vec::new(), Vec::new()));
    // A prior that was scanned less far: its later images are missing.
    let part = bench._folder.path().join("part");
    std::fs::create_dir(&part).unwrap();
    let mut images: Vec<PathBuf> =
        std::fs::read_dir(bench._folder.path().join("prior")).unwrap().map(|entry| entry.unwrap().path()).collect();
    images.sort();
    for image in images.iter().take(45) {
        std::fs::copy(image, part.join(image.file_name().unwrap())).unwrap();
    }
    let offered = prior(&bench, "part", Vec::new());
    bench.tell(ToViewer::Prior { study: bench.study.clone(), prior: offered });
    registered(&mut bench);
    assert!(!bench.shows("对侧图像不含此处"), "{:?}", bench.written);
    let told: Vec<bool> = [Key::Home, Key::End]
        .into_iter()
        .map(|key| {
            bench.key(key, NONE);
            bench.frame(Vec::new());
            bench.shows("对侧图像不含此处")
        })
        .collect();
    assert_eq!(told.iter().filter(|is_told| **is_told).count(), 1, "at one end alone: {told:?}");
}
