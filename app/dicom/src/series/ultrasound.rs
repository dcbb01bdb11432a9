//! Calibrated regions of ultrasound images. Source: PS3.3 §C.8.5.5.

use crate::dataset::View;
use dicom_dictionary_std::tags;

/// A rectangle of an image in which pixels have a meaning of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// First column and row, counted from 0.
    pub min: [f64; 2],
    /// Last column and row, included.
    pub max: [f64; 2],
    /// Distances of pixels along a row and down a column where it is a section of the body, in brightness or with
    /// coloured flow; `None` for spectra, M-mode, graphics and for units that are no lengths. Units: mm.
    pub mm_per_pixel: Option<[f64; 2]>,
}

impl Region {
    /// The regions of an image. Those without a spatial format hold no picture and are left out.
    pub(super) fn all(root: &View<'_>) -> Vec<Self> {
        root.items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).filter_map(|item| Self::of(&item)).collect()
    }

    fn of(item: &View<'_>) -> Option<Self> {
        let corner = |x, y| Some([item.float(x)?, item.float(y)?]);
        let min = corner(tags::REGION_LOCATION_MIN_X0, tags::REGION_LOCATION_MIN_Y0)?;
        let max = corner(tags::REGION_LOCATION_MAX_X1, tags::REGION_LOCATION_MAX_Y1)?;
        let format = item.int(tags::REGION_SPATIAL_FORMAT).filter(|&format| format != 0)?;
        let is_section = format == 1 && matches!(item.int(tags::REGION_DATA_TYPE), Some(1 | 2));
        let is_cm = |tag| item.int(tag) == Some(3);
        let cm = corner(tags::PHYSICAL_DELTA_X, tags::PHYSICAL_DELTA_Y);
        // A negative step only says which way the axis runs.
        let mm = cm.map(|cm| cm.map(|cm| cm.abs() * 10.0)).filter(|mm| mm.iter().all(|mm| (1e-4..1e3).contains(mm)));
        let is_length = is_section && is_cm(tags::PHYSICAL_UNITS_X_DIRECTION) && is_cm(tags::PHYSICAL_UNITS_Y_DIRECTION);
        (min[0] <= max[0] && min[1] <= max[1]).then_some(Self { min, max, mm_per_pixel: mm.filter(|_| is_length) })
    }

    /// True for a place within half a pixel of its pixels. `[column, row]` from 0 at the centre of the first pixel.
    #[must_use]
    pub fn holds(&self, [x, y]: [f64; 2]) -> bool {
        let is_in = |v: f64, n: usize| self.min.get(n).zip(self.max.get(n)).is_some_and(|(lo, hi)| (lo - 0.5..=hi + 0.5).contains(&v));
        is_in(x, 0) && is_in(y, 1)
    }

    fn meets(&self, a: [f64; 2], b: [f64; 2]) -> bool {
        let overlaps = |n: usize| {
            let ends = a.get(n).zip(b.get(n)).map(|(p, q)| (p.min(*q), p.max(*q)));
            let mine = self.min.get(n).zip(self.max.get(n));
            ends.zip(mine).is_some_and(|((lo, hi), (min, max))| lo <= max + 0.5 && hi >= min - 0.5)
        };
        overlaps(0) && overlaps(1)
    }
}

/// Distances of pixels for a line between two places: those of the one section that holds both ends, unless a region
/// of another kind or scale reaches in between. Units: mm.
#[must_use]
pub fn mm_per_pixel(regions: &[Region], a: [f64; 2], b: [f64; 2]) -> Option<[f64; 2]> {
    let mut holding = regions.iter().filter(|r| r.holds(a) && r.holds(b)).filter_map(|r| r.mm_per_pixel);
    let found = holding.next()?;
    let differs = |r: &&Region| r.mm_per_pixel != Some(found);
    (!regions.iter().filter(differs).any(|r| r.meets(a, b))).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(min: [f64; 2], max: [f64; 2], mm: Option<f64>) -> Region {
        Region { min, max, mm_per_pixel: mm.map(|mm| [mm, mm]) }
    }

    #[test]
    fn a_length_needs_one_section_around_both_ends() {
        let two = [region([10.0, 10.0], [99.0, 99.0], Some(0.3)), region([100.0, 10.0], [199.0, 99.0], Some(0.3))];
        assert_eq!(mm_per_pixel(&two, [20.0, 20.0], [90.0, 20.0]), Some([0.3, 0.3]));
        // From one section into its neighbour, though their scale is the same: they are two pictures.
        assert_eq!(mm_per_pixel(&two, [20.0, 20.0], [150.0, 20.0]), None);
        assert_eq!(mm_per_pixel(&two, [5.0, 5.0], [50.0, 50.0]), None);
        // A colour bar inside the section, and a line that ends in it or crosses it.
        let bar = [two[0].clone(), region([60.0, 20.0], [70.0, 80.0], None)];
        assert_eq!(mm_per_pixel(&bar, [20.0, 20.0], [65.0, 50.0]), None);
        assert_eq!(mm_per_pixel(&bar, [20.0, 90.0], [80.0, 90.0]), Some([0.3, 0.3]));
        // Two scales over one another say nothing.
        let both = [two[0].clone(), region([10.0, 10.0], [99.0, 99.0], Some(0.5))];
        assert_eq!(mm_per_pixel(&both, [20.0, 20.0], [90.0, 20.0]), None);
    }
}
