//! Framing: one JSON message per line.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, BufRead, Write};

/// Versions of the protocol, named after what each added.
pub mod version {
    /// The first: studies, findings, views, jobs, speech.
    pub const FIRST: u32 = 1;
    /// What this build speaks.
    pub const CURRENT: u32 = FIRST;
}

/// Longest line taken. Units: bytes. A study of tens of thousands of object files still fits.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

#[derive(Serialize)]
struct EnvelopeOut<'a, M> {
    v: u32,
    #[serde(flatten)]
    message: &'a M,
}

#[derive(serde::Deserialize)]
struct EnvelopeIn<M> {
    v: u32,
    #[serde(flatten)]
    message: M,
}

/// Why a line was skipped. Never holds the line itself, which could be anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Noise {
    /// Not a message of this protocol.
    #[error("skipped a line of {bytes} bytes that is not a message: {why}")]
    NotAMessage {
        /// Length of the line.
        bytes: usize,
        /// The parser's word, without the content.
        why: String,
    },
    /// A message of another protocol version.
    #[error("skipped a message of protocol version {0}, this program speaks {current}", current = version::CURRENT)]
    OtherVersion(u32),
    /// A message of this protocol whose content cannot be read, such as a number that is none.
    #[error("could not read the content of a message of {bytes} bytes: {why}")]
    Unreadable {
        /// Length of the line.
        bytes: usize,
        /// The parser's word, without the content.
        why: String,
        /// Number of the job it is about, when it says so.
        job: Option<u64>,
    },
    /// Longer than [`MAX_LINE`].
    #[error("dropped a line over {MAX_LINE} bytes")]
    TooLong,
}

/// As much of a message as can be told when its content cannot be read.
#[derive(serde::Deserialize)]
struct Outline {
    v: u32,
    #[serde(rename = "type")]
    _type: serde::de::IgnoredAny,
    data: Option<AboutJob>,
}

#[derive(serde::Deserialize)]
struct AboutJob {
    job: Option<u64>,
}

/// What one call of [`LineReader::next`] found.
#[derive(Debug, PartialEq)]
pub enum Received<M> {
    /// A message.
    Message(M),
    /// A line that was skipped; go on.
    Noise(Noise),
    /// The other side closed: stop.
    End,
}

/// Reads messages from a stream.
#[derive(Debug)]
pub struct LineReader<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: BufRead> LineReader<R> {
    /// Reads from a buffered stream.
    pub fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// Waits for the next line. A torn last line (no newline before the end) is noise, not a message.
    ///
    /// # Errors
    /// Only those of the stream itself.
    #[expect(clippy::should_implement_trait, reason = "no iterator: the caller chooses the type of each message")]
    pub fn next<M: DeserializeOwned>(&mut self) -> io::Result<Received<M>> {
        self.line.clear();
        let mut too_long = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if chunk.is_empty() {
                return Ok(if self.line.is_empty() && !too_long {
                    Received::End
                } else {
                    let bytes = self.line.len();
                    self.line.clear();
                    Received::Noise(Noise::NotAMessage { bytes, why: "the stream ended inside a line".into() })
                });
            }
            let (used, ended) = match chunk.iter().position(|&b| b == b'\n') {
                Some(at) => (at + 1, true),
                None => (chunk.len(), false),
            };
            if too_long || self.line.len() + used > MAX_LINE {
                too_long = true;
                self.line.clear();
            } else {
                self.line.extend_from_slice(chunk.get(..used).unwrap_or_default());
            }
            self.input.consume(used);
            if ended {
                break;
            }
        }
        if too_long {
            return Ok(Received::Noise(Noise::TooLong));
        }
        Ok(parse(&self.line))
    }
}

/// Parses one line (with or without its newline).
pub fn parse<M: DeserializeOwned>(line: &[u8]) -> Received<M> {
    let noise = |why: String| Received::Noise(Noise::NotAMessage { bytes: line.len(), why });
    // Only the category and place of a fault, since serde's own text may quote the line.
    let shape = |e: &serde_json::Error| format!("{:?} at column {}", e.classify(), e.column());
    match serde_json::from_slice::<EnvelopeIn<M>>(line) {
        Ok(envelope) if envelope.v == version::CURRENT => Received::Message(envelope.message),
        Ok(envelope) => Received::Noise(Noise::OtherVersion(envelope.v)),
        Err(e) => match serde_json::from_slice::<Outline>(line) {
            Ok(Outline { v: version::CURRENT, data, .. }) => {
                let job = data.and_then(|data| data.job);
                Received::Noise(Noise::Unreadable { bytes: line.len(), why: shape(&e), job })
            }
            Ok(outline) => Received::Noise(Noise::OtherVersion(outline.v)),
            Err(_) => noise(shape(&e)),
        },
    }
}

