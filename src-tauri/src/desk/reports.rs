//! The report in the editor: begun, edited, taken back, checked.
//!
//! An edit is acknowledged when the record has journalled it. The cursor is kept with the revision it belongs
//! to, so that a chip put in later lands where the writer was, whatever was typed since.

use super::error::{Error, Result};
use super::studies::study_uid;
use super::{Desk, lock};
use crate::page::dto::{CheckLine, Cursor, EditKept, EditSent, Event, PhraseLine, ReportLine, ReportView, SignatureLine};
use mj_lang::key;
use mj_model::Lang;
use mj_model::person::Role;
use mj_record::{Applied, Report};
use mj_report::{Block, BlockKind, CheckResult, Document, Edit, EditSource, Op, Template};

/// A report in one line.
pub(crate) fn report_line(report: &Report) -> ReportLine {
    let document = &report.document;
    ReportLine {
        id: document.id.clone(),
        state: report.state.name().into(),
        template: document.template.clone(),
        lang: document.lang,
        revision: document.revision,
    }
}

/// A report as the editor takes it.
pub(crate) fn report_view(report: Report, lang: Lang) -> ReportView {
    let role = |role: Role| match role {
        Role::Reporting => key::DESK_ROLE_REPORTING,
        Role::Reviewing => key::DESK_ROLE_REVIEWING,
        Role::Surgeon => key::DESK_ROLE_SURGEON,
        Role::Engineer => key::DESK_ROLE_ENGINEER,
    };
    ReportView {
        id: report.document.id.clone(),
        study: report.document.study.to_string(),
        state: report.state.name().into(),
        signatures: report
            .signatures
            .iter()
            .map(|s| SignatureLine { person: s.name.clone(), role: role(s.role).get(lang).into(), at: s.at.to_the_minute() })
            .collect(),
        document: report.document,
    }
}

impl Desk {
    /// Begins a report of a study, which must be the open one.
    ///
    /// # Errors
    /// [`Error::NoTemplate`]; [`Error::NoStudy`]; those of the record.
    pub async fn new_report(&self, study: &str, template: &str, lang: Lang) -> Result<ReportView> {
        let study = study_uid(study)?;
        self.require_open(&study)?;
        let record = self.record()?;
        let template = record.template(template).ok_or_else(|| Error::NoTemplate(template.into()))?;
        let report = record.new_report(&study, &template, lang, &self.who()).await?;
        self.take_report(&report.document.id, report.document.revision);
        self.emit(Event::StudiesChanged {});
        Ok(report_view(report, self.lang()))
    }

    /// Begins an addendum to a final report, which is then the open one.
    ///
    /// # Errors
    /// [`Error::NoStudy`] for a report of another study; those of the record.
    pub async fn addendum(&self, id: &str) -> Result<ReportView> {
        let record = self.record()?;
        self.require_open(&record.report(id).await?.document.study)?;
        let report = record.amend(id, mj_report::life::AmendKind::Addendum, &self.who()).await?;
        self.take_report(&report.document.id, report.document.revision);
        self.emit(Event::StudiesChanged {});
        Ok(report_view(report, self.lang()))
    }

    /// A report of the open study for the editor; from here on it is the open one.
    ///
    /// # Errors
    /// [`Error::NoStudy`] for a report of another study; those of the record.
    pub async fn report(&self, id: &str) -> Result<ReportView> {
        let report = self.record()?.report(id).await?;
        // A late answer must not put one patient's report under another's name.
        self.require_open(&report.document.study)?;
        self.take_report(&report.document.id, report.document.revision);
        Ok(report_view(report, self.lang()))
    }

    /// The document of the open report as it is on disk, for its claims.
    ///
    /// # Errors
    /// [`Error::NoStudy`] for a report of another study; those of the record.
    pub async fn document(&self, id: &str) -> Result<Document> {
        let document = self.record()?.report(id).await?.document;
        self.require_open(&document.study)?;
        Ok(document)
    }

    /// Tells the page what others did to the open report (a command in another process, say).
    ///
    /// # Errors
    /// Those of the record.
    pub(crate) async fn tell_report(&self) -> Result<()> {
        let Some(id) = self.open_report_id() else { return Ok(()) };
        let base_revision = *lock(&self.0.told_revision);
        let report = self.record()?.report(&id).await?;
        if report.state.is_signed() || report.document.revision <= base_revision {
            return Ok(());
        }
        // An edit of nothing brings what happened since its base.
        let nothing = Edit { base_revision, ops: Vec::new(), by: EditSource::Typing };
        let applied = self.record()?.apply(&id, nothing, &self.who()).await?;
        self.tell_edit(id.clone(), applied.revision, applied.others.clone());
        self.tell_caught_up(&id, &applied);
        Ok(())
    }

    /// Tells the page ops that it has not made itself.
    pub(crate) fn tell_edit(&self, report: String, revision: u64, ops: Vec<Op>) {
        if self.open_report_id().as_deref() == Some(&report) {
            self.told_revision(revision);
        }
        self.emit(Event::ReportChanged { report, revision, ops });
    }

