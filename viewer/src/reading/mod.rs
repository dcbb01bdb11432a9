//! The reading room: linked slices, measurements, key images.
//!
//! [`room::Room`] is everything of the room that egui draws and changes, without a window system, so that a
//! test can drive it; [`app`] puts it into a window. State is in [`scene`] (what is shown), [`ledger`] (the
//! findings, acknowledged or not) and [`pane`] (one viewport). Pictures come from [`maker`]; files are read on
//! the thread of [`loader`]. What a person can do is one list, [`action::Action`], shared by toolbar, menu,
//! keys and help.

pub mod action;
pub mod app;
mod cine;
mod cover;
pub mod event;
mod findings;
mod gesture;
mod help;
mod keyimage;
pub mod layout;
pub mod ledger;
pub mod loader;
pub mod maker;
mod notices;
pub mod pane;
pub mod presets;
pub mod room;
mod rulers;
pub mod scene;
mod shelf;
pub mod slab;
pub mod solid;
mod thumbs;
mod toolbar;
mod viewports;

pub use app::run;
