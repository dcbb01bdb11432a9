//! Bad input: each named, and nothing lost.

use crate::station::{Station, string, text};
use mj_tests::{orthanc::Orthanc, pacs::CuttingPacs};
use std::fs;
use std::path::{Path, PathBuf};

/// A DICOM file of the phantom, by number.
fn slices(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("current")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn small() -> (Station, PathBuf) {
    let station = Station::new();
    let folder = station.phantom(64, 12);
    (station, folder)
}

#[test]
fn an_empty_folder() {
    let station = Station::new();
    let empty = station.dir().join("empty");
    fs::create_dir(&empty).unwrap();
    let run = station.run(&["import", text(&empty)]);
    assert_eq!((run.code, run.error_code().as_str()), (1, "import.nothing_found"));
}

#[test]
fn odd_files_among_good_ones_are_named_and_the_rest_is_stored() {
    let (station, folder) = small();
    let good = slices(&folder);
    let bytes = fs::read(&good[0]).unwrap();
    let odd = folder.join("current");
    fs::write(odd.join("readme.txt"), "not an image").unwrap();
    fs::write(odd.join("truncated.dcm"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(odd.join("header_only.dcm"), &bytes[..200]).unwrap();
    fs::write(odd.join("empty.dcm"), b"").unwrap();
    let receipt = station.import(&odd);
    assert_eq!((receipt["stored"].as_u64().unwrap(), receipt["already_present"].as_u64().unwrap()), (good.len() as u64, 1), "{receipt}");
    let told = |list: &str| -> Vec<(String, String)> {
        receipt[list].as_array().unwrap().iter().map(|s| (string(s, "path"), string(s, "code"))).collect()
    };
    for (list, name, code) in [
        ("skipped", "readme.txt", "dicom.not_dicom"),
        ("skipped", "header_only.dcm", "dicom.truncated"),
        ("skipped", "empty.dcm", "dicom.empty"),
        ("notes", "truncated.dcm", "import.cut_copy"),
    ] {
        assert!(told(list).iter().any(|(path, got)| path.ends_with(name) && got == code), "{name}: {receipt}");
    }
}

#[test]
fn a_series_with_a_file_cut_short_is_shown_and_marked() {
    let (station, folder) = small();
    let files = slices(&folder);
    let whole = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &whole[..whole.len() / 2]).unwrap();
    let receipt = station.import(&folder.join("current"));
    assert_eq!((receipt["stored"].as_u64().unwrap(), receipt["skipped"].as_array().unwrap().len()), (files.len() as u64, 0), "{receipt}");
    assert_eq!(string(&receipt["notes"][0], "code"), "import.cut_short");
    let series = station.biggest_series();
    let shown = station.json(&["show", &series]);
    let marked = |shown: &serde_json::Value| shown["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "file.cut_short");
    assert!(marked(&shown), "{shown}");
    let png = station.dir().join("cut.png");
    station.json(&["render", &series, "--view", "coronal", "--out", text(&png)]);
    // What is missing would not be seen in a file or a number.
    let nrrd = station.dir().join("cut.nrrd");
    assert_eq!(station.run(&["export", &series, "--to", text(&nrrd)]).error_code(), "series.incomplete");
    // The whole one takes its place.
    fs::write(&files[1], &whole).unwrap();
    let receipt = station.import(&files[1]);
    assert_eq!((receipt["stored"].as_u64(), string(&receipt["notes"][0], "code")), (Some(1), "import.completed".into()), "{receipt}");
    assert!(!marked(&station.json(&["show", &series])));
}

#[test]
fn the_same_uid_with_other_content_is_a_conflict_kept_aside() {
    let (station, folder) = small();
    station.import(&folder.join("current"));
    let first = &slices(&folder)[0];
    let mut bytes = fs::read(first).unwrap();
    // Another pixel value near the end: pixel data is the last element.
    let at = bytes.len() - 64;
    bytes[at] ^= 0x10;
    let changed = station.dir().join("changed.dcm");
    fs::write(&changed, bytes).unwrap();
    let run = station.run(&["import", text(&changed)]);
    let receipt = run.json(3);
    assert_eq!((receipt["stored"].as_u64(), receipt["conflicts"].as_array().unwrap().len()), (Some(0), 1), "{receipt}");
    assert!(receipt["conflicts"][0]["sop_instance_uid"].is_string());
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let (station, folder) = small();
    station.import(&folder.join("current"));
    fs::write(station.passphrase_file(), "wrong\n").unwrap();
    let run = station.run(&["list"]);
    assert_eq!((run.code, run.error_code().as_str()), (1, "record.wrong_passphrase"));
    assert!(run.stdout.is_empty());
}

#[test]
fn a_record_that_is_not_there() {
    let station = Station::bare();
    let run = station.run(&["list"]);
    assert_eq!((run.code, run.error_code().as_str()), (1, "record.not_found"));
}

#[test]
fn another_patient_under_the_same_study_is_never_merged() {
    let Some(python) = mj_tests::checkers::python() else { return };
    let (station, folder) = small();
    station.import(&folder.join("current"));
    let other = station.dir().join("other.dcm");
    let script = "import sys, pydicom\nd = pydicom.dcmread(sys.argv[1])\nd.PatientID = 'ANOTHER'\nd.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = '2.25.77'\nd.save_as(sys.argv[2])\n";
    let done = std::process::Command::new(python).args(["-c", script, text(&slices(&folder)[0]), text(&other)]).status().unwrap();
    assert!(done.success());
    let receipt = station.run(&["import", text(&other)]).json(3);
    assert_eq!(receipt["stored"], 0, "{receipt}");
    assert_eq!(station.json(&["list"]).as_array().unwrap().len(), 1);
}

#[test]
fn odd_geometry_says_so() {
    for (relative, code) in [
        ("geometry/sliceorientation", "geometry.mixed_orientation"),
        ("geometry/sliceincrement", "geometry.missing_slice"),
        ("geometry/slicecount", "geometry.few_slices"),
        ("geometry/gantrytilting", "geometry.gantry_tilt"),
    ] {
        let Some(folder) = mj_testdata::path(relative) else { return };
        let station = Station::new();
        station.import(&folder);
        let shown = station.json(&["show", &station.biggest_series()]);
        assert!(shown["warnings"].to_string().contains(code), "{relative}: {shown}");
    }
}

#[test]
fn images_without_spacing_give_no_millimetres() {
    let Some(python) = mj_tests::checkers::python() else { return };
    let (station, folder) = small();
    let bare = station.dir().join("bare");
    fs::create_dir(&bare).unwrap();
    let script = "import sys, pathlib, pydicom\nfor p in pathlib.Path(sys.argv[1]).glob('*.dcm'):\n d = pydicom.dcmread(p)\n del d.PixelSpacing\n d.save_as(pathlib.Path(sys.argv[2]) / p.name)\n";
    let done = std::process::Command::new(python).args(["-c", script, text(&folder.join("current")), text(&bare)]).status().unwrap();
    assert!(done.success());
    station.import(&bare);
    let shown = station.json(&["show", &station.biggest_series()]);
    assert!(shown["spacing_mm"].is_null() && shown["warnings"].to_string().contains("geometry.no_spacing"), "{shown}");
}

#[test]
fn a_full_disk_stops_cleanly_and_can_go_on() {
    // Slices of half a megabyte: the database still fits below the limit, they do not.
    let station = Station::new();
    let folder = station.phantom(512, 8);
    // A file-size limit of the process stands for the full disk: root passes file modes, not this.
    let limit = |blocks: u32, args: &[&str]| {
        let inner = station.command(args);
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""))
            .arg(inner.get_program())
            .args(inner.get_args());
        for (name, value) in inner.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        shell.output().unwrap()
    };
    let output = limit(800, &["import", text(&folder.join("current"))]);
    assert_ne!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("disk.full"), "{said}");
    let receipt = station.import(&folder.join("current"));
    let total = receipt["stored"].as_u64().unwrap() + receipt["already_present"].as_u64().unwrap();
    assert_eq!(total, slices(&folder).len() as u64);
}

