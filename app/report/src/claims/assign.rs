//! Which claim speaks of which finding.

use super::judge::Facts;
use super::lexicon::Lexicon;
use super::parse::{Presence, Said};

/// The rank of the finding that each claim of a section speaks of. Each finding is spoken of once before any is spoken of
/// twice; the best pairs are made first, so that a claim of the wrong side gets the finding that nothing else fits.
///
/// `spoken` are the findings that other sentences of the section speak of already, `live` says of each whether it counts.
pub(crate) fn assign(said: &[Said], facts: &[Facts<'_>], lexicon: &Lexicon, spoken: &[usize], live: &[bool]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(i32, usize, usize)> = Vec::new();
    for (i, claim) in said.iter().enumerate().filter(|(_, claim)| claim.presence != Presence::Absent) {
        for (j, fact) in facts.iter().enumerate().filter(|(j, _)| live.get(*j) == Some(&true)) {
            pairs.extend(score(claim, fact, lexicon).map(|score| (score, i, j)));
        }
    }
    pairs.sort_by_key(|(score, i, j)| (std::cmp::Reverse(*score), *i, *j));
    let mut out = vec![None; said.len()];
    let mut taken: Vec<bool> = (0..facts.len()).map(|j| spoken.contains(&j)).collect();
    for (_, i, j) in &pairs {
        let (Some(slot), Some(is_taken)) = (out.get_mut(*i), taken.get_mut(*j)) else { continue };
        if slot.is_none() && !*is_taken {
            (*slot, *is_taken) = (Some(*j), true);
        }
    }
    // Said again: only where nothing contradicts.
    for (_, i, j) in pairs {
        let (Some(slot), Some(claim), Some(fact)) = (out.get_mut(i), said.get(i), facts.get(j)) else { continue };
        if slot.is_none() && fact.conflicts(claim, lexicon).is_empty() {
            *slot = Some(j);
        }
    }
    out
}

/// How well a claim fits a finding; `None` when it speaks of something else.
fn score(claim: &Said, fact: &Facts<'_>, lexicon: &Lexicon) -> Option<i32> {
    let kind = match fact.kind_agrees(claim) {
        // "Bone destruction, 32 x 18 mm" of a metastasis of 23.5 x 18.2 mm: another word, the same thing.
        0 if fact.is_described_by(claim, lexicon) => 1,
        0 => return None,
        1 => 3,
        _ => 4,
    };
    let sizes_fit = (!claim.sizes.is_empty() && !fact.lengths_mm.is_empty()).then(|| fact.size_conflicts(claim).is_empty());
    let sides = fact.side_agrees(claim, lexicon);
    let place = match fact.place_agrees(claim, lexicon) {
        None => 1,
        Some(true) if claim.places.iter().any(|a| fact.places.contains(a)) => 3,
        Some(true) => 2,
        // Another lobe with the very same size is the same lesion wrongly placed; another organ is not.
        Some(false) if sizes_fit == Some(true) && is_one_region(claim, fact, lexicon) => -1,
        // The left lobe for the right one: another part because of the side.
        Some(false) if sides == Some(false) && is_mirrored(claim, fact, lexicon) => 2,
        Some(false) => return None,
    };
    let side = match sides {
        None => 1,
        Some(true) => 2,
        Some(false) => -2,
    };
    let size = match sizes_fit {
        None => 0,
        Some(true) => 3,
        Some(false) => -1,
    };
    Some(kind + place + side + size).filter(|score| *score >= 3)
}

/// Both name a part that there is on one side alone.
fn is_mirrored(claim: &Said, fact: &Facts<'_>, lexicon: &Lexicon) -> bool {
    let is_sided = |places: &[String]| places.iter().any(|p| lexicon.line(p).any(|part| lexicon.is_one_sided(part)));
    is_sided(&claim.places) && is_sided(&fact.places) && is_one_region(claim, fact, lexicon)
}

fn is_one_region(claim: &Said, fact: &Facts<'_>, lexicon: &Lexicon) -> bool {
    claim.places.iter().any(|a| fact.places.iter().any(|b| lexicon.is_one_region(a, b)))
}
