//! Segmentations: masks on a grid as DICOM SEG and back. Source: PS3.3 §A.51, §C.8.20.

mod colour;
mod places;
#[cfg(feature = "pixels")]
mod read;
#[cfg(test)]
mod tests;

pub use places::{FramePlace, frame_places};
#[cfg(feature = "pixels")]
pub use read::{SegSegment, declared_bytes, read};

use crate::context::{Context, Device, Written, put_moment};
use crate::error::{Error, Result};
use crate::write::Object;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::volume::SliceSource;
use mj_model::{Code, FrameOfReferenceUid, Grid, InstanceUid, Mask, Moment, SeriesUid};

/// Segmentation Storage.
pub const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";
/// Label Map Segmentation Storage.
pub const LABEL_MAP_SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.7";

/// How a segment was made. Source: PS3.3 §C.8.20.4 (Segment Algorithm Type).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Algorithm {
    /// By hand.
    Manual,
    /// By an algorithm that a person steered, with its name.
    Semiautomatic(String),
    /// By an algorithm alone, with its name.
    Automatic(String),
}

/// One segment to be written.
#[derive(Debug)]
pub struct SegmentInput<'a> {
    /// Name for people.
    pub label: &'a str,
    /// Segmented Property Category, for example anatomical structure.
    pub category: Code,
    /// Segmented Property Type, for example liver.
    pub kind: Code,
    /// How it was made.
    pub algorithm: Algorithm,
    /// Tracking Identifier and UID, when it belongs to a finding.
    pub tracking: Option<(&'a str, &'a str)>,
    /// Recommended colour, sRGB.
    pub colour: [u8; 3],
    /// Its voxels, on the grid of the input or a part of it.
    pub mask: &'a Mask,
}

/// A segmentation to be written.
#[derive(Debug)]
pub struct SegInput<'a> {
    /// Patient and study.
    pub context: &'a Context,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Series and content description.
    pub title: &'a str,
    /// Name of who made it, as a PN value.
    pub creator: &'a str,
    /// The grid all masks live on.
    pub grid: &'a Grid,
    /// Its frame of reference.
    pub frame_of_reference: FrameOfReferenceUid,
    /// Series of the images it was drawn on.
    pub source_series: SeriesUid,
    /// Image of each slice `k`; may be empty when the grid is none of the images'.
    pub sources: &'a [SliceSource],
    /// True when the grid is computed from slices: its planes are then not those of `sources`, which are the nearest.
    pub is_resampled: bool,
    /// Segments, numbered from 1 in this order.
    pub segments: Vec<SegmentInput<'a>>,
    /// When it was made.
    pub at: Moment,
    /// The device.
    pub device: &'a Device,
}

/// A frame that is written: which segment, which slice.
struct FrameAt {
    segment: usize,
    k: usize,
}

/// Writes a binary segmentation. Empty slices are left out; the same input gives the same bytes.
///
/// # Errors
/// [`Error::CannotWrite`] when a mask lies on another grid, or every one is empty.
pub fn write(input: &SegInput<'_>) -> Result<Written> {
    let [columns, rows, _] = input.grid.dims;
    let (Ok(n_columns), Ok(n_rows)) = (u16::try_from(columns), u16::try_from(rows)) else {
        return Err(Error::CannotWrite { what: "more than 65535 rows or columns".into() });
    };
    let mut frames = Vec::new();
    let mut bits = Bits::default();
    for (at, segment) in input.segments.iter().enumerate() {
        let place = segment.mask.place_in(input.grid).filter(|_| segment.mask.voxels.len() == segment.mask.grid.n_voxels());
        let place = place.ok_or_else(|| Error::CannotWrite { what: "a mask lies on another grid".into() })?;
        for (within, slice) in segment.mask.voxels.chunks_exact(segment.mask.grid.dims[0] * segment.mask.grid.dims[1]).enumerate() {
            if slice.iter().any(|&v| v != 0) {
                frames.push(FrameAt { segment: at + 1, k: place[2] + within });
                bits.push_frame(slice, segment.mask.grid.dims[0], place, [columns, rows]);
            }
        }
    }
    let Ok(n_frames) = i64::try_from(frames.len()) else { return Err(Error::CannotWrite { what: "too many frames".into() }) };
    if frames.is_empty() {
        return Err(Error::CannotWrite { what: "every segment is empty".into() });
    }
    let mut object = Object::new();
    input.context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_moment(&mut object, input.at);
    image_modules(input, &mut object);
    object
        .u16s(tags::ROWS, &[n_rows])
        .u16s(tags::COLUMNS, &[n_columns])
        .integer(tags::NUMBER_OF_FRAMES, n_frames)
        .items(tags::SEGMENT_SEQUENCE, input.segments.iter().enumerate().map(|(at, s)| segment_item(at + 1, s)).collect())
        .bytes(tags::PIXEL_DATA, VR::OB, bits.bytes);
    dimensions(&mut object);
    object.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared_groups(input.grid));
    object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames.iter().map(|f| frame_groups(input, f)).collect());
    references(input, &frames, &mut object);
    Written::from_object(object, SEGMENTATION, &input.instance)
}

