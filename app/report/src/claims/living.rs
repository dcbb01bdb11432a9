//! Living sentences: the marks of a document at what is known now.
//!
//! A mark that was put in with its words (a drafted sentence) is bound for good. It is verified while its words and its
//! finding agree, stale when one of the two changed in something that the comparison does not see, contradicted when they
//! differ. Marks of typed and dictated text are found anew with every edit: which finding a claim speaks of, and whether it
//! says so. Text is never changed.

use super::assign;
use super::judge::{Conflict, Facts, ground, place_of, short_hash};
use super::lexicon::Lexicon;
use super::parse::{Presence, Said, Span, said};
use super::words::{comparable, scan};
use crate::binding::{fresh_anchor, slot_updates};
use crate::document::{Block, BlockKind, Claim, ClaimState, Document, Mark};
use crate::op::Op;
use crate::rules::Rules;
use mj_model::{Finding, FindingState};

/// What a report may speak of, at its present revisions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The findings of the study, and those of other studies that the report is bound to.
    pub findings: &'a [Finding],
    /// The same lesions at earlier examinations, by Tracking UID.
    pub priors: &'a [Finding],
}

/// A mark with everything in which it differs from its finding, each with its place in the text (characters, slots as one).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub mark: Mark,
    pub conflicts: Vec<(Conflict, Span)>,
}

/// The operations that bring numbers and claims of a document up to what is known. Empty when all of it is so already.
#[must_use]
pub fn living(document: &Document, known: Known<'_>) -> Vec<Op> {
    let mut ops: Vec<Op> = known.findings.iter().flat_map(|finding| slot_updates(document, finding)).collect();
    let mut present = document.clone();
    // They were made for this document; were one not to fit, the marks would be judged by the numbers as they stand.
    if !ops.is_empty() && present.apply(&ops).is_err() {
        ops.clear();
        present.clone_from(document);
    }
    let reader = Reader::new(known);
    for block in &present.blocks {
        ops.extend(changes(block, &reader.judged(block, &said_in(block))));
    }
    ops
}

/// The operation by which a reader stands for a sentence again, as it and its finding are now; `None` when there is no such
/// mark or it speaks of no finding. What contradicts its finding stays contradicted.
#[must_use]
pub fn confirm(document: &Document, mark: &str, known: Known<'_>) -> Option<Op> {
    let (block, old) = document.marks().find(|(_, m)| m.id == mark)?;
    let finding = known.findings.iter().find(|f| Some(&f.id) == old.claim.finding.as_ref())?;
    let mut asked = block.clone();
    let meaning = (!old.claim.from_text).then(|| meaning(block, old));
    for m in asked.marks.iter_mut().filter(|m| m.id == mark) {
        (m.claim.ground, m.claim.meaning) = (Some(ground(finding)), meaning.clone());
    }
    let judged = Reader::new(known).judged(&asked, &said_in(&asked));
    let claim = judged.into_iter().find(|j| j.mark.id == mark)?.mark.claim;
    (claim != old.claim).then(|| Op::SetClaim { mark: mark.to_owned(), claim })
}

/// What turns the marks of a block into the judged ones.
fn changes(block: &Block, judged: &[Judged]) -> Vec<Op> {
    let mut ops = Vec::new();
    for old in &block.marks {
        match judged.iter().find(|j| j.mark.id == old.id) {
            None => ops.push(Op::RemoveMark { mark: old.id.clone() }),
            Some(j) if j.mark.claim != old.claim => ops.push(Op::SetClaim { mark: old.id.clone(), claim: j.mark.claim.clone() }),
            Some(_) => {}
        }
    }
    let is_new = |j: &&Judged| !block.marks.iter().any(|old| old.id == j.mark.id);
    ops.extend(judged.iter().filter(is_new).map(|j| Op::AddMark { block: block.id.clone(), mark: j.mark.clone() }));
    ops
}

/// Fields whose sentences speak of what is on the images.
pub(crate) const fn speaks_of_images(kind: BlockKind) -> bool {
    matches!(kind, BlockKind::Findings | BlockKind::Impression | BlockKind::Other)
}

