//! Draws values and grey, into textures that are kept between pictures.

use crate::solid::solid_pipeline;
use crate::texture::{ColourTexture, Storage, VolumeTexture, fold_shader};
use crate::view::{ValuesParams, View};
use crate::{Error, Gpu, Result};
use mj_model::{Curve, LookupTable, Window};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Values the shader writes below this are "outside the volume".
const OUTSIDE_BELOW: f32 = -2.9e38;
const LARGEST_PICTURE: usize = 8192;

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct GreyParams {
    middle: f32,
    span: f32,
    inverted: f32,
    /// 0 a straight line, 1 sigmoid, 2 table.
    curve: f32,
}

impl GreyParams {
    fn of(window: &Window, is_inverted: bool) -> Self {
        let (middle, span) = window.middle_and_span();
        let (middle, span, curve) = match &window.curve {
            Curve::Linear | Curve::LinearExact => (middle, span, 0.0),
            Curve::Sigmoid => (middle, span, 1.0),
            Curve::Table(table) => (f64::from(table.first), table.entries.len() as f64, 2.0),
        };
        Self { middle: middle as f32, span: span as f32, inverted: if is_inverted { 1.0 } else { 0.0 }, curve }
    }
}

/// Columns of the texture that holds a lookup table.
const TABLE_COLUMNS: usize = 256;

/// The shader source for a storage and for volumes in bricks or in one piece. Public so that a test can validate each.
#[must_use]
pub fn values_shader(storage: Storage, is_cut: bool) -> String {
    format!("{}\n{}", include_str!("shader/values.wgsl"), storage.shader(is_cut))
}

/// The shader that turns values into grey.
pub const GREY_SHADER: &str = include_str!("shader/grey.wgsl");

/// The shader that draws single images in colour, whole.
#[must_use]
pub fn colour_shader() -> String {
    format!("{}\n{}", include_str!("shader/colour.wgsl"), fold_shader(true))
}

/// Pipelines, made once per device.
#[derive(Debug)]
pub struct Painter {
    gpu: Gpu,
    values: HashMap<Storage, wgpu::RenderPipeline>,
    grey: wgpu::RenderPipeline,
    colour: wgpu::RenderPipeline,
    /// For volumes in bricks. Made when first needed, as few volumes are that long.
    cut_values: Mutex<HashMap<Storage, wgpu::RenderPipeline>>,
    /// By storage and whether the volume is in bricks. Made when first needed: most days nobody looks at shapes.
    solid: Mutex<HashMap<(Storage, bool), wgpu::RenderPipeline>>,
    sampler: wgpu::Sampler,
}

/// A picture on the device: its values and its grey, with the parameters they were drawn from.
#[derive(Debug)]
pub struct Target {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    values: wgpu::Texture,
    grey: wgpu::Texture,
    values_params: wgpu::Buffer,
    grey_params: wgpu::Buffer,
}

impl Target {
    /// The 8-bit picture (`Rgba8Unorm`, opaque), for a window to show.
    #[must_use]
    pub fn grey_view(&self) -> wgpu::TextureView {
        self.grey.create_view(&wgpu::TextureViewDescriptor::default())
    }
}

