//! Left and right.

use super::text::{places, sentences, to_string, without};
use super::{Desk, side_name};
use crate::document::{Block, BlockKind};
use crate::rules::SideWords;
use mj_model::{Finding, Lang, Side};

/// Sentences that rest on a finding and name only the other side. A list of nodules in one sentence names several sides, and
/// is then left alone.
pub(super) fn against_findings(desk: &mut Desk<'_>) {
    let (document, rules) = (desk.document, desk.rules);
    let pages = std::rc::Rc::clone(&desk.pages);
    for page in pages.iter().filter(|page| !page.bound.is_empty()) {
        let text = without(&page.plain, rules.side.not.get(document.lang));
        for span in sentences(&text) {
            for finding in page.bound_in(span).into_iter().filter_map(|id| desk.finding(id)).collect::<Vec<_>>() {
                let said = text.get(span.0..span.1).unwrap_or_default();
                let side = side_of(finding, &rules.side);
                let Some((at, len)) = wrong_side(said, side, &rules.side, document.lang) else { continue };
                let at = span.0 + at;
                let shown = to_string(&page.plain, (at, at + len));
                let wanted = side_name(side, desk.lang);
                desk.report("side", Some((page.block, Some([at, at + len]))), &[("shown", &shown), ("wanted", wanted)]);
            }
        }
    }
}

/// The side of a finding, else the one in the name of its site (右肺上叶, left kidney).
fn side_of(finding: &Finding, words: &SideWords) -> Side {
    let Some(site) = finding.site.as_ref().filter(|_| finding.side == Side::None) else { return finding.side };
    let says = |list: &crate::template::Words| {
        let (zh, en): (Vec<char>, Vec<char>) = (site.name_zh.chars().collect(), site.name_en.chars().collect());
        let found = |text: &[char], words: &[String]| words.iter().any(|w| !places(text, w).is_empty());
        found(&without(&zh, &words.not.zh), &list.zh) || found(&without(&en, &words.not.en), &list.en)
    };
    match (says(&words.left), says(&words.right)) {
        (true, false) => Side::Left,
        (false, true) => Side::Right,
        _ => Side::None,
    }
}

/// Where a text names the other side than the finding's, without naming the finding's own.
fn wrong_side(text: &[char], side: Side, words: &SideWords, lang: Lang) -> Option<(usize, usize)> {
    let first = |list: &[String]| list.iter().flat_map(|w| places(text, w).into_iter().map(|at| (at, w.chars().count()))).min();
    let (left, right, both) = (first(words.left.get(lang)), first(words.right.get(lang)), first(words.both.get(lang)));
    match side {
        Side::Left => right.filter(|_| left.is_none() && both.is_none()),
        Side::Right => left.filter(|_| right.is_none() && both.is_none()),
        Side::Both | Side::None => None,
    }
}

/// Sentences that speak of the other side than the one that was ordered, and never of that one.
pub(super) fn against_order(desk: &mut Desk<'_>) {
    let (document, rules, ordered) = (desk.document, desk.rules, desk.context.ordered_side);
    if !matches!(ordered, Side::Left | Side::Right) {
        return;
    }
    let spoken = document.blocks.iter().filter(|b| matches!(b.kind, BlockKind::Findings | BlockKind::Impression));
    let texts: Vec<(&Block, Vec<char>)> =
        spoken.map(|b| (b, without(&b.plain().chars().collect::<Vec<_>>(), rules.side.not.get(document.lang)))).collect();
    let wrong: Vec<_> = texts.iter().map(|(b, text)| (*b, wrong_side(text, ordered, &rules.side, document.lang))).collect();
    // A text that names the ordered side somewhere compares the two.
    let names_it = |text: &[char]| {
        let words = if ordered == Side::Left { &rules.side.left } else { &rules.side.right };
        words.get(document.lang).iter().chain(rules.side.both.get(document.lang)).any(|w| !places(text, w).is_empty())
    };
    if texts.iter().any(|(_, text)| names_it(text)) {
        return;
    }
    for (block, found) in wrong {
        let Some((at, len)) = found else { continue };
        let plain: Vec<char> = block.plain().chars().collect();
        let shown = to_string(&plain, (at, at + len));
        desk.report("side_order", Some((block, Some([at, at + len]))), &[("shown", &shown), ("wanted", side_name(ordered, desk.lang))]);
    }
}

/// A sided part that the impression names on one side and the findings only on the other.
pub(super) fn within_report(desk: &mut Desk<'_>) {
    let (document, rules) = (desk.document, desk.rules);
    let pages = std::rc::Rc::clone(&desk.pages);
    let of = |kind: BlockKind| document.blocks.iter().filter(move |b| b.kind == kind);
    // Sentences that claim something are compared claim by claim.
    let is_claimed = |block: &Block, at: usize| {
        pages.iter().any(|p| p.block.id == block.id && p.said.iter().any(|s| (s.sentence.0..s.sentence.1).contains(&at)))
    };
    let sided = |block: &Block| {
        let plain: Vec<char> = block.plain().chars().collect();
        let text = without(&plain, rules.side.not.get(document.lang));
        sided_parts(&text, &rules.side, rules.anatomy.get(document.lang), document.lang)
    };
    let found: Vec<Sided> = of(BlockKind::Findings).flat_map(sided).collect();
    for block in of(BlockKind::Impression) {
        for said in sided(block).into_iter().filter(|said| !is_claimed(block, said.at)) {
            let mut same_part = found.iter().filter(|f| f.part == said.part).peekable();
            if same_part.peek().is_none()
                || same_part.clone().any(|f| f.side == said.side || f.side == Side::Both)
                || said.side == Side::Both
            {
                continue;
            }
            if let Some(other) = same_part.next() {
                let values = [("shown", said.words.as_str()), ("wanted", other.words.as_str())];
                desk.report("side_conflict", Some((block, Some([said.at, said.at + said.words.chars().count()]))), &values);
            }
        }
    }
}

/// A part of the body with the side it was named with.
#[derive(Debug, Clone, PartialEq)]
struct Sided {
    side: Side,
    part: String,
    at: usize,
    words: String,
}

/// Side word directly before a part (右肺上叶; right upper lobe), longest part first.
fn sided_parts(text: &[char], words: &SideWords, parts: &[String], lang: Lang) -> Vec<Sided> {
    let mut rest = text.to_vec();
    let mut out = Vec::new();
    let sides = [(Side::Left, &words.left), (Side::Right, &words.right), (Side::Both, &words.both)];
    for part in parts {
        for at in places(&rest, part) {
            let end = at + part.chars().count();
            let before = |word: &String| {
                let n = word.chars().count();
                let gap = usize::from(lang == Lang::En);
                let start = at.checked_sub(n + gap)?;
                (places(rest.get(start..at).unwrap_or_default(), word).first() == Some(&0)).then_some(start)
            };
            let named = sides.iter().find_map(|(side, list)| list.get(lang).iter().find_map(before).map(|start| (*side, start)));
            if let Some((side, start)) = named {
                out.push(Sided { side, part: part.clone(), at: start, words: to_string(&rest, (start, end)) });
            }
            rest.iter_mut().skip(at).take(end - at).for_each(|c| *c = '\u{1}');
        }
    }
    out.sort_by_key(|sided| sided.at);
    out
}
