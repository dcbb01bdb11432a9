//! Which images lie in one block, in which order, and whether the block is straight and even.

use super::Kind;
use super::apart::{self, Apart, Part, Trait};
use super::frame::Slice;
use super::resample::Plan;
use mj_model::{Grid, PointLps, VectorLps, Warning};

/// Images whose directions differ by less are parallel. Units: sine of the angle.
const PARALLEL: f64 = 2e-3;
/// Relative difference of distances that still counts as even.
const EVEN: f64 = 0.02;
/// Fewest slices of a volume.
pub(super) const FEWEST: usize = 3;
/// So few images across the others of a series are localizers.
const FEW_ACROSS: usize = 5;
/// Most orientations of localizers.
const MOST_PLANES: usize = 4;
/// Planes at right angles, within this. Units: cosine of the angle.
const ACROSS: f64 = 0.1;

/// Images that belong together, sorted.
pub(super) struct Block {
    pub slices: Vec<Slice>,
    pub kind: Kind,
    pub grid: Option<Grid>,
    /// How the grid is filled, where the slices themselves do not form one.
    pub resampling: Option<Plan>,
    /// What it differs in from the other blocks of the series.
    pub apart: Vec<Apart>,
    pub warnings: Vec<Warning>,
}

impl Block {
    /// Of objects without images.
    pub(super) const fn without_images() -> Self {
        Self { slices: Vec::new(), kind: Kind::Document, grid: None, resampling: None, apart: Vec::new(), warnings: Vec::new() }
    }
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
    // Many orientations are a turning projection, no localizers.
    let may_be_across = orientations <= MOST_PLANES;
    let localizers: Vec<bool> = (0..groups.len()).map(|at| is_localizer(&groups, at, may_be_across)).collect();
    let mut blocks: Vec<Block> = Vec::new();
    for (group, is_localizer) in groups.into_iter().zip(localizers) {
        if is_localizer { blocks.push(localizer(group)) } else { blocks.extend(blocks_of(group)) }
    }
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

/// True for images that Image Type calls localizers, and for a few images at right angles to others of the series.
fn is_localizer(groups: &[Vec<Slice>], at: usize, may_be_across: bool) -> bool {
    let Some((group, first)) = groups.get(at).and_then(|group| Some((group, group.first()?))) else { return false };
    let is_across = |other: &Vec<Slice>| {
        let pair = first.normal().zip(other.first().and_then(Slice::normal));
        pair.is_some_and(|(a, b)| a.dot(b).abs() < ACROSS)
    };
    first.is_localizer || (may_be_across && group.len() <= FEW_ACROSS && groups.iter().any(is_across))
}

/// Images that only show where others lie: never a volume.
fn localizer(mut group: Vec<Slice>) -> Block {
    group.sort_by_key(|s| s.order);
    let grid = match group.as_slice() {
        [one] => Some(grid_of_slice(one)),
        _ => None,
    };
    let text = format!("{} images", group.len());
    let mut warnings = vec![Warning::new("geometry.localizer", text)];
    if group.first().is_some_and(|s| !s.is_calibrated) {
        warnings.push(Warning::new("geometry.no_spacing", "no Pixel Spacing"));
    }
    Block { slices: group, kind: Kind::Stack, grid, resampling: None, apart: Vec::new(), warnings }
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
        // Localizers of several planes are one stack.
        (Some(_), Some(_)) if a.is_localizer && b.is_localizer => true,
        (Some([ai, aj]), Some([bi, bj])) => (ai - bi).length() < PARALLEL && (aj - bj).length() < PARALLEL,
        // Frames without a place only belong to their own object; single images to each other.
        (None, None) => a.file == b.file || (a.layout.frames == 1 && b.layout.frames == 1),
        _ => false,
    };
    let [ax, ay] = a.spacing_mm;
    let [bx, by] = b.spacing_mm;
    is_same_plane
        && a.is_localizer == b.is_localizer
        && a.stack_id == b.stack_id
        && (a.layout.rows, a.layout.columns, a.layout.samples_per_pixel) == (b.layout.rows, b.layout.columns, b.layout.samples_per_pixel)
        && (a.layout.bits_allocated, a.layout.is_signed, a.layout.is_float)
            == (b.layout.bits_allocated, b.layout.is_signed, b.layout.is_float)
        && a.layout.photometric == b.layout.photometric
        && a.look.is_inverted == b.look.is_inverted
        && a.has_modality_lut == b.has_modality_lut
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
    let depth = |s: &Slice| s.position.map_or(0.0, |p| (p - first).dot(normal));
    group.sort_by(|a, b| depth(a).total_cmp(&depth(b)).then(a.order.cmp(&b.order)));
    let layers = apart::layers(group);
    let most = layers.iter().map(Vec::len).max().unwrap_or(1);
    if layers.len() < FEWEST && most > layers.len() {
        return layers.into_iter().flat_map(|layer| in_time(layer, normal)).collect();
    }
    let parts: Vec<Part> = apart::part(layers.into_iter().flatten().collect());
    parts
        .into_iter()
        .flat_map(|(slices, apart)| {
            let is_even = |part: &[Slice]| is_even(&part.iter().map(depth).collect::<Vec<_>>());
            let has_doubles = slices.windows(2).any(|pair| matches!(pair, [a, b] if apart::is_same_place(a, b)));
            let others = if has_doubles || is_even(&slices) { None } else { apart::overlapping(&slices, is_even, depth) };
            let parts = others.unwrap_or_else(|| vec![(slices, Vec::new())]);
            parts.into_iter().map(move |(slices, more)| (slices, [apart.clone(), more].concat())).collect::<Vec<_>>()
        })
        .flat_map(|(slices, apart)| counted(slices, &apart, normal))
        .collect()
}

