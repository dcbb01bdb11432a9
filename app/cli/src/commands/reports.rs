//! Reports: the same document edits as the shell's.

use super::{Ctx, findings::WHO, study_of};
use crate::args::{CheckReport, Report as Command, ReportForm, Sign};
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::key;
use mj_record::{Record, Report, SignRequest};
use mj_report::check::{CheckContext, Reason};
use mj_report::exchange::hl7::{self, Print};
use mj_report::exchange::{Source, fhir};
use mj_report::life::AmendKind;
use mj_report::{Block, CheckResult, Document, Edit, EditSource, Op, Severity, Slot, SlotState};
use std::path::Path;

pub(super) async fn run(ctx: &Ctx<'_>, command: Command) -> Result<Done, Failure> {
    if let Command::Check(check) = &command
        && let Some(text) = file(&check.id)
    {
        return check_file(ctx, check, &String::from_utf8_lossy(&text?)).await;
    }
    let record = ctx.record().await?;
    match command {
        Command::New { study, template } => {
            let found = super::templates::named(&record, &template)?;
            let report = record.new_report(&study_of(&record, &study).await?, &found, ctx.out.lang, WHO).await?;
            print(ctx, &report)
        }
        Command::Set { id, field, text } => set(ctx, &record, &id, &field, &text).await,
        Command::Type { id, field } => type_in(ctx, &record, &id, &field).await,
        Command::Show { id } => print(ctx, &record.report(&id).await?),
        Command::List { study } => {
            let reports = record.reports(&study_of(&record, &study).await?).await?;
            let json = reports.iter().map(Report::to_json).collect::<Vec<_>>();
            ctx.out.result(&json, |_| {
                reports.iter().map(|r| format!("{}  {}", r.document.id, r.state.name())).collect::<Vec<_>>().join("\n")
            })?;
            Ok(Done::Well)
        }
        Command::Check(check) => {
            let checks = checks(&record, &check.id).await?;
            print_checks(ctx, &checks)
        }
        Command::Confirm { id, claim } => {
            record.confirm_claims(&id, claim.as_deref(), WHO).await?;
            print(ctx, &record.report(&id).await?)
        }
        Command::Draft { id } => draft(ctx, &record, &id).await,
        Command::Addendum { id } => print(ctx, &record.amend(&id, AmendKind::Addendum, WHO).await?),
        Command::Sign(sign) => self::sign(ctx, &record, &sign, false).await,
        Command::Countersign(sign) => self::sign(ctx, &record, &sign, true).await,
        Command::Send { id, hl7 } => send(ctx, &record, &id, &hl7).await,
        Command::Export { id, form, out } => export(ctx, &record, &id, form, &out).await,
    }
}

