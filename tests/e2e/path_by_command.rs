//! The whole path by command line: images in, a signed report and a plan out, and a PACS that has them.

use crate::station::{Station, string, text};
use mj_tests::{checkers, orthanc::Orthanc};
use serde_json::{Value, json};
use std::path::Path;

/// Where the path measures and cuts, in a series.
struct Places {
    /// Ends of the ruler. Units: mm, LPS.
    line: [f64; 6],
    /// Seed and range of the segment. Units: mm, LPS; HU.
    seed: [f64; 3],
    range: [f64; 2],
    /// How far the segment may go from its seed. Units: mm.
    within_mm: f64,
}

fn list(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

fn walk(station: &Station, folder: &Path, places: &Places) {
    let receipt = station.import(folder);
    assert!(receipt["stored"].as_u64().unwrap() > 0 && receipt["conflicts"].as_array().unwrap().is_empty(), "{receipt}");
    let again = station.import(folder);
    assert_eq!((again["stored"].as_u64(), again["already_present"].as_u64()), (Some(0), receipt["stored"].as_u64()));

    let series = station.biggest_series();
    let study = station.json(&["list"])[0]["study_uid"].as_str().unwrap().to_owned();
    let shown = station.json(&["show", &series]);
    assert_eq!(shown["kind"], "volume", "{shown}");
    let study = shown["study_uid"].as_str().map_or(study, str::to_owned);

    for view in ["axial", "coronal", "sagittal", "mip"] {
        let out = station.dir().join(format!("{view}.png"));
        let drawn = station.json(&["render", &series, "--view", view, "--out", text(&out), "--size", "200x200", "--wl", "100,2000"]);
        assert_eq!(drawn["backend"], "cpu");
        assert!(std::fs::metadata(&out).unwrap().len() > 1000, "{view}");
    }
    let out = station.dir().join("vr.png");
    let vr = station.json(&["render", &series, "--view", "vr", "--preset", "vessels", "--out", text(&out), "--size", "200x200"]);
    assert_eq!(vr["backend"], "cpu");
    assert!(std::fs::metadata(&out).unwrap().len() > 1000);
    let vr = station.run(&["render", &series, "--view", "vr", "--preset", "lng", "--out", text(&out)]);
    assert_eq!((vr.code, vr.error_code().as_str()), (1, "vr.no_preset"));
    let lung = station.run(&["render", &series, "--view", "axial", "--preset", "vessels", "--out", text(&out)]);
    assert_eq!((lung.code, lung.error_code().as_str()), (2, "cli.usage"));

    let finding = station.json(&["finding", "add", &series, "--line", &list(&places.line)]);
    let length = finding["measurements"][0]["value"].as_f64().unwrap();
    let [ax, ay, az, bx, by, bz] = places.line;
    let expected = ((ax - bx).powi(2) + (ay - by).powi(2) + (az - bz).powi(2)).sqrt();
    assert!((length - expected).abs() < 1e-9);

    let report = station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]);
    let id = string(&report, "id");
    let sections: Vec<String> = report["fields"].as_array().unwrap().iter().map(|f| string(f, "id")).collect();
    let finding_id = string(&finding, "id");
    let findings_text = format!("右肺下叶见结节，长径约{{{finding_id}}}，边界清楚。");
    let filled = station.json(&["report", "set", &id, &sections[sections.len() - 2], &findings_text]);
    assert!(filled.to_string().contains(&format!("{expected:.1}")), "{filled}");
    station.json(&["report", "set", &id, sections.last().unwrap(), "右肺下叶结节，建议随访。"]);

    // The measurement changes: so does the chip.
    let mut longer = places.line;
    longer[3] += 2.5;
    let edited = station.json(&["finding", "edit", &finding_id, "--line", &list(&longer)]);
    let now = format!("{:.1}", edited["measurements"][0]["value"].as_f64().unwrap());
    let after = station.json(&["report", "show", &id]);
    assert!(after.to_string().contains(&now), "{after}");

    // And with it the image it lies on; a line outside of the images is refused.
    let shown = station.json(&["show", &series]);
    let slice = shown["spacing_mm"][2].as_f64().unwrap();
    let mut moved = longer;
    (moved[2], moved[5]) = (moved[2] + slice, moved[5] + slice);
    let there = station.json(&["finding", "edit", &finding_id, "--line", &list(&moved)]);
    assert_ne!(there["images"][0]["instance"], edited["images"][0]["instance"], "{there}");
    let outside = station.run(&["finding", "edit", &finding_id, "--line", "0,0,90000,1,0,90000"]);
    assert_eq!((outside.code, outside.error_code().as_str()), (1, "probe.outside"));
    let back = station.json(&["finding", "edit", &finding_id, "--line", &list(&longer)]);
    assert_eq!(back["images"], edited["images"]);
    let wrong = station.run(&["probe", &series, "--lps", "nan,0,0"]);
    assert_eq!((wrong.code, wrong.error_code().as_str()), (2, "cli.usage"));

    let Some(orthanc) = Orthanc::start() else { return };
    let pacs = format!("127.0.0.1:{}", orthanc.dicom_port);
    station.json(&["server", "add", "pacs", "--dicom", &pacs, "--aet", "ORTHANC"]);
    station.json(&["server", "test", "pacs"]);
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reporting"]), "id");
    let reviewer = string(&station.json(&["person", "add", "示例审核", "--role", "reviewing"]), "id");
    let signed = station.json(&["report", "sign", &id, "--as", &person, "--to", "pacs"]);
    assert_eq!(signed["state"], "preliminary", "{signed}");
    let signed = station.json(&["report", "countersign", &id, "--as", &reviewer, "--to", "pacs"]);
    assert_eq!((&signed["state"], signed["signatures"].as_array().unwrap().len()), (&json!("final"), 2), "{signed}");
    let refused = station.run(&["report", "set", &id, sections.last().unwrap(), "改"]);
    assert_eq!(refused.code, 1, "a signed report changed: {}", refused.stdout);

    let outbox = station.json(&["outbox", "flush"]);
    for row in outbox.as_array().unwrap() {
        assert!(["accepted", "verified"].contains(&row["state"].as_str().unwrap()), "{row}");
    }
    station.json(&["send", &study, "--to", "pacs"]);
    let there = orthanc.instances().unwrap();
    assert!(there.len() as u64 >= outbox.as_array().unwrap().len() as u64);

    let out = station.dir().join("out");
    for form in ["pdf", "sr", "md", "txt"] {
        station.json(&["report", "export", &id, "--as", form, "--out", text(&out)]);
    }
    assert_eq!(station.json(&["verify", &id])["valid"], true);
    let file = |ending: &str| out.join(format!("report-{id}.{ending}"));
    checkers::pdf_is_sound(&file("pdf"), &["右肺下叶", &now, "示例医师", "示例审核"]);
    checkers::dciodvfy_is_clean(&file("dcm"));
    checkers::pixelmed_is_clean(&file("dcm"));
    checkers::highdicom_reads_lengths(&file("dcm"), &[edited["measurements"][0]["value"].as_f64().unwrap()]);

    plan(station, &series, places);
}

