//! Results of other systems come in, are held against the images they speak of, and wait for a person.

use crate::station::{Station, string};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use mj_dicom::Dataset;
use mj_dicom::context::{Context, Device};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_dicom::sr::{self, SrInput};
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::volume::SliceSource;
use mj_model::{
    Code, Extent, Finding, FindingState, FrameOfReferenceUid, Geometry, Grid, InstanceUid, Lang, Mask, Measurement, PointLps, SeriesUid,
    Shape, Side, clock,
};
use mj_tests::checkers;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn device() -> Device {
    Device { name: "Finder".into(), version: "2.0".into(), serial: "1".into(), uid: "2.25.31".into() }
}

/// Millilitres of a finding that is a segment.
fn ml(finding: &Value) -> f64 {
    let volume = finding["measurements"].as_array().unwrap().iter().find(|m| m["unit"] == "ml").unwrap();
    volume["value"].as_f64().unwrap()
}

fn near(found: f64, wanted: f64) {
    assert!((found / wanted - 1.0).abs() <= 0.001, "{found} ml, not {wanted} ml");
}

fn import(station: &Station, file: &Path) -> crate::station::Run {
    station.run(&["finding", "import", file.to_str().unwrap()])
}

fn findings(receipt: &Value) -> Vec<Value> {
    receipt["results"].as_array().unwrap().iter().flat_map(|r| r["findings"].as_array().unwrap().clone()).collect()
}

#[test]
fn segmentations_of_others_come_in_with_their_volumes() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let station = Station::new();
    station.json(&["import", data.join("seg_sr/liver_ct3slice/ct").to_str().unwrap()]);
    let receipt = import(&station, &data.join("seg_sr/liver_ct3slice/liver_seg.dcm")).json(0);
    let liver = &findings(&receipt)[0];
    assert_eq!((liver["state"].as_str(), liver["held"].as_str()), (Some("proposed"), None));
    assert_eq!(liver["kind"]["name_zh"], "肝");
    near(ml(liver), 70.36);
    // It is a segment like our own, on the series it was made on.
    let segments = station.json(&["segment", "list", liver["series"].as_str().unwrap()]);
    near(segments[0]["volume_ml"].as_f64().unwrap(), 70.36);
    let stl = station.dir().join("liver.stl");
    station.json(&["segment", "export", segments[0]["id"].as_str().unwrap(), "--to", stl.to_str().unwrap()]);
    assert!(stl.is_file());
    // Once is enough.
    let again = import(&station, &data.join("seg_sr/liver_ct3slice/liver_seg.dcm")).json(0);
    assert_eq!((findings(&again).len(), again["results"][0]["already_present"].as_u64()), (0, Some(1)));

    station.json(&["import", data.join("pet/qin_headneck_0024_pet").to_str().unwrap()]);
    let receipt = import(&station, &data.join("pet/qin_headneck_0024_seg/tumor_User1_Manual_Trial1.dcm")).json(0);
    let tumours = findings(&receipt);
    assert!(tumours.iter().all(|t| t["held"].is_null()), "{tumours:?}");
    near(tumours.iter().map(ml).sum(), 11.24);

    // Without its images: kept, listed, not to be accepted.
    let receipt = import(&station, &data.join("seg_sr/qin_headneck_0003_tid1500/seg.dcm")).json(3);
    let held = findings(&receipt);
    near(held.iter().map(ml).sum(), 33.58);
    assert_eq!(held[0]["held"], "images_not_here");
    let refused = station.run(&["finding", "accept", held[0]["id"].as_str().unwrap()]);
    assert_eq!((refused.code, refused.error_code().as_str()), (4, "finding.images_not_here"));
}

#[test]
fn reports_of_others_come_in_with_their_numbers() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let station = Station::new();
    let receipt = import(&station, &data.join("seg_sr/qin_headneck_0003_tid1500/sr.dcm")).json(3);
    let tumour = &findings(&receipt)[0];
    assert_eq!((tumour["held"].as_str(), tumour["geometry"]["type"].as_str()), (Some("images_not_here"), Some("segment")));
    let numbers = tumour["measurements"].as_array().unwrap();
    // Counted in the file with another reader.
    let script = r#"
import json, sys, pydicom
def walk(item, out, within=False):
    for child in getattr(item, "ContentSequence", None) or []:
        if within and child.ValueType == "NUM" and "MeasuredValueSequence" in child:
            m = child.MeasuredValueSequence[0]
            out.append([float(m.NumericValue), m.MeasurementUnitsCodeSequence[0].CodeValue])
        # The image library has numbers of its own, the size of the images.
        walk(child, out, within or ("ConceptNameCodeSequence" in child and child.ConceptNameCodeSequence[0].CodeValue == "125007"))
    return out
