//! The desk as owner of its child viewer.

use super::child::{Left, Owner};
use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::{Event, ViewerState};
use mj_link::{KeyGrant, ObjectFile, PriorSeries, PriorStudy, SegmentationFile, SeriesFiles, ToParent, ToViewer, ViewState};
use mj_model::{Finding, SeriesUid, StudyUid, Told};
use std::collections::HashMap;
use std::sync::Arc;

/// Studies whose view is remembered.
const MOST_VIEWS: usize = 200;

/// What each study showed last, so that it is shown again after a crash or when it is opened again.
#[derive(Debug, Default)]
pub(crate) struct Views {
    by_study: HashMap<StudyUid, ViewState>,
    /// What the viewer draws with.
    pub(crate) backend: String,
    /// The study the running viewer was told to show.
    pub(crate) told: Option<StudyUid>,
    /// The prior study it was given to show beside that one.
    pub(crate) prior: Option<StudyUid>,
}

impl Views {
    fn keep(&mut self, study: StudyUid, view: ViewState) {
        if self.by_study.len() >= MOST_VIEWS && !self.by_study.contains_key(&study) {
            self.by_study.clear();
        }
        self.by_study.insert(study, view);
    }

    pub(crate) fn of(&self, study: &StudyUid) -> Option<ViewState> {
        self.by_study.get(study).cloned()
    }
}

impl Desk {
    /// Shows the open study's images: starts the viewer when it is off.
    ///
    /// # Errors
    /// [`Error::NoStudy`]; when the viewer cannot be started.
    pub async fn show_viewer(&self) -> Result<()> {
        let study = self.open_study_uid()?;
        if self.0.viewer.is_running() {
            return self.show_in_running_viewer(&study).await;
        }
        self.tell_viewer(ViewerState::Starting, None);
        self.start_viewer(false).await
    }

    /// Starts the viewer again although it was left off, as a person asked.
    ///
    /// # Errors
    /// When the viewer cannot be started.
    pub async fn restart_viewer(&self) -> Result<()> {
        self.tell_viewer(ViewerState::Starting, None);
        self.start_viewer(true).await
    }

    async fn start_viewer(&self, anew: bool) -> Result<()> {
        let desk = self.clone();
        let started = tokio::task::spawn_blocking(move || {
            let owner: Arc<dyn Owner> = Arc::new(desk.clone());
            if anew { desk.0.viewer.start_anew(&owner) } else { desk.0.viewer.start(&owner) }
        });
        let result = started.await.unwrap_or(Err(Error::Internal("the viewer's starter stopped")));
        if result.is_err() {
            self.tell_viewer(ViewerState::Off, None);
        }
        result
    }

    /// Shows a study in the viewer if that runs; otherwise nothing happens.
    pub(crate) async fn show_in_running_viewer(&self, study: &StudyUid) -> Result<()> {
        if self.0.viewer.is_running() && lock(&self.0.views).told.as_ref() != Some(study) {
            self.tell_viewer(ViewerState::Starting, None);
            for message in self.open_messages(study).await? {
                self.0.viewer.send(message);
            }
        }
        Ok(())
    }

    /// Everything a viewer needs to show a study where it was.
    pub(crate) async fn open_messages(&self, study: &StudyUid) -> Result<Vec<ToViewer>> {
        let record = self.record()?;
        let mut series = Vec::new();
        for uid in record.image_series(study).await? {
            series.push(self.files_of(uid).await?);
        }
        let view = lock(&self.0.views).of(study);
        // The series that was in view comes first, so that its picture is there first.
        if let Some(shown) = view.as_ref().and_then(|v| v.series.as_ref()) {
            series.sort_by_key(|s| s.series != *shown);
        }
        let findings = record.findings(study).await?;
        let segmentations = self.segmentations_message(study, &findings).await?;
        let prior = self.prior_beside(study).await?;
        {
            let mut views = lock(&self.0.views);
            views.told = Some(study.clone());
            views.prior = prior.as_ref().map(|prior| prior.study.clone());
        }
        let mut messages = vec![ToViewer::OpenStudy { study: study.clone(), series, findings, view }, segmentations];
        messages.extend(prior.map(|prior| ToViewer::Prior { study: study.clone(), prior }));
        Ok(messages)
    }

    async fn files_of(&self, series: SeriesUid) -> Result<SeriesFiles> {
        let objects = self.record()?.series_objects(&series).await?;
        Ok(SeriesFiles { series, files: objects.into_iter().map(|o| ObjectFile { path: o.path, sealed: true }).collect() })
    }

    /// The study that can be looked at beside a study.
    async fn prior_beside(&self, study: &StudyUid) -> Result<Option<PriorStudy>> {
        let Some(prior) = self.record()?.prior_of(study).await? else { return Ok(None) };
        let mut series = Vec::new();
        for (uid, modality) in prior.series {
            series.push(PriorSeries { modality, files: self.files_of(uid).await? });
        }
        let segmentations = self.segmentation_files(&prior.findings).await?;
        Ok(Some(PriorStudy { study: prior.study, series, findings: prior.findings, segmentations }))
    }

