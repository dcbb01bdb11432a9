//! Reading measurement reports, ours and others'.

use super::cad::{self, RunOutcome};
use super::group_read::{self, SrFinding};
use super::{ObjectRef, Section, SectionKind};
use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use mj_model::{Code, Extent, Geometry, InstanceUid, SeriesUid, SopClassUid, StudyUid};

/// Deepest content tree that is followed.
pub(super) const MAX_DEPTH: usize = 32;

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
    /// Persons of the Author Observer Sequence, as PN values.
    pub authors: Vec<String>,
    /// Verifying Observer Names, as PN values.
    pub verifiers: Vec<String>,
    /// Completion Flag COMPLETE.
    pub is_complete: bool,
    /// Verification Flag VERIFIED.
    pub is_verified: bool,
    /// Text items, with the meaning of their concept as heading.
    pub sections: Vec<Section>,
    /// What came of the algorithms that ran, when it is said or follows from what is there.
    pub outcome: Option<RunOutcome>,
    /// Names of devices that observed.
    pub devices: Vec<String>,
    /// Measurement groups; of a CAD report its findings.
    pub findings: Vec<SrFinding>,
    /// Objects referred to as evidence.
    pub evidence: Vec<ObjectRef>,
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
        kind: root.code(tags::CONCEPT_NAME_CODE_SEQUENCE),
        template: root.item(tags::CONTENT_TEMPLATE_SEQUENCE).map(|t| t.text(tags::TEMPLATE_IDENTIFIER)).unwrap_or_default(),
        is_complete: root.first_text(tags::COMPLETION_FLAG) == "COMPLETE",
        is_verified: root.first_text(tags::VERIFICATION_FLAG) == "VERIFIED",
        verifiers: root.items(tags::VERIFYING_OBSERVER_SEQUENCE).map(|item| item.text(tags::VERIFYING_OBSERVER_NAME)).collect(),
        authors: root
            .items(tags::AUTHOR_OBSERVER_SEQUENCE)
            .map(|item| item.text(tags::PERSON_NAME))
            .filter(|name| !name.is_empty())
            .collect(),
        evidence: evidence(&root),
        ..SrContent::default()
    };
    walk(&root, &mut content, 0);
    if is_cad(content.kind.as_ref()) {
        content.findings = cad::findings(&root);
    } else if content.outcome.is_none() && content.template == "1500" {
        content.outcome = match (content.findings.is_empty(), content.is_complete) {
            (false, _) => Some(RunOutcome::Found),
            (true, true) if content.sections.is_empty() => Some(RunOutcome::FoundNothing),
            (true, false) => Some(RunOutcome::Failed),
            (true, true) => None,
        };
    }
    place_segments(&mut content);
    Ok(content)
}

/// Chest CAD Report, Mammography CAD Report.
fn is_cad(root: Option<&Code>) -> bool {
    root.is_some_and(|c| c.scheme == "DCM" && matches!(c.code.as_str(), "112000" | "111036"))
}

/// A segmentation's series stands among the evidence.
fn place_segments(content: &mut SrContent) {
    for finding in &mut content.findings {
        if let Some(Geometry::Extent(Extent::Segment { series, instance, .. })) = &mut finding.geometry {
            *series = content.evidence.iter().find(|object| object.instance == *instance).map(|object| object.series.clone());
        }
    }
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

fn is(concept: Option<&Code>, code: &str) -> bool {
    concept.is_some_and(|c| c.code == code)
}

/// Everything outside of measurement groups.
fn walk(view: &View<'_>, content: &mut SrContent, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = item.code(tags::CONCEPT_NAME_CODE_SEQUENCE);
        match item.first_text(tags::VALUE_TYPE).as_str() {
            "CONTAINER" if is(concept.as_ref(), "125007") => {
                content.findings.push(group_read::group(&item));
                continue;
            }
            "CODE" if is(concept.as_ref(), "121049") => {
                content.lang = item.code(tags::CONCEPT_CODE_SEQUENCE).map(|c| c.code).unwrap_or_default();
            }
            "CODE" if is(concept.as_ref(), "111017") => {
                let summary = item.code(tags::CONCEPT_CODE_SEQUENCE).and_then(|c| RunOutcome::of_summary(&c.code));
                content.outcome = content.outcome.filter(|o| *o == RunOutcome::NotApplicable).or(summary);
            }
            "CODE" if is(concept.as_ref(), "111064") => {
                let status = item.code(tags::CONCEPT_CODE_SEQUENCE).and_then(|c| RunOutcome::of_detections(&c.code));
                content.outcome = status.or(content.outcome);
            }
            "TEXT" if is(concept.as_ref(), "121013") => content.devices.push(item.text(tags::TEXT_VALUE)),
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
