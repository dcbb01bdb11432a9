//! What people decide on results of models, counted through the command line; what changes is told, and no patient leaves.

use crate::station::{Run, Station, string, text};
use mj_dicom::Dataset;
use mj_dicom::context::Device;
use mj_dicom::sr::{self, SrInput};
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::{Code, Finding, FindingState, FrameOfReferenceUid, Geometry, InstanceUid, Lang, Measurement, SeriesUid, clock};
use mj_tests::objects;
use mj_tests::programs::program;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// Patients with a small CT each in a record, and everything by which one of them could be told.
struct Ward {
    station: Station,
    slices: Vec<Vec<u8>>,
    needles: Vec<String>,
}

impl Ward {
    fn new(patients: usize) -> Self {
        let station = Station::new();
        let (mut slices, mut needles) = (Vec::new(), vec!["ACC0001".to_owned(), "command-line".to_owned(), "19600304".to_owned()]);
        let folder = station.dir().join("ward");
        std::fs::create_dir(&folder).unwrap();
        for n in 0..patients {
            let (name, id) = (format!("Shili^Patient{n}=示例^{n}号"), format!("PID-00{n}"));
            let series = objects::ct(3, 16, &name, &id);
            for object in &series.objects {
                std::fs::write(folder.join(format!("{}.dcm", object.instance)), &object.bytes).unwrap();
                needles.push(object.instance.to_string());
            }
            needles.extend([series.study.to_string(), series.series.to_string(), id, format!("Patient{n}"), format!("{n}号")]);
            slices.push(series.objects[0].bytes.clone());
        }
        needles.push("Shili".into());
        station.import(&folder);
        Self { station, slices, needles }
    }

    /// What a device says on the first slice of a patient.
    fn finding(&self, patient: usize, version: &str) -> Finding {
        let image = Dataset::read(&self.slices[patient]).unwrap();
        let (header, grid) = (image.header().unwrap(), mj_dicom::plane::Plane::of(&image).unwrap().grid.unwrap());
        let geometry = Geometry::line(grid.lps_from_voxel([3.0, 3.0, 0.0]), grid.lps_from_voxel([9.0, 3.0, 0.0]));
        let measurements = geometry.sizes().into_iter().map(|q| Measurement::new(mj_model::uid::fresh(), q)).collect();
        let device = Origin { who: OriginKind::Device, name: "Finder".into(), version: version.into() };
        Finding {
            frame_of_reference: header.series.frame_of_reference,
            images: vec![ImageRef { instance: header.instance, sop_class: header.sop_class, frame: None }],
            state: FindingState::Proposed,
            kind: Code::new("SCT", "27925004", "Nodule", "结节"),
            measurements,
            proposed_by: Some(device.clone()),
            origin: device,
            ..Finding::new(mj_model::uid::fresh(), header.study.uid, header.series.uid, geometry, "")
        }
    }

    /// A report of findings of a patient, as a file.
    fn report(&mut self, patient: usize, findings: &[&Finding]) -> PathBuf {
        let written = sr::write(&SrInput {
            context: &Dataset::read(&self.slices[patient]).unwrap(),
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: 901,
            title: "Nodules",
            lang: Lang::En,
            sections: Vec::new(),
            findings: findings.to_vec(),
            modalities: &BTreeMap::new(),
            reporting: None,
            authors: Vec::new(),
            reviewing: None,
            at: clock::now(),
            is_complete: true,
            is_verified: false,
            is_final: false,
            predecessor: None,
            device: Device { name: "Finder".into(), version: "2.0".into(), serial: "SERIAL-1".into(), uid: "2.25.31".into() },
        })
        .unwrap();
        self.needles.push(written.sop_instance.to_string());
        self.needles.extend(findings.iter().map(|f| f.tracking_uid.as_str().to_owned()));
        let path = self.station.dir().join(format!("{}.dcm", written.sop_instance));
        std::fs::write(&path, written.bytes).unwrap();
        path
    }

