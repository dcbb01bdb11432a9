//! What is to be drawn on which image, before it becomes an object.

use super::read::{Graphic, Marks, Place, Spot, Text, shape_of_line};
use super::{FINDINGS, GspsInput, REMARKS};
use crate::plane::{self, Plane};
use mj_model::finding::ImageRef;
use mj_model::geometry::Pixel;
use mj_model::{Finding, Geometry, PointLps, Shape};
use std::collections::BTreeMap;

/// Most characters of a text object: Unformatted Text Value is an ST. Source: PS3.5 §6.2.
const LONGEST_TEXT: usize = 1024;
/// Most places of a graphic object: their number is 16 bits. Source: PS3.3 §C.10.5.
const MOST_PLACES: usize = u16::MAX as usize;

/// An arrow, a text, or both, without clinical meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The image it is drawn on.
    pub image: ImageRef,
    /// The text; empty for an arrow alone.
    pub text: String,
    /// Where the text belongs. Units: pixels of the image.
    pub anchor: Pixel,
    /// From its tail to its head. Units: pixels of the image.
    pub arrow: Option<[Pixel; 2]>,
}

/// Something that was to be drawn and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is.
    pub source: Source,
    /// Why it is not drawn.
    pub why: Reason,
}

/// What was to be drawn, by its place in the input from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A finding.
    Finding(usize),
    /// An annotation.
    Annotation(usize),
}

/// Why something is not drawn: it would stand where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No image of the series is the one it was drawn on.
    NotOfTheSeries,
    /// Its frame of reference is not that of the images, or not known.
    OtherFrame,
    /// Its places are more than half a slice off every image.
    OffTheImages,
    /// It reaches beyond the border of its image.
    BeyondTheBorder,
    /// It has no shape: a ball, a segment, the images as a whole.
    NoShape,
    /// It lacks places, has one that is no number, or nothing is in it.
    NotWhole,
    /// Its text or its number of places is larger than an object holds.
    TooLong,
}

impl Reason {
    /// Every reason, for tests of the catalogue.
    pub const ALL: [Self; 7] =
        [Self::NotOfTheSeries, Self::OtherFrame, Self::OffTheImages, Self::BeyondTheBorder, Self::NoShape, Self::NotWhole, Self::TooLong];

    /// Stable code, under which the catalogue has the sentence for a doctor.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOfTheSeries => "export.not_of_the_series",
            Self::OtherFrame => "export.other_frame",
            Self::OffTheImages => "export.off_image",
            Self::BeyondTheBorder => "export.beyond_the_border",
            Self::NoShape => "export.no_shape",
            Self::NotWhole => "export.not_whole",
            Self::TooLong => "export.too_long",
        }
    }
}

/// All that is drawn, by image and layer, and what is not.
pub(super) struct Drawing {
    pub marks: Vec<Marks>,
    pub left_out: Vec<LeftOut>,
}

