//! Volumes and masks as files of other programs. No patient data goes into them.

mod nifti;
mod nrrd;

pub use nifti::nifti;
pub use nrrd::{mask_nrrd, nrrd};

use mj_model::{LinearMap, Samples, Volume};
use rayon::prelude::*;

/// Values as they are written.
enum Values {
    I16(Vec<i16>),
    U16(Vec<u16>),
    U8(Vec<u8>),
    F32(Vec<f32>),
}

impl Values {
    /// Values in the volume's unit: in the sample type where the map is exact in it, else as `f32`.
    fn of(volume: &Volume) -> Self {
        let map = volume.map;
        let exact = match &volume.samples {
            Samples::I16(s) => rescaled(s, map, |v| i16::try_from(v).ok()).map(Self::I16),
            Samples::U16(s) => rescaled(s, map, |v| u16::try_from(v).ok()).map(Self::U16),
            Samples::U8(s) => rescaled(s, map, |v| u8::try_from(v).ok()).map(Self::U8),
            Samples::F32(_) => None,
        };
        exact.unwrap_or_else(|| match &volume.samples {
            Samples::I16(s) => Self::F32(floats(s, map)),
            Samples::U16(s) => Self::F32(floats(s, map)),
            Samples::U8(s) => Self::F32(floats(s, map)),
            Samples::F32(s) => Self::F32(floats(s, map)),
        })
    }

    /// The bytes, little-endian.
    fn bytes(&self) -> Vec<u8> {
        fn le<T: Copy, const N: usize>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            let mut out = Vec::with_capacity(values.len() * N);
            for &v in values {
                out.extend_from_slice(&to(v));
            }
            out
        }
        match self {
            Self::I16(v) => le(v, i16::to_le_bytes),
            Self::U16(v) => le(v, u16::to_le_bytes),
            Self::U8(v) => v.clone(),
            Self::F32(v) => le(v, f32::to_le_bytes),
        }
    }
}

/// Integer values through an integer map, or `None` where one leaves the type.
fn rescaled<T, U>(samples: &[T], map: LinearMap, fit: impl Fn(i64) -> Option<U> + Sync) -> Option<Vec<U>>
where
    T: Copy + Sync + Into<i64>,
    U: Send,
{
    let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 1e9).then_some(v as i64);
    let (slope, intercept) = (whole(map.slope)?, whole(map.intercept)?);
    samples.par_iter().map(|&s| fit(s.into() * slope + intercept)).collect()
}

fn floats<T: Copy + Sync + Into<f64>>(samples: &[T], map: LinearMap) -> Vec<f32> {
    samples.par_iter().map(|&s| map.apply(s.into()) as f32).collect()
}

/// Compressed by gzip at the fast level: CT noise hardly compresses better at a slow one.
fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing into memory does not fail.
    for part in parts {
        if out.write_all(part).is_err() {
            return Vec::new();
        }
    }
    out.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{oblique_grid, volume_of};
    use mj_model::Mask;
    use std::io::Read;

    fn gunzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    fn ramp() -> Volume {
        let mut volume = volume_of(oblique_grid([5, 4, 3]), |v| (v.i + 10 * v.j + 100 * v.k) as i16);
        volume.map.intercept = -1024.0;
        volume
    }

    #[test]
    fn nrrd_holds_rescaled_values_and_geometry() {
        let file = nrrd(&ramp());
        let end = file.windows(2).position(|w| w == b"\n\n").unwrap() + 2;
        let header = String::from_utf8(file[..end].to_vec()).unwrap();
        for line in ["NRRD0004", "type: int16", "space: left-posterior-superior", "sizes: 5 4 3", "encoding: gzip", "endian: little"] {
            assert!(header.lines().any(|l| l == line), "{line} not in\n{header}");
        }
        assert!(header.contains("space origin: (-12,31,105)"), "{header}");
        let data = gunzip(&file[end..]);
        assert_eq!(data.len(), 120);
        assert_eq!(i16::from_le_bytes([data[2], data[3]]), -1023);
    }

    #[test]
    fn values_that_leave_the_type_become_floats() {
        let mut volume = ramp();
        volume.map.slope = 0.5;
        let file = nrrd(&volume);
        assert!(String::from_utf8_lossy(&file[..60]).contains("type: float"));
        volume.map = LinearMap { slope: 300.0, intercept: 0.0 };
        assert!(matches!(Values::of(&volume), Values::F32(v) if v.len() == 60 && (v[59] - 234.0 * 300.0).abs() < 1e-3));
    }

    #[test]
    fn nifti_is_ras() {
        let volume = ramp();
        let file = gunzip(&nifti(&volume));
        assert_eq!(file.len(), 352 + 120);
        let f = |at: usize| f32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let h = |at: usize| i16::from_le_bytes(file[at..at + 2].try_into().unwrap());
        assert_eq!(&file[344..348], b"n+1\0");
        assert_eq!((h(40), h(42), h(44), h(46), h(70), h(72)), (3, 5, 4, 3, 4, 16));
        // Position of voxel (4, 3, 2) by the sform, and by the qform.
        let p = volume.grid.lps_from_voxel([4.0, 3.0, 2.0]);
        let ras = [-p.x, -p.y, p.z];
        for (row, want) in ras.iter().enumerate() {
            let at = 280 + row * 16;
            let got = f(at) * 4.0 + f(at + 4) * 3.0 + f(at + 8) * 2.0 + f(at + 12);
            assert!((f64::from(got) - want).abs() < 1e-3, "row {row}: {got} {want}");
        }
        let (b, c, d) = (f64::from(f(256)), f64::from(f(260)), f64::from(f(264)));
        let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
        let r = [
            [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
            [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
            [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        let step = [4.0 * f64::from(f(80)), 3.0 * f64::from(f(84)), 2.0 * f64::from(f(88)) * f64::from(f(76))];
        for row in 0..3 {
            let got = (0..3).map(|c| r[row][c] * step[c]).sum::<f64>() + f64::from(f(268 + row * 4));
            assert!((got - ras[row]).abs() < 1e-3, "qform row {row}: {got} {}", ras[row]);
        }
    }

    #[test]
    fn masks_are_bytes() {
        let mut mask = Mask::empty(oblique_grid([3, 3, 3]));
        mask.voxels[13] = 1;
        let file = mask_nrrd(&mask);
        let end = file.windows(2).position(|w| w == b"\n\n").unwrap() + 2;
        assert!(String::from_utf8_lossy(&file[..end]).contains("type: uint8"));
        assert_eq!(gunzip(&file[end..]), mask.voxels);
    }
}
