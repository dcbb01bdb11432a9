//! From a sentence to what it claims. What is not understood is no claim.
//!
//! A sentence is read clause by clause (between commas). Every finding that is named is a claim; the words around
//! it say where, on which side, how large, whether it is there at all, and how it stands to an earlier examination.

use super::lexicon::{Change, Cue, Lexicon, Meaning};
use super::phrase::Phrase;
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
    /// Names of the parts of the body in the lexicon, of all places together.
    pub places: Vec<String>,
    /// The places one by one: several for one that lies in several.
    pub wheres: Vec<Where>,
    /// Numbers in units that no size has, where a size would stand.
    pub others: Vec<OtherUnit>,
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
    /// True when the size is that of the largest of several: 大者约12 mm.
    pub names_largest: bool,
    /// True for a denial with a restriction: "no other nodule", 余肺未见结节.
    pub is_qualified: bool,
}

/// A place that a finding is said to lie in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Where {
    /// Names of the parts of the body, which together say where: lobe and segment.
    pub places: Vec<String>,
    /// The side, as said or as the part alone implies (lingula: left).
    pub side: Side,
}

/// A number in ml or HU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OtherUnit {
    /// Where.
    pub span: Span,
    /// As said.
    pub value: f64,
    /// Half of the last digit that was said.
    pub half_digit: f64,
}

impl OtherUnit {
    const fn of(typed: Typed<'_>) -> Self {
        Self { span: typed.span, value: typed.value, half_digit: typed.half_digit }
    }
}

fn is_largest(word: &str) -> bool {
    word.contains("largest") || word.contains("大者")
}

/// True when a text holds a date with its year.
pub(crate) fn has_date(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars
        .windows(6)
        .any(|w| matches!(w, ['1' | '2', a, b, c, '-' | '/' | '.' | '年', d] if [a, b, c, d].iter().all(|c| c.is_ascii_digit())))
        || chars.windows(5).any(|w| matches!(w, ['/' | ' ', '2', '0', a, b] if a.is_ascii_digit() && b.is_ascii_digit()))
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
    let mut out: Vec<Said> = Vec::new();
    let mut topic: Option<Topic> = None;
    for span in sentences(&text) {
        let mut reading = Reading::new(lexicon, &text, span, units);
        if reading.mentions.is_empty() {
            reading.carry_change(&mut out);
        }
        reading.topic.clone_from(&topic);
        out.extend(reading.said());
        // "Left knee. Tear of the ligament.": the limb that was named stays the one that is spoken of.
        if let Some(limb) = reading.phrases.iter().rev().find(|p| p.side != Side::None && reading.is_limb(p)) {
            let is_heading = reading.mentions.is_empty() && limb.end - limb.start + 4 >= span.1 - span.0;
            let stays = topic.as_ref().is_some_and(|t| t.is_heading && t.phrase.side == limb.side);
            topic = Some(Topic { phrase: limb.clone(), is_heading: is_heading || stays });
        }
    }
    out
}

/// Words by which an organ is said to be normal, with nothing between it and them.
const NORMAL: [&str; 12] = [
    "未见异常",
    "未见明显异常",
    "未见明确异常",
    "无异常",
    "未见确切异常",
    "is normal",
    "are normal",
    "is unremarkable",
    "are unremarkable",
    "unremarkable",
    "appears normal",
    "normal",
];

/// See [`crate::claims::normals`].
pub(crate) fn normals(text: &str, lexicon: &Lexicon) -> Vec<(Span, Where)> {
    let text = comparable(text);
    let mut out = Vec::new();
    for span in sentences(&text) {
        let reading = Reading::new(lexicon, &text, span, &[]);
        for phrase in reading.phrases.iter().filter(|p| !p.places.is_empty()) {
            let clause = reading.clause(phrase.start);
            let end = reading.breaks.iter().copied().find(|b| *b >= phrase.end).unwrap_or(span.1);
            let behind = reading.between(phrase.end, end);
            let behind = behind.trim_matches([' ', '.', '。', ';', ':']);
            let is_qualified = reading.cues().any(|(at, _, cue)| cue == Cue::Qualifies && reading.clause(at) == clause);
            let start = clause.checked_sub(1).and_then(|b| reading.breaks.get(b)).map_or(span.0, |b| b + 1);
            let lead = reading.between(start, phrase.start);
            let is_bare = matches!(lead.trim(), "" | "the");
            if NORMAL.contains(&behind) && !is_qualified && is_bare {
                out.push(((phrase.start, end), reading.place_and_side(phrase)));
            }
        }
    }
    out
}

