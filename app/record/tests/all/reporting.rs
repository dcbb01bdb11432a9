use crate::support::{Image, record_with_study, reopen, ruler};
use mj_model::person::Role;
use mj_model::{Coded as _, FindingState, Lang, StudyUid};
use mj_record::{Record, Report, SignRequest};
use mj_report::{Edit, EditSource, Op, SlotState, State, Template};

/// The smallest thing that passes for a PDF.
pub(crate) const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

pub(crate) fn typed(base: u64, at: usize, text: &str) -> Edit {
    Edit { base_revision: base, ops: vec![Op::Insert { block: "impression".into(), at, text: text.into() }], by: EditSource::Typing }
}

pub(crate) async fn draft(record: &Record, study: &StudyUid) -> Report {
    let template = Template::builtin("chest_ct").unwrap();
    record.new_report(study, &template, Lang::Zh, "u1").await.unwrap()
}

fn impression(report: &Report) -> String {
    report.document.block("impression").unwrap().plain()
}

#[tokio::test]
async fn typing_is_journalled_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let report = draft(&record, &study).await;
    let id = report.document.id.clone();
    let start = report.document.revision;
    let mut expected = impression(&report);
    for n in 0..130 {
        let at = expected.chars().count();
        let applied = record.apply(&id, typed(start + n, at, "节"), "u1").await.unwrap();
        assert_eq!(applied.revision, start + n + 1);
        expected.push('节');
    }
    drop(record);
    let record = reopen(dir.path()).await;
    let again = record.report(&id).await.unwrap();
    assert_eq!((impression(&again), again.document.revision), (expected, start + 130));
    assert_eq!(record.report(&again.short_id).await.unwrap(), again);
    assert_eq!(record.study_row(&study).await.unwrap().state.report, "draft");
    assert!(record.audit_proof().await.unwrap().broken_at.is_none());
}

#[tokio::test]
async fn an_edit_behind_is_moved_past_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let report = draft(&record, &study).await;
    let (id, base) = (report.document.id.clone(), report.document.revision);
    record.apply(&id, typed(base, 0, "右肺"), "u1").await.unwrap();
    let late = record.apply(&id, typed(base, 0, "B"), "u2").await.unwrap();
    assert_eq!(late.others.len(), 1);
    let text = impression(&record.report(&id).await.unwrap());
    assert!(text.starts_with("右肺B") || text.starts_with("B右肺"), "{text}");
    let ahead = record.apply(&id, typed(base + 99, 0, "x"), "u1").await.unwrap_err();
    assert_eq!(ahead.code(), "report.future_revision");
    let outside = record.apply(&id, typed(base + 2, 10_000, "x"), "u1").await.unwrap_err();
    assert_eq!(outside.code(), "report.bad_position");
    assert_eq!(record.report(&id).await.unwrap().document.revision, base + 2, "a refused edit leaves no trace");
}

#[tokio::test]
async fn undo_appends() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let report = draft(&record, &study).await;
    let (id, base) = (report.document.id.clone(), report.document.revision);
    let before = impression(&report);
    record.apply(&id, typed(base, 0, "a"), "u1").await.unwrap();
    record.apply(&id, typed(base + 1, 1, "b"), "u1").await.unwrap();
    let mut seen = Vec::new();
    for is_redo in [false, false, false, true, true, true, false] {
        let done = if is_redo { record.redo(&id, "u1").await } else { record.undo(&id, "u1").await }.unwrap();
        let text = impression(&record.report(&id).await.unwrap());
        seen.push((done.is_some(), text.strip_suffix(&before).unwrap().to_owned()));
    }
    let wanted = [(true, "a"), (true, ""), (false, ""), (true, "a"), (true, "ab"), (false, "ab"), (true, "a")];
    assert_eq!(seen, wanted.map(|(done, text)| (done, text.to_owned())));
    assert_eq!(record.report(&id).await.unwrap().document.revision, base + 2 + 5);
}

