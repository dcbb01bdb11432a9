//! Analytic volumes for tests.

use mj_model::{Grid, PointLps, Samples, Unit, VectorLps, Volume, Voxel};

/// An oblique, anisotropic grid.
pub(crate) fn oblique_grid(dims: [usize; 3]) -> Grid {
    let (i, j) = (VectorLps::new(0.8, 0.6, 0.0), VectorLps::new(0.36, -0.48, -0.8));
    Grid { dims, origin: PointLps::new(-12.0, 31.0, 105.0), axes: [i, j, i.cross(j)], spacing_mm: [0.7, 0.9, 1.6] }
}

/// A straight grid of 1 mm voxels.
pub(crate) fn straight_grid(dims: [usize; 3]) -> Grid {
    let axis = |x, y, z| VectorLps::new(x, y, z);
    Grid {
        dims,
        origin: PointLps::new(-20.0, 5.0, -100.0),
        axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
        spacing_mm: [1.0, 1.0, 1.0],
    }
}

/// A volume of i16 samples given by a function of the voxel.
pub(crate) fn volume_of(grid: Grid, f: impl Fn(Voxel) -> i16) -> Volume {
    let [ni, nj, nk] = grid.dims;
    let mut samples = Vec::with_capacity(grid.n_voxels());
    for k in 0..nk {
        for j in 0..nj {
            samples.extend((0..ni).map(|i| f(Voxel { i, j, k })));
        }
    }
    Volume { modality: "CT".into(), unit: Unit::hu(), ..Volume::of(grid, Samples::I16(samples)) }
}

/// Waves with a few bright spots, so that a maximum has something to find.
pub(crate) fn blob_volume(grid: Grid) -> Volume {
    volume_of(grid, |v| {
        let wave = (v.i as f64 * 0.41).sin() + (v.j as f64 * 0.23).cos() + (v.k as f64 * 0.61).sin();
        let spot = if (v.i * 7 + v.j * 13 + v.k * 29) % 97 == 0 { 900.0 } else { 0.0 };
        (wave * 150.0 + spot) as i16
    })
}
