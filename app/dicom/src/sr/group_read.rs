//! Reading a measurement group, ours and others'.

use super::group::{CONTROL_PLACES, PRIVATE_CREATOR, review_state, state_of};
use super::read::MAX_DEPTH;
use crate::dataset::View;
use dicom_dictionary_std::tags;
use mj_model::code::known;
use mj_model::finding::ImageRef;
use mj_model::geometry::{Pixel, Position};
use mj_model::{
    Code, Extent, FindingState, FrameOfReferenceUid, Geometry, InstanceUid, PointLps, Quantity, SeriesUid, Shape, Side, SopClassUid, Unit,
};

/// One measurement group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SrFinding {
    /// Tracking Identifier.
    pub tracking_id: String,
    /// Tracking Unique Identifier, as in the file.
    pub tracking_uid: String,
    /// Finding.
    pub kind: Option<Code>,
    /// Finding Site.
    pub site: Option<Code>,
    /// Laterality of the site.
    pub side: Side,
    /// Numbers with units.
    pub measurements: Vec<SrMeasurement>,
    /// Certainty of Finding. Units: percent.
    pub certainty_percent: Option<f64>,
    /// What a person made of it, in our own reports.
    pub state: Option<FindingState>,
    /// Name and version of the algorithm that found it; the version is empty when not said.
    pub algorithm: Option<(String, String)>,
    /// Its shape, when it has one that we know.
    pub geometry: Option<Geometry>,
    /// Frame of reference of that shape.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Images the group refers to.
    pub images: Vec<ImageRef>,
    /// Source series for segmentation.
    pub series: Option<SeriesUid>,
    /// Graphic types of coordinates that are not in `geometry`.
    pub left_out: Vec<String>,
}

/// A number of a measurement group.
#[derive(Debug, Clone, PartialEq)]
pub struct SrMeasurement {
    /// What, how much, in which unit.
    pub quantity: Quantity,
    /// Derivation, for example the mean.
    pub derivation: Option<Code>,
    /// Measurement Method.
    pub method: Option<Code>,
}

/// A coordinate item: what was measured along it, its graphic type, its places.
#[derive(Debug, Clone, PartialEq)]
struct Graphic<P> {
    of: Option<Code>,
    /// The image it was selected from.
    image: Option<ImageRef>,
    kind: String,
    places: Vec<P>,
    control: Vec<P>,
}

/// What a group holds of coordinates.
#[derive(Default)]
struct Found {
    in_space: Vec<Graphic<PointLps>>,
    on_image: Vec<Graphic<Pixel>>,
    segment: Option<(ImageRef, u16)>,
}

/// Reads a group.
pub(super) fn group(view: &View<'_>) -> SrFinding {
    let mut finding = SrFinding::default();
    let mut found = Found::default();
    walk(view, None, &mut finding, &mut found, 0);
    settle(&mut finding, found);
    finding
}

fn walk(view: &View<'_>, measured: Option<&Code>, finding: &mut SrFinding, found: &mut Found, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = item.code(tags::CONCEPT_NAME_CODE_SEQUENCE);
        let code = concept.as_ref().map_or("", |c| c.code.as_str());
        let value = || item.code(tags::CONCEPT_CODE_SEQUENCE);
        let mut below = measured;
        match (item.first_text(tags::VALUE_TYPE).as_str(), code) {
            ("TEXT", "112039") => finding.tracking_id = item.text(tags::TEXT_VALUE),
            ("UIDREF", "112040") => finding.tracking_uid = item.text(tags::UID),
            ("UIDREF", "121232") => finding.series = SeriesUid::parse(&item.text(tags::UID)).ok(),
            ("TEXT", "111001") => finding.algorithm.get_or_insert_default().0 = item.text(tags::TEXT_VALUE),
            ("TEXT", "111003") => finding.algorithm.get_or_insert_default().1 = item.text(tags::TEXT_VALUE),
            ("CODE", "121071") => finding.kind = value(),
            // Older reports use the SNOMED RT spellings of site and laterality.
            ("CODE", "363698007" | "G-C0E3") => finding.site = value(),
            ("CODE", "272741003" | "G-C171") => finding.side = side_of(value().as_ref()),
            ("CODE", _) if concept.as_ref().is_some_and(|c| c.is_same(&review_state())) => {
                finding.state = value().as_ref().and_then(state_of);
            }
            ("NUM", _) => {
                finding.take_number(&item, concept.clone());
                below = concept.as_ref();
            }
            ("SCOORD3D", _) => take_in_space(&item, measured, finding, found),
            ("SCOORD", _) => take_on_image(&item, measured, found),
            ("IMAGE", "121191" | "121214") => found.segment = found.segment.take().or_else(|| segment(&item)),
            ("IMAGE", _) => finding.take_image(&item),
            _ => {}
        }
        walk(&item, below, finding, found, depth + 1);
    }
}

