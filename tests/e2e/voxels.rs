//! Stored values, rescaled values and positions against pydicom and SimpleITK.

use crate::station::{Station, text};
use mj_dicom::series::{Kind, Series, Stack};
use mj_dicom::{Source, Watch, series};
use mj_link::job::ProbeAt;
use mj_link::{Event, Job, JobResult, ObjectFile, SeriesFiles, ToParent, ToViewer, Worker};
use mj_model::{InstanceUid, Lang, PointLps, SeriesUid, Volume, Voxel};
use mj_tests::{
    checkers::{python, python_json},
    programs::program,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Voxels compared in each series.
const COUNT: &str = "1000";

/// Voxels of a folder as the reference readers see them.
fn reference(python: &Path, folder: &Path, more: &[&str]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/reference_voxels.py");
    let output = Command::new(python).args(["-W", "ignore"]).arg(script).arg(folder).args([COUNT, "20261121"]).args(more).output().unwrap();
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
    let expected = reference(&python, &folder, &[]);
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

/// SUV by body weight, computed from the header by pydicom: its own times, its own powers.
const UPTAKE: &str = r"
import sys, json, pathlib, datetime, pydicom
heads = [pydicom.dcmread(p, stop_before_pixels=True) for p in pathlib.Path(sys.argv[1]).iterdir()]
def moment(day, time):
    text = str(day) + str(time).split('.')[0]
    return datetime.datetime.strptime(text, '%Y%m%d%H%M%S') + datetime.timedelta(seconds=float('0.' + (str(time).split('.') + ['0'])[1]))
d = heads[0]
series = moment(d.SeriesDate, d.SeriesTime)
assert all(series <= moment(h.AcquisitionDate, h.AcquisitionTime) for h in heads)
assert d.Units == 'BQML' and d.DecayCorrection == 'START' and {'ATTN', 'DECY'} <= set(d.CorrectedImage)
tracer = d.RadiopharmaceuticalInformationSequence[0]
given = moment(d.SeriesDate, tracer.RadiopharmaceuticalStartTime)
left = float(tracer.RadionuclideTotalDose) * 0.5 ** ((series - given).total_seconds() / float(tracer.RadionuclideHalfLife))
print(json.dumps(float(d.PatientWeight) * 1000 / left))
";

#[test]
fn uptake_of_a_real_pet() {
    let Some(folder) = mj_testdata::path("pet/qin_headneck_0024_pet") else { return };
    let Some(expected) = python_json(UPTAKE, &[&folder]) else { return };
    let station = Station::new();
    station.import(&folder);
    let shown = station.json(&["show", &station.biggest_series()]);
    let (found, expected) = (shown["suv"]["body_weight"].as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    // The hottest voxel of the series is a plausible uptake, in brain or bladder.
    assert!((5.0..60.0).contains(&(66_260.76 * found)), "{}", 66_260.76 * found);
    assert!(shown["suv"]["lean_body_mass"].is_null() && shown["warnings"].as_array().unwrap().is_empty(), "{shown}");
}

#[test]
fn liver_slices() {
    compare("seg_sr/liver_ct3slice/ct");
}

#[test]
fn a_tilted_head_is_made_straight() {
    let (Some(folder), Some(python)) = (mj_testdata::path("ct/head_ge_gantry_tilt"), python()) else { return };
    let station = Station::new();
    station.import(&folder);
    let series = station.biggest_series();
    let shown = station.json(&["show", &series]);
    assert_eq!((&shown["kind"], &shown["resampled_from"]), (&"volume".into(), &28.into()), "{shown}");
    let codes: Vec<&str> = shown["warnings"].as_array().unwrap().iter().filter_map(|w| w["code"].as_str()).collect();
    assert_eq!(codes, ["geometry.gantry_tilt", "geometry.uneven_spacing", "geometry.resampled"]);
    let written = station.run(&["export", &series, "--to", text(&station.dir().join("out.nrrd"))]);
    assert_eq!(written.code, 0);
    // Places on the first and the last slice are those of planes of the volume: the first has the very samples there, the
    // last, moved by part of a pixel, a value between its neighbours.
    let (first, last) = (place_of(&python, &folder, "01.dcm"), place_of(&python, &folder, "28.dcm"));
    let got = probe(&folder, &series, &[first.0, last.0]);
    assert!(got[0].0.distance_mm(first.0) < 1e-3 && (got[0].1 - first.1).abs() < f64::EPSILON, "{got:?} {first:?}");
    assert!(got[1].0.distance_mm(last.0) < 0.5 && last.2.contains(&got[1].1), "{got:?} {last:?}");
}

/// A voxel of bone in a file, as pydicom sees it: its place, its stored value, the range of the values around it.
fn place_of(python: &Path, folder: &Path, file: &str) -> (PointLps, f64, std::ops::RangeInclusive<f64>) {
    let code = "import sys, json, numpy as np, pydicom\n\
        d = pydicom.dcmread(sys.argv[1]); a = d.pixel_array\n\
        r, c = (int(x) for x in np.unravel_index(np.argmax(a[9:-9, 9:-9]), a[9:-9, 9:-9].shape)); r, c = r + 9, c + 9\n\
        o = np.array(d.ImageOrientationPatient, float); s = [float(x) for x in d.PixelSpacing]\n\
        p = np.array(d.ImagePositionPatient, float) + o[:3] * s[1] * c + o[3:] * s[0] * r\n\
        n = a[r - 1:r + 2, c - 1:c + 2]\n\
        print(json.dumps([p.tolist(), int(a[r, c]), int(n.min()), int(n.max())]))";
    let output = Command::new(python).args(["-c", code]).arg(folder.join(file)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (lps, stored, low, high): (PointLps, f64, f64, f64) = serde_json::from_slice(&output.stdout).unwrap();
    (lps, stored, low..=high)
}

/// The image of an expected voxel: its stack and number there.
fn image_of<'a>(all: &'a [Series], want: &Value) -> Option<(&'a Stack, usize)> {
    let instance = InstanceUid::parse(want["instance"].as_str()?).ok()?;
    let frame = want["frame"].as_u64().and_then(|n| u32::try_from(n).ok());
    all.iter().flat_map(|s| &s.stacks).find_map(|stack| Some((stack, stack.slice_from(&instance, frame)?)))
}

/// Every series of the real images that opens, against pydicom's plane equations and stored values.
#[test]
fn every_series_lies_where_pydicom_says() {
    let (Some(root), Some(python)) = (mj_testdata::path("README.md"), python()) else { return };
    let root = root.parent().unwrap();
    let mut by_folder: BTreeMap<PathBuf, Vec<Value>> = BTreeMap::new();
    for want in reference(&python, root, &["--walk"]) {
        by_folder.entry(want["folder"].as_str().unwrap().into()).or_default().push(want);
    }
    let (mut opened, mut volumes, mut closed) = (BTreeSet::new(), 0, BTreeSet::new());
    for (folder, wanted) in &by_folder {
        let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file());
        let sources: Vec<Arc<dyn Source>> = files.map(|p| Arc::new(p) as Arc<dyn Source>).collect();
        let Ok(all) = series::open_all(&sources, &Watch::default()) else {
            closed.insert(folder.clone());
            continue;
        };
        let mut kept: Option<((&str, Option<u64>), Volume)> = None;
        for want in wanted {
            let Some((stack, k)) = image_of(&all, want) else {
                // Only a file that was refused by name may be missing.
                assert!(all.iter().any(|s| !s.skipped.is_empty()), "{} lost {want}", folder.display());
                closed.insert(folder.clone());
                continue;
            };
            let image = (want["instance"].as_str().unwrap(), want["frame"].as_u64());
            if kept.as_ref().is_none_or(|(known, _)| *known != image) {
                let Ok(slice) = stack.load_slice(k) else {
                    closed.insert(folder.clone());
                    continue;
                };
                kept = Some((image, slice));
            }
            let Some((_, slice)) = kept.as_ref().filter(|(known, _)| *known == image) else { continue };
            opened.insert((folder.clone(), want["series"].to_string()));
            let [i, j]: [usize; 2] = serde_json::from_value(want["voxel"].clone()).unwrap();
            let place: PointLps = serde_json::from_value(want["lps"].clone()).unwrap();
            let ijk = [i as f64, j as f64, 0.0];
            let away = slice.grid.lps_from_voxel(ijk).distance_mm(place);
            assert!(away < 1e-3, "{}: {away} mm away, {want}", folder.display());
            if stack.kind() == Kind::Volume && !stack.is_resampled() {
                volumes += 1;
                let away = stack.grid().unwrap().lps_from_voxel([i as f64, j as f64, k as f64]).distance_mm(place);
                assert!(away < 1e-3, "{}: {away} mm away in the volume, {want}", folder.display());
            }
            // What was converted on loading has no stored values any more.
            let is_as_stored = !stack.is_colour() && !slice.warnings.iter().any(|w| w.code.starts_with("pixel."));
            if let Some(stored) = want["stored"].as_f64().filter(|_| is_as_stored) {
                let found = slice.stored(Voxel { i, j, k: 0 }).unwrap();
                assert!((found - stored).abs() < f64::EPSILON, "{}: {found}, {want}", folder.display());
            }
        }
    }
    println!("{} series, {volumes} voxels in volumes; refused in {closed:?}", opened.len());
    assert!(opened.len() >= 50 && volumes > 10_000, "{} series, {volumes} voxels in volumes", opened.len());
}
