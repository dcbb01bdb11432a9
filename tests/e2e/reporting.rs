//! A report in the real shell: a wrong side is caught while it is typed, the draft is put in by a key, two people sign, an
//! addendum follows; and the whole of it by the keyboard alone, in Chinese, by a real input method.

use crate::station::{Station, string};
use crate::windows::{Desk, begin_report, open_first_study, shots, turn, type_into_editor};
use serde_json::Value;

/// A study with an accepted nodule of the right upper lobe, its prior, and two people who may sign.
fn open() -> Option<Desk> {
    let station = Station::new();
    let folder = station.phantom(64, 20);
    station.import(&folder);
    let series = station.biggest_series();
    let shown = station.json(&["show", &series]);
    let at = |axis: usize| shown["origin_lps"][axis].as_f64().unwrap();
    let line = [at(0) + 60.0, at(1) + 60.0, at(2), at(0) + 72.0, at(1) + 60.0, at(2)].map(|v| v.to_string()).join(",");
    station.json(&["finding", "add", &series, "--line", &line, "--kind", "结节", "--site", "Upper lobe of lung", "--side", "right"]);
    station.json(&["person", "add", "示例住院医师", "--role", "reporting"]);
    station.json(&["person", "add", "示例主任医师", "--role", "reviewing"]);
    let desk = Desk::open_alone(station, true, shots("reporting"))?;
    desk.shell.find("study-row");
    begin_report(&desk);
    crate::writing::activate(&desk);
    Some(desk)
}

fn key(desk: &Desk, key: &str) {
    drop(desk.screen.xdotool(&["key", "--delay", "80", key]));
}

/// Rules of the checks on the page.
fn checks(desk: &Desk) -> Vec<String> {
    let rules = desk.shell.script("return [...document.querySelectorAll(\"[data-testid='check']\")].map((c) => c.dataset.rule)");
    rules.as_array().into_iter().flatten().filter_map(|r| r.as_str().map(str::to_owned)).collect()
}

fn claims(desk: &Desk, state: &str) -> u64 {
    desk.shell.script(&format!("return document.querySelectorAll('.claim.{state}').length")).as_u64().unwrap_or(0)
}

/// Opens the dialog by its key, chooses who signs, and signs.
fn sign_as(desk: &Desk, name: &str) {
    key(desk, "ctrl+Return");
    desk.shell.until("who may sign", || {
        let script = format!(
            "const s = document.querySelector(\"[data-testid='sign-person']\"); const o = s && [...s.options].find((o) => o.text.includes({})); if (!o) return 0; s.value = o.value; s.dispatchEvent(new Event('change', {{bubbles: true}})); return 1",
            Value::from(name)
        );
        (desk.shell.script(&script) == 1).then_some(())
    });
    desk.shell.until("the button that signs", || {
        (desk.shell.script("return document.querySelector(\"[data-testid='sign-confirm']\")?.disabled === false") == true).then_some(())
    });
    desk.shell.click("sign-confirm");
    desk.shell.find("signed");
    desk.shell.click("signed-close");
}

fn state(desk: &Desk) -> String {
    let study = string(&desk.station.json(&["list"])[0], "study_uid");
    string(desk.station.json(&["report", "list", &study]).as_array().unwrap().last().unwrap(), "state")
}

