//! Packages of the operating system: which are needed, which are missing, and bringing them.

use crate::shell::{self, step, up_to_date};
use anyhow::{Result, bail};
use std::process::Command;

/// To compile.
pub(crate) const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "cmake",
    "clang",
    "libclang-dev",
    "libssl-dev",
    "libwebkit2gtk-4.1-dev",
    "libasound2-dev",
    "libx11-dev",
    "libxcb1-dev",
];

/// To open windows: winit, wgpu and glow load these while running, so no linker asks for them.
pub(crate) const WINDOWS: &[&str] =
    &["libxkbcommon-x11-0", "libgl1", "libegl1", "libgl1-mesa-dri", "mesa-vulkan-drivers", "libxcursor1", "libxi6", "libxrandr2", "dbus"];

/// To drive windows on a screen that nobody looks at.
pub(crate) const VIRTUAL_SCREEN: &[&str] =
    &["xvfb", "xauth", "openbox", "xdotool", "x11-utils", "imagemagick", "dbus-x11", "webkit2gtk-driver"];

/// The outside judges of our files, peers to talk to, and an input method to type Chinese with.
pub(crate) const CHECKERS: &[&str] = &[
    "orthanc",
    "dcmtk",
    "dicom3tools",
    "libpixelmed-java",
    "default-jre-headless",
    "qpdf",
    "poppler-utils",
    "python3-venv",
    "zip",
    "unzip",
    "espeak-ng",
    "fcitx5",
    "fcitx5-pinyin",
    "fcitx5-frontend-gtk3",
];

/// Brings the packages that are missing, or says which line brings them and stops.
pub(crate) fn bring(wanted: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!("==> system packages: not checked on this system; see the README for what to install");
        return Ok(());
    }
    if !shell::works(Command::new("dpkg-query").arg("--version")) {
        println!("==> system packages: this is not Debian or Ubuntu. What they are called there, for your package manager:");
        println!("    {}", wanted.join(" "));
        return Ok(());
    }
    let missing = missing(wanted);
    if missing.is_empty() {
        up_to_date("system packages");
        return Ok(());
    }
    let line = format!("apt-get update && apt-get install -y --no-install-recommends {}", missing.join(" "));
    let Some(apt) = Apt::allowed() else {
        bail!(
            "{} system packages are missing and this user may not install them. Next, run:\n\n  sudo sh -c '{line}'\n\nthen run this command again",
            missing.len()
        );
    };
    let orthanc_is_new = missing.contains(&"orthanc");
    step(&format!("install {} system packages: {}", missing.len(), missing.join(" ")), || {
        shell::run(&mut apt.command(&["update", "-q"]), "see whether this machine reaches its package mirror")?;
        let mut install = apt.command(&["install", "-y", "-q", "--no-install-recommends"]);
        install.args(&missing);
        shell::run(&mut install, &format!("run it by hand and read what apt says: {line}"))
    })?;
    if orthanc_is_new {
        apt.stop_orthanc_service();
    }
    let still = self::missing(wanted);
    if !still.is_empty() {
        bail!("apt ended well, but these are still missing: {}. Next: install them by hand", still.join(" "));
    }
    Ok(())
}

/// What dpkg does not know as installed, in the order of the list.
fn missing<'a>(wanted: &[&'a str]) -> Vec<&'a str> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f=${Package} ${db:Status-Status}\n"]).args(wanted);
    // It fails as soon as one package is unknown, and still lists the others.
    let listed = query.output().map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).unwrap_or_default();
    wanted.iter().copied().filter(|name| !is_installed(&listed, name)).collect()
}

fn is_installed(listed: &str, name: &str) -> bool {
    listed.lines().any(|line| line.split_once(' ') == Some((name, "installed")))
}

/// How apt-get may be called.
#[derive(Debug, Clone, Copy)]
enum Apt {
    AsRoot,
    BySudo,
}

impl Apt {
    fn allowed() -> Option<Self> {
        let id = Command::new("id").arg("-u").output().ok()?;
        if id.stdout.trim_ascii() == b"0" {
            Some(Self::AsRoot)
        } else {
            shell::works(Command::new("sudo").args(["-n", "true"])).then_some(Self::BySudo)
        }
    }

    fn command(self, args: &[&str]) -> Command {
        let mut command = match self {
            Self::AsRoot => Command::new("apt-get"),
            Self::BySudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                sudo
            }
        };
        command.env("DEBIAN_FRONTEND", "noninteractive").args(args);
        command
    }

    /// The package starts a server of its own on ports 4242 and 8042; tests start theirs on free loopback ports.
    fn stop_orthanc_service(self) {
        let mut command = match self {
            Self::AsRoot => Command::new("systemctl"),
            Self::BySudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "systemctl"]);
                sudo
            }
        };
        if shell::works(command.args(["disable", "--now", "orthanc"])) {
            println!("    the Orthanc service that came with the package is switched off; tests start their own");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_installed_is_missing() {
        let listed = "cmake installed\nqpdf config-files\nzip half-configured\n";
        for (name, installed) in [("cmake", true), ("qpdf", false), ("zip", false), ("unzip", false), ("cmak", false)] {
            assert_eq!(is_installed(listed, name), installed, "{name}");
        }
    }

    #[test]
    fn no_package_is_named_twice() {
        let mut all: Vec<&str> = [BUILD, WINDOWS, VIRTUAL_SCREEN, CHECKERS].concat();
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n);
    }
}
