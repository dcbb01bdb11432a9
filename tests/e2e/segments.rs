//! Segmentations leave as objects that others read voxel by voxel: `highdicom`, `dciodvfy`, ourselves.

use mj_dicom::Dataset;
use mj_dicom::context::{Context, Device};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_model::volume::SliceSource;
use mj_model::{Code, FrameOfReferenceUid, Grid, InstanceUid, Mask, PointLps, SeriesUid, VectorLps, clock, uid::TrackingUid};
use mj_testdata::Random;
use mj_tests::checkers;
use serde_json::Value;
use std::path::Path;

/// A segment and what is said of it.
struct Made {
    label: String,
    kind: Code,
    algorithm: Algorithm,
    tracking: Option<(String, TrackingUid)>,
    mask: Mask,
}

fn grid(random: &mut Random) -> Grid {
    let any = |random: &mut Random| VectorLps::new(random.between(-1.0, 1.0), random.between(-1.0, 1.0), random.between(-1.0, 1.0));
    let i = any(random).unit().unwrap_or(VectorLps::new(1.0, 0.0, 0.0));
    let j = i.cross(any(random)).unit().unwrap_or(VectorLps::new(0.0, 1.0, 0.0));
    let axes = if random.chance(0.4) {
        [VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.0, 0.0, 1.0)]
    } else {
        // Told in decimal strings, so not more exact than those.
        let rounded = |v: VectorLps| VectorLps::new((v.x * 1e12).round() / 1e12, (v.y * 1e12).round() / 1e12, (v.z * 1e12).round() / 1e12);
        [rounded(i), rounded(j), i.cross(j).unit().unwrap_or(i)]
    };
    Grid {
        dims: [3 + random.below(20), 3 + random.below(20), 2 + random.below(12)],
        origin: PointLps::new(random.between(-300.0, 300.0), random.between(-300.0, 300.0), random.between(-900.0, 900.0)),
        axes,
        spacing_mm: [random.between(0.3, 2.0), random.between(0.3, 2.0), random.between(0.5, 6.0)],
    }
}

fn made(random: &mut Random, grid: &Grid) -> Made {
    let whole = Mask::empty(*grid);
    // Half of them are cut down to a box, as they are kept.
    let part = if random.chance(0.5) {
        whole
    } else {
        let low = grid.dims.map(|n| random.below(n));
        let dims = [0, 1, 2].map(|a| 1 + random.below(grid.dims[a] - low[a]));
        Mask::empty(Grid { dims, origin: grid.lps_from_voxel(low.map(|v| v as f64)), ..*grid })
    };
    let mut mask = part;
    let share = random.between(0.02, 0.5);
    for voxel in &mut mask.voxels {
        *voxel = u8::from(random.chance(share));
    }
    // Some slices stay empty, and one voxel is always there.
    let slice = mask.grid.dims[0] * mask.grid.dims[1];
    for k in 0..mask.grid.dims[2] {
        if random.chance(0.3) {
            mask.voxels[k * slice..(k + 1) * slice].fill(0);
        }
    }
    let at = random.below(mask.voxels.len());
    mask.voxels[at] = 1;
    let kinds = [Code::new("SCT", "10200004", "Liver", "肝"), Code::new("SCT", "4147007", "Mass", "肿块")];
    Made {
        label: random.pick(&["肝脏", "Tumour 1", "右肺上叶结节", "Vessel"]).to_string(),
        kind: random.pick(&kinds).clone(),
        algorithm: random
            .pick(&[Algorithm::Manual, Algorithm::Semiautomatic("growing".into()), Algorithm::Automatic("net 2.1".into())])
            .clone(),
        tracking: random.chance(0.5).then(|| ("Lesion 病灶".to_owned(), TrackingUid::fresh())),
        mask,
    }
}

/// What `highdicom` reads: of each segment its names and the places of its voxels. Units: mm, LPS.
const HIGHDICOM: &str = r#"
import json, sys, numpy, highdicom
def read(path):
    seg = highdicom.seg.segread(path)
    volume = seg.get_volume(combine_segments=False, allow_missing_positions=True)
    array = numpy.asarray(volume.array)
    out = []
    for n in seg.segment_numbers:
        d = seg.get_segment_description(n)
        inside = numpy.argwhere(array[..., n - 1] > 0)
        places = volume.map_indices_to_reference(inside) if len(inside) else inside
        out.append({"label": d.segment_label, "kind": d.segmented_property_type.value, "algorithm": d.algorithm_type.value,
                    "name": str(d.get("SegmentAlgorithmName", "")), "uid": str(d.tracking_uid or ""), "id": str(d.tracking_id or ""), "places": places.tolist()})
    return out
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

fn places(mask: &Mask) -> Vec<PointLps> {
    let [ni, nj, _] = mask.grid.dims;
    let inside = mask.voxels.iter().enumerate().filter(|(_, v)| **v != 0);
    inside.map(|(n, _)| mask.grid.lps_from_voxel([(n % ni) as f64, (n / ni % nj) as f64, (n / ni / nj) as f64])).collect()
}

