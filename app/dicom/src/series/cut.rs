//! Rows that are missing because a file was cut short.
//!
//! They hold the value that stands for no measurement elsewhere, too: the file's padding, or what a computed volume takes
//! where no slice lies (`resample`). The volume names it as its padding. Frames that are missing make no slice.

use super::frame::Slice;
use super::resample::{self, Blend};
use mj_model::{Padding, Samples, Volume};
use std::ops::Range;

/// The volume of slices with its missing rows filled with padding.
pub(super) fn left_empty(mut volume: Volume, slices: &[Slice]) -> Volume {
    if !slices.iter().any(Slice::is_cut) {
        return volume;
    }
    let [columns, rows, _] = volume.grid.dims;
    let end = |k: usize| k * columns * rows + columns * slices.get(k).map_or(rows, |s| s.rows_there as usize);
    let there: Vec<Range<usize>> = (0..slices.len()).map(|k| k * columns * rows..end(k)).collect();
    let missing: Vec<Range<usize>> = (0..slices.len()).map(|k| end(k)..(k + 1) * columns * rows).collect();
    let least = || match &volume.samples {
        Samples::I16(v) => least_of(v, &there),
        Samples::U16(v) => least_of(v, &there),
        Samples::U8(v) => least_of(v, &there),
        Samples::F32(v) => least_of(v, &there),
    };
    let padding = resample::padding(&volume, slices.first().map_or(16, |s| s.layout.bits_stored), least);
    match &mut volume.samples {
        Samples::I16(v) => fill(v, &missing, padding),
        Samples::U16(v) => fill(v, &missing, padding),
        Samples::U8(v) => fill(v, &missing, padding),
        Samples::F32(v) => fill(v, &missing, padding),
    }
    let own = volume.padding.filter(|own| own.holds(padding));
    volume.padding = own.or(Some(Padding::between(padding, padding)));
    volume
}

fn least_of<T: Blend>(values: &[T], there: &[Range<usize>]) -> f64 {
    there.iter().filter_map(|range| values.get(range.clone())).map(resample::least).fold(f64::INFINITY, f64::min)
}

fn fill<T: Blend>(values: &mut [T], missing: &[Range<usize>], padding: f64) {
    for range in missing {
        if let Some(rows) = values.get_mut(range.clone()) {
            rows.fill(T::narrow(padding));
        }
    }
}
