//! From a sentence to what it claims. What is not understood is no claim.
//!
//! A sentence is read clause by clause (between commas). Every finding that is named is a claim; the words around
//! it say where, on which side, how large, whether it is there at all, and how it stands to an earlier examination.

use super::lexicon::{Change, Cue, Lexicon, Meaning};
use super::phrase::{Phrase, phrases};
use super::words::{Token, comparable, scan};
use crate::check::numbers::{self, Typed};
use crate::check::text::sentences;
use crate::rules::UnitWords;
use mj_model::Side;

/// Whether a finding is said to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It may be there.
    Possible,
}

/// A stretch of a text, from a character up to, not including, another.
pub type Span = (usize, usize);

/// What a sentence says of one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// From the first to the last word that belongs to it.
    pub span: Span,
    /// The sentence it stands in.
    pub sentence: Span,
    /// The words that name the finding.
    pub what: Span,
    /// Name of the finding in the lexicon.
    pub kind: String,
    /// Its family.
    pub family: String,
    /// The words that say where.
    pub at: Option<Span>,
    /// Names of the parts of the body in the lexicon; several for one that lies in several.
    pub places: Vec<String>,
    /// The side of the patient.
    pub side: Side,
    /// The words that say the side.
    pub side_at: Option<Span>,
    /// Whether it is there.
    pub presence: Presence,
    /// Sizes at the present examination, as said.
    pub sizes: Vec<Size>,
    /// How it stands to an earlier examination.
    pub change: Option<Change>,
    /// True when it speaks of several findings at once: 多发, several, or a list of places.
    pub is_several: bool,
    /// True for a denial with a restriction: "no other nodule", 余肺未见结节.
    pub is_qualified: bool,
}

/// A size as it was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Where.
    pub span: Span,
    /// In mm.
    pub mm: f64,
    /// Half of the last digit that was said. Units: mm.
    pub half_digit_mm: f64,
}

/// What a text claims, in the order of its sentences.
#[must_use]
pub fn said(text: &str, lexicon: &Lexicon, units: &[UnitWords]) -> Vec<Said> {
    let text = comparable(text);
    sentences(&text).into_iter().flat_map(|span| Reading::new(lexicon, &text, span, units).said()).collect()
}

/// A finding that a sentence names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    pub start: usize,
    pub end: usize,
    pub concept: usize,
}

/// A sentence while it is read.
pub(super) struct Reading<'a> {
    pub lexicon: &'a Lexicon,
    pub text: &'a [char],
    pub sentence: Span,
    pub tokens: Vec<Token>,
    /// Places of the signs that part clauses.
    pub breaks: Vec<usize>,
    pub is_zh: bool,
    pub mentions: Vec<Mention>,
    pub phrases: Vec<Phrase>,
    /// Lengths, each with its unit.
    pub numbers: Vec<Typed<'a>>,
}

