use super::*;
use crate::dataset::Dataset;
use crate::outside;
use crate::plane::tests::oblique;
use mj_model::geometry::Pixel;
use mj_model::{Geometry, Grid, Measurement, PointLps, StudyUid};
use mj_testdata::Random;
use serde_json::Value;
use std::process::Command;

fn context() -> Option<Context> {
    let path = mj_testdata::path("seg_sr/liver_ct3slice/ct/01.dcm")?;
    Some(Context::of(&Dataset::from_vec(std::fs::read(path).unwrap()).unwrap()).unwrap())
}

fn device() -> Device {
    Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() }
}

fn image_series() -> SeriesUid {
    SeriesUid::parse("2.25.900").unwrap()
}

fn frame() -> FrameOfReferenceUid {
    FrameOfReferenceUid::parse("2.25.77").unwrap()
}

fn input<'a>(
    context: &'a Context,
    device: &'a Device,
    images: &'a [Plane],
    findings: &'a [&'a Finding],
    annotations: &'a [Annotation],
) -> GspsInput<'a> {
    GspsInput {
        context,
        instance: InstanceUid::parse("2.25.51").unwrap(),
        series: SeriesUid::parse("2.25.52").unwrap(),
        series_number: 980,
        title: "所见标注 findings",
        creator: "Reader",
        image_series: image_series(),
        frame_of_reference: Some(frame()),
        images,
        findings,
        annotations,
        look: None,
        is_inverted: false,
        at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
        device,
    }
}

fn finding(geometry: Geometry) -> Finding {
    let measurements = geometry.sizes().into_iter().map(|q| Measurement::new("m".into(), q)).collect();
    let frame_of_reference = matches!(geometry, Geometry::InSpace(_)).then(frame);
    Finding {
        measurements,
        frame_of_reference,
        ..Finding::new("f".into(), StudyUid::parse("2.25.1").unwrap(), image_series(), geometry, "p1")
    }
}

/// A shape of a kind on pixels, within an image of 100 by 80.
fn shape(random: &mut Random, kind: usize) -> Shape<Pixel> {
    let mut any = || [random.between(0.0, 99.0), random.between(0.0, 79.0)];
    match kind {
        0 => Shape::Point { at: any() },
        1 => Shape::Line { a: any(), b: any() },
        2 => Shape::Bidirectional { long: [any(), any()], short: [any(), any()] },
        3 => Shape::Angle { arms: [any(), any(), any()] },
        4 => Shape::Cobb { first: [any(), any()], second: [any(), any()] },
        5 => Shape::Polyline { points: (0..20).map(|_| any()).collect() },
        6 => Shape::Ellipse { long: [[20.0, any()[1]], [80.0, 40.0]], short: [[50.0, 30.0], [50.0, 50.0]] },
        7 => Shape::Contours { contours: vec![(0..30).map(|_| any()).collect(), (0..5).map(|_| any()).collect()] },
        _ => Shape::Spline { control: vec![[20.0, 20.0], [70.0, 22.0], [68.0, 60.0], [any()[0].clamp(20.0, 60.0), 55.0]] },
    }
}

/// A finding of a shape on image `k`, in space (a little off the plane) or on the image.
fn placed(random: &mut Random, grid: &Grid, planes: &[Plane], shape: &Shape<Pixel>, k: usize) -> Finding {
    if random.chance(0.3) {
        return Finding { images: vec![planes[k].image.clone()], ..finding(Geometry::OnImage(shape.clone())) };
    }
    let off = random.between(-0.4, 0.4);
    finding(Geometry::InSpace(shape.map(|[i, j]| grid.lps_from_voxel([i, j, k as f64 + off]))))
}

/// Type and numbers of the graphic objects that a shape is to become, in the convention of the standard.
fn wanted(shape: &Shape<Pixel>) -> Vec<(String, Vec<f64>)> {
    let numbers = |places: &[Pixel]| places.iter().flat_map(|[column, row]| [column + 0.5, row + 0.5]).collect::<Vec<f64>>();
    match shape {
        Shape::Point { at } => vec![("POINT".into(), numbers(&[*at]))],
        Shape::Ellipse { long: [a, b], short: [c, d] } => vec![("ELLIPSE".into(), numbers(&[*a, *b, *c, *d]))],
        _ => {
            let closed = |(mut places, is_closed): (Vec<Pixel>, bool)| {
                places.extend(places.first().copied().filter(|_| is_closed));
                ("POLYLINE".to_owned(), numbers(&places))
            };
            shape.outline().into_iter().map(closed).collect()
        }
    }
}

