//! A triangle mesh and what is measured on it.

/// A triangle mesh.
///
/// Shape: positions, and triangles as three indices each, counter-clockwise seen from outside.
/// Units: mm, LPS.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// Vertex positions.
    pub positions: Vec<[f32; 3]>,
    /// Triangles.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// The corners of a triangle relative to the mesh's first vertex, in `f64`.
    fn corners(&self) -> impl Iterator<Item = [[f64; 3]; 3]> + '_ {
        let origin = self.positions.first().copied().unwrap_or_default().map(f64::from);
        self.triangles.iter().filter_map(move |t| {
            let mut out = [[0.0; 3]; 3];
            for (slot, &at) in out.iter_mut().zip(t) {
                let p = self.positions.get(at as usize)?;
                *slot = [0, 1, 2].map(|a| f64::from(p[a]) - origin[a]);
            }
            Some(out)
        })
    }

    /// The volume inside, positive when the triangles face outwards. Units: ml.
    ///
    /// Source: divergence theorem, the sum of the signed tetrahedra `a . (b x c) / 6`.
    #[must_use]
    pub fn volume_ml(&self) -> f64 {
        self.corners().map(|[a, b, c]| dot(a, cross(b, c))).sum::<f64>() / 6.0 / 1000.0
    }

    /// The surface's area. Units: mm².
    #[must_use]
    pub fn area_mm2(&self) -> f64 {
        self.corners().map(|[a, b, c]| length(cross(sub(b, a), sub(c, a))) / 2.0).sum()
    }

    /// A normal for each vertex: the average of its triangles' normals, weighted by their area.
    #[must_use]
    pub fn normals(&self) -> Vec<[f32; 3]> {
        let mut sums = vec![[0.0_f64; 3]; self.positions.len()];
        for (t, [a, b, c]) in self.triangles.iter().zip(self.corners()) {
            let n = cross(sub(b, a), sub(c, a));
            for &at in t {
                if let Some(sum) = sums.get_mut(at as usize) {
                    *sum = [sum[0] + n[0], sum[1] + n[1], sum[2] + n[2]];
                }
            }
        }
        sums.into_iter()
            .map(|n| {
                let l = length(n).max(1e-30);
                n.map(|v| (v / l) as f32)
            })
            .collect()
    }

    /// The mesh as binary STL. Units: mm, LPS. The header names no patient.
    ///
    /// Source: 3D Systems, StereoLithography Interface Specification; 50 bytes a triangle, little-endian.
    #[must_use]
    pub fn to_stl(&self) -> Vec<u8> {
        let mut out = vec![b' '; 80];
        // A binary file must not begin with "solid".
        let title = b"Mingjing binary STL, unit mm, patient LPS";
        out[..title.len()].copy_from_slice(title);
        let at = |v: u32| self.positions.get(v as usize).copied().unwrap_or_default();
        out.reserve(4 + self.triangles.len() * 50);
        out.extend((self.triangles.len() as u32).to_le_bytes());
        for t in &self.triangles {
            let [a, b, c] = t.map(at);
            let [fa, fb, fc] = [a, b, c].map(|p| p.map(f64::from));
            let n = cross(sub(fb, fa), sub(fc, fa));
            let l = length(n);
            let normal = if l > 0.0 { n.map(|v| (v / l) as f32) } else { [0.0; 3] };
            for p in [normal, a, b, c] {
                out.extend(p.iter().flat_map(|v| v.to_le_bytes()));
            }
            out.extend([0, 0]);
        }
        out
    }
}

fn sub(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn length(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}
