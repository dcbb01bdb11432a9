//! C-STORE as a user: instances to a peer, as they are. (PS3.4 annex B)

use super::{
    Peer, PeerError,
    associate::{Association, MAX_CONTEXTS, Proposed},
    classes::{NATIVE, is_native},
    command::{Command, element, field},
    dataset,
    status::StatusClass,
};
use dicom_dictionary_std::uids;
use mj_model::{InstanceUid, SopClassUid, TransferSyntaxUid};
use serde::Serialize;
use std::{collections::VecDeque, ops::ControlFlow};
use tokio::task::JoinHandle;

type Load = Box<dyn FnOnce() -> std::io::Result<Vec<u8>> + Send>;

/// An instance to send. Its bytes are read when its turn comes, off the async threads.
pub struct StoreItem {
    /// SOP Instance UID.
    pub instance: InstanceUid,
    /// SOP Class UID.
    pub sop_class: SopClassUid,
    /// Transfer syntax of the stored object.
    pub transfer_syntax: TransferSyntaxUid,
    load: Load,
}

impl StoreItem {
    /// An item whose part-10 bytes (preamble, meta group, data set) are at hand.
    #[must_use]
    pub fn new(instance: InstanceUid, sop_class: SopClassUid, transfer_syntax: TransferSyntaxUid, bytes: Vec<u8>) -> Self {
        Self::later(instance, sop_class, transfer_syntax, move || Ok(bytes))
    }

    /// An item whose part-10 bytes are read, or unsealed, when it is sent.
    #[must_use]
    pub fn later(
        instance: InstanceUid,
        sop_class: SopClassUid,
        transfer_syntax: TransferSyntaxUid,
        load: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { instance, sop_class, transfer_syntax, load: Box::new(load) }
    }

    fn kind(&self) -> Kind {
        Kind { sop_class: self.sop_class.as_str().into(), transfer_syntax: self.transfer_syntax.as_str().into() }
    }
}

impl std::fmt::Debug for StoreItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreItem").finish_non_exhaustive()
    }
}

/// What became of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum StoreOutcome {
    /// The peer has it: success, or a warning (PS3.4 §B.2.3) with its comment.
    Accepted {
        /// Status (0000,0900): 0 or a warning.
        status: u16,
        /// Error Comment (0000,0902), empty on success.
        comment: String,
    },
    /// The peer refused it.
    Refused {
        /// Status (0000,0900).
        status: u16,
        /// Error Comment (0000,0902), in the peer's words.
        comment: String,
    },
    /// The peer takes this SOP class in no transfer syntax that we can send the object in.
    NotOffered,
    /// Our own object could not be read, or is none.
    Unreadable {
        /// Cause, in English.
        cause: String,
    },
}

impl StoreOutcome {
    /// The peer has the instance.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// Refused for want of resources (A7xx): the same may work later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status >> 8 == 0xA7)
    }
}

/// How many instances fared how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StoreReport {
    /// Accepted, with those that came with a warning.
    pub accepted: u32,
    /// Of them, with a warning.
    pub warnings: u32,
    /// Refused by the peer, or in no syntax it takes.
    pub refused: u32,
    /// Not readable here.
    pub unreadable: u32,
    /// Associations used.
    pub associations: u32,
    /// Data sets sent, in bytes.
    pub bytes: u64,
    /// Stopped by the caller before the end.
    pub stopped: bool,
}

/// A SOP class in a transfer syntax: what a context is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    sop_class: String,
    transfer_syntax: String,
}

impl Kind {
    /// The object goes as it is; an uncompressed one may also go in the default transfer syntax, which every
    /// peer takes (PS3.5 §10.1).
    fn contexts(&self) -> Vec<Proposed> {
        let mut out = vec![Proposed::new(&self.sop_class, &[&self.transfer_syntax])];
        if self.transfer_syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN {
            out.push(Proposed::new(&self.sop_class, &[uids::IMPLICIT_VR_LITTLE_ENDIAN]));
        }
        out
    }
}

/// Sends instances, in as many associations as their kinds need (at most 128 contexts each).
///
/// `on_each` hears of every instance the moment its fate is known, and may stop the rest. When the exchange as
/// a whole fails, the error comes back and the instances that `on_each` has not heard of are undecided: they
/// may be sent again, for a peer that has an instance already takes it twice.
///
/// # Errors
/// See [`PeerError`]; [`PeerError::is_retryable`] says whether to try again later.
pub async fn store(
    peer: &Peer,
    objects: impl IntoIterator<Item = StoreItem>,
    mut on_each: impl FnMut(&InstanceUid, &StoreOutcome) -> ControlFlow<()>,
) -> Result<StoreReport, PeerError> {
    let mut report = StoreReport::default();
    let mut rest: VecDeque<StoreItem> = objects.into_iter().collect();
    while !rest.is_empty() && !report.stopped {
        let (contexts, n) = front(&rest);
        let batch: VecDeque<StoreItem> = rest.drain(..n).collect();
        let mut association = Association::request(peer, &contexts, 1 << 20).await?;
        report.associations += 1;
        let result = send_all(&mut association, batch, &mut on_each, &mut report).await;
        association.end(result).await?;
    }
    Ok(report)
}

/// The contexts for as many items from the front as fit one association.
fn front(items: &VecDeque<StoreItem>) -> (Vec<Proposed>, usize) {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut contexts: Vec<Proposed> = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let kind = item.kind();
        if kinds.contains(&kind) {
            continue;
        }
        let more: Vec<_> = kind.contexts().into_iter().filter(|c| !contexts.contains(c)).collect();
        if contexts.len() + more.len() > MAX_CONTEXTS {
            return (contexts, n);
        }
        contexts.extend(more);
        kinds.push(kind);
    }
    (contexts, items.len())
}

