//! A viewer without pictures: opens what it is told, draws a ruler, and moves its end for ever. It writes down
//! what it was told and what was stored, for the test to read.

use mj_link::codec::{LineReader, LineWriter, Received};
use mj_link::{ToParent, ToViewer, ViewState};
use mj_model::{Finding, Geometry, Measurement, PointLps, SeriesUid, StudyUid};
use std::io::{BufReader, Write as _};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Time between two movements.
const EVERY: Duration = Duration::from_millis(15);

pub(crate) fn run() {
    let folder = std::path::PathBuf::from(std::env::var_os("PROOF_FOLDER").expect("PROOF_FOLDER"));
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("viewer.log")).unwrap();
    std::fs::write(folder.join("viewer.pid"), std::process::id().to_string()).unwrap();
    let mut out = LineWriter::new(std::io::stdout());
    let hello = ToParent::Hello { program: "fake".into(), pid: std::process::id(), backend: "none".into() };
    out.send(&hello).unwrap();
    let (send, messages) = sync_channel(64);
    std::thread::spawn(move || {
        let mut reader = LineReader::new(BufReader::new(std::io::stdin()));
        while let Ok(received) = reader.next::<ToViewer>() {
            match received {
                Received::Message(message) => send.send(Some(message)).unwrap(),
                Received::Noise(noise) => panic!("{noise}"),
                Received::End => break,
            }
        }
        let _gone = send.send(None);
    });
    let mut ruler: Option<Finding> = None;
    let mut open: Option<StudyUid> = None;
    let mut steps = 0.0;
    let mut is_answered = true;
    loop {
        match messages.recv_timeout(EVERY) {
            Ok(Some(ToViewer::OpenStudy { study, findings, view, .. })) => {
                steps = view.and_then(|v| v.window).map_or(0.0, |w| w.0);
                writeln!(log, "greeted {steps}").unwrap();
                ruler = findings.into_iter().find(|f| f.is_live());
                out.send(&ToParent::StudyShown { study: study.clone(), ms: 1 }).unwrap();
                open = Some(study);
            }
            Ok(Some(ToViewer::FindingStored { finding, .. })) => {
                writeln!(log, "stored {}", finding.revision).unwrap();
                ruler = Some(finding);
                is_answered = true;
            }
            Ok(Some(ToViewer::FindingRefused { error, .. })) => panic!("refused: {}", error.code),
            Ok(Some(ToViewer::Quit) | None) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Some(_)) | Err(RecvTimeoutError::Timeout) => {}
        }
        let Some(study) = open.clone().filter(|_| is_answered) else { continue };
        steps += 1.0;
        let next = moved(ruler.clone().unwrap_or_else(|| fresh(&study)), steps);
        is_answered = false;
        let view = ViewState { window: Some((steps, 1.0)), ..ViewState::default() };
        writeln!(log, "view {steps}").unwrap();
        out.send(&ToParent::ViewChanged { study: study.clone(), view }).unwrap();
        out.send(&ToParent::FindingChanged { study, finding: next }).unwrap();
    }
}

fn moved(mut finding: Finding, steps: f64) -> Finding {
    finding.geometry = Geometry::line(PointLps::new(0.0, 0.0, 0.0), PointLps::new(10.0 + steps / 10.0, 0.0, 0.0));
    let quantity = finding.geometry.sizes().remove(0);
    finding.measurements = vec![Measurement::new("length".into(), quantity)];
    finding
}

fn fresh(study: &StudyUid) -> Finding {
    let series = SeriesUid::parse(&format!("{study}.1")).unwrap();
    Finding::new(mj_model::uid::fresh(), study.clone(), series, Geometry::whole_image(), "p1")
}
