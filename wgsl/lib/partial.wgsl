// Functions that have no value somewhere: not a number there, by its bits, since compilers may assume all are finite.

const FLOAT_MOST = 3.4028234663852886e38;

// v, but where `outside` is true no number.
fn number_unless(outside: vec4<bool>, v: vec4f) -> vec4f {
    return bitcast<vec4f>(select(bitcast<vec4u>(v), vec4u(0x7fc00000u), outside));
}

// v with what has grown past float32, at a pole, as the largest number of its sign.
fn held(v: vec4f) -> vec4f {
    return clamp(v, vec4f(-FLOAT_MOST), vec4f(FLOAT_MOST));
}
