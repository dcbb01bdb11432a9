//! Reading measurement reports, ours and others'.

use super::{ObjectRef, Section, SectionKind};
use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, FrameOfReferenceUid, Geometry, InstanceUid, Quantity, SeriesUid, Side, SopClassUid, StudyUid, Unit};

/// Deepest content tree that is followed.
const MAX_DEPTH: usize = 32;

/// What a report says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SrContent {
    /// Series Description, which holds the title.
    pub title: String,
    /// Concept of the root.
    pub kind: Option<Code>,
    /// Template identifier of the root, for example `1500`.
    pub template: String,
    /// RFC 5646 language, empty when not said.
    pub lang: String,
    /// Names of persons who observed, as PN values.
    pub observers: Vec<String>,
    /// Verifying Observer Names, as PN values.
    pub verifiers: Vec<String>,
    /// Completion Flag COMPLETE.
    pub is_complete: bool,
    /// Verification Flag VERIFIED.
    pub is_verified: bool,
    /// Text items, with the meaning of their concept as heading.
    pub sections: Vec<Section>,
    /// Measurement groups.
    pub findings: Vec<SrFinding>,
    /// Objects referred to as evidence.
    pub evidence: Vec<ObjectRef>,
}

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
    /// Numbers with units; a value with its derivation's meaning in `what` stays as it is.
    pub measurements: Vec<Quantity>,
    /// The first geometry of the group.
    pub geometry: Option<Geometry>,
    /// Frame of reference of that geometry.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Images the group refers to.
    pub images: Vec<ImageRef>,
}

/// Reads a structured report.
///
/// # Errors
/// [`Error::WrongKind`] when the object is none.
pub fn read(dataset: &Dataset) -> Result<SrContent> {
    let root = dataset.root();
    if root.first_text(tags::VALUE_TYPE) != "CONTAINER" || !root.has(tags::CONTENT_SEQUENCE) {
        return Err(Error::WrongKind { wanted: "structured report" });
    }
    let mut content = SrContent {
        title: root.text(tags::SERIES_DESCRIPTION),
        kind: code_of(&root, tags::CONCEPT_NAME_CODE_SEQUENCE),
        template: root.item(tags::CONTENT_TEMPLATE_SEQUENCE).map(|t| t.text(tags::TEMPLATE_IDENTIFIER)).unwrap_or_default(),
        is_complete: root.first_text(tags::COMPLETION_FLAG) == "COMPLETE",
        is_verified: root.first_text(tags::VERIFICATION_FLAG) == "VERIFIED",
        verifiers: root.items(tags::VERIFYING_OBSERVER_SEQUENCE).map(|item| item.text(tags::VERIFYING_OBSERVER_NAME)).collect(),
        evidence: evidence(&root),
        ..SrContent::default()
    };
    walk(&root, &mut content, 0);
    Ok(content)
}

fn evidence(root: &View<'_>) -> Vec<ObjectRef> {
    let mut out = Vec::new();
    for study in root.items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE) {
        for series in study.items(tags::REFERENCED_SERIES_SEQUENCE) {
            for object in series.items(tags::REFERENCED_SOP_SEQUENCE) {
                let found = (
                    StudyUid::parse(&study.text(tags::STUDY_INSTANCE_UID)),
                    SeriesUid::parse(&series.text(tags::SERIES_INSTANCE_UID)),
                    InstanceUid::parse(&object.text(tags::REFERENCED_SOP_INSTANCE_UID)),
                    SopClassUid::parse(&object.text(tags::REFERENCED_SOP_CLASS_UID)),
                );
                if let (Ok(study), Ok(series), Ok(instance), Ok(sop_class)) = found {
                    out.push(ObjectRef { study, series, instance, sop_class });
                }
            }
        }
    }
    out
}

fn code_of(view: &View<'_>, tag: dicom_core::Tag) -> Option<Code> {
    let item = view.item(tag)?;
    let value = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE].iter().map(|&t| item.text(t)).find(|v| !v.is_empty())?;
    let meaning = item.text(tags::CODE_MEANING);
    Some(Code { scheme: item.text(tags::CODING_SCHEME_DESIGNATOR), code: value, name_en: meaning.clone(), name_zh: meaning })
}

fn is(concept: Option<&Code>, code: &str) -> bool {
    concept.is_some_and(|c| c.code == code)
}

