//! What a model file says of itself, read before the recogniser is let near it.
//!
//! whisper.cpp ends its process on some files instead of refusing them: weights of 32 bits run into an assertion
//! of the convolution, and a vocabulary of another size misses the special tokens whose numbers are fixed in its
//! source. Everything it would trip over is in the header, the vocabulary and the table of tensors, which are read
//! here with every length checked.
//!
//! Layout, little endian: magic `0x67676d6c`; 11 x i32 sizes; mel filters (i32, i32, f32 each); words (i32 count,
//! each u32 length and bytes); tensors to the end of the file (i32 dimensions, i32 length of name, i32 type,
//! i32 sizes with the fastest first, name, data without alignment).

use crate::{Error, Result};
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

const MAGIC: u32 = 0x6767_6d6c;
/// Bins of a spectrum of 400 samples, which whisper.cpp takes for granted.
const N_FFT: i32 = 201;
/// Longest word that a vocabulary may hold. Units: bytes.
const LONGEST_WORD: u32 = 4096;
/// Sizes of Whisper's vocabularies: English, several languages, several languages with Cantonese.
const VOCABULARIES: [i32; 3] = [51_864, 51_865, 51_866];
/// A quantised file's type is its version times this, plus the type.
const VERSION_FACTOR: i32 = 1000;

/// What a model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelFile {
    /// Type of the weights: `f16`, `q8_0`, …
    pub weights: String,
    /// Words in the vocabulary.
    pub n_vocab: i32,
    /// Whether it knows languages besides English.
    pub is_multilingual: bool,
    /// Length of one piece of sound. Units: encoder steps of 20 ms.
    pub n_audio_ctx: i32,
    /// Width of the encoder.
    pub n_audio_state: i32,
    /// Layers of the encoder.
    pub n_audio_layer: i32,
    /// Layers of the decoder.
    pub n_text_layer: i32,
    /// Longest text of one piece. Units: tokens.
    pub n_text_ctx: i32,
    /// Bands of the spectrogram.
    pub n_mels: i32,
    /// Number of tensors.
    pub n_tensors: usize,
    /// Length of the file. Units: bytes.
    pub bytes: u64,
}

impl ModelFile {
    /// Reads header, vocabulary and tensor table of a file and refuses what whisper.cpp could not survive.
    ///
    /// # Errors
    /// [`Error::ModelUnreadable`], [`Error::NotAModel`], [`Error::ModelTruncated`] or [`Error::ModelWouldAbort`].
    pub fn check(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::ModelUnreadable { path: path.into(), source })?;
        let len = file.metadata().map_err(|source| Error::ModelUnreadable { path: path.into(), source })?.len();
        let mut walk = Walk { path, input: BufReader::new(file), at: 0, len };
        walk.model()
    }
}

/// Weights by the number in the header; what is not here is refused.
fn weights_name(ftype: i32) -> Option<&'static str> {
    Some(match ftype {
        1 => "f16",
        2 => "q4_0",
        3 => "q4_1",
        7 => "q8_0",
        8 => "q5_0",
        9 => "q5_1",
        10 => "q2_k",
        11 => "q3_k",
        12 => "q4_k",
        13 => "q5_k",
        14 => "q6_k",
        _ => return None,
    })
}

/// Values per block and bytes per block of a tensor type of ggml.
fn block(tensor_type: i32) -> Option<(u64, u64)> {
    Some(match tensor_type {
        0 => (1, 4),
        1 => (1, 2),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        _ => return None,
    })
}

/// A walk through the file that never goes past its end.
struct Walk<'a> {
    path: &'a Path,
    input: BufReader<File>,
    at: u64,
    len: u64,
}

