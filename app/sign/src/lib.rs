//! Signatures by certificates that others can verify without us.
//!
//! [`Identity`] is a person's key with its certificates. [`pdf::sign`] adds a PAdES B-B signature (ETSI EN 319 142-1) to a
//! PDF as an incremental update; [`pdf::verify`] reads them back from any file and says what they prove.
//!
//! Not here: where keys are kept, who may sign what.

#![forbid(unsafe_code)]

mod cms;
mod der;
mod error;
mod identity;
pub mod pdf;

pub use cms::{Trust, Vouched};
pub use error::{Error, Result};
pub use identity::Identity;

#[cfg(test)]
mod tests;
