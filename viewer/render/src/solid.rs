//! Volume rendering: what is seen of a volume's values, as textures, and the pass that draws it.

use crate::fold::FoldParams;
use crate::painter::{Painter, Target, pipeline, sampler, texture, uniform};
use crate::texture::{Storage, VolumeTexture};
use crate::view::{ValuesParams, View};
use crate::{Error, Gpu, Result};
use mj_model::PointLps;

/// What is seen of a volume's values, and where, as `mj-imaging` works it out.
#[derive(Debug, Clone, Copy)]
pub struct SolidInput<'a> {
    /// Red, green, blue (times opacity) and opacity of one step, by bin of a stored value; the last is for no number.
    pub bins: &'a [[f32; 4]],
    /// Bin of a stored value: `value * x + y`.
    pub bin_of_stored: [f32; 2],
    /// Ambient, diffuse, specular, shininess.
    pub light: [f32; 4],
    /// Gradients well below this are noise. Units: stored values a mm.
    pub noise_per_mm: f32,
    /// Edge of a block. Units: voxels.
    pub block: usize,
    /// Number of blocks along i, j, k.
    pub counts: [usize; 3],
    /// Distance in blocks to the next in which anything is seen. Shape: `[k][j][i]`.
    pub distances: &'a [u8],
}

/// [`SolidInput`] on the device.
#[derive(Debug)]
pub struct SolidLook {
    table: wgpu::TextureView,
    blocks: wgpu::TextureView,
    params: wgpu::Buffer,
    bin_of_stored: [f32; 2],
    last_bin: f32,
    light: [f32; 4],
    noise_per_mm: f32,
    block: f32,
}

/// Columns of the texture that holds the table.
const COLUMNS: usize = 256;
/// Far beyond every patient. Units: mm.
const EVERYWHERE_MM: f64 = 1e6;

#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct SolidParams {
    start: [f32; 4],
    du: [f32; 4],
    dv: [f32; 4],
    dn: [f32; 4],
    dims: [f32; 4],
    lps: [[f32; 4]; 4],
    clip: [[f32; 4]; 2],
    per_mm: [f32; 4],
    sight: [f32; 4],
    light: [f32; 4],
    bins: [f32; 4],
    stored: [f32; 4],
    fold: FoldParams,
}

impl SolidLook {
    /// Copies it to the device.
    ///
    /// # Errors
    /// [`Error::NotFilled`] when the distances are not as many as blocks, or there is no bin; [`Error::TooLarge`] for more
    /// blocks along an axis than the device takes, which are not cut.
    pub fn upload(gpu: &Gpu, input: &SolidInput<'_>) -> Result<Self> {
        let [ni, nj, nk] = input.counts;
        if input.distances.len() != ni * nj * nk || input.distances.is_empty() || input.bins.len() < 2 {
            return Err(Error::NotFilled { samples: input.distances.len(), dims: input.counts });
        }
        let limit = gpu.device.limits().max_texture_dimension_3d;
        if input.counts.iter().any(|&n| n > limit as usize) {
            return Err(Error::TooLarge { dims: input.counts.map(|n| n * input.block), limit });
        }
        let height = input.bins.len().div_ceil(COLUMNS);
        let mut bins = input.bins.to_vec();
        bins.resize(COLUMNS * height, [0.0; 4]);
        let size = |w: usize, h: usize, d: usize| wgpu::Extent3d { width: w as u32, height: h as u32, depth_or_array_layers: d as u32 };
        let table = filled(
            gpu,
            wgpu::TextureDimension::D2,
            wgpu::TextureFormat::Rgba32Float,
            size(COLUMNS, height, 1),
            bytemuck::cast_slice(&bins),
        );
        let blocks = filled(gpu, wgpu::TextureDimension::D3, wgpu::TextureFormat::R8Uint, size(ni, nj, nk), input.distances);
        let params = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("solid params"),
            size: size_of::<SolidParams>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Ok(Self {
            table,
            blocks,
            params,
            bin_of_stored: input.bin_of_stored,
            last_bin: input.bins.len() as f32 - 2.0,
            light: input.light,
            noise_per_mm: input.noise_per_mm,
            block: input.block as f32,
        })
    }

