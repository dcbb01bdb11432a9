//! Volumes as 3D textures of stored samples.

use crate::fold::{Fold, Part};
use crate::{Error, Gpu, Result};
use mj_model::{ColourImage, Grid, LinearMap, Samples, Volume};
use std::ops::Range;

/// What finds voxels in the shaders, for volumes that are cut or in one piece.
pub(crate) fn fold_shader(is_cut: bool) -> String {
    format!("const IS_CUT = {is_cut};\n{}", include_str!("shader/fold.wgsl"))
}

/// How samples lie in a texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 16-bit normalised, filtered by the hardware: `i16` + 32768, `u16` as it is.
    Norm16,
    /// 8-bit normalised, filtered by the hardware.
    Norm8,
    /// 32-bit float, filtered by the hardware.
    Float,
    /// 32-bit float, filtered by hand.
    FloatLoaded,
    /// Signed 16-bit integers, filtered by hand.
    Int16,
    /// Unsigned 16-bit integers, filtered by hand.
    Uint16,
}

impl Storage {
    /// The best way a device can hold samples of a type.
    #[must_use]
    pub fn best(device: &wgpu::Device, samples: &Samples) -> Self {
        let has = device.features();
        match samples {
            Samples::U8(_) => Self::Norm8,
            Samples::F32(_) if has.contains(wgpu::Features::FLOAT32_FILTERABLE) => Self::Float,
            Samples::F32(_) => Self::FloatLoaded,
            _ if has.contains(wgpu::Features::TEXTURE_FORMAT_16BIT_NORM) => Self::Norm16,
            Samples::I16(_) => Self::Int16,
            Samples::U16(_) => Self::Uint16,
        }
    }

    /// All ways, for building pipelines.
    pub(crate) const ALL: [Self; 6] = [Self::Norm16, Self::Norm8, Self::Float, Self::FloatLoaded, Self::Int16, Self::Uint16];

    /// True when the hardware filters it.
    #[must_use]
    pub const fn is_filtered(self) -> bool {
        matches!(self, Self::Norm16 | Self::Norm8 | Self::Float)
    }

    const fn format(self) -> wgpu::TextureFormat {
        match self {
            Self::Norm16 => wgpu::TextureFormat::R16Unorm,
            Self::Norm8 => wgpu::TextureFormat::R8Unorm,
            Self::Float | Self::FloatLoaded => wgpu::TextureFormat::R32Float,
            Self::Int16 => wgpu::TextureFormat::R16Sint,
            Self::Uint16 => wgpu::TextureFormat::R16Uint,
        }
    }

    pub(crate) const fn sample_type(self) -> wgpu::TextureSampleType {
        match self {
            Self::Norm16 | Self::Norm8 | Self::Float => wgpu::TextureSampleType::Float { filterable: true },
            Self::FloatLoaded => wgpu::TextureSampleType::Float { filterable: false },
            Self::Int16 => wgpu::TextureSampleType::Sint,
            Self::Uint16 => wgpu::TextureSampleType::Uint,
        }
    }

    /// The name of the loaded sample's type in the shader.
    const fn shader_type(self) -> &'static str {
        match self {
            Self::Int16 => "i32",
            Self::Uint16 => "u32",
            _ => "f32",
        }
    }

    /// `stored_at`, `exact_at` and `Fold` of the shaders.
    pub(crate) fn shader(self, is_cut: bool) -> String {
        let stored_at = if self.is_filtered() {
            include_str!("shader/volume_filtered.wgsl").to_owned()
        } else {
            include_str!("shader/volume_loaded.wgsl").replace("SAMPLE", self.shader_type())
        };
        format!("{}\n{stored_at}\n{}", fold_shader(is_cut), include_str!("shader/volume_exact.wgsl"))
    }

    /// Scale and offset from a texture sample to a stored value.
    const fn stored_from_sample(self, is_signed: bool) -> (f64, f64) {
        match self {
            Self::Norm16 => (65535.0, if is_signed { -32768.0 } else { 0.0 }),
            Self::Norm8 => (255.0, 0.0),
            _ => (1.0, 0.0),
        }
    }
}

