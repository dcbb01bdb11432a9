//! Keeps both studies at one place, in one magnification and one window.
//!
//! The side that the pointer or a key worked on last leads. Where the other one goes is worked out anew for every frame from
//! where the leader is, so that nothing adds up.

use super::{Beside, Side};
use crate::Error;
use crate::reading::event::{Event, Events};
use crate::reading::gesture::Place;
use crate::reading::pane::{self, Pane, PaneKind};
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use mj_imaging::register::{self, Registration};
use mj_model::{Finding, Grid, Lang, PointLps, Told, VectorLps, Volume, Window};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a place of the present study was found in the prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Both findings carry one Tracking UID: somebody said that they are one lesion. Away from it by what the others say.
    Finding,
    /// The volumes were laid onto each other.
    Registration,
    /// Both scans use one frame of reference; the patient may have moved.
    SameFrame,
    /// At the same part of the scanned height.
    SameHeight,
}

/// What links both studies.
#[derive(Default)]
pub(crate) struct Link {
    /// Ids of the volumes, the current one first.
    pair: Option<(u64, u64)>,
    work: Work,
    /// The current finding gone to, and the prior's of the same lesion.
    pub(super) paired: Option<(String, String)>,
    /// How the place was found; none while both are not linked.
    pub(super) placing: Option<Placing>,
    /// The images of the side that follows do not reach the place.
    pub(super) is_outside: bool,
}

/// How far the registration is.
#[derive(Default)]
enum Work {
    #[default]
    None,
    Running {
        /// Stops it.
        _cancel: Cancel,
        percent: u8,
    },
    Done(Box<Registration>),
    /// It could not be done, or is not to be trusted.
    Failed,
}

/// What the strip says of the registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Units: percent.
    Running(u8),
    Failed,
    Quiet,
}

/// Stops the registration when it is dropped.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A registration is ready, or has failed: of which volumes.
pub struct Registered {
    pair: (u64, u64),
    found: std::result::Result<Box<Registration>, Told>,
}

impl Link {
    pub(super) const fn progress(&self) -> Progress {
        match self.work {
            Work::Running { percent, .. } => Progress::Running(percent),
            Work::Failed => Progress::Failed,
            Work::None | Work::Done(_) => Progress::Quiet,
        }
    }

    fn take(&mut self, registered: Registered) {
        if self.pair == Some(registered.pair) {
            self.work = match registered.found {
                Ok(found) => Work::Done(found),
                Err(told) => {
                    tracing::warn!(code = told.code, "the prior was not registered");
                    Work::Failed
                }
            };
        }
    }

    fn tell(&mut self, pair: (u64, u64), done: u64, total: u64) {
        if let Work::Running { percent, .. } = &mut self.work
            && self.pair == Some(pair)
        {
            *percent = u8::try_from(100 * done.min(total) / total.max(1)).unwrap_or(100);
        }
    }
}

/// From places of one study to those of the other.
struct Map<'a> {
    base: Base<'a>,
    /// From where `base` puts a lesion to where it was. Units: mm, LPS of the prior.
    shift: VectorLps,
    placing: Placing,
}

enum Base<'a> {
    Registered(&'a Registration),
    SameFrame,
    SameHeight { now: &'a Grid, before: &'a Grid },
}

impl Base<'_> {
    fn before(&self, now: PointLps) -> PointLps {
        match self {
            Self::Registered(found) => found.before(now),
            Self::SameFrame => now,
            Self::SameHeight { now: grid, before } => at_height(grid, before, now),
        }
    }

    fn now(&self, before: PointLps) -> PointLps {
        match self {
            Self::Registered(found) => found.now(before),
            Self::SameFrame => before,
            Self::SameHeight { now, before: grid } => at_height(grid, now, before),
        }
    }
}

/// The same part of the scanned height, and as far from the middle of the images. Units: mm, LPS.
fn at_height(from: &Grid, to: &Grid, at: PointLps) -> PointLps {
    let ((low, high), (low_to, high_to)) = (from.box_lps(), to.box_lps());
    let part = (at.z - low.z) / (high.z - low.z).max(f64::MIN_POSITIVE);
    let (middle, middle_to) = (from.centre(), to.centre());
    PointLps::new(at.x - middle.x + middle_to.x, at.y - middle.y + middle_to.y, low_to.z + part * (high_to.z - low_to.z))
}

