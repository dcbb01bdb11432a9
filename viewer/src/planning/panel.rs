//! The panel at the right: the numbers that decide, and the plane's controls.

use super::action::Action;
use super::room::{Room, State};
use super::scene::Removed;
use crate::ui::{Theme, fonts};
use egui::{Align, Color32, FontId, Layout, RichText, Stroke, vec2};
use mj_lang::{Text, key};
use mj_model::plan::PlanResult;
use std::time::Duration;

/// Width. Units: points.
const WIDTH: f32 = 330.0;
/// Width of a row's title. Units: points.
const TITLE: f32 = 56.0;
/// How long a word of something done stays.
const STAYS: Duration = Duration::from_secs(4);

/// Draws the panel.
pub(super) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let frame = egui::Frame::new().fill(room.theme.colours.panel).inner_margin(egui::Margin::same(12));
    egui::Panel::right("planning-panel").exact_size(WIDTH).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        // The one primary action, always at the same place.
        egui::Panel::bottom("planning-primary").frame(egui::Frame::NONE).show_separator_line(false).show(ui, |ui| {
            ui.add_space(6.0);
            primary(room, ui);
        });
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            segments(room, ui);
            numbers(room, ui);
            plane(room, ui);
            keeping(room, ui);
        });
    });
}

fn heading(room: &Room, ui: &mut egui::Ui, text: Text) {
    ui.label(RichText::new(text.get(room.lang)).size(room.theme.sizes.small).color(room.theme.colours.text_secondary));
}

fn segments(room: &mut Room, ui: &mut egui::Ui) {
    let State::Ready(case) = &room.state else { return };
    let rows: Vec<(String, f64)> = case.parts.iter().map(|p| (p.label.clone(), p.volume_ml)).collect();
    let mut wanted = None;
    heading(room, ui, key::PLANNING_SEGMENT);
    // A row for each of a few; a list to unfold where there are many.
    let row = |label: &str, ml: f64| format!("{label}   {ml:.1}\u{2009}ml");
    let chosen = rows.get(room.chosen).map(|(label, ml)| row(label, *ml)).unwrap_or_default();
    if rows.len() < 2 {
        ui.label(RichText::new(chosen).size(room.theme.sizes.lead).color(room.theme.colours.text));
    } else {
        egui::ComboBox::from_id_salt("planning-segments").width(ui.available_width()).height(320.0).selected_text(chosen).show_ui(
            ui,
            |ui| {
                for (at, (label, ml)) in rows.iter().enumerate() {
                    if ui.selectable_label(at == room.chosen, row(label, *ml)).clicked() {
                        wanted = Some(at);
                    }
                }
            },
        );
    }
    if let Some(at) = wanted.filter(|&at| at != room.chosen) {
        room.choose(at);
    }
}

fn numbers(room: &mut Room, ui: &mut egui::Ui) {
    let (Some(part), Some((kept, removed))) = (room.part(), room.numbers.counts) else { return };
    let voxel = part.mask.grid.voxel_ml();
    let whole = (kept + removed).max(1) as f64;
    let results = room.numbers.results.clone().unwrap_or_default();
    let (remnant_colour, removed_colour) = (room.theme.colours.plan_kept, room.theme.colours.plan_removed);
    for (name, text, count, colour) in
        [("remnant", key::PLANNING_REMNANT, kept, remnant_colour), ("removed", key::PLANNING_REMOVED, removed, removed_colour)]
    {
        let (ml, percent) = (count as f64 * voxel, count as f64 / whole * 100.0);
        room.layout.number(&format!("{name}_ml"), ml);
        room.layout.number(&format!("{name}_percent"), percent);
        let result = results.iter().find(|r| r.name == name);
        if let Some(result) = result {
            room.layout.number(&format!("{name}_mesh_ml"), result.mesh_volume_ml);
        }
        card(room, ui, text, colour, (ml, percent), result);
    }
    if results.is_empty() {
        ui.ctx().request_repaint_after(Duration::from_millis(100));
    }
}