/// The chip of an open report follows its measurement in the same transaction.
#[tokio::test]
async fn a_chip_follows_its_finding() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let stored = record.put_finding(ruler(&study, "f-1", 12.3), "u1").await.unwrap();
    assert_eq!((stored.finding.revision, stored.finding.measurements[0].revision), (1, 1));
    let report = draft(&record, &study).await;
    let id = report.document.id.clone();
    let slot = mj_report::insert_number("impression", 0, &stored.finding, "m1").unwrap();
    let edit = Edit { base_revision: report.document.revision, ops: vec![slot], by: EditSource::Binding };
    record.apply(&id, edit, "u1").await.unwrap();

    let changed = record.put_finding(mj_model::Finding { revision: 1, ..ruler(&study, "f-1", 15.0) }, "u1").await.unwrap();
    assert_eq!((changed.finding.revision, changed.finding.measurements[0].revision), (2, 2));
    assert_eq!(changed.finding.tracking_uid, stored.finding.tracking_uid);
    assert_eq!(changed.edits.len(), 1);
    let now = record.report(&id).await.unwrap();
    assert!(impression(&now).starts_with("15.0\u{2009}mm"), "{}", impression(&now));
    assert_eq!(changed.edits[0].revision, now.document.revision);
    // Undo takes back the insertion, not what the station did by itself.
    record.undo(&id, "u1").await.unwrap().unwrap();
    assert!(!impression(&record.report(&id).await.unwrap()).contains("mm"));
    record.redo(&id, "u1").await.unwrap().unwrap();

    let stale = record.put_finding(mj_model::Finding { revision: 1, ..ruler(&study, "f-1", 1.0) }, "u2").await.unwrap_err();
    assert_eq!(stale.code(), "finding.stale");
    let deleted = mj_model::Finding { revision: 2, state: FindingState::Deleted, ..changed.finding };
    record.put_finding(deleted, "u1").await.unwrap();
    let document = record.report(&id).await.unwrap().document;
    assert_eq!(document.slots().next().unwrap().1.state, SlotState::Gone);
    assert_eq!(record.finding_history("f-1").await.unwrap().len(), 3);
    assert_eq!(record.findings(&study).await.unwrap().len(), 1);
}

/// A report may speak of the patient's prior study, and its chip follows there too; it may not speak of anybody
/// else.
#[tokio::test]
async fn a_chip_follows_the_prior_and_never_a_stranger() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let prior = Image { patient_id: "P7".into(), ..Image::new(2, 1) };
    let stranger = Image::new(3, 1);
    for image in [&prior, &stranger] {
        record.ingest_bytes(image.bytes(), "test").await.unwrap();
    }
    let before = record.put_finding(ruler(&prior.study_uid(), "prior", 8.0), "u1").await.unwrap().finding;
    let other = record.put_finding(ruler(&stranger.study_uid(), "stranger", 9.0), "u1").await.unwrap().finding;
    let report = draft(&record, &study).await;
    let (id, base) = (report.document.id.clone(), report.document.revision);
    let chip = |finding| Edit {
        base_revision: base,
        ops: vec![mj_report::insert_number("impression", 0, finding, "m1").unwrap()],
        by: EditSource::Binding,
    };

    let refused = record.apply(&id, chip(&other), "u1").await.unwrap_err();
    assert_eq!(refused.code(), "record.unknown_id");
    record.apply(&id, chip(&before), "u1").await.unwrap();
    let changed = record.put_finding(mj_model::Finding { revision: 1, ..ruler(&prior.study_uid(), "prior", 11.0) }, "u1").await.unwrap();
    assert_eq!(changed.edits.len(), 1);
    assert!(impression(&record.report(&id).await.unwrap()).starts_with("11.0\u{2009}mm"));
    let checks = record.check_report(&id).await.unwrap();
    assert!(checks.iter().all(|check| !check.rule.contains("gone") && !check.rule.contains("stale")), "{checks:?}");
}

