//! What keys and mouse do, as an overlay.

use crate::reading::action::Action;
use crate::reading::room::Room;
use crate::reading::solid;
use egui::{Align2, vec2};
use mj_lang::{Text, key};

const MOUSE: [(Text, Text); 14] = [
    (key::READING_MOUSE_LEFT, key::READING_MOUSE_LEFT_DOES),
    (key::READING_MOUSE_THROUGH, key::READING_MOUSE_THROUGH_DOES),
    (key::READING_MOUSE_THROUGH_RIGHT, key::READING_MOUSE_THROUGH_RIGHT_DOES),
    (key::READING_MOUSE_DOUBLE, key::READING_MOUSE_DOUBLE_DOES),
    (key::READING_MOUSE_RIGHT, key::READING_MOUSE_RIGHT_DOES),
    (key::READING_MOUSE_MIDDLE, key::READING_MOUSE_MIDDLE_DOES),
    (key::READING_MOUSE_WHEEL, key::READING_MOUSE_WHEEL_DOES),
    (key::READING_MOUSE_CTRL_WHEEL, key::READING_MOUSE_CTRL_WHEEL_DOES),
    (key::READING_MOUSE_SHIFT, key::READING_MOUSE_SHIFT_DOES),
    (key::READING_MOUSE_SHAPE, key::READING_MOUSE_SHAPE_DOES),
    (key::READING_MOUSE_TWO_LINES, key::READING_MOUSE_TWO_LINES_DOES),
    (key::READING_MOUSE_OUTLINE, key::READING_MOUSE_OUTLINE_DOES),
    (key::READING_MOUSE_SPLINE, key::READING_MOUSE_SPLINE_DOES),
    (key::READING_MOUSE_SPLINE_BACK, key::READING_MOUSE_SPLINE_BACK_DOES),
];

/// Draws the overlay while it is wanted.
pub(crate) fn show(room: &mut Room, ctx: &egui::Context) {
    if !room.has_help {
        return;
    }
    let lang = room.lang;
    let theme = room.theme.clone();
    let presets: Vec<String> = match room.solid_presets() {
        Some(shapes) => shapes.iter().map(|preset| solid::name_of(preset, lang)).collect(),
        None => room.presets().iter().filter_map(|preset| Some(preset.text()?.get(lang).to_owned())).collect(),
    };
    // Beside the window's own frame and title.
    let most = ctx.content_rect().size() - vec2(40.0, 90.0);
    let columns = if most.x > 1100.0 { 3 } else { 2 };
    let mut is_open = true;
    egui::Window::new(key::READING_HELP_TITLE.get(lang))
        .id(egui::Id::unique("reading-help"))
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .open(&mut is_open)
        .show(ctx, |ui| {
            let row = |ui: &mut egui::Ui, keys: &str, what: &str| {
                ui.label(egui::RichText::new(keys).color(theme.colours.accent));
                ui.label(what);
                ui.end_row();
            };
            egui::ScrollArea::both().max_width(most.x).max_height(most.y).min_scrolled_width(most.x).min_scrolled_height(most.y).show(
                ui,
                |ui| {
                    ui.horizontal_top(|ui| {
                        let all: Vec<&Action> = Action::ALL.iter().collect();
                        for (n, part) in all.chunks(all.len().div_ceil(columns)).enumerate() {
                            egui::Grid::new(("reading-help-keys", n)).num_columns(2).spacing(vec2(12.0, 4.0)).show(ui, |ui| {
                                for action in part {
                                    let name = match action {
                                        Action::Preset(at) => presets.get(usize::from(*at)).map(String::as_str),
                                        other => Some(other.text().get(lang)),
                                    };
                                    if let Some(name) = name {
                                        row(ui, action.shortcut().2, name);
                                    }
                                }
                            });
                            ui.add_space(8.0);
                        }
                        egui::Grid::new("reading-help-mouse").num_columns(2).spacing(vec2(12.0, 4.0)).show(ui, |ui| {
                            for (what, does) in MOUSE {
                                row(ui, what.get(lang), does.get(lang));
                            }
                        });
                    });
                },
            );
        });
    room.has_help &= is_open;
}
