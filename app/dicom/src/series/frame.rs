//! One image of a series: a classic file, or a frame of a multi-frame one.

use super::apart::Marks;
use super::look::Look;
use crate::dataset::{Head, View};
use crate::error::Result;
use crate::header::Header;
use crate::pixels::{self, Decoder, Layout, lut};
use crate::suv;
use crate::syntax;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use mj_model::volume::SliceSource;
use mj_model::{Curve, FrameOfReferenceUid, LinearMap, Padding, PointLps, TransferSyntaxUid, Unit, VectorLps, Window};
use std::sync::Arc;

/// Everything about an image but its samples.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    /// Index of its file.
    pub file: usize,
    /// Frame in the file, from 0.
    pub frame: u32,
    /// Where its uncompressed samples lie, when nothing but them is needed to make the slice.
    pub unread: Option<Unread>,
    pub source: SliceSource,
    pub transfer_syntax: TransferSyntaxUid,
    pub layout: Arc<Layout>,
    /// Rows whose samples are there: all of them, or the first ones where the file is cut short.
    pub rows_there: u32,
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Centre of the first pixel.
    pub position: Option<PointLps>,
    /// Unit directions along a row (i) and down a column (j).
    pub axes: Option<[VectorLps; 2]>,
    /// Distances along i and j; 1 and the aspect ratio where nothing is known.
    pub spacing_mm: [f64; 2],
    pub is_calibrated: bool,
    /// Distance to the next slice as the file says it, or its thickness.
    pub thickness_mm: Option<f64>,
    /// Slice Thickness: how much of the patient one image covers.
    pub slab_mm: Option<f64>,
    pub map: LinearMap,
    pub has_modality_lut: bool,
    pub unit: Unit,
    pub windows: Vec<Window>,
    pub padding: Option<Padding>,
    pub look: Arc<Look>,
    pub is_lossy: bool,
    /// Orders repeated images of one place, and images without a place.
    pub order: [i64; 5],
    /// What tells repeated images of one place apart.
    pub marks: Marks,
    /// Stack ID (0020,9056) of a frame: frames of two stacks never lie in one block. Source: PS3.3 §C.7.6.16.2.2.2.
    pub stack_id: String,
    /// Image Type says it is a localizer.
    pub is_localizer: bool,
    /// What a PET image says about uptake values.
    pub pet: Option<Arc<suv::Facts>>,
}

/// Uncompressed samples of a frame that were left in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unread {
    /// Where they begin. Units: bytes from the object's beginning.
    pub at: u64,
    /// Length of the object when it was scanned.
    pub object_len: u64,
}

impl Slice {
    /// True when the file gives its place in the patient.
    pub(super) const fn is_placed(&self) -> bool {
        self.position.is_some() && self.axes.is_some()
    }

    /// True when rows are missing.
    pub(super) fn is_cut(&self) -> bool {
        self.rows_there < self.layout.rows
    }

    /// The layout of the rows that are there.
    pub(super) fn layout_there(&self) -> Layout {
        Layout { rows: self.rows_there, ..Layout::clone(&self.layout) }
    }

    /// Direction of the stack, `None` without an orientation.
    pub(super) fn normal(&self) -> Option<VectorLps> {
        self.axes.and_then(|[i, j]| i.cross(j).unit())
    }
}