impl Painter {
    /// Compiles the shaders a device can use.
    #[must_use]
    pub fn new(gpu: Gpu) -> Self {
        let mut values = HashMap::new();
        for storage in Storage::ALL {
            let has = gpu.device.features();
            let can = match storage {
                Storage::Norm16 => has.contains(wgpu::Features::TEXTURE_FORMAT_16BIT_NORM),
                Storage::Float => has.contains(wgpu::Features::FLOAT32_FILTERABLE),
                _ => true,
            };
            if can {
                values.insert(storage, values_pipeline(&gpu.device, storage, false));
            }
        }
        let grey = grey_pipeline(&gpu.device);
        let colour = colour_pipeline(&gpu.device);
        let sampler = gpu.device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("trilinear"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        Self { gpu, values, grey, colour, cut_values: Mutex::default(), solid: Mutex::default(), sampler }
    }

    pub(crate) const fn sampler(&self) -> &wgpu::Sampler {
        &self.sampler
    }

    /// The pipeline of [`Painter::draw_solid`].
    pub(crate) fn solid(&self, volume: &VolumeTexture) -> wgpu::RenderPipeline {
        let (storage, is_cut) = (volume.storage, volume.fold.is_cut());
        let mut made = self.solid.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry((storage, is_cut)).or_insert_with(|| solid_pipeline(&self.gpu.device, storage, is_cut)).clone()
    }

    /// The pipeline of [`Painter::draw_values`]; none for a storage that the device cannot use.
    fn values(&self, volume: &VolumeTexture) -> Option<wgpu::RenderPipeline> {
        let whole = self.values.get(&volume.storage)?;
        if !volume.fold.is_cut() {
            return Some(whole.clone());
        }
        let mut made = self.cut_values.lock().unwrap_or_else(PoisonError::into_inner);
        Some(made.entry(volume.storage).or_insert_with(|| values_pipeline(&self.gpu.device, volume.storage, true)).clone())
    }

    pub(crate) fn draw_into_grey(&self, pipeline: &wgpu::RenderPipeline, entries: &[wgpu::BindGroupEntry<'_>], target: &Target) {
        self.draw(pipeline, entries, &target.grey);
    }

    /// The device.
    #[must_use]
    pub const fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// Makes textures for a picture.
    ///
    /// # Errors
    /// [`Error::BadSize`] for no pixels or more than 8192 along a side.
    pub fn target(&self, width: usize, height: usize) -> Result<Target> {
        if width == 0 || height == 0 || width > LARGEST_PICTURE || height > LARGEST_PICTURE {
            return Err(Error::BadSize(width, height));
        }
        let texture = |label, format| {
            self.gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC,
                view_formats: &[],
            })
        };
        let buffer = |label, size| {
            self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        Ok(Target {
            width,
            height,
            values: texture("values", wgpu::TextureFormat::R32Float),
            grey: texture("grey", wgpu::TextureFormat::Rgba8Unorm),
            values_params: buffer("values params", size_of::<ValuesParams>() as u64),
            grey_params: buffer("grey params", size_of::<GreyParams>() as u64),
        })
    }

    /// Draws the values of a view. The view's size must be the target's.
    ///
    /// # Errors
    /// [`Error::BadSize`] when it is not.
    pub fn draw_values(&self, target: &Target, volume: &VolumeTexture, view: &View) -> Result<()> {
        let Some(pipeline) = self.values(volume).filter(|_| view.width == target.width && view.height == target.height) else {
            return Err(Error::BadSize(view.width, view.height));
        };
        let params = view.params(&volume.grid, volume.unit_from_sample, volume.fold);
        self.gpu.queue.write_buffer(&target.values_params, 0, bytemuck::bytes_of(&params));
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: target.values_params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&volume.view) },
        ];
        if volume.storage.is_filtered() {
            entries.push(wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Sampler(&self.sampler) });
        }
        self.draw(&pipeline, &entries, &target.values);
        Ok(())
    }

    /// Turns the target's values into grey by a window.
    pub fn draw_grey(&self, target: &Target, window: &Window, is_inverted: bool) {
        let params = GreyParams::of(window, is_inverted);
        self.gpu.queue.write_buffer(&target.grey_params, 0, bytemuck::bytes_of(&params));
        let values = target.values.create_view(&wgpu::TextureViewDescriptor::default());
        let table = self.table(window.table());
        let entries = [
            wgpu::BindGroupEntry { binding: 0, resource: target.grey_params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&values) },
            wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::TextureView(&table) },
        ];
        self.draw(&self.grey, &entries, &target.grey);
    }

    /// Draws an image in colour, made brighter or darker by a window over 0 to 255. The view's size must be the target's.
    ///
    /// # Errors
    /// [`Error::BadSize`] when it is not.
    pub fn draw_colour(&self, target: &Target, image: &ColourTexture, view: &View, window: &Window, is_inverted: bool) -> Result<()> {
        if view.width != target.width || view.height != target.height {
            return Err(Error::BadSize(view.width, view.height));
        }
        let shares = GreyParams::of(window, is_inverted);
        let tone = GreyParams { middle: shares.middle / 255.0, span: shares.span / 255.0, curve: 0.0, ..shares };
        self.gpu.queue.write_buffer(&target.values_params, 0, bytemuck::bytes_of(&view.params(&image.grid, (1.0, 0.0), image.fold)));
        self.gpu.queue.write_buffer(&target.grey_params, 0, bytemuck::bytes_of(&tone));
        let entries = [
            wgpu::BindGroupEntry { binding: 0, resource: target.values_params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&image.view) },
            wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Sampler(&self.sampler) },
            wgpu::BindGroupEntry { binding: 3, resource: target.grey_params.as_entire_binding() },
        ];
        self.draw(&self.colour, &entries, &target.grey);
        Ok(())
    }

    /// A lookup table's entries as shares of white; a single pixel where there is none, which is never looked at.
    fn table(&self, table: Option<&LookupTable>) -> wgpu::TextureView {
        let mut shares: Vec<f32> = table.map_or_else(Vec::new, |t| {
            let white = f32::from(t.white.max(1));
            t.entries.iter().map(|&entry| (f32::from(entry) / white).min(1.0)).collect()
        });
        let width = shares.len().clamp(1, TABLE_COLUMNS);
        let height = shares.len().div_ceil(width).max(1);
        shares.resize(width * height, 0.0);
        let size = wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 };
        let texture = self.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("lookup table"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R32Float,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width as u32 * 4), rows_per_image: Some(height as u32) };
        self.gpu.queue.write_texture(texture.as_image_copy(), bytemuck::cast_slice(&shares), layout, size);
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    }

    fn draw(&self, pipeline: &wgpu::RenderPipeline, entries: &[wgpu::BindGroupEntry<'_>], into: &wgpu::Texture) {
        let device = &self.gpu.device;
        let group =
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &pipeline.get_bind_group_layout(0), entries });
        let view = into.create_view(&wgpu::TextureViewDescriptor::default());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: None,
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
                })],
                ..Default::default()
            });
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.draw(0..3, 0..1);
        }
        self.gpu.queue.submit([encoder.finish()]);
    }

    /// Reads the values back. Shape: `[row][column]`; NaN outside the volume. For tests and pictures in files,
    /// never for numbers that a clinician reads.
    ///
    /// # Errors
    /// [`Error::ReadBack`].
    pub fn read_values(&self, target: &Target) -> Result<Vec<f32>> {
        let bytes = self.read(&target.values)?;
        Ok(bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .map(|v| if v < OUTSIDE_BELOW { f32::NAN } else { v })
            .collect())
    }

    /// Reads the grey picture back, one byte a pixel. Shape: `[row][column]`.
    ///
    /// # Errors
    /// [`Error::ReadBack`].
    pub fn read_grey(&self, target: &Target) -> Result<Vec<u8>> {
        Ok(self.read(&target.grey)?.chunks_exact(4).map(|b| b[0]).collect())
    }

    /// Reads a picture in colour back. Shape: `[row][column]`, red, green, blue.
    ///
    /// # Errors
    /// [`Error::ReadBack`].
    pub fn read_colour(&self, target: &Target) -> Result<Vec<[u8; 3]>> {
        Ok(self.read(&target.grey)?.chunks_exact(4).map(|b| [b[0], b[1], b[2]]).collect())
    }

    /// Copies a texture of four bytes a pixel into memory, without the rows' padding.
    fn read(&self, texture: &wgpu::Texture) -> Result<Vec<u8>> {
        let device = &self.gpu.device;
        let (width, height) = (texture.width(), texture.height());
        let padded = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read back"),
            size: u64::from(padded) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(padded), rows_per_image: Some(height) },
            },
            texture.size(),
        );
        self.gpu.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // A receiver that is gone has stopped waiting.
            sender.send(result).ok();
        });
        device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| Error::ReadBack(e.to_string()))?;
        receiver
            .recv()
            .map_err(|e| Error::ReadBack(e.to_string()))
            .and_then(|mapped| mapped.map_err(|e| Error::ReadBack(e.to_string())))?;
        let mapped = buffer.get_mapped_range(..).map_err(|e| Error::ReadBack(e.to_string()))?;
        let mut out = Vec::with_capacity(width as usize * height as usize * 4);
        for row in mapped.chunks_exact(padded as usize) {
            out.extend_from_slice(&row[..width as usize * 4]);
        }
        Ok(out)
    }
}

