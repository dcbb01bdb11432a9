//! Reading segmentations: binary, fractional and label map.

use super::{LABEL_MAP_SEGMENTATION, SEGMENTATION};
use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use crate::pixels::{Decoder, FrameSamples, LARGE, Layout, MAX_DECODED, MAX_RATIO};
use dicom_dictionary_std::tags;
use mj_model::{Code, Grid, Mask, PointLps, VectorLps};
use std::collections::BTreeMap;

/// A segment of an object.
#[derive(Debug, Clone)]
pub struct SegSegment {
    /// Segment Number.
    pub number: u32,
    /// Segment Label.
    pub label: String,
    /// Segmented Property Type.
    pub kind: Option<Code>,
    /// Tracking UID; empty without.
    pub tracking_uid: String,
    /// Its voxels. All segments of an object share one grid.
    pub mask: Mask,
}

/// Reads all segments. Fractional ones count as inside from half of the largest value.
///
/// # Errors
/// [`Error::WrongKind`] for another object; what decoding says; [`Error::Missing`] without a place in space.
pub fn read(dataset: &Dataset) -> Result<Vec<SegSegment>> {
    let root = dataset.root();
    let class = root.first_text(tags::SOP_CLASS_UID);
    if class != SEGMENTATION && class != LABEL_MAP_SEGMENTATION {
        return Err(Error::WrongKind { wanted: "SEG" });
    }
    let decoder = Decoder::new(dataset)?;
    let layout = decoder.layout();
    let shared = root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let per_frame: Vec<View<'_>> = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    let (grid, slices) = placed(&root, layout, shared.as_ref(), &per_frame)?;
    let segments: Vec<View<'_>> = root.items(tags::SEGMENT_SEQUENCE).collect();
    let bytes = bytes_of(&grid, segments.len());
    if bytes > MAX_DECODED {
        return Err(Error::TooLarge { mib: bytes >> 20 });
    }
    // Frames need not fill their grid, but a damaged place of one must not make it huge.
    if bytes > LARGE && bytes / MAX_RATIO > layout.decoded_bytes() {
        return Err(Error::BadValue { keyword: "ImagePositionPatient" });
    }
    let mut masks: BTreeMap<u32, SegSegment> = segments.iter().map(|item| segment(item, grid)).map(|s| (s.number, s)).collect();
    let is_label_map = class == LABEL_MAP_SEGMENTATION;
    let least = threshold(&root, layout.bits_allocated);
    for (frame, k) in slices.iter().enumerate() {
        let samples = decoder.frame(u32::try_from(frame).unwrap_or(u32::MAX))?;
        if is_label_map {
            for (number, segment) in &mut masks {
                mark(&mut segment.mask, *k, &samples, |v| v == f64::from(*number));
            }
        } else {
            let number =
                segment_number(shared.as_ref(), per_frame.get(frame)).ok_or(Error::Missing { keyword: "ReferencedSegmentNumber" })?;
            let segment = masks.get_mut(&number).ok_or(Error::BadValue { keyword: "ReferencedSegmentNumber" })?;
            mark(&mut segment.mask, *k, &samples, |v| v >= least);
        }
    }
    // The background of a label map is listed as a segment of number 0 by some writers.
    Ok(masks.into_values().filter(|s| !(is_label_map && s.number == 0)).collect())
}

/// Bytes of the masks that [`read`] makes, by the places of the frames and the number of segments.
///
/// # Errors
/// As [`read`], before anything is decoded.
pub fn declared_bytes(dataset: &Dataset) -> Result<u64> {
    let root = dataset.root();
    let decoder = Decoder::new(dataset)?;
    let layout = decoder.layout();
    let shared = root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let per_frame: Vec<View<'_>> = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    let (grid, _) = placed(&root, layout, shared.as_ref(), &per_frame)?;
    Ok(bytes_of(&grid, root.items(tags::SEGMENT_SEQUENCE).count()))
}

fn bytes_of(grid: &Grid, n_segments: usize) -> u64 {
    (grid.n_voxels() as u64).saturating_mul(n_segments as u64)
}

