//! Rules about what sentences claim: against the findings they speak of, and against one another.

use super::{Desk, Page, side_name};
use crate::claims::judge::{Facts, place_of};
use crate::claims::living::{Judged, Reader};
use crate::claims::parse::Where;
use crate::claims::{Change, Conflict, Known, Lexicon, Presence, Said};
use crate::document::{Block, BlockKind, ClaimState, Mark};
use mj_model::{Finding, Quantity, Side, Unit};

/// Every sentence against the finding it speaks of, as [`crate::living`] would judge it now.
pub(super) fn against_findings(desk: &mut Desk<'_>) {
    let findings = desk.findings;
    let reader = Reader::new(Known { findings, priors: &desk.context.priors });
    let pages = std::rc::Rc::clone(&desk.pages);
    for page in pages.iter() {
        let block = page.block;
        for judged in reader.judged(block, &page.said) {
            if judged.mark.claim.state == ClaimState::Stale {
                let span = block.plain_span(judged.mark.start, judged.mark.end);
                let shown = desk.text_of(block, span);
                desk.report("claim_stale", Some((block, Some(span))), &[("shown", &shown)]);
            }
            let finding = judged.mark.claim.finding.as_deref().and_then(|id| desk.finding(id));
            for (conflict, place) in &judged.conflicts {
                report_conflict(desk, block, &judged, finding, *conflict, block.plain_span(place.0, place.1));
            }
        }
        denials(desk, page, &reader);
        normal_statements(desk, page, &reader);
    }
}

fn report_conflict(desk: &mut Desk<'_>, block: &Block, judged: &Judged, finding: Option<&Finding>, conflict: Conflict, span: [usize; 2]) {
    let shown = desk.text_of(block, span);
    let name = finding.map_or_else(String::new, |f| desk.name_of(f));
    let length = |mm: f64| Quantity { what: mj_model::code::known::length(), value: mm, unit: Unit::mm() }.shown();
    let nearest = |mm: f64| finding.and_then(|f| nearest_length(f, mm)).map_or_else(String::new, length);
    let (rule, wanted) = match conflict {
        Conflict::Gone => ("claim_contradicted", name),
        Conflict::Denied => ("negation", name),
        Conflict::Kind => ("kind_differs", name),
        Conflict::Side => ("side", side_name(finding.map_or(Side::None, side_of), desk.lang).to_owned()),
        Conflict::Place => ("site_differs", name),
        Conflict::Number(size) => ("number_differs", nearest(size.mm)),
        Conflict::Unit(size) => ("unit_differs", nearest(size.mm)),
        Conflict::Course { before_mm, now_mm } => ("course_differs", format!("{} → {}", length(before_mm), length(now_mm))),
    };
    // A sentence that was put in with its finding cannot be signed against it; one that was typed may speak of something else.
    let may_ask = judged.mark.claim.from_text;
    if may_ask && conflict == Conflict::Gone && desk.is_told("slot_gone", block, span) {
        return;
    }
    desk.report_asking(rule, Some((block, Some(span))), &[("shown", &shown), ("wanted", &wanted)], may_ask);
}

fn side_of(finding: &Finding) -> Side {
    let reader = Reader::new(Known { findings: std::slice::from_ref(finding), priors: &[] });
    reader.facts().first().map_or(finding.side, |facts| facts.side)
}

/// The length that a number is nearest to by ratio: the one it was probably meant to be.
fn nearest_length(finding: &Finding, mm: f64) -> Option<f64> {
    let lengths = finding.measurements.iter().filter(|m| m.quantity.unit == Unit::mm()).map(|m| m.quantity.value);
    let far = |length: &f64| (length.max(1e-6) / mm.max(1e-6)).ln().abs();
    lengths.min_by(|a, b| far(a).total_cmp(&far(b)))
}

