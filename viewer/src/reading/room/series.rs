//! Series and findings coming into view.

use super::Room;
use crate::Error;
use crate::reading::beside::Side;
use crate::reading::ledger::Ledger;
use crate::reading::loader::{FoundSeries, Opened};
use crate::reading::scene::{Scene, SeriesEntry, Shown};
use crate::reading::{pane, shapes};
use mj_link::ToParent;
use mj_model::Finding;

impl Room {
    /// Shows an image of a series that is no volume, or not yet one, loading it first where needed.
    pub(crate) fn show_slice(&mut self, k: usize) {
        let Some(scene) = &mut self.scene else { return };
        if scene.choose(k)
            && let Some(opened) = scene.shown.opened.clone()
        {
            self.player.forget();
            self.loader.slice(scene.token, opened, k);
        }
        self.changed();
    }

    /// The images as they were stored, from where the crosshair is; or the planes through their volume again.
    pub(super) fn swap_stored(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        (self.gesture, self.draft) = (None, None);
        self.player.stop();
        let nearest = scene.stack().and_then(|stack| stack.nearest_slice(scene.crosshair)).unwrap_or(0);
        scene.swap_stored(nearest);
        if scene.is_as_stored {
            self.show_slice(nearest);
        }
        self.changed();
    }

    pub(super) fn next_series(&mut self, is_forward: bool) {
        let Some(scene) = &self.scene else { return };
        let n = scene.series.len();
        let at = if is_forward { (scene.current + 1) % n } else { (scene.current + n - 1) % n };
        self.show_series(at);
    }

    /// Shows the next block of a series whose images do not belong in one.
    pub(super) fn next_block(&mut self) {
        self.next_token += 1;
        let token = self.next_token;
        let Some(scene) = &mut self.scene else { return };
        let Some(next) = scene.shown.opened.as_ref().and_then(crate::reading::loader::Opened::next_block) else { return };
        (self.gesture, self.draft) = (None, None);
        self.player.stop();
        scene.focus = None;
        scene.token = token;
        scene.leave_series();
        scene.shown = Shown::default();
        for pane in &mut scene.panes {
            *pane = pane::Pane::new(pane.kind);
        }
        self.loader.open_block(token, next);
        self.changed();
    }

    /// Shows a series of the strip.
    pub(crate) fn show_series(&mut self, at: usize) {
        self.next_token += 1;
        let (token, lang) = (self.next_token, self.lang);
        let Some(scene) = &mut self.scene else { return };
        if scene.series.get(at).is_none() {
            return;
        }
        scene.leave_series();
        let Some(entry) = scene.series.get(at) else { return };
        (self.gesture, self.draft) = (None, None);
        self.player.stop();
        scene.focus = None;
        scene.study = entry.study.clone();
        scene.current = at;
        scene.token = token;
        scene.shown = Shown::default();
        if scene.restore.is_none() {
            // Another grid: a magnification of the last one would show a corner of this one.
            for pane in &mut scene.panes {
                *pane = pane::Pane::new(pane.kind);
            }
        }
        if let Some(path) = entry.research.clone() {
            self.loader.open_research(token, path);
            return self.changed();
        }
        if entry.sources.is_empty() {
            scene.shown.error = Some(mj_lang::tell(&Error::NothingToShow, lang));
            return;
        }
        if let Some((opened, loaded)) = self.shelf.get(&entry.uid) {
            self.loader.cancel();
            scene.opened(opened);
            scene.full_ready(loaded);
            return self.changed();
        }
        let near = scene.restore.as_ref().filter(|v| v.series.as_ref().is_none_or(|s| *s == entry.uid)).and_then(|v| v.crosshair);
        self.loader.open(token, entry.sources.clone(), near);
        self.changed();
    }

    /// After the series in view, pictures for the strip.
    pub(super) fn ask_for_thumbs(&mut self) {
        // Those of the prior stand in no strip.
        let Some(scene) = self.scene.as_ref().filter(|_| self.side == Side::Current) else { return };
        for entry in scene.series.iter().filter(|e| e.picture.is_none() && e.error.is_none()) {
            match &entry.research {
                Some(path) => self.loader.thumb_research(entry.uid.clone(), path.clone()),
                None => self.loader.thumb(entry.uid.clone(), entry.sources.clone()),
            }
        }
    }

