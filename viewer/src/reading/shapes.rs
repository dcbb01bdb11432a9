//! Findings on pictures: where they lie, how they are drawn, what of them is under the pointer.

use crate::overlay::{self, Figure, FigureLook, Label, Taken};
use crate::reading::gesture::Gesture;
use crate::reading::measuring;
use crate::reading::pane::{Mapping, PaneKind};
use crate::reading::placed::Placed;
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::reading::segments;
use crate::ui::Theme;
use egui::{Pos2, Rect, Vec2, pos2, vec2};
use mj_dicom::series::Stack;
use mj_imaging::Plane;
use mj_model::{Finding, Measurement, PointLps, Shape, VectorLps};

/// A line of a shape in patient space, and whether it is closed.
type SpaceLine = (Vec<PointLps>, bool);

/// Where a shape was drawn.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// The viewport.
    pub(crate) pane: usize,
    /// The finding.
    pub(crate) id: String,
    /// Its lines and places on the screen.
    pub(crate) figure: Figure,
    /// Its label on the screen.
    pub(crate) label: Rect,
    /// How far the label stands from where it would.
    pub(crate) label_offset: Vec2,
    /// Only the line in which its plane meets this one.
    pub(crate) is_cut: bool,
}

/// What a press on a shape takes hold of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grip {
    /// One of its places, see [`Placed::grips`].
    Place(usize),
    /// The label.
    Label,
    /// The line: all of it.
    Line,
    /// The line in which its plane meets this one: it is chosen, not moved.
    Cut,
}

impl Hit {
    /// What of it lies under the pointer.
    pub(crate) fn grip(&self, at: Pos2) -> Option<Grip> {
        const PLACE: f32 = 8.0;
        const LINE: f32 = 5.0;
        let away = self.figure.grips.iter().map(|p| (*p - at).length()).enumerate();
        if let Some((n, _)) = away.filter(|(_, d)| *d <= PLACE).min_by(|a, b| a.1.total_cmp(&b.1)) {
            return Some(Grip::Place(n));
        }
        if self.label.expand(2.0).contains(at) {
            return Some(Grip::Label);
        }
        let on_line = if self.is_cut { Grip::Cut } else { Grip::Line };
        self.figure.sides().any(|side| distance(at, side) <= LINE).then_some(on_line)
    }
}

