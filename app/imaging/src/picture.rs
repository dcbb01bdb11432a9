//! A picture of values, before any window is applied.

/// Values on a plane.
///
/// Shape: `[row][column]`, `width` fastest, row 0 at the top. Units: the volume's unit; NaN outside the volume.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The values.
    pub values: Vec<f32>,
}

impl Picture {
    /// A picture of NaN.
    #[must_use]
    pub fn blank(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![f32::NAN; width * height] }
    }

    /// The value of a pixel; `None` beyond the picture or outside the volume.
    #[must_use]
    pub fn value(&self, x: usize, y: usize) -> Option<f32> {
        (x < self.width).then(|| self.values.get(y * self.width + x).copied()).flatten().filter(|v| !v.is_nan())
    }
}

/// How a value between voxel centres is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Interpolation {
    /// The value of the nearest voxel.
    Nearest,
    /// Linear along all three axes; beyond the outermost centres the edge value goes on for half a voxel.
    #[default]
    Linear,
    /// Cubic convolution (Keys, a = -1/2) of the 64 voxels around; sharper, and it may overshoot. At the edge as
    /// linear.
    Cubic,
}

/// How the values along a line of sight become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Projection {
    /// The highest.
    Max,
    /// The lowest.
    Min,
    /// The average.
    Mean,
}
