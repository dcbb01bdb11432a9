//! Reading a report over: what is missing, out of date, contradictory or implausible.
//!
//! The rules' weights, words and sentences are data ([`crate::rules`]); what they do is here, one function
//! each. A check never changes a report.

mod anchors;
mod case;
mod claims;
mod dates;
mod fields;
pub(crate) mod numbers;
mod sides;
pub(crate) mod text;
mod watch;

use crate::claims::Said;
use crate::claims::living::said_in;
use crate::document::{Block, Document};
use crate::rules::Rules;
use crate::template::Template;
pub use case::{CaseFailure, CasesRun};
use mj_model::{Finding, Lang, Side};
use serde::{Deserialize, Serialize};
pub(crate) use text::fill;

/// Weight of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look again.
    Warn,
    /// The report cannot be signed so.
    Block,
}

impl Severity {
    /// Its name: `info`, `warn`, `block`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// Something a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Name of the rule.
    pub rule: String,
    /// Weight.
    pub severity: Severity,
    /// Id of the field, if it is about one.
    pub field: Option<String>,
    /// Where in the field's plain text (slots as the numbers they show). Units: characters.
    pub span: Option<[usize; 2]>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// True for what a person may sign against by giving a reason, which is kept in the audit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ask: bool,
}

/// Why a person signs against what a rule asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Name of the rule.
    pub rule: String,
    /// In the person's words; kept in the audit.
    pub reason: String,
}

/// What stands against a signature: everything that blocks, except what may be signed against and has a reason.
#[must_use]
pub fn in_the_way(checks: &[CheckResult], reasons: &[Reason]) -> Vec<CheckResult> {
    let has_reason = |check: &CheckResult| check.ask && reasons.iter().any(|r| r.rule == check.rule && !r.reason.trim().is_empty());
    checks.iter().filter(|check| check.severity == Severity::Block && !has_reason(check)).cloned().collect()
}

/// What a check knows besides the document and the findings.
#[derive(Debug, Clone, Default)]
pub struct CheckContext {
    /// Language of messages; the report's own where `None`.
    pub lang: Option<Lang>,
    /// Patient's Sex (0010,0040); empty when not known.
    pub patient_sex: String,
    /// The template the report began from, for the clauses that findings contradict.
    pub template: Option<Template>,
    /// The same lesions at earlier examinations, by Tracking UID.
    pub priors: Vec<Finding>,
    /// Dates of the patient's earlier examinations, `YYYY-MM-DD`; a text's "compared with" must name one of them. Not
    /// checked while empty.
    pub prior_dates: Vec<String>,
    /// Date of the examination itself, `YYYY-MM-DD`.
    pub study_date: Option<String>,
    /// The patient's age at the examination. Units: years.
    pub age_years: Option<f64>,
    /// The patient's own names, each as one text; the check of names needs them.
    pub names: Vec<String>,
    /// Ideographic names of other patients of the station.
    pub other_names: Vec<String>,
    /// The critical results of this examination that somebody was called for, in the words they were marked with.
    pub called: Vec<String>,
    /// True for an addendum: what the report it belongs to says need not be said again.
    pub is_addendum: bool,
    /// The side that was ordered or marked, if one.
    pub ordered_side: Side,
    /// Other rules than those that come with the program.
    pub rules: Option<Rules>,
    /// Why the department's own rules cannot be used, if they cannot.
    pub rules_problem: Option<String>,
}

/// Reads a report over. The heaviest come first, then in the order of the text.
#[must_use]
pub fn check(document: &Document, findings: &[Finding], context: &CheckContext) -> Vec<CheckResult> {
    let rules = context.rules.as_ref().unwrap_or_else(|| Rules::builtin());
    let pages = std::rc::Rc::new(document.blocks.iter().map(Page::of).collect());
    let mut desk = Desk { document, pages, findings, context, rules, lang: context.lang.unwrap_or(document.lang), found: Vec::new() };
    if let Some(why) = &context.rules_problem {
        desk.report("rules_refused", None, &[("shown", why)]);
    }
    fields::empty(&mut desk);
    fields::nothing(&mut desk);
    fields::unfilled(&mut desk);
    fields::repeated(&mut desk);
    fields::sex(&mut desk);
    anchors::slots(&mut desk);
    anchors::unreviewed(&mut desk);
    anchors::normal_remains(&mut desk);
    anchors::normal_whole(&mut desk);
    anchors::uncalibrated(&mut desk);
    if !context.is_addendum {
        anchors::unreported(&mut desk);
    }
    claims::against_findings(&mut desk);
    sides::against_findings(&mut desk);
    sides::within_report(&mut desk);
    claims::within_report(&mut desk);
    sides::against_order(&mut desk);
    claims::between_sections(&mut desk);
    dates::prior(&mut desk);
    watch::words(&mut desk);
    watch::names(&mut desk);
    numbers::typed(&mut desk);
    let order = |field: &Option<String>| document.blocks.iter().position(|b| Some(&b.id) == field.as_ref());
    desk.found.sort_by_key(|r| (std::cmp::Reverse(r.severity), order(&r.field).unwrap_or(usize::MAX), r.span));
    desk.found
}

