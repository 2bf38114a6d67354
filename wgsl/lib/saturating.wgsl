// tanh and sigmoid with their slopes at once, from one exponential: the value to 4 ulp of 1, the slope to 16 of itself.
#import lib/exponential

struct Both {
    value: vec4f,
    slope: vec4f,
}

// exp(x) for x <= 0: safe_exp without the care that larger x need; never 0.
fn falling_exp(x: vec4f) -> vec4f {
    let y = max(x, vec4f(EXP_LEAST));
    let n = round(y * 1.44269504);
    let r = less_logarithms(y, n);
    return (fma(exp_rest(r) * r, r, r) + 1.0) * power_of_two(n);
}

fn tanh_both(z: vec4f) -> Both {
    let e = falling_exp(-2.0 * abs(z));
    let r = 1.0 / (1.0 + e);
    let q = 2.0 * e * r;
    let h = 1.0 - q;
    return Both(select(h, -h, z < vec4f(0.0)), 2.0 * q * r);
}

fn sigmoid_both(z: vec4f) -> Both {
    let e = falling_exp(-abs(z));
    let r = 1.0 / (1.0 + e);
    let q = e * r;
    return Both(select(r, q, z < vec4f(0.0)), q * r);
}
