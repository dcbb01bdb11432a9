//! Single images on the CPU: colours on a plane, and what lies over an image.

use crate::plane::Plane;
use mj_model::{ColourImage, Cover, Grid, Window};
use rayon::prelude::*;

/// The colours of an image on a plane, linear between pixels; black outside.
///
/// Shape: `[row][column]` of the plane.
#[must_use]
pub fn colours(image: &ColourImage, plane: &Plane) -> Vec<[u8; 3]> {
    let mut out = vec![[0; 3]; plane.width * plane.height];
    if image.rgb.len() != image.grid.n_voxels() {
        return out;
    }
    on_plane(&image.grid, plane, &mut out, |slot, [x, y]| *slot = linear(image, x, y));
    out
}

/// What lies over an image on a plane: the pixel's flags as [`Cover`] has them. Where pixels of the picture are larger than
/// those of the image, a graphic anywhere in one counts, so that thin lines do not break.
///
/// Shape: `[row][column]` of the plane.
#[must_use]
pub fn covered(cover: &Cover, grid: &Grid, plane: &Plane) -> Vec<u8> {
    let mut out = vec![0; plane.width * plane.height];
    // Half of a picture's pixel in pixels of the image, where it is the larger one.
    let half =
        [0, 1].map(|axis| (plane.mm_per_pixel / grid.spacing_mm[axis] / 2.0).min(8.0)).map(|half| if half > 0.5 { half } else { 0.0 });
    let has_graphics = cover.has_graphics();
    on_plane(grid, plane, &mut out, |slot, [x, y]| {
        let (i, j) = ((x + 0.5).max(0.0) as usize, (y + 0.5).max(0.0) as usize);
        *slot = cover.at(i, j);
        if has_graphics {
            let [columns, rows] = [(x, half[0]), (y, half[1])].map(|(at, half)| {
                let pixel = |v: f64| (v + 0.5).max(0.0) as usize;
                // A pixel that only touches its edge is not in it.
                pixel(at - half)..=pixel(at + half - if half > 0.0 { 1e-6 } else { 0.0 })
            });
            *slot |= rows.flat_map(|j| columns.clone().map(move |i| (i, j))).fold(0, |all, (i, j)| all | cover.at(i, j)) & Cover::GRAPHIC;
        }
    });
    out
}

/// Colours made brighter or darker, each channel alike: a window over the values 0 to 255. `LINEAR` with center 128 and
/// width 256 changes nothing.
pub fn toned(rgb: &mut [[u8; 3]], window: &Window, inverted: bool) {
    let flip = if inverted { 255 } else { 0 };
    let tones: Vec<u8> = (0..=255_u8).map(|v| flip ^ (window.share(f64::from(v)) * 255.0).round() as u8).collect();
    rgb.par_iter_mut().for_each(|pixel| *pixel = pixel.map(|v| tones.get(usize::from(v)).copied().unwrap_or(v)));
}

/// Puts what lies over an image onto its picture: padding black, the shutter in its grey, graphics in a colour, or not at
/// all. `flags` are those of [`covered`].
pub fn compose(rgb: &mut [[u8; 3]], flags: &[u8], shutter_grey: u8, graphics: Option<[u8; 3]>) {
    for (pixel, flags) in rgb.iter_mut().zip(flags) {
        if let Some(over) = over(*flags, shutter_grey, graphics) {
            *pixel = over;
        }
    }
}

/// The colour that flags of [`Cover`] put over a pixel, if they do.
#[must_use]
pub const fn over(flags: u8, shutter_grey: u8, graphics: Option<[u8; 3]>) -> Option<[u8; 3]> {
    match (flags & Cover::GRAPHIC != 0, graphics) {
        (true, Some(colour)) => Some(colour),
        _ if flags & Cover::SHUTTER != 0 => Some([shutter_grey; 3]),
        _ if flags & Cover::PADDING != 0 => Some([0; 3]),
        _ => None,
    }
}

/// Calls for each pixel of a plane that lies on an image, with its place in the image's pixels.
fn on_plane<T: Send>(grid: &Grid, plane: &Plane, out: &mut [T], put: impl Fn(&mut T, [f64; 2]) + Sync) {
    let last = grid.dims.map(|n| n as f64 - 0.5);
    out.par_chunks_mut(plane.width.max(1)).enumerate().for_each(|(y, row)| {
        let at = |x: usize| grid.voxel_from_lps(plane.lps_from_pixel([x as f64, y as f64]));
        let (first, next) = (at(0), at(1));
        for (x, slot) in row.iter_mut().enumerate() {
            let p = [0, 1, 2].map(|a| first[a] + (next[a] - first[a]) * x as f64);
            if (0..3).all(|a| p[a] >= -0.5 && p[a] <= last[a]) {
                put(slot, [p[0], p[1]]);
            }
        }
    });
}

