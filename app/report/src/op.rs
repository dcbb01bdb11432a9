//! Changes of a document, as small as they are typed.

use crate::document::{Claim, Mark, Slot, SlotState};
use serde::{Deserialize, Serialize};

/// One change. Positions are those of the text as the operations before it in the same list left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Puts text in.
    Insert {
        /// The block.
        block: String,
        /// Where. Units: characters.
        at: usize,
        /// What; never the character of a slot.
        text: String,
    },
    /// Takes text out; slots in it go with it, and marks whose first or last character is in it.
    Delete {
        /// The block.
        block: String,
        /// From where. Units: characters.
        at: usize,
        /// How many characters, at least one.
        len: usize,
    },
    /// Puts a bound number in, at the slot's own place.
    InsertSlot {
        /// The block.
        block: String,
        /// The slot.
        slot: Slot,
    },
    /// Changes what a slot shows. Nothing happens when the slot is no longer there.
    UpdateSlot {
        /// Id of the slot.
        slot: String,
        /// Number and unit as people read them.
        shown: String,
        /// Revision of the finding they were taken from.
        finding_revision: u32,
        /// Whether that is what was measured.
        state: SlotState,
    },
    /// Marks a claim.
    AddMark {
        /// The block.
        block: String,
        /// The mark.
        mark: Mark,
    },
    /// Changes what is claimed. Nothing happens when the mark is no longer there.
    SetClaim {
        /// Id of the mark.
        mark: String,
        /// The claim.
        claim: Claim,
    },
    /// Takes a mark away. Nothing happens when it is no longer there.
    RemoveMark {
        /// Id of the mark.
        mark: String,
    },
}

/// What made an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EditSource {
    /// Keys or an input method.
    Typing,
    /// Speech.
    Dictation,
    /// A measurement that was bound or changed.
    Binding,
    /// A template or a phrase of one.
    Template,
    /// Undo or redo.
    Undo,
}

/// Operations with the revision they were made against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Revision of the document that `ops` speak of.
    pub base_revision: u64,
    /// What to do, in order.
    pub ops: Vec<Op>,
    /// What made it.
    pub by: EditSource,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::ClaimState;

    /// The journal holds these shapes: a change here would make old journals unreadable.
    #[test]
    fn the_written_form_is_fixed() {
        let slot = Slot {
            id: "s1".into(),
            at: 2,
            finding: "f".into(),
            measurement: "m".into(),
            finding_revision: 1,
            shown: "12.3 mm".into(),
            state: SlotState::Verified,
        };
        let claim = Claim::bound("f".into(), ClaimState::Verified);
        let b = || "findings".to_owned();
        let cases = [
            (Op::Insert { block: b(), at: 0, text: "右肺".into() }, r#"{"op":"insert","block":"findings","at":0,"text":"右肺"}"#),
            (Op::Delete { block: b(), at: 1, len: 2 }, r#"{"op":"delete","block":"findings","at":1,"len":2}"#),
            (
                Op::InsertSlot { block: b(), slot },
                r#"{"op":"insert_slot","block":"findings","slot":{"id":"s1","at":2,"finding":"f","measurement":"m","finding_revision":1,"shown":"12.3 mm","state":"verified"}}"#,
            ),
            (
                Op::UpdateSlot { slot: "s1".into(), shown: "13.0 mm".into(), finding_revision: 2, state: SlotState::Gone },
                r#"{"op":"update_slot","slot":"s1","shown":"13.0 mm","finding_revision":2,"state":"gone"}"#,
            ),
            (
                Op::AddMark { block: b(), mark: Mark { id: "m1".into(), start: 0, end: 2, claim: claim.clone() } },
                r#"{"op":"add_mark","block":"findings","mark":{"id":"m1","start":0,"end":2,"claim":{"finding":"f","measurement":null,"state":"verified"}}}"#,
            ),
            (
                Op::SetClaim { mark: "m1".into(), claim },
                r#"{"op":"set_claim","mark":"m1","claim":{"finding":"f","measurement":null,"state":"verified"}}"#,
            ),
            (Op::RemoveMark { mark: "m1".into() }, r#"{"op":"remove_mark","mark":"m1"}"#),
        ];
        for (op, json) in cases {
            assert_eq!(serde_json::to_string(&op).unwrap(), json);
            assert_eq!(serde_json::from_str::<Op>(json).unwrap(), op);
        }
        let edit = Edit { base_revision: 7, ops: vec![], by: EditSource::Dictation };
        assert_eq!(serde_json::to_string(&edit).unwrap(), r#"{"base_revision":7,"ops":[],"by":"dictation"}"#);
    }
}
