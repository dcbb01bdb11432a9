//! Reports that are checked: claims that follow their findings, reasons to sign, a department's own rules, a folder of texts.

use crate::station::{Station, string, text};
use mj_tests::objects;
use serde_json::Value;

/// A study of a small CT with a nodule of the right upper lobe, and a report on it.
struct Case {
    station: Station,
    study: String,
    finding: String,
    report: String,
}

impl Case {
    fn new() -> Self {
        let station = Station::new();
        let series = objects::ct(8, 16, "Shili^Yi=示例^一", "CN-0001");
        let folder = station.dir().join("in");
        std::fs::create_dir(&folder).unwrap();
        for object in &series.objects {
            std::fs::write(folder.join(format!("{}.dcm", object.instance)), &object.bytes).unwrap();
        }
        station.import(&folder);
        let (study, id) = (series.study.to_string(), series.series.to_string());
        let shown = station.json(&["show", &id]);
        let at = |axis: usize| shown["origin_lps"][axis].as_f64().unwrap();
        let line = [at(0) + 2.0, at(1) + 2.0, at(2), at(0) + 8.0, at(1) + 2.0, at(2)].map(|v| v.to_string()).join(",");
        let add = ["finding", "add", &id, "--line", &line, "--kind", "结节", "--site", "Upper lobe of lung", "--side", "right"];
        let finding = string(&station.json(&add), "id");
        let report = string(&station.json(&["report", "new", &study, "--template", "chest_ct", "--lang", "zh"]), "id");
        Self { station, study, finding, report }
    }

    fn checks(&self) -> Vec<String> {
        let checks = self.station.json(&["report", "check", &self.report]);
        checks.as_array().unwrap().iter().map(|c| string(c, "rule")).collect()
    }

    /// State of the claim that rests on the finding.
    fn states(&self) -> Vec<String> {
        let shown = self.station.json(&["report", "show", &self.report]);
        let fields = shown["fields"].as_array().unwrap();
        let claims = fields.iter().flat_map(|f| f["claims"].as_array().unwrap());
        claims.filter(|c| c["finding"] == self.finding.as_str() && c["measurement"].is_null()).map(|c| string(c, "state")).collect()
    }
}

#[test]
fn a_draft_follows_its_finding_and_is_signed_only_as_far_as_it_holds() {
    let case = Case::new();
    let drafted = case.station.json(&["report", "draft", &case.report, "--lang", "zh"]);
    assert_eq!(drafted["drafted"].as_array().unwrap().len(), 1, "{drafted}");
    assert_eq!(case.states(), ["verified", "verified"], "{drafted}");
    assert!(case.checks().iter().all(|rule| rule != "side" && rule != "claim_stale"), "{:?}", case.checks());

    // Measured again: the number follows, the sentence asks to be read again.
    let origin = case.station.json(&["finding", "show", &case.finding])["geometry"].clone();
    assert!(!origin.is_null());
    case.station.json(&["finding", "edit", &case.finding, "--site", "Lower lobe of lung"]);
    assert!(case.states().iter().all(|state| state == "contradicted"), "{:?}", case.states());
    let person = string(&case.station.json(&["person", "add", "示例医师", "--role", "reviewing"]), "id");
    let refused = case.station.run(&["report", "sign", &case.report, "--as", &person]);
    assert_eq!((refused.code, refused.error_code().as_str()), (4, "report.checks_refuse"));
    // What was drafted from its finding cannot be signed against it, whatever the reason.
    let refused = case.station.run(&["report", "sign", &case.report, "--as", &person, "--confirm", "site_differs=知道"]);
    assert_eq!(refused.code, 4, "{}", refused.stdout);

    case.station.json(&["finding", "edit", &case.finding, "--site", "Upper lobe of lung"]);
    assert_eq!(case.states(), ["verified", "verified"], "as it was is as it was");
    case.station.json(&["finding", "edit", &case.finding, "--kind", "病变"]);
    assert_eq!(case.states(), ["unsupported", "unsupported"], "the finding says less than the sentence");
    case.station.json(&["finding", "edit", &case.finding, "--kind", "肺结节", "--site", "Lung"]);
    assert_eq!(case.states(), ["stale", "stale"], "nothing contradicts, but it is to be read again");
    case.station.json(&["report", "confirm", &case.report]);
    assert_eq!(case.states(), ["verified", "verified"]);
    let signed = case.station.json(&["report", "sign", &case.report, "--as", &person]);
    assert_eq!(signed["state"], "final", "{signed}");
}

