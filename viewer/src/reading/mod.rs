//! The reading room: linked slices, measurements, key images.
//!
//! [`room::Room`] is everything of the room that egui draws and changes, without a window system, so that a
//! test can drive it; [`app`] puts it into a window. State is in [`scene`] (what is shown), [`ledger`] (the
//! findings, acknowledged or not) and [`pane`] (one viewport); [`beside`] holds the prior's, looked at beside them. A shape is drawn as a `draft`, lies in the patient as `placed`, gets
//! its numbers in `measuring` and is seen by `shapes`. Pictures come from [`maker`]; files are read on
//! the thread of [`loader`]. What a person can do is one list, [`action::Action`], shared by toolbar, menu,
//! keys and help.

pub mod action;
pub mod app;
pub mod beside;
mod cine;
mod cover;
mod draft;
pub mod event;
mod findings;
mod gesture;
mod help;
mod keyimage;
pub mod layout;
pub mod ledger;
pub mod loader;
pub mod maker;
mod measuring;
mod notices;
pub mod pane;
mod placed;
pub mod presets;
mod review;
pub mod room;
pub mod scene;
pub mod segments;
mod shapes;
mod shelf;
pub mod slab;
pub mod solid;
mod text;
mod thumbs;
mod toolbar;
mod viewports;

pub use app::run;
