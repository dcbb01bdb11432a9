//! Character sets: from the raw bytes of a value to text.
//!
//! Source: PS3.3 §C.12.1.1.2 (Specific Character Set), PS3.5 §6.1.2 (code extensions after ISO 2022) and its
//! annexes H to K. A value whose declared set cannot be right (undeclared Chinese is common) is read by the
//! set its bytes fit, and that is told as a repair: for the screen only, never for writing.

mod iso2022;
mod repair;
#[cfg(test)]
mod tests;

use encoding_rs::Encoding;

/// Text with the knowledge how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text.
    pub text: String,
    /// True when the declared character set could not be right and another was guessed.
    pub is_repaired: bool,
}

/// What a single byte set maps its upper half to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Single {
    /// No upper half: ISO 646 only.
    Ascii,
    /// Half-width katakana, JIS X 0201.
    Katakana,
    /// A set that `encoding_rs` knows.
    Table(&'static Encoding),
}

/// A two byte set that ISO 2022 designates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Double {
    /// JIS X 0208, ISO-IR 87.
    Jis0208,
    /// JIS X 0212, ISO-IR 159.
    Jis0212,
    /// KS X 1001, ISO-IR 149.
    Ksx1001,
    /// GB 2312, ISO-IR 58.
    Gb2312,
}

/// How the text of a data set is encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct CharacterSet {
    kind: Kind,
    /// False when the declared value is not one the standard knows.
    is_known: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A multi-byte set without code extensions: UTF-8, GB18030, GBK.
    Whole(&'static Encoding),
    /// One byte a character, code extensions when escapes occur.
    Iso2022 { initial: Initial, declares_extensions: bool },
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Initial {
    g1: G1,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum G1 {
    Single(Single),
    Double(Double),
}

/// Whether a value is a person's name, several values, or one long text: delimiters differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// PN: `\`, `^` and `=` delimit.
    Name,
    /// SH, LO, UC: `\` delimits.
    Values,
    /// ST, LT, UT: nothing delimits but control characters.
    Long,
}

impl Default for CharacterSet {
    fn default() -> Self {
        Self::declared(b"")
    }
}

impl CharacterSet {
    /// The set of a raw value of Specific Character Set (0008,0005).
    #[must_use]
    pub fn declared(raw: &[u8]) -> Self {
        let text: String = raw.iter().map(|&b| if b.is_ascii() { char::from(b) } else { '?' }).collect();
        let values: Vec<String> = text.split('\\').map(normal).collect();
        let mut is_known = true;
        for value in &values {
            match value.as_str() {
                "192" | "UTF8" => return Self { kind: Kind::Whole(encoding_rs::UTF_8), is_known: true },
                "GB18030" => return Self { kind: Kind::Whole(encoding_rs::GB18030), is_known: true },
                "GBK" | "GB2312" => return Self { kind: Kind::Whole(encoding_rs::GBK), is_known: true },
                _ => {}
            }
        }
        let first = values.first().map_or("", String::as_str);
        let g1 = upper_half(first).unwrap_or_else(|| {
            is_known = false;
            G1::Single(Single::Ascii)
        });
        let declares_extensions = values.len() > 1 || text.contains("2022");
        Self { kind: Kind::Iso2022 { initial: Initial { g1 }, declares_extensions }, is_known }
    }

    /// UTF-8, the set of everything this crate writes.
    #[must_use]
    pub fn utf8() -> Self {
        Self { kind: Kind::Whole(encoding_rs::UTF_8), is_known: true }
    }

    /// Decodes a raw value. Padding at its end stays.
    #[must_use]
    pub fn decode(&self, raw: &[u8], shape: Shape) -> Text {
        if raw.iter().all(|&b| b.is_ascii() && b != 0x1B) {
            return Text { text: raw.iter().map(|&b| char::from(b)).collect(), is_repaired: false };
        }
        let (text, fits) = self.strictly(raw, shape);
        if fits && !repair::looks_wrong(self, raw) {
            return Text { text, is_repaired: false };
        }
        match repair::guess(raw) {
            Some(guess) => Text { text: guess, is_repaired: true },
            None => Text { text, is_repaired: true },
        }
    }

    /// Decodes by the declared set only. The flag is false when the bytes do not fit it.
    #[must_use]
    pub fn strictly(&self, raw: &[u8], shape: Shape) -> (String, bool) {
        match &self.kind {
            Kind::Whole(encoding) => {
                let (text, failed) = encoding.decode_without_bom_handling(raw);
                (text.into_owned(), !failed)
            }
            Kind::Iso2022 { initial, declares_extensions } => {
                let read = iso2022::decode(raw, *initial, shape);
                let fits = self.is_known && read.fits && (*declares_extensions || !read.has_escapes);
                (read.text, fits)
            }
        }
    }

    fn is_gb(&self) -> bool {
        matches!(&self.kind, Kind::Whole(encoding) if *encoding != encoding_rs::UTF_8)
    }

    /// True for a set whose upper half is Western: the default that devices declare without meaning it.
    fn is_western_or_none(&self) -> bool {
        match &self.kind {
            Kind::Whole(_) => false,
            Kind::Iso2022 { initial, declares_extensions } => {
                !declares_extensions
                    && match initial.g1 {
                        G1::Single(Single::Ascii) => true,
                        G1::Single(Single::Table(t)) => t == encoding_rs::WINDOWS_1252,
                        _ => false,
                    }
            }
        }
    }
}

/// The number of a defined term, however it is spelt: `ISO_IR 100`, `ISO 2022 IR 100`, `ISO-IR 100`.
fn normal(value: &str) -> String {
    let upper: String =
        value.trim_matches([' ', '\0']).to_ascii_uppercase().chars().map(|c| if matches!(c, '_' | '-') { ' ' } else { c }).collect();
    let words: Vec<&str> = upper.split_whitespace().filter(|w| !matches!(*w, "ISO" | "IR" | "2022")).collect();
    words.concat()
}

fn upper_half(number: &str) -> Option<G1> {
    use encoding_rs as e;
    let table = |t| Some(G1::Single(Single::Table(t)));
    match number {
        "" | "6" => Some(G1::Single(Single::Ascii)),
        "100" => table(e::WINDOWS_1252),
        "101" => table(e::ISO_8859_2),
        "109" => table(e::ISO_8859_3),
        "110" => table(e::ISO_8859_4),
        "144" => table(e::ISO_8859_5),
        "127" => table(e::ISO_8859_6),
        "126" => table(e::ISO_8859_7),
        "138" => table(e::ISO_8859_8),
        "148" => table(e::WINDOWS_1254),
        "203" => table(e::ISO_8859_15),
        "166" => table(e::WINDOWS_874),
        "13" => Some(G1::Single(Single::Katakana)),
        // Two byte sets are only defined behind a first value; a file that names one first means it.
        "58" => Some(G1::Double(Double::Gb2312)),
        "149" => Some(G1::Double(Double::Ksx1001)),
        "87" | "159" => Some(G1::Single(Single::Ascii)),
        _ => None,
    }
}
