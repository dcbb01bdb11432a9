//! Segmentations beside `highdicom`, on the same masks in one run: `cargo xtask bench segmentations`.

use mj_dicom::Dataset;
use mj_dicom::context::{Context, Device};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_model::volume::SliceSource;
use mj_model::{Code, FrameOfReferenceUid, Grid, InstanceUid, Mask, PointLps, SeriesUid, VectorLps, clock};
use mj_tests::checkers;
use std::path::Path;
use std::time::Instant;

const DIMS: [usize; 3] = [512, 512, 600];

fn grid() -> Grid {
    let axis = VectorLps::new;
    Grid {
        dims: DIMS,
        origin: PointLps::new(-180.0, -180.0, -300.0),
        axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
        spacing_mm: [0.7, 0.7, 1.0],
    }
}

/// Labels of a body's worth of blobs: `n` balls on a lattice, of different sizes, that touch but do not overlap.
/// Shape: `[k][j][i]`.
fn labels(n: usize) -> Vec<u8> {
    let [ni, nj, nk] = DIMS;
    let mut out = vec![0_u8; ni * nj * nk];
    let layers = if n > 3 { 3 } else { 1 };
    let across = (n.div_ceil(layers) as f64).sqrt().ceil() as usize;
    let step = [ni as f64 / across as f64, nj as f64 / across as f64, nk as f64 / layers as f64];
    for ball in 0..n {
        let at = if n > 3 {
            [ball % across, ball / across % across, (ball / (across * across)).min(2)]
        } else {
            [ball % across, ball / across, 0]
        };
        let centre: [f64; 3] = std::array::from_fn(|a| (at[a] as f64 + 0.5) * step[a]);
        let radius: [f64; 3] = std::array::from_fn(|a| step[a] * (0.35 + 0.15 * ((ball * 7 % 10) as f64 / 10.0)));
        for k in (centre[2] - radius[2]).max(0.0) as usize..((centre[2] + radius[2]) as usize).min(nk) {
            for j in (centre[1] - radius[1]).max(0.0) as usize..((centre[1] + radius[1]) as usize).min(nj) {
                let (z, y) = ((k as f64 - centre[2]) / radius[2], (j as f64 - centre[1]) / radius[1]);
                let half = (1.0 - z * z - y * y).max(0.0).sqrt() * radius[0];
                let (from, to) = ((centre[0] - half).max(0.0) as usize, ((centre[0] + half) as usize).min(ni));
                out[(k * nj + j) * ni..][from..to.max(from)].fill(ball as u8 + 1);
            }
        }
    }
    out
}

/// Writes three segments or a label map of the labels with `highdicom`, times it, and times its reading.
const HIGHDICOM: &str = r#"
import json, sys, time, numpy, pydicom, highdicom as hd
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
raw, folder, n, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
labels = numpy.fromfile(raw, dtype=numpy.uint8).reshape(600, 512, 512)
images = [pydicom.dcmread(f"{folder}/{k:04}.dcm") for k in range(600)]
def describe(k):
    return hd.seg.SegmentDescription(segment_number=k, segment_label=f"Part {k}", segmented_property_category=codes.SCT.Organ, segmented_property_type=codes.SCT.Liver,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL)
start = time.time()
pixels = labels if kind == "LABELMAP" else numpy.stack([labels == k for k in range(1, n + 1)], axis=-1)
seg = hd.seg.Segmentation(source_images=images, pixel_array=pixels, segmentation_type=kind, segment_descriptions=[describe(k) for k in range(1, n + 1)],
    series_instance_uid=hd.UID(), series_number=5, sop_instance_uid=hd.UID(), instance_number=1, manufacturer="Peer", manufacturer_model_name="highdicom", software_versions="1", device_serial_number="1")
seg.save_as(f"{folder}/{kind}.seg")
wrote = time.time() - start
start = time.time()
back = hd.seg.segread(f"{folder}/{kind}.seg")
volume = back.get_volume(combine_segments=False) if kind != "LABELMAP" else back.get_volume(combine_segments=True)
read = time.time() - start
print(json.dumps({"write": wrote, "read": read, "voxels": [int((labels == k).sum()) for k in range(1, n + 1)]}))
"#;

