//! Every measuring tool in the room: drawn, changed by a place, taken back, made again, deleted; its numbers and its lines.

use crate::*;
use mj_model::code::known;
use mj_model::{Code, Extent, Measurement, PointLps, Unit, Volume, Voxel};
use mj_viewer::reading::pane::{Pane, PaneKind};

const SHIFT: Modifiers = Modifiers::SHIFT;
const NONE: Modifiers = Modifiers::NONE;
const LEFT: PointerButton = PointerButton::Primary;

/// Around the middle of the axial viewport.
const C: Pos2 = pos2(380.0, 210.0);

impl Bench {
    fn click(&mut self, at: Pos2) {
        self.drag(at, at, LEFT);
    }

    /// Goes through places with the button held.
    fn draw(&mut self, places: &[Pos2]) {
        let button = |pos, pressed| Event::PointerButton { pos, button: LEFT, pressed, modifiers: NONE };
        self.frame(vec![Event::PointerMoved(places[0])]);
        self.frame(vec![button(places[0], true)]);
        for at in &places[1..] {
            self.frame(vec![Event::PointerMoved(*at)]);
        }
        self.frame(vec![button(*places.last().unwrap(), false)]);
    }

    /// The one change since the last look.
    fn change(&mut self) -> Finding {
        let changes = self.changes();
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        change.clone()
    }

    /// The phantom's present study in memory, read without the room.
    fn volume(&self) -> Volume {
        volume_of(&self._folder.path().join("current"))
    }

    /// Length of a point of the screen in the axial viewport, by the length tool. Units: mm.
    fn mm_per_point(&mut self) -> f64 {
        self.key(Key::L, NONE);
        self.drag(A, B, LEFT);
        let mm = number(&self.change(), &known::length(), None).value / f64::from((B - A).length());
        self.key(Key::Delete, NONE);
        self.changes();
        mm
    }

    /// Takes the last change back and makes it again, then deletes the finding.
    fn undo_redo_delete(&mut self, before: &Finding, after: &Finding) {
        self.key(Key::Z, Modifiers::COMMAND);
        let undone = self.change();
        assert_eq!((&undone.geometry, undone.revision), (&before.geometry, after.revision + 1));
        assert_eq!(numbers(&undone), numbers(before));
        self.key(Key::Y, Modifiers::COMMAND);
        let again = self.change();
        assert_eq!((&again.geometry, numbers(&again)), (&after.geometry, numbers(after)));
        self.key(Key::Delete, NONE);
        assert_eq!(self.change().state, FindingState::Deleted);
        assert!(self.room.drawn_findings().is_empty());
        self.key(Key::Escape, NONE);
    }
}

fn volume_of(folder: &Path) -> Volume {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let sources: Vec<_> = files.into_iter().map(|path| std::sync::Arc::new(mj_viewer::source::ObjectSource::plain(path)) as _).collect();
    let series = mj_dicom::series::open(&sources, &mj_dicom::Watch::default()).unwrap();
    series.stacks[0].load(&mj_dicom::Watch::default()).unwrap()
}

/// What is measured, how much and with which id.
fn numbers(finding: &Finding) -> Vec<(String, String, f64, String)> {
    let derivation = |m: &Measurement| m.derivation.as_ref().map(|d| d.name_en.clone()).unwrap_or_default();
    finding.measurements.iter().map(|m| (m.quantity.what.name_en.clone(), derivation(m), m.quantity.value, m.id.clone())).collect()
}

fn number(finding: &Finding, what: &Code, derivation: Option<Code>) -> mj_model::Quantity {
    let found = finding.measurements.iter().find(|m| m.is_same_kind(what, derivation.as_ref()));
    found.unwrap_or_else(|| panic!("no {} in {:?}", what.name_en, numbers(finding))).quantity.clone()
}

fn shape(finding: &Finding) -> Shape<PointLps> {
    finding.geometry.in_space().unwrap_or_else(|| panic!("{:?}", finding.geometry)).clone()
}

/// True when the corners are seen all round from a place.
fn is_inside(corners: &[[f64; 2]], p: [f64; 2]) -> bool {
    let angle = |c: &[f64; 2]| (c[1] - p[1]).atan2(c[0] - p[0]);
    let turns = corners.iter().zip(corners.iter().cycle().skip(1)).map(|(a, b)| {
        let d = angle(b) - angle(a);
        d - std::f64::consts::TAU * (d / std::f64::consts::TAU).round()
    });
    turns.sum::<f64>().abs() > std::f64::consts::PI
}

