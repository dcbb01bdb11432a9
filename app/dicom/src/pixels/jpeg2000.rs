//! JPEG 2000 and High-Throughput JPEG 2000, lossless and lossy, by `OpenJPEG`. Source: ITU-T T.800, T.814; PS3.5 §A.4.4.
//!
//! A codestream undoes its own colour transform, so that what is coded as `YBR_RCT` or `YBR_ICT` gives RGB, as it does in
//! pydicom. Where the sign of the codestream differs from Pixel Representation, the bits are kept and Pixel Representation
//! holds.

use super::jpeg_header::agree;
use super::jpeg2000_coding;
use super::layout::Layout;
use super::samples::FrameSamples;
use crate::error::{Error, Result};
use mj_codec::{Plane, decode_jpeg_2000};

const CODEC: &str = "jpeg2000";
/// Smallest mean edge of a tile: a header may ask for a thousand tiny ones, each of which takes memory.
const LEAST_TILE: u32 = 32;

/// Image and tile size of a codestream (marker SIZ). Source: ITU-T T.800 §A.5.1.
#[derive(Debug, PartialEq)]
struct Size {
    columns: u32,
    rows: u32,
    tiles: u64,
    components: Vec<Component>,
}

/// One component of a codestream.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    precision: u16,
    is_signed: bool,
    /// Columns and rows of the image that share a sample.
    step: [u8; 2],
}

/// Decodes a frame.
pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let codestream = codestream(stream)?;
    let component = checked(&size(codestream)?, layout)?;
    jpeg2000_coding::check(codestream, layout.samples_per_pixel.into())?;
    let shown = decode_jpeg_2000(codestream, |planes| stored(planes, component, layout));
    shown.map_err(|what| Error::Codec { codec: CODEC, what })?
}

fn broken(what: &str) -> Error {
    Error::Codec { codec: CODEC, what: what.to_owned() }
}

/// The codestream itself; some files wrongly hold a whole JP2 file. Source: ITU-T T.800 §I.4.
fn codestream(stream: &[u8]) -> Result<&[u8]> {
    if !stream.starts_with(b"\x00\x00\x00\x0CjP  ") {
        return Ok(stream);
    }
    let mut rest = stream;
    loop {
        let Some((head, content)) = rest.split_first_chunk::<8>() else { return Err(broken("a JP2 file without a codestream")) };
        let [a, b, c, d, kind @ ..] = *head;
        let (length, header) = match (u32::from_be_bytes([a, b, c, d]), content.split_first_chunk::<8>()) {
            (0, _) => (rest.len() as u64, 8),
            (1, Some((long, _))) => (u64::from_be_bytes(*long), 16),
            (length, _) => (u64::from(length), 8),
        };
        let end = usize::try_from(length).ok().filter(|&end| end >= header);
        if &kind == b"jp2c" {
            return end.and_then(|end| rest.get(header..end)).ok_or(Error::Truncated { what: "JPEG 2000 codestream" });
        }
        rest = end.and_then(|end| rest.get(end..)).ok_or_else(|| broken("a box lies outside the JP2 file"))?;
    }
}

/// Reads SIZ, which comes first.
fn size(codestream: &[u8]) -> Result<Size> {
    let short = || broken("header is short");
    if !codestream.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]) {
        return Err(broken("no start of codestream"));
    }
    let word = |at: usize| codestream.get(at..at + 4).and_then(|s| s.try_into().ok()).map(u32::from_be_bytes).ok_or_else(short);
    // After the capabilities: the reference grid and the image's offset in it, the same of the tiles, the components.
    let (grid, offset, tile, tile_offset) = ([word(8)?, word(12)?], [word(16)?, word(20)?], [word(24)?, word(28)?], [word(32)?, word(36)?]);
    let n = codestream.get(40..42).and_then(|s| s.try_into().ok()).map(u16::from_be_bytes).ok_or_else(short)?;
    let components = codestream.get(42..42 + 3 * usize::from(n)).ok_or_else(short)?;
    let extent = |axis: usize, from: [u32; 2]| grid.get(axis).zip(from.get(axis)).and_then(|(grid, from)| grid.checked_sub(*from));
    let wrong = || broken("impossible size");
    let tiles = |axis: usize| {
        let [width, height] = tile;
        let edge = if axis == 0 { width } else { height };
        extent(axis, tile_offset).filter(|_| edge > 0).map(|extent| u64::from(extent.div_ceil(edge))).ok_or_else(wrong)
    };
    Ok(Size {
        columns: extent(0, offset).ok_or_else(wrong)?,
        rows: extent(1, offset).ok_or_else(wrong)?,
        tiles: tiles(0)?.saturating_mul(tiles(1)?),
        components: components
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[depth, across, down]| Component {
                precision: u16::from(depth & 0x7F) + 1,
                is_signed: depth & 0x80 != 0,
                step: [across, down],
            })
            .collect(),
    })
}