/// Sentences that deny what somebody stands for.
fn denials(desk: &mut Desk<'_>, page: &Page<'_>, reader: &Reader<'_>) {
    let block = page.block;
    let lexicon = Lexicon::builtin();
    let bound: Vec<[usize; 2]> = block.marks.iter().filter(|m| !m.claim.from_text).map(|m| block.plain_span(m.start, m.end)).collect();
    for said in page.said.iter().filter(|s| is_plain_denial(s)) {
        if bound.iter().any(|[a, b]| said.what.0 < *b && said.what.1 > *a) {
            continue;
        }
        let meets = |facts: &&Facts<'_>| {
            let is_confirmed = facts.finding.is_live() && facts.finding.state != mj_model::FindingState::Proposed;
            is_confirmed
                && facts.kind_agrees(said) == 2
                && !facts.kinds.is_empty()
                && facts.place_agrees(said, lexicon) != Some(false)
                && denies_side(said, facts)
        };
        if let Some(facts) = reader.facts().iter().find(meets) {
            let name = desk.name_of(facts.finding);
            let span = [said.what.0, said.what.1];
            let shown = desk.text_of(block, [said.span.0, said.span.1]);
            desk.report_asking("negation", Some((block, Some(span))), &[("shown", &shown), ("wanted", &name)], true);
        }
    }
}

/// A denial of both sides, or of the side of the finding, or of none.
fn denies_side(said: &Said, facts: &Facts<'_>) -> bool {
    let of_both = said.side == Side::Both && said.wheres.len() <= 1;
    of_both || facts.side_agrees(said, Lexicon::builtin()) != Some(false)
}

fn is_plain_denial(said: &Said) -> bool {
    // "Has resolved" says of an accepted finding that it is not there.
    let is_denial = said.change.is_none_or(|change| change == Change::Resolved);
    said.presence == Presence::Absent && !said.is_qualified && said.sizes.is_empty() && is_denial
}

/// The impression against the findings section, and each section against itself: sides, and what is both stated and denied.
pub(super) fn within_report(desk: &mut Desk<'_>) {
    let pages = std::rc::Rc::clone(&desk.pages);
    let of = |kind: BlockKind| pages.iter().filter(move |p| p.block.kind == kind).map(|p| (p.block, &p.said));
    let found: Vec<(&Block, &Vec<Said>)> = of(BlockKind::Findings).collect();
    for (block, said) in of(BlockKind::Impression) {
        for claim in said {
            let others: Vec<(&Block, &Said)> = found.iter().flat_map(|(b, list)| list.iter().map(move |s| (*b, s))).collect();
            if !denied_elsewhere(desk, block, claim, &others) {
                sides(desk, block, claim, &others);
            }
        }
    }
    for (block, said) in &found {
        let others: Vec<(&Block, &Said)> = said.iter().map(|s| (*block, s)).collect();
        for claim in said.iter().filter(|s| is_plain_denial(s)) {
            denied_elsewhere(desk, block, claim, &others);
        }
    }
}

fn is_stated(said: &Said) -> bool {
    said.presence != Presence::Absent && said.change != Some(Change::Resolved)
}

/// One kind of finding in one part of the body.
fn same_thing(a: &Said, b: &Said) -> bool {
    let lexicon = Lexicon::builtin();
    let says = |s: &Said| s.places.iter().any(|p| !lexicon.is_generic(p));
    let places = !says(a) || !says(b) || a.places.iter().any(|x| b.places.iter().any(|y| lexicon.agree(x, y)));
    let names = lexicon.is_kind(&a.kind, &b.kind) || lexicon.is_kind(&b.kind, &a.kind);
    places && (names || (a.family == b.family && a.family == "focal"))
}

fn sides_meet(a: &Said, b: &Said) -> bool {
    a.side == b.side
        || a.side == Side::None
        || b.side == Side::None
        || (a.side == Side::Both && b.is_several)
        || (b.side == Side::Both && a.side != Side::None && b.is_several)
}

