//! A structure set that was written, read back, against what should stand in it.
//!
//! Places are decimal strings of 16 characters in a structure set: coordinates are equal when they differ by no more than a
//! millionth of their size.

use super::read::{Contour, Roi};
use super::{RtInput, outline, read};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use mj_model::finding::ImageRef;
use std::collections::HashSet;

/// Reads a set back and compares it with what it was written from.
///
/// # Errors
/// [`Error::NotAsWritten`] with the first thing that differs; what reading says.
pub fn assert_as_written(bytes: &[u8], input: &RtInput<'_>) -> Result<()> {
    let back = read(&Dataset::read(bytes)?)?;
    let (wanted, _) = outline::rois(input);
    let mut known = HashSet::new();
    let once = input.images.iter().map(|plane| &plane.image).filter(|image| known.insert(&image.instance));
    let images: Vec<ImageRef> = once.map(|image| ImageRef { frame: None, ..image.clone() }).collect();
    let same_series = match back.series.as_slice() {
        [] => images.is_empty(),
        [of] => of.series == input.image_series && of.study.as_ref() == Some(&input.context.study) && of.images == images,
        _ => false,
    };
    let all = |is_same: &dyn Fn(&outline::RoiOut<'_>, &Roi) -> bool| {
        wanted.len() == back.rois.len() && wanted.iter().zip(&back.rois).all(|(a, b)| is_same(a, b))
    };
    let frame = &input.frame_of_reference;
    let name = |text: &str| text.trim().replace('\\', "/");
    let checks = [
        ("label", back.label == name(input.label)),
        ("frame of reference", back.frames_of_reference == [frame.clone()]),
        ("images", same_series),
        ("regions", all(&|a, b| a.number == b.number && name(a.input.name) == b.name && b.frame_of_reference.as_ref() == Some(frame))),
        ("colours", all(&|a, b| Some(a.input.colour) == b.colour)),
        ("types", all(&|a, b| a.input.interpreted_type == b.interpreted_type)),
        ("contours", all(&|a, b| same_contours(&a.contours, &b.contours))),
    ];
    checks.into_iter().find(|(_, is_same)| !is_same).map_or(Ok(()), |(what, _)| Err(Error::NotAsWritten { what }))
}

fn same_contours(wanted: &[Contour], found: &[Contour]) -> bool {
    let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs();
    wanted.len() == found.len()
        && wanted.iter().zip(found).all(|(a, b)| {
            let same_places = a.places.len() == b.places.len()
                && a.places.iter().zip(&b.places).all(|(p, q)| is_near(p.x, q.x) && is_near(p.y, q.y) && is_near(p.z, q.z));
            a.kind == b.kind && a.images == b.images && same_places
        })
}
