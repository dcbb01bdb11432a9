// Generated from Rust by `cargo run -p mj-desk --bin mj-desk-gen`. Do not edit.

/** A language of screens and reports. */
export type Lang = "zh" | "en";

/** An error told to a person. */
export interface Told {
  code: string;
  message: string;
  hint: string;
}

/** State of a slot against its measurement. */
export type SlotState = "verified" | "stale" | "gone";

/** A number bound to a measurement; one U+FFFC in the text. Positions are Unicode scalar values. */
export interface Slot {
  id: string;
  at: number;
  finding: string;
  measurement: string;
  finding_revision: number;
  shown: string;
  state: SlotState;
}

/** What a marked stretch of text claims. */
export interface Claim {
  finding: string | null;
  measurement: string | null;
  state: "verified" | "stale" | "contradicted" | "unsupported";
  ground?: string;
  meaning?: string;
  from_text?: boolean;
}

/** A marked stretch of text. */
export interface Mark {
  id: string;
  start: number;
  end: number;
  claim: Claim;
}

/** A section of a report. */
export interface Block {
  id: string;
  title_zh: string;
  title_en: string;
  kind: string;
  is_required: boolean;
  text: string;
  slots: Slot[];
  marks: Mark[];
}

/** A report's document at a revision. */
export interface Document {
  id: string;
  study: string;
  template: string;
  lang: Lang;
  revision: number;
  blocks: Block[];
}

/** One small change of a document. */
export type Op =
  | { op: "insert"; block: string; at: number; text: string }
  | { op: "delete"; block: string; at: number; len: number }
  | { op: "insert_slot"; block: string; slot: Slot }
  | { op: "update_slot"; slot: string; shown: string; finding_revision: number; state: SlotState }
  | { op: "add_mark"; block: string; mark: Mark }
  | { op: "set_claim"; mark: string; claim: Claim }
  | { op: "remove_mark"; mark: string };

/** Whether there is a record and whether it is open. */
export type RecordState = "absent" | "locked" | "open";

/** What the page needs before anything else. */
export interface Boot {
  /** Version of the program. */
  version: string;
  /** Folder of the record. */
  record: string;
  /** Its state. */
  state: RecordState;
  /** Language of the screens. */
  lang: Lang;
  /** `dark`, `light` or `high_contrast`. */
  theme: string;
  /** Id of the person who reads, empty when nobody was chosen. */
  person: string;
  /** Whether the viewer opens together with a study. */
  opens_viewer: boolean;
}

/** One line of the worklist. */
export interface StudyLine {
  /** Study Instance UID. */
  uid: string;
  /** Short id. */
  id: string;
  /** Patient's name as read in the page's language. */
  name: string;
  /** Patient ID. */
  patient_id: string;
  /** Who gave the Patient ID. */
  issuer: string;
  /** `M`, `F`, `O` or empty. */
  sex: string;
  /** Age as written in the images, for example `061Y`, or empty. */
  age: string;
  /** Birth date, `YYYY-MM-DD` or empty. */
  birth_date: string;
  /** Study date, `YYYY-MM-DD` or empty. */
  date: string;
  /** Description. */
  description: string;
  /** Modalities. */
  modalities: string[];
  /** Accession number. */
  accession: string;
  /** `none`, `draft`, `preliminary`, `final`, `addendum`, `corrected`. */
  report: string;
  /** `complete` or `conflict`. */
  local: string;
  /** `none`, `waiting`, `sending`, `accepted`, `verified`, `refused`, `parked`. */
  outbox: string;
  /** True when somebody has opened it here. */
  read: boolean;
  /** Number of series. */
  series: number;
  /** Number of instances. */
  instances: number;
}

/** A page of the worklist. */
export interface StudyLines {
  /** The lines asked for. */
  rows: StudyLine[];
  /** How many there are in all. */
  total: number;
  /** Modalities that occur in the record. */
  modalities: string[];
}

