//! Image volumes and masks in memory. They never have `Serialize`, so pixels cannot cross a process by
//! accident.

use crate::code::Unit;
use crate::space::{Grid, Voxel};
use crate::uid::{FrameOfReferenceUid, InstanceUid, SeriesUid, SopClassUid, StudyUid};
use crate::warning::Warning;
use crate::window::{Curve, Window};
use serde::{Deserialize, Serialize};

/// Stored samples as the file stored them.
///
/// Shape: `[k][j][i]`, `i` fastest. Units: stored values, before [`LinearMap`].
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Signed 16 bit (most CT).
    I16(Vec<i16>),
    /// Unsigned 16 bit (most MR).
    U16(Vec<u16>),
    /// 8 bit.
    U8(Vec<u8>),
    /// Float: float pixel data, or a volume whose slope differs per slice (PET).
    F32(Vec<f32>),
}

impl Samples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::I16(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::F32(v) => v.len(),
        }
    }
    /// True when there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// What they take in memory. Units: bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::U8(v) => size_of_val(v.as_slice()),
            Self::I16(v) => size_of_val(v.as_slice()),
            Self::U16(v) => size_of_val(v.as_slice()),
            Self::F32(v) => size_of_val(v.as_slice()),
        }
    }
    /// The stored value at a position in memory, or `None` beyond the end.
    #[must_use]
    pub fn stored(&self, offset: usize) -> Option<f64> {
        match self {
            Self::I16(v) => v.get(offset).map(|&s| f64::from(s)),
            Self::U16(v) => v.get(offset).map(|&s| f64::from(s)),
            Self::U8(v) => v.get(offset).map(|&s| f64::from(s)),
            Self::F32(v) => v.get(offset).map(|&s| f64::from(s)),
        }
    }
    /// Name of the sample type: `i16`, `u16`, `u8`, `f32`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::I16(_) => "i16",
            Self::U16(_) => "u16",
            Self::U8(_) => "u8",
            Self::F32(_) => "f32",
        }
    }
}

/// The one linear map from stored values to the unit: `value = stored * slope + intercept`.
///
/// Source: PS3.3 §C.11.1.1.2 (Rescale Slope (0028,1053), Rescale Intercept (0028,1052)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinearMap {
    /// Rescale Slope.
    pub slope: f64,
    /// Rescale Intercept.
    pub intercept: f64,
}

impl Default for LinearMap {
    fn default() -> Self {
        Self { slope: 1.0, intercept: 0.0 }
    }
}

impl LinearMap {
    /// Applies the map.
    #[must_use]
    pub fn apply(self, stored: f64) -> f64 {
        stored * self.slope + self.intercept
    }
}

/// Where a slice came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SliceSource {
    /// The instance.
    pub instance: InstanceUid,
    /// Its SOP class.
    pub sop_class: SopClassUid,
    /// Frame number from 1, for multi-frame objects.
    pub frame: Option<u32>,
}

/// Stored values from `low` to `high`, both included, stand for no measurement: the picture is background there.
///
/// Source: PS3.3 §C.7.5.1.1.2 (Pixel Padding Value (0028,0120), Pixel Padding Range Limit (0028,0121)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Padding {
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

impl Padding {
    /// The values between two, in any order: the limit of a MONOCHROME1 image lies below its value.
    #[must_use]
    pub const fn between(a: f64, b: f64) -> Self {
        Self { low: a.min(b), high: a.max(b) }
    }

    /// True for a stored value that is padding.
    #[must_use]
    pub fn holds(self, stored: f64) -> bool {
        (self.low..=self.high).contains(&stored)
    }
}

/// A volume: one grid, stored samples, one linear map to a unit.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The study it belongs to.
    pub study: StudyUid,
    /// The series it was assembled from.
    pub series: SeriesUid,
    /// Modality (0008,0060).
    pub modality: String,
    /// Where the voxels are.
    pub grid: Grid,
    /// False when the file gave no spacing: the grid then counts pixels and no millimetre may be shown.
    pub is_calibrated: bool,
    /// False when the file gave no Image Position and Orientation: place and directions of the grid are then made
    /// up, and neither a side of the patient nor a position may be named.
    pub is_placed: bool,
    /// Stored samples.
    pub samples: Samples,
    /// From stored to `unit`.
    pub map: LinearMap,
    /// Unit of mapped values, for example HU for CT.
    pub unit: Unit,
    /// Stored values that mark padding outside the field of view.
    pub padding: Option<Padding>,
    /// Frame of reference, which says what else lies in the same space.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Source of each slice `k`.
    pub sources: Vec<SliceSource>,
    /// Windows from the file, first is the default.
    pub windows: Vec<Window>,
    /// True when the samples are to be shown inverted (MONOCHROME1).
    pub is_inverted: bool,
    /// What is odd about it; shown on the picture.
    pub warnings: Vec<Warning>,
}

