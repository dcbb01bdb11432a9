//! Numbers that were typed by hand.

use super::text::{places, sentences, to_string};
use super::{Desk, Page};
use crate::document::{Block, BlockKind};
use crate::rules::UnitWords;
use mj_model::{Finding, Measurement};

/// A typed number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Typed<'a> {
    pub span: (usize, usize),
    pub value: f64,
    /// Half of the last typed digit: how exact the number claims to be, in the typed unit.
    pub half_digit: f64,
    pub unit: &'a UnitWords,
}

/// Typed numbers in findings and impression, against what was measured.
pub(super) fn typed(desk: &mut Desk<'_>) {
    let rules = desk.rules;
    let pages = std::rc::Rc::clone(&desk.pages);
    let shown = |page: &&Page<'_>| matches!(page.block.kind, BlockKind::Findings | BlockKind::Impression);
    for page in pages.iter().filter(shown) {
        // Numbers of slots are not typed; blanked, so that they are not read again.
        let mut text = page.plain.clone();
        let places = page.block.plain_places();
        for slot in &page.block.slots {
            let [a, b] = places.span(slot.at, slot.at + 1);
            text.iter_mut().take(b).skip(a).for_each(|c| *c = '\u{1}');
        }
        for span in sentences(&page.plain) {
            let bound = bound_in(desk, page, span);
            for number in numbers(&text, span, &rules.units) {
                judge(desk, page.block, &page.plain, &number, &bound);
            }
        }
    }
}

fn judge(desk: &mut Desk<'_>, block: &Block, text: &[char], number: &Typed<'_>, bound: &[&Finding]) {
    let shown = to_string(text, number.span);
    let place = Some((block, Some([number.span.0, number.span.1])));
    if number.value.abs() > number.unit.max {
        return desk.report("number_implausible", place, &[("shown", &shown)]);
    }
    if number.unit.of == "mm" && follows_volume(text, number.span.0) {
        let known = bound.iter().flat_map(|f| &f.measurements).find(|m| m.quantity.unit == mj_model::Unit::ml());
        let wanted = known.map_or_else(|| "ml".to_owned(), |m| m.quantity.shown());
        return desk.report("unit_differs", place, &[("shown", &shown), ("wanted", &wanted)]);
    }
    let agrees = |finding: &&Finding| finding.measurements.iter().any(|m| is_same(m, number));
    if bound.iter().any(agrees) {
        return;
    }
    let meant = bound.iter().flat_map(|f| &f.measurements).find(|m| is_meant(m, number));
    match meant.filter(|_| !is_other_number(desk, text, number)) {
        Some(measured) => {
            let wanted = measured.quantity.shown();
            desk.report("number_differs", place, &[("shown", &shown), ("wanted", &wanted)]);
        }
        // Elsewhere in the report a number may repeat any measurement of the study.
        None if desk.findings.iter().filter(|f| f.is_live()).any(|f| agrees(&f)) => {}
        // A text from elsewhere has no measurements to be bound to.
        None if desk.document.template.is_empty() => {}
        None => desk.report("number_unbound", place, &[("shown", &shown)]),
    }
}

/// A word for a volume right before a number, which then is no length.
fn follows_volume(text: &[char], at: usize) -> bool {
    let before = to_string(text, (at.saturating_sub(12), at)).to_lowercase();
    let before = before.trim_end_matches([' ', '约', '为', ':', '：']);
    ["体积", "容积", "血肿量", "volume", "volume of", "volume is", "volume approximately"].iter().any(|word| before.ends_with(word))
}

/// True when a typed number looks like that measurement, not like another distance in the same sentence:
/// about as large, or the same digits with another decimal point.
fn is_meant(measured: &Measurement, typed: &Typed<'_>) -> bool {
    let ratio = typed.value * typed.unit.factor / measured.quantity.value;
    let is_near = |wanted: f64| (ratio / wanted - 1.0).abs() < 0.05;
    measured.quantity.unit.0 == typed.unit.of && (ratio > 0.6 && ratio < 1.67 || [0.01, 0.1, 10.0, 100.0].into_iter().any(is_near))
}

/// True for a second diameter (`12.3 × 8 mm`) and for the size at an earlier time (较前, "previously").
fn is_other_number(desk: &Desk<'_>, text: &[char], number: &Typed<'_>) -> bool {
    let before = text.get(..number.span.0).unwrap_or_default();
    let is_cut = |c: &char| matches!(c, '，' | ',' | '。' | '；' | ';' | '\n');
    let clause = before.iter().rposition(is_cut).map_or(before, |at| before.get(at..).unwrap_or_default());
    let is_second = before.iter().rev().find(|c| !c.is_whitespace()).is_some_and(|c| matches!(c, '×' | 'x' | 'X' | '*'));
    is_second || desk.rules.comparison.get(desk.document.lang).iter().any(|word| !places(clause, word).is_empty())
}

