//! Report templates in the form of IHE MRRT (Management of Radiology Report Templates, RAD TF-1 ch. 36): HTML5 whose sections
//! hold fields to fill in and lists to pick from.
//!
//! A section becomes a field of the report, an input of it a line "title：value" where the template fills one in, and its
//! choices become phrases that are put in with one touch. What only a form can do (scripts, pictures, fields that appear with
//! others) is left out, or always there, and named.

mod codes;
mod form;
mod naming;
mod read;
mod words;
mod write;

pub use read::{Imported, MOST_BYTES, decode, read};
pub use write::write;

#[cfg(test)]
mod tests;
