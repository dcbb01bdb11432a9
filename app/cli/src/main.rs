//! `mingjing`: everything that needs no window.
//!
//! Reading order: [`args`] is what a person may type, [`commands`] one module per area, [`out`] how results
//! and errors are printed, [`pixels`] the headless viewer that does all work on pixels, so that a codec's
//! abort cannot kill a command.

mod args;
mod commands;
mod failure;
mod out;
mod passphrase;
mod pixels;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(wrong) => return usage(&wrong),
    };
    let out = out::Out::new(args.json, args.quiet, args.lang());
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return out.fail(&failure::Failure::Runtime(source)),
    };
    match runtime.block_on(commands::run(args, &out)) {
        Ok(done) => done.exit_code(),
        Err(failure) => out.fail(&failure),
    }
}

/// Help and version as they are; a line that is not understood as an error like any other, with exit code 2.
fn usage(wrong: &clap::Error) -> ExitCode {
    let typed: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let (is_json, lang) = args::as_far_as_understood(&typed);
    if is_json && wrong.use_stderr() {
        let failure = failure::Failure::usage(&wrong.render().to_string());
        return out::Out::new(true, false, lang).fail(&failure);
    }
    // With nobody to print for there is nobody to tell.
    drop(wrong.print());
    ExitCode::from(u8::try_from(wrong.exit_code()).unwrap_or(2))
}

/// The log goes to stderr and is off unless `MINGJING_LOG` asks for it; it never holds paths or patients.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MINGJING_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
