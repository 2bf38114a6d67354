// exp, expm1 and log1p of four numbers: finite for every finite input, alike on every device, within 3 ulp.
// WGSL's own exp may be off by 3 + 2 |x| ulp, and on software drivers is.

// Past these the result would not be a normal float32; below, it is given as 0.
const EXP_LEAST = -87.0;
const EXP_MOST = 88.0;

// 2^n for whole n from -126 to 127.
fn power_of_two(n: vec4f) -> vec4f {
    return bitcast<vec4f>(vec4u(vec4i(n) + 127) << vec4u(23u));
}

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2; coefficients of Cephes' expf (Moshier).
fn exp_rest(r: vec4f) -> vec4f {
    var p = fma(r, vec4f(1.9875691500e-4), vec4f(1.3981999507e-3));
    p = fma(p, r, vec4f(8.3334519073e-3));
    p = fma(p, r, vec4f(4.1665795894e-2));
    p = fma(p, r, vec4f(1.6666665459e-1));
    return fma(p, r, vec4f(5.0000001201e-1));
}

// y - n ln(2). ln(2) is in two parts, the first of so few bits that n times it is exact (Cody and Waite); without the clamp,
// which changes nothing, Mesa adds the parts again before it multiplies, and the result is off by 34 ulp.
fn less_logarithms(y: vec4f, n: vec4f) -> vec4f {
    let r = clamp(fma(n, vec4f(-0.693359375), y), vec4f(-0.5), vec4f(0.5));
    return fma(n, vec4f(2.12194440e-4), r);
}

fn safe_exp(x: vec4f) -> vec4f {
    let y = clamp(x, vec4f(EXP_LEAST), vec4f(EXP_MOST));
    let n = round(y * 1.44269504);
    let r = less_logarithms(y, n);
    let e = (fma(exp_rest(r) * r, r, r) + 1.0) * power_of_two(n);
    return select(e, vec4f(0.0), x < vec4f(EXP_LEAST));
}

fn safe_exp_one(x: f32) -> f32 {
    return safe_exp(vec4f(x)).x;
}

// exp(x) - 1 for x <= 0, with its relative accuracy near 0.
fn expm1_negative(x: vec4f) -> vec4f {
    let r = clamp(x, vec4f(-0.35), vec4f(0.0));
    let near = fma(exp_rest(r) * r, r, r);
    return select(safe_exp(min(x, vec4f(0.0))) - 1.0, near, x > vec4f(-0.34));
}

// log(1 + u) for 0 <= u <= 1: twice the inverse hyperbolic tangent of u / (2 + u), by its series; the first term
// left out is below 2^-27 of the sum, since s is at most 1/3.
fn log1p_unit(u: vec4f) -> vec4f {
    let s = u / (2.0 + u);
    let q = s * s;
    var p = fma(q, vec4f(1.0 / 15.0), vec4f(1.0 / 13.0));
    p = fma(p, q, vec4f(1.0 / 11.0));
    p = fma(p, q, vec4f(1.0 / 9.0));
    p = fma(p, q, vec4f(1.0 / 7.0));
    p = fma(p, q, vec4f(1.0 / 5.0));
    p = fma(p, q, vec4f(1.0 / 3.0));
    return fma(p * q, 2.0 * s, 2.0 * s);
}