impl<'a> Map<'a> {
    fn of(link: &'a Link, now: &Scene, before: &Scene, volumes: [&'a Volume; 2]) -> Self {
        let [present, prior] = volumes;
        let is_one_frame = present.frame_of_reference.is_some() && present.frame_of_reference == prior.frame_of_reference;
        let (base, placing) = match &link.work {
            Work::Done(found) => (Base::Registered(found), Placing::Registration),
            _ if is_one_frame => (Base::SameFrame, Placing::SameFrame),
            _ => (Base::SameHeight { now: &present.grid, before: &prior.grid }, Placing::SameHeight),
        };
        let paired = link.paired.as_ref().and_then(|(a, b)| Some((place_in(now, present, a)?, place_in(before, prior, b)?)));
        match paired {
            Some((now, before)) => Self { shift: before - base.before(now), base, placing: Placing::Finding },
            None => Self { base, shift: VectorLps::default(), placing },
        }
    }

    fn to(&self, side: Side, at: PointLps) -> PointLps {
        match side {
            Side::Prior => self.base.before(at) + self.shift,
            Side::Current => self.base.now(at + -self.shift),
        }
    }
}

/// The middle of a finding that lies in a volume's space. Units: mm, LPS.
fn place_in(scene: &Scene, volume: &Volume, id: &str) -> Option<PointLps> {
    let finding = scene.ledger.get(id).filter(|finding| finding.is_live())?;
    let is_one_frame = |f: &Finding| f.frame_of_reference.is_some() && f.frame_of_reference == volume.frame_of_reference;
    finding.geometry.centre().filter(|_| finding.series == volume.series || is_one_frame(finding))
}

/// Brings the side that follows to where the other is.
pub(crate) fn follow(room: &mut Room, places: &[Place], ppp: f32) {
    if !room.is_compared() {
        return;
    }
    // Another series of the current study may have come into view.
    room.show_fitting();
    if !room.is_prior_known() {
        return;
    }
    begin(room);
    let lead = room.active;
    let (Some(Beside { scene: Some(before), link, .. }), Some(now)) = (room.beside.as_deref_mut(), &mut room.scene) else { return };
    link.placing = None;
    let Some((present, prior)) = volumes(now, before) else { return };
    let (to, from) = (lead.other(), if lead == Side::Current { &*now } else { &*before });
    let map = Map::of(link, now, before, [&present, &prior]);
    let (at, placing) = (map.to(to, from.crosshair), map.placing);
    let (leader, follower, of) = match lead {
        Side::Current => (now, before, [&*present, &*prior]),
        Side::Prior => (before, now, [&*prior, &*present]),
    };
    (link.placing, link.is_outside) = (Some(placing), of[1].grid.nearest_voxel(at).is_none());
    follower.crosshair = pane::snapped(&of[1].grid, at);
    show_alike(leader, follower, of);
    let size = |side: Side, pane: usize| {
        let rect = places.iter().find(|place| place.side == side && place.pane == pane)?.rect;
        Some([(rect.width() * ppp).round() as usize, (rect.height() * ppp).round() as usize])
    };
    for n in 0..follower.panes.len() {
        if let Some(size) = size(to, n) {
            magnify_alike(leader, follower, n, at, size);
        }
    }
}

/// Both volumes, where places of one correspond to places of the other.
fn volumes(now: &Scene, before: &Scene) -> Option<(Arc<Volume>, Arc<Volume>)> {
    let whole = |scene: &Scene| scene.shown.full.as_ref().filter(|_| scene.is_volume()).map(|loaded| Arc::clone(&loaded.volume));
    let (present, prior) = (whole(now)?, whole(before)?);
    (present.is_placed && prior.is_placed && present.modality == prior.modality).then_some((present, prior))
}

/// Begins the registration of volumes that have come into view.
fn begin(room: &mut Room) {
    let ids = |scene: Option<&Scene>| scene.and_then(|scene| scene.shown.full.as_ref()).map(|loaded| loaded.id);
    let pair = ids(room.scene_of(Side::Current)).zip(ids(room.scene_of(Side::Prior)));
    if room.beside.as_ref().is_none_or(|beside| beside.link.pair == pair) {
        return;
    }
    let volumes = room.scene_of(Side::Current).zip(room.scene_of(Side::Prior)).and_then(|(now, before)| volumes(now, before));
    let work = match (pair, volumes) {
        (Some(pair), Some((present, prior))) => start(pair, prior, present, room.events(), room.lang)
            .map_or(Work::Failed, |cancel| Work::Running { _cancel: cancel, percent: 0 }),
        _ => Work::None,
    };
    if let Some(beside) = &mut room.beside {
        (beside.link.pair, beside.link.work) = (pair, work);
    }
    room.lead(Side::Current);
}

/// Registers on a thread of its own that leaves the pictures half of the processor.
fn start(pair: (u64, u64), prior: Arc<Volume>, present: Arc<Volume>, events: Events, lang: Lang) -> Option<Cancel> {
    let cancel = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&cancel);
    let work = move || {
        let progress = |done: u64, total: u64| events.offer(Event::Registering(pair, done, total));
        let registered = || register::register(&prior, &present, &[], &theirs, &progress).map_err(Error::from);
        let found = half_of_the_threads(registered);
        let found = found.map(Box::new).map_err(|e| mj_lang::tell(&e, lang));
        if !theirs.load(Ordering::Relaxed) {
            events.send(Event::Registered(Box::new(Registered { pair, found })));
        }
    };
    std::thread::Builder::new().name("registering".into()).spawn(work).ok().map(|_thread| Cancel(cancel))
}

