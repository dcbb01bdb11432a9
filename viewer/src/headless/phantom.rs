//! The demo patient in files: `current/*.dcm`, `prior/*.dcm`, `truth.nrrd`, `truth.json`.

use super::Context;
use super::output::{self, Written};
use crate::{Error, Result};
use mj_dicom::context::Device;
use mj_dicom::ct::{self, CtInput, CtSeries};
use mj_imaging::export;
use mj_imaging::phantom::{self, Scan, Spec};
use mj_link::JobResult;
use mj_model::{FrameOfReferenceUid, InstanceUid, LinearMap, Mask, Moment, SeriesUid, StudyUid, Window};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// What a CT scanner stores: Hounsfield units moved up so that air is near zero.
const MAP: LinearMap = LinearMap { slope: 1.0, intercept: -1024.0 };

/// One of the two visits.
struct Visit {
    folder: &'static str,
    at: &'static str,
    age: &'static str,
    study_id: &'static str,
    accession: &'static str,
    request: &'static str,
    history: &'static str,
}

const CURRENT: Visit = Visit {
    folder: "current",
    at: "2026-03-12T09:41:00+08:00",
    age: "062Y",
    study_id: "CT20260312",
    accession: "CT260312018",
    request: "胸部及上腹部CT增强：复查肺结节，评估肝占位",
    history: "乙肝病史二十余年，体检发现肝右叶占位。六个月前胸部CT示双肺小结节，要求对比。",
};

const PRIOR: Visit = Visit {
    folder: "prior",
    at: "2025-09-10T14:05:00+08:00",
    age: "062Y",
    study_id: "CT20250910",
    accession: "CT250910044",
    request: "胸部及上腹部CT增强：肺结节筛查",
    history: "乙肝病史二十余年，咳嗽两周。",
};

/// Writes the demo patient into a folder. The same seed gives the same bytes.
pub(super) fn write(out: &Path, seed: u64, slices: usize, size: usize, context: &Context) -> Result<JobResult> {
    let moment = |visit: &Visit| Moment::parse(visit.at).map_err(|e| Error::Theme(e.to_string()));
    let steps = 4 * slices as u64;
    let progress = |done: u64, total: u64| (context.progress)(done.min(total), steps);
    let made = phantom::generate(&Spec { seed, slices, size }, &progress)?;
    context.check()?;
    output::folder(out)?;
    let mut written = Written::default();
    for (n, (visit, scan)) in [(CURRENT, &made.current), (PRIOR, &made.prior)].into_iter().enumerate() {
        let series = series(&visit, seed, scan, moment(&visit)?)?;
        let before = 2 * slices as u64 + n as u64 * slices as u64;
        write_scan(&out.join(visit.folder), &series, &visit, seed, scan, &mut written, context, &|done| {
            (context.progress)(before + done, steps)
        })?;
    }
    let labels = Mask { grid: made.current.grid, voxels: made.labels };
    written.put(out.join("truth.nrrd"), &export::mask_nrrd(&labels))?;
    let truth = serde_json::to_vec_pretty(&made.truth).map_err(|e| Error::Write { path: out.join("truth.json"), source: e.into() })?;
    written.put(out.join("truth.json"), &truth)?;
    Ok(written.result())
}

/// A UID that depends on the seed and a name only. Source: PS3.5 §B.2 (`2.25.` and 128 bits).
fn uid(seed: u64, name: &str) -> String {
    let hash = Sha256::new().chain_update(b"mingjing phantom").chain_update(seed.to_le_bytes()).chain_update(name).finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(hash.get(..16).unwrap_or(&[0; 16]));
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    format!("2.25.{}", uuid.as_u128())
}

fn series(visit: &Visit, seed: u64, scan: &Scan, at: Moment) -> Result<CtSeries> {
    let named = |what: &str| uid(seed, &format!("{} {what}", visit.folder));
    let wrong = |_not_a_uid: mj_model::uid::NotAUid| Error::Theme("uid".into());
    let window = |center, width, name: &str| Window::linear(center, width, name);
    Ok(CtSeries {
        patient_name: "Shili^Huanzhe=示例^患者".into(),
        patient_id: format!("MJ{:06}", seed % 1_000_000),
        issuer: "MINGJING-DEMO".into(),
        birth_date: "19630520".into(),
        sex: "M".into(),
        age: visit.age.into(),
        study: StudyUid::parse(&named("study")).map_err(wrong)?,
        study_id: visit.study_id.into(),
        accession: visit.accession.into(),
        study_description: "胸部及上腹部CT增强".into(),
        request: visit.request.into(),
        clinical_history: visit.history.into(),
        institution: "明镜示例医院".into(),
        referring: "Shenqing^Yisheng=申请^医生".into(),
        series: SeriesUid::parse(&named("series")).map_err(wrong)?,
        series_number: 3,
        series_description: format!("门静脉期 {:.1}mm", scan.grid.spacing_mm[2]),
        body_part: "CHEST".into(),
        frame_of_reference: FrameOfReferenceUid::parse(&named("frame")).map_err(wrong)?,
        contrast: "Iohexol".into(),
        thickness_mm: scan.grid.spacing_mm[2],
        at,
        windows: vec![window(40.0, 400.0, "MEDIASTINUM"), window(-600.0, 1500.0, "LUNG")],
        is_original: true,
        device: Device {
            name: "Mingjing Phantom".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            serial: seed.to_string(),
            uid: uid(seed, "device"),
        },
    })
}

#[expect(clippy::too_many_arguments, reason = "called once per visit")]
fn write_scan(
    folder: &Path,
    series: &CtSeries,
    visit: &Visit,
    seed: u64,
    scan: &Scan,
    written: &mut Written,
    context: &Context,
    progress: &dyn Fn(u64),
) -> Result<()> {
    /// Slices made at a time: many enough for all cores, few enough for a small memory.
    const BATCH: usize = 16;
    output::folder(folder)?;
    let per_slice = scan.grid.dims[0] * scan.grid.dims[1];
    let slices: Vec<(usize, &[i16])> = scan.hu.chunks_exact(per_slice.max(1)).enumerate().collect();
    for batch in slices.chunks(BATCH) {
        context.check()?;
        let files: Result<Vec<(usize, Vec<u8>)>> = batch
            .par_iter()
            .map(|&(k, hu)| {
                let samples: Vec<i16> = hu.iter().map(|&v| v.saturating_add(1024)).collect();
                let instance = InstanceUid::parse(&uid(seed, &format!("{} image {k}", visit.folder)))
                    .map_err(|_not_a_uid| Error::Theme("uid".into()))?;
                let input = CtInput { series, instance, number: k as i64 + 1, grid: &scan.grid, k, samples: &samples, map: MAP };
                Ok((k, ct::write(&input)?.bytes))
            })
            .collect();
        for (k, bytes) in files? {
            written.put(folder.join(format!("{:04}.dcm", k + 1)), &bytes)?;
            progress(k as u64 + 1);
        }
    }
    Ok(())
}
