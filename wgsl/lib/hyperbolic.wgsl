// tanh and its relatives for four numbers: within 4 ulp at any finite input; WGSL's tanh may give NaN past 44 to 89.
#import lib/exponential

// Where the rational below reaches 1 to rounding.
const TANH_MOST = 7.90531110763549805;

// Rational of degree 13 over 6 (the coefficients of Eigen's ptanh): odd, so its relative accuracy holds at 0.
fn safe_tanh(z: vec4f) -> vec4f {
    let x = clamp(z, vec4f(-TANH_MOST), vec4f(TANH_MOST));
    let y = x * x;
    var p = fma(y, vec4f(-2.76076847742355e-16), vec4f(2.00018790482477e-13));
    p = fma(p, y, vec4f(-8.60467152213735e-11));
    p = fma(p, y, vec4f(5.12229709037114e-08));
    p = fma(p, y, vec4f(1.48572235717979e-05));
    p = fma(p, y, vec4f(6.37261928875436e-04));
    p = fma(p, y, vec4f(4.89352455891786e-03));
    var q = fma(y, vec4f(1.19825839466702e-06), vec4f(1.18534705686654e-04));
    q = fma(q, y, vec4f(2.26843463243900e-03));
    q = fma(q, y, vec4f(4.89352518554385e-03));
    return x * p / q;
}

// 1 / cosh(z)^2, as 4 e / (1 + e)^2: 1 - tanh^2 would cancel to nothing where thin surfaces need it most.
fn sech_squared(z: vec4f) -> vec4f {
    let e = safe_exp(-2.0 * abs(z));
    let d = 1.0 + e;
    return 4.0 * e / (d * d);
}

fn safe_sigmoid(z: vec4f) -> vec4f {
    let e = safe_exp(-abs(z));
    return select(e, vec4f(1.0), z >= vec4f(0.0)) / (1.0 + e);
}

fn sigmoid_derivative(z: vec4f) -> vec4f {
    let e = safe_exp(-abs(z));
    let d = 1.0 + e;
    return e / (d * d);
}
