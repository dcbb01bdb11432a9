//! How well sentences of radiologists are read: claims against those that their authors meant, and seeded errors against
//! what the checks say. The sentences lie in `tests/sentences`; those of `independent.jsonl` were written by people who
//! knew neither the rules nor the lexicon, after both were frozen. Read as both were then: claims with precision 0.844 and
//! recall 0.841, wrong sides caught 0.958 with precision 0.939 (168 reports, 787 claims).

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test that tells its figures")]

use mj_model::code::known;
use mj_model::{Code, Finding, FindingState, Geometry, Lang, Measurement, Quantity, SeriesUid, Side, StudyUid, Unit};
use mj_report::check::CheckContext;
use mj_report::claims::{Lexicon, Presence, Said, said};
use mj_report::rules::Rules;
use mj_report::{Block, BlockKind, CheckResult, Document, check};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Item {
    id: String,
    lang: Lang,
    context: Context,
    findings: String,
    impression: String,
    claims: Vec<Meant>,
    errors: Vec<Seeded>,
}

#[derive(Deserialize)]
struct Context {
    sex: String,
    age: Option<f64>,
    study_date: String,
    prior_date: Option<String>,
    findings: Vec<Truth>,
}

#[derive(Deserialize)]
struct Truth {
    key: String,
    kind: String,
    site: String,
    side: Side,
    long_mm: Option<f64>,
    short_mm: Option<f64>,
    volume_ml: Option<f64>,
    prior_long_mm: Option<f64>,
}

/// A claim as its author meant it.
#[derive(Deserialize)]
struct Meant {
    #[serde(rename = "in")]
    section: String,
    what: String,
    at: usize,
    site: Option<String>,
    side: Side,
    presence: Presence,
    sizes_mm: Vec<f64>,
    change: String,
}

#[derive(Deserialize)]
struct Seeded {
    kind: String,
    #[serde(rename = "in")]
    section: String,
    words: String,
}

/// True positives, what was found, what was there.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    right: usize,
    found: usize,
    meant: usize,
}

impl Score {
    fn precision(self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }

    fn recall(self) -> f64 {
        self.right as f64 / self.meant.max(1) as f64
    }
}

fn items(file: &str) -> Vec<Item> {
    let path = format!("{}/tests/sentences/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).map_err(|e| format!("{e}: {l}")).unwrap()).collect()
}

fn finding(truth: &Truth, mm: Option<f64>, study: &str) -> Finding {
    let named = |name: &str| Code::new("99MJ", name, name, name);
    let number = |id: &str, what: Code, value: f64, unit: Unit| Measurement::new(id.into(), Quantity { what, value, unit });
    let mut measurements = Vec::new();
    measurements.extend(mm.map(|mm| number("m1", known::long_axis(), mm, Unit::mm())));
    measurements.extend(truth.short_mm.map(|mm| number("m2", known::short_axis(), mm, Unit::mm())));
    measurements.extend(truth.volume_ml.map(|ml| number("m3", known::volume(), ml, Unit::ml())));
    let study = StudyUid::parse(study).unwrap();
    let blank = Finding::new(truth.key.clone(), study, SeriesUid::parse("2.25.3").unwrap(), Geometry::whole_image(), "author");
    Finding {
        tracking_uid: mj_model::uid::TrackingUid::parse(&format!("2.25.{}", 1000 + truth.key.bytes().map(u32::from).sum::<u32>())).unwrap(),
        revision: 1,
        state: FindingState::Accepted,
        kind: named(&truth.kind),
        site: (!truth.site.is_empty()).then(|| named(&truth.site)),
        side: truth.side,
        measurements,
        ..blank
    }
}

fn checks(item: &Item) -> Vec<CheckResult> {
    let block = |id: &str, kind, text: &str| Block { text: text.into(), ..Block::new(id, id, id, kind) };
    let document = Document {
        id: item.id.clone(),
        study: StudyUid::parse("2.25.1").unwrap(),
        template: String::new(),
        lang: item.lang,
        revision: 0,
        blocks: vec![block("findings", BlockKind::Findings, &item.findings), block("impression", BlockKind::Impression, &item.impression)],
    };
    let truths = &item.context.findings;
    let now: Vec<Finding> = truths.iter().map(|t| finding(t, t.long_mm, "2.25.1")).collect();
    let priors: Vec<Finding> = truths.iter().filter(|t| t.prior_long_mm.is_some()).map(|t| finding(t, t.prior_long_mm, "2.25.2")).collect();
    let context = CheckContext {
        lang: Some(Lang::En),
        patient_sex: item.context.sex.clone(),
        age_years: item.context.age,
        study_date: Some(item.context.study_date.clone()),
        prior_dates: item.context.prior_date.iter().cloned().collect(),
        priors,
        ..CheckContext::default()
    };
    check(&document, &now, &context)
}

/// The kinds of error that a rule catches.
fn kind_of(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "side" | "side_conflict" => "side",
        "sex" => "sex",
        "unit_differs" | "number_implausible" => "unit",
        "number_differs" => "number",
        "negation" | "negation_conflict" | "normal_remains" => "negation",
        "prior_date" => "prior_date",
        _ => return None,
    })
}

