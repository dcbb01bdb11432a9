//! Objects of a patient written as plain DICOM files.

use super::output::{self, Written};
use super::{Context, jobs};
use crate::Result;
use crate::source::ObjectSource;
use mj_link::SeriesFiles;
use std::path::Path;

/// Writes the objects of a series, byte for byte as they came, into a folder. File names say nothing of the
/// patient.
pub(super) fn copy_objects(series: &SeriesFiles, to: &Path, written: &mut Written, context: &Context) -> Result<()> {
    output::folder(to)?;
    for (at, file) in series.files.iter().enumerate() {
        context.check()?;
        let bytes = jobs::read(&ObjectSource::of(file, context.keys.as_ref())?)?;
        written.put(to.join(format!("{at:05}.dcm")), &bytes)?;
        (context.progress)(at as u64 + 1, series.files.len() as u64);
    }
    Ok(())
}
