//! How fast a long report is read over; a measurement.

#![expect(clippy::unwrap_used, reason = "a measurement")]

use mj_model::code::known;
use mj_model::{Code, Finding, FindingState, Geometry, Lang, Measurement, Quantity, SeriesUid, Side, StudyUid, Unit};
use mj_report::check::CheckContext;
use mj_report::{Document, Known, Op, Template, check, living, sentence};
use std::time::Instant;

/// 200 claims on 20 pages: a sentence of a finding and, around it, what else a page holds.
fn long_report(lang: Lang) -> (Document, Vec<Finding>) {
    let template = Template::builtin("chest_ct").unwrap();
    let study = StudyUid::parse("1.2.3").unwrap();
    let mut document = Document::from_template(&template, study.clone(), lang);
    let mut findings = Vec::new();
    for n in 0..200_u32 {
        let mm = 3.0 + f64::from(n) / 10.0;
        let side = if n % 2 == 0 { Side::Left } else { Side::Right };
        let measurement = Measurement::new("m1".into(), Quantity { what: known::length(), value: mm, unit: Unit::mm() });
        let blank = Finding::new(format!("f{n}"), study.clone(), SeriesUid::parse("1.2.3.4").unwrap(), Geometry::whole_image(), "u1");
        let finding = Finding {
            revision: 1,
            state: FindingState::Accepted,
            kind: Code::new("SCT", "27925004", "Nodule", "结节"),
            site: Some(Code::new("SCT", "45653009", "Upper lobe of lung", "肺上叶")),
            side,
            measurements: vec![measurement],
            ..blank
        };
        let at = document.block("findings").unwrap().n_chars();
        let prose = match lang {
            Lang::Zh => "\n双肺纹理清晰，走行自然，气管及主支气管通畅，纵隔居中，心影不大，胸廓对称，所扫肝脏形态大小正常，密度均匀。",
            Lang::En => {
                "\nThe lungs are otherwise well aerated and the airways are patent. The mediastinum is midline and the heart is of normal size. "
            }
        };
        document.apply(&[Op::Insert { block: "findings".into(), at, text: prose.into() }]).unwrap();
        let ops = sentence(&finding, lang).standing_alone().ops("findings", at + prose.chars().count());
        document.apply(&ops).unwrap();
        findings.push(finding);
    }
    (document, findings)
}

/// All checks of a 20-page report with 200 claims, and what an edit of it has judged anew.
#[test]
#[ignore = "a measurement: cargo xtask bench"]
fn bench_checks_of_two_hundred_claims() {
    for (lang, name) in [(Lang::Zh, "Chinese"), (Lang::En, "English")] {
        let (document, findings) = long_report(lang);
        let context = CheckContext { template: Template::builtin("chest_ct"), ..CheckContext::default() };
        let known = Known { findings: &findings, priors: &[] };
        let time = |work: &dyn Fn() -> usize| {
            let start = Instant::now();
            assert!(work() < 10_000);
            start.elapsed().as_secs_f64() * 1e3
        };
        let checks: Vec<f64> = (0..20).map(|_| time(&|| check(&document, &findings, &context).len())).collect();
        let judged: Vec<f64> = (0..20).map(|_| time(&|| living(&document, known).len())).collect();
        let size = format!("{name}, {} characters, 200 claims, 200 findings", document.plain().chars().count());
        mj_testdata::note("all checks of a report of 20 pages", "mingjing", "ms", &checks, &size);
        mj_testdata::note("claims of a report of 20 pages judged anew", "mingjing", "ms", &judged, &size);
    }
}
