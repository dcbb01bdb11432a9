use super::*;
use mj_model::Voxel;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<Arc<dyn Source>> {
    let mut paths: Vec<PathBuf> =
        if folder.is_dir() { std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect() } else { vec![folder.to_path_buf()] };
    paths.sort();
    paths.into_iter().map(|p| Arc::new(p) as Arc<dyn Source>).collect()
}

fn opened(relative: &str) -> Option<Series> {
    let folder = mj_testdata::path(relative)?;
    Some(open(&files(&folder), &Watch::default()).unwrap_or_else(|error| panic!("{relative}: {error}")))
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.warnings().iter().map(|w| w.code.as_str()).collect()
}

/// Mean, minimum and maximum of the values in the unit, over all slices.
fn statistics(stack: &Stack) -> [f64; 3] {
    let (mut sum, mut n, mut min, mut max) = (0.0, 0_usize, f64::INFINITY, f64::NEG_INFINITY);
    let volumes: Vec<_> = match stack.kind() {
        Kind::Volume if !stack.is_resampled() => vec![stack.load(&Watch::default()).unwrap()],
        _ => (0..stack.n_slices()).map(|k| stack.load_slice(k).unwrap()).collect(),
    };
    for volume in &volumes {
        for at in 0..volume.samples.len() {
            let value = volume.map.apply(volume.samples.stored(at).unwrap());
            (sum, n, min, max) = (sum + value, n + 1, f64::min(min, value), f64::max(max, value));
        }
    }
    [sum / n as f64, min, max]
}

