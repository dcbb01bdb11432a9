//! PDUs and messages over one TCP connection.
//!
//! dicom-ul's codec reads and writes the PDUs that negotiate; P-DATA is framed here, so that a large data set
//! is copied once and a PDU never exceeds what the peer said it takes.
//! Source: PS3.8 §9.3 (PDUs), §D.1 (maximum length), PS3.7 annex E (fragments).

use super::{PeerError, command::Command};
use dicom_ul::pdu::{Pdu, write_pdu};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

/// The maximum length that we announce, in bytes of a P-DATA-TF variable field.
pub(super) const OUR_MAX_PDU: u32 = 131_072;
/// What we send at most in one PDU when the peer sets no limit.
const LARGEST_SENT_PDU: u32 = 131_072;
/// PDUs other than P-DATA are small; anything longer is no DICOM.
const MAX_CONTROL_PDU: u32 = 1 << 20;
/// P-DATA longer than this is refused whatever was negotiated: some peers exceed our limit a little.
const MAX_DATA_PDU: u32 = 64 << 20;
/// A command set larger than this is rubbish.
const MAX_COMMAND: usize = 1 << 16;
/// Bytes gathered before a write.
const WRITE_AT: usize = 256 << 10;

/// One DIMSE message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) context: u8,
    pub(super) command: Command,
    /// The data set as it came; empty when there is none.
    pub(super) data: Vec<u8>,
    /// The data set was longer than allowed and has been thrown away.
    pub(super) too_long: bool,
}

/// What came instead of, or as, a PDU.
#[derive(Debug)]
pub(super) enum Control {
    /// A negotiation PDU: type and whole bytes, header included.
    Negotiation(u8, Vec<u8>),
    /// P-DATA of this many bytes follows.
    Data(u32),
    /// The peer wishes to end.
    ReleaseRq,
    /// The peer agrees to end.
    ReleaseRp,
}