impl<'a> Reading<'a> {
    fn new(lexicon: &'a Lexicon, text: &'a [char], sentence: Span, units: &'a [UnitWords]) -> Self {
        let tokens = scan(lexicon, text, sentence);
        let stretch = text.get(sentence.0..sentence.1).unwrap_or_default();
        let is_zh = stretch.iter().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(c));
        let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
        let is_break = |at: usize| match text.get(at) {
            Some(',') => !(at > 0 && is_digit(at - 1) && is_digit(at + 1)),
            Some(':' | '(' | ')' | '[' | ']') => true,
            _ => false,
        };
        let breaks = (sentence.0..sentence.1).filter(|at| is_break(*at)).collect();
        let mut reading =
            Self { lexicon, text, sentence, tokens, breaks, is_zh, mentions: Vec::new(), phrases: Vec::new(), numbers: Vec::new() };
        reading.mentions = reading.find_mentions();
        reading.phrases = phrases(&reading.tokens, lexicon, text, is_zh);
        if !reading.mentions.is_empty() {
            reading.numbers = numbers::numbers(text, sentence, units).into_iter().filter(|n| n.unit.of == "mm").collect();
        }
        reading
    }

    /// The clause of a place, counted from 0.
    pub(super) fn clause(&self, at: usize) -> usize {
        self.breaks.partition_point(|b| *b < at)
    }

    /// The text between two places, in lower case.
    pub(super) fn between(&self, from: usize, to: usize) -> String {
        self.text.get(from..to).unwrap_or_default().iter().collect::<String>().to_ascii_lowercase()
    }

    /// The words that turn what is said, in order: start, end, what they do.
    pub(super) fn cues(&self) -> impl DoubleEndedIterator<Item = (usize, usize, Cue)> + '_ {
        self.tokens.iter().filter_map(|t| match t.meaning {
            Meaning::Cue(cue) => Some((t.start, t.end, cue)),
            _ => None,
        })
    }

    /// True when a word of the finding's clause does something.
    fn has_cue(&self, mention: &Mention, wanted: Cue) -> bool {
        let clause = self.clause(mention.start);
        self.cues().any(|(start, _, cue)| cue == wanted && self.clause(start) == clause)
    }

    /// Words for findings that touch are one finding: its last word names it.
    fn find_mentions(&self) -> Vec<Mention> {
        let mut out: Vec<Mention> = Vec::new();
        for token in &self.tokens {
            let Meaning::Finding(concept) = token.meaning else { continue };
            let touches = |last: &Mention| {
                let gap = self.between(last.end, token.start);
                gap.is_empty() || (!self.is_zh && matches!(gap.as_str(), " " | "-" | "/")) || gap == "性"
            };
            match out.last_mut() {
                Some(last) if touches(last) => (last.end, last.concept) = (token.end, concept),
                _ => out.push(Mention { start: token.start, end: token.end, concept }),
            }
        }
        out
    }

    fn said(&self) -> Vec<Said> {
        let homes = self.homes();
        let sizes = self.sizes();
        let changes = self.changes();
        let mut out = Vec::new();
        for (i, (mention, home)) in self.mentions.iter().zip(&homes).enumerate() {
            let Some(presence) = self.presence(mention) else { continue };
            let own_sizes: Vec<Size> = sizes.iter().filter(|(owner, _)| *owner == i).map(|(_, size)| *size).collect();
            let change = changes.iter().find(|(owner, _)| *owner == i).map(|(_, change)| *change);
            let home: Vec<&Phrase> = home.iter().filter_map(|at| self.phrases.get(*at)).collect();
            out.extend(self.claim(mention, &home, presence, own_sizes, change));
        }
        out
    }

    fn claim(&self, mention: &Mention, home: &[&Phrase], presence: Presence, sizes: Vec<Size>, change: Option<Change>) -> Option<Said> {
        let concept = self.lexicon.concept(mention.concept)?;
        let named = home.iter().flat_map(|p| &p.places).filter_map(|at| self.lexicon.place(*at)).map(|p| p.id.clone());
        let mut places: Vec<String> = named.collect();
        if places.is_empty() {
            places.extend(concept.site.clone());
        }
        let sides = home.iter().map(|p| p.side).filter(|s| *s != Side::None);
        let side = sides.reduce(|a, b| if a == b { a } else { Side::Both }).unwrap_or_default();
        let hull = |a: Span, b: Span| (a.0.min(b.0), a.1.max(b.1));
        let at = home.iter().filter(|p| !p.places.is_empty()).map(|p| (p.start, p.end)).reduce(hull);
        let side_at = home.iter().find_map(|p| p.side_at);
        let parts = [Some((mention.start, mention.end)), at, side_at].into_iter().flatten();
        let span = parts.chain(sizes.iter().map(|s| s.span)).reduce(hull)?;
        let what = (mention.start, mention.end);
        let (kind, family, sentence) = (concept.id.clone(), concept.family.clone(), self.sentence);
        let is_several = home.iter().filter(|p| p.side != Side::None).count() > 1 || self.cues().any(|(_, _, cue)| cue == Cue::Several);
        let is_qualified = self.has_cue(mention, Cue::Qualifies);
        Some(Said { span, sentence, what, kind, family, at, places, side, side_at, presence, sizes, change, is_several, is_qualified })
    }
}