#[test]
fn a_pacs_that_refuses_is_told_with_its_reason() {
    let (station, folder) = small();
    station.import(&folder.join("current"));
    let Some(orthanc) = Orthanc::start_refusing() else { return };
    station.json(&["server", "add", "pacs", "--dicom", &format!("127.0.0.1:{}", orthanc.dicom_port), "--aet", "ORTHANC"]);
    let study = string(&station.json(&["list"])[0], "study_uid");
    // Out of resources (A700) may pass: the row waits for its next try and says why.
    let rows = station.json(&["send", &study, "--to", "pacs"]);
    assert!(rows.as_array().unwrap().iter().all(|r| r["state"] == "waiting" && string(r, "reason").contains("A700")), "{rows}");
    assert!(orthanc.instances().unwrap().is_empty());
}

#[test]
fn a_pacs_that_cuts_the_line_gets_everything_at_the_second_try() {
    let (station, folder) = small();
    station.import(&folder.join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let cutting = CuttingPacs::start(3).unwrap();
    station.json(&["server", "add", "pacs", "--dicom", &format!("127.0.0.1:{}", cutting.port()), "--aet", "CUT"]);
    let run = station.run(&["send", &study, "--to", "pacs"]);
    assert!(run.code == 0 || run.code == 3, "{}", run.stderr);
    let rows = station.json(&["outbox", "list"]);
    let waiting = rows.as_array().unwrap().iter().filter(|r| r["state"] == "waiting").count();
    assert!(waiting > 0, "{rows}");
    assert_eq!(rows.as_array().unwrap().len(), slices(&folder).len());
    cutting.mend();
    let rows = station.json(&["send", &study, "--to", "pacs"]);
    assert_eq!(rows.as_array().unwrap().len(), slices(&folder).len(), "rows were doubled: {rows}");
    assert!(rows.as_array().unwrap().iter().all(|r| r["state"] == "accepted" || r["state"] == "verified"), "{rows}");
}

/// A slice at the end that cannot be read leaves a volume that looks whole: no number may come of it.
#[test]
fn a_damaged_slice_gives_no_volume() {
    let station = Station::new();
    let folder = station.phantom(64, 20);
    station.import(&folder.join("current"));
    let series = station.biggest_series();
    let run = || station.run(&["segment", "run", &series, "--op", "threshold", "--range", "150,3000", "--label", "x"]);
    assert_eq!(run().code, 0);
    let objects = walk(&station.record().join("objects"));
    let before = objects.iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>();
    let mut n_refused = 0;
    for (path, bytes) in objects.iter().zip(&before) {
        let mut broken = bytes.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 1;
        std::fs::write(path, &broken).unwrap();
        let refused = run();
        std::fs::write(path, bytes).unwrap();
        if refused.code != 0 {
            assert!(["series.incomplete", "series.not_a_volume"].contains(&refused.error_code().as_str()), "{}", refused.stderr);
            n_refused += 1;
        }
    }
    // All but the segment made at the beginning, which is no image.
    assert_eq!(n_refused, objects.len() - 1);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(walk(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

#[test]
fn a_deleted_finding_stays_deleted() {
    let station = Station::new();
    let folder = station.phantom(64, 20);
    station.import(&folder.join("current"));
    let series = station.biggest_series();
    let probe = station.json(&["probe", &series, "--voxel", "30,30,10"]);
    let at = |dx: f64| {
        (0..3).map(|i| (probe["lps"][i].as_f64().unwrap() + if i == 0 { dx } else { 0.0 }).to_string()).collect::<Vec<_>>().join(",")
    };
    let line = format!("--line={},{}", at(0.0), at(20.0));
    let finding = station.json(&["finding", "add", &series, &line])["id"].as_str().unwrap().to_owned();
    station.json(&["finding", "delete", &finding]);
    let edited = station.run(&["finding", "edit", &finding, &line]);
    assert_eq!((edited.code, edited.error_code().as_str()), (1, "finding.deleted"));
}
