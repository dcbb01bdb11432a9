//! The findings' panel: number, what it is, value, state.

use crate::reading::measuring;
use crate::reading::review;
use crate::reading::room::Room;
use crate::ui::Theme;
use egui::{Align2, Rect, Sense, Stroke, StrokeKind, pos2, vec2};
use mj_lang::{Text, key};
use mj_model::{Finding, FindingState};

const WIDTH: f32 = 232.0;

/// Draws the panel.
pub(crate) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let frame = egui::Frame::new().fill(room.theme.colours.panel).inner_margin(egui::Margin::same(8));
    let mut chosen = None;
    egui::Panel::right("reading-findings").exact_size(WIDTH).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        let lang = room.lang;
        ui.label(egui::RichText::new(key::READING_FINDINGS.get(lang)).size(room.theme.sizes.lead));
        ui.add_space(4.0);
        let Some(scene) = &room.scene else { return };
        let order = review::order(scene);
        let place = |id: &str| order.iter().position(|one| one == id);
        let mut rows: Vec<(usize, Finding, bool)> = scene.ledger.shown().map(|s| (s.number, s.finding.clone(), s.is_pending)).collect();
        rows.sort_by_key(|(_, finding, _)| place(&finding.id));
        let held: Vec<Finding> = scene.ledger.held().cloned().collect();
        if rows.is_empty() {
            ui.label(
                egui::RichText::new(key::READING_NO_FINDINGS.get(lang))
                    .color(room.theme.colours.text_secondary)
                    .size(room.theme.sizes.small),
            );
        }
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for (number, finding, is_pending) in rows {
                let is_selected = scene.selected.as_deref() == Some(finding.id.as_str());
                if row(ui, &room.theme, lang, number, &finding, is_pending, is_selected) {
                    chosen = Some(finding.id);
                }
            }
            kept_aside(ui, &room.theme, lang, &held);
        });
    });
    if let Some(id) = chosen {
        room.select(&id, true);
    }
}

fn row(
    ui: &mut egui::Ui,
    theme: &Theme,
    lang: mj_model::Lang,
    number: usize,
    finding: &Finding,
    is_pending: bool,
    is_selected: bool,
) -> bool {
    let c = &theme.colours;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 46.0), Sense::click());
    let value = measuring::main_line(&finding.measurements);
    let kind = finding.kind.name(lang).to_owned();
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_selected, format!("{number} {kind} {value}")));
    let fill = if is_selected {
        c.accent_quiet
    } else if response.hovered() {
        c.hover
    } else {
        c.raised
    };
    ui.painter().rect(rect, 5.0, fill, Stroke::new(1.0, if is_selected { c.accent } else { c.line }), StrokeKind::Inside);
    let (state, colour) = state(finding.state, is_pending, theme);
    ui.painter().rect_filled(Rect::from_min_size(rect.min + vec2(1.0, 6.0), vec2(3.0, rect.height() - 12.0)), 1.5, colour);
    let left = rect.left() + 12.0;
    let small = || Theme::font(theme.sizes.small);
    ui.painter().text(pos2(left, rect.top() + 5.0), Align2::LEFT_TOP, format!("{number}"), Theme::font(theme.sizes.body), c.text_secondary);
    ui.painter().text(pos2(left + 20.0, rect.top() + 5.0), Align2::LEFT_TOP, &value, Theme::font(theme.sizes.body), c.text);
    let said = ui.painter().text(pos2(rect.right() - 8.0, rect.bottom() - 21.0), Align2::RIGHT_TOP, state.get(lang), small(), colour);
    let mut job = egui::text::LayoutJob::simple_singleline(kind, small(), c.text_secondary);
    job.wrap = egui::text::TextWrapping::truncate_at_width(said.left() - left - 28.0);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(pos2(left + 20.0, rect.bottom() - 21.0), galley, c.text_secondary);
    let clicked = response.clicked();
    if let Some(told) = review::provenance(finding, lang) {
        response.on_hover_text(told);
    }
    clicked
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
        ui.label(small(finding.kind.name(lang).to_owned()));
        ui.label(small(why).color(theme.colours.text_secondary));
    }
}

const fn state(state: FindingState, is_pending: bool, theme: &Theme) -> (Text, egui::Color32) {
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
