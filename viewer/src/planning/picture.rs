//! A picture of the plan for the report, sealed into the record's inbox.

use super::room::Room;
use super::view;
use crate::overlay::{self, Corners, Line};
use crate::raster::Canvas;
use crate::ui::{Theme, fonts};
use crate::{Error, Result};
use mj_lang::key;
use mj_link::ToParent;
use mj_model::{InstanceUid, VectorLps};

/// Size. Units: pixels.
const SIZE: (u32, u32) = (1200, 900);

/// Takes the picture and sends it.
pub(super) fn take(room: &mut Room) {
    match make(room) {
        Ok(message) => {
            room.send(message);
            room.done(key::PLANNING_PICTURE_TAKEN.get(room.lang).to_owned());
        }
        Err(e) => room.told(&e),
    }
}

fn make(room: &Room) -> Result<ToParent> {
    let keys = room.keys.as_ref().ok_or(Error::NoKeys)?;
    let study = room.study.clone().ok_or(Error::StudyNotOpen)?;
    let canvas = draw(room)?;
    let file = keys.put(&canvas.to_png()?, "png")?;
    Ok(ToParent::KeyImage { study, instance: instance(room)?, file, caption: caption(room) })
}

/// The image at the plane's point, or the segmentation where no images are open.
fn instance(room: &Room) -> Result<InstanceUid> {
    let plane = room.cutting.as_ref().ok_or(Error::NothingToShow)?.plane();
    let near = room.volume.as_ref().and_then(|volume| {
        let [_, _, k] = volume.grid.voxel_from_lps(plane.point);
        let last = volume.sources.len().checked_sub(1)?;
        volume.sources.get((k.round().max(0.0) as usize).min(last)).map(|s| s.instance.clone())
    });
    match (near, &room.state) {
        (Some(instance), _) => Ok(instance),
        (None, super::room::State::Ready(case)) => Ok(case.header.instance.clone()),
        (None, _) => Err(Error::NothingToShow),
    }
}

/// The scene with letters, scale and numbers; no patient stands on it, the report says whose it is.
pub(super) fn draw(room: &Room) -> Result<Canvas> {
    let (width, height) = SIZE;
    let mut look = room.look(1.0).ok_or(Error::NothingToShow)?;
    // What the window shows, at the picture's size.
    let part = room.part().ok_or(Error::NothingToShow)?;
    let fitted = super::orbit::Orbit::around(part.extent.0, part.extent.1, f64::from(height) * 1.2);
    look.orbit.mm_per_point = fitted.mm_per_point;
    look.orbit.target = fitted.target;
    let pixels = room.scene.with(|scene| scene.picture(width, height, &look, room.theme.colours.image));
    let mut canvas = Canvas { width: width as usize, height: height as usize, pixels: pixels.iter().map(|p| [p[0], p[1], p[2]]).collect() };
    let lines = numbers(room);
    let ctx = egui::Context::default();
    fonts::install(&ctx);
    let theme = bigger(&room.theme);
    canvas.paint(&ctx, |painter, rect| {
        view::frame(painter, &theme, rect, &look.orbit);
        overlay::corners(painter, &theme, rect, &Corners { top_left: lines.clone(), ..Default::default() });
    });
    Ok(canvas)
}

/// The type of a window is small on paper.
fn bigger(theme: &Theme) -> Theme {
    let mut theme = theme.clone();
    for size in [&mut theme.sizes.small, &mut theme.sizes.body, &mut theme.sizes.lead, &mut theme.sizes.title] {
        *size *= 1.7;
    }
    theme
}

fn numbers(room: &Room) -> Vec<Line> {
    let (Some(part), Some((kept, removed))) = (room.part(), room.numbers.counts) else { return Vec::new() };
    let (voxel, whole) = (part.mask.grid.voxel_ml(), (kept + removed).max(1) as f64);
    let line = |text: mj_lang::Text, n: usize| {
        Line::plain(format!("{}  {:.1}\u{2009}ml  {:.1}\u{2009}%", text.get(room.lang), n as f64 * voxel, n as f64 / whole * 100.0))
    };
    vec![Line::plain(part.label.clone()), line(key::PLANNING_REMNANT, kept), line(key::PLANNING_REMOVED, removed)]
}

/// Segment, sides and plane in one line; no patient data.
fn caption(room: &Room) -> String {
    let mut parts: Vec<String> = numbers(room).into_iter().map(|l| l.text).collect();
    if let Some(cutting) = &room.cutting {
        let plane = cutting.plane();
        let three = |v: [f64; 3], digits: usize| v.map(|v| format!("{v:.digits$}")).join(", ");
        let normal: VectorLps = plane.normal;
        parts.push(
            key::PLANNING_CAPTION_PLANE.with(room.lang, &[("point", &three(plane.point.into(), 1)), ("normal", &three(normal.into(), 2))]),
        );
    }
    parts.join("; ")
}
