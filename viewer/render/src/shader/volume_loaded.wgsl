// Stored samples where the hardware cannot filter.
@group(0) @binding(1) var volume: texture_3d<SAMPLE>;

fn stored_at(voxel: vec3f) -> f32 {
    return exact_at(voxel);
}
