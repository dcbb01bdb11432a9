//! Pictures in files.

use super::{Context, jobs, output, volume_picture};
use crate::args::ThemeName;
use crate::overlay::{self, Corners, Line, Weight};
use crate::raster::{self, Canvas};
use crate::reading::pane::{Pane, PaneKind};
use crate::reading::presets;
use crate::reading::slab::Slab;
use crate::ui::{Theme, fonts};
use crate::{Error, Result, research};
use egui::{Rect, pos2, vec2};
use mj_dicom::Header;
use mj_dicom::series::Series;
use mj_imaging::reslice::{self, MipIndex};
use mj_imaging::{Interpolation, Picture, Plane, window};
use mj_lang::{Text, key};
use mj_link::job::{RenderView, ViewKind};
use mj_link::{JobResult, SeriesFiles};
use mj_model::{VectorLps, Volume};
use std::path::Path;
use std::time::Instant;

/// Draws a view of a series, or of a research file in its place, and writes it as PNG.
pub(super) fn render(series: &SeriesFiles, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    if let Some(path) = research::file_of(series) {
        let (top_left, top_right) = (research::patient_lines(context.lang), research::study_lines(path));
        return planes(Corners { top_left, top_right, ..Corners::default() }, &research::volume(path)?, view, out, context);
    }
    let series = jobs::open(series, context)?;
    let stack = jobs::main_stack(&series)?;
    // A single image, or one in colour, is shown as it was stored; planes need a volume.
    let is_still = stack.grid().is_none() || stack.n_slices() == 1 || stack.is_colour();
    if is_still && view.kind == ViewKind::Axial && view.at.is_none() {
        return still(&series, view, out, context);
    }
    let volume = if stack.grid().is_some() { stack.load(&context.watch())? } else { return Err(Error::NotAVolume) };
    planes(of_whom(&series.header, context), &volume, view, out, context)
}

/// The upper corners: patient and study.
fn of_whom(header: &Header, context: &Context) -> Corners {
    let (top_left, top_right) = (overlay::patient_lines(header, context.lang), overlay::study_lines(header, context.lang));
    Corners { top_left, top_right, ..Corners::default() }
}

/// Draws a view of a volume.
fn planes(of_whom: Corners, volume: &Volume, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    context.check()?;
    if view.kind == ViewKind::Vr {
        return volume_picture::render(of_whom, volume, view, out, context);
    }
    let start = Instant::now();
    let plane = plane(volume, view)?;
    let picture = draw(volume, view, &plane);
    let shown = match view.window {
        Some((center, width)) => volume.own_window(center, width, ""),
        None => presets::first_window(volume),
    };
    let grey = window::grey(&picture, &shown, volume.is_inverted);
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let bytes = if view.overlay {
        let canvas = Canvas::from_grey(plane.width, plane.height, &grey);
        let about = About { title: title(view.kind), window: overlay::window_line(&shown, &shown.name, false, context.lang) };
        with_overlay(canvas, of_whom, volume, view, &plane, about, context)?
    } else {
        raster::grey_png(picture.width, picture.height, &grey)?
    };
    output::write(out, &bytes)?;
    Ok(JobResult::Rendered { written: out.to_owned(), backend: "cpu".into(), ms })
}

/// Draws the image in the middle of a series as it was stored, in its colours and with what lies over it.
fn still(series: &Series, view: &RenderView, out: &Path, context: &Context) -> Result<JobResult> {
    let stack = jobs::main_stack(series)?;
    let k = stack.n_slices() / 2;
    let image = stack.load_image(k)?;
    context.check()?;
    let start = Instant::now();
    let grid = &image.volume.grid;
    let (w, h) = sized(view)?;
    let plane = Pane::new(PaneKind::Native).plane(grid, grid.centre(), w, h);
    let volume = &image.volume;
    let shown = view.window.map_or_else(|| presets::first_window(volume), |(center, width)| volume.own_window(center, width, ""));
    let graphics = Theme::load(ThemeName::Dark)?.colours.overlay_text;
    let graphics = Some([graphics.r(), graphics.g(), graphics.b()]);
    let pixels = presets::drawn(&(&image).into(), &plane, &shown, volume.is_inverted, graphics);
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let is_grey = image.colour.is_none() && !image.cover.as_ref().is_some_and(mj_model::Cover::has_graphics);
    let canvas = Canvas { width: w, height: h, pixels };
    let bytes = if view.overlay {
        let window = overlay::window_line(&shown, &shown.name, image.colour.is_some(), context.lang);
        let mut corners = of_whom(&series.header, context);
        let side = stack.side_and_view(k);
        if !side.is_empty() {
            corners.top_right.push(Line { text: side, weight: Weight::Lead });
        }
        with_overlay(canvas, corners, volume, view, &plane, About { title: key::READING_PANE_NATIVE, window }, context)?
    } else if is_grey {
        raster::grey_png(w, h, &canvas.pixels.iter().map(|[grey, ..]| *grey).collect::<Vec<u8>>())?
    } else {
        canvas.to_png()?
    };
    output::write(out, &bytes)?;
    Ok(JobResult::Rendered { written: out.to_owned(), backend: "cpu".into(), ms })
}

