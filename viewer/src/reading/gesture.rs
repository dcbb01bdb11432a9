//! What the pointer does on pictures, event by event, so that a press, a movement and a release within one
//! frame are not lost.

use crate::reading::action::{Action, Tool};
use crate::reading::beside::Side;
use crate::reading::draft::{Draft, Step};
use crate::reading::measuring;
use crate::reading::pane::{self, Mapping, PaneKind};
use crate::reading::placed::Placed;
use crate::reading::presets;
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::reading::shapes::{self, Grip};
use crate::reading::text;
use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, Vec2};
use mj_model::{Curve, Finding, PointLps, Shape, Volume, Window};

/// Something begun with the pointer and not ended.
#[derive(Debug, Clone)]
pub(crate) enum Gesture {
    /// Moves the crosshair.
    Crosshair { pane: usize },
    /// Goes through slices: where the last step was made.
    Scroll { pane: usize, last: Pos2 },
    /// Changes the window.
    Window { from: Pos2, window: Window },
    /// Turns a look through the volume.
    Turn { pane: usize, last: Pos2 },
    /// Moves the values that are seen as shapes.
    Shift { from: Pos2, shift: f64 },
    /// Magnifies about where it began.
    Zoom { pane: usize, last: Pos2, pixel: [f64; 2] },
    /// Moves the picture.
    Pan { pane: usize, last: Pos2 },
    /// Goes on with the room's draft.
    Draw { pane: usize },
    /// A place or the whole of a shape is moved.
    Edit { pane: usize, grip: Grip, start: Box<Placed>, grabbed: PointLps, working: Box<Finding>, has_moved: bool },
    /// A label is moved.
    Label { finding: String, last: Pos2 },
}

impl Gesture {
    /// The finding as it is while it is being moved.
    pub(crate) fn working(&self) -> Option<&Finding> {
        match self {
            Self::Edit { working, .. } => Some(working),
            _ => None,
        }
    }
}

/// A viewport of this frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) side: Side,
    pub(crate) pane: usize,
    pub(crate) rect: Rect,
}

/// How far apart two clicks of a double click may be. Units: s, points.
const DOUBLE: (f64, f32) = (0.4, 8.0);
/// Movement that goes one slice on. Units: points.
const PER_SLICE: f32 = 6.0;

/// The last press, for double clicks.
#[derive(Debug, Clone, Copy)]
struct Press {
    at: Pos2,
    /// Time of the frame. Units: s.
    time: f64,
}

/// Takes the frame's pointer events.
pub(crate) fn take(room: &mut Room, ui: &egui::Ui, places: &[Place]) {
    let events = ui.input(|i| i.events.clone());
    let ppp = ui.ctx().pixels_per_point();
    for event in events {
        match event {
            Event::PointerMoved(at) => {
                room.pointer = Some(at);
                room.on_sides(|room| {
                    drag(room, places, at, ppp);
                    hover(room, places, at, ppp);
                });
            }
            Event::PointerButton { pos, button, pressed: true, modifiers } => {
                room.pointer = Some(pos);
                if let Some(place) = under(room, ui, places, pos) {
                    room.lead(place.side);
                    room.on_side(place.side, |room| press(room, ui, place, pos, button, modifiers, ppp));
                }
            }
            Event::PointerButton { pos, pressed: false, .. } => room.on_sides(|room| release(room, places, pos, ppp)),
            Event::PointerGone => room.pointer = None,
            Event::MouseWheel { unit, delta, modifiers, .. } => wheel(room, ui, places, unit, delta, modifiers, ppp),
            _ => {}
        }
    }
}

/// The viewport under the pointer, unless something lies on top of it.
fn under(room: &Room, ui: &egui::Ui, places: &[Place], at: Pos2) -> Option<Place> {
    let is_free = !room.blocked.iter().any(|r| r.contains(at)) && ui.ctx().layer_id_at(at).is_none_or(|layer| layer == ui.layer_id());
    places.iter().find(|p| is_free && p.rect.contains(at)).copied()
}

/// The mapping of a viewport as it is now.
pub(crate) fn mapping(room: &Room, pane: usize, rect: Rect, ppp: f32) -> Option<Mapping> {
    let scene = room.scene.as_ref()?;
    let grid = scene.grid()?;
    let (w, h) = ((rect.width() * ppp).round() as usize, (rect.height() * ppp).round() as usize);
    Some(Mapping { rect, plane: scene.panes.get(pane)?.plane(grid, scene.crosshair, w, h), ppp })
}

