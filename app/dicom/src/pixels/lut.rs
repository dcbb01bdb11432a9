//! Lookup tables as files hold them. Source: PS3.3 §C.11.1.1 (Modality LUT), §C.11.2.1.1 (VOI LUT), §C.7.6.3.1.5
//! (descriptor of palettes).

use super::in_sign_of_image;
use crate::dataset::View;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::{LookupTable, Window};

/// Number of entries, first value mapped, bits of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) n: usize,
    pub(crate) first: i32,
    pub(crate) bits: u16,
}

impl Descriptor {
    /// `None` for one that is absent, short, or says something impossible. The first value has the sign of the values
    /// that go in, whatever representation the file gave it.
    pub(crate) fn read(view: &View<'_>, tag: Tag, is_signed: bool) -> Option<Self> {
        let values = view.floats(tag);
        let [n, first, bits] = *values.first_chunk::<3>()?;
        let word = |v: f64| (v.fract() == 0.0 && (-32_768.0..65_536.0).contains(&v)).then(|| v.rem_euclid(65_536.0));
        // 65536 entries do not fit into 16 bits and are written as 0.
        let n = match word(n)? as usize {
            0 => 65_536,
            n => n,
        };
        let first = in_sign_of_image(word(first)?, is_signed) as i32;
        let bits = bits as u16;
        (1..=16).contains(&bits).then_some(Self { n, first, bits })
    }
}

/// The words of a table's data, of which there may be fewer than the descriptor says. Tables of 8 bits are packed, or
/// one entry a word.
pub(crate) fn entries(view: &View<'_>, tag: Tag, descriptor: Descriptor) -> Vec<u16> {
    let raw = view.raw(tag).unwrap_or_default();
    if descriptor.bits <= 8 && raw.len() < 2 * descriptor.n {
        return bytes(view, tag).into_iter().map(u16::from).take(descriptor.n).collect();
    }
    words(view, tag).into_iter().take(descriptor.n).collect()
}

/// The value as words.
pub(crate) fn words(view: &View<'_>, tag: Tag) -> Vec<u16> {
    let is_big = view.is_big_endian();
    let pairs = view.raw(tag).unwrap_or_default().chunks_exact(2).filter_map(|c| c.try_into().ok());
    pairs.map(|b| if is_big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) }).collect()
}

/// The value as bytes; where they are packed into words (OW), the first is in the lower half.
pub(crate) fn bytes(view: &View<'_>, tag: Tag) -> Vec<u8> {
    let raw = view.raw(tag).unwrap_or_default();
    let is_packed = view.elements().any(|e| e.tag == tag && e.vr != VR::OB);
    if view.is_big_endian() && is_packed { raw.chunks(2).flat_map(|pair| pair.iter().rev().copied()).collect() } else { raw.to_vec() }
}

/// The tables of a VOI LUT Sequence as windows, and how many were left out because they are damaged. `is_signed` tells
/// whether the values that go in can be negative.
pub(crate) fn voi_tables(view: &View<'_>, is_signed: bool) -> (Vec<Window>, usize) {
    let items: Vec<Option<Window>> = view
        .items(tags::VOILUT_SEQUENCE)
        .map(|item| {
            let descriptor = Descriptor::read(&item, tags::LUT_DESCRIPTOR, is_signed)?;
            let entries = entries(&item, tags::LUT_DATA, descriptor);
            let white = ((1_u32 << descriptor.bits) - 1) as u16;
            Window::of_table(LookupTable { first: descriptor.first, entries, white }, &item.text(tags::LUT_EXPLANATION))
        })
        .collect();
    let n = items.len();
    let tables: Vec<Window> = items.into_iter().flatten().collect();
    let n_damaged = n - tables.len();
    (tables, n_damaged)
}
