//! Tilted, uneven and incomplete stacks.

use super::made::{AXIAL, CT, Kind as Made, Plane};
use super::{Kind, Stack, open};
use crate::source::Source;
use crate::watch::Watch;
use dicom_dictionary_std::tags;
use mj_model::{Padding, PointLps, Samples, Volume, Voxel};
use std::sync::Arc;

const SMALL: Made = Made::of(CT, "CT", 12, 9, [0.8, 0.5]);

/// A field that linear interpolation gives back exactly, in thousands so that rounding to whole numbers hardly shows.
fn field(p: PointLps) -> f64 {
    100.0 * p.x - 37.0 * p.y + 61.0 * p.z
}

/// Slices at places, showing the field. Rows along x; columns lean back by `degrees` about x (a tilted gantry).
fn stack(places: &[[f64; 3]], degrees: f64, edit: impl Fn(&mut crate::write::Object) + Copy) -> Vec<Arc<dyn Source>> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let down = [0.0, cos, -sin];
    let image = |(n, at): (usize, &[f64; 3])| {
        let samples = (0..9).flat_map(|j| (0..12).map(move |i| (i, j)));
        let value = |(i, j): (i32, i32)| {
            let (u, v) = (f64::from(i) * 0.5, f64::from(j) * 0.8);
            field(PointLps::new(at[0] + u, at[1] + v * down[1], at[2] + v * down[2])).round() as i16
        };
        let plane = Plane { position: *at, orientation: [1.0, 0.0, 0.0, down[0], down[1], down[2]], samples: samples.map(value).collect() };
        SMALL.image(n as i64, &plane, edit)
    };
    places.iter().enumerate().map(image).collect()
}

fn only(files: &[Arc<dyn Source>]) -> Stack {
    let mut stacks = open(files, &Watch::default()).unwrap().stacks;
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    stacks.remove(0)
}

fn codes(stack: &Stack) -> Vec<&str> {
    stack.warnings().iter().map(|w| w.code.as_str()).collect()
}

fn voxels(volume: &Volume) -> impl Iterator<Item = (Voxel, f64)> {
    let [ni, nj, nk] = volume.grid.dims;
    let all = (0..nk).flat_map(move |k| (0..nj).flat_map(move |j| (0..ni).map(move |i| Voxel { i, j, k })));
    all.map(|v| (v, volume.stored(v).unwrap()))
}

/// Every measured voxel holds the field at its own place; what is padding lies outside every slice.
fn check_field(stack: &Stack, volume: &Volume) -> usize {
    let padding = volume.padding.unwrap();
    let mut n = 0;
    for (v, stored) in voxels(volume).filter(|(_, stored)| !padding.holds(*stored)) {
        let at = volume.grid.lps_from_voxel([v.i as f64, v.j as f64, v.k as f64]);
        // At the rim, where half of the pixels are missing, the nearest one stands for the place: up to half a pixel away.
        let [i, j, _] = stack.slice_grid(0).unwrap().spacing_mm;
        let reach = if is_inside(stack, at) { 1.0 } else { 1.0 + 100.0 * i / 2.0 + 61.0 * j };
        assert!((stored - field(at)).abs() <= reach, "{v:?} {at:?}: {stored} is not {}", field(at));
        n += 1;
    }
    n
}

/// True where both neighbouring slices cover a place.
fn is_inside(stack: &Stack, at: PointLps) -> bool {
    let normal = stack.slice_grid(0).unwrap().axes[2];
    let mut slices: Vec<_> = (0..stack.n_slices()).map(|k| stack.slice_grid(k).unwrap()).collect();
    slices.sort_by(|a, b| (a.origin - at).dot(normal).abs().total_cmp(&(b.origin - at).dot(normal).abs()));
    slices.iter().take(2).all(|grid| {
        let [i, j, _] = grid.voxel_from_lps(at + normal * (grid.origin - at).dot(normal));
        (0.0..=11.0).contains(&i) && (0.0..=8.0).contains(&j)
    })
}

