//! Templates of others (IHE MRRT): they come in, a report is begun, filled in and signed with one, and a broken file stops nothing.

use crate::station::{Station, string, text};

const FORM: &str = r#"<!DOCTYPE html><html><head><meta charset="UTF-8"><meta name="dcterms.title" content="Ultrasound FAST">
<meta name="dcterms.identifier" content="fast"><meta name="dcterms.subject" content="US"></head><body>
<section data-section-name="Findings"><header>Findings</header>
<p><label for="m">Morison pouch</label><select id="m"><option selected>no free fluid</option><option>free fluid</option></select></p>
<p><label for="d">Depth</label><input id="d" type="number" data-field-units="mm" data-field-completion-action="PROHIBIT"></p></section>
<section data-section-name="Impression"><header>Impression</header><textarea data-field-completion-action="ALERT"></textarea></section>
</body></html>"#;

#[test]
fn a_report_is_written_and_signed_with_a_template_of_others() {
    let station = Station::new();
    station.import(&station.phantom(48, 8).join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let file = station.dir().join("fast.html");
    std::fs::write(&file, FORM).unwrap();
    let imported = station.json(&["template", "import", text(&file)]);
    assert_eq!((imported["imported"][0]["name"].as_str(), imported["refused"].as_array().unwrap().len()), (Some("fast"), 0), "{imported}");
    // Its own copy, taken in again, is still there.
    let own = station.record().join("templates/fast.html");
    assert_eq!(station.json(&["template", "import", text(&own)])["imported"][0]["replaced"], true);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), FORM);

    let report = string(&station.json(&["report", "new", &study, "--template", "fast", "--lang", "en"]), "id");
    let shown = station.json(&["report", "show", &report]);
    assert_eq!(shown["fields"][0]["text"], "Morison pouch: no free fluid\nDepth: ____ mm", "{shown}");
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reviewing"]), "id");
    // What must be filled in stands in the way.
    assert_eq!(station.run(&["report", "sign", &report, "--as", &person]).code, 4);
    let findings = string(&shown["fields"][0], "id");
    station.json(&["report", "set", &report, &findings, "Morison pouch: no free fluid"]);
    let impression = string(&shown["fields"][1], "id");
    station.json(&["report", "set", &report, &impression, "No free fluid."]);
    assert_eq!(station.json(&["report", "sign", &report, "--as", &person])["state"], "final");
}

#[test]
fn a_broken_file_is_named_and_the_others_serve() {
    let station = Station::new();
    let folder = station.record().join("templates");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("broken.html"), "<p>nothing</p>").unwrap();
    std::fs::write(folder.join("fast.html"), FORM).unwrap();
    let listed = station.run(&["template", "list"]).json(3);
    assert!(string(&listed["refused"][0], "path").ends_with("broken.html"), "{listed}");
    let own: Vec<String> = listed["templates"].as_array().unwrap().iter().filter(|t| t["own"] == true).map(|t| string(t, "name")).collect();
    assert_eq!(own, ["fast"]);
    // Mended, it serves without a restart.
    std::fs::write(folder.join("broken.html"), FORM.replace("content=\"fast\"", "content=\"mended\"")).unwrap();
    let listed = station.json(&["template", "list"]);
    assert_eq!(listed["templates"].as_array().unwrap().iter().filter(|t| t["own"] == true).count(), 2);
    let unknown = station.run(&["template", "show", "nothing"]);
    assert_eq!(unknown.code, 1, "{}", unknown.stdout);
}