async fn ready_to_sign(record: &Record, study: &StudyUid) -> String {
    let stored = record.put_finding(ruler(study, "f-1", 12.3), "u1").await.unwrap();
    let report = draft(record, study).await;
    let id = report.document.id.clone();
    let mut ops = vec![Op::Insert { block: "impression".into(), at: 0, text: "右肺结节，长径约".into() }];
    ops.push(mj_report::insert_number("impression", 8, &stored.finding, "m1").unwrap());
    record.apply(&id, Edit { base_revision: report.document.revision, ops, by: EditSource::Typing }, "u1").await.unwrap();
    id
}

pub(crate) async fn request(record: &Record, id: &str, person: &str, to: &[&str], is_countersign: bool) -> SignRequest {
    record.sheet_for_signing(id, person, is_countersign).await.unwrap();
    unseen_request(id, person, to)
}

/// A request whose sheet nobody looked at in this process.
pub(crate) fn unseen_request(id: &str, person: &str, to: &[&str]) -> SignRequest {
    SignRequest {
        report: id.into(),
        person: person.into(),
        pdf: PDF.into(),
        deliver_to: to.iter().map(|&s| s.to_owned()).collect(),
        reasons: vec![],
    }
}

pub(crate) async fn sign_one(record: &Record, study: &StudyUid, to: &[&str]) -> mj_record::Signed {
    let id = ready_to_sign(record, study).await;
    let writer = record.add_person("演示医师甲", Role::Reporting).await.unwrap();
    record.sign(request(record, &id, &writer.id, to, false).await).await.unwrap()
}

#[tokio::test]
async fn signed_twice_and_never_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let signed = sign_one(&record, &study, &[]).await;
    let id = signed.report.document.id.clone();
    assert_eq!((signed.report.state, signed.report.signatures.len()), (State::Preliminary, 1));
    let refused = record.apply(&id, typed(signed.report.document.revision, 0, "x"), "u1").await.unwrap_err();
    assert_eq!(refused.code(), "report.signed");
    // A finding that moves on leaves the signed text alone.
    let moved = record.put_finding(mj_model::Finding { revision: 1, ..ruler(&study, "f-1", 20.0) }, "u1").await.unwrap();
    assert!(moved.edits.is_empty());

    let same = record.sheet_for_signing(&id, "演示医师甲", true).await.unwrap_err();
    assert_eq!(same.code(), "report.wrong_role");
    let reviewer = record.add_person("演示医师乙", Role::Reviewing).await.unwrap();
    let last = record.countersign(request(&record, &id, &reviewer.id, &[], true).await).await.unwrap();
    assert_eq!((last.report.state, last.report.signatures.len()), (State::Final, 2));
    assert_eq!(last.report.document, signed.report.document);
    let verified = record.verify(&id).await.unwrap();
    assert!(verified.valid && verified.changed.is_empty(), "{verified:?}");
    assert_eq!(verified.signed_by, "演示医师甲, 演示医师乙");
    assert_eq!(record.signed_pdf(&id).await.unwrap(), PDF);

    // The structured report says what was signed, not what was measured since.
    let sr = mj_dicom::sr::read(&mj_dicom::Dataset::read(&record.signed_sr(&id).await.unwrap()).unwrap()).unwrap();
    assert_eq!(sr.findings.len(), 1);
    assert!((sr.findings[0].measurements[0].quantity.value - 12.3).abs() < 1e-9);
    let sheet = record.sheet(&id).await.unwrap();
    assert_eq!(sheet.reporting.unwrap().name, "演示医师甲");
    assert_eq!(sheet.reviewing.unwrap().name, "演示医师乙");
    assert_eq!(sheet.patient.name.show(), "示例一");
    let row = record.study_row(&study).await.unwrap();
    assert_eq!(row.state.report, "final");
    assert_eq!(row.modalities, ["CT", "DOC", "SR"]);
    assert!(
        record
            .countersign(SignRequest {
                report: id.clone(),
                person: reviewer.id.clone(),
                pdf: PDF.into(),
                deliver_to: vec![],
                reasons: vec![]
            })
            .await
            .is_err()
    );

    let addendum = record.amend(&id, mj_report::life::AmendKind::Addendum, &reviewer.id).await.unwrap();
    assert_eq!((addendum.state, addendum.amends.unwrap().report), (State::Draft, id));
    assert!(record.audit_proof().await.unwrap().broken_at.is_none());
    let whats: Vec<String> = record.audit(100).await.unwrap().into_iter().map(|entry| entry.what).collect();
    for what in ["import", "finding.stored", "report.edited", "report.signed", "report.countersigned", "person.added"] {
        assert!(whats.iter().any(|w| w == what), "{what}: {whats:?}");
    }
}

