//! Decoding a stack straight into the memory of its volume.

use super::cut;
use super::frame::{Slice, Unread};
use super::geometry::grid_of_slice;
use super::resample::Plan;
use super::volume_type::{Sample, SampleType, map_of, varies};
use super::{Kind, Stack};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::pixels::lut::{self, Descriptor};
use crate::pixels::{self, Decoder, FrameSamples, MAX_DECODED, colour};
use crate::watch::Watch;
use dicom_dictionary_std::tags;
use mj_model::{Grid, Samples, Volume};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

impl Stack {
    /// Decodes all slices of a volume, on all cores, straight into its memory.
    ///
    /// # Errors
    /// [`Error::NotAVolume`] when the images do not form one; [`Error::Cancelled`]; what decoding says.
    pub fn load(&self, watch: &Watch) -> Result<Volume> {
        let grid = self.grid.filter(|_| self.kind == Kind::Volume || self.slices.len() == 1).ok_or(Error::NotAVolume)?;
        match &self.resampling {
            Some(plan) => self.resampled(plan, &self.slices, watch),
            None => self.volume(&self.slices, grid, watch),
        }
    }

    /// Plane `k` of the volume by itself, one voxel thick, out of the one or two slices it needs.
    ///
    /// # Errors
    /// As [`Stack::load_slice`].
    pub fn load_plane(&self, k: usize) -> Result<Volume> {
        let Some(plan) = &self.resampling else { return self.load_slice(k) };
        let (plan, needed) = plan.of_plane(k).ok_or(Error::NoPixels)?;
        let slices: Vec<Slice> = needed.iter().filter_map(|&at| self.slices.get(at).cloned()).collect();
        self.resampled(&plan, &slices, &Watch::default())
    }

    fn resampled(&self, plan: &Plan, slices: &[Slice], watch: &Watch) -> Result<Volume> {
        let first = slices.first().ok_or(Error::NoPixels)?;
        let mut as_stored = grid_of_slice(first);
        as_stored.dims[2] = slices.len();
        plan.apply(self.volume(slices, as_stored, watch)?, first.layout.bits_stored, watch)
    }

    /// Decodes one slice or frame as a volume one voxel thick.
    ///
    /// # Errors
    /// [`Error::NoPixels`] beyond the end; what decoding says.
    pub fn load_slice(&self, k: usize) -> Result<Volume> {
        let slices = self.slices.get(k..k + 1).ok_or(Error::NoPixels)?;
        let grid = slices.first().map(grid_of_slice).ok_or(Error::NoPixels)?;
        Ok(as_stored(self.volume(slices, grid, &Watch::default())?))
    }

    fn volume(&self, slices: &[Slice], grid: Grid, watch: &Watch) -> Result<Volume> {
        let bytes = (grid.n_voxels() as u64).saturating_mul(4);
        if bytes > MAX_DECODED {
            return Err(Error::TooLarge { mib: bytes >> 20 });
        }
        let files = Files::new(self, slices);
        // One slice of a stack whose slopes vary keeps the type of the others.
        let is_converted = varies(&self.slices);
        let samples = match SampleType::of(&self.slices) {
            SampleType::I16 => Samples::I16(fill(&files, slices, grid, watch)?),
            SampleType::U16 => Samples::U16(fill(&files, slices, grid, watch)?),
            SampleType::U8 => Samples::U8(fill(&files, slices, grid, watch)?),
            SampleType::F32 => Samples::F32(fill_f32(&files, slices, grid, is_converted, watch)?),
        };
        self.assembled(slices, grid, samples)
    }

    /// A volume of samples that are decoded; rows that are missing stay empty.
    pub(super) fn assembled(&self, slices: &[Slice], grid: Grid, samples: Samples) -> Result<Volume> {
        let is_converted = varies(&self.slices);
        let first = slices.first().ok_or(Error::NoPixels)?;
        let middle = slices.get(slices.len() / 2).unwrap_or(first);
        let volume = Volume {
            study: self.info.study.clone(),
            series: self.info.series.clone(),
            modality: self.info.modality.clone(),
            grid,
            is_calibrated: first.is_calibrated,
            is_placed: first.is_placed(),
            samples,
            map: map_of(&self.slices),
            unit: first.unit.clone(),
            padding: first.padding.filter(|_| !is_converted && !first.has_modality_lut),
            frame_of_reference: first.frame_of_reference.clone(),
            sources: slices.iter().map(|s| s.source.clone()).collect(),
            windows: middle.windows.clone(),
            is_inverted: first.look.is_inverted,
            warnings: self.warnings.clone(),
        };
        Ok(cut::left_empty(volume, slices))
    }
}

