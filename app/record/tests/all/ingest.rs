use crate::support::{Image, new_record, reopen, write};
use mj_record::{Error, Ingested, PixelHasher, Record, Subject, Watch};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

async fn import(record: &Record, path: &Path) -> mj_record::ImportReceipt {
    record.import(&[path.to_owned()], &Watch::default()).await.unwrap()
}

#[tokio::test]
async fn a_folder_enters_once() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let images: Vec<Image> = (1..=150).map(|n| Image::new(1, n)).collect();
    write(&dir.path().join("in"), &images);
    let first = import(&record, &dir.path().join("in")).await;
    assert_eq!((first.seen, first.stored, first.already_present), (150, 150, 0));
    assert!(first.skipped.is_empty() && first.conflicts.is_empty() && first.notes.is_empty());
    let again = import(&record, &dir.path().join("in")).await;
    assert_eq!((again.seen, again.stored, again.already_present), (150, 0, 150));
    let study = record.study(&images[0].study_uid()).await.unwrap();
    assert_eq!((study.instances, study.row.series.len(), study.row.series[0].instances), (150, 1, 150));
    assert_eq!(study.clinical_history.show(), "咳嗽两周");
    assert_eq!(study.age.as_deref(), Some("065Y"));
    assert_eq!(record.object_bytes(&images[3].instance_uid()).await.unwrap(), images[3].bytes());
    // Reopened by another process the same is there.
    drop(record);
    let record = reopen(dir.path()).await;
    assert_eq!(record.study(&images[0].study_uid()).await.unwrap().instances, 150);
    let objects = record.series_objects(&study.row.series[0].series_uid).await.unwrap();
    assert_eq!(objects.len(), 150);
    assert_eq!(objects.iter().map(|o| o.instance_number.unwrap()).collect::<Vec<_>>(), (1..=150).collect::<Vec<_>>());
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn archives_media_and_files_without_preamble() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let images: Vec<Image> = (1..=4).map(|n| Image::new(2, n)).collect();
    let inner = zipped(&[("deep/IM3", images[2].bytes())]);
    let outer = zipped(&[
        ("CT/IM1", images[0].bytes()),
        ("CT/IM2", images[1].bytes()),
        ("more.zip", inner),
        ("readme.txt", b"hello there".to_vec()),
    ]);
    let folder = dir.path().join("in");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("study.zip"), outer).unwrap();
    std::fs::write(folder.join("no_preamble"), &images[3].bytes()[132..]).unwrap();
    let receipt = import(&record, &folder).await;
    assert_eq!((receipt.seen, receipt.stored, receipt.skipped.len()), (5, 4, 1), "{receipt:?}");
    assert!(receipt.skipped[0].path.ends_with("study.zip/readme.txt"), "{}", receipt.skipped[0].path);
}

#[tokio::test]
async fn real_media_and_character_sets() {
    let Some(folder) = mj_testdata::path("dicomdir") else { return };
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let receipt = import(&record, &folder).await;
    assert!(receipt.stored > 0, "{receipt:?}");
    assert!(receipt.notes.iter().any(|note| note.code == "import.dicomdir"), "{receipt:?}");
    let Some(folder) = mj_testdata::path("charset") else { return };
    let receipt = import(&record, &folder).await;
    assert!(receipt.stored > 0, "{receipt:?}");
}

/// Wrong patient in a study, and a series in another study.
#[tokio::test]
async fn contradictions_are_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let good = Image::new(3, 1);
    let other_patient = Image { patient_id: "P999".into(), ..Image::new(3, 2) };
    let other_issuer = Image { issuer: "ELSEWHERE".into(), ..Image::new(3, 3) };
    let other_study = Image { study: "1.2.826.0.1.77".into(), ..Image::new(3, 4) };
    for (at, image) in [&good, &other_patient, &other_issuer, &other_study].into_iter().enumerate() {
        write(&dir.path().join(format!("in/{at}")), std::slice::from_ref(image));
    }
    for round in 0..2 {
        // The same batch twice: nothing is kept aside a second time, and it is told again.
        let receipt = import(&record, &dir.path().join("in")).await;
        let mut reasons: Vec<&str> = receipt.conflicts.iter().map(|c| c.reason.as_str()).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["import.patient_mismatch", "import.patient_mismatch", "import.series_mismatch"], "round {round}");
    }
    let detail = record.study(&good.study_uid()).await.unwrap();
    assert_eq!((detail.instances, detail.conflicts.len(), detail.row.state.local.as_str()), (1, 2, "conflict"));
    assert!(matches!(record.object(&other_patient.instance_uid()).await, Err(Error::Unknown(_))));
}