/// What the PDF was typeset from must be what is signed.
#[tokio::test]
async fn a_change_after_the_sheet_stops_signing() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let id = ready_to_sign(&record, &study).await;
    let writer = record.add_person("演示医师甲", Role::Reporting).await.unwrap();
    let request = request(&record, &id, &writer.id, &[], false).await;
    let revision = record.report(&id).await.unwrap().document.revision;
    record.apply(&id, typed(revision, 0, "改"), "u1").await.unwrap();
    assert_eq!(record.sign(request.clone()).await.unwrap_err().code(), "report.changed_meanwhile");
    assert_eq!(record.report(&id).await.unwrap().state, State::Draft);
    let engineer = record.add_person("演示工程师", Role::Engineer).await.unwrap();
    let wrong = SignRequest { person: engineer.id, ..request.clone() };
    assert_eq!(record.sign(wrong).await.unwrap_err().code(), "report.wrong_role");
    let nowhere = SignRequest { deliver_to: vec!["NOWHERE".into()], ..request };
    assert_eq!(record.sign(nowhere).await.unwrap_err().code(), "record.unknown_id");
    assert_eq!(record.outbox().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_preliminary_report_can_be_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let signed = sign_one(&record, &study, &[]).await;
    let id = signed.report.document.id;
    let report = record.reopen(&id, "u2").await.unwrap();
    assert_eq!((report.state, report.signatures.len()), (State::Draft, 0));
    record.apply(&id, typed(report.document.revision, 0, "补"), "u1").await.unwrap();
    assert!(record.verify(&id).await.is_err());
    let again = record.sign(request(&record, &id, "演示医师甲", &[], false).await).await.unwrap();
    assert_eq!((again.report.state, again.report.signatures.len()), (State::Preliminary, 1));
    assert!(record.verify(&id).await.unwrap().valid);
}

#[tokio::test]
async fn key_images_go_into_the_sheet() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let image = mj_model::InstanceUid::parse("1.2.826.0.1.7.1.1").unwrap();
    let png = b"\x89PNG\r\n\x1a\nnot really".to_vec();
    let stored = record.put_key_image(&study, &image, png.clone(), "横断面 W1500 L-600", "u1").await.unwrap();
    let twice = record.put_key_image(&study, &image, png.clone(), "横断面 W1500 L-600", "u1").await.unwrap();
    assert_eq!(stored.id, twice.id);
    assert_eq!(record.key_image_png(&stored.id).await.unwrap(), png);
    assert!(record.put_key_image(&study, &image, b"GIF89a".to_vec(), "", "u1").await.is_err());
    let signed = sign_one(&record, &study, &[]).await;
    record.use_key_image(&stored.id, false, "u1").await.unwrap();
    let sheet = record.sheet(&signed.report.document.id).await.unwrap();
    assert_eq!(sheet.pictures.len(), 1, "what was signed stays");
    assert!(record.verify(&signed.report.document.id).await.unwrap().valid);
}