/// Images of one place: frames in time where a time tells them apart.
fn in_time(slices: Vec<Slice>, normal: VectorLps) -> Vec<Block> {
    match apart::difference(&slices) {
        Some(what) if slices.len() > 1 => {
            let warnings = Vec::new();
            let kind = if what.is_time() { Kind::Cine } else { Kind::Stack };
            let mut slices = slices;
            slices.sort_by_key(|s| s.order);
            vec![Block { slices, kind, grid: None, resampling: None, apart: Vec::new(), warnings }]
        }
        _ => counted(slices, &[], normal),
    }
}

/// Blocks out of images whose repeats nothing tells apart: the first of each place, the second of each place, and so on.
/// The same number everywhere are sets of images, otherwise they are repeats, which a reader must know of.
fn counted(slices: Vec<Slice>, apart: &[Apart], normal: VectorLps) -> Vec<Block> {
    let layers = apart::layers(slices);
    let most = layers.iter().map(Vec::len).max().unwrap_or(1);
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
    let named = |(at, slices): (usize, Vec<Slice>)| {
        let mut block = placed(slices, normal);
        block.warnings.extend(duplicates.clone());
        block.apart = apart.to_vec();
        if most > 1 {
            block.apart.push(Apart { what: Trait::Set, value: (at + 1).to_string() });
        }
        block
    };
    blocks.into_iter().enumerate().map(named).collect()
}

