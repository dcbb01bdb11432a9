use crate::support::{Image, new_record, ruler, write};
use mj_model::finding::{Origin, OriginKind};
use mj_model::person::Role;
use mj_model::{Coded as _, Finding, FindingState, StudyUid};
use mj_record::{Record, Watch};
use std::path::Path;

/// A record with two studies of one patient, half a year apart, and one of somebody else's.
async fn studies(dir: &Path) -> (Record, [StudyUid; 3]) {
    let record = new_record(dir).await;
    let of = |study, id: &str, date: &str| Image { patient_id: id.into(), date: date.into(), ..Image::new(study, 1) };
    let images = [of(1, "P1", "20250702"), of(2, "P1", "20260102"), of(3, "P3", "20260102")];
    write(&dir.join("in"), &images);
    record.import(&[dir.join("in")], &Watch::default()).await.unwrap();
    (record, images.map(|image| image.study_uid()))
}

async fn put(record: &Record, finding: Finding) -> Finding {
    record.put_finding(finding, "u1").await.unwrap().finding
}

#[tokio::test]
async fn only_two_studies_of_one_patient_in_order_are_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (record, [prior, current, other]) = studies(dir.path()).await;
    let two = record.studies_to_track(&prior, &current).await.unwrap();
    assert_eq!((two.interval_days, two.prior.study_uid, two.current.study_uid), (Some(184), prior.clone(), current.clone()));
    for (a, b, code) in [
        (&prior, &prior, "track.same_study"),
        (&current, &prior, "track.wrong_order"),
        (&prior, &other, "track.other_patient"),
        (&prior, &StudyUid::parse("1.2.3").unwrap(), "record.unknown_id"),
    ] {
        assert_eq!(record.studies_to_track(a, b).await.unwrap_err().code(), code);
    }
    // What was rejected or taken back takes no part.
    for (id, state) in
        [("a", FindingState::Accepted), ("b", FindingState::Rejected), ("c", FindingState::Deleted), ("d", FindingState::Proposed)]
    {
        put(&record, Finding { state, ..ruler(&prior, id, 8.0) }).await;
    }
    let taking_part: Vec<String> =
        record.studies_to_track(&prior, &current).await.unwrap().prior_findings.into_iter().map(|f| f.id).collect();
    assert_eq!(taking_part, ["a", "d"]);
}

#[tokio::test]
async fn the_prior_to_look_at_is_the_latest_earlier_one_of_the_patient_and_modality() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let of = |study, id: &str, date: &str, modality: &str| Image {
        patient_id: id.into(),
        date: date.into(),
        modality: modality.into(),
        ..Image::new(study, 1)
    };
    let images = [
        of(1, "P1", "20250102", "CT"),
        of(2, "P1", "20250702", "CT"),
        of(3, "P1", "20251002", "MR"),
        of(4, "P1", "20260102", "CT"),
        of(5, "P1", "20260302", "CT"),
        of(6, "P3", "20251202", "CT"),
        of(7, "", "20251203", "CT"),
        of(8, "", "20260103", "CT"),
    ];
    write(&dir.path().join("in"), &images);
    record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
    let study = |n: usize| images[n - 1].study_uid();
    put(&record, ruler(&study(2), "was", 8.0)).await;
    let prior = record.prior_of(&study(4)).await.unwrap().unwrap();
    assert_eq!((&prior.study, prior.findings[0].id.as_str(), prior.series.len()), (&study(2), "was", 1));
    assert_eq!(prior.series[0].1, "CT");
    // The first of all, one whose modality nobody had before, another's, and those of which nobody knows whose they are.
    for alone in [1, 3, 6, 7, 8] {
        assert_eq!(record.prior_of(&study(alone)).await.unwrap(), None, "{alone}");
    }
}

#[tokio::test]
async fn one_lesion_carries_one_number() {
    let dir = tempfile::tempdir().unwrap();
    let (record, [prior, current, other]) = studies(dir.path()).await;
    let a = put(&record, ruler(&prior, "a", 8.0)).await;
    let b = put(&record, ruler(&prior, "b", 9.0)).await;
    let device = Origin { who: OriginKind::Device, name: "Finder".into(), version: "2".into() };
    let x = put(&record, Finding { state: FindingState::Proposed, origin: device.clone(), ..ruler(&current, "x", 8.0) }).await;
    let y = put(&record, ruler(&current, "y", 8.0)).await;

    let joined = record.join_findings(&[(a.clone(), x.clone())], "u2").await.unwrap().remove(0);
    assert_eq!((joined.tracking_uid.clone(), joined.revision), (a.tracking_uid.clone(), 2));
    // Whose it is, is decided; whether it is one, is not.
    assert_eq!(
        (joined.state, joined.proposed_by.clone(), joined.origin.clone()),
        (FindingState::Proposed, Some(device), Origin::person("u2"))
    );
    assert_eq!(record.join_findings(&[(a.clone(), joined.clone())], "u2").await.unwrap()[0].revision, 2);
    // An edit by somebody who saw the first revision's number keeps the new one.
    let edited = put(&record, Finding { tracking_uid: x.tracking_uid.clone(), ..joined.clone() }).await;
    assert_eq!(edited.tracking_uid, a.tracking_uid);

    // All of them or none: y cannot have a number that x carries.
    let refused = record.join_findings(&[(b.clone(), edited.clone()), (b.clone(), y.clone())], "u2").await.unwrap_err();
    assert_eq!(refused.code(), "track.taken");
    assert_eq!(record.finding("x").await.unwrap(), edited);
    let z = put(&record, ruler(&other, "z", 8.0)).await;
    assert_eq!(record.join_findings(&[(a.clone(), z)], "u2").await.unwrap_err().code(), "track.other_patient");
    assert_eq!(record.join_findings(&[(a.clone(), b)], "u2").await.unwrap_err().code(), "track.same_study");
    assert_eq!(record.join_findings(&[(a.clone(), Finding { revision: 1, ..y })], "u2").await.unwrap_err().code(), "track.taken");

    let parted = record.part_finding(&edited, "u2").await.unwrap();
    assert_eq!(parted.revision, 4);
    assert!(parted.tracking_uid != a.tracking_uid && parted.tracking_uid != x.tracking_uid);
    assert_eq!(record.part_finding(&parted, "u2").await.unwrap(), parted, "it shares its number with nobody");
    assert!(record.audit_proof().await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn a_finding_names_everybody_whose_work_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let image = Image::new(1, 1);
    write(&dir.path().join("in"), std::slice::from_ref(&image));
    record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
    let first = record.add_person("住院医师丙", Role::Reporting).await.unwrap();
    let second = record.add_person("报告医师甲", Role::Reporting).await.unwrap();
    let made = record.put_finding(ruler(&image.study_uid(), "a", 8.0), &first.id).await.unwrap().finding;
    record.put_finding(Finding { state: FindingState::Edited, origin: Origin::person(&second.id), ..made }, &second.id).await.unwrap();
    let written = record.findings_as_sr(&image.study_uid(), mj_model::Lang::Zh).await.unwrap();
    let back = mj_dicom::sr::read(&mj_dicom::Dataset::read(&written.bytes).unwrap()).unwrap();
    // Who changed it last answers for it.
    assert_eq!(back.observers, ["报告医师甲=报告医师甲"]);
    assert_eq!(back.authors, ["报告医师甲=报告医师甲", "住院医师丙=住院医师丙"]);
}
