//! The path in the real windows: worklist, report, a measurement drawn with the mouse, its chip, a crash of
//! the viewer, signing, and the PACS that has the objects.

use crate::station::{Station, string, text};
use mj_tests::orthanc::Orthanc;
use mj_tests::programs::build_folder;
use mj_tests::windows::{Screen, Shell};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Windows take the pointer and the newest viewer: one such test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Waits for the turn of a test with windows.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where screenshots are put, to be looked at.
pub(crate) fn shots(name: &str) -> PathBuf {
    let folder = build_folder().parent().unwrap().join("screenshots").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

/// A room's window on the screen, brought to the front: its inside's top left corner.
pub(crate) fn origin_of(screen: &Screen, pid: u32) -> Option<[i64; 2]> {
    let windows = screen.xdotool(&["search", "--onlyvisible", "--pid", &pid.to_string()]);
    let window = windows.lines().last()?.to_owned();
    drop(screen.xdotool(&["windowactivate", "--sync", &window]));
    // xdotool counts a window's frame twice here, xwininfo does not.
    let told = Command::new("xwininfo").args(["-id", &window]).env("DISPLAY", &screen.display).output().ok()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let field = |name: &str| told.lines().find_map(|l| l.trim().strip_prefix(name)?.trim().parse::<i64>().ok());
    Some([field("Absolute upper-left X:")?, field("Absolute upper-left Y:")?])
}

/// The real windows of a station.
pub(crate) struct Desk {
    pub(crate) station: Station,
    pub(crate) screen: Screen,
    pub(crate) shell: Shell,
    shots: PathBuf,
}

impl Desk {
    pub(crate) fn open(station: Station, size: (u32, u32), lang: &str, shots: PathBuf) -> Option<Self> {
        let screen = Screen::start(size.0, size.1)?;
        let shell = Shell::start(&screen, station.dir(), &station.record(), &station.passphrase_file(), lang)?;
        Some(Self { station, screen, shell, shots })
    }

    /// The shell alone, without the viewer that opens with a study, and with pinyin input when asked for.
    pub(crate) fn open_alone(station: Station, with_pinyin: bool, shots: PathBuf) -> Option<Self> {
        std::fs::write(station.dir().join("desk.toml"), "opens_viewer = false\n").unwrap();
        let screen = Screen::start(1920, 1080)?;
        let (folder, record, passphrase) = (station.dir(), station.record(), station.passphrase_file());
        let shell = if with_pinyin {
            Shell::start_with_pinyin(&screen, folder, &record, &passphrase)?
        } else {
            Shell::start(&screen, folder, &record, &passphrase, "zh")?
        };
        Some(Self { station, screen, shell, shots })
    }

    pub(crate) fn shot(&self, name: &str) {
        self.screen.shot(&self.shots.join(format!("{name}.png")));
    }

    /// The pane of a kind and the origin of the viewer's window.
    fn pane(&self, kind: &str) -> (Value, [i64; 2]) {
        self.shell.until("viewer's picture", || {
            let layout = self.shell.layout_with("panes")?;
            let pane = layout["panes"].as_array()?.iter().find(|p| p["kind"] == kind && p["centre"].is_array())?.clone();
            Some((pane, origin_of(&self.screen, self.shell.room_pid("reading")?)?))
        })
    }

    /// Draws a ruler of so many pixels in the axial picture.
    fn draw_line(&self, pixels: i64) {
        let (pane, origin) = self.pane("axial");
        drop(self.screen.xdotool(&["key", "l"]));
        let rect = numbers(&pane["rect"]);
        let middle = [origin[0] + ((rect[0] + rect[2]) / 2.0) as i64, origin[1] + ((rect[1] + rect[3]) / 2.0) as i64];
        self.screen.drag(1, [middle[0] - pixels / 2, middle[1] + 30], [middle[0] + pixels / 2, middle[1] + 30]);
    }

    /// The reports of the newest study, as they are on disk.
    pub(crate) fn reports(&self) -> String {
        let study = string(&self.station.json(&["list"])[0], "study_uid");
        self.station.json(&["report", "list", &study]).to_string()
    }

    fn chip(&self) -> Option<String> {
        let text = self.shell.text_of("[data-testid='chip'] .shown");
        (!text.is_empty()).then_some(text)
    }
}

pub(crate) fn open_first_study(desk: &Desk) {
    desk.shell.click("study-row");
    // A study opens by Enter on its row.
    desk.shell.script("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}))");
}

/// Opens the first study and begins a report with the cursor in the findings.
pub(crate) fn begin_report(desk: &Desk) {
    open_first_study(desk);
    desk.shell.click("report-begin");
    // The cursor stands behind the findings, where a reader goes on writing.
    desk.shell.find("block-findings");
}

/// Draws a line in the picture, finds its chip in the report, drags one end, and finds the chip changed and on
/// disk. Gives what the chip shows at last.
fn measure(desk: &Desk) -> String {
    let pane = desk.pane("axial").0;
    desk.shot("02-report-and-reading-room");
    desk.draw_line(120);
    let chip = desk.shell.until("chip", || desk.chip());
    let mm = 120.0 * pane["mm_per_pixel"].as_f64().unwrap();
    let shown: f64 = chip.split(['\u{2009}', ' ']).next().unwrap().parse().unwrap();
    assert!((shown - mm).abs() < 0.05 * mm + 1.0, "the chip says {chip}, drawn were {mm:.1} mm");
    desk.shot("03-chip");

    let layout = desk.shell.layout_with("panes").unwrap();
    let end = numbers(&layout["shapes"][0]["grips"][1]);
    let origin = origin_of(&desk.screen, desk.shell.room_pid("reading").unwrap()).unwrap();
    let from = [origin[0] + end[0] as i64, origin[1] + end[1] as i64];
    desk.screen.drag(1, from, [from[0] + 40, from[1]]);
    let longer = desk.shell.until("changed chip", || desk.chip().filter(|now| *now != chip));
    assert!(desk.reports().contains(longer.split(['\u{2009}', ' ']).next().unwrap()), "{longer} is not on disk");
    longer
}

/// Kills the viewer: it comes back with the line, and the chip is what it was.
fn crash(desk: &Desk, chip: &str) {
    let pid = desk.shell.room_pid("reading").unwrap();
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    desk.shell.until("new viewer", || desk.shell.room_pid("reading").filter(|now| *now != pid));
    desk.shell.until("the line after the crash", || {
        let shapes = desk.shell.layout_with("panes")?["shapes"].as_array()?.len();
        (shapes > 0).then_some(())
    });
    assert_eq!(desk.chip().as_deref(), Some(chip));
    desk.shot("04-after-the-crash");
}

/// Writes the impression, chooses who signs and signs.
fn sign(desk: &Desk, deliver_to: Option<&str>) {
    desk.shell.click("block-impression");
    type_into_editor(&desk.shell, "右肺结节，建议随访。");
    desk.shell.until("impression on disk", || desk.reports().contains("建议随访").then_some(()));
    desk.shell.click("sign");
    // The dialog opens at once; people and servers come from the record a moment later.
    desk.shell.until("people who may sign", || {
        let n = desk.shell.script("return document.querySelectorAll(\"[data-testid='sign-person'] option:not([disabled])\").length");
        (n.as_u64()? > 0).then_some(())
    });
    desk.shell.script(
        "const s = document.querySelector(\"[data-testid='sign-person']\"); s.value = s.options[s.options.length - 1].value; s.dispatchEvent(new Event('change', {bubbles: true})); return 1",
    );
    if let Some(server) = deliver_to {
        desk.shell.find(&format!("deliver-{server}"));
        let is_on = desk.shell.script(&format!("return document.querySelector(\"[data-testid='deliver-{server}']\").checked"));
        if is_on != true {
            desk.shell.click(&format!("deliver-{server}"));
        }
    }
    desk.shot("05-signing");
    desk.shell.until("the button that signs", || {
        let is_ready = desk.shell.script("return document.querySelector(\"[data-testid='sign-confirm']\")?.disabled === false");
        (is_ready == true).then_some(())
    });
    desk.shell.click("sign-confirm");
    desk.shell.find("signed");
    desk.shot("06-signed");
}

#[test]
fn a_measurement_becomes_a_chip_survives_a_crash_and_is_signed() {
    let _turn = turn();
    let station = Station::new();
    let folder = station.phantom(128, 60);
    station.import(&folder.join("current"));
    let Some(orthanc) = Orthanc::start() else { return };
    station.json(&["server", "add", "pacs", "--dicom", &format!("127.0.0.1:{}", orthanc.dicom_port), "--aet", "ORTHANC"]);
    station.json(&["person", "add", "示例医师", "--role", "reviewing"]);
    let Some(desk) = Desk::open(station, (1920, 1080), "zh", shots("path")) else { return };
    desk.shell.find("study-row");
    desk.shot("01-worklist");
    begin_report(&desk);
    let chip = measure(&desk);
    crash(&desk, &chip);
    sign(&desk, Some("pacs"));
    desk.shell.until("PACS that has report and PDF", || (orthanc.instances().ok()?.len() >= 2).then_some(()));
    let tags = |id: &String| orthanc.get(&format!("/instances/{id}/simplified-tags"))["SOPClassUID"].to_string();
    let classes: Vec<String> = orthanc.ids("instances").iter().map(tags).collect();
    let has = |uid: &str| classes.iter().any(|c| c.contains(uid));
    assert!(has("1.2.840.10008.5.1.4.1.1.104.1") && has("1.2.840.10008.5.1.4.1.1.88."), "{classes:?}");
}

/// The demo without a display: the same path on the demo's record, leaving pictures and objects in
/// `MINGJING_DEMO_OUT`.
#[test]
#[ignore = "run by cargo xtask demo"]
fn demo_walk() {
    let given = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run cargo xtask demo")));
    let out = given("MINGJING_DEMO_OUT");
    std::fs::create_dir_all(&out).unwrap();
    let station = Station::on_copy_of(&given("MINGJING_RECORD"), &given("MINGJING_PASSPHRASE_FILE"));
    let desk = Desk::open(station, (1920, 1080), "zh", out.clone()).unwrap_or_else(|| panic!("the windows did not start"));
    desk.shell.find("study-row");
    desk.shot("01-worklist");
    begin_report(&desk);
    measure(&desk);
    sign(&desk, None);
    let station = &desk.station;
    let studies = station.json(&["list"]);
    let report = station.json(&["report", "list", &string(&studies[0], "study_uid")]);
    let id = string(&report[0], "id");
    for form in ["pdf", "sr", "md"] {
        station.json(&["report", "export", &id, "--as", form, "--out", text(&out)]);
    }
    let series = station.biggest_series();
    let bone = string(&station.json(&["segment", "run", &series, "--op", "threshold", "--range", "250,3000", "--label", "bone"]), "id");
    station.json(&["segment", "export", &bone, "--to", text(&out.join("bone.dcm"))]);
    let middle = station.json(&["show", &series])["matrix"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() / 2).collect::<Vec<_>>();
    let voxel = middle.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let point = station.json(&["probe", &series, "--voxel", &voxel])["lps"].clone();
    let plan = out.join("plan.toml");
    std::fs::write(&plan, format!("name = \"half\"\nsegment = \"{bone}\"\n[cut]\npoint = {point}\nnormal = [1, 0, 0]\n")).unwrap();
    let planned = station.json(&["plan", "run", text(&plan), "--stl", text(&out.join("kept.stl"))]);
    std::fs::write(out.join("plan.json"), planned.to_string()).unwrap();
}

/// Types at the editor's cursor as an input method does at its end: text is inserted in one piece.
pub(crate) fn type_into_editor(shell: &Shell, text: &str) {
    let script = format!("return document.execCommand('insertText', false, {})", Value::from(text));
    assert_eq!(shell.script(&script), true, "the editor took no text");
}

/// The pages in both languages and on the clinic's old screen; looked at by people.
#[test]
fn pages_in_both_languages_on_an_old_screen() {
    let _turn = turn();
    for lang in ["zh", "en"] {
        let station = Station::new();
        let folder = station.phantom(64, 20);
        station.import(&folder);
        let Some(desk) = Desk::open(station, (1366, 768), lang, shots(&format!("pages-{lang}"))) else { return };
        desk.shell.find("study-row");
        let text = desk.shell.page_text();
        assert_eq!(lang == "zh", text.contains("导入"), "the page speaks another language: {text}");
        let wide = desk.shell.script("return document.documentElement.scrollWidth > innerWidth");
        assert_eq!(wide, false, "something is wider than the screen");
        desk.shot("01-worklist");
        for (number, page) in ["outbox", "servers", "people", "models", "settings", "about"].iter().enumerate() {
            desk.shell.click(&format!("nav-{page}"));
            desk.shell.find(&format!("{page}-page"));
            desk.shot(&format!("{:02}-{page}", number + 2));
        }
    }
}

/// The axial picture as it is on the screen, the pointer elsewhere.
fn axial_picture(desk: &Desk, name: &str) -> (usize, Vec<u8>) {
    let (pane, origin) = desk.pane("axial");
    drop(desk.screen.xdotool(&["mousemove", "3", "3"]));
    // Nothing moves any more: the same picture twice.
    let mut last = Vec::new();
    desk.shell.until("a picture at rest", || {
        let file = desk.shots.join(format!("{name}.png"));
        desk.screen.shot(&file);
        let (width, pixels) = pixels_of(&file);
        let rect = numbers(&pane["rect"]);
        let edges = [0, 1, 2, 3].map(|n| (rect[n] as i64 + origin[n % 2]).max(0) as usize);
        let rows = edges[1]..edges[3];
        let part: Vec<u8> = rows.flat_map(|y| pixels[3 * (y * width + edges[0])..3 * (y * width + edges[2])].to_vec()).collect();
        let is_same = part == last;
        last = part;
        is_same.then_some(())
    });
    let rect = numbers(&pane["rect"]);
    ((rect[2] - rect[0]) as usize, last)
}

/// Width, and red, green and blue of every pixel.
fn pixels_of(file: &std::path::Path) -> (usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).unwrap()));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    let step = info.color_type.samples();
    (info.width as usize, bytes.chunks_exact(step).flat_map(|p| [p[0], p[1 % step], p[2 % step]]).collect())
}