#[test]
fn a_tilted_stack_becomes_straight() {
    // Slices move along z only, while their normal leans by 20 degrees.
    let places: Vec<[f64; 3]> = (0..6).map(|n| [-3.0, 2.0, f64::from(n) * 1.7]).collect();
    let stack = only(&stack(&places, 20.0, |_| ()));
    assert_eq!((stack.kind(), codes(&stack)), (Kind::Volume, vec!["geometry.gantry_tilt", "geometry.resampled"]));
    let volume = stack.load(&Watch::default()).unwrap();
    let grid = volume.grid;
    let [i, j, k] = grid.axes;
    assert!(i.cross(j).dot(k) > 1.0 - 1e-12 && j.dot(k).abs() < 1e-12, "{grid:?}");
    // Planes fall on slices; the matrix holds the whole shift of 5 x 1.7 mm x sin 20 degrees at 0.8 mm.
    assert_eq!((grid.dims, stack.matrix()), ([12, 13, 6], [12, 13, 6]));
    assert!((grid.spacing_mm[2] - 1.7 * 20_f64.to_radians().cos()).abs() < 1e-9);
    assert!(matches!(volume.samples, Samples::I16(_)));
    assert!(check_field(&stack, &volume) >= 6 * 12 * 8);
    // The images themselves are as they were, and each plane names its own.
    assert_eq!(stack.n_slices(), 6);
    for (k, place) in places.iter().enumerate() {
        let slice = stack.load_slice(k).unwrap();
        assert_eq!((slice.grid.dims, slice.grid.origin), ([12, 9, 1], PointLps::from(*place)));
        assert_eq!(slice.sources[0], volume.sources[k]);
        assert!(slice.warnings.iter().all(|w| w.code != "geometry.resampled") && volume.warnings.len() == 2);
        for (v, stored) in voxels(&slice) {
            let at = slice.grid.lps_from_voxel([v.i as f64, v.j as f64, 0.0]);
            assert!((stored - field(at)).abs() <= 0.5 + 1e-6);
        }
    }
    // The first slice has no shift: its plane holds it sample by sample.
    let (first, low) = (stack.load_slice(0).unwrap(), grid.voxel_from_lps(places[0].into())[1].round() as usize);
    assert!(voxels(&first).all(|(v, stored)| volume.stored(Voxel { j: v.j + low, ..v }) == Some(stored)));
}

#[test]
fn uneven_slices_are_interpolated_along_their_normal() {
    let places = [0.0, 2.0, 4.0, 6.5, 9.0, 10.0].map(|z| [0.0, 0.0, z]);
    let stack = only(&stack(&places, 0.0, |_| ()));
    assert_eq!((stack.kind(), codes(&stack)), (Kind::Volume, vec!["geometry.uneven_spacing", "geometry.resampled"]));
    let volume = stack.load(&Watch::default()).unwrap();
    assert_eq!(volume.grid.dims, [12, 9, 11]);
    assert_eq!(check_field(&stack, &volume), 12 * 9 * 11);
    // A plane names the image nearest to it: 6 mm that of 6.5 mm.
    assert_eq!(volume.sources[6], stack.load_slice(3).unwrap().sources[0]);
    // Planes on slices hold them exactly.
    for (k, n) in [(0, 0), (2, 1), (4, 2), (9, 4), (10, 5)] {
        assert!(voxels(&stack.load_slice(n).unwrap()).all(|(v, stored)| volume.stored(Voxel { k, ..v }) == Some(stored)), "{k}");
    }
}

