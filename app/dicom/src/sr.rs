//! Structured reports: measurements and report text as TID 1500 "Measurement Report".
//!
//! Source: PS3.16 TID 1500, TID 1501, TID 300, TID 320, TID 1001, TID 1204, TID 1600; PS3.3 §A.35.13
//! (Comprehensive 3D SR), §A.35.3 (Comprehensive SR). A shape in patient space is a SCOORD3D in its frame
//! of reference; one on an uncalibrated image a SCOORD selected from that image. A spline goes out as a polygon with its
//! control places in private elements. The text sections of
//! the report stand as text items of the template's Qualitative Evaluations.

mod cad;
mod compare;
mod group;
mod group_read;
mod item;
mod outline;
mod read;
#[cfg(test)]
mod tests;
mod tree;

pub use cad::RunOutcome;
pub use compare::{assert_as_written, difference};
#[cfg(feature = "pixels")]
pub(crate) use group_read::side_of;
pub use group_read::{SrFinding, SrMeasurement};
pub use outline::{SrLine, outline};
pub use read::{SrContent, read};

use crate::context::{Context, Device, Written, put_moment};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::write::Object;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, Extent, Finding, Geometry, InstanceUid, Lang, Moment, SeriesUid, SopClassUid, StudyUid};
use std::collections::BTreeMap;

/// Comprehensive SR Storage.
pub const COMPREHENSIVE_SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";
/// Comprehensive 3D SR Storage.
pub const COMPREHENSIVE_3D_SR: &str = "1.2.840.10008.5.1.4.1.1.88.34";

/// True for the storage classes of structured reports that may hold results: Basic Text, Enhanced, Comprehensive,
/// Comprehensive 3D, Mammography CAD, Chest CAD, Colon CAD, Extensible. Source: PS3.4 annex B.5.
#[must_use]
pub fn is_report(sop_class: &str) -> bool {
    sop_class.strip_prefix(REPORTS).is_some_and(|last| CLASSES.contains(&last))
}

/// The classes of [`is_report`].
pub fn report_classes() -> impl Iterator<Item = String> {
    CLASSES.iter().map(|last| format!("{REPORTS}{last}"))
}

const REPORTS: &str = "1.2.840.10008.5.1.4.1.1.88.";
const CLASSES: [&str; 8] = ["11", "22", "33", "34", "35", "50", "65", "69"];

/// A part of the report's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What kind of text it is.
    pub kind: SectionKind,
    /// Its heading as people read it.
    pub title: String,
    /// The text.
    pub text: String,
}

/// Kinds of report text, each with its concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// 检查所见.
    Findings,
    /// 诊断意见.
    Impression,
    /// 临床病史.
    History,
    /// 检查技术.
    Technique,
    /// 对比.
    Comparison,
    /// 建议.
    Recommendation,
    /// Anything else.
    Other,
}

impl Section {
    /// A section whose kind is known by its heading.
    #[must_use]
    pub fn new(title: &str, text: &str) -> Self {
        let lower = title.to_lowercase();
        let holds = |words: &[&str]| words.iter().any(|w| lower.contains(w));
        let kind = if holds(&["诊断意见", "印象", "诊断", "结论", "impression", "conclusion", "opinion"]) {
            SectionKind::Impression
        } else if holds(&["所见", "finding"]) {
            SectionKind::Findings
        } else if holds(&["病史", "临床", "history", "indication", "clinical"]) {
            SectionKind::History
        } else if holds(&["技术", "方法", "technique", "procedure"]) {
            SectionKind::Technique
        } else if holds(&["对比", "比较", "comparison"]) {
            SectionKind::Comparison
        } else if holds(&["建议", "recommendation"]) {
            SectionKind::Recommendation
        } else {
            SectionKind::Other
        };
        Self { kind, title: title.to_owned(), text: text.to_owned() }
    }
}

impl SectionKind {
    /// Its concept. Source: PS3.16 CID 7002.
    pub(crate) fn concept(self) -> Code {
        match self {
            Self::Findings => Code::new("DCM", "121071", "Finding", "所见"),
            Self::Impression => Code::new("DCM", "121073", "Impression", "诊断意见"),
            Self::History => Code::new("DCM", "121060", "History", "病史"),
            Self::Technique => Code::new("DCM", "121065", "Procedure Description", "检查技术"),
            Self::Comparison => Code::new("LN", "18834-2", "Radiology Comparison study", "对比"),
            Self::Recommendation => Code::new("DCM", "121075", "Recommendation", "建议"),
            Self::Other => Code::new("DCM", "121106", "Comment", "备注"),
        }
    }
}

/// A person who reports or reviews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observer {
    /// The name as it stands under the report.
    pub name: String,
    /// When the person signed.
    pub at: Moment,
}

