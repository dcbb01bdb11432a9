//! What a report is: blocks of text with slots and marks in them.
//!
//! Positions are counted in characters (Unicode scalar values), from 0, and stand between characters. A slot
//! occupies exactly one character of the text, [`SLOT_CHAR`], and that character stands nowhere else; typed
//! text cannot hold it.

use crate::error::{Error, Result};
use mj_model::{Lang, StudyUid};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The character a slot occupies: U+FFFC, object replacement character.
pub const SLOT_CHAR: char = '\u{FFFC}';

/// Longest text of a block. Units: characters.
pub const MAX_CHARS: usize = 1_000_000;

/// A report as it is being written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Id of the report.
    pub id: String,
    /// The study it is about.
    pub study: StudyUid,
    /// Name of the template it began from.
    pub template: String,
    /// Language it is written in.
    pub lang: Lang,
    /// Number of edits so far.
    pub revision: u64,
    /// Fields in the order they are printed.
    pub blocks: Vec<Block>,
}

/// What a field of a report is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// 临床病史.
    History,
    /// 检查技术.
    Technique,
    /// 对比检查.
    Comparison,
    /// 检查所见.
    Findings,
    /// 诊断意见.
    Impression,
    /// 建议.
    Recommendation,
    /// Anything else.
    Other,
}

/// One field of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Id, unique in the document, for example `findings`.
    pub id: String,
    /// Chinese title.
    pub title_zh: String,
    /// English title.
    pub title_en: String,
    /// What it is for.
    pub kind: BlockKind,
    /// True when a report cannot be signed while it is empty.
    #[serde(default)]
    pub is_required: bool,
    /// The text; lines parted by `\n`. Each slot stands in it as one [`SLOT_CHAR`].
    pub text: String,
    /// Slots in the order of the text.
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// Marks ordered by start, end and id.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// Whether the number in a slot is the one that was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// It shows the present revision of its finding.
    Verified,
    /// The finding has a newer revision that the report did not take over.
    Stale,
    /// The finding or measurement was rejected or taken back.
    Gone,
}

/// A number in the text that is bound to a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Id, unique in the document.
    pub id: String,
    /// Place of its character in the text.
    pub at: usize,
    /// Id of the finding.
    pub finding: String,
    /// Id of the measurement within the finding.
    pub measurement: String,
    /// Revision of the finding that `shown` was taken from.
    pub finding_revision: u32,
    /// Number and unit as people read them, for example `12.3 mm`.
    pub shown: String,
    /// Whether that is still what was measured.
    pub state: SlotState,
}

/// What is known of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// The finding it rests on says so, at its present revision.
    Verified,
    /// The finding has changed since.
    Stale,
    /// The finding says otherwise.
    Contradicted,
    /// Nothing measured or accepted supports it.
    Unsupported,
}

/// What a stretch of text claims, and on what it rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Id of the finding it rests on, if any.
    pub finding: Option<String>,
    /// Id of the measurement it rests on, if any.
    pub measurement: Option<String>,
    /// What is known of it.
    pub state: ClaimState,
    /// What the finding was when the sentence was last found true or confirmed; see [`crate::claims::ground`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<String>,
    /// What the sentence meant then, in a few characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// True for a claim that was read out of typed or dictated text, and is read anew with every edit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_text: bool,
}

impl Claim {
    /// A claim that rests on a finding.
    #[must_use]
    pub const fn bound(finding: String, state: ClaimState) -> Self {
        Self { finding: Some(finding), measurement: None, state, ground: None, meaning: None, from_text: false }
    }
}

/// A claim about the text from `start` up to, not including, `end`.
///
/// A mark is held by its first and last character: text put between them belongs to it, text put before or
/// after does not, and a deletion of either takes the mark away, since the sentence that it vouched for no
/// longer stands there. (Nothing weaker gives all copies of a document the same mark whatever the order in
/// which they learn of edits.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Id, unique in the document.
    pub id: String,
    /// First character.
    pub start: usize,
    /// One past the last character; greater than `start`.
    pub end: usize,
    /// What is claimed.
    pub claim: Claim,
}

