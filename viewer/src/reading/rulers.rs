//! Measurements on pictures: where they lie, how they are drawn, how they are made.

use crate::overlay::{self, RulerLook};
use crate::reading::gesture::Gesture;
use crate::reading::pane::{Mapping, PaneKind};
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use egui::{Pos2, Rect, Vec2, vec2};
use mj_dicom::series::Stack;
use mj_lang::key;
use mj_model::code::known;
use mj_model::{Finding, FindingState, Geometry, Lang, Measurement, PointLps, Quantity, Shape, Unit, Volume};

/// Where a ruler was drawn.
#[derive(Debug, Clone)]
pub(crate) struct RulerHit {
    /// The viewport.
    pub(crate) pane: usize,
    /// The finding.
    pub(crate) id: String,
    /// Its ends on the screen.
    pub(crate) ends: [Pos2; 2],
    /// Its label on the screen.
    pub(crate) label: Rect,
}

/// What a press on a ruler takes hold of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grip {
    /// One end, 0 or 1.
    End(usize),
    /// The label.
    Label,
    /// The line.
    Line,
}

impl RulerHit {
    /// What of it lies under the pointer.
    pub(crate) fn grip(&self, at: Pos2) -> Option<Grip> {
        const END: f32 = 8.0;
        const LINE: f32 = 5.0;
        if let Some(end) = (0..2).find(|&n| (self.ends[n] - at).length() <= END) {
            return Some(Grip::End(end));
        }
        if self.label.expand(2.0).contains(at) {
            return Some(Grip::Label);
        }
        let [a, b] = self.ends;
        let (along, to) = (b - a, at - a);
        let share = (to.dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
        ((to - along * share).length() <= LINE).then_some(Grip::Line)
    }
}

/// A geometry's ends in patient space, where it is drawn on a volume.
pub(crate) fn ends(volume: &Volume, geometry: &Geometry) -> Option<[PointLps; 2]> {
    match geometry {
        Geometry::InSpace(Shape::Line { a, b }) => Some([*a, *b]),
        Geometry::OnImage(Shape::Line { a, b }) => Some([*a, *b].map(|[i, j]| volume.grid.lps_from_voxel([i, j, 0.0]))),
        _ => None,
    }
}

/// A line between two positions: in mm, or in pixels where the image has no calibration.
pub(crate) fn line(volume: &Volume, [a, b]: [PointLps; 2]) -> Geometry {
    if volume.is_calibrated {
        return Geometry::line(a, b);
    }
    let pixel = |p: PointLps| {
        let [i, j, _] = volume.grid.voxel_from_lps(p);
        [i, j]
    };
    Geometry::OnImage(Shape::Line { a: pixel(a), b: pixel(b) })
}

/// The length of a line on an image whose pixels are a known distance apart, along a row and down a column (a calibrated
/// region of an ultrasound image). Units: pixels from 0, mm.
fn length_by(a: [f64; 2], b: [f64; 2], mm_per_pixel: [f64; 2]) -> Quantity {
    let value = ((a[0] - b[0]) * mm_per_pixel[0]).hypot((a[1] - b[1]) * mm_per_pixel[1]);
    Quantity { what: known::length(), value, unit: Unit::mm() }
}

/// The length of a line, in the unit of its places.
fn length_of(geometry: &Geometry) -> Option<Quantity> {
    geometry.sizes().into_iter().find(|size| size.what.is_same(&known::length()))
}

/// The length of a line: in mm where the image or the region of it that holds both ends is calibrated, else in pixels.
fn length(scene: &Scene, geometry: &Geometry) -> Option<Quantity> {
    if let Geometry::OnImage(Shape::Line { a, b }) = geometry
        && let Some(mm) = scene.stack().and_then(|stack| stack.region_mm(scene.shown.slice, *a, *b))
    {
        return Some(length_by(*a, *b, mm));
    }
    length_of(geometry)
}

/// A length as it is written beside its line. Where only the detector's pixels have a size, the length there is named as
/// such: what lies in the patient is smaller by an unknown magnification.
fn written(scene: &Scene, geometry: &Geometry, quantity: &Quantity, lang: Lang) -> String {
    let detector = scene.stack().and_then(|stack| stack.detector_mm(scene.shown.slice));
    match (geometry, detector) {
        (Geometry::OnImage(Shape::Line { a, b }), Some(mm)) if quantity.unit == Unit::px() => {
            let there = format!("{:.1}", length_by(*a, *b, mm).value);
            format!("{}  ({})", quantity.shown(), key::OVERLAY_DETECTOR.with(lang, &[("mm", &there)]))
        }
        _ => quantity.shown(),
    }
}

/// A new finding of one length, nothing known of it but where it is.
pub(crate) fn new_ruler(scene: &Scene, ends: [PointLps; 2]) -> Option<Finding> {
    let volume = scene.volume()?;
    let geometry = line(volume, ends);
    let quantity = length(scene, &geometry)?;
    let middle = ends[0] + (ends[1] - ends[0]) * 0.5;
    let mut made = Finding::new(uuid::Uuid::new_v4().to_string(), scene.study.clone(), volume.series.clone(), geometry, "");
    made.frame_of_reference = volume.frame_of_reference.clone();
    made.images = scene.images_of(&[middle, ends[0], ends[1]]);
    made.measurements = vec![Measurement::new(uuid::Uuid::new_v4().to_string(), quantity)];
    Some(made)
}

/// The finding with its ends moved.
pub(crate) fn moved(scene: &Scene, finding: &Finding, ends: [PointLps; 2]) -> Option<Finding> {
    let volume = scene.volume()?;
    let geometry = line(volume, ends);
    let quantity = length(scene, &geometry)?;
    let middle = ends[0] + (ends[1] - ends[0]) * 0.5;
    let mut changed = finding.clone();
    changed.images = scene.images_of(&[middle, ends[0], ends[1]]);
    changed.geometry = geometry;
    if changed.state == FindingState::Proposed || changed.state == FindingState::Accepted {
        changed.state = FindingState::Edited;
    }
    if let Some(first) = changed.measurements.first_mut() {
        first.quantity = quantity;
    }
    Some(changed)
}

/// The slice on which a finding was drawn: that of its image, else the nearest in the patient.
pub(crate) fn slice_of(stack: &Stack, finding: &Finding) -> Option<usize> {
    let by_image = finding.images.iter().find_map(|image| stack.slice_from(&image.instance, image.frame));
    by_image.or_else(|| stack.nearest_slice(finding.geometry.centre()?))
}

/// True when a finding lies on what a viewport shows.
fn is_on(scene: &Scene, kind: PaneKind, map: &Mapping, finding: &Finding, ends: [PointLps; 2]) -> bool {
    let Some(volume) = scene.volume().filter(|v| v.series == finding.series) else { return false };
    let is_near = || {
        let normal = map.plane.normal();
        let thickness: f64 = (0..3).map(|a| (volume.grid.axes[a].dot(normal) * volume.grid.spacing_mm[a]).abs()).sum();
        let near = thickness / 2.0 + scene.slab_of(kind).map_or(0.0, |slab| slab.mm) / 2.0 + 1e-3;
        ends.iter().all(|&p| map.plane.depth_mm(p).abs() <= near)
    };
    match (kind, finding.images.first()) {
        (PaneKind::Mip | PaneKind::Vr, _) => false,
        (PaneKind::Native, Some(image)) => volume.sources.iter().any(|s| s.instance == image.instance && s.frame == image.frame),
        // An image of a research file has no instance to name.
        _ => is_near(),
    }
}

/// Where the label stands from the middle of the line when nobody has moved it.
const LABEL: Vec2 = vec2(12.0, -16.0);

/// A ruler ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) id: String,
    pub(crate) ends: [Pos2; 2],
    pub(crate) label: String,
    pub(crate) label_at: Pos2,
    pub(crate) look: RulerLook,
}

