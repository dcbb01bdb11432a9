//! Presentation states: findings and remarks drawn over the images of one series, and how the images are to look.
//!
//! Source: PS3.3 §A.33.1 (Grayscale Softcopy Presentation State), §C.10.4 (Displayed Area), §C.10.5 (Graphic Annotation),
//! §C.10.7 (Graphic Layer), §C.11.8 (Softcopy VOI LUT), §C.11.11 (Presentation State Relationship).
//!
//! Coordinates of the unit PIXEL count columns and rows from the upper left corner of the first pixel, so its centre is
//! (0.5, 0.5); ours is (0, 0). Source: PS3.3 §C.10.5, Table C.10-5.

mod compare;
mod draw;
mod read;
#[cfg(test)]
pub(crate) mod tests;

pub use compare::assert_as_written;
pub use draw::{Annotation, LeftOut, Reason, Source};
pub use read::{DisplayedArea, Graphic, Layer, Marks, Place, Presentation, Spot, Text, read};

use crate::context::{Context, Device, Written, put_creation};
use crate::error::{Error, Result};
use crate::plane::Plane;
use crate::write::Object;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::{Curve, Finding, FrameOfReferenceUid, InstanceUid, LinearMap, Moment, SeriesUid, Shape, Unit, Window};

/// Grayscale Softcopy Presentation State Storage.
pub const GRAYSCALE_SOFTCOPY: &str = "1.2.840.10008.5.1.4.1.1.11.1";

/// True for presentation states of softcopies, which [`read`] reads: grey, colour, pseudo-colour, blending, XA/XRF and
/// advanced ones. Source: PS3.4 annex B.5.
#[must_use]
pub fn is_presentation(sop_class: &str) -> bool {
    sop_class.strip_prefix(STATES).is_some_and(|last| CLASSES.contains(&last))
}

const STATES: &str = "1.2.840.10008.5.1.4.1.1.11.";
const CLASSES: [&str; 6] = ["1", "2", "3", "4", "5", "8"];

/// The storage classes of [`is_presentation`].
pub fn classes() -> impl Iterator<Item = String> {
    CLASSES.iter().map(|last| format!("{STATES}{last}"))
}

/// Layer of findings.
pub const FINDINGS: &str = "FINDINGS";
/// Layer of arrows and text without clinical meaning.
pub const REMARKS: &str = "REMARKS";

/// How the images are to look. A state replaces what the images say, so the window comes with the map to its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The window, in `unit`; no table.
    pub window: Window,
    /// From stored values to the unit; that of every image.
    pub map: LinearMap,
    /// Unit of the window.
    pub unit: Unit,
}

/// A presentation state to be written.
#[derive(Debug)]
pub struct GspsInput<'a> {
    /// Patient and study.
    pub context: &'a Context,
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// Its own series.
    pub series: SeriesUid,
    /// Series Number.
    pub series_number: i64,
    /// Series and content description.
    pub title: &'a str,
    /// Name of who made it; may be empty.
    pub creator: &'a str,
    /// Series of the images.
    pub image_series: SeriesUid,
    /// Frame of reference of the images. Findings in another one are nowhere on them.
    pub frame_of_reference: Option<FrameOfReferenceUid>,
    /// The images of that series.
    pub images: &'a [Plane],
    /// Findings; those rejected or deleted are left out. They are numbered from 1 in this order.
    pub findings: &'a [&'a Finding],
    /// Arrows and text.
    pub annotations: &'a [Annotation],
    /// Window, if it is to be kept. Without one the state asks for the full range of values.
    pub look: Option<Look>,
    /// True when the images' low values are white (MONOCHROME1).
    pub is_inverted: bool,
    /// When it was made.
    pub at: Moment,
    /// The device.
    pub device: &'a Device,
}

/// A presentation state with what could not be drawn in it.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what was left out has to be told"]
pub struct Drawn {
    /// The object.
    pub written: Written,
    /// Findings and annotations that are not in it.
    pub left_out: Vec<LeftOut>,
}

