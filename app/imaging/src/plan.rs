//! Cutting a segment by a plane, and the volumes that follow.

use crate::error::{Error, Result};
use crate::surface;
use mj_model::Mask;
use mj_model::plan::{CutPlane, PlanResult};
use rayon::prelude::*;

/// The two parts of a cut segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// What stays: voxels whose centre is not on the side the normal points to.
    pub kept: Mask,
    /// What is taken away.
    pub removed: Mask,
    /// `remnant` and `removed`, in this order.
    pub results: Vec<PlanResult>,
}

/// Cuts a segment by a plane; volumes by voxels and by mesh, with their interval.
///
/// A voxel belongs to the side of its centre. Results: `remnant` is the kept part, `removed` the other;
/// `percent` is of the whole segment by voxels.
///
/// # Errors
/// [`Error::BadPlane`] for a normal without direction, [`Error::WrongSize`], [`Error::EmptySegment`].
pub fn cut(mask: &Mask, plane: &CutPlane) -> Result<Cut> {
    let (kept, removed) = split(mask, plane)?;
    let whole_ml = mask.volume_ml();
    let result = |name: &str, part: &Mask| {
        let volume_ml = part.volume_ml();
        PlanResult {
            name: name.into(),
            volume_ml,
            mesh_volume_ml: surface::mesh(part).volume_ml(),
            interval_ml: interval_ml(part),
            percent: volume_ml / whole_ml * 100.0,
        }
    };
    let (remnant, gone) = rayon::join(|| result("remnant", &kept), || result("removed", &removed));
    Ok(Cut { results: vec![remnant, gone], kept, removed })
}

/// The kept and the removed part of a mask, without volumes; quick enough to follow a hand that moves the plane.
///
/// # Errors
/// As [`cut`].
pub fn split(mask: &Mask, plane: &CutPlane) -> Result<(Mask, Mask)> {
    let normal = plane.normal.unit().ok_or(Error::BadPlane)?;
    let grid = mask.grid;
    if mask.voxels.len() != grid.n_voxels() {
        return Err(Error::WrongSize { voxels: mask.voxels.len(), expected: grid.n_voxels() });
    }
    if mask.voxels.par_iter().all(|&v| v == 0) {
        return Err(Error::EmptySegment);
    }
    let (mut kept, mut removed) = (Mask::empty(grid), Mask::empty(grid));
    let [ni, nj, _] = grid.dims;
    // Along a row the distance from the plane grows evenly.
    let step = grid.axes[0].dot(normal) * grid.spacing_mm[0];
    kept.voxels.par_chunks_mut(ni).zip(removed.voxels.par_chunks_mut(ni)).zip(mask.voxels.par_chunks(ni)).enumerate().for_each(
        |(row, ((kept, removed), inside))| {
            let (j, k) = (row % nj, row / nj);
            let first = (grid.lps_from_voxel([0.0, j as f64, k as f64]) - plane.point).dot(normal);
            for (i, &v) in inside.iter().enumerate().filter(|(_, v)| **v != 0) {
                let side = if first + step * i as f64 > 0.0 { &mut *removed } else { &mut *kept };
                side[i] = v;
            }
        },
    );
    Ok((kept, removed))
}