impl SrFinding {
    fn take_number(&mut self, item: &View<'_>, concept: Option<Code>) {
        let Some(quantity) = quantity(item, concept) else { return };
        if quantity.what.is_same(&known::certainty()) {
            self.certainty_percent = Some(quantity.value);
            return;
        }
        let below = |wanted: &[&str]| {
            let children: Vec<View<'_>> = item.items(tags::CONTENT_SEQUENCE).collect();
            let of = |child: &View<'_>| child.code(tags::CONCEPT_NAME_CODE_SEQUENCE).is_some_and(|c| wanted.contains(&c.code.as_str()));
            children.iter().find(|child| of(child)).and_then(|child| child.code(tags::CONCEPT_CODE_SEQUENCE))
        };
        let (derivation, method) = (below(&["121401"]), below(&["370129005", "G-C036"]));
        self.measurements.push(SrMeasurement { quantity, derivation, method });
    }

    fn take_image(&mut self, item: &View<'_>) {
        if let Some(image) = image(item).filter(|image| !self.images.contains(image)) {
            self.images.push(image);
        }
    }
}

/// The side that a code of laterality says. Source: PS3.16 CID 244, and SNOMED RT before 2017.
pub(crate) fn side_of(code: Option<&Code>) -> Side {
    match code.map_or("", |c| c.code.as_str()) {
        "7771000" | "G-A101" => Side::Left,
        "24028007" | "G-A100" => Side::Right,
        "51440002" | "G-A102" => Side::Both,
        _ => Side::None,
    }
}

fn quantity(item: &View<'_>, concept: Option<Code>) -> Option<Quantity> {
    let measured = item.item(tags::MEASURED_VALUE_SEQUENCE)?;
    let value = measured.float(tags::FLOATING_POINT_VALUE).or_else(|| measured.float(tags::NUMERIC_VALUE))?;
    let unit = measured.code(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).map_or_else(Unit::one, |c| Unit(c.code));
    value.is_finite().then_some(Quantity { what: concept?, value, unit })
}

fn take_in_space(item: &View<'_>, measured: Option<&Code>, finding: &mut SrFinding, found: &mut Found) {
    let of_three = |data: &[f64]| data.chunks_exact(3).map(|c| PointLps::new(c[0], c[1], c[2])).collect::<Vec<_>>();
    let graphic = Graphic {
        of: measured.cloned(),
        image: None,
        kind: item.first_text(tags::GRAPHIC_TYPE),
        places: of_three(&item.floats(tags::GRAPHIC_DATA)),
        control: of_three(&control(item)),
    };
    finding.frame_of_reference =
        finding.frame_of_reference.take().or_else(|| FrameOfReferenceUid::parse(&item.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID)).ok());
    if !found.in_space.iter().any(|known| known.places == graphic.places) {
        found.in_space.push(graphic);
    }
}

