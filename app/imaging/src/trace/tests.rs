use super::*;
use mj_model::Mask;
use std::f64::consts::PI;

fn grid(dims: [usize; 3], spacing_mm: [f64; 3]) -> Grid {
    let axis = VectorLps::new;
    let axes = [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)];
    Grid { dims, origin: PointLps::new(-40.0, 12.0, 300.0), axes, spacing_mm }
}

fn mask(grid: Grid, is_in: impl Fn([f64; 3]) -> bool) -> Mask {
    let mut mask = Mask::empty(grid);
    let [ni, nj, _] = grid.dims;
    for (at, v) in mask.voxels.iter_mut().enumerate() {
        *v = u8::from(is_in([at % ni, at / ni % nj, at / ni / nj].map(|n| n as f64)));
    }
    mask
}

fn ball(grid: Grid, radius_mm: f64) -> Mask {
    let middle = grid.centre();
    mask(grid, |ijk| grid.lps_from_voxel(ijk).distance_mm(middle) <= radius_mm)
}

/// Area inside of closed lines in a plane, holes taken away. Units: mm².
fn area(lines: &[Vec<PointLps>], plane: &Plane) -> f64 {
    let of = |line: &Vec<PointLps>| -> f64 {
        let at: Vec<[f64; 2]> = line.iter().map(|p| [(*p - plane.centre).dot(plane.right), (*p - plane.centre).dot(plane.down)]).collect();
        at.iter().zip(at.iter().cycle().skip(1)).map(|(a, b)| (a[0] * b[1] - b[0] * a[1]) / 2.0).sum()
    };
    lines.iter().map(of).sum::<f64>().abs()
}

fn axial(grid: &Grid, k: f64) -> Plane {
    Plane::axial(grid, grid.centre(), 100, 100).through(grid.lps_from_voxel([0.0, 0.0, k]))
}

#[test]
fn the_outline_of_a_block_runs_half_a_voxel_beyond_its_voxels() {
    let g = grid([12, 10, 6], [2.0, 1.0, 5.0]);
    let block = mask(g, |[i, j, k]| (3.0..=6.0).contains(&i) && (2.0..=7.0).contains(&j) && (1.0..=3.0).contains(&k));
    let plane = axial(&g, 2.0);
    let lines = section(&block, &plane).unwrap().outline();
    assert_eq!(lines.len(), 1);
    let (low, high) = (g.lps_from_voxel([2.5, 1.5, 2.0]), g.lps_from_voxel([6.5, 7.5, 2.0]));
    for p in &lines[0] {
        let on = |v: f64, a: f64, b: f64| (v - a).abs() < 1e-9 || (v - b).abs() < 1e-9;
        assert!(on(p.x, low.x, high.x) || on(p.y, low.y, high.y), "{p:?}");
        assert!((p.z - low.z).abs() < 1e-9);
    }
    // Its four corners are cut by an eighth of a voxel each.
    assert!((area(&lines, &plane) - (4.0 * 6.0 - 0.5) * 2.0).abs() < 1e-9);
    assert_eq!(lines[0].len(), 8);
}

#[test]
fn a_plane_beside_a_mask_leaves_nothing() {
    let g = grid([8, 8, 8], [1.0; 3]);
    let one = mask(g, |ijk| ijk == [3.0, 4.0, 5.0]);
    assert!(section(&one, &axial(&g, 5.0)).is_some() && section(&one, &axial(&g, 5.4)).is_some());
    assert!(
        section(&one, &axial(&g, 5.6)).is_none() && section(&one, &axial(&g, 4.0)).is_none() && section(&one, &axial(&g, 40.0)).is_none()
    );
    assert!(section(&Mask::empty(g), &axial(&g, 4.0)).is_none() && silhouette(&Mask::empty(g), &axial(&g, 4.0), None).is_none());
    let damaged = Mask { grid: g, voxels: vec![1; 5] };
    assert!(section(&damaged, &axial(&g, 4.0)).is_none() && silhouette(&damaged, &axial(&g, 4.0), None).is_none());
}

