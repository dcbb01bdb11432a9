//! MetaImage, with the voxels in the same file or beside it.
//!
//! Positions are LPS, as ITK reads and writes them. `AnatomicalOrientation` places nothing: its documentation and
//! its writers give its letters opposite meanings.
//!
//! Source: <https://itk.org/Wiki/ITK/MetaIO/Documentation>.

use super::data::{self, Data, Encoding, Stored};
use super::grid::Place;
use super::text::{self, numbers};
use super::{Error, Parsed, Result};
use mj_model::{LinearMap, ResearchFormat, VectorLps, Warning};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// Longest header that is read.
const LONGEST_HEADER: u64 = 1 << 20;

/// Reads the header of a file.
pub(super) fn parse(path: &Path) -> Result<Parsed> {
    let (file, _) = data::open_plain(path)?;
    let (header, length) = Header::read(BufReader::new(file.take(LONGEST_HEADER)))?;
    let mut parsed = header.parsed()?;
    match header.fields.get("ElementDataFile").map(String::as_str) {
        Some("LOCAL" | "Local" | "local") => (parsed.data.path, parsed.data.offset) = (path.to_owned(), length),
        Some(name) => parsed.data.path = text::beside(path, name)?,
        None => return Err(Error::Truncated { what: "header" }),
    }
    Ok(parsed)
}

struct Header {
    fields: BTreeMap<String, String>,
}

impl Header {
    /// The fields, and where the header ends: after the one that names the voxels.
    fn read(mut from: impl BufRead) -> Result<(Self, u64)> {
        let (mut fields, mut length) = (BTreeMap::new(), 0_u64);
        let mut line = Vec::new();
        loop {
            line.clear();
            let n = from.read_until(b'\n', &mut line)? as u64;
            let text = String::from_utf8_lossy(&line);
            length += n;
            match text.split_once('=') {
                Some((name, value)) => {
                    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
                    let is_last = name == "ElementDataFile";
                    fields.insert(name, value);
                    if is_last {
                        break;
                    }
                }
                None if n == 0 || length >= LONGEST_HEADER => break,
                // The first line of a MetaImage says what it is.
                None if fields.is_empty() && !text.trim().is_empty() => break,
                None => {}
            }
        }
        if !fields.contains_key("NDims") || fields.get("ObjectType").is_some_and(|t| t != "Image") {
            return Err(Error::WrongContent { format: ResearchFormat::MetaImage });
        }
        Ok((Self { fields }, length))
    }

