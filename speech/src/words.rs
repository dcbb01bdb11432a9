//! From the recogniser's tokens to words.
//!
//! A token is a run of bytes: in English most often a word with its leading space, in Chinese a character, a
//! few, or a part of one. A word ends where the next token begins with a space or with a character of a
//! script that is written without spaces; bytes of one character are never torn apart.

use mj_link::speech::Word;

/// A token as the recogniser gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Units: s, from the beginning of the sound.
    pub start_s: f64,
    /// Units: s, from the beginning of the sound.
    pub end_s: f64,
    /// From 0 to 1.
    pub probability: f64,
}

/// Joins tokens to words. The confidence of a word is the geometric mean of its tokens' probabilities.
#[must_use]
pub fn words(tokens: &[Token]) -> Vec<Word> {
    let mut out = Vec::new();
    let mut open: Option<(Vec<u8>, f64, f64, f64, u32)> = None;
    for token in tokens {
        let is_whole = open.as_ref().is_none_or(|(bytes, ..)| std::str::from_utf8(bytes).is_ok());
        if is_whole && begins_a_word(&token.bytes) {
            close(open.take(), &mut out);
        }
        let (bytes, _, end, log, n) = open.get_or_insert((Vec::new(), token.start_s, token.end_s, 0.0, 0));
        bytes.extend_from_slice(&token.bytes);
        *end = token.end_s;
        *log += token.probability.clamp(1e-9, 1.0).ln();
        *n += 1;
    }
    close(open, &mut out);
    out
}

/// The running text of words: what the tokens say, with one space where they have one.
#[must_use]
pub fn text(tokens: &[Token]) -> String {
    let bytes: Vec<u8> = tokens.iter().flat_map(|t| t.bytes.iter().copied()).collect();
    String::from_utf8_lossy(&bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn begins_a_word(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(b' ') => true,
        // The first byte of a character beyond Latin letters with marks: Chinese and its kin.
        Some(first) => *first >= 0xE2,
        None => false,
    }
}

fn close(open: Option<(Vec<u8>, f64, f64, f64, u32)>, out: &mut Vec<Word>) {
    let Some((bytes, start_s, end_s, log, n)) = open else { return };
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    if !text.is_empty() {
        let confidence = (log / f64::from(n.max(1))).exp();
        out.push(Word { text, start_s, end_s: end_s.max(start_s), confidence });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(parts: &[&[u8]]) -> Vec<Token> {
        let at = |n: usize| n as f64 * 0.1;
        let token = |(n, part): (usize, &&[u8])| Token { bytes: part.to_vec(), start_s: at(n), end_s: at(n + 1), probability: 0.5 };
        parts.iter().enumerate().map(token).collect()
    }

    #[test]
    fn tokens_become_words() {
        let lung = "肺".as_bytes();
        for (parts, expected, sentence) in [
            (&[&b" no"[..], b" pleural", b" effus", b"ion", b"."][..], &["no", "pleural", "effusion."][..], "no pleural effusion."),
            (&["右".as_bytes(), "上".as_bytes(), &lung[..1], &lung[1..], "。".as_bytes()], &["右", "上", "肺", "。"], "右上肺。"),
            (&["CT".as_bytes(), "平扫".as_bytes()], &["CT", "平扫"], "CT平扫"),
            (&[&b" "[..], b""], &[], ""),
            (&[], &[], ""),
        ] {
            let tokens = tokens(parts);
            let got: Vec<String> = words(&tokens).into_iter().map(|w| w.text).collect();
            assert_eq!(got, expected);
            assert_eq!(text(&tokens), sentence);
        }
    }

    #[test]
    fn times_and_confidence_of_a_word_are_those_of_its_tokens() {
        let mut parts = tokens(&[b" effus", b"ion"]);
        parts[1].probability = 0.125;
        let word = words(&parts).remove(0);
        assert_eq!((word.start_s, word.end_s), (0.0, 0.2));
        assert!((word.confidence - 0.25).abs() < 1e-9);
    }
}
