//! From bytes to elements. Source: PS3.5 §7, PS3.10 §7.
//!
//! Every length is held against the bytes that are there before it is used; nesting is bounded; nothing is
//! copied.

use super::{Element, Item, Value};
use crate::error::{Error, Result};
use crate::syntax;
use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use std::ops::Range;

/// Deepest nesting of sequences that is followed.
const MAX_DEPTH: usize = 48;
const UNDEFINED: u32 = u32::MAX;
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// Where the data set begins and how it is encoded.
pub(super) struct Found {
    pub start: usize,
    pub is_explicit: bool,
    pub is_big: bool,
    /// That of the bytes, where the meta group names another native one; empty when no meta group names any.
    pub syntax: String,
    pub had_meta: bool,
}

/// How an object ends in its own pixel data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Uncompressed pixel data has fewer bytes than it says.
    Bytes { there: u64, declared: u32 },
    /// A fragment of that number, the offset table being 0, is not all there.
    Fragment(usize),
    /// The delimiter behind so many fragments is missing; all of them are whole.
    Unclosed(usize),
}

/// Finds the data set behind preamble and meta group.
pub(super) fn locate(bytes: &[u8]) -> Result<Found> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    let (mut at, is_marked) = if bytes.get(128..132) == Some(b"DICM") {
        (132, true)
    } else if bytes.starts_with(b"DICM") {
        (4, true)
    } else {
        (0, false)
    };
    let mut uid = String::new();
    let mut had_meta = false;
    // The meta group is always explicit little endian. Its group length is often wrong or absent: walk it.
    while bytes.get(at..at + 2) == Some(&[2, 0]) {
        let mut parser = Parser { bytes, at, is_explicit: true, is_big: false, cut: None };
        let element = parser.element(bytes.len(), 0)?.ok_or(Error::Truncated { what: "meta group" })?;
        if let (Tag(2, 0x10), Value::Bytes(range)) = (element.tag, &element.value) {
            uid = ascii(bytes.get(range.clone()).unwrap_or_default());
        }
        had_meta = true;
        at = parser.at;
    }
    let Some(guess) = guess(bytes, at) else {
        return Err(match (is_marked || had_meta, bytes.len() <= at) {
            (true, true) => Error::Truncated { what: "data set" },
            // The first element is in an unusual group, or deflated: the meta group is all there is to go by.
            (true, false) if !uid.is_empty() => {
                let (is_explicit, is_big) = (uid != syntax::IMPLICIT_LE, uid == syntax::EXPLICIT_BE);
                return Ok(Found { start: at, is_explicit, is_big, syntax: uid, had_meta });
            }
            (true, false) => Error::Broken { what: "the first element is none" },
            (false, _) => Error::NotDicom,
        });
    };
    let (is_explicit, is_big) = match uid.as_str() {
        "" => guess,
        // Some devices name one syntax and write the other: what the bytes say holds.
        syntax::IMPLICIT_LE | syntax::EXPLICIT_LE | syntax::EXPLICIT_BE => guess,
        syntax::DEFLATED_LE => (true, false),
        _ => (guess.0, false),
    };
    if matches!(uid.as_str(), syntax::IMPLICIT_LE | syntax::EXPLICIT_LE | syntax::EXPLICIT_BE) {
        native(is_explicit, is_big).clone_into(&mut uid);
    }
    Ok(Found { start: at, is_explicit, is_big, syntax: uid, had_meta })
}

/// The native transfer syntax of an encoding.
pub(super) const fn native(is_explicit: bool, is_big: bool) -> &'static str {
    match (is_explicit, is_big) {
        (true, true) => syntax::EXPLICIT_BE,
        (true, false) => syntax::EXPLICIT_LE,
        (false, _) => syntax::IMPLICIT_LE,
    }
}

fn ascii(raw: &[u8]) -> String {
    raw.iter().filter(|b| b.is_ascii_graphic()).map(|&b| char::from(b)).collect()
}

