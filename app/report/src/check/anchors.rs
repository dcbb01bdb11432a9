//! Rules about slots, claims and the findings behind them.

use super::Desk;
use super::text::to_string;
use crate::document::SlotState;
use crate::sentence::denied_clause;
use mj_model::FindingState;

/// Numbers whose measurement has moved on or is gone.
pub(super) fn slots(desk: &mut Desk<'_>) {
    let document = desk.document;
    for (block, slot) in document.slots() {
        let span = Some(block.plain_span(slot.at, slot.at + 1));
        let finding = desk.finding(&slot.finding);
        let present = finding.filter(|f| f.is_live()).and_then(|f| f.measurement(&slot.measurement)).map(|m| m.quantity.shown());
        match present {
            None => desk.report("slot_gone", Some((block, span)), &[("shown", &slot.shown)]),
            Some(_) if slot.state == SlotState::Gone => desk.report("slot_gone", Some((block, span)), &[("shown", &slot.shown)]),
            // A later revision that left this number alone (a moved label, an accepted proposal) is no harm.
            Some(now) if now != slot.shown || slot.state == SlotState::Stale => {
                desk.report("slot_stale", Some((block, span)), &[("shown", &slot.shown), ("wanted", &now)]);
            }
            Some(_) => {}
        }
    }
}

/// Text that rests on what nobody has reviewed, and proposals nobody has looked at.
pub(super) fn unreviewed(desk: &mut Desk<'_>) {
    let document = desk.document;
    let proposed: Vec<_> = desk.findings.iter().filter(|f| f.state == FindingState::Proposed).collect();
    let mut n_unread = 0_usize;
    for finding in proposed {
        let slot = document.slots().find(|(_, s)| s.finding == finding.id).map(|(b, s)| (b, s.at, s.at + 1));
        let mark = document.marks().find(|(_, m)| m.claim.finding.as_deref() == Some(&finding.id)).map(|(b, m)| (b, m.start, m.end));
        let name = desk.name_of(finding);
        match mark.or(slot) {
            Some((block, start, end)) => {
                desk.report("finding_unreviewed", Some((block, Some(block.plain_span(start, end)))), &[("wanted", &name)]);
            }
            None => n_unread += 1,
        }
    }
    if n_unread > 0 {
        desk.report("finding_unread", None, &[("count", &n_unread.to_string())]);
    }
}

/// Clauses of normality that a finding of the report makes untrue.
pub(super) fn normal_remains(desk: &mut Desk<'_>) {
    let (document, context) = (desk.document, desk.context);
    let Some(template) = &context.template else { return };
    let findings = desk.findings;
    for finding in findings {
        if !finding.is_live() || !is_reported(desk, &finding.id) {
            continue;
        }
        let Some(part) = template.part_of(finding) else { continue };
        let denied = document.blocks.iter().find_map(|b| denied_clause(b, part, finding, document.lang).map(|place| (b, place)));
        let Some((block, (at, len))) = denied else { continue };
        let span = block.plain_span(at, at + len);
        let text: Vec<char> = block.plain().chars().collect();
        let name = desk.name_of(finding);
        desk.report("normal_remains", Some((block, Some(span))), &[("shown", &to_string(&text, (span[0], span[1]))), ("wanted", &name)]);
    }
}

/// A field that still says that all is normal, while the report rests on findings.
pub(super) fn normal_whole(desk: &mut Desk<'_>) {
    let (document, context, findings) = (desk.document, desk.context, desk.findings);
    let Some(template) = &context.template else { return };
    let Some(finding) = findings.iter().find(|f| f.is_live() && is_reported(desk, &f.id)) else { return };
    for from in &template.blocks {
        let Some(normal) = &from.normal else { continue };
        let phrase = normal.get(document.lang).trim_end_matches(['。', '.']);
        let Ok(block) = document.block(&from.id) else { continue };
        let Some(byte) = block.text.find(phrase).filter(|_| !phrase.is_empty()) else { continue };
        let at = block.text.get(..byte).unwrap_or_default().chars().count();
        let span = block.plain_span(at, at + phrase.chars().count());
        let name = desk.name_of(finding);
        desk.report("normal_remains", Some((block, Some(span))), &[("shown", phrase), ("wanted", &name)]);
    }
}

/// Numbers measured where no millimetres are known.
pub(super) fn uncalibrated(desk: &mut Desk<'_>) {
    let document = desk.document;
    for (block, slot) in document.slots() {
        let measured = desk.finding(&slot.finding).and_then(|f| f.measurement(&slot.measurement));
        if measured.is_some_and(|m| m.quantity.unit == mj_model::Unit::px()) {
            let span = block.plain_span(slot.at, slot.at + 1);
            desk.report("uncalibrated", Some((block, Some(span))), &[("shown", &slot.shown)]);
        }
    }
}

/// Accepted findings the report does not speak of.
pub(super) fn unreported(desk: &mut Desk<'_>) {
    let findings = desk.findings;
    for finding in findings {
        let is_reviewed = matches!(finding.state, FindingState::Accepted | FindingState::Edited);
        if is_reviewed && !is_reported(desk, &finding.id) {
            let name = desk.name_of(finding);
            desk.report("finding_unreported", None, &[("wanted", &name)]);
        }
    }
}

fn is_reported(desk: &Desk<'_>, finding: &str) -> bool {
    desk.document.slots().any(|(_, slot)| slot.finding == finding)
        || desk.document.marks().any(|(_, mark)| mark.claim.finding.as_deref() == Some(finding))
}
