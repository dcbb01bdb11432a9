//! Writing a measurement group: one finding with its shape, its numbers and where they come from.
//!
//! Shapes in patient space that are measured, lines and single regions, stand under their numbers (TID 1501 with TID 320);
//! regions on an image are the group's own (TID 1410), as are single points, balls, contour sets and segments (TID 1411).
//! TID 1410 has no place for regions in patient space that every validator knows. Source: PS3.16.

use super::item::{self, CONTAINS, HAS_CONCEPT_MOD, HAS_OBS_CONTEXT, INFERRED_FROM, dcm, sct};
use crate::write::Object;
use dicom_core::{Tag, VR};
use mj_model::code::known;
use mj_model::finding::{ImageRef, OriginKind};
use mj_model::geometry::Position;
use mj_model::{Code, Extent, Finding, FindingState, FrameOfReferenceUid, Geometry, Measurement, PointLps, Shape, Side};

/// Names the private elements of group 0099 that follow it.
pub(super) const PRIVATE_CREATOR: (Tag, &str) = (Tag(0x0099, 0x0010), "MINGJING 1.0");
/// Control places of the spline that the polygon beside it was drawn by, as FD.
pub(super) const CONTROL_PLACES: Tag = Tag(0x0099, 0x1001);

/// Templates of a measurement group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Template {
    /// TID 1501: numbers, each with its source.
    Numbers,
    /// TID 1410: a region of one plane.
    Planar,
    /// TID 1411: a volume.
    Volumetric,
}

impl Template {
    fn of(finding: &Finding) -> Self {
        match &finding.geometry {
            _ if !is_written(finding) => Self::Numbers,
            Geometry::InSpace(Shape::Point { .. }) => Self::Volumetric,
            Geometry::InSpace(Shape::Contours { contours }) if contours.len() > 1 => Self::Volumetric,
            Geometry::OnImage(Shape::Contours { contours }) if contours.len() > 1 => Self::Volumetric,
            Geometry::OnImage(shape) if shape.is_region() || matches!(shape, Shape::Point { .. }) => Self::Planar,
            Geometry::Extent(Extent::Segment { .. } | Extent::Sphere { .. }) => Self::Volumetric,
            Geometry::InSpace(_) | Geometry::OnImage(_) | Geometry::Extent(Extent::WholeImage) => Self::Numbers,
        }
    }

    const fn id(self) -> &'static str {
        match self {
            Self::Numbers => "1501",
            Self::Planar => "1410",
            Self::Volumetric => "1411",
        }
    }
}

/// True when the place of a finding can be told: coordinates need what they count from.
pub(super) fn is_written(finding: &Finding) -> bool {
    match &finding.geometry {
        Geometry::InSpace(_) | Geometry::Extent(Extent::Sphere { .. }) => finding.frame_of_reference.is_some(),
        Geometry::OnImage(_) => !finding.images.is_empty(),
        Geometry::Extent(Extent::Segment { .. } | Extent::WholeImage) => true,
    }
}

/// One finding with its measurements; `number` counts the findings of the report from 1.
pub(super) fn group(number: usize, finding: &Finding) -> Object {
    let template = Template::of(finding);
    let mut children = vec![
        item::text(HAS_OBS_CONTEXT, &dcm("112039", "Tracking Identifier"), &format!("{} {number}", finding.kind.name_en)),
        item::uid(HAS_OBS_CONTEXT, &dcm("112040", "Tracking Unique Identifier"), finding.tracking_uid.as_str()),
        item::code(CONTAINS, &dcm("121071", "Finding"), &finding.kind, Vec::new()),
    ];
    children.extend(site(finding));
    children.extend(algorithm(finding));
    match template {
        Template::Numbers => children.extend(finding.images.iter().map(source_image)),
        Template::Planar => children.extend(region(finding)),
        Template::Volumetric => children.extend(volume(finding)),
    }
    let lines = if template == Template::Numbers && is_written(finding) { lines(finding) } else { Vec::new() };
    let mut is_told = lines.is_empty();
    for measurement in &finding.measurements {
        let own = lines.iter().filter(|(of, _)| of.is_same(&measurement.quantity.what)).map(|(_, line)| line.clone());
        let sources: Vec<Object> = own.collect();
        is_told |= !sources.is_empty();
        children.push(number_of(measurement, sources));
    }
    if !is_told {
        // A line nobody measured is told all the same.
        children.extend(lines.into_iter().map(|(_, line)| item::related(CONTAINS, line)));
    }
    if let Some(percent) = finding.certainty_percent {
        children.push(item::number(&known::certainty(), percent, &mj_model::Unit("%".into()), Vec::new()));
    }
    children.extend(qualities(finding));
    item::container(Some(CONTAINS), &dcm("125007", "Measurement Group"), Some(template.id()), children)
}

