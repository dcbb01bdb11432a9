//! Writing a measurement group: one finding with its shape, its numbers and where they come from.
//!
//! Shapes that are measured along lines stand under their numbers (TID 1501 with TID 320); regions, single places and
//! segments are the group's own (TID 1410 planar, TID 1411 volumetric). Source: PS3.16.

use super::item::{self, CONTAINS, HAS_CONCEPT_MOD, HAS_OBS_CONTEXT, INFERRED_FROM, dcm, sct};
use crate::write::Object;
use dicom_core::{Tag, VR};
use mj_model::code::known;
use mj_model::finding::ImageRef;
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
        let by_shape = |is_own: bool, n_lines: usize| match (is_own, n_lines) {
            (false, _) => Self::Numbers,
            (true, 1) => Self::Planar,
            (true, _) => Self::Volumetric,
        };
        match &finding.geometry {
            _ if !is_written(finding) => Self::Numbers,
            Geometry::InSpace(s) => by_shape(s.is_region() || matches!(s, Shape::Point { .. }), s.outline().len()),
            Geometry::OnImage(s) => by_shape(s.is_region() || matches!(s, Shape::Point { .. }), s.outline().len()),
            Geometry::Extent(Extent::WholeImage) => Self::Numbers,
            Geometry::Extent(Extent::Segment { .. } | Extent::Sphere { .. }) => Self::Volumetric,
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
fn is_written(finding: &Finding) -> bool {
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
        Template::Planar => children.extend(region(finding, &dcm("111030", "Image Region"))),
        Template::Volumetric => children.extend(volume(finding)),
    }
    let lines = if template == Template::Numbers { lines(finding) } else { Vec::new() };
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
    let Some(device) = &finding.proposed_by else { return Vec::new() };
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

/// The lines of a shape, each with the concept of the number that is measured along it.
fn lines(finding: &Finding) -> Vec<(Code, Object)> {
    if !is_written(finding) {
        return Vec::new();
    }
    let concept = dcm("121112", "Source of Measurement");
    match (&finding.geometry, &finding.frame_of_reference, finding.images.first()) {
        (Geometry::InSpace(shape), Some(frame), _) => parts(shape)
            .into_iter()
            .map(|(what, places)| (what, item::scoord3d(INFERRED_FROM, &concept, "POLYLINE", &places, frame)))
            .collect(),
        (Geometry::OnImage(shape), _, Some(image)) => parts(shape)
            .into_iter()
            .map(|(what, places)| (what, item::scoord(INFERRED_FROM, &concept, "POLYLINE", &places, image)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The lines a shape is measured along, by what is measured.
fn parts<P: Position>(shape: &Shape<P>) -> Vec<(Code, Vec<P>)> {
    match shape {
        Shape::Line { a, b } => vec![(known::length(), vec![*a, *b])],
        Shape::Bidirectional { long, short } => vec![(known::long_axis(), long.to_vec()), (known::short_axis(), short.to_vec())],
        Shape::Angle { arms } => vec![(known::angle(), arms.to_vec())],
        Shape::Cobb { first, second } => vec![(known::cobb_angle(), [*first, *second].concat())],
        Shape::Polyline { points } => vec![(known::path_length(), points.clone())],
        Shape::Point { .. } | Shape::Ellipse { .. } | Shape::Contours { .. } | Shape::Spline { .. } => Vec::new(),
    }
}

/// The coordinates of a region or of a single place.
fn region(finding: &Finding, concept: &Code) -> Vec<Object> {
    match (&finding.geometry, &finding.frame_of_reference, finding.images.first()) {
        (Geometry::InSpace(shape), Some(frame), _) => {
            let mut out = graphics(shape, "POLYGON", |kind, places| item::scoord3d(CONTAINS, concept, kind, places, frame));
            out.extend(finding.images.iter().map(source_image));
            out
        }
        (Geometry::OnImage(shape), _, Some(image)) => {
            graphics(shape, "POLYLINE", |kind, places| item::scoord(CONTAINS, concept, kind, places, image))
        }
        _ => Vec::new(),
    }
}

/// A coordinate item for each line of a shape; `closed` names a closed line, whose first place is repeated at its end.
fn graphics<P: Position>(shape: &Shape<P>, closed: &str, write: impl Fn(&str, &[P]) -> Object) -> Vec<Object> {
    match shape {
        Shape::Point { at } => vec![write("POINT", &[*at])],
        Shape::Ellipse { long, short } => vec![write("ELLIPSE", &[*long, *short].concat())],
        _ => shape
            .outline()
            .into_iter()
            .map(|(mut places, _)| {
                places.extend(places.first().copied());
                let mut item = write(closed, &places);
                if let Shape::Spline { control } = shape {
                    let numbers: Vec<f64> = control.iter().flat_map(|p| p.xyz()).collect();
                    item.text(PRIVATE_CREATOR.0, VR::LO, PRIVATE_CREATOR.1).f64s(CONTROL_PLACES, &numbers);
                }
                item
            })
            .collect(),
    }
}

/// The content of a volumetric group that says which volume.
fn volume(finding: &Finding) -> Vec<Object> {
    let surface = dcm("121231", "Volume Surface");
    let mut out = match (&finding.geometry, &finding.frame_of_reference) {
        (Geometry::Extent(Extent::Segment { instance, sop_class, number, .. }), _) => {
            let image = ImageRef { instance: instance.clone(), sop_class: sop_class.clone(), frame: None };
            vec![item::segment(CONTAINS, &dcm("121191", "Referenced Segment"), &image, *number)]
        }
        (Geometry::Extent(Extent::Sphere { centre, radius_mm }), Some(frame)) => vec![sphere(*centre, *radius_mm, &surface, frame)],
        (Geometry::InSpace(shape), Some(frame)) => {
            graphics(shape, "POLYGON", |kind, places| item::scoord3d(CONTAINS, &surface, kind, places, frame))
        }
        _ => region(finding, &dcm("111030", "Image Region")),
    };
    if finding.images.is_empty() {
        out.push(item::uid(CONTAINS, &dcm("121232", "Source series for segmentation"), finding.series.as_str()));
    }
    let concept = dcm("121233", "Source image for segmentation");
    out.extend(finding.images.iter().map(|image| item::image(CONTAINS, Some(&concept), image)));
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
