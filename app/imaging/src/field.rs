//! Values and gradients between voxels.

use crate::sample::Sample;

/// Positions that are looked up at once, so that the compiler can use vector instructions.
pub(crate) const LANES: usize = 8;

/// True where the processor has vector instructions of eight lanes (AVX2, since 2013), for which code is compiled a second
/// time.
pub(crate) fn has_wide_instructions() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx2")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Stored samples with what is needed to interpolate between them.
///
/// Every position is held inside the volume first, so that the edge goes on for ever.
pub(crate) struct Field<'a, S> {
    samples: &'a [S],
    /// Index of the last voxel along each axis.
    last: [i32; 3],
    /// Index of the last voxel that has a neighbour.
    last_base: [i32; 3],
    /// Distance in memory to the next voxel along each axis; 0 along an axis of a single voxel.
    stride: [usize; 3],
}

/// A few positions: which voxel, how far towards the next, and the value there.
pub(crate) struct Few {
    base: [[i32; LANES]; 3],
    part: [[f32; LANES]; 3],
    offset: [usize; LANES],
    /// Stored values.
    pub(crate) value: [f32; LANES],
}

impl<'a, S: Sample> Field<'a, S> {
    /// `None` when the samples do not fill the grid, or are too many to count in 31 bits along an axis.
    pub(crate) fn new(samples: &'a [S], dims: [usize; 3]) -> Option<Self> {
        let n = dims[0].checked_mul(dims[1])?.checked_mul(dims[2])?;
        if n == 0 || n != samples.len() || dims.iter().any(|&n| n >= 1 << 24) {
            return None;
        }
        let last = dims.map(|n| n as i32 - 1);
        let strides = [1, dims[0], dims[0] * dims[1]];
        let stride = [0, 1, 2].map(|a| if last[a] > 0 { strides[a] } else { 0 });
        Some(Self { samples, last, last_base: last.map(|l| (l - 1).max(0)), stride })
    }

    /// The values at `start + step * (first + lane)` for `n` lanes; those after them repeat the last, so that they
    /// touch no memory of their own. Units: voxels.
    #[inline(always)]
    pub(crate) fn few(&self, start: [f32; 3], step: [f32; 3], first: f32, n: usize) -> Few {
        let mut few = Few { base: [[0; LANES]; 3], part: [[0.0; LANES]; 3], offset: [0; LANES], value: [0.0; LANES] };
        let last_lane = n as f32 - 1.0;
        for a in 0..3 {
            for l in 0..LANES {
                let at = (start[a] + step[a] * (first + (l as f32).min(last_lane))).max(0.0).min(self.last[a] as f32);
                let base = (at as i32).min(self.last_base[a]);
                few.base[a][l] = base;
                few.part[a][l] = at - base as f32;
            }
        }
        self.look_up(&mut few);
        few
    }

    /// As [`Field::few`], with the precision that values for reading need.
    #[inline(always)]
    pub(crate) fn few_exact(&self, start: [f64; 3], step: [f64; 3], first: usize, n: usize) -> Few {
        let mut few = Few { base: [[0; LANES]; 3], part: [[0.0; LANES]; 3], offset: [0; LANES], value: [0.0; LANES] };
        let last_lane = n as f64 - 1.0;
        for a in 0..3 {
            for l in 0..LANES {
                let at = (start[a] + step[a] * (first as f64 + (l as f64).min(last_lane))).max(0.0).min(f64::from(self.last[a]));
                let base = (at as i32).min(self.last_base[a]);
                few.base[a][l] = base;
                few.part[a][l] = (at - f64::from(base)) as f32;
            }
        }
        self.look_up(&mut few);
        few
    }

    /// Fills in the values.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "lanes run side by side through several arrays")]
    fn look_up(&self, few: &mut Few) {
        let mut pairs = [[[self.samples[0]; 2]; LANES]; 4];
        let [si, sj, sk] = self.stride;
        for l in 0..LANES {
            // Inside the volume, so nothing wraps; the tests for it would keep the compiler from unrolling.
            let along = |a: usize, stride: usize| (few.base[a][l] as usize).wrapping_mul(stride);
            let o = along(0, si).wrapping_add(along(1, sj)).wrapping_add(along(2, sk));
            few.offset[l] = o;
            pairs[0][l] = self.pair(o);
            pairs[1][l] = self.pair(o.wrapping_add(sj));
            pairs[2][l] = self.pair(o.wrapping_add(sk));
            pairs[3][l] = self.pair(o.wrapping_add(sk).wrapping_add(sj));
        }
        for l in 0..LANES {
            let [x, y, z] = [few.part[0][l], few.part[1][l], few.part[2][l]];
            let line = |n: usize| mix(pairs[n][l][0].float(), pairs[n][l][1].float(), x);
            few.value[l] = mix(mix(line(0), line(1), y), mix(line(2), line(3), y), z);
        }
    }

