//! From forms to voxels.
//!
//! The grid is done in tiles. Forms far from a tile are left out, one that covers it whole hides what was
//! painted before, smooth ones are evaluated at points a few voxels apart and interpolated. Forms are
//! painted from the front to the back, each by how much of the voxel it fills, which is the partial volume effect and the
//! scanner's blur in one.

use super::body;
use super::body::Body;
use super::noise::{CtNoise, SliceNoise};
use super::scene::{Group, Scene, label};
use super::shape::{Shape, step};
use glam::{Affine3A, Vec3};
use rayon::prelude::*;

/// Voxels of a tile along i, j, k.
const TILE: [usize; 3] = [16, 16, 8];
/// Distance of interpolation points. Units: voxels.
const COARSE: [usize; 3] = [4, 4, 2];
/// Interpolation points along i, j, k.
const NODES: [usize; 3] = [TILE[0] / COARSE[0] + 1, TILE[1] / COARSE[1] + 1, TILE[2] / COARSE[2] + 1];
const N: usize = TILE[0] * TILE[1] * TILE[2];

/// What is scanned and where.
pub(super) struct Scanner<'a> {
    pub(super) body: &'a Body,
    pub(super) scene: &'a Scene,
    pub(super) dims: [usize; 3],
    /// From voxel to the body's coordinates.
    pub(super) body_from_voxel: Affine3A,
    /// The other way.
    pub(super) voxel_from_body: Affine3A,
    pub(super) noise: CtNoise,
    /// Make the label volume as well.
    pub(super) with_labels: bool,
}

/// Values of HU and labels.
pub(super) struct Scanned {
    pub(super) hu: Vec<i16>,
    pub(super) labels: Vec<u8>,
}

/// A rod or other small form with its group.
struct Small<'a> {
    group: usize,
    shape: &'a Shape,
    centre: Vec3,
    half: Vec3,
}

/// Small forms by place.
struct Index<'a> {
    small: Vec<Small<'a>>,
    cells: Vec<Vec<u32>>,
}

/// Edge of an index cell, its first corner, and the number of cells along x, y, z. Units: mm.
const CELL: f32 = 20.0;
const CELLS_FROM: Vec3 = Vec3::new(-200.0, -200.0, -60.0);
const CELLS: [usize; 3] = [20, 20, 24];

impl<'a> Index<'a> {
    fn new(groups: &'a [Group]) -> Self {
        let mut out = Self { small: Vec::new(), cells: vec![Vec::new(); CELLS.iter().product()] };
        for (group, g) in groups.iter().enumerate() {
            for shape in &g.shapes {
                let Some((centre, half)) = shape.reach() else { continue };
                let half = half + Vec3::splat(g.edge + 0.1);
                let n = out.small.len() as u32;
                out.small.push(Small { group, shape, centre, half });
                for at in Self::range(centre, half) {
                    out.cells[at].push(n);
                }
            }
        }
        out
    }

    fn range(centre: Vec3, half: Vec3) -> impl Iterator<Item = usize> {
        let cell = |p: Vec3| ((p - CELLS_FROM) / CELL).floor();
        let (lo, hi) = (cell(centre - half), cell(centre + half));
        let clamp = |v: f32, n: usize| (v.max(0.0) as usize).min(n - 1);
        let (lo, hi) = ([0, 1, 2].map(|a| clamp(lo[a], CELLS[a])), [0, 1, 2].map(|a| clamp(hi[a], CELLS[a])));
        (lo[2]..=hi[2])
            .flat_map(move |k| (lo[1]..=hi[1]).flat_map(move |j| (lo[0]..=hi[0]).map(move |i| (k * CELLS[1] + j) * CELLS[0] + i)))
    }

    /// The small forms that may reach into a box, ordered by group.
    fn near(&self, centre: Vec3, half: Vec3) -> Vec<&Small<'a>> {
        let mut found: Vec<u32> = Self::range(centre, half).flat_map(|at| self.cells[at].iter().copied()).collect();
        found.sort_unstable();
        found.dedup();
        let touches = |s: &&Small<'a>| ((s.centre - centre).abs() - s.half - half).max_element() <= 0.0;
        found.into_iter().filter_map(|n| self.small.get(n as usize)).filter(touches).collect()
    }
}

