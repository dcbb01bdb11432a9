//! What a person may type. Only shapes and simple values are checked here.

use crate::failure::Failure;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use mj_model::Lang;
use mj_record::performance::By;
use std::path::PathBuf;

/// Mingjing: clinical workstation, command line. Not a certified medical device.
#[derive(Debug, Parser)]
#[command(name = "mingjing", version, about, propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Folder of the record.
    #[arg(long, global = true, env = "MINGJING_RECORD", value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// File whose first line is the passphrase.
    #[arg(long, global = true, env = "MINGJING_PASSPHRASE_FILE", value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Language of messages: zh or en; by default that of the system.
    #[arg(long, global = true, env = "MINGJING_LANG")]
    lang: Option<Lang>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// The language of messages: as asked for, else the system's.
    pub(crate) fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(system_lang)
    }
}

fn system_lang() -> Lang {
    let system = || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    if system().is_some_and(|v| v.starts_with("zh")) { Lang::Zh } else { Lang::En }
}

/// What can be told of the options when the line as a whole is not understood: whether JSON is wanted, and the language.
pub(crate) fn as_far_as_understood(typed: &[String]) -> (bool, Lang) {
    let before_free_text = typed.iter().take_while(|arg| *arg != "--");
    let is_json = before_free_text.clone().any(|arg| arg == "--json");
    let named = |arg: &String| arg.strip_prefix("--lang=").map(str::to_owned);
    let beside = typed.windows(2).find_map(|pair| match pair {
        [option, value] if option == "--lang" => Some(value.clone()),
        _ => None,
    });
    let lang = before_free_text.clone().find_map(named).or(beside).or_else(|| std::env::var("MINGJING_LANG").ok());
    (is_json, lang.and_then(|lang| lang.parse().ok()).unwrap_or_else(system_lang))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new, empty record.
    Init,
    /// Write the demo patient: a present and a prior CT, and their truth.
    Phantom(Phantom),
    /// Take files, folders, ZIPs or media into the record.
    Import {
        /// What to take in.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// List studies.
    List {
        /// Only studies whose name, id, accession or description holds this.
        #[arg(long)]
        query: Option<String>,
    },
    /// Show a study, series or instance, or a research file.
    Show {
        /// UID or short id; or a NIfTI, NRRD or MetaImage file, which needs no record.
        id: String,
    },
    /// Read one voxel of a series.
    Probe(Probe),
    /// Open single files and say what is in them.
    Check {
        /// Files or folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write a series as NRRD, NIfTI or a folder of DICOM files.
    Export {
        /// UID or short id of the series; or a NIfTI, NRRD or MetaImage file, which needs no record.
        series: String,
        /// FILE.nrrd, FILE.nii.gz or a folder.
        #[arg(long)]
        to: PathBuf,
    },
    /// Draw a picture of a series.
    Render(Render),
    /// Findings and their measurements.
    Finding {
        #[command(subcommand)]
        command: Finding,
    },
    /// Follow findings from a prior study to a present one of the same patient.
    #[command(after_help = TRACK_HELP)]
    Track(Track),
    /// Segments of a series.
    Segment {
        #[command(subcommand)]
        command: Segment,
    },
    /// Plans on segments.
    Plan {
        #[command(subcommand)]
        command: Plan,
    },
    /// Reports.
    Report {
        #[command(subcommand)]
        command: Report,
    },
    /// Critical results: what somebody must be called for.
    Critical {
        #[command(subcommand)]
        command: CriticalCommand,
    },
    /// Report templates: list them, bring others in (IHE MRRT or TOML), write one as MRRT.
    Template {
        #[command(subcommand)]
        command: TemplateCommand,
    },
    /// The rules that reports are checked by.
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Check all reports of a folder (*.txt, *.md) and print a scorecard.
    Quality {
        /// The folder.
        folder: PathBuf,
    },
    /// Verify a signed report, or a file (PDF, DICOM) that should be one.
    Verify {
        /// Id of the report, or a file.
        #[arg(value_name = "ID|FILE")]
        id: String,
        /// PEM file of root certificates that are trusted; every signature in the PDF must then be under one of them.
        #[arg(long, value_name = "FILE.pem")]
        trust: Option<PathBuf>,
    },
    /// The hospital's servers.
    Server {
        #[command(subcommand)]
        command: Server,
    },
    /// Ask a server whether it is there (C-ECHO).
    Echo {
        /// Name of the server.
        name: String,
    },
    /// Look for studies on a server (C-FIND).
    Find(Find),
    /// Bring a study from a server (C-GET).
    Fetch {
        /// Name of the server.
        name: String,
        /// Study Instance UID.
        #[arg(long)]
        study: String,
    },
    /// Put a study, series or instance into the outbox for a server, and deliver.
    Send {
        /// UID or short id.
        id: String,
        /// Name of the server.
        #[arg(long)]
        to: String,
    },
    /// Receive images (C-STORE) until Ctrl-C.
    Serve {
        /// Port on this machine; 0 takes a free one and prints it.
        #[arg(long)]
        port: u16,
        /// Our AE title.
        #[arg(long, default_value = "MINGJING")]
        aet: String,
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1")]
        address: std::net::IpAddr,
    },
    /// What waits to be sent, and what was.
    Outbox {
        #[command(subcommand)]
        command: Outbox,
    },
    /// People who work at the station.
    Person {
        #[command(subcommand)]
        command: Person,
    },
    /// Turn a WAV file into text.
    Dictate {
        /// The sound.
        wav: PathBuf,
        /// ggml model file.
        #[arg(long)]
        model: PathBuf,
        /// Spoken language: zh, en or auto.
        #[arg(long, default_value = "auto")]
        language: String,
    },
    /// Check this machine and say what to do.
    Doctor,
    /// Open a series or a folder in the reading room.
    View {
        /// UID or short id of a study or series, a folder of DICOM files, or a NIfTI, NRRD or MetaImage file.
        id: String,
    },
    /// Open the workstation.
    Desk,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Phantom {
    /// Folder to write into.
    pub(crate) out: PathBuf,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of slices.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(8..=2000))]
    pub(crate) slices: u32,
    /// Rows and columns.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(32..=1024))]
    pub(crate) size: u32,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Probe {
    /// UID or short id of the series; or a NIfTI, NRRD or MetaImage file, which needs no record.
    pub(crate) series: String,
    /// Voxel i,j,k.
    #[arg(long, value_parser = numbers::<3, usize>, required_unless_present = "lps", conflicts_with = "lps")]
    pub(crate) voxel: Option<[usize; 3]>,
    /// Position x,y,z in mm, LPS.
    #[arg(long, value_parser = finite::<3>, allow_hyphen_values = true)]
    pub(crate) lps: Option<[f64; 3]>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Render {
    /// UID or short id of the series; or a NIfTI, NRRD or MetaImage file, which needs no record.
    pub(crate) series: String,
    /// What to draw.
    #[arg(long)]
    pub(crate) view: View,
    /// The PNG to write.
    #[arg(long, value_parser = png)]
    pub(crate) out: PathBuf,
    /// Centre x,y,z in mm, LPS.
    #[arg(long, value_parser = finite::<3>, allow_hyphen_values = true)]
    pub(crate) at: Option<[f64; 3]>,
    /// Normal x,y,z of the oblique plane, or direction of sight of volume rendering: away from the viewer.
    #[arg(long, value_parser = finite::<3>, allow_hyphen_values = true)]
    pub(crate) normal: Option<[f64; 3]>,
    /// Window center,width.
    #[arg(long, value_parser = window, allow_hyphen_values = true, conflicts_with = "preset")]
    pub(crate) wl: Option<[f64; 2]>,
    /// Window by name (lung, soft, bone, brain, liver); with `--view vr` colours and opacities by name (CT: bone, lung,
    /// vessels, skin, soft_tissue).
    #[arg(long)]
    pub(crate) preset: Option<String>,
    /// Thickness of a maximum slab in mm, 0 to 1000.
    #[arg(long, value_parser = thickness)]
    pub(crate) slab: Option<f64>,
    /// Width x height in pixels.
    #[arg(long, value_parser = size, default_value = "512x512")]
    pub(crate) size: (u32, u32),
    /// Orientation letters, scale bar and identity.
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    pub(crate) overlay: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum View {
    Axial,
    Coronal,
    Sagittal,
    Oblique,
    Mip,
    Vr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// Windows by name, center and width in HU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    Lung,
    Soft,
    Bone,
    Brain,
    Liver,
}

impl Preset {
    /// The window of a name.
    pub(crate) fn of(name: &str) -> Result<Self, Failure> {
        let known = Self::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let known: Vec<String> = known.map(|v| v.get_name().to_owned()).collect();
        <Self as ValueEnum>::from_str(name, true).ok().ok_or_else(|| Failure::Usage(format!("--preset {name} [{}]", known.join(", "))))
    }

    /// Window center and width in HU.
    pub(crate) const fn window(self) -> (f64, f64) {
        match self {
            Self::Lung => (-600.0, 1500.0),
            Self::Soft => (40.0, 400.0),
            Self::Bone => (400.0, 1800.0),
            Self::Brain => (40.0, 80.0),
            Self::Liver => (90.0, 150.0),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Finding {
    /// Add a finding: a line makes an unclassified one with its length.
    Add(FindingAdd),
    /// Findings of a study.
    List {
        /// UID or short id.
        study: String,
    },
    /// A finding with its history.
    Show {
        /// Its id.
        id: String,
    },
    /// Change a finding: its line, what it is, where it lies.
    Edit {
        /// Its id.
        id: String,
        /// Ends x,y,z,x,y,z in mm, LPS.
        #[arg(long, value_parser = finite::<6>, allow_hyphen_values = true)]
        line: Option<[f64; 6]>,
        #[command(flatten)]
        what: FindingWhat,
    },
    /// A person accepts what a device proposed.
    Accept {
        /// Its id.
        id: String,
    },
    /// A person rejects a finding.
    Reject {
        /// Its id.
        id: String,
        /// Why: the code of a reason, for example no-lesion, artefact, known, other.
        #[arg(long)]
        reason: String,
    },
    /// Take in results of other systems: measurement and CAD reports (SR), segmentations (SEG), structure sets (RTSTRUCT).
    Import {
        /// Files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Write a study's findings that a person stands for.
    Export {
        /// UID or short id of the study.
        study: String,
        /// As which objects, several with commas.
        #[arg(long = "as", value_delimiter = ',', required = true)]
        forms: Vec<FindingForm>,
        /// Folder for the files.
        #[arg(long)]
        out: PathBuf,
    },
    /// Take a finding back; it stays in the history.
    Delete {
        /// Its id.
        id: String,
    },
    /// How often people accept, edit and reject what models propose, and whether that changes. Ends with 3 where it does.
    Ledger(Ledger),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Ledger {
    /// What to count by, several with commas.
    #[arg(long, value_delimiter = ',', default_value = "model,version")]
    by: Vec<LedgerBy>,
    /// Only what was decided, or proposed and not decided, from this day on: YYYY-MM-DD. The charts begin there too.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<mj_record::performance::Since>,
    /// Write the counts as a table for spreadsheets (CSV). As with --json, no group of fewer than 5 results or patients is in it
    /// by itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

impl Ledger {
    /// What to count by, each once.
    pub(crate) fn by(&self) -> Vec<By> {
        let mut all = Vec::new();
        for by in self.by.iter().map(|by| by.meant()) {
            if !all.contains(&by) {
                all.push(by);
            }
        }
        all
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LedgerBy {
    Model,
    Version,
    Scanner,
    Kernel,
    Thickness,
}

impl LedgerBy {
    const fn meant(self) -> By {
        match self {
            Self::Model => By::Model,
            Self::Version => By::Version,
            Self::Scanner => By::Scanner,
            Self::Kernel => By::Kernel,
            Self::Thickness => By::Thickness,
        }
    }
}

/// Objects that findings are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FindingForm {
    /// Structured report, TID 1500.
    Sr,
    /// Segmentations of findings that are segments.
    Seg,
    /// Presentation states, one for each series.
    Gsps,
    /// Structure sets, one for each series.
    Rtstruct,
    /// A selection of the images that findings lie on.
    Ko,
}

/// What `track` answers.
const TRACK_HELP: &str = "\
Findings are paired by Tracking UID, then by place after registering both series. Growth: measured volumes, else those of balls of \
the diameters (from_diameter). The response by RECIST 1.1 is a suggestion that a person must confirm.

JSON: {prior, current, prior_date, current_date, interval_days, kept, registration: {prior_series, current_series, matrix (prior to \
current, LPS mm, row by row), similarity, detail, overlap} or null with registration_reason {code, message, hint}, pairs: \
[{tracking_uid, by: tracking_uid|registration|hand, prior, current: {id, revision, state, is_confirmed, name, kind, site, side, \
diameter_mm, short_axis_mm, volume_ml, from_diameter}, moved_to_lps, distance_mm, contradictions, growth: {interval_days, \
long_axis_mm, short_axis_mm, volume_ml: {prior, current, absolute, percent}, from_diameter, doubling_days or no_doubling, trend}}], \
new, gone: [{finding, why, at_lps}], recist: {targets, sum_mm, non_targets, new_lesions, response: CR|PR|SD|PD|NE, reason, \
needs_confirmation}}

Exit codes: 3 when the series could not be registered (pairs by Tracking UID still come), 4 when refused.";

#[derive(Debug, ClapArgs)]
pub(crate) struct Track {
    /// UID or short id of the prior study.
    pub(crate) prior: String,
    /// UID or short id of the present study.
    pub(crate) current: String,
    /// The series to register: prior's, then present's.
    #[arg(long, value_parser = two_ids, value_name = "PRIOR=CURRENT")]
    pub(crate) series: Option<(String, String)>,
    /// Keep the pairs found by place: the present findings get the prior ones' Tracking UIDs.
    #[arg(long)]
    pub(crate) keep: bool,
    /// A prior and a present finding are one lesion; stored at once.
    #[arg(long, value_parser = two_ids, value_name = "PRIOR=CURRENT", conflicts_with = "part")]
    pub(crate) join: Vec<(String, String)>,
    /// A present finding is no lesion of another study: it gets a Tracking UID of its own, at once.
    #[arg(long, value_name = "CURRENT")]
    pub(crate) part: Vec<String>,
    /// Target lesions for RECIST 1.1, several with commas; by default the largest measurable ones, five at most and two of an organ.
    #[arg(long, value_delimiter = ',')]
    pub(crate) targets: Vec<String>,
}

/// Two ids with `=` between them.
fn two_ids(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((a, b)) if !a.trim().is_empty() && !b.trim().is_empty() => Ok((a.trim().to_owned(), b.trim().to_owned())),
        _ => Err("two ids with = between them are needed".into()),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct FindingAdd {
    /// UID or short id of the series it is drawn on.
    pub(crate) series: String,
    /// A length: its ends x,y,z,x,y,z in mm, LPS.
    #[arg(long, value_parser = finite::<6>, allow_hyphen_values = true, required_unless_present = "arrow", conflicts_with = "arrow")]
    pub(crate) line: Option<[f64; 6]>,
    /// An arrow, which is no finding: its head and its tail x,y,z,x,y,z in mm, LPS.
    #[arg(long, value_parser = finite::<6>, allow_hyphen_values = true)]
    pub(crate) arrow: Option<[f64; 6]>,
    /// What stands beside the arrow.
    #[arg(long, requires = "arrow")]
    pub(crate) text: Option<String>,
    #[command(flatten)]
    pub(crate) what: FindingWhat,
}

/// What a finding is and where it lies.
#[derive(Debug, ClapArgs)]
pub(crate) struct FindingWhat {
    /// What it is: a code or a name of the list, in Chinese or English (结节, nodule).
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Where in the body: a code or a name of the list.
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Side of the patient.
    #[arg(long, value_parser = ["left", "right", "both", "none"])]
    pub(crate) side: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Segment {
    /// Make a segment.
    Run(SegmentRun),
    /// Segments of a series.
    List {
        /// UID or short id of the series.
        series: String,
    },
    /// Write a segment as NRRD, STL or DICOM SEG.
    Export {
        /// Id of the segment.
        id: String,
        /// FILE.nrrd, FILE.stl or FILE.dcm.
        #[arg(long)]
        to: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SegmentRun {
    /// UID or short id of the series.
    pub(crate) series: String,
    /// How.
    #[arg(long)]
    pub(crate) op: SegmentHow,
    /// Lowest,highest value, in the series' unit.
    #[arg(long, value_parser = finite::<2>, allow_hyphen_values = true)]
    pub(crate) range: [f64; 2],
    /// Where growing starts: x,y,z in mm, LPS.
    #[arg(long, value_parser = finite::<3>, allow_hyphen_values = true, required_if_eq("op", "grow"))]
    pub(crate) seed: Option<[f64; 3]>,
    /// Growing stays within this distance of the seed, in mm.
    #[arg(long, value_parser = finite_one)]
    pub(crate) within: Option<f64>,
    /// What people call it.
    #[arg(long, default_value = "segment")]
    pub(crate) label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SegmentHow {
    Threshold,
    Grow,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plan {
    /// Run a plan written as TOML.
    Run {
        /// name, segment, and [cut] with point and normal.
        file: PathBuf,
        /// Write the kept part's surface here (STL).
        #[arg(long)]
        stl: Option<PathBuf>,
    },
    /// Plans of a study.
    List {
        /// UID or short id.
        study: String,
    },
    /// A plan and what is stale in it.
    Show {
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Begin a report.
    New {
        /// UID or short id of the study.
        study: String,
        /// Template.
        #[arg(long, default_value = "chest_ct")]
        template: String,
    },
    /// Replace the text of a section.
    Set {
        /// Id of the report.
        id: String,
        /// Id of the section.
        field: String,
        /// The text; `{FINDING}` puts in the chip of that finding's measurement.
        text: String,
    },
    /// Append what is read from standard input to a section, line by line; each line is acknowledged by the
    /// report's new revision once it is on disk.
    Type {
        /// Id of the report.
        id: String,
        /// Id of the section.
        field: String,
    },
    /// Show a report.
    Show {
        /// Its id.
        id: String,
    },
    /// Reports of a study.
    List {
        /// UID or short id of the study.
        study: String,
    },
    /// Check a report, or a plain text as if it were one.
    Check(CheckReport),
    /// Stand for claims again that went stale: as they and their findings are now.
    Confirm {
        /// Id of the report.
        id: String,
        /// Id of one claim; all stale ones by default.
        #[arg(long)]
        claim: Option<String>,
    },
    /// Put accepted findings into their organs' lines and compose the impression; what stands there stays.
    Draft {
        /// Id of the report.
        id: String,
    },
    /// Begin an addendum to a final report.
    Addendum {
        /// Id of the report it adds to.
        id: String,
    },
    /// Sign as the reporting physician.
    Sign(Sign),
    /// Sign as the reviewing physician.
    Countersign(Sign),
    /// Write a report as a file.
    Export {
        /// Its id.
        id: String,
        /// The form.
        #[arg(long = "as")]
        form: ReportForm,
        /// Folder to write into.
        #[arg(long)]
        out: PathBuf,
    },
    /// Send a signed report as HL7 v2 over MLLP, once, and print the answer.
    Send {
        /// Its id.
        id: String,
        /// HOST:PORT of the receiver.
        #[arg(long, value_name = "HOST:PORT")]
        hl7: String,
    },
}

/// Which report or text is checked, and against what.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckReport {
    /// Its id, or FILE.txt.
    #[arg(value_name = "ID|FILE")]
    pub(crate) id: String,
    /// Sex of the patient a text is about.
    #[arg(long, value_parser = ["M", "F"])]
    pub(crate) sex: Option<String>,
    /// Side that was ordered or marked.
    #[arg(long, value_parser = ["left", "right"])]
    pub(crate) side: Option<String>,
    /// UID or short id of the study a text is about: it is then checked against its findings, patient and priors.
    #[arg(long)]
    pub(crate) study: Option<String>,
}

/// Critical results and the calls about them.
#[derive(Debug, Subcommand)]
pub(crate) enum CriticalCommand {
    /// Mark one.
    Mark {
        /// UID or short id of the study.
        study: String,
        /// What it is.
        what: String,
    },
    /// Record the call about one.
    Call {
        /// Its id.
        id: String,
        /// Who was told.
        #[arg(long)]
        to: String,
        /// It was read back and confirmed.
        #[arg(long)]
        read_back: bool,
    },
    /// List the open ones, the oldest first; ends with 3 when one is overdue.
    List {
        /// Those that were called, too.
        #[arg(long)]
        all: bool,
        /// Overdue after so many minutes.
        #[arg(long, default_value_t = mj_record::critical::OVERDUE_MINUTES)]
        within: i64,
    },
}

/// Report templates.
#[derive(Debug, Subcommand)]
pub(crate) enum TemplateCommand {
    /// List them, the department's own at the end, with the files that cannot be used.
    List,
    /// Show the fields and phrases of one.
    Show {
        /// Its name.
        name: String,
    },
    /// Take templates into the record's folder (RECORD/templates): IHE MRRT (.html) or the program's own form (.toml).
    Import {
        /// Files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Write one: as an HTML page in the form of IHE MRRT in the language of the output, or as .toml in both languages.
    Export {
        /// Its name.
        name: String,
        /// File to write; its ending (.html or .toml) says the form.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Rules that reports are checked by.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Run the test cases of a rules file, or of the rules that come with the program.
    Test {
        /// The file.
        file: Option<PathBuf>,
    },
    /// List the rules that come with the program.
    List,
    /// Write the rules that come with the program, to begin a department's own from (RECORD/rules/checks.toml).
    Export {
        /// File to write.
        file: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Sign {
    /// Id of the report.
    pub(crate) id: String,
    /// Id of the person who signs.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: String,
    /// Send to this server; may be given several times.
    #[arg(long)]
    pub(crate) to: Vec<String>,
    /// Sign against what a rule asks, with a reason that is kept in the audit; may be given several times.
    #[arg(long, value_name = "RULE=REASON")]
    pub(crate) confirm: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportForm {
    Pdf,
    Sr,
    Fhir,
    Hl7,
    Md,
    Txt,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Add a server.
    Add {
        /// What people call it.
        name: String,
        /// HOST:PORT of its DICOM service.
        #[arg(long)]
        dicom: String,
        /// Its AE title.
        #[arg(long)]
        aet: String,
        /// Our AE title towards it.
        #[arg(long, default_value = "MINGJING")]
        our_aet: String,
    },
    /// List servers.
    List,
    /// Try a server.
    Test {
        /// Its name.
        name: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Find {
    /// Name of the server.
    pub(crate) server: String,
    /// Patient's name, with * and ?.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Patient ID.
    #[arg(long)]
    pub(crate) patient: Option<String>,
    /// Accession number.
    #[arg(long)]
    pub(crate) accession: Option<String>,
    /// Study date YYYYMMDD or a range A-B.
    #[arg(long)]
    pub(crate) date: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List rows.
    List,
    /// Deliver what waits.
    Flush,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Add a person.
    Add {
        /// Name as it stands under a report.
        name: String,
        /// Role.
        #[arg(long)]
        role: Role,
    },
    /// List people.
    List,
    /// Give a person a certificate: their signatures then stand in the PDF, where anybody can verify them.
    Certificate {
        /// Id of the person, or a name that only one has.
        id: String,
        /// PKCS#12 file (.p12, .pfx) with key and certificate.
        #[arg(required_unless_present = "self_signed", conflicts_with = "self_signed")]
        file: Option<PathBuf>,
        /// File with the passphrase of the certificate file.
        #[arg(long, requires = "file")]
        certificate_passphrase_file: Option<PathBuf>,
        /// Make one for which nobody vouches.
        #[arg(long)]
        self_signed: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Reporting,
    Reviewing,
    Surgeon,
    Engineer,
}

fn numbers<const N: usize, T: std::str::FromStr + Copy + Default>(text: &str) -> Result<[T; N], String> {
    let parsed: Option<Vec<T>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let wrong = || format!("{N} numbers separated by commas are needed");
    parsed.ok_or_else(wrong)?.try_into().map_err(|_wrong_count: Vec<T>| wrong())
}

/// Numbers that are neither NaN nor infinite: such a one names no place and no value.
fn finite<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let all = numbers::<N, f64>(text)?;
    if all.iter().all(|v| v.is_finite()) { Ok(all) } else { Err("finite numbers are needed, not nan or inf".into()) }
}

/// One such number.
fn finite_one(text: &str) -> Result<f64, String> {
    finite::<1>(text).map(|[v]| v)
}

/// Thickness of a slab: no patient is thicker. Units: mm.
fn thickness(text: &str) -> Result<f64, String> {
    finite_one(text).and_then(|mm| if (0.0..=1000.0).contains(&mm) { Ok(mm) } else { Err("0 to 1000 mm".into()) })
}

/// Center and width of a window.
fn window(text: &str) -> Result<[f64; 2], String> {
    finite::<2>(text).and_then(|[center, width]| if width > 0.0 { Ok([center, width]) } else { Err("the width must be over 0".into()) })
}

/// A file that a PNG may be written to: what is in it and what it is called must agree.
fn png(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_png = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
    if is_png { Ok(path) } else { Err("a PNG is written: end the name with .png".into()) }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parse = |part: &str| part.parse::<u32>().ok().filter(|n| (16..=8192).contains(n));
    text.split_once('x').and_then(|(w, h)| Some((parse(w)?, parse(h)?))).ok_or_else(|| "WIDTHxHEIGHT, each 16 to 8192".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_language_are_known_of_a_line_that_is_not_understood() {
        let of = |line: &str| as_far_as_understood(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(of("mingjing --json nonsense --lang zh"), (true, Lang::Zh));
        assert_eq!(of("mingjing list --wrong --lang=en"), (false, Lang::En));
        assert!(!of("mingjing --lang en report set r1 findings -- --json").0);
    }

    #[test]
    fn numbers_that_are_none_are_refused_where_they_are_typed() {
        assert!(Args::try_parse_from(["mingjing", "probe", "s1", "--lps", "1,-2,3.5"]).is_ok());
        for wrong in [
            &["probe", "s1", "--lps", "nan,0,0"][..],
            &["render", "s1", "--view", "axial", "--out", "a.png", "--at", "0,inf,0"],
            &["render", "s1", "--view", "axial", "--out", "a.png", "--wl", "nan,1"],
            &["render", "s1", "--view", "oblique", "--out", "a.png", "--normal", "-inf,0,1"],
            &["render", "s1", "--view", "mip", "--out", "a.png", "--slab", "NaN"],
            &["segment", "run", "s1", "--op", "threshold", "--range", "-inf,inf"],
            &["segment", "run", "s1", "--op", "grow", "--range", "1,2", "--seed", "1,2,nan"],
            &["segment", "run", "s1", "--op", "grow", "--range", "1,2", "--seed", "1,2,3", "--within", "inf"],
            &["finding", "add", "s1", "--line", "0,0,0,1,1,NaN"],
            &["finding", "edit", "f1", "--line", "0,0,0,1,1,1e999"],
        ] {
            let refused = Args::try_parse_from(std::iter::once(&"mingjing").chain(wrong)).unwrap_err().to_string();
            assert!(refused.contains("finite numbers are needed"), "{wrong:?}: {refused}");
        }
    }
}
