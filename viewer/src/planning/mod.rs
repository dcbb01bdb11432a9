//! The planning room: a segment in 3D, a cutting plane, and the volumes on both sides of it.
//!
//! An eframe window on glow with a three-d scene ([`scene`]), a process of its own. [`room::Room`] holds the
//! state and lays the window out; [`cutting`] is the plane with its history, [`orbit`] the camera, [`case`] what
//! was loaded, [`plans`] what the record has of it, [`work`] the threads that read and compute volumes. Numbers
//! come from voxels on the CPU, never from the picture.

mod action;
mod app;
pub mod case;
pub mod cutting;
mod layout;
pub mod orbit;
mod panel;
mod picture;
pub mod plans;
mod room;
mod scene;
mod slices;
mod view;
mod work;

pub use app::run;
