//! Segments and cuts.

use super::output::{self, Written};
use super::{Context, jobs};
use crate::source::{self, ObjectSource};
use crate::{Error, Result};
use mj_dicom::Dataset;
use mj_dicom::context::{self as dicom_context, Device};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_imaging::{export as files, plan, segment, surface};
use mj_link::job::SegmentOp;
use mj_link::{JobResult, ObjectFile, SeriesFiles};
use mj_model::plan::{CutPlane, SegmentFacts};
use mj_model::{Code, FrameOfReferenceUid, Grid, InstanceUid, Mask, SeriesUid, Volume, clock};
use std::path::Path;

/// Makes a segment, writes it as a sealed DICOM SEG into the inbox, and tells its numbers.
pub(super) fn make(series: &SeriesFiles, op: &SegmentOp, label: &str, context: &Context) -> Result<JobResult> {
    let keys = context.keys.clone().ok_or(Error::NoKeys)?;
    let (_, volume) = jobs::volume(series, context)?;
    // A picture has no volume, and without a scale there are no millilitres.
    if volume.grid.dims[2] < 2 || !volume.is_calibrated {
        return Err(Error::NotAVolume);
    }
    let mask = match op {
        SegmentOp::Threshold { range } => segment::threshold(&volume, *range, &context.cancel)?,
        SegmentOp::Grow { range, seed, within_mm } => segment::grow(&volume, *range, *seed, *within_mm, &context.cancel)?,
    };
    context.check()?;
    let instance = InstanceUid::fresh();
    let bytes = object(series, &volume, &mask, op, label, &instance, context)?;
    let mesh = surface::mesh(&mask);
    let box_lps = segment::box_lps(&mask).ok_or(mj_imaging::Error::EmptySegment)?;
    Ok(JobResult::Segmented {
        file: keys.put(&bytes, "dcm")?,
        seg_instance: instance,
        voxels: mask.count() as u64,
        volume_ml: mask.volume_ml(),
        mesh_volume_ml: mesh.volume_ml(),
        box_lps,
    })
}

fn object(
    series: &SeriesFiles,
    volume: &Volume,
    mask: &Mask,
    op: &SegmentOp,
    label: &str,
    instance: &InstanceUid,
    context: &Context,
) -> Result<Vec<u8>> {
    let first = source::of_series(series, context.keys.as_ref())?.into_iter().next().ok_or(Error::NothingToShow)?;
    let bytes = first.read().map_err(|source| Error::Read { path: first.name().into(), source })?;
    let of_study = dicom_context::Context::of(&Dataset::from_vec(bytes)?)?;
    let name = match op {
        SegmentOp::Threshold { .. } => "threshold",
        SegmentOp::Grow { .. } => "region growing",
    };
    let (category, kind) = kind_of(label);
    let device = Device { name: "Mingjing".into(), version: env!("CARGO_PKG_VERSION").into(), serial: String::new(), uid: String::new() };
    let input = SegInput {
        context: &of_study,
        instance: instance.clone(),
        series: SeriesUid::fresh(),
        series_number: 900,
        title: label,
        creator: "Mingjing",
        grid: &mask.grid,
        frame_of_reference: volume.frame_of_reference.clone().unwrap_or_else(FrameOfReferenceUid::fresh),
        source_series: volume.series.clone(),
        sources: &volume.sources,
        is_resampled: volume.warnings.iter().any(|w| w.code == "geometry.resampled"),
        segments: vec![SegmentInput {
            label,
            category,
            kind,
            algorithm: Algorithm::Semiautomatic(name.into()),
            tracking: None,
            colour: [196, 120, 88],
            mask,
        }],
        at: clock::now(),
        device: &device,
    };
    Ok(seg::write(&input)?.bytes)
}

/// Category and type of a segment from what people call it; tissue where the name says nothing known.
///
/// Source: PS3.16 CID 7150, CID 7166.
fn kind_of(label: &str) -> (Code, Code) {
    let anatomy = || Code::new("SCT", "123037004", "Anatomical Structure", "解剖结构");
    let altered = || Code::new("SCT", "49755003", "Morphologically Altered Structure", "形态异常结构");
    let name = label.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if has(&["tumour", "tumor", "肿瘤", "占位", "结节", "nodule", "mass"]) {
        return (altered(), Code::new("SCT", "4147007", "Mass", "肿块"));
    }
    for (words, code, en, zh) in [
        (&["liver", "肝"][..], "10200004", "Liver", "肝"),
        (&["lung", "肺"][..], "39607008", "Lung", "肺"),
        (&["spleen", "脾"][..], "78961009", "Spleen", "脾"),
        (&["kidney", "肾"][..], "64033007", "Kidney", "肾"),
        (&["bone", "骨"][..], "272673000", "Bone", "骨"),
        (&["aorta", "主动脉"][..], "15825003", "Aorta", "主动脉"),
    ] {
        if has(words) {
            return (anatomy(), Code::new("SCT", code, en, zh));
        }
    }
    let tissue = || Code::new("SCT", "85756007", "Tissue", "组织");
    (tissue(), tissue())
}

