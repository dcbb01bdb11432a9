//! From bytes to stored values: order of bytes, sign, unused bits, planes.

use super::layout::Layout;
use crate::error::{Error, Result};

/// Stored samples of one frame, interleaved by pixel.
#[derive(Debug, Clone, PartialEq)]
pub enum FrameSamples {
    /// Unsigned, up to 8 bits (and single bits).
    U8(Vec<u8>),
    /// Signed, up to 8 bits.
    I8(Vec<i8>),
    /// Unsigned, up to 16 bits.
    U16(Vec<u16>),
    /// Signed, up to 16 bits.
    I16(Vec<i16>),
    /// Unsigned, up to 32 bits.
    U32(Vec<u32>),
    /// Signed, up to 32 bits.
    I32(Vec<i32>),
    /// Float Pixel Data.
    F32(Vec<f32>),
    /// Double Float Pixel Data.
    F64(Vec<f64>),
}

/// Runs one expression for the vector of whichever type; doubles have their own, as they need no conversion.
macro_rules! each {
    ($frame:expr, $v:ident => $body:expr, double => $double:expr) => {
        match $frame {
            FrameSamples::U8($v) => $body,
            FrameSamples::I8($v) => $body,
            FrameSamples::U16($v) => $body,
            FrameSamples::I16($v) => $body,
            FrameSamples::U32($v) => $body,
            FrameSamples::I32($v) => $body,
            FrameSamples::F32($v) => $body,
            FrameSamples::F64($v) => $double,
        }
    };
}

impl FrameSamples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, v => v.len(), double => v.len())
    }

    /// True without samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A stored value.
    #[must_use]
    pub fn value(&self, at: usize) -> Option<f64> {
        each!(self, v => v.get(at).map(|&s| f64::from(s)), double => v.get(at).copied())
    }

    /// Calls with every stored value, in order.
    pub fn for_each(&self, mut each_value: impl FnMut(f64)) {
        each!(self, v => v.iter().for_each(|&s| each_value(f64::from(s))), double => v.iter().copied().for_each(each_value));
    }

    /// Feeds the samples as little endian `i32` (`u32`, `f32`, `f64` for those types), in pieces.
    pub(crate) fn feed(&self, out: &mut dyn FnMut(&[u8])) {
        fn pieces<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N], out: &mut dyn FnMut(&[u8])) {
            let mut buffer = Vec::with_capacity(4096 * N);
            for chunk in values.chunks(4096) {
                buffer.clear();
                for &value in chunk {
                    buffer.extend_from_slice(&bytes(value));
                }
                out(&buffer);
            }
        }
        match self {
            Self::U8(v) => pieces(v, |s| i32::from(s).to_le_bytes(), out),
            Self::I8(v) => pieces(v, |s| i32::from(s).to_le_bytes(), out),
            Self::U16(v) => pieces(v, |s| i32::from(s).to_le_bytes(), out),
            Self::I16(v) => pieces(v, |s| i32::from(s).to_le_bytes(), out),
            Self::U32(v) => pieces(v, u32::to_le_bytes, out),
            Self::I32(v) => pieces(v, i32::to_le_bytes, out),
            Self::F32(v) => pieces(v, f32::to_le_bytes, out),
            Self::F64(v) => pieces(v, f64::to_le_bytes, out),
        }
    }
}

/// An uncompressed frame as stored in the file.
pub(crate) fn from_native(raw: &[u8], layout: &Layout) -> Result<FrameSamples> {
    if layout.is_subsampled() {
        return typed(&spread_422(raw, layout), layout, layout.is_big_endian);
    }
    if layout.is_planar {
        return typed(&interleave(raw, layout), layout, layout.is_big_endian);
    }
    typed(raw, layout, layout.is_big_endian)
}

/// Bytes of whole, interleaved samples to typed values, with the bits above the stored ones taken out
/// (old files keep overlays there) and the sign extended.
pub(super) fn typed(raw: &[u8], layout: &Layout, is_big: bool) -> Result<FrameSamples> {
    if raw.len() < layout.full_frame_bytes() {
        return Err(Error::Truncated { what: "frame of pixel data" });
    }
    let raw = raw.get(..layout.full_frame_bytes()).unwrap_or(raw);
    if layout.is_float {
        return Ok(if layout.bits_allocated == 64 {
            FrameSamples::F64(read(raw, is_big, f64::from_le_bytes, f64::from_be_bytes))
        } else {
            FrameSamples::F32(read(raw, is_big, f32::from_le_bytes, f32::from_be_bytes))
        });
    }
    // Shift the stored bits to the top and back: this drops what lies above and below and extends the sign.
    let (up, down) = layout.shifts();
    Ok(match (layout.bits_allocated, layout.is_signed) {
        (8, false) => FrameSamples::U8(raw.iter().map(|&b| (b << up) >> down).collect()),
        (8, true) => FrameSamples::I8(raw.iter().map(|&b| (b << up).cast_signed() >> down).collect()),
        (16, false) => {
            FrameSamples::U16(mapped(read(raw, is_big, u16::from_le_bytes, u16::from_be_bytes), up | down, |s| (s << up) >> down))
        }
        (16, true) => {
            FrameSamples::I16(mapped(read(raw, is_big, i16::from_le_bytes, i16::from_be_bytes), up | down, |s| (s << up) >> down))
        }
        (32, false) => {
            FrameSamples::U32(mapped(read(raw, is_big, u32::from_le_bytes, u32::from_be_bytes), up | down, |s| (s << up) >> down))
        }
        (32, true) => {
            FrameSamples::I32(mapped(read(raw, is_big, i32::from_le_bytes, i32::from_be_bytes), up | down, |s| (s << up) >> down))
        }
        (bits, _) => return Err(Error::UnsupportedPixels { what: format!("{bits} bits allocated") }),
    })
}

