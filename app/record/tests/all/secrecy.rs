use crate::reporting::sign_one;
use crate::support::{Image, new_record, reopen};

use std::path::Path;

/// The name in UTF-8, in GB18030 and in UTF-16, and runs of pixels.
fn traces() -> Vec<(&'static str, Vec<u8>)> {
    let name = "示例一";
    let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gb18030 = vec![0xCA, 0xBE, 0xC0, 0xFD, 0xD2, 0xBB];
    let pixels = Image::new(7, 5).pixels.unwrap();
    vec![
        ("utf-8", name.as_bytes().to_vec()),
        ("utf-8 in DICOM", "示例^一".as_bytes().to_vec()),
        ("gb18030", gb18030),
        ("utf-16", utf16),
        ("alphabetic", b"Shili^Yi".to_vec()),
        ("history", "咳嗽两周".as_bytes().to_vec()),
        ("accession", b"A00007".to_vec()),
        ("uid", b"1.2.826.0.1.7".to_vec()),
        ("pixels", pixels[..24].to_vec()),
        ("report text", "右肺结节".as_bytes().to_vec()),
        // With the group length behind it: four bytes alone stand in some megabytes of cipher text by chance.
        ("dicom", b"DICM\x02\0\0\0UL".to_vec()),
        ("sqlite", b"SQLite format 3".to_vec()),
    ]
}

fn search(folder: &Path) -> usize {
    let traces = traces();
    let mut n_files = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        n_files += 1;
        let bytes = std::fs::read(entry.path()).unwrap();
        for (what, trace) in &traces {
            assert!(!bytes.windows(trace.len()).any(|w| w == trace), "{what} found in {}", entry.path().display());
            let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            assert!(!name.as_bytes().windows(trace.len()).any(|w| w == trace), "{what} found in a file name {name}");
        }
    }
    n_files
}

/// Without the passphrase nothing of the patient is found in any file of the record, while it is open (log and
/// temporary files included) and after.
#[tokio::test]
async fn nothing_readable_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let images: Vec<Image> = (1..=70).map(|n| Image { name: "Shili^Yi=示例^一".into(), ..Image::new(7, n) }).collect();
    for image in &images {
        record.ingest_bytes(image.bytes(), "test").await.unwrap();
    }
    let waiting = Image { pixels: Some(vec![3; 128]), ..Image::new(7, 5) };
    record.ingest_bytes(waiting.bytes(), "test").await.unwrap();
    record.studies(&mj_record::StudyQuery { sort: mj_record::Sort::Name, ..mj_record::StudyQuery::text("示") }).await.unwrap();
    let image = images[0].instance_uid();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(images[4].pixels.clone().unwrap());
    record.put_key_image(&images[0].study_uid(), &image, png, "示例一", "u1").await.unwrap();
    sign_one(&record, &images[0].study_uid(), &[]).await;
    assert!(search(record.dir()) > 70);
    record.close().await;
    drop(record);
    search(&dir.path().join("record"));
    let record = reopen(dir.path()).await;
    assert_eq!(record.studies(&mj_record::StudyQuery::text("示例一")).await.unwrap().total, 1);
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything logged at the finest level: no name, no UID, no path, and no key.
#[test]
fn the_log_tells_nothing() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let record = new_record(dir.path()).await;
            record.ingest_bytes(Image::new(7, 1).bytes(), "test").await.unwrap();
            record.ingest_bytes(b"nonsense".to_vec(), "test").await.unwrap_err();
            record.studies(&mj_record::StudyQuery::text("示例")).await.unwrap();
            record.resolve("1.2.826.0.1.7.1.1").await.unwrap();
            record.close().await;
            drop(record);
            reopen(dir.path()).await;
        });
    });
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for trace in ["示例", "Shili", "1.2.826", "record.db", "PRAGMA", "SELECT", "A00007"] {
        assert!(!log.contains(trace), "{trace} in the log:\n{log}");
    }
    let longest = log.split(|c: char| !c.is_ascii_hexdigit()).map(str::len).max().unwrap_or(0);
    assert!(longest < 64, "something like a key in the log");
}
