//! What the rules say about small reports.

use super::{CheckContext, CheckResult, Severity, check, check_text};
use crate::binding::insert_number;
use crate::document::Document;
use crate::sentence::{place, sentence};
use crate::template::Template;
use crate::testing::{document, finding};
use mj_model::{Finding, FindingState, Lang, Side, StudyUid};

/// A report with an impression, findings text and the number of `finding` at the sign `#`.
fn with_number(text: &str, finding: &Finding) -> Document {
    let at = text.chars().position(|c| c == '#').unwrap();
    let mut doc = document(&text.replace('#', ""));
    doc.blocks[1].text = "见所见。".into();
    doc.apply(&[insert_number("findings", at, finding, "m1").unwrap()]).unwrap();
    doc
}

fn rules(results: &[CheckResult]) -> Vec<&str> {
    results.iter().map(|r| r.rule.as_str()).collect()
}

fn run(doc: &Document, findings: &[Finding]) -> Vec<CheckResult> {
    check(doc, findings, &CheckContext::default())
}

#[test]
fn a_clean_report_passes() {
    let f = finding("f1", 12.3);
    assert_eq!(run(&with_number("右肺上叶结节，长约#。", &f), &[f]), []);
}

#[test]
fn empty_and_unfilled_fields_block() {
    let doc = document("长约____ mm，层厚【】。");
    let got = run(&doc, &[]);
    assert_eq!(rules(&got), ["unfilled", "unfilled", "field_empty"]);
    assert_eq!((got[0].span, got[0].message.as_str()), (Some([2, 6]), "有未填写的内容：“____”。"));
    assert!(got.iter().all(|r| r.severity == Severity::Block));
    assert_eq!(got[2].field.as_deref(), Some("impression"));
}

#[test]
fn a_report_without_a_word_is_not_signed() {
    let mut addendum = document("");
    for block in &mut addendum.blocks {
        (block.is_required, block.text) = (false, String::new());
    }
    assert_eq!(rules(&run(&addendum, &[])), ["nothing_written"]);
    addendum.blocks[1].text = "补充：未见骨质破坏。".into();
    assert_eq!(run(&addendum, &[]), []);
}

#[test]
fn sides_against_the_finding() {
    let f = finding("f1", 12.3);
    let side = |text: &str, finding: &Finding| rules(&run(&with_number(text, finding), std::slice::from_ref(finding))).contains(&"side");
    assert!(side("左肺上叶结节，长约#。", &f));
    assert!(!side("右肺上叶结节，长约#左右。", &f));
    assert!(!side("右肺上叶结节，长约#；左肺未见结节。", &f));
    assert!(!side("双肺结节，大者约#。", &f));
    assert!(!side("左肺及右肺结节，大者约#。", &f));
    // Neither "about" nor the chambers of the heart say a side.
    assert!(!side("结节长约#左右。", &f));
    assert!(!side("左心室旁结节，长约#。", &f));
    assert!(side("右肺结节，长约#。", &Finding { side: Side::Left, ..f.clone() }));
    // The name of the site says the side where the finding itself does not.
    assert!(side("左肺结节，长约#。", &Finding { side: Side::None, ..f.clone() }));
    assert!(!side("左肺结节，长约#。", &Finding { side: Side::None, site: None, ..f.clone() }));
    let got = run(&with_number("左肺结节，长约#。", &f), std::slice::from_ref(&f));
    assert_eq!((got[0].span, got[0].message.as_str()), (Some([0, 1]), "文中写“左”，而影像所见位于右侧。"));
}

#[test]
fn sides_within_the_report() {
    let conflict = |findings: &str, impression: &str| {
        let text = format!("检查所见：{findings}\n诊断意见：{impression}");
        check_text(&text, &CheckContext::default()).into_iter().find(|r| r.rule == "side_conflict")
    };
    let got = conflict("右肺上叶见结节。", "左肺上叶结节。").unwrap();
    assert_eq!((got.span, got.message.as_str()), (Some([0, 4]), "诊断意见写“左肺上叶”，检查所见中为“右肺上叶”，左右不一致。"));
    assert_eq!(conflict("右肺上叶见结节，左肺上叶见结节。", "左肺上叶结节。"), None);
    assert_eq!(conflict("双肾囊肿。", "左肾囊肿。"), None);
    assert_eq!(conflict("右肺上叶见结节。", "左肺下叶炎症。"), None);
    let en = check_text("Findings: Nodule in the right upper lobe.\nImpression: Left upper lobe nodule.", &CheckContext::default());
    assert_eq!(rules(&en), ["side_conflict"]);
}

