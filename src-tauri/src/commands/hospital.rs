//! People, servers and the outbox.

use super::{Answer, told};
use mj_desk::desk::Desk;
use mj_desk::page::dto::{FoundLine, LedgerView, OutboxLine, PersonLine, ServerLine};
use tauri::State;

/// The outbox.
#[tauri::command]
pub(crate) async fn outbox(desk: State<'_, Desk>) -> Answer<Vec<OutboxLine>> {
    told(&desk, desk.outbox().await)
}

/// Sends what waits.
#[tauri::command]
pub(crate) async fn flush_outbox(desk: State<'_, Desk>) -> Answer<Vec<OutboxLine>> {
    told(&desk, desk.flush_outbox().await)
}

/// Everyone.
#[tauri::command]
pub(crate) async fn people(desk: State<'_, Desk>) -> Answer<Vec<PersonLine>> {
    told(&desk, desk.people().await)
}

/// What people decide on what models propose.
#[tauri::command]
pub(crate) async fn ledger(desk: State<'_, Desk>) -> Answer<LedgerView> {
    told(&desk, desk.ledger().await)
}

/// Adds a person.
#[tauri::command]
pub(crate) async fn add_person(desk: State<'_, Desk>, name: String, role: String) -> Answer<Vec<PersonLine>> {
    told(&desk, desk.add_person(&name, &role).await)
}

/// Says who reads.
#[tauri::command]
pub(crate) async fn choose_person(desk: State<'_, Desk>, id: String) -> Answer<()> {
    desk.choose_person(id);
    Ok(())
}

/// The servers.
#[tauri::command]
pub(crate) async fn servers(desk: State<'_, Desk>) -> Answer<Vec<ServerLine>> {
    told(&desk, desk.servers().await)
}

/// Adds a server.
#[tauri::command]
pub(crate) async fn add_server(desk: State<'_, Desk>, server: ServerLine) -> Answer<Vec<ServerLine>> {
    told(&desk, desk.add_server(server).await)
}

/// Asks a server for an echo.
#[tauri::command]
pub(crate) async fn test_server(desk: State<'_, Desk>, name: String) -> Answer<u64> {
    told(&desk, desk.test_server(&name).await)
}

/// Searches a server.
#[tauri::command]
pub(crate) async fn find_studies(desk: State<'_, Desk>, server: String, text: String) -> Answer<Vec<FoundLine>> {
    told(&desk, desk.find_studies(&server, &text).await)
}

/// Fetches a study.
#[tauri::command]
pub(crate) async fn fetch_study(desk: State<'_, Desk>, server: String, study: String) -> Answer<u64> {
    told(&desk, desk.fetch_study(&server, &study).await)
}

/// Begins to receive.
#[tauri::command]
pub(crate) async fn listen(desk: State<'_, Desk>, aet: String, port: u32, from_others: bool) -> Answer<u32> {
    told(&desk, desk.listen(&aet, port, from_others).await)
}
