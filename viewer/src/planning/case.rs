//! What is planned on: segments, and the images they lie in.

use crate::source::{self, Keys, ObjectSource};
use crate::{Error, Result};
use mj_dicom::series::Kind;
use mj_dicom::{Dataset, Head, Header, Source, Watch};
use mj_imaging::reslice;
use mj_imaging::{Interpolation, Picture, Plane, segment, surface};
use mj_link::{SegmentFile, SeriesFiles};
use mj_model::plan::Segment;
use mj_model::{Mask, PointLps, Samples, StudyUid, Volume, Window};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Object files, in any order.
pub type Sources = Vec<Arc<dyn Source>>;

/// Storage classes of segmentations: binary and fractional, label map.
const SEGMENTATIONS: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];

/// A segment ready to be cut.
pub struct Part {
    /// What people call it.
    pub label: String,
    /// Its voxels, cut down to their box.
    pub mask: Arc<Mask>,
    /// Its surface.
    pub mesh: Arc<surface::Mesh>,
    /// Volume by voxels. Units: ml.
    pub volume_ml: f64,
    /// Box along the patient axes. Units: mm, LPS.
    pub extent: (PointLps, PointLps),
    /// What the record knows of it; none where it comes from a file.
    pub segment: Option<Segment>,
    /// The images it lies in.
    pub images: Arc<Sources>,
    /// The mask as a volume of 0 and 1, for slices through it.
    grey: Volume,
}

impl Part {
    /// Prepares a mask; `None` for an empty one.
    #[must_use]
    pub fn new(label: String, mask: &Mask, study: &StudyUid, images: Arc<Sources>) -> Option<Self> {
        let mask = segment::cropped(mask, 2)?;
        let extent = segment::box_lps(&mask)?;
        let grey = Volume { study: study.clone(), modality: "SEG".into(), ..Volume::of(mask.grid, Samples::U8(mask.voxels.clone())) };
        let mesh = surface::mesh(&mask);
        Some(Self { label, volume_ml: mask.volume_ml(), mesh: Arc::new(mesh), extent, grey, mask: Arc::new(mask), segment: None, images })
    }

    /// Where the segment lies on a plane: above one half is inside, NaN is far outside.
    #[must_use]
    pub fn on(&self, plane: &Plane) -> Picture {
        reslice::slice(&self.grey, plane, Interpolation::Linear)
    }

    /// The middle of its box.
    #[must_use]
    pub fn centre(&self) -> PointLps {
        self.extent.0 + (self.extent.1 - self.extent.0) * 0.5
    }
}

/// A study opened for planning.
pub struct Case {
    /// Whose it is.
    pub header: Header,
    /// The segments; empty when the study has none.
    pub parts: Vec<Part>,
}

/// What waits to be read.
#[derive(Clone)]
pub enum Wanted {
    /// Folders and files, and a SEG that lies elsewhere.
    Paths(Vec<PathBuf>, Option<PathBuf>),
    /// What the parent named.
    Record(Vec<SeriesFiles>, Vec<SegmentFile>, Option<Keys>),
}

/// Reads the segments of what is wanted; their images are read later.
///
/// # Errors
/// [`Error::NothingToShow`] when nothing is there; what a segment's file is wrong with.
pub fn open(wanted: &Wanted) -> Result<Case> {
    let mut case = match wanted {
        Wanted::Paths(paths, seg) => open_paths(paths, seg.as_ref())?,
        Wanted::Record(series, segments, keys) => open_record(series, segments, keys.as_ref())?,
    };
    // The largest first: the organ before what lies in it.
    case.parts.sort_by(|a, b| b.volume_ml.total_cmp(&a.volume_ml));
    Ok(case)
}

fn open_record(series: &[SeriesFiles], segments: &[SegmentFile], keys: Option<&Keys>) -> Result<Case> {
    let mut images = BTreeMap::new();
    for one in series {
        images.insert(one.series.clone(), Arc::new(source::of_series(one, keys)?));
    }
    let mut parts = Vec::new();
    let mut header = None;
    for SegmentFile { segment, file } in segments {
        let source = ObjectSource::of(file, keys)?;
        let (head, masks) = read_segments(&source)?;
        let images = images.get(&segment.series).cloned().unwrap_or_default();
        for mask in masks.into_iter().filter(|mask| mask.number == u32::from(segment.number)) {
            let part = Part::new(segment.label.clone(), &mask.mask, &segment.study, Arc::clone(&images));
            parts.extend(part.map(|part| Part { segment: Some(segment.clone()), ..part }));
        }
        header.get_or_insert(head);
    }
    let header = match header {
        Some(header) => header,
        None => images.values().flat_map(|s| s.iter()).find_map(|s| header_of(s.as_ref())).ok_or(Error::NothingToShow)?,
    };
    Ok(Case { header, parts })
}