/// A connection with its limits.
#[derive(Debug)]
pub(super) struct Wire {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    out: Vec<u8>,
    patience: Duration,
    /// Largest P-DATA variable field the peer takes.
    peer_max_pdu: u32,
    /// Largest data set we take.
    max_data: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, patience: Duration, max_data: usize) -> Result<Self, PeerError> {
        // Without it Nagle and delayed acknowledgement stall every message by some 40 ms.
        stream.set_nodelay(true).map_err(|e| PeerError::cut("connecting", e))?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: BufReader::with_capacity(WRITE_AT, reader), writer, out: Vec::with_capacity(WRITE_AT * 2), patience, peer_max_pdu: LARGEST_SENT_PDU, max_data })
    }

    /// Takes over the maximum length that the peer announced; 0 means no limit.
    pub(super) fn limit_to(&mut self, announced: Option<u32>) {
        self.peer_max_pdu = match announced {
            None | Some(0) => LARGEST_SENT_PDU,
            // Room for at least one fragment, however odd the announcement.
            Some(n) => n.clamp(64, LARGEST_SENT_PDU),
        };
    }

    /// How long any single step may take.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    async fn within<T>(patience: Duration, step: &'static str, work: impl Future<Output = io::Result<T>>) -> Result<T, PeerError> {
        match timeout(patience, work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(e)) => Err(PeerError::cut(step, e)),
            Err(_elapsed) => Err(PeerError::Timeout { step }),
        }
    }

    /// Whether bytes (or the end) can be read within a short time; no byte is lost when not.
    pub(super) async fn readable(&mut self, wait: Duration) -> Result<bool, PeerError> {
        match timeout(wait, self.reader.fill_buf()).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(e)) => Err(PeerError::cut("waiting for an answer", e)),
            Err(_elapsed) => Ok(false),
        }
    }

    /// Reads the next PDU, but the content of P-DATA. An abort is an error.
    pub(super) async fn control(&mut self, step: &'static str) -> Result<Control, PeerError> {
        let mut head = [0_u8; 6];
        Self::within(self.patience, step, self.reader.read_exact(&mut head)).await?;
        let [kind, _, a, b, c, d] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        if kind == 4 {
            return if length > MAX_DATA_PDU { Err(PeerError::Protocol { what: "a PDU far too long" }) } else { Ok(Control::Data(length)) };
        }
        if !(1..=7).contains(&kind) || length > MAX_CONTROL_PDU {
            return Err(PeerError::Protocol { what: "no DICOM PDU" });
        }
        let mut whole = head.to_vec();
        self.read_into(&mut whole, usize::try_from(length).unwrap_or(0), step).await?;
        match kind {
            5 => Ok(Control::ReleaseRq),
            6 => Ok(Control::ReleaseRp),
            7 => Err(PeerError::Aborted { source_code: whole.get(8).copied().unwrap_or(0), reason: whole.get(9).copied().unwrap_or(0) }),
            _ => Ok(Control::Negotiation(kind, whole)),
        }
    }

    /// Appends exactly `length` bytes.
    async fn read_into(&mut self, into: &mut Vec<u8>, length: usize, step: &'static str) -> Result<(), PeerError> {
        let n = Self::within(self.patience, step, (&mut self.reader).take(length as u64).read_to_end(into)).await?;
        if n == length { Ok(()) } else { Err(PeerError::Cut { step, source: None }) }
    }

    async fn discard(&mut self, length: usize, step: &'static str) -> Result<(), PeerError> {
        let copied = Self::within(self.patience, step, tokio::io::copy(&mut (&mut self.reader).take(length as u64), &mut tokio::io::sink())).await?;
        if copied == length as u64 { Ok(()) } else { Err(PeerError::Cut { step, source: None }) }
    }

    /// The next message with its data set; `None` when the peer releases the association (which is answered).
    pub(super) async fn message(&mut self, step: &'static str) -> Result<Option<Message>, PeerError> {
        let mut command_bytes = Vec::new();
        let mut pending: Option<Message> = None;
        loop {
            let mut left = match self.control(step).await? {
                Control::Data(length) => usize::try_from(length).unwrap_or(0),
                Control::ReleaseRq if pending.is_none() && command_bytes.is_empty() => {
                    self.send_pdu(&Pdu::ReleaseRP).await?;
                    return Ok(None);
                }
                _ => return Err(PeerError::Protocol { what: "a PDU in the middle of a message" }),
            };
            while left > 0 {
                let mut head = [0_u8; 6];
                if left < head.len() {
                    return Err(PeerError::Protocol { what: "a fragment without its header" });
                }
                Self::within(self.patience, step, self.reader.read_exact(&mut head)).await?;
                let [a, b, c, d, context, flags] = head;
                let item = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0);
                if item < 2 || item + 4 > left {
                    return Err(PeerError::Protocol { what: "a fragment longer than its PDU" });
                }
                left -= item + 4;
                let (length, is_command, is_last) = (item - 2, flags & 1 == 1, flags & 2 == 2);
                match (&mut pending, is_command) {
                    (None, true) => {
                        if command_bytes.len() + length > MAX_COMMAND {
                            return Err(PeerError::Protocol { what: "a command far too long" });
                        }
                        self.read_into(&mut command_bytes, length, step).await?;
                        if is_last {
                            let command = Command::decode(&command_bytes).ok_or(PeerError::Protocol { what: "an unreadable command" })?;
                            let done = !command.has_data();
                            let message = Message { context, command, data: Vec::new(), too_long: false };
                            if done {
                                return if left == 0 { Ok(Some(message)) } else { Err(PeerError::Protocol { what: "data that nobody announced" }) };
                            }
                            pending = Some(message);
                        }
                    }
                    (Some(message), false) if message.context == context => {
                        if message.too_long || message.data.len() + length > self.max_data {
                            (message.too_long, message.data) = (true, Vec::new());
                            self.discard(length, step).await?;
                        } else {
                            let mut data = std::mem::take(&mut message.data);
                            self.read_into(&mut data, length, step).await?;
                            message.data = data;
                        }
                        if is_last {
                            return if left == 0 { Ok(pending) } else { Err(PeerError::Protocol { what: "data after the last fragment" }) };
                        }
                    }
                    _ => return Err(PeerError::Protocol { what: "a fragment out of order" }),
                }
            }
        }
    }

    /// Sends a negotiation PDU.
    pub(super) async fn send_pdu(&mut self, pdu: &Pdu) -> Result<(), PeerError> {
        let mut bytes = Vec::with_capacity(4096);
        if write_pdu(&mut bytes, pdu).is_err() {
            return Err(PeerError::Protocol { what: "our own PDU could not be written" });
        }
        self.write(&bytes, "sending").await
    }

    /// Refuses the association: result, source, reason (PS3.8 §9.3.4).
    pub(super) async fn reject(mut self, [result, source, reason]: [u8; 3]) -> Result<(), PeerError> {
        self.write(&[3, 0, 0, 0, 0, 4, 0, result, source, reason], "refusing").await?;
        // The caller closes; a close from our side could overtake the refusal.
        let closed = self.readable(Duration::from_secs(2)).await;
        tracing::debug!(closed = closed.is_ok(), "refusal sent");
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8], step: &'static str) -> Result<(), PeerError> {
        let sent = Self::within(self.patience, step, self.writer.write_all(bytes)).await;
        match sent {
            Err(PeerError::Cut { step, source }) => Err(self.last_words().await.unwrap_or(PeerError::Cut { step, source })),
            other => other,
        }
    }

    /// A peer that closes has often said why just before: its abort may wait unread.
    async fn last_words(&mut self) -> Option<PeerError> {
        match timeout(Duration::from_millis(200), self.control("closing")).await {
            Ok(Err(abort @ PeerError::Aborted { .. })) => Some(abort),
            _ => None,
        }
    }

    /// Sends a message: the command, and the data set where there is one.
    pub(super) async fn send(&mut self, context: u8, command: &Command, data: Option<&[u8]>) -> Result<(), PeerError> {
        self.out.clear();
        self.fragments(context, 1, &command.encode()).await?;
        if let Some(data) = data {
            self.fragments(context, 0, data).await?;
        }
        self.flush().await
    }

    async fn fragments(&mut self, context: u8, command_bit: u8, bytes: &[u8]) -> Result<(), PeerError> {
        let most = usize::try_from(self.peer_max_pdu).unwrap_or(usize::MAX) - 6;
        let mut rest = bytes;
        loop {
            let (now, later) = rest.split_at(most.min(rest.len()));
            let length = u32::try_from(now.len()).unwrap_or(0);
            self.out.extend_from_slice(&[4, 0]);
            self.out.extend_from_slice(&(length + 6).to_be_bytes());
            self.out.extend_from_slice(&(length + 2).to_be_bytes());
            self.out.extend_from_slice(&[context, command_bit | if later.is_empty() { 2 } else { 0 }]);
            self.out.extend_from_slice(now);
            if self.out.len() >= WRITE_AT {
                self.flush().await?;
            }
            if later.is_empty() {
                return Ok(());
            }
            rest = later;
        }
    }

    async fn flush(&mut self) -> Result<(), PeerError> {
        let out = std::mem::take(&mut self.out);
        let sent = self.write(&out, "sending").await;
        self.out = out;
        self.out.clear();
        sent
    }

    /// Ends the association in order; a peer that does not answer in five seconds is left.
    pub(super) async fn release(mut self) {
        let end = async {
            self.send_pdu(&Pdu::ReleaseRQ).await?;
            loop {
                match self.control("release").await? {
                    Control::Data(length) => self.discard(usize::try_from(length).unwrap_or(0), "release").await?,
                    Control::ReleaseRq => self.send_pdu(&Pdu::ReleaseRP).await?,
                    Control::ReleaseRp | Control::Negotiation(..) => return Ok::<(), PeerError>(()),
                }
            }
        };
        match timeout(Duration::from_secs(5), end).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the peer left without a release"),
            Err(_elapsed) => tracing::debug!("the peer did not answer the release"),
        }
    }

    /// Ends the association at once: source 0 is us, the application; 2 is the protocol layer.
    pub(super) async fn abort(mut self, source: u8, reason: u8) {
        let bytes = [7, 0, 0, 0, 0, 4, 0, 0, source, reason];
        if let Ok(Ok(())) = timeout(Duration::from_secs(1), self.writer.write_all(&bytes)).await {
            // Half-closed, so that the abort is not lost to a reset while the peer still sends.
            if let Err(error) = self.writer.shutdown().await {
                tracing::debug!(%error, "closing after an abort");
            }
        }
    }
}
