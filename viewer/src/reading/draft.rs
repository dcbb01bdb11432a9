//! A shape that is being drawn, from the first press to the last.

use crate::reading::action::Tool;
use crate::reading::pane::{Mapping, PaneKind};
use crate::reading::placed::{Placed, across};
use egui::Pos2;
use mj_imaging::Plane;
use mj_lang::{Text, key};
use mj_model::{PointLps, Shape};

/// What is shorter than this on the screen is a click, and no shape. Units: points.
const SHORTEST: f32 = 3.0;
/// Half of the short axis that is proposed before it is drawn, as a share of the long one.
const PROPOSED: f64 = 0.25;

/// A shape that is being drawn. Every press goes on with it until it has all its places; between two of them the picture may
/// be moved, magnified and windowed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    tool: Tool,
    /// The viewport it was begun in.
    pub(crate) pane: usize,
    /// The image it was begun on, of a series that is no volume.
    slice: usize,
    fixed: Vec<PointLps>,
    /// A place that follows the pointer.
    moving: Option<PointLps>,
    /// Where the button was pressed last, and what the viewport showed then.
    from: Pos2,
    map: Mapping,
    /// This press set a place and began the next one.
    is_fresh: bool,
    is_held: bool,
}

/// What a release makes of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes on.
    On,
    /// It has all its places.
    Done,
}

impl Draft {
    /// Begins with a press at a place.
    pub(crate) fn begin(tool: Tool, pane: usize, slice: usize, map: &Mapping, from: Pos2) -> Self {
        let mut draft = Self { tool, pane, slice, fixed: Vec::new(), moving: None, from, map: *map, is_fresh: true, is_held: true };
        draft.press(map, from);
        draft
    }

    /// True while what a viewport shows is what it was begun on.
    pub(crate) fn is_on(&self, kind: PaneKind, slice: usize, plane: &Plane) -> bool {
        if kind == PaneKind::Native {
            return self.slice == slice;
        }
        self.fixed.first().is_none_or(|p| plane.depth_mm(*p).abs() < 1e-3)
    }

    /// True for an arrow or a text, which measure nothing.
    pub(crate) fn is_annotation(&self) -> bool {
        matches!(self.tool, Tool::Arrow | Tool::Text)
    }

    /// True for a curve that ends when the reader says so.
    pub(crate) fn is_open_ended(&self) -> bool {
        self.tool == Tool::Spline
    }

    /// The button went down.
    pub(crate) fn press(&mut self, map: &Mapping, pos: Pos2) {
        (self.from, self.map, self.is_held) = (pos, *map, true);
        let at = map.lps(pos);
        match self.tool {
            Tool::Spline | Tool::Freehand | Tool::Probe | Tool::Text => {
                self.fixed.push(at);
                self.moving = None;
            }
            _ => {
                self.is_fresh = self.moving.is_none();
                if self.is_fresh {
                    self.fixed.push(at);
                }
                self.moving = Some(at);
            }
        }
    }

    /// The pointer moved. Places of a freehand line are at least a pixel of the screen apart.
    pub(crate) fn follow(&mut self, map: &Mapping, pos: Pos2) {
        let at = map.lps(pos);
        match (self.tool, self.is_held) {
            (Tool::Freehand, true) if self.fixed.last().is_none_or(|last| last.distance_mm(at) >= map.plane.mm_per_pixel) => {
                self.fixed.push(at);
            }
            (Tool::Spline | Tool::Probe | Tool::Text, true) => {
                self.fixed.pop();
                self.fixed.push(at);
            }
            (Tool::Spline, false) => self.moving = Some(at),
            _ if self.moving.is_some() => self.moving = Some(at),
            _ => {}
        }
    }

    /// The button went up.
    pub(crate) fn release(&mut self, map: &Mapping, pos: Pos2) -> Step {
        let at = map.lps(pos);
        self.is_held = false;
        let is_click = (pos - self.from).length() < SHORTEST;
        match self.tool {
            Tool::Freehand | Tool::Probe | Tool::Text => return Step::Done,
            Tool::Spline => return Step::On,
            Tool::Bidirectional if self.fixed.len() == 3 && is_click => self.widen(at),
            // A click, not a drag: the line goes on to the next click.
            _ if self.is_fresh && is_click => return Step::On,
            _ => {
                self.moving = None;
                self.fixed.push(at);
            }
        }
        if Some(self.fixed.len()) == self.places() {
            return Step::Done;
        }
        // The second arm begins where the first one ends.
        self.moving = (self.tool == Tool::Angle).then_some(at);
        Step::On
    }

    /// A click beside the long axis: the short one reaches as far on both sides of its middle.
    fn widen(&mut self, at: PointLps) {
        let normal = self.map.plane.normal();
        let &[a, b, ..] = self.fixed.as_slice() else { return };
        let Some(side) = (b - a).unit().map(|along| normal.cross(along)) else { return };
        let half = (at - a).dot(side).abs();
        if let Some(short) = across([a, b], 0.5, [-half, half], normal) {
            self.fixed.truncate(2);
            self.fixed.extend(short);
            self.moving = None;
        }
    }

    /// Takes the last place of a curve back; false when none is left.
    pub(crate) fn take_back(&mut self) -> bool {
        self.fixed.pop();
        !self.fixed.is_empty()
    }

