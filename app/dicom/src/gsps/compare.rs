//! A presentation state that was written, read back, against what should stand in it.
//!
//! Places are 32-bit floats in a presentation state: they are equal when they are after that rounding. Window and rescale
//! are decimal strings of 16 characters: equal within a millionth.

use super::{GspsInput, draw, read, shown};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use dicom_dictionary_std::tags;

/// Reads a state back and compares it with what it was written from.
///
/// # Errors
/// [`Error::NotAsWritten`] with the first thing that differs; what reading says.
pub fn assert_as_written(bytes: &[u8], input: &GspsInput<'_>) -> Result<()> {
    let dataset = Dataset::read(bytes)?;
    let back = read(&dataset)?;
    let drawing = draw::drawing(input);
    let images: Vec<_> = shown(input, &drawing.marks).iter().map(|plane| plane.image.clone()).collect();
    let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs();
    let same_look = match (&input.look, back.windows.as_slice()) {
        (Some(look), [(of, window)]) => {
            let rescale = [(look.map.slope, tags::RESCALE_SLOPE), (look.map.intercept, tags::RESCALE_INTERCEPT)];
            of.is_empty()
                && (&window.curve, window.name.as_str()) == (&look.window.curve, look.window.name.trim())
                && is_near(look.window.center, window.center)
                && is_near(look.window.width, window.width)
                && rescale.iter().all(|(wanted, tag)| dataset.root().float(*tag).is_some_and(|found| is_near(*wanted, found)))
        }
        (None, []) => true,
        _ => false,
    };
    let is_whole = |area: &super::DisplayedArea| {
        let of = |image: &_| area.images.is_empty() || area.images.contains(image);
        let size = area.bottom_right.map(|n| u32::try_from(n).unwrap_or(0));
        area.top_left == [1, 1] && input.images.iter().filter(|p| images.contains(&p.image) && of(&p.image)).all(|p| p.size == size)
    };
    let checks = [
        ("images", back.series == [(input.image_series.clone(), images.clone())]),
        ("marks", back.marks == drawing.marks),
        ("layers", drawing.marks.iter().all(|m| back.layers.iter().any(|layer| layer.name == m.layer))),
        ("displayed area", !back.areas.is_empty() && back.areas.iter().all(is_whole)),
        ("window", same_look),
        ("polarity", back.is_inverted == input.is_inverted),
    ];
    checks.into_iter().find(|(_, is_same)| !is_same).map_or(Ok(()), |(what, _)| Err(Error::NotAsWritten { what }))
}