/// Writes the state. What does not lie on the images as it would be drawn is left out whole and named; the same input gives
/// the same bytes. Its images are those that are drawn on, or all where nothing is.
///
/// # Errors
/// [`Error::CannotWrite`] when nothing is left to draw and no window is given, or the window is a table.
pub fn write(input: &GspsInput<'_>) -> Result<Drawn> {
    let drawing = draw::drawing(input);
    if drawing.marks.is_empty() && input.look.is_none() {
        return Err(Error::CannotWrite { what: "nothing can be drawn on these images".into() });
    }
    let planes = shown(input, &drawing.marks);
    let mut object = Object::new();
    input.context.put_into(&mut object);
    input.device.put_into(&mut object);
    put_creation(&mut object, input.at);
    state_modules(input, &mut object);
    object.item(tags::REFERENCED_SERIES_SEQUENCE, relationship(&input.image_series, &planes));
    displayed_areas(&planes, &mut object);
    if !drawing.marks.is_empty() {
        object
            .items(tags::GRAPHIC_ANNOTATION_SEQUENCE, drawing.marks.iter().map(annotation_item).collect())
            .items(tags::GRAPHIC_LAYER_SEQUENCE, layers(&drawing.marks));
    }
    if let Some(look) = &input.look {
        put_look(look, &mut object)?;
    }
    object.text(tags::PRESENTATION_LUT_SHAPE, VR::CS, if input.is_inverted { "INVERSE" } else { "IDENTITY" });
    let written = Written::from_object(object, GRAYSCALE_SOFTCOPY, &input.instance)?;
    Ok(Drawn { written, left_out: drawing.left_out })
}

/// What [`write`] would leave out; all of it when nothing can be drawn.
#[must_use]
pub fn left_out(input: &GspsInput<'_>) -> Vec<LeftOut> {
    draw::drawing(input).left_out
}

/// The images that the state is about.
fn shown<'a>(input: &GspsInput<'a>, marks: &[Marks]) -> Vec<&'a Plane> {
    let is_drawn_on = |plane: &&Plane| marks.is_empty() || marks.iter().any(|m| m.images.contains(&plane.image));
    input.images.iter().filter(is_drawn_on).collect()
}

/// Presentation Series, Presentation State Identification. Source: PS3.3 §C.11.9, §C.11.10.
fn state_modules(input: &GspsInput<'_>, object: &mut Object) {
    object
        .text(tags::MODALITY, VR::CS, "PR")
        .uid(tags::SERIES_INSTANCE_UID, input.series.as_str())
        .integer(tags::SERIES_NUMBER, input.series_number)
        .text(tags::SERIES_DESCRIPTION, VR::LO, input.title)
        .empty(tags::LATERALITY, VR::CS)
        .integer(tags::INSTANCE_NUMBER, 1)
        .text(tags::CONTENT_LABEL, VR::CS, FINDINGS)
        .text(tags::CONTENT_DESCRIPTION, VR::LO, input.title)
        .text(tags::PRESENTATION_CREATION_DATE, VR::DA, &input.at.dicom_date())
        .text(tags::PRESENTATION_CREATION_TIME, VR::TM, &input.at.dicom_time())
        .text(tags::CONTENT_CREATOR_NAME, VR::PN, &crate::sr::person_name(input.creator));
}

/// Source: PS3.3 §C.11.11.1.
fn relationship(series: &SeriesUid, planes: &[&Plane]) -> Object {
    let mut item = Object::new();
    item.uid(tags::SERIES_INSTANCE_UID, series.as_str()).items(tags::REFERENCED_IMAGE_SEQUENCE, references(planes));
    item
}

/// References to images, the frames of one instance together. Source: PS3.3 Table 10-3.
fn references(planes: &[&Plane]) -> Vec<Object> {
    let mut frames: Vec<(&ImageRef, Vec<String>)> = Vec::new();
    let mut known: std::collections::HashMap<&InstanceUid, usize> = std::collections::HashMap::new();
    for plane in planes {
        let at = *known.entry(&plane.image.instance).or_insert(frames.len());
        if at == frames.len() {
            frames.push((&plane.image, Vec::new()));
        }
        if let Some((_, of)) = frames.get_mut(at) {
            of.extend(plane.image.frame.map(|n| n.to_string()));
        }
    }
    let item = |(image, frames): (&ImageRef, Vec<String>)| {
        let mut item = Object::new();
        item.uid(tags::REFERENCED_SOP_CLASS_UID, image.sop_class.as_str()).uid(tags::REFERENCED_SOP_INSTANCE_UID, image.instance.as_str());
        if !frames.is_empty() {
            item.values(tags::REFERENCED_FRAME_NUMBER, VR::IS, &frames.iter().map(String::as_str).collect::<Vec<_>>());
        }
        item
    };
    frames.into_iter().map(item).collect()
}