#[test]
fn a_wrong_side_is_caught_two_people_sign_and_an_addendum_follows() {
    let _turn = turn();
    let Some(desk) = open() else { return };
    // Typed: the other side than the finding's.
    desk.shell.click("block-impression");
    type_into_editor(&desk.shell, "左肺上叶结节，建议随访。");
    desk.shell.until("the wrong side", || checks(&desk).contains(&"side".to_owned()).then_some(()));
    desk.shell.until("the sentence in its colour", || (claims(&desk, "contradicted") > 0).then_some(()));
    desk.shot("01-wrong-side");

    // The check leads to its words; what is typed then takes their place.
    desk.shell.script("document.querySelector(\"[data-rule='side']\").click(); return 1");
    type_into_editor(&desk.shell, "右肺上叶");
    desk.shell.until("the right side", || (!checks(&desk).contains(&"side".to_owned())).then_some(()));
    desk.shell.until("a verified sentence", || (claims(&desk, "verified") > 0).then_some(()));

    // The finding goes to its organ's line by a key.
    key(&desk, "ctrl+shift+d");
    desk.shell.until("the finding in its line", || (claims(&desk, "verified") > 1).then_some(()));
    desk.shot("02-drafted");

    // It is corrected meanwhile: the sentences say so at once.
    let study = string(&desk.station.json(&["list"])[0], "study_uid");
    let finding = string(&desk.station.json(&["finding", "list", &study])[0], "id");
    desk.station.json(&["finding", "edit", &finding, "--side", "left"]);
    desk.shell.until("contradicted sentences", || (claims(&desk, "contradicted") > 0).then_some(()));
    desk.shot("03-corrected-elsewhere");
    desk.station.json(&["finding", "edit", &finding, "--side", "right"]);
    desk.shell.until("verified again", || (claims(&desk, "contradicted") == 0 && claims(&desk, "verified") > 1).then_some(()));

    sign_as(&desk, "示例住院医师");
    desk.shell.until("preliminary", || (state(&desk) == "preliminary").then_some(()));
    sign_as(&desk, "示例主任医师");
    desk.shell.until("final", || (state(&desk) == "final").then_some(()));
    desk.shot("04-final");
    desk.shell.click("addendum");
    desk.shell.until("an addendum", || (state(&desk) == "draft").then_some(()));
    desk.shell.click("block-findings");
    type_into_editor(&desk.shell, "补充：未见胸腔积液。");
    desk.shell.until("the addendum on disk", || desk.reports().contains("补充：未见胸腔积液").then_some(()));
    sign_as(&desk, "示例主任医师");
    desk.shell.until("a signed addendum", || (state(&desk) == "addendum").then_some(()));
    desk.shot("05-addendum");
}

/// What a department's input method knows: the letters that are typed and what they become.
const PHRASES: [(&str, &str); 6] =
    [("zfsy", "左肺上叶"), ("yfsy", "右肺上叶"), ("jjie", "结节"), ("jqzd", "较前增大"), ("xqjy", "胸腔积液"), ("wjian", "未见")];