#[test]
fn a_typed_wrong_side_is_signed_only_with_a_reason() {
    let case = Case::new();
    case.station.json(&["report", "set", &case.report, "findings", "左肺上叶见结节。"]);
    case.station.json(&["report", "set", &case.report, "impression", "左肺上叶结节。"]);
    assert!(case.checks().contains(&"side".to_owned()), "{:?}", case.checks());
    let person = string(&case.station.json(&["person", "add", "示例医师", "--role", "reviewing"]), "id");
    assert_eq!(case.station.run(&["report", "sign", &case.report, "--as", &person]).code, 4);
    let unfit = case.station.run(&["report", "sign", &case.report, "--as", &person, "--confirm", "side="]);
    assert_eq!((unfit.code, unfit.error_code().as_str()), (2, "report.no_reason"));
    let signed = case.station.json(&["report", "sign", &case.report, "--as", &person, "--confirm", "side=对侧另有一处未测量的结节"]);
    assert_eq!(signed["state"], "final", "{signed}");
}

#[test]
fn a_text_is_checked_against_a_study_and_what_is_known_of_the_patient() {
    let case = Case::new();
    let file = case.station.dir().join("text.txt");
    std::fs::write(&file, "检查所见：左肺上叶见结节。子宫未见异常。\n诊断意见：左肺上叶结节。\n").unwrap();
    let rules = |args: &[&str]| -> Vec<String> {
        let found = case.station.json(&[&["report", "check", text(&file)], args].concat());
        found.as_array().unwrap().iter().map(|c| string(c, "rule")).collect()
    };
    assert_eq!(rules(&[]), [""; 0]);
    assert_eq!(rules(&["--sex", "M"]), ["sex"]);
    assert!(rules(&["--side", "right"]).iter().all(|rule| rule == "side_order"));
    assert_eq!(rules(&["--side", "right"]).len(), 2, "findings and impression");
    assert!(rules(&["--study", &case.study]).contains(&"side".to_owned()));
}