fn half_of_the_threads(work: impl Fn() -> crate::Result<Registration> + Send + Sync) -> crate::Result<Registration> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    // A fault must not leave the strip saying that work goes on.
    let done = std::panic::catch_unwind(AssertUnwindSafe(|| match &pool {
        Ok(pool) => pool.install(&work),
        Err(_) => work(),
    }));
    done.unwrap_or(Err(Error::Panicked))
}

/// What another thread says of the registration.
pub(crate) fn take(room: &mut Room, registered: Registered) {
    if let Some(beside) = &mut room.beside {
        beside.link.take(registered);
    }
}

/// How far the registration is.
pub(crate) fn tell(room: &mut Room, pair: (u64, u64), done: u64, total: u64) {
    if let Some(beside) = &mut room.beside {
        beside.link.tell(pair, done, total);
    }
}

/// The same window, slab and viewports.
fn show_alike(leader: &Scene, follower: &mut Scene, [of_leader, of_follower]: [&Volume; 2]) {
    if has_fixed_values(of_leader) && of_leader.unit == of_follower.unit {
        follower.window = leader.window.clone();
        follower.mip_window = leader.mip_window.clone();
        follower.is_inverted = leader.is_inverted;
    } else {
        follower.window = scaled(leader, follower, of_follower);
    }
    (follower.has_slab, follower.slab) = (leader.has_slab, leader.slab);
    follower.solid = leader.solid.clone();
    (follower.enlarged, follower.active) = (leader.enlarged, leader.active);
}

/// Values that mean the same in every study.
fn has_fixed_values(volume: &Volume) -> bool {
    volume.unit == mj_model::Unit::hu()
}

/// Values without a fixed meaning (MR): what was changed on one side is changed alike on the other, each from its own window.
fn scaled(leader: &Scene, follower: &Scene, volume: &Volume) -> Window {
    let (now, first, own) = (&leader.window, &leader.file_window, &follower.file_window);
    if now == first || first.width <= 0.0 {
        return own.clone();
    }
    let scale = own.width / first.width;
    volume.own_window(own.center + (now.center - first.center) * scale, now.width * scale, "")
}

/// As many millimetres a pixel, with the place where the leader's crosshair is on the screen.
fn magnify_alike(leader: &Scene, follower: &mut Scene, n: usize, at: PointLps, [width, height]: [usize; 2]) {
    let (Some(from), Some(grid), Some(grid_from)) = (leader.panes.get(n), follower.grid().copied(), leader.grid()) else { return };
    if from.kind == PaneKind::Native {
        return;
    }
    let shown = from.plane(grid_from, leader.crosshair, width, height);
    let Some(pane) = follower.panes.get_mut(n) else { return };
    let fresh = Pane { turned: from.turned, ..Pane::new(from.kind) };
    let plane = fresh.plane(&grid, at, width, height);
    let (offset, back) = (shown.centre - leader.crosshair, at - plane.centre);
    let along = |of: VectorLps, with: VectorLps| offset.dot(of) + back.dot(with);
    *pane = Pane {
        zoom: plane.mm_per_pixel / shown.mm_per_pixel.max(f64::MIN_POSITIVE),
        pan_mm: [along(shown.right, plane.right), along(shown.down, plane.down)],
        ..fresh
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(z: f64, n: usize) -> Grid {
        let axis = VectorLps::new;
        Grid {
            dims: [64, 64, n],
            origin: PointLps::new(-32.0, -20.0, z),
            axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
            spacing_mm: [1.0, 1.0, 2.5],
        }
    }

    #[test]
    fn the_same_height_is_found_both_ways() {
        let (now, before) = (grid(100.0, 40), grid(-900.0, 80));
        let base = Base::SameHeight { now: &now, before: &before };
        let at = PointLps::new(4.0, -3.0, 137.5);
        let was = base.before(at);
        assert!((base.now(was) - at).length() < 1e-9);
        let part = |grid: &Grid, p: PointLps| (p.z - grid.box_lps().0.z) / (grid.box_lps().1.z - grid.box_lps().0.z);
        assert!((part(&now, at) - part(&before, was)).abs() < 1e-9);
    }

    #[test]
    fn a_paired_lesion_is_met_exactly_whatever_the_map() {
        let (now, before) = (grid(0.0, 40), grid(10.0, 40));
        let (a, b) = (PointLps::new(1.0, 2.0, 30.0), PointLps::new(5.0, -2.0, 52.0));
        let base = Base::SameHeight { now: &now, before: &before };
        let map = Map { shift: b - base.before(a), base, placing: Placing::Finding };
        assert!((map.to(Side::Prior, a) - b).length() < 1e-9);
        assert!((map.to(Side::Current, b) - a).length() < 1e-9);
    }
}
