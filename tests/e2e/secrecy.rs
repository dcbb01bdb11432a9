//! The record without its passphrase: neither a name nor pixels in any file it leaves.

use crate::station::{Station, text};
use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, out) } else { out.push(path) }
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle)
}

#[test]
fn nothing_readable_is_left() {
    let station = Station::new();
    let folder = station.phantom(64, 12);
    let scratch = station.dir().join("tmp");
    fs::create_dir(&scratch).unwrap();
    let log = station.dir().join("log.txt");
    let run = |args: &[&str]| {
        let output = station.command(args).env("TMPDIR", &scratch).env("MINGJING_LOG", "trace").output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        let mut all = fs::read(&log).unwrap_or_default();
        all.extend_from_slice(&output.stderr);
        fs::write(&log, all).unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default()
    };
    run(&["import", text(&folder)]);
    let listed = run(&["list"]);
    let series = station.biggest_series();
    run(&["render", &series, "--view", "axial", "--out", text(&station.dir().join("a.png"))]);
    run(&["report", "new", listed[0]["study_uid"].as_str().unwrap()]);

    let patient = &listed[0]["patient"];
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for field in ["name", "name_ideographic", "id"] {
        let value = patient[field].as_str().unwrap().to_owned();
        assert!(value.len() > 2, "the phantom has no {field}");
        for part in value.split(['^', ' ']).filter(|p| p.len() > 3).chain([value.as_str()]) {
            needles.push(part.as_bytes().to_vec());
            needles.push(part.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
    }
    // A run of pixels from the middle of a slice, where the patient is.
    let slice = fs::read_dir(folder.join("current")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(slice).unwrap();
    let middle = bytes.len() - 64 * 64;
    needles.push(bytes[middle..middle + 32].to_vec());
    assert!(holds(&bytes, needles.last().unwrap()));

    let mut files = vec![log];
    files_below(&station.record(), &mut files);
    files_below(&scratch, &mut files);
    assert!(files.len() > 24, "{} files", files.len());
    for file in files {
        let content = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().as_encoded_bytes().to_vec();
        for needle in &needles {
            assert!(!holds(&content, needle) && !holds(&name, needle), "{} holds {:?}", file.display(), String::from_utf8_lossy(needle));
        }
    }
}
