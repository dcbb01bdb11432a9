//! Stored samples of images, exactly as the file stored them: before any lookup table, window or colour
//! conversion.
//!
//! Read: uncompressed, RLE, JPEG (baseline, extended with 8 and 12 bits, progressive, lossless), JPEG-LS, JPEG 2000,
//! HTJ2K, deflated frames. Video is refused as video, everything else by the name of its transfer syntax.
//! A codec's error is an error, never an empty picture. Of an object that is cut short the rows and frames that are whole can
//! be had ([`Decoder::of_part`]); a frame of which a codec has only a part is not decoded.
//!
//! Colour stays as the codec gives it: JPEG and JPEG-LS give the components that are coded (YBR stays YBR), JPEG 2000
//! undoes the transform of its codestream (`YBR_RCT` and `YBR_ICT` give RGB).

mod codec;
pub(crate) mod colour;
#[cfg(test)]
mod colour_tests;
mod fit;
#[cfg(test)]
mod fixture_tests;
mod fragments;
mod jpeg;
mod jpeg2000;
mod jpeg2000_coding;
mod jpeg_header;
mod jpeg_ls;
mod layout;
pub(crate) mod lut;
mod palette;
mod rle;
mod samples;
#[cfg(test)]
mod tests;

pub use layout::Layout;
pub use samples::FrameSamples;
pub(crate) use samples::{Cell, from_native, settle};

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::syntax;
use codec::Codec;
use dicom_dictionary_std::tags;
use mj_model::Padding;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Most memory the frames of one object may take once decoded. Units: bytes.
pub const MAX_DECODED: u64 = 8 << 30;
/// From here on a header is believed only if there is something behind it. Units: bytes.
pub(crate) const LARGE: u64 = 1 << 30;
/// Most that frames of that size can have been compressed.
pub(crate) const MAX_RATIO: u64 = 1000;

/// All frames of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// What the header says about them.
    pub layout: Layout,
    /// Samples of each frame, interleaved by pixel.
    pub frames: Vec<FrameSamples>,
}

/// Decodes all frames.
///
/// # Errors
/// [`Error::NoPixels`], [`Error::UnsupportedSyntax`], [`Error::Video`], [`Error::UnsupportedPixels`], [`Error::Codec`],
/// [`Error::Truncated`], [`Error::TooLarge`].
pub fn decode(dataset: &Dataset) -> Result<Frames> {
    let decoder = Decoder::new(dataset)?;
    let frames = (0..decoder.layout.frames).map(|k| decoder.frame(k)).collect::<Result<_>>()?;
    Ok(Frames { layout: decoder.layout, frames })
}

/// Decodes frames of one object, one at a time.
#[derive(Debug)]
pub struct Decoder<'a> {
    layout: Layout,
    data: Data<'a>,
}

#[derive(Debug)]
enum Data<'a> {
    /// Frames one behind the other.
    Native(&'a [u8]),
    /// Compressed frames, each in one or more fragments.
    Encapsulated { codec: Codec, frames: Vec<Vec<&'a [u8]>> },
}

impl<'a> Decoder<'a> {
    /// Reads the layout and finds the frames; decodes nothing yet.
    ///
    /// # Errors
    /// As [`decode`]: an object that is cut short is refused.
    pub fn new(dataset: &'a Dataset) -> Result<Self> {
        if dataset.is_cut_short() {
            return Err(Error::Truncated { what: "pixel data" });
        }
        Self::of_part(dataset)
    }

    /// As [`Decoder::new`]; of an object that is cut short, the rows and frames that are there.
    ///
    /// # Errors
    /// As [`decode`]; [`Error::Truncated`] when no row or frame is whole.
    pub fn of_part(dataset: &'a Dataset) -> Result<Self> {
        let root = dataset.root();
        let layout = bounded_layout(dataset)?;
        let tag = layout.pixel_tag();
        if let Some(mut parts) = root.fragments(tag) {
            let codec = Codec::of(dataset.transfer_syntax())?;
            layout.check_proven(parts.iter().map(|part| part.len() as u64).sum(), "compressed frames")?;
            if !dataset.is_cut_short() {
                let frames = fragments::frames(&parts, &root, layout.frames, codec)?;
                return Ok(Self { layout, data: Data::Encapsulated { codec, frames } });
            }
            if dataset.ends_between_fragments() {
                parts.push(&[]);
            }
            let frames = fragments::whole_frames(&parts, &root, layout.frames, codec);
            if frames.is_empty() {
                return Err(Error::Truncated { what: "compressed frames" });
            }
            return Ok(Self { layout, data: Data::Encapsulated { codec, frames } });
        }
        let raw = root.raw(tag).ok_or(Error::NoPixels)?;
        check_native(dataset, &layout, raw.len() as u64)?;
        Ok(Self { layout, data: Data::Native(raw) })
    }

    /// Rows of a frame that are there: all of them, or fewer where the object is cut short.
    #[must_use]
    pub fn rows_there(&self, frame: u32) -> u32 {
        match &self.data {
            _ if frame >= self.layout.frames => 0,
            Data::Native(raw) => self.layout.rows_there(frame, raw.len() as u64),
            Data::Encapsulated { frames, .. } if (frame as usize) < frames.len() => self.layout.rows,
            Data::Encapsulated { .. } => 0,
        }
    }

    /// What the header says about the frames.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Decodes one frame, counted from 0: those of its rows that are there.
    ///
    /// # Errors
    /// As [`decode`]; [`Error::BadValue`] for a frame that the header does not name, [`Error::Truncated`] for one of which no
    /// row is there.
    pub fn frame(&self, frame: u32) -> Result<FrameSamples> {
        self.frame_as(frame, &self.layout)
    }

    /// One bit of each pixel cell of a frame, 0 or 1: old files keep overlays in the bits that hold no sample. `None` where
    /// a codec has thrown them away.
    ///
    /// # Errors
    /// As [`Decoder::frame`].
    pub(crate) fn bit(&self, frame: u32, bit: u16) -> Result<Option<FrameSamples>> {
        let keeps_cells = matches!(self.data, Data::Native(_) | Data::Encapsulated { codec: Codec::Rle, .. });
        if !keeps_cells || self.layout.samples_per_pixel != 1 || self.layout.is_float || bit >= self.layout.bits_allocated {
            return Ok(None);
        }
        let layout = Layout { bits_stored: 1, high_bit: bit, is_signed: false, ..self.layout.clone() };
        self.frame_as(frame, &layout).map(Some)
    }

    fn frame_as(&self, frame: u32, layout: &Layout) -> Result<FrameSamples> {
        if frame >= self.layout.frames {
            return Err(Error::BadValue { keyword: "NumberOfFrames" });
        }
        match &self.data {
            Data::Native(raw) if layout.bits_allocated == 1 => samples::unpack_bits(raw, layout, frame),
            Data::Native(raw) => {
                let start = (frame as usize).checked_mul(layout.frame_bytes());
                let from = start.and_then(|start| raw.get(start..)).unwrap_or_default();
                let rows = self.rows_there(frame);
                if rows == 0 {
                    return Err(Error::Truncated { what: "pixel data" });
                }
                let there = Layout { rows, ..layout.clone() };
                samples::from_native(&first_rows(from, layout, &there), &there)
            }
            Data::Encapsulated { codec, frames } => {
                let parts = frames.get(frame as usize).ok_or(Error::Truncated { what: "compressed frames" })?;
                let stream: Cow<'_, [u8]> = match parts.as_slice() {
                    [one] => Cow::Borrowed(one),
                    many => Cow::Owned(many.concat()),
                };
                codec.decode(&stream, layout)
            }
        }
    }
}

