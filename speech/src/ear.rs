//! What happens to sound on its way in: one channel, the right rate, the journal, the meter.
//!
//! An ear is a thread fed through a bounded queue, so that it can be tested without a microphone and so that the
//! microphone's own callback never waits for a disk.

use crate::journal::Journal;
use crate::sound::{RATE, Resampler, dbfs, mix};
use crate::{Error, Result};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pieces of sound that may wait for the ear.
pub const QUEUE: usize = 128;
/// Sound is on the disk after so much of it. Units: samples (200 ms).
const KEEP_EVERY: usize = RATE as usize / 5;
/// The meter moves after so much sound. Units: samples (100 ms).
const LEVEL_EVERY: usize = RATE as usize / 10;
/// How long the ear waits for sound before it looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// How the sound comes in.
#[derive(Debug)]
pub struct Feed {
    /// Pieces of interleaved samples, until the other end is dropped.
    pub pieces: Receiver<Vec<f32>>,
    /// Interleaved channels.
    pub channels: u16,
    /// Samples a second of each.
    pub rate: u32,
    /// Samples of all channels that found the queue full.
    pub lost: Arc<AtomicU64>,
}

/// What an ear tells while it listens.
#[derive(Debug)]
pub enum Heard {
    /// Loudness of the last tenth of a second. Units: dB full scale.
    Level(f64),
    /// There is more sound than before.
    More,
    /// Something failed; the ear goes on as far as it can.
    Trouble(Error),
}

/// All sound of one dictation so far. Shape: samples at [`RATE`].
pub type Sound = Arc<Mutex<Vec<f32>>>;

/// Looks at the sound so far.
pub fn lock(sound: &Sound) -> MutexGuard<'_, Vec<f32>> {
    // A thread that panicked while adding leaves samples that are still good.
    sound.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A listening thread.
#[derive(Debug)]
pub struct Ear {
    thread: JoinHandle<()>,
    sound: Sound,
}

impl Ear {
    /// Listens to a feed until its other end is dropped.
    ///
    /// # Errors
    /// [`Error::Recogniser`] for a rate that cannot be changed, [`Error::MicrophoneFailed`] when the system gives
    /// no thread.
    pub fn listen(feed: Feed, journal: Option<Journal>, tell: impl Fn(Heard) + Send + 'static) -> Result<Self> {
        let sound = Sound::default();
        let mut hearing = Hearing {
            resampler: Resampler::new(feed.rate)?,
            feed,
            journal,
            sound: sound.clone(),
            kept: 0,
            levelled: 0,
            lost_told: false,
            tell: Box::new(tell),
        };
        let thread = std::thread::Builder::new().name("ear".into()).spawn(move || hearing.run());
        let thread = thread.map_err(|e: io::Error| Error::MicrophoneFailed { why: e.kind().to_string() })?;
        Ok(Self { thread, sound })
    }

    /// The sound so far.
    #[must_use]
    pub const fn sound(&self) -> &Sound {
        &self.sound
    }

    /// Waits until everything that came in is on the disk, and gives it all. The other end of the queue has to be
    /// dropped first.
    #[must_use]
    pub fn finish(self) -> Vec<f32> {
        if self.thread.join().is_err() {
            tracing::error!("the ear ended by a panic; what it heard before is used");
        }
        std::mem::take(&mut *lock(&self.sound))
    }
}

struct Hearing {
    resampler: Resampler,
    feed: Feed,
    journal: Option<Journal>,
    sound: Sound,
    /// Samples that the journal has.
    kept: usize,
    /// Samples that the meter has seen.
    levelled: usize,
    lost_told: bool,
    tell: Box<dyn Fn(Heard) + Send>,
}

impl Hearing {
    fn run(&mut self) {
        loop {
            match self.feed.pieces.recv_timeout(PATIENCE) {
                Ok(interleaved) => {
                    let changed = self.resampler.push(&mix(&interleaved, self.feed.channels.into()));
                    self.add(changed);
                    self.keep(KEEP_EVERY);
                }
                // A microphone that pauses must not leave its last syllable off the disk.
                Err(RecvTimeoutError::Timeout) => self.keep(1),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.level();
            self.tell_lost();
        }
        let rest = self.resampler.finish();
        self.add(rest);
        self.keep(1);
    }

    fn add(&self, samples: Result<Vec<f32>>) {
        match samples {
            Ok(samples) if samples.is_empty() => {}
            Ok(samples) => {
                lock(&self.sound).extend(samples);
                (self.tell)(Heard::More);
            }
            Err(e) => (self.tell)(Heard::Trouble(e)),
        }
    }

    /// Writes what is not on the disk yet, once it is at least `least` samples.
    fn keep(&mut self, least: usize) {
        let Some(journal) = &mut self.journal else { return };
        let new = lock(&self.sound).get(self.kept..).unwrap_or_default().to_vec();
        if new.len() < least {
            return;
        }
        self.kept += new.len();
        if let Err(e) = journal.add(&new) {
            // Told once; a disk that is full stays so, and the person is already being told.
            self.journal = None;
            (self.tell)(Heard::Trouble(e));
        }
    }

    /// Told once for each dictation: a person reads the passage again after the first time already.
    fn tell_lost(&mut self) {
        let lost = self.feed.lost.load(Ordering::Relaxed);
        if lost > 0 && !self.lost_told {
            self.lost_told = true;
            let per_second = u64::from(self.feed.rate) * u64::from(self.feed.channels);
            (self.tell)(Heard::Trouble(Error::SoundLost { lost_ms: lost * 1000 / per_second.max(1) }));
        }
    }

    fn level(&mut self) {
        let level = {
            let sound = lock(&self.sound);
            let Some(new) = sound.get(self.levelled..).filter(|new| new.len() >= LEVEL_EVERY) else { return };
            self.levelled = sound.len();
            dbfs(new)
        };
        (self.tell)(Heard::Level(level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal;
    use mj_seal::Key;
    use std::sync::mpsc::sync_channel;
    use std::time::Instant;

    #[test]
    fn sound_is_on_the_disk_within_a_quarter_of_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate().unwrap();
        let journal = Journal::begin(folder.path(), &key).unwrap();
        let path = journal.path().to_owned();
        let (send, pieces) = sync_channel(QUEUE);
        let feed = Feed { pieces, channels: 2, rate: 48_000, lost: Arc::default() };
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = told.clone();
        let ear = Ear::listen(feed, Some(journal), move |heard| note.lock().unwrap().push(heard)).unwrap();
        // One second of two channels in pieces of 10 ms.
        for _ in 0..100 {
            send.send(vec![0.25; 960]).unwrap();
        }
        // The queue stays open, as of a microphone that pauses.
        let start = Instant::now();
        let on_disk = loop {
            let found = journal::recover(&path, &key).map_or(0, |r| r.samples.len());
            if found >= 15_500 || start.elapsed() > Duration::from_secs(5) {
                break found;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(on_disk >= 15_500, "{on_disk} samples");
        drop(send);
        let all = ear.finish();
        assert!(all.len().abs_diff(16_000) <= 2, "{}", all.len());
        assert_eq!(journal::recover(&path, &key).unwrap().samples.len(), all.len());
        let told = told.lock().unwrap();
        let levels: Vec<f64> = told.iter().filter_map(|h| if let Heard::Level(dbfs) = h { Some(*dbfs) } else { None }).collect();
        assert!(!levels.is_empty() && (levels[levels.len() - 1] + 12.04).abs() < 0.5, "{levels:?}");
        assert!(!told.iter().any(|h| matches!(h, Heard::Trouble(_))));
    }
}
