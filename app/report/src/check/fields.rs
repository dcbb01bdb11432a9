//! Rules about the text of single fields.

use super::text::{places, to_string, without};
use super::{Desk, Severity};
use crate::document::{Block, BlockKind};
use mj_model::Lang;

/// Required fields that are empty; of those that the template only expects, the reader is told.
pub(super) fn empty(desk: &mut Desk<'_>) {
    let (document, context) = (desk.document, desk.context);
    let expected = |block: &Block| {
        let of = context.template.iter().flat_map(|template| &template.blocks).find(|from| from.id == block.id);
        !context.is_addendum && of.is_some_and(|from| from.expected)
    };
    for block in document.blocks.iter().filter(|block| block.text.trim().is_empty()) {
        if block.is_required {
            desk.report("field_empty", Some((block, None)), &[]);
        } else if expected(block) {
            desk.report_at_most(Severity::Warn, "field_empty", (block, None), &[]);
        }
    }
}

/// A report without a word, which no required field of its own catches: an addendum, for example.
pub(super) fn nothing(desk: &mut Desk<'_>) {
    let blocks = &desk.document.blocks;
    if blocks.iter().all(|block| !block.is_required && block.text.trim().is_empty()) {
        desk.report("nothing_written", None, &[]);
    }
}

/// Places left open, such as `____`. What the template lets stay open is told and does not block.
pub(super) fn unfilled(desk: &mut Desk<'_>) {
    let (document, rules, template) = (desk.document, desk.rules, desk.context.template.as_ref());
    for block in &document.blocks {
        let mut text: Vec<char> = block.plain().chars().collect();
        for mark in &rules.unfilled.marks {
            let n = mark.chars().count();
            // A longer run of the same mark is one place: what was found is blanked before going on.
            while let Some(&at) = places(&text, mark).first() {
                let last = mark.chars().last();
                let more = text.iter().skip(at + n).take_while(|c| Some(**c) == last).count();
                let span = (at, at + n + more);
                let may = template.is_some_and(|t| t.may_stay_open(&block.id, &line_at(&text, at), document.lang));
                let most = if may { Severity::Warn } else { Severity::Block };
                desk.report_at_most(most, "unfilled", (block, Some([span.0, span.1])), &[("shown", &to_string(&text, span))]);
                text.iter_mut().skip(at).take(n + more).for_each(|c| *c = '\u{1}');
            }
        }
    }
}

/// The line around a place.
fn line_at(text: &[char], at: usize) -> String {
    let start = text.iter().take(at).rposition(|&c| c == '\n').map_or(0, |end| end + 1);
    text.iter().skip(start).take_while(|&&c| c != '\n').collect()
}

/// A Chinese word or sentence piece of two and more characters written twice in a row, or an English word.
pub(super) fn repeated(desk: &mut Desk<'_>) {
    let (document, rules) = (desk.document, desk.rules);
    for block in document.blocks.iter().filter(|b| matches!(b.kind, BlockKind::Findings | BlockKind::Impression)) {
        let text: Vec<char> = without(&block.plain().chars().collect::<Vec<_>>(), &rules.repeated.natural);
        let mut at = 0;
        while at < text.len() {
            let doubled = (2..=12).rev().find(|&n| is_doubled(&text, at, n));
            if let Some(n) = doubled {
                let shown = to_string(&text, (at, at + n));
                desk.report("repeated_word", Some((block, Some([at, at + 2 * n]))), &[("shown", shown.trim())]);
                at += 2 * n;
            } else {
                at += 1;
            }
        }
    }
}

fn is_doubled(text: &[char], at: usize, n: usize) -> bool {
    let (Some(one), Some(two)) = (text.get(at..at + n), text.get(at + n..at + 2 * n)) else { return false };
    if one != two {
        return false;
    }
    let all_han = one.iter().all(|c| ('\u{4E00}'..='\u{9FFF}').contains(c));
    // "the the ": a word with the blank behind it, at the start of a word.
    let starts = at == 0 || text.get(at - 1).is_some_and(|c| c.is_whitespace());
    let word = n > 2 && starts && one.last() == Some(&' ') && one.iter().take(n - 1).all(char::is_ascii_alphabetic);
    all_han || word
}

/// Organs that the patient's sex does not have.
pub(super) fn sex(desk: &mut Desk<'_>) {
    let (document, rules) = (desk.document, desk.rules);
    let (wrong, zh, en) = match desk.context.patient_sex.trim() {
        "M" => (&rules.sex.female, "男", "male"),
        "F" => (&rules.sex.male, "女", "female"),
        _ => return,
    };
    let wanted = if desk.lang == Lang::Zh { zh } else { en };
    let spoken = |block: &&Block| !matches!(block.kind, BlockKind::History);
    for block in document.blocks.iter().filter(spoken) {
        let plain: Vec<char> = block.plain().chars().collect();
        let text = without(&plain, rules.sex.not.get(document.lang));
        for word in wrong.get(document.lang) {
            for at in places(&text, word) {
                let end = at + word.chars().count();
                let shown = to_string(&text, (at, end));
                desk.report("sex", Some((block, Some([at, end]))), &[("shown", &shown), ("wanted", wanted)]);
            }
        }
    }
}
