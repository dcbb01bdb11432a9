//! What lies over an image: padding, display shutter, overlay planes.

use crate::dataset::View;
use crate::error::Result;
use crate::pixels::{Decoder, FrameSamples, lut};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use mj_model::{Cover, Padding};

/// The groups an overlay plane may lie in. Source: PS3.3 §C.9.2.
const GROUPS: std::ops::RangeInclusive<u16> = 0x6000..=0x601E;

/// Most corners of a polygonal shutter that is followed.
const MOST_CORNERS: usize = 4096;

/// Elements of an overlay group.
const ROWS: u16 = 0x0010;
const COLUMNS: u16 = 0x0011;
const N_FRAMES: u16 = 0x0015;
const ORIGIN: u16 = 0x0050;
const FRAME_ORIGIN: u16 = 0x0051;
const BITS_ALLOCATED: u16 = 0x0100;
const BIT_POSITION: u16 = 0x0102;
const DATA: u16 = 0x3000;

/// True when an object has overlay planes or a shutter for all its frames.
pub(super) fn is_covered(root: &View<'_>) -> bool {
    root.has(tags::SHUTTER_SHAPE) || GROUPS.step_by(2).any(|group| root.has(Tag(group, ROWS)) || root.has(Tag(group, DATA)))
}

/// What lies over a frame; `None` when nothing does. `shutter` is the data set or the frame's own item that tells of the
/// shutter.
///
/// # Errors
/// What decoding says.
pub(super) fn of(decoder: &Decoder<'_>, root: &View<'_>, shutter: &View<'_>, frame: u32, stored: &Stored<'_>) -> Result<Option<Cover>> {
    let layout = decoder.layout();
    let (columns, rows) = (layout.columns as usize, layout.rows as usize);
    let mut cover = Cover { columns, rows, pixels: vec![0; layout.n_pixels()], shutter_grey: 0 };
    if let Stored { samples, padding: Some(padding) } = stored {
        let mut pixels = cover.pixels.iter_mut();
        samples.for_each(|v| {
            if let Some(pixel) = pixels.next().filter(|_| padding.holds(v)) {
                *pixel |= Cover::PADDING;
            }
        });
    }
    // Rows that a file cut short lacks are no measurement either.
    let there = stored.samples.len() / usize::from(layout.samples_per_pixel.max(1));
    cover.pixels.iter_mut().skip(there).for_each(|pixel| *pixel |= Cover::PADDING);
    hide(&mut cover, shutter);
    for group in GROUPS.step_by(2) {
        draw(&mut cover, decoder, root, group, frame)?;
    }
    Ok(cover.pixels.iter().any(|&p| p != 0).then_some(cover))
}

/// The samples of the frame as stored, and which of them are padding.
pub(super) struct Stored<'a> {
    pub(super) samples: &'a FrameSamples,
    pub(super) padding: Option<Padding>,
}

/// Marks what lies outside the shutter; of several shapes only what is inside all is seen. Rows and columns count from 1.
///
/// Source: PS3.3 §C.7.6.11.
fn hide(cover: &mut Cover, item: &View<'_>) {
    let shapes = item.texts(tags::SHUTTER_SHAPE);
    if shapes.is_empty() {
        return;
    }
    // A P-value of 16 bits, 0 for black.
    cover.shutter_grey = item.count(tags::SHUTTER_PRESENTATION_VALUE).map_or(0, |v| (v.min(65_535) >> 8) as u8);
    for shape in shapes {
        match shape.as_str() {
            "RECTANGULAR" => {
                let edge = |tag| item.float(tag);
                let (left, right) = (edge(tags::SHUTTER_LEFT_VERTICAL_EDGE), edge(tags::SHUTTER_RIGHT_VERTICAL_EDGE));
                let (top, bottom) = (edge(tags::SHUTTER_UPPER_HORIZONTAL_EDGE), edge(tags::SHUTTER_LOWER_HORIZONTAL_EDGE));
                if let (Some(left), Some(right), Some(top), Some(bottom)) = (left, right, top, bottom) {
                    keep(cover, |row, column| (left..=right).contains(&column) && (top..=bottom).contains(&row));
                }
            }
            "CIRCULAR" => {
                let (centre, radius) = (item.floats(tags::CENTER_OF_CIRCULAR_SHUTTER), item.float(tags::RADIUS_OF_CIRCULAR_SHUTTER));
                if let ([row0, column0, ..], Some(radius)) = (centre.as_slice(), radius) {
                    keep(cover, |row, column| (row - row0).hypot(column - column0) <= radius);
                }
            }
            "POLYGONAL" => {
                let corners = item.floats(tags::VERTICES_OF_THE_POLYGONAL_SHUTTER);
                let corners: Vec<[f64; 2]> = corners.chunks_exact(2).filter_map(|v| v.try_into().ok()).collect();
                // A polygon of fewer corners would hide the whole image; one of very many is no shutter.
                if (3..=MOST_CORNERS).contains(&corners.len()) {
                    let rows: Vec<Vec<f64>> = (1..=cover.rows).map(|row| crossings(&corners, row as f64)).collect();
                    keep(cover, |row, column| rows.get(row as usize - 1).is_some_and(|x| x.partition_point(|&x| x <= column) % 2 == 1));
                }
            }
            _ => {}
        }
    }
}