fn text<'a>(item: &'a Item, section: &str) -> &'a str {
    if section == "findings" { &item.findings } else { &item.impression }
}

/// Where words stand in a text for the n-th time, in characters.
fn place(text: &str, words: &str, nth: usize) -> Option<(usize, usize)> {
    let byte = text.match_indices(words).nth(nth.max(1) - 1)?.0;
    let start = text[..byte].chars().count();
    Some((start, start + words.chars().count()))
}

fn touches(a: (usize, usize), b: (usize, usize)) -> bool {
    a.0 < b.1 && b.0 < a.1
}

/// Why a claim that was read is not the one that was meant; empty when it is.
fn differences(item: &Item, meant: &Meant, got: &Said) -> Vec<String> {
    let text = text(item, &meant.section);
    let mut out = Vec::new();
    if got.presence != meant.presence {
        out.push(format!("presence {:?} for {:?}", got.presence, meant.presence));
    }
    if got.side != meant.side {
        out.push(format!("side {:?} for {:?}", got.side, meant.side));
    }
    let mut sizes: Vec<f64> = got.sizes.iter().map(|s| s.mm).collect();
    let mut wanted = meant.sizes_mm.clone();
    sizes.sort_by(f64::total_cmp);
    wanted.sort_by(f64::total_cmp);
    if sizes.len() != wanted.len() || sizes.iter().zip(&wanted).any(|(a, b)| (a - b).abs() > 0.051) {
        out.push(format!("sizes {sizes:?} for {wanted:?}"));
    }
    let change = got.change.map_or("none".to_owned(), |c| format!("{c:?}").to_lowercase());
    if change != meant.change {
        out.push(format!("change {change} for {}", meant.change));
    }
    if let (Some(site), Some(at)) = (&meant.site, got.at) {
        let anywhere = (1..=9).filter_map(|n| place(text, site, n)).any(|s| touches(s, at));
        if !anywhere {
            out.push(format!("site {:?} for {:?}", text.chars().skip(at.0).take(at.1 - at.0).collect::<String>(), site));
        }
    }
    out
}

/// Scores the claims of an item; says what is missed.
fn score_claims(item: &Item, score: &mut Score, log: &mut Vec<String>) {
    for section in ["findings", "impression"] {
        let read = said(text(item, section), Lexicon::builtin(), &Rules::builtin().units);
        let meant: Vec<&Meant> = item.claims.iter().filter(|c| c.section == section).collect();
        let mut used = vec![false; read.len()];
        score.found += read.len();
        score.meant += meant.len();
        for claim in meant {
            let Some(at) = place(text(item, section), &claim.what, claim.at) else {
                log.push(format!("{}: {:?} does not stand in the text", item.id, claim.what));
                continue;
            };
            let hit = read.iter().enumerate().find(|(i, s)| !used[*i] && touches(s.what, at));
            match hit {
                None => log.push(format!("{} MISSED {:?} in {:?}", item.id, claim.what, text(item, section))),
                Some((i, got)) => {
                    used[i] = true;
                    let wrong = differences(item, claim, got);
                    score.right += usize::from(wrong.is_empty());
                    if !wrong.is_empty() {
                        log.push(format!("{} WRONG {:?}: {} in {:?}", item.id, claim.what, wrong.join("; "), text(item, section)));
                    }
                }
            }
        }
        for (i, got) in read.iter().enumerate().filter(|(i, _)| !used[*i]) {
            let words: String = text(item, section).chars().skip(got.what.0).take(got.what.1 - got.what.0).collect();
            log.push(format!("{} EXTRA {:?} ({}, {:?}) #{i} in {:?}", item.id, words, got.kind, got.presence, text(item, section)));
        }
    }
}

