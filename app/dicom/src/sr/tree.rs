//! The content tree of TID 1500.

use super::group::group;
use super::item::{self, CONTAINS, HAS_ACQ_CONTEXT, HAS_CONCEPT_MOD, HAS_OBS_CONTEXT, dcm, sct};
use super::{ImagesBySeries, SrInput, person_name};
use crate::context::Context;
use crate::write::Object;
use mj_model::{Code, Extent, Finding, Geometry, Lang};

/// True for a finding whose coordinates are in patient space.
pub(super) fn is_in_patient_space(finding: &Finding) -> bool {
    let has_place = matches!(finding.geometry, Geometry::InSpace(_) | Geometry::Extent(Extent::Sphere { .. }));
    has_place && finding.frame_of_reference.is_some()
}

/// The root container. Source: PS3.16 TID 1500.
pub(super) fn root(input: &SrInput<'_>, context: &Context, findings: &[&Finding], images: &ImagesBySeries) -> Object {
    let mut children = vec![language(input.lang)];
    children.extend(observers(input));
    children.push(item::code(HAS_CONCEPT_MOD, &dcm("121058", "Procedure reported"), &procedure(&context.modality), Vec::new()));
    children.push(image_library(input, context, images));
    if !findings.is_empty() {
        let groups = findings.iter().enumerate().map(|(at, f)| group(at + 1, f)).collect();
        children.push(item::container(Some(CONTAINS), &dcm("126010", "Imaging Measurements"), None, groups));
    }
    let sections: Vec<Object> =
        input.sections.iter().filter(|s| !s.text.trim().is_empty()).map(|s| item::text(CONTAINS, &s.kind.concept(), &s.text)).collect();
    if !sections.is_empty() {
        let heading = Code::new("UMLS", "C0034375", "Qualitative Evaluations", "");
        children.push(item::container(Some(CONTAINS), &heading, None, sections));
    }
    item::container(None, &dcm("126000", "Imaging Measurement Report"), Some("1500"), children)
}

/// Source: PS3.16 TID 1204.
fn language(lang: Lang) -> Object {
    let (code, name, country, country_name) = match lang {
        Lang::Zh => ("zh", "Chinese", "CN", "China"),
        Lang::En => ("en", "English", "US", "United States"),
    };
    let country =
        item::code(HAS_CONCEPT_MOD, &dcm("121046", "Country of Language"), &Code::new("ISO3166_1", country, country_name, ""), Vec::new());
    item::code(
        HAS_CONCEPT_MOD,
        &dcm("121049", "Language of Content Item and Descendants"),
        &Code::new("RFC5646", code, name, ""),
        vec![country],
    )
}

/// Source: PS3.16 TID 1002, TID 1003, TID 1004.
fn observers(input: &SrInput<'_>) -> Vec<Object> {
    let kind = |value: Code| item::code(HAS_OBS_CONTEXT, &dcm("121005", "Observer Type"), &value, Vec::new());
    let mut out = Vec::new();
    // The template takes one person; who reviewed stands as Verifying Observer.
    if let Some(person) = input.reporting.as_ref().or(input.reviewing.as_ref()) {
        out.push(kind(dcm("121006", "Person")));
        out.push(item::person(HAS_OBS_CONTEXT, &dcm("121008", "Person Observer Name"), &person_name(&person.name)));
    }
    out.push(kind(dcm("121007", "Device")));
    out.push(item::uid(HAS_OBS_CONTEXT, &dcm("121012", "Device Observer UID"), &input.device.uid));
    out.push(item::text(HAS_OBS_CONTEXT, &dcm("121013", "Device Observer Name"), &input.device.name));
    out.push(item::text(HAS_OBS_CONTEXT, &dcm("121014", "Device Observer Manufacturer"), crate::write::MANUFACTURER));
    out.push(item::text(HAS_OBS_CONTEXT, &dcm("121015", "Device Observer Model Name"), &input.device.name));
    out
}

/// Source: PS3.16 CID 100 (Quantitative Diagnostic Imaging Procedures).
fn procedure(modality: &str) -> Code {
    let loinc = |code, meaning| Code::new("LN", code, meaning, "");
    match modality {
        "CT" => loinc("25045-6", "CT unspecified body region"),
        "MR" => loinc("25056-3", "MRI unspecified body region"),
        "NM" => loinc("49118-3", "NM unspecified body region"),
        "PT" => loinc("44136-0", "PET unspecified body region"),
        _ => sct("363679005", "Imaging procedure"),
    }
}

/// Source: PS3.16 CID 29.
fn modality_code(modality: &str) -> Option<Code> {
    Some(match modality {
        "CT" => dcm("CT", "Computed Tomography"),
        "MR" => dcm("MR", "Magnetic Resonance"),
        "PT" => dcm("PT", "Positron emission tomography"),
        "US" => dcm("US", "Ultrasound"),
        "CR" => dcm("CR", "Computed Radiography"),
        "DX" => dcm("DX", "Digital Radiography"),
        _ => return None,
    })
}

/// A group of the library for each series, which says that series' own modality. Source: PS3.16 TID 1600, TID 1602.
fn image_library(input: &SrInput<'_>, context: &Context, images: &ImagesBySeries) -> Object {
    let groups = images.iter().map(|(series, images)| {
        let of_context = (*series == context.series).then_some(&context.modality);
        let modality = input.modalities.get(series).or(of_context).and_then(|modality| modality_code(modality));
        let mut children: Vec<Object> =
            modality.iter().map(|m| item::code(HAS_ACQ_CONTEXT, &dcm("121139", "Modality"), m, Vec::new())).collect();
        children.extend(images.iter().map(|i| item::image(CONTAINS, None, i)));
        item::container(Some(CONTAINS), &dcm("126200", "Image Library Group"), None, children)
    });
    item::container(Some(CONTAINS), &dcm("111028", "Image Library"), None, groups.collect())
}
