//! What must hold for every document and every edit.

use crate::document::{Block, BlockKind, Claim, ClaimState, Document, Mark, SLOT_CHAR, Slot, SlotState};
use crate::op::Op;
use crate::rebase::{rebase, transform};
use crate::testing::document;
use proptest::prelude::*;

/// A random wish, which becomes an operation when it meets a document.
#[derive(Debug, Clone)]
struct Wish {
    kind: u8,
    block: u8,
    a: u32,
    b: u32,
    text: String,
}

fn wish() -> impl Strategy<Value = Wish> {
    let text = prop::sample::select(vec!["x", "结节", "𝄞m", "。\n", "12.3 mm", ""]);
    (0_u8..8, 0_u8..2, any::<u32>(), any::<u32>(), text).prop_map(|(kind, block, a, b, text)| Wish { kind, block, a, b, text: text.into() })
}

fn wishes(max: usize) -> impl Strategy<Value = Vec<Wish>> {
    prop::collection::vec(wish(), 0..max)
}

/// Ids are drawn from few numbers, so that both sides often mean the same slot or mark.
fn slot(id: u32, at: usize, revision: u32) -> Slot {
    let shown = format!("{id}.{revision} mm");
    Slot {
        id: format!("s{}", id % 6),
        at,
        finding: "f".into(),
        measurement: "m".into(),
        finding_revision: revision,
        shown,
        state: SlotState::Verified,
    }
}

fn claim(n: u32) -> Claim {
    let states = [ClaimState::Verified, ClaimState::Stale, ClaimState::Contradicted, ClaimState::Unsupported];
    Claim::bound(format!("f{n}"), states[n as usize % 4])
}

fn to_op(wish: &Wish, doc: &Document) -> Option<Op> {
    let block = &doc.blocks[usize::from(wish.block) % doc.blocks.len()];
    let (n, id) = (block.n_chars(), block.id.clone());
    let at = wish.a as usize % (n + 1);
    let op = match wish.kind {
        0 | 1 => Op::Insert { block: id, at, text: wish.text.clone() },
        2 | 3 if n > 0 => Op::Delete { block: id, at: at.min(n - 1), len: 1 + wish.b as usize % (n - at.min(n - 1)) },
        4 => Op::InsertSlot { block: id, slot: slot(wish.b, at, 1 + wish.a % 3) },
        5 => {
            let s = slot(wish.a, 0, wish.b % 4);
            Op::UpdateSlot { slot: s.id, shown: s.shown, finding_revision: s.finding_revision, state: SlotState::Stale }
        }
        6 if n > 0 => {
            let start = at.min(n - 1);
            let mark = Mark { id: format!("k{}", wish.b % 6), start, end: start + 1 + wish.b as usize % (n - start), claim: claim(wish.b) };
            Op::AddMark { block: id, mark }
        }
        7 if wish.a.is_multiple_of(2) => Op::SetClaim { mark: format!("k{}", wish.b % 6), claim: claim(wish.a) },
        7 => Op::RemoveMark { mark: format!("k{}", wish.b % 6) },
        _ => return None,
    };
    Some(op)
}

/// The operations of the wishes that can be done, each against what the ones before it left.
fn to_ops(wishes: &[Wish], doc: &Document) -> Vec<Op> {
    let mut scratch = doc.clone();
    let ops = wishes.iter().filter_map(|wish| {
        let op = to_op(wish, &scratch)?;
        scratch.apply(std::slice::from_ref(&op)).is_ok().then_some(op)
    });
    ops.collect()
}

fn start(wishes: &[Wish]) -> Document {
    let mut doc = document("右肺上叶见结节，\n直径约。");
    doc.apply(&to_ops(wishes, &doc)).unwrap();
    doc
}