#[test]
fn a_department_s_rules_take_effect_at_once_and_broken_ones_are_named() {
    let case = Case::new();
    case.station.json(&["report", "set", &case.report, "findings", "右肺上叶见结节。"]);
    case.station.json(&["report", "set", &case.report, "impression", "右肺上叶结节。"]);
    let file = case.station.record().join("rules/checks.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let written = case.station.json(&["rules", "export", text(&file)]);
    assert_eq!(written["written"][0], text(&file));
    let run = case.station.json(&["rules", "test", text(&file)]);
    assert_eq!(run["failed"].as_array().unwrap().len(), 0, "{run}");
    assert!(!case.checks().contains(&"abbreviation".to_owned()));

    // The department does not want 结节 written so.
    let own = std::fs::read_to_string(&file).unwrap() + "\n[[watch]]\nrule = \"abbreviation\"\nwords = { zh = [\"结节\"], en = [] }\n";
    std::fs::write(&file, &own).unwrap();
    assert!(case.checks().contains(&"abbreviation".to_owned()), "{:?}", case.checks());

    std::fs::write(&file, own.replace("[rule.side]", "[rule.side")).unwrap();
    let found = case.station.json(&["report", "check", &case.report]);
    let refused = found.as_array().unwrap().iter().find(|c| c["rule"] == "rules_refused").cloned().unwrap_or(Value::Null);
    assert!(refused["message"].as_str().unwrap_or_default().contains("checks.toml"), "{found}");
    // A case that fails is as broken as a file that cannot be read.
    std::fs::write(&file, own.replace("found = \"前列腺增生\"", "found = \"肝\"")).unwrap();
    assert_eq!(case.station.run(&["rules", "test", text(&file)]).code, 3);
    assert!(case.checks().contains(&"rules_refused".to_owned()));
    std::fs::remove_file(&file).unwrap();
    assert!(!case.checks().contains(&"rules_refused".to_owned()));
}

#[test]
fn a_folder_of_reports_gets_a_scorecard() {
    let station = Station::bare();
    let folder = station.dir().join("reports");
    std::fs::create_dir_all(folder.join("may")).unwrap();
    std::fs::write(folder.join("one.txt"), "检查所见：右肺上叶见结节。\n诊断意见：左肺上叶结节。\n").unwrap();
    std::fs::write(folder.join("may/two.md"), "检查所见：右肺上叶见结节。\n诊断意见：右肺上叶结节。\n").unwrap();
    std::fs::write(folder.join("three.txt"), [0xFF, 0xFE, 0x00]).unwrap();
    let card = station.json(&["quality", text(&folder)]);
    assert_eq!((&card["reports"], &card["clean"], &card["blocked"]), (&2.into(), &1.into(), &1.into()), "{card}");
    assert_eq!(card["rules"]["side_conflict"]["reports"], 1, "{card}");
    assert_eq!(card["skipped"][0]["path"], "three.txt", "{card}");
    let none = station.dir().join("none");
    std::fs::create_dir(&none).unwrap();
    let refused = station.run(&["quality", text(&none)]);
    assert_eq!((refused.code, refused.error_code().as_str()), (1, "report.none_found"));
}

#[test]
fn a_critical_result_stays_open_until_somebody_is_called() {
    let case = Case::new();
    case.station.json(&["report", "set", &case.report, "findings", "右肺上叶见结节。右侧张力性气胸。"]);
    case.station.json(&["report", "set", &case.report, "impression", "1.右侧张力性气胸；2.右肺上叶结节。"]);
    assert!(case.checks().contains(&"critical_uncalled".to_owned()), "{:?}", case.checks());
    let person = string(&case.station.json(&["person", "add", "示例医师", "--role", "reviewing"]), "id");
    assert_eq!(case.station.run(&["report", "sign", &case.report, "--as", &person]).code, 4);
    case.station.json(&["report", "sign", &case.report, "--as", &person, "--confirm", "critical_uncalled=正在联系急诊"]);
    let open = case.station.json(&["critical", "list"]);
    assert_eq!((open.as_array().unwrap().len(), &open[0]["what"]), (1, &Value::from("张力性气胸")), "{open}");
    assert_eq!(case.station.run(&["critical", "list", "--within", "0"]).code, 3, "overdue at once");
    let id = string(&open[0], "id");
    // A call that nobody read back leaves it open.
    let half = case.station.json(&["critical", "call", &id, "--to", "急诊科护士"]);
    assert_eq!(half["call"]["read_back"], false, "{half}");
    assert_eq!(case.station.json(&["critical", "list"]).as_array().unwrap().len(), 1);
    let called = case.station.json(&["critical", "call", &id, "--to", "急诊科值班医师", "--read-back"]);
    assert_eq!(called["call"]["read_back"], true, "{called}");
    let again = case.station.run(&["critical", "call", &id, "--to", "急诊科值班医师"]);
    assert_eq!((again.code, again.error_code().as_str()), (1, "critical.called_already"));
    assert_eq!(case.station.json(&["critical", "list"]).as_array().unwrap().len(), 0);
    // An addendum knows of the call, and prints it.
    let addendum = string(&case.station.json(&["report", "addendum", &case.report]), "id");
    case.station.json(&["report", "set", &addendum, "findings", "右侧张力性气胸，已置管。"]);
    let checks = case.station.json(&["report", "check", &addendum]);
    assert!(checks.as_array().unwrap().iter().all(|c| c["rule"] != "critical_uncalled"), "{checks}");
    // The call was about the one result, not about another.
    case.station.json(&["report", "set", &addendum, "impression", "另见主动脉夹层。"]);
    let checks = case.station.json(&["report", "check", &addendum]);
    assert!(checks.as_array().unwrap().iter().any(|c| c["rule"] == "critical_uncalled"), "{checks}");
    case.station.json(&["report", "set", &addendum, "impression", "同前。"]);
    let out = case.station.dir().join("out");
    let written = case.station.json(&["report", "export", &addendum, "--as", "txt", "--out", text(&out)]);
    let printed = std::fs::read_to_string(written["written"][0].as_str().unwrap()).unwrap();
    assert!(printed.contains("危急值通知") && printed.contains("急诊科值班医师") && printed.contains("已复述确认"), "{printed}");
}
