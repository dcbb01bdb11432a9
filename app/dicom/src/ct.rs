//! Writing CT images. Source: PS3.3 §A.3 (CT Image IOD).

use crate::context::{Device, Written, put_moment};
use crate::error::{Error, Result};
use crate::write::Object;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::{FrameOfReferenceUid, Grid, InstanceUid, LinearMap, Moment, SeriesUid, StudyUid, Window};

/// CT Image Storage.
pub const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Patient, study and series of CT images.
#[derive(Debug, Clone)]
pub struct CtSeries {
    /// Patient's Name as a PN value, for example `Shili^Yi=示例^一`.
    pub patient_name: String,
    /// Patient ID.
    pub patient_id: String,
    /// Issuer of Patient ID; may be empty.
    pub issuer: String,
    /// Birth date, `YYYYMMDD`; may be empty.
    pub birth_date: String,
    /// Sex: `M`, `F`, `O` or empty.
    pub sex: String,
    /// Age, for example `063Y`; may be empty.
    pub age: String,
    /// Study Instance UID.
    pub study: StudyUid,
    /// Study ID.
    pub study_id: String,
    /// Accession Number.
    pub accession: String,
    /// Study Description.
    pub study_description: String,
    /// What was asked for; may be empty.
    pub request: String,
    /// History; may be empty.
    pub clinical_history: String,
    /// Institution Name; may be empty.
    pub institution: String,
    /// Referring physician as a PN value; may be empty.
    pub referring: String,
    /// Series Instance UID.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Series Description.
    pub series_description: String,
    /// Body Part Examined, for example `CHEST`.
    pub body_part: String,
    /// Frame of Reference UID.
    pub frame_of_reference: FrameOfReferenceUid,
    /// Contrast agent, for example `Iohexol`; empty without.
    pub contrast: String,
    /// Slice Thickness. Units: mm.
    pub thickness_mm: f64,
    /// When it was acquired.
    pub at: Moment,
    /// Windows, the first is the default.
    pub windows: Vec<Window>,
    /// True for measured images (`ORIGINAL`), false for computed ones (`DERIVED`).
    pub is_original: bool,
    /// The device.
    pub device: Device,
}

/// One CT image.
#[derive(Debug)]
pub struct CtInput<'a> {
    /// What all images share.
    pub series: &'a CtSeries,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Instance Number.
    pub number: i64,
    /// Grid of the volume the slice belongs to.
    pub grid: &'a Grid,
    /// Slice index in the grid.
    pub k: usize,
    /// Stored samples of the slice, `[j][i]`.
    pub samples: &'a [i16],
    /// From stored values to Hounsfield units.
    pub map: LinearMap,
}