fn press(room: &mut Room, ui: &egui::Ui, place: Place, at: Pos2, button: PointerButton, held: Modifiers, ppp: f32) {
    let Some(map) = mapping(room, place.pane, place.rect, ppp) else { return };
    if button == PointerButton::Primary && go_on(room, ui, place.pane, &map, at) {
        return;
    }
    let Some(scene) = &mut room.scene else { return };
    scene.active = place.pane;
    let kind = scene.panes.get(place.pane).map_or(PaneKind::Native, |p| p.kind);
    let window = || match kind {
        PaneKind::Vr => Gesture::Shift { from: at, shift: scene.solid.shift },
        _ => Gesture::Window { from: at, window: scene.active_window().clone() },
    };
    let pane = place.pane;
    match button {
        PointerButton::Secondary => room.gesture = Some(window()),
        PointerButton::Middle => room.gesture = Some(Gesture::Pan { pane, last: at }),
        PointerButton::Primary => {
            if is_double(ui, at) && !room.tool.is_measuring() {
                room.gesture = None;
                if text::ask_again(room, pane, at) {
                    return;
                }
                room.act(Action::Enlarge);
                return;
            }
            if take_hold(room, pane, &map, at) {
                return;
            }
            let tool = if held.shift { Tool::Scroll } else { room.tool };
            let Some(scene) = &room.scene else { return };
            room.gesture = match tool {
                Tool::Point if kind.is_through() => Some(Gesture::Turn { pane, last: at }),
                Tool::Point => Some(Gesture::Crosshair { pane }),
                Tool::Scroll => Some(Gesture::Scroll { pane, last: at }),
                Tool::Window if kind == PaneKind::Vr => Some(Gesture::Shift { from: at, shift: scene.solid.shift }),
                Tool::Window => Some(Gesture::Window { from: at, window: scene.active_window().clone() }),
                Tool::Zoom => Some(Gesture::Zoom { pane, last: at, pixel: map.pixel(at) }),
                Tool::Pan => Some(Gesture::Pan { pane, last: at }),
                // A length on a projection would be a length on no plane. A tool may have been taken on another series.
                _ if kind.is_through() || !Action::Take(tool).is_enabled(&room.situation()) => None,
                _ => {
                    room.draft = Some(Draft::begin(tool, pane, scene.shown.slice, &map, at));
                    Some(Gesture::Draw { pane })
                }
            };
            if tool == Tool::Point && !kind.is_through() {
                if let Some(scene) = &mut room.scene {
                    scene.selected = None;
                }
                drag_to(room, &map, at);
            }
        }
        _ => {}
    }
}

/// A press that goes on with what is being drawn; false where it begins something new.
fn go_on(room: &mut Room, ui: &egui::Ui, pane: usize, map: &Mapping, at: Pos2) -> bool {
    let Some(scene) = &room.scene else { return false };
    let kind = scene.panes.get(pane).map_or(PaneKind::Native, |p| p.kind);
    let slice = scene.shown.slice;
    // In another viewport, or on another slice, it is no second press.
    let Some(mut draft) = room.draft.take().filter(|d| d.pane == pane && d.is_on(kind, slice, &map.plane)) else { return false };
    if draft.is_open_ended() && is_double(ui, at) {
        close(room, draft);
        return true;
    }
    draft.press(map, at);
    room.draft = Some(draft);
    room.gesture = Some(Gesture::Draw { pane });
    true
}

/// What is being drawn follows the pointer between two presses.
fn hover(room: &mut Room, places: &[Place], at: Pos2, ppp: f32) {
    if room.gesture.is_some() {
        return;
    }
    let place = room.draft.as_ref().and_then(|draft| places.iter().find(|p| p.side == room.side && p.pane == draft.pane));
    if let Some(map) = place.and_then(|p| mapping(room, p.pane, p.rect, ppp)) {
        follow(room, &map, at);
    }
}

fn follow(room: &mut Room, map: &Mapping, at: Pos2) {
    if let Some(draft) = &mut room.draft {
        draft.follow(map, at);
    }
}

/// Makes a finding of a shape that has all its places; false where it is none.
fn finish(room: &mut Room, draft: &Draft) -> bool {
    let Some((placed, scene)) = draft.finished().zip(room.scene.as_ref()) else { return false };
    let is_annotation = draft.is_annotation();
    let made = if is_annotation { measuring::new_annotation(scene, &placed) } else { measuring::new_finding(scene, &placed) };
    let Some(finding) = made else { return false };
    if is_annotation && !matches!(placed, Placed::Shape(Shape::Line { .. })) {
        // A text is nothing before it is typed.
        text::ask(room, finding);
    } else {
        commit(room, finding);
    }
    true
}

