//! The earlier study that is looked at beside one.

use crate::track::days_between;
use crate::worklist::{StudyRow, priors, study_row};
use crate::{Record, Result};
use mj_model::{Finding, SeriesUid, StudyUid};

/// An earlier study of the same patient with images of the same kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The earlier study.
    pub study: StudyUid,
    /// Its image series, with their modality: first those with findings, by their number, then the largest.
    pub series: Vec<(SeriesUid, String)>,
    /// Its findings.
    pub findings: Vec<Finding>,
}

impl Record {
    /// The latest earlier study of a study's patient (issuer and id) that has images of one of its modalities; `None` where there
    /// is none, where the patient has no id, and where dates do not say which came first.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`]; database errors.
    pub async fn prior_of(&self, study: &StudyUid) -> Result<Option<Prior>> {
        let (now, others) = {
            let mut conn = self.read().await?;
            // A patient's row is one issuer and id, or one study where there is no id.
            (study_row(&mut conn, study).await?, priors(&mut conn, study).await?)
        };
        let modalities: Vec<String> = self.images(&now).await?.into_iter().map(|(_, modality)| modality).collect();
        for before in others.iter().filter(|before| is_earlier(before, &now)) {
            let findings = self.findings(&before.study_uid).await?;
            let mut series = self.images(before).await?;
            series.retain(|(_, modality)| modalities.contains(modality));
            // Stable: the largest first where numbers are equal.
            series.sort_by_key(|(uid, _)| std::cmp::Reverse(findings.iter().filter(|f| f.is_live() && f.series == *uid).count()));
            if !series.is_empty() {
                return Ok(Some(Prior { study: before.study_uid.clone(), series, findings }));
            }
        }
        Ok(None)
    }

    /// Notes that a person looked at a study beside another one of the patient.
    ///
    /// # Errors
    /// Database errors.
    pub async fn mark_compared(&self, prior: &StudyUid, current: &StudyUid, who: &str) -> Result<()> {
        let mut tx = self.write().await?;
        crate::audit::note(&mut tx, who, "study.compared", prior.as_str(), &serde_json::json!({ "current": current })).await?;
        tx.commit().await
    }

    /// Image series of a study with their modality, the largest first.
    async fn images(&self, study: &StudyRow) -> Result<Vec<(SeriesUid, String)>> {
        let modality = |uid: &SeriesUid| study.series.iter().find(|row| row.series_uid == *uid).map(|row| row.modality.clone());
        let all = self.image_series(&study.study_uid).await?;
        Ok(all.into_iter().filter_map(|uid| modality(&uid).map(|m| (uid, m))).collect())
    }
}

/// True for a study that is older, by date and, of one day, by time.
fn is_earlier(before: &StudyRow, now: &StudyRow) -> bool {
    match days_between(before.date.as_deref(), now.date.as_deref()) {
        Some(0) => before.time.as_ref().zip(now.time.as_ref()).is_some_and(|(before, now)| before < now),
        days => days.is_some_and(|days| days > 0),
    }
}
