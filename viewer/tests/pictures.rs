//! Pictures of both makers against the plain reference, and against golden images.
//!
//! Rules of the comparison: values first, then grey; ±1 per 8-bit channel for slices, ±2 for projections, at
//! most 10 stray pixels; each golden image is at most 32 KiB. A failure writes the picture and a picture of the
//! differences beside the target folder. `MINGJING_BLESS=1` writes golden images anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

mod golden;

use mj_imaging::phantom::{Phantom, Spec, generate};
use mj_imaging::raycast::{self, Camera, Quality, Rendering, Seen, preset};
use mj_imaging::reslice::{self, MipIndex};
use mj_imaging::{Blocks, Interpolation, Picture, Plane, Projection, oracle, still, window};
use mj_model::{ColourImage, Curve, Grid, LinearMap, LookupTable, PointLps, Samples, Unit, VectorLps, Volume, Window};
use mj_render::{ColourTexture, Gpu, Painter, Storage, VolumeTexture};
use mj_viewer::reading::maker::{gpu_view, solid_look};
use mj_viewer::reading::slab::Slab;
use std::sync::OnceLock;

const SIDE: usize = 128;

fn phantom() -> &'static (Volume, Vec<u8>, serde_json::Value) {
    static MADE: OnceLock<(Volume, Vec<u8>, serde_json::Value)> = OnceLock::new();
    MADE.get_or_init(|| {
        let Phantom { current, labels, truth, .. } = generate(&Spec { seed: 7, slices: 64, size: 96 }, &|_, _| {}).unwrap();
        let stored = current.hu.iter().map(|&v| v.saturating_add(1024)).collect();
        let volume = Volume {
            modality: "CT".into(),
            map: LinearMap { slope: 1.0, intercept: -1024.0 },
            unit: Unit::hu(),
            ..Volume::of(current.grid, Samples::I16(stored))
        };
        (volume, labels, truth)
    })
}

/// The views of the golden images: name, plane, slab, whether it is a projection, window.
fn views() -> Vec<(&'static str, Plane, Option<Slab>, bool, Window)> {
    let (volume, ..) = phantom();
    let grid = &volume.grid;
    let centre = grid.centre();
    let soft = || Window::linear(40.0, 400.0, "");
    let oblique = Plane::oblique(grid, centre, VectorLps::new(0.3, 0.8, -0.5), SIDE, SIDE).unwrap();
    vec![
        ("axial", Plane::axial(grid, centre, SIDE, SIDE), None, false, soft()),
        ("coronal", Plane::coronal(grid, centre, SIDE, SIDE), None, false, soft()),
        ("sagittal", Plane::sagittal(grid, centre, SIDE, SIDE), None, false, soft()),
        ("oblique", oblique, None, false, Window::linear(-600.0, 1500.0, "")),
        ("slab", Plane::axial(grid, centre, SIDE, SIDE), Some(Slab { mm: 20.0, how: Projection::Max }), false, soft()),
        ("mip", Plane::coronal(grid, centre, SIDE, SIDE), None, true, Window::linear(500.0, 1400.0, "")),
    ]
}

fn cpu(volume: &Volume, plane: &Plane, slab: Option<Slab>, is_mip: bool) -> Picture {
    if is_mip {
        MipIndex::new(volume).project(volume, plane)
    } else if let Some(slab) = slab {
        reslice::slab(volume, plane, slab.mm, slab.how)
    } else {
        reslice::slice(volume, plane, Interpolation::Linear)
    }
}

fn plain(volume: &Volume, plane: &Plane, slab: Option<Slab>, is_mip: bool) -> Picture {
    if is_mip {
        oracle::mip(volume, plane)
    } else if let Some(slab) = slab {
        oracle::slab(volume, plane, slab.mm, slab.how)
    } else {
        oracle::slice(volume, plane, Interpolation::Linear)
    }
}

