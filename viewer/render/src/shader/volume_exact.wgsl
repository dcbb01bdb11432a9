// Eight loads and the trilinear sum by hand, in 32-bit floats whatever the hardware's filter can.
fn load(x: i32, y: i32, z: i32) -> f32 {
    return f32(textureLoad(volume, vec3i(x, y, z), 0).r);
}

// Positions are inside the volume.
fn exact_at(voxel: vec3f) -> f32 {
    let low = floor(voxel);
    let f = voxel - low;
    let shift = shift_of(low);
    let a = vec3i(low + shift);
    let b = vec3i(min(low + 1.0, params.dims.xyz - 1.0) + shift);
    let x00 = mix(load(a.x, a.y, a.z), load(b.x, a.y, a.z), f.x);
    let x10 = mix(load(a.x, b.y, a.z), load(b.x, b.y, a.z), f.x);
    let x01 = mix(load(a.x, a.y, b.z), load(b.x, a.y, b.z), f.x);
    let x11 = mix(load(a.x, b.y, b.z), load(b.x, b.y, b.z), f.x);
    return mix(mix(x00, x10, f.y), mix(x01, x11, f.y), f.z);
}
