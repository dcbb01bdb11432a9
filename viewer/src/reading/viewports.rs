//! The viewports: pictures with what is written on them.

use crate::Result;
use crate::overlay::{self, Corners, Line};
use crate::reading::beside::{Side, link, strips};
use crate::reading::cine;
use crate::reading::gesture::{self, Place};
use crate::reading::maker::{Made, Shapes, Want};
use crate::reading::pane::{Mapping, PaneKind, slice_number};
use crate::reading::room::{Port, Room};
use crate::reading::scene::Scene;
use crate::reading::solid;
use crate::reading::{segments, shapes};
use crate::research;
use crate::ui::Theme;
use egui::{Color32, Painter, Rect, Sense, Stroke, StrokeKind, pos2, vec2};
use mj_imaging::{Interpolation, Plane, oracle};
use mj_lang::key;

/// Gap between viewports. Units: points.
const GAP: f32 = 2.0;

/// Draws all viewports and takes the pointer.
pub(crate) fn show(room: &mut Room, ui: &mut egui::Ui) {
    egui::CentralPanel::no_frame().show(ui, |ui| {
        let all = ui.max_rect();
        // The gap between pictures is dark in every theme, so that nothing bright stands beside an image.
        let gap = if room.scene.is_some() { room.theme.colours.image } else { room.theme.colours.background };
        ui.painter().rect_filled(all, 0.0, gap);
        let ppp = ui.ctx().pixels_per_point();
        let halves = halves(room, snapped(all, ppp));
        let places: Vec<Place> = halves.iter().flat_map(|half| places(room, half)).collect();
        let response = ui.interact(all, egui::Id::unique("reading-viewports"), Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, key::READING_PICTURES.get(room.lang)));
        gesture::take(room, ui, &places);
        link::follow(room, &places, ppp);
        room.on_sides(|room| room.hits.clear());
        room.is_making = false;
        cursor(room, ui, &places);
        for half in &halves {
            let mine: Vec<Place> = places.iter().filter(|place| place.side == half.side).copied().collect();
            room.on_side(half.side, |room| side(room, ui, half, &mine));
            if room.is_compared() {
                strips::show(room, ui, half.side, half.outside);
            }
        }
    });
}

/// The pictures of one study.
fn side(room: &mut Room, ui: &mut egui::Ui, half: &Half, places: &[Place]) {
    // Whose pictures they are is known before they are drawn.
    let is_shown = half.side == Side::Current || room.is_prior_known();
    for place in places.iter().filter(|_| is_shown) {
        viewport(room, ui, *place);
    }
    if !is_shown || !has_picture(room) {
        empty(room, ui, half.inside);
    }
    progress(room, ui, half.inside);
    if let Some(first) = places.first().filter(|_| is_shown) {
        warnings(room, ui, first.rect);
    }
}

/// The part of the window that one study has.
struct Half {
    side: Side,
    /// With its strip and its frame.
    outside: Rect,
    inside: Rect,
}

/// The current study at the left, the prior at the right; or the current one alone.
fn halves(room: &Room, all: Rect) -> Vec<Half> {
    if !room.is_compared() {
        return vec![Half { side: Side::Current, outside: all, inside: all }];
    }
    let w = ((all.width() - GAP) / 2.0).floor();
    let half = |side: Side| {
        let left = if side == Side::Current { all.left() } else { all.left() + w + GAP };
        let outside = Rect::from_min_size(pos2(left, all.top()), vec2(w, all.height()));
        Half { side, outside, inside: strips::inside(outside) }
    };
    Side::BOTH.map(half).into()
}

fn has_picture(room: &Room) -> bool {
    room.scene.as_ref().is_some_and(|s| s.volume().is_some())
}

/// Rectangles on whole physical pixels, so that pictures are shown pixel by pixel.
fn snapped(rect: Rect, ppp: f32) -> Rect {
    let on = |v: f32| (v * ppp).round() / ppp;
    Rect::from_min_max(pos2(on(rect.min.x), on(rect.min.y)), pos2(on(rect.max.x), on(rect.max.y)))
}

