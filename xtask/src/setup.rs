//! Brings what a fresh machine lacks: system packages, the page, fonts, checkers.

use crate::shell::{self, Place, fingerprint, stamped};
use crate::system;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::PathBuf;

/// Oldest Node that builds the page.
const NODE: u32 = 20;
/// Font files, by folder of the npm package and file name.
const FONTS: &[(&str, &str)] = &[("400Regular", "NotoSansSC_400Regular.ttf"), ("700Bold", "NotoSansSC_700Bold.ttf"), (".", "LICENSE_FONT")];

/// What the machine is made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Build and open windows on a real display.
    Demo,
    /// The same on a virtual display, driven by a program.
    HeadlessDemo,
    /// All of it, the outside checkers included.
    Test,
}

/// Brings what is missing; does nothing quickly when nothing is.
pub(crate) fn run(place: &Place, what_for: For) -> Result<()> {
    let mut packages = [system::BUILD, system::WINDOWS].concat();
    if what_for != For::Demo {
        packages.extend(system::VIRTUAL_SCREEN);
    }
    if what_for == For::Test {
        packages.extend(system::CHECKERS);
    }
    system::bring(&packages)?;
    node()?;
    page_packages(place)?;
    fonts(place)?;
    page(place)?;
    if what_for == For::Test {
        checkers(place)?;
        if let Err(error) = fhir_server(place) {
            println!("    no FHIR server, its test is skipped: {error:#}");
        }
    }
    Ok(())
}

/// The page needs Node; it is the one thing besides Rust that is not brought.
fn node() -> Result<()> {
    const NEXT: &str = "install Node from https://nodejs.org or your system's packages, then run this command again";
    let Ok(version) = shell::output(std::process::Command::new("node").arg("--version")) else { bail!("there is no Node. Next: {NEXT}") };
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|n| n < NODE) {
        bail!("Node is {} but has to be {NODE} or newer. Next: {NEXT}", version.trim());
    }
    Ok(())
}

fn page_packages(place: &Place) -> Result<()> {
    let web = place.root.join("app/web");
    let inputs = fingerprint(&[web.join("package.json"), web.join("package-lock.json")], &[])?;
    stamped(place, "npm-ci", &inputs, &web.join("node_modules"), "bring the page's packages (npm)", || {
        const QUIET: [&str; 3] = ["--no-audit", "--no-fund", "--loglevel=error"];
        if shell::works(place.npm().arg("ci").args(QUIET)) {
            return Ok(());
        }
        // A registry that mirrors only some systems' binaries leaves the lock file without the others, which `ci`
        // refuses. This takes the locked versions too, and does not touch the lock file.
        println!("    npm ci would not; npm install with the locked versions instead");
        let mut install = place.npm();
        shell::run(install.args(["install", "--no-save"]).args(QUIET), "see whether this machine reaches the npm registry")
    })
}

/// The page is baked into the shell, so it is built before any crate.
fn page(place: &Place) -> Result<()> {
    let web = place.root.join("app/web");
    let inputs = fingerprint(&[web.clone(), place.root.join("assets")], &["node_modules", "dist"])?;
    stamped(place, "npm-build", &inputs, &web.join("dist/index.html"), "build the page (npm run build)", || {
        shell::run(place.npm().args(["run", "build"]), "run `npm run check` in app/web and read what it says")
    })
}

/// One place for page, windows and PDF: the npm package that the page takes its font from.
fn fonts(place: &Place) -> Result<()> {
    let package = place.root.join("app/web/node_modules/@expo-google-fonts/noto-sans-sc");
    let to = place.target.join("fonts");
    let inputs = fingerprint(&[package.join("package.json")], &[])?;
    stamped(place, "fonts", &inputs, &to.join("NotoSansSC_700Bold.ttf"), "copy the fonts (Noto Sans SC)", || {
        fs::create_dir_all(&to)?;
        for (folder, name) in FONTS {
            let from = package.join(folder).join(name);
            fs::copy(&from, to.join(name)).with_context(|| format!("cannot copy {}. Next: delete app/web/node_modules", from.display()))?;
        }
        Ok(())
    })
}

/// The outside readers of our DICOM objects, in an environment of their own.
fn checkers(place: &Place) -> Result<()> {
    let list: PathBuf = place.root.join("xtask/requirements.txt");
    let inputs = fingerprint(std::slice::from_ref(&list), &[])?;
    stamped(place, "venv", &inputs, &place.python(), "bring the outside checkers (Python, target/venv)", || {
        let python = if cfg!(windows) { "python" } else { "python3" };
        let venv = place.target.join("venv");
        shell::run(place.command(python).args(["-m", "venv", "--clear"]).arg(venv), "install python3-venv")?;
        let mut pip = place.command(place.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list);
        shell::run(&mut pip, "see whether this machine reaches the Python package index")
    })
}

/// The FHIR server that tests send reports to, in a folder of its own.
fn fhir_server(place: &Place) -> Result<()> {
    let from = place.root.join("tests/fhir");
    let to = place.target.join("fhir");
    let inputs = fingerprint(&[from.join("package.json"), from.join("package-lock.json")], &[])?;
    stamped(place, "fhir", &inputs, &to.join("node_modules"), "bring the FHIR server of the tests (npm, target/fhir)", || {
        fs::create_dir_all(&to)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(from.join(name), to.join(name))?;
        }
        let mut npm = place.npm();
        npm.current_dir(&to).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        shell::run(&mut npm, "see whether this machine reaches the npm registry")
    })
}