/** What the worklist asks for. */
export interface StudyFilter {
  /** Words, all of which must occur. */
  text: string;
  /** One modality, or all. */
  modality: string | null;
  /** One state, or all: `unread`, `opened`, `draft`, `preliminary`, `final`, `sending`, `refused`, `conflict`. */
  state: string | null;
  /** First line. */
  offset: number;
  /** Number of lines. */
  limit: number;
}

/** A measurement as shown. */
export interface MeasurementLine {
  /** Id. */
  id: string;
  /** What was measured. */
  what: string;
  /** Number and unit. */
  shown: string;
}

/** A finding as shown. */
export interface FindingLine {
  /** Id. */
  id: string;
  /** Revision. */
  revision: number;
  /** `proposed`, `accepted`, `edited`, `rejected`, `deleted`. */
  state: string;
  /** What it is. */
  kind: string;
  /** Where. */
  site: string;
  /** Side, in words, or empty. */
  side: string;
  /** Its measurements. */
  measurements: MeasurementLine[];
  /** Who made this revision. */
  by: string;
  /** When, to the minute. */
  at: string;
}

/** A report of a study, in one line. */
export interface ReportLine {
  /** Id. */
  id: string;
  /** State. */
  state: string;
  /** Template. */
  template: string;
  /** Language. */
  lang: Lang;
  /** Revision. */
  revision: number;
}

/** A key image. */
export interface KeyImageLine {
  /** Id. */
  id: string;
  /** One line under the picture. */
  caption: string;
  /** The picture as a `data:` URL. */
  picture: string;
}

/** A template a report can begin with. */
export interface TemplateLine {
  /** Name. */
  name: string;
  /** Title. */
  title: string;
}

/** Everything of the study page but the report's text. */
export interface StudyView {
  /** The study itself. */
  line: StudyLine;
  /** Hospital number of the patient. */
  hospital_number: string;
  /** What was asked for. */
  request: string;
  /** Clinical history. */
  clinical_history: string;
  /** Age in words. */
  age: string;
  /** Institution that made the images. */
  institution: string;
  /** Referring physician. */
  referring: string;
  /** Earlier and later studies of the same patient, newest first. */
  priors: StudyLine[];
  /** Its reports. */
  reports: ReportLine[];
  /** Its findings, present revisions. */
  findings: FindingLine[];
  /** What came of algorithms' runs, and results that are kept aside with why, in sentences. */
  results: string[];
  /** Its key images. */
  key_images: KeyImageLine[];
  /** Templates for a new report. */
  templates: TemplateLine[];
}

/** A signature. */
export interface SignatureLine {
  /** Name of the person. */
  person: string;
  /** In which role. */
  role: string;
  /** When, to the minute. */
  at: string;
}

/** A report as the editor takes it. */
export interface ReportView {
  /** Id. */
  id: string;
  /** The study's UID. */
  study: string;
  /** `draft`, `preliminary`, `final`, `addendum`, `corrected`. */
  state: string;
  /** The document. */
  document: Document;
  /** Who signed. */
  signatures: SignatureLine[];
}

/** Where the writer is. Positions are Unicode scalar values. */
export interface Cursor {
  /** Id of the report. */
  report: string;
  /** Id of the block. */
  block: string;
  /** Position in the block's text. */
  at: number;
  /** Revision of the document the position belongs to. */
  revision: number;
}

/** Changes of the editor that go to disk. */
export interface EditSent {
  /** Id of the report. */
  report: string;
  /** Revision they were made on. */
  base_revision: number;
  /** The changes, in order. */
  ops: Op[];
  /** Where the writer is after them. */
  cursor: Cursor | null;
}

/** Why somebody signs against what a rule asks. */
export interface ReasonSent {
  /** Rule. */
  rule: string;
  /** The reason. */
  reason: string;
}

/** An edit that is on disk. */
export interface EditKept {
  /** Revision after it. */
  revision: number;
  /** The changes as they were applied. */
  ops: Op[];
  /** What others changed between the base revision and this edit. */
  others: Op[];
}

