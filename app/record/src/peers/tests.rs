//! The services against each other on loopback, and against peers that misbehave. Orthanc and dcmtk are in
//! the end to end tests.

use super::*;
use mj_model::Coded as _;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    ops::ControlFlow,
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::sync::oneshot;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Keeps what comes, or says what it is told to say.
#[derive(Default)]
struct Shelf {
    kept: Mutex<Vec<Received>>,
    answer: Option<StoreStatus>,
    slow: Duration,
}

impl Sink for Shelf {
    fn store(&self, received: Received) -> Stored<'_> {
        Box::pin(async move {
            tokio::time::sleep(self.slow).await;
            self.kept.lock().unwrap().push(received);
            self.answer.unwrap_or(StoreStatus::Stored)
        })
    }
}

struct Running {
    server: Server,
    stop: oneshot::Sender<()>,
    peer: Peer,
}

async fn start(shelf: &Arc<Shelf>, change: impl FnOnce(&mut ServeConfig)) -> Running {
    let mut config = ServeConfig::new("MINGJING", LOOPBACK);
    config.timeout = Duration::from_secs(5);
    change(&mut config);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(config, Arc::clone(shelf) as Arc<dyn Sink>, async move { drop(stopped.await) }).await.unwrap();
    let mut peer = Peer::new("127.0.0.1", server.local_addr.port(), "MINGJING", "TESTER");
    peer.timeout = Duration::from_secs(5);
    Running { server, stop, peer }
}

impl Running {
    async fn end(self) {
        self.stop.send(()).unwrap();
        self.server.finished().await;
    }
}

/// A part-10 object with some bytes of pixels.
fn object(instance: &InstanceUid, pixels: usize) -> Vec<u8> {
    let mut file = part10::head(CT, instance.as_str(), EXPLICIT, "TESTER");
    dataset::push(&mut file, true, (0x0008, 0x0016), *b"UI", CT.as_bytes());
    dataset::push(&mut file, true, (0x0008, 0x0018), *b"UI", instance.as_str().as_bytes());
    file.extend([0xE0, 0x7F, 0x10, 0, b'O', b'W', 0, 0]);
    file.extend(u32::try_from(pixels).unwrap().to_le_bytes());
    file.extend((0..pixels).map(|i| u8::try_from(i % 251).unwrap()));
    file
}

fn item(instance: &InstanceUid, bytes: Vec<u8>) -> StoreItem {
    StoreItem::new(instance.clone(), SopClassUid::parse(CT).unwrap(), TransferSyntaxUid::parse(EXPLICIT).unwrap(), bytes)
}

fn go(_: &InstanceUid, _: &StoreOutcome) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[tokio::test]
async fn what_is_sent_arrives_byte_for_byte() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |_| {}).await;
    assert!(echo(&running.peer).await.unwrap() < Duration::from_secs(5));
    // Around the size of one PDU, and far past it.
    let sizes = [0, 2, 131_000, 131_058, 131_060, 131_072, 524_288, 3_000_000];
    let objects: Vec<_> = sizes.iter().map(|&n| (InstanceUid::fresh(), n)).map(|(uid, n)| (uid.clone(), object(&uid, n))).collect();
    let report = store(&running.peer, objects.iter().map(|(uid, bytes)| item(uid, bytes.clone())), go).await.unwrap();
    assert_eq!((report.accepted, report.refused, report.associations), (8, 0, 1));
    running.end().await;
    let kept = shelf.kept.lock().unwrap();
    for ((uid, sent), got) in objects.iter().zip(kept.iter()) {
        assert_eq!((&got.instance, got.from_aet.as_str()), (uid, "TESTER"));
        let data = |bytes: &[u8]| bytes[mj_dicom::dataset::locate(bytes).unwrap().0..].to_vec();
        assert!(data(sent) == data(&got.bytes), "{} bytes differ", sent.len());
    }
}