/// Marks of one source, each on its image.
#[derive(Default)]
struct Piece<'a> {
    graphics: Vec<(&'a Plane, Shape<Pixel>)>,
    text: Option<(&'a Plane, String, Pixel)>,
}

/// What the input asks for, as it will be read back: places already as 32-bit floats.
pub(super) fn drawing(input: &GspsInput<'_>) -> Drawing {
    let order: BTreeMap<&str, usize> = input.images.iter().enumerate().rev().map(|(at, p)| (p.image.instance.as_str(), at)).collect();
    let mut sorted: BTreeMap<(usize, Option<u32>, &'static str), Marks> = BTreeMap::new();
    let mut left_out = Vec::new();
    let mut marks_of = |plane: &Plane, layer: &'static str, add: &mut dyn FnMut(&mut Marks)| {
        let at = order.get(plane.image.instance.as_str()).copied().unwrap_or(usize::MAX);
        let key = (at, plane.image.frame, layer);
        add(sorted.entry(key).or_insert_with(|| Marks { images: vec![plane.image.clone()], layer: layer.to_owned(), ..Marks::default() }));
    };
    let live = input.findings.iter().enumerate().filter(|(_, finding)| finding.is_live());
    let findings = live.enumerate().map(|(number, (at, finding))| {
        (Source::Finding(at), FINDINGS, Some(finding.tracking_uid.clone()), of_finding(input, number + 1, finding))
    });
    let annotations = input.annotations.iter().enumerate();
    let annotations = annotations.map(|(at, annotation)| (Source::Annotation(at), REMARKS, None, of_annotation(input.images, annotation)));
    for (source, layer, tracking, piece) in findings.chain(annotations) {
        let piece = match piece {
            Ok(piece) => piece,
            Err(why) => {
                left_out.push(LeftOut { source, why });
                continue;
            }
        };
        for (plane, shape) in piece.graphics {
            let graphic = Graphic { place: Place::OnImage(shape), is_filled: false, tracking_uid: tracking.clone() };
            marks_of(plane, layer, &mut |marks| marks.graphics.push(graphic.clone()));
        }
        if let Some((plane, text, anchor)) = piece.text {
            let anchor = Some(Spot::OnImage(rounded(anchor)));
            let text = Text { text, anchor, bounds: None, is_anchor_visible: true, tracking_uid: tracking };
            marks_of(plane, layer, &mut |marks| marks.texts.push(text.clone()));
        }
    }
    Drawing { marks: sorted.into_values().collect(), left_out }
}

/// A finding's lines, and its number with its measurements.
fn of_finding<'a>(input: &GspsInput<'a>, number: usize, finding: &Finding) -> Result<Piece<'a>, Reason> {
    let planes = input.images;
    if !finding.geometry.is_whole() {
        return Err(Reason::NotWhole);
    }
    let graphics = match &finding.geometry {
        Geometry::InSpace(_) if finding.frame_of_reference.is_none() || finding.frame_of_reference != input.frame_of_reference => {
            return Err(Reason::OtherFrame);
        }
        Geometry::InSpace(shape) => projected(planes, shape)?,
        Geometry::OnImage(shape) => {
            let image = finding.images.first().ok_or(Reason::NotOfTheSeries)?;
            let plane = plane_of(planes, image)?;
            parts(shape).into_iter().map(|part| (plane, part)).collect()
        }
        Geometry::Extent(_) => return Err(Reason::NoShape),
    };
    let graphics = graphics.into_iter().map(|(plane, part)| Ok((plane, settled(plane, &part)?))).collect::<Result<Vec<_>, Reason>>()?;
    let values: Vec<String> = finding.measurements.iter().map(|m| m.quantity.shown()).collect();
    let text = text(&format!("{number} {}", values.join(", ")))?;
    let anchor = graphics.first().and_then(|(plane, shape)| Some((*plane, text, *shape.positions().first()?)));
    Ok(Piece { graphics, text: anchor })
}

/// The parts of a shape, each on the image that it lies on.
fn projected<'a>(planes: &'a [Plane], shape: &Shape<PointLps>) -> Result<Vec<(&'a Plane, Shape<Pixel>)>, Reason> {
    let one = |part: Shape<PointLps>| {
        let plane = plane::nearest(planes, &part.positions()).ok_or(Reason::OffTheImages)?;
        let grid = plane.grid.as_ref().ok_or(Reason::OffTheImages)?;
        let pixel = |place| {
            let [column, row, _] = grid.voxel_from_lps(place);
            [column, row]
        };
        Ok((plane, part.map(pixel)))
    };
    parts(shape).into_iter().map(one).collect()
}

/// A shape as graphic objects that each are one line.
fn parts<P: mj_model::geometry::Position>(shape: &Shape<P>) -> Vec<Shape<P>> {
    match shape {
        Shape::Point { .. } | Shape::Ellipse { .. } => vec![shape.clone()],
        _ => shape.outline().into_iter().map(part).collect(),
    }
}

