//! The sealed object format: everything of a patient that lies on disk outside the database.
//!
//! A sealed file is a header of 32 bytes and a run of chunks, each encrypted and authenticated by itself, so
//! that any part can be read without the rest ([`Reader`] is `Read + Seek`).
//!
//! ```text
//! header  "MJSEAL" | version u16 LE = 1 | log2(chunk size) u8 = 16 | 7 zero bytes | file id, 16 random bytes
//! chunk   up to 65,536 bytes of ciphertext | Poly1305 tag, 16 bytes
//! ```
//!
//! Each chunk is XChaCha20-Poly1305 with the nonce `file id | chunk index, 7 bytes LE | 1 for the last chunk`
//! and the header as associated data. The first 16 bytes of an XChaCha nonce select a subkey, so every file
//! has its own. A chunk that was changed, moved, taken from another file or left out, and a file cut short,
//! lengthened or joined with another, do not open (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
//! Vizár, 2015). Whole files exchanged for one another are noticed by name: an object file is called by its
//! file id, and [`open_file`] compares.
//!
//! This crate knows no record and holds no keys; a [`Key`] is given by whoever owns it.

#![forbid(unsafe_code)]

mod chunk;
mod error;
mod header;
mod key;
mod reader;
mod writer;

pub use error::Error;
pub use header::{CHUNK, FileId, HEADER};
pub use key::Key;
pub use reader::{Reader, open_file};
pub use writer::Writer;

use std::io::{Cursor, Read as _, Write as _};
use zeroize::Zeroizing;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Seals bytes in memory.
///
/// # Errors
/// When the system gives no random numbers.
pub fn seal(key: &Key, plain: &[u8]) -> Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::with_capacity(sealed_len(plain.len())), key)?;
    writer.write_all(plain)?;
    writer.finish()
}

/// Opens sealed bytes in memory; the plain text is wiped when dropped.
///
/// # Errors
/// [`Error::NotSealed`] for anything else, [`Error::Broken`] for a wrong key or changed bytes.
pub fn open(key: &Key, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut reader = Reader::new(Cursor::new(sealed), key)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(usize::try_from(reader.len()).unwrap_or(0)));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

/// Same as [`seal`].
///
/// # Errors
/// As [`seal`].
pub fn seal_bytes(key: &Key, plain: &[u8]) -> Result<Vec<u8>> {
    seal(key, plain)
}

/// Same as [`open`].
///
/// # Errors
/// As [`open`].
pub fn open_bytes(key: &Key, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    open(key, sealed)
}

/// Length of the sealed form of `plain` bytes.
#[must_use]
pub const fn sealed_len(plain: usize) -> usize {
    let chunks = if plain == 0 { 1 } else { plain.div_ceil(CHUNK) };
    HEADER + plain + chunks * header::TAG
}

#[cfg(test)]
mod tests;
