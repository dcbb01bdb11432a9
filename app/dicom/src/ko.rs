//! Key object selections: images of a study that a person picked, with the reason.
//!
//! Source: PS3.3 §A.35.4 (Key Object Selection Document), §C.17.6; PS3.16 TID 2010, CID 7010.

mod compare;
mod read;
#[cfg(test)]
pub(crate) mod tests;
mod titles;

pub use compare::assert_as_written;
pub use read::{KeyObject, KeyObjects, read};
pub use titles::{needs_modifier, titles};

use crate::context::{Context, Device, Written, put_moment};
use crate::error::{Error, Result};
use crate::write::{Object, image_item};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, InstanceUid, Moment, SeriesUid};
use std::collections::HashSet;

/// Key Object Selection Document Storage.
pub const KEY_OBJECT_SELECTION: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// A selection to be written.
#[derive(Debug)]
pub struct KoInput<'a> {
    /// Patient and study.
    pub context: &'a Context,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Document title, one of [`titles`].
    pub title: &'a Code,
    /// What a person says of the selection; may be empty.
    pub description: &'a str,
    /// Images by series, all of the study of the context, in the order in which they are to be seen.
    pub images: &'a [(SeriesUid, Vec<ImageRef>)],
    /// Name of the person who picked them; without one the device did.
    pub person: Option<&'a str>,
    /// When they were picked.
    pub at: Moment,
    /// The device.
    pub device: &'a Device,
}

/// Writes the selection. The same input gives the same bytes.
///
/// # Errors
/// [`Error::CannotWrite`] when there is no image, one or a series is given twice, or the title needs a further code.
pub fn write(input: &KoInput<'_>) -> Result<Written> {
    let refused = |what: &str| Err(Error::CannotWrite { what: what.into() });
    if needs_modifier(input.title) {
        return refused("this title needs a reason beside it");
    }
    let all: Vec<&ImageRef> = input.images.iter().flat_map(|(_, images)| images).collect();
    if all.is_empty() {
        return refused("no image was picked");
    }
    if all.iter().collect::<HashSet<_>>().len() < all.len() {
        return refused("an image was picked twice");
    }
    if input.images.iter().map(|(series, _)| series).collect::<HashSet<_>>().len() < input.images.len() {
        return refused("a series was given twice");
    }
    let mut object = Object::new();
    input.context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_moment(&mut object, input.at);
    object
        .text(tags::MODALITY, VR::CS, "KO")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, &input.title.name_en)
        .empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, VR::SQ)
        .integer(tags::INSTANCE_NUMBER, 1)
        .item(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, evidence(input));
    root(input, &mut object);
    Written::from_object(object, KEY_OBJECT_SELECTION, &input.instance)
}

/// Every object of the content, each once whatever frames of it are picked. Source: PS3.3 §C.17.6.2.1.
fn evidence(input: &KoInput<'_>) -> Object {
    let series = input.images.iter().filter(|(_, images)| !images.is_empty()).map(|(uid, images)| {
        let mut known = HashSet::new();
        let once = images.iter().filter(|image| known.insert(&image.instance));
        let mut item = Object::new();
        item.uid(tags::SERIES_INSTANCE_UID, uid.as_str());
        item.items(tags::REFERENCED_SOP_SEQUENCE, once.map(|image| image_item(&ImageRef { frame: None, ..image.clone() })).collect());
        item
    });
    let mut item = Object::new();
    item.uid(tags::STUDY_INSTANCE_UID, input.context.study.as_str()).items(tags::REFERENCED_SERIES_SEQUENCE, series.collect());
    item
}

/// The content tree. Source: PS3.16 TID 2010, TID 1002.
fn root(input: &KoInput<'_>, object: &mut Object) {
    let mut template = Object::new();
    template.text(tags::MAPPING_RESOURCE, VR::CS, "DCMR").text(tags::TEMPLATE_IDENTIFIER, VR::CS, "2010");
    let mut children = observer(input);
    let images = input.images.iter().flat_map(|(_, images)| images);
    let description = Some(input.description.trim()).filter(|text| !text.is_empty()).map(|text| {
        let mut item = content("CONTAINS", "TEXT", Some(&read::description()));
        item.text(tags::TEXT_VALUE, VR::UT, text);
        item
    });
    children.extend(description);
    children.extend(images.map(|image| {
        let mut item = content("CONTAINS", "IMAGE", None);
        item.item(tags::REFERENCED_SOP_SEQUENCE, image_item(image));
        item
    }));
    object
        .text(tags::VALUE_TYPE, VR::CS, "CONTAINER")
        .code(tags::CONCEPT_NAME_CODE_SEQUENCE, input.title)
        .text(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE")
        .item(tags::CONTENT_TEMPLATE_SEQUENCE, template)
        .items(tags::CONTENT_SEQUENCE, children);
}

/// A content item. Source: PS3.3 §C.17.3.
fn content(relation: &str, kind: &str, concept: Option<&Code>) -> Object {
    let mut item = Object::new();
    item.text(tags::RELATIONSHIP_TYPE, VR::CS, relation).text(tags::VALUE_TYPE, VR::CS, kind);
    if let Some(concept) = concept {
        item.code(tags::CONCEPT_NAME_CODE_SEQUENCE, concept);
    }
    item
}

/// Who picked the images: the person, else the device. Source: PS3.16 TID 1003, TID 1004.
fn observer(input: &KoInput<'_>) -> Vec<Object> {
    let dcm = |code: &str, meaning: &str| Code::new("DCM", code, meaning, "");
    let of_context = |kind: &str, code: &str, meaning: &str| content("HAS OBS CONTEXT", kind, Some(&dcm(code, meaning)));
    let mut kind = of_context("CODE", "121005", "Observer Type");
    if let Some(name) = input.person {
        kind.code(tags::CONCEPT_CODE_SEQUENCE, &dcm("121006", "Person"));
        let mut person = content("HAS OBS CONTEXT", "PNAME", Some(&read::person()));
        person.text(tags::PERSON_NAME, VR::PN, &crate::sr::person_name(name));
        return vec![kind, person];
    }
    kind.code(tags::CONCEPT_CODE_SEQUENCE, &dcm("121007", "Device"));
    let mut uid = of_context("UIDREF", "121012", "Device Observer UID");
    uid.uid(tags::UID, &input.device.uid);
    let mut name = of_context("TEXT", "121013", "Device Observer Name");
    name.text(tags::TEXT_VALUE, VR::UT, &input.device.name);
    vec![kind, uid, name]
}
