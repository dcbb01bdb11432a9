//! The toolbar: one row of icons, the windows' menu, and what is written at its end.

use crate::reading::action::{Action, Situation, Tool};
use crate::reading::room::Room;
use crate::reading::solid;
use crate::ui::icons::{self, Icon};
use egui::{Align, Layout, Sense, Stroke, StrokeKind, vec2};
use mj_lang::key;

const TOOLS: [Tool; 5] = [Tool::Point, Tool::Scroll, Tool::Window, Tool::Zoom, Tool::Pan];

/// Draws the toolbar.
pub(crate) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let now = room.situation();
    let frame = egui::Frame::new().fill(room.theme.colours.panel).inner_margin(egui::Margin::symmetric(8, 0));
    let height = room.theme.size.toolbar;
    egui::Panel::top("reading-toolbar").exact_size(height).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        ui.horizontal_centered(|ui| {
            menu(room, ui, &now);
            separator(room, ui);
            for tool in TOOLS {
                button(room, ui, Action::Take(tool), &now, room.tool == tool);
            }
            button(room, ui, Action::Take(room.measuring), &now, room.tool == room.measuring);
            measuring(room, ui, &now);
            separator(room, ui);
            windows(room, ui, &now);
            separator(room, ui);
            let is_slab = room.scene.as_ref().is_some_and(|s| s.has_slab);
            let is_enlarged = room.scene.as_ref().is_some_and(|s| s.enlarged.is_some());
            button(room, ui, Action::Slab, &now, is_slab);
            button(room, ui, Action::Solid, &now, now.is_solid);
            if now.is_solid {
                let is_cut = room.scene.as_ref().is_some_and(|s| s.solid.is_cut);
                button(room, ui, Action::Cut, &now, is_cut);
            }
            button(room, ui, Action::Enlarge, &now, is_enlarged);
            button(room, ui, Action::Beside, &now, now.is_compared);
            if now.is_volume || now.is_as_stored {
                button(room, ui, Action::Stored, &now, now.is_as_stored);
            }
            button(room, ui, Action::Reset, &now, false);
            button(room, ui, Action::Overlay, &now, room.has_overlay);
            if now.has_frames {
                button(room, ui, Action::Play, &now, room.player.is_playing());
            }
            separator(room, ui);
            for action in [Action::Undo, Action::Redo, Action::Delete] {
                button(room, ui, action, &now, false);
            }
            separator(room, ui);
            button(room, ui, Action::KeyImage, &now, false);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                button(room, ui, Action::Findings, &now, room.has_findings);
                button(room, ui, Action::Help, &now, room.has_help);
            });
        });
    });
}

fn separator(room: &Room, ui: &mut egui::Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(13.0, 20.0), Sense::hover());
    ui.painter().vline(rect.center().x.round(), rect.y_range(), Stroke::new(1.0, room.theme.colours.line_strong));
}

/// An icon with its name and key as a tooltip.
fn button(room: &mut Room, ui: &mut egui::Ui, action: Action, now: &Situation, is_on: bool) {
    let Some(icon) = action.icon() else { return };
    let (lang, is_enabled) = (room.lang, action.is_enabled(now));
    let sense = if is_enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, room.theme.size.control), sense);
    let name = action.text().get(lang);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, is_enabled, is_on, name));
    paint_button(room, ui, icon, rect, is_enabled, is_on, &response);
    room.layout.action(action, rect, ui.ctx().pixels_per_point());
    let response = response.on_hover_text(format!("{name}  ({})", action.shortcut().2));
    if response.clicked() {
        room.act(action);
    }
}