/// A series of plain images for the segmentations to refer to.
fn images(folder: &Path) -> (Context, Vec<SliceSource>) {
    let made = mj_tests::objects::ct(600, 512, "Shili^Yi=示例^一", "CN-0001");
    for (k, object) in made.objects.iter().enumerate() {
        std::fs::write(folder.join(format!("{k:04}.dcm")), &object.bytes).unwrap();
    }
    let context = Context::of(&Dataset::read(&made.objects[0].bytes).unwrap()).unwrap();
    let source =
        |o: &mj_tests::objects::Object| SliceSource { instance: o.instance.clone(), sop_class: context.sop_class.clone(), frame: None };
    let sources = made.objects.iter().map(source).collect();
    (context, sources)
}

fn masks(labels: &[u8], n: usize) -> Vec<Mask> {
    (1..=n).map(|k| Mask { grid: grid(), voxels: labels.iter().map(|v| u8::from(usize::from(*v) == k)).collect() }).collect()
}

fn write(context: &Context, sources: &[SliceSource], masks: &[Mask]) -> Vec<u8> {
    let grid = grid();
    let segments = masks.iter().map(|mask| SegmentInput {
        label: "Part",
        category: Code::new("SCT", "123037004", "Anatomical Structure", ""),
        kind: Code::new("SCT", "10200004", "Liver", ""),
        algorithm: Algorithm::Manual,
        tracking: None,
        colour: [200, 80, 60],
        mask,
    });
    let input = SegInput {
        context,
        instance: InstanceUid::fresh(),
        series: SeriesUid::fresh(),
        series_number: 900,
        title: "Bench",
        creator: "Bench",
        grid: &grid,
        frame_of_reference: FrameOfReferenceUid::fresh(),
        source_series: SeriesUid::fresh(),
        sources,
        is_resampled: false,
        segments: segments.collect(),
        at: clock::now(),
        device: &Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.31".into() },
    };
    seg::write(&input).unwrap().bytes
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let made = work();
    (start.elapsed().as_secs_f64(), made)
}

fn peer(kind: &str, n: usize, labels: &[u8], folder: &Path) -> Option<serde_json::Value> {
    let raw = folder.join("labels.raw");
    std::fs::write(&raw, labels).unwrap();
    checkers::python_json(HIGHDICOM, &[&raw, folder, Path::new(&n.to_string()), Path::new(kind)])
}

/// Most memory this process held since the counter was set back. Units: MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_segmentations_beside_highdicom() {
    let folder = mj_tests::folder();
    let (context, sources) = images(folder.path());
    let three = labels(3);
    let made = masks(&three, 3);
    let (line_write, line_read) = ("SEG of 3 segments x 600 slices, written", "the same, read");
    let (mut writes, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let (wrote, bytes) = seconds(|| write(&context, &sources, &made));
        let (read, back) = seconds(|| seg::read(&Dataset::from_vec(bytes).unwrap()).unwrap());
        assert!(back.iter().zip(&made).all(|(a, b)| a.mask.count() == b.count() && b.count() > 1_000_000));
        writes.push(wrote);
        reads.push(read);
    }
    mj_testdata::note(line_write, "mingjing", "s", &writes, "512 x 512 x 600");
    mj_testdata::note(line_read, "mingjing", "s", &reads, "512 x 512 x 600");
    drop(made);
    if let Some(peer) = peer("BINARY", 3, &three, folder.path()) {
        mj_testdata::note(line_write, "highdicom", "s", &[peer["write"].as_f64().unwrap()], "the same masks");
        mj_testdata::note(line_read, "highdicom", "s", &[peer["read"].as_f64().unwrap()], "the same masks");
    }
    drop(three);

    let many = labels(117);
    let Some(peer) = peer("LABELMAP", 117, &many, folder.path()) else { return };
    let wanted: Vec<usize> = peer["voxels"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    drop(many);
    let before = peak_now();
    let (took, back) =
        seconds(|| seg::read(&Dataset::from_vec(std::fs::read(folder.path().join("LABELMAP.seg")).unwrap()).unwrap()).unwrap());
    let line = "label map of 117 segments on 512 x 512 x 600, opened";
    assert_eq!(back.iter().map(|s| s.mask.count()).collect::<Vec<_>>(), wanted);
    mj_testdata::note(line, "mingjing", "s", &[took], "every segment a mask of its own");
    mj_testdata::note("the same: memory", "mingjing", "MiB", &[peak_mib() - before], "peak while opening, beyond what was held before");
    mj_testdata::note(line, "highdicom", "s", &[peer["read"].as_f64().unwrap()], "as one array of labels");
}

/// Sets the counter of most memory back, and gives what is held now. Units: MiB.
fn peak_now() -> f64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    peak_mib()
}