print(json.dumps(walk(pydicom.dcmread(sys.argv[1]), [])))
"#;
    if let Some(wanted) = checkers::python_json(script, &[&data.join("seg_sr/qin_headneck_0003_tid1500/sr.dcm")]) {
        let ours: Vec<Value> = numbers.iter().map(|m| serde_json::json!([m["value"], m["unit"]])).collect();
        assert_eq!(Value::Array(ours), wanted);
        assert!(numbers.len() >= 5);
    }

    station.json(&["import", data.join("seg_sr/highdicom/ct_image.dcm").to_str().unwrap()]);
    let receipt = import(&station, &data.join("seg_sr/highdicom/sr_document.dcm"));
    let receipt: Value = serde_json::from_str(&receipt.stdout).unwrap();
    assert!(!findings(&receipt).is_empty() && receipt["results"][0]["outcome"] == "found", "{receipt}");
}

/// A series in a record, with what is needed to make results on it.
struct Ground {
    station: Station,
    first: PathBuf,
    context: Dataset,
    grid: Grid,
    sources: Vec<SliceSource>,
    series: SeriesUid,
    frame: FrameOfReferenceUid,
}

impl Ground {
    fn new() -> Self {
        let station = Station::new();
        let folder = station.phantom(64, 40).join("current");
        station.json(&["import", folder.to_str().unwrap()]);
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let of = |path: &PathBuf| Dataset::from_vec(std::fs::read(path).unwrap()).unwrap();
        let mut slices: Vec<(f64, SliceSource, Grid)> = files
            .iter()
            .map(|path| {
                let dataset = of(path);
                let (header, plane) = (dataset.header().unwrap(), mj_dicom::plane::Plane::of(&dataset).unwrap());
                let grid = plane.grid.unwrap();
                let source = SliceSource { instance: header.instance, sop_class: header.sop_class, frame: None };
                ((grid.origin - PointLps::default()).dot(grid.axes[2]), source, grid)
            })
            .collect();
        slices.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut grid = slices[0].2;
        grid.dims[2] = slices.len();
        grid.spacing_mm[2] = (slices[1].0 - slices[0].0).abs();
        let context = of(&files[0]);
        let header = context.header().unwrap();
        Self {
            first: files[0].clone(),
            grid,
            sources: slices.into_iter().map(|(_, source, _)| source).collect(),
            series: header.series.uid,
            frame: header.series.frame_of_reference.unwrap(),
            context,
            station,
        }
    }

    /// The slice nearest to a place.
    fn image(&self, at: PointLps) -> ImageRef {
        let k = self.grid.voxel_from_lps(at)[2].round().clamp(0.0, self.sources.len() as f64 - 1.0) as usize;
        let source = &self.sources[k];
        ImageRef { instance: source.instance.clone(), sop_class: source.sop_class.clone(), frame: None }
    }

    /// What a device would say of something at a place, in voxels from the middle of the series.
    fn finding(&self, right_of_middle: f64, side: Side) -> Finding {
        let [ni, nj, nk] = self.grid.dims.map(|n| n as f64);
        let at = |di: f64| self.grid.lps_from_voxel([(ni / 2.0 + right_of_middle + di).round(), (nj / 2.0).round(), (nk / 2.0).round()]);
        let geometry = Geometry::line(at(0.0), at(3.0));
        let measurements = geometry.sizes().into_iter().map(|q| Measurement::new(mj_model::uid::fresh(), q)).collect();
        let device = Origin { who: OriginKind::Device, name: "Finder".into(), version: "2.0".into() };
        Finding {
            frame_of_reference: Some(self.frame.clone()),
            images: vec![self.image(at(0.0))],
            state: FindingState::Proposed,
            kind: Code::new("SCT", "27925004", "Nodule", "结节"),
            site: Some(Code::new("SCT", "39607008", "Lung", "肺")),
            side,
            measurements,
            proposed_by: Some(device.clone()),
            origin: device,
            ..Finding::new(mj_model::uid::fresh(), self.context.header().unwrap().study.uid, self.series.clone(), geometry, "")
        }
    }

    /// A report of it as a file, made in the name of another context if one is given.
    fn report(&self, name: &str, finding: &Finding, context: Option<&Dataset>) -> PathBuf {
        self.report_of(name, &[finding], context)
    }

    fn report_of(&self, name: &str, findings: &[&Finding], context: Option<&Dataset>) -> PathBuf {
        let written = sr::write(&SrInput {
            context: context.unwrap_or(&self.context),
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
            device: device(),
        })
        .unwrap();
        let path = self.station.dir().join(name);
        std::fs::write(&path, written.bytes).unwrap();
        path
    }

    /// The context with some of its elements changed.
    fn changed(&self, elements: &[(dicom_core::Tag, VR, &str)]) -> Dataset {
        let mut object = dicom_object::open_file(&self.first).unwrap();
        for (tag, vr, value) in elements {
            object.put(DataElement::new(*tag, *vr, PrimitiveValue::from(*value)));
        }
        let path = self.station.dir().join("changed.dcm");
        object.write_to_file(&path).unwrap();
        Dataset::from_vec(std::fs::read(path).unwrap()).unwrap()
    }