/// What a block claims. Places are those of [`Block::plain`].
pub(crate) fn said_in(block: &Block) -> Vec<Said> {
    if speaks_of_images(block.kind) { said(&block.plain(), Lexicon::builtin(), &Rules::builtin().units) } else { Vec::new() }
}

/// Reads blocks against what is known.
pub(crate) struct Reader<'a> {
    lexicon: &'static Lexicon,
    facts: Vec<Facts<'a>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(known: Known<'a>) -> Self {
        let lexicon = Lexicon::builtin();
        Self { lexicon, facts: known.findings.iter().map(|f| Facts::of(f, known.priors, lexicon)).collect() }
    }

    pub(crate) fn facts(&self) -> &[Facts<'a>] {
        &self.facts
    }

    /// The marks that a block should have: those bound for good, and those of its text.
    pub(crate) fn judged(&self, block: &Block, said: &[Said]) -> Vec<Judged> {
        let mut out: Vec<Judged> = block.marks.iter().filter(|m| !m.claim.from_text).map(|m| self.bound(block, m, said)).collect();
        out.extend(self.of_text(block, said));
        out
    }

    /// A mark that is bound for good.
    fn bound(&self, block: &Block, mark: &Mark, said: &[Said]) -> Judged {
        let Some(id) = mark.claim.finding.as_deref() else { return Judged { mark: mark.clone(), conflicts: Vec::new() } };
        let [from, to] = block.plain_span(mark.start, mark.end);
        let inside: Vec<&Said> = said.iter().filter(|s| s.what.0 >= from && s.what.1 <= to).collect();
        let whole = (mark.start, mark.end);
        let Some(facts) = self.facts.iter().find(|f| f.finding.id == id) else {
            let claim = Claim { state: ClaimState::Contradicted, ..mark.claim.clone() };
            return Judged { mark: Mark { claim, ..mark.clone() }, conflicts: vec![(Conflict::Gone, whole)] };
        };
        let is_lost = mark.claim.measurement.as_deref().is_some_and(|m| facts.finding.measurement(m).is_none());
        let conflicts = match self.nearest(facts, &inside) {
            _ if is_lost || !facts.finding.is_live() => vec![(Conflict::Gone, whole)],
            None => Vec::new(),
            Some(said) => self.conflicts(block, facts, said),
        };
        let now = (ground(facts.finding), meaning(block, mark));
        let claim = Claim {
            ground: Some(mark.claim.ground.clone().unwrap_or(now.0.clone())),
            meaning: Some(mark.claim.meaning.clone().unwrap_or(now.1.clone())),
            ..mark.claim.clone()
        };
        let is_same = claim.ground.as_ref() == Some(&now.0) && claim.meaning.as_ref() == Some(&now.1);
        let is_known = self.nearest(facts, &inside).is_none_or(|said| facts.bears_out(said));
        let state = state(facts.finding, !conflicts.is_empty(), is_known, is_same);
        Judged { mark: Mark { claim: Claim { state, ..claim }, ..mark.clone() }, conflicts }
    }

    /// Of several claims in one sentence the one that is about the finding.
    fn nearest<'s>(&self, facts: &Facts<'_>, inside: &[&'s Said]) -> Option<&'s Said> {
        let about = inside.iter().filter(|s| facts.kind_agrees(s) > 0).min_by_key(|s| facts.conflicts(s, self.lexicon).len());
        about.or_else(|| inside.first()).copied()
    }

    fn conflicts(&self, block: &Block, facts: &Facts<'_>, said: &Said) -> Vec<(Conflict, Span)> {
        let here = |conflict: Conflict| (conflict, text_span(block, place_of(&conflict, said)));
        // The number of a chip follows its measurement by itself.
        let is_chip = |(conflict, place): &(Conflict, Span)| {
            matches!(conflict, Conflict::Number(_) | Conflict::Unit(_))
                && block.slots.iter().any(|s| s.finding == facts.finding.id && (place.0..place.1).contains(&s.at))
        };
        // "Both lungs" is right of two findings, one on either side.
        let is_shared = |(conflict, _): &(Conflict, Span)| {
            *conflict == Conflict::Side && said.side == mj_model::Side::Both && self.has_other_side(facts, said)
        };
        let of_several = self.largest_of_several(said, facts).into_iter();
        facts
            .conflicts(said, self.lexicon)
            .into_iter()
            .chain(of_several)
            .map(here)
            .filter(|found| !is_chip(found) && !is_shared(found))
            .collect()
    }

    /// "Multiple nodules, the largest 45 mm": some finding of that name there must have the size.
    fn largest_of_several(&self, said: &Said, facts: &Facts<'_>) -> Vec<Conflict> {
        let is_one = |other: &&Facts<'_>| {
            other.finding.is_live() && other.kind_agrees(said) > 0 && other.place_agrees(said, self.lexicon) != Some(false)
        };
        let alone = Said { is_several: false, ..said.clone() };
        let fits = |other: &Facts<'_>| other.lengths_mm.is_empty() || other.size_conflicts(&alone).is_empty();
        if !said.is_several || !said.names_largest || self.facts.iter().filter(is_one).any(fits) {
            Vec::new()
        } else {
            facts.size_conflicts(&alone)
        }
    }

    fn has_other_side(&self, facts: &Facts<'_>, said: &Said) -> bool {
        let is_other = |other: &&Facts<'_>| {
            other.finding.is_live()
                && other.kind_agrees(said) > 0
                && other.side != facts.side
                && other.side != mj_model::Side::None
                && other.place_agrees(said, self.lexicon) != Some(false)
        };
        self.facts.iter().any(|other| is_other(&other))
    }

    /// The marks of typed and dictated text.
    fn of_text(&self, block: &Block, said: &[Said]) -> Vec<Judged> {
        let held: Vec<[usize; 2]> = block.marks.iter().filter(|m| !m.claim.from_text).map(|m| block.plain_span(m.start, m.end)).collect();
        let is_loose = |s: &&Said| s.presence != Presence::Absent && !held.iter().any(|[a, b]| s.what.0 < *b && s.what.1 > *a);
        let loose: Vec<Said> = said.iter().filter(is_loose).cloned().collect();
        let assigned = self.assigned(block, &loose);
        loose.iter().zip(assigned).map(|(said, facts)| self.text_mark(block, said, facts)).collect()
    }

    /// The finding of each loose claim: the one its chip is bound to, the one it was bound to before, else the one that fits.
    fn assigned(&self, block: &Block, loose: &[Said]) -> Vec<Option<&Facts<'a>>> {
        let find = |id: &str| self.facts.iter().position(|f| f.finding.id == id);
        let bound = |said: &Said| {
            let [a, b] = [said.span.0, said.span.1];
            let slot = block.slots.iter().find(|s| {
                let [from, to] = block.plain_span(s.at, s.at + 1);
                from >= a && to <= b
            });
            let before = self.old_mark(block, said).and_then(|m| m.claim.finding.as_deref());
            let before = before.and_then(find).filter(|at| self.facts.get(*at).is_some_and(|f| f.kind_agrees(said) > 0));
            slot.and_then(|s| find(&s.finding)).or(before)
        };
        let mut out: Vec<Option<usize>> = loose.iter().map(bound).collect();
        let spoken = block.marks.iter().filter(|m| !m.claim.from_text).filter_map(|m| find(m.claim.finding.as_deref()?));
        let taken: Vec<usize> = spoken.chain(out.iter().flatten().copied()).collect();
        let live: Vec<bool> = self.facts.iter().map(|f| f.finding.is_live()).collect();
        let free = assign(loose, &self.facts, self.lexicon, &taken, &live);
        for (slot, free) in out.iter_mut().zip(free) {
            *slot = slot.or(free);
        }
        out.into_iter().map(|at| self.facts.get(at?)).collect()
    }

    fn old_mark<'b>(&self, block: &'b Block, said: &Said) -> Option<&'b Mark> {
        let (from, to) = text_span(block, said.what);
        block.marks.iter().filter(|m| m.claim.from_text).find(|m| m.start < to && m.end > from)
    }

    fn text_mark(&self, block: &Block, said: &Said, facts: Option<&Facts<'_>>) -> Judged {
        let (start, end) = text_span(block, said.span);
        let old = self.old_mark(block, said);
        let id = old.filter(|m| (m.start, m.end) == (start, end)).map_or_else(fresh_anchor, |m| m.id.clone());
        let of_same = old.filter(|m| m.claim.finding.as_ref() == facts.map(|f| &f.finding.id));
        let mut conflicts = facts.map_or_else(Vec::new, |facts| self.conflicts(block, facts, said));
        // Found by its place and size: what it is called is no contradiction.
        if facts.is_some_and(|facts| facts.is_described_by(said, self.lexicon)) {
            conflicts.retain(|(conflict, _)| *conflict != Conflict::Kind);
        }
        let now = facts.map(|f| ground(f.finding));
        let before = of_same.and_then(|m| m.claim.ground.clone()).or_else(|| now.clone());
        let state = facts.map_or(ClaimState::Unsupported, |f| state(f.finding, !conflicts.is_empty(), f.bears_out(said), before == now));
        let finding = facts.map(|f| f.finding.id.clone());
        let claim = Claim { finding, measurement: None, state, ground: before, meaning: None, from_text: true };
        Judged { mark: Mark { id, start, end, claim }, conflicts }
    }
}