/// Columns and rows of a picture.
fn sized(view: &RenderView) -> Result<(usize, usize)> {
    let (w, h) = (view.size.0 as usize, view.size.1 as usize);
    if w == 0 || h == 0 || w > 8192 || h > 8192 {
        return Err(Error::Render(mj_render::Error::BadSize(w, h)));
    }
    Ok((w, h))
}

pub(super) const fn title(kind: ViewKind) -> Text {
    match kind {
        ViewKind::Axial => key::READING_PANE_AXIAL,
        ViewKind::Vr => key::READING_PANE_VR,
        ViewKind::Coronal => key::READING_PANE_CORONAL,
        ViewKind::Sagittal => key::READING_PANE_SAGITTAL,
        ViewKind::Oblique => key::READING_PANE_OBLIQUE,
        ViewKind::Mip => key::READING_PANE_MIP,
    }
}

/// What is written on a picture beside who and where.
pub(super) struct About {
    /// What is seen.
    pub title: Text,
    /// The window, the tone of colours, or the preset of a volume.
    pub window: Option<String>,
}

/// The plane of a view: through `at`, the whole volume in the picture.
pub(crate) fn plane(volume: &Volume, view: &RenderView) -> Result<Plane> {
    let grid = &volume.grid;
    let (w, h) = sized(view)?;
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
        ViewKind::Axial => through_whole(Plane::axial(grid, at, w, h)),
        ViewKind::Coronal => through_whole(Plane::coronal(grid, at, w, h)),
        ViewKind::Sagittal => through_whole(Plane::sagittal(grid, at, w, h)),
        ViewKind::Vr => match view.normal {
            Some(normal) => through_whole(Plane::oblique(grid, at, normal, w, h)?),
            None => through_whole(Plane::coronal(grid, at, w, h)),
        },
        ViewKind::Mip => through_whole(Plane::coronal(grid, at, w, h)),
        ViewKind::Oblique => through_whole(Plane::oblique(grid, at, view.normal.unwrap_or(VectorLps::new(0.0, 1.0, 1.0)), w, h)?),
    })
}

/// The values of a view.
pub(crate) fn draw(volume: &Volume, view: &RenderView, plane: &Plane) -> Picture {
    match (view.kind, slab_of(view)) {
        (ViewKind::Mip, _) => MipIndex::new(volume).project(volume, plane),
        (_, Some(slab)) => reslice::slab(volume, plane, slab.mm, slab.how),
        _ => reslice::slice(volume, plane, Interpolation::Linear),
    }
}

/// The slab a view shows; none for a slice.
fn slab_of(view: &RenderView) -> Option<Slab> {
    let mm = view.slab_mm.filter(|&mm| mm > 0.0 && !matches!(view.kind, ViewKind::Mip | ViewKind::Vr))?;
    Some(Slab { mm, ..Slab::default() })
}

/// A picture with identity (the upper corners), letters and scale, and what `about` says of it.
pub(super) fn with_overlay(
    mut canvas: Canvas,
    of_whom: Corners,
    volume: &Volume,
    view: &RenderView,
    plane: &Plane,
    about: About,
    context: &Context,
) -> Result<Vec<u8>> {
    let theme = Theme::load(ThemeName::Dark)?;
    let lang = context.lang;
    let (at, has_orientation) = (plane.centre, overlay::has_orientation(volume));
    let mut bottom_left = vec![Line::quiet(about.title.get(lang))];
    bottom_left.extend(slab_of(view).map(|slab| Line::plain(slab.shown(lang))));
    bottom_left.extend(overlay::marks(volume, lang).into_iter().map(Line::plain));
    bottom_left.extend(about.window.map(Line::plain));
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