#[test]
fn slots_that_moved_on_or_are_gone() {
    let f = finding("f1", 12.3);
    let doc = with_number("右肺结节，长约#。", &f);
    let mut newer = Finding { revision: 2, ..f.clone() };
    assert_eq!(run(&doc, std::slice::from_ref(&newer)), [], "a revision that left the number alone is no harm");
    newer.measurements[0].quantity.value = 14.0;
    let got = run(&doc, std::slice::from_ref(&newer));
    assert_eq!((rules(&got), got[0].severity, got[0].span), (vec!["slot_stale"], Severity::Block, Some([7, 14])));
    newer.state = FindingState::Rejected;
    assert_eq!(rules(&run(&doc, &[newer])), ["slot_gone"]);
    assert_eq!(rules(&run(&doc, &[])), ["slot_gone"]);
}

#[test]
fn proposals_block_when_used_and_inform_when_not() {
    let f = Finding { state: FindingState::Proposed, ..finding("f1", 12.3) };
    let got = run(&with_number("右肺结节，长约#。", &f), std::slice::from_ref(&f));
    assert_eq!((rules(&got), got[0].severity), (vec!["finding_unreviewed"], Severity::Block));
    let mut doc = document("右肺。");
    doc.blocks[1].text = "见所见。".into();
    assert_eq!(rules(&run(&doc, &[f])), ["finding_unread"]);
    assert_eq!(rules(&run(&doc, &[finding("f1", 12.3)])), ["finding_unreported"]);
}

#[test]
fn typed_numbers_against_the_measurement() {
    let f = finding("f1", 12.34);
    let got = |text: &str| {
        let doc = with_number(text, &f);
        let results = run(&doc, std::slice::from_ref(&f));
        results.iter().map(|r| (r.rule.clone(), r.span)).collect::<Vec<_>>()
    };
    let none: [(String, Option<[usize; 2]>); 0] = [];
    assert_eq!(got("右肺结节，长约#（1.2cm）。"), none);
    assert_eq!(got("右肺结节，长约#，即12 mm。"), none);
    assert_eq!(got("右肺结节，长约#，即15 mm。"), [("number_differs".to_owned(), Some([16, 21]))]);
    assert_eq!(got("右肺结节，长约#，即1.2mm。")[0].0, "number_differs", "a decimal point in the wrong place");
    let unbound = |text: &str| got(text).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
    assert_eq!(unbound("右肺结节，长约#。另见约3×4 mm钙化。"), ["number_unbound", "number_unbound"]);
    // A second diameter, an earlier size and a distance are other numbers.
    assert_eq!(unbound("右肺结节，大小约#×11 mm。"), ["number_unbound"]);
    assert_eq!(unbound("右肺结节，长约#，较前（10 mm）增大。"), ["number_unbound"]);
    assert_eq!(unbound("右肺结节，长约#，前次约10 mm。"), ["number_unbound"]);
    assert_eq!(unbound("右肺结节，长约#，距胸膜约4 mm。"), ["number_unbound"]);
    assert_eq!(got("右肺结节，长约#。复述：12.3mm。"), none);
    assert_eq!(got("右肺结节，长约#。长9000mm。")[0].0, "number_implausible");
    // Numbers without a unit, of vertebrae or segments, are none of our business.
    assert_eq!(got("右肺结节，长约#，L4椎体，S3段，共3枚。"), none);
}

#[test]
fn a_phrase_of_normality_against_a_finding() {
    let template = Template::builtin("chest_ct").unwrap();
    let mut doc = Document::from_template(&template, StudyUid::parse("1.2").unwrap(), Lang::Zh);
    doc.blocks.iter_mut().find(|b| b.id == "impression").unwrap().text = "右肺上叶结节。".into();
    let f = finding("f1", 12.3);
    let end = doc.block("findings").unwrap().n_chars();
    let context = CheckContext { template: Some(template.clone()), ..CheckContext::default() };
    let mut by_hand = doc.clone();
    by_hand.apply(&sentence(&f, Lang::Zh).standing_alone().ops("findings", end)).unwrap();
    let got = check(&by_hand, std::slice::from_ref(&f), &context);
    assert_eq!((rules(&got), got[0].field.as_deref()), (vec!["normal_remains"], Some("findings")));
    doc.apply(&place(&doc, &template, &f)).unwrap();
    assert_eq!(check(&doc, &[f], &context), []);
}