    /// How many places it takes.
    const fn places(&self) -> Option<usize> {
        match self.tool {
            Tool::Length | Tool::Ellipse | Tool::Rectangle | Tool::Sphere | Tool::Arrow => Some(2),
            Tool::Angle => Some(3),
            Tool::Bidirectional | Tool::Cobb => Some(4),
            Tool::Probe | Tool::Text => Some(1),
            _ => None,
        }
    }

    /// As it stands, with the place that follows the pointer; none while there is nothing to be drawn.
    pub(crate) fn shape(&self) -> Option<Placed> {
        let plane = &self.map.plane;
        let places: Vec<PointLps> = self.fixed.iter().copied().chain(self.moving).collect();
        let shape = match (self.tool, places.as_slice()) {
            (Tool::Probe | Tool::Text, &[at, ..]) => Shape::Point { at },
            (Tool::Ellipse | Tool::Rectangle, &[a, b]) => return Some(Placed::in_box(plane, [a, b], self.tool == Tool::Ellipse)),
            (Tool::Sphere, &[centre, rim]) => return Some(Placed::Ball { centre, radius_mm: centre.distance_mm(rim) }),
            (Tool::Bidirectional, &[a, b]) if self.moving.is_none() => {
                let half = a.distance_mm(b) * PROPOSED;
                Shape::Bidirectional { long: [a, b], short: across([a, b], 0.5, [-half, half], plane.normal())? }
            }
            (Tool::Bidirectional, &[a, b, from, to]) => {
                let along = b - a;
                let at = ((from - a).dot(along) / along.dot(along)).clamp(0.0, 1.0);
                let side = plane.normal().cross(along.unit()?);
                let ends = [from, to].map(|p| (p - a).dot(side));
                Shape::Bidirectional { long: [a, b], short: across([a, b], at, ends, plane.normal())? }
            }
            (Tool::Angle, &[a, vertex, b]) => Shape::Angle { arms: [a, vertex, b] },
            (Tool::Cobb, &[a, b, c, d]) => Shape::Cobb { first: [a, b], second: [c, d] },
            (Tool::Freehand, points @ [_, _, ..]) => Shape::Polyline { points: points.to_vec() },
            (Tool::Spline, control @ [_, _, _, ..]) => Shape::Spline { control: control.to_vec() },
            (_, &[a, b]) => Shape::Line { a, b },
            _ => return None,
        };
        Some(Placed::Shape(shape))
    }

    /// The finished shape; none where it is too small on the screen to be meant.
    pub(crate) fn finished(&self) -> Option<Placed> {
        let enough = f64::from(SHORTEST) / self.map.points_per_mm();
        let is_enough = |a: PointLps, b: PointLps| a.distance_mm(b) >= enough;
        let mut closed = Self { moving: None, ..self.clone() };
        closed.fixed.dedup();
        let placed = closed.shape()?;
        let is_meant = match &placed {
            Placed::Shape(Shape::Point { .. }) => true,
            Placed::Shape(Shape::Line { a, b }) => matches!(self.tool, Tool::Length | Tool::Arrow) && is_enough(*a, *b),
            Placed::Shape(Shape::Angle { arms: [a, vertex, b] }) => is_enough(*a, *vertex) && is_enough(*vertex, *b),
            Placed::Shape(Shape::Cobb { first, second }) => is_enough(first[0], first[1]) && is_enough(second[0], second[1]),
            Placed::Shape(Shape::Bidirectional { long, short }) => {
                self.fixed.len() == 4 && is_enough(long[0], long[1]) && short[0].distance_mm(short[1]) > 0.0
            }
            Placed::Shape(Shape::Ellipse { short, .. }) => is_enough(short[0], short[1]),
            Placed::Shape(Shape::Contours { contours }) => {
                contours.iter().all(|c| c.windows(2).all(|pair| matches!(pair, &[a, b] if is_enough(a, b))))
            }
            Placed::Shape(Shape::Polyline { points }) | Placed::Shape(Shape::Spline { control: points }) => {
                points.len() >= 3 && points.iter().any(|p| is_enough(*p, points[0]))
            }
            Placed::Ball { radius_mm, .. } => *radius_mm >= enough,
        };
        let placed = match placed {
            // A freehand line is closed when it is let go.
            Placed::Shape(Shape::Polyline { points }) => Placed::Shape(Shape::Contours { contours: vec![points] }),
            other => other,
        };
        is_meant.then_some(placed)
    }

    /// What to do next, where that is not plain to see.
    pub(crate) fn hint(&self) -> Option<Text> {
        match (self.tool, self.fixed.len(), self.is_held) {
            (Tool::Spline, ..) => Some(key::READING_HINT_SPLINE),
            (Tool::Bidirectional, 2, false) => Some(key::READING_HINT_SHORT_AXIS),
            (Tool::Angle, 2, false) => Some(key::READING_HINT_ANGLE),
            (Tool::Cobb, 2, false) => Some(key::READING_HINT_COBB),
            _ => None,
        }
    }

    /// True where its numbers are nobody's yet: the short axis is only proposed.
    pub(crate) fn is_proposal(&self) -> bool {
        self.tool == Tool::Bidirectional && self.fixed.len() == 2 && self.moving.is_none()
    }
}
