//! kill -9 at a random moment of importing, typing, signing and sending: nothing acknowledged is lost, and
//! nothing is doubled.

use crate::station::{Station, string, text};
use mj_tests::orthanc::Orthanc;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A seeded sequence of waiting times, so that a failing round can be run again.
struct Moments(u64);

impl Moments {
    /// The next moment within a span (xorshift).
    fn within(&mut self, span: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        span.mul_f64((self.0 % 10_000) as f64 / 10_000.0)
    }
}

/// Kills a child after a while, unless it has ended by itself. True when it was killed.
fn kill_after(child: &mut Child, wait: Duration) -> bool {
    let until = Instant::now() + wait;
    while Instant::now() < until {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// How long a command takes when it is left alone.
fn duration_of(station: &Station, args: &[&str]) -> Duration {
    let start = Instant::now();
    station.json(args);
    start.elapsed()
}

fn study_of(station: &Station) -> String {
    string(&station.json(&["list"])[0], "study_uid")
}

fn instances(station: &Station) -> u64 {
    let list = station.json(&["list"]);
    let series = list.as_array().unwrap().iter().flat_map(|s| s["series"].as_array().unwrap());
    series.map(|s| s["instances"].as_u64().unwrap()).sum()
}

/// Where the phantom of all rounds lies, and how many instances it has.
fn phantom(station: &Station) -> (PathBuf, u64) {
    let folder = station.phantom(64, 40);
    let count = |sub: &str| std::fs::read_dir(folder.join(sub)).unwrap().count() as u64;
    let total = count("current") + count("prior");
    (folder, total)
}

fn import_round(folder: &Path, total: u64, wait: Duration) -> bool {
    let station = Station::new();
    let mut child = station.command(&["import", text(folder)]).stdout(Stdio::null()).spawn().unwrap();
    let was_killed = kill_after(&mut child, wait);
    let before = instances(&station);
    let receipt = station.import(folder);
    assert_eq!(receipt["already_present"].as_u64().unwrap(), before, "{receipt}");
    assert_eq!(receipt["stored"].as_u64().unwrap() + before, total, "{receipt}");
    assert_eq!(instances(&station), total);
    was_killed
}

fn typing_round(station: &Station, report: &str, field: &str, wait: Duration) -> bool {
    let before = field_text(station, report, field);
    let mut child = station.command(&["report", "type", report, field]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::Builder::new().spawn(move || stdout.lines().map_while(Result::ok).count()).unwrap();
    let writer = std::thread::Builder::new()
        .spawn(move || {
            for n in 0.. {
                if writeln!(stdin, "第{n}句。").and_then(|()| stdin.flush()).is_err() {
                    return n;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            0
        })
        .unwrap();
    let was_killed = kill_after(&mut child, Duration::from_millis(300) + wait);
    writer.join().unwrap();
    let acknowledged = reader.join().unwrap();
    let after = field_text(station, report, field);
    let typed = after.strip_prefix(&before).unwrap_or_else(|| panic!("earlier text changed: {before:?} {after:?}"));
    // Each on a line of its own, behind what was there.
    let expected = (0..acknowledged).map(|n| format!("第{n}句。")).collect::<Vec<_>>().join("\n");
    let typed = if before.is_empty() { typed } else { typed.strip_prefix('\n').unwrap_or(typed) };
    assert!(typed.starts_with(&expected), "{acknowledged} sentences were acknowledged, found {typed:?}");
    was_killed
}

fn field_text(station: &Station, report: &str, field: &str) -> String {
    let report = station.json(&["report", "show", report]);
    let fields = report["fields"].as_array().unwrap();
    string(fields.iter().find(|f| f["id"] == field).unwrap(), "text")
}

/// Makes a report that may be signed and gives its id and the id of its findings section.
fn signable_report(station: &Station, study: &str) -> (String, String) {
    let report = station.json(&["report", "new", study, "--lang", "zh"]);
    let id = string(&report, "id");
    let fields = report["fields"].as_array().unwrap();
    let field = string(&fields[fields.len() - 2], "id");
    station.json(&["report", "set", &id, &field, "双肺未见异常。"]);
    station.json(&["report", "set", &id, &string(fields.last().unwrap(), "id"), "未见异常。"]);
    (id, field)
}

fn signing_round(station: &Station, study: &str, person: &str, wait: Duration) -> bool {
    let (id, _) = signable_report(station, study);
    let rows_before = station.json(&["outbox", "list"]).as_array().unwrap().len();
    let mut child = station.command(&["report", "sign", &id, "--as", person, "--to", "pacs"]).stdout(Stdio::null()).spawn().unwrap();
    let was_killed = kill_after(&mut child, wait);
    let state = string(&station.json(&["report", "show", &id]), "state");
    let rows = station.json(&["outbox", "list"]).as_array().unwrap().len() - rows_before;
    match state.as_str() {
        "draft" => {
            assert_eq!(rows, 0, "an unsigned report is in the outbox");
            station.json(&["report", "sign", &id, "--as", person, "--to", "pacs"]);
        }
        "preliminary" => assert_eq!(rows, 2, "PDF and SR belong into the outbox once each"),
        other => panic!("state {other}"),
    }
    let rows = station.json(&["outbox", "list"]).as_array().unwrap().len() - rows_before;
    assert_eq!(rows, 2);
    assert_eq!(station.json(&["verify", &id])["valid"], true);
    was_killed
}

/// A station that holds the phantom and knows a PACS, and the UIDs of its studies.
fn station_beside(orthanc: &Orthanc, folder: &Path) -> (Station, Vec<String>) {
    let station = Station::new();
    station.import(folder);
    station.json(&["server", "add", "pacs", "--dicom", &format!("127.0.0.1:{}", orthanc.dicom_port), "--aet", "ORTHANC"]);
    let studies = station.json(&["list"]).as_array().unwrap().iter().map(|s| string(s, "study_uid")).collect();
    (station, studies)
}

fn sending_round(folder: &Path, total: u64, moments: &mut Moments, whole: Duration) -> bool {
    let Some(orthanc) = Orthanc::start() else { return false };
    let (station, studies) = station_beside(&orthanc, folder);
    let mut was_killed = false;
    for study in &studies {
        let mut child = station.command(&["send", study, "--to", "pacs"]).stdout(Stdio::null()).spawn().unwrap();
        was_killed |= kill_after(&mut child, moments.within(whole));
    }
    // Asking again puts in what the killed command had no time for, and doubles nothing.
    for study in &studies {
        station.json(&["send", study, "--to", "pacs"]);
    }
    let rows = station.json(&["outbox", "flush"]);
    let rows = rows.as_array().unwrap();
    let objects: Vec<String> = rows.iter().map(|r| string(r, "object")).collect();
    let unique: BTreeSet<&String> = objects.iter().collect();
    assert_eq!((objects.len() as u64, unique.len() as u64), (total, total), "rows lost or doubled");
    let left: Vec<_> = rows.iter().filter(|r| r["state"] != "accepted" && r["state"] != "verified").collect();
    assert!(left.is_empty(), "{} rows are not delivered, such as {}", left.len(), left[0]);
    assert_eq!(orthanc.instances().unwrap().len() as u64, total);
    was_killed
}

/// How long it takes to send a study that nobody interrupts; `None` where Orthanc is missing.
fn sending_time(folder: &Path) -> Option<Duration> {
    let orthanc = Orthanc::start()?;
    let (station, studies) = station_beside(&orthanc, folder);
    Some(duration_of(&station, &["send", &studies[0], "--to", "pacs"]))
}

/// Kills a work until it was hit so often before its end; gives how many rounds that took.
fn kill_until(hits: u32, mut round: impl FnMut() -> bool) -> u32 {
    let (mut n_hits, mut n_rounds) = (0, 0);
    while n_hits < hits {
        assert!(n_rounds < 10 * hits, "{n_hits} of {n_rounds} kills came before the end of the work");
        n_hits += u32::from(round());
        n_rounds += 1;
    }
    n_rounds
}

/// Kills each of the four works until it was hit so often (sending only where there is an Orthanc); gives how
/// many rounds each took.
pub(crate) fn kill_all(hits: u32, seed: u64) -> Vec<(&'static str, u32)> {
    let mut moments = Moments(seed | 1);
    let station = Station::new();
    let (folder, total) = phantom(&station);
    let whole = duration_of(&station, &["import", text(&folder)]);
    let study = study_of(&station);
    let mut rounds = vec![("import", kill_until(hits, || import_round(&folder, total, moments.within(whole))))];
    let (report, field) = signable_report(&station, &study);
    let typing = Duration::from_millis(700);
    rounds.push(("typing", kill_until(hits, || typing_round(&station, &report, &field, moments.within(typing)))));
    // Nobody listens there: signing must not wait for the line.
    station.json(&["server", "add", "pacs", "--dicom", "127.0.0.1:9", "--aet", "NOBODY"]);
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reporting"]), "id");
    // The first one is slower: fonts and files are not in memory yet.
    let signing = [(); 2].map(|()| {
        let (report, _) = signable_report(&station, &study);
        duration_of(&station, &["report", "sign", &report, "--as", &person, "--to", "pacs"])
    });
    let whole = signing[1];
    rounds.push(("signing", kill_until(hits, || signing_round(&station, &study, &person, moments.within(whole)))));
    if let Some(whole) = sending_time(&folder) {
        rounds.push(("sending", kill_until(hits, || sending_round(&folder, total, &mut moments, whole))));
    }
    rounds
}

#[test]
fn eight_kills_lose_nothing() {
    println!("rounds until two kills hit: {:?}", kill_all(2, 20_261_121));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_two_hundred_kills() {
    for (work, rounds) in kill_all(50, 1) {
        let note = format!("in {rounds} rounds; nothing lost, nothing doubled");
        mj_testdata::note(&format!("kill -9 while {work}"), "mingjing", "kills before the end of the work", &[50.0], &note);
    }
}