/// The limb that a report speaks of.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub phrase: Phrase,
    /// True where it stood alone, as a heading does.
    pub is_heading: bool,
}

/// A finding that a sentence names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    pub start: usize,
    pub end: usize,
    /// The word that names it, the last of those that touch.
    pub named: Span,
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
    /// Numbers in other units.
    pub others: Vec<Typed<'a>>,
    /// The limb that an earlier sentence named.
    pub topic: Option<Topic>,
}

impl<'a> Reading<'a> {
    fn new(lexicon: &'a Lexicon, text: &'a [char], sentence: Span, units: &'a [UnitWords]) -> Self {
        let tokens = scan(lexicon, text, sentence);
        let stretch = text.get(sentence.0..sentence.1).unwrap_or_default();
        let is_zh = stretch.iter().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(c));
        let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
        let is_break = |at: usize| match text.get(at) {
            Some(',') => !(at > 0 && is_digit(at - 1) && is_digit(at + 1)),
            Some(':') => !(at > 0 && is_digit(at - 1) && is_digit(at + 1)),
            Some('-') => at > 1 && text.get(at - 1) == Some(&' ') && text.get(at + 1) == Some(&' ') && !is_digit(at - 2),
            _ => false,
        };
        let breaks = (sentence.0..sentence.1).filter(|at| is_break(*at)).collect();
        let (mentions, phrases, numbers, others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut reading = Self { lexicon, text, sentence, tokens, breaks, is_zh, mentions, phrases, numbers, others, topic: None };
        reading.settle_growth();
        reading.settle_nodes();
        reading.mentions = reading.find_mentions();
        reading.phrases = super::phrase::phrases(&reading.tokens, lexicon, text, is_zh);
        if !reading.mentions.is_empty() {
            (reading.numbers, reading.others) = numbers::numbers(text, sentence, units).into_iter().partition(|n| n.unit.of == "mm");
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

    /// The side within the words of the finding: 左心室增大, 中线右移; leftward midline shift.
    fn own_side(&self, mention: &Mention, is_sideless: bool) -> Side {
        let words = self.between(mention.start, mention.end);
        let near = self.between(mention.start.saturating_sub(10).max(self.sentence.0), (mention.end + 24).min(self.sentence.1));
        let says = |zh: char, en: [&str; 2]| words.contains(zh) || (is_sideless && !self.is_zh && en.iter().any(|w| near.contains(w)));
        match (says('左', ["leftward", "to the left"]), says('右', ["rightward", "to the right"])) {
            (true, false) => Side::Left,
            (false, true) => Side::Right,
            _ => Side::None,
        }
    }

    fn place_and_side(&self, phrase: &Phrase) -> Where {
        let named: Vec<_> = phrase.places.iter().filter_map(|at| self.lexicon.place(*at)).collect();
        let implied = named.iter().map(|p| p.side).find(|s| *s != Side::None).unwrap_or_default();
        // The left ventricle lies on no side of the patient.
        let is_heart = named.iter().any(|p| self.lexicon.line(&p.id).any(|part| matches!(part, "heart" | "coronary")));
        let side = if phrase.side == Side::None { implied } else { phrase.side };
        let side = if is_heart { Side::None } else { side };
        Where { places: named.iter().map(|p| p.id.clone()).collect(), side }
    }

    /// A number in ml or HU that stands where a size of the finding would: no word for a volume or a density before it.
    fn is_size_in_other_unit(&self, mention: &Mention, number: &Typed<'_>) -> bool {
        let clause = self.clause(number.span.0);
        let from = clause.checked_sub(1).and_then(|b| self.breaks.get(b)).map_or(self.sentence.0, |b| b + 1);
        let before = self.between(from, number.span.0);
        let is_other = [
            "ct值",
            "密度",
            "体积",
            "容积",
            "量约",
            "血肿量",
            "hu",
            "hounsfield",
            "attenuation",
            "density",
            "volume",
            "enhancement",
            "强化",
        ];
        let nearest = self.mentions.iter().rev().find(|m| m.end <= number.span.0).or_else(|| self.mentions.first());
        nearest.is_some_and(|m| m.start == mention.start) && !is_other.iter().any(|word| before.contains(word))
    }

    /// True when a word of the finding's clause does something.
    fn has_cue(&self, mention: &Mention, wanted: Cue) -> bool {
        let clause = self.clause(mention.start);
        self.cues().any(|(start, _, cue)| cue == wanted && self.clause(start) == clause)
    }

    /// 增大 is a change where the sentence compares, and a finding where it does not; "enlarged since" is a change.
    fn settle_growth(&mut self) {
        let compares = self.compares();
        let is_compared = |from: usize| self.cues().any(|(start, _, cue)| cue == Cue::Earlier && start >= from && start <= from + 2);
        let settled: Vec<Meaning> = self
            .tokens
            .iter()
            .map(|token| match token.meaning {
                Meaning::Cue(Cue::Larger) if !compares => {
                    let word = self.text.get(token.start..token.end).unwrap_or_default();
                    self.lexicon.finding_of(word).map_or(token.meaning, Meaning::Finding)
                }
                // 肝脏缩小: of an organ itself it is a finding.
                Meaning::Cue(Cue::Smaller) if !compares && self.follows_organ(token.start) => {
                    let word = self.text.get(token.start..token.end).unwrap_or_default();
                    self.lexicon.finding_of(word).map_or(token.meaning, Meaning::Finding)
                }
                Meaning::Finding(_) if self.between(token.start, token.end).starts_with("enlarged") && is_compared(token.end) => {
                    Meaning::Cue(Cue::Larger)
                }
                meaning => meaning,
            })
            .collect();
        for (token, meaning) in self.tokens.iter_mut().zip(settled) {
            token.meaning = meaning;
        }
    }

    fn follows_organ(&self, at: usize) -> bool {
        self.tokens.iter().any(|t| t.end == at && matches!(t.meaning, Meaning::Place(_)))
    }

    /// Nodes that are said to be of ordinary size are no finding.
    fn is_ordinary_node(&self, mention: &Mention) -> bool {
        let end = self.breaks.iter().copied().find(|b| *b >= mention.end).unwrap_or(self.sentence.1);
        self.lexicon.rank_of("lymphadenopathy") == Some(mention.concept) && self.between(mention.end, end).contains("not enlarged")
    }

    /// True when a sentence speaks of an earlier examination.
    pub(super) fn compares(&self) -> bool {
        let stretch = self.between(self.sentence.0, self.sentence.1);
        self.cues().any(|(_, _, cue)| matches!(cue, Cue::Earlier | Cue::Stable | Cue::New))
            || stretch.contains(['较'])
            || has_date(&stretch)
    }

    /// True within brackets.
    pub(super) fn is_aside(&self, at: usize) -> bool {
        let before = self.text.get(self.sentence.0..at).unwrap_or_default();
        before.iter().filter(|c| **c == '(').count() > before.iter().filter(|c| **c == ')').count()
    }

    pub(super) fn is_limb(&self, phrase: &Phrase) -> bool {
        phrase.places.iter().filter_map(|at| self.lexicon.place(*at)).any(|place| self.lexicon.is_limb(&place.id))
    }

    /// What belongs to a finding and is none of its own: calcification "within", an air bronchogram "inside".
    fn is_inner(&self, token: &Token) -> bool {
        let clause = self.clause(token.start);
        let start = clause.checked_sub(1).and_then(|b| self.breaks.get(b)).map_or(self.sentence.0, |b| b + 1);
        let head = self.between(start, token.start);
        let head = head.trim_start();
        let inner_zh = ["内见", "内可见", "其内", "内伴", "内部", "内呈", "内有", "中心", "其中"].iter().any(|word| head.starts_with(word));
        let inner_en =
            ["internal ", "central ", "intralesional ", "containing ", "internal coarse "].iter().any(|word| head.ends_with(word));
        (inner_zh || inner_en) && !self.mentions_before(token.start)
    }

    fn mentions_before(&self, at: usize) -> bool {
        // In the first clause of a sentence nothing was named yet that it could lie within.
        !self.tokens.iter().any(|t| t.end <= at && matches!(t.meaning, Meaning::Finding(_)))
    }

    /// A lymph node with a size is spoken of as a finding.
    fn settle_nodes(&mut self) {
        let nodes: Vec<Option<usize>> = self.tokens.iter().map(|token| self.node_as_finding(token)).collect();
        for (token, node) in self.tokens.iter_mut().zip(nodes) {
            if let Some(concept) = node {
                token.meaning = Meaning::Finding(concept);
            }
        }
    }

    fn node_as_finding(&self, token: &Token) -> Option<usize> {
        let Meaning::Place(at) = token.meaning else { return None };
        let clause = self.clause(token.start);
        let is_node = self.lexicon.place(at).is_some_and(|p| p.id == "lymph_node");
        let has_finding = self.tokens.iter().any(|t| matches!(t.meaning, Meaning::Finding(_)) && self.clause(t.start) == clause);
        let rest = self.between(token.end, self.sentence.1);
        let has_size = rest.contains("mm") || rest.contains("cm");
        let is_small = rest.contains("not enlarged") || rest.contains("未见肿大") || rest.contains("无肿大");
        (is_node && !has_finding && has_size && !is_small).then(|| self.lexicon.rank_of("lymphadenopathy")).flatten()
    }

    /// Words for findings that touch are one finding: its last word names it.
    fn find_mentions(&self) -> Vec<Mention> {
        let mut out: Vec<Mention> = Vec::new();
        for token in &self.tokens {
            let concept = match token.meaning {
                Meaning::Finding(concept) if !self.is_inner(token) => concept,
                _ => continue,
            };
            let touches = |last: &Mention| {
                let gap = self.between(last.end, token.start);
                gap.is_empty() || (!self.is_zh && matches!(gap.as_str(), " " | "-" | "/")) || matches!(gap.as_str(), "性" | "状" | "样")
            };
            let is_node = self.lexicon.rank_of("lymphadenopathy") == Some(concept);
            // Enlarged left hilar nodes, necrotic left level II adenopathy.
            let is_quality = |at: usize| ["enlargement", "necrosis", "calcification"].iter().any(|id| self.lexicon.rank_of(id) == Some(at));
            let names_node = |last: &Mention| is_node && is_quality(last.concept) && self.only_places(last.end, token.start);
            match out.last_mut() {
                Some(last) if touches(last) || names_node(last) => {
                    (last.end, last.concept, last.named) = (token.end, concept, (token.start, token.end));
                }
                _ => out.push(Mention { start: token.start, end: token.end, named: (token.start, token.end), concept }),
            }
        }
        out
    }

    /// Nothing but words for places between: enlarged mediastinal nodes.
    fn only_places(&self, from: usize, to: usize) -> bool {
        let places: usize = self
            .tokens
            .iter()
            .filter(|t| t.start >= from && t.end <= to && matches!(t.meaning, Meaning::Place(_) | Meaning::Side(_)))
            .map(|t| t.end - t.start)
            .sum();
        places > 0 && self.between(from, to).chars().filter(|c| c.is_alphanumeric()).count() <= places
    }

    fn said(&self) -> Vec<Said> {
        let homes = self.homes();
        let sizes = self.sizes();
        let changes = self.changes();
        let mut out = Vec::new();
        for (i, (mention, home)) in self.mentions.iter().zip(&homes).enumerate() {
            let Some(presence) = self.presence(mention).filter(|_| !self.is_ordinary_node(mention)) else { continue };
            let own_sizes: Vec<Size> = sizes.iter().filter(|(owner, _)| *owner == i).map(|(_, size)| *size).collect();
            let change = changes.iter().find(|(owner, _)| *owner == i).map(|(_, change)| *change);
            // What is denied is denied of the place that is named, not of that of another clause.
            let sided = |p: &Phrase| if presence == Presence::Absent && !self.is_limb(p) { p.clone() } else { self.with_side(p, mention) };
            let home: Vec<Phrase> = home.iter().filter_map(|at| self.phrases.get(*at)).map(sided).collect();
            let home = if home.is_empty() { self.of_topic(mention) } else { home };
            let home: Vec<&Phrase> = home.iter().collect();
            out.extend(self.claim(mention, &home, presence, own_sizes, change));
        }
        out
    }

    fn claim(&self, mention: &Mention, home: &[&Phrase], presence: Presence, sizes: Vec<Size>, change: Option<Change>) -> Option<Said> {
        let concept = self.lexicon.concept(mention.concept)?;
        let mut wheres: Vec<Where> = home.iter().map(|p| self.place_and_side(p)).collect();
        if wheres.iter().all(|w| w.places.is_empty()) {
            let site: Vec<String> = concept.site.clone().into_iter().collect();
            let side = wheres.first().map_or(Side::None, |w| w.side);
            wheres = vec![Where { places: site, side }];
        }
        let places: Vec<String> = wheres.iter().flat_map(|w| w.places.clone()).collect();
        // The left ventricle lies on no side of the patient.
        let is_of_heart = concept.site.as_deref().is_some_and(|site| self.lexicon.line(site).any(|part| part == "heart"));
        let own = if is_of_heart { Side::None } else { self.own_side(mention, concept.sideless) };
        if concept.sideless || own != Side::None {
            wheres.iter_mut().for_each(|w| w.side = own);
        }
        let sides = home.iter().map(|p| p.side).filter(|s| *s != Side::None);
        let said = sides.reduce(|a, b| if a == b { a } else { Side::Both }).unwrap_or_default();
        let side = if concept.sideless || own != Side::None { own } else { said };
        let hull = |a: Span, b: Span| (a.0.min(b.0), a.1.max(b.1));
        let clause = self.clause(mention.start);
        // "Surrounding oedema" lies beside the place, not in it.
        let is_beside = |p: &Phrase| {
            let gap = if p.end <= mention.start { self.between(p.end, mention.start) } else { String::new() };
            ["surrounding", "upstream", "adjacent", "distal", "周围", "上游", "邻近", "其上"].iter().any(|word| gap.contains(word))
        };
        let at = home
            .iter()
            .filter(|p| !p.places.is_empty() && self.clause(p.start) == clause && !is_beside(p))
            .map(|p| (p.start, p.end))
            .reduce(hull);
        let side_at = home.iter().find_map(|p| p.side_at);
        let parts = [Some((mention.start, mention.end)), at, side_at].into_iter().flatten();
        let span = parts.chain(sizes.iter().map(|s| s.span)).reduce(hull)?;
        let what = (mention.start, mention.end);
        let words = self.text.get(mention.named.0..mention.named.1).unwrap_or_default();
        let (kind, family, sentence) = (self.lexicon.kind_of(concept, words), concept.family.clone(), self.sentence);
        let is_several = home.iter().filter(|p| p.side != Side::None).count() > 1 || self.cues().any(|(_, _, cue)| cue == Cue::Several);
        // "No new hemorrhage" leaves the old one where it is.
        let denies_new = presence == Presence::Absent && change == Some(Change::New);
        let is_qualified = denies_new || self.has_cue(mention, Cue::Qualifies);
        let names_largest = self.cues().any(|(start, end, cue)| cue == Cue::Several && is_largest(&self.between(start, end)));
        let change = change.filter(|c| presence != Presence::Absent || *c == Change::Resolved);
        let presence = if change == Some(Change::Resolved) && presence == Presence::Present { Presence::Absent } else { presence };
        let others = self.others.iter().filter(|n| self.is_size_in_other_unit(mention, n)).copied().map(OtherUnit::of).collect();
        Some(Said {
            span,
            sentence,
            what,
            kind,
            family,
            at,
            places,
            wheres,
            others,
            side,
            side_at,
            presence,
            sizes,
            change,
            is_several,
            is_qualified,
            names_largest,
        })
    }
}
