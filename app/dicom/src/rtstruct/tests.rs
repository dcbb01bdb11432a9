use super::*;
use crate::dataset::Dataset;
use crate::outside;
use crate::plane::tests::oblique;
use mj_model::{Geometry, Grid, PointLps, Shape, StudyUid};
use mj_testdata::Random;
use serde_json::{Value, json};
use std::process::Command;

fn dataset(relative: &str) -> Option<Dataset> {
    Some(Dataset::from_vec(std::fs::read(mj_testdata::path(relative)?).unwrap()).unwrap())
}

fn context() -> Option<Context> {
    Some(Context::of(&dataset("seg_sr/liver_ct3slice/ct/01.dcm")?).unwrap())
}

fn device() -> Device {
    Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() }
}

fn frame() -> FrameOfReferenceUid {
    FrameOfReferenceUid::parse("2.25.77").unwrap()
}

fn input<'a>(context: &'a Context, device: &'a Device, images: &'a [Plane], rois: &'a [RoiInput<'a>]) -> RtInput<'a> {
    RtInput {
        context,
        instance: InstanceUid::parse("2.25.71").unwrap(),
        series: SeriesUid::parse("2.25.72").unwrap(),
        series_number: 986,
        label: "所见轮廓",
        title: "轮廓 outlines",
        creator: "Reader",
        frame_of_reference: frame(),
        image_series: SeriesUid::parse("2.25.900").unwrap(),
        images,
        rois,
        at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
        device,
    }
}

fn finding(geometry: Geometry) -> Finding {
    let (study, series) = (StudyUid::parse("2.25.1").unwrap(), SeriesUid::parse("2.25.900").unwrap());
    Finding { frame_of_reference: Some(frame()), ..Finding::new("f".into(), study, series, geometry, "p1") }
}

fn roi<'a>(finding: &'a Finding, name: &'a str) -> RoiInput<'a> {
    RoiInput { finding, name, colour: [200, 80, 60], interpreted_type: "" }
}

/// A shape of a kind on the plane of slice `k`, a little off it.
fn shape(random: &mut Random, grid: &Grid, kind: usize) -> Shape<PointLps> {
    let k = random.below(5) as f64 + random.between(-0.4, 0.4);
    let mut any = || grid.lps_from_voxel([random.between(0.0, 99.0), random.between(0.0, 79.0), k]);
    match kind {
        0 => Shape::Point { at: any() },
        1 => Shape::Line { a: any(), b: any() },
        2 => Shape::Bidirectional { long: [any(), any()], short: [any(), any()] },
        3 => Shape::Angle { arms: [any(), any(), any()] },
        4 => Shape::Polyline { points: (0..20).map(|_| any()).collect() },
        5 => {
            let at = |i: f64, j: f64| grid.lps_from_voxel([i, j, k]);
            Shape::Ellipse { long: [at(20.0, 40.0), at(80.0, 40.0)], short: [at(50.0, 30.0), at(50.0, 50.0)] }
        }
        6 => Shape::Contours { contours: (0..3).map(|_| (0..10).map(|_| any()).collect()).collect() },
        _ => Shape::Spline { control: (0..6).map(|_| any()).collect() },
    }
}

/// What the set should hold, in words of the standard, from the shape itself.
fn wanted(shape: &Shape<PointLps>) -> Value {
    let kind = |is_closed| match (shape, is_closed) {
        (Shape::Point { .. }, _) => "POINT",
        (_, true) => "CLOSED_PLANAR",
        (_, false) => "OPEN_PLANAR",
    };
    let contour = |(places, is_closed): (Vec<PointLps>, bool)| {
        let data: Vec<f64> = places.iter().flat_map(|p| <[f64; 3]>::from(*p)).collect();
        json!([kind(is_closed), places.len(), data])
    };
    shape.outline().into_iter().map(contour).collect()
}

const PYDICOM: &str = r#"
import json, sys, pydicom
def read(path):
    d = pydicom.dcmread(path)
    images = {c.ReferencedSOPInstanceUID for f in d.ReferencedFrameOfReferenceSequence for s in f.RTReferencedStudySequence for r in s.RTReferencedSeriesSequence for c in r.ContourImageSequence}
    assert all(i.ReferencedSOPInstanceUID in images for r in d.ROIContourSequence for c in r.ContourSequence for i in c.get("ContourImageSequence", []))
    names = {r.ROINumber: r.ROIName for r in d.StructureSetROISequence}
    types = {r.ReferencedROINumber: r.RTROIInterpretedType for r in d.RTROIObservationsSequence}
    out = []
    for r in d.ROIContourSequence:
        contours = [[c.ContourGeometricType, int(c.NumberOfContourPoints), [float(v) for v in c.ContourData]] for c in r.ContourSequence]
        n_images = sum(len(c.get("ContourImageSequence", [])) for c in r.ContourSequence)
        out.append([int(r.ReferencedROINumber), names[r.ReferencedROINumber], list(map(int, r.ROIDisplayColor)), types[r.ReferencedROINumber], n_images, contours])
    return out
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

