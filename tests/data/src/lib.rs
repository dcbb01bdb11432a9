//! Finds the real images that tests and benches use.
//!
//! They lie in `MINGJING_TEST_DATA`, by default `../shared/data` beside the checkout, and are never copied
//! into the project. Where they are absent a test prints that it was skipped and why; under
//! `MINGJING_STRICT=1` it fails instead.

#![expect(clippy::print_stderr, clippy::panic, reason = "this crate only serves tests: a skip is printed, a strict one fails")]

pub mod allocations;
mod random;
pub mod whisper;

pub use random::Random;

use std::fs::OpenOptions;
use std::io::Write as _;
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
/// The test's output is hidden where it passes, so the line also goes into the file `MINGJING_SKIP_LOG`, which
/// `cargo xtask` sets and prints at the end.
///
/// # Panics
/// Under `MINGJING_STRICT=1`.
pub fn skip(why: &str) {
    assert!(std::env::var("MINGJING_STRICT").as_deref() != Ok("1"), "skipped under MINGJING_STRICT=1: {why}");
    let thread = std::thread::current();
    let line = format!("SKIPPED: {}: {why}", thread.name().unwrap_or("a test"));
    eprintln!("{line}");
    append("MINGJING_SKIP_LOG", &line);
}

/// Notes a result of a long run or a bench as one line of JSON in the file `MINGJING_RESULTS`, which
/// `cargo xtask soak` and `bench` set and turn into a table; prints it in any case.
///
/// `line` is what was measured, `who` the program (`mingjing` for ours, so that ratios can be taken), `unit` what
/// the values count (`s`, `MiB`, `kills`), `note` anything a reader has to know.
pub fn note(line: &str, who: &str, unit: &str, values: &[f64], note: &str) {
    let numbers: Vec<String> = values.iter().map(|v| if v.is_finite() { v.to_string() } else { "null".into() }).collect();
    let [line, who, unit, note] = [line, who, unit, note].map(quoted);
    let json = format!(r#"{{"line":{line},"who":{who},"unit":{unit},"values":[{}],"note":{note}}}"#, numbers.join(","));
    eprintln!("RESULT: {json}");
    append("MINGJING_RESULTS", &json);
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One write per line, so that lines of tests that run side by side do not mix.
fn append(variable: &str, line: &str) {
    let Some(file) = std::env::var_os(variable) else { return };
    let written =
        OpenOptions::new().create(true).append(true).open(&file).and_then(|mut out| out.write_all(format!("{line}\n").as_bytes()));
    if let Err(e) = written {
        panic!("cannot write the file {variable} names: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_become_json() {
        for (text, json) in [("plain", r#""plain""#), ("a \"b\" \\ 中", r#""a \"b\" \\ 中""#), ("two\nlines", r#""two lines""#)] {
            assert_eq!(quoted(text), json);
        }
    }
}