    pub(super) fn take_found(&mut self, found: Vec<FoundSeries>) {
        self.is_searching = false;
        let Some(study) = found.first().map(|f| f.study.clone()) else { return };
        let series: Vec<SeriesEntry> = found
            .into_iter()
            .map(|f| {
                let mut entry = SeriesEntry::new(f.study, f.uid, f.sources);
                (entry.header, entry.research) = (f.header, f.research);
                entry
            })
            .collect();
        // The series with the most images of the newest study first in view.
        let first = series.iter().enumerate().filter(|(_, e)| e.study == study).max_by_key(|(at, e)| (e.n_images, std::cmp::Reverse(*at)));
        let at = first.map_or(0, |(at, _)| at);
        self.forget_prior();
        self.scene = Some(Scene::new(study, series, Ledger::new(Vec::new(), self.person.clone()), None));
        self.show_series(at);
        self.ask_for_thumbs();
    }

    /// The first picture of a study is on the screen.
    pub(crate) fn picture_shown(&mut self) {
        let Some(scene) = &mut self.scene else { return };
        if !scene.is_reported {
            scene.is_reported = true;
            let ms = u64::try_from(scene.opened_at.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(ms, "first picture");
            let study = scene.study.clone();
            self.send(ToParent::StudyShown { study, ms });
            self.ask_for_thumbs_when_small();
        }
    }

    /// A series without a volume sends no `Loaded`: the strip's pictures follow its first image.
    fn ask_for_thumbs_when_small(&mut self) {
        if self.scene.as_ref().is_some_and(|s| !s.is_volume()) {
            self.ask_for_thumbs();
        }
    }

    /// Chooses a finding, tells the parent, and goes there when asked.
    pub(crate) fn select(&mut self, id: &str, goes_there: bool) {
        let Some(scene) = &mut self.scene else { return };
        if scene.ledger.get(id).is_none() {
            return;
        }
        scene.selected = Some(id.to_owned());
        // A question about another finding is given up.
        self.asks_reason = None;
        self.tell_selected(id);
        if goes_there {
            self.pair(id);
            self.go_to(id);
        }
    }

    /// Puts crosshair or image where a finding is; while its series is being read, as soon as that can be done.
    pub(crate) fn go_to(&mut self, id: &str) {
        let Some(scene) = &mut self.scene else { return };
        let Some(finding) = scene.ledger.get(id).filter(|f| f.is_live()).cloned() else { return self.tell_not_here() };
        if scene.entry().is_none_or(|e| e.uid != finding.series) {
            return self.go_to_series(&finding);
        }
        if scene.shown.opened.is_none() && scene.entry().is_some_and(|e| e.research.is_none()) {
            scene.focus = Some(finding.id);
            return;
        }
        let stack = scene.shown.opened.as_ref().and_then(Opened::stack);
        let slice = stack.and_then(|stack| shapes::slice_of(stack, &finding));
        if !scene.is_volume() {
            match slice {
                Some(k) => self.show_slice(k),
                None => self.tell_not_here(),
            }
            return;
        }
        // One slice of it is a grid too, but not the one the finding lies in.
        let Some(grid) = scene.shown.full.as_ref().map(|l| l.volume.grid) else {
            scene.focus = Some(finding.id);
            return;
        };
        let middle = |k: usize| grid.lps_from_voxel([(grid.dims[0] / 2) as f64, (grid.dims[1] / 2) as f64, k as f64]);
        match finding.geometry.centre().or_else(|| slice.map(middle)) {
            Some(at) => {
                scene.crosshair = pane::snapped(&grid, at);
                self.changed();
            }
            None => self.tell_not_here(),
        }
    }

    /// Shows the series of a finding, then goes on to it.
    fn go_to_series(&mut self, finding: &Finding) {
        let Some(scene) = &mut self.scene else { return };
        let Some(at) = scene.series.iter().position(|e| e.uid == finding.series) else { return self.tell_not_here() };
        let mut view = scene.view_state();
        view.series = Some(finding.series.clone());
        view.crosshair = finding.geometry.centre();
        view.window = None;
        scene.restore = Some(view);
        self.show_series(at);
        if let Some(scene) = &mut self.scene {
            scene.focus = Some(finding.id.clone());
        }
        // At once, where the series is still in memory.
        self.follow();
    }

    /// More of the series is read: goes on to the finding that was asked for.
    pub(super) fn follow(&mut self) {
        if let Some(id) = self.scene.as_mut().and_then(|s| s.focus.take()) {
            self.go_to(&id);
        }
    }

    /// Tells the reader that the finding asked for cannot be shown.
    fn tell_not_here(&mut self) {
        self.notices.fail(mj_lang::tell(&Error::NoFinding, self.lang));
    }
}
