//! HL7 v2 messages over TCP: the Minimal Lower Layer Protocol, as a sender.
//!
//! Source: HL7 Version 3 Transport Specification, MLLP Release 1: `0x0B`, the message, `0x1C 0x0D`.

use super::PeerError;
use mj_report::exchange::hl7::Ack;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long connecting, sending and the answer may take, each.
pub const PATIENCE: Duration = Duration::from_secs(30);

const START: u8 = 0x0B;
const END: [u8; 2] = [0x1C, 0x0D];
/// An answer is a few segments; whoever sends more is no HL7 receiver. Units: bytes.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Sends a message and waits for the answer to it, by its control id (MSH-10).
///
/// # Errors
/// [`PeerError::Unreachable`], [`PeerError::Timeout`], [`PeerError::Cut`]; [`PeerError::Protocol`] when what comes back is no
/// HL7 answer, or one to another message.
pub async fn send(host: &str, port: u16, message: &str, control_id: &str, patience: Duration) -> Result<Ack, PeerError> {
    let late = |step: &'static str| move |_elapsed| PeerError::Timeout { step };
    let address = format!("{host}:{port}");
    let connected = timeout(patience, TcpStream::connect((host, port))).await.map_err(late("connecting"))?;
    let mut line = connected.map_err(|source| PeerError::Unreachable { address, source })?;
    let framed = [&[START], message.as_bytes(), &END].concat();
    let sent = timeout(patience, line.write_all(&framed)).await.map_err(late("sending"))?;
    sent.map_err(|source| PeerError::cut("sending", source))?;
    let answer = timeout(patience, block(&mut line)).await.map_err(late("the answer"))??;
    let text = std::str::from_utf8(&answer).map_err(|_not_utf8| PeerError::Protocol { what: "an answer that is not UTF-8" })?;
    let ack = Ack::parse(text).ok_or(PeerError::Protocol { what: "an answer without MSA" })?;
    if ack.control_id == control_id { Ok(ack) } else { Err(PeerError::Protocol { what: "an answer to another message" }) }
}

/// The content of the next block.
async fn block(line: &mut TcpStream) -> Result<Vec<u8>, PeerError> {
    let mut line = tokio::io::BufReader::new(line).take(LONGEST_ANSWER);
    let mut read = async || line.read_u8().await.map_err(|source| PeerError::cut("the answer", source));
    if read().await? != START {
        return Err(PeerError::Protocol { what: "an answer outside of a block" });
    }
    let mut content = Vec::new();
    loop {
        match read().await? {
            0x1C => break,
            byte => content.push(byte),
        }
    }
    if read().await? == 0x0D { Ok(content) } else { Err(PeerError::Protocol { what: "a block without its end" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver that reads a whole block and answers with these bytes; no bytes: it stays quiet.
    async fn receiver(answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut line, _) = listener.accept().await.unwrap();
            let got = block(&mut line).await.unwrap();
            if answer.is_empty() {
                // Until the sender has had enough.
                assert_eq!(line.read(&mut [0]).await.unwrap_or(0), 0);
            }
            line.write_all(&answer).await.unwrap();
            got
        });
        (port, task)
    }

    async fn answered(answer: &str) -> Result<Ack, PeerError> {
        let (port, task) = receiver(answer.as_bytes().to_vec()).await;
        let said = send("127.0.0.1", port, "MSH|^~\\&|中\r", "7", Duration::from_millis(500)).await;
        assert_eq!(task.await.unwrap(), "MSH|^~\\&|中\r".as_bytes());
        said
    }

    #[tokio::test]
    async fn the_answer_to_the_message_counts_and_no_other() {
        assert_eq!(answered("\x0BMSH|^~\\&\rMSA|AA|7\r\x1C\r").await.unwrap().code, "AA");
        assert_eq!(answered("\x0BMSH|^~\\&\rMSA|AE|7|no\r\x1C\r").await.unwrap().text, "no");
        let of_another = answered("\x0BMSH|^~\\&\rMSA|AA|8\r\x1C\r").await;
        assert!(matches!(of_another, Err(PeerError::Protocol { .. })), "{of_another:?}");
        assert!(matches!(answered("HTTP/1.1 400\r\n").await, Err(PeerError::Protocol { .. })));
        assert!(matches!(answered("\x0BMSH|").await, Err(PeerError::Cut { .. })));
        assert!(matches!(answered("").await, Err(PeerError::Timeout { .. })));
    }
}
