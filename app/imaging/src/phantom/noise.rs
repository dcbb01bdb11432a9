//! Randomness by counting: every number is a hash of where it is used, so that neither threads nor order matter.
//!
//! Only additions, multiplications and square roots are used, which give the same bits on every machine.

use glam::Vec3;
use rayon::prelude::*;

/// A well mixed 64-bit hash (the finaliser of SplitMix64).
pub(super) fn hash(seed: u64, n: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(n).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ n.rotate_left(32);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Numbers of one stream, one after another.
pub(super) struct Dice {
    seed: u64,
    count: u64,
}

impl Dice {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self { seed: hash(seed, stream), count: 0 }
    }
    /// Evenly in 0 to 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.count += 1;
        (hash(self.seed, self.count) >> 40) as f32 / (1_u32 << 24) as f32
    }
    /// Evenly between two numbers.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
    /// Evenly in a ball of radius 1.
    pub(super) fn in_ball(&mut self) -> Vec3 {
        loop {
            let v = Vec3::new(self.between(-1.0, 1.0), self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            if v.length_squared() <= 1.0 {
                return v;
            }
        }
    }
}

/// Edge of the periodic lattice of smooth noise.
const EDGE: usize = 32;

/// Smooth noise in space, about -1 to 1, periodic after [`EDGE`] cells.
pub(super) struct Smooth {
    lattice: Vec<f32>,
}

impl Smooth {
    pub(super) fn new(seed: u64) -> Self {
        let seed = hash(seed, 0x5300);
        Self { lattice: (0..(EDGE * EDGE * EDGE) as u64).map(|n| (hash(seed, n) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0).collect() }
    }

    /// At a position in cells.
    #[inline]
    pub(super) fn at(&self, p: Vec3) -> f32 {
        let ([i, i1], x) = cell(p.x);
        let ([j, j1], y) = cell(p.y);
        let ([k, k1], z) = cell(p.z);
        let line = |j: usize, k: usize| {
            let row = (k * EDGE + j) * EDGE;
            let (a, b) = (self.lattice[row + i], self.lattice[row + i1]);
            a + (b - a) * x
        };
        let (a, b) = (line(j, k), line(j1, k));
        let (c, d) = (line(j, k1), line(j1, k1));
        let (near, far) = (a + (b - a) * y, c + (d - c) * y);
        near + (far - near) * z
    }

    /// Two octaves.
    pub(super) fn rough(&self, p: Vec3) -> f32 {
        self.at(p) * 0.68 + self.at(p * 2.17 + Vec3::new(5.3, 9.1, 3.7)) * 0.32
    }
}

/// Edge of the noise patch. Units: pixels.
const PATCH: usize = 256;
/// Number of patches.
const PATCHES: usize = 24;

/// The two lattice points around a coordinate, and the smoothed way between them.
#[inline]
fn cell(v: f32) -> ([usize; 2], f32) {
    // Rounding down by hand: without it every call goes into the C library.
    let whole = v as i32 - i32::from(v < 0.0);
    let t = v - whole as f32;
    let at = (whole & (EDGE as i32 - 1)) as usize;
    ([at, (at + 1) & (EDGE - 1)], t * t * (3.0 - 2.0 * t))
}

/// Image noise as a filtered back projection leaves it: no slow waves, the most power at middle frequencies,
/// a little correlation between neighbouring pixels. Standard deviation 1.
pub(super) struct CtNoise {
    patches: Vec<Vec<f32>>,
    seed: u64,
}

impl CtNoise {
    pub(super) fn new(seed: u64) -> Self {
        let seed = hash(seed, 0xC7);
        let patches = (0..PATCHES as u64).into_par_iter().map(|n| patch(hash(seed, n))).collect();
        Self { patches, seed }
    }

    /// Two patches and their shifts for a slice; the sum of two hides that patches repeat.
    pub(super) fn slice(&self, k: usize) -> SliceNoise<'_> {
        let pick = |n: u64| {
            let h = hash(self.seed ^ 0x511C_E000, k as u64 * 2 + n);
            (self.patches[(h % PATCHES as u64) as usize].as_slice(), (h >> 16) as usize % PATCH, (h >> 32) as usize % PATCH)
        };
        SliceNoise { a: pick(0), b: pick(1) }
    }
}

/// The noise of one slice.
pub(super) struct SliceNoise<'a> {
    a: (&'a [f32], usize, usize),
    b: (&'a [f32], usize, usize),
}

impl SliceNoise<'_> {
    /// At a pixel.
    pub(super) fn at(&self, i: usize, j: usize) -> f32 {
        let look = |(patch, x, y): (&[f32], usize, usize)| patch[((j + y) & (PATCH - 1)) * PATCH + ((i + x) & (PATCH - 1))];
        // Mirrored, so that two equal patches never add up to one of twice the strength.
        (look(self.a) + look((self.b.0, self.b.1, self.b.2 + j * (PATCH - 2)))) * 0.707
    }
}

fn patch(seed: u64) -> Vec<f32> {
    // The sum of four even numbers is close enough to a bell curve.
    let white: Vec<f32> = (0..(PATCH * PATCH) as u64)
        .map(|n| {
            let h = hash(seed, n);
            (0..4).map(|b| (h >> (b * 16) & 0xFFFF) as f32 / 65536.0 - 0.5).sum()
        })
        .collect();
    let fine = blur(&white, &[0.27, 0.46, 0.27]);
    let coarse = blur(&blur(&blur(&fine, &WIDE), &WIDE), &WIDE);
    let mut out: Vec<f32> = fine.iter().zip(&coarse).map(|(f, c)| f - 0.92 * c).collect();
    let power = out.iter().map(|v| v * v).sum::<f32>() / out.len() as f32;
    let scale = 1.0 / power.sqrt().max(1e-6);
    out.iter_mut().for_each(|v| *v *= scale);
    out
}

const WIDE: [f32; 7] = [0.08, 0.14, 0.18, 0.20, 0.18, 0.14, 0.08];

/// A periodic blur along rows, then columns.
fn blur(image: &[f32], kernel: &[f32]) -> Vec<f32> {
    let half = kernel.len() / 2;
    let pass = |image: &[f32], stride_x: bool| -> Vec<f32> {
        (0..PATCH * PATCH)
            .map(|at| {
                let (x, y) = (at % PATCH, at / PATCH);
                kernel
                    .iter()
                    .enumerate()
                    .map(|(n, w)| {
                        let shift = |v: usize| (v + PATCH + n - half) % PATCH;
                        w * if stride_x { image[y * PATCH + shift(x)] } else { image[shift(y) * PATCH + x] }
                    })
                    .sum()
            })
            .collect()
    };
    pass(&pass(image, true), false)
}
