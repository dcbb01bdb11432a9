// Values to grey by the linear window function, PS3.3 section C.11.2.1.2.1.
struct Window {
    center: f32,
    width: f32,
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
    if window.width <= 1.0 {
        grey = select(0.0, 1.0, value > window.center - 0.5);
    } else {
        grey = clamp((value - (window.center - 0.5)) / (window.width - 1.0) + 0.5, 0.0, 1.0);
    }
    grey = select(grey, 1.0 - grey, window.inverted > 0.5);
    return vec4f(grey, grey, grey, 1.0);
}
