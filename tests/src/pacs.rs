//! Peers that misbehave, on loopback.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

/// A line to a real peer that is cut after a number of bytes from the caller, for the first connections, and
/// holds for all later ones.
#[derive(Debug)]
pub struct CutLine {
    /// Call here instead of the peer.
    pub port: u16,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl CutLine {
    /// A line to `target` that is cut `cuts` times, each after `after_bytes` bytes.
    ///
    /// # Panics
    /// When loopback has no free port.
    #[must_use]
    pub fn to(target: u16, cuts: u64, after_bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let port = listener.local_addr().expect("its address").port();
        listener.set_nonblocking(true).expect("a listener that can be stopped");
        let stop = Arc::new(AtomicBool::new(false));
        let left = AtomicU64::new(cuts);
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut lines = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let Ok((caller, _)) = listener.accept() else {
                    sleep(Duration::from_millis(5));
                    continue;
                };
                let cut = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
                let limit = if cut { after_bytes } else { u64::MAX };
                lines.push(std::thread::spawn(move || carry(&caller, target, limit)));
            }
            for line in lines {
                drop(line.join());
            }
        });
        Self { port, stop, listener: Some(thread) }
    }
}

impl Drop for CutLine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.listener.take() {
            drop(thread.join());
        }
    }
}

fn carry(caller: &TcpStream, target: u16, limit: u64) -> Option<()> {
    let peer = TcpStream::connect(("127.0.0.1", target)).ok()?;
    for stream in [caller, &peer] {
        stream.set_nonblocking(false).ok()?;
        stream.set_nodelay(true).ok()?;
        // A line that nobody uses any more does not keep the test waiting.
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    }
    let (back_from, back_to) = (peer.try_clone().ok()?, caller.try_clone().ok()?);
    let back = std::thread::spawn(move || copy(&back_from, &back_to, u64::MAX));
    copy(caller, &peer, limit);
    drop(caller.shutdown(Shutdown::Both));
    drop(peer.shutdown(Shutdown::Both));
    drop(back.join());
    Some(())
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, limit: u64) {
    let mut buffer = vec![0; 64 << 10];
    let mut left = limit;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(n) = buffer.get_mut(..most).and_then(|b| from.read(b).ok()).filter(|n| *n > 0) else { break };
        if buffer.get(..n).is_none_or(|b| to.write_all(b).is_err()) {
            break;
        }
        left -= n as u64;
    }
    drop(to.shutdown(Shutdown::Write));
}

/// A peer that accepts the connection and then says given bytes, or nothing at all, until it is dropped.
#[derive(Debug)]
pub struct Mute {
    /// Its port.
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Mute {
    /// Starts one that says `words` (empty: nothing) to everybody.
    ///
    /// # Panics
    /// When loopback has no free port.
    #[must_use]
    pub fn saying(words: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        let port = listener.local_addr().expect("its address").port();
        listener.set_nonblocking(true).expect("a listener that can be stopped");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut held = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((mut caller, _)) => {
                        drop(caller.write_all(words));
                        held.push(caller);
                    }
                    Err(_) => sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { port, stop, thread: Some(thread) }
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A PACS of a few lines that takes a number of instances and then drops the line in the middle of the next
/// one, in every association until it is mended.
#[derive(Debug)]
pub struct CuttingPacs {
    port: u16,
    stop: Arc<AtomicBool>,
    is_mended: Arc<AtomicBool>,
    n_taken: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl CuttingPacs {
    /// Starts one that takes `n` instances of each association.
    ///
    /// # Errors
    /// When loopback has no free port.
    pub fn start(n: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let (stop, is_mended, n_taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, mended, taken) = (Arc::clone(&stop), Arc::clone(&is_mended), Arc::clone(&n_taken));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((caller, _)) => {
                        let most = if mended.load(Ordering::Relaxed) { u64::MAX } else { n };
                        if let Err(error) = take_and_drop(caller, most, &taken) {
                            eprintln!("the cutting PACS: {error}");
                        }
                    }
                    Err(_) => sleep(Duration::from_millis(5)),
                }
            }
        });
        Ok(Self { port, stop, is_mended, n_taken, thread: Some(thread) })
    }

    /// Its DICOM port; its AE title is whatever it is called.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// From now on it takes everything.
    pub fn mend(&self) {
        self.is_mended.store(true, Ordering::Relaxed);
    }

    /// How many instances it has confirmed.
    #[must_use]
    pub fn n_taken(&self) -> u64 {
        self.n_taken.load(Ordering::Relaxed)
    }
}

impl Drop for CuttingPacs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// One association by dicom-ul's own server side, which shares no code with ours above the PDUs.
fn take_and_drop(caller: TcpStream, most: u64, taken: &AtomicU64) -> Result<(), Box<dyn std::error::Error>> {
    use dicom_ul::{Pdu, association::server::ServerAssociationOptions, pdu::PDataValueType};
    caller.set_nonblocking(false)?;
    caller.set_nodelay(true)?;
    let options = ServerAssociationOptions::new()
        .accept_any()
        .promiscuous(true)
        .read_timeout(Duration::from_secs(10))
        .write_timeout(Duration::from_secs(10));
    let mut association = options.establish(caller)?;
    let mut n = 0;
    let mut command = Vec::new();
    loop {
        match association.receive()? {
            Pdu::PData { data } => {
                for value in data {
                    if value.value_type == PDataValueType::Command {
                        command.extend_from_slice(&value.data);
                    } else if n >= most {
                        // The first bytes of the next instance have come: the line drops.
                        return Ok(());
                    } else if value.is_last {
                        let answer = confirmation(&command).ok_or("no C-STORE")?;
                        let data = vec![dicom_ul::pdu::PDataValue {
                            presentation_context_id: value.presentation_context_id,
                            value_type: PDataValueType::Command,
                            is_last: true,
                            data: answer,
                        }];
                        taken.fetch_add(1, Ordering::Relaxed);
                        n += 1;
                        command.clear();
                        association.send(&Pdu::PData { data })?;
                    }
                }
            }
            Pdu::ReleaseRQ => {
                association.send(&Pdu::ReleaseRP)?;
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
}

/// The response "success" to a C-STORE request, from its raw command set.
fn confirmation(request: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut put = |element: u16, value: &[u8]| {
        out.extend([0, 0]);
        out.extend(element.to_le_bytes());
        out.extend(u32::try_from(value.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(value);
    };
    let find = |wanted: u16| {
        let mut rest = request;
        loop {
            let (head, after) = rest.split_at_checked(8)?;
            let length = usize::try_from(u32::from_le_bytes(head.get(4..8)?.try_into().ok()?)).ok()?;
            let (value, after) = after.split_at_checked(length)?;
            if head.get(2..4)? == wanted.to_le_bytes() {
                return Some(value);
            }
            rest = after;
        }
    };
    put(0x0002, find(0x0002)?);
    put(0x0100, &0x8001_u16.to_le_bytes());
    put(0x0120, find(0x0110)?);
    put(0x0800, &0x0101_u16.to_le_bytes());
    put(0x0900, &[0, 0]);
    put(0x1000, find(0x1000)?);
    let mut whole = vec![0, 0, 0, 0, 4, 0, 0, 0];
    whole.extend(u32::try_from(out.len()).ok()?.to_le_bytes());
    whole.extend(out);
    Some(whole)
}