    /// Imports a result that must be held, and tries to accept it.
    fn assert_held(&self, file: &Path, why: &str) {
        let receipt = import(&self.station, file).json(3);
        let found = findings(&receipt);
        assert_eq!(found.len(), 1, "{why}: {receipt}");
        assert_eq!(found[0]["held"], why);
        let id = string(&found[0], "id");
        let refused = self.station.run(&["finding", "accept", &id]);
        assert_eq!((refused.code, refused.error_code()), (4, format!("finding.{why}")));
        assert!(refused.stderr.contains("not shown") || refused.stderr.contains("cannot be shown"), "{}", refused.stderr);
        // It can be put away with a reason, and is still there to be read.
        let rejected = self.station.json(&["finding", "reject", &id, "--reason", "wrong-place"]);
        assert_eq!((rejected["state"].as_str(), rejected["reason"]["code"].as_str()), (Some("rejected"), Some("wrong-place")));
    }
}

#[test]
fn a_result_that_fits_waits_for_a_person_and_leaves_as_a_report() {
    let ground = Ground::new();
    let station = &ground.station;
    // The phantom lies on its back: columns run to the patient's left.
    let finding = ground.finding(15.0, Side::Left);
    let receipt = import(station, &ground.report("fits.dcm", &finding, None)).json(0);
    let made = &findings(&receipt)[0];
    assert_eq!((made["state"].as_str(), made["held"].as_str()), (Some("proposed"), None));
    assert_eq!((made["origin"]["name"].as_str(), made["origin"]["version"].as_str()), (Some("Finder"), Some("2.0")));
    let study = string(made, "study");
    let out = station.dir().join("out");
    let export = ["finding", "export", &study, "--as", "sr", "--out", out.to_str().unwrap()];
    // What nobody accepted does not leave.
    assert_eq!(station.run(&export).error_code(), "finding.nothing_confirmed");
    let accepted = station.json(&["finding", "accept", &string(made, "id")]);
    assert_eq!((accepted["state"].as_str(), accepted["proposed_by"]["name"].as_str()), (Some("accepted"), Some("Finder")));
    let written = station.json(&export);
    let path = PathBuf::from(written["written"][0]["path"].as_str().unwrap());
    checkers::dciodvfy_is_clean(&path);
    checkers::pixelmed_is_clean(&path);
    let back = sr::read(&Dataset::from_vec(std::fs::read(&path).unwrap()).unwrap()).unwrap();
    assert_eq!(
        (back.findings[0].state, back.findings[0].algorithm.clone()),
        (Some(FindingState::Accepted), Some(("Finder".into(), "2.0".into())))
    );
    // The lesion is known by its tracking UID: what comes back adds nothing.
    let again = import(station, &path).json(0);
    assert_eq!(again["results"][0]["already_present"], 1);
    // Two groups of one report on one lesion are two findings.
    let first = ground.finding(12.0, Side::Left);
    let second = Finding { tracking_uid: first.tracking_uid.clone(), ..ground.finding(18.0, Side::Left) };
    let both = import(station, &ground.report_of("both.dcm", &[&first, &second], None)).json(0);
    assert_eq!(findings(&both).len(), 2);
    let wrong = station.run(&["finding", "reject", &string(made, "id"), "--reason", "whim"]);
    assert!(wrong.code != 0 && wrong.stderr.contains("no-lesion"), "{}", wrong.stderr);
}

