// Stored samples where the hardware cannot filter: eight loads and the trilinear sum by hand.
@group(0) @binding(1) var volume: texture_3d<SAMPLE>;

fn load(at: vec3i) -> f32 {
    return f32(textureLoad(volume, clamp(at, vec3i(0), vec3i(params.dims.xyz) - 1), 0).r);
}

fn stored_at(voxel: vec3f) -> f32 {
    let low = floor(voxel);
    let f = voxel - low;
    let p = vec3i(low);
    let x00 = mix(load(p), load(p + vec3i(1, 0, 0)), f.x);
    let x10 = mix(load(p + vec3i(0, 1, 0)), load(p + vec3i(1, 1, 0)), f.x);
    let x01 = mix(load(p + vec3i(0, 0, 1)), load(p + vec3i(1, 0, 1)), f.x);
    let x11 = mix(load(p + vec3i(0, 1, 1)), load(p + vec3i(1, 1, 1)), f.x);
    return mix(mix(x00, x10, f.y), mix(x01, x11, f.y), f.z);
}
