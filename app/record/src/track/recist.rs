//! What the change of all lesions together says.
//!
//! Source: Eisenhauer et al., New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1), European
//! Journal of Cancer 45 (2009) 228-247. All of it is a suggestion: the criteria are applied by a person.

use super::growth::{Change, Size};
use super::pairing::{is_lesion, is_node, organ};
use super::{Gone, New, Why};
use mj_model::code::known;
use mj_model::{Confirmed, Finding};
use serde::Serialize;
use std::collections::BTreeMap;

/// Least long axis of a target lesion (§3.1.1). Units: mm.
const LEAST_LESION_MM: f64 = 10.0;
/// Least short axis of a target lymph node (§3.1.1). Units: mm.
const LEAST_NODE_MM: f64 = 15.0;
/// A lymph node with a shorter short axis is normal (§3.1.1). Units: mm.
const NORMAL_NODE_MM: f64 = 10.0;
/// Target lesions at most (§4.2.1).
const MOST_TARGETS: usize = 5;
/// Of one organ at most (§4.2.1).
const MOST_OF_ORGAN: usize = 2;

/// Response (§4.3.1, §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Response {
    /// Complete: all lesions gone, all nodes normal.
    Cr,
    /// Partial: the sum is smaller by 30 % or more.
    Pr,
    /// Stable: neither.
    Sd,
    /// Progressive: the sum is larger by 20 % or more and by 5 mm or more, or there is a new lesion.
    Pd,
    /// Not evaluable.
    Ne,
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotEvaluable {
    /// No confirmed lesion of the prior study is large enough.
    NoTarget,
    /// A target has no measured diameter in the present study.
    NotMeasured,
    /// No person stands for a target's present finding.
    NotConfirmed,
    /// Whether a target is still there cannot be told from the images.
    NotFollowed,
}

/// One target lesion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Prior finding.
    pub prior: String,
    /// Present finding; none when there is no more.
    pub current: Option<String>,
    /// Code of its organ; empty when not known, which counts as one organ.
    pub organ: String,
    /// True for a lymph node: its short axis is summed, of all others the long one.
    pub is_node: bool,
    /// Large enough in the prior study; a person may name others.
    pub is_measurable: bool,
    /// Units: mm.
    pub prior_mm: f64,
    /// 0 when it is counted as gone. Units: mm.
    pub current_mm: Option<f64>,
    /// True when 0 mm stand for a finding that the present study lacks: a person has to see that it is gone.
    pub is_assumed_gone: bool,
}

/// The suggestion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recist {
    /// The version of the criteria.
    pub criteria: &'static str,
    /// What the sum is compared with: of two studies the prior is baseline and nadir.
    pub reference: &'static str,
    /// The target lesions, largest first.
    pub targets: Vec<Target>,
    /// Sum of the targets' diameters; none when one of the present ones is not known. Units: mm.
    pub sum_mm: Option<Change>,
    /// Other confirmed lesions of the prior study that are still there, or whose place is not shown, by prior finding: a person
    /// judges them.
    pub non_targets: Vec<String>,
    /// Confirmed new lesions, by present finding.
    pub new_lesions: Vec<String>,
    /// The suggested response.
    pub response: Response,
    /// Why it is not evaluable.
    pub reason: Option<NotEvaluable>,
    /// Always true.
    pub needs_confirmation: bool,
}

/// A lesion of the prior study and what became of it.
struct Followed<'f> {
    prior: &'f Finding,
    current: Option<&'f Finding>,
    why: Option<Why>,
}

