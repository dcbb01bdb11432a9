//! What became of proposals, sums over groups, and how often charts give a false alarm.

use super::decision::{Decided, decided};
use super::drift::{BASELINE, SUBGROUP, Seen, drift, judge};
use super::*;
use mj_model::{Geometry, Held, Measurement, PointLps, Side};

/// A seeded source of numbers (SplitMix64, Steele 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn chance(&mut self, p: f64) -> bool {
        ((self.next() >> 11) as f64) / ((1_u64 << 53) as f64) < p
    }
}

fn at(minute: i64) -> Moment {
    let start = Moment::parse("2026-03-02T08:00:00+08:00").unwrap();
    Moment { utc: start.utc + jiff::SignedDuration::from_mins(minute), ..start }
}

fn line(length_mm: f64) -> Geometry {
    Geometry::line(PointLps::new(0.0, 0.0, 0.0), PointLps::new(length_mm, 0.0, 0.0))
}

fn reason(code: &str) -> Code {
    Code::new("99MJ", code, code, code)
}

/// What a device says.
fn proposed() -> Finding {
    let (study, series) = (StudyUid::parse("1.2").unwrap(), SeriesUid::parse("1.3").unwrap());
    let device = Origin { who: OriginKind::Device, name: "Finder".into(), version: "2.0".into() };
    Finding {
        state: FindingState::Proposed,
        kind: Code::new("SCT", "27925004", "Nodule", "结节"),
        measurements: line(6.0).sizes().into_iter().map(|size| Measurement::new("m".into(), size)).collect(),
        proposed_by: Some(device.clone()),
        origin: device,
        at: at(0),
        ..Finding::new("f".into(), study, series, line(6.0), "")
    }
}

fn by(person: &str, minute: i64, state: FindingState) -> Finding {
    Finding { state, origin: Origin::person(person), at: at(minute), ..proposed() }
}

fn longer(finding: Finding) -> Finding {
    let measurements = line(9.0).sizes().into_iter().map(|size| Measurement::new("m".into(), size)).collect();
    Finding { geometry: line(9.0), measurements, ..finding }
}

fn verdict(revisions: &[Finding]) -> (Verdict, Option<i64>) {
    let Decided { verdict, proposed_at, decided_at } = decided(revisions).unwrap();
    (verdict, decided_at.map(|decided| decided.utc.duration_since(proposed_at.utc).as_secs() / 60))
}

use FindingState::{Accepted, Deleted, Edited, Proposed, Rejected};

#[test]
fn the_last_decision_counts_from_when_it_was_made() {
    let no = |minute, person: &str| Finding { reason: Some(reason("artefact")), ..by(person, minute, Rejected) };
    let yes = |minute, person: &str| by(person, minute, Accepted);
    let rejected = || Verdict::Rejected(Some(reason("artefact")));
    for (name, later, wanted) in [
        ("nobody", vec![], (Verdict::Waiting, None)),
        ("accept", vec![yes(3, "a")], (Verdict::Accepted, Some(3))),
        ("reject", vec![no(4, "a")], (rejected(), Some(4))),
        ("reject, then accept by another", vec![no(4, "a"), yes(9, "b")], (Verdict::Accepted, Some(9))),
        ("accept, then reject by another", vec![yes(4, "a"), no(9, "b")], (rejected(), Some(9))),
        ("undo", vec![no(4, "a"), by("a", 5, Proposed)], (Verdict::Waiting, None)),
        ("undo and accept", vec![no(4, "a"), by("a", 5, Proposed), yes(7, "a")], (Verdict::Accepted, Some(7))),
        ("delete", vec![by("a", 2, Deleted)], (Verdict::Rejected(None), Some(2))),
        ("accept, then delete", vec![yes(1, "a"), by("b", 2, Deleted)], (Verdict::Rejected(None), Some(2))),
        ("edit", vec![longer(by("a", 6, Edited))], (Verdict::Edited, Some(6))),
        ("accept, then edit", vec![yes(1, "a"), longer(by("b", 6, Edited))], (Verdict::Edited, Some(6))),
        ("edit, then accept", vec![longer(by("a", 6, Edited)), longer(yes(8, "b"))], (Verdict::Edited, Some(6))),
        ("edit and back again", vec![longer(by("a", 6, Edited)), by("a", 7, Edited)], (Verdict::Accepted, Some(7))),
        ("accepted again", vec![yes(1, "a"), yes(8, "b")], (Verdict::Accepted, Some(1))),
    ] {
        let revisions: Vec<Finding> = std::iter::once(proposed()).chain(later).collect();
        assert_eq!(verdict(&revisions), wanted, "{name}");
    }
}