/// Values differ by at most `most`, but for a few pixels at the rim where rounding decides inside or outside.
fn assert_values(name: &str, made: &[f32], wanted: &Picture, most: f32) {
    let mut stray = 0;
    let mut worst = 0.0_f32;
    for (a, b) in made.iter().zip(&wanted.values) {
        match (a.is_nan(), b.is_nan()) {
            (true, true) => {}
            (false, false) => {
                worst = worst.max((a - b).abs());
                if (a - b).abs() > most {
                    stray += 1;
                }
            }
            _ => stray += 1,
        }
    }
    assert_eq!(made.len(), wanted.values.len());
    assert!(stray <= 10, "{name}: {stray} pixels differ by more than {most} (worst {worst})");
    assert!(wanted.values.iter().filter(|v| !v.is_nan()).count() > 1000, "{name} shows nothing");
}

fn gpu() -> Option<Painter> {
    match Gpu::headless() {
        Ok(gpu) => Some(Painter::new(gpu)),
        Err(e) => {
            mj_testdata::skip(&format!("no graphics device: {e}"));
            None
        }
    }
}

fn drawn(
    painter: &Painter,
    volume: &Volume,
    storage: Storage,
    plane: &Plane,
    slab: Option<Slab>,
    is_mip: bool,
    shown: &Window,
) -> (Vec<f32>, Vec<u8>) {
    let texture = VolumeTexture::upload_as(painter.gpu(), volume, storage).unwrap();
    let target = painter.target(plane.width, plane.height).unwrap();
    painter.draw_values(&target, &texture, &gpu_view(volume, plane, slab, is_mip)).unwrap();
    painter.draw_grey(&target, shown, false);
    (painter.read_values(&target).unwrap(), painter.read_grey(&target).unwrap())
}

#[test]
fn the_cpu_maker_agrees_with_the_plain_reference_and_the_golden_images() {
    let (volume, ..) = phantom();
    for (name, plane, slab, is_mip, shown) in views() {
        let made = cpu(volume, &plane, slab, is_mip);
        assert_values(name, &made.values, &plain(volume, &plane, slab, is_mip), 0.05);
        golden::check(name, SIDE, SIDE, &window::grey(&made, &shown, false), if is_mip { 2 } else { 1 });
    }
}

#[test]
fn the_gpu_maker_agrees_with_the_plain_reference_and_the_golden_images() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let best = Storage::best(&painter.gpu().device, &volume.samples);
    for (name, plane, slab, is_mip, shown) in views() {
        let (values, grey) = drawn(&painter, volume, best, &plane, slab, is_mip, &shown);
        // Slices and slabs are summed exactly. A projection takes the hardware's filter, which works with 8 bits of
        // fraction: between air and bone (2000 HU) that is 4 HU an axis.
        assert_values(name, &values, &plain(volume, &plane, slab, is_mip), if is_mip { 8.0 } else { 1.0 });
        golden::check(name, SIDE, SIDE, &grey, if is_mip { 2 } else { 1 });
    }
}

