//! Dictation.

use super::{Answer, told};
use mj_desk::desk::Desk;
use mj_desk::page::dto::SpeechNow;
use std::path::PathBuf;
use tauri::State;

/// The speech worker as it is now.
#[tauri::command]
pub(crate) async fn speech_now(desk: State<'_, Desk>) -> Answer<SpeechNow> {
    Ok(desk.speech_now())
}

/// Loads a model.
#[tauri::command]
pub(crate) async fn load_model(desk: State<'_, Desk>, path: PathBuf) -> Answer<()> {
    told(&desk, desk.load_model(path).await)
}

/// Recognises a WAV file.
#[tauri::command]
pub(crate) async fn transcribe(desk: State<'_, Desk>, path: PathBuf) -> Answer<()> {
    told(&desk, desk.transcribe(path))
}

/// Listens.
#[tauri::command]
pub(crate) async fn start_microphone(desk: State<'_, Desk>) -> Answer<()> {
    told(&desk, desk.start_microphone())
}

/// Forgets a kept sound.
#[tauri::command]
pub(crate) async fn forget_sound(desk: State<'_, Desk>, file: String) -> Answer<()> {
    told(&desk, desk.forget_sound(&file))
}

/// Stops listening.
#[tauri::command]
pub(crate) async fn stop_microphone(desk: State<'_, Desk>) -> Answer<()> {
    told(&desk, desk.stop_microphone())
}
