use super::*;
use std::io::{Seek as _, SeekFrom};

fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn key() -> Key {
    Key::from_bytes([7; 32])
}

#[test]
fn every_length_around_the_chunk_comes_back() {
    for n in [0, 1, 15, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17, 5 * CHUNK + 3] {
        let plain = pattern(n);
        let sealed = seal(&key(), &plain).unwrap();
        assert_eq!(sealed.len(), sealed_len(n), "{n}");
        assert_eq!(*open(&key(), &sealed).unwrap(), plain, "{n}");
        if n > 16 {
            assert!(!sealed.windows(16).any(|w| w == &plain[..16]), "plain text in the sealed form");
        }
    }
}

#[test]
fn any_part_can_be_read() {
    let plain = pattern(3 * CHUNK + 100);
    let mut reader = Reader::new(Cursor::new(seal(&key(), &plain).unwrap()), &key()).unwrap();
    assert_eq!(reader.len(), plain.len() as u64);
    for (from, len) in [(0, 10), (CHUNK - 5, 10), (3 * CHUNK + 90, 10), (5, 2 * CHUNK), (CHUNK, CHUNK)] {
        let mut out = vec![0; len];
        reader.seek(SeekFrom::Start(from as u64)).unwrap();
        reader.read_exact(&mut out).unwrap();
        assert_eq!(out, plain[from..from + len]);
    }
    assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), plain.len() as u64 - 1);
    assert!(reader.seek(SeekFrom::Current(-i64::MAX)).is_err());
}

#[test]
fn two_files_of_the_same_content_differ() {
    assert_ne!(seal(&key(), b"same").unwrap(), seal(&key(), b"same").unwrap());
}

/// Every change of a byte, every cut, and every exchange of chunks must be noticed.
#[test]
fn changes_do_not_open() {
    let plain = pattern(2 * CHUNK + 9);
    let sealed = seal(&key(), &plain).unwrap();
    let refused = |bytes: &[u8], what: &str| assert!(open(&key(), bytes).is_err(), "{what}");
    for at in (0..sealed.len()).step_by(977).chain(0..40).chain(sealed.len() - 30..sealed.len()) {
        let mut bent = sealed.clone();
        bent[at] ^= 1;
        refused(&bent, &format!("byte {at} changed"));
    }
    let stride = CHUNK + 16;
    for cut in [0, 1, 31, 32, 33, HEADER + 16, HEADER + stride, HEADER + 2 * stride, sealed.len() - 1] {
        refused(&sealed[..cut], &format!("cut at {cut}"));
    }
    let (a, b) = (HEADER, HEADER + stride);
    let mut swapped = sealed.clone();
    swapped[a..a + stride].copy_from_slice(&sealed[b..b + stride]);
    swapped[b..b + stride].copy_from_slice(&sealed[a..a + stride]);
    refused(&swapped, "chunks exchanged");
    let mut dropped = sealed[..a].to_vec();
    dropped.extend_from_slice(&sealed[b..]);
    refused(&dropped, "first chunk left out");
    let mut longer = sealed.clone();
    longer.extend_from_slice(&sealed[a..a + stride]);
    refused(&longer, "a chunk too many");
    let mut foreign = sealed.clone();
    let other = seal(&key(), &plain).unwrap();
    foreign[a..a + stride].copy_from_slice(&other[a..a + stride]);
    refused(&foreign, "chunk of another file");
    assert!(matches!(open(&Key::from_bytes([8; 32]), &sealed), Err(Error::Broken)));
    assert!(matches!(open(&key(), b"DICM not sealed at all, forty bytes long."), Err(Error::NotSealed)));
}

#[test]
fn unfinished_files_do_not_open() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, &key()).unwrap();
    writer.write_all(&pattern(CHUNK + 5)).unwrap();
    drop(writer);
    assert!(open(&key(), &out).is_err());
}

#[test]
fn files_under_another_name_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = seal(&key(), b"content").unwrap();
    let id = Reader::new(Cursor::new(&sealed), &key()).unwrap().id();
    let right = folder.path().join(format!("{id}.mj"));
    std::fs::write(&right, &sealed).unwrap();
    assert!(open_file(&right, &key()).is_ok());
    let wrong = folder.path().join(format!("{}.mj", "0".repeat(32)));
    std::fs::rename(&right, &wrong).unwrap();
    assert!(matches!(open_file(&wrong, &key()), Err(Error::Exchanged)));
}

#[test]
fn keys_as_text() {
    let key = Key::generate().unwrap();
    assert_eq!(Key::from_hex(&key.to_hex()).unwrap(), key);
    assert!(Key::from_hex("zz").is_err() && Key::from_hex(&"é".repeat(32)).is_err() && Key::from_hex(&"+1".repeat(32)).is_err());
    assert_eq!(format!("{key:?}"), "Key(‹secret›)");
}