#[test]
fn results_that_do_not_fit_are_stopped() {
    let ground = Ground::new();
    let good = ground.finding(15.0, Side::Left);

    // Another patient under the same study does not come in at all: the door sets it aside.
    let somebody = [(tags::PATIENT_ID, VR::LO, "SOMEBODY-ELSE"), (tags::PATIENT_NAME, VR::PN, "Other^Person")];
    let receipt = import(&ground.station, &ground.report("patient.dcm", &good, Some(&ground.changed(&somebody)))).json(3);
    assert_eq!((receipt["conflicts"].as_array().unwrap().len(), findings(&receipt).len()), (1, 0), "{receipt}");
    // Under a study of its own it does, but speaks of the images of this one.
    let elsewhere = [somebody[0], somebody[1], (tags::STUDY_INSTANCE_UID, VR::UI, "2.25.4712")];
    ground
        .assert_held(&ground.report("patient2.dcm", &ground.finding(15.0, Side::Left), Some(&ground.changed(&elsewhere))), "other_patient");

    let other = ground.changed(&[(tags::STUDY_INSTANCE_UID, VR::UI, "2.25.4711"), (tags::STUDY_DATE, VR::DA, "20190203")]);
    ground.assert_held(&ground.report("date.dcm", &ground.finding(15.0, Side::Left), Some(&other)), "other_date");

    let wrong_series = Finding { series: SeriesUid::fresh(), ..ground.finding(15.0, Side::Left) };
    ground.assert_held(&ground.report("series.dcm", &wrong_series, None), "other_series");

    let elsewhere = Finding { frame_of_reference: Some(FrameOfReferenceUid::fresh()), ..ground.finding(15.0, Side::Left) };
    ground.assert_held(&ground.report("frame.dcm", &elsewhere, None), "other_frame_of_reference");

    let mut unknown = ground.finding(15.0, Side::Left);
    unknown.images[0].instance = InstanceUid::fresh();
    ground.assert_held(&ground.report("images.dcm", &unknown, None), "images_not_here");

    // Left and right swapped by whoever made it.
    ground.assert_held(&ground.report("mirrored.dcm", &ground.finding(-15.0, Side::Left), None), "other_side");

    // Head and foot swapped: the place is a slice of the other end.
    let mut upside_down = ground.finding(15.0, Side::Left);
    let moved = |p: PointLps| PointLps::new(p.x, p.y, p.z + 60.0);
    if let Geometry::InSpace(shape) = &upside_down.geometry {
        upside_down.geometry = Geometry::InSpace(shape.map(moved));
    }
    ground.assert_held(&ground.report("upside-down.dcm", &upside_down, None), "off_image");

    let mut above = ground.finding(15.0, Side::Left);
    let centre = above.geometry.centre().unwrap();
    above.geometry = Geometry::Extent(Extent::Sphere { centre: PointLps::new(centre.x, centre.y, centre.z + 1000.0), radius_mm: 5.0 });
    ground.assert_held(&ground.report("above.dcm", &above, None), "off_image");

    let beside = Shape::Line { a: [3.0, 3.0], b: [900.0, 3.0] };
    let beside = Finding {
        geometry: Geometry::OnImage(beside),
        frame_of_reference: None,
        measurements: Vec::new(),
        ..ground.finding(15.0, Side::None)
    };
    ground.assert_held(&ground.report("beside.dcm", &beside, None), "off_image");
}

#[test]
fn a_segmentation_of_a_mirrored_series_is_stopped() {
    let ground = Ground::new();
    let context = Context::of(&ground.context).unwrap();
    for (name, is_mirrored) in [("right.dcm", false), ("mirrored.dcm", true)] {
        let mut grid = ground.grid;
        if is_mirrored {
            // As a reader makes it that takes columns for running to the right.
            grid.origin = grid.lps_from_voxel([grid.dims[0] as f64 - 1.0, 0.0, 0.0]);
            grid.axes[0] = -grid.axes[0];
        }
        let mut mask = Mask::empty(grid);
        for voxel in mask.voxels.iter_mut().skip(4000).take(3000) {
            *voxel = 1;
        }
        let written = seg::write(&SegInput {
            context: &context,
            instance: InstanceUid::fresh(),
            series: SeriesUid::fresh(),
            series_number: 902,
            title: "Organ",
            creator: "Finder",
            grid: &grid,
            frame_of_reference: ground.frame.clone(),
            source_series: ground.series.clone(),
            sources: &ground.sources,
            is_resampled: false,
            segments: vec![SegmentInput {
                label: "Liver",
                category: Code::new("SCT", "123037004", "Anatomical Structure", ""),
                kind: Code::new("SCT", "10200004", "Liver", ""),
                algorithm: Algorithm::Automatic("Finder".into()),
                tracking: None,
                colour: [200, 80, 60],
                mask: &mask,
            }],
            at: clock::now(),
            device: &device(),
        })
        .unwrap();
        let path = ground.station.dir().join(name);
        std::fs::write(&path, written.bytes).unwrap();
        if is_mirrored {
            ground.assert_held(&path, "off_image");
        } else {
            let receipt = import(&ground.station, &path).json(0);
            let liver = &findings(&receipt)[0];
            assert!(liver["held"].is_null() && liver["geometry"]["type"] == "segment", "{liver}");
            assert_eq!(liver["series"], ground.series.as_str());
        }
    }
}

/// CAD reports made with `pydicom` on an image: chest, with a nodule, and mammography, with a mass; each of the four ends of a
/// run; and nothing of ours is used.
const MAKE_CAD: &str = r#"
import json, sys, copy, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid, ExplicitVRLittleEndian
image, folder = pydicom.dcmread(sys.argv[1]), sys.argv[2]
def code(v, s, m):
    d = Dataset(); d.CodeValue, d.CodingSchemeDesignator, d.CodeMeaning = v, s, m; return d
def item(rel, vt, concept=None, children=()):
    d = Dataset()
    if rel: d.RelationshipType = rel
    d.ValueType = vt
    if concept: d.ConceptNameCodeSequence = Sequence([code(*concept)])
    if children: d.ContentSequence = Sequence(list(children))
    return d
def coded(rel, concept, value, children=()):
    d = item(rel, "CODE", concept, children); d.ConceptCodeSequence = Sequence([code(*value)]); return d