/// The images of an object with pixels: those that are there.
pub(super) fn slices(file: usize, head: &Head, header: &Header) -> Result<Vec<Slice>> {
    let dataset = &head.dataset;
    // Refuses what cannot be decoded now, by name, and a number of frames the data cannot hold.
    let (layout, rows_there) = match &head.pixels {
        Some(pixels) => {
            let layout = pixels::layout_unread(dataset, pixels.end - pixels.start)?;
            let rows: Vec<u32> = (0..layout.frames).map(|frame| layout.rows_there(frame, pixels.end - pixels.start)).collect();
            (Arc::new(layout), rows)
        }
        None => {
            let decoder = Decoder::of_part(dataset)?;
            let rows = (0..decoder.layout().frames).map(|frame| decoder.rows_there(frame)).collect();
            (Arc::new(decoder.layout().clone()), rows)
        }
    };
    let root = dataset.root();
    let is_plain = layout.samples_per_pixel == 1
        && layout.bits_allocated != 1
        && layout.photometric != "PALETTE COLOR"
        && root.item(tags::MODALITY_LUT_SEQUENCE).is_none();
    let unread = |frame: u32| {
        let pixels = head.pixels.as_ref().filter(|_| is_plain)?;
        Some(Unread { at: pixels.start + u64::from(frame) * layout.frame_bytes() as u64, object_len: head.len })
    };
    let shared = root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let per_frame: Vec<View<'_>> = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    let padding = pixels::padding(dataset, &layout);
    let is_multi = layout.frames > 1 || !per_frame.is_empty();
    let pet = suv::Facts::of(&root, header).map(Arc::new);
    let look = Arc::new(Look::of(&root, &layout, &header.series.modality));
    Ok((0..layout.frames)
        .zip(rows_there)
        .filter(|(_, rows_there)| *rows_there > 0)
        .map(|(frame, rows_there)| {
            let place = Place { root: &root, shared: shared.as_ref(), own: per_frame.get(frame as usize), frame, look: &look };
            let (position, axes) = (place.position(), place.axes());
            let (spacing_mm, is_calibrated) = place.spacing();
            let modality = header.series.modality.as_str();
            let is_grey = layout.samples_per_pixel == 1 && layout.photometric != "PALETTE COLOR";
            let modality_lut = root.item(tags::MODALITY_LUT_SEQUENCE).filter(|_| is_grey);
            let modality_lut = modality_lut.map(|lut| lut.first_text(tags::MODALITY_LUT_TYPE));
            let has_modality_lut = modality_lut.is_some();
            let (map, unit) = match modality_lut.as_deref() {
                Some("HU") => (LinearMap::default(), Unit::hu()),
                Some(_) => (LinearMap::default(), Unit::one()),
                None => place.map(modality),
            };
            Slice {
                file,
                frame,
                unread: unread(frame),
                source: SliceSource {
                    instance: header.instance.clone(),
                    sop_class: header.sop_class.clone(),
                    frame: is_multi.then_some(frame + 1),
                },
                transfer_syntax: header.transfer_syntax.clone(),
                layout: Arc::clone(&layout),
                rows_there,
                frame_of_reference: header.series.frame_of_reference.clone(),
                // A position without an orientation, or the reverse, places nothing.
                position: position.filter(|_| axes.is_some()),
                axes: axes.filter(|_| position.is_some()),
                spacing_mm,
                is_calibrated,
                thickness_mm: place.thickness(),
                slab_mm: place.float(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS).filter(|v| *v > 0.0),
                map,
                has_modality_lut,
                unit,
                windows: place.windows(),
                padding,
                look: Arc::clone(&look),
                is_lossy: root.first_text(tags::LOSSY_IMAGE_COMPRESSION) == "01" || syntax::is_lossy(header.transfer_syntax.as_str()),
                order: place.order(header),
                marks: Marks::of(&place),
                stack_id: place.group(tags::FRAME_CONTENT_SEQUENCE).map(|g| g.first_text(tags::STACK_ID)).unwrap_or_default(),
                is_localizer: place.image_type().iter().any(|value| value == "LOCALIZER"),
                pet: pet.clone(),
            }
        })
        .collect())
}

/// Where attributes of a frame are looked up: its own groups, the shared ones, the object.
/// Source: PS3.3 §C.7.6.16.
pub(super) struct Place<'a, 'b> {
    pub root: &'b View<'a>,
    shared: Option<&'b View<'a>>,
    own: Option<&'b View<'a>>,
    frame: u32,
    look: &'b Look,
}

