//! Validators that stand outside of this project, for tests. Absent ones are a printed skip.

use std::process::Command;

fn run(mut command: Command, what: &str) -> Option<String> {
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)),
        Err(_absent) => {
            mj_testdata::skip(&format!("{what} is not installed"));
            None
        }
    }
}

fn file(bytes: &[u8], name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{name}.dcm"));
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Leaves the object in the folder `MINGJING_KEEP` for a look with other tools.
pub(crate) fn keep(bytes: &[u8], name: &str) {
    if let Some(folder) = std::env::var_os("MINGJING_KEEP") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.dcm")), bytes).unwrap();
    }
}

/// `dciodvfy` of dicom3tools says no error.
pub(crate) fn dciodvfy(bytes: &[u8], name: &str) {
    let (_folder, path) = file(bytes, name);
    let mut command = Command::new("dciodvfy");
    command.arg(&path);
    let Some(text) = run(command, "dciodvfy") else { return };
    println!("{name}: {text}");
    let errors: Vec<&str> = text.lines().filter(|l| l.starts_with("Error")).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

/// PixelMed's validator of structured reports says no error.
pub(crate) fn pixelmed_sr(bytes: &[u8], name: &str) {
    let jar = std::path::Path::new("/usr/share/java/pixelmed.jar");
    if !jar.exists() {
        mj_testdata::skip("PixelMed is not installed");
        return;
    }
    let (_folder, path) = file(bytes, name);
    let mut command = Command::new("java");
    command.args(["-Djdk.xml.xpathExprGrpLimit=0", "-Djdk.xml.xpathExprOpLimit=0", "-Djdk.xml.xpathTotalOpLimit=0", "-cp"]);
    command.arg(jar).arg("com.pixelmed.validate.DicomSRValidator").arg(&path);
    let Some(text) = run(command, "java") else { return };
    println!("{name}: {text}");
    let errors: Vec<&str> = text.lines().filter(|l| l.contains("Error") || l.contains("Exception")).collect();
    assert!(errors.is_empty() && text.contains("IOD validation complete"), "{name}: {errors:#?}");
}

/// Python with pydicom: `MINGJING_PYTHON`, or the environment in the workspace's target folder, where the setup puts it.
pub(crate) fn python() -> Option<std::path::PathBuf> {
    let venv = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let found = std::env::var_os("MINGJING_PYTHON").map_or(venv, std::path::PathBuf::from);
    if !found.is_file() {
        mj_testdata::skip("no Python with pydicom; run `cargo xtask setup test`");
        return None;
    }
    Some(found)
}
