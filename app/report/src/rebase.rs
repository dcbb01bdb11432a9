//! Moving edits past each other, so that two who edited the same revision end with the same document.
//!
//! The rule is symmetric in everything but ties, and a tie is decided by history: of two texts put in at one
//! place, the one that is *first* in history stands first.

use crate::apply::{mark_after_delete, mark_after_insert, shifted_by_delete, shifted_by_insert};
use crate::document::{Mark, Slot};
use crate::op::Op;

/// The operations `ops`, made against the same revision as `over`, as they are to be done after `over`.
///
/// Text of `over` put in at the same place comes first. An operation that has nothing left to do disappears.
#[must_use]
pub fn rebase(ops: &[Op], over: &[Op]) -> Vec<Op> {
    transform(over, ops).1
}

/// Both sides moved past each other: (`first` as it is done after `second`, `second` as it is done after
/// `first`). Either order gives the same blocks: `first` then `second'`, or `second` then `first'`. The page
/// uses the first half for what the record tells it while its own edits are on their way.
#[must_use]
pub fn transform(first: &[Op], second: &[Op]) -> (Vec<Op>, Vec<Op>) {
    let mut second = second.to_vec();
    let mut first_out = Vec::with_capacity(first.len());
    for op in first {
        // One operation of the first side walks past all of the second; it may split or vanish on the way.
        let mut walking = vec![op.clone()];
        let mut second_out = Vec::with_capacity(second.len());
        for other in second {
            let (walked, moved) = past_one(&walking, &other);
            walking = walked;
            second_out.extend(moved);
        }
        first_out.extend(walking);
        second = second_out;
    }
    (first_out, second)
}

/// A list of the first side past one operation of the second.
fn past_one(first: &[Op], second: &Op) -> (Vec<Op>, Vec<Op>) {
    match first {
        [] => (Vec::new(), vec![second.clone()]),
        [one] => pair(one, second),
        many => transform(many, std::slice::from_ref(second)),
    }
}

/// Two single operations past each other.
fn pair(first: &Op, second: &Op) -> (Vec<Op>, Vec<Op>) {
    if let Some(both) = same_anchor(first, second) {
        return both;
    }
    (past(first, second, true), past(second, first, false))
}

/// Conflicts over one slot or mark, which positions cannot decide.
fn same_anchor(first: &Op, second: &Op) -> Option<(Vec<Op>, Vec<Op>)> {
    match (first, second) {
        // The newer revision of the finding is what both sides shall see; of equal ones the later edit.
        (Op::UpdateSlot { slot: a, finding_revision: x, .. }, Op::UpdateSlot { slot: b, finding_revision: y, .. }) if a == b => {
            Some(if x > y { (vec![first.clone()], Vec::new()) } else { (Vec::new(), vec![second.clone()]) })
        }
        (Op::SetClaim { mark: a, .. }, Op::SetClaim { mark: b, .. }) if a == b => Some((Vec::new(), vec![second.clone()])),
        // A slot that both put in stands where the first put it.
        (Op::InsertSlot { slot: a, .. }, Op::InsertSlot { block, slot: b }) if a.id == b.id => {
            let take_out = Op::Delete { block: block.clone(), at: b.at, len: 1 };
            Some((vec![take_out, first.clone()], Vec::new()))
        }
        (Op::AddMark { mark: a, .. }, Op::AddMark { mark: b, .. }) if a.id == b.id => {
            let take_off = Op::RemoveMark { mark: b.id.clone() };
            Some((vec![take_off, first.clone()], Vec::new()))
        }
        // Who changed or removed what was not there yet did nothing.
        (Op::InsertSlot { slot, .. }, Op::UpdateSlot { slot: id, .. }) if slot.id == *id => Some((vec![first.clone()], Vec::new())),
        (Op::UpdateSlot { slot: id, .. }, Op::InsertSlot { slot, .. }) if slot.id == *id => Some((Vec::new(), vec![second.clone()])),
        (Op::AddMark { mark, .. }, Op::SetClaim { mark: id, .. } | Op::RemoveMark { mark: id }) if mark.id == *id => {
            Some((vec![first.clone()], Vec::new()))
        }
        (Op::SetClaim { mark: id, .. } | Op::RemoveMark { mark: id }, Op::AddMark { mark, .. }) if mark.id == *id => {
            Some((Vec::new(), vec![second.clone()]))
        }
        _ => None,
    }
}

/// `op` as it is done after `over`; `is_first` says whether it stands first at the same place.
fn past(op: &Op, over: &Op, is_first: bool) -> Vec<Op> {
    match over {
        Op::Insert { block, at, text } => past_insert(op, block, *at, text.chars().count(), is_first),
        Op::InsertSlot { block, slot } => past_insert(op, block, slot.at, 1, is_first),
        Op::Delete { block, at, len } => past_delete(op, block, *at, *len),
        Op::UpdateSlot { .. } | Op::AddMark { .. } | Op::SetClaim { .. } | Op::RemoveMark { .. } => vec![op.clone()],
    }
}

fn past_insert(op: &Op, over_block: &str, over_at: usize, added: usize, is_first: bool) -> Vec<Op> {
    let place = |at: usize| if at > over_at || (at == over_at && !is_first) { at.saturating_add(added) } else { at };
    match op {
        Op::Insert { block, at, text } if block == over_block => {
            vec![Op::Insert { block: block.clone(), at: place(*at), text: text.clone() }]
        }
        Op::InsertSlot { block, slot } if block == over_block => {
            vec![Op::InsertSlot { block: block.clone(), slot: Slot { at: place(slot.at), ..slot.clone() } }]
        }
        Op::Delete { block, at, len } if block == over_block => delete_around(block, *at, *len, over_at, added),
        Op::AddMark { block, mark } if block == over_block => with_mark(op, block, Some(mark_after_insert(mark, over_at, added))),
        _ => vec![op.clone()],
    }
}

/// A deletion leaves alone what someone else put into its middle.
fn delete_around(block: &str, at: usize, len: usize, over_at: usize, added: usize) -> Vec<Op> {
    let delete = |at: usize, len: usize| Op::Delete { block: block.into(), at, len };
    if over_at > at && over_at < at.saturating_add(len) {
        let before = over_at - at;
        return vec![delete(at, before), delete(at.saturating_add(added), len - before)];
    }
    vec![delete(shifted_by_insert(at, over_at, added), len)]
}

fn past_delete(op: &Op, over_block: &str, over_at: usize, over_len: usize) -> Vec<Op> {
    let place = |at: usize| shifted_by_delete(at, over_at, over_len);
    match op {
        Op::Insert { block, at, text } if block == over_block => {
            vec![Op::Insert { block: block.clone(), at: place(*at), text: text.clone() }]
        }
        Op::InsertSlot { block, slot } if block == over_block => {
            vec![Op::InsertSlot { block: block.clone(), slot: Slot { at: place(slot.at), ..slot.clone() } }]
        }
        Op::Delete { block, at, len } if block == over_block => {
            let (start, end) = (place(*at), place(at.saturating_add(*len)));
            if start == end { Vec::new() } else { vec![Op::Delete { block: block.clone(), at: start, len: end - start }] }
        }
        Op::AddMark { block, mark } if block == over_block => with_mark(op, block, mark_after_delete(mark, over_at, over_len)),
        _ => vec![op.clone()],
    }
}

fn with_mark(op: &Op, block: &str, mark: Option<Mark>) -> Vec<Op> {
    match (op, mark) {
        (Op::AddMark { .. }, Some(mark)) => vec![Op::AddMark { block: block.into(), mark }],
        _ => Vec::new(),
    }
}
