//! Segments of a segmentation on pictures: cut by planes, as shadows, hovered, hidden.

use crate::*;
use mj_dicom::context::{Context, Device};
use mj_dicom::seg::{self, Algorithm, SegInput, SegmentInput};
use mj_link::SegmentationFile;
use mj_model::{Code, Extent, FrameOfReferenceUid, Grid, InstanceUid, Mask, PointLps, SeriesUid, SopClassUid, clock};
use std::collections::BTreeMap;

const NONE: Modifiers = Modifiers::NONE;

/// The current series' grid, with its study and series.
fn grid(bench: &Bench) -> Grid {
    let (_, series) = series_of(&bench._folder.path().join("current"));
    let sources = mj_viewer::source::of_series(&series, None).unwrap();
    mj_dicom::series::open(&sources, &mj_dicom::Watch::default()).unwrap().stacks[0].grid().unwrap()
}

/// A ball of a grid around a place.
fn ball(grid: Grid, middle: PointLps, radius_mm: f64) -> Mask {
    // Only the part of the grid around it.
    let (at, reach) = (grid.voxel_from_lps(middle), grid.spacing_mm.map(|mm| (radius_mm / mm).ceil()));
    let low = [0, 1, 2].map(|a| (at[a] - reach[a]).floor().max(0.0) as usize);
    let dims = [0, 1, 2].map(|a| ((at[a] + reach[a]).ceil() as usize).min(grid.dims[a] - 1) + 1 - low[a]);
    let grid = Grid { dims, origin: grid.lps_from_voxel(low.map(|n| n as f64)), ..grid };
    let mut mask = Mask::empty(grid);
    let [ni, nj, nk] = grid.dims;
    for (k, j, i) in (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| (k, j, i)))) {
        let at = grid.lps_from_voxel([i as f64, j as f64, k as f64]);
        mask.voxels[grid.offset([i, j, k].into())] = u8::from(at.distance_mm(middle) <= radius_mm);
    }
    mask
}

/// Writes balls as segments of one object, and gives its file and a finding for each.
fn segmentation(bench: &Bench, balls: &[(PointLps, f64)]) -> (SegmentationFile, Vec<Finding>) {
    let grid = grid(bench);
    let (at_middle, _) = finding_on(bench, 12);
    let bytes = std::fs::read(bench._folder.path().join("current/0012.dcm")).unwrap();
    let context = Context::of(&mj_dicom::Dataset::from_vec(bytes).unwrap()).unwrap();
    let masks: Vec<Mask> = balls.iter().map(|(middle, radius)| ball(grid, *middle, *radius)).collect();
    let code = || Code::new("SCT", "4147007", "Mass", "肿块");
    let instance = InstanceUid::fresh();
    let segments = masks.iter().map(|mask| SegmentInput {
        label: "ball",
        category: code(),
        kind: code(),
        algorithm: Algorithm::Automatic("Finder".into()),
        tracking: None,
        colour: [220, 90, 70],
        mask,
    });
    let input = SegInput {
        context: &context,
        instance: instance.clone(),
        series: SeriesUid::fresh(),
        series_number: 900,
        title: "balls",
        creator: "Finder",
        grid: &grid,
        frame_of_reference: at_middle.frame_of_reference.clone().unwrap_or_else(FrameOfReferenceUid::fresh),
        source_series: at_middle.series.clone(),
        sources: &[],
        is_resampled: false,
        segments: segments.collect(),
        at: clock::now(),
        device: &Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() },
    };
    let path = bench._folder.path().join("balls.dcm");
    std::fs::write(&path, seg::write(&input).unwrap().bytes).unwrap();
    let findings = balls.iter().enumerate().map(|(n, (middle, _))| {
        let geometry = Geometry::Extent(Extent::Segment {
            series: None,
            instance: instance.clone(),
            sop_class: SopClassUid::parse(seg::SEGMENTATION).unwrap(),
            number: u16::try_from(n + 1).unwrap(),
            centre: Some(*middle),
        });
        let measurements = vec![mj_model::Measurement::new(
            format!("v{n}"),
            mj_model::Quantity { what: mj_model::code::known::volume(), value: 12.5 + n as f64, unit: mj_model::Unit::ml() },
        )];
        Finding { id: format!("s{n}"), kind: code(), state: FindingState::Proposed, measurements, geometry, ..at_middle.clone() }
    });
    let findings = findings.collect();
    (SegmentationFile { instance, file: ObjectFile { path, sealed: false } }, findings)
}

/// Opens the series with balls around its middle: one in the other, and one beside.
fn open() -> (Bench, Grid) {
    let mut bench = Bench::new();
    let grid = grid(&bench);
    let middle = grid.lps_from_voxel([32.0, 32.0, 12.0]);
    let beside = grid.lps_from_voxel([32.0, 32.0, 20.0]);
    let (file, findings) = segmentation(&bench, &[(middle, 60.0), (middle, 20.0), (beside, 12.0)]);
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study: study.clone() });
    bench.tell_open(vec![series], findings);
    bench.tell(ToViewer::Segmentations { study, files: vec![file] });
    bench.until("segments", |b| b.room.situation().is_whole && b.room.lines_in_view() > 0);
    (bench, grid)
}

/// The viewports in which a finding's outline is drawn.
fn panes(bench: &Bench, id: &str) -> Vec<usize> {
    bench.room.places_of(id).into_iter().map(|(pane, _)| pane).collect()
}

