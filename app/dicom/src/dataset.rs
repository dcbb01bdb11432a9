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
use dicom_dictionary_std::tags;
use mj_model::Warning;
use parse::{Cut, Found};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Code of the warning on an object that is cut short.
pub const CUT_SHORT: &str = "file.cut_short";
/// The attributes that hold pixels.
pub(crate) const PIXELS: [Tag; 3] = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
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
    cut: Option<Cut>,
}

impl Dataset {
    /// Reads an object: with or without the 128 byte preamble, with or without the meta group (the transfer
    /// syntax is then guessed from the first element), plain, deflated or big endian. One that ends early in its pixel data
    /// is read when a row of it may be there, or a frame where it is compressed: see [`Dataset::is_cut_short`].
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
        let (root, cut) = parse::dataset(&bytes, from, is_explicit, is_big)?;
        if syntax.is_empty() {
            syntax = parse::native(is_explicit, is_big).to_owned();
        }
        let mut dataset = Self { bytes, root, syntax, had_meta, cut: None };
        let there = PIXELS.iter().find_map(|&tag| dataset.root().raw(tag)).map_or(0, <[u8]>::len);
        dataset.cut = dataset.believed(cut, there)?;
        Ok(dataset)
    }

    /// What is to be said of pixel data that ends early, of which so many uncompressed bytes are there. A missing delimiter
    /// says nothing where there are as many fragments as frames.
    ///
    /// # Errors
    /// [`Error::Truncated`] when not even a first row or frame can be there.
    fn believed(&self, cut: Option<Cut>, there: usize) -> Result<Option<Cut>> {
        let root = self.root();
        let count = |tag| root.count(tag).map_or(1, u64::from);
        let frames = count(tags::NUMBER_OF_FRAMES);
        match cut {
            None => Ok(None),
            Some(Cut::Bytes { .. }) => {
                let row_bits = [tags::COLUMNS, tags::SAMPLES_PER_PIXEL, tags::BITS_ALLOCATED].map(count).iter().product::<u64>();
                if (there as u64).saturating_mul(8) < row_bits { Err(Error::Truncated { what: "pixel data" }) } else { Ok(cut) }
            }
            Some(Cut::Unclosed(n)) => Ok(cut.filter(|_| n > 1 && frames > 1 && (n as u64 - 1) < frames)),
            // The offset table, a frame, and what is cut.
            Some(Cut::Fragment(n)) if n > 1 && frames > 1 => Ok(cut),
            Some(Cut::Fragment(_)) => Err(Error::Truncated { what: "fragment of pixel data" }),
        }
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

    /// True when the object ends early in its pixel data: only its first rows or frames are there. Everything before the
    /// pixel data is whole.
    #[must_use]
    pub const fn is_cut_short(&self) -> bool {
        self.cut.is_some()
    }

    /// True when its compressed frames end behind a whole fragment: what should follow is not even begun.
    #[cfg(feature = "pixels")]
    pub(crate) const fn ends_between_fragments(&self) -> bool {
        matches!(self.cut, Some(Cut::Unclosed(_)))
    }

    /// The warning that says so.
    #[must_use]
    pub fn cut_warning(&self) -> Option<Warning> {
        let detail = match self.cut? {
            Cut::Bytes { there, declared } => format!("{there} of {declared} bytes of pixel data"),
            Cut::Fragment(n) | Cut::Unclosed(n) => format!("the pixel data ends after {} fragments", n.saturating_sub(1)),
        };
        Some(Warning::new(CUT_SHORT, detail))
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
