//! NRRD, with the voxels in the same file or beside it.
//!
//! Source: <https://teem.sourceforge.net/nrrd/format.html>.

use super::data::{self, Data, Encoding, Stored};
use super::grid::Place;
use super::text::{self, numbers};
use super::{Error, Parsed, Result};
use mj_model::{LinearMap, PointLps, ResearchFormat, VectorLps, Warning};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// Longest header that is read: those of segmentations hold the names of hundreds of segments.
const LONGEST_HEADER: u64 = 16 << 20;
/// Most axes the format has.
const MOST_AXES: usize = 16;

/// Reads the header of a file.
pub(super) fn parse(path: &Path) -> Result<Parsed> {
    let (file, _) = data::open_plain(path)?;
    let (header, length) = Header::read(BufReader::new(file.take(LONGEST_HEADER)))?;
    let mut parsed = header.parsed()?;
    match header.fields.get("data file").or_else(|| header.fields.get("datafile")) {
        Some(name) => parsed.data.path = text::beside(path, name)?,
        None => (parsed.data.path, parsed.data.offset) = (path.to_owned(), length),
    }
    Ok(parsed)
}

struct Header {
    fields: BTreeMap<String, String>,
}

/// One axis.
#[derive(Debug, Clone)]
struct Axis {
    size: usize,
    /// `None` for one that does not lie in space.
    direction: Option<[f64; 3]>,
    spacing: Option<f64>,
    kind: String,
    unit: String,
}

