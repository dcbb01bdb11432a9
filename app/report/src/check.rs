//! Reading a report over: what is missing, out of date, contradictory or implausible.
//!
//! The rules' weights, words and sentences are data ([`crate::rules`]); what they do is here, one function
//! each. A check never changes a report.

mod anchors;
mod fields;
mod numbers;
mod sides;
mod text;

use crate::document::{Block, Document};
use crate::rules::Rules;
use crate::template::Template;
use mj_model::{Finding, Lang};
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
    /// Other rules than those that come with the program.
    pub rules: Option<Rules>,
}

/// Reads a report over. The heaviest come first, then in the order of the text.
#[must_use]
pub fn check(document: &Document, findings: &[Finding], context: &CheckContext) -> Vec<CheckResult> {
    let rules = context.rules.as_ref().unwrap_or_else(|| Rules::builtin());
    let mut desk = Desk { document, findings, context, rules, lang: context.lang.unwrap_or(document.lang), found: Vec::new() };
    fields::empty(&mut desk);
    fields::nothing(&mut desk);
    fields::unfilled(&mut desk);
    fields::repeated(&mut desk);
    fields::sex(&mut desk);
    anchors::slots(&mut desk);
    anchors::claims(&mut desk);
    anchors::unreviewed(&mut desk);
    anchors::normal_remains(&mut desk);
    anchors::normal_whole(&mut desk);
    anchors::uncalibrated(&mut desk);
    anchors::unreported(&mut desk);
    sides::against_findings(&mut desk);
    sides::within_report(&mut desk);
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

/// What the rules look at, and where they put what they find.
struct Desk<'a> {
    document: &'a Document,
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
        let Some(known) = self.rules.rules.get(rule) else { return };
        let title = place.map_or("", |(block, _)| block.title(self.lang));
        let values: Vec<(&str, &str)> = values.iter().copied().chain([("field", title)]).collect();
        self.found.push(CheckResult {
            rule: rule.into(),
            severity: known.severity,
            field: place.map(|(block, _)| block.id.clone()),
            span: place.and_then(|(_, span)| span),
            message: fill(known.message.get(self.lang), &values),
            fix: fill(known.fix.get(self.lang), &values),
        });
    }

    /// A finding in a few words: kind and site.
    fn name_of(&self, finding: &Finding) -> String {
        let kind = finding.kind.name(self.lang);
        match (&finding.site, self.lang) {
            (Some(site), Lang::Zh) => format!("{}{kind}", site.name_zh),
            (Some(site), Lang::En) => format!("{kind}, {}", site.name_en),
            (None, _) => kind.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