fn distance(at: Pos2, [a, b]: [Pos2; 2]) -> f32 {
    let (along, to) = (b - a, at - a);
    let share = (to.dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (to - along * share).length()
}

/// The slice on which a finding was drawn: that of its image, else the nearest in the patient.
pub(crate) fn slice_of(stack: &Stack, finding: &Finding) -> Option<usize> {
    let by_image = finding.images.iter().find_map(|image| stack.slice_from(&image.instance, image.frame));
    by_image.or_else(|| stack.nearest_slice(finding.geometry.centre()?))
}

/// What a viewport shows of a shape.
enum Seen {
    /// It lies in the plane.
    Whole(Vec<SpaceLine>),
    /// Its plane meets that of the viewport in these lines.
    Cut(Vec<SpaceLine>),
}

/// What of a finding is seen in a viewport.
fn seen(scene: &Scene, kind: PaneKind, map: &Mapping, finding: &Finding, placed: &Placed) -> Option<Seen> {
    let volume = scene.volume().filter(|v| v.series == finding.series)?;
    match kind {
        // An arrow points at a place of its image.
        PaneKind::Mip if finding.is_annotation() => return None,
        PaneKind::Mip => return Some(Seen::Cut(shadow(map, placed))),
        PaneKind::Vr => return None,
        _ => {}
    }
    let slab_mm = scene.slab_of(kind).map_or(0.0, |slab| slab.mm);
    let shape = match placed {
        Placed::Shape(shape) => shape,
        Placed::Ball { .. } => {
            let (middle, radius) = placed.circle(&map.plane, slab_mm / 2.0)?;
            return Some(Seen::Whole(vec![(circle(&map.plane, middle, radius), true)]));
        }
    };
    // An image of a research file has no instance to name.
    if let (PaneKind::Native, Some(image)) = (kind, finding.images.first()) {
        let is_here = volume.sources.iter().any(|s| s.instance == image.instance && s.frame == image.frame);
        let is_of_one = !matches!(shape, Shape::Contours { contours } if contours.len() > 1);
        if is_of_one {
            return is_here.then(|| Seen::Whole(shape.outline()));
        }
    }
    let normal = map.plane.normal();
    let thickness: f64 = (0..3).map(|a| (volume.grid.axes[a].dot(normal) * volume.grid.spacing_mm[a]).abs()).sum();
    let near = thickness / 2.0 + slab_mm / 2.0 + 1e-3;
    let is_near = |line: &SpaceLine| line.0.iter().all(|p| map.plane.depth_mm(*p).abs() <= near);
    let outline = shape.outline();
    // Contours of several slices are seen slice by slice, anything else only as a whole.
    let is_by_slice = matches!(shape, Shape::Contours { .. });
    if is_by_slice && outline.iter().any(is_near) || outline.iter().all(is_near) {
        return Some(Seen::Whole(outline.into_iter().filter(|line| is_near(line)).collect()));
    }
    let cut: Vec<SpaceLine> = outline.iter().filter(|_| shape.is_region()).flat_map(|line| cut(&line.0, &map.plane)).collect();
    (!cut.is_empty()).then_some(Seen::Cut(cut))
}

/// The lines of a shape as they are seen through everything.
fn shadow(map: &Mapping, placed: &Placed) -> Vec<SpaceLine> {
    match placed {
        Placed::Shape(shape) => shape.outline(),
        Placed::Ball { centre, radius_mm } => vec![(circle(&map.plane, *centre, *radius_mm), true)],
    }
}

fn circle(plane: &Plane, middle: PointLps, radius: f64) -> Vec<PointLps> {
    const PIECES: u32 = 72;
    let at = |n: u32| {
        let (sin, cos) = (f64::from(n) / f64::from(PIECES) * std::f64::consts::TAU).sin_cos();
        middle + plane.right * (radius * cos) + plane.down * (radius * sin)
    };
    (0..PIECES).map(at).collect()
}

/// The lines in which a plane cuts a flat region.
fn cut(outline: &[PointLps], plane: &Plane) -> Vec<SpaceLine> {
    let next = outline.iter().cycle().skip(1);
    let mut crossings: Vec<PointLps> = outline
        .iter()
        .zip(next)
        .filter_map(|(a, b)| {
            let (from, to) = (plane.depth_mm(*a), plane.depth_mm(*b));
            ((from < 0.0) != (to < 0.0)).then(|| *a + (*b - *a) * (from / (from - to)))
        })
        .collect();
    let Some(&first) = crossings.first() else { return Vec::new() };
    // All lie on one line; every second piece of it is inside.
    let along = crossings.iter().map(|p| *p - first).max_by(|a, b| a.length().total_cmp(&b.length())).unwrap_or_default();
    crossings.sort_by(|a, b| (*a - first).dot(along).total_cmp(&(*b - first).dot(along)));
    crossings.chunks_exact(2).map(|pair| (pair.to_vec(), false)).collect()
}

/// A shape ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    /// The finding; empty for one that is being drawn.
    pub(crate) id: String,
    pub(crate) figure: Figure,
    pub(crate) label: Label,
    pub(crate) look: FigureLook,
    /// Only chosen, not moved.
    pub(crate) is_cut: bool,
}

