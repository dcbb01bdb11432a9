//! The viewer's end of the link: JSON lines on stdin and stdout.
//!
//! stdout belongs to the link. At start the real stdout is kept aside and fd 1 is pointed at stderr, so that a
//! native library that prints cannot corrupt a message. A thread reads, a thread writes, the queues between
//! them are bounded.

use crate::{Error, Result};
use mj_link::{LineReader, LineWriter, Noise, Received, ToParent, ToViewer};
use std::fs::File;
use std::io::BufReader;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Messages that may wait to be written before the sender has to wait.
const QUEUE: usize = 1024;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Box<ToViewer>),
    /// A message of the link that cannot be understood; the parent may wait for an answer to it.
    Unreadable {
        /// Number of the job it is about, when it says so.
        job: Option<u64>,
    },
    /// The parent closed its end or is gone: leave.
    End,
}

/// Sends messages to the parent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender(SyncSender<ToParent>);

impl Sender {
    /// Sends a message; waits while the queue is full. When the parent is gone the message is dropped: the
    /// reader will say so.
    pub fn send(&self, message: ToParent) {
        if self.0.send(message).is_err() {
            tracing::debug!("a message found no parent");
        }
    }

    /// Sends a message that may be lost when the queue is full, such as progress.
    pub fn offer(&self, message: ToParent) {
        if self.0.try_send(message).is_err() {
            tracing::trace!("progress dropped");
        }
    }

    /// A sender into a queue of the caller's, for tests.
    #[must_use]
    pub fn to_queue() -> (Self, Receiver<ToParent>) {
        let (sender, receiver) = sync_channel(QUEUE);
        (Self(sender), receiver)
    }
}

/// Waits at the end until everything sent is written.
#[derive(Debug)]
pub struct Writing(JoinHandle<()>);

impl Writing {
    /// Waits until the queue is written. All [`Sender`]s must be gone.
    pub fn finish(self) {
        if self.0.join().is_err() {
            tracing::error!("the link's writer ended in a fault");
        }
    }
}

/// The first message to the parent; `backend` is what draws the pictures.
#[must_use]
pub fn hello(backend: String) -> ToParent {
    ToParent::Hello { program: concat!("mingjing-viewer ", env!("CARGO_PKG_VERSION")).to_owned(), pid: std::process::id(), backend }
}

/// Takes stdout for the link and starts writing.
///
/// # Errors
/// [`Error::Link`] when stdout cannot be kept aside.
pub fn write_to_parent() -> Result<(Sender, Writing)> {
    let out = take_stdout().map_err(Error::Link)?;
    let (sender, receiver) = sync_channel::<ToParent>(QUEUE);
    let thread = std::thread::Builder::new()
        .name("link-writer".into())
        .spawn(move || {
            let mut writer = LineWriter::new(out);
            for message in receiver {
                if let Err(e) = writer.send(&message) {
                    tracing::warn!("the parent no longer listens: {}", e.kind());
                    return;
                }
            }
        })
        .map_err(Error::Link)?;
    Ok((Sender(sender), Writing(thread)))
}

/// Starts reading stdin; every message, and at last the end, is given to `on`. `on` returns false to stop.
///
/// # Errors
/// [`Error::Link`] when no thread can be started.
pub fn read_from_parent(mut on: impl FnMut(Incoming) -> bool + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name("link-reader".into())
        .spawn(move || {
            let mut reader = LineReader::new(BufReader::with_capacity(1 << 16, std::io::stdin()));
            loop {
                match reader.next::<ToViewer>() {
                    Ok(Received::Message(message)) => {
                        if !on(Incoming::Message(Box::new(message))) {
                            return;
                        }
                    }
                    Ok(Received::Noise(noise)) => {
                        tracing::warn!("{noise}");
                        let unreadable = match noise {
                            Noise::Unreadable { job, .. } => Incoming::Unreadable { job },
                            Noise::OtherVersion(_) | Noise::TooLong => Incoming::Unreadable { job: None },
                            Noise::NotAMessage { .. } => continue,
                        };
                        if !on(unreadable) {
                            return;
                        }
                    }
                    Ok(Received::End) => break,
                    Err(e) => {
                        tracing::warn!("the link broke: {}", e.kind());
                        break;
                    }
                }
            }
            on(Incoming::End);
        })
        .map(drop)
        .map_err(Error::Link)
}

/// Keeps the real stdout aside and points fd 1 at stderr.
#[cfg(unix)]
fn take_stdout() -> std::io::Result<File> {
    use std::os::fd::AsFd as _;
    let kept = std::io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(std::io::stderr())?;
    Ok(File::from(kept))
}

/// Keeps the real stdout aside. On Windows a library that prints to its own C stdout still reaches it; its
/// lines are noise that the parent skips.
#[cfg(windows)]
fn take_stdout() -> std::io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(File::from(std::io::stdout().as_handle().try_clone_to_owned()?))
}
