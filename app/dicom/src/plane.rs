//! Images of a series as planes in patient space, for objects that draw on them or refer to the nearest.

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::geometry::Pixel;
use mj_model::volume::SliceSource;
use mj_model::{Grid, PointLps, Side, VectorLps};

/// How far a place may lie from the plane of an image that it is told to be on. Units: slice distances.
const HALF_A_SLICE: f64 = 0.5;

/// One image, or one frame of it, with its size and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// The image.
    pub image: ImageRef,
    /// Number of columns and of rows.
    pub size: [u32; 2],
    /// Where it lies, one voxel thick: the third distance is that to the next slice. `None` without a place in the patient.
    pub grid: Option<Grid>,
}

impl Plane {
    /// The slices of a grid, each with its image; `sources` are in the order of `k`.
    #[must_use]
    pub fn of_grid(grid: &Grid, sources: &[SliceSource]) -> Vec<Self> {
        let [columns, rows, _] = grid.dims;
        let size = [columns, rows].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let slice = |k: usize| Grid { dims: [columns, rows, 1], origin: grid.lps_from_voxel([0.0, 0.0, k as f64]), ..*grid };
        let image =
            |source: &SliceSource| ImageRef { instance: source.instance.clone(), sop_class: source.sop_class.clone(), frame: source.frame };
        sources.iter().enumerate().map(|(k, source)| Self { image: image(source), size, grid: Some(slice(k)) }).collect()
    }