/// Without what is said of computed planes only.
pub(super) fn as_stored(mut image: Volume) -> Volume {
    image.warnings.retain(|w| !matches!(w.code.as_str(), "geometry.resampled" | "geometry.gap_left_empty"));
    image
}

/// What is said when a file is no longer what was scanned.
const CHANGED: &str = "a file changed after it was opened";

/// The files of some slices. One that holds several of them is parsed once.
struct Files<'a> {
    stack: &'a Stack,
    shared: BTreeMap<usize, OnceLock<Result<Arc<Dataset>>>>,
}

impl<'a> Files<'a> {
    fn new(stack: &'a Stack, slices: &[Slice]) -> Self {
        let mut uses: BTreeMap<usize, usize> = BTreeMap::new();
        slices.iter().for_each(|s| *uses.entry(s.file).or_default() += 1);
        Self { stack, shared: uses.into_iter().filter(|(_, n)| *n > 1).map(|(file, _)| (file, OnceLock::new())).collect() }
    }

    fn read(&self, file: usize) -> Result<Arc<Dataset>> {
        let source = self.stack.files.get(file).ok_or(Error::NoPixels)?;
        Dataset::from_vec(source.read()?).map(Arc::new)
    }

    /// Uncompressed samples as they lie in the file.
    fn unread(&self, slice: &Slice, unread: Unread, to: &mut [u8]) -> Result<()> {
        let mut content = self.stack.files.get(slice.file).ok_or(Error::NoPixels)?.open()?;
        if content.seek(SeekFrom::End(0))? != unread.object_len {
            return Err(Error::Broken { what: CHANGED });
        }
        content.seek(SeekFrom::Start(unread.at))?;
        Ok(content.read_exact(to)?)
    }

    fn frame(&self, slice: &Slice) -> Result<FrameSamples> {
        if let Some(unread) = slice.unread {
            let layout = slice.layout_there();
            let mut raw = vec![0; layout.frame_bytes()];
            self.unread(slice, unread, &mut raw)?;
            return pixels::from_native(&raw, &layout);
        }
        let dataset = match self.shared.get(&slice.file) {
            Some(cell) => cell.get_or_init(|| self.read(slice.file)).clone()?,
            None => self.read(slice.file)?,
        };
        decode_slice(&dataset, slice.frame)
    }
}

/// One frame as a volume holds it: colour as luminance, a modality lookup table applied. Of a frame that is cut short, the
/// rows that are there.
///
/// # Errors
/// What decoding says.
pub fn decode_slice(dataset: &Dataset, frame: u32) -> Result<FrameSamples> {
    let decoder = Decoder::of_part(dataset)?;
    let samples = decoder.frame(frame)?;
    let layout = decoder.layout();
    if layout.samples_per_pixel > 1 {
        return Ok(luminance(&samples, usize::from(layout.samples_per_pixel), is_coded_as_ybr(&layout.photometric), layout.bits_stored));
    }
    if layout.photometric == "PALETTE COLOR" {
        let grey = colour::rgb(&samples, layout, &dataset.root(), |_| 0)?.into_iter().map(mj_model::colour::luminance);
        return Ok(if layout.bits_allocated > 8 {
            FrameSamples::U16(grey.map(u16::from).collect())
        } else {
            FrameSamples::U8(grey.collect())
        });
    }
    modality_lut(samples, dataset, layout.is_signed)
}

/// True where samples are Y, Cb, Cr. Decoders of JPEG 2000 give YBR_RCT and YBR_ICT as RGB.
fn is_coded_as_ybr(photometric: &str) -> bool {
    photometric.starts_with("YBR") && !matches!(photometric, "YBR_RCT" | "YBR_ICT")
}

/// Rec. 601 luma in 8 bits (Y itself where the file holds it), in the sample type of the file.
fn luminance(samples: &FrameSamples, per_pixel: usize, is_ybr: bool, bits_stored: u16) -> FrameSamples {
    let value = |at: usize| samples.value(at).unwrap_or(0.0);
    let pixels = (0..samples.len() / per_pixel.max(1)).map(|pixel| pixel * per_pixel);
    let grey = pixels.map(|at| if is_ybr { value(at) } else { 0.299 * value(at) + 0.587 * value(at + 1) + 0.114 * value(at + 2) });
    match samples {
        FrameSamples::U8(_) | FrameSamples::I8(_) => FrameSamples::U8(grey.map(|v| v.round() as u8).collect()),
        FrameSamples::U16(_) | FrameSamples::I16(_) => FrameSamples::U16(grey.map(|v| v.round() as u16).collect()),
        _ => {
            let scale = 255.0 / ((1_u64 << bits_stored.min(32)) - 1) as f64;
            FrameSamples::F32(grey.map(|v| (v * scale) as f32).collect())
        }
    }
}