/// The segments of an object in numbers.
pub(super) fn facts(file: &ObjectFile, context: &Context) -> Result<JobResult> {
    let dataset = Dataset::from_vec(jobs::read(&ObjectSource::of(file, context.keys.as_ref())?)?)?;
    let mut segments = Vec::new();
    for segment in seg::read(&dataset)? {
        context.check()?;
        segments.push(SegmentFacts {
            number: u16::try_from(segment.number).unwrap_or(0),
            kind: segment.kind,
            side: segment.side,
            algorithm: match segment.algorithm {
                Algorithm::Manual => None,
                Algorithm::Semiautomatic(name) | Algorithm::Automatic(name) => Some(name),
            },
            tracking_uid: segment.tracking_uid,
            voxels: segment.mask.count() as u64,
            volume_ml: segment.mask.volume_ml(),
            mesh_volume_ml: surface::mesh(&segment.mask).volume_ml(),
            box_lps: segment::box_lps(&segment.mask),
            label: segment.label,
        });
    }
    Ok(JobResult::Segments { segments })
}

/// Reads a segment of an object by its number.
fn read((file, number): (&ObjectFile, u16), context: &Context) -> Result<Mask> {
    let dataset = Dataset::from_vec(jobs::read(&ObjectSource::of(file, context.keys.as_ref())?)?)?;
    let segment = seg::read(&dataset)?.into_iter().find(|segment| segment.number == u32::from(number));
    segment.map(|s| s.whole()).ok_or(Error::NoSegment)
}

/// Cuts a segment by a plane and tells the volumes of both parts.
pub(super) fn cut(
    _series: &SeriesFiles,
    segment: (&ObjectFile, u16),
    plane: &CutPlane,
    stl: Option<&Path>,
    context: &Context,
) -> Result<JobResult> {
    let mask = read(segment, context)?;
    context.check()?;
    let cut = plan::cut(&mask, plane)?;
    let mut written = Vec::new();
    if let Some(path) = stl {
        output::write(path, &surface::mesh(&cut.kept).to_stl())?;
        written.push(path.to_owned());
    }
    Ok(JobResult::Cut { results: cut.results, written })
}

/// Writes a segment as NRRD, on the grid of its series, or as an STL surface.
pub(super) fn export(series: &SeriesFiles, segment: (&ObjectFile, u16), to: &Path, context: &Context) -> Result<JobResult> {
    let mask = read(segment, context)?;
    let ending = to.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut written = Written::default();
    match ending.as_str() {
        "stl" => written.put(to.to_owned(), &surface::mesh(&mask).to_stl())?,
        "nrrd" => {
            let opened = jobs::open(series, context)?;
            let grid = jobs::main_stack(&opened)?.grid().ok_or(Error::NotAVolume)?;
            written.put(to.to_owned(), &files::mask_nrrd(&on_grid(&mask, &grid)?))?;
        }
        _ => return Err(Error::UnknownEnding { ending }),
    }
    Ok(written.result())
}

/// The mask on the series' own grid. An object holds only the frames that are not empty, so its grid is a part
/// of the series'.
fn on_grid(mask: &Mask, grid: &Grid) -> Result<Mask> {
    let mut out = Mask::empty(*grid);
    let [ni, nj, _] = mask.grid.dims;
    for (at, _) in mask.voxels.iter().enumerate().filter(|(_, v)| **v != 0) {
        let ijk = [(at % ni) as f64, (at / ni % nj) as f64, (at / (ni * nj)) as f64];
        let voxel = grid.nearest_voxel(mask.grid.lps_from_voxel(ijk)).ok_or(Error::NoSegment)?;
        if let Some(slot) = out.voxels.get_mut(grid.offset(voxel)) {
            *slot = 1;
        }
    }
    Ok(out)
}
