//! What is kept and exchanged: database, object files, report journal, outbox, audit, and the line to the
//! hospital's servers.
//!
//! Everything on disk is encrypted: the database with SQLCipher, objects with `mj-seal`, both under keys that
//! are derived from one random record key, which the passphrase wraps ([`keys`](Passphrase)). Several processes may
//! work on one record at once: short transactions on a write-ahead log, leases on outbox rows, and
//! [`Record::data_version`] as the notice of change.
//!
//! Start reading at [`Record`]. Everything that enters comes in by one door ([`Record::import`],
//! [`Record::ingest_bytes`], [`Record::ingest_inbox`]); every change is one transaction together with its
//! audit row. Nothing here decodes a pixel, opens a window or decides anything clinical.

#![forbid(unsafe_code)]

mod error;
mod passphrase;
mod keys;
mod disk;
mod session;
mod db;
mod record;
mod objects;
mod audit;
pub mod ingest;
mod short;
mod worklist;
#[cfg(test)]
mod worklist_speed;
mod people;
mod study;
mod findings;
mod revisions;
mod reports;
mod key_images;
mod sheet;
mod sign;
mod outbox;
mod hospital;
pub mod peers;

pub use audit::{AuditEntry, AuditProof};
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{Error, Result};
pub use findings::{FindingStored, ReportEdit};
pub use hospital::RecordServer;
pub use ingest::{Conflict, ImportReceipt, Ingested, Note, PixelHasher, Skipped};
pub use outbox::{FlushReport, OutboxRow, OutboxState};
pub use passphrase::Passphrase;
pub use people::Server;
pub use record::{Grant, Record};
pub use key_images::KeyImage;
pub use reports::{Applied, Report};
pub use short::Subject;
pub use sign::{SignRequest, Signed, Verified};
pub use study::{StoredObject, StudyDetail};
pub use mj_dicom::Watch;
pub use worklist::{PatientRow, SeriesRow, Sort, StateFilter, StudyPage, StudyQuery, StudyRow, StudyState};