/// Writes one image, uncompressed. The same input gives the same bytes.
///
/// # Errors
/// [`Error::CannotWrite`] when the samples do not fill the slice.
pub fn write(input: &CtInput<'_>) -> Result<Written> {
    let [columns, rows, _] = input.grid.dims;
    let (Ok(n_columns), Ok(n_rows)) = (u16::try_from(columns), u16::try_from(rows)) else {
        return Err(Error::CannotWrite { what: "more than 65535 rows or columns".into() });
    };
    if input.samples.len() != columns * rows || rows == 0 || columns == 0 {
        return Err(Error::CannotWrite { what: "the samples do not fill the slice".into() });
    }
    let mut object = Object::new();
    patient_and_study(input.series, &mut object);
    series_and_equipment(input.series, &mut object);
    plane(input, &mut object);
    object
        .u16s(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .u16s(tags::ROWS, &[n_rows])
        .u16s(tags::COLUMNS, &[n_columns])
        .u16s(tags::BITS_ALLOCATED, &[16])
        .u16s(tags::BITS_STORED, &[16])
        .u16s(tags::HIGH_BIT, &[15])
        .u16s(tags::PIXEL_REPRESENTATION, &[1])
        .decimals(tags::RESCALE_INTERCEPT, &[input.map.intercept])
        .decimals(tags::RESCALE_SLOPE, &[input.map.slope])
        .text(tags::RESCALE_TYPE, VR::LO, "HU")
        .bytes(tags::PIXEL_DATA, VR::OW, input.samples.iter().flat_map(|s| s.to_le_bytes()).collect());
    Written::from_object(object, CT_IMAGE, &input.instance)
}

fn patient_and_study(series: &CtSeries, object: &mut Object) {
    object
        .text(tags::PATIENT_NAME, VR::PN, &series.patient_name)
        .text(tags::PATIENT_ID, VR::LO, &series.patient_id)
        .text(tags::PATIENT_BIRTH_DATE, VR::DA, &series.birth_date)
        .text(tags::PATIENT_SEX, VR::CS, &series.sex)
        .uid(tags::STUDY_INSTANCE_UID, series.study.as_str())
        .text(tags::STUDY_ID, VR::SH, &series.study_id)
        .text(tags::ACCESSION_NUMBER, VR::SH, &series.accession)
        .text(tags::STUDY_DESCRIPTION, VR::LO, &series.study_description)
        .text(tags::STUDY_DATE, VR::DA, &series.at.dicom_date())
        .text(tags::STUDY_TIME, VR::TM, &series.at.dicom_time())
        .text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, &series.referring);
    for (tag, vr, text) in [
        (tags::ISSUER_OF_PATIENT_ID, VR::LO, &series.issuer),
        (tags::PATIENT_AGE, VR::AS, &series.age),
        (tags::ADDITIONAL_PATIENT_HISTORY, VR::LT, &series.clinical_history),
        (tags::INSTITUTION_NAME, VR::LO, &series.institution),
        (tags::BODY_PART_EXAMINED, VR::CS, &series.body_part),
    ] {
        if !text.is_empty() {
            object.text(tag, vr, text);
        }
    }
    if !series.request.is_empty() {
        let mut request = Object::new();
        request
            .text(tags::REQUESTED_PROCEDURE_ID, VR::SH, &series.accession)
            .text(tags::SCHEDULED_PROCEDURE_STEP_ID, VR::SH, &series.accession)
            .text(tags::REQUESTED_PROCEDURE_DESCRIPTION, VR::LO, &series.request);
        object.item(tags::REQUEST_ATTRIBUTES_SEQUENCE, request);
    }
}

fn series_and_equipment(series: &CtSeries, object: &mut Object) {
    series.device.put_into(object);
    put_moment(object, series.at);
    object
        .text(tags::MODALITY, VR::CS, "CT")
        .uid(tags::SERIES_INSTANCE_UID, series.series.as_str())
        .integer(tags::SERIES_NUMBER, series.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, &series.series_description)
        .text(tags::SERIES_DATE, VR::DA, &series.at.dicom_date())
        .text(tags::SERIES_TIME, VR::TM, &series.at.dicom_time())
        .text(tags::PATIENT_POSITION, VR::CS, "HFS")
        .uid(tags::FRAME_OF_REFERENCE_UID, series.frame_of_reference.as_str())
        .empty(tags::POSITION_REFERENCE_INDICATOR, VR::LO)
        .values(
            tags::IMAGE_TYPE,
            VR::CS,
            &[if series.is_original { "ORIGINAL" } else { "DERIVED" }, if series.is_original { "PRIMARY" } else { "SECONDARY" }, "AXIAL"],
        )
        .integer(tags::ACQUISITION_NUMBER, 1)
        .text(tags::ACQUISITION_DATE, VR::DA, &series.at.dicom_date())
        .text(tags::ACQUISITION_TIME, VR::TM, &series.at.dicom_time())
        .decimals(tags::KVP, &[120.0]);
    if !series.contrast.is_empty() {
        object.text(tags::CONTRAST_BOLUS_AGENT, VR::LO, &series.contrast);
    }
    if !series.windows.is_empty() {
        let column = |f: fn(&Window) -> f64| series.windows.iter().map(f).collect::<Vec<_>>();
        let names: Vec<&str> = series.windows.iter().map(|w| w.name.as_str()).collect();
        object.decimals(tags::WINDOW_CENTER, &column(|w| w.center)).decimals(tags::WINDOW_WIDTH, &column(|w| w.width)).values(
            tags::WINDOW_CENTER_WIDTH_EXPLANATION,
            VR::LO,
            &names,
        );
    }
}

