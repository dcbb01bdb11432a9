//! Writes pictures of the demo patient into a folder, to look at: `cargo run --example phantom_pictures FOLDER`.

#![expect(clippy::print_stderr, reason = "a tool for developers that reports to the terminal")]

use mj_imaging::phantom::{Scan, Spec, generate};
use mj_imaging::{Interpolation, Picture, Plane, reslice, window};
use mj_model::{PointLps, Samples, Unit, Volume, Window};
use std::path::Path;

type Fallible = Result<(), Box<dyn std::error::Error>>;

fn main() -> Fallible {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder?")?;
    let slices = args.next().map_or(Ok(300), |n| n.parse())?;
    let size = args.next().map_or(Ok(512), |n| n.parse())?;
    let began = std::time::Instant::now();
    let phantom = generate(&Spec { seed: 1, slices, size }, &|_, _| ())?;
    eprintln!("{:.1} s for both studies", began.elapsed().as_secs_f64());
    for row in phantom.truth["labels"].as_array().into_iter().flatten() {
        eprintln!(
            "{:>3} {:28} {:9.1} ml",
            row["value"],
            row["name_en"].as_str().unwrap_or_default(),
            row["volume_ml"].as_f64().unwrap_or_default()
        );
    }
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("truth.json"), serde_json::to_vec_pretty(&phantom.truth)?)?;
    let volume = volume(&phantom.current);
    let grid = volume.grid;
    let soft = Window::linear(50.0, 400.0, "");
    let lung = Window::linear(-600.0, 1500.0, "");
    let bone = Window::linear(400.0, 1800.0, "");
    let at = |x: f64, y: f64, z: f64| PointLps::new(x + 2.0, y - 14.0, z - 610.0);
    for z in [20, 55, 75, 95, 115, 135, 155, 175, 195, 215, 235, 255, 275, 295, 315, 335, 355] {
        let plane = Plane::axial(&grid, at(0.0, 8.0, f64::from(z)), 512, 512);
        let picture = reslice::slice(&volume, &plane, Interpolation::Linear);
        save(folder, &format!("ax{z:03}_soft"), &picture, &soft)?;
        if z > 80 {
            save(folder, &format!("ax{z:03}_lung"), &picture, &lung)?;
        }
    }
    for y in [-50, -20, 10, 35, 60, 85] {
        let plane = Plane::coronal(&grid, at(0.0, f64::from(y), 187.5), 512, 512);
        let picture = reslice::slice(&volume, &plane, Interpolation::Linear);
        save(folder, &format!("cor{:03}_soft", y + 100), &picture, &soft)?;
        save(folder, &format!("cor{:03}_lung", y + 100), &picture, &lung)?;
    }
    for x in [-80, -40, 0, 40, 80] {
        let plane = Plane::sagittal(&grid, at(f64::from(x), 0.0, 187.5), 512, 512);
        let picture = reslice::slice(&volume, &plane, Interpolation::Linear);
        save(folder, &format!("sag{:03}_soft", x + 100), &picture, &soft)?;
        save(folder, &format!("sag{:03}_lung", x + 100), &picture, &lung)?;
    }
    let began = std::time::Instant::now();
    let mip = reslice::mip(&volume, &Plane::coronal(&grid, grid.centre(), 512, 512));
    eprintln!("MIP {:.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    save(folder, "mip", &mip, &bone)?;
    let lung_slab = reslice::slab(&volume, &Plane::coronal(&grid, at(0.0, 30.0, 187.5), 512, 512), 20.0, mj_imaging::Projection::Max);
    save(folder, "lung_slab", &lung_slab, &Window::linear(-400.0, 1000.0, ""))
}

fn volume(scan: &Scan) -> Volume {
    Volume { modality: "CT".into(), unit: Unit::hu(), ..Volume::of(scan.grid, Samples::I16(scan.hu.clone())) }
}

fn save(folder: &Path, name: &str, picture: &Picture, window: &Window) -> Fallible {
    let file = std::fs::File::create(folder.join(format!("{name}.png")))?;
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), picture.width as u32, picture.height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&window::grey(picture, window, false))?;
    Ok(())
}