/// DICOM counts from the upper left corner of the first pixel, we from its centre. Source: PS3.3 §C.18.6.
fn take_on_image(item: &View<'_>, measured: Option<&Code>, found: &mut Found) {
    let data = item.floats(tags::GRAPHIC_DATA);
    let graphic = Graphic {
        of: measured.cloned(),
        image: item.items(tags::CONTENT_SEQUENCE).find_map(|child| image(&child)),
        kind: item.first_text(tags::GRAPHIC_TYPE),
        places: data.chunks_exact(2).map(|c| [c[0] - 0.5, c[1] - 0.5]).collect(),
        control: control(item).chunks_exact(3).map(|c| [c[0], c[1]]).collect(),
    };
    if !found.on_image.iter().any(|known| known.places == graphic.places && known.image == graphic.image) {
        found.on_image.push(graphic);
    }
}

fn control(item: &View<'_>) -> Vec<f64> {
    let is_ours = item.text(PRIVATE_CREATOR.0) == PRIVATE_CREATOR.1;
    let bytes = item.raw(CONTROL_PLACES).filter(|_| is_ours).unwrap_or_default();
    bytes
        .chunks_exact(8)
        .filter_map(|b| b.try_into().ok())
        .map(if item.is_big_endian() { f64::from_be_bytes } else { f64::from_le_bytes })
        .collect()
}

pub(super) fn image(item: &View<'_>) -> Option<ImageRef> {
    let reference = item.item(tags::REFERENCED_SOP_SEQUENCE)?;
    Some(ImageRef {
        instance: InstanceUid::parse(&reference.text(tags::REFERENCED_SOP_INSTANCE_UID)).ok()?,
        sop_class: SopClassUid::parse(&reference.text(tags::REFERENCED_SOP_CLASS_UID)).ok()?,
        frame: reference.count(tags::REFERENCED_FRAME_NUMBER),
    })
}

fn segment(item: &View<'_>) -> Option<(ImageRef, u16)> {
    let number = item.item(tags::REFERENCED_SOP_SEQUENCE)?.count(tags::REFERENCED_SEGMENT_NUMBER)?;
    Some((ImageRef { frame: None, ..image(item)? }, u16::try_from(number).ok()?))
}

/// Makes one geometry of all that was found; what does not go into it is named.
fn settle(finding: &mut SrFinding, found: Found) {
    let kinds = |n: usize| {
        let all = found.in_space.iter().map(|g| &g.kind).chain(found.on_image.iter().map(|g| &g.kind));
        all.skip(n).cloned().collect::<Vec<_>>()
    };
    if let Some((image, number)) = found.segment {
        let ImageRef { instance, sop_class, .. } = image;
        finding.geometry = Some(Geometry::Extent(Extent::Segment { series: None, instance, sop_class, number, centre: None }));
        finding.left_out = kinds(0);
        return;
    }
    let is_of_several = found.on_image.iter().any(|graphic| graphic.image != found.on_image.first().and_then(|first| first.image.clone()));
    let used = if is_of_several {
        // Places of several images are no shape on one.
        0
    } else if let Some(ball) = sphere(&found.in_space) {
        finding.geometry = Some(ball);
        1
    } else if found.in_space.is_empty() {
        let (shape, used) = shape(&found.on_image);
        finding.geometry = shape.map(Geometry::OnImage);
        used
    } else {
        let (shape, used) = shape(&found.in_space);
        finding.geometry = shape.map(Geometry::InSpace);
        used
    };
    finding.left_out = kinds(used);
    if finding.geometry.is_none() && finding.left_out.is_empty() && !finding.images.is_empty() {
        finding.geometry = Some(Geometry::whole_image());
    }
}

/// How much the axes of a ball may differ, in shares of its radius: coordinates are 32-bit floats.
const ROUND: f64 = 1e-3;

