//! Signatures in PDF: PAdES B-B (ETSI EN 319 142-1), each an incremental update (ISO 32000-1, 7.5.6 and 12.8).
//!
//! What is signed was typeset by this product, so only that shape of PDF is understood for signing: a plain cross-reference
//! table and dictionaries outside object streams. Anything else is refused. Verifying reads the signatures of any file.

use crate::cms::{self, Vouched};
use crate::{Error, Identity, Result, Trust};
use mj_model::Moment;
use openssl::asn1::Asn1Time;
use serde::Serialize;
use std::cmp::Ordering;
use std::ops::Range;

/// What stands beside a signature, readable.
#[derive(Debug, Clone)]
pub struct Stamp<'a> {
    /// Who signs.
    pub name: &'a str,
    /// As what, for example the role.
    pub reason: &'a str,
    /// When, by this computer's clock.
    pub at: Moment,
}

/// One signature of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Whom the certificate names.
    pub signer: String,
    /// When, as the signer's computer says: `YYYY-MM-DDThh:mm:ss±hh:mm`; empty when nothing is said.
    pub at: String,
    /// True when the bytes it covers are the signed ones.
    pub unchanged: bool,
    /// True when it covers the file to its end.
    pub whole_file: bool,
    /// True when what follows it is nothing, or only further signatures as this product writes them.
    pub only_signatures_follow: bool,
    /// True when the certificate's time includes `at`.
    pub in_time: bool,
    /// Who vouches for the certificate.
    pub vouched: Vouched,
    /// When the certificate begins, as the library says it.
    pub valid_from: String,
    /// When it ends.
    pub valid_until: String,
}

impl Signature {
    /// True when it can be relied on that this key signed this document and nothing was changed since.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.unchanged && self.only_signatures_follow && self.in_time
    }
}

/// True when there are signatures, each is valid and the last covers the file to its end.
#[must_use]
pub fn are_valid(signatures: &[Signature]) -> bool {
    signatures.last().is_some_and(|last| last.whole_file) && signatures.iter().all(Signature::is_valid)
}

/// Adds a signature to a PDF of ours; those that are there stay valid.
///
/// # Errors
/// [`Error::Expired`], [`Error::NotYetValid`], [`Error::Pdf`] for a PDF of another shape, [`Error::Library`].
pub fn sign(pdf: &[u8], by: &Identity, stamp: &Stamp<'_>) -> Result<Vec<u8>> {
    by.valid_at(stamp.at)?;
    let fields = Fields { name: text(stamp.name), reason: text(stamp.reason), at: date(stamp.at) };
    // Certificates, and room for attributes and signature.
    let room = by.chain_pem()?.len() + 2048;
    let (mut out, hole) = prepare(pdf, &fields, room)?;
    let message = cms::sign(&[slice(&out, 0..hole.start)?, slice(&out, hole.end..out.len())?].concat(), by)?;
    let hex: Vec<u8> = message.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
    let inside = out.get_mut(hole.start + 1..hole.start + 1 + hex.len()).ok_or(Error::Pdf("signature too long"))?;
    inside.copy_from_slice(&hex);
    Ok(out)
}

/// The signatures of a PDF in their order; empty when it has none.
///
/// # Errors
/// [`Error::Library`] only: what is wrong with a signature is told in it.
pub fn verify(pdf: &[u8], trust: &Trust) -> Result<Vec<Signature>> {
    let mut found: Vec<Found> = places(pdf, b"/ByteRange").filter_map(|at| Found::at(pdf, at)).collect();
    found.sort_by_key(|one| one.end);
    let ends: Vec<usize> = found.iter().map(|one| one.end).collect();
    let mut signatures = Vec::with_capacity(found.len());
    for (n, one) in found.iter().enumerate() {
        let rest = found.get(n + 1..).unwrap_or_default();
        let follow = std::iter::once(one.end).chain(ends.get(n + 1..).unwrap_or_default().iter().copied());
        let all_ours = follow.zip(rest).all(|(before, next)| next.is_ours(pdf, before));
        let reaches_end = ends.last() == Some(&pdf.len());
        signatures.push(one.told(pdf, trust, all_ours && reaches_end));
    }
    Ok(signatures)
}

/// The readable entries of a signature, as they stand in the file.
struct Fields {
    name: String,
    reason: String,
    at: String,
}

/// A signature dictionary that was found.
struct Found {
    hole: Range<usize>,
    end: usize,
    fields: Fields,
}

