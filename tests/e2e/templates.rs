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
    for name in ["chest_ct", "mammography"] {
        let file = station.dir().join(format!("{name}.html"));
        station.json(&["template", "export", name, "--lang", "zh", "--out", text(&file)]);
        let page = std::fs::read_to_string(&file).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("data-section-name=\"Impression\""), "{page}");
    }
}

#[test]
fn real_templates_come_in() {
    let Some(root) = mj_testdata::root() else { return };
    let station = Station::new();
    let folders = ["drg_mrrt", "radreport_de"].map(|set| root.join("report_templates").join(set));
    let imported = station.json(&["template", "import", text(&folders[0]), text(&folders[1])]);
    assert_eq!((imported["imported"].as_array().unwrap().len(), imported["refused"].as_array().unwrap().len()), (31, 0), "{imported}");
    let listed = station.json(&["template", "list"]);
    assert_eq!(listed["templates"].as_array().unwrap().iter().filter(|t| t["own"] == true).count(), 31, "each under a name of its own");
}
