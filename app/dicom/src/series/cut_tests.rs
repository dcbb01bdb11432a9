//! Files that were cut short: what is there is shown, what is missing is no value.

use super::made::{AXIAL, CT, ENHANCED_MR, Kind, MR, PET, Plane};
use super::*;
use crate::check::check;
use crate::source::InMemory;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use mj_model::{Cover, Samples, Voxel};

/// A slice at a height, of 4 by 4 samples of one value.
fn plane(k: usize, value: i16) -> Plane {
    Plane { position: [0.0, 0.0, k as f64], orientation: AXIAL, samples: vec![value; 16] }
}

/// The file without so many of its last bytes.
fn cut(file: &Arc<dyn Source>, by: usize) -> Arc<dyn Source> {
    let mut bytes = file.read().unwrap();
    bytes.truncate(bytes.len() - by);
    Arc::new(InMemory { name: file.name(), bytes })
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.warnings().iter().map(|w| w.code.as_str()).collect()
}

fn ct(values: [i16; 5]) -> Vec<Arc<dyn Source>> {
    let kind = Kind::of(CT, "CT", 4, 4, [1.0, 1.0]);
    values.iter().enumerate().map(|(k, &value)| kind.image(k as i64, &plane(k, value), |_| {})).collect()
}

#[test]
fn missing_rows_of_a_slice_are_no_value() {
    let mut files = ct([40, -1024, 60, 70, 80]);
    // A row and a half.
    files[2] = cut(&files[2], 12);
    let series = open(&files, &Watch::default()).unwrap();
    assert_eq!((series.stacks.len(), series.skipped.len(), series.n_cut_short), (1, 0, 1));
    let stack = &series.stacks[0];
    assert_eq!((stack.kind(), codes(stack)), (super::Kind::Volume, vec![CUT_SHORT]));
    assert_eq!(stack.warnings()[0].text, "1 of 5 files");
    let volume = stack.load(&Watch::default()).unwrap();
    let padding = volume.padding.unwrap();
    for (k, value) in [40.0, -1024.0, 60.0, 70.0, 80.0].into_iter().enumerate() {
        for j in 0..4 {
            let stored = volume.stored(Voxel { i: 3, j, k }).unwrap();
            let is_missing = k == 2 && j >= 2;
            assert_eq!(padding.holds(stored), is_missing, "{j} {k}");
            assert_eq!(stack.has_row(k, j), !is_missing);
            assert!(is_missing || stored == value);
        }
    }
    // The slice alone, and as an image with what lies over it.
    let slice = stack.load_slice(2).unwrap();
    let image = stack.load_image(2).unwrap();
    assert_eq!(slice.samples, image.volume.samples);
    assert_eq!(slice.padding, image.volume.padding);
    let cover = image.cover.unwrap();
    assert_eq!((cover.at(0, 1), cover.at(0, 2), cover.at(3, 3)), (0, Cover::PADDING, Cover::PADDING));
    assert_eq!(stack.load_image(1).unwrap().cover, None, "measured air is no padding");
}

#[test]
fn values_converted_to_floats_keep_their_zero() {
    let kind = Kind::of(PET, "PT", 4, 4, [1.0, 1.0]);
    let slope = |k: usize| move |o: &mut crate::write::Object| _ = o.decimals(tags::RESCALE_SLOPE, &[1.0 + k as f64]);
    let mut files: Vec<_> = (0..4).map(|k| kind.image(k as i64, &plane(k, 0), slope(k))).collect();
    files[3] = cut(&files[3], 8);
    let series = open(&files, &Watch::default()).unwrap();
    let volume = series.stacks[0].load(&Watch::default()).unwrap();
    let padding = volume.padding.unwrap();
    assert!(!padding.holds(0.0) && padding.low < 0.0, "{padding:?}");
    let Samples::F32(values) = &volume.samples else { panic!("not converted") };
    assert_eq!(values.iter().filter(|&&v| padding.holds(f64::from(v))).count(), 4);
}

