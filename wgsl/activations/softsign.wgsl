// z / (1 + |z|), its slope and curvature at four numbers.

fn softsign_value(z: vec4f, a: f32) -> vec4f {
    return z / (1.0 + abs(z));
}

fn softsign_slope(z: vec4f, a: f32) -> vec4f {
    let q = 1.0 / (1.0 + abs(z));
    return q * q;
}

fn softsign_curvature(z: vec4f, a: f32) -> vec4f {
    let q = 1.0 / (1.0 + abs(z));
    return -2.0 * sign(z) * q * q * q;
}