#[test]
fn segments_are_cut_by_planes_and_cast_shadows() {
    let (mut bench, _) = open();
    bench.key(Key::J, NONE);
    bench.until("shadows", |b| panes(b, "s2").contains(&3));
    // Through the middle of the inner ball: the one beside lies on none of the three planes but the upright ones.
    assert_eq!(panes(&bench, "s0"), [0, 1, 2, 3]);
    assert_eq!(panes(&bench, "s1"), [0, 1, 2, 3]);
    assert_eq!(panes(&bench, "s2"), [1, 2, 3]);
    // From slice to slice its outline comes and goes.
    for _ in 0..8 {
        bench.key(Key::ArrowUp, NONE);
    }
    bench.frame(Vec::new());
    assert_eq!(panes(&bench, "s2"), [0, 1, 2, 3]);
    assert!(!panes(&bench, "s1").contains(&0));
    // As it was stored, the image is cut as the plane was.
    bench.key(Key::N, NONE);
    bench.until("stored image", |b| b.room.situation().is_as_stored && !b.room.is_making_pictures());
    bench.frame(Vec::new());
    assert_eq!((panes(&bench, "s0"), panes(&bench, "s1"), panes(&bench, "s2")), (vec![], vec![], vec![0]));
}

#[test]
fn the_innermost_segment_under_the_pointer_is_named() {
    let (mut bench, _) = open();
    bench.key(Key::J, NONE);
    bench.rest();
    bench.key(Key::Escape, NONE);
    let outer = bench.room.places_of("s0")[0].1;
    bench.frame(vec![Event::PointerMoved(outer.center() + vec2(3.0, 3.0))]);
    bench.frame(Vec::new());
    assert!(bench.shows("2  肿块  13.5") && !bench.shows("1  肿块  12.5"), "{:?}", bench.written);
    bench.frame(vec![Event::PointerMoved(outer.left_center() + vec2(9.0, 0.0))]);
    bench.frame(Vec::new());
    assert!(bench.shows("1  肿块  12.5") && !bench.shows("2  肿块  13.5"), "{:?}", bench.written);
}

#[test]
fn segments_are_hidden_one_by_one_and_all_at_once() {
    let (mut bench, _) = open();
    bench.key(Key::J, NONE);
    bench.until("shadows", |b| panes(b, "s0").contains(&3));
    assert!(bench.room.lines_in_view() >= 8);
    // The chosen one: the first of equals.
    bench.key(Key::H, NONE);
    bench.until("others' shadows", |b| panes(b, "s1").contains(&3));
    assert_eq!(panes(&bench, "s0"), Vec::<usize>::new());
    bench.key(Key::H, Modifiers::SHIFT);
    bench.frame(Vec::new());
    assert_eq!(bench.room.lines_in_view(), 0);
    assert!(bench.shows("图像上的所见已全部隐藏"));
    bench.key(Key::H, Modifiers::SHIFT);
    bench.key(Key::H, NONE);
    bench.until("all again", |b| panes(b, "s0").contains(&3));
    // A rejected one is no longer drawn.
    bench.key(Key::Y, Modifiers::SHIFT);
    bench.key(Key::Num1, NONE);
    bench.until("rejected", |b| panes(b, "s0").is_empty());
}

#[test]
fn a_segmentation_that_cannot_be_read_is_told_and_the_study_is_shown() {
    let mut bench = Bench::new();
    let middle = grid(&bench).centre();
    let (file, findings) = segmentation(&bench, &[(middle, 30.0)]);
    let bytes = std::fs::read(&file.file.path).unwrap();
    std::fs::write(&file.file.path, &bytes[..bytes.len() / 3]).unwrap();
    let (study, series) = series_of(&bench._folder.path().join("current"));
    bench.tell(ToViewer::CloseStudy { study: study.clone() });
    bench.tell_open(vec![series], findings);
    bench.tell(ToViewer::Segmentations { study, files: vec![file] });
    bench.until("notice", |b| b.shows("不完整"));
    assert!(bench.room.situation().has_picture && bench.room.lines_in_view() == 0);
}

#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_segments_on_pictures_while_scrolling() {
    let mut bench = Bench::of(200, 512);
    let grid = grid(&bench);
    let [ni, nj, nk] = grid.dims.map(|n| n as f64);
    let balls: Vec<(PointLps, f64)> = (0..120)
        .map(|n| {
            let at = [0.1 + 0.16 * f64::from(n % 6), 0.1 + 0.2 * f64::from(n / 6 % 5), 0.1 + 0.25 * f64::from(n / 30)];
            (grid.lps_from_voxel([at[0] * ni, at[1] * nj, at[2] * nk]), 32.0)
        })
        .collect();
    let (file, findings) = segmentation(&bench, &balls);
    let (study, series) = series_of(&bench._folder.path().join("current"));
    let mut took = BTreeMap::new();
    for has_segments in [false, true] {
        bench.tell(ToViewer::CloseStudy { study: study.clone() });
        bench.tell_open(vec![series.clone()], if has_segments { findings.clone() } else { Vec::new() });
        bench.until("volume", |b| b.room.situation().is_whole);
        if has_segments {
            bench.tell(ToViewer::Segmentations { study: study.clone(), files: vec![file.clone()] });
            bench.until("segments", |b| b.room.lines_in_view() > 20);
        }
        bench.rest();
        let frames: &mut Vec<f64> = took.entry(has_segments).or_default();
        bench.key(Key::Home, NONE);
        for _ in 0..150 {
            let start = Instant::now();
            bench.key(Key::ArrowDown, NONE);
            frames.push(start.elapsed().as_secs_f64());
        }
    }
    for (has_segments, times) in took {
        let longest = times.iter().copied().fold(0.0, f64::max);
        let who = if has_segments { "mingjing, CPU, 120 segments in outline and colour" } else { "mingjing, CPU, no segments" };
        mj_testdata::note(
            "a slice on, 512 x 512, four viewports: the frame",
            who,
            "s",
            &times,
            &format!("longest {:.0} ms", longest * 1000.0),
        );
    }
}
