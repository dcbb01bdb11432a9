//! Words: of titles, of modalities, of one line.

use crate::document::{BlockKind, clean};
use crate::template::Both;

/// One line: blanks and line ends become one blank, what has no place in a report goes.
pub(super) fn tidy(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as a title: in one line, without a colon at its end and without the RadLex numbers that pages show beside it.
pub(super) fn title_of_text(text: &str) -> String {
    let is_number = |word: &&str| word.strip_prefix("RID").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let cleaned = clean(text);
    let words: Vec<&str> = cleaned.split_whitespace().filter(|word| !is_number(word)).collect();
    words.join(" ").trim_end_matches([':', '：', ' ']).to_owned()
}

pub(super) fn both(text: &str) -> Both {
    Both { zh: text.to_owned(), en: text.to_owned() }
}

/// What a section is for, by its title in Chinese, English or German: the innermost part of it that says so.
pub(super) fn kind_of(path: &[String]) -> BlockKind {
    path.iter().rev().map(|title| kind_of_one(title)).find(|kind| *kind != BlockKind::Other).unwrap_or(BlockKind::Other)
}

fn kind_of_one(title: &str) -> BlockKind {
    let title = title.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| title.contains(word));
    // "Beurteilung" is the impression, "Verlaufsbeurteilung" a finding.
    let is_word = |word: &str| title.split(|c: char| !c.is_alphanumeric()).any(|w| w == word);
    if is(&["impression", "conclusion", "zusammenfassung", "诊断", "印象", "结论"]) || is_word("beurteilung") {
        BlockKind::Impression
    } else if is(&["recommend", "empfehlung", "建议"]) {
        BlockKind::Recommendation
    } else if is(&["comparison", "vergleich", "voruntersuch", "vorbefund", "对比"]) {
        BlockKind::Comparison
    } else if is(&["clinical", "klinisch", "anamnes", "indikation", "indication", "fragestellung", "history", "病史", "临床"])
        && !is(&["technik"])
    {
        BlockKind::History
    } else if is(&TECHNIQUE) {
        BlockKind::Technique
    } else if is(&["finding", "befund", "beurteilung", "所见", "表现"]) {
        BlockKind::Findings
    } else {
        BlockKind::Other
    }
}

const TECHNIQUE: [&str; 11] = [
    "technique",
    "technik",
    "methodik",
    "protocol",
    "protokoll",
    "procedure",
    "untersuchung",
    "kontrastmittel",
    "检查技术",
    "检查方法",
    "扫描",
];

/// Modalities (0008,0060) that a text names.
pub(super) fn modalities(about: &str) -> Vec<String> {
    let about = about.to_lowercase();
    let tokens: Vec<&str> = about.split(|c: char| !c.is_alphanumeric()).collect();
    let known: [(&str, &[&str]); 7] = [
        ("CT", &["ct", "cta", "ctpa"]),
        ("MR", &["mr", "mrt", "mri"]),
        ("US", &["us", "ultraschall", "ultrasound", "sonographie"]),
        ("DX", &["cr", "dx", "rx", "xr", "röntgen", "radiography", "rt"]),
        ("MG", &["mg", "mammographie", "mammography"]),
        ("PT", &["pet", "pt"]),
        ("NM", &["nm", "szintigraphie"]),
    ];
    let named = |words: &[&str]| words.iter().any(|word| tokens.contains(word));
    let mut out: Vec<String> = known.iter().filter(|(_, words)| named(words)).map(|(code, _)| (*code).to_owned()).collect();
    if out.contains(&"DX".to_owned()) {
        out.push("CR".into());
    }
    out
}

/// Words of a title by which a study may be known.
pub(super) fn words(title: &str) -> Vec<String> {
    let lower = title.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3).map(str::to_owned).collect()
}

/// A name of a template: letters, digits and `_`.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '\u{4E00}'..='\u{9FFF}' => out.push(c),
            _ if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    let out: String = out.trim_end_matches('_').chars().take(60).collect();
    if out.is_empty() { "template".into() } else { out }
}
