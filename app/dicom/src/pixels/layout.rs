//! What the header says about samples. Source: PS3.3 §C.7.6.3.

use super::{LARGE, MAX_RATIO};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Most frames of one object.
const MAX_FRAMES: u32 = 100_000;

/// Layout of the samples of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Number of frames, at least 1.
    pub frames: u32,
    /// Samples per pixel: 1 or 3 (4 in old files).
    pub samples_per_pixel: u16,
    /// Bits Allocated: 1, 8, 16, 32 or 64.
    pub bits_allocated: u16,
    /// Bits Stored.
    pub bits_stored: u16,
    /// High Bit.
    pub high_bit: u16,
    /// Pixel Representation: true for two's complement.
    pub is_signed: bool,
    /// Planar Configuration 1: one plane behind the other.
    pub is_planar: bool,
    /// Photometric Interpretation.
    pub photometric: String,
    /// Float or Double Float Pixel Data.
    pub is_float: bool,
    /// Numbers are big endian.
    pub is_big_endian: bool,
}

impl Layout {
    /// Reads the layout.
    ///
    /// # Errors
    /// [`Error::NoPixels`], [`Error::Missing`], [`Error::BadValue`], [`Error::UnsupportedPixels`].
    pub fn of(dataset: &Dataset) -> Result<Self> {
        let root = dataset.root();
        if !dataset.has_pixels() {
            return Err(Error::NoPixels);
        }
        let is_float = !root.has(tags::PIXEL_DATA);
        let number = |tag, keyword| root.count(tag).ok_or(Error::Missing { keyword });
        let short = |tag, keyword| number(tag, keyword).and_then(|v| u16::try_from(v).map_err(|_too_big| Error::BadValue { keyword }));
        let (rows, columns) = (number(tags::ROWS, "Rows")?, number(tags::COLUMNS, "Columns")?);
        if !(1..=65_535).contains(&rows) || !(1..=65_535).contains(&columns) {
            return Err(Error::BadValue { keyword: if rows == 0 || rows > 65_535 { "Rows" } else { "Columns" } });
        }
        let frames = match root.int_or_wrong(tags::NUMBER_OF_FRAMES) {
            None => 1,
            Some(n) => {
                u32::try_from(n).ok().filter(|n| (1..=MAX_FRAMES).contains(n)).ok_or(Error::BadValue { keyword: "NumberOfFrames" })?
            }
        };
        let bits_allocated =
            if root.has(tags::DOUBLE_FLOAT_PIXEL_DATA) && is_float { 64 } else { short(tags::BITS_ALLOCATED, "BitsAllocated")? };
        if !matches!(bits_allocated, 1 | 8 | 16 | 32 | 64) || (bits_allocated == 64 && !is_float) {
            return Err(Error::UnsupportedPixels { what: format!("{bits_allocated} bits allocated") });
        }
        let bits_stored = short(tags::BITS_STORED, "BitsStored").unwrap_or(bits_allocated);
        let high_bit = short(tags::HIGH_BIT, "HighBit").unwrap_or(bits_stored.saturating_sub(1));
        if bits_stored == 0 || bits_stored > bits_allocated {
            return Err(Error::BadValue { keyword: "BitsStored" });
        }
        let samples_per_pixel = short(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel").unwrap_or(1);
        if !matches!(samples_per_pixel, 1 | 3 | 4) {
            return Err(Error::UnsupportedPixels { what: format!("{samples_per_pixel} samples per pixel") });
        }
        let layout = Self {
            rows,
            columns,
            frames,
            samples_per_pixel,
            bits_allocated,
            bits_stored,
            high_bit: if high_bit >= bits_allocated || high_bit + 1 < bits_stored { bits_stored - 1 } else { high_bit },
            is_signed: root.int(tags::PIXEL_REPRESENTATION) == Some(1),
            is_planar: root.int(tags::PLANAR_CONFIGURATION) == Some(1) && samples_per_pixel > 1,
            photometric: root.first_text(tags::PHOTOMETRIC_INTERPRETATION),
            is_float,
            is_big_endian: root.is_big_endian(),
        };
        if layout.bits_allocated == 1 && samples_per_pixel > 1 {
            return Err(Error::UnsupportedPixels { what: "several samples of one bit".into() });
        }
        Ok(layout)
    }

    /// Pixels of a frame.
    #[must_use]
    pub const fn n_pixels(&self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// Samples of a frame.
    #[must_use]
    pub const fn n_samples(&self) -> usize {
        self.n_pixels() * self.samples_per_pixel as usize
    }

    /// True for uncompressed YBR_FULL_422 and its kin: two pixels share their colour. Source: PS3.3 §C.7.6.3.1.2.
    #[must_use]
    pub fn is_subsampled(&self) -> bool {
        self.samples_per_pixel == 3 && matches!(self.photometric.as_str(), "YBR_FULL_422" | "YBR_PARTIAL_422")
    }

    /// Bytes of a frame of whole bytes, uncompressed and not subsampled.
    #[must_use]
    pub const fn full_frame_bytes(&self) -> usize {
        self.n_samples() * (self.bits_allocated as usize).div_ceil(8)
    }

    /// Bytes of an uncompressed frame as stored. A frame of single bits has no whole number.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        if self.is_subsampled() { self.full_frame_bytes() / 3 * 2 } else { self.full_frame_bytes() }
    }

    /// Bits all uncompressed frames take.
    #[must_use]
    pub fn stored_bits(&self) -> u64 {
        let per_frame = if self.bits_allocated == 1 { self.n_pixels() as u64 } else { self.frame_bytes() as u64 * 8 };
        per_frame.saturating_mul(u64::from(self.frames))
    }

    /// Holds the length of uncompressed pixel data against what the frames take.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub(super) fn check_native(&self, bytes: u64) -> Result<()> {
        if bytes.saturating_mul(8) < self.stored_bits() { Err(Error::Truncated { what: "pixel data" }) } else { Ok(()) }
    }