/// A sample type that uncompressed cells can be read into where they are to stay.
pub(crate) trait Cell: bytemuck::Pod {
    /// True when a frame's cells, one by pixel, are of this type.
    fn holds(layout: &Layout) -> bool;
    /// Turns one cell as it lies in the file into its stored value.
    fn settled(self, is_swapped: bool, up: u32, down: u32) -> Self;
}

macro_rules! cells {
    ($($cell:ty, $bits:literal, $is_signed:literal;)*) => { $(
        impl Cell for $cell {
            fn holds(layout: &Layout) -> bool {
                (layout.bits_allocated, layout.is_signed, layout.is_float, layout.samples_per_pixel) == ($bits, $is_signed, false, 1)
            }
            fn settled(self, is_swapped: bool, up: u32, down: u32) -> Self {
                ((if is_swapped { self.swap_bytes() } else { self }) << up) >> down
            }
        }
    )* };
}

cells! {
    u8, 8, false;
    u16, 16, false;
    i16, 16, true;
}

impl Cell for f32 {
    fn holds(layout: &Layout) -> bool {
        layout.is_float && layout.bits_allocated == 32 && layout.samples_per_pixel == 1
    }
    fn settled(self, is_swapped: bool, _: u32, _: u32) -> Self {
        if is_swapped { Self::from_bits(self.to_bits().swap_bytes()) } else { self }
    }
}

/// Turns cells as they lie in the file into stored values, in place.
pub(crate) fn settle<T: Cell>(cells: &mut [T], layout: &Layout) {
    let is_swapped = layout.is_big_endian != cfg!(target_endian = "big");
    let (up, down) = layout.shifts();
    if is_swapped || (up | down) != 0 {
        cells.iter_mut().for_each(|cell| *cell = cell.settled(is_swapped, up, down));
    }
}

fn mapped<T: Copy>(mut values: Vec<T>, is_needed: u32, f: impl Fn(T) -> T) -> Vec<T> {
    if is_needed != 0 {
        values.iter_mut().for_each(|v| *v = f(*v));
    }
    values
}

fn read<T, const N: usize>(raw: &[u8], is_big: bool, le: impl Fn([u8; N]) -> T, be: impl Fn([u8; N]) -> T) -> Vec<T> {
    let arrays = raw.chunks_exact(N).filter_map(|c| <[u8; N]>::try_from(c).ok());
    if is_big { arrays.map(be).collect() } else { arrays.map(le).collect() }
}

/// The bits of every byte, the lowest first.
const BITS: [[u8; 8]; 256] = {
    let mut all = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            all[byte][bit] = (byte >> bit & 1) as u8;
            bit += 1;
        }
        byte += 1;
    }
    all
};

/// Single bits, packed from the lowest bit of each byte, frames not aligned to bytes. Source: PS3.5 §8.1.1.
pub(super) fn unpack_bits(raw: &[u8], layout: &Layout, frame: u32) -> Result<FrameSamples> {
    let n = layout.n_pixels();
    let first = (frame as usize).checked_mul(n).ok_or(Error::BadValue { keyword: "NumberOfFrames" })?;
    let short = Error::Truncated { what: "pixel data" };
    let bytes = raw.get(first / 8..(first + n).div_ceil(8)).ok_or(short)?;
    let mut out = Vec::with_capacity(bytes.len() * 8);
    for byte in bytes {
        // A whole byte at a time: most are all 0 or all 1.
        out.extend_from_slice(&BITS[usize::from(*byte)]);
    }
    out.drain(..first % 8);
    out.truncate(n);
    Ok(FrameSamples::U8(out))
}

/// Plane behind plane to samples side by side.
pub(super) fn interleave(raw: &[u8], layout: &Layout) -> Vec<u8> {
    let (size, planes) = (layout.sample_bytes(), usize::from(layout.samples_per_pixel));
    let plane = layout.n_pixels() * size;
    let mut out = Vec::with_capacity(raw.len());
    for pixel in 0..layout.n_pixels() {
        for k in 0..planes {
            let at = k * plane + pixel * size;
            out.extend_from_slice(raw.get(at..at + size).unwrap_or_default());
        }
    }
    out
}

/// `Y1 Y2 Cb Cr` of two neighbours to `Y Cb Cr` of each. Source: PS3.3 §C.7.6.3.1.2.
fn spread_422(raw: &[u8], layout: &Layout) -> Vec<u8> {
    let size = layout.sample_bytes();
    let mut out = Vec::with_capacity(layout.full_frame_bytes());
    for group in raw.chunks_exact(size * 4) {
        let (luma, colour) = group.split_at(size * 2);
        for y in luma.chunks_exact(size) {
            out.extend_from_slice(y);
            out.extend_from_slice(colour);
        }
    }
    out
}
