use super::*;
use crate::Error;
use dicom_dictionary_std::tags;

fn read(relative: &str) -> Option<Result<Dataset>> {
    let path = mj_testdata::path(relative)?;
    Some(Dataset::from_vec(std::fs::read(path).unwrap()))
}

#[test]
fn what_is_no_dicom_is_named() {
    assert_eq!(Dataset::read(b"").unwrap_err(), Error::Empty);
    assert_eq!(Dataset::read("这是一个文本文件，不是图像。".as_bytes()).unwrap_err(), Error::NotDicom);
    assert_eq!(Dataset::read(b"Hello, world: no image here, only text.").unwrap_err(), Error::NotDicom);
    assert_eq!(Dataset::read(&[0; 4096]).unwrap_err(), Error::NotDicom);
    assert_eq!(Dataset::read(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10").unwrap_err(), Error::NotDicom);
    let mut only_preamble = vec![0; 128];
    only_preamble.extend(b"DICM");
    assert_eq!(Dataset::read(&only_preamble).unwrap_err(), Error::Truncated { what: "data set" });
}

#[test]
fn names_by_their_character_sets() {
    for (file, name) in [
        ("chrArab", "قباني^لنزار"),
        ("chrFrenMulti", "Buc^Jérôme"),
        ("chrGerm", "Äneas^Rüdiger"),
        ("chrGreek", "Διονυσιος"),
        ("chrH31", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrH32", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        ("chrI2", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrJapMulti", "やまだ^たろう"),
        ("chrRuss", "Люкceмбypг"),
        ("chrX1", "Wang^XiaoDong=王^小東"),
        ("chrX2", "Wang^XiaoDong=王^小东"),
    ] {
        let Some(dataset) = read(&format!("charset/{file}.dcm")) else { return };
        let dataset = dataset.unwrap();
        let text = dataset.root().read_text(tags::PATIENT_NAME);
        assert_eq!((text.text.trim_end_matches('='), text.is_repaired), (name, false), "{file}");
    }
}

#[test]
fn a_set_inside_a_sequence_holds_there() {
    let Some(dataset) = read("charset/chrSQEncoding1.dcm") else { return };
    let dataset = dataset.unwrap();
    let item = dataset.root().item(tags::REQUESTED_PROCEDURE_CODE_SEQUENCE).unwrap();
    assert_eq!(item.text(tags::PATIENT_NAME), "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう");
}

#[test]
fn with_and_without_preamble_and_meta() {
    for (file, syntax, keyword) in [
        ("broken/ExplVR_LitEndNoMeta.dcm", crate::syntax::EXPLICIT_LE, "RTPLAN"),
        ("xray/CR-MONO1-10-chest.dcm", crate::syntax::IMPLICIT_LE, "CR"),
        ("syntax/pydicom/MR_small_bigendian.dcm", crate::syntax::EXPLICIT_BE, "MR"),
        ("syntax/pydicom/image_dfl.dcm", crate::syntax::DEFLATED_LE, "OT"),
        ("rt/rtstruct.dcm", crate::syntax::IMPLICIT_LE, "RTSTRUCT"),
    ] {
        let Some(dataset) = read(file) else { return };
        let dataset = dataset.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(dataset.root().text(tags::MODALITY), keyword, "{file}");
        assert_eq!(dataset.transfer_syntax(), syntax, "{file}");
    }
}

#[test]
fn the_hash_leaves_preamble_and_meta_out() {
    let Some(path) = mj_testdata::path("syntax/pydicom/CT_small.dcm") else { return };
    let bytes = std::fs::read(path).unwrap();
    let mut other = bytes.clone();
    other[..128].fill(7);
    assert_eq!(dataset_sha256(&bytes).unwrap(), dataset_sha256(&other).unwrap());
    let start = parse::locate(&bytes).unwrap().start;
    assert_eq!(dataset_sha256(&bytes[start..]).unwrap(), dataset_sha256(&bytes).unwrap());
    *other.last_mut().unwrap() ^= 1;
    assert_ne!(dataset_sha256(&bytes).unwrap(), dataset_sha256(&other).unwrap());
}

#[test]
fn broken_files_are_read_or_named() {
    let Some(folder) = mj_testdata::path("broken") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = Dataset::from_vec(std::fs::read(&path).unwrap());
        match name.as_str() {
            // Not even a first row is there.
            "3gb-bulk-data-truncated.dcm" => assert_eq!(read.as_ref().err(), Some(&Error::Truncated { what: "pixel data" })),
            // A stray blank stands before its first element.
            "no_meta.dcm" => assert_eq!(read.as_ref().err(), Some(&Error::NotDicom)),
            "GH220.dcm" | "GH223.dcm" | "GH487.dcm" => {}
            _ => assert!(read.is_ok() || matches!(read, Err(Error::Truncated { .. } | Error::Broken { .. })), "{name}: {:?}", read.err()),
        }
        if let Ok(dataset) = read {
            assert_eq!(dataset.is_cut_short(), name == "MR_truncated.dcm", "{name}");
            let _header_or_its_error = dataset.header();
        }
    }
}

#[test]
fn the_index_of_a_medium_is_told_apart() {
    for file in ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-reordered"] {
        let Some(dataset) = read(&format!("dicomdir/{file}")) else { return };
        assert_eq!(dataset.unwrap().header().unwrap_err(), Error::DicomDir, "{file}");
    }
}

/// Some devices name one native syntax and write another: what is told is what was read.
#[test]
fn the_syntax_told_is_the_one_that_was_read() {
    let mut object = crate::write::Object::new();
    object.text(tags::PATIENT_NAME, VR::PN, "Shili^Yi");
    let file = object.into_file("1.2.840.10008.5.1.4.1.1.2", "1.2.3").unwrap();
    assert_eq!(Dataset::read(&file).unwrap().transfer_syntax(), crate::syntax::EXPLICIT_LE);
    let explicit = b"1.2.840.10008.1.2.1\0";
    let at = file.windows(explicit.len()).position(|w| w == explicit).unwrap();
    for named in [b"1.2.840.10008.1.2\0\0\0", b"1.2.840.10008.1.2.2\0"] {
        let mut misnamed = file.clone();
        misnamed[at..at + explicit.len()].copy_from_slice(named);
        let dataset = Dataset::read(&misnamed).unwrap();
        assert_eq!(dataset.transfer_syntax(), crate::syntax::EXPLICIT_LE);
        assert_eq!(dataset.root().text(tags::PATIENT_NAME), "Shili^Yi");
        assert_eq!(locate(&misnamed).unwrap().1, crate::syntax::EXPLICIT_LE);
    }
}
