//! The prior beside the current study: two sides of one room.
//!
//! Each side has a scene of its own: series, viewports, findings. What is drawn and what the pointer does is done with the room
//! turned to a side ([`Room::on_side`]), so that everything that works on the room's scene works on both, and what is drawn on
//! the prior belongs to the prior's study. Between frames the room is turned to the current study. `link` keeps both at one
//! place, `strips` says whose pictures are whose.
//!
//! Nothing of a prior is drawn before its images themselves name the patient of the current ones, by issuer and id.

pub mod link;
pub(crate) mod strips;

use crate::reading::draft::Draft;
use crate::reading::gesture::Gesture;
use crate::reading::ledger::Ledger;
use crate::reading::loader::{Loader, Sources};
use crate::reading::room::{Port, Room};
use crate::reading::scene::{Scene, SeriesEntry};
use crate::reading::shapes::Hit;
use crate::{Error, Result};
use link::Link;
use mj_dicom::Header;
use mj_link::{PriorStudy, SegmentationFile, ToParent};
use mj_model::{Finding, SeriesUid, StudyUid};

/// Which of two studies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// The study that is read.
    #[default]
    Current,
    /// An earlier one.
    Prior,
}

impl Side {
    /// Both.
    pub(crate) const BOTH: [Self; 2] = [Self::Current, Self::Prior];

    const fn other(self) -> Self {
        match self {
            Self::Current => Self::Prior,
            Self::Prior => Self::Current,
        }
    }
}

/// An earlier study that may be shown, of which nothing is read yet.
pub(crate) struct Offer {
    study: StudyUid,
    /// Image series with their modality, of each modality the one to show at the front.
    series: Vec<(String, SeriesUid, Sources)>,
    findings: Vec<Finding>,
    segmentations: Vec<SegmentationFile>,
}

/// The other side: what the room puts aside while it is turned to one.
pub(crate) struct Beside {
    scene: Option<Scene>,
    loader: Loader,
    gesture: Option<Gesture>,
    draft: Option<Draft>,
    hits: Vec<Hit>,
    /// Modalities of the prior's series, in the strip's order.
    modalities: Vec<String>,
    /// False while it is put away.
    is_shown: bool,
    link: Link,
}

/// True when both images name one patient: issuer and id are equal, and there is an id.
fn is_one_patient(a: &Header, b: &Header) -> bool {
    !a.patient.key.id.show().trim().is_empty() && a.patient.key == b.patient.key
}

impl Room {
    /// Does something with the room turned to a side; to the current study where there is no other.
    pub(crate) fn on_side<R>(&mut self, side: Side, act: impl FnOnce(&mut Self) -> R) -> R {
        if side == self.side || self.beside.is_none() {
            return act(self);
        }
        self.turn();
        let out = act(self);
        self.turn();
        out
    }

    /// Does something on each side.
    pub(crate) fn on_sides(&mut self, mut act: impl FnMut(&mut Self)) {
        act(self);
        if self.beside.is_some() {
            self.on_side(self.side.other(), act);
        }
    }

    fn turn(&mut self) {
        let Some(beside) = &mut self.beside else { return };
        std::mem::swap(&mut self.scene, &mut beside.scene);
        std::mem::swap(&mut self.loader, &mut beside.loader);
        std::mem::swap(&mut self.gesture, &mut beside.gesture);
        std::mem::swap(&mut self.draft, &mut beside.draft);
        std::mem::swap(&mut self.hits, &mut beside.hits);
        self.side = self.side.other();
    }

    /// The scene of a side.
    pub(crate) fn scene_of(&self, side: Side) -> Option<&Scene> {
        if side == self.side { self.scene.as_ref() } else { self.beside.as_ref().and_then(|beside| beside.scene.as_ref()) }
    }