/// The values of the voxels whose centres lie inside an outline in a slice.
fn values_in(volume: &Volume, outline: &[PointLps]) -> Vec<f64> {
    let places: Vec<[f64; 3]> = outline.iter().map(|p| volume.grid.voxel_from_lps(*p)).collect();
    let k = places[0][2].round();
    assert!(places.iter().all(|p| (p[2] - k).abs() < 1e-6), "not in one slice");
    let corners: Vec<[f64; 2]> = places.iter().map(|p| [p[0], p[1]]).collect();
    let [ni, nj, _] = volume.grid.dims;
    let all = (0..ni * nj).map(|n| Voxel { i: n % ni, j: n / ni, k: k as usize });
    all.filter(|v| is_inside(&corners, [v.i as f64, v.j as f64])).map(|v| volume.value(v).unwrap()).collect()
}

/// Mean, population standard deviation, lowest and highest are those of the values, in HU.
fn check_values(finding: &Finding, values: &[f64]) {
    let n = values.len() as f64;
    assert!(n > 3.0, "too few voxels to prove anything");
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let [low, high] = [f64::min, f64::max].map(|f| values.iter().copied().reduce(f).unwrap());
    for (derivation, wanted) in
        [(known::mean(), mean), (known::standard_deviation(), sd), (known::minimum(), low), (known::maximum(), high)]
    {
        let found = number(finding, &known::attenuation(), Some(derivation.clone()));
        assert!((found.value - wanted).abs() < 1e-6, "{}: {} is not {wanted}", derivation.name_en, found.value);
        assert_eq!(found.unit, Unit::hu());
    }
}

fn check_region(volume: &Volume, finding: &Finding) {
    let outline = shape(finding).outline().remove(0).0;
    check_values(finding, &values_in(volume, &outline));
    assert!(finding.measurements.iter().all(|m| m.method.is_none()), "stored samples, not interpolated ones");
}

/// Near enough for places that a screen rounds to points of 32 bits.
fn assert_near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 2e-3 * wanted.abs().max(1.0), "{found} is not {wanted}");
}

#[test]
fn boxes_are_drawn_measured_changed_and_stay_what_they_are() {
    let mut bench = Bench::new();
    let (volume, mm) = (bench.volume(), bench.mm_per_point());
    for (modifiers, share) in [(NONE, std::f64::consts::FRAC_PI_4), (SHIFT, 1.0)] {
        bench.key(Key::E, modifiers);
        bench.drag(C - vec2(70.0, 40.0), C + vec2(70.0, 40.0), LEFT);
        let made = bench.change();
        let area = |f: &Finding| number(f, &known::area(), None);
        assert_near(area(&made).value, share * 140.0 * 80.0 * mm * mm);
        assert_eq!((area(&made).unit, made.images.len()), (Unit::mm2(), 1));
        check_region(&volume, &made);
        bench.frame(Vec::new());
        let label = format!("1  {}", area(&made).shown());
        assert!(bench.written.iter().any(|t| t.ends_with(&area(&made).shown())), "no {label}: {:?}", bench.written);
        assert!(bench.shows(" ± ") && bench.shows(" … "), "{:?}", bench.written);

        // The right end of the long axis, or the lower right corner.
        let (from, by) = if modifiers == NONE { (C + vec2(70.0, 0.0), vec2(20.0, 0.0)) } else { (C + vec2(70.0, 40.0), vec2(20.0, 10.0)) };
        bench.key(Key::V, NONE);
        bench.frame(Vec::new());
        bench.drag(from, from + by, LEFT);
        let changed = bench.change();
        assert_near(area(&changed).value, share * f64::from(140.0 + by.x) * f64::from(80.0 + by.y) * mm * mm);
        check_region(&volume, &changed);
        let ids = |f: &Finding| f.measurements.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        assert_eq!((ids(&changed), &changed.id, changed.state), (ids(&made), &made.id, FindingState::Edited));
        assert!(
            changed
                .measurements
                .iter()
                .zip(&made.measurements)
                .all(|(new, old)| { new.revision == old.revision + u32::from(new.quantity != old.quantity) })
        );
        bench.undo_redo_delete(&made, &changed);
    }
}