fn is_near(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_near(a, b)),
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-6 * a.abs()
        }
        _ => a == b,
    }
}

/// A small object, to be damaged.
#[cfg(feature = "pixels")]
pub(crate) fn sample() -> Option<Vec<u8>> {
    let (context, device, (grid, planes)) = (context()?, device(), oblique());
    let findings: Vec<Finding> = (0..8).map(|kind| finding(Geometry::InSpace(shape(&mut Random::new(1), &grid, kind)))).collect();
    let rois: Vec<RoiInput<'_>> = findings.iter().map(|f| roi(f, "sample")).collect();
    Some(write(&input(&context, &device, &planes, &rois)).unwrap().written.bytes)
}

#[test]
fn random_outlines_are_the_same_for_us_and_for_pydicom() {
    let Some(context) = context() else { return };
    let (device, (grid, planes)) = (device(), oblique());
    let folder = tempfile::tempdir().unwrap();
    let mut all_wanted = Vec::new();
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let shapes: Vec<Shape<PointLps>> = (0..1 + random.below(5)).map(|n| shape(&mut random, &grid, (seed as usize + n) % 8)).collect();
        let findings: Vec<Finding> = shapes.iter().map(|shape| finding(Geometry::InSpace(shape.clone()))).collect();
        let names: Vec<String> = (0..shapes.len()).map(|n| format!("结节 {n} nodule")).collect();
        let rois: Vec<RoiInput<'_>> = findings
            .iter()
            .zip(&names)
            .map(|(finding, name)| RoiInput {
                colour: [random.below(256) as u8, random.below(256) as u8, random.below(256) as u8],
                interpreted_type: ["", "GTV", "ORGAN", "MARKER"][random.below(4)],
                ..roi(finding, name)
            })
            .collect();
        let input = input(&context, &device, &planes, &rois);
        let done = write(&input).unwrap();
        assert!(done.left_out.is_empty(), "{seed}: {:?}", done.left_out);
        assert_as_written(&done.written.bytes, &input).unwrap_or_else(|error| panic!("{seed}: {error}"));
        if seed % 20 == 0 {
            outside::dciodvfy(&done.written.bytes, &format!("rtstruct-{seed}"));
        }
        std::fs::write(folder.path().join(format!("{seed}.dcm")), &done.written.bytes).unwrap();
        let told = shapes.iter().zip(&rois).enumerate().map(|(n, (shape, roi))| {
            let contours = wanted(shape);
            let n_images = contours.as_array().unwrap().len();
            json!([n + 1, roi.name, roi.colour, roi.interpreted_type, n_images, contours])
        });
        all_wanted.push(told.collect::<Value>());
    }
    let Some(python) = outside::python() else { return };
    let files = (0..100).map(|seed| folder.path().join(format!("{seed}.dcm")));
    let output = Command::new(python).args(["-c", PYDICOM]).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told.len(), 100);
    for (seed, (told, wanted)) in told.iter().zip(&all_wanted).enumerate() {
        assert!(is_near(wanted, told), "{seed}:\n{wanted}\n{told}");
    }
}