const PYDICOM: &str = r#"
import json, sys, pydicom
def read(path):
    d = pydicom.dcmread(path)
    out = []
    for item in d.get("GraphicAnnotationSequence", []):
        image, = item.ReferencedImageSequence
        for g in item.get("GraphicObjectSequence", []):
            assert g.GraphicAnnotationUnits == "PIXEL" and g.NumberOfGraphicPoints * 2 == len(g.GraphicData)
            out.append([image.ReferencedSOPInstanceUID, item.GraphicLayer, g.GraphicType, list(g.GraphicData), g.get("GraphicFilled", "")])
        for t in item.get("TextObjectSequence", []):
            out.append([image.ReferencedSOPInstanceUID, item.GraphicLayer, "TEXT", list(t.AnchorPoint), t.UnformattedTextValue])
    return out
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

/// What a Python script says of files.
fn python(script: &str, files: &[Vec<u8>]) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(n, bytes)| {
            let path = folder.path().join(format!("{n}.dcm"));
            std::fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let output = Command::new(outside::python()?).args(["-c", script]).args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A small object, to be damaged.
#[cfg(feature = "pixels")]
pub(crate) fn sample() -> Option<Vec<u8>> {
    let (context, device, (grid, planes)) = (context()?, device(), oblique());
    let mut random = Random::new(1);
    let findings: Vec<Finding> = (0..9)
        .map(|kind| {
            let shape = shape(&mut random, kind);
            placed(&mut random, &grid, &planes, &shape, kind % 5)
        })
        .collect();
    let findings: Vec<&Finding> = findings.iter().collect();
    Some(write(&input(&context, &device, &planes, &findings, &[])).unwrap().written.bytes)
}

#[test]
fn random_findings_are_drawn_where_they_are_for_us_and_for_pydicom() {
    let Some(context) = context() else { return };
    let (device, (grid, planes)) = (device(), oblique());
    let (mut files, mut all_wanted) = (Vec::new(), Vec::new());
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let drawn: Vec<(usize, Shape<Pixel>)> =
            (0..1 + random.below(6)).map(|n| (random.below(5), shape(&mut random, (seed as usize + n) % 9))).collect();
        let findings: Vec<Finding> = drawn.iter().map(|(k, shape)| placed(&mut random, &grid, &planes, shape, *k)).collect();
        let findings: Vec<&Finding> = findings.iter().collect();
        let input = input(&context, &device, &planes, &findings, &[]);
        let done = write(&input).unwrap();
        assert!(done.left_out.is_empty(), "{seed}: {:?}", done.left_out);
        assert_as_written(&done.written.bytes, &input).unwrap_or_else(|error| panic!("{seed}: {error}"));
        files.push(done.written.bytes);
        all_wanted.push(drawn);
    }
    outside::keep(&files[0], "gsps");
    for (n, bytes) in files.iter().enumerate().step_by(25) {
        outside::dciodvfy(bytes, &format!("gsps-{n}"));
    }
    let Some(told) = python(PYDICOM, &files) else { return };
    for (seed, (told, drawn)) in told.as_array().unwrap().iter().zip(&all_wanted).enumerate() {
        let told: Vec<&Value> = told.as_array().unwrap().iter().filter(|g| g[2] != "TEXT").collect();
        let mut left: Vec<(&str, String, Vec<f64>)> = Vec::new();
        for (k, shape) in drawn {
            left.extend(wanted(shape).into_iter().map(|(kind, data)| (planes[*k].image.instance.as_str(), kind, data)));
        }
        assert_eq!(told.len(), left.len(), "{seed}");
        for graphic in told {
            let data: Vec<f64> = graphic[3].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let is_it = |(image, kind, wanted): &(&str, String, Vec<f64>)| {
                graphic[0] == *image
                    && graphic[2] == **kind
                    && data.len() == wanted.len()
                    && data.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4)
            };
            let at = left.iter().position(is_it).unwrap_or_else(|| panic!("{seed}: {graphic} is drawn by no finding"));
            left.remove(at);
        }
    }
}