/// Bytes of an item, being read on a blocking thread while the peer still digests the one before.
type Loading = JoinHandle<std::io::Result<Vec<u8>>>;

async fn send_all(
    association: &mut Association,
    mut batch: VecDeque<StoreItem>,
    on_each: &mut impl FnMut(&InstanceUid, &StoreOutcome) -> ControlFlow<()>,
    report: &mut StoreReport,
) -> Result<(), PeerError> {
    let start = |batch: &mut VecDeque<StoreItem>| {
        batch.pop_front().map(|item| {
            let kind = item.kind();
            (item.instance, kind, tokio::task::spawn_blocking(item.load))
        })
    };
    let mut next = start(&mut batch);
    while let Some((instance, kind, loading)) = next {
        let outcome = match ready(association, &kind, &instance, loading).await {
            Ok(ready) => {
                report.bytes += ready.data().len() as u64;
                association.wire.send(ready.context, &ready.command, Some(ready.data())).await?;
                next = start(&mut batch);
                let answer = association.message("C-STORE").await?.command;
                if answer.kind() != field::STORE_RSP || answer.u16(element::RESPONDED_TO) != ready.command.u16(element::MESSAGE_ID) {
                    return Err(PeerError::Protocol { what: "an answer to something else" });
                }
                told(&answer)
            }
            Err(outcome) => {
                next = start(&mut batch);
                outcome
            }
        };
        count(&outcome, report);
        if on_each(&instance, &outcome).is_break() {
            report.stopped = true;
            return Ok(());
        }
    }
    Ok(())
}

fn count(outcome: &StoreOutcome, report: &mut StoreReport) {
    match outcome {
        StoreOutcome::Accepted { status, .. } => {
            report.accepted += 1;
            report.warnings += u32::from(*status != 0);
        }
        StoreOutcome::Refused { .. } | StoreOutcome::NotOffered => report.refused += 1,
        StoreOutcome::Unreadable { .. } => report.unreadable += 1,
    }
}

fn told(answer: &Command) -> StoreOutcome {
    let (status, comment) = (answer.status(), answer.text(element::ERROR_COMMENT));
    match StatusClass::of(status) {
        StatusClass::Success | StatusClass::Warning => StoreOutcome::Accepted { status, comment },
        _ => StoreOutcome::Refused { status, comment },
    }
}

/// A message about to go.
struct Ready {
    context: u8,
    command: Command,
    bytes: Vec<u8>,
    from: usize,
}

impl Ready {
    fn data(&self) -> &[u8] {
        self.bytes.get(self.from..).unwrap_or_default()
    }
}

/// Chooses the context and prepares the data set for it.
async fn ready(association: &mut Association, kind: &Kind, instance: &InstanceUid, loading: Loading) -> Result<Ready, StoreOutcome> {
    let unreadable = |cause: String| StoreOutcome::Unreadable { cause };
    let bytes = loading.await.map_err(|e| unreadable(e.to_string()))?.map_err(|e| unreadable(e.kind().to_string()))?;
    // Only the data set travels: one that was stored without preamble or meta group goes as well as any.
    let (from, stored) = mj_dicom::dataset::locate(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if stored != kind.transfer_syntax {
        return Err(unreadable("another transfer syntax than the record says".into()));
    }
    let of_class = || association.accepted.iter().filter(|c| c.sop_class == kind.sop_class);
    let same = of_class().find(|c| c.transfer_syntax == stored);
    let (context, bytes, from) = match same
        .or_else(|| of_class().find(|c| is_native(&stored) && NATIVE.contains(&c.transfer_syntax.as_str())))
    {
        Some(c) if c.transfer_syntax == stored => (c.id, bytes, from),
        Some(c) if c.transfer_syntax == uids::IMPLICIT_VR_LITTLE_ENDIAN => {
            let recoded =
                bytes.get(from..).and_then(dataset::implicit_from_explicit).ok_or_else(|| unreadable("the data set is broken".into()))?;
            (c.id, recoded, 0)
        }
        _ => return Err(StoreOutcome::NotOffered),
    };
    let id = association.next_id();
    let command = Command::new(field::STORE_RQ)
        .uid(element::AFFECTED_SOP_CLASS, &kind.sop_class)
        .number(element::MESSAGE_ID, id)
        .number(element::PRIORITY, 0)
        .uid(element::AFFECTED_SOP_INSTANCE, instance.as_str())
        .with_data();
    Ok(Ready { context, command, bytes, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(class: usize, ts: &str) -> StoreItem {
        StoreItem::new(
            InstanceUid::fresh(),
            SopClassUid::parse(&format!("1.2.{class}")).unwrap(),
            TransferSyntaxUid::parse(ts).unwrap(),
            Vec::new(),
        )
    }

    #[test]
    fn kinds_are_split_over_associations() {
        let many: VecDeque<_> = (0..200).map(|i| item(i, uids::JPEGLS_LOSSLESS)).collect();
        let (contexts, n) = front(&many);
        assert_eq!((contexts.len(), n), (128, 128));
        let native: VecDeque<_> = (0..200).map(|i| item(i, uids::EXPLICIT_VR_LITTLE_ENDIAN)).collect();
        assert_eq!(front(&native).1, 64);
        let same: VecDeque<_> = (0..200).map(|_| item(1, uids::EXPLICIT_VR_LITTLE_ENDIAN)).collect();
        let (contexts, n) = front(&same);
        assert_eq!((contexts.len(), n), (2, 200));
    }
}