#[test]
fn a_region_is_moved_by_its_line_and_out_of_the_image_it_has_no_values() {
    let mut bench = Bench::new();
    let (volume, mm) = (bench.volume(), bench.mm_per_point());
    bench.key(Key::E, SHIFT);
    bench.drag(C - vec2(60.0, 40.0), C + vec2(60.0, 40.0), LEFT);
    let made = bench.change();
    bench.drag(C + vec2(0.0, 40.0), C + vec2(25.0, 30.0), LEFT);
    let moved = bench.change();
    let by = shape(&moved).positions()[0] - shape(&made).positions()[0];
    assert_near(by.x, 25.0 * mm);
    assert_near(by.y, -10.0 * mm);
    check_region(&volume, &moved);
    // Out of the image and back in one go: every number is what it was.
    let edge = C + vec2(25.0, 30.0);
    bench.draw(&[edge, edge - vec2(355.0, 0.0), edge + vec2(2.0, 0.0)]);
    let back = bench.change();
    let ids = |f: &Finding| f.measurements.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&back), ids(&made));
    bench.key(Key::Z, Modifiers::COMMAND);
    bench.changes();
    // Beside the patient's image there is nothing to average.
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    bench.drag(C + vec2(45.0, 30.0), C + vec2(45.0, 30.0) - vec2(355.0, 0.0), LEFT);
    let away = bench.change();
    assert_eq!(away.measurements.len(), 2, "{:?}", numbers(&away));
    assert_near(number(&away, &known::area(), None).value, number(&made, &known::area(), None).value);
    bench.undo_redo_delete(&moved, &away);
}

#[test]
fn a_freehand_outline_is_closed_where_it_is_let_go() {
    let mut bench = Bench::new();
    let (volume, mm) = (bench.volume(), bench.mm_per_point());
    let round = |n: u16| C + vec2(60.0 * (f32::from(n) * 0.05).cos(), 45.0 * (f32::from(n) * 0.05).sin());
    // Each place twice: the second lies less than a pixel from the first.
    let places: Vec<Pos2> = (0..=120).flat_map(|n| [round(n), round(n) + vec2(0.2, 0.0)]).collect();
    bench.key(Key::F, NONE);
    bench.draw(&places);
    let made = bench.change();
    let Shape::Contours { contours } = shape(&made) else { panic!("{:?}", made.geometry) };
    assert!(contours[0].len() <= 122, "{} places", contours[0].len());
    assert!(contours[0].windows(2).all(|pair| pair[0].distance_mm(pair[1]) >= mm * 0.999));
    let area = number(&made, &known::area(), None).value;
    assert!((area / (std::f64::consts::PI * 60.0 * 45.0 * mm * mm) - 1.0).abs() < 0.02, "{area}");
    check_region(&volume, &made);
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    bench.drag(round(30), round(30) + vec2(12.0, 9.0), LEFT);
    let moved = bench.change();
    assert_near(number(&moved, &known::area(), None).value, area);
    check_region(&volume, &moved);
    bench.undo_redo_delete(&made, &moved);
    // A click is no outline.
    bench.key(Key::F, NONE);
    bench.click(C);
    assert!(bench.changes().is_empty());
}

#[test]
fn a_curve_is_set_place_by_place() {
    let mut bench = Bench::new();
    let volume = bench.volume();
    let places = [vec2(-60.0, -30.0), vec2(50.0, -40.0), vec2(60.0, 35.0), vec2(-40.0, 45.0)].map(|d| C + d);
    bench.key(Key::F, SHIFT);
    for at in &places[..2] {
        bench.click(*at);
    }
    // Too few to be closed: it goes on. A place too many is taken back. The picture may be moved meanwhile.
    bench.key(Key::Enter, NONE);
    assert!(bench.shows(mj_lang::key::READING_HINT_SPLINE.get(Lang::Zh)), "{:?}", bench.written);
    bench.click(C);
    bench.key(Key::Backspace, NONE);
    bench.drag(C, C + vec2(10.0, 0.0), PointerButton::Middle);
    bench.drag(C, C - vec2(10.0, 0.0), PointerButton::Middle);
    for at in &places[2..] {
        bench.click(*at);
    }
    assert!(bench.changes().is_empty());
    bench.key(Key::Enter, NONE);
    let made = bench.change();
    let Shape::Spline { control } = shape(&made) else { panic!("{:?}", made.geometry) };
    assert_eq!(control.len(), 4);
    assert_eq!(bench.room.view_state().unwrap().enlarged, None, "Enter enlarged the viewport too");
    check_region(&volume, &made);
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    bench.drag(places[1], places[1] + vec2(20.0, -15.0), LEFT);
    let changed = bench.change();
    let Shape::Spline { control: after } = shape(&changed) else { panic!("{:?}", changed.geometry) };
    assert!(after[1] != control[1] && after[0] == control[0] && after[2..] == control[2..]);
    check_region(&volume, &changed);
    bench.undo_redo_delete(&made, &changed);

    // A double click closes; the second press of it sets no place.
    bench.key(Key::F, SHIFT);
    for at in places {
        bench.click(at);
    }
    bench.click(places[3]);
    let Shape::Spline { control } = shape(&bench.change()) else { panic!("no curve") };
    assert_eq!(control.len(), 4);
    // Escape gives up, and keeps the tool.
    for at in places {
        bench.click(at + vec2(9.0, 9.0));
    }
    bench.key(Key::Escape, NONE);
    bench.key(Key::Enter, NONE);
    assert!(bench.changes().is_empty());
}