/// Two patients with the same id of different issuers, and patients without an id, are different people.
#[tokio::test]
async fn priors_are_of_the_same_issuer_and_id() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let of = |study, id: &str, issuer: &str| Image { patient_id: id.into(), issuer: issuer.into(), ..Image::new(study, 1) };
    let images = [of(1, "42", "A"), of(2, "42", "A"), of(3, "42", "B"), of(4, "", ""), of(5, "", "")];
    write(&dir.path().join("in"), &images);
    import(&record, &dir.path().join("in")).await;
    let mut counts = Vec::new();
    for image in &images {
        counts.push(record.study(&image.study_uid()).await.unwrap().priors.len());
    }
    assert_eq!(counts, [1, 1, 0, 0, 0]);
}

/// Stands for a headless viewer: the pixels are the last 128 bytes.
struct Viewer(mj_seal::Key);

impl PixelHasher for Viewer {
    fn samples_sha256(&self, sealed: &Path) -> Result<String, String> {
        use std::io::Read as _;
        let mut plain = Vec::new();
        mj_seal::open_file(sealed, &self.0).and_then(|mut r| Ok(r.read_to_end(&mut plain)?)).map_err(|e| e.to_string())?;
        Ok(format!("{:?}", &plain[plain.len() - 128..]))
    }
}

fn viewer(record: &Record) -> Arc<dyn PixelHasher> {
    Arc::new(Viewer(mj_seal::Key::from_hex(&record.grant().object_key).unwrap()))
}

/// Same UID and other content: the same image if the pixels agree, else a conflict; without anybody who can decode
/// pixels it waits.
#[tokio::test]
async fn one_uid_two_data_sets() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(4, 1);
    let relabelled = Image { description: "edited by a PACS".into(), ..image.clone() };
    let forged = Image { pixels: Some(vec![9; 128]), ..image.clone() };
    let bare = Image { pixels: None, ..image.clone() };
    assert!(matches!(record.ingest_bytes(image.bytes(), "a").await.unwrap(), Ingested::Stored { .. }));
    for bytes in [relabelled.bytes(), forged.bytes()] {
        assert!(matches!(record.ingest_bytes(bytes, "b").await.unwrap(), Ingested::Waiting { .. }));
    }
    let conflict = record.ingest_bytes(bare.bytes(), "c").await.unwrap();
    assert!(matches!(conflict, Ingested::Conflict { reason: "import.same_uid_other_content", .. }), "{conflict:?}");
    assert_eq!(record.settle_waiting().await.unwrap(), 0);
    assert_eq!(std::fs::read_dir(record.grant().inbox).unwrap().count(), 2);
    record.set_pixel_hasher(viewer(&record));
    assert_eq!(record.settle_waiting().await.unwrap(), 2);
    assert_eq!(std::fs::read_dir(record.grant().inbox).unwrap().count(), 1, "the forged one is kept aside");
    let again = record.ingest_bytes(relabelled.bytes(), "d").await.unwrap();
    assert!(matches!(again, Ingested::AlreadyPresent { by_pixels: true, .. }), "{again:?}");
    assert!(matches!(record.ingest_bytes(forged.bytes(), "d").await.unwrap(), Ingested::Conflict { .. }));
    // With a viewer at hand it is decided at once.
    let third = Image { description: "edited again".into(), ..image.clone() };
    assert!(matches!(record.ingest_bytes(third.bytes(), "e").await.unwrap(), Ingested::AlreadyPresent { by_pixels: true, .. }));
    assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), image.bytes());
}