fn threshold(root: &View<'_>, bits_allocated: u16) -> f64 {
    if bits_allocated == 1 {
        return 1.0;
    }
    let most = root.float(tags::MAXIMUM_FRACTIONAL_VALUE).unwrap_or(255.0);
    (most / 2.0).max(1.0)
}

fn mark(mask: &mut Mask, k: usize, samples: &FrameSamples, is_inside: impl Fn(f64) -> bool) {
    let [columns, rows, _] = mask.grid.dims;
    let start = k * columns * rows;
    let Some(slice) = mask.voxels.get_mut(start..start + columns * rows) else { return };
    let mut voxels = slice.iter_mut();
    samples.for_each(|v| {
        if let Some(voxel) = voxels.next() {
            *voxel |= u8::from(is_inside(v));
        }
    });
}

fn segment(item: &View<'_>, grid: Grid) -> SegSegment {
    let kind = item.item(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).map(|code| {
        let meaning = code.text(tags::CODE_MEANING);
        Code {
            scheme: code.text(tags::CODING_SCHEME_DESIGNATOR),
            code: code.text(tags::CODE_VALUE),
            name_en: meaning.clone(),
            name_zh: meaning,
        }
    });
    SegSegment {
        number: item.count(tags::SEGMENT_NUMBER).unwrap_or(0),
        label: item.text(tags::SEGMENT_LABEL),
        kind,
        tracking_uid: item.text(tags::TRACKING_UID),
        mask: Mask::empty(grid),
    }
}

fn group<'a>(shared: Option<&View<'a>>, own: Option<&View<'a>>, sequence: dicom_core::Tag) -> Option<View<'a>> {
    own.and_then(|g| g.item(sequence)).or_else(|| shared.and_then(|g| g.item(sequence)))
}

fn segment_number(shared: Option<&View<'_>>, own: Option<&View<'_>>) -> Option<u32> {
    group(shared, own, tags::SEGMENT_IDENTIFICATION_SEQUENCE)?.count(tags::REFERENCED_SEGMENT_NUMBER)
}

fn position(shared: Option<&View<'_>>, own: Option<&View<'_>>) -> Result<PointLps> {
    let values = group(shared, own, tags::PLANE_POSITION_SEQUENCE).map(|g| g.floats(tags::IMAGE_POSITION_PATIENT)).unwrap_or_default();
    let &[x, y, z] = values.first_chunk::<3>().ok_or(Error::Missing { keyword: "ImagePositionPatient" })?;
    let point = PointLps::new(x, y, z);
    if point.is_finite() { Ok(point) } else { Err(Error::BadValue { keyword: "ImagePositionPatient" }) }
}