impl Volume {
    /// A volume of samples on a grid, calibrated and placed, of which nothing else is known: fresh UIDs, stored
    /// values that mean themselves.
    #[must_use]
    pub fn of(grid: Grid, samples: Samples) -> Self {
        Self {
            study: StudyUid::fresh(),
            series: SeriesUid::fresh(),
            modality: String::new(),
            grid,
            is_calibrated: true,
            is_placed: true,
            samples,
            map: LinearMap::default(),
            unit: Unit::one(),
            padding: None,
            frame_of_reference: None,
            sources: Vec::new(),
            windows: Vec::new(),
            is_inverted: false,
            warnings: Vec::new(),
        }
    }

    /// Stored value of a voxel, or `None` outside.
    #[must_use]
    pub fn stored(&self, v: Voxel) -> Option<f64> {
        let [ni, nj, nk] = self.grid.dims;
        (v.i < ni && v.j < nj && v.k < nk).then(|| self.samples.stored(self.grid.offset(v))).flatten()
    }

    /// True when all values are whole numbers, as in CT; false for ADC, SUV or dose.
    #[must_use]
    pub fn has_whole_values(&self) -> bool {
        let is_whole = |v: f64| v.fract() == 0.0;
        !matches!(self.samples, Samples::F32(_)) && is_whole(self.map.slope) && is_whole(self.map.intercept)
    }

    /// A window of our own for its values, not one of the file's: exact where they are no whole numbers.
    #[must_use]
    pub fn own_window(&self, center: f64, width: f64, name: &str) -> Window {
        let curve = if self.has_whole_values() { Curve::Linear } else { Curve::LinearExact };
        Window { curve, ..Window::linear(center, width, name) }
    }

    /// True for a voxel that holds no measurement: padding.
    #[must_use]
    pub fn is_padding(&self, v: Voxel) -> bool {
        self.padding.is_some_and(|padding| self.stored(v).is_some_and(|stored| padding.holds(stored)))
    }

    /// Value of a voxel in the volume's unit, or `None` outside.
    #[must_use]
    pub fn value(&self, v: Voxel) -> Option<f64> {
        self.stored(v).map(|s| self.map.apply(s))
    }
}

/// Which voxels of a grid belong to something.
///
/// Shape: `[k][j][i]`, one byte a voxel, 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// The grid the mask lives on.
    pub grid: Grid,
    /// 1 inside, 0 outside.
    pub voxels: Vec<u8>,
}

impl Mask {
    /// An empty mask.
    #[must_use]
    pub fn empty(grid: Grid) -> Self {
        Self { grid, voxels: vec![0; grid.n_voxels()] }
    }
    /// Where the mask's first voxel lies in another grid of the same voxels; `None` when their voxels do not coincide, or the
    /// mask reaches beyond it. Voxels of both may lie a hundredth of their distance apart.
    #[must_use]
    pub fn place_in(&self, grid: &Grid) -> Option<[usize; 3]> {
        let own = &self.grid;
        let last = own.dims.map(|n| n.saturating_sub(1) as f64);
        let (first, end) = (grid.voxel_from_lps(own.origin), grid.voxel_from_lps(own.lps_from_voxel(last)));
        let mut place = [0; 3];
        for axis in 0..3 {
            let at = first[axis].round();
            let is_near = (first[axis] - at).abs() <= 0.01 && (end[axis] - at - last[axis]).abs() <= 0.01;
            if !is_near || at < 0.0 || at + last[axis] >= grid.dims[axis] as f64 {
                return None;
            }
            place[axis] = at as usize;
        }
        Some(place)
    }

    /// The same voxels on another grid, of which the mask's own is a part; `None` as [`Mask::place_in`].
    #[must_use]
    pub fn on(&self, grid: &Grid) -> Option<Self> {
        let [i, j, k] = self.place_in(grid)?;
        let mut out = Self::empty(*grid);
        let [ni, nj, _] = self.grid.dims;
        for (row, line) in self.voxels.chunks_exact(ni.max(1)).enumerate() {
            let at = grid.offset([i, j + row % nj, k + row / nj].into());
            if let Some(to) = out.voxels.get_mut(at..at + ni) {
                to.copy_from_slice(line);
            }
        }
        Some(out)
    }

    /// Number of voxels inside.
    #[must_use]
    pub fn count(&self) -> usize {
        self.voxels.iter().filter(|&&v| v != 0).count()
    }
    /// Volume by counting voxels. Units: ml.
    #[must_use]
    pub fn volume_ml(&self) -> f64 {
        self.count() as f64 * self.grid.voxel_ml()
    }
}