def num(rel, concept, value, unit):
    d = item(rel, "NUM", concept); m = Dataset(); m.NumericValue = str(value); m.MeasurementUnitsCodeSequence = Sequence([code(unit, "UCUM", unit)])
    d.MeasuredValueSequence = Sequence([m]); return d
def text(rel, concept, value):
    d = item(rel, "TEXT", concept); d.TextValue = value; return d
def uid(rel, concept, value):
    d = item(rel, "UIDREF", concept); d.UID = value; return d
def reference():
    r = Dataset(); r.ReferencedSOPClassUID, r.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID; return r
def by_reference(path):
    d = Dataset(); d.RelationshipType = "SELECTED FROM"; d.ReferencedContentItemIdentifier = path; return d
def scoord(concept, kind, data, path):
    d = item("HAS PROPERTIES", "SCOORD", concept, [by_reference(path)]); d.GraphicType, d.GraphicData = kind, data; return d
def write(name, sop_class, root_code, summary, detections, findings):
    library = item("CONTAINS", "CONTAINER", ("111028", "DCM", "Image Library")); library.ContinuityOfContent = "SEPARATE"
    entry = item("CONTAINS", "IMAGE"); entry.ReferencedSOPSequence = Sequence([reference()]); library.ContentSequence = Sequence([entry])
    impression = item("CONTAINS", "CONTAINER", ("111034", "DCM", "Individual Impression/Recommendation"), findings); impression.ContinuityOfContent = "SEPARATE"
    top = coded("CONTAINS", ("111017", "DCM", "CAD Processing and Findings Summary"), summary, [impression] if findings else ())
    root = item(None, "CONTAINER", root_code, [library, top, coded("CONTAINS", ("111064", "DCM", "Summary of Detections"), detections)])
    root.ContinuityOfContent = "SEPARATE"
    ds = root
    for k in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "SpecificCharacterSet", "IssuerOfPatientID"):
        if k in image: setattr(ds, k, getattr(image, k))
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = sop_class, generate_uid(), generate_uid()
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "SR", 77, 1
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ContentDate, ds.ContentTime = "20260102", "101500"
    s, e, r = Dataset(), Dataset(), reference()
    s.SeriesInstanceUID, s.ReferencedSOPSequence = image.SeriesInstanceUID, Sequence([r])
    e.StudyInstanceUID, e.ReferencedSeriesSequence = image.StudyInstanceUID, Sequence([s])
    ds.CurrentRequestedProcedureEvidenceSequence = Sequence([e])
    ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.save_as(f"{folder}/{name}.dcm", enforce_file_format=True)
algorithm = [text("HAS OBS CONTEXT", ("111001", "DCM", "Algorithm Name"), "Chest CAD"), text("HAS OBS CONTEXT", ("111003", "DCM", "Algorithm Version"), "5.0")]
nodule = coded("CONTAINS", ("111059", "DCM", "Single Image Finding"), ("27925004", "SCT", "Nodule"), algorithm + [
    text("HAS OBS CONTEXT", ("112039", "DCM", "Tracking Identifier"), "1"), uid("HAS OBS CONTEXT", ("112040", "DCM", "Tracking Unique Identifier"), "2.25.815"),
    coded("HAS CONCEPT MOD", ("363698007", "SCT", "Finding Site"), ("39607008", "SCT", "Lung")),
    scoord(("111010", "DCM", "Center"), "POINT", [20.5, 30.5], [1, 1, 1]),
    num("HAS PROPERTIES", ("81827009", "SCT", "Diameter"), 7.25, "mm"), num("HAS PROPERTIES", ("111012", "DCM", "Certainty of Finding"), 84, "%")])
ok, none, partly = ("111242", "DCM", "All algorithms succeeded; with findings"), ("111241", "DCM", "All algorithms succeeded; without findings"), ("111245", "DCM", "No algorithms succeeded; without findings")
succeeded, failed, not_tried = ("111222", "DCM", "Succeeded"), ("111224", "DCM", "Failed"), ("111225", "DCM", "Not Attempted")
chest, breast = ("112000", "DCM", "Chest CAD Report"), ("111036", "DCM", "Mammography CAD Report")
CHEST, MAMMO = "1.2.840.10008.5.1.4.1.1.88.65", "1.2.840.10008.5.1.4.1.1.88.50"
write("chest", CHEST, chest, ok, succeeded, [nodule])
write("nothing", CHEST, chest, none, succeeded, [])
write("failed", CHEST, chest, partly, failed, [])
write("not_applicable", CHEST, chest, partly, not_tried, [])
mass = coded("CONTAINS", ("111059", "DCM", "Single Image Finding"), ("4147007", "SCT", "Mass"), [
    num("HAS PROPERTIES", ("111012", "DCM", "Certainty of Finding"), 63, "%"),
    scoord(("111041", "DCM", "Outline"), "POLYLINE", [10.5, 10.5, 18.5, 10.5, 18.5, 16.5, 10.5, 16.5, 10.5, 10.5], [1, 1, 1])])