/// Closes a curve; one with too few places goes on.
fn close(room: &mut Room, draft: Draft) {
    if !finish(room, &draft) {
        room.draft = Some(draft);
    }
}

/// Keys that belong to what is being drawn: Enter closes a curve; Backspace takes its last place back, and gives anything else
/// up. True when taken.
pub(crate) fn take_key(room: &mut Room, pressed: Key, held: Modifiers) -> bool {
    let is_taken = |draft: &mut Draft| held.is_none() && (pressed == Key::Backspace || (pressed == Key::Enter && draft.is_open_ended()));
    let Some(mut draft) = room.draft.take_if(is_taken) else { return false };
    room.gesture = None;
    if pressed == Key::Enter {
        close(room, draft);
    } else if draft.is_open_ended() && draft.take_back() {
        room.draft = Some(draft);
    }
    true
}

/// Remembers presses; true for the second of two at one place.
fn is_double(ui: &egui::Ui, at: Pos2) -> bool {
    let id = egui::Id::unique("reading-last-press");
    let now = Press { at, time: ui.input(|i| i.time) };
    let last = ui.data(|d| d.get_temp::<Press>(id));
    let is_double = last.is_some_and(|l| now.time - l.time < DOUBLE.0 && (l.at - at).length() < DOUBLE.1);
    ui.data_mut(|d| {
        if is_double {
            d.remove::<Press>(id);
        } else {
            d.insert_temp(id, now);
        }
    });
    is_double
}

/// Takes hold of a shape under the pointer.
fn take_hold(room: &mut Room, pane: usize, map: &Mapping, at: Pos2) -> bool {
    let selected = room.scene.as_ref().and_then(|scene| scene.selected.as_ref());
    // Where a shape is to be drawn, no label and no other shape than the chosen one stands in its way.
    let is_in_reach =
        |id: &String, grip: &Grip| !room.tool.is_measuring() || (Some(id) == selected && matches!(grip, Grip::Place(_) | Grip::Line));
    let mut held = room.hits.iter().rev().filter(|h| h.pane == pane).filter_map(|h| Some((h.clone(), h.grip(at)?)));
    let Some((hit, grip)) = held.find(|(hit, grip)| is_in_reach(&hit.id, grip)) else { return false };
    room.select(&hit.id, false);
    let Some(scene) = &room.scene else { return false };
    let Some((finding, volume)) = scene.ledger.get(&hit.id).cloned().zip(scene.volume()) else { return false };
    let Some(start) = Placed::of(volume, &finding.geometry) else { return false };
    // Before all slices are there, the voxels of a ball cannot be measured.
    let can_be_moved = !matches!(start, Placed::Ball { .. }) || scene.shown.full.is_some();
    room.gesture = match grip {
        Grip::Label => {
            room.labels.insert(hit.id.clone(), hit.label_offset);
            Some(Gesture::Label { finding: hit.id, last: at })
        }
        Grip::Cut => None,
        _ if !can_be_moved => None,
        _ => {
            let (start, working) = (Box::new(start), Box::new(finding));
            Some(Gesture::Edit { pane, grip, start, grabbed: map.lps(at), working, has_moved: false })
        }
    };
    true
}

fn drag(room: &mut Room, places: &[Place], at: Pos2, ppp: f32) {
    let pane = match &room.gesture {
        None => return,
        Some(Gesture::Window { from, window }) => {
            let (from, window) = (*from, window.clone());
            change_window(room, &window, at - from);
            return;
        }
        Some(Gesture::Shift { from, shift }) => {
            let (by, shift) = (at - *from, *shift);
            change_shift(room, shift, by);
            return;
        }
        Some(Gesture::Label { .. }) => None,
        Some(
            Gesture::Crosshair { pane }
            | Gesture::Turn { pane, .. }
            | Gesture::Scroll { pane, .. }
            | Gesture::Zoom { pane, .. }
            | Gesture::Pan { pane, .. }
            | Gesture::Draw { pane }
            | Gesture::Edit { pane, .. },
        ) => Some(*pane),
    };
    let place = places.iter().find(|p| p.side == room.side && pane.is_none_or(|pane| p.pane == pane));
    if let Some(map) = place.and_then(|p| mapping(room, p.pane, p.rect, ppp)) {
        drag_to(room, &map, at);
    }
}

