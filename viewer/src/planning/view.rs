//! The 3D viewport: picture, handles of the plane, letters, cube, identity.

use super::action::Action;
use super::orbit::{FACES, Orbit};
use super::room::{Room, State};
use crate::overlay::{self, Corners, Line};
use crate::ui::Theme;
use egui::{Align2, Color32, Painter, Pos2, Rect, Sense, Stroke, Vec2, pos2, vec2};
use mj_lang::key;
use mj_model::{PointLps, VectorLps};
use std::sync::Arc;

/// Half of the plane's square, of the segment's diagonal.
pub(super) const HALF_SQUARE: f64 = 0.36;

/// What the hand holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Grip {
    /// The plane, along its normal.
    Move,
    /// An edge of the plane's square: +1 or -1 along its level axis.
    Swing(f64),
    /// The same along its steep axis.
    Tilt(f64),
    /// The camera, turning.
    Turn,
    /// The camera, sideways.
    Pan,
}

/// A handle: what it does, where it is, where it belongs in space.
struct Handle {
    grip: Grip,
    name: &'static str,
    at: Pos2,
}

/// Draws the viewport and takes what the hand does.
pub(super) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let frame = egui::Frame::new().fill(room.theme.colours.image);
    egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
        let rect = ui.max_rect();
        if let Some((line, hint)) = room.empty_words() {
            empty(room, ui, rect, &line, &hint);
            return;
        }
        if !room.is_fitted
            && let Some(part) = room.part()
        {
            let fitted = Orbit::around(part.extent.0, part.extent.1, rect.height().min(rect.width()).into());
            room.orbit = Orbit { yaw: room.orbit.yaw, pitch: room.orbit.pitch, ..fitted };
            room.is_fitted = true;
        }
        let response = ui.interact(rect, egui::Id::unique("planning-view"), Sense::click_and_drag());
        let handles = handles(room, rect);
        hand(room, ui, &response, rect, &handles);
        paint_scene(room, ui, rect);
        // Where they are after what the hand did.
        let handles = self::handles(room, rect);
        draw_handles(room, ui, rect, &handles, response.hover_pos());
        words(room, ui, rect);
    });
}

fn empty(room: &Room, ui: &egui::Ui, rect: Rect, line: &str, hint: &str) {
    let (theme, painter) = (&room.theme, ui.painter());
    let c = &theme.colours;
    if matches!(room.state, State::Loading) {
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
    }
    let most = (rect.width() - 48.0).clamp(160.0, 620.0);
    let mut y = rect.center().y - 24.0;
    for (text, size, colour) in [(line, theme.sizes.title, c.text), (hint, theme.sizes.body, c.text_secondary)] {
        let mut job = egui::text::LayoutJob::simple(text.to_owned(), Theme::font(size), colour, most);
        job.halign = egui::Align::Center;
        let galley = painter.layout_job(job);
        let height = galley.size().y;
        painter.galley(pos2(rect.center().x, y), galley, colour);
        y += height + 10.0;
    }
    if let State::Ready(case) = &room.state {
        let corners = Corners {
            top_left: overlay::patient_lines(&case.header, room.lang),
            top_right: overlay::study_lines(&case.header, room.lang),
            ..Default::default()
        };
        overlay::corners(painter, theme, rect, &corners);
    }
}

/// The handles on the screen.
fn handles(room: &Room, rect: Rect) -> Vec<Handle> {
    let (Some(cutting), Some(part)) = (&room.cutting, room.part()) else { return Vec::new() };
    let (u, v) = cutting.axes();
    let half = (part.extent.1 - part.extent.0).length() * HALF_SQUARE;
    let point = cutting.plane().point;
    let at = |d: VectorLps| {
        let p = room.orbit.screen(rect, point + d * half);
        // A handle that would leave the picture waits at its edge.
        let inner = rect.shrink(24.0);
        pos2(p.x.clamp(inner.left(), inner.right()), p.y.clamp(inner.top(), inner.bottom()))
    };
    let mut out = vec![Handle { grip: Grip::Move, name: "move", at: at(VectorLps::default()) }];
    for (sign, swing, tilt) in [(1.0, "swing+", "tilt+"), (-1.0, "swing-", "tilt-")] {
        out.push(Handle { grip: Grip::Swing(sign), name: swing, at: at(u * sign) });
        out.push(Handle { grip: Grip::Tilt(sign), name: tilt, at: at(v * sign) });
    }
    // Seen from the edge some lie over the middle, where they would only be in the way.
    let centre = at(VectorLps::default());
    out.retain(|h| h.grip == Grip::Move || h.at.distance(centre) > room.theme.size.touch);
    out
}