write("mammography", MAMMO, breast, ok, succeeded, [mass])
print(json.dumps("made"))
"#;

#[test]
fn cad_reports_and_the_four_ends_of_a_run() {
    let ground = Ground::new();
    let station = &ground.station;
    if checkers::python_json(MAKE_CAD, &[&ground.first, station.dir()]).is_none() {
        return;
    }
    let receipt = import(station, &station.dir().join("chest.dcm")).json(0);
    assert_eq!(receipt["results"][0]["outcome"], "found");
    let nodule = &findings(&receipt)[0];
    assert_eq!((nodule["kind"]["name_zh"].as_str(), nodule["site"]["name_zh"].as_str()), (Some("结节"), Some("肺")));
    assert_eq!((nodule["certainty_percent"].as_f64(), nodule["tracking_uid"].as_str()), (Some(84.0), Some("2.25.815")));
    assert_eq!((nodule["origin"]["name"].as_str(), nodule["origin"]["who"].as_str()), (Some("Chest CAD"), Some("device")));
    // The coordinates name their image by its place in the tree, counted from the corner of its first pixel. The image lies
    // in the patient, so the place does.
    let plane = mj_dicom::plane::Plane::of(&ground.context).unwrap().grid.unwrap();
    let at: PointLps = serde_json::from_value(nodule["geometry"]["at"].clone()).unwrap();
    assert!(at.distance_mm(plane.lps_from_voxel([20.0, 30.0, 0.0])) < 1e-9, "{nodule}");
    assert_eq!(nodule["images"][0]["instance"], ground.context.header().unwrap().instance.as_str());
    assert_eq!((nodule["measurements"][0]["value"].as_f64(), nodule["measurements"][0]["unit"].as_str()), (Some(7.25), Some("mm")));

    let receipt = import(station, &station.dir().join("mammography.dcm")).json(0);
    let mass = &findings(&receipt)[0];
    assert_eq!((mass["kind"]["code"].as_str(), mass["geometry"]["type"].as_str()), (Some("4147007"), Some("contours")));
    assert_eq!(mass["geometry"]["contours"][0].as_array().unwrap().len(), 4);

    for (name, outcome) in [("nothing", "found_nothing"), ("failed", "failed"), ("not_applicable", "not_applicable")] {
        let receipt = import(station, &station.dir().join(format!("{name}.dcm"))).json(0);
        assert_eq!(receipt["results"][0]["outcome"], outcome);
        assert!(findings(&receipt).is_empty());
    }
    let runs = station.json(&["show", &string(nodule, "study")])["runs"].clone();
    let ends: Vec<&str> = runs.as_array().unwrap().iter().filter_map(|run| run["outcome"].as_str()).collect();
    assert_eq!(ends, ["found", "found", "found_nothing", "failed", "not_applicable"]);
    let all = station.json(&["finding", "list", &string(nodule, "study")]);
    assert!(all.as_array().unwrap().iter().all(|f| f["state"] == "proposed"), "a device is never believed by itself");
}

/// Images, a segmentation and reports of one folder come in by a plain import; it does nothing the second time.
#[test]
fn results_come_in_with_their_images() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let station = Station::new();
    let folder = data.join("seg_sr/liver_ct3slice");
    let receipt = station.json(&["import", folder.to_str().unwrap()]);
    let made = findings(&receipt);
    assert_eq!(made.len(), 1, "{receipt}");
    assert_eq!((&made[0]["state"], &made[0]["label"]), (&json!("proposed"), &json!("Liver")));
    assert_eq!(station.json(&["import", folder.to_str().unwrap()])["results"], json!([]));
    // Another patient's report waits, and the import says that a person is needed.
    let report = data.join("seg_sr/qin_headneck_0003_tid1500");
    let receipt = station.run(&["import", report.to_str().unwrap()]).json(3);
    assert!(findings(&receipt).iter().all(|f| f["held"] == "images_not_here"), "{receipt}");
    // Half a segmentation is told and left alone; the import goes on.
    let whole = std::fs::read(folder.join("liver_seg.dcm")).unwrap();
    let half = mj_tests::folder();
    std::fs::write(half.path().join("half.dcm"), &whole[..whole.len() / 2]).unwrap();
    let other = Station::new();
    other.json(&["import", folder.join("ct").to_str().unwrap()]);
    let run = other.run(&["import", half.path().to_str().unwrap()]);
    assert_eq!(run.json(3)["results"], json!([]));
    let study = string(&other.json(&["list"])[0], "study_uid");
    let told = other.json(&["show", &study])["runs"].clone();
    assert!(told[0]["outcome"].is_null() && told[0]["error"].as_str().unwrap().starts_with("dicom."), "{told}");
    // The whole of it takes its place, and is taken.
    let receipt = other.json(&["import", folder.join("liver_seg.dcm").to_str().unwrap()]);
    assert_eq!(findings(&receipt).len(), 1, "{receipt}");
    assert_eq!(other.json(&["show", &study])["runs"][0]["outcome"], "found");
}