#[test]
fn an_impression_that_all_is_normal_against_a_finding() {
    let template = Template::builtin("chest_ct").unwrap();
    let f = finding("f1", 12.3);
    let mut doc = with_number("右肺上叶结节，长约#。", &f);
    doc.blocks[1].text = "胸部CT未见明显异常。".into();
    let context = CheckContext { template: Some(template), ..CheckContext::default() };
    let got = check(&doc, &[f], &context);
    assert_eq!(
        (rules(&got), got[0].field.as_deref(), got[0].span),
        (vec!["normal_remains", "finding_not_concluded"], Some("impression"), Some([0, 10]))
    );
}

#[test]
fn pixels_are_not_millimetres() {
    let mut f = finding("f1", 12.3);
    f.measurements[0].quantity.unit = mj_model::Unit::px();
    assert_eq!(rules(&run(&with_number("右肺结节，长约#。", &f), &[f])), ["uncalibrated"]);
}

#[test]
fn a_huge_report_is_read_over_in_a_moment() {
    let mut doc = document(&"双肺纹理清晰，走行自然，未见明显实变影，约12 mm。\n".repeat(1_500));
    doc.blocks[1].text = "左肺结节。".into();
    let clock = std::time::Instant::now();
    let got = check(&doc, &[], &CheckContext { patient_sex: "M".into(), ..CheckContext::default() });
    assert_eq!(got.iter().filter(|r| r.rule == "number_unbound").count(), 1_500);
    assert!(clock.elapsed() < std::time::Duration::from_secs(5), "{:?}", clock.elapsed());
}

#[test]
fn organs_of_the_other_sex() {
    let sex = |sex: &str, text: &str| {
        let context = CheckContext { patient_sex: sex.into(), ..CheckContext::default() };
        rules(&check_text(text, &context)).contains(&"sex")
    };
    assert!(sex("M", "检查所见：子宫未见异常。\n诊断意见：正常。"));
    assert!(!sex("F", "检查所见：子宫未见异常。\n诊断意见：正常。"));
    assert!(sex("F", "Findings: prostate enlarged.\nImpression: none."));
    assert!(!sex("", "检查所见：前列腺增大。\n诊断意见：正常。"));
}

/// Reports as they are written every day, from which nothing may be wrongly complained of.
#[test]
fn everyday_reports_pass() {
    let chest = "检查所见：\n胸廓对称，纵隔居中。右肺上叶后段见一实性结节，大小约12mm×10mm，边缘毛糙，可见分叶及毛刺，邻近胸膜牵拉凹陷。\
        左肺下叶见条索影。余双肺未见异常密度影。气管及支气管通畅。纵隔内见数枚小淋巴结，短径均小于10mm。双侧胸腔未见积液。心影不大，左心室稍饱满，\
        主动脉壁见钙化。扫及肝左叶见囊状低密度影，直径约1.5cm左右，CT值约8HU。\n\
        诊断意见：\n1.右肺上叶后段实性结节，考虑恶性可能大，建议PET-CT检查；\n2.左肺下叶慢性炎症；\n3.纵隔小淋巴结；\n4.肝左叶囊肿；\n5.主动脉硬化。";
    let kidney = "影像所见：双肾形态、大小正常，左肾上极见类圆形无强化灶，约23 mm×19 mm，边界清。右肾未见异常。前列腺稍大，约48 mm×39 mm×35 mm。\n\
        影像诊断：1、左肾囊肿（Bosniak Ⅰ级）；2、前列腺增生。";
    let english = "FINDINGS: There is a 12 mm solid nodule in the right upper lobe. The left lung is clear. The left ventricle is mildly enlarged. No pleural effusion.\n\
        IMPRESSION:\n1. Right upper lobe nodule, 12 mm. PET-CT is recommended.";
    for (sex, text) in [("M", chest), ("M", kidney), ("F", english)] {
        let got = check_text(text, &CheckContext { patient_sex: sex.into(), ..CheckContext::default() });
        assert_eq!(got, [], "{text}");
    }
}

