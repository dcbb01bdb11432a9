//! Reading segmentations: binary, fractional and label map.

use super::{Algorithm, LABEL_MAP_SEGMENTATION, SEGMENTATION};
use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use crate::pixels::{Decoder, FrameSamples, LARGE, Layout, MAX_DECODED, MAX_RATIO};
use crate::sr::side_of;
use dicom_dictionary_std::tags;
use mj_model::{Code, Grid, Mask, PointLps, Side, VectorLps};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A segment of an object.
#[derive(Debug, Clone)]
pub struct SegSegment {
    /// Segment Number.
    pub number: u32,
    /// Segment Label.
    pub label: String,
    /// Segmented Property Category.
    pub category: Option<Code>,
    /// Segmented Property Type.
    pub kind: Option<Code>,
    /// Side of the patient, where its type or its anatomic region says one.
    pub side: Side,
    /// How it was made.
    pub algorithm: Algorithm,
    /// The colour to draw it in, sRGB, where the object recommends one.
    pub colour: Option<[u8; 3]>,
    /// Tracking ID; empty without.
    pub tracking_id: String,
    /// Tracking UID; empty without.
    pub tracking_uid: String,
    /// The grid that all segments of the object share.
    pub grid: Grid,
    /// Its voxels, cut down to their box and two voxels around it, within `grid`. A segment without voxels has the first
    /// voxel of `grid`, empty.
    pub mask: Mask,
}

impl SegSegment {
    /// Its voxels on the whole grid of the object.
    #[must_use]
    pub fn whole(&self) -> Mask {
        self.mask.on(&self.grid).unwrap_or_else(|| Mask::empty(self.grid))
    }
}

/// Voxels around a segment that its mask keeps, for smooth surfaces and pictures.
const MARGIN: usize = 2;

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
    let is_label_map = class == LABEL_MAP_SEGMENTATION;
    let items: Vec<View<'_>> = root.items(tags::SEGMENT_SEQUENCE).collect();
    // The background of a label map is listed as a segment of number 0 by some writers.
    let mut segments: BTreeMap<u32, SegSegment> =
        items.iter().map(|item| segment(item, grid)).filter(|s| !(is_label_map && s.number == 0)).map(|s| (s.number, s)).collect();
    let numbers = if is_label_map { None } else { Some(segment_numbers(shared.as_ref(), &per_frame, slices.len(), &segments)?) };
    let frames = Frames { decoder: &decoder, slices, numbers, least: threshold(&root, layout.bits_allocated), columns: grid.dims[0] };
    let boxes = frames.boxes()?;
    let bytes = boxes.iter().filter(|(number, _)| segments.contains_key(number)).map(|(_, b)| b.n_voxels(&grid)).sum::<u64>();
    if bytes > MAX_DECODED {
        return Err(Error::TooLarge { mib: bytes >> 20 });
    }
    // Frames need not fill their grid, but a damaged place of one must not make it huge.
    if bytes > LARGE && bytes / MAX_RATIO > layout.decoded_bytes() {
        return Err(Error::BadValue { keyword: "ImagePositionPatient" });
    }
    for (number, around) in boxes {
        if let Some(segment) = segments.get_mut(&number) {
            segment.mask = Mask::empty(around.grid(&grid));
        }
    }
    frames.fill(&mut segments)?;
    Ok(segments.into_values().collect())
}

/// The segment of each frame.
fn segment_numbers(
    shared: Option<&View<'_>>,
    per_frame: &[View<'_>],
    n_frames: usize,
    segments: &BTreeMap<u32, SegSegment>,
) -> Result<Vec<u32>> {
    (0..n_frames)
        .map(|frame| {
            let number = segment_number(shared, per_frame.get(frame)).ok_or(Error::Missing { keyword: "ReferencedSegmentNumber" })?;
            if segments.contains_key(&number) { Ok(number) } else { Err(Error::BadValue { keyword: "ReferencedSegmentNumber" }) }
        })
        .collect()
}

/// The frames of an object and what they mean.
struct Frames<'a> {
    decoder: &'a Decoder<'a>,
    /// Slice of each frame in the grid.
    slices: Vec<usize>,
    /// Segment of each frame; `None` for a label map, whose samples are numbers of segments.
    numbers: Option<Vec<u32>>,
    /// Smallest sample that is inside.
    least: f64,
    columns: usize,
}