/// Applies the Modality LUT where the file has one. Source: PS3.3 §C.11.1.1.
pub(super) fn modality_lut(samples: FrameSamples, dataset: &Dataset, is_signed: bool) -> Result<FrameSamples> {
    let Some(item) = dataset.root().item(tags::MODALITY_LUT_SEQUENCE) else { return Ok(samples) };
    let descriptor = Descriptor::read(&item, tags::LUT_DESCRIPTOR, is_signed).ok_or(Error::BadValue { keyword: "LUTDescriptor" })?;
    let table = lut::entries(&item, tags::LUT_DATA, descriptor);
    if table.is_empty() {
        return Err(Error::BadValue { keyword: "LUTData" });
    }
    let first = f64::from(descriptor.first);
    let mut out = Vec::with_capacity(samples.len());
    samples.for_each(|v| {
        let at = (v - first).clamp(0.0, (table.len() - 1) as f64) as usize;
        out.push(table.get(at).copied().unwrap_or(0));
    });
    Ok(FrameSamples::U16(out))
}

/// Decodes slices one by one into their places.
fn fill<T: Sample>(files: &Files<'_>, slices: &[Slice], grid: Grid, watch: &Watch) -> Result<Vec<T>> {
    fill_with(slices, grid, watch, |slice, to: &mut [T]| match slice.unread {
        // Samples that are stored as the volume holds them go from the file straight to their place.
        Some(unread) if T::holds(&slice.layout) && slice.layout_there().n_pixels() == to.len() => {
            files.unread(slice, unread, bytemuck::cast_slice_mut(to))?;
            pixels::settle(to, &slice.layout);
            Ok(true)
        }
        _ => Ok(T::fill(&files.frame(slice)?, to)),
    })
}

fn fill_f32(files: &Files<'_>, slices: &[Slice], grid: Grid, is_converted: bool, watch: &Watch) -> Result<Vec<f32>> {
    if !is_converted {
        return fill(files, slices, grid, watch);
    }
    fill_with(slices, grid, watch, |slice, to: &mut [f32]| {
        let samples = files.frame(slice)?;
        let mut places = to.iter_mut();
        samples.for_each(|stored| {
            if let Some(place) = places.next() {
                *place = slice.map.apply(stored) as f32;
            }
        });
        Ok(samples.len() == to.len())
    })
}

/// Fills a volume slice by slice on all cores, each slice's place as far as its rows are there; `put` says whether its samples
/// filled that.
fn fill_with<T: Sample>(
    slices: &[Slice],
    grid: Grid,
    watch: &Watch,
    put: impl Fn(&Slice, &mut [T]) -> Result<bool> + Sync,
) -> Result<Vec<T>> {
    let [columns, rows, _] = grid.dims;
    let mut out = mj_memory::zeroed::<T>(grid.n_voxels());
    let done = AtomicU64::new(0);
    out.par_chunks_mut((columns * rows).max(1)).zip(slices).try_for_each(|(to, slice)| {
        watch.check()?;
        let there = to.get_mut(..columns * slice.rows_there as usize).ok_or(Error::Broken { what: CHANGED })?;
        if !put(slice, there)? {
            return Err(Error::Broken { what: CHANGED });
        }
        (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, slices.len() as u64);
        Ok(())
    })?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Object;
    use dicom_core::VR;

    /// Written as US, as most writers do: the first mapped value is still in the image's sign.
    #[test]
    fn a_modality_lut_of_signed_samples_begins_below_zero() {
        let mut lut = Object::new();
        lut.u16s(tags::LUT_DESCRIPTOR, &[4, 64_512, 16]).u16s(tags::LUT_DATA, &[10, 11, 12, 13]);
        let mut image = Object::new();
        image
            .u16s(tags::SAMPLES_PER_PIXEL, &[1])
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .u16s(tags::ROWS, &[1])
            .u16s(tags::COLUMNS, &[4])
            .u16s(tags::BITS_ALLOCATED, &[16])
            .u16s(tags::BITS_STORED, &[16])
            .u16s(tags::HIGH_BIT, &[15])
            .u16s(tags::PIXEL_REPRESENTATION, &[1])
            .items(tags::MODALITY_LUT_SEQUENCE, vec![lut]);
        let stored: [i16; 4] = [-1024, -1023, -1021, 5];
        image.bytes(tags::PIXEL_DATA, VR::OW, stored.iter().flat_map(|v| v.to_le_bytes()).collect());
        let dataset = Dataset::read(&image.into_file("1.2.840.10008.5.1.4.1.1.2", "1.2.3").unwrap()).unwrap();
        let FrameSamples::U16(mapped) = decode_slice(&dataset, 0).unwrap() else { panic!("not mapped") };
        assert_eq!(mapped, [10, 11, 13, 13]);
    }
}
