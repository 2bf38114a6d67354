// Piecewise linear activations: how a response changes when its sum moves from c to c + d; exact for small d.

fn moved_identity(d: vec4f, c: vec4f, a: f32) -> vec4f {
    return d;
}

fn moved_relu(d: vec4f, c: vec4f, a: f32) -> vec4f {
    return select(max(c + d, vec4f(0.0)), max(d, -c), c > vec4f(0.0));
}

// Both sums on one side: d times the slope there. Else they are both as small as d, and the difference loses nothing.
fn moved_leaky_relu(d: vec4f, c: vec4f, a: f32) -> vec4f {
    let z = c + d;
    let up = c > vec4f(0.0);
    let now = z > vec4f(0.0);
    let across = select(z - a * c, a * z - c, up);
    return select(across, select(a * d, d, up), up == now);
}
