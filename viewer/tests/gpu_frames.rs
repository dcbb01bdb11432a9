//! Frame times on a graphics card, of volumes as large as they come: `cargo xtask bench gpu`.
//!
//! Needs nothing beside itself, so that the built test can be carried to a machine that has a card:
//! `gpu_frames --ignored --nocapture`. `OUT` names a folder for a picture of the largest volume. On a software
//! device it is skipped; `MINGJING_BENCH_SOFTWARE=1` runs it there with small volumes, which shows that it works and
//! says nothing about speed.

#![allow(clippy::unwrap_used, reason = "what goes wrong fails the test, with its place")]
#![expect(clippy::print_stdout, reason = "the tables, for whoever runs it without xtask")]

use mj_imaging::phantom::{Scan, Spec, generate};
use mj_imaging::raycast::{Quality, preset};
use mj_imaging::{Blocks, Interpolation, Plane, Projection, reslice};
use mj_model::{Grid, LinearMap, Samples, Unit, VectorLps, Volume, Window};
use mj_render::{Gpu, Painter, SolidLook, Storage, Target, View, VolumeTexture};
use mj_viewer::reading::maker::{coarser, gpu_view, solid_look};
use mj_viewer::reading::slab::Slab;
use rayon::prelude::*;
use std::time::Instant;

/// How much is measured.
struct Plan {
    /// Voxels along each edge of the volumes.
    sides: [usize; 2],
    /// Voxels along each edge of the phantom that they are enlarged from.
    phantom: usize,
    /// Columns and rows of the pictures.
    sizes: [(usize, usize); 2],
    warm_up: usize,
    frames: usize,
}

const CARD: Plan = Plan { sides: [512, 1024], phantom: 256, sizes: [(800, 600), (1920, 1080)], warm_up: 5, frames: 60 };
const TRIAL: Plan = Plan { sides: [48, 64], phantom: 48, sizes: [(80, 60), (160, 90)], warm_up: 1, frames: 4 };

/// How far the camera turns from one frame to the next. Units: degrees.
const TURN: f64 = 2.5;

/// The phantom's present study with more voxels in the same place.
fn enlarged(small: &Volume, side: usize) -> Volume {
    let Grid { dims, spacing_mm, axes, .. } = small.grid;
    let mut grid = Grid { dims: [side; 3], ..small.grid };
    for axis in 0..3 {
        grid.spacing_mm[axis] = spacing_mm[axis] * dims[axis] as f64 / side as f64;
        // The outermost voxels' outer faces stay where they are.
        grid.origin = grid.origin + axes[axis] * ((grid.spacing_mm[axis] - spacing_mm[axis]) / 2.0);
    }
    let centre = grid.centre();
    let first = Plane { centre, right: axes[0], down: axes[1], mm_per_pixel: grid.spacing_mm[0], width: side, height: side };
    let mut stored = vec![0_i16; side * side * side];
    stored.par_chunks_mut(side * side).enumerate().for_each(|(k, slice)| {
        let plane = first.through(grid.lps_from_voxel([0.0, 0.0, k as f64]));
        let values = reslice::slice(small, &plane, Interpolation::Linear).values;
        for (to, value) in slice.iter_mut().zip(values) {
            *to = (value.round() as i16).saturating_add(1024);
        }
    });
    ct(grid, stored)
}

fn ct(grid: Grid, stored: Vec<i16>) -> Volume {
    let map = LinearMap { slope: 1.0, intercept: -1024.0 };
    Volume { modality: "CT".into(), map, unit: Unit::hu(), ..Volume::of(grid, Samples::I16(stored)) }
}

fn phantom(side: usize) -> Volume {
    let Scan { grid, hu } = generate(&Spec { seed: 7, slices: side, size: side }, &|_, _| {}).unwrap().current;
    ct(grid, hu.into_iter().map(|v| v.saturating_add(1024)).collect())
}

/// A volume on the card, with what is drawn of it.
struct Subject<'a> {
    name: String,
    painter: &'a Painter,
    volume: &'a Volume,
    texture: VolumeTexture,
    /// Name, step, what is seen.
    looks: Vec<(String, Quality, SolidLook)>,
}

fn wait(painter: &Painter) {
    painter.gpu().device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
}

