//! A signed report as an HL7 v2.5.1 message, ORU^R01 in UTF-8, and the receiver's answer.
//!
//! Source: HL7 v2.5.1 chapters 2 (control, escaping), 3 (PID) and 7 (OBR, OBX).

use super::{Source, finding_concept, heading, is_classified, laterality, plain, shown_number, side, stable_uuid, tracking_concept};
use crate::error::{Error, Result};
use crate::life::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mj_model::code::known;
use mj_model::person::Role;
use mj_model::{Code, Confirmed, Measurement, Moment, Unit};

/// Whether the printed report goes with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Print {
    /// As a PDF in the last OBX.
    Enclosed,
    /// Left out.
    LeftOut,
}

/// The message, segments ended by carriage returns.
///
/// # Errors
/// [`Error::NotFollowing`] for a draft: only what a physician signed leaves.
pub fn oru(source: &Source, print: Print) -> Result<String> {
    if !source.state.is_signed() {
        return Err(Error::NotFollowing { from: source.state.name(), to: "HL7" });
    }
    let mut segments = vec![msh(source), pid(source), orc(source), obr(source)];
    segments.extend(source.amends.iter().map(|earlier| format!("NTE|1|L|{}", escape(&plain(&earlier.sentence)))));
    segments.extend(observations(source, print).into_iter().enumerate().map(|(i, obx)| obx.segment(i + 1, status(source.state))));
    Ok(segments.into_iter().map(|segment| format!("{}\r", segment.trim_end_matches('|'))).collect())
}

/// The message's control id, MSH-10: the same for the same signed version, so that a receiver knows it again.
#[must_use]
pub fn control_id(source: &Source) -> String {
    // At most 20 characters.
    stable_uuid(&["ORU", source.sr.as_str()]).replace('-', "").chars().take(20).collect()
}

/// Text with everything that HL7 reads as a separator escaped. Line ends become `\.br\`, other control characters
/// hexadecimal. Source: HL7 v2.5.1 §2.7.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\E\\"),
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\n' => out.push_str("\\.br\\"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\X{:02X}\\", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The text that was [escaped](escape). Sequences that are not known stay as they stand.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let Some((sequence, behind)) = after.split_once('\\') else {
            out.push('\\');
            rest = after;
            continue;
        };
        match sequence {
            "E" => out.push('\\'),
            "F" => out.push('|'),
            "S" => out.push('^'),
            "T" => out.push('&'),
            "R" => out.push('~'),
            ".br" => out.push('\n'),
            other => match hexadecimal(other) {
                Some(bytes) => out.push_str(&bytes),
                None => out.push_str(&format!("\\{other}\\")),
            },
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn hexadecimal(sequence: &str) -> Option<String> {
    let digits = sequence.strip_prefix('X')?;
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// What a receiver answers with. Source: HL7 v2.5.1 §2.14.8 (MSA).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// MSA-1: `AA` taken, `AE` not taken for what it says, `AR` not taken for other reasons; `CA`, `CE`, `CR` likewise.
    pub code: String,
    /// MSA-2: control id of the message it answers.
    pub control_id: String,
    /// MSA-3, or the words of its first ERR segment; may be empty.
    pub text: String,
}

impl Ack {
    /// True when the receiver took the message.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.code.as_str(), "AA" | "CA")
    }

    /// Reads an answer; `None` when it is none.
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        let mut segments = message.split(['\r', '\n']).filter(|line| !line.is_empty());
        segments.next().filter(|first| first.starts_with("MSH"))?;
        let rest: Vec<Vec<&str>> = segments.map(|line| line.split('|').collect()).collect();
        let named = |name: &str| rest.iter().find(|fields| fields.first() == Some(&name));
        let field = |fields: &[&str], n: usize| unescape(fields.get(n).copied().unwrap_or_default()).trim().to_owned();
        let msa = named("MSA")?;
        let err = named("ERR").map(|err| field(err, 8)).unwrap_or_default();
        let said = field(msa, 3);
        let code = field(msa, 1);
        let is_code = code.len() == 2 && code.starts_with(['A', 'C']) && code.ends_with(['A', 'E', 'R']);
        is_code.then(|| Self { code, control_id: field(msa, 2), text: if said.is_empty() { err } else { said } })
    }
}

