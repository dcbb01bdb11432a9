//! The child's life: messages in, messages out, one thing at a time.
//!
//! One thread reads the link, the ear is another; both put events into one bounded queue that the worker empties.
//! End of file means stop: the worker leaves at once, even in the middle of recognition, since what was said is
//! on the disk already.

use crate::ear::{Heard, lock};
use crate::journal::{self, Journal};
use crate::microphone::Microphone;
use crate::{Error, Recognised, Recogniser, Result, Spoken, cut, sound};
use mj_link::speech::{FromSpeech, ToSpeech};
use mj_link::{Lang, LineReader, LineWriter, Received};
use mj_seal::Key;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Events that may wait.
const QUEUE: usize = 256;
/// How long a piece of recognition may go on after the parent has gone.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

enum Event {
    Message(ToSpeech),
    /// The microphone has more sound.
    More,
    Trouble(u64, Error),
    End,
}

type Output = Arc<Mutex<LineWriter<Box<dyn Write + Send>>>>;

/// Serves a parent until it says `Quit` or closes its end.
///
/// # Errors
/// Those of the two streams.
pub fn serve(input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) -> io::Result<()> {
    let (send, events) = sync_channel(QUEUE);
    let output: Output = Arc::new(Mutex::new(LineWriter::new(Box::new(output))));
    let reader = send.clone();
    std::thread::Builder::new().name("link".into()).spawn(move || read(input, &reader))?;
    let mut worker =
        Worker { output, events: send, lang: Lang::Zh, journal: None, recogniser: None, listening: None, ended: None, settled: Vec::new() };
    let program = format!("mingjing-speech {}", env!("CARGO_PKG_VERSION"));
    worker.send(&FromSpeech::Hello { program, pid: std::process::id() })?;
    while let Ok(event) = events.recv() {
        match event {
            Event::Message(ToSpeech::Quit) => {
                worker.forget_settled();
                break;
            }
            Event::End => break,
            Event::Message(message) => worker.take(message)?,
            Event::More => worker.hear()?,
            Event::Trouble(request, error) => worker.trouble(request, error)?,
        }
    }
    // Dropping the microphone puts its last sound onto the disk.
    drop(worker.listening.take().map(|l| l.microphone.close()));
    Ok(())
}

fn read(input: impl BufRead, events: &SyncSender<Event>) {
    let mut reader = LineReader::new(input);
    loop {
        let event = match reader.next() {
            Ok(Received::Message(message)) => Event::Message(message),
            Ok(Received::Noise(noise)) => {
                tracing::warn!(%noise, "link");
                continue;
            }
            Ok(Received::End) | Err(_) => Event::End,
        };
        let is_end = matches!(event, Event::End);
        if events.send(event).is_err() {
            return;
        }
        if is_end {
            // Recognition cannot be interrupted from outside; the parent is gone, so nobody waits for it.
            std::thread::sleep(LEAVE_WITHIN);
            std::process::exit(0);
        }
    }
}

/// A dictation by microphone.
struct Listening {
    request: u64,
    spoken: Spoken,
    microphone: Microphone,
    journal: Option<PathBuf>,
    /// Samples that are recognised already.
    taken: usize,
    so_far: Recognised,
    /// What went wrong and did not end it. Told after the final text, since `Failed` ends a request.
    troubles: Vec<Error>,
}

struct Worker {
    output: Output,
    events: SyncSender<Event>,
    lang: Lang,
    journal: Option<(Key, PathBuf)>,
    recogniser: Option<Recogniser>,
    listening: Option<Listening>,
    /// The dictation that ended last, perhaps by itself.
    ended: Option<u64>,
    /// Journals whose final text was sent. They go when the parent shows by its next request that it lives on.
    settled: Vec<PathBuf>,
}

