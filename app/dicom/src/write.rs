//! Building an object and encoding it: Explicit VR Little Endian, UTF-8 (ISO_IR 192), defined lengths.
//!
//! An object with a value that is too long for the 16-bit length of its representation, as contours of many places are, is
//! encoded as Implicit VR Little Endian, whose lengths have 32 bits. Source: PS3.5 §7, §A.1, PS3.10 §7.

use crate::error::{Error, Result};
use crate::syntax;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::Code;
use mj_model::finding::ImageRef;
use std::collections::BTreeMap;

/// Our Implementation Class UID, in every file meta group and association (PS3.7 §D.3.3.2).
pub const IMPLEMENTATION_CLASS_UID: &str = "2.25.333930977804645676282998244509739617702";
/// Our Implementation Version Name (at most 16 characters).
pub const IMPLEMENTATION_VERSION_NAME: &str = "MINGJING_0_1";
/// Manufacturer written into objects.
pub const MANUFACTURER: &str = "Mingjing";

/// A data set under construction: elements sorted by tag.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object {
    elements: BTreeMap<Tag, (VR, Out)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Out {
    Bytes(Vec<u8>),
    Items(Vec<Object>),
}

impl Object {
    /// An empty data set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts raw bytes, padded to even length by the rule of the representation.
    pub fn bytes(&mut self, tag: Tag, vr: VR, mut bytes: Vec<u8>) -> &mut Self {
        if bytes.len() % 2 == 1 {
            bytes.push(if matches!(vr, VR::UI | VR::OB | VR::UN) { 0 } else { b' ' });
        }
        self.elements.insert(tag, (vr, Out::Bytes(bytes)));
        self
    }

    /// Puts text. It is cut to what the representation allows; a backslash, which would part values, is
    /// replaced where it does.
    pub fn text(&mut self, tag: Tag, vr: VR, text: &str) -> &mut Self {
        let most = match vr {
            VR::SH | VR::CS | VR::AE | VR::DS => 16,
            VR::LO => 64,
            VR::PN => 64 * 3,
            VR::ST => 1024,
            VR::LT => 10_240,
            _ => usize::MAX,
        };
        let may_part = matches!(vr, VR::SH | VR::LO | VR::PN | VR::UC);
        let is_long = matches!(vr, VR::ST | VR::LT | VR::UT);
        let clean = text.chars().filter(|c| !c.is_control() || (is_long && matches!(c, '\n' | '\r' | '\t')));
        let cut: String = clean.map(|c| if may_part && c == '\\' { '/' } else { c }).take(most).collect();
        self.bytes(tag, vr, cut.into_bytes())
    }

    /// Puts several coded values, parted by backslashes.
    pub fn values(&mut self, tag: Tag, vr: VR, values: &[&str]) -> &mut Self {
        self.bytes(tag, vr, values.join("\\").into_bytes())
    }

    /// Puts a UID.
    pub fn uid(&mut self, tag: Tag, uid: &str) -> &mut Self {
        self.bytes(tag, VR::UI, uid.as_bytes().to_vec())
    }

    /// Puts an element without value.
    pub fn empty(&mut self, tag: Tag, vr: VR) -> &mut Self {
        let out = if vr == VR::SQ { Out::Items(Vec::new()) } else { Out::Bytes(Vec::new()) };
        self.elements.insert(tag, (vr, out));
        self
    }

    /// Puts decimal strings of at most 16 characters each.
    pub fn decimals(&mut self, tag: Tag, values: &[f64]) -> &mut Self {
        let text: Vec<String> = values.iter().map(|v| decimal(*v)).collect();
        self.bytes(tag, VR::DS, text.join("\\").into_bytes())
    }

    /// Puts an integer string.
    pub fn integer(&mut self, tag: Tag, value: i64) -> &mut Self {
        self.bytes(tag, VR::IS, value.to_string().into_bytes())
    }