fn print_checks(ctx: &Ctx<'_>, checks: &Vec<CheckResult>) -> Result<Done, Failure> {
    ctx.out.result(checks, |all| {
        all.iter().map(|c| format!("{}  {}  {}", c.severity.name(), c.rule, c.message)).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::Well)
}

/// Reads a plain text over, as a report in the fields that its headings name. Without a study it needs no record.
async fn check_file(ctx: &Ctx<'_>, check: &CheckReport, text: &str) -> Result<Done, Failure> {
    let text = text.trim_start_matches('\u{FEFF}');
    let ordered_side = match check.side.as_deref() {
        Some("left") => mj_model::Side::Left,
        Some("right") => mj_model::Side::Right,
        _ => mj_model::Side::None,
    };
    let context = CheckContext { patient_sex: check.sex.clone().unwrap_or_default(), ordered_side, ..CheckContext::default() };
    let checks = match &check.study {
        None => mj_report::check_text(text, &context),
        Some(study) => {
            let record = ctx.record().await?;
            record.check_text(text, &study_of(&record, study).await?, context).await?
        }
    };
    print_checks(ctx, &checks)
}

/// Puts accepted findings into the report and says why each line of the impression stands there.
async fn draft(ctx: &Ctx<'_>, record: &Record, id: &str) -> Result<Done, Failure> {
    let lines = record.draft_report(id, WHO).await?;
    let report = record.report(id).await?;
    let mut json = report.to_json();
    if let Some(object) = json.as_object_mut() {
        object.insert("drafted".into(), serde_json::to_value(&lines).unwrap_or_default());
    }
    ctx.out.result(&json, |_| {
        let why = lines.iter().map(|line| format!("{}  ({}: {})", line.text, line.rule, line.why));
        [report.document.plain()].into_iter().chain(why).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Done::Well)
}

/// The content of a file, where what was typed names one and no id: `None` for an id.
fn file(typed: &str) -> Option<Result<Vec<u8>, Failure>> {
    let path = Path::new(typed);
    path.is_file().then(|| std::fs::read(path).map_err(|source| Failure::File { what: "read", path: path.into(), source }))
}

fn print(ctx: &Ctx<'_>, report: &Report) -> Result<Done, Failure> {
    ctx.out.result(&report.to_json(), |_| report.document.plain())?;
    Ok(Done::Well)
}

/// How often a section is replaced again when somebody else wrote into it meanwhile.
const TRIES: usize = 20;

/// Replaces the text of a section; `{FINDING}` becomes the chip of that finding's first measurement. Of two who replace it at
/// the same time the later one's text stands, never a mixture.
async fn set(ctx: &Ctx<'_>, record: &Record, id: &str, field: &str, text: &str) -> Result<Done, Failure> {
    for _ in 0..TRIES {
        let document = record.report(id).await?.document;
        let ops = replacement(record, section(&document, field)?, text).await?;
        let edit = Edit { base_revision: document.revision, ops, by: EditSource::Typing };
        // What was moved past the edits of others has left their text beside this one.
        if record.apply(id, edit, WHO).await?.others.is_empty() {
            break;
        }
    }
    print(ctx, &record.report(id).await?)
}

/// The operations that put a text in the place of a section's.
async fn replacement(record: &Record, block: &Block, text: &str) -> Result<Vec<Op>, Failure> {
    let field = &block.id;
    let mut ops = Vec::new();
    let length = block.text.chars().count();
    if length > 0 {
        ops.push(Op::Delete { block: field.clone(), at: 0, len: length });
    }
    let mut at = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (words, chip, after) = next_chip(rest);
        if !words.is_empty() {
            ops.push(Op::Insert { block: field.clone(), at, text: words.into() });
            at += words.chars().count();
        }
        if let Some(finding) = chip {
            ops.push(Op::InsertSlot { block: field.clone(), slot: chip_of(record, finding, at).await? });
            at += 1;
        }
        rest = after;
    }
    Ok(ops)
}

/// Appends lines from standard input, each on a line of its own and acknowledged after it is on disk.
async fn type_in(ctx: &Ctx<'_>, record: &Record, id: &str, field: &str) -> Result<Done, Failure> {
    for line in std::io::stdin().lines() {
        let line = line.map_err(|source| Failure::File { what: "read", path: "stdin".into(), source })?;
        let document = record.report(id).await?.document;
        let ops = vec![next_line(section(&document, field)?, &line)];
        let applied = record.apply(id, Edit { base_revision: document.revision, ops, by: EditSource::Typing }, WHO).await?;
        ctx.out.result(&serde_json::json!({"revision": applied.last_revision()}), |_| applied.last_revision().to_string())?;
    }
    Ok(Done::Well)
}

/// The operation that appends a line: behind a line end, unless it is the first.
fn next_line(block: &Block, line: &str) -> Op {
    let text = if block.text.is_empty() { line.to_owned() } else { format!("\n{line}") };
    Op::Insert { block: block.id.clone(), at: block.n_chars(), text }
}

fn section<'a>(document: &'a Document, field: &str) -> Result<&'a Block, Failure> {
    document.blocks.iter().find(|b| b.id == field).ok_or_else(|| Failure::Unknown {
        what: "section",
        name: field.into(),
        known: document.blocks.iter().map(|b| b.id.clone()).collect::<Vec<_>>().join(", "),
    })
}

/// Splits off the words before the next `{…}`, and its content.
fn next_chip(text: &str) -> (&str, Option<&str>, &str) {
    let Some(open) = text.find('{') else { return (text, None, "") };
    match text[open..].find('}') {
        Some(len) => (&text[..open], Some(&text[open + 1..open + len]), &text[open + len + 1..]),
        None => (text, None, ""),
    }
}

async fn chip_of(record: &Record, finding: &str, at: usize) -> Result<Slot, Failure> {
    let finding = record.finding(finding).await?;
    let measurement = finding.measurements.first().ok_or_else(|| Failure::WrongKind { wanted: "measurement", id: finding.id.clone() })?;
    Ok(Slot {
        id: record.new_id(),
        at,
        finding: finding.id.clone(),
        measurement: measurement.id.clone(),
        finding_revision: finding.revision,
        shown: measurement.quantity.shown(),
        state: SlotState::Verified,
    })
}

