//! A selection that was written, read back, against what should stand in it: everything is equal.

use super::{KoInput, read};
use crate::dataset::Dataset;
use crate::error::{Error, Result};

/// Reads a selection back and compares it with what it was written from.
///
/// # Errors
/// [`Error::NotAsWritten`] with the first thing that differs; what reading says.
pub fn assert_as_written(bytes: &[u8], input: &KoInput<'_>) -> Result<()> {
    let back = read(&Dataset::read(bytes)?)?;
    let wanted = input.images.iter().flat_map(|(series, images)| images.iter().map(move |image| (series, image)));
    let same_objects = back.objects.len() == input.images.iter().map(|(_, images)| images.len()).sum::<usize>()
        && back.objects.iter().zip(wanted).all(|(found, (series, image))| {
            let place = found.series.as_ref();
            found.image == *image && place.is_some_and(|(study, of)| *study == input.context.study && of == series)
        });
    let persons: Vec<String> = input.person.map(crate::sr::person_name).into_iter().collect();
    let checks = [
        ("title", back.title.as_ref().is_some_and(|title| title.is_same(input.title)) && back.modifiers.is_empty()),
        ("description", back.description == input.description.trim()),
        ("images", same_objects),
        ("observer", back.persons == persons && back.devices.is_empty() == input.person.is_some()),
    ];
    checks.into_iter().find(|(_, is_same)| !is_same).map_or(Ok(()), |(what, _)| Err(Error::NotAsWritten { what }))
}
