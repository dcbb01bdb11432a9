//! wgpu pictures of volumes: slices, slabs, projections; on screen and off.
//!
//! A picture is made in two steps that are cached apart: *values* of a plane or slab in the volume's unit (a
//! float texture), then *grey* by a window (an 8-bit texture). Changing the window costs no second walk
//! through the volume. Textures hold stored samples; slope and intercept are applied in the shader.
//!
//! Not here: windows of the desktop, `egui`, files, and every number a clinician reads (those come from the
//! CPU in `f64`, see `mj-imaging`, whose plain reference is the test oracle of these shaders).
//!
//! Start reading at [`view`] (what a picture shows), then [`painter`].

pub mod error;
mod fold;
pub mod gpu;
pub mod painter;
pub mod solid;
pub mod texture;
pub mod view;

pub use error::{Error, Result};
pub use gpu::Gpu;
pub use painter::{Painter, Target};
pub use solid::{SolidInput, SolidLook};
pub use texture::{ColourTexture, Storage, VolumeTexture};
pub use view::{Projection, View};
