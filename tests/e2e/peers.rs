//! The line to the hospital, against Orthanc and dcmtk.

use mj_model::{Coded as _, InstanceUid, Lang, SopClassUid, StudyUid, TransferSyntaxUid};
use mj_record::peers::{self, FindQuery, GetWhat, Key, Peer, Received, ServeConfig, Sink, StoreItem, StoreOutcome, StoreStatus, Stored};
use mj_tests::{
    dcmtk::{self, StoreScp},
    objects,
    orthanc::{Orthanc, Setup},
    pacs::{CutLine, CuttingPacs, Mute},
};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

const CHEST: &str = "ct/chest_lidc_0314";

fn peer(port: u16, called: &str) -> Peer {
    Peer { timeout: Duration::from_secs(20), ..Peer::new("127.0.0.1", port, called, "MINGJING") }
}

fn item(bytes: Vec<u8>) -> StoreItem {
    let object =
        dicom_object::OpenFileOptions::new().read_until(dicom_dictionary_std::tags::PATIENT_NAME).from_reader(bytes.as_slice()).unwrap();
    let meta = object.meta();
    StoreItem::new(
        InstanceUid::parse(meta.media_storage_sop_instance_uid()).unwrap(),
        SopClassUid::parse(meta.media_storage_sop_class_uid()).unwrap(),
        TransferSyntaxUid::parse(meta.transfer_syntax()).unwrap(),
        bytes,
    )
}

fn items(series: &objects::Series) -> Vec<StoreItem> {
    series.objects.iter().map(|o| item(o.bytes.clone())).collect()
}

fn go(_: &InstanceUid, outcome: &StoreOutcome) -> ControlFlow<()> {
    assert!(outcome.is_accepted(), "{outcome:?}");
    ControlFlow::Continue(())
}

/// Keeps what arrives, by instance.
#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, Vec<u8>>>);

impl Sink for Shelf {
    fn store(&self, received: Received) -> Stored<'_> {
        Box::pin(async move {
            let before = self.0.lock().unwrap().insert(received.instance.as_str().into(), received.bytes);
            if before.is_some() { StoreStatus::AlreadyPresent } else { StoreStatus::Stored }
        })
    }
}

impl Shelf {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether the data set of every given file has arrived byte for byte.
    fn has_all(&self, files: &[Vec<u8>]) {
        let shelf = self.0.lock().unwrap();
        for file in files {
            let uid = item(file.clone()).instance;
            let got = shelf.get(uid.as_str()).unwrap_or_else(|| panic!("an instance of {} is missing", files.len()));
            assert!(objects::data_set(file) == objects::data_set(got), "a data set has changed on the way");
        }
    }
}

/// Our server with a shelf behind it.
struct Station {
    shelf: Arc<Shelf>,
    port: u16,
    stop: oneshot::Sender<()>,
    server: peers::Server,
}

impl Station {
    async fn start() -> Self {
        let shelf = Arc::new(Shelf::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let config = ServeConfig::new("MINGJING", "127.0.0.1:0".parse().unwrap());
        let server = peers::serve(config, Arc::clone(&shelf) as Arc<dyn Sink>, async move { drop(stopped.await) }).await.unwrap();
        Self { shelf, port: server.local_addr.port(), stop, server }
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.server.finished().await;
    }
}

/// Something that blocks, such as a program run to its end, off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn read_all(paths: &[impl AsRef<Path>]) -> Vec<Vec<u8>> {
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

fn study_of(file: &[u8]) -> StudyUid {
    let object = dicom_object::from_reader(file).unwrap();
    StudyUid::parse(&object.element(dicom_dictionary_std::tags::STUDY_INSTANCE_UID).unwrap().to_str().unwrap()).unwrap()
}

#[tokio::test]
async fn echo_finds_the_pacs_and_names_each_refusal() {
    let setup = Setup { checks_called_aet: true, ..Setup::default() };
    let Some(orthanc) = Orthanc::with(&setup) else { return };
    let took = peers::echo(&peer(orthanc.dicom_port, "ORTHANC")).await.unwrap();
    assert!(took < Duration::from_secs(5));
    let wrong = peers::echo(&peer(orthanc.dicom_port, "OTHER")).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.is_retryable()), ("peer.called_aet_unknown", false));
    let web = peers::echo(&peer(orthanc.http_port, "ORTHANC")).await.unwrap_err();
    assert!(["peer.protocol", "peer.cut"].contains(&web.code()), "{web}");
    let port = orthanc.dicom_port;
    drop(orthanc);
    let gone = peers::echo(&peer(port, "ORTHANC")).await.unwrap_err();
    assert_eq!((gone.code(), gone.is_retryable()), ("peer.unreachable", true));
    let mute = Mute::saying(b"");
    let patient = Peer { timeout: Duration::from_millis(500), ..peer(mute.port, "ANY") };
    let silent = peers::echo(&patient).await.unwrap_err();
    assert_eq!((silent.code(), silent.is_retryable()), ("peer.timeout", true));
}

