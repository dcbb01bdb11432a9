//! Doing operations and finding their opposites.

use crate::document::{Block, Document, MAX_CHARS, Mark, SLOT_CHAR, Slot, refuse_forbidden};
use crate::error::{Error, Result};
use crate::op::Op;

impl Document {
    /// Does all operations in order, or none: the first that cannot be done leaves the document as it was.
    /// The revision goes up by one.
    ///
    /// # Errors
    /// [`Error::NoSuchBlock`], [`Error::BadPosition`], [`Error::ForbiddenCharacter`], [`Error::DuplicateId`],
    /// [`Error::TooLong`].
    pub fn apply(&mut self, ops: &[Op]) -> Result<()> {
        let mut next = self.clone();
        for op in ops {
            next.apply_one(op)?;
        }
        next.revision += 1;
        *self = next;
        Ok(())
    }

    /// The operations that undo `ops`, for the document as it is *before* they are applied.
    ///
    /// Applying `ops` and then these gives back the same blocks (the revision still goes up: undo appends).
    /// When other edits have come since, move them past those with [`crate::rebase`].
    ///
    /// # Errors
    /// As [`Document::apply`].
    pub fn inverse(&self, ops: &[Op]) -> Result<Vec<Op>> {
        let mut scratch = self.clone();
        let mut steps = Vec::with_capacity(ops.len());
        for op in ops {
            let undo = scratch.inverse_one(op);
            scratch.apply_one(op)?;
            steps.push(undo);
        }
        Ok(steps.into_iter().rev().flatten().collect())
    }

    fn apply_one(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Insert { block, at, text } => {
                refuse_forbidden(text)?;
                self.block_mut(block)?.insert(*at, text)
            }
            Op::Delete { block, at, len } => self.block_mut(block)?.delete(*at, *len),
            Op::InsertSlot { block, slot } => {
                self.refuse_known(&slot.id)?;
                self.block_mut(block)?.insert_slot(slot)
            }
            Op::AddMark { block, mark } => {
                self.refuse_known(&mark.id)?;
                self.block_mut(block)?.add_mark(mark)
            }
            Op::UpdateSlot { slot, shown, finding_revision, state } => {
                if let Some(slot) = self.blocks.iter_mut().flat_map(|b| &mut b.slots).find(|s| s.id == *slot) {
                    slot.shown.clone_from(shown);
                    slot.finding_revision = *finding_revision;
                    slot.state = *state;
                }
                Ok(())
            }
            Op::SetClaim { mark, claim } => {
                if let Some(mark) = self.blocks.iter_mut().flat_map(|b| &mut b.marks).find(|m| m.id == *mark) {
                    mark.claim = claim.clone();
                }
                Ok(())
            }
            Op::RemoveMark { mark } => {
                self.blocks.iter_mut().for_each(|block| block.marks.retain(|m| m.id != *mark));
                Ok(())
            }
        }
    }

    fn inverse_one(&self, op: &Op) -> Vec<Op> {
        match op {
            Op::Insert { block, at, text } => match text.chars().count() {
                0 => Vec::new(),
                len => vec![Op::Delete { block: block.clone(), at: *at, len }],
            },
            Op::InsertSlot { block, slot } => vec![Op::Delete { block: block.clone(), at: slot.at, len: 1 }],
            Op::Delete { block, at, len } => self.block(block).map(|b| b.restoring(*at, *len)).unwrap_or_default(),
            Op::UpdateSlot { slot, .. } => match self.slot(slot) {
                Some(s) => vec![Op::UpdateSlot {
                    slot: s.id.clone(),
                    shown: s.shown.clone(),
                    finding_revision: s.finding_revision,
                    state: s.state,
                }],
                None => Vec::new(),
            },
            Op::AddMark { mark, .. } => vec![Op::RemoveMark { mark: mark.id.clone() }],
            Op::SetClaim { mark, .. } => match self.mark(mark) {
                Some(m) => vec![Op::SetClaim { mark: m.id.clone(), claim: m.claim.clone() }],
                None => Vec::new(),
            },
            Op::RemoveMark { mark } => {
                let known = self.marks().find(|(_, m)| m.id == *mark);
                known.map(|(b, m)| Op::AddMark { block: b.id.clone(), mark: m.clone() }).into_iter().collect()
            }
        }
    }

    fn block_mut(&mut self, id: &str) -> Result<&mut Block> {
        self.blocks.iter_mut().find(|block| block.id == id).ok_or_else(|| Error::NoSuchBlock { block: id.into() })
    }

    fn refuse_known(&self, id: &str) -> Result<()> {
        if id.is_empty() || self.slot(id).is_some() || self.mark(id).is_some() {
            return Err(Error::DuplicateId { id: id.into() });
        }
        Ok(())
    }
}

