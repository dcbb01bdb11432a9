//! Sealing while writing.

use crate::chunk::Chunks;
use crate::header::{CHUNK, FileId, Header};
use crate::{Key, Result};
use std::io::Write;
use zeroize::Zeroizing;

/// Seals what is written to it. Nothing of it opens before [`Writer::finish`] has written the last chunk.
pub struct Writer<W: Write> {
    inner: W,
    chunks: Chunks,
    index: u64,
    pending: Zeroizing<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Begins a sealed file: writes its header.
    ///
    /// # Errors
    /// When the header cannot be written or the system gives no random numbers.
    pub fn new(mut inner: W, key: &Key) -> Result<Self> {
        let header = Header::fresh()?;
        inner.write_all(&header.bytes)?;
        Ok(Self {
            inner,
            chunks: Chunks::new(key, header),
            index: 0,
            pending: Zeroizing::new(Vec::with_capacity(CHUNK + crate::header::TAG)),
        })
    }

    /// The file's random number, by which an object file is called.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.chunks.header().id
    }

    /// Writes the last chunk and gives the inner writer back. It is flushed, not synced.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<W> {
        self.write_chunk(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn write_chunk(&mut self, is_last: bool) -> Result<()> {
        self.chunks.seal(self.index, is_last, &mut self.pending)?;
        self.inner.write_all(&self.pending)?;
        self.pending.clear();
        self.index += 1;
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, plain: &[u8]) -> std::io::Result<usize> {
        if plain.is_empty() {
            return Ok(0);
        }
        // A full chunk waits until more comes, because only then is it known not to be the last.
        if self.pending.len() == CHUNK {
            self.write_chunk(false)?;
        }
        let taken = plain.len().min(CHUNK - self.pending.len());
        self.pending.extend_from_slice(plain.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    /// Flushes what has been sealed; a chunk that is not full stays in memory.
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
