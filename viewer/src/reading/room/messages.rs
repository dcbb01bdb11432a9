//! What other threads and the parent program say to the room.

use super::Room;
use crate::reading::beside::link;
use crate::reading::event::Event;
use crate::reading::ledger::Ledger;
use crate::reading::loader::Loader;
use crate::reading::scene::{Scene, SeriesEntry};
use crate::reading::segments::Voxels;
use crate::reading::text;
use crate::source::{Keys, ObjectSource};
use crate::{Error, Result};
use mj_link::{SegmentationFile, ToParent, ToViewer, ViewState};
use mj_model::{Finding, InstanceUid, StudyUid, Told};
use std::sync::Arc;

impl Room {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Parent(message) => self.take_message(*message),
            Event::ParentEnded => self.has_ended = true,
            Event::Found(Ok(found)) => self.take_found(found),
            Event::Found(Err(told)) => {
                self.is_searching = false;
                self.notices.fail(told);
            }
            Event::Through(done) => self.maker.take_through(*done),
            Event::Registering(pair, done, total) => link::tell(self, pair, done, total),
            Event::Registered(registered) => link::take(self, *registered),
            Event::Segments(instance, read) => self.take_segments(instance, read),
            Event::Shadows(shadows) => {
                if let Some(scene) = &mut self.scene {
                    scene.segments.take_shadows(*shadows);
                }
            }
            Event::Thumb(uid, thumb) => {
                if let Some(entry) = self.scene.as_mut().and_then(|s| s.series.iter_mut().find(|e| e.uid == uid)) {
                    entry.take(*thumb);
                }
            }
            Event::Opened(token, result) => {
                self.on_load(token, |scene| match result {
                    Ok(opened) => scene.opened(opened),
                    Err(told) => scene.shown.error = Some(told),
                });
                self.follow();
            }
            Event::Slice(token, k, result) => {
                let is_shown = !self.player.take(token, k);
                if result.is_err() {
                    // It would be asked for again and again.
                    self.player.pause();
                }
                self.on_load(token, |scene| match result {
                    Ok(loaded) => scene.slice_ready(k, loaded, is_shown),
                    Err(told) => {
                        scene.shown.asked = None;
                        scene.shown.error = Some(told);
                    }
                })
            }
            Event::Research(token, result) => {
                self.on_load(token, |scene| match result {
                    Ok(shown) => scene.research_ready(*shown),
                    Err(told) => {
                        scene.shown.error = Some(told.clone());
                        if let Some(entry) = scene.series.get_mut(scene.current) {
                            entry.error = Some(told);
                        }
                    }
                });
                self.ask_for_thumbs();
            }
            Event::Progress(token, done, total) => self.on_load(token, |scene| scene.shown.progress = Some((done, total))),
            Event::Loaded(token, result) => {
                self.on_load(token, |scene| match result {
                    Ok(loaded) => scene.full_ready(loaded),
                    Err(told) => {
                        scene.shown.progress = None;
                        scene.shown.error = Some(told.clone());
                        if let Some(entry) = scene.series.get_mut(scene.current) {
                            entry.error = Some(told);
                        }
                    }
                });
                self.shelve(token);
                self.follow();
                self.ask_for_thumbs();
            }
        }
    }

    fn on_load(&mut self, token: u64, act: impl FnOnce(&mut Scene)) {
        if let Some(scene) = self.scene.as_mut().filter(|s| s.token == token) {
            let before = scene.shown.error.clone();
            act(scene);
            // Over a picture that is already there an error would not be seen: the first slice stays, so it is said.
            let failed = scene.shown.error.clone().filter(|e| before.as_ref() != Some(e) && scene.volume().is_some());
            if let Some(told) = failed {
                self.notices.fail(told);
            }
            self.changed();
        }
    }

    /// Keeps the volume that has just come into view.
    fn shelve(&mut self, token: u64) {
        let Some(scene) = self.scene.as_ref().filter(|s| s.token == token) else { return };
        if let (Some(entry), Some(opened), Some(loaded)) = (scene.entry(), &scene.shown.opened, &scene.shown.full) {
            self.shelf.put(entry.uid.clone(), (opened.clone(), loaded.clone()), loaded.bytes());
        }
    }

    fn is_open(&self, study: &StudyUid) -> bool {
        let is_open = self.scene.as_ref().is_some_and(|s| s.study == *study);
        if !is_open {
            tracing::warn!("{}", Error::StudyNotOpen);
            self.send(ToParent::Problem { error: mj_lang::tell(&Error::StudyNotOpen, self.lang) });
        }
        is_open
    }

    fn take_message(&mut self, message: ToViewer) {
        match message {
            ToViewer::Hello { lang, keys, person } => {
                self.lang = lang;
                self.person = person;
                match keys.as_ref().map(Keys::from_grant).transpose() {
                    Ok(keys) => self.keys = keys,
                    Err(e) => self.notices.fail(mj_lang::tell(&e, lang)),
                }
                self.loader = Loader::start(self.events.clone(), self.maker.gpu(), lang);
            }
            ToViewer::OpenStudy { study, series, findings, view } => self.open_study(study, &series, findings, view),
            ToViewer::Segmentations { study, files } if self.is_open(&study) => self.take_segmentations(files),
            ToViewer::Prior { study, prior } if self.is_open(&study) => {
                self.forget_prior();
                if let Err(e) = self.take_offer(prior) {
                    self.notices.fail(mj_lang::tell(&e, self.lang));
                }
            }
            ToViewer::CloseStudy { study } if self.is_open(&study) => {
                self.forget_prior();
                self.loader.clear();
                self.shelf.clear();
                (self.gesture, self.draft) = (None, None);
                self.scene = None;
            }
            ToViewer::FindingStored { study, finding } if self.is_open(&study) => {
                let next = self.scene.as_mut().and_then(|s| s.ledger.stored(finding));
                self.send_finding(next);
            }
            ToViewer::FindingRefused { study, finding, error } if self.is_open(&study) => {
                if let Some(scene) = &mut self.scene {
                    scene.ledger.refused(&finding, &error);
                }
                self.notices.fail(error);
            }
            ToViewer::FocusFinding { study, finding } if self.is_open(&study) => {
                if let Some(scene) = &mut self.scene {
                    scene.selected = scene.ledger.get(&finding).map(|f| f.id.clone());
                }
                self.asks_reason = None;
                self.pair(&finding);
                self.go_to(&finding);
            }
            ToViewer::TextGiven { request, text } => text::given(self, request, text),
            ToViewer::RunJob { job, .. } => {
                let error = mj_lang::tell(&Error::NoJobs, self.lang);
                self.send(ToParent::JobFailed { job, error });
            }
            ToViewer::Quit => self.has_ended = true,
            _ => {}
        }
    }

    fn take_segments(&mut self, instance: InstanceUid, read: std::result::Result<Vec<Voxels>, Told>) {
        let Some(scene) = &mut self.scene else { return };
        match read {
            Ok(voxels) => scene.segments.take(instance, Some(voxels)),
            Err(told) => {
                scene.segments.take(instance, None);
                self.notices.fail(told);
            }
        }
    }

    pub(crate) fn take_segmentations(&mut self, files: Vec<SegmentationFile>) {
        for SegmentationFile { instance, file } in files {
            let source = ObjectSource::of(&file, self.keys.as_ref());
            match (source, &mut self.scene) {
                (Ok(source), Some(scene)) => scene.segments.add(instance, Arc::new(source)),
                (Err(e), _) => self.notices.fail(mj_lang::tell(&e, self.lang)),
                _ => {}
            }
        }
    }

    fn open_study(&mut self, study: StudyUid, series: &[mj_link::SeriesFiles], findings: Vec<Finding>, view: Option<ViewState>) {
        let entries: Result<Vec<SeriesEntry>> = series
            .iter()
            .map(|s| Ok(SeriesEntry::new(study.clone(), s.series.clone(), crate::source::of_series(s, self.keys.as_ref())?)))
            .collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(e) => {
                let error = mj_lang::tell(&e, self.lang);
                self.send(ToParent::Problem { error: error.clone() });
                self.notices.fail(error);
                return;
            }
        };
        self.forget_prior();
        let wanted = view.as_ref().and_then(|v| v.series.as_ref()).and_then(|uid| entries.iter().position(|e| e.uid == *uid));
        self.loader.clear();
        self.shelf.clear();
        self.labels.clear();
        (self.gesture, self.draft) = (None, None);
        let mut scene = Scene::new(study, entries, Ledger::new(findings, self.person.clone()), view);
        if scene.series.is_empty() {
            scene.shown.error = Some(mj_lang::tell(&Error::NothingToShow, self.lang));
        }
        self.scene = Some(scene);
        self.show_series(wanted.unwrap_or(0));
    }
}
