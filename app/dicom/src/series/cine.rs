//! How frames in time are to be played. Source: PS3.3 §C.7.6.5 (cine), §C.8.4.8 (NM frames in time).

use crate::dataset::View;
use dicom_dictionary_std::tags;

/// Speed of frames that say nothing of it. Units: frames/s.
const USUAL: f64 = 15.0;
/// Slowest and fastest that a file may ask for. Units: ms.
const SENSIBLE_MS: std::ops::RangeInclusive<f64> = 4.0..=10_000.0;

/// Times of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Cine {
    /// How long each frame is shown; one for all where they are alike. Units: ms.
    times_ms: Vec<f64>,
    /// True when the file says it.
    pub is_given: bool,
    /// True when the frames are to be played to and fro instead of from the start again.
    pub is_sweeping: bool,
}

impl Cine {
    /// The wanted speed first, then the one of acquisition.
    pub(super) fn of(root: &View<'_>) -> Self {
        let one = |ms: f64| SENSIBLE_MS.contains(&ms).then(|| vec![ms]);
        let per_second = |tag| root.float(tag).and_then(|rate| one(1000.0 / rate));
        let given = per_second(tags::RECOMMENDED_DISPLAY_FRAME_RATE)
            .or_else(|| per_second(tags::CINE_RATE))
            .or_else(|| vector(&root.floats(tags::FRAME_TIME_VECTOR)))
            .or_else(|| root.float(tags::FRAME_TIME).and_then(one))
            .or_else(|| root.float(tags::ACTUAL_FRAME_DURATION).and_then(one));
        Self {
            is_given: given.is_some(),
            times_ms: given.unwrap_or_else(|| vec![1000.0 / USUAL]),
            is_sweeping: root.int(tags::PREFERRED_PLAYBACK_SEQUENCING) == Some(1),
        }
    }

    /// How long a frame is shown. Units: ms.
    #[must_use]
    pub fn ms(&self, frame: usize) -> f64 {
        self.times_ms.get(frame).or(self.times_ms.last()).copied().unwrap_or(1000.0 / USUAL)
    }
}

/// Each value is the time from the frame before, the first is nothing; so a frame is shown for the value of the next
/// one, and the last as long as the one before it. Source: PS3.3 §C.7.6.5.1.2.
fn vector(steps_ms: &[f64]) -> Option<Vec<f64>> {
    let (_, after) = steps_ms.split_first()?;
    (!after.is_empty() && after.iter().all(|ms| SENSIBLE_MS.contains(ms))).then(|| after.to_vec())
}