/// What JSON cannot carry is refused at the door: once stored as null, a study's findings could never be read again.
#[tokio::test]
async fn numbers_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let line = ruler(&study, "f1", f64::NAN);
    let mut value = ruler(&study, "f2", 3.0);
    value.measurements[0].quantity.value = f64::INFINITY;
    for finding in [line, value] {
        let refused = record.put_finding(finding, "u1").await.unwrap_err();
        assert_eq!(refused.code(), "record.unusable_value");
    }
    assert!(record.findings(&study).await.unwrap().is_empty());

    let plane = |x: f64| mj_model::plan::CutPlane { point: [x, 0.0, 0.0].into(), normal: [0.0, 0.0, 1.0].into() };
    let mut plan = mj_model::plan::Plan {
        id: "p1".into(),
        revision: 0,
        study: study.clone(),
        name: "示例".into(),
        inputs: Vec::new(),
        steps: vec![mj_model::plan::PlanStep::Cut { segment: "g1".into(), plane: plane(f64::NAN) }],
        results: Vec::new(),
        origin: ruler(&study, "f1", 1.0).origin,
        at: mj_model::clock::now(),
    };
    assert_eq!(record.put_plan(plan.clone(), "u1").await.unwrap_err().code(), "record.unusable_value");
    plan.steps = vec![mj_model::plan::PlanStep::Cut { segment: "g1".into(), plane: plane(1.0) }];
    plan.results = vec![mj_model::plan::PlanResult {
        name: "remnant".into(),
        volume_ml: 1.0,
        mesh_volume_ml: 1.0,
        interval_ml: (0.5, f64::INFINITY),
        percent: 50.0,
    }];
    assert_eq!(record.put_plan(plan.clone(), "u1").await.unwrap_err().code(), "record.unusable_value");
    plan.results.clear();
    record.put_plan(plan, "u1").await.unwrap();
    let image = Image::new(7, 1);
    let segment = mj_model::plan::Segment {
        id: "g1".into(),
        revision: 0,
        study: study.clone(),
        series: mj_model::SeriesUid::parse(&image.series).unwrap(),
        label: "示例".into(),
        kind: None,
        seg_instance: image.instance_uid(),
        number: 1,
        voxels: 0,
        volume_ml: 0.0,
        mesh_volume_ml: 0.0,
        box_lps: ([f64::INFINITY; 3].into(), [f64::NEG_INFINITY; 3].into()),
        made_by: serde_json::Value::Null,
        origin: ruler(&study, "f1", 1.0).origin,
        at: mj_model::clock::now(),
    };
    assert_eq!(record.put_segment(segment, "u1").await.unwrap_err().code(), "record.unusable_value");
}

/// A chip that an undo brings back shows what its finding says now, not what it said when the chip was taken out.
#[tokio::test]
async fn what_undo_brings_back_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let id = ready_to_sign(&record, &study).await;
    let document = record.report(&id).await.unwrap().document;
    assert!(document.block("impression").unwrap().plain().starts_with("右肺结节，长径约12.3\u{2009}mm"));
    let out = Edit {
        base_revision: document.revision,
        ops: vec![Op::Delete { block: "impression".into(), at: 8, len: 1 }],
        by: EditSource::Typing,
    };
    record.apply(&id, out, "u1").await.unwrap();
    record.put_finding(mj_model::Finding { revision: 1, ..ruler(&study, "f-1", 14.0) }, "u1").await.unwrap();
    let undone = record.undo(&id, "u1").await.unwrap().unwrap();
    let now = record.report(&id).await.unwrap().document;
    assert!(impression(&record.report(&id).await.unwrap()).starts_with("右肺结节，长径约14.0\u{2009}mm"), "{}", now.plain());
    let slot = now.slots().next().unwrap().1;
    assert_eq!((slot.state, slot.finding_revision), (SlotState::Verified, 2));
    // Whoever keeps a copy gets there by what was told.
    assert_eq!(undone.last_revision(), now.revision);
    let mut copy = document;
    copy.apply(&[Op::Delete { block: "impression".into(), at: 8, len: 1 }]).unwrap();
    copy.apply(&undone.ops).unwrap();
    copy.apply(&undone.caught_up).unwrap();
    assert_eq!(copy.blocks, now.blocks);

    // An edit that was made before the finding moved on and arrives after it.
    let late = mj_report::insert_number("impression", 0, &ruler_at(&study, 1, 12.3), "m1").unwrap();
    let applied = record.apply(&id, Edit { base_revision: now.revision, ops: vec![late], by: EditSource::Binding }, "u1").await.unwrap();
    let report = record.report(&id).await.unwrap();
    assert!(impression(&report).starts_with("14.0\u{2009}mm"), "{}", impression(&report));
    assert_eq!(applied.last_revision(), report.document.revision);
}