#[test]
fn of_a_multi_frame_file_the_frames_that_are_there_are_shown() {
    let kind = Kind::of(ENHANCED_MR, "MR", 4, 4, [1.0, 1.0]);
    let planes: Vec<Plane> = (0..6).map(|k| plane(k, 10 * k as i16)).collect();
    let whole = kind.frames(&planes, |_, _, _| {}, |_| {});
    // Two frames and three rows of a third.
    let series = open(&[cut(&whole, 2 * 32 + 24)], &Watch::default()).unwrap();
    let stack = &series.stacks[0];
    assert_eq!((stack.n_slices(), stack.matrix(), series.n_cut_short), (4, [4, 4, 4], 1));
    assert_eq!(stack.warnings()[0], Warning::new(CUT_SHORT, "104 of 192 bytes of pixel data"));
    let volume = stack.load(&Watch::default()).unwrap();
    let padding = volume.padding.unwrap();
    let held = (0..4).map(|j| padding.holds(volume.stored(Voxel { i: 0, j, k: 3 }).unwrap())).collect::<Vec<_>>();
    assert_eq!(held, [false, true, true, true]);
    assert_eq!(volume.stored(Voxel { i: 0, j: 3, k: 2 }), Some(20.0));
    assert_eq!(stack.load_image(3).unwrap().volume.samples.len(), 16);
    // What checks a file says the same.
    let line = check(&cut(&whole, 88).read().unwrap(), "x");
    assert_eq!((line.result, line.frames, line.stored_max), ("opened", Some(6), Some(30.0)));
    assert_eq!(line.warnings[0].code, CUT_SHORT);
    assert_eq!(crate::pixels::decode(&crate::Dataset::read(&cut(&whole, 88).read().unwrap()).unwrap()).err(), {
        Some(Error::Truncated { what: "pixel data" })
    });
}

#[test]
fn of_colours_what_is_missing_is_covered() {
    let kind = Kind::of(MR, "US", 4, 4, [1.0, 1.0]);
    let colour = |o: &mut crate::write::Object| {
        o.u16s(tags::SAMPLES_PER_PIXEL, &[3])
            .u16s(tags::PLANAR_CONFIGURATION, &[1])
            .u16s(tags::BITS_ALLOCATED, &[8])
            .u16s(tags::BITS_STORED, &[8])
            .u16s(tags::HIGH_BIT, &[7])
            .u16s(tags::PIXEL_REPRESENTATION, &[0])
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB")
            .bytes(tags::PIXEL_DATA, VR::OB, vec![200; 48]);
    };
    let series = open(&[cut(&kind.image(1, &plane(0, 0), colour), 5)], &Watch::default()).unwrap();
    let image = series.stacks[0].load_image(0).unwrap();
    let (rgb, cover) = (image.colour.unwrap().rgb, image.cover.unwrap());
    assert_eq!((rgb.len(), rgb[4], rgb[12]), (16, [200; 3], [0; 3]));
    assert_eq!([1, 2, 3].map(|j| cover.at(0, j)), [0, Cover::PADDING, Cover::PADDING]);
}

#[test]
fn compressed_frames_before_the_cut_are_shown() {
    let Some(path) = mj_testdata::path("syntax/pydicom/emri_small_RLE.dcm") else { return };
    let whole = std::fs::read(path).unwrap();
    let cut: Arc<dyn Source> = Arc::new(InMemory { name: "x".into(), bytes: whole[..whole.len() / 2].to_vec() });
    let whole: Arc<dyn Source> = Arc::new(InMemory { name: "x".into(), bytes: whole });
    let (all, some) = (open(&[whole], &Watch::default()).unwrap(), open(&[cut], &Watch::default()).unwrap());
    let (all, some) = (&all.stacks[0], &some.stacks[0]);
    assert!((1..all.n_slices()).contains(&some.n_slices()), "{} of {}", some.n_slices(), all.n_slices());
    assert!(codes(some).contains(&CUT_SHORT) && !codes(all).contains(&CUT_SHORT));
    for k in 0..some.n_slices() {
        let source = &some.load_slice(k).unwrap().sources[0];
        let same = all.slice_from(&source.instance, source.frame).unwrap();
        assert_eq!(some.load_slice(k).unwrap().samples, all.load_slice(same).unwrap().samples);
    }
}
