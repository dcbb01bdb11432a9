//! The entry: logging, then a room or the worker.

use crate::args::{Args, RoomName};
use crate::{Error, headless, planning, reading};
use mj_model::Coded as _;
use std::process::ExitCode;

/// Runs the viewer as the arguments say.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    log();
    quiet_panics();
    let result = match (args.headless, args.room) {
        (true, _) => headless::run(&args),
        (false, Some(RoomName::Planning)) => planning::run(&args),
        (false, _) => reading::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tell(&e, &args);
            ExitCode::FAILURE
        }
    }
}

/// Says on the terminal why nothing opened.
fn tell(error: &Error, args: &Args) {
    use std::io::Write as _;
    tracing::error!(code = error.code(), "{error}");
    let told = mj_lang::tell(error, args.lang);
    // Without a terminal the log has it.
    writeln!(std::io::stderr(), "{}\n{}", told.message, told.hint).ok();
}

/// Logs go to stderr and hold no patient; `MINGJING_LOG` sets the level.
fn log() {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("MINGJING_LOG").unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("error"));
    // A second subscriber in one process happens in tests only.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init().ok();
}

/// A panic's own text could quote data, so only its place is logged.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("a fault of the program at {place}");
    }));
}
