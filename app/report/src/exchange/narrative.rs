//! The text of a field as XHTML whose sentences link to what was measured.
//!
//! Source: FHIR R4 §2.4 (Narrative); the idea of linked sentences is IHE's Interactive Multimedia Report.

use super::plain;
use crate::document::Block;
use std::collections::BTreeMap;

/// A field as XHTML: paragraphs by line; a sentence that speaks of a finding is a link to its resource, further findings of
/// the same sentence follow as numbers. `links` are addresses by the id of the finding.
pub(crate) fn xhtml(block: &Block, links: &BTreeMap<&str, String>) -> String {
    let anchors = anchors(block);
    let mut out = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    let mut at = 0;
    for line in block.plain().split('\n') {
        out.push_str("<p>");
        for sentence in sentences(line) {
            let end = at + sentence.chars().count();
            let mut found: Vec<&String> = Vec::new();
            for (_, _, finding) in anchors.iter().filter(|(from, to, _)| *from < end && *to > at) {
                found.extend(links.get(finding).filter(|link| !found.contains(link)));
            }
            out.push_str(&linked(sentence, &found));
            at = end;
        }
        out.push_str("</p>");
        at += 1;
    }
    out.push_str("</div>");
    out
}

/// Places in the plain text that speak of a finding: chips and marks. Units: characters.
fn anchors(block: &Block) -> Vec<(usize, usize, &str)> {
    let chips = block.slots.iter().map(|slot| (block.plain_span(slot.at, slot.at + 1), slot.finding.as_str()));
    let marks = block.marks.iter().filter_map(|mark| Some((block.plain_span(mark.start, mark.end), mark.claim.finding.as_deref()?)));
    chips.chain(marks).map(|([from, to], finding)| (from, to, finding)).collect()
}

/// A line cut behind the ends of its sentences; joined again it is the line.
fn sentences(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let end = ["。", "；", "！", "？", ". ", "; "].iter().filter_map(|stop| Some(rest.find(stop)? + stop.len())).min();
        let (sentence, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        found.push(sentence);
        rest = after;
    }
    found
}

fn linked(sentence: &str, links: &[&String]) -> String {
    let words = escape(sentence);
    let Some((first, others)) = links.split_first() else { return words };
    let more = others.iter().enumerate().map(|(i, link)| format!(" <a href=\"{}\">[{}]</a>", escape(link), i + 2));
    format!("<a href=\"{}\">{words}</a>{}", escape(first), more.collect::<String>())
}

/// Text as XML character data and attribute value.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace('\u{2009}', " ").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// All fields that have text, with their titles.
pub(crate) fn whole(title: &str, fields: &[(String, String)]) -> String {
    let mut out = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><h2>{}</h2>", escape(title));
    for (title, text) in fields {
        out.push_str(&format!("<h3>{}</h3>{}", escape(title), text.replace(" xmlns=\"http://www.w3.org/1999/xhtml\"", "")));
    }
    out.push_str("</div>");
    out
}

/// True when a field has anything to say.
pub(crate) fn has_text(block: &Block) -> bool {
    !plain(&block.plain()).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{BlockKind, SLOT_CHAR, Slot, SlotState};

    #[test]
    fn the_sentence_with_the_number_links_and_no_other() {
        let mut block = Block::new("f", "所见", "Findings", BlockKind::Findings);
        block.text = format!("肝脏 <正常>。结节长{SLOT_CHAR}，光滑。余 & 无殊。");
        let at = block.text.chars().position(|c| c == SLOT_CHAR).unwrap();
        block.slots.push(Slot {
            id: "s".into(),
            at,
            finding: "f1".into(),
            measurement: "m1".into(),
            finding_revision: 1,
            shown: "12.3\u{2009}mm".into(),
            state: SlotState::Verified,
        });
        let links = BTreeMap::from([("f1", "Observation/x".to_owned())]);
        assert_eq!(
            xhtml(&block, &links),
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>肝脏 &lt;正常&gt;。<a href=\"Observation/x\">结节长12.3 mm，光滑。</a>余 &amp; 无殊。</p></div>"
        );
    }

    #[test]
    fn a_decimal_point_ends_no_sentence() {
        assert_eq!(sentences("A nodule of 12.3 mm. Stable."), ["A nodule of 12.3 mm. ", "Stable."]);
    }
}
