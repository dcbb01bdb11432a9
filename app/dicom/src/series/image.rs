//! One image of a series, ready to be shown: its values, its colours and what lies over it.

use super::Stack;
use super::cine::Cine;
use super::cover::{self, Stored};
use super::frame::Slice;
use super::geometry::grid_of_slice;
use super::load::{as_stored, modality_lut};
use super::ultrasound::{self, Region};
use super::volume_type::{Sample, SampleType, varies};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::pixels::{Decoder, FrameSamples, colour};
use dicom_dictionary_std::tags;
use mj_model::colour::luminance;
use mj_model::{ColourImage, Cover, Samples, Volume, Window};
use std::sync::{Arc, Mutex, PoisonError};

/// An image as it is to be shown.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its values, one voxel thick; the luminance of an image in colour, in 8 bits.
    pub volume: Volume,
    /// Its colours, where it has any.
    pub colour: Option<ColourImage>,
    /// What lies over it.
    pub cover: Option<Cover>,
}

/// The file with several frames that was read last, parsed: frames are asked for one after another.
#[derive(Default)]
pub(super) struct Recent(Mutex<Option<(usize, Arc<Dataset>)>>);

impl Stack {
    /// True when its images are in colour. Planes through a volume of them show luminance.
    #[must_use]
    pub fn is_colour(&self) -> bool {
        self.slices.first().is_some_and(|s| s.look.is_colour)
    }

    /// Times of its frames.
    #[must_use]
    pub fn cine(&self) -> Option<&Cine> {
        self.slices.first().map(|s| &s.look.cine)
    }

    /// Calibrated regions of an image (ultrasound).
    #[must_use]
    pub fn regions(&self, k: usize) -> &[Region] {
        self.slices.get(k).map_or(&[], |s| s.look.regions.as_slice())
    }

    /// Side and view of an image as the file names them, for example `R MLO`; empty where it does not.
    ///
    /// Source: PS3.3 §C.7.3.1 (Laterality), §C.8.11.7 (Image Laterality, View Position).
    #[must_use]
    pub fn side_and_view(&self, k: usize) -> String {
        self.slices.get(k).map_or_else(String::new, |s| format!("{} {}", s.look.side, s.look.view).trim().to_owned())
    }

    /// Distances of pixels along a row and down a column on the detector of a projection, whose lengths in the patient are
    /// not known. Units: mm.
    #[must_use]
    pub fn detector_mm(&self, k: usize) -> Option<[f64; 2]> {
        self.slices.get(k).and_then(|s| s.look.detector_mm)
    }

    /// Distances of pixels for a line on an image without a spacing of its own: those of the calibrated region that holds
    /// both ends. `[column, row]` from 0. Units: mm.
    #[must_use]
    pub fn region_mm(&self, k: usize, a: [f64; 2], b: [f64; 2]) -> Option<[f64; 2]> {
        ultrasound::mm_per_pixel(self.regions(k), a, b)
    }

    /// Decodes one image in colour.
    ///
    /// # Errors
    /// [`Error::WrongKind`] for a grey one; what decoding says.
    pub fn load_colour(&self, k: usize) -> Result<ColourImage> {
        self.load_image(k)?.colour.ok_or(Error::WrongKind { wanted: "colour image" })
    }

