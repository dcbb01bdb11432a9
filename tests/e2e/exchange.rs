//! A signed report as FHIR on a server that refuses what is not of R4, and as HL7 v2 at a receiver that holds it against the
//! standard's structure.

use crate::station::{Station, string, text};
use mj_tests::process::{Running, free_port, installed};
use mj_tests::{checkers, rest, workspace};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Everything that one of the forms reads as its own.
const TYPED: &str = "右肺结节 a|b^c~d\\e&f <g> \"h\" \\F\\ \n第二行，建议随访。";

/// A study with one measured finding and its report: station, report, finding.
fn reported() -> (Station, String, Value) {
    let station = Station::new();
    station.import(&station.phantom(48, 40).join("current"));
    let series = station.biggest_series();
    let shown = station.json(&["show", &series]);
    let origin: Vec<f64> = shown["origin_lps"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let line = [origin[0] + 20.0, origin[1] + 20.0, origin[2], origin[0] + 32.0, origin[1] + 25.0, origin[2]];
    let line = line.map(|v| v.to_string()).join(",");
    let finding = station.json(&["finding", "add", &series, "--line", &line]);
    let study = string(&station.json(&["list"])[0], "study_uid");
    let report = station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]);
    let id = string(&report, "id");
    let words = format!("心影不大。右肺见结节，长约{{{}}}，边界清楚。", string(&finding, "id"));
    station.json(&["report", "set", &id, "findings", &words]);
    station.json(&["report", "set", &id, "impression", TYPED]);
    (station, id, finding)
}

fn sign(station: &Station, id: &str) {
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reporting"]), "id");
    let reviewer = string(&station.json(&["person", "add", "示例审核", "--role", "reviewing"]), "id");
    station.json(&["report", "sign", id, "--as", &person]);
    station.json(&["report", "countersign", id, "--as", &reviewer]);
}

fn exported(station: &Station, id: &str, form: &str) -> PathBuf {
    let out = station.dir().join("out");
    let written = station.json(&["report", "export", id, "--as", form, "--out", text(&out)]);
    written["written"][0].as_str().unwrap().into()
}

/// The FHIR server with its packages; `None` where they are not there (printed).
fn fhir_server(log: &Path) -> Option<(Running, u16)> {
    let home = workspace().join("target/fhir");
    if !installed("node") {
        return None;
    }
    if !home.join("node_modules/@medplum/fhir-router").is_dir() {
        mj_testdata::skip("no FHIR server (cargo xtask setup test brings it to target/fhir from the npm registry)");
        return None;
    }
    // The packages are found from where the script lies.
    let script = home.join("server.mjs");
    std::fs::copy(workspace().join("tests/fhir/server.mjs"), &script).unwrap();
    let port = free_port();
    let mut running = Running::start("node", &[text(&script).to_owned(), port.to_string()], log);
    running.wait_for_port(port).unwrap();
    Some((running, port))
}

fn get(port: u16, address: &str) -> Value {
    serde_json::from_slice(&rest::request(port, "GET", &format!("/{address}"), b"").unwrap()).unwrap()
}