impl<'a> Subject<'a> {
    /// Uploads a volume, cut into bricks where it is longer than so many voxels.
    fn new(painter: &'a Painter, volume: &'a Volume, longest: usize) -> Self {
        let side = volume.grid.dims[0];
        let name = if longest < side { format!("{side}³ in bricks") } else { format!("{side}³") };
        let storage = Storage::best(&painter.gpu().device, &volume.samples);
        let start = Instant::now();
        let texture = VolumeTexture::upload_cut(painter.gpu(), volume, storage, longest as u32).unwrap();
        wait(painter);
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = texture.bytes() as f64 / 1e6;
        let note = format!("i16 as {storage:?}, {megabytes:.0} MB on the device, in {seconds:.2} s");
        println!("\nUpload of {name}: {:.0} MB/s; {note}", megabytes / seconds);
        mj_testdata::note(&format!("GPU: upload of {name}"), "mingjing", "MB/s", &[megabytes / seconds], &note);
        let blocks = Blocks::new(volume);
        let mut looks = Vec::new();
        for preset in preset::of_modality("CT").unwrap() {
            for (word, quality) in [("", Quality::FINAL), (", moving", Quality::MOVING)] {
                let look = solid_look(painter.gpu(), volume, &blocks, &preset.function, quality.step_mm).unwrap();
                looks.push((format!("volume rendering, {}{word}", preset.name), quality, look));
            }
        }
        Self { name, painter, volume, texture, looks }
    }

    /// The axial plane of a frame: from a quarter of the volume's height on.
    fn axial(&self, frame: usize, plan: &Plan, (width, height): (usize, usize)) -> Plane {
        let grid = &self.volume.grid;
        let along = 0.25 + 0.5 * frame as f64 / plan.frames as f64;
        let at = grid.lps_from_voxel([0.5, 0.5, along].map(|share| share * grid.dims[0] as f64));
        Plane::axial(grid, at, width, height)
    }

    /// The plane that looks at the volume's middle, turned further with every frame.
    fn turned(&self, frame: usize, tilt: f64, (width, height): (usize, usize)) -> Plane {
        let (sine, cosine) = (frame as f64 * TURN).to_radians().sin_cos();
        let grid = &self.volume.grid;
        Plane::oblique(grid, grid.centre(), VectorLps::new(sine, cosine, tilt), width, height).unwrap()
    }

    fn draw_values(&self, target: &Target, view: &View) {
        self.painter.draw_values(target, &self.texture, view).unwrap();
        self.painter.draw_grey(target, &Window::linear(40.0, 400.0, ""), false);
    }

    fn draw_shapes(&self, target: &Target, plane: &Plane, quality: Quality, look: &SolidLook) {
        let view = View { step_mm: quality.step_mm, samples: 1, ..gpu_view(self.volume, plane, None, false) };
        self.painter.draw_solid(target, &self.texture, look, &view, None).unwrap();
    }

    /// Measures every kind of picture of a size, as the reading room draws them: half as many pixels along both sides of
    /// looks through the volume that move.
    fn measure(&self, plan: &Plan, size: (usize, usize)) {
        let target = self.painter.target(size.0, size.1).unwrap();
        let values = |plane: &Plane, slab, is_mip| self.draw_values(&target, &gpu_view(self.volume, plane, slab, is_mip));
        let slab = Some(Slab { mm: 20.0, how: Projection::Max });
        self.time(plan, &target, size, "axial slice", &|n| values(&self.axial(n, plan, size), None, false));
        self.time(plan, &target, size, "oblique slice", &|n| values(&self.turned(n, 0.6, size), None, false));
        self.time(plan, &target, size, "20 mm MIP slab", &|n| values(&self.turned(n, 0.6, size), slab, false));
        self.time(plan, &target, size, "MIP", &|n| values(&self.turned(n, 0.1, size), None, true));
        let few = coarser(&self.turned(0, 0.1, size));
        let small = self.painter.target(few.width, few.height).unwrap();
        let moving = |n| self.draw_values(&small, &gpu_view(self.volume, &coarser(&self.turned(n, 0.1, size)), None, true));
        self.time(plan, &small, size, "MIP, moving", &moving);
        for (name, quality, look) in &self.looks {
            let is_moving = *quality == Quality::MOVING;
            let (target, plane): (_, &dyn Fn(usize) -> Plane) =
                if is_moving { (&small, &|n| coarser(&self.turned(n, 0.1, size))) } else { (&target, &|n| self.turned(n, 0.1, size)) };
            self.time(plan, target, size, name, &|n| self.draw_shapes(target, &plane(n), *quality, look));
        }
    }

