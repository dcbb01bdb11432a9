//! A signed report as a FHIR R4 transaction: one POST to a server's base address stores all of it.
//!
//! Every entry is a `PUT` under an id that is derived from the report, so that sending it again, or its next version, replaces
//! what is there and never makes a second one. References are relative, as they are on the server. Persons and the hospital
//! are contained: outside of this workstation only their names are known.
//!
//! Source: FHIR R4 (4.0.1) DiagnosticReport, Composition, Observation, ImagingStudy, Patient; the linked sentences follow
//! IHE's Interactive Multimedia Report.

use super::narrative::{self, xhtml};
use super::{Image, Source, finding_concept, heading, is_classified, laterality, plain, shown_number, side, stable_uuid, tracking_concept};
use crate::document::{Block, BlockKind};
use crate::error::{Error, Result};
use crate::life::{AmendKind, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mj_model::code::known;
use mj_model::person::Role;
use mj_model::{Code, Confirmed, Lang, Measurement};
use serde_json::{Map, Number, Value, json};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;

const LOINC: &str = "http://loinc.org";
const URI: &str = "urn:ietf:rfc:3986";
const DICOM_UID: &str = "urn:dicom:uid";

/// A transaction Bundle with a DiagnosticReport, its Composition, an Observation for each finding, the ImagingStudy and the
/// Patient.
///
/// # Errors
/// [`Error::NotFollowing`] for a draft: only what a physician signed leaves.
pub fn bundle(source: &Source) -> Result<Value> {
    if !source.state.is_signed() {
        return Err(Error::NotFollowing { from: source.state.name(), to: "FHIR" });
    }
    let ids = Ids::of(source);
    let mut resources = vec![patient(source, &ids), imaging_study(source, &ids)];
    resources.extend(source.findings.iter().map(|finding| observation(source, &ids, finding)));
    resources.extend([composition(source, &ids), diagnostic_report(source, &ids)]);
    let entries: Vec<Value> = resources.into_iter().map(entry).collect();
    Ok(json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries }))
}

/// The addresses of the resources on the server, relative to its base.
struct Ids<'a> {
    patient: String,
    study: String,
    report: String,
    composition: String,
    /// By the id of the finding.
    observations: BTreeMap<&'a str, String>,
}

impl<'a> Ids<'a> {
    fn of(source: &'a Source) -> Self {
        let (document, study) = (source.document.id.as_str(), source.study.uid.as_str());
        let (issuer, id) = (source.patient.issuer.show().as_str(), source.patient.id.show().as_str());
        // An id without its issuer is no identity: such a patient is known within the study alone.
        let patient = if issuer.is_empty() || id.is_empty() { ["study", study] } else { [issuer, id] };
        let address = |kind: &str, parts: [&str; 2]| format!("{kind}/{}", stable_uuid(&[kind, parts[0], parts[1]]));
        let observation = |f: &'a Confirmed| (f.finding().id.as_str(), address("Observation", [document, &f.finding().id]));
        Self {
            patient: address("Patient", patient),
            study: address("ImagingStudy", [study, issuer]),
            report: address("DiagnosticReport", [document, ""]),
            composition: address("Composition", [document, ""]),
            observations: source.findings.iter().map(observation).collect(),
        }
    }
}

fn entry(resource: Value) -> Value {
    let part = |name: &str| resource.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = format!("{}/{}", part("resourceType"), part("id"));
    json!({ "resource": resource, "request": { "method": "PUT", "url": url } })
}

