use super::*;
use crate::testing::{oblique_grid, straight_grid};
use mj_model::{Grid, Mask};
use std::collections::BTreeMap;

fn mask_of(grid: Grid, inside: impl Fn([f64; 3]) -> bool) -> Mask {
    let mut mask = Mask::empty(grid);
    let [ni, nj, _] = grid.dims;
    for (at, slot) in mask.voxels.iter_mut().enumerate() {
        let ijk = [at % ni, at / ni % nj, at / ni / nj];
        *slot = u8::from(inside(ijk.map(|v| v as f64)));
    }
    mask
}

fn ball(radius: f64) -> Mask {
    let n = (radius * 2.0) as usize + 5;
    let c = n as f64 / 2.0 - 0.3;
    mask_of(straight_grid([n, n, n]), |p| p.iter().map(|v| (v - c) * (v - c)).sum::<f64>() <= radius * radius)
}

/// Every directed edge has exactly one opposite, which makes the surface closed and a manifold along edges.
fn assert_closed(mesh: &Mesh, what: &str) {
    let mut edges: BTreeMap<(u32, u32), i32> = BTreeMap::new();
    for t in &mesh.triangles {
        for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
            *edges.entry((a, b)).or_default() += 1;
        }
    }
    for (&(a, b), &n) in &edges {
        assert_eq!((n, edges.get(&(b, a))), (1, Some(&1)), "{what}: edge {a} {b}");
    }
}

#[test]
fn closed_for_any_mask() {
    for seed in 0..6_u64 {
        let mask = mask_of(oblique_grid([12, 11, 10]), |p| {
            let h = p.iter().fold(seed, |h, &v| (h ^ v as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23));
            h % 100 < 20 + seed * 12
        });
        let mesh = mesh(&mask);
        assert!(mesh.triangles.len() > 500);
        assert_closed(&mesh, &format!("seed {seed}"));
        assert!(mesh.volume_ml() > 0.0);
    }
    assert_eq!(mesh(&Mask::empty(straight_grid([3, 3, 3]))), Mesh::default());
}

#[test]
fn volumes_of_balls() {
    // Radius in voxels, and how far the mesh's volume may be from the voxels', in percent. A surface rounds
    // off what is only a few voxels wide.
    for (radius, percent) in [(3.0, 8.0), (5.0, 3.0), (10.0, 1.0), (20.0, 0.3), (35.0, 0.1)] {
        let mask = ball(radius);
        let mesh = mesh(&mask);
        assert_closed(&mesh, "ball");
        let off = (mesh.volume_ml() / mask.volume_ml() - 1.0) * 100.0;
        assert!(off.abs() < percent, "radius {radius}: {off} %");
        let area = 4.0 * std::f64::consts::PI * radius * radius;
        assert!((mesh.area_mm2() / area - 1.0).abs() < 0.06, "radius {radius}: area {}", mesh.area_mm2() / area);
    }
}

#[test]
fn outwards_on_mirrored_grids_and_at_the_border() {
    let mut grid = straight_grid([12, 12, 12]);
    grid.axes[2] = -grid.axes[2];
    grid.spacing_mm = [0.5, 0.8, 2.0];
    let mask = mask_of(grid, |_| true);
    let mesh = mesh(&mask);
    assert_closed(&mesh, "full grid");
    assert!((mesh.volume_ml() / mask.volume_ml() - 1.0).abs() < 0.05, "{}", mesh.volume_ml() / mask.volume_ml());
    let normals = mesh.normals();
    let centre = grid.centre();
    for (p, n) in mesh.positions.iter().zip(&normals) {
        let out = [f64::from(p[0]) - centre.x, f64::from(p[1]) - centre.y, f64::from(p[2]) - centre.z];
        assert!((0..3).map(|a| out[a] * f64::from(n[a])).sum::<f64>() > 0.0);
    }
}

#[test]
fn stl_is_fifty_bytes_a_triangle() {
    let mesh = mesh(&ball(4.0));
    let stl = mesh.to_stl();
    assert_eq!(stl.len(), 84 + mesh.triangles.len() * 50);
    assert_eq!(u32::from_le_bytes(stl[80..84].try_into().unwrap()) as usize, mesh.triangles.len());
    assert!(!stl.starts_with(b"solid"));
}
