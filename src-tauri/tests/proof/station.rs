//! A folder with a record, and the programs on it, as the test sees them.

use mj_model::StudyUid;
use mj_record::{Passphrase, Record};
use mj_report::Document;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

const STUDY: &str = "2.25.4711";
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Station {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Station {
    /// A record with one study of two images.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let record = Record::init(folder.path().join("record"), &passphrase()).await.unwrap();
            for number in 1..=2 {
                record.ingest_bytes(super::dicom::image(STUDY, number), "test").await.unwrap();
            }
            record.close().await;
        });
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), folder.path().join("mingjing-viewer")).unwrap();
        Self { folder, runtime }
    }

    pub(crate) fn start_shell(&self) -> Shell {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env("PROOF_ROLE", "desk")
            .env("PROOF_FOLDER", self.folder.path())
            .env("MINGJING_BIN_DIR", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (send, lines) = sync_channel(100_000);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        let mut shell = Shell { child, input: Some(input), lines, events: Vec::new(), revision: 0 };
        shell.until(|line| line["ready"] == true, "the shell");
        shell.ask("open_study", json!({ "study": STUDY }));
        shell
    }

    /// What every kill must leave: a sound report with all that was acknowledged, chips that show the present
    /// revision of their finding, and no revision that the viewer was told of missing.
    pub(crate) fn check(&self, typed: &[String]) {
        self.runtime.block_on(async {
            let record = Record::open(self.folder.path().join("record"), &passphrase()).await.unwrap();
            let study = StudyUid::parse(STUDY).unwrap();
            let report = record.reports(&study).await.unwrap().pop().unwrap();
            report.document.validate().unwrap();
            let text = report.document.plain();
            for sign in typed {
                assert_eq!(text.matches(sign.as_str()).count(), 1, "{sign} in {text}");
            }
            let findings = record.findings(&study).await.unwrap();
            for (_, slot) in report.document.slots() {
                let finding = findings.iter().find(|f| f.id == slot.finding).unwrap();
                assert_eq!(slot.finding_revision, finding.revision, "the chip lags behind its measurement");
                assert_eq!(slot.shown, finding.measurement(&slot.measurement).unwrap().quantity.shown());
            }
            let present = findings.iter().map(|f| f.revision).max().unwrap_or(0);
            assert!(u64::from(present) >= self.stored_in_viewer(), "revision {present} is older than one that was acknowledged");
            record.close().await;
        });
    }

    fn log(&self, what: &str) -> Option<f64> {
        let log = std::fs::read_to_string(self.folder.path().join("viewer.log")).unwrap_or_default();
        // The last line may be torn by a kill.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().filter_map(|line| line.strip_prefix(what)?.trim().parse().ok()).next_back()
    }

    /// The last revision the viewer was told is stored.
    pub(crate) fn stored_in_viewer(&self) -> u64 {
        self.log("stored ").unwrap_or(0.0) as u64
    }

    /// The last view the viewer told.
    pub(crate) fn last_view(&self) -> Option<f64> {
        // The very last may have died in the pipe together with its sender.
        self.log("view ").map(|view| view - 1.0)
    }

    /// The view the viewer was greeted with.
    pub(crate) fn greeted_view(&self) -> Option<f64> {
        self.log("greeted ")
    }

    pub(crate) fn kill_viewer(&self) {
        let pid = std::fs::read_to_string(self.folder.path().join("viewer.pid")).unwrap();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    }

    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").unwrap()
}

pub(crate) struct Shell {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    events: Vec<Value>,
    revision: u64,
}

impl Shell {
    fn until(&mut self, is_it: impl Fn(&Value) -> bool, what: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .unwrap_or_else(|_| panic!("waited in vain for {what}"));
            if is_it(&line) {
                return line;
            }
            if let Some(event) = line.get("event") {
                self.events.push(event.clone());
            }
        }
    }

    pub(crate) fn wait_event(&mut self, is_it: impl Fn(&Value) -> bool, what: &str) {
        if let Some(at) = self.events.iter().position(&is_it) {
            self.events.drain(..=at);
            return;
        }
        self.until(|line| line.get("event").is_some_and(&is_it), what);
    }

    pub(crate) fn ask(&mut self, what: &str, args: Value) -> Value {
        self.try_ask(what, args).expect("the shell is there")
    }

    fn try_ask(&mut self, what: &str, mut args: Value) -> Option<Value> {
        args["do"] = what.into();
        writeln!(self.input.as_mut()?, "{args}").ok()?;
        let answer = self.until(|line| line.get("answer").is_some(), what)["answer"].clone();
        assert!(answer.get("error").is_none(), "{what}: {answer}");
        Some(answer)
    }

    pub(crate) fn begin_report(&mut self) -> String {
        let report = self.ask("new_report", json!({ "study": STUDY }));
        let id = report["id"].as_str().unwrap().to_owned();
        // The template's lines go, so that places are easy to tell.
        let document: Document = serde_json::from_value(report["document"].clone()).unwrap();
        let n = document.block("findings").unwrap().n_chars();
        self.revision = document.revision;
        if n > 0 {
            assert!(self.edit(&id, json!([{ "op": "delete", "block": "findings", "at": 0, "len": n }])));
        }
        id
    }

    pub(crate) fn begin_or_open_report(&mut self) -> String {
        let view = self.ask("open_study", json!({ "study": STUDY }));
        match view["reports"][0]["id"].as_str() {
            None => self.begin_report(),
            Some(id) => {
                let id = id.to_owned();
                self.revision = self.document(&id).revision;
                id
            }
        }
    }

    pub(crate) fn document(&mut self, id: &str) -> Document {
        let report = self.ask("report", json!({ "id": id }));
        serde_json::from_value(report["document"].clone()).unwrap()
    }

    fn edit(&mut self, report: &str, ops: Value) -> bool {
        let sent = json!({ "report": report, "base_revision": self.revision, "ops": ops, "cursor": null });
        let Some(kept) = self.try_ask("edit", json!({ "sent": sent })) else { return false };
        self.revision = kept["revision"].as_u64().unwrap();
        true
    }

    /// Puts text at the beginning of the findings; true when the shell said that it is on disk.
    pub(crate) fn try_type(&mut self, report: &str, text: &str) -> bool {
        self.edit(report, json!([{ "op": "insert", "block": "findings", "at": 0, "text": text }]))
    }

    pub(crate) fn type_text(&mut self, report: &str, text: &str) {
        assert!(self.try_type(report, text));
    }

    pub(crate) fn cursor(&mut self, report: &str, at: usize) {
        let cursor = json!({ "report": report, "block": "findings", "at": at, "revision": self.revision });
        self.ask("cursor", json!({ "cursor": cursor }));
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.input = None;
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.input = None;
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if self.child.try_wait().ok().flatten().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _gone = self.child.kill();
    }
}
