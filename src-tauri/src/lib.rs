//! The shell's core, without a window: the record that is open, the study and the report being read, the child
//! viewer and the speech worker, and what the page is told about them.

#![forbid(unsafe_code)]

pub mod page;
