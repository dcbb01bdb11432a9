//! Our own programs, as this build made them.

use std::path::{Path, PathBuf};

/// The folder of this build's programs, for example `target/debug`: two above the test executable.
///
/// # Panics
/// When the test executable is not where cargo puts it.
#[must_use]
pub fn build_folder() -> PathBuf {
    let this = std::env::current_exe().expect("the test executable");
    this.parent().and_then(Path::parent).expect("target/debug/deps").to_path_buf()
}

/// A program of this build, for example `mingjing`. Cargo builds only the tests' own package, so the others
/// must be there already. `MINGJING_BIN_DIR` names another folder.
///
/// # Panics
/// When it is missing, with the command that builds it.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("MINGJING_BIN_DIR").map_or_else(build_folder, PathBuf::from);
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{name} is not built: run `cargo build --workspace --bins` first, or `cargo xtask test`");
    path
}