/// A finding that the impression names on one side and the findings only on another.
fn sides(desk: &mut Desk<'_>, block: &Block, claim: &Said, found: &[(&Block, &Said)]) {
    let Some(span) = claim.side_at.filter(|_| is_stated(claim)) else { return };
    let same: Vec<&Said> = found.iter().map(|(_, s)| *s).filter(|s| is_stated(s) && same_thing(claim, s)).collect();
    let sides: Vec<Side> = same.iter().map(|s| s.side).collect();
    let both_named = claim.side == Side::Both && sides.contains(&Side::Left) && sides.contains(&Side::Right);
    let part_of_both = matches!(claim.side, Side::Left | Side::Right) && sides.contains(&Side::Both);
    if same.is_empty() || both_named || part_of_both || same.iter().any(|s| sides_meet(claim, s)) {
        return;
    }
    let Some(other) = same.iter().find_map(|s| s.side_at.map(|_| *s)) else { return };
    let words = |s: &Said| {
        let (a, b) = (s.side_at.unwrap_or(s.what), s.at.or(s.side_at).unwrap_or(s.what));
        [a.0.min(b.0), a.1.max(b.1)]
    };
    let found_in = found.iter().find(|(_, s)| std::ptr::eq(*s, other)).map_or(block, |(b, _)| b);
    let (shown, wanted) = (desk.text_of(block, words(claim)), desk.text_of(found_in, words(other)));
    desk.report_asking("side_conflict", Some((block, Some([span.0, span.1]))), &[("shown", &shown), ("wanted", &wanted)], true);
}

/// What one sentence denies and another states; true when that is so.
fn denied_elsewhere(desk: &mut Desk<'_>, block: &Block, claim: &Said, others: &[(&Block, &Said)]) -> bool {
    // "No acute infarct" and "old infarct" stand side by side.
    let is_other_age = |denial: &Said, stated: &Said| {
        let (denied, said) = (desk.text_around(denial), desk.text_around(stated));
        ["acute", "急性", "新鲜"].iter().any(|w| denied.contains(w))
            && ["chronic", "old ", "remote", "陈旧", "慢性"].iter().any(|w| said.contains(w))
    };
    let lexicon = Lexicon::builtin();
    let exact = |denial: &Said, stated: &Said| {
        lexicon.is_kind(&stated.kind, &denial.kind) && covers(denial, stated) && !is_other_age(denial, stated)
    };
    let against = match claim.presence {
        Presence::Absent if is_plain_denial(claim) => others.iter().find(|(_, s)| is_stated(s) && exact(claim, s)),
        Presence::Present | Presence::Possible
            if is_stated(claim) && !others.iter().any(|(_, s)| is_stated(s) && same_thing(claim, s) && sides_meet(claim, s)) =>
        {
            others.iter().find(|(_, s)| is_plain_denial(s) && exact(s, claim))
        }
        _ => None,
    };
    let Some((other_block, other)) = against else { return false };
    // A clause of normality that remains is told where it stands.
    if desk.is_told("negation", other_block, [other.what.0, other.what.1]) {
        return true;
    }
    let shown = desk.text_of(block, [claim.span.0, claim.span.1]);
    let wanted = desk.text_of(other_block, [other.span.0, other.span.1]);
    let span = place_of(&Conflict::Denied, claim);
    desk.report_asking("negation_conflict", Some((block, Some([span.0, span.1]))), &[("shown", &shown), ("wanted", &wanted)], true);
    true
}

/// True when a denial reaches what is stated: one place of it is that place, on its side or on none.
fn covers(denial: &Said, stated: &Said) -> bool {
    let lexicon = Lexicon::builtin();
    let agree = |a: &Where, b: &Where| {
        a.places.is_empty() || b.places.is_empty() || a.places.iter().all(|x| b.places.iter().any(|y| lexicon.agree(x, y)))
    };
    let reaches = |a: &Where, b: &Where| agree(a, b) && (a.side == b.side || matches!(a.side, Side::None | Side::Both));
    denial.wheres.iter().any(|a| stated.wheres.iter().any(|b| reaches(a, b)))
}

/// "The appendix is normal", of an organ in which somebody stands for a finding.
fn normal_statements(desk: &mut Desk<'_>, page: &Page<'_>, reader: &Reader<'_>) {
    for (span, place) in crate::claims::normals(&page.block.plain()) {
        let is_in = |facts: &&Facts<'_>| {
            let is_confirmed = facts.finding.is_live() && facts.finding.state != mj_model::FindingState::Proposed;
            is_confirmed && facts.is_within(&place)
        };
        if let Some(facts) = reader.facts().iter().find(is_in) {
            let name = desk.name_of(facts.finding);
            let shown = desk.text_of(page.block, [span.0, span.1]);
            desk.report_asking("negation", Some((page.block, Some([span.0, span.1]))), &[("shown", &shown), ("wanted", &name)], true);
        }
    }
}