/// The tolerance of the golden images is small enough to see a volume that is wrong by a voxel, turned round, or lacks
/// a slice: every picture that it is in must fail.
#[test]
fn golden_images_see_what_is_wrong_by_a_voxel() {
    let (volume, ..) = phantom();
    let Samples::I16(stored) = &volume.samples else { panic!("not i16") };
    let [ni, nj, nk] = volume.grid.dims;
    let slice = ni * nj;
    let moved = |from: &dyn Fn([usize; 3]) -> [usize; 3]| {
        let at = |n: usize| [n % ni, n / ni % nj, n / slice];
        let samples = (0..stored.len()).map(|n| {
            let [i, j, k] = from(at(n));
            stored[k.min(nk - 1) * slice + j.min(nj - 1) * ni + i.min(ni - 1)]
        });
        Volume { samples: Samples::I16(samples.collect()), ..volume.clone() }
    };
    let middle = nk / 2;
    // Turned round about its middle, what is cut through the middle stays; and a projection does not know what lies before
    // what.
    let mutants: [(&str, Volume, &[&str]); 7] = [
        ("a voxel to the left", moved(&|[i, j, k]| [i + 1, j, k]), &[][..]),
        ("a voxel to the front", moved(&|[i, j, k]| [i, j + 1, k]), &["mip"][..]),
        ("a slice up", moved(&|[i, j, k]| [i, j, k + 1]), &[][..]),
        ("left and right", moved(&|[i, j, k]| [ni - 1 - i, j, k]), &["sagittal"][..]),
        ("front and back", moved(&|[i, j, k]| [i, nj - 1 - j, k]), &["coronal", "mip"][..]),
        ("head and feet", moved(&|[i, j, k]| [i, j, nk - 1 - k]), &["axial", "slab"][..]),
        ("a slice lacks", moved(&|[i, j, k]| [i, j, if k >= middle { k + 1 } else { k }]), &[][..]),
    ];
    let mut missed = Vec::new();
    for (mutant, wrong, hidden) in &mutants {
        for (name, plane, slab, is_mip, shown) in views() {
            let most = if is_mip { 2 } else { 1 };
            let grey = window::grey(&cpu(wrong, &plane, slab, is_mip), &shown, false);
            for most in [most, 2] {
                if !hidden.contains(&name) && !golden::would_fail(name, SIDE, SIDE, &grey, most) {
                    missed.push(format!("{name} within {most}: {mutant}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "not seen: {missed:#?}");
}

/// Both makers show the same shapes, from several sides, cut open, of every kind of sample, in fine and coarse steps; and
/// the tolerance would see a voxel.
#[test]
fn shapes_are_the_same_on_the_gpu() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let Samples::I16(stored) = &volume.samples else { panic!("not i16") };
    let grid = &volume.grid;
    let centre = grid.centre();
    let best = Storage::best(&painter.gpu().device, &volume.samples);
    let with = |samples, map| Volume { samples, map, ..volume.clone() };
    let floats = with(Samples::F32(stored.iter().map(|&s| f32::from(s) * 0.5).collect()), LinearMap { slope: 2.0, intercept: -1024.0 });
    let whole = with(Samples::U16(stored.iter().map(|&s| s.max(0) as u16).collect()), volume.map);
    let front = Plane::coronal(grid, centre, SIDE, SIDE);
    let oblique = Plane::oblique(grid, centre, VectorLps::new(0.5, 0.6, -0.4), SIDE, SIDE).unwrap();
    let near = Plane { mm_per_pixel: oblique.mm_per_pixel / 2.5, ..oblique };
    let half = Some((PointLps::new(-1e6, centre.y, -1e6), PointLps::new(1e6, 1e6, centre.z + 30.0)));
    let cases = [
        ("bone", volume, best, front, None, 0.35),
        ("soft_tissue", volume, Storage::Int16, oblique, None, 0.35),
        ("lung", &whole, Storage::Uint16, near, None, 0.7),
        ("skin", &floats, Storage::FloatLoaded, front, half, 1.4),
        ("vessels", volume, best, near, half, 0.35),
    ];
    let shifted = with(Samples::I16(stored.iter().skip(1).copied().chain([0]).collect()), volume.map);
    for (name, volume, storage, plane, clip, step_mm) in cases {
        let function = preset::of_modality("CT").unwrap().into_iter().find(|p| p.name == name).unwrap().function;
        let blocks = Blocks::new(volume);
        let seen = Seen::new(volume, &blocks, &function).unwrap();
        let ours = raycast::render(volume, &seen, &Camera::parallel(plane), clip, Quality { step_mm, pixels_per_ray: 1 });
        let look = solid_look(painter.gpu(), volume, &blocks, &function, step_mm).unwrap();
        let view = mj_render::View { step_mm, samples: 1, ..gpu_view(volume, &plane, None, false) };
        let drawn = |volume: &Volume| {
            let texture = VolumeTexture::upload_as(painter.gpu(), volume, storage).unwrap();
            let target = painter.target(SIDE, SIDE).unwrap();
            painter.draw_solid(&target, &texture, &look, &view, clip).unwrap();
            painter.read_colour(&target).unwrap()
        };
        // Where the hardware filters, it does so with 8 bits of fraction.
        let most = if storage.is_filtered() { 8 } else { 4 };
        let stray = |theirs: &[[u8; 3]]| {
            let pairs = ours.rgba.chunks_exact(4).zip(theirs);
            pairs.filter(|(a, b)| a.iter().zip(b.iter()).any(|(a, b)| a.abs_diff(*b) > most)).count()
        };
        let theirs = drawn(volume);
        let bright = theirs.iter().filter(|c| c[0] > 60).count();
        assert!(bright > 500, "{name} shows only {bright} pixels");
        assert!(stray(&theirs) <= SIDE * SIDE / 200, "{name}: {} pixels differ by more than {most}", stray(&theirs));
        if storage == best || storage == Storage::Int16 {
            let wrong = stray(&drawn(&shifted));
            assert!(wrong > SIDE * SIDE / 50, "{name}: a voxel aside only {wrong} pixels differ");
        }
    }
}

/// A volume in bricks, as of one longer than the card takes: values as the plain reference has them, in every view, filtered
/// by the card and by hand, cut along one axis, two and all.
#[test]
fn volumes_in_bricks_agree_with_the_plain_reference() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let best = Storage::best(&painter.gpu().device, &volume.samples);
    for (name, plane, slab, is_mip, _) in views() {
        let wanted = plain(volume, &plane, slab, is_mip);
        for (storage, most) in [(best, 8.0_f32), (Storage::Int16, 0.1)] {
            let of = |longest| {
                let texture = VolumeTexture::upload_cut(painter.gpu(), volume, storage, longest).unwrap();
                let target = painter.target(SIDE, SIDE).unwrap();
                painter.draw_values(&target, &texture, &gpu_view(volume, &plane, slab, is_mip)).unwrap();
                (texture.bytes(), painter.read_values(&target).unwrap())
            };
            let (bytes, whole) = of(96);
            for longest in [64, 40, 17] {
                let (more, values) = of(longest);
                assert!(more > bytes, "not cut");
                assert_values(&format!("{name} of {longest}"), &values, &wanted, if is_mip { most.max(0.2) } else { most });
                let same = if storage.is_filtered() { most } else { 1e-3 };
                let apart = whole.iter().zip(&values).filter(|(a, b)| a.is_nan() != b.is_nan() || (*a - *b).abs() > same).count();
                assert_eq!(apart, 0, "{name}: {apart} pixels are not those of the volume in one piece");
            }
        }
    }
}

/// And shapes, whose gradients reach over the cuts, are those of the volume in one piece.
#[test]
fn shapes_in_bricks_are_those_of_one_piece() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let grid = &volume.grid;
    let blocks = Blocks::new(volume);
    let best = Storage::best(&painter.gpu().device, &volume.samples);
    let plane = Plane::oblique(grid, grid.centre(), VectorLps::new(0.5, 0.6, -0.4), SIDE, SIDE).unwrap();
    for (storage, preset) in [(best, "bone"), (Storage::Int16, "soft_tissue")] {
        let function = preset::of_modality("CT").unwrap().into_iter().find(|p| p.name == preset).unwrap().function;
        let look = solid_look(painter.gpu(), volume, &blocks, &function, 0.35).unwrap();
        let view = mj_render::View { step_mm: 0.35, samples: 1, ..gpu_view(volume, &plane, None, false) };
        let of = |longest| {
            let texture = VolumeTexture::upload_cut(painter.gpu(), volume, storage, longest).unwrap();
            let target = painter.target(SIDE, SIDE).unwrap();
            painter.draw_solid(&target, &texture, &look, &view, None).unwrap();
            painter.read_colour(&target).unwrap()
        };
        let whole = of(96);
        assert!(whole.iter().filter(|c| c[0] > 60).count() > 500, "{preset} shows nothing");
        let most = if storage.is_filtered() { 8 } else { 1 };
        let apart = whole.iter().zip(of(40)).filter(|(a, b)| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > most)).count();
        assert!(apart <= 10, "{preset}: {apart} pixels are not those of the volume in one piece");
    }
}

/// Slabs of the lowest and of the mean value too, on both makers.
#[test]
fn slabs_of_every_kind_agree_with_the_plain_reference() {
    let painter = gpu();
    let (volume, ..) = phantom();
    let plane = views().remove(3).1;
    for how in [Projection::Max, Projection::Min, Projection::Mean] {
        let slab = Some(Slab { mm: 15.0, how });
        let wanted = plain(volume, &plane, slab, false);
        assert_values(&format!("{how:?}"), &cpu(volume, &plane, slab, false).values, &wanted, 0.05);
        if let Some(painter) = &painter {
            let (values, _) = drawn(painter, volume, Storage::Int16, &plane, slab, false, &Window::linear(40.0, 400.0, ""));
            assert_values(&format!("{how:?} on the card"), &values, &wanted, 0.2);
        }
    }
}

#[test]
fn integers_filtered_by_hand_are_exact() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let (name, plane, slab, is_mip, shown) = views().remove(3);
    let (values, _) = drawn(&painter, volume, Storage::Int16, &plane, slab, is_mip, &shown);
    assert_values(name, &values, &plain(volume, &plane, slab, is_mip), 0.1);
}

#[test]
fn floats_and_bytes_are_drawn_too() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let Samples::I16(stored) = &volume.samples else { panic!("not i16") };
    let (name, plane, slab, is_mip, shown) = views().remove(1);
    let floats = Volume { samples: Samples::F32(stored.iter().map(|&s| f32::from(s) / 3.0).collect()), ..volume.clone() };
    let (values, _) = drawn(&painter, &floats, Storage::FloatLoaded, &plane, slab, is_mip, &shown);
    assert_values(name, &values, &plain(&floats, &plane, slab, is_mip), 0.1);
    let bytes = Volume { samples: Samples::U8(stored.iter().map(|&s| (s / 16).clamp(0, 255) as u8).collect()), ..volume.clone() };
    let (values, _) = drawn(&painter, &bytes, Storage::Norm8, &plane, slab, is_mip, &shown);
    assert_values(name, &values, &plain(&bytes, &plane, slab, is_mip), 2.5);
}

/// Values far below 1, as of diffusion or dose, have greys on the graphics card as the standard writes them.
#[test]
fn small_values_have_greys_on_the_gpu() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let Samples::I16(stored) = &volume.samples else { panic!("not i16") };
    let (name, plane, slab, is_mip, _) = views().remove(1);
    let small = Volume { samples: Samples::F32(stored.iter().map(|&s| f32::from(s) * 1e-6).collect()), ..volume.clone() };
    let small = Volume { map: LinearMap::default(), ..small };
    assert!(!small.has_whole_values());
    for (center, width) in [(0.0011, 0.0004), (0.001, 0.9), (0.5, 1.5)] {
        let shown = small.own_window(center, width, "");
        let (values, grey) = drawn(&painter, &small, Storage::FloatLoaded, &plane, slab, is_mip, &shown);
        for (value, grey) in values.iter().zip(&grey).filter(|(v, _)| !v.is_nan()) {
            let wanted = window::plain(f64::from(*value), &shown);
            assert!((wanted - f64::from(*grey)).abs() <= 1.0, "{name}: {value} is {grey}, not {wanted}");
        }
        assert!(width > 0.1 || grey.iter().filter(|g| (1..255).contains(*g)).count() > 1000, "a threshold");
    }
}

