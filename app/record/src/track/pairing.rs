//! Which finding of the present study is which of the prior.

use super::growth::Size;
use mj_model::code::known;
use mj_model::{Code, Finding, PointLps, Side};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where the findings lie, as a registration says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Positions {
    /// Prior findings by id, in the present study's space.
    pub prior: BTreeMap<String, Moved>,
    /// Present findings by id, and whether the prior shows their places.
    pub current: BTreeMap<String, Present>,
}

/// A prior finding in the present study's space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// Units: mm, LPS.
    pub at: PointLps,
    /// True when its surroundings were found there, not only the motion of the whole followed.
    pub is_refined: bool,
    /// True when the present series shows that place.
    pub is_shown: bool,
}

/// A present finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Present {
    /// Units: mm, LPS.
    pub at: PointLps,
    /// True when the prior series shows that place.
    pub was_shown: bool,
}

/// How a pair was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Both carry one Tracking UID, by an earlier decision.
    TrackingUid,
    /// By place, proposed.
    Registration,
    /// A person joined them just now.
    Hand,
}

/// What two findings of one lesion say against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// They are of different kinds.
    Kind,
    /// They lie in different organs.
    Site,
    /// One is left, the other right.
    Side,
}

/// Two findings of one lesion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair<'f> {
    pub(super) prior: &'f Finding,
    pub(super) current: &'f Finding,
    pub(super) by: By,
}

/// Furthest that two places of one lesion may lie apart, whatever its size. Units: mm.
const FURTHEST_MM: f64 = 20.0;
/// What drawing and registration leave. Units: mm.
const SLACK_MM: f64 = 5.0;
/// What a breath adds where the surroundings were not followed. Units: mm.
const BREATH_MM: f64 = 5.0;

/// How far apart two places of one lesion may lie: 5 mm and half of its larger diameter, 5 mm more where only the motion of the
/// whole is known, at most 20 mm in all. Units: mm.
pub(super) fn tolerance_mm(prior: &Finding, current: &Finding, is_refined: bool) -> f64 {
    let half = |f: &Finding| Size::of(f).long_mm.unwrap_or(0.0) / 2.0;
    let breath = if is_refined { 0.0 } else { BREATH_MM };
    (SLACK_MM + half(prior).max(half(current)) + breath).min(FURTHEST_MM)
}

/// Distance of a pair's places in the present study's space. Units: mm.
pub(super) fn distance_mm(prior: &Finding, current: &Finding, positions: &Positions) -> Option<f64> {
    let (moved, now) = (positions.prior.get(&prior.id)?, positions.current.get(&current.id)?);
    Some(moved.at.distance_mm(now.at))
}