/// Objects that came without preamble or without any meta group are stored as they came, and go out like any other.
#[tokio::test]
async fn objects_without_preamble_or_meta_are_sent() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |_| {}).await;
    let uid = InstanceUid::fresh();
    let whole = object(&uid, 64);
    let from = mj_dicom::dataset::locate(&whole).unwrap().0;
    // A meta group that names another native syntax than the data set is written in.
    let mut misnamed = part10::head(CT, uid.as_str(), "1.2.840.10008.1.2", "TESTER");
    misnamed.extend_from_slice(&whole[from..]);
    let items = [whole[132..].to_vec(), whole[from..].to_vec(), misnamed].map(|bytes| item(&uid, bytes));
    let report = store(&running.peer, items, go).await.unwrap();
    assert_eq!((report.accepted, report.unreadable, report.refused), (3, 0, 0));
    running.end().await;
    for got in shelf.kept.lock().unwrap().iter() {
        assert!(got.bytes.ends_with(&whole[from..]));
    }
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |c| (c.check_called_aet, c.allowed_callers) = (true, vec!["TESTER".into()])).await;
    let code = |peer: Peer| async move { echo(&peer).await.unwrap_err() };
    let unknown = code(Peer { calling_aet: "STRANGER".into(), ..running.peer.clone() }).await;
    assert_eq!((unknown.code(), unknown.is_retryable()), ("peer.calling_aet_unknown", false));
    let wrong = code(Peer { called_aet: "OTHER".into(), ..running.peer.clone() }).await;
    assert_eq!((wrong.code(), wrong.is_retryable()), ("peer.called_aet_unknown", false));
    let find = find(&running.peer, &FindQuery::studies()).await.unwrap_err();
    assert_eq!((find.code(), find.is_retryable()), ("peer.not_offered", false));
    let port = running.peer.port;
    running.end().await;
    let gone = code(Peer::new("127.0.0.1", port, "MINGJING", "TESTER")).await;
    assert_eq!((gone.code(), gone.is_retryable()), ("peer.unreachable", true));
}

#[tokio::test]
async fn statuses_of_the_sink_reach_the_sender() {
    for (answer, outcome, retry) in [
        (StoreStatus::OutOfResources, StoreOutcome::Refused { status: 0xA700, comment: "out of resources".into() }, true),
        (StoreStatus::Unreadable, StoreOutcome::Refused { status: 0xC000, comment: "cannot read the data set".into() }, false),
        (
            StoreStatus::Conflict,
            StoreOutcome::Accepted { status: 0xB007, comment: "same UID with other content, kept aside".into() },
            false,
        ),
        (StoreStatus::AlreadyPresent, StoreOutcome::Accepted { status: 0, comment: String::new() }, false),
    ] {
        let shelf = Arc::new(Shelf { answer: Some(answer), ..Shelf::default() });
        let running = start(&shelf, |_| {}).await;
        let uid = InstanceUid::fresh();
        let mut seen = Vec::new();
        let sent = store(&running.peer, [item(&uid, object(&uid, 64))], |_, o| {
            seen.push(o.clone());
            ControlFlow::Continue(())
        });
        sent.await.unwrap();
        assert_eq!((seen.as_slice(), seen[0].is_retryable()), (&[outcome][..], retry));
        running.end().await;
    }
}