#[tokio::test]
async fn a_chinese_patient_is_stored_found_and_fetched() {
    let Some(orthanc) = Orthanc::start() else { return };
    let series = objects::ct(24, 64, "Shili^Yi=示例^一", "CN-0001");
    let other = objects::ct(2, 64, "Shili^Er=示例^二", "CN-0002");
    let pacs = peer(orthanc.dicom_port, "ORTHANC");
    let report = peers::store(&pacs, items(&series).into_iter().chain(items(&other)), go).await.unwrap();
    assert_eq!((report.accepted, report.warnings, report.associations), (26, 0, 1));
    assert_eq!(orthanc.instance_uids().len(), 26);

    for typed in ["示例一", "例一", "yi", "Shili Yi"] {
        let rows = peers::find(&pacs, &FindQuery::studies().named(typed)).await.unwrap();
        assert_eq!(rows.len(), 1, "{typed}");
        let row = &rows[0];
        assert_eq!((row.study_uid.as_ref(), row.name.display(Lang::Zh).show().as_str()), (Some(&series.study), "示例一"), "{typed}");
        assert_eq!(
            (row.patient_id.show().as_str(), row.date.as_deref(), row.description.as_str()),
            ("CN-0001", Some("2026-01-02"), "胸部平扫")
        );
        assert_eq!((row.modalities.as_slice(), row.instances), (&["CT".to_owned()][..], Some(24)));
    }
    assert!(peers::find(&pacs, &FindQuery::studies().named("示例三")).await.unwrap().is_empty());
    let both = FindQuery { limit: 1, ..FindQuery::studies().matching(Key::StudyDate, "20260101-20260103") };
    assert_eq!(peers::find(&pacs, &both).await.unwrap().len(), 1);
    let below = peers::find(&pacs, &FindQuery::series_of(&series.study)).await.unwrap();
    assert_eq!(
        (below.len(), below[0].series_uid.as_ref(), below[0].number, below[0].instances),
        (1, Some(&series.series), Some(2), Some(24))
    );
    let instances = peers::find(&pacs, &FindQuery::instances_of(&series.study, &series.series)).await.unwrap();
    assert_eq!(instances.len(), 24);

    let shelf = Shelf::default();
    let got = peers::get(&pacs, &GetWhat::study(series.study.clone()), &shelf, &AtomicBool::new(false)).await.unwrap();
    assert!(got.is_complete() && got.kept == 24 && got.completed == 24, "{got:?}");
    shelf.has_all(&series.objects.iter().map(|o| o.bytes.clone()).collect::<Vec<_>>());

    let mut few = GetWhat::series(series.study.clone(), series.series.clone());
    few.instances = series.objects[3..5].iter().map(|o| o.instance.clone()).collect();
    let shelf = Shelf::default();
    let got = peers::get(&pacs, &few, &shelf, &AtomicBool::new(false)).await.unwrap();
    assert_eq!((got.kept, shelf.len()), (2, 2), "{got:?}");
}

#[tokio::test]
async fn answers_are_read_in_the_character_set_of_the_pacs() {
    let Some(orthanc) = Orthanc::with(&Setup { answers_in: "Chinese", ..Setup::default() }) else { return };
    let series = objects::ct(1, 32, "Shili^Yi=示例^一", "CN-0001");
    let pacs = peer(orthanc.dicom_port, "ORTHANC");
    peers::store(&pacs, items(&series), go).await.unwrap();
    let rows = peers::find(&pacs, &FindQuery::studies().named("示例一")).await.unwrap();
    assert_eq!((rows.len(), rows[0].name.display(Lang::Zh).show().as_str(), rows[0].description.as_str()), (1, "示例一", "胸部平扫"));
}

