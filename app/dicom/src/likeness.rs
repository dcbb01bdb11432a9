//! Whether two data sets of one UID place and scale their samples alike. Equal samples alone do not make one image: with
//! another spacing, position or rescale the same numbers measure something else.

use crate::dataset::{Dataset, View};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Numbers that say how large an image is, where it lies and what its values mean, with what holds where they are absent.
const NUMBERS: [(Tag, Option<f64>); 13] = [
    (tags::ROWS, None),
    (tags::COLUMNS, None),
    (tags::NUMBER_OF_FRAMES, Some(1.0)),
    (tags::PIXEL_SPACING, None),
    (tags::IMAGER_PIXEL_SPACING, None),
    (tags::PIXEL_ASPECT_RATIO, None),
    (tags::SPACING_BETWEEN_SLICES, None),
    (tags::GRID_FRAME_OFFSET_VECTOR, None),
    (tags::IMAGE_POSITION_PATIENT, None),
    (tags::IMAGE_ORIENTATION_PATIENT, None),
    (tags::RESCALE_SLOPE, Some(1.0)),
    (tags::RESCALE_INTERCEPT, Some(0.0)),
    (tags::DOSE_GRID_SCALING, None),
];

/// Words that do.
const WORDS: [Tag; 4] = [tags::LATERALITY, tags::IMAGE_LATERALITY, tags::FRAME_LATERALITY, tags::FRAME_OF_REFERENCE_UID];

/// Sequences that hold them: the functional groups of multi-frame objects. Source: PS3.3 §C.7.6.16.
const GROUPS: [Tag; 7] = [
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::FRAME_ANATOMY_SEQUENCE,
];

/// True when size, spacing, position, orientation, rescale, side and grey direction agree.
#[must_use]
pub fn is_alike(a: &Dataset, b: &Dataset) -> bool {
    let (a, b) = (a.root(), b.root());
    is_grey_alike(&a, &b) && are_alike(&a, &b)
}

fn are_alike(a: &View<'_>, b: &View<'_>) -> bool {
    NUMBERS.iter().all(|&(tag, otherwise)| are_numbers_alike(&numbers(a, tag, otherwise), &numbers(b, tag, otherwise)))
        && WORDS.iter().all(|&tag| a.first_text(tag) == b.first_text(tag))
        && GROUPS.iter().all(|&tag| {
            let (a, b) = (a.items(tag), b.items(tag));
            a.len() == b.len() && a.zip(b).all(|(a, b)| are_alike(&a, &b))
        })
}

/// A re-encoding may turn colours, but never black and white.
fn is_grey_alike(a: &View<'_>, b: &View<'_>) -> bool {
    let [a, b] = [a, b].map(|view| view.first_text(tags::PHOTOMETRIC_INTERPRETATION));
    a == b || !a.starts_with("MONOCHROME") || !b.starts_with("MONOCHROME")
}

fn numbers(view: &View<'_>, tag: Tag, otherwise: Option<f64>) -> Vec<f64> {
    let found = view.floats(tag);
    if found.is_empty() { otherwise.into_iter().collect() } else { found }
}

/// Decimal strings may be written with other digits: a millionth is no difference.
fn are_numbers_alike(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a - b).abs() <= 1e-6 * (1.0 + a.abs().max(b.abs())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Object;
    use dicom_core::VR;

    fn image(change: impl Fn(&mut Object)) -> Dataset {
        let mut object = Object::new();
        object.values(tags::PIXEL_SPACING, VR::DS, &["0.7", "0.7"]);
        object.values(tags::IMAGE_POSITION_PATIENT, VR::DS, &["1", "2", "3"]);
        object.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
        let mut position = Object::new();
        position.values(tags::IMAGE_POSITION_PATIENT, VR::DS, &["1", "2", "3"]);
        let mut frame = Object::new();
        frame.items(tags::PLANE_POSITION_SEQUENCE, vec![position]);
        object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![frame]);
        change(&mut object);
        Dataset::read(&object.into_file("1.2.840.10008.5.1.4.1.1.2", "1.2.3").unwrap()).unwrap()
    }

    #[test]
    fn another_place_or_scale_is_another_image() {
        let known = image(|_| {});
        assert!(is_alike(&known, &image(|o| _ = o.text(tags::STUDY_DESCRIPTION, VR::LO, "edited"))));
        assert!(is_alike(&known, &image(|o| _ = o.values(tags::PIXEL_SPACING, VR::DS, &["0.70", "7e-1"]))));
        assert!(is_alike(&known, &image(|o| _ = o.text(tags::RESCALE_SLOPE, VR::DS, "1"))));
        let others: [&dyn Fn(&mut Object); 5] = [
            &|o| _ = o.values(tags::PIXEL_SPACING, VR::DS, &["0.8", "0.8"]),
            &|o| _ = o.text(tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
            &|o| _ = o.text(tags::IMAGE_LATERALITY, VR::CS, "L"),
            &|o| _ = o.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1"),
            &|o| _ = o.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![Object::new()]),
        ];
        for (at, other) in others.into_iter().enumerate() {
            assert!(!is_alike(&known, &image(other)), "{at}");
        }
    }
}
