//! Volume rendering: which of a volume's values are seen as shapes, and what is cut away before them.

use crate::overlay;
use crate::reading::presets;
use crate::{Error, Result};
use mj_imaging::Plane;
use mj_imaging::raycast::{ClipBox, Preset, TransferFunction, preset};
use mj_lang::key;
use mj_model::{Lang, PointLps, Volume};

/// How a viewport renders a volume.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Solid {
    /// Name of the preset; empty for the first of the modality.
    pub preset: String,
    /// How far its values are moved up. Units: the volume's unit.
    pub shift: f64,
    /// What lies before the crosshair is cut away.
    pub is_cut: bool,
}

impl Solid {
    /// The preset: the chosen one, or the modality's first where the modality does not have it.
    ///
    /// # Errors
    /// As [`preset::all`].
    pub fn preset(&self, volume: &Volume) -> Result<Preset> {
        preset_named(volume, Some(&self.preset)).or_else(|_| preset_named(volume, None))
    }

    /// What is seen, in the volume's own values.
    ///
    /// # Errors
    /// [`can_be_drawn`]; as [`preset::all`].
    pub fn function(&self, volume: &Volume) -> Result<TransferFunction> {
        can_be_drawn(volume)?;
        Ok(function_for(&self.preset(volume)?, volume).stretched(self.shift, self.shift + 1.0))
    }

    /// What is shown, for the picture: the preset, how far it was moved, and whether a part is cut away.
    #[must_use]
    pub fn lines(&self, volume: &Volume, lang: Lang) -> Vec<String> {
        let mut name = self.preset(volume).map(|preset| name_of(&preset, lang)).unwrap_or_default();
        if self.shift != 0.0 {
            let unit = volume.unit.label();
            let sign = if self.shift > 0.0 { "+" } else { "" };
            name = format!("{name}  {sign}{}\u{2009}{unit}", overlay::value(self.shift)).trim_end().to_owned();
        }
        let cut = self.is_cut.then(|| key::READING_CUT_AWAY.get(lang).to_owned());
        [Some(name), cut].into_iter().flatten().collect()
    }

    /// What is left when all before a position is cut away: along the patient's axis that the view runs along most.
    #[must_use]
    pub fn cut(&self, plane: &Plane, at: PointLps) -> Option<ClipBox> {
        if !self.is_cut {
            return None;
        }
        let (mut low, mut high) = ([-EVERYWHERE_MM; 3], [EVERYWHERE_MM; 3]);
        let (at, axis): ([f64; 3], _) = (at.into(), main_axis(plane));
        let into: [f64; 3] = plane.normal().into();
        *(if into[axis] > 0.0 { low.get_mut(axis) } else { high.get_mut(axis) })? = at[axis];
        Some((low.into(), high.into()))
    }
}

/// Far beyond every patient. Units: mm.
const EVERYWHERE_MM: f64 = 1e6;

/// The patient's axis (x, y, z) that a view runs along most.
#[must_use]
pub fn main_axis(plane: &Plane) -> usize {
    let into: [f64; 3] = plane.normal().into();
    (0..3).max_by(|&a, &b| into[a].abs().total_cmp(&into[b].abs())).unwrap_or(1)
}

/// Volume rendering shows shapes: it needs true distances, measured slices and one value a voxel.
///
/// # Errors
/// [`Error::VrUncalibrated`], [`Error::VrResampled`], [`Error::VrColour`].
pub fn can_be_drawn(volume: &Volume) -> Result<()> {
    let has = |code: &str| volume.warnings.iter().any(|w| w.code == code);
    if !volume.is_calibrated {
        return Err(Error::VrUncalibrated);
    }
    if has("geometry.resampled") {
        return Err(Error::VrResampled);
    }
    if has("pixel.colour_as_grey") {
        return Err(Error::VrColour);
    }
    Ok(())
}

/// The presets that mean something for a volume's values.
///
/// # Errors
/// As [`preset::all`].
pub fn presets_of(volume: &Volume) -> Result<Vec<Preset>> {
    // Values that are not in the modality's own unit mean nothing to its presets.
    let modality = if volume.modality == "CT" && volume.unit.label() != "HU" { "" } else { volume.modality.as_str() };
    Ok(preset::of_modality(modality)?)
}

/// The preset of a name, or the first.
///
/// # Errors
/// [`Error::NoPreset`]; as [`preset::all`].
pub fn preset_named(volume: &Volume, name: Option<&str>) -> Result<Preset> {
    let presets = presets_of(volume)?;
    let known = || presets.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || Error::NoPreset { name: name.unwrap_or_default().to_owned(), known: known() };
    presets.iter().find(|p| name.is_none_or(|n| p.name == n)).cloned().ok_or_else(unknown)
}

/// The preset's function in the volume's own values.
#[must_use]
pub fn function_for(preset: &Preset, volume: &Volume) -> TransferFunction {
    if !preset.modality.is_empty() {
        return preset.function.clone();
    }
    let (middle, span) = presets::first_window(volume).middle_and_span();
    let span = span.max(f64::MIN_POSITIVE);
    preset.function.stretched(middle - span / 2.0, middle + span / 2.0)
}

/// What people read for a preset.
#[must_use]
pub fn name_of(preset: &Preset, lang: Lang) -> String {
    mj_lang::find(&format!("vr.preset.{}", preset.name)).map_or(preset.name.as_str(), |text| text.get(lang)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mj_model::Samples;

    #[test]
    fn what_lies_before_the_crosshair_is_cut_away() {
        let grid = presets::tests::small_values(Samples::U8(vec![0; 1000]), 1.0).grid;
        let at = PointLps::new(1.0, 2.0, 3.0);
        let solid = Solid { is_cut: true, ..Solid::default() };
        // A coronal view looks from the front to the back, where y grows.
        let coronal = Plane::coronal(&grid, at, 8, 8);
        let (low, high) = solid.cut(&coronal, at).unwrap();
        assert!(low.y == 2.0 && low.x < -1e5 && high.y > 1e5, "{low:?} {high:?}");
        let back = Plane { right: -coronal.right, ..coronal };
        let (low, high) = solid.cut(&back, at).unwrap();
        assert!(high.y == 2.0 && low.y < -1e5);
        assert_eq!(main_axis(&Plane::sagittal(&grid, at, 8, 8)), 0);
        assert!(Solid::default().cut(&coronal, at).is_none());
    }
}