fn is_same(measured: &Measurement, typed: &Typed<'_>) -> bool {
    let difference = (measured.quantity.value / typed.unit.factor - typed.value).abs();
    measured.quantity.unit.0 == typed.unit.of && difference <= typed.half_digit * 1.001
}

/// The live findings a stretch of plain text is bound to.
fn bound_in<'a>(desk: &Desk<'a>, page: &Page<'_>, span: (usize, usize)) -> Vec<&'a Finding> {
    page.bound_in(span).into_iter().filter_map(|id| desk.finding(id)).filter(|f| f.is_live()).collect()
}

/// Numbers with a known unit behind them: `12.3 mm`, `1.2cm`, and each factor of `12×8 mm`.
pub(crate) fn numbers<'a>(text: &[char], (start, end): (usize, usize), units: &'a [UnitWords]) -> Vec<Typed<'a>> {
    let mut out = Vec::new();
    let mut at = start;
    while at < end {
        let is_start = text.get(at).is_some_and(char::is_ascii_digit)
            // Neither within a word nor the lower half of a fraction.
            && !at.checked_sub(1).and_then(|i| text.get(i)).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '/')
            || text.get(at).is_some_and(char::is_ascii_digit) && is_factor(text, at);
        let n = if is_start { digits(text, at) } else { 0 };
        if n == 0 {
            at += 1;
            continue;
        }
        if let Some((unit, unit_end)) = unit_behind(text, at + n, units) {
            // Only the number next to its unit is marked together with it.
            let word = to_string(text, (at, at + n)).replace(',', "");
            let decimals = word.split_once('.').map_or(0, |(_, d)| i32::try_from(d.len()).unwrap_or(0));
            if let Ok(value) = word.parse::<f64>() {
                let is_next = unit_end <= at + n + 4;
                let span = (at, if is_next { unit_end } else { at + n });
                out.push(Typed { span, value, half_digit: 0.5 * 10_f64.powi(-decimals), unit });
            }
        }
        at += n;
    }
    out
}

/// The second factor of 2.2x1.7, whose sign is a letter.
fn is_factor(text: &[char], at: usize) -> bool {
    let Some(sign) = at.checked_sub(1).filter(|sign| matches!(text.get(*sign), Some('x' | 'X'))) else { return false };
    sign.checked_sub(1).and_then(|i| text.get(i)).is_some_and(char::is_ascii_digit)
}

/// Length of a decimal number: digits with at most one point between them, thousands parted by commas (1,200).
fn digits(text: &[char], at: usize) -> usize {
    let mut n = 0;
    let mut has_point = false;
    while let Some(&c) = text.get(at + n) {
        let is_point = c == '.' && !has_point && text.get(at + n + 1).is_some_and(char::is_ascii_digit);
        let is_thousands = c == ',' && !has_point && (1..=3).contains(&n) && is_three_digits(text, at + n + 1);
        if !c.is_ascii_digit() && !is_point && !is_thousands {
            break;
        }
        has_point |= is_point;
        n += 1;
    }
    n
}

fn is_three_digits(text: &[char], at: usize) -> bool {
    text.get(at..at + 3).is_some_and(|d| d.iter().all(char::is_ascii_digit)) && !text.get(at + 3).is_some_and(char::is_ascii_digit)
}

/// The unit of a number that ends at `at`, past further factors: `×8 mm`.
fn unit_behind<'a>(text: &[char], mut at: usize, units: &'a [UnitWords]) -> Option<(&'a UnitWords, usize)> {
    let skip_blanks = |at: usize| at + text.iter().skip(at).take_while(|c| **c == ' ' || **c == '\u{2009}' || **c == '\u{A0}').count();
    loop {
        at = skip_blanks(at);
        for unit in units {
            for word in &unit.words {
                let end = at + word.chars().count();
                let is_here = text.get(at..end).is_some_and(|here| here.iter().copied().eq(word.chars()));
                // 268 cm/s is a speed, 12 ml/min a flow.
                let is_rate = text.get(end) == Some(&'/') && text.get(end + 1).is_some_and(char::is_ascii_alphabetic);
                let is_whole = !text.get(end).is_some_and(char::is_ascii_alphabetic) && !is_rate;
                if is_here && is_whole {
                    return Some((unit, end));
                }
            }
        }
        // 3-6 mm, 3 to 6 mm
        let is_to = text.get(at..at + 3).is_some_and(|word| word == ['t', 'o', ' ']);
        if !is_to && !matches!(text.get(at), Some('×' | 'x' | 'X' | '*' | '~' | '～' | '-' | '–')) {
            return None;
        }
        let next = skip_blanks(at + if is_to { 2 } else { 1 });
        let n = digits(text, next);
        if n == 0 {
            return None;
        }
        at = next + n;
    }
}
