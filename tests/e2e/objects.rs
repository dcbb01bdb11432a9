//! Structure sets of others become findings that wait; confirmed findings leave as presentation states, structure sets and
//! key object selections that others read: `dciodvfy`, pydicom, `highdicom`.

use crate::station::{Station, string, text};
use mj_tests::checkers;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const RT: &str = "rt/phantom_rtstruct";

/// A station with the two slices of the structure sets, and the folder of these. `None` without the test data.
fn with_slices() -> Option<(Station, PathBuf)> {
    let folder = mj_testdata::path(RT)?;
    let station = Station::new();
    for slice in ["ct_1.dcm", "ct_2.dcm"] {
        station.import(&folder.join(slice));
    }
    Some((station, folder))
}

fn take(station: &Station, file: &Path, expected_code: i32) -> Value {
    station.run(&["finding", "import", text(file)]).json(expected_code)["results"][0].clone()
}

fn studies(station: &Station) -> Vec<String> {
    station.json(&["list"]).as_array().unwrap().iter().map(|study| string(study, "study_uid")).collect()
}

fn labels(taken: &Value) -> Vec<String> {
    taken["findings"].as_array().unwrap().iter().map(|finding| string(finding, "label")).collect()
}

/// What pydicom reads of a structure set: regions with their contours and the images these name.
const PYDICOM_REGIONS: &str = r#"
import json, sys, pydicom
def images(item):
    return [str(i.ReferencedSOPInstanceUID) for i in item.get("ContourImageSequence", [])]
def read(path):
    d = pydicom.dcmread(path, force=True)
    names = {int(r.ROINumber): str(r.ROIName) for r in d.StructureSetROISequence}
    return [{"name": names[int(r.ReferencedROINumber)],
             "algorithm": [str(s.ROIGenerationAlgorithm) for s in d.StructureSetROISequence if s.ROINumber == r.ReferencedROINumber][0],
             "contours": [{"kind": str(c.ContourGeometricType), "places": [float(v) for v in c.ContourData], "images": images(c)}
                          for c in r.get("ContourSequence", [])]} for r in d.ROIContourSequence]
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

