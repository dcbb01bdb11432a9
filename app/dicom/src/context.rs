//! Patient and study of an existing object, taken over into new objects of the same study.

use crate::charset::Shape;
use crate::dataset::{Dataset, View};
use crate::error::Result;
use crate::write::Object;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::{FrameOfReferenceUid, InstanceUid, Moment, SeriesUid, SopClassUid, StudyUid, Warning};

/// Patient, study and patient study modules. Those of type 2 are written empty where the source has none.
/// Source: PS3.3 §C.7.1.1, §C.7.2.1, §C.7.2.2.
const TAKEN: &[(Tag, VR, bool)] = &[
    (tags::PATIENT_NAME, VR::PN, true),
    (tags::PATIENT_ID, VR::LO, true),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO, false),
    (tags::PATIENT_BIRTH_DATE, VR::DA, true),
    (tags::PATIENT_BIRTH_TIME, VR::TM, false),
    (tags::PATIENT_SEX, VR::CS, true),
    (tags::OTHER_PATIENT_NAMES, VR::PN, false),
    (tags::PATIENT_COMMENTS, VR::LT, false),
    (tags::STUDY_INSTANCE_UID, VR::UI, true),
    (tags::STUDY_DATE, VR::DA, true),
    (tags::STUDY_TIME, VR::TM, true),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, true),
    (tags::STUDY_ID, VR::SH, true),
    (tags::ACCESSION_NUMBER, VR::SH, true),
    (tags::STUDY_DESCRIPTION, VR::LO, false),
    (tags::PATIENT_AGE, VR::AS, false),
    (tags::PATIENT_SIZE, VR::DS, false),
    (tags::PATIENT_WEIGHT, VR::DS, false),
    (tags::OCCUPATION, VR::SH, false),
    (tags::ADDITIONAL_PATIENT_HISTORY, VR::LT, false),
    (tags::PATIENT_IDENTITY_REMOVED, VR::CS, false),
    (tags::DEIDENTIFICATION_METHOD, VR::LO, false),
];

/// What new objects of a study take over.
#[derive(Debug, Clone)]
pub struct Context {
    /// Patient and study attributes, as UTF-8.
    modules: Object,
    /// Study Instance UID.
    pub study: StudyUid,
    /// Series of the object it was taken from.
    pub series: SeriesUid,
    /// The object it was taken from.
    pub instance: InstanceUid,
    /// Its SOP class.
    pub sop_class: SopClassUid,
    /// Its modality.
    pub modality: String,
    /// Its frame of reference.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Text that could not be taken over whole.
    pub warnings: Vec<Warning>,
}

impl Context {
    /// Takes patient and study over. Text is turned into UTF-8 by its declared character set. Where that set
    /// does not fit, nothing is guessed: only the plain ASCII parts are taken, and a warning says so.
    ///
    /// # Errors
    /// When the object lacks the UIDs that place it.
    pub fn of(dataset: &Dataset) -> Result<Self> {
        let header = dataset.header()?;
        let root = dataset.root();
        let mut modules = Object::new();
        let mut warnings = Vec::new();
        for &(tag, vr, is_required) in TAKEN {
            match taken(&root, tag, vr).filter(|(text, _)| vr != VR::AS || is_age(text)) {
                Some((text, is_whole)) => {
                    if !is_whole {
                        warnings.push(Warning::new("text.not_taken_over", "text outside the declared character set was left out"));
                    }
                    modules.bytes(tag, vr, text.into_bytes());
                }
                None if is_required => {
                    modules.empty(tag, vr);
                }
                None => {}
            }
        }
        warnings.dedup();
        modules.uid(tags::STUDY_INSTANCE_UID, header.study.uid.as_str());
        Ok(Self {
            modules,
            study: header.study.uid,
            series: header.series.uid,
            instance: header.instance,
            sop_class: header.sop_class,
            modality: header.series.modality,
            frame_of_reference: header.series.frame_of_reference,
            warnings,
        })
    }

    /// Puts patient and study into a new object.
    pub fn put_into(&self, object: &mut Object) {
        object.put_all(&self.modules);
    }
}

/// `nnnD`, `nnnW`, `nnnM` or `nnnY`; an optional age in another form is left out. Source: PS3.5 §6.2 (AS).
fn is_age(text: &str) -> bool {
    matches!(text.as_bytes(), [a, b, c, b'D' | b'W' | b'M' | b'Y'] if [a, b, c].iter().all(|d| d.is_ascii_digit()))
}

/// The value without padding, and whether it is whole.
fn taken(root: &View<'_>, tag: Tag, vr: VR) -> Option<(String, bool)> {
    let raw = root.raw(tag)?;
    let shape = match vr {
        VR::PN => Shape::Name,
        VR::LT | VR::ST | VR::UT => Shape::Long,
        _ => Shape::Values,
    };
    let charset =
        if matches!(vr, VR::PN | VR::LO | VR::SH | VR::LT) { root.charset().clone() } else { crate::charset::CharacterSet::default() };
    let read = charset.decode(raw, shape);
    let (text, is_whole) = if read.is_repaired {
        (raw.iter().filter(|b| b.is_ascii() && !b.is_ascii_control()).map(|&b| char::from(b)).collect(), false)
    } else {
        (read.text, true)
    };
    Some((text.trim_end_matches([' ', '\0']).to_owned(), is_whole))
}

