use crate::support::{Image, new_record, passphrase, reopen, write};
use mj_model::Coded as _;
use mj_record::{Disk, DiskFile, Error, Passphrase, RealDisk, Record, Watch};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[tokio::test]
async fn each_bad_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let folder = dir.path().join("in");
    let image = Image::new(1, 1).bytes();
    let no_pixels = Image { pixels: None, ..Image::new(1, 2) };
    write(&folder, &[no_pixels]);
    for (name, bytes) in [
        ("text.txt", &b"This is no image, it is a letter to the reader."[..]),
        ("cut.dcm", &image[..image.len() - 40]),
        ("header.dcm", &image[..image.len() - 135]),
        ("empty", b""),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let receipt = record.import(&[folder], &Watch::default()).await.unwrap();
    assert_eq!((receipt.seen, receipt.stored, receipt.skipped.len()), (5, 2, 3), "{receipt:?}");
    for (name, code) in [("1.2.826.0.1.1.1.2.dcm", "import.no_pixels"), ("cut.dcm", "import.cut_short")] {
        assert!(receipt.notes.iter().any(|n| n.path.ends_with(name) && n.code == code && n.needs_person()), "{name}: {receipt:?}");
    }
    for (name, code) in [("text.txt", "dicom.not_dicom"), ("header.dcm", "dicom.truncated"), ("empty", "dicom.empty")] {
        let skipped = receipt.skipped.iter().find(|s| s.path.ends_with(name)).unwrap();
        assert_eq!(skipped.code, code, "{skipped:?}");
    }
}

#[tokio::test]
async fn nothing_to_import() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    std::fs::create_dir_all(dir.path().join("empty/deeper")).unwrap();
    let code = |path: &str| {
        let (record, path) = (record.clone(), dir.path().join(path));
        async move { record.import(&[path], &Watch::default()).await.unwrap_err().code() }
    };
    assert_eq!(code("empty").await, "import.nothing_found");
    assert_eq!(code("absent").await, "import.no_such_path");
}

#[tokio::test]
async fn passphrases_and_folders() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    record.close().await;
    drop(record);
    let path = dir.path().join("record");
    let wrong = Passphrase::new("wrong").unwrap();
    assert_eq!(Record::open(&path, &wrong).await.unwrap_err().code(), "record.wrong_passphrase");
    assert_eq!(Record::init(&path, &passphrase()).await.unwrap_err().code(), "record.exists");
    assert_eq!(Record::open(dir.path().join("nowhere"), &passphrase()).await.unwrap_err().code(), "record.not_found");
    assert!(Passphrase::new("").is_err());
    std::fs::write(dir.path().join("pass"), "correct horse\n").unwrap();
    Record::open(&path, &Passphrase::from_file(&dir.path().join("pass")).unwrap()).await.unwrap();
    // A head file that was tampered with opens nothing and asks for no gigabytes.
    let head = std::fs::read_to_string(path.join("record.toml")).unwrap();
    std::fs::write(path.join("record.toml"), head.replace("65536", "4000000000")).unwrap();
    assert_eq!(Record::open(&path, &passphrase()).await.unwrap_err().code(), "record.bad_head");
    std::fs::write(path.join("record.toml"), &head).unwrap();
    // A database that is gone is not quietly made anew over old objects.
    std::fs::create_dir_all(path.join("objects/ab")).unwrap();
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        std::fs::remove_file(path.join(file)).ok();
    }
    assert_eq!(Record::open(&path, &passphrase()).await.unwrap_err().code(), "record.database_missing");
}

#[tokio::test]
async fn another_passphrase_opens_the_same_record() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    record.ingest_bytes(Image::new(1, 1).bytes(), "test").await.unwrap();
    let (path, new) = (dir.path().join("record"), Passphrase::new("battery staple").unwrap());
    assert_eq!(Record::change_passphrase(&path, &new, &new).await.unwrap_err().code(), "record.wrong_passphrase");
    Record::change_passphrase(&path, &passphrase(), &new).await.unwrap();
    record.ingest_bytes(Image::new(1, 2).bytes(), "test").await.unwrap();
    assert_eq!(Record::open(&path, &passphrase()).await.unwrap_err().code(), "record.wrong_passphrase");
    let again = Record::open(&path, &new).await.unwrap();
    assert_eq!(again.object_bytes(&Image::new(1, 2).instance_uid()).await.unwrap(), Image::new(1, 2).bytes());
    let stray =
        std::fs::read_dir(&path).unwrap().filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("record.toml.")).count();
    assert_eq!(stray, 0);
}

/// A disk that is full, or turns read-only, after some bytes.
struct Failing {
    left: AtomicI64,
    kind: io::ErrorKind,
}

impl Failing {
    fn spend(&self, n: i64) -> io::Result<()> {
        if self.left.fetch_sub(n, Ordering::SeqCst) < n { Err(self.kind.into()) } else { Ok(()) }
    }
}

struct Shared(Arc<Failing>);

impl Disk for Shared {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.spend(1)?;
        let file = RealDisk.create(path)?;
        Ok(Box::new(Owned(file, Arc::clone(&self.0))))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.spend(1)?;
        RealDisk.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.spend(1)?;
        RealDisk.sync_dir(dir)
    }
}

struct Owned(Box<dyn DiskFile>, Arc<Failing>);

