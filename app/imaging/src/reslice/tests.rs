use super::*;
use crate::testing::{blob_volume, oblique_grid};
use mj_model::{LinearMap, VectorLps};

fn check_close(fast: &Picture, slow: &Picture, what: &str) {
    assert_eq!((fast.width, fast.height), (slow.width, slow.height), "{what}");
    let (mut inside, mut strays) = (0, 0);
    for (a, b) in fast.values.iter().zip(&slow.values) {
        inside += usize::from(!b.is_nan());
        // A pixel centre exactly on the volume's face may fall on either side of it.
        strays += usize::from(a.is_nan() != b.is_nan());
        assert!(a.is_nan() || b.is_nan() || (a - b).abs() <= 2e-3_f32.max(b.abs() * 2e-6), "{what}: {a} {b}");
    }
    assert!(inside > fast.values.len() / 20, "{what}: only {inside} pixels inside");
    assert!(strays <= 2, "{what}: {strays} strays");
}

fn planes(volume: &Volume) -> Vec<Plane> {
    let (g, c) = (&volume.grid, volume.grid.centre());
    let oblique = |n: [f64; 3]| Plane::oblique(g, c, n.into(), 61, 53).unwrap();
    vec![
        Plane::axial(g, c, 64, 50),
        Plane::coronal(g, c, 50, 64),
        Plane::sagittal(g, c, 40, 40).fitted(g),
        oblique([0.3, 0.5, 0.8]),
        oblique([-0.7, 0.2, 0.1]),
        Plane { mm_per_pixel: 0.21, ..oblique([0.1, -0.9, 0.2]) },
    ]
}

fn volumes() -> Vec<Volume> {
    let base = blob_volume(oblique_grid([40, 33, 21]));
    let Samples::I16(values) = base.samples.clone() else { unreachable!() };
    let with = |samples, map| Volume { samples, map, ..base.clone() };
    vec![
        base.clone(),
        with(Samples::U16(values.iter().map(|&v| (v + 1024) as u16).collect()), LinearMap { slope: 0.5, intercept: -512.0 }),
        with(Samples::U8(values.iter().map(|&v| (v.max(0) / 8) as u8).collect()), LinearMap { slope: -2.0, intercept: 9.0 }),
        with(Samples::F32(values.iter().map(|&v| f32::from(v) * 0.37).collect()), LinearMap::default()),
    ]
}

#[test]
fn slices_agree_with_the_oracle() {
    for volume in volumes() {
        for (n, plane) in planes(&volume).iter().enumerate() {
            for how in [Interpolation::Nearest, Interpolation::Linear, Interpolation::Cubic] {
                let what = format!("{} plane {n} {how:?}", volume.samples.type_name());
                let (fast, slow) = (slice(&volume, plane, how), oracle::slice(&volume, plane, how));
                if how != Interpolation::Nearest {
                    check_close(&fast, &slow, &what);
                } else {
                    // Exactly between two voxels either is nearest.
                    let other = fast.values.iter().zip(&slow.values).filter(|(a, b)| (**a - **b).abs() > 1e-3).count();
                    assert!(other <= fast.values.len() / 100, "{what}: {other}");
                }
            }
        }
    }
}

/// What is read without tests must be right in volumes that are nothing but edge.
#[test]
fn the_smallest_volumes_agree_with_the_oracle() {
    for n in 0..5_usize.pow(3) {
        let dims = [n % 5 + 1, n / 5 % 5 + 1, n / 25 + 1];
        let volume = blob_volume(oblique_grid(dims));
        let (grid, centre) = (&volume.grid, volume.grid.centre());
        for normal in [[0.0, 0.0, 1.0], [0.3, 0.5, 0.8], [-0.7, 0.2, 0.1]] {
            let plane = Plane { mm_per_pixel: 0.3137, ..Plane::oblique(grid, centre, normal.into(), 23, 19).unwrap() };
            for how in [Interpolation::Linear, Interpolation::Cubic] {
                let (fast, slow) = (slice(&volume, &plane, how), oracle::slice(&volume, &plane, how));
                // A pixel centre exactly on the volume's face may fall on either side of it.
                let strays = fast.values.iter().zip(&slow.values).filter(|(a, b)| a.is_nan() != b.is_nan()).count();
                assert!(strays <= 2, "{dims:?} {normal:?} {how:?}: {strays} strays");
                for (a, b) in fast.values.iter().zip(&slow.values).filter(|(a, b)| !a.is_nan() && !b.is_nan()) {
                    assert!((a - b).abs() < 0.02, "{dims:?} {normal:?} {how:?}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn slabs_and_mips_agree_with_the_oracle() {
    for volume in volumes() {
        for (n, plane) in planes(&volume).iter().enumerate() {
            for how in [Projection::Max, Projection::Min, Projection::Mean] {
                let what = format!("{} plane {n} {how:?}", volume.samples.type_name());
                check_close(&slab(&volume, plane, 7.3, how), &oracle::slab(&volume, plane, 7.3, how), &what);
            }
            let what = format!("{} plane {n} mip", volume.samples.type_name());
            check_close(&mip(&volume, plane), &oracle::mip(&volume, plane), &what);
        }
    }
}

/// Instructions that not every processor has change nothing.
#[test]
fn plain_and_wide_instructions_make_the_same() {
    let volume = blob_volume(oblique_grid([40, 33, 21]));
    let Samples::I16(samples) = &volume.samples else { unreachable!() };
    let (space, field) = (Space::new(samples, &volume), Field::new(samples, volume.grid.dims).unwrap());
    let row = Row::new(&space, &planes(&volume)[3], 26, 0.0);
    let (from, to) = row.inside(61).unwrap();
    let (mut plain, mut either) = (vec![0.0; to - from], vec![0.0; to - from]);
    fast::linear_plain(&field, &row, from, &mut plain);
    fast::linear(&field, &row, from, &mut either);
    assert_eq!(plain, either);
    fast::cubic_plain(&field, &row, from, &mut plain);
    fast::cubic(&field, &row, from, &mut either);
    assert_eq!(plain, either);
}

#[test]
fn a_single_slice_is_as_thick_as_its_spacing() {
    let volume = blob_volume(oblique_grid([30, 30, 1]));
    let g = &volume.grid;
    let plane = Plane::oblique(g, g.centre(), g.axes[2], 30, 30).unwrap();
    assert!(slice(&volume, &plane, Interpolation::Linear).values.iter().any(|v| !v.is_nan()));
    let beyond = plane.through(g.centre() + g.axes[2] * (g.spacing_mm[2] * 0.51));
    assert!(slice(&volume, &beyond, Interpolation::Linear).values.iter().all(|v| v.is_nan()));
}

#[test]
fn samples_that_do_not_fill_the_grid_give_an_empty_picture() {
    let mut volume = blob_volume(oblique_grid([8, 8, 8]));
    volume.samples = Samples::I16(vec![0; 7]);
    let plane = Plane::axial(&volume.grid, volume.grid.centre(), 8, 8);
    assert!(slice(&volume, &plane, Interpolation::Linear).values.iter().all(|v| v.is_nan()));
    assert!(mip(&volume, &plane).values.iter().all(|v| v.is_nan()));
    assert_eq!(slice(&volume, &Plane { width: 0, ..plane }, Interpolation::Linear).values.len(), 0);
    assert!(VectorLps::default().unit().is_none());
}