fn places(room: &Room, half: &Half) -> Vec<Place> {
    let (side, all) = (half.side, half.inside);
    let Some(scene) = room.scene_of(side) else { return Vec::new() };
    if scene.panes.len() == 1 {
        return vec![Place { side, pane: 0, rect: all }];
    }
    // Both sides enlarge what the one that is worked on does.
    if let Some(pane) = room.scene_of(room.active).and_then(|scene| scene.enlarged).filter(|pane| *pane < scene.panes.len()) {
        return vec![Place { side, pane, rect: all }];
    }
    if room.is_compared() {
        return beside_each_other(side, all);
    }
    let (w, h) = (((all.width() - GAP) / 2.0).floor(), ((all.height() - GAP) / 2.0).floor());
    let at = |pane: usize| {
        let (x, y) = (if pane % 2 == 1 { all.min.x + w + GAP } else { all.min.x }, if pane >= 2 { all.min.y + h + GAP } else { all.min.y });
        let right = if pane % 2 == 1 { all.max.x } else { x + w };
        let bottom = if pane >= 2 { all.max.y } else { y + h };
        Place { side, pane, rect: Rect::from_min_max(pos2(x, y), pos2(right, bottom)) }
    };
    (0..scene.panes.len().min(4)).map(at).collect()
}

/// The axial plane over the other two; a look through the volume is seen enlarged.
fn beside_each_other(side: Side, all: Rect) -> Vec<Place> {
    let (w, h) = (((all.width() - GAP) / 2.0).floor(), (all.height() * 0.58).floor());
    let below = all.top() + h + GAP;
    let rects = [
        Rect::from_min_size(all.min, vec2(all.width(), h)),
        Rect::from_min_max(pos2(all.left(), below), pos2(all.left() + w, all.bottom())),
        Rect::from_min_max(pos2(all.left() + w + GAP, below), all.max),
    ];
    rects.into_iter().enumerate().map(|(pane, rect)| Place { side, pane, rect }).collect()
}

fn cursor(room: &Room, ui: &egui::Ui, places: &[Place]) {
    use crate::reading::action::Tool;
    use egui::CursorIcon;
    let Some(at) = room.pointer.filter(|&p| places.iter().any(|place| place.rect.contains(p))) else { return };
    if room.blocked.iter().any(|r| r.contains(at)) {
        return;
    }
    ui.ctx().set_cursor_icon(match room.tool {
        Tool::Point | Tool::Window => CursorIcon::Default,
        Tool::Scroll => CursorIcon::ResizeVertical,
        Tool::Zoom => CursorIcon::ZoomIn,
        Tool::Pan => CursorIcon::Grab,
        _ => CursorIcon::Crosshair,
    });
}

fn viewport(room: &mut Room, ui: &egui::Ui, place: Place) {
    let painter = ui.painter_at(place.rect);
    let ppp = ui.ctx().pixels_per_point();
    let map = gesture::mapping(room, place.pane, place.rect, ppp);
    let kind = room.scene.as_ref().and_then(|s| s.panes.get(place.pane)).map_or(PaneKind::Native, |p| p.kind);
    let name = if room.side == Side::Prior { format!("prior_{}", kind.name()) } else { kind.name().to_owned() };
    room.layout.pane(&name, place.rect, map.as_ref().map(|m| &m.plane), ppp);
    let background = room.theme.colours.image;
    let Some(map) = map else {
        painter.rect_filled(place.rect, 0.0, background);
        return;
    };
    segments::prepare(room, place.pane, &map);
    let (made, failed) = match make(room, ui, place.pane, &map) {
        Ok(made) => (made, None),
        Err(e) => (None, Some(mj_lang::tell(&e, room.lang))),
    };
    room.is_making |= made.as_ref().is_none_or(|made| !made.is_final || made.plane != map.plane) && failed.is_none();
    // Where a picture covers all, nothing is painted under it: without a graphics card every layer costs.
    if made.is_none_or(|made| made.plane != map.plane) {
        painter.rect_filled(place.rect, 0.0, background);
    }
    if let Some(made) = made {
        paint_picture(&painter, &map, &made);
        if let (PaneKind::Native, Some(loaded)) = (kind, room.scene.as_ref().and_then(|s| s.loaded(kind)).cloned()) {
            let graphics = room.has_graphics.then_some(room.theme.colours.overlay_text);
            let slot = room.slot(place.pane);
            room.covers.paint(&painter, slot, &loaded, &map, graphics);
        }
        segments::paint_fills(room, &painter, place.pane, &map);
        room.picture_shown();
        if !made.is_final {
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(60));
        }
    } else if let Some(told) = failed {
        centred(room, &painter, place.rect, &format!("{}\n{}", told.message, told.hint));
    } else if room.scene.as_ref().is_some_and(|s| s.volume().is_some()) {
        centred(room, &painter, place.rect, key::READING_LOADING.get(room.lang));
    }
    over(room, ui, &painter, place, kind, &map, made.is_some());
}

