//! Signing and what follows from it: PDF, SR, outbox.

use super::error::{Error, Result};
use super::reports::report_view;
use super::{Desk, lock};
use crate::page::dto::{Event, ReasonSent, SignedView};
use mj_pdf::Fonts;
use mj_record::SignRequest;

impl Desk {
    /// Signs a report (`role` `reviewing` countersigns a preliminary one). PDF, SR, signature, audit and outbox
    /// rows are one transaction of the record.
    ///
    /// # Errors
    /// A blocking check, a role that may not sign, missing fonts, and those of the record.
    pub async fn sign(&self, id: &str, person: &str, role: &str, deliver_to: Vec<String>, reasons: Vec<ReasonSent>) -> Result<SignedView> {
        let record = self.record()?;
        let is_countersign = role == "reviewing" && record.report(id).await?.state.is_signed();
        let sheet = record.sheet_for_signing(id, person, is_countersign).await?;
        let pdf = typeset(sheet).await?;
        let reasons = reasons.into_iter().map(|sent| mj_report::check::Reason { rule: sent.rule, reason: sent.reason }).collect();
        let request = SignRequest { report: id.into(), person: person.into(), pdf, deliver_to, reasons };
        let signed = if is_countersign { record.countersign(request).await? } else { record.sign(request).await? };
        let study = signed.report.document.study.clone();
        let report = report_view(signed.report, self.lang());
        lock(&self.0.cursor).take_if(|cursor| cursor.report == id);
        self.emit(Event::StudiesChanged {});
        self.tell_outbox(&record).await;
        self.tell_findings(&study).await;
        let objects = vec![mj_lang::key::DESK_OBJECT_SR.get(self.lang()).into(), mj_lang::key::DESK_OBJECT_PDF.get(self.lang()).into()];
        Ok(SignedView { report, objects })
    }

    /// Writes the report's PDF into a file a person chose: what was signed, or the draft with its watermark.
    ///
    /// # Errors
    /// Missing fonts; [`Error::File`]; those of the record.
    pub async fn export_pdf(&self, id: &str, path: &str) -> Result<String> {
        let record = self.record()?;
        let is_signed = record.report(id).await?.state.is_signed();
        let pdf = if is_signed { record.signed_pdf(id).await? } else { typeset(record.sheet(id).await?).await? };
        tokio::fs::write(path, pdf).await.map_err(|source| Error::File { path: path.into(), source })?;
        Ok(path.into())
    }
}

/// Typesetting takes a while and no await: a thread of its own.
async fn typeset(sheet: mj_report::Sheet) -> Result<Vec<u8>> {
    let work = tokio::task::spawn_blocking(move || -> Result<Vec<u8>> { Ok(mj_pdf::typeset(&sheet, &Fonts::find()?)?) });
    work.await.unwrap_or(Err(Error::Internal("typesetting stopped")))
}
