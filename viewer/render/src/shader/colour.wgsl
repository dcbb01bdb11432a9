// Colours of a single image on a plane, black outside, made brighter or darker by a straight line.
struct Params {
    start: vec4f,   // as in values.wgsl
    du: vec4f,
    dv: vec4f,
    dn: vec4f,
    dims: vec4f,
    map: vec4f,
    fold: Fold,
}

struct Tone {
    middle: f32, // share of white between black and white
    span: f32,   // from black to white; 0 for a threshold
    inverted: f32,
    unused: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var image: texture_3d<f32>;
@group(0) @binding(2) var filtered: sampler;
@group(0) @binding(3) var<uniform> tone: Tone;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let pixel = at.xy - 0.5;
    let voxel = params.start.xyz + params.du.xyz * pixel.x + params.dv.xyz * pixel.y;
    if any(voxel < vec3f(-params.start.w)) || any(voxel > params.dims.xyz - 1.0 + params.start.w) {
        return vec4f(0.0, 0.0, 0.0, 1.0);
    }
    let inside = clamp(voxel, vec3f(0.0), params.dims.xyz - 1.0);
    let at_texel = inside + shift_of(floor(inside)) + 0.5;
    var colour = textureSampleLevel(image, filtered, at_texel / params.fold.size.xyz, 0.0).rgb;
    if tone.span <= 0.0 {
        colour = select(vec3f(0.0), vec3f(1.0), colour > vec3f(tone.middle));
    } else {
        colour = clamp((colour - tone.middle) / tone.span + 0.5, vec3f(0.0), vec3f(1.0));
    }
    colour = select(colour, 1.0 - colour, tone.inverted > 0.5);
    return vec4f(colour, 1.0);
}
