use super::*;
use crate::phantom::{self, Scan, Spec};
use crate::testing::{straight_grid, volume_of};
use mj_model::{Grid, LinearMap, Samples, Unit};

fn nobody(_: u64, _: u64) {}

fn go(prior: &Volume, current: &Volume, points: &[PointLps]) -> Result<Registration> {
    register(prior, current, points, &AtomicBool::new(false), &nobody)
}

fn ct(scan: Scan) -> Volume {
    Volume { modality: "CT".into(), unit: Unit::hu(), ..Volume::of(scan.grid, Samples::I16(scan.hu)) }
}

fn apply(m: &[[f64; 4]; 4], p: PointLps) -> PointLps {
    let [x, y, z, _] = m.map(|[a, b, c, d]| a * p.x + b * p.y + c * p.z + d);
    PointLps::new(x, y, z)
}

struct Patient {
    prior: Volume,
    current: Volume,
    truth: [[f64; 4]; 4],
    /// Prior and present centres of the nodules that were there before.
    nodules: Vec<(PointLps, PointLps)>,
}

fn patient(seed: u64) -> Patient {
    let made = phantom::generate(&Spec { seed, slices: 116, size: 128 }, &nobody).unwrap();
    let point = |v: &serde_json::Value| serde_json::from_value::<PointLps>(v.clone()).unwrap();
    let all = made.truth["nodules"].as_array().unwrap();
    let nodules = all.iter().filter(|n| !n["in_prior"].is_null());
    Patient {
        nodules: nodules.map(|n| (point(&n["in_prior"]["centre_lps"]), point(&n["centre_lps"]))).collect(),
        truth: serde_json::from_value(made.truth["prior_to_current"].clone()).unwrap(),
        prior: ct(made.prior),
        current: ct(made.current),
    }
}

/// Soft spots of many sizes at places that no symmetry repeats, in a body with air around.
fn lumps(p: PointLps) -> f64 {
    let c = PointLps::new(40.0, 70.0, -40.0);
    let d = p - c;
    // As on a scanner, the edge is no step: it falls over some millimetres.
    let out = ((d.x / 52.0).powi(2) + (d.y / 39.0).powi(2)).sqrt();
    let inside = 1.0 / (1.0 + ((out - 1.0) * 25.0).exp());
    let waves = (p.x * 0.11).sin() * (p.y * 0.07 + 1.0).cos() + (p.z * 0.09 + p.x * 0.03).sin() + (p.y * 0.13 - p.z * 0.05).cos();
    (waves * 120.0 + 900.0) * inside - 1000.0
}

/// The lumps as a scanner on that grid sees them when `motion` brings them into its space.
fn seen(grid: Grid, motion: &Rigid) -> Volume {
    let motion = Registration { prior_to_current: motion.matrix(), similarity: 1.0, detail: 1.0, overlap: 1.0, points: Vec::new() };
    volume_of(grid, |v| lumps(motion.before(grid.lps_from_voxel([v.i as f64, v.j as f64, v.k as f64]))) as i16)
}

fn room() -> Grid {
    Grid { origin: PointLps::new(-40.0, 0.0, -100.0), spacing_mm: [2.0, 2.0, 2.0], ..straight_grid([80, 70, 60]) }
}

#[test]
fn a_shift_and_a_turn_are_found() {
    let start = Rigid::shifted(PointLps::new(30.0, 60.0, -50.0), VectorLps::default());
    for (turn, shift) in [
        (VectorLps::new(0.0, 0.0, 0.0), VectorLps::new(9.0, -7.0, 12.0)),
        (VectorLps::new(0.05, -0.03, 0.12), VectorLps::new(-6.0, 4.0, 22.0)),
    ] {
        let motion = start.moved(turn, shift);
        let (prior, current) = (seen(room(), &start), seen(room(), &motion));
        let found = go(&prior, &current, &[]).unwrap();
        for p in [PointLps::new(40.0, 70.0, -40.0), PointLps::new(10.0, 60.0, -70.0), PointLps::new(70.0, 85.0, -20.0)] {
            let away = apply(&found.prior_to_current, p).distance_mm(motion.map(p));
            assert!(away < 0.3, "{away} mm at {p:?}: {found:?}");
            assert!(found.before(apply(&found.prior_to_current, p)).distance_mm(p) < 1e-9);
        }
        assert!(found.similarity > 0.97 && found.detail > 0.95, "{found:?}");
    }
}

