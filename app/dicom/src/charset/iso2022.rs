//! The state machine of code extensions. Source: PS3.5 §6.1.2.4, §6.1.2.5.

use super::{Double, G1, Initial, Shape, Single};
use encoding_rs as e;

pub(super) struct Read {
    pub text: String,
    /// Every byte belonged to a designated set.
    pub fits: bool,
    /// An escape sequence occurred.
    pub has_escapes: bool,
}

/// What an escape sequence designates. Source: PS3.3 tables C.12-3 and C.12-4.
enum Designation {
    G0Single,
    G0Double(Double),
    G1(G1),
}

fn designation(rest: &[u8]) -> Option<(usize, Designation)> {
    use Designation::{G0Double, G0Single, G1 as ToG1};
    let table = |t| ToG1(G1::Single(Single::Table(t)));
    let found = match rest {
        [b'$', b'(', b'D', ..] => (3, G0Double(Double::Jis0212)),
        [b'$', b')', b'C', ..] => (3, ToG1(G1::Double(Double::Ksx1001))),
        [b'$', b')', b'A', ..] => (3, ToG1(G1::Double(Double::Gb2312))),
        [b'$', b'B' | b'@', ..] => (2, G0Double(Double::Jis0208)),
        [b'(', b'B' | b'J', ..] => (2, G0Single),
        [b')', b'I', ..] => (2, ToG1(G1::Single(Single::Katakana))),
        [b'-', b'A', ..] => (2, table(e::WINDOWS_1252)),
        [b'-', b'B', ..] => (2, table(e::ISO_8859_2)),
        [b'-', b'C', ..] => (2, table(e::ISO_8859_3)),
        [b'-', b'D', ..] => (2, table(e::ISO_8859_4)),
        [b'-', b'L', ..] => (2, table(e::ISO_8859_5)),
        [b'-', b'G', ..] => (2, table(e::ISO_8859_6)),
        [b'-', b'F', ..] => (2, table(e::ISO_8859_7)),
        [b'-', b'H', ..] => (2, table(e::ISO_8859_8)),
        [b'-', b'M', ..] => (2, table(e::WINDOWS_1254)),
        [b'-', b'T', ..] => (2, table(e::WINDOWS_874)),
        [b'-', b'b', ..] => (2, table(e::ISO_8859_15)),
        _ => return None,
    };
    Some(found)
}

pub(super) fn decode(raw: &[u8], initial: Initial, shape: Shape) -> Read {
    let mut out = Read { text: String::with_capacity(raw.len()), fits: true, has_escapes: false };
    let mut g0: Option<Double> = None;
    let mut g1 = initial.g1;
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let next = raw.get(at + 1).copied();
        if byte == 0x1B {
            out.has_escapes = true;
            let Some((length, what)) = raw.get(at + 1..).and_then(designation) else {
                out.fits = false;
                at += 1;
                continue;
            };
            match what {
                Designation::G0Single => g0 = None,
                Designation::G0Double(double) => g0 = Some(double),
                Designation::G1(set) => g1 = set,
            }
            at += 1 + length;
        } else if let (Some(double), 0x21..=0x7E) = (g0, byte) {
            at += pair(double, byte, next, &mut out);
        } else if byte < 0x80 {
            if delimits(byte, shape) {
                // PS3.5 §6.1.2.5.3: at a delimiter the first value of Specific Character Set holds again.
                g0 = None;
                g1 = initial.g1;
            }
            out.text.push(char::from(byte));
            at += 1;
        } else {
            at += match g1 {
                G1::Double(double) => pair(double, byte & 0x7F, next.map(|b| b & 0x7F), &mut out),
                G1::Single(single) => one(single, byte, &mut out),
            };
        }
    }
    out
}

fn delimits(byte: u8, shape: Shape) -> bool {
    match byte {
        b'\t' | b'\n' | 0x0C | b'\r' => true,
        b'\\' => shape != Shape::Long,
        b'^' | b'=' => shape == Shape::Name,
        _ => false,
    }
}

/// Appends one character of a two byte set from its 7 bit pair; returns how many bytes it took.
fn pair(set: Double, first: u8, second: Option<u8>, out: &mut Read) -> usize {
    let Some(second @ 0x21..=0x7E) = second else {
        out.fits = false;
        out.text.push(char::REPLACEMENT_CHARACTER);
        return 1;
    };
    let (a, b) = (first | 0x80, second | 0x80);
    let (encoding, bytes): (_, &[u8]) = match set {
        Double::Jis0208 => (e::EUC_JP, &[a, b]),
        Double::Jis0212 => (e::EUC_JP, &[0x8F, a, b]),
        Double::Ksx1001 => (e::EUC_KR, &[a, b]),
        Double::Gb2312 => (e::GBK, &[a, b]),
    };
    let (text, failed) = encoding.decode_without_bom_handling(bytes);
    out.fits &= !failed;
    out.text.push_str(&text);
    2
}

fn one(set: Single, byte: u8, out: &mut Read) -> usize {
    match set {
        Single::Katakana if (0xA1..=0xDF).contains(&byte) => {
            out.text.extend(char::from_u32(0xFF61 + u32::from(byte) - 0xA1));
        }
        Single::Table(encoding) => {
            let (text, failed) = encoding.decode_without_bom_handling(std::slice::from_ref(&byte));
            out.fits &= !failed;
            out.text.push_str(&text);
        }
        Single::Ascii | Single::Katakana => {
            out.fits = false;
            out.text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    1
}
