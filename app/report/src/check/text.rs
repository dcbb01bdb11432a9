//! Places in text: sentences, words, and headings of a plain text.

use crate::document::{Block, BlockKind, Document, clean};
use mj_model::{Lang, StudyUid};

/// Fills the places `{name}` of a text, once.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Sentences of a text as ranges of characters: cut at stops and line ends, not at commas; a point between
/// digits is no stop.
pub(crate) fn sentences(text: &[char]) -> Vec<(usize, usize)> {
    let is_stop = |i: usize, c: char| match c {
        '。' | '；' | ';' | '\n' | '！' | '？' => true,
        '.' => text.get(i + 1).is_none_or(|next| next.is_whitespace()) && !is_shortened(text.get(..i).unwrap_or_default()),
        _ => false,
    };
    let mut out = Vec::new();
    let mut start = 0;
    for (i, &c) in text.iter().enumerate() {
        if is_stop(i, c) {
            out.push((start, i + 1));
            start = i + 1;
        }
    }
    out.push((start, text.len()));
    out.retain(|(a, b)| text.get(*a..*b).is_some_and(|s| s.iter().any(|c| !c.is_whitespace())));
    out
}

/// True behind a word that is written short with a point, and goes on: "approx. 5 mm".
fn is_shortened(before: &[char]) -> bool {
    let word: String =
        before.iter().rev().take_while(|c| c.is_ascii_alphabetic() || **c == '.').collect::<Vec<_>>().into_iter().rev().collect();
    matches!(word.to_ascii_lowercase().as_str(), "approx" | "vs" | "e.g" | "i.e" | "cf" | "dr" | "resp" | "incl")
}

/// Where a word stands, in characters. English words must begin at the start of a word.
pub(super) fn places(text: &[char], word: &str) -> Vec<usize> {
    let word: Vec<char> = word.chars().collect();
    let is_latin = word.first().is_some_and(char::is_ascii_alphabetic);
    let begins = |at: usize| !is_latin || at == 0 || !text.get(at - 1).is_some_and(char::is_ascii_alphabetic);
    let last = match text.len().checked_sub(word.len()) {
        Some(last) if !word.is_empty() => last,
        _ => return Vec::new(),
    };
    (0..=last).filter(|&at| begins(at) && is_same(text.get(at..at + word.len()), &word)).collect()
}

fn is_same(here: Option<&[char]>, word: &[char]) -> bool {
    here.is_some_and(|here| here.iter().zip(word).all(|(a, b)| a.eq_ignore_ascii_case(b)))
}

/// Replaces the words by blanks of the same length, so that places stay.
pub(super) fn without(text: &[char], words: &[String]) -> Vec<char> {
    let mut out = text.to_vec();
    for word in words {
        for at in places(text, word) {
            out.iter_mut().skip(at).take(word.chars().count()).for_each(|c| *c = '\u{1}');
        }
    }
    out
}

pub(super) fn to_string(text: &[char], span: (usize, usize)) -> String {
    text.get(span.0..span.1).unwrap_or_default().iter().collect()
}

/// Headings by which a plain text is cut into fields.
const HEADINGS: [(&str, BlockKind, &str, &str, &[&str]); 5] = [
    ("history", BlockKind::History, "临床病史", "Clinical history", &["临床病史", "临床诊断", "病史", "clinical history", "history"]),
    ("technique", BlockKind::Technique, "检查技术", "Technique", &["检查技术", "检查方法", "扫描方法", "technique"]),
    ("comparison", BlockKind::Comparison, "对比检查", "Comparison", &["对比检查", "comparison"]),
    ("findings", BlockKind::Findings, "检查所见", "Findings", &["检查所见", "影像所见", "影像学所见", "影像表现", "所见", "findings"]),
    (
        "impression",
        BlockKind::Impression,
        "诊断意见",
        "Impression",
        &["诊断意见", "诊断印象", "影像诊断", "印象", "诊断", "impression", "conclusion"],
    ),
];

