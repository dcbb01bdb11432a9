//! From a finding to words. The numbers in them are slots, the whole is a claim.

use crate::binding::{fresh_anchor, slot_for};
use crate::claims::ground;
use crate::document::{Block, Claim, ClaimState, Document, Mark, SLOT_CHAR, Slot};
use crate::op::Op;
use crate::template::{Clause, Part, Template};
use mj_model::code::known;
use mj_model::{Code, Finding, FindingState, Lang, Side};

/// A finding in words, without the final stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// The words; each slot stands in them as one [`SLOT_CHAR`].
    pub text: String,
    /// Slots; their places count from the start of `text`.
    pub slots: Vec<Slot>,
    /// What the whole claims.
    pub claim: Claim,
    lang: Lang,
}

/// Words a finding: where, what, how much. A measurement nobody classified is worded as that and no more.
#[must_use]
pub fn sentence(finding: &Finding, lang: Lang) -> Sentence {
    let is_unclassified = finding.kind.is_same(&known::unclassified_finding());
    let mut text = match lang {
        Lang::Zh if is_unclassified => "所测".to_owned(),
        Lang::En if is_unclassified => "measured ".to_owned(),
        Lang::Zh => format!("{}见{}", place_zh(finding), finding.kind.name_zh),
        Lang::En => format!("{}{}", lower_first(&finding.kind.name_en), place_en(finding)),
    };
    let mut slots = Vec::new();
    let numbers = finding.measurements.iter().filter_map(|m| slot_for(finding, &m.id, 0).map(|slot| (m, slot)));
    for (i, (measurement, slot)) in numbers.enumerate() {
        let what = &measurement.quantity.what.name_of(measurement.derivation.as_ref(), lang);
        text.push_str(&match (lang, is_unclassified && i == 0) {
            (Lang::Zh, true) => format!("{what}约"),
            (Lang::Zh, false) => format!("，{what}约"),
            (Lang::En, true) => format!("{} ", lower_first(what)),
            (Lang::En, false) => format!(", {} ", lower_first(what)),
        });
        slots.push(Slot { at: text.chars().count(), ..slot });
        text.push(SLOT_CHAR);
    }
    let is_reviewed = matches!(finding.state, FindingState::Accepted | FindingState::Edited);
    let state = if is_reviewed { ClaimState::Verified } else { ClaimState::Unsupported };
    Sentence { text, slots, claim: Claim { ground: Some(ground(finding)), ..Claim::bound(finding.id.clone(), state) }, lang }
}

fn place_zh(finding: &Finding) -> String {
    let site = finding.site.as_ref().map_or("", |site| site.name_zh.as_str());
    let side = match finding.side {
        Side::None => "",
        _ if site.contains(['左', '右', '双', '两']) => "",
        Side::Left => "左侧",
        Side::Right => "右侧",
        Side::Both => "双侧",
    };
    format!("{side}{site}")
}

fn place_en(finding: &Finding) -> String {
    let side = match finding.side {
        Side::Left => "left",
        Side::Right => "right",
        Side::Both => "bilateral",
        Side::None => "",
    };
    match finding.site.as_ref().map(|site: &Code| lower_first(&site.name_en)) {
        None if side.is_empty() => String::new(),
        None => format!(" ({side})"),
        Some(site) if side.is_empty() || site.split_whitespace().any(|word| word == side) => format!(" in the {site}"),
        Some(site) if finding.side == Side::Both => format!(" in both {site}"),
        Some(site) => format!(" in the {side} {site}"),
    }
}