/// Voxels next to each other in a row of a frame that belong to one segment.
struct Run {
    number: u32,
    row: usize,
    from: usize,
    to: usize,
}

/// A box of voxels; first and last, both included.
#[derive(Debug, Clone, Copy)]
struct IndexBox {
    low: [usize; 3],
    high: [usize; 3],
}

impl IndexBox {
    fn around(a: Self, b: Self) -> Self {
        let by = |pick: fn(usize, usize) -> usize, a: [usize; 3], b: [usize; 3]| [pick(a[0], b[0]), pick(a[1], b[1]), pick(a[2], b[2])];
        Self { low: by(usize::min, a.low, b.low), high: by(usize::max, a.high, b.high) }
    }

    /// With the margin, inside of the grid: first voxel and number of voxels.
    fn wide(&self, grid: &Grid) -> ([usize; 3], [usize; 3]) {
        let low = self.low.map(|v| v.saturating_sub(MARGIN));
        let dims = [0, 1, 2].map(|a| (self.high[a] + MARGIN).min(grid.dims[a].saturating_sub(1)) + 1 - low[a]);
        (low, dims)
    }

    fn n_voxels(&self, grid: &Grid) -> u64 {
        self.wide(grid).1.iter().map(|n| *n as u64).product()
    }

    fn grid(&self, grid: &Grid) -> Grid {
        let (low, dims) = self.wide(grid);
        Grid { dims, origin: grid.lps_from_voxel(low.map(|v| v as f64)), ..*grid }
    }
}

/// Frames that are decoded at once before they are filled in.
const AT_ONCE: usize = 64;

impl Frames<'_> {
    fn decode(&self, frame: usize) -> Result<FrameSamples> {
        self.decoder.frame(u32::try_from(frame).unwrap_or(u32::MAX))
    }

    /// The box of every segment that has voxels.
    fn boxes(&self) -> Result<BTreeMap<u32, IndexBox>> {
        let of_frame = |frame: usize| -> Result<BTreeMap<u32, IndexBox>> {
            let samples = self.decode(frame)?;
            let mut boxes: BTreeMap<u32, IndexBox> = BTreeMap::new();
            let k = self.slices[frame];
            let mut last: Option<(u32, IndexBox)> = None;
            self.runs(frame, &samples, |run| {
                let own = IndexBox { low: [run.from, run.row, k], high: [run.to - 1, run.row, k] };
                last = Some(match last {
                    Some((number, around)) if number == run.number => (number, IndexBox::around(around, own)),
                    Some((number, around)) => {
                        join(&mut boxes, number, around);
                        (run.number, own)
                    }
                    None => (run.number, own),
                });
            });
            if let Some((number, around)) = last {
                join(&mut boxes, number, around);
            }
            Ok(boxes)
        };
        (0..self.slices.len()).into_par_iter().map(of_frame).try_reduce(BTreeMap::new, |mut all, some| {
            some.into_iter().for_each(|(number, around)| join(&mut all, number, around));
            Ok(all)
        })
    }

    /// Marks the voxels of all segments.
    fn fill(&self, segments: &mut BTreeMap<u32, SegSegment>) -> Result<()> {
        let mut masks: BTreeMap<u32, (&mut Mask, [usize; 3])> = segments
            .iter_mut()
            .map(|(number, s)| {
                let place = s.mask.place_in(&s.grid).unwrap_or_default();
                (*number, (&mut s.mask, place))
            })
            .collect();
        for first in (0..self.slices.len()).step_by(AT_ONCE) {
            let last = (first + AT_ONCE).min(self.slices.len());
            let decoded: Vec<FrameSamples> = (first..last).into_par_iter().map(|frame| self.decode(frame)).collect::<Result<_>>()?;
            for (frame, samples) in (first..last).zip(&decoded) {
                let k = self.slices[frame];
                self.runs(frame, samples, |run| {
                    if let Some((mask, [i, j, below])) = masks.get_mut(&run.number) {
                        let at = mask.grid.offset([run.from - *i, run.row - *j, k - *below].into());
                        mask.voxels.get_mut(at..at + (run.to - run.from)).into_iter().for_each(|voxels| voxels.fill(1));
                    }
                });
            }
        }
        Ok(())
    }

    /// Calls for every run of a frame that belongs to a segment.
    fn runs(&self, frame: usize, samples: &FrameSamples, mut each: impl FnMut(Run)) {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(frame).copied());
        let least = self.least;
        match (samples, number) {
            (FrameSamples::U8(v), None) => runs_of(v, self.columns, |&s| u32::from(s), &mut each),
            (FrameSamples::U16(v), None) => runs_of(v, self.columns, |&s| u32::from(s), &mut each),
            (FrameSamples::U8(v), Some(n)) => runs_of(v, self.columns, |&s| if f64::from(s) >= least { n } else { 0 }, &mut each),
            (_, n) => {
                let mut values = Vec::with_capacity(samples.len());
                samples.for_each(|v| values.push(v));
                let of = |v: &f64| match n {
                    Some(n) if *v >= least => n,
                    None if *v >= 0.0 => *v as u32,
                    _ => 0,
                };
                runs_of(&values, self.columns, of, &mut each);
            }
        }
    }
}

