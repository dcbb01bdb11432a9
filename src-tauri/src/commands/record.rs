//! The record: opened, locked, filled; and the settings.

use super::{Answer, told};
use mj_desk::desk::Desk;
use mj_desk::page::dto::{Boot, ImportDone};
use mj_model::Lang;
use std::path::PathBuf;
use tauri::State;

/// What the page needs before anything else.
#[tauri::command]
pub(crate) async fn boot(desk: State<'_, Desk>) -> Answer<Boot> {
    Ok(desk.boot())
}

/// Makes a record.
#[tauri::command]
pub(crate) async fn create_record(desk: State<'_, Desk>, passphrase: String) -> Answer<Boot> {
    told(&desk, desk.create_record(passphrase).await)
}

/// Opens the record.
#[tauri::command]
pub(crate) async fn unlock(desk: State<'_, Desk>, passphrase: String) -> Answer<Boot> {
    told(&desk, desk.unlock(passphrase).await)
}

/// Closes the record.
#[tauri::command]
pub(crate) async fn lock(desk: State<'_, Desk>) -> Answer<Boot> {
    Ok(desk.lock().await)
}

/// Changes the language.
#[tauri::command]
pub(crate) async fn set_lang(desk: State<'_, Desk>, lang: Lang) -> Answer<Boot> {
    Ok(desk.set_lang(lang))
}

/// Changes the appearance.
#[tauri::command]
pub(crate) async fn set_theme(desk: State<'_, Desk>, theme: String) -> Answer<Boot> {
    Ok(desk.set_theme(theme))
}

/// Says whether the viewer opens together with a study.
#[tauri::command]
pub(crate) async fn set_opens_viewer(desk: State<'_, Desk>, opens: bool) -> Answer<Boot> {
    Ok(desk.set_opens_viewer(opens))
}

/// Imports files and folders.
#[tauri::command]
pub(crate) async fn import_paths(desk: State<'_, Desk>, paths: Vec<PathBuf>) -> Answer<ImportDone> {
    told(&desk, desk.import(paths).await)
}

/// Stops an import.
#[tauri::command]
pub(crate) async fn cancel_import(desk: State<'_, Desk>) -> Answer<()> {
    desk.cancel_import();
    Ok(())
}