/// Everything outside of measurement groups.
fn walk(view: &View<'_>, content: &mut SrContent, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = code_of(&item, tags::CONCEPT_NAME_CODE_SEQUENCE);
        match item.first_text(tags::VALUE_TYPE).as_str() {
            "CONTAINER" if is(concept.as_ref(), "125007") => {
                let mut finding = SrFinding::default();
                walk_group(&item, &mut finding, depth + 1);
                content.findings.push(finding);
                continue;
            }
            "CODE" if is(concept.as_ref(), "121049") => {
                content.lang = code_of(&item, tags::CONCEPT_CODE_SEQUENCE).map(|c| c.code).unwrap_or_default();
            }
            "PNAME" => content.observers.push(item.text(tags::PERSON_NAME)),
            "TEXT" if item.first_text(tags::RELATIONSHIP_TYPE) == "CONTAINS" => {
                let title = concept.as_ref().map(|c| c.name_en.clone()).unwrap_or_default();
                let kinds = [
                    SectionKind::Findings,
                    SectionKind::Impression,
                    SectionKind::History,
                    SectionKind::Technique,
                    SectionKind::Comparison,
                    SectionKind::Recommendation,
                ];
                let kind =
                    kinds.into_iter().find(|k| concept.as_ref().is_some_and(|c| c.is_same(&k.concept()))).unwrap_or(SectionKind::Other);
                content.sections.push(Section { kind, title, text: item.text(tags::TEXT_VALUE) });
            }
            _ => {}
        }
        walk(&item, content, depth + 1);
    }
}

fn walk_group(view: &View<'_>, finding: &mut SrFinding, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = code_of(&item, tags::CONCEPT_NAME_CODE_SEQUENCE);
        let value = || code_of(&item, tags::CONCEPT_CODE_SEQUENCE);
        match (item.first_text(tags::VALUE_TYPE).as_str(), concept.as_ref().map_or("", |c| c.code.as_str())) {
            ("TEXT", "112039") => finding.tracking_id = item.text(tags::TEXT_VALUE),
            ("UIDREF", "112040") => finding.tracking_uid = item.text(tags::UID),
            ("CODE", "121071") => finding.kind = value(),
            // Older reports use the SNOMED RT spellings of site and laterality.
            ("CODE", "363698007" | "G-C0E3") => finding.site = value(),
            ("CODE", "272741003" | "G-C171") => finding.side = side_of(value().as_ref()),
            ("NUM", _) => finding.measurements.extend(quantity(&item, concept)),
            ("SCOORD3D" | "SCOORD", _) if finding.geometry.is_none() => geometry(&item, finding),
            ("IMAGE", _) => finding.images.extend(image(&item)),
            _ => {}
        }
        walk_group(&item, finding, depth + 1);
    }
}

fn side_of(code: Option<&Code>) -> Side {
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
    let unit = code_of(&measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE).map_or_else(Unit::one, |c| Unit(c.code));
    Some(Quantity { what: concept?, value, unit })
}

fn geometry(item: &View<'_>, finding: &mut SrFinding) {
    let data = item.floats(tags::GRAPHIC_DATA);
    let kind = item.first_text(tags::GRAPHIC_TYPE);
    finding.geometry = match (item.first_text(tags::VALUE_TYPE).as_str(), kind.as_str(), data.as_slice()) {
        ("SCOORD3D", "POINT", &[x, y, z, ..]) => Some(Geometry::Point { at: [x, y, z].into() }),
        ("SCOORD3D", "POLYLINE", &[ax, ay, az, bx, by, bz]) => Some(Geometry::Line { a: [ax, ay, az].into(), b: [bx, by, bz].into() }),
        ("SCOORD", "POLYLINE", &[ax, ay, bx, by]) => Some(Geometry::PixelLine { a: [ax - 0.5, ay - 0.5], b: [bx - 0.5, by - 0.5] }),
        _ => None,
    };
    finding.frame_of_reference = FrameOfReferenceUid::parse(&item.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID)).ok();
}

fn image(item: &View<'_>) -> Option<ImageRef> {
    let reference = item.item(tags::REFERENCED_SOP_SEQUENCE)?;
    Some(ImageRef {
        instance: InstanceUid::parse(&reference.text(tags::REFERENCED_SOP_INSTANCE_UID)).ok()?,
        sop_class: SopClassUid::parse(&reference.text(tags::REFERENCED_SOP_CLASS_UID)).ok()?,
        frame: reference.count(tags::REFERENCED_FRAME_NUMBER),
    })
}