/// The present study with two nodules, one of them followed from the prior; the reader's own words are not there yet.
fn followed() -> Station {
    let station = Station::new();
    station.import(&station.phantom(64, 20));
    let add = |date: &str, far_mm: f64, long_mm: f64, side: &str, site: &str| {
        let (_, series) = crate::track::study_of(&station, date);
        let origin = crate::windows::numbers(&station.json(&["show", &series])["origin_lps"]);
        let (x, y, z) = (origin[0] + far_mm, origin[1] + 60.0, origin[2]);
        let line = [x, y, z, x + long_mm, y, z].map(|v| v.to_string()).join(",");
        string(&station.json(&["finding", "add", &series, "--line", &line, "--kind", "结节", "--site", site, "--side", side]), "id")
    };
    let before = add("2025-09-10", 60.0, 9.0, "right", "Upper lobe of lung");
    let now = add("2026-03-12", 60.0, 12.0, "right", "Upper lobe of lung");
    add("2026-03-12", 120.0, 8.0, "left", "Lower lobe of lung");
    let [(prior, _), (current, _)] = ["2025-09-10", "2026-03-12"].map(|date| crate::track::study_of(&station, date));
    station.json(&["track", &prior, &current, "--join", &format!("{before}={now}")]);
    station.json(&["person", "add", "示例住院医师", "--role", "reporting"]);
    station.json(&["person", "add", "示例主任医师", "--role", "reviewing"]);
    let phrases: String = PHRASES.iter().map(|(letters, words)| format!("{letters} {words}\n")).collect();
    let folder = station.dir().join("data/fcitx5/data/quickphrase.d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("department.mb"), phrases).unwrap();
    station
}

/// Text of a field on the page.
fn field(desk: &Desk, id: &str) -> String {
    desk.shell.text_of(&format!("[data-testid='block-{id}']"))
}

/// Types a phrase by the input method (v and its letters) until the field holds it; the method may still be starting, and
/// whatever came instead is taken back.
fn write(desk: &Desk, id: &str, words: &str) {
    let letters = PHRASES.iter().find(|(_, known)| *known == words).map(|(letters, _)| *letters).unwrap();
    desk.shell.until(words, || {
        let before = field(desk, id);
        drop(desk.screen.xdotool(&["type", "--delay", "90", &format!("v{letters}")]));
        drop(desk.screen.xdotool(&["key", "--delay", "150", "space"]));
        let until = std::time::Instant::now() + std::time::Duration::from_secs(3);
        while std::time::Instant::now() < until {
            if field(desk, id).matches(words).count() > before.matches(words).count() {
                return Some(());
            }
            std::thread::sleep(std::time::Duration::from_millis(60));
        }
        key(desk, "Escape");
        let n = field(desk, id).chars().count().saturating_sub(before.chars().count());
        (0..n).for_each(|_| key(desk, "BackSpace"));
        None
    });
}

/// Signs by keys alone: the dialog, down to a person, Enter; Enter again closes what was written.
fn sign_by_keys(desk: &Desk, name: &str) {
    key(desk, "ctrl+Return");
    desk.shell.find("sign-person");
    desk.shell.until("the person", || {
        let chosen =
            desk.shell.script("const s = document.querySelector(\"[data-testid='sign-person']\"); return s.selectedOptions[0]?.text ?? ''");
        if chosen.as_str().unwrap_or_default().contains(name) {
            return Some(());
        }
        key(desk, "Down");
        None
    });
    key(desk, "Return");
    desk.shell.find("signed");
    key(desk, "Return");
    desk.shell.until("the dialog is gone", || desk.shell.all("[data-testid='sign-dialog']").is_empty().then_some(()));
}

#[test]
fn a_report_by_the_keyboard_alone_in_chinese() {
    let _turn = turn();
    let Some(desk) = Desk::open_alone(followed(), true, shots("keyboard")) else { return };
    desk.shell.find("study-row");
    crate::writing::to_the_front(&desk);
    key(&desk, "Return");
    desk.shell.find("report-begin");
    key(&desk, "ctrl+r");
    desk.shell.find("block-findings");

    // Into the impression, the wrong side, compared with the prior.
    key(&desk, "Tab");
    for words in ["左肺上叶", "结节"] {
        write(&desk, "impression", words);
    }
    key(&desk, "comma");
    write(&desk, "impression", "较前增大");
    key(&desk, "period");
    desk.shell.until("the wrong side", || checks(&desk).contains(&"side".to_owned()).then_some(()));
    desk.shot("01-wrong-side");
    desk.shell.until("the words of the check", || {
        key(&desk, "F8");
        (desk.shell.script("return getSelection().toString()") == "左肺上叶").then_some(())
    });
    write(&desk, "impression", "右肺上叶");
    desk.shell.until("the right side", || (!checks(&desk).contains(&"side".to_owned())).then_some(()));
    assert!(field(&desk, "impression").contains("右肺上叶结节，较前增大。"), "{}", field(&desk, "impression"));
    desk.shell.until("growth that the two measurements show", || (claims(&desk, "verified") > 0).then_some(()));

    // Both findings into their lines, and what they mean into the impression.
    key(&desk, "ctrl+shift+d");
    desk.shell
        .until("both findings in their lines", || (claims(&desk, "verified") > 2 && claims(&desk, "contradicted") == 0).then_some(()));
    desk.shot("02-drafted");
    let in_the_way = "return [...document.querySelectorAll(\"[data-testid='check']\")].filter((c) => c.dataset.severity === 'block').map((c) => c.innerText)";
    desk.shell.until("nothing in the way", || desk.shell.script(in_the_way).as_array().is_some_and(Vec::is_empty).then_some(()));

    sign_by_keys(&desk, "示例住院医师");
    desk.shell.until("preliminary", || (state(&desk) == "preliminary").then_some(()));
    sign_by_keys(&desk, "示例主任医师");
    desk.shell.until("final", || (state(&desk) == "final").then_some(()));
    desk.shot("03-final");
    key(&desk, "ctrl+shift+a");
    desk.shell.until("an addendum", || (state(&desk) == "draft").then_some(()));
    desk.shell.find("block-findings");
    for words in ["未见", "胸腔积液"] {
        write(&desk, "findings", words);
    }
    key(&desk, "period");
    desk.shell.until("the addendum on disk", || desk.reports().contains("未见胸腔积液。").then_some(()));
    sign_by_keys(&desk, "示例主任医师");
    desk.shell.until("a signed addendum", || (state(&desk) == "addendum").then_some(()));
    desk.shot("04-addendum");
}

/// So many characters of ordinary prose.
fn prose(n: usize) -> String {
    "the airways are patent and both lungs are well aerated ".chars().cycle().take(n).collect()
}

/// Keystrokes from the key to the frame that shows it, in the page. Units: ms.
fn keystrokes(desk: &Desk, n: usize) -> Vec<f64> {
    let watch = "window.took = []; if (window.isWatched) return 1; window.isWatched = true; \
        window.addEventListener('keydown', () => { const from = performance.now(); \
        requestAnimationFrame(() => { const done = new MessageChannel(); done.port1.onmessage = () => window.took.push(performance.now() - from); \
        done.port2.postMessage(0); }); }, true); return 1";
    desk.shell.script(watch);
    drop(desk.screen.xdotool(&["type", "--delay", "100", &prose(n)]));
    desk.shell.until("all frames", || {
        let took = crate::windows::numbers(&desk.shell.script("return window.took"));
        (took.len() >= n).then_some(took)
    })
}

/// Typing in an empty report and in one of 20 pages with 200 claims on 200 findings.
#[test]
#[ignore = "a measurement: cargo xtask bench"]
fn bench_a_keystroke_in_twenty_pages() {
    let _turn = turn();
    let station = Station::new();
    station.import(&station.phantom(64, 20).join("current"));
    let series = station.biggest_series();
    let origin = crate::windows::numbers(&station.json(&["show", &series])["origin_lps"]);
    let mut text = String::new();
    for n in 0..200_u32 {
        let (side, name) = if n % 2 == 0 { ("left", "左肺上叶") } else { ("right", "右肺上叶") };
        let mm = 3.0 + f64::from(n) / 10.0;
        let (x, y, z) = (origin[0] + 20.0, origin[1] + 20.0 + f64::from(n) / 4.0, origin[2]);
        let line = [x, y, z, x + mm, y, z].map(|v| v.to_string()).join(",");
        station.json(&["finding", "add", &series, "--line", &line, "--kind", "结节", "--site", "Upper lobe of lung", "--side", side]);
        text += &format!(
            "{name}见结节，约{mm:.1} mm。双肺纹理清晰，走行自然，气管及主支气管通畅，纵隔居中，心影不大，胸廓对称，所扫肝脏形态大小正常，密度均匀。\n"
        );
    }
    let study = string(&station.json(&["list"])[0], "study_uid");
    let report = string(&station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]), "id");
    for field in ["history", "technique", "comparison", "findings", "impression"] {
        station.json(&["report", "set", &report, field, ""]);
    }
    let Some(desk) = Desk::open_alone(station, false, shots("keystroke")) else { return };
    desk.shell.find("study-row");
    open_first_study(&desk);
    crate::writing::activate(&desk);
    let empty = keystrokes(&desk, 500);
    desk.shell.until("the typed text on disk", || desk.reports().contains(&prose(500)).then_some(()));
    desk.station.json(&["report", "set", &report, "findings", &text]);
    desk.shell.until("twenty pages", || (claims(&desk, "verified") >= 200).then_some(()));
    crate::writing::activate(&desk);
    let full = keystrokes(&desk, 500);
    desk.shot("01-twenty-pages");
    let n_claims = claims(&desk, "verified");
    let note = format!(
        "{} characters, {n_claims} claims on 200 findings, one key every 100 ms, 500 keys, software rendering",
        text.chars().count()
    );
    mj_testdata::note("a keystroke to the next frame", "mingjing, empty report", "ms", &empty, "the same window and template");
    mj_testdata::note("a keystroke to the next frame", "mingjing, 20 pages", "ms", &full, &note);
}