fn keep(cover: &mut Cover, is_seen: impl Fn(f64, f64) -> bool) {
    let columns = cover.columns.max(1);
    for (at, pixel) in cover.pixels.iter_mut().enumerate() {
        if !is_seen((at / columns + 1) as f64, (at % columns + 1) as f64) {
            *pixel |= Cover::SHUTTER;
        }
    }
}

/// Where the edges of a polygon cross a row, from left to right: inside is after an odd number of them. Corners are
/// `[row, column]`.
fn crossings(corners: &[[f64; 2]], row: f64) -> Vec<f64> {
    let next = corners.iter().cycle().skip(1);
    let edges = corners.iter().zip(next).filter(|([r1, _], [r2, _])| (*r1 > row) != (*r2 > row));
    let mut columns: Vec<f64> = edges.map(|([r1, c1], [r2, c2])| c1 + (row - r1) / (r2 - r1) * (c2 - c1)).collect();
    columns.sort_by(f64::total_cmp);
    columns
}

/// Marks the graphics of one overlay plane. Source: PS3.3 §C.9.2.
fn draw(cover: &mut Cover, decoder: &Decoder<'_>, root: &View<'_>, group: u16, frame: u32) -> Result<()> {
    let tag = |element| Tag(group, element);
    let first_frame = root.int(tag(FRAME_ORIGIN)).unwrap_or(1).saturating_sub(1).max(0);
    let n_frames = root.int(tag(N_FRAMES)).unwrap_or(1).max(1);
    // A plane of one frame lies over all images, one of several over as many from its first on.
    let at = if n_frames == 1 && !root.has(tag(FRAME_ORIGIN)) { 0 } else { i64::from(frame) - first_frame };
    if !(0..n_frames).contains(&at) {
        return Ok(());
    }
    let size = |element, of_image: usize| root.count(tag(element)).map_or(of_image, |v| v as usize);
    let (rows, columns) = (size(ROWS, cover.rows), size(COLUMNS, cover.columns));
    let origin = root.floats(tag(ORIGIN));
    let [row0, column0] = origin.first_chunk::<2>().map_or([0, 0], |o| o.map(|v| v as i64 - 1));
    if root.has(tag(DATA)) {
        let bits = lut::bytes(root, tag(DATA));
        let Some(start) = rows.checked_mul(columns).and_then(|n| n.checked_mul(at as usize)) else { return Ok(()) };
        let is_set = |n: usize| start.checked_add(n).and_then(|n| bits.get(n / 8).map(|byte| byte >> (n % 8) & 1 == 1)).unwrap_or(false);
        mark(cover, [rows, columns], [row0, column0], is_set);
    } else if root.int(tag(BITS_ALLOCATED)).is_some_and(|bits| bits > 1) {
        let layout = decoder.layout();
        let Some(bit) = root.count(tag(BIT_POSITION)).and_then(|bit| u16::try_from(bit).ok()) else { return Ok(()) };
        // A bit of the sample itself is no overlay.
        if bit <= layout.high_bit && bit + layout.bits_stored > layout.high_bit {
            return Ok(());
        }
        if let Some(plane) = decoder.bit(frame, bit)? {
            mark(cover, [cover.rows, cover.columns], [0, 0], |n| plane.value(n) == Some(1.0));
        }
    }
    Ok(())
}

/// Marks the set bits of a plane whose first row and column lie at `origin` of the image, counted from 0.
fn mark(cover: &mut Cover, [rows, columns]: [usize; 2], origin: [i64; 2], is_set: impl Fn(usize) -> bool) {
    let in_plane =
        |n: usize, from: i64, most: usize| (n as i64).checked_sub(from).and_then(|v| usize::try_from(v).ok()).filter(|v| *v < most);
    let width = cover.columns.max(1);
    for (at, pixel) in cover.pixels.iter_mut().enumerate() {
        let place = in_plane(at / width, origin[0], rows).zip(in_plane(at % width, origin[1], columns));
        if let Some((row, column)) = place
            && row.checked_mul(columns).and_then(|n| n.checked_add(column)).is_some_and(&is_set)
        {
            *pixel |= Cover::GRAPHIC;
        }
    }
}