/// Guesses (explicit, big endian) from the first element; `None` when the bytes are no element.
fn guess(bytes: &[u8], at: usize) -> Option<(bool, bool)> {
    let head: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
    let [a, b, _, _, v, r, ..] = head;
    let is_explicit = VR::from_binary([v, r]).is_some();
    // Data sets begin in a low group (command, file, directory, identification, …); text never does.
    let is_low = |group: u16| group <= 0x0040;
    if is_low(u16::from_le_bytes([a, b])) && (a, b) != (0, 0) {
        if is_explicit {
            return Some((true, false));
        }
        let [.., l0, l1, l2, l3] = head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let fits = length == UNDEFINED || usize::try_from(length).ok()? <= bytes.len();
        return fits.then_some((false, false));
    }
    (is_low(u16::from_be_bytes([a, b])) && is_explicit).then_some((true, true))
}

/// Parses a whole data set. With it comes how its pixel data was cut short, if it was.
pub(super) fn dataset(bytes: &[u8], at: usize, is_explicit: bool, is_big: bool) -> Result<(Item, Option<Cut>)> {
    let mut parser = Parser { bytes, at, is_explicit, is_big, cut: None };
    let root = parser.item(bytes.len(), false, 0)?;
    Ok((root, parser.cut))
}

/// An object up to its uncompressed pixel data.
pub(super) struct BeforePixels {
    pub root: Item,
    pub pixels: Range<usize>,
    pub cut: Option<Cut>,
}

/// The attributes up to uncompressed pixel data, from the first bytes of an object that goes on to `end`, and where the
/// pixel data lies. `None` when the bytes end before that, or have no such pixel data, or cannot be followed: the whole object
/// then tells what is wrong.
pub(super) fn head(bytes: &[u8], at: usize, end: usize, is_explicit: bool, is_big: bool) -> Option<BeforePixels> {
    let mut parser = Parser { bytes, at, is_explicit, is_big, cut: None };
    let mut elements = Vec::new();
    while parser.at < bytes.len() {
        let Some(element) = parser.element(end, 0).ok()? else { continue };
        let pixels = match &element.value {
            Value::Bytes(range) if is_pixel_data(element.tag) => Some(range.clone()),
            _ => None,
        };
        elements.push(element);
        if let Some(pixels) = pixels {
            return Some(BeforePixels { root: parser.finished(elements), pixels, cut: parser.cut });
        }
    }
    None
}

/// Pixel Data, Float and Double Float Pixel Data.
fn is_pixel_data(tag: Tag) -> bool {
    matches!(tag, PIXEL_DATA | Tag(0x7FE0, 0x0008 | 0x0009))
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    is_explicit: bool,
    is_big: bool,
    /// Set when the object ends in its own pixel data.
    cut: Option<Cut>,
}

