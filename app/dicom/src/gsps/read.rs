//! Reading presentation states, ours and others'.

use crate::dataset::{Dataset, View};
use crate::error::{Error, Result};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use mj_model::finding::ImageRef;
use mj_model::geometry::Pixel;
use mj_model::uid::TrackingUid;
use mj_model::{Curve, InstanceUid, SeriesUid, Shape, SopClassUid, Window};

/// What a presentation state says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presentation {
    /// Content Label.
    pub label: String,
    /// Content Description.
    pub description: String,
    /// Content Creator's Name, as a PN value.
    pub creator: String,
    /// Images it is about, by series.
    pub series: Vec<(SeriesUid, Vec<ImageRef>)>,
    /// Graphic layers, lowest first.
    pub layers: Vec<Layer>,
    /// What is drawn.
    pub marks: Vec<Marks>,
    /// Parts of images that are shown.
    pub areas: Vec<DisplayedArea>,
    /// Windows, each with the images it is for; without images, for all. Lookup tables are not among them.
    pub windows: Vec<(Vec<ImageRef>, Window)>,
    /// Presentation LUT Shape INVERSE.
    pub is_inverted: bool,
}

/// A layer that marks lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name, which marks refer to.
    pub name: String,
    /// Graphic Layer Order; higher ones lie above lower ones.
    pub order: i64,
    /// For people; may be empty.
    pub description: String,
}

/// Marks of one layer on the same images.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// The images, or frames of them; without any, all images of the state.
    pub images: Vec<ImageRef>,
    /// Name of the layer.
    pub layer: String,
    /// Lines and points.
    pub graphics: Vec<Graphic>,
    /// Texts.
    pub texts: Vec<Text>,
}

/// A graphic object.
#[derive(Debug, Clone, PartialEq)]
pub struct Graphic {
    /// Its shape.
    pub place: Place,
    /// Graphic Filled.
    pub is_filled: bool,
    /// Tracking UID of the finding it is of.
    pub tracking_uid: Option<TrackingUid>,
}

/// Where a graphic lies.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// On the image. Units: pixels, from 0 at the centre of the first.
    OnImage(Shape<Pixel>),
    /// In another unit, or of a kind that we do not draw: as it is in the file.
    Listed {
        /// Graphic Annotation Units, for example `DISPLAY`.
        units: String,
        /// Graphic Type.
        kind: String,
        /// Graphic Data, pair by pair.
        places: Vec<[f64; 2]>,
    },
}

/// A text object.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The text; lines end with `\n`.
    pub text: String,
    /// What it points at.
    pub anchor: Option<Spot>,
    /// Upper left and lower right corner of its box.
    pub bounds: Option<[Spot; 2]>,
    /// Anchor Point Visibility: a line or an arrow leads to the anchor.
    pub is_anchor_visible: bool,
    /// Tracking UID of the finding it is of.
    pub tracking_uid: Option<TrackingUid>,
}

/// A place of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Spot {
    /// On the image. Units: pixels, from 0 at the centre of the first.
    OnImage(Pixel),
    /// In another unit, as it is in the file.
    Listed {
        /// Annotation units, for example `DISPLAY`.
        units: String,
        /// Column and row in them.
        at: [f64; 2],
    },
}

/// The part of images that is shown. Source: PS3.3 §C.10.4.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayedArea {
    /// The images; without any, all of the state.
    pub images: Vec<ImageRef>,
    /// Column and row of the upper left pixel, from 1.
    pub top_left: [i64; 2],
    /// Column and row of the lower right pixel, from 1.
    pub bottom_right: [i64; 2],
    /// Presentation Size Mode, for example `SCALE TO FIT`.
    pub size_mode: String,
}

/// Reads a presentation state; of grey ones, of colour and of blended ones alike what is drawn.
///
/// # Errors
/// [`Error::WrongKind`] when the object is none; [`Error::BadValue`] for places that are no numbers or not as many as their
/// kind needs.
pub fn read(dataset: &Dataset) -> Result<Presentation> {
    let root = dataset.root();
    if root.first_text(tags::MODALITY) != "PR" || !root.has(tags::PRESENTATION_CREATION_DATE) {
        return Err(Error::WrongKind { wanted: "presentation state" });
    }
    let mut layers: Vec<Layer> = root.items(tags::GRAPHIC_LAYER_SEQUENCE).map(|item| layer(&item)).collect();
    layers.sort_by_key(|layer| layer.order);
    Ok(Presentation {
        label: root.text(tags::CONTENT_LABEL),
        description: root.text(tags::CONTENT_DESCRIPTION),
        creator: root.text(tags::CONTENT_CREATOR_NAME),
        series: root.items(tags::REFERENCED_SERIES_SEQUENCE).map(|item| series(&item)).collect::<Result<_>>()?,
        layers,
        marks: root.items(tags::GRAPHIC_ANNOTATION_SEQUENCE).map(|item| marks(&item)).collect::<Result<_>>()?,
        areas: root.items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE).map(|item| area(&item)).collect::<Result<_>>()?,
        windows: windows(&root)?,
        is_inverted: root.first_text(tags::PRESENTATION_LUT_SHAPE) == "INVERSE",
    })
}