#[test]
fn nothing_is_invented_where_slices_are_missing() {
    let files = |zs: &[f64]| stack(&zs.iter().map(|z| [0.0, 0.0, *z]).collect::<Vec<_>>(), 0.0, |_| ());
    let one = only(&files(&[0.0, 5.0, 10.0, 20.0, 25.0]));
    assert_eq!(codes(&one), ["geometry.missing_slice", "geometry.resampled", "geometry.gap_left_empty"]);
    let volume = one.load(&Watch::default()).unwrap();
    assert_eq!((volume.grid.dims[2], volume.grid.spacing_mm[2]), (6, 5.0));
    let padding = -1024.0;
    assert_eq!(volume.padding, Some(Padding::between(padding, padding)));
    for (v, stored) in voxels(&volume) {
        let at = volume.grid.lps_from_voxel([v.i as f64, v.j as f64, v.k as f64]);
        assert_eq!(stored, if v.k == 3 { padding } else { field(at).round() }, "{v:?}");
    }
    let two = only(&files(&[0.0, 5.0, 10.0, 25.0, 30.0]));
    assert_eq!((two.kind(), two.load(&Watch::default()).unwrap().grid.dims[2]), (Kind::Volume, 7));
    // Three missing are a second scan rather than a gap.
    let many = only(&files(&[0.0, 5.0, 10.0, 30.0, 35.0]));
    assert_eq!((many.kind(), codes(&many)), (Kind::Stack, vec!["geometry.missing_slice", "geometry.not_resampled"]));
    assert!(many.load(&Watch::default()).is_err() && many.load_slice(4).is_ok());
}

#[test]
fn thick_slices_leave_no_gap() {
    // 7 mm slices after 4 mm ones are no missing slices.
    let places = [0.0, 4.0, 8.0, 12.0, 19.0, 26.0].map(|z| [0.0, 0.0, z]);
    let stack = only(&stack(&places, 0.0, |o| {
        o.decimals(tags::SLICE_THICKNESS, &[7.0]);
    }));
    assert_eq!(codes(&stack), ["geometry.uneven_spacing", "geometry.resampled"]);
    let volume = stack.load(&Watch::default()).unwrap();
    assert_eq!(check_field(&stack, &volume), volume.samples.len());
}

#[test]
fn padding_of_the_file_is_no_value() {
    let pad = |o: &mut crate::write::Object| {
        o.bytes(tags::PIXEL_PADDING_VALUE, dicom_core::VR::SS, (-2000_i16).to_le_bytes().to_vec());
    };
    let planes: Vec<Plane> = [(0.0, 100), (2.0, 100), (5.0, -2000), (7.0, 100)]
        .iter()
        .map(|&(z, value)| Plane { position: [0.0, 0.0, z], orientation: AXIAL, samples: vec![value; 12 * 9] })
        .collect();
    let files: Vec<_> = planes.iter().enumerate().map(|(n, plane)| SMALL.image(n as i64, plane, pad)).collect();
    let volume = only(&files).load(&Watch::default()).unwrap();
    assert_eq!(volume.padding, Some(Padding::between(-2000.0, -2000.0)));
    // Never a mean of tissue and padding.
    assert!(voxels(&volume).all(|(_, stored)| stored == 100.0 || stored == -2000.0));
    assert!(voxels(&volume).any(|(_, stored)| stored == -2000.0));
}

#[test]
fn a_plane_alone_equals_that_of_the_volume() {
    let places = [0.0, 2.0, 4.5, 6.0, 12.0].map(|z| [0.3 * z, -0.2 * z, z]);
    let stack = only(&stack(&places, 15.0, |_| ()));
    let volume = stack.load(&Watch::default()).unwrap();
    assert!(stack.warnings().iter().any(|w| w.code == "geometry.gap_left_empty"), "{:?}", stack.warnings());
    let [ni, nj, nk] = volume.grid.dims;
    for k in 0..nk {
        let plane = stack.load_plane(k).unwrap();
        assert_eq!((plane.grid.dims, plane.sources[0].clone()), ([ni, nj, 1], volume.sources[k].clone()));
        assert!(plane.grid.origin.distance_mm(volume.grid.lps_from_voxel([0.0, 0.0, k as f64])) < 1e-9);
        assert!(voxels(&plane).all(|(v, stored)| volume.stored(Voxel { k, ..v }) == Some(stored)), "{k}");
    }
    assert!(stack.load_plane(nk).is_err());
}

#[test]
fn slices_beside_each_other_are_no_block() {
    let places = [0.0, 1.0, 2.0, 3.0].map(|z| [30.0 * z, 0.0, z]);
    let stack = only(&stack(&places, 0.0, |_| ()));
    assert_eq!((stack.kind(), codes(&stack)), (Kind::Stack, vec!["geometry.gantry_tilt", "geometry.not_resampled"]));
}