impl Block {
    /// An empty block.
    #[must_use]
    pub fn new(id: &str, title_zh: &str, title_en: &str, kind: BlockKind) -> Self {
        Self {
            id: id.into(),
            title_zh: title_zh.into(),
            title_en: title_en.into(),
            kind,
            is_required: false,
            text: String::new(),
            slots: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// The title in a language.
    #[must_use]
    pub fn title(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.title_zh,
            Lang::En => &self.title_en,
        }
    }

    /// Length of the text. Units: characters.
    #[must_use]
    pub fn n_chars(&self) -> usize {
        self.text.chars().count()
    }

    /// The text as people read it: every slot replaced by the number it shows.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut slots = self.slots.iter();
        for c in self.text.chars() {
            match c {
                SLOT_CHAR => out.push_str(slots.next().map_or("", |slot| &slot.shown)),
                c => out.push(c),
            }
        }
        out
    }

    /// The place in [`Self::plain`] of a place in the text. Units: characters.
    #[must_use]
    pub fn plain_position(&self, at: usize) -> usize {
        self.slots.iter().filter(|slot| slot.at < at).fold(at, |sum, slot| sum + slot.shown.chars().count().max(1) - 1)
    }

    /// The place in the text of a place in [`Self::plain`]; one within a number is that of its slot. Units: characters.
    #[must_use]
    pub fn text_position(&self, plain: usize) -> usize {
        let mut at = plain;
        for slot in self.slots.iter().take_while(|slot| slot.at < plain) {
            let start = self.plain_position(slot.at);
            let length = slot.shown.chars().count();
            if start >= plain {
                break;
            }
            if plain < start + length {
                return slot.at;
            }
            at = slot.at + 1 + (plain - start - length);
        }
        at
    }

    /// As [`Self::plain_position`], for many places of one text.
    pub(crate) fn plain_places(&self) -> PlainPlaces {
        let mut extra = 0;
        let mut after = vec![0];
        for slot in &self.slots {
            extra += slot.shown.chars().count().max(1) - 1;
            after.push(extra);
        }
        PlainPlaces { at: self.slots.iter().map(|slot| slot.at).collect(), after }
    }

    /// The range in [`Self::plain`] of a range in the text.
    #[must_use]
    pub fn plain_span(&self, start: usize, end: usize) -> [usize; 2] {
        [self.plain_position(start), self.plain_position(end)]
    }

    /// Byte positions of a range of characters, or `None` when it reaches past the text.
    #[must_use]
    pub fn byte_range(&self, at: usize, len: usize) -> Option<Range<usize>> {
        let mut places = self.text.char_indices().map(|(byte, _)| byte).chain([self.text.len()]);
        let start = places.nth(at)?;
        let end = if len == 0 { start } else { places.nth(len - 1)? };
        Some(start..end)
    }

    /// Checks that the slots stand exactly where their characters do and the marks within the text.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn validate(&self) -> Result<()> {
        let mut n_chars = 0;
        let mut slots = self.slots.iter();
        for (at, c) in self.text.chars().enumerate() {
            n_chars = at + 1;
            if c == SLOT_CHAR && slots.next().is_none_or(|slot| slot.at != at) {
                return Err(Error::Damaged { what: "a slot's character without its slot" });
            }
        }
        if slots.next().is_some() {
            return Err(Error::Damaged { what: "a slot without its character" });
        }
        if self.marks.iter().any(|mark| mark.start >= mark.end || mark.end > n_chars) {
            return Err(Error::Damaged { what: "a mark outside the text" });
        }
        Ok(())
    }
}

/// Places in a text and in its plain form.
#[derive(Debug, Clone)]
pub(crate) struct PlainPlaces {
    /// Places of the slots.
    at: Vec<usize>,
    /// By how much a place behind so many slots is further on in the plain text.
    after: Vec<usize>,
}

impl PlainPlaces {
    pub(crate) fn position(&self, at: usize) -> usize {
        at + self.after.get(self.at.partition_point(|slot| *slot < at)).copied().unwrap_or_default()
    }

    pub(crate) fn span(&self, start: usize, end: usize) -> [usize; 2] {
        [self.position(start), self.position(end)]
    }
}

impl Document {
    /// The block of an id.
    ///
    /// # Errors
    /// [`Error::NoSuchBlock`].
    pub fn block(&self, id: &str) -> Result<&Block> {
        self.blocks.iter().find(|block| block.id == id).ok_or_else(|| Error::NoSuchBlock { block: id.into() })
    }

    /// The first block of a kind.
    #[must_use]
    pub fn first_of(&self, kind: BlockKind) -> Option<&Block> {
        self.blocks.iter().find(|block| block.kind == kind)
    }