/// Finding Site with its laterality.
fn site(finding: &Finding) -> Option<Object> {
    let site = finding.site.as_ref()?;
    let side = laterality(finding.side).map(|side| item::code(HAS_CONCEPT_MOD, &sct("272741003", "Laterality"), &side, Vec::new()));
    Some(item::code(HAS_CONCEPT_MOD, &sct("363698007", "Finding Site"), site, side.into_iter().collect()))
}

/// The device that proposed it. Source: TID 4019.
fn algorithm(finding: &Finding) -> Vec<Object> {
    let Some(device) = finding.proposed_by.as_ref().filter(|by| by.who == OriginKind::Device) else { return Vec::new() };
    let version = if device.version.is_empty() { "unknown" } else { &device.version };
    vec![
        item::text(HAS_CONCEPT_MOD, &dcm("111001", "Algorithm Name"), &device.name),
        item::text(HAS_CONCEPT_MOD, &dcm("111003", "Algorithm Version"), version),
    ]
}

/// What is said of it in words: what people made of it, and its side where no site carries it.
fn qualities(finding: &Finding) -> Vec<Object> {
    let mut out = vec![item::code(CONTAINS, &review_state(), &state_code(finding.state), Vec::new())];
    if finding.site.is_none() {
        out.extend(laterality(finding.side).map(|side| item::code(CONTAINS, &sct("272741003", "Laterality"), &side, Vec::new())));
    }
    out
}

pub(super) fn review_state() -> Code {
    Code::new("99MJ", "review-state", "Review state", "审阅状态")
}

fn state_code(state: FindingState) -> Code {
    match state {
        FindingState::Proposed => Code::new("99MJ", "proposed", "Proposed by a device, not confirmed", "待确认"),
        FindingState::Accepted => Code::new("99MJ", "accepted", "Accepted by a person", "已确认"),
        FindingState::Edited => Code::new("99MJ", "edited", "Changed by a person", "已修改"),
        FindingState::Rejected => Code::new("99MJ", "rejected", "Rejected by a person", "已否决"),
        FindingState::Deleted => Code::new("99MJ", "deleted", "Taken back", "已删除"),
    }
}

pub(super) fn state_of(code: &Code) -> Option<FindingState> {
    use FindingState::{Accepted, Deleted, Edited, Proposed, Rejected};
    [Proposed, Accepted, Edited, Rejected, Deleted].into_iter().find(|&state| state_code(state).is_same(code))
}

fn laterality(side: Side) -> Option<Code> {
    match side {
        Side::Left => Some(sct("7771000", "Left")),
        Side::Right => Some(sct("24028007", "Right")),
        Side::Both => Some(sct("51440002", "Right and left")),
        Side::None => None,
    }
}

fn source_image(image: &ImageRef) -> Object {
    item::image(CONTAINS, Some(&sct("260753009", "Source")), image)
}

/// A number with its statistic, its method and what it was measured on. Source: TID 300.
fn number_of(measurement: &Measurement, sources: Vec<Object>) -> Object {
    let mut children = Vec::new();
    if let Some(method) = &measurement.method {
        children.push(item::code(HAS_CONCEPT_MOD, &sct("370129005", "Measurement Method"), method, Vec::new()));
    }
    if let Some(derivation) = &measurement.derivation {
        children.push(item::code(HAS_CONCEPT_MOD, &dcm("121401", "Derivation"), derivation, Vec::new()));
    }
    children.extend(sources);
    let quantity = &measurement.quantity;
    item::number(&quantity.what, quantity.value, &quantity.unit, children)
}

/// The coordinates of a shape, each with the concept of the number that is measured along it.
fn lines(finding: &Finding) -> Vec<(Code, Object)> {
    let concept = dcm("121112", "Source of Measurement");
    match (&finding.geometry, &finding.frame_of_reference, finding.images.first()) {
        (Geometry::InSpace(shape), Some(frame), _) => {
            graphics(shape, "POLYGON", |kind, places| item::scoord3d(INFERRED_FROM, &concept, kind, places, frame))
        }
        (Geometry::OnImage(shape), _, Some(image)) => {
            graphics(shape, "POLYLINE", |kind, places| item::scoord(INFERRED_FROM, &concept, kind, places, image))
        }
        _ => Vec::new(),
    }
}

