//! Sealing and opening one chunk.
//!
//! Not generic on purpose: a generic reader or writer is compiled in the crate that uses it, with that crate's
//! optimisation, and the cipher would be some twenty times slower in an unoptimised one.

use crate::header::Header;
use crate::{Error, Key, Result};
use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305};

/// The cipher of one file.
pub(crate) struct Chunks {
    cipher: XChaCha20Poly1305,
    header: Header,
}

impl Chunks {
    pub(crate) fn new(key: &Key, header: Header) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.as_bytes().into()), header }
    }

    pub(crate) const fn header(&self) -> &Header {
        &self.header
    }

    /// Seals plain bytes in place and appends their tag.
    #[inline(never)]
    pub(crate) fn seal(&self, index: u64, is_last: bool, bytes: &mut Vec<u8>) -> Result<()> {
        let nonce = self.header.nonce(index, is_last);
        self.cipher.encrypt_in_place(&nonce, &self.header.bytes, bytes).map_err(|_too_long| Error::Broken)
    }

    /// Checks sealed bytes and opens them in place, without their tag.
    #[inline(never)]
    pub(crate) fn open(&self, index: u64, is_last: bool, bytes: &mut Vec<u8>) -> Result<()> {
        let nonce = self.header.nonce(index, is_last);
        self.cipher.decrypt_in_place(&nonce, &self.header.bytes, bytes).map_err(|_refused| Error::Broken)
    }
}