#[tokio::test]
async fn compressed_images_go_and_come_as_they_are() {
    let Some(paths) = mj_tests::real_files(CHEST, 400) else { return };
    let Some(orthanc) = Orthanc::start() else { return };
    let files: Vec<Vec<u8>> = read_all(&paths).into_iter().filter(|f| f.get(128..132) == Some(b"DICM")).collect();
    assert!(files.len() > 20);
    let pacs = peer(orthanc.dicom_port, "ORTHANC");
    let mb = files.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    let start = Instant::now();
    let report = peers::store(&pacs, files.iter().map(|f| item(f.clone())), go).await.unwrap();
    let sent = start.elapsed().as_secs_f64();
    assert_eq!(report.accepted as usize, files.len());
    let shelf = Shelf::default();
    let start = Instant::now();
    let got = peers::get(&pacs, &GetWhat::study(study_of(&files[0])), &shelf, &AtomicBool::new(false)).await.unwrap();
    let fetched = start.elapsed().as_secs_f64();
    assert!(got.is_complete() && got.kept as usize == files.len(), "{got:?}");
    shelf.has_all(&files);
    eprintln!(
        "{} JPEG-LS slices, {mb:.0} MB: to Orthanc {sent:.2} s ({:.0} MB/s), back by C-GET {fetched:.2} s ({:.0} MB/s)",
        files.len(),
        mb / sent,
        mb / fetched
    );
}

#[tokio::test]
async fn a_fetch_can_be_cancelled() {
    /// Asks for a stop at the third instance.
    struct Stopping<'a>(Shelf, &'a AtomicBool);
    impl Sink for Stopping<'_> {
        fn store(&self, received: Received) -> Stored<'_> {
            if self.0.len() >= 2 {
                self.1.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            self.0.store(received)
        }
    }
    let Some(orthanc) = Orthanc::start() else { return };
    let series = objects::ct(60, 128, "Shili^Yi=示例^一", "CN-0001");
    let pacs = peer(orthanc.dicom_port, "ORTHANC");
    peers::store(&pacs, items(&series), go).await.unwrap();
    let cancel = AtomicBool::new(false);
    let sink = Stopping(Shelf::default(), &cancel);
    let got = peers::get(&pacs, &GetWhat::study(series.study.clone()), &sink, &cancel).await.unwrap();
    assert!(got.cancelled && !got.is_complete(), "{got:?}");
    assert_eq!(got.kept as usize, sink.0.len());
}

