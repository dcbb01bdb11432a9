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

/// Header of a fragment (presentation data value, PS3.8 §E.2).
struct Fragment {
    context: u8,
    length: usize,
    is_command: bool,
    is_last: bool,
}

/// What has come of a message.
#[derive(Default)]
struct Partial {
    command: Vec<u8>,
    message: Option<Message>,
}

impl Partial {
    const fn is_empty(&self) -> bool {
        self.message.is_none() && self.command.is_empty()
    }
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
        Ok(Self {
            reader: BufReader::with_capacity(WRITE_AT, reader),
            writer,
            out: Vec::with_capacity(WRITE_AT * 2),
            patience,
            peer_max_pdu: LARGEST_SENT_PDU,
            max_data,
        })
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
        let copied =
            Self::within(self.patience, step, tokio::io::copy(&mut (&mut self.reader).take(length as u64), &mut tokio::io::sink())).await?;
        if copied == length as u64 { Ok(()) } else { Err(PeerError::Cut { step, source: None }) }
    }

    /// The next message with its data set; `None` when the peer releases the association (which is answered).
    pub(super) async fn message(&mut self, step: &'static str) -> Result<Option<Message>, PeerError> {
        let mut partial = Partial::default();
        loop {
            let mut left = match self.control(step).await? {
                Control::Data(length) => usize::try_from(length).unwrap_or(0),
                Control::ReleaseRq if partial.is_empty() => {
                    self.send_pdu(&Pdu::ReleaseRP).await?;
                    return Ok(None);
                }
                _ => return Err(PeerError::Protocol { what: "a PDU in the middle of a message" }),
            };
            while left > 0 {
                let fragment = self.fragment_head(&mut left, step).await?;
                if self.take_fragment(&mut partial, &fragment, step).await? {
                    return if left == 0 { Ok(partial.message) } else { Err(PeerError::Protocol { what: "data that nobody announced" }) };
                }
            }
        }
    }

    /// Reads the header of the next fragment in a PDU of which `left` bytes remain.
    async fn fragment_head(&mut self, left: &mut usize, step: &'static str) -> Result<Fragment, PeerError> {
        let mut head = [0_u8; 6];
        if *left < head.len() {
            return Err(PeerError::Protocol { what: "a fragment without its header" });
        }
        Self::within(self.patience, step, self.reader.read_exact(&mut head)).await?;
        let [a, b, c, d, context, flags] = head;
        let item = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        // The length counts the context id and the flags, but not itself.
        match left.checked_sub(item.saturating_add(4)) {
            Some(rest) if item >= 2 => *left = rest,
            _ => return Err(PeerError::Protocol { what: "a fragment longer than its PDU" }),
        }
        Ok(Fragment { context, length: item - 2, is_command: flags & 1 == 1, is_last: flags & 2 == 2 })
    }

    /// Adds a fragment to what has come; `true` when the message is whole.
    async fn take_fragment(&mut self, partial: &mut Partial, fragment: &Fragment, step: &'static str) -> Result<bool, PeerError> {
        let Fragment { context, length, is_command, is_last } = *fragment;
        match (&mut partial.message, is_command) {
            (None, true) => {
                if partial.command.len() + length > MAX_COMMAND {
                    return Err(PeerError::Protocol { what: "a command far too long" });
                }
                self.read_into(&mut partial.command, length, step).await?;
                if !is_last {
                    return Ok(false);
                }
                let command = Command::decode(&partial.command).ok_or(PeerError::Protocol { what: "an unreadable command" })?;
                let is_whole = !command.has_data();
                partial.message = Some(Message { context, command, data: Vec::new(), too_long: false });
                Ok(is_whole)
            }
            (Some(message), false) if message.context == context => {
                if message.too_long || message.data.len() + length > self.max_data {
                    (message.too_long, message.data) = (true, Vec::new());
                    self.discard(length, step).await?;
                } else {
                    self.read_into(&mut message.data, length, step).await?;
                }
                Ok(is_last)
            }
            _ => Err(PeerError::Protocol { what: "a fragment out of order" }),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::command::{element, field};
    use tokio::net::TcpListener;

    async fn pair() -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let wire = Wire::new(listener.accept().await.unwrap().0, Duration::from_secs(2), 1000).unwrap();
        (wire, far)
    }

    /// Fragments as one PDU: context, flags, bytes.
    fn pdu(fragments: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (context, flags, bytes) in fragments {
            body.extend(u32::try_from(bytes.len() + 2).unwrap().to_be_bytes());
            body.extend([*context, *flags]);
            body.extend_from_slice(bytes);
        }
        [&[4, 0][..], &u32::try_from(body.len()).unwrap().to_be_bytes(), &body].concat()
    }

    #[tokio::test]
    async fn fragments_in_any_cut_make_the_same_message() {
        let command = Command::new(field::STORE_RQ).number(element::MESSAGE_ID, 9).with_data().encode();
        let (c1, c2) = command.split_at(20);
        let ways: [Vec<u8>; 4] = [
            [pdu(&[(3, 3, &command)]), pdu(&[(3, 2, b"abcdef")])].concat(),
            pdu(&[(3, 3, &command), (3, 2, b"abcdef")]),
            [pdu(&[(3, 1, c1)]), pdu(&[(3, 3, c2), (3, 0, b"abc")]), pdu(&[]), pdu(&[(3, 0, b"")]), pdu(&[(3, 0, b"def"), (3, 2, b"")])]
                .concat(),
            [pdu(&[(3, 1, c1)]), pdu(&[(3, 3, c2)]), pdu(&[(3, 2, b"abcdef")])].concat(),
        ];
        for bytes in ways {
            let (mut wire, mut far) = pair().await;
            far.write_all(&bytes).await.unwrap();
            let message = wire.message("test").await.unwrap().unwrap();
            assert_eq!((message.context, message.data.as_slice(), message.too_long), (3, &b"abcdef"[..], false));
        }
    }

    #[tokio::test]
    async fn what_is_out_of_order_is_named() {
        let command = Command::new(field::STORE_RQ).with_data().encode();
        let echo = Command::new(field::ECHO_RQ).encode();
        for bytes in [
            pdu(&[(3, 2, b"data first")]),
            pdu(&[(3, 3, &command), (5, 2, b"another context")]),
            pdu(&[(3, 3, &command), (3, 3, &command)]),
            pdu(&[(3, 3, &echo), (3, 2, b"unannounced")]),
            pdu(&[(3, 3, b"no command")]),
            vec![4, 0, 0, 0, 0, 3, 0, 0, 0],
            vec![4, 0, 0, 0, 0, 6, 0, 0, 0, 9, 3, 3],
            vec![4, 0, 0, 0, 0, 6, 0xFF, 0xFF, 0xFF, 0xFF, 3, 3],
            [pdu(&[(3, 3, &command)]), vec![5, 0, 0, 0, 0, 4, 0, 0, 0, 0]].concat(),
        ] {
            let (mut wire, mut far) = pair().await;
            far.write_all(&bytes).await.unwrap();
            assert!(matches!(wire.message("test").await, Err(PeerError::Protocol { .. })), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn too_much_is_thrown_away_and_the_line_stays_usable() {
        let command = Command::new(field::STORE_RQ).with_data().encode();
        let (mut wire, mut far) = pair().await;
        let big = vec![7; 600];
        far.write_all(&[pdu(&[(1, 3, &command), (1, 0, &big)]), pdu(&[(1, 2, &big)]), pdu(&[(1, 3, &command), (1, 2, b"ok")])].concat())
            .await
            .unwrap();
        let message = wire.message("test").await.unwrap().unwrap();
        assert!(message.too_long && message.data.is_empty());
        assert_eq!(wire.message("test").await.unwrap().unwrap().data, b"ok");
    }

    #[tokio::test]
    async fn no_pdu_is_longer_than_the_peer_takes() {
        for (announced, largest) in
            [(Some(4096), 4096), (Some(16_384), 16_384), (Some(0), 131_072), (None, 131_072), (Some(u32::MAX), 131_072)]
        {
            let (mut wire, mut far) = pair().await;
            wire.limit_to(announced);
            let data: Vec<u8> = (0..300_000_u32).map(|i| u8::try_from(i % 256).unwrap()).collect();
            let sending = {
                let data = data.clone();
                tokio::spawn(async move { wire.send(1, &Command::new(field::STORE_RQ).with_data(), Some(&data)).await.map(|()| wire) })
            };
            let mut got = Vec::new();
            while got.len() < data.len() {
                let mut head = [0; 12];
                far.read_exact(&mut head).await.unwrap();
                let [_, _, a, b, c, d, .., flags] = head;
                let length = u32::from_be_bytes([a, b, c, d]);
                assert!(length <= largest, "{length} > {largest}");
                let mut body = vec![0; length as usize - 6];
                far.read_exact(&mut body).await.unwrap();
                if flags & 1 == 0 {
                    got.append(&mut body);
                }
            }
            assert!(got == data);
            drop(sending.await.unwrap().unwrap());
        }
    }

    #[tokio::test]
    async fn the_reason_of_an_abort_is_not_lost() {
        let (mut wire, mut far) = pair().await;
        far.write_all(&[7, 0, 0, 0, 0, 4, 0, 0, 2, 1]).await.unwrap();
        assert!(matches!(wire.message("test").await, Err(PeerError::Aborted { source_code: 2, reason: 1 })));
    }
}