/// One side's numbers.
fn card(room: &Room, ui: &mut egui::Ui, title: Text, colour: Color32, (ml, percent): (f64, f64), result: Option<&PlanResult>) {
    let theme = &room.theme;
    let c = &theme.colours;
    let big = FontId::new(26.0, fonts::bold());
    egui::Frame::new().fill(c.raised).corner_radius(5).inner_margin(egui::Margin::symmetric(10, 6)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(6.0, 0.0);
        ui.spacing_mut().interact_size.y = 17.0;
        ui.horizontal(|ui| {
            let (mark, _) = ui.allocate_exact_size(vec2(10.0, 10.0), egui::Sense::hover());
            ui.painter().rect_filled(mark, 2.0, colour);
            ui.label(RichText::new(title.get(room.lang)).size(theme.sizes.body).color(c.text));
        });
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{ml:.1}\u{2009}ml")).font(big.clone()).color(c.text));
            ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
                ui.label(RichText::new(format!("{percent:.1}\u{2009}%")).font(FontId::new(20.0, fonts::bold())).color(c.text));
            });
        });
        let interval = result.map(|r| format!("{:.1}\u{2013}{:.1}\u{2009}ml", r.interval_ml.0, r.interval_ml.1));
        let mesh = result.map(|r| format!("{:.1}\u{2009}ml", r.mesh_volume_ml));
        for (what, value) in [(key::PLANNING_INTERVAL, interval), (key::PLANNING_BY_MESH, mesh)] {
            ui.horizontal(|ui| {
                ui.label(RichText::new(what.get(room.lang)).size(theme.sizes.small).color(c.text_secondary));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let value = value.unwrap_or_else(|| key::PLANNING_COMPUTING.get(room.lang).to_owned());
                    ui.label(RichText::new(value).size(theme.sizes.small).color(c.text));
                });
            });
        }
    });
}

fn plane(room: &mut Room, ui: &mut egui::Ui) {
    let Some(cutting) = &room.cutting else { return };
    let (plane, can_undo, can_redo) = (cutting.plane(), cutting.can_undo(), cutting.can_redo());
    let usual = ui.spacing().clone();
    ui.spacing_mut().interact_size.y = 17.0;
    ui.spacing_mut().item_spacing.y = 2.0;
    let point = plane.point;
    let (n, at) = (plane.normal, format!("{:.1}, {:.1}, {:.1}\u{2009}mm", point.x, point.y, point.z));
    let letters = format!("{}  ({:.2}, {:.2}, {:.2})", n.letters(), n.x, n.y, n.z);
    for (what, value) in [(key::PLANNING_POINT, at), (key::PLANNING_TOWARDS, letters)] {
        ui.horizontal(|ui| {
            ui.label(RichText::new(what.get(room.lang)).size(room.theme.sizes.small).color(room.theme.colours.text_secondary));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(value).size(room.theme.sizes.small).color(room.theme.colours.text));
            });
        });
    }
    *ui.spacing_mut() = usual;
    let sign = |by: i8, unit: &str| format!("{}{}\u{2009}{unit}", if by < 0 { '\u{2212}' } else { '+' }, by.unsigned_abs());
    row(room, ui, key::PLANNING_ACTION_SHIFT, [-5, -1, 1, 5].map(|by| (Action::Shift(by), sign(by, "mm"))).to_vec());
    row(
        room,
        ui,
        key::PLANNING_ACTION_SWING,
        [-10, -2, 2, 10].map(|by| (Action::Swing(by), format!("{}°", sign(by, "").trim_end()))).to_vec(),
    );
    row(
        room,
        ui,
        key::PLANNING_ACTION_TILT,
        [-10, -2, 2, 10].map(|by| (Action::Tilt(by), format!("{}°", sign(by, "").trim_end()))).to_vec(),
    );
    let named = |room: &Room, list: &[Action]| list.iter().map(|&a| (a, a.text().get(room.lang).to_owned())).collect::<Vec<_>>();
    let presets = named(room, &[Action::Sagittal, Action::Coronal, Action::Axial, Action::Middle]);
    row(room, ui, key::PLANNING_PRESETS, presets);
    let removed = match room.removed {
        Removed::Solid => key::PLANNING_SHOWN_SOLID,
        Removed::Faint => key::PLANNING_SHOWN_FAINT,
        Removed::Hidden => key::PLANNING_SHOWN_HIDDEN,
    };
    let mut last = named(room, &[Action::Flip]);
    last.push((Action::Removed, removed.get(room.lang).to_owned()));
    buttons(room, ui, &last, &|_| true);
    let history = named(room, &[Action::Undo, Action::Redo, Action::Fit]);
    buttons(room, ui, &history, &|action| match action {
        Action::Undo => can_undo,
        Action::Redo => can_redo,
        _ => true,
    });
}

/// Says whether the record has the plan.
fn keeping(room: &mut Room, ui: &mut egui::Ui) {
    let segment = room.part().and_then(|part| part.segment.as_ref()).map(|segment| segment.id.clone());
    let c = &room.theme.colours;
    let (text, colour) = match segment {
        None => (key::PLANNING_NOT_KEPT, c.stale),
        Some(_) if room.plans.is_waiting() => (key::PLANNING_KEEPING, c.text_secondary),
        Some(id) if room.plans.has(&id) => (key::PLANNING_KEPT, c.verified),
        Some(_) => (key::PLANNING_NOT_BEGUN, c.text_secondary),
    };
    ui.label(RichText::new(text.get(room.lang)).size(room.theme.sizes.small).color(colour));
    room.layout.number("kept", f64::from(u8::from(text == key::PLANNING_KEPT)));
}

