//! What the viewer's reader does to findings: stored, answered, and followed by the chips.

use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::Event;
use mj_link::ToViewer;
use mj_model::{Finding, StudyUid};

impl Desk {
    /// Stores a finding that was made or changed in the viewer. The chips bound to it follow in the same
    /// transaction; a new one's first measurement goes into the open report at the cursor.
    pub(crate) async fn finding_changed(&self, study: StudyUid, finding: Finding) {
        let (id, is_new) = (finding.id.clone(), finding.revision == 0);
        match self.store_finding(&study, finding).await {
            Ok(stored) => {
                let live = stored.is_live();
                self.0.viewer.send(ToViewer::FindingStored { study: study.clone(), finding: stored.clone() });
                // A number measured on the prior belongs to no report of the open study.
                if is_new
                    && live
                    && self.is_open(&study)
                    && let Err(error) = self.insert_first_number(&stored).await
                {
                    self.emit(Event::Problem { told: self.told(&error) });
                }
                self.tell_findings(&study).await;
            }
            Err(error) => {
                let told = self.told(&error);
                self.0.viewer.send(ToViewer::FindingRefused { study: study.clone(), finding: id.clone(), error: told.clone() });
                // With the present revision the next change can be based on it.
                if let Ok(record) = self.record()
                    && let Ok(finding) = record.finding(&id).await
                {
                    self.0.viewer.send(ToViewer::FindingStored { study, finding });
                }
                self.emit(Event::Problem { told });
            }
        }
    }

    async fn store_finding(&self, study: &StudyUid, finding: Finding) -> Result<Finding> {
        let is_shown = self.is_open(study) || lock(&self.0.views).prior.as_ref() == Some(study);
        if !is_shown || finding.study != *study {
            return Err(Error::NoStudy);
        }
        let stored = self.record()?.put_finding(finding, &self.who()).await?;
        for edit in stored.edits {
            self.tell_edit(edit.report, edit.revision, edit.ops);
        }
        Ok(stored.finding)
    }

    async fn insert_first_number(&self, finding: &Finding) -> Result<()> {
        match finding.measurements.first() {
            Some(measurement) => self.insert_chip(&finding.id, &measurement.id).await,
            None => Ok(()),
        }
    }

    /// Tells page and viewer the open study's findings, which another process may have changed.
    pub(crate) async fn tell_findings_of_others(&self) -> Result<()> {
        let Ok(study) = self.open_study_uid() else { return Ok(()) };
        let findings = self.record()?.findings(&study).await?;
        self.0.viewer.send(self.segmentations_message(&study, &findings).await?);
        for finding in findings {
            self.0.viewer.send(ToViewer::FindingStored { study: study.clone(), finding });
        }
        self.tell_findings(&study).await;
        Ok(())
    }

    /// Tells the page the findings of a study as they are now.
    pub(crate) async fn tell_findings(&self, study: &StudyUid) {
        match self.finding_lines(study).await {
            Ok(findings) => self.emit(Event::FindingsChanged { study: study.to_string(), findings }),
            Err(error) => tracing::warn!(%error, "the findings could not be read"),
        }
    }

    /// Keeps a picture that the viewer put into the inbox.
    pub(crate) async fn key_image_taken(&self, study: StudyUid, instance: mj_model::InstanceUid, file: String, caption: String) {
        let kept = async {
            if self.open_study_uid()? != study {
                return Err(Error::NoStudy);
            }
            self.record()?.key_image_from_inbox(&file, &study, &instance, &caption, &self.who()).await?;
            self.key_image_lines(&study).await
        };
        match kept.await {
            Ok(key_images) => self.emit(Event::KeyImagesChanged { study: study.to_string(), key_images }),
            Err(error) => self.emit(Event::Problem { told: self.told(&error) }),
        }
    }

    /// Shows a finding in the viewer, which is started when it is off.
    ///
    /// # Errors
    /// [`Error::NoStudy`]; when the viewer cannot be started.
    pub async fn focus_finding(&self, finding: &str) -> Result<()> {
        let study = self.open_study_uid()?;
        if !self.0.viewer.is_running() {
            self.show_viewer().await?;
        }
        self.0.viewer.send(ToViewer::FocusFinding { study, finding: finding.into() });
        Ok(())
    }

    /// Gives the viewer the text it asked for; `None` when the person cancelled.
    pub fn give_text(&self, request: u64, text: Option<String>) {
        self.0.viewer.send(ToViewer::TextGiven { request, text });
    }

    /// True when this study is the open one.
    pub(crate) fn is_open(&self, study: &StudyUid) -> bool {
        lock(&self.0.open).as_ref().is_some_and(|open| open.study == *study)
    }
}
