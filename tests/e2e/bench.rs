//! Speed beside the peers, in one run on one machine: `cargo xtask bench`.
//!
//! The peers' scripts and their series generator lie beside the real images (`peers`). Without them our own
//! figures are still taken, on the demo patient.

use crate::station::{Station, text};
use crate::view::until;
use crate::windows::origin_of;
use mj_dicom::{Source, Watch, series};
use mj_imaging::raycast::{self, Camera, Light, Quality, Seen, TransferFunction};
use mj_imaging::{Blocks, Interpolation, Picture, Plane, Projection, reslice};
use mj_link::job::{RenderView, ViewKind};
use mj_link::{Event, Job, JobResult, ObjectFile, SeriesFiles, ToParent, ToViewer, Worker};
use mj_model::{Lang, Samples, SeriesUid, VectorLps, Volume};
use mj_tests::programs::{build_folder, program};
use mj_tests::windows::Screen;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 5;

/// Times a work several times after one warm-up. Units: s.
fn times<T>(mut work: impl FnMut() -> T) -> Vec<f64> {
    drop(work());
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let made = work();
            let seconds = start.elapsed().as_secs_f64();
            drop(made);
            seconds
        })
        .collect()
}

/// The peers' scripts and a Python that runs them, when both are there.
struct Peers {
    scripts: PathBuf,
    python: PathBuf,
}

