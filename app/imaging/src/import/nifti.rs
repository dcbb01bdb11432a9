//! NIfTI-1 and NIfTI-2.
//!
//! Source: <https://nifti.nimh.nih.gov/nifti-1> (`nifti1.h`), <https://nifti.nimh.nih.gov/nifti-2> (`nifti2.h`).

use super::data::{self, Data, Encoding, Stored};
use super::grid::Place;
use super::{Error, Parsed, Result};
use mj_model::{Curve, LinearMap, ResearchFormat, Warning, Window};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Length of the headers.
const NIFTI_1: usize = 348;
const NIFTI_2: usize = 540;
/// Codes of `sform_code` and `qform_code` from which on positions are those of a template: Talairach, MNI.
const TEMPLATE: i32 = 3;
/// Two transforms that name places further apart than this differ. Units: mm.
const SAME_PLACE_MM: f64 = 0.1;

/// Reads the header of a file, or of a pair of which one is named.
pub(super) fn parse(path: &Path) -> Result<Parsed> {
    let (header_path, data_path) = pair(path);
    let (file, _) = data::open_plain(&header_path)?;
    let mut reader = BufReader::new(file);
    let is_packed = data::is_gzip(reader.fill_buf()?);
    let mut bytes = Vec::with_capacity(NIFTI_2);
    if is_packed {
        flate2::bufread::MultiGzDecoder::new(reader).take(NIFTI_2 as u64).read_to_end(&mut bytes)?;
    } else {
        reader.take(NIFTI_2 as u64).read_to_end(&mut bytes)?;
    }
    let fields = Fields::of(&bytes)?;
    let mut parsed = fields.parsed()?;
    if fields.is_single {
        parsed.data.path = header_path;
        parsed.data.encoding = if is_packed { Encoding::Deflated } else { Encoding::Raw };
    } else {
        let first = first_bytes(&data_path)?;
        parsed.data.path = data_path;
        parsed.data.encoding = if data::is_gzip(&first) { Encoding::Deflated } else { Encoding::Raw };
    }
    Ok(parsed)
}

fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (file, _) = data::open_plain(path).map_err(|_absent| Error::NoDataFile { name: name() })?;
    let mut first = Vec::new();
    file.take(2).read_to_end(&mut first)?;
    Ok(first)
}

/// Header and voxels of a named file: itself, or the two of a pair.
fn pair(path: &Path) -> (PathBuf, PathBuf) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_lowercase();
    let (plain, packed) = if lower.ends_with(".gz") { name.split_at(name.len() - 3) } else { (name.as_str(), "") };
    let other = |ending: &str| -> PathBuf {
        let stem = plain.get(..plain.len().saturating_sub(3)).unwrap_or_default();
        let is_upper = plain.bytes().next_back().is_some_and(|b| b.is_ascii_uppercase());
        let ending = if is_upper { ending.to_uppercase() } else { ending.to_owned() };
        // A packed header may stand beside plain voxels, and the other way round.
        let as_named = path.with_file_name(format!("{stem}{ending}{packed}"));
        let otherwise = path.with_file_name(format!("{stem}{ending}{}", if packed.is_empty() { ".gz" } else { "" }));
        if !as_named.is_file() && otherwise.is_file() { otherwise } else { as_named }
    };
    match plain.to_lowercase() {
        p if p.ends_with(".hdr") => (path.to_owned(), other("img")),
        p if p.ends_with(".img") => (other("hdr"), path.to_owned()),
        _ => (path.to_owned(), path.to_owned()),
    }
}

