// tanh(softplus(z)) and its two derivatives for four numbers, by exp(-|z|): no term grows or cancels but in the last.
#import lib/exponential

struct Mish {
    value: vec4f,
    slope: vec4f,
    curvature: vec4f,
}

fn mish_parts(z: vec4f) -> Mish {
    let e = safe_exp(-abs(z));
    let up = z >= vec4f(0.0);
    let one = vec4f(1.0);
    let d = select(fma(e, e + 2.0, vec4f(2.0)), fma(2.0 * e, e + 1.0, one), up);
    let value = select(e * (2.0 + e), 1.0 + 2.0 * e, up) / d;
    let factor = 4.0 * e * select(one, e, up) / (d * d);
    let rest = select(fma(e, vec4f(2.0), one), e + 2.0, up) - 4.0 * (1.0 + e) * (1.0 + e) * select(e, one, up) / d;
    return Mish(value, factor * (1.0 + e), factor * rest);
}
