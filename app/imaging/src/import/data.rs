//! The voxels of a file: found, unpacked and turned into samples, never more memory than the file can fill.

use super::{Error, Result};
use mj_model::{Samples, Warning};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Most bytes of voxels that one file may declare.
pub(super) const MAX_BYTES: u64 = 8 << 30;
/// Deflate packs at most 1,032 bytes into one; what declares more is cut short or a lie.
const MOST_PACKED: u64 = 1032;
/// Beyond this much a file has to be at least a thousandth. Units: bytes.
const UNPROVEN: u64 = 1 << 30;
/// Bytes unpacked at a time.
const CHUNK: usize = 1 << 16;

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are.
    Raw,
    /// By gzip or zlib, told apart by their first bytes.
    Deflated,
    /// Numbers as text.
    Text,
}

/// Type of the values in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Signed 8 bit.
    I8,
    /// Unsigned 8 bit.
    U8,
    /// Signed 16 bit.
    I16,
    /// Unsigned 16 bit.
    U16,
    /// Signed 32 bit.
    I32,
    /// Unsigned 32 bit.
    U32,
    /// Signed 64 bit.
    I64,
    /// Unsigned 64 bit.
    U64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

impl Stored {
    /// Bytes of one value.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// True for types with a sign.
    #[must_use]
    pub const fn is_signed(self) -> bool {
        !matches!(self, Self::U8 | Self::U16 | Self::U32 | Self::U64)
    }
}

/// Where a file's voxels are.
#[derive(Debug)]
pub(super) struct Data {
    /// The file.
    pub(super) path: PathBuf,
    /// Where they begin in it, before unpacking.
    pub(super) offset: u64,
    /// Lines to leave out after that, before unpacking.
    pub(super) line_skip: u64,
    /// Bytes to leave out after that, unpacked; `None`: the voxels are the end of the file.
    pub(super) byte_skip: Option<u64>,
    pub(super) encoding: Encoding,
    pub(super) stored: Stored,
    pub(super) is_big_endian: bool,
    /// Values to take.
    pub(super) n: usize,
    /// Of that many values side by side the first is taken.
    pub(super) stride: usize,
    /// Values in the whole file.
    pub(super) n_declared: u64,
}

/// Opens a plain file; pipes and devices are none.
pub(super) fn open_plain(path: &Path) -> Result<(File, u64)> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return Err(Error::Io { kind: std::io::ErrorKind::InvalidFilename });
    }
    Ok((File::open(path)?, about.len()))
}

/// True when a file is packed by gzip.
pub(super) fn is_gzip(first: &[u8]) -> bool {
    first.starts_with(&[0x1F, 0x8B])
}

/// Number of values of a grid with `frames` frames, all checked against [`MAX_BYTES`].
pub(super) fn count(sizes: &[usize], stored: Stored) -> Result<u64> {
    let too_large = Error::TooLarge { mib: u64::MAX >> 20 };
    let n = sizes.iter().try_fold(1_u64, |n, &size| n.checked_mul(size as u64)).ok_or(too_large.clone())?;
    let bytes = n.checked_mul(stored.bytes() as u64).ok_or(too_large)?;
    if n == 0 {
        return Err(Error::broken("sizes"));
    }
    Ok(n).and_then(|n| if bytes > MAX_BYTES { Err(Error::TooLarge { mib: bytes >> 20 }) } else { Ok(n) })
}