/// A number typed twice, or two hospitals of one issuer: another person under a known id is kept aside, in one batch as in
/// a later one; the same person written otherwise is not.
#[tokio::test]
async fn two_persons_of_one_id_stay_two() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let of = |study| Image { patient_id: "42".into(), name: "Shili^Yi=示例^一".into(), ..Image::new(study, 1) };
    let first = Image { birth: String::new(), ..of(1) };
    let same = Image { name: "SHILI YI".into(), ..of(2) };
    let script = Image { name: "示例一".into(), ..of(3) };
    write(&dir.path().join("a"), &[first.clone(), same, script]);
    let receipt = import(&record, &dir.path().join("a")).await;
    assert_eq!((receipt.stored, receipt.conflicts.len()), (3, 0), "{receipt:?}");
    let others = [
        Image { name: "Shili^Er=示例^二".into(), ..of(4) },
        Image { sex: "M".into(), ..of(5) },
        // The first study left it out; the second one said it.
        Image { birth: "19700101".into(), ..of(6) },
    ];
    write(&dir.path().join("b"), &others);
    let receipt = import(&record, &dir.path().join("b")).await;
    let reasons: Vec<&str> = receipt.conflicts.iter().map(|c| c.reason.as_str()).collect();
    assert_eq!((receipt.stored, reasons), (0, vec!["import.patient_mismatch"; 3]), "{receipt:?}");
    assert_eq!(record.study(&first.study_uid()).await.unwrap().priors.len(), 2);
    // Both in one batch.
    let pair = [Image { patient_id: "43".into(), ..of(7) }, Image { patient_id: "43".into(), sex: "M".into(), ..of(8) }];
    write(&dir.path().join("c"), &pair);
    let receipt = import(&record, &dir.path().join("c")).await;
    assert_eq!((receipt.stored, receipt.conflicts.len()), (1, 1), "{receipt:?}");
}

/// The same pixels under the same UID are another image when they are somebody else's, of another series, or lie otherwise.
#[tokio::test]
async fn same_pixels_of_somebody_else_are_no_twin() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(4, 1);
    record.ingest_bytes(image.bytes(), "a").await.unwrap();
    let others = [
        (Image { patient_id: "P999".into(), ..image.clone() }, "import.patient_mismatch"),
        (Image { sex: "M".into(), ..image.clone() }, "import.patient_mismatch"),
        (Image { name: "Shili^Er=示例^二".into(), ..image.clone() }, "import.patient_mismatch"),
        (Image { study: "1.2.826.0.1.5".into(), ..image.clone() }, "import.series_mismatch"),
        (Image { series: "1.2.826.0.1.4.2".into(), ..image.clone() }, "import.series_mismatch"),
        (Image { spacing: "2\\2".into(), ..image.clone() }, "import.same_uid_other_content"),
    ];
    // Nobody needs to decode a pixel for this, and it stays so when somebody can.
    for round in 0..2 {
        for (other, wanted) in &others {
            let outcome = record.ingest_bytes(other.bytes(), "b").await.unwrap();
            assert!(matches!(outcome, Ingested::Conflict { reason, .. } if reason == *wanted), "{round} {wanted}: {outcome:?}");
        }
        record.set_pixel_hasher(viewer(&record));
    }
    assert_eq!(record.settle_waiting().await.unwrap(), 0);
}

/// What waits is told as something to decide, and ends as twin or conflict when somebody can decode pixels, two of one
/// batch included.
#[tokio::test]
async fn what_waits_is_told_and_ends_with_the_next_import() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(4, 1);
    let folder = dir.path().join("in");
    let put = |name: &str, image: &Image| {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), image.bytes()).unwrap();
    };
    put("1", &image);
    put("2", &Image { description: "edited by a PACS".into(), ..image.clone() });
    put("3", &Image { pixels: Some(vec![9; 128]), ..image.clone() });
    put("4", &Image { spacing: "3\\3".into(), ..image.clone() });
    let receipt = import(&record, &folder).await;
    let mut reasons: Vec<&str> = receipt.conflicts.iter().map(|c| c.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["import.same_uid_other_content", "import.waiting", "import.waiting"], "{receipt:?}");
    assert_eq!((receipt.seen, receipt.stored, receipt.skipped.len()), (4, 1, 0));
    assert_eq!(record.study(&image.study_uid()).await.unwrap().conflicts.len(), 3);

    record.set_pixel_hasher(viewer(&record));
    let receipt = import(&record, &folder).await;
    assert_eq!((receipt.stored, receipt.already_present, receipt.conflicts.len()), (0, 2, 2), "{receipt:?}");
    assert!(receipt.conflicts.iter().all(|c| c.reason == "import.same_uid_other_content"), "{receipt:?}");
    assert_eq!(record.study(&image.study_uid()).await.unwrap().conflicts.len(), 2);
    assert_eq!(std::fs::read_dir(record.grant().inbox).unwrap().count(), 2, "the file of the twin is gone");

    // With somebody to decode them, a batch of its own ends decided.
    let other = new_record(&dir.path().join("other")).await;
    other.set_pixel_hasher(viewer(&other));
    let receipt = import(&other, &folder).await;
    assert_eq!((receipt.stored, receipt.already_present, receipt.conflicts.len()), (1, 1, 2), "{receipt:?}");
    assert!(receipt.notes.iter().any(|note| note.code == "import.same_pixels"), "{receipt:?}");
}

