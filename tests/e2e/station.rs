//! A workstation of its own for a test: a temporary record, a passphrase file, and the built programs.

use mj_tests::programs::{build_folder, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A record in a temporary folder that goes away with it.
pub struct Station {
    dir: TempDir,
    passphrase_file: PathBuf,
}

/// How a command ended.
pub struct Run {
    /// Exit code; -1 when it was killed.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON; the test fails with both outputs when the exit code is another.
    pub fn json(&self, expected_code: i32) -> Value {
        assert_eq!(self.code, expected_code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// The code of the error on standard error; the test fails when there is none.
    pub fn error_code(&self) -> String {
        let line = self.stderr.lines().find(|l| l.starts_with('{')).unwrap_or_else(|| panic!("no error: {}", self.stderr));
        let error: Value = serde_json::from_str(line).unwrap();
        for part in ["message", "hint"] {
            assert!(!error[part].as_str().unwrap_or_default().is_empty(), "error without {part}: {error}");
        }
        error["code"].as_str().unwrap().to_owned()
    }
}

impl Station {
    /// A station without a record yet.
    pub fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let passphrase_file = dir.path().join("passphrase");
        std::fs::write(&passphrase_file, "correct horse battery 电池\n").unwrap();
        Self { dir, passphrase_file }
    }

    /// A station on a copy of a record that is there already.
    pub fn on_copy_of(record: &Path, passphrase_file: &Path) -> Self {
        let station = Self { dir: tempfile::tempdir().unwrap(), passphrase_file: passphrase_file.into() };
        let copied = Command::new("cp").arg("-r").arg(record).arg(station.record()).status().unwrap();
        assert!(copied.success());
        station
    }

    /// A station with an empty record.
    pub fn new() -> Self {
        let station = Self::bare();
        station.json(&["init"]);
        station
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
    pub fn record(&self) -> PathBuf {
        self.dir.path().join("record")
    }
    pub fn passphrase_file(&self) -> PathBuf {
        self.passphrase_file.clone()
    }

    /// The command line with this station's record, JSON output and English messages.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program("mingjing"));
        command
            .args(args)
            .arg("--json")
            .env("MINGJING_LANG", "en")
            .env("MINGJING_RECORD", self.record())
            .env("MINGJING_PASSPHRASE_FILE", self.passphrase_file())
            .env("MINGJING_BIN_DIR", build_folder())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(&self.command(args).output().unwrap_or_else(|e| panic!("mingjing is not built ({e}): cargo build --workspace")))
    }

    /// Runs a command that must end with 0 and gives its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let run = self.run(args);
        assert_eq!(run.code, 0, "mingjing {args:?}\nstdout: {}\nstderr: {}", run.stdout, run.stderr);
        run.json(0)
    }

    /// A small demo patient in a folder of the station: `size` rows and columns, `slices` slices.
    pub fn phantom(&self, size: u32, slices: u32) -> PathBuf {
        let out = self.dir().join("phantom");
        self.json(&["phantom", text(&out), "--seed", "7", "--size", &size.to_string(), "--slices", &slices.to_string()]);
        out
    }

    /// Imports a path and gives the receipt.
    pub fn import(&self, path: &Path) -> Value {
        self.json(&["import", text(path)])
    }

    /// UID of the series with the most instances; of equal ones the newest study's.
    pub fn biggest_series(&self) -> String {
        let list = self.json(&["list"]);
        let series = list.as_array().unwrap().iter().flat_map(|study| study["series"].as_array().unwrap());
        // The last of equals wins, and the list begins with the newest.
        series.rev().max_by_key(|s| s["instances"].as_u64()).unwrap()["series_uid"].as_str().unwrap().to_owned()
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The string of a JSON field.
pub fn string(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}