impl Data {
    /// Reads the samples; a warning where values had to be rounded or are no numbers.
    pub(super) fn read(&self, warnings: &mut Vec<Warning>) -> Result<Samples> {
        let (mut file, length) = open_plain(&self.path)?;
        let declared = self.n_declared.saturating_mul(self.stored.bytes() as u64);
        let room = length.checked_sub(self.offset).ok_or(Error::Truncated { what: "header" })?;
        let most = match self.encoding {
            Encoding::Raw => room,
            Encoding::Deflated => room.saturating_mul(if declared > UNPROVEN { 1000 } else { MOST_PACKED }),
            // The shortest number and a blank.
            Encoding::Text => room.div_ceil(2).saturating_mul(self.stored.bytes() as u64),
        };
        if declared > most {
            return Err(Error::Truncated { what: "voxels" });
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = BufReader::with_capacity(CHUNK, file);
        skip_lines(&mut reader, self.line_skip)?;
        let skip = match self.byte_skip {
            Some(skip) => skip,
            None => room.saturating_sub(declared),
        };
        if self.byte_skip.is_none() && self.line_skip > 0 {
            return Err(Error::unsupported("line skip with byte skip -1"));
        }
        if self.encoding == Encoding::Text {
            skip_bytes(&mut reader, skip)?;
            return self.text(reader, warnings);
        }
        let mut unpacked: Box<dyn Read> = match self.encoding {
            Encoding::Deflated if is_gzip(reader.fill_buf()?) => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
            Encoding::Deflated => Box::new(flate2::bufread::ZlibDecoder::new(reader)),
            _ => Box::new(reader),
        };
        skip_bytes(&mut unpacked, skip)?;
        let samples = self.binary(&mut unpacked, warnings)?;
        if self.encoding == Encoding::Deflated && self.n as u64 == self.n_declared {
            // One byte more lets the decoder come to its checksum.
            let _more: usize = unpacked.read(&mut [0]).map_err(|_wrong_sum| Error::broken("checksum"))?;
        }
        Ok(samples)
    }

    fn binary(&self, from: &mut dyn Read, warnings: &mut Vec<Warning>) -> Result<Samples> {
        let (n, stride, big) = (self.n, self.stride.max(1), self.is_big_endian);
        Ok(match self.stored {
            Stored::U8 => Samples::U8(values(from, n, stride, |[b]| b)?),
            Stored::I8 => Samples::I16(values(from, n, stride, |[b]: [u8; 1]| i16::from(b as i8))?),
            Stored::I16 => Samples::I16(values(from, n, stride, |b| if big { i16::from_be_bytes(b) } else { i16::from_le_bytes(b) })?),
            Stored::U16 => Samples::U16(values(from, n, stride, |b| if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) })?),
            Stored::F32 => {
                let v = values(from, n, stride, |b| if big { f32::from_be_bytes(b) } else { f32::from_le_bytes(b) })?;
                floats(v, warnings)
            }
            Stored::F64 => {
                let mut n_rounded = 0_usize;
                let v = values(from, n, stride, |b| {
                    let exact = if big { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) };
                    n_rounded += usize::from(is_rounded(exact));
                    exact as f32
                })?;
                rounded(n_rounded, warnings);
                floats(v, warnings)
            }
            Stored::I32 => whole(values(from, n, stride, |b| if big { i32::from_be_bytes(b) } else { i32::from_le_bytes(b) })?, warnings),
            Stored::U32 => whole(values(from, n, stride, |b| if big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) })?, warnings),
            Stored::I64 => whole(values(from, n, stride, |b| if big { i64::from_be_bytes(b) } else { i64::from_le_bytes(b) })?, warnings),
            Stored::U64 => whole(values(from, n, stride, |b| if big { u64::from_be_bytes(b) } else { u64::from_le_bytes(b) })?, warnings),
        })
    }

    /// Numbers separated by white space.
    fn text(&self, mut from: impl BufRead, warnings: &mut Vec<Warning>) -> Result<Samples> {
        let mut numbers: Vec<f64> = reserved(self.n)?;
        let (mut n_rounded, mut at) = (0, 0_usize);
        let mut token = Vec::with_capacity(32);
        while numbers.len() < self.n {
            if !next_token(&mut from, &mut token)? {
                return Err(Error::Truncated { what: "voxels" });
            }
            let number = std::str::from_utf8(&token).ok().and_then(|t| self.stored.parse(t)).ok_or_else(|| Error::broken("numbers"))?;
            if at.is_multiple_of(self.stride.max(1)) {
                n_rounded += usize::from(self.stored == Stored::F64 && is_rounded(number));
                numbers.push(number);
            }
            at += 1;
        }
        Ok(match self.stored {
            Stored::F32 | Stored::F64 => {
                rounded(n_rounded, warnings);
                floats(numbers.into_iter().map(|v| v as f32).collect(), warnings)
            }
            Stored::U8 => Samples::U8(numbers.into_iter().map(|v| v as u8).collect()),
            Stored::U16 => Samples::U16(numbers.into_iter().map(|v| v as u16).collect()),
            // A whole number beyond 2^53 is rounded twice, and told as rounded all the same.
            _ => whole(numbers.into_iter().map(|v| v as i64).collect(), warnings),
        })
    }
}

impl Stored {
    /// A number as text, when it is one of this type.
    fn parse(self, text: &str) -> Option<f64> {
        let whole = |low: i128, high: i128| text.parse::<i128>().ok().filter(|v| (low..=high).contains(v)).map(|v| v as f64);
        match self {
            Self::I8 => whole(i8::MIN.into(), i8::MAX.into()),
            Self::U8 => whole(0, u8::MAX.into()),
            Self::I16 => whole(i16::MIN.into(), i16::MAX.into()),
            Self::U16 => whole(0, u16::MAX.into()),
            Self::I32 => whole(i32::MIN.into(), i32::MAX.into()),
            Self::U32 => whole(0, u32::MAX.into()),
            Self::I64 => whole(i64::MIN.into(), i64::MAX.into()),
            Self::U64 => whole(0, i64::MAX.into()),
            Self::F32 => text.parse::<f32>().ok().map(f64::from),
            Self::F64 => text.parse().ok(),
        }
    }
}