#[test]
fn on_a_slice_the_trace_is_the_slice() {
    let g = grid([9, 7, 5], [0.8, 0.8, 3.0]);
    let mut random = mj_testdata::Random::new(5);
    let noise: Vec<bool> = (0..g.n_voxels()).map(|_| random.chance(0.5)).collect();
    let mask = mask(g, |[i, j, k]| noise[g.offset([i as usize, j as usize, k as usize].into())]);
    for k in 0..5_usize {
        let trace = section(&mask, &axial(&g, k as f64)).unwrap();
        let mut count = 0;
        for (j, i) in (0..7_usize).flat_map(|j| (0..9_usize).map(move |i| (j, i))) {
            let p = g.lps_from_voxel([i as f64, j as f64, k as f64]);
            let is_in = noise[g.offset([i, j, k].into())];
            assert_eq!(trace.is_inside(p), is_in, "{i} {j} {k}");
            count += usize::from(is_in);
        }
        assert!((trace.area_mm2() - count as f64 * 0.64).abs() < 1e-9);
        // Every line is closed, and every line's places lie half-way between an inner and an outer voxel.
        let lines = trace.outline();
        assert!(lines.iter().all(|line| line.len() >= 4));
        assert!(!trace.is_inside(g.lps_from_voxel([-3.0, 0.0, 0.0])));
    }
}

#[test]
fn opposite_corners_and_holes_have_lines_of_their_own() {
    let g = grid([6, 6, 3], [1.0; 3]);
    let plane = axial(&g, 1.0);
    // Two voxels that touch at a corner: the mean of the cell is just outside, so they stay apart.
    let corners = mask(g, |[i, j, _]| (i, j) == (1.0, 1.0) || (i, j) == (2.0, 2.0));
    let lines = section(&corners, &plane).unwrap().outline();
    assert!((area(&lines, &plane) - if lines.len() == 1 { 1.5 } else { 1.0 }).abs() < 1e-9, "{lines:?}");
    let ring = mask(g, |[i, j, _]| {
        (1.0..=4.0).contains(&i) && (1.0..=4.0).contains(&j) && !((2.0..=3.0).contains(&i) && (2.0..=3.0).contains(&j))
    });
    let lines = section(&ring, &plane).unwrap().outline();
    assert_eq!(lines.len(), 2);
    assert!((area(&lines, &plane) - ((16.0 - 0.5) - (4.0 - 0.5))).abs() < 1e-9);
}

#[test]
fn a_ball_is_round_from_every_side() {
    let g = grid([61, 61, 61], [1.0; 3]);
    let ball = ball(g, 25.0);
    for normal in
        [VectorLps::new(0.0, 0.0, 1.0), VectorLps::new(0.0, 1.0, 0.0), VectorLps::new(0.3, -0.5, 0.8), VectorLps::new(1.0, 1.0, 0.0)]
    {
        let plane = Plane::oblique(&g, g.centre(), normal, 64, 64).unwrap();
        for (depth_mm, radius) in [(0.0, 25.0), (15.0, 20.0), (24.0, 7.0)] {
            let plane = plane.through(g.centre() + plane.normal() * depth_mm);
            let cut = section(&ball, &plane).unwrap();
            let (wanted, found) = (PI * radius * radius, area(&cut.outline(), &plane));
            assert!((found - wanted).abs() < 0.05 * wanted + 8.0, "{normal:?} {depth_mm}: {found} for {wanted}");
            for line in cut.outline() {
                assert!(line.iter().all(|p| plane.depth_mm(*p).abs() < 1e-6 && (p.distance_mm(g.centre()) - 25.0).abs() < 0.9));
            }
        }
        let shadow = silhouette(&ball, &plane, None).unwrap();
        let (wanted, found) = (PI * 25.0 * 25.0, area(&shadow.outline(), &plane));
        assert!(found >= wanted * 0.99 && found < wanted * 1.07, "{normal:?}: {found} for {wanted}");
        assert!(shadow.outline().len() == 1 && shadow.is_inside(g.centre()) && !shadow.is_inside(g.centre() + plane.right * 28.0));
    }
}

