use crate::reporting::sign_one;
use crate::support::{Image, new_record, record_with_study, reopen};
use mj_model::Coded as _;
use mj_record::{OutboxState, Record, Server, Watch};

async fn add_server(record: &Record, name: &str, port: u16) {
    let server = Server { name: name.into(), host: "127.0.0.1".into(), port, aet: "PACS".into(), our_aet: "MINGJING".into() };
    record.add_server(server).await.unwrap();
}

/// Another record plays the hospital.
#[tokio::test(flavor = "multi_thread")]
async fn signed_objects_reach_the_hospital() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pacs = new_record(theirs.path()).await;
    let server = pacs.serve("PACS", "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (record, study) = record_with_study(ours.path(), 3).await;
    add_server(&record, "pacs", server.local_addr().port()).await;
    assert!(record.echo("pacs").await.is_ok());
    let signed = sign_one(&record, &study, &["pacs"]).await;
    assert_eq!(record.outbox().await.unwrap().len(), 2);
    assert_eq!(record.study_row(&study).await.unwrap().state.outbox, "waiting");
    let images: Vec<_> = (1..=3).map(|n| Image::new(7, n).instance_uid()).collect();
    record.enqueue(&images, "pacs").await.unwrap();
    let report = record.flush(&Watch::default()).await.unwrap();
    assert_eq!((report.accepted, report.failed, report.postponed), (5, 0, 0));
    let rows = record.outbox().await.unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Accepted && row.attempts == 1 && row.reason.is_none()), "{rows:?}");
    assert_eq!(rows[0].evidence.as_ref().unwrap()["status"], "0000");
    assert_eq!(record.study_row(&study).await.unwrap().state.outbox, "accepted");
    for instance in images.iter().chain([&signed.sr, &signed.pdf]) {
        let (a, b) = (record.object_bytes(instance).await.unwrap(), pacs.object_bytes(instance).await.unwrap());
        assert_eq!(mj_dicom::dataset_sha256(&a).unwrap(), mj_dicom::dataset_sha256(&b).unwrap());
    }
    // Again: nothing is sent twice, nothing doubles.
    record.enqueue(&images, "pacs").await.unwrap();
    assert_eq!(record.flush(&Watch::default()).await.unwrap().accepted, 0);
    assert_eq!(record.outbox().await.unwrap().len(), 5);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_hospital_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (record, study) = record_with_study(dir.path(), 3).await;
    // A port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    add_server(&record, "pacs", port).await;
    record.enqueue(&[Image::new(7, 1).instance_uid(), Image::new(7, 2).instance_uid()], "pacs").await.unwrap();
    let report = record.flush(&Watch::default()).await.unwrap();
    assert_eq!((report.accepted, report.postponed), (0, 2));
    let rows = record.outbox().await.unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Waiting && row.reason.as_deref() == Some("peer.unreachable")), "{rows:?}");
    assert_eq!(record.study_row(&study).await.unwrap().state.outbox, "waiting");
    for _ in 0..11 {
        record.flush(&Watch::default()).await.unwrap();
    }
    let rows = record.outbox().await.unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Parked && row.state.needs_person()), "{rows:?}");
    // A person tries anew.
    record.enqueue(&[Image::new(7, 1).instance_uid()], "pacs").await.unwrap();
    assert_eq!(record.outbox().await.unwrap()[0].state, OutboxState::Waiting);
    assert!(record.enqueue(&[Image::new(99, 1).instance_uid()], "pacs").await.is_err());
    assert!(record.enqueue(&[], "nobody").await.is_err());
}

/// A server would take a part for the whole.
#[tokio::test]
async fn an_image_cut_short_is_never_sent() {
    let dir = tempfile::tempdir().unwrap();
    let (record, _) = record_with_study(dir.path(), 2).await;
    add_server(&record, "pacs", 11_112).await;
    let image = Image::new(7, 3);
    let bytes = image.bytes();
    record.ingest_bytes(bytes[..bytes.len() - 50].to_vec(), "a").await.unwrap();
    let all: Vec<_> = (1..=3).map(|n| Image::new(7, n).instance_uid()).collect();
    let refused = record.enqueue(&all, "pacs").await.unwrap_err();
    assert_eq!((refused.code(), refused.args()), ("outbox.cut_short", vec![("id", image.instance.clone())]));
    assert!(record.outbox().await.unwrap().is_empty());
    record.ingest_bytes(bytes, "b").await.unwrap();
    record.enqueue(&all, "pacs").await.unwrap();
    assert_eq!(record.outbox().await.unwrap().len(), 3);
}

/// Two processes deliver at once: each row goes out by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn two_senders_share_the_rows() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pacs = new_record(theirs.path()).await;
    let server = pacs.serve("PACS", "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (a, _) = record_with_study(ours.path(), 80).await;
    let b = reopen(ours.path()).await;
    add_server(&a, "pacs", server.local_addr().port()).await;
    let images: Vec<_> = (1..=80).map(|n| Image::new(7, n).instance_uid()).collect();
    a.enqueue(&images, "pacs").await.unwrap();
    let other = tokio::spawn(async move { b.flush(&Watch::default()).await.unwrap().accepted });
    let accepted = a.flush(&Watch::default()).await.unwrap().accepted + other.await.unwrap();
    assert_eq!(accepted, 80);
    let rows = a.outbox().await.unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Accepted && row.attempts == 1), "each row was tried once");
    server.stop().await;
}
