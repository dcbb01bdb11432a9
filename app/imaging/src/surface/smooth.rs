//! Smoothing that does not shrink.

use super::Mesh;
use rayon::prelude::*;

/// One step inwards, one a little further outwards, as many times as asked; no vertex leaves its first place
/// by more than half a voxel along any axis. The mesh is in voxel coordinates.
///
/// Source: Taubin, A Signal Processing Approach to Fair Surface Design, SIGGRAPH 1995 (pass band 0.1).
pub(super) fn taubin(mesh: &mut Mesh, steps: usize) {
    let around = Neighbours::of(mesh);
    let first = mesh.positions.clone();
    let (shrink, grow) = (0.5_f32, -0.526_f32);
    for _ in 0..steps {
        for factor in [shrink, grow] {
            mesh.positions = around.moved(&mesh.positions, factor);
        }
    }
    for (p, f) in mesh.positions.iter_mut().zip(&first) {
        for a in 0..3 {
            p[a] = p[a].clamp(f[a] - 0.5, f[a] + 0.5);
        }
    }
}

/// The vertices beside each vertex, packed.
struct Neighbours {
    starts: Vec<u32>,
    others: Vec<u32>,
}

impl Neighbours {
    fn of(mesh: &Mesh) -> Self {
        // On a closed mesh every neighbour appears once as the next corner of a triangle.
        let mut starts = vec![0_u32; mesh.positions.len() + 1];
        for &v in mesh.triangles.iter().flatten() {
            starts[v as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut fill = starts.clone();
        let mut others = vec![0_u32; mesh.triangles.len() * 3];
        for t in &mesh.triangles {
            for (from, to) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
                let slot = &mut fill[from as usize];
                others[*slot as usize] = to;
                *slot += 1;
            }
        }
        Self { starts, others }
    }

    fn moved(&self, positions: &[[f32; 3]], factor: f32) -> Vec<[f32; 3]> {
        (0..positions.len())
            .into_par_iter()
            .with_min_len(4096)
            .map(|v| {
                let p = positions[v];
                let around = &self.others[self.starts[v] as usize..self.starts[v + 1] as usize];
                let n = around.len().max(1) as f32;
                let sum = around.iter().fold([0.0_f32; 3], |s, &o| {
                    let q = positions[o as usize];
                    [s[0] + q[0], s[1] + q[1], s[2] + q[2]]
                });
                [0, 1, 2].map(|a| p[a] + factor * (sum[a] / n - p[a]))
            })
            .collect()
    }
}