/// The bytes of a frame's first rows, out of those of the whole frame: one piece, or one of each plane.
fn first_rows<'a>(from: &'a [u8], whole: &Layout, there: &Layout) -> Cow<'a, [u8]> {
    let planes = if whole.is_planar { usize::from(whole.samples_per_pixel) } else { 1 };
    let (step, size) = (whole.frame_bytes() / planes, there.frame_bytes() / planes);
    let piece = |plane: usize| from.get(plane * step..plane * step + size).unwrap_or_default();
    if planes == 1 || there.rows == whole.rows {
        return Cow::Borrowed(from.get(..there.frame_bytes()).unwrap_or(from));
    }
    Cow::Owned((0..planes).map(piece).collect::<Vec<_>>().concat())
}

/// The layout of an object whose uncompressed pixel data of a length was left unread, with the refusals of
/// [`Decoder::of_part`].
///
/// # Errors
/// As [`decode`].
pub(crate) fn layout_unread(dataset: &Dataset, pixel_bytes: u64) -> Result<Layout> {
    let layout = bounded_layout(dataset)?;
    check_native(dataset, &layout, pixel_bytes)?;
    Ok(layout)
}

/// Holds the length of uncompressed pixel data against what the frames take: all of them, or the first row of an object that
/// is cut short.
fn check_native(dataset: &Dataset, layout: &Layout, bytes: u64) -> Result<()> {
    if !dataset.is_cut_short() {
        return layout.check_native(bytes);
    }
    layout.check_proven(bytes, "pixel data")?;
    if layout.rows_there(0, bytes) == 0 { Err(Error::Truncated { what: "pixel data" }) } else { Ok(()) }
}

fn bounded_layout(dataset: &Dataset) -> Result<Layout> {
    let layout = Layout::of(dataset)?;
    if syntax::is_encapsulated(dataset.transfer_syntax()) {
        Codec::of(dataset.transfer_syntax())?;
    }
    if layout.decoded_bytes() > MAX_DECODED {
        return Err(Error::TooLarge { mib: layout.decoded_bytes() >> 20 });
    }
    Ok(layout)
}

/// Hash over the stored samples of all frames, interleaved, as little endian `i32` (`u32` where 32 bits are
/// unsigned, `f32` or `f64` for float pixel data).
#[must_use]
pub fn samples_sha256(frames: &Frames) -> [u8; 32] {
    let mut hash = Sha256::new();
    for frame in &frames.frames {
        frame.feed(&mut |bytes| hash.update(bytes));
    }
    hash.finalize().into()
}

/// Padding of the image in stored values, with its range limit. Source: PS3.3 §C.7.5.1.1.2.
#[must_use]
pub fn padding(dataset: &Dataset, layout: &Layout) -> Option<Padding> {
    let root = dataset.root();
    let stored = |tag| root.int(tag).map(|value| in_sign_of_image(value as f64, layout.is_signed));
    let value = stored(tags::PIXEL_PADDING_VALUE)?;
    Some(Padding::between(value, stored(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value)))
}

/// A 16-bit value of an attribute that may be US or SS, as a stored value: where the file left the choice open it was read
/// as US, and the sign is the image's.
pub(crate) fn in_sign_of_image(value: f64, is_signed: bool) -> f64 {
    if is_signed && (32_768.0..65_536.0).contains(&value) { value - 65_536.0 } else { value }
}