impl Header {
    /// The fields, and where the header ends.
    fn read(mut from: impl BufRead) -> Result<(Self, u64)> {
        let (mut fields, mut length) = (BTreeMap::new(), 0_u64);
        let mut line = Vec::new();
        loop {
            line.clear();
            let n = from.read_until(b'\n', &mut line)? as u64;
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if length == 0 && !text.strip_prefix("NRRD000").is_some_and(|v| v.len() == 1 && v.bytes().all(|b| b.is_ascii_digit())) {
                return Err(Error::WrongContent { format: ResearchFormat::Nrrd });
            }
            length += n;
            if length >= LONGEST_HEADER {
                return Err(Error::broken("header"));
            }
            // A blank line, or the end of a header that stands alone.
            if text.is_empty() {
                return Ok((Self { fields }, length));
            }
            let is_said = !text.starts_with('#') && !text.split_once(':').is_some_and(|(_, rest)| rest.starts_with('='));
            if let Some((name, value)) = text.split_once(": ").filter(|_| is_said) {
                fields.insert(name.trim().to_lowercase(), value.trim().to_owned());
            }
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        let spaceless = name.replace(' ', "");
        self.fields.get(name).or_else(|| self.fields.get(&spaceless)).map(String::as_str)
    }

    fn needed(&self, name: &'static str) -> Result<&str> {
        self.field(name).ok_or_else(|| Error::broken(name))
    }

    fn whole(&self, name: &str) -> Result<i64> {
        self.field(name).map_or(Ok(0), |v| v.parse().map_err(|_no_number| Error::broken(name)))
    }

    fn parsed(&self) -> Result<Parsed> {
        let mut warnings = Vec::new();
        let stored = stored(self.needed("type")?)?;
        let encoding = encoding(self.needed("encoding")?)?;
        let axes = self.axes()?;
        let (stride, spatial) = parts(&axes, &mut warnings)?;
        let n_declared = data::count(&axes.iter().map(|a| a.size).collect::<Vec<_>>(), stored)?;
        let dims = [0, 1, 2].map(|at| spatial.get(at).map_or(1, |a: &&Axis| a.size));
        let (place, is_calibrated, is_placed) = self.place(&spatial, &mut warnings)?;
        let is_big_endian = match self.field("endian") {
            Some("big") => true,
            Some("little") => false,
            None if stored.bytes() == 1 || encoding == Encoding::Text => false,
            _ => return Err(Error::broken("endian")),
        };
        let byte_skip = match self.whole("byte skip")? {
            -1 if encoding == Encoding::Raw => None,
            n => Some(u64::try_from(n).map_err(|_negative| Error::broken("byte skip"))?),
        };
        let line_skip = u64::try_from(self.whole("line skip")?).map_err(|_negative| Error::broken("line skip"))?;
        let data = Data {
            path: std::path::PathBuf::new(),
            offset: 0,
            line_skip,
            byte_skip,
            encoding,
            stored,
            is_big_endian,
            n: dims.iter().product(),
            stride,
            n_declared,
        };
        Ok(Parsed {
            format: "NRRD",
            dims,
            place,
            is_calibrated,
            is_placed,
            map: LinearMap::default(),
            windows: Vec::new(),
            modality: String::new(),
            data,
            warnings,
        })
    }

    fn axes(&self) -> Result<Vec<Axis>> {
        let n: usize = self.needed("dimension")?.parse().map_err(|_no_number| Error::broken("dimension"))?;
        let sizes: Vec<usize> = numbers(self.needed("sizes")?).ok_or_else(|| Error::broken("sizes"))?;
        if !(1..=MOST_AXES).contains(&n) || sizes.len() != n {
            return Err(Error::broken("sizes"));
        }
        let list = |name: &str, values: Option<Vec<String>>| match values {
            Some(values) if values.len() == n => Ok(Some(values)),
            Some(_) => Err(Error::broken(name)),
            None => Ok(None),
        };
        let words = |name: &str| list(name, self.field(name).map(|v| v.split_whitespace().map(str::to_owned).collect()));
        let (kinds, spacings) = (words("kinds")?, words("spacings")?);
        let directions = list("space directions", self.field("space directions").map(vectors).transpose()?)?;
        // Empty units are written as two quotes.
        let units: Vec<String> = self.field("units").map(text::quoted).unwrap_or_default();
        let at = |list: &Option<Vec<String>>, axis: usize| list.as_ref().and_then(|l| l.get(axis)).cloned().unwrap_or_default();
        let mut axes = Vec::with_capacity(n);
        for (axis, size) in sizes.into_iter().enumerate() {
            let spacing = at(&spacings, axis).parse::<f64>().ok().filter(|v| v.is_finite() && *v != 0.0);
            let kind = at(&kinds, axis).to_lowercase();
            let direction = match &directions {
                Some(list) => list.get(axis).map_or(Ok(None), |v| vector(v))?,
                None if matches!(kind.as_str(), "" | "domain" | "space" | "???" | "none") => Some([0.0; 3]),
                None => None,
            };
            axes.push(Axis { size, direction, spacing, kind, unit: units.get(axis).cloned().unwrap_or_default() });
        }
        Ok(axes)
    }

    /// Where the voxels are; whether lengths, and whether the place in the patient is known.
    fn place(&self, spatial: &[&Axis], warnings: &mut Vec<Warning>) -> Result<(Place, bool, bool)> {
        let has_directions = self.field("space directions").is_some();
        if !has_directions {
            let spacing = [0, 1, 2].map(|at| spatial.get(at).and_then(|a| a.spacing));
            // A third axis that is not there has no spacing to be missed.
            let is_told = spatial.iter().all(|a| a.spacing.is_some());
            let units: Option<Vec<f64>> = spatial.iter().map(|a| text::mm(&a.unit)).collect();
            let is_calibrated = is_told && units.is_some();
            if !is_calibrated {
                warnings.push(Warning::new("geometry.no_spacing", "NRRD"));
            }
            warnings.push(Warning::new("geometry.no_position", "NRRD"));
            let scale = |at: usize| units.as_ref().and_then(|u| u.get(at)).copied().unwrap_or(1.0);
            let mut scaled = spacing.map(|s| s.unwrap_or(1.0).abs());
            for (at, s) in scaled.iter_mut().enumerate() {
                *s *= scale(at);
            }
            return Ok((Place::made_up(scaled), is_calibrated, false));
        }
        let (turn, is_of_patient) = space(self.field("space"))?;
        let units: Option<Vec<f64>> =
            self.field("space units").map_or(Some(vec![1.0; 3]), |u| text::quoted(u).iter().map(|u| text::mm(u)).collect());
        if units.is_none() {
            warnings.push(Warning::new("geometry.no_spacing", "space units"));
        }
        let scale = |at: usize| turn[at] * units.as_ref().and_then(|u| u.get(at)).copied().unwrap_or(1.0);
        let turned = |v: [f64; 3]| [v[0] * scale(0), v[1] * scale(1), v[2] * scale(2)];
        let origin = self.field("space origin").map(vector).transpose()?.flatten();
        let is_placed = is_of_patient && origin.is_some() && units.is_some();
        if !is_placed {
            warnings.push(Warning::new("geometry.no_position", self.field("space").unwrap_or("space")));
        }
        let step = |at: usize| spatial.get(at).and_then(|a| a.direction).unwrap_or_default();
        let steps = [0, 1, 2].map(|at| VectorLps::from(turned(step(at))));
        Ok((Place { origin: PointLps::from(turned(origin.unwrap_or_default())), steps }, units.is_some(), is_placed))
    }
}

/// How many values lie side by side in a voxel, and the axes in space.
fn parts<'a>(axes: &'a [Axis], warnings: &mut Vec<Warning>) -> Result<(usize, Vec<&'a Axis>)> {
    let spatial: Vec<&Axis> = axes.iter().filter(|a| a.direction.is_some()).collect();
    // Without directions and kinds a fourth axis is one of time or of components; the first three are taken.
    let spatial: Vec<&Axis> = spatial.into_iter().take(3).collect();
    if spatial.len() < 2 {
        return Err(Error::unsupported("fewer than two axes in space"));
    }
    let is_spatial = |a: &Axis| spatial.iter().any(|s| std::ptr::eq(*s, a));
    let first = axes.iter().position(is_spatial).unwrap_or(0);
    let last = first + spatial.len();
    if !axes.iter().skip(first).take(spatial.len()).all(is_spatial) {
        return Err(Error::unsupported("another axis between those in space"));
    }
    let (before, after) = (axes.get(..first).unwrap_or_default(), axes.get(last..).unwrap_or_default());
    for axis in before.iter().chain(after) {
        if !matches!(axis.kind.as_str(), "" | "list" | "time" | "scalar" | "stub" | "none" | "???" | "domain" | "space" | "vector") {
            return Err(Error::unsupported(axis.kind.clone()));
        }
    }
    let product = |part: &[Axis]| part.iter().try_fold(1_usize, |n, a| n.checked_mul(a.size)).ok_or_else(|| Error::broken("sizes"));
    let (stride, frames) = (product(before)?, product(after)?);
    let n = stride.saturating_mul(frames);
    if n > 1 {
        warnings.push(Warning::new("research.first_of_several", n.to_string()));
    }
    Ok((stride, spatial))
}