    /// Notes the revision that the page knows.
    fn told_revision(&self, revision: u64) {
        let mut told = lock(&self.0.told_revision);
        *told = (*told).max(revision);
    }

    fn take_report(&self, id: &str, revision: u64) {
        *lock(&self.0.told_revision) = revision;
        if let Some(open) = lock(&self.0.open).as_mut() {
            open.report = Some(id.into());
        }
        lock(&self.0.cursor).take_if(|cursor| cursor.report != id);
    }

    /// Keeps an edit. When this returns it is on disk.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn edit(&self, sent: EditSent) -> Result<EditKept> {
        let edit = Edit { base_revision: sent.base_revision, ops: sent.ops.clone(), by: EditSource::Typing };
        let applied = self.record()?.apply(&sent.report, edit, &self.who()).await?;
        if let Some(cursor) = sent.cursor {
            // The cursor stands in the page's text, which has not seen the others' changes yet.
            let (others, _mine) = mj_report::transform(&applied.others, &sent.ops);
            let at = moved_by(cursor.at, &cursor.block, &others);
            *lock(&self.0.cursor) = Some(Cursor { at, revision: applied.revision, ..cursor });
        }
        self.told_revision(applied.revision);
        self.tell_caught_up(&sent.report, &applied);
        Ok(kept(applied))
    }

    /// Where the writer is now.
    pub fn cursor_moved(&self, cursor: Cursor) {
        *lock(&self.0.cursor) = Some(cursor);
    }

    /// Takes back the last edit; nothing when there is none.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn undo(&self, id: &str) -> Result<EditKept> {
        Ok(self.taken_back(id, self.record()?.undo(id, &self.who()).await?))
    }

    /// Takes back the last undo; nothing when there is none.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn redo(&self, id: &str) -> Result<EditKept> {
        Ok(self.taken_back(id, self.record()?.redo(id, &self.who()).await?))
    }

    fn taken_back(&self, id: &str, applied: Option<Applied>) -> EditKept {
        let Some(applied) = applied else { return nothing() };
        self.told_revision(applied.revision);
        self.tell_caught_up(id, &applied);
        kept(applied)
    }

    /// Tells the page what brought chips up to their findings after an edit.
    fn tell_caught_up(&self, id: &str, applied: &Applied) {
        if !applied.caught_up.is_empty() {
            self.tell_edit(id.into(), applied.last_revision(), applied.caught_up.clone());
        }
    }

    /// Puts the chip of a measurement in at the cursor of the open report; at the end of the findings where
    /// nobody has been writing. Does nothing when no draft is open.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn insert_chip(&self, finding: &str, measurement: &str) -> Result<()> {
        let record = self.record()?;
        let finding = record.finding(finding).await?;
        let Some(id) = self.open_report_id() else { return Ok(()) };
        let report = record.report(&id).await?;
        if report.document.study != finding.study || report.state.is_signed() {
            return Ok(());
        }
        let cursor = lock(&self.0.cursor).clone().filter(|c| c.report == id);
        let Some((block, at, base_revision)) = place(cursor, &report.document) else { return Ok(()) };
        let Some(op) = mj_report::insert_number(&block, at, &finding, measurement) else { return Ok(()) };
        let edit = Edit { base_revision, ops: vec![op], by: EditSource::Binding };
        let applied = record.apply(&id, edit, &self.who()).await?;
        self.cursor_after(&id, &applied);
        self.tell_edit(id.clone(), applied.revision, applied.ops.clone());
        self.tell_caught_up(&id, &applied);
        Ok(())
    }

    /// Puts dictated words in at the cursor of the report they were spoken for, open or not. False when it takes
    /// none any more.
    ///
    /// # Errors
    /// Those of the record.
    pub(crate) async fn insert_heard(&self, id: &str, text: &str) -> Result<bool> {
        let record = self.record()?;
        let report = record.report(id).await?;
        let cursor = lock(&self.0.cursor).clone().filter(|c| c.report == id);
        let Some((block, at, base_revision)) = place(cursor, &report.document).filter(|_| !report.state.is_signed()) else {
            return Ok(false);
        };
        let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        let edit = Edit { base_revision, ops: vec![Op::Insert { block, at, text }], by: EditSource::Dictation };
        let applied = record.apply(id, edit, &self.who()).await?;
        if self.open_report_id().as_deref() == Some(id) {
            self.cursor_after(id, &applied);
        }
        self.tell_edit(id.into(), applied.revision, applied.ops.clone());
        self.tell_caught_up(id, &applied);
        Ok(true)
    }

    /// What is put in next goes behind what was just put in.
    fn cursor_after(&self, report: &str, applied: &Applied) {
        let (block, at) = match applied.ops.first() {
            Some(Op::InsertSlot { block, slot }) => (block.clone(), slot.at + 1),
            Some(Op::Insert { block, at, text }) => (block.clone(), at + text.chars().count()),
            _ => return,
        };
        *lock(&self.0.cursor) = Some(Cursor { report: report.into(), block, at, revision: applied.revision });
    }

    /// A person stands for all stale claims of a report again.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn confirm_claims(&self, id: &str) -> Result<()> {
        self.record()?.confirm_claims(id, None, &self.who()).await?;
        self.tell_report().await
    }

    /// Puts accepted findings into the report and composes its impression; gives why each line stands there.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn draft_report(&self, id: &str) -> Result<Vec<String>> {
        let lines = self.record()?.draft_report(id, &self.who()).await?;
        self.tell_report().await?;
        Ok(lines.into_iter().map(|line| line.why).collect())
    }

    /// Normal phrases that the report's template offers.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn phrases(&self, id: &str) -> Result<Vec<PhraseLine>> {
        let record = self.record()?;
        let document = record.report(id).await?.document;
        let Some(template) = record.template(&document.template) else { return Ok(Vec::new()) };
        Ok(phrases(&template, document.lang))
    }

    /// Reads a report over, in the language of the screens.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn checks(&self, id: &str) -> Result<Vec<CheckLine>> {
        let record = self.record()?;
        let document = record.report(id).await?.document;
        let found = record.check_report_in(id, self.lang()).await?;
        Ok(found.into_iter().map(|check| check_line(check, &document)).collect())
    }
}

