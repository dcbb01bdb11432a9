//! Which sizes and which changes belong to which finding of a sentence.

use super::lexicon::{Change, Cue};
use super::parse::{Mention, Presence, Reading, Said, Size};

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

/// Words behind a length that make it a distance: 2 cm above the ureteric orifice, 4 cm from the nipple.
const BESIDE: [&str; 12] = [
    "from the",
    "away",
    "above",
    "below",
    "proximal to",
    "distal to",
    "superior to",
    "inferior to",
    "deep to",
    "fn",
    "from nipple",
    "posterior to",
];

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
                let (bm, am) = (self.mentions.get(b)?, self.mentions.get(a)?);
                let link = self.between(bm.end, start);
                let is_linked = link.contains("measur")
                    || ["is ", "was ", "of ", "up to ", "约", "径", "大小", "厚", ",", "("]
                        .iter()
                        .any(|w| link.ends_with(w) || link.contains(w) && self.is_zh);
                let is_modifier = self.is_premodifier(end, am.start);
                Some(match (is_modifier, is_linked) {
                    (true, false) => a,
                    (false, true) => b,
                    _ if gap(end, am.start) <= gap(bm.end, start) => a,
                    _ => b,
                })
            }
            (Some(b), None) => Some(b),
            (None, Some(a)) => Some(a),
            (None, None) => {
                let earlier = self.mentions.iter().rposition(|m| m.end <= start);
                // "峡部厚约3 mm，未见结节": what is denied further on has no size.
                let is_stated = |m: &Mention| m.start >= end && self.presence(m) != Some(Presence::Absent);
                // "Right ovary 4.1 x 2.9 cm, containing a cyst": the size of the organ.
                let is_organs = self.phrases.iter().any(|p| !p.places.is_empty() && p.end <= start && self.clause(p.start) == clause);
                earlier.or_else(|| self.mentions.iter().position(is_stated).filter(|_| !is_organs))
            }
        }
    }

    /// Only adjectives between a size and the finding behind it: 8 mm left upper lobe nodule.
    fn is_premodifier(&self, from: usize, to: usize) -> bool {
        let gap = self.between(from, to);
        if self.is_zh {
            return to.saturating_sub(from) <= 4 && !gap.contains([',', '、', '及', '和', '伴', '其']);
        }
        let stops = [
            "with", "and", "in", "of", "within", "at", "to", "causing", "without", "on", "for", "from", "or", "is", "are", "along",
            "which", "near",
        ];
        let words: Vec<&str> = gap.split_whitespace().collect();
        words.len() <= 6 && !gap.contains([',', '(', ')']) && !words.iter().any(|w| stops.contains(w))
    }

    /// The last word before a length in its clause that says what it is, else a word right behind it.
    fn time(&self, start: usize, end: usize) -> Time {
        let clause = self.clause(start);
        let last = self.cues().rev().find(|(at, _, cue)| {
            *at < start
                && self.clause(*at) == clause
                && matches!(cue, Cue::Earlier | Cue::Now | Cue::OtherNumber | Cue::Larger | Cue::Smaller)
        });
        let behind = self.between(end, (end + 28).min(self.sentence.1));
        let behind = behind.trim_start();
        if self.is_dated(start, behind) {
            return Time::Before;
        }
        let is_said_behind =
            ["previously", "on prior", "on the prior", "on previous", "on the previous", "before", "in 20", "on 20", "prior"];
        if is_said_behind.iter().any(|word| behind.starts_with(word)) {
            return Time::Before;
        }
        match last {
            Some((_, _, Cue::OtherNumber)) => Time::Other,
            Some((_, _, Cue::Earlier)) if !self.comes_back(start) => Time::Before,
            // 较前增大3 mm: a difference; 较前增大，约15 mm stands in a clause of its own.
            // "Enlarging 12 mm nodule": an adjective of the finding, not a difference.
            Some((at, word_end, Cue::Larger | Cue::Smaller))
                if matches!(self.between(word_end, start).trim(), "" | "by" | "约") && !self.between(at, word_end).ends_with("ing") =>
            {
                Time::Other
            }
            _ if BESIDE.iter().any(|word| behind.starts_with(word)) => Time::Other,
            _ => Time::Now,
        }
    }

    /// A date right before a size (2026-02-01为15mm) or right behind it (4.5 cm on 12/15/2025) makes it one of that day.
    fn is_dated(&self, start: usize, behind: &str) -> bool {
        let mut from = start.saturating_sub(18).max(self.sentence.0);
        // Not past the sign that ends the clause before, and not past another size.
        if let Some(at) = (from..start).rev().find(|at| matches!(self.text.get(*at), Some(',' | '(' | ';'))) {
            from = at;
        }
        let before = self.between(from, start);
        let on_day =
            behind.strip_prefix("on ").is_some_and(|rest| super::parse::has_date(rest) || rest.starts_with(|c: char| c.is_ascii_digit()));
        super::parse::has_date(&before) || on_day || (behind.starts_with(',') && super::parse::has_date(behind) && self.is_aside(start))
    }

    /// An earlier size stands before this one in the same clause, with an arrow or a dash between.
    fn comes_back(&self, start: usize) -> bool {
        self.between(start.saturating_sub(3), start).contains(['→', '>'])
    }

    /// Changes with the rank of the finding they belong to.
    pub(super) fn changes(&self) -> Vec<(usize, Change)> {
        let compares = self.compares();
        let mut out: Vec<(usize, Change)> = Vec::new();
        for (start, end, cue) in self.cues() {
            let Some(change) = cue.change() else { continue };
            // "心影增大" compares with nothing; "较前增大" does.
            let is_clear = compares || matches!(change, Change::New | Change::Stable | Change::Resolved) || self.is_phrase(start, end);
            if !is_clear {
                continue;
            }
            // "both unchanged", 均较前相仿: of everything before.
            let lead = self.between(start.saturating_sub(30).max(self.sentence.0), start);
            let of_all =
                lead.trim_end().ends_with("both") || lead.trim_end().ends_with("all") || (self.is_zh && lead.contains(['均', '皆']));
            let owners: Vec<usize> = match of_all {
                true => (0..self.mentions.len()).filter(|i| self.mentions.get(*i).is_some_and(|m| m.end <= start)).collect(),
                false => self.nearest(start, end, cue).map(|owner| self.stated(owner, start)).into_iter().collect(),
            };
            for owner in owners {
                if !out.iter().any(|(known, _)| *known == owner) {
                    out.push((owner, change));
                }
            }
        }
        self.as_on_a_day(&mut out);
        self.by_sizes(&mut out);
        out
    }

    /// A course is told of what is there: of "cyst, no wall nodule, unchanged" it is the cyst, of "mass, probably cancer,
    /// stable" the mass; and of two, the one that was measured.
    fn stated(&self, owner: usize, cue: usize) -> usize {
        let is_present = |i: &usize| self.mentions.get(*i).is_some_and(|m| self.presence(m) == Some(Presence::Present) && m.end <= cue);
        if self.mentions.get(owner).is_none_or(|m| m.start >= cue) || self.in_clause(owner, cue) && is_present(&owner) {
            return owner;
        }
        let sized: Vec<usize> = self.timed_sizes().into_iter().filter(|(_, time, _)| *time == Time::Now).map(|(o, _, _)| o).collect();
        let candidates: Vec<usize> = (0..=owner).filter(is_present).collect();
        let measured = candidates.iter().rev().find(|i| sized.contains(i));
        measured.or(candidates.last()).copied().unwrap_or(owner)
    }

    fn in_clause(&self, owner: usize, at: usize) -> bool {
        self.mentions.get(owner).is_some_and(|m| self.clause(m.start) == self.clause(at))
    }

    /// 同2025-07-22: as on that day.
    fn as_on_a_day(&self, out: &mut Vec<(usize, Change)>) {
        for at in self.sentence.0..self.sentence.1 {
            let is_as = self.text.get(at) == Some(&'同') && self.text.get(at + 1).is_some_and(char::is_ascii_digit);
            let Some(owner) = self.mentions.iter().rposition(|m| m.end <= at).filter(|_| is_as) else { continue };
            if !out.iter().any(|(known, _)| *known == owner) {
                out.push((owner, Change::Stable));
            }
        }
    }

    /// A sentence that names no finding and tells a course ("Unchanged since 2024.") tells it of the last one before it.
    pub(super) fn carry_change(&self, before: &mut [Said]) {
        let told = self.cues().find_map(|(start, end, cue)| {
            let is_clear = self.compares() || self.is_phrase(start, end);
            cue.change().filter(|_| is_clear)
        });
        let stated = before.iter_mut().rev().find(|s| s.presence != Presence::Absent);
        if let (Some(change), Some(last)) = (told, stated)
            && last.change.is_none()
            && self.sentence.0.saturating_sub(last.sentence.1) <= 1
        {
            last.change = Some(change);
        }
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
        if self.is_zh {
            return word.contains(['较', '前', '新', '缩']) || word.contains("消失") || word.contains("吸收");
        }
        let behind = self.between(end, (end + 20).min(self.sentence.1));
        let of_signal = [
            "density",
            "attenuation",
            "signal",
            "echogenicity",
            "uptake",
            "enhancement",
            "marking",
            "vascularity",
            "caliber",
            "calibre",
            "t1",
            "t2",
        ];
        let compares_sides =
            ["than left", "than right", "than the left", "than the right"].iter().any(|w| behind.trim_start().starts_with(w));
        if compares_sides {
            return false;
        }
        let is_quality = of_signal.iter().any(|w| behind.trim_start().starts_with(w));
        word.contains(' ') || !is_quality
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
