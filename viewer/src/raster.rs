//! egui's shapes painted into an image in memory, for key images and the pictures of the headless worker.
//!
//! Triangles with a texture of glyphs, premultiplied alpha, the same blending as in the window. Slow and
//! plain: a picture's overlay is a few hundred triangles.

use crate::{Error, Result};
use egui::epaint::{ClippedPrimitive, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, Painter, Pos2, Rect, TextureId, pos2, vec2};

/// A grey picture to draw on.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Opaque pixels. Shape: `[row][column]`, RGB.
    pub pixels: Vec<[u8; 3]>,
}

impl Canvas {
    /// Starts from a grey picture.
    #[must_use]
    pub fn from_grey(width: usize, height: usize, grey: &[u8]) -> Self {
        Self { width, height, pixels: grey.iter().map(|&g| [g; 3]).collect() }
    }

    /// Draws on it with an egui painter. The fonts are `ctx`'s own; one point is one pixel.
    pub fn paint(&mut self, ctx: &egui::Context, draw: impl Fn(&Painter, Rect)) {
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(self.width as f32, self.height as f32));
        let input = || egui::RawInput { screen_rect: Some(rect), ..Default::default() };
        let mut atlas: Option<ColorImage> = None;
        let mut shapes = Vec::new();
        // Twice, because fonts given to the context are used from the next pass on.
        for _ in 0..2 {
            let mut output = ctx.run_ui(input(), |ui| {
                let painter = Painter::new(ui.ctx().clone(), egui::LayerId::background(), rect);
                draw(&painter, rect);
            });
            for delta in output.textures_delta.set.remove(&TextureId::default()).into_iter().flatten() {
                apply(&mut atlas, delta);
            }
            output.textures_delta.clear();
            shapes = std::mem::take(&mut output.shapes);
        }
        let Some(atlas) = atlas else { return };
        for ClippedPrimitive { clip_rect, primitive } in ctx.tessellate(shapes, 1.0) {
            if let Primitive::Mesh(mesh) = primitive {
                self.mesh(&mesh, clip_rect, &atlas);
            }
        }
    }

    fn mesh(&mut self, mesh: &Mesh, clip: Rect, atlas: &ColorImage) {
        for triangle in mesh.indices.chunks_exact(3) {
            let corner = |n: usize| triangle.get(n).and_then(|&at| mesh.vertices.get(at as usize)).copied();
            if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
                self.triangle([a, b, c], clip, atlas);
            }
        }
    }

    fn triangle(&mut self, [a, b, c]: [Vertex; 3], clip: Rect, atlas: &ColorImage) {
        let cross = |o: Pos2, p: Pos2, q: Pos2| (p.x - o.x) * (q.y - o.y) - (p.y - o.y) * (q.x - o.x);
        let area = cross(a.pos, b.pos, c.pos);
        if area.abs() < 1e-6 {
            return;
        }
        let bounds = Rect::from_points(&[a.pos, b.pos, c.pos]).intersect(clip);
        let columns = bounds.min.x.max(0.0).floor() as usize..(bounds.max.x.max(0.0).ceil() as usize).min(self.width);
        for y in bounds.min.y.max(0.0).floor() as usize..(bounds.max.y.max(0.0).ceil() as usize).min(self.height) {
            for x in columns.clone() {
                let p = pos2(x as f32 + 0.5, y as f32 + 0.5);
                let (wa, wb, wc) = (cross(p, b.pos, c.pos) / area, cross(p, c.pos, a.pos) / area, cross(p, a.pos, b.pos) / area);
                // A shared edge belongs to one triangle only: an exact zero counts where the edge goes down.
                let inside = |w: f32, from: Pos2, to: Pos2| {
                    w > 0.0 || (w == 0.0 && (to.y > from.y || (to.y == from.y && to.x < from.x)) == (area > 0.0))
                };
                if !(inside(wa, b.pos, c.pos) && inside(wb, c.pos, a.pos) && inside(wc, a.pos, b.pos) && clip.contains(p)) {
                    continue;
                }
                let uv = [wa * a.uv.x + wb * b.uv.x + wc * c.uv.x, wa * a.uv.y + wb * b.uv.y + wc * c.uv.y];
                let texel = sample(atlas, uv);
                let channel = |n: usize| {
                    let vertex = |v: &Vertex| f32::from(v.color.to_array()[n]);
                    (wa * vertex(&a) + wb * vertex(&b) + wc * vertex(&c)) * texel[n]
                };
                let over = 1.0 - (channel(3) / 255.0).clamp(0.0, 1.0);
                if let Some(pixel) = self.pixels.get_mut(y * self.width + x) {
                    for (n, slot) in pixel.iter_mut().enumerate() {
                        *slot = (channel(n) + f32::from(*slot) * over).round().clamp(0.0, 255.0) as u8;
                    }
                }
            }
        }
    }

    /// As PNG bytes, RGB.
    ///
    /// # Errors
    /// [`Error::Png`].
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let bytes: Vec<u8> = self.pixels.iter().flatten().copied().collect();
        png(self.width, self.height, &bytes, png::ColorType::Rgb)
    }
}

