//! A report in the real shell: a wrong side is caught while it is typed, the draft is put in by a key, two people sign, an
//! addendum follows.

use crate::station::{Station, string};
use crate::windows::{Desk, begin_report, shots, turn, type_into_editor};
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
