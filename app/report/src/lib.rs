//! The report document and everything that is decided about it without a disk or a window.
//!
//! A [`Document`] is a list of [`Block`]s of plain text. Two kinds of anchors live in the text: a [`Slot`] is
//! a number bound to a measurement, and a [`Mark`] is a claim about a stretch of text. All changes are small
//! [`Op`]s: they can be applied ([`Document::apply`]), undone ([`Document::inverse`]) and moved past each
//! other ([`rebase`]). From a [`Template`] a document begins, [`sentence`] words a finding, [`check`] reads
//! the document over, [`life`] says what may follow what, and a [`Sheet`] is what gets printed.
//!
//! Not here: where a document is kept (`mj-record`), how it is typeset (`mj-pdf`). Start reading at
//! [`document`].

#![forbid(unsafe_code)]

pub mod document;
pub mod op;

pub mod check;
pub mod claims;
pub mod codes;
pub mod draft;
pub mod exchange;
pub mod life;
pub mod mrrt;
pub mod render;
pub mod rules;
pub mod sentence;
pub mod sheet;
pub mod show;
pub mod template;
pub mod wording;

mod apply;
pub mod binding;
pub mod error;
pub mod rebase;

#[cfg(test)]
mod proptests;
#[cfg(test)]
mod testing;

pub use binding::insert_number;
pub use check::{CheckContext, CheckResult, Severity, check, check_text};
pub use claims::{Known, confirm, living};
pub use document::{Block, BlockKind, Claim, ClaimState, Document, Mark, SLOT_CHAR, Slot, SlotState, clean};
pub use error::{Error, Result};
pub use life::{Content, Draft, Report, Signature, State, content_sha256};
pub use op::{Edit, EditSource, Op};
pub use rebase::{rebase, transform};
pub use render::{render_md, render_txt};
pub use sentence::{Sentence, place, sentence};
pub use sheet::Sheet;
pub use show::Shown;
pub use template::Template;