/// The device that makes an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Name of the product.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Serial number or other name of this installation; may be `0`.
    pub serial: String,
    /// UID of this installation, for the observer context of reports.
    pub uid: String,
}

impl Device {
    /// Puts the equipment modules. Source: PS3.3 §C.7.5.1, §C.7.5.2.
    pub(crate) fn put_into(&self, object: &mut Object) {
        object
            .text(tags::MANUFACTURER, VR::LO, crate::write::MANUFACTURER)
            .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, &self.name)
            .text(tags::DEVICE_SERIAL_NUMBER, VR::LO, if self.serial.is_empty() { "0" } else { &self.serial })
            .text(tags::SOFTWARE_VERSIONS, VR::LO, &self.version);
    }
}

/// Puts when an object and its content came to be. Source: PS3.3 §C.12.1.
pub(crate) fn put_moment(object: &mut Object, at: Moment) {
    put_creation(object, at);
    object.text(tags::CONTENT_DATE, VR::DA, &at.dicom_date()).text(tags::CONTENT_TIME, VR::TM, &at.dicom_time());
}

/// Puts when an object came to be, for objects that tell the time of their content by other names. Source: PS3.3 §C.12.1.
pub(crate) fn put_creation(object: &mut Object, at: Moment) {
    let offset = at.local().strftime("%z").to_string();
    object.text(tags::INSTANCE_CREATION_DATE, VR::DA, &at.dicom_date()).text(tags::INSTANCE_CREATION_TIME, VR::TM, &at.dicom_time()).text(
        tags::TIMEZONE_OFFSET_FROM_UTC,
        VR::SH,
        &offset,
    );
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Its SOP Instance UID.
    pub sop_instance: InstanceUid,
    /// Its SOP Class UID.
    pub sop_class: SopClassUid,
}

impl Written {
    pub(crate) fn from_object(object: Object, sop_class: &str, instance: &InstanceUid) -> Result<Self> {
        let class = SopClassUid::parse(sop_class).map_err(|_not_a_uid| crate::Error::BadValue { keyword: "SOPClassUID" })?;
        Ok(Self { bytes: object.into_file(sop_class, instance.as_str())?, sop_instance: instance.clone(), sop_class: class })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Object;

    fn source(charset: &str, name: &[u8], age: &str) -> Dataset {
        let mut object = Object::new();
        object
            .uid(tags::STUDY_INSTANCE_UID, "1.2.1")
            .uid(tags::SERIES_INSTANCE_UID, "1.2.2")
            .bytes(tags::PATIENT_NAME, VR::PN, name.to_vec())
            .text(tags::PATIENT_ID, VR::LO, "P1")
            .bytes(tags::PATIENT_AGE, VR::AS, age.as_bytes().to_vec());
        let mut bytes = object.into_file("1.2.840.10008.5.1.4.1.1.2", "1.2.3").unwrap();
        // Objects are written as UTF-8; the source of this test names another set.
        let at = bytes.windows(10).position(|w| w == b"ISO_IR 192").unwrap();
        bytes[at..at + 10].copy_from_slice(format!("{charset:<10}").as_bytes());
        Dataset::read(&bytes).unwrap()
    }

    fn copied(context: &Context) -> Dataset {
        let mut object = Object::new();
        context.put_into(&mut object);
        Dataset::read(&object.into_file("1.2.840.10008.5.1.4.1.1.88.33", "1.2.4").unwrap()).unwrap()
    }

    #[test]
    fn names_are_taken_over_as_utf8() {
        let name = encoding_rs::GB18030.encode("Shili^Yi=示例^一").0.into_owned();
        let context = Context::of(&source("GB18030", &name, "063Y")).unwrap();
        let copy = copied(&context);
        assert_eq!(copy.root().text(tags::PATIENT_NAME), "Shili^Yi=示例^一");
        assert_eq!(copy.root().text(tags::PATIENT_AGE), "063Y");
        assert!(context.warnings.is_empty() && copy.root().has(tags::ACCESSION_NUMBER));
    }

    #[test]
    fn a_guess_is_never_written() {
        let name = encoding_rs::GBK.encode("Shili^Yi=示例^一").0.into_owned();
        let dataset = source("ISO_IR 6", &name, "18");
        // Shown repaired, but not taken over.
        assert_eq!(dataset.header().unwrap().patient.name.ideographic.show(), "示例^一");
        let context = Context::of(&dataset).unwrap();
        let copy = copied(&context);
        assert_eq!(copy.root().text(tags::PATIENT_NAME), "Shili^Yi=^");
        assert!(!copy.root().has(tags::PATIENT_AGE));
        assert_eq!(context.warnings[0].code, "text.not_taken_over");
    }
}
