//! Three slices through the plane's point: images, the segment's two sides, the plane's line.

use super::room::Room;
use super::{case, room};
use crate::overlay::{self, Corners, Line};
use egui::{Color32, ColorImage, Rect, Stroke, TextureHandle, TextureOptions, pos2, vec2};
use mj_imaging::{Interpolation, Picture, Plane, reslice, window};
use mj_lang::{Text, key};
use mj_model::plan::CutPlane;
use mj_model::{PointLps, VectorLps, Window};

/// Width of the column of slices. Units: points.
const WIDTH: f32 = 236.0;

/// The slices' pictures, made when the plane has moved.
#[derive(Default)]
pub(super) struct Slices {
    made: [Option<Made>; 3],
}

struct Made {
    size: [usize; 2],
    plane: Plane,
    texture: TextureHandle,
}

impl Slices {
    /// The plane or the images are others.
    pub(super) fn forget(&mut self) {
        for made in self.made.iter_mut().flatten() {
            made.size = [0, 0];
        }
    }
}

/// Draws the column; does nothing in a narrow window.
pub(super) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let width = if room.is_swapped { (ui.max_rect().width() * 0.5).max(WIDTH) } else { WIDTH };
    let frame = egui::Frame::new().fill(room.theme.colours.background);
    egui::Panel::left("planning-slices").exact_size(width).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        let all = ui.max_rect();
        let gap = 2.0;
        let height = (all.height() - 2.0 * gap) / 3.0;
        for n in 0..3_u8 {
            let top = all.top() + f32::from(n) * (height + gap);
            let rect = Rect::from_min_size(pos2(all.left(), top), vec2(all.width() - gap, height));
            one(room, ui, n.into(), rect);
        }
    });
}

fn title(n: usize) -> Text {
    match n {
        0 => key::READING_PANE_AXIAL,
        1 => key::READING_PANE_CORONAL,
        _ => key::READING_PANE_SAGITTAL,
    }
}

fn one(room: &mut Room, ui: &egui::Ui, n: usize, rect: Rect) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 0.0, room.theme.colours.image);
    let ppp = ui.ctx().pixels_per_point();
    let size = [(rect.width() * ppp) as usize, (rect.height() * ppp) as usize];
    if size[0] < 8 || size[1] < 8 {
        return;
    }
    if room.slices.made[n].as_ref().is_none_or(|made| made.size != size)
        && let Some((plane, image)) = make(room, n, size)
    {
        let options = TextureOptions::LINEAR;
        match &mut room.slices.made[n] {
            Some(made) => {
                made.texture.set(image, options);
                (made.size, made.plane) = (size, plane);
            }
            empty => *empty = Some(Made { size, plane, texture: ui.ctx().load_texture(format!("planning-slice-{n}"), image, options) }),
        }
    }
    let Some(made) = &room.slices.made[n] else { return };
    painter.image(made.texture.id(), rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
    if let Some(cutting) = &room.cutting {
        trace(&painter, room, &made.plane, rect, &cutting.plane());
    }
    overlay::letters(&painter, &room.theme, rect, &made.plane);
    let corners = Corners { top_left: vec![Line::plain(title(n).get(room.lang))], ..Default::default() };
    overlay::corners(&painter, &room.theme, rect, &corners);
}

/// Where the cutting plane crosses the slice.
fn trace(painter: &egui::Painter, room: &Room, slice: &Plane, rect: Rect, cut: &CutPlane) {
    let Some(way) = slice.normal().cross(cut.normal).unit() else { return };
    // The point of the slice nearest to the plane's point that lies on the plane.
    let across = way.cross(slice.normal());
    let slope = across.dot(cut.normal);
    if slope.abs() < 0.05 {
        return;
    }
    let on_slice = cut.point + slice.normal() * -slice.depth_mm(cut.point);
    let start = on_slice + across * ((cut.point - on_slice).dot(cut.normal) / slope);
    let scale = rect.width() / slice.width.max(1) as f32;
    let place = |p: PointLps| {
        let [x, y] = slice.pixel_from_lps(p);
        rect.min + vec2((x as f32 + 0.5) * scale, (y as f32 + 0.5) * scale)
    };
    let far = slice.mm_per_pixel * slice.width.max(slice.height) as f64;
    overlay::line(painter, &room.theme, [place(start + way * far), place(start + way * -far)], Stroke::new(1.5, room.theme.colours.accent));
}

fn make(room: &Room, n: usize, [width, height]: [usize; 2]) -> Option<(Plane, ColorImage)> {
    let (part, cut) = (room.part()?, room.cutting.as_ref()?.plane());
    let grid = &part.mask.grid;
    let plane = match n {
        0 => Plane::axial(grid, cut.point, width, height),
        1 => Plane::coronal(grid, cut.point, width, height),
        _ => Plane::sagittal(grid, cut.point, width, height),
    };
    let mut plane = plane.fitted(grid);
    plane.mm_per_pixel *= 1.25;
    let (grey, window) = match &room.volume {
        Some(volume) => (reslice::slice(volume, &plane, Interpolation::Linear), case::window_of(volume)),
        None => (Picture::blank(width, height), Window::linear(0.5, 1.0, "")),
    };
    let grey = window::grey(&grey, &window, room.volume.as_ref().is_some_and(|v| v.is_inverted));
    let inside = part.on(&plane);
    Some((plane, tinted(room, &plane, &grey, &inside, &cut)))
}

/// The grey picture with the segment's sides laid over it.
fn tinted(room: &room::Room, plane: &Plane, grey: &[u8], inside: &Picture, cut: &CutPlane) -> ColorImage {
    let (kept, removed) = (room.theme.colours.plan_kept, room.theme.colours.plan_removed);
    let slope = |d: VectorLps| (d.dot(cut.normal) * plane.mm_per_pixel) as f32;
    let (across, down) = (slope(plane.right), slope(plane.down));
    let first = (plane.lps_from_pixel([0.0, 0.0]) - cut.point).dot(cut.normal) as f32;
    let pixels = grey.iter().zip(&inside.values).enumerate().map(|(at, (&g, &part))| {
        // NaN, far outside, compares as false.
        if part < 0.5 || part.is_nan() {
            return Color32::from_gray(g);
        }
        let (x, y) = (at % plane.width, at / plane.width);
        let side = first + across * x as f32 + down * y as f32;
        let colour = if side > 0.0 { removed } else { kept };
        // Stronger at the rim, so that the images stay readable inside.
        let weight = if part < 0.75 { 0.85 } else { 0.38 };
        let mix = |c: u8| (f32::from(c) * weight + f32::from(g) * (1.0 - weight)) as u8;
        Color32::from_rgb(mix(colour.r()), mix(colour.g()), mix(colour.b()))
    });
    ColorImage::new([plane.width, plane.height], pixels.collect())
}