/// Another object of the same study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// Study.
    pub study: StudyUid,
    /// Series.
    pub series: SeriesUid,
    /// Instance.
    pub instance: InstanceUid,
    /// SOP class.
    pub sop_class: SopClassUid,
}

/// A report to be written.
#[derive(Debug)]
pub struct SrInput<'a> {
    /// One instance of the study: patient, study and the image referred to when no finding names one.
    pub context: &'a Dataset,
    /// SOP Instance UID of the report.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Title, for lists of series.
    pub title: &'a str,
    /// Language of the text.
    pub lang: Lang,
    /// The text of the report.
    pub sections: Vec<Section>,
    /// Findings; those rejected or deleted are left out.
    pub findings: Vec<&'a Finding>,
    /// Modality of each series that findings lie on; of one that is not named here, only the context's own is known.
    pub modalities: &'a BTreeMap<SeriesUid, String>,
    /// 报告医师.
    pub reporting: Option<Observer>,
    /// Names of the persons who made or changed the findings, the first first; who reports may be among them.
    pub authors: Vec<String>,
    /// 审核医师: makes the report VERIFIED.
    pub reviewing: Option<Observer>,
    /// When the content came to be.
    pub at: Moment,
    /// Completion Flag COMPLETE.
    pub is_complete: bool,
    /// Verification Flag VERIFIED (needs a reviewing or reporting person).
    pub is_verified: bool,
    /// Preliminary Flag FINAL.
    pub is_final: bool,
    /// The report this one takes the place of.
    pub predecessor: Option<ObjectRef>,
    /// The device.
    pub device: Device,
}

/// Writes the report.
///
/// # Errors
/// When the context lacks the UIDs that place it, or a value cannot be encoded.
pub fn write(input: &SrInput<'_>) -> Result<Written> {
    let context = Context::of(input.context)?;
    let live: Vec<&Finding> = input.findings.iter().copied().filter(|f| f.is_live()).collect();
    let images = referenced_images(&context, &live);
    let mut object = Object::new();
    context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_moment(&mut object, input.at);
    document_modules(input, &mut object);
    evidence(&context.study, &images, &live, &mut object);
    if let Some(before) = &input.predecessor {
        object.item(
            tags::PREDECESSOR_DOCUMENTS_SEQUENCE,
            hierarchy(&before.study, &[(before.series.clone(), vec![(before.instance.clone(), before.sop_class.clone())])]),
        );
    }
    private_schemes(&live, &mut object);
    object.put_all(&tree::root(input, &context, &live, &images));
    let is_3d = live.iter().any(|f| tree::is_in_patient_space(f));
    Written::from_object(object, if is_3d { COMPREHENSIVE_3D_SR } else { COMPREHENSIVE_SR }, &input.instance)
}

/// Images by series, in order of first use.
pub(crate) type ImagesBySeries = Vec<(SeriesUid, Vec<ImageRef>)>;

fn referenced_images(context: &Context, findings: &[&Finding]) -> ImagesBySeries {
    let mut by_series: BTreeMap<SeriesUid, Vec<ImageRef>> = BTreeMap::new();
    for finding in findings {
        let images = finding.images.iter().map(|image| (finding.series.clone(), ImageRef { frame: None, ..image.clone() }));
        for (series, image) in images {
            let images = by_series.entry(series).or_default();
            if !images.iter().any(|known| known.instance == image.instance) {
                images.push(image);
            }
        }
    }
    if by_series.is_empty() {
        let image = ImageRef { instance: context.instance.clone(), sop_class: context.sop_class.clone(), frame: None };
        by_series.insert(context.series.clone(), vec![image]);
    }
    by_series.into_iter().collect()
}

