//! Findings of every kind leave as objects that others read as they are: `highdicom`, PixelMed's validator, `dciodvfy`.

use mj_dicom::Dataset;
use mj_dicom::context::Device;
use mj_dicom::sr::{self, SrInput};
use mj_model::code::known;
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::geometry::Position;
use mj_model::{
    Code, Extent, Finding, FindingState, FrameOfReferenceUid, Geometry, InstanceUid, Lang, Measurement, PointLps, Quantity, SeriesUid,
    Shape, Side, SopClassUid, Unit, VectorLps, clock, uid::TrackingUid,
};
use mj_testdata::Random;
use mj_tests::checkers;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";

/// Where random findings lie: the images of a series.
struct Ground {
    context: Dataset,
    images: Vec<ImageRef>,
    series: SeriesUid,
    frame: FrameOfReferenceUid,
}

impl Ground {
    fn new() -> Self {
        let made = mj_tests::objects::ct(8, 16, "Shili^Yi=示例^一", "CN-0001");
        let context = Dataset::read(&made.objects[0].bytes).unwrap();
        let header = context.header().unwrap();
        let of =
            |o: &mj_tests::objects::Object| ImageRef { instance: o.instance.clone(), sop_class: header.sop_class.clone(), frame: None };
        let images = made.objects.iter().map(of).collect();
        Self { images, series: made.series, frame: FrameOfReferenceUid::fresh(), context }
    }
}

fn number(random: &mut Random) -> f64 {
    // From far below to far above what is measured, with all digits.
    let size = 10_f64.powf(random.between(-3.0, 5.0));
    if random.chance(0.1) { -size } else { size }
}

fn direction(random: &mut Random) -> VectorLps {
    loop {
        let v = VectorLps::new(random.between(-1.0, 1.0), random.between(-1.0, 1.0), random.between(-1.0, 1.0));
        if let Some(unit) = v.unit().filter(|_| v.length() > 0.1) {
            return unit;
        }
    }
}

/// A shape of a kind with its places on a plane, as `place` puts `[right, down]` of at most 100 on it.
fn shape<P: Position>(random: &mut Random, kind: usize, place: impl Fn([f64; 2]) -> P) -> Shape<P> {
    let mut any = || place([random.between(-90.0, 90.0), random.between(-90.0, 90.0)]);
    match kind {
        0 => Shape::Point { at: any() },
        1 => Shape::Line { a: any(), b: any() },
        2 => Shape::Bidirectional { long: [any(), any()], short: [any(), any()] },
        3 => Shape::Angle { arms: [any(), any(), any()] },
        4 => Shape::Cobb { first: [any(), any()], second: [any(), any()] },
        5 => Shape::Polyline {
            points: (0..2 + random.below(30)).map(|_| place([random.between(-90.0, 90.0), random.between(-90.0, 90.0)])).collect(),
        },
        6 => {
            let (turn, long, short) = (random.between(0.0, 6.0), random.between(20.0, 60.0), random.between(1.0, 20.0));
            let at = |r: f64, angle: f64| place([5.0 + r * angle.cos(), 5.0 + r * angle.sin()]);
            let half = std::f64::consts::FRAC_PI_2;
            Shape::Ellipse { long: [at(-long, turn), at(long, turn)], short: [at(-short, turn + half), at(short, turn + half)] }
        }
        7 => Shape::Spline { control: ring(random, &place, 3) },
        _ => {
            let n = if kind == 8 { 1 } else { 2 + random.below(4) };
            Shape::Contours { contours: (0..n).map(|_| ring(random, &place, 3)).collect() }
        }
    }
}

fn ring<P>(random: &mut Random, place: impl Fn([f64; 2]) -> P, least: usize) -> Vec<P> {
    let n = least + random.below(40);
    let radius = random.between(3.0, 60.0);
    let around = |i: usize| i as f64 / n as f64 * std::f64::consts::TAU;
    (0..n).map(|i| place([radius * around(i).cos() + random.between(-1.0, 1.0), radius * around(i).sin()])).collect()
}

const KINDS: usize = 13;

