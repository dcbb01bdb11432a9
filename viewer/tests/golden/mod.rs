//! The one helper for golden images.

use std::path::{Path, PathBuf};

/// Largest file. Units: bytes.
const BUDGET: u64 = 32 * 1024;
/// Pixels that may differ by more.
const STRAY: usize = 10;

/// Compares a grey picture with its golden image.
pub(crate) fn check(name: &str, width: usize, height: usize, grey: &[u8], most: u8) {
    assert!(STRAY * 1000 <= width * height, "more than 0.1 % of the pixels could be wrong");
    let path = place(name);
    if std::env::var("MINGJING_BLESS").as_deref() == Ok("1") {
        std::fs::write(&path, mj_viewer::raster::grey_png(width, height, grey).unwrap()).unwrap();
    }
    let wanted = read(name, width, height);
    assert!(std::fs::metadata(&path).unwrap().len() <= BUDGET, "{name}.png is over its budget");
    let differences: Vec<u8> = grey.iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).collect();
    let stray = count(&differences, most);
    if stray > STRAY {
        let folder = failures();
        let shown: Vec<u8> = differences.iter().map(|d| d.saturating_mul(32)).collect();
        std::fs::write(folder.join(format!("{name}.made.png")), mj_viewer::raster::grey_png(width, height, grey).unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.diff.png")), mj_viewer::raster::grey_png(width, height, &shown).unwrap()).unwrap();
        let worst = differences.iter().max().copied().unwrap_or(0);
        let about = format!("{{\"name\":\"{name}\",\"stray\":{stray},\"allowed\":{STRAY},\"worst\":{worst},\"most\":{most}}}");
        std::fs::write(folder.join(format!("{name}.json")), &about).unwrap();
        panic!("{about}: see {}", folder.display());
    }
}

/// True when a picture would fail [`check`].
pub(crate) fn would_fail(name: &str, width: usize, height: usize, grey: &[u8], most: u8) -> bool {
    let wanted = read(name, width, height);
    count(&grey.iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).collect::<Vec<_>>(), most) > STRAY
}

fn count(differences: &[u8], most: u8) -> usize {
    differences.iter().filter(|d| **d > most).count()
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.png"))
}

fn failures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn read(name: &str, width: usize, height: usize) -> Vec<u8> {
    let path = place(name);
    let file =
        std::fs::File::open(&path).unwrap_or_else(|e| panic!("{}: {e}; make it with MINGJING_BLESS=1 and look at it", path.display()));
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    assert_eq!((reader.info().width as usize, reader.info().height as usize), (width, height));
    let mut pixels = vec![0; width * height];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}
