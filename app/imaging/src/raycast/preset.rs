//! Transfer functions by name.

use super::transfer::TransferFunction;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::sync::OnceLock;

const FILE: &str = include_str!("../../../../assets/presets/volume.toml");

/// A transfer function by name, from `assets/presets/volume.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Preset {
    /// Stable English name, as the command line takes it. Its text is `vr.preset.<name>` in the catalogue.
    pub name: String,
    /// Modality it is for, for example `CT`, whose unit its values then have. Empty for all others: its values go
    /// from 0 to 1 between the window's black and white.
    pub modality: String,
    /// The function.
    #[serde(flatten)]
    pub function: TransferFunction,
}

#[derive(Deserialize)]
struct Presets {
    preset: Vec<Preset>,
}

/// All presets, in the order of the file.
///
/// # Errors
/// [`Error::BadPresets`] or [`Error::BadTransferFunction`] when the file is broken, which a test excludes.
pub fn all() -> Result<&'static [Preset]> {
    static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
    if let Some(all) = ALL.get() {
        return Ok(all);
    }
    let presets: Presets = toml::from_str(FILE).map_err(|e| Error::BadPresets(e.to_string()))?;
    presets.preset.iter().try_for_each(|p| p.function.check())?;
    Ok(ALL.get_or_init(|| presets.preset))
}

/// The presets for a modality: its own, or those for any where it has none.
///
/// # Errors
/// As [`all`].
pub fn of_modality(modality: &str) -> Result<Vec<Preset>> {
    let all = all()?;
    let has_own = all.iter().any(|p| p.modality == modality);
    Ok(all.iter().filter(|p| p.modality == if has_own { modality } else { "" }).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let names = |modality| of_modality(modality).unwrap().into_iter().map(|p| p.name).collect::<Vec<_>>();
        assert_eq!(names("CT"), ["bone", "lung", "vessels", "skin", "soft_tissue"]);
        assert_eq!(names("MR"), ["general"]);
        let everything = all().unwrap();
        assert!(everything.iter().all(|p| p.function.visible_range().is_some()));
    }

    #[test]
    fn air_and_padding_are_never_seen() {
        for preset in of_modality("CT").unwrap() {
            for hu in [-3024.0, -2000.0, -1024.0] {
                assert_eq!(preset.function.opacity(hu), 0.0, "{} shows {hu} HU", preset.name);
            }
        }
    }
}
