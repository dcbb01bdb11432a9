//! The viewer: it owns pixels and keeps no record.
//!
//! One program, three ways to run: the *reading room* ([`reading`]: linked slices and measurements), the
//! *planning room* ([`planning`]: segments and cuts in 3D) and the *headless worker* ([`headless`]: decoding,
//! rendering, segmentation for a parent program). Whatever matters goes to the parent the moment it is
//! committed, as a message of `mj-link` ([`stdio`]); what is too big for a message is a sealed file in the
//! record's inbox.
//!
//! Not here: the record, sockets, reports, and text that a person types (egui's input of Chinese has open
//! faults, so that text is to be asked for through the link).
//!
//! Start reading at [`run`] for the entry, then [`reading::app`].

pub mod args;
pub mod error;
pub mod headless;
pub mod overlay;
pub mod planning;
pub mod raster;
pub mod reading;
pub mod research;
pub mod run;
pub mod source;
pub mod stdio;
pub mod ui;
mod window;

pub use error::{Error, Result};
pub use run::run;
