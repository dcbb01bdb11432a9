use super::*;
use crate::testing::{oblique_grid, straight_grid, volume_of};
use crate::{Blocks, Plane, oracle};
use mj_model::{Grid, LinearMap, VectorLps, Voxel};

/// Largest difference from the reference in 8 bits. The fast maker ends a ray when 1/256 of it is left, lets slight
/// samples share their light with the one before, and rounds values to bins.
const MOST: i32 = 3;

fn function() -> TransferFunction {
    TransferFunction {
        colors: vec![[0.0, 0.3, 0.1, 0.1], [200.0, 0.9, 0.5, 0.3], [600.0, 1.0, 1.0, 0.9]],
        opacities: vec![[40.0, 0.0], [120.0, 0.06], [300.0, 0.4], [700.0, 0.9]],
        light: Light { ambient: 0.2, diffuse: 0.7, specular: 0.3, shininess: 10.0, noise_per_mm: 20.0 },
    }
}

/// A shell and a ball inside it, off the middle, that fade over some voxels.
fn shells(grid: Grid) -> Volume {
    volume_of(grid, |v| {
        let far = |c: [f64; 3]| {
            let d = [v.i as f64 - c[0], v.j as f64 - c[1], v.k as f64 - c[2]];
            (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()
        };
        let shell = 170.0 * (1.0 - (far([18.0, 15.0, 10.0]) - 11.0).abs() / 3.0).max(0.0);
        let ball = 800.0 * ((7.0 - far([21.0, 13.0, 11.0])) / 3.0).clamp(0.0, 1.0);
        (shell + ball - 100.0) as i16
    })
}

fn cameras(volume: &Volume) -> Vec<Camera> {
    let (grid, centre) = (&volume.grid, volume.grid.centre());
    let oblique = |n: [f64; 3]| Plane::oblique(grid, centre, n.into(), 31, 27).unwrap();
    vec![
        Camera::parallel(Plane::coronal(grid, centre, 30, 34)),
        Camera::parallel(oblique([0.4, 0.7, -0.2])),
        Camera { plane: oblique([-0.8, 0.3, 0.4]), eye_mm: Some(90.0) },
        // The eye inside the volume.
        Camera { plane: Plane::coronal(grid, centre, 30, 30), eye_mm: Some(2.0) },
    ]
}

fn draw(volume: &Volume, camera: &Camera, clip: Option<ClipBox>, step_mm: f64) -> Rendering {
    let seen = Seen::new(volume, &Blocks::new(volume), &function()).unwrap();
    render(volume, &seen, camera, clip, Quality { step_mm, pixels_per_ray: 1 })
}

/// Largest difference in 8 bits, and whether there is anything to see.
fn difference(fast: &Rendering, slow: &[[f64; 4]]) -> (i32, bool) {
    assert_eq!(fast.rgba.len(), slow.len() * 4);
    let wanted = slow.iter().flatten().map(|c| (c * 255.0).round() as i32);
    let most = fast.rgba.iter().zip(wanted).map(|(a, b)| (i32::from(*a) - b).abs()).max().unwrap_or(0);
    (most, slow.iter().filter(|p| p[3] > 0.2).count() > slow.len() / 60)
}

fn check(what: &str, volume: &Volume, clip: Option<ClipBox>) {
    for (n, camera) in cameras(volume).iter().enumerate() {
        for step_mm in [0.35, 1.4] {
            let slow = oracle::raycast(volume, &function(), camera, clip, step_mm);
            let (most, shows) = difference(&draw(volume, camera, clip, step_mm), &slow);
            assert!(most <= MOST, "{what}, camera {n}, step {step_mm}: {most}");
            assert!(shows, "{what}, camera {n} shows nothing");
        }
    }
}

#[test]
fn pictures_agree_with_the_oracle() {
    let base = shells(oblique_grid([36, 30, 21]));
    let Samples::I16(values) = base.samples.clone() else { unreachable!() };
    let with = |samples, slope, intercept| Volume { samples, map: LinearMap { slope, intercept }, ..base.clone() };
    check("i16", &base, None);
    check("u16", &with(Samples::U16(values.iter().map(|&v| (v + 1024) as u16 * 2).collect()), 0.5, -1024.0), None);
    check("falling u8", &with(Samples::U8(values.iter().map(|&v| ((700 - v) / 4) as u8).collect()), -4.0, 700.0), None);
    check("f32", &with(Samples::F32(values.iter().map(|&v| f32::from(v) * 0.37).collect()), 1.0 / 0.37, 0.0), None);
    check("straight", &shells(straight_grid([36, 30, 21])), None);
}

#[test]
fn nothing_is_seen_outside_the_clip_box() {
    let volume = shells(oblique_grid([36, 30, 21]));
    let (low, high) = volume.grid.box_lps();
    let middle = volume.grid.centre();
    check("clipped", &volume, Some((PointLps::new(low.x, middle.y, low.z), high)));
    let empty = draw(&volume, &cameras(&volume)[0], Some((high + VectorLps::new(1.0, 0.0, 0.0), high)), 0.35);
    assert!(empty.rgba.iter().all(|b| *b == 0));
}

/// What the tolerance has to tell from the truth: one voxel of shift, a flip, a missing slice.
#[test]
fn mutants_are_further_from_the_oracle_than_the_tolerance() {
    let volume = shells(oblique_grid([36, 30, 21]));
    let moved = |f: &dyn Fn(Voxel) -> Voxel| volume_of(volume.grid, |v| volume.stored(f(v)).unwrap_or(-100.0) as i16);
    let mutants = [
        ("shift along i", moved(&|v| Voxel { i: v.i + 1, ..v })),
        ("shift along j", moved(&|v| Voxel { j: v.j + 1, ..v })),
        ("shift along k", moved(&|v| Voxel { k: v.k + 1, ..v })),
        ("flip", moved(&|v| Voxel { i: 35 - v.i, ..v })),
        ("missing slice", moved(&|v| Voxel { k: if v.k > 9 { v.k + 1 } else { v.k }, ..v })),
    ];
    for camera in cameras(&volume) {
        let slow = oracle::raycast(&volume, &function(), &camera, None, 0.35);
        for (name, mutant) in &mutants {
            let (most, _) = difference(&draw(mutant, &camera, None, 0.35), &slow);
            assert!(most > 4 * MOST, "{name}: {most}");
        }
    }
}

#[test]
fn thin_and_empty_volumes() {
    for dims in [[30, 30, 1], [1, 30, 30], [30, 1, 30], [1, 1, 1]] {
        let volume = volume_of(oblique_grid(dims), |_| 400);
        let camera = Camera::parallel(Plane::oblique(&volume.grid, volume.grid.centre(), [0.4, 0.7, -0.5].into(), 20, 20).unwrap());
        let slow = oracle::raycast(&volume, &function(), &camera, None, 0.35);
        let (most, _) = difference(&draw(&volume, &camera, None, 0.35), &slow);
        // A sample on the very face may fall on either side of it.
        assert!(slow.iter().any(|p| p[3] > 0.1) && most <= 40, "{dims:?}: {most}");
    }
    let mut volume = shells(straight_grid([8, 8, 8]));
    let camera = Camera::parallel(Plane::coronal(&volume.grid, volume.grid.centre(), 8, 8));
    volume.samples = Samples::I16(vec![400; 7]);
    assert!(draw(&volume, &camera, None, 0.35).rgba.iter().all(|b| *b == 0), "samples that do not fill the grid");
    volume.grid.dims = [0, 8, 8];
    volume.samples = Samples::I16(Vec::new());
    assert!(draw(&volume, &camera, None, 0.35).rgba.iter().all(|b| *b == 0), "no voxels");
    let other = shells(straight_grid([30, 30, 30]));
    let seen = Seen::new(&volume, &Blocks::new(&volume), &function()).unwrap();
    assert!(render(&other, &seen, &camera, None, Quality::FINAL).rgba.iter().all(|b| *b == 0), "made for another volume");
}

#[test]
fn what_is_no_number_is_not_seen() {
    let mut volume = shells(oblique_grid([36, 30, 21]));
    let Samples::I16(values) = &volume.samples else { unreachable!() };
    // Every voxel of the front half has a neighbour that is no number.
    let holes = |(n, v): (usize, &i16)| if n % 2 == 0 && n / 36 % 30 < 15 { f32::NAN } else { f32::from(*v) };
    volume.samples = Samples::F32(values.iter().enumerate().map(holes).collect());
    let camera = &cameras(&volume)[1];
    let slow = oracle::raycast(&volume, &function(), camera, None, 0.35);
    let fast = draw(&volume, camera, None, 0.35);
    assert!(slow.iter().any(|p| p[3] > 0.2));
    // Exactly on a voxel the reference does not read its neighbour; nowhere else may they differ.
    let (most, _) = difference(&fast, &slow);
    assert!(most <= MOST, "{most}");
    volume.samples = Samples::F32(vec![f32::NAN; 36 * 30 * 21]);
    assert!(draw(&volume, camera, None, 0.35).rgba.iter().all(|b| *b == 0));
}

#[test]
fn odd_cameras_give_empty_pictures() {
    let volume = shells(straight_grid([12, 12, 12]));
    let plane = Plane::coronal(&volume.grid, volume.grid.centre(), 9, 9);
    for (plane, eye_mm, step_mm) in [
        (Plane { centre: PointLps::new(f64::NAN, 0.0, 0.0), ..plane }, None, 0.35),
        (Plane { mm_per_pixel: f64::INFINITY, ..plane }, Some(10.0), 0.35),
        (plane, Some(f64::NAN), 0.35),
        (plane, None, 0.0),
        (plane, None, f64::NAN),
    ] {
        let picture = draw(&volume, &Camera { plane, eye_mm }, None, step_mm);
        assert!(picture.rgba.len() == 81 * 4 && picture.rgba.iter().all(|b| *b == 0), "{plane:?} {eye_mm:?} {step_mm}");
    }
    let none = draw(&volume, &Camera::parallel(Plane { width: 0, ..plane }), None, 0.35);
    assert!(none.rgba.is_empty());
}

/// A moving picture is the sharp one, coarser: in place, and of the same brightness.
#[test]
fn moving_pictures_stay_in_place() {
    let volume = shells(straight_grid([36, 30, 21]));
    let seen = Seen::new(&volume, &Blocks::new(&volume), &function()).unwrap();
    for (width, height) in [(90, 90), (91, 77), (2, 2), (1, 5)] {
        let camera = Camera::parallel(Plane::coronal(&volume.grid, volume.grid.centre(), width, height));
        let sharp = render(&volume, &seen, &camera, None, Quality::FINAL);
        let coarse = render(&volume, &seen, &camera, None, Quality { step_mm: 0.35, pixels_per_ray: 3 });
        assert_eq!((coarse.width, coarse.height, coarse.rgba.len()), (width, height, width * height * 4));
        let middle = |p: &Rendering| {
            let (mut sum, mut at) = (0.0, [0.0; 2]);
            for (n, c) in p.rgba.chunks_exact(4).enumerate() {
                sum += f64::from(c[3]);
                at = [at[0] + f64::from(c[3]) * (n % width) as f64, at[1] + f64::from(c[3]) * (n / width) as f64];
            }
            (sum, [at[0] / sum, at[1] / sum])
        };
        if width > 10 {
            let ((a, p), (b, q)) = (middle(&sharp), middle(&coarse));
            assert!((a / b - 1.0).abs() < 0.03, "{a} {b}");
            assert!((p[0] - q[0]).abs() < 0.2 && (p[1] - q[1]).abs() < 0.2, "{p:?} {q:?}");
        }
    }
}

/// Instructions that not every processor has change nothing.
#[test]
fn plain_and_wide_instructions_draw_the_same() {
    let volume = shells(oblique_grid([36, 30, 21]));
    let seen = Seen::new(&volume, &Blocks::new(&volume), &function()).unwrap();
    let camera = &cameras(&volume)[1];
    let Samples::I16(samples) = &volume.samples else { unreachable!() };
    let caster = band::Caster::new(samples, &volume, &seen, camera, None, Quality::FINAL).unwrap();
    let (mut plain, mut either) = (vec![0; 31 * 27 * 4], vec![0; 31 * 27 * 4]);
    caster.draw_plain(0, 31, &mut plain);
    caster.draw(0, 31, &mut either);
    assert_eq!(plain, either);
    assert!(plain.iter().any(|b| *b > 100));
}

#[test]
fn transfer_functions_that_cannot_be_drawn_are_refused() {
    let good = function();
    assert!(good.check().is_ok());
    let bad = [
        TransferFunction { colors: Vec::new(), ..good.clone() },
        TransferFunction { opacities: vec![[1.0, 0.5], [1.0, 0.6]], ..good.clone() },
        TransferFunction { opacities: vec![[f64::NAN, 0.5]], ..good.clone() },
        TransferFunction { opacities: vec![[0.0, 1.5]], ..good.clone() },
        TransferFunction { light: Light { shininess: f64::INFINITY, ..good.light }, ..good.clone() },
    ];
    let volume = shells(straight_grid([8, 8, 8]));
    for function in bad {
        assert!(Seen::new(&volume, &Blocks::new(&volume), &function).is_err(), "{function:?}");
    }
}
