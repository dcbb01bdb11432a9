//! Which sizes and which changes belong to which finding of a sentence.

use super::lexicon::{Change, Cue};
use super::parse::{Mention, Reading, Size};

impl Reading<'_> {
    /// Sizes at the present examination with the rank of the finding they belong to.
    pub(super) fn sizes(&self) -> Vec<(usize, Size)> {
        let mut out: Vec<(usize, Size)> = Vec::new();
        let mut last: Option<(usize, Option<usize>)> = None;
        for number in &self.numbers {
            let (start, end) = number.span;
            // The factors of 12 × 8 mm stand or fall together.
            let joined = last.filter(|(before, _)| is_factor(&self.between(*before, start))).map(|(_, owner)| owner);
            let owner = joined.unwrap_or_else(|| self.owner(start, end));
            last = Some((end, owner));
            if let Some(owner) = owner {
                let (mm, half_digit_mm) = (number.value * number.unit.factor, number.half_digit * number.unit.factor);
                out.push((owner, Size { span: number.span, mm, half_digit_mm }));
            }
        }
        out
    }

    fn owner(&self, start: usize, end: usize) -> Option<usize> {
        if self.is_other_number(start, end) {
            return None;
        }
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

    /// True for a size of an earlier time and for a distance or a thickness of slices.
    fn is_other_number(&self, start: usize, end: usize) -> bool {
        let clause = self.clause(start);
        let last = self.cues().rev().find(|(at, _, cue)| {
            *at < start
                && self.clause(*at) == clause
                && matches!(cue, Cue::Earlier | Cue::Now | Cue::OtherNumber | Cue::Larger | Cue::Smaller)
        });
        let is_said_before = match last {
            Some((_, _, Cue::Now)) | None => false,
            Some((_, _, Cue::Earlier | Cue::OtherNumber)) => true,
            // 较前增大3 mm: a difference; 较前增大，约15 mm stands in a clause of its own.
            Some((_, word_end, _)) => {
                let gap = self.between(word_end, start);
                gap.trim().is_empty() || gap.trim() == "by" || gap.trim() == "约"
            }
        };
        let behind = self.between(end, (end + 24).min(self.sentence.1));
        let behind = behind.trim_start();
        let is_said_behind =
            ["previously", "on prior", "on the prior", "on previous", "on the previous", "before", "from the", "in 20", "on 20"];
        is_said_before || is_said_behind.iter().any(|word| behind.starts_with(word))
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
        out
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
