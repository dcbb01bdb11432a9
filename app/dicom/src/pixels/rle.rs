//! RLE Lossless. Source: PS3.5 annex G.

use super::fit::{Coded, fit};
use super::layout::Layout;
use super::samples::{self, FrameSamples};
use crate::error::{Error, Result};

fn broken(what: &str) -> Error {
    Error::Codec { codec: "rle", what: what.to_owned() }
}

/// Decodes a frame.
pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let (bytes, samples) = (layout.sample_bytes(), usize::from(layout.samples_per_pixel));
    let planes = Planes::of(stream, bytes * samples)?;
    let n = layout.n_pixels();
    match bytes {
        1 if layout.bits_allocated == 1 => samples::unpack_bits(&planes.decode(0, n.div_ceil(8))?, layout, 0),
        1 if samples == 1 => fit(Coded::Bytes(planes.decode(0, n)?), layout, layout.high_bit, "rle"),
        1 => {
            let mut all = Vec::with_capacity(layout.n_samples());
            for k in 0..samples {
                all.append(&mut planes.decode(k, n)?);
            }
            fit(Coded::Bytes(all).interleaved(layout), layout, layout.high_bit, "rle")
        }
        2 => {
            // Segments hold the most significant byte first.
            let mut all = Vec::with_capacity(layout.n_samples());
            for k in 0..samples {
                let (high, low) = (planes.decode(2 * k, n)?, planes.decode(2 * k + 1, n)?);
                all.extend(high.into_iter().zip(low).map(|pair| u16::from_be_bytes(pair.into())));
            }
            let all = Coded::Words(all);
            fit(if samples == 1 { all } else { all.interleaved(layout) }, layout, layout.high_bit, "rle")
        }
        _ => samples::typed(&planes.little_endian(layout)?, layout, false),
    }
}

/// The segments of a frame: a byte plane each.
struct Planes<'a> {
    segments: Vec<&'a [u8]>,
}

impl<'a> Planes<'a> {
    fn of(stream: &'a [u8], wanted: usize) -> Result<Self> {
        let word = |at: usize| -> Result<usize> {
            let raw = stream.get(at * 4..at * 4 + 4).and_then(|s| s.try_into().ok()).ok_or_else(|| broken("header is short"))?;
            usize::try_from(u32::from_le_bytes(raw)).map_err(|_too_big| broken("offset is too large"))
        };
        if word(0)? != wanted || wanted > 15 {
            return Err(broken("wrong number of segments"));
        }
        let segment = |k: usize| -> Result<&'a [u8]> {
            let end = if k + 1 < wanted { word(k + 2)? } else { stream.len() };
            stream.get(word(k + 1)?..end).ok_or_else(|| broken("segment lies outside the frame"))
        };
        Ok(Self { segments: (0..wanted).map(segment).collect::<Result<_>>()? })
    }

    /// One PackBits segment of known length.
    fn decode(&self, segment: usize, length: usize) -> Result<Vec<u8>> {
        let mut input = self.segments.get(segment).copied().unwrap_or_default();
        let mut out = Vec::with_capacity(length);
        while out.len() < length {
            let left = length - out.len();
            let (&control, rest) = input.split_first().ok_or_else(|| broken("segment is short"))?;
            match control {
                0..=127 => {
                    let run = usize::from(control) + 1;
                    // A last run may be padded beyond the plane.
                    let literal = rest.get(..run.min(left)).ok_or_else(|| broken("literal run is short"))?;
                    out.extend_from_slice(literal);
                    input = rest.get(run..).unwrap_or_default();
                }
                129..=255 => {
                    let (&value, rest) = rest.split_first().ok_or_else(|| broken("replicate run is short"))?;
                    out.resize(out.len() + (257 - usize::from(control)).min(left), value);
                    input = rest;
                }
                128 => input = rest,
            }
        }
        Ok(out)
    }

    /// Samples of four bytes, interleaved, little endian.
    fn little_endian(&self, layout: &Layout) -> Result<Vec<u8>> {
        let (bytes, samples) = (layout.sample_bytes(), usize::from(layout.samples_per_pixel));
        let mut out = vec![0_u8; layout.full_frame_bytes()];
        for k in 0..self.segments.len() {
            let plane = self.decode(k, layout.n_pixels())?;
            let (sample, byte) = (k / bytes, bytes - 1 - k % bytes);
            let places = out.iter_mut().skip(sample * bytes + byte).step_by(bytes * samples);
            places.zip(plane).for_each(|(place, value)| *place = value);
        }
        Ok(out)
    }
}
