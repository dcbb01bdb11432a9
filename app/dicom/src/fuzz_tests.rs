//! Damaged files: whatever is done to them, they are read or refused, never a panic, never much memory.
//!
//! Mutations are seeded, so a failure repeats.

use crate::check::check;
use crate::source::{InMemory, Source};
use crate::{Dataset, Watch, gsps, ko, parametric, rtstruct, seg, series, sr};
use std::sync::Arc;

const FILES: &[&str] = &[
    "syntax/pydicom/MR_small.dcm",
    "syntax/pydicom/MR_small_RLE.dcm",
    "syntax/pydicom/MR_small_bigendian.dcm",
    "syntax/pydicom/MR_small_implicit.dcm",
    "syntax/pydicom/MR_small_jpeg_ls_lossless.dcm",
    "syntax/pydicom/JPEGLSNearLossless_08.dcm",
    "syntax/pydicom/SC_rgb_small_odd_jpeg.dcm",
    "syntax/pydicom/SC_rgb_jpeg_gdcm.dcm",
    "syntax/pydicom/liver_rle.dcm",
    "syntax/pydicom/MR_small_jp2klossless.dcm",
    "syntax/pydicom/SC_jpeg_no_color_transform.dcm",
    "syntax/pydicom/JPGExtended.dcm",
    "pixel/GH610.dcm",
    "charset/chrH32.dcm",
    "charset/chrI2.dcm",
    "seg_sr/tiny_24x38x3/label_seg.dcm",
    "seg_sr/highdicom/sr_document.dcm",
    "rt/rtdose.dcm",
    "rt/rtstruct.dcm",
    "rt/phantom_rtstruct/rt.dcm",
    "seg_sr/qin_headneck_0003_tid1500/rwvm.dcm",
];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

/// One to eight damages: a byte, a length of all ones, a cut, a block moved, zeros.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(8) {
        // Headers matter more than pixels: half of the damage goes to the first part.
        let reach = if random.below(2) == 0 { out.len().min(3000) } else { out.len() };
        let at = random.below(reach);
        match random.below(6) {
            0 => out.truncate(at.max(1)),
            1 => out.iter_mut().skip(at).take(4).for_each(|b| *b = 0xFF),
            2 => out.iter_mut().skip(at).take(8).for_each(|b| *b = 0),
            3 => {
                let block: Vec<u8> = out.iter().skip(at).take(64).copied().collect();
                let to = random.below(out.len());
                out.splice(to..to, block);
            }
            _ => {
                if let Some(byte) = out.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
        }
    }
    out
}

fn exercise(bytes: Vec<u8>) {
    let Ok(dataset) = Dataset::read(&bytes) else { return };
    let _header = dataset.header();
    let _report = sr::read(&dataset);
    let _segments = seg::read(&dataset);
    let _presentation = gsps::read(&dataset);
    let _key_objects = ko::read(&dataset);
    let _structures = rtstruct::read(&dataset);
    let _mappings = parametric::read(&dataset);
    let _line = check(&bytes, "x");
    let files: Vec<Arc<dyn Source>> = vec![Arc::new(InMemory { name: "x".into(), bytes })];
    if let Ok(series) = series::open(&files, &Watch::default()) {
        for stack in &series.stacks {
            let _slice = stack.load_slice(0);
            let _image = stack.load_image(0);
            if stack.n_slices() < 64 {
                let _volume = stack.load(&Watch::default());
            }
        }
    }
}

fn damage(name: &str, bytes: &[u8], seed: u64) {
    let rounds = std::env::var("MINGJING_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut random = Random(seed);
    for round in 0..rounds {
        let bytes = damaged(bytes, &mut random);
        let run = std::panic::catch_unwind(move || exercise(bytes));
        assert!(run.is_ok(), "{name}, round {round}");
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    for (seed, file) in FILES.iter().enumerate() {
        let Some(path) = mj_testdata::path(file) else { return };
        damage(file, &std::fs::read(path).unwrap(), seed as u64);
    }
}

/// Kinds of objects of which there are no files: those that we write.
#[test]
fn damaged_objects_of_our_own_are_read_or_refused() {
    for (name, object) in [("gsps", gsps::tests::sample()), ("ko", ko::tests::sample()), ("rtstruct", rtstruct::tests::sample())] {
        let Some(bytes) = object else { return };
        damage(name, &bytes, 100);
    }
}
