//! Volumes on the CPU: reslice, project, volume rendering, measure, segment, register, surface, plan, files of research, and the demo
//! patient.
//!
//! Plain functions over `mj_model::Volume` and `mj_model::Mask`; the work is spread over threads by rayon.
//! No window, GPU or DICOM data set is opened here; the only files are those of research, in [`import`].
//!
//! Start reading at [`plane`] for the picture's geometry, then [`reslice`] and [`raycast`] for the
//! fast makers of pictures and [`oracle`] for the slow, plain reference that they (and the GPU's shaders) are tested against.

pub mod blocks;
pub mod error;
pub mod export;
mod field;
pub mod import;
pub mod measure;
pub mod oracle;
pub mod phantom;
pub mod picture;
pub mod plan;
pub mod plane;
pub mod raycast;
pub mod register;
pub mod reslice;
mod sample;
pub mod segment;
pub mod still;
pub mod surface;
pub mod trace;
pub mod window;

#[cfg(test)]
mod testing;

pub use blocks::Blocks;
pub use error::{Error, Result};
pub use picture::{Interpolation, Picture, Projection};
pub use plane::Plane;
pub use trace::Trace;
