use super::testing::{finding, positions};
use super::*;
use crate::worklist::{PatientRow, StudyState};
use mj_model::Phi;

fn row(study: &str, date: Option<&str>, time: &str) -> StudyRow {
    let none = || Phi::new(String::new());
    StudyRow {
        study_uid: StudyUid::parse(study).unwrap(),
        id: "s1".into(),
        patient: PatientRow {
            name: none(),
            name_ideographic: none(),
            name_phonetic: none(),
            id: none(),
            issuer: none(),
            sex: String::new(),
            birth_date: None,
            age: None,
        },
        date: date.map(str::to_owned),
        time: Some(time.to_owned()),
        description: String::new(),
        modalities: Vec::new(),
        accession: none(),
        state: StudyState { read: String::new(), report: String::new(), local: String::new(), outbox: String::new() },
        series: Vec::new(),
    }
}

fn two(prior: Vec<Finding>, current: Vec<Finding>) -> TwoStudies {
    TwoStudies {
        prior: row("1.2.1", Some("2025-09-10"), "14:05:00"),
        current: row("1.2.2", Some("2026-03-12"), "09:41:00"),
        interval_days: days_between(Some("2025-09-10"), Some("2026-03-12")),
        prior_findings: prior,
        current_findings: current,
    }
}

#[test]
fn days_are_counted_over_years_and_order_by_time() {
    assert_eq!(days_between(Some("2025-09-10"), Some("2026-03-12")), Some(183));
    assert_eq!(days_between(Some("2024-02-28"), Some("2024-03-01")), Some(2));
    assert_eq!((days_between(None, Some("2024-03-01")), days_between(Some("20240228"), Some("x"))), (None, None));
    let turned = |a: (Option<&str>, &str), b: (Option<&str>, &str)| is_turned(&row("1.2.1", a.0, a.1), &row("1.2.2", b.0, b.1));
    assert!(turned((Some("2026-01-02"), "08:00:00"), (Some("2026-01-01"), "09:00:00")));
    assert!(turned((Some("2026-01-02"), "08:00:00"), (Some("2026-01-02"), "07:00:00")));
    assert!(!turned((Some("2026-01-02"), "08:00:00"), (Some("2026-01-02"), "08:30:00")));
    assert!(!turned((None, "08:00:00"), (Some("2026-01-02"), "07:00:00")), "nothing says so");
}

#[test]
fn every_finding_is_in_one_list_with_its_reason() {
    let all = two(
        vec![finding("a", "1.2.1", 10.0), finding("b", "1.2.1", 12.0), finding("c", "1.2.1", 12.0), finding("d", "1.2.1", 12.0)],
        vec![finding("x", "1.2.2", 13.0), finding("y", "1.2.2", 7.0)],
    );
    let mut at = positions(&[("a", 0.0), ("b", 100.0), ("c", 200.0)], &[("x", 1.0), ("y", 300.0)]);
    at.prior.get_mut("c").unwrap().is_shown = false;
    let found = compare(&all, Some(&at), &[], None);
    assert_eq!(found.pairs.len(), 1);
    let pair = &found.pairs[0];
    assert_eq!((pair.by, pair.distance_mm, pair.growth.interval_days), (By::Registration, Some(1.0), Some(183)));
    assert_eq!(pair.moved_to_lps, Some(PointLps::default()));
    let gone: Vec<_> = found.gone.iter().map(|g| (g.finding.id.as_str(), g.why)).collect();
    assert_eq!(gone, [("b", Why::NotFound), ("c", Why::NotShown), ("d", Why::NoPlace)]);
    let new: Vec<_> = found.new.iter().map(|g| (g.finding.id.as_str(), g.why)).collect();
    assert_eq!(new, [("y", Why::NotFound)]);
    // Without a registration places say nothing.
    let blind = compare(&all, None, &[], None);
    assert!(blind.pairs.is_empty() && blind.gone.len() == 4 && blind.new.iter().all(|n| n.why == Why::NotRegistered));
    assert_eq!((blind.recist.response, blind.recist.new_lesions.len()), (Response::Ne, 0));
}

#[test]
fn a_decision_holds_without_places_and_says_what_speaks_against_it() {
    let (mut a, mut x) = (finding("a", "1.2.1", 10.0), finding("x", "1.2.2", 10.0));
    (a.side, x.side) = (Side::Left, Side::Right);
    x.tracking_uid.clone_from(&a.tracking_uid);
    x.state = FindingState::Proposed;
    let all = two(vec![a], vec![x]);
    let found = compare(&all, None, &[], None);
    assert_eq!((found.pairs[0].by, found.pairs[0].contradictions.as_slice()), (By::TrackingUid, [Contradiction::Side].as_slice()));
    assert_eq!((found.pairs[0].prior.is_confirmed, found.pairs[0].current.is_confirmed), (true, false));
    assert_eq!(compare(&all, None, &[("a".into(), "x".into())], None).pairs[0].by, By::Hand);
}
