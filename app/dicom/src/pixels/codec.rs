//! Compressed frames to stored samples. Dimensions in a codestream are held against the header before
//! anything is decoded, so that a lie costs no memory; a codec's panic is caught and told as its error.

use super::layout::Layout;
use super::{rle, samples, samples::FrameSamples};
use crate::error::{Error, Result};
use crate::syntax::{
    self, DEFLATED_FRAME, ENCAPSULATED_UNCOMPRESSED, JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_LS_NEAR,
    RLE,
};
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) fn is_supported(uid: &str) -> bool {
    !syntax::is_encapsulated(uid)
        || matches!(
            uid,
            RLE | DEFLATED_FRAME
                | ENCAPSULATED_UNCOMPRESSED
                | JPEG_BASELINE
                | JPEG_EXTENDED
                | JPEG_LOSSLESS
                | JPEG_LOSSLESS_SV1
                | JPEG_LS
                | JPEG_LS_NEAR
        )
}

/// Decodes one frame.
pub(super) fn decode(uid: &str, stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let codec = match uid {
        RLE => "rle",
        JPEG_LS | JPEG_LS_NEAR => "jpeg-ls",
        DEFLATED_FRAME => "deflate",
        _ => "jpeg",
    };
    let work = AssertUnwindSafe(|| match uid {
        RLE if layout.bits_allocated == 1 => samples::unpack_bits(&rle::decode(stream, layout)?, layout, 0),
        RLE => samples::typed(&rle::decode(stream, layout)?, layout, false),
        JPEG_LS | JPEG_LS_NEAR => jpeg_ls(stream, layout),
        DEFLATED_FRAME => deflated(stream, layout),
        ENCAPSULATED_UNCOMPRESSED => samples::from_native(stream, layout),
        JPEG_BASELINE | JPEG_EXTENDED | JPEG_LOSSLESS | JPEG_LOSSLESS_SV1 => jpeg(uid, stream, layout),
        other => Err(Error::UnsupportedSyntax { uid: other.to_owned() }),
    });
    catch_unwind(work).unwrap_or_else(|_panic| Err(Error::Codec { codec, what: "the codec failed".into() }))
}

fn deflated(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let most = if layout.bits_allocated == 1 { layout.n_pixels().div_ceil(8) } else { layout.full_frame_bytes() };
    let mut raw = Vec::with_capacity(most);
    flate2::read::DeflateDecoder::new(stream)
        .take(most as u64)
        .read_to_end(&mut raw)
        .map_err(|error| Error::Codec { codec: "deflate", what: error.kind().to_string() })?;
    if layout.bits_allocated == 1 { samples::unpack_bits(&raw, layout, 0) } else { samples::from_native(&raw, layout) }
}

/// Frame header of a codestream of the JPEG family.
struct FrameHeader {
    precision: u16,
    rows: u32,
    columns: u32,
    components: u16,
    /// JPEG-LS interleave mode of the first scan.
    interleave: u8,
    /// The marker: process of JPEG.
    marker: u8,
}

/// Walks the markers up to the first scan. Source: ITU-T T.81 annex B, T.87 annex C.
fn frame_header(stream: &[u8], codec: &'static str) -> Result<FrameHeader> {
    let broken = |what: &str| Error::Codec { codec, what: what.to_owned() };
    if !stream.starts_with(&[0xFF, 0xD8]) {
        return Err(broken("no start of image"));
    }
    let mut header = None;
    let mut at = 2;
    loop {
        let marker = match stream.get(at..at + 2) {
            Some(&[0xFF, 0xFF]) => {
                at += 1;
                continue;
            }
            Some(&[0xFF, marker]) => marker,
            _ => return Err(broken("marker expected")),
        };
        let length =
            stream.get(at + 2..at + 4).and_then(|s| s.try_into().ok()).map(u16::from_be_bytes).ok_or_else(|| broken("segment is short"))?;
        let segment = stream.get(at + 4..at + 2 + usize::from(length).max(2)).ok_or_else(|| broken("segment is short"))?;
        match (marker, segment) {
            (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7, &[precision, r0, r1, c0, c1, components, ..]) => {
                header = Some(FrameHeader {
                    precision: u16::from(precision),
                    rows: u32::from(u16::from_be_bytes([r0, r1])),
                    columns: u32::from(u16::from_be_bytes([c0, c1])),
                    components: u16::from(components),
                    interleave: 0,
                    marker,
                });
            }
            (0xDA, scan) => {
                let mut header = header.ok_or_else(|| broken("scan without frame"))?;
                // Ns, then Ns pairs, NEAR, ILV, point transform.
                let n = usize::from(scan.first().copied().unwrap_or(0));
                header.interleave = scan.get(2 + 2 * n).copied().unwrap_or(0);
                return Ok(header);
            }
            _ => {}
        }
        at += 2 + usize::from(length).max(2);
    }
}