/// Sigmoids and lookup tables have the greys of the standard on the graphics card.
#[test]
fn curves_and_tables_have_their_greys_on_the_gpu() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let (name, plane, slab, is_mip, _) = views().remove(1);
    let sigmoid = Window { curve: Curve::Sigmoid, ..Window::linear(40.0, 300.0, "") };
    // Longer than a row of its texture, not a multiple of it, and neither rising nor falling.
    let entries: Vec<u16> = (0..1001_u32).map(|n| (n * 37 % 4096) as u16).collect();
    let table = |entries| Window::of_table(LookupTable { first: -300, entries, white: 4095 }, "").unwrap();
    for shown in [sigmoid, table(entries), table(vec![100, 4000]), table(vec![2048])] {
        let best = Storage::Int16;
        let (values, grey) = drawn(&painter, volume, best, &plane, slab, is_mip, &shown);
        let mut stray = 0;
        for (value, grey) in values.iter().zip(&grey).filter(|(v, _)| !v.is_nan()) {
            let wanted = window::plain(f64::from(*value), &shown);
            stray += usize::from((wanted - f64::from(*grey)).abs() > 1.0);
        }
        assert_eq!(stray, 0, "{name}: {:?}", shown.middle_and_span());
        assert_eq!(grey.len(), window::grey(&cpu(volume, &plane, slab, is_mip), &shown, false).len());
    }
}