fn applied(doc: &Document, ops: &[Op]) -> Document {
    let mut next = doc.clone();
    next.apply(ops).unwrap();
    next.validate().unwrap();
    next
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn both_orders_give_the_same_document(base in wishes(12), a in wishes(9), b in wishes(9)) {
        let doc = start(&base);
        let (a, b) = (to_ops(&a, &doc), to_ops(&b, &doc));
        let (a_after_b, b_after_a) = transform(&a, &b);
        let one = applied(&applied(&doc, &a), &b_after_a);
        let two = applied(&applied(&doc, &b), &a_after_b);
        prop_assert_eq!(&one.blocks, &two.blocks);
        prop_assert_eq!(rebase(&b, &a), b_after_a);
    }

    #[test]
    fn undo_gives_back_the_same_document(base in wishes(12), a in wishes(12)) {
        let doc = start(&base);
        let ops = to_ops(&a, &doc);
        let undo = doc.inverse(&ops).unwrap();
        let done = applied(&doc, &ops);
        prop_assert_eq!(&applied(&done, &undo).blocks, &doc.blocks);
        // And redo is the undo of the undo.
        let redo = done.inverse(&undo).unwrap();
        prop_assert_eq!(&applied(&applied(&done, &undo), &redo).blocks, &done.blocks);
    }

    #[test]
    fn an_undo_past_later_edits_can_be_done(base in wishes(12), a in wishes(6), b in wishes(6)) {
        let doc = start(&base);
        let ops = to_ops(&a, &doc);
        let undo = doc.inverse(&ops).unwrap();
        let done = applied(&doc, &ops);
        let later = to_ops(&b, &done);
        let _: Document = applied(&applied(&done, &later), &rebase(&undo, &later));
    }

    #[test]
    fn a_text_that_is_set_is_what_people_read(base in wishes(14), text in "[右肺结节约 0-9.m\n。]{0,30}") {
        let doc = start(&base);
        let next = applied(&doc, &doc.set_text("findings", &text).unwrap());
        prop_assert_eq!(next.blocks[0].plain(), text);
        let same = doc.blocks[0].plain();
        prop_assert_eq!(&applied(&doc, &doc.set_text("findings", &same).unwrap()).blocks, &doc.blocks);
    }

    #[test]
    fn a_bad_operation_changes_nothing(base in wishes(12), a in wishes(6), at in 100_usize.., len in 1_usize..) {
        let doc = start(&base);
        let bad = [
            Op::Insert { block: "findings".into(), at: usize::MAX - at % 5, text: "x".into() },
            Op::Insert { block: "findings".into(), at: 0, text: SLOT_CHAR.into() },
            Op::Insert { block: "elsewhere".into(), at: 0, text: "x".into() },
            Op::Delete { block: "findings".into(), at: 0, len: 0 },
            Op::Delete { block: "findings".into(), at, len },
            Op::InsertSlot { block: "impression".into(), slot: slot(1000, usize::MAX, 1) },
            Op::AddMark { block: "findings".into(), mark: Mark { id: "z".into(), start: 1, end: 1, claim: claim(0) } },
            Op::AddMark { block: "findings".into(), mark: Mark { id: "z".into(), start: 0, end: at, claim: claim(0) } },
        ];
        for bad in bad {
            let mut ops = to_ops(&a, &doc);
            // Moving nonsense past real edits must not fall over either.
            let moved = transform(&ops, std::slice::from_ref(&bad));
            drop(moved);
            ops.push(bad);
            let mut next = doc.clone();
            prop_assert!(next.apply(&ops).is_err());
            prop_assert_eq!(&next, &doc);
        }
    }
}

#[test]
fn the_first_in_history_stands_first() {
    let doc = document("ab");
    let insert = |text: &str| vec![Op::Insert { block: "findings".into(), at: 1, text: text.into() }];
    let (first, second) = (insert("1"), insert("2"));
    let both = applied(&applied(&doc, &first), &rebase(&second, &first));
    assert_eq!(both.blocks[0].text, "a12b");
}

#[test]
fn what_another_put_into_a_deletion_stays() {
    let doc = document("abcd");
    let delete = vec![Op::Delete { block: "findings".into(), at: 1, len: 2 }];
    let insert = vec![Op::Insert { block: "findings".into(), at: 2, text: "X".into() }];
    let both = applied(&applied(&doc, &insert), &rebase(&delete, &insert));
    assert_eq!(both.blocks[0].text, "aXd");
}

#[test]
fn a_newer_revision_of_a_finding_wins() {
    let update = |revision: u32| {
        vec![Op::UpdateSlot { slot: "s".into(), shown: revision.to_string(), finding_revision: revision, state: SlotState::Verified }]
    };
    assert!(rebase(&update(3), &update(4)).is_empty());
    assert_eq!(rebase(&update(4), &update(3)), update(4));
    assert_eq!(rebase(&update(4), &update(4)), update(4));
}

#[test]
fn huge_texts_stay_fast() {
    let mut doc = document("");
    doc.blocks[0] = Block::new("findings", "检查所见", "Findings", BlockKind::Findings);
    let line = "双肺纹理清晰，走行自然，未见明显实变影。\n";
    doc.apply(&[Op::Insert { block: "findings".into(), at: 0, text: line.repeat(2_000) }]).unwrap();
    assert!(doc.blocks[0].text.len() > 100_000);
    let clock = std::time::Instant::now();
    let n = 100;
    for i in 0..n {
        doc.apply(&[Op::Insert { block: "findings".into(), at: 20_000 + i, text: "字".into() }]).unwrap();
    }
    let each = clock.elapsed() / u32::try_from(n).unwrap();
    assert!(each < std::time::Duration::from_millis(20), "{each:?} a keystroke");
}