#[test]
fn a_correction_is_of_what_the_model_said() {
    let after = |change: &dyn Fn(&mut Finding)| {
        let mut accepted = by("a", 1, Accepted);
        change(&mut accepted);
        verdict(&[proposed(), accepted]).0
    };
    assert_eq!(after(&|f| f.kind = Code::new("SCT", "4147007", "Mass", "肿块")), Verdict::Edited);
    assert_eq!(after(&|f| f.side = Side::Left), Verdict::Edited);
    assert_eq!(after(&|f| f.site = Some(Code::new("SCT", "39607008", "Lung", "肺"))), Verdict::Edited);
    assert_eq!(after(&|f| f.measurements[0].quantity.value = 6.5), Verdict::Edited);
    assert_eq!(after(&|f| f.measurements.clear()), Verdict::Edited);
    // A word, another number beside, another wording of the same code: nothing of it is corrected.
    assert_eq!(after(&|f| f.label = Some("S3".into())), Verdict::Accepted);
    assert_eq!(after(&|f| f.measurements.push(Measurement::new("n".into(), line(2.0).sizes().remove(0)))), Verdict::Accepted);
    assert_eq!(after(&|f| f.kind.name_en = "nodule".into()), Verdict::Accepted);
}

#[test]
fn what_is_held_is_no_decision_until_it_fits() {
    let held = |finding| Finding { held: Some(Held::ImagesNotHere), ..finding };
    let put_away = held(Finding { reason: Some(reason("wrong-place")), ..by("a", 3, Rejected) });
    assert_eq!(verdict(&[held(proposed()), put_away]), (Verdict::Held(Held::ImagesNotHere), None));
    // Its images came and it was laid into space: that is when it was proposed, and as what.
    let fits = longer(Finding { at: at(60), ..proposed() });
    assert_eq!(verdict(&[held(proposed()), fits.clone()]), (Verdict::Waiting, None));
    assert_eq!(verdict(&[held(proposed()), fits, longer(by("a", 62, Accepted))]), (Verdict::Accepted, Some(2)));
}

/// A history of proposals of some models on some scanners for some patients.
fn history(random: &mut Random, n: usize, patients: u64) -> Performance {
    let pick = |random: &mut Random, of: &[&str]| of[random.below(of.len() as u64) as usize].to_owned();
    let mut all = Performance::default();
    for minute in 0..n {
        let model = Model { name: pick(random, &["A", "B"]), version: pick(random, &["", "1", "2"]) };
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let scanner = Scanner {
            name: said(pick(random, &["", "Maker X", "Maker Y"])),
            kernel: said(pick(random, &["", "B60f", "B30f"])),
            thickness_mm: said(pick(random, &["1", "5"])),
        };
        let (patient, proposed_at) = (random.below(patients) as i64, at(minute as i64));
        let verdict = match random.below(6) {
            0 => Verdict::Waiting,
            1 => Verdict::Held(Held::OffImage),
            2 => Verdict::Accepted,
            3 => Verdict::Edited,
            4 => Verdict::Rejected(None),
            _ => Verdict::Rejected(Some(reason(["artefact", "known"][random.below(2) as usize]))),
        };
        let decided_at = verdict.is_decision().then(|| at(minute as i64 + random.below(30) as i64));
        if random.chance(0.1) {
            all.added.push(Added { model: model.clone(), scanner: scanner.clone(), patient, at: proposed_at });
        }
        all.proposals.push(Proposal { model, scanner, patient, verdict, proposed_at, decided_at });
    }
    all
}

/// Everything in a row that adds up.
fn sums(rows: &[Row]) -> ([u32; 7], BTreeMap<String, u32>) {
    let mut counts = [0; 7];
    let mut reasons = BTreeMap::new();
    for row in rows {
        let of = [row.proposed, row.waiting, row.held, row.accepted, row.edited, row.rejected, row.added];
        counts.iter_mut().zip(of).for_each(|(sum, n)| *sum += n);
        row.reasons.iter().for_each(|r| *reasons.entry(r.reason.code.clone()).or_insert(0) += r.count);
        row.held_reasons.iter().for_each(|(code, n)| *reasons.entry((*code).into()).or_insert(0) += n);
        assert_eq!(row.proposed, row.waiting + row.held + row.decided());
    }
    (counts, reasons)
}