/// A resource at an address; members that are null are left out.
fn resource(address: &str, mut members: Value) -> Value {
    let (kind, id) = address.split_once('/').unwrap_or((address, ""));
    let mut all = Map::new();
    all.insert("resourceType".into(), kind.into());
    all.insert("id".into(), id.into());
    if let Some(members) = members.as_object_mut() {
        all.extend(std::mem::take(members).into_iter().filter(|(_, value)| !is_nothing(value)));
    }
    Value::Object(all)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// An object without the members that say nothing.
fn known_only(mut members: Value) -> Value {
    if let Some(members) = members.as_object_mut() {
        members.retain(|_, value| !is_nothing(value));
    }
    members
}

fn reference(address: &str) -> Value {
    json!({ "reference": address })
}

fn dicom_uid(uid: &str) -> Value {
    json!({ "system": DICOM_UID, "value": format!("urn:oid:{uid}") })
}

/// The address of a coding scheme. `None` for schemes that have none, such as private ones: their code says nothing to others.
/// Source: PS3.16 §8.
fn system(scheme: &str) -> Option<&'static str> {
    match scheme {
        "SCT" => Some("http://snomed.info/sct"),
        "DCM" => Some("http://dicom.nema.org/resources/ontology/DCM"),
        "LN" => Some(LOINC),
        "RADLEX" => Some("http://radlex.org"),
        _ => None,
    }
}

fn concept(code: &Code, lang: Lang) -> Value {
    let coding: Vec<Value> =
        system(&code.scheme).map(|system| json!({ "system": system, "code": code.code, "display": code.name_en })).into_iter().collect();
    known_only(json!({ "coding": coding, "text": code.name(lang) }))
}

fn language(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    }
}

/// What was done: the general LOINC code of imaging, and what the study is called.
fn procedure(source: &Source) -> Value {
    known_only(json!({
        "coding": [{ "system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study" }],
        "text": source.study.description,
    }))
}

fn patient(source: &Source, ids: &Ids<'_>) -> Value {
    let patient = &source.patient;
    let group = |text: &str| {
        let parts: Vec<&str> = text.split('^').map(str::trim).collect();
        let part = |n: usize| parts.get(n).copied().unwrap_or_default();
        let list = |texts: &[&str]| texts.iter().filter(|t| !t.is_empty()).map(|t| json!(t)).collect::<Vec<_>>();
        let given = list(&[part(1), part(2)]);
        (!text.trim().is_empty())
            .then(|| known_only(json!({ "family": part(0), "given": given, "prefix": list(&[part(3)]), "suffix": list(&[part(4)]) })))
    };
    let represented = |text: &str, code: &str| {
        let mut name = group(text)?;
        // Which script a name is written in. Source: FHIR extension iso21090-EN-representation.
        let extension = json!([{ "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": code }]);
        name.as_object_mut()?.insert("extension".into(), extension);
        Some(name)
    };
    let name = &patient.name;
    let groups = [(&name.alphabetic, "ABC"), (&name.ideographic, "IDE"), (&name.phonetic, "SYL")];
    let names: Vec<Value> = groups.into_iter().filter_map(|(group, code)| represented(group.show(), code)).collect();
    let issuer = patient.issuer.show().trim();
    let assigner = (!issuer.is_empty()).then(|| json!({ "display": issuer }));
    let id = patient.id.show().trim();
    let kind = json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PI" }] });
    let identifier: Vec<Value> =
        (!id.is_empty()).then(|| known_only(json!({ "type": kind, "value": id, "assigner": assigner }))).into_iter().collect();
    let gender = match patient.sex.trim() {
        "M" => Some("male"),
        "F" => Some("female"),
        "O" => Some("other"),
        _ => None,
    };
    let birth_date = patient.birth_date.as_ref().map(|date| date.show().clone());
    resource(&ids.patient, json!({ "identifier": identifier, "name": names, "gender": gender, "birthDate": birth_date }))
}

fn accession(source: &Source) -> Option<Value> {
    let number = source.study.accession.show().trim();
    let kind = json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN" }] });
    (!number.is_empty()).then(|| json!({ "type": kind, "value": number }))
}