/// Numbers of voxels on the kept and on the removed side; quick enough for every frame.
///
/// # Errors
/// [`Error::BadPlane`].
pub fn count(mask: &Mask, plane: &CutPlane) -> Result<(usize, usize)> {
    let normal = plane.normal.unit().ok_or(Error::BadPlane)?;
    let grid = mask.grid;
    let [ni, nj, _] = grid.dims;
    let step = grid.axes[0].dot(normal) * grid.spacing_mm[0];
    let (kept, removed) = mask
        .voxels
        .par_chunks(ni.max(1))
        .enumerate()
        .map(|(row, line)| {
            let (j, k) = (row % nj, row / nj);
            let first = (grid.lps_from_voxel([0.0, j as f64, k as f64]) - plane.point).dot(normal);
            let inside = line.iter().enumerate().filter(|(_, v)| **v != 0);
            inside.fold(
                (0, 0),
                |(kept, removed), (i, _)| if first + step * i as f64 > 0.0 { (kept, removed + 1) } else { (kept + 1, removed) },
            )
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    Ok((kept, removed))
}

/// The lowest and highest volume when the boundary is moved by half a voxel inwards or outwards. Units: ml.
///
/// Half of the voxels that touch the outside over a face are taken away, or half of the outer ones that touch
/// the inside are added.
#[must_use]
pub fn interval_ml(part: &Mask) -> (f64, f64) {
    let [ni, nj, nk] = part.grid.dims;
    let (inner, outer) = (0..nk)
        .into_par_iter()
        .map(|k| {
            let (mut inner, mut outer) = (0_usize, 0_usize);
            for j in 0..nj {
                let row = (k * nj + j) * ni;
                let line = &part.voxels[row..row + ni];
                let beside = |is_there: bool, at: usize| is_there.then(|| &part.voxels[at..at + ni]);
                let rows = [
                    beside(j > 0, row.wrapping_sub(ni)),
                    beside(j + 1 < nj, row + ni),
                    beside(k > 0, row.wrapping_sub(ni * nj)),
                    beside(k + 1 < nk, row + ni * nj),
                ];
                // Most rows are empty with empty rows beside them.
                if line.iter().all(|&v| v == 0) && rows.iter().flatten().all(|r| r.iter().all(|&v| v == 0)) {
                    continue;
                }
                for (i, &v) in line.iter().enumerate() {
                    let left = i.checked_sub(1).and_then(|i| line.get(i)).copied();
                    let right = line.get(i + 1).copied();
                    let others = rows.iter().map(|r| r.map(|r| r[i])).chain([left, right]);
                    if v == 0 {
                        outer += usize::from(others.into_iter().flatten().any(|o| o != 0));
                    } else {
                        inner += usize::from(others.into_iter().any(|o| o.unwrap_or(0) == 0));
                    }
                }
            }
            (inner, outer)
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let (n, ml) = (part.count() as f64, part.grid.voxel_ml());
    ((n - inner as f64 / 2.0) * ml, (n + outer as f64 / 2.0) * ml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::straight_grid;
    use mj_model::{PointLps, VectorLps};

    /// A box of 20 x 20 x 20 mm in a grid of 1 mm voxels.
    fn cube() -> Mask {
        let grid = straight_grid([30, 30, 30]);
        let mut mask = Mask::empty(grid);
        for (at, slot) in mask.voxels.iter_mut().enumerate() {
            *slot = u8::from([at % 30, at / 30 % 30, at / 900].iter().all(|v| (5..25).contains(v)));
        }
        mask
    }

    #[test]
    fn both_sides_add_up() {
        let mask = cube();
        let point = mask.grid.lps_from_voxel([9.5, 0.0, 0.0]);
        let cut = cut(&mask, &CutPlane { point, normal: VectorLps::new(2.0, 0.0, 0.0) }).unwrap();
        let [remnant, removed] = cut.results.as_slice() else { panic!("two results") };
        assert_eq!((remnant.name.as_str(), removed.name.as_str()), ("remnant", "removed"));
        assert!((remnant.volume_ml - 2.0).abs() < 1e-12 && (removed.volume_ml - 6.0).abs() < 1e-12);
        assert!((remnant.percent - 25.0).abs() < 1e-9);
        for r in &cut.results {
            assert!(r.interval_ml.0 < r.volume_ml && r.volume_ml < r.interval_ml.1, "{r:?}");
            assert!((r.mesh_volume_ml / r.volume_ml - 1.0).abs() < 0.06, "{r:?}");
        }
        assert_eq!(cut.kept.count() + cut.removed.count(), mask.count());
        let plane = CutPlane { point, normal: VectorLps::new(1.0, 0.0, 0.0) };
        assert_eq!(count(&mask, &plane), Ok((cut.kept.count(), cut.removed.count())));
    }

    #[test]
    fn the_interval_is_half_a_voxel_wide_on_each_side() {
        // Shells of a cube of 20: 20³ - 18³ inside, 6 x 20² outside (over faces).
        let (lo, hi) = interval_ml(&cube());
        assert!((lo - (8000.0 - (8000.0 - 5832.0) / 2.0) / 1000.0).abs() < 1e-12);
        assert!((hi - (8000.0 + 2400.0 / 2.0) / 1000.0).abs() < 1e-12);
    }

    #[test]
    fn refuses_what_is_no_cut() {
        let plane = |normal| CutPlane { point: PointLps::default(), normal };
        assert_eq!(cut(&cube(), &plane(VectorLps::default())), Err(Error::BadPlane));
        let empty = Mask::empty(straight_grid([4, 4, 4]));
        assert_eq!(cut(&empty, &plane(VectorLps::new(0.0, 0.0, 1.0))), Err(Error::EmptySegment));
    }
}
