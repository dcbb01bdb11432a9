//! Recommended display colours: sRGB as PCS-values of CIELab in 16 bits, and back. Source: PS3.3 §C.10.7.1.1.

/// The D50 white of the profile connection space.
const WHITE: [f64; 3] = [0.964_22, 1.0, 0.825_21];
/// sRGB to XYZ relative to it, and back. Source: B. Lindbloom, "RGB/XYZ matrices", sRGB adapted to D50 by Bradford's method.
const TO_XYZ: [[f64; 3]; 3] =
    [[0.436_074_7, 0.385_064_9, 0.143_080_4], [0.222_504_5, 0.716_878_6, 0.060_616_9], [0.013_932_2, 0.097_104_5, 0.714_173_3]];
#[cfg(feature = "pixels")]
const FROM_XYZ: [[f64; 3]; 3] =
    [[3.133_856_1, -1.616_866_7, -0.490_614_6], [-0.978_768_4, 1.916_141_5, 0.033_454_0], [0.071_945_3, -0.228_991_4, 1.405_242_7]];
/// Lowest value and range of L, a and b. Source: PS3.3 §C.10.7.1.1.
const RANGES: [[f64; 2]; 3] = [[0.0, 100.0], [-128.0, 255.0], [-128.0, 255.0]];

fn times(matrix: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
}

/// A colour of the screen as the values of the attribute.
pub(super) fn to_cielab(rgb: [u8; 3]) -> [u16; 3] {
    let linear = rgb.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    let f = |t: f64| if t > 216.0 / 24_389.0 { t.cbrt() } else { (24_389.0 / 27.0 * t + 16.0) / 116.0 };
    let xyz = times(&TO_XYZ, linear);
    let [x, y, z] = [0, 1, 2].map(|a| f(xyz[a] / WHITE[a]));
    let lab = [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)];
    [0, 1, 2].map(|a| (((lab[a] - RANGES[a][0]) / RANGES[a][1]).clamp(0.0, 1.0) * 65_535.0).round() as u16)
}

/// The values of the attribute as a colour of the screen, the nearest it has.
#[cfg(feature = "pixels")]
pub(super) fn from_cielab(stored: [f64; 3]) -> [u8; 3] {
    let [l, a, b] = [0, 1, 2].map(|n| RANGES[n][0] + stored[n].clamp(0.0, 65_535.0) / 65_535.0 * RANGES[n][1]);
    let y = (l + 16.0) / 116.0;
    let f = |t: f64| if t > 6.0 / 29.0 { t.powi(3) } else { (116.0 * t - 16.0) * 27.0 / 24_389.0 };
    let of_white = [y + a / 500.0, y, y - b / 200.0].map(f);
    let linear = times(&FROM_XYZ, [0, 1, 2].map(|n| of_white[n] * WHITE[n]));
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.003_130_8 { v * 12.92 } else { 1.055f64.mul_add(v.powf(1.0 / 2.4), -0.055) };
        (v * 255.0).round() as u8
    })
}

#[cfg(all(test, feature = "pixels"))]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back() {
        for r in (0..=255).step_by(15) {
            for (g, b) in (0..=255).step_by(15).flat_map(|g| (0..=255).step_by(15).map(move |b| (g, b))) {
                let back = from_cielab(to_cielab([r, g, b]).map(f64::from));
                assert!([r, g, b].iter().zip(back).all(|(was, is)| was.abs_diff(is) <= 1), "{r} {g} {b}: {back:?}");
            }
        }
        // White and black, by hand: L 100 and 0, a and b in the middle of their range.
        assert_eq!(from_cielab([65_535.0, 32_896.0, 32_896.0]), [255; 3]);
        assert_eq!(from_cielab([0.0, 32_896.0, 32_896.0]), [0; 3]);
    }
}
