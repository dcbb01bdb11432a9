//! Research files (NIfTI, NRRD, MetaImage) against SimpleITK, and as the programs take them.

use crate::station::{Station, text};
use mj_imaging::import;
use mj_model::{PointLps, Samples, Volume, Voxel};
use mj_tests::checkers::python;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Voxels compared in each file; fewer in the small ones that the script makes.
const COUNT: &str = "1000";
/// Label volumes told with the data, in ml: file, label, volume.
const LABELS: &[(&str, f64, f64)] = &[
    ("abdomen_pelvis_ct/labels_total.nii.gz", 1.0, 261.04),
    ("abdomen_pelvis_ct/labels_total.nii.gz", 2.0, 192.62),
    ("abdomen_pelvis_ct/labels_total.nii.gz", 3.0, 137.43),
    ("abdomen_pelvis_ct/labels_total.nii.gz", 5.0, 1125.68),
    ("abdomen_pelvis_ct/labels_vertebral_body.nii.gz", 1.0, 297.13),
    ("abdomen_pelvis_ct/labels_vertebral_body.nii.gz", 2.0, 72.50),
    ("abdomen_pelvis_ct/crop_torso_fat.nii.gz", 1.0, 917.16),
    ("abdomen_mr/labels_total_mr.nii.gz", 5.0, 498.96),
    ("nrrd_with_labels/breast1_label.nrrd", 1.0, 0.13),
];

/// All research files of the shared data.
fn files() -> Option<Vec<PathBuf>> {
    let (volumes, seg) = (mj_testdata::path("volumes")?, mj_testdata::path("seg_sr")?);
    let (mut found, mut folders) = (Vec::new(), vec![volumes, seg]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if mj_model::ResearchFormat::of(&path).is_some() {
                found.push(path);
            }
        }
    }
    found.sort();
    Some(found)
}

/// Volume of the voxels with a value. Units: ml.
fn volume_ml(volume: &Volume, is_counted: impl Fn(f64) -> bool) -> f64 {
    let values = (0..volume.samples.len()).filter_map(|at| volume.samples.stored(at)).map(|s| volume.map.apply(s));
    values.filter(|&v| is_counted(v)).count() as f64 * volume.grid.voxel_ml()
}

/// How often each stored whole number occurs, but 0.
fn counts(volume: &Volume) -> BTreeMap<i64, u64> {
    let mut by_value = vec![0_u64; 1 << 17];
    let mut add = |value: i64| by_value[(value + (1 << 16)) as usize] += 1;
    match &volume.samples {
        Samples::I16(all) => all.iter().for_each(|&v| add(v.into())),
        Samples::U16(all) => all.iter().for_each(|&v| add(v.into())),
        Samples::U8(all) => all.iter().for_each(|&v| add(v.into())),
        Samples::F32(_) => {}
    }
    let named = by_value.into_iter().enumerate().map(|(at, n)| (at as i64 - (1 << 16), n));
    named.filter(|&(value, n)| n > 0 && value != 0).collect()
}

fn compare(want: &Value) {
    let file = want["file"].as_str().unwrap();
    let volume = import::open(Path::new(file)).unwrap_or_else(|e| panic!("{file}: {e}")).volume;
    assert_eq!(serde_json::json!(volume.grid.dims), want["size"], "{file}");
    let voxels = want["voxels"].as_array().unwrap();
    assert!(voxels.len() >= 200, "{file}");
    for voxel in voxels {
        let at: Voxel = serde_json::from_value(voxel["ijk"].clone()).unwrap();
        let place: PointLps = serde_json::from_value(voxel["lps"].clone()).unwrap();
        let ours = volume.grid.lps_from_voxel([at.i as f64, at.j as f64, at.k as f64]);
        assert!(ours.distance_mm(place) < 1e-3, "{file} {at:?}: {ours:?} is not {place:?}");
        assert_eq!(volume.grid.nearest_voxel(place), Some(at), "{file}");
        let (value, theirs) = (volume.value(at).unwrap(), voxel["value"].as_f64().unwrap());
        // Doubles are kept in single precision, and told as rounded.
        let slack = f64::from(f32::EPSILON) * theirs.abs();
        assert!((value - theirs).abs() <= slack, "{file} {at:?}: {value} is not {theirs}");
    }
    let labels = want["labels_ml"].as_object();
    let counts = labels.map(|_| counts(&volume)).unwrap_or_default();
    for (label, ml) in labels.into_iter().flatten() {
        let n = counts.get(&label.parse().unwrap()).copied().unwrap_or(0);
        assert!((n as f64 * volume.grid.voxel_ml() - ml.as_f64().unwrap()).abs() < 0.01, "{file}: label {label}");
    }
    assert!((volume_ml(&volume, |v| v < 0.0) - want["below_zero_ml"].as_f64().unwrap()).abs() < 0.01, "{file}");
}

