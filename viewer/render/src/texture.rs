//! Volumes as 3D textures of stored samples.

use crate::{Error, Gpu, Result};
use mj_model::{ColourImage, Grid, LinearMap, Samples, Volume};

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

    fn bytes_per_sample(self) -> u64 {
        self.format().block_copy_size(None).unwrap_or(4).into()
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

    /// `stored_at` of the shaders.
    pub(crate) fn shader(self) -> String {
        if self.is_filtered() {
            include_str!("shader/volume_filtered.wgsl").to_owned()
        } else {
            include_str!("shader/volume_loaded.wgsl").replace("SAMPLE", self.shader_type())
        }
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
    pub(crate) unit_from_sample: (f64, f64),
    pub(crate) stored_from_sample: (f64, f64),
}

impl VolumeTexture {
    /// Copies a volume to the device, in the best storage it has.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NotFilled`].
    pub fn upload(gpu: &Gpu, volume: &Volume) -> Result<Self> {
        Self::upload_as(gpu, volume, Storage::best(&gpu.device, &volume.samples))
    }

    /// Copies a volume to the device in a given storage, which must suit its samples.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NotFilled`].
    pub fn upload_as(gpu: &Gpu, volume: &Volume, storage: Storage) -> Result<Self> {
        let dims = volume.grid.dims;
        let limit = gpu.device.limits().max_texture_dimension_3d;
        if dims.iter().any(|&n| n == 0 || n > limit as usize) {
            return Err(Error::TooLarge { dims, limit });
        }
        if volume.samples.len() != volume.grid.n_voxels() {
            return Err(Error::NotFilled { samples: volume.samples.len(), dims });
        }
        let size = |depth: usize| wgpu::Extent3d { width: dims[0] as u32, height: dims[1] as u32, depth_or_array_layers: depth as u32 };
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("volume"),
            size: size(dims[2]),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D3,
            format: storage.format(),
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let bytes_per_row = dims[0] as u32 * storage.bytes_per_sample() as u32;
        // A few slices at a time, so that the staging memory stays small beside the volume.
        let per_copy = (8 << 20) / (bytes_per_row as usize * dims[1]).max(1);
        for first in (0..dims[2]).step_by(per_copy.max(1)) {
            let n = per_copy.max(1).min(dims[2] - first);
            let slice = dims[0] * dims[1];
            let bytes = copied(&volume.samples, storage, first * slice..(first + n) * slice);
            gpu.queue.write_texture(
                wgpu::TexelCopyTextureInfo {
                    texture: &texture,
                    mip_level: 0,
                    origin: wgpu::Origin3d { x: 0, y: 0, z: first as u32 },
                    aspect: wgpu::TextureAspect::All,
                },
                &bytes,
                wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: Some(dims[1] as u32) },
                size(n),
            );
            gpu.queue.submit([]);
        }
        let (scale, offset) = storage.stored_from_sample(matches!(volume.samples, Samples::I16(_)));
        let LinearMap { slope, intercept } = volume.map;
        Ok(Self {
            grid: volume.grid,
            storage,
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            unit_from_sample: (scale * slope, offset * slope + intercept),
            stored_from_sample: (scale, offset),
        })
    }

    /// What it takes on the device. Units: bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let wgpu::Extent3d { width, height, depth_or_array_layers } = self.view.texture().size();
        u64::from(width) * u64::from(height) * u64::from(depth_or_array_layers) * self.storage.bytes_per_sample()
    }
}

/// A single image in colour on the device.
#[derive(Debug)]
pub struct ColourTexture {
    /// Where its pixels are.
    pub grid: Grid,
    pub(crate) view: wgpu::TextureView,
}

impl ColourTexture {
    /// Copies an image to the device.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NotFilled`].
    pub fn upload(gpu: &Gpu, image: &ColourImage) -> Result<Self> {
        let dims = image.grid.dims;
        let limit = gpu.device.limits().max_texture_dimension_3d;
        if dims.iter().any(|&n| n == 0 || n > limit as usize) {
            return Err(Error::TooLarge { dims, limit });
        }
        if dims[2] != 1 || image.rgb.len() != image.grid.n_voxels() {
            return Err(Error::NotFilled { samples: image.rgb.len(), dims });
        }
        let size = wgpu::Extent3d { width: dims[0] as u32, height: dims[1] as u32, depth_or_array_layers: 1 };
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("image in colour"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D3,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let bytes: Vec<u8> = image.rgb.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(size.width * 4), rows_per_image: Some(size.height) };
        gpu.queue.write_texture(texture.as_image_copy(), &bytes, layout, size);
        gpu.queue.submit([]);
        Ok(Self { grid: image.grid, view: texture.create_view(&wgpu::TextureViewDescriptor::default()) })
    }
}

/// A range of samples in a texture's bytes.
fn copied(samples: &Samples, storage: Storage, range: std::ops::Range<usize>) -> Vec<u8> {
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

    #[test]
    fn signed_samples_are_shifted_without_loss() {
        let bytes = copied(&Samples::I16(vec![-32768, -1, 0, 32767]), Storage::Norm16, 0..4);
        let back: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(back, [0, 32767, 32768, 65535]);
    }
}
