//! Dictation through the speech worker, which knows no patient. It is started when a model is loaded.
//!
//! What is said is kept sealed in the record's folder `sound` until its words stand in a report. A dictation
//! that a fault interrupted leaves its sound there; the next time a model is ready it is recognised, and a person
//! takes or drops the words.

use super::error::{Error, Result};
use super::{Desk, lock};
use crate::page::dto::{Event, SpeechNow, SpeechState};
use mj_lang::key;
use mj_link::speech::{FromSpeech, ToSpeech};
use mj_link::worker::{self, Worker, find_program};
use mj_model::{Lang, Told};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Ending of a kept sound's name.
const SOUND: &str = "mjsound";
/// A worker that crashed is started again at most once within this.
const CRASH_WINDOW: Duration = Duration::from_secs(60);

/// The worker and what it is doing.
#[derive(Default)]
pub(crate) struct Speech(Mutex<Now>);

#[derive(Default)]
struct Now {
    worker: Option<Worker>,
    state: Option<SpeechState>,
    about: String,
    model: PathBuf,
    request: u64,
    has_microphone: bool,
    /// The report that is spoken for.
    report: Option<String>,
    /// The kept sound that is being recognised, and those that wait.
    recovering: Option<PathBuf>,
    leftovers: VecDeque<PathBuf>,
    crashed: Option<Instant>,
    /// Counts starts, so that an earlier worker's end changes nothing.
    start: u64,
}

