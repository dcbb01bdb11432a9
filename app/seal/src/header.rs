//! The header and the nonces.

use crate::{Error, Result};
use chacha20poly1305::XNonce;

/// Length of the header. Units: bytes.
pub const HEADER: usize = 32;
/// Plain bytes of a full chunk. Units: bytes.
pub const CHUNK: usize = 1 << CHUNK_LOG2;
/// Length of a chunk's tag. Units: bytes.
pub(crate) const TAG: usize = 16;

const CHUNK_LOG2: u8 = 16;
const MAGIC: &[u8; 6] = b"MJSEAL";
const VERSION: u16 = 1;

/// The random number of a sealed file; object files are called by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub [u8; 16]);

impl FileId {
    /// A new random one.
    pub(crate) fn generate() -> Result<Self> {
        let mut id = [0_u8; 16];
        getrandom::fill(&mut id).map_err(|_none| Error::NoRandom)?;
        Ok(Self(id))
    }

    /// Reads 32 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then(|| u128::from_str_radix(text, 16).ok().map(|n| Self(n.to_be_bytes()))).flatten()
    }
}

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A parsed or freshly made header, with its bytes as they stand in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) bytes: [u8; HEADER],
    pub(crate) id: FileId,
}

impl Header {
    pub(crate) fn fresh() -> Result<Self> {
        let id = FileId::generate()?;
        let mut bytes = [0_u8; HEADER];
        bytes[..6].copy_from_slice(MAGIC);
        bytes[6..8].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8] = CHUNK_LOG2;
        bytes[16..].copy_from_slice(&id.0);
        Ok(Self { bytes, id })
    }

    pub(crate) fn parse(bytes: [u8; HEADER]) -> Result<Self> {
        let known =
            bytes[..6] == *MAGIC && bytes[6..8] == VERSION.to_le_bytes() && bytes[8] == CHUNK_LOG2 && bytes[9..16].iter().all(|b| *b == 0);
        let mut id = [0_u8; 16];
        id.copy_from_slice(&bytes[16..]);
        if known { Ok(Self { bytes, id: FileId(id) }) } else { Err(Error::NotSealed) }
    }

    /// The nonce of a chunk. An index takes 56 bits, which no file reaches.
    pub(crate) fn nonce(&self, index: u64, is_last: bool) -> XNonce {
        let mut nonce = [0_u8; 24];
        nonce[..16].copy_from_slice(&self.id.0);
        nonce[16..].copy_from_slice(&index.to_le_bytes());
        nonce[23] = u8::from(is_last);
        nonce.into()
    }
}
