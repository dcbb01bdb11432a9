//! Windows by name, from `assets/presets/windows.toml`.

use mj_dicom::series::Image;
use mj_imaging::{Interpolation, Plane, reslice, still, window};
use mj_lang::Text;
use mj_model::{ColourImage, Cover, LinearMap, Samples, Volume, Window};
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

    /// As a window for a volume's values.
    #[must_use]
    pub fn window(&self, volume: &Volume) -> Window {
        volume.own_window(self.center, self.width, &self.name)
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
    // Below 1 a window would cut whole numbers in two; for others it may be right.
    let narrowest = if volume.has_whole_values() { 1.0 } else { f64::MIN_POSITIVE };
    let usable = |w: &&Window| w.center.is_finite() && w.width.is_finite() && w.width >= narrowest;
    volume.windows.iter().find(usable).cloned().or_else(|| as_stored(volume)).unwrap_or_else(|| spread(volume))
}

/// Pictures of 8 bits, as of ultrasound and captured screens, are meant to be seen as they are stored. Not so masks and
/// maps of labels, which use a few of the values only.
fn as_stored(volume: &Volume) -> Option<Window> {
    let Samples::U8(samples) = &volume.samples else { return None };
    let is_picture = volume.map == LinearMap::default() && volume.modality != "SEG" && samples.iter().any(|&v| v > 31);
    is_picture.then(|| Window::linear(128.0, 256.0, ""))
}

/// Values, colours and cover of a single image.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The values.
    pub volume: &'a Volume,
    /// The colours, where it has any.
    pub colour: Option<&'a ColourImage>,
    /// What lies over it.
    pub cover: Option<&'a Cover>,
}

impl<'a> From<&'a Image> for Parts<'a> {
    fn from(image: &'a Image) -> Self {
        Self { volume: &image.volume, colour: image.colour.as_ref(), cover: image.cover.as_ref() }
    }
}

/// A single image as it is shown on a plane: values by a window or colours by a tone, and what lies over them. `graphics` is
/// the colour of overlay planes, `None` to leave them out.
#[must_use]
pub fn drawn(image: &Parts<'_>, plane: &Plane, window: &Window, is_inverted: bool, graphics: Option<[u8; 3]>) -> Vec<[u8; 3]> {
    let mut rgb = match image.colour {
        Some(colour) => {
            let mut rgb = still::colours(colour, plane);
            still::toned(&mut rgb, window, is_inverted);
            rgb
        }
        None => {
            let values = reslice::slice(image.volume, plane, Interpolation::Linear);
            window::grey(&values, window, is_inverted).into_iter().map(|grey| [grey; 3]).collect()
        }
    };
    if let Some(cover) = image.cover {
        still::compose(&mut rgb, &still::covered(cover, &image.volume.grid, plane), cover.shutter_grey, graphics);
    }
    rgb
}

/// The window a projection through the whole volume is first shown with: bone and contrast for CT, the bright
/// end of the values otherwise.
#[must_use]
pub fn mip_window(volume: &Volume) -> Window {
    if volume.modality == "CT" && volume.unit.label() == "HU" {
        return volume.own_window(500.0, 1400.0, "");
    }
    let Window { center, width, .. } = spread(volume);
    // A maximum over hundreds of voxels lies above the middle of the values.
    volume.own_window(center + width * 0.25, width * 1.2, "")
}

/// From the 1st to the 99.5th percentile of a sample of the values.
fn spread(volume: &Volume) -> Window {
    let step = (volume.samples.len() / 60_000).max(1);
    let mut values: Vec<f64> = (0..volume.samples.len())
        .step_by(step)
        .filter_map(|at| volume.samples.stored(at))
        .filter(|&stored| stored.is_finite() && !volume.padding.is_some_and(|p| p.holds(stored)))
        .map(|stored| volume.map.apply(stored))
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((values.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.01), at(0.995));
    let width = match high - low {
        width if volume.has_whole_values() => width.max(2.0),
        width if width > 0.0 => width,
        // All values alike.
        _ => 1.0,
    };
    volume.own_window((low + high) / 2.0, width, "")
}

#[cfg(test)]
pub(crate) mod tests {
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

    /// A volume one voxel thick with the stored values 0 to 999.
    pub(crate) fn small_values(samples: mj_model::Samples, slope: f64) -> Volume {
        use mj_model::{Grid, LinearMap, PointLps, VectorLps};
        let axis = VectorLps::new;
        let grid = Grid {
            dims: [100, 10, 1],
            origin: PointLps::default(),
            axes: [axis(1.0, 0.0, 0.0), axis(0.0, 1.0, 0.0), axis(0.0, 0.0, 1.0)],
            spacing_mm: [1.0; 3],
        };
        Volume { modality: "MR".into(), map: LinearMap { slope, intercept: 0.0 }, ..Volume::of(grid, samples) }
    }

    #[test]
    fn windows_of_our_own_fit_values_that_are_no_whole_numbers() {
        use mj_model::{Curve, Samples};
        let whole = small_values(Samples::U16((0..1000).collect()), 1.0);
        assert_eq!(first_window(&whole).curve, Curve::Linear);
        let floats = small_values(Samples::F32((0..1000_u16).map(|v| f32::from(v) * 3e-6).collect()), 1.0);
        let scaled = small_values(Samples::U16((0..1000).collect()), 3e-6);
        for volume in [floats, scaled] {
            let window = first_window(&volume);
            assert!(window.curve == Curve::LinearExact && (0.0025..0.003).contains(&window.width), "{window:?}");
            assert_eq!(mip_window(&volume).curve, Curve::LinearExact);
            let file = Window::linear(0.001, 0.002, "ADC");
            assert_eq!(first_window(&Volume { windows: vec![file.clone()], ..volume }), file);
        }
    }
}