#[test]
fn both_diameters_are_drawn_and_stay_across_each_other() {
    let mut bench = Bench::new();
    let mm = bench.mm_per_point();
    bench.key(Key::L, SHIFT);
    bench.drag(C - vec2(60.0, 0.0), C + vec2(60.0, 0.0), LEFT);
    assert!(bench.changes().is_empty(), "the short axis is nobody's yet");
    bench.frame(Vec::new());
    assert!(bench.shows(mj_lang::key::READING_HINT_SHORT_AXIS.get(Lang::Zh)), "{:?}", bench.written);
    // Drawn a little askew.
    bench.drag(C + vec2(10.0, -25.0), C + vec2(14.0, 30.0), LEFT);
    let made = bench.change();
    let axes = |f: &Finding| [known::long_axis(), known::short_axis()].map(|what| number(f, &what, None).value);
    assert_near(axes(&made)[0], 120.0 * mm);
    assert_near(axes(&made)[1], 55.0 * mm);
    let is_across = |f: &Finding| {
        let Shape::Bidirectional { long, short } = shape(f) else { panic!("{:?}", f.geometry) };
        (long[1] - long[0]).dot(short[1] - short[0]).abs() < 1e-6
    };
    assert!(is_across(&made));
    bench.frame(Vec::new());
    let label = format!("{:.1} × {:.1}\u{2009}mm", axes(&made)[0], axes(&made)[1]);
    assert!(bench.written.iter().any(|t| t.ends_with(&label)), "no {label}: {:?}", bench.written);

    bench.drag(C + vec2(60.0, 0.0), C + vec2(50.0, 50.0), LEFT);
    let changed = bench.change();
    assert_near(axes(&changed)[0], 110.0_f64.hypot(50.0) * mm);
    assert_near(axes(&changed)[1], 55.0 * mm);
    assert!(is_across(&changed));
    bench.undo_redo_delete(&made, &changed);

    // By clicks: a click beside the long axis opens the short one on both sides.
    bench.key(Key::L, SHIFT);
    for at in [C - vec2(50.0, 0.0), C + vec2(50.0, 0.0), C + vec2(20.0, 18.0)] {
        bench.click(at);
    }
    let clicked = bench.change();
    assert_near(axes(&clicked)[1], 36.0 * mm);
    // Given up before the short axis: nothing is made, and what was chosen before is not deleted.
    for key in [Key::Escape, Key::Backspace] {
        bench.drag(C + vec2(-80.0, 60.0), C + vec2(60.0, 70.0), LEFT);
        bench.key(key, NONE);
        bench.frame(Vec::new());
        assert!(!bench.shows(mj_lang::key::READING_HINT_SHORT_AXIS.get(Lang::Zh)) && bench.changes().is_empty());
    }
    assert_eq!(bench.room.drawn_findings().len(), 1);
}

