//! JPEG-LS, lossless and near-lossless, by `CharLS`. Source: ITU-T T.87.

use super::fit::{Coded, fit};
use super::jpeg_header::{checked, segments, unpadded};
use super::layout::Layout;
use super::samples::FrameSamples;
use crate::error::{Error, Result};

const CODEC: &str = "jpeg-ls";

/// Decodes a frame.
pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let header = checked(&segments(stream, CODEC)?, layout, CODEC)?;
    let decode =
        |stream: &[u8]| charls::CharLS::default().decode(stream).map_err(|error| Error::Codec { codec: CODEC, what: error.to_string() });
    let raw = decode(stream).or_else(|error| decode(&unpadded(stream).ok_or(error)?))?;
    let is_planar = layout.samples_per_pixel > 1 && header.interleave == 0;
    let coded = Coded::from_native(raw, header.precision);
    fit(if is_planar { coded.interleaved(layout) } else { coded }, layout, layout.bits_stored - 1, CODEC)
}
