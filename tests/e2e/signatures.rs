//! Signatures in the PDF itself: outsiders verify them, a changed byte is seen, nobody's word is taken for more than it is.

use crate::station::{Station, string, text};
use mj_tests::objects;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A signed report's PDF, by somebody with a certificate of their own making.
fn signed_pdf(station: &Station) -> PathBuf {
    let series = objects::ct(4, 16, "Shili^Yi=示例^一", "CN-0001");
    let folder = station.dir().join("in");
    std::fs::create_dir(&folder).unwrap();
    for object in &series.objects {
        std::fs::write(folder.join(format!("{}.dcm", object.instance)), &object.bytes).unwrap();
    }
    station.import(&folder);
    let study = series.study.to_string();
    let report = string(&station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]), "id");
    station.json(&["report", "set", &report, "impression", "胸部CT未见明显异常。"]);
    let person = string(&station.json(&["person", "add", "示例主任医师", "--role", "reviewing"]), "id");
    let certificate = station.json(&["person", "certificate", &person, "--self-signed"]);
    assert!(certificate["certificate"].as_str().unwrap().contains("示例主任医师"), "{certificate}");
    station.json(&["report", "sign", &report, "--as", &person]);
    let out = station.dir().join("out");
    let written = station.json(&["report", "export", &report, "--as", "pdf", "--out", text(&out)]);
    PathBuf::from(written["written"][0].as_str().unwrap())
}

#[test]
fn a_signature_in_the_pdf_is_verified_by_anybody_and_a_changed_byte_is_seen() {
    let station = Station::new();
    let pdf = signed_pdf(&station);
    // Without a record: only the file.
    let elsewhere = Station::bare();
    let verified = elsewhere.json(&["verify", text(&pdf)]);
    assert_eq!((&verified["valid"], &verified["signatures"][0]["vouched"]), (&Value::Bool(true), &Value::from("nobody")), "{verified}");
    assert!(verified["signed_by"].as_str().unwrap().contains("示例主任医师"), "{verified}");
    mj_tests::checkers::pdf_is_sound(&pdf, &["胸部CT未见明显异常"]);
    match Command::new("pdfsig").arg(&pdf).output() {
        Ok(told) => {
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            assert!(told.contains("Signature is Valid"), "{told}");
        }
        Err(_absent) => eprintln!("pdfsig is missing: skipped"),
    }
    // The record knows it too.
    let report = string(&station.json(&["report", "list", &string(&station.json(&["list"])[0], "study_uid")])[0], "id");
    assert_eq!(station.json(&["verify", &report])["valid"], true);

    let bytes = std::fs::read(&pdf).unwrap();
    let place = bytes.windows(9).position(|w| w == b"/MediaBox").unwrap();
    let changed = station.dir().join("changed.pdf");
    let mut other = bytes.clone();
    other[place + 1] ^= 1;
    std::fs::write(&changed, &other).unwrap();
    assert_eq!(elsewhere.run(&["verify", text(&changed)]).code, 3);
    let longer = station.dir().join("longer.pdf");
    std::fs::write(&longer, [bytes.as_slice(), b"\n% more\n"].concat()).unwrap();
    assert_eq!(elsewhere.run(&["verify", text(&longer)]).code, 3);
}

#[test]
fn a_certificate_of_a_file_needs_its_passphrase() {
    let station = Station::new();
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reporting"]), "id");
    let file = station.dir().join("no.p12");
    std::fs::write(&file, b"no certificate").unwrap();
    let refused = station.run(&["person", "certificate", &person, text(&file)]);
    assert_eq!((refused.code, refused.error_code().as_str()), (1, "signature.not_opened"));
    let neither = station.run(&["person", "certificate", &person]);
    assert_eq!((neither.code, neither.error_code().as_str()), (2, "cli.usage"));
}