fn plane(input: &CtInput<'_>, object: &mut Object) {
    let grid = input.grid;
    let position = grid.lps_from_voxel([0.0, 0.0, input.k as f64]);
    let [i, j, _] = grid.axes;
    let along = (position - grid.origin).dot(grid.axes[2]) + grid.origin.z;
    object
        .integer(tags::INSTANCE_NUMBER, input.number)
        .decimals(tags::IMAGE_POSITION_PATIENT, &[position.x, position.y, position.z])
        .decimals(tags::IMAGE_ORIENTATION_PATIENT, &[i.x, i.y, i.z, j.x, j.y, j.z])
        .decimals(tags::PIXEL_SPACING, &[grid.spacing_mm[1], grid.spacing_mm[0]])
        .decimals(tags::SLICE_THICKNESS, &[input.series.thickness_mm])
        .decimals(tags::SLICE_LOCATION, &[along]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{PointLps, VectorLps};

    fn series() -> CtSeries {
        CtSeries {
            patient_name: "Shili^Yi=示例^一".into(),
            patient_id: "MJ0001".into(),
            issuer: "DEMO".into(),
            birth_date: "19630501".into(),
            sex: "M".into(),
            age: "063Y".into(),
            study: StudyUid::parse("2.25.51").unwrap(),
            study_id: "1".into(),
            accession: "A1".into(),
            study_description: "胸部CT增强".into(),
            request: "胸腹部增强CT".into(),
            clinical_history: "咳嗽两周".into(),
            institution: "示范医院".into(),
            referring: "Shili^Yisheng=示例^医生".into(),
            series: SeriesUid::parse("2.25.52").unwrap(),
            series_number: 2,
            series_description: "门静脉期 1.0mm".into(),
            body_part: "CHEST".into(),
            frame_of_reference: FrameOfReferenceUid::parse("2.25.53").unwrap(),
            contrast: "Iohexol".into(),
            thickness_mm: 1.0,
            at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
            windows: vec![Window::linear(40.0, 400.0, "软组织"), Window::linear(-600.0, 1500.0, "肺")],
            is_original: true,
            device: Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() },
        }
    }

    #[test]
    fn a_written_image_is_valid_and_reads_back() {
        let grid = Grid {
            dims: [4, 3, 5],
            origin: PointLps::new(-10.5, 20.25, -300.0),
            axes: [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.0, 0.0, 1.0)],
            spacing_mm: [0.7, 0.8, 1.5],
        };
        let samples: Vec<i16> = (0..12).map(|v| v * 100 - 1024).collect();
        let series = series();
        let input = CtInput {
            series: &series,
            instance: InstanceUid::parse("2.25.54").unwrap(),
            number: 3,
            grid: &grid,
            k: 2,
            samples: &samples,
            map: LinearMap::default(),
        };
        let written = write(&input).unwrap();
        assert_eq!(written.bytes, write(&input).unwrap().bytes);
        crate::outside::dciodvfy(&written.bytes, "ct");
        let dataset = crate::Dataset::read(&written.bytes).unwrap();
        let header = dataset.header().unwrap();
        assert_eq!(header.patient.name.ideographic.show(), "示例^一");
        assert_eq!((header.study.request.as_str(), header.study.clinical_history.show().as_str()), ("胸腹部增强CT", "咳嗽两周"));
        assert_eq!(header.study.date.as_deref(), Some("2026-11-21"));
        assert_eq!(dataset.root().floats(tags::IMAGE_POSITION_PATIENT), [-10.5, 20.25, -297.0]);
        assert_eq!(dataset.root().floats(tags::PIXEL_SPACING), [0.8, 0.7]);
        assert!(write(&CtInput { samples: &samples[1..], ..input }).is_err());
    }
}
