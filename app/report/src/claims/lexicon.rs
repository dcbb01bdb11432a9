//! The words of the field, as data: what can be found, where, and the words around it that turn a statement.

use crate::error::{Error, Result};
use crate::rules::Rules;
use crate::template::Words;
use mj_model::Side;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

const WORDS: &str = include_str!("../../../../assets/lexicon/words.toml");
const CUES: &str = include_str!("../../../../assets/lexicon/cues.toml");

#[expect(clippy::expect_used, reason = "part of the program: without it nothing would be checked, and nobody would know")]
static BUILTIN: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(WORDS, CUES, Rules::builtin()).expect("the lexicon of the program"));

/// Something that can be found on images, or be missing there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// Name, for example `nodule`.
    pub id: String,
    /// Findings of one family are spoken of as one another: a nodule as a lesion, a mass as a tumour.
    pub family: String,
    /// Chinese wordings.
    #[serde(default)]
    pub zh: Vec<String>,
    /// English wordings.
    #[serde(default)]
    pub en: Vec<String>,
    /// Id of the place that the word alone implies.
    #[serde(default)]
    pub site: Option<String>,
    /// True for what has no side of its own: a shift of the midline, hydrocephalus.
    #[serde(default)]
    pub sideless: bool,
    /// Id of the wider finding that this is one of: a subdural hematoma is a hemorrhage.
    #[serde(default)]
    pub of: Option<String>,
    /// Id of the finding of which these words are another name, at a place of their own: hydrothorax is an effusion.
    #[serde(default)]
    pub same: Option<String>,
    /// True for words that are no synonyms of each other: each is a finding of its own.
    #[serde(default)]
    pub mixed: bool,
}

/// A part of the body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Name, for example `lung_upper_lobe`.
    pub id: String,
    /// Id of the part that it belongs to.
    #[serde(default)]
    pub parent: Option<String>,
    /// True for a part that there is left and right.
    #[serde(default)]
    pub paired: bool,
    /// The side that the words themselves say.
    #[serde(default)]
    pub side: Side,
    /// Chinese wordings.
    #[serde(default)]
    pub zh: Vec<String>,
    /// English wordings.
    #[serde(default)]
    pub en: Vec<String>,
}

/// How a finding stands to an earlier examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Was not there.
    New,
    /// Grew.
    Larger,
    /// Shrank.
    Smaller,
    /// Is as it was.
    Stable,
    /// Is gone.
    Resolved,
}

/// A word that turns what is said around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// Denies what follows: 未见, no.
    Denies,
    /// Denies what stands before: 阴性, not seen.
    DeniesBefore,
    /// Doubts what follows: 考虑, possible.
    Doubts,
    /// Doubts what stands before: 待排, cannot be excluded.
    DoubtsBefore,
    /// Ends the reach of such a word: 但, but.
    Ends,
    /// Speaks of an earlier examination: 较前, previously.
    Earlier,
    /// Comes back to the present one: 现, now.
    Now,
    /// What follows is past, no statement about these images: history of.
    History,
    /// What stands before is past: 术后.
    HistoryBefore,
    /// What follows is advice: 建议, recommend.
    Advice,
    /// The number that follows is no size of a finding: 距, slice thickness.
    OtherNumber,
    /// Speaks of several findings: 多发, multiple.
    Several,
    /// Restricts a denial: 余, other.
    Qualifies,
    /// Words that say nothing here, and hide words within them: 不均匀, 左右.
    Nothing,
    /// As [`Change::New`].
    New,
    /// As [`Change::Larger`].
    Larger,
    /// As [`Change::Smaller`].
    Smaller,
    /// As [`Change::Stable`].
    Stable,
    /// As [`Change::Resolved`].
    Resolved,
}

impl Cue {
    /// The change that a word tells, if it tells one.
    #[must_use]
    pub const fn change(self) -> Option<Change> {
        Some(match self {
            Self::New => Change::New,
            Self::Larger => Change::Larger,
            Self::Smaller => Change::Smaller,
            Self::Stable => Change::Stable,
            Self::Resolved => Change::Resolved,
            _ => return None,
        })
    }
}