fn sphere(graphics: &[Graphic<PointLps>]) -> Option<Geometry> {
    let [only] = graphics else { return None };
    let &[a, b, c, d, e, f] = only.places.as_slice() else { return None };
    if only.kind != "ELLIPSOID" {
        return None;
    }
    let centre = a + (b - a) * 0.5;
    let radii = [(a, b), (c, d), (e, f)].map(|(p, q)| p.distance_mm(q) / 2.0);
    let radius_mm = radii.iter().sum::<f64>() / 3.0;
    let is_round = radii.iter().all(|r| (r - radius_mm).abs() <= ROUND * radius_mm.max(1.0));
    (is_round && radius_mm > 0.0).then_some(Geometry::Extent(Extent::Sphere { centre, radius_mm }))
}

/// The shape of coordinate items, and how many of the first of them it takes.
fn shape<P: Position>(graphics: &[Graphic<P>]) -> (Option<Shape<P>>, usize) {
    let is_of = |graphic: &Graphic<P>, what: &Code| graphic.of.as_ref().is_some_and(|of| of.is_same(what));
    if let [long, short, ..] = graphics
        && is_of(long, &known::long_axis())
        && is_of(short, &known::short_axis())
        && let (&[a, b], &[c, d]) = (long.places.as_slice(), short.places.as_slice())
    {
        return (Some(Shape::Bidirectional { long: [a, b], short: [c, d] }), 2);
    }
    let closed: Vec<Vec<P>> = graphics.iter().map_while(contour).collect();
    if !closed.is_empty() {
        let n = closed.len();
        let spline = graphics.first().filter(|_| n == 1).and_then(spline);
        return (Some(spline.unwrap_or(Shape::Contours { contours: closed })), n);
    }
    let Some(first) = graphics.first() else { return (None, 0) };
    let shape = match (first.kind.as_str(), first.places.as_slice()) {
        ("POINT", &[at, ..]) => Some(Shape::Point { at }),
        ("ELLIPSE", &[a, b, c, d]) => Some(Shape::Ellipse { long: [a, b], short: [c, d] }),
        ("POLYLINE", &[a, vertex, b]) if is_of(first, &known::angle()) => Some(Shape::Angle { arms: [a, vertex, b] }),
        ("POLYLINE", &[a, b, c, d]) if is_of(first, &known::cobb_angle()) => Some(Shape::Cobb { first: [a, b], second: [c, d] }),
        ("POLYLINE", &[a, b]) if !is_of(first, &known::path_length()) => Some(Shape::Line { a, b }),
        ("POLYLINE", points) if points.len() >= 2 => Some(Shape::Polyline { points: points.to_vec() }),
        _ => None,
    };
    let used = usize::from(shape.is_some());
    (shape, used)
}

/// The places of a closed line, the repeated last one left out.
fn contour<P: Position>(graphic: &Graphic<P>) -> Option<Vec<P>> {
    let (first, rest) = graphic.places.split_first()?;
    let ends_at_start = rest.last() == Some(first);
    let is_path = graphic.of.as_ref().is_some_and(|of| of.is_same(&known::path_length()));
    let is_closed = graphic.kind == "POLYGON" || (graphic.kind == "POLYLINE" && ends_at_start && !is_path);
    let places = if ends_at_start { graphic.places.split_last()?.1 } else { &graphic.places };
    (is_closed && places.len() >= 3).then(|| places.to_vec())
}

/// The spline by whose control places a polygon was drawn, if it still is that polygon.
fn spline<P: Position>(graphic: &Graphic<P>) -> Option<Shape<P>> {
    let spline = Shape::Spline { control: graphic.control.clone() };
    if !spline.is_whole() {
        return None;
    }
    let (drawn, _) = spline.outline().pop()?;
    let places = contour(graphic)?;
    let near = |a: &P, b: &P| a.xyz().iter().zip(b.xyz()).all(|(a, b)| (a - b).abs() <= 1e-3);
    (drawn.len() == places.len() && drawn.iter().zip(&places).all(|(a, b)| near(a, b))).then_some(spline)
}
