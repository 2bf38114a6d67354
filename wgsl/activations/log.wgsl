// The logarithm of z; below 0 no number, its slope and curvature at four numbers.
#import lib/logarithm
#import lib/partial

fn log_value(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), select(safe_log(z), vec4f(-FLOAT_MOST), z < vec4f(1.1754944e-38)));
}

fn log_slope(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), held(1.0 / z));
}

fn log_curvature(z: vec4f, a: f32) -> vec4f {
    return number_unless(z < vec4f(0.0), held(-1.0 / z / z));
}
