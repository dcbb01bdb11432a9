//! Images of the record as planes, of which only the attributes are read.

use crate::{Record, Result, StoredObject};
use dicom_dictionary_std::tags;
use mj_dicom::Dataset;
use mj_dicom::gsps::Look;
use mj_dicom::plane::Plane;
use mj_model::{FrameOfReferenceUid, InstanceUid, LinearMap, SeriesUid, Unit, Window};
use std::collections::HashMap;

/// An image that is here.
#[derive(Debug, Clone)]
pub(super) struct ImageHere {
    /// Where it lies; without a place for an object of several frames, which has one for each.
    pub plane: Plane,
    /// Its series.
    pub series: SeriesUid,
    /// Its frame of reference.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// Number of frames.
    pub frames: u32,
    /// Photometric Interpretation.
    pub photometric: String,
    /// Its window and the map to its unit, where it has a window.
    pub look: Option<Look>,
}

impl Record {
    /// The images among objects, in their order.
    pub(super) async fn images_of(&self, objects: Vec<StoredObject>) -> Result<Vec<ImageHere>> {
        let record = self.clone();
        let read = move || objects.into_iter().filter(|object| object.rows > 0).map(|object| record.image_of(object)).collect();
        tokio::task::spawn_blocking(read).await?
    }

    fn image_of(&self, object: StoredObject) -> Result<ImageHere> {
        let head = self.read_head(&object.path)?;
        let mut plane = Plane::of(&head)?;
        if object.frames > 1 {
            plane.grid = None;
        }
        Ok(ImageHere {
            plane,
            series: object.series,
            frame_of_reference: head.header()?.series.frame_of_reference,
            frames: object.frames,
            photometric: head.root().text(tags::PHOTOMETRIC_INTERPRETATION),
            look: look(&head),
        })
    }
}

/// The first window of an image's header, and what makes its stored values those that the window speaks of.
fn look(head: &Dataset) -> Option<Look> {
    let root = head.root();
    let first = |tag| root.floats(tag).first().copied();
    let width = first(tags::WINDOW_WIDTH).filter(|width| *width >= 1.0)?;
    let map = LinearMap { slope: first(tags::RESCALE_SLOPE).unwrap_or(1.0), intercept: first(tags::RESCALE_INTERCEPT).unwrap_or(0.0) };
    let unit = if root.first_text(tags::MODALITY) == "CT" { Unit::hu() } else { Unit::one() };
    Some(Look { window: Window::linear(first(tags::WINDOW_CENTER)?, width, ""), map, unit })
}

/// Images that were asked for once, so that none is read twice.
pub(super) struct Images<'a> {
    record: &'a Record,
    known: HashMap<InstanceUid, Option<ImageHere>>,
}

impl<'a> Images<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self { record, known: HashMap::new() }
    }

    /// The image of an instance; `None` when it is not here or no image.
    pub(super) async fn get(&mut self, instance: &InstanceUid) -> Result<Option<ImageHere>> {
        if let Some(known) = self.known.get(instance) {
            return Ok(known.clone());
        }
        let object = self.record.object_if_here(instance).await?;
        let here = self.record.images_of(object.into_iter().collect()).await?.pop();
        self.known.insert(instance.clone(), here.clone());
        Ok(here)
    }
}
