//! Volume rendering in files.

use super::{Context, output, pictures};
use crate::Result;
use crate::overlay::Corners;
use crate::raster::Canvas;
use crate::reading::solid::{can_be_drawn, function_for, name_of, preset_named};
use mj_imaging::Blocks;
use mj_imaging::raycast::{self, Camera, Quality, Seen};
use mj_link::JobResult;
use mj_link::job::RenderView;
use mj_model::Volume;
use std::path::Path;
use std::time::Instant;

/// Draws a volume in colour and writes it as PNG: from the front, or along the view's normal.
pub(super) fn render(of_whom: Corners, volume: &Volume, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    can_be_drawn(volume)?;
    let preset = preset_named(volume, view.preset.as_deref())?;
    let start = Instant::now();
    let camera = Camera::parallel(pictures::plane(volume, view)?);
    let seen = Seen::new(volume, &Blocks::new(volume), &function_for(&preset, volume))?;
    let picture = raycast::render(volume, &seen, &camera, None, Quality::FINAL);
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    context.check()?;
    let canvas = Canvas { width: picture.width, height: picture.height, pixels: picture.over_black() };
    let bytes = if view.overlay {
        let about = pictures::About { title: pictures::title(view.kind), window: Some(name_of(&preset, context.lang)) };
        pictures::with_overlay(canvas, of_whom, volume, view, &camera.plane, about, context)?
    } else {
        canvas.to_png()?
    };
    output::write(out, &bytes)?;
    Ok(JobResult::Rendered { written: out.to_owned(), backend: "cpu".into(), ms })
}
