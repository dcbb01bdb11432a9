//! Results that came in, by whatever way, become findings that wait for a person.

use super::Desk;
use super::error::{Error, Result};
use crate::page::dto::Event;
use mj_link::{Headless, Job, JobResult, KeyGrant, ObjectFile};
use mj_model::InstanceUid;
use mj_model::plan::SegmentFacts;
use mj_record::{Record, ResultKind, WaitingResult};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// Who takes results, in the audit.
const WHO: &str = "mingjing-desk";

impl Desk {
    /// Takes every result that waits. One that cannot be read is told to the page once: what is wrong with its data is noted, so
    /// that it waits no more; after any other trouble it is one of `failed`, and taken when the desk starts the next time.
    pub(crate) async fn take_results(&self, record: &Record, failed: &mut BTreeSet<String>) {
        let waiting = match record.results_waiting().await {
            Ok(waiting) => waiting,
            Err(error) => return tracing::warn!(%error, "the results that wait could not be listed"),
        };
        for one in waiting.into_iter().filter(|one| !failed.contains(one.instance.as_str())).collect::<Vec<_>>() {
            let Err(error) = self.take_result(record, &one).await else { continue };
            let told = self.told(&error);
            tracing::warn!(code = told.code, "a result could not be taken");
            if !mj_record::is_of_data(&told.code) {
                failed.insert(one.instance.to_string());
            } else if let Err(error) = record.pass_over_result(&one.instance, &told.code).await {
                return tracing::warn!(%error, "a result could not be passed over");
            }
            self.emit(Event::Problem { told });
        }
    }

    async fn take_result(&self, record: &Record, one: &WaitingResult) -> Result<()> {
        match one.kind {
            ResultKind::Report => record.take_results(&one.instance, WHO).await?,
            ResultKind::Structures => record.take_structures(&one.instance, WHO).await?,
            ResultKind::Marks => record.take_marks(&one.instance, WHO).await?,
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