#[test]
fn a_frame_of_reference_is_no_pose() {
    let start = Rigid::shifted(PointLps::new(30.0, 60.0, -50.0), VectorLps::default());
    let motion = start.moved(VectorLps::new(0.0, 0.04, 0.0), VectorLps::new(10.0, 0.0, 0.0));
    let frame = Some(mj_model::FrameOfReferenceUid::fresh());
    let of = |m: &Rigid| Volume { frame_of_reference: frame.clone(), ..seen(room(), m) };
    let found = go(&of(&start), &of(&motion), &[]).unwrap();
    let p = PointLps::new(40.0, 70.0, -40.0);
    assert!(apply(&found.prior_to_current, p).distance_mm(motion.map(p)) < 0.3);
}

#[test]
fn values_of_another_scale_are_one_modality_still() {
    let start = Rigid::shifted(PointLps::new(30.0, 60.0, -50.0), VectorLps::default());
    let motion = start.moved(VectorLps::new(0.02, 0.0, -0.05), VectorLps::new(5.0, 3.0, -8.0));
    let mr = |m: &Rigid, slope: f64| {
        let map = LinearMap { slope, intercept: 1000.0 * slope };
        Volume { modality: "MR".into(), map, unit: Unit::one(), ..seen(room(), m) }
    };
    let found = go(&mr(&start, 1.0), &mr(&motion, 0.37), &[]).unwrap();
    let p = PointLps::new(20.0, 60.0, -60.0);
    assert!(apply(&found.prior_to_current, p).distance_mm(motion.map(p)) < 0.4, "{found:?}");
}

#[test]
fn the_demo_patient_lies_on_itself() {
    for seed in [1, 2, 5] {
        let Patient { prior, current, truth, nodules } = patient(seed);
        let points: Vec<PointLps> = nodules.iter().map(|n| n.0).collect();
        let found = go(&prior, &current, &points).unwrap();
        assert!(points.len() >= 7);
        for ((before, now), mapped) in nodules.iter().zip(&found.points) {
            let away = mapped.mapped.distance_mm(apply(&truth, *before));
            assert!(away < 1.0 && mapped.refined.distance_mm(*now) < 1.0, "seed {seed}: {away} {mapped:?} {now:?}");
        }
        assert!(found.similarity > 0.9 && found.detail > 0.85 && found.overlap > 0.9, "{found:?}");
    }
}

#[test]
fn a_part_is_found_in_the_whole() {
    let Patient { prior, current, truth, nodules } = patient(3);
    // The upper half of the prior alone.
    let [ni, nj, nk] = prior.grid.dims;
    let Samples::I16(all) = &prior.samples else { panic!() };
    let grid = Grid { dims: [ni, nj, nk / 2], origin: prior.grid.lps_from_voxel([0.0, 0.0, (nk - nk / 2) as f64]), ..prior.grid };
    let half = Volume { grid, samples: Samples::I16(all[(nk - nk / 2) * ni * nj..].to_vec()), ..prior.clone() };
    let found = go(&half, &current, &[]).unwrap();
    for (before, _) in nodules.iter().filter(|(p, _)| grid.nearest_voxel(*p).is_some()) {
        let away = apply(&found.prior_to_current, *before).distance_mm(apply(&truth, *before));
        assert!(away < 1.0, "{away} mm");
    }
}