/// Suggests a response. `named` are the target lesions a person chose, by the finding of either study; without, the largest are taken.
pub(super) fn suggest(
    pairs: &[(&Finding, &Finding)],
    gone: &[(&Finding, Gone)],
    new: &[(&Finding, New)],
    named: Option<&[String]>,
) -> Recist {
    let kept = pairs.iter().map(|(prior, current)| Followed { prior, current: Some(current), why: None });
    let lost = gone.iter().map(|(prior, gone)| Followed { prior, current: None, why: Some(gone.why) });
    let all: Vec<Followed<'_>> = kept.chain(lost).filter(|f| is_lesion(f.prior) && stands(f.prior)).collect();
    let targets = choose(&all, named);
    let is_target = |f: &Followed<'_>| targets.iter().any(|t| t.prior == f.prior.id);
    let non_targets: Vec<String> = all.iter().filter(|f| !is_target(f) && !is_normal(f)).map(|f| f.prior.id.clone()).collect();
    let new_lesions: Vec<String> = new.iter().filter(|(f, new)| is_new_lesion(f, *new)).map(|(f, _)| f.id.clone()).collect();
    let sum_mm = sum(&targets);
    let unclear = all.iter().filter(|f| is_target(f)).find_map(|f| match (f.current, f.why) {
        (None, Some(why)) if why != Why::NotFound => Some(NotEvaluable::NotFollowed),
        (Some(current), _) if !stands(current) => Some(NotEvaluable::NotConfirmed),
        _ => None,
    });
    let reason = if targets.is_empty() {
        Some(NotEvaluable::NoTarget)
    } else {
        unclear.or_else(|| sum_mm.is_none().then_some(NotEvaluable::NotMeasured))
    };
    let response = match (new_lesions.is_empty(), reason, sum_mm) {
        (false, ..) => Response::Pd,
        (true, None, Some(sum)) => of_sum(sum, &targets, non_targets.is_empty()),
        _ => Response::Ne,
    };
    let reason = reason.filter(|_| response == Response::Ne);
    Recist {
        criteria: "RECIST 1.1",
        reference: "prior",
        targets,
        sum_mm: sum_mm.map(Change::shown),
        non_targets,
        new_lesions,
        response,
        reason,
        needs_confirmation: true,
    }
}

/// True when a person stands for a finding.
fn stands(finding: &Finding) -> bool {
    Confirmed::of(finding.clone()).is_some()
}

/// A new lesion that a person stands for and said what it is, where the prior shows the place and has no finding; a lymph node
/// must be larger than normal. What was only measured may be anything.
fn is_new_lesion(finding: &Finding, new: New) -> bool {
    let is_large = !is_node(finding) || Size::of(finding).short_mm.is_some_and(|mm| mm >= NORMAL_NODE_MM);
    let is_said = !finding.kind.is_same(&known::unclassified_finding());
    new.why == Why::NotFound && is_lesion(finding) && is_said && stands(finding) && is_large
}

/// True for what does not stand in the way of a complete response: a lesion whose place is shown without a finding, or a normal
/// lymph node. One that nobody could see is none.
fn is_normal(followed: &Followed<'_>) -> bool {
    let Some(finding) = followed.current else { return followed.why == Some(Why::NotFound) };
    is_node(finding) && Size::of(finding).short_mm.is_some_and(|mm| mm < NORMAL_NODE_MM)
}

/// The diameter that is summed, at the first time: of a node the short axis, of all others the long one. Units: mm.
fn diameter_mm(finding: &Finding, is_node: bool) -> Option<f64> {
    let size = Size::of(finding);
    if is_node { size.short_mm } else { size.long_mm }
}

fn target(followed: &Followed<'_>) -> Option<Target> {
    let is_node = is_node(followed.prior);
    let prior_mm = diameter_mm(followed.prior, is_node)?;
    let is_assumed_gone = followed.why == Some(Why::NotFound);
    Some(Target {
        prior: followed.prior.id.clone(),
        current: followed.current.map(|f| f.id.clone()),
        organ: followed.prior.site.as_ref().map(|site| organ(site).to_owned()).unwrap_or_default(),
        is_node,
        is_measurable: prior_mm >= if is_node { LEAST_NODE_MM } else { LEAST_LESION_MM },
        prior_mm,
        current_mm: if is_assumed_gone { Some(0.0) } else { followed.current.and_then(|f| diameter_mm(f, is_node)) },
        is_assumed_gone,
    })
}