fn hand(room: &mut Room, ui: &egui::Ui, response: &egui::Response, rect: Rect, handles: &[Handle]) {
    use egui::PointerButton::{Middle, Primary, Secondary};
    let reach = room.theme.size.touch / 2.0;
    if response.drag_started()
        && let Some(from) = ui.input(|i| i.pointer.press_origin())
    {
        let near =
            handles.iter().filter(|h| h.at.distance(from) <= reach).min_by(|a, b| a.at.distance(from).total_cmp(&b.at.distance(from)));
        room.grip = Some(match near {
            _ if response.dragged_by(Secondary) || response.dragged_by(Middle) => Grip::Pan,
            Some(handle) if response.dragged_by(Primary) => handle.grip,
            _ if ui.input(|i| i.modifiers.shift) => Grip::Pan,
            _ => Grip::Turn,
        });
        if let (Some(Grip::Move | Grip::Swing(_) | Grip::Tilt(_)), Some(cutting)) = (room.grip, &mut room.cutting) {
            cutting.begin();
        }
    }
    let drag = response.drag_delta();
    if response.dragged() && drag != Vec2::ZERO {
        pull(room, drag);
    }
    if response.drag_stopped() {
        let is_plane = matches!(room.grip.take(), Some(Grip::Move | Grip::Swing(_) | Grip::Tilt(_)));
        if is_plane && room.cutting.as_mut().is_some_and(super::cutting::Cutting::finish) {
            room.changed();
        }
    }
    if response.hovered() {
        let (wheel, pinch) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
        room.orbit.zoom(f64::from(wheel * 0.002).exp() * f64::from(pinch));
    }
    if response.clicked()
        && let Some(at) = response.interact_pointer_pos()
        && let Some(face) = cube_faces(&room.orbit, rect).into_iter().rev().find(|f| inside(&f.corners, at))
    {
        room.act(Action::Look(face.letter));
    }
}

/// Moves what the hand holds by a drag. Units: points.
fn pull(room: &mut Room, drag: Vec2) {
    let orbit = room.orbit;
    let half = room.part().map_or(50.0, |part| (part.extent.1 - part.extent.0).length() * HALF_SQUARE);
    let Some(cutting) = &mut room.cutting else { return };
    let along = along_normal(&orbit, cutting.plane().normal, drag);
    let (u, v) = cutting.axes();
    match room.grip {
        Some(Grip::Move) => cutting.shift(along),
        // Pulling an edge along the normal turns the plane round the other axis. `u x n = -v`, `v x n = u`.
        Some(Grip::Swing(sign)) => cutting.turn(v, -(along / half * sign).to_degrees()),
        Some(Grip::Tilt(sign)) => cutting.turn(u, (along / half * sign).to_degrees()),
        Some(Grip::Turn) => {
            room.orbit.turn(drag);
            return;
        }
        Some(Grip::Pan) => {
            room.orbit.pan(drag);
            return;
        }
        None => return,
    }
    room.moved();
}

/// How far a drag goes along a direction in space, when its end is to follow the hand. Units: mm.
fn along_normal(orbit: &Orbit, normal: VectorLps, drag: Vec2) -> f64 {
    let seen = orbit.vector(normal);
    // Points per mm when seen from the side; nearly end-on the hand's way up means towards the viewer.
    let full = (1.0 / orbit.mm_per_point) as f32;
    if seen.length() < full * 0.2 {
        let (_, _, into) = orbit.axes();
        let sign = if normal.dot(into) > 0.0 { 1.0 } else { -1.0 };
        return f64::from(-drag.y) * orbit.mm_per_point * sign;
    }
    f64::from(drag.dot(seen) / seen.length_sq())
}

fn paint_scene(room: &Room, ui: &egui::Ui, rect: Rect) {
    let Some(look) = room.look(ui.ctx().pixels_per_point()) else { return };
    let scene = room.scene.clone();
    let callback = egui_glow::CallbackFn::new(move |info, _| {
        let (view, clip) = (info.viewport_in_pixels(), info.clip_rect_in_pixels());
        let size = |v: i32| u32::try_from(v).unwrap_or(0);
        let viewport =
            three_d::Viewport { x: view.left_px, y: view.from_bottom_px, width: size(view.width_px), height: size(view.height_px) };
        let clip =
            three_d::ScissorBox { x: clip.left_px, y: clip.from_bottom_px, width: size(clip.width_px), height: size(clip.height_px) };
        scene.with(|scene| scene.draw(info.screen_size_px, viewport, clip, &look));
    });
    ui.painter().add(egui::PaintCallback { rect, callback: Arc::new(callback) });
}

