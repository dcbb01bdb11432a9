//! Which words say where a finding lies.

use super::parse::{Mention, Reading};
use super::phrase::Phrase;
use mj_model::Side;

/// What joins two items of a list.
const LIST: [&str; 10] = ["、", "及", "和", "与", "以及", "或", "and", "or", "/", "&"];

/// Words before a place that tie it to the finding before them.
const PREPOSITIONS: [&str; 24] = [
    "in",
    "within",
    "of",
    "at",
    "involving",
    "along",
    "throughout",
    "on",
    "about",
    "around",
    "near",
    "from",
    "abutting",
    "over",
    "overlying",
    "to",
    "into",
    "affecting",
    "through",
    "across",
    "beneath",
    "under",
    "projecting",
    "at the",
];

/// Words that bind a place behind a Chinese finding.
const BEHIND_ZH: [&str; 7] = ["位于", "在", "见于", "累及", "侵犯", "分布于", "突入"];

impl Reading<'_> {
    /// For every finding named, the phrases that say where it lies.
    pub(super) fn homes(&self) -> Vec<Vec<usize>> {
        let mut homes: Vec<Vec<usize>> = Vec::with_capacity(self.mentions.len());
        for (i, mention) in self.mentions.iter().enumerate() {
            let before = i.checked_sub(1).and_then(|i| Some((self.mentions.get(i)?, homes.get(i)?)));
            let next = self.mentions.get(i + 1).map_or(self.sentence.1, |m| m.start);
            let is_absent = self.presence(mention) == Some(super::parse::Presence::Absent);
            let home = if self.is_zh { self.home_zh(mention, before, next) } else { self.home_en(mention, before, next, is_absent) };
            homes.push(home);
        }
        self.share_with_next(&mut homes);
        homes
    }

    /// "No mass or distortion in either breast", "infarct with restricted diffusion in the right insula": what stands behind
    /// the second of two is said of both.
    fn share_with_next(&self, homes: &mut [Vec<usize>]) {
        for i in (1..homes.len()).rev() {
            let (Some(one), Some(two)) = (self.mentions.get(i - 1), self.mentions.get(i)) else { continue };
            let gap = self.between(one.end, two.start);
            let is_one_clause = self.clause(one.start) == self.clause(two.start);
            let is_behind = |rank: &usize| self.phrases.get(*rank).is_some_and(|p| p.start >= two.end);
            let (Some(before), Some(home)) = (homes.get(i - 1), homes.get(i)) else { continue };
            let lists = is_list(&gap) || gap.split_whitespace().next() == Some("with") && gap.split_whitespace().count() <= 3;
            if !self.is_zh && before.is_empty() && is_one_clause && lists && home.iter().all(is_behind) {
                let home = home.clone();
                if let Some(slot) = homes.get_mut(i - 1) {
                    *slot = home;
                }
            }
        }
    }

    /// The last phrase of the clause up to a place, by its rank.
    fn last_before(&self, at: usize, not_before: usize) -> Option<usize> {
        let clause = self.clause(at);
        let aside = self.is_aside(at);
        let fits = |p: &Phrase| p.end <= at && p.start >= not_before && self.clause(p.start) == clause;
        // What stands in brackets beside it ("at the level of the joint") is said of something else.
        let outside = self.phrases.iter().rposition(|p| fits(p) && self.is_aside(p.start) == aside);
        outside.or_else(|| self.phrases.iter().rposition(fits))
    }

    /// A place without a side has that of a place said before it in the sentence of which it is a part, and a limb that of the
    /// limb that is spoken of.
    pub(super) fn with_side(&self, phrase: &Phrase, mention: &Mention) -> Phrase {
        if phrase.side != Side::None || self.has_own_side(phrase) {
            return phrase.clone();
        }
        // "左肺上叶占位，考虑肺癌": the cancer of the lung lies where the sentence said before.
        let smaller =
            || self.phrases.iter().rev().filter(|p| p.end <= mention.start && p.start < phrase.start && self.is_around(phrase, p));
        if let Some(earlier) = smaller().find(|p| p.side != Side::None).or_else(|| smaller().next()) {
            return earlier.clone();
        }
        let has_sides = phrase.places.iter().filter_map(|at| self.lexicon.place(*at)).any(|p| self.lexicon.has_sides(&p.id));
        let is_pair = |p: &&Phrase| {
            has_sides
                && p.side != Side::None
                && p.end <= mention.start
                && (self.belongs(phrase, p) || (self.is_limb(p) && self.is_limb(phrase)))
        };
        let earlier = self.phrases.iter().rev().find(|p| !p.places.is_empty() && is_pair(p));
        let topic = self.topic.iter().map(|t| &t.phrase).find(|topic| self.is_limb(topic) && self.is_limb(phrase));
        match earlier.or(topic) {
            Some(from) => Phrase { side: from.side, side_at: from.side_at.filter(|_| earlier.is_some()), ..phrase.clone() },
            None => phrase.clone(),
        }
    }

    /// True when a place is no more than the organ around another place.
    fn is_around(&self, organ: &Phrase, place: &Phrase) -> bool {
        let id = |at: &usize| self.lexicon.place(*at).map(|p| p.id.as_str());
        let [organ] = organ.places.as_slice() else { return false };
        let Some(organ) = id(organ) else { return false };
        let is_smaller = |p: &str| p != organ && self.lexicon.line(p).any(|part| part == organ);
        let same_with_side = place.side != Side::None && place.places.iter().filter_map(id).any(|p| p == organ);
        place.places.iter().filter_map(id).any(is_smaller) || same_with_side
    }

    /// One place within the other, or words that say where only together with an organ.
    fn belongs(&self, phrase: &Phrase, to: &Phrase) -> bool {
        let ids = |p: &Phrase| p.places.iter().filter_map(|at| self.lexicon.place(*at)).map(|p| p.id.clone()).collect::<Vec<_>>();
        let (own, other) = (ids(phrase), ids(to));
        own.iter().all(|id| self.lexicon.is_generic(id)) || own.iter().any(|a| other.iter().any(|b| self.lexicon.agree(a, b)))
    }

    fn has_own_side(&self, phrase: &Phrase) -> bool {
        phrase.places.iter().filter_map(|at| self.lexicon.place(*at)).any(|p| p.side != Side::None)
    }

    /// Where nothing is said of the place, a finding of limbs lies in the limb that is spoken of.
    pub(super) fn of_topic(&self, mention: &Mention) -> Vec<Phrase> {
        let site = self.lexicon.concept(mention.concept).and_then(|c| c.site.as_deref());
        let is_of_limb = site.is_some_and(|site| self.lexicon.is_limb(site));
        let topic = self.topic.iter().filter(|t| is_of_limb || t.is_heading);
        topic.map(|t| Phrase { places: Vec::new(), side_at: None, ..t.phrase.clone() }).collect()
    }

    fn first_after(&self, at: usize, before: usize) -> Option<usize> {
        let clause = self.clause(at);
        self.phrases.iter().position(|p| p.start >= at && p.end <= before && self.clause(p.start) == clause)
    }

    /// A phrase with those that stand before it in its list: 右肺上叶及左肺下叶.
    fn with_list(&self, rank: usize) -> Vec<usize> {
        let mut out = vec![rank];
        let mut at = rank;
        while let Some(before) = at.checked_sub(1) {
            let (Some(a), Some(b)) = (self.phrases.get(before), self.phrases.get(at)) else { break };
            if !LIST.contains(&self.between(a.end, b.start).trim()) {
                break;
            }
            out.insert(0, before);
            at = before;
        }
        out
    }

    /// A place within the words of a finding: enlarged left hilar nodes.
    fn within(&self, mention: &Mention) -> Option<usize> {
        self.phrases.iter().rposition(|p| p.start >= mention.start && p.end <= mention.end)
    }

    /// A side in brackets right behind: 椎间盘突出（左后型）.
    fn aside_of(&self, mention: &Mention) -> Option<usize> {
        let opens = self.text.get(mention.end) == Some(&'(');
        let rank = self.phrases.iter().position(|p| p.start == mention.end + 1 && p.side != Side::None)?;
        let ahead = self.last_before(mention.start, self.sentence.0).and_then(|rank| self.phrases.get(rank));
        (opens && ahead.is_none_or(|p| p.side == Side::None)).then_some(rank)
    }

    fn home_zh(&self, mention: &Mention, before: Option<(&Mention, &Vec<usize>)>, next: usize) -> Vec<usize> {
        if let Some(rank) =
            self.within(mention).or_else(|| self.aside_of(mention)).or_else(|| self.last_before(mention.start, self.sentence.0))
        {
            return self.with_list(rank);
        }
        let behind = self.first_after(mention.end, next).filter(|rank| {
            let start = self.phrases.get(*rank).map_or(0, |p| p.start);
            let gap = self.between(mention.end, start);
            BEHIND_ZH.iter().any(|word| gap.contains(word))
        });
        if let Some(rank) = behind {
            return vec![rank];
        }
        // What a clause does not say stands as the clauses before it said it.
        let earlier = self.phrases.iter().rposition(|p| p.end <= mention.start);
        match (before, earlier) {
            (Some((other, home)), Some(rank)) if self.phrases.get(rank).is_some_and(|p| p.end <= other.start) => home.clone(),
            (_, Some(rank)) => self.with_list(rank),
            (_, None) => Vec::new(),
        }
    }

    fn home_en(&self, mention: &Mention, before: Option<(&Mention, &Vec<usize>)>, next: usize, is_absent: bool) -> Vec<usize> {
        if let Some(rank) = self.within(mention) {
            return self.with_list(rank);
        }
        let previous_end = before.map_or(self.sentence.0, |(other, _)| other.end);
        let ahead = self.last_before(mention.start, previous_end);
        let is_modifier =
            ahead.and_then(|rank| self.phrases.get(rank)).is_some_and(|p| self.is_modifier(&self.between(p.end, mention.start)));
        let behind = self.first_after(mention.end, next).filter(|rank| self.is_tied(mention.end, *rank));
        let in_list = || {
            before.filter(|(other, _)| {
                is_list(&self.between(other.end, mention.start)) && self.clause(other.start) == self.clause(mention.start)
            })
        };
        match (ahead, behind) {
            (Some(a), Some(_)) if is_modifier && self.is_side_of_own_site(a, mention) => vec![a],
            (Some(a), Some(b)) if is_modifier => self.both(a, b),
            (Some(a), None) if is_modifier => match self.clause_behind(mention) {
                Some(b) if self.is_sided_part(a, b) => vec![a, b],
                _ => self.with_list(a),
            },
            (_, Some(b)) => self.with_list_after(b),
            (Some(a), None) => match self.clause_behind(mention) {
                Some(b) if self.is_sided_part(a, b) => vec![a, b],
                _ => self.with_list(a),
            },
            // "Right kidney stone, no hydronephrosis": what is denied is denied as a whole.
            (None, None) if is_absent && in_list().is_some_and(|(_, home)| !home.is_empty()) => {
                in_list().map(|(_, home)| home.clone()).unwrap_or_default()
            }
            (None, None) if is_absent && before.is_some() => self.topic_clause(mention),
            (None, None) if is_absent => self.earlier_clauses(mention, before),
            (None, None) => match (in_list(), self.clause_behind(mention)) {
                (_, Some(rank)) => self.with_list(rank),
                (Some((_, home)), None) => home.clone(),
                (None, None) => self.earlier_clauses(mention, before),
            },
        }
    }

    /// A list that goes on behind a phrase: in the right upper and left lower lobe.
    fn with_list_after(&self, rank: usize) -> Vec<usize> {
        let mut out = vec![rank];
        let mut at = rank;
        while let (Some(a), Some(b)) = (self.phrases.get(at), self.phrases.get(at + 1)) {
            if !LIST.contains(&self.between(a.end, b.start).trim().trim_end_matches(" the"))
                || self.mentions.iter().any(|m| m.start >= a.end && m.end <= b.start)
            {
                break;
            }
            at += 1;
            out.push(at);
        }
        // A modifier of the finding that comes next is no part of this list.
        if out.len() > 1
            && self
                .mentions
                .iter()
                .any(|m| self.phrases.get(at).is_some_and(|p| m.start >= p.end && self.is_modifier(&self.between(p.end, m.start))))
        {
            out.truncate(1);
        }
        out
    }

    /// A bare side before a finding that implies where it is: right inguinal hernia.
    fn is_side_of_own_site(&self, rank: usize, mention: &Mention) -> bool {
        let has_site = self.lexicon.concept(mention.concept).is_some_and(|c| c.site.is_some());
        has_site && self.phrases.get(rank).is_some_and(|p| p.places.is_empty())
    }

    /// Only adjectives and sizes between a place and the finding that it belongs to.
    fn is_modifier(&self, gap: &str) -> bool {
        let words: Vec<&str> = gap.split_whitespace().collect();
        let is_verb = |word: &&str| {
            matches!(
                *word,
                "is" | "are"
                    | "was"
                    | "were"
                    | "has"
                    | "have"
                    | "shows"
                    | "demonstrates"
                    | "contains"
                    | "there"
                    | "with"
                    | "and"
                    | "or"
                    | "no"
                    | "without"
                    | "w/"
                    | "w/o"
                    | "reveals"
                    | "appears"
            )
        };
        words.len() <= 5 && !words.iter().any(|w| is_verb(&w.trim_matches(',')))
    }

    /// Words tie the phrase to what stands before it.
    fn is_tied(&self, from: usize, rank: usize) -> bool {
        let Some(phrase) = self.phrases.get(rank) else { return false };
        let gap = self.between(from, phrase.start);
        let words: Vec<&str> = gap.split_whitespace().collect();
        if words.is_empty() {
            return true;
        }
        // A preposition, with nothing but articles and adjectives behind it.
        let Some(at) = words.iter().rposition(|word| PREPOSITIONS.contains(word)) else { return false };
        // "Distal to the left subclavian artery", "2 cm above the joint": beside it, not in it.
        let is_beside = ["distal", "proximal", "superior", "inferior", "anterior", "posterior", "lateral", "medial", "close", "next"];
        if at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|word| is_beside.contains(word)) {
            return false;
        }
        words.len() - at <= 4 && !words.iter().skip(at).any(|w| matches!(*w, "and" | "or" | "with"))
    }

    /// A place before the finding together with one behind it: pulmonary nodule in the right upper lobe.
    fn both(&self, ahead: usize, behind: usize) -> Vec<usize> {
        let (Some(a), Some(b)) = (self.phrases.get(ahead), self.phrases.get(behind)) else { return vec![ahead] };
        let are_one = self.are_one(a, b);
        match (a.side, b.side) {
            _ if !are_one && a.side != Side::None => self.with_list(ahead),
            (Side::None, _) if are_one || b.side != Side::None => self.with_list_after(behind),
            (a, b) if are_one && (b == Side::None || a == b) => vec![ahead, behind],
            _ => self.with_list(ahead),
        }
    }

    fn are_one(&self, a: &Phrase, b: &Phrase) -> bool {
        let name = |at: &usize| self.lexicon.place(*at).map(|p| p.id.as_str());
        let one_region = |x: &str, y: &str| {
            (a.side == Side::None || b.side == Side::None) && self.lexicon.is_one_region(x, y) && !self.lexicon.is_tissue(x)
        };
        a.places.is_empty()
            || b.places.is_empty()
            || b.places
                .iter()
                .filter_map(name)
                .any(|b| a.places.iter().filter_map(name).any(|a| self.lexicon.agree(a, b) || one_region(a, b)))
    }

    /// "Thyroid nodule, left lobe": a clause behind that only says where.
    fn clause_behind(&self, mention: &Mention) -> Option<usize> {
        let comma = self.breaks.iter().copied().find(|b| *b >= mention.end)?;
        let is_next = !self.mentions.iter().any(|m| m.start >= mention.end && m.start < comma);
        let rank = self.phrases.iter().position(|p| p.start > comma)?;
        let phrase = self.phrases.get(rank)?;
        let lead = self.between(comma + 1, phrase.start);
        let end = self.breaks.iter().copied().find(|b| *b > comma).unwrap_or(self.sentence.1);
        let tail = self.between(phrase.end, end);
        let is_bare =
            lead.split_whitespace().all(|w| matches!(w, "the" | "in" | "of" | "body" | "at")) && tail.split_whitespace().count() <= 2;
        (is_next && is_bare && phrase.end <= end && !self.mentions.iter().any(|m| m.start > comma && m.end <= end)).then_some(rank)
    }

    /// A side and a part behind that belong to a place ahead which has no side.
    fn is_sided_part(&self, ahead: usize, behind: usize) -> bool {
        let (Some(a), Some(b)) = (self.phrases.get(ahead), self.phrases.get(behind)) else { return false };
        a.side == Side::None && b.side != Side::None && self.are_one(a, b)
    }

    /// "Left knee: no fracture": a first clause that says of what the sentence is.
    fn topic_clause(&self, mention: &Mention) -> Vec<usize> {
        let colon = self.breaks.iter().copied().find(|b| *b < mention.start && self.text.get(*b) == Some(&':'));
        colon.and_then(|colon| self.phrases.iter().rposition(|p| p.end <= colon)).into_iter().collect()
    }

    fn earlier_clauses(&self, mention: &Mention, before: Option<(&Mention, &Vec<usize>)>) -> Vec<usize> {
        let clause = self.clause(mention.start);
        let earlier = self.phrases.iter().rposition(|p| p.end <= mention.start && self.clause(p.start) < clause);
        match (before, earlier) {
            (Some((other, home)), Some(rank)) if self.phrases.get(rank).is_some_and(|p| p.end <= other.start) => home.clone(),
            // "Lungs: 12 mm nodule", "In the left kidney, a cyst": a clause that only says where.
            (None, Some(rank)) => self.with_list(rank),
            (Some((_, home)), None) => home.clone(),
            (Some((other, _)), Some(rank)) if self.phrases.get(rank).is_some_and(|p| p.start >= other.end) => vec![rank],
            _ => Vec::new(),
        }
    }
}

fn is_list(gap: &str) -> bool {
    gap.split_whitespace().all(|w| LIST.contains(&w) || matches!(w, "," | "small" | "mild" | "associated" | "adjacent" | "with"))
}
