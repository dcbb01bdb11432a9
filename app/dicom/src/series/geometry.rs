//! Which images lie in one block, in which order, and whether the block is straight and even.

use super::Kind;
use super::frame::Slice;
use mj_model::{Grid, PointLps, VectorLps, Warning};

/// Images whose directions differ by less are parallel. Units: sine of the angle.
const PARALLEL: f64 = 2e-3;
/// Relative difference of distances that still counts as even.
const EVEN: f64 = 0.02;
/// Fewest slices of a volume.
const FEWEST: usize = 3;

/// Images that belong together, sorted.
pub(super) struct Block {
    pub slices: Vec<Slice>,
    pub kind: Kind,
    pub grid: Option<Grid>,
    pub warnings: Vec<Warning>,
}

/// Sorts images into blocks.
pub(super) fn arrange(slices: Vec<Slice>) -> Vec<Block> {
    let mut groups: Vec<Vec<Slice>> = Vec::new();
    let tells_frames = tells_frames(&slices);
    let together = |a: &Slice, b: &Slice| belong_together(a, b) && (!tells_frames || is_same_frame(a, b));
    for slice in slices {
        match groups.iter_mut().find(|g| g.first().is_some_and(|first| together(first, &slice))) {
            Some(group) => group.push(slice),
            None => groups.push(vec![slice]),
        }
    }
    let orientations = count_orientations(&groups);
    let has_many_frames = tells_frames && {
        let mut placed = groups.iter().flatten().filter(|s| s.axes.is_some());
        placed.next().is_some_and(|first| placed.any(|other| other.frame_of_reference != first.frame_of_reference))
    };
    let mut blocks: Vec<Block> = groups.into_iter().flat_map(blocks_of).collect();
    if orientations > 1 {
        let warning = Warning::new("geometry.mixed_orientation", format!("{orientations} orientations in one series"));
        blocks.iter_mut().for_each(|block| block.warnings.push(warning.clone()));
    }
    if has_many_frames {
        let warning = Warning::new("geometry.frame_of_reference_varies", "several Frames of Reference in one series, each shown apart");
        blocks.iter_mut().for_each(|block| block.warnings.push(warning.clone()));
    }
    blocks
}

/// Positions of two frames of reference have nothing to do with each other, so their images never lie in one block.
/// Images without a place need no frame.
fn is_same_frame(a: &Slice, b: &Slice) -> bool {
    a.axes.is_none() || a.frame_of_reference == b.frame_of_reference
}

/// False when every image names a frame of reference of its own: some de-identifiers write one for each file, which says
/// nothing about where images lie (LIDC-IDRI). Their block is warned of instead.
fn tells_frames(slices: &[Slice]) -> bool {
    let mut frames: Vec<_> = slices.iter().filter(|s| s.axes.is_some()).map(|s| &s.frame_of_reference).collect();
    let n = frames.len();
    frames.sort();
    frames.dedup();
    n < FEWEST || frames.len() < n || frames.contains(&&None)
}

fn belong_together(a: &Slice, b: &Slice) -> bool {
    let near = |x: f64, y: f64| (x - y).abs() <= 1e-3 * x.abs().max(y.abs());
    let is_same_plane = match (a.axes, b.axes) {
        (Some([ai, aj]), Some([bi, bj])) => (ai - bi).length() < PARALLEL && (aj - bj).length() < PARALLEL,
        // Frames without a place only belong to their own object; single images to each other.
        (None, None) => a.file == b.file || (a.layout.frames == 1 && b.layout.frames == 1),
        _ => false,
    };
    let [ax, ay] = a.spacing_mm;
    let [bx, by] = b.spacing_mm;
    is_same_plane
        && (a.layout.rows, a.layout.columns, a.layout.samples_per_pixel) == (b.layout.rows, b.layout.columns, b.layout.samples_per_pixel)
        && (a.layout.bits_allocated, a.layout.is_signed, a.layout.is_float)
            == (b.layout.bits_allocated, b.layout.is_signed, b.layout.is_float)
        && a.layout.photometric == b.layout.photometric
        && a.is_calibrated == b.is_calibrated
        && a.unit == b.unit
        && near(ax, bx)
        && near(ay, by)
}

fn count_orientations(groups: &[Vec<Slice>]) -> usize {
    let mut known: Vec<VectorLps> = Vec::new();
    for normal in groups.iter().filter_map(|g| g.first()?.normal()) {
        if !known.iter().any(|k| (*k - normal).length() < 2.0 * PARALLEL) {
            known.push(normal);
        }
    }
    known.len()
}

