// Volume rendering of parallel lines of sight: the same samples, table and leaps as on the CPU (mj-imaging, raycast), which
// moreover lets slight samples share their light. Black where nothing is seen.
struct Params {
    start: vec4f,    // xyz: voxel index of pixel (0, 0) in the plane; w: edge beyond the outer centres
    du: vec4f,       // voxel step of one pixel to the right
    dv: vec4f,       // voxel step of one pixel down
    dn: vec4f,       // voxel step from one sample to the next
    dims: vec4f,     // xyz: voxels along i, j, k
    lps: vec4f,      // the same in patient space, for the box. Units: mm
    lps_du: vec4f,
    lps_dv: vec4f,
    lps_dn: vec4f,
    clip_low: vec4f,
    clip_high: vec4f,
    per_mm: vec4f,   // xyz: from a gradient a voxel to one a mm; w: gradients well below are noise
    sight: vec4f,    // direction of sight along the grid's axes
    light: vec4f,    // ambient, diffuse, specular, shininess
    bins: vec4f,     // bin = stored value * x + y; z: the last bin for a number; w: edge of a block in voxels
    stored: vec4f,   // stored value = sample * x + y
    fold: Fold,      // how the volume lies in its texture
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var table: texture_2d<f32>;
// Distance in blocks to the next in which anything is seen.
@group(0) @binding(4) var blocks: texture_3d<u32>;

// What is left of a line of sight when it ends.
const ENOUGH: f32 = 0.00390625;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

// Narrows a range of sample numbers to where a line lies between two walls.
fn cut(range: vec2f, start: vec3f, step: vec3f, low: vec3f, high: vec3f) -> vec2f {
    var out = range;
    for (var axis = 0; axis < 3; axis++) {
        if abs(step[axis]) < 1e-9 {
            if start[axis] < low[axis] || start[axis] > high[axis] {
                return vec2f(1.0, 0.0);
            }
        } else {
            let a = (low[axis] - start[axis]) / step[axis];
            let b = (high[axis] - start[axis]) / step[axis];
            out = vec2f(max(out.x, min(a, b)), min(out.y, max(a, b)));
        }
    }
    return out;
}

fn value(voxel: vec3f) -> f32 {
    return stored_at(clamp(voxel, vec3f(0.0), params.dims.xyz - 1.0)) * params.stored.x + params.stored.y;
}

fn is_number(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) <= 0x7f800000u;
}

fn seen(stored: f32) -> vec4f {
    let bin = i32(clamp(floor(stored * params.bins.x + params.bins.y), 0.0, params.bins.z));
    return textureLoad(table, vec2i(bin % 256, bin / 256), 0);
}

// Light and highlight of a lamp at the eye.
fn lit(voxel: vec3f) -> vec2f {
    let x = vec3f(1.0, 0.0, 0.0);
    let y = vec3f(0.0, 1.0, 0.0);
    let z = vec3f(0.0, 0.0, 1.0);
    let at = clamp(voxel, vec3f(0.0), params.dims.xyz - 1.0);
    let gradient = 0.5 * vec3f(value(at + x) - value(at - x), value(at + y) - value(at - y), value(at + z) - value(at - z));
    let slope = gradient * params.per_mm.xyz;
    let noise = params.per_mm.w;
    let whole = length(slope) + noise;
    var facing = 1.0;
    if whole > 0.0 {
        facing = min((abs(dot(slope, params.sight.xyz)) + 0.5 * noise) / whole, 1.0);
    }
    let highlight = params.light.z * pow(max(2.0 * facing * facing - 1.0, 0.0), params.light.w);
    return vec2f(params.light.x + params.light.y * facing, highlight);
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let pixel = at.xy - 0.5;
    let start = params.start.xyz + params.du.xyz * pixel.x + params.dv.xyz * pixel.y;
    let lps = params.lps.xyz + params.lps_du.xyz * pixel.x + params.lps_dv.xyz * pixel.y;
    let step = params.dn.xyz;
    var range = vec2f(-1e7, 1e7);
    range = cut(range, start, step, vec3f(-params.start.w), params.dims.xyz - 1.0 + params.start.w);
    range = cut(range, lps, params.lps_dn.xyz, params.clip_low.xyz, params.clip_high.xyz);
    let last = floor(range.y + 1e-4);
    var n = ceil(range.x - 1e-4);
    var colour = vec3f(0.0);
    var left = 1.0;
    let edge = params.bins.w;
    let counts = vec3f(textureDimensions(blocks));
    while n <= last {
        let voxel = start + step * n;
        let block = clamp(floor(max(voxel, vec3f(0.0)) / edge), vec3f(0.0), counts - 1.0);
        let distance = f32(textureLoad(blocks, vec3i(block), 0).r);
        if distance > 0.0 {
            var exit = 1e7;
            for (var axis = 0; axis < 3; axis++) {
                if step[axis] != 0.0 {
                    let ahead = select(distance, 1.0 - distance, step[axis] < 0.0);
                    exit = min(exit, ((block[axis] + ahead) * edge - voxel[axis]) / step[axis]);
                }
            }
            n += max(floor(exit), 0.0) + 1.0;
            continue;
        }
        let stored = value(voxel);
        if is_number(stored) {
            let light_of_value = seen(stored);
            let opacity = light_of_value.w;
            if opacity > 0.0 {
                let shade = lit(voxel);
                colour += left * (light_of_value.rgb * shade.x + shade.y * opacity);
                left *= 1.0 - opacity;
                if left < ENOUGH {
                    break;
                }
            }
        }
        n += 1.0;
    }
    return vec4f(min(colour, vec3f(1.0)), 1.0);
}
