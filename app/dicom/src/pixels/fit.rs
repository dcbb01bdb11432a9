//! From what a codec gives to the type of the stored samples.

use super::layout::Layout;
use super::samples::FrameSamples;
use crate::error::{Error, Result};

/// Samples of a frame as a codec gives them: interleaved by pixel, as bytes or as words, the bits at the bottom.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Coded {
    /// Up to 8 bits.
    Bytes(Vec<u8>),
    /// 9 to 16 bits.
    Words(Vec<u16>),
}

impl Coded {
    /// Bytes in the machine's order, two a sample where it has more than 8 bits.
    pub(super) fn from_native(raw: Vec<u8>, precision: u16) -> Self {
        if precision <= 8 {
            return Self::Bytes(raw);
        }
        Self::Words(raw.as_chunks::<2>().0.iter().map(|&pair| u16::from_ne_bytes(pair)).collect())
    }

    /// Plane behind plane to samples side by side.
    pub(super) fn interleaved(self, layout: &Layout) -> Self {
        match self {
            Self::Bytes(planes) => Self::Bytes(interleave(&planes, layout)),
            Self::Words(planes) => Self::Words(interleave(&planes, layout)),
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::Bytes(samples) => samples.len(),
            Self::Words(samples) => samples.len(),
        }
    }
}

/// Plane behind plane to samples side by side.
fn interleave<T: Copy + Default>(planes: &[T], layout: &Layout) -> Vec<T> {
    let n = usize::from(layout.samples_per_pixel);
    let mut out = vec![T::default(); planes.len()];
    for (k, plane) in planes.chunks_exact(layout.n_pixels().max(1)).enumerate() {
        out.iter_mut().skip(k).step_by(n).zip(plane).for_each(|(place, &sample)| *place = sample);
    }
    out
}

/// Typed samples: what lies above `high_bit` and below the stored bits is dropped and the sign extended.
///
/// # Errors
/// [`Error::Codec`] when there are more or fewer samples than the header says, or wider ones;
/// [`Error::UnsupportedPixels`].
pub(super) fn fit(coded: Coded, layout: &Layout, high_bit: u16, codec: &'static str) -> Result<FrameSamples> {
    let (up, down) = (u32::from(layout.bits_allocated - 1 - high_bit), u32::from(layout.bits_allocated - layout.bits_stored));
    if coded.len() != layout.n_samples() {
        return Err(Error::Codec { codec, what: "wrong amount of data".into() });
    }
    // Wrapping shifts are plain ones here, and cost no check of every sample in a build for tests.
    Ok(match (layout.bits_allocated, layout.is_signed, coded) {
        (8, false, Coded::Bytes(raw)) => FrameSamples::U8(moved(raw, up | down, |s: u8| s.wrapping_shl(up).wrapping_shr(down))),
        (8, true, Coded::Bytes(raw)) => {
            FrameSamples::I8(raw.into_iter().map(|s| s.wrapping_shl(up).cast_signed().wrapping_shr(down)).collect())
        }
        (8, _, Coded::Words(_)) => return Err(Error::Codec { codec, what: "samples of 16 bits where 8 are allocated".into() }),
        (16, false, coded) => FrameSamples::U16(moved(words(coded), up | down, |s: u16| s.wrapping_shl(up).wrapping_shr(down))),
        (16, true, coded) => {
            FrameSamples::I16(words(coded).into_iter().map(|s| s.wrapping_shl(up).cast_signed().wrapping_shr(down)).collect())
        }
        (32, false, coded) => {
            FrameSamples::U32(words(coded).into_iter().map(|s| u32::from(s).wrapping_shl(up).wrapping_shr(down)).collect())
        }
        (32, true, coded) => {
            FrameSamples::I32(words(coded).into_iter().map(|s| u32::from(s).wrapping_shl(up).cast_signed().wrapping_shr(down)).collect())
        }
        (bits, ..) => return Err(Error::UnsupportedPixels { what: format!("{bits} bits allocated, compressed") }),
    })
}

fn words(coded: Coded) -> Vec<u16> {
    match coded {
        Coded::Bytes(bytes) => bytes.into_iter().map(u16::from).collect(),
        Coded::Words(words) => words,
    }
}

/// Changes samples in place, where there is anything to change.
fn moved<T: Copy>(mut samples: Vec<T>, is_needed: u32, change: impl Fn(T) -> T) -> Vec<T> {
    if is_needed != 0 {
        samples.iter_mut().for_each(|s| *s = change(*s));
    }
    samples
}