/// Every image whole. Images of different sizes or spacings have areas of their own. Source: PS3.3 §C.10.4.
fn displayed_areas(planes: &[&Plane], object: &mut Object) {
    let mut kinds: Vec<(Frame, Vec<&Plane>)> = Vec::new();
    for &plane in planes {
        let frame = Frame::of(plane);
        match kinds.iter_mut().find(|(known, _)| *known == frame) {
            Some((_, of)) => of.push(plane),
            None => kinds.push((frame, vec![plane])),
        }
    }
    let is_one = kinds.len() == 1;
    let item = |(frame, planes): (Frame, Vec<&Plane>)| {
        let mut item = frame.item();
        if !is_one {
            item.items(tags::REFERENCED_IMAGE_SEQUENCE, references(&planes));
        }
        item
    };
    object.items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE, kinds.into_iter().map(item).collect());
}

/// Size and spacing of an image; the latter down a column and along a row. Units: pixels, mm.
#[derive(PartialEq)]
struct Frame {
    size: [u32; 2],
    spacing_mm: Option<[f64; 2]>,
}

impl Frame {
    fn of(plane: &Plane) -> Self {
        Self { size: plane.size, spacing_mm: plane.grid.map(|grid| [grid.spacing_mm[1], grid.spacing_mm[0]]) }
    }

    /// Corners are numbers of pixels from 1, unlike places of graphics.
    fn item(&self) -> Object {
        let mut item = Object::new();
        put_signed(&mut item, tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER, [1, 1]);
        put_signed(&mut item, tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER, self.size.map(|n| i32::try_from(n).unwrap_or(i32::MAX)));
        item.text(tags::PRESENTATION_SIZE_MODE, VR::CS, "SCALE TO FIT");
        match self.spacing_mm {
            Some(spacing) => item.decimals(tags::PRESENTATION_PIXEL_SPACING, &spacing),
            None => item.values(tags::PRESENTATION_PIXEL_ASPECT_RATIO, VR::IS, &["1", "1"]),
        };
        item
    }
}

fn put_signed(object: &mut Object, tag: Tag, values: [i32; 2]) {
    object.bytes(tag, VR::SL, values.iter().flat_map(|v| v.to_le_bytes()).collect());
}

/// The layers in use; findings lie lowest. Source: PS3.3 §C.10.7.
fn layers(marks: &[Marks]) -> Vec<Object> {
    let used = [(FINDINGS, "Findings and their measurements"), (REMARKS, "Arrows and text without clinical meaning")];
    let used = used.into_iter().filter(|(name, _)| marks.iter().any(|m| m.layer == *name));
    let layer = |(at, (name, description)): (i64, (&str, &str))| {
        let mut item = Object::new();
        item.text(tags::GRAPHIC_LAYER, VR::CS, name).integer(tags::GRAPHIC_LAYER_ORDER, at);
        item.text(tags::GRAPHIC_LAYER_DESCRIPTION, VR::LO, description);
        item
    };
    (1_i64..).zip(used).map(layer).collect()
}

/// What is drawn on one image in one layer. Source: PS3.3 §C.10.5.
fn annotation_item(marks: &Marks) -> Object {
    let image = |image: &ImageRef| Plane { image: image.clone(), size: [0, 0], grid: None };
    let planes: Vec<Plane> = marks.images.iter().map(image).collect();
    let mut item = Object::new();
    item.items(tags::REFERENCED_IMAGE_SEQUENCE, references(&planes.iter().collect::<Vec<_>>()));
    item.text(tags::GRAPHIC_LAYER, VR::CS, &marks.layer);
    if !marks.texts.is_empty() {
        item.items(tags::TEXT_OBJECT_SEQUENCE, marks.texts.iter().filter_map(text_item).collect());
    }
    if !marks.graphics.is_empty() {
        item.items(tags::GRAPHIC_OBJECT_SEQUENCE, marks.graphics.iter().filter_map(graphic_item).collect());
    }
    item
}