fn plan(station: &Station, series: &str, places: &Places) {
    let segment = station.json(&[
        "segment",
        "run",
        series,
        "--op",
        "grow",
        "--seed",
        &list(&places.seed),
        "--range",
        &list(&places.range),
        "--within",
        &places.within_mm.to_string(),
        "--label",
        "organ",
    ]);
    let ml = segment["volume_ml"].as_f64().unwrap();
    assert!(ml > 0.0, "{segment}");
    let id = string(&segment, "id");
    let file = station.dir().join("plan.toml");
    let [x, y, z] = places.seed;
    std::fs::write(&file, format!("name = \"half\"\nsegment = \"{id}\"\n[cut]\npoint = [{x}, {y}, {z}]\nnormal = [1, 0, 0]\n")).unwrap();
    let stl = station.dir().join("kept.stl");
    let plan = station.json(&["plan", "run", text(&file), "--stl", text(&stl)]);
    let results: Vec<&Value> = plan["results"].as_array().unwrap().iter().collect();
    let sum: f64 = results.iter().map(|r| r["volume_ml"].as_f64().unwrap()).sum();
    assert!((sum - ml).abs() < 1e-6 * ml, "kept and removed make {sum} ml, the organ has {ml} ml");
    assert_eq!(plan["stale"].as_array().unwrap().len(), 0);

    let seg = station.dir().join("organ.dcm");
    station.json(&["segment", "export", &id, "--to", text(&seg)]);
    checkers::dciodvfy_is_clean(&seg);
    checkers::seg_volume_is(&seg, ml, 0.005);
    let kept = results.iter().find(|r| r["name"] == "remnant").unwrap();
    checkers::stl_volume_is(&stl, kept["mesh_volume_ml"].as_f64().unwrap(), 0.005);
}

