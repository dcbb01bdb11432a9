//! Starting a child worker and talking with it.
//!
//! The child's stdout is read by a named thread into a bounded channel; its stdin is written by the caller.
//! Closing stdin asks the child to leave, which it does by itself; a child that does not is killed.

use crate::codec::{LineReader, LineWriter, Noise, Received};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Messages waiting to be read before the child has to wait.
const QUEUE: usize = 256;
/// How long a child may take to leave after its stdin closed.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Why a worker could not be started or talked to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The program is not beside this one.
    #[error("program {name} not found")]
    NotFound {
        /// File name of the program.
        name: String,
        /// Folders that were looked in.
        looked_in: Vec<PathBuf>,
    },
    /// The system would not start it.
    #[error("could not start {name}")]
    Start {
        /// File name of the program.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It left: its stdin is closed.
    #[error("the worker has ended")]
    Ended(#[source] io::Error),
}

impl WorkerError {
    /// Every code this type can raise.
    pub const CODES: &'static [&'static str] = &["worker.not_found", "worker.start", "worker.ended"];
}

impl mj_model::Coded for WorkerError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "worker.not_found",
            Self::Start { .. } => "worker.start",
            Self::Ended(_) => "worker.ended",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NotFound { name, looked_in } => {
                let folders = looked_in.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
                vec![("name", name.clone()), ("folders", folders)]
            }
            Self::Start { name, source } => vec![("name", name.clone()), ("reason", source.to_string())],
            Self::Ended(source) => vec![("reason", source.to_string())],
        }
    }
}

/// Finds a program of ours: in `MINGJING_BIN_DIR`, beside this executable, or one folder above it (tests run
/// from `deps/`).
///
/// # Errors
/// [`WorkerError::NotFound`] with the folders that were looked in.
pub fn find_program(name: &str) -> Result<PathBuf, WorkerError> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let mut folders: Vec<PathBuf> = std::env::var_os("MINGJING_BIN_DIR").map(PathBuf::from).into_iter().collect();
    if let Ok(own) = std::env::current_exe() {
        folders.extend(own.ancestors().skip(1).take(2).map(Path::to_path_buf));
    }
    match folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => Err(WorkerError::NotFound { name: file, looked_in: folders }),
    }
}

/// Something a worker did.
#[derive(Debug, PartialEq)]
pub enum Event<M> {
    /// It said something.
    Message(M),
    /// It printed a line that is no message.
    Noise(Noise),
    /// Its stdout closed: it has left, or died.
    Ended,
}

/// A child process that speaks the link: its life and its stdin. Dropping it asks it to leave and, if it does
/// not, kills it.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: Option<LineWriter<ChildStdin>>,
}

/// What a worker says, in order. Lives apart from [`Worker`], so that one thread can read while another writes.
#[derive(Debug)]
pub struct Events<M>(Receiver<Event<M>>);

impl<M> Events<M> {
    /// Waits for the next event. After the end it is [`Event::Ended`] for ever.
    pub fn next(&self) -> Event<M> {
        self.0.recv().unwrap_or(Event::Ended)
    }

    /// Waits for the next event for a while; `None` when nothing came.
    pub fn next_within(&self, wait: Duration) -> Option<Event<M>> {
        match self.0.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Ended),
        }
    }
}

impl Worker {
    /// Starts a program with its stdin and stdout on the link; stderr stays the parent's.
    ///
    /// # Errors
    /// [`WorkerError::Start`] when the system refuses.
    pub fn spawn<M: DeserializeOwned + Send + 'static>(program: &Path, args: &[&str]) -> Result<(Self, Events<M>), WorkerError> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = |source| WorkerError::Start { name: name.clone(), source };
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        hide_console(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(io::Error::other("no pipes")));
        };
        let worker = Self { child, input: Some(LineWriter::new(stdin)) };
        let (send, events) = sync_channel(QUEUE);
        let read = move || {
            let mut reader = LineReader::new(BufReader::new(stdout));
            loop {
                let event = match reader.next() {
                    Ok(Received::Message(message)) => Event::Message(message),
                    Ok(Received::Noise(noise)) => Event::Noise(noise),
                    Ok(Received::End) | Err(_) => Event::Ended,
                };
                let has_ended = matches!(event, Event::Ended);
                if send.send(event).is_err() || has_ended {
                    return;
                }
            }
        };
        std::thread::Builder::new().name(format!("link-{name}")).spawn(read).map_err(failed)?;
        Ok((worker, Events(events)))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`WorkerError::Ended`] when the worker has left.
    pub fn send<T: Serialize>(&mut self, message: &T) -> Result<(), WorkerError> {
        match self.input.as_mut() {
            Some(input) => input.send(message).map_err(WorkerError::Ended),
            None => Err(WorkerError::Ended(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the worker to leave by closing its stdin and waits; kills it when it stays. Tells how it ended.
    ///
    /// # Errors
    /// When the system cannot wait for or kill the process.
    pub fn stop(mut self) -> io::Result<std::process::ExitStatus> {
        self.end()
    }

    fn end(&mut self) -> io::Result<std::process::ExitStatus> {
        self.input = None;
        let until = Instant::now() + LEAVE_WITHIN;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Nothing can be done about a process that cannot even be waited for.
        drop(self.end());
    }
}

#[cfg(windows)]
fn hide_console(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

#[cfg(not(windows))]
fn hide_console(_command: &mut Command) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::message::{ToParent, ToViewer};

    #[test]
    fn a_child_speaks_and_leaves_when_its_stdin_closes() {
        let script = r#"echo '{"v":1,"type":"hello","data":{"program":"t","pid":1,"backend":"cpu"}}'; cat >/dev/null"#;
        let (mut worker, events) = Worker::spawn::<ToParent>(Path::new("/bin/sh"), &["-c", script]).unwrap();
        assert!(matches!(events.next(), Event::Message(ToParent::Hello { pid: 1, .. })));
        worker.send(&ToViewer::Quit).unwrap();
        assert!(worker.stop().unwrap().success());
        assert_eq!(events.next(), Event::Ended);
        assert_eq!(events.next(), Event::Ended);
    }

    #[test]
    fn a_child_that_stays_is_killed() {
        let (worker, _events) = Worker::spawn::<ToParent>(Path::new("/bin/sh"), &["-c", "exec sleep 60"]).unwrap();
        assert!(!worker.stop().unwrap().success());
    }

    #[test]
    fn a_missing_program_says_where_it_was_looked_for() {
        let Err(WorkerError::NotFound { looked_in, .. }) = find_program("mingjing-no-such-program") else { unreachable!() };
        assert!(!looked_in.is_empty());
    }
}
