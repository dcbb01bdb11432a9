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
            let home = if self.is_zh { self.home_zh(mention, before, next) } else { self.home_en(mention, before, next) };
            homes.push(home);
        }
        homes
    }

    /// The last phrase of the clause up to a place, by its rank.
    fn last_before(&self, at: usize, not_before: usize) -> Option<usize> {
        let clause = self.clause(at);
        self.phrases.iter().rposition(|p| p.end <= at && p.start >= not_before && self.clause(p.start) == clause)
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

    fn home_zh(&self, mention: &Mention, before: Option<(&Mention, &Vec<usize>)>, next: usize) -> Vec<usize> {
        if let Some(rank) = self.last_before(mention.start, self.sentence.0) {
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

    fn home_en(&self, mention: &Mention, before: Option<(&Mention, &Vec<usize>)>, next: usize) -> Vec<usize> {
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
            (Some(a), Some(b)) if is_modifier => self.both(a, b),
            (Some(a), None) if is_modifier => self.with_list(a),
            (_, Some(b)) => self.with_list_after(b),
            (Some(a), None) => self.with_list(a),
            (None, None) => match in_list() {
                Some((_, home)) => home.clone(),
                None => self.earlier_clauses(mention, before),
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
        // A preposition, with nothing but articles and adjectives behind it.
        let Some(at) = words.iter().rposition(|word| PREPOSITIONS.contains(word)) else { return false };
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
        a.places.is_empty() || b.places.iter().filter_map(name).any(|b| a.places.iter().filter_map(name).any(|a| self.lexicon.agree(a, b)))
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
