//! Finding the words of the lexicon in a text.

use super::lexicon::{Lexicon, Meaning, Term};

/// A word of the lexicon in a text. Units: characters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Token {
    pub start: usize,
    pub end: usize,
    pub meaning: Meaning,
}

/// A text as it is compared: full-width letters, digits and signs as their ordinary ones, all blanks alike. Places stay.
pub(crate) fn comparable(text: &str) -> Vec<char> {
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{A0}' | '\u{2009}' | '\u{202F}' | '\t' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2019}' => '\'',
        c => c,
    };
    let mut out: Vec<char> = text.chars().map(plain).collect();
    // `5-mm` is `5 mm`; a range (4-6 mm) keeps its dash.
    for at in 1..out.len() {
        let is_dash = out.get(at) == Some(&'-') && out.get(at - 1).is_some_and(char::is_ascii_digit);
        if is_dash && matches!(out.get(at + 1..at + 3), Some(['m' | 'c', 'm'])) {
            out.splice(at..=at, [' ']);
        }
    }
    out
}

/// All words of the lexicon in a stretch of a text, the longest first at every place, none within another.
pub(crate) fn scan(lexicon: &Lexicon, text: &[char], (start, end): (usize, usize)) -> Vec<Token> {
    let mut out = Vec::new();
    let mut at = start;
    while at < end {
        match longest(lexicon, text, at, end) {
            Some(token) => {
                at = token.end;
                out.push(token);
            }
            None => at += 1,
        }
    }
    out
}

fn longest(lexicon: &Lexicon, text: &[char], at: usize, end: usize) -> Option<Token> {
    let first = text.get(at)?.to_ascii_lowercase();
    if first.is_ascii_alphanumeric() && !begins(text, at) {
        return None;
    }
    lexicon.terms(text.get(at..end.min(at + 2))?).find_map(|term| {
        let stop = match_term(text, at, term).filter(|stop| *stop <= end)?;
        // 第6肋骨折: the bone's last character begins the fracture.
        if term.chars.len() > 1 && term.chars.last() == Some(&'骨') && text.get(stop) == Some(&'折') {
            return None;
        }
        Some(Token { start: at, end: stop, meaning: term.meaning })
    })
}

/// True at the start of a word, a Chinese character before it being no part of one.
fn begins(text: &[char], at: usize) -> bool {
    !at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(char::is_ascii_alphanumeric)
}

/// Where the term that begins at a place ends; an English word may bear the ending of its plural.
fn match_term(text: &[char], at: usize, term: &Term) -> Option<usize> {
    let end = at + term.chars.len();
    let here = text.get(at..end)?;
    let same = |(a, b): (&char, &char)| a == b || (!term.is_exact && (a.eq_ignore_ascii_case(b) || (is_gap(*a) && is_gap(*b))));
    if !here.iter().zip(&term.chars).all(same) {
        return None;
    }
    let is_open = |end: usize| text.get(end).is_some_and(char::is_ascii_alphanumeric);
    if !term.chars.last().is_some_and(char::is_ascii_alphanumeric) || !is_open(end) {
        return Some(end);
    }
    let plural = if text.get(end) == Some(&'s') {
        end + 1
    } else if text.get(end..end + 2) == Some(&['e', 's']) {
        end + 2
    } else {
        return None;
    };
    (!is_open(plural)).then_some(plural)
}

/// `ground-glass` and `ground glass` are one.
const fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let text = comparable(text);
        scan(Lexicon::builtin(), &text, (0, text.len())).iter().map(|t| text[t.start..t.end].iter().collect()).collect()
    }

    #[test]
    fn the_longest_word_counts() {
        assert_eq!(words("左右"), ["左右"]);
        assert!(words("nodules").contains(&"nodules".to_owned()));
        assert!(words("snodule").is_empty());
        assert_eq!(words("ｎｏｄｕｌｅ").len(), 1);
    }
}