#[tokio::test]
async fn what_is_not_what_it_says_is_refused() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |c| c.max_object_bytes = 100_000).await;
    let (uid, other) = (InstanceUid::fresh(), InstanceUid::fresh());
    // The command says CT, the data set itself something else.
    let mut other_class = part10::head(CT, uid.as_str(), EXPLICIT, "TESTER");
    dataset::push(&mut other_class, true, (0x0008, 0x0016), *b"UI", b"1.2.840.10008.5.1.4.1.1.4");
    dataset::push(&mut other_class, true, (0x0008, 0x0018), *b"UI", uid.as_str().as_bytes());
    let items = [
        item(&uid, other_class),
        item(&uid, object(&other, 64)),
        item(&uid, object(&uid, 200_000)),
        item(&uid, b"no dicom".to_vec()),
        StoreItem::later(uid.clone(), SopClassUid::parse(CT).unwrap(), TransferSyntaxUid::parse(EXPLICIT).unwrap(), || {
            Err(std::io::ErrorKind::NotFound.into())
        }),
        StoreItem::new(uid.clone(), SopClassUid::parse("1.2.3").unwrap(), TransferSyntaxUid::parse(EXPLICIT).unwrap(), object(&uid, 2)),
        item(&uid, object(&uid, 64)),
    ];
    let mut seen = Vec::new();
    let report = store(&running.peer, items, |_, o| {
        seen.push(match o {
            StoreOutcome::Refused { status, .. } => *status,
            StoreOutcome::Unreadable { .. } => 1,
            StoreOutcome::NotOffered => 2,
            StoreOutcome::Accepted { status, .. } => *status,
        });
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(seen, [0xA900, 0xA900, 0xA700, 1, 1, 2, 0]);
    assert_eq!((report.accepted, report.refused, report.unreadable), (1, 4, 2));
    running.end().await;
    assert_eq!(shelf.kept.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_server_says_later_and_a_stopped_one_finishes_the_instance() {
    let shelf = Arc::new(Shelf { slow: Duration::from_millis(700), ..Shelf::default() });
    let running = start(&shelf, |c| c.max_associations = 1).await;
    let (peer, uid) = (running.peer.clone(), InstanceUid::fresh());
    let sending = tokio::spawn(async move {
        let items: Vec<_> = (0..5).map(|_| item(&uid, object(&uid, 64))).collect();
        store(&peer, items, go).await
    });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let busy = echo(&running.peer).await.unwrap_err();
    assert_eq!((busy.code(), busy.is_retryable()), ("peer.busy", true));
    let start = Instant::now();
    running.end().await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let cut = sending.await.unwrap().unwrap_err();
    assert!(cut.is_retryable(), "{cut}");
    assert_eq!(shelf.kept.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_caller_may_stop_between_two_instances() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |_| {}).await;
    let uid = InstanceUid::fresh();
    let report = store(&running.peer, (0..5).map(|_| item(&uid, object(&uid, 64))), |_, _| ControlFlow::Break(())).await.unwrap();
    assert_eq!((report.accepted, report.stopped), (1, true));
    running.end().await;
}

/// A listener that reads a little, answers with given bytes and closes, or keeps quiet for a while.
fn misbehaving(answer: &'static [u8], quiet: Duration) -> Peer {
    let listener = TcpListener::bind(LOOPBACK).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        if let Ok((mut stream, _)) = listener.accept() {
            let mut some = [0; 64];
            drop(stream.read(&mut some));
            drop(stream.write_all(answer));
            std::thread::sleep(quiet);
        }
    });
    Peer { timeout: Duration::from_millis(400), ..Peer::new("127.0.0.1", port, "ODD", "TESTER") }
}

#[tokio::test]
async fn peers_that_misbehave_are_told_apart() {
    let at_once = Duration::ZERO;
    for (answer, quiet, code, retry) in [
        (&b""[..], at_once, "peer.cut", true),
        (b"", Duration::from_secs(1), "peer.timeout", true),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", at_once, "peer.protocol", false),
        (&[7, 0, 0, 0, 0, 4, 0, 0, 2, 1], at_once, "peer.aborted", true),
        (&[3, 0, 0, 0, 0, 4, 0, 1, 1, 1], at_once, "peer.rejected", false),
        (&[3, 0, 0, 0, 0, 4, 0, 2, 3, 1], at_once, "peer.busy", true),
        (&[2, 0, 0, 0, 0, 4, 0, 0, 0, 0], at_once, "peer.protocol", false),
        (&[4, 0, 0xFF, 0xFF, 0xFF, 0xFF], at_once, "peer.protocol", false),
    ] {
        let error = echo(&misbehaving(answer, quiet)).await.unwrap_err();
        // Closing with unread bytes resets the connection, which may overtake the answer.
        let overtaken = error.code() == "peer.cut" && !answer.is_empty();
        assert!(overtaken || (error.code(), error.is_retryable()) == (code, retry), "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn rubbish_does_not_stop_the_server() {
    let shelf = Arc::new(Shelf::default());
    let running = start(&shelf, |_| {}).await;
    for rubbish in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[1, 0, 0, 0, 0, 4, 0, 0, 0, 0],
        &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        &[4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 1, 3],
        b"",
    ] {
        let mut stream = std::net::TcpStream::connect(running.server.local_addr).unwrap();
        drop(stream.write_all(rubbish));
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream);
    }
    echo(&running.peer).await.unwrap();
    running.end().await;
}

#[test]
fn errors_name_no_host_and_each_code_once() {
    let mut codes = PeerError::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), PeerError::CODES.len());
    let unreachable = PeerError::Unreachable { address: "pacs.hospital:104".into(), source: std::io::ErrorKind::NotFound.into() };
    assert!(!unreachable.to_string().contains("pacs") && unreachable.args()[0].1.contains("pacs"));
}