#[test]
fn angles_are_those_of_the_lines_drawn() {
    let mut bench = Bench::new();
    bench.key(Key::A, NONE);
    bench.drag(C + vec2(0.0, 60.0), C, LEFT);
    bench.frame(vec![Event::PointerMoved(C + vec2(30.0, 30.0))]);
    assert!(bench.shows("45.0\u{2009}°") && bench.changes().is_empty(), "{:?}", bench.written);
    bench.click(C + vec2(80.0, 0.0));
    let made = bench.change();
    let angle = |f: &Finding| number(f, &known::angle(), None).value;
    assert!((angle(&made) - 90.0).abs() < 0.01, "{}", angle(&made));
    bench.drag(C + vec2(80.0, 0.0), C + vec2(60.0, 60.0), LEFT);
    let changed = bench.change();
    assert!((angle(&changed) - 45.0).abs() < 0.01, "{}", angle(&changed));
    bench.undo_redo_delete(&made, &changed);

    bench.key(Key::A, SHIFT);
    bench.drag(C + vec2(-60.0, -40.0), C + vec2(60.0, -40.0), LEFT);
    assert!(bench.changes().is_empty());
    bench.drag(C + vec2(60.0, 20.0), C + vec2(-60.0, 89.282), LEFT);
    let made = bench.change();
    let cobb = |f: &Finding| number(f, &known::cobb_angle(), None).value;
    assert!((cobb(&made) - 30.0).abs() < 0.01, "{}", cobb(&made));
    bench.drag(C + vec2(60.0, -40.0), C + vec2(60.0, -40.0 - 120.0 * 0.267_949), LEFT);
    let changed = bench.change();
    assert!((cobb(&changed) - 15.0).abs() < 0.05, "{}", cobb(&changed));
    bench.undo_redo_delete(&made, &changed);
}

/// Closed lines of the last frame that lie in a rectangle.
fn closed_lines(bench: &Bench, within: Rect) -> Vec<Rect> {
    let rects = bench.shapes.iter().filter_map(|s| match s {
        egui::Shape::Path(path) if path.points.len() > 40 && path.points.first() == path.points.last() => Some(s.visual_bounding_rect()),
        _ => None,
    });
    rects.filter(|r| within.contains(r.center())).collect()
}

/// Where the crosshair stands in the axial viewport before it was moved.
const AXIAL_MIDDLE: f32 = 221.0;

/// The coronal viewport, as it lies in the window of the tests.
const CORONAL: Rect = Rect { min: pos2(645.0, 40.0), max: pos2(1148.0, 402.0) };

#[test]
fn a_ball_is_measured_in_all_its_slices_and_seen_in_every_plane() {
    let mut bench = Bench::new();
    bench.until("volume", |b| b.room.situation().is_whole);
    let (volume, mm) = (bench.volume(), bench.mm_per_point());
    let ball = |f: &Finding| match f.geometry {
        Geometry::Extent(Extent::Sphere { centre, radius_mm }) => (centre, radius_mm),
        _ => panic!("{:?}", f.geometry),
    };
    let check = |f: &Finding| {
        let (centre, radius) = ball(f);
        let [ni, nj, nk] = volume.grid.dims;
        let all = (0..ni * nj * nk).map(|n| Voxel { i: n % ni, j: n / ni % nj, k: n / ni / nj });
        let inside = all.filter(|v| volume.grid.lps_from_voxel([v.i as f64, v.j as f64, v.k as f64]).distance_mm(centre) <= radius);
        check_values(f, &inside.map(|v| volume.value(v).unwrap()).collect::<Vec<_>>());
        let ml = 4.0 / 3.0 * std::f64::consts::PI * radius.powi(3) / 1000.0;
        assert!((number(f, &known::volume(), None).value - ml).abs() < 1e-9);
    };
    bench.key(Key::Q, SHIFT);
    bench.drag(C, C + vec2(40.0, 0.0), LEFT);
    let made = bench.change();
    assert_near(ball(&made).1, 40.0 * mm);
    check(&made);
    assert!(made.images.len() > 2, "{} images", made.images.len());
    bench.frame(Vec::new());
    assert!(bench.shows("Ø "), "{:?}", bench.written);
    assert!(!closed_lines(&bench, CORONAL).is_empty(), "no circle in the coronal plane");
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    bench.drag(C + vec2(0.0, 40.0), C + vec2(0.0, 55.0), LEFT);
    let changed = bench.change();
    assert_near(ball(&changed).1, 55.0 * mm);
    assert_eq!(ball(&changed).0, ball(&made).0);
    check(&changed);
    bench.undo_redo_delete(&made, &changed);
}

#[test]
fn a_probe_reads_the_voxel_under_it() {
    let mut bench = Bench::new();
    let volume = bench.volume();
    let value = |at| volume.value(volume.grid.nearest_voxel(at).unwrap()).unwrap();
    bench.key(Key::Q, NONE);
    bench.click(C);
    let made = bench.change();
    let Shape::Point { at } = shape(&made) else { panic!("{:?}", made.geometry) };
    assert_eq!(number(&made, &known::attenuation(), None).value, value(at));
    bench.frame(Vec::new());
    assert!(bench.shows(&format!("{}\u{2009}HU", value(at))), "{:?}", bench.written);
    bench.drag(C, C + vec2(-60.0, 25.0), LEFT);
    let changed = bench.change();
    let Shape::Point { at: moved } = shape(&changed) else { panic!("{:?}", changed.geometry) };
    assert_eq!(number(&changed, &known::attenuation(), None).value, value(moved));
    bench.undo_redo_delete(&made, &changed);
}

