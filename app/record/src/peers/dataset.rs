//! Data sets as bytes: the flat identifiers of a query, and explicit rewritten as implicit VR.
//!
//! No text is decoded here, so a code extension survives whatever is done.
//! Source: PS3.5 §7.1 (elements), §7.5 (sequences), §A.1 and §A.2 (transfer syntaxes).

/// Length meaning "until the delimiter".
const UNDEFINED: u32 = u32::MAX;
/// How deep sequences may nest before the bytes are taken for rubbish.
const MAX_DEPTH: usize = 32;

/// A tag: group and element.
pub(super) type Tag = (u16, u16);

const ITEM: Tag = (0xFFFE, 0xE000);
const ITEM_END: Tag = (0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = (0xFFFE, 0xE0DD);

/// Header of an element: tag, VR where there is one, length, and how many bytes the header took.
struct Head {
    tag: Tag,
    vr: Option<[u8; 2]>,
    length: u32,
    size: usize,
}

fn head(bytes: &[u8], explicit: bool) -> Option<Head> {
    let h = bytes.get(..8)?;
    let tag = (u16::from_le_bytes([h[0], h[1]]), u16::from_le_bytes([h[2], h[3]]));
    if !explicit || tag.0 == 0xFFFE {
        return Some(Head { tag, vr: None, length: u32::from_le_bytes([h[4], h[5], h[6], h[7]]), size: 8 });
    }
    let vr = [h[4], h[5]];
    if !vr.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    if has_long_length(vr) {
        let l = bytes.get(8..12)?;
        Some(Head { tag, vr: Some(vr), length: u32::from_le_bytes([l[0], l[1], l[2], l[3]]), size: 12 })
    } else {
        Some(Head { tag, vr: Some(vr), length: u32::from(u16::from_le_bytes([h[6], h[7]])), size: 8 })
    }
}

/// Source: PS3.5 §7.1.2, table 7.1-1.
fn has_long_length(vr: [u8; 2]) -> bool {
    matches!(&vr, b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV")
}

/// The elements of the outermost level with their raw values; sequences are passed over. Reading stops
/// quietly at the first byte that is no element, because some peers pad their answers.
pub(super) fn flat(bytes: &[u8], explicit: bool) -> Vec<(Tag, &[u8])> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(h) = head(rest, explicit) {
        let Some(body) = rest.get(h.size..) else { break };
        if h.length == UNDEFINED {
            let Some(skipped) = skip_sequence(body, explicit && h.vr != Some(*b"UN"), 0) else { break };
            rest = body.get(skipped..).unwrap_or_default();
            continue;
        }
        let Some((value, after)) = usize::try_from(h.length).ok().and_then(|n| body.split_at_checked(n)) else { break };
        if h.vr != Some(*b"SQ") {
            found.push((h.tag, value));
        }
        rest = after;
    }
    found
}

/// How many bytes a sequence of undefined length takes, its delimiter included.
fn skip_sequence(bytes: &[u8], explicit: bool, depth: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let h = head(bytes.get(at..)?, explicit)?;
        at += h.size;
        match h.tag {
            SEQUENCE_END => return Some(at),
            ITEM if h.length == UNDEFINED => at += skip_item(bytes.get(at..)?, explicit, depth + 1)?,
            ITEM => at = at.checked_add(usize::try_from(h.length).ok()?)?,
            _ => return None,
        }
    }
}

fn skip_item(bytes: &[u8], explicit: bool, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut at = 0;
    loop {
        let h = head(bytes.get(at..)?, explicit)?;
        at += h.size;
        if h.tag == ITEM_END {
            return Some(at);
        }
        at = if h.length == UNDEFINED {
            at + skip_sequence(bytes.get(at..)?, explicit && h.vr != Some(*b"UN"), depth)?
        } else {
            at.checked_add(usize::try_from(h.length).ok()?)?
        };
    }
}

/// What a data set says that it is, as far as it can be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SopUids {
    /// SOP Class UID (0008,0016).
    pub(super) class: Option<String>,
    /// SOP Instance UID (0008,0018).
    pub(super) instance: Option<String>,
}