#[test]
fn marks_that_would_stand_elsewhere_are_left_out() {
    let Some(context) = context() else { return };
    let (device, (grid, planes)) = (device(), oblique());
    let line = |a: [f64; 3], b: [f64; 3]| {
        let [a, b] = [a, b].map(|ijk| grid.lps_from_voxel(ijk));
        finding(Geometry::InSpace(Shape::Line { a, b }))
    };
    let other = ImageRef { instance: InstanceUid::parse("2.25.5").unwrap(), ..planes[0].image.clone() };
    let mut gone = line([1.0, 1.0, 0.0], [9.0, 9.0, 0.0]);
    gone.state = mj_model::FindingState::Rejected;
    let findings = [
        gone,
        line([1.0, 1.0, 2.0], [9.0, 9.0, 2.0]),
        line([1.0, 1.0, 2.0], [9.0, 9.0, 2.7]),
        line([1.0, 1.0, 7.0], [9.0, 9.0, 7.0]),
        line([1.0, 1.0, 2.0], [100.0, 9.0, 2.0]),
        finding(Geometry::whole_image()),
        Finding { images: vec![other.clone()], ..finding(Geometry::OnImage(Shape::Point { at: [1.0, 1.0] })) },
        finding(Geometry::InSpace(Shape::Point { at: PointLps::new(f64::NAN, 0.0, 0.0) })),
        Finding { frame_of_reference: None, ..line([1.0, 1.0, 2.0], [9.0, 9.0, 2.0]) },
        Finding { frame_of_reference: FrameOfReferenceUid::parse("2.25.78").ok(), ..line([1.0, 1.0, 2.0], [9.0, 9.0, 2.0]) },
    ];
    let findings: Vec<&Finding> = findings.iter().collect();
    let image = planes[1].image.clone();
    let annotations = [
        Annotation { image: other, text: "x".into(), anchor: [1.0, 1.0], arrow: None },
        Annotation { image: image.clone(), text: " ".into(), anchor: [1.0, 1.0], arrow: None },
        Annotation { image: image.clone(), text: "字".repeat(1025), anchor: [1.0, 1.0], arrow: None },
        Annotation { image: image.clone(), text: String::new(), anchor: [0.0, 0.0], arrow: Some([[1.0, 1.0], [1.0, 90.0]]) },
        Annotation { image, text: "箭头\n第二行".into(), anchor: [5.0, 6.0], arrow: Some([[5.0, 6.0], [0.0, 0.0]]) },
    ];
    let input = input(&context, &device, &planes, &findings, &annotations);
    let done = write(&input).unwrap();
    let why: Vec<(Source, Reason)> = done.left_out.iter().map(|l| (l.source, l.why)).collect();
    use Reason::{BeyondTheBorder, NoShape, NotOfTheSeries, NotWhole, OffTheImages, OtherFrame, TooLong};
    assert_eq!(
        why,
        [
            (Source::Finding(2), OffTheImages),
            (Source::Finding(3), OffTheImages),
            (Source::Finding(4), BeyondTheBorder),
            (Source::Finding(5), NoShape),
            (Source::Finding(6), NotOfTheSeries),
            (Source::Finding(7), NotWhole),
            (Source::Finding(8), OtherFrame),
            (Source::Finding(9), OtherFrame),
            (Source::Annotation(0), NotOfTheSeries),
            (Source::Annotation(1), NotWhole),
            (Source::Annotation(2), TooLong),
            (Source::Annotation(3), BeyondTheBorder),
        ]
    );
    assert_as_written(&done.written.bytes, &input).unwrap();
    outside::dciodvfy(&done.written.bytes, "gsps-remarks");
    let back = read(&Dataset::read(&done.written.bytes).unwrap()).unwrap();
    assert_eq!(back.marks.len(), 2);
    let remark = &back.marks[0];
    assert_eq!((remark.layer.as_str(), remark.texts[0].text.as_str()), (REMARKS, "箭头\n第二行"));
    assert_eq!(remark.texts[0].anchor, Some(Spot::OnImage([5.0, 6.0])));
    assert!(
        matches!(&remark.graphics[0].place, Place::OnImage(Shape::Polyline { points }) if points.len() == 5 && points[1] == [0.0, 0.0])
    );
    let found = &back.marks[1];
    assert_eq!((found.layer.as_str(), found.graphics[0].tracking_uid.as_ref()), (FINDINGS, Some(&findings[1].tracking_uid)));
    assert!(found.texts[0].text.starts_with("1 ") && found.texts[0].text.ends_with("mm"), "{}", found.texts[0].text);
    let nothing = GspsInput { findings: &findings[3..4], annotations: &[], ..input };
    assert!(matches!(write(&nothing), Err(Error::CannotWrite { .. })));
}