/// Both makers show the same colours, at their own size, magnified, moved and made brighter.
#[test]
fn colours_are_the_same_on_the_gpu() {
    let Some(painter) = gpu() else { return };
    let (volume, ..) = phantom();
    let grid = Grid { dims: [40, 30, 1], ..volume.grid };
    let rgb = (0..40 * 30_u32).map(|n| [(n * 7 % 256) as u8, (n / 40 * 8) as u8, (n * n % 251) as u8]).collect();
    let image = ColourImage { grid, rgb };
    // In one piece and in bricks, as an image larger than the card takes.
    let textures = [u32::MAX, 16].map(|longest| ColourTexture::upload_cut(painter.gpu(), &image, longest).unwrap());
    let fitted = Plane {
        centre: grid.centre(),
        right: grid.axes[0],
        down: grid.axes[1],
        mm_per_pixel: grid.spacing_mm[0],
        width: SIDE,
        height: SIDE,
    };
    let near = Plane { mm_per_pixel: grid.spacing_mm[0] / 7.3, centre: grid.centre() + grid.axes[0] * 5.1, ..fitted };
    for (plane, most) in [(fitted, 2), (near, 3)] {
        let tones = [(Window::linear(128.0, 256.0, ""), false), (Window::linear(90.0, 150.0, ""), true)];
        for ((shown, is_inverted), texture) in tones.iter().flat_map(|tone| textures.iter().map(move |texture| (tone, texture))) {
            let (is_inverted, target) = (*is_inverted, painter.target(SIDE, SIDE).unwrap());
            painter.draw_colour(&target, texture, &gpu_view(volume, &plane, None, false), shown, is_inverted).unwrap();
            let theirs = painter.read_colour(&target).unwrap();
            let mut ours = still::colours(&image, &plane);
            let inside = ours.iter().filter(|c| **c != [0; 3]).count();
            still::toned(&mut ours, shown, is_inverted);
            // Outside the image stays black, inverted or not.
            let picture = Plane { ..plane };
            let is_in = |n: usize| grid.nearest_voxel(picture.lps_from_pixel([(n % SIDE) as f64, (n / SIDE) as f64])).is_some();
            let stray = (0..ours.len()).filter(|&n| is_in(n) && ours[n].iter().zip(theirs[n]).any(|(a, b)| a.abs_diff(b) > most)).count();
            let edge = (0..ours.len()).filter(|&n| !is_in(n) && theirs[n] != [0; 3]).count();
            assert!(stray <= 10 && edge <= 10, "{stray} pixels differ by more than {most}, {edge} outside are not black");
            assert!(inside > 1000, "nothing shown");
        }
    }
}