/// What is said in place of a picture.
fn centred(room: &Room, painter: &Painter, rect: Rect, text: &str) {
    let (font, colour) = (Theme::font(room.theme.sizes.body), room.theme.colours.text_secondary);
    let mut job = egui::text::LayoutJob::simple(text.to_owned(), font, colour, (rect.width() - 48.0).max(80.0));
    job.halign = egui::Align::Center;
    let galley = painter.layout_job(job);
    let at = pos2(rect.center().x, rect.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, colour);
}

fn make(room: &mut Room, ui: &egui::Ui, pane: usize, map: &Mapping) -> Result<Option<Made>> {
    let is_moving = room.is_moving();
    let Some(scene) = room.scene.as_ref() else { return Ok(None) };
    let Some(kind) = scene.panes.get(pane).map(|p| p.kind) else { return Ok(None) };
    let Some(loaded) = scene.loaded(kind).cloned() else { return Ok(None) };
    let solid = if kind == PaneKind::Vr {
        Some(Shapes { function: scene.solid.function(&loaded.volume)?, clip: scene.solid.cut(&map.plane, scene.crosshair) })
    } else {
        None
    };
    let want = Want {
        plane: map.plane,
        is_mip: kind == PaneKind::Mip,
        solid,
        slab: scene.slab_of(kind),
        window: scene.window_of(kind).clone(),
        is_inverted: scene.is_inverted,
        is_moving,
    };
    let slot = room.slot(pane);
    Ok(room.maker.make(ui.ctx(), slot, &loaded, &want))
}

/// Puts a picture where it belongs: exactly over the viewport when it is the one asked for, else where its
/// plane lies in it.
fn paint_picture(painter: &Painter, map: &Mapping, made: &Made) {
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    let same = made.plane == map.plane;
    let rect = if same {
        map.rect
    } else {
        // What was turned since is shown as it was, moved and magnified only.
        let placed = Plane { right: map.plane.right, down: map.plane.down, ..made.plane };
        let corner = |x: f64, y: f64| map.screen(placed.lps_from_pixel([x, y]));
        Rect::from_min_max(corner(-0.5, -0.5), corner(made.plane.width as f64 - 0.5, made.plane.height as f64 - 0.5))
    };
    painter.image(made.texture, rect, uv, Color32::WHITE);
}

/// Everything over a picture.
fn over(room: &mut Room, ui: &egui::Ui, painter: &Painter, place: Place, kind: PaneKind, map: &Mapping, has_picture: bool) {
    let Some(scene) = &room.scene else { return };
    let is_calibrated = scene.volume().is_some_and(|v| v.is_calibrated);
    let has_orientation = scene.volume().is_some_and(overlay::has_orientation);
    if has_picture && room.has_crosshair && kind != PaneKind::Native {
        overlay::crosshair(painter, &room.theme, place.rect, map.screen(scene.crosshair));
    }
    let drawn = shapes::drawn(room, scene, place.pane, map);
    let corners = corners(room, scene, kind, map, place.rect, ui);
    if has_picture {
        shapes::paint(room, painter, place.pane, &drawn);
    }
    if room.has_overlay {
        overlay::corners(painter, &room.theme, place.rect, &corners);
        if has_orientation {
            overlay::letters(painter, &room.theme, place.rect, &map.plane);
        }
        if is_calibrated && has_picture && !is_small(room, place.rect) {
            overlay::scale_bar(painter, &room.theme, place.rect, map.points_per_mm());
        }
    }
    let Some(scene) = &room.scene else { return };
    let is_active = scene.active == place.pane && room.active == room.side;
    if is_active && (room.is_compared() || (scene.panes.len() > 1 && scene.enlarged.is_none())) {
        painter.rect_stroke(place.rect, 0.0, Stroke::new(1.0, room.theme.colours.accent.gamma_multiply(0.7)), StrokeKind::Inside);
    }
}

