//! DICOM objects in and out.
//!
//! Reading starts at [`Dataset::read`]; [`Dataset::header`] gives patient, study and series with their text
//! decoded by its own character set ([`charset`]). With the feature `pixels` also stored samples (`pixels`),
//! whole series as volumes or stacks (`series`) and the examination of single files (`check`) are here.
//! No socket, no database, and nothing that knows where objects are kept.
//!
//! Everything from a file is untrusted: lengths are held against the bytes that are there, nothing panics,
//! and memory is bounded before it is asked for.

#![forbid(unsafe_code)]

pub mod charset;
#[cfg(feature = "pixels")]
pub mod check;
pub mod context;
pub mod ct;
pub mod dataset;
pub mod encapsulated;
mod error;
#[cfg(test)]
mod error_tests;
#[cfg(all(test, feature = "pixels"))]
mod fuzz_tests;
pub mod gsps;
pub mod header;
pub mod ko;
pub mod likeness;
#[cfg(test)]
mod outside;
pub mod parametric;
#[cfg(feature = "pixels")]
pub mod pixels;
pub mod plane;
pub mod rtstruct;
pub mod seg;
#[cfg(feature = "pixels")]
pub mod series;
pub mod source;
pub mod sr;
#[cfg(feature = "pixels")]
pub mod suv;
pub mod syntax;
mod watch;
pub mod write;

pub use dataset::{Dataset, Head, View, dataset_sha256};
pub use error::{Error, Result};
pub use header::Header;
pub use source::{Content, Source};
pub use watch::{Progress, Watch};