    /// All slots with the block they stand in.
    pub fn slots(&self) -> impl Iterator<Item = (&Block, &Slot)> {
        self.blocks.iter().flat_map(|block| block.slots.iter().map(move |slot| (block, slot)))
    }

    /// All marks with the block they stand in.
    pub fn marks(&self) -> impl Iterator<Item = (&Block, &Mark)> {
        self.blocks.iter().flat_map(|block| block.marks.iter().map(move |mark| (block, mark)))
    }

    /// The slot of an id.
    #[must_use]
    pub fn slot(&self, id: &str) -> Option<&Slot> {
        self.slots().map(|(_, slot)| slot).find(|slot| slot.id == id)
    }

    /// The mark of an id.
    #[must_use]
    pub fn mark(&self, id: &str) -> Option<&Mark> {
        self.marks().map(|(_, mark)| mark).find(|mark| mark.id == id)
    }

    /// The whole report as plain text: titles and texts in order, in the report's language.
    #[must_use]
    pub fn plain(&self) -> String {
        let parts: Vec<String> = self.blocks.iter().map(|b| format!("{}\n{}\n", b.title(self.lang), b.plain())).collect();
        parts.join("\n")
    }

    /// Checks everything that [`Document::apply`] keeps true. For documents that come from outside.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn validate(&self) -> Result<()> {
        let mut ids: Vec<&str> = self.blocks.iter().map(|block| block.id.as_str()).collect();
        if has_duplicates(&mut ids) {
            return Err(Error::Damaged { what: "two fields of one id" });
        }
        let mut ids: Vec<&str> = self.slots().map(|(_, slot)| slot.id.as_str()).collect();
        ids.extend(self.marks().map(|(_, mark)| mark.id.as_str()));
        if has_duplicates(&mut ids) {
            return Err(Error::Damaged { what: "two anchors of one id" });
        }
        self.blocks.iter().try_for_each(Block::validate)
    }
}

fn has_duplicates(ids: &mut [&str]) -> bool {
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair.first() == pair.last())
}

/// Why a character cannot be part of typed text, as the error.
pub(crate) fn refuse_forbidden(text: &str) -> Result<()> {
    match text.chars().find(|&c| is_forbidden(c)) {
        Some(c) => Err(Error::ForbiddenCharacter { code: u32::from(c) }),
        None => Ok(()),
    }
}

fn is_forbidden(c: char) -> bool {
    c == SLOT_CHAR || (c.is_control() && c != '\n' && c != '\t')
}

/// Text as it may be typed: line ends become `\n`, other control characters and [`SLOT_CHAR`] are left out.
/// For paste, dictation and files.
#[must_use]
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|&c| !is_forbidden(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        let mut block = Block::new("findings", "检查所见", "Findings", BlockKind::Findings);
        block.text = format!("结节约{SLOT_CHAR}，\n稳定。");
        block.slots.push(Slot {
            id: "s".into(),
            at: 3,
            finding: "f".into(),
            measurement: "m".into(),
            finding_revision: 1,
            shown: "12.3 mm".into(),
            state: SlotState::Verified,
        });
        block
    }

    #[test]
    fn plain_text_shows_the_numbers_and_maps_places() {
        let block = block();
        assert_eq!(block.plain(), "结节约12.3 mm，\n稳定。");
        assert_eq!(block.plain_span(3, 4), [3, 10]);
        assert_eq!(block.plain_span(5, 8), [11, 14]);
        assert_eq!([0, 3, 5, 10, 11, 14].map(|at| block.text_position(at)), [0, 3, 3, 4, 5, 8]);
        assert_eq!(block.n_chars(), 9);
        block.validate().unwrap();
    }

    #[test]
    fn damage_is_seen() {
        let damaged = |change: &dyn Fn(&mut Block)| {
            let mut block = block();
            change(&mut block);
            block.validate().is_err()
        };
        assert!(damaged(&|b| b.slots.clear()));
        assert!(damaged(&|b| b.text.push(SLOT_CHAR)));
        assert!(damaged(&|b| b.text.insert(0, 'x')));
        assert!(damaged(&|b| b.text.retain(|c| c != SLOT_CHAR)));
    }

    #[test]
    fn pasted_text_is_cleaned() {
        assert_eq!(clean("a\r\nb\rc\u{FFFC}d\u{0}\te"), "a\nb\ncd\te");
        assert!(refuse_forbidden("a\u{FFFC}").is_err() && refuse_forbidden("\u{7}").is_err());
        refuse_forbidden("直径\t约\n12 mm").unwrap();
    }
}
