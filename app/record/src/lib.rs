//! What is kept and exchanged: database, object files, report journal, outbox, audit, and the line to the
//! hospital's servers.
//!
//! Everything on disk is encrypted: the database with SQLCipher, objects with `mj-seal`, both under keys that
//! are derived from one random record key, which the passphrase wraps ([`keys`](Passphrase)). Several processes may
//! work on one record at once: short transactions on a write-ahead log, leases on outbox rows, and
//! [`Record::data_version`] as the notice of change.
//!
//! Start reading at [`Record`]. Every DICOM object that enters comes in by one door ([`Record::import`],
//! [`Record::ingest_bytes`], [`Record::ingest_inbox`]), a key image by [`Record::key_image_from_inbox`]. A change
//! is one transaction together with its audit row; no row is written for receipts, for leases and their renewal,
//! and for files that wait or are twins. Nothing here decodes a pixel, opens a window or decides anything clinical.

mod audit;
mod certificates;
pub mod critical;
mod db;
mod disk;
mod error;
mod exchange;
mod exit;
mod findings;
mod hospital;
pub mod ingest;
mod key_images;
mod keys;
mod objects;
mod outbox;
mod passphrase;
pub mod peers;
mod people;
pub mod performance;
mod prior;
mod record;
mod reports;
mod results;
mod revisions;
mod rulebook;
mod session;
mod sheet;
mod shelf;
mod short;
mod sign;
mod study;
pub mod track;
mod worklist;
#[cfg(test)]
mod worklist_speed;

pub use audit::{AuditEntry, AuditProof};
pub use disk::{Disk, DiskFile, RealDisk};
pub use error::{Error, Result};
pub use findings::{FindingStored, ReportEdit};
pub use hospital::RecordServer;
pub use ingest::{Conflict, ImportReceipt, Ingested, Note, PixelHasher, Skipped};
pub use key_images::KeyImage;
pub use mj_dicom::Watch;
pub use mj_dicom::sr::RunOutcome;
pub use outbox::{FlushReport, OutboxRow, OutboxState};
pub use passphrase::Passphrase;
pub use people::Server;
pub use prior::Prior;
pub use record::{Grant, Record};
pub use reports::{Applied, Report};
pub use results::{Exported, ImageForm, NotExported, ResultKind, ResultsTaken, Run, WaitingResult, export_codes, is_of_data};
pub use shelf::{TemplateTaken, read_template};
pub use short::Subject;
pub use sign::{SignRequest, Signed, Verified};
pub use study::{StoredObject, StudyDetail};
pub use worklist::{PatientRow, SeriesRow, Sort, StateFilter, StudyPage, StudyQuery, StudyRow, StudyState};
