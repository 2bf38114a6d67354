// Exponentials that grow up to float32's end and stay there.
#import lib/exponential

// exp(88.72) is just below the largest float32, and half of exp(89.41).
const GROWING_MOST = 88.72;
const HALF_MOST = 89.41;

fn growing_exp(x: vec4f) -> vec4f {
    // By a step less, times e: past 88 the power of two alone would not be a float32.
    let far = safe_exp(min(x, vec4f(GROWING_MOST)) - 1.0) * 2.7182818;
    return select(safe_exp(x), far, x > vec4f(80.0));
}

// exp(x) / 2 for x >= 0.
fn half_exp(x: vec4f) -> vec4f {
    return select(0.5 * safe_exp(x), safe_exp(min(x, vec4f(HALF_MOST)) - 2.0) * (0.5 * 7.3890561), x > vec4f(80.0));
}

// sinh(|x|) from expm1's parts: with its relative accuracy near 0.
fn sinh_size(x: vec4f) -> vec4f {
    let a = abs(x);
    let r = min(a, vec4f(0.35));
    let near = fma(exp_rest(r) * r, r, r);
    let h = half_exp(a);
    return select(h - 0.25 / max(h, vec4f(0.5)), 0.5 * (near + near / (1.0 + near)), a < vec4f(0.34));
}

fn cosh_size(x: vec4f) -> vec4f {
    let h = half_exp(abs(x));
    return h + 0.25 / max(h, vec4f(0.5));
}