fn draw_handles(room: &mut Room, ui: &egui::Ui, rect: Rect, handles: &[Handle], pointer: Option<Pos2>) {
    let (theme, painter, ppp) = (room.theme.clone(), ui.painter().clone(), ui.ctx().pixels_per_point());
    let c = &theme.colours;
    let Some(centre) = handles.first().map(|h| h.at) else { return };
    let held = room.grip;
    let Some(normal) = room.cutting.as_ref().map(|cut| cut.plane().normal) else { return };
    if let Some(look) = room.look(ppp) {
        let corners = look.corners.map(|p| room.orbit.screen(rect, p));
        for n in 0..4_usize {
            painter.line_segment([corners[n], corners[(n + 1) % 4]], Stroke::new(1.0, c.accent));
        }
    }
    // An arrow towards the side that is taken away.
    let seen = room.orbit.vector(normal);
    let arrow = seen / seen.length().max(1e-6) * (seen.length() * room.orbit.mm_per_point as f32 * 64.0).max(0.0);
    if arrow.length() > 26.0 {
        let tip = centre + arrow;
        overlay::line(&painter, &theme, [centre, tip], Stroke::new(2.0, c.overlay_text));
        let (back, side) = (arrow.normalized() * 12.0, arrow.normalized().rot90() * 6.0);
        let head = vec![tip + back * 0.4, tip - back + side, tip - back - side];
        painter.add(egui::Shape::convex_polygon(head, c.overlay_text, Stroke::new(1.0, c.overlay_halo)));
        let word = key::PLANNING_REMOVED.get(room.lang);
        overlay::text(&painter, &theme, tip + back * 1.6, Align2::CENTER_CENTER, word, Theme::font(theme.sizes.body), c.overlay_text);
    }
    for handle in handles {
        let is_lit =
            held == Some(handle.grip) || (held.is_none() && pointer.is_some_and(|p| p.distance(handle.at) <= theme.size.touch / 2.0));
        knob(&painter, &theme, handle.at, matches!(handle.grip, Grip::Move), is_lit);
        room.layout.point("handles", handle.name, handle.at, ppp);
    }
    room.layout.rect("view", "rect", rect, ppp);
}

fn knob(painter: &Painter, theme: &Theme, at: Pos2, is_move: bool, is_lit: bool) {
    let c = &theme.colours;
    let radius = if is_move { 13.0 } else { 9.0 } + if is_lit { 2.0 } else { 0.0 };
    painter.circle_filled(at, radius + 2.0, c.overlay_halo);
    painter.circle(at, radius, if is_lit { c.text } else { c.accent }, Stroke::new(1.5, c.on_accent));
    let mark = Stroke::new(1.8, c.on_accent);
    if is_move {
        painter.line_segment([at - vec2(0.0, 6.5), at + vec2(0.0, 6.5)], mark);
        for s in [-1.0, 1.0] {
            painter.line_segment([at + vec2(0.0, 6.5 * s), at + vec2(-3.0, 3.2 * s)], mark);
            painter.line_segment([at + vec2(0.0, 6.5 * s), at + vec2(3.0, 3.2 * s)], mark);
        }
    } else {
        painter.circle_stroke(at, 3.6, mark);
    }
}

/// Identity, letters, scale, cube.
fn words(room: &mut Room, ui: &egui::Ui, rect: Rect) {
    let (theme, painter) = (room.theme.clone(), ui.painter().clone());
    let State::Ready(case) = &room.state else { return };
    let label = room.part().map(|part| part.label.clone()).unwrap_or_default();
    let mut right = overlay::study_lines(&case.header, room.lang);
    right.push(Line::plain(label));
    let corners = Corners { top_left: overlay::patient_lines(&case.header, room.lang), top_right: right, ..Default::default() };
    overlay::corners(&painter, &theme, rect, &corners);
    frame(&painter, &theme, rect, &room.orbit);
    let ppp = ui.ctx().pixels_per_point();
    for face in cube_faces(&room.orbit, rect) {
        room.layout.point("cube", &face.letter.to_string(), face.centre(), ppp);
    }
}

