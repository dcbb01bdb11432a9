//! Running other programs, saying what is done and how long it took, and remembering what is up to date.

use anyhow::{Context as _, Result, bail};
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where things lie.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Place {
    /// Finds checkout and target folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("xtask lies in no checkout")?.to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
        Ok(Self { root, target })
    }

    /// Folder of built programs.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("debug")
    }

    /// A built program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs().join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The Python of the outside checkers.
    pub(crate) fn python(&self) -> PathBuf {
        let venv = self.target.join("venv");
        if cfg!(windows) { venv.join("Scripts/python.exe") } else { venv.join("bin/python") }
    }

    /// A command that runs in the checkout and finds fonts, checkers and programs.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("MINGJING_FONTS", self.target.join("fonts"))
            .env("MINGJING_BIN_DIR", self.programs())
            .env("MINGJING_PYTHON", self.python());
        command
    }

    /// The cargo that runs us.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Cargo sets these for `cargo run`; a nested cargo must not take them for its own.
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME").env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// npm, run in the folder of the page.
    pub(crate) fn npm(&self) -> Command {
        let mut command = self.command(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.current_dir(self.root.join("app/web"));
        command
    }
}

/// Says what is going to be done, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    let start = Instant::now();
    let done = work().with_context(|| format!("this step failed: {what}"))?;
    println!("    done in {}", human(start.elapsed()));
    Ok(done)
}

/// Says that a step has nothing to do.
pub(crate) fn up_to_date(what: &str) {
    println!("==> {what}: up to date");
}

/// A duration as people say it.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 { format!("{} min {:02} s", seconds / 60, seconds % 60) } else { format!("{:.1} s", time.as_secs_f64()) }
}

/// Runs a command with its output on the terminal; fails with `next`, the step to take.
pub(crate) fn run(command: &mut Command, next: &str) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`. Next: {next}"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}. Next: {next}");
    }
    Ok(())
}

/// Runs a command and takes its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let out = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !out.status.success() {
        bail!("`{shown}` ended with {}", out.status);
    }
    String::from_utf8(out.stdout).with_context(|| format!("`{shown}` wrote something that is not text"))
}

/// Runs a command quietly; true when it starts and succeeds.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The command as a line to read.
fn show(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// A number that changes when the content of any of these files or folders does.
pub(crate) fn fingerprint(paths: &[PathBuf], leave_out: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, leave_out, &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        file.hash(&mut hasher);
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, leave_out: &[&str], files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
            let entry = entry?;
            if !leave_out.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), leave_out, files)?;
            }
        }
    } else if path.exists() {
        files.push(path.to_path_buf());
    }
    Ok(())
}

/// Does a step unless its inputs are those of the last time and what it makes is still there.
pub(crate) fn stamped(place: &Place, name: &str, inputs: &str, made: &Path, what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = place.target.join("xtask").join(format!("{name}.stamp"));
    if made.exists() && fs::read_to_string(&stamp).is_ok_and(|old| old == inputs) {
        up_to_date(what);
        return Ok(());
    }
    step(what, work)?;
    if !made.exists() {
        bail!("{what}: it ended well but {} is not there", made.display());
    }
    fs::create_dir_all(place.target.join("xtask"))?;
    fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))
}

/// All files below a folder with one of these endings, sorted.
pub(crate) fn files_with(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    // A folder that is not there holds no files, which is all the caller wants to know.
    drop(collect(folder, &[], &mut files));
    files.retain(|f| f.extension().and_then(OsStr::to_str).is_some_and(|e| endings.contains(&e)));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_say_them() {
        for (seconds, text) in [(0.04, "0.0 s"), (59.94, "59.9 s"), (60.0, "1 min 00 s"), (671.0, "11 min 11 s")] {
            assert_eq!(human(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn a_fingerprint_follows_the_content() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let of = |leave_out: &[&str]| fingerprint(&[here.join("src"), here.join("Cargo.toml")], leave_out).unwrap();
        assert_eq!(of(&[]), of(&[]));
        assert_ne!(of(&[]), of(&["main.rs"]));
    }
}
