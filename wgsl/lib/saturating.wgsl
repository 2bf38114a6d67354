// tanh and sigmoid with their slopes at once, from one exponential: the value to 4 ulp of 1, the slope to 16 of itself.
#import lib/both
#import lib/exponential

// exp(x) for x <= 0: safe_exp without the care that larger x need; never 0.
fn falling_exp(x: vec4f) -> vec4f {
    let y = max(x, vec4f(EXP_LEAST));
    let n = round(y * 1.44269504);
    let r = less_logarithms(y, n);
    // A whole number plus 1.5 2^23 has that number in its last bits: added to the exponent, it is the power of two.
    let shift = bitcast<vec4u>(n + 12582912.0) << vec4u(23u);
    return bitcast<vec4f>(bitcast<vec4u>(fma(exp_rest(r) * r, r, r) + 1.0) + shift);
}

fn tanh_both(z: vec4f) -> Both {
    let e = falling_exp(-2.0 * abs(z));
    let r = 2.0 / (1.0 + e);
    let q = e * r;
    let sign = bitcast<vec4u>(z) & vec4u(0x80000000u);
    return Both(bitcast<vec4f>(bitcast<vec4u>(1.0 - q) | sign), q * r);
}

fn sigmoid_both(z: vec4f) -> Both {
    let e = falling_exp(-abs(z));
    let r = 1.0 / (1.0 + e);
    let q = e * r;
    return Both(select(r, q, z < vec4f(0.0)), q * r);
}