impl<'a> Place<'a, '_> {
    /// The item of a functional group, the frame's own first.
    pub(super) fn group(&self, sequence: Tag) -> Option<View<'a>> {
        self.own.and_then(|g| g.item(sequence)).or_else(|| self.shared.and_then(|g| g.item(sequence)))
    }

    pub(super) fn floats(&self, sequence: Tag, tag: Tag) -> Vec<f64> {
        let grouped = self.group(sequence).map(|g| g.floats(tag)).unwrap_or_default();
        if grouped.is_empty() { self.root.floats(tag) } else { grouped }
    }

    pub(super) fn float(&self, sequence: Tag, tag: Tag) -> Option<f64> {
        self.floats(sequence, tag).first().copied().filter(|v| v.is_finite())
    }

    /// Image Type, or the Frame Type of an enhanced object. Source: PS3.3 §C.7.6.1.1.2, §C.8.16.1.
    pub(super) fn image_type(&self) -> Vec<String> {
        let of_frame = [tags::MR_IMAGE_FRAME_TYPE_SEQUENCE, tags::CT_IMAGE_FRAME_TYPE_SEQUENCE, tags::PET_FRAME_TYPE_SEQUENCE]
            .into_iter()
            .filter_map(|sequence| self.group(sequence))
            .map(|group| group.texts(tags::FRAME_TYPE))
            .find(|values| !values.is_empty());
        of_frame.unwrap_or_else(|| self.root.texts(tags::IMAGE_TYPE))
    }

    fn position(&self) -> Option<PointLps> {
        let values = self.floats(tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT);
        let [x, y, z] = *values.first_chunk::<3>()?;
        let first = PointLps::new(x, y, z);
        if !first.is_finite() {
            return None;
        }
        if self.frame == 0 || self.group(tags::PLANE_POSITION_SEQUENCE).is_some() {
            return Some(first);
        }
        // Frames of a dose lie at offsets along the normal: PS3.3 §C.8.8.3.2. Frames of other objects without
        // positions of their own are not known to lie anywhere.
        let offsets = self.root.floats(tags::GRID_FRAME_OFFSET_VECTOR);
        let offset = offsets.get(self.frame as usize).copied()?;
        let [i, j] = self.axes()?;
        let relative = if offsets.first() == Some(&0.0) { offset } else { offset - offsets.first().copied().unwrap_or(0.0) };
        Some(first + i.cross(j).unit()? * relative)
    }

    fn axes(&self) -> Option<[VectorLps; 2]> {
        let v = self.floats(tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT);
        let [a, b, c, d, e, f] = *v.first_chunk::<6>()?;
        let (i, j) = (VectorLps::new(a, b, c).unit()?, VectorLps::new(d, e, f).unit()?);
        // Directions that are not perpendicular are no image plane.
        (i.dot(j).abs() < 1e-2).then_some([i, j])
    }

    /// Distances along i and j, and whether they are millimetres in the patient. Pixel Spacing gives the one
    /// between rows first, which is the distance along j.
    fn spacing(&self) -> ([f64; 2], bool) {
        let pair = |values: &[f64]| match *values {
            [between_rows, between_columns, ..]
                if between_rows > 0.0 && between_columns > 0.0 && between_rows.is_finite() && between_columns.is_finite() =>
            {
                Some([between_columns, between_rows])
            }
            _ => None,
        };
        let found = pair(&self.floats(tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING));
        // On a screen of ultrasound regions, each with its own scale, one spacing does not hold for all.
        let is_by_regions = !self.look.regions.is_empty() && self.position().is_none();
        if let Some(found) = found.filter(|_| self.look.detector_mm.is_none() && !is_by_regions) {
            return (found, true);
        }
        // Spacing at the detector or aspect ratio: right proportions, but no lengths in the patient.
        let [columns, rows] =
            self.look.detector_mm.or(found).or_else(|| pair(&self.root.floats(tags::PIXEL_ASPECT_RATIO))).unwrap_or([1.0, 1.0]);
        ([1.0, rows / columns], false)
    }

    fn thickness(&self) -> Option<f64> {
        let positive = |v: &f64| *v > 0.0;
        self.float(tags::PIXEL_MEASURES_SEQUENCE, tags::SPACING_BETWEEN_SLICES)
            .filter(positive)
            .or_else(|| self.float(tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS).filter(positive))
    }

    fn map(&self, modality: &str) -> (LinearMap, Unit) {
        if let Some(scaling) = self.root.float(tags::DOSE_GRID_SCALING) {
            let unit = if self.root.first_text(tags::DOSE_UNITS) == "GY" { Unit("Gy".into()) } else { Unit::one() };
            return (LinearMap { slope: scaling, intercept: 0.0 }, unit);
        }
        let slope = self.float(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_SLOPE);
        let intercept = self.float(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_INTERCEPT);
        let kind =
            self.group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE).map(|g| g.first_text(tags::RESCALE_TYPE)).filter(|t| !t.is_empty());
        let kind = kind.unwrap_or_else(|| self.root.first_text(tags::RESCALE_TYPE));
        let unit = match (modality, kind.as_str(), self.root.first_text(tags::UNITS).as_str()) {
            (_, "HU", _) => Unit::hu(),
            ("CT", "", _) if intercept.is_some() => Unit::hu(),
            ("PT", _, "BQML") => Unit("Bq/ml".into()),
            ("PT", _, "GML") => Unit("g/ml".into()),
            ("PT", _, "CNTS") => Unit("{counts}".into()),
            ("PT", _, "CPS") => Unit("{counts}/s".into()),
            _ => Unit::one(),
        };
        // A slope of zero would make every value the same: a mistake of the writer.
        let slope = slope.filter(|s| *s != 0.0).unwrap_or(1.0);
        (LinearMap { slope, intercept: intercept.unwrap_or(0.0) }, unit)
    }

    /// Lookup tables first, which are the better way, then windows. Source: PS3.3 §C.11.2.1.
    fn windows(&self) -> Vec<Window> {
        let group = self.group(tags::FRAME_VOILUT_SEQUENCE);
        let centers = self.floats(tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_CENTER);
        let widths = self.floats(tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_WIDTH);
        let names = group.as_ref().unwrap_or(self.root).texts(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
        let function = group.as_ref().map(|g| g.first_text(tags::VOILUT_FUNCTION)).filter(|f| !f.is_empty());
        let curve = match function.unwrap_or_else(|| self.root.first_text(tags::VOILUT_FUNCTION)).as_str() {
            "LINEAR_EXACT" => Curve::LinearExact,
            "SIGMOID" => Curve::Sigmoid,
            _ => Curve::Linear,
        };
        let own_tables = group.map(|g| lut::voi_tables(&g, self.look.has_negative_values).0).filter(|tables| !tables.is_empty());
        let pairs = centers.into_iter().zip(widths).enumerate();
        let windows = pairs
            .filter(|(_, (center, width))| center.is_finite() && width.is_finite() && *width > 0.0)
            .map(|(at, (center, width))| Window { center, width, name: names.get(at).cloned().unwrap_or_default(), curve: curve.clone() });
        own_tables.unwrap_or_else(|| self.look.tables.clone()).into_iter().chain(windows).collect()
    }

    fn order(&self, header: &Header) -> [i64; 5] {
        let content = self.group(tags::FRAME_CONTENT_SEQUENCE);
        let of_frame = |tag| content.as_ref().and_then(|g| g.int(tag));
        [
            self.root.int(tags::TEMPORAL_POSITION_IDENTIFIER).or_else(|| of_frame(tags::TEMPORAL_POSITION_INDEX)).unwrap_or(0),
            self.root.int(tags::ECHO_NUMBERS).unwrap_or(0),
            self.root.int(tags::ACQUISITION_NUMBER).or_else(|| of_frame(tags::FRAME_ACQUISITION_NUMBER)).unwrap_or(0),
            header.instance_number.unwrap_or(0),
            i64::from(self.frame),
        ]
    }
}
