//! Stored samples of images, exactly as the file stored them: before any lookup table, window or colour
//! conversion.
//!
//! Read: uncompressed, RLE, JPEG lossless (processes 14 and its selection value 1), JPEG-LS, JPEG baseline,
//! JPEG extended with 8 bits, deflated frames. Everything else is refused by the name of its transfer syntax.
//! A codec's error is an error, never an empty picture.

mod codec;
pub(crate) mod colour;
#[cfg(test)]
mod colour_tests;
mod fragments;
mod layout;
pub(crate) mod lut;
mod palette;
mod rle;
mod samples;
#[cfg(test)]
mod tests;

pub use layout::Layout;
pub use samples::FrameSamples;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::syntax;
use dicom_dictionary_std::tags;
use mj_model::Padding;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Most memory the frames of one object may take once decoded. Units: bytes.
pub const MAX_DECODED: u64 = 8 << 30;

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
/// [`Error::NoPixels`], [`Error::UnsupportedSyntax`], [`Error::UnsupportedPixels`], [`Error::Codec`],
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
    Encapsulated { syntax: &'a str, frames: Vec<Vec<&'a [u8]>> },
}

impl<'a> Decoder<'a> {
    /// Reads the layout and finds the frames; decodes nothing yet.
    ///
    /// # Errors
    /// As [`decode`].
    pub fn new(dataset: &'a Dataset) -> Result<Self> {
        let root = dataset.root();
        let layout = Layout::of(dataset)?;
        if layout.decoded_bytes() > MAX_DECODED {
            return Err(Error::TooLarge { mib: layout.decoded_bytes() >> 20 });
        }
        let tag = layout.pixel_tag();
        if let Some(parts) = root.fragments(tag) {
            let syntax = dataset.transfer_syntax();
            if !codec::is_supported(syntax) {
                return Err(Error::UnsupportedSyntax { uid: syntax.to_owned() });
            }
            let frames = fragments::frames(&parts, &root, layout.frames, syntax)?;
            return Ok(Self { layout, data: Data::Encapsulated { syntax, frames } });
        }
        let raw = root.raw(tag).ok_or(Error::NoPixels)?;
        if syntax::is_encapsulated(dataset.transfer_syntax()) && !codec::is_supported(dataset.transfer_syntax()) {
            return Err(Error::UnsupportedSyntax { uid: dataset.transfer_syntax().to_owned() });
        }
        if (raw.len() as u64) * 8 < layout.stored_bits() {
            return Err(Error::Truncated { what: "pixel data" });
        }
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
        let keeps_cells = matches!(self.data, Data::Native(_) | Data::Encapsulated { syntax: syntax::RLE, .. });
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
            Data::Encapsulated { syntax, frames } => {
                let parts = frames.get(frame as usize).ok_or(Error::Truncated { what: "compressed frames" })?;
                let stream: Cow<'_, [u8]> = match parts.as_slice() {
                    [one] => Cow::Borrowed(one),
                    many => Cow::Owned(many.concat()),
                };
                codec::decode(syntax, &stream, layout)
            }
        }
    }
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