impl io::Write for Owned {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.spend(bytes.len() as i64)?;
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for Owned {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

/// At whatever byte the disk fails: the error is named, what was acknowledged is whole, nothing half-done
/// stays, and with room again the import goes on.
#[tokio::test(flavor = "multi_thread")]
async fn full_and_read_only_disks() {
    for (kind, code) in [(io::ErrorKind::StorageFull, "disk.full"), (io::ErrorKind::ReadOnlyFilesystem, "disk.read_only")] {
        let dir = tempfile::tempdir().unwrap();
        new_record(dir.path()).await.close().await;
        let images: Vec<Image> = (1..=100).map(|n| Image::new(1, n)).collect();
        write(&dir.path().join("in"), &images);
        for left in [3, 900, 40_000, 80_000, 105_000] {
            let disk = Arc::new(Failing { left: AtomicI64::new(left), kind });
            let record = match Record::open_on(dir.path().join("record"), &passphrase(), Arc::new(Shared(disk))).await {
                Ok(record) => record,
                Err(error) => {
                    assert_eq!(error.code(), code);
                    continue;
                }
            };
            let failed = record.import(&[dir.path().join("in")], &Watch::default()).await;
            if let Err(error) = failed {
                assert_eq!(error.code(), code, "{left}");
            }
        }
        let record = reopen(dir.path()).await;
        let receipt = record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
        assert_eq!(receipt.stored + receipt.already_present, 100);
        assert_whole(&record, &images).await;
    }
}

/// A template of the department, replaced on a disk that fills up: the old one serves on, whole.
#[tokio::test]
async fn a_full_disk_leaves_the_old_template() {
    let dir = tempfile::tempdir().unwrap();
    new_record(dir.path()).await.close().await;
    let file = dir.path().join("own.toml");
    let own = |title: &str| {
        let text = mj_report::Template::builtin("chest_ct").unwrap().to_toml().unwrap();
        text.replace("\"chest_ct\"", "\"own\"").replace("Chest CT report", title)
    };
    std::fs::write(&file, own("First")).unwrap();
    reopen(dir.path()).await.take_template(&file).unwrap();
    std::fs::write(&file, own("Second")).unwrap();
    for left in [0, 1, 500, 2000] {
        let disk = Arc::new(Failing { left: AtomicI64::new(i64::MAX / 2), kind: io::ErrorKind::StorageFull });
        let record = Record::open_on(dir.path().join("record"), &passphrase(), Arc::new(Shared(Arc::clone(&disk)))).await.unwrap();
        disk.left.store(left, Ordering::SeqCst);
        assert!(record.take_template(&file).is_err(), "{left}");
        assert_eq!(record.template("own").unwrap().title.en, "First");
        let files = std::fs::read_dir(record.templates_folder()).unwrap().count();
        assert_eq!(files, 1, "nothing half-done stays");
        record.close().await;
    }
    let record = reopen(dir.path()).await;
    assert!(record.take_template(&file).unwrap().replaced);
    assert_eq!(record.template("own").unwrap().title.en, "Second");
}

/// Every instance of the record opens, and no file lies about that the record does not know.
pub(crate) async fn assert_whole(record: &Record, images: &[Image]) {
    for image in images {
        assert_eq!(record.object_bytes(&image.instance_uid()).await.unwrap(), image.bytes());
    }
    let files =
        walkdir::WalkDir::new(record.dir().join("objects")).into_iter().filter(|e| e.as_ref().unwrap().file_type().is_file()).count();
    assert_eq!(files, images.len(), "orphans or missing objects");
}

/// The database itself on a full disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_size_limit_stops_the_database() {
    let dir = tempfile::tempdir().unwrap();
    new_record(dir.path()).await.close().await;
    let images: Vec<Image> = (1..=400).map(|n| Image::new(1, n)).collect();
    write(&dir.path().join("in"), &images);
    let program = std::env::current_exe().unwrap();
    // Units of `ulimit -f` are KiB in bash; SIGXFSZ ignored, so that writing fails instead of killing.
    let script = format!("trap '' XFSZ; ulimit -f 300; exec '{}' --exact kill::child --ignored --nocapture", program.display());
    let output =
        std::process::Command::new("bash").args(["-c", &script]).env("MJ_CHILD", "import").env("MJ_DIR", dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("disk.full") || said.contains("record.database") || said.contains("imported 400"), "{said}");
    let record = reopen(dir.path()).await;
    let receipt = record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
    assert_eq!(receipt.stored + receipt.already_present, 400);
    assert_whole(&record, &images).await;
}

/// Every code of the record has its texts in both languages, and no `Display` shows a path.
#[test]
fn errors_in_the_log_hold_no_path() {
    let path = Path::new("/somewhere/example/record").to_path_buf();
    let errors = [
        Error::NotFound(path.clone()),
        Error::Exists(path.clone()),
        Error::NoSuchPath(path.clone()),
        Error::NothingFound(path.clone()),
        Error::Disk { path: path.clone(), source: io::ErrorKind::Other.into() },
        Error::Unknown("1.2.3".into()),
        Error::BadInboxName("1.2.3".into()),
    ];
    for error in errors {
        let shown = error.to_string();
        assert!(!shown.contains("example") && !shown.contains("1.2.3"), "{shown}");
        assert!(!error.args().is_empty());
    }
}