/// Letters at the edges, a scale bar and the cube: what a picture for the report has as well.
pub(super) fn frame(painter: &Painter, theme: &Theme, rect: Rect, orbit: &Orbit) {
    let (right, down, _) = orbit.axes();
    let inner = rect.shrink(10.0);
    let edges = [
        (-right, inner.left_center(), Align2::LEFT_CENTER),
        (right, inner.right_center(), Align2::RIGHT_CENTER),
        (-down, inner.center_top(), Align2::CENTER_TOP),
        (down, inner.center_bottom(), Align2::CENTER_BOTTOM),
    ];
    for (direction, at, align) in edges {
        overlay::text(painter, theme, at, align, &direction.letters(), Theme::font(theme.sizes.title), theme.colours.orientation);
    }
    // Above the letter of the lower edge.
    overlay::scale_bar(painter, theme, rect.with_max_y(rect.bottom() - theme.sizes.title), 1.0 / orbit.mm_per_point);
    for face in cube_faces(orbit, rect) {
        face.draw(painter, theme);
    }
}

/// A face of the orientation cube that can be seen.
struct Face {
    letter: char,
    corners: [Pos2; 4],
    light: f32,
}

/// Half of the cube's edge. Units: points.
const CUBE: f64 = 24.0;

fn cube_faces(orbit: &Orbit, rect: Rect) -> Vec<Face> {
    let middle = pos2(rect.left() + 62.0, rect.bottom() - 62.0);
    let (right, down, into) = orbit.axes();
    let place = |p: VectorLps| middle + vec2((p.dot(right) * CUBE) as f32, (p.dot(down) * CUBE) as f32);
    let mut out = Vec::new();
    for (letter, yaw, pitch) in FACES {
        let (u, v, inward) = Orbit { target: PointLps::default(), yaw, pitch, mm_per_point: 1.0 }.axes();
        let facing = inward.dot(into);
        if facing <= 0.02 {
            continue;
        }
        let n = -inward;
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(a, b)| place(n + u * a + v * b));
        out.push(Face { letter, corners, light: facing as f32 });
    }
    out
}

impl Face {
    fn centre(&self) -> Pos2 {
        let sum = self.corners.iter().fold(Vec2::ZERO, |s, c| s + c.to_vec2());
        (sum / 4.0).to_pos2()
    }

    fn draw(&self, painter: &Painter, theme: &Theme) {
        let c = &theme.colours;
        let shade = |v: u8| (f32::from(v) * (0.45 + 0.55 * self.light)) as u8;
        let [r, g, b, _] = c.line_strong.to_array();
        let fill = Color32::from_rgba_unmultiplied(shade(r), shade(g), shade(b), 235);
        painter.add(egui::Shape::convex_polygon(self.corners.to_vec(), fill, Stroke::new(1.0, c.overlay_halo)));
        if self.light > 0.25 {
            let size = theme.sizes.title * self.light.clamp(0.6, 1.0);
            overlay::text(painter, theme, self.centre(), Align2::CENTER_CENTER, &self.letter.to_string(), Theme::font(size), c.orientation);
        }
    }
}

/// A point lies in a convex polygon.
fn inside(corners: &[Pos2; 4], p: Pos2) -> bool {
    let side = |a: Pos2, b: Pos2| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
    let sides = [0, 1, 2, 3].map(|n: usize| side(corners[n], corners[(n + 1) % 4]));
    sides.iter().all(|&s| s >= 0.0) || sides.iter().all(|&s| s <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_follows_the_hand() {
        let mut orbit = Orbit::around(PointLps::default(), PointLps::new(100.0, 100.0, 100.0), 400.0);
        orbit.turn(vec2(70.0, 40.0));
        for normal in [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 0.6, 0.8)] {
            let way = orbit.vector(normal * 12.0);
            assert!((along_normal(&orbit, normal, way) - 12.0).abs() < 1e-3);
        }
        // End-on, a hand that goes up pushes the plane away from the viewer when its normal points there.
        let (_, _, into) = orbit.axes();
        assert!(along_normal(&orbit, into, vec2(0.0, -10.0)) > 0.0 && along_normal(&orbit, -into, vec2(0.0, -10.0)) < 0.0);
    }

    #[test]
    fn the_cube_shows_the_face_one_looks_at() {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 300.0));
        let mut orbit = Orbit::around(PointLps::default(), PointLps::new(1.0, 1.0, 1.0), 300.0);
        for (letter, ..) in FACES {
            orbit.look_from(letter);
            let faces = cube_faces(&orbit, rect);
            assert_eq!(faces.iter().map(|f| f.letter).collect::<Vec<_>>(), [letter]);
            assert!(inside(&faces[0].corners, faces[0].centre()));
        }
        orbit.look_from('A');
        orbit.turn(vec2(80.0, 60.0));
        assert_eq!(cube_faces(&orbit, rect).len(), 3);
    }
}