/// The shapes of a viewport, the one being drawn included.
pub(crate) fn drawn(room: &Room, scene: &Scene, pane: usize, map: &Mapping) -> Vec<Drawn> {
    let Some((kind, volume)) = scene.panes.get(pane).map(|p| p.kind).zip(scene.volume()) else { return Vec::new() };
    let editing = room.gesture.as_ref().and_then(Gesture::working);
    let mut out = segments::drawn(room, scene, pane, map);
    for shown in scene.ledger.shown().filter(|s| room.has_shapes && !scene.hidden.contains(&s.finding.id)) {
        let finding = editing.filter(|w| w.id == shown.finding.id).unwrap_or(shown.finding);
        let Some(placed) = Placed::of(volume, &finding.geometry) else { continue };
        let (lines, is_cut) = match seen(scene, kind, map, finding, &placed) {
            Some(Seen::Whole(lines)) => (lines, false),
            Some(Seen::Cut(lines)) => (lines, true),
            None => continue,
        };
        let figure = match (is_cut, finding.is_annotation()) {
            (true, _) => bare(map, &lines),
            (_, true) => annotated(map, &placed, &lines, finding.label.is_some()),
            _ => figure(map, &placed, &lines),
        };
        let is_selected = scene.selected.as_deref() == Some(finding.id.as_str());
        let mut hit = Hit { pane, id: String::new(), figure, label: Rect::NOTHING, label_offset: Vec2::ZERO, is_cut };
        let is_near = room.pointer.is_some_and(|at| map.rect.contains(at) && hit.grip(at).is_some());
        let (mut lines, mut detail) = (Vec::new(), None);
        if finding.is_annotation() {
            lines.extend(finding.label.clone().filter(|_| !is_cut));
        } else if !is_cut {
            let first = written(room, scene, finding);
            lines = label_of(&finding.measurements, &format!("{}  {first}", room.numbered(shown.number)));
            detail = measuring::range_line(&finding.measurements).filter(|_| is_selected || is_near);
        }
        let moved = room.labels.get(&finding.id).copied();
        let (at, moved) = match hit.figure.grips.last() {
            // A text stands where it was put, that of an arrow at its tail.
            Some(at) if finding.is_annotation() => (*at, moved.or(Some(Vec2::ZERO))),
            _ => (label_place(&hit.figure, &placed), moved),
        };
        let label = Label { lines, detail, at, moved };
        let look =
            FigureLook { is_selected, is_pending: shown.is_pending, has_grips: is_selected || is_near, is_quiet: is_cut, colour: None };
        let figure = std::mem::take(&mut hit.figure);
        out.push(Drawn { id: finding.id.clone(), figure, label, look, is_cut });
    }
    out.extend(being_drawn(room, scene, pane, kind, map));
    out
}

fn being_drawn(room: &Room, scene: &Scene, pane: usize, kind: PaneKind, map: &Mapping) -> Option<Drawn> {
    let draft = room.draft.as_ref().filter(|d| d.pane == pane && d.is_on(kind, scene.shown.slice, &map.plane))?;
    let placed = draft.shape()?;
    let outline = shadow(map, &placed);
    let mut measurements = if draft.is_annotation() { Vec::new() } else { measuring::measured(scene, &placed) };
    if draft.is_proposal() {
        measurements.truncate(1);
    }
    let geometry = placed.geometry(scene.volume()?);
    let first = with_detector(room, scene, &geometry, &measurements);
    let mut lines = label_of(&measurements, &first);
    lines.extend(draft.hint().map(|hint| hint.get(room.lang).to_owned()));
    let figure = if draft.is_annotation() { annotated(map, &placed, &outline, true) } else { figure(map, &placed, &outline) };
    let label = Label { lines, at: label_place(&figure, &placed), ..Label::default() };
    let look = FigureLook { is_selected: true, has_grips: draft.is_open_ended(), ..FigureLook::default() };
    Some(Drawn { id: String::new(), figure, label, look, is_cut: false })
}

/// The main number of a finding as it stands beside it.
fn written(room: &Room, scene: &Scene, finding: &Finding) -> String {
    with_detector(room, scene, &finding.geometry, &finding.measurements)
}

fn with_detector(room: &Room, scene: &Scene, geometry: &mj_model::Geometry, measurements: &[Measurement]) -> String {
    let main = measuring::main_line(measurements);
    match measuring::detector_line(scene, geometry, measurements, room.lang) {
        Some(there) => format!("{main}  ({there})"),
        None => main,
    }
}

/// The lines of a label: the main number, then mean and spread.
fn label_of(measurements: &[Measurement], first: &str) -> Vec<String> {
    let all = std::iter::once(first.trim_end().to_owned()).chain(measuring::mean_line(measurements));
    all.filter(|line| !line.is_empty()).collect()
}

/// The lines on the screen, without marks and places.
fn bare(map: &Mapping, lines: &[SpaceLine]) -> Figure {
    let on_screen = |(line, is_closed): &SpaceLine| (line.iter().map(|p| map.screen(*p)).collect(), *is_closed);
    Figure { lines: lines.iter().map(on_screen).collect(), ..Figure::default() }
}

