//! Whether a finding is said to be there, not to be there, or perhaps.

use super::lexicon::Cue;
use super::parse::{Mention, Presence, Reading};

/// A cue in force: its kind and the clause it was said in.
#[derive(Debug, Clone, Copy)]
struct InForce {
    cue: Cue,
    clause: usize,
}

impl Reading<'_> {
    /// Whether the finding is said to be there; `None` when it is spoken of without being stated: as history or as advice.
    pub(super) fn presence(&self, mention: &Mention) -> Option<Presence> {
        if self.is_past_or_advice(mention) {
            return None;
        }
        let ahead = self.in_force(mention);
        let behind = self.said_behind(mention);
        Some(match (ahead, behind) {
            (_, Some(Cue::DeniesBefore)) => Presence::Absent,
            (Some(Cue::Denies), _) => Presence::Absent,
            (Some(Cue::Doubts), _) | (_, Some(Cue::DoubtsBefore)) => Presence::Possible,
            _ if self.between(mention.end, mention.end + 1) == "?" => Presence::Possible,
            _ => Presence::Present,
        })
    }

    fn is_past_or_advice(&self, mention: &Mention) -> bool {
        let clause = self.clause(mention.start);
        let mut cues = self.cues();
        cues.any(|(start, end, cue)| match cue {
            Cue::History => end <= mention.start && self.clause(start) == clause,
            Cue::Advice => end <= mention.start,
            Cue::HistoryBefore => start >= mention.end && self.clause(start) == clause && !self.has_mention(mention.end, start),
            _ => false,
        })
    }

    fn has_mention(&self, from: usize, to: usize) -> bool {
        self.mentions.iter().any(|m| m.start >= from && m.end <= to)
    }

    /// The denial or doubt that stands before a finding and reaches it.
    fn in_force(&self, mention: &Mention) -> Option<Cue> {
        let mut now: Option<InForce> = None;
        for (start, _, cue) in self.cues().take_while(|(start, _, _)| *start < mention.start) {
            let clause = self.clause(start);
            match cue {
                Cue::Denies => now = Some(InForce { cue, clause }),
                // "No possible fracture" is still a denial; a doubt does not weaken it.
                Cue::Doubts if !now.is_some_and(|n| n.cue == Cue::Denies && self.reaches(n, start)) => now = Some(InForce { cue, clause }),
                Cue::Ends => now = None,
                _ => {}
            }
        }
        now.filter(|n| self.reaches(*n, mention.start)).map(|n| n.cue)
    }

    /// True when what was said in one clause still holds at a place: in the same clause, or along an English list.
    fn reaches(&self, from: InForce, at: usize) -> bool {
        let clause = self.clause(at);
        if clause == from.clause {
            return true;
        }
        if self.is_zh || from.cue != Cue::Denies {
            return false;
        }
        // "No effusion, pneumothorax, or consolidation": the list goes on as long as an "or" is still to come.
        let ends = self.breaks.get(from.clause..clause).unwrap_or_default();
        ends.iter().all(|b| self.text.get(*b) == Some(&',') && self.goes_on(*b))
    }

    fn goes_on(&self, comma: usize) -> bool {
        let stop = self.cues().find(|(start, _, cue)| *start > comma && *cue == Cue::Ends).map_or(self.sentence.1, |(start, _, _)| start);
        let rest = self.between(comma + 1, stop);
        let segment = rest.split(',').next().unwrap_or_default().trim().to_owned();
        let words = segment.split_whitespace().count();
        let has_number = segment.chars().any(|c| c.is_ascii_digit());
        let is_bare = words <= 3 && !segment.starts_with("and ") && !has_number;
        !has_number && (rest.split_whitespace().any(|w| w == "or" || w == "nor") || is_bare)
    }

    /// A word behind the finding that denies or doubts it, in the same clause and with no other finding between.
    fn said_behind(&self, mention: &Mention) -> Option<Cue> {
        let clause = self.clause(mention.start);
        let behind = self.cues().filter(|(start, _, _)| *start >= mention.end && self.clause(*start) == clause);
        for (start, end, cue) in behind {
            let lists = self.is_list_between(mention.end, start);
            if !lists && self.has_mention(mention.end, start) {
                return None;
            }
            let is_last = !self.mentions.iter().any(|m| m.start >= end && self.clause(m.start) == clause);
            match cue {
                Cue::DeniesBefore | Cue::DoubtsBefore => return Some(cue),
                // "胸腔积液未见": a denial with nothing behind it speaks of what stands before it.
                Cue::Denies if is_last && self.closes_clause(end) && self.is_seeing(start, end) => return Some(Cue::DeniesBefore),
                Cue::Doubts if is_last && self.closes_clause(end) => return Some(Cue::DoubtsBefore),
                _ => {}
            }
        }
        None
    }

    fn is_list_between(&self, from: usize, to: usize) -> bool {
        let gap = self.between(from, to);
        gap.contains(['、', '及', '和', '或']) || gap.split_whitespace().any(|w| matches!(w, "or" | "and"))
    }

    fn closes_clause(&self, at: usize) -> bool {
        let rest = self.between(at, self.breaks.iter().copied().find(|b| *b >= at).unwrap_or(self.sentence.1));
        rest.trim_matches([' ', '。', '.', ';', '显', '示', '大']).is_empty()
    }

    fn is_seeing(&self, start: usize, end: usize) -> bool {
        let word = self.between(start, end);
        word.starts_with("未见") || word.starts_with("未发现") || word.starts_with("未显示") || word == "无" || word == "absent"
    }
}