impl Worker {
    fn send(&self, message: &FromSpeech) -> io::Result<()> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).send(message)
    }

    fn fail(&self, request: Option<u64>, error: &Error) -> io::Result<()> {
        tracing::warn!(%error, request, "failed");
        self.send(&FromSpeech::Failed { request, error: mj_lang::tell(error, self.lang) })
    }

    fn take(&mut self, message: ToSpeech) -> io::Result<()> {
        let (request, done) = match message {
            ToSpeech::Hello { lang, journal } => {
                self.lang = lang;
                (None, self.open_journal(journal))
            }
            ToSpeech::LoadModel { path } => (None, self.load(&path)),
            ToSpeech::Transcribe { request, wav, language } => (Some(request), self.transcribe(request, &wav, &language)),
            ToSpeech::StartMicrophone { request, language } => (Some(request), self.start(request, &language)),
            ToSpeech::StopMicrophone { request } => (Some(request), self.stop(request)),
            // The loop has ended before it comes here.
            ToSpeech::Quit => (None, Ok(())),
        };
        match done {
            Ok(()) => Ok(()),
            Err(Failure::Told(error)) => self.fail(request, &error),
            Err(Failure::Link(e)) => Err(e),
        }
    }

    fn open_journal(&mut self, journal: Option<(String, PathBuf)>) -> std::result::Result<(), Failure> {
        self.journal = match journal {
            Some((key, folder)) => Some((Key::from_hex(&key).map_err(|e| Error::Journal { why: e.to_string() })?, folder)),
            None => None,
        };
        Ok(())
    }

    fn load(&mut self, path: &Path) -> std::result::Result<(), Failure> {
        // The old one goes first: two large models may not fit into memory together.
        self.recogniser = None;
        let recogniser = Recogniser::load(path)?;
        let about = serde_json::to_value(recogniser.about()).unwrap_or_default();
        self.recogniser = Some(recogniser);
        Ok(self.send(&FromSpeech::ModelReady { about })?)
    }

    fn transcribe(&mut self, request: u64, file: &Path, language: &str) -> std::result::Result<(), Failure> {
        let spoken = Spoken::parse(language)?;
        let recogniser = self.recogniser.as_mut().ok_or(Error::NoModel)?;
        let samples = read_sound(file, self.journal.as_ref())?;
        let output = self.output.clone();
        let done = recogniser.recognise(&samples, spoken, |so_far| {
            let partial = FromSpeech::Partial { request, text: so_far.text.clone() };
            if let Err(e) = output.lock().unwrap_or_else(PoisonError::into_inner).send(&partial) {
                tracing::warn!(kind = ?e.kind(), "a partial text was not sent");
            }
        })?;
        Ok(self.send(&FromSpeech::Final { request, text: done.text, words: done.words })?)
    }

    fn start(&mut self, request: u64, language: &str) -> std::result::Result<(), Failure> {
        if self.listening.is_some() {
            return Err(Error::AlreadyListening.into());
        }
        self.forget_settled();
        let spoken = Spoken::parse(language)?;
        self.recogniser.as_ref().ok_or(Error::NoModel)?.speaks(spoken)?;
        let journal = self.journal.as_ref().map(|(key, folder)| Journal::begin(folder, key)).transpose()?;
        let path = journal.as_ref().map(|j| j.path().to_owned());
        let (output, events) = (self.output.clone(), self.events.clone());
        let opened = Microphone::open(journal, move |heard| {
            let event = match heard {
                Heard::Level(dbfs) => {
                    let level = FromSpeech::Level { request, dbfs };
                    if let Err(e) = output.lock().unwrap_or_else(PoisonError::into_inner).send(&level) {
                        tracing::debug!(kind = ?e.kind(), "a level was not sent");
                    }
                    return;
                }
                Heard::More => Event::More,
                Heard::Trouble(error) => Event::Trouble(request, error),
            };
            // A full queue means that recognition is busy; it looks at all sound when it comes back.
            if let Err(TrySendError::Full(Event::Trouble(_, error))) = events.try_send(event) {
                tracing::warn!(%error, "not told");
            }
        });
        let microphone = match opened {
            Ok(microphone) => microphone,
            Err(e) => {
                // Nothing was said, so nothing is worth keeping.
                path.as_deref().map(remove);
                return Err(e.into());
            }
        };
        self.listening =
            Some(Listening { request, spoken, microphone, journal: path, taken: 0, so_far: Recognised::default(), troubles: Vec::new() });
        Ok(())
    }

    /// Recognises sentences that have ended while the microphone stays open.
    fn hear(&mut self) -> io::Result<()> {
        let (Some(listening), Some(recogniser)) = (&mut self.listening, &mut self.recogniser) else { return Ok(()) };
        let new = lock(listening.microphone.ear().sound()).get(listening.taken..).unwrap_or_default().to_vec();
        let Some(end) = cut::sentence_end(&new, recogniser.longest_piece()) else { return Ok(()) };
        let had = listening.so_far.text.len();
        if let Err(e) = add(listening, recogniser, new.get(..end).unwrap_or_default()) {
            listening.troubles.push(e);
        }
        if listening.so_far.text.len() == had {
            return Ok(());
        }
        let partial = FromSpeech::Partial { request: listening.request, text: listening.so_far.text.clone() };
        self.send(&partial)
    }

    /// Something went wrong while listening. A microphone that is gone ends the dictation as if it had been stopped.
    fn trouble(&mut self, request: u64, error: Error) -> io::Result<()> {
        tracing::warn!(%error, request, "while listening");
        let Some(listening) = self.listening.as_mut().filter(|l| l.request == request) else { return Ok(()) };
        let is_over = matches!(error, Error::MicrophoneFailed { .. });
        listening.troubles.push(error);
        if is_over { self.end() } else { Ok(()) }
    }

    fn stop(&mut self, request: u64) -> std::result::Result<(), Failure> {
        if self.listening.as_ref().is_some_and(|l| l.request == request) {
            return Ok(self.end()?);
        }
        // One that ended by itself was told already.
        if self.ended == Some(request) { Ok(()) } else { Err(Error::NotListening.into()) }
    }

    /// Closes the microphone, recognises the rest, sends the final text and then what went wrong.
    fn end(&mut self) -> io::Result<()> {
        let Some(listening) = self.listening.take() else { return Ok(()) };
        let Listening { request, spoken, microphone, journal, taken, mut so_far, mut troubles } = listening;
        self.ended = Some(request);
        let all = microphone.close();
        let rest = all.get(taken..).unwrap_or_default();
        let offset_s = taken as f64 / f64::from(sound::RATE);
        match self.recogniser.as_mut().ok_or(Error::NoModel).and_then(|r| r.recognise(rest, spoken, |_| {})) {
            Ok(last) => so_far.append(later(last, offset_s)),
            Err(e) => troubles.push(e),
        }
        let Recognised { text, words } = so_far;
        self.send(&FromSpeech::Final { request, text, words })?;
        if !troubles.iter().any(costs_text) {
            self.settled.extend(journal);
        }
        for error in &troubles {
            self.fail(Some(request), error)?;
        }
        Ok(())
    }

    fn forget_settled(&mut self) {
        for path in self.settled.drain(..) {
            remove(&path);
        }
    }
}

