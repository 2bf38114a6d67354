// sin(a z) and its slope at four numbers, from one reduction: each within 4 ulp of its largest magnitude up to |a z| = 1e4.
#import lib/both
#import lib/sine

// cos(r) for |r| <= pi / 2 by its Taylor series; the first term left out is below 6e-8 / 100.
fn cosine_near_zero(r: vec4f) -> vec4f {
    let q = r * r;
    var p = fma(q, vec4f(2.0876756987868099e-9), vec4f(-2.7557319223985891e-7));
    p = fma(p, q, vec4f(2.4801587301587302e-5));
    p = fma(p, q, vec4f(-1.3888888888888889e-3));
    p = fma(p, q, vec4f(4.1666666666666667e-2));
    p = fma(p, q, vec4f(-0.5));
    return clamp(fma(p, q, vec4f(1.0)), vec4f(-1.0), vec4f(1.0));
}

fn sine_both(z: vec4f, a: f32) -> Both {
    let x = a * z;
    let n = round(x * 0.318309886);
    let r = less_half_turns(x, n);
    let sign = alternating(n);
    return Both(sign * sine_near_zero(r), a * sign * cosine_near_zero(r));
}