/// Lower case at the start, except for abbreviations such as `GGO`.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && !b.is_uppercase() => a.to_lowercase().chain(text.chars().skip(1)).collect(),
        _ => text.to_owned(),
    }
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl Sentence {
    pub(crate) const fn new(text: String, slots: Vec<Slot>, claim: Claim, lang: Lang) -> Self {
        Self { text, slots, claim, lang }
    }

    /// The words as the head of a line: capital letter, no "is seen".
    pub(crate) fn named(self) -> String {
        match self.lang {
            Lang::Zh => self.text.replacen('见', "", 1),
            Lang::En => upper_first(&self.text),
        }
    }

    /// As a sentence of its own: capital letter and stop.
    #[must_use]
    pub fn standing_alone(self) -> Self {
        let text = match self.lang {
            Lang::Zh => format!("{}。", self.text),
            Lang::En => format!("{}.", upper_first(&self.text)),
        };
        Self { text, ..self }
    }

    /// The operations that put it into a block at a place, marked as a claim.
    #[must_use]
    pub fn ops(&self, block: &str, at: usize) -> Vec<Op> {
        let mut ops = Vec::new();
        let mut place = at;
        let mut slots = self.slots.iter();
        for (i, piece) in self.text.split(SLOT_CHAR).enumerate() {
            if let Some(slot) = (i > 0).then(|| slots.next()).flatten() {
                ops.push(Op::InsertSlot { block: block.into(), slot: Slot { at: place, ..slot.clone() } });
                place += 1;
            }
            if !piece.is_empty() {
                ops.push(Op::Insert { block: block.into(), at: place, text: piece.into() });
                place += piece.chars().count();
            }
        }
        // The claim ends before the stop, so that the stop can be typed over.
        let stop = usize::from(self.text.ends_with(['。', '.']));
        if place > at + stop {
            let mark = Mark { id: fresh_anchor(), start: at, end: place - stop, claim: self.claim.clone() };
            ops.push(Op::AddMark { block: block.into(), mark });
        }
        ops
    }

    /// The words as people read them.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut slots = self.slots.iter();
        let shown = |c| if c == SLOT_CHAR { slots.next().map_or_else(String::new, |s| s.shown.clone()) } else { String::from(c) };
        self.text.chars().map(shown).collect()
    }
}

/// The operations that put a finding where it belongs: instead of the clause of its part that denies it, else
/// at the end of the line of its part, else on a line of its own at the end of the findings. Empty when the
/// report describes it already, or has no field for findings.
#[must_use]
pub fn place(document: &Document, template: &Template, finding: &Finding) -> Vec<Op> {
    // What the impression says of it describes nothing.
    let describes = |block: &Block| block.kind != crate::BlockKind::Impression;
    let is_known = document.slots().any(|(block, slot)| describes(block) && slot.finding == finding.id)
        || document.marks().any(|(block, mark)| describes(block) && mark.claim.finding.as_deref() == Some(&finding.id));
    let part = template.part_of(finding);
    let home = part.and_then(|part| template.blocks.iter().find(|b| b.parts.contains(part)));
    let by_home = home.and_then(|home| document.block(&home.id).ok());
    let Some(block) = by_home.or_else(|| document.first_of(crate::BlockKind::Findings)) else { return Vec::new() };
    if is_known || !finding.is_live() {
        return Vec::new();
    }
    let words = sentence(finding, document.lang);
    let denied = part.and_then(|part| denied_clause(block, part, finding, document.lang));
    if let Some((at, len)) = denied {
        let mut ops = vec![Op::Delete { block: block.id.clone(), at, len }];
        ops.extend(words.ops(&block.id, at));
        return ops;
    }
    let words = words.standing_alone();
    match part.and_then(|part| line_of(block, part, document.lang)) {
        Some(end) => append(block, end, if document.lang == Lang::En { " " } else { "" }, &words),
        None => append(block, block.n_chars(), if block.text.is_empty() { "" } else { "\n" }, &words),
    }
}

fn append(block: &Block, at: usize, before: &str, words: &Sentence) -> Vec<Op> {
    let mut ops = Vec::new();
    if !before.is_empty() {
        ops.push(Op::Insert { block: block.id.clone(), at, text: before.into() });
    }
    ops.extend(words.ops(&block.id, at + before.chars().count()));
    ops
}

