//! The report in the editor.

use super::{Answer, told};
use mj_desk::desk::Desk;
use mj_desk::page::dto::{CheckLine, Cursor, EditKept, EditSent, PhraseLine, ReasonSent, ReportView, SignedView};
use mj_model::Lang;
use tauri::State;

/// Begins a report.
#[tauri::command]
pub(crate) async fn new_report(desk: State<'_, Desk>, study: String, template: String, lang: Lang) -> Answer<ReportView> {
    told(&desk, desk.new_report(&study, &template, lang).await)
}

/// Begins an addendum to a final report.
#[tauri::command]
pub(crate) async fn addendum(desk: State<'_, Desk>, id: String) -> Answer<ReportView> {
    told(&desk, desk.addendum(&id).await)
}

/// A report for the editor.
#[tauri::command]
pub(crate) async fn report(desk: State<'_, Desk>, id: String) -> Answer<ReportView> {
    told(&desk, desk.report(&id).await)
}

/// The document as it is on disk.
#[tauri::command]
pub(crate) async fn document(desk: State<'_, Desk>, id: String) -> Answer<mj_report::Document> {
    told(&desk, desk.document(&id).await)
}

/// Keeps an edit; the answer means that it is on disk.
#[tauri::command]
pub(crate) async fn edit(desk: State<'_, Desk>, sent: EditSent) -> Answer<EditKept> {
    told(&desk, desk.edit(sent).await)
}

/// Takes back the last edit.
#[tauri::command]
pub(crate) async fn undo(desk: State<'_, Desk>, id: String) -> Answer<EditKept> {
    told(&desk, desk.undo(&id).await)
}

/// Takes back the last undo.
#[tauri::command]
pub(crate) async fn redo(desk: State<'_, Desk>, id: String) -> Answer<EditKept> {
    told(&desk, desk.redo(&id).await)
}

/// Where the writer is.
#[tauri::command]
pub(crate) async fn cursor_moved(desk: State<'_, Desk>, cursor: Cursor) -> Answer<()> {
    desk.cursor_moved(cursor);
    Ok(())
}

/// Puts a measurement in at the cursor.
#[tauri::command]
pub(crate) async fn insert_chip(desk: State<'_, Desk>, finding: String, measurement: String) -> Answer<()> {
    told(&desk, desk.insert_chip(&finding, &measurement).await)
}

/// Normal phrases of the template.
#[tauri::command]
pub(crate) async fn phrases(desk: State<'_, Desk>, id: String) -> Answer<Vec<PhraseLine>> {
    told(&desk, desk.phrases(&id).await)
}

/// Reads the report over.
#[tauri::command]
pub(crate) async fn checks(desk: State<'_, Desk>, id: String) -> Answer<Vec<CheckLine>> {
    told(&desk, desk.checks(&id).await)
}

/// Stands for all stale claims again.
#[tauri::command]
pub(crate) async fn confirm_claims(desk: State<'_, Desk>, id: String) -> Answer<()> {
    told(&desk, desk.confirm_claims(&id).await)
}

/// Puts accepted findings into the report.
#[tauri::command]
pub(crate) async fn draft_report(desk: State<'_, Desk>, id: String) -> Answer<Vec<String>> {
    told(&desk, desk.draft_report(&id).await)
}

/// Signs.
#[tauri::command]
pub(crate) async fn sign(
    desk: State<'_, Desk>,
    id: String,
    person: String,
    role: String,
    deliver: Vec<String>,
    reasons: Vec<ReasonSent>,
) -> Answer<SignedView> {
    told(&desk, desk.sign(&id, &person, &role, deliver, reasons).await)
}

/// Writes the PDF.
#[tauri::command]
pub(crate) async fn export_pdf(desk: State<'_, Desk>, id: String, path: String) -> Answer<String> {
    told(&desk, desk.export_pdf(&id, &path).await)
}
