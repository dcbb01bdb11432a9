//! Dictation through the speech worker, which knows no patient. It is started when a model is loaded.

use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::{Event, SpeechNow, SpeechState};
use mj_link::speech::{FromSpeech, ToSpeech};
use mj_link::worker::{self, Worker, find_program};
use mj_model::{Lang, Told};
use std::path::PathBuf;
use std::sync::Mutex;

/// The worker and what it is doing.
#[derive(Default)]
pub(crate) struct Speech(Mutex<Now>);

#[derive(Default)]
struct Now {
    worker: Option<Worker>,
    state: Option<SpeechState>,
    about: String,
    request: u64,
    has_microphone: bool,
    /// Counts starts, so that an earlier worker's end changes nothing.
    start: u64,
}

impl Speech {
    pub(crate) fn stop(&self) {
        let worker = {
            let mut now = lock(&self.0);
            now.start += 1;
            now.state = None;
            now.worker.take()
        };
        drop(worker);
    }
}

impl Desk {
    /// The speech worker as it is now.
    #[must_use]
    pub fn speech_now(&self) -> SpeechNow {
        let now = lock(&self.0.speech.0);
        SpeechNow { state: now.state.unwrap_or(SpeechState::NoModel), about: now.about.clone() }
    }

    /// Starts the worker and loads a model file. What becomes of it is told by events.
    ///
    /// # Errors
    /// When the worker cannot be started.
    pub async fn load_model(&self, path: PathBuf) -> Result<()> {
        self.speech_state(SpeechState::Loading, None, None);
        let desk = self.clone();
        let started = tokio::task::spawn_blocking(move || desk.start_speech(path));
        let result = started.await.unwrap_or(Err(Error::Internal("the speech worker's starter stopped")));
        if result.is_err() {
            self.speech_state(SpeechState::NoModel, None, None);
        }
        result
    }

    fn start_speech(&self, path: PathBuf) -> Result<()> {
        let program = find_program("mingjing-speech")?;
        let (mut worker, events) = Worker::spawn::<FromSpeech>(&program, &[])?;
        worker.send(&ToSpeech::Hello { lang: self.lang(), journal: None })?;
        worker.send(&ToSpeech::LoadModel { path })?;
        let start = {
            let mut now = lock(&self.0.speech.0);
            now.start += 1;
            now.worker = Some(worker);
            now.start
        };
        let desk = self.clone();
        let listen = move || {
            loop {
                match events.next() {
                    worker::Event::Message(message) => desk.heard(message),
                    worker::Event::Noise(noise) => tracing::warn!(%noise, "the speech worker printed something else"),
                    worker::Event::Ended => break,
                }
            }
            desk.speech_ended(start);
        };
        let thread = std::thread::Builder::new().name("speech-events".into()).spawn(listen);
        thread.map(drop).map_err(|_no_thread| Error::Internal("no thread could be started"))
    }

    fn speech_ended(&self, start: u64) {
        let worker = {
            let mut now = lock(&self.0.speech.0);
            if now.start != start {
                return;
            }
            now.worker.take()
        };
        drop(worker);
        self.speech_state(SpeechState::NoModel, Some(String::new()), None);
    }

    fn heard(&self, message: FromSpeech) {
        match message {
            FromSpeech::Hello { program, pid } => tracing::info!(program, pid, "the speech worker is there"),
            FromSpeech::ModelReady { about } => self.speech_state(SpeechState::Ready, Some(summary(&about)), None),
            FromSpeech::Level { dbfs, .. } => self.emit(Event::Level { dbfs }),
            FromSpeech::Partial { text, .. } => self.emit(Event::Heard { text, is_final: false }),
            FromSpeech::Final { text, .. } => {
                self.emit(Event::Heard { text: text.trim().into(), is_final: true });
                self.speech_state(SpeechState::Ready, None, None);
            }
            FromSpeech::Failed { request, error } => {
                // Without a request it is the model that was refused.
                let state = if request.is_some() { SpeechState::Ready } else { SpeechState::NoModel };
                self.speech_state(state, None, Some(error));
            }
        }
    }

    fn speech_state(&self, state: SpeechState, about: Option<String>, told: Option<Told>) {
        let about = {
            let mut now = lock(&self.0.speech.0);
            now.state = Some(state);
            if let Some(about) = about {
                now.about = about;
            }
            now.about.clone()
        };
        self.emit(Event::SpeechChanged { state, about, told });
    }

    /// Recognises a WAV file; the words come as events.
    ///
    /// # Errors
    /// [`Error::SpeechBusy`] without a ready model.
    pub fn transcribe(&self, wav: PathBuf) -> Result<()> {
        self.ask_speech(false, |request, language| ToSpeech::Transcribe { request, wav, language })
    }

    /// Listens to the microphone.
    ///
    /// # Errors
    /// [`Error::SpeechBusy`] without a ready model.
    pub fn start_microphone(&self) -> Result<()> {
        self.ask_speech(true, |request, language| ToSpeech::StartMicrophone { request, language })
    }

    fn ask_speech(&self, is_microphone: bool, ask: impl FnOnce(u64, String) -> ToSpeech) -> Result<()> {
        let language = match self.lang() {
            Lang::Zh => "zh",
            Lang::En => "en",
        };
        {
            let mut now = lock(&self.0.speech.0);
            if now.state != Some(SpeechState::Ready) {
                return Err(Error::SpeechBusy);
            }
            now.request += 1;
            now.has_microphone = is_microphone;
            let message = ask(now.request, language.into());
            now.worker.as_mut().ok_or(Error::SpeechBusy)?.send(&message)?;
        }
        self.speech_state(SpeechState::Busy, None, None);
        Ok(())
    }

    /// Stops listening; the last words come as an event.
    ///
    /// # Errors
    /// [`Error::SpeechBusy`] when nothing listens.
    pub fn stop_microphone(&self) -> Result<()> {
        let mut now = lock(&self.0.speech.0);
        if !now.has_microphone {
            return Err(Error::SpeechBusy);
        }
        let request = now.request;
        now.worker.as_mut().ok_or(Error::SpeechBusy)?.send(&ToSpeech::StopMicrophone { request })?;
        Ok(())
    }
}

/// What the header says, in one line.
fn summary(about: &serde_json::Value) -> String {
    let mut parts: Vec<String> = about
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| value.is_string() || value.is_number() || value.is_boolean())
        .map(|(name, value)| format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    parts.truncate(6);
    parts.join(" · ")
}
