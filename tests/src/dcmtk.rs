//! dcmtk's programs as peers.

use crate::process::{Running, free_port, installed, run};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What a dcmtk program said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended with success.
    pub ok: bool,
    /// Standard output and error together.
    pub text: String,
}

fn tool(name: &str, arguments: &[&str]) -> Option<Said> {
    if !installed(name) {
        return None;
    }
    let output = run(Command::new(name).args(arguments).env("TCP_NODELAY", "1"), Duration::from_secs(300));
    let text = [output.stdout, output.stderr].concat();
    Some(Said { ok: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() })
}

/// `echoscu` to a loopback port.
#[must_use]
pub fn echoscu(port: u16, called: &str) -> Option<Said> {
    tool("echoscu", &["-aet", "DCMTK", "-aec", called, "127.0.0.1", &port.to_string()])
}

/// `storescu` of a folder to a loopback port; `more` are its further options, for example `-xt` to propose
/// JPEG-LS.
#[must_use]
pub fn storescu(port: u16, called: &str, folder: &Path, more: &[&str]) -> Option<Said> {
    let (port, folder) = (port.to_string(), folder.display().to_string());
    tool("storescu", &[&["-aet", "DCMTK", "-aec", called, "+sd", "+r"], more, &["127.0.0.1", &port, &folder]].concat())
}

/// `findscu` in the study root; keys as `-k` takes them.
#[must_use]
pub fn findscu(port: u16, called: &str, keys: &[&str]) -> Option<Said> {
    let keys: Vec<&str> = keys.iter().flat_map(|k| ["-k", k]).collect();
    tool("findscu", &[&["-S", "-aet", "DCMTK", "-aec", called], keys.as_slice(), &["127.0.0.1", &port.to_string()]].concat())
}

/// `movescu` of a study from a peer on loopback to a third AE title that the peer knows.
#[must_use]
pub fn movescu(port: u16, called: &str, destination: &str, study: &str) -> Option<Said> {
    let (port, study) = (port.to_string(), format!("0020,000D={study}"));
    tool(
        "movescu",
        &["-S", "-aet", "DCMTK", "-aec", called, "-aem", destination, "-k", "0008,0052=STUDY", "-k", &study, "127.0.0.1", &port],
    )
}

/// A running `storescp`.
#[derive(Debug)]
pub struct StoreScp {
    /// Its port.
    pub port: u16,
    folder: tempfile::TempDir,
    _process: Running,
}

impl StoreScp {
    /// Starts one that takes every storage class in every transfer syntax; `more` are further options, for
    /// example `+xi` to take implicit VR only.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn start(more: &[&str]) -> Option<Self> {
        if !installed("storescp") {
            return None;
        }
        let (folder, port) = (crate::folder(), free_port());
        let kept = folder.path().join("kept");
        std::fs::create_dir(&kept).expect("a folder for what arrives");
        let mut arguments: Vec<String> = ["-od", &kept.display().to_string(), "-aet", "STORESCP"].map(str::to_owned).to_vec();
        arguments.extend(more.iter().map(|&m| m.to_owned()));
        arguments.push(port.to_string());
        let mut process = Running::start("storescp", &arguments, &folder.path().join("log"));
        process.wait_for_port(port).unwrap_or_else(|e| panic!("{e}"));
        Some(Self { port, folder, _process: process })
    }

    /// The files it has kept, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("kept")).into_iter().flatten();
        let mut files: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        files.sort();
        files
    }
}
