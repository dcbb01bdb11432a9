//! The strip of series: picture, number of images, description, marks.

use crate::reading::room::Room;
use crate::reading::scene::SeriesEntry;
use crate::ui::Theme;
use crate::ui::icons::{self, Icon};
use egui::{Align2, Color32, ColorImage, Rect, Sense, Stroke, StrokeKind, TextureOptions, pos2, vec2};
use mj_lang::key;

const WIDTH: f32 = 148.0;
const PICTURE: f32 = 88.0;

/// Draws the strip.
pub(crate) fn show(room: &mut Room, ui: &mut egui::Ui) {
    let frame = egui::Frame::new().fill(room.theme.colours.panel).inner_margin(egui::Margin::same(8));
    let mut chosen = None;
    egui::Panel::left("reading-series").exact_size(WIDTH).resizable(false).show_separator_line(false).frame(frame).show(ui, |ui| {
        let Some(scene) = &mut room.scene else {
            ui.label(
                egui::RichText::new(key::READING_NO_SERIES.get(room.lang))
                    .color(room.theme.colours.text_secondary)
                    .size(room.theme.sizes.small),
            );
            return;
        };
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 8.0;
            let mut study = None;
            for (at, entry) in scene.series.iter_mut().enumerate() {
                if study.as_ref() != Some(&entry.study) {
                    study = Some(entry.study.clone());
                    let date = entry.header.as_ref().and_then(|h| h.study.date.clone()).unwrap_or_default();
                    ui.label(egui::RichText::new(date).color(room.theme.colours.text_secondary).size(room.theme.sizes.small));
                }
                if card(ui, &room.theme, room.lang, entry, at == scene.current) {
                    chosen = Some(at);
                }
            }
        });
    });
    if let Some(at) = chosen {
        room.show_series(at);
    }
}

fn card(ui: &mut egui::Ui, theme: &Theme, lang: mj_model::Lang, entry: &mut SeriesEntry, is_current: bool) -> bool {
    let c = &theme.colours;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), PICTURE + 38.0), Sense::click());
    let name = entry.name(lang);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_current, &name));
    let fill = if is_current {
        c.accent_quiet
    } else if response.hovered() {
        c.hover
    } else {
        c.raised
    };
    ui.painter().rect(rect, 5.0, fill, Stroke::new(1.0, if is_current { c.accent } else { c.line }), StrokeKind::Inside);
    let picture = Rect::from_min_size(rect.min + vec2(1.0, 1.0), vec2(rect.width() - 2.0, PICTURE));
    ui.painter().rect_filled(picture, 4.0, c.image);
    if entry.texture.is_none()
        && let Some((w, h, rgb)) = &entry.picture
    {
        let image = ColorImage::from_rgb([*w, *h], rgb.as_flattened());
        entry.texture = Some(ui.ctx().load_texture(format!("thumb-{}", entry.uid), image, TextureOptions::LINEAR));
    }
    match &entry.texture {
        Some(texture) => {
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture.id(), picture, uv, Color32::WHITE);
        }
        None if entry.error.is_some() => icons::paint(ui.painter(), Icon::Close, picture, c.contradicted, 18.0, 1.5),
        None => {}
    }
    let small = || Theme::font(theme.sizes.small);
    let count = key::READING_IMAGES.with(lang, &[("n", &entry.n_images.to_string())]);
    let mark = Rect::from_min_size(picture.left_top() + vec2(2.0, 2.0), vec2(20.0, 18.0));
    if !entry.warnings.is_empty() {
        ui.painter().rect_filled(mark, 3.0, c.overlay_halo);
        icons::paint(ui.painter(), Icon::Warning, mark, c.stale, 13.0, 1.4);
    }
    let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), small(), c.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 12.0);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(pos2(rect.left() + 6.0, picture.bottom() + 2.0), galley, c.text);
    ui.painter().text(pos2(rect.left() + 6.0, rect.bottom() - 3.0), Align2::LEFT_BOTTOM, count, small(), c.text_secondary);
    let mut about = name;
    for warning in &entry.warnings {
        about = format!("{about}\n⚠ {}", mj_lang::warning(warning, lang));
    }
    if let Some(told) = &entry.error {
        about = format!("{about}\n{}", told.message);
    }
    response.on_hover_text(about).clicked()
}
