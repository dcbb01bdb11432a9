//! C-GET in the study root: instances arrive on the association that asked for them. (PS3.4 §C.4.3)

use super::{
    FindQuery, Key, Peer, PeerError, Received, Sink, StoreStatus,
    associate::{Accepted, Association, MAX_CONTEXTS, Proposed},
    classes::{N_PREFERRED, NATIVE, TRANSFER_SYNTAXES, USUAL_MODALITIES, classes_of_modality, is_storage_class},
    command::{Command, element, field},
    dataset, find, part10,
    status::StatusClass,
    wire::Message,
};
use dicom_dictionary_std::uids;
use mj_model::{InstanceUid, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

const MODEL: &str = uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_GET;
/// The largest data set taken, in bytes: a long cine loop fits, a lost peer does not fill the memory.
const MAX_DATA: usize = 2 << 30;
/// How often the wish to cancel is looked at.
const TICK: Duration = Duration::from_millis(200);

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetWhat {
    /// The study.
    pub study: StudyUid,
    /// Only this series of it.
    pub series: Option<SeriesUid>,
    /// Only these instances of the series.
    pub instances: Vec<InstanceUid>,
    /// The SOP classes that are in there; empty to ask the peer by C-FIND first.
    pub sop_classes: Vec<SopClassUid>,
}

impl GetWhat {
    /// A whole study.
    #[must_use]
    pub const fn study(study: StudyUid) -> Self {
        Self { study, series: None, instances: Vec::new(), sop_classes: Vec::new() }
    }

    /// One series.
    #[must_use]
    pub const fn series(study: StudyUid, series: SeriesUid) -> Self {
        Self { study, series: Some(series), instances: Vec::new(), sop_classes: Vec::new() }
    }

    fn encode(&self, explicit: bool) -> Vec<u8> {
        let level = if self.series.is_none() {
            "STUDY"
        } else if self.instances.is_empty() {
            "SERIES"
        } else {
            "IMAGE"
        };
        let mut out = Vec::with_capacity(256);
        dataset::push(&mut out, explicit, (0x0008, 0x0052), *b"CS", level.as_bytes());
        if level == "IMAGE" {
            // Not in tag order yet: (0008,0018) stands before (0008,0052).
            let list = self.instances.iter().map(InstanceUid::as_str).collect::<Vec<_>>().join("\\");
            let mut first = Vec::with_capacity(list.len() + 16);
            dataset::push(&mut first, explicit, (0x0008, 0x0018), *b"UI", list.as_bytes());
            first.append(&mut out);
            out = first;
        }
        dataset::push(&mut out, explicit, (0x0020, 0x000D), *b"UI", self.study.as_str().as_bytes());
        if let Some(series) = &self.series {
            dataset::push(&mut out, explicit, (0x0020, 0x000E), *b"UI", series.as_str().as_bytes());
        }
        out
    }
}

/// How a C-GET ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct GetReport {
    /// Instances handed to the sink and kept by it.
    pub kept: u32,
    /// Instances that came but that the sink did not keep.
    pub not_kept: u32,
    /// Sub-operations the peer counts as completed, with the warnings.
    pub completed: u32,
    /// Sub-operations the peer counts as failed, for example in a transfer syntax nobody agreed on.
    pub failed: u32,
    /// Sub-operations left undone by a cancel.
    pub remaining: u32,
    /// Whether it was stopped by the user.
    pub cancelled: bool,
    /// Final status (0000,0900).
    pub status: u16,
    /// Error Comment (0000,0902).
    pub comment: String,
}

impl GetReport {
    /// Everything asked for is kept.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.failed == 0 && self.not_kept == 0 && self.remaining == 0 && !self.cancelled
    }
}

/// Fetches a study or series. Every instance goes to the sink as a part-10 file before the peer hears that it
/// has arrived; `cancel` stops it between two instances.
///
/// # Errors
/// See [`PeerError`]. A peer that fails single instances is no error: the report counts them.
pub async fn get(peer: &Peer, what: &GetWhat, sink: &dyn Sink, cancel: &AtomicBool) -> Result<GetReport, PeerError> {
    let classes = if what.sop_classes.is_empty() {
        ask_for_classes(peer, what).await?
    } else {
        what.sop_classes.iter().map(|c| c.as_str().to_owned()).collect()
    };
    let association = Association::request(peer, &contexts(&classes), MAX_DATA).await?;
    let (mut association, context) = association.offering(MODEL, "C-GET").await?;
    let result = fetch(&mut association, &context, peer, what, sink, cancel).await;
    association.end(result).await
}