fn paint_button(room: &Room, ui: &egui::Ui, icon: Icon, rect: egui::Rect, is_enabled: bool, is_on: bool, response: &egui::Response) {
    let c = &room.theme.colours;
    let fill = match (is_on, response.hovered() && is_enabled) {
        (true, _) => Some(c.accent_quiet),
        (false, true) => Some(c.hover),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, 5.0, fill);
    }
    if is_on {
        ui.painter().rect_stroke(rect, 5.0, Stroke::new(1.0, c.accent), StrokeKind::Inside);
    }
    let tint = if !is_enabled {
        c.text_disabled
    } else if is_on {
        c.accent
    } else {
        c.text
    };
    icons::paint(ui.painter(), icon, rect, tint, room.theme.size.icon, room.theme.size.icon_stroke);
}

/// The measuring tools by name and key, beside the one taken last.
fn measuring(room: &mut Room, ui: &mut egui::Ui, now: &Situation) {
    let lang = room.lang;
    let name = key::READING_MEASURING.get(lang);
    let (rect, response) = ui.allocate_exact_size(vec2(16.0, room.theme.size.control), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    paint_button(room, ui, Icon::Down, rect, true, false, &response);
    let response = response.on_hover_text(name);
    let mut chosen = None;
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(250.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        for tool in Tool::MEASURING {
            let action = Action::Take(tool);
            if row(room, ui, action, now, room.tool == tool) {
                chosen = Some(action);
                ui.close();
            }
        }
    });
    if let Some(action) = chosen {
        room.act(action);
    }
}

/// An action as a row with its icon, name and key.
fn row(room: &Room, ui: &mut egui::Ui, action: Action, now: &Situation, is_on: bool) -> bool {
    let (c, is_enabled, name) = (&room.theme.colours, action.is_enabled(now), action.text().get(room.lang));
    let sense = if is_enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(250.0, 28.0), sense);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, is_enabled, is_on, name));
    if is_on || (response.hovered() && is_enabled) {
        ui.painter().rect_filled(rect, 4.0, if is_on { c.accent_quiet } else { c.hover });
    }
    let tint = match (is_enabled, is_on) {
        (false, _) => c.text_disabled,
        (true, true) => c.accent,
        (true, false) => c.text,
    };
    if let Some(icon) = action.icon() {
        let place = egui::Rect::from_min_size(rect.min, vec2(32.0, rect.height()));
        icons::paint(ui.painter(), icon, place, tint, room.theme.size.icon, room.theme.size.icon_stroke);
    }
    let font = || crate::ui::Theme::font(room.theme.sizes.body);
    ui.painter().text(rect.left_center() + vec2(36.0, 0.0), egui::Align2::LEFT_CENTER, name, font(), tint);
    let keys = if is_enabled { c.text_secondary } else { c.text_disabled };
    ui.painter().text(rect.right_center() - vec2(8.0, 0.0), egui::Align2::RIGHT_CENTER, action.shortcut().2, font(), keys);
    response.clicked()
}

/// Every action by name, for those who do not know the keys yet.
fn menu(room: &mut Room, ui: &mut egui::Ui, now: &Situation) {
    let lang = room.lang;
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, room.theme.size.control), Sense::click());
    let name = key::READING_MENU.get(lang);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    paint_button(room, ui, Icon::Menu, rect, true, false, &response);
    let mut chosen = None;
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(240.0);
        egui::ScrollArea::vertical().max_height(560.0).show(ui, |ui| {
            for action in Action::ALL.iter().filter(|a| !matches!(a, Action::Preset(_))) {
                let text = egui::Button::new(action.text().get(lang)).shortcut_text(action.shortcut().2).frame(false);
                if ui.add_enabled(action.is_enabled(now), text.min_size(vec2(230.0, 24.0))).clicked() {
                    chosen = Some(*action);
                    ui.close();
                }
            }
        });
    });
    if let Some(action) = chosen {
        room.act(action);
    }
}