fn assert_same_places(ours: &Mask, theirs: &Value, what: &str) {
    let mut wanted = places(ours);
    let number = |v: &Value| v.as_f64().unwrap();
    let mut found: Vec<PointLps> =
        theirs.as_array().unwrap().iter().map(|p| PointLps::new(number(&p[0]), number(&p[1]), number(&p[2]))).collect();
    assert_eq!(wanted.len(), found.len(), "voxels of {what}");
    // Along a direction in which no two voxels lie alike.
    let order = |p: &PointLps| p.x * 0.911 + p.y * 0.377 + p.z * 0.1717;
    wanted.sort_by(|a, b| order(a).total_cmp(&order(b)));
    found.sort_by(|a, b| order(a).total_cmp(&order(b)));
    for (a, b) in wanted.iter().zip(&found) {
        assert!(a.distance_mm(*b) < 1e-3, "{what}: {a:?} {b:?}");
    }
}

/// Writes a segmentation of random segments and reads it back; leaves it in the folder.
fn write(random: &mut Random, folder: &Path, n: usize) -> (std::path::PathBuf, Vec<Made>) {
    let grid = grid(random);
    let images = mj_tests::objects::ct(u16::try_from(grid.dims[2]).unwrap(), 16, "Shili^Yi=示例^一", "CN-0001");
    let context = Context::of(&Dataset::read(&images.objects[0].bytes).unwrap()).unwrap();
    let sources: Vec<SliceSource> = images
        .objects
        .iter()
        .map(|o| SliceSource { instance: o.instance.clone(), sop_class: context.sop_class.clone(), frame: None })
        .collect();
    let segments: Vec<Made> = (0..=random.below(5)).map(|_| made(random, &grid)).collect();
    let written = seg::write(&SegInput {
        context: &context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: 900,
        title: "分割",
        creator: "Reader",
        grid: &grid,
        frame_of_reference: FrameOfReferenceUid::fresh(),
        source_series: images.series,
        sources: &sources,
        is_resampled: false,
        segments: segments
            .iter()
            .map(|s| SegmentInput {
                label: &s.label,
                category: Code::new("SCT", "123037004", "Anatomical Structure", "解剖结构"),
                kind: s.kind.clone(),
                algorithm: s.algorithm.clone(),
                tracking: s.tracking.as_ref().map(|(id, uid)| (id.as_str(), uid.as_str())),
                colour: [200, 80, 60],
                mask: &s.mask,
            })
            .collect(),
        at: clock::now(),
        device: &Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.31".into() },
    })
    .unwrap();
    let back = seg::read(&Dataset::read(&written.bytes).unwrap()).unwrap();
    assert_eq!(back.len(), segments.len());
    for (a, b) in segments.iter().zip(&back) {
        let tracking = a.tracking.as_ref().map_or(("", ""), |(id, uid)| (id.as_str(), uid.as_str()));
        assert_eq!(
            (a.label.as_str(), &a.algorithm, tracking),
            (b.label.as_str(), &b.algorithm, (b.tracking_id.as_str(), b.tracking_uid.as_str()))
        );
        assert!(b.kind.as_ref().is_some_and(|kind| kind.is_same(&a.kind)));
        let read: Vec<Value> = places(&b.mask).iter().map(|p| serde_json::json!([p.x, p.y, p.z])).collect();
        assert_same_places(&a.mask, &Value::Array(read), "our own reading");
        assert!((a.mask.volume_ml() / b.mask.volume_ml() - 1.0).abs() < 1e-6);
    }
    let path = folder.join(format!("{n}.dcm"));
    std::fs::write(&path, &written.bytes).unwrap();
    checkers::dciodvfy_is_clean(&path);
    (path, segments)
}

/// Random segmentations before all readers; gives how many there were.
fn prove(seed: u64, n: usize) -> usize {
    let folder = mj_tests::folder();
    let mut random = Random::new(seed);
    let all: Vec<_> = (0..n).map(|at| write(&mut random, folder.path(), at)).collect();
    let paths: Vec<&Path> = all.iter().map(|(path, _)| path.as_path()).collect();
    let Some(read) = checkers::python_json(HIGHDICOM, &paths) else { return n };
    for ((path, segments), found) in all.iter().zip(read.as_array().unwrap()) {
        for (segment, theirs) in segments.iter().zip(found.as_array().unwrap()) {
            let what = format!("{} of {}", segment.label, path.display());
            let (algorithm, name) = match &segment.algorithm {
                Algorithm::Manual => ("MANUAL", ""),
                Algorithm::Semiautomatic(name) => ("SEMIAUTOMATIC", name.as_str()),
                Algorithm::Automatic(name) => ("AUTOMATIC", name.as_str()),
            };
            let tracking = segment.tracking.as_ref().map_or(("", ""), |(id, uid)| (id.as_str(), uid.as_str()));
            let told = [&theirs["label"], &theirs["kind"], &theirs["algorithm"], &theirs["name"], &theirs["id"], &theirs["uid"]];
            assert_eq!(told, [segment.label.as_str(), &segment.kind.code, algorithm, name, tracking.0, tracking.1], "{what}");
            assert_same_places(&segment.mask, &theirs["places"], &what);
        }
    }
    n
}

#[test]
fn random_segments_are_read_by_others_voxel_by_voxel() {
    assert_eq!(prove(3, 40), 40);
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_two_hundred_segmentations_are_read_by_others_voxel_by_voxel() {
    let n = prove(4, 200);
    mj_testdata::note("random segmentations", "read equal by highdicom, dciodvfy and ourselves", "objects", &[n as f64], "");
}