/** One result of the checks. */
export interface CheckLine {
  /** Rule. */
  rule: string;
  /** `info`, `warn` or `block`. */
  severity: string;
  /** Id of the block, or empty. */
  block: string;
  /** First position in the block, or -1. */
  start: number;
  /** Position after the last, or -1. */
  end: number;
  /** What is odd. */
  message: string;
  /** What would mend it, or empty. */
  fix: string;
  /** True for what may be signed against with a reason. */
  ask: boolean;
}

/** A person of the station. */
export interface PersonLine {
  /** Short id. */
  id: string;
  /** Name. */
  name: string;
  /** `reporting`, `reviewing`, `surgeon`, `engineer`. */
  role: string;
}

/** What a model proposed on images of a scanner, and what people decided. Shares are from 0 to 1. */
export interface ModelLine {
  /** The model's name. */
  model: string;
  /** Its version, or empty. */
  version: string;
  /** Manufacturer and model of the scanner, or empty. */
  scanner: string;
  /** What it proposed. */
  proposed: number;
  /** Waiting for a person. */
  waiting: number;
  /** Held aside, for it does not fit its images. */
  held: number;
  /** Accepted as it was. */
  accepted: number;
  /** Accepted after a change. */
  edited: number;
  /** Rejected. */
  rejected: number;
  /** Drawn by people beside it. */
  added: number;
  /** Share of rejected in what was decided; none when nothing was. */
  rejected_share: number | null;
  /** Lower end of its 95 % interval. */
  rejected_low: number | null;
  /** Upper end of its 95 % interval. */
  rejected_high: number | null;
  /** Reasons with their counts, or empty. */
  reasons: string;
}

/** A point of a control chart. */
export interface PointLine {
  /** Week of its last decision, `2026-W48`. */
  week: string;
  /** Share, from 0 to 1. */
  share: number;
  /** Whether the limits were made of it. */
  is_baseline: boolean;
  /** Whether it breaks a rule. */
  is_signal: boolean;
}

/** What has changed. */
export interface DriftLine {
  /** Week it shows from, `2026-W48`. */
  since_week: string;
  /** Share before, from 0 to 1. */
  before: number;
  /** Share since, from 0 to 1. */
  now: number;
  /** Decisions since. */
  decisions: number;
  /** Whether it is more than before. */
  is_more: boolean;
}

/** A control chart. Shares are from 0 to 1. */
export interface ChartLine {
  /** The model's name. */
  model: string;
  /** Its version, or empty. */
  version: string;
  /** The scanner, or empty for all together. */
  scanner: string;
  /** `rejected` or `edited`. */
  what: string;
  /** Decisions in all. */
  decisions: number;
  /** Decisions from which on there is something to judge. */
  needed: number;
  /** Share that is expected; none while there are too few decisions, as the limits. */
  centre: number | null;
  /** Lower limit. */
  lower: number | null;
  /** Upper limit. */
  upper: number | null;
  /** Whether the baseline itself is not steady. */
  is_uneven: boolean;
  /** The points, oldest first. */
  points: PointLine[];
  /** What has changed, if something has. */
  drift: DriftLine | null;
}

/** How people decide on what models propose. */
export interface LedgerView {
  /** Counts by model, version and scanner. */
  rows: ModelLine[];
  /** Control charts. */
  charts: ChartLine[];
  /** Decisions of one point. */
  subgroup: number;
  /** Decisions that are the baseline. */
  baseline: number;
}

/** A hospital server. */
export interface ServerLine {
  /** Name. */
  name: string;
  /** Host. */
  host: string;
  /** Port. */
  port: number;
  /** Called AE title. */
  aet: string;
}

/** One object on its way out. */
export interface OutboxLine {
  /** Id. */
  id: string;
  /** What it is. */
  object: string;
  /** Server it goes to. */
  to: string;
  /** State. */
  state: string;
  /** How often it was tried. */
  attempts: number;
  /** What the peer said in evidence, or empty. */
  evidence: string;
  /** Why it was refused or waits, or empty. */
  reason: string;
  /** Short id of the study, or empty. */
  study: string;
}