/// The address that a resource of a bundle is put at.
fn address(bundle: &Value, kind: &str) -> String {
    let urls = bundle["entry"].as_array().unwrap().iter().filter_map(|e| e["request"]["url"].as_str());
    urls.map(str::to_owned).find(|url| url.starts_with(kind)).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn a_signed_report_is_taken_by_a_fhir_server_and_reads_back() {
    let (station, id, finding) = reported();
    let draft = station.run(&["report", "export", &id, "--as", "fhir", "--out", text(station.dir())]);
    assert_eq!((draft.code, draft.error_code().as_str()), (1, "report.not_signed"));
    sign(&station, &id);
    let bytes = std::fs::read(exported(&station, &id, "fhir")).unwrap();
    let bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let Some((_server, port)) = fhir_server(&station.dir().join("fhir.log")) else { return };

    // The judge judges: an element that R4 does not know is refused.
    let odd = rest::request(port, "POST", "/Patient", br#"{"resourceType":"Patient","shoeSize":44}"#);
    assert!(odd.as_ref().is_err_and(|why| why.contains("422")), "{odd:?}");

    // Twice: the second time replaces.
    for _ in 0..2 {
        let answer: Value = serde_json::from_slice(&rest::request(port, "POST", "/", &bytes).unwrap()).unwrap();
        for entry in answer["entry"].as_array().unwrap() {
            assert!(entry["response"]["status"].as_str().is_some_and(|status| status.starts_with('2')), "{answer}");
        }
    }
    let report = get(port, &address(&bundle, "DiagnosticReport"));
    assert_eq!((&report["status"], &report["conclusion"]), (&"final".into(), &TYPED.into()));
    let observation = get(port, report["result"][0]["reference"].as_str().unwrap());
    let length = finding["measurements"][0]["value"].as_f64().unwrap();
    let value = &observation["component"][0]["valueQuantity"];
    // JSON has one kind of number: the server writes 13 for 13.0.
    assert_eq!((value["value"].as_f64(), &value["code"]), (format!("{length:.1}").parse().ok(), &"mm".into()));
    assert_eq!(observation["identifier"][0]["value"], format!("urn:oid:{}", string(&finding, "tracking_uid")));
    let image = &observation["contained"][0]["series"][0]["instance"][0]["uid"];
    assert_eq!(image, &finding["images"][0]["instance"]);
    let series = station.biggest_series();
    let study = get(port, report["imagingStudy"][0]["reference"].as_str().unwrap());
    assert!(study["series"].as_array().unwrap().iter().any(|s| s["uid"] == series), "{study}");
    let patient = get(port, report["subject"]["reference"].as_str().unwrap());
    let shown = &station.json(&["list"])[0]["patient"];
    assert_eq!(patient["identifier"][0]["value"], shown["id"]);
    assert_eq!(patient["birthDate"], shown["birth_date"]);
    let composition = get(port, &address(&bundle, "Composition"));
    let linked = format!("<a href=\"Observation/{}\">右肺见结节", string(&observation, "id"));
    assert!(composition.to_string().contains(&linked.replace('"', "\\\"")), "{composition}");
    assert!(!composition.to_string().contains("\\\">心影"), "{composition}");
    let pdf = std::fs::read(exported(&station, &id, "pdf")).unwrap();
    assert_eq!(report["presentedForm"][0]["size"], pdf.len());
    let search = get(port, &format!("DiagnosticReport?subject={}", report["subject"]["reference"].as_str().unwrap()));
    assert_eq!(search["entry"].as_array().map(Vec::len), Some(1), "sent twice, there once: {search}");
}

#[test]
fn a_signed_report_is_taken_over_mllp_word_for_word() {
    let (station, id, finding) = reported();
    sign(&station, &id);
    let Some(python) = checkers::python() else { return };
    let script = workspace().join("tests/e2e/hl7_receiver.py");
    let receive = |code: &str| {
        let (port, file) = (free_port(), station.dir().join(format!("{code}.json")));
        let arguments = [text(&script).to_owned(), port.to_string(), text(&file).to_owned(), code.to_owned()];
        let mut running = Running::start(text(&python), &arguments, &station.dir().join("hl7.log"));
        running.wait_for_port(port).unwrap();
        let sent = station.run(&["report", "send", &id, "--hl7", &format!("127.0.0.1:{port}")]);
        let read: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert!(read.get("error").is_none(), "{read}");
        (sent, read)
    };
    let (sent, read) = receive("AA");
    assert_eq!((sent.code, &sent.json(0)["answer"]), (0, &"AA".into()), "{}", sent.stdout);
    assert_eq!(sent.json(0)["control_id"], read["control"]);
    assert_eq!((&read["version"], &read["charset"], &read["status"]), (&"2.5.1".into(), &"UNICODE UTF-8".into(), &"F".into()));
    assert!(read["texts"].as_array().unwrap().iter().any(|text| text == TYPED), "{read}");
    assert_eq!(read["people"], serde_json::json!(["&示例审核", "&示例医师"]));
    let length = format!("{:.1}", finding["measurements"][0]["value"].as_f64().unwrap());
    assert_eq!(read["numbers"][0], serde_json::json!(["410668003^Length^SCT", length, "mm^mm^UCUM"]));
    assert_eq!(read["uids"][0], station.json(&["list"])[0]["study_uid"]);
    let shown = &station.json(&["list"])[0]["patient"];
    assert!(read["names"].as_str().unwrap().contains(shown["name_ideographic"].as_str().unwrap()), "{read}");
    assert_eq!(read["pdf"].as_array().map(Vec::len), Some(1));

    let (refused, _) = receive("AE");
    assert_eq!((refused.code, &refused.json(3)["text"]), (3, &"as asked".into()));
    let nobody = station.run(&["report", "send", &id, "--hl7", &format!("127.0.0.1:{}", free_port())]);
    assert_eq!((nobody.code, nobody.error_code().as_str()), (1, "peer.unreachable"));
    assert!(std::fs::read_to_string(exported(&station, &id, "hl7")).unwrap().starts_with("MSH|^~\\&|MINGJING|"));
}
