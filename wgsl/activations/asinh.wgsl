// The inverse hyperbolic sine, its slope and curvature at four numbers.
#import lib/logarithm

fn asinh_value(z: vec4f, a: f32) -> vec4f {
    // log(a + sqrt(a^2 + 1)) as log1p, for its accuracy near 0; far out log(2 a).
    let a1 = abs(z);
    let x = min(a1, vec4f(1e4));
    let near = safe_log1p(x + x * x / (1.0 + sqrt(fma(x, x, vec4f(1.0)))));
    let size = select(near, safe_log(max(a1, vec4f(1.0))) + 0.69314718, a1 > vec4f(1e4));
    return select(size, -size, z < vec4f(0.0));
}

fn asinh_slope(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-1.8e19), vec4f(1.8e19));
    let near = inverseSqrt(fma(x, x, vec4f(1.0)));
    return select(near, 1.0 / abs(z), abs(z) > vec4f(1e9));
}

fn asinh_curvature(z: vec4f, a: f32) -> vec4f {
    let x = clamp(z, vec4f(-1.8e19), vec4f(1.8e19));
    let r = inverseSqrt(fma(x, x, vec4f(1.0)));
    return -(x * r) * r * r;
}
