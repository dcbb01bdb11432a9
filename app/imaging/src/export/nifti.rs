//! NIfTI-1, the format of the research tools.

use super::{Values, gzip};
use mj_model::{Grid, Volume};

/// A volume as NIfTI-1 with gzip (`.nii.gz`). Values are in the volume's unit; positions are turned from LPS
/// into NIfTI's RAS. Both the sform and the qform are written.
///
/// Source: NIfTI-1 header, <https://nifti.nimh.nih.gov/nifti-1>.
#[must_use]
pub fn nifti(volume: &Volume) -> Vec<u8> {
    let values = Values::of(volume);
    let (code, bits) = match values {
        Values::U8(_) => (2_i16, 8_i16),
        Values::I16(_) => (4, 16),
        Values::F32(_) => (16, 32),
        Values::U16(_) => (512, 16),
    };
    gzip(&[&header(&volume.grid, code, bits), &values.bytes()])
}

fn header(grid: &Grid, datatype: i16, bitpix: i16) -> [u8; 352] {
    let mut h = [0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| h[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    let [ni, nj, nk] = grid.dims.map(|n| i16::try_from(n).unwrap_or(i16::MAX));
    for (at, n) in [3, ni, nj, nk, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + at * 2, &n.to_le_bytes());
    }
    put(70, &datatype.to_le_bytes());
    put(72, &bitpix.to_le_bytes());
    let (qfac, quaternion) = quaternion(&ras_axes(grid));
    for (at, v) in [qfac, grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]].into_iter().enumerate() {
        put(76 + at * 4, &(v as f32).to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    // Lengths in mm; both transforms lead to scanner coordinates.
    put(123, &[2]);
    put(252, &1_i16.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    let offset = [-grid.origin.x, -grid.origin.y, grid.origin.z];
    for (at, v) in quaternion.into_iter().chain(offset).enumerate() {
        put(256 + at * 4, &(v as f32).to_le_bytes());
    }
    let axes = ras_axes(grid);
    for row in 0..3 {
        for (column, spacing) in grid.spacing_mm.iter().enumerate() {
            put(280 + row * 16 + column * 4, &((axes[row][column] * spacing) as f32).to_le_bytes());
        }
        put(280 + row * 16 + 12, &(offset[row] as f32).to_le_bytes());
    }
    put(344, b"n+1\0");
    h
}

/// The grid's unit axes as columns, in RAS.
fn ras_axes(grid: &Grid) -> [[f64; 3]; 3] {
    let [i, j, k] = grid.axes;
    [[-i.x, -j.x, -k.x], [-i.y, -j.y, -k.y], [i.z, j.z, k.z]]
}

/// `qfac` and the quaternion's b, c, d of a rotation, the third axis turned round first where it is improper.
///
/// Source: `nifti_mat44_to_quatern` of the NIfTI-1 reference code.
fn quaternion(r: &[[f64; 3]; 3]) -> (f64, [f64; 3]) {
    let det = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) - r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0])
        + r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
    let qfac = if det < 0.0 { -1.0 } else { 1.0 };
    let mut r = *r;
    for row in &mut r {
        row[2] *= qfac;
    }
    let trace = r[0][0] + r[1][1] + r[2][2] + 1.0;
    let (a, b, c, d);
    if trace > 0.5 {
        a = 0.5 * trace.sqrt();
        b = 0.25 * (r[2][1] - r[1][2]) / a;
        c = 0.25 * (r[0][2] - r[2][0]) / a;
        d = 0.25 * (r[1][0] - r[0][1]) / a;
    } else {
        let xd = 1.0 + r[0][0] - (r[1][1] + r[2][2]);
        let yd = 1.0 + r[1][1] - (r[0][0] + r[2][2]);
        let zd = 1.0 + r[2][2] - (r[0][0] + r[1][1]);
        if xd > 1.0 {
            b = 0.5 * xd.sqrt();
            c = 0.25 * (r[0][1] + r[1][0]) / b;
            d = 0.25 * (r[0][2] + r[2][0]) / b;
            a = 0.25 * (r[2][1] - r[1][2]) / b;
        } else if yd > 1.0 {
            c = 0.5 * yd.sqrt();
            b = 0.25 * (r[0][1] + r[1][0]) / c;
            d = 0.25 * (r[1][2] + r[2][1]) / c;
            a = 0.25 * (r[0][2] - r[2][0]) / c;
        } else {
            d = 0.5 * zd.max(0.0).sqrt();
            b = 0.25 * (r[0][2] + r[2][0]) / d;
            c = 0.25 * (r[1][2] + r[2][1]) / d;
            a = 0.25 * (r[1][0] - r[0][1]) / d;
        }
    }
    // The reader takes the root for `a`, so it must not be negative.
    (qfac, if a < 0.0 { [-b, -c, -d] } else { [b, c, d] })
}