/// Holds the size against the layout; what all components are like.
fn checked(size: &Size, layout: &Layout) -> Result<Component> {
    let n = u32::try_from(size.components.len()).unwrap_or(u32::MAX);
    let &first = size.components.first().ok_or_else(|| broken("no component"))?;
    agree(CODEC, [size.columns, size.rows, n], first.precision, layout)?;
    if size.components.iter().any(|component| *component != first || component.step != [1, 1]) {
        return Err(Error::UnsupportedPixels { what: "JPEG 2000 with components of different kinds".into() });
    }
    if first.precision > 16 {
        return Err(Error::UnsupportedPixels { what: format!("JPEG 2000 with {} bits", first.precision) });
    }
    if size.tiles > u64::from(size.columns.div_ceil(LEAST_TILE)) * u64::from(size.rows.div_ceil(LEAST_TILE)) {
        return Err(Error::UnsupportedPixels { what: format!("JPEG 2000 with {} tiles", size.tiles) });
    }
    Ok(first)
}

/// Components to samples side by side, of the layout's type.
fn stored(planes: &[Plane<'_>], component: Component, layout: &Layout) -> Result<FrameSamples> {
    if planes.len() != usize::from(layout.samples_per_pixel)
        || planes.iter().any(|plane| plane.size != [layout.columns, layout.rows] || plane.samples.len() != layout.n_pixels())
    {
        return Err(broken("the picture has another size"));
    }
    // The bits above those of the codestream are the sign's copies or zeros, whichever Pixel Representation asks for.
    let up = 32 - u32::from(component.precision);
    let as_signed = |s: i32| if component.is_signed { s } else { s.wrapping_shl(up).wrapping_shr(up) };
    let as_unsigned = |s: i32| if component.is_signed { s.cast_unsigned().wrapping_shl(up).wrapping_shr(up) } else { s.cast_unsigned() };
    Ok(match (layout.bits_allocated, layout.is_signed) {
        (8, false) => FrameSamples::U8(woven(planes, |s| as_unsigned(s) as u8)),
        (8, true) => FrameSamples::I8(woven(planes, |s| as_signed(s) as i8)),
        (16, false) => FrameSamples::U16(woven(planes, |s| as_unsigned(s) as u16)),
        (16, true) => FrameSamples::I16(woven(planes, |s| as_signed(s) as i16)),
        (32, false) => FrameSamples::U32(woven(planes, as_unsigned)),
        (32, true) => FrameSamples::I32(woven(planes, as_signed)),
        (bits, _) => return Err(Error::UnsupportedPixels { what: format!("{bits} bits allocated, as JPEG 2000") }),
    })
}

fn woven<T: Copy + Default>(planes: &[Plane<'_>], sample: impl Fn(i32) -> T) -> Vec<T> {
    match planes {
        [one] => one.samples.iter().map(|&s| sample(s)).collect(),
        many => {
            let mut out = vec![T::default(); many.iter().map(|plane| plane.samples.len()).sum()];
            for (k, plane) in many.iter().enumerate() {
                out.iter_mut().skip(k).step_by(many.len()).zip(plane.samples).for_each(|(place, &s)| *place = sample(s));
            }
            out
        }
    }
}