/// The window's presets by name, with the present setting as the button's text.
fn windows(room: &mut Room, ui: &mut egui::Ui, now: &Situation) {
    let lang = room.lang;
    let Some(scene) = &room.scene else {
        ui.add_enabled(false, egui::Button::new(key::READING_WINDOW_FREE.get(lang)).min_size(vec2(150.0, 26.0)));
        return;
    };
    if room.solid_presets().is_some() {
        return shapes(room, ui);
    }
    let shown = scene.active_window();
    let (center, width) = crate::overlay::window_numbers(shown);
    let text = if now.is_colour {
        format!("{}  {center} / {width}", key::READING_TONE.get(lang))
    } else if now.has_picture {
        let name = room.window_name(scene, shown).unwrap_or_else(|| key::READING_WINDOW_FREE.get(lang).to_owned());
        // A table has no center and width that a reader could use.
        if shown.table().is_some() { name } else { format!("{name}  {center} / {width}") }
    } else {
        key::READING_WINDOW_FREE.get(lang).to_owned()
    };
    let response = ui.add_enabled(now.has_picture, egui::Button::new(text).min_size(vec2(176.0, 26.0)));
    let response = response.on_hover_text(key::READING_WINDOW_HINT.get(lang));
    let presets = room.presets();
    let of_file: Vec<mj_model::Window> = scene.file_windows().cloned().collect();
    let (mut chosen, mut chosen_window) = (None, None);
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(220.0);
        let mut row = |ui: &mut egui::Ui, name: &str, values: String, action: Action| {
            let label = egui::Button::new(format!("{name}  {values}")).shortcut_text(action.shortcut().2).frame(false);
            if ui.add(label.min_size(vec2(210.0, 24.0))).clicked() {
                chosen = Some(action);
                ui.close();
            }
        };
        row(ui, key::READING_WINDOW_FILE.get(lang), String::new(), Action::FileWindow);
        // Each by its name where the file brings several.
        for window in of_file.iter().filter(|_| of_file.len() > 1) {
            let text = crate::overlay::window_line(window, &window.name, false, lang).unwrap_or_default();
            if ui.add(egui::Button::new(text).frame(false).min_size(vec2(210.0, 24.0))).clicked() {
                chosen_window = Some(window.clone());
                ui.close();
            }
        }
        for (n, preset) in presets.iter().enumerate() {
            let name = preset.text().map(|t| t.get(lang)).unwrap_or_default();
            row(ui, name, format!("{} / {}", preset.center, preset.width), Action::Preset(u8::try_from(n).unwrap_or(u8::MAX)));
        }
        row(ui, key::READING_ACTION_INVERT.get(lang), String::new(), Action::Invert);
    });
    if let (Some(window), Some(scene)) = (chosen_window, &mut room.scene) {
        scene.set_window(window);
        room.changed();
    }
    if let Some(action) = chosen {
        room.act(action);
    }
}

/// What is seen as shapes, by name, in the place of the windows' menu.
fn shapes(room: &mut Room, ui: &mut egui::Ui) {
    let lang = room.lang;
    let (Some(presets), Some(scene)) = (room.solid_presets(), &room.scene) else { return };
    let shown = scene.volume().and_then(|volume| scene.solid.preset(volume).ok());
    let text = shown.as_ref().map(|preset| solid::name_of(preset, lang)).unwrap_or_default();
    let response = ui.add(egui::Button::new(text).min_size(vec2(176.0, 26.0))).on_hover_text(key::READING_SHAPES_HINT.get(lang));
    let mut chosen = None;
    egui::Popup::menu(&response).show(|ui| {
        ui.set_min_width(220.0);
        for (n, preset) in presets.iter().enumerate() {
            let action = Action::Preset(u8::try_from(n).unwrap_or(u8::MAX));
            let label = egui::Button::new(solid::name_of(preset, lang)).shortcut_text(action.shortcut().2).frame(false);
            if ui.add(label.min_size(vec2(210.0, 24.0))).clicked() {
                chosen = Some(action);
                ui.close();
            }
        }
    });
    if let Some(action) = chosen {
        room.act(action);
    }
}
