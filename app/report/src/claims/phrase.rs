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
const JOINTS_EN: [&str; 28] = [
    "branch",
    "branches",
    "segment",
    "segmental",
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
const JOINTS_ZH: [&str; 28] = [
    "", "的", "侧", " ", "部", "侧的", "近", "内", "下", "上", "中", "内侧", "外侧", "前", "后", "段", "区", "近段", "远段", "中段",
    "中部", "下部", "上部", "全", "缘", "向", "偏", "旁",
];

/// The phrases of a sentence, in order. In a list (右肺上叶、下叶) a part without a side has that of the part before it.
pub(crate) fn phrases(tokens: &[Token], lexicon: &Lexicon, text: &[char], is_zh: bool) -> Vec<Phrase> {
    let mut out: Vec<Phrase> = Vec::new();
    for token in tokens {
        let Some(next) = phrase_of(token, lexicon) else { continue };
        let gap = |last: &Phrase| plain_gap(text.get(last.end..next.start).unwrap_or_default());
        match out.last_mut() {
            Some(last) if joins(last, &next, &gap(last), is_zh) => join(last, &next),
            Some(last) if next.side == Side::None && is_list_gap(&gap(last), is_zh) => {
                let side = (last.side, last.side_at);
                out.push(Phrase { side: side.0, side_at: side.1, ..next });
            }
            _ => out.push(next),
        }
    }
    out
}

/// What stands between two words, without a short name in brackets, (S6), and without the numbers of ribs, 第5、6.
fn plain_gap(gap: &[char]) -> String {
    let open = gap.iter().position(|c| *c == '(');
    let close = gap.iter().position(|c| *c == ')');
    let plain: String = match (open, close) {
        (Some(a), Some(b)) if b > a && b - a <= 8 => gap.iter().take(a).chain(gap.iter().skip(b + 1)).collect(),
        _ => gap.iter().collect(),
    };
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '第' | '、' | '-' | '~' | '至');
    if plain.chars().any(|c| c.is_ascii_digit()) { plain.chars().filter(|c| !is_number(*c)).collect() } else { plain }
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

/// A list of places goes on: 右肺上叶、下叶; left common femoral, femoral and popliteal veins.
fn is_list_gap(gap: &str, is_zh: bool) -> bool {
    if is_zh { matches!(gap, "、" | "及" | "和" | "与") } else { matches!(gap.trim(), "," | "and" | ", and" | "or" | "/") }
}

/// A side with nothing but adjectives before the part that it belongs to: 右侧包裹性胸腔, right parafalcine dural.
fn is_open_side(last: &Phrase, gap: &str, is_zh: bool) -> bool {
    if !last.places.is_empty() || gap.contains([',', '(', ')', ':', '、']) {
        return false;
    }
    if is_zh {
        return gap.chars().count() <= 4
            && !gap.contains(['见', '有', '无', '未', '及', '和', '伴', '与', '示', '较', '为', '大', '小', '不']);
    }
    let words: Vec<&str> = gap.split_whitespace().collect();
    let stops = [
        "and", "with", "in", "or", "is", "are", "than", "greater", "larger", "worse", "to", "at", "within", "for", "as", "no", "without",
        "also",
    ];
    words.len() <= 3 && !words.iter().any(|w| stops.contains(w) || w.chars().any(|c| c.is_ascii_digit()))
}

fn joins(last: &Phrase, next: &Phrase, gap: &str, is_zh: bool) -> bool {
    let is_near = if is_zh { JOINTS_ZH.contains(&gap) } else { is_joint_en(gap) };
    let is_near = is_near || (next.side == Side::None && is_open_side(last, gap, is_zh));
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