    /// True while both studies are in view.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| beside.is_shown)
    }

    /// The place that the prior shows, once it shows the one that corresponds. Units: mm, LPS of the prior.
    #[must_use]
    pub fn prior_place(&self) -> Option<mj_model::PointLps> {
        self.scene_of(Side::Prior).filter(|scene| scene.shown.full.is_some()).map(|scene| scene.crosshair)
    }

    /// How the place of the prior was found.
    #[must_use]
    pub fn placing(&self) -> Option<link::Placing> {
        self.beside.as_ref().filter(|beside| beside.is_shown).and_then(|beside| beside.link.placing)
    }

    /// True while something is done with the pointer on either side.
    pub(crate) fn has_gesture(&self) -> bool {
        self.gesture.is_some() || self.beside.as_ref().is_some_and(|beside| beside.gesture.is_some())
    }

    /// The pointer or a jump works on a side: keys and links follow it, what was begun on the other is given up.
    pub(crate) fn lead(&mut self, side: Side) {
        if self.active == side {
            return;
        }
        self.active = side;
        self.asks_reason = None;
        self.on_side(side.other(), |room| room.draft = None);
    }

    /// Tells the parent which finding was chosen. What is chosen on the prior is no matter of the study that is read.
    pub(crate) fn tell_selected(&self, finding: &str) {
        if let Some(scene) = self.scene.as_ref().filter(|_| self.side == Side::Current) {
            self.send(ToParent::FindingSelected { study: scene.study.clone(), finding: finding.to_owned() });
        }
    }

    /// True when an earlier study could be shown beside.
    pub(crate) fn has_prior(&self) -> bool {
        let Some(modality) = self.modality() else { return false };
        match (&self.beside, &self.offer) {
            (Some(_), _) => true,
            (None, Some(offer)) => offer.series.iter().any(|(of, ..)| *of == modality),
            (None, None) => matches!(self.port, Port::Alone) && !self.earlier_of_strip().is_empty(),
        }
    }

    /// Modality of the series in view of the current study.
    fn modality(&self) -> Option<String> {
        self.scene_of(Side::Current)?.header().map(|header| header.series.modality.clone())
    }

    /// Takes what the parent offers. Nothing of it is read yet.
    ///
    /// # Errors
    /// Those of opening sealed files.
    pub(crate) fn take_offer(&mut self, prior: PriorStudy) -> Result<()> {
        let series = prior.series.into_iter().map(|s| {
            let sources = crate::source::of_series(&s.files, self.keys.as_ref())?;
            Ok((s.modality, s.files.series, sources))
        });
        let series = series.collect::<Result<Vec<_>>>()?;
        self.offer = Some(Offer { study: prior.study, series, findings: prior.findings, segmentations: prior.segmentations });
        Ok(())
    }

    /// Forgets the prior: another study is opened, or none.
    pub(crate) fn forget_prior(&mut self) {
        if self.side == Side::Prior {
            self.turn();
        }
        (self.offer, self.beside, self.active) = (None, None, Side::Current);
    }

    /// The prior comes into view, or goes out of it.
    pub(crate) fn swap_beside(&mut self) {
        self.lead(Side::Current);
        if let Some(beside) = &mut self.beside {
            beside.is_shown = !beside.is_shown;
        } else if let Some(offer) = self.offer.take().or_else(|| self.offer_of_strip()) {
            self.open_beside(offer);
        }
        if self.is_compared() {
            self.show_fitting();
            self.pair_chosen();
            self.tell_compared();
        }
        self.changed();
    }

    fn tell_compared(&self) {
        let studies = self.scene_of(Side::Current).zip(self.scene_of(Side::Prior));
        if let Some((current, prior)) = studies {
            self.send(ToParent::PriorShown { study: current.study.clone(), prior: prior.study.clone() });
        }
    }

    fn open_beside(&mut self, offer: Offer) {
        let Offer { study, series, findings, segmentations } = offer;
        let modalities = series.iter().map(|(modality, ..)| modality.clone()).collect();
        let entries = series.into_iter().map(|(_, uid, sources)| SeriesEntry::new(study.clone(), uid, sources)).collect();
        let mut scene = Scene::new(study, entries, Ledger::new(findings, self.person.clone()), None);
        // The first picture that is told of is that of the study that is read.
        scene.is_reported = true;
        self.beside = Some(Box::new(Beside {
            scene: Some(scene),
            loader: Loader::start(self.events.clone(), self.maker.gpu(), self.lang),
            gesture: None,
            draft: None,
            hits: Vec::new(),
            modalities,
            is_shown: true,
            link: Link::default(),
        }));
        self.on_side(Side::Prior, |room| room.take_segmentations(segmentations));
    }

    /// Shows the prior's first series of the current one's modality, unless one of it is in view.
    pub(crate) fn show_fitting(&mut self) {
        let Some((modality, beside)) = self.modality().zip(self.beside.as_ref()) else { return };
        let Some(scene) = self.scene_of(Side::Prior) else { return };
        let is_fitting = |at: usize| beside.modalities.get(at).is_some_and(|of| *of == modality);
        let is_opened = scene.token != 0;
        let found = (0..scene.series.len()).find(|at| is_fitting(*at)).filter(|_| !is_opened || !is_fitting(scene.current));
        if let Some(at) = found {
            self.on_side(Side::Prior, |room| room.show_series(at));
        }
    }

    /// Series of the strip that are earlier ones of the same patient and modality, the latest study's.
    fn earlier_of_strip(&self) -> Vec<usize> {
        let Some((scene, now)) = self.scene_of(Side::Current).and_then(|scene| Some((scene, scene.header()?))) else { return Vec::new() };
        let when = |header: &Header| header.study.date.clone().map(|date| (date, header.study.time.clone()));
        let earlier = |header: &Header| {
            let is_like = header.series.modality == now.series.modality && header.study.uid != now.study.uid;
            when(header)
                .zip(when(now))
                .is_some_and(|(before, now)| before < now)
                .then_some(())
                .filter(|()| is_like && is_one_patient(header, now))
        };
        let entries = scene.series.iter().enumerate();
        let found: Vec<(usize, &Header)> =
            entries.filter_map(|(at, entry)| Some((at, entry.header.as_ref()?))).filter(|(_, header)| earlier(header).is_some()).collect();
        let latest = found.iter().max_by_key(|(_, header)| when(header)).map(|(_, header)| header.study.uid.clone());
        let mut of_latest: Vec<usize> =
            found.into_iter().filter(|(_, h)| Some(&h.study.uid) == latest.as_ref()).map(|(at, _)| at).collect();
        of_latest.sort_by_key(|&at| std::cmp::Reverse(scene.series.get(at).map_or(0, |entry| entry.n_images)));
        of_latest
    }

    fn offer_of_strip(&self) -> Option<Offer> {
        let scene = self.scene_of(Side::Current)?;
        let modality = self.modality()?;
        let entries: Vec<&SeriesEntry> = self.earlier_of_strip().into_iter().filter_map(|at| scene.series.get(at)).collect();
        let study = entries.first()?.study.clone();
        let series = entries.into_iter().map(|entry| (modality.clone(), entry.uid.clone(), entry.sources.clone())).collect();
        Some(Offer { study, series, findings: Vec::new(), segmentations: Vec::new() })
    }

    /// True when the prior's images name the patient of the current ones. Until then nothing of them is drawn.
    pub(crate) fn is_prior_known(&self) -> bool {
        self.patients().is_some_and(|(now, before)| is_one_patient(now, before))
    }

    fn patients(&self) -> Option<(&Header, &Header)> {
        self.scene_of(Side::Current)?.header().zip(self.scene_of(Side::Prior)?.header())
    }

    /// Refuses a prior whose images name another patient than the current ones.
    pub(crate) fn refuse_other_patient(&mut self) {
        if self.patients().is_some_and(|(now, before)| !is_one_patient(now, before)) {
            self.forget_prior();
            let told = mj_lang::tell(&Error::OtherPatient, self.lang);
            self.send(ToParent::Problem { error: told.clone() });
            self.notices.fail(told);
        }
    }

    /// The finding that is chosen on the current side is looked for on the prior.
    fn pair_chosen(&mut self) {
        if let Some(id) = self.scene_of(Side::Current).and_then(|scene| scene.selected.clone()) {
            self.pair(&id);
        }
    }

    /// The prior goes where a finding of the current study was: to the finding that shares its Tracking UID, if there is one.
    pub(crate) fn pair(&mut self, id: &str) {
        if self.side == Side::Prior || self.beside.is_none() {
            return;
        }
        self.lead(Side::Current);
        let tracking = self.scene.as_ref().and_then(|scene| scene.ledger.get(id)).map(|finding| finding.tracking_uid.clone());
        let Some(Beside { scene: Some(prior), link, .. }) = self.beside.as_deref_mut() else { return };
        let is_paired = |finding: &&Finding| Some(&finding.tracking_uid) == tracking.as_ref() && !finding.is_annotation();
        let found = prior.ledger.shown().map(|shown| shown.finding).find(is_paired).cloned();
        prior.selected = found.as_ref().map(|finding| finding.id.clone());
        link.paired = found.as_ref().map(|finding| (id.to_owned(), finding.id.clone()));
        let is_in_view = |finding: &Finding| prior.entry().is_some_and(|entry| entry.uid == finding.series);
        let is_there = |finding: &Finding| prior.series.iter().any(|entry| entry.uid == finding.series);
        // A place of another series is reached by showing that.
        if let Some(finding) = found.filter(|finding| is_there(finding) && !is_in_view(finding)) {
            self.on_side(Side::Prior, |room| room.go_to(&finding.id));
        }
    }

    /// Where an event belongs: to the side that asked for it.
    pub(super) fn side_of(&self, event: &crate::reading::event::Event) -> Side {
        use crate::reading::event::Event;
        use mj_link::ToViewer;
        let Some(prior) = self.scene_of(Side::Prior) else { return Side::Current };
        let is_of_prior = match event {
            Event::Opened(token, _) | Event::Slice(token, ..) | Event::Progress(token, ..) | Event::Loaded(token, _) => {
                *token == prior.token
            }
            Event::Thumb(series, _) => self.scene_of(Side::Current).is_none_or(|now| now.series.iter().all(|entry| entry.uid != *series)),
            Event::Segments(instance, _) => prior.segments.is_known(instance),
            Event::Shadows(shadows) => shadows.side() == Side::Prior,
            Event::Parent(message) => match &**message {
                ToViewer::FindingStored { study, .. } | ToViewer::FindingRefused { study, .. } | ToViewer::Segmentations { study, .. } => {
                    *study == prior.study && self.scene_of(Side::Current).is_none_or(|now| now.study != *study)
                }
                ToViewer::TextGiven { .. } => self.asked_text.as_ref().is_some_and(|asked| *asked.study() == prior.study),
                _ => false,
            },
            _ => false,
        };
        if is_of_prior { Side::Prior } else { Side::Current }
    }

    /// The number of a finding as people read it: that of a prior's finding says so, or one would take it for the current's.
    pub(crate) fn numbered(&self, number: usize) -> String {
        match self.side {
            Side::Current => number.to_string(),
            Side::Prior => mj_lang::key::READING_BESIDE_NUMBER.with(self.lang, &[("n", &number.to_string())]),
        }
    }

    /// The place of a viewport's picture among those of both sides.
    pub(crate) const fn slot(&self, pane: usize) -> usize {
        const SIDE: usize = 8;
        match self.side {
            Side::Current => pane,
            Side::Prior => SIDE + pane,
        }
    }
}
