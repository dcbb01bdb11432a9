//! Findings leave as a structured report of their own, without a report's text.

use crate::sign::{authors, modalities, station};
use crate::{Error, Record, Result};
use mj_dicom::context::Written;
use mj_dicom::sr::{self, Observer, SrInput};
use mj_model::{Confirmed, Finding, InstanceUid, Lang, SeriesUid, StudyUid, clock};

/// Series Number of findings as SR: behind the images, before the reports.
const SERIES_NUMBER: i64 = 9003;

impl Record {
    /// The findings of a study that a person stands for, as TID 1500, read back and compared.
    ///
    /// # Errors
    /// [`Error::FindingState`] when there is none; [`Error::NoImage`]; [`Error::Dicom`] when what was written does not read
    /// back as it was; database errors.
    pub async fn findings_as_sr(&self, study: &StudyUid, lang: Lang) -> Result<Written> {
        let confirmed: Vec<Confirmed> = self.findings(study).await?.into_iter().filter_map(Confirmed::of).collect();
        if confirmed.is_empty() {
            return Err(Error::FindingState("finding.nothing_confirmed"));
        }
        let image = self.reference_image(study).await?;
        let mut tx = self.write().await?;
        let (device, modalities) = (station(tx.conn()).await?, modalities(tx.conn(), &confirmed).await?);
        let authors = authors(tx.conn(), &confirmed).await?;
        tx.commit().await?;
        let findings: Vec<&Finding> = confirmed.iter().map(Confirmed::finding).collect();
        let written = sr::write(&SrInput {
            context: &image,
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: SERIES_NUMBER,
            title: &mj_report::codes::title(lang),
            lang,
            sections: Vec::new(),
            findings: findings.clone(),
            modalities: &modalities,
            reporting: self.last_person(&findings).await,
            authors,
            reviewing: None,
            at: clock::now(),
            is_complete: true,
            is_verified: false,
            is_final: false,
            predecessor: None,
            device,
        })?;
        sr::assert_as_written(&written.bytes, &findings)?;
        Ok(written)
    }

    /// Who changed a finding last, when that is a person of the record.
    pub(super) async fn last_person(&self, findings: &[&Finding]) -> Option<Observer> {
        let last = findings.iter().max_by_key(|finding| finding.at)?;
        let person = self.person(&last.origin.name).await.ok()?;
        Some(Observer { name: person.name, at: last.at })
    }
}