fn ruler_at(study: &StudyUid, revision: u32, length_mm: f64) -> mj_model::Finding {
    mj_model::Finding { revision, ..ruler(study, "f-1", length_mm) }
}

#[tokio::test]
async fn a_report_opened_again_shows_the_present_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let id = sign_one(&record, &study, &[]).await.report.document.id;
    record.put_finding(ruler_at(&study, 1, 14.0), "u1").await.unwrap();
    assert!(impression(&record.report(&id).await.unwrap()).contains("12.3"));
    let report = record.reopen(&id, "u2").await.unwrap();
    assert!(impression(&report).contains("14.0\u{2009}mm"), "{}", impression(&report));
}

/// What was made later is no comparison.
#[tokio::test]
async fn only_an_earlier_study_is_compared_with() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let of =
        |study, date: &str| Image { patient_id: "P7".into(), date: date.into(), description: format!("of {date}"), ..Image::new(study, 1) };
    let prefilled = || async {
        let report = draft(&record, &study).await;
        report.document.plain()
    };
    record.ingest_bytes(of(21, "20270303").bytes(), "test").await.unwrap();
    assert!(!prefilled().await.contains("of 20270303"));
    for image in [of(22, "20250101"), of(23, "20251231")] {
        record.ingest_bytes(image.bytes(), "test").await.unwrap();
    }
    let text = prefilled().await;
    assert!(text.contains("2025-12-31") && !text.contains("2027") && !text.contains("2025-01-01"), "{text}");
    assert_eq!(record.study(&study).await.unwrap().priors.len(), 3, "the study page lists all of them");
}

/// A correction takes the place of the report it corrects; an addendum stands beside the one it adds to.
#[tokio::test]
async fn only_a_correction_names_its_predecessor() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let id = sign_one(&record, &study, &[]).await.report.document.id;
    let reviewer = record.add_person("演示医师乙", Role::Reviewing).await.unwrap();
    record.countersign(request(&record, &id, &reviewer.id, &[], true).await).await.unwrap();
    for (kind, wanted) in [(mj_report::life::AmendKind::Addendum, false), (mj_report::life::AmendKind::Corrected, true)] {
        let amendment = record.amend(&id, kind, &reviewer.id).await.unwrap().document;
        record.apply(&amendment.id, typed(amendment.revision, 0, "补充说明。"), "u1").await.unwrap();
        record.sign(request(&record, &amendment.id, "演示医师甲", &[], false).await).await.unwrap();
        let names = |bytes: Vec<u8>| mj_dicom::Dataset::read(&bytes).unwrap().root().has(dicom_core::Tag(0x0040, 0xA360));
        assert_eq!(names(record.signed_sr(&amendment.id).await.unwrap()), wanted, "{kind:?}");
    }
}

/// A file is held against what was signed.
#[tokio::test]
async fn a_file_is_verified_against_what_was_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 2).await;
    let id = sign_one(&record, &study, &[]).await.report.document.id;
    let (sr, pdf) = (record.signed_sr(&id).await.unwrap(), record.signed_pdf(&id).await.unwrap());
    for file in [&sr, &pdf] {
        let verified = record.verify_file(file).await.unwrap();
        assert_eq!((verified.valid, verified.signed_by.as_str()), (true, "演示医师甲"), "{verified:?}");
    }
    let mut forged = sr.clone();
    let at = forged.windows(4).position(|w| w == "12.3".as_bytes()).unwrap();
    forged[at] = b'9';
    let verified = record.verify_file(&forged).await.unwrap();
    assert_eq!((verified.valid, verified.changed.as_slice()), (false, &["sr".to_owned()][..]));
    assert!(!record.verify_file(&[&pdf[..], b"\n"].concat()).await.unwrap().valid);
    assert_eq!(record.verify_file(&Image::new(7, 1).bytes()).await.unwrap_err().code(), "report.not_signed");
    record.reopen(&id, "u2").await.unwrap();
    assert_eq!(record.verify_file(&sr).await.unwrap().changed, ["reopened"]);
}