/// The coordinates of a region or a point on an image.
fn region(finding: &Finding) -> Vec<Object> {
    let concept = dcm("111030", "Image Region");
    let (Geometry::OnImage(shape), Some(image)) = (&finding.geometry, finding.images.first()) else { return Vec::new() };
    let all = graphics(shape, "POLYLINE", |kind, places| item::scoord(CONTAINS, &concept, kind, places, image));
    all.into_iter().map(|(_, item)| item).collect()
}

/// A coordinate item for each part of a shape, with what is measured by it; `closed` names a closed line, whose first place
/// is repeated at its end.
fn graphics<P: Position>(shape: &Shape<P>, closed: &str, write: impl Fn(&str, &[P]) -> Object) -> Vec<(Code, Object)> {
    let line = |what: Code, places: &[P]| (what, write("POLYLINE", places));
    match shape {
        Shape::Point { at } => vec![(known::length(), write("POINT", &[*at]))],
        Shape::Line { a, b } => vec![line(known::length(), &[*a, *b])],
        Shape::Bidirectional { long, short } => vec![line(known::long_axis(), long), line(known::short_axis(), short)],
        Shape::Angle { arms } => vec![line(known::angle(), arms)],
        Shape::Cobb { first, second } => vec![line(known::cobb_angle(), &[*first, *second].concat())],
        Shape::Polyline { points } => vec![line(known::path_length(), points)],
        Shape::Ellipse { long, short } => vec![(known::area(), write("ELLIPSE", &[*long, *short].concat()))],
        Shape::Contours { contours } => contours.iter().map(|c| (known::area(), write(closed, &ring(c)))).collect(),
        Shape::Spline { control } => {
            let outline = shape.outline().pop().map(|(places, _)| places).unwrap_or_default();
            let mut item = write(closed, &ring(&outline));
            let numbers: Vec<f64> = control.iter().flat_map(|p| p.xyz()).collect();
            item.text(PRIVATE_CREATOR.0, VR::LO, PRIVATE_CREATOR.1).f64s(CONTROL_PLACES, &numbers);
            vec![(known::area(), item)]
        }
    }
}

fn ring<P: Copy>(places: &[P]) -> Vec<P> {
    places.iter().chain(places.first()).copied().collect()
}

/// The content of a volumetric group that says which volume.
fn volume(finding: &Finding) -> Vec<Object> {
    let surface = dcm("121231", "Volume Surface");
    let series = || item::uid(CONTAINS, &dcm("121232", "Source series for segmentation"), finding.series.as_str());
    let sources = finding.images.iter().map(source_image);
    let mut out = match (&finding.geometry, &finding.frame_of_reference) {
        (Geometry::Extent(Extent::Segment { instance, sop_class, number, .. }), _) => {
            let image = ImageRef { instance: instance.clone(), sop_class: sop_class.clone(), frame: None };
            vec![item::segment(CONTAINS, &dcm("121191", "Referenced Segment"), &image, *number), series()]
        }
        (Geometry::Extent(Extent::Sphere { centre, radius_mm }), Some(frame)) => {
            vec![sphere(*centre, *radius_mm, &surface, frame), series()]
        }
        (Geometry::InSpace(shape), Some(frame)) => {
            let all = graphics(shape, "POLYGON", |kind, places| item::scoord3d(CONTAINS, &surface, kind, places, frame));
            all.into_iter().map(|(_, item)| item).chain([series()]).collect()
        }
        // The images stand with the coordinates.
        _ => return region(finding),
    };
    out.extend(sources);
    out
}

/// A ball as an ellipsoid by the ends of its three axes. Source: PS3.3 §C.18.9.1.2.
fn sphere(centre: PointLps, radius_mm: f64, concept: &Code, frame: &FrameOfReferenceUid) -> Object {
    let along = |axis: usize, sign: f64| {
        let mut xyz: [f64; 3] = centre.into();
        xyz[axis] += sign * radius_mm;
        PointLps::from(xyz)
    };
    let ends: Vec<PointLps> = (0..3).flat_map(|axis| [along(axis, -1.0), along(axis, 1.0)]).collect();
    item::scoord3d(CONTAINS, concept, "ELLIPSOID", &ends, frame)
}