/// Scores the seeded errors of an item by kind; an alarm of a kind that was not seeded is a false one.
fn score_errors(item: &Item, scores: &mut BTreeMap<&'static str, Score>, log: &mut Vec<String>) {
    let found = checks(item);
    for kind in ["side", "sex", "unit", "number", "negation", "prior_date"] {
        let score = scores.entry(kind).or_default();
        let seeded = item.errors.iter().find(|e| e.kind == kind);
        let alarm = found.iter().find(|c| kind_of(&c.rule) == Some(kind));
        score.meant += usize::from(seeded.is_some());
        score.found += usize::from(alarm.is_some());
        score.right += usize::from(seeded.is_some() && alarm.is_some());
        match (seeded, alarm) {
            (Some(e), None) => log.push(format!(
                "{} NOT CAUGHT {kind} {:?} ({}): {:?} / {:?} {:?} {:#?}",
                item.id,
                e.words,
                e.section,
                item.findings,
                item.impression,
                item.context.findings.iter().map(|t| (&t.kind, &t.site, t.side, t.long_mm, t.short_mm)).collect::<Vec<_>>(),
                said(&item.impression, Lexicon::builtin(), &Rules::builtin().units)
                    .iter()
                    .map(|s| (&s.kind, &s.family, &s.wheres))
                    .collect::<Vec<_>>()
            )),
            (None, Some(a)) => {
                log.push(format!("{} FALSE ALARM {kind}: {} {:?} / {:?}", item.id, a.message, item.findings, item.impression))
            }
            _ => {}
        }
    }
}

struct Figures {
    items: usize,
    claims: Score,
    errors: BTreeMap<&'static str, Score>,
}

fn figures(file: &str) -> Figures {
    let (mut claims, mut errors, mut log) = (Score::default(), BTreeMap::new(), Vec::new());
    let items = items(file);
    for item in &items {
        score_claims(item, &mut claims, &mut log);
        score_errors(item, &mut errors, &mut log);
    }
    let figures = Figures { items: items.len(), claims, errors };
    eprintln!("{file}: {}", figures.told());
    if std::env::var_os("MINGJING_SENTENCES").is_some() {
        log.iter().for_each(|line| eprintln!("{line}"));
    }
    figures
}

impl Figures {
    fn told(&self) -> String {
        let c = self.claims;
        let head = format!("{} items, {} claims: precision {:.3}, recall {:.3}", self.items, c.meant, c.precision(), c.recall());
        let errors = self
            .errors
            .iter()
            .map(|(kind, s)| format!("{kind} {} seeded: caught {:.3}, precision {:.3}", s.meant, s.recall(), s.precision()));
        [head].into_iter().chain(errors).collect::<Vec<_>>().join("; ")
    }
}

#[test]
fn sentences_that_the_rules_were_made_with() {
    let figures = figures("known.jsonl");
    assert!(figures.claims.precision() >= 0.91 && figures.claims.recall() >= 0.90, "{}", figures.told());
    let side = figures.errors["side"];
    assert!(side.recall() >= 0.95 && side.precision() >= 0.98, "{}", figures.told());
}

/// Reported alone. The bounds only notice when reading gets worse; the figures themselves are what is told.
#[test]
fn sentences_that_were_written_after_the_rules() {
    let figures = figures("independent.jsonl");
    assert!(figures.claims.precision() >= 0.84 && figures.claims.recall() >= 0.84, "{}", figures.told());
}