/// Places in the small phantom, from its truth file.
fn phantom_places(folder: &Path) -> Places {
    let truth: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap();
    let triple = |v: &Value| [v[0].as_f64().unwrap(), v[1].as_f64().unwrap(), v[2].as_f64().unwrap()];
    let nodule = truth["nodules"].as_array().unwrap().iter().max_by(|a, b| {
        let size = |n: &Value| n["diameter_mm"].as_f64().unwrap();
        size(a).total_cmp(&size(b))
    });
    let nodule = nodule.unwrap();
    let ([x, y, z], r) = (triple(&nodule["centre_lps"]), nodule["diameter_mm"].as_f64().unwrap() / 2.0);
    let seed = triple(&truth["tumour"]["centre_lps"]);
    Places { line: [x - r, y, z, x + r, y, z], seed, range: [20.0, 95.0], within_mm: 30.0 }
}

#[test]
fn on_the_demo_patient() {
    let station = Station::new();
    let folder = station.phantom(128, 60);
    let places = phantom_places(&folder);
    let slice = std::fs::read_dir(folder.join("current")).unwrap().next().unwrap().unwrap().path();
    checkers::dciodvfy_is_clean(&slice);
    walk(&station, &folder, &places);
}

#[test]
fn on_a_real_chest() {
    let Some(folder) = mj_testdata::path("ct/chest_lidc_0314") else { return };
    let station = Station::new();
    // The annotated nodule: row 243, column 185, slice at z = -519.8 mm (provenance beside the images).
    let [x, y, z] = nodule_centre(&folder);
    walk(&station, &folder, &Places { line: [x - 8.0, y, z, x + 8.0, y, z], seed: [x, y, z], range: [-500.0, 300.0], within_mm: 40.0 });
}

/// Position of the annotated nodule's centre, by way of a record of its own.
fn nodule_centre(folder: &Path) -> [f64; 3] {
    let station = Station::new();
    station.import(folder);
    let series = station.biggest_series();
    let probed = station.json(&["probe", &series, "--voxel", "185,243,160"]);
    serde_json::from_value(probed["lps"].clone()).unwrap()
}

/// Of several who replace a section at the same time one text stands, never a mixture that nobody wrote.
#[test]
fn those_who_replace_a_section_at_once_never_mix() {
    let station = Station::new();
    station.import(&station.phantom(64, 8).join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let report = string(&station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]), "id");
    let texts = ["第一种写法。", "第二种写法，稍长。", "第三种。", "第四种写法，最长的一种。"];
    let writers: Vec<_> = texts
        .iter()
        .map(|text| station.command(&["report", "set", &report, "impression", text]).stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let fields = station.json(&["report", "show", &report])["fields"].clone();
    let impression = fields.as_array().unwrap().iter().find(|f| f["id"] == "impression").unwrap()["text"].clone();
    assert!(texts.iter().any(|text| impression == *text), "{impression}");
}
