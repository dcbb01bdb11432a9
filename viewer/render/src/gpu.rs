//! The graphics device, with the features pictures ask for.

use crate::{Error, Result};

/// A device with its queue and what it can do. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What draws, in words: `vulkan`, `gl`, `metal`, `dx12`.
    pub backend: String,
    /// The adapter's name, as its driver gives it.
    pub adapter: String,
    /// The driver and its version, in its own words; empty where it says nothing.
    pub driver: String,
    /// True when the "device" is a program on the CPU (lavapipe, WARP), which is slower than our own CPU pictures.
    pub is_software: bool,
}

/// Optional features that are used where the adapter has them.
fn wanted() -> wgpu::Features {
    wgpu::Features::TEXTURE_FORMAT_16BIT_NORM | wgpu::Features::FLOAT32_FILTERABLE
}

/// The device request that pictures need; also given to the window's own device creation.
#[must_use]
pub fn device_descriptor(adapter: &wgpu::Adapter) -> wgpu::DeviceDescriptor<'static> {
    let has = adapter.limits();
    let mut limits = wgpu::Limits::downlevel_defaults().using_resolution(has.clone());
    limits.max_texture_dimension_3d = has.max_texture_dimension_3d;
    limits.max_buffer_size = has.max_buffer_size;
    wgpu::DeviceDescriptor {
        label: Some("mingjing"),
        required_features: adapter.features() & wanted(),
        required_limits: limits,
        ..Default::default()
    }
}

impl Gpu {
    /// Opens a device without a window.
    ///
    /// # Errors
    /// [`Error::NoDevice`] when the machine has none.
    pub fn headless() -> Result<Self> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let options = wgpu::RequestAdapterOptions { power_preference: wgpu::PowerPreference::HighPerformance, ..Default::default() };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(|e| Error::NoDevice(e.to_string()))?;
        let (device, queue) =
            pollster::block_on(adapter.request_device(&device_descriptor(&adapter))).map_err(|e| Error::NoDevice(e.to_string()))?;
        Ok(Self::of(&adapter, device, queue))
    }

    /// Takes a device that a window opened with [`device_descriptor`].
    #[must_use]
    pub fn of(adapter: &wgpu::Adapter, device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let info = adapter.get_info();
        Self {
            device,
            queue,
            backend: info.backend.to_string(),
            adapter: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            is_software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}
