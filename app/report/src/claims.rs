//! What a text claims, and whether that is so.
//!
//! [`parse`] reads sentences in Chinese and English by the words of a [`Lexicon`] (data files in `assets/lexicon`); what it
//! does not understand stays prose. [`judge`] compares a claim with a finding, `assign` finds out which finding a typed
//! sentence speaks of, and [`living`] keeps the marks of a document at what is known: verified, stale, contradicted,
//! unsupported. Nothing here changes a word of the text.

mod assign;
mod home;
mod phrase;
mod presence;
mod sizes;
pub(crate) mod words;

pub mod judge;
pub mod lexicon;
pub mod living;
pub mod parse;

pub(crate) use assign::assign;
pub use judge::{Conflict, ground};
pub use lexicon::{Change, Lexicon};
pub use living::{Known, confirm, living};
pub use parse::{Presence, Said, said};
pub(crate) use words::comparable;

/// True when a sentence tells how something stands to an earlier examination.
pub(crate) fn tells_a_course(sentence: &[char]) -> bool {
    let tokens = words::scan(Lexicon::builtin(), sentence, (0, sentence.len()));
    tokens.iter().any(|t| matches!(t.meaning, lexicon::Meaning::Cue(cue) if cue.change().is_some() || cue == lexicon::Cue::Earlier))
}

/// Statements that an organ is normal as a whole, with the organ: 阑尾未见异常, "the appendix is normal". Not those of what is
/// left over (余肺未见异常).
pub(crate) fn normals(text: &str) -> Vec<(parse::Span, parse::Where)> {
    parse::normals(text, Lexicon::builtin())
}

/// Names of the parts of the body that a text speaks of, each with what it belongs to left out.
pub(crate) fn places_in(text: &str) -> Vec<String> {
    let (lexicon, text) = (Lexicon::builtin(), comparable(text));
    let tokens = words::scan(lexicon, &text, (0, text.len()));
    let place = |token: &words::Token| match token.meaning {
        lexicon::Meaning::Place(at) => lexicon.place(at).map(|p| p.id.clone()),
        lexicon::Meaning::Finding(at) => lexicon.concept(at).and_then(|c| c.site.clone()),
        _ => None,
    };
    tokens.iter().filter_map(place).collect()
}
