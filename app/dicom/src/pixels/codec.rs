//! Compressed frames to stored samples. Dimensions in a codestream are held against the header before
//! anything is decoded, so that a lie costs no memory; a codec's panic is caught and told as its error.

use super::layout::Layout;
use super::samples::{self, FrameSamples};
use super::{jpeg, jpeg_ls, jpeg2000, rle};
use crate::error::{Error, Result};
use crate::syntax::{self, DEFLATED_FRAME, ENCAPSULATED_UNCOMPRESSED, RLE};
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How frames of a transfer syntax are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Rle,
    Deflate,
    Uncompressed,
    Jpeg,
    JpegLs,
    Jpeg2000,
}

impl Codec {
    /// The codec of a transfer syntax.
    ///
    /// # Errors
    /// [`Error::Video`], [`Error::UnsupportedSyntax`].
    pub(super) fn of(uid: &str) -> Result<Self> {
        match uid {
            RLE => Ok(Self::Rle),
            DEFLATED_FRAME => Ok(Self::Deflate),
            ENCAPSULATED_UNCOMPRESSED => Ok(Self::Uncompressed),
            _ if syntax::is_jpeg(uid) => Ok(Self::Jpeg),
            _ if syntax::is_jpeg_ls(uid) => Ok(Self::JpegLs),
            _ if syntax::is_jpeg_2000(uid) => Ok(Self::Jpeg2000),
            _ if syntax::is_video(uid) => Err(Error::Video { uid: uid.to_owned() }),
            _ => Err(Error::UnsupportedSyntax { uid: uid.to_owned() }),
        }
    }

    /// Decodes one frame.
    pub(super) fn decode(self, stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
        let work = AssertUnwindSafe(|| match self {
            Self::Rle => rle::decode(stream, layout),
            Self::Deflate => deflated(stream, layout),
            Self::Uncompressed => samples::from_native(stream, layout),
            Self::Jpeg => jpeg::decode(stream, layout),
            Self::JpegLs => jpeg_ls::decode(stream, layout),
            Self::Jpeg2000 => jpeg2000::decode(stream, layout),
        });
        catch_unwind(work).unwrap_or_else(|_panic| Err(Error::Codec { codec: self.name(), what: "the codec failed".into() }))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Rle => "rle",
            Self::Deflate => "deflate",
            Self::Uncompressed => "none",
            Self::Jpeg => "jpeg",
            Self::JpegLs => "jpeg-ls",
            Self::Jpeg2000 => "jpeg2000",
        }
    }
}

fn deflated(stream: &[u8], layout: &Layout) -> Result<FrameSamples> {
    let most = if layout.bits_allocated == 1 { layout.n_pixels().div_ceil(8) } else { layout.full_frame_bytes() };
    let mut raw = Vec::with_capacity(most);
    flate2::read::DeflateDecoder::new(stream)
        .take(most as u64)
        .read_to_end(&mut raw)
        .map_err(|error| Error::Codec { codec: "deflate", what: error.kind().to_string() })?;
    if layout.bits_allocated == 1 { samples::unpack_bits(&raw, layout, 0) } else { samples::from_native(&raw, layout) }
}
