//! Content items. Source: PS3.3 §C.17.3.

use crate::write::{Object, image_item};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, FrameOfReferenceUid, PointLps, Unit};

pub(super) const CONTAINS: &str = "CONTAINS";
pub(super) const HAS_CONCEPT_MOD: &str = "HAS CONCEPT MOD";
pub(super) const HAS_OBS_CONTEXT: &str = "HAS OBS CONTEXT";
pub(super) const HAS_ACQ_CONTEXT: &str = "HAS ACQ CONTEXT";
pub(super) const INFERRED_FROM: &str = "INFERRED FROM";
pub(super) const SELECTED_FROM: &str = "SELECTED FROM";

/// A DICOM concept.
pub(super) fn dcm(code: &str, meaning: &str) -> Code {
    Code::new("DCM", code, meaning, "")
}

/// A SNOMED CT concept.
pub(super) fn sct(code: &str, meaning: &str) -> Code {
    Code::new("SCT", code, meaning, "")
}

/// A content item with its relation to the parent; `None` for the root.
fn item(relation: Option<&str>, value_type: &str, concept: Option<&Code>) -> Object {
    let mut object = Object::new();
    if let Some(relation) = relation {
        object.text(tags::RELATIONSHIP_TYPE, VR::CS, relation);
    }
    object.text(tags::VALUE_TYPE, VR::CS, value_type);
    if let Some(concept) = concept {
        object.code(tags::CONCEPT_NAME_CODE_SEQUENCE, concept);
    }
    object
}

fn with(mut object: Object, children: Vec<Object>) -> Object {
    if !children.is_empty() {
        object.items(tags::CONTENT_SEQUENCE, children);
    }
    object
}

pub(super) fn container(relation: Option<&str>, concept: &Code, template: Option<&str>, children: Vec<Object>) -> Object {
    let mut object = item(relation, "CONTAINER", Some(concept));
    object.text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    if let Some(id) = template {
        let mut of = Object::new();
        of.text(tags::MAPPING_RESOURCE, VR::CS, "DCMR").text(tags::TEMPLATE_IDENTIFIER, VR::CS, id);
        object.item(tags::CONTENT_TEMPLATE_SEQUENCE, of);
    }
    with(object, children)
}

pub(super) fn text(relation: &str, concept: &Code, value: &str) -> Object {
    let mut object = item(Some(relation), "TEXT", Some(concept));
    object.text(tags::TEXT_VALUE, VR::UT, value);
    object
}

pub(super) fn code(relation: &str, concept: &Code, value: &Code, children: Vec<Object>) -> Object {
    let mut object = item(Some(relation), "CODE", Some(concept));
    object.code(tags::CONCEPT_CODE_SEQUENCE, value);
    with(object, children)
}

pub(super) fn uid(relation: &str, concept: &Code, value: &str) -> Object {
    let mut object = item(Some(relation), "UIDREF", Some(concept));
    object.uid(tags::UID, value);
    object
}

pub(super) fn person(relation: &str, concept: &Code, name: &str) -> Object {
    let mut object = item(Some(relation), "PNAME", Some(concept));
    object.text(tags::PERSON_NAME, VR::PN, name);
    object
}

/// A number with its unit, in full precision beside the decimal string. Source: PS3.3 §C.18.1.
pub(super) fn number(concept: &Code, value: f64, unit: &Unit, children: Vec<Object>) -> Object {
    let mut object = item(Some(CONTAINS), "NUM", Some(concept));
    let mut measured = Object::new();
    measured
        .decimals(tags::NUMERIC_VALUE, &[value])
        .f64s(tags::FLOATING_POINT_VALUE, &[value])
        .code(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, &unit_code(unit));
    object.item(tags::MEASURED_VALUE_SEQUENCE, measured);
    with(object, children)
}

fn unit_code(unit: &Unit) -> Code {
    let meaning = match unit.0.as_str() {
        "mm" => "millimeter",
        "mm2" => "square millimeter",
        "ml" => "milliliter",
        "deg" => "degree",
        "[hnsf'U]" => "Hounsfield unit",
        "{pixels}" => "pixels",
        "{pixels2}" => "square pixels",
        "mm3" => "cubic millimeter",
        "%" => "percent",
        "g/ml" | "g/ml{SUVbw}" => "Standardized Uptake Value body weight",
        "1" => "no units",
        other => other,
    };
    Code::new("UCUM", &unit.0, meaning, "")
}

pub(super) fn image(relation: &str, concept: Option<&Code>, of: &ImageRef) -> Object {
    let mut object = item(Some(relation), "IMAGE", concept);
    object.item(tags::REFERENCED_SOP_SEQUENCE, image_item(of));
    object
}

/// A segment of a segmentation, by its number.
pub(super) fn segment(relation: &str, concept: &Code, of: &ImageRef, number: u16) -> Object {
    let mut object = item(Some(relation), "IMAGE", Some(concept));
    let mut reference = Object::new();
    reference
        .uid(tags::REFERENCED_SOP_CLASS_UID, of.sop_class.as_str())
        .uid(tags::REFERENCED_SOP_INSTANCE_UID, of.instance.as_str())
        .u16s(tags::REFERENCED_SEGMENT_NUMBER, &[number]);
    object.item(tags::REFERENCED_SOP_SEQUENCE, reference);
    object
}

/// The same item in another relation to its parent.
pub(super) fn related(relation: &str, mut object: Object) -> Object {
    object.text(tags::RELATIONSHIP_TYPE, VR::CS, relation);
    object
}

/// Points in patient space. Source: PS3.3 §C.18.9.
pub(super) fn scoord3d(
    relation: &str,
    concept: &Code,
    kind: &str,
    points: &[PointLps],
    frame_of_reference: &FrameOfReferenceUid,
) -> Object {
    let mut object = item(Some(relation), "SCOORD3D", Some(concept));
    let data: Vec<f32> = points.iter().flat_map(|p| [p.x as f32, p.y as f32, p.z as f32]).collect();
    object
        .text(tags::GRAPHIC_TYPE, VR::CS, kind)
        .f32s(tags::GRAPHIC_DATA, &data)
        .uid(tags::REFERENCED_FRAME_OF_REFERENCE_UID, frame_of_reference.as_str());
    object
}

/// Points on an image, column and row. DICOM counts from the upper left corner of the first pixel, so its
/// centre is (0.5, 0.5); ours is (0, 0). Source: PS3.3 §C.18.6.
pub(super) fn scoord(relation: &str, concept: &Code, kind: &str, points: &[[f64; 2]], on: &ImageRef) -> Object {
    let mut object = item(Some(relation), "SCOORD", Some(concept));
    let data: Vec<f32> = points.iter().flatten().map(|v| (*v + 0.5) as f32).collect();
    object.text(tags::GRAPHIC_TYPE, VR::CS, kind).f32s(tags::GRAPHIC_DATA, &data);
    with(object, vec![image(SELECTED_FROM, None, on)])
}