fn corners(room: &Room, scene: &Scene, kind: PaneKind, map: &Mapping, rect: Rect, ui: &egui::Ui) -> Corners {
    let lang = room.lang;
    let Some(volume) = scene.volume() else { return Corners::default() };
    let mut corners = Corners::default();
    if let Some(header) = scene.header() {
        corners.top_left = overlay::patient_lines(header, lang);
        corners.top_right = overlay::study_lines(header, lang);
    } else if let Some(path) = scene.entry().and_then(|e| e.research.as_ref()) {
        corners.top_left = research::patient_lines(lang);
        corners.top_right = research::study_lines(path);
    }
    if room.is_compared() {
        mark_side(room, &mut corners, rect);
    }
    let unit = volume.unit.label();
    let shown = scene.window_of(kind);
    if !kind.is_through() {
        corners.bottom_left.extend(hover_line(room, scene, map, rect, unit));
    }
    let mut title = kind.text().get(lang).to_owned();
    if let Some(slab) = scene.slab_of(kind).map(|slab| slab.shown(lang)) {
        title = format!("{title}  {slab}");
    }
    let block = scene.block_name(lang);
    if !block.is_empty() {
        corners.bottom_left.push(Line::plain(block));
    }
    corners.bottom_left.push(Line::quiet(title));
    if kind == PaneKind::Vr {
        let can_be = solid::can_be_drawn(volume).is_ok();
        corners.bottom_left.extend(scene.solid.lines(volume, lang).into_iter().filter(|_| can_be).map(Line::plain));
    } else {
        let name = room.window_name(scene, shown).unwrap_or_default();
        corners.bottom_left.extend(overlay::window_line(shown, &name, scene.is_colour(), lang).map(Line::plain));
    }
    let zoom = 1.0 / (map.plane.mm_per_pixel / base_spacing(volume));
    corners.bottom_right.push(Line::quiet(key::OVERLAY_ZOOM.with(lang, &[("percent", &format!("{:.0}", zoom * 100.0))])));
    match kind {
        PaneKind::Mip | PaneKind::Vr => {}
        PaneKind::Native => {
            let (n, of) = (scene.shown.slice + 1, scene.n_slices().max(1));
            if let Some(fps) = cine::speed(room).filter(|_| room.player.is_playing()) {
                corners.bottom_right.push(Line::plain(key::OVERLAY_CINE.with(lang, &[("fps", &format!("{fps:.1}"))])));
            }
            corners.bottom_right.push(Line::plain(key::OVERLAY_IMAGE.with(lang, &[("n", &n.to_string()), ("of", &of.to_string())])));
            corners.bottom_left.splice(0..0, overlay::marks(volume, lang).into_iter().map(Line::quiet));
            let side = scene.stack().map(|stack| stack.side_and_view(scene.shown.slice)).filter(|text| !text.is_empty());
            corners.top_right.extend(side.map(|text| Line { text, weight: overlay::Weight::Lead }));
        }
        _ => {
            let whole = scene.shown.full.as_ref().map_or(&volume.grid, |l| &l.volume.grid);
            if scene.shown.full.is_some() {
                let (n, of) = slice_number(whole, scene.crosshair, map.plane.normal());
                corners.bottom_right.push(Line::plain(key::OVERLAY_SLICE.with(lang, &[("n", &n.to_string()), ("of", &of.to_string())])));
            } else if scene.stack().is_some() && scene.loaded(kind).is_some() {
                let (n, of) = (scene.shown.slice + 1, scene.n_slices().max(1));
                corners.bottom_right.push(Line::plain(key::OVERLAY_IMAGE.with(lang, &[("n", &n.to_string()), ("of", &of.to_string())])));
            }
            if overlay::has_orientation(volume) {
                corners.bottom_right.push(Line::plain(position(map, scene)));
            }
        }
    }
    if let Some(note) = room.maker_note.filter(|_| is_first(room, rect, ui)) {
        corners.top_right.push(Line::quiet(note.get(lang)));
    }
    if matches!(room.port, Port::Alone) && is_first(room, rect, ui) {
        corners.top_right.push(Line::quiet(key::READING_ALONE.get(lang)));
    }
    corners
}

