//! PDF documents as DICOM objects. Source: PS3.3 §A.45.1 (Encapsulated PDF).

use crate::context::{Context, Device, Written, put_moment};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::write::Object;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::{Code, InstanceUid, Moment, SeriesUid};

/// Encapsulated PDF Storage.
pub const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";

/// A PDF to be written.
#[derive(Debug)]
pub struct PdfInput<'a> {
    /// Patient and study.
    pub context: &'a Context,
    /// Its own SOP Instance UID.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Title for people.
    pub title: &'a str,
    /// The document.
    pub pdf: &'a [u8],
    /// When it came to be.
    pub at: Moment,
    /// Its content was verified by a person.
    pub is_verified: bool,
    /// The device.
    pub device: &'a Device,
}

/// Writes the object.
///
/// # Errors
/// [`Error::CannotWrite`] when the bytes are no PDF.
pub fn write_pdf(input: &PdfInput<'_>) -> Result<Written> {
    if !input.pdf.starts_with(b"%PDF-") {
        return Err(Error::CannotWrite { what: "the document is not a PDF".into() });
    }
    let mut object = Object::new();
    input.context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_moment(&mut object, input.at);
    object
        .text(tags::MODALITY, VR::CS, "DOC")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, input.title)
        .text(tags::CONVERSION_TYPE, VR::CS, "WSD")
        .integer(tags::INSTANCE_NUMBER, 1)
        .text(tags::ACQUISITION_DATE_TIME, VR::DT, &input.at.dicom_datetime())
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES")
        .text(tags::DOCUMENT_TITLE, VR::ST, input.title)
        .text(tags::VERIFICATION_FLAG, VR::CS, if input.is_verified { "VERIFIED" } else { "UNVERIFIED" })
        .code(tags::CONCEPT_NAME_CODE_SEQUENCE, &Code::new("LN", "18748-4", "Diagnostic imaging report", "影像诊断报告"))
        .text(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, VR::LO, "application/pdf")
        .bytes(tags::ENCAPSULATED_DOCUMENT, VR::OB, input.pdf.to_vec())
        .u32s(
            tags::ENCAPSULATED_DOCUMENT_LENGTH,
            &[u32::try_from(input.pdf.len()).map_err(|_too_long| Error::CannotWrite { what: "the document is too large".into() })?],
        );
    // The image it rests on. Source: PS3.3 §C.24.2.
    let mut source = Object::new();
    source
        .uid(tags::REFERENCED_SOP_CLASS_UID, input.context.sop_class.as_str())
        .uid(tags::REFERENCED_SOP_INSTANCE_UID, input.context.instance.as_str());
    object.item(tags::SOURCE_INSTANCE_SEQUENCE, source);
    Written::from_object(object, ENCAPSULATED_PDF, &input.instance)
}

/// The PDF in an object, without padding.
///
/// # Errors
/// [`Error::WrongKind`] when there is none.
pub fn read_pdf(dataset: &Dataset) -> Result<Vec<u8>> {
    let root = dataset.root();
    let raw = root
        .raw(tags::ENCAPSULATED_DOCUMENT)
        .filter(|raw| raw.starts_with(b"%PDF-"))
        .ok_or(Error::WrongKind { wanted: "Encapsulated PDF" })?;
    let length = root.count(tags::ENCAPSULATED_DOCUMENT_LENGTH).and_then(|n| usize::try_from(n).ok());
    Ok(match length.and_then(|n| raw.get(..n)) {
        Some(exact) => exact.to_vec(),
        None => raw.strip_suffix(&[0]).unwrap_or(raw).to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::Moment;

    #[test]
    fn a_pdf_goes_in_and_comes_out() {
        let Some(path) = mj_testdata::path("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
        let context = Context::of(&Dataset::from_vec(std::fs::read(path).unwrap()).unwrap()).unwrap();
        let device = Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() };
        let mut input = PdfInput {
            context: &context,
            instance: InstanceUid::parse("2.25.41").unwrap(),
            series: SeriesUid::parse("2.25.42").unwrap(),
            series_number: 991,
            title: "胸部CT报告",
            pdf: b"%PDF-1.7\n%odd\n%%EOF",
            at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
            is_verified: true,
            device: &device,
        };
        let written = write_pdf(&input).unwrap();
        assert_eq!(read_pdf(&Dataset::read(&written.bytes).unwrap()).unwrap(), input.pdf);
        crate::outside::dciodvfy(&written.bytes, "pdf");
        input.pdf = b"no pdf";
        assert!(matches!(write_pdf(&input), Err(Error::CannotWrite { .. })));
    }

    #[test]
    fn documents_of_others() {
        let Some(path) = mj_testdata::path("seg_sr/encapsulated_pdf.dcm") else { return };
        let dataset = Dataset::from_vec(std::fs::read(path).unwrap()).unwrap();
        assert!(read_pdf(&dataset).unwrap().starts_with(b"%PDF-"));
    }
}
