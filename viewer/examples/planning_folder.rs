//! Writes the demo patient's CT with a segmentation of liver and tumour into a folder, to try the planning
//! room on: `cargo run -p mj-viewer --example planning_folder FOLDER [SLICES SIZE]`, then
//! `mingjing-viewer --room planning FOLDER`.

use mj_dicom::Dataset;
use mj_dicom::context::{Context, Device};
use mj_dicom::ct::{self, CtInput, CtSeries};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_imaging::phantom::{Spec, generate};
use mj_model::volume::SliceSource;
use mj_model::{Code, FrameOfReferenceUid, InstanceUid, LinearMap, Mask, SeriesUid, SopClassUid, StudyUid, Window};
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().ok_or("which folder?")?);
    let slices = args.next().map_or(Ok(150), |n| n.parse())?;
    let size = args.next().map_or(Ok(256), |n| n.parse())?;
    std::fs::create_dir_all(&folder)?;
    let phantom = generate(&Spec { seed: 1, slices, size }, &|_, _| ())?;
    let grid = phantom.current.grid;
    let at = mj_model::clock::now();
    let device =
        Device { name: "Mingjing Phantom".into(), version: "0".into(), serial: "0".into(), uid: SeriesUid::fresh().as_str().into() };
    let series = CtSeries {
        patient_name: "Shili^Huanzhe=示例^患者".into(),
        patient_id: "MJ000001".into(),
        issuer: "MINGJING-DEMO".into(),
        birth_date: "19630520".into(),
        sex: "M".into(),
        age: "062Y".into(),
        study: StudyUid::fresh(),
        study_id: "1".into(),
        accession: "1".into(),
        study_description: "胸部及上腹部CT增强".into(),
        request: String::new(),
        clinical_history: String::new(),
        institution: String::new(),
        referring: String::new(),
        series: SeriesUid::fresh(),
        series_number: 3,
        series_description: "门静脉期".into(),
        body_part: "CHEST".into(),
        frame_of_reference: FrameOfReferenceUid::fresh(),
        contrast: String::new(),
        thickness_mm: grid.spacing_mm[2],
        at,
        windows: vec![Window::linear(60.0, 350.0, "LIVER")],
        is_original: true,
        device: device.clone(),
    };
    let mut sources = Vec::new();
    let mut first = None;
    for (k, samples) in phantom.current.hu.chunks_exact(size * size).enumerate() {
        let instance = InstanceUid::fresh();
        let input = CtInput {
            series: &series,
            instance: instance.clone(),
            number: k as i64 + 1,
            grid: &grid,
            k,
            samples,
            map: LinearMap::default(),
        };
        let written = ct::write(&input)?;
        std::fs::write(folder.join(format!("{k:04}.dcm")), &written.bytes)?;
        sources.push(SliceSource { instance, sop_class: SopClassUid::parse(ct::CT_IMAGE)?, frame: None });
        first.get_or_insert(written.bytes);
    }
    let context = Context::of(&Dataset::read(&first.ok_or("no slice")?)?)?;
    // The whole organ: with its vessels and the tumour in it.
    let mask = |values: &[u8]| Mask { grid, voxels: phantom.labels.iter().map(|l| u8::from(values.contains(l))).collect() };
    let (liver, tumour) = (mask(&[13, 14, 15, 16]), mask(&[16]));
    let organ = || Code::new("SCT", "123037004", "Anatomical Structure", "解剖结构");
    let segment = |label: &'static str, kind, mask, colour| SegmentInput {
        label,
        category: organ(),
        kind,
        algorithm: Algorithm::Automatic("phantom".into()),
        tracking: None,
        colour,
        mask,
    };
    let input = SegInput {
        context: &context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: 301,
        title: "Segments",
        creator: "Mingjing",
        grid: &grid,
        frame_of_reference: series.frame_of_reference.clone(),
        source_series: series.series.clone(),
        sources: &sources,
        is_resampled: false,
        segments: vec![
            segment("肝脏", Code::new("SCT", "10200004", "Liver", "肝脏"), &liver, [201, 112, 92]),
            segment("肝脏肿瘤", Code::new("SCT", "4147007", "Mass", "肿块"), &tumour, [160, 120, 60]),
        ],
        at,
        device: &device,
    };
    std::fs::write(folder.join("seg.dcm"), seg::write(&input)?.bytes)?;
    Ok(())
}