/// True for a picture beside others that has room for little text.
fn is_small(room: &Room, rect: Rect) -> bool {
    const SMALL: f32 = 340.0;
    room.is_compared() && rect.width() < SMALL
}

/// Says on each picture of the prior that it is one. On small pictures nothing else stands above: whose they are stands on the
/// large one.
fn mark_side(room: &Room, corners: &mut Corners, rect: Rect) {
    let is_small = is_small(room, rect);
    if is_small {
        (corners.top_left, corners.top_right) = (Vec::new(), Vec::new());
    }
    if room.side == Side::Prior {
        let weight = if is_small { overlay::Weight::Plain } else { overlay::Weight::Lead };
        corners.top_right.insert(0, Line { text: strips::mark(room), weight });
    }
}

/// The smaller spacing of the stored image, which a magnification of 100 % shows one to one.
fn base_spacing(volume: &mj_model::Volume) -> f64 {
    volume.grid.spacing_mm[0].min(volume.grid.spacing_mm[1])
}

/// True for the viewport at the top right, or the only one.
fn is_first(room: &Room, rect: Rect, ui: &egui::Ui) -> bool {
    let all = ui.max_rect();
    room.scene.as_ref().is_some_and(|s| s.panes.len() == 1 || s.enlarged.is_some())
        || (rect.right() > all.right() - 4.0 && rect.top() < all.top() + strips::HEIGHT + 4.0)
}

/// Position of the plane along its normal, as people say it: `S 12.5 mm`, `L -3.0 mm`.
fn position(map: &Mapping, scene: &Scene) -> String {
    let normal = map.plane.normal();
    let p: [f64; 3] = scene.crosshair.into();
    let n: [f64; 3] = normal.into();
    let axis = (0..3).max_by(|&a, &b| n[a].abs().total_cmp(&n[b].abs())).unwrap_or(2);
    format!("{} {:.1}\u{2009}mm", ["X", "Y", "Z"][axis], p[axis])
}

/// Value and position under the pointer, from the CPU in `f64`.
fn hover_line(room: &Room, scene: &Scene, map: &Mapping, rect: Rect, unit: &str) -> Option<Line> {
    let at = room.pointer.filter(|p| rect.contains(*p))?;
    let volume = scene.volume()?;
    let p = map.lps(at);
    let value = match scene.loaded(PaneKind::Native).and_then(|l| l.colour.as_ref()).filter(|_| !scene.is_volume()) {
        // Of an image in colour the colour, not its luminance.
        Some(colour) => {
            let [i, j, _] = colour.grid.voxel_from_lps(p).map(|v| (v + 0.5).floor());
            let [r, g, b] = (i >= 0.0 && j >= 0.0).then(|| colour.at(i as usize, j as usize)).flatten()?;
            format!("R {r}  G {g}  B {b}")
        }
        None => overlay::value(oracle::value_at(volume, p, Interpolation::Nearest)?),
    };
    let is_measured = volume.grid.nearest_voxel(p).is_none_or(|v| !volume.is_padding(v));
    let value = if is_measured { value } else { "–".to_owned() };
    let unit = if scene.is_colour() || !is_measured { "" } else { unit };
    // Positions in the patient only where the image has one; else column and row.
    let space = if overlay::has_orientation(volume) {
        format!("({:.1}, {:.1}, {:.1})\u{2009}mm", p.x, p.y, p.z)
    } else {
        let [i, j, _] = volume.grid.voxel_from_lps(p);
        format!("({i:.0}, {j:.0})\u{2009}px")
    };
    let unit = if unit.is_empty() { String::new() } else { format!("\u{2009}{unit}") };
    Some(Line::plain(format!("{value}{unit}  {space}")))
}