#[test]
fn regions_without_an_outline_are_left_out_and_those_of_others_told_apart() {
    let Some(context) = context() else { return };
    let (device, (grid, planes)) = (device(), oblique());
    let at = |i: f64, j: f64, k: f64| grid.lps_from_voxel([i, j, k]);
    let ring = |k: f64| vec![at(1.0, 1.0, 1.0), at(9.0, 1.0, 1.0), at(9.0, 9.0, k), at(1.0, 9.0, 1.0)];
    let in_space = |shape| finding(Geometry::InSpace(shape));
    let contours = |ring| in_space(Shape::Contours { contours: vec![ring] });
    let mut gone = contours(ring(1.0));
    gone.state = FindingState::Deleted;
    let findings = [
        contours(ring(1.0)),
        gone,
        contours(ring(1.5)),
        finding(Geometry::OnImage(Shape::Point { at: [1.0, 1.0] })),
        finding(Geometry::whole_image()),
        Finding { frame_of_reference: None, ..contours(ring(1.0)) },
        in_space(Shape::Point { at: PointLps::new(0.0, f64::INFINITY, 0.0) }),
        in_space(Shape::Polyline { points: ring(1.5) }),
        in_space(Shape::Point { at: at(0.0, 0.0, 20.0) }),
    ];
    let rois: Vec<RoiInput<'_>> = findings.iter().map(|f| roi(f, "x")).collect();
    let done = write(&input(&context, &device, &planes, &rois)).unwrap();
    use Reason::{NoPlace, NoShape, NotFlat, NotWhole, OtherFrame};
    let why: Vec<(usize, Reason)> = done.left_out.iter().map(|l| (l.roi, l.why)).collect();
    assert_eq!(why, [(2, NotFlat), (3, NoPlace), (4, NoShape), (5, OtherFrame), (6, NotWhole)]);
    assert_as_written(&done.written.bytes, &input(&context, &device, &planes, &rois)).unwrap();
    let back = read(&Dataset::read(&done.written.bytes).unwrap()).unwrap();
    let kinds: Vec<(i64, &ContourKind, usize)> =
        back.rois.iter().map(|r| (r.number, &r.contours[0].kind, r.contours[0].images.len())).collect();
    // The line leaves its plane by more than half a slice at one place; the last place lies off all images.
    assert_eq!(kinds, [(1, &ContourKind::ClosedPlanar, 1), (8, &ContourKind::OpenNonplanar, 1), (9, &ContourKind::Point, 0)]);
    assert_eq!(back.rois[0].contours[0].images, [planes[1].image.clone()]);
    assert_eq!(back.rois[0].algorithm, "MANUAL");
    let differs = |rois: &[RoiInput<'_>]| assert_as_written(&done.written.bytes, &input(&context, &device, &planes, rois)).unwrap_err();
    let changed = |change: &dyn Fn(&mut RoiInput<'_>)| {
        let mut rois = rois.clone();
        change(&mut rois[0]);
        differs(&rois)
    };
    let moved = contours(ring(1.0).into_iter().map(|p| PointLps::new(p.x + 0.001, p.y, p.z)).collect());
    assert_eq!(changed(&|r| r.name = "y"), Error::NotAsWritten { what: "regions" });
    assert_eq!(changed(&|r| r.colour = [0; 3]), Error::NotAsWritten { what: "colours" });
    assert_eq!(changed(&|r| r.interpreted_type = "GTV"), Error::NotAsWritten { what: "types" });
    let mut other = rois.clone();
    other[0].finding = &moved;
    assert_eq!(differs(&other), Error::NotAsWritten { what: "contours" });
    assert!(matches!(write(&input(&context, &device, &planes, &rois[3..4])), Err(Error::CannotWrite { .. })));
    let long = "x".repeat(65);
    assert!(matches!(write(&input(&context, &device, &planes, &[roi(&findings[0], &long)])), Err(Error::CannotWrite { .. })));
}

/// Thousands of contours of thousands of places are read and written without work that grows with their square.
#[test]
fn large_sets_take_their_time_by_size_only() {
    let Some(context) = context() else { return };
    let (device, (grid, planes)) = (device(), oblique());
    let circle = |k: f64, n: usize| -> Vec<PointLps> {
        let turn = |m: usize| (m as f64 / n as f64 * std::f64::consts::TAU).sin_cos();
        (0..n).map(|m| grid.lps_from_voxel([50.0 + 30.0 * turn(m).1, 40.0 + 30.0 * turn(m).0, k])).collect()
    };
    let contours = (0..1000).map(|n| circle(f64::from(n % 5), 100)).chain([circle(2.0, 20_000)]).collect();
    let one = finding(Geometry::InSpace(Shape::Contours { contours }));
    let rois = [roi(&one, "large")];
    let input = input(&context, &device, &planes, &rois);
    let done = write(&input).unwrap();
    assert_as_written(&done.written.bytes, &input).unwrap();
    let dataset = Dataset::read(&done.written.bytes).unwrap();
    assert_eq!(dataset.transfer_syntax(), crate::syntax::IMPLICIT_LE, "a contour of 20000 places has a long length");
    outside::dciodvfy(&done.written.bytes, "rtstruct-large");
}

#[test]
fn sets_of_others_are_read() {
    let Some(fits) = dataset("rt/phantom_rtstruct/rt.dcm") else { return };
    let set = read(&fits).unwrap();
    let [one] = set.rois.as_slice() else { panic!("{:?}", set.rois) };
    assert_eq!((one.number, one.name.as_str(), one.colour, one.algorithm.as_str()), (1, "ROI-1", Some([162, 136, 95]), "MANUAL"));
    let lengths: Vec<usize> = one.contours.iter().map(|c| c.places.len()).collect();
    assert_eq!(lengths, [4, 8]);
    assert!(one.contours.iter().all(|c| c.kind == ContourKind::ClosedPlanar && c.images.len() == 1));
    assert_eq!(one.contours[0].places[0], PointLps::new(-51.0, -51.0, 60.0));
    // It fits its slices: each contour lies on the image it refers to.
    let slices = ["ct_1.dcm", "ct_2.dcm"].map(|name| Plane::of(&dataset(&format!("rt/phantom_rtstruct/{name}")).unwrap()).unwrap());
    for contour in &one.contours {
        assert_eq!(crate::plane::nearest(&slices, &contour.places).unwrap().image, contour.images[0]);
    }
    assert!(slices.iter().all(|slice| set.series[0].images.contains(&slice.image)));

    for (file, n_series) in [("invalid_reference_rt.dcm", 1), ("non_existent_reference_rt.dcm", 0)] {
        let set = read(&dataset(&format!("rt/phantom_rtstruct/{file}")).unwrap()).unwrap();
        let names: Vec<&str> = set.rois.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["ROI-1", "ROI-2", "ROI-3", "ROI-4"], "{file}");
        assert!(set.rois.iter().all(|r| r.contours.len() == 3), "{file}");
        assert_eq!((set.series.len(), set.frames_of_reference.len()), (n_series, 1), "{file}");
        let is_there = |image: &&ImageRef| slices.iter().any(|slice| slice.image == **image);
        let absent: Vec<usize> = set.series.iter().map(|s| s.images.len() - s.images.iter().filter(is_there).count()).collect();
        assert!(absent.iter().all(|n| *n == 3), "{file} names three images that are not there: {absent:?}");
        assert_eq!((set.rois[0].contours[0].places.len(), set.rois[3].contours[0].places.len()), (55, 355), "{file}");
    }

    let bare = read(&dataset("rt/rtstruct.dcm").unwrap()).unwrap();
    let told: Vec<(&str, &str, usize)> =
        bare.rois.iter().map(|r| (r.name.as_str(), r.interpreted_type.as_str(), r.contours.len())).collect();
    assert_eq!(told, [("patient", "EXTERNAL", 3), ("Isocenter 1", "ISOCENTER", 1), ("Isocenter 2", "ISOCENTER", 1)]);
    assert_eq!((bare.label.as_str(), &bare.rois[1].contours[0].kind), ("sep30", &ContourKind::Point));
    let plan = dataset("rt/rtplan.dcm").unwrap();
    assert_eq!(read(&plan), Err(Error::WrongKind { wanted: "structure set" }));
}

