// The error function of four numbers, within 4 ulp. Coefficients of Cephes' erff (Moshier) below 1.
#import lib/normal

fn safe_erf(z: vec4f) -> vec4f {
    let x = clamp(z, vec4f(-1.0), vec4f(1.0));
    let q = x * x;
    var p = fma(q, vec4f(7.853861353153693e-5), vec4f(-8.010193625184903e-4));
    p = fma(p, q, vec4f(5.188327685732524e-3));
    p = fma(p, q, vec4f(-2.685381193529856e-2));
    p = fma(p, q, vec4f(1.128358514861418e-1));
    p = fma(p, q, vec4f(-3.761262582423300e-1));
    p = fma(p, q, vec4f(1.128379165726710));
    let far = 1.0 - 2.0 * normal_cdf(-min(abs(z), vec4f(9.0)) * 1.41421356);
    return select(x * p, select(far, -far, z < vec4f(0.0)), abs(z) > vec4f(1.0));
}