#[tokio::test]
async fn a_pacs_that_refuses_says_why() {
    let Some(orthanc) = Orthanc::start_refusing() else { return };
    let series = objects::ct(2, 32, "Shili^Yi=示例^一", "CN-0001");
    let mut seen = Vec::new();
    let pacs = peer(orthanc.dicom_port, "ORTHANC");
    let report = peers::store(&pacs, items(&series), |_, outcome| {
        seen.push(outcome.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(report.await.unwrap().refused, 2);
    assert!(seen.iter().all(|o| matches!(o, StoreOutcome::Refused { status: 0xA700, .. }) && o.is_retryable()), "{seen:?}");
    assert!(orthanc.instance_uids().is_empty());
    drop(orthanc);

    let Some(closed) = Orthanc::with(&Setup { serves_strangers: false, ..Setup::default() }) else { return };
    let stranger = peers::store(&peer(closed.dicom_port, "ORTHANC"), items(&series), go).await.unwrap_err();
    assert!(["peer.calling_aet_unknown", "peer.rejected"].contains(&stranger.code()) && !stranger.is_retryable(), "{stranger}");
}

#[tokio::test]
async fn a_line_that_is_cut_is_mended_by_sending_the_rest_again() {
    let Some(orthanc) = Orthanc::start() else { return };
    let series = objects::ct(12, 256, "Shili^Yi=示例^一", "CN-0001");
    let line = CutLine::to(orthanc.dicom_port, 1, 1_000_000);
    let pacs = peer(line.port, "ORTHANC");
    let mut done = Vec::new();
    let cut = peers::store(&pacs, items(&series), |uid, outcome| {
        assert!(outcome.is_accepted());
        done.push(uid.clone());
        ControlFlow::Continue(())
    });
    let error = cut.await.unwrap_err();
    assert!(error.is_retryable() && ["peer.cut", "peer.aborted"].contains(&error.code()), "{error}");
    assert!((3..12).contains(&done.len()), "{}", done.len());
    let rest: Vec<_> = series.objects.iter().filter(|o| !done.contains(&o.instance)).map(|o| item(o.bytes.clone())).collect();
    let report = peers::store(&pacs, rest, go).await.unwrap();
    assert_eq!(report.accepted as usize + done.len(), 12);
    assert_eq!(orthanc.instance_uids().len(), 12);
}

#[tokio::test]
async fn a_pacs_that_dies_in_an_instance_has_confirmed_what_came_before() {
    let pacs = CuttingPacs::start(3).unwrap();
    let series = objects::ct(8, 64, "Shili^Yi=示例^一", "CN-0001");
    let mut done = 0;
    let called = peer(pacs.port(), "CUT");
    let sent = peers::store(&called, items(&series), |_, _| {
        done += 1;
        ControlFlow::Continue(())
    });
    let error = sent.await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!((done, pacs.n_taken()), (3, 3));
    pacs.mend();
    assert_eq!(peers::store(&called, items(&series), go).await.unwrap().accepted, 8);
}

#[tokio::test]
async fn dcmtk_takes_what_we_send_even_if_it_knows_implicit_vr_only() {
    let Some(any) = StoreScp::start(&["+xa"]) else { return };
    let Some(implicit) = StoreScp::start(&["+xi"]) else { return };
    let series = objects::ct(3, 64, "Shili^Yi=示例^一", "CN-0001");
    for scp in [&any, &implicit] {
        peers::store(&peer(scp.port, "STORESCP"), items(&series), go).await.unwrap();
        assert_eq!(scp.files().len(), 3);
    }
    for file in implicit.files() {
        let read = dicom_object::open_file(&file).unwrap();
        assert_eq!(read.meta().transfer_syntax(), "1.2.840.10008.1.2");
        let sent = series.objects.iter().find(|o| o.instance.as_str() == read.meta().media_storage_sop_instance_uid()).unwrap();
        let sent = dicom_object::from_reader(sent.bytes.as_slice()).unwrap();
        for element in sent.iter() {
            let there = read.element(element.header().tag).unwrap();
            assert_eq!(there.value().to_bytes().unwrap(), element.value().to_bytes().unwrap(), "{}", element.header().tag);
        }
    }
    if let Some(paths) = mj_tests::real_files(CHEST, 2) {
        let outcome = Mutex::new(Vec::new());
        let files = read_all(&paths);
        peers::store(&peer(implicit.port, "STORESCP"), files.into_iter().map(item), |_, o| {
            outcome.lock().unwrap().push(o.clone());
            ControlFlow::Continue(())
        })
        .await
        .unwrap_or_default();
        let outcome = outcome.into_inner().unwrap();
        assert!(outcome.iter().all(|o| *o == StoreOutcome::NotOffered), "{outcome:?}");
    }
}

#[tokio::test]
async fn our_server_takes_from_dcmtk() {
    let station = Station::start().await;
    let series = objects::ct(20, 128, "Shili^Yi=示例^一", "CN-0001");
    let folder = mj_tests::folder();
    for (i, object) in series.objects.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{i}.dcm")), &object.bytes).unwrap();
    }
    let (port, path) = (station.port, folder.path().to_owned());
    let Some(said) = blocking(move || dcmtk::echoscu(port, "MINGJING")).await else { return };
    assert!(said.ok, "{}", said.text);
    let said = blocking(move || dcmtk::storescu(port, "MINGJING", &path, &[])).await.unwrap();
    assert!(said.ok, "{}", said.text);
    station.shelf.has_all(&series.objects.iter().map(|o| o.bytes.clone()).collect::<Vec<_>>());
    if let Some(paths) = mj_tests::real_files(CHEST, 25) {
        let compressed = mj_tests::folder();
        for path in &paths {
            std::fs::copy(path, compressed.path().join(path.file_name().unwrap())).unwrap();
        }
        let path = compressed.path().to_owned();
        // -xt proposes JPEG-LS lossless.
        let said = blocking(move || dcmtk::storescu(port, "MINGJING", &path, &["-xt"])).await.unwrap();
        assert!(said.ok, "{}", said.text);
        station.shelf.has_all(&read_all(&paths));
    }
    let refused = blocking(move || dcmtk::findscu(port, "MINGJING", &["0008,0052=STUDY", "0020,000D"])).await.unwrap();
    assert!(!refused.ok, "a C-FIND was taken: {}", refused.text);
    station.end().await;
}

#[tokio::test]
async fn our_server_takes_from_orthanc() {
    let station = Station::start().await;
    let Some(orthanc) = Orthanc::with(&Setup { known: vec![("MINGJING".into(), station.port)], ..Setup::default() }) else { return };
    let orthanc = Arc::new(orthanc);
    let mut files: Vec<Vec<u8>> = objects::ct(20, 128, "Shili^Yi=示例^一", "CN-0001").objects.into_iter().map(|o| o.bytes).collect();
    if let Some(paths) = mj_tests::real_files(CHEST, 20) {
        files.extend(read_all(&paths));
    }
    for file in &files {
        orthanc.upload(file);
    }
    let sender = Arc::clone(&orthanc);
    blocking(move || sender.send_all_to("MINGJING")).await;
    station.shelf.has_all(&files);

    // And by C-MOVE, as a workstation's own query would do it.
    station.shelf.0.lock().unwrap().clear();
    let (port, study) = (orthanc.dicom_port, study_of(&files[0]));
    let said = blocking(move || dcmtk::movescu(port, "ORTHANC", "MINGJING", study.as_str())).await;
    if let Some(said) = said {
        assert!(said.ok, "{}", said.text);
        station.shelf.has_all(&files[..20]);
    }
    station.end().await;
}

/// 600 slices of 512 x 512, as the peers in one run: dcmtk's storescu against our store, to the same storescp
/// and the same Orthanc.
#[tokio::test]
#[ignore = "a measurement: cargo xtask bench"]
async fn bench_dimse_throughput() {
    let Some(scp) = StoreScp::start(&["--ignore"]) else { return };
    let Some(orthanc) = Orthanc::start() else { return };
    let series = objects::ct(600, 512, "Shili^Yi=示例^一", "CN-0001");
    let folder = mj_tests::folder();
    let paths: Vec<_> = series.objects.iter().enumerate().map(|(i, o)| (folder.path().join(format!("{i:04}.dcm")), o)).collect();
    for (path, object) in &paths {
        std::fs::write(path, &object.bytes).unwrap();
    }
    for (name, port, called) in [("storescp", scp.port, "STORESCP"), ("Orthanc", orthanc.dicom_port, "ORTHANC")] {
        let (mut ours, mut dcmtk) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            orthanc.clear();
            let later = paths.iter().map(|(path, o)| {
                let path = path.clone();
                let one = item(o.bytes.clone());
                StoreItem::later(one.instance, one.sop_class, one.transfer_syntax, move || std::fs::read(path))
            });
            let later: Vec<_> = later.collect();
            let start = Instant::now();
            peers::store(&peer(port, called), later, go).await.unwrap();
            ours.push(start.elapsed().as_secs_f64());
            orthanc.clear();
            let path = folder.path().to_owned();
            let start = Instant::now();
            let said = blocking(move || dcmtk::storescu(port, called, &path, &[])).await.unwrap();
            assert!(said.ok, "{}", said.text);
            dcmtk.push(start.elapsed().as_secs_f64());
        }
        mj_testdata::note(&format!("600 slices to {name} by C-STORE"), "mingjing", "s", &ours, "loopback, TCP_NODELAY");
        mj_testdata::note(&format!("600 slices to {name} by C-STORE"), "dcmtk storescu", "s", &dcmtk, "loopback, TCP_NODELAY");
    }
    let shelf = Shelf::default();
    let mut ours = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let got = peers::get(&peer(orthanc.dicom_port, "ORTHANC"), &GetWhat::study(series.study.clone()), &shelf, &AtomicBool::new(false))
            .await
            .unwrap();
        ours.push(start.elapsed().as_secs_f64());
        assert!(got.is_complete(), "{got:?}");
    }
    mj_testdata::note("600 slices from Orthanc by C-GET", "mingjing", "s", &ours, "loopback, TCP_NODELAY");
}