impl Parser<'_> {
    fn take<const N: usize>(&mut self, end: usize) -> Result<[u8; N]> {
        let next = self.at + N;
        let found = if next <= end { self.bytes.get(self.at..next) } else { None };
        let array = found.and_then(|s| s.try_into().ok()).ok_or(Error::Truncated { what: "element header" })?;
        self.at = next;
        Ok(array)
    }

    fn u16(&mut self, end: usize) -> Result<u16> {
        let raw = self.take(end)?;
        Ok(if self.is_big { u16::from_be_bytes(raw) } else { u16::from_le_bytes(raw) })
    }

    fn u32(&mut self, end: usize) -> Result<u32> {
        let raw = self.take(end)?;
        Ok(if self.is_big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) })
    }

    fn tag(&mut self, end: usize) -> Result<Tag> {
        Ok(Tag(self.u16(end)?, self.u16(end)?))
    }

    /// Elements up to `end`, or up to the item delimiter where the length is undefined.
    fn item(&mut self, end: usize, is_undefined: bool, depth: usize) -> Result<Item> {
        if depth > MAX_DEPTH {
            return Err(Error::Broken { what: "sequences nested too deeply" });
        }
        let mut elements = Vec::new();
        while self.at < end {
            if depth == 0 && self.is_padding(end) {
                break;
            }
            match self.element(end, depth)? {
                Some(element) => elements.push(element),
                None if is_undefined => return Ok(self.finished(elements)),
                // A stray delimiter: devices write them, they mean nothing.
                None => {}
            }
        }
        if is_undefined && depth > 0 && self.at < self.bytes.len() {
            return Err(Error::Broken { what: "item without end" });
        }
        Ok(self.finished(elements))
    }

    fn finished(&self, mut elements: Vec<Element>) -> Item {
        if !elements.is_sorted_by(|a, b| a.tag < b.tag) {
            elements.sort_by_key(|e| e.tag);
            elements.dedup_by_key(|e| e.tag);
        }
        Item { elements, is_big: self.is_big }
    }

    /// Zeros behind the last element, as some media pad files.
    fn is_padding(&self, end: usize) -> bool {
        self.bytes.get(self.at..end).is_some_and(|rest| rest.iter().all(|&b| b == 0))
    }

    /// The next element; `None` for a delimiter.
    fn element(&mut self, end: usize, depth: usize) -> Result<Option<Element>> {
        let tag = self.tag(end)?;
        if tag.group() == 0xFFFE {
            self.u32(end)?;
            return Ok(None);
        }
        let (vr, length, is_explicit) = self.vr_and_length(tag, end)?;
        let value = self.value(tag, vr, length, is_explicit, end, depth)?;
        let vr = if matches!(value, Value::Items(_)) { VR::SQ } else { vr };
        Ok(Some(Element { tag, vr, value }))
    }

    /// Value representation and length. Source: PS3.5 §7.1.2, §7.1.3. Some devices slip implicit elements
    /// into explicit data sets; letters that are none show them.
    fn vr_and_length(&mut self, tag: Tag, end: usize) -> Result<(VR, u32, bool)> {
        let letters = self.bytes.get(self.at..self.at + 2).and_then(|s| <[u8; 2]>::try_from(s).ok());
        if !self.is_explicit || !letters.is_some_and(|l| l.iter().all(u8::is_ascii_uppercase)) {
            return Ok((dictionary_vr(tag), self.u32(end)?, false));
        }
        self.at += 2;
        let vr = letters.and_then(VR::from_binary);
        let is_long = match vr {
            Some(vr) => matches!(
                vr,
                VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::SQ | VR::SV | VR::UC | VR::UN | VR::UR | VR::UT | VR::UV
            ),
            // Letters no edition knows: later ones are of the long form, unless its reserved bytes are not zero.
            None => self.bytes.get(self.at..self.at + 2) == Some(&[0, 0]),
        };
        let length = if is_long {
            self.take::<2>(end)?;
            self.u32(end)?
        } else {
            u32::from(self.u16(end)?)
        };
        Ok((vr.unwrap_or(VR::UN), length, true))
    }

    fn value(&mut self, tag: Tag, vr: VR, length: u32, is_explicit: bool, end: usize, depth: usize) -> Result<Value> {
        if length == UNDEFINED {
            if tag == PIXEL_DATA || matches!(vr, VR::OB | VR::OW) {
                return self.fragments(end, depth == 0 && tag == PIXEL_DATA).map(Value::Fragments);
            }
            // UN of undefined length holds an implicit little endian sequence: PS3.5 §6.2.2 note 4.
            let is_inner_explicit = is_explicit && vr != VR::UN;
            return self.sequence(end, true, is_inner_explicit, depth).map(Value::Items);
        }
        let start = self.at;
        let stop = usize::try_from(length).ok().and_then(|n| start.checked_add(n)).filter(|&stop| stop <= end);
        let Some(stop) = stop else {
            if depth == 0 && is_pixel_data(tag) && start < end {
                self.cut = Some(Cut::Bytes { there: (end - start) as u64, declared: length });
                self.at = end;
                return Ok(Value::Bytes(start..end));
            }
            return Err(Error::Truncated { what: if tag == PIXEL_DATA { "pixel data" } else { "value of an element" } });
        };
        let is_sequence = vr == VR::SQ || (vr == VR::UN && dictionary_vr(tag) == VR::SQ);
        if is_sequence && length > 0 {
            let is_inner_explicit = is_explicit && vr != VR::UN;
            match self.sequence(stop, false, is_inner_explicit, depth) {
                Ok(items) => {
                    self.at = stop;
                    return Ok(Value::Items(items));
                }
                // A private or mistaken SQ that is none: keep its bytes.
                Err(error) if vr == VR::SQ && dictionary_vr(tag) == VR::SQ => return Err(error),
                Err(_not_a_sequence) => self.at = start,
            }
        } else if is_sequence {
            return Ok(Value::Items(Vec::new()));
        }
        self.at = stop;
        Ok(Value::Bytes(start..stop))
    }

    fn sequence(&mut self, end: usize, is_undefined: bool, is_explicit: bool, depth: usize) -> Result<Vec<Item>> {
        let outer = std::mem::replace(&mut self.is_explicit, is_explicit);
        let items = self.items(end, is_undefined, depth);
        self.is_explicit = outer;
        items
    }

    fn items(&mut self, end: usize, is_undefined: bool, depth: usize) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        while self.at < end {
            let tag = self.tag(end)?;
            let length = self.u32(end)?;
            match tag {
                SEQUENCE_END if is_undefined => return Ok(items),
                // Stray delimiters mean nothing.
                SEQUENCE_END | ITEM_END => {}
                ITEM if length == UNDEFINED => items.push(self.item(end, true, depth + 1)?),
                ITEM => {
                    let stop = usize::try_from(length).ok().and_then(|n| self.at.checked_add(n)).filter(|&s| s <= end);
                    let stop = stop.ok_or(Error::Truncated { what: "item of a sequence" })?;
                    items.push(self.item(stop, false, depth + 1)?);
                    self.at = stop;
                }
                _ => return Err(Error::Broken { what: "something else than an item in a sequence" }),
            }
        }
        Ok(items)
    }

    /// Fragments of encapsulated pixel data, the offset table first. Where the object may be cut short, what is there of the
    /// last fragment, if only nothing, stands as one more. Source: PS3.5 §A.4.
    fn fragments(&mut self, end: usize, may_be_cut: bool) -> Result<Vec<Range<usize>>> {
        let mut fragments = Vec::new();
        while self.at < end {
            match self.fragment(end) {
                Ok(Some(fragment)) => fragments.push(fragment),
                Ok(None) => return Ok(fragments),
                Err(Error::Truncated { .. }) if may_be_cut => {
                    self.cut = Some(Cut::Fragment(fragments.len()));
                    fragments.push(self.at.min(end)..end);
                    self.at = end;
                }
                Err(error) => return Err(error),
            }
        }
        if may_be_cut && self.cut.is_none() {
            self.cut = Some(Cut::Unclosed(fragments.len()));
        }
        Ok(fragments)
    }

    /// The next fragment; `None` for the delimiter behind the last one.
    fn fragment(&mut self, end: usize) -> Result<Option<Range<usize>>> {
        let cut = Error::Truncated { what: "fragment of pixel data" };
        let (Ok(tag), Ok(length)) = (self.tag(end), self.u32(end)) else {
            self.at = end;
            return Err(cut);
        };
        match tag {
            SEQUENCE_END => Ok(None),
            ITEM => {
                let start = self.at;
                let stop = usize::try_from(length).ok().and_then(|n| start.checked_add(n)).filter(|&s| s <= end).ok_or(cut)?;
                self.at = stop;
                Ok(Some(start..stop))
            }
            _ => Err(Error::Broken { what: "something else than a fragment in pixel data" }),
        }
    }
}

/// The dictionary's value representation of a tag. Source: PS3.6.
pub(super) fn dictionary_vr(tag: Tag) -> VR {
    if tag.element() == 0 {
        return VR::UL;
    }
    if tag.group() % 2 == 1 {
        return if (0x10..=0xFF).contains(&tag.element()) { VR::LO } else { VR::UN };
    }
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}