/// Whether sound that is in the journal did not become text, so that the journal is still worth something.
const fn costs_text(error: &Error) -> bool {
    matches!(error, Error::Recogniser { .. } | Error::NoModel)
}

fn add(listening: &mut Listening, recogniser: &mut Recogniser, sound: &[f32]) -> Result<()> {
    let offset_s = listening.taken as f64 / f64::from(sound::RATE);
    listening.taken += sound.len();
    let done = recogniser.recognise(sound, listening.spoken, |_| {})?;
    listening.so_far.append(later(done, offset_s));
    Ok(())
}

/// Times from the beginning of the dictation instead of from that of the piece.
fn later(mut recognised: Recognised, offset_s: f64) -> Recognised {
    for word in &mut recognised.words {
        word.start_s += offset_s;
        word.end_s += offset_s;
    }
    recognised
}

/// A WAV file, or what a dictation left behind when the program was stopped.
fn read_sound(file: &Path, journal: Option<&(Key, PathBuf)>) -> Result<Vec<f32>> {
    match journal {
        Some((key, _)) if file.extension().is_some_and(|e| e == journal::ENDING) => journal::recover(file, key).map(|r| r.samples),
        _ => sound::read_wav(file),
    }
}

fn remove(path: &Path) {
    if let Err(e) = std::fs::remove_file(path) {
        tracing::warn!(kind = ?e.kind(), "a sound journal was not removed");
    }
}

/// Why a message was not carried out.
enum Failure {
    /// To be told to the person.
    Told(Error),
    /// The link itself is gone.
    Link(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Link(error)
    }
}
