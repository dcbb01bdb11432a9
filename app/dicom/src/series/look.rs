//! How the images of one object are to be shown, as its header says.

use super::Kind;
use super::cine::Cine;
use super::cover;
use super::frame::Slice;
use super::ultrasound::Region;
use crate::dataset::View;
use crate::pixels::{Layout, colour, lut};
use dicom_dictionary_std::tags;
use mj_model::{Warning, Window};

/// What holds for all frames of an object.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Low values are white.
    pub is_inverted: bool,
    pub is_colour: bool,
    /// Overlay planes or a shutter.
    pub is_covered: bool,
    /// Values in the image's unit can be negative.
    pub has_negative_values: bool,
    /// VOI lookup tables.
    pub tables: Vec<Window>,
    /// Distances of pixels along a row and down a column on the detector, where lengths in the patient are not known.
    /// Units: mm.
    pub detector_mm: Option<[f64; 2]>,
    pub regions: Vec<Region>,
    pub cine: Cine,
    /// `R`, `L`, `B`, `U` or empty.
    pub side: String,
    /// View Position, for example `MLO`; empty where the file has none.
    pub view: String,
    pub warnings: Vec<Warning>,
}

impl Look {
    pub(super) fn of(root: &View<'_>, layout: &Layout, modality: &str) -> Self {
        let shape = root.first_text(tags::PRESENTATION_LUT_SHAPE);
        let is_first_white = layout.photometric == "MONOCHROME1";
        let has_negative_values = layout.is_signed || root.float(tags::RESCALE_INTERCEPT).is_some_and(|v| v < 0.0);
        let (tables, n_damaged) = lut::voi_tables(root, has_negative_values);
        let mut warnings = Vec::new();
        if n_damaged > 0 {
            warnings.push(Warning::new("pixel.voi_lut_damaged", format!("{n_damaged} tables of the VOI LUT Sequence")));
        }
        if (is_first_white && shape == "IDENTITY") || (layout.photometric == "MONOCHROME2" && shape == "INVERSE") {
            warnings.push(Warning::new("pixel.inverse_unclear", format!("{} with Presentation LUT Shape {shape}", layout.photometric)));
        }
        let side = root.first_text(tags::IMAGE_LATERALITY);
        Self {
            // One inversion, not two: the shape of a MONOCHROME1 image says the same again.
            is_inverted: is_first_white || shape == "INVERSE",
            is_colour: colour::is_colour(root, layout),
            is_covered: cover::is_covered(root),
            has_negative_values,
            tables,
            detector_mm: detector_mm(root, modality, &mut warnings),
            regions: Region::all(root),
            cine: Cine::of(root),
            side: if side.is_empty() { root.first_text(tags::LATERALITY) } else { side },
            view: view(root),
            warnings,
        }
    }
}

/// View Position, or what the code of the view means.
fn view(root: &View<'_>) -> String {
    let short = root.text(tags::VIEW_POSITION);
    if short.is_empty() { root.item(tags::VIEW_CODE_SEQUENCE).map(|code| code.text(tags::CODE_MEANING)).unwrap_or_default() } else { short }
}

/// Distances on the detector of a projection, where nothing says that they are corrected for magnification: no Pixel
/// Spacing, or the same one without a calibration.
///
/// Source: PS3.3 §10.7.1.3.
fn detector_mm(root: &View<'_>, modality: &str, warnings: &mut Vec<Warning>) -> Option<[f64; 2]> {
    let pair = |tag| match *root.floats(tag) {
        [rows, columns, ..] if [rows, columns].iter().all(|v| v.is_finite() && *v > 0.0) => Some([columns, rows]),
        _ => None,
    };
    let (at_detector, corrected) = (pair(tags::IMAGER_PIXEL_SPACING), pair(tags::PIXEL_SPACING));
    let is_calibrated = !root.first_text(tags::PIXEL_SPACING_CALIBRATION_TYPE).is_empty();
    let is_projection = matches!(modality, "CR" | "DX" | "MG" | "XA" | "RF" | "IO" | "PX" | "RG");
    let is_same = |a: [f64; 2], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * b);
    match (at_detector, corrected) {
        (Some(detector), None) => Some(detector),
        (Some(detector), Some(spacing)) => (is_projection && !is_calibrated && is_same(detector, spacing)).then_some(detector),
        (None, Some(_)) if is_projection && !is_calibrated => {
            warnings.push(Warning::new("geometry.spacing_plane_unknown", "Pixel Spacing without Imager Pixel Spacing"));
            None
        }
        (None, _) => None,
    }
}

/// What of a stack's images is not shown as the file means it.
pub(super) fn warnings(slices: &[Slice], kind: Kind) -> Vec<Warning> {
    let Some(first) = slices.first() else { return Vec::new() };
    let mut out = Vec::new();
    if kind == Kind::Volume && first.look.is_colour {
        out.push(Warning::new("pixel.colour_as_grey", first.layout.photometric.clone()));
    }
    let n_covered = slices.iter().filter(|s| s.look.is_covered).count();
    if kind == Kind::Volume && n_covered > 0 && !first.look.is_colour {
        out.push(Warning::new("pixel.overlay_not_in_planes", format!("{n_covered} of {} images", slices.len())));
    }
    if !first.is_calibrated && !first.look.regions.is_empty() {
        out.push(Warning::new("geometry.only_regions", format!("{} regions", first.look.regions.len())));
    }
    out
}
