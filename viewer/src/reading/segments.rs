//! Segments on pictures: their voxels, where planes cut them, their shadows on what is looked through.

use crate::overlay::{Figure, FigureLook, Label};
use crate::reading::beside::Side;
use crate::reading::event::{Event, Events};
use crate::reading::measuring;
use crate::reading::pane::{Mapping, PaneKind};
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::reading::shapes::Drawn;
use egui::{Color32, ColorImage, Painter, Pos2, Rect, TextureHandle, TextureOptions, pos2, vec2};
use mj_dicom::{Dataset, Source, seg};
use mj_imaging::{Plane, Trace, trace};
use mj_model::{Extent, Finding, Geometry, InstanceUid, Mask, PointLps, VectorLps, Volume};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// The voxels of a segment.
pub struct Voxels {
    /// Segment Number.
    pub number: u32,
    /// The colour that the object recommends.
    pub colour: Option<[u8; 3]>,
    /// The voxels, cut down to their box.
    pub mask: Mask,
}

/// Reads the segments of a segmentation.
///
/// # Errors
/// [`crate::Error::Read`]; what decoding says.
pub fn read(source: &dyn Source) -> crate::Result<Vec<Voxels>> {
    let bytes = source.read().map_err(|e| crate::Error::Read { path: source.name().into(), source: e })?;
    let segments = seg::read(&Dataset::from_vec(bytes)?)?;
    Ok(segments.into_iter().map(|s| Voxels { number: s.number, colour: s.colour, mask: s.mask }).collect())
}

/// How far a segmentation is read.
enum Object {
    Known(Arc<dyn Source>),
    Asked,
    Ready(Arc<Vec<Voxels>>),
    Failed,
}

/// The segmentations of the open study, and what viewports show of them.
#[derive(Default)]
pub struct Segments {
    objects: BTreeMap<InstanceUid, Object>,
    panes: BTreeMap<usize, Seen>,
}

impl Segments {
    /// Takes an object whose segments may be shown.
    pub fn add(&mut self, instance: InstanceUid, source: Arc<dyn Source>) {
        self.objects.entry(instance).or_insert(Object::Known(source));
    }

    /// What came of reading an object: nothing, when it could not be read.
    pub fn take(&mut self, instance: InstanceUid, read: Option<Vec<Voxels>>) {
        self.objects.insert(instance, read.map_or(Object::Failed, |voxels| Object::Ready(Arc::new(voxels))));
    }

    /// Takes the shadows that were asked for a viewport.
    pub(crate) fn take_shadows(&mut self, shadows: Shadows) {
        if let Some(seen) = self.panes.get_mut(&shadows.pane).filter(|seen| seen.asked) {
            *seen = Seen { key: Some(shadows.key), parts: shadows.parts, ..Seen::default() };
        }
    }

    /// True for an object that was told of.
    pub(crate) fn is_known(&self, instance: &InstanceUid) -> bool {
        self.objects.contains_key(instance)
    }

    /// True while an object that findings lie in is being read.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        self.objects.values().any(|object| matches!(object, Object::Asked))
    }

    /// The colour of a finding's segment, once it is read.
    pub(crate) fn colour(&self, finding: &Finding) -> Option<Color32> {
        self.voxels(finding).and_then(|(voxels, at)| voxels.get(at).map(colour))
    }

    fn voxels(&self, finding: &Finding) -> Option<(Arc<Vec<Voxels>>, usize)> {
        let (instance, wanted) = segment_of(finding)?;
        let Object::Ready(voxels) = self.objects.get(instance)? else { return None };
        voxels.iter().position(|v| v.number == u32::from(wanted)).map(|at| (Arc::clone(voxels), at))
    }

    /// The objects that findings lie in and nobody has asked for; they count as asked for from now on.
    fn unread<'a>(&mut self, findings: impl Iterator<Item = &'a Finding>) -> Vec<(InstanceUid, Arc<dyn Source>)> {
        let mut out = Vec::new();
        for (instance, _) in findings.filter_map(segment_of) {
            if let Some(object) = self.objects.get_mut(instance)
                && let Object::Known(source) = object
            {
                out.push((instance.clone(), Arc::clone(source)));
                *object = Object::Asked;
            }
        }
        out
    }
}

