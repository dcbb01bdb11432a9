//! Dialogs for files and folders; nothing is read here.

use rfd::{AsyncFileDialog, FileHandle};
use std::path::PathBuf;

fn path(handle: &FileHandle) -> PathBuf {
    handle.path().to_owned()
}

/// Asks for a folder.
#[tauri::command]
pub(crate) async fn pick_folder() -> Option<PathBuf> {
    AsyncFileDialog::new().pick_folder().await.as_ref().map(path)
}

/// Asks for files.
#[tauri::command]
pub(crate) async fn pick_files() -> Vec<PathBuf> {
    AsyncFileDialog::new().pick_files().await.unwrap_or_default().iter().map(path).collect()
}

/// Asks where to write a file.
#[tauri::command]
pub(crate) async fn pick_save(name: String) -> Option<PathBuf> {
    AsyncFileDialog::new().set_file_name(name).save_file().await.as_ref().map(path)
}
