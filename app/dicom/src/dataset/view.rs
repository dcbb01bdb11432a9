//! Reading attributes out of a data set or an item of a sequence.

use super::{Element, Item, Value};
use crate::charset::{CharacterSet, Shape, Text};
use crate::error::{Error, Result};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Code, InstanceUid, SopClassUid};
use std::sync::Arc;

/// Most numbers that are read out of one value; more is no header.
const MAX_NUMBERS: usize = 1 << 24;

/// A data set or an item, with the bytes its values lie in and the character set that holds in it.
#[derive(Debug, Clone)]
pub struct View<'a> {
    item: &'a Item,
    bytes: &'a [u8],
    charset: Arc<CharacterSet>,
}

/// The items of a sequence.
pub type Items<'a> = std::vec::IntoIter<View<'a>>;

impl<'a> View<'a> {
    pub(super) fn root(item: &'a Item, bytes: &'a [u8]) -> Self {
        Self { item, bytes, charset: Arc::default() }.settled()
    }

    /// Its own Specific Character Set, or the one around it. Source: PS3.5 §7.5.3.
    fn settled(mut self) -> Self {
        if let Some(raw) = self.raw(tags::SPECIFIC_CHARACTER_SET) {
            self.charset = Arc::new(CharacterSet::declared(raw));
        }
        self
    }

    /// The character set that holds here.
    #[must_use]
    pub fn charset(&self) -> &CharacterSet {
        &self.charset
    }