fn timestamp(at: Moment) -> String {
    at.local().strftime("%Y%m%d%H%M%S%z").to_string()
}

fn msh(source: &Source) -> String {
    let at = source.last_signature().map(|last| timestamp(last.at)).unwrap_or_default();
    let facility = one_line(&source.study.institution);
    let control = control_id(source);
    format!("MSH|^~\\&|MINGJING|{facility}|||{at}||ORU^R01^ORU_R01|{control}|P|2.5.1||||||UNICODE UTF-8")
}

/// A value that stands on one line.
fn one_line(text: &str) -> String {
    escape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// PID-5 has a repetition for each script: type L, representation A, I or P. DICOM has the prefix before the suffix, HL7 behind.
fn pid(source: &Source) -> String {
    let patient = &source.patient;
    let name = |group: &str, representation: &str| {
        let parts: Vec<String> = group.split('^').map(one_line).collect();
        let part = |n: usize| parts.get(n).map_or("", String::as_str);
        (!group.trim().is_empty()).then(|| format!("{}^{}^{}^{}^{}^^L^{representation}", part(0), part(1), part(2), part(4), part(3)))
    };
    let groups = [(&patient.name.alphabetic, "A"), (&patient.name.ideographic, "I"), (&patient.name.phonetic, "P")];
    let names: Vec<String> = groups.into_iter().filter_map(|(group, code)| name(group.show(), code)).collect();
    let (id, issuer) = (one_line(patient.id.show()), one_line(patient.issuer.show()));
    let id = if issuer.is_empty() { id } else { format!("{id}^^^{issuer}") };
    let birth = patient.birth_date.as_ref().map(|date| date.show().replace('-', "")).unwrap_or_default();
    let sex = patient.sex.trim();
    let sex = if matches!(sex, "M" | "F" | "O") { sex } else { "" };
    format!("PID|1||{id}||{}||{birth}|{sex}", names.join("~"))
}

/// The filler's number: the accession number, or the report's own where there is none.
fn filler(source: &Source) -> String {
    let accession = one_line(source.study.accession.show());
    if accession.is_empty() { format!("{}^MINGJING", one_line(&source.document.id)) } else { accession }
}

fn orc(source: &Source) -> String {
    format!("ORC|RE||{}", filler(source))
}

/// OBR-25 and OBX-11: preliminary, final, corrected. An addendum is a final result of its own, the note says of what.
const fn status(state: State) -> &'static str {
    match state {
        State::Draft | State::Preliminary => "P",
        State::Final | State::Addendum => "F",
        State::Corrected => "C",
    }
}

fn obr(source: &Source) -> String {
    let study = &source.study;
    let digits = |text: &Option<String>| text.as_deref().unwrap_or_default().chars().filter(char::is_ascii_digit).collect::<String>();
    // A time without its day says nothing; the zone is not known.
    let date = digits(&study.date);
    let time = if date.is_empty() { String::new() } else { digits(&study.time) };
    let issued = source.last_signature().map(|last| timestamp(last.at)).unwrap_or_default();
    let person = |role: Role| source.signatures.iter().rev().find(|s| s.role == role).map(|s| format!("&{}", one_line(&s.name)));
    let (reporting, reviewing) = (person(Role::Reporting), person(Role::Reviewing));
    let only = source.first_signature().map(|s| format!("&{}", one_line(&s.name)));
    let principal = reviewing.clone().or_else(|| reporting.clone()).or(only).unwrap_or_default();
    let assistant = if reviewing.is_some() { reporting.unwrap_or_default() } else { String::new() };
    let mut fields = vec![String::new(); 34];
    for (n, value) in [
        (0, "OBR".to_owned()),
        (1, "1".to_owned()),
        (3, filler(source)),
        (4, format!("{}^^{}", loinc("18748-4", "Diagnostic imaging study"), one_line(&study.description))),
        (7, format!("{date}{time}")),
        (18, one_line(study.accession.show())),
        (22, issued),
        (24, "RAD".to_owned()),
        (25, status(source.state).to_owned()),
        (32, principal),
        (33, assistant),
    ] {
        if let Some(field) = fields.get_mut(n) {
            *field = value.trim_end_matches('^').to_owned();
        }
    }
    fields.join("|")
}

