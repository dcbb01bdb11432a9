//! The worklist, the open study, and its viewer.

use super::{Answer, told};
use mj_desk::desk::Desk;
use mj_desk::page::dto::{StudyFilter, StudyLines, StudyView};
use tauri::State;

/// A page of the worklist.
#[tauri::command]
pub(crate) async fn studies(desk: State<'_, Desk>, filter: StudyFilter) -> Answer<StudyLines> {
    told(&desk, desk.studies(filter).await)
}

/// Opens a study.
#[tauri::command]
pub(crate) async fn open_study(desk: State<'_, Desk>, study: String) -> Answer<StudyView> {
    told(&desk, desk.open_study(&study).await)
}

/// Forgets the open study.
#[tauri::command]
pub(crate) async fn close_study(desk: State<'_, Desk>) -> Answer<()> {
    desk.close_study();
    Ok(())
}

/// Shows the images.
#[tauri::command]
pub(crate) async fn show_viewer(desk: State<'_, Desk>) -> Answer<()> {
    told(&desk, desk.show_viewer().await)
}

/// Opens the planning room.
#[tauri::command]
pub(crate) async fn show_planning(desk: State<'_, Desk>) -> Answer<()> {
    told(&desk, desk.show_planning().await)
}

/// Starts the viewer again.
#[tauri::command]
pub(crate) async fn restart_viewer(desk: State<'_, Desk>) -> Answer<()> {
    told(&desk, desk.restart_viewer().await)
}

/// Shows a finding in the viewer.
#[tauri::command]
pub(crate) async fn focus_finding(desk: State<'_, Desk>, finding: String) -> Answer<()> {
    told(&desk, desk.focus_finding(&finding).await)
}

/// Gives the viewer a text.
#[tauri::command]
pub(crate) async fn give_text(desk: State<'_, Desk>, request: u64, text: Option<String>) -> Answer<()> {
    desk.give_text(request, text);
    Ok(())
}