async fn checks(record: &Record, id: &str) -> Result<Vec<CheckResult>, Failure> {
    Ok(record.check_report(id).await?)
}

/// Signs: refused with exit 4 while a blocking check stands.
async fn sign(ctx: &Ctx<'_>, record: &Record, sign: &Sign, is_countersign: bool) -> Result<Done, Failure> {
    let reasons = reasons(&sign.confirm)?;
    let found = checks(record, &sign.id).await?;
    let mut blocking = mj_report::check::in_the_way(&found, &reasons);
    // The first signature gave its reasons; the second is for the same text.
    blocking.retain(|check| !(is_countersign && check.ask));
    if !blocking.is_empty() {
        return Err(Failure::Checks(blocking));
    }
    let fonts = mj_pdf::Fonts::find()?;
    let sheet = record.sheet_for_signing(&sign.id, &sign.person, is_countersign).await?;
    let pdf = mj_pdf::typeset(&sheet, &fonts)?;
    let request = SignRequest { report: sign.id.clone(), person: sign.person.clone(), pdf, deliver_to: sign.to.clone(), reasons };
    if is_countersign {
        record.countersign(request).await?;
    } else {
        record.sign(request).await?;
    }
    let warned: Vec<CheckResult> = found.into_iter().filter(|c| c.severity == Severity::Warn).collect();
    if !warned.is_empty() {
        ctx.out.warn(&Failure::Warned(warned));
    }
    print(ctx, &record.report(&sign.id).await?)
}

/// `RULE=REASON`, as typed.
fn reasons(typed: &[String]) -> Result<Vec<Reason>, Failure> {
    let split = |one: &String| match one.split_once('=') {
        Some((rule, reason)) if !reason.trim().is_empty() => Ok(Reason { rule: rule.trim().into(), reason: reason.trim().into() }),
        _ => Err(Failure::NoReason(one.clone())),
    };
    typed.iter().map(split).collect()
}

async fn export(ctx: &Ctx<'_>, record: &Record, id: &str, form: ReportForm, out: &Path) -> Result<Done, Failure> {
    let not_written = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Failure::File { what: "write", path, source }
    };
    let (ending, bytes) = match form {
        ReportForm::Pdf => ("pdf", record.signed_pdf(id).await?),
        ReportForm::Sr => ("dcm", record.signed_sr(id).await?),
        ReportForm::Fhir => ("fhir.json", fhir(&record.exchange_source(id).await?)?),
        ReportForm::Hl7 => {
            ("hl7", hl7::oru(&record.exchange_source(id).await?, Print::Enclosed).map_err(mj_record::Error::from)?.into_bytes())
        }
        ReportForm::Md => ("md", mj_report::render_md(&record.sheet(id).await?).into_bytes()),
        ReportForm::Txt => ("txt", mj_report::render_txt(&record.sheet(id).await?).into_bytes()),
    };
    std::fs::create_dir_all(out).map_err(not_written(out))?;
    // Named after the report, never after the patient.
    let path = out.join(format!("report-{id}.{ending}"));
    std::fs::write(&path, bytes).map_err(not_written(&path))?;
    ctx.out.result(&serde_json::json!({"written": [path]}), |_| path.display().to_string())?;
    Ok(Done::Well)
}

/// The report as a FHIR transaction, in lines that people can read.
fn fhir(source: &Source) -> Result<Vec<u8>, Failure> {
    let bundle = fhir::bundle(source).map_err(mj_record::Error::from)?;
    Ok(format!("{bundle:#}\n").into_bytes())
}

/// Sends a report over MLLP. An answer that refuses it is for a person to decide on (exit 3).
async fn send(ctx: &Ctx<'_>, record: &Record, id: &str, to: &str) -> Result<Done, Failure> {
    let wrong = || Failure::WrongKind { wanted: "HOST:PORT", id: to.to_owned() };
    let (host, port) = to.rsplit_once(':').ok_or_else(wrong)?;
    let answer = record.send_hl7(id, host, port.parse().map_err(|_not_a_port| wrong())?).await?;
    let json = serde_json::json!({"to": to, "answer": answer.code, "control_id": answer.control_id, "text": answer.text});
    ctx.out.result(&json, |_| format!("{to}  {}  {}", answer.code, answer.text))?;
    Ok(if answer.is_accepted() { Done::Well } else { Done::NeedsDecision })
}

