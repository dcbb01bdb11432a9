//! A parsed DICOM object. Values stay where they are in the file's bytes and are decoded when asked for,
//! so that text can be read by its own character set and nothing is allocated on a length's word.

mod head;
mod parse;
#[cfg(test)]
mod tests;
mod view;

pub use head::Head;
pub use view::{Items, View};

use crate::error::{Error, Result};
use crate::syntax;
use dicom_core::{Tag, VR};
use parse::Found;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Most bytes a deflated data set may unfold to. Units: bytes.
const MAX_INFLATED: u64 = 2 << 30;

/// One data element: its tag, value representation and where its value lies.
#[derive(Debug, Clone)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// Value representation, from the file or, where the file has none, from the dictionary.
    pub vr: VR,
    /// Its value.
    pub(crate) value: Value,
}

/// Where a value lies in the object's bytes.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Plain bytes.
    Bytes(Range<usize>),
    /// Items of a sequence.
    Items(Vec<Item>),
    /// Fragments of encapsulated pixel data; the first is the basic offset table.
    Fragments(Vec<Range<usize>>),
}

/// A data set or an item of a sequence: elements sorted by tag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    pub(crate) elements: Vec<Element>,
    /// True when its numbers are big endian.
    pub(crate) is_big: bool,
}

impl Item {
    pub(crate) fn get(&self, tag: Tag) -> Option<&Element> {
        self.elements.binary_search_by(|e| e.tag.cmp(&tag)).ok().and_then(|at| self.elements.get(at))
    }
}

/// A parsed object: its bytes, its elements and its character set.
#[derive(Debug)]
pub struct Dataset {
    bytes: Vec<u8>,
    root: Item,
    syntax: String,
    had_meta: bool,
}

impl Dataset {
    /// Reads an object: with or without the 128 byte preamble, with or without the meta group (the transfer
    /// syntax is then guessed from the first element), plain, deflated or big endian.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotDicom`], [`Error::Truncated`], [`Error::Broken`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::from_vec(bytes.to_vec())
    }

    /// As [`Dataset::read`], taking the bytes over instead of copying them.
    ///
    /// # Errors
    /// As [`Dataset::read`].
    pub fn from_vec(mut bytes: Vec<u8>) -> Result<Self> {
        let found = parse::locate(&bytes)?;
        let Found { start, mut is_explicit, mut is_big, mut syntax, had_meta } = found;
        let mut from = start;
        if syntax == syntax::DEFLATED_LE {
            bytes = inflate(bytes.get(start..).unwrap_or_default())?;
            from = 0;
            (is_explicit, is_big) = (true, false);
        }
        let root = parse::dataset(&bytes, from, is_explicit, is_big)?;
        if syntax.is_empty() {
            syntax = parse::native(is_explicit, is_big).to_owned();
        }
        Ok(Self { bytes, root, syntax, had_meta })
    }

    /// The whole data set, for reading attributes.
    #[must_use]
    pub fn root(&self) -> View<'_> {
        View::root(&self.root, &self.bytes)
    }

    /// Transfer Syntax UID: from the meta group, or as guessed.
    #[must_use]
    pub fn transfer_syntax(&self) -> &str {
        &self.syntax
    }

    /// False for an object without a meta group: its transfer syntax is a guess.
    #[must_use]
    pub const fn has_meta(&self) -> bool {
        self.had_meta
    }
}

/// Hash of the encoded data set without preamble and group 0002: the identity of an instance that came twice.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotDicom`] or [`Error::Truncated`] when no data set begins in the bytes.
pub fn dataset_sha256(bytes: &[u8]) -> Result<[u8; 32]> {
    let start = parse::locate(bytes)?.start;
    Ok(Sha256::digest(bytes.get(start..).unwrap_or_default()).into())
}

/// Where the encoded data set begins in an object, with or without preamble and meta group, and its transfer syntax: what
/// goes over a wire.
///
/// # Errors
/// As [`dataset_sha256`].
pub fn locate(bytes: &[u8]) -> Result<(usize, String)> {
    let found = parse::locate(bytes)?;
    let syntax = if found.syntax.is_empty() { parse::native(found.is_explicit, found.is_big).to_owned() } else { found.syntax };
    Ok((found.start, syntax))
}

fn inflate(deflated: &[u8]) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let mut out = Vec::new();
    flate2::read::DeflateDecoder::new(deflated)
        .take(MAX_INFLATED + 1)
        .read_to_end(&mut out)
        .map_err(|error| Error::Codec { codec: "deflate", what: error.kind().to_string() })?;
    if out.len() as u64 > MAX_INFLATED {
        return Err(Error::TooLarge { mib: MAX_INFLATED >> 20 });
    }
    Ok(out)
}
