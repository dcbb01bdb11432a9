//! `mingjing-viewer`: see the library.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = mj_viewer::args::Args::parse();
    mj_viewer::run(args)
}
