//! The line to the hospital: DICOM message exchange (DIMSE) with other application entities.
//!
//! As a user of services: [`echo`], [`find`] (study root, study / series / instance level), [`get`] (C-GET,
//! instances arrive on the same association) and [`store`]. As a provider: [`serve`] (C-STORE and C-ECHO).
//! What arrives is handed to a [`Sink`] as part-10 bytes and answered with success only after the sink has
//! it on disk; what is sent goes out as it is stored, byte for byte, unless the peer takes only the other
//! uncompressed transfer syntax.
//!
//! Nothing here knows the record, decodes a pixel or retries on its own: the outbox decides that from
//! [`PeerError::is_retryable`]. Logs name peers by their AE title and count instances; they hold no UID and
//! no patient.
//!
//! Start reading at `wire.rs` (PDUs and messages), then `associate.rs` (negotiation).
//! Source: PS3.7 (DIMSE), PS3.8 (upper layer), PS3.4 annexes B (storage) and C (query / retrieve).

mod associate;
mod classes;
mod command;
mod dataset;
mod echo;
mod error;
mod find;
mod get;
pub mod mllp;
mod part10;
mod serve;
mod status;
mod store;
mod wire;

pub use classes::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, TRANSFER_SYNTAXES, is_storage_class};
pub use echo::echo;
pub use error::{PeerError, Rejection};
pub use find::{FindLevel, FindQuery, FoundRow, Key, find};
pub use get::{GetReport, GetWhat, get};
pub use serve::{ServeConfig, Server, serve};
pub use status::{StatusClass, StoreStatus};
pub use store::{StoreItem, StoreOutcome, StoreReport, store};

use mj_model::{InstanceUid, SopClassUid, TransferSyntaxUid};
use std::{future::Future, pin::Pin, time::Duration};

/// Another application entity, and how we call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Host name or address.
    pub host: String,
    /// TCP port, 104 or 11112 by custom.
    pub port: u16,
    /// Its AE title (at most 16 characters).
    pub called_aet: String,
    /// Our AE title, as the peer knows us.
    pub calling_aet: String,
    /// How long any single step may take: connecting, a write, the wait for an answer.
    pub timeout: Duration,
}

impl Peer {
    /// A peer with the default patience of 30 seconds for every step.
    #[must_use]
    pub fn new(host: &str, port: u16, called_aet: &str, calling_aet: &str) -> Self {
        Self { host: host.into(), port, called_aet: called_aet.into(), calling_aet: calling_aet.into(), timeout: Duration::from_secs(30) }
    }
}

/// One instance as it arrived, by C-STORE to our server or during our C-GET.
#[derive(Debug)]
pub struct Received {
    /// The object as a part-10 file: preamble, file meta group, then the data set as it came.
    pub bytes: Vec<u8>,
    /// Affected SOP Instance UID.
    pub instance: InstanceUid,
    /// Affected SOP Class UID.
    pub sop_class: SopClassUid,
    /// Transfer syntax of the accepted presentation context.
    pub transfer_syntax: TransferSyntaxUid,
    /// AE title of the sender (the peer we asked, for C-GET).
    pub from_aet: String,
}

/// What a [`Sink`] answers, in the future.
pub type Stored<'a> = Pin<Box<dyn Future<Output = StoreStatus> + Send + 'a>>;

/// Where arriving instances go.
pub trait Sink: Send + Sync {
    /// Takes an instance. [`StoreStatus::Stored`] is a promise: it is on disk and survives a power cut.
    fn store(&self, received: Received) -> Stored<'_>;
}

#[cfg(test)]
mod tests;