#[test]
fn a_region_of_a_coronal_plane_holds_the_voxels_of_its_slices() {
    let mut bench = Bench::new();
    bench.until("volume", |b| b.room.situation().is_whole);
    let volume = bench.volume();
    bench.key(Key::E, NONE);
    bench.drag(CORONAL.center() - vec2(40.0, 30.0), CORONAL.center() + vec2(40.0, 30.0), LEFT);
    let made = bench.change();
    let places: Vec<[f64; 3]> = shape(&made).outline()[0].0.iter().map(|p| volume.grid.voxel_from_lps(*p)).collect();
    let j = places[0][1].round();
    assert!(places.iter().all(|p| (p[1] - j).abs() < 0.05), "not in a plane of voxels");
    let corners: Vec<[f64; 2]> = places.iter().map(|p| [p[0], p[2]]).collect();
    let [ni, _, nk] = volume.grid.dims;
    let all = (0..ni * nk).map(|n| Voxel { i: n % ni, j: j as usize, k: n / ni });
    let inside = all.filter(|v| is_inside(&corners, [v.i as f64, v.k as f64]));
    check_values(&made, &inside.map(|v| volume.value(v).unwrap()).collect::<Vec<_>>());
    assert!(made.images.len() > 2 && made.measurements.iter().all(|m| m.method.is_none()));
    // In the axial plane through it stands the line in which it is cut, which chooses it and does not move it.
    bench.key(Key::V, NONE);
    bench.key(Key::Escape, NONE);
    bench.frame(Vec::new());
    let crosshair = bench.room.view_state().unwrap().crosshair.unwrap();
    let middle = made.geometry.centre().unwrap();
    assert!((middle - crosshair).length() < 60.0);
    bench.said();
    bench.drag(pos2(C.x + 10.0, AXIAL_MIDDLE), pos2(C.x + 10.0, AXIAL_MIDDLE + 40.0), LEFT);
    let said = bench.said();
    assert!(said.iter().any(|m| matches!(m, ToParent::FindingSelected { finding, .. } if *finding == made.id)), "{said:?}");
    assert!(!said.iter().any(|m| matches!(m, ToParent::FindingChanged { .. })), "{said:?}");
}

/// A true axial plane through a head that was scanned with a tilted gantry lies between its voxels.
#[test]
fn a_region_across_the_slices_says_that_its_values_are_interpolated() {
    let Some(root) = mj_testdata::root() else {
        mj_testdata::skip("no real images: a tilted head is not measured");
        return;
    };
    let mut bench = Bench::new();
    let folder = root.join("ct/head_ge_gantry_tilt");
    let (study, series) = series_of(&folder);
    bench.tell(ToViewer::OpenStudy { study: study.clone(), series: vec![series], findings: Vec::new(), view: None });
    bench.study = study;
    bench.until("volume", |b| b.room.situation().is_whole);
    bench.rest();
    bench.said();
    bench.key(Key::E, NONE);
    bench.drag(C - vec2(50.0, 40.0), C + vec2(50.0, 40.0), LEFT);
    let made = bench.change();
    let volume = volume_of(&folder);
    let Shape::Ellipse { long, short } = shape(&made) else { panic!("{:?}", made.geometry) };
    let (middle, u, v) = (made.geometry.centre().unwrap(), (long[1] - long[0]) * 0.5, (short[1] - short[0]) * 0.5);
    let steps = || (-100..=100).map(|n| f64::from(n) / 100.0);
    let inside = steps().flat_map(|a| steps().map(move |b| (a, b))).filter(|(a, b)| a * a + b * b <= 1.0);
    let values: Vec<f64> = inside
        .filter_map(|(a, b)| mj_imaging::oracle::value_at(&volume, middle + u * a + v * b, mj_imaging::Interpolation::Linear))
        .collect();
    let wanted = values.iter().sum::<f64>() / values.len() as f64;
    let [mean, sd] = [known::mean(), known::standard_deviation()].map(|d| number(&made, &known::attenuation(), Some(d)).value);
    assert!((mean - wanted).abs() < 0.5 + 0.02 * sd, "{mean} is not {wanted}, spread {sd}");
    for m in made.measurements.iter().filter(|m| m.derivation.is_some()) {
        assert!(m.method.as_ref().is_some_and(|method| method.is_same(&known::interpolated())), "{m:?}");
    }
}