    /// Puts unsigned 16 bit numbers.
    pub fn u16s(&mut self, tag: Tag, values: &[u16]) -> &mut Self {
        self.bytes(tag, VR::US, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Puts unsigned 32 bit numbers.
    pub fn u32s(&mut self, tag: Tag, values: &[u32]) -> &mut Self {
        self.bytes(tag, VR::UL, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Puts 32 bit floats.
    pub fn f32s(&mut self, tag: Tag, values: &[f32]) -> &mut Self {
        self.bytes(tag, VR::FL, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Puts 64 bit floats.
    pub fn f64s(&mut self, tag: Tag, values: &[f64]) -> &mut Self {
        self.bytes(tag, VR::FD, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Puts a sequence.
    pub fn items(&mut self, tag: Tag, items: Vec<Self>) -> &mut Self {
        self.elements.insert(tag, (VR::SQ, Out::Items(items)));
        self
    }

    /// Puts a sequence of one item.
    pub fn item(&mut self, tag: Tag, item: Self) -> &mut Self {
        self.items(tag, vec![item])
    }

    /// Puts a code sequence of one code.
    pub fn code(&mut self, tag: Tag, code: &Code) -> &mut Self {
        self.item(tag, code_item(code))
    }

    /// True when the element is there.
    #[must_use]
    pub fn has(&self, tag: Tag) -> bool {
        self.elements.contains_key(&tag)
    }

    /// Takes over all elements of another data set; its own are replaced.
    pub fn put_all(&mut self, other: &Self) -> &mut Self {
        for (tag, element) in &other.elements {
            self.elements.insert(*tag, element.clone());
        }
        self
    }

    /// Encodes it as a file: preamble, meta group, data set. SOP Class and SOP Instance UID are put in.
    ///
    /// # Errors
    /// [`Error::CannotWrite`] when a value is longer than its representation can tell.
    pub fn into_file(mut self, sop_class: &str, instance: &str) -> Result<Vec<u8>> {
        self.text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
        self.uid(tags::SOP_CLASS_UID, sop_class).uid(tags::SOP_INSTANCE_UID, instance);
        let is_implicit = self.has_long_values();
        let syntax = if is_implicit { syntax::IMPLICIT_LE } else { syntax::EXPLICIT_LE };
        let mut meta = Self::new();
        meta.bytes(tags::FILE_META_INFORMATION_VERSION, VR::OB, vec![0, 1])
            .uid(tags::MEDIA_STORAGE_SOP_CLASS_UID, sop_class)
            .uid(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, instance)
            .uid(tags::TRANSFER_SYNTAX_UID, syntax)
            .uid(tags::IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_CLASS_UID)
            .text(tags::IMPLEMENTATION_VERSION_NAME, VR::SH, IMPLEMENTATION_VERSION_NAME);
        let mut group = Vec::new();
        meta.encode(&mut group, false)?;
        let mut out = vec![0; 128];
        out.extend_from_slice(b"DICM");
        let mut length = Self::new();
        length.u32s(tags::FILE_META_INFORMATION_GROUP_LENGTH, &[u32::try_from(group.len()).unwrap_or(0)]);
        length.encode(&mut out, false)?;
        out.extend_from_slice(&group);
        self.encode(&mut out, is_implicit)?;
        Ok(out)
    }

    /// True when a value, here or in an item, needs a longer length than Explicit VR gives its representation.
    fn has_long_values(&self) -> bool {
        self.elements.values().any(|(vr, value)| match value {
            Out::Bytes(bytes) => !has_long_length(*vr) && bytes.len() > usize::from(u16::MAX),
            Out::Items(items) => items.iter().any(Self::has_long_values),
        })
    }

    fn encode(&self, out: &mut Vec<u8>, is_implicit: bool) -> Result<()> {
        for (tag, (vr, value)) in &self.elements {
            let nested;
            let bytes = match value {
                Out::Bytes(bytes) => bytes,
                Out::Items(items) => {
                    nested = encode_items(items, is_implicit)?;
                    &nested
                }
            };
            out.extend_from_slice(&tag.group().to_le_bytes());
            out.extend_from_slice(&tag.element().to_le_bytes());
            let too_long = |_| Error::CannotWrite { what: format!("the value of {tag} is too long") };
            if is_implicit {
                out.extend_from_slice(&u32::try_from(bytes.len()).map_err(too_long)?.to_le_bytes());
            } else if has_long_length(*vr) {
                out.extend_from_slice(&vr.to_bytes());
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&u32::try_from(bytes.len()).map_err(too_long)?.to_le_bytes());
            } else {
                out.extend_from_slice(&vr.to_bytes());
                out.extend_from_slice(&u16::try_from(bytes.len()).map_err(too_long)?.to_le_bytes());
            }
            out.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// True for a representation whose length takes 32 bits in Explicit VR. Source: PS3.5 §7.1.2.
const fn has_long_length(vr: VR) -> bool {
    matches!(vr, VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::SQ | VR::SV | VR::UC | VR::UN | VR::UR | VR::UT | VR::UV)
}

/// An item that refers to an image, or to one frame of it. Source: PS3.3 §10.3 (Image SOP Instance Reference Macro).
pub(crate) fn image_item(image: &ImageRef) -> Object {
    let mut item = Object::new();
    item.uid(tags::REFERENCED_SOP_CLASS_UID, image.sop_class.as_str()).uid(tags::REFERENCED_SOP_INSTANCE_UID, image.instance.as_str());
    if let Some(frame) = image.frame {
        item.integer(tags::REFERENCED_FRAME_NUMBER, i64::from(frame));
    }
    item
}

fn encode_items(items: &[Object], is_implicit: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for item in items {
        let mut inner = Vec::new();
        item.encode(&mut inner, is_implicit)?;
        let length = u32::try_from(inner.len()).map_err(|_too_long| Error::CannotWrite { what: "an item is too long".into() })?;
        out.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&inner);
    }
    Ok(out)
}

/// A code as an item of a code sequence. Source: PS3.3 §8.8.
#[must_use]
pub fn code_item(code: &Code) -> Object {
    let mut item = Object::new();
    if code.code.chars().count() > 16 {
        item.text(tags::LONG_CODE_VALUE, VR::UC, &code.code);
    } else {
        item.text(tags::CODE_VALUE, VR::SH, &code.code);
    }
    let meaning = if code.name_en.is_empty() { &code.name_zh } else { &code.name_en };
    item.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, &code.scheme).text(tags::CODE_MEANING, VR::LO, meaning);
    item
}

/// The number with the most digits that fit 16 characters. Source: PS3.5 §6.2 (DS).
#[must_use]
pub fn decimal(value: f64) -> String {
    let value = if value == 0.0 || !value.is_finite() { 0.0 } else { value };
    let plain = value.to_string();
    if plain.len() <= 16 {
        return plain;
    }
    let magnitude = value.abs();
    let candidates = (0..=15)
        .rev()
        .map(|digits| if (1e-4..1e15).contains(&magnitude) { format!("{value:.digits$}") } else { format!("{value:.digits$e}") });
    candidates.into_iter().find(|text| text.len() <= 16).unwrap_or_else(|| "0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    #[test]
    fn decimals_fit_and_keep_their_value() {
        for value in
            [0.0, -0.0, 1.0, -128.690002, 0.810547, 1.0 / 3.0, -1.0 / 3.0, 1e-7 / 3.0, -2.3e22 / 7.0, 123_456_789.123_456_78, f64::NAN]
        {
            let text = decimal(value);
            assert!(text.len() <= 16, "{text}");
            if value.is_finite() && value != 0.0 {
                assert!((text.parse::<f64>().unwrap() - value).abs() <= value.abs() * 1e-9, "{value} {text}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut inner = Object::new();
        inner.text(tags::CODE_MEANING, VR::LO, "右肺上叶\\x");
        let mut object = Object::new();
        object
            .text(tags::PATIENT_NAME, VR::PN, "Shili^Yi=示例^一")
            .decimals(tags::PIXEL_SPACING, &[0.5, 0.25])
            .u16s(tags::ROWS, &[7])
            .f64s(tags::FLOATING_POINT_VALUE, &[1.5])
            .item(tags::CONCEPT_NAME_CODE_SEQUENCE, inner);
        let bytes = object.into_file("1.2.840.10008.5.1.4.1.1.7", "1.2.3").unwrap();
        let dataset = Dataset::read(&bytes).unwrap();
        let root = dataset.root();
        assert_eq!(root.text(tags::PATIENT_NAME), "Shili^Yi=示例^一");
        assert_eq!(root.floats(tags::PIXEL_SPACING), [0.5, 0.25]);
        assert_eq!(root.count(tags::ROWS), Some(7));
        assert_eq!(root.float(tags::FLOATING_POINT_VALUE), Some(1.5));
        assert_eq!(root.item(tags::CONCEPT_NAME_CODE_SEQUENCE).unwrap().text(tags::CODE_MEANING), "右肺上叶/x");
        assert_eq!(root.text(tags::SOP_INSTANCE_UID), "1.2.3");
        assert_eq!(dataset.transfer_syntax(), syntax::EXPLICIT_LE);
    }

    #[test]
    fn long_values_take_an_encoding_that_holds_them() {
        let numbers: Vec<f64> = (0..9000).map(|n| f64::from(n) / 7.0).collect();
        let mut inner = Object::new();
        inner.decimals(tags::CONTOUR_DATA, &numbers).text(tags::CODE_MEANING, VR::LO, "右肺");
        let mut object = Object::new();
        object.item(tags::CONTOUR_SEQUENCE, inner);
        let dataset = Dataset::read(&object.into_file("1.2.840.10008.5.1.4.1.1.481.3", "1.2.3").unwrap()).unwrap();
        let item = dataset.root().item(tags::CONTOUR_SEQUENCE).unwrap();
        assert_eq!((dataset.transfer_syntax(), item.floats(tags::CONTOUR_DATA).len()), (syntax::IMPLICIT_LE, 9000));
        assert_eq!(item.text(tags::CODE_MEANING), "右肺");
    }
}
