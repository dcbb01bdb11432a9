//! From accepted findings to a draft: each takes its place in the findings section, and the impression is composed of them
//! by rules that can be read ([`assets/templates/rules/impression.toml`]), most important first, each line with its why.
//!
//! [`assets/templates/rules/impression.toml`]: ../../../assets/templates/rules/impression.toml

use crate::binding::slot_for;
use crate::check::fill;
use crate::claims::judge::Facts;
use crate::claims::{Known, Lexicon, ground};
use crate::document::{BlockKind, Claim, ClaimState, Document, SLOT_CHAR};
use crate::error::{Error, Result};
use crate::op::Op;
use crate::sentence::{Sentence, place, sentence};
use crate::template::{Both, Template};
use mj_model::{Finding, FindingState, Lang, Unit};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

const FILE: &str = include_str!("../../../assets/templates/rules/impression.toml");

#[expect(clippy::expect_used, reason = "part of the program: without it nothing would be checked, and nobody would know")]
static BUILTIN: LazyLock<Vec<Advice>> = LazyLock::new(|| parse(FILE).expect("the advice of the program"));

/// A rule that turns a finding into a line of the impression. The first that fits is taken.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Name.
    pub name: String,
    /// Names of findings in the lexicon; any where empty.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Names of parts of the body in the lexicon that the finding must lie in; any where empty.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Words that one of the names of the finding must hold, lower case; any where empty.
    #[serde(default)]
    pub words: Vec<String>,
    /// Words that none of the names may hold.
    #[serde(default)]
    pub not_words: Vec<String>,
    /// Mean of long and short axis from here. Units: mm.
    #[serde(default)]
    pub from_mm: Option<f64>,
    /// Mean of long and short axis below this. Units: mm.
    #[serde(default)]
    pub below_mm: Option<f64>,
    /// Growth since the earlier examination from here. Units: mm.
    #[serde(default)]
    pub grown_mm: Option<f64>,
    /// Names of templates that it belongs to; any where empty.
    #[serde(default)]
    pub templates: Vec<String>,
    /// The least age of the patient. Units: years.
    #[serde(default)]
    pub from_years: Option<f64>,
    /// How important, 0 to 9.
    pub weight: u8,
    /// What is added to the finding's name; may be empty.
    #[serde(default)]
    pub text: Both,
    /// Why, with its source. Places: {size}, {before}.
    #[serde(default)]
    pub why: Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    advice: Vec<Advice>,
}

fn parse(text: &str) -> Result<Vec<Advice>> {
    toml::from_str::<File>(text).map(|file| file.advice).map_err(|e| Error::BadFile { kind: "rules", why: e.to_string() })
}

/// A line of a composed impression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Id of the finding it rests on.
    pub finding: String,
    /// Name of the rule that made it.
    pub rule: String,
    /// Its text.
    pub text: String,
    /// Why it says so.
    pub why: String,
}

/// A draft: what to do with the document, and what stands in the impression for which reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// The operations; empty when the report speaks of every accepted finding already.
    pub ops: Vec<Op>,
    /// The lines of the impression that were composed.
    pub lines: Vec<Line>,
}

/// What is known of the patient for the rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patient {
    /// Units: years.
    pub age_years: Option<f64>,
}