/// Packed bits, the first in the lowest bit; frames follow without a gap. Source: PS3.5 §8.1.1, annex D.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    n: usize,
}

impl Bits {
    /// Adds a frame of `[columns, rows]` pixels, of which a part from `place` on is given.
    fn push_frame(&mut self, part: &[u8], width: usize, place: [usize; 3], [columns, rows]: [usize; 2]) {
        let start = self.n;
        self.n += columns * rows;
        self.bytes.resize(self.n.div_ceil(8), 0);
        for (row, line) in part.chunks_exact(width.max(1)).enumerate() {
            self.set(start + (place[1] + row) * columns + place[0], line);
        }
    }

    /// Sets the bits of a line of voxels, the first at a place.
    fn set(&mut self, at: usize, line: &[u8]) {
        let head = ((8 - at % 8) % 8).min(line.len());
        let (first, rest) = line.split_at(head);
        self.set_each(at, first);
        let (eights, last) = rest.as_chunks::<8>();
        for (n, eight) in eights.iter().enumerate() {
            if let Some(byte) = self.bytes.get_mut((at + head) / 8 + n).filter(|_| *eight != [0; 8]) {
                *byte |= eight.iter().enumerate().map(|(bit, voxel)| u8::from(*voxel != 0) << bit).sum::<u8>();
            }
        }
        self.set_each(at + head + eights.len() * 8, last);
    }

    fn set_each(&mut self, at: usize, line: &[u8]) {
        for (bit, _) in line.iter().enumerate().filter(|(_, voxel)| **voxel != 0) {
            if let Some(byte) = self.bytes.get_mut((at + bit) / 8) {
                *byte |= 1 << ((at + bit) % 8);
            }
        }
    }
}

fn image_modules(input: &SegInput<'_>, object: &mut Object) {
    object
        .text(tags::MODALITY, VR::CS, "SEG")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, input.title)
        .text(tags::SERIES_DATE, VR::DA, &input.at.dicom_date())
        .text(tags::SERIES_TIME, VR::TM, &input.at.dicom_time())
        .uid(tags::FRAME_OF_REFERENCE_UID, input.frame_of_reference.as_str())
        .empty(tags::POSITION_REFERENCE_INDICATOR, VR::LO)
        .integer(tags::INSTANCE_NUMBER, 1)
        .values(tags::IMAGE_TYPE, VR::CS, &["DERIVED", "PRIMARY"])
        .text(tags::CONTENT_LABEL, VR::CS, "SEGMENTATION")
        .text(tags::CONTENT_DESCRIPTION, VR::LO, input.title)
        .text(tags::CONTENT_CREATOR_NAME, VR::PN, input.creator)
        .u16s(tags::SAMPLES_PER_PIXEL, &[1])
        .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
        .u16s(tags::PIXEL_REPRESENTATION, &[0])
        .u16s(tags::BITS_ALLOCATED, &[1])
        .u16s(tags::BITS_STORED, &[1])
        .u16s(tags::HIGH_BIT, &[0])
        .text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00")
        .text(tags::SEGMENTATION_TYPE, VR::CS, "BINARY")
        .text(tags::SEGMENTS_OVERLAP, VR::CS, if overlaps(input) { "YES" } else { "NO" });
}

/// True when two segments have a voxel in common.
fn overlaps(input: &SegInput<'_>) -> bool {
    let mut taken = vec![false; if input.segments.len() > 1 { input.grid.n_voxels() } else { 0 }];
    input.segments.iter().filter(|_| input.segments.len() > 1).any(|segment| {
        let [i, j, k] = segment.mask.place_in(input.grid).unwrap_or_default();
        let [width, height, _] = segment.mask.grid.dims;
        segment.mask.voxels.chunks_exact(width.max(1)).enumerate().any(|(row, line)| {
            let at = input.grid.offset([i, j + row % height, k + row / height].into());
            let Some(before) = taken.get_mut(at..at + width) else { return false };
            line.iter().zip(before).filter(|(voxel, _)| **voxel != 0).any(|(_, taken)| std::mem::replace(taken, true))
        })
    })
}

fn segment_item(number: usize, segment: &SegmentInput<'_>) -> Object {
    let mut item = Object::new();
    let (kind, name) = match &segment.algorithm {
        Algorithm::Manual => ("MANUAL", None),
        Algorithm::Semiautomatic(name) => ("SEMIAUTOMATIC", Some(name)),
        Algorithm::Automatic(name) => ("AUTOMATIC", Some(name)),
    };
    item.u16s(tags::SEGMENT_NUMBER, &[u16::try_from(number).unwrap_or(u16::MAX)])
        .text(tags::SEGMENT_LABEL, VR::LO, segment.label)
        .code(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, &segment.category)
        .code(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, &segment.kind)
        .text(tags::SEGMENT_ALGORITHM_TYPE, VR::CS, kind)
        .u16s(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &colour::to_cielab(segment.colour));
    if let Some(name) = name {
        item.text(tags::SEGMENT_ALGORITHM_NAME, VR::LO, name);
    }
    if let Some((id, uid)) = segment.tracking {
        item.text(tags::TRACKING_ID, VR::UT, id).uid(tags::TRACKING_UID, uid);
    }
    item
}

