//! Windows by name, from `assets/presets/windows.toml`.

use mj_lang::Text;
use mj_model::{Samples, Volume, Window};
use serde::Deserialize;

const FILE: &str = include_str!("../../../assets/presets/windows.toml");

/// A window for one modality.
#[derive(Debug, Clone, Deserialize)]
pub struct Preset {
    /// Stable English name, as the command line takes it.
    pub name: String,
    /// Modality it is for, for example `CT`.
    pub modality: String,
    /// Window Center.
    pub center: f64,
    /// Window Width.
    pub width: f64,
}

#[derive(Deserialize)]
struct Presets {
    preset: Vec<Preset>,
}

impl Preset {
    /// Its name for people.
    #[must_use]
    pub fn text(&self) -> Option<Text> {
        mj_lang::find(&format!("preset.{}", self.name))
    }

    /// As a window.
    #[must_use]
    pub fn window(&self) -> Window {
        Window { center: self.center, width: self.width, name: self.name.clone() }
    }
}

/// The presets of a modality, in the order of their number keys. None when the file is broken, which a test
/// excludes.
#[must_use]
pub fn of_modality(modality: &str) -> Vec<Preset> {
    toml::from_str::<Presets>(FILE).map(|all| all.preset.into_iter().filter(|p| p.modality == modality).collect()).unwrap_or_default()
}

/// The window a volume is first shown with: the file's own, else one that holds nearly all values.
#[must_use]
pub fn first_window(volume: &Volume) -> Window {
    let usable = |w: &&Window| w.center.is_finite() && w.width.is_finite() && w.width >= 1.0;
    volume.windows.iter().find(usable).cloned().unwrap_or_else(|| spread(volume))
}

/// The window a projection through the whole volume is first shown with: bone and contrast for CT, the bright
/// end of the values otherwise.
#[must_use]
pub fn mip_window(volume: &Volume) -> Window {
    if volume.modality == "CT" && volume.unit.label() == "HU" {
        return Window { center: 500.0, width: 1400.0, name: String::new() };
    }
    let Window { center, width, .. } = spread(volume);
    // A maximum over hundreds of voxels lies above the middle of the values.
    Window { center: center + width * 0.25, width: width * 1.2, name: String::new() }
}

/// From the 1st to the 99.5th percentile of a sample of the values.
fn spread(volume: &Volume) -> Window {
    let step = (volume.samples.len() / 60_000).max(1);
    let mut values: Vec<f64> = (0..volume.samples.len())
        .step_by(step)
        .filter_map(|at| volume.samples.stored(at))
        .filter(|&stored| stored.is_finite() && volume.padding != Some(stored))
        .map(|stored| volume.map.apply(stored))
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.01), at(0.995));
    let narrowest = if matches!(volume.samples, Samples::F32(_)) { 1e-6 } else { 2.0 };
    Window { center: (low + high) / 2.0, width: (high - low).max(narrowest), name: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_a_text_and_a_width() {
        let ct = of_modality("CT");
        assert!(ct.len() >= 5 && ct.len() <= 8);
        for preset in ct {
            assert!(preset.text().is_some(), "{}", preset.name);
            assert!(preset.width >= 1.0);
        }
    }
}
