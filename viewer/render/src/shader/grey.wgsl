// Values to grey by the linear window functions, PS3.3 sections C.11.2.1.2.1 and C.11.2.1.3.2.
struct Window {
    middle: f32, // value of the grey between black and white
    span: f32,   // from black to white; 0 for a threshold
    inverted: f32,
    unused: f32,
}

@group(0) @binding(0) var<uniform> window: Window;
@group(0) @binding(1) var values: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let value = textureLoad(values, vec2i(at.xy), 0).r;
    if value < -2.9e38 {
        return vec4f(0.0, 0.0, 0.0, 1.0);
    }
    var grey: f32;
    if window.span <= 0.0 {
        grey = select(0.0, 1.0, value > window.middle);
    } else {
        grey = clamp((value - window.middle) / window.span + 0.5, 0.0, 1.0);
    }
    grey = select(grey, 1.0 - grey, window.inverted > 0.5);
    return vec4f(grey, grey, grey, 1.0);
}
