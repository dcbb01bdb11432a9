//! `cargo xtask test`: every check, timed, with a table and every skip at the end.

use crate::notices;
use crate::screen::Screen;
use crate::setup;
use crate::shell::{self, Place, human};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// The stages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fmt,
    Web,
    Notices,
    Clippy,
    Build,
    Unit,
    EndToEnd,
}

impl Stage {
    const ALL: [Self; 7] = [Self::Fmt, Self::Web, Self::Notices, Self::Clippy, Self::Build, Self::Unit, Self::EndToEnd];

    const fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Web => "web",
            Self::Notices => "notices",
            Self::Clippy => "clippy",
            Self::Build => "build",
            Self::Unit => "unit",
            Self::EndToEnd => "e2e",
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Fmt => "format of the sources",
            Self::Web => "types and tests of the page",
            Self::Notices => "third-party notices agree with the lock files",
            Self::Clippy => "lints, warnings denied",
            Self::Build => "build everything, tests included",
            Self::Unit => "tests beside the code",
            Self::EndToEnd => "end to end: programs, windows, peers, checkers",
        }
    }
}

/// What to run.
#[derive(Debug, Default)]
pub(crate) struct Options {
    only: Vec<Stage>,
    list: bool,
}

impl Options {
    /// Reads the words after `test`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--only" => {
                    let name = args.next().context("--only needs a stage")?;
                    let stage = Stage::ALL.into_iter().find(|s| s.name() == name);
                    options.only.push(stage.with_context(|| format!("there is no stage {name}; see --list"))?);
                }
                "--list" => options.list = true,
                other => bail!("test does not know {other}"),
            }
        }
        Ok(options)
    }
}

/// What came of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    NotRun,
}

/// Runs the stages.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    if options.list {
        for stage in Stage::ALL {
            println!("{:8} {}", stage.name(), stage.what());
        }
        return Ok(());
    }
    let started = Instant::now();
    let skips = SkipLog::fresh(place)?;
    let mut rows: Vec<(&str, Outcome, Duration)> = Vec::new();
    setup::run(place, setup::For::Test)?;
    rows.push(("setup", Outcome::Passed, started.elapsed()));
    let wanted: Vec<Stage> = Stage::ALL.into_iter().filter(|s| options.only.is_empty() || options.only.contains(s)).collect();
    let mut screen = None;
    for stage in wanted {
        let start = Instant::now();
        let built = !rows.iter().any(|(name, outcome, _)| *name == Stage::Build.name() && *outcome == Outcome::Failed);
        let outcome = if !built && matches!(stage, Stage::Unit | Stage::EndToEnd) {
            Outcome::NotRun
        } else {
            println!("\n==> {}: {}", stage.name(), stage.what());
            match one(place, stage, &skips, &mut screen) {
                Ok(()) => Outcome::Passed,
                Err(e) => {
                    eprintln!("\nxtask: {} failed: {e:#}", stage.name());
                    Outcome::Failed
                }
            }
        };
        rows.push((stage.name(), outcome, start.elapsed()));
    }
    drop(screen);
    finish(place, &rows, &skips.read(), started.elapsed())
}

fn one(place: &Place, stage: Stage, skips: &SkipLog, screen: &mut Option<Screen>) -> Result<()> {
    let mut cargo = place.cargo();
    match stage {
        Stage::Fmt => shell::run(cargo.args(["fmt", "--all", "--check"]), "cargo fmt --all"),
        Stage::Web => {
            shell::run(place.npm().args(["run", "check"]), "mend what it names in app/web")?;
            shell::run(place.npm().args(["test"]), "mend what it names in app/web")
        }
        Stage::Notices => notices::check(place),
        Stage::Clippy => {
            // As `cargo clippy` does, but building rather than checking: the dependencies, most of the time it takes,
            // are then compiled once for lints and programs.
            cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
            let line = ["build", "--workspace", "--all-targets", "--locked"];
            shell::run(cargo.args(line), "mend what it names; an exception needs #[expect(…, reason = …)]")
        }
        // With all targets from the start, so that the tests' own dependencies do not cause a second build.
        Stage::Build => shell::run(cargo.args(["build", "--workspace", "--all-targets", "--locked"]), "mend what the compiler names"),
        Stage::Unit => {
            let mut cargo = under_a_screen(place, skips, screen)?;
            cargo.args(["test", "--workspace", "--lib", "--bins", "--no-fail-fast", "--locked"]);
            shell::run(&mut cargo, "run the failing test alone: cargo test -p CRATE NAME")
        }
        Stage::EndToEnd => {
            let mut cargo = under_a_screen(place, skips, screen)?;
            cargo.args(["test", "--workspace", "--test", "*", "--no-fail-fast", "--locked"]);
            shell::run(&mut cargo, "run the failing test alone: cargo test -p mj-tests --test e2e NAME -- --nocapture")
        }
    }
}

