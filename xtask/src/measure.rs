//! `cargo xtask soak` and `bench`: long seeded runs and times, written down with the machine they ran on.
//!
//! Both run ignored tests (`soak_…`, `bench_…`). A test notes results through `mj_testdata::note`, one JSON object
//! per line in the file `MINGJING_RESULTS`; here they become tables with medians and ratios.

use crate::shell::{self, Place, human};
use crate::test::{SkipLog, prepare, under_a_screen};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fs;
use std::time::Instant;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Kills, damaged speech models.
    Soak,
    /// Times beside other programs.
    Bench,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Soak => "soak",
            Self::Bench => "bench",
        }
    }
}

/// Runs the tests of a kind and writes their results into `docs/`.
pub(crate) fn run(place: &Place, kind: Kind, args: &[String]) -> Result<()> {
    let filter = match args {
        [] => format!("{}_", kind.name()),
        [one] if one.starts_with('-') => bail!("{} takes a part of a test's name, not {one}", kind.name()),
        [one] if one.starts_with(&format!("{}_", kind.name())) => one.clone(),
        [one] => format!("{}_{one}", kind.name()),
        _ => bail!("{} takes one part of a test's name", kind.name()),
    };
    prepare(place)?;
    let results = place.target.join("xtask").join(format!("{}.jsonl", kind.name()));
    fs::write(&results, "")?;
    let skips = SkipLog::fresh(place)?;
    let mut screen = None;
    let start = Instant::now();
    let mut cargo = under_a_screen(place, &skips, &mut screen)?;
    cargo.env("MINGJING_RESULTS", &results);
    if kind == Kind::Bench {
        cargo.args(as_shipped());
    }
    cargo.args(["test", "--workspace", "--locked", "--lib", "--bins", "--test", "*", "--", "--ignored", "--nocapture", "--test-threads=1"]);
    cargo.arg(&filter);
    println!("==> {}: ignored tests named {filter}…", kind.name());
    let ended = shell::run(&mut cargo, "run the failing test alone: cargo test -p mj-tests --test e2e -- --ignored NAME");
    drop(screen);
    let lines = fs::read_to_string(&results)?;
    let notes: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("a test noted something odd")?;
    let page = page(kind, &notes, &skips.read(), &Machine::look(), &human(start.elapsed()), &ended);
    let folder = place.root.join("docs").join(kind.name());
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{}.md", today()));
    fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
    println!("==> written: {}", file.display());
    ended
}

/// What touches every pixel is measured as users get it: without the checks of a developer's build, and what talks to the
/// graphics card optimised.
fn as_shipped() -> Vec<String> {
    let (ours, theirs) =
        (["mj-imaging", "mj-dicom", "mj-codec", "mj-memory", "mj-render"], ["wgpu", "wgpu-core", "wgpu-hal", "wgpu-types"]);
    let checks = ["debug-assertions", "overflow-checks"];
    let unchecked = ours.iter().chain(&theirs).flat_map(|name| checks.iter().map(move |check| format!("{name}.{check}=false")));
    let settings = unchecked.chain(theirs.iter().map(|name| format!("{name}.opt-level=2")));
    settings.map(|setting| format!("profile.dev.package.{setting}")).flat_map(|setting| ["--config".to_owned(), setting]).collect()
}

/// The machine in words.
#[derive(Debug)]
struct Machine {
    processor: String,
    cores: usize,
    memory: String,
    system: String,
    compiler: String,
    revision: String,
}

impl Machine {
    fn look() -> Self {
        let field = |file: &str, name: &str, split: char| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(split).map(|(_, value)| value.trim().to_owned()));
            found.map_or_else(|| "unknown".to_owned(), |value| value.trim_matches('"').to_owned())
        };
        let say = |program: &str, args: &[&str]| {
            let out = std::process::Command::new(program).args(args).output().ok();
            out.map_or_else(|| "unknown".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
        };
        Self {
            processor: field("/proc/cpuinfo", "model name", ':'),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory: gib(&field("/proc/meminfo", "MemTotal", ':')),
            system: field("/etc/os-release", "PRETTY_NAME", '='),
            compiler: say("rustc", &["--version"]),
            revision: say("git", &["rev-parse", "--short", "HEAD"]),
        }
    }
}

/// `24684084 kB` as people read it.
fn gib(kb: &str) -> String {
    let kb = kb.strip_suffix(" kB").and_then(|n| n.parse::<f64>().ok());
    kb.map_or_else(|| "unknown".to_owned(), |kb| format!("{:.0} GiB", kb / 1_048_576.0))
}

