//! The plane of a single image in patient space, by its header alone. Source: PS3.3 §C.7.6.2.

use crate::dataset::Dataset;
use dicom_dictionary_std::tags;
use mj_model::{FrameOfReferenceUid, PointLps, Side, VectorLps};

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

/// Where an image lies.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePlane {
    /// Centre of the first pixel. Units: mm, LPS.
    pub origin: PointLps,
    /// Directions of a row (to the next column) and of a column (to the next row). Unit length.
    pub axes: [VectorLps; 2],
    /// Distances of columns and of rows. Units: mm.
    pub spacing_mm: [f64; 2],
    /// Columns and rows.
    pub size: [u32; 2],
    /// Slice Thickness; 0 when not said. Units: mm.
    pub thickness_mm: f64,
    /// Frame of Reference UID.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Image Laterality or Laterality.
    pub side: Side,
}

impl ImagePlane {
    /// The plane of an image; `None` for one without a place, and for objects of several frames.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Option<Self> {
        let root = dataset.root();
        let position = root.floats(tags::IMAGE_POSITION_PATIENT);
        let orientation = root.floats(tags::IMAGE_ORIENTATION_PATIENT);
        let spacing = root.floats(tags::PIXEL_SPACING);
        let (&[x, y, z], &[a, b, c, d, e, f], &[between_rows, between_columns]) =
            (position.first_chunk::<3>()?, orientation.first_chunk::<6>()?, spacing.first_chunk::<2>()?);
        let plane = Self {
            origin: PointLps::new(x, y, z),
            axes: [VectorLps::new(a, b, c).unit()?, VectorLps::new(d, e, f).unit()?],
            spacing_mm: [between_columns, between_rows],
            size: [root.count(tags::COLUMNS)?, root.count(tags::ROWS)?],
            thickness_mm: root.float(tags::SLICE_THICKNESS).filter(|v| v.is_finite() && *v > 0.0).unwrap_or(0.0),
            frame_of_reference: FrameOfReferenceUid::parse(&root.text(tags::FRAME_OF_REFERENCE_UID)).ok(),
            side: side_of(dataset),
        };
        let is_sound = plane.origin.is_finite() && plane.spacing_mm.iter().all(|s| s.is_finite() && *s > 0.0);
        (is_sound && root.count(tags::NUMBER_OF_FRAMES).unwrap_or(1) <= 1).then_some(plane)
    }

    /// Direction of the slices: row direction across column direction.
    #[must_use]
    pub fn normal(&self) -> VectorLps {
        self.axes[0].cross(self.axes[1])
    }

    /// Distance of a point from the plane, along its normal. Units: mm.
    #[must_use]
    pub fn depth_mm(&self, point: PointLps) -> f64 {
        (point - self.origin).dot(self.normal())
    }

    /// Column and row of a point's foot, from 0 at the centre of the first pixel.
    #[must_use]
    pub fn pixel(&self, point: PointLps) -> [f64; 2] {
        let offset = point - self.origin;
        [offset.dot(self.axes[0]) / self.spacing_mm[0], offset.dot(self.axes[1]) / self.spacing_mm[1]]
    }

    /// True when a point's foot lies on the image, pixels counted with their whole area.
    #[must_use]
    pub fn covers(&self, point: PointLps) -> bool {
        let [column, row] = self.pixel(point);
        let within = |at: f64, n: u32| (-0.5..=f64::from(n) - 0.5).contains(&at);
        within(column, self.size[0]) && within(row, self.size[1])
    }

    /// The middle of the image. Units: mm, LPS.
    #[must_use]
    pub fn middle(&self) -> PointLps {
        let half = |axis: usize| (f64::from(self.size[axis]) - 1.0) / 2.0 * self.spacing_mm[axis];
        self.origin + self.axes[0] * half(0) + self.axes[1] * half(1)
    }
}
