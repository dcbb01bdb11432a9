//! NRRD, the format of 3D Slicer and ITK.

use super::{Values, gzip};
use mj_model::{Grid, Mask, VectorLps, Volume};

/// A volume as NRRD with gzip. Values are in the volume's unit, see the module. Units: mm, LPS.
///
/// Source: NRRD0004, <https://teem.sourceforge.net/nrrd/format.html>.
#[must_use]
pub fn nrrd(volume: &Volume) -> Vec<u8> {
    let values = Values::of(volume);
    let name = match values {
        Values::I16(_) => "int16",
        Values::U16(_) => "uint16",
        Values::U8(_) => "uint8",
        Values::F32(_) => "float",
    };
    file(&volume.grid, name, &values.bytes())
}

/// A mask (or label map) as NRRD of bytes with gzip. Units: mm, LPS.
///
/// Source: as [`nrrd`].
#[must_use]
pub fn mask_nrrd(mask: &Mask) -> Vec<u8> {
    file(&mask.grid, "uint8", &mask.voxels)
}

fn file(grid: &Grid, sample: &str, data: &[u8]) -> Vec<u8> {
    let vector = |v: VectorLps| format!("({},{},{})", v.x, v.y, v.z);
    let directions: Vec<_> = (0..3).map(|a| vector(grid.axes[a] * grid.spacing_mm[a])).collect();
    let [ni, nj, nk] = grid.dims;
    let o = grid.origin;
    let mut out = format!(
        "NRRD0004\ntype: {sample}\ndimension: 3\nspace: left-posterior-superior\nsizes: {ni} {nj} {nk}\n\
         space directions: {}\nkinds: domain domain domain\nendian: little\nencoding: gzip\n\
         space origin: ({},{},{})\n\n",
        directions.join(" "),
        o.x,
        o.y,
        o.z
    )
    .into_bytes();
    out.extend(gzip(&[data]));
    out
}