/// Pairs findings: first those that alone in their studies share a Tracking UID, then the others by place, so that the sum over
/// all is best, one to one.
pub(super) fn pairs<'f>(prior: &[&'f Finding], current: &[&'f Finding], positions: Option<&Positions>) -> Vec<Pair<'f>> {
    let alone = |all: &[&Finding], one: &Finding| all.iter().filter(|f| f.tracking_uid == one.tracking_uid).count() == 1;
    let mut out: Vec<Pair<'f>> = Vec::new();
    for before in prior {
        let same = current.iter().find(|now| now.tracking_uid == before.tracking_uid);
        if let Some(now) = same.filter(|now| alone(prior, before) && alone(current, now)) {
            out.push(Pair { prior: before, current: now, by: By::TrackingUid });
        }
    }
    let Some(positions) = positions else { return out };
    let left: Vec<&Finding> = prior.iter().copied().filter(|f| out.iter().all(|p| p.prior.id != f.id)).collect();
    let free: Vec<&Finding> = current.iter().copied().filter(|f| out.iter().all(|p| p.current.id != f.id)).collect();
    let costs: Vec<Vec<Option<f64>>> = left.iter().map(|a| free.iter().map(|b| cost(a, b, positions)).collect()).collect();
    for (before, to) in left.iter().zip(assign(&costs)) {
        if let Some(now) = to.and_then(|to| free.get(to)) {
            out.push(Pair { prior: before, current: now, by: By::Registration });
        }
    }
    out
}

/// 0 for equal places to 1 at the tolerance; none beyond it and for findings that contradict each other.
fn cost(prior: &Finding, current: &Finding, positions: &Positions) -> Option<f64> {
    let moved = positions.prior.get(&prior.id)?;
    let part = distance_mm(prior, current, positions)? / tolerance_mm(prior, current, moved.is_refined);
    (part <= 1.0 && contradictions(prior, current).is_empty()).then_some(part)
}

/// What two findings say against being one lesion.
pub(super) fn contradictions(prior: &Finding, current: &Finding) -> Vec<Contradiction> {
    let sites = prior.site.as_ref().zip(current.site.as_ref());
    let sides = [(Side::Left, Side::Right), (Side::Right, Side::Left)];
    let said = [
        (Contradiction::Kind, family(&prior.kind).zip(family(&current.kind)).is_some_and(|(a, b)| a != b)),
        (Contradiction::Site, sites.is_some_and(|(a, b)| organ(a) != organ(b))),
        (Contradiction::Side, sides.contains(&(prior.side, current.side))),
    ];
    said.into_iter().filter(|(_, is_said)| *is_said).map(|(what, _)| what).collect()
}

/// Kinds that one lesion may go by: a nodule grows into a mass, a lesion is found to be a neoplasm. Source of the codes: PS3.16
/// CID 6054 and 7159, and SNOMED RT before 2017.
const FOCAL: [&str; 14] = [
    "27925004",
    "427359005",
    "4147007",
    "52988006",
    "108369006",
    "86049000",
    "14799000",
    "RID3874",
    "RID39056",
    "M-03010",
    "M-01100",
    "M-03000",
    "M-80003",
    "M-80006",
];

/// The family of a kind; none for what nobody classified, or what is not known here, which contradicts nothing.
fn family(kind: &Code) -> Option<&str> {
    if kind.is_same(&known::unclassified_finding()) {
        return None;
    }
    if FOCAL.contains(&kind.code.as_str()) {
        return Some("focal");
    }
    mj_report::codes::kinds().iter().any(|known| known.is_same(kind)).then_some(&kind.code)
}

/// True for a finding that may be a tumour: focal, a lymph node, or not classified.
pub(super) fn is_lesion(finding: &Finding) -> bool {
    is_node(finding) || finding.kind.is_same(&known::unclassified_finding()) || family(&finding.kind) == Some("focal")
}

/// True for a lymph node, by what it is or where it lies.
pub(super) fn is_node(finding: &Finding) -> bool {
    finding.kind.code == "30746006" || finding.site.as_ref().is_some_and(|site| site.code == "59441001")
}

/// The organ of a site: lobes belong to the lung, and one organ has one code.
pub(super) fn organ(site: &Code) -> &str {
    match site.code.as_str() {
        "45653009" | "72481006" | "90572001" | "266005" | "42400003" | "44714003" | "41224006" | "RID1301" | "T-28000" => "39607008",
        "RID58" | "T-62000" => "10200004",
        "RID205" | "T-71000" | "9846003" | "18639004" => "64033007",
        other => other,
    }
}

/// The assignment of rows to columns with the least sum, each column once; leaving a row without one costs 1, as much as the
/// furthest pair. `None` costs are never taken.
///
/// Source: Kuhn 1955, Munkres 1957, in the form with potentials and shortest paths (Jonker and Volgenant 1987).
fn assign(costs: &[Vec<Option<f64>>]) -> Vec<Option<usize>> {
    let (n, m) = (costs.len(), costs.first().map_or(0, Vec::len));
    let mut to = Assignment::new(costs, n, m + n);
    for row in 1..=n {
        to.add(row);
    }
    let mut out = vec![None; n];
    for (column, row) in to.taken_by.iter().enumerate().take(m + 1).skip(1) {
        if *row > 0 && to.cost(*row, column) < NEVER {
            out[row - 1] = Some(column - 1);
        }
    }
    out
}

/// The cost of what is never done.
const NEVER: f64 = 1e6;

/// An assignment that grows row by row. Rows and columns count from 1; 0 stands for a row that still looks for a column.
struct Assignment<'c> {
    costs: &'c [Vec<Option<f64>>],
    /// Potentials.
    of_row: Vec<f64>,
    of_column: Vec<f64>,
    /// The row of each column; 0 for none.
    taken_by: Vec<usize>,
}

