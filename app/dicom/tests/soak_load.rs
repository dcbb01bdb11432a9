//! The load path under damaged files for a long time: no panic, no hang, no more memory than the file or its declared
//! pixels account for. Seeded; a failure names file and round, and its bytes are kept.

#![cfg(feature = "pixels")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "what goes wrong fails the test, with its place")]

use mj_dicom::pixels::Decoder;
use mj_dicom::source::{InMemory, Source};
use mj_dicom::{Dataset, Watch, check, gsps, ko, parametric, rtstruct, seg, series, sr};
use mj_testdata::allocations::{self, Counting};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Largest file of the corpus: many rounds say more than large pictures.
const LARGEST_FILE: u64 = 2 << 20;
/// Minutes by default.
const MINUTES: f64 = 30.0;
/// Longest time of one file. Units: s of processor time, so that a busy machine is no hang.
const LONGEST_S: f64 = 2.0;
/// What any file may cost: tables, threads, texts. Units: bytes.
const FREE: usize = 4 << 20;
/// Declared pixels beyond this need a file of at least a thousandth. Units: bytes.
const UNPROVEN: u64 = 1 << 30;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n.max(1)
    }
}

/// The files of the corpus, small ones, sorted.
fn corpus(root: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let is_small = entry.metadata().is_ok_and(|m| m.is_file() && (1..=LARGEST_FILE).contains(&m.len()));
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if is_small {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    // Of a long series a few slices are enough.
    let mut of_folder: BTreeMap<PathBuf, usize> = BTreeMap::new();
    files.retain(|file| {
        let n = of_folder.entry(file.parent().unwrap_or(Path::new("")).to_owned()).or_default();
        *n += 1;
        *n <= 60
    });
    files.into_iter().filter(|f| std::fs::read(f).is_ok_and(|bytes| Dataset::read(&bytes).is_ok())).collect()
}

/// One to eight damages: bits, bytes, lengths, cuts, blocks moved or taken from another file.
fn damaged(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(8) {
        // Headers matter more than pixels.
        let reach = if random.below(4) > 0 { out.len().min(3000) } else { out.len() };
        let at = random.below(reach);
        match random.below(9) {
            0 => out.truncate(at.max(1)),
            1 => out.iter_mut().skip(at).take(4).for_each(|b| *b = 0xFF),
            2 => out.iter_mut().skip(at).take(8).for_each(|b| *b = 0),
            3 | 4 => {
                let (from, length) = (random.below(other.len()), 1 + random.below(400));
                let block: Vec<u8> = other.iter().skip(from).take(length).copied().collect();
                let to = (at + random.below(2) * block.len()).min(out.len());
                drop(out.splice(at.min(to)..to, block));
            }
            5 => {
                // A length: 2 or 4 bytes that mean many.
                let n = [2, 4][random.below(2)];
                let value = (random.below(1 << 20) as u32).wrapping_mul(4097).to_le_bytes();
                out.iter_mut().skip(at).take(n).zip(value).for_each(|(b, v)| *b = v);
            }
            6 => {
                if let Some(byte) = out.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            _ => {
                if let Some(byte) = out.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
        }
    }
    out
}

/// Bytes that the file says its decoded pixels take, or its masks, whose size the places of their frames say.
fn declared(bytes: &[u8]) -> u64 {
    let Ok(dataset) = Dataset::read(bytes) else { return 0 };
    let pixels = Decoder::of_part(&dataset).map_or(0, |decoder| decoder.layout().decoded_bytes());
    pixels.max(seg::declared_bytes(&dataset).unwrap_or(0))
}

/// All that is done with a file on its way to the screen.
fn exercise(bytes: &[u8]) {
    let Ok(dataset) = Dataset::read(bytes) else { return };
    drop(dataset.header());
    drop(sr::read(&dataset));
    drop(seg::read(&dataset));
    drop(gsps::read(&dataset));
    drop(ko::read(&dataset));
    drop(rtstruct::read(&dataset));
    drop(parametric::read(&dataset));
    drop(check::check(bytes, "x"));
    drop(mj_dicom::pixels::decode(&dataset));
    let files: Vec<Arc<dyn Source>> = vec![Arc::new(InMemory { name: "x".into(), bytes: bytes.to_vec() })];
    if let Ok(series) = series::open(&files, &Watch::default()) {
        for stack in &series.stacks {
            drop(stack.load_slice(0));
            drop(stack.load(&Watch::default()));
        }
    }
}

/// Processor time of this process. Units: s.
fn processor_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // User and system time, in hundredths of a second on every Linux there is.
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// What went wrong with a file.
fn fault(bytes: &[u8]) -> Option<String> {
    let declared = declared(bytes);
    // A declaration that the file cannot prove must be refused before memory is taken: it allows none.
    let is_unproven = declared > UNPROVEN && declared / 1000 > bytes.len() as u64;
    let pixels = if is_unproven { 0 } else { declared };
    let most = (bytes.len() * 10).max(usize::try_from(pixels).unwrap_or(usize::MAX)).saturating_add(FREE);
    let (sender, receiver) = sync_channel(1);
    let (start, clock, before) = (allocations::start(), Instant::now(), processor_s());
    let owned = bytes.to_vec();
    let thread = std::thread::Builder::new().name("load".into()).spawn(move || {
        let run = std::panic::catch_unwind(|| exercise(&owned));
        sender.send(run.is_ok()).ok();
    });
    drop(thread.unwrap());
    let ended = receiver.recv_timeout(Duration::from_secs(120));
    let taken = allocations::taken(start);
    let seconds = processor_s().zip(before).map_or(clock.elapsed().as_secs_f64(), |(after, before)| after - before);
    match ended {
        Ok(false) => Some("panic".into()),
        Err(RecvTimeoutError::Timeout) => Some("hang: more than 120 s".into()),
        Err(RecvTimeoutError::Disconnected) => Some("the thread died".into()),
        Ok(true) if taken.largest > most => {
            Some(format!("memory: {} bytes in one piece for a file of {}, declared {declared}", taken.largest, bytes.len()))
        }
        Ok(true) if seconds > LONGEST_S => Some(format!("time: {seconds:.1} s for a file of {}, declared {declared}", bytes.len())),
        Ok(true) => None,
    }
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_damaged_dicom_files_are_read_or_refused() {
    let Some(root) = mj_testdata::path("syntax").and_then(|p| p.parent().map(Path::to_owned)) else { return };
    let minutes = std::env::var("MINGJING_SOAK_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(MINUTES);
    let seed = std::env::var("MINGJING_SOAK_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(20_261_127_u64);
    let files = corpus(&root);
    assert!(files.len() > 100, "{}", files.len());
    // What a fault prints would hide what this test says.
    std::panic::set_hook(Box::new(|_| {}));
    let mut random = Random(seed);
    let (mut n, mut faults): (u64, BTreeMap<String, Vec<String>>) = (0, BTreeMap::new());
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    while Instant::now() < end {
        let file = &files[random.below(files.len())];
        let (bytes, other) = (std::fs::read(file).unwrap(), std::fs::read(&files[random.below(files.len())]).unwrap());
        let bytes = damaged(&bytes, &other, &mut random);
        n += 1;
        if let Some(what) = fault(&bytes) {
            let name = file.strip_prefix(&root).unwrap_or(file).display().to_string();
            let kind = what.split(':').next().unwrap_or_default().to_owned();
            let kept = keep(&bytes, n);
            eprintln!("{what}; {name}, seed {seed}, file number {n}; kept as {}", kept.display());
            faults.entry(kind).or_default().push(format!("{name}: {what}"));
        }
    }
    drop(std::panic::take_hook());
    let counts: Vec<String> = faults.iter().map(|(kind, all)| format!("{kind} {}", all.len())).collect();
    let note = format!("{n} damaged files of {} in {minutes} minutes, seed {seed}; {}", files.len(), counts.join(", "));
    let total: usize = faults.values().map(Vec::len).sum();
    mj_testdata::note("damaged DICOM files", "mingjing", "faults", &[total as f64], &note);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Keeps the bytes of a fault beside the build's results.
fn keep(bytes: &[u8], n: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak_load");
    let path = folder.join(format!("{n}.dcm"));
    std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, bytes)).unwrap();
    path
}