/// Killed while it takes results, it takes the rest the next time; without a viewer it says so, and takes them once there is one.
#[test]
fn results_that_were_not_taken_to_the_end_are_taken_the_next_time() {
    let ground = Ground::new();
    let station = &ground.station;
    let all: Vec<Finding> = (0..60).map(|n| ground.finding(f64::from(n % 20) - 30.0, Side::None)).collect();
    let report = ground.report_of("many.dcm", &all.iter().collect::<Vec<_>>(), None);
    let study = string(&station.json(&["list"])[0], "study_uid");
    let count = || station.json(&["finding", "list", &study]).as_array().unwrap().len();
    let mut child = station.command(&["import", report.to_str().unwrap()]).spawn().unwrap();
    // As soon as some are there.
    while count() == 0 && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    child.wait().unwrap();
    let before = count();
    let receipt = station.json(&["import", report.to_str().unwrap()]);
    assert_eq!((findings(&receipt).len(), count()), (60 - before, 60));

    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let other = Station::new();
    other.json(&["import", data.join("seg_sr/liver_ct3slice/ct").to_str().unwrap()]);
    let seg = data.join("seg_sr/liver_ct3slice/liver_seg.dcm");
    let empty = mj_tests::folder();
    let without = other.command(&["import", seg.to_str().unwrap()]).env("MINGJING_BIN_DIR", empty.path()).output().unwrap();
    if without.status.code() == Some(3) {
        assert!(String::from_utf8_lossy(&without.stderr).contains("worker."), "{without:?}");
        let receipt = other.json(&["import", seg.to_str().unwrap()]);
        assert_eq!(findings(&receipt).len(), 1, "{receipt}");
    }
}

/// A report that a device sends anew with other numbers: what nobody has decided on follows, what somebody has is told.
#[test]
fn a_corrected_result_is_not_dropped() {
    let ground = Ground::new();
    let station = &ground.station;
    let first = ground.finding(15.0, Side::Left);
    let made = findings(&station.json(&["import", ground.report("first.dcm", &first, None).to_str().unwrap()]))[0].clone();
    let with = |value: f64| {
        let mut other = first.clone();
        other.measurements[0].quantity.value = value;
        other
    };
    let receipt = station.json(&["import", ground.report("second.dcm", &with(7.5), None).to_str().unwrap()]);
    let followed = &findings(&receipt)[0];
    assert_eq!((&followed["id"], &followed["revision"], &followed["measurements"][0]["value"]), (&made["id"], &json!(2), &json!(7.5)));
    station.json(&["finding", "accept", &string(&made, "id")]);
    let third = ground.report("third.dcm", &with(9.5), None);
    let told = station.run(&["import", third.to_str().unwrap()]).json(3);
    assert_eq!(told["results"][0]["contradicts"], json!([made["id"]]));
    let kept = station.json(&["finding", "show", &string(&made, "id")]);
    assert_eq!((&kept["state"], &kept["measurements"][0]["value"]), (&json!("accepted"), &json!(7.5)));
}

/// Two programs that take the same object at the same time make one finding of each of its items.
#[test]
fn taken_by_two_at_once_a_result_is_one() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let station = Station::new();
    station.json(&["import", data.join("seg_sr/liver_ct3slice/ct").to_str().unwrap()]);
    let file = data.join("seg_sr/liver_ct3slice/liver_seg.dcm");
    let made: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| findings(&import(&station, &file).json(0)).len())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!(made, 1);
    let study = station.json(&["list"])[0]["study_uid"].as_str().unwrap().to_owned();
    assert_eq!(station.json(&["finding", "list", &study]).as_array().unwrap().len(), 1);
}

