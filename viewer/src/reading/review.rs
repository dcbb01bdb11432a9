//! Review by keys: from one finding to the next, what waits first; accept, or reject with a reason by one more key.

use crate::reading::measuring;
use crate::reading::room::Room;
use crate::reading::scene::Scene;
use egui::{Align2, Key, vec2};
use mj_lang::key;
use mj_model::{Code, Finding, FindingState, Lang};
use serde::Deserialize;
use std::sync::OnceLock;

/// Findings in the order of their importance: what nobody has looked at first, the surest of them first, then the largest;
/// what is decided follows in the order in which it was made.
pub(crate) fn order(scene: &Scene) -> Vec<String> {
    let mut all: Vec<&Finding> = scene.ledger.shown().map(|shown| shown.finding).filter(|f| !f.is_annotation()).collect();
    let rank = |f: &Finding| {
        let waits = f.state == FindingState::Proposed;
        (waits, f.certainty_percent.filter(|_| waits).unwrap_or(0.0), size_mm(f).filter(|_| waits).unwrap_or(0.0))
    };
    all.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.total_cmp(&a.2))
    });
    all.into_iter().map(|f| f.id.clone()).collect()
}

/// The largest length of a finding. Units: mm.
fn size_mm(finding: &Finding) -> Option<f64> {
    let lengths = finding.measurements.iter().filter(|m| m.quantity.unit == mj_model::Unit::mm());
    lengths.map(|m| m.quantity.value).max_by(f64::total_cmp)
}

/// Goes to the next finding in the order of importance, or to the one before; from the last to the first.
pub(crate) fn step(room: &mut Room, is_forward: bool) {
    let Some(scene) = &room.scene else { return };
    let order = order(scene);
    let at = scene.selected.as_ref().and_then(|id| order.iter().position(|one| one == id));
    let n = order.len();
    let next = match (at, is_forward) {
        (None, true) => 0,
        (None, false) => n.saturating_sub(1),
        (Some(at), true) => (at + 1) % n.max(1),
        (Some(at), false) => (at + n - 1) % n.max(1),
    };
    if let Some(id) = order.get(next) {
        room.select(id, true);
    }
}

/// The chosen finding is accepted, and the next that waits is gone to.
pub(crate) fn accept(room: &mut Room) {
    let chosen = room.scene.as_ref().and_then(|scene| scene.selected.clone());
    if let Some(id) = chosen {
        decide(room, &id, |finding| Finding { state: FindingState::Accepted, reason: None, ..finding });
    }
}

/// Asks for the reason: one of the keys 1 to 9 gives it, Escape gives up.
pub(crate) fn ask_reason(room: &mut Room) {
    room.asks_reason = room.scene.as_ref().and_then(|scene| scene.selected.clone());
}

fn decide(room: &mut Room, id: &str, change: impl FnOnce(Finding) -> Finding) {
    let Some(scene) = &mut room.scene else { return };
    let before = order(scene);
    let Some(finding) = scene.ledger.get(id).filter(|f| f.is_live()).cloned() else { return };
    let message = scene.ledger.commit(change(finding));
    room.send_finding(message);
    room.tell_selected(id);
    let Some(scene) = &room.scene else { return };
    let waits = |one: &&String| scene.ledger.get(one).is_some_and(|f| f.is_live() && f.state == FindingState::Proposed);
    let next = before.iter().skip_while(|one| *one != id).chain(&before).filter(|one| *one != id).find(waits).cloned();
    if let Some(next) = next {
        room.select(&next, true);
    }
}

/// A digit is a reason while one is asked for. True when the key was taken.
pub(crate) fn take_key(room: &mut Room, pressed: Key) -> bool {
    // The finding that was asked about, whatever was chosen meanwhile.
    let Some(id) = room.asks_reason.take() else { return false };
    const DIGITS: [Key; 9] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];
    let reason = DIGITS.iter().position(|key| *key == pressed).and_then(|n| reasons().get(n));
    // Whatever else is pressed gives the question up, and what it means is done.
    let Some(reason) = reason else { return pressed == Key::Escape };
    decide(room, &id, |finding| Finding { state: FindingState::Rejected, reason: Some(reason.clone()), ..finding });
    true
}

/// The question, over the pictures.
pub(crate) fn show(room: &Room, ctx: &egui::Context) {
    let Some(scene) = &room.scene else { return };
    let asked = room.asks_reason.as_ref().and_then(|id| scene.ledger.shown().find(|shown| shown.finding.id == *id));
    let Some(shown) = asked else { return };
    let lang = room.lang;
    egui::Window::new(key::READING_REJECT_WHY.get(lang))
        .id(egui::Id::unique("reading-reject"))
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -60.0))
        .show(ctx, |ui| {
            let value = measuring::main_line(&shown.finding.measurements);
            let which = format!("{}  {}  {value}", shown.number, shown.finding.name(lang));
            ui.label(egui::RichText::new(which).color(room.theme.colours.text_secondary));
            egui::Grid::new("reading-reject-reasons").num_columns(2).spacing(vec2(16.0, 4.0)).show(ui, |ui| {
                for (n, reason) in reasons().iter().enumerate() {
                    ui.label(egui::RichText::new((n + 1).to_string()).color(room.theme.colours.accent));
                    ui.label(reason.name(lang));
                    ui.end_row();
                }
                ui.label(egui::RichText::new("Esc").color(room.theme.colours.accent));
                ui.label(key::READING_REJECT_NOT.get(lang));
            });
        });
}

/// Who proposed a finding, as it is told beside it: name and version of the device.
pub(crate) fn provenance(finding: &Finding, lang: Lang) -> Option<String> {
    let device = finding.proposed_by.as_ref()?;
    let sure = finding.certainty_percent.map(|percent| format!("  {percent:.0} %")).unwrap_or_default();
    Some(key::READING_PROPOSED_BY.with(lang, &[("device", &format!("{} {}{sure}", device.name, device.version))]))
}

/// Why a person may reject a finding.
fn reasons() -> &'static [Code] {
    #[derive(Default, Deserialize)]
    struct Lists {
        reasons: Vec<[String; 4]>,
    }
    static READ: OnceLock<Vec<Code>> = OnceLock::new();
    READ.get_or_init(|| {
        let lists: Lists = toml::from_str(include_str!("../../../assets/codes/terms.toml")).unwrap_or_default();
        lists.reasons.iter().map(|[scheme, code, en, zh]| Code::new(scheme, code, en, zh)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_reason_for_every_key_that_is_told() {
        assert!((4..=9).contains(&reasons().len()));
        assert!(reasons().iter().all(|reason| !reason.name_zh.is_empty() && !reason.name_en.is_empty()));
    }
}
