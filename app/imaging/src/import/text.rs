//! Pieces of text headers.

use super::{Error, Result};
use std::path::{Component, Path, PathBuf};

/// Numbers separated by blanks.
pub(super) fn numbers<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split_whitespace().map(|n| n.parse().ok()).collect()
}

/// Words in double quotes, separated by blanks.
pub(super) fn quoted(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Millimetres in a unit of length; `None` for one that is not known.
pub(super) fn mm(unit: &str) -> Option<f64> {
    match unit.trim() {
        "mm" | "millimeter" | "millimetre" => Some(1.0),
        "cm" => Some(10.0),
        "m" => Some(1e3),
        "um" | "µm" | "μm" | "micron" | "microns" => Some(1e-3),
        _ => None,
    }
}

/// The file that a header names for its voxels: in the header's folder or below it, nowhere else, so that a header
/// from elsewhere cannot make another file of this machine into a picture.
pub(super) fn beside(header: &Path, name: &str) -> Result<PathBuf> {
    if name.starts_with("LIST") || name.contains('%') {
        return Err(Error::unsupported("voxels in several files"));
    }
    let named = Path::new(name);
    let is_below = !name.is_empty() && named.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !is_below {
        return Err(Error::unsupported("voxels in another folder"));
    }
    let path = header.parent().unwrap_or(Path::new("")).join(named);
    if path.is_file() { Ok(path) } else { Err(Error::NoDataFile { name: name.to_owned() }) }
}
