//! Findings followed from the prior to the present study of the demo patient, against its truth.

use crate::station::{Station, string};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use mj_dicom::context::Device;
use mj_dicom::ct::{self, CtInput, CtSeries};
use mj_model::{FrameOfReferenceUid, Grid, InstanceUid, LinearMap, Moment, PointLps, SeriesUid, StudyUid, VectorLps};
use mj_tests::programs::{build_folder, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Days from the demo patient's prior study (2025-09-10) to the present one (2026-03-12).
const DAYS: i64 = 183;

/// The demo patient with every nodule of the truth measured by its diameter in both studies.
struct Followed {
    station: Station,
    truth: Value,
    prior: String,
    current: String,
    /// Nodule, finding in the prior where there was one, present finding.
    nodules: Vec<(Value, Option<String>, String)>,
}

pub(crate) fn study_of(station: &Station, date: &str) -> (String, String) {
    let list = station.json(&["list"]);
    let study = list.as_array().unwrap().iter().find(|s| s["date"] == date).unwrap_or_else(|| panic!("no study of {date}: {list}"));
    (string(study, "study_uid"), string(&study["series"][0], "series_uid"))
}

/// Measures a nodule by a line through its centre.
fn measure(station: &Station, series: &str, nodule: &Value) -> String {
    let centre: [f64; 3] = serde_json::from_value(nodule["centre_lps"].clone()).unwrap();
    let half = nodule["diameter_mm"].as_f64().unwrap() / 2.0;
    let [x, y, z] = centre;
    let ends = [x - half, y, z, x + half, y, z].map(|v| v.to_string()).join(",");
    string(&station.json(&["finding", "add", series, "--line", &ends]), "id")
}

fn followed() -> Followed {
    let station = Station::new();
    let folder = station.phantom(128, 110);
    station.import(&folder.join("prior"));
    station.import(&folder.join("current"));
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let (prior, prior_series) = study_of(&station, "2025-09-10");
    let (current, current_series) = study_of(&station, "2026-03-12");
    // The present ones from the last to the first, so that no order helps.
    let all = truth["nodules"].as_array().unwrap();
    let mut now: Vec<String> = all.iter().rev().map(|n| measure(&station, &current_series, n)).collect();
    now.reverse();
    let nodules = all.iter().zip(now).map(|(nodule, now)| {
        let before = Some(&nodule["in_prior"]).filter(|p| !p.is_null()).map(|p| measure(&station, &prior_series, p));
        (nodule.clone(), before, now)
    });
    Followed { nodules: nodules.collect(), station, truth, prior, current }
}

impl Followed {
    fn track(&self, more: &[&str], code: i32) -> Value {
        self.station.run(&[&["track", &self.prior, &self.current], more].concat()).json(code)
    }

    /// The error of a call that must be refused.
    fn refused(&self, args: &[&str]) -> (i32, String) {
        let run = self.station.run(args);
        (run.code, run.error_code())
    }

    fn pairs_of(tracked: &Value) -> Vec<(String, String, String)> {
        let pairs = tracked["pairs"].as_array().unwrap().iter();
        pairs.map(|p| (string(&p["prior"], "id"), string(&p["current"], "id"), string(p, "by"))).collect()
    }

    /// Every nodule that was there before is paired with itself, this way.
    fn assert_pairs(&self, tracked: &Value, by: &dyn Fn(&str) -> &'static str) {
        let found = Self::pairs_of(tracked);
        let wanted = self.nodules.iter().filter_map(|(_, before, now)| Some((before.clone()?, now.clone(), by(now).to_owned())));
        for pair in wanted.clone() {
            assert!(found.contains(&pair), "{pair:?} is not in {found:?}");
        }
        assert_eq!(found.len(), wanted.count(), "{found:?}");
    }
}

#[test]
fn the_demo_patients_nodules_are_followed() {
    let all = followed();
    let found = all.track(&[], 0);
    all.assert_pairs(&found, &|_| "registration");
    assert_eq!((found["prior"].as_str(), found["interval_days"].as_i64()), (Some(all.prior.as_str()), Some(DAYS)));

    // The one new nodule is new, and nothing is gone.
    let (_, _, fresh) = all.nodules.iter().find(|(_, before, _)| before.is_none()).unwrap();
    assert_eq!(found["new"].as_array().unwrap().len(), 1);
    assert_eq!((found["new"][0]["id"].as_str(), found["new"][0]["why"].as_str()), (Some(fresh.as_str()), Some("not_found")));
    assert!(found["gone"].as_array().unwrap().is_empty());

    // The motion is the truth's, at every nodule.
    let matrix = |v: &Value| serde_json::from_value::<[[f64; 4]; 4]>(v.clone()).unwrap();
    let (ours, truth) = (matrix(&found["registration"]["matrix"]), matrix(&all.truth["prior_to_current"]));
    let apply = |m: &[[f64; 4]; 4], p: PointLps| {
        let [x, y, z, _] = m.map(|[a, b, c, d]| a * p.x + b * p.y + c * p.z + d);
        PointLps::new(x, y, z)
    };
    for (nodule, _, now) in all.nodules.iter().filter(|n| n.1.is_some()) {
        let before: PointLps = serde_json::from_value(nodule["in_prior"]["centre_lps"].clone()).unwrap();
        let centre: PointLps = serde_json::from_value(nodule["centre_lps"].clone()).unwrap();
        assert!(apply(&ours, before).distance_mm(apply(&truth, before)) < 1.0);
        let pair = found["pairs"].as_array().unwrap().iter().find(|p| p["current"]["id"] == now.as_str()).unwrap();
        let moved: PointLps = serde_json::from_value(pair["moved_to_lps"].clone()).unwrap();
        assert!(moved.distance_mm(centre) < 1.5 && pair["distance_mm"].as_f64().unwrap() < 1.5, "{pair}");
        assert_growth(nodule, &pair["growth"]);
    }

    // Two targets at most where no organ is known: 14 and 12 mm, both as they were. What was only measured now
    // stands among the new ones, and is no new lesion before somebody says what it is.
    let recist = &found["recist"];
    assert_eq!((recist["response"].as_str(), recist["needs_confirmation"].as_bool()), (Some("SD"), Some(true)));
    assert_eq!((recist["new_lesions"].as_array().unwrap().len(), recist["targets"].as_array().unwrap().len()), (0, 2));
    assert_eq!(found["new"][0]["id"].as_str(), Some(fresh.as_str()));
    assert_eq!((recist["sum_mm"]["prior"].as_f64(), recist["sum_mm"]["absolute"].as_f64()), (Some(26.0), Some(0.0)));
    // Named by hand: the one that grew.
    let (_, grown, _) = &all.nodules[0];
    let named = all.track(&["--targets", grown.as_ref().unwrap()], 0);
    let no_target = all.refused(&["track", &all.prior, &all.current, "--targets", fresh]);
    assert_eq!(no_target, (4, "track.no_target".to_owned()));
    let percent = named["recist"]["sum_mm"]["percent"].as_f64().unwrap();
    assert!((percent - 500.0 / 11.0).abs() < 0.1, "{percent}");
    assert_told(&all);
}

/// Diameter, volume of a ball, doubling time: by hand from the truth's diameters.
fn assert_growth(nodule: &Value, growth: &Value) {
    let (before, now) = (nodule["in_prior"]["diameter_mm"].as_f64().unwrap(), nodule["diameter_mm"].as_f64().unwrap());
    let near = |found: &Value, wanted: f64| assert!((found.as_f64().unwrap() - wanted).abs() < 0.002, "{found} {wanted}");
    near(&growth["long_axis_mm"]["absolute"], now - before);
    near(&growth["volume_ml"]["current"], std::f64::consts::PI / 6.0 * now.powi(3) / 1000.0);
    assert_eq!(growth["from_diameter"], true);
    if now > before {
        // 183 days ln 2 / (3 ln (16 / 11)) = 112.85 days.
        assert_eq!((growth["doubling_days"].as_f64(), growth["trend"].as_str()), (Some(113.0), Some("grown")));
    } else {
        assert_eq!((growth["no_doubling"].as_str(), growth["trend"].as_str()), (Some("no_growth"), Some("within_error")));
    }
}

/// The plain output, in both languages.
fn assert_told(all: &Followed) {
    for (lang, words) in [
        ("zh", ["间隔 183 天", "已配对 8 处", "体积倍增时间 113 天", "仅见于本次 1 处", "须由医师确认"]),
        ("en", ["183 days apart", "8 paired", "volume doubling time 113 days", "1 in the present study only", "a person must confirm"]),
    ] {
        let mut command = Command::new(program("mingjing"));
        command.args(["track", &all.prior, &all.current, "--lang", lang]).env("MINGJING_RECORD", all.station.record());
        command.env("MINGJING_PASSPHRASE_FILE", all.station.passphrase_file()).env("MINGJING_BIN_DIR", build_folder());
        let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
        for word in words {
            assert!(told.contains(word), "no {word} in\n{told}");
        }
    }
}

#[test]
fn what_a_person_decides_is_kept() {
    let all = followed();
    let revision = |id: &str| all.station.json(&["finding", "show", id])["revision"].as_u64().unwrap();
    let kept = all.track(&["--keep"], 0);
    assert_eq!(kept["kept"], 8);
    let again = all.track(&["--keep"], 0);
    all.assert_pairs(&again, &|_| "tracking_uid");
    assert_eq!(again["kept"], 0, "joining again changes nothing");
    let (_, Some(before), now) = &all.nodules[1] else { panic!("the second nodule was there before") };
    assert_eq!((revision(before), revision(now)), (1, 2));
    let (a, b) = (all.station.json(&["finding", "show", before]), all.station.json(&["finding", "show", now]));
    assert_eq!((string(&a, "tracking_uid"), b["state"].as_str()), (string(&b, "tracking_uid"), Some("accepted")));

    // Parted, it is again a proposal by place.
    let parted = all.track(&["--part", now], 0);
    all.assert_pairs(&parted, &|id| if id == now { "registration" } else { "tracking_uid" });
    assert_ne!(string(&all.station.json(&["finding", "show", now]), "tracking_uid"), string(&a, "tracking_uid"));
    let joined = all.track(&["--join", &format!("{before}={now}")], 0);
    all.assert_pairs(&joined, &|id| if id == now { "hand" } else { "tracking_uid" });
    assert_eq!(revision(now), 4);
    all.track(&["--join", &format!("{before}={now}")], 0);
    assert_eq!(revision(now), 4);

    // Two findings of one study never become one.
    let (_, _, other) = &all.nodules[2];
    let taken = all.refused(&["track", &all.prior, &all.current, "--join", &format!("{before}={other}")]);
    assert_eq!(taken, (4, "track.taken".to_owned()));
    let turned = all.refused(&["track", &all.prior, &all.current, "--join", &format!("{now}={before}")]);
    assert_eq!(turned, (4, "track.not_of_study".to_owned()));
    all.station.json(&["finding", "delete", now]);
    let deleted = all.refused(&["track", &all.prior, &all.current, "--join", &format!("{before}={now}")]);
    assert_eq!(deleted, (4, "track.not_live".to_owned()));
    let gone = all.track(&[], 0);
    assert_eq!((gone["gone"][0]["id"].as_str(), gone["gone"][0]["why"].as_str()), (Some(before.as_str()), Some("not_found")));
}

#[test]
fn studies_that_cannot_be_followed_are_refused() {
    let station = Station::new();
    let folder = station.phantom(64, 24);
    station.import(&folder.join("prior"));
    station.import(&folder.join("current"));
    let (prior, _) = study_of(&station, "2025-09-10");
    let (current, current_series) = study_of(&station, "2026-03-12");
    let refused = |a: &str, b: &str| {
        let run = station.run(&["track", a, b]);
        (run.code, run.error_code())
    };
    assert_eq!(refused(&current, &current), (4, "track.same_study".to_owned()));
    assert_eq!(refused(&current, &prior), (4, "track.wrong_order".to_owned()));
    // Nothing was measured yet: that is no failure.
    let empty = station.run(&["track", &prior, &current]).json(0);
    assert_eq!((empty["registration"].is_null(), empty["registration_reason"]["code"].as_str()), (true, Some("track.no_findings")));

    // One id, two issuers: two patients.
    let other = scan(&station, "other", "OTHER", "2024-05-06T08:00:00+08:00");
    station.import(&other);
    assert_eq!(refused(&study_of(&station, "2024-05-06").0, &current), (4, "track.other_patient".to_owned()));

    // Of the patient, but nothing of the body that the present study shows: what a person decided stands, places say nothing.
    station.import(&scan(&station, "lumps", "MINGJING-DEMO", "2024-03-04T08:00:00+08:00"));
    let (old, old_series) = study_of(&station, "2024-03-04");
    let add = |series: &str, line: &str| string(&station.json(&["finding", "add", series, "--line", line]), "id");
    let (a, b) = (add(&old_series, "0,0,-600,12,0,-600"), add(&current_series, "0,0,-600,15,0,-600"));
    let refused = station.run(&["track", &old, &current]).json(3);
    assert_eq!(refused["registration_reason"]["code"], "imaging.registered_badly");
    assert!(refused["pairs"].as_array().unwrap().is_empty());
    assert_eq!((refused["new"][0]["why"].as_str(), refused["recist"]["response"].as_str()), (Some("not_registered"), Some("NE")));
    let joined = station.run(&["track", &old, &current, "--join", &format!("{a}={b}")]).json(3);
    assert_eq!((joined["pairs"][0]["by"].as_str(), joined["registration"].is_null()), (Some("hand"), true));
    let decided = station.run(&["track", &old, &current]).json(3);
    assert_eq!(decided["pairs"][0]["by"], "tracking_uid");
    // 12 mm to 15 mm: 3 mm and 25 %, but under 5 mm.
    assert_eq!((decided["recist"]["response"].as_str(), decided["interval_days"].as_i64()), (Some("SD"), Some(738)));
}

/// A CT of lumps that look like nobody, of the demo patient's id by an issuer.
fn scan(station: &Station, name: &str, issuer: &str, at: &str) -> PathBuf {
    let folder = station.dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    let axis = VectorLps::new;
    let grid = Grid {
        dims: [64, 64, 30],
        origin: PointLps::new(-126.0, -126.0, -660.0),
        axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
        spacing_mm: [4.0, 4.0, 5.0],
    };
    let series = lumps_series(issuer, at);
    for k in 0..grid.dims[2] {
        write_slice(&folder, &series, &grid, k);
    }
    folder
}

fn write_slice(folder: &Path, series: &CtSeries, grid: &Grid, k: usize) {
    let lump = |i: usize, j: usize| ((i as f64 * 0.31).sin() * (j as f64 * 0.23).cos() * (k as f64 * 0.4).sin() * 800.0) as i16;
    let samples: Vec<i16> = (0..64 * 64).map(|at| 1024 + lump(at % 64, at / 64)).collect();
    let map = LinearMap { slope: 1.0, intercept: -1024.0 };
    let input = CtInput { series, instance: InstanceUid::fresh(), number: k as i64 + 1, grid, k, samples: &samples, map };
    std::fs::write(folder.join(format!("{k:03}.dcm")), ct::write(&input).unwrap().bytes).unwrap();
}

fn lumps_series(issuer: &str, at: &str) -> CtSeries {
    CtSeries {
        patient_name: "Shili^Huanzhe=示例^患者".into(),
        patient_id: "MJ000007".into(),
        issuer: issuer.into(),
        birth_date: "19630520".into(),
        sex: "M".into(),
        age: String::new(),
        study: StudyUid::fresh(),
        study_id: "1".into(),
        accession: String::new(),
        study_description: "CT".into(),
        request: String::new(),
        clinical_history: String::new(),
        institution: String::new(),
        referring: String::new(),
        series: SeriesUid::fresh(),
        series_number: 1,
        series_description: "lumps".into(),
        body_part: "CHEST".into(),
        frame_of_reference: FrameOfReferenceUid::fresh(),
        contrast: String::new(),
        thickness_mm: 5.0,
        at: Moment::parse(at).unwrap(),
        windows: Vec::new(),
        is_original: true,
        device: Device { name: "Scanner".into(), version: "1".into(), serial: "1".into(), uid: "2.25.31".into() },
    }
}

#[test]
fn what_is_typed_wrongly_is_told() {
    let station = Station::new();
    let run = station.run(&["track", "1.2.3", "1.2.4"]);
    assert_eq!((run.code, run.error_code().as_str()), (1, "record.unknown_id"));
    let typed = station.run(&["track", "a", "b", "--join", "x"]);
    assert_eq!((typed.code, typed.error_code().as_str()), (2, "cli.usage"));
}

/// A real chest, and the same as if the patient came again, lay otherwise and had half of it scanned with every second slice.
#[test]
fn a_real_chest_in_another_pose_is_laid_onto_itself() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let station = Station::new();
    let chest = data.join("ct/chest_lidc_0314");
    station.import(&chest);
    station.import(&again(&station, &chest));
    let (prior, prior_series) = study_of(&station, "2000-01-01");
    let (current, current_series) = study_of(&station, "2030-01-01");
    // The annotated nodule, and places in the other lung and the mediastinum.
    let places = [PointLps::new(-56.5, 130.8, -519.8), PointLps::new(57.0, 144.0, -560.0), PointLps::new(-1.0, 141.0, -530.0)];
    for p in places {
        for (series, at) in [(&prior_series, p), (&current_series, posed(p))] {
            let line = [at.x - 6.0, at.y, at.z, at.x + 6.0, at.y, at.z].map(|v| v.to_string()).join(",");
            station.json(&["finding", "add", series, "--line", &line]);
        }
    }
    let found = station.json(&["track", &prior, &current]);
    let matrix: [[f64; 4]; 4] = serde_json::from_value(found["registration"]["matrix"].clone()).unwrap();
    for p in places {
        let [x, y, z, _] = matrix.map(|[a, b, c, d]| a * p.x + b * p.y + c * p.z + d);
        let away = PointLps::new(x, y, z).distance_mm(posed(p));
        assert!(away < 0.2, "{away} mm at {p:?}");
    }
    let pairs = found["pairs"].as_array().unwrap();
    assert!(pairs.len() == 3 && pairs.iter().all(|p| p["distance_mm"].as_f64().unwrap() < 0.5), "{found}");
}