fn linear(image: &ColourImage, x: f64, y: f64) -> [u8; 3] {
    let [ni, nj, _] = image.grid.dims;
    let (x, y) = (x.clamp(0.0, ni as f64 - 1.0), y.clamp(0.0, nj as f64 - 1.0));
    let (i, j) = (x as usize, y as usize);
    let (u, v) = (x.fract() as f32, y.fract() as f32);
    let at = |i: usize, j: usize| image.at(i.min(ni - 1), j.min(nj - 1)).unwrap_or_default();
    let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1));
    [0, 1, 2].map(|n| {
        let [a, b, c, d] = [a[n], b[n], c[n], d[n]].map(f32::from);
        ((a + (b - a) * u) * (1.0 - v) + (c + (d - c) * u) * v).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::{PointLps, VectorLps};

    fn grid(columns: usize, rows: usize) -> Grid {
        let axis = VectorLps::new;
        let axes = [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)];
        Grid { dims: [columns, rows, 1], origin: PointLps::default(), axes, spacing_mm: [1.0, 2.0, 1.0] }
    }

    fn plane(grid: &Grid, width: usize, height: usize, mm_per_pixel: f64) -> Plane {
        Plane { centre: grid.centre(), right: grid.axes[0], down: grid.axes[1], mm_per_pixel, width, height }
    }

    #[test]
    fn colours_lie_where_their_pixels_are() {
        let grid = grid(3, 1);
        let image = ColourImage { grid, rgb: vec![[255, 0, 0], [0, 255, 0], [0, 0, 255]] };
        // Pixels twice as high as wide, and a picture wider than the image.
        let made = colours(&image, &plane(&grid, 5, 2, 1.0));
        let row = [[0; 3], [255, 0, 0], [0, 255, 0], [0, 0, 255], [0; 3]];
        assert_eq!(made, [row, row].concat());
        // Between two pixels.
        assert_eq!(colours(&image, &plane(&grid, 4, 1, 1.0))[1], [128, 128, 0]);
        let broken = ColourImage { grid, rgb: vec![[9; 3]] };
        assert_eq!(colours(&broken, &plane(&grid, 2, 1, 1.0)), [[0; 3]; 2]);
    }

    #[test]
    fn tones_change_colours_only_when_asked() {
        let mut rgb: Vec<[u8; 3]> = (0..=255).map(|v| [v, 255 - v, 7]).collect();
        let same = rgb.clone();
        toned(&mut rgb, &Window::linear(128.0, 256.0, ""), false);
        assert_eq!(rgb, same);
        toned(&mut rgb, &Window::linear(128.0, 256.0, ""), true);
        assert_eq!(rgb[3], [252, 3, 248]);
    }

    #[test]
    fn covers_hide_and_graphics_stay_on_top() {
        let grid = grid(4, 1);
        let cover = Cover {
            columns: 4,
            rows: 1,
            pixels: vec![0, Cover::PADDING, Cover::SHUTTER, Cover::SHUTTER | Cover::GRAPHIC],
            shutter_grey: 90,
        };
        let flags = covered(&cover, &grid, &plane(&grid, 4, 1, 1.0));
        assert_eq!(flags, cover.pixels);
        let mut rgb = vec![[50; 3]; 4];
        compose(&mut rgb, &flags, 90, Some([255, 200, 0]));
        assert_eq!(rgb, [[50; 3], [0; 3], [90; 3], [255, 200, 0]]);
        compose(&mut rgb, &flags, 90, None);
        assert_eq!(rgb[3], [90; 3]);
        // A thin line stays when four image pixels become one.
        let line = Cover { columns: 9, rows: 1, pixels: vec![0, 0, 0, Cover::GRAPHIC, 0, 0, 0, 0, 0], shutter_grey: 0 };
        let wide = Grid { dims: [9, 1, 1], ..grid };
        let n = covered(&line, &wide, &plane(&wide, 3, 1, 3.0)).iter().filter(|f| **f != 0).count();
        assert!((1..=2).contains(&n), "{n}");
        // Nor does it break or go where pixels are a little larger.
        for shift in 0..40 {
            let moved = Plane { centre: wide.centre() + wide.axes[0] * (f64::from(shift) / 20.0), ..plane(&wide, 7, 1, 1.21) };
            let n = covered(&line, &wide, &moved).iter().filter(|f| **f != 0).count();
            assert!((1..=2).contains(&n), "{shift}: {n}");
        }
    }
}
