//! Short notices at the bottom: what was done, what failed.

use crate::reading::room::Room;
use egui::{Align2, Stroke, vec2};
use mj_lang::key;
use mj_model::Told;
use std::time::{Duration, Instant};

/// How long a notice of something done stays.
const STAYS: Duration = Duration::from_secs(4);

struct Notice {
    told: Told,
    is_failure: bool,
    at: Instant,
}

/// The notices.
#[derive(Default)]
pub(crate) struct Notices(Vec<Notice>);

impl Notices {
    /// Something was done.
    pub(crate) fn done(&mut self, message: String) {
        let told = Told { code: String::new(), message, hint: String::new() };
        self.0.push(Notice { told, is_failure: false, at: Instant::now() });
    }

    /// Something failed; stays until it is dismissed.
    pub(crate) fn fail(&mut self, told: Told) {
        tracing::warn!(code = told.code, "told to the reader");
        self.0.retain(|n| n.told.code != told.code || n.told.message != told.message);
        self.0.push(Notice { told, is_failure: true, at: Instant::now() });
        // Only the newest few are of use.
        let more = self.0.len().saturating_sub(4);
        self.0.drain(..more);
    }
}

/// Draws the notices.
pub(crate) fn show(room: &mut Room, ctx: &egui::Context) {
    room.notices.0.retain(|n| n.is_failure || n.at.elapsed() < STAYS);
    if room.notices.0.is_empty() {
        return;
    }
    ctx.request_repaint_after(Duration::from_millis(500));
    let (lang, theme) = (room.lang, room.theme.clone());
    let mut dismissed = None;
    egui::Area::new(egui::Id::unique("reading-notices"))
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -24.0))
        .order(egui::Order::Foreground)
        .show(ctx, |ui| {
            for (at, notice) in room.notices.0.iter().enumerate() {
                let colour = if notice.is_failure { theme.colours.contradicted } else { theme.colours.verified };
                egui::Frame::new().fill(theme.colours.raised).stroke(Stroke::new(1.0, colour)).corner_radius(5).inner_margin(10).show(
                    ui,
                    |ui| {
                        ui.set_max_width(520.0);
                        ui.horizontal(|ui| {
                            ui.vertical(|ui| {
                                ui.label(egui::RichText::new(&notice.told.message).color(theme.colours.text));
                                if !notice.told.hint.is_empty() {
                                    ui.label(
                                        egui::RichText::new(&notice.told.hint).color(theme.colours.text_secondary).size(theme.sizes.small),
                                    );
                                }
                            });
                            if notice.is_failure && ui.button(key::READING_DISMISS.get(lang)).clicked() {
                                dismissed = Some(at);
                            }
                        });
                    },
                );
            }
        });
    if let Some(at) = dismissed {
        room.notices.0.remove(at);
    }
}
