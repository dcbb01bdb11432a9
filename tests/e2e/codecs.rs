//! Compressed pixels against what pydicom and SimpleITK decode, and against what outside encoders were given.

use mj_dicom::{Dataset, pixels::Decoder};
use mj_tests::checkers::python;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Files of the data that the reference readers do not decode: pixel data without an end, and single bits in RLE.
const UNREAD_BY_REFERENCE: [&str; 2] = ["broken/emri_small_jpeg_2k_lossless_too_short.dcm", "syntax/pydicom/liver_rle.dcm"];

fn lines(python: &Path, script: &str, arguments: &[&Path]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e").join(script);
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Largest difference of any sample of the frames that the line names, which is what `Decoder` gives for the file.
fn worst(root: &Path, line: &Value) -> u32 {
    let file = line["file"].as_str().unwrap();
    let dataset = Dataset::read(&std::fs::read(root.join(file)).unwrap()).unwrap();
    let decoder = Decoder::new(&dataset).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut worst = 0;
    for (k, expected) in line["frames"].as_array().unwrap().iter().enumerate() {
        let expected = std::fs::read(expected.as_str().unwrap()).unwrap();
        let frame = decoder.frame(k as u32).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(frame.len() * 4, expected.len(), "{file}");
        let mut at = expected.as_chunks::<4>().0.iter();
        // Unsigned samples of 32 bits are compared by their bits.
        frame.for_each(|sample| worst = worst.max((sample as i64 as i32).abs_diff(i32::from_le_bytes(*at.next().unwrap()))));
    }
    worst
}

/// Most that a sample may differ from another decoder's. Lossless and near-lossless decoding is exact. The others round: two builds
/// of one decoder may differ by a step.
fn tolerance(syntax: &str) -> u32 {
    match syntax.strip_prefix("1.2.840.10008.1.2.4.") {
        Some("50" | "51" | "53" | "91" | "203") => 1,
        _ => 0,
    }
}

#[test]
fn every_compressed_file_gives_the_samples_of_pydicom() {
    let (Some(root), Some(python)) = (mj_testdata::root(), python()) else { return };
    let out = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for line in lines(&python, "reference_samples.py", &[&root, out.path()]) {
        let (file, syntax) = (line["file"].as_str().unwrap(), line["syntax"].as_str().unwrap());
        if !line["error"].is_null() {
            assert!(UNREAD_BY_REFERENCE.contains(&file), "the reference reader failed: {line}");
            continue;
        }
        let worst = worst(&root, &line);
        assert!(worst <= tolerance(syntax), "{file} {syntax}: off by {worst}");
        compared += 1;
    }
    println!("{compared} files compared");
    assert!(compared > 80, "{compared}");
}

#[test]
fn what_outside_encoders_coded_comes_back() {
    let Some(python) = python() else { return };
    let is_there = Command::new(&python).args(["-c", "import imagecodecs"]).output().unwrap().status.success();
    if !is_there {
        return mj_testdata::skip("imagecodecs is not there for this Python");
    }
    let out = tempfile::tempdir().unwrap();
    let made = lines(&python, "make_coded.py", &[out.path()]);
    assert!(made.len() >= 30, "{}", made.len());
    for line in made {
        let worst = worst(out.path(), &line);
        assert!(u64::from(worst) <= line["slack"].as_u64().unwrap(), "{line}: off by {worst}");
    }
}
