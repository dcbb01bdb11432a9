// Values to grey by the window functions, PS3.3 section C.11.2.1: straight lines, sigmoid and lookup tables.
struct Window {
    middle: f32, // value of the grey between black and white; of a table, the value of its first entry
    span: f32,   // from black to white; 0 for a threshold; of a table, the number of its entries
    inverted: f32,
    curve: f32,  // 0 a straight line, 1 sigmoid, 2 table
}

@group(0) @binding(0) var<uniform> window: Window;
@group(0) @binding(1) var values: texture_2d<f32>;
// Entries of the table as shares of white, 256 a row.
@group(0) @binding(2) var entries: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn entry(n: i32) -> f32 {
    let at = clamp(n, 0, i32(window.span) - 1);
    return textureLoad(entries, vec2i(at % 256, at / 256), 0).r;
}

fn share(value: f32) -> f32 {
    if window.curve > 1.5 {
        let at = clamp(value - window.middle, 0.0, window.span - 1.0);
        let low = i32(floor(at));
        return mix(entry(low), entry(low + 1), fract(at));
    }
    if window.span <= 0.0 {
        return select(0.0, 1.0, value > window.middle);
    }
    let along = (value - window.middle) / window.span;
    if window.curve > 0.5 {
        // Clamped, so that the exponential stays a number.
        return 1.0 / (1.0 + exp(clamp(-4.0 * along, -80.0, 80.0)));
    }
    return clamp(along + 0.5, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let value = textureLoad(values, vec2i(at.xy), 0).r;
    if value < -2.9e38 {
        return vec4f(0.0, 0.0, 0.0, 1.0);
    }
    var grey = share(value);
    grey = select(grey, 1.0 - grey, window.inverted > 0.5);
    return vec4f(grey, grey, grey, 1.0);
}
