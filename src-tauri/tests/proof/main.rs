//! The hardest promise: a measurement changed in the viewer changes its chip in the open report, and killing
//! either program at that moment loses nothing that was acknowledged.
//!
//! This program plays three parts. As itself it is the test; started with `PROOF_ROLE=desk` it is the shell's
//! core over a real record; started by the name `mingjing-viewer` it is a viewer that measures and measures.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test that is its own program")]

mod dicom;
mod fake_viewer;
mod shell;
mod station;

use station::Station;
use std::time::Duration;

fn main() {
    let called = std::env::args().next().unwrap_or_default();
    if called.ends_with("mingjing-viewer") {
        fake_viewer::run();
    } else if std::env::var("PROOF_ROLE").as_deref() == Ok("desk") {
        shell::run();
    } else if std::env::args().any(|a| a == "--list") {
        println!("proof: test");
    } else {
        chip_follows_its_measurement();
        shell_killed_while_measuring_and_typing();
        viewer_killed_while_measuring_and_typing();
        println!("proof: ok");
    }
}

/// How often each program is killed. More in the soak.
fn n_kills() -> u64 {
    std::env::var("MINGJING_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(4)
}

/// A ruler drawn while the report is open: its chip stands at the cursor, and follows every change.
fn chip_follows_its_measurement() {
    let station = Station::new();
    let mut shell = station.start_shell();
    let report = shell.begin_report();
    shell.type_text(&report, "右肺上叶见结节，大小约");
    shell.cursor(&report, 11);
    shell.ask("show_viewer", serde_json::json!({}));
    shell.wait_event(|e| e["type"] == "report_changed" && e["ops"][0]["op"] == "insert_slot", "the chip at the cursor");
    shell.wait_event(|e| e["type"] == "report_changed" && e["ops"][0]["op"] == "update_slot", "the chip following");
    let document = shell.document(&report);
    let slot = &document.block("findings").unwrap().slots[0];
    assert_eq!(slot.at, 11, "{:?}", document.block("findings").unwrap().text);
    assert!(slot.shown.ends_with("mm") && slot.finding_revision >= 2, "{slot:?}");
    drop(shell);
    station.check(&[]);
}

/// Kill -9 of the shell at a moment that differs each time.
fn shell_killed_while_measuring_and_typing() {
    let station = Station::new();
    let mut typed = Vec::new();
    for round in 0..n_kills() {
        let mut shell = station.start_shell();
        let report = shell.begin_or_open_report();
        shell.ask("show_viewer", serde_json::json!({}));
        let until = std::time::Instant::now() + Duration::from_millis(600 + 237 * round % 900);
        while std::time::Instant::now() < until {
            let sign = format!("〔{}〕", typed.len());
            // Only what was acknowledged is promised.
            if shell.try_type(&report, &sign) {
                typed.push(sign);
            }
        }
        shell.kill();
        station.check(&typed);
    }
    assert!(!typed.is_empty());
}

/// Kill -9 of the viewer: it is there again where it was, nothing is missing; three times, and it stays off.
fn viewer_killed_while_measuring_and_typing() {
    let station = Station::new();
    let mut shell = station.start_shell();
    let report = shell.begin_report();
    shell.ask("show_viewer", serde_json::json!({}));
    let mut typed = Vec::new();
    for round in 0..3_u64 {
        shell.wait_event(|e| e["type"] == "viewer_changed" && e["state"] == "ready", "the viewer");
        let seen = station.stored_in_viewer();
        station.wait_until("more measurements", || station.stored_in_viewer() > seen + 2);
        for _ in 0..5 {
            let sign = format!("〔{}〕", typed.len());
            shell.type_text(&report, &sign);
            typed.push(sign);
        }
        std::thread::sleep(Duration::from_millis(17 * round));
        let before = station.last_view();
        station.kill_viewer();
        if round < 2 {
            shell.wait_event(|e| e["type"] == "viewer_changed" && e["state"] == "restarting", "that it is restarted");
            station.wait_until("the view it had", || station.greeted_view().is_some_and(|view| before.is_none_or(|b| view >= b)));
        } else {
            shell.wait_event(|e| e["type"] == "viewer_changed" && e["state"] == "stopped", "that it stays off");
        }
    }
    let sign = "〔end〕".to_owned();
    shell.type_text(&report, &sign);
    typed.push(sign);
    drop(shell);
    station.check(&typed);
}