#[test]
fn a_slab_casts_the_shadow_of_what_is_in_it() {
    let g = grid([41, 41, 9], [1.0, 1.0, 5.0]);
    // A cone: the slice k has a square of 2 k + 1 voxels.
    let cone = mask(g, |[i, j, k]| (i - 20.0).abs() <= k && (j - 20.0).abs() <= k);
    let plane = axial(&g, 4.0);
    let wide = |half| silhouette(&cone, &plane, half).unwrap().area_mm2();
    assert_eq!([wide(Some(0.0)), wide(Some(5.0)), wide(Some(12.0)), wide(None)], [81.0, 121.0, 169.0, 289.0]);
    // Seen from the front its thick slices leave no gaps.
    let front = Plane::coronal(&g, g.centre(), 64, 64);
    let seen = silhouette(&cone, &front, None).unwrap();
    assert_eq!(seen.outline().len(), 1);
    assert_eq!(seen.area_mm2(), (0..9).map(|k| f64::from(2 * k + 1) * 5.0).sum::<f64>());
    // Between two slices, the nearer one decides.
    assert_eq!(section(&cone, &axial(&g, 3.4)).unwrap().area_mm2(), 49.0);
}

#[test]
fn insides_are_laid_over_one_another() {
    let g = grid([8, 6, 3], [2.0, 1.0, 1.0]);
    let plane = axial(&g, 1.0);
    let outer = section(&mask(g, |[i, j, _]| (1.0..=5.0).contains(&i) && (1.0..=4.0).contains(&j)), &plane).unwrap();
    let inner = section(&mask(g, |[i, j, _]| i == 3.0 && j == 2.0), &plane).unwrap();
    let made = fill(&[(&outer, [200, 100, 0]), (&inner, [0, 0, 255])], 0.5, 100).unwrap();
    let at = |i: f64, j: f64| {
        let d = g.lps_from_voxel([i, j, 1.0]) - made.corners[0];
        made.rgba[(d.y / 1.0).floor() as usize * made.size[0] + (d.x / 2.0).floor() as usize]
    };
    assert_eq!([at(0.0, 0.0), at(1.0, 1.0), at(3.0, 2.0)], [[0; 4], [100, 50, 0, 128], [50, 25, 128, 192]]);
    let [from, to] = made.corners;
    assert!((to.x - from.x - 2.0 * made.size[0] as f64).abs() < 1e-9 && (to.y - from.y - made.size[1] as f64).abs() < 1e-9);
    assert!(fill(&[], 0.5, 100).is_none() && fill(&[(&outer, [1, 2, 3])], 0.5, 4).is_none());
}

#[test]
fn masks_cut_out_of_one_grid_share_a_lattice_on_any_plane() {
    let g = grid([40, 40, 20], [0.9, 0.9, 2.5]);
    let part = |low: [f64; 3]| {
        let part = Grid { dims: [12, 10, 8], origin: g.lps_from_voxel(low), ..g };
        mask(part, |[i, j, k]| (1.0..=10.0).contains(&i) && (1.0..=8.0).contains(&j) && (1.0..=6.0).contains(&k))
    };
    for normal in [VectorLps::new(0.2, -0.4, 0.9), VectorLps::new(0.0, 1.0, 0.0)] {
        let plane = Plane::oblique(&g, g.centre(), normal, 64, 64).unwrap();
        let traces = [part([3.0, 14.0, 5.0]), part([21.0, 17.0, 7.0])].map(|mask| section(&mask, &plane).unwrap());
        let d = traces[1].origin - traces[0].origin;
        for (direction, step) in [(plane.right, traces[0].step_mm[0]), (plane.down, traces[0].step_mm[1])] {
            let steps = d.dot(direction) / step;
            assert!((steps - steps.round()).abs() < 1e-6, "{normal:?}: {steps}");
        }
    }
}

#[test]
fn a_thin_slab_through_thick_slices_has_no_gaps() {
    let g = grid([30, 30, 12], [1.0, 1.0, 6.0]);
    let block = mask(g, |[i, j, k]| (4.0..=25.0).contains(&i) && (4.0..=25.0).contains(&j) && (2.0..=9.0).contains(&k));
    let plane = Plane::oblique(&g, g.centre(), VectorLps::new(0.0, 0.35, 0.94), 64, 64).unwrap();
    let (slab, cut) = (silhouette(&block, &plane, Some(0.5)).unwrap(), section(&block, &plane).unwrap());
    assert_eq!(slab.outline().len(), 1);
    assert!(slab.area_mm2() >= cut.area_mm2() * 0.98, "{} for {}", slab.area_mm2(), cut.area_mm2());
}
