//! Finds the real images that tests and benches use.
//!
//! They lie in `MINGJING_TEST_DATA`, by default `../shared/data` beside the checkout, and are never copied
//! into the project. Where they are absent a test prints that it was skipped and why; under
//! `MINGJING_STRICT=1` it fails instead.

#![expect(clippy::print_stderr, clippy::panic, reason = "this crate only serves tests: a skip is printed, a strict one fails")]

use std::path::{Path, PathBuf};

/// The folder of real images, if it is there.
#[must_use]
pub fn root() -> Option<PathBuf> {
    let root = std::env::var_os("MINGJING_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    root.is_dir().then_some(root)
}

/// A file or folder of the real images. `None` means: return from the test, the skip has been printed.
///
/// # Panics
/// Under `MINGJING_STRICT=1` when it is absent, which fails the test.
#[must_use]
pub fn path(relative: &str) -> Option<PathBuf> {
    let found = root().map(|root| root.join(relative)).filter(|p| p.exists());
    if found.is_none() {
        skip(&format!("no real images ({relative}); set MINGJING_TEST_DATA"));
    }
    found
}

/// Prints that a test is skipped and why; fails under `MINGJING_STRICT=1`.
///
/// # Panics
/// Under `MINGJING_STRICT=1`.
pub fn skip(why: &str) {
    assert!(std::env::var("MINGJING_STRICT").as_deref() != Ok("1"), "skipped under MINGJING_STRICT=1: {why}");
    eprintln!("SKIPPED: {why}");
}