    /// The first of several names that a field goes by.
    fn field(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.fields.get(*name)).map(String::as_str)
    }

    fn list<T: std::str::FromStr>(&self, names: &[&str], n: usize) -> Result<Option<Vec<T>>> {
        let bad = || Error::broken(names.first().copied().unwrap_or_default());
        let Some(text) = self.field(names) else { return Ok(None) };
        numbers(text).filter(|all: &Vec<T>| all.len() == n).map(Some).ok_or_else(bad)
    }

    fn is_true(&self, names: &[&str]) -> bool {
        self.field(names).is_some_and(|v| matches!(v.chars().next(), Some('T' | 't' | '1' | 'Y' | 'y')))
    }

    fn parsed(&self) -> Result<Parsed> {
        let mut warnings = Vec::new();
        let n_axes: usize = self.field(&["NDims"]).and_then(|v| v.parse().ok()).ok_or_else(|| Error::broken("NDims"))?;
        if !(2..=4).contains(&n_axes) {
            return Err(Error::unsupported(format!("NDims {n_axes}")));
        }
        let stored = stored(self.field(&["ElementType"]).unwrap_or_default())?;
        let sizes: Vec<usize> = self.list(&["DimSize"], n_axes)?.ok_or_else(|| Error::broken("DimSize"))?;
        if self.field(&["ElementNumberOfChannels"]).is_some_and(|n| n != "1") {
            return Err(Error::unsupported("several values a voxel"));
        }
        let dims = [0, 1, 2].map(|axis| sizes.get(axis).copied().unwrap_or(1));
        let n_declared = data::count(&sizes, stored)?;
        let n: usize = dims.iter().product();
        if n as u64 != n_declared {
            warnings.push(Warning::new("research.first_of_several", (n_declared / (n as u64).max(1)).to_string()));
        }
        let (place, is_calibrated, is_placed) = self.place(n_axes, &mut warnings)?;
        let encoding = self.encoding();
        let data = Data {
            path: std::path::PathBuf::new(),
            offset: 0,
            line_skip: 0,
            byte_skip: self.byte_skip(encoding)?,
            encoding,
            stored,
            is_big_endian: self.is_true(&["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]),
            n,
            stride: 1,
            n_declared,
        };
        Ok(Parsed {
            format: "MetaImage",
            dims,
            place,
            is_calibrated,
            is_placed,
            map: LinearMap::default(),
            windows: Vec::new(),
            modality: self.field(&["Modality"]).and_then(|m| m.strip_prefix("MET_MOD_")).filter(|m| *m != "UNKNOWN").unwrap_or("").into(),
            data,
            warnings,
        })
    }

    fn encoding(&self) -> Encoding {
        if self.is_true(&["CompressedData"]) {
            Encoding::Deflated
        } else if self.field(&["BinaryData"]).is_none() || self.is_true(&["BinaryData"]) {
            Encoding::Raw
        } else {
            Encoding::Text
        }
    }

    /// `HeaderSize`: bytes before the voxels, or -1 where they are the end of the file.
    fn byte_skip(&self, encoding: Encoding) -> Result<Option<u64>> {
        match self.field(&["HeaderSize"]).map(str::parse::<i64>) {
            None => Ok(Some(0)),
            Some(Ok(-1)) if encoding == Encoding::Raw => Ok(None),
            Some(Ok(n)) => u64::try_from(n).map(Some).map_err(|_negative| Error::broken("HeaderSize")),
            Some(Err(_)) => Err(Error::broken("HeaderSize")),
        }
    }

    /// Where the voxels are; whether lengths, and whether the place in the patient is known.
    fn place(&self, n: usize, warnings: &mut Vec<Warning>) -> Result<(Place, bool, bool)> {
        let spacing: Option<Vec<f64>> = self.list(&["ElementSpacing", "ElementSize"], n)?;
        let unit = self.field(&["DistanceUnits"]).filter(|u| *u != "?").map_or(Some(1.0), text::mm);
        let is_calibrated = spacing.is_some() && unit.is_some();
        if !is_calibrated {
            warnings.push(Warning::new("geometry.no_spacing", "ElementSpacing"));
        }
        let mm = unit.unwrap_or(1.0);
        let step = |axis: usize| spacing.as_ref().and_then(|s| s.get(axis)).map_or(1.0, |s| s.abs() * mm);
        let offset: Option<Vec<f64>> = self.list(&["Offset", "Position", "Origin"], n)?;
        let matrix: Option<Vec<f64>> = self.list(&["TransformMatrix", "Rotation", "Orientation"], n * n)?;
        let is_placed = is_calibrated && n >= 3 && offset.is_some() && matrix.is_some();
        if !is_placed {
            warnings.push(Warning::new("geometry.no_position", "TransformMatrix, Offset"));
        }
        let mut place = Place::made_up([step(0), step(1), step(2)]);
        if let Some(offset) = offset {
            let at = |axis: usize| offset.get(axis).map_or(0.0, |v| v * mm);
            place.origin = [at(0), at(1), if n >= 3 { at(2) } else { 0.0 }].into();
        }
        if let Some(matrix) = matrix {
            // Direction of each axis, one after the other.
            let part = |axis: usize, of: usize| if of < n { matrix.get(axis * n + of).copied().unwrap_or(0.0) } else { 0.0 };
            for axis in 0..n.min(3) {
                let way = VectorLps::new(part(axis, 0), part(axis, 1), part(axis, 2));
                // Lengths are in the spacing alone.
                let way = way.unit().ok_or_else(|| Error::broken("TransformMatrix"))?;
                if let Some(slot) = place.steps.get_mut(axis) {
                    *slot = way * step(axis);
                }
            }
        }
        Ok((place, is_calibrated, is_placed))
    }
}

/// Sizes as MetaIO writes them: `LONG` has four bytes.
fn stored(name: &str) -> Result<Stored> {
    Ok(match name {
        "MET_CHAR" => Stored::I8,
        "MET_UCHAR" => Stored::U8,
        "MET_SHORT" => Stored::I16,
        "MET_USHORT" => Stored::U16,
        "MET_INT" | "MET_LONG" => Stored::I32,
        "MET_UINT" | "MET_ULONG" => Stored::U32,
        "MET_LONG_LONG" => Stored::I64,
        "MET_ULONG_LONG" => Stored::U64,
        "MET_FLOAT" => Stored::F32,
        "MET_DOUBLE" => Stored::F64,
        other if other.ends_with("_ARRAY") => return Err(Error::unsupported(other)),
        _ => return Err(Error::broken("ElementType")),
    })
}
