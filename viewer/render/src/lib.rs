//! wgpu pictures of volumes: slices, slabs, projections; on screen and off.
