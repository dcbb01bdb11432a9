//! Rays of a band of pixels.

use super::ray::{Ray, Rays};
use super::{Camera, ClipBox, ENOUGH, Quality, Seen, Table};
use crate::blocks::BLOCK;
use crate::field::{Few, Field, LANES, apart, has_wide_instructions};
use crate::sample::Sample;
use mj_model::Volume;

/// Rows of rays that a thread takes at once.
pub(super) const ROWS: usize = 8;
/// Columns of a tile inside a band: rays beside one another read the same voxels.
const TILE: usize = 8;
/// Samples that are looked for at most before they are taken.
const LONGEST: usize = 2 * LANES;

/// Samples that together add less than this share of a pixel take the light of the sample before them.
const SLIGHT: f32 = 1.0 / 64.0;
/// How far they may lie behind it, if that is more than one step. Units: mm.
const NEAR_MM: f64 = 1.1;

/// All that rays need.
pub(super) struct Caster<'a, S> {
    field: Field<'a, S>,
    rays: Rays,
    seen: &'a Seen,
    table: Table,
    /// Lowest and highest stored value that can be seen.
    visible: (f32, f32),
    shades: Vec<[f32; 2]>,
    /// From a gradient a voxel to one a mm.
    per_mm: [f32; 3],
    every: usize,
    /// Samples that may take the light of the one before them.
    n_near: u32,
}

impl<'a, S: Sample> Caster<'a, S> {
    pub(super) fn new(
        samples: &'a [S],
        volume: &Volume,
        seen: &'a Seen,
        camera: &Camera,
        clip: Option<ClipBox>,
        quality: Quality,
    ) -> Option<Self> {
        let table = Table::new(&seen.function, volume.map, quality.step_mm);
        Some(Self {
            field: Field::new(samples, volume.grid.dims)?,
            rays: Rays::new(&volume.grid, camera, clip, quality.step_mm),
            seen,
            shades: table.shades(),
            visible: table.visible(),
            table,
            per_mm: volume.grid.spacing_mm.map(|mm| (1.0 / mm) as f32),
            every: quality.pixels_per_ray.max(1),
            n_near: (NEAR_MM / quality.step_mm).max(1.0) as u32,
        })
    }

    /// Draws rows of rays from `first` on. Shape of `rows`: `[row][column][4]`.
    pub(super) fn draw(&self, first: usize, width: usize, rows: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if has_wide_instructions() {
            #[expect(unsafe_code, reason = "vector instructions that not every processor has")]
            // SAFETY: the processor has what the function was compiled for.
            unsafe {
                self.draw_wide(first, width, rows);
            }
            return;
        }
        self.draw_plain(first, width, rows);
    }

