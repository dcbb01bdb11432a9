//! What a codestream of the JPEG family says about itself, before anything is decoded.

use super::layout::Layout;
use crate::error::{Error, Result};

/// Frame header of a codestream of the JPEG family.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FrameHeader {
    /// Bits of a sample.
    pub(super) precision: u16,
    /// Rows.
    pub(super) rows: u32,
    /// Columns.
    pub(super) columns: u32,
    /// Samples per pixel.
    pub(super) components: u16,
    /// JPEG-LS interleave mode of the first scan.
    pub(super) interleave: u8,
    /// The marker of the frame: process of JPEG.
    pub(super) marker: u8,
}

/// A marker with its segment, up to the first scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment<'a> {
    /// Second byte of the marker.
    pub(super) marker: u8,
    /// Where the marker begins in the stream.
    pub(super) at: usize,
    /// What follows the length.
    pub(super) content: &'a [u8],
}

/// Marker of the start of a scan.
pub(super) const START_OF_SCAN: u8 = 0xDA;

/// The segments from the start of the image to the header of the first scan, which is the last of them.
/// Source: ITU-T T.81 annex B.
///
/// # Errors
/// [`Error::Codec`].
pub(super) fn segments<'a>(stream: &'a [u8], codec: &'static str) -> Result<Vec<Segment<'a>>> {
    let broken = |what: &str| Error::Codec { codec, what: what.to_owned() };
    if !stream.starts_with(&[0xFF, 0xD8]) {
        return Err(broken("no start of image"));
    }
    let mut found = Vec::new();
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
        let end = at + 2 + usize::from(length).max(2);
        found.push(Segment { marker, at, content: stream.get(at + 4..end).ok_or_else(|| broken("segment is short"))? });
        if marker == START_OF_SCAN {
            return Ok(found);
        }
        at = end;
    }
}

/// Reads the frame header. Source: ITU-T T.81 annex B, T.87 annex C.
fn frame_header(segments: &[Segment<'_>], codec: &'static str) -> Result<FrameHeader> {
    let mut header = None;
    for segment in segments {
        match (segment.marker, segment.content) {
            (marker @ (0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7), &[precision, r0, r1, c0, c1, components, ..]) => {
                header = Some(FrameHeader {
                    precision: u16::from(precision),
                    rows: u32::from(u16::from_be_bytes([r0, r1])),
                    columns: u32::from(u16::from_be_bytes([c0, c1])),
                    components: u16::from(components),
                    interleave: 0,
                    marker,
                });
            }
            (START_OF_SCAN, scan) => {
                // Ns, then Ns pairs, NEAR, ILV, point transform.
                let n = usize::from(scan.first().copied().unwrap_or(0));
                if let Some(header) = &mut header {
                    header.interleave = scan.get(2 + 2 * n).copied().unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    header.ok_or_else(|| Error::Codec { codec, what: "scan without frame".into() })
}

/// Reads the frame header and holds it against the layout.
///
/// # Errors
/// [`Error::Codec`].
pub(super) fn checked(segments: &[Segment<'_>], layout: &Layout, codec: &'static str) -> Result<FrameHeader> {
    let header = frame_header(segments, codec)?;
    agree(codec, [header.columns, header.rows, header.components.into()], header.precision, layout)?;
    Ok(header)
}

/// Holds columns, rows, components and bits of a codestream against the layout.
///
/// # Errors
/// [`Error::Codec`].
pub(super) fn agree(codec: &'static str, size: [u32; 3], precision: u16, layout: &Layout) -> Result<()> {
    let said = [layout.columns, layout.rows, layout.samples_per_pixel.into()];
    if size != said {
        let text = |[columns, rows, components]: [u32; 3]| format!("{columns}x{rows}x{components}");
        return Err(Error::Codec { codec, what: format!("codestream is {}, the header says {}", text(size), text(said)) });
    }
    if precision == 0 || precision > layout.bits_allocated {
        return Err(Error::Codec { codec, what: format!("codestream has {precision} bits, {} are allocated", layout.bits_allocated) });
    }
    Ok(())
}

/// The stream without zeros before its end marker, where there are any: some encoders pad the scan with them, which the decoders
/// do not forgive.
pub(super) fn unpadded(stream: &[u8]) -> Option<Vec<u8>> {
    let end = stream.len() - stream.iter().rev().take_while(|&&b| b == 0).count();
    let scan = stream.get(..end)?.strip_suffix(&[0xFF, 0xD9])?;
    let zeros = scan.iter().rev().take_while(|&&b| b == 0).count();
    (zeros > 0).then(|| [scan.get(..scan.len() - zeros).unwrap_or_default(), &[0xFF, 0xD9]].concat())
}
