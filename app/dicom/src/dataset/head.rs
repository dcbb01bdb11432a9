//! The attributes of an object without its pixels: what scanning a series needs, a few KiB of each file.

use super::{Dataset, parse};
use crate::error::{Error, Result};
use crate::source::Content;
use crate::syntax;
use std::io::{Read, SeekFrom};
use std::ops::Range;

/// How much is read at first, and again where the attributes do not end in it. Units: bytes.
const STEPS: [u64; 2] = [16 << 10, 256 << 10];

/// An object read up to its pixel data.
#[derive(Debug)]
pub struct Head {
    /// All attributes before the pixel data, or the whole object where it had to be read.
    pub dataset: Dataset,
    /// Where uncompressed pixel data lies in the object, when it was left unread. Units: bytes from its beginning.
    pub pixels: Option<Range<u64>>,
    /// Length of the object. Units: bytes.
    pub len: u64,
}

impl Head {
    /// Reads the attributes of an opened object. Compressed and deflated objects are read whole: their pixel data
    /// tells its length only by its end. What stands behind uncompressed pixel data is not looked at.
    ///
    /// # Errors
    /// As [`Dataset::read`]; what the medium says.
    pub fn read(content: &mut dyn Content) -> Result<Self> {
        let len = content.seek(SeekFrom::End(0))?;
        content.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        for step in STEPS.into_iter().filter(|step| *step < len) {
            Read::take(&mut *content, step - bytes.len() as u64).read_to_end(&mut bytes)?;
            if let Some(found) = before_pixels(&bytes, len)? {
                let Found { before, syntax, had_meta } = found;
                let pixels = before.pixels.start as u64..before.pixels.end as u64;
                let mut dataset = Dataset { bytes, root: before.root, syntax, had_meta, cut: None };
                dataset.cut = dataset.believed(before.cut, before.pixels.len())?;
                return Ok(Self { dataset, pixels: Some(pixels), len });
            }
        }
        content.read_to_end(&mut bytes)?;
        Ok(Self { dataset: Dataset::from_vec(bytes)?, pixels: None, len })
    }
}

struct Found {
    before: parse::BeforePixels,
    syntax: String,
    had_meta: bool,
}

/// The attributes in the first bytes of an object of a length, when they end there in uncompressed pixel data. What cannot
/// be followed is left to reading the whole object.
fn before_pixels(bytes: &[u8], len: u64) -> Result<Option<Found>> {
    let Ok(found) = parse::locate(bytes) else { return Ok(None) };
    if found.syntax == syntax::DEFLATED_LE || (syntax::is_encapsulated(&found.syntax) && !found.syntax.is_empty()) {
        return Ok(None);
    }
    let end = usize::try_from(len).map_err(|_too_long| Error::TooLarge { mib: len >> 20 })?;
    let Some(before) = parse::head(bytes, found.start, end, found.is_explicit, found.is_big) else { return Ok(None) };
    let syntax = if found.syntax.is_empty() { parse::native(found.is_explicit, found.is_big).to_owned() } else { found.syntax };
    Ok(Some(Found { before, syntax, had_meta: found.had_meta }))
}

#[cfg(test)]
mod tests {
    use super::super::CUT_SHORT;
    use super::*;
    use crate::write::Object;
    use dicom_core::VR;
    use dicom_dictionary_std::tags;
    use mj_model::Warning;
    use std::io::Cursor;

    fn object(document: usize, pixels: usize) -> Vec<u8> {
        let mut object = Object::new();
        object.text(tags::MODALITY, VR::CS, "CT");
        object.bytes(tags::ENCAPSULATED_DOCUMENT, VR::OB, vec![5; document]);
        object.u16s(tags::ROWS, &[1]);
        object.bytes(tags::PIXEL_DATA, VR::OW, vec![7; pixels]);
        object.into_file("1.2.840.10008.5.1.4.1.1.2", "1.2.3").unwrap()
    }

    fn check(bytes: &[u8], is_left_unread: bool) {
        let head = Head::read(&mut Cursor::new(bytes)).unwrap();
        let whole = Dataset::read(bytes).unwrap();
        assert_eq!(head.pixels.is_some(), is_left_unread);
        assert_eq!(head.len, bytes.len() as u64);
        assert_eq!(head.dataset.transfer_syntax(), whole.transfer_syntax());
        let tags = |d: &Dataset| d.root().elements().map(|e| e.tag).collect::<Vec<_>>();
        assert_eq!(tags(&head.dataset), tags(&whole));
        assert_eq!(head.dataset.root().raw(tags::ENCAPSULATED_DOCUMENT), whole.root().raw(tags::ENCAPSULATED_DOCUMENT));
        if let Some(pixels) = head.pixels {
            assert_eq!(bytes.get(pixels.start as usize..pixels.end as usize), whole.root().raw(tags::PIXEL_DATA));
            assert!(head.dataset.bytes.len() < bytes.len());
        }
    }

    #[test]
    fn small_objects_are_read_whole_and_large_ones_up_to_their_pixels() {
        check(&object(10, 100), false);
        check(&object(10, 100_000), true);
        // Attributes that do not end in the first step, nor in the second.
        check(&object(40_000, 600_000), true);
        check(&object(400_000, 600_000), false);
    }

    #[test]
    fn pixel_data_cut_short_is_told() {
        let whole = object(10, 100_000);
        assert_eq!(Dataset::read(&whole).unwrap().cut_warning(), None);
        let pixels = whole.len() - 100_000;
        let cut = whole.get(..pixels + 90_000).unwrap();
        let (head, read) = (Head::read(&mut Cursor::new(cut)).unwrap(), Dataset::read(cut).unwrap());
        assert_eq!(head.pixels, Some(pixels as u64..cut.len() as u64));
        let told = Some(Warning::new(CUT_SHORT, "90000 of 100000 bytes of pixel data"));
        assert_eq!((head.dataset.cut_warning(), read.cut_warning()), (told.clone(), told));
        assert!(head.dataset.is_cut_short() && read.is_cut_short());
    }

    #[test]
    fn without_any_pixel_or_a_whole_header_an_object_is_refused() {
        let whole = object(10, 100_000);
        let pixels = whole.len() - 100_000;
        for len in [pixels, pixels - 2, pixels - 30] {
            let cut = whole.get(..len).unwrap();
            let refused = Dataset::read(cut).unwrap_err();
            assert!(matches!(refused, Error::Truncated { .. }), "{len}: {refused}");
            assert_eq!(Head::read(&mut Cursor::new(cut)).unwrap_err(), refused, "{len}");
        }
    }
}
