//! Phrases that say where: a side and parts of the body that belong together (右肺上叶, left kidney, apex of the left lung).

use super::lexicon::{Lexicon, Meaning};
use super::parse::Span;
use super::words::Token;
use mj_model::Side;

/// Words that say where. Units: characters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phrase {
    pub start: usize,
    pub end: usize,
    /// Parts of the body by their places in the lexicon.
    pub places: Vec<usize>,
    pub side: Side,
    pub side_at: Option<Span>,
}

/// Words that may stand between the words of one phrase.
const JOINTS_EN: [&str; 24] = [
    "of",
    "the",
    "upper",
    "middle",
    "lower",
    "mid",
    "main",
    "distal",
    "proximal",
    "anterior",
    "posterior",
    "lateral",
    "medial",
    "inferior",
    "superior",
    "and",
    "aspect",
    "portion",
    "side",
    "sided",
    "posterolateral",
    "'s",
    "central",
    "peripheral",
];
const JOINTS_ZH: [&str; 9] = ["", "的", "侧", " ", "部", "侧的", "近", "内", "旁"];

/// The phrases of a sentence, in order. In a list (右肺上叶、下叶) a part without a side has that of the part before it.
pub(crate) fn phrases(tokens: &[Token], lexicon: &Lexicon, text: &[char], is_zh: bool) -> Vec<Phrase> {
    let mut out: Vec<Phrase> = Vec::new();
    for token in tokens {
        let Some(next) = phrase_of(token, lexicon) else { continue };
        let gap = |last: &Phrase| text.get(last.end..next.start).unwrap_or_default().iter().collect::<String>();
        match out.last_mut() {
            Some(last) if joins(last, &next, &gap(last), is_zh) => join(last, &next),
            Some(last) if next.side == Side::None && is_zh && matches!(gap(last).as_str(), "、" | "及" | "和" | "与") => {
                let side = (last.side, last.side_at);
                out.push(Phrase { side: side.0, side_at: side.1, ..next });
            }
            _ => out.push(next),
        }
    }
    out
}

fn phrase_of(token: &Token, lexicon: &Lexicon) -> Option<Phrase> {
    let span = (token.start, token.end);
    let (places, side) = match token.meaning {
        Meaning::Side(side) => (Vec::new(), side),
        Meaning::Place(at) => (vec![at], lexicon.place(at)?.side),
        Meaning::Finding(_) | Meaning::Cue(_) => return None,
    };
    Some(Phrase { start: span.0, end: span.1, places, side, side_at: (side != Side::None).then_some(span) })
}

fn joins(last: &Phrase, next: &Phrase, gap: &str, is_zh: bool) -> bool {
    let is_near = if is_zh { JOINTS_ZH.contains(&gap) } else { is_joint_en(gap) };
    // Two sided phrases are two places, unless they are sides alone: left and right.
    let both_sided = last.side != Side::None && next.side != Side::None && !(last.places.is_empty() && next.places.is_empty());
    let has_and = gap.split_whitespace().any(|w| w == "and");
    is_near && !both_sided && (!has_and || last.places.is_empty())
}

fn is_joint_en(gap: &str) -> bool {
    gap.chars().count() < 40
        && gap.split([' ', '-', '/']).filter(|w| !w.is_empty()).all(|word| JOINTS_EN.contains(&word.to_ascii_lowercase().as_str()))
}

fn join(last: &mut Phrase, next: &Phrase) {
    last.end = next.end;
    last.places.extend(&next.places);
    if last.side == Side::None {
        (last.side, last.side_at) = (next.side, next.side_at);
    } else if next.side != Side::None && next.side != last.side {
        last.side = Side::Both;
    }
}