/// Volume rendering from the front: the heart is on the right of the picture, the liver on the left and below it; from
/// behind they change sides; and what lies in front hides what lies behind.
#[test]
fn volume_rendering_is_seen_from_the_front() {
    let (volume, labels, truth) = phantom();
    let preset = preset::of_modality("CT").unwrap().into_iter().find(|p| p.name == "soft_tissue").unwrap();
    let draw = |samples: Samples, camera: &Camera| {
        let marked = Volume { samples, ..volume.clone() };
        let seen = Seen::new(&marked, &Blocks::new(&marked), &preset.function).unwrap();
        raycast::render(&marked, &seen, camera, None, Quality::FINAL)
    };
    // Only one organ is left of the body; everything else is air.
    let only = |name: &str| {
        let rows = truth["labels"].as_array().unwrap();
        let row = rows.iter().find(|r| r["name_en"].as_str().unwrap().to_lowercase().contains(name)).unwrap();
        let value = row["value"].as_u64().unwrap() as u8;
        Samples::I16(labels.iter().map(|l| if *l == value { 1324 } else { 0 }).collect())
    };
    let centre = volume.grid.centre();
    let front = Camera::parallel(Plane::coronal(&volume.grid, centre, SIDE, SIDE));
    let back = Camera::parallel(Plane::oblique(&volume.grid, centre, VectorLps::new(0.0, -1.0, 0.0), SIDE, SIDE).unwrap());
    let middle = |picture: &Rendering| {
        let (mut sum, mut at) = (0.0, [0.0; 2]);
        for (n, pixel) in picture.rgba.chunks_exact(4).enumerate() {
            let weight = f64::from(pixel[3]);
            sum += weight;
            at = [at[0] + weight * (n % SIDE) as f64, at[1] + weight * (n / SIDE) as f64];
        }
        assert!(sum > 1000.0, "nothing is seen");
        [at[0] / sum, at[1] / sum]
    };
    let half = SIDE as f64 / 2.0;
    let (heart, liver) = (middle(&draw(only("heart"), &front)), middle(&draw(only("liver"), &front)));
    assert!(heart[0] > half + 2.0, "the heart is on the left of the picture: {heart:?}");
    assert!(liver[0] < half - 2.0, "the liver is on the right of the picture: {liver:?}");
    assert!(heart[1] < liver[1], "the heart is below the liver: {heart:?} {liver:?}");
    let heart_from_behind = middle(&draw(only("heart"), &back));
    assert!(heart_from_behind[0] < half - 2.0, "from behind: {heart_from_behind:?}");

    // A thin plate before the middle hides one behind it, and not the other way round.
    let [ni, nj, nk] = volume.grid.dims;
    let plates = |j_thin: usize, j_dense: usize| {
        let mut stored = vec![0_i16; ni * nj * nk];
        for (at, s) in stored.iter_mut().enumerate() {
            let (i, j) = (at % ni, at / ni % nj);
            // 170 HU is soft and red, 1500 HU dense and white.
            let inside = (ni / 4..3 * ni / 4).contains(&i);
            *s = if inside && j.abs_diff(j_thin) <= 3 {
                1194
            } else if inside && j.abs_diff(j_dense) <= 3 {
                2524
            } else {
                0
            };
        }
        Samples::I16(stored)
    };
    let pixel = |picture: &Rendering| {
        let at = (SIDE / 2 * SIDE + SIDE / 2) * 4;
        [0, 1, 2].map(|c| i32::from(picture.rgba[at + c]))
    };
    let redness = |[r, g, _]: [i32; 3]| r - g;
    let (soft_first, dense_first) = (pixel(&draw(plates(nj / 4, nj / 2), &front)), pixel(&draw(plates(nj / 2, nj / 4), &front)));
    assert!(redness(soft_first) > redness(dense_first) + 15, "{soft_first:?} {dense_first:?}");
}