    fn measure_all(&self, plan: &Plan, sizes: &[(usize, usize)]) {
        println!("\n| volume | picture | kind | median ms | p95 ms | max ms |\n|---|---|---|---:|---:|---:|");
        for size in sizes {
            self.measure(plan, *size);
        }
    }

    /// Draws frame after frame, waits for each, and notes what it took.
    fn time(&self, plan: &Plan, target: &Target, size: (usize, usize), name: &str, draw: &dyn Fn(usize)) {
        let mut ms = Vec::new();
        for frame in 0..plan.warm_up + plan.frames {
            let start = Instant::now();
            draw(frame);
            wait(self.painter);
            ms.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        ms.drain(..plan.warm_up);
        let shown = self.painter.read_grey(target).unwrap().iter().filter(|grey| **grey > 20).count();
        assert!(shown > target.width * target.height / 200, "{name}: only {shown} pixels show anything");
        let (volume, (width, height)) = (&self.name, size);
        let mut sorted = ms.clone();
        sorted.sort_by(f64::total_cmp);
        let (median, p95, most) = (sorted[sorted.len() / 2], sorted[sorted.len() * 95 / 100], sorted[sorted.len() - 1]);
        println!("| {volume} | {width} x {height} | {name} | {median:.2} | {p95:.2} | {most:.2} |");
        let note = format!("95 of 100 within {p95:.2} ms; {}", self.painter.gpu().adapter);
        mj_testdata::note(&format!("GPU: {name}, {volume}, {width} x {height}"), "mingjing", "ms", &ms, &note);
    }

    /// Writes the volume rendering of soft tissue, to look at.
    fn write_picture(&self, size: (usize, usize), folder: &std::path::Path) {
        let plane = self.turned(10, 0.1, size);
        let target = self.painter.target(size.0, size.1).unwrap();
        for (name, quality, look) in self.looks.iter().filter(|(_, quality, _)| *quality == Quality::FINAL) {
            self.draw_shapes(&target, &plane, *quality, look);
            let pixels = self.painter.read_colour(&target).unwrap();
            let canvas = mj_viewer::raster::Canvas { width: size.0, height: size.1, pixels };
            let file = format!("{}.png", name.replace(", ", "-").replace(' ', "-"));
            std::fs::write(folder.join(file), canvas.to_png().unwrap()).unwrap();
        }
    }
}

/// The card's plan, or why there is none.
fn plan(gpu: &Gpu) -> Option<&'static Plan> {
    if !gpu.is_software {
        return Some(&CARD);
    }
    if std::env::var("MINGJING_BENCH_SOFTWARE").as_deref() == Ok("1") {
        return Some(&TRIAL);
    }
    mj_testdata::skip(&format!("no graphics card: {} is software, whose speed nobody would use", gpu.adapter));
    None
}

#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_gpu_frames() {
    let gpu = match Gpu::headless() {
        Ok(gpu) => gpu,
        Err(e) => return mj_testdata::skip(&format!("no graphics device: {e}")),
    };
    let Some(plan) = plan(&gpu) else { return };
    println!("\n{} by {}, driver {}", gpu.adapter, gpu.backend, gpu.driver);
    let painter = Painter::new(gpu);
    let small = phantom(plan.phantom);
    for side in plan.sides {
        let start = Instant::now();
        let volume = enlarged(&small, side);
        println!("\nVolume of {side}³ made in {:.1} s", start.elapsed().as_secs_f64());
        let subject = Subject::new(&painter, &volume, side);
        subject.measure_all(plan, &plan.sizes);
        if let Some(folder) = std::env::var_os("OUT").filter(|_| side == plan.sides[1]) {
            subject.write_picture(plan.sizes[1], folder.as_ref());
        }
        drop(subject);
        // What bricks cost: the same volume, cut along every axis.
        if side == plan.sides[0] {
            Subject::new(&painter, &volume, side / 2 + 1).measure_all(plan, &plan.sizes[1..]);
        }
    }
}
