//! The findings' panel: number, what it is, value, state.

use crate::reading::measuring;
use crate::reading::review;
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use crate::ui::Theme;
use crate::ui::icons::{self, Icon};
use egui::{Align2, Color32, Rect, Sense, Stroke, StrokeKind, pos2, vec2};
use mj_lang::{Text, key};
use mj_model::{Finding, FindingState};
use std::collections::BTreeMap;

const WIDTH: f32 = 232.0;

/// A finding as it stands in the panel.
struct Row {
    number: usize,
    finding: Finding,
    is_pending: bool,
    is_selected: bool,
    is_hidden: bool,
    /// Of its segment.
    colour: Option<Color32>,
}

/// What was clicked in a row.
enum Click {
    /// The finding.
    Go,
    /// Its eye.
    Eye,
}

/// Draws the panel.
pub(crate) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let frame = egui::Frame::new().fill(room.theme.colours.panel).inner_margin(egui::Margin::same(8));
    let mut chosen = None;
    let mut fill = room.fill_percent;
    egui::Panel::right("reading-findings").exact_size(WIDTH).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        let lang = room.lang;
        ui.label(egui::RichText::new(key::READING_FINDINGS.get(lang)).size(room.theme.sizes.lead));
        ui.add_space(4.0);
        let Some(scene) = &room.scene else { return };
        let rows = rows(scene);
        let small = |text: &str| egui::RichText::new(text).color(room.theme.colours.text_secondary).size(room.theme.sizes.small);
        if rows.is_empty() {
            ui.label(small(key::READING_NO_FINDINGS.get(lang)));
        }
        if scene.segments.is_reading() {
            ui.label(small(key::READING_SEGMENTS_LOADING.get(lang)));
        }
        if rows.iter().any(|row| row.colour.is_some()) {
            ui.label(small(key::READING_SEGMENTS_FILL.get(lang)));
            ui.spacing_mut().slider_width = WIDTH - 80.0;
            ui.add(egui::Slider::new(&mut fill, 0..=100).suffix("\u{2009}%"));
            ui.add_space(4.0);
        }
        if !room.has_shapes {
            ui.label(egui::RichText::new(key::READING_SHAPES_OFF.get(lang)).color(room.theme.colours.stale).size(room.theme.sizes.small));
        }
        let held: Vec<Finding> = scene.ledger.held().cloned().collect();
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for row in rows {
                if let Some(click) = self::row(ui, &room.theme, lang, &row) {
                    chosen = Some((row.finding.id, click));
                }
            }
            kept_aside(ui, &room.theme, lang, &held);
        });
    });
    room.fill_percent = fill;
    match (chosen, &mut room.scene) {
        (Some((id, Click::Go)), _) => room.select(&id, true),
        (Some((id, Click::Eye)), Some(scene)) => scene.hide(&id),
        _ => {}
    }
}

/// The findings in the order of their importance.
fn rows(scene: &Scene) -> Vec<Row> {
    let order = review::order(scene);
    let rank: BTreeMap<&str, usize> = order.iter().enumerate().map(|(n, id)| (id.as_str(), n)).collect();
    let mut rows: Vec<Row> = scene
        .ledger
        .shown()
        .map(|shown| Row {
            number: shown.number,
            is_pending: shown.is_pending,
            is_selected: scene.selected.as_ref() == Some(&shown.finding.id),
            is_hidden: scene.hidden.contains(&shown.finding.id),
            colour: scene.segments.colour(shown.finding),
            finding: shown.finding.clone(),
        })
        .collect();
    // Annotations have no rank and stand last.
    rows.sort_by_key(|row| rank.get(row.finding.id.as_str()).copied().unwrap_or(usize::MAX));
    rows
}

