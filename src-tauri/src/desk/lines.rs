//! The record's rows as the page shows them.

use crate::page::dto::{FindingLine, MeasurementLine, OutboxLine, PersonLine, ServerLine, StudyLine};
use mj_lang::key;
use mj_model::person::{Person, Role};
use mj_model::{Finding, Lang, Side};
use mj_record::{OutboxRow, OutboxState, Run, RunOutcome, Server, StudyRow};

/// A line of the worklist.
#[must_use]
pub fn study(row: &StudyRow, lang: Lang) -> StudyLine {
    let patient = &row.patient;
    StudyLine {
        uid: row.study_uid.to_string(),
        id: row.id.clone(),
        name: patient.display(lang),
        patient_id: patient.id.clone(),
        issuer: patient.issuer.show().clone(),
        sex: patient.sex.clone(),
        age: patient.age.clone().unwrap_or_default(),
        birth_date: patient.birth_date.clone().unwrap_or_default(),
        date: row.date.clone().unwrap_or_default(),
        description: row.description.clone(),
        modalities: row.modalities.clone(),
        accession: row.accession.clone(),
        report: row.state.report.clone(),
        local: row.state.local.clone(),
        outbox: row.state.outbox.clone(),
        read: row.state.read != "unread",
        series: u32::try_from(row.series.len()).unwrap_or(u32::MAX),
        instances: row.series.iter().map(|s| s.instances).sum(),
    }
}

/// A finding as the page shows it.
#[must_use]
pub fn finding(finding: &Finding, people: &[Person], lang: Lang) -> FindingLine {
    let side = match finding.side {
        Side::Left => key::DESK_SIDE_LEFT.get(lang),
        Side::Right => key::DESK_SIDE_RIGHT.get(lang),
        Side::Both => key::DESK_SIDE_BOTH.get(lang),
        Side::None => "",
    };
    let by = people.iter().find(|p| p.id == finding.origin.name).map_or(&finding.origin.name, |p| &p.name);
    FindingLine {
        id: finding.id.clone(),
        revision: finding.revision,
        state: word(&finding.state),
        kind: finding.name(lang),
        site: finding.site.as_ref().map_or_else(String::new, |site| site.name(lang).into()),
        side: side.into(),
        measurements: finding
            .measurements
            .iter()
            .map(|m| MeasurementLine {
                id: m.id.clone(),
                what: m.quantity.what.name_of(m.derivation.as_ref(), lang),
                shown: m.quantity.shown(),
            })
            .collect(),
        by: by.clone(),
        at: finding.at.to_the_minute(),
    }
}

/// A person as the page shows one.
#[must_use]
pub fn person(person: &Person) -> PersonLine {
    PersonLine { id: person.id.clone(), name: person.name.clone(), role: word(&person.role) }
}

/// A role by its word.
#[must_use]
pub fn role(word: &str) -> Option<Role> {
    serde_json::from_value(word.into()).ok()
}

/// A server as the page shows one.
#[must_use]
pub fn server(server: &Server) -> ServerLine {
    ServerLine { name: server.name.clone(), host: server.host.clone(), port: server.port.into(), aet: server.aet.clone() }
}

/// The word serde writes for a plain variant.
#[must_use]
pub fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A row of the outbox as the page shows it.
#[must_use]
pub fn outbox(row: &OutboxRow, object: &str, lang: Lang) -> OutboxLine {
    let sentence = |reason: &str| {
        // The reason begins with a stable code, which has a sentence in both languages.
        let (code, rest) = reason.split_once(' ').unwrap_or((reason, ""));
        mj_lang::find(&format!("error.{}.message", code.trim_end_matches(':')))
            .map_or_else(|| reason.to_owned(), |text| text.with(lang, &[("reason", rest)]))
    };
    OutboxLine {
        id: row.id.clone(),
        object: object.into(),
        to: row.to.clone(),
        state: row.state.name().into(),
        attempts: row.attempts,
        evidence: row.evidence.as_ref().map_or_else(String::new, evidence),
        reason: row.reason.as_deref().map_or_else(String::new, sentence),
        study: row.study.to_string(),
    }
}

/// The peer's answer in one line: its values, without their names.
fn evidence(value: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        serde_json::Value::Object(fields) => {
            fields.values().filter(|v| !v.is_null()).map(text).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" · ")
        }
        other => text(other),
    }
}

/// How many rows wait and how many were refused.
#[must_use]
pub fn outbox_counts(rows: &[OutboxRow]) -> (u32, u32) {
    let count = |is: fn(OutboxState) -> bool| u32::try_from(rows.iter().filter(|row| is(row.state)).count()).unwrap_or(u32::MAX);
    (count(|state| matches!(state, OutboxState::Waiting | OutboxState::Sending)), count(OutboxState::needs_person))
}

/// What came of an algorithm's run; of an object that could not be read, why.
pub(crate) fn run(run: &Run, lang: Lang) -> String {
    let name = if run.description.is_empty() { key::DESK_RESULT_UNNAMED.get(lang) } else { &run.description };
    if let Some(code) = &run.error {
        return key::DESK_RESULT_UNREADABLE.with(lang, &[("name", name), ("code", code)]);
    }
    let text = match run.outcome {
        None => return name.to_owned(),
        Some(RunOutcome::Found) => key::DESK_RESULT_FOUND,
        Some(RunOutcome::FoundNothing) => key::DESK_RESULT_FOUND_NOTHING,
        Some(RunOutcome::Failed) => key::DESK_RESULT_FAILED,
        Some(RunOutcome::NotApplicable) => key::DESK_RESULT_NOT_APPLICABLE,
    };
    text.with(lang, &[("name", name)])
}

/// Why a result is kept aside; none for one that is not.
pub(crate) fn held(finding: &Finding, lang: Lang) -> Option<String> {
    let why = mj_lang::reason(finding.held?.code(), finding.held?.code(), lang);
    Some(key::DESK_RESULT_HELD.with(lang, &[("name", &finding.name(lang)), ("why", &why)]))
}
