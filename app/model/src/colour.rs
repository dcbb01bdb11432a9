//! Single images in colour, and what covers an image. Like samples, they never have `Serialize`.

use crate::space::Grid;

/// An image in colour, ready to be shown.
///
/// Shape: `[j][i]`, `i` fastest; red, green, blue, 8 bits each, as the display takes them (no ICC profile is applied).
#[derive(Debug, Clone, PartialEq)]
pub struct ColourImage {
    /// Where its pixels are; one voxel thick.
    pub grid: Grid,
    /// The colours.
    pub rgb: Vec<[u8; 3]>,
}

impl ColourImage {
    /// The colour of a pixel, `None` outside.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> Option<[u8; 3]> {
        let [ni, nj, _] = self.grid.dims;
        (i < ni && j < nj).then(|| self.rgb.get(j * ni + i).copied()).flatten()
    }
}

/// Rec. 601 luminance of a colour, as images in colour are shown where only grey can be: `0.299 R + 0.587 G + 0.114 B`.
#[must_use]
pub fn luminance([r, g, b]: [u8; 3]) -> u8 {
    (0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)).round() as u8
}

/// What lies over an image: padding and display shutter, which hide it, and the graphics of its overlay planes.
///
/// Shape: `[j][i]`, `i` fastest, one byte a pixel: the sum of [`Cover::PADDING`], [`Cover::SHUTTER`] and
/// [`Cover::GRAPHIC`].
///
/// Source: PS3.3 §C.7.5.1.1.2 (padding), §C.7.6.11 (display shutter), §C.9.2 (overlay plane).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// What lies over each pixel.
    pub pixels: Vec<u8>,
    /// Grey of what the shutter hides.
    pub shutter_grey: u8,
}

impl Cover {
    /// No measurement here: background.
    pub const PADDING: u8 = 1;
    /// Outside the display shutter.
    pub const SHUTTER: u8 = 2;
    /// A graphic of an overlay plane.
    pub const GRAPHIC: u8 = 4;

    /// What lies over a pixel; nothing outside the image.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> u8 {
        if i < self.columns && j < self.rows { self.pixels.get(j * self.columns + i).copied().unwrap_or(0) } else { 0 }
    }

    /// True when it has overlay graphics.
    #[must_use]
    pub fn has_graphics(&self) -> bool {
        self.pixels.iter().any(|p| p & Self::GRAPHIC != 0)
    }
}