impl Walk<'_> {
    fn unreadable(&self, source: std::io::Error) -> Error {
        Error::ModelUnreadable { path: self.path.into(), source }
    }

    fn would_abort(&self, why: String) -> Error {
        Error::ModelWouldAbort { path: self.path.into(), why }
    }

    /// Fails when fewer than `bytes` are left.
    fn need(&self, bytes: u64) -> Result<u64> {
        match self.at.checked_add(bytes) {
            Some(end) if end <= self.len => Ok(end),
            end => Err(Error::ModelTruncated { path: self.path.into(), got: self.len, expected: end.unwrap_or(u64::MAX) }),
        }
    }

    fn four(&mut self) -> Result<[u8; 4]> {
        self.at = self.need(4)?;
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes).map_err(|e| self.unreadable(e))?;
        Ok(bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        self.four().map(i32::from_le_bytes)
    }

    fn skip(&mut self, bytes: u64) -> Result<()> {
        self.at = self.need(bytes)?;
        self.input.seek(SeekFrom::Start(self.at)).map_err(|e| self.unreadable(e))?;
        Ok(())
    }

    fn model(&mut self) -> Result<ModelFile> {
        // Too short for a magic number is no model rather than half of one.
        if self.len < 4 || u32::from_le_bytes(self.four()?) != MAGIC {
            return Err(Error::NotAModel { path: self.path.into() });
        }
        let mut model = self.sizes()?;
        self.filters(model.n_mels)?;
        self.words(model.n_vocab)?;
        model.n_tensors = self.tensors()?;
        Ok(model)
    }

    /// The eleven numbers. Bounds are generous: the largest Whisper has a state of 1280 and 32 layers.
    fn sizes(&mut self) -> Result<ModelFile> {
        const NAMES: [&str; 11] = [
            "n_vocab",
            "n_audio_ctx",
            "n_audio_state",
            "n_audio_head",
            "n_audio_layer",
            "n_text_ctx",
            "n_text_state",
            "n_text_head",
            "n_text_layer",
            "n_mels",
            "ftype",
        ];
        const HIGHEST: [i32; 11] = [60_000, 1500, 4096, 64, 64, 4096, 4096, 64, 64, 128, i32::MAX];
        let mut values = [0_i32; 11];
        for value in &mut values {
            *value = self.i32()?;
        }
        let [
            n_vocab,
            n_audio_ctx,
            n_audio_state,
            n_audio_head,
            n_audio_layer,
            n_text_ctx,
            n_text_state,
            n_text_head,
            n_text_layer,
            n_mels,
            ftype,
        ] = values;
        for ((name, value), highest) in NAMES.iter().zip(values).zip(HIGHEST) {
            let lowest = i32::from(*name != "ftype");
            if value < lowest || value > highest {
                return Err(self.would_abort(format!("{name} = {value}")));
            }
        }
        if !VOCABULARIES.contains(&n_vocab) {
            return Err(self.would_abort(format!("n_vocab = {n_vocab}")));
        }
        if n_text_state != n_audio_state || n_audio_state % n_audio_head != 0 || n_text_state % n_text_head != 0 {
            let heads = format!("{n_audio_state}/{n_audio_head}, {n_text_state}/{n_text_head}");
            return Err(self.would_abort(format!("state/head = {heads}")));
        }
        if n_mels != 80 && n_mels != 128 {
            return Err(self.would_abort(format!("n_mels = {n_mels}")));
        }
        let Some(weights) = weights_name(ftype % VERSION_FACTOR) else {
            let what = if ftype == 0 { "f32".to_owned() } else { format!("{ftype}") };
            return Err(self.would_abort(format!("ftype = {what}")));
        };
        Ok(ModelFile {
            weights: weights.into(),
            n_vocab,
            is_multilingual: n_vocab > 51_864,
            n_audio_ctx,
            n_audio_state,
            n_audio_layer,
            n_text_layer,
            n_text_ctx,
            n_mels,
            n_tensors: 0,
            bytes: self.len,
        })
    }

    fn filters(&mut self, n_mels: i32) -> Result<()> {
        let (mel, fft) = (self.i32()?, self.i32()?);
        if mel != n_mels || fft != N_FFT {
            return Err(self.would_abort(format!("mel filters = {mel} x {fft}")));
        }
        self.skip(u64::from(mel.unsigned_abs()) * u64::from(fft.unsigned_abs()) * 4)
    }

    fn words(&mut self, n_vocab: i32) -> Result<()> {
        let count = self.i32()?;
        if count < 0 || count > n_vocab {
            return Err(self.would_abort(format!("words = {count}")));
        }
        for _ in 0..count {
            let length = u32::from_le_bytes(self.four()?);
            if length > LONGEST_WORD {
                return Err(self.would_abort(format!("word of {length} bytes")));
            }
            self.skip(length.into())?;
        }
        Ok(())
    }

    fn tensors(&mut self) -> Result<usize> {
        let mut n_tensors = 0;
        while self.at < self.len {
            let (n_dims, name_len, tensor_type) = (self.i32()?, self.i32()?, self.i32()?);
            let Some((per_block, block_bytes)) = block(tensor_type) else {
                return Err(self.would_abort(format!("tensor type = {tensor_type}")));
            };
            if !(1..=4).contains(&n_dims) || !(1..=256).contains(&name_len) {
                return Err(self.would_abort(format!("tensor of {n_dims} dimensions, name of {name_len} bytes")));
            }
            let mut values = 1_u64;
            for _ in 0..n_dims {
                let size = self.i32()?;
                let next = u64::try_from(size).ok().filter(|n| *n > 0).and_then(|n| values.checked_mul(n));
                values = next.ok_or_else(|| self.would_abort(format!("tensor size = {size}")))?;
            }
            let mut name = vec![0; usize::try_from(name_len).unwrap_or_default()];
            self.at = self.need(name.len() as u64)?;
            self.input.read_exact(&mut name).map_err(|e| self.unreadable(e))?;
            // The convolution of whisper.cpp asserts that its kernel has 16 bits.
            if name.starts_with(b"encoder.conv") && name.ends_with(b".weight") && tensor_type != 1 {
                return Err(self.would_abort(format!("convolution weights of type {tensor_type}")));
            }
            let bytes = (values / per_block).checked_mul(block_bytes).filter(|_| values.is_multiple_of(per_block));
            let bytes = bytes.ok_or_else(|| self.would_abort(format!("tensor of {values} values")))?;
            self.skip(bytes)?;
            n_tensors += 1;
        }
        if n_tensors == 0 {
            return Err(Error::ModelTruncated { path: self.path.into(), got: self.len, expected: self.len + 1 });
        }
        Ok(n_tensors)
    }
}
