//! Which sizes and which changes belong to which finding of a sentence.

use super::lexicon::{Change, Cue};
use super::parse::{Mention, Reading, Size};

/// What a length in a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    /// A size at the present examination.
    Now,
    /// A size at an earlier one.
    Before,
    /// A distance, a difference, a thickness of slices.
    Other,
}

impl Reading<'_> {
    /// Sizes at the present examination with the rank of the finding they belong to.
    pub(super) fn sizes(&self) -> Vec<(usize, Size)> {
        self.timed_sizes().into_iter().filter(|(_, time, _)| *time == Time::Now).map(|(owner, _, size)| (owner, size)).collect()
    }

    fn timed_sizes(&self) -> Vec<(usize, Time, Size)> {
        let mut out: Vec<(usize, Time, Size)> = Vec::new();
        let mut last: Option<(usize, Time, Option<usize>)> = None;
        for number in &self.numbers {
            let (start, end) = number.span;
            // The factors of 12 × 8 mm stand or fall together.
            let joined = last.filter(|(before, _, _)| is_factor(&self.between(*before, start))).map(|(_, time, owner)| (time, owner));
            let (time, owner) = joined.unwrap_or_else(|| (self.time(start, end), self.owner(start, end)));
            last = Some((end, time, owner));
            if let Some(owner) = owner {
                let (mm, half_digit_mm) = (number.value * number.unit.factor, number.half_digit * number.unit.factor);
                out.push((owner, time, Size { span: number.span, mm, half_digit_mm }));
            }
        }
        out
    }

    fn owner(&self, start: usize, end: usize) -> Option<usize> {
        let clause = self.clause(start);
        let in_clause = |m: &Mention| self.clause(m.start) == clause;
        let before = self.mentions.iter().rposition(|m| m.end <= start && in_clause(m));
        let after = self.mentions.iter().position(|m| m.start >= end && in_clause(m));
        let gap = |from: usize, to: usize| to.saturating_sub(from);
        match (before, after) {
            (Some(b), Some(a)) => {
                let behind = self.mentions.get(b).map_or(usize::MAX, |m| gap(m.end, start));
                let ahead = self.mentions.get(a).map_or(usize::MAX, |m| gap(end, m.start));
                Some(if ahead <= behind { a } else { b })
            }
            (Some(b), None) => Some(b),
            (None, Some(a)) => Some(a),
            (None, None) => {
                let earlier = self.mentions.iter().rposition(|m| m.end <= start);
                earlier.or_else(|| self.mentions.iter().position(|m| m.start >= end))
            }
        }
    }

    /// The last word before a length in its clause that says what it is, else a word right behind it.
    fn time(&self, start: usize, end: usize) -> Time {
        let clause = self.clause(start);
        let last = self.cues().rev().find(|(at, _, cue)| {
            *at < start
                && self.clause(*at) == clause
                && matches!(cue, Cue::Earlier | Cue::Now | Cue::OtherNumber | Cue::Larger | Cue::Smaller)
        });
        let behind = self.between(end, (end + 24).min(self.sentence.1));
        let behind = behind.trim_start();
        let is_said_behind =
            ["previously", "on prior", "on the prior", "on previous", "on the previous", "before", "in 20", "on 20", "prior"];
        if is_said_behind.iter().any(|word| behind.starts_with(word)) {
            return Time::Before;
        }
        match last {
            Some((_, _, Cue::OtherNumber)) => Time::Other,
            Some((_, _, Cue::Earlier)) if !self.comes_back(start) => Time::Before,
            // 较前增大3 mm: a difference; 较前增大，约15 mm stands in a clause of its own.
            Some((_, word_end, Cue::Larger | Cue::Smaller)) if matches!(self.between(word_end, start).trim(), "" | "by" | "约") => {
                Time::Other
            }
            _ if behind.starts_with("from the") || behind.starts_with("away") => Time::Other,
            _ => Time::Now,
        }
    }

    /// An earlier size stands before this one in the same clause, with an arrow or a dash between.
    fn comes_back(&self, start: usize) -> bool {
        self.between(start.saturating_sub(3), start).contains(['→', '>'])
    }

    /// Changes with the rank of the finding they belong to.
    pub(super) fn changes(&self) -> Vec<(usize, Change)> {
        let compares = self.cues().any(|(_, _, cue)| cue == Cue::Earlier);
        let mut out: Vec<(usize, Change)> = Vec::new();
        for (start, end, cue) in self.cues() {
            let Some(change) = cue.change() else { continue };
            // "心影增大" compares with nothing; "较前增大" does.
            let is_clear = compares || matches!(change, Change::New | Change::Stable | Change::Resolved) || self.is_phrase(start, end);
            let Some(owner) = self.nearest(start, end, cue).filter(|_| is_clear) else { continue };
            if !out.iter().any(|(known, _)| *known == owner) {
                out.push((owner, change));
            }
        }
        self.by_sizes(&mut out);
        out
    }

    /// Where a sentence gives both sizes and no word for the change, they say it.
    fn by_sizes(&self, out: &mut Vec<(usize, Change)>) {
        let sizes = self.timed_sizes();
        let longest = |owner: usize, wanted: Time| {
            sizes.iter().filter(|(o, time, _)| *o == owner && *time == wanted).map(|(_, _, size)| size.mm).reduce(f64::max)
        };
        for owner in 0..self.mentions.len() {
            let (Some(now), Some(before)) = (longest(owner, Time::Now), longest(owner, Time::Before)) else { continue };
            let change = match now.total_cmp(&before) {
                std::cmp::Ordering::Greater => Change::Larger,
                std::cmp::Ordering::Less => Change::Smaller,
                std::cmp::Ordering::Equal => Change::Stable,
            };
            if !out.iter().any(|(known, _)| *known == owner) {
                out.push((owner, change));
            }
        }
    }

    /// An English change of several words says by itself that it compares.
    fn is_phrase(&self, start: usize, end: usize) -> bool {
        let word = self.between(start, end);
        word.contains(' ') || (!self.is_zh && word != "increased" && word != "decreased" && word != "increase" && word != "progressive")
    }

    fn nearest(&self, start: usize, end: usize, cue: Cue) -> Option<usize> {
        let clause = self.clause(start);
        let in_clause = |m: &Mention| self.clause(m.start) == clause;
        let before = self.mentions.iter().rposition(|m| m.end <= start && in_clause(m));
        let after = self.mentions.iter().position(|m| m.start >= end && in_clause(m));
        // 新发结节, a stable nodule: the adjective stands before; everything else is said of what came before.
        let is_adjective =
            after.and_then(|a| self.mentions.get(a)).is_some_and(|m| m.start.saturating_sub(end) <= if self.is_zh { 8 } else { 30 });
        match (before, after) {
            (None, Some(a)) => Some(a),
            (Some(_), Some(a)) if cue == Cue::New && is_adjective => Some(a),
            (Some(b), Some(a)) if is_adjective && !self.is_zh => {
                let gap = |from: usize, to: usize| to.saturating_sub(from);
                let (bm, am) = (self.mentions.get(b)?, self.mentions.get(a)?);
                Some(if gap(end, am.start) < gap(bm.end, start) { a } else { b })
            }
            (Some(b), _) => Some(b),
            (None, None) => {
                self.mentions.iter().rposition(|m| m.end <= start).or_else(|| self.mentions.iter().position(|m| m.start >= end))
            }
        }
    }
}

fn is_factor(gap: &str) -> bool {
    let gap = gap.trim();
    !gap.is_empty() && gap.chars().count() <= 8 && gap.contains(['×', 'x', '*', '乘']) || gap == "by"
}