fn places(slices: &[Slice]) -> Vec<PointLps> {
    slices.iter().filter_map(|s| s.position).collect()
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
    let kind = if is_cine { Kind::Cine } else { Kind::Stack };
    Block { slices, kind, grid, resampling: None, apart: Vec::new(), warnings }
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
    let places = places(&slices);
    if places.len() < 2 {
        let grid = slices.first().map(grid_of_slice);
        return Block { slices, kind: Kind::Stack, grid, resampling: None, apart: Vec::new(), warnings };
    }
    let judged = judge(&places, normal, &mut warnings);
    let (mut grid, mut resampling) = (None, None);
    if slices.len() < FEWEST {
        warnings.push(Warning::new("geometry.few_slices", format!("{} slices", slices.len())));
    } else if slices.first().is_some_and(|s| s.is_calibrated) {
        match judged {
            Ok(distance) => {
                grid = slices.first().map(grid_of_slice).map(|mut grid| {
                    grid.dims[2] = slices.len();
                    grid.spacing_mm[2] = distance;
                    grid
                });
            }
            Err(usual) => resampling = resampled(&slices, normal, usual, &mut warnings),
        }
        grid = grid.or_else(|| resampling.as_ref().map(|plan| plan.grid));
    }
    let kind = if grid.is_some() { Kind::Volume } else { Kind::Stack };
    Block { slices, kind, grid, resampling, apart: Vec::new(), warnings }
}

/// The plan for a bent stack, with the words that belong on the picture; none where it stays a stack of images.
fn resampled(slices: &[Slice], normal: VectorLps, usual_mm: f64, warnings: &mut Vec<Warning>) -> Option<Plan> {
    match Plan::of(slices, normal, usual_mm) {
        Ok(plan) => {
            let text = format!("{} slices to {} planes at {:.2} mm", slices.len(), plan.grid.dims[2], plan.grid.spacing_mm[2]);
            warnings.push(Warning::new("geometry.resampled", text));
            if plan.n_holes > 0 {
                let text = format!("{} gaps, {} empty planes", plan.n_holes, plan.n_empty());
                warnings.push(Warning::new("geometry.gap_left_empty", text));
            }
            Some(plan)
        }
        Err(why) => {
            warnings.push(Warning::new("geometry.not_resampled", why));
            None
        }
    }
}

/// The distance between the slices of a straight and even stack; otherwise warnings, and the usual distance as the error.
/// `places` are sorted along the normal. Units: mm.
fn judge(places: &[PointLps], normal: VectorLps, warnings: &mut Vec<Warning>) -> Result<f64, f64> {
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return Err(0.0) };
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
    let gaps = gaps(&along);
    let usual = usual(&gaps);
    if !is_even(&along) {
        let is_missing = gaps.iter().all(|&gap| is_multiple(gap, usual));
        let code = if is_missing { "geometry.missing_slice" } else { "geometry.uneven_spacing" };
        warnings.push(Warning::new(code, distances(&gaps)));
        is_regular = false;
    }
    let mean = extent / gaps.len().max(1) as f64;
    // Small differences must not add up either.
    let drift = along.iter().enumerate().map(|(k, d)| (d - mean * k as f64).abs()).fold(0.0, f64::max);
    if is_regular && drift > 0.1 * mean {
        warnings.push(Warning::new("geometry.uneven_spacing", format!("positions drift by {drift:.2} mm")));
        is_regular = false;
    }
    if is_regular { Ok(mean) } else { Err(usual) }
}

/// Distances between neighbours. Units: mm.
pub(super) fn gaps(along: &[f64]) -> Vec<f64> {
    along.windows(2).filter_map(|w| Some(w.last()? - w.first()?)).collect()
}

/// True when all distances are alike. `along` is sorted. Units: mm.
fn is_even(along: &[f64]) -> bool {
    let gaps = gaps(along);
    let usual = usual(&gaps);
    gaps.iter().all(|&gap| is_near(gap, usual, usual))
}

/// The lower median of distances.
fn usual(gaps: &[f64]) -> f64 {
    let mut sorted = gaps.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

fn is_near(gap: f64, of: f64, usual: f64) -> bool {
    (gap - of).abs() <= (EVEN * usual).max(0.01)
}

/// True when a gap is once or several times the usual distance.
pub(super) fn is_multiple(gap: f64, usual: f64) -> bool {
    let times = (gap / usual).round();
    usual > 0.0 && times >= 1.0 && is_near(gap, usual * times, usual)
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
        assert_eq!(found.ok().map(|d| (d * 1e6).round() / 1e6), spacing, "{z_and_shift:?} {warnings:?}");
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