impl Found {
    /// Reads the byte range at this place: two ranges from the file's start, and between them one hexadecimal string.
    fn at(pdf: &[u8], at: usize) -> Option<Self> {
        let after = pdf.get(at + b"/ByteRange".len()..)?;
        let close = after.iter().take(200).position(|byte| *byte == b']')?;
        let numbers = std::str::from_utf8(after.get(..close)?).ok()?.trim().strip_prefix('[')?;
        let numbers: Vec<usize> = numbers.split_whitespace().map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [0, first, second, length] = *numbers.as_slice() else { return None };
        let end = second.checked_add(length).filter(|end| *end <= pdf.len())?;
        let hole = pdf.get(first..second)?;
        let inner = hole.strip_prefix(b"<")?.strip_suffix(b">")?;
        if !inner.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let start = pdf.get(..at)?.windows(4).rposition(|w| w == b" obj")?;
        let stop = at + pdf.get(at..)?.windows(6).position(|w| w == b"endobj")?;
        let dictionary = String::from_utf8_lossy(pdf.get(start..stop)?).into_owned();
        let field = |name: &str, close: char| {
            let value = dictionary.split_once(name).and_then(|(_, rest)| rest.split_once(close)).map(|(value, _)| value);
            value.map(|value| format!("{value}{close}")).unwrap_or_default()
        };
        let fields = Fields { name: field("/Name", '>'), reason: field("/Reason", '>'), at: field("/M", ')') };
        Some(Self { hole: first..second, end, fields })
    }

    /// True when this signature is what this product would have added to the file that ended here: nothing else was changed.
    fn is_ours(&self, pdf: &[u8], before: usize) -> bool {
        let room = (self.hole.len() - 2) / 2;
        let (Some(earlier), Some(later)) = (pdf.get(..before), pdf.get(..self.end)) else { return false };
        prepare(earlier, &self.fields, room).is_ok_and(|(made, hole)| {
            hole == self.hole
                && made.len() == later.len()
                && made.get(..hole.start) == later.get(..hole.start)
                && made.get(hole.end..) == later.get(hole.end..)
        })
    }

    fn told(&self, pdf: &[u8], trust: &Trust, only_signatures_follow: bool) -> Signature {
        let at = read_date(&self.fields.at).unwrap_or_default();
        let mut signature = Signature {
            signer: String::new(),
            at: at.clone(),
            unchanged: false,
            whole_file: self.end == pdf.len(),
            only_signatures_follow,
            in_time: false,
            vouched: Vouched::Unknown,
            valid_from: String::new(),
            valid_until: String::new(),
        };
        let Ok(proof) = self.proof(pdf, trust) else { return signature };
        signature.in_time = is_in_time(&proof.certificate, &at).unwrap_or(false);
        signature.signer = proof.signer;
        signature.unchanged = proof.is_whole;
        signature.vouched = proof.vouched;
        (signature.valid_from, signature.valid_until) = (proof.valid_from, proof.valid_until);
        signature
    }

    fn proof(&self, pdf: &[u8], trust: &Trust) -> Result<cms::Proof> {
        let content = [slice(pdf, 0..self.hole.start)?, slice(pdf, self.hole.end..self.end)?].concat();
        let hex = slice(pdf, self.hole.start + 1..self.hole.end - 1)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default() as u8;
        let bytes: Vec<u8> = hex.chunks_exact(2).filter_map(|pair| Some(digit(pair.first()?) << 4 | digit(pair.get(1)?))).collect();
        cms::check(&bytes, &content, trust)
    }
}

fn is_in_time(certificate: &openssl::x509::X509Ref, at: &str) -> Option<bool> {
    let at = Asn1Time::from_unix(Moment::parse(at).ok()?.local().timestamp().as_second()).ok()?;
    let has_begun = certificate.not_before().compare(&at).ok()? != Ordering::Greater;
    Some(has_begun && certificate.not_after().compare(&at).ok()? != Ordering::Less)
}