pub(crate) fn uniform(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Buffer { ty: wgpu::BufferBindingType::Uniform, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}

pub(crate) fn texture(
    binding: u32,
    sample_type: wgpu::TextureSampleType,
    view_dimension: wgpu::TextureViewDimension,
) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture { sample_type, view_dimension, multisampled: false },
        count: None,
    }
}

pub(crate) fn sampler(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
        count: None,
    }
}

fn values_pipeline(device: &wgpu::Device, storage: Storage, is_cut: bool) -> wgpu::RenderPipeline {
    let mut entries = vec![uniform(0), texture(1, storage.sample_type(), wgpu::TextureViewDimension::D3)];
    if storage.is_filtered() {
        entries.push(sampler(2));
    }
    pipeline(device, &values_shader(storage, is_cut), &entries, wgpu::TextureFormat::R32Float)
}

fn grey_pipeline(device: &wgpu::Device) -> wgpu::RenderPipeline {
    let values = texture(1, wgpu::TextureSampleType::Float { filterable: false }, wgpu::TextureViewDimension::D2);
    let table = texture(2, wgpu::TextureSampleType::Float { filterable: false }, wgpu::TextureViewDimension::D2);
    pipeline(device, GREY_SHADER, &[uniform(0), values, table], wgpu::TextureFormat::Rgba8Unorm)
}

fn colour_pipeline(device: &wgpu::Device) -> wgpu::RenderPipeline {
    let image = texture(1, wgpu::TextureSampleType::Float { filterable: true }, wgpu::TextureViewDimension::D3);
    pipeline(device, &colour_shader(), &[uniform(0), image, sampler(2), uniform(3)], wgpu::TextureFormat::Rgba8Unorm)
}

pub(crate) fn pipeline(
    device: &wgpu::Device,
    shader: &str,
    entries: &[wgpu::BindGroupLayoutEntry],
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(shader.into()) });
    let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: None,
        layout: Some(&layout),
        vertex: wgpu::VertexState { module: &module, entry_point: Some("vertex"), compilation_options: Default::default(), buffers: &[] },
        primitive: Default::default(),
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(source: &str) {
        let module = wgpu::naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
        wgpu::naga::valid::Validator::new(wgpu::naga::valid::ValidationFlags::all(), wgpu::naga::valid::Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{e:?}"));
    }

    #[test]
    fn every_shader_is_valid() {
        for (storage, is_cut) in Storage::ALL.into_iter().flat_map(|storage| [(storage, false), (storage, true)]) {
            validate(&values_shader(storage, is_cut));
            validate(&crate::solid::solid_shader(storage, is_cut));
        }
        validate(GREY_SHADER);
        validate(&colour_shader());
    }
}