fn code_of_notes(receipt: &mj_record::ImportReceipt) -> Vec<&str> {
    receipt.notes.iter().map(|note| note.code.as_str()).collect()
}

/// A file without so many of its last bytes.
fn cut(image: &Image, by: usize) -> Vec<u8> {
    let mut bytes = image.bytes();
    bytes.truncate(bytes.len() - by);
    bytes
}

#[tokio::test]
async fn an_image_cut_short_gives_way_to_one_that_begins_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(4, 1);
    let first = record.ingest_bytes(cut(&image, 100), "a").await.unwrap();
    assert!(matches!(first, Ingested::Stored { is_cut_short: true, .. }), "{first:?}");
    // Less is present already, more is better, all is best.
    let less = record.ingest_bytes(cut(&image, 110), "b").await.unwrap();
    assert!(matches!(less, Ingested::AlreadyPresent { is_part: true, by_pixels: false, .. }), "{less:?}");
    let more = record.ingest_bytes(cut(&image, 20), "c").await.unwrap();
    assert!(matches!(more, Ingested::Completed { is_cut_short: true, .. }), "{more:?}");
    let all = record.ingest_bytes(image.bytes(), "d").await.unwrap();
    assert!(matches!(all, Ingested::Completed { is_cut_short: false, .. }), "{all:?}");
    assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), image.bytes());
    for by in [100, 20] {
        let late = record.ingest_bytes(cut(&image, by), "e").await.unwrap();
        assert!(matches!(late, Ingested::AlreadyPresent { is_part: true, .. }), "{late:?}");
    }
    assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), image.bytes());
    let study = record.study(&image.study_uid()).await.unwrap();
    assert_eq!((study.instances, study.conflicts.len()), (1, 0));
    // The audit names what gave way, and its file is still there.
    let audit = record.audit(100).await.unwrap();
    let gone: Vec<_> = audit.iter().filter(|row| row.what == "import.completed" && row.subject == image.instance).collect();
    assert_eq!(gone.len(), 2);
    for row in gone {
        assert!(record.dir().join(row.detail["cut_short"]["file"].as_str().unwrap()).is_file(), "{row:?}");
    }
    assert!(record.audit_proof().await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn another_beginning_or_header_is_a_conflict_whatever_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    record.set_pixel_hasher(viewer(&record));
    let image = Image::new(4, 1);
    record.ingest_bytes(cut(&image, 100), "a").await.unwrap();
    let forged = Image { pixels: Some(vec![9; 128]), ..image.clone() };
    let relabelled = Image { description: "edited by a PACS".into(), ..image.clone() };
    for other in [forged.bytes(), cut(&forged, 20), relabelled.bytes()] {
        let outcome = record.ingest_bytes(other, "b").await.unwrap();
        assert!(matches!(outcome, Ingested::Conflict { reason: "import.same_uid_other_content", .. }), "{outcome:?}");
    }
    assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), cut(&image, 100));
    // The other way round.
    let whole = Image::new(4, 2);
    record.ingest_bytes(whole.bytes(), "a").await.unwrap();
    let forged = Image { pixels: Some(vec![9; 128]), ..whole.clone() };
    let outcome = record.ingest_bytes(cut(&forged, 20), "b").await.unwrap();
    assert!(matches!(outcome, Ingested::Conflict { reason: "import.same_uid_other_content", .. }), "{outcome:?}");
    assert_eq!(record.object_bytes(&whole.instance_uid()).await.unwrap(), whole.bytes());
}