fn imaging_study(source: &Source, ids: &Ids<'_>) -> Value {
    let study = &source.study;
    let series: Vec<Value> = study
        .series
        .iter()
        .map(|series| {
            // Not every image is named: those that findings were drawn on.
            let on_it = source.findings.iter().filter(|f| f.finding().series == series.uid).flat_map(|f| source.images_of(f));
            let mut images: Vec<Image> = on_it.collect();
            images.sort_by(|a, b| a.instance.cmp(&b.instance));
            images.dedup();
            series_of(series, Some(series.instances), &images)
        })
        .collect();
    let mut modalities: Vec<&str> = study.series.iter().map(|series| series.modality.as_str()).collect();
    modalities.sort_unstable();
    modalities.dedup();
    let modality: Vec<Value> = modalities.into_iter().filter(|m| !m.is_empty()).map(modality_of).collect();
    let identifier: Vec<Value> = [Some(dicom_uid(study.uid.as_str())), accession(source)].into_iter().flatten().collect();
    let (n_series, n_instances) = (study.series.len(), study.series.iter().map(|s| s.instances).sum::<u32>());
    resource(
        &ids.study,
        json!({
            "identifier": identifier, "status": "available", "modality": modality, "subject": reference(&ids.patient),
            "started": study.date, "numberOfSeries": n_series, "numberOfInstances": n_instances,
            "description": study.description, "series": series,
        }),
    )
}

fn modality_of(code: &str) -> Value {
    json!({ "system": "http://dicom.nema.org/resources/ontology/DCM", "code": code })
}

fn series_of(series: &super::Series, n_instances: Option<u32>, images: &[Image]) -> Value {
    let instances: Vec<Value> = images
        .iter()
        .map(|image| {
            let class = json!({ "system": URI, "code": format!("urn:oid:{}", image.sop_class) });
            json!({ "uid": image.instance.as_str(), "sopClass": class })
        })
        .collect();
    known_only(json!({
        "uid": series.uid.as_str(), "number": series.number.filter(|n| *n >= 0), "modality": modality_of(&series.modality),
        "description": series.description, "numberOfInstances": n_instances, "instance": instances,
    }))
}

/// The images of one finding as a contained ImagingStudy: R4 has no reference to a single image.
fn selection(source: &Source, ids: &Ids<'_>, finding: &Confirmed) -> Option<Value> {
    let images = source.images_of(finding);
    let series = source.study.series.iter().find(|series| series.uid == finding.finding().series)?;
    (!images.is_empty()).then(|| {
        json!({
            "resourceType": "ImagingStudy", "id": "images", "identifier": [dicom_uid(source.study.uid.as_str())],
            "status": "available", "subject": reference(&ids.patient), "series": [series_of(series, None, &images)],
        })
    })
}