/// Reads a plain text over: it is taken as a report in the fields its headings name.
#[must_use]
pub fn check_text(text: &str, context: &CheckContext) -> Vec<CheckResult> {
    check(&Document::from_text(text, context.lang), &[], context)
}

/// A field with what is worked out of its text once for all rules.
struct Page<'a> {
    block: &'a Block,
    /// [`Block::plain`], by characters.
    plain: Vec<char>,
    said: Vec<Said>,
    /// Ids of findings with the stretches of the plain text that chips and claims bind to them, in their order.
    bound: Vec<([usize; 2], &'a str)>,
}

impl<'a> Page<'a> {
    fn of(block: &'a Block) -> Self {
        let places = block.plain_places();
        let slots = block.slots.iter().map(|s| (places.span(s.at, s.at + 1), s.finding.as_str()));
        let marks = block.marks.iter().filter_map(|m| Some((places.span(m.start, m.end), m.claim.finding.as_deref()?)));
        let mut bound: Vec<([usize; 2], &str)> = slots.chain(marks).collect();
        bound.sort_unstable();
        Self { block, plain: block.plain().chars().collect(), said: said_in(block), bound }
    }

    /// Ids of the findings that a stretch of the plain text is bound to, each once.
    fn bound_in(&self, (start, end): (usize, usize)) -> Vec<&'a str> {
        let before = self.bound.partition_point(|(span, _)| span[0] < end);
        let touching = self.bound.iter().take(before).filter(|(span, _)| span[1] > start);
        let mut ids: Vec<&str> = touching.map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// What the rules look at, and where they put what they find.
struct Desk<'a> {
    document: &'a Document,
    pages: std::rc::Rc<Vec<Page<'a>>>,
    findings: &'a [Finding],
    context: &'a CheckContext,
    rules: &'a Rules,
    lang: Lang,
    found: Vec<CheckResult>,
}

impl<'a> Desk<'a> {
    fn finding(&self, id: &str) -> Option<&'a Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    /// Puts down what a rule found, in words. `span` is in the field's plain text.
    fn report(&mut self, rule: &str, place: Option<(&Block, Option<[usize; 2]>)>, values: &[(&str, &str)]) {
        self.report_asking(rule, place, values, true);
    }

    /// As [`Desk::report`], with no more weight than that.
    fn report_at_most(&mut self, most: Severity, rule: &str, (block, span): (&Block, Option<[usize; 2]>), values: &[(&str, &str)]) {
        let before = self.found.len();
        self.report(rule, Some((block, span)), values);
        for found in self.found.iter_mut().skip(before) {
            found.severity = found.severity.min(most);
        }
    }

    /// As [`Desk::report`]; `may_ask` is false where the rule blocks for good. Said once is said: what the same rule found in
    /// an overlapping place stays as it is.
    fn report_asking(&mut self, rule: &str, place: Option<(&Block, Option<[usize; 2]>)>, values: &[(&str, &str)], may_ask: bool) {
        let Some(known) = self.rules.rules.get(rule) else { return };
        if place.is_some_and(|(block, span)| span.is_some_and(|span| self.is_told(rule, block, span))) {
            return;
        }
        let title = place.map_or("", |(block, _)| block.title(self.lang));
        let values: Vec<(&str, &str)> = values.iter().copied().chain([("field", title)]).collect();
        self.found.push(CheckResult {
            rule: rule.into(),
            severity: known.severity,
            field: place.map(|(block, _)| block.id.clone()),
            span: place.and_then(|(_, span)| span),
            message: fill(known.message.get(self.lang), &values),
            fix: fill(known.fix.get(self.lang), &values),
            ask: may_ask && known.ask,
        });
    }

    /// True when a rule has found something in an overlapping place already. A clause of normality that remains is a denial.
    fn is_told(&self, rule: &str, block: &Block, [a, b]: [usize; 2]) -> bool {
        let is_same = |other: &str| {
            other == rule
                || (rule.starts_with("negation") && other == "normal_remains")
                || (rule == "number_differs" && other == "unit_differs")
        };
        self.found.iter().any(|r| is_same(&r.rule) && r.field.as_ref() == Some(&block.id) && r.span.is_some_and(|[x, y]| x < b && a < y))
    }

    /// A finding in a few words: kind, side and site.
    fn name_of(&self, finding: &Finding) -> String {
        let kind = finding.kind.name(self.lang);
        let site = finding.site.as_ref().map_or("", |site| site.name(self.lang));
        let names_side =
            site.contains(['左', '右', '双']) || site.to_lowercase().split(' ').any(|w| matches!(w, "left" | "right" | "both"));
        let side = if names_side { "" } else { side_name(finding.side, self.lang) };
        match self.lang {
            Lang::Zh => format!("{side}{site}{kind}"),
            Lang::En => [kind, side, site].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
        }
    }
}

fn side_name(side: Side, lang: Lang) -> &'static str {
    match (side, lang) {
        (Side::Left, Lang::Zh) => "左侧",
        (Side::Right, Lang::Zh) => "右侧",
        (Side::Both, Lang::Zh) => "双侧",
        (Side::Left, Lang::En) => "left",
        (Side::Right, Lang::En) => "right",
        (Side::Both, Lang::En) => "both sides",
        (Side::None, _) => "",
    }
}

#[cfg(test)]
mod tests;
