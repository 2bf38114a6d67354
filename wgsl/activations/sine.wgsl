// sin(a z), its slope and curvature at four numbers.
#import lib/sine

fn sine_value(z: vec4f, a: f32) -> vec4f {
    return safe_sin(a * z);
}

fn sine_slope(z: vec4f, a: f32) -> vec4f {
    return a * safe_cos(a * z);
}

fn sine_curvature(z: vec4f, a: f32) -> vec4f {
    return -a * a * safe_sin(a * z);
}