    /// An object of a single frame. Source: PS3.3 §C.7.6.2 (Image Plane).
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::BadValue`] when it has no UIDs or no size.
    pub fn of(dataset: &Dataset) -> Result<Self> {
        let header = dataset.header()?;
        let root = dataset.root();
        let count = |tag, keyword| root.count(tag).filter(|n| *n > 0).ok_or(Error::Missing { keyword });
        let size = [count(tags::COLUMNS, "Columns")?, count(tags::ROWS, "Rows")?];
        let image = ImageRef { instance: header.instance, sop_class: header.sop_class, frame: None };
        Ok(Self { image, size, grid: grid(dataset, size) })
    }

    /// Distance of a place from the plane along its normal. Units: slice distances. `None` for an image without a place.
    fn slices_off(&self, place: PointLps) -> Option<f64> {
        Some(self.grid.as_ref()?.voxel_from_lps(place)[2].abs())
    }

    /// True when a place lies at most half a slice off the plane; it may lie beside the image.
    fn holds(&self, place: PointLps) -> bool {
        self.slices_off(place).is_some_and(|off| off <= HALF_A_SLICE)
    }

    /// The place straight above or below on the image. `None` when it is more than half a slice off.
    #[must_use]
    pub fn pixel(&self, place: PointLps) -> Option<Pixel> {
        let [column, row, slice] = self.grid.as_ref()?.voxel_from_lps(place);
        (slice.abs() <= HALF_A_SLICE).then_some([column, row])
    }

    /// True for a place within the outer edges of the image's pixels.
    #[must_use]
    pub fn is_inside(&self, [column, row]: Pixel) -> bool {
        let within = |v: f64, n: u32| v >= -0.5 && v <= f64::from(n) - 0.5;
        within(column, self.size[0]) && within(row, self.size[1])
    }
}

/// The image that places lie on: none of them more than half a slice off, and of several such images the one that they lie
/// closest to.
#[must_use]
pub fn nearest<'a>(planes: &'a [Plane], places: &[PointLps]) -> Option<&'a Plane> {
    let first = *places.first()?;
    // Most images are told apart by the first place alone.
    let candidates = planes.iter().filter(|plane| plane.holds(first));
    let all = candidates.filter_map(|plane| {
        let offs = places.iter().map(|place| plane.slices_off(*place).filter(|off| *off <= HALF_A_SLICE));
        offs.collect::<Option<Vec<f64>>>().map(|offs| (plane, offs.into_iter().fold(0.0, f64::max)))
    });
    all.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(plane, _)| plane)
}

/// The side of a paired part that an image shows: Image Laterality, else Laterality. Source: PS3.3 §C.7.3.1.1.1.
#[must_use]
pub fn side_of(dataset: &Dataset) -> Side {
    let root = dataset.root();
    let laterality = [tags::IMAGE_LATERALITY, tags::LATERALITY].map(|tag| root.first_text(tag));
    match laterality.iter().find(|l| !l.is_empty()).map_or("", String::as_str) {
        "L" => Side::Left,
        "R" => Side::Right,
        "B" => Side::Both,
        _ => Side::None,
    }
}

/// The place of an image, if the object tells it.
fn grid(dataset: &Dataset, [columns, rows]: [u32; 2]) -> Option<Grid> {
    let root = dataset.root();
    let &[x, y, z] = root.floats(tags::IMAGE_POSITION_PATIENT).first_chunk::<3>()?;
    let &[a, b, c, d, e, f] = root.floats(tags::IMAGE_ORIENTATION_PATIENT).first_chunk::<6>()?;
    let &[between_rows, between_columns] = root.floats(tags::PIXEL_SPACING).first_chunk::<2>()?;
    let (i, j) = (VectorLps::new(a, b, c).unit()?, VectorLps::new(d, e, f).unit()?);
    let positive = |tag| root.float(tag).filter(|v| *v > 0.0);
    let distance = positive(tags::SPACING_BETWEEN_SLICES).or_else(|| positive(tags::SLICE_THICKNESS)).unwrap_or(1.0);
    let grid = Grid {
        dims: [columns as usize, rows as usize, 1],
        origin: PointLps::new(x, y, z),
        axes: [i, j, i.cross(j).unit()?],
        spacing_mm: [between_columns, between_rows, distance],
    };
    let is_placed = grid.origin.is_finite() && grid.spacing_mm.iter().all(|mm| mm.is_finite() && *mm > 0.0);
    is_placed.then_some(grid)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use mj_model::{InstanceUid, SopClassUid};

    /// An oblique series of five images, 2.5 mm apart, 100 columns of 0.5 mm and 80 rows of 0.75 mm.
    pub(crate) fn oblique() -> (Grid, Vec<Plane>) {
        let (i, j) = (VectorLps::new(0.8, 0.6, 0.0), VectorLps::new(0.0, 0.0, -1.0));
        let (origin, axes) = (PointLps::new(-5.0, 7.0, 100.0), [i, j, i.cross(j)]);
        let grid = Grid { dims: [100, 80, 5], origin, axes, spacing_mm: [0.5, 0.75, 2.5] };
        let sources: Vec<SliceSource> = (1..=5)
            .map(|n| SliceSource {
                instance: InstanceUid::parse(&format!("2.25.90{n}")).unwrap(),
                sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
                frame: None,
            })
            .collect();
        (grid, Plane::of_grid(&grid, &sources))
    }

    #[test]
    fn places_find_their_image_and_their_pixel() {
        let (grid, planes) = oblique();
        let at = |i: f64, j: f64, k: f64| grid.lps_from_voxel([i, j, k]);
        let found = nearest(&planes, &[at(3.0, 4.0, 2.4), at(50.0, 60.0, 1.7)]).unwrap();
        assert_eq!(found.image, planes[2].image);
        let [column, row] = found.pixel(at(3.25, 4.5, 2.4)).unwrap();
        assert!((column - 3.25).abs() < 1e-9 && (row - 4.5).abs() < 1e-9);
        assert!(nearest(&planes, &[at(3.0, 4.0, 2.0), at(3.0, 4.0, 2.6)]).is_none(), "no image holds both");
        assert!(nearest(&planes, &[at(3.0, 4.0, 4.6)]).is_none() && planes[4].pixel(at(0.0, 0.0, 4.6)).is_none());
        assert!(planes[0].is_inside([-0.5, 79.5]) && !planes[0].is_inside([-0.6, 0.0]) && !planes[0].is_inside([0.0, 79.6]));
    }

    #[test]
    fn an_object_tells_its_own_plane() {
        let Some(path) = mj_testdata::path("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
        let dataset = Dataset::from_vec(std::fs::read(path).unwrap()).unwrap();
        let plane = Plane::of(&dataset).unwrap();
        let root = dataset.root();
        assert_eq!(plane.size, [512, 512]);
        let grid = plane.grid.unwrap();
        assert_eq!(root.floats(tags::IMAGE_POSITION_PATIENT), <[f64; 3]>::from(grid.origin));
        assert_eq!(root.floats(tags::PIXEL_SPACING), [grid.spacing_mm[1], grid.spacing_mm[0]]);
    }
}