/// A tile in work.
struct Tile {
    first: [usize; 3],
    hu: [f32; N],
    label: [u8; N],
    distance: [f32; N],
    /// How much of each voxel is not yet painted; forms are painted from the last to the first.
    open: [f32; N],
    /// Its label is known.
    is_named: [bool; N],
}

impl Tile {
    /// Nothing painted later can be seen.
    fn is_done(&self) -> bool {
        self.open.iter().all(|&o| o < UNSEEN) && self.is_named.iter().all(|&n| n)
    }
}

/// What is left of a voxel when nothing below it can be seen any more.
const UNSEEN: f32 = 0.002;

impl Scanner<'_> {
    /// Scans everything; `progress` is told the slices done.
    pub(super) fn scan(&self, progress: &dyn Fn(usize)) -> Scanned {
        let [ni, nj, nk] = self.dims;
        let index = Index::new(&self.scene.groups);
        let voxels = ni * nj * nk;
        let mut out = Scanned { hu: vec![-1000; voxels], labels: vec![0; if self.with_labels { voxels } else { 0 }] };
        let (tiles_i, tiles_j) = (ni.div_ceil(TILE[0]), nj.div_ceil(TILE[1]));
        for k in (0..nk).step_by(TILE[2]) {
            let noises: Vec<SliceNoise<'_>> = (0..TILE[2]).map(|d| self.noise.slice(k + d)).collect();
            // Eight tiles in a row are one piece of work.
            let done: Vec<(Box<Tile>, Vec<i16>)> = (0..tiles_i * tiles_j)
                .into_par_iter()
                .with_min_len(8)
                .map(|t| self.tile(&index, [t % tiles_i * TILE[0], t / tiles_i * TILE[1], k], &noises))
                .collect();
            for (tile, values) in &done {
                for d in 0..TILE[2].min(nk - k) {
                    for r in 0..TILE[1].min(nj - tile.first[1]) {
                        let width = TILE[0].min(ni - tile.first[0]);
                        let from = (d * TILE[1] + r) * TILE[0];
                        let to = ((k + d) * nj + tile.first[1] + r) * ni + tile.first[0];
                        out.hu[to..to + width].copy_from_slice(&values[from..from + width]);
                        if self.with_labels {
                            out.labels[to..to + width].copy_from_slice(&tile.label[from..from + width]);
                        }
                    }
                }
            }
            progress((k + TILE[2]).min(nk));
        }
        out
    }

    fn position(&self, ijk: [f32; 3]) -> Vec3 {
        self.body_from_voxel.transform_point3(Vec3::from(ijk))
    }

    fn tile(&self, index: &Index<'_>, first: [usize; 3], noises: &[SliceNoise<'_>]) -> (Box<Tile>, Vec<i16>) {
        let mut tile =
            Box::new(Tile { first, hu: [0.0; N], label: [0; N], distance: [0.0; N], open: [1.0; N], is_named: [!self.with_labels; N] });
        let at = |f: f32| self.position([0, 1, 2].map(|a| first[a] as f32 + TILE[a] as f32 * f));
        let (centre, corner) = (at(0.5), at(0.0));
        let half = (corner - centre).abs() * 1.08 + Vec3::splat(0.5);
        let reach = half.length();
        self.paint(index, &mut tile, centre, half, reach);
        let sigma = self.nodes(first, |p| noise_strength(self.body, p));
        let mut values = vec![0_i16; N];
        for (d, noise) in noises.iter().enumerate().take(TILE[2]) {
            for r in 0..TILE[1] {
                for (c, strength) in interpolated(&sigma, r, d).into_iter().enumerate() {
                    let n = (d * TILE[1] + r) * TILE[0] + c;
                    let v = tile.hu[n] - 1000.0 * tile.open[n] + strength * noise.at(first[0] + c, first[1] + r);
                    // Shifted to be positive, so that cutting off the fraction rounds down.
                    values[n] = ((v + 1024.5).clamp(0.0, 4095.0) as i32 - 1024) as i16;
                }
            }
        }
        (tile, values)
    }

    fn paint(&self, index: &Index<'_>, tile: &mut Tile, centre: Vec3, half: Vec3, reach: f32) {
        let groups = &self.scene.groups;
        // Regions that touch the tile, and the last one that hides everything before it.
        let mut first_seen = 0;
        let mut seen = vec![false; groups.len()];
        for (n, group) in groups.iter().enumerate() {
            let Some(Shape::Region(f)) = group.shapes.first() else { continue };
            let d = f(self.body, centre);
            // The functions are not exact distances; near a slope they may be off by two thirds.
            if d > reach * 1.7 + group.edge {
                continue;
            }
            seen[n] = true;
            if d < -(reach * 1.7 + group.edge) {
                first_seen = n;
            }
        }
        let near = index.near(centre, half);
        let mut rest = near.as_slice();
        for (n, group) in groups.iter().enumerate().skip(first_seen).rev() {
            let mine = rest.iter().rev().take_while(|s| s.group == n).count();
            let (earlier, small) = rest.split_at(rest.len() - mine);
            rest = earlier;
            if let (true, Some(Shape::Region(f))) = (seen[n], group.shapes.first()) {
                self.region(tile, group, *f);
            } else if !small.is_empty() {
                self.small(tile, group, small);
            } else {
                continue;
            }
            if tile.is_done() {
                break;
            }
        }
    }

    /// Values of a function at the tile's interpolation points.
    fn nodes(&self, first: [usize; 3], f: impl Fn(Vec3) -> f32) -> [f32; NODES[0] * NODES[1] * NODES[2]] {
        let mut out = [0.0; NODES[0] * NODES[1] * NODES[2]];
        for (n, slot) in out.iter_mut().enumerate() {
            let node = [n % NODES[0], n / NODES[0] % NODES[1], n / NODES[0] / NODES[1]];
            *slot = f(self.position([0, 1, 2].map(|a| (first[a] + node[a] * COARSE[a]) as f32)));
        }
        out
    }

    fn region(&self, tile: &mut Tile, group: &Group, f: super::shape::RegionFn) {
        if group.is_smooth {
            let nodes = self.nodes(tile.first, |p| f(self.body, p));
            // Between two points the surface may bulge a little.
            if nodes.iter().all(|&d| d > group.edge + 1.5) {
                return;
            }
            for d in 0..TILE[2] {
                for r in 0..TILE[1] {
                    let from = (d * TILE[1] + r) * TILE[0];
                    tile.distance[from..from + TILE[0]].copy_from_slice(&interpolated(&nodes, r, d));
                }
            }
        } else {
            for n in (0..N).filter(|&n| tile.open[n] >= UNSEEN || !tile.is_named[n]).collect::<Vec<_>>() {
                tile.distance[n] = f(self.body, self.position(voxel(tile.first, n)));
            }
        }
        self.blend(tile, group, [[0, TILE[0]], [0, TILE[1]], [0, TILE[2]]]);
    }

    fn small(&self, tile: &mut Tile, group: &Group, shapes: &[&Small<'_>]) {
        let far = group.edge + 1.0;
        let mut all = [[usize::MAX, 0]; 3];
        let ranges: Vec<[[usize; 2]; 3]> = shapes.iter().map(|s| self.range(tile.first, s)).collect();
        for range in &ranges {
            for a in 0..3 {
                all[a] = [all[a][0].min(range[a][0]), all[a][1].max(range[a][1])];
            }
        }
        for k in all[2][0]..all[2][1] {
            for j in all[1][0]..all[1][1] {
                let row = (k * TILE[1] + j) * TILE[0];
                tile.distance[row..row + TILE[0]].fill(far);
            }
        }
        let step = self.body_from_voxel.transform_vector3(Vec3::X);
        for (s, range) in shapes.iter().zip(&ranges) {
            for k in range[2][0]..range[2][1] {
                for j in range[1][0]..range[1][1] {
                    let row = (k * TILE[1] + j) * TILE[0];
                    let start = self.position([tile.first[0] as f32, (tile.first[1] + j) as f32, (tile.first[2] + k) as f32]);
                    for i in range[0][0]..range[0][1] {
                        let d = s.shape.distance(self.body, start + step * i as f32);
                        let slot = &mut tile.distance[row + i];
                        *slot = slot.min(d);
                    }
                }
            }
        }
        self.blend(tile, group, all);
    }

    /// The voxels of the tile that a small form can touch.
    fn range(&self, first: [usize; 3], s: &Small<'_>) -> [[usize; 2]; 3] {
        let inverse = self.voxel_from_body;
        let centre = inverse.transform_point3(s.centre);
        // The patient lies a little turned: the box grows by that.
        let half = [Vec3::X, Vec3::Y, Vec3::Z].map(|a| inverse.transform_vector3(a * s.half.dot(a)).abs()).into_iter().sum::<Vec3>();
        [0, 1, 2].map(|a| {
            let (lo, hi) = (centre[a] - half[a] - first[a] as f32, centre[a] + half[a] - first[a] as f32);
            [(lo.floor().max(0.0) as usize).min(TILE[a]), ((hi.ceil() + 1.0).max(0.0) as usize).min(TILE[a])]
        })
    }

    fn blend(&self, tile: &mut Tile, group: &Group, range: [[usize; 2]; 3]) {
        let along = self.body_from_voxel.transform_vector3(Vec3::X);
        for k in range[2][0]..range[2][1] {
            for j in range[1][0]..range[1][1] {
                let start = self.position([tile.first[0] as f32, (tile.first[1] + j) as f32, (tile.first[2] + k) as f32]);
                for i in range[0][0]..range[0][1] {
                    let n = (k * TILE[1] + j) * TILE[0] + i;
                    let d = tile.distance[n];
                    if d >= group.edge || (tile.open[n] < UNSEEN && tile.is_named[n]) {
                        continue;
                    }
                    let part = step(group.edge, -group.edge, d);
                    let p = start + along * i as f32;
                    if tile.open[n] >= UNSEEN {
                        tile.hu[n] += tile.open[n] * part * group.paint.hu(self.body, p, d);
                        tile.open[n] *= 1.0 - part;
                    }
                    if !tile.is_named[n] && part >= 0.5 && group.label != label::KEEP {
                        tile.is_named[n] = true;
                        tile.label[n] = match group.label {
                            label::LUNG => body::lobe(self.body, p).0,
                            label::RIGHT_KIDNEY if p.x > 0.0 => label::LEFT_KIDNEY,
                            other => other,
                        };
                    }
                }
            }
        }
    }
}