/// The rulers of a viewport, the one being drawn included.
pub(crate) fn drawn(room: &Room, scene: &Scene, pane: usize, map: &Mapping) -> Vec<Drawn> {
    let Some((kind, volume)) = scene.panes.get(pane).map(|p| p.kind).zip(scene.volume()) else { return Vec::new() };
    let editing = room.gesture.as_ref().and_then(Gesture::working);
    let mut out = Vec::new();
    for shown in scene.ledger.shown() {
        let finding = editing.filter(|w| w.id == shown.finding.id).unwrap_or(shown.finding);
        let Some(ends) = ends(volume, &finding.geometry).filter(|&e| is_on(scene, kind, map, finding, e)) else { continue };
        let measurement = finding.measurements.first();
        let text = |m: &Measurement| format!("{}  {}", shown.number, written(scene, &finding.geometry, &m.quantity, room.lang));
        let label = measurement.map(text).unwrap_or_default();
        let ends = ends.map(|p| map.screen(p));
        let offset = measurement.and_then(|m| room.labels.get(&m.id)).copied().unwrap_or(LABEL);
        let is_selected = scene.selected.as_deref() == Some(finding.id.as_str());
        let is_near = room.pointer.is_some_and(|at| {
            let hit = RulerHit { pane, id: String::new(), ends, label: Rect::NOTHING };
            map.rect.contains(at) && hit.grip(at).is_some()
        });
        out.push(Drawn {
            id: finding.id.clone(),
            ends,
            label,
            label_at: ends[0] + (ends[1] - ends[0]) * 0.5 + offset,
            look: RulerLook { is_selected, is_pending: shown.is_pending, has_handles: is_selected || is_near },
        });
    }
    if let Some(Gesture::Draw { pane: at, ends: new, .. }) = &room.gesture
        && *at == pane
        && let geometry = line(volume, *new)
        && let Some(quantity) = length(scene, &geometry)
    {
        let label = written(scene, &geometry, &quantity, room.lang);
        let ends = new.map(|p| map.screen(p));
        let look = RulerLook { is_selected: true, is_pending: false, has_handles: false };
        out.push(Drawn { id: String::new(), ends, label, label_at: ends[0] + (ends[1] - ends[0]) * 0.5 + LABEL, look });
    }
    out
}

