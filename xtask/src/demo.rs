//! `cargo xtask demo`: the demo patient in a record of its own, and the workstation opened on it.

use crate::screen::{Screen, there_is_a_display};
use crate::setup;
use crate::shell::{self, Place, files_with, step, up_to_date};
use crate::test::{SkipLog, under_a_screen};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the end-to-end test that walks the whole path and leaves what it made in `MINGJING_DEMO_OUT`.
const WALK: &str = "demo_walk";

/// How to show it.
#[derive(Debug, Default)]
pub(crate) struct Options {
    fresh: bool,
    headless: bool,
}

impl Options {
    /// Reads the words after `demo`.
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--fresh" => options.fresh = true,
                "--headless" => options.headless = true,
                other => bail!("demo does not know {other}"),
            }
        }
        Ok(options)
    }
}

/// Where the demo lies.
#[derive(Debug)]
struct Demo<'a> {
    place: &'a Place,
    folder: PathBuf,
}

impl Demo<'_> {
    fn record(&self) -> PathBuf {
        self.folder.join("record")
    }

    fn passphrase(&self) -> PathBuf {
        self.folder.join("passphrase.txt")
    }

    fn phantom(&self) -> PathBuf {
        self.folder.join("phantom")
    }

    /// What the walk without a display leaves to look at.
    fn out(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// One of our programs, pointed at the demo's record.
    fn program(&self, name: &str) -> Command {
        let mut command = self.place.command(self.place.program(name));
        command.env("MINGJING_RECORD", self.record()).env("MINGJING_PASSPHRASE_FILE", self.passphrase());
        command
    }

    fn mingjing(&self, args: &[&str], paths: &[&Path]) -> Result<()> {
        let mut command = self.program("mingjing");
        command.args(args).args(paths);
        shell::run(&mut command, "cargo xtask demo --fresh")
    }
}

/// Makes the demo patient and shows the workstation.
pub(crate) fn run(place: &Place, options: &Options) -> Result<()> {
    let headless = options.headless || !there_is_a_display();
    let demo = Demo { place, folder: place.target.join("demo") };
    if options.fresh && demo.folder.exists() {
        step("throw the old demo away", || Ok(fs::remove_dir_all(&demo.folder)?))?;
    }
    setup::run(place, if headless { setup::For::HeadlessDemo } else { setup::For::Demo })?;
    step("build the programs", || {
        // The test is built with them, so that a later `cargo xtask test` finds the same dependencies and builds none twice.
        shell::run(place.cargo().args(["build", "--workspace", "--bins", "--test", "e2e", "--locked"]), "mend what the compiler names")
    })?;
    make_record(&demo)?;
    if headless { walk(&demo) } else { open(&demo) }
}

/// The record with the demo patient, a reporting person and a reviewing one. Made once: a marker says that it is whole.
fn make_record(demo: &Demo<'_>) -> Result<()> {
    let whole = demo.folder.join("record-is-whole");
    if whole.exists() {
        up_to_date("the demo record");
        return Ok(());
    }
    fs::create_dir_all(&demo.folder)?;
    if demo.record().exists() {
        fs::remove_dir_all(demo.record()).context("cannot remove a half-made demo record. Next: cargo xtask demo --fresh")?;
    }
    step("make an encrypted record", || {
        write_passphrase(&demo.passphrase())?;
        demo.mingjing(&["init"], &[])
    })?;
    step("make the demo patient (a CT with a prior)", || demo.mingjing(&["phantom"], &[&demo.phantom()]))?;
    step("import it", || demo.mingjing(&["import"], &[&demo.phantom().join("current"), &demo.phantom().join("prior")]))?;
    step("add two people", || {
        demo.mingjing(&["person", "add", "示例报告医师", "--role", "reporting"], &[])?;
        demo.mingjing(&["person", "add", "示例审核医师", "--role", "reviewing"], &[])
    })?;
    fs::write(whole, "")?;
    Ok(())
}

/// A random passphrase that only this user may read.
fn write_passphrase(file: &Path) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    // Each hasher is seeded from the system's randomness, which is enough for a record of invented patients.
    let words: Vec<String> = (0..4).map(|n: u64| format!("{:016x}", RandomState::new().hash_one(n))).collect();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file).with_context(|| format!("cannot write {}", file.display()))?;
    std::io::Write::write_all(&mut out, format!("{}\n", words.join("-")).as_bytes())?;
    Ok(())
}

fn open(demo: &Demo<'_>) -> Result<()> {
    println!("==> open the workstation; the record is {}", demo.record().display());
    println!("    the passphrase is in {}", demo.passphrase().display());
    shell::run(&mut demo.program("mingjing-desk"), "cargo xtask demo --headless shows whether it works without this display")
}

/// Walks the whole path in the real windows on a virtual screen, then says where everything is.
fn walk(demo: &Demo<'_>) -> Result<()> {
    if demo.out().exists() {
        fs::remove_dir_all(demo.out())?;
    }
    fs::create_dir_all(demo.out())?;
    let skips = SkipLog::fresh(demo.place)?;
    let mut screen: Option<Screen> = None;
    step("no display here: walk the path on a virtual screen", || {
        let mut cargo = under_a_screen(demo.place, &skips, &mut screen)?;
        cargo.env("MINGJING_DEMO_OUT", demo.out());
        cargo.env("MINGJING_RECORD", demo.record()).env("MINGJING_PASSPHRASE_FILE", demo.passphrase());
        cargo.args(["test", "--quiet", "--workspace", "--locked", "--test", "e2e", "--", "--ignored", "--nocapture", WALK]);
        shell::run(&mut cargo, "cargo xtask demo --fresh")
    })?;
    drop(screen);
    for skip in skips.read() {
        println!("    {skip}");
    }
    tell(demo)
}

fn tell(demo: &Demo<'_>) -> Result<()> {
    const KINDS: &[(&str, &[&str])] =
        &[("screenshots", &["png"]), ("report", &["pdf"]), ("plan", &["stl", "toml", "json"]), ("DICOM objects", &["dcm"])];
    println!("\nWhat to look at:");
    let mut found = 0;
    for (what, endings) in KINDS {
        for file in files_with(&demo.out(), endings) {
            println!("  {what:14} {}", file.display());
            found += 1;
        }
    }
    println!("  {:14} {} (passphrase in {})", "record", demo.record().display(), demo.passphrase().display());
    if found == 0 {
        bail!("the walk left nothing in {}. Next: cargo xtask demo --fresh", demo.out().display());
    }
    Ok(())
}