/// SOP Class and SOP Instance UID of a data set; none where it has none or the syntax is not little endian.
pub(super) fn sop_uids(bytes: &[u8], transfer_syntax: &str) -> SopUids {
    use dicom_dictionary_std::uids;
    let mut found = SopUids::default();
    if matches!(transfer_syntax, super::classes::EXPLICIT_VR_BIG_ENDIAN | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) {
        return found;
    }
    let mut rest = bytes;
    // Group 0008 stands at the front, and nothing before (0008,0018) is a sequence.
    while let Some(h) = head(rest, transfer_syntax != uids::IMPLICIT_VR_LITTLE_ENDIAN).filter(|h| h.tag <= (0x0008, 0x0018)) {
        let end = usize::try_from(h.length).ok().and_then(|n| rest.get(h.size..)?.split_at_checked(n));
        let Some((value, after)) = end else { break };
        let uid = || Some(String::from_utf8_lossy(value).trim_matches(['\0', ' ']).to_owned());
        match h.tag {
            (0x0008, 0x0016) => found.class = uid(),
            (0x0008, 0x0018) => found.instance = uid(),
            _ => {}
        }
        rest = after;
    }
    found
}

/// Writes one element of a query identifier. `vr` must be one with a short length.
pub(super) fn push(out: &mut Vec<u8>, explicit: bool, tag: Tag, vr: [u8; 2], value: &[u8]) {
    let pad = if vr == *b"UI" { 0 } else { b' ' };
    let length = value.len() + value.len() % 2;
    out.extend_from_slice(&tag.0.to_le_bytes());
    out.extend_from_slice(&tag.1.to_le_bytes());
    if explicit {
        out.extend_from_slice(&vr);
        out.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_le_bytes());
    } else {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
    }
    out.extend_from_slice(value);
    if value.len() % 2 == 1 {
        out.push(pad);
    }
}

/// A data set in explicit VR little endian rewritten in implicit VR little endian: the same values, other
/// headers. `None` when the bytes are broken or hold encapsulated pixels.
pub(super) fn implicit_from_explicit(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() + 1024);
    let used = elements(bytes, &mut out, false, 0)?;
    (used == bytes.len()).then_some(out)
}

/// Rewrites elements until the bytes end, or until an item delimiter, which is rewritten too.
fn elements(bytes: &[u8], out: &mut Vec<u8>, to_delimiter: bool, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut at = 0;
    while at < bytes.len() {
        let h = head(&bytes[at..], true)?;
        at += h.size;
        let body = bytes.get(at..)?;
        put_head(out, h.tag, h.length);
        if h.tag == ITEM_END {
            return to_delimiter.then_some(at);
        }
        if h.tag.0 == 0xFFFE {
            return None;
        }
        at += match (h.vr, h.length) {
            (Some([b'S', b'Q']), UNDEFINED) => items(body, out, true, depth)?,
            (Some([b'S', b'Q']), length) => {
                let inner = body.get(..usize::try_from(length).ok()?)?;
                patched(out, |out| items(inner, out, false, depth))?
            }
            // The content of an unknown sequence is implicit already (PS3.5 §6.2.2).
            (Some([b'U', b'N']), UNDEFINED) => {
                let n = skip_sequence(body, false, depth)?;
                out.extend_from_slice(&body[..n]);
                n
            }
            (_, UNDEFINED) => return None,
            (_, length) => {
                let value = body.get(..usize::try_from(length).ok()?)?;
                out.extend_from_slice(value);
                value.len()
            }
        };
    }
    (!to_delimiter).then_some(at)
}

fn items(bytes: &[u8], out: &mut Vec<u8>, to_delimiter: bool, depth: usize) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let h = head(&bytes[at..], true)?;
        at += h.size;
        put_head(out, h.tag, h.length);
        at += match (h.tag, h.length) {
            (SEQUENCE_END, _) => return to_delimiter.then_some(at),
            (ITEM, UNDEFINED) => elements(bytes.get(at..)?, out, true, depth + 1)?,
            (ITEM, length) => {
                let inner = bytes.get(at..)?.get(..usize::try_from(length).ok()?)?;
                patched(out, |out| elements(inner, out, false, depth + 1))?
            }
            _ => return None,
        };
    }
    (!to_delimiter).then_some(at)
}

