//! Key images: what the active viewport shows, sealed into the record's inbox.

use crate::overlay::{self, Corners, Line};
use crate::raster::Canvas;
use crate::reading::beside::Side;
use crate::reading::loader::Loaded;
use crate::reading::pane::{Mapping, PaneKind, slice_number};
use crate::reading::presets;
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::reading::shapes;
use crate::ui::fonts;
use crate::{Error, Result};
use egui::{Rect, pos2, vec2};
use mj_imaging::raycast::{self, Camera, Quality, Seen};
use mj_imaging::reslice::{self, MipIndex};
use mj_imaging::{Interpolation, Plane, window};
use mj_lang::key;
use mj_link::ToParent;
use mj_model::{InstanceUid, Lang, Volume};

/// Longer side of a key image. Units: pixels.
const SIDE: usize = 1024;

/// Takes a key image of the active viewport and sends it.
pub(crate) fn take(room: &mut Room) {
    let lang = room.lang;
    match make(room) {
        Ok(message) => {
            room.send(message);
            room.notices.done(key::READING_KEY_IMAGE_TAKEN.get(lang).to_owned());
        }
        Err(e) => room.notices.fail(mj_lang::tell(&e, lang)),
    }
}

fn make(room: &mut Room) -> Result<ToParent> {
    if room.side == Side::Prior {
        return Err(Error::KeyImageOfPrior);
    }
    let keys = room.keys.clone().ok_or(Error::NoKeys)?;
    let ctx = room.paint_ctx.take().unwrap_or_else(|| {
        let ctx = egui::Context::default();
        fonts::install(&ctx);
        ctx
    });
    let drawn = draw(room, &ctx);
    room.paint_ctx = Some(ctx);
    let (canvas, instance, caption) = drawn?;
    let file = keys.put(&canvas.to_png()?, "png")?;
    let study = room.scene.as_ref().map(|s| s.study.clone()).ok_or(Error::NothingToShow)?;
    Ok(ToParent::KeyImage { study, instance, file, caption })
}

/// The picture with letters, scale and measurements; no patient stands on it, the report says whose it is.
fn draw(room: &Room, ctx: &egui::Context) -> Result<(Canvas, InstanceUid, String)> {
    let scene = room.scene.as_ref().ok_or(Error::NothingToShow)?;
    let pane = scene.panes.get(scene.active).ok_or(Error::NothingToShow)?;
    let loaded = scene.loaded(pane.kind).ok_or(Error::NothingToShow)?;
    let volume = scene.volume().ok_or(Error::NothingToShow)?;
    let plane = pane.plane(&volume.grid, scene.crosshair, SIDE, SIDE);
    let graphics = room.has_graphics.then_some(room.theme.colours.overlay_text).map(|c| [c.r(), c.g(), c.b()]);
    let picture = || match (pane.kind, &loaded.mip) {
        (PaneKind::Mip, Some(index)) => MipIndex::project(index, volume, &plane),
        _ => match scene.slab_of(pane.kind) {
            Some(slab) => reslice::slab(volume, &plane, slab.mm, slab.how),
            None => reslice::slice(volume, &plane, Interpolation::Linear),
        },
    };
    let shown = scene.window_of(pane.kind);
    let mut canvas = if pane.kind == PaneKind::Vr {
        solid(scene, volume, loaded, &plane)?
    } else if pane.kind == PaneKind::Native {
        Canvas { width: SIDE, height: SIDE, pixels: presets::drawn(&loaded.parts(), &plane, shown, scene.is_inverted, graphics) }
    } else {
        Canvas::from_grey(SIDE, SIDE, &window::grey(&picture(), shown, scene.is_inverted))
    };
    let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(SIDE as f32, SIDE as f32));
    let map = Mapping { rect, plane, ppp: 1.0 };
    let mut drawn = shapes::drawn(room, scene, scene.active, &map);
    drawn.retain(|shape| !shape.id.is_empty());
    for shape in &mut drawn {
        (shape.look.has_grips, shape.look.is_selected) = (false, false);
    }
    let about: Vec<Line> = about(room.lang, scene, volume, pane.kind).into_iter().map(Line::plain).collect();
    canvas.paint(ctx, |painter, rect| {
        shapes::all(painter, &room.theme, &drawn);
        overlay::corners(painter, &room.theme, rect, &Corners { bottom_left: about.clone(), ..Default::default() });
        if overlay::has_orientation(volume) {
            overlay::letters(painter, &room.theme, rect, &plane);
        }
        if volume.is_calibrated {
            overlay::scale_bar(painter, &room.theme, rect, map.points_per_mm());
        }
    });
    let instance = scene.images_of(&[scene.crosshair]).into_iter().next().ok_or(Error::NothingToShow)?.instance;
    Ok((canvas, instance, caption(room, scene, pane.kind, &map)))
}

/// The volume rendered, sharp.
fn solid(scene: &Scene, volume: &Volume, loaded: &Loaded, plane: &Plane) -> Result<Canvas> {
    let function = scene.solid.function(volume)?;
    let blocks = loaded.mip.as_deref().ok_or(Error::NothingToShow)?.blocks();
    let seen = Seen::new(volume, blocks, &function)?;
    let clip = scene.solid.cut(plane, scene.crosshair);
    let picture = raycast::render(volume, &seen, &Camera::parallel(*plane), clip, Quality::FINAL);
    Ok(Canvas { width: picture.width, height: picture.height, pixels: picture.over_black() })
}

/// Plane, slab, and what must be known of the images; no patient data.
fn about(lang: Lang, scene: &Scene, volume: &Volume, kind: PaneKind) -> Vec<String> {
    let mut parts = vec![kind.text().get(lang).to_owned()];
    parts.extend(scene.slab_of(kind).map(|slab| slab.shown(lang)));
    parts.extend(
        scene.stack().map(|stack| stack.side_and_view(scene.shown.slice)).filter(|text| kind == PaneKind::Native && !text.is_empty()),
    );
    if kind == PaneKind::Vr {
        parts.extend(scene.solid.lines(volume, lang));
    }
    parts.extend(overlay::marks(volume, lang));
    parts
}

/// Plane, slab, marks, position and window in one line.
fn caption(room: &Room, scene: &Scene, kind: PaneKind, map: &Mapping) -> String {
    let lang = room.lang;
    let mut parts = scene.volume().map(|volume| about(lang, scene, volume, kind)).unwrap_or_default();
    if let (PaneKind::Axial | PaneKind::Coronal | PaneKind::Sagittal, Some(grid)) = (kind, scene.grid()) {
        let (n, of) = slice_number(grid, scene.crosshair, map.plane.normal());
        parts.push(key::OVERLAY_SLICE.with(lang, &[("n", &n.to_string()), ("of", &of.to_string())]));
    }
    if kind == PaneKind::Vr {
        return parts.join("  ");
    }
    let shown = scene.window_of(kind);
    let name = room.window_name(scene, shown).unwrap_or_default();
    parts.extend(overlay::window_line(shown, &name, scene.is_colour(), lang));
    parts.join("  ")
}