#[test]
fn a_breath_is_followed_at_its_place() {
    let Patient { prior, current, truth, nodules } = patient(1);
    // The present lungs' lower half is 8 mm lower: the volume is stretched along the body below a level.
    let [ni, nj, nk] = current.grid.dims;
    let dz = current.grid.spacing_mm[2];
    let Samples::I16(all) = &current.samples else { panic!() };
    let middle = nk as f64 * 0.62;
    let down = |k: f64| (9.0 / dz) * (1.0 / (1.0 + ((k - middle) / 9.0).exp()));
    let mut moved = Vec::with_capacity(all.len());
    for k in 0..nk {
        let from = (k as f64 + down(k as f64)).clamp(0.0, (nk - 1) as f64);
        let (a, t) = ((from as usize).min(nk - 2), from - (from as usize).min(nk - 2) as f64);
        let layer = |k: usize| &all[k * ni * nj..(k + 1) * ni * nj];
        moved.extend(layer(a).iter().zip(layer(a + 1)).map(|(x, y)| (f64::from(*x) * (1.0 - t) + f64::from(*y) * t) as i16));
    }
    let breathed = Volume { samples: Samples::I16(moved), ..current.clone() };
    let points: Vec<PointLps> = nodules.iter().map(|n| n.0).collect();
    let found = go(&prior, &breathed, &points).unwrap();
    let mut most = (0.0_f64, 0.0_f64);
    for ((before, _), mapped) in nodules.iter().zip(&found.points) {
        let now = apply(&truth, *before);
        // Where the present place went: the voxel whose source it is.
        let k = current.grid.voxel_from_lps(now)[2];
        let mut to = k;
        for _ in 0..50 {
            to = k - down(to);
        }
        let truth_now = now + current.grid.axes[2] * ((to - k) * dz);
        most = (most.0.max(mapped.mapped.distance_mm(truth_now)), most.1.max(mapped.refined.distance_mm(truth_now)));
    }
    assert!(most.0 > 3.0, "the whole cannot follow: {most:?}");
    assert!(most.1 < 2.0, "{most:?}");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let Patient { prior, current, .. } = patient(1);
    let still = Rigid::shifted(PointLps::default(), VectorLps::default());
    let lumps = seen(room(), &still);
    assert!(matches!(go(&prior, &lumps, &[]), Err(Error::RegisteredBadly { .. })), "{:?}", go(&prior, &lumps, &[]));
    let air = volume_of(room(), |_| -1000);
    assert!(matches!(go(&air, &current, &[]), Err(Error::RegisteredBadly { .. })));
    assert_eq!(go(&Volume { modality: "MR".into(), ..prior.clone() }, &current, &[]), Err(Error::CannotRegister));
    assert_eq!(go(&Volume { is_placed: false, ..prior.clone() }, &current, &[]), Err(Error::CannotRegister));
    let cancelled = register(&prior, &current, &[], &AtomicBool::new(true), &nobody);
    assert_eq!(cancelled, Err(Error::Cancelled));
}

#[test]
fn real_parts_lie_in_their_whole_and_not_in_others() {
    let Some(data) = mj_testdata::root() else { return mj_testdata::skip("no real images") };
    let read = |name: &str| Volume { modality: "CT".into(), ..crate::import::open(&data.join(name)).unwrap().volume };
    let (whole, part) = (read("volumes/abdomen_pelvis_ct/ct.nii.gz"), read("volumes/abdomen_pelvis_ct/crop_ct.nii.gz"));
    let found = go(&part, &whole, &[]).unwrap();
    // The same voxels, told with another origin: not a thousandth of a voxel is between them.
    let first = apply(&found.prior_to_current, part.grid.origin);
    let [i, j, k] = whole.grid.voxel_from_lps(first);
    assert!([i, j, k - k.round()].iter().all(|v| v.abs() < 1e-3) && found.similarity > 0.999, "{first:?} {found:?}");
    let other = patient(1).current;
    for real in [whole, part] {
        assert!(matches!(go(&real, &other, &[]), Err(Error::RegisteredBadly { detail, .. }) if detail < 0.2));
    }
}

#[test]
fn the_same_numbers_whatever_the_threads() {
    let Patient { prior, current, nodules, .. } = patient(4);
    let points: Vec<PointLps> = nodules.iter().map(|n| n.0).collect();
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| go(&prior, &current, &points).unwrap())
    };
    assert!(with(1) == with(3));
}

#[test]
fn there_and_back_is_the_same_place() {
    let (sin, cos) = 0.2_f64.sin_cos();
    let found = Registration {
        prior_to_current: [[cos, -sin, 0.0, 7.0], [sin, cos, 0.0, -3.0], [0.0, 0.0, 1.0, 41.0], [0.0, 0.0, 0.0, 1.0]],
        similarity: 1.0,
        detail: 1.0,
        overlap: 1.0,
        points: Vec::new(),
    };
    let was = PointLps::new(12.0, -30.0, 88.0);
    assert!((found.before(found.now(was)) - was).length() < 1e-9);
    assert!((found.now(PointLps::default()) - PointLps::new(7.0, -3.0, 41.0)).length() < 1e-12);
}
