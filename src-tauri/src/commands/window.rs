//! The window's end.

use super::Answer;
use crate::window::Closing;
use tauri::{State, WebviewWindow};

/// The page has heard that the window is to close.
#[tauri::command]
pub(crate) async fn closing_heard(closing: State<'_, Closing>) -> Answer<()> {
    closing.heard();
    Ok(())
}

/// Everything is on disk, or the person gives it up: the window goes.
#[tauri::command]
pub(crate) async fn close_window(window: WebviewWindow) -> Answer<()> {
    if let Err(error) = window.destroy() {
        tracing::error!(%error, "the window does not close");
    }
    Ok(())
}
