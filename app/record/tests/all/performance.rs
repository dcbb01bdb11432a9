//! What people decide on what models propose, through the record's door.

use crate::support::{CT, Image, new_record, write};
use mj_model::finding::{ImageRef, Origin, OriginKind};
use mj_model::{Code, Finding, FindingState, Geometry, Held, InstanceUid, PointLps, SeriesUid, SopClassUid, StudyUid};
use mj_record::performance::{By, Performance, Verdict};
use mj_record::{Record, Watch};
use std::path::Path;

fn nodule() -> Code {
    Code::new("SCT", "27925004", "Nodule", "结节")
}

fn reason() -> Code {
    mj_report::codes::reasons().remove(0)
}

/// What a device says on the first image of a study.
fn proposed(image: &Image, id: &str, version: &str) -> Finding {
    let geometry = Geometry::line(PointLps::new(0.0, 0.0, 1.0), PointLps::new(5.0, 0.0, 1.0));
    let device = Origin { who: OriginKind::Device, name: "Finder".into(), version: version.into() };
    let (study, series) = (StudyUid::parse(&image.study).unwrap(), SeriesUid::parse(&image.series).unwrap());
    let sop_class = SopClassUid::parse(CT).unwrap();
    Finding {
        state: FindingState::Proposed,
        kind: nodule(),
        images: vec![ImageRef { instance: InstanceUid::parse(&image.instance).unwrap(), sop_class, frame: None }],
        proposed_by: Some(device.clone()),
        origin: device,
        ..Finding::new(id.into(), study, series, geometry, "")
    }
}

async fn put(record: &Record, finding: Finding) -> Finding {
    record.put_finding(finding, "u1").await.unwrap().finding
}

async fn record_of(dir: &Path, images: &[Image]) -> Record {
    let record = new_record(dir).await;
    write(&dir.join("in"), images);
    record.import(&[dir.join("in")], &Watch::default()).await.unwrap();
    record
}

/// Models and verdicts, in the order in which they were proposed.
fn verdicts(all: &Performance) -> Vec<(&str, Verdict)> {
    all.proposals.iter().map(|p| (p.model.version.as_str(), p.verdict.clone())).collect()
}

#[tokio::test]
async fn decisions_are_counted_as_they_were_made_and_told_with_what_took_the_images() {
    let dir = tempfile::tempdir().unwrap();
    let silent = Image { scanner: ["", "", "", ""].map(str::to_owned), ..Image::new(2, 1) };
    let images = [Image::new(1, 1), silent];
    let record = record_of(dir.path(), &images).await;
    for (id, version) in [("accept", "1"), ("edit", "1"), ("reject", "1"), ("delete", "1"), ("undo", "2"), ("wait", "2")] {
        put(&record, proposed(&images[0], id, version)).await;
    }
    let held = Finding { held: Some(Held::OtherSide), ..proposed(&images[1], "held", "1") };
    put(&record, held).await;
    record.accept_finding("accept", "u1").await.unwrap();
    let mut edited = record.accept_finding("edit", "u1").await.unwrap().finding;
    edited.geometry = Geometry::line(PointLps::new(0.0, 0.0, 1.0), PointLps::new(9.0, 0.0, 1.0));
    put(&record, Finding { state: FindingState::Edited, ..edited }).await;
    record.reject_finding("reject", reason(), "u2").await.unwrap();
    let gone = record.finding("delete").await.unwrap();
    put(&record, Finding { state: FindingState::Deleted, ..gone }).await;
    let before = record.finding("undo").await.unwrap();
    let accepted = record.accept_finding("undo", "u1").await.unwrap().finding;
    put(&record, Finding { revision: accepted.revision, ..before }).await;
    // Drawn by a person: beside the model and of its kind; of another kind; where no result fits its images.
    let draw = |image: &Image, id: &str, kind: Code| {
        let origin = Origin::person("u1");
        Finding { state: FindingState::Accepted, kind, proposed_by: None, origin, ..proposed(image, id, "") }
    };
    put(&record, draw(&images[0], "drawn", nodule())).await;
    put(&record, draw(&images[0], "mass", Code::new("SCT", "4147007", "Mass", "肿块"))).await;
    put(&record, draw(&images[0], "what", mj_model::code::known::unclassified_finding())).await;
    put(&record, draw(&images[1], "elsewhere", nodule())).await;

    let all = record.performance().await.unwrap();
    let wanted = [
        ("1", Verdict::Accepted),
        ("1", Verdict::Edited),
        ("1", Verdict::Rejected(Some(reason()))),
        ("1", Verdict::Rejected(None)),
        ("2", Verdict::Waiting),
        ("2", Verdict::Waiting),
        ("1", Verdict::Held(Held::OtherSide)),
    ];
    assert_eq!(verdicts(&all), wanted);
    let scanner = &all.proposals[0].scanner;
    let told = [&scanner.name, &scanner.kernel, &scanner.thickness_mm].map(|text| text.as_deref());
    assert_eq!(told, [Some("Maker Model X"), Some("B60f"), Some("1.25")]);
    assert_eq!(all.proposals[6].scanner, mj_record::performance::Scanner::default());
    // Two versions proposed in the study where it was drawn: either may have missed it.
    assert_eq!(all.added.iter().map(|added| added.model.version.as_str()).collect::<Vec<_>>(), ["1", "2"]);

    let rows = all.rows(&[By::Version]);
    let of: Vec<_> = rows.iter().map(|r| [r.proposed, r.waiting, r.held, r.accepted, r.edited, r.rejected, r.added]).collect();
    assert_eq!(of, [[5, 0, 1, 1, 1, 2, 1], [2, 2, 0, 0, 0, 0, 1]]);
    assert_eq!((rows[0].reasons.len(), rows[0].held_reasons.get("finding.other_side")), (1, Some(&1)));
    assert!(all.clone().since("2999-01-01".parse().unwrap()).total().is_none());
    assert!(all.leaving(&[]).is_withheld, "two patients are too few");
}

/// A record of 10,000 findings with a decision each, on 1,000 series.
#[tokio::test]
#[ignore = "a measurement: cargo xtask bench"]
async fn bench_decisions_on_ten_thousand_findings() {
    let dir = tempfile::tempdir().unwrap();
    let images: Vec<Image> = (1..=1000).map(|study| Image::new(study, 1)).collect();
    let record = record_of(dir.path(), &images).await;
    for (n, image) in images.iter().cycle().take(10_000).enumerate() {
        let id = format!("finding-{n}");
        put(&record, proposed(image, &id, "1")).await;
        match n % 5 {
            0 => drop(record.reject_finding(&id, reason(), "u1").await.unwrap()),
            _ => drop(record.accept_finding(&id, "u1").await.unwrap()),
        }
    }
    let mut times_ms = Vec::new();
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let all = record.performance().await.unwrap();
        let (rows, charts) = (all.rows(&[By::Model, By::Version, By::Scanner, By::Kernel, By::Thickness]), all.charts());
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!((rows[0].proposed, charts.len()), (10_000, 2));
    }
    mj_testdata::note("ledger of 10,000 findings on 1,000 series", "mingjing", "ms", &times_ms, "counts and charts");
}
