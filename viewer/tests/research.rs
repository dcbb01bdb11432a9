//! Research files in place of a series: jobs of the worker, and the reading room.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

use clap::Parser as _;
use egui::{Pos2, Rect, vec2};
use mj_link::job::{ProbeAt, RenderView, ViewKind};
use mj_link::message::{ObjectFile, SeriesFiles};
use mj_link::{Job, JobResult};
use mj_model::{Coded as _, SeriesUid, VectorLps, Voxel};
use mj_viewer::args::Args;
use mj_viewer::headless::{Context, jobs};
use mj_viewer::reading::room::{Port, Room};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An NRRD of 12 x 10 x 8 voxels whose third axis runs up, or down with the same voxels in the other order.
fn twin(folder: &Path, is_left_handed: bool) -> PathBuf {
    let (way, origin) = if is_left_handed { ("-2", "5") } else { ("2", "-9") };
    let head = format!(
        "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 10 8\n\
         space directions: (1,0,0) (0,1.5,0) (0,0,{way})\nencoding: raw\nspace origin: (-6,-7,{origin})\n\n"
    );
    let mut bytes = head.into_bytes();
    for k in 0..8_usize {
        let up = if is_left_handed { 7 - k } else { k };
        bytes.extend((0..120_usize).map(|at| (at * 3 + up * up * 7) as u8));
    }
    let path = folder.join(if is_left_handed { "left.nrrd" } else { "right.nrrd" });
    std::fs::write(&path, bytes).unwrap();
    path
}

fn series(path: &Path) -> SeriesFiles {
    SeriesFiles { series: SeriesUid::fresh(), files: vec![ObjectFile { path: path.into(), sealed: false }] }
}

fn run(job: &Job) -> JobResult {
    jobs::run(job, &Context::quiet(None)).unwrap_or_else(|e| panic!("{job:?}: {e}"))
}

#[test]
fn a_left_handed_file_gives_the_pictures_of_its_right_handed_twin() {
    let folder = tempfile::tempdir().unwrap();
    let [right, left] = [false, true].map(|is_left| twin(folder.path(), is_left));
    for kind in [ViewKind::Axial, ViewKind::Coronal, ViewKind::Sagittal, ViewKind::Oblique, ViewKind::Mip] {
        let [a, b] = [&right, &left].map(|path| {
            let out = folder.path().join("out.png");
            let normal = Some(VectorLps::new(1.0, 2.0, 3.0));
            let view = RenderView { kind, at: None, normal, window: None, slab_mm: None, size: (96, 80), overlay: false, preset: None };
            run(&Job::Render { series: series(path), view, out: out.clone() });
            std::fs::read(out).unwrap()
        });
        assert!(a == b, "{kind:?}");
        let mut reader = png::Decoder::new(std::io::Cursor::new(a)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert!(pixels.iter().any(|&p| p > 100), "{kind:?} is black");
    }
}

#[test]
fn a_file_is_described_probed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = twin(folder.path(), true);
    let JobResult::Described(about) = run(&Job::Describe { series: series(&path) }) else { panic!() };
    assert_eq!((about.kind.as_str(), about.matrix, about.spacing_mm), ("volume", [12, 10, 8], Some([1.0, 1.5, 2.0])));
    assert_eq!(about.direction, Some([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]));
    let at = ProbeAt::Voxel(Voxel { i: 2, j: 1, k: 3 });
    let JobResult::Probed { lps, value, .. } = run(&Job::Probe { series: series(&path), at }) else { panic!() };
    assert_eq!((lps, value), ([-4.0, -5.5, -1.0].into(), f64::from((14 * 3 + 16 * 7) as u8)));
    let JobResult::Checked { files } = run(&Job::Check { paths: vec![path.clone()] }) else { panic!() };
    assert_eq!((&files[0]["result"], &files[0]["format"], &files[0]["frames"]), (&"opened".into(), &"NRRD".into(), &8.into()));
    // A voxel without a number is told as such: JSON has none for it.
    let bare = "NRRD0004\ntype: float\ndimension: 3\nsizes: 1 1 3\nencoding: text\nspacings: 1 1 1\n\nnan 2 3\n";
    let nan = folder.path().join("nan.nrrd");
    std::fs::write(&nan, bare).unwrap();
    let probe = |k| jobs::run(&Job::Probe { series: series(&nan), at: ProbeAt::Voxel(Voxel { i: 0, j: 0, k }) }, &Context::quiet(None));
    assert_eq!(probe(0).unwrap_err().code(), "research.no_number");
    assert!(matches!(probe(1), Ok(JobResult::Probed { value: 2.0, .. })));
    let JobResult::Described(about) = run(&Job::Describe { series: series(&nan) }) else { panic!() };
    assert_eq!((about.spacing_mm, about.origin_lps, about.direction), (None, None, None));
    let to = folder.path().join("dicom");
    let export = Job::Export { series: series(&path), to };
    assert_eq!(jobs::run(&export, &Context::quiet(None)).unwrap_err().code(), "research.no_dicom");
}