/// Goes on with a gesture that lives in a viewport.
fn drag_to(room: &mut Room, map: &Mapping, at: Pos2) {
    let Some(mut gesture) = room.gesture.take() else { return };
    let lps = map.lps(at);
    match &mut gesture {
        Gesture::Crosshair { .. } => set_crosshair(room, map, lps),
        Gesture::Scroll { pane, last } => {
            let steps = ((at.y - last.y) / PER_SLICE).trunc();
            if steps != 0.0 {
                last.y += steps * PER_SLICE;
                room.scroll(*pane, f64::from(steps));
            }
        }
        Gesture::Turn { pane, last } => {
            // Across the picture is half way round.
            let by = (at - *last) * std::f32::consts::PI / map.rect.size().max_elem().max(1.0);
            *last = at;
            if let Some(p) = room.scene.as_mut().and_then(|s| s.panes.get_mut(*pane)) {
                p.turn(&map.plane, [f64::from(by.x), f64::from(by.y)]);
            }
            room.changed();
        }
        Gesture::Zoom { pane, last, pixel } => {
            let factor = f64::from((last.y - at.y) * 0.01).exp();
            *last = at;
            if let Some(p) = room.scene.as_mut().and_then(|s| s.panes.get_mut(*pane)) {
                p.zoom_about(&map.plane, *pixel, factor);
            }
            room.changed();
        }
        Gesture::Pan { pane, last } => {
            let mm = (at - *last) / map.points_per_mm() as f32;
            *last = at;
            if let Some(p) = room.scene.as_mut().and_then(|s| s.panes.get_mut(*pane)) {
                p.pan_mm[0] -= f64::from(mm.x);
                p.pan_mm[1] -= f64::from(mm.y);
            }
            room.changed();
        }
        Gesture::Draw { .. } => follow(room, map, at),
        Gesture::Edit { grip, start, grabbed, working, has_moved, .. } => {
            let by = lps - *grabbed;
            if *has_moved || by.length() * map.points_per_mm() > 1.5 {
                let placed = shapes::moved(start, *grip, by, &map.plane);
                // From what it was at first: what it lost outside the image comes back under its old id.
                let reshape = |s: &Scene| measuring::reshaped(s, s.ledger.get(&working.id)?, &placed, *grip == Grip::Line);
                if let Some(changed) = room.scene.as_ref().and_then(reshape) {
                    **working = changed;
                    *has_moved = true;
                }
            }
        }
        Gesture::Label { finding, last } => {
            *room.labels.entry(finding.clone()).or_default() += at - *last;
            *last = at;
        }
        Gesture::Window { .. } | Gesture::Shift { .. } => {}
    }
    room.gesture = Some(gesture);
}

fn set_crosshair(room: &mut Room, map: &Mapping, at: PointLps) {
    let Some(scene) = &mut room.scene else { return };
    let Some(grid) = scene.grid().copied() else { return };
    // The plane itself stays where it is: only the position on it follows the pointer.
    let depth = map.plane.normal() * map.plane.depth_mm(scene.crosshair);
    let wanted = pane::snapped(&grid, at + depth);
    if pane::axis_along(&grid, map.plane.normal()).is_some() {
        scene.crosshair = wanted;
    } else if grid.nearest_voxel(at + depth).is_some() {
        scene.crosshair = at + depth;
    }
    room.changed();
}

/// Right is wider, up is brighter; a screen's quarter is about the width itself.
fn change_window(room: &mut Room, from: &Window, by: Vec2) {
    let Some(scene) = &mut room.scene else { return };
    let Some(volume) = scene.volume() else { return };
    let window = dragged(volume, from, by);
    scene.set_window(window);
    room.changed();
}

/// Up shows more, down less: a screen's quarter is about the window's width.
fn change_shift(room: &mut Room, from: f64, by: Vec2) {
    let Some(scene) = &mut room.scene else { return };
    let Some(volume) = scene.volume() else { return };
    let scale = presets::first_window(volume).middle_and_span().1 / 300.0;
    let shift = from + f64::from(by.y) * scale;
    scene.solid.shift = if volume.has_whole_values() { shift.round() } else { shift };
    room.changed();
}

/// The window after a drag over `by`. Units of `by`: points on the screen.
fn dragged(volume: &Volume, from: &Window, by: Vec2) -> Window {
    let scale = from.width / 300.0;
    // A table has no width to change: the straight line it lies on takes its place.
    let narrowest = if volume.has_whole_values() { 1.0 } else { from.width / 100.0 };
    let width = (from.width + f64::from(by.x) * scale).max(narrowest);
    let center = from.center + f64::from(by.y) * scale;
    let is_whole = from.width > 20.0;
    let rounded = |v: f64| if is_whole { v.round() } else { v };
    let window = volume.own_window(rounded(center), rounded(width), "");
    // A sigmoid stays one: it is how the maker of the images wants them seen.
    if from.curve == Curve::Sigmoid { Window { curve: Curve::Sigmoid, ..window } } else { window }
}