fn at_bytes(tag: Tag) -> Vec<u8> {
    [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat()
}

/// Frames are indexed by segment and position. Source: PS3.3 §C.7.6.17.
fn dimensions(object: &mut Object) {
    let organization = "2.25.316301204563287103921057418829930142617";
    let mut of = Object::new();
    of.uid(tags::DIMENSION_ORGANIZATION_UID, organization);
    let index = |pointer: Tag, group: Tag, label: &str| {
        let mut item = Object::new();
        item.uid(tags::DIMENSION_ORGANIZATION_UID, organization)
            .bytes(tags::DIMENSION_INDEX_POINTER, VR::AT, at_bytes(pointer))
            .bytes(tags::FUNCTIONAL_GROUP_POINTER, VR::AT, at_bytes(group))
            .text(tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label);
        item
    };
    object.item(tags::DIMENSION_ORGANIZATION_SEQUENCE, of).items(
        tags::DIMENSION_INDEX_SEQUENCE,
        vec![
            index(tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "Segment Number"),
            index(tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Image Position Patient"),
        ],
    );
}

fn shared_groups(grid: &Grid) -> Object {
    let [i, j, _] = grid.axes;
    let mut orientation = Object::new();
    orientation.decimals(tags::IMAGE_ORIENTATION_PATIENT, &[i.x, i.y, i.z, j.x, j.y, j.z]);
    let mut measures = Object::new();
    measures
        .decimals(tags::SLICE_THICKNESS, &[grid.spacing_mm[2]])
        .decimals(tags::SPACING_BETWEEN_SLICES, &[grid.spacing_mm[2]])
        .decimals(tags::PIXEL_SPACING, &[grid.spacing_mm[1], grid.spacing_mm[0]]);
    let mut shared = Object::new();
    shared.item(tags::PLANE_ORIENTATION_SEQUENCE, orientation).item(tags::PIXEL_MEASURES_SEQUENCE, measures);
    shared
}

fn frame_groups(input: &SegInput<'_>, frame: &FrameAt) -> Object {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut content = Object::new();
    content.u32s(tags::DIMENSION_INDEX_VALUES, &[number(frame.segment), number(frame.k + 1)]);
    let at = input.grid.lps_from_voxel([0.0, 0.0, frame.k as f64]);
    let mut position = Object::new();
    position.decimals(tags::IMAGE_POSITION_PATIENT, &[at.x, at.y, at.z]);
    let mut segment = Object::new();
    segment.u16s(tags::REFERENCED_SEGMENT_NUMBER, &[u16::try_from(frame.segment).unwrap_or(u16::MAX)]);
    let mut groups = Object::new();
    groups
        .item(tags::FRAME_CONTENT_SEQUENCE, content)
        .item(tags::PLANE_POSITION_SEQUENCE, position)
        .item(tags::SEGMENT_IDENTIFICATION_SEQUENCE, segment);
    if let Some(source) = input.sources.get(frame.k) {
        let mut image = reference(source);
        image
            .code(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &Code::new("DCM", "121322", "Source image for image processing operation", ""));
        image.text(tags::SPATIAL_LOCATIONS_PRESERVED, VR::CS, if input.is_resampled { "NO" } else { "YES" });
        let mut derivation = Object::new();
        derivation
            .item(tags::SOURCE_IMAGE_SEQUENCE, image)
            .code(tags::DERIVATION_CODE_SEQUENCE, &Code::new("DCM", "113076", "Segmentation", ""));
        groups.item(tags::DERIVATION_IMAGE_SEQUENCE, derivation);
    }
    groups
}

fn reference(source: &SliceSource) -> Object {
    let mut item = Object::new();
    item.uid(tags::REFERENCED_SOP_CLASS_UID, source.sop_class.as_str()).uid(tags::REFERENCED_SOP_INSTANCE_UID, source.instance.as_str());
    if let Some(frame) = source.frame {
        item.integer(tags::REFERENCED_FRAME_NUMBER, i64::from(frame));
    }
    item
}

/// Common Instance Reference module: every image that a frame refers to. Source: PS3.3 §C.12.2.
fn references(input: &SegInput<'_>, frames: &[FrameAt], object: &mut Object) {
    let mut named: Vec<&SliceSource> = Vec::new();
    for source in frames.iter().filter_map(|f| input.sources.get(f.k)) {
        if !named.iter().any(|known| known.instance == source.instance) {
            named.push(source);
        }
    }
    if named.is_empty() {
        return;
    }
    let items = named.iter().map(|s| reference(&SliceSource { frame: None, ..(*s).clone() })).collect();
    let mut series = Object::new();
    series.uid(tags::SERIES_INSTANCE_UID, input.source_series.as_str()).items(tags::REFERENCED_INSTANCE_SEQUENCE, items);
    object.item(tags::REFERENCED_SERIES_SEQUENCE, series);
}
