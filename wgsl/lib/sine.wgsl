// sin and cos of four numbers: absolute error below 2 ulp of 1 up to |x| = 1e4, within [-1, 1] at any finite input.

// pi in four parts, the first three of so few bits that n times them is exact for n below 2^12 (Cody and Waite).
const PI_A = 3.140625;
const PI_B = 0.0009670257568359375;
const PI_C = 6.2771141529083252e-7;
const PI_D = 1.2154201256553420e-10;

// x - n pi, held to a half turn: where x is too large to be reduced the answer is some finite sine.
fn less_half_turns(x: vec4f, n: vec4f) -> vec4f {
    // The clamps change nothing where x can be reduced; without them Mesa would add the parts before it multiplies.
    let a = clamp(fma(n, vec4f(-PI_A), x), vec4f(-8.0), vec4f(8.0));
    let b = clamp(fma(n, vec4f(-PI_B), a), vec4f(-2.0), vec4f(2.0));
    let r = fma(n, vec4f(-PI_D), fma(n, vec4f(-PI_C), b));
    return clamp(r, vec4f(-1.5707964), vec4f(1.5707964));
}

// sin(r) for |r| <= pi / 2 by its Taylor series; the first term left out is below 6e-8 / 1000.
fn sine_near_zero(r: vec4f) -> vec4f {
    let q = r * r;
    var p = fma(q, vec4f(1.6059043836821613e-10), vec4f(-2.5052108385441720e-8));
    p = fma(p, q, vec4f(2.7557319223985893e-6));
    p = fma(p, q, vec4f(-1.9841269841269841e-4));
    p = fma(p, q, vec4f(8.3333333333333333e-3));
    p = fma(p, q, vec4f(-1.6666666666666667e-1));
    return clamp(fma(p * q, r, r), vec4f(-1.0), vec4f(1.0));
}

// -1 where the whole number n is odd, else 1.
fn alternating(n: vec4f) -> vec4f {
    return 1.0 - 2.0 * abs(n - 2.0 * floor(0.5 * n));
}

fn safe_sin(x: vec4f) -> vec4f {
    let n = round(x * 0.318309886);
    return alternating(n) * sine_near_zero(less_half_turns(x, n));
}

fn safe_cos(x: vec4f) -> vec4f {
    let n = floor(x * 0.318309886);
    return -alternating(n) * sine_near_zero(less_half_turns(x, n + 0.5));
}
