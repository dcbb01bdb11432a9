//! Volume rendering in files.

use super::{Context, output, pictures};
use crate::overlay::Corners;
use crate::raster::Canvas;
use crate::reading::presets;
use crate::{Error, Result};
use mj_imaging::Blocks;
use mj_imaging::raycast::{self, Camera, Preset, Quality, Seen, TransferFunction, preset};
use mj_link::JobResult;
use mj_link::job::RenderView;
use mj_model::Volume;
use std::path::Path;
use std::time::Instant;

/// Draws a volume in colour and writes it as PNG: from the front, or along the view's normal.
pub(super) fn render(of_whom: Corners, volume: &Volume, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    can_be_drawn(volume)?;
    let preset = preset_of(volume, view.preset.as_deref())?;
    let start = Instant::now();
    let camera = Camera::parallel(pictures::plane(volume, view)?);
    let seen = Seen::new(volume, &Blocks::new(volume), &function_for(&preset, volume))?;
    let picture = raycast::render(volume, &seen, &camera, None, Quality::FINAL);
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    context.check()?;
    // Over black, colours that are times opacity are what is seen.
    let pixels = picture.rgba.chunks_exact(4).map(|c| [c[0], c[1], c[2]]).collect();
    let canvas = Canvas { width: picture.width, height: picture.height, pixels };
    let bytes = if view.overlay {
        let text = mj_lang::find(&format!("vr.preset.{}", preset.name)).map_or(preset.name.as_str(), |t| t.get(context.lang));
        let about = pictures::About { title: pictures::title(view.kind), window: Some(text.to_owned()) };
        pictures::with_overlay(canvas, of_whom, volume, view, &camera.plane, about, context)?
    } else {
        canvas.to_png()?
    };
    output::write(out, &bytes)?;
    Ok(JobResult::Rendered { written: out.to_owned(), backend: "cpu".into(), ms })
}

/// Volume rendering shows shapes: it needs true distances, measured slices and one value a voxel.
pub(crate) fn can_be_drawn(volume: &Volume) -> Result<()> {
    let has = |code: &str| volume.warnings.iter().any(|w| w.code == code);
    if !volume.is_calibrated {
        return Err(Error::VrUncalibrated);
    }
    if has("geometry.resampled") {
        return Err(Error::VrResampled);
    }
    if has("pixel.colour_as_grey") {
        return Err(Error::VrColour);
    }
    Ok(())
}

/// The preset of a name, or the first of the volume's modality.
fn preset_of(volume: &Volume, name: Option<&str>) -> Result<Preset> {
    // Values that are not in the modality's own unit mean nothing to its presets.
    let modality = if volume.modality == "CT" && volume.unit.label() != "HU" { "" } else { volume.modality.as_str() };
    let presets = preset::of_modality(modality)?;
    let known = || presets.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || Error::NoPreset { name: name.unwrap_or_default().to_owned(), known: known() };
    presets.iter().find(|p| name.is_none_or(|n| p.name == n)).cloned().ok_or_else(unknown)
}

/// The preset's function in the volume's own values.
fn function_for(preset: &Preset, volume: &Volume) -> TransferFunction {
    if !preset.modality.is_empty() {
        return preset.function.clone();
    }
    let (middle, span) = presets::first_window(volume).middle_and_span();
    let span = span.max(f64::MIN_POSITIVE);
    preset.function.stretched(middle - span / 2.0, middle + span / 2.0)
}
