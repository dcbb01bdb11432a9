//! `mingjing-speech`: a child of the shell on stdin and stdout, or by itself for one file.

#![forbid(unsafe_code)]

use clap::Parser;
use mj_link::Lang;
use mj_speech::{Error, ModelFile, Recogniser, Spoken, sound, worker};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sound to text. Without options it serves a parent program on stdin and stdout.
#[derive(Debug, Parser)]
#[command(name = "mingjing-speech", version)]
struct Args {
    /// Recognise a WAV file and leave.
    #[arg(long, value_name = "FILE.wav", requires = "model")]
    transcribe: Option<PathBuf>,
    /// The speech model (ggml).
    #[arg(long, value_name = "FILE", requires = "transcribe")]
    model: Option<PathBuf>,
    /// Say what a model file is, or why it is refused, and leave.
    #[arg(long, value_name = "FILE", conflicts_with = "transcribe")]
    check_model: Option<PathBuf>,
    /// Spoken language: zh, en or auto.
    #[arg(long, default_value = "auto")]
    language: String,
    /// Language of messages.
    #[arg(long, default_value = "zh", value_parser = lang)]
    lang: Lang,
    /// Answer in JSON on stdout, errors as well.
    #[arg(long)]
    json: bool,
}

fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        other => Err(format!("{other} is neither zh nor en")),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("MINGJING_LOG").unwrap_or_else(|_unset| "warn".into());
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_env_filter(filter).init();
    let out = match own_stdout() {
        Ok(out) => out,
        Err(e) => {
            tracing::error!(kind = ?e.kind(), "no stdout");
            return ExitCode::FAILURE;
        }
    };
    let done = if let Some(wav) = &args.transcribe {
        let model = args.model.clone().unwrap_or_default();
        print(out, &args, transcribe(wav, &model, &args.language))
    } else if let Some(model) = &args.check_model {
        let about = ModelFile::check(model).map(|about| serde_json::to_value(about).unwrap_or_default());
        print(out, &args, about)
    } else {
        worker::serve(BufReader::new(io::stdin()), out).map(|()| ExitCode::SUCCESS)
    };
    done.unwrap_or_else(|e| {
        tracing::error!(kind = ?e.kind(), "the other side is gone");
        ExitCode::FAILURE
    })
}

/// Standard output for ourselves alone: descriptor 1 is pointed at stderr, so that a print of a native library
/// cannot get between two messages.
#[cfg(unix)]
fn own_stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    let own = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(own.into())
}

/// Elsewhere the native library is silenced by its logging hooks alone.
#[cfg(not(unix))]
fn own_stdout() -> io::Result<io::Stdout> {
    Ok(io::stdout())
}

/// The form of the command line's `dictate`.
fn transcribe(wav: &Path, model: &Path, language: &str) -> Result<Value, Error> {
    let spoken = Spoken::parse(language)?;
    let samples = sound::read_wav(wav)?;
    let mut recogniser = Recogniser::load(model)?;
    let done = recogniser.recognise(&samples, spoken, |_| {})?;
    Ok(json!({ "text": done.text, "words": done.words, "commands": [] }))
}

fn print(mut out: impl io::Write, args: &Args, answer: Result<Value, Error>) -> io::Result<ExitCode> {
    match answer {
        Ok(value) if args.json => writeln!(out, "{value}")?,
        Ok(value) => match value.get("text").and_then(Value::as_str) {
            Some("") => writeln!(out, "{}", mj_lang::key::SPEECH_NOTHING_HEARD.get(args.lang))?,
            Some(text) => writeln!(out, "{text}")?,
            None => writeln!(out, "{value:#}")?,
        },
        Err(error) => {
            let told = mj_lang::tell(&error, args.lang);
            if args.json {
                // On stdout too, so that the caller reads one stream: stderr belongs to native libraries.
                writeln!(out, "{}", json!({ "code": told.code, "message": told.message, "hint": told.hint }))?;
            } else {
                writeln!(io::stderr().lock(), "{}\n{}", told.message, told.hint)?;
            }
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