impl Speech {
    pub(crate) fn stop(&self) {
        let worker = {
            let mut now = lock(&self.0);
            now.start += 1;
            now.state = None;
            now.leftovers.clear();
            now.recovering = None;
            now.worker.take()
        };
        if let Some(mut worker) = worker {
            // It leaves by itself when it cannot be told.
            drop(worker.send(&ToSpeech::Quit));
        }
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
        let journal = (self.record()?.grant().object_key.to_string(), self.sound_folder());
        self.0.speech.stop();
        let program = find_program("mingjing-speech")?;
        let (mut worker, events) = Worker::spawn::<FromSpeech>(&program, &[])?;
        worker.send(&ToSpeech::Hello { lang: self.lang(), journal: Some(journal) })?;
        worker.send(&ToSpeech::LoadModel { path: path.clone() })?;
        let start = {
            let mut now = lock(&self.0.speech.0);
            now.start += 1;
            now.worker = Some(worker);
            now.model = path;
            now.has_microphone = false;
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

    /// The worker is gone without having been asked to go.
    fn speech_ended(&self, start: u64) {
        let (worker, is_first, model) = {
            let mut now = lock(&self.0.speech.0);
            if now.start != start {
                return;
            }
            let is_first = now.crashed.is_none_or(|at| at.elapsed() > CRASH_WINDOW);
            now.crashed = Some(Instant::now());
            now.has_microphone = false;
            (now.worker.take(), is_first, now.model.clone())
        };
        drop(worker);
        let text = |text: mj_lang::Text| text.get(self.lang()).to_owned();
        let hint = if is_first { key::DESK_SPEECH_AGAIN } else { key::DESK_SPEECH_STOPPED_HINT };
        let told = Told { code: "speech.left".into(), message: text(key::DESK_SPEECH_STOPPED), hint: text(hint) };
        self.emit(Event::Heard { text: String::new(), is_final: false, is_placed: false });
        self.speech_state(SpeechState::NoModel, Some(String::new()), Some(told));
        if is_first {
            let desk = self.clone();
            self.0.runtime.spawn(async move {
                if let Err(error) = desk.load_model(model).await {
                    desk.emit(Event::Problem { told: desk.told(&error) });
                }
            });
        }
    }

    fn heard(&self, message: FromSpeech) {
        match message {
            FromSpeech::Hello { program, pid } => tracing::info!(program, pid, "the speech worker is there"),
            FromSpeech::ModelReady { about } => {
                lock(&self.0.speech.0).leftovers = leftovers(&self.sound_folder());
                self.speech_state(SpeechState::Ready, Some(summary(&about, self.lang())), None);
                self.recover_next();
            }
            FromSpeech::Level { dbfs, .. } => self.emit(Event::Level { dbfs }),
            FromSpeech::Partial { text, .. } => {
                if lock(&self.0.speech.0).recovering.is_none() {
                    self.emit(Event::Heard { text, is_final: false, is_placed: false });
                }
            }
            FromSpeech::Final { text, .. } => {
                self.final_words(text.trim().to_owned());
                self.speech_state(SpeechState::Ready, None, None);
                self.recover_next();
            }
            FromSpeech::Failed { request, error } => {
                let was_recovering = {
                    let mut now = lock(&self.0.speech.0);
                    now.has_microphone = false;
                    now.recovering.take().is_some()
                };
                // Without a request it is the model that was refused.
                let state = if request.is_some() { SpeechState::Ready } else { SpeechState::NoModel };
                self.speech_state(state, None, Some(error));
                if was_recovering {
                    self.recover_next();
                }
            }
        }
    }

    fn final_words(&self, text: String) {
        let (report, recovered) = {
            let mut now = lock(&self.0.speech.0);
            now.has_microphone = false;
            (now.report.clone(), now.recovering.take())
        };
        if let Some(path) = recovered {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if text.is_empty() {
                drop(self.forget_sound(&file));
            } else {
                self.emit(Event::SoundRecovered { file, text });
            }
            return;
        }
        let placed = match report.filter(|_| !text.is_empty()) {
            Some(report) => self.0.runtime.block_on(self.insert_heard(&report, &text)),
            None => Ok(false),
        };
        if let Err(error) = &placed {
            self.emit(Event::Problem { told: self.told(error) });
        }
        self.emit(Event::Heard { text, is_final: true, is_placed: placed.unwrap_or(false) });
    }

    /// Recognises the next sound that was left over.
    fn recover_next(&self) {
        let language = language_of(self.lang());
        let is_asked = {
            let mut now = lock(&self.0.speech.0);
            let Some(wav) = now.leftovers.pop_front() else { return };
            now.request += 1;
            let message = ToSpeech::Transcribe { request: now.request, wav: wav.clone(), language: language.into() };
            now.recovering = Some(wav);
            now.worker.as_mut().is_some_and(|worker| worker.send(&message).is_ok())
        };
        if is_asked {
            self.speech_state(SpeechState::Busy, None, None);
        }
    }

    /// Forgets a kept sound whose words were taken or dropped.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn forget_sound(&self, file: &str) -> Result<()> {
        let name = Path::new(file);
        let is_plain = name.file_name().is_some_and(|n| n == file) && name.extension().is_some_and(|e| e == SOUND);
        if !is_plain {
            return Err(Error::BadId(file.into()));
        }
        std::fs::remove_file(self.sound_folder().join(name)).map_err(|source| Error::File { path: file.into(), source })
    }

    fn sound_folder(&self) -> PathBuf {
        self.0.dir.join("sound")
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
        // The words belong to the report that is open now, whatever is open when they come.
        let report = self.open_report_id();
        let language = language_of(self.lang());
        {
            let mut now = lock(&self.0.speech.0);
            if now.state != Some(SpeechState::Ready) {
                return Err(Error::SpeechBusy);
            }
            now.request += 1;
            let message = ask(now.request, language.into());
            now.worker.as_mut().ok_or(Error::SpeechBusy)?.send(&message)?;
            now.has_microphone = is_microphone;
            now.report = report;
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

    /// The study is left: whoever spoke has ended. The last words still go into the report they were spoken for.
    pub(crate) fn stop_listening(&self) {
        if lock(&self.0.speech.0).has_microphone
            && let Err(error) = self.stop_microphone()
        {
            self.emit(Event::Problem { told: self.told(&error) });
        }
    }
}

const fn language_of(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    }
}

/// Kept sounds that no living worker writes, the oldest first.
fn leftovers(folder: &Path) -> VecDeque<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return VecDeque::new() };
    let is_sound = |path: &PathBuf| path.extension().is_some_and(|e| e == SOUND);
    let is_free = |path: &PathBuf| std::fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_sound).filter(is_free).collect();
    found.sort_by_cached_key(|path| path.metadata().and_then(|data| data.modified()).ok());
    found.into()
}

/// What the model's header says, in one line.
fn summary(about: &serde_json::Value, lang: Lang) -> String {
    let speaks = if about["is_multilingual"] == true { key::DESK_SPEECH_MANY } else { key::DESK_SPEECH_ENGLISH };
    let mb = about["bytes"].as_f64().unwrap_or_default() / 1e6;
    format!("{} · {mb:.0}\u{2009}MB", speaks.get(lang))
}
