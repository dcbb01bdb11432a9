//! A device's findings are gone through by keys: what waits comes first, one key accepts, two reject with a reason.

use crate::*;
use mj_model::finding::{Origin, OriginKind};
use mj_model::{Code, Held};

const NONE: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;

/// Proposals on slices of the phantom, the surer the later they come; every slice another place.
fn proposals(bench: &Bench, n: usize) -> Vec<Finding> {
    let folder = bench._folder.path().join("current");
    let images = std::fs::read_dir(&folder).unwrap().count();
    (0..n)
        .map(|at| {
            let image = 2 + at * (images - 4) / n;
            let (finding, _) = finding_on(bench, image);
            Finding {
                id: format!("f{at}"),
                tracking_uid: mj_model::uid::TrackingUid::fresh(),
                state: FindingState::Proposed,
                kind: Code::new("SCT", "27925004", "Nodule", "结节"),
                certainty_percent: Some(10.0 + at as f64),
                proposed_by: Some(Origin { who: OriginKind::Device, name: "Finder".into(), version: "2.0".into() }),
                origin: Origin { who: OriginKind::Device, name: "Finder".into(), version: "2.0".into() },
                ..finding
            }
        })
        .collect()
}

/// Opens the phantom's series with findings.
fn open(bench: &mut Bench, findings: Vec<Finding>) {
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study });
    bench.tell_open(vec![series], findings);
    bench.until("volume", |b| b.room.situation().is_volume && b.room.situation().is_whole && b.room.situation().has_findings);
    bench.rest();
    bench.said();
}

/// Which finding was chosen last.
fn selected(bench: &Bench) -> Option<String> {
    let mut chosen =
        bench.said().into_iter().filter_map(|m| if let ToParent::FindingSelected { finding, .. } = m { Some(finding) } else { None });
    chosen.next_back()
}

fn height(bench: &Bench) -> f64 {
    bench.room.view_state().and_then(|v| v.crosshair).unwrap().z
}

#[test]
fn what_waits_comes_first_and_one_key_decides() {
    let mut bench = Bench::new();
    let findings = proposals(&bench, 4);
    let places: Vec<f64> = findings.iter().map(|f| f.geometry.centre().unwrap().z).collect();
    let held = Finding { id: "held".into(), held: Some(Held::OtherSide), ..findings[0].clone() };
    open(&mut bench, findings.into_iter().chain([held]).collect());
    assert!(bench.shows("未显示的结果：1") && bench.shows("侧别与其所在位置相反"), "{:?}", bench.written);

    // The surest first, and the picture goes there.
    bench.key(Key::J, NONE);
    assert_eq!(selected(&bench).as_deref(), Some("f3"));
    assert!((height(&bench) - places[3]).abs() < 1.0);
    bench.key(Key::J, NONE);
    assert_eq!(selected(&bench).as_deref(), Some("f2"));
    bench.key(Key::J, SHIFT);
    assert_eq!(selected(&bench).as_deref(), Some("f3"));

    // Accepted by a person, and on to the next that waits.
    bench.key(Key::Y, NONE);
    let changed = bench.changes();
    assert_eq!((changed[0].id.as_str(), changed[0].state), ("f3", FindingState::Accepted));
    assert_eq!((changed[0].origin.who, changed[0].proposed_by.as_ref().unwrap().name.as_str()), (OriginKind::Person, "Finder"));
    assert!((height(&bench) - places[2]).abs() < 1.0);

    // Rejected by two keys; the digit is no window preset meanwhile.
    bench.key(Key::Y, SHIFT);
    bench.frame(Vec::new());
    assert!(bench.shows("否决的原因") && bench.shows("并无病变"), "{:?}", bench.written);
    let window = bench.room.view_state().unwrap().window;
    bench.key(Key::Num1, NONE);
    let changed = bench.changes();
    assert_eq!((changed[0].id.as_str(), changed[0].state), ("f2", FindingState::Rejected));
    assert_eq!(changed[0].reason.as_ref().unwrap().code, "no-lesion");
    assert_eq!(bench.room.view_state().unwrap().window, window);
    bench.frame(Vec::new());
    assert!(!bench.shows("否决的原因"));

    // A question is given up when another finding is chosen: the digit then rejects nothing.
    bench.key(Key::Y, SHIFT);
    bench.tell(ToViewer::FocusFinding { study: bench.study.clone(), finding: "f0".into() });
    bench.key(Key::Num1, NONE);
    assert!(bench.changes().is_empty());

    // Escape gives the question up; undo takes the rejection back.
    bench.key(Key::Y, SHIFT);
    bench.key(Key::Escape, NONE);
    assert!(bench.changes().is_empty());
    bench.key(Key::Z, Modifiers::COMMAND);
    let back = bench.changes();
    assert_eq!((back[0].id.as_str(), back[0].state, back[0].reason.clone()), ("f2", FindingState::Proposed, None));
}

#[test]
fn contours_are_seen_on_their_own_images_alone() {
    let mut bench = Bench::new();
    let (finding, centre) = finding_on(&bench, 10);
    let step = (finding_on(&bench, 11).1 - centre).length();
    let square = |n: f64| {
        let corners = [[-20.0, -20.0], [20.0, -20.0], [20.0, 20.0], [-20.0, 20.0]];
        corners.map(|[x, y]| mj_model::PointLps::new(centre.x + x, centre.y + y, centre.z + n * step)).to_vec()
    };
    let contours = Geometry::InSpace(Shape::Contours { contours: vec![square(-1.0), square(0.0), square(1.0)] });
    open(&mut bench, vec![Finding { geometry: contours, ..finding.clone() }]);
    bench.key(Key::J, NONE);
    bench.rest();
    bench.key(Key::N, NONE);
    bench.until("stored images", |b| b.room.situation().is_as_stored && !b.room.is_making_pictures());
    bench.rest();
    let on_its_own = bench.room.lines_in_view();
    bench.key(Key::PageDown, NONE);
    bench.rest();
    let elsewhere = bench.room.lines_in_view();
    assert_eq!((on_its_own, elsewhere), (1, 0));
}

#[test]
fn places_on_an_image_are_on_no_slice_of_a_volume() {
    let mut bench = Bench::new();
    let (finding, _) = finding_on(&bench, 10);
    let geometry = Geometry::OnImage(Shape::Line { a: [10.0, 40.0], b: [80.0, 40.0] });
    open(&mut bench, vec![Finding { geometry, ..finding }]);
    for key in [Key::Home, Key::End, Key::J] {
        bench.key(key, NONE);
        bench.rest();
        assert_eq!(bench.room.lines_in_view(), 0, "{key:?}");
    }
}

#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_review_of_thirty_findings_by_keyboard() {
    let mut bench = Bench::new();
    let findings = proposals(&bench, 30);
    open(&mut bench, findings);
    let mut took = Vec::new();
    for _ in 0..30 {
        let start = Instant::now();
        bench.key(Key::J, NONE);
        // The picture is drawn when nothing of it is being made any more.
        bench.frame(Vec::new());
        while bench.room.is_making_pictures() {
            bench.frame(Vec::new());
        }
        took.push(start.elapsed().as_secs_f64());
        bench.rest();
    }
    let longest = took.iter().copied().fold(0.0, f64::max);
    mj_testdata::note(
        "next finding by key, until its pictures are drawn",
        "mingjing, CPU",
        "s",
        &took,
        &format!("30 findings; longest {:.0} ms", longest * 1000.0),
    );
}