fn checked(stream: &[u8], layout: &Layout, codec: &'static str) -> Result<FrameHeader> {
    let header = frame_header(stream, codec)?;
    if (header.rows, header.columns, header.components) != (layout.rows, layout.columns, layout.samples_per_pixel) {
        return Err(Error::Codec {
            codec,
            what: format!(
                "codestream is {}x{}x{}, the header says {}x{}x{}",
                header.columns, header.rows, header.components, layout.columns, layout.rows, layout.samples_per_pixel
            ),
        });
    }
    if header.precision == 0 || header.precision > layout.bits_allocated {
        return Err(Error::Codec {
            codec,
            what: format!("codestream has {} bits, {} are allocated", header.precision, layout.bits_allocated),
        });
    }
    Ok(header)
}

fn jpeg_ls(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let header = checked(stream, layout, "jpeg-ls")?;
    let decode = |stream: &[u8]| {
        charls::CharLS::default().decode(stream).map_err(|error| Error::Codec { codec: "jpeg-ls", what: error.to_string() })
    };
    let raw = decode(stream).or_else(|error| decode(&unpadded(stream).ok_or(error)?))?;
    let is_planar = layout.samples_per_pixel > 1 && header.interleave == 0;
    finish(&raw, &header, layout, is_planar)
}

/// Some encoders pad the scan with zeros before the end marker, which the decoder does not forgive.
fn unpadded(stream: &[u8]) -> Option<Vec<u8>> {
    let end = stream.len() - stream.iter().rev().take_while(|&&b| b == 0).count();
    let scan = stream.get(..end)?.strip_suffix(&[0xFF, 0xD9])?;
    let zeros = scan.iter().rev().take_while(|&&b| b == 0).count();
    (zeros > 0).then(|| [scan.get(..scan.len() - zeros).unwrap_or_default(), &[0xFF, 0xD9]].concat())
}

fn jpeg(uid: &str, stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let header = checked(stream, layout, "jpeg")?;
    if header.precision > 8 && header.marker != 0xC3 {
        // No decoder at hand reads 12 bit lossy JPEG.
        return Err(Error::UnsupportedSyntax { uid: uid.to_owned() });
    }
    let mut decoder = jpeg_decoder::Decoder::new(stream);
    decoder.set_max_decoding_buffer_size(layout.full_frame_bytes().saturating_mul(4));
    if layout.samples_per_pixel == 3 {
        // "RGB" means: interleave the components as they are, whatever they stand for.
        decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
    } else if layout.samples_per_pixel == 4 {
        return Err(Error::UnsupportedPixels { what: "JPEG with four components".into() });
    }
    let raw = decoder.decode().map_err(|error| match error {
        jpeg_decoder::Error::Unsupported(what) => Error::Codec { codec: "jpeg", what: format!("unsupported: {what:?}") },
        other => Error::Codec { codec: "jpeg", what: other.to_string() },
    })?;
    finish(&raw, &header, layout, false)
}

/// Samples of one or two native bytes, as codecs give them, to the layout's type.
fn finish(raw: &[u8], header: &FrameHeader, layout: &Layout, is_planar: bool) -> Result<FrameSamples> {
    let from = if header.precision <= 8 { 1 } else { 2 };
    if raw.len() != layout.n_samples() * from {
        return Err(Error::Codec { codec: "jpeg", what: "wrong amount of data".into() });
    }
    let size = layout.sample_bytes();
    let mut wide = Vec::with_capacity(layout.full_frame_bytes());
    for sample in raw.chunks_exact(from) {
        let value = match *sample {
            [one] => u16::from(one),
            [a, b] => u16::from_ne_bytes([a, b]),
            _ => 0,
        };
        wide.extend_from_slice(value.to_le_bytes().get(..size.min(2)).unwrap_or_default());
        wide.extend(std::iter::repeat_n(0, size.saturating_sub(2)));
    }
    let wide = if is_planar { samples::interleave(&wide, layout) } else { wide };
    // A codestream holds just the stored bits, at the bottom.
    let layout = Layout { high_bit: layout.bits_stored - 1, ..layout.clone() };
    samples::typed(&wide, &layout, false)
}
