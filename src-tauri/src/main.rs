//! The shell's window: starts the core, serves page and fonts, and passes commands through.

#![cfg_attr(windows, windows_subsystem = "windows")]

mod commands;
mod fonts;
mod window;

use clap::Parser;
use mj_desk::desk::{Desk, Place, Sink};
use mj_desk::page::dto::Event;
use std::path::PathBuf;
use std::process::ExitCode;
use tauri::{AppHandle, Emitter as _, Manager as _, RunEvent};

/// The workstation's shell.
#[derive(Debug, Parser)]
#[command(name = "mingjing-desk", version)]
struct Args {
    /// Folder of the record; also `MINGJING_RECORD`.
    #[arg(long)]
    record: Option<PathBuf>,
    /// File whose first line is the passphrase; also `MINGJING_PASSPHRASE_FILE`. Without
    /// it the window asks.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// File of the workstation's settings; also `MINGJING_SETTINGS`.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Language of the screens, from now on.
    #[arg(long)]
    lang: Option<mj_model::Lang>,
}

/// Passes events on to the page.
struct ToPage(AppHandle);

impl Sink for ToPage {
    fn emit(&self, event: Event) {
        if let Err(error) = self.0.emit("desk", event) {
            tracing::warn!(%error, "the page could not be told");
        }
    }

    fn room_place(&self) -> Option<Place> {
        window::make_room(&self.0)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("MINGJING_LOG").unwrap_or_else(|_unset| "warn".into());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter(filter).init();
    let built = tauri::Builder::default()
        .register_uri_scheme_protocol("mjfont", |_context, request| fonts::answer(request.uri().path()))
        .setup(move |app| {
            let desk = start(app.handle(), &args)?;
            app.manage(desk);
            app.manage(window::Closing::default());
            window::open(app.handle())?;
            Ok(())
        })
        .invoke_handler(commands::handler())
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if matches!(event, RunEvent::Exit) {
                    let desk = app.state::<Desk>().inner().clone();
                    tauri::async_runtime::block_on(async move { desk.lock().await });
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window could not be opened");
            ExitCode::FAILURE
        }
    }
}

/// A path from the command line, else from the environment.
fn given(arg: &Option<PathBuf>, name: &str) -> Option<PathBuf> {
    arg.clone().or_else(|| std::env::var_os(name).map(PathBuf::from))
}

/// The core, with the record opened when a passphrase file was given.
fn start(app: &AppHandle, args: &Args) -> Result<Desk, Box<dyn std::error::Error>> {
    let paths = app.path();
    let record = match given(&args.record, "MINGJING_RECORD") {
        Some(folder) => folder,
        None => paths.data_dir()?.join("mingjing").join("record"),
    };
    let settings = match given(&args.settings, "MINGJING_SETTINGS") {
        Some(file) => file,
        None => paths.config_dir()?.join("mingjing").join("desk.toml"),
    };
    let sink = ToPage(app.clone());
    let passphrase_file = given(&args.passphrase_file, "MINGJING_PASSPHRASE_FILE");
    let lang = args.lang;
    Ok(tauri::async_runtime::block_on(async move {
        let desk = Desk::new(&record, &settings, sink);
        if let Some(lang) = lang {
            drop(desk.set_lang(lang));
        }
        if let Some(file) = passphrase_file
            && let Err(error) = desk.unlock_from_file(&file).await
        {
            // The window asks instead, and shows why where the passphrase was wrong.
            tracing::warn!(%error, "the passphrase file did not open the record");
        }
        desk
    }))
}