fn put_head(out: &mut Vec<u8>, tag: Tag, length: u32) {
    out.extend_from_slice(&tag.0.to_le_bytes());
    out.extend_from_slice(&tag.1.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
}

/// Writes a body and corrects the length field just before it, for headers inside have shrunk.
fn patched(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>) -> Option<usize>) -> Option<usize> {
    let start = out.len();
    let used = body(out)?;
    let length = u32::try_from(out.len() - start).ok()?;
    out.get_mut(start - 4..start)?.copy_from_slice(&length.to_le_bytes());
    Some(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dicom_core::{DataElement, PrimitiveValue, VR, value::DataSetSequence};
    use dicom_dictionary_std::tags;
    use dicom_encoding::transfer_syntax::TransferSyntaxIndex as _;
    use dicom_object::InMemDicomObject;

    fn sample() -> InMemDicomObject {
        let inner = InMemDicomObject::from_element_iter([
            DataElement::new(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, PrimitiveValue::from("1.2.3")),
            DataElement::new(
                tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
                VR::SQ,
                DataSetSequence::from(vec![InMemDicomObject::from_element_iter([DataElement::new(
                    tags::CODE_VALUE,
                    VR::SH,
                    PrimitiveValue::from("121322"),
                )])]),
            ),
        ]);
        InMemDicomObject::from_element_iter([
            DataElement::new(tags::PATIENT_NAME, VR::PN, PrimitiveValue::from("Demo^One")),
            DataElement::new(tags::STUDY_DATE, VR::DA, PrimitiveValue::from("20260102")),
            DataElement::new(tags::SOURCE_IMAGE_SEQUENCE, VR::SQ, DataSetSequence::from(vec![inner])),
            DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(vec![1_u16, 2, 3].into())),
        ])
    }

    fn encoded(uid: &str) -> Vec<u8> {
        let mut out = Vec::new();
        sample().write_dataset_with_ts(&mut out, dicom_transfer_syntax_registry::TransferSyntaxRegistry.get(uid).unwrap()).unwrap();
        out
    }

    #[test]
    fn explicit_becomes_what_others_read_as_implicit() {
        let ours = implicit_from_explicit(&encoded("1.2.840.10008.1.2.1")).unwrap();
        let implicit = dicom_transfer_syntax_registry::TransferSyntaxRegistry.get("1.2.840.10008.1.2").unwrap();
        let read = InMemDicomObject::read_dataset_with_ts(ours.as_slice(), implicit).unwrap();
        for element in sample() {
            assert_eq!(read.element(element.header().tag).unwrap().value().to_multi_str().ok(), element.value().to_multi_str().ok());
        }
        let code = read.element(tags::SOURCE_IMAGE_SEQUENCE).unwrap().items().unwrap()[0]
            .element(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE)
            .unwrap()
            .items()
            .unwrap()[0]
            .clone();
        assert_eq!(code.element(tags::CODE_VALUE).unwrap().to_str().unwrap(), "121322");
    }

    #[test]
    fn defined_lengths_are_corrected() {
        let mut item = Vec::new();
        push(&mut item, true, (8, 0x1155), *b"UI", b"1.2.3");
        let mut data = [&[8, 0, 0x12, 0x21, b'S', b'Q', 0, 0][..], &u32::to_le_bytes(u32::try_from(item.len()).unwrap() + 8)].concat();
        data.extend([0xFE, 0xFF, 0x00, 0xE0]);
        data.extend(u32::try_from(item.len()).unwrap().to_le_bytes());
        data.extend(&item);
        push(&mut data, true, (0x20, 0x11), *b"IS", b"7");
        let out = implicit_from_explicit(&data).unwrap();
        assert_eq!(flat(&out, false).last().unwrap(), &((0x20, 0x11), &b"7 "[..]));
        assert_eq!(flat(&data, true), [((0x20, 0x11), &b"7 "[..])]);
    }

    #[test]
    fn sequences_are_passed_over_and_broken_bytes_end_it() {
        for (uid, explicit) in [("1.2.840.10008.1.2.1", true), ("1.2.840.10008.1.2", false)] {
            let bytes = encoded(uid);
            let tags: Vec<Tag> = flat(&bytes, explicit).into_iter().map(|e| e.0).collect();
            assert!(tags.contains(&(0x10, 0x10)) && tags.contains(&(0x7FE0, 0x10)), "{tags:?}");
            for cut in 0..bytes.len() {
                flat(&bytes[..cut], explicit);
                if explicit {
                    implicit_from_explicit(&bytes[..cut]);
                }
            }
        }
    }
}
