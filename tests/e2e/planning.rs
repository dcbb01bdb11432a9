//! A plan in the real windows: opened from the study, the plane dragged, kept in the record, there again after a
//! crash, and its picture in the report.

use crate::station::{Station, string};
use crate::windows::{Desk, begin_report, numbers, origin_of, shots, turn};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// The planning room's layout once it shows numbers.
fn layout(desk: &Desk) -> Value {
    desk.shell.until("planning room", || desk.shell.layout_with("handles").filter(|l| l["numbers"]["remnant_mesh_ml"].is_number()))
}

/// The study's only plan, when it has its volumes.
fn plan(desk: &Desk, study: &str) -> Option<Value> {
    let plans = desk.station.json(&["plan", "list", study]);
    let plan = plans.as_array()?.first()?.clone();
    (!plan["results"].as_array()?.is_empty()).then_some(plan)
}

/// Opens the planning room by its button. The windows are being laid side by side meanwhile, so that a click can miss.
fn open_room(desk: &Desk) {
    desk.shell.until("process of the planning room", || {
        desk.shell.click("show-planning");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if let Some(pid) = desk.shell.room_pid("planning") {
                return Some(pid);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    });
}

fn drag_plane(desk: &Desk, pixels: i64) {
    let at = numbers(&layout(desk)["handles"]["move"]);
    let origin = origin_of(&desk.screen, desk.shell.room_pid("planning").unwrap()).unwrap();
    let from = [origin[0] + at[0] as i64, origin[1] + at[1] as i64];
    desk.screen.drag(1, from, [from[0] + pixels, from[1]]);
}

#[test]
fn a_plan_is_kept_survives_a_crash_and_its_picture_goes_into_the_report() {
    let _turn = turn();
    let station = Station::new();
    let folder = station.phantom(128, 60);
    station.import(&folder.join("current"));
    let series = station.biggest_series();
    let segment = station.json(&["segment", "run", &series, "--op", "threshold", "--range", "250,3000", "--label", "示例骨骼"]);
    let whole = segment["volume_ml"].as_f64().unwrap();
    let study = string(&station.json(&["list"])[0], "study_uid");
    let Some(desk) = Desk::open(station, (1920, 1080), "zh", shots("planning")) else { return };
    desk.shell.find("study-row");
    begin_report(&desk);
    open_room(&desk);
    let first = layout(&desk);
    assert_eq!(first["numbers"]["kept"], 0.0, "nothing was planned yet");
    assert!(plan(&desk, &study).is_none(), "looking is not planning");

    drag_plane(&desk, 60);
    let kept = desk.shell.until("plan in the record", || plan(&desk, &study));
    let shown = desk.shell.until("word of it", || desk.shell.layout_with("handles").filter(|l| l["numbers"]["kept"] == 1.0));
    let result = |name: &str| kept["results"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap().clone();
    for (name, number) in [("remnant", "remnant_ml"), ("removed", "removed_ml")] {
        let (stored, shown) = (result(name)["volume_ml"].as_f64().unwrap(), shown["numbers"][number].as_f64().unwrap());
        assert!((stored - shown).abs() < 0.01, "{name}: {stored} ml in the record, {shown} ml on the screen");
    }
    let sum = result("remnant")["volume_ml"].as_f64().unwrap() + result("removed")["volume_ml"].as_f64().unwrap();
    assert!((sum - whole).abs() < 1e-6 * whole, "{sum} ml of {whole} ml");
    assert_eq!(kept["steps"][0]["segment"], segment["id"]);
    desk.shot("01-planned");

    let pid = desk.shell.room_pid("planning").unwrap();
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    desk.shell.until("new planning room", || desk.shell.room_pid("planning").filter(|now| *now != pid));
    let again = desk.shell.until("the same numbers", || {
        desk.shell.layout_with("handles").filter(|l| l["numbers"]["kept"] == 1.0 && l["numbers"]["remnant_mesh_ml"].is_number())
    });
    assert_eq!(again["numbers"]["remnant_ml"], shown["numbers"]["remnant_ml"]);
    assert_eq!(plan(&desk, &study).unwrap()["revision"], kept["revision"], "a restart plans nothing");

    desk.shell.until("planning room's window", || origin_of(&desk.screen, desk.shell.room_pid("planning")?));
    drop(desk.screen.xdotool(&["key", "s"]));
    desk.shell.find("key-image");
    desk.shot("02-picture-in-the-report");
}
