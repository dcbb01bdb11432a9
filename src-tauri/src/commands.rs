//! What the page may ask for. Each command parses, makes one call of the core, and gives its answer; nothing is
//! decided here.

#![allow(clippy::let_underscore_must_use, reason = "the macro of the commands expands to it")]

mod files;
mod hospital;
mod record;
mod reports;
mod speech;
mod studies;
mod window;

use mj_desk::desk::{Desk, error};
use mj_model::Told;
use tauri::Wry;
use tauri::ipc::Invoke;

/// What a command gives: an answer, or an error told in the page's language.
type Answer<T> = Result<T, Told>;

/// Tells an error.
fn told<T>(desk: &Desk, result: error::Result<T>) -> Answer<T> {
    result.map_err(|error| {
        tracing::warn!(%error, "a command failed");
        desk.told(&error)
    })
}

/// All commands.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        record::boot,
        record::create_record,
        record::unlock,
        record::lock,
        record::set_lang,
        record::set_theme,
        record::set_opens_viewer,
        record::import_paths,
        record::cancel_import,
        files::pick_folder,
        files::pick_files,
        files::pick_save,
        studies::studies,
        studies::open_study,
        studies::close_study,
        studies::show_viewer,
        studies::show_planning,
        studies::restart_viewer,
        studies::focus_finding,
        studies::give_text,
        reports::new_report,
        reports::report,
        reports::edit,
        reports::undo,
        reports::redo,
        reports::cursor_moved,
        reports::insert_chip,
        reports::addendum,
        reports::document,
        reports::confirm_claims,
        reports::draft_report,
        reports::phrases,
        reports::checks,
        reports::sign,
        reports::export_pdf,
        hospital::outbox,
        hospital::flush_outbox,
        hospital::people,
        hospital::ledger,
        hospital::add_person,
        hospital::choose_person,
        hospital::servers,
        hospital::add_server,
        hospital::test_server,
        hospital::find_studies,
        hospital::fetch_study,
        hospital::listen,
        speech::speech_now,
        speech::load_model,
        speech::transcribe,
        speech::forget_sound,
        speech::start_microphone,
        speech::stop_microphone,
        window::closing_heard,
        window::close_window,
    ]
}
