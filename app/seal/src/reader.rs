//! Reading any part of a sealed file.

use crate::chunk::Chunks;
use crate::header::{CHUNK, FileId, HEADER, Header, TAG};
use crate::{Error, Key, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use zeroize::Zeroizing;

/// Reads a sealed file anywhere. Opening one checks its last chunk, so that a file cut short is noticed at
/// once; every other chunk is checked when it is read. No byte is given out before its chunk is authenticated.
pub struct Reader<R: Read + Seek> {
    inner: R,
    chunks: Chunks,
    len: u64,
    last: u64,
    position: u64,
    /// The chunk in `plain`, if one is.
    loaded: Option<u64>,
    plain: Zeroizing<Vec<u8>>,
}

/// Opens a sealed file of the disk. When the file is called by a file id (32 hexadecimal digits, any
/// extension), its header must name the same.
///
/// # Errors
/// As [`Reader::new`]; [`Error::Exchanged`] when the file is another one than its name says.
pub fn open_file(path: &Path, key: &Key) -> Result<Reader<File>> {
    let reader = Reader::new(File::open(path)?, key)?;
    let named = path.file_stem().and_then(|stem| stem.to_str()).and_then(FileId::parse);
    match named {
        Some(id) if id != reader.id() => Err(Error::Exchanged),
        _ => Ok(reader),
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a sealed stream from its beginning.
    ///
    /// # Errors
    /// [`Error::NotSealed`] for anything else, [`Error::Broken`] for a wrong key or a file cut short.
    pub fn new(mut inner: R, key: &Key) -> Result<Self> {
        let end = inner.seek(SeekFrom::End(0))?;
        inner.seek(SeekFrom::Start(0))?;
        let mut bytes = [0_u8; HEADER];
        inner.read_exact(&mut bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::NotSealed,
            _ => Error::Io(error),
        })?;
        let header = Header::parse(bytes)?;
        let body = end.saturating_sub(HEADER as u64);
        let stride = (CHUNK + TAG) as u64;
        let chunks = body.div_ceil(stride).max(1);
        let tags = chunks * TAG as u64;
        // The last chunk holds at least one byte unless it is the only one.
        let shortest = if chunks == 1 { tags } else { tags + (chunks - 1) * CHUNK as u64 + 1 };
        if body < shortest {
            return Err(Error::Broken);
        }
        let plain = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        let mut reader =
            Self { inner, chunks: Chunks::new(key, header), len: body - tags, last: chunks - 1, position: 0, loaded: None, plain };
        reader.load(reader.last)?;
        Ok(reader)
    }

    /// The file's random number.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.chunks.header().id
    }

    /// Length of the plain content. Units: bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a stream's length, not a collection's")]
    pub fn len(&self) -> u64 {
        self.len
    }

    fn load(&mut self, index: u64) -> Result<()> {
        if self.loaded == Some(index) {
            return Ok(());
        }
        self.loaded = None;
        self.inner.seek(SeekFrom::Start(HEADER as u64 + index * (CHUNK + TAG) as u64))?;
        let is_last = index == self.last;
        let plain_len = if is_last { self.len - index * CHUNK as u64 } else { CHUNK as u64 };
        // At most a chunk by construction of `len` and `last`.
        let sealed_len = usize::try_from(plain_len).map_err(|_never| Error::Broken)? + TAG;
        self.plain.resize(sealed_len, 0);
        self.inner.read_exact(&mut self.plain).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::Broken,
            _ => Error::Io(error),
        })?;
        self.chunks.open(index, is_last, &mut self.plain)?;
        self.loaded = Some(index);
        Ok(())
    }
}

impl<R: Read + Seek> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.position >= self.len || out.is_empty() {
            return Ok(0);
        }
        self.load(self.position / CHUNK as u64)?;
        let from = usize::try_from(self.position % CHUNK as u64).unwrap_or(CHUNK);
        let rest = self.plain.get(from..).unwrap_or_default();
        let n = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.position += n as u64;
        Ok(n)
    }
}

impl<R: Read + Seek> Seek for Reader<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len.checked_add_signed(n),
            SeekFrom::Current(n) => self.position.checked_add_signed(n),
        };
        self.position = position.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