#[test]
fn a_window_comes_with_its_map_and_frames_with_their_numbers() {
    let Some(context) = context() else { return };
    let (device, (_, mut planes)) = (device(), oblique());
    // Five frames of one object, the last of another size and without a place.
    for (frame, plane) in (1..).zip(&mut planes) {
        let sop_class = mj_model::SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2.1").unwrap();
        plane.image = ImageRef { instance: InstanceUid::parse("2.25.901").unwrap(), sop_class, frame: Some(frame) };
    }
    planes[4].grid = None;
    let window = Window { center: 40.0, width: 400.0, name: "软组织".into(), curve: Curve::Sigmoid };
    let look = Look { window, map: LinearMap { slope: 1.0 / 3.0, intercept: -1024.0 }, unit: Unit::hu() };
    let base = input(&context, &device, &planes, &[], &[]);
    let with_look = GspsInput { look: Some(look.clone()), is_inverted: true, ..base };
    let done = write(&with_look).unwrap();
    assert_as_written(&done.written.bytes, &with_look).unwrap();
    outside::dciodvfy(&done.written.bytes, "gsps-window");
    let back = read(&Dataset::read(&done.written.bytes).unwrap()).unwrap();
    assert_eq!(back.series[0].1.iter().map(|i| i.frame).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(Some));
    assert_eq!((back.areas.len(), back.areas[1].bottom_right, back.is_inverted), (2, [100, 80], true));
    assert_eq!(
        (back.windows[0].1.clone(), back.label.as_str(), back.description.as_str()),
        (look.window.clone(), FINDINGS, "所见标注 findings")
    );
    // A state that says something else is told apart.
    let other = GspsInput {
        look: Some(Look { map: LinearMap::default(), ..look.clone() }),
        is_inverted: true,
        ..input(&context, &device, &planes, &[], &[])
    };
    assert_eq!(assert_as_written(&done.written.bytes, &other), Err(Error::NotAsWritten { what: "window" }));
    let table = mj_model::LookupTable { first: 0, entries: vec![0, 1], white: 1 };
    let look = Look { window: Window::of_table(table, "").unwrap(), ..look };
    assert!(matches!(write(&GspsInput { look: Some(look), ..other }), Err(Error::CannotWrite { .. })));
}

/// Written by highdicom on real images, with every graphic type and both units.
const HIGHDICOM: &str = r#"
import sys, numpy as np, pydicom, highdicom as hd
from highdicom.pr import *
out, *paths = sys.argv[1:]
images = [pydicom.dcmread(p) for p in paths]
for image in images:
    image.SpecificCharacterSet = "ISO_IR 100"
layers = [GraphicLayer("TOP", 2, "upper"), GraphicLayer("LOW", 1)]
def graphic(kind, points, units="PIXEL", filled=False):
    return GraphicObject(graphic_type=kind, graphic_data=np.array(points), units=units, is_filled=filled, tracking_id="a", tracking_uid="2.25.7")
annotations = [
    GraphicAnnotation(images[:1], layers[0], graphic_objects=[
        graphic("POINT", [[10.5, 20.5]]), graphic("POLYLINE", [[1.0, 2.0], [3.0, 4.0]]),
        graphic("INTERPOLATED", [[1.0, 2.0], [3.0, 4.0], [5.0, 9.0], [1.0, 2.0]], filled=True),
        graphic("ELLIPSE", [[0.5, 8.5], [20.5, 8.5], [10.5, 3.5], [10.5, 13.5]]), graphic("CIRCLE", [[10.5, 10.5], [13.5, 14.5]]),
        graphic("POLYLINE", [[0.25, 0.5], [0.75, 0.5]], units="DISPLAY")]),
    GraphicAnnotation(images, layers[1], text_objects=[
        TextObject("note", units="PIXEL", anchor_point=(100.5, 50.5)),
        TextObject("corner", units="DISPLAY", bounding_box=(0.1, 0.2, 0.3, 0.4))]),
]
state = GrayscaleSoftcopyPresentationState(referenced_images=images, series_instance_uid=hd.UID(), series_number=1, sop_instance_uid=hd.UID(), instance_number=1,
    manufacturer="m", manufacturer_model_name="n", software_versions="1", device_serial_number="1", content_label="NOTES",
    content_description="made outside", graphic_layers=layers, graphic_annotations=annotations,
    voi_lut_transformations=[SoftcopyVOILUTTransformation(window_center=40.0, window_width=350.0)])
state.save_as(out)
"#;