/// The heart lies on the patient's left, which is on the right of the picture; the liver on the other side.
#[test]
fn left_and_right_are_not_turned_round() {
    let (volume, labels, truth) = phantom();
    let value_of = |name: &str| {
        let rows = truth["labels"].as_array().unwrap();
        rows.iter().find(|r| r["name_en"].as_str().unwrap().to_lowercase().contains(name)).unwrap()["value"].as_u64().unwrap() as u8
    };
    let middle_of = |value: u8| {
        let [ni, nj, _] = volume.grid.dims;
        let (mut sum, mut n) = ([0.0; 3], 0.0);
        for (at, _) in labels.iter().enumerate().filter(|(_, l)| **l == value) {
            let p: [f64; 3] = volume.grid.lps_from_voxel([(at % ni) as f64, (at / ni % nj) as f64, (at / (ni * nj)) as f64]).into();
            for (s, v) in sum.iter_mut().zip(p) {
                *s += v;
            }
            n += 1.0;
        }
        PointLps::from(sum.map(|s| s / n))
    };
    let (heart, liver) = (middle_of(value_of("heart")), middle_of(value_of("liver")));
    for plane in [Plane::axial, Plane::coronal] {
        let [x, _] = plane(&volume.grid, volume.grid.centre(), SIDE, SIDE).pixel_from_lps(heart);
        assert!(x > SIDE as f64 / 2.0, "the heart is on the left of the picture");
        let [x, _] = plane(&volume.grid, volume.grid.centre(), SIDE, SIDE).pixel_from_lps(liver);
        assert!(x < SIDE as f64 / 2.0, "the liver is on the right of the picture");
    }
    // And the picture itself: enhanced liver tissue where the liver should be, lung on the other side of it.
    let through = Plane::coronal(&volume.grid, volume.grid.centre(), SIDE, SIDE).through(liver);
    let picture = cpu(volume, &through, None, false);
    let [x, y] = through.pixel_from_lps(liver).map(|v| v.round() as usize);
    let value = picture.value(x, y).unwrap();
    assert!((20.0..250.0).contains(&value), "no liver at the liver's place: {value} HU");
}
