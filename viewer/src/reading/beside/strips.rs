//! Which pictures are the prior's: a strip over each side, and a frame around the prior.

use super::Side;
use super::link::{Placing, Progress};
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::ui::Theme;
use egui::{Align2, Color32, Rect, Stroke, StrokeKind, Ui, pos2, vec2};
use mj_lang::key;

/// Height of a strip. Units: points.
pub(crate) const HEIGHT: f32 = 24.0;
/// Width of the prior's frame. Units: points.
const FRAME: f32 = 2.0;

/// Where the pictures of a side lie in its half.
pub(crate) fn inside(half: Rect) -> Rect {
    Rect::from_min_max(pos2(half.left() + FRAME, half.top() + HEIGHT), half.max - vec2(FRAME, FRAME))
}

/// The date of a side's study, or that there is none; nothing while it is not known whose study it is.
fn date(room: &Room, side: Side) -> String {
    let study = room.scene_of(side).filter(|_| side == Side::Current || room.is_prior_known()).and_then(Scene::header);
    study.map_or_else(String::new, |header| header.study.date.clone().unwrap_or_else(|| key::OVERLAY_NO_DATE.get(room.lang).to_owned()))
}

/// The line that marks a picture of the prior wherever it stands.
pub(crate) fn mark(room: &Room) -> String {
    key::READING_BESIDE_PRIOR.with(room.lang, &[("date", &date(room, Side::Prior))]).trim_end().to_owned()
}

/// Draws the strip of a side, and the frame of the prior.
pub(crate) fn show(room: &Room, ui: &Ui, side: Side, half: Rect) {
    let (painter, colours) = (ui.painter(), &room.theme.colours);
    let strip = Rect::from_min_size(half.min, vec2(half.width(), HEIGHT));
    let colour = if side == Side::Prior { colours.stale } else { colours.line_strong };
    painter.rect_filled(strip, 0.0, if side == Side::Prior { colour.gamma_multiply(0.28) } else { colours.panel });
    painter.rect_stroke(half, 0.0, Stroke::new(FRAME, colour), StrokeKind::Inside);
    let lead = Theme::font(room.theme.sizes.body);
    let title = match side {
        Side::Current => key::READING_BESIDE_CURRENT.with(room.lang, &[("date", &date(room, side))]),
        Side::Prior => mark(room),
    };
    let text = if side == Side::Prior { colours.stale } else { colours.text };
    let taken = painter.text(strip.left_center() + vec2(10.0, 0.0), Align2::LEFT_CENTER, title.trim_end(), lead, text);
    if side == Side::Prior {
        let (said, colour) = said(room);
        let small = Theme::font(room.theme.sizes.small);
        let mut job = egui::text::LayoutJob::simple_singleline(said, small, colour);
        job.wrap = egui::text::TextWrapping::truncate_at_width((strip.right() - taken.right() - 30.0).max(24.0));
        let galley = painter.layout_job(job);
        let at = pos2(strip.right() - 10.0 - galley.size().x, strip.center().y - galley.size().y / 2.0);
        painter.galley(at, galley, colour);
    }
}

/// How the place that the prior shows was found, and how sure that is.
fn said(room: &Room) -> (String, Color32) {
    let (lang, colours) = (room.lang, &room.theme.colours);
    let Some(link) = room.beside.as_ref().map(|beside| &beside.link) else { return (String::new(), colours.text) };
    let is_loaded = room.prior_place().is_some();
    let Some(placing) = link.placing else {
        let text = if is_loaded { key::READING_BESIDE_UNLINKED } else { key::READING_LOADING };
        return (text.get(lang).to_owned(), colours.text_secondary);
    };
    let (text, colour) = match placing {
        Placing::Finding => (key::READING_BESIDE_BY_FINDING, colours.verified),
        Placing::Registration => (key::READING_BESIDE_BY_REGISTRATION, colours.verified),
        Placing::SameFrame => (key::READING_BESIDE_SAME_FRAME, colours.stale),
        Placing::SameHeight => (key::READING_BESIDE_SAME_HEIGHT, colours.stale),
    };
    let mut said = vec![text.get(lang).to_owned()];
    match link.progress() {
        Progress::Running(percent) => said.push(key::READING_BESIDE_REGISTERING.with(lang, &[("percent", &percent.to_string())])),
        Progress::Failed => said.push(key::READING_BESIDE_NOT_REGISTERED.get(lang).to_owned()),
        Progress::Quiet => {}
    }
    if link.is_outside {
        return (key::READING_BESIDE_OUTSIDE.get(lang).to_owned(), colours.contradicted);
    }
    (said.join(" · "), colour)
}
