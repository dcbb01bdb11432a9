//! Where the frames of a segmentation lie and which images they were made on, by its header alone.

use crate::dataset::{Dataset, View};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{InstanceUid, PointLps, SopClassUid, VectorLps};

/// A frame of a segmentation.
#[derive(Debug, Clone, PartialEq)]
pub struct FramePlace {
    /// Referenced Segment Number; none in a label map.
    pub segment: Option<u16>,
    /// Centre of its first pixel. Units: mm, LPS.
    pub origin: PointLps,
    /// Directions of a row and of a column. Unit length.
    pub axes: [VectorLps; 2],
    /// The image it was made on.
    pub image: Option<ImageRef>,
    /// True when it says that its pixels are those of the image.
    pub is_on_image: bool,
}

/// The frames with a place, in order; frames without one are left out. Source: PS3.3 §C.7.6.16, §C.7.6.16.2.6.
#[must_use]
pub fn frame_places(dataset: &Dataset) -> Vec<FramePlace> {
    let root = dataset.root();
    let shared = root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).filter_map(|frame| place(shared.as_ref(), &frame)).collect()
}

fn place(shared: Option<&View<'_>>, frame: &View<'_>) -> Option<FramePlace> {
    let group = |tag| frame.item(tag).or_else(|| shared.and_then(|s| s.item(tag)));
    let position = group(tags::PLANE_POSITION_SEQUENCE)?.floats(tags::IMAGE_POSITION_PATIENT);
    let orientation = group(tags::PLANE_ORIENTATION_SEQUENCE)?.floats(tags::IMAGE_ORIENTATION_PATIENT);
    let (&[x, y, z], &[a, b, c, d, e, f]) = (position.first_chunk::<3>()?, orientation.first_chunk::<6>()?);
    let source = group(tags::DERIVATION_IMAGE_SEQUENCE).and_then(|derivation| derivation.item(tags::SOURCE_IMAGE_SEQUENCE));
    let number = group(tags::SEGMENT_IDENTIFICATION_SEQUENCE).and_then(|s| s.count(tags::REFERENCED_SEGMENT_NUMBER));
    Some(FramePlace {
        segment: number.and_then(|n| u16::try_from(n).ok()),
        origin: PointLps::new(x, y, z),
        axes: [VectorLps::new(a, b, c).unit()?, VectorLps::new(d, e, f).unit()?],
        is_on_image: source.as_ref().is_some_and(|s| s.first_text(tags::SPATIAL_LOCATIONS_PRESERVED) == "YES"),
        image: source.as_ref().and_then(image),
    })
}

fn image(source: &View<'_>) -> Option<ImageRef> {
    Some(ImageRef {
        instance: InstanceUid::parse(&source.text(tags::REFERENCED_SOP_INSTANCE_UID)).ok()?,
        sop_class: SopClassUid::parse(&source.text(tags::REFERENCED_SOP_CLASS_UID)).ok()?,
        frame: source.count(tags::REFERENCED_FRAME_NUMBER),
    })
}
