//! Fonts: Noto Sans SC from beside the program, the system's fonts for what it lacks.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use typst::foundations::Bytes;
use typst::text::Font;

/// The family the pages are set in.
const FAMILY: &str = "Noto Sans SC";

/// A character every Chinese font has, 报.
const PROBE: u32 = 0x62A5;

/// Fonts for typesetting. Cheap to clone; find them once and keep them.
#[derive(Debug, Clone)]
pub struct Fonts {
    fonts: Vec<Font>,
}

impl Fonts {
    /// Finds the fonts: the folder named by `MINGJING_FONTS`, `fonts/` beside the program, `fonts/` in the
    /// folder above it, and then the system's fonts.
    ///
    /// # Errors
    /// [`Error::NoFonts`].
    pub fn find() -> Result<Self> {
        let folders = own_folders();
        for folder in &folders {
            if let Ok(fonts) = Self::load(folder) {
                return Ok(fonts);
            }
        }
        let fonts: Vec<Font> = system_fonts().to_vec();
        if fonts.iter().any(|font| font.info().coverage.contains(PROBE)) {
            return Ok(Self { fonts });
        }
        Err(Error::NoFonts { searched: folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ") })
    }

    /// Loads the fonts of one folder (TTF, OTF, TTC); at least one must have Chinese characters.
    ///
    /// # Errors
    /// [`Error::NoFonts`].
    pub fn load(folder: &Path) -> Result<Self> {
        let mut fonts = read_folder(folder, &|_| true);
        if !fonts.iter().any(|font| font.info().coverage.contains(PROBE)) {
            return Err(Error::NoFonts { searched: folder.display().to_string() });
        }
        fonts.sort_by_key(|font| (font.info().family != FAMILY, font.info().variant.weight.to_number()));
        Ok(Self { fonts })
    }

    /// Families in the order they are to be used.
    pub(crate) fn families(&self) -> Vec<String> {
        let mut families: Vec<String> = Vec::new();
        for font in &self.fonts {
            if !families.contains(&font.info().family) {
                families.push(font.info().family.clone());
            }
        }
        families
    }

    pub(crate) fn all(&self) -> &[Font] {
        &self.fonts
    }

    /// These fonts and, when the text has characters they lack, the system's fonts that have them.
    ///
    /// # Errors
    /// [`Error::MissingCharacters`] for characters that are in no font of the machine.
    pub(crate) fn covering(&self, text: &str) -> Result<Self> {
        let mut lacking: Vec<char> = text.chars().filter(|&c| !is_blank(c) && !self.has(c)).collect();
        lacking.sort_unstable();
        lacking.dedup();
        let mut fonts = self.fonts.clone();
        for font in if lacking.is_empty() { &[] } else { system_fonts() } {
            let before = lacking.len();
            lacking.retain(|&c| !font.info().coverage.contains(u32::from(c)));
            if lacking.len() < before {
                fonts.push(font.clone());
            }
        }
        if !lacking.is_empty() {
            let list: Vec<String> = lacking.iter().take(20).map(|&c| format!("{c} (U+{:04X})", u32::from(c))).collect();
            return Err(Error::MissingCharacters { count: lacking.len(), list: list.join(", ") });
        }
        Ok(Self { fonts })
    }

    fn has(&self, c: char) -> bool {
        self.fonts.iter().any(|font| font.info().coverage.contains(u32::from(c)))
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn own_folders() -> Vec<PathBuf> {
    let named = std::env::var_os("MINGJING_FONTS").filter(|value| !value.is_empty()).map(PathBuf::from);
    let program = std::env::current_exe().ok();
    // Two levels up serve installed programs; the third, tests, which lie one folder deeper.
    let beside = program.iter().flat_map(|program| program.ancestors().skip(1).take(3));
    named.into_iter().chain(beside.map(|folder| folder.join("fonts"))).collect()
}

/// Fonts of the system that have Chinese characters, read at most once: there can be hundreds of others.
fn system_fonts() -> &'static [Font] {
    static SYSTEM: OnceLock<Vec<Font>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut folders: Vec<PathBuf> =
            ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "C:\\Windows\\Fonts"]
                .map(PathBuf::from)
                .to_vec();
        let home = std::env::var_os("HOME").map(PathBuf::from);
        folders.extend(home.iter().flat_map(|home| [home.join(".local/share/fonts"), home.join("Library/Fonts")]));
        let mut fonts: Vec<Font> = folders.iter().flat_map(|folder| read_folder(folder, &is_likely_chinese)).collect();
        fonts.retain(|font| font.info().coverage.contains(PROBE));
        fonts
    })
}

/// Files of the system whose name speaks for Chinese characters, rare ones included.
fn is_likely_chinese(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = [
        "cjk",
        "notosanssc",
        "notosanshans",
        "notoserifsc",
        "sourcehan",
        "simsun",
        "simhei",
        "msyh",
        "pingfang",
        "songti",
        "stheiti",
        "wqy",
        "hanazono",
        "hanamin",
        "babelstone",
        "jigmo",
        "droidsansfallback",
        "arialuni",
    ];
    words.iter().any(|word| name.contains(word))
}

/// All fonts in a folder and the folders in it. What cannot be read is no font.
fn read_folder(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Font> {
    let mut waiting = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(_) => files.push(entry.path()),
                Err(_unreadable) => {}
            }
        }
    }
    files.retain(|path| {
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        matches!(ending.as_deref(), Some("ttf" | "otf" | "ttc" | "otc")) && wanted(name)
    });
    files.sort();
    files.iter().filter_map(|path| std::fs::read(path).ok()).flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect()
}
