//! The worker as its parent meets it: a process and lines.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what goes wrong fails the test, with its place")]

mod patch;

use mj_link::job::{ProbeAt, RenderView, SegmentOp, ViewKind};
use mj_link::message::{KeyGrant, ObjectFile, SeriesFiles};
use mj_link::{Event, Events, Job, JobResult, ToParent, ToViewer, Worker};
use mj_model::plan::CutPlane;
use mj_model::{Lang, PointLps, Told, VectorLps, Voxel};
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Peer {
    worker: Worker,
    events: Events<ToParent>,
    next: u64,
}

impl Peer {
    fn start(keys: Option<KeyGrant>) -> Self {
        let (mut worker, events) = Worker::spawn(Path::new(env!("CARGO_BIN_EXE_mingjing-viewer")), &["--headless"]).unwrap();
        worker.send(&ToViewer::Hello { lang: Lang::En, keys, person: String::new() }).unwrap();
        assert!(matches!(events.next(), Event::Message(ToParent::Hello { .. })));
        Self { worker, events, next: 1 }
    }

    fn run(&mut self, what: Job) -> Result<JobResult, Told> {
        let job = self.next;
        self.next += 1;
        self.worker.send(&ToViewer::RunJob { job, what }).unwrap();
        self.wait(job)
    }