    /// Believes a large size only if there is something behind it, so that no memory is taken on a header's word.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub(super) fn check_proven(&self, bytes: u64, what: &'static str) -> Result<()> {
        let declared = self.decoded_bytes();
        if declared > LARGE && declared / MAX_RATIO > bytes { Err(Error::Truncated { what }) } else { Ok(()) }
    }

    /// Rows that are there of an uncompressed frame of pixel data of a length. Single bits run over rows and frames: of them
    /// a frame is there as a whole or not at all. Where plane lies behind plane, a row needs all of them.
    pub(crate) fn rows_there(&self, frame: u32, pixel_bytes: u64) -> u32 {
        if self.bits_allocated == 1 {
            let bits = (u64::from(frame) + 1).saturating_mul(self.n_pixels() as u64);
            return if pixel_bytes.saturating_mul(8) >= bits { self.rows } else { 0 };
        }
        let size = self.frame_bytes() as u64;
        let planes = if self.is_planar { u64::from(self.samples_per_pixel) } else { 1 };
        let before = u64::from(frame).saturating_mul(size).saturating_add(size / planes * (planes - 1));
        let row = size / planes / u64::from(self.rows);
        let rows = pixel_bytes.saturating_sub(before).checked_div(row).unwrap_or(0);
        rows.min(u64::from(self.rows)) as u32
    }

    /// How far the stored bits of a cell lie below its top, and how many other bits a cell has: shifted up and back down by
    /// these, a sample loses what lies above and below and has its sign.
    pub(super) const fn shifts(&self) -> (u32, u32) {
        ((self.bits_allocated - 1 - self.high_bit) as u32, (self.bits_allocated - self.bits_stored) as u32)
    }

    /// Bytes all decoded frames take.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        (self.full_frame_bytes() as u64).saturating_mul(u64::from(self.frames))
    }

    /// Bytes of a sample.
    #[must_use]
    pub const fn sample_bytes(&self) -> usize {
        (self.bits_allocated as usize).div_ceil(8)
    }

    pub(super) const fn pixel_tag(&self) -> Tag {
        match (self.is_float, self.bits_allocated) {
            (false, _) => tags::PIXEL_DATA,
            (true, 64) => tags::DOUBLE_FLOAT_PIXEL_DATA,
            (true, _) => tags::FLOAT_PIXEL_DATA,
        }
    }
}
