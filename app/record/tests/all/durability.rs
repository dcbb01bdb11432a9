//! What is put on the disk, and in which order: an object's bytes are synced before it gets its name, and the
//! folder after it, so that no power cut leaves a row without its file.

use crate::support::{Image, new_record, passphrase, write};
use mj_dicom::Watch;
use mj_record::{Disk, DiskFile, RealDisk, Record};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Written(PathBuf),
    Synced(PathBuf),
    Renamed(PathBuf, PathBuf),
    FolderSynced(PathBuf),
}

type Log = Arc<Mutex<Vec<Step>>>;

fn note(log: &Log, step: Step) {
    log.lock().unwrap().push(step);
}

struct Watched(Log);

impl Disk for Watched {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(WatchedFile(RealDisk.create(path)?, path.to_owned(), Arc::clone(&self.0))))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        note(&self.0, Step::Renamed(from.to_owned(), to.to_owned()));
        RealDisk.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        note(&self.0, Step::FolderSynced(dir.to_owned()));
        RealDisk.sync_dir(dir)
    }
}

struct WatchedFile(Box<dyn DiskFile>, PathBuf, Log);

impl io::Write for WatchedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        note(&self.2, Step::Written(self.1.clone()));
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for WatchedFile {
    fn sync(&mut self) -> io::Result<()> {
        note(&self.2, Step::Synced(self.1.clone()));
        self.0.sync()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_on_the_disk_before_they_have_their_name() {
    let dir = tempfile::tempdir().unwrap();
    new_record(dir.path()).await.close().await;
    let images: Vec<Image> = (1..=20).map(|n| Image::new(1, n)).collect();
    write(&dir.path().join("in"), &images);
    let log = Log::default();
    let disk = Arc::new(Watched(Arc::clone(&log)));
    let record = Record::open_on(dir.path().join("record"), &passphrase(), disk).await.unwrap();
    record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
    let steps = log.lock().unwrap().clone();
    let last = |step: &Step, before: usize| steps.iter().take(before).rposition(|s| s == step);
    let mut n_objects = 0;
    for (at, step) in steps.iter().enumerate() {
        let Step::Renamed(from, to) = step else { continue };
        n_objects += 1;
        let written = last(&Step::Written(from.clone()), steps.len()).unwrap();
        let synced = last(&Step::Synced(from.clone()), at).unwrap_or_else(|| panic!("named before it was synced: {steps:?}"));
        assert!(written < synced, "written after it was synced");
        let folder = Step::FolderSynced(to.parent().unwrap().to_owned());
        assert!(steps.iter().skip(at).any(|s| *s == folder), "its name is not on the disk");
    }
    assert_eq!(n_objects, 20);
}

/// Without the head file, which holds the wrapped key, a record is lost as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrapped_key_is_on_the_disk_when_a_record_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::default();
    let folder = dir.path().join("record");
    Record::init_on(&folder, &passphrase(), Arc::new(Watched(Arc::clone(&log)))).await.unwrap().close().await;
    let steps = log.lock().unwrap().clone();
    let written = steps.iter().rposition(|s| matches!(s, Step::Written(_))).unwrap();
    let Step::Written(head) = &steps[written] else { unreachable!() };
    let synced = steps.iter().rposition(|s| *s == Step::Synced(head.clone())).unwrap_or_else(|| panic!("never synced: {steps:?}"));
    let named = steps.iter().rposition(|s| *s == Step::FolderSynced(folder.clone())).unwrap_or_else(|| panic!("no name: {steps:?}"));
    assert!(written < synced && synced < named, "{steps:?}");
}

/// A department's template is exchanged in one step, and is there after a power cut.
#[tokio::test]
async fn a_template_is_on_the_disk_before_it_has_its_name() {
    let dir = tempfile::tempdir().unwrap();
    new_record(dir.path()).await.close().await;
    let file = dir.path().join("own.toml");
    let text = mj_report::Template::builtin("chest_ct").unwrap().to_toml().unwrap();
    std::fs::write(&file, text.replace("\"chest_ct\"", "\"own\"")).unwrap();
    let log = Log::default();
    let record = Record::open_on(dir.path().join("record"), &passphrase(), Arc::new(Watched(Arc::clone(&log)))).await.unwrap();
    log.lock().unwrap().clear();
    record.take_template(&file).unwrap();
    let steps = log.lock().unwrap().clone();
    let kinds: Vec<&str> = steps
        .iter()
        .map(|step| match step {
            Step::Written(_) => "written",
            Step::Synced(_) => "synced",
            Step::Renamed(..) => "named",
            Step::FolderSynced(_) => "folder",
        })
        .collect();
    assert_eq!(kinds, ["written", "synced", "named", "folder"], "{steps:?}");
}