/// The lines on the screen with the marks of the shape's kind and its places.
fn figure(map: &Mapping, placed: &Placed, lines: &[SpaceLine]) -> Figure {
    let mut figure = bare(map, lines);
    figure.grips = placed.grips(&map.plane).into_iter().map(|p| map.screen(p)).collect();
    let grips = figure.grips.clone();
    match (placed, grips.as_slice()) {
        (Placed::Shape(Shape::Line { .. }), &[a, b]) => figure.tick_ends([a, b]),
        (Placed::Shape(Shape::Bidirectional { .. }), &[a, b, c, d]) | (Placed::Shape(Shape::Cobb { .. }), &[a, b, c, d]) => {
            figure.tick_ends([a, b]);
            figure.tick_ends([c, d]);
            if matches!(placed, Placed::Shape(Shape::Cobb { .. })) {
                figure.links.push(vec![a + (b - a) * 0.5, c + (d - c) * 0.5]);
            }
        }
        (Placed::Shape(Shape::Angle { .. }), &[a, vertex, b]) => figure.links.push(arc(a, vertex, b)),
        (Placed::Shape(Shape::Point { .. }), &[at]) => {
            figure.lines.clear();
            figure.ticks.extend(cross(at, 2.5, 7.0));
        }
        (Placed::Ball { .. }, &[middle, ..]) => figure.ticks.extend(cross(middle, 0.0, 3.0)),
        _ => {}
    }
    figure
}

/// An arrow, from its head to its tail; of a text nothing but its place; of what others drew its lines, or a cross at a place
/// without a text.
fn annotated(map: &Mapping, placed: &Placed, lines: &[SpaceLine], has_text: bool) -> Figure {
    const HEAD: f32 = 11.0;
    let grips: Vec<Pos2> = placed.grips(&map.plane).into_iter().map(|p| map.screen(p)).collect();
    let mut figure = Figure { grips, ..Figure::default() };
    if let (Placed::Shape(Shape::Point { .. }), &[at], false) = (placed, figure.grips.as_slice(), has_text) {
        figure.ticks.extend(cross(at, 2.5, 7.0));
    } else if !matches!(placed, Placed::Shape(Shape::Line { .. } | Shape::Point { .. })) {
        figure.lines = bare(map, lines).lines;
    } else if let &[head, tail] = figure.grips.as_slice() {
        let along = (tail - head).normalized() * HEAD.min((tail - head).length() * 0.5);
        let side = Vec2::new(-along.y, along.x) * 0.5;
        figure.lines = vec![(vec![tail, head], false), (vec![head + along + side, head, head + along - side], false)];
    }
    figure
}

/// A cross with a gap in its middle.
fn cross(at: Pos2, gap: f32, reach: f32) -> [[Pos2; 2]; 4] {
    [vec2(1.0, 0.0), vec2(0.0, 1.0), vec2(-1.0, 0.0), vec2(0.0, -1.0)].map(|d| [at + d * gap, at + d * reach])
}

/// The arc of an angle between its arms.
fn arc(a: Pos2, vertex: Pos2, b: Pos2) -> Vec<Pos2> {
    const PIECES: u8 = 16;
    let (first, second) = (a - vertex, b - vertex);
    let radius = first.length().min(second.length()).min(44.0) * 0.5;
    let from = first.angle();
    let turn = second.angle() - from;
    let turn = turn - std::f32::consts::TAU * (turn / std::f32::consts::TAU).round();
    (0..=PIECES).map(|n| vertex + Vec2::angled(from + turn * f32::from(n) / f32::from(PIECES)) * radius).collect()
}

/// Where a label stands when nobody has moved it: beside the middle of a line, at the right of anything else.
fn label_place(figure: &Figure, placed: &Placed) -> Pos2 {
    if let (Placed::Shape(Shape::Line { .. }), &[a, b]) = (placed, figure.grips.as_slice()) {
        return a + (b - a) * 0.5 + vec2(12.0, -16.0);
    }
    let around = figure.bounds();
    pos2(around.right() + 10.0, around.center().y)
}

/// Draws shapes, their labels beside one another. Gives the labels' rectangles.
pub(crate) fn all(painter: &egui::Painter, theme: &Theme, shapes: &[Drawn]) -> Vec<Rect> {
    let bounds: Vec<Rect> = shapes.iter().map(|shape| shape.figure.bounds()).collect();
    let mut labels = Taken::of_picture(painter.clip_rect());
    let n_before = labels.len();
    for (n, shape) in shapes.iter().enumerate() {
        // Nothing gives way to a shape that is still being drawn.
        let others = shapes.iter().zip(&bounds).enumerate().filter(|(other, (drawn, _))| *other != n && !drawn.id.is_empty());
        let taken = Taken { labels, figures: others.map(|(_, (drawn, around))| (*around, &drawn.figure)).collect() };
        let label = overlay::figure(painter, theme, &shape.figure, &shape.label, &shape.look, &taken);
        labels = taken.labels;
        labels.push(label);
    }
    labels.split_off(n_before)
}