fn segment_of(finding: &Finding) -> Option<(&InstanceUid, u16)> {
    match &finding.geometry {
        Geometry::Extent(Extent::Segment { instance, number, .. }) => Some((instance, *number)),
        _ => None,
    }
}

/// Asks for the segmentations that findings of the open study lie in, once a picture is there.
pub(crate) fn ask(room: &mut Room) {
    let Some(scene) = room.scene.as_mut().filter(|scene| scene.volume().is_some()) else { return };
    let Scene { segments, ledger, .. } = scene;
    for (instance, source) in segments.unread(ledger.shown().map(|shown| shown.finding)) {
        room.loader.segments(instance, source);
    }
}

/// What a viewport's view of segments depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    right: VectorLps,
    down: VectorLps,
    depth_mm: f64,
    reach: Reach,
    /// Which segments, by their findings.
    of: u64,
}

/// How far from the plane voxels are seen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    /// Those that the plane cuts.
    Plane,
    /// Those of a slab, as shadows. Units: mm to either side.
    Slab(f64),
    /// All of them, as shadows.
    Through,
}

/// A segment in a viewport.
struct Part {
    finding: String,
    object: InstanceUid,
    colour: Color32,
    trace: Trace,
    outline: Vec<Vec<PointLps>>,
}

/// Shadows that were made for a viewport.
pub struct Shadows {
    side: Side,
    pane: usize,
    key: Key,
    parts: Vec<Part>,
}

impl Shadows {
    /// Of which study.
    pub(crate) const fn side(&self) -> Side {
        self.side
    }
}

/// What a viewport shows of segments.
#[derive(Default)]
struct Seen {
    key: Option<Key>,
    parts: Vec<Part>,
    fills: Vec<Picture>,
    /// Percent at which `fills` were made.
    filled: Option<u8>,
    /// Shadows are being made.
    asked: bool,
}

/// A segment to be shown in a viewport.
struct Wanted {
    finding: String,
    object: InstanceUid,
    voxels: Arc<Vec<Voxels>>,
    at: usize,
}

impl Wanted {
    fn part(self, plane: &Plane, reach: Reach) -> Option<Part> {
        let voxels = self.voxels.get(self.at)?;
        let trace = match reach {
            Reach::Plane => trace::section(&voxels.mask, plane),
            Reach::Slab(half_mm) => trace::silhouette(&voxels.mask, plane, Some(half_mm)),
            Reach::Through => trace::silhouette(&voxels.mask, plane, None),
        }?;
        let outline = trace.outline();
        Some(Part { finding: self.finding, object: self.object, colour: colour(voxels), trace, outline })
    }
}

/// The segments to be seen over a volume: those of its series, and those in its frame of reference.
fn wanted(room: &Room, scene: &Scene, volume: &Volume) -> Vec<Wanted> {
    let is_in_space =
        |f: &Finding| f.series == volume.series || (f.frame_of_reference.is_some() && f.frame_of_reference == volume.frame_of_reference);
    let shown =
        scene.ledger.shown().map(|shown| shown.finding).filter(|f| room.has_shapes && !scene.hidden.contains(&f.id) && is_in_space(f));
    shown
        .filter_map(|finding| {
            let (voxels, at) = scene.segments.voxels(finding)?;
            let object = segment_of(finding)?.0.clone();
            Some(Wanted { finding: finding.id.clone(), object, voxels, at })
        })
        .collect()
}