fn voxel(first: [usize; 3], n: usize) -> [f32; 3] {
    [(first[0] + n % TILE[0]) as f32, (first[1] + n / TILE[0] % TILE[1]) as f32, (first[2] + n / TILE[0] / TILE[1]) as f32]
}

/// A row of a tile from its interpolation points.
fn interpolated(nodes: &[f32; NODES[0] * NODES[1] * NODES[2]], row: usize, slice: usize) -> [f32; TILE[0]] {
    let (j, tj) = (row / COARSE[1], (row % COARSE[1]) as f32 / COARSE[1] as f32);
    let (k, tk) = (slice / COARSE[2], (slice % COARSE[2]) as f32 / COARSE[2] as f32);
    let at = |i: usize, j: usize, k: usize| nodes[(k * NODES[1] + j) * NODES[0] + i];
    let mut line = [0.0; NODES[0]];
    for (i, slot) in line.iter_mut().enumerate() {
        let (a, b) = (at(i, j, k), at(i, j + 1, k));
        let (c, d) = (at(i, j, k + 1), at(i, j + 1, k + 1));
        let (near, far) = (a + (b - a) * tj, c + (d - c) * tj);
        *slot = near + (far - near) * tk;
    }
    let mut out = [0.0; TILE[0]];
    for (i, slot) in out.iter_mut().enumerate() {
        let (n, t) = (i / COARSE[0], (i % COARSE[0]) as f32 / COARSE[0] as f32);
        *slot = line[n] + (line[n + 1] - line[n]) * t;
    }
    out
}

/// Standard deviation of the noise: more where more body lies around. Units: HU.
fn noise_strength(body: &Body, p: Vec3) -> f32 {
    let rho = body.outer(p.z).relative(p.x, p.y);
    let shoulders = 1.0 + 0.45 * step(300.0, 345.0, p.z);
    let lungs = 1.0 - 0.25 * step(150.0, 210.0, p.z) * (1.0 - step(290.0, 320.0, p.z));
    (5.5 + 8.5 * (1.0 - rho * rho).max(0.0)) * shoulders * lungs
}
