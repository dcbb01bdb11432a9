//! The canary of left and right: a marked pixel on the patient's left comes out at the greater x of LPS, whatever the
//! modality, the format, the orientation and the position of the patient.

use super::made::{CT, ENHANCED_CT, ENHANCED_MR, Kind as Made, MR, PET, Plane};
use super::{Stack, open};
use crate::source::Source;
use crate::watch::Watch;
use mj_model::{PointLps, VectorLps, Voxel};
use std::sync::Arc;

const COLUMNS: usize = 7;
const ROWS: usize = 5;
const N: usize = 5;
const LEFT: PointLps = PointLps::new(40.0, -8.0, 12.0);
const RIGHT: PointLps = PointLps::new(-40.0, -8.0, 12.0);

/// Name, directions of rows and columns.
fn orientations() -> Vec<(&'static str, [f64; 6])> {
    let (sin, cos) = 25_f64.to_radians().sin_cos();
    vec![
        ("axial, head first supine", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("axial, head first prone", [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0]),
        ("axial, feet first supine", [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        ("axial, feet first prone", [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]),
        ("axial, on the left side", [0.0, 1.0, 0.0, -1.0, 0.0, 0.0]),
        ("coronal", [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]),
        ("coronal, seen from behind", [-1.0, 0.0, 0.0, 0.0, 0.0, -1.0]),
        ("sagittal", [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]),
        ("sagittal, from the right", [0.0, -1.0, 0.0, 0.0, 0.0, -1.0]),
        ("oblique", [cos, sin, 0.0, -sin * sin, cos * sin, -cos]),
    ]
}

/// Planes of a block around the middle between the two marks, through which both can be seen. `step` is 1 or -1: the
/// order of the files along the normal.
fn planes(orientation: [f64; 6], step: f64) -> (Vec<Plane>, [f64; 2], f64) {
    let [a, b, c, d, e, f] = orientation;
    let (i, j) = (VectorLps::new(a, b, c), VectorLps::new(d, e, f));
    let normal = i.cross(j);
    // Wide enough along each axis to hold both marks.
    let reach = |axis: VectorLps, n: usize| ((LEFT - RIGHT).dot(axis).abs() + 10.0) / (n as f64 - 1.0);
    let (si, sj, sk) = (reach(i, COLUMNS), reach(j, ROWS), reach(normal, N));
    let middle = RIGHT + (LEFT - RIGHT) * 0.5;
    let half = |n: usize| (n as f64 - 1.0) / 2.0;
    let mut planes = Vec::new();
    for k in 0..N {
        let depth = (k as f64 - half(N)) * sk * step;
        let origin = middle + normal * depth + i * (-half(COLUMNS) * si) + j * (-half(ROWS) * sj);
        let mut samples = vec![0_i16; COLUMNS * ROWS];
        for (mark, value) in [(LEFT, 200_i16), (RIGHT, 100)] {
            let at = mark - origin;
            if (at.dot(normal).abs() / sk) < 0.5 {
                let (column, row) = ((at.dot(i) / si).round() as usize, (at.dot(j) / sj).round() as usize);
                samples[row * COLUMNS + column] = value;
            }
        }
        planes.push(Plane { position: origin.into(), orientation, samples });
    }
    (planes, [sj, si], [si, sj, sk].into_iter().fold(0.0, f64::max))
}

fn place_of(stack: &Stack, value: f64) -> PointLps {
    let volume = stack.load(&Watch::default()).unwrap();
    let [ni, nj, nk] = volume.grid.dims;
    let all = (0..nk).flat_map(|k| (0..nj).flat_map(move |j| (0..ni).map(move |i| Voxel { i, j, k })));
    let marked: Vec<Voxel> = all.filter(|v| volume.stored(*v) == Some(value)).collect();
    assert_eq!(marked.len(), 1, "{marked:?}");
    volume.grid.lps_from_voxel([marked[0].i as f64, marked[0].j as f64, marked[0].k as f64])
}

fn check(name: &str, files: &[Arc<dyn Source>], coarse_mm: f64) {
    let series = open(files, &Watch::default()).unwrap();
    assert_eq!(series.stacks.len(), 1, "{name}");
    let [left, right] = [200.0, 100.0].map(|value| place_of(&series.stacks[0], value));
    assert!(left.x > right.x, "{name}: left and right are exchanged, {left:?} {right:?}");
    for (found, mark) in [(left, LEFT), (right, RIGHT)] {
        assert!(found.distance_mm(mark) <= coarse_mm, "{name}: {found:?} is not {mark:?}");
    }
}

#[test]
fn the_patients_left_stays_left() {
    let (mut n, columns, rows) = (0, COLUMNS as u16, ROWS as u16);
    for (name, orientation) in orientations() {
        for step in [1.0, -1.0] {
            let (planes, spacing, coarse_mm) = planes(orientation, step);
            for (class, modality) in [(CT, "CT"), (MR, "MR"), (PET, "PT")] {
                let made = Made::of(class, modality, columns, rows, spacing);
                let files: Vec<_> = planes.iter().enumerate().map(|(n, plane)| made.image(n as i64, plane, |_| ())).collect();
                check(&format!("{name} {modality} {step}"), &files, coarse_mm);
                n += 1;
            }
            for (class, modality) in [(ENHANCED_CT, "CT"), (ENHANCED_MR, "MR"), (ENHANCED_PET, "PT")] {
                let file = Made::of(class, modality, columns, rows, spacing).frames(&planes, |_, _, _| (), |_| ());
                check(&format!("{name} enhanced {modality} {step}"), &[file], coarse_mm);
                n += 1;
            }
        }
    }
    assert_eq!(n, 120);
}

const ENHANCED_PET: &str = "1.2.840.10008.5.1.4.1.1.130";