/// A volume on the device.
#[derive(Debug)]
pub struct VolumeTexture {
    /// Where its voxels are.
    pub grid: Grid,
    /// How its samples lie.
    pub storage: Storage,
    pub(crate) view: wgpu::TextureView,
    pub(crate) fold: Fold,
    pub(crate) unit_from_sample: (f64, f64),
    pub(crate) stored_from_sample: (f64, f64),
}

impl VolumeTexture {
    /// Copies a volume to the device, in the best storage it has.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NoMemory`], [`Error::NotFilled`].
    pub fn upload(gpu: &Gpu, volume: &Volume) -> Result<Self> {
        Self::upload_as(gpu, volume, Storage::best(&gpu.device, &volume.samples))
    }

    /// Copies a volume to the device in a given storage, which must suit its samples.
    ///
    /// # Errors
    /// As [`VolumeTexture::upload`].
    pub fn upload_as(gpu: &Gpu, volume: &Volume, storage: Storage) -> Result<Self> {
        Self::upload_cut(gpu, volume, storage, u32::MAX)
    }

    /// Copies a volume as bricks of at most so many voxels along an axis (and no more than the device takes), which lie side
    /// by side in one texture. Pictures are the same.
    ///
    /// # Errors
    /// As [`VolumeTexture::upload`].
    pub fn upload_cut(gpu: &Gpu, volume: &Volume, storage: Storage, longest: u32) -> Result<Self> {
        let dims = volume.grid.dims;
        let fold = Fold::new(dims, longest, gpu.device.limits().max_texture_dimension_3d)?;
        if volume.samples.len() != volume.grid.n_voxels() {
            return Err(Error::NotFilled { samples: volume.samples.len(), dims });
        }
        let texture = empty(gpu, "volume", &fold, storage.format())?;
        fill(gpu, &texture, dims, &fold, &|range| copied(&volume.samples, storage, range));
        let (scale, offset) = storage.stored_from_sample(matches!(volume.samples, Samples::I16(_)));
        let LinearMap { slope, intercept } = volume.map;
        Ok(Self {
            grid: volume.grid,
            storage,
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            fold,
            unit_from_sample: (scale * slope, offset * slope + intercept),
            stored_from_sample: (scale, offset),
        })
    }

    /// What it takes on the device. Units: bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let wgpu::Extent3d { width, height, depth_or_array_layers } = self.view.texture().size();
        u64::from(width) * u64::from(height) * u64::from(depth_or_array_layers) * bytes_of_voxel(self.storage.format()) as u64
    }
}

/// A single image in colour on the device.
#[derive(Debug)]
pub struct ColourTexture {
    /// Where its pixels are.
    pub grid: Grid,
    pub(crate) view: wgpu::TextureView,
    pub(crate) fold: Fold,
}

impl ColourTexture {
    /// Copies an image to the device.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NoMemory`], [`Error::NotFilled`].
    pub fn upload(gpu: &Gpu, image: &ColourImage) -> Result<Self> {
        Self::upload_cut(gpu, image, u32::MAX)
    }

    /// Copies an image as [`VolumeTexture::upload_cut`] does a volume.
    ///
    /// # Errors
    /// As [`ColourTexture::upload`].
    pub fn upload_cut(gpu: &Gpu, image: &ColourImage, longest: u32) -> Result<Self> {
        let dims = image.grid.dims;
        let fold = Fold::new(dims, longest, gpu.device.limits().max_texture_dimension_3d)?;
        if dims[2] != 1 || image.rgb.len() != image.grid.n_voxels() {
            return Err(Error::NotFilled { samples: image.rgb.len(), dims });
        }
        let texture = empty(gpu, "image in colour", &fold, wgpu::TextureFormat::Rgba8Unorm)?;
        let bytes = |range| image.rgb.get::<Range<usize>>(range).unwrap_or_default().iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        fill(gpu, &texture, dims, &fold, &bytes);
        Ok(Self { grid: image.grid, view: texture.create_view(&wgpu::TextureViewDescriptor::default()), fold })
    }
}

fn extent([width, height, depth]: [usize; 3]) -> wgpu::Extent3d {
    wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: depth as u32 }
}

fn bytes_of_voxel(format: wgpu::TextureFormat) -> usize {
    format.block_copy_size(None).unwrap_or(4) as usize
}

