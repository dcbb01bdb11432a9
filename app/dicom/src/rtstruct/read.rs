//! Reading structure sets, ours and others'.

use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{FrameOfReferenceUid, PointLps, SeriesUid, StudyUid};
use std::collections::HashMap;

/// What a structure set says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StructureSet {
    /// Structure Set Label.
    pub label: String,
    /// Structure Set Name.
    pub name: String,
    /// Frames of reference named by the set.
    pub frames_of_reference: Vec<FrameOfReferenceUid>,
    /// Series that it is about. Some sets name none.
    pub series: Vec<ReferencedSeries>,
    /// Regions, in the order of the file; last those whose contours name no listed region.
    pub rois: Vec<Roi>,
}

/// A series that a structure set is about. Its images need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencedSeries {
    /// Its study, if named.
    pub study: Option<StudyUid>,
    /// The series.
    pub series: SeriesUid,
    /// Its images.
    pub images: Vec<ImageRef>,
}

/// A region of interest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roi {
    /// ROI Number.
    pub number: i64,
    /// ROI Name; may be empty.
    pub name: String,
    /// ROI Description; may be empty.
    pub description: String,
    /// Frame of reference of its places.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// ROI Generation Algorithm, for example `MANUAL`.
    pub algorithm: String,
    /// Colour, sRGB.
    pub colour: Option<[u8; 3]>,
    /// RT ROI Interpreted Type, for example `GTV`; may be empty.
    pub interpreted_type: String,
    /// Its contours.
    pub contours: Vec<Contour>,
}

/// A contour of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// How its places are joined.
    pub kind: ContourKind,
    /// Its places, in order; the first is not repeated at the end of a closed one. Units: mm, LPS.
    pub places: Vec<PointLps>,
    /// Images it was drawn on.
    pub images: Vec<ImageRef>,
}

/// Contour Geometric Type. Source: PS3.3 §C.8.8.6.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContourKind {
    /// A single place.
    Point,
    /// A line in one plane.
    OpenPlanar,
    /// A line in space.
    OpenNonplanar,
    /// A line in one plane whose last place is joined with the first.
    ClosedPlanar,
    /// Such a line; where two of them overlap is outside.
    ClosedPlanarXor,
    /// Another, by its name in the file.
    Other(String),
}

impl ContourKind {
    /// As it stands in a file.
    #[must_use]
    pub fn term(&self) -> &str {
        match self {
            Self::Point => "POINT",
            Self::OpenPlanar => "OPEN_PLANAR",
            Self::OpenNonplanar => "OPEN_NONPLANAR",
            Self::ClosedPlanar => "CLOSED_PLANAR",
            Self::ClosedPlanarXor => "CLOSEDPLANAR_XOR",
            Self::Other(name) => name,
        }
    }

    fn of(term: String) -> Self {
        let known = [Self::Point, Self::OpenPlanar, Self::OpenNonplanar, Self::ClosedPlanar, Self::ClosedPlanarXor];
        known.into_iter().find(|kind| kind.term() == term).unwrap_or(Self::Other(term))
    }
}

/// Reads a structure set.
///
/// # Errors
/// [`Error::WrongKind`] when the object is none; [`Error::BadValue`] for a region without a number or with that of another,
/// for places that are no numbers or not as many as said; [`Error::Missing`] for references without UIDs.
pub fn read(dataset: &Dataset) -> Result<StructureSet> {
    let root = dataset.root();
    if root.first_text(tags::MODALITY) != "RTSTRUCT" {
        return Err(Error::WrongKind { wanted: "structure set" });
    }
    let mut set =
        StructureSet { label: root.text(tags::STRUCTURE_SET_LABEL), name: root.text(tags::STRUCTURE_SET_NAME), ..StructureSet::default() };
    for frame in root.items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE) {
        set.frames_of_reference.extend(FrameOfReferenceUid::parse(&frame.text(tags::FRAME_OF_REFERENCE_UID)).ok());
        for study in frame.items(tags::RT_REFERENCED_STUDY_SEQUENCE) {
            for series in study.items(tags::RT_REFERENCED_SERIES_SEQUENCE) {
                set.series.push(referenced_series(&study, &series)?);
            }
        }
    }
    set.rois = rois(&root)?;
    Ok(set)
}

