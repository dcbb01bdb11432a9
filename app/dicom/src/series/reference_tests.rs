//! Colours and greys of real images against pydicom's, from the same decoded samples: what the codecs say is tested where
//! they are.

use super::*;
use crate::Dataset;
use crate::outside::python;
use crate::pixels::Decoder;
use std::path::Path;

/// Folders and files of the real images that are compared.
const PLACES: [&str; 5] = ["pixel", "us", "xray", "syntax", "mr/enhanced_mr_siemens_xa30/colour_fa_39frames.dcm"];
/// Most frames of an object that are compared: the first ones and those in even steps after.
const FRAMES: usize = 3;
/// Files whose looks are known to differ, and why.
const APART: [(&str, &str); 0] = [];

/// An image that is compared.
struct Job {
    name: String,
    stack: Stack,
    k: usize,
}

fn jobs(root: &Path, folder: &Path) -> Vec<Job> {
    let mut paths: Vec<std::path::PathBuf> = Vec::new();
    let mut folders: Vec<std::path::PathBuf> = PLACES.iter().map(|place| root.join(place)).collect();
    while let Some(at) = folders.pop() {
        match std::fs::read_dir(&at) {
            Ok(inside) => folders.extend(inside.map(|e| e.unwrap().path())),
            Err(_file) => paths.push(at),
        }
    }
    paths.sort();
    let (mut jobs, mut lines) = (Vec::new(), Vec::new());
    for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "dcm")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(dataset) = std::fs::read(&path).map_err(Error::from).and_then(Dataset::from_vec) else { continue };
        // What cannot be decoded is refused by name, which other tests hold.
        let Ok(decoder) = Decoder::new(&dataset) else { continue };
        let layout = decoder.layout().clone();
        let n = layout.frames as usize;
        for k in (0..n).step_by(n.div_ceil(FRAMES)) {
            let Ok(samples) = decoder.frame(k as u32) else { continue };
            if layout.is_float || layout.bits_allocated == 1 || APART.iter().any(|(apart, _)| *apart == name) {
                continue;
            }
            let file: Arc<dyn Source> = Arc::new(path.clone());
            let Some(stack) = open(&[file], &Watch::default()).ok().and_then(|mut s| s.stacks.pop()) else { continue };
            let mut bytes = Vec::with_capacity(samples.len() * 8);
            samples.for_each(|v| bytes.extend_from_slice(&(v as i64).to_le_bytes()));
            let samples = format!("{}.raw", jobs.len());
            std::fs::write(folder.join(&samples), bytes).unwrap();
            let (rows, columns, per_pixel) = (layout.rows, layout.columns, layout.samples_per_pixel);
            let shape = if per_pixel > 1 { vec![rows, columns, per_pixel.into()] } else { vec![rows, columns] };
            lines.push(serde_json::json!({ "path": path, "samples": samples, "shape": shape }));
            let k = (0..stack.n_slices()).find(|&at| stack.slices[at].frame == k as u32).unwrap();
            jobs.push(Job { name: name.clone(), stack, k });
        }
    }
    std::fs::write(folder.join("jobs.json"), serde_json::to_string(&lines).unwrap()).unwrap();
    jobs
}

/// The largest difference.
fn worst(ours: &[u8], theirs: &[u8]) -> u8 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[test]
fn real_images_look_as_pydicom_shows_them() {
    let (Some(root), Some(python)) = (mj_testdata::path("."), python()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let jobs = jobs(&root, folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/series/reference_looks.py");
    let output = std::process::Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let done: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(folder.path().join("done.json")).unwrap()).unwrap();
    assert_eq!(done.len(), jobs.len());
    let (mut n_colour, mut n_grey) = (0, 0);
    for (n, (Job { name, stack, k }, done)) in jobs.iter().zip(&done).enumerate() {
        let image = stack.load_image(*k).unwrap_or_else(|e| panic!("{name}: {e}"));
        if done == "rgb" {
            let theirs = std::fs::read(folder.path().join(format!("{n}.rgb"))).unwrap();
            let worst = worst(image.colour.expect(name).rgb.as_flattened(), &theirs);
            // YBR: both round the sum of three products, pydicom after rounding the factors too.
            let most = if stack.slices[*k].layout.photometric.starts_with("YBR") { 2 } else { 1 };
            println!("{name} {k}: colour, differs by {worst}");
            assert!(worst <= most, "{name} {k}: differs by {worst}");
            n_colour += 1;
            continue;
        }
        if done == 0 {
            continue;
        }
        assert_eq!(done.as_u64(), Some(image.volume.windows.len() as u64), "{name}: {:?}", image.volume.windows);
        for (m, window) in image.volume.windows.iter().enumerate() {
            let theirs = std::fs::read(folder.path().join(format!("{n}.{m}.grey"))).unwrap();
            let samples = &image.volume.samples;
            let share = |at| window.share(image.volume.map.apply(samples.stored(at).unwrap()));
            let shown = |share: f64| (255.0 * if image.volume.is_inverted { 1.0 - share } else { share }).round() as u8;
            let ours: Vec<u8> = (0..samples.len()).map(|at| shown(share(at))).collect();
            let worst = worst(&ours, &theirs);
            println!("{name} {k}: look {m} ({}), differs by {worst}", window.name);
            assert!(worst <= 1, "{name} {k}: look {m} {window:?} differs by {worst}");
            n_grey += 1;
        }
    }
    assert!(n_colour >= 20 && n_grey >= 20, "only {n_colour} in colour and {n_grey} looks in grey");
}
