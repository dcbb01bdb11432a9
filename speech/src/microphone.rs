//! The microphone.

use crate::ear::{Ear, Feed, Heard, QUEUE};
use crate::journal::Journal;
use crate::{Error, Result};
use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{Device, ErrorKind, FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// How long a microphone may take to start.
const START_WITHIN: Duration = Duration::from_secs(5);

/// A microphone that is listened to.
pub struct Microphone {
    stream: Stream,
    ear: Ear,
}

impl std::fmt::Debug for Microphone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Microphone").field("ear", &self.ear).finish_non_exhaustive()
    }
}

impl Microphone {
    /// Opens the system's default microphone and listens.
    ///
    /// # Errors
    /// [`Error::NoMicrophone`], [`Error::MicrophoneDenied`], [`Error::MicrophoneBusy`], [`Error::MicrophoneFailed`].
    pub fn open(journal: Option<Journal>, tell: impl Fn(Heard) + Send + Sync + 'static) -> Result<Self> {
        let device = cpal::default_host().default_input_device().ok_or(Error::NoMicrophone)?;
        let config = device.default_input_config().map_err(|e| opening(&e))?;
        let (send, pieces) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let feed = Feed { pieces, channels: config.channels(), rate: config.sample_rate(), lost: lost.clone() };
        let take = Take { send, lost };
        let tell = Arc::new(tell);
        let told = tell.clone();
        let ear = Ear::listen(feed, journal, move |heard| told(heard))?;
        let trouble = move |e: cpal::Error| {
            if let Some(error) = while_listening(&e) {
                tell(Heard::Trouble(error));
            }
        };
        let stream_config = config.config();
        let stream = match config.sample_format() {
            SampleFormat::F32 => stream::<f32>(&device, stream_config, take, trouble),
            SampleFormat::F64 => stream::<f64>(&device, stream_config, take, trouble),
            SampleFormat::I8 => stream::<i8>(&device, stream_config, take, trouble),
            SampleFormat::I16 => stream::<i16>(&device, stream_config, take, trouble),
            SampleFormat::I32 => stream::<i32>(&device, stream_config, take, trouble),
            SampleFormat::U8 => stream::<u8>(&device, stream_config, take, trouble),
            SampleFormat::U16 => stream::<u16>(&device, stream_config, take, trouble),
            SampleFormat::U32 => stream::<u32>(&device, stream_config, take, trouble),
            other => Err(Error::MicrophoneFailed { why: format!("samples of form {other:?}") }),
        }?;
        stream.play().map_err(|e| opening(&e))?;
        Ok(Self { stream, ear })
    }

    /// The ear behind it.
    #[must_use]
    pub const fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Closes it and gives everything it heard, all of it on the disk.
    #[must_use]
    pub fn close(self) -> Vec<f32> {
        // The stream holds the queue's other end.
        drop(self.stream);
        self.ear.finish()
    }
}

/// The microphone's end of the feed.
struct Take {
    send: SyncSender<Vec<f32>>,
    lost: Arc<AtomicU64>,
}

impl Take {
    /// Never waits: this runs in the system's sound thread. The queue holds about a second, so a full one means
    /// that the disk or the processor is stuck.
    fn samples(&self, samples: Vec<f32>) {
        if let Err(TrySendError::Full(samples)) = self.send.try_send(samples) {
            self.lost.fetch_add(samples.len() as u64, Ordering::Relaxed);
        }
    }
}

fn stream<T>(device: &Device, config: StreamConfig, take: Take, trouble: impl FnMut(cpal::Error) + Send + 'static) -> Result<Stream>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let take = move |data: &[T], _: &cpal::InputCallbackInfo| {
        take.samples(data.iter().map(|s| <f32 as FromSample<T>>::from_sample_(*s)).collect());
    };
    device.build_input_stream::<T, _, _>(config, take, trouble, Some(START_WITHIN)).map_err(|e| opening(&e))
}

/// An error before the first sample.
fn opening(e: &cpal::Error) -> Error {
    match e.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => Error::NoMicrophone,
        ErrorKind::PermissionDenied => Error::MicrophoneDenied,
        ErrorKind::DeviceBusy => Error::MicrophoneBusy,
        _ => Error::MicrophoneFailed { why: e.to_string() },
    }
}

/// An error while listening; `None` for those that the stream survives.
fn while_listening(e: &cpal::Error) -> Option<Error> {
    match e.kind() {
        ErrorKind::Xrun | ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {
            tracing::debug!(kind = ?e.kind(), "the microphone stumbled");
            None
        }
        _ => Some(Error::MicrophoneFailed { why: e.to_string() }),
    }
}
