//! Rows of values, eight pixels at once.

use super::row::Row;
use crate::field::{Field, Inner, LANES, has_wide_instructions};
use crate::sample::Sample;

/// Stored values by linear interpolation at the pixels from `from` on, which lie inside the volume.
pub(super) fn linear<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if has_wide_instructions() {
        #[expect(unsafe_code, reason = "vector instructions that not every processor has")]
        // SAFETY: the processor has what the function was compiled for.
        unsafe {
            linear_wide(field, row, from, out);
        }
        return;
    }
    linear_plain(field, row, from, out);
}

/// As [`linear`], by cubic convolution.
pub(super) fn cubic<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if has_wide_instructions() {
        #[expect(unsafe_code, reason = "vector instructions that not every processor has")]
        // SAFETY: the processor has what the function was compiled for.
        unsafe {
            cubic_wide(field, row, from, out);
        }
        return;
    }
    cubic_plain(field, row, from, out);
}

/// The same code for processors since 2013.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn linear_wide<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    linear_plain(field, row, from, out);
}

/// The same code for processors since 2013.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn cubic_wide<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    cubic_by(field, row, from, out, |inner| field.cubic_inner_wide(inner));
}

/// Eight pixels at a time, memory being asked for what the next eight will read.
#[inline(always)]
pub(super) fn linear_plain<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    // No closure: the compiler would not put it into the wide copy.
    let mut now = field.inner::<0>(row.start, row.step, from);
    for (n, pixels) in out.chunks_mut(LANES).enumerate() {
        let first = from + n * LANES;
        let later = field.inner::<0>(row.start, row.step, first + LANES).inspect(|later| field.ask(later));
        match (now, <&mut [f32; LANES]>::try_from(&mut *pixels)) {
            (Some(inner), Ok(pixels)) => *pixels = field.linear_inner(&inner),
            _ => {
                let few = field.few_exact(row.start, row.step, first, pixels.len());
                pixels.iter_mut().zip(few.value).for_each(|(slot, v)| *slot = v);
            }
        }
        now = later;
    }
}

pub(super) fn cubic_plain<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32]) {
    cubic_by(field, row, from, out, |inner| field.cubic_inner(inner));
}

#[inline(always)]
fn cubic_by<S: Sample>(field: &Field<'_, S>, row: &Row, from: usize, out: &mut [f32], eight: impl Fn(&Inner<1>) -> [f32; LANES]) {
    // No closure: the compiler would not put it into the wide copy.
    let mut now = field.inner::<1>(row.start, row.step, from);
    for (n, pixels) in out.chunks_mut(LANES).enumerate() {
        let first = from + n * LANES;
        let later = field.inner::<1>(row.start, row.step, first + LANES).inspect(|later| field.ask(later));
        match (now, <&mut [f32; LANES]>::try_from(&mut *pixels)) {
            (Some(inner), Ok(pixels)) => *pixels = eight(&inner),
            _ => {
                let few = field.few_exact(row.start, row.step, first, pixels.len());
                pixels.iter_mut().enumerate().for_each(|(lane, slot)| *slot = field.cubic(&few, lane));
            }
        }
        now = later;
    }
}
