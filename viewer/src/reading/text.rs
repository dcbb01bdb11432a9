//! Texts of annotations, typed in the parent's window: input methods work there.

use crate::reading::gesture;
use crate::reading::room::{Port, Room};
use egui::Pos2;
use mj_link::ToParent;
use mj_model::{Finding, FindingState, StudyUid};

/// An annotation that waits for its text.
pub(crate) struct Asked {
    request: u64,
    finding: Finding,
}

impl Asked {
    /// The annotation's study.
    pub(crate) const fn study(&self) -> &StudyUid {
        &self.finding.study
    }
}

/// True where somebody can be asked for a text.
pub(crate) const fn can_ask(room: &Room) -> bool {
    matches!(room.port, Port::Parent(_))
}

/// Asks for an annotation's text; a question that was open is given up.
pub(crate) fn ask(room: &mut Room, finding: Finding) {
    if !can_ask(room) {
        return;
    }
    let request = room.next_request();
    let text = finding.label.clone().unwrap_or_default();
    room.asked_text = Some(Asked { request, finding });
    room.send(ToParent::TextWanted { request, question: "reading.text.question".into(), text });
}

/// Asks for the text of the annotation under the pointer anew; false where there is none.
pub(crate) fn ask_again(room: &mut Room, pane: usize, at: Pos2) -> bool {
    let hit = room.hits.iter().rev().find(|hit| hit.pane == pane && hit.grip(at).is_some()).map(|hit| hit.id.clone());
    let found = hit.and_then(|id| room.scene.as_ref()?.ledger.get(&id).cloned()).filter(Finding::is_annotation);
    let Some(finding) = found.filter(|_| can_ask(room)) else { return false };
    ask(room, finding);
    true
}

/// The answer: an annotation gets its text; none leaves everything as it was.
pub(crate) fn given(room: &mut Room, request: u64, text: Option<String>) {
    let Some(Asked { finding, .. }) = room.asked_text.take_if(|asked| asked.request == request) else { return };
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return };
    // It may have been moved meanwhile, or taken back.
    let present = room.scene.as_ref().and_then(|scene| scene.ledger.get(&finding.id).cloned());
    let is_gone = present.as_ref().is_some_and(|present| !present.is_live());
    let is_of_study = room.scene.as_ref().is_some_and(|scene| scene.study == finding.study);
    if is_gone || !is_of_study {
        return;
    }
    let state = if present.is_some() { FindingState::Edited } else { finding.state };
    gesture::commit(room, Finding { label: Some(text), state, ..present.unwrap_or(finding) });
}