    /// The same code for processors since 2013.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn draw_wide(&self, first: usize, width: usize, rows: &mut [u8]) {
        self.draw_plain(first, width, rows);
    }

    #[inline(always)]
    pub(super) fn draw_plain(&self, first: usize, width: usize, rows: &mut [u8]) {
        let middle = (self.every as f64 - 1.0) / 2.0;
        let place = |n: usize| (n * self.every) as f64 + middle;
        for left in (0..width).step_by(TILE) {
            for (y, row) in rows.chunks_mut(width * 4).enumerate() {
                let tile = row.chunks_exact_mut(4).enumerate().skip(left).take(TILE);
                for (x, pixel) in tile {
                    let Some(ray) = self.rays.through(place(x), place(first + y)) else { continue };
                    let color = self.cast(&ray);
                    for (slot, c) in pixel.iter_mut().zip(color) {
                        *slot = (c * 255.0 + 0.5) as u8;
                    }
                }
            }
        }
    }

    /// The light of a ray: red, green, blue, opacity.
    #[inline(always)]
    fn cast(&self, ray: &Ray) -> [f32; 4] {
        let mut light = Gathered { rgb: [0.0; 3], left: 1.0, shade: None };
        let mut s = 0;
        while s < ray.n {
            let (distance, leave) = self.leave(ray, s);
            if distance > 0 {
                light.shade = None;
                s = leave;
                continue;
            }
            let mut to = leave;
            while to < ray.n && to - s < LONGEST {
                let (distance, leave) = self.leave(ray, to);
                if distance > 0 {
                    break;
                }
                to = leave;
            }
            let to = to.min(ray.n);
            while s < to {
                let n = (to - s).min(LANES);
                let few = self.field.few(ray.start, ray.step, s as f32, n);
                if self.gather(ray, &few, n, &mut light) {
                    return light.done();
                }
                s += LANES;
            }
            s = to;
        }
        light.done()
    }

    /// The distance of the block that a sample lies in to the next that shows anything, and the first sample beyond
    /// all that is thereby known to be empty (or beyond the block itself).
    #[inline(always)]
    fn leave(&self, ray: &Ray, s: usize) -> (u8, usize) {
        let counts = self.seen.counts;
        let mut block = [0_i32; 3];
        let mut at = [0.0_f32; 3];
        for a in 0..3 {
            at[a] = ray.start[a] + ray.step[a] * s as f32;
            block[a] = apart(at[a].max(0.0) * (1.0 / BLOCK as f32)).0.clamp(0, counts[a] as i32 - 1);
        }
        let distance = self.seen.distance[(block[2] as usize * counts[1] + block[1] as usize) * counts[0] + block[0] as usize];
        let reach = i32::from(distance.max(1)) - 1;
        let mut exit = f32::INFINITY;
        for a in 0..3 {
            let ahead = if ray.step[a] < 0.0 { -reach } else { reach + 1 };
            let wall = (block[a] + ahead) * BLOCK as i32;
            exit = exit.min((wall as f32 - at[a]) * ray.inverse[a]);
        }
        // No ray has so many samples: this is "never".
        (distance, s + exit.clamp(0.0, 1e9) as i32 as usize + 1)
    }

    /// Adds a few samples; true when nothing behind them could be seen.
    #[inline(always)]
    fn gather(&self, ray: &Ray, few: &Few, n: usize, light: &mut Gathered) -> bool {
        let (low, high) = self.visible;
        if few.value.iter().fold(0, |any, &v| any | u8::from(v >= low) & u8::from(v <= high)) == 0 {
            light.shade = None;
            return false;
        }
        let bins = self.table.few(&few.value);
        for (lane, &bin) in bins.iter().enumerate().take(n) {
            let [r, g, b, opacity] = self.table.bins[bin as usize];
            if opacity <= 0.0 {
                light.shade = None;
                continue;
            }
            let share = opacity * light.left;
            let [lit, highlight] = match &mut light.shade {
                Some(shade) if shade.left > 0 && shade.added + share < SLIGHT => {
                    shade.left -= 1;
                    shade.added += share;
                    shade.light
                }
                shade => {
                    let gradient = self.field.gradient(few, lane);
                    let light = self.shades[Table::shade_at(self.facing(gradient, ray))];
                    *shade = Some(Shade { light, left: self.n_near, added: 0.0 });
                    light
                }
            };
            let white = highlight * opacity;
            light.rgb[0] += light.left * (r * lit + white);
            light.rgb[1] += light.left * (g * lit + white);
            light.rgb[2] += light.left * (b * lit + white);
            light.left *= 1.0 - opacity;
            if light.left < ENOUGH {
                return true;
            }
        }
        false
    }

    /// How much the surface with a gradient faces the eye: 1 straight, 0 sideways; a half where the gradient is
    /// noise.
    #[inline(always)]
    fn facing(&self, gradient: [f32; 3], ray: &Ray) -> f32 {
        let g = [0, 1, 2].map(|a| gradient[a] * self.per_mm[a]);
        let length = (g[0] * g[0] + g[1] * g[1] + g[2] * g[2]).sqrt();
        let along = (g[0] * ray.sight[0] + g[1] * ray.sight[1] + g[2] * ray.sight[2]).abs();
        let noise = self.table.noise_per_mm;
        // `min` also takes care of 0 / 0 and of gradients beside NaN.
        ((along + 0.5 * noise) / (length + noise)).min(1.0)
    }
}

/// Light gathered along a ray, and the share that is still left.
struct Gathered {
    rgb: [f32; 3],
    left: f32,
    /// Light of a sample shortly before, if all since were seen.
    shade: Option<Shade>,
}

/// Light of a sample, for those shortly behind it.
struct Shade {
    light: [f32; 2],
    /// Samples that may still take it.
    left: u32,
    /// What those that took it added.
    added: f32,
}

impl Gathered {
    fn done(&self) -> [f32; 4] {
        let [r, g, b] = self.rgb.map(|c| c.clamp(0.0, 1.0));
        [r, g, b, 1.0 - self.left]
    }
}
