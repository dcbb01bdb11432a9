//! Dates of earlier examinations in the text.

use super::Desk;
use super::text::{places, sentences, to_string};
use crate::claims::comparable;
use crate::document::BlockKind;

/// English months by their first three letters.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A date in a text with all days that it may mean (`03/04/2025` is read both ways).
#[derive(Debug, Clone, PartialEq)]
struct Written {
    span: (usize, usize),
    readings: Vec<String>,
}

/// Dates that a text compares with, against those of the patient's earlier examinations.
pub(super) fn prior(desk: &mut Desk<'_>) {
    let (document, rules, context) = (desk.document, desk.rules, desk.context);
    if context.prior_dates.is_empty() {
        return;
    }
    let known = |date: &Written| date.readings.iter().any(|r| context.prior_dates.contains(r) || context.study_date.as_ref() == Some(r));
    for block in &document.blocks {
        let text = comparable(&block.plain());
        for span in sentences(&text) {
            let stretch = text.get(span.0..span.1).unwrap_or_default();
            let compares = block.kind == BlockKind::Comparison
                || crate::claims::tells_a_course(stretch)
                || [&rules.prior_date.zh, &rules.prior_date.en].into_iter().flatten().any(|word| !places(stretch, word).is_empty());
            if !compares || matches!(block.kind, BlockKind::History) {
                continue;
            }
            for date in dates(&text, span).iter().filter(|date| !known(date)) {
                let shown = to_string(&text, date.span);
                let wanted = context.prior_dates.join(", ");
                desk.report("prior_date", Some((block, Some([date.span.0, date.span.1]))), &[("shown", &shown), ("wanted", &wanted)]);
            }
        }
    }
}

fn dates(text: &[char], (start, end): (usize, usize)) -> Vec<Written> {
    let mut out = Vec::new();
    let mut at = start;
    while at < end {
        match date_at(text, at, end) {
            Some(date) => {
                at = date.span.1;
                out.push(date);
            }
            None => at += 1,
        }
    }
    out
}

/// A date that begins at a place: 2025-09-01, 2025年9月1日, 2025.9.1, 09/01/2025, Sep 1, 2025, 1 September 2025.
fn date_at(text: &[char], at: usize, end: usize) -> Option<Written> {
    if at > 0 && text.get(at - 1).is_some_and(char::is_ascii_alphanumeric) {
        return None;
    }
    let stretch: String = text.get(at..end.min(at + 24))?.iter().collect();
    let parts = parts(&stretch);
    let [a, b, c, ..] = parts.as_slice() else { return None };
    let span = (at, at + c.end);
    let is_joined = a.gap_after == b.gap_after || matches!((a.gap_after.as_str(), b.gap_after.as_str()), ("年", "月"));
    let is_sign = matches!(a.gap_after.as_str(), "-" | "/" | "." | "年");
    let end_of = |last: &Part| if last.gap_after.starts_with('日') { (at, at + c.end + 1) } else { span };
    match (a.number(), b.number(), c.number(), a.month(), b.month()) {
        (Some(y), Some(m), Some(d), ..) if y >= 1900 && is_joined && is_sign => {
            date(y, m, d).map(|r| Written { span: end_of(c), readings: vec![r] })
        }
        (Some(x), Some(y), Some(year), ..) if year >= 1900 && is_joined && is_sign => {
            let readings: Vec<String> = [date(year, x, y), date(year, y, x)].into_iter().flatten().collect();
            (!readings.is_empty()).then_some(Written { span, readings })
        }
        (Some(d), _, Some(year), _, Some(m)) if year >= 1900 => date(year, m, d).map(|r| Written { span, readings: vec![r] }),
        (_, Some(d), Some(year), Some(m), _) if year >= 1900 => date(year, m, d).map(|r| Written { span, readings: vec![r] }),
        _ => None,
    }
}

/// A number or a word, and what stands between it and the next.
struct Part {
    text: String,
    /// One past its last character, from the start of the stretch.
    end: usize,
    gap_after: String,
}

impl Part {
    fn number(&self) -> Option<u32> {
        (self.text.len() <= 4).then(|| self.text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()).flatten()
    }

    fn month(&self) -> Option<u32> {
        let start = self.text.get(..3)?.to_ascii_lowercase();
        let at = MONTHS.iter().position(|month| *month == start)?;
        u32::try_from(at + 1).ok()
    }
}

fn parts(stretch: &str) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    for (i, c) in stretch.chars().enumerate() {
        if c.is_ascii_alphanumeric() {
            let (n, goes_on) = (out.len(), out.last().is_some_and(|last| last.gap_after.is_empty()));
            match out.last_mut() {
                Some(last) if goes_on => {
                    last.text.push(c);
                    last.end = i + 1;
                }
                _ if n < 3 => out.push(Part { text: c.to_string(), end: i + 1, gap_after: String::new() }),
                _ => break,
            }
        } else if let Some(last) = out.last_mut() {
            last.gap_after.push(c);
        } else {
            break;
        }
    }
    out
}

fn date(year: u32, month: u32, day: u32) -> Option<String> {
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let read = |text: &str| {
            let text = comparable(text);
            dates(&text, (0, text.len()))
                .into_iter()
                .map(|d| (text[d.span.0..d.span.1].iter().collect::<String>(), d.readings))
                .collect::<Vec<_>>()
        };
        for text in ["2025-09-01", "2025年9月1日", "2025.9.1", "2025/09/01", "Sep 1, 2025", "1 September 2025", "September 1st, 2025"] {
            assert_eq!(read(&format!("与{text}片对比")).first().map(|d| d.1.clone()), Some(vec!["2025-09-01".to_owned()]), "{text}");
        }
        assert_eq!(read("on 09/01/2025.")[0].1, ["2025-09-01", "2025-01-09"]);
        assert_eq!(read("2025年9月1日")[0].0, "2025年9月1日");
        assert!(read("12.3 x 8 mm, 10 of 12").is_empty());
    }
}