/// What a word of the lexicon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A finding, by its place in the list.
    Finding(usize),
    /// A part of the body, by its place in the list.
    Place(usize),
    Side(Side),
    Cue(Cue),
}

/// A wording as the scanner compares it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub chars: Vec<char>,
    /// `RUL` is an abbreviation, `rul` is none.
    pub is_exact: bool,
    pub meaning: Meaning,
}

/// The words of the field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lexicon {
    concepts: Vec<Concept>,
    places: Vec<Place>,
    parents: HashMap<String, Option<String>>,
    /// Wider finding of a finding, by their ids.
    wider: HashMap<String, String>,
    /// Terms by their first two characters, longest first.
    terms: HashMap<[char; 2], Vec<Term>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordFile {
    finding: Vec<Concept>,
    site: Vec<Place>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CueFile {
    cue: BTreeMap<Cue, Words>,
}

impl Lexicon {
    /// Reads the lexicon from its two files; the words that say a side are those of the rules.
    ///
    /// # Errors
    /// [`Error::BadFile`] when a file is not of this shape, or a part of the body belongs to none that is listed.
    pub fn parse(words: &str, cues: &str, rules: &Rules) -> Result<Self> {
        let bad = |why: String| Error::BadFile { kind: "lexicon", why };
        let WordFile { finding, site } = toml::from_str(words).map_err(|e| bad(e.to_string()))?;
        let CueFile { cue } = toml::from_str(cues).map_err(|e| bad(e.to_string()))?;
        let parents: HashMap<String, Option<String>> = site.iter().map(|p| (p.id.clone(), p.parent.clone())).collect();
        let lost = site.iter().filter_map(|p| p.parent.as_ref()).chain(finding.iter().filter_map(|f| f.site.as_ref()));
        if let Some(lost) = lost.into_iter().find(|id| !parents.contains_key(*id)) {
            return Err(bad(format!("no site of the id {lost}")));
        }
        let names_finding = |id: &&String| !finding.iter().any(|f| f.id == **id);
        if let Some(lost) = finding.iter().flat_map(|f| f.of.iter().chain(&f.same)).find(names_finding) {
            return Err(bad(format!("no finding of the id {lost}")));
        }
        let wider = finding.iter().filter_map(|f| Some((f.id.clone(), f.of.clone()?))).collect();
        let mut lexicon = Self { wider, concepts: finding, places: site, parents, terms: HashMap::new() };
        lexicon.inherit_sides();
        lexicon.index(&cue, rules);
        Ok(lexicon)
    }

    /// The lexicon that comes with the program.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// A part of what there is on one side alone lies on that side too: a segment of the lingula.
    fn inherit_sides(&mut self) {
        let side_of = |id: &str| self.places.iter().find(|p| p.id == id && self.is_one_sided(id)).map(|p| p.side);
        let sides: Vec<Side> = self
            .places
            .iter()
            .map(|p| if p.side != Side::None || p.paired { p.side } else { self.line(&p.id).find_map(side_of).unwrap_or_default() })
            .collect();
        for (place, side) in self.places.iter_mut().zip(sides) {
            place.side = side;
        }
    }

    fn index(&mut self, cues: &BTreeMap<Cue, Words>, rules: &Rules) {
        let mut terms = Vec::new();
        let mut add = |words: &[String], meaning: Meaning| terms.extend(words.iter().map(|word| term(word, meaning)));
        // Of two equal words the first wins: the words around findings before the findings themselves.
        for (cue, words) in cues {
            add(&words.zh, Meaning::Cue(*cue));
            add(&words.en, Meaning::Cue(*cue));
        }
        let side = &rules.side;
        for (words, side) in [(&side.left, Side::Left), (&side.right, Side::Right), (&side.both, Side::Both)] {
            add(&words.zh, Meaning::Side(side));
            add(&words.en, Meaning::Side(side));
        }
        for (i, concept) in self.concepts.iter().enumerate() {
            add(&concept.zh, Meaning::Finding(i));
            add(&concept.en, Meaning::Finding(i));
        }
        for (i, place) in self.places.iter().enumerate() {
            add(&place.zh, Meaning::Place(i));
            add(&place.en, Meaning::Place(i));
        }
        add(&side.not.zh, Meaning::Cue(Cue::Nothing));
        add(&side.not.en, Meaning::Cue(Cue::Nothing));
        for term in terms {
            if let Some(key) = key(&term.chars) {
                self.terms.entry(key).or_default().push(term);
            }
        }
        self.terms.values_mut().for_each(|list| list.sort_by_key(|term| std::cmp::Reverse(term.chars.len())));
    }

    /// The terms that may begin a text, longest first.
    pub(crate) fn terms(&self, text: &[char]) -> impl Iterator<Item = &Term> {
        let of = |key: Option<[char; 2]>| key.and_then(|key| self.terms.get(&key)).into_iter().flatten();
        // A word of one character stands under itself alone.
        of(key(text)).chain(of(key(text.get(..1).unwrap_or_default())))
    }

    pub(crate) fn concept(&self, at: usize) -> Option<&Concept> {
        self.concepts.get(at)
    }

    pub(crate) fn place(&self, at: usize) -> Option<&Place> {
        self.places.get(at)
    }

    /// The finding that a word names which is a change elsewhere: 增大 alone, against 较前增大.
    pub(crate) fn finding_of(&self, word: &[char]) -> Option<usize> {
        self.terms(word).filter(|term| term.chars == word).find_map(|term| match term.meaning {
            Meaning::Finding(at) => Some(at),
            _ => None,
        })
    }

    /// The name of the finding that a word of a concept names.
    pub(crate) fn kind_of(&self, concept: &Concept, word: &[char]) -> String {
        let id = concept.same.as_ref().unwrap_or(&concept.id);
        if !concept.mixed {
            return id.clone();
        }
        let word: String = word.iter().collect::<String>().to_lowercase();
        format!("{id}:{}", word.strip_suffix('s').unwrap_or(&word))
    }

    /// True when one finding is the other or one of its kind: a subdural hematoma is a hemorrhage, not the reverse.
    pub(crate) fn is_kind(&self, kind: &str, wider: &str) -> bool {
        let of = |kind: &str| self.wider.get(kind.split(':').next().unwrap_or(kind)).map(String::as_str);
        // A file could name two findings as each other's; none is nested that deep.
        std::iter::successors(Some(kind), |kind| of(kind)).take(6).any(|kind| kind == wider)
    }

    /// The rank of a finding by its name.
    pub(crate) fn rank_of(&self, id: &str) -> Option<usize> {
        self.concepts.iter().position(|concept| concept.id == id)
    }

    /// True for tissues that are everywhere and say little of the place: lymph node, vessel, bone.
    pub(crate) fn is_tissue(&self, id: &str) -> bool {
        matches!(id, "lymph_node" | "vessel" | "bone" | "joint" | "soft_tissue" | "muscle" | "skin")
    }

    /// True for words that say where only together with the organ: upper pole.
    pub(crate) fn is_generic(&self, id: &str) -> bool {
        id.starts_with("pole_")
    }

    /// True for a part that there is on one side alone: the right lobe of the liver, the lingula.
    pub(crate) fn is_one_sided(&self, id: &str) -> bool {
        let entries = || self.places.iter().filter(|p| p.id == id);
        entries().next().is_some() && entries().all(|p| !p.paired && matches!(p.side, Side::Left | Side::Right))
    }

    /// True for a part that has a left and a right, or lies in one that has, and for words that only say where in an organ.
    pub(crate) fn has_sides(&self, id: &str) -> bool {
        self.is_generic(id) || self.line(id).any(|part| self.places.iter().any(|p| p.id == part && (p.paired || p.side != Side::None)))
    }

    /// True for bones, joints and what is around them, of which a report speaks one limb at a time.
    pub(crate) fn is_limb(&self, id: &str) -> bool {
        let limbs = ["joint", "humerus", "radius", "ulna", "hand", "femur", "tibia", "fibula", "foot"];
        self.line(id).any(|part| limbs.contains(&part))
    }

    /// The part itself and what it belongs to, smallest first.
    pub(crate) fn line<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        // A file could name two parts as each other's; no body is nested that deep.
        std::iter::successors(Some(id), |id| self.parents.get(*id)?.as_deref()).take(12)
    }

    /// How two parts of the body stand to each other: the same or one within the other, or different ones.
    pub(crate) fn agree(&self, a: &str, b: &str) -> bool {
        self.line(a).any(|part| part == b) || self.line(b).any(|part| part == a)
    }

    /// True when both parts belong to one organ or region.
    pub(crate) fn is_one_region(&self, a: &str, b: &str) -> bool {
        self.line(a).last() == self.line(b).last()
    }
}