fn observation(source: &Source, ids: &Ids<'_>, confirmed: &Confirmed) -> Value {
    let (finding, lang) = (confirmed.finding(), source.document.lang);
    let selected = selection(source, ids, confirmed);
    let mut derived_from = vec![reference(&ids.study)];
    derived_from.extend(selected.as_ref().map(|_| reference("#images")));
    let mut components: Vec<Value> = finding.measurements.iter().map(|m| component(m, lang)).collect();
    components.extend(finding.certainty_percent.and_then(|percent| certainty(percent, lang)));
    components.extend(
        side(finding.side).map(|side| json!({ "code": concept(&laterality(), lang), "valueCodeableConcept": concept(&side, lang) })),
    );
    let tracking = dicom_uid(finding.tracking_uid.as_str());
    let typed = json!({ "type": concept(&tracking_concept(), lang), "system": tracking["system"], "value": tracking["value"] });
    let category = json!([{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging" }] }]);
    let address = ids.observations.get(finding.id.as_str()).map_or("", String::as_str);
    let status = if source.state == State::Preliminary { "preliminary" } else { "final" };
    resource(
        address,
        json!({
            "contained": selected.into_iter().collect::<Vec<_>>(),
            "identifier": [typed], "status": status, "category": category, "code": concept(&finding_concept(), lang),
            "subject": reference(&ids.patient), "effectiveDateTime": source.study.date, "issued": issued(source),
            "valueCodeableConcept": is_classified(&finding.kind).then(|| concept(&finding.kind, lang)),
            "note": finding.label.iter().filter(|l| !l.trim().is_empty()).map(|label| json!({ "text": label })).collect::<Vec<_>>(),
            "bodySite": finding.site.as_ref().map(|site| concept(site, lang)),
            "method": common_method(&finding.measurements).map(|method| concept(method, lang)),
            "derivedFrom": derived_from, "component": components,
        }),
    )
}

/// The method of all measurements, where it is one: R4 has none for each.
fn common_method(all: &[Measurement]) -> Option<&Code> {
    let first = all.first()?.method.as_ref()?;
    all.iter().all(|m| m.method.as_ref().is_some_and(|method| method.is_same(first))).then_some(first)
}

/// A measurement. Of a statistic of several values only the words are given: the code alone would name the value itself.
fn component(measurement: &Measurement, lang: Lang) -> Value {
    let quantity = &measurement.quantity;
    let mut name = quantity.what.name_of(measurement.derivation.as_ref(), lang);
    if let Some(method) = &measurement.method {
        name = format!("{name} ({})", method.name(lang));
    }
    let mut code = concept(&quantity.what, lang);
    if let Some(members) = code.as_object_mut() {
        members.insert("text".into(), name.into());
        if measurement.derivation.is_some() {
            members.remove("coding");
        }
    }
    json!({ "code": code, "valueQuantity": amount(&shown_number(measurement), quantity.unit.label(), &quantity.unit.0) })
}

fn certainty(percent: f64, lang: Lang) -> Option<Value> {
    percent
        .is_finite()
        .then(|| json!({ "code": concept(&known::certainty(), lang), "valueQuantity": amount(&format!("{percent:.0}"), "%", "%") }))
}

fn amount(number: &str, unit: &str, ucum: &str) -> Value {
    let value = number.parse::<f64>().ok().and_then(Number::from_f64);
    known_only(json!({ "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": ucum }))
}

fn issued(source: &Source) -> Option<String> {
    source.last_signature().map(|last| last.at.to_string())
}

/// The persons who signed, the hospital, and references to both. `#` names what is contained.
struct People {
    contained: Vec<Value>,
    signers: Vec<Value>,
    hospital: Option<Value>,
}

fn people(source: &Source) -> People {
    let mut contained: Vec<Value> = Vec::new();
    let mut signers = Vec::new();
    for (i, signature) in source.signatures.iter().enumerate() {
        let id = format!("signer-{}", i + 1);
        contained.push(json!({ "resourceType": "Practitioner", "id": id, "name": [{ "text": signature.name }] }));
        signers.push(json!({ "reference": format!("#{id}"), "display": signature.name }));
    }
    let name = source.study.institution.trim();
    let hospital = (!name.is_empty()).then(|| json!({ "reference": "#hospital", "display": name }));
    if hospital.is_some() {
        contained.push(json!({ "resourceType": "Organization", "id": "hospital", "name": name }));
    }
    People { contained, signers, hospital }
}

fn report_identifier(id: &str) -> Value {
    json!({ "system": URI, "value": format!("urn:uuid:{id}") })
}

fn fields<'a>(source: &'a Source, ids: &Ids<'_>) -> Vec<(&'a Block, String)> {
    let links: BTreeMap<&str, String> = ids.observations.iter().map(|(id, address)| (*id, address.clone())).collect();
    source.document.blocks.iter().filter(|b| narrative::has_text(b)).map(|block| (block, xhtml(block, &links))).collect()
}

fn composition(source: &Source, ids: &Ids<'_>) -> Value {
    let lang = source.document.lang;
    let people = people(source);
    let entries: Vec<Value> = ids.observations.values().map(|address| reference(address)).collect();
    let sections: Vec<Value> = fields(source, ids)
        .into_iter()
        .map(|(block, div)| {
            let code =
                heading(block.kind).map(|(code, display)| json!({ "coding": [{ "system": LOINC, "code": code, "display": display }] }));
            let entry = if block.kind == BlockKind::Findings { entries.clone() } else { Vec::new() };
            known_only(json!({
                "title": block.title(lang), "code": code, "text": { "status": "additional", "div": div }, "entry": entry,
            }))
        })
        .collect();
    let attester: Vec<Value> = source
        .signatures
        .iter()
        .zip(&people.signers)
        .map(|(signature, party)| {
            let mode = if signature.role == Role::Reviewing { "legal" } else { "professional" };
            json!({ "mode": mode, "time": signature.at.to_string(), "party": party })
        })
        .collect();
    let status = match source.state {
        State::Draft | State::Preliminary => "preliminary",
        State::Final => "final",
        State::Addendum | State::Corrected => "amended",
    };
    resource(
        &ids.composition,
        json!({
            "language": language(lang), "contained": people.contained, "identifier": report_identifier(&source.document.id),
            "status": status, "type": procedure(source), "subject": reference(&ids.patient), "date": issued(source),
            "author": people.signers, "title": title(source), "attester": attester, "custodian": people.hospital,
            "relatesTo": relates_to(source), "section": sections,
        }),
    )
}

fn title(source: &Source) -> String {
    let titles = [source.title.as_str(), source.study.description.as_str(), "Diagnostic imaging study"];
    titles.into_iter().find(|title| !title.trim().is_empty()).unwrap_or_default().to_owned()
}

fn relates_to(source: &Source) -> Vec<Value> {
    let related = source.amends.as_ref().map(|earlier| {
        let code = if earlier.kind == AmendKind::Corrected { "replaces" } else { "appends" };
        json!({ "code": code, "targetIdentifier": report_identifier(&earlier.id) })
    });
    related.into_iter().collect()
}

fn diagnostic_report(source: &Source, ids: &Ids<'_>) -> Value {
    let lang = source.document.lang;
    let people = people(source);
    let mut performer: Vec<Value> = people.hospital.into_iter().collect();
    performer.extend(people.signers.iter().cloned());
    let status = match source.state {
        State::Draft | State::Preliminary => "preliminary",
        State::Final => "final",
        State::Addendum => "appended",
        State::Corrected => "corrected",
    };
    let category = json!([
        { "coding": [{ "system": LOINC, "code": "LP29684-5", "display": "Radiology" }] },
        { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology" }] },
    ]);
    let written: Vec<(String, String)> = fields(source, ids).into_iter().map(|(block, div)| (block.title(lang).to_owned(), div)).collect();
    let text = json!({ "status": "additional", "div": narrative::whole(&title(source), &written) });
    let based_on: Vec<Value> =
        accession(source).map(|number| json!({ "type": "ServiceRequest", "identifier": number })).into_iter().collect();
    resource(
        &ids.report,
        json!({
            "language": language(lang), "text": text, "contained": people.contained,
            "identifier": [report_identifier(&source.document.id)], "basedOn": based_on, "status": status, "category": category,
            "code": procedure(source), "subject": reference(&ids.patient), "effectiveDateTime": source.study.date,
            "issued": issued(source), "performer": performer, "resultsInterpreter": people.signers,
            "result": source.findings.iter().filter_map(|f| ids.observations.get(f.finding().id.as_str())).map(|a| reference(a)).collect::<Vec<_>>(),
            "imagingStudy": [reference(&ids.study)], "conclusion": source.text_of(BlockKind::Impression),
            "conclusionCode": conclusion_codes(source), "presentedForm": [presented(source)],
        }),
    )
}

/// What the findings are, each once, where it has a public code.
fn conclusion_codes(source: &Source) -> Vec<Value> {
    let mut codes: Vec<&Code> = Vec::new();
    for kind in source.findings.iter().map(|f| &f.finding().kind) {
        if is_classified(kind) && system(&kind.scheme).is_some() && !codes.iter().any(|known| known.is_same(kind)) {
            codes.push(kind);
        }
    }
    codes.into_iter().map(|code| concept(code, source.document.lang)).collect()
}

/// The printed report. `hash` is SHA-1, as FHIR R4 wants: it tells transfers that went wrong, it proves nothing.
fn presented(source: &Source) -> Value {
    json!({
        "contentType": "application/pdf", "language": language(source.document.lang), "data": STANDARD.encode(&source.pdf),
        "size": source.pdf.len(), "hash": STANDARD.encode(Sha1::digest(&source.pdf)), "title": plain(&title(source)),
        "creation": issued(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::source;

    fn find<'a>(bundle: &'a Value, kind: &str) -> &'a Value {
        let entries = bundle["entry"].as_array().unwrap();
        &entries.iter().find(|e| e["resource"]["resourceType"] == kind).unwrap()["resource"]
    }

    #[test]
    fn a_draft_does_not_leave() {
        assert!(bundle(&Source { state: State::Draft, ..source() }).is_err());
    }

    #[test]
    fn states_follow_the_life_cycle() {
        let states =
            [(State::Preliminary, "preliminary"), (State::Final, "final"), (State::Addendum, "appended"), (State::Corrected, "corrected")];
        for (state, status) in states {
            assert_eq!(find(&bundle(&Source { state, ..source() }).unwrap(), "DiagnosticReport")["status"], status);
        }
    }

    #[test]
    fn every_reference_leads_to_an_entry_or_to_what_is_contained() {
        let bundle = bundle(&source()).unwrap();
        let urls: Vec<&str> = bundle["entry"].as_array().unwrap().iter().map(|e| e["request"]["url"].as_str().unwrap()).collect();
        for resource in bundle["entry"].as_array().unwrap().iter().map(|e| &e["resource"]) {
            for found in references(resource) {
                let is_contained = found
                    .strip_prefix('#')
                    .is_some_and(|id| resource["contained"].as_array().is_some_and(|all| all.iter().any(|one| one["id"] == id)));
                assert!(is_contained || urls.contains(&found), "{found}");
            }
        }
        let linked = find(&bundle, "Composition")["section"][0]["text"]["div"].as_str().unwrap();
        assert!(urls.iter().any(|url| linked.contains(&format!("<a href=\"{url}\">右肺上叶见结节。</a>"))), "{linked}");
    }

    fn references(value: &Value) -> Vec<&str> {
        match value {
            Value::Object(members) => {
                let own = members.get("reference").and_then(Value::as_str);
                own.into_iter().chain(members.values().flat_map(references)).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_is_not_known_is_left_out_and_numbers_have_the_digits_shown() {
        let mut source = source();
        source.study.date = None;
        source.patient.birth_date = None;
        source.patient.sex = String::new();
        let bundle = bundle(&source).unwrap();
        assert!(find(&bundle, "Patient").get("birthDate").is_none() && find(&bundle, "Patient").get("gender").is_none());
        assert!(find(&bundle, "DiagnosticReport").get("effectiveDateTime").is_none());
        let observation = find(&bundle, "Observation");
        assert_eq!(observation["component"][0]["valueQuantity"]["value"].to_string(), "12.3");
        assert_eq!(observation["component"][0]["valueQuantity"]["code"], "mm");
        assert!(!bundle.to_string().contains("null"), "{bundle}");
    }

    #[test]
    fn a_mean_does_not_bear_the_code_of_the_value() {
        let mut measured = source().findings[0].finding().measurements[0].clone();
        measured.derivation = Some(known::mean());
        let said = component(&measured, Lang::En);
        assert_eq!((said["code"].get("coding"), &said["code"]["text"]), (None, &json!("Length (mean)")));
    }
}
