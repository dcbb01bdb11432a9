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
    /// True when no axis is of a single voxel and distances can be counted in 31 bits: what most volumes are, and can be
    /// read without tests.
    is_plain: bool,
}

/// A few positions: which voxel, how far towards the next, and the value there.
pub(crate) struct Few {
    base: [[i32; LANES]; 3],
    part: [[f32; LANES]; 3],
    /// Where the base stands among the samples.
    offset: [usize; LANES],
    /// Stored values.
    pub(crate) value: [f32; LANES],
}

/// A few positions that reach no edge: `REACH` voxels before each and `REACH + 1` after it along every axis lie in the
/// volume, and so do their samples in memory.
pub(crate) struct Inner<const REACH: usize> {
    /// The first voxel that each position reaches, as an index into the samples.
    first: [usize; LANES],
    part: [[f32; LANES]; 3],
}

#[expect(clippy::needless_range_loop, reason = "lanes run side by side through several arrays")]
impl<'a, S: Sample> Field<'a, S> {
    /// `None` when the samples do not fill the grid, or are too many along an axis.
    pub(crate) fn new(samples: &'a [S], dims: [usize; 3]) -> Option<Self> {
        let n = dims[0].checked_mul(dims[1])?.checked_mul(dims[2])?;
        if n == 0 || n != samples.len() || dims.iter().any(|&n| n >= 1 << 22) {
            return None;
        }
        let last = dims.map(|n| n as i32 - 1);
        let strides = [1, dims[0], dims[0] * dims[1]];
        let stride = [0, 1, 2].map(|a| if last[a] > 0 { strides[a] } else { 0 });
        let is_plain = last.iter().all(|l| *l > 0) && i32::try_from(n).is_ok();
        Some(Self { samples, last, last_base: last.map(|l| (l - 1).max(0)), stride, is_plain })
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
                let base = apart(at).0.clamp(0, self.last_base[a]);
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
                let base = (at as i32).clamp(0, self.last_base[a]);
                few.base[a][l] = base;
                few.part[a][l] = (at - f64::from(base)) as f32;
            }
        }
        self.look_up(&mut few);
        few
    }

    /// The positions `start + step * (first + lane)`, unless one of them reaches an edge. Units: voxels.
    #[inline(always)]
    pub(crate) fn inner<const REACH: usize>(&self, start: [f64; 3], step: [f64; 3], first: usize) -> Option<Inner<REACH>> {
        let mut inner = Inner { first: [0; LANES], part: [[0.0; LANES]; 3] };
        let mut offset = [0_i32; LANES];
        let mut origin = 0_usize;
        let reach = REACH as i32;
        for a in 0..3 {
            let from = start[a] + step[a] * first as f64;
            let to = from + step[a] * (LANES - 1) as f64;
            let far = f64::from(self.last[a] - reach);
            // `SLACK` for the rounding of `f32` below.
            if !(from.min(to) >= f64::from(reach) + SLACK && from.max(to) <= far - SLACK) || self.stride[a] > FARTHEST {
                return None;
            }
            // Whole voxels once in whole numbers, the rest in numbers that lanes are full of.
            let whole = from as i32;
            let (rest, step) = ((from - f64::from(whole)) as f32, step[a] as f32);
            for l in 0..LANES {
                let at = rest + step * l as f32;
                let (below, part) = apart(at);
                inner.part[a][l] = part;
                offset[l] = offset[l].wrapping_add(below.wrapping_mul(self.stride[a] as i32));
            }
            origin = origin.wrapping_add(((whole - reach) as usize).wrapping_mul(self.stride[a]));
        }
        // What is read without further tests is tested here, in whole numbers, whatever the above did.
        let (low, high) = offset.iter().fold((i32::MAX, i32::MIN), |(low, high), o| (low.min(*o), high.max(*o)));
        let reached = self.stride.iter().sum::<usize>() * (2 * REACH + 1);
        origin.checked_add_signed(low as isize)?;
        if origin.checked_add_signed(high as isize)?.checked_add(reached)? >= self.samples.len() {
            return None;
        }
        for l in 0..LANES {
            inner.first[l] = origin.wrapping_add_signed(offset[l] as isize);
        }
        Some(inner)
    }

    /// Asks the processor to bring what the positions will read.
    #[inline(always)]
    pub(crate) fn ask<const REACH: usize>(&self, inner: &Inner<REACH>) {
        let [_, sj, sk] = self.stride;
        for o in inner.first {
            for k in 0..2 + 2 * REACH {
                for j in 0..2 + 2 * REACH {
                    ask(self.samples, o.wrapping_add(k * sk).wrapping_add(j * sj));
                }
            }
        }
    }

    /// Linear interpolation at positions that reach no edge.
    #[inline(always)]
    pub(crate) fn linear_inner(&self, inner: &Inner<0>) -> [f32; LANES] {
        let [_, sj, sk] = self.stride;
        let mut pairs = [[[S::LOWEST; 2]; LANES]; 4];
        for l in 0..LANES {
            for (n, row) in [0, sj, sk, sk + sj].into_iter().enumerate() {
                pairs[n][l] = self.next(inner, l, row);
            }
        }
        let mut value = [0.0; LANES];
        self.value_of(&pairs, &inner.part, &mut value);
        value
    }

    /// Cubic convolution at positions that reach no edge, see [`Field::cubic`].
    #[inline(always)]
    pub(crate) fn cubic_inner(&self, inner: &Inner<1>) -> [f32; LANES] {
        let [_, sj, sk] = self.stride;
        let mut value = [0.0; LANES];
        for l in 0..LANES {
            let [wx, wy, wz] = [cubic_weights(inner.part[0][l]), cubic_weights(inner.part[1][l]), cubic_weights(inner.part[2][l])];
            // Two layers side by side fill eight numbers.
            let two_layers = |k: usize| {
                let mut sum = [0.0_f32; 8];
                for j in 0..4 {
                    let row = |k: usize| self.next::<1, 4>(inner, l, k * sk + j * sj);
                    let both = S::eight([row(k), row(k + 1)]);
                    for x in 0..8 {
                        sum[x] += both[x] * wy[j];
                    }
                }
                sum
            };
            let (near, far) = (two_layers(0), two_layers(2));
            let mut line = [0.0_f32; 8];
            for x in 0..8 {
                line[x] = (near[x] * wz[x / 4] + far[x] * wz[2 + x / 4]) * wx[x % 4];
            }
            value[l] = ((line[0] + line[4]) + (line[1] + line[5])) + ((line[2] + line[6]) + (line[3] + line[7]));
        }
        value
    }

    /// [`Field::cubic_inner`], sum for sum, by the vector instructions themselves: the compiler, left to it, mixes
    /// several positions and then sorts them out for longer than it counts.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn cubic_inner_wide(&self, inner: &Inner<1>) -> [f32; LANES] {
        use std::arch::x86_64::{
            __m256, _mm_set_epi64x, _mm256_add_ps, _mm256_cvtepi16_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu16_epi32, _mm256_mul_ps,
            _mm256_set_ps, _mm256_set1_ps, _mm256_setzero_ps,
        };
        let eight = |[a, b, c, d, e, f, g, h]: [f32; 8]| _mm256_set_ps(h, g, f, e, d, c, b, a);
        let floats = |rows: [[S; 4]; 2]| match (S::IS_SIGNED_16, bytemuck::try_cast::<_, [i64; 2]>(rows)) {
            (Some(true), Ok([a, b])) => _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_set_epi64x(b, a))),
            (Some(false), Ok([a, b])) => _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_set_epi64x(b, a))),
            _ => eight(S::eight(rows)),
        };
        let [_, sj, sk] = self.stride;
        let mut value = [0.0; LANES];
        for l in 0..LANES {
            let [wx, wy, wz] = [cubic_weights(inner.part[0][l]), cubic_weights(inner.part[1][l]), cubic_weights(inner.part[2][l])];
            let mut layers = [_mm256_setzero_ps(); 2];
            for (pair, sum) in layers.iter_mut().enumerate() {
                for (j, w) in wy.iter().enumerate() {
                    let first = 2 * pair * sk + j * sj;
                    let both = floats([self.next::<1, 4>(inner, l, first), self.next::<1, 4>(inner, l, first + sk)]);
                    *sum = _mm256_add_ps(*sum, _mm256_mul_ps(both, _mm256_set1_ps(*w)));
                }
            }
            let twice = |a: f32, b: f32| eight([a, a, a, a, b, b, b, b]);
            let along = _mm256_add_ps(_mm256_mul_ps(layers[0], twice(wz[0], wz[1])), _mm256_mul_ps(layers[1], twice(wz[2], wz[3])));
            let line: __m256 = _mm256_mul_ps(along, eight([wx[0], wx[1], wx[2], wx[3], wx[0], wx[1], wx[2], wx[3]]));
            let line: [f32; 8] = bytemuck::cast(line);
            value[l] = ((line[0] + line[4]) + (line[1] + line[5])) + ((line[2] + line[6]) + (line[3] + line[7]));
        }
        value
    }

    /// The samples of one of the rows that a position reaches.
    #[inline(always)]
    fn next<const REACH: usize, const N: usize>(&self, inner: &Inner<REACH>, lane: usize, row: usize) -> [S; N] {
        const { assert!(N == 2 * REACH + 2) }
        let o = inner.first[lane] + row;
        #[expect(unsafe_code, reason = "tests take as long as the reading")]
        // SAFETY: `Field::inner` found that all a position reaches is in memory, and rows are of the same steps.
        unsafe {
            self.unchecked(o)
        }
    }

    /// Fills in the values.
    #[inline(always)]
    fn look_up(&self, few: &mut Few) {
        let mut pairs = [[[S::LOWEST; 2]; LANES]; 4];
        let [si, sj, sk] = self.stride;
        if self.is_plain {
            let strides = [sj as i32, sk as i32];
            for l in 0..LANES {
                few.offset[l] = (few.base[0][l] + few.base[1][l] * strides[0] + few.base[2][l] * strides[1]) as usize;
            }
            for l in 0..LANES {
                for (n, row) in [0, sj, sk, sk + sj].into_iter().enumerate() {
                    let o = few.offset[l] + row;
                    #[expect(unsafe_code, reason = "tests take as long as the reading")]
                    // SAFETY: along every axis the base is held between the first voxel and the last but one, so this row
                    // and the voxel after it are of the grid, and the samples fill the grid.
                    unsafe {
                        pairs[n][l] = self.unchecked(o);
                    }
                }
            }
        } else {
            for l in 0..LANES {
                let o = [si, sj, sk].iter().zip(few.base).map(|(stride, base)| base[l] as usize * stride).sum::<usize>();
                few.offset[l] = o;
                for (n, row) in [0, sj, sk, sk + sj].into_iter().enumerate() {
                    pairs[n][l] = self.pair(o + row);
                }
            }
        }
        self.value_of(&pairs, &few.part, &mut few.value);
    }

    /// Between four pairs of voxels.
    #[inline(always)]
    fn value_of(&self, pairs: &[[[S; 2]; LANES]; 4], part: &[[f32; LANES]; 3], value: &mut [f32; LANES]) {
        let sides = [S::apart(pairs[0]), S::apart(pairs[1]), S::apart(pairs[2]), S::apart(pairs[3])];
        for l in 0..LANES {
            let [x, y, z] = [part[0][l], part[1][l], part[2][l]];
            let line = |n: usize| mix(sides[n][0][l], sides[n][1][l], x);
            value[l] = mix(mix(line(0), line(1), y), mix(line(2), line(3), y), z);
        }
    }

    /// Samples side by side.
    ///
    /// # Safety
    /// Those from `o` on must be in memory.
    #[inline(always)]
    #[expect(unsafe_code, reason = "tests take as long as the reading")]
    unsafe fn unchecked<const N: usize>(&self, o: usize) -> [S; N] {
        debug_assert!(o + N <= self.samples.len());
        // SAFETY: the caller's.
        unsafe { self.samples.as_ptr().add(o).cast::<[S; N]>().read_unaligned() }
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
        let [_, sj, sk] = self.stride;
        let is_inner = (0..3).fold(true, |inner, a| inner & (base[a] > 0) & (base[a] + 2 <= self.last[a]));
        // Core rows: (y, z) = (0,0), (1,0), (0,1), (1,1); then those one voxel beyond them along y, and along z.
        let rows = if is_inner & self.is_plain {
            let o = o - 1;
            let row = |o: usize| {
                #[expect(unsafe_code, reason = "tests take as long as the reading")]
                // SAFETY: the base has a voxel before it and two after it along every axis.
                unsafe {
                    self.unchecked::<4>(o)
                }
            };
            let two = |p: usize, q: usize| S::eight([row(p), row(q)]);
            [
                two(o, o + sj),
                two(o + sk, o + sk + sj),
                two(o - sj, o + 2 * sj),
                two(o + sk - sj, o + sk + 2 * sj),
                two(o - sk, o - sk + sj),
                two(o + 2 * sk, o + 2 * sk + sj),
            ]
        } else {
            // Distances to the voxel before and to the one after the next, which the edge may hold back.
            let before = [1, 2].map(|a| if base[a] > 0 { self.stride[a] } else { 0 });
            let after = [1, 2].map(|a| if base[a] + 2 <= self.last[a] { 2 * self.stride[a] } else { self.stride[a] });
            self.edge_rows(
                base[0],
                [
                    [o, o + sj],
                    [o + sk, o + sk + sj],
                    [o - before[0], o + after[0]],
                    [o + sk - before[0], o + sk + after[0]],
                    [o - before[1], o - before[1] + sj],
                    [o + after[1], o + after[1] + sj],
                ],
            )
        };
        let core = [half(&rows[0], 0), half(&rows[0], 4), half(&rows[1], 0), half(&rows[1], 4)];
        let upper = [half(&rows[2], 0), half(&rows[2], 4), half(&rows[3], 0), half(&rows[3], 4)];
        let outer = [half(&rows[4], 0), half(&rows[4], 4), half(&rows[5], 0), half(&rows[5], 4)];
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
    fn edge_rows(&self, i: i32, rows: [[usize; 2]; 6]) -> [[f32; 8]; 6] {
        rows.map(|[p, q]| {
            let ([a, b, c, d], [e, f, g, h]) = (self.row(p, i), self.row(q, i));
            [a, b, c, d, e, f, g, h]
        })
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

/// The whole number below, and what is left. For numbers under 2²²; a cast, which knows what to do with all others,
/// takes one lane at a time.
#[inline(always)]
pub(crate) fn apart(x: f32) -> (i32, f32) {
    // Where the last bit of a number counts ones, its bits count up with it.
    const ONES: f32 = 1.5 * 8_388_608.0;
    let below = x.floor();
    ((below + ONES).to_bits().wrapping_sub(ONES.to_bits()) as i32, x - below)
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

/// What rounding may move a position by. Units: voxels.
const SLACK: f64 = 1e-3;
/// Strides up to this can be counted in 31 bits, a few steps at a time.
const FARTHEST: usize = 1 << 26;

/// Starts to bring a sample into the cache.
#[inline(always)]
fn ask<S>(samples: &[S], o: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(unsafe_code, reason = "most time is spent waiting for memory")]
        // SAFETY: asking ahead reads nothing and may be done for any address.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(samples.as_ptr().wrapping_add(o).cast());
        }
    }
}

/// Four of eight numbers, from `at` on.
#[inline(always)]
fn half(numbers: &[f32; 8], at: usize) -> [f32; 4] {
    [numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]
}

/// Four numbers side by side.
#[inline(always)]
fn four(f: impl Fn(usize) -> f32) -> [f32; 4] {
    [f(0), f(1), f(2), f(3)]
}