/// The update with an empty signature of so many bytes, and where the signature goes, its angle brackets included.
fn prepare(pdf: &[u8], fields: &Fields, room: usize) -> Result<(Vec<u8>, Range<usize>)> {
    let file = File::read(pdf)?;
    let root = file.reference(&file.trailer, "/Root")?;
    let catalog = file.dictionary(root)?;
    let (page_n, page) = file.first_page(&catalog)?;
    let (signature_n, field_n) = (file.size, file.size + 1);
    let mut out = pdf.to_vec();
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    let mut offsets = vec![(root, out.len())];
    out.extend(object(root, &with_field(&catalog, field_n)?));
    offsets.push((page_n, out.len()));
    out.extend(object(page_n, &with_annotation(&page, field_n)?));
    offsets.push((signature_n, out.len()));
    let head = format!(
        "{signature_n} 0 obj\n<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Name{}/Reason{}/M{}/Contents",
        fields.name, fields.reason, fields.at
    );
    out.extend(head.into_bytes());
    let hole = out.len()..out.len() + 2 + 2 * room;
    out.extend(format!("<{}>/ByteRange[0 {} {} ", "0".repeat(2 * room), hole.start, hole.end).into_bytes());
    let length_at = out.len();
    out.extend(b"0000000000]>>\nendobj\n");
    offsets.push((field_n, out.len()));
    // Without a place on the page: PDF/A then asks for no appearance (ISO 19005-2, 6.3.3). 132 is print and locked.
    let widget =
        format!("<</Type/Annot/Subtype/Widget/FT/Sig/T(Signature{field_n})/V {signature_n} 0 R/P {page_n} 0 R/Rect[0 0 0 0]/F 132>>");
    out.extend(object(field_n, &widget));
    let table = out.len();
    offsets.sort_unstable();
    let rows: String = offsets.iter().map(|(n, offset)| format!("{n} 1\n{offset:010} 00000 n \n")).collect();
    let rest = file.kept_entries();
    let trailer =
        format!("xref\n{rows}trailer\n<</Size {}/Root {root} 0 R/Prev {}{rest}>>\nstartxref\n{table}\n%%EOF\n", field_n + 1, file.table);
    out.extend(trailer.into_bytes());
    let length = format!("{:<10}", out.len() - hole.end);
    out.get_mut(length_at..length_at + 10).ok_or(Error::Pdf("byte range"))?.copy_from_slice(length.as_bytes());
    Ok((out, hole))
}

fn object(n: usize, dictionary: &str) -> Vec<u8> {
    format!("{n} 0 obj\n{dictionary}\nendobj\n").into_bytes()
}

fn with_field(catalog: &str, field: usize) -> Result<String> {
    match catalog.split_once("/AcroForm<</Fields[") {
        Some((before, after)) => Ok(format!("{before}/AcroForm<</Fields[{field} 0 R {after}")),
        None if catalog.contains("/AcroForm") => Err(Error::Pdf("form")),
        None => ending_with(catalog, &format!("/AcroForm<</Fields[{field} 0 R]/SigFlags 3>>")),
    }
}

fn with_annotation(page: &str, field: usize) -> Result<String> {
    match page.split_once("/Annots[") {
        Some((before, after)) => Ok(format!("{before}/Annots[{field} 0 R {after}")),
        None if page.contains("/Annots") => Err(Error::Pdf("annotations")),
        None => ending_with(page, &format!("/Annots[{field} 0 R]")),
    }
}

fn ending_with(dictionary: &str, entry: &str) -> Result<String> {
    let inner = dictionary.trim_end().strip_suffix(">>").ok_or(Error::Pdf("dictionary"))?;
    Ok(format!("{inner}{entry}>>"))
}

/// A PDF as far as signing needs it.
struct File<'a> {
    bytes: &'a [u8],
    /// Where the latest cross-reference table lies.
    table: usize,
    trailer: String,
    /// One more than the greatest object number.
    size: usize,
    /// Where objects lie, the latest table first.
    offsets: Vec<(usize, usize)>,
}

/// More updates than this are not followed: their chain may be a circle.
const MOST_UPDATES: usize = 64;