#[test]
fn values_and_positions_are_those_of_simpleitk() {
    let (Some(files), Some(python)) = (files(), python()) else { return };
    assert!(files.len() > 20, "{files:?}");
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/reference_volumes.py");
    let output = Command::new(python).arg(script).arg(folder.path()).args([COUNT, "20261127"]).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.len() > files.len() + 100);
    lines.iter().for_each(compare);
}

#[test]
fn volumes_of_labels_are_those_told_with_the_data() {
    let Some(root) = mj_testdata::path("volumes") else { return };
    let open = |file: &str| import::open(&root.join(file)).unwrap().volume;
    for &(file, label, ml) in LABELS {
        let ours = volume_ml(&open(file), |v| v == label);
        assert!((ours - ml).abs() < 0.01, "{file}, label {label}: {ours} ml, not {ml}");
    }
    let levelset = volume_ml(&open("aorta_angio/aorta-final-levelset.mha"), |v| v < 0.0);
    assert!((levelset - 13.43).abs() < 0.01, "{levelset} ml");
}

#[test]
fn a_file_stands_in_place_of_a_series_and_needs_no_record() {
    let Some(root) = mj_testdata::path("volumes") else { return };
    let station = Station::bare();
    let file = root.join("abdomen_pelvis_ct/ct.nii.gz");
    let file = text(&file);
    let shown = station.json(&["show", file]);
    assert_eq!((&shown["kind"], &shown["matrix"]), (&"volume".into(), &serde_json::json!([122, 101, 112])));
    assert_eq!(shown["direction"], serde_json::json!([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]));
    let probed = station.json(&["probe", file, "--voxel", "60,50,40"]);
    let lps = probed["lps"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap().to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(station.json(&["probe", file, "--lps", &lps])["value"], probed["value"]);
    let checked = station.json(&["check", file]);
    assert_eq!((&checked["result"], &checked["format"], &checked["bits_allocated"]), (&"opened".into(), &"NIfTI-1".into(), &32.into()));
    let (png, nrrd) = (station.dir().join("a.png"), station.dir().join("a.nrrd"));
    station.json(&["render", file, "--view", "coronal", "--overlay", "on", "--out", text(&png)]);
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    station.json(&["export", file, "--to", text(&nrrd)]);
    let again = station.json(&["check", text(&nrrd)]);
    assert_eq!(again["samples_sha256"], checked["samples_sha256"]);
    assert_eq!(station.json(&["probe", text(&nrrd), "--lps", &lps])["value"], probed["value"]);
    let folder = station.run(&["export", file, "--to", text(&station.dir().join("dicom"))]);
    assert_eq!((folder.code, folder.error_code().as_str()), (1, "research.no_dicom"));
    let absent = station.run(&["show", "no/such.nii"]);
    assert_eq!((absent.code, absent.error_code().as_str()), (1, "file.not_read"));
}

#[test]
fn damaged_files_are_refused_by_name_and_none_enters_the_record() {
    let Some(file) = mj_testdata::path("volumes/nrrd_with_labels/breast1_label.nrrd") else { return };
    let station = Station::new();
    let bytes = std::fs::read(&file).unwrap();
    let cut = station.dir().join("cut.nrrd");
    std::fs::write(&cut, &bytes[..bytes.len() - 40]).unwrap();
    let checked = station.json(&["check", text(&cut)]);
    assert_eq!((&checked["result"], &checked["code"]), (&"refused".into(), &"research.truncated".into()));
    assert_eq!(station.run(&["render", text(&cut), "--view", "axial", "--out", "x.png"]).error_code(), "research.truncated");
    let receipt = station.import(&file);
    assert_eq!((&receipt["stored"], &receipt["skipped"][0]["code"]), (&0.into(), &"import.research_file".into()), "{receipt}");
}
