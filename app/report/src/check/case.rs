//! Running the test cases that stand beside the rules.

use super::{CheckContext, check};
use crate::binding::insert_number;
use crate::document::{Block, BlockKind, Document};
use crate::op::Op;
use crate::rules::{Case, CaseFinding, Rules};
use crate::template::Template;
use mj_model::code::known;
use mj_model::uid::TrackingUid;
use mj_model::{Code, Finding, FindingState, Geometry, Lang, Measurement, Quantity, SeriesUid, StudyUid, Unit};

/// A test case that a rule does not pass.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CaseFailure {
    /// Name of the rule.
    pub rule: String,
    /// Which of its cases, from 1; 0 for a rule that has none.
    pub case: usize,
    /// The words that it should have pointed at; `None` where it should have said nothing.
    pub wanted: Option<String>,
    /// What it pointed at.
    pub got: Vec<String>,
}

/// What came of the test cases of a set of rules.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CasesRun {
    /// How many cases were run.
    pub cases: usize,
    /// Those that failed, and rules without a case.
    pub failed: Vec<CaseFailure>,
}

impl Rules {
    /// Runs the test case of every rule. A rule without one counts as failed.
    #[must_use]
    pub fn run_cases(&self) -> CasesRun {
        let mut run = CasesRun { cases: 0, failed: Vec::new() };
        for (name, rule) in &self.rules {
            if rule.cases.is_empty() {
                run.failed.push(CaseFailure { rule: name.clone(), case: 0, wanted: None, got: Vec::new() });
            }
            for (i, case) in rule.cases.iter().enumerate() {
                run.cases += 1;
                let got = self.points_at(name, case);
                let passes = match &case.found {
                    None => got.is_empty(),
                    Some(words) => got.iter().any(|g| g == words),
                };
                if !passes {
                    run.failed.push(CaseFailure { rule: name.clone(), case: i + 1, wanted: case.found.clone(), got });
                }
            }
        }
        run
    }

    /// The words that a rule points at in the report of a case.
    fn points_at(&self, rule: &str, case: &Case) -> Vec<String> {
        let (document, findings, priors) = report_of(case);
        let context = CheckContext {
            patient_sex: case.sex.clone(),
            age_years: case.age_years,
            names: case.name.iter().cloned().collect(),
            prior_dates: case.prior_date.iter().cloned().collect(),
            ordered_side: case.ordered_side,
            template: case.template.as_deref().and_then(Template::builtin),
            priors,
            rules_problem: case.rules_problem.clone(),
            rules: Some(self.clone()),
            ..CheckContext::default()
        };
        let words = |result: &super::CheckResult| match (&result.field, result.span) {
            (Some(field), Some([a, b])) => {
                document.block(field).map_or_else(|_| String::new(), |block| block.plain().chars().skip(a).take(b - a).collect())
            }
            _ => String::new(),
        };
        check(&document, &findings, &context).iter().filter(|r| r.rule == rule).map(words).collect()
    }
}

/// The report of a case with the findings of its study and those of an earlier one.
fn report_of(case: &Case) -> (Document, Vec<Finding>, Vec<Finding>) {
    let text = format!("{}{}", case.findings, case.impression);
    let lang = case.lang.unwrap_or_else(|| if text.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)) { Lang::Zh } else { Lang::En });
    let block = |id: &str, kind: BlockKind, text: &str| Block {
        is_required: !case.optional,
        text: text.replace('#', ""),
        ..Block::new(id, "栏", "Field", kind)
    };
    let mut document = Document {
        id: "case".into(),
        study: study("2.25.1"),
        template: case.template.clone().unwrap_or_else(|| "case".into()),
        lang,
        revision: 0,
        blocks: vec![block("findings", BlockKind::Findings, &case.findings), block("impression", BlockKind::Impression, &case.impression)],
    };
    let Some(about) = &case.finding else { return (document, Vec::new(), Vec::new()) };
    let now = finding(about, about.long_mm, 2);
    if let Some(at) = case.findings.chars().position(|c| c == '#') {
        let before = Finding { state: FindingState::Accepted, ..finding(about, about.chip_mm.unwrap_or(about.long_mm), 1) };
        let ops = if about.drafted {
            crate::sentence(&before, lang).ops("findings", at)
        } else {
            insert_number("findings", at, &before, "m1").into_iter().collect::<Vec<Op>>()
        };
        // A case whose chip does not fit its text then fails, which is what it is for.
        let _fits = document.apply(&ops);
    }
    let earlier = about.before_mm.map(|mm| Finding { study: study("2.25.2"), id: "before".into(), ..finding(about, mm, 1) });
    (document, vec![now], earlier.into_iter().collect())
}

fn study(uid: &str) -> StudyUid {
    StudyUid::parse(uid).unwrap_or_else(|_not_a_uid| StudyUid::fresh())
}

fn finding(about: &CaseFinding, mm: f64, revision: u32) -> Finding {
    let unit = if mm < 0.0 { Unit::px() } else { Unit::mm() };
    let measurement = Measurement::new("m1".into(), Quantity { what: known::length(), value: mm.abs(), unit });
    let named = |name: &str| Code::new("99MJ", name, name, name);
    let series = SeriesUid::parse("2.25.3").unwrap_or_else(|_not_a_uid| SeriesUid::fresh());
    Finding {
        tracking_uid: TrackingUid::parse("2.25.4").unwrap_or_else(|_not_a_uid| TrackingUid::fresh()),
        revision,
        state: about.state.unwrap_or(FindingState::Accepted),
        kind: named(&about.kind),
        site: (!about.site.is_empty()).then(|| named(&about.site)),
        side: about.side,
        measurements: vec![measurement],
        ..Finding::new("case".into(), study("2.25.1"), series, Geometry::whole_image(), "case")
    }
}
