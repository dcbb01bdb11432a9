//! A process of our own is killed (SIGKILL) at random moments; the next one finds everything that was
//! acknowledged, once, and nothing half-done.

use crate::bad_input::assert_whole;
use crate::reporting::{draft, request, sign_one, typed, unseen_request};
use crate::support::{Image, new_record, record_with_study, reopen, write};
use mj_model::Coded as _;
use mj_model::person::Role;
use mj_record::{OutboxState, Record, Server, Watch};
use mj_report::State;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often each is killed in the tests of every day; the soak raises it.
fn rounds() -> u64 {
    std::env::var("MJ_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(2)
}

fn start(what: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env("MJ_CHILD", what)
        .env("MJ_DIR", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child run until it has said `lines` of these, then a little, then kills it. Gives what it said.
fn kill_after(mut child: Child, word: &str, lines: u64, more: Duration) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut said = Vec::new();
    let pid = child.id();
    let mut count = 0;
    for line in out.lines() {
        let Ok(line) = line else { break };
        if line.starts_with(word) {
            count += 1;
            said.push(line);
            if count == lines {
                std::thread::sleep(more);
                Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
            }
        }
    }
    child.wait().unwrap();
    said
}

/// A number that differs by round and looks random.
fn jitter(round: u64, below: u64) -> u64 {
    (round.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % below.max(1)
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// The process that is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the tests beside it"]
async fn child() {
    let (Ok(what), Ok(dir)) = (std::env::var("MJ_CHILD"), std::env::var("MJ_DIR")) else { return };
    let dir = PathBuf::from(dir);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if what == "leave" {
        leave(&dir).await;
    }
    let record = match Record::open(dir.join("record"), &crate::support::passphrase()).await {
        Ok(record) => record,
        Err(error) => return say(&format!("\nfailed {}", error.code())),
    };
    say("\nopen");
    match what.as_str() {
        "import" => import(&record, &dir).await,
        "type" => type_on(&record).await,
        "sign" => sign(&record).await,
        "countersign" => countersign(&record).await,
        "send" => {
            record.flush(&Watch::default()).await.unwrap();
        }
        other => panic!("{other}"),
    }
    say("\nend");
}

/// Ends the process while connections read and write. Some library that was there before takes its time to end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the end of the process belongs to the C library")]
fn end_slowly() {
    extern "C" fn slow() {
        std::thread::sleep(Duration::from_millis(100));
    }
    // SAFETY: `slow` takes nothing, touches nothing and does not unwind.
    assert_eq!(unsafe { libc::atexit(slow) }, 0);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
async fn leave(dir: &Path) {
    end_slowly();
    let record = Record::open(dir.join("record"), &crate::support::passphrase()).await.unwrap();
    let record = std::sync::Arc::new(record);
    for reader in 0..8 {
        let record = std::sync::Arc::clone(&record);
        tokio::spawn(async move {
            loop {
                if reader == 0 {
                    record.add_person("演示医师甲", Role::Reporting).await.unwrap();
                }
                record.people().await.unwrap();
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(record);
    std::process::exit(7);
}

/// A finished program tells by its status that it is finished, whatever its connections are at.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_end_of_a_busy_program_is_no_fault() {
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async { new_record(dir.path()).await.close().await });
        let output = start("leave", dir.path()).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{}", output.status);
    }
}

async fn import(record: &Record, dir: &Path) {
    let watch = Watch { progress: Box::new(|done, _| say(&format!("progress {done}"))), ..Watch::default() };
    match record.import(&[dir.join("in")], &watch).await {
        Ok(receipt) => say(&format!("imported {}", receipt.stored + receipt.already_present)),
        Err(error) => say(&format!("failed {}", error.code())),
    }
}

/// Types one character after the other and says each when it is acknowledged.
async fn type_on(record: &Record) {
    let mut report = record.report("r1").await.unwrap();
    for _ in 0..2000 {
        let base = report.document.revision;
        let applied = record.apply("r1", typed(base, 0, "字"), "u1").await.unwrap();
        say(&format!("typed {}", applied.revision));
        report.document.revision = applied.revision;
    }
}

async fn sign(record: &Record) {
    let id = record.report("r1").await.unwrap().document.id;
    let request = request(record, &id, "u1", &["pacs"], false).await;
    say("signing");
    record.sign(request).await.unwrap();
    say("signed");
}

#[tokio::test]
async fn during_import() {
    for round in 0..rounds() {
        let dir = tempfile::tempdir().unwrap();
        new_record(dir.path()).await.close().await;
        let images: Vec<Image> = (1..=300).map(|n| Image::new(1, n)).collect();
        write(&dir.path().join("in"), &images);
        kill_after(start("import", dir.path()), "progress", 1 + jitter(round + 1, 290), Duration::from_millis(jitter(round, 20)));
        let record = reopen(dir.path()).await;
        let before = record.study(&images[0].study_uid()).await.map_or(0, |study| u64::from(study.instances));
        let files =
            walkdir::WalkDir::new(record.dir().join("objects")).into_iter().filter(|e| e.as_ref().unwrap().file_type().is_file()).count();
        assert_eq!(files as u64, before, "an orphan, or an instance without its file");
        assert_eq!(std::fs::read_dir(record.dir().join("tmp")).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).count(), 1);
        let receipt = record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
        assert_eq!((receipt.already_present, receipt.stored), (before, 300 - before));
        assert_whole(&record, &images).await;
        assert!(record.audit_proof().await.unwrap().broken_at.is_none());
        println!("import killed with {before} of 300 stored");
    }
}

#[tokio::test]
async fn while_typing() {
    for round in 0..rounds() {
        let dir = tempfile::tempdir().unwrap();
        let (record, study) = record_with_study(dir.path(), 1).await;
        let start_revision = draft(&record, &study).await.document.revision;
        record.close().await;
        drop(record);
        let said = kill_after(start("type", dir.path()), "typed", 5 + jitter(round, 120), Duration::ZERO);
        let acknowledged: u64 = said.last().unwrap().strip_prefix("typed ").unwrap().parse().unwrap();
        let record = reopen(dir.path()).await;
        let document = record.report("r1").await.unwrap().document;
        assert!(document.revision >= acknowledged, "acknowledged {acknowledged}, kept {}", document.revision);
        let typed = document.block("impression").unwrap().plain().chars().take_while(|&c| c == '字').count() as u64;
        assert_eq!(typed, document.revision - start_revision);
        println!("typing killed at revision {acknowledged}, kept {}", document.revision);
    }
}

async fn countersign(record: &Record) {
    say("countersigning");
    match record.countersign(unseen_request("r1", "u2", &["pacs"])).await {
        Ok(_) => say("countersigned"),
        Err(error) => say(&format!("refused {}", error.code())),
    }
}

/// Two processes countersign one report at the same moment, and one of them is killed: one final or none, never two.
#[tokio::test]
async fn while_countersigning() {
    for round in 0..rounds() {
        let dir = tempfile::tempdir().unwrap();
        let (record, study) = record_with_study(dir.path(), 1).await;
        let server = Server { name: "pacs".into(), host: "127.0.0.1".into(), port: 9, aet: "P".into(), our_aet: "M".into() };
        record.add_server(server).await.unwrap();
        sign_one(&record, &study, &["pacs"]).await;
        record.add_person("演示医师乙", Role::Reviewing).await.unwrap();
        record.close().await;
        drop(record);
        let killed = start("countersign", dir.path());
        let other = start("countersign", dir.path());
        kill_after(killed, "countersigning", 1, Duration::from_millis(jitter(round, 40)));
        let said = other.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let record = reopen(dir.path()).await;
        let report = record.report("r1").await.unwrap();
        let signatures = match report.state {
            State::Preliminary => 1,
            State::Final => 2,
            state => panic!("{state:?}"),
        };
        assert_eq!(report.signatures.len(), signatures, "{said}");
        assert_eq!(record.outbox().await.unwrap().len(), 2 * signatures, "the objects of each signature, once");
        assert!(record.verify("r1").await.unwrap().valid);
        assert!(report.state == State::Final || !said.contains("countersigned"), "acknowledged, but not there: {said}");
        let again = record.countersign(unseen_request("r1", "u2", &["pacs"])).await;
        assert_eq!(again.is_ok(), report.state == State::Preliminary);
        let report = record.report("r1").await.unwrap();
        assert_eq!((report.state, report.signatures.len(), record.outbox().await.unwrap().len()), (State::Final, 2, 4));
        let other = said.lines().find(|line| line.starts_with("countersigned") || line.starts_with("refused")).unwrap_or("nothing");
        println!("countersigning killed, the other said: {other}");
    }
}

#[tokio::test]
async fn while_signing() {
    for round in 0..rounds() {
        let dir = tempfile::tempdir().unwrap();
        let (record, study) = record_with_study(dir.path(), 1).await;
        let server = Server { name: "pacs".into(), host: "127.0.0.1".into(), port: 9, aet: "P".into(), our_aet: "M".into() };
        record.add_server(server).await.unwrap();
        record.add_person("演示医师甲", Role::Reporting).await.unwrap();
        let report = draft(&record, &study).await;
        record.apply("r1", typed(report.document.revision, 0, "两肺未见异常。"), "u1").await.unwrap();
        record.close().await;
        drop(record);
        kill_after(start("sign", dir.path()), "signing", 1, Duration::from_millis(jitter(round, 400)));
        let record = reopen(dir.path()).await;
        let (report, outbox) = (record.report("r1").await.unwrap(), record.outbox().await.unwrap());
        let files =
            walkdir::WalkDir::new(record.dir().join("objects")).into_iter().filter(|e| e.as_ref().unwrap().file_type().is_file()).count();
        // All of it or nothing of it.
        match report.state {
            State::Draft => assert_eq!((report.signatures.len(), outbox.len(), files), (0, 0, 1)),
            State::Preliminary => {
                assert_eq!((report.signatures.len(), outbox.len(), files), (1, 2, 3));
                assert!(record.verify("r1").await.unwrap().valid);
            }
            other => panic!("{other:?}"),
        }
        if report.state == State::Draft {
            record.sign(request(&record, "r1", "u1", &["pacs"], false).await).await.unwrap();
        }
        assert_eq!(record.outbox().await.unwrap().len(), 2);
        println!("signing killed, found {}", report.state.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_sending() {
    let theirs = tempfile::tempdir().unwrap();
    let pacs = new_record(theirs.path()).await;
    let server = pacs.serve("PACS", "127.0.0.1:0".parse().unwrap()).await.unwrap();
    for round in 0..rounds() {
        let dir = tempfile::tempdir().unwrap();
        let (record, study) = record_with_study(dir.path(), 60).await;
        let port = server.local_addr().port();
        let to = Server { name: "pacs".into(), host: "127.0.0.1".into(), port, aet: "PACS".into(), our_aet: "M".into() };
        record.add_server(to).await.unwrap();
        sign_one(&record, &study, &["pacs"]).await;
        let images: Vec<_> = (1..=60).map(|n| Image::new(7, n).instance_uid()).collect();
        record.enqueue(&images, "pacs").await.unwrap();
        record.close().await;
        drop(record);
        kill_after(start("send", dir.path()), "open", 1, Duration::from_millis(20 + jitter(round, 400)));
        let record = reopen(dir.path()).await;
        let rows = record.outbox().await.unwrap();
        assert_eq!(rows.len(), 62, "a row lost or doubled");
        let done = rows.iter().filter(|row| row.state == OutboxState::Accepted).count();
        for row in rows.iter().filter(|row| row.state == OutboxState::Accepted) {
            pacs.object(&row.object).await.expect("accepted, but not there");
        }
        // No waiting for the dead process's lease to run out.
        record.flush(&Watch::default()).await.unwrap();
        let rows = record.outbox().await.unwrap();
        assert!(rows.len() == 62 && rows.iter().all(|row| row.state == OutboxState::Accepted), "{rows:?}");
        println!("sending killed with {done} of 62 accepted");
    }
    server.stop().await;
}