#[test]
fn every_template_of_the_program_goes_out_and_comes_in() {
    let station = Station::new();
    let listed = station.json(&["template", "list"]);
    let names: Vec<String> = listed["templates"].as_array().unwrap().iter().map(|t| string(t, "name")).collect();
    assert!(names.len() > 15, "{names:?}");
    let begin = |station: &Station, name: &str, study: &str| {
        let report = station.json(&["report", "new", study, "--template", name, "--lang", "en"]);
        let shown = station.json(&["report", "show", &string(&report, "id")]);
        shown["fields"].as_array().unwrap().iter().map(|f| f["text"].clone()).collect::<Vec<_>>()
    };
    station.import(&station.phantom(48, 8).join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let there = Station::new();
    there.import(&there.phantom(48, 8).join("current"));
    let same = string(&there.json(&["list"])[0], "study_uid");
    for name in ["chest_ct", "mammography"] {
        let page = station.dir().join(format!("{name}.html"));
        station.json(&["template", "export", name, "--lang", "zh", "--out", text(&page)]);
        let html = std::fs::read_to_string(&page).unwrap();
        assert!(html.starts_with("<!DOCTYPE html>") && html.contains("data-section-name=\"Impression\""), "{html}");
        // In its own form nothing is lost: elsewhere a report begins as here.
        let file = station.dir().join(format!("{name}.toml"));
        station.json(&["template", "export", name, "--out", text(&file)]);
        let taken = there.json(&["template", "import", text(&file)]);
        assert_eq!(
            (taken["imported"][0]["name"].as_str(), taken["imported"][0]["replaced"].as_bool()),
            (Some(name), Some(true)),
            "{taken}"
        );
        assert_eq!(begin(&there, name, &same), begin(&station, name, &study));
        // The page has the same name; two files cannot both have it.
        let refused = there.run(&["template", "import", text(&page)]).json(3);
        assert!(string(&refused["refused"][0], "reason").contains(name), "{refused}");
    }
    let other = station.run(&["template", "export", "chest_ct", "--out", text(&station.dir().join("x.docx"))]);
    assert_eq!((other.code, other.error_code().as_str()), (1, "name.unknown"));
}

/// What the template says of an empty place decides: told with ALERT, in the way with PROHIBIT.
#[test]
fn an_open_place_that_only_warns_can_be_signed() {
    let station = Station::new();
    station.import(&station.phantom(48, 8).join("current"));
    let study = string(&station.json(&["list"])[0], "study_uid");
    let person = string(&station.json(&["person", "add", "示例医师", "--role", "reviewing"]), "id");
    for (action, severity, code) in [("ALERT", "warn", 0), ("PROHIBIT", "block", 4)] {
        let file = station.dir().join(format!("{action}.html"));
        std::fs::write(&file, FORM.replace("PROHIBIT", action).replace("content=\"fast\"", &format!("content=\"{action}\""))).unwrap();
        let name = string(&station.json(&["template", "import", text(&file)])["imported"][0], "name");
        let report = string(&station.json(&["report", "new", &study, "--template", &name, "--lang", "en"]), "id");
        let shown = station.json(&["report", "show", &report]);
        station.json(&["report", "set", &report, &string(&shown["fields"][1], "id"), "No free fluid."]);
        let checks = station.run(&["report", "check", &report]);
        let open: serde_json::Value = serde_json::from_str(&checks.stdout).unwrap_or_default();
        let all = format!("{open} {}", checks.stderr);
        assert!(all.contains("unfilled") && all.contains(&format!("\"severity\":\"{severity}\"")), "{all}");
        assert_eq!(station.run(&["report", "sign", &report, "--as", &person]).code, code, "{action}");
    }
}

#[test]
fn real_templates_come_in() {
    let Some(root) = mj_testdata::path("report_templates") else { return };
    let station = Station::new();
    let folders = ["drg_mrrt", "radreport_de"].map(|set| root.join(set));
    let imported = station.json(&["template", "import", text(&folders[0]), text(&folders[1])]);
    assert_eq!((imported["imported"].as_array().unwrap().len(), imported["refused"].as_array().unwrap().len()), (31, 0), "{imported}");
    let listed = station.json(&["template", "list"]);
    assert_eq!(listed["templates"].as_array().unwrap().iter().filter(|t| t["own"] == true).count(), 31, "each under a name of its own");
}
