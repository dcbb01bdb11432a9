// Stored samples through the hardware's trilinear filter (R16Unorm, R8Unorm, filterable R32Float), whose fractions have 8 bits.
@group(0) @binding(1) var volume: texture_3d<f32>;
@group(0) @binding(2) var filtered: sampler;

fn stored_at(voxel: vec3f) -> f32 {
    let at = voxel + shift_of(floor(voxel));
    return textureSampleLevel(volume, filtered, (at + 0.5) / params.fold.size.xyz, 0.0).r;
}
