//! What the end to end tests share: real peers, odd peers, outside checkers, and our own built programs.
//!
//! Everything started here listens on loopback only, on a port the system chose, works in a temporary folder
//! and is stopped by its process id when its handle is dropped. A tool that is not installed is a printed
//! skip, and a failure under `MINGJING_STRICT=1`.
//!
//! - [`orthanc`]: Debian's Orthanc as the hospital's PACS, with its REST interface.
//! - [`dcmtk`]: `storescu`, `echoscu`, `findscu`, `storescp`.
//! - [`pacs`]: peers that cut the line, keep quiet or talk rubbish.
//! - [`checkers`]: `dciodvfy`, PixelMed, `qpdf`, `pdffonts`, `pdftotext`, `pdftoppm`, Python.
//! - [`objects`]: small valid CT objects, where no real image is needed.
//! - [`programs`]: `mingjing` and the other binaries of this build.
//! - `windows`: the shell and the rooms on a virtual screen.
//! - [`process`]: programs that tests start, and how they end.
//! - [`rest`]: just enough HTTP for Orthanc and the window driver.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "this crate only serves tests: what cannot be set up fails the test with its reason"
)]

pub mod checkers;
pub mod dcmtk;
pub mod objects;
pub mod orthanc;
pub mod pacs;
pub mod process;
pub mod programs;
pub mod rest;
#[cfg(unix)]
pub mod windows;

use std::path::{Path, PathBuf};

/// A temporary folder that is removed when dropped.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("mingjing-test-").tempdir().expect("a temporary folder")
}

/// The workspace's root folder.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Files of a real series, sorted by name, at most `n`; `None` when the real images are absent (the skip has
/// been printed).
#[must_use]
pub fn real_files(relative: &str, n: usize) -> Option<Vec<PathBuf>> {
    let folder = mj_testdata::path(relative)?;
    let mut files: Vec<_> = std::fs::read_dir(&folder).ok()?.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_file()).collect();
    files.sort();
    files.truncate(n);
    Some(files)
}
