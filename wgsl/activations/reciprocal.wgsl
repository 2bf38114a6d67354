// 1 / z, its slope and curvature at four numbers.
#import lib/partial

fn reciprocal_value(z: vec4f, a: f32) -> vec4f {
    return held(1.0 / z);
}

fn reciprocal_slope(z: vec4f, a: f32) -> vec4f {
    return held(-1.0 / z / z);
}

fn reciprocal_curvature(z: vec4f, a: f32) -> vec4f {
    return held(2.0 / z / z / z);
}