fn row(room: &mut Room, ui: &mut egui::Ui, title: Text, list: Vec<(Action, String)>) {
    ui.horizontal(|ui| {
        // The title takes two lines where it must, so that the buttons keep their size.
        let colour = room.theme.colours.text_secondary;
        let (place, _) = ui.allocate_exact_size(vec2(TITLE, room.theme.size.touch), egui::Sense::hover());
        let galley = ui.painter().layout(title.get(room.lang).to_owned(), Theme::font(room.theme.sizes.small), colour, TITLE);
        let at = egui::pos2(place.left(), place.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, colour);
        buttons(room, ui, &list, &|_| true);
    });
}

/// Buttons of equal width, high enough for a finger.
fn buttons(room: &mut Room, ui: &mut egui::Ui, list: &[(Action, String)], is_on: &dyn Fn(Action) -> bool) {
    let gap = ui.spacing().item_spacing.x;
    let width = (ui.available_width() - gap * (list.len() as f32 - 1.0)) / list.len().max(1) as f32;
    let (size, ppp) = (vec2(width, room.theme.size.touch), ui.ctx().pixels_per_point());
    let mut wanted = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().button_padding.x = 3.0;
        for (action, label) in list {
            let button = egui::Button::new(RichText::new(label).size(room.theme.sizes.body)).min_size(size).truncate();
            let response = ui.add_enabled(is_on(*action), button);
            room.layout.rect("actions", &action.name(), response.rect, ppp);
            let (text, keys) = (action.text().get(room.lang), action.key());
            let hint = if keys.is_empty() { text.to_owned() } else { format!("{text}  ({keys})") };
            if response.on_hover_text(hint).clicked() {
                wanted = Some(*action);
            }
        }
    });
    if let Some(action) = wanted {
        room.act(action);
    }
}

fn primary(room: &mut Room, ui: &mut egui::Ui) {
    let theme: Theme = room.theme.clone();
    let label = RichText::new(Action::Picture.text().get(room.lang)).size(theme.sizes.lead).color(theme.colours.on_accent);
    let button =
        egui::Button::new(label).fill(theme.colours.accent).min_size(vec2(ui.available_width(), theme.size.touch + 4.0)).truncate();
    let is_on = room.keys.is_some();
    let response = ui.add_enabled(is_on, button);
    room.layout.rect("actions", "picture", response.rect, ui.ctx().pixels_per_point());
    let alone = key::PLANNING_ALONE.get(room.lang);
    let response = response.on_disabled_hover_text(alone).on_hover_text(Action::Picture.key());
    if response.clicked() {
        room.act(Action::Picture);
    }
    if !is_on {
        ui.label(RichText::new(alone).size(theme.sizes.small).color(theme.colours.text_secondary));
    }
    ui.label(RichText::new(key::APP_NOT_CERTIFIED.get(room.lang)).size(theme.sizes.tiny).color(theme.colours.text_secondary));
}

/// A short word at the bottom: what was done, what failed.
pub(super) fn notice(room: &mut Room, ctx: &egui::Context) {
    if room.notice.as_ref().is_some_and(|n| !n.is_failure && n.at.elapsed() > STAYS) {
        room.notice = None;
    }
    let Some(notice) = &room.notice else { return };
    ctx.request_repaint_after(Duration::from_millis(500));
    let c = &room.theme.colours;
    let mut is_dismissed = false;
    egui::Area::new(egui::Id::unique("planning-notice"))
        .anchor(egui::Align2::CENTER_BOTTOM, vec2(0.0, -28.0))
        .order(egui::Order::Foreground)
        .show(ctx, |ui| {
            let colour = if notice.is_failure { c.contradicted } else { c.verified };
            egui::Frame::new().fill(c.raised).stroke(Stroke::new(1.0, colour)).corner_radius(5).inner_margin(10).show(ui, |ui| {
                ui.set_max_width(520.0);
                ui.label(RichText::new(&notice.text).color(c.text));
                if !notice.hint.is_empty() {
                    ui.label(RichText::new(&notice.hint).color(c.text_secondary).size(room.theme.sizes.small));
                }
                if notice.is_failure {
                    is_dismissed = ui.button(key::READING_DISMISS.get(room.lang)).clicked();
                }
            });
        });
    if is_dismissed {
        room.notice = None;
    }
}
