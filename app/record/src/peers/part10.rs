//! From data sets on the wire to part-10 files and back.
//!
//! Source: PS3.10 §7.1 (file meta information).

use super::classes::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};

/// The preamble, `DICM` and a file meta group, ready for the data set to be appended.
pub(super) fn head(sop_class: &str, instance: &str, transfer_syntax: &str, from_aet: &str) -> Vec<u8> {
    let mut group = Vec::with_capacity(256);
    // OB has a two-byte gap and a four-byte length.
    group.extend_from_slice(&[0x02, 0, 0x01, 0, b'O', b'B', 0, 0, 2, 0, 0, 0, 0, 1]);
    short(&mut group, 0x0002, *b"UI", sop_class, 0);
    short(&mut group, 0x0003, *b"UI", instance, 0);
    short(&mut group, 0x0010, *b"UI", transfer_syntax, 0);
    short(&mut group, 0x0012, *b"UI", IMPLEMENTATION_CLASS_UID, 0);
    short(&mut group, 0x0013, *b"SH", IMPLEMENTATION_VERSION_NAME, b' ');
    short(&mut group, 0x0016, *b"AE", from_aet, b' ');
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    out.extend_from_slice(&[0x02, 0, 0, 0, b'U', b'L', 4, 0]);
    out.extend_from_slice(&u32::try_from(group.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&group);
    out
}

fn short(out: &mut Vec<u8>, element: u16, vr: [u8; 2], value: &str, pad: u8) {
    let length = u16::try_from(value.len() + value.len() % 2).unwrap_or(0);
    out.extend_from_slice(&2_u16.to_le_bytes());
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&vr);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(value.as_bytes());
    if value.len() % 2 == 1 {
        out.push(pad);
    }
}

/// Where the data set begins in a part-10 file, and the transfer syntax its meta group names. `None` when the
/// bytes do not begin with a preamble and a meta group.
pub(super) fn data_set(bytes: &[u8]) -> Option<(usize, String)> {
    if bytes.get(128..132)? != b"DICM" {
        return None;
    }
    let mut at = 132;
    let mut transfer_syntax = None;
    loop {
        if bytes.get(at..).is_none_or(|rest| !rest.starts_with(&[2, 0])) {
            break;
        }
        let head = bytes.get(at..at + 8)?;
        let element = u16::from_le_bytes([head[2], head[3]]);
        let long = matches!(&head[4..6], b"OB" | b"OW" | b"UN" | b"UT" | b"SQ");
        let (start, length) = if long {
            let l = bytes.get(at + 8..at + 12)?;
            (at + 12, usize::try_from(u32::from_le_bytes([l[0], l[1], l[2], l[3]])).ok()?)
        } else {
            (at + 8, usize::from(u16::from_le_bytes([head[6], head[7]])))
        };
        let end = start.checked_add(length)?;
        let value = bytes.get(start..end)?;
        if element == 0x0010 {
            transfer_syntax = Some(String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).to_owned());
        }
        at = end;
    }
    Some((at, transfer_syntax?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_a_meta_group_that_others_read() {
        let mut file = head("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", "PACS");
        let (at, ts) = data_set(&[file.as_slice(), &[8, 0, 0x18, 0, b'U', b'I', 6, 0, b'1', b'.', b'2', b'.', b'3', 0]].concat()).unwrap();
        assert_eq!((at, ts.as_str()), (file.len(), "1.2.840.10008.1.2.1"));
        file.extend_from_slice(&[8, 0, 0x18, 0, b'U', b'I', 6, 0, b'1', b'.', b'2', b'.', b'3', 0]);
        let object = dicom_object::from_reader(file.as_slice()).unwrap();
        assert_eq!(object.meta().media_storage_sop_instance_uid(), "1.2.3");
        assert_eq!(object.meta().source_application_entity_title(), Some("PACS"));
    }

    #[test]
    fn rubbish_has_no_data_set() {
        assert_eq!(data_set(b"not a file"), None);
        let mut cut = head("1.2", "1.2", "1.2", "A");
        cut.truncate(cut.len() - 3);
        assert_eq!(data_set(&cut), None);
    }
}