/// The next word, up to white space or a comma; false at the end.
fn next_token(from: &mut impl BufRead, token: &mut Vec<u8>) -> Result<bool> {
    token.clear();
    loop {
        let part = from.fill_buf()?;
        if part.is_empty() {
            return Ok(!token.is_empty());
        }
        let is_gap = |b: &u8| b.is_ascii_whitespace() || *b == b',';
        let before = if token.is_empty() { part.iter().take_while(|b| is_gap(b)).count() } else { 0 };
        let rest = part.get(before..).unwrap_or_default();
        let length = rest.iter().position(is_gap).unwrap_or(rest.len());
        token.extend_from_slice(rest.get(..length).unwrap_or_default());
        let has_ended = length < rest.len();
        let used = before + length;
        from.consume(used);
        if token.len() > 64 {
            return Err(Error::broken("numbers"));
        }
        if has_ended && !token.is_empty() {
            return Ok(true);
        }
    }
}

fn skip_lines(from: &mut impl BufRead, n: u64) -> Result<()> {
    for _ in 0..n {
        if from.skip_until(b'\n')? == 0 {
            return Err(Error::Truncated { what: "lines before the voxels" });
        }
    }
    Ok(())
}

fn skip_bytes(from: &mut impl Read, n: u64) -> Result<()> {
    if std::io::copy(&mut from.take(n), &mut std::io::sink())? < n {
        return Err(Error::Truncated { what: "bytes before the voxels" });
    }
    Ok(())
}

/// An empty list with room for `n`, or an error where the machine has none.
fn reserved<T>(n: usize) -> Result<Vec<T>> {
    let mut out = Vec::new();
    let mib = (n as u64).saturating_mul(size_of::<T>() as u64) >> 20;
    out.try_reserve_exact(n).map_err(|_no_memory| Error::TooLarge { mib })?;
    Ok(out)
}

/// `n` values of `N` bytes, the first of every `stride`.
fn values<T, const N: usize>(from: &mut dyn Read, n: usize, stride: usize, mut value: impl FnMut([u8; N]) -> T) -> Result<Vec<T>> {
    let mut out = reserved(n)?;
    let group = N.checked_mul(stride).ok_or(Error::TooLarge { mib: u64::MAX >> 20 })?;
    if group > CHUNK {
        return Err(Error::unsupported("so many values a voxel"));
    }
    let mut buffer = vec![0_u8; CHUNK / group * group];
    while out.len() < n {
        let want = ((n - out.len()).min(CHUNK / group)) * group;
        let part = buffer.get_mut(..want).unwrap_or_default();
        from.read_exact(part)?;
        out.extend(part.chunks_exact(group).filter_map(|g| g.first_chunk::<N>()).map(|b| value(*b)));
    }
    Ok(out)
}

/// Whole numbers in the smallest type of ours that holds them all exactly, else as floats.
fn whole<V: Copy + Into<i128>>(values: Vec<V>, warnings: &mut Vec<Warning>) -> Samples {
    let (low, high) = values.iter().fold((i128::MAX, i128::MIN), |(low, high), &v| (low.min(v.into()), high.max(v.into())));
    let fits = |from: i128, to: i128| low >= from && high <= to;
    if fits(i16::MIN.into(), i16::MAX.into()) {
        return Samples::I16(values.into_iter().map(|v| v.into() as i16).collect());
    }
    if fits(0, u16::MAX.into()) {
        return Samples::U16(values.into_iter().map(|v| v.into() as u16).collect());
    }
    let mut n_rounded = 0;
    let floats = values
        .into_iter()
        .map(|v| {
            let exact: i128 = v.into();
            n_rounded += usize::from(exact as f32 as i128 != exact);
            exact as f32
        })
        .collect();
    rounded(n_rounded, warnings);
    Samples::F32(floats)
}

fn is_rounded(exact: f64) -> bool {
    exact.is_finite() && f64::from(exact as f32) != exact
}

fn rounded(n: usize, warnings: &mut Vec<Warning>) {
    if n > 0 {
        warnings.push(Warning::new("research.rounded", n.to_string()));
    }
}

/// Floats as they are; what is no number stays so, and is told.
fn floats(values: Vec<f32>, warnings: &mut Vec<Warning>) -> Samples {
    let n = values.iter().filter(|v| !v.is_finite()).count();
    if n > 0 {
        warnings.push(Warning::new("research.no_number", n.to_string()));
    }
    Samples::F32(values)
}