/// Templates of real departments, as plain text: only what is still to be filled in may be found.
#[test]
fn texts_of_real_departments_raise_no_false_alarm() {
    let Some(folder) = mj_testdata::path("report_templates/plain_uk") else { return };
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let got = check_text(&text, &CheckContext { lang: Some(Lang::En), ..CheckContext::default() });
        let wrong: Vec<_> = got.iter().filter(|r| !matches!(r.rule.as_str(), "unfilled" | "field_empty")).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", file.display());
    }
}

#[test]
fn doubled_words() {
    let doubled = |text: &str| rules(&check_text(text, &CheckContext::default())).contains(&"repeated_word");
    assert!(doubled("未见未见异常。"));
    assert!(doubled("There is is a nodule."));
    assert!(!doubled("往往往上。"));
    assert!(!doubled("12.12 mm"));
}

#[test]
fn the_written_form_is_fixed() {
    let got = run(&document(""), &[]);
    assert_eq!(
        serde_json::to_string(&got).unwrap(),
        r#"[{"rule":"field_empty","severity":"block","field":"impression","span":null,"message":"“诊断意见”未填写。","fix":"填写该栏后再签发。"}]"#
    );
}

#[test]
fn every_rule_passes_its_cases() {
    let run = crate::rules::Rules::builtin().run_cases();
    assert_eq!(run.failed, []);
    assert!(run.cases > 50, "{}", run.cases);
}

/// What every report begins with claims nothing and raises no alarm but for the places left open.
#[test]
fn texts_of_the_templates_pass() {
    for template in Template::all() {
        for lang in [Lang::Zh, Lang::En] {
            let mut doc = Document::from_template(template, StudyUid::parse("1.2").unwrap(), lang);
            for (block, from) in doc.blocks.iter_mut().zip(&template.blocks) {
                if block.text.is_empty() {
                    block.text = from.normal.as_ref().map_or_else(String::new, |normal| normal.get(lang).to_owned());
                }
            }
            let context = CheckContext {
                template: Some(template.clone()),
                patient_sex: "F".into(),
                age_years: Some(40.0),
                ..CheckContext::default()
            };
            let n_open: usize = doc.blocks.iter().map(|block| block.text.matches("____").count()).sum();
            let (open, wrong): (Vec<_>, Vec<_>) = check(&doc, &[], &context).into_iter().partition(|r| r.rule == "unfilled");
            assert_eq!((open.len(), wrong), (n_open, Vec::new()), "{} {lang:?}", template.name);
            assert_eq!(crate::living(&doc, crate::Known::default()), [], "{} {lang:?}", template.name);
        }
    }
}

/// What an accepted nodule of 12.3 mm of the right upper lobe says to sentences that go beyond it or against it.
#[test]
fn sentences_that_say_more_or_something_else() {
    use crate::document::ClaimState;
    let f = finding("f1", 12.3);
    let state = |text: &str| {
        let mut doc = document(text);
        doc.apply(&crate::living(&doc, crate::Known { findings: std::slice::from_ref(&f), priors: &[] })).unwrap();
        doc.marks().map(|(_, m)| m.claim.state).collect::<Vec<_>>()
    };
    assert_eq!(state("右肺上叶结节，约12 mm。"), [ClaimState::Verified]);
    // Nothing earlier was measured; a mass is not what was found; of several, this one does not have that size.
    assert_eq!(state("右肺上叶结节，约12 mm，较前增大。"), [ClaimState::Unsupported]);
    assert_eq!(state("右肺上叶肿块，约12 mm。"), [ClaimState::Unsupported]);
    assert_eq!(state("右肺上叶多发结节，大者约45 mm。"), [ClaimState::Contradicted]);
    assert_eq!(state("Right upper lobe nodule, 45 millimeters."), [ClaimState::Contradicted]);
    assert_eq!(state("Right upper lobe nodule, 1,012 mm."), [ClaimState::Contradicted]);
    let denied = |text: &str| rules(&run(&document(text), std::slice::from_ref(&f))).contains(&"negation");
    assert!(denied("右肺上叶结节已消失。"));
    assert!(denied("The right upper lobe nodule has resolved."));
    assert!(!denied("右肺上叶结节，约12 mm。"));
}