fn series(item: &View<'_>) -> Result<(SeriesUid, Vec<ImageRef>)> {
    let series = item.uid(tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", SeriesUid::parse)?;
    Ok((series, images(item)?))
}

/// Most frames that one reference may name.
const MOST_FRAMES: usize = 100_000;

fn images(item: &View<'_>) -> Result<Vec<ImageRef>> {
    let mut out = Vec::new();
    for reference in item.items(tags::REFERENCED_IMAGE_SEQUENCE) {
        let instance = reference.uid(tags::REFERENCED_SOP_INSTANCE_UID, "ReferencedSOPInstanceUID", InstanceUid::parse)?;
        let sop_class = reference.uid(tags::REFERENCED_SOP_CLASS_UID, "ReferencedSOPClassUID", SopClassUid::parse)?;
        let frames = reference.floats(tags::REFERENCED_FRAME_NUMBER);
        if frames.len() > MOST_FRAMES || frames.iter().any(|n| !(*n >= 1.0 && *n < 4e9 && n.fract() == 0.0)) {
            return Err(Error::BadValue { keyword: "ReferencedFrameNumber" });
        }
        let image = |frame| ImageRef { instance: instance.clone(), sop_class: sop_class.clone(), frame };
        if frames.is_empty() {
            out.push(image(None));
        } else {
            out.extend(frames.iter().map(|n| image(Some(*n as u32))));
        }
    }
    Ok(out)
}

fn layer(item: &View<'_>) -> Layer {
    Layer {
        name: item.text(tags::GRAPHIC_LAYER),
        order: item.int(tags::GRAPHIC_LAYER_ORDER).unwrap_or(0),
        description: item.text(tags::GRAPHIC_LAYER_DESCRIPTION),
    }
}

fn marks(item: &View<'_>) -> Result<Marks> {
    Ok(Marks {
        images: images(item)?,
        layer: item.text(tags::GRAPHIC_LAYER),
        graphics: item.items(tags::GRAPHIC_OBJECT_SEQUENCE).map(|g| graphic(&g)).collect::<Result<_>>()?,
        texts: item.items(tags::TEXT_OBJECT_SEQUENCE).map(|t| text(&t)).collect::<Result<_>>()?,
    })
}

fn tracking(item: &View<'_>) -> Option<TrackingUid> {
    TrackingUid::parse(&item.text(tags::TRACKING_UID)).ok()
}

fn graphic(item: &View<'_>) -> Result<Graphic> {
    let bad = Error::BadValue { keyword: "GraphicData" };
    let places = pairs(item, tags::GRAPHIC_DATA).ok_or_else(|| bad.clone())?;
    let named = item.count(tags::NUMBER_OF_GRAPHIC_POINTS).map_or(places.len(), |n| n as usize);
    let is_flat = item.count(tags::GRAPHIC_DIMENSIONS).is_none_or(|n| n == 2);
    if places.is_empty() || named != places.len() || !is_flat {
        return Err(bad);
    }
    let (units, kind) = (item.first_text(tags::GRAPHIC_ANNOTATION_UNITS), item.first_text(tags::GRAPHIC_TYPE));
    let on_image = if units == "PIXEL" { shape(&kind, &places)? } else { None };
    Ok(Graphic {
        place: on_image.map_or(Place::Listed { units, kind, places }, Place::OnImage),
        is_filled: item.first_text(tags::GRAPHIC_FILLED) == "Y",
        tracking_uid: tracking(item),
    })
}

/// The numbers of an attribute two by two; `None` when one is left over or is none.
fn pairs(item: &View<'_>, tag: Tag) -> Option<Vec<[f64; 2]>> {
    let numbers = item.floats(tag);
    let is_whole = numbers.len().is_multiple_of(2) && numbers.iter().all(|v| v.is_finite());
    is_whole.then(|| numbers.chunks_exact(2).map(|c| [c[0], c[1]]).collect())
}

/// From the corner of the first pixel to its centre.
fn centred(places: &[[f64; 2]]) -> Vec<Pixel> {
    places.iter().map(|p| p.map(|v| v - 0.5)).collect()
}

/// The shape of a graphic type; a smooth line is drawn straight through its places. `None` for a kind that is not known.
fn shape(kind: &str, places: &[[f64; 2]]) -> Result<Option<Shape<Pixel>>> {
    let places = centred(places);
    match (kind, places.as_slice()) {
        ("POINT", &[at]) => Ok(Some(Shape::Point { at })),
        ("POLYLINE" | "INTERPOLATED", [_, _, ..]) => Ok(Some(shape_of_line(places))),
        ("ELLIPSE", &[a, b, c, d]) => Ok(Some(Shape::Ellipse { long: [a, b], short: [c, d] })),
        ("CIRCLE", &[centre, edge]) => Ok(Some(circle(centre, edge))),
        ("POINT" | "POLYLINE" | "INTERPOLATED" | "ELLIPSE" | "CIRCLE", _) => Err(Error::BadValue { keyword: "GraphicData" }),
        _ => Ok(None),
    }
}

/// A line that ends where it began encloses an area.
pub(super) fn shape_of_line(mut points: Vec<Pixel>) -> Shape<Pixel> {
    match points.as_slice() {
        &[a, b] => Shape::Line { a, b },
        [first, _, _, .., last] if first == last => {
            points.pop();
            Shape::Contours { contours: vec![points] }
        }
        _ => Shape::Polyline { points },
    }
}

fn circle([x, y]: Pixel, edge: Pixel) -> Shape<Pixel> {
    let r = (edge[0] - x).hypot(edge[1] - y);
    Shape::Ellipse { long: [[x - r, y], [x + r, y]], short: [[x, y - r], [x, y + r]] }
}

fn text(item: &View<'_>) -> Result<Text> {
    let spots = |tag, units_tag, keyword| -> Result<Vec<Spot>> {
        let units = item.first_text(units_tag);
        let spot = |at: [f64; 2]| {
            if units == "PIXEL" { Spot::OnImage(at.map(|v| v - 0.5)) } else { Spot::Listed { units: units.clone(), at } }
        };
        Ok(pairs(item, tag).ok_or(Error::BadValue { keyword })?.into_iter().map(spot).collect())
    };
    let anchor = spots(tags::ANCHOR_POINT, tags::ANCHOR_POINT_ANNOTATION_UNITS, "AnchorPoint")?;
    let units = tags::BOUNDING_BOX_ANNOTATION_UNITS;
    let corners = [
        spots(tags::BOUNDING_BOX_TOP_LEFT_HAND_CORNER, units, "BoundingBoxTopLeftHandCorner")?,
        spots(tags::BOUNDING_BOX_BOTTOM_RIGHT_HAND_CORNER, units, "BoundingBoxBottomRightHandCorner")?,
    ];
    let [top, bottom] = corners.map(|c| c.into_iter().next());
    Ok(Text {
        text: item.text(tags::UNFORMATTED_TEXT_VALUE).replace("\r\n", "\n"),
        anchor: anchor.into_iter().next(),
        bounds: top.zip(bottom).map(|(a, b)| [a, b]),
        is_anchor_visible: item.first_text(tags::ANCHOR_POINT_VISIBILITY) == "Y",
        tracking_uid: tracking(item),
    })
}

fn area(item: &View<'_>) -> Result<DisplayedArea> {
    let corner = |tag, keyword| match pairs(item, tag).as_deref() {
        Some(&[[x, y]]) => Ok([x as i64, y as i64]),
        _ => Err(Error::BadValue { keyword }),
    };
    Ok(DisplayedArea {
        images: images(item)?,
        top_left: corner(tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER, "DisplayedAreaTopLeftHandCorner")?,
        bottom_right: corner(tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER, "DisplayedAreaBottomRightHandCorner")?,
        size_mode: item.text(tags::PRESENTATION_SIZE_MODE),
    })
}

fn windows(root: &View<'_>) -> Result<Vec<(Vec<ImageRef>, Window)>> {
    let mut out = Vec::new();
    for item in root.items(tags::SOFTCOPY_VOILUT_SEQUENCE) {
        let curve = match item.first_text(tags::VOILUT_FUNCTION).as_str() {
            "LINEAR_EXACT" => Curve::LinearExact,
            "SIGMOID" => Curve::Sigmoid,
            _ => Curve::Linear,
        };
        let (Some(center), Some(width)) = (item.float(tags::WINDOW_CENTER), item.float(tags::WINDOW_WIDTH).filter(|w| *w > 0.0)) else {
            continue;
        };
        let name = item.first_text(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
        out.push((images(&item)?, Window { center, width, name, curve }));
    }
    Ok(out)
}
