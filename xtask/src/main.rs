//! The developer's one door: `cargo xtask demo | test | soak | bench | gen | setup`.
//!
//! Everything a fresh machine lacks is brought by [`setup`], which `demo`, `test`, `soak` and `bench` run by
//! themselves. The rest is one module per command. This program must compile with nothing but Rust, so that
//! it can say what else is needed.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a developer's tool speaks on the terminal")]

mod demo;
mod measure;
mod notices;
mod screen;
mod setup;
mod shell;
mod system;
mod test;

use anyhow::{Result, bail};
use shell::Place;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo    bring what is missing, build, make the demo patient and open the workstation on it
            --fresh      throw the old demo record away first
            --headless   walk the path under a virtual display even where there is a real one
  test    bring what is missing, then format, page, lints, build, unit and end-to-end tests
            --only STAGE one of: fmt web notices clippy build unit e2e (may be repeated)
            --list       name the stages
  soak    the long seeded runs; results into docs/soak/
            [FILTER]     only tests whose name holds it
  bench   times beside other programs; results into docs/bench/
            [FILTER]     only tests whose name holds it
  gen     write what is generated from sources (third-party notices, types of the page)
            --check      fail where the committed files differ
  setup   only bring what is missing
            demo | test  for which of the two (default: test)

environment: CARGO_TARGET_DIR, MINGJING_TEST_DATA (real images), MINGJING_STRICT=1 (a skip fails)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("\nxtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    let place = Place::find()?;
    let (command, rest) = args.split_first().map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    match command {
        "demo" => demo::run(&place, &demo::Options::parse(rest)?),
        "test" => test::run(&place, &test::Options::parse(rest)?),
        "soak" => measure::run(&place, measure::Kind::Soak, rest),
        "bench" => measure::run(&place, measure::Kind::Bench, rest),
        "gen" => notices::run(&place, rest),
        "setup" => setup::run(
            &place,
            match rest {
                [] => setup::For::Test,
                [one] if one == "test" => setup::For::Test,
                [one] if one == "demo" => setup::For::HeadlessDemo,
                _ => bail!("setup is for demo or for test\n\n{USAGE}"),
            },
        ),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no command {other}\n\n{USAGE}"),
    }
}
