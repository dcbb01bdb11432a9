//! Arrows and texts: drawn like findings, measuring nothing, their text typed in the parent's window.

use crate::*;

const NONE: Modifiers = Modifiers::NONE;

/// The question for a text that was asked last: its number and the present text.
fn asked(bench: &Bench) -> Option<(u64, String)> {
    let of = |m| if let ToParent::TextWanted { request, text, .. } = m { Some((request, text)) } else { None };
    bench.said().into_iter().filter_map(of).next_back()
}

/// A double click.
fn twice(bench: &mut Bench, at: Pos2) {
    bench.drag(at, at, PointerButton::Primary);
    bench.drag(at, at, PointerButton::Primary);
}

#[test]
fn an_arrow_points_and_measures_nothing() {
    let mut bench = Bench::new();
    bench.key(Key::U, NONE);
    bench.drag(A, B, PointerButton::Primary);
    let made = bench.changes();
    assert_eq!((made.len(), made[0].is_annotation(), made[0].measurements.len()), (1, true, 0));
    assert!(!made[0].images.is_empty() && made[0].state == FindingState::Accepted);
    // Shaft and head; no number beside it.
    assert_eq!(bench.room.lines_in_view(), 2);
    let Geometry::InSpace(Shape::Line { a: head, .. }) = made[0].geometry else { panic!("no arrow") };
    // Its head follows the pointer, its tail stays.
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    // Later than the second press of a double click.
    bench.rest();
    bench.drag(A, A + vec2(0.0, 40.0), PointerButton::Primary);
    let moved = bench.changes();
    let Geometry::InSpace(Shape::Line { a, b }) = moved[0].geometry else { panic!("no arrow") };
    let Geometry::InSpace(Shape::Line { b: tail, .. }) = made[0].geometry else { panic!("no arrow") };
    assert!(a.distance_mm(head) > 5.0 && b.distance_mm(tail) < 1e-9 && moved[0].measurements.is_empty());
    // It is not gone to among the findings, which are none.
    bench.said();
    bench.key(Key::J, NONE);
    assert!(bench.said().iter().all(|m| !matches!(m, ToParent::FindingSelected { .. })));
    bench.key(Key::Z, Modifiers::COMMAND);
    let undone = bench.changes();
    assert_eq!(undone[0].geometry, made[0].geometry);
}

#[test]
fn a_text_is_asked_for_where_it_can_be_typed() {
    let mut bench = Bench::new();
    bench.key(Key::U, Modifiers::SHIFT);
    bench.drag(A, A, PointerButton::Primary);
    let (request, text) = asked(&bench).unwrap();
    assert_eq!(text, "");
    assert_eq!(bench.room.drawn_findings().len(), 0, "nothing is there before it has its text");
    bench.tell(ToViewer::TextGiven { request: request + 5, text: Some("another's".into()) });
    bench.tell(ToViewer::TextGiven { request, text: Some(" 术后改变，见左侧 ".into()) });
    let made = bench.changes();
    assert_eq!((made.len(), made[0].label.as_deref()), (1, Some("术后改变，见左侧")));
    assert!(bench.shows("术后改变，见左侧"));
    // A double click asks anew, with the text as it is; whoever gives up changes nothing.
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    twice(&mut bench, A);
    let (request, text) = asked(&bench).unwrap();
    assert_eq!(text, "术后改变，见左侧");
    bench.tell(ToViewer::TextGiven { request, text: None });
    assert!(bench.changes().is_empty());
    bench.rest();
    twice(&mut bench, A);
    let (request, _) = asked(&bench).unwrap();
    bench.tell(ToViewer::TextGiven { request, text: Some("stent".into()) });
    let changed = bench.changes();
    assert_eq!((changed.len(), changed[0].label.as_deref(), changed[0].id == made[0].id), (1, Some("stent"), true));
    assert!(bench.shows("stent") && !bench.shows("术后改变"));
    // Given up before there was a text: no annotation.
    bench.key(Key::U, Modifiers::SHIFT);
    bench.drag(B + vec2(0.0, 60.0), B + vec2(0.0, 60.0), PointerButton::Primary);
    let (request, _) = asked(&bench).unwrap();
    bench.tell(ToViewer::TextGiven { request, text: Some("  ".into()) });
    assert!(bench.changes().is_empty() && bench.room.drawn_findings().len() == 1);
}

#[test]
fn what_others_drew_is_seen_as_they_drew_it() {
    let mut bench = Bench::new();
    let (finding, centre) = finding_on(&bench, 10);
    let at = |x: f64, y: f64| mj_model::PointLps::new(centre.x + x, centre.y + y, centre.z);
    let shapes = [
        (Shape::Contours { contours: vec![vec![at(-20.0, -20.0), at(20.0, -20.0), at(20.0, 20.0)]] }, 1),
        (Shape::Polyline { points: vec![at(-30.0, 0.0), at(30.0, 5.0)] }, 1),
        (Shape::Ellipse { long: [at(-20.0, 0.0), at(20.0, 0.0)], short: [at(0.0, -10.0), at(0.0, 10.0)] }, 1),
        // Shaft and head.
        (Shape::Line { a: at(-20.0, 0.0), b: at(20.0, 0.0) }, 2),
    ];
    for (n, (shape, lines)) in shapes.into_iter().enumerate() {
        let annotation = Finding {
            id: format!("a{n}"),
            kind: mj_model::code::known::annotation(),
            state: FindingState::Proposed,
            geometry: Geometry::InSpace(shape),
            ..finding.clone()
        };
        let (study, series) = series_of(&bench._folder.path().join("current"));
        bench.tell(ToViewer::CloseStudy { study });
        bench.tell_open(vec![series], vec![annotation.clone()]);
        bench.until("volume", |b| b.room.situation().is_volume && b.room.situation().is_whole);
        bench.tell(ToViewer::FocusFinding { study: bench.study.clone(), finding: annotation.id.clone() });
        bench.rest();
        let places = bench.room.places_of(&annotation.id);
        assert!(places.iter().any(|(pane, _)| *pane == 0), "{n}: not on the axial picture");
        bench.key(Key::Enter, NONE);
        bench.rest();
        assert_eq!(bench.room.lines_in_view(), lines, "{n}");
        bench.key(Key::Enter, NONE);
    }
}
