//! Stored samples of images, exactly as the file stored them: before any lookup table, window or colour
//! conversion.
//!
//! Read: uncompressed, RLE, JPEG (baseline, extended with 8 and 12 bits, progressive, lossless), JPEG-LS, JPEG 2000,
//! HTJ2K, deflated frames. Video is refused as video, everything else by the name of its transfer syntax.
//! A codec's error is an error, never an empty picture.
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
    /// As [`decode`].
    pub fn new(dataset: &'a Dataset) -> Result<Self> {
        let root = dataset.root();
        let layout = bounded_layout(dataset)?;
        let tag = layout.pixel_tag();
        if let Some(parts) = root.fragments(tag) {
            let codec = Codec::of(dataset.transfer_syntax())?;
            let coded: u64 = parts.iter().map(|part| part.len() as u64).sum();
            if layout.decoded_bytes() > LARGE && layout.decoded_bytes() / MAX_RATIO > coded {
                return Err(Error::Truncated { what: "compressed frames" });
            }
            let frames = fragments::frames(&parts, &root, layout.frames, codec)?;
            return Ok(Self { layout, data: Data::Encapsulated { codec, frames } });
        }
        let raw = root.raw(tag).ok_or(Error::NoPixels)?;
        layout.check_native(raw.len() as u64)?;
        Ok(Self { layout, data: Data::Native(raw) })
    }

    /// What the header says about the frames.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Decodes one frame, counted from 0.
    ///
    /// # Errors
    /// As [`decode`]; [`Error::BadValue`] for a frame that is not there.
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
                let size = layout.frame_bytes();
                let start = (frame as usize).checked_mul(size);
                let slice = start.and_then(|start| raw.get(start..start.checked_add(size)?));
                samples::from_native(slice.ok_or(Error::Truncated { what: "pixel data" })?, layout)
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

/// The layout of an object whose uncompressed pixel data of a length was left unread, with the refusals of
/// [`Decoder::new`].
///
/// # Errors
/// As [`decode`].
pub(crate) fn layout_unread(dataset: &Dataset, pixel_bytes: u64) -> Result<Layout> {
    let layout = bounded_layout(dataset)?;
    layout.check_native(pixel_bytes)?;
    Ok(layout)
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