fn blocks_of(mut group: Vec<Slice>) -> Vec<Block> {
    let Some((normal, first)) = group.first().and_then(|s| Some((s.normal()?, s.position?))) else {
        group.sort_by_key(|s| s.order);
        return vec![unplaced(group)];
    };
    // `arrange` keeps images with and without a place apart, so the fallback is never met.
    let along = |s: &Slice| s.position.map_or(0.0, |p| (p - first).dot(normal));
    group.sort_by(|a, b| along(a).total_cmp(&along(b)).then(a.order.cmp(&b.order)));
    let mut layers: Vec<Vec<Slice>> = Vec::new();
    for slice in group {
        match layers.last_mut() {
            Some(layer) if layer.first().is_some_and(|s| is_same_place(s, &slice)) => layer.push(slice),
            _ => layers.push(vec![slice]),
        }
    }
    let most = layers.iter().map(Vec::len).max().unwrap_or(1);
    // The same number everywhere: phases, echoes or weightings, each a block of its own. Otherwise repeats.
    let is_uneven = layers.iter().any(|layer| layer.len() != most);
    let n_repeated = layers.iter().filter(|layer| layer.len() > 1).count();
    let mut blocks: Vec<Vec<Slice>> = vec![Vec::new(); most];
    for mut layer in layers {
        layer.sort_by_key(|s| s.order);
        for (block, slice) in blocks.iter_mut().zip(layer) {
            block.push(slice);
        }
    }
    let duplicates =
        (is_uneven && most > 1).then(|| Warning::new("geometry.duplicate_slice", format!("{n_repeated} positions hold several images")));
    blocks
        .into_iter()
        .map(|slices| {
            let mut block = placed(slices, normal);
            block.warnings.extend(duplicates.clone());
            block
        })
        .collect()
}

fn is_same_place(a: &Slice, b: &Slice) -> bool {
    match (a.position, b.position) {
        (Some(p), Some(q)) => p.distance_mm(q) < 1e-3,
        _ => false,
    }
}

/// Images without a place in the patient.
fn unplaced(slices: Vec<Slice>) -> Block {
    let is_cine = slices.first().is_some_and(|s| s.layout.frames > 1);
    let mut warnings = Vec::new();
    if let Some(first) = slices.first() {
        if !first.is_calibrated {
            warnings.push(Warning::new("geometry.no_spacing", "no Pixel Spacing"));
        }
        // For a section through the body, a missing position is worth a word.
        if first.unit == mj_model::Unit::hu() {
            warnings.push(Warning::new("geometry.no_position", "no Image Position or Orientation"));
        }
    }
    let grid = match slices.as_slice() {
        [one] => Some(grid_of_slice(one)),
        _ => None,
    };
    Block { slices, kind: if is_cine { Kind::Cine } else { Kind::Stack }, grid, warnings }
}

/// Judges a sorted block of images at different places.
fn placed(slices: Vec<Slice>, normal: VectorLps) -> Block {
    let mut warnings = Vec::new();
    if slices.first().is_some_and(|s| !s.is_calibrated) {
        warnings.push(Warning::new("geometry.no_spacing", "no Pixel Spacing"));
    }
    if slices.windows(2).any(|pair| matches!(pair, [a, b] if a.frame_of_reference != b.frame_of_reference)) {
        warnings.push(Warning::new("geometry.frame_of_reference_varies", "Frame of Reference UID differs from slice to slice"));
    }
    let places: Vec<PointLps> = slices.iter().filter_map(|s| s.position).collect();
    let regular = match places.as_slice() {
        [] => None,
        [_] => {
            let grid = slices.first().map(grid_of_slice);
            return Block { slices, kind: Kind::Stack, grid, warnings };
        }
        places => judge(places, normal, &mut warnings),
    };
    if slices.len() < FEWEST {
        warnings.push(Warning::new("geometry.few_slices", format!("{} slices", slices.len())));
    }
    let is_volume = slices.len() >= FEWEST && slices.first().is_some_and(|s| s.is_calibrated);
    let grid = match (slices.first(), regular) {
        (Some(first), Some(distance)) if is_volume => {
            let mut grid = grid_of_slice(first);
            grid.dims[2] = slices.len();
            grid.spacing_mm[2] = distance;
            Some(grid)
        }
        _ => None,
    };
    Block { slices, kind: if grid.is_some() { Kind::Volume } else { Kind::Stack }, grid, warnings }
}

