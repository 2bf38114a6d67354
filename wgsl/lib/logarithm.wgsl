// Logarithms of four numbers, within 4 ulp: WGSL's own may be off by 2^-21 near 1, where they are small.
#import lib/exponential

// For normal x above 0, with its relative accuracy near 1; coefficients of Cephes' logf (Moshier).
fn safe_log(x: vec4f) -> vec4f {
    let bits = bitcast<vec4i>(x);
    // x is m 2^n, m from sqrt(1/2) to sqrt(2).
    let n = (bits - vec4i(0x3f3504f3)) >> vec4u(23u);
    let z = bitcast<vec4f>(bits - (n << vec4u(23u))) - 1.0;
    var p = fma(z, vec4f(7.0376836292e-2), vec4f(-1.1514610310e-1));
    p = fma(p, z, vec4f(1.1676998740e-1));
    p = fma(p, z, vec4f(-1.2420140846e-1));
    p = fma(p, z, vec4f(1.4249322787e-1));
    p = fma(p, z, vec4f(-1.6668057665e-1));
    p = fma(p, z, vec4f(2.0000714765e-1));
    p = fma(p, z, vec4f(-2.4999993993e-1));
    p = fma(p, z, vec4f(3.3333331174e-1));
    let q = z * z;
    let e = vec4f(n);
    let rest = fma(e, vec4f(-2.12194440e-4), fma(vec4f(-0.5), q, p * z * q));
    return fma(e, vec4f(0.693359375), z + rest);
}

// log(1 + u) for u >= 0, with its relative accuracy near 0.
fn safe_log1p(u: vec4f) -> vec4f {
    return select(safe_log(1.0 + u), log1p_unit(clamp(u, vec4f(0.0), vec4f(1.0))), u < vec4f(1.0));
}