    fn wait(&mut self, job: u64) -> Result<JobResult, Told> {
        loop {
            match self.events.next() {
                Event::Message(ToParent::JobDone { job: of, result }) if of == job => return Ok(result),
                Event::Message(ToParent::JobFailed { job: of, error }) if of == job => return Err(error),
                Event::Message(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn series(folder: &Path) -> SeriesFiles {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let header = mj_dicom::Dataset::read(&std::fs::read(&files[0]).unwrap()).unwrap().header().unwrap();
    SeriesFiles { series: header.series.uid, files: files.into_iter().map(|path| ObjectFile { path, sealed: false }).collect() }
}

#[test]
fn a_phantom_is_made_described_probed_rendered_segmented_and_cut() {
    let folder = tempfile::tempdir().unwrap();
    let key = mj_seal::Key::from_bytes([9; 32]);
    let inbox = folder.path().join("inbox");
    let mut peer = Peer::start(Some(KeyGrant { object_key: key.to_hex().to_string(), inbox: inbox.clone() }));
    let phantom = |out: PathBuf| Job::Phantom { out, seed: 5, slices: 32, size: 64 };
    let JobResult::Written { written, sha256 } = peer.run(phantom(folder.path().join("a"))).unwrap() else { panic!() };
    assert_eq!(written.len(), 66);
    let JobResult::Written { sha256: again, .. } = peer.run(phantom(folder.path().join("b"))).unwrap() else { panic!() };
    assert_eq!(sha256, again, "the same seed gave other bytes");

    let current = series(&folder.path().join("a/current"));
    let JobResult::Described(about) = peer.run(Job::Describe { series: current.clone() }).unwrap() else { panic!() };
    assert_eq!((about.kind.as_str(), about.matrix, about.unit.as_str()), ("volume", [64, 64, 32], "HU"));
    let voxel = Voxel { i: 32, j: 30, k: 9 };
    let JobResult::Probed { lps, stored, value, .. } = peer.run(Job::Probe { series: current.clone(), at: ProbeAt::Voxel(voxel) }).unwrap()
    else {
        panic!()
    };
    assert!((stored - 1024.0 - value).abs() < 1e-9);
    let JobResult::Probed { voxel: back, .. } = peer.run(Job::Probe { series: current.clone(), at: ProbeAt::Lps(lps) }).unwrap() else {
        panic!()
    };
    assert_eq!(back, voxel);

    // The image that a position lies on; half a slice beyond the last is none.
    let near = |dz: f64| {
        let mut at = about_centre(&about);
        at.z += dz;
        Job::Nearest { series: current.clone(), at }
    };
    let thickness = about.spacing_mm.unwrap()[2];
    let instance = |result: JobResult| match result {
        JobResult::Nearest { instance, .. } => instance,
        other => panic!("{other:?}"),
    };
    let middle = instance(peer.run(near(0.4 * thickness)).unwrap());
    assert_eq!(middle, instance(peer.run(near(0.0)).unwrap()));
    assert_ne!(middle, instance(peer.run(near(thickness)).unwrap()));
    peer.run(near(15.4 * thickness)).unwrap();
    for dz in [15.6 * thickness, -17.0 * thickness, 1000.0] {
        assert_eq!(peer.run(near(dz)).unwrap_err().code, "probe.outside");
    }
    let aside = PointLps { x: 5000.0, ..about_centre(&about) };
    assert_eq!(peer.run(Job::Nearest { series: current.clone(), at: aside }).unwrap_err().code, "probe.outside");

    let view =
        |kind, overlay| RenderView { kind, at: None, normal: None, window: None, slab_mm: None, preset: None, size: (200, 160), overlay };
    for (kind, overlay) in [(ViewKind::Axial, true), (ViewKind::Mip, false), (ViewKind::Oblique, false)] {
        let out = folder.path().join("picture.png");
        peer.run(Job::Render { series: current.clone(), view: view(kind, overlay), out: out.clone() }).unwrap();
        assert!(std::fs::read(&out).unwrap().starts_with(&[0x89, b'P', b'N', b'G']));
    }
    for (preset, overlay) in [(None, false), (Some("lung"), true), (Some("soft_tissue"), false)] {
        let out = folder.path().join("vr.png");
        let view = RenderView { preset: preset.map(str::to_owned), ..view(ViewKind::Vr, overlay) };
        peer.run(Job::Render { series: current.clone(), view, out: out.clone() }).unwrap();
        assert!(std::fs::metadata(out).unwrap().len() > 2000, "{preset:?} shows nothing");
    }
    let unheard = RenderView { preset: Some("lung_window".into()), ..view(ViewKind::Vr, false) };
    let refused = peer.run(Job::Render { series: current.clone(), view: unheard, out: folder.path().join("no.png") }).unwrap_err();
    assert_eq!(refused.code, "vr.no_preset");
    assert!(refused.hint.contains("soft_tissue"), "{}", refused.hint);

    let op = SegmentOp::Threshold { range: (-300.0, 3000.0) };
    let JobResult::Segmented { file, voxels, volume_ml, mesh_volume_ml, .. } =
        peer.run(Job::Segment { series: current.clone(), op, label: "body".into() }).unwrap()
    else {
        panic!()
    };
    assert!(voxels > 100 && (volume_ml - mesh_volume_ml).abs() / volume_ml < 0.05, "{volume_ml} {mesh_volume_ml}");
    let segment = ObjectFile { path: inbox.join(file), sealed: true };
    let plane = CutPlane { point: about_centre(&about), normal: VectorLps::new(1.0, 0.0, 0.0) };
    let JobResult::Cut { results, .. } =
        peer.run(Job::Cut { series: current.clone(), segment: segment.clone(), number: 1, plane, stl: None }).unwrap()
    else {
        panic!()
    };
    assert!((results.iter().map(|r| r.volume_ml).sum::<f64>() - volume_ml).abs() < 1e-6);
    for name in ["body.nrrd", "body.stl"] {
        peer.run(Job::ExportSegment { series: current.clone(), segment: segment.clone(), number: 1, to: folder.path().join(name) })
            .unwrap();
    }
    for name in ["volume.nrrd", "volume.nii.gz", "folder"] {
        peer.run(Job::Export { series: current.clone(), to: folder.path().join(name) }).unwrap();
    }
    assert_eq!(peer.run(Job::Export { series: current, to: folder.path().join("volume.xyz") }).unwrap_err().code, "export.unknown_ending");
}

fn about_centre(about: &mj_link::job::Described) -> PointLps {
    let (origin, spacing) = (about.origin_lps.unwrap(), about.spacing_mm.unwrap());
    PointLps::new(origin.x + spacing[0] * 32.0, origin.y + spacing[1] * 32.0, origin.z + spacing[2] * 16.0)
}

#[test]
fn sides_are_named_only_where_the_file_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut peer = Peer::start(None);
    peer.run(Job::Phantom { out: folder.path().to_owned(), seed: 5, slices: 8, size: 64 }).unwrap();
    let film = folder.path().join("film");
    std::fs::create_dir(&film).unwrap();
    let one = std::fs::read(folder.path().join("current/0002.dcm")).unwrap();
    let view = |slab_mm| RenderView {
        kind: ViewKind::Axial,
        at: None,
        normal: None,
        window: None,
        slab_mm,
        preset: None,
        size: (400, 400),
        overlay: true,
    };
    let mut has_letter = |bytes: Vec<u8>| {
        std::fs::write(film.join("1.dcm"), bytes).unwrap();
        let out = folder.path().join("film.png");
        peer.run(Job::Render { series: series(&film), view: view(None), out: out.clone() }).unwrap();
        patch::has_letter(&std::fs::read(out).unwrap())
    };
    assert!(has_letter(one.clone()), "one CT slice lost its letters");
    assert!(!has_letter(patch::without_place(one)), "letters on an image without orientation");
}

#[test]
fn jobs_are_cancelled_and_bad_files_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut peer = Peer::start(None);
    let out = folder.path().join("big");
    peer.worker.send(&ToViewer::RunJob { job: 90, what: Job::Phantom { out, seed: 1, slices: 64, size: 128 } }).unwrap();
    peer.worker.send(&ToViewer::CancelJob { job: 90 }).unwrap();
    assert_eq!(peer.wait(90).unwrap_err().code, "job.cancelled");
    let text = folder.path().join("note.txt");
    std::fs::write(&text, "not an image").unwrap();
    let JobResult::Checked { files } = peer.run(Job::Check { paths: vec![text.clone(), folder.path().join("absent")] }).unwrap() else {
        panic!()
    };
    assert!(files.iter().all(|f| f["result"] == "refused" && f["message"].is_string()), "{files:?}");
    let series = SeriesFiles { series: mj_model::SeriesUid::parse("1.2").unwrap(), files: vec![ObjectFile { path: text, sealed: true }] };
    assert_eq!(peer.run(Job::Describe { series }).unwrap_err().code, "viewer.no_keys");
}

#[test]
fn the_worker_leaves_when_its_parent_closes() {
    let peer = Peer::start(None);
    let Peer { worker, events, .. } = peer;
    drop(worker);
    let end = events.next_within(Duration::from_secs(10));
    assert!(matches!(end, Some(Event::Ended)), "{end:?}");
}

/// A parent that waits for an answer gets one, even to a line that cannot be read.
#[test]
fn a_job_that_cannot_be_read_is_answered() {
    let mut peer = Peer::start(None);
    let files = SeriesFiles { series: mj_model::SeriesUid::fresh(), files: Vec::new() };
    let told = peer.run(Job::Probe { series: files, at: ProbeAt::Lps(PointLps::new(f64::NAN, 0.0, 0.0)) }).unwrap_err();
    assert_eq!(told.code, "link.unreadable");
    peer.worker.send(&serde_json::json!({ "type": "unheard_of" })).unwrap();
    loop {
        match peer.events.next() {
            Event::Message(ToParent::Problem { error }) => break assert_eq!(error.code, "link.unreadable"),
            Event::Message(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
