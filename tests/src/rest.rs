//! Just enough HTTP for Orthanc's REST interface on loopback.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// Sends a request and gives the body of a 2xx answer.
///
/// # Errors
/// The status line and body of any other answer, or what went wrong on the way.
pub fn request(port: u16, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let told = |e: std::io::Error| format!("{method} {path}: {e}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(told)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(told)?;
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).map_err(told)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(told)?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(|| format!("{method} {path}: no HTTP answer"))?;
    let (head, rest) = answer.split_at(end + 4);
    let line = String::from_utf8_lossy(head).lines().next().unwrap_or_default().to_owned();
    if line.split_whitespace().nth(1).is_some_and(|code| code.starts_with('2')) {
        Ok(rest.to_vec())
    } else {
        Err(format!("{method} {path}: {line} {}", String::from_utf8_lossy(rest)))
    }
}
