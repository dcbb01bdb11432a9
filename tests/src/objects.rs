//! Small, valid CT objects for tests that need no real image.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use mj_model::{InstanceUid, SeriesUid, StudyUid};

/// One object.
#[derive(Debug, Clone)]
pub struct Object {
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its part-10 file, explicit VR little endian.
    pub bytes: Vec<u8>,
}

/// One series.
#[derive(Debug, Clone)]
pub struct Series {
    /// Study Instance UID.
    pub study: StudyUid,
    /// Series Instance UID.
    pub series: SeriesUid,
    /// Its slices, 5 mm apart.
    pub objects: Vec<Object>,
}

/// A CT series of `n` slices of `size` by `size` pixels, with the patient's name in UTF-8.
///
/// # Panics
/// When an object cannot be written.
#[must_use]
pub fn ct(n: u16, size: u16, patient_name: &str, patient_id: &str) -> Series {
    let (study, series, frame) = (StudyUid::fresh(), SeriesUid::fresh(), mj_model::FrameOfReferenceUid::fresh());
    let objects = (0..n).map(|k| slice(k, size, patient_name, patient_id, [study.as_str(), series.as_str(), frame.as_str()])).collect();
    Series { study, series, objects }
}

fn slice(k: u16, size: u16, name: &str, id: &str, [study, series, frame]: [&str; 3]) -> Object {
    let instance = InstanceUid::fresh();
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    let pixels: Vec<u16> =
        (0..u32::from(size) * u32::from(size)).map(|i| u16::try_from((i * 7 + u32::from(k) * 13) % 4096).unwrap_or(0)).collect();
    let object = InMemDicomObject::from_element_iter([
        text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
        text(tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, instance.as_str()),
        text(tags::STUDY_DATE, VR::DA, "20260102"),
        text(tags::STUDY_TIME, VR::TM, "101500"),
        text(tags::ACCESSION_NUMBER, VR::SH, "ACC0001"),
        text(tags::MODALITY, VR::CS, "CT"),
        text(tags::MANUFACTURER, VR::LO, "Test"),
        text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, ""),
        text(tags::STUDY_DESCRIPTION, VR::LO, "胸部平扫"),
        text(tags::PATIENT_NAME, VR::PN, name),
        text(tags::PATIENT_ID, VR::LO, id),
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "19600304"),
        text(tags::PATIENT_SEX, VR::CS, "M"),
        text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST"),
        text(tags::SLICE_THICKNESS, VR::DS, "5"),
        text(tags::KVP, VR::DS, "120"),
        text(tags::PATIENT_POSITION, VR::CS, "HFS"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, study),
        text(tags::SERIES_INSTANCE_UID, VR::UI, series),
        text(tags::STUDY_ID, VR::SH, "1"),
        text(tags::SERIES_NUMBER, VR::IS, "2"),
        text(tags::ACQUISITION_NUMBER, VR::IS, "1"),
        text(tags::INSTANCE_NUMBER, VR::IS, &(k + 1).to_string()),
        text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("-160\\-160\\{}", 5 * i32::from(k))),
        text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, frame),
        text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
        number(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        number(tags::ROWS, size),
        number(tags::COLUMNS, size),
        text(tags::PIXEL_SPACING, VR::DS, "0.625\\0.625"),
        number(tags::BITS_ALLOCATED, 16),
        number(tags::BITS_STORED, 12),
        number(tags::HIGH_BIT, 11),
        number(tags::PIXEL_REPRESENTATION, 0),
        text(tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        text(tags::RESCALE_SLOPE, VR::DS, "1"),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())),
    ]);
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let file = object.with_meta(meta).expect("a file meta group");
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).expect("an object in memory");
    Object { instance, bytes }
}

/// The data set of a part-10 file: what follows group 0002.
///
/// # Panics
/// When it is no part-10 file with a group length.
#[must_use]
pub fn data_set(part10: &[u8]) -> &[u8] {
    // (0002,0000) UL, its value right behind its eight bytes of header.
    let length: [u8; 4] = part10.get(140..144).and_then(|b| b.try_into().ok()).expect("a group length");
    let start = 144 + usize::try_from(u32::from_le_bytes(length)).expect("a length that fits");
    part10.get(start..).expect("a data set")
}
