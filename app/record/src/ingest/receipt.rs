//! What became of each file.

use super::Failed;
use crate::Result;
use mj_model::{InstanceUid, SeriesUid, StudyUid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an import did; its serde form is the command line's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportReceipt {
    /// Files looked at.
    pub seen: u64,
    /// Instances stored.
    pub stored: u64,
    /// Instances that were in the record already.
    pub already_present: u64,
    /// Instances kept aside for a person to decide.
    pub conflicts: Vec<Conflict>,
    /// Files that were not taken.
    pub skipped: Vec<Skipped>,
    /// Remarks on files that were taken, or need none.
    pub notes: Vec<Note>,
    /// Studies that have instances among those files, sorted.
    pub studies: Vec<StudyUid>,
}

/// An instance kept aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its SOP Instance UID.
    pub sop_instance_uid: InstanceUid,
    /// The file it came in.
    pub path: String,
    /// `import.same_uid_other_content`, `import.patient_mismatch`, `import.series_mismatch`, or `import.waiting` while
    /// nobody could compare the decoded pixels.
    pub reason: String,
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The file; one in an archive as `archive.zip/name`.
    pub path: String,
    /// Stable code.
    pub code: String,
    /// Why, in English.
    pub reason: String,
}

/// A remark on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The file.
    pub path: String,
    /// `import.no_pixels`, `import.same_pixels`, `import.cut_short`, `import.cut_copy`, `import.completed`.
    pub code: String,
}

impl Note {
    /// True where a person should get the image again.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        matches!(self.code.as_str(), NO_PIXELS | CUT_SHORT)
    }
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Ingested {
    /// Stored.
    Stored {
        /// SOP Instance UID.
        instance: InstanceUid,
        /// Its series.
        series: SeriesUid,
        /// Its study.
        study: StudyUid,
        /// True when an image came without pixels.
        lacks_pixels: bool,
        /// True when only the first rows or frames of it came.
        is_cut_short: bool,
    },
    /// Stored in place of what was there, which was cut short and is the beginning of it.
    Completed {
        /// SOP Instance UID.
        instance: InstanceUid,
        /// Its study.
        study: StudyUid,
        /// True when there is more than before, but not yet all.
        is_cut_short: bool,
    },
    /// In the record already.
    AlreadyPresent {
        /// SOP Instance UID.
        instance: InstanceUid,
        /// Its study.
        study: StudyUid,
        /// True when only the decoded pixels agree: another encoding or edited header of the same image.
        by_pixels: bool,
        /// True when it is cut short, and what is there begins with it.
        is_part: bool,
    },
    /// Kept aside for a person to decide.
    Conflict {
        /// SOP Instance UID.
        instance: InstanceUid,
        /// Its study, as the object says.
        study: StudyUid,
        /// Why.
        reason: &'static str,
    },
    /// Kept in the inbox until a viewer has compared the decoded pixels.
    Waiting {
        /// SOP Instance UID.
        instance: InstanceUid,
        /// Its study.
        study: StudyUid,
        /// SHA-256 of its data set, by which it is found again.
        #[serde(skip)]
        dataset_sha256: [u8; 32],
    },
}

/// Reason of a conflict whose pixels nobody has compared yet.
pub(crate) const WAITING: &str = "import.waiting";

/// Codes of notes.
const NO_PIXELS: &str = "import.no_pixels";
pub(super) const SAME_PIXELS: &str = "import.same_pixels";
pub(super) const CUT_COPY: &str = "import.cut_copy";
const CUT_SHORT: &str = "import.cut_short";
const COMPLETED: &str = "import.completed";

/// An instance that waits while an import goes on.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) path: String,
    pub(super) instance: InstanceUid,
    pub(super) study: StudyUid,
    pub(super) sha256: [u8; 32],
}

/// The receipt while it grows.
#[derive(Default)]
pub(crate) struct Tally {
    pub(super) seen: u64,
    pub(super) receipt: ImportReceipt,
    studies: BTreeSet<StudyUid>,
    /// What became of these is known at the end.
    pub(super) waiting: Vec<Waiting>,
}

impl Tally {
    /// Counts a file that was not taken. Troubles of the disk or the record end the import.
    pub(super) fn skip(&mut self, failed: Failed) -> Result<()> {
        if failed.is_general() {
            return Err(failed.error);
        }
        self.seen += 1;
        self.receipt.seen = self.seen;
        if matches!(failed.error, crate::Error::Dicom(mj_dicom::Error::DicomDir)) {
            // The index of a medium: its files are found by looking.
            self.note(failed.from, "import.dicomdir");
        } else {
            self.receipt.skipped.push(failed.skipped());
        }
        Ok(())
    }

    pub(crate) fn take(&mut self, path: String, outcome: Ingested) {
        self.seen += 1;
        self.receipt.seen = self.seen;
        match outcome {
            Ingested::Stored { study, lacks_pixels, is_cut_short, .. } => {
                self.receipt.stored += 1;
                self.studies.insert(study);
                if lacks_pixels {
                    self.note(path.clone(), NO_PIXELS);
                }
                if is_cut_short {
                    self.note(path, CUT_SHORT);
                }
            }
            Ingested::Completed { study, is_cut_short, .. } => self.completed(path, study, is_cut_short),
            Ingested::AlreadyPresent { study, by_pixels, is_part, .. } => {
                let note = if is_part { Some(CUT_COPY) } else { by_pixels.then_some(SAME_PIXELS) };
                self.present(path, study, note);
            }
            Ingested::Conflict { instance, reason, .. } => self.conflict(path, instance, reason),
            Ingested::Waiting { instance, study, dataset_sha256 } => {
                self.waiting.push(Waiting { path, instance, study, sha256: dataset_sha256 });
            }
        }
    }

    pub(super) fn present(&mut self, path: String, study: StudyUid, note: Option<&str>) {
        self.receipt.already_present += 1;
        self.studies.insert(study);
        if let Some(code) = note {
            self.note(path, code);
        }
    }

    pub(super) fn completed(&mut self, path: String, study: StudyUid, is_cut_short: bool) {
        self.receipt.stored += 1;
        self.studies.insert(study);
        self.note(path, if is_cut_short { CUT_SHORT } else { COMPLETED });
    }

    pub(super) fn conflict(&mut self, path: String, instance: InstanceUid, reason: &str) {
        self.receipt.conflicts.push(Conflict { sop_instance_uid: instance, path, reason: reason.to_owned() });
    }

    fn note(&mut self, path: String, code: &str) {
        self.receipt.notes.push(Note { path, code: code.to_owned() });
    }

    pub(crate) fn into_receipt(self) -> ImportReceipt {
        ImportReceipt { studies: self.studies.into_iter().collect(), ..self.receipt }
    }
}