/// Signs that turn a space into LPS, and whether it is the patient's at all.
fn space(name: Option<&str>) -> Result<([f64; 3], bool)> {
    let name = name.unwrap_or_default().to_lowercase();
    Ok(match name.strip_suffix("-time").unwrap_or(&name) {
        "left-posterior-superior" | "lps" | "lpst" => ([1.0, 1.0, 1.0], true),
        "right-anterior-superior" | "ras" | "rast" => ([-1.0, -1.0, 1.0], true),
        "left-anterior-superior" | "las" | "last" => ([1.0, -1.0, 1.0], true),
        // Those of the scanner, and spaces that say nothing of the patient.
        "" | "scanner-xyz" | "3d-right-handed" | "3d-left-handed" => ([1.0, 1.0, 1.0], false),
        _ => return Err(Error::broken("space")),
    })
}

/// `(x,y,z)` of each axis, `none` where it does not lie in space.
fn vectors(text: &str) -> Result<Vec<String>> {
    let (mut out, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let length = if rest.starts_with('(') {
            rest.find(')').map(|at| at + 1).ok_or_else(|| Error::broken("space directions"))?
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        let (one, more) = rest.split_at(length);
        out.push(one.to_owned());
        rest = more.trim_start();
        if out.len() > MOST_AXES {
            return Err(Error::broken("space directions"));
        }
    }
    Ok(out)
}

/// A vector of two to four numbers; the fourth is time. `None` for one without a part in space.
fn vector(text: &str) -> Result<Option<[f64; 3]>> {
    if text.trim() == "none" {
        return Ok(None);
    }
    let bad = || Error::broken("vector");
    let inner = text.trim().strip_prefix('(').and_then(|t| t.strip_suffix(')')).ok_or_else(bad)?;
    let parts: Vec<f64> = inner.split(',').map(|p| p.trim().parse().ok()).collect::<Option<_>>().ok_or_else(bad)?;
    match *parts.as_slice() {
        [x, y] => Ok(Some([x, y, 0.0])),
        [x, y, z] => Ok(Some([x, y, z])),
        [0.0, 0.0, 0.0, t] if t != 0.0 => Ok(None),
        [x, y, z, _] => Ok(Some([x, y, z])),
        _ => Err(bad()),
    }
}

fn encoding(name: &str) -> Result<Encoding> {
    Ok(match name.to_lowercase().as_str() {
        "raw" => Encoding::Raw,
        "gz" | "gzip" => Encoding::Deflated,
        "txt" | "text" | "ascii" => Encoding::Text,
        other @ ("hex" | "bz2" | "bzip2") => return Err(Error::unsupported(other)),
        _ => return Err(Error::broken("encoding")),
    })
}

fn stored(name: &str) -> Result<Stored> {
    Ok(match name.to_lowercase().as_str() {
        "signed char" | "int8" | "int8_t" => Stored::I8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Stored::U8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Stored::I16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Stored::U16,
        "int" | "signed int" | "int32" | "int32_t" => Stored::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Stored::U32,
        "longlong" | "long long" | "long long int" | "signed long long" | "signed long long int" | "int64" | "int64_t" => Stored::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Stored::U64,
        "float" => Stored::F32,
        "double" => Stored::F64,
        "block" => return Err(Error::unsupported("block")),
        _ => return Err(Error::broken("type")),
    })
}