/// The distance between the slices of a straight and even stack; otherwise warnings and `None`.
/// `places` are sorted along the normal. Units: mm.
fn judge(places: &[PointLps], normal: VectorLps, warnings: &mut Vec<Warning>) -> Option<f64> {
    let (first, last) = (places.first()?, places.last()?);
    let along: Vec<f64> = places.iter().map(|p| (*p - *first).dot(normal)).collect();
    let extent = (*last - *first).dot(normal);
    let aside = places.iter().zip(&along).map(|(p, d)| (*p - *first - normal * *d).length()).fold(0.0, f64::max);
    let mut is_regular = extent > 0.0;
    if aside > 0.1 + 2e-3 * extent.abs() {
        let degrees = aside.atan2(extent.abs().max(1e-9)).to_degrees();
        warnings
            .push(Warning::new("geometry.gantry_tilt", format!("slices shift by {aside:.1} mm over {extent:.1} mm, {degrees:.1} degrees")));
        is_regular = false;
    }
    let gaps: Vec<f64> = along.windows(2).filter_map(|w| Some(w.last()? - w.first()?)).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get((sorted.len() - 1) / 2).copied()?;
    let is_near = |gap: f64, of: f64| (gap - of).abs() <= (EVEN * usual).max(0.01);
    if !gaps.iter().all(|&gap| is_near(gap, usual)) {
        let is_multiple = |gap: f64| usual > 0.0 && (gap / usual).round() >= 1.0 && is_near(gap, usual * (gap / usual).round());
        let code = if gaps.iter().all(|&gap| is_multiple(gap)) { "geometry.missing_slice" } else { "geometry.uneven_spacing" };
        warnings.push(Warning::new(code, distances(&gaps)));
        is_regular = false;
    }
    let mean = extent / gaps.len() as f64;
    // Small differences must not add up either.
    let drift = along.iter().enumerate().map(|(k, d)| (d - mean * k as f64).abs()).fold(0.0, f64::max);
    if is_regular && drift > 0.1 * mean {
        warnings.push(Warning::new("geometry.uneven_spacing", format!("positions drift by {drift:.2} mm")));
        is_regular = false;
    }
    is_regular.then_some(mean)
}

/// `distances 5.0, 5.0, 10.0 mm`, or their range when there are many.
fn distances(gaps: &[f64]) -> String {
    if gaps.len() <= 8 {
        let list: Vec<String> = gaps.iter().map(|g| format!("{g:.2}")).collect();
        return format!("distances {} mm", list.join(", "));
    }
    let (low, high) = gaps.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), g| (l.min(*g), h.max(*g)));
    format!("{} distances from {low:.2} to {high:.2} mm", gaps.len())
}

/// The grid of one image, one voxel thick. Without a place it lies at the origin, rows along x.
pub(super) fn grid_of_slice(slice: &Slice) -> Grid {
    let [i, j] = slice.axes.unwrap_or([VectorLps::new(1.0, 0.0, 0.0), VectorLps::new(0.0, 1.0, 0.0)]);
    let [si, sj] = slice.spacing_mm;
    Grid {
        dims: [slice.layout.columns as usize, slice.layout.rows as usize, 1],
        origin: slice.position.unwrap_or_default(),
        axes: [i, j, i.cross(j).unit().unwrap_or(VectorLps::new(0.0, 0.0, 1.0))],
        spacing_mm: [si, sj, slice.thickness_mm.unwrap_or(1.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(z_and_shift: &[(f64, f64)], spacing: Option<f64>, codes: &[&str]) {
        let places: Vec<PointLps> = z_and_shift.iter().map(|&(z, y)| PointLps::new(3.0, y, z)).collect();
        let mut warnings = Vec::new();
        let found = judge(&places, VectorLps::new(0.0, 0.0, 1.0), &mut warnings);
        assert_eq!(found.map(|d| (d * 1e6).round() / 1e6), spacing, "{z_and_shift:?} {warnings:?}");
        assert_eq!(warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), codes, "{z_and_shift:?}");
    }

    #[test]
    fn straight_even_blocks_only() {
        check(&[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (15.0, 0.0)], Some(5.0), &[]);
        check(&[(0.0, 0.0), (5.02, 0.0), (10.0, 0.01)], Some(5.0), &[]);
        check(&[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (20.0, 0.0)], None, &["geometry.missing_slice"]);
        check(&[(0.0, 0.0), (5.0, 0.0), (12.0, 0.0), (17.0, 0.0)], None, &["geometry.uneven_spacing"]);
        check(&[(0.0, 0.0), (5.0, 1.0), (10.0, 2.0)], None, &["geometry.gantry_tilt"]);
        check(&[(0.0, 0.0), (1.0, 1.0), (7.0, 2.0), (9.0, 3.0)], None, &["geometry.gantry_tilt", "geometry.uneven_spacing"]);
    }
}