fn loinc(code: &str, name: &str) -> String {
    format!("{code}^{name}^LN")
}

fn coded(code: &Code) -> String {
    format!("{}^{}^{}", one_line(&code.code), one_line(&code.name_en), one_line(&code.scheme))
}

/// One OBX: what, of which group, in which form. Its number and status come when it is written.
struct Obx {
    kind: &'static str,
    what: String,
    group: String,
    value: String,
    unit: String,
    method: String,
}

impl Obx {
    fn new(kind: &'static str, what: String, group: String, value: String) -> Self {
        Self { kind, what, group, value, unit: String::new(), method: String::new() }
    }

    fn segment(&self, n: usize, status: &str) -> String {
        let Self { kind, what, group, value, unit, method } = self;
        format!("OBX|{n}|{kind}|{what}|{group}|{value}|{unit}|||||{status}||||||{method}")
    }
}

fn observations(source: &Source, print: Print) -> Vec<Obx> {
    let lang = source.document.lang;
    let uid = Obx::new("ST", "113014^DICOM Study^DCM".into(), String::new(), source.study.uid.to_string());
    let mut all = vec![uid];
    for (n, block) in source.document.blocks.iter().enumerate() {
        let text = plain(&block.plain());
        if text.is_empty() {
            continue;
        }
        let title = one_line(block.title(lang));
        let what = heading(block.kind).map_or_else(|| format!("^{title}"), |(code, name)| format!("{}^^{title}", loinc(code, name)));
        all.push(Obx::new("FT", what, format!("T{}", n + 1), escape(&text)));
    }
    for (n, finding) in source.findings.iter().enumerate() {
        all.extend(of_finding(finding, n + 1));
    }
    if print == Print::Enclosed {
        let what = format!("{}^^PDF", loinc("18748-4", "Diagnostic imaging study"));
        all.push(Obx::new("ED", what, String::new(), format!("^application^pdf^Base64^{}", STANDARD.encode(&source.pdf))));
    }
    all
}

/// A finding and what was measured of it, held together by OBX-4: `1` is the finding, `1.2` its second measurement.
fn of_finding(confirmed: &Confirmed, n: usize) -> Vec<Obx> {
    let finding = confirmed.finding();
    let group = n.to_string();
    let said = |what: &Code, value: String| Obx::new("CWE", coded(what), group.clone(), value);
    let label = finding.label.as_deref().map(one_line).unwrap_or_default();
    let kind = if is_classified(&finding.kind) { coded(&finding.kind) } else { format!("^{}", one_line(&finding.kind.name_en)) };
    let kind = if label.is_empty() { kind } else { format!("{kind}{}^^^^^^{label}", if is_classified(&finding.kind) { "" } else { "^" }) };
    let mut all = vec![said(&finding_concept(), kind)];
    all.push(Obx::new("ST", coded(&tracking_concept()), group.clone(), finding.tracking_uid.to_string()));
    let site = Code::new("SCT", "363698007", "Finding site", "部位");
    all.extend(finding.site.as_ref().map(|code| said(&site, coded(code))));
    all.extend(side(finding.side).map(|code| said(&laterality(), coded(&code))));
    all.extend(finding.measurements.iter().enumerate().map(|(i, m)| measured(m, format!("{n}.{}", i + 1))));
    all.extend(finding.certainty_percent.filter(|p| p.is_finite()).map(|percent| {
        let value = format!("{percent:.0}");
        Obx { unit: "%^percent^UCUM".into(), ..Obx::new("NM", coded(&known::certainty()), group.clone(), value) }
    }));
    all
}

