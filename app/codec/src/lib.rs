//! Image codecs written in C, behind safe functions: `OpenJPEG` for JPEG 2000 and HTJ2K, `libjpeg-turbo` for JPEG.
//!
//! The only crate of the project that calls them. It knows nothing of DICOM: a caller says what the picture must be,
//! and holds the header of the stream against that first, so that a lie costs no memory.
//! What is here runs in the viewer's process alone, which may die without a loss.

mod openjpeg;
mod turbo;

pub use openjpeg::{Plane, decode_jpeg_2000};
pub use turbo::{JpegSamples, Wanted, decode_jpeg};