fn open_paths(paths: &[PathBuf], seg: Option<&PathBuf>) -> Result<Case> {
    let mut all: Vec<(Arc<dyn Source>, Header)> = Vec::new();
    let mut segmentations: Vec<(Arc<dyn Source>, Header)> = Vec::new();
    for source in files_in(paths, seg) {
        let Some(header) = header_of(source.as_ref()) else { continue };
        let list = if SEGMENTATIONS.contains(&header.sop_class.as_str()) { &mut segmentations } else { &mut all };
        if header.has_pixels {
            list.push((source, header));
        }
    }
    let header = segmentations.first().or(all.first()).map(|(_, h)| h.clone()).ok_or(Error::NothingToShow)?;
    let images = Arc::new(images_of(all, &header));
    let mut parts = Vec::new();
    for (source, _) in segmentations.iter().filter(|(_, h)| h.study.uid == header.study.uid) {
        for segment in read_segments(source.as_ref())?.1 {
            parts.extend(Part::new(segment.label, &segment.mask, &header.study.uid, Arc::clone(&images)));
        }
    }
    Ok(Case { header, parts })
}

fn header_of(source: &dyn Source) -> Option<Header> {
    Head::read(source.open().ok()?.as_mut()).and_then(|head| head.dataset.header()).ok()
}

fn read_segments(source: &dyn Source) -> Result<(Header, Vec<mj_dicom::seg::SegSegment>)> {
    let bytes = source.read().map_err(|e| Error::Read { path: PathBuf::from(source.name()), source: e })?;
    let dataset = Dataset::read(&bytes)?;
    Ok((dataset.header()?, mj_dicom::seg::read(&dataset)?))
}

/// The series of images with the most slices in the segments' frame of reference.
fn images_of(all: Vec<(Arc<dyn Source>, Header)>, header: &Header) -> Sources {
    let mut series: BTreeMap<String, Sources> = BTreeMap::new();
    let wanted = &header.series.frame_of_reference;
    for (source, h) in all.into_iter().filter(|(_, h)| h.study.uid == header.study.uid) {
        if wanted.is_none() || h.series.frame_of_reference == *wanted {
            series.entry(h.series.uid.as_str().to_owned()).or_default().push(source);
        }
    }
    series.into_values().max_by_key(Vec::len).unwrap_or_default()
}

/// Reads the images.
///
/// # Errors
/// [`Error::NotAVolume`] when no planes can be laid through them.
pub fn images(sources: &Sources) -> Result<Volume> {
    let series = mj_dicom::series::open(sources, &Watch::default())?;
    // The first of equals, as everywhere: its segments were made on that one.
    let volumes = series.stacks.iter().filter(|s| s.kind() == Kind::Volume);
    let stack = volumes.rev().max_by_key(|s| s.n_slices()).ok_or(Error::NotAVolume)?;
    Ok(stack.load(&Watch::default())?)
}

/// The window to show images in: the file's first, or one for soft tissue.
#[must_use]
pub fn window_of(volume: &Volume) -> Window {
    volume.windows.first().cloned().unwrap_or(Window::linear(50.0, 400.0, ""))
}

fn files_in(paths: &[PathBuf], seg: Option<&PathBuf>) -> Sources {
    let files = paths
        .iter()
        .flat_map(|path| walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path);
    files.chain(seg.cloned()).map(|path| Arc::new(ObjectSource::plain(path)) as Arc<dyn Source>).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_segmentation_opens_with_its_images() {
        let Some(folder) = mj_testdata::path("seg_sr/liver_ct3slice") else { return };
        let case = open(&Wanted::Paths(vec![folder], None)).unwrap();
        let liver = case.parts.first().unwrap();
        // What its publisher says of it: 107098 voxels, 70.36 ml.
        assert_eq!(liver.mask.count(), 107_098);
        assert!((liver.volume_ml - 70.36).abs() < 0.01, "{}", liver.volume_ml);
        let volume = super::images(&liver.images).unwrap();
        let grid = &volume.grid;
        assert_eq!(grid.dims[2], 3);
        // The segment lies on the images: its slice has as many pixels inside as its mask.
        let plane = Plane::axial(grid, grid.centre(), 400, 400);
        let inside = liver.on(&plane).values.iter().filter(|v| **v >= 0.5).count() as f64 * plane.mm_per_pixel * plane.mm_per_pixel;
        let area = liver.volume_ml * 1000.0 / (grid.spacing_mm[2] * 3.0);
        assert!((inside / area - 1.0).abs() < 0.1, "{inside} {area}");
    }

    #[test]
    fn nothing_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(open(&Wanted::Paths(vec![folder.path().to_owned()], None)), Err(Error::NothingToShow)));
    }
}