    /// The gradient at one of a few positions: central differences of the values one voxel before and after.
    /// Units: stored values a voxel.
    ///
    /// Twelve rows of four voxels along `i` hold all that the six values need.
    #[inline(always)]
    pub(crate) fn gradient(&self, few: &Few, lane: usize) -> [f32; 3] {
        let base = [0, 1, 2].map(|a| few.base[a][lane]);
        let [x, y, z] = [0, 1, 2].map(|a| few.part[a][lane]);
        let o = few.offset[lane];
        // Distances to the voxel before and to the one after the next, which the edge may hold back.
        let [_, sj, sk] = self.stride;
        let before = [1, 2].map(|a| if base[a] > 0 { self.stride[a] } else { 0 });
        let after = [1, 2].map(|a| if base[a] + 2 <= self.last[a] { 2 * self.stride[a] } else { self.stride[a] });
        // Core rows: (y, z) = (0,0), (1,0), (0,1), (1,1).
        let row = |o: usize| self.row(o, base[0]);
        let core = [row(o), row(o + sj), row(o + sk), row(o + sk + sj)];
        let upper = [row(o - before[0]), row(o + after[0]), row(o + sk - before[0]), row(o + sk + after[0])];
        let outer = [row(o - before[1]), row(o - before[1] + sj), row(o + after[1]), row(o + after[1] + sj)];
        let (ny, nz) = (1.0 - y, 1.0 - z);
        let w = [ny * nz, y * nz, ny * z, y * z];
        let along = four(|n| core[0][n] * w[0] + core[1][n] * w[1] + core[2][n] * w[2] + core[3][n] * w[3]);
        let dx = (along[2] - along[0]) * (1.0 - x) + (along[3] - along[1]) * x;
        // Along y: before to the next, and this to the one after it, in both layers.
        let dy = four(|n| {
            let near = (core[1][n] - upper[0][n]) * ny + (upper[1][n] - core[0][n]) * y;
            let far = (core[3][n] - upper[2][n]) * ny + (upper[3][n] - core[2][n]) * y;
            near * nz + far * z
        });
        let dz = four(|n| {
            let near = (core[2][n] - outer[0][n]) * nz + (outer[2][n] - core[0][n]) * z;
            let far = (core[3][n] - outer[1][n]) * nz + (outer[3][n] - core[1][n]) * z;
            near * ny + far * y
        });
        [dx * 0.5, mix(dy[1], dy[2], x) * 0.5, mix(dz[1], dz[2], x) * 0.5]
    }

    /// Cubic convolution of the 64 voxels around one of a few positions.
    ///
    /// Source: R. G. Keys, Cubic convolution interpolation for digital image processing, IEEE ASSP 29(6), 1981, with
    /// a = -1/2.
    #[inline(always)]
    pub(crate) fn cubic(&self, few: &Few, lane: usize) -> f32 {
        let (o, i) = (few.offset[lane], few.base[0][lane]);
        let [wx, wy, wz] = [0, 1, 2].map(|a| cubic_weights(few.part[a][lane]));
        let mut line = [0.0_f32; 4];
        for (n, w) in wz.into_iter().enumerate() {
            let layer = self.beside(o, 2, few.base[2][lane], n);
            let rows = [0, 1, 2, 3].map(|m| self.row(self.beside(layer, 1, few.base[1][lane], m), i));
            let sum = four(|x| rows[0][x] * wy[0] + rows[1][x] * wy[1] + rows[2][x] * wy[2] + rows[3][x] * wy[3]);
            line = four(|x| line[x] + sum[x] * w);
        }
        line[0] * wx[0] + line[1] * wx[1] + line[2] * wx[2] + line[3] * wx[3]
    }

    /// The voxel `n - 1` steps along an axis from one with index `base`; the edge goes on.
    #[inline(always)]
    fn beside(&self, o: usize, axis: usize, base: i32, n: usize) -> usize {
        let stride = self.stride[axis];
        match n {
            0 if base > 0 => o.wrapping_sub(stride),
            0 | 1 => o,
            3 if base + 2 <= self.last[axis] => o.wrapping_add(stride).wrapping_add(stride),
            _ => o.wrapping_add(stride),
        }
    }

    /// A voxel and the next along `i`, loaded at once.
    #[inline(always)]
    fn pair(&self, o: usize) -> [S; 2] {
        match self.samples.get(o..o.wrapping_add(2)) {
            Some(&[a, b]) if self.stride[0] > 0 => [a, b],
            _ => [self.samples[o]; 2],
        }
    }

    /// The voxels before, at, after and after next of a voxel along `i`; the edge goes on.
    #[inline(always)]
    fn row(&self, o: usize, i: i32) -> [f32; 4] {
        let inner = if i > 0 && i + 2 <= self.last[0] { self.samples.get(o - 1..o + 3) } else { None };
        match inner {
            Some(&[a, b, c, d]) => [a.float(), b.float(), c.float(), d.float()],
            _ => self.edge_row(o, i),
        }
    }

    #[cold]
    fn edge_row(&self, o: usize, i: i32) -> [f32; 4] {
        let at = |n: i32| {
            let there = i64::from(n.clamp(0, self.last[0]) - i) + o as i64;
            usize::try_from(there).ok().and_then(|o| self.samples.get(o)).map_or(0.0, |s| s.float())
        };
        [at(i - 1), at(i), at(i + 1), at(i + 2)]
    }
}

#[inline(always)]
fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}

/// Shares of the voxels before, at, after and after next of a position between two.
#[inline(always)]
fn cubic_weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t + t2 - 0.5 * t3, 1.0 - 2.5 * t2 + 1.5 * t3, 0.5 * t + 2.0 * t2 - 1.5 * t3, -0.5 * t2 + 0.5 * t3]
}

/// Four numbers side by side.
#[inline(always)]
fn four(f: impl Fn(usize) -> f32) -> [f32; 4] {
    [f(0), f(1), f(2), f(3)]
}
