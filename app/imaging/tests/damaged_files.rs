//! Damaged research files: whatever is done to them, they are read or refused, never a panic, never more memory than
//! the file could fill. Mutations are seeded, so a failure repeats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

use mj_imaging::import;
use mj_testdata::allocations::{self, Counting};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Memory that reading any file may take: buffers and texts.
const FREE: usize = 512 << 10;
/// Deflate unpacks a byte into at most 1,032; voxels of eight bytes become samples of at most eight.
const PER_BYTE: usize = 2 * 1100;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn voxels(n: usize) -> Vec<u8> {
    (0..n).map(|v| (v * v % 251) as u8).collect()
}

/// One small file of each kind, by name.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let mut nifti = vec![0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| nifti[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (n, v) in [3_i16, 6, 5, 4, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + n * 2, &v.to_le_bytes());
    }
    put(70, &8_i16.to_le_bytes());
    put(72, &32_i16.to_le_bytes());
    for (n, v) in [1.0_f32, 1.0, 1.5, 2.0].into_iter().enumerate() {
        put(76 + n * 4, &v.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(252, &1_i16.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    for (at, v) in [(280, 1.0_f32), (300, 1.5), (320, 2.0)] {
        put(at, &v.to_le_bytes());
    }
    put(344, b"n+1\0");
    nifti.extend(voxels(480));
    let mut two = vec![0_u8; 544];
    let mut put = |at: usize, bytes: &[u8]| two[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &540_i32.to_be_bytes());
    put(4, b"n+2\0\r\n\x1a\n");
    put(12, &64_i16.to_be_bytes());
    for (n, v) in [3_i64, 4, 3, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(16 + n * 8, &v.to_be_bytes());
    }
    for n in 0..4 {
        put(104 + n * 8, &1_f64.to_be_bytes());
    }
    put(168, &544_i64.to_be_bytes());
    put(344, &1_i32.to_be_bytes());
    two.extend(voxels(192));
    let fields = "NRRD0005\n# x\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 5 4 3\n\
        space directions: (1,0,0) (0,1.5,0) (0,0,2)\nkinds: domain domain domain\nendian: little\nkey:=value\n\
        space origin: (1,2,3)\nencoding: ";
    let nrrd = |encoding: &str, data: &[u8]| [format!("{fields}{encoding}\n\n").as_bytes(), data].concat();
    let numbers: String = (0..60).map(|v| format!("{} ", v * 7 - 100)).collect();
    let mut spaced = format!("{}raw\nbyte skip: 3\nline skip: 1\n\nline\nabc", fields.replace("5 4 3", "3 5 4 1")).into_bytes();
    spaced = String::from_utf8_lossy(&spaced)
        .replace("dimension: 3", "dimension: 4")
        .replace("directions: ", "directions: none ")
        .replace("kinds: ", "kinds: list ")
        .into_bytes();
    spaced.extend(voxels(120));
    let meta = |more: &str, data: &[u8]| {
        let head = format!(
            "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n{more}TransformMatrix = 1 0 0 0 1 0 0 0 1\n\
             Offset = 1 2 3\nElementSpacing = 1 1.5 2\nDimSize = 5 4 3\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
        );
        [head.as_bytes(), data].concat()
    };
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(&voxels(240)).unwrap();
    vec![
        ("a.nii.gz", gzip(&nifti)),
        ("a.nii", nifti),
        ("b.nii", two),
        ("a.nrrd", nrrd("gzip", &gzip(&voxels(120)))),
        ("b.nrrd", nrrd("raw", &voxels(120))),
        ("c.nrrd", nrrd("ascii", numbers.as_bytes())),
        ("d.nrrd", spaced),
        ("a.mha", meta("", &voxels(240))),
        ("b.mha", meta("CompressedData = True\n", &zlib.finish().unwrap())),
    ]
}

/// One to six damages: a byte, a digit, ones, zeros, a cut, a block put in.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(out.len());
        match random.below(8) {
            0 => out.truncate(at.max(1)),
            1 => out.iter_mut().skip(at).take(4).for_each(|b| *b = 0xFF),
            2 => out.iter_mut().skip(at).take(8).for_each(|b| *b = 0),
            3 => {
                let block: Vec<u8> = out.iter().skip(at).take(40).copied().collect();
                let to = random.below(out.len());
                out.splice(to..to, block);
            }
            // Text headers lie by their digits.
            4 => {
                if let Some(digit) = out.iter_mut().skip(at).find(|b| b.is_ascii_digit()) {
                    *digit = b'0' + random.below(10) as u8;
                }
            }
            5 => drop(out.splice(at..at, b"99999".iter().copied())),
            _ => {
                if let Some(byte) = out.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
        }
    }
    out
}

/// Reads a file, and holds what it took against its length. True when it was opened.
fn exercise(path: &Path, bytes: &[u8], what: &str) -> bool {
    std::fs::write(path, bytes).unwrap();
    let (start, clock) = (allocations::start(), Instant::now());
    let opened = import::open(path);
    let (taken, seconds) = (allocations::taken(start), clock.elapsed().as_secs_f64());
    let most = FREE + bytes.len() * PER_BYTE;
    assert!(taken.peak <= most, "{what}: {taken:?} of {} bytes", bytes.len());
    assert!(seconds < 2.0, "{what}: {seconds} s");
    let Ok(opened) = opened else { return false };
    // What was opened is whole: every voxel has a value and a finite place.
    let grid = &opened.volume.grid;
    assert_eq!(opened.volume.samples.len(), grid.n_voxels(), "{what}");
    assert!(grid.box_lps().0.is_finite() && grid.box_lps().1.is_finite(), "{what}");
    assert!(grid.voxel_from_lps(grid.centre()).iter().all(|v| v.is_finite()), "{what}");
    true
}

#[test]
fn damaged_files_are_read_or_refused() {
    let rounds = std::env::var("MINGJING_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    // Thousands of files are written: in memory where there is such a folder.
    let in_memory = Path::new("/dev/shm");
    let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }.unwrap();
    for (seed, (name, bytes)) in files().into_iter().enumerate() {
        let path = folder.path().join(name);
        assert!(exercise(&path, &bytes, name), "{name} is right and was refused: {:?}", import::open(&path).err());
        for length in 0..bytes.len() {
            let is_opened = exercise(&path, &bytes[..length], &format!("{name}, first {length} bytes"));
            // Without its last blank a text is whole.
            assert!(!is_opened || name == "c.nrrd", "{name}: {length} of {} bytes were enough", bytes.len());
        }
        let mut random = Random(seed as u64);
        let n_opened = (0..rounds).filter(|n| exercise(&path, &damaged(&bytes, &mut random), &format!("{name}, round {n}"))).count();
        assert!(n_opened > 0 && n_opened < rounds, "{name}: {n_opened} of {rounds} opened");
    }
}
