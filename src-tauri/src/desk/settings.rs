//! The few settings that are needed before the record is open. No patient data.

use mj_model::Lang;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Settings of this workstation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Language of the screens.
    pub lang: Lang,
    /// `dark`, `light` or `high_contrast`.
    pub theme: String,
    /// Id of the person who reads; empty when nobody was chosen.
    pub person: String,
    /// Open the viewer together with a study.
    pub opens_viewer: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lang: Lang::Zh, theme: "dark".into(), person: String::new(), opens_viewer: true }
    }
}

/// The settings and the file they are kept in.
#[derive(Debug)]
pub struct Kept {
    file: PathBuf,
    /// As they are now.
    pub now: Settings,
}

impl Kept {
    /// Reads the file; a missing or broken one gives the defaults.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let now = std::fs::read_to_string(file).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default();
        Self { file: file.into(), now }
    }

    /// Changes them and writes the file. A setting that cannot be written still holds until the program ends.
    pub fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.now);
        let Ok(text) = toml::to_string(&self.now) else { return };
        let written = self.file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            let fresh = self.file.with_extension("new");
            std::fs::write(&fresh, text)?;
            std::fs::rename(&fresh, &self.file)
        });
        if let Err(error) = written {
            tracing::warn!(kind = ?error.kind(), "the settings could not be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_a_broken_file_does_not_stop_us() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("below/desk.toml");
        let mut kept = Kept::read(&file);
        assert_eq!(kept.now, Settings::default());
        kept.change(|s| s.lang = Lang::En);
        assert_eq!(Kept::read(&file).now.lang, Lang::En);
        std::fs::write(&file, "lang = 7").unwrap();
        assert_eq!(Kept::read(&file).now, Settings::default());
    }
}