/// False when the other side could not read a message as it is: JSON has no NaN and no infinity, and writes `null`
/// for them.
pub fn is_sendable<M: Serialize + DeserializeOwned>(message: &M) -> bool {
    let line = serde_json::to_vec(&EnvelopeOut { v: version::CURRENT, message });
    line.is_ok_and(|line| matches!(parse::<M>(&line), Received::Message(_)))
}

/// Writes messages to a stream, one line each, flushed at once.
#[derive(Debug)]
pub struct LineWriter<W> {
    output: W,
}

impl<W: Write> LineWriter<W> {
    /// Writes to a stream.
    pub const fn new(output: W) -> Self {
        Self { output }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// Those of the stream, for example a broken pipe when the other side is gone.
    pub fn send<M: Serialize>(&mut self, message: &M) -> io::Result<()> {
        let mut line = serde_json::to_vec(&EnvelopeOut { v: version::CURRENT, message })?;
        line.push(b'\n');
        self.output.write_all(&line)?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{ToParent, ToViewer};
    use std::io::Cursor;

    fn read_all(bytes: &[u8]) -> Vec<Received<ToViewer>> {
        let mut reader = LineReader::new(Cursor::new(bytes));
        let mut out = Vec::new();
        loop {
            let received = reader.next().unwrap();
            let end = received == Received::End;
            out.push(received);
            if end {
                return out;
            }
        }
    }

    #[test]
    fn messages_between_noise() {
        let mut bytes = b"libfoo: hello\n\n".to_vec();
        LineWriter::new(&mut bytes).send(&ToViewer::Quit).unwrap();
        bytes.extend_from_slice(b"{\"v\":99,\"type\":\"quit\"}\n{\"v\":1,\"type\":\"qu");
        let got = read_all(&bytes);
        assert_eq!(got.len(), 6, "{got:?}");
        assert_eq!(got[2], Received::Message(ToViewer::Quit));
        assert_eq!(got[3], Received::Noise(Noise::OtherVersion(99)));
        assert!(matches!(got[4], Received::Noise(Noise::NotAMessage { .. })));
    }

    #[test]
    fn a_message_that_cannot_be_read_names_its_job() {
        let probe = |x: f64| {
            let what = crate::Job::Probe {
                series: crate::SeriesFiles { series: mj_model::SeriesUid::fresh(), files: Vec::new() },
                at: crate::job::ProbeAt::Lps(mj_model::PointLps::new(x, 0.0, 0.0)),
            };
            ToViewer::RunJob { job: 7, what }
        };
        assert!(is_sendable(&probe(1.5)));
        assert!(!is_sendable(&probe(f64::NAN)));
        let mut line = Vec::new();
        LineWriter::new(&mut line).send(&probe(f64::INFINITY)).unwrap();
        let got = parse::<ToViewer>(&line);
        assert!(matches!(got, Received::Noise(Noise::Unreadable { job: Some(7), .. })), "{got:?}");
        let other = parse::<ToViewer>(br#"{"v":1,"type":"unheard_of"}"#);
        assert!(matches!(other, Received::Noise(Noise::Unreadable { job: None, .. })), "{other:?}");
    }

    #[test]
    fn noise_never_quotes_the_line() {
        let Received::Noise(noise) = parse::<ToParent>(br#"{"v":1,"type":"Shili^Yi"}"#) else { unreachable!() };
        assert!(!noise.to_string().contains("Shili"));
    }

    #[test]
    fn numbers_arrive_as_they_were_sent() {
        let mut point = mj_model::PointLps::new(0.1, -1.0 / 3.0, 1_234.567_890_123);
        for _ in 0..2_000 {
            point = mj_model::PointLps::new(point.y * 1.7 + 0.3, point.z / 7.0 - 0.011, (point.x * 13.3 + 0.7) % 1_000.0);
            let view = crate::message::ViewState { crosshair: Some(point), ..Default::default() };
            let sent = ToParent::ViewChanged { study: mj_model::StudyUid::parse("1.2").unwrap(), view };
            let mut line = Vec::new();
            LineWriter::new(&mut line).send(&sent).unwrap();
            assert_eq!(parse::<ToParent>(&line), Received::Message(sent));
        }
    }
}