/// The targets: those named, or the largest measurable ones, at most five and two of one organ.
fn choose(all: &[Followed<'_>], named: Option<&[String]>) -> Vec<Target> {
    let mut able: Vec<Target> = all.iter().filter_map(target).collect();
    able.sort_by(|a, b| b.prior_mm.total_cmp(&a.prior_mm).then_with(|| a.prior.cmp(&b.prior)));
    if let Some(named) = named {
        able.retain(|t| named.contains(&t.prior) || t.current.as_ref().is_some_and(|id| named.contains(id)));
        return able;
    }
    let mut of_organ: BTreeMap<String, usize> = BTreeMap::new();
    able.retain(|t| {
        let n = of_organ.entry(t.organ.clone()).or_default();
        let is_taken = t.is_measurable && *n < MOST_OF_ORGAN;
        *n += usize::from(is_taken);
        is_taken
    });
    able.truncate(MOST_TARGETS);
    able
}

fn sum(targets: &[Target]) -> Option<Change> {
    let current: Option<f64> = targets.iter().map(|t| t.current_mm).sum();
    (!targets.is_empty()).then(|| current.map(|now| Change::between(targets.iter().map(|t| t.prior_mm).sum(), now)))?
}

fn of_sum(sum: Change, targets: &[Target], has_no_other: bool) -> Response {
    // Millimetres are compared to a thousandth, so that 20 % of a sum is not missed by its last bit.
    let at_least = |value: f64, bound: f64| value > bound - 1e-6;
    let is_gone = |t: &Target| t.current_mm.is_some_and(|mm| if t.is_node { mm < NORMAL_NODE_MM } else { mm <= 0.0 });
    let percent = sum.percent.unwrap_or(0.0);
    if targets.iter().all(is_gone) {
        // What is left beside the targets makes it incomplete (§4.4, table 1).
        return if has_no_other { Response::Cr } else { Response::Pr };
    }
    if at_least(percent, 20.0) && at_least(sum.absolute, 5.0) {
        Response::Pd
    } else if at_least(-percent, 30.0) {
        Response::Pr
    } else {
        Response::Sd
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::{finding, measured};
    use mj_model::finding::{Origin, OriginKind};
    use mj_model::{Code, FindingState, Unit};

    const HERE: Gone = Gone { why: Why::NotFound };
    const FRESH: New = New { why: Why::NotFound };

    fn at(id: &str, study: &str, mm: f64, site: &str) -> Finding {
        Finding { site: Some(Code::new("SCT", site, "", "")), ..finding(id, study, mm) }
    }

    fn node(id: &str, study: &str, short: f64) -> Finding {
        let measurements = vec![measured(known::long_axis(), short + 5.0, Unit::mm()), measured(known::short_axis(), short, Unit::mm())];
        Finding { measurements, ..at(id, study, 1.0, "59441001") }
    }

    fn of(pairs: &[(Finding, Finding)], gone: &[(Finding, Gone)], new: &[(Finding, New)]) -> Recist {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a, b)).collect();
        let gone: Vec<_> = gone.iter().map(|(f, g)| (f, *g)).collect();
        let new: Vec<_> = new.iter().map(|(f, n)| (f, *n)).collect();
        suggest(&pairs, &gone, &new, None)
    }

    fn one(before: f64, now: f64) -> Recist {
        of(&[(finding("a", "1.2.1", before), finding("x", "1.2.2", now))], &[], &[])
    }

    #[test]
    fn sums_decide() {
        assert_eq!(one(10.0, 14.9).response, Response::Sd, "49 %, but not 5 mm");
        assert_eq!(one(25.0, 30.0).response, Response::Pd, "20 % and 5 mm");
        assert_eq!(one(50.0, 55.0).response, Response::Sd, "5 mm, but 10 %");
        assert_eq!(one(20.0, 14.0).response, Response::Pr, "30 %");
        assert_eq!(one(20.0, 14.1).response, Response::Sd);
        let small = one(9.9, 30.0);
        assert_eq!((small.response, small.reason, small.targets.len()), (Response::Ne, Some(NotEvaluable::NoTarget), 0));
        let two = of(
            &[(finding("a", "1.2.1", 16.0), finding("x", "1.2.2", 20.0)), (finding("b", "1.2.1", 14.0), finding("y", "1.2.2", 17.5))],
            &[],
            &[],
        );
        let sum = two.sum_mm.unwrap();
        assert_eq!((sum.prior, sum.current, sum.absolute, sum.percent), (30.0, 37.5, 7.5, Some(25.0)));
        assert_eq!(two.response, Response::Pd);
    }

    #[test]
    fn the_largest_of_each_organ_are_targets() {
        let (lung, liver) = ("39607008", "10200004");
        let sizes = [
            ("a", 30.0, lung),
            ("b", 28.0, "45653009"),
            ("c", 26.0, lung),
            ("d", 12.0, liver),
            ("e", 11.0, liver),
            ("f", 40.0, "78961009"),
            ("g", 13.0, "12738006"),
        ];
        let pairs: Vec<_> =
            sizes.iter().map(|(id, mm, site)| (at(id, "1.2.1", *mm, site), at(&id.to_uppercase(), "1.2.2", *mm, site))).collect();
        let found = of(&pairs, &[], &[]);
        let ids: Vec<&str> = found.targets.iter().map(|t| t.prior.as_str()).collect();
        assert_eq!(ids, ["f", "a", "b", "g", "d"]);
        assert_eq!((found.non_targets, found.response), (vec!["c".to_owned(), "e".to_owned()], Response::Sd));
        let borrowed: Vec<_> = pairs.iter().map(|(a, b)| (a, b)).collect();
        let named = suggest(&borrowed, &[], &[], Some(&["c".to_owned()]));
        assert_eq!((named.targets.len(), named.sum_mm.unwrap().prior), (1, 26.0));
    }

    #[test]
    fn nodes_count_by_their_short_axis() {
        let normal = of(&[(node("a", "1.2.1", 15.0), node("x", "1.2.2", 9.9))], &[], &[]);
        assert_eq!((normal.response, normal.sum_mm.unwrap().prior), (Response::Cr, 15.0));
        assert_eq!(of(&[(node("a", "1.2.1", 16.0), node("x", "1.2.2", 10.0))], &[], &[]).response, Response::Pr);
        assert_eq!(of(&[(node("a", "1.2.1", 14.9), node("x", "1.2.2", 30.0))], &[], &[]).reason, Some(NotEvaluable::NoTarget));
        // A node with a length alone cannot be summed.
        let long = at("x", "1.2.2", 12.0, "59441001");
        let found = of(&[(node("a", "1.2.1", 16.0), long)], &[], &[]);
        assert_eq!((found.response, found.reason), (Response::Ne, Some(NotEvaluable::NotMeasured)));
    }

    #[test]
    fn gone_is_only_what_the_images_show_gone() {
        let gone = |why| of(&[], &[(finding("a", "1.2.1", 20.0), Gone { why })], &[]);
        let complete = gone(Why::NotFound);
        assert_eq!((complete.response, complete.targets[0].is_assumed_gone, complete.needs_confirmation), (Response::Cr, true, true));
        for why in [Why::NotShown, Why::NotRegistered, Why::NoPlace] {
            assert_eq!((gone(why).response, gone(why).reason), (Response::Ne, Some(NotEvaluable::NotFollowed)));
        }
        // A small lesion is left: not complete.
        let left = of(&[(finding("b", "1.2.1", 6.0), finding("x", "1.2.2", 5.0))], &[(finding("a", "1.2.1", 20.0), HERE)], &[]);
        assert_eq!(left.response, Response::Pr);
        // A small lesion whose place is not shown is not gone.
        let out = [(finding("a", "1.2.1", 20.0), HERE), (finding("b", "1.2.1", 6.0), Gone { why: Why::NotShown })];
        let unseen = of(&[], &out, &[]);
        assert_eq!((unseen.response, unseen.non_targets), (Response::Pr, vec!["b".to_owned()]));
    }

    #[test]
    fn a_new_lesion_is_progress_when_a_person_says_so() {
        let pair = || [(finding("a", "1.2.1", 20.0), finding("x", "1.2.2", 12.0))];
        let ruler = finding("n", "1.2.2", 150.0);
        assert_eq!(of(&pair(), &[], &[(ruler, FRESH)]).response, Response::Pr, "what was only measured may be anything");
        let fresh = Finding { kind: Code::new("SCT", "27925004", "", ""), ..finding("n", "1.2.2", 6.0) };
        let found = of(&pair(), &[], &[(fresh.clone(), FRESH)]);
        assert_eq!((found.response, found.new_lesions), (Response::Pd, vec!["n".to_owned()]));
        let device = Origin { who: OriginKind::Device, name: "m".into(), version: "1".into() };
        let proposed = Finding { state: FindingState::Proposed, origin: device, ..fresh.clone() };
        assert_eq!(of(&pair(), &[], &[(proposed, FRESH)]).response, Response::Pr);
        assert_eq!(of(&pair(), &[], &[(fresh, New { why: Why::NotShown })]).response, Response::Pr, "the prior did not show that place");
        assert_eq!(of(&pair(), &[], &[(node("n", "1.2.2", 9.0), FRESH)]).response, Response::Pr, "a normal node");
        let unseen = Finding { state: FindingState::Proposed, ..finding("x", "1.2.2", 12.0) };
        let waiting = of(&[(finding("a", "1.2.1", 20.0), unseen)], &[], &[]);
        assert_eq!((waiting.response, waiting.reason), (Response::Ne, Some(NotEvaluable::NotConfirmed)));
        let effusion = Finding { kind: Code::new("SCT", "60046008", "", ""), ..finding("n", "1.2.2", 30.0) };
        assert_eq!(of(&pair(), &[], &[(effusion, FRESH)]).response, Response::Pr);
    }
}