/// The header's fields by their place, in the file's byte order.
struct Fields<'a> {
    bytes: &'a [u8],
    is_big: bool,
    is_two: bool,
    /// Voxels follow in the same file.
    is_single: bool,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self> {
        let wrong = || Error::WrongContent { format: ResearchFormat::Nifti };
        let size = *bytes.first_chunk::<4>().ok_or(Error::Truncated { what: "header" })?;
        let (is_big, is_two) = match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
            (348, _) => (false, false),
            (_, 348) => (true, false),
            (540, _) => (false, true),
            (_, 540) => (true, true),
            _ => return Err(wrong()),
        };
        if bytes.len() < if is_two { NIFTI_2 } else { NIFTI_1 } {
            return Err(Error::Truncated { what: "header" });
        }
        let magic = bytes.get(if is_two { 4..8 } else { 344..348 }).unwrap_or_default();
        let is_single = match (is_two, magic) {
            (false, b"n+1\0") | (true, b"n+2\0") => true,
            (false, b"ni1\0") | (true, b"ni2\0") => false,
            // Analyze 7.5 does not say which side is left.
            (false, _) => return Err(Error::unsupported("Analyze 7.5")),
            _ => return Err(wrong()),
        };
        Ok(Self { bytes, is_big, is_two, is_single })
    }

    fn raw<const N: usize>(&self, at: usize) -> Result<[u8; N]> {
        let mut out = *self.bytes.get(at..).and_then(|b| b.first_chunk::<N>()).ok_or(Error::Truncated { what: "header" })?;
        if self.is_big {
            out.reverse();
        }
        Ok(out)
    }

    /// A whole number: `short` and `int` at their place in NIfTI-1, `int` or `int64` in NIfTI-2.
    fn int(&self, one: usize, two: usize, bytes_two: usize) -> Result<i64> {
        Ok(match (self.is_two, bytes_two) {
            (false, _) => i16::from_le_bytes(self.raw(one)?).into(),
            (true, 2) => i16::from_le_bytes(self.raw(two)?).into(),
            (true, 4) => i32::from_le_bytes(self.raw(two)?).into(),
            (true, _) => i64::from_le_bytes(self.raw(two)?),
        })
    }

    /// A float: 32 bits in NIfTI-1, 64 in NIfTI-2; `n` is its number in a list.
    fn float(&self, one: usize, two: usize, n: usize) -> Result<f64> {
        if self.is_two {
            return Ok(f64::from_le_bytes(self.raw(two + n * 8)?));
        }
        Ok(f32::from_le_bytes(self.raw(one + n * 4)?).into())
    }

    fn floats<const N: usize>(&self, one: usize, two: usize) -> Result<[f64; N]> {
        let mut out = [0.0; N];
        for (n, slot) in out.iter_mut().enumerate() {
            *slot = self.float(one, two, n)?;
        }
        Ok(out)
    }

    fn parsed(&self) -> Result<Parsed> {
        let mut warnings = Vec::new();
        let stored = stored(self.int(70, 12, 2)?)?;
        let sizes = self.sizes()?;
        let dims = [0, 1, 2].map(|axis| sizes.get(axis).copied().unwrap_or(1));
        let n_declared = data::count(&sizes, stored)?;
        let n = dims.iter().product();
        if n as u64 != n_declared {
            warnings.push(Warning::new("research.first_of_several", (n_declared / (n as u64).max(1)).to_string()));
        }
        let (place, is_placed) = self.place(dims, &mut warnings)?;
        let data = Data {
            path: PathBuf::new(),
            offset: 0,
            line_skip: 0,
            byte_skip: Some(self.data_offset()?),
            encoding: Encoding::Raw,
            stored,
            is_big_endian: self.is_big,
            n,
            stride: 1,
            n_declared,
        };
        Ok(Parsed {
            format: if self.is_two { "NIfTI-2" } else { "NIfTI-1" },
            dims,
            place,
            is_calibrated: true,
            is_placed,
            map: self.map()?,
            windows: self.window()?.into_iter().collect(),
            modality: String::new(),
            data,
            warnings,
        })
    }

    fn sizes(&self) -> Result<Vec<usize>> {
        let of = |n: usize| self.int(40 + n * 2, 16 + n * 8, 8);
        let n_axes = usize::try_from(of(0)?).ok().filter(|n| (1..=7).contains(n)).ok_or_else(|| Error::broken("dim"))?;
        let size = |n| of(n).and_then(|v| usize::try_from(v).ok().filter(|&v| v > 0).ok_or_else(|| Error::broken("dim")));
        (1..=n_axes).map(size).collect()
    }

    fn data_offset(&self) -> Result<u64> {
        // A float in NIfTI-1, where whole numbers up to 2^24 are exact.
        let offset = if self.is_two { i64::from_le_bytes(self.raw(168)?) as f64 } else { self.float(108, 0, 0)? };
        let least = if self.is_two { NIFTI_2 + 4 } else { NIFTI_1 + 4 } as f64;
        let bad = || Error::broken("vox_offset");
        if !(offset.is_finite() && offset >= 0.0 && offset.fract() == 0.0 && offset < 1e15) {
            return Err(bad());
        }
        match (self.is_single, offset) {
            (true, 0.0) => Ok(least as u64),
            (true, o) if o < least => Err(bad()),
            (_, o) => Ok(o as u64),
        }
    }

    /// `scl_slope` and `scl_inter`; a slope of 0, or none that is a number, means no scaling.
    fn map(&self) -> Result<LinearMap> {
        let (slope, intercept) = (self.float(112, 176, 0)?, self.float(116, 184, 0)?);
        if slope == 0.0 || !slope.is_finite() {
            return Ok(LinearMap::default());
        }
        if intercept.is_finite() { Ok(LinearMap { slope, intercept }) } else { Err(Error::broken("scl_inter")) }
    }

    /// `cal_min` and `cal_max`: the values that are black and white.
    fn window(&self) -> Result<Option<Window>> {
        let (high, low) = (self.float(124, 192, 0)?, self.float(128, 200, 0)?);
        let is_one = low.is_finite() && high.is_finite() && high > low;
        Ok(is_one.then(|| Window { center: (low + high) / 2.0, width: high - low, name: String::new(), curve: Curve::LinearExact }))
    }

    /// Millimetres in the header's unit of length; an unknown unit is taken for mm, as all programs do.
    fn mm(&self) -> Result<f64> {
        let units = if self.is_two { i32::from_le_bytes(self.raw(500)?) } else { i32::from(self.raw::<1>(123)?[0]) };
        match units & 7 {
            0 | 2 => Ok(1.0),
            1 => Ok(1e3),
            3 => Ok(1e-3),
            _ => Err(Error::broken("xyzt_units")),
        }
    }

    /// Where the voxels are, by the sform, else the qform, else the spacing alone; and whether a place is known.
    fn place(&self, dims: [usize; 3], warnings: &mut Vec<Warning>) -> Result<(Place, bool)> {
        let (qform, sform) = (self.int(252, 344, 4)? as i32, self.int(254, 348, 4)? as i32);
        let mm = self.mm()?;
        let q = if qform > 0 { Some(self.by_quaternion(mm)?) } else { None };
        let s = if sform > 0 { Some(self.by_rows(mm)?) } else { None };
        let (place, code) = match (s, q) {
            (Some(s), q) => {
                if let Some(away) = q.map(|q| apart_mm(&s, &q, dims)).filter(|&away| away > SAME_PLACE_MM) {
                    warnings.push(Warning::new("research.two_places", format!("{away:.1}")));
                }
                (s, sform)
            }
            (None, Some(q)) => (q, qform),
            (None, None) => {
                warnings.push(Warning::new("geometry.no_position", "qform 0, sform 0"));
                return Ok((Place::made_up(self.spacing(mm)?), false));
            }
        };
        if code >= TEMPLATE {
            warnings.push(Warning::new("research.template", code.to_string()));
        }
        Ok((place, true))
    }

    /// Method 3: rows of the affine in RAS.
    fn by_rows(&self, mm: f64) -> Result<Place> {
        let rows: [[f64; 4]; 3] = [self.floats(280, 400)?, self.floats(296, 432)?, self.floats(312, 464)?];
        let column = |c: usize| rows.map(|row| row[c] * mm);
        Ok(Place::from_ras(column(3), [column(0), column(1), column(2)]))
    }

    /// Method 2: a rotation as a quaternion, spacing, and whether the third axis is turned round.
    ///
    /// Source: `nifti_quatern_to_mat44` of the reference code.
    fn by_quaternion(&self, mm: f64) -> Result<Place> {
        let [mut b, mut c, mut d]: [f64; 3] = self.floats(256, 352)?;
        let offset: [f64; 3] = self.floats(268, 376)?;
        let rest = 1.0 - (b * b + c * c + d * d);
        let a = if rest < 1e-7 {
            let length = (b * b + c * c + d * d).sqrt();
            (b, c, d) = (b / length, c / length, d / length);
            0.0
        } else {
            rest.sqrt()
        };
        let spacing = self.spacing(mm)?;
        let qfac = if self.float(76, 104, 0)? < 0.0 { -1.0 } else { 1.0 };
        let columns = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c + a * d), 2.0 * (b * d - a * c)],
            [2.0 * (b * c - a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d + a * b)],
            [2.0 * (b * d + a * c), 2.0 * (c * d - a * b), a * a + d * d - c * c - b * b],
        ];
        let scale = [spacing[0], spacing[1], spacing[2] * qfac];
        let mut steps = columns;
        for (step, scale) in steps.iter_mut().zip(scale) {
            *step = step.map(|v| v * scale);
        }
        Ok(Place::from_ras(offset.map(|v| v * mm), steps))
    }

    /// `pixdim`, a missing one as 1.
    fn spacing(&self, mm: f64) -> Result<[f64; 3]> {
        let [_, x, y, z]: [f64; 4] = self.floats(76, 104)?;
        Ok([x, y, z].map(|v| if v == 0.0 { 1.0 } else { v.abs() } * mm))
    }
}