/// The geometry of a kind; the last three are no drawn shapes. Odd turns lie on an uncalibrated image.
fn geometry(random: &mut Random, kind: usize, is_on_image: bool) -> Geometry {
    let middle = PointLps::new(random.between(-300.0, 300.0), random.between(-300.0, 300.0), random.between(-900.0, 900.0));
    match kind {
        10 => Geometry::Extent(Extent::Sphere { centre: middle, radius_mm: random.between(0.5, 80.0) }),
        11 => Geometry::Extent(Extent::Segment {
            series: Some(SeriesUid::fresh()),
            instance: InstanceUid::fresh(),
            sop_class: SopClassUid::parse(SEGMENTATION).unwrap(),
            number: 1 + u16::try_from(random.below(200)).unwrap(),
            centre: None,
        }),
        12 => Geometry::whole_image(),
        _ if is_on_image => Geometry::OnImage(shape(random, kind.min(8), |[x, y]| [x + 120.0, y + 120.0])),
        _ => {
            let right = direction(random);
            let down = right.cross(direction(random)).unit().unwrap_or(VectorLps::new(0.0, 0.0, 1.0));
            Geometry::InSpace(shape(random, kind, |[x, y]| middle + right * x + down * y))
        }
    }
}

fn measurements(random: &mut Random, geometry: &Geometry) -> Vec<Measurement> {
    let mut all: Vec<Measurement> = geometry.sizes().into_iter().map(|q| Measurement::new(mj_model::uid::fresh(), q)).collect();
    if random.chance(0.5) {
        for derivation in [known::mean(), known::standard_deviation(), known::minimum(), known::maximum()] {
            let quantity = Quantity { what: known::attenuation(), value: number(random), unit: Unit::hu() };
            all.push(Measurement { derivation: Some(derivation), ..Measurement::new(mj_model::uid::fresh(), quantity) });
        }
    }
    if random.chance(0.3) {
        let quantity = Quantity { what: known::volume(), value: number(random).abs(), unit: Unit::ml() };
        let method = Some(Code::new("SCT", "702873001", "Calculation", "计算"));
        all.push(Measurement { method, ..Measurement::new(mj_model::uid::fresh(), quantity) });
    }
    all
}

fn finding(random: &mut Random, ground: &Ground, kind: usize, is_on_image: bool) -> Finding {
    let geometry = geometry(random, kind, is_on_image);
    let kinds = [
        Code::new("SCT", "27925004", "Nodule", "结节"),
        Code::new("SCT", "4147007", "Mass", "肿块"),
        Code::new("SCT", "60046008", "Pleural effusion", "胸腔积液"),
        known::unclassified_finding(),
    ];
    let sites = [
        None,
        Some(Code::new("SCT", "45653009", "Upper lobe of lung", "肺上叶")),
        Some(Code::new("SCT", "10200004", "Liver", "肝")),
        Some(Code::new("SCT", "64033007", "Kidney", "肾")),
    ];
    let device = Origin { who: OriginKind::Device, name: "Lung nodules 肺结节".into(), version: "3.1.4".into() };
    let proposed_by = random.chance(0.5).then_some(device);
    let is_proposed = proposed_by.is_some() && random.chance(0.3);
    let n_images = 1 + random.below(3);
    let first = random.below(ground.images.len() - 3);
    Finding {
        tracking_uid: TrackingUid::fresh(),
        frame_of_reference: (!is_on_image).then(|| ground.frame.clone()),
        images: if is_on_image { vec![ground.images[first].clone()] } else { ground.images[first..first + n_images].to_vec() },
        state: match (is_proposed, random.below(2)) {
            (true, _) => FindingState::Proposed,
            (_, 0) => FindingState::Accepted,
            _ => FindingState::Edited,
        },
        kind: random.pick(&kinds).clone(),
        site: random.pick(&sites).clone(),
        side: *random.pick(&[Side::Left, Side::Right, Side::Both, Side::None]),
        certainty_percent: random.chance(0.4).then(|| random.between(0.0, 100.0)),
        proposed_by,
        measurements: measurements(random, &geometry),
        ..Finding::new(mj_model::uid::fresh(), ground.context.header().unwrap().study.uid, ground.series.clone(), geometry, "p1")
    }
}

/// What `highdicom` reads of a report: for each group the facts that are compared.
const HIGHDICOM: &str = r#"
import json, sys, highdicom
from highdicom.sr import srread
names = {"SCOORD": "places", "SCOORD3D": "places"}
def graphics(item, out):
    for child in getattr(item, "ContentSequence", None) or []:
        if child.ValueType in names:
            out.append([child.GraphicType, [float(v) for v in child.GraphicData]])
        graphics(child, out)
    return out
