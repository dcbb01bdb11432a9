//! End to end: the built programs and real peers, on loopback, in temporary folders.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "this is one test program: what goes wrong fails the test, with its reason"
)]

mod bad_input;
mod bench;
#[cfg(target_os = "linux")]
mod bench_segments;
mod codecs;
#[cfg(unix)]
mod dictation;
mod exchange;
mod findings;
mod images;
mod kills;
mod ledger;
mod objects;
mod path_by_command;
mod peers;
#[cfg(unix)]
mod planning;
mod quality;
#[cfg(unix)]
mod reporting;
mod research;
mod results;
mod secrecy;
mod segments;
mod signatures;
mod station;
mod templates;
mod tidy;
mod track;
#[cfg(unix)]
mod view;
mod voxels;
#[cfg(unix)]
mod windows;
#[cfg(unix)]
mod writing;
