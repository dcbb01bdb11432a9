//! What an object says about patient, study, series and itself.

use crate::dataset::{CUT_SHORT, Dataset, PIXELS, View};
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use mj_model::{
    FrameOfReferenceUid, InstanceUid, PatientKey, PersonName, Phi, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid, Warning,
};
use std::cell::Cell;

/// Reason for Study: retired, still written by older systems.
const REASON_FOR_STUDY: Tag = Tag(0x0032, 0x1030);
/// SOP class of the index of a medium.
const MEDIA_DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// The patient. Source: PS3.3 §C.7.1.1.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// Issuer and id.
    pub key: PatientKey,
    /// Name in its three groups.
    pub name: PersonName,
    /// `M`, `F`, `O` or empty.
    pub sex: String,
    /// Birth date, `YYYY-MM-DD`.
    pub birth_date: Option<Phi<String>>,
    /// Age at the study as in the file, for example `063Y`.
    pub age: Option<String>,
}

impl Patient {
    /// True when two descriptions under one key cannot be of one person: sex, birth date or name differ where both say
    /// them.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let differ = |a: &str, b: &str| !a.trim().is_empty() && !b.trim().is_empty() && !a.trim().eq_ignore_ascii_case(b.trim());
        let birth = |patient: &Self| patient.birth_date.as_ref().map_or_else(String::new, |date| date.show().clone());
        differ(&self.sex, &other.sex) || differ(&birth(self), &birth(other)) || self.name.contradicts(&other.name)
    }
}

/// The study. Source: PS3.3 §C.7.2.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Study Instance UID.
    pub uid: StudyUid,
    /// Study ID.
    pub id: String,
    /// Study Date, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Study Time, `HH:MM:SS`; empty when absent.
    pub time: String,
    /// Study Description.
    pub description: String,
    /// Accession Number.
    pub accession: Phi<String>,
    /// Institution Name.
    pub institution: String,
    /// Referring Physician's Name, for people.
    pub referring: String,
    /// What was asked for: Requested Procedure Description, or the reason where there is none.
    pub request: String,
    /// What is known of the patient's history and the reason for the study.
    pub clinical_history: Phi<String>,
}

/// The series. Source: PS3.3 §C.7.3.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Series Instance UID.
    pub uid: SeriesUid,
    /// Series Number.
    pub number: Option<i64>,
    /// Modality.
    pub modality: String,
    /// Series Description.
    pub description: String,
    /// Body Part Examined.
    pub body_part: String,
    /// Laterality: `R`, `L` or empty.
    pub laterality: String,
    /// Frame of Reference UID.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
}

/// Everything of an object that is not its pixels, text decoded by its character set.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The patient.
    pub patient: Patient,
    /// The study.
    pub study: Study,
    /// The series.
    pub series: Series,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// Transfer syntax of the bytes.
    pub transfer_syntax: TransferSyntaxUid,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Rows; 0 without an image.
    pub rows: u32,
    /// Columns; 0 without an image.
    pub columns: u32,
    /// Number of frames; 0 without an image.
    pub frames: u32,
    /// True when there is pixel data.
    pub has_pixels: bool,
    /// What is odd about the header.
    pub warnings: Vec<Warning>,
}