/// Turned by six degrees about the body's axis and by three about the line between the ears, and moved.
fn posed(p: PointLps) -> PointLps {
    let d = turned([p.x, p.y, p.z + 540.0]);
    PointLps::new(d[0] + 25.0, d[1] - 18.0, d[2] - 400.0)
}

fn turned([x, y, z]: [f64; 3]) -> [f64; 3] {
    let ((s, c), (t, d)) = (6.0_f64.to_radians().sin_cos(), 3.0_f64.to_radians().sin_cos());
    let (y, z) = (d * y - t * z, t * y + d * z);
    [c * x - s * y, s * x + c * y, z]
}

/// The slices of a chest from z -640 to -440 mm, every second one, in the other pose.
fn again(station: &Station, chest: &Path) -> PathBuf {
    let folder = station.dir().join("again");
    std::fs::create_dir(&folder).unwrap();
    let (study, series, frame) = (StudyUid::fresh(), SeriesUid::fresh(), FrameOfReferenceUid::fresh());
    let mut slices: Vec<_> = std::fs::read_dir(chest).unwrap().map(|e| dicom_object::open_file(e.unwrap().path()).unwrap()).collect();
    let numbers = |object: &dicom_object::DefaultDicomObject, tag| object.element(tag).unwrap().to_multi_float64().unwrap();
    slices.sort_by(|a, b| numbers(a, tags::IMAGE_POSITION_PATIENT)[2].total_cmp(&numbers(b, tags::IMAGE_POSITION_PATIENT)[2]));
    for (n, mut slice) in slices.into_iter().skip(40).take(200).step_by(2).enumerate() {
        let at = numbers(&slice, tags::IMAGE_POSITION_PATIENT);
        let way = numbers(&slice, tags::IMAGE_ORIENTATION_PATIENT);
        let place: [f64; 3] = posed(PointLps::new(at[0], at[1], at[2])).into();
        let ways = [turned([way[0], way[1], way[2]]), turned([way[3], way[4], way[5]])].concat();
        let text = |numbers: &[f64], digits: usize| numbers.iter().map(|v| format!("{v:.digits$}")).collect::<Vec<_>>().join("\\");
        let instance = InstanceUid::fresh();
        for (tag, vr, value) in [
            (tags::IMAGE_POSITION_PATIENT, VR::DS, text(&place, 6)),
            (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, text(&ways, 9)),
            (tags::STUDY_INSTANCE_UID, VR::UI, study.to_string()),
            (tags::SERIES_INSTANCE_UID, VR::UI, series.to_string()),
            (tags::FRAME_OF_REFERENCE_UID, VR::UI, frame.to_string()),
            (tags::SOP_INSTANCE_UID, VR::UI, instance.to_string()),
            (tags::STUDY_DATE, VR::DA, "20300101".to_owned()),
        ] {
            slice.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
        }
        slice.update_meta(|meta| meta.media_storage_sop_instance_uid = instance.to_string());
        slice.write_to_file(folder.join(format!("{n:03}.dcm"))).unwrap();
    }
    folder
}
