// How soft a dot's edge is.

// Half the width of its soft edge, in samples.
fn edge_of(radius: f32) -> f32 {
    return max(0.5, 0.12 * radius);
}
