//! The record key, how the passphrase wraps it, and the keys derived from it.
//!
//! `record.toml` holds the random record key, sealed under Argon2id of the passphrase (RFC 9106). From the
//! record key come the database's key and the objects' key by HKDF-SHA256 (RFC 5869). A new passphrase wraps
//! the same record key anew and rewrites no data.

use crate::disk::Disk;
use crate::{Error, Passphrase, Result};
use hkdf::Hkdf;
use mj_seal::Key;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::path::Path;
use zeroize::Zeroizing;

/// Name of the head file.
pub(crate) const HEAD: &str = "record.toml";
const FORMAT: u32 = 1;
/// Most memory a head file may ask for. Units: KiB. A changed file must not make the program take all of it.
const MOST_KIB: u32 = 1 << 21;

/// The keys of an open record.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) database: Key,
    pub(crate) objects: Key,
}

/// How much work Argon2id does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// 64 MiB and three passes: the second recommendation of RFC 9106 §4, about a quarter second on a 2014 PC.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    key: WrappedKey,
}

#[derive(Serialize, Deserialize)]
struct WrappedKey {
    kdf: String,
    cost: Cost,
    /// Hexadecimal.
    salt: String,
    /// The sealed record key, hexadecimal.
    wrapped: String,
}

impl Keys {
    fn derive(record_key: &Key) -> Result<Self> {
        let hkdf = Hkdf::<Sha256>::new(None, record_key.as_bytes());
        let derived = |purpose: &[u8]| {
            let mut out = Zeroizing::new([0_u8; 32]);
            hkdf.expand(purpose, out.as_mut_slice()).map_err(|_length| Error::Stored("key"))?;
            Ok::<_, Error>(Key::from_bytes(*out))
        };
        Ok(Self { database: derived(b"mingjing record v1 database")?, objects: derived(b"mingjing record v1 objects")? })
    }
}

/// Makes a new record key and writes the head file. Fails when there is one already, without touching it.
pub(crate) fn create(dir: &Path, passphrase: &Passphrase, disk: &dyn Disk) -> Result<Keys> {
    let record_key = Key::generate()?;
    let head = wrap(&record_key, passphrase)?;
    let path = dir.join(HEAD);
    let text = toml::to_string(&head).map_err(|_never| Error::BadHead(path.clone()))?;
    let draft = dir.join(format!("{HEAD}.{}", uuid::Uuid::new_v4()));
    let written = disk.write_synced(&draft, text.as_bytes()).and_then(|()| std::fs::hard_link(&draft, &path));
    // The draft is of no use any more, whichever way it went; the first error is the one to tell.
    let removed = std::fs::remove_file(&draft);
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Exists(dir.to_owned()),
        _ => Error::io(&path, error),
    })?;
    removed.map_err(|error| Error::io(&draft, error))?;
    disk.sync_dir(dir).map_err(|error| Error::io(dir, error))?;
    Keys::derive(&record_key)
}

/// Reads the head file and unwraps the record key.
pub(crate) fn unlock(dir: &Path, passphrase: &Passphrase) -> Result<Keys> {
    Keys::derive(&unwrap(dir, passphrase)?)
}

/// Wraps the record key anew. The head file is exchanged in one step, so that at any moment one of the two
/// passphrases opens the record.
pub(crate) fn rewrap(dir: &Path, old: &Passphrase, new: &Passphrase, disk: &dyn Disk) -> Result<()> {
    let head = wrap(&unwrap(dir, old)?, new)?;
    let path = dir.join(HEAD);
    let text = toml::to_string(&head).map_err(|_never| Error::BadHead(path.clone()))?;
    let draft = dir.join(format!("{HEAD}.{}", uuid::Uuid::new_v4()));
    let written = disk.write_synced(&draft, text.as_bytes()).and_then(|()| disk.rename(&draft, &path));
    if let Err(error) = written {
        // Gone already when only the renaming's word was lost.
        if std::fs::remove_file(&draft).is_err() {
            tracing::debug!("no draft of the head file to remove");
        }
        return Err(Error::io(&path, error));
    }
    disk.sync_dir(dir).map_err(|error| Error::io(dir, error))
}

fn unwrap(dir: &Path, passphrase: &Passphrase) -> Result<Key> {
    let path = dir.join(HEAD);
    let text = std::fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::NotFound(dir.to_owned()),
        std::io::ErrorKind::InvalidData => Error::BadHead(path.clone()),
        _ => Error::io(&path, error),
    })?;
    let head: Head = toml::from_str(&text).map_err(|_bad| Error::BadHead(path.clone()))?;
    if head.format > FORMAT {
        return Err(Error::Later);
    }
    let (salt, wrapped) = match (unhex(&head.key.salt), unhex(&head.key.wrapped)) {
        (Some(salt), Some(wrapped)) if head.key.kdf == "argon2id" => (salt, wrapped),
        _ => return Err(Error::BadHead(path)),
    };
    let wrapping = stretch(passphrase, &salt, head.key.cost).ok_or(Error::BadHead(path))?;
    let record_key = mj_seal::open(&wrapping, &wrapped).map_err(|_refused| Error::WrongPassphrase)?;
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(record_key.as_slice()).map_err(|_length| Error::WrongPassphrase)?);
    Ok(Key::from_bytes(*bytes))
}

fn wrap(record_key: &Key, passphrase: &Passphrase) -> Result<Head> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(|_none| Error::NoRandom)?;
    let wrapping = stretch(passphrase, &salt, COST).ok_or(Error::Stored("key"))?;
    let wrapped = mj_seal::seal(&wrapping, record_key.as_bytes())?;
    Ok(Head { format: FORMAT, key: WrappedKey { kdf: "argon2id".into(), cost: COST, salt: hex(&salt), wrapped: hex(&wrapped) } })
}

/// Argon2id; `None` when the parameters are out of bounds.
fn stretch(passphrase: &Passphrase, salt: &[u8], cost: Cost) -> Option<Key> {
    if cost.memory_kib > MOST_KIB || cost.passes > 64 || cost.lanes > 64 {
        return None;
    }
    let params = argon2::Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut out = Zeroizing::new([0_u8; 32]);
    argon.hash_password_into(passphrase.as_bytes(), salt, out.as_mut_slice()).ok()?;
    Some(Key::from_bytes(*out))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

/// Bytes of hexadecimal digits; `None` for anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let plain = text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let pairs = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()));
    if plain { pairs.collect() } else { None }
}