#[test]
fn what_is_drawn_is_still_there_after_a_restart_and_can_be_changed_and_taken_back() {
    let mut bench = Bench::new();
    bench.key(Key::E, NONE);
    bench.drag(C - vec2(70.0, 40.0), C + vec2(70.0, 40.0), LEFT);
    let made = bench.change();
    let stored = Finding { revision: 1, ..made.clone() };
    let view = bench.room.view_state();
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study: study.clone() });
    bench.tell(ToViewer::OpenStudy { study, series: vec![series], findings: vec![stored], view });
    bench.until("volume", |b| b.room.situation().is_whole && b.room.view_state().is_some_and(|v| v.crosshair.is_some()));
    bench.rest();
    bench.said();
    assert_eq!(bench.room.drawn_findings(), [(number(&made, &known::area(), None).shown(), true)]);
    bench.key(Key::V, NONE);
    bench.drag(C + vec2(0.0, 40.0), C + vec2(0.0, 60.0), LEFT);
    let changed = bench.change();
    assert!(number(&changed, &known::area(), None).value > number(&made, &known::area(), None).value * 1.2);
    bench.undo_redo_delete(&made, &changed);
}

#[test]
fn an_uncalibrated_image_is_measured_in_pixels() {
    let mut bench = Bench::new();
    bench.until("volume", |b| b.room.situation().is_whole);
    bench.key(Key::Q, SHIFT);
    let film = bench.changed("film", 7..=7, |b| patch::without_spacing(patch::without_place(b)));
    let (_, series) = series_of(&film);
    bench.tell_open(vec![series], Vec::new());
    bench.until("film", |b| b.shows("图 1/1"));
    bench.rest();
    let at = pos2(600.0, 400.0);
    // No ball without its slices, though the tool was taken where there were some.
    bench.drag(at, at + vec2(40.0, 0.0), LEFT);
    assert!(bench.changes().is_empty());
    assert!(!Action::Take(mj_viewer::reading::action::Tool::Sphere).is_enabled(&bench.room.situation()));
    for (key, modifiers) in [(Key::E, NONE), (Key::E, SHIFT), (Key::F, NONE), (Key::L, NONE)] {
        bench.key(key, modifiers);
        if key == Key::F {
            bench.draw(&[at, at + vec2(90.0, 0.0), at + vec2(90.0, 80.0), at + vec2(0.0, 80.0)]);
        } else {
            bench.drag(at, at + vec2(90.0, 80.0), LEFT);
        }
        let made = bench.change();
        let Geometry::OnImage(shape) = &made.geometry else { panic!("{:?}", made.geometry) };
        let wanted = if key == Key::L { Unit::px() } else { Unit::px2() };
        assert_eq!(made.measurements[0].quantity.unit, wanted);
        assert!(made.measurements.iter().all(|m| !matches!(m.quantity.unit.0.as_str(), "mm" | "mm2")), "{:?}", numbers(&made));
        if let Shape::Ellipse { long: [a, b], short: [c, d] } = shape {
            let area = std::f64::consts::FRAC_PI_4 * (a[0] - b[0]).hypot(a[1] - b[1]) * (c[0] - d[0]).hypot(c[1] - d[1]);
            assert_near(made.measurements[0].quantity.value, area);
        }
        bench.frame(Vec::new());
        assert!(bench.shows(if key == Key::L { "\u{2009}px" } else { "\u{2009}px²" }), "{:?}", bench.written);
        bench.key(Key::Delete, NONE);
        bench.changes();
    }
}