/// Drafts a report: accepted findings that it does not speak of yet go to their organ's line, and lines of the impression
/// are added for those that the impression does not take up. What stands there stays.
///
/// # Errors
/// As [`Document::apply`], for a document that is damaged.
pub fn draft(document: &Document, template: &Template, known: Known<'_>, patient: Patient) -> Result<Draft> {
    let mut present = document.clone();
    let mut made = Draft::default();
    let accepted = |f: &&Finding| matches!(f.state, FindingState::Accepted | FindingState::Edited) && f.study == document.study;
    for finding in known.findings.iter().filter(accepted) {
        let ops = place(&present, template, finding);
        present.apply(&ops)?;
        made.ops.extend(ops);
    }
    let Some(block) = present.first_of(BlockKind::Impression).map(|b| b.id.clone()) else { return Ok(made) };
    let mut lines: Vec<(u8, f64, &Finding, &Advice, Facts<'_>)> = Vec::new();
    for finding in known.findings.iter().filter(accepted).filter(|f| !is_concluded(&present, &block, f)) {
        let facts = Facts::of(finding, known.priors, Lexicon::builtin());
        let Some(advice) = BUILTIN.iter().find(|advice| advice.fits(&facts, &document.template, patient)) else { continue };
        lines.push((advice.weight, mean_mm(&facts).unwrap_or(0.0), finding, advice, facts));
    }
    lines.sort_by(|a, b| (b.0, b.1).partial_cmp(&(a.0, a.1)).unwrap_or(std::cmp::Ordering::Equal));
    let written: Vec<&str> = present.block(&block)?.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // Who writes without numbers goes on without them.
    let is_numbered = written.iter().all(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let mut n = written.len();
    for (_, _, finding, advice, facts) in lines {
        n += 1;
        let (words, why) = conclusion(finding, advice, &facts, document.lang);
        let at = present.block(&block)?.n_chars();
        let number = if is_numbered { format!("{n}. ") } else { String::new() };
        let lead = format!("{}{number}", if at > 0 { "\n" } else { "" });
        let mut ops: Vec<Op> = Vec::new();
        if !lead.is_empty() {
            ops.push(Op::Insert { block: block.clone(), at, text: lead.clone() });
        }
        ops.extend(words.ops(&block, at + lead.chars().count()));
        present.apply(&ops)?;
        made.ops.extend(ops);
        made.lines.push(Line { finding: finding.id.clone(), rule: advice.name.clone(), text: words.plain(), why });
    }
    Ok(made)
}

fn is_concluded(document: &Document, block: &str, finding: &Finding) -> bool {
    document.block(block).is_ok_and(|b| {
        b.slots.iter().any(|s| s.finding == finding.id) || b.marks.iter().any(|m| m.claim.finding.as_deref() == Some(&finding.id))
    })
}

/// The mean of the two longest lengths, as nodules are judged (Fleischner 2017); the length where there is one.
fn mean_mm(facts: &Facts<'_>) -> Option<f64> {
    let mut lengths = facts.lengths_mm.clone();
    lengths.sort_by(|a, b| b.total_cmp(a));
    match lengths.as_slice() {
        [] => None,
        [one] => Some(*one),
        [long, short, ..] => Some(f64::midpoint(*long, *short)),
    }
}

impl Advice {
    fn fits(&self, facts: &Facts<'_>, template: &str, patient: Patient) -> bool {
        let lexicon = Lexicon::builtin();
        let finding = facts.finding;
        let names: Vec<String> = [Some(&finding.kind), finding.site.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|c| [c.name_zh.to_lowercase(), c.name_en.to_lowercase()])
            .chain(finding.label.iter().map(|l| l.to_lowercase()))
            .collect();
        let holds = |words: &[String]| words.iter().any(|w| names.iter().any(|n| n.contains(w.as_str())));
        let size = mean_mm(facts);
        let longest = facts.lengths_mm.iter().copied().reduce(f64::max);
        let grown = facts.before_mm.and_then(|before| Some(longest? - before));
        (self.kinds.is_empty() || facts.kinds.iter().any(|(id, _)| self.kinds.iter().any(|kind| lexicon.is_kind(id, kind))))
            && (self.sites.is_empty() || facts.places.iter().any(|p| self.sites.iter().any(|s| lexicon.line(p).any(|part| part == s))))
            && (self.words.is_empty() || holds(&self.words))
            && !holds(&self.not_words)
            && self.from_mm.is_none_or(|from| size.is_some_and(|size| size >= from))
            && self.below_mm.is_none_or(|below| size.is_some_and(|size| size < below))
            && self.grown_mm.is_none_or(|by| grown.is_some_and(|grown| grown >= by))
            && (self.templates.is_empty() || self.templates.iter().any(|t| t == template))
            && self.from_years.is_none_or(|from| patient.age_years.is_some_and(|age| age >= from))
    }
}

/// A finding as the impression names it: kind and place, its longest length as a chip, what the rule adds.
fn conclusion(finding: &Finding, advice: &Advice, facts: &Facts<'_>, lang: Lang) -> (Sentence, String) {
    let named = sentence(&Finding { measurements: Vec::new(), ..finding.clone() }, lang).named();
    let longest =
        finding.measurements.iter().filter(|m| m.quantity.unit == Unit::mm()).max_by(|a, b| a.quantity.value.total_cmp(&b.quantity.value));
    let slot = longest.and_then(|m| slot_for(finding, &m.id, 0));
    let mut text = named;
    let mut slots = Vec::new();
    if let Some(slot) = slot {
        text.push_str(if lang == Lang::Zh { "，约" } else { ", " });
        slots.push(crate::document::Slot { at: text.chars().count(), ..slot });
        text.push(SLOT_CHAR);
    }
    let shown = |mm: Option<f64>| mm.map_or_else(|| "—".to_owned(), |mm| format!("{mm:.1} mm"));
    let values = [("size", shown(mean_mm(facts))), ("before", shown(facts.before_mm))];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let added = fill(advice.text.get(lang), &values);
    if !added.is_empty() {
        text.push_str(if lang == Lang::Zh { "；" } else { ". " });
        text.push_str(&added);
    }
    text.push_str(if lang == Lang::Zh { "。" } else { "." });
    let claim = Claim { ground: Some(ground(finding)), ..Claim::bound(finding.id.clone(), ClaimState::Verified) };
    (Sentence::new(text, slots, claim, lang), fill(advice.why.get(lang), &values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use mj_model::StudyUid;

    fn drafted(findings: &[Finding], priors: &[Finding], lang: Lang) -> (Document, Vec<Line>) {
        let template = Template::builtin("chest_ct").unwrap();
        let document = Document::from_template(&template, StudyUid::parse("1.2.3").unwrap(), lang);
        let made = draft(&document, &template, Known { findings, priors }, Patient { age_years: Some(61.0) }).unwrap();
        let mut document = document;
        document.apply(&made.ops).unwrap();
        document.validate().unwrap();
        (document, made.lines)
    }

    #[test]
    fn the_rules_can_be_read_and_speak_both_languages() {
        for advice in parse(FILE).unwrap() {
            assert_eq!(advice.text.zh.is_empty(), advice.text.en.is_empty(), "{}", advice.name);
            assert!(!advice.why.zh.is_empty() && !advice.why.en.is_empty(), "{}", advice.name);
        }
    }

    #[test]
    fn the_most_important_comes_first_and_says_why() {
        let (small, large) = (
            finding("f1", 4.0),
            Finding {
                side: mj_model::Side::Left,
                site: Some(mj_model::Code::new("SCT", "44714003", "Upper lobe of left lung", "左肺上叶")),
                ..finding("f2", 12.0)
            },
        );
        let (document, lines) = drafted(&[small, large], &[], Lang::Zh);
        assert_eq!(lines.iter().map(|l| l.finding.as_str()).collect::<Vec<_>>(), ["f2", "f1"], "{lines:#?}");
        assert!(lines[0].why.contains("Fleischner"), "{lines:#?}");
        let text = document.block("impression").unwrap().plain();
        assert!(text.starts_with("1. ") && text.contains("\n2. "), "{text}");
        // Both sections say nothing that the findings deny, and a second draft adds nothing.
        let template = Template::builtin("chest_ct").unwrap();
        let findings = [finding("f1", 4.0)];
        let (document, _) = drafted(&findings, &[], Lang::En);
        assert!(
            crate::living(&document, Known { findings: &findings, priors: &[] })
                .iter()
                .all(|op| !matches!(op, Op::SetClaim { claim, .. } if claim.state != ClaimState::Verified)),
            "{}",
            document.plain()
        );
        assert_eq!(draft(&document, &template, Known { findings: &findings, priors: &[] }, Patient::default()).unwrap(), Draft::default());
    }

    #[test]
    fn a_draft_can_be_signed_as_it_is() {
        use crate::check::{CheckContext, Severity, check};
        for lang in [Lang::Zh, Lang::En] {
            let findings = [finding("f1", 12.0)];
            let (document, _) = drafted(&findings, &[], lang);
            let context = CheckContext { template: Template::builtin("chest_ct"), ..CheckContext::default() };
            let found = check(&document, &findings, &context);
            assert!(found.iter().all(|c| c.severity == Severity::Info), "{found:?}\n{}", document.plain());
        }
    }

    #[test]
    fn growth_is_said_with_both_sizes() {
        let now = finding("f1", 12.0);
        let before = Finding { id: "f0".into(), study: StudyUid::parse("1.2.9").unwrap(), ..finding("f1", 8.0) };
        let (_, lines) = drafted(std::slice::from_ref(&now), &[before], Lang::En);
        assert!(lines[0].why.contains("8.0 mm"), "{lines:#?}");
    }

    #[test]
    fn every_rule_names_findings_and_places_that_there_are() {
        let lexicon = Lexicon::builtin();
        for advice in BUILTIN.iter() {
            for kind in &advice.kinds {
                assert!(lexicon.rank_of(kind).is_some(), "{}: no finding {kind}", advice.name);
            }
        }
        assert!(BUILTIN.len() > 10);
    }

    #[test]
    fn sizes_are_taken_to_whole_millimetres_where_the_guideline_does() {
        let rule = |mm: f64| drafted(&[finding("f1", mm)], &[], Lang::Zh).1[0].rule.clone();
        let wanted = [
            (5.4, "fleischner_small"),
            (5.6, "fleischner_medium"),
            (8.0, "fleischner_medium"),
            (8.4, "fleischner_medium"),
            (8.6, "fleischner_large"),
        ];
        for (mm, name) in wanted {
            assert_eq!(rule(mm), name, "{mm}");
        }
    }
}
