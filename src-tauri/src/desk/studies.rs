//! The worklist and the study that is open.

use super::error::{Error, Result};
use super::reports::report_line;
use super::{Desk, Open, lines, lock};
use crate::page::dto::{FindingLine, KeyImageLine, StudyFilter, StudyLines, StudyView, TemplateLine};
use mj_model::{Finding, FindingState, Phi, StudyUid};
use mj_record::{Run, StateFilter, StudyQuery};
use mj_report::Template;
use mj_report::template::{Occasion, age_years};

/// Most lines of the worklist read at once.
const MOST_LINES: u32 = 500;

/// A UID from the page.
///
/// # Errors
/// [`Error::BadId`].
pub(crate) fn study_uid(text: &str) -> Result<StudyUid> {
    StudyUid::parse(text).map_err(|_not_a_uid| Error::BadId(text.into()))
}

impl Desk {
    /// A page of the worklist.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn studies(&self, filter: StudyFilter) -> Result<StudyLines> {
        let state: Option<StateFilter> = filter.state.and_then(|word| serde_json::from_value(word.into()).ok());
        let query = StudyQuery {
            text: filter.text,
            modality: filter.modality,
            state,
            limit: filter.limit.clamp(1, MOST_LINES),
            offset: filter.offset,
            ..StudyQuery::default()
        };
        let page = self.record()?.studies(&query).await?;
        let modalities = {
            let mut known = lock(&self.0.modalities);
            known.extend(page.rows.iter().flat_map(|row| row.modalities.iter().cloned()));
            known.iter().cloned().collect()
        };
        let rows = page.rows.iter().map(|row| lines::study(row, self.lang())).collect();
        Ok(StudyLines { rows, total: u32::try_from(page.total).unwrap_or(u32::MAX), modalities })
    }

    /// Opens a study: its page is given back, and a running viewer shows its images.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn open_study(&self, study: &str) -> Result<StudyView> {
        let study = study_uid(study)?;
        let record = self.record()?;
        record.mark_opened(&study, &self.who()).await?;
        self.stop_listening();
        let before = lock(&self.0.open).replace(Open { study: study.clone(), report: None });
        *lock(&self.0.cursor) = None;
        let view = self.study_view(&study).await?;
        if before.is_none_or(|open| open.study != study) {
            self.show_in_running_viewer(&study).await?;
            self.planner_follows(&study).await?;
        }
        Ok(view)
    }

    /// Everything of a study's page but the report's text.
    ///
    /// # Errors
    /// Those of the record.
    pub async fn study_view(&self, study: &StudyUid) -> Result<StudyView> {
        let record = self.record()?;
        let lang = self.lang();
        let detail = record.study(study).await?;
        let reports = record.reports(study).await?;
        Ok(StudyView {
            line: lines::study(&detail.row, lang),
            hospital_number: detail.hospital_number.clone(),
            request: Phi::new(detail.request.clone()),
            clinical_history: detail.clinical_history.clone(),
            age: detail.age.clone().unwrap_or_default(),
            institution: detail.institution.clone(),
            referring: Phi::new(detail.referring.clone()),
            priors: detail.priors.iter().map(|row| lines::study(row, lang)).collect(),
            // The newest is what the page opens.
            reports: reports.iter().rev().map(report_line).collect(),
            findings: self.finding_lines(study).await?,
            results: self.result_lines(study, &detail.runs).await?,
            key_images: self.key_image_lines(study).await?,
            templates: templates(record.templates(), &detail.row, lang),
        })
    }

    pub(crate) async fn finding_lines(&self, study: &StudyUid) -> Result<Vec<FindingLine>> {
        let record = self.record()?;
        let people = record.people().await?;
        let lang = self.lang();
        // What is kept aside stands among the results, with why.
        let findings = record.findings(study).await?;
        Ok(findings
            .iter()
            .filter(|f| f.held.is_none() || f.state != FindingState::Proposed)
            .map(|f| lines::finding(f, &people, lang))
            .collect())
    }

    /// What came of algorithms' runs on a study, and what of their results is kept aside.
    async fn result_lines(&self, study: &StudyUid, runs: &[Run]) -> Result<Vec<String>> {
        let lang = self.lang();
        let waits = |f: &&Finding| f.state == FindingState::Proposed;
        let findings = self.record()?.findings(study).await?;
        let held = findings.iter().filter(waits).filter_map(|f| lines::held(f, lang));
        Ok(runs.iter().map(|run| lines::run(run, lang)).chain(held).collect())
    }

    pub(crate) async fn key_image_lines(&self, study: &StudyUid) -> Result<Vec<KeyImageLine>> {
        let record = self.record()?;
        let mut out = Vec::new();
        for image in record.key_images(study).await? {
            let png = record.key_image_png(&image.id).await?;
            out.push(KeyImageLine { id: image.id, caption: image.caption, picture: data_url(&png) });
        }
        Ok(out)
    }

    /// Forgets the open study. A running viewer forgets it too.
    pub fn close_study(&self) {
        self.stop_listening();
        let before = lock(&self.0.open).take();
        *lock(&self.0.cursor) = None;
        if let Some(open) = before {
            lock(&self.0.views).told = None;
            self.0.viewer.send(mj_link::ToViewer::CloseStudy { study: open.study });
            self.planner_forgets();
        }
    }
}

/// Templates that fit best come first.
fn templates(mut all: Vec<Template>, row: &mj_record::StudyRow, lang: mj_model::Lang) -> Vec<TemplateLine> {
    let body_part = row.series.iter().map(|s| s.body_part.as_str()).find(|b| !b.is_empty()).unwrap_or_default();
    let of = Occasion {
        modalities: &row.modalities,
        body_part,
        description: &row.description,
        sex: &row.patient.sex,
        age_years: row.patient.age.as_deref().and_then(age_years),
        // The record keeps no codes of what was ordered.
        order_code: "",
    };
    all.sort_by_key(|template| std::cmp::Reverse(template.fit(&of)));
    all.iter().map(|t| TemplateLine { name: t.name.clone(), title: t.title.get(lang).into() }).collect()
}

/// A PNG as a `data:` URL, which the page shows without a file.
fn data_url(png: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(22 + png.len().div_ceil(3) * 4);
    out.push_str("data:image/png;base64,");
    for chunk in png.chunks(3) {
        let bytes = [chunk.first(), chunk.get(1), chunk.get(2)].map(|b| u32::from(b.copied().unwrap_or(0)));
        let word = bytes[0] << 16 | bytes[1] << 8 | bytes[2];
        for place in 0..4_usize {
            let sign = SIGNS.get((word >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(data_url(plain.as_bytes()), format!("data:image/png;base64,{coded}"));
        }
    }
}