def read(path):
    report = srread(path)
    content = report.content
    out = []
    for kind, groups in (("1410", content.get_planar_roi_measurement_groups()), ("1411", content.get_volumetric_roi_measurement_groups()), ("1501", content.get_image_measurement_groups())):
        for g in groups:
            sites = g.finding_sites
            segment = [] if kind == "1501" else [i for i in g[0].ContentSequence if i.ValueType == "IMAGE" and i.ConceptNameCodeSequence[0].CodeValue == "121191"]
            out.append({
                "template": kind, "uid": str(g.tracking_uid), "kind": g.finding_type.value, "site": sites[0].topography_code if False else (sites[0].value.value if sites else None),
                "side": sites[0].laterality.value if sites and sites[0].laterality else None,
                "numbers": [[m.name.value, float(m[0].MeasuredValueSequence[0].FloatingPointValue), float(m.value), m.unit.value, m.derivation.value if m.derivation else None, m.method.value if m.method else None] for m in g.get_measurements()],
                "graphics": graphics(g[0], []),
                "segment": [[str(i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID), int(i.ReferencedSOPSequence[0].ReferencedSegmentNumber)] for i in segment],
            })
    return out
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

/// The same facts, from the finding itself.
fn facts(finding: &Finding) -> Value {
    let side = match finding.side {
        Side::Left => Some("7771000"),
        Side::Right => Some("24028007"),
        Side::Both => Some("51440002"),
        Side::None => None,
    };
    let mut numbers: Vec<Value> = finding
        .measurements
        .iter()
        .map(|m| {
            let q = &m.quantity;
            json!([q.what.code, q.value, q.unit.0, m.derivation.as_ref().map(|c| &c.code), m.method.as_ref().map(|c| &c.code)])
        })
        .collect();
    numbers.extend(finding.certainty_percent.map(|percent| json!(["111012", percent, "%", null, null])));
    let segment = match &finding.geometry {
        Geometry::Extent(Extent::Segment { instance, number, .. }) => json!([[instance.as_str(), number]]),
        _ => json!([]),
    };
    json!({
        "uid": finding.tracking_uid.as_str(), "kind": finding.kind.code, "site": finding.site.as_ref().map(|c| &c.code),
        "side": if finding.site.is_some() { side } else { None }, "numbers": numbers, "segment": segment,
        "graphics": graphics(&finding.geometry),
    })
}

/// Graphic types and 32-bit coordinates, as PS3.3 §C.18.6 and §C.18.9 want them; worked out here on its own.
fn graphics(geometry: &Geometry) -> Vec<Value> {
    fn closed<P: Position>(shape: &Shape<P>, name: &str, flat: impl Fn(&[P]) -> Vec<f32>) -> Vec<Value> {
        let line = |points: &[P]| json!(["POLYLINE", flat(points)]);
        match shape {
            Shape::Point { at } => vec![json!(["POINT", flat(&[*at])])],
            Shape::Line { a, b } => vec![line(&[*a, *b])],
            Shape::Bidirectional { long, short } => vec![line(long), line(short)],
            Shape::Angle { arms } => vec![line(arms)],
            Shape::Cobb { first: [a, b], second: [c, d] } => vec![line(&[*a, *b, *c, *d])],
            Shape::Polyline { points } => vec![line(points)],
            Shape::Ellipse { long: [a, b], short: [c, d] } => vec![json!(["ELLIPSE", flat(&[*a, *b, *c, *d])])],
            Shape::Contours { contours } => contours.iter().map(|c| json!([name, flat(&[c.as_slice(), &c[..1]].concat())])).collect(),
            Shape::Spline { .. } => {
                let (points, _) = shape.outline().remove(0);
                vec![json!([name, flat(&[points.as_slice(), &points[..1]].concat())])]
            }
        }
    }
    match geometry {
        Geometry::InSpace(shape) => closed(shape, "POLYGON", |p| p.iter().flat_map(|p| [p.x as f32, p.y as f32, p.z as f32]).collect()),
        Geometry::OnImage(shape) => closed(shape, "POLYLINE", |p| p.iter().flatten().map(|v| (v + 0.5) as f32).collect()),
        Geometry::Extent(Extent::Sphere { centre: c, radius_mm: r }) => {
            let ends = [
                [c.x - r, c.y, c.z],
                [c.x + r, c.y, c.z],
                [c.x, c.y - r, c.z],
                [c.x, c.y + r, c.z],
                [c.x, c.y, c.z - r],
                [c.x, c.y, c.z + r],
            ];
            vec![json!(["ELLIPSOID", ends.as_flattened().iter().map(|v| *v as f32).collect::<Vec<f32>>()])]
        }
        Geometry::Extent(Extent::Segment { .. } | Extent::WholeImage) => Vec::new(),
    }
}

