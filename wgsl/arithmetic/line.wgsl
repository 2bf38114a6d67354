// Arithmetic along a line: four neurons' responses at a point with their derivatives along one direction.
#import arithmetic/plain

struct Line {
    value: vec4f,
    slope: vec4f,
}

fn line_start(bias: vec4f) -> Line {
    return Line(bias, vec4f(0.0));
}

// z + m h
fn line_add(z: Line, m: mat4x4f, h: Line) -> Line {
    return Line(plain_add(z.value, m, h.value), plain_add(z.slope, m, h.slope));
}

fn line_enter(z: Line, m: mat4x4f, p: vec4f, direction: vec4f) -> Line {
    return Line(plain_add(z.value, m, p), plain_add(z.slope, m, direction));
}

// The chain rule: s(z) from s and s' at z's value.
fn line_chain(z: Line, value: vec4f, slope: vec4f) -> Line {
    return Line(value, slope * z.slope);
}

// Softmax's derivative p (dz - sum of p dz), from its value p and that sum; and that of its logarithm.
fn line_softmax(z: Line, p: vec4f, mean: f32) -> Line {
    return Line(p, p * (z.slope - mean));
}

fn line_log_softmax(z: Line, value: vec4f, mean: f32) -> Line {
    return Line(value, z.slope - mean);
}

fn line_product(z: Line, a: f32) -> Line {
    return Line(plain_product(z.value, a), product_change(z.value, z.slope));
}

fn line_select(p: Line, q: Line, mask: vec4<bool>) -> Line {
    return Line(select(p.value, q.value, mask), select(p.slope, q.slope, mask));
}