impl<'c> Assignment<'c> {
    /// Beside the given columns there is one more for every row that stays alone.
    fn new(costs: &'c [Vec<Option<f64>>], rows: usize, width: usize) -> Self {
        Self { costs, of_row: vec![0.0; rows + 1], of_column: vec![0.0; width + 1], taken_by: vec![0; width + 1] }
    }

    fn cost(&self, row: usize, column: usize) -> f64 {
        match self.costs.get(row - 1).and_then(|line| line.get(column - 1)) {
            Some(given) => given.unwrap_or(NEVER),
            None => 1.0,
        }
    }

    /// Assigns one row more: along the shortest path of changes that ends at a free column.
    fn add(&mut self, row: usize) {
        let width = self.of_column.len();
        self.taken_by[0] = row;
        let (mut least, mut way, mut seen) = (vec![f64::INFINITY; width], vec![0_usize; width], vec![false; width]);
        let mut column = 0;
        loop {
            seen[column] = true;
            let from = self.taken_by[column];
            let (mut delta, mut next) = (f64::INFINITY, 0);
            for other in (1..width).filter(|c| !seen[*c]) {
                let reduced = self.cost(from, other) - self.of_row[from] - self.of_column[other];
                if reduced < least[other] {
                    (least[other], way[other]) = (reduced, column);
                }
                if least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            self.raise(delta, &seen, &mut least);
            column = next;
            if self.taken_by[column] == 0 {
                break;
            }
        }
        while column != 0 {
            self.taken_by[column] = self.taken_by[way[column]];
            column = way[column];
        }
    }

    /// Moves the potentials of what was seen, so that the next column costs nothing more.
    fn raise(&mut self, delta: f64, seen: &[bool], least: &mut [f64]) {
        for (other, is_seen) in seen.iter().enumerate() {
            if *is_seen {
                self.of_row[self.taken_by[other]] += delta;
                self.of_column[other] -= delta;
            } else {
                least[other] -= delta;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::{finding, positions};

    fn found(prior: &[&Finding], current: &[&Finding], at: &Positions) -> Vec<(String, String, By)> {
        pairs(prior, current, Some(at)).iter().map(|p| (p.prior.id.clone(), p.current.id.clone(), p.by)).collect()
    }

    fn pair(a: &str, b: &str, by: By) -> (String, String, By) {
        (a.to_owned(), b.to_owned(), by)
    }

    #[test]
    fn the_least_sum_is_found() {
        let some = |line: &[f64]| line.iter().map(|v| Some(*v)).collect::<Vec<_>>();
        // Each row's own best is column 0.
        assert_eq!(assign(&[some(&[0.1, 0.2]), some(&[0.15, 0.9])]), [Some(1), Some(0)]);
        assert_eq!(assign(&[vec![None, Some(0.5)], vec![None, Some(0.4)]]), [None, Some(1)]);
        assert_eq!(assign(&[some(&[0.3]), some(&[0.2]), some(&[0.9])]), [None, Some(0), None]);
        assert_eq!(assign(&[Vec::new(), Vec::new()]), [None, None]);
        assert_eq!(assign(&[]), []);
        // Against all ways to do it.
        let costs: Vec<Vec<Option<f64>>> =
            (0..4).map(|r| (0..4).map(|c| Some(f64::from((r * 7 + c * 5 + r * c * 3) % 11) / 11.0)).collect()).collect();
        let sum = |to: &[Option<usize>]| to.iter().enumerate().map(|(r, c)| c.map_or(1.0, |c| costs[r][c].unwrap())).sum::<f64>();
        let mut best = f64::INFINITY;
        for n in 0..625_usize {
            let to: Vec<Option<usize>> = (0..4).map(|r| Some(n / 5_usize.pow(r) % 5).filter(|c| *c < 4)).collect();
            let is_once = (0..4).all(|c| to.iter().filter(|t| **t == Some(c)).count() <= 1);
            if is_once {
                best = best.min(sum(&to));
            }
        }
        assert!((sum(&assign(&costs)) - best).abs() < 1e-12);
    }

    #[test]
    fn near_lesions_go_to_their_own() {
        let (a, b) = (finding("a", "1.2.1", 8.0), finding("b", "1.2.1", 8.0));
        let (x, y) = (finding("x", "1.2.2", 8.0), finding("y", "1.2.2", 8.0));
        // Both moved by 4 mm: b lies nearer to x than to y does, yet the sum is least so.
        let at = positions(&[("a", 0.0), ("b", 5.0)], &[("x", 4.0), ("y", 9.0)]);
        let wanted = [pair("a", "x", By::Registration), pair("b", "y", By::Registration)];
        assert_eq!(found(&[&a, &b], &[&y, &x], &at), wanted);
        // Beyond the tolerance of 9 mm nothing is paired.
        let far = positions(&[("a", 0.0)], &[("x", 9.1)]);
        assert_eq!(found(&[&a], &[&x], &far), []);
        assert_eq!(tolerance_mm(&a, &x, true), 9.0);
        assert_eq!((tolerance_mm(&a, &x, false), tolerance_mm(&finding("c", "1.2.1", 80.0), &x, true)), (14.0, 20.0));
    }

    #[test]
    fn a_decision_counts_more_than_a_place() {
        let (a, b) = (finding("a", "1.2.1", 8.0), finding("b", "1.2.1", 8.0));
        let (x, mut y) = (finding("x", "1.2.2", 8.0), finding("y", "1.2.2", 8.0));
        y.tracking_uid.clone_from(&a.tracking_uid);
        let at = positions(&[("a", 0.0), ("b", 50.0)], &[("x", 0.0), ("y", 50.0)]);
        assert_eq!(found(&[&a, &b], &[&x, &y], &at), [pair("a", "y", By::TrackingUid)]);
        // Twice in one study says nothing: places decide.
        let mut z = finding("z", "1.2.2", 8.0);
        z.tracking_uid.clone_from(&a.tracking_uid);
        let at = positions(&[("a", 0.0)], &[("z", 1.0), ("y", 50.0)]);
        assert_eq!(found(&[&a], &[&y, &z], &at), [pair("a", "z", By::Registration)]);
    }

    #[test]
    fn what_contradicts_is_not_one_lesion() {
        let at = positions(&[("a", 0.0)], &[("x", 0.0)]);
        let (a, x) = (finding("a", "1.2.1", 8.0), finding("x", "1.2.2", 8.0));
        let code = |code: &str| Code::new("SCT", code, "", "");
        let of = |f: &Finding, kind: &str, site: &str, side| Finding { kind: code(kind), site: Some(code(site)), side, ..f.clone() };
        let is_pair = |a: &Finding, x: &Finding| !found(&[a], &[x], &at).is_empty();
        let left = of(&a, "27925004", "45653009", Side::Left);
        assert!(is_pair(&left, &x), "nothing is known of the other");
        assert!(is_pair(&left, &of(&x, "4147007", "39607008", Side::Left)), "a nodule may become a mass");
        assert!(!is_pair(&left, &of(&x, "27925004", "45653009", Side::Right)));
        assert!(!is_pair(&left, &of(&x, "27925004", "10200004", Side::Left)));
        assert!(!is_pair(&left, &of(&x, "60046008", "39607008", Side::Left)));
        let all = contradictions(&left, &of(&x, "60046008", "10200004", Side::Right));
        assert_eq!(all, [Contradiction::Kind, Contradiction::Site, Contradiction::Side]);
    }
}