/// Takes what `highdicom` read apart: its numbers twice, as floats and as decimal strings.
fn assert_read(read: &Value, wanted: &Value) {
    let uid = &wanted["uid"];
    for fact in ["kind", "site", "side", "segment"] {
        assert_eq!(read[fact], wanted[fact], "{fact} of {uid}");
    }
    let (theirs, ours) = (read["numbers"].as_array().unwrap(), wanted["numbers"].as_array().unwrap());
    assert_eq!(theirs.len(), ours.len(), "numbers of {uid}: {theirs:?} {ours:?}");
    for (a, b) in theirs.iter().zip(ours) {
        assert_eq!(json!([a[0], a[1], a[3], a[4], a[5]]), *b, "number of {uid}");
        let (decimal, exact) = (a[2].as_f64().unwrap(), b[1].as_f64().unwrap());
        assert!((decimal - exact).abs() <= 1e-9 * exact.abs().max(1e-3), "decimal string of {uid}: {decimal} {exact}");
    }
    let floats = |v: &Value| {
        v.as_array()
            .unwrap()
            .iter()
            .map(|g| (g[0].clone(), g[1].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect::<Vec<_>>()))
            .collect::<Vec<_>>()
    };
    assert_eq!(floats(&read["graphics"]), floats(&wanted["graphics"]), "places of {uid}");
}

/// Writes a report of findings, checks it by ourselves and `dciodvfy`, and leaves it in the folder.
fn report(folder: &Path, name: &str, ground: &Ground, findings: &[Finding]) -> std::path::PathBuf {
    let all: Vec<&Finding> = findings.iter().collect();
    let written = sr::write(&SrInput {
        context: &ground.context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: 901,
        title: "Findings 所见",
        lang: Lang::Zh,
        sections: Vec::new(),
        findings: all.clone(),
        modalities: &BTreeMap::new(),
        reporting: None,
        authors: Vec::new(),
        reviewing: None,
        at: clock::now(),
        is_complete: true,
        is_verified: false,
        is_final: false,
        predecessor: None,
        device: Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.31".into() },
    })
    .unwrap();
    sr::assert_as_written(&written.bytes, &all).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, &written.bytes).unwrap();
    checkers::dciodvfy_is_clean(&path);
    path
}

/// PixelMed's validator takes all groups of a report for that of one template, so it sees them sorted.
fn family(finding: &Finding) -> usize {
    match &finding.geometry {
        Geometry::Extent(Extent::Segment { .. }) => 0,
        Geometry::OnImage(shape) if shape.is_region() || matches!(shape, Shape::Point { .. }) => 1,
        _ => 2,
    }
}

/// Random findings of every kind in reports that all three checkers read, and all of them mixed in one report for those that
/// take it; gives how many there were.
fn prove(seed: u64, n: usize) -> usize {
    let folder = mj_tests::folder();
    let ground = Ground::new();
    let mut random = Random::new(seed);
    let all: Vec<Finding> = (0..n).map(|i| finding(&mut random, &ground, i % KINDS, (i / KINDS) % 3 == 2 && i % KINDS < 10)).collect();
    let mut reports = vec![(report(folder.path(), "mixed.dcm", &ground, &all), all.clone())];
    for one in 0..3 {
        let sorted: Vec<Finding> = all.iter().filter(|f| family(f) == one).cloned().collect();
        for (at, some) in sorted.chunks(20).enumerate() {
            let path = report(folder.path(), &format!("{one}-{at}.dcm"), &ground, some);
            checkers::pixelmed_is_clean(&path);
            reports.push((path, some.to_vec()));
        }
    }
    let paths: Vec<&Path> = reports.iter().map(|(path, _)| path.as_path()).collect();
    let Some(read) = checkers::python_json(HIGHDICOM, &paths) else { return n };
    for ((_, findings), groups) in reports.iter().zip(read.as_array().unwrap()) {
        let groups = groups.as_array().unwrap();
        assert_eq!(groups.len(), findings.len());
        for finding in findings {
            let wanted = facts(finding);
            let found = groups.iter().find(|g| g["uid"] == wanted["uid"]).unwrap_or_else(|| panic!("no group {}", wanted["uid"]));
            assert_read(found, &wanted);
        }
    }
    n
}

#[test]
fn findings_of_every_kind_are_read_by_others_as_they_are() {
    assert_eq!(prove(1, 104), 104);
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_a_thousand_findings_are_read_by_others_as_they_are() {
    let n = prove(2, 1001);
    mj_testdata::note("random findings as SR", "read equal by highdicom, PixelMed, dciodvfy and ourselves", "findings", &[n as f64], "");
}