/// The first two characters as terms are kept by them; the second is nothing for a word of one.
fn key(word: &[char]) -> Option<[char; 2]> {
    let lower = |c: &char| if *c == '-' { ' ' } else { c.to_ascii_lowercase() };
    Some([lower(word.first()?), word.get(1).map_or('\0', lower)])
}

fn term(word: &str, meaning: Meaning) -> Term {
    let chars: Vec<char> = super::words::comparable(word);
    let is_exact = (2..=5).contains(&chars.len())
        && chars.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && chars.iter().any(char::is_ascii_uppercase);
    Term { chars, is_exact, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_can_be_read() {
        let lexicon = Lexicon::parse(WORDS, CUES, Rules::builtin()).unwrap_or_else(|e| panic!("{e}"));
        assert!(lexicon.concepts.len() > 200 && lexicon.places.len() > 150, "{} {}", lexicon.concepts.len(), lexicon.places.len());
        assert!(lexicon.agree("lung", "lung") && !lexicon.agree("lung", "liver"));
    }

    #[test]
    fn one_diagnosis_is_not_another() {
        let lexicon = Lexicon::builtin();
        let kind = |word: &str| {
            let chars: Vec<char> = word.chars().collect();
            let concept = lexicon.finding_of(&chars).and_then(|at| lexicon.concept(at)).unwrap_or_else(|| panic!("{word}"));
            lexicon.kind_of(concept, &chars)
        };
        let apart = [
            ("气胸", "不张"),
            ("pneumothorax", "atelectasis"),
            ("囊肿", "坏死"),
            ("cyst", "cavity"),
            ("HCC", "renal cell carcinoma"),
            ("osteochondroma", "sarcoma"),
            ("infarct", "restricted diffusion"),
            ("硬膜下血肿", "蛛网膜下腔出血"),
            ("撕裂", "挫伤"),
            ("狭窄", "闭塞"),
            ("膨出", "脱出"),
            ("小叶中心型肺气肿", "支气管周围炎"),
            ("脓胸", "血胸"),
        ];
        for (a, b) in apart {
            assert!(!lexicon.is_kind(&kind(a), &kind(b)) && !lexicon.is_kind(&kind(b), &kind(a)), "{a} {b}");
        }
        let wider = [("硬膜下血肿", "出血"), ("SDH", "hemorrhage"), ("nodule", "lesion"), ("结节", "占位"), ("HCC", "malignancy")];
        for (a, b) in wider {
            assert!(lexicon.is_kind(&kind(a), &kind(b)) && !lexicon.is_kind(&kind(b), &kind(a)), "{a} {b}");
        }
        for (a, b) in [("胸水", "积液"), ("腹水", "积液"), ("tears", "tear"), ("骨折", "fracture")] {
            assert_eq!(kind(a), kind(b));
        }
    }

    #[test]
    fn a_part_of_nothing_is_refused() {
        let words = "finding = []\n[[site]]\nid = \"a\"\nparent = \"b\"\n";
        assert!(Lexicon::parse(words, "cue = {}", Rules::builtin()).is_err());
    }
}
