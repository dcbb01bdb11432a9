//! Typesetting of reports as PDF.
//!
//! A [`Sheet`](mj_report::Sheet) goes in, a PDF/A with embedded fonts comes out. The page is laid out by
//! typst in this process, without network, packages or files of the machine: its world holds one template of
//! ours, the sheet as data and the pictures. Text of a report is data to the template, never markup.
//!
//! Not here: what stands on the sheet (`mj-report`), who may sign (`mj-report`, `mj-record`). Another kind of
//! page (a plan) is another template over the same world ([`typeset_data`]).

#![forbid(unsafe_code)]

mod error;
mod fonts;
mod layout;
mod world;

pub use error::{Error, Result};
pub use fonts::Fonts;
pub use layout::{Page, typeset, typeset_data};

#[cfg(test)]
mod tests;