/// The only finding of the newest study.
fn only_finding(station: &Station) -> Value {
    let study = string(&station.json(&["list"])[0], "study_uid");
    let all = station.json(&["finding", "list", &study]);
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    all[0].clone()
}

/// A region is drawn, edited, taken back, there after a restart, leaves as a report, and comes in elsewhere with the same
/// numbers and the same pixels.
#[test]
fn a_region_lives_from_one_station_to_the_next() {
    let _turn = turn();
    let station = Station::new();
    let folder = station.phantom(128, 60);
    station.import(&folder.join("current"));
    let Some(desk) = Desk::open(station, (1920, 1080), "zh", shots("region")) else { return };
    desk.shell.find("study-row");
    open_first_study(&desk);
    let (pane, origin) = desk.pane("axial");
    let rect = numbers(&pane["rect"]);
    let middle = [origin[0] + ((rect[0] + rect[2]) / 2.0) as i64, origin[1] + ((rect[1] + rect[3]) / 2.0) as i64];
    drop(desk.screen.xdotool(&["mousemove", &middle[0].to_string(), &middle[1].to_string(), "key", "e"]));
    desk.screen.drag(1, [middle[0] - 50, middle[1] - 70], [middle[0] + 30, middle[1] - 10]);
    let revision = |n: u64| {
        desk.shell.until("the region on disk", || {
            let study = string(&desk.station.json(&["list"])[0], "study_uid");
            let all = desk.station.json(&["finding", "list", &study]);
            all[0].as_object().filter(|f| f["revision"] == n).map(|f| Value::Object(f.clone()))
        })
    };
    let drawn = revision(1);
    assert_eq!(drawn["geometry"]["type"], "ellipse");

    let grip = numbers(&desk.shell.layout_with("shapes").unwrap()["shapes"][0]["grips"][1]);
    let from = [origin[0] + grip[0] as i64, origin[1] + grip[1] as i64];
    desk.screen.drag(1, from, [from[0] + 25, from[1] + 4]);
    let edited = revision(2);
    assert_ne!(edited["geometry"], drawn["geometry"]);
    drop(desk.screen.xdotool(&["key", "ctrl+z"]));
    let back = revision(3);
    assert_eq!((&back["geometry"], values(&back)), (&drawn["geometry"], values(&drawn)));

    // Started anew, it is there.
    let Desk { station, screen, shell, shots: at } = desk;
    drop(shell);
    let start = |station: Station, screen: Screen| {
        let shell = Shell::start(&screen, station.dir(), &station.record(), &station.passphrase_file(), "zh")?;
        let desk = Desk { station, screen, shell, shots: at.clone() };
        desk.shell.find("study-row");
        open_first_study(&desk);
        desk.shell.until("the region", || (!desk.shell.layout_with("shapes")?["shapes"].as_array()?.is_empty()).then_some(()));
        Some(desk)
    };
    let desk = start(station, screen).unwrap();
    let here = axial_picture(&desk, "01-here");
    let study = string(&desk.station.json(&["list"])[0], "study_uid");
    let out = desk.station.dir().join("out");
    let written = desk.station.json(&["finding", "export", &study, "--as", "sr", "--out", text(&out)]);
    let report = string(&written["written"][0], "path");

    let other = Station::new();
    other.import(&folder.join("current"));
    other.json(&["finding", "import", &report]);
    let there = only_finding(&other);
    assert_eq!((values(&there), &there["state"], &there["tracking_uid"]), (values(&back), &Value::from("proposed"), &back["tracking_uid"]));
    other.json(&["finding", "accept", &string(&there, "id")]);
    let Desk { station: first, screen, shell, .. } = desk;
    drop(shell);
    let desk = start(other, screen).unwrap();
    let elsewhere = axial_picture(&desk, "02-elsewhere");
    drop(first);
    let is_line = |p: &&[u8]| p[0] > 200 && p[1] > 150 && p[2] < 120;
    assert!(here.1.chunks(3).filter(is_line).count() > 200, "no region is seen");
    let differ = here.1.chunks(3).zip(elsewhere.1.chunks(3)).filter(|(a, b)| a != b).count();
    assert!(here.0 == elsewhere.0 && here.1.len() == elsewhere.1.len() && differ == 0, "{differ} pixels differ");
}

/// What was measured, as a report tells it: quantity, statistic, number and unit.
fn values(finding: &Value) -> Vec<String> {
    let all = finding["measurements"].as_array().unwrap();
    let mut told: Vec<String> =
        all.iter().map(|m| format!("{} {} {} {}", m["what"]["code"], m["derivation"]["code"], m["value"], m["unit"])).collect();
    told.sort();
    told
}