/// How far the corners of a grid lie apart at most by two transforms. Units: mm.
fn apart_mm(one: &Place, other: &Place, dims: [usize; 3]) -> f64 {
    (0..8_usize)
        .map(|corner| {
            let at = |p: &Place| {
                let mut out = p.origin;
                for ((axis, step), n) in p.steps.iter().enumerate().zip(dims) {
                    out = out + *step * if corner >> axis & 1 == 1 { (n.max(1) - 1) as f64 } else { 0.0 };
                }
                out
            };
            at(one).distance_mm(at(other))
        })
        .fold(0.0, f64::max)
}

fn stored(code: i64) -> Result<Stored> {
    Ok(match code {
        2 => Stored::U8,
        4 => Stored::I16,
        8 => Stored::I32,
        16 => Stored::F32,
        64 => Stored::F64,
        256 => Stored::I8,
        512 => Stored::U16,
        768 => Stored::U32,
        1024 => Stored::I64,
        1280 => Stored::U64,
        1 => return Err(Error::unsupported("1-bit")),
        32 | 1792 | 2048 => return Err(Error::unsupported("complex numbers")),
        128 => return Err(Error::unsupported("RGB24")),
        2304 => return Err(Error::unsupported("RGBA32")),
        1536 => return Err(Error::unsupported("float128")),
        _ => return Err(Error::broken("datatype")),
    })
}
