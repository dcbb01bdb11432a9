//! Images made for tests.

use crate::source::{InMemory, Source};
use crate::write::Object;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use std::sync::Arc;

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
pub(super) const PET: &str = "1.2.840.10008.5.1.4.1.1.128";
pub(super) const ENHANCED_CT: &str = "1.2.840.10008.5.1.4.1.1.2.1";
pub(super) const ENHANCED_MR: &str = "1.2.840.10008.5.1.4.1.1.4.1";

/// Rows along x, columns along y.
pub(super) const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// One plane: its first pixel's centre, the directions of rows and columns, its signed 16 bit samples.
#[derive(Clone)]
pub(super) struct Plane {
    pub position: [f64; 3],
    pub orientation: [f64; 6],
    pub samples: Vec<i16>,
}

/// What all images of a test share.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub class: &'static str,
    pub modality: &'static str,
    pub columns: u16,
    pub rows: u16,
    /// Distances between rows, between columns.
    pub spacing: [f64; 2],
}

impl Kind {
    pub(super) const fn of(class: &'static str, modality: &'static str, columns: u16, rows: u16, spacing: [f64; 2]) -> Self {
        Self { class, modality, columns, rows, spacing }
    }

    fn common(self) -> Object {
        let mut object = Object::new();
        object
            .uid(tags::STUDY_INSTANCE_UID, "2.25.1")
            .uid(tags::SERIES_INSTANCE_UID, "2.25.2")
            .uid(tags::FRAME_OF_REFERENCE_UID, "2.25.3")
            .text(tags::PATIENT_ID, VR::LO, "P")
            .text(tags::MODALITY, VR::CS, self.modality)
            .u16s(tags::SAMPLES_PER_PIXEL, &[1])
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .u16s(tags::ROWS, &[self.rows])
            .u16s(tags::COLUMNS, &[self.columns])
            .u16s(tags::BITS_ALLOCATED, &[16])
            .u16s(tags::BITS_STORED, &[16])
            .u16s(tags::HIGH_BIT, &[15])
            .u16s(tags::PIXEL_REPRESENTATION, &[1]);
        object
    }

    /// A classic image.
    pub(super) fn image(self, number: i64, plane: &Plane, edit: impl FnOnce(&mut Object)) -> Arc<dyn Source> {
        let mut object = self.common();
        object
            .integer(tags::INSTANCE_NUMBER, number)
            .decimals(tags::IMAGE_POSITION_PATIENT, &plane.position)
            .decimals(tags::IMAGE_ORIENTATION_PATIENT, &plane.orientation)
            .decimals(tags::PIXEL_SPACING, &self.spacing)
            .bytes(tags::PIXEL_DATA, VR::OW, bytes(&plane.samples));
        if self.modality == "CT" {
            object.decimals(tags::RESCALE_SLOPE, &[1.0]).decimals(tags::RESCALE_INTERCEPT, &[0.0]);
        }
        edit(&mut object);
        file(object, self.class, number)
    }

    /// A multi-frame image; `edit` may add to the groups of each frame and to its Frame Content item.
    pub(super) fn frames(
        self,
        planes: &[Plane],
        edit: impl Fn(usize, &mut Object, &mut Object),
        whole: impl FnOnce(&mut Object),
    ) -> Arc<dyn Source> {
        let groups = planes.iter().enumerate().map(|(at, plane)| {
            let (mut groups, mut content, mut position, mut orientation) = (Object::new(), Object::new(), Object::new(), Object::new());
            position.decimals(tags::IMAGE_POSITION_PATIENT, &plane.position);
            orientation.decimals(tags::IMAGE_ORIENTATION_PATIENT, &plane.orientation);
            edit(at, &mut groups, &mut content);
            groups
                .item(tags::FRAME_CONTENT_SEQUENCE, content)
                .item(tags::PLANE_POSITION_SEQUENCE, position)
                .item(tags::PLANE_ORIENTATION_SEQUENCE, orientation);
            groups
        });
        let (mut shared, mut measures) = (Object::new(), Object::new());
        measures.decimals(tags::PIXEL_SPACING, &self.spacing);
        shared.item(tags::PIXEL_MEASURES_SEQUENCE, measures);
        let mut object = self.common();
        object
            .integer(tags::INSTANCE_NUMBER, 1)
            .integer(tags::NUMBER_OF_FRAMES, planes.len() as i64)
            .items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, groups.collect())
            .item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared)
            .bytes(tags::PIXEL_DATA, VR::OW, planes.iter().flat_map(|p| bytes(&p.samples)).collect());
        whole(&mut object);
        file(object, self.class, 1)
    }
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|s| s.to_le_bytes()).collect()
}

fn file(object: Object, class: &str, number: i64) -> Arc<dyn Source> {
    let bytes = object.into_file(class, &format!("2.25.{}", 1000 + number)).unwrap();
    Arc::new(InMemory { name: format!("{number}.dcm"), bytes })
}