/// What is known of a claim; `is_known` is false where it says more than its finding does.
fn state(finding: &Finding, has_conflict: bool, is_known: bool, is_same: bool) -> ClaimState {
    if has_conflict {
        ClaimState::Contradicted
    } else if finding.state == FindingState::Proposed || !is_known {
        ClaimState::Unsupported
    } else if is_same {
        ClaimState::Verified
    } else {
        ClaimState::Stale
    }
}

/// A range of [`Block::plain`] as one of the text.
fn text_span(block: &Block, (from, to): Span) -> Span {
    let start = block.text_position(from);
    let end = block.text_position(to);
    // A place within a chip's number is the chip.
    let end = if block.plain_position(end) < to { end + 1 } else { end };
    (start, end.max(start + 1))
}

/// What a sentence means, in a few characters: what it claims, and the words that the lexicon does not know. A number of a
/// chip is none of it, since the chip follows by itself.
fn meaning(block: &Block, mark: &Mark) -> String {
    let words: String = block.text.chars().skip(mark.start).take(mark.end.saturating_sub(mark.start)).collect();
    let lexicon = Lexicon::builtin();
    let claims: Vec<_> = said(&words, lexicon, &Rules::builtin().units)
        .into_iter()
        .map(|s| {
            let sizes: Vec<u64> = s.sizes.iter().map(|size| size.mm.to_bits()).collect();
            (s.kind, s.places, s.side, s.presence, sizes, s.change)
        })
        .collect();
    let text = comparable(&words);
    let known = scan(lexicon, &text, (0, text.len()));
    let is_known = |at: usize| known.iter().any(|t| (t.start..t.end).contains(&at));
    // The sign and the point of a number are part of it.
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    let counts = |at: usize, c: char| c.is_alphanumeric() || (matches!(c, '-' | '.' | '<' | '>' | '≥' | '≤' | '±') && is_digit(at + 1));
    let rest: String = text.iter().enumerate().filter(|(at, c)| !is_known(*at) && counts(*at, **c)).map(|(_, c)| *c).collect();
    short_hash(&serde_json::to_vec(&(claims, rest)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{document, finding};
    use mj_model::{Code, Side};

    /// State of the only claim of a text about a finding of a kind and a place.
    fn state_of(text: &str, kind: &str, site: &str, side: Side) -> ClaimState {
        let named = |name: &str| Code::new("99MJ", name, name, name);
        let one = Finding { kind: named(kind), site: (!site.is_empty()).then(|| named(site)), side, ..finding("f1", 12.3) };
        let mut doc = document(text);
        doc.apply(&living(&doc, Known { findings: std::slice::from_ref(&one), priors: &[] })).unwrap();
        let states: Vec<ClaimState> = doc.blocks[0].marks.iter().map(|mark| mark.claim.state).collect();
        assert_eq!(states.len(), 1, "{text}: {states:?}");
        states[0]
    }

    #[test]
    fn another_diagnosis_or_place_is_never_verified() {
        let cases = [
            ("右侧肺不张。", "气胸", "胸膜", Side::Right),
            ("右侧气胸。", "肺不张", "肺", Side::Right),
            ("升主动脉夹层。", "夹层", "降主动脉", Side::None),
            ("右侧第5肋骨骨折。", "骨折", "第6肋骨", Side::Right),
            ("右侧硬膜下血肿。", "蛛网膜下腔出血", "", Side::Right),
            ("肝S5段结节。", "结节", "肝S6段", Side::None),
            ("右肺上叶囊肿。", "脓肿", "右肺上叶", Side::Right),
            ("左侧大脑中动脉狭窄。", "狭窄", "左侧大脑前动脉", Side::Left),
            ("右侧大脑中动脉闭塞。", "狭窄", "右侧大脑中动脉", Side::Right),
            ("L4/5椎间盘脱出。", "膨出", "L4/5椎间盘", Side::None),
            ("左颈Ⅲ区肿大淋巴结。", "肿大淋巴结", "左颈Ⅱ区", Side::Left),
            ("Right renal cell carcinoma.", "hepatocellular carcinoma", "right kidney", Side::Right),
            ("Left pneumothorax.", "atelectasis", "left lung", Side::Left),
            ("前交通动脉瘤。", "动脉瘤", "主动脉", Side::None),
            ("肾动脉瘤。", "动脉瘤", "主动脉", Side::None),
            ("左侧液气胸。", "气胸", "左侧胸膜", Side::Left),
            ("右侧第3-5肋多发骨折。", "骨折", "左侧第6肋骨", Side::Left),
            ("右侧第6肋骨折。", "骨折", "第6肋骨", Side::Left),
            ("右肺上叶新发结节。", "结节", "右肺上叶", Side::Right),
        ];
        for (text, kind, site, side) in cases {
            assert_ne!(state_of(text, kind, site, side), ClaimState::Verified, "{text} of {kind}, {site}");
        }
    }

    #[test]
    fn another_name_of_the_same_or_a_wider_one_is_verified() {
        let cases = [
            ("右肺上叶结节影。", "结节", "右肺上叶", Side::Right),
            ("右肺上叶占位。", "结节", "右肺上叶", Side::Right),
            ("右侧胸水。", "胸腔积液", "右侧胸腔", Side::Right),
            ("右侧胸腔积液。", "胸水", "右侧胸腔", Side::Right),
            ("脾大。", "脾脏增大", "脾", Side::None),
            ("双肺肺气肿。", "肺气肿", "双肺", Side::Both),
            ("右侧肺动脉充盈缺损。", "肺栓塞", "右侧肺动脉", Side::Right),
            ("左侧颅内出血。", "硬膜下血肿", "", Side::Left),
            ("升主动脉增宽。", "扩张", "升主动脉", Side::None),
            ("Right pleural effusion.", "effusion", "right pleura", Side::Right),
            ("Left kidney stone.", "renal calculus", "left kidney", Side::Left),
            ("RUL nodule.", "nodule", "right upper lobe", Side::Right),
            ("左侧肺动脉见肺栓塞。", "肺栓塞", "肺动脉", Side::Left),
            ("左侧第6肋骨折。", "骨折", "左侧第6肋骨", Side::Left),
            ("腹主动脉瘤。", "动脉瘤", "腹主动脉", Side::None),
        ];
        for (text, kind, site, side) in cases {
            assert_eq!(state_of(text, kind, site, side), ClaimState::Verified, "{text} of {kind}, {site}");
        }
    }
}