impl Document {
    /// A report from plain text: lines that begin with a known heading (检查所见, 诊断意见, Findings, …) open a
    /// field; text before the first heading is taken as findings. The language is the one given, else Chinese
    /// when there is any Chinese character. For checking texts that come from elsewhere.
    #[must_use]
    pub fn from_text(text: &str, lang: Option<Lang>) -> Self {
        let text = clean(text);
        let has_han = text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
        let mut blocks: Vec<Block> = Vec::new();
        for line in text.lines() {
            let (id, rest) = heading(line).unwrap_or((None, line));
            let id = id.or_else(|| blocks.last().is_none().then_some("findings"));
            if let Some(id) = id {
                open(&mut blocks, id);
            }
            if let Some(block) = blocks.last_mut() {
                block.text.push_str(rest);
                block.text.push('\n');
            }
        }
        for block in &mut blocks {
            block.text = block.text.trim().to_owned();
        }
        // Any valid UID: a text from elsewhere belongs to no study of ours, and nothing looks at it.
        let study = StudyUid::parse("2.25.0").unwrap_or_else(|_not_a_uid| StudyUid::fresh());
        let lang = if has_han { Lang::Zh } else { lang.unwrap_or(Lang::En) };
        Self { id: String::new(), study, template: String::new(), lang, revision: 0, blocks }
    }
}

/// The field a line opens, and what stands behind the heading on the same line.
fn heading(line: &str) -> Option<(Option<&'static str>, &str)> {
    let bare = line.trim_start_matches(['#', ' ', '【', '[', '*', '\u{3000}']);
    HEADINGS.iter().flat_map(|(id, _, _, _, words)| words.iter().map(move |word| (id, word))).find_map(|(id, word)| {
        let start = bare.get(..word.len())?;
        let rest = start.eq_ignore_ascii_case(word).then(|| bare.get(word.len()..)).flatten()?;
        let rest = rest.trim_start_matches([' ', '】', ']', '*', '\u{3000}']);
        match rest.strip_prefix([':', '：']) {
            Some(behind) => Some((Some(*id), behind.trim_start())),
            None => rest.is_empty().then_some((Some(*id), "")),
        }
    })
}

fn open(blocks: &mut Vec<Block>, id: &str) {
    if let Some(at) = blocks.iter().position(|block| block.id == id) {
        // A heading that comes twice goes on with its field.
        let block = blocks.remove(at);
        blocks.push(block);
    } else if let Some((id, kind, zh, en, _)) = HEADINGS.iter().find(|heading| heading.0 == id) {
        blocks.push(Block { is_required: matches!(kind, BlockKind::Findings | BlockKind::Impression), ..Block::new(id, zh, en, *kind) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_cut_a_text() {
        let doc = Document::from_text("检查所见：右肺结节。\n左肺正常。\n【诊断意见】\n1. 右肺结节。", None);
        let got: Vec<_> = doc.blocks.iter().map(|b| (b.id.as_str(), b.text.as_str())).collect();
        assert_eq!(got, [("findings", "右肺结节。\n左肺正常。"), ("impression", "1. 右肺结节。")]);
        let doc = Document::from_text("Nodule.\n\nIMPRESSION:\nNodule.", None);
        assert_eq!((doc.lang, doc.blocks.len()), (Lang::En, 2));
        assert_eq!(Document::from_text("所见即所得的文字", None).blocks[0].text, "所见即所得的文字");
        assert!(Document::from_text("", None).blocks.is_empty());
    }

    #[test]
    fn sentences_keep_decimals_together() {
        let text: Vec<char> = "约12.3 mm，稳定。Nodule. Yes".chars().collect();
        let got: Vec<String> = sentences(&text).into_iter().map(|s| to_string(&text, s)).collect();
        assert_eq!(got, ["约12.3 mm，稳定。", "Nodule.", " Yes"]);
    }

    #[test]
    fn words_are_found_whole() {
        let text: Vec<char> = "Uterus; the left".chars().collect();
        assert_eq!(places(&text, "uterus"), [0]);
        assert_eq!(places(&text, "eft"), [] as [usize; 0]);
        assert_eq!(fill("{a}{b", &[("a", "{b}")]), "{b}{b");
    }
}
