//! RLE Lossless. Source: PS3.5 annex G.

use super::layout::Layout;
use crate::error::{Error, Result};

fn broken(what: &str) -> Error {
    Error::Codec { codec: "rle", what: what.to_owned() }
}

/// Decodes a frame to interleaved little endian samples, or to packed bits where one bit is allocated.
pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Vec<u8>> {
    let word = |at: usize| -> Result<usize> {
        let raw = stream.get(at * 4..at * 4 + 4).and_then(|s| s.try_into().ok()).ok_or_else(|| broken("header is short"))?;
        usize::try_from(u32::from_le_bytes(raw)).map_err(|_too_big| broken("offset is too large"))
    };
    let (bytes, samples) = (layout.sample_bytes(), usize::from(layout.samples_per_pixel));
    let n_segments = word(0)?;
    if n_segments != bytes * samples {
        return Err(broken("wrong number of segments"));
    }
    if layout.bits_allocated == 1 {
        return segment(stream, word(1)?, stream.len(), layout.n_pixels().div_ceil(8));
    }
    let mut out = vec![0_u8; layout.full_frame_bytes()];
    for k in 0..n_segments {
        let end = if k + 1 < n_segments { word(k + 2)? } else { stream.len() };
        let plane = segment(stream, word(k + 1)?, end, layout.n_pixels())?;
        // Segments hold the most significant byte first; samples are written little endian.
        let (sample, byte) = (k / bytes, bytes - 1 - k % bytes);
        let places = out.iter_mut().skip(sample * bytes + byte).step_by(bytes * samples);
        places.zip(plane).for_each(|(place, value)| *place = value);
    }
    Ok(out)
}

/// One PackBits segment of known length.
fn segment(stream: &[u8], start: usize, end: usize, length: usize) -> Result<Vec<u8>> {
    let mut input = stream.get(start..end).ok_or_else(|| broken("segment lies outside the frame"))?.iter().copied();
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        let control = input.next().ok_or_else(|| broken("segment is short"))?;
        match control {
            0..=127 => {
                let before = out.len();
                out.extend(input.by_ref().take(usize::from(control) + 1));
                if out.len() < length && out.len() - before != usize::from(control) + 1 {
                    return Err(broken("literal run is short"));
                }
            }
            129..=255 => {
                let value = input.next().ok_or_else(|| broken("replicate run is short"))?;
                out.resize(out.len() + 257 - usize::from(control), value);
            }
            128 => {}
        }
    }
    out.truncate(length);
    Ok(out)
}