/// Draws the rulers of a viewport and notes where they are.
pub(crate) fn paint(room: &mut Room, painter: &egui::Painter, pane: usize, rulers: &[Drawn]) {
    let ppp = painter.pixels_per_point();
    for ruler in rulers {
        let label = overlay::ruler(painter, &room.theme, ruler.ends, &ruler.label, ruler.label_at, &ruler.look);
        if !ruler.id.is_empty() {
            room.layout.ruler(&ruler.id, pane, ruler.ends, label, ruler.look.is_pending, ppp);
            room.hits.push(RulerHit { pane, id: ruler.id.clone(), ends: ruler.ends, label });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    #[test]
    fn a_line_on_an_uncalibrated_image_counts_pixels() {
        use mj_model::{Grid, Samples, VectorLps};
        let axis = VectorLps::new;
        let grid = Grid {
            dims: [64, 64, 1],
            origin: PointLps::default(),
            axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
            spacing_mm: [1.0, 1.0, 1.0],
        };
        let volume = |is_calibrated| Volume {
            modality: "CR".into(),
            is_calibrated,
            is_placed: false,
            ..Volume::of(grid, Samples::U8(vec![0; 64 * 64]))
        };
        let points = [PointLps::new(3.0, 4.0, 0.0), PointLps::new(6.0, 8.0, 0.0)];
        let shown = |v: &Volume| length_of(&line(v, points)).unwrap().shown();
        assert_eq!(shown(&volume(false)), "5.0\u{2009}px");
        assert_eq!(shown(&volume(true)), "5.0\u{2009}mm");
        assert_eq!(ends(&volume(false), &line(&volume(false), points)).unwrap(), points);
    }

    #[test]
    fn ends_go_before_the_line() {
        let hit = RulerHit {
            pane: 0,
            id: "a".into(),
            ends: [pos2(10.0, 10.0), pos2(110.0, 10.0)],
            label: Rect::from_min_size(pos2(70.0, 20.0), vec2(40.0, 16.0)),
        };
        assert_eq!(hit.grip(pos2(12.0, 13.0)), Some(Grip::End(0)));
        assert_eq!(hit.grip(pos2(108.0, 8.0)), Some(Grip::End(1)));
        assert_eq!(hit.grip(pos2(60.0, 13.0)), Some(Grip::Line));
        assert_eq!(hit.grip(pos2(80.0, 30.0)), Some(Grip::Label));
        assert_eq!(hit.grip(pos2(60.0, 60.0)), None);
    }
}