fn join(boxes: &mut BTreeMap<u32, IndexBox>, number: u32, around: IndexBox) {
    boxes.entry(number).and_modify(|known| *known = IndexBox::around(*known, around)).or_insert(around);
}

/// The runs of samples that are the same segment; 0 is none.
fn runs_of<T: PartialEq>(samples: &[T], columns: usize, number: impl Fn(&T) -> u32, each: &mut impl FnMut(Run)) {
    for (row, line) in samples.chunks_exact(columns.max(1)).enumerate() {
        let mut from = 0;
        while let Some(first) = line.get(from) {
            let same = from + alike(line.get(from..).unwrap_or_default(), first);
            let number = number(first);
            if number != 0 {
                each(Run { number, row, from, to: same });
            }
            from = same;
        }
    }
}

/// How many samples from the first on are equal to it. Whole blocks are compared at once: most of a frame is alike.
fn alike<T: PartialEq>(samples: &[T], first: &T) -> usize {
    const BLOCK: usize = 32;
    let (blocks, _) = samples.as_chunks::<BLOCK>();
    let is_alike = |block: &&[T; BLOCK]| block.iter().fold(true, |all, s| all & (s == first));
    let whole = BLOCK * blocks.iter().take_while(is_alike).count();
    let rest = samples.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|s| *s == first).count()
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

fn segment(item: &View<'_>, grid: Grid) -> SegSegment {
    let name = item.text(tags::SEGMENT_ALGORITHM_NAME);
    SegSegment {
        number: item.count(tags::SEGMENT_NUMBER).unwrap_or(0),
        label: item.text(tags::SEGMENT_LABEL),
        category: item.code(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE),
        kind: item.code(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE),
        side: side(item),
        algorithm: match item.first_text(tags::SEGMENT_ALGORITHM_TYPE).as_str() {
            "AUTOMATIC" => Algorithm::Automatic(name),
            "SEMIAUTOMATIC" => Algorithm::Semiautomatic(name),
            _ => Algorithm::Manual,
        },
        colour: item.floats(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).first_chunk().copied().map(super::colour::from_cielab),
        tracking_id: item.text(tags::TRACKING_ID),
        tracking_uid: item.text(tags::TRACKING_UID),
        grid,
        mask: Mask::empty(Grid { dims: [1; 3], ..grid }),
    }
}

/// The side that modifies a segment's type, else its anatomic region. Source: PS3.3 §C.8.20.4, table 10-8.
pub(super) fn side(item: &View<'_>) -> Side {
    let modifiers = [
        (tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE),
        (tags::ANATOMIC_REGION_SEQUENCE, tags::ANATOMIC_REGION_MODIFIER_SEQUENCE),
    ];
    let said = modifiers.map(|(of, modifier)| side_of(item.item(of).and_then(|of| of.code(modifier)).as_ref()));
    said.into_iter().find(|side| *side != Side::None).unwrap_or_default()
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
    // Frames that slide in their plane, as those of a tilted gantry do, fit no straight grid.
    let slides = |p: &PointLps| {
        let off = *p - origin;
        (off - normal * off.dot(normal)).length() > between_columns.min(between_rows) / 2.0
    };
    if places.iter().any(slides) {
        return Err(Error::BadValue { keyword: "ImagePositionPatient" });
    }
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
