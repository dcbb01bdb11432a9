//! Structure sets: outlines in patient space for radiotherapy.
//!
//! Source: PS3.3 §A.19 (RT Structure Set), §C.8.8.5 (Structure Set), §C.8.8.6 (ROI Contour), §C.8.8.8 (RT ROI
//! Observations).

mod compare;
mod outline;
mod read;
#[cfg(test)]
pub(crate) mod tests;

pub use compare::assert_as_written;
pub use outline::{LeftOut, Reason};
pub use read::{Contour, ContourKind, ReferencedSeries, Roi, StructureSet, read};

use crate::context::{Context, Device, Written, put_creation};
use crate::error::{Error, Result};
use crate::plane::Plane;
use crate::write::{Object, image_item};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::finding::{ImageRef, OriginKind};
use mj_model::{Finding, FindingState, FrameOfReferenceUid, InstanceUid, Moment, SeriesUid};
use outline::RoiOut;
use std::collections::HashSet;

/// RT Structure Set Storage.
pub const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";
/// Detached Study Management, by which a structure set names its study. Source: PS3.3 §C.8.8.5.4.
const STUDY_MANAGEMENT: &str = "1.2.840.10008.3.1.2.3.1";

/// A region of interest to be written.
#[derive(Debug, Clone)]
pub struct RoiInput<'a> {
    /// Its outline.
    pub finding: &'a Finding,
    /// Name, at most 64 characters.
    pub name: &'a str,
    /// Colour, sRGB.
    pub colour: [u8; 3],
    /// RT ROI Interpreted Type, for example `GTV`, `ORGAN`, `MARKER`; may be empty.
    pub interpreted_type: &'a str,
}

/// A structure set to be written.
#[derive(Debug)]
pub struct RtInput<'a> {
    /// Patient and study.
    pub context: &'a Context,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Structure Set Label, at most 16 characters.
    pub label: &'a str,
    /// Structure Set Name and series description.
    pub title: &'a str,
    /// Name of who made it; may be empty.
    pub creator: &'a str,
    /// Frame of reference of the images and of every region.
    pub frame_of_reference: FrameOfReferenceUid,
    /// Series of the images.
    pub image_series: SeriesUid,
    /// The images of that series.
    pub images: &'a [Plane],
    /// Regions; those of findings rejected or deleted are left out. They are numbered from 1 in this order.
    pub rois: &'a [RoiInput<'a>],
    /// When it was made.
    pub at: Moment,
    /// The device.
    pub device: &'a Device,
}

/// A structure set with what could not be told in it.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what was left out has to be told"]
pub struct Outlined {
    /// The object.
    pub written: Written,
    /// Regions that are not in it.
    pub left_out: Vec<LeftOut>,
}

/// Writes the set. A region that has no outline in patient space is left out and named; the same input gives the same
/// bytes. Contours refer to the image that they lie on, those between images to none.
///
/// # Errors
/// [`Error::CannotWrite`] when no region is left, or a name or the label is too long.
pub fn write(input: &RtInput<'_>) -> Result<Outlined> {
    let is_long = |roi: &RoiInput<'_>| roi.name.chars().count() > 64;
    if input.label.chars().count() > 16 || input.rois.iter().any(is_long) {
        return Err(Error::CannotWrite { what: "a name is too long".into() });
    }
    let (rois, left_out) = outline::rois(input);
    if rois.is_empty() {
        return Err(Error::CannotWrite { what: "no region has an outline in patient space".into() });
    }
    let mut object = Object::new();
    input.context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_creation(&mut object, input.at);
    set_modules(input, &mut object);
    object
        .item(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, referenced_frame(input))
        .items(tags::STRUCTURE_SET_ROI_SEQUENCE, rois.iter().map(|roi| roi_item(input, roi)).collect())
        .items(tags::ROI_CONTOUR_SEQUENCE, rois.iter().map(contours_item).collect())
        .items(tags::RTROI_OBSERVATIONS_SEQUENCE, rois.iter().map(observation_item).collect());
    let written = Written::from_object(object, RT_STRUCTURE_SET, &input.instance)?;
    Ok(Outlined { written, left_out })
}

/// What [`write`] would leave out; all of it when no region has an outline.
#[must_use]
pub fn left_out(input: &RtInput<'_>) -> Vec<LeftOut> {
    outline::rois(input).1
}

