//! Guessing the set of text whose declared set cannot be right.

use super::CharacterSet;
use encoding_rs as e;

/// True when the bytes fit the declared set but hardly mean it: Chinese under a Western default.
pub(super) fn looks_wrong(set: &CharacterSet, raw: &[u8]) -> bool {
    if set.is_western_or_none() {
        return is_multibyte_utf8(raw) || is_chinese_pairs(raw);
    }
    // GB text is hardly ever also UTF-8 that is Chinese throughout.
    set.is_gb() && std::str::from_utf8(raw).is_ok_and(|text| text.chars().filter(|c| !c.is_ascii()).all(is_han))
}

/// The text by the set its bytes fit: UTF-8, then GB18030, then Windows-1252. `None` when none does.
pub(super) fn guess(raw: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(raw) {
        return Some(text.to_owned());
    }
    let (text, failed) = e::GB18030.decode_without_bom_handling(raw);
    if !failed && text.chars().filter(|c| !c.is_ascii()).all(is_han) && has_common_pairs(raw) {
        return Some(text.into_owned());
    }
    if raw.contains(&0x1B) {
        return None;
    }
    e::WINDOWS_1252.decode_without_bom_handling_and_without_replacement(raw).map(std::borrow::Cow::into_owned)
}

/// At least half of the characters, read as GBK, are common ones. Western text read as GBK gives rare ones.
fn has_common_pairs(raw: &[u8]) -> bool {
    let (mut pairs, mut common) = (0, 0);
    let mut bytes = raw.iter();
    while let Some(lead) = bytes.next() {
        if *lead >= 0x80 {
            pairs += 1;
            common += usize::from(matches!((lead, bytes.next()), (0xB0..=0xD7, Some(0xA1..=0xFE))));
        }
    }
    common * 2 >= pairs
}

fn is_multibyte_utf8(raw: &[u8]) -> bool {
    !raw.is_ascii() && std::str::from_utf8(raw).is_ok_and(|text| text.chars().all(|c| !c.is_control() || c.is_ascii()))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FF5E}' | '·')
}

/// All upper bytes come in pairs that are Chinese characters of GB 2312, at least half of them common ones
/// (level 1). An accented Western letter rarely has an accented neighbour, so such runs are not Western.
fn is_chinese_pairs(raw: &[u8]) -> bool {
    let (mut pairs, mut common) = (0, 0);
    for run in raw.split(|b| b.is_ascii()).filter(|run| !run.is_empty()) {
        let mut chunks = run.chunks_exact(2);
        for pair in chunks.by_ref() {
            match pair {
                [0xB0..=0xD7, 0xA1..=0xFE] => common += 1,
                [0xD8..=0xF7, 0xA1..=0xFE] => {}
                _ => return false,
            }
            pairs += 1;
        }
        if !chunks.remainder().is_empty() {
            return false;
        }
    }
    pairs > 0 && common * 2 >= pairs
}