/// A measurement. Of a statistic of several values only the words are given: the code alone would name the value itself.
fn measured(measurement: &Measurement, group: String) -> Obx {
    let what = &measurement.quantity.what;
    let name = match &measurement.derivation {
        None => coded(what),
        statistic => format!("^{}", one_line(&what.name_of(statistic.as_ref(), mj_model::Lang::En))),
    };
    Obx {
        unit: unit(&measurement.quantity.unit),
        method: measurement.method.as_ref().map(coded).unwrap_or_default(),
        ..Obx::new("NM", name, group, shown_number(measurement))
    }
}

fn unit(unit: &Unit) -> String {
    format!("{}^{}^UCUM", escape(&unit.0), escape(unit.label()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::testing::source;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_typed_comes_back(text in "[\\PC\n\r\t|^~\\\\&]{0,60}") {
            let sent = escape(&text);
            prop_assert!(!sent.contains(['|', '^', '~', '&', '\r', '\n']), "{}", sent);
            prop_assert_eq!(unescape(&sent), text);
        }

        #[test]
        fn no_answer_makes_it_fail(text in "(MSH\\|.{0,20}\r)?(MSA\\|(AA|CE|XX|)\\|?.{0,10}\\|?.{0,10}\r?)?\\PC{0,40}") {
            let _read = (Ack::parse(&text), unescape(&text));
        }
    }

    fn field(message: &str, segment: &str, n: usize) -> String {
        let line = message.split('\r').find(|line| line.starts_with(segment)).unwrap();
        line.split('|').nth(n).unwrap_or_default().to_owned()
    }

    #[test]
    fn the_fields_of_a_final_report() {
        let message = oru(&source(), Print::LeftOut).unwrap();
        // MSH-1 is the separator itself.
        assert_eq!(field(&message, "MSH", 17), "UNICODE UTF-8");
        assert_eq!(field(&message, "PID", 3), "P\\F\\1^^^示范医院");
        assert_eq!(field(&message, "PID", 5), "Shili^Yi^^^^^L^A~示例^一^^^^^L^I");
        assert_eq!((field(&message, "OBR", 18), field(&message, "OBR", 25)), ("A-1".into(), "F".into()));
        assert_eq!(field(&message, "OBR", 7), "20261120101112");
        assert_eq!((field(&message, "OBR", 32), field(&message, "OBR", 33)), ("&审核乙".into(), "&医师甲".into()));
        let number = message.split('\r').find(|line| line.contains("|NM|")).unwrap();
        assert!(number.contains("|NM|410668003^Length^SCT|1.1|12.3|mm^mm^UCUM|||||F"), "{number}");
        assert!(message.contains("a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f <g>\\.br\\\"结论\""), "{message}");
        assert!(message.ends_with('\r') && !message.contains('\n'));
    }

    #[test]
    fn states_and_drafts() {
        let status = |state| oru(&Source { state, ..source() }, Print::LeftOut).map(|message| field(&message, "OBR", 25));
        assert_eq!(status(State::Preliminary).unwrap(), "P");
        assert_eq!(status(State::Corrected).unwrap(), "C");
        assert!(status(State::Draft).is_err());
    }

    #[test]
    fn answers() {
        let ack = |text: &str| Ack::parse(text);
        let said = ack("MSH|^~\\&|R\rMSA|AE|77|bad \\F\\ field\r").unwrap();
        assert_eq!((said.code.as_str(), said.control_id.as_str(), said.text.as_str()), ("AE", "77", "bad | field"));
        assert_eq!(ack("MSH|^~\\&|R\rMSA|AR|77\rERR||||E||||no such patient\r").unwrap().text, "no such patient");
        for wrong in ["", "MSA|AA|1", "MSH|^~\\&\rMSA|ZZ|1", "MSH|^~\\&\r"] {
            assert_eq!(ack(wrong), None, "{wrong}");
        }
    }
}