fn referenced_series(study: &View<'_>, series: &View<'_>) -> Result<ReferencedSeries> {
    Ok(ReferencedSeries {
        study: StudyUid::parse(&study.text(tags::REFERENCED_SOP_INSTANCE_UID)).ok(),
        series: series.uid(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", SeriesUid::parse)?,
        images: series.image_refs(tags::CONTOUR_IMAGE_SEQUENCE)?,
    })
}

/// Regions by their number, with what the three sequences say of each.
fn rois(root: &View<'_>) -> Result<Vec<Roi>> {
    let mut rois = Vec::new();
    let mut places = HashMap::new();
    for item in root.items(tags::STRUCTURE_SET_ROI_SEQUENCE) {
        let number = number(&item, tags::ROI_NUMBER, "ROINumber")?;
        if places.insert(number, rois.len()).is_some() {
            return Err(Error::BadValue { keyword: "ROINumber" });
        }
        rois.push(Roi {
            number,
            name: item.text(tags::ROI_NAME),
            description: item.text(tags::ROI_DESCRIPTION),
            frame_of_reference: FrameOfReferenceUid::parse(&item.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID)).ok(),
            algorithm: item.text(tags::ROI_GENERATION_ALGORITHM),
            ..Roi::default()
        });
    }
    for item in root.items(tags::ROI_CONTOUR_SEQUENCE) {
        let number = number(&item, tags::REFERENCED_ROI_NUMBER, "ReferencedROINumber")?;
        let at = *places.entry(number).or_insert_with(|| {
            rois.push(Roi { number, ..Roi::default() });
            rois.len() - 1
        });
        let Some(roi) = rois.get_mut(at) else { continue };
        roi.colour = colour(&item);
        for contour in item.items(tags::CONTOUR_SEQUENCE) {
            roi.contours.push(read_contour(&contour)?);
        }
    }
    for item in root.items(tags::RTROI_OBSERVATIONS_SEQUENCE) {
        let at = number(&item, tags::REFERENCED_ROI_NUMBER, "ReferencedROINumber").ok().and_then(|n| places.get(&n));
        if let Some(roi) = at.and_then(|at| rois.get_mut(*at)) {
            roi.interpreted_type = item.text(tags::RTROI_INTERPRETED_TYPE);
        }
    }
    Ok(rois)
}

fn number(item: &View<'_>, tag: Tag, keyword: &'static str) -> Result<i64> {
    item.int(tag).ok_or(Error::BadValue { keyword })
}

fn colour(item: &View<'_>) -> Option<[u8; 3]> {
    let numbers = item.floats(tags::ROI_DISPLAY_COLOR);
    let &[r, g, b] = numbers.as_slice() else { return None };
    let is_byte = |v: f64| (0.0..=255.0).contains(&v) && v.fract() == 0.0;
    [r, g, b].into_iter().all(is_byte).then_some([r as u8, g as u8, b as u8])
}

fn read_contour(item: &View<'_>) -> Result<Contour> {
    let bad = Error::BadValue { keyword: "ContourData" };
    let numbers = item.floats(tags::CONTOUR_DATA);
    // A value that is no number is not among them; it must not shift those after it.
    let is_text = item.raw(tags::CONTOUR_DATA).unwrap_or_default();
    let written = if is_text.is_empty() { 0 } else { is_text.iter().filter(|b| **b == b'\\').count() + 1 };
    let named = item.int_or_wrong(tags::NUMBER_OF_CONTOUR_POINTS);
    let is_as_named = named.is_none_or(|n| usize::try_from(n).is_ok_and(|n| n.checked_mul(3) == Some(numbers.len())));
    if numbers.len() != written || !numbers.len().is_multiple_of(3) || !is_as_named || numbers.iter().any(|v| !v.is_finite()) {
        return Err(bad);
    }
    Ok(Contour {
        kind: ContourKind::of(item.first_text(tags::CONTOUR_GEOMETRIC_TYPE)),
        places: numbers.chunks_exact(3).map(|c| PointLps::new(c[0], c[1], c[2])).collect(),
        images: item.image_refs(tags::CONTOUR_IMAGE_SEQUENCE)?,
    })
}