    /// Decodes one image as it is to be shown.
    ///
    /// # Errors
    /// [`Error::NoPixels`] beyond the end; what decoding says.
    pub fn load_image(&self, k: usize) -> Result<Image> {
        let slices = self.slices.get(k..k.saturating_add(1)).ok_or(Error::NoPixels)?;
        let slice = slices.first().ok_or(Error::NoPixels)?;
        let dataset = self.dataset(slice)?;
        let decoder = Decoder::of_part(&dataset)?;
        let samples = decoder.frame(slice.frame)?;
        let (root, layout, grid) = (dataset.root(), decoder.layout(), grid_of_slice(slice));
        if layout.n_pixels() != grid.n_voxels() {
            return Err(Error::Broken { what: "a file changed after it was opened" });
        }
        let padding = slice.padding.filter(|_| !slice.look.is_colour);
        let shutter = frame_shutter(&dataset, slice.frame).unwrap_or_else(|| root.clone());
        let cover = cover::of(&decoder, &root, &shutter, slice.frame, &Stored { samples: &samples, padding })?;
        if slice.look.is_colour {
            let mut rgb = colour::rgb(&samples, layout, &root, |v| grey(slice, v))?;
            rgb.resize(grid.n_voxels(), [0; 3]);
            let volume = as_stored(self.assembled(slices, grid, Samples::U8(rgb.iter().map(|&c| luminance(c)).collect()))?);
            return Ok(Image { volume: as_luminance(volume), colour: Some(ColourImage { grid, rgb }), cover });
        }
        let samples = self.typed(slice, &modality_lut(samples, &dataset, layout.is_signed)?)?;
        Ok(Image { volume: as_stored(self.assembled(slices, grid, samples)?), colour: None, cover })
    }

    /// The samples of one grey image in the type of the whole stack, with room for rows that are missing.
    fn typed(&self, slice: &Slice, from: &FrameSamples) -> Result<Samples> {
        fn filled<T: Sample>(from: &FrameSamples, n: usize) -> Option<Vec<T>> {
            let mut to = vec![T::default(); n];
            T::fill(from, to.get_mut(..from.len())?).then_some(to)
        }
        let n = slice.layout.n_pixels();
        let made = match SampleType::of(&self.slices) {
            SampleType::I16 => filled(from, n).map(Samples::I16),
            SampleType::U16 => filled(from, n).map(Samples::U16),
            SampleType::U8 => filled(from, n).map(Samples::U8),
            SampleType::F32 if varies(&self.slices) => {
                let mut values = Vec::with_capacity(n);
                from.for_each(|stored| values.push(slice.map.apply(stored) as f32));
                values.resize(n, 0.0);
                Some(Samples::F32(values))
            }
            SampleType::F32 => filled(from, n).map(Samples::F32),
        };
        made.ok_or(Error::Broken { what: "a file changed after it was opened" })
    }

    fn dataset(&self, slice: &Slice) -> Result<Arc<Dataset>> {
        let recent = || self.recent.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, dataset)) = recent().as_ref().filter(|(file, _)| *file == slice.file) {
            return Ok(Arc::clone(dataset));
        }
        let source = self.files.get(slice.file).ok_or(Error::NoPixels)?;
        let dataset = Arc::new(Dataset::from_vec(source.read()?)?);
        if slice.layout.frames > 1 {
            *recent() = Some((slice.file, Arc::clone(&dataset)));
        }
        Ok(dataset)
    }
}

/// A volume of luminance: what the file says about its stored values does not hold for it.
fn as_luminance(volume: Volume) -> Volume {
    let window = Window::linear(128.0, 256.0, "");
    Volume { map: Default::default(), windows: vec![window], padding: None, is_inverted: false, ..volume }
}

/// Grey of a value that a supplemental palette leaves alone, by the file's first window.
fn grey(slice: &Slice, stored: f64) -> u8 {
    let (value, Some(window)) = (slice.map.apply(stored), slice.windows.first()) else {
        let levels = (1_u64 << slice.layout.bits_stored.min(63)) as f64;
        return (stored * 255.0 / (levels - 1.0)).round() as u8;
    };
    (window.share(value) * 255.0).round() as u8
}

/// The item of a frame's functional groups that tells of its shutter.
fn frame_shutter(dataset: &Dataset, frame: u32) -> Option<crate::dataset::View<'_>> {
    let root = dataset.root();
    let own = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).nth(frame as usize);
    let own = own.and_then(|g| g.item(tags::FRAME_DISPLAY_SHUTTER_SEQUENCE));
    own.or_else(|| root.item(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)?.item(tags::FRAME_DISPLAY_SHUTTER_SEQUENCE))
}
