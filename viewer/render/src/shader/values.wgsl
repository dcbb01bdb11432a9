// Values of a plane or a slab of a volume, in the volume's unit. One fragment is one pixel of the picture.
struct Params {
    start: vec4f,   // xyz: voxel index of pixel (0, 0) on the first sample plane; w: edge beyond the outer centres
    du: vec4f,      // voxel step of one pixel to the right
    dv: vec4f,      // voxel step of one pixel down
    dn: vec4f,      // voxel step from one sample plane to the next; w: number of sample planes
    dims: vec4f,    // xyz: voxels along i, j, k; w: projection, 0 maximum, 1 minimum, 2 mean
    map: vec4f,     // x, y: value = sample * x + y; z: 1 for the nearest voxel instead of trilinear
    fold: Fold,     // how the volume lies in its texture
}

@group(0) @binding(0) var<uniform> params: Params;

// Up to as many sample planes are summed exactly; a projection through the whole volume takes the hardware's filter.
const FEW: f32 = 64.0;

// Written where the plane leaves the volume; the host reads it as NaN.
const OUTSIDE: f32 = -3.0e38;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4f {
    let corner = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4f(corner * 2.0 - 1.0, 0.0, 1.0);
}

// Range of sample planes inside the volume, so that a projection does not walk through air.
fn inside(voxel: vec3f) -> vec2f {
    var range = vec2f(0.0, params.dn.w - 1.0);
    let low = vec3f(-params.start.w);
    let high = params.dims.xyz - 1.0 + params.start.w;
    for (var axis = 0; axis < 3; axis++) {
        let step = params.dn[axis];
        if abs(step) < 1e-9 {
            if voxel[axis] < low[axis] || voxel[axis] > high[axis] {
                return vec2f(1.0, 0.0);
            }
        } else {
            let a = (low[axis] - voxel[axis]) / step;
            let b = (high[axis] - voxel[axis]) / step;
            // A hair wider, because rounding must not lose the outermost plane.
            range = vec2f(max(range.x, ceil(min(a, b) - 1e-3)), min(range.y, floor(max(a, b) + 1e-3)));
        }
    }
    return range;
}

@fragment
fn fragment(@builtin(position) at: vec4f) -> @location(0) vec4f {
    let pixel = at.xy - 0.5;
    let first = params.start.xyz + params.du.xyz * pixel.x + params.dv.xyz * pixel.y;
    let range = inside(first);
    if range.y < range.x {
        return vec4f(OUTSIDE, 0.0, 0.0, 1.0);
    }
    var best = 0.0;
    var sum = 0.0;
    for (var n = range.x; n <= range.y; n += 1.0) {
        var voxel = clamp(first + params.dn.xyz * n, vec3f(0.0), params.dims.xyz - 1.0);
        if params.map.z > 0.5 {
            voxel = floor(voxel + 0.5);
        }
        var stored = 0.0;
        if params.dn.w <= FEW {
            stored = exact_at(voxel);
        } else {
            stored = stored_at(voxel);
        }
        let value = stored * params.map.x + params.map.y;
        sum += value;
        if n == range.x || (params.dims.w < 0.5 && value > best) || (params.dims.w > 0.5 && value < best) {
            best = value;
        }
    }
    if params.dims.w > 1.5 {
        best = sum / (range.y - range.x + 1.0);
    }
    return vec4f(best, 0.0, 0.0, 1.0);
}
