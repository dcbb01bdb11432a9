// Where a voxel lies in the texture of a volume that may be cut into bricks (fold.rs). Units: voxels; xyz of each.
// IS_CUT is written before this: most volumes are in one piece and shall pay nothing for it.
struct Fold {
    size: vec4f,        // of the texture
    stride: vec4f,      // from one brick to the next along i, j, k
    per_stride: vec4f,  // its reciprocal
    last: vec4f,        // number of the last brick along i, j, k
    places: vec4f,      // how far on in the texture the next brick along i, j, k lies
    along: vec4f,       // the texture's axis that the bricks lie side by side along; 0 where there is only one
}

// What is added to a position to find it in the texture; `low` is its voxel, rounded down.
fn shift_of(low: vec3f) -> vec3f {
    if !IS_CUT {
        return vec3f(0.0);
    }
    // Half a voxel on, so that no rounding finds the brick before.
    let brick = min(floor((low + 0.5) * params.fold.per_stride.xyz), params.fold.last.xyz);
    let border = 1.0;
    return params.fold.along.xyz * (dot(brick, params.fold.places.xyz) + border) - brick * params.fold.stride.xyz;
}