    /// Takes reports in and gives the ids of what waits for a person.
    fn take(&mut self, files: &[PathBuf], code: i32) -> Vec<String> {
        let args: Vec<&str> = ["finding", "import"].into_iter().chain(files.iter().map(|file| text(file))).collect();
        let receipt = self.station.run(&args).json(code);
        let made = receipt["results"].as_array().unwrap().iter().flat_map(|r| r["findings"].as_array().unwrap());
        let (held, open): (Vec<&Value>, Vec<&Value>) = made.partition(|f| f["held"].is_string());
        self.needles.extend(held.iter().chain(&open).map(|f| string(f, "id")));
        open.iter().map(|f| string(f, "id")).collect()
    }

    fn plain(&self, lang: &str, args: &[&str]) -> Run {
        let output = Command::new(program("mingjing"))
            .args(args)
            .env("MINGJING_LANG", lang)
            .env("MINGJING_RECORD", self.station.record())
            .env("MINGJING_PASSPHRASE_FILE", self.station.passphrase_file())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Run { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Fails where a text names a patient, an object, a person or a time of day.
    fn assert_tells_nobody(&self, told: &str) {
        for needle in &self.needles {
            assert!(!told.contains(needle.as_str()), "{needle} in {told}");
        }
        let is_time = |part: &[u8]| matches!(part, [a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
        assert!(!told.as_bytes().windows(5).any(is_time), "a time in {told}");
    }
}

const EVERY: &str = "model,version,scanner,kernel,thickness";

#[test]
fn what_was_decided_is_what_the_ledger_counts_and_no_patient_leaves() {
    let mut ward = Ward::new(6);
    let mut reports = Vec::new();
    for patient in 0..6 {
        let two = [ward.finding(patient, "2.0"), ward.finding(patient, "2.0")];
        reports.push(ward.report(patient, &two.each_ref()));
    }
    let open = ward.take(&reports, 0);
    assert_eq!(open.len(), 12);
    let elsewhere = Finding { frame_of_reference: Some(FrameOfReferenceUid::fresh()), ..ward.finding(0, "2.0") };
    // Of one patient only, and of a version that says who it is about.
    let rare = ward.finding(1, "Shili");
    let more = [ward.report(0, &[&elsewhere]), ward.report(1, &[&rare])];
    assert_eq!(ward.take(&more, 3).len(), 1);
    let decide = |args: &[&str]| drop(ward.station.json(&[&["finding"], args].concat()));
    open[..5].iter().for_each(|id| decide(&["accept", id]));
    decide(&["reject", &open[5], "--reason", "no-lesion"]);
    decide(&["reject", &open[6], "--reason", "no-lesion"]);
    decide(&["reject", &open[7], "--reason", "artefact"]);
    // The last word counts: accepted by one, rejected by another.
    decide(&["reject", &open[4], "--reason", "known"]);
    decide(&["delete", &open[8]]);
    decide(&["edit", &open[9], "--line=-155,-155,0,-152,-155,0"]);
    decide(&["accept", &open[9]]);

    let csv = ward.station.dir().join("table.csv");
    let ledger = ward.station.json(&["finding", "ledger", "--by", "model"]);
    let row = &ledger["rows"][0];
    let of = |name: &str| row[name].as_u64().unwrap();
    assert_eq!((ledger["rows"].as_array().unwrap().len(), row["group"]["model"].as_str()), (1, Some("Finder")));
    assert_eq!((of("proposed"), of("waiting"), of("held"), of("merged")), (14, 3, 1, 0));
    assert_eq!((of("accepted"), of("edited"), of("rejected")), (4, 1, 5));
    let counted: Vec<_> = row["reasons"].as_array().unwrap().iter().map(|r| (string(r, "code"), r["count"].as_u64().unwrap())).collect();
    assert_eq!(counted[0], ("no-lesion".into(), 2));
    assert_eq!(counted.iter().map(|(_, n)| n).sum::<u64>(), 4, "the deleted one has no reason");
    assert_eq!(row["held_reasons"]["finding.other_frame_of_reference"], 1);
    // Wilson, of 5 in 10.
    assert_eq!((row["rejected_share"]["low"].as_f64(), row["rejected_share"]["high"].as_f64()), (Some(0.237), Some(0.763)));
    assert!(row["median_decision_s"].as_f64().is_some_and(|s| (0.0..3600.0).contains(&s)));

    let run = ward.station.run(&["finding", "ledger", "--by", EVERY, "--csv", text(&csv)]);
    let fine = run.json(0);
    ward.assert_tells_nobody(&run.stdout);
    // Two versions: the small one goes in with the other, and its name is gone.
    assert_eq!((fine["rows"].as_array().unwrap().len(), fine["rows"][0]["merged"].as_u64()), (1, Some(2)));
    assert_eq!(fine["rows"][0]["proposed"], 14);
    let table = std::fs::read_to_string(&csv).unwrap();
    ward.assert_tells_nobody(&table);
    assert!(table.starts_with('\u{FEFF}') && table.lines().count() == 2 && table.ends_with("\r\n"), "{table}");
    assert!(table.contains("There is no lesion 2; "), "{table}");

    // People at the station see every group.
    let told = ward.plain("en", &["finding", "ledger", "--by", EVERY]);
    assert_eq!(told.code, 0);
    assert!(told.stdout.contains("Finder · 2.0 · Test · not said · 5 mm: 13 proposed"), "{}", told.stdout);
    assert!(told.stdout.contains("Finder · Shili"), "what must not leave is there to be found: {}", told.stdout);
    assert!(told.stdout.contains("10 decisions; from 350 on") && told.stdout.contains("cannot be said yet"), "{}", told.stdout);
    let told = ward.plain("zh", &["finding", "ledger"]);
    assert!(told.stdout.contains("提出 13") && told.stdout.contains("并无病变 2 次"), "{}", told.stdout);
    let none = ward.plain("en", &["finding", "ledger", "--since", "2999-01-01"]);
    assert!(none.code == 0 && none.stdout.contains("nothing yet"), "{}", none.stdout);
    assert_eq!(ward.station.run(&["finding", "ledger", "--since", "yesterday"]).code, 2);
}

#[test]
fn an_empty_ledger_says_what_will_stand_there_and_few_patients_stay_unsaid() {
    let mut ward = Ward::new(1);
    let empty = ward.plain("zh", &["finding", "ledger"]);
    assert!(empty.code == 0 && empty.stdout.contains("尚无记录"), "{}", empty.stdout);
    assert_eq!(ward.station.json(&["finding", "ledger"])["rows"], Value::Array(Vec::new()));
    let findings: Vec<Finding> = (0..8).map(|_| ward.finding(0, "2.0")).collect();
    let report = ward.report(0, &findings.iter().collect::<Vec<_>>());
    assert_eq!(ward.take(&[report], 0).len(), 8);
    let ledger = ward.station.json(&["finding", "ledger"]);
    assert_eq!((ledger["rows"].as_array().unwrap().len(), ledger["is_withheld"].as_bool()), (0, Some(true)));
    let csv = ward.station.dir().join("few.csv");
    let told = ward.plain("en", &["finding", "ledger", "--csv", text(&csv)]);
    assert!(told.stdout.contains("8 proposed") && told.stdout.contains("none are exported"), "{}", told.stdout);
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count(), 1, "the headings alone");
}

/// A version that gets worse and one that does not: 400 results of each, of six patients, decided on.
fn worsened() -> Ward {
    let mut ward = Ward::new(6);
    let worse = |n: usize| if n < 300 { n.is_multiple_of(8) } else { n % 5 < 2 };
    let steady = |n: usize| n.is_multiple_of(8);
    let passphrase = mj_record::Passphrase::from_file(&ward.station.passphrase_file()).unwrap();
    let made = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let record = mj_record::Record::open(&ward.station.record(), &passphrase).await.unwrap();
        let mut made = Vec::new();
        for n in 0..400 {
            for (version, is_rejected) in [("2.0", worse(n)), ("3.0", steady(n))] {
                let id = record.put_finding(ward.finding(n % 6, version), "finder").await.unwrap().finding.id;
                match is_rejected {
                    true => drop(record.reject_finding(&id, mj_report::codes::reasons().remove(0), "p1").await.unwrap()),
                    false => drop(record.accept_finding(&id, "p1").await.unwrap()),
                }
                made.push(id);
            }
        }
        record.close().await;
        made
    });
    ward.needles.extend(made);
    ward
}

#[test]
fn a_model_that_gets_worse_is_told_and_one_that_does_not_is_not() {
    let ward = worsened();
    let run = ward.station.run(&["finding", "ledger"]);
    let ledger = run.json(3);
    ward.assert_tells_nobody(&run.stdout);
    let charts = ledger["charts"].as_array().unwrap();
    let drifting: Vec<_> = charts.iter().filter(|c| c["drift"].is_object()).map(|c| (string(c, "version"), string(c, "what"))).collect();
    assert_eq!(drifting, [("2.0".into(), "rejected".into())]);
    let chart = charts.iter().find(|c| c["drift"].is_object()).unwrap();
    // 38 of 300, then 20 of every 50.
    assert!((chart["limits"]["centre"].as_f64().unwrap() - 38.0 / 300.0).abs() < 1e-12, "{chart}");
    assert_eq!((chart["drift"]["now"].as_f64(), chart["drift"]["decisions"].as_u64()), (Some(0.4), Some(100)));
    assert_eq!((chart["points"].as_array().unwrap().len(), chart["points"][7]["count"].as_u64()), (8, Some(20)));
    let warning = ledger["warnings"][0].as_str().unwrap();
    assert!(warning.contains("40 % of 100 decisions on Finder 2.0 were rejections; before it was 13 %"), "{warning}");
    let zh = ward.plain("zh", &["finding", "ledger"]);
    assert_eq!(zh.code, 3);
    assert!(zh.stdout.starts_with("! 注意：Finder 2.0 自 ") && zh.stdout.contains("拒绝 40 %，此前 13 %"), "{}", zh.stdout);
    // A version for itself: from its own first decisions on, nothing has changed.
    assert!(zh.stdout.contains("控制图 Finder 3.0 · 拒绝：此前 13 %"), "{}", zh.stdout);
}

#[cfg(unix)]
#[test]
fn the_page_shows_what_changed_and_since_when() {
    use crate::windows::{Desk, shots, turn};
    let _turn = turn();
    let Some(desk) = Desk::open_alone(worsened().station, false, shots("ledger")) else { return };
    desk.shell.click("nav-ledger");
    let warning = desk.shell.until("the warning", || Some(desk.shell.text_of("[data-testid='ledger-warning']")).filter(|t| !t.is_empty()));
    assert!(warning.contains("Finder 2.0 自 ") && warning.contains("拒绝 40 %，此前 13 %"), "{warning}");
    assert_eq!(desk.shell.all("[data-testid='ledger-warning']").len(), 1);
    assert_eq!(desk.shell.all("[data-testid='ledger-row']").len(), 2);
    // Eight points a chart, two of them signals on one of the four.
    assert_eq!(desk.shell.all("[data-testid='control-chart'] circle").len(), 4 * 8 - 2);
    assert_eq!(desk.shell.all("[data-testid='control-chart'] .signal path").len(), 2);
    let seen = "document.querySelector(\"[data-testid='ledger-row']\").closest('.panel').clientHeight";
    assert!(desk.shell.script(&format!("return {seen}")).as_f64().is_some_and(|height| height > 60.0), "the table has no room");
    desk.shot("01-changed");
}