/// From our places to those of the unit PIXEL, 0 at the corner of the first pixel.
fn pixel_data(places: &[[f64; 2]]) -> Vec<f32> {
    places.iter().flatten().map(|v| (v + 0.5) as f32).collect()
}

fn text_item(text: &Text) -> Option<Object> {
    let Some(Spot::OnImage(anchor)) = text.anchor else { return None };
    let mut item = Object::new();
    item.text(tags::UNFORMATTED_TEXT_VALUE, VR::ST, &text.text.replace('\n', "\r\n"))
        .text(tags::ANCHOR_POINT_ANNOTATION_UNITS, VR::CS, "PIXEL")
        .f32s(tags::ANCHOR_POINT, &pixel_data(&[anchor]))
        .text(tags::ANCHOR_POINT_VISIBILITY, VR::CS, if text.is_anchor_visible { "Y" } else { "N" });
    put_tracking(&mut item, text.tracking_uid.as_ref());
    Some(item)
}

/// Source: PS3.3 §C.10.5.1.2 (Graphic Data, Graphic Type).
fn graphic_item(graphic: &Graphic) -> Option<Object> {
    let Place::OnImage(shape) = &graphic.place else { return None };
    let (kind, places, is_closed) = coded(shape)?;
    let mut item = Object::new();
    item.text(tags::GRAPHIC_ANNOTATION_UNITS, VR::CS, "PIXEL")
        .u16s(tags::GRAPHIC_DIMENSIONS, &[2])
        .u16s(tags::NUMBER_OF_GRAPHIC_POINTS, &[u16::try_from(places.len()).ok()?])
        .f32s(tags::GRAPHIC_DATA, &pixel_data(&places))
        .text(tags::GRAPHIC_TYPE, VR::CS, kind);
    if is_closed {
        item.text(tags::GRAPHIC_FILLED, VR::CS, if graphic.is_filled { "Y" } else { "N" });
    }
    put_tracking(&mut item, graphic.tracking_uid.as_ref());
    Some(item)
}

/// Graphic type, places, and whether it encloses an area. `None` for a shape of several lines.
fn coded(shape: &Shape<[f64; 2]>) -> Option<(&'static str, Vec<[f64; 2]>, bool)> {
    match shape {
        Shape::Point { at } => Some(("POINT", vec![*at], false)),
        Shape::Ellipse { long, short } => Some(("ELLIPSE", [*long, *short].concat(), true)),
        _ => {
            let mut outline = shape.outline();
            let (mut places, is_closed) = outline.pop().filter(|_| outline.is_empty())?;
            if is_closed {
                places.extend(places.first().copied());
            }
            Some(("POLYLINE", places, is_closed))
        }
    }
}

fn put_tracking(item: &mut Object, uid: Option<&mj_model::uid::TrackingUid>) {
    if let Some(uid) = uid {
        item.text(tags::TRACKING_ID, VR::UT, uid.as_str()).uid(tags::TRACKING_UID, uid.as_str());
    }
}

/// Modality LUT and Softcopy VOI LUT. Source: PS3.3 §C.11.1, §C.11.8.
fn put_look(look: &Look, object: &mut Object) -> Result<()> {
    let function = match look.window.curve {
        Curve::Linear => "LINEAR",
        Curve::LinearExact => "LINEAR_EXACT",
        Curve::Sigmoid => "SIGMOID",
        Curve::Table(_) => return Err(Error::CannotWrite { what: "the window is a table of the image's".into() }),
    };
    object.decimals(tags::RESCALE_INTERCEPT, &[look.map.intercept]).decimals(tags::RESCALE_SLOPE, &[look.map.slope]).text(
        tags::RESCALE_TYPE,
        VR::LO,
        if look.unit == Unit::hu() { "HU" } else { "US" },
    );
    let mut item = Object::new();
    item.decimals(tags::WINDOW_CENTER, &[look.window.center]).decimals(tags::WINDOW_WIDTH, &[look.window.width]).text(
        tags::VOILUT_FUNCTION,
        VR::CS,
        function,
    );
    if !look.window.name.is_empty() {
        item.text(tags::WINDOW_CENTER_WIDTH_EXPLANATION, VR::LO, &look.window.name);
    }
    object.item(tags::SOFTCOPY_VOILUT_SEQUENCE, item);
    Ok(())
}