/// RT Series, Frame of Reference, Structure Set. Source: PS3.3 §C.8.8.1, §C.7.4.1, §C.8.8.5.
fn set_modules(input: &RtInput<'_>, object: &mut Object) {
    object
        .text(tags::MODALITY, VR::CS, "RTSTRUCT")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, input.title)
        .text(tags::OPERATORS_NAME, VR::PN, &crate::sr::person_name(input.creator))
        .uid(tags::FRAME_OF_REFERENCE_UID, input.frame_of_reference.as_str())
        .empty(tags::POSITION_REFERENCE_INDICATOR, VR::LO)
        .integer(tags::INSTANCE_NUMBER, 1)
        .text(tags::STRUCTURE_SET_LABEL, VR::SH, input.label)
        .text(tags::STRUCTURE_SET_NAME, VR::LO, input.title)
        .text(tags::STRUCTURE_SET_DATE, VR::DA, &input.at.dicom_date())
        .text(tags::STRUCTURE_SET_TIME, VR::TM, &input.at.dicom_time());
}

/// The frame of reference, and the study, series and images in it. Source: PS3.3 §C.8.8.5, Table C.8-41.
fn referenced_frame(input: &RtInput<'_>) -> Object {
    let mut frame = Object::new();
    frame.uid(tags::FRAME_OF_REFERENCE_UID, input.frame_of_reference.as_str());
    let mut known = HashSet::new();
    let instances = input.images.iter().map(|plane| &plane.image).filter(|image| known.insert(&image.instance));
    let images: Vec<Object> = instances.map(|image| image_item(&ImageRef { frame: None, ..image.clone() })).collect();
    if !images.is_empty() {
        let (mut series, mut study) = (Object::new(), Object::new());
        series.uid(tags::SERIES_INSTANCE_UID, input.image_series.as_str()).items(tags::CONTOUR_IMAGE_SEQUENCE, images);
        study
            .uid(tags::REFERENCED_SOP_CLASS_UID, STUDY_MANAGEMENT)
            .uid(tags::REFERENCED_SOP_INSTANCE_UID, input.context.study.as_str())
            .item(tags::RT_REFERENCED_SERIES_SEQUENCE, series);
        frame.item(tags::RT_REFERENCED_STUDY_SEQUENCE, study);
    }
    frame
}

fn roi_item(input: &RtInput<'_>, roi: &RoiOut<'_>) -> Object {
    let mut item = Object::new();
    item.integer(tags::ROI_NUMBER, roi.number)
        .uid(tags::REFERENCED_FRAME_OF_REFERENCE_UID, input.frame_of_reference.as_str())
        .text(tags::ROI_NAME, VR::LO, roi.input.name)
        .text(tags::ROI_GENERATION_ALGORITHM, VR::CS, algorithm(roi.input.finding));
    item
}

/// Source: PS3.3 §C.8.8.5 (ROI Generation Algorithm).
fn algorithm(finding: &Finding) -> &'static str {
    let first = finding.proposed_by.as_ref().unwrap_or(&finding.origin);
    let is_by_device = first.who == OriginKind::Device;
    match (is_by_device, finding.state) {
        (true, FindingState::Edited) => "SEMIAUTOMATIC",
        (true, _) => "AUTOMATIC",
        (false, _) => "MANUAL",
    }
}

/// Source: PS3.3 §C.8.8.6.
fn contours_item(roi: &RoiOut<'_>) -> Object {
    let contour = |(number, contour): (i64, &Contour)| {
        let mut item = Object::new();
        let data: Vec<f64> = contour.places.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
        item.integer(tags::CONTOUR_NUMBER, number)
            .text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, contour.kind.term())
            .integer(tags::NUMBER_OF_CONTOUR_POINTS, i64::try_from(contour.places.len()).unwrap_or(i64::MAX))
            .decimals(tags::CONTOUR_DATA, &data);
        if !contour.images.is_empty() {
            item.items(tags::CONTOUR_IMAGE_SEQUENCE, contour.images.iter().map(image_item).collect());
        }
        item
    };
    let colour = roi.input.colour.map(|v| v.to_string());
    let mut item = Object::new();
    item.values(tags::ROI_DISPLAY_COLOR, VR::IS, &colour.each_ref().map(String::as_str))
        .items(tags::CONTOUR_SEQUENCE, (1..).zip(&roi.contours).map(contour).collect())
        .integer(tags::REFERENCED_ROI_NUMBER, roi.number);
    item
}

/// Source: PS3.3 §C.8.8.8.
fn observation_item(roi: &RoiOut<'_>) -> Object {
    let mut item = Object::new();
    item.integer(tags::OBSERVATION_NUMBER, roi.number)
        .integer(tags::REFERENCED_ROI_NUMBER, roi.number)
        .text(tags::RTROI_INTERPRETED_TYPE, VR::CS, roi.input.interpreted_type)
        .empty(tags::ROI_INTERPRETER, VR::PN);
    item
}