    fn params(&self, volume: &VolumeTexture, view: &View, clip: Option<(PointLps, PointLps)>) -> SolidParams {
        let grid = &volume.grid;
        let ValuesParams { start, du, dv, dn, dims, .. } = View { samples: 1, ..*view }.params(grid, (1.0, 0.0), volume.fold);
        let three = |v: [f64; 3], w: f64| [v[0] as f32, v[1] as f32, v[2] as f32, w as f32];
        let mm = |v: mj_model::VectorLps, mm: f64| three((v * mm).into(), 0.0);
        let everywhere = [EVERYWHERE_MM; 3];
        let (low, high) = clip.map_or((everywhere.map(|v| -v), everywhere), |(low, high)| (low.into(), high.into()));
        let [si, sj, sk] = grid.spacing_mm;
        let along = grid.axes.map(|axis| axis.dot(view.normal()));
        let (scale, offset) = volume.stored_from_sample;
        SolidParams {
            start,
            du,
            dv,
            dn,
            dims,
            lps: [
                three(view.origin.into(), 0.0),
                mm(view.right, view.mm_per_pixel),
                mm(view.down, view.mm_per_pixel),
                mm(view.normal(), view.step_mm),
            ],
            clip: [three(low, 0.0), three(high, 0.0)],
            per_mm: [(1.0 / si) as f32, (1.0 / sj) as f32, (1.0 / sk) as f32, self.noise_per_mm],
            sight: three(along, 0.0),
            light: self.light,
            bins: [self.bin_of_stored[0], self.bin_of_stored[1], self.last_bin, self.block],
            stored: [scale as f32, offset as f32, 0.0, 0.0],
            fold: volume.fold.params(),
        }
    }
}

/// The shader source for a storage and for volumes in bricks or in one piece.
#[must_use]
pub fn solid_shader(storage: Storage, is_cut: bool) -> String {
    format!("{}\n{}", include_str!("shader/solid.wgsl"), storage.shader(is_cut))
}

pub(crate) fn solid_pipeline(device: &wgpu::Device, storage: Storage, is_cut: bool) -> wgpu::RenderPipeline {
    let mut entries = vec![uniform(0), texture(1, storage.sample_type(), wgpu::TextureViewDimension::D3)];
    if storage.is_filtered() {
        entries.push(sampler(2));
    }
    entries.push(texture(3, wgpu::TextureSampleType::Float { filterable: false }, wgpu::TextureViewDimension::D2));
    entries.push(texture(4, wgpu::TextureSampleType::Uint, wgpu::TextureViewDimension::D3));
    pipeline(device, &solid_shader(storage, is_cut), &entries, wgpu::TextureFormat::Rgba8Unorm)
}

impl Painter {
    /// Draws shapes in a volume along parallel lines of sight, sampled every `view.step_mm` from the view's plane on
    /// both sides. The view's size must be the target's; `clip` (lowest and highest corner along the patient's axes)
    /// leaves out what is outside. Units: mm, LPS.
    ///
    /// # Errors
    /// [`Error::BadSize`] when the sizes differ or the step is none.
    pub fn draw_solid(
        &self,
        target: &Target,
        volume: &VolumeTexture,
        look: &SolidLook,
        view: &View,
        clip: Option<(PointLps, PointLps)>,
    ) -> Result<()> {
        let has_step = view.step_mm.is_finite() && view.step_mm > 0.0;
        if view.width != target.width || view.height != target.height || !has_step {
            return Err(Error::BadSize(view.width, view.height));
        }
        let params = look.params(volume, view, clip);
        self.gpu().queue.write_buffer(&look.params, 0, bytemuck::bytes_of(&params));
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: look.params.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&volume.view) },
        ];
        if volume.storage.is_filtered() {
            entries.push(wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::Sampler(self.sampler()) });
        }
        entries.push(wgpu::BindGroupEntry { binding: 3, resource: wgpu::BindingResource::TextureView(&look.table) });
        entries.push(wgpu::BindGroupEntry { binding: 4, resource: wgpu::BindingResource::TextureView(&look.blocks) });
        self.draw_into_grey(&self.solid(volume), &entries, target);
        Ok(())
    }
}

fn filled(
    gpu: &Gpu,
    dimension: wgpu::TextureDimension,
    format: wgpu::TextureFormat,
    size: wgpu::Extent3d,
    bytes: &[u8],
) -> wgpu::TextureView {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let bytes_per_row = size.width * format.block_copy_size(None).unwrap_or(1);
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: Some(size.height) };
    gpu.queue.write_texture(texture.as_image_copy(), bytes, layout, size);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}
