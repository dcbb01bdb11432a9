//! Whether a JPEG 2000 codestream cuts its picture into pieces of a sane size.
//!
//! Every precinct and code block takes memory of its own, however little data there is: a picture cut into the smallest that
//! the standard allows would take a thousand times the memory of its samples. No encoder does that.

use crate::error::{Error, Result};

/// Smallest precinct, seen at full resolution, as a power of two.
const LEAST_PRECINCT: u8 = 4;
/// Smallest code block: width times height, as a power of two.
const LEAST_BLOCK: u8 = 8;

/// Markers. Source: ITU-T T.800 table A.2.
const COD: u8 = 0x52;
const COC: u8 = 0x53;
const SOT: u8 = 0x90;
const SOD: u8 = 0x93;

/// Looks at the coding styles of the main header and of the headers of all tile parts. A structure that cannot be followed
/// is left to the decoder, which reads it in the same order.
///
/// # Errors
/// [`Error::UnsupportedPixels`].
pub(super) fn check(codestream: &[u8], components: usize) -> Result<()> {
    let (mut at, mut next) = (2, None);
    while let Some(&[0xFF, marker]) = codestream.get(at..at + 2) {
        if marker == SOD {
            let Some(tile_part) = next.filter(|&next| next > at) else { return Ok(()) };
            at = tile_part;
            continue;
        }
        let length = codestream.get(at + 2..at + 4).and_then(|s| s.try_into().ok()).map(u16::from_be_bytes).map(usize::from);
        let Some(content) = length.and_then(|length| codestream.get(at + 4..at + 2 + length)) else { return Ok(()) };
        match marker {
            // Isot, Psot: the length of the tile part, from its first byte on.
            SOT => {
                let psot = content.get(2..6).and_then(|s| s.try_into().ok()).map(u32::from_be_bytes);
                next = psot.and_then(|psot| at.checked_add(usize::try_from(psot).ok()?));
            }
            // Scod, four bytes for all components, SPcod.
            COD => style(content.first().copied().unwrap_or(0), content.get(5..).unwrap_or_default())?,
            // Ccoc, of two bytes where there are many components; Scoc, SPcoc.
            COC => {
                let from = if components < 257 { 1 } else { 2 };
                style(content.get(from).copied().unwrap_or(0), content.get(from + 1..).unwrap_or_default())?;
            }
            _ => {}
        }
        at += 2 + content.len() + 2;
    }
    Ok(())
}

/// Source: ITU-T T.800 §A.6.1, tables A.15, A.18 and A.21.
fn style(flags: u8, parameters: &[u8]) -> Result<()> {
    let Some((&[levels, width, height, ..], precincts)) = parameters.split_first_chunk::<5>() else { return Ok(()) };
    // Exponents of width and height, less two each.
    if (width & 0xF) + (height & 0xF) + 4 < LEAST_BLOCK {
        return Err(Error::UnsupportedPixels { what: "JPEG 2000 with tiny code blocks".into() });
    }
    // One byte for each resolution, the lowest first; without the flag a precinct is as large as can be.
    let tiny = |(resolution, exponents): (u8, &u8)| {
        let shrunk = levels.saturating_sub(resolution);
        (exponents & 0xF).min(exponents >> 4).saturating_add(shrunk) < LEAST_PRECINCT
    };
    if flags & 1 != 0 && (0..=levels).zip(precincts).any(tiny) {
        return Err(Error::UnsupportedPixels { what: "JPEG 2000 with tiny precincts".into() });
    }
    Ok(())
}
