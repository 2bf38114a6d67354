// z - tanh(z), its slope and curvature at four numbers.
#import lib/hyperbolic

fn tanhshrink_value(z: vec4f, a: f32) -> vec4f {
    // Near 0 by its series, where the difference would leave no digits.
    let x = clamp(z, vec4f(-0.6), vec4f(0.6));
    let q = x * x;
    var p = fma(q, vec4f(-5.9002744e-4), vec4f(1.4558344e-3));
    p = fma(p, q, vec4f(-3.5921280e-3));
    p = fma(p, q, vec4f(8.8632355e-3));
    p = fma(p, q, vec4f(-2.1869489e-2));
    p = fma(p, q, vec4f(5.3968254e-2));
    p = fma(p, q, vec4f(-1.3333333e-1));
    p = fma(p, q, vec4f(3.3333333e-1));
    return select(z - safe_tanh(z), x * q * p, abs(z) < vec4f(0.6));
}

fn tanhshrink_slope(z: vec4f, a: f32) -> vec4f {
    let t = safe_tanh(z);
    return t * t;
}

fn tanhshrink_curvature(z: vec4f, a: f32) -> vec4f {
    return 2.0 * safe_tanh(z) * sech_squared(z);
}
