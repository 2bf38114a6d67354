// atan, asin and acos of four numbers, within 4 ulp: WGSL's own may be off by 4096. Coefficients of Cephes (Moshier).

const HALF_PI = 1.5707963267948966;

fn safe_atan(z: vec4f) -> vec4f {
    let a = abs(z);
    let steep = a > vec4f(2.41421356);
    let middle = (a > vec4f(0.41421356)) & !steep;
    let x = select(select(a, (a - 1.0) / (a + 1.0), middle), -1.0 / max(a, vec4f(1.0)), steep);
    let start = select(select(vec4f(0.0), vec4f(0.5 * HALF_PI), middle), vec4f(HALF_PI), steep);
    let q = x * x;
    var p = fma(q, vec4f(8.05374449538e-2), vec4f(-1.38776856032e-1));
    p = fma(p, q, vec4f(1.99777106478e-1));
    p = fma(p, q, vec4f(-3.33329491539e-1));
    let result = start + fma(p * q, x, x);
    return select(result, -result, z < vec4f(0.0));
}

// asin(x) for x from 0 to 1/2.
fn asin_near_zero(x: vec4f) -> vec4f {
    let q = x * x;
    var p = fma(q, vec4f(4.2163199048e-2), vec4f(2.4181311049e-2));
    p = fma(p, q, vec4f(4.5470025998e-2));
    p = fma(p, q, vec4f(7.4953002686e-2));
    p = fma(p, q, vec4f(1.6666752422e-1));
    return fma(p * q, x, x);
}

// acos(a) for a from 1/2 to 1, whose difference from 1 is exact.
fn acos_near_one(a: vec4f) -> vec4f {
    return 2.0 * asin_near_zero(sqrt(0.5 * clamp(1.0 - a, vec4f(0.0), vec4f(0.5))));
}

// For |z| <= 1.
fn safe_asin(z: vec4f) -> vec4f {
    let a = abs(z);
    let result = select(asin_near_zero(min(a, vec4f(0.5))), HALF_PI - acos_near_one(a), a > vec4f(0.5));
    return select(result, -result, z < vec4f(0.0));
}

fn safe_acos(z: vec4f) -> vec4f {
    let a = abs(z);
    let outer = acos_near_one(a);
    let beside = select(outer, 2.0 * HALF_PI - outer, z < vec4f(0.0));
    return select(HALF_PI - safe_asin(z), beside, a > vec4f(0.5));
}