#[test]
fn groups_add_up_to_the_whole_however_they_are_made() {
    let every = [By::Model, By::Version, By::Scanner, By::Kernel, By::Thickness];
    let mut withheld = 0;
    for seed in 0..60 {
        let mut random = Random(seed);
        let (n, patients) = (random.below(80) as usize, 1 + random.below(20));
        let all = history(&mut random, n, patients);
        let whole = sums(&all.rows(&[]));
        assert_eq!(whole.0[0] as usize, n);
        for choice in 0..32_u32 {
            let by: Vec<By> = every.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0).map(|(_, by)| *by).collect();
            assert_eq!(sums(&all.rows(&by)), whole, "seed {seed}, {by:?}");
            let leaving = all.leaving(&by);
            withheld += u32::from(leaving.is_withheld);
            if !leaving.is_withheld {
                assert_eq!(sums(&leaving.rows), whole, "seed {seed}, {by:?}");
            }
            assert!(leaving.rows.iter().all(|row| row.proposed as usize >= LEAST), "seed {seed}, {by:?}");
        }
    }
    assert!(withheld > 0, "small histories are among them");
}

#[test]
fn nothing_leaves_by_which_a_single_patient_could_be_told() {
    let of = |model: &str, patient: i64| Proposal {
        model: Model { name: model.into(), version: "1".into() },
        scanner: Scanner::default(),
        patient,
        verdict: Verdict::Accepted,
        proposed_at: at(0),
        decided_at: Some(at(1)),
    };
    let with = |proposals: Vec<Proposal>| Performance { proposals, added: Vec::new() }.leaving(&[By::Model]);
    let names = |leaving: &Leaving| {
        leaving.rows.iter().map(|r| (r.group.get(&By::Model).cloned().flatten(), r.merged, r.proposed)).collect::<Vec<_>>()
    };
    // Many findings of few patients are few patients.
    let one = with((0..40).map(|_| of("A", 1)).collect());
    assert!(one.is_withheld && one.rows.is_empty() && one.charts.is_empty());
    let many: Vec<Proposal> = (0..7).map(|patient| of("A", patient)).chain((0..9).map(|patient| of("B", patient))).collect();
    assert_eq!(names(&with(many.clone())), [(Some("A".into()), 0, 7), (Some("B".into()), 0, 9)]);
    // The name of a model is free text; here it is that of a patient. Its group goes in with the smallest other one.
    let named = with(many.iter().cloned().chain([of("Shili^Yi", 3), of("Shili^Yi", 3)]).collect());
    assert_eq!(names(&named), [(Some("B".into()), 0, 9), (None, 2, 9)]);
    assert!(!serde_json::to_string(&named).unwrap().contains("Shili"));
}

#[test]
fn charts_leave_only_where_several_patients_are_behind_them() {
    let decided = |patients: i64| {
        let model = Model { name: "A".into(), version: "1".into() };
        let of = |n: i64| Proposal {
            model: model.clone(),
            scanner: Scanner::default(),
            patient: n % patients,
            verdict: Verdict::Accepted,
            proposed_at: at(n),
            decided_at: Some(at(n + 1)),
        };
        Performance { proposals: (0..400).map(of).collect(), added: Vec::new() }
    };
    assert_eq!((decided(4).leaving(&[]).charts.len(), decided(4).charts().len()), (0, 2));
    assert_eq!(decided(5).leaving(&[]).charts.len(), 2);
}

fn counts(random: &mut Random, shares: impl Iterator<Item = f64>) -> Vec<usize> {
    shares.map(|share| (0..SUBGROUP).filter(|_| random.chance(share)).count()).collect()
}

fn unnamed(_group: usize, _is_first: bool) -> String {
    String::new()
}

fn is_signal(seen: &Seen) -> bool {
    seen.points.iter().any(|point| !point.is_baseline && !point.signals.is_empty())
}