    /// All elements, sorted by tag.
    pub fn elements(&self) -> impl Iterator<Item = &'a Element> {
        self.item.elements.iter()
    }

    /// True when the element is there, even if empty.
    #[must_use]
    pub fn has(&self, tag: Tag) -> bool {
        self.item.get(tag).is_some()
    }

    /// The raw bytes of a value that is no sequence.
    #[must_use]
    pub fn raw(&self, tag: Tag) -> Option<&'a [u8]> {
        match &self.item.get(tag)?.value {
            Value::Bytes(range) => self.bytes.get(range.clone()),
            Value::Items(_) | Value::Fragments(_) => None,
        }
    }

    /// The fragments of encapsulated pixel data; the first is the basic offset table.
    #[must_use]
    pub fn fragments(&self, tag: Tag) -> Option<Vec<&'a [u8]>> {
        match &self.item.get(tag)?.value {
            Value::Fragments(ranges) => Some(ranges.iter().filter_map(|r| self.bytes.get(r.clone())).collect()),
            Value::Bytes(_) | Value::Items(_) => None,
        }
    }

    /// True when numbers of this data set are big endian.
    #[must_use]
    pub const fn is_big_endian(&self) -> bool {
        self.item.is_big
    }

    /// The items of a sequence; none when it is absent.
    #[must_use]
    pub fn items(&self, tag: Tag) -> Items<'a> {
        let items: &'a [Item] = match self.item.get(tag).map(|e| &e.value) {
            Some(Value::Items(items)) => items,
            _ => &[],
        };
        let views: Vec<Self> =
            items.iter().map(|item| Self { item, bytes: self.bytes, charset: Arc::clone(&self.charset) }.settled()).collect();
        views.into_iter()
    }

    /// The first item of a sequence.
    #[must_use]
    pub fn item(&self, tag: Tag) -> Option<Self> {
        self.items(tag).next()
    }

    /// The code of a code sequence, whichever of the three elements holds its value. Its meaning stands in both languages:
    /// an object does not say which one it is in. Source: PS3.3 §8.8 (Code Sequence Macro).
    #[must_use]
    pub fn code(&self, tag: Tag) -> Option<Code> {
        let item = self.item(tag)?;
        let values = [tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE];
        let code = values.iter().map(|&value| item.text(value)).find(|value| !value.is_empty())?;
        let meaning = item.text(tags::CODE_MEANING);
        Some(Code { scheme: item.text(tags::CODING_SCHEME_DESIGNATOR), code, name_en: meaning.clone(), name_zh: meaning })
    }

    /// The images that a sequence refers to.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::BadValue`] for one without UIDs.
    pub fn image_refs(&self, tag: Tag) -> Result<Vec<ImageRef>> {
        let image = |reference: Self| {
            Ok(ImageRef {
                instance: reference.uid(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", InstanceUid::parse)?,
                sop_class: reference.uid(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", SopClassUid::parse)?,
                frame: reference.count(tags::REFERENCED_FRAME_NUMBER),
            })
        };
        self.items(tag).map(image).collect()
    }

    /// A text value as a whole, decoded, with the knowledge whether its set had to be guessed. Padding is
    /// dropped. Empty when absent.
    #[must_use]
    pub fn read_text(&self, tag: Tag) -> Text {
        let (Some(element), Some(raw)) = (self.item.get(tag), self.raw(tag)) else { return Text::default() };
        let mut text = self.decode(element.vr, tag, raw);
        let end = text.text.trim_end_matches([' ', '\0']).len();
        text.text.truncate(end);
        text
    }

    fn decode(&self, vr: VR, tag: Tag, raw: &[u8]) -> Text {
        // A file that says UN for a known attribute still means its text.
        let vr = if vr == VR::UN { super::parse::dictionary_vr(tag) } else { vr };
        match vr {
            VR::PN => self.charset.decode(raw, Shape::Name),
            VR::SH | VR::LO | VR::UC => self.charset.decode(raw, Shape::Values),
            VR::ST | VR::LT | VR::UT => self.charset.decode(raw, Shape::Long),
            // The rest is of the default repertoire by definition.
            _ => CharacterSet::default().decode(raw, Shape::Values),
        }
    }

    /// A text value as a whole. Empty when absent.
    #[must_use]
    pub fn text(&self, tag: Tag) -> String {
        self.read_text(tag).text.trim().to_owned()
    }

    /// The values of a text attribute, parted by backslashes, each without padding.
    #[must_use]
    pub fn texts(&self, tag: Tag) -> Vec<String> {
        let text = self.read_text(tag).text;
        if text.is_empty() { Vec::new() } else { text.split('\\').map(|v| v.trim().to_owned()).collect() }
    }

    /// The first value of a text attribute; empty when absent.
    #[must_use]
    pub fn first_text(&self, tag: Tag) -> String {
        self.texts(tag).into_iter().next().unwrap_or_default()
    }

    /// A UID, or the name of the missing attribute.
    ///
    /// # Errors
    /// [`Error::Missing`] when absent or empty, [`Error::BadValue`] when it is no UID.
    pub fn uid<T>(
        &self,
        tag: Tag,
        keyword: &'static str,
        parse: impl Fn(&str) -> std::result::Result<T, mj_model::uid::NotAUid>,
    ) -> Result<T> {
        let text = self.first_text(tag);
        if text.is_empty() {
            return Err(Error::Missing { keyword });
        }
        parse(&text).map_err(|_not_a_uid| Error::BadValue { keyword })
    }

    /// The numbers of an attribute, whatever its representation; values that are no number are left out.
    #[must_use]
    pub fn floats(&self, tag: Tag) -> Vec<f64> {
        let (Some(element), Some(raw)) = (self.item.get(tag), self.raw(tag)) else { return Vec::new() };
        let big = self.item.is_big;
        let vr = if element.vr == VR::UN { super::parse::dictionary_vr(tag) } else { element.vr };
        match vr {
            VR::US | VR::OW => numbers(raw, big, |b: [u8; 2], l| f64::from(if l { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) })),
            VR::SS => numbers(raw, big, |b: [u8; 2], l| f64::from(if l { i16::from_be_bytes(b) } else { i16::from_le_bytes(b) })),
            VR::UL | VR::OL => numbers(raw, big, |b: [u8; 4], l| f64::from(if l { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) })),
            VR::SL => numbers(raw, big, |b: [u8; 4], l| f64::from(if l { i32::from_be_bytes(b) } else { i32::from_le_bytes(b) })),
            VR::FL | VR::OF => numbers(raw, big, |b: [u8; 4], l| f64::from(if l { f32::from_be_bytes(b) } else { f32::from_le_bytes(b) })),
            VR::FD | VR::OD => numbers(raw, big, |b: [u8; 8], l| if l { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) }),
            VR::OB => raw.iter().map(|&b| f64::from(b)).collect(),
            _ => raw
                .split(|&b| b == b'\\')
                .take(MAX_NUMBERS)
                .filter_map(|part| std::str::from_utf8(part).ok()?.trim_matches([' ', '\0']).parse::<f64>().ok())
                .collect(),
        }
    }

    /// The first number, if it is finite.
    #[must_use]
    pub fn float(&self, tag: Tag) -> Option<f64> {
        self.floats(tag).first().copied().filter(|v| v.is_finite())
    }

    /// The first number as an integer, when it is one.
    #[must_use]
    pub fn int(&self, tag: Tag) -> Option<i64> {
        self.float(tag).filter(|v| v.fract() == 0.0 && v.abs() < 9e15).map(|v| v as i64)
    }

    /// A number that may be absent or empty; one that is written but is none counts as -1.
    #[must_use]
    pub fn int_or_wrong(&self, tag: Tag) -> Option<i64> {
        let raw = self.raw(tag)?;
        let is_empty = raw.iter().all(|&b| b == b' ' || b == 0);
        if is_empty { None } else { Some(self.int(tag).unwrap_or(-1)) }
    }

    /// The first number as a count.
    #[must_use]
    pub fn count(&self, tag: Tag) -> Option<u32> {
        self.int(tag).and_then(|v| u32::try_from(v).ok())
    }
}

fn numbers<const N: usize>(raw: &[u8], is_big: bool, read: impl Fn([u8; N], bool) -> f64) -> Vec<f64> {
    raw.chunks_exact(N).take(MAX_NUMBERS).filter_map(|chunk| chunk.try_into().ok()).map(|b| read(b, is_big)).collect()
}