impl Dataset {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Error::DicomDir`]; [`Error::Missing`] or [`Error::BadValue`] for a UID that identifies the object.
    pub fn header(&self) -> Result<Header> {
        Header::of(self)
    }

    /// True when there is pixel data of any kind.
    #[must_use]
    pub fn has_pixels(&self) -> bool {
        let root = self.root();
        PIXELS.iter().any(|&tag| root.has(tag))
    }
}

/// A view that notes when a text had to be repaired.
struct Texts<'a> {
    root: View<'a>,
    is_repaired: Cell<bool>,
}

impl Texts<'_> {
    fn get(&self, tag: Tag) -> String {
        let read = self.root.read_text(tag);
        self.is_repaired.set(self.is_repaired.get() || read.is_repaired);
        read.text.trim().to_owned()
    }

    fn first_of(&self, wanted: &[Tag]) -> String {
        wanted.iter().map(|&tag| self.get(tag)).find(|text| !text.is_empty()).unwrap_or_default()
    }
}

impl Header {
    /// True when only the first rows or frames of its pixels are there.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.warnings.iter().any(|w| w.code == CUT_SHORT)
    }

    fn of(dataset: &Dataset) -> Result<Self> {
        let root = dataset.root();
        if root.first_text(tags::SOP_CLASS_UID) == MEDIA_DIRECTORY || root.has(tags::DIRECTORY_RECORD_SEQUENCE) {
            return Err(Error::DicomDir);
        }
        let texts = Texts { root: root.clone(), is_repaired: Cell::new(false) };
        let instance = root.uid(tags::SOP_INSTANCE_UID, "SOPInstanceUID", InstanceUid::parse)?;
        let sop_class = root.uid(tags::SOP_CLASS_UID, "SOPClassUID", SopClassUid::parse)?;
        let (patient, study, series) = (patient(&texts), study(&texts)?, series(&texts)?);
        let has_pixels = dataset.has_pixels();
        let mut warnings = Vec::new();
        if texts.is_repaired.get() {
            warnings.push(Warning::new("text.charset_repaired", "the declared character set does not fit the text"));
        }
        if !dataset.has_meta() {
            warnings.push(Warning::new("file.no_meta", "no meta group: the transfer syntax was guessed"));
        }
        warnings.extend(dataset.cut_warning());
        Ok(Self {
            patient,
            study,
            series,
            instance,
            sop_class,
            transfer_syntax: TransferSyntaxUid::parse(dataset.transfer_syntax())
                .map_err(|_not_a_uid| Error::BadValue { keyword: "TransferSyntaxUID" })?,
            instance_number: root.int(tags::INSTANCE_NUMBER),
            rows: root.count(tags::ROWS).unwrap_or(0),
            columns: root.count(tags::COLUMNS).unwrap_or(0),
            frames: if has_pixels { root.count(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1) } else { 0 },
            has_pixels,
            warnings,
        })
    }
}

fn patient(texts: &Texts<'_>) -> Patient {
    Patient {
        key: PatientKey { issuer: Phi::new(texts.get(tags::ISSUER_OF_PATIENT_ID)), id: Phi::new(texts.get(tags::PATIENT_ID)) },
        name: PersonName::parse(&texts.get(tags::PATIENT_NAME)),
        sex: texts.get(tags::PATIENT_SEX),
        birth_date: date(&texts.get(tags::PATIENT_BIRTH_DATE)).map(Phi::new),
        age: Some(texts.get(tags::PATIENT_AGE)).filter(|age| !age.is_empty()),
    }
}

fn study(texts: &Texts<'_>) -> Result<Study> {
    let root = &texts.root;
    let requested = root.item(tags::REQUEST_ATTRIBUTES_SEQUENCE);
    let of_request = |tag| requested.as_ref().map(|item| item.text(tag)).filter(|text| !text.is_empty());
    let request = of_request(tags::REQUESTED_PROCEDURE_DESCRIPTION).unwrap_or_else(|| {
        texts.first_of(&[tags::REQUESTED_PROCEDURE_DESCRIPTION, REASON_FOR_STUDY, tags::REASON_FOR_THE_REQUESTED_PROCEDURE])
    });
    let mut history: Vec<String> = Vec::new();
    for tag in [
        tags::ADDITIONAL_PATIENT_HISTORY,
        REASON_FOR_STUDY,
        tags::REASON_FOR_THE_REQUESTED_PROCEDURE,
        tags::ADMITTING_DIAGNOSES_DESCRIPTION,
    ] {
        let text = texts.get(tag);
        if !text.is_empty() && text != request && !history.contains(&text) {
            history.push(text);
        }
    }
    Ok(Study {
        uid: root.uid(tags::STUDY_INSTANCE_UID, "StudyInstanceUID", StudyUid::parse)?,
        id: texts.get(tags::STUDY_ID),
        date: [tags::STUDY_DATE, tags::SERIES_DATE, tags::ACQUISITION_DATE, tags::CONTENT_DATE]
            .iter()
            .find_map(|&tag| date(&texts.get(tag))),
        time: time(&texts.first_of(&[tags::STUDY_TIME, tags::SERIES_TIME])),
        description: texts.get(tags::STUDY_DESCRIPTION),
        accession: Phi::new(texts.get(tags::ACCESSION_NUMBER)),
        institution: texts.get(tags::INSTITUTION_NAME),
        referring: PersonName::parse(&texts.get(tags::REFERRING_PHYSICIAN_NAME)).display(mj_model::Lang::Zh).into_shown(),
        request,
        clinical_history: Phi::new(history.join("\n")),
    })
}

fn series(texts: &Texts<'_>) -> Result<Series> {
    let root = &texts.root;
    Ok(Series {
        uid: root.uid(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", SeriesUid::parse)?,
        number: root.int(tags::SERIES_NUMBER),
        modality: texts.get(tags::MODALITY),
        description: texts.get(tags::SERIES_DESCRIPTION),
        body_part: texts.get(tags::BODY_PART_EXAMINED),
        laterality: texts.first_of(&[tags::LATERALITY, tags::IMAGE_LATERALITY]),
        frame_of_reference: FrameOfReferenceUid::parse(&root.first_text(tags::FRAME_OF_REFERENCE_UID)).ok(),
    })
}

/// DA as `YYYY-MM-DD`; also the dotted form of ACR-NEMA. `None` for what is no date.
fn date(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | '-' | '/')).collect();
    if digits.len() < 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (digits.get(..4)?, digits.get(4..6)?, digits.get(6..8)?);
    let in_range = |text: &str, most: u32| text.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n));
    (in_range(month, 12) && in_range(day, 31)).then(|| format!("{year}-{month}-{day}"))
}

/// TM as `HH:MM:SS`, as far as it is given.
fn time(text: &str) -> String {
    let digits: String = text.split('.').next().unwrap_or_default().chars().filter(char::is_ascii_digit).take(6).collect();
    [0, 2, 4].iter().filter_map(|&at| digits.get(at..at + 2)).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        assert_eq!(date("20260229").as_deref(), Some("2026-02-29"));
        assert_eq!(date("1997.04.24").as_deref(), Some("1997-04-24"));
        assert_eq!(date("20261301"), None);
        assert_eq!(date("王"), None);
        assert_eq!(time("081500.25"), "08:15:00");
        assert_eq!(time("0815"), "08:15");
        assert_eq!(time(""), "");
    }
}
