//! Results that came in, by whatever way, become findings that wait for a person.

use super::Desk;
use super::error::{Error, Result};
use mj_link::{Headless, Job, JobResult, KeyGrant, ObjectFile};
use mj_model::InstanceUid;
use mj_model::plan::SegmentFacts;
use mj_record::{Record, ResultKind, WaitingResult};
use std::sync::atomic::AtomicBool;

/// Who takes results, in the audit.
const WHO: &str = "mingjing-desk";

impl Desk {
    /// Takes every result that waits. One that cannot be read is told to the page once and left alone from then on.
    pub(crate) async fn take_results(&self, record: &Record) {
        let waiting = match record.results_waiting().await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::warn!(%error, "the results that wait could not be listed"),
        };
        for one in waiting {
            if let Err(error) = self.take_result(record, &one).await {
                tracing::warn!(code = self.told(&error).code, "a result could not be taken");
                self.emit(crate::page::dto::Event::Problem { told: self.told(&error) });
                if let Err(error) = record.pass_over_result(&one.instance).await {
                    return tracing::warn!(%error, "a result could not be passed over");
                }
            }
        }
    }

    async fn take_result(&self, record: &Record, one: &WaitingResult) -> Result<()> {
        match one.kind {
            ResultKind::Report => record.take_results(&one.instance, WHO).await?,
            ResultKind::Structures => record.take_structures(&one.instance, WHO).await?,
            ResultKind::Segmentation => {
                let segments = self.segments_of(record, &one.instance).await?;
                record.take_segments(&one.instance, segments, WHO).await?
            }
        };
        Ok(())
    }

    /// The segments of an object, as a viewer without a window reads them.
    async fn segments_of(&self, record: &Record, instance: &InstanceUid) -> Result<Vec<SegmentFacts>> {
        let (lang, grant) = (self.lang(), record.grant());
        let file = ObjectFile { path: record.object(instance).await?.path, sealed: true };
        let read = tokio::task::spawn_blocking(move || {
            let keys = KeyGrant { object_key: grant.object_key.to_string(), inbox: grant.inbox };
            let mut viewer = Headless::start(lang, Some(keys)).map_err(mj_link::JobError::from)?;
            viewer.run(Job::Segments { file }, &AtomicBool::new(false), &mut |_done, _total| {})
        });
        match read.await {
            Ok(Ok(JobResult::Segments { segments })) => Ok(segments),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(_)) | Err(_) => Err(Error::Internal("the viewer gave another answer")),
        }
    }
}