/// Which classes a study holds: from the peer's own list, else from the modalities, else the usual ones.
async fn ask_for_classes(peer: &Peer, what: &GetWhat) -> Result<BTreeSet<String>, PeerError> {
    let query = FindQuery::studies().matching(Key::StudyInstanceUid, what.study.as_str());
    let rows = match find(peer, &query).await {
        Ok(rows) => rows,
        // A peer may well answer C-GET only.
        Err(PeerError::NotOffered { .. } | PeerError::Failed { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut classes: BTreeSet<String> =
        rows.iter().flat_map(|r| &r.sop_classes).map(|c| c.as_str().to_owned()).filter(|c| is_storage_class(c)).collect();
    if classes.is_empty() {
        classes.extend(rows.iter().flat_map(|r| &r.modalities).flat_map(|m| classes_of_modality(m)).map(|&c| c.to_owned()));
    }
    if classes.is_empty() {
        classes.extend(USUAL_MODALITIES.iter().flat_map(|m| classes_of_modality(m)).map(|&c| c.to_owned()));
    }
    Ok(classes)
}

/// The query context, and for every class one context for the uncompressed pair and one for each compressed
/// transfer syntax, so that the peer can send each instance as it has it. When the classes are so many that
/// not all fit, the syntaxes least liked share one context, and then are left out.
fn contexts(classes: &BTreeSet<String>) -> Vec<Proposed> {
    let mut out = vec![Proposed::new(MODEL, &NATIVE)];
    let per_class = ((MAX_CONTEXTS - 1) / classes.len().max(1)).max(1);
    let compressed: Vec<&str> = TRANSFER_SYNTAXES.into_iter().filter(|t| !NATIVE.contains(t)).collect();
    for class in classes.iter().take(MAX_CONTEXTS - 1) {
        out.push(Proposed::new(class, &NATIVE).provided_by_us());
        let own = compressed.len().min(per_class.saturating_sub(1));
        let (alone, together) = if own < compressed.len() && own > 0 { compressed.split_at(own - 1) } else { compressed.split_at(own) };
        out.extend(alone.iter().map(|t| Proposed::new(class, &[t]).provided_by_us()));
        if own > 0 && !together.is_empty() {
            out.push(Proposed::new(class, together).provided_by_us());
        }
    }
    debug_assert!(out.len() <= MAX_CONTEXTS && N_PREFERRED <= TRANSFER_SYNTAXES.len(), "too many contexts");
    out
}

async fn fetch(
    association: &mut Association,
    context: &Accepted,
    peer: &Peer,
    what: &GetWhat,
    sink: &dyn Sink,
    cancel: &AtomicBool,
) -> Result<GetReport, PeerError> {
    let id = association.next_id();
    let command = Command::new(field::GET_RQ)
        .uid(element::AFFECTED_SOP_CLASS, MODEL)
        .number(element::MESSAGE_ID, id)
        .number(element::PRIORITY, 0)
        .with_data();
    let identifier = what.encode(context.transfer_syntax == NATIVE[0]);
    association.wire.send(context.id, &command, Some(&identifier)).await?;
    let mut report = GetReport::default();
    let mut waiting_since = Instant::now();
    loop {
        if cancel.load(Ordering::Relaxed) && !report.cancelled {
            report.cancelled = true;
            let stop = Command::new(field::CANCEL_RQ).number(element::RESPONDED_TO, id);
            association.wire.send(context.id, &stop, None).await?;
        }
        if !association.wire.readable(TICK).await? {
            if waiting_since.elapsed() > association.wire.patience() {
                return Err(PeerError::Timeout { step: "C-GET" });
            }
            continue;
        }
        let message = association.message("C-GET").await?;
        match message.command.kind() {
            field::STORE_RQ => {
                let (context, response) = take(association, peer, message, sink, &mut report).await;
                association.wire.send(context, &response, None).await?;
            }
            field::GET_RSP => {
                if let Some(done) = progress(&message.command, &mut report) {
                    return done.map(|()| report);
                }
            }
            _ => return Err(PeerError::Protocol { what: "an answer to something else" }),
        }
        waiting_since = Instant::now();
    }
}

/// Hands one instance to the sink and writes the answer to it.
async fn take(association: &Association, peer: &Peer, message: Message, sink: &dyn Sink, report: &mut GetReport) -> (u8, Command) {
    let (context, command) = (message.context, message.command.clone());
    let accepted = association.accepted.iter().find(|c| c.id == context).cloned();
    let status = match accepted.and_then(|c| received(message, &c, &peer.called_aet)) {
        Some(Ok(received)) => sink.store(received).await,
        Some(Err(status)) => status,
        None => StoreStatus::Unreadable,
    };
    if status.is_kept() {
        report.kept += 1;
    } else {
        report.not_kept += 1;
    }
    (context, Command::response(&command, status.code()).comment(status.comment()))
}

/// A C-STORE request as an instance; the refusal, where it is not what it says; `None` for a broken UID.
pub(super) fn received(message: Message, context: &Accepted, from_aet: &str) -> Option<Result<Received, StoreStatus>> {
    if message.too_long {
        return Some(Err(StoreStatus::OutOfResources));
    }
    let instance = InstanceUid::parse(&message.command.text(element::AFFECTED_SOP_INSTANCE)).ok()?;
    let sop_class = SopClassUid::parse(&message.command.text(element::AFFECTED_SOP_CLASS)).ok()?;
    let transfer_syntax = TransferSyntaxUid::parse(&context.transfer_syntax).ok()?;
    if sop_class.as_str() != context.sop_class || message.data.is_empty() {
        return Some(Err(StoreStatus::Mismatch));
    }
    let inside = dataset::sop_uids(&message.data, &context.transfer_syntax);
    let differs = |inside: Option<String>, said: &str| inside.is_some_and(|uid| uid != said);
    if differs(inside.class, sop_class.as_str()) || differs(inside.instance, instance.as_str()) {
        return Some(Err(StoreStatus::Mismatch));
    }
    let mut bytes = part10::head(sop_class.as_str(), instance.as_str(), transfer_syntax.as_str(), from_aet);
    bytes.reserve_exact(message.data.len());
    bytes.extend_from_slice(&message.data);
    Some(Ok(Received { bytes, instance, sop_class, transfer_syntax, from_aet: from_aet.to_owned() }))
}

/// Takes over the counts of a C-GET response; `Some` when it was the last.
fn progress(response: &Command, report: &mut GetReport) -> Option<Result<(), PeerError>> {
    let count = |e: u16| response.u16(e).map(u32::from);
    let completed = count(element::COMPLETED).map(|n| n + count(element::WARNING).unwrap_or(0));
    report.completed = completed.unwrap_or(report.completed);
    report.failed = count(element::FAILED).unwrap_or(report.failed);
    report.remaining = count(element::REMAINING).unwrap_or(0);
    report.status = response.status();
    match StatusClass::of(report.status) {
        StatusClass::Pending => None,
        StatusClass::Success | StatusClass::Warning => Some(Ok(())),
        StatusClass::Cancel => {
            report.cancelled = true;
            Some(Ok(()))
        }
        StatusClass::Failure => {
            report.comment = response.text(element::ERROR_COMMENT);
            // A702, sub-operations failed: what came has come, and the counts say how much did not.
            if report.kept > 0 || report.failed > 0 {
                return Some(Ok(()));
            }
            Some(Err(PeerError::Failed { service: "C-GET", status: report.status, comment: report.comment.clone() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_always_fit() {
        let all: Vec<String> = (0..200).map(|i| format!("1.2.{i}")).collect();
        for n in [0, 1, 2, 9, 12, 30, 63, 64, 100, 127, 200] {
            let classes: BTreeSet<String> = all.iter().take(n).cloned().collect();
            let contexts = contexts(&classes);
            assert!(contexts.len() <= MAX_CONTEXTS, "{n}: {}", contexts.len());
            assert_eq!(contexts.iter().filter(|c| c.transfer_syntaxes == NATIVE && c.as_provider).count(), n.min(127), "{n}");
        }
        let one = contexts(&BTreeSet::from([uids::CT_IMAGE_STORAGE.to_owned()]));
        assert_eq!(one.len(), 1 + 1 + TRANSFER_SYNTAXES.len() - 2);
    }

    #[test]
    fn instance_level_is_in_tag_order() {
        let mut what = GetWhat::series(StudyUid::parse("1.2").unwrap(), SeriesUid::parse("1.3").unwrap());
        what.instances = vec![InstanceUid::parse("1.4").unwrap(), InstanceUid::parse("1.5").unwrap()];
        let bytes = what.encode(true);
        let tags: Vec<_> = dataset::flat(&bytes, true).iter().map(|e| e.0).collect();
        assert!(tags.is_sorted(), "{tags:?}");
    }
}
