// z^a; below 0 no number unless a is whole, its slope and curvature at four numbers.
#import lib/power_of

fn power_value(z: vec4f, a: f32) -> vec4f {
    return power_of(1.0, z, a);
}

fn power_slope(z: vec4f, a: f32) -> vec4f {
    return power_of(a, z, a - 1.0);
}

fn power_curvature(z: vec4f, a: f32) -> vec4f {
    return power_of(a * (a - 1.0), z, a - 2.0);
}