#[tokio::test]
async fn a_batch_with_a_whole_and_a_cut_copy_keeps_the_whole_one() {
    let image = Image::new(4, 1);
    for (names, notes) in [(["1", "2"], ["import.completed", "import.cut_short"]), (["2", "1"], ["import.cut_copy", ""])] {
        let dir = tempfile::tempdir().unwrap();
        let (record, folder) = (new_record(dir.path()).await, dir.path().join("in"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(names[0]), cut(&image, 50)).unwrap();
        std::fs::write(folder.join(names[1]), image.bytes()).unwrap();
        let receipt = import(&record, &folder).await;
        let mut told = code_of_notes(&receipt);
        told.sort_unstable();
        assert_eq!(told, notes.into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>(), "{receipt:?}");
        assert_eq!((receipt.seen, receipt.conflicts.len(), receipt.skipped.len()), (2, 0, 0));
        assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), image.bytes());
        assert_eq!(std::fs::read_dir(record.grant().inbox).unwrap().count(), 0);
        let again = import(&record, &folder).await;
        assert_eq!((again.stored, again.already_present, code_of_notes(&again)), (0, 2, vec!["import.cut_copy"]), "{again:?}");
    }
}

#[tokio::test]
async fn what_a_child_made_enters_by_the_inbox() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(5, 1);
    let grant = record.grant();
    let key = mj_seal::Key::from_hex(&grant.object_key).unwrap();
    let put = |name: &str, image: &Image| std::fs::write(grant.inbox.join(name), mj_seal::seal(&key, &image.bytes()).unwrap()).unwrap();
    put("seg.mj", &image);
    let other = Image::new(6, 1).study_uid();
    assert!(matches!(record.ingest_inbox("seg.mj", &other).await, Err(Error::OtherStudy)));
    assert!(matches!(record.ingest_inbox("seg.mj", &image.study_uid()).await.unwrap(), Ingested::Stored { .. }));
    assert!(!grant.inbox.join("seg.mj").exists());
    for bad in ["../record.toml", "a/b", "..", "", "/etc/passwd"] {
        assert!(matches!(record.ingest_inbox(bad, &other).await, Err(Error::BadInboxName(_))), "{bad}");
    }
}

#[tokio::test]
async fn ids_are_resolved() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let images = [Image::new(11, 1), Image::new(12, 1)];
    write(&dir.path().join("in"), &images);
    import(&record, &dir.path().join("in")).await;
    let study = images[0].study_uid();
    let row = record.study(&study).await.unwrap().row;
    for id in [row.id.as_str(), study.as_str()] {
        assert_eq!(record.resolve(id).await.unwrap(), Subject::Study(study.clone()), "{id}");
    }
    assert_eq!(record.resolve("1.2.826.0.1.12").await.unwrap(), Subject::Study(images[1].study_uid()));
    match record.resolve("1.2.826").await.unwrap_err() {
        Error::Ambiguous { candidates, .. } => assert!(candidates.len() >= 2),
        other => panic!("{other}"),
    }
    for nothing in ["s999", "nothing", "", "9.9.9.9"] {
        assert!(matches!(record.resolve(nothing).await, Err(Error::Unknown(_))), "{nothing}");
    }
}

/// The shell, a command and a server may run together.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_import_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    let a = new_record(dir.path()).await;
    let b = reopen(dir.path()).await;
    let images: Vec<Image> = (1..=200).map(|n| Image::new(1, n)).collect();
    write(&dir.path().join("in"), &images);
    let before = a.data_version().await.unwrap();
    let paths: Vec<PathBuf> = vec![dir.path().join("in")];
    let (paths_b, other) = (paths.clone(), b.clone());
    let second = tokio::spawn(async move { other.import(&paths_b, &Watch::default()).await.unwrap() });
    let first = a.import(&paths, &Watch::default()).await.unwrap();
    let second = second.await.unwrap();
    assert_eq!(first.stored + second.stored, 200);
    assert_eq!(first.already_present + second.already_present, 200);
    assert!(b.data_version().await.unwrap() > before);
    assert_eq!(b.study(&images[0].study_uid()).await.unwrap().instances, 200);
    assert!(a.audit_proof().await.unwrap().broken_at.is_none());
}
