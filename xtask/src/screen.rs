//! A screen that nobody looks at: one Xvfb with a window manager, on a free display, stopped by pid.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running virtual screen; gone when dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    server: Child,
    window_manager: Option<Child>,
    display: String,
    runtime: PathBuf,
}

impl Screen {
    /// Starts a screen of 1920 x 1080.
    pub(crate) fn start(target: &std::path::Path) -> Result<Self> {
        let runtime = target.join("xtask/runtime");
        fs::create_dir_all(&runtime)?;
        #[cfg(unix)]
        fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Xvfb. Next: cargo xtask setup")?;
        let mut number = String::new();
        if let Some(out) = server.stdout.take() {
            BufReader::new(out).read_line(&mut number).context("Xvfb did not say its display")?;
        }
        let number = number.trim().to_owned();
        let mut screen = Self { server, window_manager: None, display: format!(":{number}"), runtime };
        if number.is_empty() {
            bail!("Xvfb ended at once. Next: run `Xvfb :99` by hand and read what it says");
        }
        let mut manager = Command::new("openbox");
        manager.env("DISPLAY", &screen.display).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        screen.window_manager = manager.spawn().ok();
        Ok(screen)
    }

    /// Points a command at this screen.
    pub(crate) fn dress(&self, command: &mut Command) {
        command.env("DISPLAY", &self.display).env("XDG_RUNTIME_DIR", &self.runtime);
        command.env_remove("WAYLAND_DISPLAY").env_remove("XDG_SESSION_TYPE");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in self.window_manager.iter_mut().chain([&mut self.server]) {
            if let Err(e) = child.kill().and_then(|()| child.wait().map(drop)) {
                eprintln!("xtask: could not stop process {}: {e}", child.id());
            }
        }
    }
}

/// Whether a person looks at a display here.
pub(crate) fn there_is_a_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