/// A presentation state with a graphic of every kind and texts on the middle image of a folder, made by highdicom; gives the
/// image, the places of the corners in the patient by the image's own header, and the objects' paths: as it is, and under
/// another patient.
const STATE: &str = r#"
import copy, json, os, sys, numpy, pydicom, highdicom as hd
folder, out = sys.argv[1], sys.argv[2]
names = sorted(n for n in os.listdir(folder) if n.endswith(".dcm"))
d = pydicom.dcmread(os.path.join(folder, names[len(names) // 2]))
layer = hd.pr.GraphicLayer("MARKS", 1)
def graphic(kind, data):
    return hd.pr.GraphicObject(kind, numpy.array(data, float), "PIXEL")
square = [[20, 20], [40, 20], [40, 36], [20, 36], [20, 20]]
objects = [graphic("POLYLINE", square), graphic("POLYLINE", [[10, 12], [30, 14]]), graphic("CIRCLE", [[30, 30], [36, 30]]),
           graphic("ELLIPSE", [[20, 40], [40, 40], [30, 36], [30, 44]]), graphic("POINT", [[12, 50]])]
texts = [hd.pr.TextObject("see prior", "PIXEL", anchor_point=(44.0, 20.0)),
         hd.pr.TextObject("on the screen", "DISPLAY", bounding_box=(0.1, 0.1, 0.3, 0.2))]
marks = hd.pr.GraphicAnnotation([d], layer, graphic_objects=objects, text_objects=texts)
state = hd.pr.GrayscaleSoftcopyPresentationState([d], hd.UID(), 77, hd.UID(), 1, "Other", "Reader", "1", "1", "REMARKS",
    graphic_annotations=[marks], graphic_layers=[layer], content_creator_name="Reader^Anna")
paths = [os.path.join(out, name) for name in ("state.dcm", "other.dcm")]
state.save_as(paths[0])
other = copy.deepcopy(state)
other.PatientID = "SOMEBODY"
other.StudyInstanceUID = hd.UID()
other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = hd.UID()
other.SeriesInstanceUID = hd.UID()
other.save_as(paths[1])
o = numpy.array(d.ImageOrientationPatient, float); p = numpy.array(d.ImagePositionPatient, float)
dr, dc = (float(v) for v in d.PixelSpacing)
# Column and row from the corner of the first pixel. Source: PS3.3 C.10.5, C.7.6.2.1.1.
places = [[float(v) for v in p + o[:3] * dc * (c - 0.5) + o[3:] * dr * (r - 0.5)] for c, r in square[:4]]
print(json.dumps({"image": str(d.SOPInstanceUID), "places": places, "paths": paths}))
"#;

#[test]
fn what_is_drawn_in_a_presentation_state_becomes_annotations() {
    let station = Station::new();
    let folder = station.phantom(64, 16);
    station.import(&folder.join("current"));
    let out = station.dir().join("states");
    std::fs::create_dir(&out).unwrap();
    let Some(made) = checkers::python_json(STATE, &[&folder.join("current"), &out]) else { return };
    let path = |n: usize| PathBuf::from(made["paths"][n].as_str().unwrap());
    let receipt = station.json(&["import", path(0).to_str().unwrap()]);
    let all = findings(&receipt);
    assert_eq!(all.len(), 6, "{receipt}");
    assert_eq!(receipt["results"][0]["left_out"], json!(["TEXT (DISPLAY)"]), "what lies on the screen is told");
    for finding in &all {
        assert_eq!(
            (&finding["state"], &finding["held"], &finding["kind"]["code"]),
            (&json!("proposed"), &Value::Null, &json!("annotation"))
        );
        assert_eq!((&finding["images"][0]["instance"], &finding["measurements"]), (&made["image"], &json!([])));
        assert_eq!((&finding["proposed_by"]["who"], &finding["proposed_by"]["name"]), (&json!("person"), &json!("Reader^Anna")));
    }
    let shapes: Vec<&str> = all.iter().map(|f| f["geometry"]["type"].as_str().unwrap()).collect();
    assert_eq!(shapes, ["contours", "polyline", "ellipse", "ellipse", "point", "point"]);
    assert_eq!(all[5]["label"], "see prior");
    // Each corner lies where the image's own header says.
    let corner = |value: &Value| -> PointLps { serde_json::from_value(value.clone()).unwrap() };
    let drawn = all[0]["geometry"]["contours"][0].as_array().unwrap();
    for (found, wanted) in drawn.iter().zip(made["places"].as_array().unwrap()) {
        let wanted: [f64; 3] = serde_json::from_value(wanted.clone()).unwrap();
        assert!(corner(found).distance_mm(PointLps::from(wanted)) < 1e-3, "{found} is not at {wanted:?}");
    }
    // Once is enough, and nobody exports what nobody took over.
    let again = import(&station, &path(0)).json(0);
    assert_eq!((findings(&again).len(), &again["results"][0]["already_present"]), (0, &json!(6)));
    let study = string(&all[0], "study");
    let export = |form: &str| station.run(&["finding", "export", &study, "--as", form, "--out", out.join(form).to_str().unwrap()]);
    assert_ne!(export("gsps").code, 0);
    // Accepted, an arrow or a text leaves again; an outline is named, since ours are arrows and texts.
    for at in [0, 5] {
        station.json(&["finding", "accept", all[at]["id"].as_str().unwrap()]);
    }
    let receipt = export("gsps").json(3);
    assert_eq!(receipt["left_out"][0]["code"], "export.no_shape", "{receipt}");
    assert_eq!(receipt["written"].as_array().unwrap().len(), 1);
    // Another patient's marks are kept aside.
    let other = station.run(&["import", path(1).to_str().unwrap()]).json(3);
    assert!(findings(&other).iter().all(|f| f["held"] == "other_patient") && !findings(&other).is_empty(), "{other}");
}
