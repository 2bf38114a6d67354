// cos(a z), its slope and curvature at four numbers.
#import lib/sine

fn cos_value(z: vec4f, a: f32) -> vec4f {
    return safe_cos(a * z);
}

fn cos_slope(z: vec4f, a: f32) -> vec4f {
    return -a * safe_sin(a * z);
}

fn cos_curvature(z: vec4f, a: f32) -> vec4f {
    return -a * a * safe_cos(a * z);
}