/// Draws the shapes of a viewport, their labels beside one another, and notes where they are.
pub(crate) fn paint(room: &mut Room, painter: &egui::Painter, pane: usize, shapes: &[Drawn]) {
    let ppp = painter.pixels_per_point();
    for (shape, label) in shapes.iter().zip(all(painter, &room.theme, shapes)) {
        if !shape.id.is_empty() {
            room.layout.shape(&shape.id, pane, &shape.figure.grips, label, shape.look.is_pending, ppp);
            let (figure, label_offset) = (shape.figure.clone(), label.left_center() - shape.label.at);
            room.hits.push(Hit { pane, id: shape.id.clone(), figure, label, label_offset, is_cut: shape.is_cut });
        }
    }
}

/// Moves a shape in the plane of a viewport by what is held.
pub(crate) fn moved(start: &Placed, grip: Grip, by: VectorLps, plane: &Plane) -> Placed {
    // Only in the plane: the picture may have gone to another slice meanwhile.
    let by = by + -(plane.normal() * by.dot(plane.normal()));
    match grip {
        Grip::Place(n) => start.grips(plane).get(n).map_or_else(|| start.clone(), |p| start.with_grip(n, *p + by, plane)),
        _ => start.shifted(by),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_before_the_line() {
        let mut figure = Figure { lines: vec![(vec![pos2(10.0, 10.0), pos2(110.0, 10.0)], false)], ..Figure::default() };
        figure.grips = vec![pos2(10.0, 10.0), pos2(110.0, 10.0)];
        let label = Rect::from_min_size(pos2(70.0, 20.0), vec2(40.0, 16.0));
        let mut hit = Hit { pane: 0, id: "a".into(), figure, label, label_offset: Vec2::ZERO, is_cut: false };
        assert_eq!(hit.grip(pos2(12.0, 13.0)), Some(Grip::Place(0)));
        assert_eq!(hit.grip(pos2(108.0, 8.0)), Some(Grip::Place(1)));
        assert_eq!(hit.grip(pos2(60.0, 13.0)), Some(Grip::Line));
        assert_eq!(hit.grip(pos2(80.0, 30.0)), Some(Grip::Label));
        assert_eq!(hit.grip(pos2(60.0, 60.0)), None);
        // Of two places near each other the nearer one.
        hit.figure.grips = vec![pos2(10.0, 10.0), pos2(14.0, 10.0)];
        assert_eq!(hit.grip(pos2(13.0, 10.0)), Some(Grip::Place(1)));
        // A closed line has a side more.
        hit.figure = Figure { lines: vec![(vec![pos2(0.0, 0.0), pos2(50.0, 0.0), pos2(50.0, 50.0)], true)], ..Figure::default() };
        hit.label = Rect::NOTHING;
        assert_eq!(hit.grip(pos2(25.0, 25.0)), Some(Grip::Line));
        hit.figure.lines[0].1 = false;
        assert_eq!(hit.grip(pos2(25.0, 25.0)), None);
    }

    #[test]
    fn a_region_is_cut_where_it_is_entered_and_left() {
        let grid = mj_model::Grid {
            dims: [64; 3],
            origin: PointLps::default(),
            axes: [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.0, 0.0, 1.0)],
            spacing_mm: [1.0; 3],
        };
        let coronal = Plane::coronal(&grid, grid.centre(), 64, 64).through(PointLps::new(0.0, 20.0, 0.0));
        let p = |x, y| PointLps::new(x, y, 7.0);
        // A U, open towards the front.
        let outline =
            [p(10.0, 10.0), p(20.0, 10.0), p(20.0, 40.0), p(30.0, 40.0), p(30.0, 10.0), p(40.0, 10.0), p(40.0, 50.0), p(10.0, 50.0)];
        let mut found: Vec<[f64; 2]> = cut(&outline, &coronal).iter().map(|(line, _)| [line[0].x, line[1].x]).collect();
        found.iter_mut().for_each(|pair| pair.sort_by(f64::total_cmp));
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(found, [[10.0, 20.0], [30.0, 40.0]]);
        assert!(cut(&outline, &coronal.through(PointLps::new(0.0, 60.0, 0.0))).is_empty());
    }
}