impl<'a> File<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let bad = Error::Pdf;
        let tail = places(bytes, b"startxref").last().ok_or(bad("no startxref"))?;
        let table = first_number(bytes, tail + 9).ok_or(bad("startxref"))?;
        let (mut offsets, mut trailer, mut next) = (Vec::new(), None, Some(table));
        for _ in 0..MOST_UPDATES {
            let Some(at) = next else { break };
            let (more, one) = read_table(bytes, at).ok_or(bad("cross-reference table"))?;
            offsets.extend(more);
            next = one.split_once("/Prev").and_then(|(_, rest)| first_number(rest.as_bytes(), 0));
            trailer.get_or_insert(one);
        }
        let trailer = trailer.ok_or(bad("no trailer"))?;
        let size = trailer.split_once("/Size").and_then(|(_, rest)| first_number(rest.as_bytes(), 0)).ok_or(bad("size"))?;
        if size > 8_388_607 {
            return Err(bad("size"));
        }
        Ok(Self { bytes, table, trailer, size, offsets })
    }

    fn reference(&self, dictionary: &str, name: &str) -> Result<usize> {
        let after = dictionary.split_once(name).map(|(_, rest)| rest.trim_start_matches(['[', ' '])).unwrap_or_default();
        first_number(after.as_bytes(), 0).ok_or(Error::Pdf("reference"))
    }

    fn dictionary(&self, n: usize) -> Result<String> {
        let at = self.offsets.iter().find(|(number, _)| *number == n).map(|(_, offset)| *offset).ok_or(Error::Pdf("object"))?;
        let rest = self.bytes.get(at..).ok_or(Error::Pdf("offset"))?;
        let body = rest.strip_prefix(format!("{n} 0 obj").as_bytes()).ok_or(Error::Pdf("object"))?;
        let end = body.windows(6).position(|w| w == b"endobj").ok_or(Error::Pdf("object"))?;
        let text = std::str::from_utf8(body.get(..end).unwrap_or_default()).map_err(|_binary| Error::Pdf("dictionary"))?.trim();
        if text.starts_with("<<") { Ok(text.to_owned()) } else { Err(Error::Pdf("dictionary")) }
    }

    /// The first page, down the tree of pages.
    fn first_page(&self, catalog: &str) -> Result<(usize, String)> {
        let mut n = self.reference(catalog, "/Pages")?;
        for _ in 0..MOST_UPDATES {
            let node = self.dictionary(n)?;
            if !node.contains("/Kids") {
                return Ok((n, node));
            }
            n = self.reference(&node, "/Kids")?;
        }
        Err(Error::Pdf("pages"))
    }

    /// What of the trailer goes on unchanged.
    fn kept_entries(&self) -> String {
        let info = self.reference(&self.trailer, "/Info").map(|n| format!("/Info {n} 0 R")).unwrap_or_default();
        let id = self.trailer.split_once("/ID[").and_then(|(_, rest)| rest.split_once(']')).map(|(id, _)| format!("/ID[{id}]"));
        info + &id.unwrap_or_default()
    }
}

/// A table's objects and its trailer.
fn read_table(bytes: &[u8], at: usize) -> Option<(Vec<(usize, usize)>, String)> {
    let rest = bytes.get(at..)?.strip_prefix(b"xref")?;
    let end = rest.windows(7).position(|w| w == b"trailer")?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?;
    let mut words = text.split_whitespace();
    let mut found = Vec::new();
    while let (Some(start), Some(count)) = (words.next(), words.next()) {
        let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
        for n in start..start.checked_add(count)? {
            let (offset, _generation, kind) = (words.next()?, words.next()?, words.next()?);
            if kind == "n" {
                found.push((n, offset.parse().ok()?));
            }
        }
    }
    let trailer = rest.get(end + 7..)?;
    let stop = trailer.windows(9).position(|w| w == b"startxref")?;
    Some((found, String::from_utf8_lossy(trailer.get(..stop)?).trim().to_owned()))
}

fn first_number(bytes: &[u8], at: usize) -> Option<usize> {
    let digits: Vec<u8> = bytes.get(at..)?.iter().copied().skip_while(u8::is_ascii_whitespace).take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

fn places<'a>(bytes: &'a [u8], what: &'static [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(what.len()).enumerate().filter(move |(_, window)| *window == what).map(|(at, _)| at)
}

fn slice(bytes: &[u8], range: Range<usize>) -> Result<&[u8]> {
    bytes.get(range).ok_or(Error::Pdf("range"))
}

/// A text string: UTF-16 with its mark, hexadecimal, which needs no escapes.
fn text(text: &str) -> String {
    let units: String = text.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
    format!("<FEFF{units}>")
}

/// A date (ISO 32000-1, 7.9.4).
fn date(at: Moment) -> String {
    let t = at.local().datetime();
    let (sign, offset) = (if at.offset_s < 0 { '-' } else { '+' }, at.offset_s.abs());
    format!(
        "(D:{:04}{:02}{:02}{:02}{:02}{:02}{sign}{:02}'{:02}')",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        offset / 3600,
        offset / 60 % 60
    )
}

fn read_date(date: &str) -> Option<String> {
    let digits = date.trim().strip_prefix("(D:")?;
    let part = |range: Range<usize>| digits.get(range);
    let zone = match part(14..15)? {
        "Z" => "+00:00".to_owned(),
        sign => format!("{sign}{}:{}", part(15..17)?, part(18..20).unwrap_or("00")),
    };
    Some(format!("{}-{}-{}T{}:{}:{}{zone}", part(0..4)?, part(4..6)?, part(6..8)?, part(8..10)?, part(10..12)?, part(12..14)?))
}
