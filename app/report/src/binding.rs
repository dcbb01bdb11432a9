//! Keeping the numbers in the text and the findings together.

use crate::document::{Block, Document, Slot, SlotState};
use crate::error::Result;
use crate::op::Op;
use mj_model::Finding;

/// The operations that bring the slots of a document up to the present revision of a finding: they show the present
/// numbers, or are `gone` when the finding or the measurement was rejected or taken back.
pub(crate) fn slot_updates(document: &Document, finding: &Finding) -> Vec<Op> {
    document.slots().filter(|(_, slot)| slot.finding == finding.id).filter_map(|(_, slot)| update_slot(slot, finding)).collect()
}

/// What a slot of a measurement is to show; `None` for a measurement that no longer counts.
fn present(finding: &Finding, measurement: &str) -> Option<String> {
    finding.is_live().then(|| finding.measurement(measurement)).flatten().map(|m| m.quantity.shown())
}

fn update_slot(slot: &Slot, finding: &Finding) -> Option<Op> {
    // An older revision than the one shown comes late; the newer one has been here already.
    if slot.finding_revision > finding.revision {
        return None;
    }
    let (shown, state) = match present(finding, &slot.measurement) {
        Some(shown) => (shown, SlotState::Verified),
        // What was shown last stays readable, so that the reader sees which number lost its ground.
        None => (slot.shown.clone(), SlotState::Gone),
    };
    let is_same = slot.shown == shown && slot.state == state && slot.finding_revision == finding.revision;
    (!is_same).then(|| Op::UpdateSlot { slot: slot.id.clone(), shown, finding_revision: finding.revision, state })
}

/// A fresh id for a slot or a mark.
#[must_use]
pub fn fresh_anchor() -> String {
    mj_model::uid::fresh().trim_start_matches("2.25.").to_owned()
}

/// The slot of a measurement at its present value.
#[must_use]
pub fn slot_for(finding: &Finding, measurement: &str, at: usize) -> Option<Slot> {
    let shown = present(finding, measurement)?;
    Some(Slot {
        id: fresh_anchor(),
        at,
        finding: finding.id.clone(),
        measurement: measurement.into(),
        finding_revision: finding.revision,
        shown,
        state: SlotState::Verified,
    })
}

/// The operation that puts the number of a measurement at a place in the text (a cursor). `None` when the
/// finding has no such measurement or no longer counts.
#[must_use]
pub fn insert_number(block: &str, at: usize, finding: &Finding, measurement: &str) -> Option<Op> {
    slot_for(finding, measurement, at).map(|slot| Op::InsertSlot { block: block.into(), slot })
}

impl Document {
    /// The operations that turn a block's text into `text`, with as little as possible taken out: what the old
    /// and the new text share at both ends stays, slots whose number the new text repeats included.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchBlock`]; [`crate::Error::ForbiddenCharacter`] when `text` cannot be typed.
    pub fn set_text(&self, block: &str, text: &str) -> Result<Vec<Op>> {
        let old = self.block(block)?;
        crate::document::refuse_forbidden(text)?;
        let new: Vec<char> = text.chars().collect();
        let tokens = tokens(old);
        let mut ops = Vec::new();
        // Kept slots cut both texts into stretches, which are compared one by one.
        let (mut old_from, mut new_from, mut at) = (0, 0, 0);
        for slot in &old.slots {
            let Some(found) = tokens.get(slot.at).and_then(|shown| find_number(shown, &new, new_from)) else { continue };
            let stretch = tokens.get(old_from..slot.at).unwrap_or_default();
            at += replace(block, at, stretch, new.get(new_from..found).unwrap_or_default(), &mut ops) + 1;
            old_from = slot.at + 1;
            new_from = found + tokens.get(slot.at).map_or(0, Vec::len);
        }
        replace(block, at, tokens.get(old_from..).unwrap_or_default(), new.get(new_from..).unwrap_or_default(), &mut ops);
        Ok(ops)
    }
}

/// Where a shown number stands in a text as a number of its own, from a place on.
fn find_number(shown: &[char], text: &[char], from: usize) -> Option<usize> {
    let is_cut = |at: usize| at.checked_sub(1).and_then(|i| text.get(i)).is_some_and(|c| c.is_ascii_digit() || *c == '.');
    (from..=text.len().checked_sub(shown.len())?)
        .find(|&at| !is_cut(at) && text.get(at..at + shown.len()).is_some_and(|t| is_same_text(shown, t)))
}