/// A texture for a fold. What the device has no room for is an error, not the end of the device.
fn empty(gpu: &Gpu, label: &str, fold: &Fold, format: wgpu::TextureFormat) -> Result<wgpu::Texture> {
    let size = fold.size();
    let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: extent(size),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D3,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    match pollster::block_on(scope.pop()) {
        Some(_) => Err(Error::NoMemory { mib: (size.iter().product::<usize>() * bytes_of_voxel(format)) >> 20 }),
        None => Ok(texture),
    }
}

/// Copies voxels where a fold wants them; `bytes` are those of a range of voxels. A few slices at a time, so that the
/// staging memory stays small beside the volume.
fn fill(gpu: &Gpu, texture: &wgpu::Texture, dims: [usize; 3], fold: &Fold, bytes: &dyn Fn(Range<usize>) -> Vec<u8>) {
    let [ni, nj, nk] = dims;
    let (slice, per_voxel) = (ni * nj, bytes_of_voxel(texture.format()));
    let per_copy = ((8 << 20) / (slice * per_voxel).max(1)).max(1);
    let parts = fold.parts();
    for first in (0..nk).step_by(per_copy) {
        let end = (first + per_copy).min(nk);
        let bytes = bytes(first * slice..end * slice);
        for Part { from, size, to } in &parts {
            let (low, high) = (from[2].max(first), (from[2] + size[2]).min(end));
            if low >= high {
                continue;
            }
            let offset = ((low - first) * slice + from[1] * ni + from[0]) * per_voxel;
            let layout = wgpu::TexelCopyBufferLayout {
                offset: offset as u64,
                bytes_per_row: Some((ni * per_voxel) as u32),
                rows_per_image: Some(nj as u32),
            };
            let origin = wgpu::Origin3d { x: to[0] as u32, y: to[1] as u32, z: (to[2] + low - from[2]) as u32 };
            let place = wgpu::TexelCopyTextureInfo { origin, ..texture.as_image_copy() };
            gpu.queue.write_texture(place, &bytes, layout, extent([size[0], size[1], high - low]));
        }
        gpu.queue.submit([]);
    }
}

/// A range of samples in a texture's bytes.
fn copied(samples: &Samples, storage: Storage, range: Range<usize>) -> Vec<u8> {
    match samples {
        Samples::I16(all) => {
            let part = all.get(range).unwrap_or_default();
            if storage == Storage::Norm16 {
                let shifted: Vec<u16> = part.iter().map(|&s| (s as u16) ^ 0x8000).collect();
                bytemuck::cast_slice(&shifted).to_vec()
            } else {
                bytemuck::cast_slice(part).to_vec()
            }
        }
        Samples::U16(all) => bytemuck::cast_slice(all.get(range).unwrap_or_default()).to_vec(),
        Samples::U8(all) => all.get(range).unwrap_or_default().to_vec(),
        Samples::F32(all) => bytemuck::cast_slice(all.get(range).unwrap_or_default()).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A volume beyond all memory is an error; the device goes on.
    #[test]
    fn no_memory_is_an_error_and_not_the_end() {
        let gpu = match Gpu::headless() {
            Ok(gpu) => gpu,
            Err(e) => return mj_testdata::skip(&format!("no graphics device: {e}")),
        };
        let limit = gpu.device.limits().max_texture_dimension_3d;
        let whole = Fold::new([limit as usize; 3], limit, limit).unwrap();
        let made = empty(&gpu, "too much", &whole, wgpu::TextureFormat::Rgba32Float);
        assert!(matches!(made, Err(Error::NoMemory { mib }) if mib > 100_000), "{made:?}");
        let small = Fold::new([4; 3], limit, limit).unwrap();
        let texture = empty(&gpu, "enough", &small, wgpu::TextureFormat::R8Unorm).unwrap();
        fill(&gpu, &texture, [4; 3], &small, &|range| vec![1; range.len()]);
        gpu.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    }

    #[test]
    fn signed_samples_are_shifted_without_loss() {
        let bytes = copied(&Samples::I16(vec![-32768, -1, 0, 32767]), Storage::Norm16, 0..4);
        let back: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(back, [0, 32767, 32768, 65535]);
    }
}
