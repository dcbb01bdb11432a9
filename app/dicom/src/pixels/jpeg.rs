//! JPEG: baseline, extended with 8 and 12 bits, progressive, lossless; by `libjpeg-turbo`. Source: ITU-T T.81.

use super::fit::{Coded, fit};
use super::jpeg_header::{FrameHeader, START_OF_SCAN, Segment, checked, segments, unpadded};
use super::layout::Layout;
use super::samples::FrameSamples;
use crate::error::{Error, Result};
use mj_codec::{JpegSamples, Wanted, decode_jpeg};
use std::borrow::Cow;

const CODEC: &str = "jpeg";
/// Marker of JFIF.
const APP0: u8 = 0xE0;
/// Marker of Adobe's colour transform.
const APP14: u8 = 0xEE;
/// An Adobe segment which says: no colour transform.
const NO_TRANSFORM: [u8; 16] = *b"\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00";
/// Sequential processes, of Huffman and of arithmetic coding.
const SEQUENTIAL: [u8; 4] = [0xC0, 0xC1, 0xC9, 0xC8];

/// Decodes a frame. Components stay what they are coded as: a picture in YBR gives YBR.
pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let segments = segments(stream, CODEC)?;
    let header = checked(&segments, layout, CODEC)?;
    if !matches!(layout.samples_per_pixel, 1 | 3) {
        return Err(Error::UnsupportedPixels { what: format!("JPEG with {} components", layout.samples_per_pixel) });
    }
    let wanted = Wanted {
        columns: layout.columns as usize,
        rows: layout.rows as usize,
        components: layout.samples_per_pixel.into(),
        precision: header.precision,
    };
    let stream = plain(stream, &segments, &header);
    let decoded = decode_jpeg(&stream, wanted).or_else(|what| decode_jpeg(&unpadded(&stream).ok_or(what)?, wanted));
    let coded = match decoded.map_err(|what| Error::Codec { codec: CODEC, what })? {
        JpegSamples::Bytes(samples) => Coded::Bytes(samples),
        JpegSamples::Words(samples) => Coded::Words(samples),
    };
    fit(coded, layout, layout.bits_stored - 1, CODEC)
}

/// The stream without what makes the decoder turn colours, and without slips of encoders that harm nothing: a sequential scan
/// whose header names another band of the spectrum than all of it (it has none to choose).
fn plain<'a>(stream: &'a [u8], segments: &[Segment<'_>], header: &FrameHeader) -> Cow<'a, [u8]> {
    let Some(scan) = segments.iter().find(|s| s.marker == START_OF_SCAN) else { return Cow::Borrowed(stream) };
    let is_colour = header.components > 1;
    // Ns, then Ns pairs, Ss, Se, Ah and Al.
    let band = 1 + 2 * usize::from(scan.content.first().copied().unwrap_or(0));
    let is_slipped = SEQUENTIAL.contains(&header.marker) && scan.content.get(band..band + 3).is_some_and(|spectrum| spectrum != [0, 63, 0]);
    if !is_colour && !is_slipped {
        return Cow::Borrowed(stream);
    }
    let mut out = Vec::with_capacity(stream.len() + NO_TRANSFORM.len());
    out.extend_from_slice(stream.get(..2).unwrap_or_default());
    if is_colour {
        out.extend_from_slice(&NO_TRANSFORM);
    }
    for segment in segments.iter().filter(|s| s.marker != START_OF_SCAN && !matches!(s.marker, APP0 | APP14)) {
        out.extend_from_slice(stream.get(segment.at..segment.at + 4 + segment.content.len()).unwrap_or_default());
    }
    let from = out.len() + 4 + band;
    out.extend_from_slice(stream.get(scan.at..).unwrap_or_default());
    if is_slipped && let Some(spectrum) = out.get_mut(from..from + 3) {
        spectrum.copy_from_slice(&[0, 63, 0]);
    }
    Cow::Owned(out)
}
