//! Which fragments belong to which frame. Source: PS3.5 §A.4.

use super::codec::Codec;
use crate::dataset::View;
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;

/// The fragments of each frame. `parts` begins with the basic offset table.
pub(super) fn frames<'a>(parts: &[&'a [u8]], root: &View<'_>, n_frames: u32, codec: Codec) -> Result<Vec<Vec<&'a [u8]>>> {
    let (table, fragments) = parts.split_first().ok_or(Error::Truncated { what: "compressed frames" })?;
    let n = n_frames as usize;
    if fragments.is_empty() {
        return Err(Error::Truncated { what: "compressed frames" });
    }
    if n == 1 {
        return Ok(vec![fragments.to_vec()]);
    }
    if fragments.len() == n {
        return Ok(fragments.iter().map(|f| vec![*f]).collect());
    }
    if fragments.len() < n {
        return Err(Error::Truncated { what: "compressed frames" });
    }
    let offsets = offsets(table, root, n);
    let found = if offsets.len() == n { by_offsets(fragments, &offsets) } else { by_start(fragments, codec) };
    if found.len() == n { Ok(found) } else { Err(Error::Broken { what: "fragments cannot be assigned to frames" }) }
}

/// The fragments of the whole frames of an object that is cut short. Its last fragment is what is there of one that is not
/// whole, so the frame it belongs to is not either.
pub(super) fn whole_frames<'a>(parts: &[&'a [u8]], root: &View<'_>, n_frames: u32, codec: Codec) -> Vec<Vec<&'a [u8]>> {
    let Some((table, fragments)) = parts.split_first() else { return Vec::new() };
    let n = n_frames as usize;
    let offsets = offsets(table, root, n);
    let mut found = match codec {
        _ if offsets.len() == n => by_offsets(fragments, &offsets),
        // A frame of RLE is one fragment. Source: PS3.5 §A.4.2.
        Codec::Rle => fragments.iter().map(|f| vec![*f]).collect(),
        _ => by_start(fragments, codec),
    };
    found.pop();
    found.truncate(n);
    found
}

/// Where each frame begins, by the basic or the extended offset table; of another number where neither says it.
fn offsets(table: &[u8], root: &View<'_>, n: usize) -> Vec<u64> {
    let extended = root.raw(tags::EXTENDED_OFFSET_TABLE).unwrap_or_default();
    if table.len() == n * 4 {
        table.chunks_exact(4).filter_map(|c| c.try_into().ok()).map(|b| u64::from(u32::from_le_bytes(b))).collect()
    } else {
        extended.chunks_exact(8).filter_map(|c| c.try_into().ok()).map(u64::from_le_bytes).collect()
    }
}

/// A frame begins at the fragment its offset points to; offsets count from the first fragment's item header.
fn by_offsets<'a>(fragments: &[&'a [u8]], offsets: &[u64]) -> Vec<Vec<&'a [u8]>> {
    let mut frames: Vec<Vec<&[u8]>> = Vec::new();
    let mut at = 0_u64;
    for fragment in fragments {
        if offsets.contains(&at) || frames.is_empty() {
            frames.push(Vec::new());
        }
        if let Some(frame) = frames.last_mut() {
            frame.push(fragment);
        }
        at += fragment.len() as u64 + 8;
    }
    frames
}

/// Without offsets, a frame of the JPEG family begins where a fragment begins with its start marker.
fn by_start<'a>(fragments: &[&'a [u8]], codec: Codec) -> Vec<Vec<&'a [u8]>> {
    let mut frames: Vec<Vec<&[u8]>> = Vec::new();
    let start: &[u8] = match codec {
        Codec::Jpeg | Codec::JpegLs => &[0xFF, 0xD8],
        Codec::Jpeg2000 => &[0xFF, 0x4F, 0xFF, 0x51],
        Codec::Rle | Codec::Deflate | Codec::Uncompressed => return frames,
    };
    for fragment in fragments {
        let is_start = fragment.starts_with(start);
        match frames.last_mut() {
            Some(frame) if !is_start => frame.push(fragment),
            _ => frames.push(vec![fragment]),
        }
    }
    frames
}
