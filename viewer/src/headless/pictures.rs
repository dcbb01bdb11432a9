//! Pictures in files.

use super::{Context, jobs, output};
use crate::args::ThemeName;
use crate::overlay::{self, Corners, Line};
use crate::raster::{self, Canvas};
use crate::reading::presets;
use crate::ui::{Theme, fonts};
use crate::{Error, Result, research};
use egui::{Rect, pos2, vec2};
use mj_imaging::reslice::{self, MipIndex};
use mj_imaging::{Interpolation, Picture, Plane, Projection, window};
use mj_lang::key;
use mj_link::job::{RenderView, ViewKind};
use mj_link::{JobResult, SeriesFiles};
use mj_model::{VectorLps, Volume, Window};
use std::path::Path;
use std::time::Instant;

/// Draws a view of a series and writes it as PNG.
pub(super) fn render(series: &SeriesFiles, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    if view.kind == ViewKind::Vr {
        return Err(Error::NoSuchView("vr"));
    }
    let (of_whom, volume) = match research::file_of(series) {
        Some(path) => {
            let (top_left, top_right) = (research::patient_lines(context.lang), research::study_lines(path));
            (Corners { top_left, top_right, ..Default::default() }, research::volume(path)?)
        }
        None => of_series(series, view, context)?,
    };
    context.check()?;
    let start = Instant::now();
    let plane = plane(&volume, view)?;
    let picture = draw(&volume, view, &plane);
    let shown = match view.window {
        Some((center, width)) => volume.own_window(center, width, ""),
        None => presets::first_window(&volume),
    };
    let grey = window::grey(&picture, &shown, volume.is_inverted);
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let bytes = if view.overlay {
        with_overlay(of_whom, &volume, view, &plane, &shown, &grey, context)?
    } else {
        raster::grey_png(picture.width, picture.height, &grey)?
    };
    output::write(out, &bytes)?;
    Ok(JobResult::Rendered { written: out.to_owned(), backend: "cpu".into(), ms })
}

/// What stands in the upper corners, and the images of a series.
fn of_series(series: &SeriesFiles, view: &RenderView, context: &Context) -> Result<(Corners, Volume)> {
    let series = jobs::open(series, context)?;
    let stack = jobs::main_stack(&series)?;
    // A single image can be shown as it is; planes need a volume.
    let volume = if stack.grid().is_some() {
        stack.load(&context.watch())?
    } else if view.kind == ViewKind::Axial && view.at.is_none() {
        stack.load_slice(stack.n_slices() / 2)?
    } else {
        return Err(Error::NotAVolume);
    };
    let header = &series.header;
    let (top_left, top_right) = (overlay::patient_lines(header, context.lang), overlay::study_lines(header, context.lang));
    Ok((Corners { top_left, top_right, ..Default::default() }, volume))
}

/// The plane of a view: through `at`, the whole volume in the picture.
pub(crate) fn plane(volume: &Volume, view: &RenderView) -> Result<Plane> {
    let grid = &volume.grid;
    let (w, h) = (view.size.0 as usize, view.size.1 as usize);
    if w == 0 || h == 0 || w > 8192 || h > 8192 {
        return Err(Error::Render(mj_render::Error::BadSize(w, h)));
    }
    let at = view.at.unwrap_or_else(|| grid.centre());
    if !at.is_finite() {
        return Err(Error::Outside);
    }
    // An image without a place in the patient is shown as it was stored.
    if grid.dims[2] == 1 && view.kind == ViewKind::Axial {
        let native = Plane { centre: grid.centre(), right: grid.axes[0], down: grid.axes[1], mm_per_pixel: 1.0, width: w, height: h };
        return Ok(native.fitted(grid));
    }
    // With a position that is the picture's centre, without one the whole volume is in the picture.
    let through_whole = |p: Plane| if view.at.is_some() { p } else { p.fitted(grid) };
    Ok(match view.kind {
        ViewKind::Axial | ViewKind::Vr => through_whole(Plane::axial(grid, at, w, h)),
        ViewKind::Coronal => through_whole(Plane::coronal(grid, at, w, h)),
        ViewKind::Sagittal => through_whole(Plane::sagittal(grid, at, w, h)),
        ViewKind::Mip => through_whole(Plane::coronal(grid, at, w, h)),
        ViewKind::Oblique => through_whole(Plane::oblique(grid, at, view.normal.unwrap_or(VectorLps::new(0.0, 1.0, 1.0)), w, h)?),
    })
}

/// The values of a view.
pub(crate) fn draw(volume: &Volume, view: &RenderView, plane: &Plane) -> Picture {
    match (view.kind, slab_of(view)) {
        (ViewKind::Mip, _) => MipIndex::new(volume).project(volume, plane),
        (_, Some(mm)) => reslice::slab(volume, plane, mm, Projection::Max),
        _ => reslice::slice(volume, plane, Interpolation::Linear),
    }
}

/// Thickness of the slab a view shows; none for a slice. Units: mm.
fn slab_of(view: &RenderView) -> Option<f64> {
    view.slab_mm.filter(|&mm| mm > 0.0 && view.kind != ViewKind::Mip)
}

fn with_overlay(
    of_whom: Corners,
    volume: &Volume,
    view: &RenderView,
    plane: &Plane,
    shown: &Window,
    grey: &[u8],
    context: &Context,
) -> Result<Vec<u8>> {
    let theme = Theme::load(ThemeName::Dark)?;
    let lang = context.lang;
    let (center, width) = overlay::window_numbers(shown);
    let what = match view.kind {
        ViewKind::Axial | ViewKind::Vr => key::READING_PANE_AXIAL,
        ViewKind::Coronal => key::READING_PANE_CORONAL,
        ViewKind::Sagittal => key::READING_PANE_SAGITTAL,
        ViewKind::Oblique => key::READING_PANE_OBLIQUE,
        ViewKind::Mip => key::READING_PANE_MIP,
    };
    let (at, has_orientation) = (plane.centre, overlay::has_orientation(volume));
    let mut bottom_left = vec![Line::quiet(what.get(lang))];
    bottom_left.extend(slab_of(view).map(|mm| Line::plain(overlay::slab(mm, lang))));
    bottom_left.extend(overlay::marks(volume, lang).into_iter().map(Line::plain));
    bottom_left.push(Line::plain(key::OVERLAY_WINDOW.with(lang, &[("c", &center), ("w", &width), ("name", &shown.name)])));
    let corners = Corners {
        bottom_left,
        bottom_right: if has_orientation {
            vec![Line::plain(format!("({:.1}, {:.1}, {:.1})\u{2009}mm", at.x, at.y, at.z))]
        } else {
            Vec::new()
        },
        ..of_whom
    };
    let ctx = egui::Context::default();
    fonts::install(&ctx);
    let mut canvas = Canvas::from_grey(plane.width, plane.height, grey);
    canvas.paint(&ctx, |painter, _| {
        let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(plane.width as f32, plane.height as f32));
        overlay::corners(painter, &theme, rect, &corners);
        if has_orientation {
            overlay::letters(painter, &theme, rect, plane);
        }
        if volume.is_calibrated {
            overlay::scale_bar(painter, &theme, rect, 1.0 / plane.mm_per_pixel);
        }
    });
    canvas.to_png()
}