/// Texts of the last frame.
fn frame(ctx: &egui::Context, room: &mut Room) -> Vec<String> {
    let input = egui::RawInput { screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1366.0, 768.0))), ..Default::default() };
    let mut output = ctx.run_ui(input, |ui| room.ui(ui));
    output.textures_delta.clear();
    fn texts(shape: &egui::Shape) -> Vec<String> {
        match shape {
            egui::Shape::Text(text) => vec![text.galley.text().to_owned()],
            egui::Shape::Vec(all) => all.iter().flat_map(texts).collect(),
            _ => Vec::new(),
        }
    }
    output.shapes.iter().flat_map(|s| texts(&s.shape)).collect()
}

#[test]
fn the_reading_room_opens_files_and_says_that_no_patient_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let first = twin(folder.path(), true);
    let flat = folder.path().join("flat.nrrd");
    std::fs::write(&flat, "NRRD0004\ntype: uint8\ndimension: 2\nsizes: 2 2\nencoding: text\nspacings: 1 1\n\n1 2 3 4\n").unwrap();
    let broken = folder.path().join("broken.nii");
    std::fs::write(&broken, [0; 400]).unwrap();
    for (lang, patient, mark) in [("zh", "患者未知", "科研文件"), ("en", "Patient not known", "Research file")] {
        let ctx = egui::Context::default();
        let mut room = Room::new(&ctx, &Args::parse_from(["x", "--lang", lang]), Port::Alone).unwrap();
        let until = |room: &mut Room, what: &str, is_so: &dyn Fn(&[String], &Room) -> bool| {
            let end = Instant::now() + Duration::from_secs(60);
            loop {
                let texts = frame(&ctx, room);
                if is_so(&texts, room) {
                    return;
                }
                assert!(Instant::now() < end, "no {what}: {texts:?}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        room.open_folders(vec![first.clone(), flat.clone(), broken.clone()]);
        let has = |texts: &[String], part: &str| texts.iter().any(|t| t.contains(part));
        until(&mut room, "volume", &|texts, room| room.situation().is_volume && has(texts, patient) && has(texts, mark));
        until(&mut room, "name", &|texts, _| has(texts, "left.nrrd") && has(texts, "flat.nrrd"));
        // Letters of the sides stand on a placed volume.
        until(&mut room, "side", &|texts, _| texts.iter().any(|t| t == "L"));
        room.act(mj_viewer::reading::action::Action::SeriesNext);
        until(&mut room, "image", &|texts, room| {
            !room.situation().is_volume && room.situation().has_picture && has(texts, patient) && !texts.iter().any(|t| t == "L")
        });
        room.act(mj_viewer::reading::action::Action::SeriesNext);
        let refusal = if lang == "zh" { "但内容不是" } else { "by its content it is not" };
        until(&mut room, "refusal", &|texts, _| has(texts, refusal));
    }
}