/// Folder, kind, matrix, spacing, unit, mean (and minimum and maximum where known), warnings.
struct Case(&'static str, Kind, [usize; 3], [f64; 3], &'static str, &'static [f64], &'static [&'static str]);

#[test]
fn real_series_are_what_they_are_known_to_be() {
    let hu = "[hnsf'U]";
    let cases = [
        Case(
            "ct/chest_lidc_0314",
            Kind::Volume,
            [512, 512, 275],
            [0.78125, 0.78125, 1.0],
            hu,
            &[-619.973, -1000.0, 1979.0],
            &["geometry.frame_of_reference_varies"],
        ),
        Case("ct/head_tiny_64", Kind::Volume, [64, 64, 93], [3.2, 3.2, 1.5], "1", &[507.687, 0.0, 3926.0], &[]),
        Case("ct/ortho_phantom_classic", Kind::Volume, [512, 512, 7], [0.511_718_75, 0.511_718_75, 4.0], hu, &[-989.167], &[]),
        Case("mr/liver_haste_coronal", Kind::Volume, [256, 256, 30], [1.5625, 1.5625, 8.75], "1", &[262.373, 0.0, 1382.0], &[]),
        Case(
            "pet/qin_headneck_0024_pet",
            Kind::Volume,
            [128, 128, 299],
            [3.537_82, 3.537_82, 3.375],
            "Bq/ml",
            &[887.953, 0.0, 66260.76],
            &[],
        ),
        Case("seg_sr/liver_ct3slice/ct", Kind::Volume, [512, 512, 3], [0.810_547, 0.810_547, 1.0], hu, &[], &[]),
        Case(
            "ct/head_ge_gantry_tilt",
            Kind::Volume,
            [512, 0, 0],
            [0.488_281, 0.488_281, 0.0],
            hu,
            &[-661.729, -1500.0, 2121.0],
            &["geometry.gantry_tilt", "geometry.uneven_spacing", "geometry.resampled"],
        ),
        Case(
            "geometry/gantrytilting",
            Kind::Volume,
            [0, 0, 4],
            [0.0, 0.0, 4.851_48],
            hu,
            &[],
            &["geometry.gantry_tilt", "geometry.resampled"],
        ),
        Case(
            "geometry/sliceincrement",
            Kind::Volume,
            [0, 0, 5],
            [0.0, 0.0, 5.0],
            hu,
            &[],
            &["geometry.missing_slice", "geometry.resampled", "geometry.gap_left_empty"],
        ),
        Case("geometry/slicecount", Kind::Stack, [0, 0, 2], [0.0; 3], "1", &[], &["geometry.few_slices"]),
        Case("geometry/generic_anatomical_001", Kind::Volume, [256, 256, 4], [1.0, 1.0, 1.0], "1", &[], &[]),
        Case("geometry/generic_compressed_jpegls_001", Kind::Volume, [256, 256, 4], [1.0, 1.0, 1.0], "1", &[], &[]),
        Case("geometry/hitachi_anatomical_001", Kind::Volume, [64, 64, 4], [0.0; 3], "1", &[], &[]),
        Case("geometry/hyperfine_anatomical_001", Kind::Volume, [0, 0, 8], [0.0; 3], "1", &[], &[]),
        Case(
            "mr/enhanced_mr_siemens_xa30/mprage_128x128x96.dcm",
            Kind::Volume,
            [128, 128, 96],
            [0.0; 3],
            "1",
            &[142.1944, 0.0, 2927.0],
            &[],
        ),
        Case("rt/rtdose.dcm", Kind::Volume, [10, 10, 15], [0.0; 3], "1", &[], &["pixel.rounded"]),
    ];
    for Case(folder, kind, matrix, spacing, unit, numbers, warnings) in cases {
        let Some(series) = opened(folder) else { return };
        let stack = &series.stacks[0];
        println!("{folder}: {} stacks, {stack:?} {:?}", series.stacks.len(), stack.unit());
        assert_eq!((stack.kind(), codes(stack)), (kind, warnings.to_vec()), "{folder}");
        let found = stack.matrix();
        assert!(found.iter().zip(matrix).all(|(a, b)| b == 0 || *a == b), "{folder}: {found:?}");
        if let Some(grid) = stack.grid() {
            assert!(grid.spacing_mm.iter().zip(spacing).all(|(a, b)| b == 0.0 || (a - b).abs() < 1e-4), "{folder}: {grid:?}");
        }
        assert_eq!(stack.unit().0, unit, "{folder}");
        let found = if numbers.is_empty() { [0.0; 3] } else { statistics(stack) };
        assert!(found.iter().zip(numbers).all(|(a, b)| (a - b).abs() < 1e-2), "{folder}: {found:?}");
        assert!(series.skipped.is_empty(), "{folder}: {:?}", series.skipped);
    }
}

#[test]
fn orientations_are_shown_apart() {
    let Some(series) = opened("geometry/sliceorientation") else { return };
    assert_eq!(series.stacks.len(), 2);
    assert_eq!(series.stacks.iter().map(Stack::n_slices).sum::<usize>(), 4);
    assert!(series.stacks.iter().all(|s| codes(s).contains(&"geometry.mixed_orientation")), "{series:?}");
}

#[test]
fn unequal_row_and_column_spacing_is_kept() {
    let Some(series) = opened("geometry/generic_anatomical_002_non_isotropic") else { return };
    let stack = &series.stacks[0];
    let volume = stack.load_slice(0).unwrap();
    let [columns, rows, _] = volume.grid.spacing_mm;
    assert!((rows - columns).abs() > 1.0, "{:?}", volume.grid);
    assert!(codes(stack).contains(&"pixel.slope_varies") && stack.sample_name() == "f32", "{stack:?}");
}

#[test]
fn classic_and_multi_frame_give_the_same_volume() {
    let (Some(classic), Some(multi)) = (opened("ct/ortho_phantom_classic"), opened("ct/ortho_phantom_multiframe/volume.dcm")) else {
        return;
    };
    let [a, b] = [classic, multi].map(|s| s.stacks[0].load(&Watch::default()).unwrap());
    assert_eq!(a.grid.dims, b.grid.dims);
    assert!(a.grid.origin.distance_mm(b.grid.origin) < 1e-3, "{:?} {:?}", a.grid, b.grid);
    assert!(a.grid.axes.iter().zip(b.grid.axes).all(|(x, y)| (*x - y).length() < 1e-9) && a.grid.spacing_mm == b.grid.spacing_mm);
    assert!((0..a.samples.len()).all(|at| a.samples.stored(at) == b.samples.stored(at)));
    assert_eq!(b.sources[0].frame, Some(7));
}

#[test]
fn the_plane_of_a_coronal_series_is_coronal() {
    let Some(series) = opened("mr/liver_haste_coronal") else { return };
    let grid = series.stacks[0].grid().unwrap();
    assert_eq!(grid.axes[0].letters().chars().next(), Some('L'), "{grid:?}");
    assert_eq!(grid.axes[1].letters().chars().next(), Some('F'));
    assert!(matches!(grid.axes[2].letters().chars().next(), Some('A' | 'P')));
}

#[test]
fn one_slice_early_equals_the_same_slice_of_the_volume() {
    let Some(series) = opened("seg_sr/liver_ct3slice/ct") else { return };
    let stack = &series.stacks[0];
    let whole = stack.load(&Watch::default()).unwrap();
    let one = stack.load_slice(1).unwrap();
    for (i, j) in [(0, 0), (255, 255), (511, 13)] {
        assert_eq!(one.stored(Voxel { i, j, k: 0 }), whole.stored(Voxel { i, j, k: 1 }));
    }
    assert!(one.grid.origin.distance_mm(whole.grid.lps_from_voxel([0.0, 0.0, 1.0])) < 1e-6);
}

#[test]
fn work_can_be_stopped() {
    let Some(series) = opened("ct/ortho_phantom_classic") else { return };
    let watch = Watch::default();
    watch.cancel.store(true, Ordering::Relaxed);
    assert_eq!(series.stacks[0].load(&watch).unwrap_err(), Error::Cancelled);
}

#[test]
fn images_without_volume_are_still_shown() {
    for (file, kind, inverted) in [
        ("xray/CR-MONO1-10-chest.dcm", Kind::Stack, true),
        ("xray/CR-ModalitySequenceLUT.dcm", Kind::Stack, true),
        ("us/US-PAL-8-10x-echo_rle_palette.dcm", Kind::Cine, false),
        ("us/us_stress_echo_10f.dcm", Kind::Cine, false),
        ("us/NM-MONO2-16-13x-heart.dcm", Kind::Cine, false),
        ("pixel/SC_rgb_32bit.dcm", Kind::Stack, false),
        ("pixel/color-pl.dcm", Kind::Stack, false),
        ("seg_sr/basic_text_sr.dcm", Kind::Document, false),
    ] {
        let Some(series) = opened(file) else { return };
        let stack = &series.stacks[0];
        assert_eq!(stack.kind(), kind, "{file}");
        if kind == Kind::Document {
            assert_eq!(stack.load_slice(0).unwrap_err(), Error::NoPixels);
            continue;
        }
        let volume = stack.load_slice(stack.n_slices() - 1).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(volume.is_inverted, inverted, "{file}");
        let values: Vec<f64> = (0..volume.samples.len()).map(|at| volume.samples.stored(at).unwrap()).collect();
        assert!(values.iter().any(|v| *v > 0.0), "{file}");
    }
}

mod made {
    //! Series made for the purpose: what is rare in real data.

    use super::*;
    use crate::context::Device;
    use crate::ct::{CtInput, CtSeries, write};
    use crate::source::InMemory;
    use mj_model::{FrameOfReferenceUid, InstanceUid, LinearMap, Moment, PointLps, SeriesUid, StudyUid, VectorLps};

    fn shared(patient_id: &str) -> CtSeries {
        let text = String::new;
        CtSeries {
            patient_name: "Demo".into(),
            patient_id: patient_id.into(),
            issuer: text(),
            birth_date: text(),
            sex: text(),
            age: text(),
            study: StudyUid::parse("2.25.1").unwrap(),
            study_id: text(),
            accession: text(),
            study_description: text(),
            request: text(),
            clinical_history: text(),
            institution: text(),
            referring: text(),
            series: SeriesUid::parse("2.25.2").unwrap(),
            series_number: 1,
            series_description: text(),
            body_part: text(),
            frame_of_reference: FrameOfReferenceUid::parse("2.25.3").unwrap(),
            contrast: text(),
            thickness_mm: 2.0,
            at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
            windows: Vec::new(),
            is_original: true,
            device: Device { name: "x".into(), version: "1".into(), serial: "1".into(), uid: "2.25.4".into() },
        }
    }

    /// A 2 x 2 slice at `k`, filled with `value`.
    fn slice(patient_id: &str, number: i64, k: usize, value: i16, slope: f64) -> Arc<dyn Source> {
        slice_in("2.25.3", patient_id, number, k, value, slope)
    }

    /// As [`slice`], in a frame of reference.
    fn slice_in(frame: &str, patient_id: &str, number: i64, k: usize, value: i16, slope: f64) -> Arc<dyn Source> {
        let (i, j) = (VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0));
        let grid = Grid { dims: [2, 2, 9], origin: PointLps::default(), axes: [i, j, i.cross(j)], spacing_mm: [1.0, 1.0, 2.0] };
        let mut series = shared(patient_id);
        series.frame_of_reference = FrameOfReferenceUid::parse(frame).unwrap();
        let input = CtInput {
            series: &series,
            instance: InstanceUid::parse(&format!("2.25.100{number}")).unwrap(),
            number,
            grid: &grid,
            k,
            samples: &[value; 4],
            map: LinearMap { slope, intercept: 0.0 },
        };
        Arc::new(InMemory { name: format!("{number}.dcm"), bytes: write(&input).unwrap().bytes })
    }

    #[test]
    fn phases_at_the_same_places_become_stacks_of_their_own() {
        // Two images at each of four places, given in no order.
        let files: Vec<_> =
            [3, 1, 0, 2].into_iter().flat_map(|k| [slice("P", 10 + k, k as usize, 2, 1.0), slice("P", k, k as usize, 1, 1.0)]).collect();
        let series = open(&files, &Watch::default()).unwrap();
        assert_eq!(series.stacks.iter().map(|s| (s.kind(), s.n_slices())).collect::<Vec<_>>(), [(Kind::Volume, 4), (Kind::Volume, 4)]);
        for (stack, value) in series.stacks.iter().zip([1.0, 2.0]) {
            let volume = stack.load(&Watch::default()).unwrap();
            assert!((0..4).all(|k| volume.stored(Voxel { i: 0, j: 0, k }) == Some(value)), "{value}");
            assert!(stack.warnings().is_empty(), "{:?}", stack.warnings());
        }
    }

    #[test]
    fn two_frames_of_reference_never_form_one_volume() {
        let of = |frame, range: std::ops::Range<i64>| range.map(move |k| slice_in(frame, "P", k, k as usize, 1, 1.0));
        let files: Vec<_> = of("2.25.3", 0..4).chain(of("2.25.5", 4..7)).collect();
        let series = open(&files, &Watch::default()).unwrap();
        assert_eq!(series.stacks.iter().map(|s| (s.kind(), s.n_slices())).collect::<Vec<_>>(), [(Kind::Volume, 4), (Kind::Volume, 3)]);
        for (stack, frame) in series.stacks.iter().zip(["2.25.3", "2.25.5"]) {
            assert_eq!(stack.load(&Watch::default()).unwrap().frame_of_reference.unwrap().as_str(), frame);
            assert_eq!(codes(stack), ["geometry.frame_of_reference_varies"]);
        }
        // One for each file says nothing about places.
        let frames = ["2.25.11", "2.25.12", "2.25.13", "2.25.14"];
        let files: Vec<_> = (0..4).map(|k| slice_in(frames[k as usize], "P", k, k as usize, 1, 1.0)).collect();
        let series = open(&files, &Watch::default()).unwrap();
        assert_eq!(
            series.stacks.iter().map(|s| (s.kind(), codes(s))).collect::<Vec<_>>(),
            [(Kind::Volume, vec!["geometry.frame_of_reference_varies"])]
        );
    }

    #[test]
    fn repeats_are_told_and_kept_apart() {
        let files: Vec<_> = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 1)].into_iter().map(|(n, k)| slice("P", n, k, 5, 1.0)).collect();
        let series = open(&files, &Watch::default()).unwrap();
        assert_eq!(series.stacks.iter().map(Stack::n_slices).collect::<Vec<_>>(), [4, 1]);
        assert!(series.stacks.iter().all(|s| codes(s) == ["geometry.duplicate_slice"]), "{:?}", series.stacks);
    }

    #[test]
    fn slopes_that_differ_make_floats() {
        let files: Vec<_> = (0..3).map(|n| slice("P", n, n as usize, 10, 0.5 + n as f64)).collect();
        let stack = &open(&files, &Watch::default()).unwrap().stacks[0];
        let volume = stack.load(&Watch::default()).unwrap();
        assert_eq!((stack.sample_name(), codes(stack)), ("f32", vec!["pixel.slope_varies"]));
        assert_eq!((0..3).map(|k| volume.value(Voxel { i: 1, j: 1, k }).unwrap()).collect::<Vec<_>>(), [5.0, 15.0, 25.0]);
        // A single slice of it is converted alike.
        assert_eq!(stack.load_slice(2).unwrap().value(Voxel { i: 0, j: 0, k: 0 }), Some(25.0));
    }

    #[test]
    fn strangers_copies_and_other_files_are_named() {
        let note: Arc<dyn Source> = Arc::new(InMemory { name: "note.txt".into(), bytes: b"only a note".to_vec() });
        let files =
            vec![slice("P", 0, 0, 1, 1.0), slice("P", 0, 0, 1, 1.0), slice("P", 1, 1, 1, 1.0), slice("Q", 2, 2, 1, 1.0), note.clone()];
        let series = open(&files, &Watch::default()).unwrap();
        assert_eq!(
            series.skipped.iter().map(|s| (s.name.as_str(), s.code)).collect::<Vec<_>>(),
            [("0.dcm", "dicom.same_instance"), ("note.txt", "dicom.not_dicom")]
        );
        assert!(codes(&series.stacks[0]).contains(&"patient.mixed"));
        assert_eq!(open(&[note], &Watch::default()).unwrap_err(), Error::NotDicom);
        assert_eq!(open(&[], &Watch::default()).unwrap_err(), Error::NothingToShow);
    }
}
