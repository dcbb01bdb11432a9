//! Which series of two studies are laid onto each other.

use super::super::series_of;
use crate::args::Track;
use crate::failure::Failure;
use mj_model::{Finding, SeriesUid};
use mj_record::track::{Refusal, TwoStudies};
use mj_record::{Error, Record, StudyRow};

/// One series of each study.
pub(super) struct Both {
    pub(super) prior: SeriesUid,
    pub(super) current: SeriesUid,
}

/// The named series; else those that hold most of the findings, where they are of one modality; else the largest of one modality,
/// the prior's first. `None` when there is no such pair.
pub(super) async fn choose(record: &Record, track: &Track, two: &TwoStudies) -> Result<Option<Both>, Failure> {
    if let Some((prior, current)) = &track.series {
        let both = Both { prior: series_of(record, prior).await?, current: series_of(record, current).await? };
        for (series, study) in [(&both.prior, &two.prior.study_uid), (&both.current, &two.current.study_uid)] {
            if record.study_of_series(series).await? != *study {
                return Err(Error::Track(Refusal::SeriesNotOfStudy(series.to_string())).into());
            }
        }
        return Ok(Some(both));
    }
    let prior = images(record, &two.prior, &two.prior_findings).await?;
    let current = images(record, &two.current, &two.current_findings).await?;
    let same = prior.iter().find_map(|(before, modality)| {
        let (now, _) = current.iter().find(|(_, other)| other == modality)?;
        Some(Both { prior: before.clone(), current: now.clone() })
    });
    Ok(same)
}

/// Image series of a study with their modality: first those with findings, by their number, then the largest.
async fn images(record: &Record, study: &StudyRow, findings: &[Finding]) -> Result<Vec<(SeriesUid, String)>, Failure> {
    let mut all = record.image_series(&study.study_uid).await?;
    let count = |series: &SeriesUid| findings.iter().filter(|f| f.series == *series).count();
    // Stable: the largest first where numbers are equal.
    all.sort_by_key(|series| std::cmp::Reverse(count(series)));
    let modality = |series: &SeriesUid| study.series.iter().find(|row| row.series_uid == *series).map(|row| row.modality.clone());
    Ok(all.into_iter().filter_map(|series| modality(&series).map(|m| (series, m))).collect())
}