/// Nothing to show: says why and what to do.
fn empty(room: &Room, ui: &egui::Ui, all: Rect) {
    let lang = room.lang;
    let error = room.scene.as_ref().and_then(|s| s.shown.error.clone());
    let (title, hint, colour) = match (&room.scene, error) {
        (_, Some(told)) => (told.message, told.hint, room.theme.colours.contradicted),
        (Some(_), None) => (key::READING_LOADING.get(lang).to_owned(), String::new(), room.theme.colours.text_secondary),
        (None, None) if room.is_searching => {
            (key::READING_SEARCHING.get(lang).to_owned(), String::new(), room.theme.colours.text_secondary)
        }
        (None, None) => (key::READING_EMPTY.get(lang).to_owned(), key::READING_EMPTY_HINT.get(lang).to_owned(), room.theme.colours.text),
    };
    let rect = Rect::from_center_size(all.center(), vec2((all.width() - 64.0).clamp(120.0, 560.0), 160.0));
    let painter = ui.painter();
    let galley = painter.layout(title, Theme::font(room.theme.sizes.title), colour, rect.width());
    let at = pos2(rect.center().x - galley.size().x / 2.0, rect.center().y - galley.size().y);
    painter.galley(at, galley, colour);
    let galley = painter.layout(hint, Theme::font(room.theme.sizes.body), room.theme.colours.text_secondary, rect.width());
    painter.galley(pos2(rect.center().x - galley.size().x / 2.0, rect.center().y + 12.0), galley, room.theme.colours.text_secondary);
}

/// A thin line at the top while the rest is loading.
fn progress(room: &Room, ui: &egui::Ui, all: Rect) {
    let Some((done, total)) = room.scene.as_ref().and_then(|s| s.shown.progress) else { return };
    let share = (done as f32 / total.max(1) as f32).clamp(0.0, 1.0);
    let line = Rect::from_min_size(all.min, vec2(all.width(), 2.0));
    ui.painter().rect_filled(line, 0.0, room.theme.colours.line);
    ui.painter().rect_filled(Rect::from_min_size(line.min, vec2(line.width() * share, 2.0)), 0.0, room.theme.colours.accent);
}

/// Warnings about the data stand on the picture until the reader dismisses them.
fn warnings(room: &mut Room, ui: &mut egui::Ui, all: Rect) {
    let lang = room.lang;
    let Some((scene, entry)) = room.scene.as_ref().and_then(|scene| Some((scene, scene.entry()?))) else { return };
    let standing: Vec<(String, String)> =
        scene.warnings().filter(|w| !entry.dismissed.contains(&w.code)).map(|w| (w.code.clone(), mj_lang::warning(w, lang))).collect();
    if standing.is_empty() || !has_picture(room) {
        return;
    }
    // Between the corners of the first picture, above its scale bar, so that nothing of who and where is covered.
    let width = (all.width() - 360.0).clamp(220.0, 520.0);
    let (mut dismissed, mut blocked) = (None, Vec::new());
    let mut bottom = all.bottom() - 46.0;
    for (code, text) in standing.into_iter().rev() {
        let colours = &room.theme.colours;
        let galley = ui.painter().layout(text, Theme::font(room.theme.sizes.small), colours.text, width - 76.0);
        let size = vec2(width.min(galley.size().x + 76.0), galley.size().y + 12.0);
        let rect = Rect::from_min_size(pos2(all.center().x - size.x / 2.0, bottom - size.y), size);
        ui.painter().rect(rect, 4.0, colours.panel.gamma_multiply(0.94), Stroke::new(1.0, colours.stale), StrokeKind::Inside);
        let icon = Rect::from_min_size(rect.min, vec2(30.0, rect.height()));
        crate::ui::icons::paint(ui.painter(), crate::ui::icons::Icon::Warning, icon, colours.stale, 14.0, 1.4);
        ui.painter().galley(pos2(rect.left() + 30.0, rect.top() + 6.0), galley, colours.text);
        let close = Rect::from_min_size(pos2(rect.right() - 28.0, rect.top()), vec2(28.0, rect.height()));
        let response = ui
            .interact(close, egui::Id::unique(("dismiss", room.side == Side::Prior, &code)), Sense::click())
            .on_hover_text(key::READING_DISMISS.get(lang));
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, key::READING_DISMISS.get(lang)));
        let tint = if response.hovered() { colours.text } else { colours.text_secondary };
        crate::ui::icons::paint(ui.painter(), crate::ui::icons::Icon::Close, close, tint, 10.0, 1.4);
        if response.clicked() {
            dismissed = Some(code);
        }
        blocked.push(rect);
        bottom = rect.top() - 4.0;
    }
    room.blocked.extend(blocked);
    if let (Some(code), Some(scene)) = (dismissed, &mut room.scene)
        && let Some(entry) = scene.series.get_mut(scene.current)
    {
        entry.dismissed.insert(code);
    }
}