#[test]
fn a_structure_set_comes_in_on_its_images_once() {
    let Some((station, folder)) = with_slices() else { return };
    let file = folder.join("rt.dcm");
    let taken = take(&station, &file, 0);
    assert_eq!((labels(&taken), &taken["left_out"], &taken["already_present"]), (vec!["ROI-1".to_owned()], &json!([]), &json!(0)));
    let finding = &taken["findings"][0];
    assert!(finding["held"].is_null() && finding["state"] == "proposed", "{finding}");
    assert_eq!(finding["images"].as_array().unwrap().len(), 1, "both contours lie on the same slice");
    let instance = string(&taken, "sop_instance_uid");
    let shown = station.json(&["show", &instance]);
    let region = &shown["structure_set"]["rois"][0];
    assert_eq!((&region["name"], &region["contours"], &region["kinds"]), (&json!("ROI-1"), &json!(2), &json!(["CLOSED_PLANAR"])));

    let again = take(&station, &file, 0);
    assert_eq!((&again["findings"], &again["already_present"]), (&json!([]), &json!(1)));
    let list = station.json(&["finding", "list", &studies(&station)[0]]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    let Some(read) = checkers::python_json(PYDICOM_REGIONS, &[&file]) else { return };
    let theirs: Vec<&Value> = read[0][0]["contours"].as_array().unwrap().iter().map(|c| &c["places"]).collect();
    let ours = finding["geometry"]["contours"].as_array().unwrap();
    assert_eq!(ours.iter().map(numbers).collect::<Vec<_>>(), theirs.into_iter().map(numbers).collect::<Vec<_>>());
    assert_eq!(finding["images"][0]["instance"], read[0][0]["contours"][0]["images"][0]);
}

/// Without the slices everything waits; when they come, it is judged anew.
#[test]
fn a_structure_set_waits_for_its_images() {
    let Some(folder) = mj_testdata::path(RT) else { return };
    let station = Station::new();
    let file = folder.join("rt.dcm");
    let held = take(&station, &file, 3);
    assert_eq!(held["findings"][0]["held"], "images_not_here");
    let id = string(&held["findings"][0], "id");
    assert_eq!(station.run(&["finding", "accept", &id]).error_code(), "finding.images_not_here");
    let come = |slice: &str| station.json(&["import", folder.join(slice).to_str().unwrap()])["results"].clone();
    // Its regions lie on the first alone; of the second nothing waited.
    let fits = come("ct_1.dcm");
    assert_eq!((&fits[0]["findings"][0]["id"], &fits[0]["findings"][0]["held"]), (&json!(id), &Value::Null));
    assert_eq!(come("ct_2.dcm"), json!([]));
    assert_eq!(fits[0]["findings"][0]["revision"], 2);
    assert_eq!(take(&station, &file, 0)["already_present"], 1);
    assert_eq!(station.json(&["finding", "accept", &id])["state"], "accepted");
}

/// Two of the five slices that these sets speak of are here: regions that reach onto the others would be shown cut off.
#[test]
fn regions_on_images_that_are_not_here_are_held() {
    for name in ["invalid_reference_rt.dcm", "non_existent_reference_rt.dcm"] {
        let Some((station, folder)) = with_slices() else { return };
        let taken = take(&station, &folder.join(name), 3);
        assert_eq!(labels(&taken), ["ROI-1", "ROI-2", "ROI-3", "ROI-4"], "{name}");
        let findings = taken["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["held"] == "images_not_here"), "{name}: {taken}");
        assert!(findings.iter().all(|finding| finding["geometry"]["contours"].as_array().unwrap().len() == 3), "{name}");
        let study = studies(&station).remove(0);
        assert_eq!(station.json(&["finding", "list", &study]).as_array().unwrap().len(), 4, "all are listed");
        let out = station.dir().join("out");
        let run = station.run(&["finding", "export", &study, "--as", "rtstruct", "--out", text(&out)]);
        assert_eq!((run.code, run.error_code()), (1, "finding.nothing_confirmed".to_owned()));
    }
}

/// Contours that an editor moved off the slices they name are not believed.
#[test]
fn a_region_that_lies_off_the_image_it_names_is_held() {
    let Some((station, folder)) = with_slices() else { return };
    let moved = station.dir().join("moved.dcm");
    let script = r#"
import sys, pydicom
d = pydicom.dcmread(sys.argv[1])
for c in d.ROIContourSequence[0].ContourSequence:
    c.ContourData = [v + 5.0 if i % 3 == 2 else v for i, v in enumerate(float(v) for v in c.ContourData)]
d.save_as(sys.argv[2])
print("true")
"#;
    if checkers::python_json(script, &[&folder.join("rt.dcm"), &moved]).is_none() {
        return;
    }
    let held = take(&station, &moved, 3)["findings"][0]["held"].clone();
    // Its frame of reference is its own, and no image vouches for it any more.
    assert_eq!(held, "other_frame_of_reference");
}

#[test]
fn a_structure_set_without_meta_group_is_taken() {
    let Some(file) = mj_testdata::path("rt/rtstruct.dcm") else { return };
    let station = Station::new();
    let taken = take(&station, &file, 3);
    assert_eq!(labels(&taken), ["patient", "Isocenter 1", "Isocenter 2"]);
    let shapes: Vec<_> = taken["findings"].as_array().unwrap().iter().map(|f| f["geometry"]["type"].clone()).collect();
    assert_eq!(shapes, ["contours", "point", "point"]);
    let first = &taken["findings"][0]["geometry"]["contours"][0];
    assert_eq!(first.as_array().unwrap().len(), 4, "the first place is not repeated at the end");
}

/// The objects of an export by SOP class, each held to be clean by `dciodvfy`.
struct Written(Vec<(String, PathBuf)>);

impl Written {
    fn of(receipt: &Value) -> Self {
        let one = |w: &Value| {
            let path = PathBuf::from(string(w, "path"));
            checkers::dciodvfy_is_clean(&path);
            (string(w, "sop_class"), path)
        };
        Self(receipt["written"].as_array().unwrap().iter().map(one).collect())
    }

    fn path(&self, sop_class: &str) -> PathBuf {
        let found: Vec<&PathBuf> = self.0.iter().filter(|(class, _)| class == sop_class).map(|(_, path)| path).collect();
        assert_eq!(found.len(), 1, "{sop_class} in {:?}", self.0);
        found[0].clone()
    }
}

/// Reads a presentation state and a selection beside the image they are about: graphics in the unit PIXEL, and the pixels of
/// places in the patient by the image's own header.
const HIGHDICOM: &str = r#"
import json, sys, numpy, pydicom, highdicom
gsps, ko, folder, ends = pydicom.dcmread(sys.argv[1]), highdicom.ko.KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(sys.argv[2])), sys.argv[3], json.load(open(sys.argv[4]))
import os
images = {}
for root, _, names in os.walk(folder):
    for n in names:
        if n.endswith(".dcm"):
            d = pydicom.dcmread(os.path.join(root, n), stop_before_pixels=True)
            images[str(d.SOPInstanceUID)] = d
marks = []
for a in gsps.GraphicAnnotationSequence:
    uid = str(a.ReferencedImageSequence[0].ReferencedSOPInstanceUID)
    d = images[uid]
    o = numpy.array(d.ImageOrientationPatient, float); p = numpy.array(d.ImagePositionPatient, float)
    dr, dc = (float(v) for v in d.PixelSpacing)
    for g in a.GraphicObjectSequence:
        # Column and row from the corner of the first pixel. Source: PS3.3 C.10.5, C.7.6.2.1.1.
        wanted = [[float((numpy.array(e) - p) @ o[:3] / dc + 0.5), float((numpy.array(e) - p) @ o[3:] / dr + 0.5)] for e in ends]
        off = [float(abs((numpy.array(e) - p) @ numpy.cross(o[:3], o[3:]))) for e in ends]
        marks.append({"image": uid, "type": g.GraphicType, "units": g.GraphicAnnotationUnits, "data": [float(v) for v in g.GraphicData],
                      "wanted": sum(wanted, []), "off": max(off)})
texts = [t.UnformattedTextValue for a in gsps.GraphicAnnotationSequence for t in a.get("TextObjectSequence", [])]
refs = [str(i.ReferencedSOPInstanceUID) for s in gsps.ReferencedSeriesSequence for i in s.ReferencedImageSequence]
picked = [str(i.referenced_sop_instance_uid) for i in ko.content.get_references()]
print(json.dumps({"marks": marks, "texts": texts, "refs": refs, "picked": picked, "title": ko.ConceptNameCodeSequence[0].CodeValue,
                  "resolved": [list(map(str, ko.resolve_reference(i.referenced_sop_instance_uid))) for i in ko.content.get_references()]}))
"#;

const GSPS: &str = "1.2.840.10008.5.1.4.1.1.11.1";
const KO: &str = "1.2.840.10008.5.1.4.1.1.88.59";
const RTSTRUCT: &str = "1.2.840.10008.5.1.4.1.1.481.3";

#[test]
fn a_line_leaves_as_every_object_that_others_read() {
    let station = Station::new();
    let folder = station.phantom(64, 16);
    station.import(&folder.join("current"));
    let (series, study) = (station.biggest_series(), studies(&station).remove(0));
    let ends = slanted_line(&station.json(&["show", &series]));
    let line: Vec<String> = ends.iter().flatten().map(f64::to_string).collect();
    let finding = station.json(&["finding", "add", &series, "--line", &line.join(",")]);
    let image = string(&finding["images"][0], "instance");
    let out = station.dir().join("out");
    let receipt = station.json(&["finding", "export", &study, "--as", "sr,gsps,rtstruct,ko", "--out", text(&out)]);
    assert_eq!((receipt["written"].as_array().unwrap().len(), &receipt["left_out"]), (4, &json!([])));
    let written = Written::of(&receipt);
    let ends_file = station.dir().join("ends.json");
    std::fs::write(&ends_file, json!(ends).to_string()).unwrap();
    let arguments = [written.path(GSPS), written.path(KO), folder.join("current"), ends_file];
    let Some(read) = checkers::python_json(HIGHDICOM, &arguments.each_ref().map(PathBuf::as_path)) else { return };
    assert_eq!((&read["refs"], &read["picked"], &read["title"]), (&json!([image]), &json!([image]), &json!("113000")));
    assert_eq!(read["resolved"], json!([[study, series, image]]));
    let marks = read["marks"].as_array().unwrap();
    let mark = &marks[0];
    assert_eq!((marks.len(), &mark["image"], &mark["type"], &mark["units"]), (1, &json!(image), &json!("POLYLINE"), &json!("PIXEL")));
    for (found, wanted) in numbers(&mark["data"]).iter().zip(numbers(&mark["wanted"])) {
        assert!((found - wanted).abs() < 1e-3, "{mark}");
    }
    let length = string(&finding["measurements"][0], "unit");
    assert!(read["texts"][0].as_str().unwrap().starts_with("1 ") && read["texts"][0].as_str().unwrap().ends_with(&length), "{read}");

    let regions = checkers::python_json(PYDICOM_REGIONS, &[&written.path(RTSTRUCT)]).unwrap();
    let region = &regions[0][0];
    assert_eq!((regions[0].as_array().unwrap().len(), &region["algorithm"]), (1, &json!("MANUAL")));
    assert_eq!((&region["contours"][0]["kind"], &region["contours"][0]["images"]), (&json!("OPEN_PLANAR"), &json!([image])));
    for (found, wanted) in numbers(&region["contours"][0]["places"]).iter().zip(ends.as_flattened()) {
        assert!((found - wanted).abs() < 1e-6 * wanted.abs().max(1.0), "{region}");
    }
}

/// An arrow is drawn by others as a line and its text; it is in no report, no structure set and no selection.
#[test]
fn an_arrow_leaves_in_a_presentation_state_alone() {
    let station = Station::new();
    let folder = station.phantom(64, 16);
    station.import(&folder.join("current"));
    let (series, study) = (station.biggest_series(), studies(&station).remove(0));
    let ends = slanted_line(&station.json(&["show", &series]));
    let places: Vec<String> = ends.iter().flatten().map(f64::to_string).collect();
    let arrow = station.json(&["finding", "add", &series, "--arrow", &places.join(","), "--text", "术后改变"]);
    assert_eq!((&arrow["kind"]["code"], &arrow["measurements"], &arrow["label"]), (&json!("annotation"), &json!([]), &json!("术后改变")));
    let out = station.dir().join("out");
    let export = |form: &str| station.run(&["finding", "export", &study, "--as", form, "--out", text(&out)]);
    for form in ["sr", "rtstruct", "ko"] {
        assert_eq!(export(form).error_code(), "finding.nothing_confirmed", "{form}");
    }
    let written = Written::of(&export("gsps").json(0));
    let told = station.json(&["show", &string(&arrow["images"][0], "instance")]);
    assert!(!told.is_null());
    let state = mj_dicom::Dataset::from_vec(std::fs::read(written.path(GSPS)).unwrap()).unwrap();
    let read = mj_dicom::gsps::read(&state).unwrap();
    let texts: Vec<&str> = read.marks.iter().flat_map(|marks| &marks.texts).map(|text| text.text.as_str()).collect();
    assert_eq!(texts, ["术后改变"]);
    assert_eq!(read.marks.iter().map(|marks| marks.graphics.len()).sum::<usize>(), 1);
    checkers::dciodvfy_is_clean(&written.path(GSPS));
    // Moved, it stays an arrow without a number.
    let id = string(&arrow, "id");
    let turned: Vec<String> = ends.iter().rev().flatten().map(f64::to_string).collect();
    let edited = station.json(&["finding", "edit", &id, "--line", &turned.join(",")]);
    assert_eq!((&edited["measurements"], &edited["label"]), (&json!([]), &json!("术后改变")));
}

/// Two places of one image that no axis of it joins. Units: mm, LPS.
fn slanted_line(series: &Value) -> [[f64; 3]; 2] {
    let (origin, spacing, matrix) = (numbers(&series["origin_lps"]), numbers(&series["spacing_mm"]), numbers(&series["matrix"]));
    let direction = numbers(&series["direction"]);
    let at = |voxel: [f64; 3]| {
        std::array::from_fn(|row| origin[row] + (0..3).map(|axis| direction[row * 3 + axis] * spacing[axis] * voxel[axis]).sum::<f64>())
    };
    let slice = (matrix[2] / 2.0).floor();
    [at([matrix[0] * 0.3, matrix[1] * 0.4, slice]), at([matrix[0] * 0.6 + 0.25, matrix[1] * 0.55, slice])]
}

/// A region of another system, accepted by a person, beside a line across slices.
#[test]
fn what_an_object_cannot_hold_is_left_out_and_named() {
    let Some((station, folder)) = with_slices() else { return };
    let taken = take(&station, &folder.join("rt.dcm"), 0);
    let region = string(&taken["findings"][0], "id");
    station.json(&["finding", "accept", &region]);
    let (series, study) = (station.biggest_series(), studies(&station).remove(0));
    let across = string(&station.json(&["finding", "add", &series, "--line", "-50,-50,60,-30,-30,65"]), "id");
    let out = station.dir().join("out");
    let export = |forms: &str, code: i32| station.run(&["finding", "export", &study, "--as", forms, "--out", text(&out)]).json(code);
    let receipt = export("sr,gsps,rtstruct,ko", 3);
    let left_out = receipt["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 1, "{receipt}");
    assert_eq!(
        (&left_out[0]["finding"], &left_out[0]["as"], &left_out[0]["code"]),
        (&json!(across), &json!("gsps"), &json!("export.off_image"))
    );
    assert!(left_out[0]["reason"].as_str().unwrap().contains("half a slice"));
    let written = Written::of(&receipt);
    let gsps = station_shows(&station, &written.path(GSPS));
    let images = gsps["presentation"]["images"].as_array().unwrap();
    assert_eq!((images.len(), &images[0]["graphics"], &gsps["presentation"]["layers"][0]["name"]), (1, &json!(2), &json!("FINDINGS")));
    let ko = station_shows(&station, &written.path(KO));
    let lines = ko["outline"].as_array().unwrap();
    assert!(lines[0]["name"] == "Of Interest" && lines.iter().any(|line| line["value"] == taken["findings"][0]["images"][0]["instance"]));

    let Some(regions) = checkers::python_json(PYDICOM_REGIONS, &[&written.path(RTSTRUCT), &folder.join("rt.dcm")]) else { return };
    let (ours, theirs) = (&regions[0][0], &regions[1][0]);
    assert_eq!((&ours["name"], &ours["algorithm"]), (&theirs["name"], &theirs["algorithm"]));
    for (a, b) in ours["contours"].as_array().unwrap().iter().zip(theirs["contours"].as_array().unwrap()) {
        assert_eq!((numbers(&a["places"]), &a["images"]), (numbers(&b["places"]), &b["images"]));
    }
    assert_eq!(regions[0][1]["contours"][0]["kind"], "OPEN_PLANAR");

    station.json(&["finding", "delete", &region]);
    let run = station.run(&["finding", "export", &study, "--as", "gsps", "--out", text(&out)]);
    assert_eq!((run.code, run.error_code()), (1, "finding.nothing_written".to_owned()));
    assert!(run.stderr.contains("half a slice"), "{}", run.stderr);
}

/// What the station shows of an object of its own after it was imported.
fn station_shows(station: &Station, path: &Path) -> Value {
    station.import(path);
    station.json(&["show", path.file_stem().unwrap().to_str().unwrap()])
}

#[test]
fn wrong_uses_are_told() {
    let Some((station, _)) = with_slices() else { return };
    let study = studies(&station).remove(0);
    let out = station.dir().join("out");
    for form in ["sr", "gsps", "rtstruct", "ko", "seg"] {
        let run = station.run(&["finding", "export", &study, "--as", form, "--out", text(&out)]);
        let wanted = if form == "seg" { "finding.nothing_written" } else { "finding.nothing_confirmed" };
        assert_eq!((run.code, run.error_code().as_str()), (1, wanted), "{form}");
    }
    let run = station.run(&["finding", "export", &study, "--as", "gsps,bmp", "--out", text(&out)]);
    assert_eq!((run.code, run.error_code()), (2, "cli.usage".to_owned()));
    assert!(!out.exists(), "nothing was written, so no folder was made");
}
