//! Stored values, rescaled values and positions against pydicom and SimpleITK.

use crate::station::{Station, text};
use mj_link::job::ProbeAt;
use mj_link::{Event, Job, JobResult, ObjectFile, SeriesFiles, ToParent, ToViewer, Worker};
use mj_model::{Lang, PointLps, SeriesUid};
use mj_tests::{checkers::python, programs::program};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Voxels compared in each series.
const COUNT: &str = "1000";

/// Voxels of a folder as the reference readers see them.
fn reference(python: &Path, folder: &Path) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/reference_voxels.py");
    let output = Command::new(python).arg(script).arg(folder).args([COUNT, "20261121"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Asks a headless viewer for each position.
fn probe(folder: &Path, series: &str, positions: &[PointLps]) -> Vec<(PointLps, f64, f64)> {
    let (mut worker, events) = Worker::spawn::<ToParent>(&program("mingjing-viewer"), &["--headless"]).unwrap();
    worker.send(&ToViewer::Hello { lang: Lang::En, keys: None, person: String::new() }).unwrap();
    let mut files = Vec::new();
    collect(folder, &mut files);
    let series = SeriesFiles { series: SeriesUid::parse(series).unwrap(), files };
    let mut out = Vec::new();
    for (job, at) in positions.iter().enumerate() {
        let what = Job::Probe { series: series.clone(), at: ProbeAt::Lps(*at) };
        worker.send(&ToViewer::RunJob { job: job as u64, what }).unwrap();
        loop {
            match events.next() {
                Event::Message(ToParent::JobDone { result: JobResult::Probed { lps, stored, value, .. }, .. }) => {
                    out.push((lps, stored, value));
                    break;
                }
                Event::Message(ToParent::JobFailed { error, .. }) => panic!("{}: {}", error.code, error.message),
                Event::Ended => panic!("the viewer ended"),
                Event::Message(_) | Event::Noise(_) => {}
            }
        }
    }
    out
}

fn collect(folder: &Path, files: &mut Vec<ObjectFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|e| e == "dcm") {
            files.push(ObjectFile { path, sealed: false });
        }
    }
}

fn compare(relative: &str) {
    let (Some(folder), Some(python)) = (mj_testdata::path(relative), python()) else { return };
    let expected = reference(&python, &folder);
    assert_eq!(expected.len().to_string(), COUNT);
    let positions: Vec<PointLps> = expected.iter().map(|v| serde_json::from_value(v["lps"].clone()).unwrap()).collect();
    let station = Station::new();
    station.import(&folder);
    let series = station.biggest_series();
    let got = probe(&folder, &series, &positions);
    for ((want, place), (lps, stored, value)) in expected.iter().zip(&positions).zip(got) {
        assert!(lps.distance_mm(*place) < 1e-3, "{relative}: {lps:?} is not {place:?}");
        assert!((stored - want["stored"].as_f64().unwrap()).abs() < f64::EPSILON, "{relative}: stored {stored}, expected {want}");
        let close = |reference: f64| (value - reference).abs() <= 1e-6 * reference.abs().max(1.0);
        assert!(close(want["value"].as_f64().unwrap()), "{relative}: value {value}, expected {want}");
        // SimpleITK keeps a rescaled value in 32 bits.
        if let Some(itk) = want["itk_value"].as_f64() {
            assert!(
                (value - itk).abs() <= 1e-6 * itk.abs().max(1.0) + f64::from(f32::EPSILON) * itk.abs(),
                "{relative}: value {value}, SimpleITK {itk}"
            );
        }
    }
    // The same through the record and the command line, for one voxel.
    let at: [f64; 3] = positions[0].into();
    let probed = station.json(&["probe", &series, "--lps", &at.map(|x| x.to_string()).join(",")]);
    assert_eq!(probed["stored"], expected[0]["stored"].as_f64().unwrap(), "{relative} {}", text(&folder));
}

#[test]
fn chest_ct_in_jpeg_ls() {
    compare("ct/chest_lidc_0314");
}

#[test]
fn tiny_head() {
    compare("ct/head_tiny_64");
}

#[test]
fn phantom_of_a_leg() {
    compare("ct/ortho_phantom_classic");
}

#[test]
fn coronal_mr() {
    compare("mr/liver_haste_coronal");
}

#[test]
fn whole_body_pet() {
    compare("pet/qin_headneck_0024_pet");
}

#[test]
fn liver_slices() {
    compare("seg_sr/liver_ct3slice/ct");
}

#[test]
fn a_tilted_head_is_no_volume() {
    let Some(folder) = mj_testdata::path("ct/head_ge_gantry_tilt") else { return };
    let station = Station::new();
    station.import(&folder);
    let shown = station.json(&["show", &station.biggest_series()]);
    assert_eq!(shown["kind"], "stack", "{shown}");
    let codes: Vec<&str> = shown["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect();
    assert!(codes.contains(&"geometry.gantry_tilt"), "{codes:?}");
    let refused = station.run(&["export", &station.biggest_series(), "--to", text(&station.dir().join("out.nrrd"))]);
    assert_eq!(refused.code, 1);
    assert_eq!(refused.error_code(), "dicom.not_a_volume");
}
