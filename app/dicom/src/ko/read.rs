//! Reading key object selections, ours and others'.

use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, InstanceUid, SeriesUid, SopClassUid, StudyUid};
use std::collections::HashMap;

/// Deepest content tree that is followed.
const MAX_DEPTH: usize = 32;

/// Key Object Description.
pub(super) fn description() -> Code {
    Code::new("DCM", "113012", "Key Object Description", "关键对象说明")
}

/// Person Observer Name.
pub(super) fn person() -> Code {
    Code::new("DCM", "121008", "Person Observer Name", "观察者姓名")
}

/// What a selection says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyObjects {
    /// Document title; its Chinese name is the file's wording where it is none of our titles.
    pub title: Option<Code>,
    /// Modifiers of the title, for example why images were rejected.
    pub modifiers: Vec<Code>,
    /// Key Object Description; several are parted by a line end.
    pub description: String,
    /// Names of persons who picked, as PN values.
    pub persons: Vec<String>,
    /// Names of devices that picked.
    pub devices: Vec<String>,
    /// The objects picked, in order.
    pub objects: Vec<KeyObject>,
}

/// An object that was picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyObject {
    /// The object, or a frame of it.
    pub image: ImageRef,
    /// Study and series, as the evidence of the document says; `None` for an object that is not in it.
    pub series: Option<(StudyUid, SeriesUid)>,
}

/// Reads a selection.
///
/// # Errors
/// [`Error::WrongKind`] when the object is none; [`Error::Missing`] or [`Error::BadValue`] for a picked object without a
/// UID.
pub fn read(dataset: &Dataset) -> Result<KeyObjects> {
    let root = dataset.root();
    if root.first_text(tags::SOP_CLASS_UID) != super::KEY_OBJECT_SELECTION || !root.has(tags::CONTENT_SEQUENCE) {
        return Err(Error::WrongKind { wanted: "key object selection" });
    }
    let title = root.code(tags::CONCEPT_NAME_CODE_SEQUENCE);
    let title = title.map(|title| super::titles().into_iter().find(|known| known.is_same(&title)).unwrap_or(title));
    let mut selection = KeyObjects { title, ..KeyObjects::default() };
    walk(&root, &evidence(&root), &mut selection, 0)?;
    Ok(selection)
}

type Evidence = HashMap<InstanceUid, (StudyUid, SeriesUid)>;

fn evidence(root: &View<'_>) -> Evidence {
    let mut out = Evidence::new();
    for study in root.items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE) {
        let Ok(study_uid) = StudyUid::parse(&study.text(tags::STUDY_INSTANCE_UID)) else { continue };
        for series in study.items(tags::REFERENCED_SERIES_SEQUENCE) {
            let Ok(series_uid) = SeriesUid::parse(&series.text(tags::SERIES_INSTANCE_UID)) else { continue };
            let instances = series.items(tags::REFERENCED_SOP_SEQUENCE);
            let instances = instances.filter_map(|o| InstanceUid::parse(&o.text(tags::REFERENCED_SOP_INSTANCE_UID)).ok());
            out.extend(instances.map(|instance| (instance, (study_uid.clone(), series_uid.clone()))));
        }
    }
    out
}

fn walk(view: &View<'_>, evidence: &Evidence, selection: &mut KeyObjects, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Ok(());
    }
    for item in view.items(tags::CONTENT_SEQUENCE) {
        let concept = item.code(tags::CONCEPT_NAME_CODE_SEQUENCE);
        let is = |code: &str| concept.as_ref().is_some_and(|c| c.scheme == "DCM" && c.code == code);
        match item.first_text(tags::VALUE_TYPE).as_str() {
            "TEXT" if is("113012") => {
                if !selection.description.is_empty() {
                    selection.description.push('\n');
                }
                selection.description.push_str(&item.text(tags::TEXT_VALUE));
            }
            "TEXT" if is("121013") => selection.devices.push(item.text(tags::TEXT_VALUE)),
            "PNAME" if is("121008") => selection.persons.push(item.text(tags::PERSON_NAME)),
            "CODE" if is("113011") => selection.modifiers.extend(item.code(tags::CONCEPT_CODE_SEQUENCE)),
            "IMAGE" | "COMPOSITE" | "WAVEFORM" => take_objects(&item, evidence, selection)?,
            _ => {}
        }
        walk(&item, evidence, selection, depth + 1)?;
    }
    Ok(())
}

fn take_objects(item: &View<'_>, evidence: &Evidence, selection: &mut KeyObjects) -> Result<()> {
    for reference in item.items(tags::REFERENCED_SOP_SEQUENCE) {
        let instance = reference.uid(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", InstanceUid::parse)?;
        let sop_class = reference.uid(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", SopClassUid::parse)?;
        let series = evidence.get(&instance).cloned();
        let frames = reference.floats(tags::REFERENCED_FRAME_NUMBER);
        if frames.iter().any(|n| !(*n >= 1.0 && *n < 4e9 && n.fract() == 0.0)) {
            return Err(Error::BadValue { keyword: "ReferencedFrameNumber" });
        }
        let frames: Vec<Option<u32>> = if frames.is_empty() { vec![None] } else { frames.iter().map(|n| Some(*n as u32)).collect() };
        let object = |frame| KeyObject {
            image: ImageRef { instance: instance.clone(), sop_class: sop_class.clone(), frame },
            series: series.clone(),
        };
        selection.objects.extend(frames.into_iter().map(object));
    }
    Ok(())
}