#[test]
fn a_state_of_others_is_read() {
    let Some(folder) = mj_testdata::path("seg_sr/liver_ct3slice/ct") else { return };
    let Some(python) = outside::python() else { return };
    let made = tempfile::tempdir().unwrap();
    let out = made.path().join("pr.dcm");
    let images = ["01.dcm", "02.dcm", "03.dcm"].map(|name| folder.join(name));
    let output = Command::new(python).args(["-c", HIGHDICOM]).arg(&out).args(&images).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let state = read(&Dataset::from_vec(std::fs::read(&out).unwrap()).unwrap()).unwrap();
    assert_eq!((state.label.as_str(), state.description.as_str()), ("NOTES", "made outside"));
    assert_eq!(state.layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["LOW", "TOP"]);
    assert_eq!((state.series.len(), state.series[0].1.len()), (1, 3));
    assert_eq!((state.areas[0].top_left, state.areas[0].bottom_right), ([1, 1], [512, 512]));
    assert_eq!((state.windows[0].1.center, state.windows[0].1.width), (40.0, 350.0));
    let [one, all] = state.marks.as_slice() else { panic!("{:?}", state.marks) };
    assert_eq!((one.images.len(), one.layer.as_str()), (1, "TOP"));
    let places: Vec<&Place> = one.graphics.iter().map(|g| &g.place).collect();
    let on = |shape: Shape<Pixel>| Place::OnImage(shape);
    let wanted = [
        on(Shape::Point { at: [10.0, 20.0] }),
        on(Shape::Line { a: [0.5, 1.5], b: [2.5, 3.5] }),
        on(Shape::Contours { contours: vec![vec![[0.5, 1.5], [2.5, 3.5], [4.5, 8.5]]] }),
        on(Shape::Ellipse { long: [[0.0, 8.0], [20.0, 8.0]], short: [[10.0, 3.0], [10.0, 13.0]] }),
        on(Shape::Ellipse { long: [[5.0, 10.0], [15.0, 10.0]], short: [[10.0, 5.0], [10.0, 15.0]] }),
        Place::Listed { units: "DISPLAY".into(), kind: "POLYLINE".into(), places: vec![[0.25, 0.5], [0.75, 0.5]] },
    ];
    assert_eq!(places, wanted.iter().collect::<Vec<_>>());
    assert_eq!(one.graphics.iter().map(|g| g.is_filled).collect::<Vec<_>>(), [false, false, true, false, false, false]);
    assert_eq!(one.graphics[0].tracking_uid.as_ref().unwrap().as_str(), "2.25.7");
    assert_eq!((all.texts[0].text.as_str(), all.texts[0].anchor.clone()), ("note", Some(Spot::OnImage([100.0, 50.0]))));
    assert!(matches!(&all.texts[1].bounds, Some([Spot::Listed { units, .. }, _]) if units == "DISPLAY"));
}

#[test]
fn places_that_are_none_are_refused() {
    let state = |change: &dyn Fn(&mut Object)| {
        let mut graphic = Object::new();
        graphic
            .text(tags::GRAPHIC_ANNOTATION_UNITS, VR::CS, "PIXEL")
            .u16s(tags::NUMBER_OF_GRAPHIC_POINTS, &[2])
            .f32s(tags::GRAPHIC_DATA, &[1.0, 2.0, 3.0, 4.0])
            .text(tags::GRAPHIC_TYPE, VR::CS, "POLYLINE");
        change(&mut graphic);
        let mut marks = Object::new();
        marks.item(tags::GRAPHIC_OBJECT_SEQUENCE, graphic);
        let mut object = Object::new();
        object.text(tags::MODALITY, VR::CS, "PR").text(tags::PRESENTATION_CREATION_DATE, VR::DA, "20260101");
        object.item(tags::GRAPHIC_ANNOTATION_SEQUENCE, marks);
        read(&Dataset::read(&object.into_file(GRAYSCALE_SOFTCOPY, "1.2.3").unwrap()).unwrap())
    };
    assert!(state(&|_| {}).is_ok());
    let bad = Err(Error::BadValue { keyword: "GraphicData" });
    assert_eq!(state(&|g| _ = g.f32s(tags::GRAPHIC_DATA, &[1.0, 2.0, 3.0, f32::NAN])), bad);
    assert_eq!(state(&|g| _ = g.f32s(tags::GRAPHIC_DATA, &[1.0, 2.0, 3.0])), bad);
    assert_eq!(state(&|g| _ = g.f32s(tags::GRAPHIC_DATA, &[1.0, 2.0])), bad);
    assert_eq!(state(&|g| _ = g.text(tags::GRAPHIC_TYPE, VR::CS, "ELLIPSE")), bad);
    assert_eq!(state(&|g| _ = g.u16s(tags::GRAPHIC_DIMENSIONS, &[3])), bad);
    let unknown = state(&|g| _ = g.text(tags::GRAPHIC_TYPE, VR::CS, "HEART")).unwrap();
    assert!(matches!(&unknown.marks[0].graphics[0].place, Place::Listed { kind, .. } if kind == "HEART"));
}