/// Verifies the signatures of a report against what is stored, or a file against what was signed. What does not fit any
/// more is for a person to decide on (exit 3).
pub(super) async fn verify(ctx: &Ctx<'_>, id: &str, trust: Option<&Path>) -> Result<Done, Failure> {
    // A PDF that carries its own signatures needs no record.
    if let Some(bytes) = file(id) {
        let bytes = bytes?;
        let signatures = if bytes.starts_with(b"%PDF") { mj_sign::pdf::verify(&bytes, &trusted(trust)?)? } else { Vec::new() };
        if !signatures.is_empty() {
            return print_signatures(ctx, &signatures, trust.is_some());
        }
    }
    let record = ctx.record().await?;
    let verified = match file(id) {
        Some(bytes) => record.verify_file(&bytes?).await?,
        None => record.verify(id).await?,
    };
    ctx.out.result(&verified, |v| {
        let changed: Vec<&str> = v.changed.iter().map(String::as_str).collect();
        format!("{}  {}  {}", told_validity(v.valid, &changed, ctx), v.signed_by, v.at)
    })?;
    Ok(if verified.valid { Done::Well } else { Done::NeedsDecision })
}

/// Whether it holds, and what does not, for people.
fn told_validity(valid: bool, changed: &[&str], ctx: &Ctx<'_>) -> String {
    if valid {
        key::CLI_VERIFY_HOLDS.get(ctx.out.lang).to_owned()
    } else {
        key::CLI_VERIFY_FAILS.with(ctx.out.lang, &[("what", &changed.join(", "))])
    }
}

fn trusted(pem: Option<&Path>) -> Result<mj_sign::Trust, Failure> {
    let Some(path) = pem else { return Ok(mj_sign::Trust::none()) };
    let pem = std::fs::read(path).map_err(|source| Failure::File { what: "read", path: path.into(), source })?;
    Ok(mj_sign::Trust::from_pem(&pem)?)
}

/// What a PDF's own signatures prove. Where roots were named, each certificate must be under one of them.
fn print_signatures(ctx: &Ctx<'_>, signatures: &[mj_sign::pdf::Signature], needs_trust: bool) -> Result<Done, Failure> {
    use mj_sign::Vouched;
    let is_whole = mj_sign::pdf::are_valid(signatures);
    let is_vouched = !needs_trust || signatures.iter().all(|s| s.vouched == Vouched::Trusted);
    let changed: Vec<&str> =
        [(is_whole, "pdf"), (is_vouched, "certificate")].iter().filter(|(fits, _)| !fits).map(|(_, what)| *what).collect();
    let names: Vec<&str> = signatures.iter().map(|s| s.signer.as_str()).collect();
    let at = signatures.last().map(|s| s.at.as_str()).unwrap_or_default();
    let valid = changed.is_empty();
    let json = serde_json::json!({"valid": valid, "signed_by": names.join(", "), "at": at, "changed": changed, "signatures": signatures});
    ctx.out.result(&json, |_| {
        let line = |s: &mj_sign::pdf::Signature| {
            let key = match s.vouched {
                Vouched::Trusted => key::CLI_SIGNATURE_TRUSTED,
                Vouched::Unknown => key::CLI_SIGNATURE_UNKNOWN,
                Vouched::Nobody => key::CLI_SIGNATURE_NOBODY,
            };
            key.with(ctx.out.lang, &[("signer", &s.signer), ("at", &s.at)])
        };
        std::iter::once(told_validity(valid, &changed, ctx)).chain(signatures.iter().map(line)).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if valid { Done::Well } else { Done::NeedsDecision })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_typed_is_a_line_of_its_own() {
        let mut document = Document::from_text("", Some(mj_model::Lang::Zh));
        let mut block = Block::new("findings", "检查所见", "Findings", mj_report::BlockKind::Findings);
        block.text.clear();
        document.blocks = vec![block];
        for line in ["第一句。", "第二句。"] {
            let op = next_line(&document.blocks[0], line);
            document.apply(&[op]).unwrap();
        }
        assert_eq!(document.blocks[0].plain(), "第一句。\n第二句。");
    }
}
