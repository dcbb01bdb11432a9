//! From data sets on the wire to part-10 files.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_a_meta_group_that_others_read() {
        let mut file = head("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", "PACS");
        let (at, ts) =
            mj_dicom::dataset::locate(&[file.as_slice(), &[8, 0, 0x18, 0, b'U', b'I', 6, 0, b'1', b'.', b'2', b'.', b'3', 0]].concat())
                .unwrap();
        assert_eq!((at, ts.as_str()), (file.len(), "1.2.840.10008.1.2.1"));
        file.extend_from_slice(&[8, 0, 0x18, 0, b'U', b'I', 6, 0, b'1', b'.', b'2', b'.', b'3', 0]);
        let object = dicom_object::from_reader(file.as_slice()).unwrap();
        assert_eq!(object.meta().media_storage_sop_instance_uid(), "1.2.3");
        assert_eq!(object.meta().source_application_entity_title(), Some("PACS"));
    }
}