/// SR Document Series and General modules. Source: PS3.3 §C.17.1, §C.17.2.
fn document_modules(input: &SrInput<'_>, object: &mut Object) {
    object
        .text(tags::MODALITY, VR::CS, "SR")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, input.title)
        .empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, VR::SQ)
        .integer(tags::INSTANCE_NUMBER, 1)
        .text(tags::COMPLETION_FLAG, VR::CS, if input.is_complete { "COMPLETE" } else { "PARTIAL" })
        .text(tags::PRELIMINARY_FLAG, VR::CS, if input.is_final { "FINAL" } else { "PRELIMINARY" })
        .empty(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, VR::SQ);
    let verifier = input.reviewing.as_ref().or(input.reporting.as_ref()).filter(|_| input.is_verified);
    object.text(tags::VERIFICATION_FLAG, VR::CS, if verifier.is_some() { "VERIFIED" } else { "UNVERIFIED" });
    if let Some(person) = verifier {
        let mut item = Object::new();
        item.text(tags::VERIFYING_OBSERVER_NAME, VR::PN, &person_name(&person.name))
            .empty(tags::VERIFYING_OBSERVER_IDENTIFICATION_CODE_SEQUENCE, VR::SQ)
            .text(tags::VERIFYING_ORGANIZATION, VR::LO, &organization(input.context))
            .text(tags::VERIFICATION_DATE_TIME, VR::DT, &person.at.dicom_datetime());
        object.item(tags::VERIFYING_OBSERVER_SEQUENCE, item);
    }
    let reporting = input.reporting.as_ref().map(|person| &person.name);
    // One report has one Person Observer, who answers for it; all whose work it is stand here.
    let authors: Vec<Object> = reporting
        .into_iter()
        .chain(input.authors.iter().filter(|name| Some(*name) != reporting))
        .map(|name| {
            let mut item = Object::new();
            item.text(tags::OBSERVER_TYPE, VR::CS, "PSN")
                .text(tags::PERSON_NAME, VR::PN, &person_name(name))
                .empty(tags::PERSON_IDENTIFICATION_CODE_SEQUENCE, VR::SQ)
                .text(tags::INSTITUTION_NAME, VR::LO, &input.context.root().text(tags::INSTITUTION_NAME))
                .empty(tags::INSTITUTION_CODE_SEQUENCE, VR::SQ);
            item
        })
        .collect();
    if !authors.is_empty() {
        object.items(tags::AUTHOR_OBSERVER_SEQUENCE, authors);
    }
}

/// Verifying Organization may not be empty.
fn organization(context: &Dataset) -> String {
    let name = context.root().text(tags::INSTITUTION_NAME);
    if name.is_empty() { crate::write::MANUFACTURER.to_owned() } else { name }
}

/// A Chinese name goes into the ideographic group, with an alphabetic group before it that may not be empty.
pub(crate) fn person_name(name: &str) -> String {
    let is_latin = name.chars().all(|c| (c as u32) < 0x250);
    if is_latin || name.contains('=') { name.to_owned() } else { format!("{name}={name}") }
}

/// The segmentation whose segment a finding is.
fn segmentation(finding: &Finding) -> Option<(SeriesUid, InstanceUid, SopClassUid)> {
    match &finding.geometry {
        Geometry::Extent(Extent::Segment { series: Some(series), instance, sop_class, .. }) => {
            Some((series.clone(), instance.clone(), sop_class.clone()))
        }
        _ => None,
    }
}

/// Current Requested Procedure Evidence: the images and segmentations referred to. Source: PS3.3 §C.17.2.3.
fn evidence(study: &StudyUid, images: &ImagesBySeries, findings: &[&Finding], object: &mut Object) {
    let mut by_series: BTreeMap<SeriesUid, Vec<(InstanceUid, SopClassUid)>> = BTreeMap::new();
    let shown =
        images.iter().flat_map(|(series, images)| images.iter().map(move |i| (series.clone(), i.instance.clone(), i.sop_class.clone())));
    for (series, instance, sop_class) in shown.chain(findings.iter().filter_map(|f| segmentation(f))) {
        let objects = by_series.entry(series).or_default();
        if !objects.iter().any(|(known, _)| *known == instance) {
            objects.push((instance, sop_class));
        }
    }
    let series: Vec<_> = by_series.into_iter().collect();
    object.item(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, hierarchy(study, &series));
}

fn hierarchy(study: &StudyUid, series: &[(SeriesUid, Vec<(InstanceUid, SopClassUid)>)]) -> Object {
    let series = series.iter().map(|(uid, instances)| {
        let mut item = Object::new();
        let instances = instances.iter().map(|(instance, class)| {
            let mut reference = Object::new();
            reference.uid(tags::REFERENCED_SOP_CLASS_UID, class.as_str()).uid(tags::REFERENCED_SOP_INSTANCE_UID, instance.as_str());
            reference
        });
        item.uid(tags::SERIES_INSTANCE_UID, uid.as_str()).items(tags::REFERENCED_SOP_SEQUENCE, instances.collect());
        item
    });
    let mut item = Object::new();
    item.uid(tags::STUDY_INSTANCE_UID, study.as_str()).items(tags::REFERENCED_SERIES_SEQUENCE, series.collect());
    item
}

/// Names the private coding scheme, which every measurement group uses. Source: PS3.3 §C.12.1.
fn private_schemes(findings: &[&Finding], object: &mut Object) {
    if !findings.is_empty() {
        let mut item = Object::new();
        item.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "99MJ").text(tags::CODING_SCHEME_NAME, VR::ST, "Mingjing private codes").text(
            tags::CODING_SCHEME_RESPONSIBLE_ORGANIZATION,
            VR::ST,
            crate::write::MANUFACTURER,
        );
        object.item(tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE, item);
    }
}