    /// The segmentations that a study's findings lie in.
    pub(crate) async fn segmentations_message(&self, study: &StudyUid, findings: &[Finding]) -> Result<ToViewer> {
        Ok(ToViewer::Segmentations { study: study.clone(), files: self.segmentation_files(findings).await? })
    }

    async fn segmentation_files(&self, findings: &[Finding]) -> Result<Vec<SegmentationFile>> {
        let objects = self.record()?.segmentations_of(findings).await?.into_iter();
        let file = |path| ObjectFile { path, sealed: true };
        Ok(objects.map(|o| SegmentationFile { instance: o.instance, file: file(o.path) }).collect())
    }

    pub(crate) fn hello(&self) -> Result<ToViewer> {
        let grant = self.record()?.grant();
        let keys = KeyGrant { object_key: grant.object_key.to_string(), inbox: grant.inbox };
        Ok(ToViewer::Hello { lang: self.lang(), keys: Some(keys), person: self.who() })
    }

    fn tell_viewer(&self, state: ViewerState, told: Option<Told>) {
        let backend = lock(&self.0.views).backend.clone();
        self.emit(Event::ViewerChanged { state, backend, told });
    }

    /// Keeps who looked at whom.
    async fn prior_shown(&self, study: &StudyUid, prior: &StudyUid) {
        if lock(&self.0.views).prior.as_ref() != Some(prior) {
            return tracing::warn!("the reading room showed a prior that it was not given");
        }
        let noted = async { Ok::<_, Error>(self.record()?.mark_compared(prior, study, &self.who()).await?) };
        if let Err(error) = noted.await {
            self.emit(Event::Problem { told: self.told(&error) });
        }
    }

    async fn handle(&self, message: ToParent) {
        match message {
            ToParent::Hello { backend, program, pid } => {
                tracing::info!(program, pid, backend, "the viewer is there");
                lock(&self.0.views).backend = backend;
            }
            ToParent::StudyShown { study, ms } => {
                tracing::info!(ms, "first picture");
                if self.is_open(&study) {
                    self.tell_viewer(ViewerState::Ready, None);
                }
            }
            ToParent::PriorShown { study, prior } => self.prior_shown(&study, &prior).await,
            ToParent::ViewChanged { study, view } => lock(&self.0.views).keep(study, view),
            ToParent::FindingChanged { study, finding } => self.finding_changed(study, finding).await,
            ToParent::FindingSelected { study, finding } => self.emit(Event::FindingSelected { study: study.to_string(), finding }),
            ToParent::KeyImage { study, instance, file, caption } => self.key_image_taken(study, instance, file, caption).await,
            ToParent::TextWanted { request, question, text } => {
                let question = mj_lang::find(&question).map_or(question, |found| found.get(self.lang()).to_owned());
                self.emit(Event::TextWanted { request, question, text });
            }
            ToParent::Problem { error } => self.emit(Event::Problem { told: error }),
            ToParent::PlanChanged { .. } | ToParent::JobProgress { .. } | ToParent::JobDone { .. } | ToParent::JobFailed { .. } => {
                tracing::warn!("the reading room said what is not its to say");
            }
        }
    }
}

impl Owner for Desk {
    fn place(&self) -> Vec<String> {
        self.room_place()
    }

    fn greeting(&self) -> Vec<ToViewer> {
        let messages = self.0.runtime.block_on(async {
            let mut messages = vec![self.hello()?];
            if let Ok(study) = self.open_study_uid() {
                messages.extend(self.open_messages(&study).await?);
            }
            Ok::<_, Error>(messages)
        });
        messages.unwrap_or_else(|error| {
            self.emit(Event::Problem { told: self.told(&error) });
            vec![ToViewer::Quit]
        })
    }

    fn said(&self, message: ToParent) {
        self.0.runtime.block_on(self.handle(message));
    }

    fn left(&self, what: Left) {
        lock(&self.0.views).told = None;
        let told = |message: mj_lang::Text, hint: &str| {
            let message = message.get(self.lang()).to_owned();
            Some(Told { code: "viewer.left".into(), message, hint: hint.into() })
        };
        match what {
            Left::Closed => self.tell_viewer(ViewerState::Off, None),
            Left::Again => self.tell_viewer(ViewerState::Restarting, None),
            Left::TooOften | Left::Lost => {
                let hint = mj_lang::key::DESK_VIEWER_STOPPED_HINT.get(self.lang());
                self.tell_viewer(ViewerState::Stopped, told(mj_lang::key::DESK_VIEWER_STOPPED, hint));
            }
        }
    }
}
