//! Palettes: stored values to colours by three tables. Source: PS3.3 §C.7.6.3.1.5, §C.7.6.3.1.6, §C.7.9.

use super::lut::{self, Descriptor};
use crate::dataset::View;
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Most entries of a table.
const MOST: usize = 65_536;

/// Descriptor, data and segmented data of red, green and blue.
const CHANNELS: [[Tag; 3]; 3] = [
    [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
];

/// Colours by stored value, 8 bits a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Palette {
    first: i32,
    tables: [Vec<u8>; 3],
}

impl Palette {
    /// Reads the palette of an object.
    ///
    /// # Errors
    /// [`Error::BadValue`] when a table is absent, empty or cannot be followed.
    pub(crate) fn of(root: &View<'_>, is_signed: bool) -> Result<Self> {
        let mut first = 0;
        let mut bits = [16; 3];
        let mut words: [Vec<u16>; 3] = Default::default();
        for (n, [descriptor, data, segmented]) in CHANNELS.into_iter().enumerate() {
            let wrong = || Error::BadValue { keyword: "PaletteColorLookupTableDescriptor" };
            let descriptor = Descriptor::read(root, descriptor, is_signed).ok_or_else(wrong)?;
            let table = if root.has(data) {
                lut::entries(root, data, descriptor)
            } else {
                expanded(root, segmented, descriptor).ok_or(Error::BadValue { keyword: "SegmentedPaletteColorLookupTableData" })?
            };
            if table.is_empty() {
                return Err(Error::BadValue { keyword: "PaletteColorLookupTableData" });
            }
            if n == 0 {
                first = descriptor.first;
            }
            if let (Some(b), Some(w)) = (bits.get_mut(n), words.get_mut(n)) {
                (*b, *w) = (descriptor.bits, table);
            }
        }
        // Some writers say 16 bits and mean 8.
        let is_wide = bits.iter().any(|&b| b > 8) && words.iter().flatten().any(|&w| w > 255);
        let tables = words.map(|table| table.into_iter().map(|w| if is_wide { (w >> 8) as u8 } else { w as u8 }).collect());
        Ok(Self { first, tables })
    }

    /// True when a stored value is below the first one mapped: a supplemental palette leaves it grey.
    pub(crate) fn is_below(&self, stored: f64) -> bool {
        stored < f64::from(self.first)
    }

    /// The colour of a stored value; beyond the ends that of the first or last entry.
    pub(crate) fn pick(&self, stored: f64) -> [u8; 3] {
        let at = (stored - f64::from(self.first)).max(0.0) as usize;
        [0, 1, 2].map(|n| {
            let table: &[u8] = self.tables.get(n).map_or(&[], Vec::as_slice);
            table.get(at.min(table.len().saturating_sub(1))).copied().unwrap_or(0)
        })
    }
}

/// A segmented table as a plain one. Source: PS3.3 §C.7.9.2.
fn expanded(root: &View<'_>, tag: Tag, descriptor: Descriptor) -> Option<Vec<u16>> {
    let is_packed = descriptor.bits <= 8;
    let codes: Vec<u16> = if is_packed { lut::bytes(root, tag).into_iter().map(u16::from).collect() } else { lut::words(root, tag) };
    let mut out = Vec::new();
    // Padding to an even length is no segment, so what follows a whole table is not looked at.
    let mut at = 0;
    while out.len() < descriptor.n && at < codes.len() {
        at = segment(&codes, at, is_packed, &mut out, true)?;
    }
    out.truncate(descriptor.n);
    Some(out)
}

/// Appends the segment at a place and gives the place of the next one.
fn segment(codes: &[u16], at: usize, is_packed: bool, out: &mut Vec<u16>, may_refer: bool) -> Option<usize> {
    let n = usize::from(*codes.get(at + 1)?);
    let data = at + 2;
    match *codes.get(at)? {
        // Discrete: its entries.
        0 => {
            out.extend_from_slice(codes.get(data..data + n)?);
            Some(data + n)
        }
        // Linear: from the entry before, which is not written again, to the one given.
        1 => {
            let (from, to) = (f64::from(*out.last()?), f64::from(*codes.get(data)?));
            out.extend((1..=n).map(|k| (from + (to - from) * k as f64 / n as f64).round() as u16));
            Some(data + 1)
        }
        // Indirect: segments written before, by their offset in bytes. They must not be indirect themselves.
        2 if may_refer => {
            let parts = if is_packed { 4 } else { 2 };
            let bits = if is_packed { 8 } else { 16 };
            let offset = codes.get(data..data + parts)?.iter().rev().fold(0_usize, |sum, &part| sum << bits | usize::from(part));
            let mut from = if is_packed { offset } else { offset / 2 };
            for _ in 0..n {
                if out.len() > MOST {
                    return None;
                }
                from = segment(codes, from, is_packed, out, false)?;
            }
            Some(data + parts)
        }
        _ => None,
    }
}