/// The value of a volume between its voxels, and the least and greatest of the eight around; none beside padding.
fn linear(volume: &Volume, at: PointLps) -> Option<f64> {
    let index = volume.grid.voxel_from_lps(at).map(|x| if (x - x.round()).abs() < 1e-6 { x.round() } else { x });
    let mut sum = 0.0;
    for corner in 0..8_usize {
        let (mut weight, mut voxel) = (1.0, [0_usize; 3]);
        for axis in 0..3 {
            let (low, part) = (index[axis].floor(), index[axis].fract());
            let is_high = corner >> axis & 1 == 1;
            weight *= if is_high { part } else { 1.0 - part };
            voxel[axis] = if is_high { low as usize + 1 } else { low as usize };
        }
        if weight > 0.0 {
            sum += weight * volume.stored(voxel.into()).filter(|v| volume.padding.is_none_or(|p| !p.holds(*v)))?;
        }
    }
    Some(sum)
}

#[test]
fn a_real_tilted_head_lies_right() {
    let Some(folder) = mj_testdata::path("ct/head_ge_gantry_tilt") else { return };
    let files: Vec<Arc<dyn Source>> = std::fs::read_dir(folder).unwrap().map(|e| Arc::new(e.unwrap().path()) as Arc<dyn Source>).collect();
    let stack = only(&files);
    assert_eq!(
        (stack.kind(), codes(&stack)),
        (Kind::Volume, vec!["geometry.gantry_tilt", "geometry.uneven_spacing", "geometry.resampled"])
    );
    let volume = stack.load(&Watch::default()).unwrap();
    let [ni, nj, nk] = volume.grid.dims;
    // Slices at 22.62 to 67.2 mm along y alone need more rows; from first to last slice it is 144.1 mm along the normal.
    assert!(ni == 512 && nj > 600 && (nk as f64 - 1.0) * volume.grid.spacing_mm[2] > 144.0, "{:?}", volume.grid);
    let slices: Vec<Volume> = (0..stack.n_slices()).map(|k| stack.load_slice(k).unwrap()).collect();
    let (mut n, mut random) = (0, 20_261_127_u64);
    while n < 1000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = |shift: u32, of: usize| ((random >> shift) as usize & 0xFFFF) % of;
        let (k, i, j) = (pick(8, slices.len()), 1 + pick(24, 510), 1 + pick(40, 510));
        let at = slices[k].grid.lps_from_voxel([i as f64, j as f64, 0.0]);
        // Its neighbours in the slices before and after, one row further each way for every slice's shift.
        let around: Vec<f64> = slices[k.saturating_sub(1)..(k + 2).min(slices.len())]
            .iter()
            .flat_map(|slice| {
                let [si, sj, _] = slice.grid.voxel_from_lps(at).map(f64::floor);
                (-2..=3)
                    .flat_map(move |dj| (-2..=3).map(move |di| (si as i64 + di, sj as i64 + dj)))
                    .filter_map(|(i, j)| slice.stored(Voxel { i: usize::try_from(i).ok()?, j: usize::try_from(j).ok()?, k: 0 }))
            })
            .collect();
        let Some(found) = linear(&volume, at) else { continue };
        let (low, high) = around.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        assert!((low - 0.5..=high + 0.5).contains(&found), "slice {k} column {i} row {j}: {found} of {low}..{high}");
        n += 1;
    }
    // The first slice, which is not shifted, is a plane of the volume sample by sample.
    let low = volume.grid.voxel_from_lps(slices[0].grid.origin);
    let low = low.map(|x| x.round() as usize);
    assert!(voxels(&slices[0]).all(|(v, stored)| volume.stored(Voxel { i: v.i + low[0], j: v.j + low[1], k: low[2] }) == Some(stored)));
    // What no slice covers is marked as the file marks it.
    assert_eq!(volume.padding, Some(Padding::between(-1500.0, -1500.0)));
}