/// Where in a block the clause stands that a finding makes untrue: place and length in characters.
pub(crate) fn denied_clause(block: &Block, part: &Part, finding: &Finding, lang: Lang) -> Option<(usize, usize)> {
    let mut denied = part.clauses.iter().filter(|clause| clause.denies(&finding.kind));
    denied.find_map(|clause: &Clause| find_chars(&block.text, clause.get(lang)))
}

fn find_chars(text: &str, wanted: &str) -> Option<(usize, usize)> {
    let byte = text.find(wanted)?;
    Some((text.get(..byte)?.chars().count(), wanted.chars().count()))
}

/// The end of the line that speaks of a part: the one with one of its clauses, or with its sub-heading.
fn line_of(block: &Block, part: &Part, lang: Lang) -> Option<usize> {
    let heading = format!("{}:", part.title.en);
    let speaks = |line: &str| part.clauses.iter().any(|c| line.contains(c.get(lang))) || (lang == Lang::En && line.starts_with(&heading));
    let mut at = 0;
    for line in block.text.split('\n') {
        let n = line.chars().count();
        if speaks(line) {
            return Some(at + n);
        }
        at += n + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Case;
    use crate::testing::finding;
    use mj_model::StudyUid;

    fn from_case(case: &Case) -> Finding {
        let mut f = finding("f1", case.length_mm.unwrap_or(0.0));
        if case.length_mm.is_none() {
            f.measurements.clear();
        }
        Finding { kind: case.kind.clone(), site: case.site.clone(), side: case.side, ..f }
    }

    #[test]
    fn the_cases_of_every_template() {
        for template in Template::all() {
            for case in &template.cases {
                let f = from_case(case);
                assert_eq!(template.part_of(&f).map(|p| p.id.clone()), case.part, "{}: {}", template.name, case.name);
                for (lang, wanted) in [(Lang::Zh, &case.zh), (Lang::En, &case.en)] {
                    let mut doc = Document::from_template(template, StudyUid::parse("1.2").unwrap(), lang);
                    doc.apply(&place(&doc, template, &f)).unwrap();
                    doc.validate().unwrap();
                    let text = doc.block("findings").unwrap().plain().replace('\u{2009}', " ");
                    let line = text.lines().find(|line| line.contains(wanted.as_str()));
                    assert_eq!(line, Some(wanted.as_str()), "{}: {}\n{text}", template.name, case.name);
                    assert_eq!(doc.marks().count(), 1);
                    // Said once is said.
                    assert!(place(&doc, template, &f).is_empty());
                }
            }
        }
    }

    #[test]
    fn words_alone() {
        let f = finding("f1", 12.34);
        assert_eq!(sentence(&f, Lang::Zh).standing_alone().plain(), "右肺上叶见肺结节，长度约12.3\u{2009}mm。");
        let en = sentence(&f, Lang::En).standing_alone();
        assert_eq!(en.plain(), "Solitary nodule of lung in the upper lobe of right lung, length 12.3\u{2009}mm.");
        assert_eq!(sentence(&Finding { state: FindingState::Proposed, ..f }, Lang::Zh).claim.state, ClaimState::Unsupported);
    }

    #[test]
    fn a_second_finding_joins_the_line_of_its_part() {
        let template = Template::builtin("chest_ct").unwrap();
        let mut doc = Document::from_template(&template, StudyUid::parse("1.2").unwrap(), Lang::Zh);
        doc.apply(&place(&doc, &template, &finding("f1", 12.3))).unwrap();
        doc.apply(&place(&doc, &template, &finding("f2", 5.0))).unwrap();
        let text = doc.block("findings").unwrap().plain();
        let line = text.lines().next().unwrap();
        assert!(line.contains("12.3") && line.ends_with("5.0\u{2009}mm。"), "{line}");
    }
}