impl Desk<'_> {
    /// The sentence of a claim, in lower case; empty for a claim of no page.
    fn text_around(&self, said: &Said) -> String {
        let page = self.pages.iter().find(|page| page.said.iter().any(|s| s == said));
        page.map_or_else(String::new, |page| super::text::to_string(&page.plain, said.sentence).to_lowercase())
    }

    /// A stretch of a field's plain text.
    fn text_of(&self, block: &Block, span: [usize; 2]) -> String {
        let page = self.pages.iter().find(|page| page.block.id == block.id);
        page.map_or_else(String::new, |page| super::text::to_string(&page.plain, (span[0], span[1])))
    }
}

/// What the findings section and the impression leave to each other: a finding the report rests on that the impression does
/// not take up, and a place in the impression of which the findings say nothing.
pub(super) fn between_sections(desk: &mut Desk<'_>) {
    let pages = std::rc::Rc::clone(&desk.pages);
    let of = |kind: BlockKind| pages.iter().filter(move |p| p.block.kind == kind).map(|p| p.block);
    let concluded: Vec<(&Block, &Vec<Said>)> =
        pages.iter().filter(|p| p.block.kind == BlockKind::Impression).map(|p| (p.block, &p.said)).collect();
    let all = &desk.rules.as_above;
    let points_back = |b: &Block| all.zh.iter().chain(&all.en).any(|word| b.text.to_lowercase().contains(word.as_str()));
    let is_written = of(BlockKind::Impression).any(|b| !b.text.trim().is_empty()) && !of(BlockKind::Impression).any(points_back);
    let described: Vec<String> = of(BlockKind::Findings).flat_map(|b| crate::claims::places_in(&b.plain())).collect();
    if is_written {
        let reader = Reader::new(Known { findings: desk.findings, priors: &[] });
        for page in pages.iter().filter(|p| p.block.kind == BlockKind::Findings) {
            let (block, judged) = (page.block, reader.judged(page.block, &page.said));
            for Judged { mark, .. } in judged.iter().filter(|j| j.mark.claim.finding.is_some() && j.conflicts.is_empty()) {
                not_concluded(desk, block, mark, reader.facts(), &concluded);
            }
        }
    }
    if described.is_empty() {
        return;
    }
    for (block, list) in &concluded {
        let unfounded = list.iter().filter(|s| is_stated(s) && !s.places.is_empty() && s.at.is_some());
        for said in unfounded.filter(|s| !s.places.iter().any(|a| described.iter().any(|b| Lexicon::builtin().is_one_region(a, b)))) {
            let shown = desk.text_of(block, [said.span.0, said.span.1]);
            desk.report("impression_unfounded", Some((block, Some([said.span.0, said.span.1]))), &[("shown", &shown)]);
        }
    }
}

fn not_concluded(desk: &mut Desk<'_>, block: &Block, mark: &Mark, facts: &[Facts<'_>], concluded: &[(&Block, &Vec<Said>)]) {
    let Some(id) = mark.claim.finding.as_deref() else { return };
    let Some(facts) = facts.iter().find(|f| f.finding.id == id && !f.kinds.is_empty()) else { return };
    let speaks =
        |s: &Said| facts.place_agrees(s, Lexicon::builtin()) != Some(false) && facts.side_agrees(s, Lexicon::builtin()) != Some(false);
    let is_bound = concluded
        .iter()
        .any(|(b, _)| b.marks.iter().any(|m| m.claim.finding.as_deref() == Some(id)) || b.slots.iter().any(|s| s.finding == id));
    if !is_bound && !concluded.iter().any(|(_, list)| list.iter().any(speaks)) {
        let name = desk.name_of(facts.finding);
        desk.report("finding_not_concluded", Some((block, Some(block.plain_span(mark.start, mark.end)))), &[("wanted", &name)]);
    }
}
