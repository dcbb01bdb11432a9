//! What lies over a single image in a viewport: padding, shutter, graphics of overlay planes.
//!
//! A texture of its own over the picture, so that both makers show the same.

use crate::reading::loader::Loaded;
use crate::reading::pane::Mapping;
use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};
use mj_imaging::{Plane, still};
use std::collections::BTreeMap;

/// What a cover's picture depends on.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    image: u64,
    plane: Plane,
    graphics: Option<Color32>,
}

/// The covers of all viewports, each kept while nothing changes.
#[derive(Default)]
pub(crate) struct Covers(BTreeMap<usize, (Key, TextureHandle)>);

impl Covers {
    /// Draws the cover of a viewport's image over its picture. `graphics` is the colour of overlay planes, `None` to leave
    /// them out.
    pub(crate) fn paint(&mut self, painter: &Painter, pane: usize, loaded: &Loaded, map: &Mapping, graphics: Option<Color32>) {
        let Some(cover) = &loaded.cover else { return };
        let key = Key { image: loaded.id, plane: map.plane, graphics };
        if self.0.get(&pane).is_none_or(|(drawn, _)| *drawn != key) {
            let rgb = graphics.map(|c| [c.r(), c.g(), c.b()]);
            let flags = still::covered(cover, &loaded.volume.grid, &map.plane);
            let pixels: Vec<Color32> = flags.iter().map(|&f| colour(still::over(f, cover.shutter_grey, rgb))).collect();
            let image = ColorImage::new([map.plane.width, map.plane.height], pixels);
            let texture = painter.ctx().load_texture(format!("cover-{pane}"), image, TextureOptions::NEAREST);
            self.0.insert(pane, (key, texture));
        }
        if let Some((_, texture)) = self.0.get(&pane) {
            painter.image(texture.id(), map.rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        }
    }
}

fn colour(over: Option<[u8; 3]>) -> Color32 {
    over.map_or(Color32::TRANSPARENT, |[r, g, b]| Color32::from_rgba_premultiplied(r, g, b, 255))
}