/// A grey picture as PNG bytes.
///
/// # Errors
/// [`Error::Png`].
pub fn grey_png(width: usize, height: usize, grey: &[u8]) -> Result<Vec<u8>> {
    png(width, height, grey, png::ColorType::Grayscale)
}

fn png(width: usize, height: usize, bytes: &[u8], colour: png::ColorType) -> Result<Vec<u8>> {
    let wrong = |e: png::EncodingError| Error::Png(e.to_string());
    let side = |n: usize| u32::try_from(n).map_err(|e| Error::Png(e.to_string()));
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side(width)?, side(height)?);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().map_err(wrong)?.write_image_data(bytes).map_err(wrong)?;
    Ok(out)
}

/// Takes over a part or the whole of the glyphs' texture.
fn apply(atlas: &mut Option<ColorImage>, delta: egui::epaint::ImageDelta) {
    let egui::ImageData::Color(image) = delta.image;
    match (delta.pos, atlas.as_mut()) {
        (Some([x, y]), Some(atlas)) => {
            for (row, line) in image.pixels.chunks_exact(image.size[0].max(1)).enumerate() {
                let at = (y + row) * atlas.size[0] + x;
                if let Some(slot) = atlas.pixels.get_mut(at..at + line.len()) {
                    slot.copy_from_slice(line);
                }
            }
        }
        _ => *atlas = Some((*image).clone()),
    }
}

/// Bilinear, clamped at the edge; from 0 to 1, premultiplied.
fn sample(image: &ColorImage, [u, v]: [f32; 2]) -> [f32; 4] {
    let [w, h] = image.size;
    let (x, y) = (u * w as f32 - 0.5, v * h as f32 - 0.5);
    let (x0, y0) = (x.floor(), y.floor());
    let at = |x: f32, y: f32| -> [f32; 4] {
        let (x, y) = ((x.max(0.0) as usize).min(w.saturating_sub(1)), (y.max(0.0) as usize).min(h.saturating_sub(1)));
        image.pixels.get(y * w + x).copied().unwrap_or(Color32::TRANSPARENT).to_array().map(|c| f32::from(c) / 255.0)
    };
    let (fx, fy) = (x - x0, y - y0);
    let (a, b, c, d) = (at(x0, y0), at(x0 + 1.0, y0), at(x0, y0 + 1.0), at(x0 + 1.0, y0 + 1.0));
    let mut out = [0.0; 4];
    for (n, slot) in out.iter_mut().enumerate() {
        *slot = (a[n] * (1.0 - fx) + b[n] * fx) * (1.0 - fy) + (c[n] * (1.0 - fx) + d[n] * fx) * fy;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_text_land_on_the_canvas() {
        let mut canvas = Canvas::from_grey(64, 32, &[10; 64 * 32]);
        canvas.paint(&egui::Context::default(), |painter, rect| {
            painter.rect_filled(Rect::from_min_size(pos2(4.0, 4.0), vec2(8.0, 8.0)), 0.0, Color32::WHITE);
            painter.text(rect.right_bottom(), egui::Align2::RIGHT_BOTTOM, "12", egui::FontId::proportional(14.0), Color32::WHITE);
        });
        let at = |x: usize, y: usize| canvas.pixels[y * 64 + x];
        assert_eq!(at(8, 8), [255; 3]);
        assert_eq!(at(20, 8), [10; 3]);
        assert!(canvas.pixels[16 * 64..].iter().filter(|p| p[0] > 200).count() > 10, "no text");
        assert!(canvas.to_png().unwrap().starts_with(&[0x89, b'P', b'N', b'G']));
    }
}
