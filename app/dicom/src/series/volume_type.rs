//! What the samples of a stack become in memory.

use super::frame::Slice;
use crate::pixels::{Cell, FrameSamples};
use mj_model::{LinearMap, Warning};

/// Type of the samples of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleType {
    I16,
    U16,
    U8,
    F32,
}

impl SampleType {
    pub(super) fn of(slices: &[Slice]) -> Self {
        let Some(first) = slices.first() else { return Self::U8 };
        if varies(slices) {
            return Self::F32;
        }
        let layout = &first.layout;
        match (layout.bits_allocated, layout.is_signed, layout.is_float) {
            // Entries of a table are unsigned.
            _ if first.has_modality_lut => Self::U16,
            (_, _, true) | (32.., _, _) => Self::F32,
            (16, true, _) => Self::I16,
            (16, false, _) => Self::U16,
            (_, true, _) => Self::I16,
            (_, false, _) => Self::U8,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::U8 => "u8",
            Self::F32 => "f32",
        }
    }
}

/// True when slices are rescaled differently (PET, some MR).
pub(super) fn varies(slices: &[Slice]) -> bool {
    slices.windows(2).any(|pair| matches!(pair, [a, b] if a.map != b.map))
}

/// The one map of the volume: the files', or the identity where values are converted.
pub(super) fn map_of(slices: &[Slice]) -> LinearMap {
    match slices.first() {
        Some(first) if !varies(slices) => first.map,
        _ => LinearMap::default(),
    }
}

pub(super) fn warnings(slices: &[Slice]) -> Vec<Warning> {
    let mut out = Vec::new();
    let Some(first) = slices.first() else { return out };
    let n_lossy = slices.iter().filter(|s| s.is_lossy).count();
    if n_lossy > 0 {
        out.push(Warning::new("pixel.lossy", format!("{n_lossy} of {} images", slices.len())));
    }
    if varies(slices) {
        let slopes = slices.iter().map(|s| s.map.slope);
        let (low, high) = slopes.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), s| (l.min(s), h.max(s)));
        out.push(Warning::new("pixel.slope_varies", format!("slope {low} to {high}")));
    }
    if first.has_modality_lut {
        out.push(Warning::new("pixel.modality_lut", "Modality LUT Sequence"));
    }
    out.extend(first.look.warnings.iter().cloned());
    if first.layout.bits_allocated == 32 && !first.layout.is_float && first.layout.bits_stored > 24 {
        out.push(Warning::new("pixel.rounded", format!("{} bits stored", first.layout.bits_stored)));
    }
    out
}

/// A sample type of a volume that decoded samples are put into.
pub(super) trait Sample: Cell + Default + Send + Sync {
    /// The exact conversion, or `None` when the value does not fit.
    fn fill(from: &FrameSamples, to: &mut [Self]) -> bool;
}

fn copy<A: Copy, B>(from: &[A], to: &mut [B], convert: impl Fn(A) -> B) -> bool {
    if from.len() != to.len() {
        return false;
    }
    to.iter_mut().zip(from).for_each(|(t, &f)| *t = convert(f));
    true
}

impl Sample for i16 {
    fn fill(from: &FrameSamples, to: &mut [Self]) -> bool {
        match from {
            FrameSamples::I16(v) => copy(v, to, |s| s),
            FrameSamples::I8(v) => copy(v, to, Self::from),
            _ => false,
        }
    }
}

impl Sample for u16 {
    fn fill(from: &FrameSamples, to: &mut [Self]) -> bool {
        match from {
            FrameSamples::U16(v) => copy(v, to, |s| s),
            FrameSamples::U8(v) => copy(v, to, Self::from),
            _ => false,
        }
    }
}

impl Sample for u8 {
    fn fill(from: &FrameSamples, to: &mut [Self]) -> bool {
        match from {
            FrameSamples::U8(v) => copy(v, to, |s| s),
            _ => false,
        }
    }
}

impl Sample for f32 {
    fn fill(from: &FrameSamples, to: &mut [Self]) -> bool {
        match from {
            FrameSamples::U8(v) => copy(v, to, Self::from),
            FrameSamples::I8(v) => copy(v, to, Self::from),
            FrameSamples::U16(v) => copy(v, to, Self::from),
            FrameSamples::I16(v) => copy(v, to, Self::from),
            FrameSamples::U32(v) => copy(v, to, |s| s as Self),
            FrameSamples::I32(v) => copy(v, to, |s| s as Self),
            FrameSamples::F32(v) => copy(v, to, |s| s),
            FrameSamples::F64(v) => copy(v, to, |s| s as Self),
        }
    }
}
