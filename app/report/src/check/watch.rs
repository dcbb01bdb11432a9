//! Words that a rule watches for, as data: abbreviations that are read wrongly, what does not fit the patient's age, results
//! that somebody must be called for, names of other patients.

use super::text::{places, sentences, to_string};
use super::{Desk, Page};
use crate::claims::{Presence, comparable};
use crate::document::BlockKind;
use crate::rules::Watch;

/// Everything that the watch list of the rules finds.
pub(super) fn words(desk: &mut Desk<'_>) {
    let rules = desk.rules;
    let pages = std::rc::Rc::clone(&desk.pages);
    let watches: Vec<&Watch> = rules.watch.iter().filter(|watch| applies(desk, watch)).collect();
    let speaks = |page: &&Page<'_>| !matches!(page.block.kind, BlockKind::History | BlockKind::Technique | BlockKind::Comparison);
    for page in pages.iter().filter(speaks) {
        let (block, text) = (page.block, comparable(&page.block.plain()));
        let denied: Vec<(usize, usize)> = page.said.iter().filter(|s| s.presence == Presence::Absent).map(|s| s.what).collect();
        for watch in &watches {
            let denied: &[(usize, usize)] = if watch.stated { &denied } else { &[] };
            for span in watched(&text, denied, watch) {
                let shown = to_string(&text, span);
                // A call settles the result it was about, not others of the same examination.
                let is_told = |what: &String| what.to_lowercase().contains(&shown.to_lowercase()) || shown.contains(what.as_str());
                if watch.until_called && desk.context.called.iter().any(is_told) {
                    continue;
                }
                let age = desk.context.age_years.map_or_else(String::new, |age| format!("{age:.0}"));
                desk.report(&watch.rule, Some((block, Some([span.0, span.1]))), &[("shown", &shown), ("wanted", &age)]);
            }
        }
    }
}

fn applies(desk: &Desk<'_>, watch: &Watch) -> bool {
    let by_age = watch.from_years.is_some() || watch.to_years.is_some();
    let fits = |age: f64| watch.from_years.is_none_or(|from| age >= from) && watch.to_years.is_none_or(|to| age <= to);
    !by_age || desk.context.age_years.is_some_and(fits)
}

fn watched(text: &[char], denied: &[(usize, usize)], watch: &Watch) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (start, end) in sentences(text) {
        let sentence = text.get(start..end).unwrap_or_default();
        let spoken = |word: &String| !places(sentence, word).is_empty();
        if watch.unless.zh.iter().chain(&watch.unless.en).any(spoken) {
            continue;
        }
        for word in watch.words.zh.iter().chain(&watch.words.en) {
            let length = word.chars().count();
            for at in places(sentence, word).into_iter().map(|at| start + at) {
                let span = (at, at + length);
                let is_whole = !watch.exact || is_exact(text, span, word);
                let is_free = !out.iter().chain(denied).any(|(a, b)| span.0 < *b && span.1 > *a);
                if is_whole && is_free {
                    out.push(span);
                }
            }
        }
    }
    out
}

/// An abbreviation stands alone, and in its own case.
fn is_exact(text: &[char], (start, end): (usize, usize), word: &str) -> bool {
    let is_letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(char::is_ascii_alphanumeric);
    to_string(text, (start, end)) == word && !is_letter(start.checked_sub(1)) && !is_letter(Some(end))
}

/// A name behind a label (姓名：…) that is not the patient's, and whole names of other patients of this station.
pub(super) fn names(desk: &mut Desk<'_>) {
    let (document, rules, context) = (desk.document, desk.rules, desk.context);
    for block in &document.blocks {
        let text = comparable(&block.plain());
        let mut found: Vec<(usize, usize)> = Vec::new();
        for name in context.other_names.iter().filter(|name| name.chars().count() >= 3) {
            found.extend(places(&text, name).into_iter().map(|at| (at, at + name.chars().count())));
        }
        if !context.names.is_empty() {
            let labels = rules.name_labels.zh.iter().chain(&rules.name_labels.en);
            found.extend(labels.flat_map(|label| labelled(&text, label)).filter(|span| !is_own(&to_string(&text, *span), &context.names)));
        }
        for span in found {
            desk.report("patient_name", Some((block, Some([span.0, span.1]))), &[("shown", &to_string(&text, span))]);
        }
    }
}

/// The names behind a label and its colon.
fn labelled(text: &[char], label: &str) -> Vec<(usize, usize)> {
    let length = label.chars().count();
    let is_name = |c: &char| c.is_alphabetic() || matches!(c, ' ' | '^' | '-' | '\'' | '·');
    let name = |at: usize| {
        let start = at + length;
        let colon = text.iter().skip(start).position(|c| *c == ':').filter(|gap| *gap <= 1)?;
        let skip = text.iter().skip(start + colon + 1).take_while(|c| **c == ' ').count();
        let from = start + colon + 1 + skip;
        let n = text.iter().skip(from).take(30).take_while(|c| is_name(c)).count();
        (n >= 2).then_some((from, from + n))
    };
    places(text, label).into_iter().filter_map(name).collect()
}

/// The order of the parts of a name and the signs between them do not matter.
fn is_own(name: &str, own: &[String]) -> bool {
    let parts = |text: &str| {
        text.to_lowercase().split(|c: char| !c.is_alphabetic()).filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let said = parts(name);
    own.iter().any(|own| {
        let own = parts(own);
        own.concat() == said.concat() || said.iter().all(|part| own.contains(part))
    })
}
