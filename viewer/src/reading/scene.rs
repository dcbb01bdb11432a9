//! What the room shows: the study, its series, the one in view, and how it is looked at.

use crate::reading::event::Thumb;
use crate::reading::ledger::Ledger;
use crate::reading::loader::{Loaded, Opened, ResearchShown, Sources};
use crate::reading::pane::{self, Pane, PaneKind};
use crate::reading::presets;
use crate::reading::segments::Segments;
use crate::reading::slab::Slab;
use crate::reading::solid::{self, Solid};
use egui::TextureHandle;
use mj_dicom::Header;
use mj_dicom::series::{Apart, Series, Stack};
use mj_imaging::Plane;
use mj_link::message::{SolidView, ViewState};
use mj_model::finding::ImageRef;
use mj_model::{Grid, Lang, PointLps, SeriesUid, StudyUid, Told, VectorLps, Volume, Warning, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Memory for single images kept of a series that is no volume, and the fewest kept. Units: bytes.
const KEPT: (usize, usize) = (256 << 20, 48);

/// A series of the strip.
pub struct SeriesEntry {
    /// Its study.
    pub study: StudyUid,
    /// The series.
    pub uid: SeriesUid,
    /// Its files.
    pub sources: Sources,
    /// The research file that stands in place of a series.
    pub research: Option<std::path::PathBuf>,
    /// Header of one of its images, once read.
    pub header: Option<Header>,
    /// Number of images.
    pub n_images: usize,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
    /// Why it cannot be shown.
    pub error: Option<Told>,
    /// The strip's picture: columns, rows, colours.
    pub picture: Option<(usize, usize, Vec<[u8; 3]>)>,
    /// The same as a texture.
    pub texture: Option<TextureHandle>,
    /// Codes of warnings the reader has dismissed.
    pub dismissed: BTreeSet<String>,
}

impl SeriesEntry {
    /// A series of which only the files are known.
    #[must_use]
    pub fn new(study: StudyUid, uid: SeriesUid, sources: Sources) -> Self {
        let n_images = sources.len();
        Self {
            study,
            uid,
            sources,
            research: None,
            header: None,
            n_images,
            warnings: Vec::new(),
            error: None,
            picture: None,
            texture: None,
            dismissed: BTreeSet::new(),
        }
    }

    /// Its name in the strip.
    #[must_use]
    pub fn name(&self, lang: mj_model::Lang) -> String {
        match (&self.header, &self.research) {
            (Some(header), _) => crate::overlay::series_name(header, lang),
            (None, Some(path)) => crate::research::name(path),
            (None, None) => String::new(),
        }
    }

    /// Takes over what the loader found out.
    pub fn take(&mut self, thumb: Thumb) {
        if self.research.is_some() {
            self.n_images = thumb.n_images;
        }
        self.header = self.header.take().or(thumb.header);
        self.picture = self.picture.take().or(thumb.picture);
        self.error = self.error.take().or(thumb.error);
        if self.warnings.is_empty() {
            self.warnings = thumb.warnings;
        }
    }
}

/// How far the series in view is loaded.
#[derive(Default)]
pub struct Shown {
    /// Its headers, once read.
    pub opened: Option<Opened>,
    /// The whole volume.
    pub full: Option<Loaded>,
    /// Single slices: the first of a volume, or the images of a series that is none.
    pub slices: BTreeMap<usize, Loaded>,
    /// The image in view, of a series that is no volume.
    pub slice: usize,
    /// Slices loaded, of all.
    pub progress: Option<(u64, u64)>,
    /// The image asked for and not yet there.
    pub asked: Option<usize>,
    /// An image was asked for: the first one, when it comes later, is not to take its place.
    pub is_chosen: bool,
    /// Why nothing is shown.
    pub error: Option<Told>,
}

impl Shown {
    /// The slice in view while the volume is not yet there.
    fn early(&self) -> Option<&Loaded> {
        self.slices.get(&self.slice).or_else(|| self.slices.values().next())
    }
}

/// What is shown.
pub struct Scene {
    /// The study.
    pub study: StudyUid,
    /// Series of the strip.
    pub series: Vec<SeriesEntry>,
    /// Which is in view.
    pub current: usize,
    /// Number of the present load; events of others are stale.
    pub token: u64,
    /// How far it is loaded.
    pub shown: Shown,
    /// Crosshair. Units: mm, LPS.
    pub crosshair: PointLps,
    /// The window.
    pub window: Window,
    /// The window the series was first shown with.
    pub file_window: Window,
    /// The window of the projection: the brightest values of a whole body need another one than a slice.
    pub mip_window: Window,
    /// Black and white turned.
    pub is_inverted: bool,
    /// The viewports.
    pub panes: Vec<Pane>,
    /// Which is enlarged.
    pub enlarged: Option<usize>,
    /// Which had the pointer last.
    pub active: usize,
    /// Slabs in place of slices.
    pub has_slab: bool,
    /// What they are like.
    pub slab: Slab,
    /// How volumes are rendered.
    pub solid: Solid,
    /// The images of a volume are shown as they were stored.
    pub is_as_stored: bool,
    /// The viewports of the volume meanwhile, which was enlarged, and which was active.
    aside: Option<(Vec<Pane>, Option<usize>, usize)>,
    /// Findings.
    pub ledger: Ledger,
    /// The chosen finding.
    pub selected: Option<String>,
    /// The finding to go to once enough of its series is read.
    pub focus: Option<String>,
    /// Segmentations that findings lie in.
    pub segments: Segments,
    /// Findings that are not drawn, by id.
    pub hidden: BTreeSet<String>,
    /// View to restore when the series is loaded.
    pub restore: Option<ViewState>,
    /// When it was opened, and whether the first picture has been reported.
    pub opened_at: std::time::Instant,
    /// The first picture was reported.
    pub is_reported: bool,
}

impl Scene {
    /// A study with its series, nothing loaded.
    #[must_use]
    pub fn new(study: StudyUid, series: Vec<SeriesEntry>, ledger: Ledger, restore: Option<ViewState>) -> Self {
        Self {
            study,
            series,
            current: 0,
            token: 0,
            shown: Shown::default(),
            crosshair: PointLps::default(),
            window: neutral(),
            file_window: neutral(),
            mip_window: neutral(),
            is_inverted: false,
            panes: PaneKind::VOLUME.map(Pane::new).to_vec(),
            enlarged: None,
            active: 0,
            has_slab: false,
            slab: Slab::default(),
            solid: Solid::default(),
            is_as_stored: false,
            aside: None,
            ledger,
            selected: None,
            focus: None,
            segments: Segments::default(),
            hidden: BTreeSet::new(),
            restore,
            opened_at: std::time::Instant::now(),
            is_reported: false,
        }
    }

    /// A finding is no longer drawn, or again.
    pub fn hide(&mut self, id: &str) {
        if !self.hidden.remove(id) {
            self.hidden.insert(id.to_owned());
        }
    }

    /// The series in view.
    #[must_use]
    pub fn entry(&self) -> Option<&SeriesEntry> {
        self.series.get(self.current)
    }

    /// Header of the series in view.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.entry().and_then(|e| e.header.as_ref())
    }

    /// True when linked planes are shown.
    #[must_use]
    pub fn is_volume(&self) -> bool {
        // A research file has no headers to be read before its volume.
        !self.is_as_stored && (self.shown.full.is_some() || self.shown.opened.as_ref().is_some_and(Opened::is_volume))
    }

    /// The images as they were stored, beginning with one, in place of the planes through their volume, or those again.
    pub fn swap_stored(&mut self, first: usize) {
        self.is_as_stored = !self.is_as_stored;
        if self.is_as_stored {
            self.aside = Some((std::mem::take(&mut self.panes), self.enlarged, self.active));
            self.set_panes(false);
        } else if let Some((panes, enlarged, active)) = self.aside.take() {
            (self.panes, self.enlarged, self.active) = (panes, enlarged, active);
        }
        self.shown.slices.clear();
        self.shown.slice = first;
        if let Some(grid) = self.shown.full.as_ref().filter(|_| !self.is_as_stored).map(|l| l.volume.grid) {
            self.crosshair = pane::snapped(&grid, self.crosshair);
        }
    }

    /// Leaves the images as they were stored, and what of the rendering belongs to one series: another comes into view.
    pub fn leave_series(&mut self) {
        self.is_as_stored = false;
        if let Some((panes, ..)) = self.aside.take() {
            self.panes = panes;
            (self.enlarged, self.active) = (None, 0);
        }
        self.solid.shift = 0.0;
        self.solid.is_cut = false;
    }

    /// Which way the stored images run for "further down" to be what it is in the planes: from head to feet, from front to
    /// back, from left to right.
    #[must_use]
    pub fn stored_direction(&self) -> f64 {
        let Some(grid) = self.grid().filter(|_| self.is_as_stored) else { return 1.0 };
        let plane = Pane::new(PaneKind::Native).plane(grid, self.crosshair, 8, 8);
        let kind = kind_along(&plane);
        let wanted = Pane::new(kind).plane(grid, self.crosshair, 8, 8).normal();
        let wanted = if kind == PaneKind::Axial { -wanted } else { wanted };
        if wanted.dot(grid.axes[2]) < 0.0 { -1.0 } else { 1.0 }
    }

    /// What is odd about what is shown: a plane that is computed says so, an image as it was stored is none.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        let of_series = self.entry().into_iter().flat_map(|entry| &entry.warnings);
        of_series.filter(|w| !self.is_as_stored || !matches!(w.code.as_str(), "geometry.resampled" | "geometry.gap_left_empty"))
    }

    /// What a viewport draws from: the volume, or one slice of it where that is all there is.
    #[must_use]
    pub fn loaded(&self, kind: PaneKind) -> Option<&Loaded> {
        if kind == PaneKind::Native {
            return self.shown.slices.get(&self.shown.slice);
        }
        self.shown.full.as_ref().or_else(|| {
            // Before the volume is there, the plane that is the slice itself.
            let first = self.shown.early()?;
            let grid = &first.volume.grid;
            let plane = Pane::new(kind).plane(grid, grid.centre(), 8, 8);
            (!kind.is_through() && plane.normal().dot(grid.axes[2]).abs() > 0.95).then_some(first)
        })
    }

    /// The volume whose space everything is in: the whole one, else the slice in view.
    #[must_use]
    pub fn volume(&self) -> Option<&Volume> {
        let any = if self.is_volume() {
            self.shown.full.as_ref().or_else(|| self.shown.early())
        } else {
            self.shown.slices.get(&self.shown.slice)
        };
        any.map(|l| &*l.volume)
    }

    /// The grid of [`Self::volume`].
    #[must_use]
    pub fn grid(&self) -> Option<&Grid> {
        self.volume().map(|v| &v.grid)
    }

    /// Headers of the series in view are read: sets up viewports.
    pub fn opened(&mut self, opened: Opened) {
        if !opened.is_volume() {
            // An image shown early has no number yet.
            self.shown.slices.clear();
        } else if let Some((_, early)) = self.shown.slices.pop_first() {
            let k = opened.stack().and_then(|stack| stack.nearest_slice(early.volume.grid.centre())).unwrap_or(0);
            self.shown.slice = k;
            self.shown.slices.insert(k, early);
        }
        self.set_panes(opened.is_volume());
        if let Some(entry) = self.series.get_mut(self.current) {
            entry.header = Some(opened.series.header.clone());
            if let Some(stack) = opened.stack() {
                entry.warnings = stack.warnings().to_vec();
                entry.n_images = stack.n_slices();
            }
            entry.warnings.extend(left_out(&opened.series, opened.stack));
        }
        self.shown.opened = Some(opened);
    }

    /// A research file is ready: its volume, or its images one by one.
    pub fn research_ready(&mut self, shown: ResearchShown) {
        let is_volume = shown.images.iter().any(|l| l.volume.grid.dims[2] >= 3);
        self.set_panes(is_volume);
        if let Some(entry) = self.series.get_mut(self.current) {
            entry.take(shown.thumb);
        }
        for (k, loaded) in shown.images.into_iter().enumerate() {
            if is_volume { self.full_ready(loaded) } else { self.slice_ready(k, loaded, k == 0) }
        }
    }

    /// Sets up viewports: those of a volume, or one for images.
    fn set_panes(&mut self, is_volume: bool) {
        let mut kinds: Vec<PaneKind> = if is_volume { PaneKind::VOLUME.to_vec() } else { vec![PaneKind::Native] };
        // Who looks at shapes goes on to look at shapes.
        if is_volume && self.panes.iter().any(|p| p.kind == PaneKind::Vr) {
            kinds.iter_mut().filter(|k| **k == PaneKind::Mip).for_each(|k| *k = PaneKind::Vr);
        }
        // A view that was restored or changed meanwhile stays.
        if !kinds.iter().eq(self.panes.iter().map(|p| &p.kind)) {
            self.panes = kinds.into_iter().map(Pane::new).collect();
            self.enlarged = None;
            self.active = 0;
        }
    }

    /// The stack in view.
    #[must_use]
    pub fn stack(&self) -> Option<&mj_dicom::series::Stack> {
        self.shown.opened.as_ref().and_then(Opened::stack)
    }

    /// True when images in colour are shown.
    #[must_use]
    pub fn is_colour(&self) -> bool {
        self.shown.slices.get(&self.shown.slice).is_some_and(|l| l.colour.is_some())
    }

    /// Shows an image that is loaded, of a series that is no volume.
    pub fn show(&mut self, k: usize) {
        let Some(volume) = self.shown.slices.get(&k).map(|l| std::sync::Arc::clone(&l.volume)) else { return };
        self.shown.slice = k;
        // Images of one series may each bring their own window or table; one that the reader chose stays.
        if self.window == self.file_window {
            self.file_window = presets::first_window(&volume);
            self.window = self.file_window.clone();
        }
        self.crosshair_to_slice();
    }

    /// Windows and lookup tables of the image in view, or of the volume, by the file.
    pub fn file_windows(&self) -> impl Iterator<Item = &Window> {
        self.volume().filter(|_| !self.is_colour()).into_iter().flat_map(|v| &v.windows)
    }

    /// Sets the file's first window, or, where that is set, its next one.
    pub fn next_file_window(&mut self) {
        let now = self.active_window();
        let at = self.file_windows().position(|w| w == now);
        let next = at.and_then(|at| self.file_windows().nth(at + 1)).unwrap_or(&self.file_window).clone();
        self.set_window(next);
    }

    /// The slice some steps on in a viewport that shows slices while their volume is not yet there; none where it shows
    /// something else, or where the volume's planes are not its slices.
    #[must_use]
    pub fn early_step(&self, pane: usize, steps: f64) -> Option<usize> {
        let kind = self.panes.get(pane)?.kind;
        let early = self.loaded(kind).filter(|_| self.is_volume() && self.shown.full.is_none())?;
        let stack = self.stack().filter(|stack| !stack.is_resampled())?;
        let at = self.shown.asked.or_else(|| stack.nearest_slice(self.crosshair))?;
        let plane = Pane::new(kind).plane(&early.volume.grid, self.crosshair, 8, 8);
        // As in the volume: from head to feet, from front to back, from left to right.
        let normal = if kind == PaneKind::Axial { -plane.normal() } else { plane.normal() };
        let steps = if normal.dot(early.volume.grid.axes[2]) > 0.0 { steps } else { -steps };
        let last = stack.n_slices().saturating_sub(1) as f64;
        Some((at as f64 + steps).round().clamp(0.0, last) as usize)
    }

    /// An image was chosen; true when it still has to be read.
    pub fn choose(&mut self, k: usize) -> bool {
        let is_here = self.shown.slices.contains_key(&k);
        self.shown.is_chosen = true;
        self.shown.asked = (!is_here).then_some(k);
        if is_here {
            if self.is_volume() { self.show_early(k) } else { self.show(k) }
        }
        !is_here
    }

    /// Shows a slice of a volume that is not yet there.
    fn show_early(&mut self, k: usize) {
        self.shown.slice = k;
        let Some(grid) = self.shown.slices.get(&k).map(|l| l.volume.grid) else { return };
        self.crosshair = pane::snapped(&grid, self.crosshair);
    }

    /// A slice is ready, and to be shown unless it was only fetched for later.
    pub fn slice_ready(&mut self, k: usize, loaded: Loaded, is_shown: bool) {
        // An image asked for before the planes came back.
        if self.shown.full.is_some() && !self.is_as_stored {
            return;
        }
        let is_first = self.shown.slices.is_empty() && self.shown.full.is_none();
        if is_first {
            self.shown.slice = k;
            self.begin(&loaded.volume);
        }
        let most = (KEPT.0 / loaded.bytes().max(1)).max(KEPT.1);
        if self.shown.slices.len() >= most {
            // The one furthest from the image in view.
            let at = self.shown.slice;
            if let Some(far) = self.shown.slices.keys().copied().max_by_key(|&key| key.abs_diff(at)) {
                self.shown.slices.remove(&far);
            }
        }
        self.shown.slices.insert(k, loaded);
        // While one is waited for, those that come before it are shown on the way: a key held is followed.
        let is_wanted = self.shown.asked.is_some() || !self.shown.is_chosen;
        if !self.is_volume() && ((is_shown && is_wanted) || is_first) {
            self.show(k);
        } else if self.is_volume() && self.shown.asked.is_some() {
            self.show_early(k);
        }
        self.shown.asked.take_if(|asked| *asked == k);
    }

    /// The volume is ready.
    pub fn full_ready(&mut self, loaded: Loaded) {
        if self.shown.slices.is_empty() {
            self.begin(&loaded.volume);
        }
        self.crosshair = pane::snapped(&loaded.volume.grid, self.crosshair);
        if let Some(entry) = self.series.get_mut(self.current) {
            let more = self.shown.opened.as_ref().map(|o| left_out(&o.series, o.stack)).unwrap_or_default();
            entry.warnings.clone_from(&loaded.volume.warnings);
            entry.warnings.extend(more);
        }
        self.shown.full = Some(loaded);
        self.shown.progress = None;
        self.shown.asked = None;
        self.shown.slices.clear();
    }

    /// Sets crosshair and window from the first picture, or from the view to restore.
    fn begin(&mut self, volume: &Volume) {
        self.file_window = presets::first_window(volume);
        self.window = self.file_window.clone();
        self.mip_window = presets::mip_window(volume);
        self.is_inverted = volume.is_inverted;
        self.crosshair = pane::snapped(&volume.grid, volume.grid.centre());
        let series = self.entry().map(|e| e.uid.clone());
        let Some(view) = self.restore.take_if(|v| v.series.is_none() || v.series == series) else { return };
        if let Some((center, width)) = view.window {
            let is_file = self.file_window.center == center && self.file_window.width == width;
            self.window = if is_file { self.file_window.clone() } else { volume.own_window(center, width, "") };
        }
        self.crosshair = view.crosshair.filter(|p| p.is_finite()).unwrap_or(self.crosshair);
        for (at, pane) in self.panes.iter_mut().enumerate() {
            pane.zoom = view.zoom.get(at).copied().filter(|z| z.is_finite() && *z > 0.0).unwrap_or(1.0);
            pane.pan_mm = view.pan_mm.get(at).copied().unwrap_or_default();
        }
        self.restore_look_through(&view);
        self.enlarged = view.enlarged.filter(|&at| at < self.panes.len());
        self.active = self.enlarged.unwrap_or(0);
    }

    /// The viewport that looks through the volume, as it was.
    fn restore_look_through(&mut self, view: &ViewState) {
        let Some(pane) = self.panes.iter_mut().find(|p| p.kind.is_through()) else { return };
        pane.turned = view.turned.filter(|(right, down)| {
            let is_unit = |v: &VectorLps| (v.length() - 1.0).abs() < 1e-6;
            is_unit(right) && is_unit(down) && right.dot(*down).abs() < 1e-6
        });
        if let Some(solid) = &view.solid {
            pane.kind = PaneKind::Vr;
            let shift = if solid.shift.is_finite() { solid.shift } else { 0.0 };
            self.solid = Solid { preset: solid.preset.clone(), shift, is_cut: solid.is_cut };
        }
    }

    /// In a series that is no volume the crosshair lies on the image in view.
    pub fn crosshair_to_slice(&mut self) {
        if let Some(grid) = self.grid().copied()
            && grid.nearest_voxel(self.crosshair).is_none()
        {
            // From image to image of a volume the reader stays at a place of the patient.
            let near = if self.is_as_stored { self.crosshair } else { grid.centre() };
            self.crosshair = pane::snapped(&grid, near);
        }
    }

    /// The window of a kind of viewport.
    #[must_use]
    pub const fn window_of(&self, kind: PaneKind) -> &Window {
        if matches!(kind, PaneKind::Mip) { &self.mip_window } else { &self.window }
    }

    /// Sets the window of the active viewport's kind.
    pub fn set_window(&mut self, window: Window) {
        if self.panes.get(self.active).is_some_and(|p| p.kind == PaneKind::Mip) {
            self.mip_window = window;
        } else {
            self.window = window;
        }
    }

    /// The slab that a kind of viewport shows; none for a slice.
    #[must_use]
    pub fn slab_of(&self, kind: PaneKind) -> Option<Slab> {
        (self.has_slab && !kind.is_through() && kind != PaneKind::Native).then_some(self.slab)
    }

    /// Shapes in place of the brightest values, or back; the viewport becomes the active one.
    pub fn swap_solid(&mut self) {
        let Some(at) = self.panes.iter().position(|p| p.kind.is_through()) else { return };
        if let Some(pane) = self.panes.get_mut(at) {
            pane.kind = if pane.kind == PaneKind::Vr { PaneKind::Mip } else { PaneKind::Vr };
        }
        self.active = at;
        if self.enlarged.is_some() {
            self.enlarged = Some(at);
        }
    }

    /// The planes that a look through the volume goes through, as it is turned.
    #[must_use]
    pub fn along(&self, pane: usize) -> PaneKind {
        let plane = self.panes.get(pane).zip(self.grid()).map(|(pane, grid)| pane.plane(grid, self.crosshair, 8, 8));
        plane.as_ref().map_or(PaneKind::Coronal, kind_along)
    }

    /// What the active viewport shows.
    #[must_use]
    pub fn active_kind(&self) -> PaneKind {
        self.panes.get(self.active).map_or(PaneKind::Native, |p| p.kind)
    }

    /// The window of the active viewport.
    #[must_use]
    pub fn active_window(&self) -> &Window {
        self.window_of(self.active_kind())
    }

    /// What is shown, to show the same again.
    #[must_use]
    pub fn view_state(&self) -> ViewState {
        ViewState {
            series: self.entry().map(|e| e.uid.clone()),
            crosshair: self.volume().map(|_| self.crosshair),
            window: self.volume().map(|_| (self.window.center, self.window.width)),
            zoom: self.panes.iter().map(|p| p.zoom).collect(),
            pan_mm: self.panes.iter().map(|p| p.pan_mm).collect(),
            enlarged: self.enlarged,
            oblique_normal: None,
            turned: self.panes.iter().find(|p| p.kind.is_through()).and_then(|p| p.turned),
            solid: self.panes.iter().any(|p| p.kind == PaneKind::Vr).then(|| SolidView {
                preset: self.solid.preset.clone(),
                shift: self.solid.shift,
                is_cut: self.solid.is_cut,
            }),
        }
    }

    /// Number of images to scroll through in a series that is no volume.
    #[must_use]
    pub fn n_slices(&self) -> usize {
        self.stack().map_or(self.shown.slices.len(), mj_dicom::series::Stack::n_slices)
    }

    /// What tells the shown block from the others of its series, for the picture; empty where there is nothing to tell.
    #[must_use]
    pub fn block_name(&self, lang: Lang) -> String {
        let stack = self.stack();
        let names: Vec<String> = stack.map_or(&[][..], Stack::apart).iter().map(|apart| difference(apart, lang)).collect();
        names.join(", ")
    }

    /// The images a line touches, the nearest to its middle first.
    #[must_use]
    pub fn images_of(&self, points: &[PointLps]) -> Vec<ImageRef> {
        let Some(volume) = self.volume() else { return Vec::new() };
        let mut images: Vec<ImageRef> = Vec::new();
        for p in points {
            let k = volume.grid.voxel_from_lps(*p)[2].round().clamp(0.0, (volume.grid.dims[2].max(1) - 1) as f64) as usize;
            if let Some(source) = volume.sources.get(k) {
                let image = ImageRef { instance: source.instance.clone(), sop_class: source.sop_class.clone(), frame: source.frame };
                if !images.contains(&image) {
                    images.push(image);
                }
            }
        }
        images
    }
}