/// Brings what a viewport shows of segments up to its plane. Planes are cut at once; shadows take longer and come as events.
pub(crate) fn prepare(room: &mut Room, pane: usize, map: &Mapping) {
    let Some(scene) = room.scene.as_ref() else { return };
    let Some((kind, volume)) = scene.panes.get(pane).map(|p| p.kind).zip(scene.volume()) else { return };
    let list = if kind == PaneKind::Vr { Vec::new() } else { wanted(room, scene, volume) };
    let reach = match (kind, scene.slab_of(kind)) {
        (PaneKind::Mip, _) => Reach::Through,
        (_, Some(slab)) => Reach::Slab(slab.mm / 2.0),
        _ => Reach::Plane,
    };
    let (events, side) = (room.events.clone(), room.side);
    let Some(scene) = room.scene.as_mut() else { return };
    let seen = scene.segments.panes.entry(pane).or_default();
    if list.is_empty() {
        *seen = Seen::default();
        return;
    }
    let key = key(map, reach, &list);
    if seen.key == Some(key) || seen.asked {
        return;
    }
    if reach == Reach::Plane {
        let parts = list.into_par_iter().filter_map(|one| one.part(&map.plane, reach)).collect();
        *seen = Seen { key: Some(key), parts, ..Seen::default() };
    } else {
        // What was seen before is of another plane.
        *seen = Seen { asked: true, ..Seen::default() };
        cast((side, pane), key, list, map.plane, events);
    }
}

fn key(map: &Mapping, reach: Reach, list: &[Wanted]) -> Key {
    let mut of = DefaultHasher::new();
    list.iter().for_each(|one| (&one.finding, &one.object, one.at).hash(&mut of));
    let Plane { right, down, centre, .. } = map.plane;
    // Where the plane lies in depth is all the same to a look through everything.
    let depth_mm = if reach == Reach::Through { 0.0 } else { (centre - PointLps::default()).dot(map.plane.normal()) };
    Key { right, down, depth_mm, reach, of: of.finish() }
}

fn cast((side, pane): (Side, usize), key: Key, list: Vec<Wanted>, plane: Plane, events: Events) {
    rayon::spawn(move || {
        let parts = list.into_par_iter().filter_map(|one| one.part(&plane, key.reach)).collect();
        events.send(Event::Shadows(Box::new(Shadows { side, pane, key, parts })));
    });
}

/// Segments whose object recommends no colour: hues far from each other. Dark colours are lightened, so that a line is seen on
/// a dark image.
fn colour(voxels: &Voxels) -> Color32 {
    const GOLDEN: f32 = 0.618_034;
    const LEAST: u8 = 96;
    let [r, g, b] = voxels.colour.unwrap_or_else(|| {
        let hue = (voxels.number as f32 * GOLDEN).fract();
        egui::ecolor::Hsva::new(hue, 0.65, 0.95, 1.0).to_srgb()
    });
    let lacks = LEAST.saturating_sub(mj_model::colour::luminance([r, g, b]));
    Color32::from_rgb(r.saturating_add(lacks), g.saturating_add(lacks), b.saturating_add(lacks))
}

/// A picture of the insides of an object's segments.
struct Picture {
    texture: TextureHandle,
    /// Its top left and bottom right corners. Units: mm, LPS.
    corners: [PointLps; 2],
}

/// Colours the insides of a viewport's segments.
pub(crate) fn paint_fills(room: &mut Room, painter: &Painter, pane: usize, map: &Mapping) {
    let is_mip = room.scene.as_ref().and_then(|scene| scene.panes.get(pane)).is_some_and(|p| p.kind == PaneKind::Mip);
    // Shadows lie over one another: colours would tell nothing.
    let percent = if is_mip { 0 } else { room.fill_percent };
    let Some(seen) = room.scene.as_mut().and_then(|scene| scene.segments.panes.get_mut(&pane)) else { return };
    if seen.filled != Some(percent) {
        seen.fills = if percent == 0 { Vec::new() } else { fills(painter.ctx(), pane, &seen.parts, percent) };
        seen.filled = Some(percent);
    }
    for fill in &seen.fills {
        let [from, to] = fill.corners.map(|corner| map.screen(corner));
        painter.image(fill.texture.id(), Rect::from_min_max(from, to), Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
    }
}

/// One picture for each object, whose segments share a lattice.
fn fills(ctx: &egui::Context, pane: usize, parts: &[Part], percent: u8) -> Vec<Picture> {
    let mut by_object: BTreeMap<&InstanceUid, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        by_object.entry(&part.object).or_default().push(part);
    }
    by_object.into_values().enumerate().filter_map(|(n, parts)| picture(ctx, &format!("segments-{pane}-{n}"), &parts, percent)).collect()
}