impl Block {
    fn bad_position(&self, at: usize, len: usize) -> Error {
        Error::BadPosition { at, len, chars: self.n_chars() }
    }

    fn insert(&mut self, at: usize, text: &str) -> Result<()> {
        let place = self.byte_range(at, 0).ok_or_else(|| self.bad_position(at, 0))?;
        let added = text.chars().count();
        // Bytes are never fewer than characters, so that the count is taken only of a text that is long anyway.
        if self.text.len() + text.len() > MAX_CHARS && self.n_chars() + added > MAX_CHARS {
            return Err(Error::TooLong { limit: MAX_CHARS });
        }
        self.text.insert_str(place.start, text);
        for slot in &mut self.slots {
            slot.at = shifted_by_insert(slot.at, at, added);
        }
        for mark in &mut self.marks {
            *mark = mark_after_insert(mark, at, added);
        }
        Ok(())
    }

    fn insert_slot(&mut self, slot: &Slot) -> Result<()> {
        self.insert(slot.at, SLOT_CHAR.encode_utf8(&mut [0; 4]))?;
        let rank = self.slots.partition_point(|other| other.at < slot.at);
        self.slots.insert(rank, slot.clone());
        Ok(())
    }

    fn delete(&mut self, at: usize, len: usize) -> Result<()> {
        let range = (len > 0).then(|| self.byte_range(at, len)).flatten().ok_or_else(|| self.bad_position(at, len))?;
        self.text.replace_range(range, "");
        self.slots.retain(|slot| !(at..at + len).contains(&slot.at));
        for slot in &mut self.slots {
            slot.at = shifted_by_delete(slot.at, at, len);
        }
        self.marks = self.marks.iter().filter_map(|mark| mark_after_delete(mark, at, len)).collect();
        Ok(())
    }

    fn add_mark(&mut self, mark: &Mark) -> Result<()> {
        if mark.start >= mark.end || mark.end > self.n_chars() {
            return Err(self.bad_position(mark.start, mark.end.saturating_sub(mark.start)));
        }
        let key = |m: &Mark| (m.start, m.end, m.id.clone());
        let rank = self.marks.partition_point(|other| key(other) < key(mark));
        self.marks.insert(rank, mark.clone());
        Ok(())
    }

    /// The operations that put a stretch of text back with its slots, and the marks that go with it.
    fn restoring(&self, at: usize, len: usize) -> Vec<Op> {
        let Some(range) = self.byte_range(at, len) else { return Vec::new() };
        let block = || self.id.clone();
        let mut ops = Vec::new();
        let mut place = at;
        let mut slots = self.slots.iter().filter(|slot| slot.at >= at);
        for (i, piece) in self.text.get(range).unwrap_or_default().split(SLOT_CHAR).enumerate() {
            if let Some(slot) = (i > 0).then(|| slots.next()).flatten() {
                ops.push(Op::InsertSlot { block: block(), slot: slot.clone() });
                place += 1;
            }
            if !piece.is_empty() {
                ops.push(Op::Insert { block: block(), at: place, text: piece.into() });
                place += piece.chars().count();
            }
        }
        let lost = self.marks.iter().filter(|mark| mark_after_delete(mark, at, len).is_none());
        ops.extend(lost.map(|mark| Op::AddMark { block: block(), mark: mark.clone() }));
        ops
    }
}

/// Where a character at `place` stands after `added` characters were put in at `at`.
pub(crate) const fn shifted_by_insert(place: usize, at: usize, added: usize) -> usize {
    if place >= at { place.saturating_add(added) } else { place }
}

/// Where a character at `place` that is not itself deleted stands after a deletion.
pub(crate) const fn shifted_by_delete(place: usize, at: usize, len: usize) -> usize {
    if place >= at.saturating_add(len) {
        place - len
    } else if place > at {
        at
    } else {
        place
    }
}

/// A mark after text was put in.
pub(crate) fn mark_after_insert(mark: &Mark, at: usize, added: usize) -> Mark {
    let last = shifted_by_insert(mark.end.saturating_sub(1), at, added);
    Mark { start: shifted_by_insert(mark.start, at, added), end: last.saturating_add(1), ..mark.clone() }
}

/// A mark after text was taken out, or `None` when its first or last character was.
pub(crate) fn mark_after_delete(mark: &Mark, at: usize, len: usize) -> Option<Mark> {
    let (first, last) = (mark.start, mark.end.saturating_sub(1));
    let gone = at..at.saturating_add(len);
    (!gone.contains(&first) && !gone.contains(&last)).then(|| Mark {
        start: shifted_by_delete(first, at, len),
        end: shifted_by_delete(last, at, len) + 1,
        ..mark.clone()
    })
}