/// [`grid`] for the frames of an object.
fn placed(root: &View<'_>, layout: &Layout, shared: Option<&View<'_>>, per_frame: &[View<'_>]) -> Result<(Grid, Vec<usize>)> {
    let places = (0..layout.frames as usize).map(|k| position(shared, per_frame.get(k))).collect::<Result<Vec<_>>>()?;
    grid(root, shared, per_frame.first(), &places, [layout.columns as usize, layout.rows as usize])
}

/// How far a frame may lie from its slice. Units: slice distances.
const OFF: f64 = 0.3;

/// Distance of slices from the places of frames along the normal, of which there may be fewer: that named, where all places
/// are multiples of it; else the mean of the small gaps, since a single one is rounded. `None` for frames at one place
/// without a name. Units: mm.
fn slice_distance(along: &[f64], named: Option<f64>) -> Option<f64> {
    let mut sorted = along.to_vec();
    sorted.sort_by(f64::total_cmp);
    let gaps: Vec<f64> = sorted.windows(2).filter_map(|w| Some(w.last()? - w.first()?)).filter(|gap| *gap > 1e-3).collect();
    let fits = |named: &f64| along.iter().all(|d| (d / named - (d / named).round()).abs() <= OFF);
    let smallest = gaps.iter().copied().min_by(f64::total_cmp);
    // A name larger than a gap is none.
    if let Some(named) = named.filter(fits).filter(|named| smallest.is_none_or(|gap| gap > named * 0.7)) {
        return Some(named);
    }
    let smallest = smallest?;
    let small = || gaps.iter().copied().filter(|gap| *gap < smallest * 1.5);
    Some(small().sum::<f64>() / small().count() as f64)
}

/// The grid that holds all frames, and the slice each frame lies in. Frames need not fill it.
fn grid(
    root: &View<'_>,
    shared: Option<&View<'_>>,
    first: Option<&View<'_>>,
    places: &[PointLps],
    [columns, rows]: [usize; 2],
) -> Result<(Grid, Vec<usize>)> {
    let orientation =
        group(shared, first, tags::PLANE_ORIENTATION_SEQUENCE).map(|g| g.floats(tags::IMAGE_ORIENTATION_PATIENT)).unwrap_or_default();
    let &[a, b, c, d, e, f] = orientation.first_chunk::<6>().ok_or(Error::Missing { keyword: "ImageOrientationPatient" })?;
    let bad = || Error::BadValue { keyword: "ImageOrientationPatient" };
    let (i, j) = (VectorLps::new(a, b, c).unit().ok_or_else(bad)?, VectorLps::new(d, e, f).unit().ok_or_else(bad)?);
    let normal = i.cross(j).unit().ok_or_else(bad)?;
    let measures = group(shared, first, tags::PIXEL_MEASURES_SEQUENCE).unwrap_or_else(|| root.clone());
    let spacing = measures.floats(tags::PIXEL_SPACING);
    let &[between_rows, between_columns] = spacing.first_chunk::<2>().ok_or(Error::Missing { keyword: "PixelSpacing" })?;
    let origin =
        places.iter().copied().min_by(|p, q| (*p - PointLps::default()).dot(normal).total_cmp(&(*q - PointLps::default()).dot(normal)));
    let origin = origin.ok_or(Error::NoPixels)?;
    let along: Vec<f64> = places.iter().map(|p| (*p - origin).dot(normal)).collect();
    let named = |tag| measures.float(tag).filter(|v| *v > 0.0);
    let distance = slice_distance(&along, named(tags::SPACING_BETWEEN_SLICES)).or_else(|| named(tags::SLICE_THICKNESS)).unwrap_or(1.0);
    let slices: Vec<usize> = along.iter().map(|d| (d / distance).round() as usize).collect();
    // A frame between two slices would be put where it is not.
    if along.iter().zip(&slices).any(|(d, k)| (d / distance - *k as f64).abs() > OFF) {
        return Err(Error::BadValue { keyword: "ImagePositionPatient" });
    }
    let depth = slices.iter().max().map_or(1, |k| k.saturating_add(1));
    if depth > 100_000 {
        return Err(Error::TooLarge { mib: (depth.saturating_mul(columns * rows) >> 20) as u64 });
    }
    let axes = [i, j, normal];
    Ok((Grid { dims: [columns, rows, depth], origin, axes, spacing_mm: [between_columns, between_rows, distance] }, slices))
}

#[cfg(test)]
mod tests {
    use super::slice_distance;

    #[test]
    fn frames_may_be_fewer_than_slices_and_their_places_rounded() {
        let near = |a: Option<f64>, b: f64| assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} {b}");
        // Two lesions: the slices between them are known by name only.
        near(slice_distance(&[0.0, 6.0], Some(2.0)), 2.0);
        near(slice_distance(&[0.0, 6.0], None), 6.0);
        // 0.625 mm, written with two decimals, with a gap.
        let rounded: Vec<f64> = (0..600).filter(|k| !(100..140).contains(k)).map(|k| (f64::from(k) * 62.5).round() / 100.0).collect();
        let distance = slice_distance(&rounded, None).unwrap();
        assert!((distance - 0.625).abs() < 3e-4, "{distance}");
        near(slice_distance(&rounded, Some(0.625)), 0.625);
        // A name that is the thickness of slices that overlap, or that fits no place.
        near(slice_distance(&[0.0, 2.5, 5.0], Some(5.0)), 2.5);
        near(slice_distance(&[0.0, 2.5, 5.0], Some(1.8)), 2.5);
        assert!(slice_distance(&[0.0], None).is_none());
        near(slice_distance(&[0.0, 0.0], Some(3.0)), 3.0);
    }
}