fn picture(ctx: &egui::Context, name: &str, parts: &[&Part], percent: u8) -> Option<Picture> {
    let traces: Vec<(&Trace, [u8; 3])> =
        parts.iter().map(|part| (&part.trace, [part.colour.r(), part.colour.g(), part.colour.b()])).collect();
    let largest = ctx.input(|i| i.max_texture_side);
    let made = trace::fill(&traces, f32::from(percent) / 100.0, largest)?;
    let image = ColorImage::from_rgba_premultiplied(made.size, made.rgba.as_flattened());
    Some(Picture { texture: ctx.load_texture(name, image, TextureOptions::LINEAR), corners: made.corners })
}

/// Shadows that are drawn on one another at most.
const MOST_SHADOWS: usize = 12;

/// The outlines of a viewport's segments. The one under the pointer, and the chosen one, are named.
pub(crate) fn drawn(room: &Room, scene: &Scene, pane: usize, map: &Mapping) -> Vec<Drawn> {
    let Some(seen) = scene.segments.panes.get(&pane) else { return Vec::new() };
    let pointer = room.pointer.filter(|at| map.rect.contains(*at) && room.gesture.is_none() && room.draft.is_none());
    let under = pointer.and_then(|at| under(&seen.parts, map.lps(at)));
    let shown: BTreeMap<&str, _> = scene.ledger.shown().map(|shown| (shown.finding.id.as_str(), shown)).collect();
    let is_mip = scene.panes.get(pane).is_some_and(|p| p.kind == PaneKind::Mip);
    let is_chosen = |n: usize, part: &Part| under == Some(n) || scene.selected.as_ref() == Some(&part.finding);
    // Many shadows over one another tell nothing: of many, the chosen one alone.
    let is_seen = |n: usize, part: &Part| !is_mip || seen.parts.len() <= MOST_SHADOWS || is_chosen(n, part);
    let parts = seen.parts.iter().enumerate().filter(|(n, part)| is_seen(*n, part));
    parts
        .filter_map(|(n, part)| Some((n, part, shown.get(part.finding.as_str())?)))
        .map(|(n, part, shown)| {
            let figure = figure(part, map);
            let (is_under, is_selected) = (under == Some(n), scene.selected.as_ref() == Some(&part.finding));
            let lines = if is_under || is_selected { vec![named(room, shown.number, shown.finding)] } else { Vec::new() };
            let at = pointer.filter(|_| is_under).map_or_else(|| beside(&figure, map.rect), |at| at + vec2(16.0, 18.0));
            // A name anywhere else would name what it lies on.
            let moved = Some(egui::Vec2::ZERO);
            let look = FigureLook {
                is_selected: is_selected || is_under,
                is_pending: shown.is_pending,
                is_quiet: !is_selected && !is_under,
                colour: Some(part.colour),
                ..FigureLook::default()
            };
            Drawn { id: part.finding.clone(), figure, label: Label { lines, at, moved, detail: None }, look, is_cut: true }
        })
        .collect()
}

fn figure(part: &Part, map: &Mapping) -> Figure {
    let on_screen = |line: &Vec<PointLps>| (line.iter().map(|p| map.screen(*p)).collect(), true);
    Figure { lines: part.outline.iter().map(on_screen).collect(), ..Figure::default() }
}

/// Beside the rightmost place of an outline that is in the picture.
fn beside(figure: &Figure, rect: Rect) -> Pos2 {
    let places = figure.lines.iter().flat_map(|(line, _)| line).filter(|at| rect.contains(**at));
    places.max_by(|a, b| a.x.total_cmp(&b.x)).map_or_else(|| figure.bounds().center(), |at| *at + vec2(8.0, 0.0))
}

/// The smallest segment over a place: a tumour lies in its organ.
fn under(parts: &[Part], at: PointLps) -> Option<usize> {
    let inside = parts.iter().enumerate().filter(|(_, part)| part.trace.is_inside(at));
    inside.min_by(|a, b| a.1.trace.area_mm2().total_cmp(&b.1.trace.area_mm2())).map(|(n, _)| n)
}

fn named(room: &Room, number: usize, finding: &Finding) -> String {
    let number = room.numbered(number);
    format!("{number}  {}  {}", finding.name(room.lang), measuring::main_line(&finding.measurements)).trim_end().to_owned()
}