impl Peers {
    fn find(folder: &Path) -> Option<Self> {
        let scripts = mj_testdata::root()?.parent()?.join("peers");
        if !scripts.join("load_series.py").is_file() {
            return None;
        }
        let venv = folder.join("venv");
        let python = venv.join("bin/python");
        if !python.is_file() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            let needs = ["numpy", "scipy", "pydicom", "SimpleITK", "vtk", "psutil"];
            run(Command::new(venv.join("bin/pip")).args(["install", "-q", "--disable-pip-version-check"]).args(needs));
        }
        Some(Self { scripts, python })
    }

    /// The series that all programs load: 600 slices of 512 x 512, uncompressed.
    fn series(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (series, array) = (folder.join("ct600"), folder.join("ct600.npy"));
        if !array.is_file() {
            run(Command::new(&self.python).arg(self.scripts.join("gen_ct.py")).arg("--out").arg(&series).arg("--npy").arg(&array));
        }
        (series, array)
    }

    /// Runs a script and notes figures by the word before them: `name: … word figure …`.
    fn note_words(&self, script: &str, args: &[&str], lines: &[(&str, &str, &str)]) {
        let output = Command::new(&self.python).arg(self.scripts.join(script)).args(args).args(["-n", "1"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for (case, line, word) in lines {
            let row = said.lines().find_map(|l| l.strip_prefix(case)?.strip_prefix(": "));
            let figure = row.and_then(|r| r.split_whitespace().skip_while(|w| w != word).nth(1)?.parse::<f64>().ok());
            match figure {
                Some(seconds) => mj_testdata::note(line, &format!("VTK fixed point, {case}"), "s", &[seconds], "the peer's own figure"),
                None => println!("VTK did not run {case}: {said}"),
            }
        }
    }

    /// Loads a series by the readers that can and notes the times of those whose mean of all samples is the true one.
    fn note_right(&self, series: &Path, line: &str, mean: f64) {
        let args = ["--dir", text(series), "--only", "simpleitk_gdcm,pydicom_numpy_2t", "-n", "1"];
        let output = Command::new(&self.python).arg(self.scripts.join("load_series.py")).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for (case, who) in [
            ("simpleitk_gdcm_presorted", "SimpleITK, files sorted before"),
            ("simpleitk_gdcm", "SimpleITK"),
            ("pydicom_numpy_2t", "pydicom, 2 threads"),
        ] {
            let row = said.lines().find_map(|l| l.strip_prefix(case)?.strip_prefix(": ")).unwrap_or_default();
            let seconds = row.split_whitespace().next().and_then(|s| s.parse::<f64>().ok());
            let theirs = row.split_whitespace().skip_while(|w| *w != "mean").nth(1).and_then(|s| s.parse::<f64>().ok());
            match (seconds, theirs) {
                (Some(seconds), Some(theirs)) if (theirs - mean).abs() < 0.01 => {
                    mj_testdata::note(line, who, "s", &[seconds], "one round");
                }
                _ => println!("{who} did not read it right ({mean}): {said}"),
            }
        }
    }

    /// Runs a script and notes its medians: `name: median min …`.
    fn note(&self, script: &str, args: &[&str], lines: &[(&str, &str, &str, f64)]) {
        let rounds = ROUNDS.to_string();
        let output = Command::new(&self.python).arg(self.scripts.join(script)).args(args).args(["-n", &rounds]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for (case, line, who, divide_by) in lines {
            let row = said.lines().find_map(|l| l.strip_prefix(case)?.strip_prefix(": "));
            let median = row.and_then(|r| r.split_whitespace().next()?.parse::<f64>().ok());
            match median {
                Some(median) => mj_testdata::note(line, who, "s", &[median / divide_by], "median of the peer's own rounds"),
                None => println!("{who} did not run {case}: {said}"),
            }
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn load(files: &[Arc<dyn Source>]) -> Volume {
    series::open(files, &Watch::default()).unwrap().stacks[0].load(&Watch::default()).unwrap()
}

/// Peak resident memory of a process. Units: MiB.
fn peak_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let row = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    row.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// What a headless viewer needs for one picture of a series, over what it needs idle. Units: MiB.
fn memory_of_a_load(folder: &Path) -> f64 {
    let (mut worker, events) = Worker::spawn::<ToParent>(&program("mingjing-viewer"), &["--headless"]).unwrap();
    worker.send(&ToViewer::Hello { lang: Lang::En, keys: None, person: String::new() }).unwrap();
    assert!(matches!(events.next(), Event::Message(ToParent::Hello { .. })));
    let idle = peak_mib(worker.pid());
    let files = files_of(folder).into_iter().map(|path| ObjectFile { path, sealed: false }).collect();
    let scratch = tempfile::tempdir().unwrap();
    let view = RenderView {
        kind: ViewKind::Coronal,
        at: None,
        normal: None,
        window: None,
        slab_mm: None,
        preset: None,
        size: (512, 512),
        overlay: false,
    };
    let series = SeriesFiles { series: SeriesUid::fresh(), files };
    let what = Job::Render { series, view, out: scratch.path().join("a.png") };
    worker.send(&ToViewer::RunJob { job: 1, what }).unwrap();
    loop {
        match events.next() {
            Event::Message(ToParent::JobDone { result: JobResult::Rendered { .. }, .. }) => return peak_mib(worker.pid()) - idle,
            Event::Message(ToParent::JobFailed { error, .. }) => panic!("{}: {}", error.code, error.message),
            Event::Ended => panic!("the viewer ended"),
            Event::Message(_) | Event::Noise(_) => {}
        }
    }
}

/// The planes of the peer's script: a sweep through the middle, a millimetre and a hundredth of a radian apart.
fn note_reslicing(volume: &Volume) {
    const PLANES: usize = 40;
    let plane = |k: usize| {
        let (sine, cosine) = (0.35 + 0.01 * k as f64).sin_cos();
        let tilt = 30_f64.to_radians();
        let (right, down) = (VectorLps::new(cosine, sine, 0.0), VectorLps::new(sine * tilt.sin(), -cosine * tilt.sin(), tilt.cos()));
        let centre = volume.grid.centre() + right.cross(down) * (k as f64 - PLANES as f64 / 2.0);
        Plane { centre, right, down, mm_per_pixel: 0.7, width: 512, height: 512 }
    };
    let sweep = |make: &dyn Fn(&Plane) -> Picture| -> Vec<f64> {
        times(|| (0..PLANES).map(|k| make(&plane(k))).last()).into_iter().map(|seconds| seconds / PLANES as f64).collect()
    };
    let about = "the peer's sweep of 40 planes, time of one";
    let linear = sweep(&|plane| reslice::slice(volume, plane, Interpolation::Linear));
    mj_testdata::note("oblique 512 x 512, linear", "mingjing", "s", &linear, about);
    let cubic = sweep(&|plane| reslice::slice(volume, plane, Interpolation::Cubic));
    mj_testdata::note("oblique 512 x 512, cubic", "mingjing", "s", &cubic, about);
    let slab = sweep(&|plane| reslice::slab(volume, plane, 20.0, Projection::Max));
    mj_testdata::note("20 mm MIP slab 512 x 512", "mingjing", "s", &slab, about);
}

/// The view and the transfer function of the peer's script.
fn note_volume_rendering(volume: &Volume) {
    let function = TransferFunction {
        colors: vec![
            [-1024.0, 0.0, 0.0, 0.0],
            [-600.0, 0.6, 0.3, 0.2],
            [30.0, 0.80, 0.45, 0.35],
            [120.0, 0.85, 0.35, 0.28],
            [200.0, 0.95, 0.85, 0.70],
            [400.0, 0.98, 0.93, 0.82],
            [1500.0, 1.0, 1.0, 0.97],
        ],
        opacities: vec![[-1024.0, 0.0], [60.0, 0.0], [110.0, 0.02], [180.0, 0.10], [260.0, 0.45], [450.0, 0.80], [1500.0, 0.95]],
        light: Light { ambient: 0.15, diffuse: 0.8, specular: 0.25, shininess: 12.0, noise_per_mm: 0.0 },
    };
    let grid = &volume.grid;
    let camera = |turn: usize| {
        // A twelfth of a half turn a frame, as theirs; 24 degrees of view from where a ball around all fits into 30.
        let (sine, cosine) = (turn as f64 * -10.0).to_radians().sin_cos();
        let (x, y) = (250.0 * cosine - 800.0 * sine, 250.0 * sine + 800.0 * cosine);
        let plane = Plane::oblique(grid, grid.centre(), VectorLps::new(x, y, -80.0), 800, 600).unwrap();
        let radius = (0..3).map(|a| ((grid.dims[a] - 1) as f64 * grid.spacing_mm[a]).powi(2)).sum::<f64>().sqrt() / 2.0;
        let eye_mm = radius / 15_f64.to_radians().sin();
        let mm_per_pixel = 2.0 * eye_mm * 12_f64.to_radians().tan() / 600.0;
        Camera { plane: Plane { mm_per_pixel, ..plane }, eye_mm: Some(eye_mm) }
    };
    let mut turn = 0;
    let mut draw = |seen: &Seen, quality| {
        turn += 1;
        raycast::render(volume, seen, &camera(turn), None, quality)
    };
    let first = times(|| draw(&Seen::new(volume, &Blocks::new(volume), &function).unwrap(), Quality::FINAL));
    mj_testdata::note(VR_FIRST, "mingjing", "s", &first, "800 x 600, CPU; blocks, what is seen where, a final picture");
    let seen = Seen::new(volume, &Blocks::new(volume), &function).unwrap();
    for (line, quality, about) in [
        (VR_FINAL, Quality::FINAL, "800 x 600, CPU, steps of 0.35 mm, a ray a pixel"),
        (VR_MOVING, Quality::MOVING, "800 x 600, CPU, steps of 1.4 mm, a ray for 3 x 3 pixels"),
    ] {
        let frames = times(|| draw(&seen, quality));
        mj_testdata::note(line, "mingjing", "s", &frames, about);
    }
    // As many pixels, four times as many samples along each ray.
    let of_step = |step_mm| raycast::render(volume, &seen, &camera(0), None, Quality { step_mm, ..Quality::FINAL });
    let (usual, fine) = (of_step(Quality::FINAL.step_mm), of_step(Quality::FINAL.step_mm / 4.0));
    let (mut sum, mut most, mut n) = (0_u64, 0, 0_u64);
    for (a, b) in usual.rgba.chunks_exact(4).zip(fine.rgba.chunks_exact(4)).filter(|(a, b)| a[..3] != [0; 3] || b[..3] != [0; 3]) {
        for (a, b) in a.iter().zip(b).take(3) {
            let difference = a.abs_diff(*b);
            most = most.max(difference);
            sum += u64::from(difference);
            n += 1;
        }
    }
    mj_testdata::note(VR_ERROR, "mingjing", "of 255", &[sum as f64 / n as f64], &format!("mean of what is not black; most {most}"));
}

const VR_FIRST: &str = "volume rendering, first picture";
const VR_FINAL: &str = "volume rendering, final";
const VR_MOVING: &str = "volume rendering, moving";
const VR_ERROR: &str = "volume rendering, difference from four times as many samples";

#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_beside_the_peers() {
    let folder = build_folder().parent().unwrap().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let peers = Peers::find(&folder);
    let station = Station::new();
    let (series_folder, array) = match &peers {
        Some(peers) => peers.series(&folder),
        None => (station.phantom(512, 300).join("current"), PathBuf::new()),
    };
    let files = files_of(&series_folder);
    let n = files.len();
    let sources: Vec<Arc<dyn Source>> = files.iter().map(|f| Arc::new(f.clone()) as Arc<dyn Source>).collect();
    let about = format!("{n} slices of 512 x 512, uncompressed, warm");

    mj_testdata::note("load a series into memory", "mingjing", "s", &times(|| load(&sources)), &about);
    // What the reading room does before it reads the other headers.
    let first = times(|| series::open(&sources[n / 2..=n / 2], &Watch::default()).unwrap().stacks[0].load_slice(0).unwrap());
    mj_testdata::note("first picture: one file from the middle", "mingjing", "s", &first, &about);
    let linked = times(|| {
        let opened = series::open(&sources, &Watch::default()).unwrap();
        let stack = &opened.stacks[0];
        stack.load_slice(stack.n_slices() / 2).unwrap()
    });
    mj_testdata::note("first picture in its place: headers of all, one slice decoded", "mingjing", "s", &linked, &about);

    let volume = load(&sources);
    note_reslicing(&volume);
    note_volume_rendering(&volume);
    drop(volume);

    let voxels_mib = n as f64 * 512.0 * 512.0 * 2.0 / 1024.0 / 1024.0;
    let memory = memory_of_a_load(&series_folder);
    let note = format!("headless viewer, coronal picture; voxels are {voxels_mib:.0} MiB, ratio {:.2}", memory / voxels_mib);
    mj_testdata::note("peak memory of a load, over idle", "mingjing", "MiB", &[memory], &note);

    let imports: Vec<f64> = (0..3)
        .map(|_| {
            let station = Station::new();
            let start = Instant::now();
            station.import(&series_folder);
            n as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    mj_testdata::note("import: sealed, fsynced, in the database", "mingjing", "instances/s", &imports, &about);

    let Some(peers) = peers else {
        mj_testdata::skip("no peers beside the real images: our own figures only");
        return;
    };
    let whole = "load a series into memory";
    peers.note(
        "load_series.py",
        &["--dir", text(&series_folder), "--only", "vtk,simpleitk,numpy_2t"],
        &[
            ("vtkDICOMImageReader", whole, "VTK", 1.0),
            ("simpleitk_gdcm_presorted", whole, "SimpleITK, files sorted before", 1.0),
            ("simpleitk_gdcm", whole, "SimpleITK", 1.0),
            ("pydicom_numpy_2t", whole, "pydicom, 2 threads", 1.0),
        ],
    );
    peers.note(
        "mpr.py",
        &["--npy", text(&array)],
        &[
            ("reslice_cubic_1t_x40", "oblique 512 x 512, cubic", "VTK, 1 thread", 40.0),
            ("reslice_cubic_2t_x40", "oblique 512 x 512, cubic", "VTK, 2 threads", 40.0),
            ("reslice_linear_1t_x40", "oblique 512 x 512, linear", "VTK, 1 thread", 40.0),
            ("reslice_linear_2t_x40", "oblique 512 x 512, linear", "VTK, 2 threads", 40.0),
            ("reslice_mip20mm_linear_1t_x40", "20 mm MIP slab 512 x 512", "VTK, 1 thread", 40.0),
            ("reslice_mip20mm_linear_2t_x40", "20 mm MIP slab 512 x 512", "VTK, 2 threads", 40.0),
        ],
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/vtk_oversampled.py");
    let output = Command::new(&peers.python).arg(script).arg(&array).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match said.split_whitespace().nth(1).and_then(|mean| mean.parse::<f64>().ok()) {
        Some(mean) => mj_testdata::note(VR_ERROR, "VTK fixed point", "of 255", &[mean], said.trim()),
        None => println!("VTK drew nothing: {said}"),
    }
    let out = folder.to_string_lossy();
    for (case, line) in [("fixedpoint_cpu_final", VR_FINAL), ("fixedpoint_cpu_interactive", VR_MOVING)] {
        let args = ["--npy", text(&array), "--out", &out, "--only", case];
        peers.note_words("volume_render.py", &args, &[(case, line, "seconds_per_frame"), (case, VR_FIRST, "first_frame")]);
    }
}

/// Copies of the series by outside encoders, each losslessly compressed. UIDs are kept.
fn compressed(peers: &Peers, source: &Path, name: &str) -> PathBuf {
    let folder = source.with_file_name(format!("ct600-{name}"));
    let whole = folder.join("whole");
    if whole.is_file() {
        return folder.join("series");
    }
    let series = folder.join("series");
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&series).unwrap();
    for file in files_of(source) {
        let to = series.join(file.file_name().unwrap());
        match name {
            "rle" => run(Command::new("dcmcrle").arg(&file).arg(&to)),
            "jls" => run(Command::new("dcmcjpls").arg("+el").arg(&file).arg(&to)),
            "jll" => run(Command::new("dcmcjpeg").arg("+e1").arg(&file).arg(&to)),
            _ => {}
        }
    }
    if name == "j2k" {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/compress_j2k.py");
        run(Command::new(&peers.python).arg(script).arg(source).arg(&series));
    }
    std::fs::write(whole, "").unwrap();
    series
}

/// What every peer that decodes the series right needs for it.
#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_compressed_series_beside_the_peers() {
    let folder = build_folder().parent().unwrap().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let Some(peers) = Peers::find(&folder) else {
        mj_testdata::skip("no peers beside the real images: compressed series are not timed");
        return;
    };
    run(Command::new(&peers.python).args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "pylibjpeg[all]", "pyjpegls"]));
    let (source, _) = peers.series(&folder);
    for (name, codec) in [("rle", "RLE"), ("jls", "JPEG-LS"), ("jll", "JPEG lossless"), ("j2k", "JPEG 2000 lossless")] {
        let series = compressed(&peers, &source, name);
        let sources: Vec<Arc<dyn Source>> = files_of(&series).into_iter().map(|f| Arc::new(f) as Arc<dyn Source>).collect();
        let line = format!("load a series into memory, {codec}");
        let mut mean = f64::NAN;
        let seconds: Vec<f64> = (0..3)
            .map(|_| {
                let start = Instant::now();
                let volume = load(&sources);
                let seconds = start.elapsed().as_secs_f64();
                let sum: i64 = match &volume.samples {
                    Samples::I16(samples) => samples.iter().map(|s| i64::from(*s)).sum(),
                    Samples::U16(samples) => samples.iter().map(|s| i64::from(*s)).sum(),
                    other => panic!("{}", other.type_name()),
                };
                mean = volume.map.apply(sum as f64 / volume.grid.n_voxels() as f64);
                seconds
            })
            .collect();
        mj_testdata::note(&line, "mingjing", "s", &seconds, &format!("{} slices of 512 x 512, warm", sources.len()));
        peers.note_right(&series, &line, mean);
    }
}

/// A window that says every picture's place, with the time at which it said so.
struct Watched {
    child: std::process::Child,
    /// Middle of the axial picture, by time.
    seen: std::sync::mpsc::Receiver<(Instant, [f64; 3])>,
    /// Where that picture lies in the window.
    rect: Arc<std::sync::Mutex<Vec<i64>>>,
}

impl Watched {
    fn open(screen: &Screen, folder: &Path, scratch: &Path, maker: &str) -> Self {
        let mut command = Command::new(program("mingjing-viewer"));
        command.args(["--room", "reading", "--maker", maker, "--layout-json"]).arg(folder);
        command.env("DISPLAY", &screen.display).env("LIBGL_ALWAYS_SOFTWARE", "1").env("XDG_RUNTIME_DIR", scratch);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, seen) = std::sync::mpsc::sync_channel(8192);
        let rect = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (lines, place) = (std::io::BufReader::new(child.stderr.take().unwrap()), Arc::clone(&rect));
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(lines).map_while(std::io::Result::ok) {
                let now = Instant::now();
                let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
                let Some(pane) = said["layout"]["panes"].as_array().and_then(|p| p.iter().find(|p| p["kind"] == "axial")) else { continue };
                let Ok(centre) = serde_json::from_value::<[f64; 3]>(pane["centre"].clone()) else { continue };
                *place.lock().unwrap() =
                    pane["rect"].as_array().map(|r| r.iter().filter_map(|v| v.as_f64()).map(|v| v as i64).collect()).unwrap();
                if sender.send((now, centre)).is_err() {
                    return;
                }
            }
        });
        Self { child, seen, rect }
    }

    /// What was seen up to now.
    fn drain(&self) -> Vec<(Instant, [f64; 3])> {
        self.seen.try_iter().collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}

/// A reader holds the key for the next slice through a whole series: how long each picture takes, and whether any is left out.
#[test]
#[ignore = "long: cargo xtask bench"]
fn bench_scrolling_in_the_window() {
    const PACE_MS: u64 = 33;
    let folder = build_folder().parent().unwrap().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let station = Station::new();
    let series = match Peers::find(&folder) {
        Some(peers) => peers.series(&folder).0,
        None => station.phantom(512, 300).join("current"),
    };
    let n = files_of(&series).len();
    let Some(screen) = Screen::start(1920, 1080) else { return };
    for (maker, who) in [("gpu", "mingjing, software Vulkan"), ("cpu", "mingjing, CPU")] {
        let window = Watched::open(&screen, &series, station.dir(), maker);
        let origin = until("window", || origin_of(&screen, window.child.id()));
        let rect = until("picture", || Some(window.rect.lock().unwrap().clone()).filter(|r| r.len() == 4));
        let (x, y) = (origin[0] + (rect[0] + rect[2]) / 2, origin[1] + (rect[1] + rect[3]) / 2);
        drop(screen.xdotool(&["mousemove", &x.to_string(), &y.to_string()]));
        // All slices are there once the first and the last can be gone to.
        let far = |key: &str| {
            drop(screen.xdotool(&["key", key]));
            std::thread::sleep(std::time::Duration::from_millis(700));
            window.drain().last().map(|seen| seen.1[2])
        };
        until("whole volume", || far("Home").zip(far("End")).filter(|(a, b)| (a - b).abs() > 100.0));
        far("Home");
        let start = Instant::now();
        drop(screen.xdotool(&["key", "--repeat", &(n - 1).to_string(), "--delay", &PACE_MS.to_string(), "Down"]));
        let pace_ms = start.elapsed().as_secs_f64() * 1000.0 / (n - 1) as f64;
        std::thread::sleep(std::time::Duration::from_millis(700));
        let seen = window.drain();
        let gaps: Vec<f64> = seen.windows(2).map(|w| (w[1].0 - w[0].0).as_secs_f64()).collect();
        let mut places: Vec<i64> = seen.iter().map(|s| (s.1[2] * 1000.0).round() as i64).collect();
        places.dedup();
        let late = gaps.iter().filter(|gap| **gap > pace_ms / 500.0).count();
        let note = format!(
            "a key every {pace_ms:.0} ms: {} of {} slices shown, {late} pictures after more than two keys' time; four viewports, 1920 x 1080",
            places.len() + 1,
            n
        );
        mj_testdata::note("from one slice to the next, a key held", who, "s", &gaps, &note);
    }
}
