// z^k of four numbers for one k from -2 to 64, by products for k's whole part: z may be below 0 where k is whole.
#import lib/logarithm
#import lib/partial

// |z|^f for f from 0 to 1 and normal z: the exponent's product is exact in f's leading 12 bits.
fn fractional_power(z: vec4f, f: f32) -> vec4f {
    let bits = bitcast<vec4i>(abs(z));
    let n = (bits - vec4i(0x3f3504f3)) >> vec4u(23u);
    let m = bitcast<vec4f>(bits - (n << vec4u(23u)));
    let head = bitcast<f32>(bitcast<u32>(f) & 0xfffff000u);
    let turns = head * vec4f(n);
    let whole = round(turns);
    let rest = fma(vec4f(f - head), vec4f(n), turns - whole);
    let part = fma(rest, vec4f(0.69314718), f * safe_log(m));
    return select(safe_exp(part) * power_of_two(whole), vec4f(0.0), abs(z) < vec4f(1.1754944e-38));
}

// |z|^k for k >= 0.
fn size_to_power(z: vec4f, k: f32) -> vec4f {
    let whole = floor(k);
    var left = u32(whole);
    var base = abs(z);
    var result = vec4f(1.0);
    for (var i = 0u; i < 7u; i++) {
        result *= select(vec4f(1.0), base, vec4<bool>((left & 1u) == 1u));
        left = left >> 1u;
        base = min(base * base, vec4f(FLOAT_MOST));
    }
    return min(result * select(vec4f(1.0), fractional_power(z, k - whole), vec4<bool>(k > whole)), vec4f(FLOAT_MOST));
}

// factor z^k
fn power_of(factor: f32, z: vec4f, k: f32) -> vec4f {
    let size = size_to_power(z, abs(k));
    let all = held(select(size, 1.0 / size, vec4<bool>(k < 0.0)));
    let odd = vec4<bool>(k - 2.0 * floor(0.5 * k) == 1.0);
    let signed = select(all, -all, odd & (z < vec4f(0.0)));
    return number_unless((z < vec4f(0.0)) & vec4<bool>(k != floor(k)), held(factor * signed));
}
