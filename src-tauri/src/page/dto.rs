//! The shapes the page sees. They are flat, told in the page's language where they are sentences, and made
//! here from the record's own types; the page decides nothing clinical from them.

use super::ts::dto;
use mj_model::{Lang, Phi, Told};
use mj_report::{Document, Op};

dto! {
    /// Whether there is a record and whether it is open.
    words RecordState {
        /// No record in the folder.
        Absent,
        /// There is one, and its passphrase is needed.
        Locked,
        /// Open.
        Open,
    }
}
dto! {
    /// What the page needs before anything else.
    struct Boot {
        /// Version of the program.
        version: String,
        /// Folder of the record.
        record: String,
        /// Its state.
        state: RecordState,
        /// Language of the screens.
        lang: Lang,
        /// `dark`, `light` or `high_contrast`.
        theme: String,
        /// Id of the person who reads, empty when nobody was chosen.
        person: String,
        /// Whether the viewer opens together with a study.
        opens_viewer: bool,
    }
}
dto! {
    /// One line of the worklist.
    struct StudyLine {
        /// Study Instance UID.
        uid: String,
        /// Short id.
        id: String,
        /// Patient's name as read in the page's language.
        name: Phi<String>,
        /// Patient ID.
        patient_id: Phi<String>,
        /// Who gave the Patient ID.
        issuer: String,
        /// `M`, `F`, `O` or empty.
        sex: String,
        /// Age as written in the images, for example `061Y`, or empty.
        age: String,
        /// Birth date, `YYYY-MM-DD` or empty.
        birth_date: Phi<String>,
        /// Study date, `YYYY-MM-DD` or empty.
        date: String,
        /// Description.
        description: String,
        /// Modalities.
        modalities: Vec<String>,
        /// Accession number.
        accession: Phi<String>,
        /// `none`, `draft`, `preliminary`, `final`, `addendum`, `corrected`.
        report: String,
        /// `complete` or `conflict`.
        local: String,
        /// `none`, `waiting`, `sending`, `accepted`, `verified`, `refused`, `parked`.
        outbox: String,
        /// True when somebody has opened it here.
        read: bool,
        /// Number of series.
        series: u32,
        /// Number of instances.
        instances: u32,
    }
}
dto! {
    /// A page of the worklist.
    struct StudyLines {
        /// The lines asked for.
        rows: Vec<StudyLine>,
        /// How many there are in all.
        total: u32,
        /// Modalities that occur in the record.
        modalities: Vec<String>,
    }
}
dto! {
    /// What the worklist asks for.
    struct StudyFilter {
        /// Words, all of which must occur.
        text: String,
        /// One modality, or all.
        modality: Option<String>,
        /// One state, or all: `unread`, `opened`, `draft`, `preliminary`, `final`, `sending`, `refused`, `conflict`.
        state: Option<String>,
        /// First line.
        offset: u32,
        /// Number of lines.
        limit: u32,
    }
}
dto! {
    /// A measurement as shown.
    struct MeasurementLine {
        /// Id.
        id: String,
        /// What was measured.
        what: String,
        /// Number and unit.
        shown: String,
    }
}
dto! {
    /// A finding as shown.
    struct FindingLine {
        /// Id.
        id: String,
        /// Revision.
        revision: u32,
        /// `proposed`, `accepted`, `edited`, `rejected`, `deleted`.
        state: String,
        /// What it is.
        kind: String,
        /// Where.
        site: String,
        /// Side, in words, or empty.
        side: String,
        /// Its measurements.
        measurements: Vec<MeasurementLine>,
        /// Who made this revision.
        by: String,
        /// When, to the minute.
        at: String,
    }
}
dto! {
    /// A report of a study, in one line.
    struct ReportLine {
        /// Id.
        id: String,
        /// State.
        state: String,
        /// Template.
        template: String,
        /// Language.
        lang: Lang,
        /// Revision.
        revision: u64,
    }
}
dto! {
    /// A key image.
    struct KeyImageLine {
        /// Id.
        id: String,
        /// One line under the picture.
        caption: String,
        /// The picture as a `data:` URL.
        picture: String,
    }
}
dto! {
    /// A template a report can begin with.
    struct TemplateLine {
        /// Name.
        name: String,
        /// Title.
        title: String,
    }
}
dto! {
    /// Everything of the study page but the report's text.
    struct StudyView {
        /// The study itself.
        line: StudyLine,
        /// Hospital number of the patient.
        hospital_number: Phi<String>,
        /// What was asked for.
        request: Phi<String>,
        /// Clinical history.
        clinical_history: Phi<String>,
        /// Age in words.
        age: String,
        /// Institution that made the images.
        institution: String,
        /// Referring physician.
        referring: Phi<String>,
        /// Earlier and later studies of the same patient, newest first.
        priors: Vec<StudyLine>,
        /// Its reports.
        reports: Vec<ReportLine>,
        /// Its findings, present revisions.
        findings: Vec<FindingLine>,
        /// What came of algorithms' runs, and results that are kept aside with why, in sentences.
        results: Vec<String>,
        /// Its key images.
        key_images: Vec<KeyImageLine>,
        /// Templates for a new report.
        templates: Vec<TemplateLine>,
    }
}
dto! {
    /// A signature.
    struct SignatureLine {
        /// Name of the person.
        person: String,
        /// In which role.
        role: String,
        /// When, to the minute.
        at: String,
    }
}
dto! {
    /// A report as the editor takes it.
    struct ReportView {
        /// Id.
        id: String,
        /// The study's UID.
        study: String,
        /// `draft`, `preliminary`, `final`, `addendum`, `corrected`.
        state: String,
        /// The document.
        document: Document,
        /// Who signed.
        signatures: Vec<SignatureLine>,
    }
}
dto! {
    /// Where the writer is. Positions are Unicode scalar values.
    struct Cursor {
        /// Id of the report.
        report: String,
        /// Id of the block.
        block: String,
        /// Position in the block's text.
        at: usize,
        /// Revision of the document the position belongs to.
        revision: u64,
    }
}
dto! {
    /// Changes of the editor that go to disk.
    struct EditSent {
        /// Id of the report.
        report: String,
        /// Revision they were made on.
        base_revision: u64,
        /// The changes, in order.
        ops: Vec<Op>,
        /// Where the writer is after them.
        cursor: Option<Cursor>,
    }
}
dto! {
    /// An edit that is on disk.
    struct EditKept {
        /// Revision after it.
        revision: u64,
        /// The changes as they were applied.
        ops: Vec<Op>,
        /// What others changed between the base revision and this edit.
        others: Vec<Op>,
    }
}
dto! {
    /// One result of the checks.
    struct CheckLine {
        /// Rule.
        rule: String,
        /// `info`, `warn` or `block`.
        severity: String,
        /// Id of the block, or empty.
        block: String,
        /// First position in the block, or -1.
        start: i64,
        /// Position after the last, or -1.
        end: i64,
        /// What is odd.
        message: String,
        /// What would mend it, or empty.
        fix: String,
        /// True for what may be signed against with a reason.
        ask: bool,
    }
}
dto! {
    /// Why somebody signs against what a rule asks.
    struct ReasonSent {
        /// Rule.
        rule: String,
        /// The reason.
        reason: String,
    }
}
dto! {
    /// A person of the station.
    struct PersonLine {
        /// Short id.
        id: String,
        /// Name.
        name: String,
        /// `reporting`, `reviewing`, `surgeon`, `engineer`.
        role: String,
    }
}
dto! {
    /// What a model proposed on images of a scanner, and what people decided. Shares are from 0 to 1.
    struct ModelLine {
        /// The model's name.
        model: String,
        /// Its version, or empty.
        version: String,
        /// Manufacturer and model of the scanner, or empty.
        scanner: String,
        /// What it proposed.
        proposed: u32,
        /// Waiting for a person.
        waiting: u32,
        /// Held aside, for it does not fit its images.
        held: u32,
        /// Accepted as it was.
        accepted: u32,
        /// Accepted after a change.
        edited: u32,
        /// Rejected.
        rejected: u32,
        /// Drawn by people beside it.
        added: u32,
        /// Share of rejected in what was decided; none when nothing was.
        rejected_share: Option<f64>,
        /// Lower end of its 95 % interval.
        rejected_low: Option<f64>,
        /// Upper end of its 95 % interval.
        rejected_high: Option<f64>,
        /// Reasons with their counts, or empty.
        reasons: String,
    }
}
dto! {
    /// A point of a control chart.
    struct PointLine {
        /// Week of its last decision, `2026-W48`.
        week: String,
        /// Share, from 0 to 1.
        share: f64,
        /// Whether the limits were made of it.
        is_baseline: bool,
        /// Whether it breaks a rule.
        is_signal: bool,
    }
}
dto! {
    /// What has changed.
    struct DriftLine {
        /// Week it shows from, `2026-W48`.
        since_week: String,
        /// Share before, from 0 to 1.
        before: f64,
        /// Share since, from 0 to 1.
        now: f64,
        /// Decisions since.
        decisions: u32,
        /// Whether it is more than before.
        is_more: bool,
    }
}
dto! {
    /// A control chart. Shares are from 0 to 1.
    struct ChartLine {
        /// The model's name.
        model: String,
        /// Its version, or empty.
        version: String,
        /// The scanner, or empty for all together.
        scanner: String,
        /// `rejected` or `edited`.
        what: String,
        /// Decisions in all.
        decisions: u32,
        /// Decisions from which on there is something to judge.
        needed: u32,
        /// Share that is expected; none while there are too few decisions, as the limits.
        centre: Option<f64>,
        /// Lower limit.
        lower: Option<f64>,
        /// Upper limit.
        upper: Option<f64>,
        /// Whether the baseline itself is not steady.
        is_uneven: bool,
        /// The points, oldest first.
        points: Vec<PointLine>,
        /// What has changed, if something has.
        drift: Option<DriftLine>,
    }
}
dto! {
    /// How people decide on what models propose.
    struct LedgerView {
        /// Counts by model, version and scanner.
        rows: Vec<ModelLine>,
        /// Control charts.
        charts: Vec<ChartLine>,
        /// Decisions of one point.
        subgroup: usize,
        /// Decisions that are the baseline.
        baseline: usize,
    }
}
dto! {
    /// A hospital server.
    struct ServerLine {
        /// Name.
        name: String,
        /// Host.
        host: String,
        /// Port.
        port: u32,
        /// Called AE title.
        aet: String,
    }
}
dto! {
    /// One object on its way out.
    struct OutboxLine {
        /// Id.
        id: String,
        /// What it is.
        object: String,
        /// Server it goes to.
        to: String,
        /// State.
        state: String,
        /// How often it was tried.
        attempts: u32,
        /// What the peer said in evidence, or empty.
        evidence: String,
        /// Why it was refused or waits, or empty.
        reason: String,
        /// Short id of the study, or empty.
        study: String,
    }
}
dto! {
    /// What came of a signature.
    struct SignedView {
        /// The report as it stands now.
        report: ReportView,
        /// Objects that were written.
        objects: Vec<String>,
    }
}
dto! {
    /// One file that was not taken.
    struct SkippedLine {
        /// The file.
        path: Phi<String>,
        /// Code of the reason.
        code: String,
        /// Reason.
        reason: String,
    }
}
dto! {
    /// Receipt of an import.
    struct ImportDone {
        /// Files seen.
        seen: u64,
        /// Instances stored.
        stored: u64,
        /// Instances that were there already.
        already_present: u64,
        /// Instances a person must decide about.
        conflicts: u64,
        /// Files that were not taken, at most 200 of them.
        skipped: Vec<SkippedLine>,
        /// Files that were taken though something of the image is missing, at most 200 of them.
        incomplete: Vec<SkippedLine>,
        /// How many were not taken in all.
        skipped_total: u64,
        /// UIDs of the studies they belong to.
        studies: Vec<String>,
    }
}
dto! {
    /// A study found on a server.
    struct FoundLine {
        /// Study Instance UID.
        uid: String,
        /// Patient's name.
        name: Phi<String>,
        /// Patient ID.
        patient_id: Phi<String>,
        /// Date.
        date: String,
        /// Description.
        description: String,
        /// Modalities.
        modalities: String,
        /// Number of instances, when the server says.
        instances: u32,
    }
}
dto! {
    /// What the child viewer is doing.
    words ViewerState {
        /// Not started.
        Off,
        /// Started, no picture yet.
        Starting,
        /// Shows pictures.
        Ready,
        /// Crashed and being started again.
        Restarting,
        /// Crashed too often; stopped.
        Stopped,
    }
}
dto! {
    /// What the speech worker is doing.
    words SpeechState {
        /// No model: one must be imported.
        NoModel,
        /// A model is being loaded.
        Loading,
        /// Waits.
        Ready,
        /// Listens or recognises.
        Busy,
    }
}
dto! {
    /// A phrase that a template offers for a block.
    struct PhraseLine {
        /// Id of the block it belongs to.
        block: String,
        /// What it is called.
        title: String,
        /// The text.
        text: String,
    }
}
dto! {
    /// The speech worker as it is now.
    struct SpeechNow {
        /// Its state.
        state: SpeechState,
        /// What is known of the model, or empty.
        about: String,
    }
}
dto! {
    /// What the page is told without asking.
    tagged Event {
        /// Studies came or changed.
        StudiesChanged {},
        /// Ops of others were applied to a report: `revision` is the one after them.
        ReportChanged { report: String, revision: u64, ops: Vec<Op> },
        /// Findings of a study changed; all of them.
        FindingsChanged { study: String, findings: Vec<FindingLine> },
        /// A finding was chosen in the pictures.
        FindingSelected { study: String, finding: String },
        /// Key images of a study changed; all of them.
        KeyImagesChanged { study: String, key_images: Vec<KeyImageLine> },
        /// The viewer's state changed.
        ViewerChanged { state: ViewerState, backend: String, told: Option<Told> },
        /// How far an import is.
        ImportProgress { done: u64, total: u64 },
        /// The outbox changed.
        OutboxChanged { waiting: u32, refused: u32, online: bool },
        /// The viewer asks for a text.
        TextWanted { request: u64, question: String, text: String },
        /// Words recognised so far, or for good. Final words stand in the report already, unless they could not
        /// be placed.
        Heard { text: String, is_final: bool, is_placed: bool },
        /// Words of a dictation that an earlier fault interrupted; `file` is its sound, to be forgotten when a
        /// person has taken or dropped the words.
        SoundRecovered { file: String, text: String },
        /// The window is asked to close.
        Closing {},
        /// Loudness. Units: dB full scale.
        Level { dbfs: f64 },
        /// The speech worker's state changed.
        SpeechChanged { state: SpeechState, about: String, told: Option<Told> },
        /// Something to tell the person.
        Problem { told: Told },
        /// Paths were dropped onto the window.
        Dropped { paths: Vec<String> },
    }
}