/// Cargo on a virtual screen with a message bus of its own, so that no test touches the developer's desktop.
pub(crate) fn under_a_screen(place: &Place, skips: &SkipLog, screen: &mut Option<Screen>) -> Result<Command> {
    let cargo = place.cargo();
    if !cfg!(target_os = "linux") {
        let mut cargo = cargo;
        cargo.env("MINGJING_SKIP_LOG", &skips.file);
        return Ok(cargo);
    }
    let screen = match screen {
        Some(screen) => screen,
        None => screen.insert(Screen::start(&place.target)?),
    };
    let mut command = place.command("dbus-run-session");
    command.arg("--").arg(cargo.get_program());
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("MINGJING_SKIP_LOG", &skips.file);
    // A bare machine has no locale at all, and then no window takes Chinese.
    if std::env::var_os("LC_ALL").or_else(|| std::env::var_os("LANG")).is_none_or(|lang| lang.is_empty() || lang == "C" || lang == "POSIX")
    {
        command.env("LC_ALL", "C.UTF-8");
    }
    screen.dress(&mut command);
    Ok(command)
}

/// The file in which tests note that they were skipped, since cargo hides what a passing test prints.
#[derive(Debug)]
pub(crate) struct SkipLog {
    file: PathBuf,
}

impl SkipLog {
    /// An empty one.
    pub(crate) fn fresh(place: &Place) -> Result<Self> {
        let file = place.target.join("xtask/skipped.txt");
        fs::create_dir_all(place.target.join("xtask"))?;
        fs::write(&file, "").with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self { file })
    }

    /// What was noted, each once, sorted.
    pub(crate) fn read(&self) -> Vec<String> {
        let mut lines: Vec<String> = fs::read_to_string(&self.file).unwrap_or_default().lines().map(str::to_owned).collect();
        lines.sort();
        lines.dedup();
        lines
    }
}

fn finish(place: &Place, rows: &[(&str, Outcome, Duration)], skips: &[String], all: Duration) -> Result<()> {
    let mut table = String::from("\nstage     result    time\n");
    for (name, outcome, time) in rows {
        let word = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "FAILED",
            Outcome::NotRun => "not run",
        };
        table += &format!("{name:9} {word:9} {}\n", human(*time));
    }
    table += &format!("{:9} {:9} {}\n", "all", "", human(all));
    table += &match skips.len() {
        0 => "\nnothing was skipped\n".to_owned(),
        n => format!("\n{n} skipped:\n  {}\n", skips.join("\n  ")),
    };
    println!("{table}");
    fs::write(place.target.join("xtask/summary.txt"), &table)?;
    let failed: Vec<&str> = rows.iter().filter(|r| r.1 != Outcome::Passed).map(|r| r.0).collect();
    if !failed.is_empty() {
        bail!("not green: {}. Next: mend it, then `cargo xtask test --only {}`", failed.join(", "), failed[0]);
    }
    Ok(())
}

/// Brings what tests outside of `test` need: soak, bench, the demo without a display.
pub(crate) fn prepare(place: &Place) -> Result<()> {
    setup::run(place, setup::For::Test)?;
    shell::step("build everything, tests included", || {
        shell::run(place.cargo().args(["build", "--workspace", "--all-targets", "--locked"]), "mend what the compiler names")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_after_test() {
        let parse = |words: &[&str]| Options::parse(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&["--only", "unit", "--only", "fmt"]).unwrap().only, [Stage::Unit, Stage::Fmt]);
        for wrong in [&["--only"][..], &["--only", "nothing"], &["unit"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