/// The planes that lie most like one.
fn kind_along(plane: &Plane) -> PaneKind {
    match solid::main_axis(plane) {
        0 => PaneKind::Sagittal,
        2 => PaneKind::Axial,
        _ => PaneKind::Coronal,
    }
}

/// What a block differs in from the others of its series, in words: `b = 1000`.
#[must_use]
pub fn difference(apart: &Apart, lang: Lang) -> String {
    let text = mj_lang::find(&format!("stack.{}", apart.what.code()));
    text.map_or_else(|| apart.value.clone(), |text| text.with(lang, &[("value", &apart.value)]))
}

/// The number of images of a block and what tells it apart, in the English of a warning's detail.
fn named(stack: &Stack) -> String {
    let names: Vec<String> = stack.apart().iter().map(|apart| difference(apart, Lang::En)).collect();
    if names.is_empty() { stack.n_slices().to_string() } else { format!("{} ({})", stack.n_slices(), names.join(", ")) }
}

/// What of a series is not shown besides one of its blocks: a reader must know of it.
#[must_use]
pub fn left_out(series: &Series, shown: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if series.stacks.len() > 1 {
        let others: Vec<String> = series.stacks.iter().enumerate().filter(|(at, _)| *at != shown).map(|(_, stack)| named(stack)).collect();
        warnings.push(Warning::new("series.several_stacks", others.join(", ")));
    }
    if !series.skipped.is_empty() {
        warnings.push(Warning::new("series.files_skipped", series.skipped.len().to_string()));
    }
    warnings
}

fn neutral() -> Window {
    Window::linear(0.0, 1.0, "")
}