fn part<P: mj_model::geometry::Position>((points, is_closed): (Vec<P>, bool)) -> Shape<P> {
    if is_closed { Shape::Contours { contours: vec![points] } } else { Shape::Polyline { points } }
}

fn of_annotation<'a>(planes: &'a [Plane], annotation: &Annotation) -> Result<Piece<'a>, Reason> {
    let plane = plane_of(planes, &annotation.image)?;
    let mut piece = Piece::default();
    if let Some(ends) = annotation.arrow {
        piece.graphics.push((plane, settled(plane, &Shape::Polyline { points: arrow(plane, ends)? })?));
    }
    if !annotation.text.trim().is_empty() {
        inside(plane, annotation.anchor)?;
        piece.text = Some((plane, text(&annotation.text)?, annotation.anchor));
    }
    let is_empty = piece.graphics.is_empty() && piece.text.is_none();
    if is_empty { Err(Reason::NotWhole) } else { Ok(piece) }
}

fn plane_of<'a>(planes: &'a [Plane], image: &ImageRef) -> Result<&'a Plane, Reason> {
    // Of an object with a single frame both ways of naming it are in use.
    let is_it = |plane: &&Plane| plane.image.instance == image.instance && plane.image.frame.unwrap_or(1) == image.frame.unwrap_or(1);
    planes.iter().find(is_it).ok_or(Reason::NotOfTheSeries)
}

/// Longest side of an arrow's head. Units: pixels.
const HEAD: f64 = 12.0;

/// Shaft and head in one line: graphic objects have no arrows of their own that every viewer draws.
fn arrow(plane: &Plane, [tail, head]: [Pixel; 2]) -> Result<Vec<Pixel>, Reason> {
    inside(plane, tail)?;
    inside(plane, head)?;
    let (dx, dy) = (tail[0] - head[0], tail[1] - head[1]);
    let length = dx.hypot(dy);
    if length <= 0.0 {
        return Err(Reason::NotWhole);
    }
    let side = |turn: f64| {
        let (sin, cos) = turn.sin_cos();
        let scale = HEAD.min(length * 0.4) / length;
        let [column, row] = [head[0] + (dx * cos - dy * sin) * scale, head[1] + (dx * sin + dy * cos) * scale];
        let within = |v: f64, n: u32| v.clamp(-0.5, f64::from(n) - 0.5);
        [within(column, plane.size[0]), within(row, plane.size[1])]
    };
    Ok(vec![tail, head, side(0.45), head, side(-0.45)])
}

fn inside(plane: &Plane, place: Pixel) -> Result<(), Reason> {
    if !place.iter().all(|v| v.is_finite()) {
        return Err(Reason::NotWhole);
    }
    if plane.is_inside(place) { Ok(()) } else { Err(Reason::BeyondTheBorder) }
}

/// A part as it will be read: within the image, its places 32-bit floats.
fn settled(plane: &Plane, part: &Shape<Pixel>) -> Result<Shape<Pixel>, Reason> {
    let places = part.positions();
    places.iter().try_for_each(|place| inside(plane, *place))?;
    if places.len() >= MOST_PLACES {
        return Err(Reason::TooLong);
    }
    Ok(match part.map(rounded) {
        Shape::Polyline { points } => shape_of_line(points),
        Shape::Contours { contours } => {
            let mut line = contours.concat();
            line.extend(line.first().copied());
            shape_of_line(line)
        }
        other => other,
    })
}

/// As the object holds it, from the corner of the first pixel.
fn rounded(place: Pixel) -> Pixel {
    place.map(|v| f64::from((v + 0.5) as f32) - 0.5)
}

/// A text as it can be read back.
fn text(text: &str) -> Result<String, Reason> {
    let clean: String = text.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let length = clean.chars().count() + clean.matches('\n').count();
    if length > LONGEST_TEXT { Err(Reason::TooLong) } else { Ok(clean) }
}
