//! The desk as owner of the planning room: segments and plans go in, plans and pictures come back.

use super::child::{Left, Owner};
use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::Event;
use mj_link::message::{ObjectFile, SegmentFile, SeriesFiles};
use mj_link::{ToParent, ToViewer};
use mj_model::plan::Plan;
use mj_model::{StudyUid, Told};
use std::sync::Arc;

/// What the planning room's messages reach.
struct Planner(Desk);

impl Desk {
    /// Opens the planning room on the open study; a running one is given the study's present segments.
    ///
    /// # Errors
    /// [`Error::NoStudy`]; when the viewer cannot be started.
    pub async fn show_planning(&self) -> Result<()> {
        let study = self.open_study_uid()?;
        if self.0.planner.is_running() {
            let open = self.planning_message(&study).await?;
            self.0.planner.send(open);
            return Ok(());
        }
        let desk = self.clone();
        let started = tokio::task::spawn_blocking(move || {
            let owner: Arc<dyn Owner> = Arc::new(Planner(desk.clone()));
            desk.0.planner.start_anew(&owner)
        });
        started.await.unwrap_or(Err(Error::Internal("the planning room's starter stopped")))
    }

    /// A running planning room follows the study that is open, so that it never shows another patient's.
    pub(crate) async fn planner_follows(&self, study: &StudyUid) -> Result<()> {
        if self.0.planner.is_running() && lock(&self.0.planned).as_ref() != Some(study) {
            let open = self.planning_message(study).await?;
            self.0.planner.send(open);
        }
        Ok(())
    }

    /// The planning room forgets its study.
    pub(crate) fn planner_forgets(&self) {
        if let Some(study) = lock(&self.0.planned).take() {
            self.0.planner.send(ToViewer::CloseStudy { study });
        }
    }

    async fn planning_message(&self, study: &StudyUid) -> Result<ToViewer> {
        let record = self.record()?;
        let sealed = |path| ObjectFile { path, sealed: true };
        let (mut series, mut segments) = (Vec::new(), Vec::new());
        let all = record.image_series(study).await?;
        for uid in &all {
            for segment in record.segments(uid).await? {
                let file = sealed(record.object(&segment.seg_instance).await?.path);
                segments.push(SegmentFile { segment, file });
            }
        }
        for uid in all {
            if segments.is_empty() || segments.iter().any(|s| s.segment.series == uid) {
                let files = record.series_objects(&uid).await?.into_iter().map(|o| sealed(o.path)).collect();
                series.push(SeriesFiles { series: uid, files });
            }
        }
        let plans = record.plans(study).await?;
        *lock(&self.0.planned) = Some(study.clone());
        Ok(ToViewer::OpenPlanning { study: study.clone(), series, segments, plans })
    }

    async fn plan_changed(&self, study: StudyUid, plan: Plan) {
        let id = plan.id.clone();
        match self.store_plan(&study, plan).await {
            Ok(plan) => drop(self.0.planner.send(ToViewer::PlanStored { study, plan })),
            Err(error) => {
                let told = self.told(&error);
                self.0.planner.send(ToViewer::PlanRefused { study: study.clone(), plan: id.clone(), error: told });
                // With the present revision the next change can be based on it.
                if let Ok(record) = self.record()
                    && let Ok(plan) = record.plan(&id).await
                {
                    self.0.planner.send(ToViewer::PlanStored { study, plan });
                }
            }
        }
    }

    async fn store_plan(&self, study: &StudyUid, plan: Plan) -> Result<Plan> {
        if plan.study != *study || lock(&self.0.planned).as_ref() != Some(study) {
            return Err(Error::NoStudy);
        }
        Ok(self.record()?.put_plan(plan, &self.who()).await?)
    }

    async fn planner_said(&self, message: ToParent) {
        match message {
            ToParent::Hello { program, pid, .. } => tracing::info!(program, pid, "the planning room is there"),
            ToParent::StudyShown { ms, .. } => tracing::info!(ms, "the plan is shown"),
            ToParent::PlanChanged { study, plan } => self.plan_changed(study, plan).await,
            ToParent::KeyImage { study, instance, file, caption } => self.key_image_taken(study, instance, file, caption).await,
            ToParent::Problem { error } => self.emit(Event::Problem { told: error }),
            _ => tracing::warn!("the planning room said what is not its to say"),
        }
    }
}

impl Owner for Planner {
    fn place(&self) -> Vec<String> {
        self.0.room_place()
    }

    fn greeting(&self) -> Vec<ToViewer> {
        let desk = &self.0;
        let messages = desk.0.runtime.block_on(async {
            let mut messages = vec![desk.hello()?];
            if let Ok(study) = desk.open_study_uid() {
                messages.push(desk.planning_message(&study).await?);
            }
            Ok::<_, Error>(messages)
        });
        messages.unwrap_or_else(|error| {
            desk.emit(Event::Problem { told: desk.told(&error) });
            vec![ToViewer::Quit]
        })
    }

    fn said(&self, message: ToParent) {
        self.0.0.runtime.block_on(self.0.planner_said(message));
    }

    fn left(&self, what: Left) {
        let desk = &self.0;
        *lock(&desk.0.planned) = None;
        if matches!(what, Left::TooOften | Left::Lost) {
            let text = |text: mj_lang::Text| text.get(desk.lang()).to_owned();
            let (message, hint) = (text(mj_lang::key::DESK_PLANNER_STOPPED), text(mj_lang::key::DESK_PLANNER_STOPPED_HINT));
            desk.emit(Event::Problem { told: Told { code: "viewer.left".into(), message, hint } });
        }
    }
}