#[test]
fn without_a_change_alarms_are_rare_and_with_one_they_come_soon() {
    const HISTORIES: u64 = 1000;
    const FURTHER: usize = 20;
    for share in [0.05, 0.12, 0.3] {
        let (mut ever, mut at_the_end) = (0, 0);
        for seed in 0..HISTORIES {
            let seen = judge(&counts(&mut Random(seed), std::iter::repeat_n(share, BASELINE + FURTHER)), &unnamed).unwrap();
            ever += u32::from(is_signal(&seen));
            at_the_end += u32::from(drift(&seen, &unnamed).is_some());
        }
        println!("{share}: of {HISTORIES} histories without a change {ever} had a signal, {at_the_end} a warning at their end");
        assert!(ever <= 200 && at_the_end <= 75, "{share}: {ever}, {at_the_end}");
        assert!(ever > 0, "an alarm that never comes watches nothing");
    }
    let late = (0..HISTORIES).filter(|&seed| {
        let shares = std::iter::repeat_n(0.12, BASELINE + 4).chain(std::iter::repeat_n(0.31, 4));
        let seen = judge(&counts(&mut Random(seed), shares), &unnamed).unwrap();
        drift(&seen, &unnamed).is_none_or(|drift| !drift.is_more)
    });
    let late = late.count();
    println!("from 0.12 to 0.31: {late} of {HISTORIES} without a warning after 200 decisions");
    assert!(late <= 40, "{late}");
}

#[test]
fn the_rules_by_hand() {
    let week = |group: usize, is_first: bool| format!("{group}{}", if is_first { "a" } else { "z" });
    // Baseline 36 of 300: centre 0.12, median 6; P(X ≥ 14) = 0.0018 and P(X ≥ 15) = 0.0006, so 14 is no signal yet.
    let with = |later: &[usize]| judge(&[&[6; BASELINE], later].concat(), &week).unwrap();
    let signals = |later: &[usize]| with(later).points.into_iter().skip(BASELINE).map(|p| p.signals).collect::<Vec<_>>();
    assert!(judge(&[6; BASELINE], &week).is_none(), "too few say nothing");
    assert_eq!(signals(&[14, 15, 0]), [vec![], vec![Rule::BeyondLimit], vec![]]);
    let mut run = vec![Vec::new(); 7];
    run.push(vec![Rule::Run]);
    assert_eq!(signals(&[7; 8]), run);
    assert_eq!(signals(&[5; 8]), run);
    assert!(signals(&[7, 7, 7, 7, 7, 7, 7, 6, 7]).iter().all(Vec::is_empty), "the middle is on no side");
    // A run speaks from its first point on, one point beyond a limit for itself.
    let change = drift(&with(&[6, 7, 7, 7, 7, 7, 7, 7, 7]), &week).unwrap();
    assert_eq!((change.rules, change.since_week.as_str(), change.decisions), (vec![Rule::Run], "7a", 400));
    let change = drift(&with(&[6, 16, 9, 15]), &week).unwrap();
    assert_eq!((change.rules, change.since_week.as_str(), change.decisions), (vec![Rule::BeyondLimit], "7a", 150));
    assert!((change.now - 40.0 / 150.0).abs() < 1e-12 && (change.before - 0.12).abs() < 1e-12 && change.is_more);
    // What has passed is no warning; the points stay marked.
    assert!(drift(&with(&[16, 6, 5, 7]), &week).is_some());
    let passed = with(&[16, 6, 5, 7, 6]);
    assert!(drift(&passed, &week).is_none() && is_signal(&passed));
    // What a person rejects less than before is a change too.
    let less = judge(&[[20; BASELINE].as_slice(), &[5]].concat(), &week).unwrap();
    assert!(drift(&less, &week).is_some_and(|drift| !drift.is_more));
}

#[test]
fn one_scanner_of_several_is_named() {
    let model = Model { name: "A".into(), version: "1".into() };
    let mut random = Random(5);
    let of = |n: i64, random: &mut Random| {
        let name = if n % 2 == 0 { "Maker X" } else { "Maker Y" };
        let is_worse = n >= 1000 && name == "Maker Y";
        let is_rejected = random.chance(if is_worse { 0.4 } else { 0.1 });
        Proposal {
            model: model.clone(),
            scanner: Scanner { name: Some(name.into()), ..Scanner::default() },
            patient: n,
            verdict: if is_rejected { Verdict::Rejected(None) } else { Verdict::Accepted },
            proposed_at: at(n * 30),
            decided_at: Some(at(n * 30 + 5)),
        }
    };
    let all = Performance { proposals: (0..1400).map(|n| of(n, &mut random)).collect(), added: Vec::new() };
    let drifting: Vec<_> =
        all.charts().into_iter().filter(|chart| chart.drift.is_some()).map(|chart| (chart.what, chart.scanner)).collect();
    assert!(drifting.contains(&(Watched::Rejected, Some("Maker Y".into()))), "{drifting:?}");
    assert!(!drifting.iter().any(|(_, scanner)| scanner.as_deref() == Some("Maker X")), "{drifting:?}");
}