fn row(ui: &mut egui::Ui, theme: &Theme, lang: mj_model::Lang, row: &Row) -> Option<Click> {
    let c = &theme.colours;
    let Row { number, finding, is_selected, .. } = row;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 46.0), Sense::click());
    let value = measuring::main_line(&finding.measurements);
    let kind = finding.name(lang);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, *is_selected, format!("{number} {kind} {value}")));
    let fill = if *is_selected {
        c.accent_quiet
    } else if response.hovered() {
        c.hover
    } else {
        c.raised
    };
    ui.painter().rect(rect, 5.0, fill, Stroke::new(1.0, if *is_selected { c.accent } else { c.line }), StrokeKind::Inside);
    let (state, colour) = state(finding.state, row.is_pending, theme);
    ui.painter().rect_filled(Rect::from_min_size(rect.min + vec2(1.0, 6.0), vec2(3.0, rect.height() - 12.0)), 1.5, colour);
    let left = rect.left() + 12.0;
    let small = || Theme::font(theme.sizes.small);
    ui.painter().text(pos2(left, rect.top() + 5.0), Align2::LEFT_TOP, format!("{number}"), Theme::font(theme.sizes.body), c.text_secondary);
    let mut at = pos2(left + 20.0, rect.top() + 5.0);
    if let Some(colour) = row.colour {
        ui.painter().rect_filled(Rect::from_min_size(at + vec2(0.0, 3.0), vec2(10.0, 10.0)), 2.0, colour);
        at.x += 16.0;
    }
    ui.painter().text(at, Align2::LEFT_TOP, &value, Theme::font(theme.sizes.body), c.text);
    ui.painter().text(pos2(rect.right() - 34.0, rect.top() + 7.0), Align2::RIGHT_TOP, state.get(lang), small(), colour);
    let shown = shortened(ui.painter(), &kind, small(), rect.right() - left - 26.0);
    ui.painter().text(pos2(left + 20.0, rect.bottom() - 21.0), Align2::LEFT_TOP, shown, small(), c.text_secondary);
    let is_eye = eye(ui, theme, lang, row, rect);
    let is_clicked = response.clicked();
    let told = [Some(kind), review::provenance(finding, lang)].into_iter().flatten().collect::<Vec<_>>().join("\n");
    response.on_hover_text(told);
    if is_eye { Some(Click::Eye) } else { is_clicked.then_some(Click::Go) }
}

/// A name that fits into a width: its end says which side and which part, so its middle goes.
fn shortened(painter: &egui::Painter, name: &str, font: egui::FontId, width: f32) -> String {
    let is_fit = |text: &str| painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x <= width;
    if is_fit(name) {
        return name.to_owned();
    }
    let letters: Vec<char> = name.chars().collect();
    let cut = |kept: usize| {
        let (head, tail) = (kept / 4, kept - kept / 4);
        letters.iter().take(head).chain(&['…']).chain(letters.iter().skip(letters.len() - tail)).collect::<String>()
    };
    let (mut fits, mut too_many) = (0, letters.len());
    while too_many - fits > 1 {
        let kept = usize::midpoint(fits, too_many);
        if is_fit(&cut(kept)) {
            fits = kept;
        } else {
            too_many = kept;
        }
    }
    cut(fits)
}

/// The eye at the right of a row: whether the finding is drawn. True when it was clicked.
fn eye(ui: &egui::Ui, theme: &Theme, lang: mj_model::Lang, row: &Row, rect: Rect) -> bool {
    let place = Rect::from_min_size(pos2(rect.right() - 30.0, rect.top()), vec2(30.0, 24.0));
    let text = if row.is_hidden { key::READING_SHOW } else { key::READING_HIDE };
    let response = ui.interact(place, egui::Id::unique(("reading-eye", &row.finding.id)), Sense::click()).on_hover_text(text.get(lang));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{} {}", text.get(lang), row.number)));
    let icon = if row.is_hidden { Icon::Hidden } else { Icon::Seen };
    let tint = if response.hovered() || row.is_hidden { theme.colours.text } else { theme.colours.text_secondary };
    icons::paint(ui.painter(), icon, place, tint, 14.0, 1.2);
    response.clicked()
}

/// Results that do not fit their images: what they are and why they are not drawn.
fn kept_aside(ui: &mut egui::Ui, theme: &Theme, lang: mj_model::Lang, held: &[Finding]) {
    if held.is_empty() {
        return;
    }
    let small = |text: String| egui::RichText::new(text).size(theme.sizes.small);
    ui.add_space(8.0);
    ui.label(small(key::READING_HELD.with(lang, &[("count", &held.len().to_string())])).color(theme.colours.stale));
    for finding in held {
        let why = finding.held.map_or_else(String::new, |held| mj_lang::reason(held.code(), held.code(), lang));
        ui.label(small(finding.name(lang)));
        ui.label(small(why).color(theme.colours.text_secondary));
    }
}

const fn state(state: FindingState, is_pending: bool, theme: &Theme) -> (Text, Color32) {
    let c = &theme.colours;
    if is_pending {
        return (key::READING_STATE_PENDING, c.stale);
    }
    match state {
        FindingState::Proposed => (key::READING_STATE_PROPOSED, c.proposed),
        FindingState::Accepted => (key::READING_STATE_ACCEPTED, c.verified),
        FindingState::Edited => (key::READING_STATE_EDITED, c.verified),
        FindingState::Rejected | FindingState::Deleted => (key::READING_STATE_REJECTED, c.unsupported),
    }
}