#[test]
fn contours_that_are_none_are_refused() {
    let set = |data: &[u8], points: &str| {
        let mut contour = Object::new();
        contour.bytes(tags::CONTOUR_DATA, VR::DS, data.to_vec()).text(tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, points);
        let mut contours = Object::new();
        contours.item(tags::CONTOUR_SEQUENCE, contour).integer(tags::REFERENCED_ROI_NUMBER, 7);
        let mut object = Object::new();
        object.text(tags::MODALITY, VR::CS, "RTSTRUCT").item(tags::ROI_CONTOUR_SEQUENCE, contours);
        read(&Dataset::read(&object.into_file(RT_STRUCTURE_SET, "1.2.3").unwrap()).unwrap())
    };
    // Contours of a region that is not listed are not lost.
    let orphan = set(br"1\2\3", "1").unwrap();
    assert_eq!((orphan.rois[0].number, orphan.rois[0].contours[0].places.as_slice()), (7, &[PointLps::new(1.0, 2.0, 3.0)][..]));
    assert!(set(b"", "0").is_ok() && set(br"1\2\3", "").is_ok());
    let bad = Err(Error::BadValue { keyword: "ContourData" });
    for (data, points) in [
        (&br"1\2\NaN"[..], "1"),
        (br"1\2\inf", "1"),
        (br"1\2", ""),
        (br"1\2\3\4", ""),
        (br"1\2\3", "2"),
        (br"1\2\3", "x"),
        (br"1\2\3", "-1"),
        (br"1\x\3\4", ""),
        (br"1\\2\3", "1"),
    ] {
        assert_eq!(set(data, points), bad, "{} {points}", String::from_utf8_lossy(data));
    }
}