/// Adds the operations that turn a stretch without kept slots into new text; gives the new length.
fn replace(block: &str, at: usize, old: &[Vec<char>], new: &[char], ops: &mut Vec<Op>) -> usize {
    let (head, head_chars) = common_head(old, new);
    let rest = old.get(head..).unwrap_or_default();
    let (tail, tail_chars) = common_tail(rest, new.get(head_chars..).unwrap_or_default());
    if rest.len() > tail {
        ops.push(Op::Delete { block: block.into(), at: at + head, len: rest.len() - tail });
    }
    let middle: String = new.get(head_chars..new.len() - tail_chars).unwrap_or_default().iter().collect();
    let added = middle.chars().count();
    if added > 0 {
        ops.push(Op::Insert { block: block.into(), at: at + head, text: middle });
    }
    head + added + tail
}

/// Each character of a block as the characters people read there.
fn tokens(block: &Block) -> Vec<Vec<char>> {
    let mut slots = block.slots.iter();
    let shown = |c: char, slots: &mut std::slice::Iter<'_, Slot>| match c {
        crate::document::SLOT_CHAR => slots.next().map_or_else(Vec::new, |slot| slot.shown.chars().collect()),
        c => vec![c],
    };
    block.text.chars().map(|c| shown(c, &mut slots)).collect()
}

/// A thin space in a shown number may come back as an ordinary one from a command line.
fn is_same_text(a: &[char], b: &[char]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x == y || (x.is_whitespace() && y.is_whitespace() && *x != '\n' && *y != '\n'))
}

fn common_head(tokens: &[Vec<char>], new: &[char]) -> (usize, usize) {
    let mut used = 0;
    let shared = tokens.iter().take_while(|token| {
        let same = new.get(used..used + token.len()).is_some_and(|next| is_same_text(token, next));
        used += if same { token.len() } else { 0 };
        same
    });
    (shared.count(), used)
}

fn common_tail(tokens: &[Vec<char>], new: &[char]) -> (usize, usize) {
    let mut left = new.len();
    let shared = tokens.iter().rev().take_while(|token| {
        let start = left.checked_sub(token.len());
        let same = start.and_then(|start| new.get(start..left)).is_some_and(|next| is_same_text(token, next));
        left -= if same { token.len() } else { 0 };
        same
    });
    let n = shared.count();
    (n, new.len() - left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{document, finding};
    use mj_model::FindingState;

    #[test]
    fn a_slot_follows_its_finding() {
        let mut doc = document("右肺结节，直径约。");
        let mut f = finding("f1", 12.3);
        doc.apply(&[insert_number("findings", 8, &f, "m1").unwrap()]).unwrap();
        assert_eq!(doc.blocks[0].plain(), "右肺结节，直径约12.3\u{2009}mm。");
        assert!(slot_updates(&doc, &f).is_empty());
        f.revision = 2;
        f.measurements[0].quantity.value = 14.0;
        let ops = slot_updates(&doc, &f);
        doc.apply(&ops).unwrap();
        assert_eq!(doc.blocks[0].plain(), "右肺结节，直径约14.0\u{2009}mm。");
        // An older revision that arrives late changes nothing.
        assert!(slot_updates(&doc, &finding("f1", 12.3)).is_empty());
        f.revision = 3;
        f.state = FindingState::Deleted;
        doc.apply(&slot_updates(&doc, &f)).unwrap();
        let slot = doc.slots().next().unwrap().1;
        assert_eq!((slot.state, slot.shown.as_str(), slot.finding_revision), (SlotState::Gone, "14.0\u{2009}mm", 3));
        assert!(insert_number("findings", 0, &f, "m1").is_none());
    }

    #[test]
    fn setting_a_text_keeps_what_it_repeats() {
        let mut doc = document("约。");
        doc.apply(&[insert_number("findings", 1, &finding("f1", 12.3), "m1").unwrap()]).unwrap();
        for (text, slots) in [("大约12.3 mm，稳定。", 1), ("约12.3 mm", 1), ("约12.4 mm", 0), ("", 0)] {
            let mut copy = doc.clone();
            copy.apply(&copy.set_text("findings", text).unwrap()).unwrap();
            assert_eq!(copy.blocks[0].plain().replace('\u{2009}', " "), text);
            assert_eq!(copy.blocks[0].slots.len(), slots, "{text}");
            copy.validate().unwrap();
        }
        assert!(doc.set_text("findings", "a\u{FFFC}").is_err());
    }
}