#[test]
fn shapes_on_ultrasound_are_measured_by_their_region() {
    let mut bench = Bench::new();
    if !on_image(&mut bench, "us/us_pediatric_echo_34f.dcm", "图 1/34") {
        return;
    }
    let path = mj_testdata::path("us/us_pediatric_echo_34f.dcm").unwrap();
    let source = std::sync::Arc::new(mj_viewer::source::ObjectSource::plain(path)) as _;
    let series = mj_dicom::series::open(&[source], &mj_dicom::Watch::default()).unwrap();
    let [mm_x, mm_y] = series.stacks[0].regions(0).iter().find_map(|r| r.mm_per_pixel).unwrap();
    let at = pos2(600.0, 350.0);
    bench.key(Key::E, SHIFT);
    bench.drag(at, at + vec2(80.0, 60.0), LEFT);
    let made = bench.change();
    let Geometry::OnImage(Shape::Contours { contours }) = &made.geometry else { panic!("{:?}", made.geometry) };
    let (a, c) = (contours[0][0], contours[0][2]);
    let area = number(&made, &known::area(), None);
    assert_eq!(area.unit, Unit::mm2());
    assert!((area.value - ((a[0] - c[0]) * (a[1] - c[1])).abs() * mm_x * mm_y).abs() < 1e-5, "{area:?}");
    assert!(made.measurements.iter().all(|m| m.derivation.is_none()), "the brightness of a picture in colour: {:?}", numbers(&made));
    // Moved half out of its region it counts pixels, under the same id.
    bench.drag(at + vec2(40.0, 0.0), at + vec2(40.0, 330.0), LEFT);
    let moved = bench.change();
    let out = number(&moved, &known::area(), None);
    assert_eq!((out.unit, &moved.measurements[0].id), (Unit::px2(), &made.measurements[0].id));
    bench.key(Key::Escape, NONE);
}

/// Where an outline lies on a key image it is in the colour of measurements, and nowhere inside it.
#[test]
fn an_outline_is_drawn_where_the_shape_is() {
    let mut bench = Bench::new();
    let grid = bench.volume().grid;
    bench.key(Key::E, NONE);
    bench.drag(C - vec2(70.0, 40.0), C + vec2(70.0, 40.0), LEFT);
    let made = bench.change();
    let (_, png) = bench.key_image();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let is_yellow = |x: i64, y: i64| {
        let at = (y * i64::from(info.width) + x) as usize * 3;
        let [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]].map(i32::from);
        r > 200 && g > 160 && b < r - 80
    };
    let crosshair = bench.room.view_state().unwrap().crosshair.unwrap();
    let plane = Pane::new(PaneKind::Axial).plane(&grid, crosshair, info.width as usize, info.height as usize);
    let outline = shape(&made).outline().remove(0).0;
    let near = |p: PointLps, reach: i64| {
        let [x, y] = plane.pixel_from_lps(p).map(|v| v.round() as i64);
        (-reach..=reach).any(|dx| (-reach..=reach).any(|dy| is_yellow(x + dx, y + dy)))
    };
    assert!(outline.iter().all(|p| near(*p, 1)), "the outline has gaps");
    let middle = made.geometry.centre().unwrap();
    assert!(outline.iter().all(|p| !near(middle + (*p - middle) * 0.9, 1) && !near(middle + (*p - middle) * 0.5, 1)));
}

#[test]
fn a_shape_can_be_begun_on_the_line_of_another_one() {
    let mut bench = Bench::new();
    bench.key(Key::E, SHIFT);
    bench.drag(C - vec2(60.0, 40.0), C + vec2(60.0, 40.0), LEFT);
    let region = bench.change();
    bench.key(Key::L, NONE);
    bench.drag(C + vec2(-90.0, 0.0), C + vec2(-75.0, 60.0), LEFT);
    let other = bench.change();
    bench.frame(Vec::new());
    // From one side of the region to the other, while another shape is chosen.
    bench.drag(C - vec2(60.0, 0.0), C + vec2(60.0, 0.0), LEFT);
    let diameter = bench.change();
    assert!(diameter.id != region.id && diameter.id != other.id && diameter.revision == 0);
    assert_eq!(bench.room.drawn_findings().len(), 3);
}

#[test]
fn a_label_is_dragged_and_stays_where_it_was_put() {
    let mut bench = Bench::new();
    bench.key(Key::L, NONE);
    bench.drag(A, B, LEFT);
    let made = bench.change();
    bench.key(Key::V, NONE);
    bench.frame(Vec::new());
    let label = |b: &Bench| {
        let text = number(&made, &known::length(), None).shown();
        let at = b.shapes.iter().rposition(|s| texts_of(s).iter().any(|t| t.ends_with(&text) && t.starts_with("1 "))).unwrap();
        b.shapes[at].visual_bounding_rect().center()
    };
    let before = label(&bench);
    bench.drag(before, before + vec2(40.0, 70.0), LEFT);
    bench.frame(Vec::new());
    assert!((label(&bench) - before - vec2(40.0, 70.0)).length() < 2.0);
    assert!(bench.changes().is_empty(), "where a label stands is no change of the finding");
}