/// The date in the file's name. Units: days, UTC.
#[expect(clippy::disallowed_methods, reason = "names a file of the developer; nothing in the product depends on it")]
fn today() -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Civil date of a number of days since 1970-01-01. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
const fn date(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + if month <= 2 { 1 } else { 0 }, month, doy - (153 * mp + 2) / 5 + 1)
}

fn page(kind: Kind, notes: &[Value], skips: &[String], machine: &Machine, took: &str, ended: &Result<()>) -> String {
    let mut page = format!("# {} of {}\n\n", if kind == Kind::Soak { "Soak run" } else { "Bench" }, today());
    let Machine { processor, cores, memory, system, compiler, revision } = machine;
    page += &format!("{processor}, {cores} cores, {memory} memory, {system}, {compiler}, commit {revision}. ");
    if kind == Kind::Bench {
        page += "What touches pixels is compiled as users get it, without a developer's checks. ";
    }
    page += &format!("The whole run took {took} and {}.\n\n", if ended.is_ok() { "passed" } else { "**failed**" });
    page += &match kind {
        Kind::Soak => soak_table(notes),
        Kind::Bench => bench_table(notes),
    };
    if !skips.is_empty() {
        page += &format!("\nSkipped:\n\n- {}\n", skips.join("\n- "));
    }
    page
}

fn text<'a>(note: &'a Value, name: &str) -> &'a str {
    note.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn numbers(note: &Value) -> Vec<f64> {
    note.get("values").and_then(Value::as_array).map(|v| v.iter().filter_map(Value::as_f64).collect()).unwrap_or_default()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (upper + sorted.get(sorted.len() / 2 - 1)?) / 2.0 })
}

fn soak_table(notes: &[Value]) -> String {
    let mut table = String::from("| run | what was counted | number | note |\n|---|---|---:|---|\n");
    for note in notes {
        let numbers: Vec<String> = numbers(note).iter().map(|n| format!("{n}")).collect();
        let (line, unit, remark) = (text(note, "line"), text(note, "unit"), text(note, "note"));
        table += &format!("| {line} | {unit} | {} | {remark} |\n", numbers.join(", "));
    }
    table
}

/// One row per program; the ratio is the other program's median over ours, above 1 where ours is faster or smaller.
fn bench_table(notes: &[Value]) -> String {
    let mut table =
        String::from("| what | program | median | lowest to highest | runs | theirs / ours | note |\n|---|---|---:|---:|---:|---:|---|\n");
    for note in notes {
        let values = numbers(note);
        let Some(middle) = median(&values) else { continue };
        let ours =
            notes.iter().find(|n| text(n, "line") == text(note, "line") && text(n, "who") == "mingjing").and_then(|n| median(&numbers(n)));
        let ratio = match ours {
            Some(ours) if text(note, "who") != "mingjing" && ours > 0.0 => format!("{:.2}", middle / ours),
            _ => String::new(),
        };
        let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let (line, who, unit) = (text(note, "line"), text(note, "who"), text(note, "unit"));
        let (runs, remark) = (values.len(), text(note, "note"));
        let (middle, low, high) = (short(middle), short(low), short(high));
        table += &format!("| {line} | {who} | {middle} {unit} | {low} to {high} | {runs} | {ratio} | {remark} |\n");
    }
    table
}

/// Four digits that mean something.
fn short(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else if value.abs() >= 1.0 {
        2
    } else {
        4
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates() {
        for (days, expected) in [(0, (1970, 1, 1)), (11_016, (2000, 2, 29)), (20_778, (2026, 11, 21)), (19_782, (2024, 2, 29))] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn medians() {
        for (values, expected) in [(&[][..], None), (&[3.0], Some(3.0)), (&[9.0, 1.0, 2.0], Some(2.0)), (&[4.0, 1.0, 2.0, 9.0], Some(3.0))]
        {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn the_ratio_is_theirs_over_ours() {
        let notes = [
            json!({"line": "load", "who": "mingjing", "unit": "s", "values": [2.0, 1.0, 3.0]}),
            json!({"line": "load", "who": "other", "unit": "s", "values": [5.0]}),
        ];
        let table = bench_table(&notes);
        assert!(table.contains("| load | other | 5.00 s | 5.00 to 5.00 | 1 | 2.50 |"), "{table}");
    }
}
