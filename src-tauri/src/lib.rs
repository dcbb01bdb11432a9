//! The shell's core, without a window: the record that is open, the study and the report being read, the child
//! viewer and the speech worker, and what the page is told about them.
//!
//! [`desk::Desk`] is the core; [`page`] is what crosses to the page. The program in `main.rs` adds the window
//! and thin commands; tests drive the core alone.

#![forbid(unsafe_code)]

pub mod desk;
pub mod page;