fn release(room: &mut Room, places: &[Place], at: Pos2, ppp: f32) {
    drag(room, places, at, ppp);
    let Some(gesture) = room.gesture.take() else { return };
    match gesture {
        Gesture::Draw { pane } => {
            let place = places.iter().find(|p| p.side == room.side && p.pane == pane);
            let Some(map) = place.and_then(|p| mapping(room, p.pane, p.rect, ppp)) else { return };
            let Some(mut draft) = room.draft.take() else { return };
            match draft.release(&map, at) {
                Step::On => room.draft = Some(draft),
                // One too small to be seen is none.
                Step::Done => _ = finish(room, &draft),
            }
        }
        Gesture::Edit { working, has_moved: true, .. } => commit(room, *working),
        Gesture::Edit { .. } | Gesture::Label { .. } => {}
        _ => room.changed(),
    }
}

pub(crate) fn commit(room: &mut Room, finding: Finding) {
    let Some(scene) = &mut room.scene else { return };
    let id = finding.id.clone();
    scene.selected = Some(id.clone());
    let message = scene.ledger.commit(finding);
    room.send_finding(message);
    room.tell_selected(&id);
}

fn wheel(room: &mut Room, ui: &egui::Ui, places: &[Place], unit: MouseWheelUnit, delta: Vec2, held: Modifiers, ppp: f32) {
    let Some(at) = room.pointer else { return };
    let Some(place) = under(room, ui, places, at) else { return };
    if !room.has_gesture() {
        room.lead(place.side);
    }
    room.on_side(place.side, |room| turn_wheel(room, ui, place, unit, delta, held, ppp));
}

fn turn_wheel(room: &mut Room, ui: &egui::Ui, place: Place, unit: MouseWheelUnit, delta: Vec2, held: Modifiers, ppp: f32) {
    let Some(at) = room.pointer else { return };
    let notches = match unit {
        MouseWheelUnit::Point => delta.y / 40.0,
        MouseWheelUnit::Line => delta.y,
        MouseWheelUnit::Page => delta.y * 10.0,
    };
    if notches == 0.0 {
        return;
    }
    if let Some(scene) = &mut room.scene {
        scene.active = place.pane;
    }
    if held.command || held.ctrl {
        let Some(map) = mapping(room, place.pane, place.rect, ppp) else { return };
        let pixel = map.pixel(at);
        if let Some(p) = room.scene.as_mut().and_then(|s| s.panes.get_mut(place.pane)) {
            p.zoom_about(&map.plane, pixel, f64::from(notches * 0.12).exp());
        }
        room.changed();
        return;
    }
    // A touchpad sends fractions, which add up; a wheel sends whole notches.
    let id = egui::Id::unique("reading-wheel");
    let sum = ui.data(|d| d.get_temp::<f32>(id)).unwrap_or(0.0) - notches;
    let whole = if unit == MouseWheelUnit::Point { sum.trunc() } else { -notches.abs().ceil().copysign(notches) };
    ui.data_mut(|d| d.insert_temp(id, if unit == MouseWheelUnit::Point { sum - whole } else { 0.0 }));
    if whole != 0.0 {
        room.scroll(place.pane, f64::from(whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;
    use mj_model::Samples;

    #[test]
    fn a_dragged_window_fits_its_values() {
        use crate::reading::presets::tests::small_values;
        let floats = small_values(Samples::F32(vec![0.0; 1000]), 1.0);
        let from = floats.own_window(0.0015, 0.003, "");
        let wider = dragged(&floats, &from, vec2(150.0, 0.0));
        assert!(wider.curve == Curve::LinearExact && (wider.width - 0.0045).abs() < 1e-9, "{wider:?}");
        let narrowest = dragged(&floats, &from, vec2(-900.0, 30.0));
        assert!(narrowest.width > 0.0 && narrowest.width < 0.000_1 && (narrowest.center - 0.0018).abs() < 1e-9, "{narrowest:?}");
        let whole = small_values(Samples::I16(vec![0; 1000]), 1.0);
        let narrowest = dragged(&whole, &whole.own_window(40.0, 400.0, ""), vec2(-900.0, 0.0));
        assert_eq!((narrowest.width, narrowest.curve), (1.0, Curve::Linear));
    }
}
