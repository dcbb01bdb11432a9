//! Where to cut a long sound into pieces that the model can take whole, and what is only silence.
//!
//! whisper.cpp silently drops what does not fit into a model's window, and writes whole invented sentences on
//! silence. So a sound is cut at its quietest place before it is too long, and a piece in which nothing is
//! loud enough never reaches the model.

use crate::sound::{RATE, dbfs};
use std::ops::Range;

/// Length of the steps in which loudness is looked at. Units: samples (20 ms).
const STEP: usize = RATE as usize / 50;
/// Quieter than this in every step is silence. Units: dB full scale.
const FLOOR_DBFS: f64 = -50.0;
/// Quiet for so long ends a sentence. Units: steps.
const PAUSE: usize = 35;
/// What is left at both ends of a piece that is trimmed. Units: steps.
const MARGIN: usize = 10;
/// Shorter than this is a click, not a word. Units: steps.
const SHORTEST: usize = 4;

/// Whether anything in it could be speech.
#[must_use]
pub fn has_sound(samples: &[f32]) -> bool {
    samples.chunks(STEP).filter(|step| dbfs(step) > FLOOR_DBFS).count() >= SHORTEST
}

/// Cuts a sound into pieces of at most `longest` samples, at quiet places, and leaves out what is silent.
///
/// Shape: ranges of samples, in order, not touching.
#[must_use]
pub fn pieces(samples: &[f32], longest: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    while start < samples.len() {
        let rest = samples.get(start..).unwrap_or_default();
        let length = if rest.len() <= longest { rest.len() } else { quietest(rest, longest) };
        out.extend(trimmed(samples, start..start + length));
        start += length;
    }
    out
}

/// End of the first sentence of a sound that is still growing: after a pause, or where it gets too long.
/// `None` while it is better to wait.
#[must_use]
pub fn sentence_end(samples: &[f32], longest: usize) -> Option<usize> {
    let mut heard = 0;
    let mut quiet = 0;
    for (n, step) in samples.chunks_exact(STEP).enumerate() {
        if dbfs(step) > FLOOR_DBFS {
            heard += 1;
            quiet = 0;
        } else {
            quiet += 1;
        }
        if quiet >= PAUSE && (heard >= SHORTEST || quiet >= 10 * PAUSE) {
            return Some((n + 1) * STEP);
        }
    }
    (samples.len() > longest).then(|| quietest(samples, longest))
}

/// The middle of the quietest 100 ms in the last third before `longest`.
fn quietest(samples: &[f32], longest: usize) -> usize {
    let window = 5 * STEP;
    let first = longest - longest / 3;
    let places = (first..longest.saturating_sub(window)).step_by(STEP);
    let loudness = |at: usize| samples.get(at..at + window).map_or(0.0, dbfs);
    let best = places.map(|at| (at, loudness(at))).min_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(longest, |(at, _)| at + window / 2).max(1)
}

/// A piece without the silence at its ends; `None` when it is all silence.
fn trimmed(samples: &[f32], piece: Range<usize>) -> Option<Range<usize>> {
    let sound = samples.get(piece.clone())?;
    if !has_sound(sound) {
        return None;
    }
    let is_loud: Vec<bool> = sound.chunks(STEP).map(|step| dbfs(step) > FLOOR_DBFS).collect();
    let first = is_loud.iter().position(|loud| *loud)?.saturating_sub(MARGIN);
    let last = is_loud.iter().rposition(|loud| *loud)? + 1 + MARGIN;
    Some(piece.start + first * STEP..(piece.start + last * STEP).min(piece.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loud and silent stretches, in seconds.
    fn sound(stretches: &[(bool, f32)]) -> Vec<f32> {
        let mut out = Vec::new();
        for (loud, seconds) in stretches {
            let n = (seconds * RATE as f32) as usize;
            out.extend((0..n).map(|i| if *loud { 0.2 * ((i * 7919 % 200) as f32 / 100.0 - 1.0) } else { 0.0 }));
        }
        out
    }

    fn seconds(range: &Range<usize>) -> (f32, f32) {
        (range.start as f32 / RATE as f32, range.end as f32 / RATE as f32)
    }

    #[test]
    fn silence_never_reaches_the_model() {
        for stretches in [&[(false, 5.0)][..], &[], &[(false, 1.0), (true, 0.02), (false, 1.0)]] {
            assert!(pieces(&sound(stretches), 30 * RATE as usize).is_empty());
        }
    }

    #[test]
    fn a_short_sound_is_one_piece_without_its_silent_ends() {
        let got = pieces(&sound(&[(false, 2.0), (true, 1.0), (false, 3.0)]), 30 * RATE as usize);
        assert_eq!(got.len(), 1);
        let (start, end) = seconds(&got[0]);
        assert!((start - 1.8).abs() < 0.05 && (end - 3.2).abs() < 0.05, "{start} {end}");
    }

    #[test]
    fn a_long_sound_is_cut_in_its_pauses() {
        let long = sound(&[(true, 8.0), (false, 0.3), (true, 9.0), (false, 0.3), (true, 5.0)]);
        let got = pieces(&long, 10 * RATE as usize);
        assert_eq!(got.len(), 3, "{got:?}");
        for piece in &got {
            assert!(piece.len() <= 10 * RATE as usize);
        }
        assert!((seconds(&got[0]).1 - 8.15).abs() < 0.2, "{got:?}");
    }

    #[test]
    fn speech_without_a_pause_is_cut_before_it_is_too_long() {
        let got = pieces(&sound(&[(true, 65.0)]), 28 * RATE as usize);
        assert!(got.len() >= 3);
        assert_eq!(got.iter().map(ExactSizeIterator::len).sum::<usize>(), 65 * RATE as usize);
    }

    #[test]
    fn a_sentence_ends_with_a_pause() {
        let longest = 28 * RATE as usize;
        for (stretches, ends) in [
            (&[(true, 2.0)][..], None),
            (&[(true, 2.0), (false, 0.4)], None),
            (&[(true, 2.0), (false, 1.0)], Some(2.7)),
            (&[(false, 3.0)], None),
            (&[(false, 8.0)], Some(7.0)),
        ] {
            let got = sentence_end(&sound(stretches), longest).map(|n| n as f32 / RATE as f32);
            match (got, ends) {
                (Some(got), Some(ends)) => assert!((got - ends).abs() < 0.05, "{got} {ends}"),
                (got, ends) => assert_eq!(got.is_some(), ends.is_some(), "{stretches:?}"),
            }
        }
    }
}
