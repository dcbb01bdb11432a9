//! The reading room opened from the command line: what is made in it is kept.

use crate::station::{Station, string};
use crate::windows::{numbers, origin_of, shots, turn};
use mj_model::StudyUid;
use mj_record::{Passphrase, Record};
use mj_tests::windows::Screen;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(90), "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Where the room has last said that pictures lie: kind and rectangle.
fn pictures(log: &Path) -> Vec<(String, Vec<f64>)> {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let mut layouts = said.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
    let panes = layouts.next_back().and_then(|l| Some(l["layout"]["panes"].as_array()?.clone())).unwrap_or_default();
    let shown = panes.iter().filter(|p| p["centre"].is_array());
    shown.map(|p| (string(p, "kind"), numbers(&p["rect"]))).filter(|(_, rect)| rect.len() == 4).collect()
}

/// True once the room has said where a picture lies.
fn has_picture(log: &Path) -> bool {
    !pictures(log).is_empty()
}

/// The process that a process has started.
fn child_of(pid: u32) -> Option<u32> {
    let told = Command::new("pgrep").args(["-P", &pid.to_string()]).output().ok()?;
    String::from_utf8_lossy(&told.stdout).lines().next()?.parse().ok()
}

fn n_files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The command, ended with the test.
struct Viewing(Child);

impl Drop for Viewing {
    fn drop(&mut self) {
        if self.0.kill().and_then(|()| self.0.wait()).is_err() {
            eprintln!("pid {} was not stopped", self.0.id());
        }
    }
}

#[test]
fn a_key_image_taken_in_view_is_kept() {
    let _turn = turn();
    let station = Station::new();
    station.import(&station.phantom(64, 24).join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let Some(screen) = Screen::start(1280, 800) else { return };
    let log = station.dir().join("view.log");
    let mut command = station.command(&["view", &study]);
    command.env("DISPLAY", &screen.display).env("LIBGL_ALWAYS_SOFTWARE", "1").env("MINGJING_LAYOUT_JSON", "true");
    command.env("XDG_RUNTIME_DIR", station.dir()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
    let mut viewing = Viewing(command.spawn().unwrap());
    until("picture", || has_picture(&log).then_some(()));
    let room = until("room", || child_of(viewing.0.id()));
    until("window", || origin_of(&screen, room));
    let inbox = station.record().join("inbox");
    drop(screen.xdotool(&["key", "k"]));
    // Long enough to be made; then the picture has left the inbox.
    std::thread::sleep(Duration::from_secs(3));
    let start = Instant::now();
    while n_files(&inbox) > 0 && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(Command::new("kill").arg(room.to_string()).status().unwrap().success());
    until("end of the command", || viewing.0.try_wait().unwrap());
    assert_eq!(n_files(&inbox), 0, "the picture stayed in the inbox");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(async {
        let record = Record::open(&station.record(), &Passphrase::from_file(&station.passphrase_file()).unwrap()).await.unwrap();
        let kept = record.key_images(&StudyUid::parse(&study).unwrap()).await.unwrap();
        record.close().await;
        kept
    });
    assert_eq!(kept.len(), 1, "no key image in the record: {}", std::fs::read_to_string(&log).unwrap());
    assert!(kept[0].caption.contains("Axial"), "{}", kept[0].caption);
}

#[test]
fn the_prior_stands_beside_in_view_and_keeps_what_is_drawn_on_it() {
    let _turn = turn();
    let station = Station::new();
    let phantom = station.phantom(128, 72);
    station.import(&phantom);
    let studies = station.json(&["list"]);
    let of = |date: &str| string(studies.as_array().unwrap().iter().find(|s| s["date"] == date).unwrap(), "study_uid");
    let (study, prior) = (of("2026-03-12"), of("2025-09-10"));
    let Some(screen) = Screen::start(1600, 900) else { return };
    let log = station.dir().join("view.log");
    let mut command = station.command(&["view", &study]);
    command.env("DISPLAY", &screen.display).env("LIBGL_ALWAYS_SOFTWARE", "1").env("MINGJING_LAYOUT_JSON", "true");
    command.env("XDG_RUNTIME_DIR", station.dir()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
    let mut viewing = Viewing(command.spawn().unwrap());
    until("picture", || has_picture(&log).then_some(()));
    let room = until("room", || child_of(viewing.0.id()));
    let [x, y] = until("window", || origin_of(&screen, room));
    let axial = || pictures(&log).into_iter().find(|(kind, _)| kind == "prior_axial").map(|(_, rect)| rect);
    let rect = until("prior", || {
        if axial().is_none() && pictures(&log).iter().all(|(kind, _)| !kind.starts_with("prior")) {
            drop(screen.xdotool(&["key", "F4"]));
            std::thread::sleep(Duration::from_millis(1500));
        }
        axial()
    });
    drop(screen.xdotool(&["key", "l"]));
    let middle = [x + ((rect[0] + rect[2]) / 2.0) as i64, y + ((rect[1] + rect[3]) / 2.0) as i64];
    screen.drag(1, middle, [middle[0] + 60, middle[1]]);
    let kept = until("finding of the prior", || {
        let all = station.json(&["finding", "list", &prior]);
        all.as_array().filter(|all| !all.is_empty()).cloned()
    });
    screen.shot(&shots("beside").join("prior.png"));
    assert_eq!((kept.len(), string(&kept[0], "study")), (1, prior));
    assert_eq!(station.json(&["finding", "list", &study]).as_array().unwrap().len(), 0);
    assert!(Command::new("kill").arg(room.to_string()).status().unwrap().success());
    until("end of the command", || viewing.0.try_wait().unwrap());
}