fn kept(applied: Applied) -> EditKept {
    EditKept { revision: applied.revision, ops: applied.ops, others: applied.others }
}

fn nothing() -> EditKept {
    EditKept { revision: 0, ops: Vec::new(), others: Vec::new() }
}

/// Block, position and the revision they belong to.
fn place(cursor: Option<Cursor>, document: &Document) -> Option<(String, usize, u64)> {
    if let Some(cursor) = cursor.filter(|c| c.revision <= document.revision && document.block(&c.block).is_ok()) {
        return Some((cursor.block, cursor.at, cursor.revision));
    }
    let block = document.first_of(BlockKind::Findings).or_else(|| document.blocks.first())?;
    Some((block.id.clone(), block.n_chars(), document.revision))
}

/// A position after ops of others.
fn moved_by(mut at: usize, in_block: &str, ops: &[Op]) -> usize {
    for op in ops {
        match op {
            Op::Insert { block, at: over, text } if block == in_block && *over <= at => at += text.chars().count(),
            Op::InsertSlot { block, slot } if block == in_block && slot.at <= at => at += 1,
            Op::Delete { block, at: over, len } if block == in_block && *over < at => at -= (at - over).min(*len),
            _ => {}
        }
    }
    at
}

fn phrases(template: &Template, lang: Lang) -> Vec<PhraseLine> {
    let mut out = Vec::new();
    for block in &template.blocks {
        if let Some(normal) = &block.normal {
            out.push(PhraseLine { block: block.id.clone(), title: block.title.get(lang).into(), text: normal.get(lang).into() });
        }
        for part in &block.parts {
            out.push(PhraseLine { block: block.id.clone(), title: part.title.get(lang).into(), text: part.normal(lang) });
        }
    }
    out.retain(|phrase| !phrase.text.is_empty());
    out
}

fn check_line(check: CheckResult, document: &Document) -> CheckLine {
    let block = check.field.as_deref().and_then(|id| document.block(id).ok());
    let [start, end] = match (block, check.span) {
        (Some(block), Some([start, end])) => {
            [text_position(block, start), text_position(block, end)].map(|at| i64::try_from(at).unwrap_or(-1))
        }
        _ => [-1, -1],
    };
    CheckLine {
        rule: check.rule,
        severity: super::lines::word(&check.severity),
        block: check.field.unwrap_or_default(),
        start,
        end,
        message: check.message,
        fix: check.fix,
        ask: check.ask,
    }
}

/// The place in a block's text of a place in its plain text, where each slot is as long as what it shows.
fn text_position(block: &Block, plain: usize) -> usize {
    (0..=block.n_chars()).find(|&at| block.plain_position(at) >= plain).unwrap_or_else(|| block.n_chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_follows_what_others_do() {
        let b = || "findings".to_owned();
        let insert = |at, text: &str| Op::Insert { block: b(), at, text: text.into() };
        assert_eq!(moved_by(3, "findings", &[insert(3, "右肺"), insert(9, "x")]), 5);
        assert_eq!(moved_by(3, "findings", &[Op::Delete { block: b(), at: 1, len: 9 }]), 1);
        assert_eq!(moved_by(3, "findings", &[Op::Delete { block: b(), at: 0, len: 2 }]), 1);
        assert_eq!(moved_by(3, "impression", &[insert(0, "右肺")]), 3);
    }

    #[test]
    fn phrases_come_from_every_template_in_both_languages() {
        for template in Template::all() {
            for lang in [Lang::Zh, Lang::En] {
                assert!(phrases(template, lang).iter().all(|p| !p.title.is_empty() && !p.text.is_empty()), "{}", template.name);
            }
        }
    }
}