/** What came of a signature. */
export interface SignedView {
  /** The report as it stands now. */
  report: ReportView;
  /** Objects that were written. */
  objects: string[];
}

/** One file that was not taken. */
export interface SkippedLine {
  /** The file. */
  path: string;
  /** Code of the reason. */
  code: string;
  /** Reason. */
  reason: string;
}

/** Receipt of an import. */
export interface ImportDone {
  /** Files seen. */
  seen: number;
  /** Instances stored. */
  stored: number;
  /** Instances that were there already. */
  already_present: number;
  /** Instances a person must decide about. */
  conflicts: number;
  /** Files that were not taken, at most 200 of them. */
  skipped: SkippedLine[];
  /** Files that were taken though something of the image is missing, at most 200 of them. */
  incomplete: SkippedLine[];
  /** How many were not taken in all. */
  skipped_total: number;
  /** UIDs of the studies they belong to. */
  studies: string[];
}

/** A study found on a server. */
export interface FoundLine {
  /** Study Instance UID. */
  uid: string;
  /** Patient's name. */
  name: string;
  /** Patient ID. */
  patient_id: string;
  /** Date. */
  date: string;
  /** Description. */
  description: string;
  /** Modalities. */
  modalities: string;
  /** Number of instances, when the server says. */
  instances: number;
}

/** What the child viewer is doing. */
export type ViewerState = "off" | "starting" | "ready" | "restarting" | "stopped";

/** What the speech worker is doing. */
export type SpeechState = "no_model" | "loading" | "ready" | "busy";

/** A phrase that a template offers for a block. */
export interface PhraseLine {
  /** Id of the block it belongs to. */
  block: string;
  /** What it is called. */
  title: string;
  /** The text. */
  text: string;
}

/** The speech worker as it is now. */
export interface SpeechNow {
  /** Its state. */
  state: SpeechState;
  /** What is known of the model, or empty. */
  about: string;
}

/** What the page is told without asking. */
export type Event =
  /** Studies came or changed. */
  | { type: "studies_changed" }
  /** Ops of others were applied to a report: `revision` is the one after them. */
  | { type: "report_changed"; report: string; revision: number; ops: Op[] }
  /** Findings of a study changed; all of them. */
  | { type: "findings_changed"; study: string; findings: FindingLine[] }
  /** A finding was chosen in the pictures. */
  | { type: "finding_selected"; study: string; finding: string }
  /** Key images of a study changed; all of them. */
  | { type: "key_images_changed"; study: string; key_images: KeyImageLine[] }
  /** The viewer's state changed. */
  | { type: "viewer_changed"; state: ViewerState; backend: string; told: Told | null }
  /** How far an import is. */
  | { type: "import_progress"; done: number; total: number }
  /** The outbox changed. */
  | { type: "outbox_changed"; waiting: number; refused: number; online: boolean }
  /** The viewer asks for a text. */
  | { type: "text_wanted"; request: number; question: string; text: string }
  /** Words recognised so far, or for good. Final words stand in the report already, unless they could not be placed. */
  | { type: "heard"; text: string; is_final: boolean; is_placed: boolean }
  /** Words of a dictation that an earlier fault interrupted; `file` is its sound, to be forgotten when a person has taken or dropped the words. */
  | { type: "sound_recovered"; file: string; text: string }
  /** The window is asked to close. */
  | { type: "closing" }
  /** Loudness. Units: dB full scale. */
  | { type: "level"; dbfs: number }
  /** The speech worker's state changed. */
  | { type: "speech_changed"; state: SpeechState; about: string; told: Told | null }
  /** Something to tell the person. */
  | { type: "problem"; told: Told }
  /** Paths were dropped onto the window. */
  | { type: "dropped"; paths: string[] };
